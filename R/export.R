#' Scores for a genome browser, a notebook or a later session
#'
#' `export()` writes scores: the per-base scores (the sums of the four channels) as a track, those of genes as a GFF3, or all four
#' channels with everything that `read_attribution()` needs to give the same `Attribution` again. The coercions give the per-base
#' scores to the rest of Bioconductor.
#'
#' **HDF5.** Each contig has a group `contig_1`, `contig_2`, ... with `scores`, 64-bit numbers (bp x 4 to h5py, columns A, C, G, T),
#' and `sequence`, the letters as bytes; both are chunked along the contig and compressed, so that a piece is read without the
#' rest. The group `windows` has one dataset a column: `contig` (a number), `start`, `end` (1-based, closed) and the checks. `contigs`,
#' `settings` and `window_columns` (their order) are JSON, as bytes. Equal scores make files that are equal byte for byte.
#' @param object An `Attribution`.
#' @param con Path of the file to write; its ending says what: `.bw` or `.bigWig`, `.bedGraph` or `.bg`, `.gff3` or `.gff`, `.h5` or
#'   `.hdf5`. An existing file is replaced, and only once the new one is complete.
#' @param format Not used: the ending of `con` decides.
#' @param annotation For GFF3: the features, a `GRanges` from [read_annotation()] or your own; the score of each is the mean over its
#'   bases.
#' @param ... Not used.
#' @param file Path of an HDF5 file that `export()` wrote.
#' @return `export()`: `con`, invisibly. Bases without a score are left out of a track, features without one have the score "." in
#'   a GFF3; bigWig stores 32-bit numbers. `read_attribution()`: an [Attribution-class].
#'   `as(object, "RleList")`: one numeric `Rle` a contig, `NA` where there is no score. `as(object, "GRanges")`: one range of width 1 a
#'   base, in order, with the column `score`.
#' @section Errors: `nucleograd_error_argument`: the ending of `con` is none of these, or a GFF3 lacks the annotation.
#'   `nucleograd_error_file`: the file cannot be written, or is not one of attributions. `nucleograd_error_contigs`: the annotation lies
#'   on other contigs. `nucleograd_error_package`: rhdf5 is not installed.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 855000)
#' scores <- attribution(example_model(), piece, nodes = 5)
#' track <- tempfile(fileext = ".bedGraph")
#' rtracklayer::export(scores, track)
#' as(scores, "RleList")
#' if (requireNamespace("rhdf5", quietly = TRUE)) {
#'     file <- rtracklayer::export(scores, tempfile(fileext = ".h5"))
#'     read_attribution(file)
#' }
#' @name export-Attribution
#' @aliases export,Attribution,character,ANY-method
#' @importFrom BiocIO export
#' @exportMethod export
setMethod("export", signature("Attribution", "character", "ANY"), function(object, con, format, annotation = NULL, ...) {
    kind <- export_kind(con, annotation, quote(export()))
    unfinished <- tempfile("unfinished-", dirname(con), paste0(".", kind))
    on.exit(unlink(unfinished))
    content <- switch(kind, h5 = object, gff3 = scored_features(object, annotation, quote(export())),
                      scored_ranges(methods::as(object, "RleList"), GenomeInfoDb::seqinfo(object)))
    written <- tryCatch({
        if (kind == "h5") write_attribution(content, unfinished) else write_ranges(content, unfinished, kind)
        file.rename(unfinished, con)
    }, error = conditionMessage)
    if (!isTRUE(written))
        stop_input(c("{.arg con} must be a file that can be written.", x = "{.file {con}} was not: {written}"), class = "file",
                   call = quote(export()))
    invisible(con)
})

methods::setAs("Attribution", "RleList", function(from) {
    contigs <- stats::setNames(nm = names(from@scores))
    IRanges::RleList(lapply(contigs, function(contig) S4Vectors::Rle(base_scores(from, contig))), compress = FALSE)
})

methods::setAs("Attribution", "GRanges", function(from) {
    known <- GenomeInfoDb::seqinfo(from)
    contigs <- GenomeInfoDb::seqnames(known)
    length_bp <- GenomeInfoDb::seqlengths(known)
    GenomicRanges::GRanges(S4Vectors::Rle(factor(contigs, contigs), length_bp), IRanges::IRanges(sequence(length_bp), width = 1),
                           score = unlist(lapply(contigs, function(contig) base_scores(from, contig))), seqinfo = known)
})

export_kind <- function(con, annotation, call) {
    endings <- c(bw = "bw", bigwig = "bw", bedgraph = "bedGraph", bg = "bedGraph", gff3 = "gff3", gff = "gff3", h5 = "h5", hdf5 = "h5")
    kind <- unname(endings[if (length(con) == 1) tolower(tools::file_ext(con)) else ""])
    if (is.na(kind))
        stop_input(c("{.arg con} must be one path that ends in .bw, .bigWig, .bedGraph, .bg, .gff3, .gff, .h5 or .hdf5, not {.val {con}}."),
                   call = call)
    if (kind == "h5") need_package("rhdf5", "This kind of file", call)
    if ((kind == "gff3") == is.null(annotation))
        stop_input(c("{.arg annotation} must be there for a GFF3, and for no other file.",
                     i = if (is.null(annotation)) "Read one with {.fun read_annotation}."), call = call)
    if (!is.null(annotation)) check_is(annotation, "GRanges", "read_annotation", call = call)
    kind
}

# Annotation rarely says the phase of a CDS; that the file then lacks it needs no warning.
write_ranges <- function(ranges, file, kind) {
    withCallingHandlers(rtracklayer::export(ranges, file, format = kind), warning = function(warning)
        if (grepl("phase information is missing", conditionMessage(warning))) invokeRestart("muffleWarning"))
}

# One range for each run of bases of equal score; those without a score left out.
scored_ranges <- function(scores, known) {
    contigs <- lapply(names(scores), function(contig) {
        runs <- scores[[contig]]
        ranges <- GenomicRanges::GRanges(contig, IRanges::IRanges(S4Vectors::start(runs), S4Vectors::end(runs)),
                                         score = S4Vectors::runValue(runs), seqinfo = known)
        ranges[!is.na(ranges$score)]
    })
    do.call(c, contigs)
}

scored_features <- function(object, annotation, call) {
    features <- features_with_scores(annotation, GenomeInfoDb::seqinfo(object), call)
    features$score <- feature_statistics(features, scored_contigs(object, features))$mean
    features
}
