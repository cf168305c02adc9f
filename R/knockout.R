# R/knockout.R: what goes with a region.

#' Knock out regions of a genome
#'
#' Replaces one region after the other, all genes of a genome in one call, and says how much of the model's answer goes with it.
#'
#' **Replacement.** `"uniform"`: each base becomes 0.25 of A, C, G and T; `"composition"`: the base frequencies of the genome; four numbers
#' (A, C, G, T); `"zero"`: no base at all, which lies off the simplex of sequences, as a warning says. N and other ambiguous letters stay
#' what they are, rows of zeros. `"dinucleotide"` and `"shuffle"`: shuffles of the region, of its dinucleotides as
#' [shuffle_sequences()] makes them, or of its bases; the answer is the mean over `replicates`. `"deletion"`: the region is cut out, and
#' what follows moves up.
#'
#' **Windows** are as in [predict.Model()]. The effect is the mean over all windows that hold a part of the region, of the difference that
#' the part makes in them: the mean difference of `predict()` on the genome as it is and as it is changed. With `"deletion"` a window keeps
#' the base it begins with and takes in as many bases behind as it has lost; at the end of a linear contig it moves to the left.
#'
#' **Work.** What the model computes of the unchanged windows is kept. Of each change only the cone of rows that it reaches is computed, and
#' a dense layer on a flattened tensor, or a global pooling, is brought up to date by the difference; other layers that read everything are
#' run again. Deletions are run again as a whole.
#' @inheritParams attribution
#' @param regions A `GRanges` on contigs of `genome`, such as [read_annotation()] or [upstream()] give; they may overlap, and on a circular
#'   contig run over the origin. The strand does not matter.
#' @param replacement See Details.
#' @param replicates How many shuffles of each region.
#' @param seed A whole number for the same shuffles again; `NULL` takes one from R's generator. A shuffle depends on it, the place of
#'   the region and the replicate, and on nothing else.
#' @param target Which output of the model, from 1; through all outputs in order if it has several.
#' @param output `"logit"` or `"probability"`, see [attribution()].
#' @return An [Effects-class]: the regions with the columns `prediction`, `changed`, `effect` (`prediction - changed`) and `windows`; with
#'   shuffles also `standard_error`, of the effect, over the replicates. It agrees with brute force to float32 rounding, and does
#'   not depend on threads, memory or which other regions are in the call.
#' @section Errors: `nucleograd_error_contigs`: a region lies on no contig of `genome`. `nucleograd_error_regions`: one leaves its contig, or
#'   what a deletion leaves holds no window. `nucleograd_error_argument`; `nucleograd_error_memory`.
#' @source Zeiler and Fergus (2014), \doi{10.1007/978-3-319-10590-1_53}.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' regions <- GenomicRanges::GRanges("CHLTCG", IRanges::IRanges(seq(1, 3501, 500), width = 300))
#' knockout(example_model(), piece, regions)
#' @export
knockout <- function(model, genome, regions, replacement = "uniform", replicates = 10, seed = NULL, target = 1,
                     output = c("logit", "probability"), window = NULL, step = NULL, threads = NULL, memory_bytes = NULL) {
    check_model(model)
    check_is(genome, "DNAStringSet", "read_genome")
    regions <- check_regions(regions, genome)
    goal <- target_of(model, target, check_choice(output, c("logit", "probability")))
    windows <- genome_windows(model, genome, window, step)
    drawn <- identical(replacement, "dinucleotide") || identical(replacement, "shuffle")
    moves <- identical(replacement, "deletion")
    fill <- if (drawn || moves) numeric(4) else replacement_row(replacement, genome)
    replicates <- check_number(replicates, min = if (drawn) 2 else 1, max = 1e4)
    seed <- seed_or_draw(seed, drawn)
    run <- run_settings(threads, progress = "Knocking out regions", memory_bytes = memory_bytes)
    frame <- environment()
    contents <- if (drawn) shuffled_regions(regions, genome, replacement, replicates, seed, run, frame)
    found <- if (moves) changed_by_shift(model, goal, genome, windows, regions, rep(list(raw()), length(regions)), run, frame)
             else changed_in_place(model, goal, genome, windows, places_of(regions), contents, fill, run, frame)
    if (drawn) {
        answers <- matrix(found$changed, replicates)
        found$changed <- colMeans(answers)
        found$standard_error <- sqrt(colSums((answers - rep(found$changed, each = replicates))^2) / (replicates - 1) / replicates)
    }
    name <- if (!is.character(replacement)) "the given row"
            else if (drawn) paste0(replicates, if (replacement == "shuffle") " shuffles" else " shuffles of dinucleotides",
                                   ", seed ", format(seed, scientific = FALSE))
            else replacement
    new_effects(regions, found, 1, effect_settings("Knock-out", "F(x) - F(x without it)", model, goal, target, found, name))
}

# What changed_in_place() puts into the regions: shuffles of each.
shuffled_regions <- function(regions, genome, word, replicates, seed, run, frame) {
    width <- as.numeric(BiocGenerics::width(regions))
    before <- cumsum(width) - width
    codes <- raw(sum(width) * replicates)
    alone <- 0
    run[[3]] <- function(done) NULL
    on <- as.character(GenomeInfoDb::seqnames(regions))
    for (contig in unique(on)) {
        here <- which(on == contig)
        start <- as.numeric(BiocGenerics::start(regions)[here])
        letters <- base_codes(genome[[contig]])
        for (replicate in seq_len(replicates)) {
            found <- .Call(C_shuffle, letters, start, width[here], start, word == "dinucleotide", seed, replicate, contig, run, frame)
            codes[rep(before[here] * replicates + (replicate - 1) * width[here], width[here]) + sequence(width[here])] <- found[[1]]
            alone <- alone + found[[2]]
        }
    }
    warn_alone(alone)
    list(variants = rep(replicates, length(regions)), codes = codes)
}

# The row of four numbers that takes the place of a base.
replacement_row <- function(replacement, genome, call = parent.frame()) {
    if (is.character(replacement)) {
        replacement <- check_choice(replacement, replacements, call = call)
    } else if (!is.numeric(replacement) || length(replacement) != 4 || !all(is.finite(replacement))) {
        stop_input(c("{.arg replacement} must be {.val uniform}, {.val composition}, {.val zero}, {.val dinucleotide}, {.val shuffle}, {.val deletion} or four numbers (A, C, G, T).",
                     x = "It is {friendly(replacement)}."), call = call)
    }
    baseline_numbers(replacement, genome, 1, call)
}

replacements <- c("uniform", "composition", "zero", "dinucleotide", "shuffle", "deletion")

effect_settings <- function(what, sign, model, goal, target, found, replacement = NULL) {
    list(what = what, sign = sign, model = model@name, target = target, target_name = goal$name, output = goal$level,
         replacement = replacement, work = found$work, operations = found$operations)
}
