#' Which genomes carry which genes
#'
#' Reads the genes of many genomes into one sparse matrix, from annotations or from plain lists. Only the rows of a GFF3 before its
#' sequence are read, in parallel; nothing of the size of genomes times genes is ever held.
#' @param files Paths, one a genome, plain or gzipped: GFF3 of Prokka, Bakta or NCBI, as [read_annotation()] takes them, or lists with
#'   one gene a line (empty lines and what follows `#` are left out). The rows of the result have their `names()`, else the names of
#'   the files without folder and ending.
#' @param by What names a gene: `"gene"`, the short name, or `"product"`. Features without it are left out; lists are taken as they are.
#' @param copies Are the numbered copies that Prokka makes of a name (`spo0A_1`, `spo0A_2`) genes of their own? `FALSE` takes them for
#'   the gene without `_` and number.
#' @param type Which features of a GFF3, by their type.
#' @param threads How many files are read at a time, see [thread_count()]; one on Windows. The result does not depend on it.
#' @return A `dgCMatrix`, genomes by genes: 1 where the genome has the gene. Rows are in the order of `files`, columns in
#'   alphabetical order (that of the C locale).
#' @section Errors: `nucleograd_error_file`: a file is not there, damaged, or neither GFF3 nor a list. `nucleograd_error_argument`: two
#'   files would give rows of the same name.
#' @seealso [gene_prevalence()], [gene_forest()]
#' @examples
#' files <- file.path(tempdir(), c("strain_1.txt", "strain_2.txt"))
#' writeLines(c("dnaA", "spo0A_1", "spo0A_2"), files[1])
#' writeLines(c("dnaA", "ftsZ"), files[2])
#' gene_matrix(files)
#' @export
gene_matrix <- function(files, by = c("gene", "product"), copies = FALSE, type = c("CDS", "rRNA", "tRNA"), threads = NULL) {
    by <- check_choice(by, c("gene", "product"))
    copies <- check_flag(copies)
    genomes <- genome_names(files)
    for (file in files) check_file(file, "files")
    run <- run_settings(threads, progress = "Reading genes")
    workers <- if (.Platform$OS.type == "windows") 1L else run[[1]]
    known <- character()
    carried <- vector("list", length(files))
    for (here in split(seq_along(files), (seq_along(files) - 1) %/% 100)) {
        found <- parallel::mclapply(files[here], genes_in_file, by, copies, type, environment(), mc.cores = workers)
        for (genes in found) if (inherits(genes, "try-error")) stop(attr(genes, "condition"))
        known <- c(known, setdiff(unlist(found), known))
        carried[here] <- lapply(found, match, known)
        run[[3]](max(here) / length(files))
    }
    nameless <- sum(lengths(carried) == 0)
    if (nameless) cli::cli_inform("{nameless} file{?s} of {length(files)} name{?s/} no {by}.")
    Matrix::sparseMatrix(i = rep(seq_along(carried), lengths(carried)), j = match(unlist(carried), order(known, method = "radix")), x = 1,
                         dims = c(length(files), length(known)), dimnames = list(genomes, sort(known, method = "radix")))
}

genome_names <- function(files, call = parent.frame()) {
    if (!is.character(files) || !length(files) || anyNA(files))
        stop_input("{.arg files} must be paths of files, not {friendly(files)}.", call = call)
    genomes <- names(files)
    if (is.null(genomes)) genomes <- sub("\\.(gff3?|txt|tsv|list)$", "", sub("\\.gz$", "", basename(files)), ignore.case = TRUE)
    twice <- genomes[duplicated(genomes)]
    if (length(twice))
        stop_input(c("{.arg files} must give each genome a name of its own.", x = "{.val {twice[1]}} is there more than once.",
                     i = "Can you name them, as in {.code c(strain_1 = \"one/genes.gff\", strain_2 = \"two/genes.gff\")}?"), call = call)
    genomes
}

# The names of the genes of one file, each once.
genes_in_file <- function(file, by, copies, type, call) {
    lines <- lines_before_sequence(file, call)
    lines <- lines[!startsWith(lines, "#")]
    genes <- if (any(grepl("\t", lines, fixed = TRUE, useBytes = TRUE))) names_in_gff(gff_rows(lines, file, call), by, type)
             else trimws(sub("#.*", "", lines))
    genes <- unique(genes[!is.na(genes) & nzchar(genes)])
    if (copies) genes else unique(sub("_[0-9]+$", "", genes))
}

# The lines before the first ">": all that a GFF3 says of its genes. Sequences are most of such a file, and are not read.
lines_before_sequence <- function(file, call) {
    connection <- gzfile(file, "rt")
    on.exit(close(connection))
    blocks <- list()
    repeat {
        lines <- tryCatch(readLines(connection, 2000), warning = identity, error = identity)
        if (inherits(lines, "condition")) break
        sequence <- match(TRUE, startsWith(lines, ">"))
        blocks[[length(blocks) + 1]] <- lines[seq_len(if (is.na(sequence)) length(lines) else sequence - 1)]
        if (!is.na(sequence) || length(lines) < 2000) break
    }
    # the whole file was read, or reading failed: read_sequence_text() knows what may be wrong with a file, and says it
    if (inherits(lines, "condition") || is.na(sequence)) return(read_sequence_text(file, call))
    lines <- unlist(blocks)
    lines <- sub("\r$", "", lines[nzchar(lines)], useBytes = TRUE)
    foreign <- !validUTF8(lines)
    lines[foreign] <- iconv(lines[foreign], "latin1", "UTF-8")
    lines
}

# What read_annotation() has as `gene` or `product`, for thousands of files: one column instead of all.
names_in_gff <- function(rows, by, type) {
    fields <- strsplit(rows, "\t", fixed = TRUE)
    attributes <- vapply(fields, `[`, "", 9)
    chosen <- vapply(fields, `[`, "", 3) %in% type
    value <- gff_attribute(attributes[chosen], by)
    orphan <- which(is.na(value))
    parent <- sub(",.*", "", gff_attribute(attributes[chosen][orphan], "parent"))
    if (!all(is.na(parent)))
        value[orphan] <- gff_attribute(attributes[match(parent, gff_attribute(attributes, "id"), incomparables = NA)], by)
    value
}

gff_attribute <- function(attributes, name) {
    at <- regexpr(paste0("(?i)(?:^|;) *", name, "=\\K[^;]*"), attributes, perl = TRUE)
    value <- rep(NA_character_, length(attributes))
    found <- which(at > 0)
    value[found] <- substring(attributes[found], at[found], at[found] + attr(at, "match.length")[found] - 1)
    escaped <- grep("%[0-9A-Fa-f]{2}", value)
    value[escaped] <- vapply(value[escaped], utils::URLdecode, "")
    value <- gsub("^(['\"])(.*)\\1$", "\\2", value)
    ifelse(nzchar(value), value, NA_character_)
}
