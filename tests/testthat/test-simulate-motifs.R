# Simulated sequences against their definition, by counting; the bound against brute force and the accuracy known of it.

spelled <- function(sim, rows = seq_along(sim$sites)) {
    sites <- sim$sites[rows]
    text <- Biostrings::subseq(sim$x[as.character(GenomicRanges::seqnames(sites))], GenomicRanges::start(sites), GenomicRanges::end(sites))
    turned <- as.character(GenomicRanges::strand(sites)) == "-"
    text[turned] <- Biostrings::reverseComplement(text[turned])
    unname(as.character(text))
}

test_that("sites hold their motifs, wherever they were put and turned", {
    for (place in c("centre", "uniform", "periodic")) for (strand in c("forward", "both")) {
        sim <- simulate_motifs(motif_grammar("ACGTTGCA", spacer(2, 4), "GGTTC"), 400, 300, place = place, copies = 3, strand = strand, seed = 3)
        expect_identical(sim$y, rep(0:1, 200) + 0)
        expect_identical(length(sim$sites), (if (place == "periodic") 3L else 1L) * 400L)
        expect_identical(spelled(sim), sim$sites$motif)
        expect_true(all(sim$y[as.integer(GenomicRanges::seqnames(sim$sites))] == 1))
        expect_equal(any(GenomicRanges::strand(sim$sites) == "-"), strand == "both")
    }
})

test_that("a sequence depends on the seed and its own number only", {
    letters_of_x <- function(...) as.character(simulate_motifs(...)$x)             # identical() looks at addresses of a DNAStringSet
    expect_identical(letters_of_x("B2", 40, seed = 5), letters_of_x("B2", 700, seed = 5)[1:40])
    old <- options(nucleograd.threads = 1)
    on.exit(options(old))
    one <- simulate_motifs("B4", 300, seed = 6)
    options(nucleograd.threads = 3)
    three <- simulate_motifs("B4", 300, seed = 6)
    expect_identical(as.character(three$x), as.character(one$x))
    expect_identical(as.data.frame(three$sites), as.data.frame(one$sites))
    expect_false(any(letters_of_x("B4", 300, seed = 7) == as.character(one$x)))
    set.seed(1)
    drawn <- letters_of_x("B1", 10)
    set.seed(1)
    expect_identical(letters_of_x("B1", 10), drawn)
    expect_false(any(letters_of_x("B1", 10) == drawn))
})

test_that("starts, spacers, letters and choices are distributed as they should be", {
    sim <- simulate_motifs(one_of(motif_grammar("TAL1", spacer(5, 10), "SPI1"), "GATA1", prob = c(0.7, 0.3)), 20000, 160, share = 1, seed = 8)
    by <- split(sim$sites, sim$sites$motif)
    first <- GenomicRanges::start(by$TAL1)
    gap <- GenomicRanges::start(by$SPI1) - GenomicRanges::end(by$TAL1) - 1
    expect_identical(range(gap), c(5, 10))
    expect_gt(chisq.test(table(gap))$p.value, 1e-3)
    centred <- first - 1 - 80 + (20 + gap) %/% 2                                   # 0-based start, minus what the start rule adds to
    expect_identical(range(centred), c(-50, 50))
    expect_gt(chisq.test(table(centred))$p.value, 1e-3)
    expect_lt(abs(length(by$GATA1) - 6000), 4 * sqrt(20000 * 0.3 * 0.7))
    expect_lt(max(abs(as.numeric(table(strsplit(paste(as.character(sim$x[1:2000]), collapse = ""), "")[[1]])) / (2000 * 160) - 0.25)), 0.03)
    text <- do.call(rbind, strsplit(spelled(sim, sim$sites$motif == "SPI1"), ""))
    share <- apply(text, 2, function(column) tabulate(match(column, c("A", "C", "G", "T")), 4)) / nrow(text)
    truth <- motif_library()$SPI1
    expect_true(all(abs(share - truth) <= 4 * sqrt(truth * (1 - truth) / nrow(text)) + 1e-12))
    skewed <- simulate_motifs("ACGT", 500, 200, share = 0, background = c(0.4, 0.1, 0.1, 0.4), seed = 1)
    expect_equal(unname(colSums(Biostrings::letterFrequency(skewed$x, c("A", "C", "G", "T")))) / 1e5, c(0.4, 0.1, 0.1, 0.4), tolerance = 0.02)
})

test_that("reject leaves no window that is like a motif", {
    sim <- simulate_motifs("ACGTA", 200, 120, share = 0, jitter = 10, reject = 0.9, seed = 2)
    expect_false(any(grepl("ACGTA|TACGT", as.character(sim$x))))
    expect_true(any(grepl("ACGTA|TACGT", as.character(simulate_motifs("ACGTA", 200, 120, share = 0, jitter = 10, seed = 2)$x))))
    expect_error(simulate_motifs("N", 10, 20, jitter = 2, reject = 0.2, seed = 1), class = "nucleograd_error_input")
})

test_that("the bound is the likelihood ratio, by brute force", {
    library <- list(u = motif_library()$GATA1, v = motif_library()$MAX)
    positive <- one_of(motif_grammar("u", spacer(1, 3), "v"), "u", prob = c(0.6, 0.4))
    for (strand in c("forward", "both")) {
        sim <- simulate_motifs(positive, 12, 40, one_of("u", "v"), motifs = library, background = c(0.3, 0.2, 0.2, 0.3), jitter = 4,
                               strand = strand, seed = 4)
        of_start <- function(letters, pfm, start) sum(vapply(seq_len(ncol(pfm)), function(w) {
            base <- match(letters[start + w - 1], c("A", "C", "G", "T"))
            log(max(pfm[base, w], 0.002) / c(0.3, 0.2, 0.2, 0.3)[base])
        }, 0))
        mean_over <- function(letters, parts, gap = 0) {
            width <- sum(vapply(parts, ncol, 0L)) + gap
            start <- 20 - width %/% 2 + (-4:4) + 1
            mean(vapply(start, function(s) exp(of_start(letters, parts[[1]], s) + if (length(parts) == 2)
                of_start(letters, parts[[2]], s + ncol(parts[[1]]) + gap) else 0), 0))
        }
        both <- function(text, score) {
            turned <- as.character(Biostrings::reverseComplement(Biostrings::DNAString(text)))
            sum(vapply(c(text, if (strand == "both") turned), function(one) score(strsplit(one, "")[[1]]), 0))
        }
        expected <- vapply(as.character(sim$x), function(text) {
            log(both(text, function(l) 0.6 * mean(vapply(1:3, function(gap) mean_over(l, library, gap), 0)) + 0.4 * mean_over(l, library["u"]))) -
                log(both(text, function(l) (mean_over(l, library["u"]) + mean_over(l, library["v"])) / 2))
        }, 0)
        expect_equal(bayes_score(sim), unname(expected), tolerance = 1e-12)
    }
})

test_that("the benchmarks are as hard as they are known to be", {
    known <- c(B1 = 0.916, B2 = 0.974, B3 = 0.891, B4 = 0.998)
    for (name in names(known)) {
        sim <- simulate_motifs(name, 20000, seed = 11)
        expect_lt(abs(mean((bayes_score(sim) > 0) == (sim$y == 1)) - known[[name]]), 0.006)
    }
})

test_that("what cannot be is refused with words", {
    expect_snapshot(error = TRUE, {
        simulate_motifs("SPI2")
        simulate_motifs("SPI1", length = 60)
        simulate_motifs("SPI1", place = "periodic", copies = 9)
        simulate_motifs("GATA1", place = "periodic", copies = 2, period = 16, jitter = 5)
        simulate_motifs("SPI1", background = c(1, 1, 1, 1))
        one_of("SPI1", "TAL1", prob = c(0.5, 0.6))
        motif_grammar("SPI1", 5)
        spacer(5, 3)
        bayes_score(simulate_motifs("B1", 2, seed = 1), "ACGT")
    })
    expect_snapshot(simulate_motifs("B2", 10, seed = 1))
})
