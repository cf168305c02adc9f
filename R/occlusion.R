# R/occlusion.R: a curtain that slides along the genome.

#' Occlude one place after the other
#'
#' Replaces `width` bases every `step_bp` along the genome, or along regions of it, and says what the model's answer loses each time.
#' @inheritParams knockout
#' @param width How many bases are replaced at a time.
#' @param step_bp Distance from one place to the next in bp; `NULL`: `width`. The last place of a contig or region ends with it.
#' @param regions A `GRanges` on contigs of `genome`: where; `NULL`: everywhere.
#' @param replacement `"uniform"`, `"composition"`, `"zero"` or four numbers, see [knockout()].
#' @return An [Effects-class], one range for each place; see [knockout()].
#' @inheritSection knockout Errors
#' @source Zeiler and Fergus (2014), \doi{10.1007/978-3-319-10590-1_53}.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' occlusion(example_model(), piece, width = 100)
#' @export
occlusion <- function(model, genome, width = 50, step_bp = NULL, regions = NULL, replacement = "uniform", target = 1,
                      output = c("logit", "probability"), window = NULL, step = NULL, threads = NULL, memory_bytes = NULL) {
    check_model(model)
    check_is(genome, "DNAStringSet", "read_genome")
    width <- check_number(width, 1, .Machine$integer.max)
    step_bp <- if (is.null(step_bp)) width else check_number(step_bp, 1, .Machine$integer.max)
    regions <- if (is.null(regions)) whole_contigs(genome) else check_regions(regions, genome)
    goal <- target_of(model, target, check_choice(output, c("logit", "probability")))
    windows <- genome_windows(model, genome, window, step)
    fill <- replacement_row(check_in_place(replacement), genome)
    run <- run_settings(threads, progress = "Occluding", memory_bytes = memory_bytes)
    places <- places_in(regions, width, step_bp)
    found <- changed_in_place(model, goal, genome, windows, places_of(places), NULL, fill, run, environment())
    new_effects(places, found, 1, effect_settings("Occlusion", "F(x) - F(x without it)", model, goal, target, found,
                                                  if (is.character(replacement)) replacement else "the given row"))
}

check_in_place <- function(replacement, name = deparse1(substitute(replacement)), call = parent.frame()) {
    if (!is.character(replacement)) return(replacement)
    check_choice(replacement, c("uniform", "composition", "zero"), name = name, call = call)
}

whole_contigs <- function(genome) {
    known <- genome_seqinfo(genome)
    GenomicRanges::GRanges(names(genome), IRanges::IRanges(1, GenomeInfoDb::seqlengths(known)), seqinfo = known)
}

# Places of `width` bp every `step_bp`, the last one at the end; regions that are shorter are one place.
places_in <- function(regions, width, step_bp) {
    bp <- BiocGenerics::width(regions)
    starts <- lapply(bp, function(length_bp) if (length_bp <= width) 1 else window_starts(length_bp, width, step_bp, FALSE))
    number <- rep(seq_along(regions), lengths(starts))
    from <- BiocGenerics::start(regions)[number] + unlist(starts) - 1
    length_bp <- GenomeInfoDb::seqlengths(regions)[as.character(GenomeInfoDb::seqnames(regions))[number]]
    GenomicRanges::GRanges(GenomeInfoDb::seqnames(regions)[number],
                           IRanges::IRanges((from - 1) %% unname(length_bp) + 1, width = pmin(width, bp[number])),
                           seqinfo = GenomeInfoDb::seqinfo(regions))
}
