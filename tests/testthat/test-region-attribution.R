# region_attribution() against the path in plain R, and against knockout().

flat <- what_if_networks$flat
pooled <- what_if_networks$pooled

test_that("scores are those of the path on which the region alone moves", {
    genome <- random_genome(60, seed = 250)
    Biostrings::subseq(genome[[1]], 22, 22) <- Biostrings::DNAString("N")
    found <- region_attribution(model_from(pooled), genome, regions_on(18, 33), nodes = 8)
    x <- one_hot(genome[[1]])
    baseline <- x
    baseline[c(18:21, 23:33), ] <- 0.25
    expected <- naive_scores(pooled, list(x), list(baseline), (1:8 - 0.5) / 8, rep(1 / 8, 8))[[1]]
    expect_near(found@scores[[1]], expected)
    expect_identical(unname(base_scores(found)[-(18:33)]), numeric(44))
})

test_that("the scores of a window sum to the effect of the knock-out there", {
    genome <- random_genome(120, 50, seed = 251)
    for (circular in c(FALSE, TRUE)) {
        S4Vectors::mcols(genome)$circular <- circular
        region <- regions_on(101, if (circular) 125 else 118)
        found <- region_attribution(model_from(flat), genome, region, nodes = 400, step = 20, target = 2, rule = "trapezoid")
        effect <- knockout(model_from(flat), genome, region, step = 20, target = 2)
        data <- S4Vectors::mcols(found@windows)
        expect_identical(length(found@windows), effect$windows)
        expect_near(mean(data$output - data$baseline_output), effect$effect)
        expect_lte(max(abs(data$gap)), 0.01 * max(abs(data$output - data$baseline_output)))        # kinks of relu and of the pool
        expect_true(all(is.na(found@scores$contig_2)))
    }
    whole <- region_attribution(model_from(pooled), genome[1], regions_on(1, 120), nodes = 20)
    expect_identical(whole@scores, attribution(model_from(pooled), genome[1], nodes = 20)@scores)
})

test_that("a region that cannot be explained is refused in words", {
    genome <- random_genome(100, 30, seed = 252)
    expect_error(region_attribution(model_from(flat), genome, regions_on(c(1, 5), 9)), class = "nucleograd_error_argument")
    expect_error(region_attribution(model_from(flat), genome[1], regions_on(45, 49), step = 60), class = "nucleograd_error_contigs")
    expect_error(suppressWarnings(region_attribution(model_from(flat), genome, GenomicRanges::GRanges("contig_2:1-9"))), class = "nucleograd_error_contigs")
    expect_error(region_attribution(model_from(flat), genome, regions_on(95, 101)), class = "nucleograd_error_regions")
    expect_error(region_attribution(model_from(flat), genome, regions_on(5, 9), baseline = "dinucleotide"), class = "nucleograd_error_argument")
})
