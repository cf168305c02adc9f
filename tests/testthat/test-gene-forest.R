# Thirty genomes, two of three classes, and genes of every degree of association.
forest_data <- function(genes = 8, genomes = 30) {
    class <- factor(rep(c("bacillus", "other"), c(10, genomes - 10)), c("other", "bacillus"))
    noise <- matrix((sin(seq_len(genomes * genes) * 12.9898) * 43758.5453) %% 1 < 0.5, genomes)
    noise[, 1] <- class == "bacillus" & seq_len(genomes) > 1
    noise[, 2] <- noise[, 2] & class == "other"
    colnames(noise) <- paste0("gene_", seq_len(genes))
    list(class = class, genes = noise * 1)
}

test_that("shares, odds ratios and p-values are those of tables and fisher.test()", {
    data <- forest_data()
    genes <- cbind(data$genes, none = 0, all = 7)
    found <- gene_prevalence(genes, data$class)
    for (k in seq_len(ncol(genes))) {
        has <- factor(genes[, k] > 0, c(TRUE, FALSE))
        counts <- table(has, data$class == "bacillus")[, c("TRUE", "FALSE")]
        expect_equal(found$share_bacillus[k], mean(genes[data$class == "bacillus", k] > 0))
        expect_equal(found$share_other[k], mean(genes[data$class == "other", k] > 0))
        expect_equal(found$p_value[k], stats::fisher.test(counts)$p.value)
        expect_equal(found$odds_ratio[k], counts[1, 1] * counts[2, 2] / (counts[1, 2] * counts[2, 1]))
    }
    expect_identical(found$fdr, stats::p.adjust(found$p_value, "BH"))
    expect_identical(as.data.frame(gene_prevalence(Matrix::Matrix(genes > 0, sparse = TRUE), data$class)), as.data.frame(found))
})

test_that("Fisher's p-values are those of fisher.test() for every table of small margins", {
    for (n in 1:6) for (m in 1:7) for (k in 0:(n + m)) for (a in max(0, k - m):min(k, n))
        expect_equal(fisher_p_values(a, k, n, m), stats::fisher.test(matrix(c(a, n - a, k - a, m - k + a), 2))$p.value)
})

test_that("labels say what the thresholds say", {
    class <- rep(c("other", "focus"), each = 50)
    share <- function(other, focus) as.numeric(rep(c(1, 0, 1, 0), c(other, 50 - other, focus, 50 - focus)))
    genes <- cbind(none = share(0, 0), only = share(0, 40), almost = share(1, 30), more = share(15, 40), equal = share(20, 22),
                   less = share(30, 5), two = share(0, 2), one = share(0, 1))
    label <- function(...) gene_prevalence(genes, class, focus = "focus", ...)$label
    expect_identical(label(), c("Absent elsewhere", "Almost all in focus", "Almost all in focus", "More in focus", "Equal", "Less in focus", "Equal", "Equal"))
    species <- c(paste("other", 1:50), rep(c("B. subtilis", "B. cereus"), c(2, 48)))
    expect_identical(label(species = species)[7:8], c("Unique to B. subtilis", "Equal"))
    expect_identical(label(almost_all = 1)[3], "More in focus")
    expect_identical(label(more = 0.8)[4], "Equal")
    expect_identical(unique(label(fdr = 0)), c("Absent elsewhere", "Equal"))
    three <- gene_prevalence(genes, replace(class, 1:25, "third"), focus = "focus")
    expect_identical(three$label, label())
    expect_equal(three$share_third, unname(colMeans(genes[1:25, ])))
})

test_that("decreases of accuracy are those of every tree asked again with the gene set and unset", {
    skip_if_not_installed("ranger")
    data <- forest_data()
    found <- gene_forest(data$genes, data$class, trees = 40, seed = 5)
    forest <- ranger::ranger(x = presence_matrix(data$genes), y = data$class, num.trees = 40, importance = "impurity", keep.inbag = TRUE, seed = 5)
    expect_identical(found$oob_error, forest$prediction.error)
    right <- function(genes) predict(forest, presence_or_zero(genes), predict.all = TRUE)$predictions == as.integer(data$class)
    presence_or_zero <- function(genes) methods::as(Matrix::Matrix(genes, sparse = TRUE), "dgCMatrix")
    out <- sapply(forest$inbag.counts, `==`, 0)
    before <- right(data$genes)
    for (gene in colnames(data$genes)) {
        set <- function(value) right(replace(data$genes, cbind(seq_len(30), match(gene, colnames(data$genes))), value))
        with_gene <- set(1)
        without <- set(0)
        decrease <- function(members) mean(vapply(which(colSums(out[members, ]) > 0), function(tree) {
            asked <- members[out[members, tree]]
            share <- mean(data$genes[out[, tree], gene])
            mean(before[asked, tree] - share * with_gene[asked, tree] - (1 - share) * without[asked, tree])
        }, 0))
        row <- found$table[found$table$gene == gene, ]
        expect_equal(row$mean_decrease_accuracy, decrease(1:30))
        expect_equal(row$mean_decrease_accuracy_bacillus, decrease(which(data$class == "bacillus")))
        expect_equal(row$mean_decrease_accuracy_other, decrease(which(data$class == "other")))
        expect_equal(row$mean_decrease_gini, forest$variable.importance[[gene]])
    }
})

test_that("decreases of accuracy agree with ranger's shuffles", {
    skip_if_not_installed("ranger")
    data <- forest_data(genes = 20, genomes = 60)
    found <- gene_forest(data$genes, data$class, trees = 400, seed = 5)$table
    shuffled <- ranger::ranger(x = presence_matrix(data$genes), y = data$class, num.trees = 400, importance = "permutation", seed = 5)
    # one shuffle a tree instead of all of them: 22 genomes out of the bag of each of 400 trees leave a standard error below 0.003
    expect_lt(max(abs(found$mean_decrease_accuracy - shuffled$variable.importance[found$gene])), 0.01)
})

test_that("a seed decides the forest, threads and R's generator do not", {
    skip_if_not_installed("ranger")
    data <- forest_data()
    set.seed(1)
    state <- .Random.seed
    first <- gene_forest(data$genes, data$class, trees = 20, seed = 5, threads = 2)
    expect_identical(.Random.seed, state)
    expect_equal(gene_forest(data$genes, data$class, trees = 20, seed = 5, threads = 1), first, tolerance = 1e-12)   # ranger sums by thread
    expect_identical(first$table$gene[1], "gene_1")
    expect_identical(as.data.frame(first), first$table)
})

test_that("p-values are small for the gene that decides, and below 0.05 as often as they should be for others", {
    skip_if_not_installed("ranger")
    data <- forest_data(genes = 400)
    found <- gene_forest(data$genes, data$class, trees = 200, p_values = TRUE, seed = 5)$table
    expect_lt(found$p_value[found$gene == "gene_1"], 0.01)
    others <- found$p_value[!found$gene %in% c("gene_1", "gene_2")]
    # 398 genes without influence: 0.05 and three standard errors
    expect_lt(mean(others <= 0.05), 0.05 + 3 * sqrt(0.05 * 0.95 / 398))
    importance <- c(0, 3, -2, -1, 1.5)
    expect_equal(janitza_p_values(importance), c(0.6, 0, 1, 0.8, 0.2))
    expect_error(janitza_p_values(c(0, 1)), "below zero", class = "nucleograd_error_argument")
})

test_that("what does not fit is refused, in words, and results print", {
    data <- forest_data()
    expect_error(gene_prevalence(data$genes, data$class[-1]), "30 genomes", class = "nucleograd_error_argument")
    expect_error(gene_prevalence(data$genes, rep("a", 30)), "two levels", class = "nucleograd_error_argument")
    expect_error(gene_prevalence(data$genes, data$class, focus = "x"), class = "nucleograd_error_argument")
    expect_error(gene_prevalence(data$genes, data$class, more = 0.2), "0.5 to 1", class = "nucleograd_error_argument")
    expect_error(gene_prevalence(unname(data$genes), data$class), "names of genes", class = "nucleograd_error_argument")
    expect_error(gene_prevalence(replace(data$genes, 1, NA), data$class), "NA", class = "nucleograd_error_argument")
    expect_error(gene_prevalence("x", data$class), class = "nucleograd_error_argument")
    prevalence <- gene_prevalence(data$genes, data$class)
    expect_snapshot(prevalence)
    expect_s3_class(prevalence[1:2, ], "gene_prevalence")
    expect_output(print(prevalence[1:2, ]), "Prevalence of 2 genes")
    skip_if_not_installed("ranger")
    expect_error(gene_forest(data$genes, data$class, trees = 1), class = "nucleograd_error_argument")
    expect_output(print(gene_forest(data$genes, data$class, trees = 20, seed = 1)), "Random forest of 20 trees on 8 genes, 20 other, 10 bacillus")
    skip_if_not_installed("ggplot2")
    expect_s3_class(plot(prevalence), "ggplot")
    expect_s3_class(plot(gene_forest(data$genes, data$class, trees = 20, seed = 1)), "ggplot")
})
