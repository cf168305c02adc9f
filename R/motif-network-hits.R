# R/motif-network-hits.R: where a motif network found its motifs, how good that is, and what the motifs look like.

#' Where motifs are
#'
#' A hit is a position that some head reads with an attention above `cut`, where a filter that is a motif fires above its mean positive
#' activation. `evaluate_hits()` compares hits with known places.
#'
#' Where several motifs fire, the one whose activation is highest relative to its mean is the hit, and the others are in `also_hit`. Hits of a
#' motif, on either strand, that overlap by at least half are one, the one with more attention. A head gives at most one position with
#' attention above 0.5, so a sequence has at most `layers * heads` hits. A lower `cut` finds more and is wrong more often.
#' @param fit A [motif_network-class].
#' @param newx Sequences of the network's length, or a [motif simulation][simulate_motifs].
#' @param cut Attention, 0.05 to 1; `NULL`: that of the fit.
#' @param threads Threads; see [thread_count()].
#' @return `hits()`: a `GRanges` on the sequences, the columns of the motif that are kept, with `motif`, `filter`, `attention`, `layer`, `head`,
#'   `activation`, `ratio` (to the filter's mean positive one), `also_hit`; and `name` and `score` (a thousandfold attention), which
#'   `rtracklayer::export()` writes into BED files.
#'   `evaluate_hits()`: a data.frame, one row, or one a motif: `hits`, `sites`, `precision` (share of hits that overlap a site by at least half of
#'   the shorter) and `recall` (share of sites that some hit finds).
#' @section Errors: `nucleograd_error_argument`.
#' @examples
#' sim <- simulate_motifs("TTCAGCAC", n = 200, length = 100, jitter = 20, strand = "both", seed = 1)
#' fit <- motif_network(sim, filters = 4, positions = 8, dim = 16, heads = 2, hidden = 16,
#'                      stream = 32, batches = 30, batch = 64,
#'                      schedule = motif_schedule(10, 10, 5, c(0.5, 4)), restarts = 1, seed = 1)
#' found <- hits(fit, sim$x[sim$y == 1], cut = 0.5)
#' evaluate_hits(found, sim$sites)
#' @export
hits <- function(fit, newx, cut = NULL, threads = NULL) {
    check_is_s3(fit, "motif_network", "motif_network")
    frame <- environment()
    cut <- if (is.null(cut)) fit$settings$cut else check_positive(cut, 0.05, 1, open = FALSE)
    network_hits(fit, network_codes(fit, newx, frame), cut, run_settings(threads, progress = "Finding hits"), frame)
}

network_hits <- function(fit, new, cut, run, frame) {
    peaks <- core_peaks(fit$settings, fit$state, new$code, cut, run, frame)
    table <- fit$filters
    ratio <- peaks$activations / pmax(table$mean_activation, .Machine$double.xmin)
    ratio[!table$pass, ] <- 0
    best <- max.col(t(ratio), "first")
    chosen <- which(ratio[cbind(best, seq_along(best))] > 1)
    best <- best[chosen]
    also <- vapply(chosen, function(k) paste(setdiff(table$motif[ratio[, k] > 1], table$motif[best[match(k, chosen)]]), collapse = ","), "")
    found <- GenomicRanges::GRanges(
        factor(new$names[peaks$sequence[chosen]], unique(new$names)),
        IRanges::IRanges(peaks$position[chosen] + table$left[best] - 1L, width = table$length[best]), table$strand[best],
        motif = table$motif[best], filter = best, attention = peaks$attention[chosen], layer = peaks$layer[chosen], head = peaks$head[chosen],
        activation = peaks$activations[cbind(best, chosen)], ratio = ratio[cbind(best, chosen)], also_hit = also,
        name = table$motif[best], score = round(1000 * peaks$attention[chosen]),
        seqlengths = stats::setNames(rep(as.integer(fit$settings$length), length(unique(new$names))), unique(new$names)))
    found <- one_of_many(found)
    if (length(found) && mean(tabulate(match(as.character(GenomicRanges::seqnames(found)), unique(new$names)), length(new$names)) >=
                                  fit$settings$layers * fit$settings$heads) > 0.2)
        cli::cli_warn("More than 20 % of the sequences have as many hits as there are heads; some may be missing. Can you use more layers?",
                      class = c("nucleograd_warning_heads", "nucleograd_warning"), call = frame)
    GenomicRanges::sort(found, ignore.strand = TRUE)
}

# Pairs of ranges that overlap by at least half of the shorter.
half_overlaps <- function(a, b) {
    pairs <- GenomicRanges::findOverlaps(a, b, ignore.strand = TRUE)
    from <- S4Vectors::queryHits(pairs)
    to <- S4Vectors::subjectHits(pairs)
    shared <- pmin(GenomicRanges::end(a)[from], GenomicRanges::end(b)[to]) - pmax(GenomicRanges::start(a)[from], GenomicRanges::start(b)[to]) + 1
    pairs[shared >= pmin(GenomicRanges::width(a)[from], GenomicRanges::width(b)[to]) / 2]
}

# Of hits of one motif that overlap by half, the one with the highest attention.
one_of_many <- function(found) {
    found <- found[order(-found$attention, -found$activation)]
    pairs <- half_overlaps(found, found)
    better <- S4Vectors::subjectHits(pairs)
    worse <- S4Vectors::queryHits(pairs)
    rivals <- better < worse & found$motif[better] == found$motif[worse]
    rivals <- split(better[rivals], worse[rivals])
    kept <- rep(TRUE, length(found))
    for (name in names(rivals)[order(as.integer(names(rivals)))])
        if (any(kept[rivals[[name]]])) kept[as.integer(name)] <- FALSE
    found[kept]
}

#' @rdname hits
#' @param hits A `GRanges` of `hits()`.
#' @param sites A `GRanges` of true places on the same sequences, such as `sites` of a [motif simulation][simulate_motifs].
#' @param by `"any"`: a hit may overlap any site; `"motif"`: a row for each motif of `hits`.
#' @export
evaluate_hits <- function(hits, sites, by = c("any", "motif")) {
    check_is(hits, "GRanges", "hits")
    check_is(sites, "GRanges", "simulate_motifs")
    by <- check_choice(by, c("any", "motif"))
    row <- function(hits) {
        pairs <- suppressWarnings(half_overlaps(hits, sites))         # sequences may be in one of them only
        data.frame(hits = length(hits), sites = length(sites), precision = length(unique(S4Vectors::queryHits(pairs))) / length(hits),
                   recall = length(unique(S4Vectors::subjectHits(pairs))) / length(sites))
    }
    if (by == "any") return(row(hits))
    each <- split(hits, hits$motif)
    data.frame(motif = names(each), do.call(rbind, lapply(each, row)), row.names = NULL)
}

#' Plot a motif network
#'
#' @param x A [motif_network-class].
#' @param type `"logo"`: letters in the windows that excite each live filter, in bits, motifs first; `"loss"`: the parts of the loss over the
#'   epochs, a line a restart; `"heads"`: what the mean activation of each filter adds to the attention of each head before the softmax, in
#'   nats, and `"position"`: what each position adds, both exact in the first layer and means over `newx` in the others; `"attention"`:
#'   where the sequences `newx` are read; `"track"`: one sequence base by base: attention, activations of the filters that are motifs, [hits()], and
#'   [attribution()] of [as_model()]; `"roc"`: how well `newx` are told apart, of a [simulation][simulate_motifs] beside [bayes_score()], which
#'   no classifier beats.
#' @param newx Sequences of the network's length; of `"attention"`, `"track"` and `"roc"`, and of later layers.
#' @param y Labels of `newx` for `"roc"`: 0 and 1, logical, a factor of two levels or probabilities (above 0.5); a simulation knows them.
#' @param ... Not used.
#' @return A `ggplot`.
#' @section Errors: `nucleograd_error_package`: ggplot2, or for a logo ggseqlogo, is not installed.
#' @examples
#' sim <- simulate_motifs("TTCAGCAC", n = 200, length = 100, jitter = 20, strand = "both", seed = 1)
#' fit <- motif_network(sim, filters = 4, positions = 8, dim = 16, heads = 2, hidden = 16,
#'                      stream = 32, batches = 20, batch = 64,
#'                      schedule = motif_schedule(5, 5, 2), restarts = 1, seed = 1)
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot(fit, "loss")
#' @method plot motif_network
#' @export
plot.motif_network <- function(x, type = c("logo", "loss", "heads", "position", "attention", "track", "roc"), newx = NULL, y = NULL, ...) {
    if (...length()) stop_input("{.fun plot} takes {.arg type}, {.arg newx} and {.arg y} only.")
    type <- check_choice(type, c("logo", "loss", "heads", "position", "attention", "track", "roc"))
    need_package("ggplot2")
    switch(type, logo = plot_network_logo(x), loss = plot_network_loss(x), heads = plot_network_heads(x, newx),
           position = plot_network_positions(x, newx), attention = plot_network_attention(x, newx), track = plot_network_track(x, newx),
           roc = plot_network_roc(x, newx, y))
}

plot_network_logo <- function(x, call = parent.frame()) {
    need_package("ggseqlogo", call)
    table <- x$filters[x$filters$alive, ]
    table <- table[order(!table$pass, table$motif, table$strand), ]
    title <- paste0("filter ", table$filter, ifelse(table$pass, paste0(": ", table$motif, " (", table$strand, ")"), ": not a motif"),
                    ", ", format(table$n_windows, big.mark = ",", trim = TRUE), " windows")
    heights <- stats::setNames(lapply(x$pfm[table$filter], information), title)
    colours <- ggseqlogo::make_col_scheme(bases, cols = c("#009E73", "#0072B2", "#E69F00", "#D55E00"))
    suppressMessages(suppressWarnings(
        ggplot2::ggplot() + ggseqlogo::geom_logo(heights, method = "custom", seq_type = "dna", col_scheme = colours))) +
        ggplot2::facet_wrap(~seq_group, ncol = 2) +
        ggplot2::scale_y_continuous(limits = c(0, 2), breaks = 0:2) +
        ggplot2::guides(fill = "none") +
        ggplot2::labs(x = "Column of the filter", y = "Bits", title = "Letters in the windows that excite each filter") +
        plain_theme() + seism_strips()
}

plot_network_loss <- function(x) {
    parts <- c(fit = "fit", validation = "fit, validation", overlap = "overlap", l1 = "sum of filter weights", entropy = "entropy of attention")
    table <- do.call(rbind, lapply(seq_along(x$traces), function(k) do.call(rbind, lapply(names(parts), function(part) {
        trace <- x$traces[[k]]
        if (NROW(trace)) data.frame(epoch = trace$epoch, value = trace[[part]], part = factor(parts[[part]], parts), restart = k)
    }))))
    table$chosen <- table$restart == which(x$restarts$chosen)
    ramp <- range(c(1, x$trace$epoch[x$trace$l1_weight > 0]))
    ggplot2::ggplot(table[is.finite(table$value) & table$value > 0, ], ggplot2::aes(.data$epoch, .data$value, group = .data$restart)) +
        ggplot2::geom_vline(xintercept = min(x$trace$epoch[x$trace$l1_weight > 0], ramp[2]), colour = "grey80") +
        ggplot2::geom_line(ggplot2::aes(colour = .data$chosen)) +
        ggplot2::scale_colour_manual(values = c(`TRUE` = "#0072B2", `FALSE` = "grey70"), guide = "none") +
        ggplot2::facet_wrap(~part, scales = "free_y") +
        ggplot2::scale_y_log10() +
        ggplot2::labs(x = "Epoch", y = NULL, title = "Parts of the loss", subtitle = "blue: the restart that was kept; line: the ramp begins") +
        plain_theme() + seism_strips()
}
