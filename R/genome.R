#' Read a genome
#'
#' Reads the contigs of a genome from a FASTA file, plain or gzipped, or from the FASTA section of a GFF3 file such as
#' Prokka and Bakta write. Lower case becomes upper case, U becomes T (with a message); IUPAC letters stay.
#' @param file Path of a FASTA or GFF3 file, plain or gzipped.
#' @param circular Which contigs are circular: `TRUE` or `FALSE` for all, one logical a contig, or the names of the
#'   circular ones. `NULL` believes the file (`circular=true` or `topology=circular` in a FASTA header, `Is_circular=true`
#'   in a GFF3) and takes all others as linear.
#' @return A named `DNAStringSet`, one element a contig, named by the first word of its header. Its columns (`mcols()`) are
#'   `description`, the full header, `circular`, logical, and `whole_bp`, its length. Subsetting keeps them; a piece that is
#'   shorter than the whole contig, as `subseq()` cuts it, counts as linear.
#' @section Errors: `nucleograd_error_file`: there is no such file, or it is empty, binary, damaged, or neither FASTA nor GFF3
#'   with sequence. `nucleograd_error_letters`: a sequence has letters that are not DNA. `nucleograd_error_contigs`: a contig has no
#'   name, no sequence, or the name of another. `nucleograd_error_argument`: `circular` fits no contig.
#' @seealso [genome_seqinfo()] for lengths and circular flags.
#' @examples
#' file <- tempfile(fileext = ".fasta")
#' writeLines(c(">contig_1 a small plasmid [topology=circular]", "ACGTTGCANN", ">contig_2", "ggcc"),
#'            file)
#' genome <- read_genome(file)
#' genome
#' genome_seqinfo(genome)
#' @export
read_genome <- function(file, circular = NULL) {
    check_file(file)
    lines <- read_sequence_text(file)
    genome <- parse_genome(lines, file)
    if (!is.null(circular)) S4Vectors::mcols(genome)$circular <- circular_flags(circular, names(genome))
    genome
}

#' Lengths and topology of a genome
#'
#' @param genome A named `DNAStringSet`, best from [read_genome()].
#' @return A `Seqinfo`: for each contig its name, its length in bp, and whether it is circular. A contig of which nothing is
#'   known counts as linear, and so does a piece of one that [read_genome()] read whole.
#' @section Errors: `nucleograd_error_argument`: `genome` is no `DNAStringSet`.
#' @examples genome_seqinfo(Biostrings::DNAStringSet(c(contig_1 = "ACGT")))
#' @export
genome_seqinfo <- function(genome) {
    check_is(genome, "DNAStringSet", "read_genome")
    known <- S4Vectors::mcols(genome)$circular
    if (is.null(known)) known <- unname(S4Vectors::metadata(genome)$is_circular[names(genome)])   # what `seqinfo<-` leaves
    if (is.null(known)) known <- logical(length(genome))
    whole_bp <- S4Vectors::mcols(genome)$whole_bp
    cut <- if (is.null(whole_bp)) FALSE else whole_bp != Biostrings::width(genome)
    GenomeInfoDb::Seqinfo(names(genome), Biostrings::width(genome), known %in% TRUE & !cut)
}

# 0 to 3 for A, C, G, T, and 4 for every other letter: one raw byte a base.
base_codes <- function(x) .Call(C_base_codes, charToRaw(as.character(x)))

# The lines of a text file, plain or gzipped, whatever ends them; empty ones left out.
read_sequence_text <- function(file, call = parent.frame()) {
    bytes <- tryCatch(read_whole_file(file), warning = identity, error = identity)
    if (inherits(bytes, "condition") || is_cut_off(file, length(bytes)))
        stop_input(c("{.arg file} must be a whole gzipped file.", x = "{.file {file}} is damaged or cut off.",
                     i = "Was the download interrupted?"),
                   class = "file", call = call)
    check_interrupt()
    if (any(bytes == 0))
        stop_input(c("{.arg file} must be text, plain or gzipped.", x = "{.file {file}} is binary."),
                   class = "file", call = call)
    bytes[bytes == charToRaw("\r")] <- charToRaw("\n")
    if (identical(utils::head(bytes, 3), as.raw(c(0xef, 0xbb, 0xbf)))) bytes <- bytes[-(1:3)]      # byte-order mark
    check_interrupt()
    lines <- strsplit(rawToChar(bytes), "\n", fixed = TRUE, useBytes = TRUE)[[1]]
    lines <- lines[grepl("[^ \t]", lines, useBytes = TRUE)]
    if (!length(lines))
        stop_input(c("{.arg file} must hold text.", x = "{.file {file}} is empty."),
                   class = "file", call = call)
    check_interrupt()
    foreign <- !validUTF8(lines)
    lines[foreign] <- iconv(lines[foreign], "latin1", "UTF-8")
    lines
}

read_whole_file <- function(file) {
    connection <- gzfile(file, "rb")
    on.exit(close(connection))
    blocks <- list()
    while (length(block <- readBin(connection, "raw", 2^24))) blocks[[length(blocks) + 1L]] <- block
    do.call(c, c(list(raw()), blocks))
}

# A gzip file ends with the length of its last member; one that was cut ends with four bytes of something else, which
# almost always read as far more than what came out. gzfile() itself says nothing.
is_cut_off <- function(file, length_bytes) {
    packed <- readBin(file, "raw", file.size(file))
    if (!identical(packed[1:2], as.raw(c(0x1f, 0x8b)))) return(FALSE)
    sum(as.integer(utils::tail(packed, 4)) * 256^(0:3)) > length_bytes
}

# `lines`: a FASTA file, or a GFF3 file whose sequences begin at the first ">", with or without a ##FASTA line before.
parse_genome <- function(lines, file, call = parent.frame()) {
    headers <- which(startsWith(lines, ">"))
    before <- lines[seq_len(if (length(headers)) headers[1] - 1L else length(lines))]
    is_gff <- any(grepl("^##|\t", before, useBytes = TRUE))
    if (!length(headers) || length(before) && !is_gff)
        stop_input(c("{.arg file} must be FASTA, or GFF3 with a FASTA section.",
                     x = if (is_gff) "{.file {file}} is GFF3 without sequence."
                         else "{.file {file}} begins with {.val {substr(lines[1], 1, 60)}}.",
                     i = if (is_gff) "Read the genome from its own FASTA file?"),
                   class = "file", call = call)
    contig <- findInterval(seq_along(lines), headers)
    description <- trimws(substring(lines[headers], 2))
    ids <- sub("[ \t].*", "", description)
    is_base <- contig > 0 & !startsWith(lines, ">")
    sequence <- vapply(split(lines[is_base], factor(contig[is_base], seq_along(headers))), paste, "", collapse = "")
    sequence <- chartr("u", "U", gsub("[ \t]", "", sequence))
    check_interrupt()
    check_contig_names(ids, sequence, call)
    circular <- grepl("(topology|circular)=(circular|true|yes|y)\\b", description, ignore.case = TRUE) |
        ids %in% sub("\t.*", "", grep("\t.*\\bIs_circular=true", before, value = TRUE))
    sequence <- dna_letters(sequence, ids, call)
    genome <- stats::setNames(Biostrings::DNAStringSet(sequence), ids)
    S4Vectors::mcols(genome) <- S4Vectors::DataFrame(description = description, circular = circular, whole_bp = Biostrings::width(genome))
    genome
}

check_contig_names <- function(ids, sequence, call) {
    problem <- if (!all(nzchar(ids))) "Header {which(!nzchar(ids))} {?has/have} no name."
        else if (anyDuplicated(ids)) "{.val {unique(ids[duplicated(ids)])}} {?appears/appear} more than once."
        else if (!all(nzchar(sequence))) "{.val {ids[!nzchar(sequence)]}} {?has/have} no sequence."
    if (!is.null(problem))
        stop_input(c("Each contig must have a name of its own and a sequence.", x = problem),
                   class = "contigs", call = call)
}

# The sequences in upper case and with T for U, or an error that shows the letters that are not DNA.
dna_letters <- function(sequence, ids, call) {
    sequence <- toupper(sequence)
    check_interrupt()
    strange <- grepl("[^ACGTURYSWKMBDHVN]", sequence, perl = TRUE)
    if (any(strange)) {
        letters_found <- sort(unique(strsplit(paste(gsub("[ACGTURYSWKMBDHVN]", "", sequence[strange]), collapse = ""), "")[[1]]))
        protein <- all(c("E", "F", "L") %in% letters_found)
        stop_input(c("Sequences must be DNA: A, C, G, T, U and the IUPAC letters R, Y, S, W, K, M, B, D, H, V, N.",
                     x = "{.val {ids[strange]}} {?has/have} {.val {letters_found}}.",
                     i = if (protein) "Is this a protein FASTA?" else if ("-" %in% letters_found) "Is this an alignment?"),
                   class = "letters", call = call)
    }
    with_u <- grepl("U", sequence, fixed = TRUE)
    if (any(with_u)) cli::cli_inform("Reading U as T in {.val {ids[with_u]}}.")
    sequence[with_u] <- chartr("U", "T", sequence[with_u])
    sequence
}

circular_flags <- function(circular, ids, call = parent.frame()) {
    if (is.character(circular) && all(circular %in% ids)) return(ids %in% circular)
    if (is.logical(circular) && !anyNA(circular) && length(circular) %in% c(1L, length(ids)))
        return(rep(circular, length.out = length(ids)))
    given <- if (is.character(circular)) "{.val {setdiff(circular, ids)}} {?is/are} no contig of the file."
        else "It is {.obj_type_friendly {circular}} of length {length(circular)}."
    stop_input(c("{.arg circular} must be names of contigs, one logical, or one logical a contig.", x = given,
                 i = "The file has {length(ids)} contig{?s}: {.val {ids}}."), call = call)
}
