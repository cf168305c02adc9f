# R/predict.R: scores of windows, contigs or arrays.

#' Scores with coordinates
#'
#' What [predict.Model()] returns for a genome: a `GRanges`, one range for each window that was read, with one numeric column
#' per output of the model. A window over the origin of a circular contig ends beyond the contig's length.
#' @slot settings A list: model, window, step.
#' @return An object of class `Predictions`, which prints the model and then as a `GRanges`.
#' @exportClass Predictions
setClass("Predictions", contains = "GRanges", slots = c(settings = "list"))

#' Run a network over a genome
#'
#' Scores windows of a genome, whole contigs, or arrays of numbers. A genome is read in place: it is never turned into a matrix
#' as a whole, and memory is what a few windows take.
#'
#' Windows are as long as the model's input and start every `step` bp. The last window of a linear contig is aligned to the
#' contig's end; on a circular contig windows run over the origin. A model that takes any length reads whole contigs, unless
#' `window` is given. Contigs shorter than the window are left out with a warning. N and other ambiguous letters are rows of
#' zeros, as in deepG. A model that reads tokens (an embedding) reads deepG's: 1 to 4 for A, C, G, T, 5 for any other letter, or 0 if it
#' knows no 5.
#' @section Scans by small steps: Windows that overlap share work: the layers before the first one that reads its whole input (the
#'   trunk: convolutions, pooling, normalization) are computed once along the contig, and anew only near the edges of each window,
#'   where padding makes a difference. So a scan of a whole genome with `step = 10` is practical. It saves most where the trunk
#'   does most of the work, its padding is `"valid"` or its receptive field ([summary.Model()]) is small beside the window, and
#'   steps are small or multiples of the trunk's stride. What would not gain is computed window by window. Either way the values
#'   are those of the windows by themselves, to float32 rounding (the last digit or two of seven); they do not depend on threads.
#' @param object A [Model-class], from [read_model()].
#' @param genome A `DNAStringSet`, from [read_genome()]; or an array `(samples, length, channels)` of numbers, or for a model of
#'   several inputs a list of arrays, in the order of its inputs.
#' @param window Length of a window in bp; only for models that take any length.
#' @param step Distance from one window's start to the next in bp; `NULL`: the length of the window.
#' @param threads Threads, see [thread_count()]. The result does not depend on it.
#' @param memory_bytes How many bytes the run may take besides its result; `NULL`: the option `nucleograd.memory_bytes`, or 1e9. See
#'   [plan()]. The result does not depend on it.
#' @param ... Not used.
#' @return For a genome a [Predictions-class], for arrays a matrix (samples x outputs), an array where the model answers with
#'   more axes, or a named list of these for several outputs.
#' @section Errors: `nucleograd_error_argument`; `nucleograd_error_contigs`: no contig is as long as a window;
#'   `nucleograd_error_memory`: `memory_bytes` does not suffice; the message says what would.
#' @examples
#' model <- example_model()
#' genome <- Biostrings::subseq(example_genome(), 850001, 860000)
#' predict(model, genome, step = 250)
#' @importFrom stats predict
#' @export
predict.Model <- function(object, genome, window = NULL, step = NULL, threads = NULL, memory_bytes = NULL, ...) {
    if (...length()) stop_input("{.fun predict} takes {.arg genome}, {.arg window}, {.arg step}, {.arg threads} and {.arg memory_bytes} only.")
    check_model(object)
    if (is.array(genome) || is.list(genome)) {
        refuse_windows(window, step)
        return(predict_arrays(object, genome, run_settings(threads, memory_bytes = memory_bytes), environment()))
    }
    check_is(genome, "DNAStringSet", "read_genome")
    sizes <- output_sizes(object)
    windows <- genome_windows(object, genome, window, step, tokens = TRUE)
    run <- run_settings(threads, progress = "Predicting", memory_bytes = memory_bytes)
    values <- matrix(0, length(windows), sum(sizes), dimnames = list(NULL, output_names(object)))
    frame <- environment()
    goal <- list(nodes = object@settings$output_nodes)
    check_memory(object, goal, genome, windows, no_baseline, NULL, run, frame)
    for (here in windows_by_contig(windows)) {
        contig <- if (length(here) == length(windows)) windows else windows[here]
        width <- BiocGenerics::width(contig)[1]
        shapes <- node_shapes(object, list(c(width, object@inputs[[1]][2])))$axes[object@settings$output_nodes]
        request <- contig_request(goal, genome, contig, numeric(4), NULL)
        found <- kept(advise_memory(.Call(C_predict_contig, object@pointer, request$wanted, vapply(shapes, prod, 0), request$bases, request$starts,
                                          width, part_of_run(run, here, length(windows)), frame), object, request, run, frame), request)
        values[here, ] <- do.call(cbind, lapply(found, function(numbers) matrix(numbers, length(here), byrow = TRUE)))
    }
    S4Vectors::mcols(windows) <- S4Vectors::DataFrame(values, check.names = FALSE)
    S4Vectors::new2("Predictions", windows, settings = list(model = object@name, window = window, step = step), check = FALSE)
}

# Checks arrays against the model's inputs; list(numbers, shapes, count): row-major, as the core reads them.
check_arrays <- function(model, arrays, call = parent.frame(), name = "genome") {
    if (!is.list(arrays)) arrays <- list(arrays)
    if (length(arrays) != length(model@inputs))
        stop_input("{.arg {name}} must hold one array for each of the {length(model@inputs)} input{?s} of {.arg model}, not {length(arrays)}.", call = call)
    for (at in seq_along(arrays)) {
        wanted <- model@inputs[[at]]
        arrays[[at]] <- one_hot_tokens(arrays[[at]], model@settings$tokens[at], length(wanted), call)
        given <- dim(arrays[[at]])
        fits <- is.numeric(arrays[[at]]) && length(given) == length(wanted) + 1L && all(is.na(wanted) | given[-1] == wanted) && all(given >= 1)
        if (!fits)
            stop_input(c("Input {.val {names(model@inputs)[at]}} must be a numeric array (samples, {paste(ifelse(is.na(wanted), 'any', wanted), collapse = ', ')}).",
                         x = "It is {friendly(arrays[[at]])}."), call = call)
        if (!all(is.finite(arrays[[at]]))) stop_input("Input {.val {names(model@inputs)[at]}} holds NA, NaN or infinite numbers.", call = call)
    }
    count <- vapply(arrays, function(array) dim(array)[1], 0L)
    if (any(count != count[1])) stop_input("All inputs must have the same number of samples, not {count}.", call = call)
    list(numbers = lapply(arrays, row_major), shapes = lapply(arrays, function(array) as.numeric(dim(array)[-1])), count = as.numeric(count[1]))
}

# Whole numbers 0, 1, ..., as Keras' embeddings read them, as rows of zeros with one 1; anything else is left to check_arrays().
one_hot_tokens <- function(array, tokens, axes, call) {
    if (is.na(tokens) || !is.numeric(array) || length(dim(array)) != axes || !all(is.finite(array))) return(array)
    token <- trunc(array)
    if (any(token < 0 | token >= tokens))
        stop_input("Tokens must be whole numbers from 0 to {tokens - 1}, not {unique(token[token < 0 | token >= tokens])[1]}.", call = call)
    array(as.numeric(outer(as.vector(token), seq_len(tokens) - 1, `==`)), c(dim(array), tokens))
}

row_major <- function(array) as.numeric(aperm(array, rev(seq_along(dim(array)))))
from_row_major <- function(numbers, dims) aperm(array(numbers, rev(dims)), rev(seq_along(dims)))

predict_arrays <- function(model, arrays, run, frame) {
    given <- check_arrays(model, arrays, call = frame)
    shapes <- node_shapes(model, given$shapes)$axes[model@settings$output_nodes]
    found <- .Call(C_predict_arrays, model@pointer, model@settings$output_nodes, vapply(shapes, prod, 0), given$numbers, given$shapes,
                   given$count, run, frame)
    outputs <- Map(function(numbers, axes) from_row_major(numbers, c(given$count, axes)), found, shapes)
    if (length(outputs) == 1L) outputs[[1]] else stats::setNames(outputs, names(model@outputs))
}

#' @rdname Predictions-class
#' @param object A `Predictions`.
#' @export
setMethod("show", "Predictions", function(object) {
    cat("Predictions of ", object@settings$model, " for ", length(object), " windows\n", sep = "")
    methods::callNextMethod()
})
