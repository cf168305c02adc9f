# Hits against plain loops over attention and activations; their evaluation by hand; plots draw.

fitted_hits <- small_network(small_motif(640, 3), layers = 1)

test_that("hits are the positions that are read where a motif fires", {
    sim <- small_motif(300, seed = 4)
    attention <- predict(fitted_hits, sim$x, "attention")
    activation <- predict(fitted_hits, sim$x, "activations")
    filters <- fitted_hits$filters
    for (cut in c(0.3, 0.9)) {
        expected <- list()
        for (b in seq_along(sim$x)) for (t in seq_len(91)) {
            most <- max(attention[t, , , b])
            ratio <- ifelse(filters$pass, activation[, t, b] / filters$mean_activation, 0)
            if (most > cut && max(ratio) > 1) {
                f <- which.max(ratio)
                expected[[length(expected) + 1]] <- data.frame(sequence = b, start = t + filters$left[f] - 1, end = t + filters$right[f] - 1,
                                                               filter = f, attention = most, activation = activation[f, t, b], motif = filters$motif[f])
            }
        }
        expected <- do.call(rbind, expected)
        expected <- expected[order(-expected$attention, -expected$activation), ]
        kept <- rep(TRUE, nrow(expected))
        for (i in seq_len(nrow(expected))[-1]) for (j in which(kept[seq_len(i - 1)])) {
            shared <- min(expected$end[i], expected$end[j]) - max(expected$start[i], expected$start[j]) + 1
            shorter <- min(expected$end[c(i, j)] - expected$start[c(i, j)] + 1)
            if (expected$sequence[i] == expected$sequence[j] && expected$motif[i] == expected$motif[j] && shared >= shorter / 2) kept[i] <- FALSE
        }
        expected <- expected[kept, ]
        expected <- expected[order(expected$sequence, expected$start), ]
        found <- hits(fitted_hits, sim$x, cut)
        expect_gt(length(found), 50)
        expect_identical(as.character(GenomicRanges::seqnames(found)), names(sim$x)[expected$sequence])
        expect_equal(GenomicRanges::start(found), expected$start)
        expect_identical(found$filter, expected$filter)
        expect_identical(found$attention, expected$attention)
    }
    found <- hits(fitted_hits, sim$x[sim$y == 1], 0.5)
    expect_gte(evaluate_hits(found, sim$sites)$precision, 0.9)
    expect_gte(evaluate_hits(found, sim$sites)$recall, 0.6)
})

test_that("hits are right if they overlap a site by half of the shorter", {
    at <- function(start, width, sequence = "s", ...) GenomicRanges::GRanges(sequence, IRanges::IRanges(start, width = width), ...)
    sites <- c(at(11, 10), at(41, 10), at(71, 4))
    found <- suppressWarnings(c(at(16, 10, motif = "m"), at(17, 10, motif = "m"), at(46, 20, motif = "n"), at(69, 4, motif = "n"), at(1, 5, "other", motif = "n")))
    expect_equal(evaluate_hits(found, sites), data.frame(hits = 5L, sites = 3L, precision = 3 / 5, recall = 1), tolerance = 1e-12)
    by_motif <- evaluate_hits(found, sites, "motif")
    expect_equal(by_motif$precision, c(1 / 2, 2 / 3))
    expect_equal(by_motif$recall, c(1 / 3, 2 / 3))
})

test_that("a BED file of hits says which motif, and motifs are found in a collection", {
    found <- hits(fitted_hits, small_motif(40, seed = 9)$x, 0.5)
    file <- tempfile(fileext = ".bed")
    rtracklayer::export(found, file)
    rows <- utils::read.table(file)
    expect_identical(rows[[4]], found$motif)
    expect_identical(as.numeric(rows[[5]]), round(1000 * found$attention))
    known <- match_motifs(fitted_hits, list(random = simple_pwm("GGGATCCT"), planted = simple_pwm("TTCAGCAC")), top = 1)
    expect_setequal(known$motif, motifs(fitted_hits)$motif)
    expect_true("planted" %in% known$match)
})

test_that("similarity knows the motifs and their mirror images", {
    library <- motif_library()
    self <- vapply(library, function(pfm) motif_similarity(pfm, reverse_complement(pfm)), 0)
    expect_setequal(names(self)[self >= 0.85], c("MAX", "TAL1", "JUND"))
    expect_equal(unname(self[c("MAX", "TAL1", "JUND")]), c(1, 0.870, 0.865), tolerance = 2e-3)
    between <- outer(seq_along(library), seq_along(library), Vectorize(function(i, j) max(motif_similarity(library[[i]], library[[j]]),
        motif_similarity(library[[i]], reverse_complement(library[[j]])))))
    expect_equal(diag(between), rep(1, 10), tolerance = 1e-12)
    diag(between) <- 0
    expect_lte(max(between), 0.60)
})

test_that("plots draw", {
    for (type in c("logo", "loss")) expect_s3_class(ggplot2::ggplot_build(plot(fitted_hits, type))$plot, "ggplot")
    expect_error(plot(fitted_hits, "heat"), class = "nucleograd_error_argument")
})

test_that("preset filters read out the motifs they were set to, and pair", {
    settings <- list(length = 500, filters = 2, width = 12, positions = 2, dim = 1, heads = 1, hidden = 1, stream = 1, layers = 1, score = "value",
                     key = "identity", tie_strands = FALSE, train_filters = FALSE, mask_silent = FALSE, task = "binary", precision = "float64")
    for (name in names(motif_library())) {
        known <- motif_library()[[name]]
        state <- put_filters(core_start(settings, c(1, 0)), preset_filters(list(known), settings, environment()), settings)
        read <- function(x) read_filters(settings, state, sequence_codes(x)$code, run_settings(NULL), environment())
        x <- simulate_motifs(name, 1000, share = 1, seed = 1)$x              # one strand: a near-palindrome would mix with its mirror image
        forward <- read(x)
        back <- read(Biostrings::reverseComplement(x))
        expect_gte(motif_similarity(trimmed_pfm(forward$filters, forward$pfm, 1), known), 0.99)
        expect_gte(motif_similarity(trimmed_pfm(back$filters, back$pfm, 2), reverse_complement(known)), 0.99)
        both <- read(c(x, Biostrings::reverseComplement(x)))$filters
        expect_identical(both$pair, 2:1)
        expect_setequal(both$strand, if (name %in% c("MAX", "TAL1", "JUND")) "*" else c("+", "-"))
        expect_identical(both$motif[1], both$motif[2])
    }
})
