#' nucleograd: what networks trained on DNA saw
#'
#' Reads networks trained on DNA, runs them over whole genomes, attributes their predictions to single bases and lines the scores
#' up with genes. Start with [read_model()], [read_genome()], [read_annotation()], then [predict.Model()], [attribution()] and
#' [gene_quantiles()].
#' @useDynLib nucleograd, .registration = TRUE, .fixes = "C_"
#' @import methods
#' @importClassesFrom GenomicRanges GRanges
#' @importClassesFrom Biostrings DNAStringSet
#' @keywords internal
"_PACKAGE"

.onLoad <- function(libname, pkgname) {
    last <- if (isNamespaceLoaded("SummarizedExperiment")) pkgname else "SummarizedExperiment"
    setHook(packageEvent(last, "onLoad"), define_gene_quantiles)
}
