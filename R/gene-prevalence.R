#' Genes that go with a class of genomes
#'
#' How common each gene is in each class of genomes, whether the class and the gene are associated, and a label in words.
#'
#' The labels read one number, the share of carriers: the gene's prevalence in `focus`, divided by the sum of its prevalence in
#' `focus` and in all other genomes. It is 0.5 where the gene is equally common, 1 where only genomes of `focus` carry it, and does
#' not depend on how many genomes each class has. The first of these that holds:
#'
#' | label | holds when |
#' | --- | --- |
#' | Absent elsewhere | no genome carries the gene |
#' | Unique to a species | two genomes or more carry it, all of one species (with `species`) |
#' | Almost all in `focus` | share of carriers at least `almost_all`, false discovery rate at most `fdr` |
#' | More in `focus` | share of carriers at least `more`, the same rate |
#' | Less in `focus` | share of carriers at most 1 - `more`, the same rate |
#' | Equal | none of these: no difference that is both shown and of this size |
#'
#' Fisher's test takes genomes as independent draws. Relatives are not: read its p-values as a filter, not as evidence.
#' @param matrix Genomes by genes, sparse or not, as [gene_matrix()] makes it: any number but 0 says that the genome has the gene.
#' @param class The class of each genome, in the order of the rows: a factor, or what `factor()` makes one of. Its levels name the
#'   columns and labels, so words read better than `TRUE`.
#' @param focus The class that the others are compared with; `NULL`: the last level (of logicals, `TRUE`).
#' @param species The species of each genome, for the label "Unique to"; `NULL`: this label is not given.
#' @param fdr,almost_all,more The thresholds of the labels: `fdr` from 0 to 1, the others from 0.5 to 1.
#' @return A data frame of class `gene_prevalence`, one row a gene, in the order of the columns: `gene`; `genomes`, how many carry
#'   it; `share_<class>`, the share of genomes of each class that do, 0 to 1; `odds_ratio` of `focus` against all others (`Inf`, `NaN` where a
#'   count is 0); `p_value` of Fisher's two-sided test; `fdr`, after Benjamini and Hochberg; `label`. `print()` shows thresholds, counts of
#'   labels and the strongest genes, `plot()` every gene by its prevalence inside and outside of `focus`.
#' @section Errors: `nucleograd_error_argument`: `class` does not fit the rows, has one level only, or `NA`.
#' @source Fisher (1922), \doi{10.2307/2340521}; Benjamini and Hochberg (1995), \doi{10.1111/j.2517-6161.1995.tb02031.x}.
#' @seealso [gene_forest()], [compare_rankings()]
#' @examples
#' genes <- matrix(c(1, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1), 6, dimnames = list(NULL, c("spo0A", "ftsZ")))
#' gene_prevalence(genes, rep(c("sporulating", "other"), each = 3), focus = "sporulating")
#' @export
gene_prevalence <- function(matrix, class, focus = NULL, species = NULL, fdr = 0.05, almost_all = 0.95, more = 0.6) {
    matrix <- presence_matrix(matrix)
    class <- genome_classes(class, matrix)
    focus <- check_choice(if (is.null(focus)) utils::tail(levels(class), 1) else focus, levels(class), "focus")
    fdr <- check_share(fdr)
    more <- check_share(more, 0.5)
    almost_all <- check_share(almost_all, 0.5)
    if (!is.null(species) && (length(species) != nrow(matrix) || anyNA(species)))
        stop_input("{.arg species} must be one name for each of the {nrow(matrix)} genomes, not {friendly(species)}.")
    settings <- list(focus = focus, genomes = table(class), fdr = fdr, almost_all = almost_all, more = more)
    table <- prevalence_table(matrix, class, focus)
    one_species <- if (is.null(species)) rep(NA_character_, nrow(table)) else only_species(matrix, as.character(species))
    inside <- table[[paste0("share_", focus)]]
    outside <- prevalence_outside(table, settings)
    carriers <- inside / (inside + outside)
    shown <- table$fdr <= fdr
    table$label <- "Equal"
    table$label[shown & carriers <= 1 - more] <- paste("Less in", focus)
    table$label[shown & carriers >= more] <- paste("More in", focus)
    table$label[shown & carriers >= almost_all] <- paste("Almost all in", focus)
    unique <- !is.na(one_species) & table$genomes >= 2
    table$label[unique] <- paste("Unique to", one_species[unique])
    table$label[table$genomes == 0] <- "Absent elsewhere"
    structure(table, settings = settings, class = c("gene_prevalence", "data.frame"))
}

# Any matrix of genomes and genes as a dgCMatrix of zeros and ones.
presence_matrix <- function(matrix, call = parent.frame()) {
    loadNamespace("Matrix")                                  # its classes, for is() and as()
    if (!is(matrix, "Matrix") && !(is.matrix(matrix) && (is.numeric(matrix) || is.logical(matrix))))
        stop_input(c("{.arg matrix} must be a matrix of genomes and genes, not {friendly(matrix)}.", i = "Make one with {.fun gene_matrix}."),
                   call = call)
    if (is.null(colnames(matrix)) || anyDuplicated(colnames(matrix)))
        stop_input("The columns of {.arg matrix} must have the names of genes, each its own.", call = call)
    if (!all(dim(matrix) > 0)) stop_input("{.arg matrix} must have rows and columns, not {dim(matrix)}.", call = call)
    matrix <- Reduce(methods::as, c("CsparseMatrix", "generalMatrix", "dMatrix"), matrix)
    if (anyNA(matrix@x)) stop_input("{.arg matrix} must not have {.val {NA}}.", call = call)
    matrix <- Matrix::drop0(matrix)
    matrix@x[] <- 1
    matrix
}

genome_classes <- function(class, matrix, call = parent.frame()) {
    if (!is.atomic(class) || length(class) != nrow(matrix) || anyNA(class))
        stop_input("{.arg class} must be the class of each of the {nrow(matrix)} genomes, without {.val {NA}}, not {friendly(class)}.", call = call)
    class <- droplevels(as.factor(class))
    if (nlevels(class) < 2) stop_input("{.arg class} must have two levels or more, not only {.val {levels(class)}}.", call = call)
    class
}

check_share <- function(x, min = 0, name = deparse1(substitute(x)), call = parent.frame()) {
    if (is.numeric(x) && length(x) == 1L && !is.na(x) && x >= min && x <= 1) return(as.numeric(x))
    given <- friendly(x)
    stop_input("{.arg {name}} must be one number from {min} to 1, not {given}.", call = call)
}

prevalence_table <- function(matrix, class, focus) {
    inside <- class == focus
    carriers <- class_counts(matrix, class)
    k <- rowSums(carriers)
    a <- carriers[, focus]
    table <- data.frame(gene = colnames(matrix), genomes = k)
    table[paste0("share_", levels(class))] <- sweep(carriers, 2, c(base::table(class)), "/")
    b <- sum(inside) - a
    table$odds_ratio <- (a / b) / ((k - a) / (sum(!inside) - (k - a)))
    table$p_value <- fisher_p_values(a, k, sum(inside), sum(!inside))
    table$fdr <- stats::p.adjust(table$p_value, "BH")
    rownames(table) <- NULL
    table
}

# How many genomes of each class carry each gene: genes by classes.
class_counts <- function(matrix, class) {
    members <- Matrix::sparseMatrix(seq_along(class), as.integer(class), x = 1, dims = c(length(class), nlevels(class)))
    counts <- as.matrix(Matrix::crossprod(matrix, members))
    dimnames(counts) <- list(colnames(matrix), levels(class))
    counts
}

# Fisher's two-sided p-value of a gene that `a` of `n` genomes carry, and k - a of `m` others: the probability of all tables that are not
# more probable. Genes of the same k share one distribution.
fisher_p_values <- function(a, k, n, m) {
    p <- numeric(length(a))
    for (genes in split(seq_along(a), k)) {
        total <- k[genes[1]]
        possible <- max(0, total - m):min(total, n)
        density <- stats::dhyper(possible, n, m, total)
        order <- order(density)
        ranked <- density[order]
        observed <- density[match(a[genes], possible)]
        p[genes] <- cumsum(ranked)[findInterval(observed * (1 + 1e-7), ranked)]
    }
    pmin(p, 1)
}

prevalence_outside <- function(table, settings) {
    others <- settings$genomes[names(settings$genomes) != settings$focus]
    c(as.matrix(table[paste0("share_", names(others))]) %*% others) / sum(others)
}

# The species of the genomes that carry a gene, if it is only one.
only_species <- function(matrix, species) {
    carriers <- split(species[matrix@i + 1], factor(rep(seq_len(ncol(matrix)), diff(matrix@p)), seq_len(ncol(matrix))))
    vapply(carriers, function(names) if (length(names) && all(names == names[1])) names[1] else NA_character_, "", USE.NAMES = FALSE)
}

#' @export
print.gene_prevalence <- function(x, ...) {
    settings <- attr(x, "settings")
    if (is.null(settings) || !"label" %in% names(x)) return(print(as.data.frame(x), ...))
    cat("Prevalence of ", format(nrow(x), big.mark = ","), " genes in ",
        paste(format(settings$genomes, big.mark = ",", trim = TRUE), names(settings$genomes), collapse = ", "),
        " genomes\n", sep = "")
    with(settings, cat("  labels   of ", focus, ": share of carriers at least ", almost_all, " (almost all), ", more, " (more), at most ",
                       1 - more, " (less); false discovery rate at most ", fdr, "\n", sep = ""))
    labels <- sort(table(sub("^Unique to .*", "Unique to a species", x$label)), decreasing = TRUE)
    cat("  genes    ", paste(format(labels, big.mark = ",", trim = TRUE), names(labels), collapse = "; "), "\n", sep = "")
    top <- as.data.frame(x)[utils::head(order(x$p_value), 10), ]
    top$gene <- short_text(top$gene, 50)
    print(top, digits = 3, row.names = FALSE)
    if (nrow(x) > 10) cat("...", nrow(x) - 10, "more genes: as.data.frame(x) has all\n")
    invisible(x)
}

short_text <- function(x, letters) ifelse(nchar(x) > letters, paste0(substr(x, 1, letters - 3), "..."), x)

#' @method as.data.frame gene_prevalence
#' @export
as.data.frame.gene_prevalence <- function(x, ...) {
    attr(x, "settings") <- NULL
    class(x) <- "data.frame"
    x
}

# Rows keep the settings that made them.
#' @export
`[.gene_prevalence` <- function(x, ...) {
    part <- NextMethod()
    if (is.data.frame(part)) attr(part, "settings") <- attr(x, "settings")
    part
}

#' @method plot gene_prevalence
#' @export
plot.gene_prevalence <- function(x, top = 10, ...) {
    need_package("ggplot2")
    top <- check_number(top, 0, 1000)
    settings <- attr(x, "settings")
    table <- as.data.frame(x)
    table$inside <- table[[paste0("share_", settings$focus)]]
    table$outside <- prevalence_outside(table, settings)
    table$label <- sub("^Unique to .*", "Unique to a species", table$label)
    strongest <- utils::head(order(table$p_value), top)
    table$name <- replace(rep("", nrow(table)), strongest, short_text(table$gene[strongest], 28))
    ggplot2::ggplot(table, ggplot2::aes(.data$outside, .data$inside, colour = .data$label)) +
        ggplot2::geom_abline(colour = "grey80", linewidth = 0.3) +
        ggplot2::geom_point(size = 1.2, shape = 16, alpha = 0.7) +
        name_labels(table) +
        ggplot2::scale_colour_manual(values = label_colours(table$label), breaks = names(label_colours(table$label)), name = NULL) +
        ggplot2::scale_x_continuous(labels = percent) +
        ggplot2::scale_y_continuous(labels = percent) +
        ggplot2::guides(colour = ggplot2::guide_legend(override.aes = list(size = 2.5, alpha = 1))) +
        ggplot2::labs(x = "Prevalence in all other genomes", y = paste("Prevalence in", settings$focus),
                      title = paste("Genes and", settings$focus), subtitle = paste("the", top, "strongest by Fisher's test named")) +
        plain_theme()
}

percent <- function(x) paste(format(100 * x, trim = TRUE), "%")

name_labels <- function(table) {
    aesthetics <- ggplot2::aes(label = .data$name)
    if (requireNamespace("ggrepel", quietly = TRUE))
        ggrepel::geom_text_repel(aesthetics, table, size = 3, seed = 1, max.overlaps = Inf, min.segment.length = 0.2, show.legend = FALSE,
                                 segment.size = 0.2, segment.colour = "grey60", colour = "grey20")
    else ggplot2::geom_text(aesthetics, table, size = 3, hjust = 1.1, check_overlap = TRUE, show.legend = FALSE, colour = "grey20")
}

# One colour a kind of label, the same in every plot.
label_colours <- function(labels) {
    kinds <- c("Almost all in" = "#D55E00", "More in" = "#E69F00", "Equal" = "#999999", "Less in" = "#0072B2", "Unique to" = "#CC79A7",
               "Absent elsewhere" = "#56B4E9")
    labels <- unique(labels)
    kind <- vapply(labels, function(label) names(kinds)[match(TRUE, startsWith(label, names(kinds)))], "")
    order <- order(match(kind, names(kinds)))
    stats::setNames(kinds[kind], labels)[order]
}
