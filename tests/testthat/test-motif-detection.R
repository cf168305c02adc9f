value_of <- function(table, measure) table$value[table$measure == measure]

test_that("areas and precisions are what counting pairs and thresholds gives", {
    set.seed(1)
    for (round in 1:20) {
        score <- sample(-4:4, 30, replace = TRUE) / 2                                   # with many ties
        known <- seq_len(30) %in% sample(30, sample(5:20, 1))
        pairs <- outer(score[known], score[!known], function(a, b) (a > b) + (a == b) / 2)
        expect_equal(area_under_roc(score, known), mean(pairs))
        steps <- sort(unique(score), decreasing = TRUE)
        found <- vapply(steps, function(at) sum(known[score >= at]), 0)
        precision <- found / vapply(steps, function(at) sum(score >= at), 0)
        expect_equal(average_precision(score, known), sum(diff(c(0, found)) / sum(known) * precision))
        k <- sum(known)
        orders <- replicate(400, mean(known[order(-score, runif(30))[seq_len(k)]]))     # ties in any order
        expect_lt(abs(precision_at(score, known, k) - mean(orders)), 0.02)
    }
    expect_identical(area_under_roc(c(1, 2, 3, 4), c(FALSE, FALSE, TRUE, TRUE)), 1)
    expect_identical(average_precision(c(1, 2, 3, 4), c(TRUE, TRUE, FALSE, FALSE)), mean(c(1 / 3, 2 / 4)))
})

test_that("measures are taken in each sequence and averaged", {
    scores <- scored(a = c(5, -4, 1, 0.5, 0, NA), b = c(0, 1, 2, 3, 4, 5), c = c(1, 1))
    positions <- features_on(c("a", "b"), c(1, 5), c(2, 6))
    found <- motif_detection(scores, positions)
    expect_equal(value_of(found, "auroc"), mean(c(3 / 6, 1)))                           # a: 5 beats all, -4 none of three
    expect_equal(value_of(found, "auroc_absolute"), 1)
    expect_equal(value_of(found, "signal_to_noise"), median(c(4.5 / 0.5, 4.5 / 1.5)))
    expect_identical(found$sequences[1:6], rep(2, 6))
    half <- qt(0.975, 1) * sd(c(0.5, 1)) / sqrt(2)
    expect_equal(found$upper[1] - found$value[1], half)
    expect_error(motif_detection(scores, features_on("c", 1, 2)), "both at known positions and elsewhere", class = "nucleograd_error_regions")
    expect_error(motif_detection(scores, features_on("d", 1, 2)), "must lie on contigs", class = "nucleograd_error_contigs")
    expect_error(motif_detection(scores, features_on("c", 1, 3)), class = "nucleograd_error_regions")
})

test_that("the match rate sees a number added to all four gradients, the centred one does not", {
    genome <- random_genome(40, 40, seed = 3)
    kernel <- random_array(c(160, 1), 2)
    shifted <- kernel + rep(random_array(c(40, 1), 4), each = 4)                        # the same number for the four letters of a base
    maps <- lapply(list(kernel, shifted), function(kernel) {
        model <- model_from(toy_network(c(40, 4), flatten(), dense(kernel)))
        lapply(c(uniform = "uniform", composition = "composition"), function(baseline) attribution(model, genome, baseline = baseline, nodes = 1))
    })
    positions <- GenomicRanges::GRanges(c("contig_1:3-12", "contig_2:20-31"))
    gradient <- matrix(kernel, ncol = 4, byrow = TRUE)
    centred <- gradient - rowMeans(gradient)
    at <- list(3:12, 20:31)
    by_hand <- function(baseline, gradient) mean(mapply(function(sequence, at) {
        change <- one_hot(sequence) - rep(baseline, each = 40)
        own <- (gradient * change)[at, ]
        mean(rowSums(own * one_hot(sequence)[at, ]) == apply(own, 1, max))
    }, as.list(genome), at))
    composition <- colSums(Biostrings::alphabetFrequency(genome)[, 1:4]) / 80
    for (map in 1:2) {
        expect_equal(value_of(motif_detection(maps[[map]]$uniform, positions), "match_rate_centred"), by_hand(rep(0.25, 4), centred))
        expect_equal(value_of(motif_detection(maps[[map]]$composition, positions), "match_rate_centred"), by_hand(composition, centred))
    }
    expect_equal(value_of(motif_detection(maps[[1]]$uniform, positions), "match_rate"), by_hand(rep(0.25, 4), gradient))
    expect_false(value_of(motif_detection(maps[[2]]$uniform, positions), "match_rate") == by_hand(rep(0.25, 4), gradient))
    model <- model_from(toy_network(c(40, 4), flatten(), dense(kernel)))
    zero <- suppressWarnings(motif_detection(attribution(model, genome, baseline = "zero", nodes = 1), positions))
    expect_identical(value_of(zero, "match_rate_centred"), NA_real_)
    expect_identical(zero$sequences[9], 0)
})

test_that("the interval of a median holds it as often as it says", {
    set.seed(2)
    held <- replicate(400, {
        own <- over_sequences(rnorm(15), median = TRUE)
        own$lower <= 0 && own$upper >= 0
    })
    expect_gt(mean(held), 0.93)
    expect_true(is.na(over_sequences(c(1, 2, 3), median = TRUE)$lower))
})

test_that("copies are found whose means stand out among stretches as long", {
    score <- replace(rep(c(1, 2, 3), length.out = 60), c(11:14, 31:34), c(rep(5, 4), rep(2, 4)))
    found <- motif_detection(scored(a = score), features_on(c("a", "a"), c(11, 31), c(14, 34)))
    expect_identical(value_of(found, "copies_found"), 0.5)
    expect_identical(copies_found(c(1, 2, NA, 9), c(FALSE, FALSE, FALSE, TRUE), IRanges::IRanges(c(3, 4, 1), c(4, 4, 5))), c(NA, TRUE, NA))
})
