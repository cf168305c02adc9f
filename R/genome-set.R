# R/genome-set.R: many genomes and what belongs to each.

#' Many genomes
#'
#' What [genome_set()] returns.
#' @slot table A data.frame, one row a genome: `name`, `genome` (a path), `annotation` (a path or `NA`), and whatever else the sample
#'   sheet says.
#' @return An object of class `GenomeSet`. `length()`: how many genomes; `names()`: their names; `[`: those genomes, a `GenomeSet`;
#'   `as.data.frame()`: its table.
#' @exportClass GenomeSet
setClass("GenomeSet", slots = c(table = "data.frame"))

#' List genomes and their annotation
#'
#' Pairs the genomes of a folder, or the rows of a sample sheet, with their annotation, for [run_batch()].
#'
#' In a **folder** each FASTA file (`.fna`, `.fa`, `.fasta`, `.fsa`, `.ffn`, plain or gzipped) is a genome, named by its file, and the GFF
#' (`.gff`, `.gff3`) whose name begins with the genome's is its annotation. A folder without FASTA files may hold GFF files that carry
#' their sequence, as Prokka writes them.
#'
#' A **sample sheet** is a table (`.csv`, or `.tsv` and other endings with tabs between) with the column `genome`, and if you like `name`,
#' `annotation`, `circular` (`TRUE` or `FALSE`) and others, which are kept. Its paths begin at the folder it lies in.
#' @param source A folder, the path of a sample sheet, or a data.frame with the columns of one.
#' @param annotation A folder to look for the GFF files in; `NULL`: where the genomes are.
#' @return A [GenomeSet-class], in the order of the names of the files, or of the rows. `length()`, `names()`, `[` and `as.data.frame()`
#'   work. Files need not be there yet: [run_batch()] lists what is missing among what failed.
#' @section Errors: `nucleograd_error_file`: no such folder or sheet, or no genome in it. `nucleograd_error_argument`: the sheet has no
#'   column `genome`, or names are missing, given twice, or no names of files.
#' @examples
#' folder <- tempfile("genomes")
#' dir.create(folder)
#' for (name in c("one", "two"))
#'     Biostrings::writeXStringSet(Biostrings::subseq(example_genome(), 1, 5000),
#'                                 file.path(folder, paste0(name, ".fna")))
#' genome_set(folder)
#' @export
genome_set <- function(source, annotation = NULL) {
    if (!is.null(annotation) && !(is.character(annotation) && length(annotation) == 1L && dir.exists(annotation)))
        stop_input("{.arg annotation} must be a folder, not {friendly(annotation)}.", class = "file")
    table <- if (is.data.frame(source)) source
             else if (is.character(source) && length(source) == 1L && dir.exists(source)) folder_table(source, annotation)
             else read_sheet(check_file(source))
    new("GenomeSet", table = checked_set(table))
}

fasta_ending <- "[.](fna|fa|fasta|fsa|ffn)([.]gz)?$"
gff_ending <- "[.]gff3?([.]gz)?$"

folder_table <- function(folder, annotation, call = parent.frame()) {
    files_of <- function(where, ending) sort(list.files(where, ending, full.names = TRUE, ignore.case = TRUE), method = "radix")
    stem <- function(files, ending) sub(ending, "", basename(files), ignore.case = TRUE)
    genomes <- files_of(folder, fasta_ending)
    gffs <- files_of(if (is.null(annotation)) folder else annotation, gff_ending)
    if (!length(genomes) && is.null(annotation) && length(gffs))
        return(data.frame(name = stem(gffs, gff_ending), genome = gffs, annotation = gffs))
    if (!length(genomes))
        stop_input(c("The folder {.file {folder}} must hold genomes.",
                     x = "None of its {length(list.files(folder))} file{?s} ends in .fna, .fa, .fasta, .fsa or .ffn."),
                   class = "file", call = call)
    names <- stem(genomes, fasta_ending)
    of_gff <- stem(gffs, gff_ending)
    own <- vapply(names, function(name) {
        here <- which(of_gff == name | startsWith(of_gff, paste0(name, ".")))
        if (length(here) > 1)
            stop_input(c("Each genome must have one annotation.", x = "{.file {basename(gffs[here])}} {?is/are} all of {.val {name}}.",
                         i = "A sample sheet says which to take."), class = "file", call = call)
        if (length(here)) gffs[here] else NA_character_
    }, "", USE.NAMES = FALSE)
    data.frame(name = names, genome = genomes, annotation = own)
}

read_sheet <- function(file) {
    commas <- grepl("[.]csv$", file, ignore.case = TRUE)
    table <- utils::read.table(file, header = TRUE, sep = if (commas) "," else "\t", quote = "\"", comment.char = "", stringsAsFactors = FALSE,
                               check.names = FALSE, colClasses = c(name = "character"), na.strings = c("", "NA"))
    absolute <- function(paths) ifelse(is.na(paths) | grepl("^(/|~|[A-Za-z]:)", paths), paths, file.path(dirname(file), paths))
    for (column in intersect(c("genome", "annotation"), names(table))) table[[column]] <- absolute(table[[column]])
    table
}

checked_set <- function(table, call = parent.frame()) {
    if (!nrow(table) || is.null(table$genome) || anyNA(table$genome))
        stop_input(c("A sample sheet must have a column {.field genome} with a path in each row.",
                     i = "Its columns are {.field {names(table)}}."), call = call)
    if (is.null(table$name)) table$name <- sub(paste0(fasta_ending, "|", gff_ending), "", basename(table$genome), ignore.case = TRUE)
    if (is.null(table$annotation)) table$annotation <- NA_character_
    table$name <- as.character(table$name)
    twice <- unique(table$name[duplicated(table$name)])
    if (length(twice)) stop_input("Each genome must have its own {.field name}; {.val {twice}} {?is/are} there twice.", call = call)
    odd <- is.na(table$name) | !grepl("^[A-Za-z0-9_][A-Za-z0-9_.+-]*$", table$name)
    if (any(odd))
        stop_input(c("Each {.field name} becomes the name of a folder: letters, digits, and {.val _ . + -}, which {.val .} must not begin.",
                     x = "{.val {table$name[odd]}} {?is/are} not of that form."), call = call)
    rownames(table) <- NULL
    table[c("name", "genome", "annotation", setdiff(names(table), c("name", "genome", "annotation")))]
}

#' @rdname GenomeSet-class
#' @param x,object A `GenomeSet`.
#' @param i Which genomes: numbers, names or logicals.
#' @param j,drop,... Not used.
#' @exportMethod length
setMethod("length", "GenomeSet", function(x) nrow(x@table))

#' @rdname GenomeSet-class
#' @exportMethod names
setMethod("names", "GenomeSet", function(x) x@table$name)

#' @rdname GenomeSet-class
#' @exportMethod [
setMethod("[", "GenomeSet", function(x, i, ...) {
    rows <- if (is.character(i)) match(i, x@table$name) else seq_len(nrow(x@table))[i]
    if (anyNA(rows)) stop_input("{.arg i} must be numbers or names of genomes of the set; {.val {i[is.na(rows)]}} {?is/are} not there.")
    table <- x@table[rows, , drop = FALSE]
    rownames(table) <- NULL
    new("GenomeSet", table = table)
})

#' @rdname GenomeSet-class
#' @param row.names,optional Not used.
setMethod("as.data.frame", "GenomeSet", function(x, row.names = NULL, optional = FALSE, ...) x@table)

#' @rdname GenomeSet-class
#' @export
setMethod("show", "GenomeSet", function(object) {
    table <- object@table
    there <- file.exists(table$genome)
    bytes <- sum(file.size(table$genome[there]))
    cat("GenomeSet of ", nrow(table), if (nrow(table) == 1) " genome" else " genomes", ", ", sum(!is.na(table$annotation)), " with annotation, ",
        format_bytes(bytes), " of files", if (!all(there)) paste0("; ", sum(!there), " not there"), "\n", sep = "")
    shown <- utils::head(table, 6)
    shown[c("genome", "annotation")] <- lapply(shown[c("genome", "annotation")], basename)
    print(shown, row.names = FALSE)
    if (nrow(table) > 6) cat("... and", nrow(table) - 6, "more: as.data.frame(x) has all\n")
})
