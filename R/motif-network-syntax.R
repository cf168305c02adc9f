# R/motif-network-syntax.R: order, orientation and spacing of the motifs that a motif network reads.

#' Order, orientation and spacing of motifs
#'
#' Puts the [hits()] of each sequence in a row, its *configuration*, and counts: which configurations there are, how many bases lie between
#' the motifs of a pair, which motifs come together.
#'
#' A configuration and its mirror image are one: on the reverse strand, `A(+) B(+)` reads `B(-) A(-)`. Of the two the one that sorts first
#' (as ASCII) is reported, and positions are those of a sequence that is turned to show it. A gap is the number of bases from the end of one motif to
#' the start of the next, both without columns that say nothing; below 0 they overlap.
#'
#' **Spacing** is told for configurations of exactly two hits in at least `least` positive sequences. `entropy` (bits) is that of the
#' gaps: 0 if all are alike. The p-value asks whether the gap is more regular than places alone would make it: the first hits of
#' sequences are paired with the second ones of others at random, `draws` times, and p is (1 + pairings whose entropy is no higher) /
#' (1 + draws). **Co-occurrence** is told for each pair of motifs, either strand, over positive sequences: the chi-square of the table of two by
#' two, and the exact probability of one at least as high when both motifs are where they are but independently.
#'
#' The network is trained to find what sets these classes apart. The p-values say whether places depend on each other in these
#' sequences, and only sequences that were not trained on can say whether they do elsewhere.
#' @inheritParams hits
#' @param newx Sequences of the network's length, or a [motif simulation][simulate_motifs], which knows its labels.
#' @param y Which sequences are positive: 0 and 1, logical, a factor of two levels or probabilities (above 0.5); `NULL`: all.
#' @param least How many examples a pair must have for its spacing to be told.
#' @param draws Random pairings.
#' @param seed A whole number; `NULL`: one draw of R's generator.
#' @return A `motif_syntax`, a list of data.frames:
#'   - `configurations`: `configuration`, `motifs` (how many), `n` and `share` (of the positive sequences), `prediction` (their mean),
#'     `n_negative`, `prediction_negative`. Sequences without hits are `"none"`. Also what `as.data.frame()` gives.
#'   - `spacing`: `configuration`, `n`, `gap` (the commonest, bp; the smallest of equals), `at_gap` (its share), `lowest`, `highest`, `entropy`,
#'     `entropy_random` (mean over pairings), `p`.
#'   - `gaps`: of these pairs, `configuration`, `gap`, `n`, and `lower`, `upper`: 95 % of the pairings lie within, gap by gap.
#'   - `co_occurrence`: `first`, `second`, sequences with `both`, `first_only`, `second_only`, `neither`; `expected` (both),
#'     `chi_square`, `p`.
#'   - `hits`: of positive sequences, in reading direction: `sequence` (its number), `configuration`, `place`, `motif`, `strand`, `start`, `end`,
#'     `turned` (whether the sequence is).
#' @section Errors: `nucleograd_error_argument`.
#' @source Tseng and others (2024), \doi{10.48550/arXiv.2410.06211}, read order and spacing off hits; the tests are of this package.
#' @examples
#' sim <- simulate_motifs(motif_grammar("TTCAGCAC", spacer(6), "GGATAGTT"), n = 400, length = 100,
#'                        jitter = 20, strand = "both",
#'                        negative = one_of("TTCAGCAC", "GGATAGTT"), seed = 3)
#' fit <- motif_network(sim, filters = 8, positions = 8, dim = 16, hidden = 16, stream = 32,
#'                      layers = 2, score = "key", key = "linear",
#'                      tie_strands = TRUE, batches = 60, batch = 64,
#'                      schedule = motif_schedule(12, 10, 5, c(0.5, 4)), restarts = 1, seed = 2)
#' found <- syntax(fit, sim, cut = 0.3, seed = 1)
#' found
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot(found)
#' @export
syntax <- function(fit, newx, y = NULL, cut = NULL, least = 10, draws = 1000, seed = NULL, threads = NULL) {
    check_is_s3(fit, "motif_network", "motif_network")
    frame <- environment()
    cut <- if (is.null(cut)) fit$settings$cut else check_positive(cut, 0.05, 1, open = FALSE)
    least <- check_number(least, 2, 1e6)
    draws <- check_number(draws, 99, 1e6)
    seed <- seed_or_draw(seed)
    if (inherits(newx, "motif_simulation")) {
        if (!is.null(y)) stop_input("{.arg y} must be missing for a simulation, which knows its labels.")
        y <- newx$y
        newx <- newx$x
    }
    new <- network_codes(fit, newx, frame)
    count <- length(new$length_bp)
    positive <- if (is.null(y)) rep(TRUE, count) else check_response(y, count) > 0.5
    if (!any(positive)) stop_input("{.arg y} must name at least one positive sequence.")
    new$names <- as.character(seq_len(count))
    found <- network_hits(fit, new, cut, run_settings(threads, progress = "Finding hits"), frame)
    table <- data.frame(sequence = as.integer(as.character(GenomicRanges::seqnames(found))), motif = found$motif,
                        strand = as.character(GenomicRanges::strand(found)), start = GenomicRanges::start(found), end = GenomicRanges::end(found))
    prediction <- predict(fit, newx, threads = threads)
    read_syntax(table, prediction, positive, fit$settings$length, list(cut = cut, least = least, draws = draws, seed = seed))
}

# hits: a table of sequence, motif, strand, start, end.
read_syntax <- function(hits, prediction, positive, length, settings) {
    hits <- oriented_hits(hits, length)
    configuration <- rep("none", length(positive))
    configuration[hits$sequence] <- hits$configuration
    hits <- hits[positive[hits$sequence], ]
    rownames(hits) <- NULL
    pairs <- names(which(table(hits$configuration[hits$place == 2 & hits$motifs == 2]) >= settings$least))
    spaced <- lapply(seq_along(pairs), function(k) pair_spacing(hits[hits$configuration == pairs[k], ], settings$draws, settings$seed, k))
    spacing <- do.call(rbind, lapply(spaced, `[[`, "summary"))                # NULL without any
    if (!is.null(spacing)) spacing <- spacing[order(-spacing$n), ]
    structure(list(configurations = count_configurations(configuration, prediction, positive), spacing = spacing,
                   gaps = do.call(rbind, lapply(spaced, `[[`, "gaps")), co_occurrence = co_occurrence(hits, sum(positive)),
                   hits = hits[setdiff(names(hits), "motifs")],
                   settings = c(settings, list(positives = sum(positive), sequences = length(positive), length = length))),
              class = "motif_syntax")
}

# Hits of each sequence in a row, turned where the mirror image of their configuration sorts first.
oriented_hits <- function(hits, length) {
    hits <- hits[order(hits$sequence, hits$start + hits$end, hits$start, hits$motif), ]
    if (!nrow(hits)) return(cbind(hits, configuration = character(), place = integer(), motifs = integer(), turned = logical()))
    other <- c(`+` = "-", `-` = "+", `*` = "*")
    sentences <- function(words, turn) vapply(split(words, hits$sequence), function(row) paste(if (turn) rev(row) else row, collapse = " "), "")
    forward <- sentences(paste0(hits$motif, "(", hits$strand, ")"), FALSE)
    backward <- sentences(paste0(hits$motif, "(", other[hits$strand], ")"), TRUE)
    known <- sort(unique(c(forward, backward)), method = "radix")
    turned <- match(backward, known) < match(forward, known)
    own <- match(hits$sequence, as.integer(names(forward)))
    hits$configuration <- ifelse(turned, backward, forward)[own]
    hits$motifs <- tabulate(own)[own]
    hits$turned <- turned[own]
    hits$place <- ifelse(hits$turned, 1L, 0L) * (hits$motifs + 1L) + ifelse(hits$turned, -1L, 1L) * sequence(tabulate(own))
    back <- which(hits$turned)
    hits$strand[back] <- other[hits$strand[back]]
    hits[back, c("start", "end")] <- length + 1 - hits[back, c("end", "start")]
    hits[order(hits$sequence, hits$place), c("sequence", "configuration", "place", "motif", "strand", "start", "end", "turned", "motifs")]
}

count_configurations <- function(configuration, prediction, positive) {
    known <- sort(unique(configuration), method = "radix")
    own <- factor(configuration, known)
    mean_of <- function(rows) as.numeric(tapply(prediction[rows], own[rows], mean))
    table <- data.frame(configuration = known, motifs = ifelse(known == "none", 0L, lengths(strsplit(known, " ", fixed = TRUE))),
                        n = tabulate(own[positive], length(known)), share = tabulate(own[positive], length(known)) / sum(positive),
                        prediction = mean_of(positive), n_negative = tabulate(own[!positive], length(known)),
                        prediction_negative = mean_of(!positive))
    table <- table[order(-table$n, -table$n_negative), ]
    rownames(table) <- NULL
    table
}

# The gaps of a pair, beside those of first and second hits of different sequences.
pair_spacing <- function(hits, draws, seed, number) {
    ends <- hits$end[hits$place == 1]
    starts <- hits$start[hits$place == 2]
    n <- length(ends)
    gaps <- seq(min(starts) - max(ends), max(starts) - min(ends)) - 1
    counted <- function(starts) tabulate(starts - ends - gaps[1], length(gaps))
    own <- counted(starts)
    random <- vapply(seq_len(draws), function(draw) counted(starts[order(.Call(C_random, seed, (number - 1) * draws + draw, n, 2^52))]), own)
    random <- matrix(random, length(gaps))
    apart <- apply(random, 2, gap_entropy)
    band <- apply(random, 1, stats::quantile, c(0.025, 0.975), names = FALSE, type = 1)
    seen <- range(gaps[own > 0])
    list(summary = data.frame(configuration = hits$configuration[1], n = n, gap = gaps[which.max(own)], at_gap = max(own) / n, lowest = seen[1],
                              highest = seen[2], entropy = gap_entropy(own), entropy_random = mean(apart),
                              p = (1 + sum(apart <= gap_entropy(own) + 1e-9)) / (1 + draws)),
         gaps = data.frame(configuration = hits$configuration[1], gap = gaps, n = own, lower = band[1, ], upper = band[2, ]))
}

gap_entropy <- function(counts) {
    share <- counts[counts > 0] / sum(counts)
    -sum(share * log2(share))
}

co_occurrence <- function(hits, sequences) {
    motifs <- sort(unique(hits$motif), method = "radix")
    if (length(motifs) < 2) return(NULL)
    there <- lapply(motifs, function(motif) unique(hits$sequence[hits$motif == motif]))
    pairs <- utils::combn(length(motifs), 2)
    do.call(rbind, lapply(seq_len(ncol(pairs)), function(k) {
        first <- there[[pairs[1, k]]]
        second <- there[[pairs[2, k]]]
        both <- length(intersect(first, second))
        data.frame(first = motifs[pairs[1, k]], second = motifs[pairs[2, k]], both = both, first_only = length(first) - both,
                   second_only = length(second) - both, neither = sequences - length(first) - length(second) + both,
                   two_by_two(both, length(first), length(second), sequences))
    }))
}

# Of n things a have one mark, b another, `both` have both: what chance expects, Pearson's chi-square and its exact p-value.
two_by_two <- function(both, a, b, n) {
    expected <- a * b / n
    possible <- max(0, a + b - n):min(a, b)
    far <- abs(possible - expected) >= abs(both - expected) - 1e-9
    spread <- expected * (n - a) * (n - b) / n                      # chi-square is the squared distance, times n, over this
    data.frame(expected, chi_square = if (spread > 0) (both - expected)^2 * n / spread else 0,
               p = min(1, sum(stats::dhyper(possible[far], a, n - a, b))))
}

# ---- what it prints and draws ----

#' @rdname syntax
#' @param x A `motif_syntax`.
#' @param ... Not used.
#' @export
print.motif_syntax <- function(x, ...) {
    s <- x$settings
    cat("Syntax of ", s$positives, if (s$positives < s$sequences) paste(" positive sequences of", s$sequences) else " sequences", " of ", s$length,
        " bp; hits: attention above ", s$cut, "; seed ", format(s$seed, scientific = FALSE), "\n", sep = "")
    shown <- function(title, table, rows) {
        if (!NROW(table)) return(cat("\n", title, ": none\n", sep = ""))
        cat("\n", title, "\n", sep = "")
        print(format(utils::head(table, rows), digits = 3), row.names = FALSE)
        if (nrow(table) > rows) cat("and", nrow(table) - rows, "more\n")
    }
    shown("Configurations", x$configurations, 10)
    shown(paste("Spacing of pairs with", s$least, "examples or more"), x$spacing, 10)
    shown("Motifs together, in positive sequences", x$co_occurrence, 10)
    invisible(x)
}

#' @rdname syntax
#' @param row.names,optional Not used; there because the generic has them.
#' @method as.data.frame motif_syntax
#' @export
as.data.frame.motif_syntax <- function(x, row.names = NULL, optional = FALSE, ...) x$configurations

#' @rdname syntax
#' @param type `"spacing"`: how often each gap is seen between the motifs of the six commonest pairs, grey where random pairings have them;
#'   `"configurations"`: the share of each of the twelve commonest; `"graph"`: motifs, and an arrow from each to the next of a configuration
#'   where at least `least` sequences have them so, with directions and the commonest gap.
#' @method plot motif_syntax
#' @export
plot.motif_syntax <- function(x, type = c("spacing", "configurations", "graph"), ...) {
    if (...length()) stop_input("{.fun plot} takes {.arg type} only.")
    type <- check_choice(type, c("spacing", "configurations", "graph"))
    need_package("ggplot2")
    if (type == "configurations") return(plot_configurations(x))
    if (type == "graph") return(plot_syntax_graph(x, environment()))
    if (!NROW(x$spacing)) stop_input("No pair of motifs has {x$settings$least} example{?s} whose spacing could be drawn.")
    plot_spacing(x)
}

plot_spacing <- function(x) {
    pairs <- utils::head(x$spacing, 6)
    title <- paste0(pairs$configuration, ", n = ", pairs$n, ", p ", ifelse(pairs$p < 0.001, "< 0.001", paste("=", signif(pairs$p, 2))))
    table <- x$gaps[x$gaps$configuration %in% pairs$configuration, ]
    table <- table[table$n > 0 | table$upper > 0, ]
    table$title <- factor(title[match(table$configuration, pairs$configuration)], title)
    ggplot2::ggplot(table, ggplot2::aes(.data$gap)) +
        ggplot2::geom_linerange(ggplot2::aes(ymin = .data$lower, ymax = .data$upper), colour = "grey80", linewidth = 1.2) +
        ggplot2::geom_segment(ggplot2::aes(xend = .data$gap, y = 0, yend = .data$n), table[table$n > 0, ], colour = "#0072B2", linewidth = 0.8) +
        ggplot2::facet_wrap(~title, ncol = 1, scales = "free_y") +
        ggplot2::labs(x = "Bases between the motifs", y = "Sequences", title = "Spacing of motifs",
                      subtitle = "grey: 95 % of random pairings of the same places") +
        plain_theme() + seism_strips()
}

plot_configurations <- function(x) {
    table <- utils::head(x$configurations[x$configurations$n > 0, ], 12)
    table$configuration <- factor(table$configuration, rev(table$configuration))
    ggplot2::ggplot(table, ggplot2::aes(.data$share, .data$configuration)) +
        ggplot2::geom_col(fill = "#0072B2", width = 0.7) +
        ggplot2::scale_x_continuous(expand = ggplot2::expansion(c(0, 0.05))) +
        ggplot2::labs(x = "Share of the positive sequences", y = NULL, title = "What the network reads, in order") +
        plain_theme()
}

# Neighbours in the configurations of hits: a row for each pair of motifs with their strands, most frequent first.
motif_neighbours <- function(hits) {
    at <- which(hits$sequence[-1] == hits$sequence[-nrow(hits)])
    word <- paste0(hits$motif, "(", hits$strand, ")")
    table <- data.frame(first = hits$motif[at], second = hits$motif[at + 1], pair = paste(word[at], word[at + 1]),
                        gap = hits$start[at + 1] - hits$end[at] - 1)
    rows <- lapply(split(table, table$pair), function(same) data.frame(
        same[1, c("first", "second", "pair")], n = nrow(same), gap = as.numeric(names(which.max(table(same$gap))))))
    table <- do.call(rbind, rows)
    rownames(table) <- NULL
    table[order(-table$n), ]
}

plot_syntax_graph <- function(x, call) {
    if (!nrow(x$hits)) stop_input("There is no hit in a positive sequence to draw.", call = call)
    percent <- function(count) paste(round(100 * count / x$settings$positives), "%")
    motifs <- sort(unique(x$hits$motif), method = "radix")
    angle <- 2 * pi * (seq_along(motifs) - 1) / length(motifs)
    carriers <- vapply(motifs, function(motif) length(unique(x$hits$sequence[x$hits$motif == motif])), 0L)
    points <- data.frame(x = sin(angle), y = cos(angle), label = paste0(motifs, "\n", percent(carriers)))
    rules <- motif_neighbours(x$hits)
    rules <- rules[rules$n >= x$settings$least & rules$first != rules$second, ]
    # Arrows between the same two motifs lie beside each other, and end before the points.
    from <- points[match(rules$first, motifs), c("x", "y")]
    to <- points[match(rules$second, motifs), c("x", "y")]
    beside <- 0.12 * stats::ave(seq_len(nrow(rules)), rules$first, rules$second, FUN = seq_along)
    at <- function(part) data.frame(x = from$x + part * (to$x - from$x) + beside * (to$y - from$y) / 2,
                                    y = from$y + part * (to$y - from$y) - beside * (to$x - from$x) / 2)
    arrows <- data.frame(at(0.2), xend = at(0.8)$x, yend = at(0.8)$y, n = rules$n)
    labels <- data.frame(at(0.5), label = sprintf("%s, %d bp, %s", gsub("[^ ]*\\(|\\)", "", rules$pair), as.integer(rules$gap), percent(rules$n)))
    ggplot2::ggplot(mapping = ggplot2::aes(.data$x, .data$y)) +
        ggplot2::geom_segment(ggplot2::aes(xend = .data$xend, yend = .data$yend, linewidth = .data$n), arrows, colour = "#0072B2",
                              arrow = ggplot2::arrow(length = ggplot2::unit(0.1, "inches"), type = "closed")) +
        ggplot2::geom_label(ggplot2::aes(label = .data$label), labels, size = 3, label.size = 0) +
        ggplot2::geom_label(ggplot2::aes(label = .data$label), points, fill = "grey92", label.size = 0) +
        ggplot2::scale_linewidth(range = c(0.3, 2), guide = "none") +
        ggplot2::coord_equal(xlim = c(-1.4, 1.4), ylim = c(-1.2, 1.2)) +
        ggplot2::labs(title = "Motifs and what follows them",
                      subtitle = "shares of the positive sequences; arrows: directions of the two, commonest gap, share") +
        ggplot2::theme_void(base_size = 11) + ggplot2::theme(plot.subtitle = ggplot2::element_text(colour = "grey40", size = 9))
}
