# The running sum by a walk down the features, one by one; there are no ties in smooth scores.
naive_set_score <- function(mean, members, weight) {
    order <- order(mean, decreasing = TRUE)
    member <- order %in% members
    max(0, cumsum(ifelse(member, abs(mean[order])^weight / sum(abs(mean[members])^weight), -1 / sum(!member))))
}
twelve <- features_on("a", seq(1, 331, 30), seq(1, 331, 30) + c(9, 24, 14), gene = c(letters[1:11], "a_2"), locus_tag = sprintf("T_%02d", 1:12),
                      GO = c("GO:1;GO:2", "GO:2", NA, "GO:1", "GO:2", NA, NA, "GO:2", "GO:1", "GO:1", NA, NA), seqlengths = c(a = 360))
sets <- list(first = c("a", "b", "E"), second = c("T_04", "j", "not there", "i", "c"))

test_that("scores and p-values are those of a loop over moved annotations", {
    score <- smooth_scores(360, 4)
    moves <- .Call(C_random, 7, 0, 60, 360)
    members <- list(c(1, 2, 5, 12), c(3, 4, 9, 10))
    for (weight in c(0, 1)) {
        test <- gene_set_test(scored(a = score, circular = TRUE), sets, twelve, weight = weight, shifts = 60, seed = 7)
        means <- sapply(c(0, moves), function(move) mapply(function(start, end) mean(score[(start:end - 1 + move) %% 360 + 1]),
                                                           BiocGenerics::start(twelve), BiocGenerics::end(twelve)))
        for (k in 1:2) {
            scores <- apply(means, 2, naive_set_score, members[[k]], weight)
            row <- as.data.frame(test)[as.data.frame(test)$set == names(sets)[k], ]
            expect_equal(row$score, scores[1])
            expect_equal(row$expected, mean(scores[-1]))
            expect_equal(row$p_value, (1 + sum(scores[-1] >= scores[1] - 1e-9)) / 61)
            quantiles <- apply(means, 2, function(mean) (rank(mean)[members[[k]]] - 1) / 11)
            expect_equal(row$median_quantile, stats::median(quantiles[, 1]))
            counts <- apply(quantiles, 2, function(q) tabulate(pmin(floor(q * 20) + 1, 20), 20))
            expect_equal(test$histogram$count[, k], counts[, 1], ignore_attr = TRUE)
            expect_equal(test$histogram$expected[, k], rowMeans(counts[, -1]), ignore_attr = TRUE)
        }
    }
})

test_that("the other directions mirror the scores, and two-sided is twice the smaller p-value", {
    score <- smooth_scores(360, 5)
    p_of <- function(sign, alternative) {
        table <- as.data.frame(gene_set_test(scored(a = sign * score, circular = TRUE), sets, twelve, alternative = alternative, shifts = 99, seed = 3))
        table[match(names(sets), table$set), c("score", "p_value")]
    }
    expect_equal(p_of(-1, "less")$p_value, p_of(1, "greater")$p_value)
    expect_equal(p_of(-1, "less")$score, -p_of(1, "greater")$score)
    expect_equal(p_of(1, "two.sided")$p_value, pmin(1, 2 * pmin(p_of(1, "greater")$p_value, p_of(1, "less")$p_value)))
})

test_that("a ranking by genes moves from gene to gene", {
    quantiles <- gene_quantiles(scored(a = smooth_scores(360, 6), circular = TRUE), twelve, shifts = 9, seed = 1)
    test <- gene_set_test(quantiles[sample(12), ], sets, shifts = 200, seed = 9)
    mean <- SummarizedExperiment::assay(quantiles, "mean")[, 1]
    moves <- .Call(C_random, 9, 0, 200, 12)
    scores <- vapply(c(0, moves), function(move) naive_set_score(mean[(0:11 + move) %% 12 + 1], c(1, 2, 5, 12), 1), 0)
    row <- as.data.frame(test)[as.data.frame(test)$set == "first", ]
    expect_equal(c(row$score, row$p_value), c(scores[1], (1 + sum(scores[-1] >= scores[1] - 1e-9)) / 201))
    expect_error(gene_set_test(quantiles, sets, twelve), "own features", class = "nucleograd_error_argument")
})

test_that("equal means count at once, whatever their order, and sets without weight step equally", {
    ties <- features_on("a", seq(1, 71, 10), seq(10, 80, 10), gene = letters[1:8])
    score <- scored(a = rep(c(1, 0, 1, 0, 0, 0, 2, 0), each = 10))
    table <- as.data.frame(gene_set_test(score, list(x = c("b", "d", "g"), zeros = c("b", "d", "e")), ties, weight = 0, shifts = 9, seed = 1))
    expect_equal(table$score[table$set == "x"], 1 / 3)                            # behind g; then two others, then all
    expect_equal(table$leading[table$set == "x"], "g")
    expect_equal(table$score[table$set == "zeros"], 0)
})

test_that("sets come as lists, GMT files and terms of the annotation, and odd ones are refused in words", {
    score <- scored(a = smooth_scores(360, 4))
    table_of <- function(...) as.data.frame(gene_set_test(score, ..., shifts = 19, seed = 2))
    gmt <- text_file(c("first\tfrom a book\ta\tb\tE", "second\t\tT_04\tj\tnot there\ti\tc"), ".gmt")
    expect_identical(table_of(gmt, twelve), table_of(sets, twelve))
    terms <- table_of("GO", twelve)
    expect_identical(terms$genes[match(c("GO:1", "GO:2"), terms$set)], c(4L, 4L))
    expect_identical(table_of(c("a", "b", "c"), twelve)$set, "genes")
    expect_message(table_of(c(sets, list(small = "a")), twelve, min_genes = 3), "Leaving out 1 of 3 sets")
    expect_snapshot(error = TRUE, {
        gene_set_test(score, list(swapped = c("BSU_00010", "BSU_00020")), twelve)
        gene_set_test(score, "EC", twelve)
        gene_set_test(score, list(c("a", "b")), twelve)
        gene_set_test(score, sets, twelve, weight = -1)
    })
    expect_error(gene_set_test(score, text_file("name\tonly", ".gmt"), twelve), "fewer than three", class = "nucleograd_error_file")
    expect_error(gene_set_test(1:3, sets, twelve), class = "nucleograd_error_argument")
})

test_that("threads change no bit, a seed decides, R's generator is left alone, and the print says what was done", {
    contigs <- scored(a = smooth_scores(360, 8), b = smooth_scores(90, 9))
    test_of <- function(...) gene_set_test(contigs, sets, twelve, shifts = 101, ...)
    expect_identical(test_of(seed = 4, threads = 2), test_of(seed = 4, threads = 1))
    set.seed(1)
    state <- .Random.seed
    test <- test_of(seed = 4)
    expect_identical(.Random.seed, state)
    expect_match(test$settings$null, "block bootstrap, blocks of 25 bp of bases")
    expect_snapshot(test)
})

test_that("without signal few p-values fall below 0.05; with genes drawn at random many do (longtests/gene-sets.R has more runs)", {
    genes <- features_on("a", seq(11, 5961, 50), seq(50, 6000, 50), gene = paste0("g", 1:120))
    operons <- list(x = paste0("g", 5:14))
    found <- vapply(1:80, function(seed) {
        score <- smooth_scores(6000, seed)
        test <- gene_set_test(scored(a = as.numeric(stats::filter(score, rep(1, 400), circular = TRUE)), circular = TRUE), operons, genes,
                              shifts = 99, seed = seed)
        mean <- test$features$mean
        drawn <- replicate(99, naive_set_score(mean, sample(120, 10), 1))
        c(moved = test$table$p_value, drawn = (1 + sum(drawn >= test$table$score)) / 100)
    }, c(moved = 0, drawn = 0))
    calls <- rowSums(found <= 0.05)
    expect_lte(calls[["moved"]], stats::qbinom(0.999, 80, 0.05))
    expect_gt(calls[["drawn"]], stats::qbinom(1 - 1e-6, 80, 0.05))
})

test_that("every picture of a test can be drawn", {
    skip_if_not_installed("ggplot2")
    test <- gene_set_test(scored(a = smooth_scores(360, 4)), sets, twelve, shifts = 19, seed = 2)
    for (type in c("sets", "histogram", "running")) expect_silent(ggplot2::ggplotGrob(plot(test, type = type)))
    expect_equal(sum(ggplot2::layer_data(plot(test, type = "histogram", set = "first"), 1)$y), 4)
    expect_error(plot(test, type = "running", set = "third"), class = "nucleograd_error_sets")
})
