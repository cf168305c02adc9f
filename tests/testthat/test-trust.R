# A linear network of 24 bp: its scores, and what mutations take from its answer, are sums of weights.
weights <- random_array(c(24, 4), 7)
linear <- model_from(toy_network(c(24, 4), flatten(), dense(matrix(as.numeric(t(weights)), 96))))
genome <- random_genome(24 * 30, 24 * 12, seed = 8)
answer_of <- function(sequence) sum(one_hot(sequence) * weights)
linear_map <- attribution(linear, genome, nodes = 1)
small <- function(scores = linear_map, model = linear, ...) {
    trust(scores, model, alternatives = list(), windows = 6, pieces = 8, shuffles = 3, copies = 20, draws = 2, seed = 4, ...)
}
row_of <- function(found, measure, comparison = NULL) {
    table <- as.data.frame(found)
    table[table$measure == measure & (if (is.null(comparison)) TRUE else table$comparison == comparison), ]
}

test_that("rank correlations are Spearman's, and intervals hold what they should", {
    a <- smooth_scores(300, 1)
    b <- a + smooth_scores(300, 2)
    b[c(4, 70)] <- NA
    found <- rank_correlation(round(a, 1), round(b, 1))
    expect_equal(found$correlation, cor(round(a, 1), round(b, 1), method = "spearman", use = "complete.obs"))
    expect_identical(found$n, 298L)
    known <- !is.na(b)
    ranks <- cbind(rank(a[known]), rank(b[known]))
    stretch <- ceiling(seq_len(298) * 50 / 298)
    without <- vapply(1:50, function(k) atanh(cor(ranks[stretch != k, ])[1, 2]), 0)
    error <- sqrt(49 / 50 * sum((without - mean(without))^2))
    expect_equal(with(rank_correlation(a, b), c(lower, upper)), tanh(atanh(cor(ranks)[1, 2]) + c(-1, 1) * qt(0.975, 49) * error))
    set.seed(3)
    held <- replicate(300, {
        x <- rnorm(60)
        y <- x + rnorm(60)
        own <- rank_correlation(x, y)
        truth <- 6 / pi * asin(sqrt(0.5) / 2)                                          # of the normal distribution
        own$lower <= truth && truth <= own$upper
    })
    expect_gt(mean(held), 0.91)
    expect_equal(unlist(rank_correlation(1:10, (1:10)^3)[-1], use.names = FALSE), rep(1, 3))
    expect_identical(rank_correlation(1:2, 1:2)$correlation, NA_real_)
    expect_identical(rank_correlation(1:9, rep(1, 9))$correlation, NA_real_)
})

test_that("maps are compared by bases and by the means of genes", {
    one <- scored(a = smooth_scores(200, 1), b = smooth_scores(100, 2))
    two <- scored(a = smooth_scores(200, 3), b = smooth_scores(100, 4))
    genes <- features_on(rep(c("b", "a"), each = 8), rep(seq(1, 85, 12), 2), rep(seq(10, 94, 12), 2))
    found <- score_agreement(one, list(two = two, same = one), genes)
    expect_identical(found$comparison, rep(c("two", "same"), each = 2))
    expect_equal(found$correlation[1], cor(c(base_scores(one, 1), base_scores(one, 2)), c(base_scores(two, 1), base_scores(two, 2)), method = "spearman"))
    means <- function(map) mapply(function(contig, from, to) mean(base_scores(map, contig)[from:to]), as.character(GenomeInfoDb::seqnames(genes)),
                                  BiocGenerics::start(genes), BiocGenerics::end(genes))
    expect_equal(found$correlation[2], cor(means(one), means(two), method = "spearman"))
    expect_equal(found$correlation[3:4], c(1, 1))
    expect_error(score_agreement(one, list(other = scored(c = 1:5))), "of the contigs", class = "nucleograd_error_contigs")
    expect_error(score_agreement(one, two), "named list", class = "nucleograd_error_argument")
})

test_that("the windows examined are the strongest that are apart, and answers are the model's own", {
    overlapping <- attribution(linear, genome, nodes = 1, step = 5)
    examined <- examined_windows(overlapping, 4)
    expect_false(is.unsorted(rev(examined$windows$output)))
    expect_identical(GenomicRanges::countOverlaps(examined$windows), rep(1L, 4))
    expect_equal(examined$windows$output[1], max(overlapping@windows$output))
    expect_equal(vapply(as.list(examined$sequences), answer_of, 0), examined$windows$output, tolerance = 1e-6)
    arguments <- same_arguments(overlapping, NULL)
    expect_equal(explained_values(linear, examined$sequences, arguments, 1), examined$windows$output, tolerance = 1e-6)
    alone <- maps_of(linear, examined$sequences, arguments, 1)
    expect_equal(alone[[2]], rowSums((one_hot(examined$sequences[[2]]) - 0.25) * weights), tolerance = 1e-6)
    expect_length(examined_windows(overlapping, 1e4)$windows, length(examined_windows(overlapping, 5e3)$windows))
})

test_that("deletion replaces the best pieces first, and areas are those of trapezoids", {
    examined <- examined_windows(linear_map, 3)
    arguments <- same_arguments(linear_map, NULL)
    curves <- deletion_curves(linear, examined, arguments, pieces = 8, shuffles = 2, seed = 9, threads = 1, tick = function() NULL)
    own <- as.character(examined$sequences[[2]])
    copies <- as.character(shuffle_sequences(examined$sequences[2], replicates = 2, seed = 9 + 2))
    piece <- rep(1:8, each = 3)
    for (order in 1:2) {
        ranked <- order(tapply(examined$scores[[2]], piece, sum) * c(-1, 1)[order])
        expected <- vapply(deletion_shares, function(share) mean(vapply(copies, function(copy) {
            gone <- piece %in% ranked[seq_len(round(8 * share))]
            answer_of(paste(ifelse(gone, strsplit(copy, "")[[1]], strsplit(own, "")[[1]]), collapse = ""))
        }, 0)), 0)
        expect_equal(curves[2, , order], expected, tolerance = 1e-6)
    }
    expect_equal(curves[, 1, ], matrix(examined$windows$output, 3, 3, dimnames = list(NULL, deletion_orders)), tolerance = 1e-6)
    expect_equal(area_under(c(1, 0.5, 0)), 0.5)
    expect_equal(area_under(c(1, 0, 0)), 0.25)
    rows <- curve_rows(curves)
    means <- colMeans(curves)
    by_hand <- (means[, 1] - means[21, 1]) / (means[1, 1] - means[21, 1])
    expect_equal(rows$value[1], sum((by_hand[-1] + by_hand[-21]) / 2) * 0.05)
    table <- curve_table(curves)
    expect_equal(area_under(table$value[table$curve == "insertion" & table$order == "by score"]), rows$value[3])
    expect_equal(table$value[table$curve == "insertion" & table$share %in% 0:1], c(0, 1, 0, 1))
    expect_identical(curve_rows(-curves)$value, rep(NA_real_, 4))                       # shuffled windows say more
    expect_false(anyNA(curve_rows(curves[1, , , drop = FALSE])$value))                   # of one window, without an interval
    expect_true(all(is.na(curve_rows(curves[1, , , drop = FALSE])$lower)))
})

test_that("what mutations take is compared with the scores of the bases that they take", {
    examined <- examined_windows(linear_map, 4)
    arguments <- same_arguments(linear_map, NULL)
    table <- mutation_table(linear, examined, arguments, share = 0.1, copies = 30, seed = 5, threads = 1, tick = function() NULL)
    mutated <- mutated_copies(examined$sequences[[3]], 0.1, 30, 5, 2, 3)
    expect_true(all(lengths(mutated$at) == 2))
    same <- strsplit(as.character(examined$sequences[[3]]), "")[[1]]
    for (copy in 1:30) expect_setequal(which(strsplit(as.character(mutated$sequences[[copy]]), "")[[1]] != same), mutated$at[[copy]])
    own <- table[table$window == 3, ]
    expect_equal(own$lost, vapply(as.list(mutated$sequences), function(copy) answer_of(examined$sequences[[3]]) - answer_of(copy), 0), tolerance = 1e-5)
    expect_equal(own$predicted, vapply(mutated$at, function(at) sum(examined$scores[[3]][at]), 0))
    rows <- mutation_rows(table)
    beta <- sum(table$lost * table$predicted) / sum(table$predicted^2)
    expect_equal(rows$value[1], sum((table$lost - beta * table$predicted)^2) / sum(table$lost^2))
    expect_equal(mutation_rows(data.frame(window = rep(1:2, each = 5), lost = 2 * (1:10), predicted = 1:10))$value, c(0, 1))
    expect_equal(sensitivities(linear, examined, arguments, 0.1, 5, 1, 1, function() NULL), numeric(4))     # a linear map does not move
})

test_that("a map without random layers is the map, and randomisation is that of randomise_model()", {
    model <- example_model()
    scores <- attribution(model, Biostrings::subseq(example_genome(), 853001, 855000), nodes = 3)
    found <- trust(scores, model, alternatives = list(), windows = 2, shuffles = 1, copies = 5, draws = 1, seed = 11)
    expect_identical(found@cascade$signed[1], 1)
    expect_identical(found@cascade$down_to, c("none", rev(weighted_layers(model))))
    examined <- examined_windows(scores, 2)
    place <- function(map) unlist(lapply(as.list(examined$sequences), function(sequence)
        base_scores(attribution(map, Biostrings::DNAStringSet(list(a = sequence)), nodes = 3))))
    expect_equal(found@cascade$signed[3], cor(place(model), place(randomise_model(model, 2, seed = 11)), method = "spearman"), tolerance = 1e-6)
    expect_equal(row_of(found, "completeness gap", "all windows")$value, relative_gap(scores@windows))
    logit <- explained_values(model, examined$sequences, same_arguments(scores, NULL), 1)
    expect_equal(logit, examined$windows$output, tolerance = 1e-6)
})

test_that("other maps are made as they say, of the same windows", {
    several <- trust(linear_map, linear, models = list(again = linear, shifted = randomise_model(linear, seed = 2)), alternatives =
        list(gradient = list(method = "gradient"), zero = list(baseline = "zero"), reverse = list(strand = "reverse")), windows = 3, shuffles = 1,
        copies = 5, draws = 1, seed = 1)
    map <- function(...) suppressWarnings(attribution(linear, genome, nodes = 1, ...))
    expected <- score_agreement(linear_map, list(gradient = map(method = "gradient"), zero = map(baseline = "zero"), reverse = map(strand = "reverse"),
                                                 again = linear_map, shifted = attribution(randomise_model(linear, seed = 2), genome, nodes = 1)))
    expect_equal(row_of(several, "rank correlation")$value, expected$correlation)
    expect_equal(row_of(several, "rank correlation", "again")$value, 1)
    expect_identical(names(usual_alternatives(linear_map@settings)), c("composition baseline", "dinucleotide baselines", "gradient x input", "other strand"))
    drawn <- attribution(linear, genome, baseline = "dinucleotide", replicates = 2, seed = 3)
    expect_identical(same_arguments(drawn, NULL)[c("replicates", "seed")], list(replicates = 2, seed = 3))
    given <- attribution(linear, genome, baseline = c(0.3, 0.2, 0.2, 0.3), nodes = 1)
    expect_error(small(given), "baseline of their own", class = "nucleograd_error_argument")
    expect_s4_class(small(given, baseline = c(0.3, 0.2, 0.2, 0.3)), "Trust")
})

test_that("the same seed gives the same numbers, on any number of threads; it prints and can be drawn", {
    one <- small(threads = 1)
    expect_identical(small(threads = 2)@measures, one@measures)
    expect_identical(summary(one), one@measures)
    expect_output(print(one), "deletion area")
    expect_true(all(c("measure", "comparison", "level", "value", "lower", "upper") %in% names(as.data.frame(one))))
    expect_lt(row_of(one, "deletion area", "by score")$value, row_of(one, "deletion area", "random order")$value)
    expect_gt(row_of(one, "insertion area", "by score")$value, row_of(one, "insertion area", "random order")$value)
    expect_equal(row_of(one, "max sensitivity")$value, 0)
    expect_error(small(model = 1), "must be a", class = "nucleograd_error_argument")
    expect_error(trust(linear_map, linear, alternatives = list(nodes = 5)), "named list of lists", class = "nucleograd_error_argument")
    expect_error(trust(linear_map, linear, alternatives = list(a = list(wrong = 5))), "arguments of", class = "nucleograd_error_argument")
    expect_error(trust(linear_map, linear, models = list(linear)), "named list of", class = "nucleograd_error_argument")
    skip_if_not_installed("ggplot2")
    skip_if_not_installed("patchwork")
    expect_s3_class(plot(one), "patchwork")
    expect_silent(patchwork::patchworkGrob(plot(one)))
    gradient <- small(attribution(linear, genome, method = "gradient"))
    expect_silent(patchwork::patchworkGrob(plot(gradient)))
    expect_length(row_of(gradient, "completeness gap")$value, 0)
})

test_that("a baseline that is answered more loudly than the sequences is a warning", {
    windows <- function(output, baseline_output) {
        ranges <- GenomicRanges::GRanges("contig_1", IRanges::IRanges(seq_along(output), width = 1))
        S4Vectors::mcols(ranges) <- S4Vectors::DataFrame(output, baseline_output)
        ranges
    }
    expect_warning(warn_louder_baseline(windows(c(1, 2, 3), c(4, 2, 0))), "2 of 3 windows", class = "nucleograd_warning_baseline")
    expect_no_warning(warn_louder_baseline(windows(c(1, 2, 3, 4), c(4, 5, 0, 0))))
    expect_no_warning(warn_louder_baseline(windows(1:2, c(NA_real_, NA))))
})
