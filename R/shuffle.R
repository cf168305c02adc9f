# R/shuffle.R: sequences in random order.

#' Shuffle sequences
#'
#' Random orders of the letters of each sequence: of single letters, or such that every dinucleotide appears as often as before.
#'
#' The shuffle of dinucleotides is uniform: every sequence with the same first and last letter and the same dinucleotides is as likely as every
#' other. Its last steps are a random tree (Wilson 1996), its walk that of Altschul and Erickson (1985). Shortcuts in common use do
#' not reach all of them: of the 72 shuffles of `ACCCACGATGATA` one of them finds 9.
#'
#' Letters that are no A, C, G or T stay where they are, and for dinucleotides the stretches between them are shuffled by themselves. A
#' sequence that has no other order of its dinucleotides, such as `ACTGACTGACTG`, is shuffled by single letters, with a warning.
#'
#' What is drawn depends on `seed`, the replicate and the number of the sequence, and on nothing else.
#' @param sequences A `DNAStringSet`, or a character vector.
#' @param type `"dinucleotide"`, or `"position"`: single letters.
#' @param replicates How many shuffles of each sequence.
#' @param seed A whole number for the same draws again; `NULL` takes one from R's generator.
#' @param threads Threads, see [thread_count()]. The result does not depend on it.
#' @return A `DNAStringSet`: all sequences once for each replicate, under the names of the sequences.
#' @section Errors: `nucleograd_error_argument`. A warning `nucleograd_warning_alone` where a sequence is its only shuffle.
#' @source Altschul and Erickson (1985), Significance of nucleotide sequence alignments, \doi{10.1093/oxfordjournals.molbev.a040370};
#'   Wilson (1996), Generating random spanning trees more quickly than the cover time, \doi{10.1145/237814.237880}.
#' @examples
#' shuffle_sequences("ACCCACGATGATA", replicates = 3, seed = 1)
#' @export
shuffle_sequences <- function(sequences, type = c("dinucleotide", "position"), replicates = 1, seed = NULL, threads = NULL) {
    if (is.character(sequences) && !anyNA(sequences)) sequences <- Biostrings::DNAStringSet(sequences)
    if (!is(sequences, "DNAStringSet"))
        stop_input("{.arg sequences} must be a {.cls DNAStringSet} or a character vector, not {.obj_type_friendly {sequences}}.")
    type <- check_choice(type, c("dinucleotide", "position"))
    replicates <- check_number(replicates, min = 1, max = 1e6)
    seed <- seed_or_draw(seed)
    run <- run_settings(threads)
    widths <- as.numeric(Biostrings::width(sequences))
    if (!sum(widths)) return(rep(sequences, replicates))
    codes <- base_codes(unlist(sequences))
    starts <- cumsum(c(1, widths))[seq_along(widths)]
    letters <- charToRaw(as.character(unlist(sequences)))
    ambiguous <- which(codes >= as.raw(4))
    alone <- 0
    shuffled <- function(replicate) {
        found <- .Call(C_shuffle, codes, starts, widths, as.numeric(seq_along(widths)), type == "dinucleotide", seed, replicate,
                       "", run, environment())
        alone <<- alone + found[[2]]
        drawn <- charToRaw("ACGTNNNN")[as.integer(found[[1]]) + 1L]
        drawn[ambiguous] <- letters[ambiguous]
        drawn
    }
    together <- max(1, floor(2^28 / length(letters)))                  # replicates that become one set at a time
    made <- lapply(split(seq_len(replicates), (seq_len(replicates) - 1) %/% together), function(some) {
        text <- Biostrings::DNAString(rawToChar(unlist(lapply(some, shuffled))))
        each <- rep(widths, length(some))
        Biostrings::DNAStringSet(text, start = cumsum(c(1, each))[seq_along(each)], width = each)
    })
    warn_alone(alone)
    stats::setNames(do.call(c, unname(made)), rep(names(sequences), replicates))
}

# The seed given, or one from R's generator; NULL where nothing is drawn.
seed_or_draw <- function(seed, random = TRUE, call = parent.frame()) {
    if (!is.null(seed)) seed <- check_number(seed, 0, .Machine$integer.max, name = "seed", call = call)
    if (!random) NULL else if (is.null(seed)) as.numeric(sample.int(.Machine$integer.max, 1)) else seed
}
