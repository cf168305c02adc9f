# R/knockout.R: what goes with a region.

#' Knock out regions of a genome
#'
#' Replaces one region after the other, all genes of a genome in one call, and says how much of the model's answer goes with it.
#'
#' **Replacement.** `"uniform"`: each base becomes 0.25 of A, C, G and T; `"composition"`: the base frequencies of the genome; four numbers
#' (A, C, G, T); `"zero"`: no base at all, which lies off the simplex of sequences, as a warning says. N and other ambiguous letters stay
#' what they are, rows of zeros. `"deletion"`: the region is cut out, and what follows moves up.
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
#' @return An [Effects-class]: the regions with the columns `prediction`, `changed`, `effect` (`prediction - changed`) and `windows`. It
#'   agrees with brute force to float32 rounding, and does not depend on threads, memory or which other regions are in the call.
#' @section Errors: `nucleograd_error_contigs`: a region lies on no contig of `genome`. `nucleograd_error_regions`: one leaves its contig, or
#'   what a deletion leaves holds no window. `nucleograd_error_argument`; `nucleograd_error_memory`.
#' @source Zeiler and Fergus (2014), \doi{10.1007/978-3-319-10590-1_53}.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' regions <- GenomicRanges::GRanges("CHLTCG", IRanges::IRanges(seq(1, 3501, 500), width = 300))
#' knockout(example_model(), piece, regions)
#' @export
knockout <- function(model, genome, regions, replacement = "uniform", target = 1, output = c("logit", "probability"), window = NULL,
                     step = NULL, threads = NULL, memory_bytes = NULL) {
    check_model(model)
    check_is(genome, "DNAStringSet", "read_genome")
    regions <- check_regions(regions, genome)
    goal <- target_of(model, target, check_choice(output, c("logit", "probability")))
    windows <- genome_windows(model, genome, window, step)
    fill <- if (identical(replacement, "deletion")) NULL else replacement_row(replacement, genome)
    run <- run_settings(threads, progress = "Knocking out regions", memory_bytes = memory_bytes)
    frame <- environment()
    found <- if (is.null(fill)) changed_by_shift(model, goal, genome, windows, regions, rep(list(raw()), length(regions)), run, frame)
             else changed_in_place(model, goal, genome, windows, regions, NULL, fill, run, frame)
    new_effects(regions, found, 1, effect_settings("Knock-out", "F(x) - F(x without it)", model, goal, target, found,
                                                   if (is.character(replacement)) replacement else "the given row"))
}

# The row of four numbers that takes the place of a base.
replacement_row <- function(replacement, genome, call = parent.frame()) {
    if (is.character(replacement)) {
        replacement <- check_choice(replacement, c("uniform", "zero", "composition", "deletion"), call = call)
    } else if (!is.numeric(replacement) || length(replacement) != 4 || !all(is.finite(replacement))) {
        stop_input(c("{.arg replacement} must be {.val uniform}, {.val composition}, {.val zero}, {.val deletion} or four numbers (A, C, G, T).",
                     x = "It is {friendly(replacement)}."), call = call)
    }
    baseline_numbers(replacement, genome, 1, call)
}

effect_settings <- function(what, sign, model, goal, target, found, replacement = NULL) {
    list(what = what, sign = sign, model = model@name, target = target, target_name = goal$name, output = goal$level,
         replacement = replacement, work = found$work, operations = found$operations)
}
