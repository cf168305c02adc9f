#' Scores for a genome browser
#'
#' `export()` writes the per-base scores (the sums of the four channels) as a track. The coercions give them to the rest of Bioconductor.
#' @param object An `Attribution`.
#' @param con Path of the file to write; its ending says what: `.bw` or `.bigWig`, `.bedGraph` or `.bg`. An existing file is replaced, and
#'   only once the new one is complete.
#' @param format Not used: the ending of `con` decides.
#' @param ... Not used.
#' @return `export()`: `con`, invisibly. Bases without a score are left out of the file; bigWig stores 32-bit numbers.
#'   `as(object, "RleList")`: one numeric `Rle` a contig, `NA` where there is no score. `as(object, "GRanges")`: one range of width 1 a
#'   base, in order, with the column `score`.
#' @section Errors: `nucleograd_error_argument`: the ending of `con` is none of these. `nucleograd_error_file`: the file cannot be written.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 855000)
#' scores <- attribution(example_model(), piece, nodes = 5)
#' track <- tempfile(fileext = ".bedGraph")
#' rtracklayer::export(scores, track)
#' as(scores, "RleList")
#' @name export-Attribution
#' @aliases export,Attribution,character,ANY-method
#' @importFrom BiocIO export
#' @exportMethod export
setMethod("export", signature("Attribution", "character", "ANY"), function(object, con, format, ...) {
    kind <- track_kind(con)
    track <- scored_ranges(methods::as(object, "RleList"), GenomeInfoDb::seqinfo(object))
    unfinished <- tempfile("unfinished-", dirname(con), paste0(".", kind))
    on.exit(unlink(unfinished))
    written <- tryCatch({
        rtracklayer::export(track, unfinished, format = kind)
        file.rename(unfinished, con)
    }, error = conditionMessage)
    if (!isTRUE(written))
        stop_input(c("{.arg con} must be a file that can be written.", x = "{.file {con}} was not: {written}"), class = "file")
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

track_kind <- function(con, call = parent.frame()) {
    ending <- if (length(con) == 1) tolower(tools::file_ext(con)) else ""
    kind <- c(bw = "bw", bigwig = "bw", bedgraph = "bedGraph", bg = "bedGraph")[ending]
    if (is.na(kind))
        stop_input("{.arg con} must be one path that ends in {.or {.val {c('.bw', '.bigWig', '.bedGraph', '.bg')}}}, not {.val {con}}.",
                   call = call)
    unname(kind)
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
