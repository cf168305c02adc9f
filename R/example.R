#' A small network and a real genome to try things on
#'
#' The package ships one network, one genome and its annotation, so that every example runs without a download.
#'
#' * `example_model()` reads a network that says whether a window of 500 bp holds (part of) a 16S rRNA gene. It has one
#'   output, the probability of "16S", so `target = 1`; its logit is the log-odds. It was trained on windows of real 16S
#'   genes and of bacterial genomes, both strands; the phylum Chlamydiae took no part in it. The model card
#'   `system.file("extdata", "rrna16s-card.md", package = "nucleograd")` gives data, split and accuracy on genomes that
#'   were not trained on. Input: 500 rows, columns A, C, G, T.
#' * `example_genome()` reads the chromosome of *Chlamydia trachomatis* D/UW-3/CX: one circular contig, `CHLTCG`, of
#'   1,042,519 bp.
#' * `example_annotation()` reads the Prokka annotation of that chromosome: 894 CDS, 37 tRNA, 4 rRNA (two of them 16S)
#'   and one tmRNA.
#'
#' @return `example_model()`: a `Model`. `example_genome()`: a `DNAStringSet` of length 1. `example_annotation()`: a
#'   `GRanges` of 936 features; coordinates are bp, 1-based and closed.
#' @section Errors: None of its own: the files are part of the package.
#' @source Stephens et al. (1998), \doi{10.1126/science.282.5389.754} (the genome); Seemann (2014),
#'   \doi{10.1093/bioinformatics/btu153} (Prokka); Wang et al. (2007), \doi{10.1128/AEM.00062-07} (the 16S genes).
#' @examples
#' example_model()
#' example_genome()
#' example_annotation()
#' @name example_model
#' @export
example_model <- function() read_model(example_file("rrna16s.h5"))

#' @rdname example_model
#' @export
example_genome <- function() read_genome(example_file("chlamydia.fna.gz"), circular = TRUE)

#' @rdname example_model
#' @export
example_annotation <- function() read_annotation(example_file("chlamydia.gff.gz"), genome = example_genome())

example_file <- function(name) system.file("extdata", name, package = "nucleograd", mustWork = TRUE)
