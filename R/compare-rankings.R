#' Do network, forest and prevalence agree on the genes?
#'
#' Joins rankings of genes by their names and says how far they agree: what a network reads in one genome, what a forest makes of the
#' genes of thousands, how common the genes are in each class, and what goes with a gene that is blacked out.
#' @param quantiles A `GeneQuantiles` of one result, from [gene_quantiles()]: its `quantile_genes`.
#' @param forest A `gene_forest`, from [gene_forest()]: its `mean_decrease_gini`.
#' @param prevalence A `gene_prevalence`, from [gene_prevalence()]: its share in each class.
#' @param knockout An `Effects`, from [knockout()] on genes: its `effect`.
#' @param by What joins them: `"gene"` (a copy's `_` and number are left out) or `"product"`, as the matrix of forest and
#'   prevalence was made. A gene that a genome has more than once counts with the highest of its values.
#' @param k How many of the first genes of two rankings are compared: whole numbers.
#' @param level Of the intervals, above 0 and below 1.
#' @return A `gene_rankings`, a list: `table`, one row a gene: `gene`, and a column a ranking, `NA` where it does not have the gene;
#'   `correlations`, one row a pair of rankings: `x`, `y`, `genes` (in both), `correlation` (Spearman's), `low` and `high` (its interval);
#'   `overlap`, one row a pair and `k`: `shared` genes among the first `k` of both, how many chance would share (`expected`), and
#'   `p_value`, the probability of as many or more by chance. Genes that hang together make intervals and p-values too narrow.
#'   `as.data.frame()` gives the table, `plot()` the first ranking against each other one.
#' @section Errors: `nucleograd_error_argument`: fewer than two rankings, or two with fewer than four genes in common.
#' @source Bonett and Wright (2000), \doi{10.1007/BF02294183}, for the intervals.
#' @examples
#' class <- rep(c("other", "sporulating"), each = 20)
#' genes <- sapply(1:30, function(k) rep(c(1, 0, 1, 0),
#'                                       c(k %/% 2, 20 - k %/% 2, 20 - k %/% 3, k %/% 3)))
#' colnames(genes) <- paste0("gene_", letters[1:26][(1:30 - 1) %% 26 + 1], (1:30 - 1) %/% 26)
#' prevalence <- gene_prevalence(genes, class)
#' if (requireNamespace("ranger", quietly = TRUE))
#'     compare_rankings(forest = gene_forest(genes, class, trees = 50, seed = 1),
#'                      prevalence = prevalence, k = 5)
#' @export
compare_rankings <- function(quantiles = NULL, forest = NULL, prevalence = NULL, knockout = NULL, by = c("gene", "product"), k = c(10, 50, 100),
                             level = 0.95) {
    by <- check_choice(by, c("gene", "product"))
    if (!is.null(quantiles)) check_is(quantiles, "GeneQuantiles", "gene_quantiles")
    if (!is.null(forest)) check_is(forest, "gene_forest", "gene_forest")
    if (!is.null(prevalence)) check_is(prevalence, "gene_prevalence", "gene_prevalence")
    if (!is.null(knockout)) check_is(knockout, "Effects", "knockout")
    if (!is.numeric(k) || !length(k) || anyNA(k) || any(k < 1 | k != round(k)))
        stop_input("{.arg k} must be whole numbers of at least 1, not {friendly(k)}.")
    if (!is.numeric(level) || length(level) != 1 || is.na(level) || level <= 0 || level >= 1)
        stop_input("{.arg level} must be one number between 0 and 1, not {friendly(level)}.")
    shares <- grep("^share_", names(prevalence), value = TRUE)
    rankings <- c(
        if (!is.null(quantiles)) list(ig_quantile = best_by_name(one_result(quantiles), SummarizedExperiment::rowRanges(quantiles), by)),
        if (!is.null(forest)) list(forest_importance = stats::setNames(forest$table$mean_decrease_gini, forest$table$gene)),
        lapply(stats::setNames(nm = shares), function(share) stats::setNames(prevalence[[share]], prevalence$gene)),
        if (!is.null(knockout)) list(knockout_effect = best_by_name(knockout$effect, knockout, by)))
    if (length(rankings) < 2) stop_input("{.fun compare_rankings} must have two rankings or more, such as {.arg quantiles} and {.arg forest}.")
    genes <- unique(unlist(lapply(rankings, names)))
    table <- data.frame(gene = genes, lapply(rankings, function(ranking) unname(ranking[genes])), check.names = FALSE)
    pairs <- utils::combn(names(rankings), 2)
    correlations <- do.call(rbind, apply(pairs, 2, correlation_of, table, level, simplify = FALSE))
    overlap <- do.call(rbind, apply(pairs, 2, overlap_of, table, k, simplify = FALSE))
    structure(list(table = table, correlations = correlations, overlap = overlap, settings = list(by = by, level = level)), class = "gene_rankings")
}

one_result <- function(quantiles, call = parent.frame()) {
    if (ncol(quantiles) != 1)
        stop_input(c("{.arg quantiles} must be of one result, not {ncol(quantiles)}.", i = "Choose one, as in {.code x[, 1]}."), call = call)
    SummarizedExperiment::assay(quantiles, "quantile_genes")[, 1]
}

# The highest value of the features of each name.
best_by_name <- function(value, features, by) {
    name <- gene_column(features, by)
    if (by == "gene") name <- sub("_[0-9]+$", "", name)
    known <- which(!is.na(name) & !is.na(value))
    known <- known[order(-value[known])]
    known <- known[!duplicated(name[known])]
    stats::setNames(value[known], name[known])
}

correlation_of <- function(pair, table, level, call = parent.frame(2)) {
    both <- stats::complete.cases(table[pair])
    n <- sum(both)
    if (n < 4)
        stop_input(c("Rankings must have four genes or more in common.", x = "{.val {pair[1]}} and {.val {pair[2]}} have {n}.",
                     i = "Are both by gene, or both by product? Compare {.arg by} with that of {.fun gene_matrix}."), call = call)
    rho <- suppressWarnings(stats::cor(table[both, pair[1]], table[both, pair[2]], method = "spearman"))    # NA: all equal
    half <- stats::qnorm((1 + level) / 2) * sqrt((1 + rho^2 / 2) / (n - 3))
    data.frame(x = pair[1], y = pair[2], genes = n, correlation = rho, low = tanh(atanh(rho) - half), high = tanh(atanh(rho) + half))
}

overlap_of <- function(pair, table, k) {
    both <- table[stats::complete.cases(table[pair]), pair]
    n <- nrow(both)
    k <- unique(pmin(k, n))
    ranks <- lapply(both, function(value) rank(-value, ties.method = "first"))
    shared <- vapply(k, function(k) sum(ranks[[1]] <= k & ranks[[2]] <= k), 0L)
    data.frame(x = pair[1], y = pair[2], k = k, shared = shared, expected = k^2 / n,
               p_value = stats::phyper(shared - 1, k, n - k, k, lower.tail = FALSE))
}

#' @method as.data.frame gene_rankings
#' @export
as.data.frame.gene_rankings <- function(x, ...) x$table

#' @export
print.gene_rankings <- function(x, ...) {
    cat("Rankings of ", format(nrow(x$table), big.mark = ","), " genes, joined by ", x$settings$by, "\n\nSpearman's correlation, ",
        100 * x$settings$level, " % interval\n", sep = "")
    print(x$correlations, digits = 3, row.names = FALSE)
    cat("\nGenes that the first k of two rankings share\n")
    print(x$overlap, digits = 3, row.names = FALSE)
    invisible(x)
}

#' @method plot gene_rankings
#' @export
plot.gene_rankings <- function(x, top = 5, ...) {
    need_package("ggplot2")
    top <- check_number(top, 0, 1000)
    first <- names(x$table)[2]
    others <- names(x$table)[-(1:2)]
    title <- function(name) gsub("_", " ", sub("^ig", "IG", sub("^share", "prevalence in", name)))
    strips <- vapply(others, function(name) {
        row <- x$correlations[x$correlations$x == first & x$correlations$y == name, ]
        paste0(title(name), "\nr = ", format(row$correlation, digits = 2), " (", format(row$low, digits = 2), " to ",
               format(row$high, digits = 2), ")")
    }, "")
    points <- do.call(rbind, lapply(others, function(name) {
        known <- x$table[stats::complete.cases(x$table[c(first, name)]), ]
        strongest <- order(-(rank(known[[first]]) + rank(known[[name]])))[seq_len(min(top, nrow(known)))]
        data.frame(x = known[[name]], y = known[[first]], ranking = factor(strips[[name]], strips),
                   name = replace(rep("", nrow(known)), strongest, short_text(known$gene[strongest], 24)))
    }))
    ggplot2::ggplot(points, ggplot2::aes(.data$x, .data$y)) +
        ggplot2::geom_point(size = 0.9, shape = 16, alpha = 0.5, colour = "#0072B2") +
        name_labels(points) +
        ggplot2::facet_wrap(~ranking, scales = "free_x") +
        ggplot2::scale_x_continuous(n.breaks = 4, expand = ggplot2::expansion(0.08)) +
        ggplot2::labs(x = NULL, y = title(first), title = "Rankings of genes, compared",
                      subtitle = paste0("r: Spearman's correlation, ", 100 * x$settings$level, " % interval; named: high in both")) +
        plain_theme() +
        ggplot2::theme(strip.background = ggplot2::element_blank(), strip.text = ggplot2::element_text(hjust = 0),
                       panel.spacing = ggplot2::unit(1, "lines"))
}
