# R/deepg.R: integrated gradients exactly as deepG computes them.

#' Integrated gradients as deepG computes them
#'
#' Reproduces deepG's `integrated_gradients()` number by number: `m_steps + 1` points of the path with both ends, trapezoid weights, the
#' model's probability (after its last activation), a baseline of zeros or of permuted positions. It is there to compare with
#' older results; [attribution()] has better defaults (a baseline inside the space of sequences, the midpoint rule, the logit) and
#' reads whole genomes.
#'
#' The same call with [attribution()] is `attribution(model, x, baseline = "zero", rule = "trapezoid", nodes = m_steps, output =
#' "probability", target = target_class_idx)`; this function adds the permutations, drawn by `sample()` in deepG's order, so that the
#' same `set.seed()` gives the same ones, and its form of the result.
#' @param model A [Model-class].
#' @param input_seq An array (1, length, channels), or a list of arrays for a model of several inputs.
#' @param target_class_idx Which output, from 1.
#' @param m_steps Intervals of the path, a whole number from 1.
#' @param baseline_type `"zero"`, or `"shuffle"`: the rows of each input in random order.
#' @param num_baseline_repeats With `"shuffle"`: over how many baselines scores are averaged.
#' @param threads Threads, see [thread_count()].
#' @return A matrix (length x channels), or a list of matrices, with the attribute `windows`: `output`, `baseline_output`,
#'   `attributed` and the completeness `gap`, means over baselines.
#' @section Errors: `nucleograd_error_argument`.
#' @source deepG, <https://github.com/GenomeNet/deepG>; Sundararajan, Taly and Yan (2017),
#'   \url{https://proceedings.mlr.press/v70/sundararajan17a.html}.
#' @examples
#' x <- encode_sequences(as.character(Biostrings::subseq(example_genome()[[1]], 853001, 853500)),
#'                       window = 500)
#' scores <- attribution_as_deepg(example_model(), x, m_steps = 10)
#' attr(scores, "windows")
#' @export
attribution_as_deepg <- function(model, input_seq, target_class_idx = 1, m_steps = 50, baseline_type = c("zero", "shuffle"), num_baseline_repeats = 1,
                                 threads = NULL) {
    check_model(model)
    baseline_type <- check_choice(baseline_type, c("zero", "shuffle"))
    m_steps <- check_number(m_steps, min = 1, max = 1e5)
    repeats <- check_number(num_baseline_repeats, min = 1, max = 1e4)
    goal <- targets_of(model, check_number(target_class_idx, min = 1, max = 1e9), "probability")
    given <- if (is.list(input_seq)) input_seq else list(input_seq)
    check_arrays(model, given)
    if (any(vapply(given, nrow, 0L) != 1)) stop_input("{.arg input_seq} must hold one sample, an array (1, length, channels).")
    path <- list(single_precision(seq(0, m_steps) * single_precision(1 / m_steps)), c(0.5, rep(1, m_steps - 1), 0.5) / m_steps, TRUE)
    path[[1]][m_steps + 1] <- 1
    runs <- lapply(seq_len(if (baseline_type == "zero") 1 else repeats), function(run) {
        baselines <- lapply(given, function(x) if (baseline_type == "zero") 0 * x else x[, sample(dim(x)[2]), , drop = FALSE])
        attribute_arrays(model, given, baselines, goal, list(method = "ig", path = path), NULL, run_settings(threads), environment())
    })
    mean_of <- function(part) Reduce(`+`, lapply(runs, part)) / length(runs)
    scores <- lapply(seq_along(given), function(k) matrix(mean_of(function(run) run[[k]]), dim(given[[k]])[2]))
    windows <- mean_of(function(run) attr(run, "windows"))
    structure(if (is.list(input_seq)) scores else scores[[1]], windows = windows)
}

# TensorFlow places the points in float32.
single_precision <- function(x) readBin(writeBin(x, raw(), size = 4), "double", length(x), size = 4)
