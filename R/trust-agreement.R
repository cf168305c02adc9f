# R/trust-agreement.R: do other maps say the same?

#' How far maps of scores agree
#'
#' Spearman's rank correlation of a map with others of the same genome, base by base and gene by gene.
#'
#' Scores of neighbours resemble each other, so their number says little of how much is known. The 95 % interval is therefore
#' from leaving out one of up to 50 stretches of the genome at a time (a jackknife of Fisher's z, Student's t), not from the number
#' of bases.
#' @param scores An [Attribution-class].
#' @param others A named list of [Attribution-class], on the same contigs: of other baselines, methods, strands or models.
#' @param annotation A `GRanges` of genes to compare by their mean scores; `NULL`: bases only.
#' @return A data.frame, one row for bases and one for genes of each map: `comparison`, its name, `level` (`"base"` or `"gene"`), `n`, how many
#'   have a score in both, `correlation`, `lower`, `upper`. `NA` for fewer than 3, or where all scores of a map are equal.
#' @section Errors: `nucleograd_error_contigs`: a map is of other contigs. `nucleograd_error_argument`.
#' @source Spearman (1904), \doi{10.2307/1412159}; Künsch (1989), \doi{10.1214/aos/1176347265}, for the jackknife by stretches.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' one <- attribution(example_model(), piece, nodes = 5)
#' score_agreement(one, list(composition = attribution(example_model(), piece,
#'                                                     baseline = "composition", nodes = 5)))
#' @export
score_agreement <- function(scores, others, annotation = NULL) {
    check_is(scores, "Attribution", "attribution")
    if (!is.list(others) || !length(others) || is.null(names(others)) || !all(vapply(others, is, NA, "Attribution")))
        stop_input("{.arg others} must be a named list of {.cls Attribution}, not {friendly(others)}.")
    if (!is.null(annotation)) check_is(annotation, "GRanges", "read_annotation")
    contig_bp <- vapply(scores@scores, nrow, 0L)
    for (other in others) if (!identical(vapply(other@scores, nrow, 0L), contig_bp))
        stop_input(c("{.arg others} must be of the contigs of {.arg scores}.", x = "One is of {.val {names(other@scores)}}.",
                     i = "{.arg scores} is of {.val {names(contig_bp)}}."), class = "contigs")
    levels <- function(map) c(list(base = unlist(lapply(names(map@scores), function(contig) base_scores(map, contig)))),
                              if (!is.null(annotation)) list(gene = gene_means(map, annotation)))
    own <- levels(scores)
    rows <- lapply(names(others), function(name) {
        theirs <- levels(others[[name]])
        data.frame(comparison = name, level = names(own), do.call(rbind, Map(rank_correlation, own, theirs)))
    })
    table <- do.call(rbind, rows)
    rownames(table) <- NULL
    table
}

# Mean scores of genes, in the order of the genome.
gene_means <- function(scores, annotation) {
    genes <- features_with_scores(annotation, GenomeInfoDb::seqinfo(scores))
    feature_statistics(GenomicRanges::sort(genes, ignore.strand = TRUE), scored_contigs(scores, genes))$mean
}

# Spearman's correlation, and its interval from leaving out one of up to `stretches` stretches at a time.
rank_correlation <- function(a, b, stretches = 50) {
    both <- !is.na(a) & !is.na(b)
    n <- sum(both)
    none <- data.frame(n, correlation = NA_real_, lower = NA_real_, upper = NA_real_)
    if (n < 3) return(none)
    ranks <- cbind(rank(a[both]), rank(b[both])) - (n + 1) / 2
    stretch <- ceiling(seq_len(n) * min(stretches, n) / n)
    parts <- rowsum(cbind(1, ranks, ranks^2, ranks[, 1] * ranks[, 2]), stretch)
    correlation <- function(sums) {
        covariance <- sums[6] - sums[2] * sums[3] / sums[1]
        covariance / sqrt((sums[4] - sums[2]^2 / sums[1]) * (sums[5] - sums[3]^2 / sums[1]))
    }
    all <- colSums(parts)
    if (all[4] == 0 || all[5] == 0) return(none)
    z <- function(sums) atanh(max(-1 + 1e-15, min(correlation(sums), 1 - 1e-15)))
    limits <- jackknife(z(all), apply(parts, 1, function(part) z(all - part)))
    data.frame(n, correlation = correlation(all), lower = tanh(limits[1]), upper = tanh(limits[2]))
}

# A 95 % interval from the values with one part left out at a time.
jackknife <- function(value, without) {
    g <- length(without)
    if (g < 2 || anyNA(without)) return(c(NA_real_, NA_real_))
    value + c(-1, 1) * stats::qt(0.975, g - 1) * sqrt((g - 1) / g * sum((without - mean(without))^2))
}

# Other ways to make the map, as arguments of attribution(), by name; those that are as the map itself are left out.
usual_alternatives <- function(settings) {
    all <- list("uniform baseline" = list(method = "ig", baseline = "uniform"),
                "composition baseline" = list(method = "ig", baseline = "composition"),
                "dinucleotide baselines" = list(method = "ig", baseline = "dinucleotide", replicates = 5),
                "gradient x input" = list(method = "gradient_x_input"), "other strand" = list(strand = "reverse"))
    same <- vapply(all, function(one) {
        compared <- intersect(names(one), c("method", "baseline"))
        identical(one[compared], settings[compared])
    }, NA)
    same["other strand"] <- !identical(settings$strand, "forward")
    all[!same]
}
