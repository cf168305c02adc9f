# knockout(), occlusion() and their kin against every changed window evaluated in plain R.

flat <- what_if_networks$flat
pooled <- what_if_networks$pooled

test_that("an effect is the mean difference over the windows that hold a part of the region", {
    genome <- random_genome(103, seed = 210)
    Biostrings::subseq(genome[[1]], 31, 34) <- Biostrings::DNAString("NRNN")
    regions <- regions_on(c(1, 3, 30, 31, 35, 35, 1, 99, 103), c(1, 12, 41, 34, 80, 80, 103, 103, 103))
    starts <- c(1, 18, 35, 52, 64)
    for (level in c("logit", "probability")) {
        found <- knockout(model_from(flat), genome, regions, target = 2, output = level, step = 17)
        expect_near(found$effect, brute_effects(flat, genome, regions, starts, 40, target = 2, output = level))
    }
    expect_equal(found$effect, found$prediction - found$changed)
    expect_identical(found$windows, c(1L, 1L, 3L, 2L, 5L, 5L, 5L, 1L, 1L))
    expect_identical(GenomicRanges::granges(found), GenomicRanges::granges(check_regions(regions, genome)))
})

test_that("replacements are the rows they name", {
    genome <- random_genome(60, seed = 211)
    regions <- regions_on(c(4, 20), c(9, 58))
    share <- colSums(Biostrings::alphabetFrequency(genome)[, 1:4, drop = FALSE]) / 60
    effect <- function(...) knockout(model_from(pooled), genome, regions, ...)$effect
    brute <- function(fill) brute_effects(pooled, genome, regions, 1, 60, fill)
    expect_near(effect("composition"), brute(share))
    expect_near(effect(c(1, 0, 0, 0)), brute(c(1, 0, 0, 0)))
    expect_warning(zero <- effect("zero"), class = "nucleograd_warning_zero_baseline")
    expect_near(zero, brute(numeric(4)))
})

test_that("circular contigs have no ends", {
    genome <- random_genome(90, seed = 212, circular = TRUE)
    regions <- regions_on(c(85, 90, 50), c(95, 90, 139))
    found <- knockout(model_from(flat), genome, regions, step = 30)
    expect_near(found$effect, brute_effects(flat, genome, regions, c(1, 31, 61), 40))
    whole <- knockout(model_from(pooled), genome, regions)
    expect_near(whole$effect, brute_effects(pooled, genome, regions, 1, 90))
})

test_that("shuffles are averaged, with their standard error", {
    genome <- random_genome(90, seed = 219)
    regions <- regions_on(c(3, 50), c(30, 90))
    found <- knockout(model_from(pooled), genome, regions, "dinucleotide", replicates = 5, seed = 7)
    value <- function(contig) naive_value(pooled, list(one_hot(contig)))
    for (k in 1:2) {
        answers <- vapply(1:5, function(replicate) {                                       # the core's draws, at the region's own place
            drawn <- .Call(C_shuffle, base_codes(genome[[1]]), as.numeric(BiocGenerics::start(regions)[k]), as.numeric(BiocGenerics::width(regions)[k]),
                           as.numeric(BiocGenerics::start(regions)[k]), TRUE, 7, replicate, "contig_1", run_settings(1), environment())[[1]]
            contig <- genome[[1]]
            Biostrings::subseq(contig, BiocGenerics::start(regions)[k], BiocGenerics::end(regions)[k]) <- base_letters(drawn)
            value(contig)
        }, 0)
        expect_near(found$changed[k], mean(answers))
        expect_near(found$standard_error[k], stats::sd(answers) / sqrt(5))
    }
    expect_identical(knockout(model_from(pooled), genome, regions[2], "dinucleotide", replicates = 5, seed = 7)$effect, found$effect[2])
    positions <- knockout(model_from(pooled), genome, regions, "shuffle", replicates = 3, seed = 7)
    expect_false(identical(positions$effect, found$effect))
})

test_that("a region that no window holds has no effect to tell", {
    genome <- random_genome(100, 20, seed = 213)
    regions <- GenomicRanges::GRanges(c("contig_1", "contig_2"), IRanges::IRanges(c(45, 5), width = 4))
    found <- suppressWarnings(knockout(model_from(flat), genome, regions, step = 60))
    expect_identical(found$windows, c(0L, 0L))
    expect_identical(found$effect, c(NA_real_, NA_real_))
    expect_length(knockout(model_from(flat), genome[1], regions[0]), 0)
})

test_that("a deletion moves what follows", {
    genome <- random_genome(100, seed = 214)
    regions <- regions_on(c(1, 30, 41, 90), c(7, 45, 41, 100))
    found <- knockout(model_from(flat), genome, regions, "deletion")                       # windows 1-40, 41-80, 61-100
    rows <- one_hot(genome[[1]])
    value <- function(rows, start) naive_value(flat, list(rows[start + 0:39, ]))
    expected <- c(value(rows, 1) - value(rows[-(1:7), ], 1),
                  (value(rows, 1) - value(rows[-(30:45), ], 1) + value(rows, 41) - value(rows[-(30:45), ], 30)) / 2,
                  value(rows, 41) - value(rows[-41, ], 41), value(rows, 61) - value(rows[-(90:100), ], 50))
    expect_near(found$effect, expected)
    whole <- knockout(model_from(pooled), genome, regions[2], "deletion")
    expect_near(whole$effect, naive_value(pooled, list(rows)) - naive_value(pooled, list(rows[-(30:45), ])))
    circle <- random_genome(100, seed = 214, circular = TRUE)
    over <- knockout(model_from(flat), circle, regions_on(95, 104), "deletion")             # windows 1-40, 41-80, 81-20
    short <- rows[5:94, ]
    turned <- rbind(short, short)
    expect_near(over$effect, mean(c(value(rows, 1) - value(short, 1), value(rbind(rows, rows), 81) - value(turned, 77))))
    expect_error(knockout(model_from(flat), random_genome(40), regions_on(3, 5), "deletion"), class = "nucleograd_error_regions")
})

test_that("threads, order, company and memory change no bit", {
    genome <- random_genome(300, seed = 215)
    regions <- regions_on(c(1, 40, 41, 200, 290), c(9, 40, 180, 230, 300))
    effect <- function(regions, ...) knockout(model_from(flat), genome, regions, step = 13, ...)$effect
    expect_identical(effect(regions, threads = 2), effect(regions, threads = 1))
    expect_identical(effect(rev(regions)), rev(effect(regions)))
    expect_identical(effect(regions[3]), effect(regions)[3])
    expect_near(effect(regions, memory_bytes = 2e6), effect(regions))
})

test_that("occlusion slides over contigs and regions", {
    genome <- random_genome(57, seed = 216)
    found <- occlusion(model_from(pooled), genome, width = 10, step_bp = 8)
    expect_identical(BiocGenerics::start(found), c(seq(1L, 41L, 8L), 48L))
    expect_near(found$effect, brute_effects(pooled, genome, found, 1, 57))
    part <- occlusion(model_from(pooled), genome, width = 10, regions = regions_on(c(5, 30), c(9, 49)))
    expect_identical(BiocGenerics::start(part), c(5L, 30L, 40L))
    expect_identical(BiocGenerics::width(part), c(5L, 10L, 10L))
    expect_identical(part$effect[2], knockout(model_from(pooled), genome, regions_on(30, 39))$effect)
})

test_that("what cannot be changed is refused in words", {
    genome <- random_genome(60, seed = 217)
    expect_snapshot(error = TRUE, {
        knockout(model_from(flat), genome, GenomicRanges::GRanges("NC_000913.3:1-10"))
        knockout(model_from(flat), genome, regions_on(50, 61))
        knockout(model_from(flat), genome, "contig_1:1-10")
        knockout(model_from(flat), genome, regions_on(1, 2), replacement = "N")
        knockout(model_from(flat), genome, regions_on(1, 2), replacement = 1:3)
        occlusion(model_from(flat), genome, replacement = "deletion")
    })
})

test_that("results show how they were made, and plot", {
    genome <- random_genome(60, seed = 218)
    found <- knockout(model_from(pooled), genome, regions_on(c(4, 20), c(9, 58)))
    expect_match(utils::capture.output(found)[1], "Knock-out of 2 places: F(x) - F(x without it), logit of answer (target 1)", fixed = TRUE)
    expect_s4_class(found[1], "Effects")
    expect_s3_class(plot(found), "ggplot")
    expect_error(plot(found, contig = "other"), class = "nucleograd_error_contigs")
})
