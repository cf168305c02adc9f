# A forest and a prevalence with numbers of one's own, on genes of which some are in one only.
ranking_case <- function() {
    importance <- c(g1 = 9, g2 = 7, g3 = 7, g4 = 1, g5 = 0, g6 = 4, only = 3)
    share <- c(g1 = 0.9, g2 = 0.1, g3 = 0.8, g4 = 0.3, g5 = 0.2, g6 = 0.5, other = 1)
    list(forest = structure(list(table = data.frame(gene = names(importance), mean_decrease_gini = importance)), class = "gene_forest"),
         prevalence = structure(data.frame(gene = names(share), share_a = share), class = c("gene_prevalence", "data.frame")),
         importance = importance[1:6], share = share[1:6])
}

test_that("correlations and their intervals are those of the formula, on the genes that both have", {
    case <- ranking_case()
    found <- compare_rankings(forest = case$forest, prevalence = case$prevalence, k = c(1, 2, 3, 99), level = 0.9)
    rho <- stats::cor(rank(case$importance), rank(case$share))
    half <- stats::qnorm(0.95) * sqrt((1 + rho^2 / 2) / 3)
    expect_equal(found$correlations, data.frame(x = "forest_importance", y = "share_a", genes = 6L, correlation = rho,
                                                low = tanh(atanh(rho) - half), high = tanh(atanh(rho) + half)))
    expect_identical(found$table$gene, c(paste0("g", 1:6), "only", "other"))
    expect_identical(found$table$share_a[7], NA_real_)
    expect_identical(as.data.frame(found), found$table)
})

test_that("the overlap of the first k is counted, and its p-value is that of all ways to draw k of n", {
    case <- ranking_case()
    found <- compare_rankings(forest = case$forest, prevalence = case$prevalence, k = c(1, 2, 3, 99))$overlap
    expect_identical(found$k, c(1, 2, 3, 6))
    expect_identical(found$shared, c(1L, 1L, 2L, 6L))                       # g1; g1 g2, g1 g3; g1 g2 g3, g1 g3 g6; all
    expect_equal(found$expected, c(1, 4, 9, 36) / 6)
    draws <- utils::combn(6, 3)
    expect_equal(found$p_value[3], mean(colSums(draws <= 3) >= 2))
    expect_equal(found$p_value[4], 1)
})

test_that("features of a genome are joined by gene or product, the highest of several copies", {
    genome <- Biostrings::DNAStringSet(c(a = paste(rep_len(c("A", "C", "G", "T", "T"), 3500), collapse = "")))
    genes <- GenomicRanges::GRanges("a", IRanges::IRanges(seq(1, 3001, 500), width = 300), gene = c("g1_1", "g1_2", "g2", "g3", "g4", "g5", NA),
                                    product = c("p1", "p1", "p2", "p3", "p4", "p5", "p6"))
    scores <- suppressWarnings(attribution(example_model(), genome, nodes = 2))
    quantiles <- gene_quantiles(scores, genes, shifts = 9, seed = 1)
    effects <- knockout(example_model(), genome, genes)
    by_gene <- compare_rankings(quantiles, knockout = effects)
    position <- SummarizedExperiment::assay(quantiles, "quantile_genes")[, 1]
    at <- function(gene, column) by_gene$table[by_gene$table$gene == gene, column]
    expect_equal(at("g1", "ig_quantile"), max(position[1:2]))
    expect_equal(at("g4", "ig_quantile"), position[[5]])
    expect_equal(at("g1", "knockout_effect"), max(effects$effect[1:2]))
    expect_setequal(by_gene$table$gene, paste0("g", 1:5))
    expect_setequal(compare_rankings(quantiles, knockout = effects, by = "product")$table$gene, paste0("p", 1:6))
    expect_output(print(by_gene), "joined by gene")
    skip_if_not_installed("ggplot2")
    expect_s3_class(plot(by_gene), "ggplot")
})

test_that("what cannot be compared is refused, in words", {
    case <- ranking_case()
    expect_error(compare_rankings(forest = case$forest), "two rankings", class = "nucleograd_error_argument")
    expect_error(compare_rankings(forest = 1), class = "nucleograd_error_argument")
    expect_error(compare_rankings(forest = case$forest, prevalence = case$prevalence, k = 0), class = "nucleograd_error_argument")
    expect_error(compare_rankings(forest = case$forest, prevalence = case$prevalence, level = 1), class = "nucleograd_error_argument")
    case$prevalence$gene <- paste0("x", case$prevalence$gene)
    expect_error(compare_rankings(forest = case$forest, prevalence = case$prevalence), "have 0", class = "nucleograd_error_argument")
})
