# R/attribution.R: how much each base speaks for the model's answer.

#' Attribution of a prediction to the bases of a genome
#'
#' What [attribution()] returns for a genome.
#' @slot scores A list named by contig: double matrices (bp x 4), columns A, C, G, T. The score of a base is the sum of its row,
#'   [base_scores()]. `NA` where no window was read.
#' @slot genome The contigs that were read.
#' @slot windows A `GRanges`, one range for each window, with the columns `output` and `baseline_output` (the explained value
#'   for the sequence and for its baseline), `attributed` (the sum of the window's scores) and `gap`, the completeness gap:
#'   `attributed - (output - baseline_output)`.
#' @slot settings A list: model, method, baseline, rule, nodes, target, output and more.
#' @exportClass Attribution
setClass("Attribution", slots = c(scores = "list", genome = "DNAStringSet", windows = "GRanges", settings = "list"))

#' Explain a prediction by integrated gradients
#'
#' Attributes a model's answer to single bases. Integrated gradients follow the straight path from a baseline x' to the sequence
#' x and give base i the score
#' \deqn{(x_i - x'_i) \int_0^1 \frac{\partial F}{\partial x_i}(x' + a (x - x'))\, da,}
#' so that the scores of a window sum to F(x) - F(x'). How far the sum is off, the completeness gap, is part of the result.
#'
#' **Output.** `"logit"` explains the value before a final sigmoid or softmax (of a softmax: the target's minus the mean of the
#' others), `"probability"` the output itself, as deepG does. A model that ends in neither is explained as it is.
#'
#' **Baseline.** `"uniform"`: 0.25 for each of A, C, G, T. `"composition"`: the base frequencies of the genome. `"zero"`: no base
#' at all, as deepG does by default; it lies off the simplex of sequences, per-base scores then depend on components of the
#' gradient that no sequence can reach, and a warning says so. Four numbers (A, C, G, T), or a matrix (window x 4).
#'
#' **Rule.** `"midpoint"`: `nodes` points in the middle of equal intervals. `"trapezoid"`: `nodes + 1` points with both ends, as
#' deepG's `integrated_gradients(m_steps = nodes)`. `"gauss-legendre"`: `nodes` points.
#'
#' **Windows** are as in [predict.Model()]; where they overlap, a base's score is the mean over the windows that cover it.
#' N and other ambiguous letters are rows of zeros in sequence and baseline; their score is 0.
#' @inheritParams predict.Model
#' @param model A [Model-class], from [read_model()].
#' @param method `"ig"`: integrated gradients. `"gradient"`: the gradient at the sequence itself, all four channels; it has no
#'   baseline, and its sum no meaning to check.
#' @param baseline See Details. For arrays also an array of the shape of the input, or a list of baselines, one per input.
#' @param nodes How many points of the path, from 1 to 100,000.
#' @param rule See Details.
#' @param target Which output of the model, from 1; through all outputs in order if it has several.
#' @param output See Details.
#' @return For a genome an [Attribution-class]. For arrays an array of the shape of the input (a list of arrays for several
#'   inputs) with the attribute `windows`: a data.frame with one row per sample, `output`, `baseline_output`, `attributed`, `gap`.
#' @section Errors: `nucleograd_error_argument`; `nucleograd_error_contigs`; `nucleograd_error_memory`: `memory_bytes` does not suffice;
#'   the message says what would.
#' @source Sundararajan, Taly and Yan (2017), Axiomatic attribution for deep networks,
#'   \url{https://proceedings.mlr.press/v70/sundararajan17a.html}.
#' @examples
#' genome <- Biostrings::subseq(example_genome(), 853001, 857000)
#' scores <- attribution(example_model(), genome, nodes = 10)
#' scores
#' @export
attribution <- function(model, genome, method = c("ig", "gradient"), baseline = "uniform", nodes = 50,
                        rule = c("midpoint", "trapezoid", "gauss-legendre"), target = 1, output = c("logit", "probability"), window = NULL,
                        step = NULL, threads = NULL, memory_bytes = NULL) {
    check_model(model)
    method <- check_choice(method, c("ig", "gradient"))
    output <- check_choice(output, c("logit", "probability"))
    rule <- check_choice(rule, c("midpoint", "trapezoid", "gauss-legendre"))
    nodes <- check_number(nodes, min = 1, max = 1e5)
    goal <- target_of(model, target, output)
    path <- if (method == "ig") c(path_rule(nodes, rule), TRUE) else list(1, 1, FALSE)
    if (is.array(genome) || is.list(genome)) {
        refuse_windows(window, step)
        return(attribute_arrays(model, genome, baseline, goal, path, run_settings(threads, memory_bytes = memory_bytes), environment()))
    }
    check_is(genome, "DNAStringSet", "read_genome")
    windows <- genome_windows(model, genome, window, step, tokens = TRUE)
    rows <- BiocGenerics::width(windows)
    baseline_name <- if (is.character(baseline)) baseline else "given"
    baseline <- genome_baseline(baseline, genome, rows)
    run <- run_settings(threads, progress = "Attributing", memory_bytes = memory_bytes)
    scores <- stats::setNames(vector("list", length(genome)), names(genome))
    checks <- matrix(0, 3, length(windows))
    frame <- environment()
    check_memory(model, goal, genome, windows, baseline, path, run, frame)
    for (here in windows_by_contig(windows)) {
        contig <- as.character(GenomicRanges::seqnames(windows))[here[1]]
        request <- contig_request(goal, genome, windows[here], baseline, path)
        found <- advise_memory(.Call(C_attribute_contig, model@pointer, request$wanted, request$cotangents, request$bases, request$starts,
                                     request$window, baseline, path, part_of_run(run, here, length(windows)), frame), model, request, run, frame)
        scores[[contig]] <- mean_over_windows(found[[1]], windows[here])
        checks[, here] <- found[[2]]
    }
    unread <- vapply(scores, is.null, NA)
    scores[unread] <- lapply(Biostrings::width(genome)[unread], function(length_bp) matrix(NA_real_, length_bp, 4, dimnames = list(NULL, bases)))
    S4Vectors::mcols(windows) <- S4Vectors::DataFrame(window_checks(checks, method))
    new("Attribution", scores = scores, genome = genome, windows = windows,
        settings = list(model = model@name, method = method, baseline = if (method == "ig") baseline_name else "none", rule = rule,
                        nodes = if (method == "ig") nodes else 1, target = target, target_name = goal$name, output = goal$level,
                        window = window, step = step))
}

bases <- c("A", "C", "G", "T")

# ---- the path ----

# list(positions, weights) in [0, 1]; the weights sum to 1. Gauss-Legendre: nodes are eigenvalues of the Jacobi matrix of the
# Legendre polynomials (Golub and Welsch 1969, doi:10.1090/S0025-5718-69-99647-1).
path_rule <- function(nodes, rule) {
    k <- seq_len(nodes)
    if (rule == "midpoint") return(list((k - 0.5) / nodes, rep(1 / nodes, nodes)))
    if (rule == "trapezoid") return(list((0:nodes) / nodes, c(0.5, rep(1, nodes - 1), 0.5) / nodes))
    if (nodes == 1) return(list(0.5, 1))
    off <- seq_len(nodes - 1) / sqrt(4 * seq_len(nodes - 1)^2 - 1)
    jacobi <- matrix(0, nodes, nodes)
    jacobi[cbind(k[-1], k[-nodes])] <- jacobi[cbind(k[-nodes], k[-1])] <- off
    system <- eigen(jacobi, symmetric = TRUE)
    weights <- system$vectors[1, ]^2
    order <- order(system$values)
    list((1 + system$values[order]) / 2, weights[order] / sum(weights))
}

# ---- baselines ----

warn_zero <- function() {
    cli::cli_warn(c("A baseline of zeros is no sequence: scores of single bases then depend on parts of the gradient that no sequence can reach.",
                    i = "Use {.code baseline = \"uniform\"} unless you reproduce older results."), class = "nucleograd_warning_zero_baseline")
}

# The baseline's rows as the core reads them: four numbers, or (window, 4) row by row.
genome_baseline <- function(baseline, genome, rows, call = parent.frame()) {
    if (is.character(baseline)) {
        baseline <- check_choice(baseline, c("uniform", "zero", "composition"), call = call)
        if (baseline == "zero") warn_zero()
        counts <- if (baseline == "composition") colSums(Biostrings::alphabetFrequency(genome)[, bases, drop = FALSE])
        return(switch(baseline, uniform = rep(0.25, 4), zero = rep(0, 4), composition = as.numeric(counts / sum(counts))))
    }
    fits <- is.numeric(baseline) && all(is.finite(baseline)) &&
        (if (is.matrix(baseline)) ncol(baseline) == 4 && all(rows == nrow(baseline)) else length(baseline) == 4)
    if (!fits)
        stop_input(c("{.arg baseline} must be {.val uniform}, {.val composition}, {.val zero}, four numbers (A, C, G, T) or a matrix of {rows[1]} x 4, one row for each base of a window.",
                     x = "It is {friendly(baseline)}."), call = call)
    if (is.matrix(baseline)) as.numeric(t(baseline)) else as.numeric(baseline)
}

array_baseline <- function(baseline, shape, count, call) {
    size <- prod(shape)
    channels <- shape[length(shape)]
    if (is.character(baseline)) {
        baseline <- check_choice(baseline, c("uniform", "zero"), name = "baseline", call = call)
        if (baseline == "zero") warn_zero()
        return(rep(if (baseline == "uniform") 1 / channels else 0, size))
    }
    if (is.numeric(baseline) && all(is.finite(baseline))) {
        if (is.null(dim(baseline)) && length(baseline) == channels) return(rep(as.numeric(baseline), size / channels))
        if (identical(as.numeric(dim(baseline)), shape) || identical(as.numeric(dim(baseline)), c(count, shape))) return(row_major(baseline))
        if (identical(as.numeric(dim(baseline)), c(1, shape))) return(row_major(baseline))
    }
    stop_input(c("{.arg baseline} must be {.val uniform}, {.val zero}, {channels} number{?s}, or an array ({paste(shape, collapse = ', ')}), with or without samples in front.",
                 x = "It is {friendly(baseline)}."), call = call)
}

# ---- results ----

mean_over_windows <- function(sums, windows) {
    length_bp <- nrow(sums)
    from <- BiocGenerics::start(windows)
    to <- BiocGenerics::end(windows)
    over <- to > length_bp                                            # over the origin: the rest lies at the contig's beginning
    ranges <- IRanges::IRanges(c(from, rep(1L, sum(over))), c(pmin(to, length_bp), to[over] - length_bp))
    times <- IRanges::coverage(ranges, width = length_bp)
    if (all(S4Vectors::runValue(times) == 1)) return(sums)
    times <- as.numeric(times)
    sums <- sums / times
    sums[times == 0, ] <- NA
    sums
}

window_checks <- function(checks, method) {
    data <- data.frame(output = checks[1, ], baseline_output = checks[2, ], attributed = checks[3, ], gap = checks[3, ] - (checks[1, ] - checks[2, ]))
    if (method == "gradient") data[-1] <- NA_real_
    data
}

attribute_arrays <- function(model, arrays, baseline, goal, path, run, frame) {
    given <- check_arrays(model, arrays, call = frame)
    if (!is.list(baseline)) baseline <- rep(list(baseline), length(given$shapes))
    if (length(baseline) != length(given$shapes))
        stop_input("{.arg baseline} must be one baseline, or a list with one for each of the {length(given$shapes)} inputs, not {length(baseline)}.", call = frame)
    baselines <- if (path[[3]]) Map(array_baseline, baseline, given$shapes, MoreArgs = list(count = given$count, call = frame))
                 else lapply(given$shapes, function(shape) numeric(prod(shape)))
    found <- .Call(C_attribute_arrays, model@pointer, goal$nodes, goal$cotangents, given$numbers, given$shapes, given$count, baselines,
                   path, run, frame)
    scores <- Map(function(numbers, shape) from_row_major(numbers, c(given$count, shape)), found[[1]], given$shapes)
    if (!is.list(arrays)) scores <- scores[[1]]
    attr(scores, "windows") <- window_checks(found[[2]], if (path[[3]]) "ig" else "gradient")
    scores
}

# Gradient of sum(cotangents * outputs) with respect to the inputs, at the inputs; cotangents: arrays like the outputs.
input_gradient <- function(model, arrays, cotangents, threads = NULL) {
    if (!is.list(cotangents)) cotangents <- list(cotangents)
    goal <- list(nodes = model@settings$output_nodes, cotangents = lapply(unname(cotangents), row_major))
    gradient <- attribute_arrays(model, arrays, "none", goal, list(1, 1, FALSE), run_settings(threads), environment())
    attr(gradient, "windows") <- NULL
    gradient
}

#' Scores of single bases
#'
#' @param attribution An [Attribution-class], from [attribution()].
#' @param contig The name or number of a contig.
#' @return A numeric vector, one score a base: the sum over the four channels. `NA` where no window was read.
#' @section Errors: `nucleograd_error_contigs`: no such contig.
#' @examples
#' genome <- Biostrings::subseq(example_genome(), 853001, 855000)
#' scores <- attribution(example_model(), genome, nodes = 5)
#' summary(base_scores(scores))
#' @export
base_scores <- function(attribution, contig = 1) {
    check_is(attribution, "Attribution", "attribution")
    contigs <- names(attribution@scores)
    if (length(contig) != 1L || is.na(contig) || !(contig %in% contigs || contig %in% seq_along(contigs)))
        stop_input("{.arg contig} must be one of {.val {contigs}} or a number up to {length(contigs)}, not {friendly(contig)}.", class = "contigs")
    rowSums(attribution@scores[[contig]])
}

#' @importMethodsFrom GenomeInfoDb seqinfo
#' @importFrom GenomeInfoDb seqinfo
setMethod("seqinfo", "Attribution", function(x) GenomeInfoDb::seqinfo(x@windows))

# The completeness gap of all windows together, relative to what there is to explain.
relative_gap <- function(windows) {
    data <- S4Vectors::mcols(windows)
    sum(abs(data$gap)) / sum(abs(data$output - data$baseline_output))
}

#' @rdname Attribution-class
#' @param object A `Attribution`.
#' @export
setMethod("show", "Attribution", function(object) {
    with(object@settings, {
        cat("Attribution of the ", output, " of ", target_name, " (target ", target, ") by ", c(ig = "integrated gradients", gradient = "the gradient")[[method]],
            "\n  model    ", model, "\n", sep = "")
        if (method == "ig") cat("  path     ", baseline, " baseline, ", nodes, " nodes, ", rule, " rule\n", sep = "")
    })
    contig_bp <- Biostrings::width(object@genome)
    widths <- range(BiocGenerics::width(object@windows))
    cat("  genome   ", length(contig_bp), if (length(contig_bp) == 1) " contig, " else " contigs, ", format(sum(contig_bp), big.mark = ","), " bp; ",
        length(object@windows), if (length(object@windows) == 1) " window of " else " windows of ",
        paste(unique(format(widths, big.mark = ",", trim = TRUE)), collapse = " to "), " bp\n", sep = "")
    if (object@settings$method != "ig") return(invisible())
    data <- S4Vectors::mcols(object@windows)
    cat("  checks   sum of scores ", format(sum(data$attributed), digits = 6), ", F(x) - F(baseline) ", format(sum(data$output - data$baseline_output), digits = 6),
        "\n           completeness gap ", format(sum(data$gap), digits = 3), " in total; by window: median ", format(stats::median(abs(data$gap)), digits = 2),
        ", worst ", format(max(abs(data$gap)), digits = 2), " (", format(100 * relative_gap(object@windows), digits = 2), " % of what is explained)\n", sep = "")
})
