# R/motif-negatives.R: sequences without the signal, to train a classifier of regions against.

#' Negative sequences for a classifier of regions
#'
#' As many sequences as there are positive ones, for [motif_network()] or [fit_model()] to tell apart from them.
#'
#' `"genome"`: windows at random, every place of `genome` as likely (contigs by their length), that overlap no positive region.
#' `"gc"`: of 50 times as many of them, for each positive region one with its share of G and C, to a hundredth where there is one.
#' `"dinucleotide"`: the positive sequences with their dinucleotides in another order, see [shuffle_sequences()]. A network that learns against
#' `"genome"` may learn GC content alone, which the message and the column `gc` show; one that learns against shuffles may learn
#' that real DNA has repeats.
#'
#' No window has more than 5 % letters outside ACGT.
#' @param x The positive regions: a `GRanges` on `genome`, all of one width; for `"dinucleotide"` also sequences.
#' @param genome A `DNAStringSet`, best from [read_genome()]; not needed for shuffles of sequences.
#' @param method `"genome"`, `"gc"` or `"dinucleotide"`; see Details.
#' @param seed A whole number; `NULL`: one draw of R's generator.
#' @param threads Threads; see [thread_count()].
#' @return A `DNAStringSet` of the positives' number and width, with a column `gc` (share, 0 to 1); windows are named
#'   `contig:start-end`, shuffles after their sequence.
#' @section Errors: `nucleograd_error_regions`, `nucleograd_error_contigs`: regions that do not lie on the genome. `nucleograd_error_argument`:
#'   widths differ, or the genome has too few windows without positives.
#' @source Tseng and others (2024), \doi{10.48550/arXiv.2410.06211}, train against random windows; the other two are of this package.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 1, 100000)
#' peaks <- GenomicRanges::GRanges(names(piece),
#'                                 IRanges::IRanges(seq(1001, by = 2000, length.out = 40),
#'                                                  width = 200))
#' motif_negatives(peaks, piece, "gc", seed = 1)
#' @export
motif_negatives <- function(x, genome = NULL, method = c("genome", "gc", "dinucleotide"), seed = NULL, threads = NULL) {
    method <- check_choice(method, c("genome", "gc", "dinucleotide"))
    seed <- seed_or_draw(seed)
    if (is(x, "GRanges")) {
        check_is(genome, "DNAStringSet", "read_genome")
        x <- check_regions(x, genome, "x")
        if (!length(x)) stop_input("{.arg x} must have a region or more.")
        length <- unique(GenomicRanges::width(x))
        if (length(length) > 1) stop_input("All regions of {.arg x} must have the same width; found {min(length)} to {max(length)} bases.")
        positive <- sequences_at(genome, GenomicRanges::seqnames(x), GenomicRanges::start(x), length)
        names(positive) <- if (is.null(names(x))) as.character(x) else names(x)
    } else {
        if (method != "dinucleotide") stop_input("{.arg x} must be a {.cls GRanges} for windows of a genome, not {.obj_type_friendly {x}}.")
        positive <- if (is.character(x) && !anyNA(x)) Biostrings::DNAStringSet(x) else x
        check_is(positive, "DNAStringSet", "read_genome", name = "x")
    }
    negative <- if (method == "dinucleotide") shuffle_sequences(positive, seed = seed, threads = threads)
                else random_windows(x, genome, length, length(x) * if (method == "gc") 50 else 1, seed, environment())
    if (method == "gc") negative <- negative[matched_gc(gc_share(positive), gc_share(negative))]
    S4Vectors::mcols(negative)$gc <- gc_share(negative)
    cli::cli_inform("GC content: {round(100 * mean(gc_share(positive)), 1)} % of the positives, {round(100 * mean(gc_share(negative)), 1)} % of the negatives.")
    negative
}

gc_share <- function(x) {
    counts <- Biostrings::letterFrequency(x, c("A", "C", "G", "T"))
    rowSums(counts[, c("C", "G"), drop = FALSE]) / pmax(rowSums(counts), 1)
}

# Pieces of a genome; over the origin of a circular contig they go on at its beginning.
sequences_at <- function(genome, contig, start, length) {
    contig <- as.character(contig)
    known <- Biostrings::width(genome)[match(contig, names(genome))]
    over <- start + length - 1 > known
    pieces <- Biostrings::DNAStringSet(rep("", length(start)))
    pieces[!over] <- Biostrings::subseq(genome[contig[!over]], start[!over], width = length)
    for (k in which(over)) {
        text <- genome[[contig[k]]]
        pieces[[k]] <- c(Biostrings::subseq(text, start[k]), Biostrings::subseq(text, 1, start[k] + length - 1 - known[k]))
    }
    pieces
}

random_windows <- function(x, genome, length, n, seed, call) {
    places <- pmax(0, Biostrings::width(genome) - length + 1)
    kept <- NULL
    for (round in 0:19) {
        drawn <- if (sum(places)) .Call(C_random, seed, round, 2 * n, sum(places)) else numeric()
        contig <- findInterval(drawn, cumsum(places)) + 1
        start <- drawn - c(0, cumsum(places))[contig] + 1
        here <- GenomicRanges::GRanges(factor(names(genome)[contig], names(genome)), IRanges::IRanges(start, width = length))
        here <- here[!IRanges::overlapsAny(here, x, ignore.strand = TRUE)]
        found <- sequences_at(genome, GenomicRanges::seqnames(here), GenomicRanges::start(here), length)
        names(found) <- as.character(here)
        known <- rowSums(Biostrings::letterFrequency(found, c("A", "C", "G", "T")))
        found <- found[known >= 0.95 * length]
        kept <- if (is.null(kept)) found else c(kept, found)
        kept <- kept[!duplicated(names(kept))]
        if (length(kept) >= n) return(kept[seq_len(n)])
    }
    stop_input("{.arg genome} must have {n} window{?s} of {length} bases outside {.arg x}; {length(kept)} {?was/were} found.", call = call)
}

# For each share one of the candidates: of those that agree to a hundredth the first that is left, else the nearest.
matched_gc <- function(share, candidates) {
    bin <- round(100 * candidates)
    waiting <- split(seq_along(candidates), factor(bin, 0:100))
    wanted <- split(seq_along(share), factor(round(100 * share), 0:100))
    chosen <- rep(NA_integer_, length(share))
    for (name in names(wanted)) {
        count <- min(length(wanted[[name]]), length(waiting[[name]]))
        chosen[wanted[[name]][seq_len(count)]] <- waiting[[name]][seq_len(count)]
    }
    free <- replace(candidates, chosen[!is.na(chosen)], Inf)
    for (k in which(is.na(chosen))) {
        chosen[k] <- which.min(abs(free - share[k]))
        free[chosen[k]] <- Inf
    }
    chosen
}
