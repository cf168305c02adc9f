#' Sequences and responses for seism()
#'
#' `seism_data()` pairs a FASTA file with a table; `region_sequences()` cuts regions, such as the [upstream()] ones of genes,
#' out of a genome. Both give what [seism()] takes.
#'
#' @param fasta Path of a FASTA file, plain or gzipped: one record a sequence.
#' @param table Path of a table with one row a sequence, separated by commas or tabs as its ending says (`.csv`, or anything
#'   else), or a data.frame.
#' @param response Name of the column to explain: numbers, or two classes.
#' @param id Name of the column with the names of the sequences, as the FASTA headers begin; the first one by default.
#' @param covariates Names of columns to correct for, such as batch, GC content, clade or principal components of ancestry.
#' @return `seism_data()`: a list of `x`, a `DNAStringSet`, `y`, numbers (of two classes the later one in the order of the
#'   alphabet is 1), and `covariates`, a data.frame or `NULL`; one element, or row, for each sequence that both files have, in
#'   the order of the FASTA file. How many are in one file only is said in a message.
#' @section Errors: `nucleograd_error_file`; `nucleograd_error_letters`; `nucleograd_error_contigs`: a region lies on no contig
#'   of `genome`; `nucleograd_error_regions`: it leaves its contig; `nucleograd_error_argument`: there is no such column, or a
#'   name is there twice.
#' @examples
#' fasta <- tempfile(fileext = ".fasta")
#' writeLines(c(">strain_1", "ACGTTGCATG", ">strain_2", "GGCATTACGA"), fasta)
#' growth <- data.frame(strain = c("strain_2", "strain_1"), growth = c(0.4, 1.2),
#'                      medium = c("rich", "poor"))
#' seism_data(fasta, growth, response = "growth", covariates = "medium")
#'
#' genes <- head(subset(example_annotation(), type == "CDS"))
#' region_sequences(example_genome(), upstream(genes, width = 100))
#' @export
seism_data <- function(fasta, table, response, id = NULL, covariates = NULL) {
    check_file(fasta)
    if (!is.data.frame(table)) {
        check_file(table)
        separator <- if (grepl("[.]csv([.]gz)?$", table, ignore.case = TRUE)) "," else "\t"
        table <- utils::read.table(table, header = TRUE, sep = separator, quote = "\"", comment.char = "", check.names = FALSE)
    }
    id <- if (is.null(id)) names(table)[1] else id
    unknown <- setdiff(c(id, response, covariates), names(table))
    if (length(unknown))
        stop_input(c("{.arg table} must have the columns that are named.", x = "It has no {.val {unknown}}.", i = "It has {.val {names(table)}}."))
    x <- read_genome(fasta)
    key <- as.character(table[[id]])
    if (anyDuplicated(key))
        stop_input(c("Each sequence must have one row in {.arg table}.", x = "{.val {key[duplicated(key)][1]}} has more than one."))
    row <- match(names(x), key)
    both <- !is.na(row)
    if (!any(both))
        stop_input(c("Column {.val {id}} must name the sequences of the FASTA file.", x = "It begins with {.val {key[1]}}.",
                     i = "The file begins with {.val {names(x)[1]}}."))
    if (!all(both) || length(key) > sum(both))
        cli::cli_inform("Leaving out {sum(!both)} sequence{?s} without a row and {length(key) - sum(both)} row{?s} without a sequence.")
    y <- table[[response]][row[both]]
    if (is.character(y) || is.factor(y)) y <- two_classes(factor(y), response)
    list(x = x[both], y = as.numeric(y), covariates = if (length(covariates)) table[row[both], covariates, drop = FALSE])
}

two_classes <- function(y, response, call = parent.frame()) {
    if (nlevels(y) != 2L)
        stop_input("Column {.val {response}} must hold numbers or two classes, not {nlevels(y)} classe{?s}.", call = call)
    as.numeric(y) - 1
}

#' @rdname seism_data
#' @param genome A `DNAStringSet`, from [read_genome()].
#' @param regions A `GRanges` on its contigs; those on the minus strand are read on that strand. A region of a circular contig
#'   may run over the origin.
#' @return `region_sequences()`: a `DNAStringSet`, one sequence a region, 5' to 3', named by `locus_tag`, `gene` or place. Its
#'   column `region` keeps the `GRanges`, which lets [seism()] say where on the genome the sites are.
#' @export
region_sequences <- function(genome, regions) {
    check_is(genome, "DNAStringSet", "read_genome")
    check_is(regions, "GRanges", "upstream")
    known <- genome_seqinfo(genome)
    contig <- as.character(GenomeInfoDb::seqnames(regions))
    foreign <- setdiff(contig, names(genome))
    if (length(foreign))
        stop_input(c("{.arg regions} must lie on contigs of {.arg genome}.", x = "{.val {foreign}} {?is/are} in {.arg regions} only.",
                     i = "{.arg genome} has {.val {names(genome)}}."), class = "contigs")
    told_circular <- names(which(GenomeInfoDb::isCircular(regions)))
    GenomeInfoDb::isCircular(known) <- GenomeInfoDb::isCircular(known) %in% TRUE | GenomeInfoDb::seqnames(known) %in% told_circular
    start <- BiocGenerics::start(regions)
    end <- BiocGenerics::end(regions)
    place_features(data.frame(contig, start, end, type = rep("Region", length(regions)), ID = as.character(regions)), known)
    sequences <- Biostrings::DNAStringSet(character(length(regions)))
    for (name in unique(contig)) {
        here <- which(contig == name)
        whole <- genome[[name]]
        beyond <- max(end[here]) - length(whole)
        if (beyond > 0) whole <- c(whole, Biostrings::subseq(whole, 1, beyond))
        sequences[here] <- methods::as(Biostrings::Views(whole, start[here], end[here]), "DNAStringSet")
    }
    minus <- as.character(BiocGenerics::strand(regions)) == "-"
    sequences[minus] <- Biostrings::reverseComplement(sequences[minus])
    names(sequences) <- make.unique(first_known(gene_column(regions, "locus_tag"), gene_column(regions, "gene"), unname(as.character(regions))))
    S4Vectors::mcols(sequences)$region <- unname(regions)
    sequences
}
