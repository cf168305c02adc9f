# R/motif-network-insertion.R: what a motif network answers when two motifs are written into sequences, gap by gap.

#' Whether two motifs say more together than apart
#'
#' Writes two motifs of a network into shuffled sequences at every distance, and each of them alone. What the pair adds to the logit beyond
#' the two alone is its *epistasis*: a rule of order or spacing that the network has learned shows as a peak. The test asks the network
#' itself and not its attention, and so checks what [syntax()] reads.
#'
#' For a gap of `s` bases, means over `n` backgrounds: `epistasis = logit(both) - logit(first) - logit(second) + logit(neither)`. The pair
#' lies in the middle of the sequence; alone, a motif lies where it does in the pair. Motifs are written as their most frequent letters,
#' without the columns that say nothing. `"+-"` is the first motif as its "+" reads, before the second as its reverse complement.
#' @inheritParams hits
#' @param first,second Names of motifs, see [motifs()]; `first` lies before `second`. They may be the same.
#' @param gaps Bases between the motifs.
#' @param strands Directions of the two: one or several of `"++"`, `"+-"`, `"-+"`, `"--"`.
#' @param newx Sequences of the network's length, best negative ones, whose dinucleotides are shuffled to make backgrounds; `NULL`: random
#'   letters, each alike.
#' @param n Backgrounds, the same for each gap.
#' @param seed A whole number; `NULL`: one draw of R's generator.
#' @return A `motif_insertion`, a list: `table`, a data.frame with a row for each direction and gap (also `as.data.frame()`): `strands`, `gap`,
#'   `epistasis`, its `standard_error` over backgrounds, and the mean logits `both`, `first`, `second`, `neither`; and `settings`. In units of
#'   the standardised response if the network is a regression.
#' @section Errors: `nucleograd_error_argument`: no such motif, or the pair does not fit into the sequence.
#' @examples
#' sim <- simulate_motifs(motif_grammar("TTCAGCAC", spacer(6), "GGATAGTT"), n = 400, length = 100,
#'                        jitter = 20, strand = "both",
#'                        negative = one_of("TTCAGCAC", "GGATAGTT"), seed = 3)
#' fit <- motif_network(sim, filters = 8, positions = 8, dim = 16, hidden = 16, stream = 32,
#'                      layers = 2, score = "key", key = "linear",
#'                      tie_strands = TRUE, batches = 60, batch = 64,
#'                      schedule = motif_schedule(12, 10, 5, c(0.5, 4)), restarts = 1, seed = 2)
#' names <- unique(motifs(fit)$motif)
#' found <- insertion_test(fit, names[1], names[length(names)], gaps = 0:20, n = 50, seed = 1)
#' found
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot(found)
#' @export
insertion_test <- function(fit, first, second, gaps = 0:60, strands = "++", newx = NULL, n = 200, seed = NULL, threads = NULL) {
    check_is_s3(fit, "motif_network", "motif_network")
    frame <- environment()
    words <- lapply(leading_pfms(fit), function(pfm) max.col(t(pfm), "first") - 1)
    if (!length(words)) stop_input("{.arg fit} must have motifs; none of its filters is one.")
    first <- check_choice(first, names(words))
    second <- check_choice(second, names(words))
    possible <- c("++", "+-", "-+", "--")
    if (!is.character(strands) || !length(strands) || anyDuplicated(strands) || !all(strands %in% possible))
        stop_input("{.arg strands} must be one or several of {.val {possible}}, each once, not {.val {strands}}.")
    length <- fit$settings$length
    most <- length - length(words[[first]]) - length(words[[second]])
    if (!is.numeric(gaps) || !length(gaps) || anyNA(gaps) || any(gaps != round(gaps) | gaps < 0 | gaps > most))
        stop_input("{.arg gaps} must be whole numbers from 0 to {most}, so that the pair fits into {length} bases.")
    n <- check_number(n, 2, 1e5)
    seed <- seed_or_draw(seed)
    background <- insertion_backgrounds(fit, newx, n, seed, threads, frame)
    run <- run_settings(threads, progress = "Writing motifs")
    quiet <- quiet_run(run)
    logit_of <- function(codes) core_inside(fit$settings, fit$state, as.raw(codes), character(), quiet, frame)$logit
    neither <- logit_of(background)
    cases <- expand.grid(gap = as.numeric(gaps), strands = strands, stringsAsFactors = FALSE)
    rows <- lapply(seq_len(nrow(cases)), function(k) {
        pair <- Map(function(word, strand) if (strand == "-") rev(3 - word) else word, words[c(first, second)], strsplit(cases$strands[k], "")[[1]])
        at <- pair_places(lengths(pair), cases$gap[k], length)
        one <- replace_rows(background, at[[1]], pair[[1]])
        other <- replace_rows(background, at[[2]], pair[[2]])
        logit <- matrix(logit_of(cbind(replace_rows(one, at[[2]], pair[[2]]), one, other)), n)
        epistasis <- logit[, 1] - logit[, 2] - logit[, 3] + neither
        run[[3]](k / nrow(cases))
        data.frame(strands = cases$strands[k], gap = cases$gap[k], epistasis = mean(epistasis), standard_error = stats::sd(epistasis) / sqrt(n),
                   both = mean(logit[, 1]), first = mean(logit[, 2]), second = mean(logit[, 3]), neither = mean(neither))
    })
    structure(list(table = do.call(rbind, rows), settings = list(first = first, second = second, n = n, seed = seed, length = length,
                                                                background = if (is.null(newx)) "random letters" else "shuffled sequences")),
              class = "motif_insertion")
}

# Codes of n backgrounds, a column each.
insertion_backgrounds <- function(fit, newx, n, seed, threads, call) {
    length <- fit$settings$length
    if (is.null(newx)) return(design_backgrounds(NULL, length, n, seed, 0))
    given <- matrix(as.integer(network_codes(fit, newx, call)$code), length)
    shuffled_codes(if (ncol(given) < n) design_backgrounds(given, length, n, seed,
                                                           0) else given[, draw_some(ncol(given), n, c(seed, 0)), drop = FALSE],
                   seed, threads, call)
}

# The places of two motifs with a gap, as a whole in the middle.
pair_places <- function(widths, gap, length) {
    start <- (length - sum(widths) - gap) %/% 2
    list(start + seq_len(widths[1]), start + widths[1] + gap + seq_len(widths[2]))
}

replace_rows <- function(codes, rows, word) {
    codes[rows, ] <- word
    codes
}

#' @rdname insertion_test
#' @param x A `motif_insertion`.
#' @param ... Not used.
#' @export
print.motif_insertion <- function(x, ...) {
    s <- x$settings
    cat("Insertion of ", s$first, " before ", s$second, " into ", s$n, " backgrounds (", s$background, ") of ", s$length, " bp, seed ",
        format(s$seed, scientific = FALSE), "\n", sep = "")
    top <- utils::head(x$table[order(-abs(x$table$epistasis)), ], 5)
    cat("Strongest of", nrow(x$table), "distances, as logits\n")
    print(format(top, digits = 3), row.names = FALSE)
    invisible(x)
}

#' @rdname insertion_test
#' @param row.names,optional Not used; there because the generic has them.
#' @method as.data.frame motif_insertion
#' @export
as.data.frame.motif_insertion <- function(x, row.names = NULL, optional = FALSE, ...) x$table

#' @rdname insertion_test
#' @method plot motif_insertion
#' @export
plot.motif_insertion <- function(x, ...) {
    if (...length()) stop_input("{.fun plot} takes no further arguments.")
    need_package("ggplot2")
    s <- x$settings
    ggplot2::ggplot(x$table, ggplot2::aes(.data$gap, .data$epistasis)) +
        ggplot2::geom_hline(yintercept = 0, colour = "grey80") +
        ggplot2::geom_ribbon(ggplot2::aes(ymin = .data$epistasis - 2 * .data$standard_error, ymax = .data$epistasis + 2 * .data$standard_error),
                             fill = "grey85") +
        ggplot2::geom_line(colour = "#0072B2") +
        ggplot2::facet_wrap(~strands, labeller = function(labels) lapply(labels, function(l) paste0(s$first, "(", substr(l, 1, 1), ") ", s$second, "(",
                                                                                                 substr(l, 2, 2), ")"))) +
        ggplot2::labs(x = "Bases between the motifs", y = "Epistasis (logit)", title = "What a pair of motifs adds to its parts",
                      subtitle = paste0("mean of ", s$n, " backgrounds, plus and minus two standard errors")) +
        plain_theme() + seism_strips()
}
