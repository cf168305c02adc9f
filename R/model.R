# R/model.R: networks that were read: the class, its reader, how it prints, and the shapes inside it.

#' A network
#'
#' What [read_model()] returns: the layers of a trained network, ready to run. The network itself lives in C memory; a `Model`
#' that was saved with an R session must be read again from its file.
#' @slot pointer The network in C memory.
#' @slot name The file's name.
#' @slot layers A data.frame, one row a layer: `layer`, `class`, `output` (its shape without the batch; `NA` where the model
#'   leaves the length open), `parameters`, `receptive_field` (bp; `NA` from the first layer on that reads its whole input),
#'   `stride` (bp between neighbouring rows).
#' @slot inputs A named list: the shape of each input without the batch, `c(length, channels)`; `NA`: any length.
#' @slot outputs A named list: the shape of each output without the batch.
#' @slot settings A list: `file`, `keras_version`, and what the verbs need of the graph.
#' @seealso [read_model()], [predict.Model()], [attribution()]
#' @return An object of class `Model`, which prints its layers, inputs and outputs.
#' @exportClass Model
setClass("Model", slots = c(pointer = "externalptr", name = "character", layers = "data.frame", inputs = "list", outputs = "list",
                            settings = "list"))

#' Read a trained network
#'
#' Reads what Keras 2, Keras 3 and deepG write: functional and Sequential models, nested models, shared layers, several inputs
#' and outputs. TensorFlow and Python are not needed.
#'
#' | file | written by |
#' | --- | --- |
#' | HDF5 (`.h5`, `.hdf5`) | deepG's training, `save_model_hdf5()`, `model.save("x.h5")` |
#' | `.keras` | `model.save("x.keras")` of Keras 3, tf_keras and TensorFlow 2.12 to 2.15 |
#' | weights only (`.h5`, `.weights.h5`), with `architecture` | deepG's checkpoints by default, `model.save_weights()` |
#' | a `raw` vector | `serialize_model()` of R |
#'
#' Whatever the file, the same network gives the same numbers. Where versions of Keras differ (`hard_sigmoid`, the two
#' recurrences of a GRU), the version in the file decides. The weights are 32-bit numbers; other types become such. They may be
#' packed, as by `h5repack -f SHUF -f GZIP=9`. A file may be damaged or hostile: it then ends in an error.
#'
#' [Layers that are computed][layers] has a table of them: those that deepG and Keras make of sequences.
#'
#' Networks trained in PyTorch come as ONNX files, `torch.onnx.export(model, example, "model.onnx", opset_version = 17)`, read with
#' the package RProtoBuf: convolution, pooling, normalization, dense and recurrent layers, activations, sums, products and joins,
#' and what moves axes. Their sequences may have channels before positions; here positions always come first.
#' @param file Path of the model file, or a `raw` vector that holds a Keras one. A name that ends in `.onnx` is an ONNX file.
#' @param architecture For a file that holds weights only (deepG's checkpoints by default): another model file of the same
#'   architecture, or JSON from `model.to_json()`: its file, or its text.
#' @return A [Model-class].
#' @section Errors: `nucleograd_error_file`: no such file. `nucleograd_error_model_file`: the file is damaged, holds weights
#'   only, or is no Keras model. `nucleograd_error_unsupported`: a layer, or a setting of one, is not computed.
#'   `nucleograd_error_model`: shapes do not fit, or weights are not finite.
#' @source The file format: \url{https://www.tensorflow.org/guide/keras/save_and_serialize}.
#' @examples
#' model <- read_model(system.file("extdata", "rrna16s.h5", package = "nucleograd"))
#' model
#' summary(model)
#' @export
read_model <- function(file, architecture = NULL) {
    frame <- environment()
    if (!is.null(architecture) && !is_json(architecture)) architecture <- check_file(architecture)
    if (is.raw(file)) {
        copy <- tempfile(fileext = ".h5")
        on.exit(unlink(copy))
        writeBin(file, copy)
        return(load_model(copy, architecture, "raw vector", frame))
    }
    refuse_saved_model(file, frame)
    file <- check_file(file)
    load_model(file, architecture, file, frame)
}

# shown: the file as people know it; `file` may be a copy.
load_model <- function(file, architecture, shown, frame) {
    parsed <- if (is_onnx(file)) parse_onnx(file, call = frame)
              else parse_keras(file, architecture, call = frame, name = basename(shown))
    parsed_model(parsed, shown, frame)
}

parsed_model <- function(parsed, name, frame) {
    pointer <- .Call(C_model, parsed$nodes, parsed$weights, as.integer(parsed$inputs), as.integer(parsed$outputs), frame)
    model_of(pointer, parsed, name, frame)
}

# TensorFlow's folders hold a graph of its operations, not the layers.
refuse_saved_model <- function(file, frame) {
    if (!is.character(file) || length(file) != 1 || is.na(file) || !file.exists(file.path(file, "saved_model.pb"))) return()
    stop_model_file(list(file = file, call = frame), "It is a SavedModel folder of TensorFlow.",
                    paste("Convert it once: {.code python -c 'import tensorflow as tf;",
                          "tf.keras.models.load_model(\"{file}\").save(\"{basename(file)}.h5\")'}"))
}

model_of <- function(pointer, parsed, file, frame) {
    inputs <- lapply(parsed$inputs, function(node) as.numeric(parsed$nodes[[node]]$config$shape))
    settings <- list(file = file, keras_version = parsed$keras_version, description = parsed$description,
                     output_nodes = as.integer(parsed$outputs), input_nodes = as.integer(parsed$inputs),
                     tokens = vapply(parsed$inputs, function(node) c(parsed$nodes[[node]]$config$tokens, NA_real_)[1], 0),
                     filters = first_filters(parsed), nodes = parsed$nodes,
                     class = vapply(parsed$nodes, `[[`, "", "class"), from = lapply(parsed$nodes, `[[`, "inputs"),
                     activation = vapply(parsed$nodes, function(node) c(node$config$activation, NA_character_)[1], ""))
    model <- new("Model", pointer = pointer, name = basename(file), inputs = inputs, settings = settings)
    shapes <- probe_shapes(model, frame)
    model@outputs <- stats::setNames(lapply(settings$output_nodes, function(node) shapes$axes[[node]]), names(parsed$outputs))
    fields <- receptive_fields(settings$from, shapes$reach)
    node <- parsed$layers$node
    model@settings$layer_nodes <- node
    model@layers <- data.frame(layer = parsed$layers$layer, class = parsed$layers$class,
                               output = vapply(node, function(at) if (is.na(at)) NA_character_ else format_shape(shapes$axes[[at]]), ""),
                               parameters = parsed$layers$parameters, receptive_field = fields$size[node], stride = fields$stride[node])
    model
}

# Kernels of the convolutions that read the input's letters side by side: arrays (filter, channel, tap), named by layer.
first_filters <- function(parsed) {
    padded <- which(vapply(parsed$nodes, function(node) node$class == "ZeroPadding1D" && all(node$inputs %in% parsed$inputs), NA))
    first <- Filter(function(node) node$class == "Conv1D" && all(node$inputs %in% c(parsed$inputs, padded)) &&
                        all(node$config$dilation_rate == 1), parsed$nodes)
    kernels <- lapply(first, function(node) parsed$weights[[node$weights[1]]])
    kernels <- lapply(kernels, function(kernel) array(kernel, rev(attr(kernel, "dims"))))
    names(kernels) <- vapply(first, `[[`, "", "name")
    Filter(function(kernel) dim(kernel)[2] == 4, kernels)
}

check_model <- function(model, call = parent.frame()) {
    check_is(model, "Model", if (inherits(model, "motif_network")) "as_model" else "read_model", name = "model", call = call)
    if (is_null_pointer(model@pointer))
        stop_input(c("{.arg model} has lost its network: it was saved with an R session, which keeps no C memory.",
                     i = "Read it again with {.fun read_model} from {.file {model@settings$file}}."), class = "model", call = call)
    invisible(model)
}

is_null_pointer <- function(pointer) identical(pointer, new("externalptr"))

# ---- shapes ----

# Axes of every node's output for inputs of these shapes, and its reach; C does the arithmetic.
node_shapes <- function(model, inputs, frame = parent.frame()) {
    found <- .Call(C_shapes, model@pointer, lapply(unname(inputs), as.numeric), list(1L, 2^62, NULL, 0, 0, FALSE), frame)
    axes <- lapply(seq_len(nrow(found)), function(at) found[at, 1 + (4 - found[at, 1]):3])
    list(axes = axes, reach = found[, 5:7, drop = FALSE])
}

# Shapes of a model whose input lengths may be open: axes that differ between two probe lengths are open as well.
probe_shapes <- function(model, frame) {
    free <- vapply(model@inputs, anyNA, NA)
    fill <- function(length) lapply(model@inputs, function(axes) replace(axes, is.na(axes), length))
    if (!any(free)) return(node_shapes(model, model@inputs, frame))
    one <- node_shapes(model, fill(2^20), frame)
    two <- node_shapes(model, fill(2^20 + 2^18), frame)
    one$axes <- Map(function(a, b) replace(a, a != b, NA), one$axes, two$axes)
    one
}

format_shape <- function(axes) paste0("(", paste(ifelse(is.na(axes), "any", format(axes, trim = TRUE, scientific = FALSE)), collapse = ", "), ")")

# How many bases each node sees, and the bases between neighbouring rows; NA once a layer reads everything.
receptive_fields <- function(from, reach) {
    size <- stride <- rep(1, length(from))
    for (node in seq_along(from)) {
        before <- from[[node]]
        if (!length(before)) next
        whole <- reach[node, 1] == 0 || anyNA(size[before])
        step <- stride[before]
        span <- (reach[node, 1] - 1) * reach[node, 3]
        apart <- reach[node, 2]                                                  # negative: a layer that makes several rows of one
        size[node] <- if (whole) NA else max(size[before] + (if (apart > 0) span else span %/% -apart) * step)
        stride[node] <- if (whole) NA else max(step) * (if (apart > 0) apart else -1 / apart)
    }
    list(size = size, stride = stride)
}

# ---- outputs and targets ----

# How many numbers each output has for one input.
output_sizes <- function(model, call = parent.frame()) {
    sizes <- vapply(model@outputs, prod, 0)
    if (anyNA(sizes))
        stop_input(c("{.arg model} must answer with a fixed number of values for each window.",
                     x = "Its output has as many rows as its input.", i = "{.fun predict} takes arrays for such a model."),
                   class = "unsupported", call = call)
    sizes
}

output_names <- function(model) {
    unlist(Map(function(name, axes) if (prod(axes) == 1) name else paste0(name, "_", seq_len(prod(axes))), names(model@outputs), model@outputs),
           use.names = FALSE)
}

# The scalar that is explained: nodes whose outputs it weighs, and the weights. Targets count through all outputs in order.
# Logit: before a final sigmoid or softmax; a softmax logit minus the mean of the others, since only differences matter.
target_of <- function(model, target, output, call = parent.frame()) {
    sizes <- output_sizes(model, call)
    target <- check_number(target, min = 1, max = sum(sizes), name = "target", call = call)
    which_output <- findInterval(target - 1, c(0, cumsum(sizes)))
    unit <- target - c(0, cumsum(sizes))[which_output]
    node <- model@settings$output_nodes[which_output]
    weights <- as.numeric(seq_len(sizes[which_output]) == unit)
    activation <- model@settings$activation[node]
    final <- model@settings$class[node] == "Activation" && activation %in% c("sigmoid", "softmax")
    if (output == "logit" && final) {
        node <- model@settings$from[[node]]
        classes <- utils::tail(model@outputs[[which_output]], 1)
        if (activation == "softmax" && classes > 1) {
            own <- (seq_along(weights) - 1) %/% classes == (unit - 1) %/% classes
            weights <- ifelse(weights == 1, 1, ifelse(own, -1 / (classes - 1), 0))
        }
    }
    list(nodes = node, cotangents = list(weights), name = output_names(model)[target],
         level = if (output == "logit" && !final) "output" else output)
}

# Targets of one call: the calls that they read, and for each target a cotangent for each call, NULL where it reads another one.
targets_of <- function(model, target, output, call = parent.frame()) {
    count <- sum(output_sizes(model, call))
    if (identical(target, "all")) target <- seq_len(count)
    if (!is.numeric(target) || length(target) == 0 || anyDuplicated(target))
        stop_input("{.arg target} must be a number from 1 to {count}, several different ones, or {.val all}, not {friendly(target)}.", call = call)
    goals <- lapply(target, target_of, model = model, output = output, call = call)
    nodes <- unique(vapply(goals, `[[`, 0L, "nodes"))
    list(nodes = nodes, cotangents = lapply(goals, function(goal) lapply(nodes, function(node) if (node == goal$nodes) goal$cotangents[[1]])),
         target = target, name = vapply(goals, `[[`, "", "name"), level = vapply(goals, `[[`, "", "level"))
}

# ---- printing ----

#' @rdname Model-class
#' @param object A `Model`.
#' @export
setMethod("show", "Model", function(object) {
    trunk <- object@layers$receptive_field
    cat("Model ", object@name, ": ", nrow(object@layers), " layers, ", format(sum(object@layers$parameters), big.mark = ","), " parameters (",
        if (startsWith(object@settings$keras_version, "ONNX")) "" else "Keras ", object@settings$keras_version, ")\n", sep = "")
    for (name in names(object@inputs)) cat("  input  ", name, " ", format_shape(object@inputs[[name]]), "\n", sep = "")
    for (name in names(object@outputs)) cat("  output ", name, " ", format_shape(object@outputs[[name]]), "\n", sep = "")
    if (any(!is.na(trunk))) cat("  receptive field of the trunk: ", format(max(trunk, na.rm = TRUE), big.mark = ","), " bp\n", sep = "")
})

#' Layers of a network
#' @param object A [Model-class].
#' @param ... Not used.
#' @return The data.frame of layers: see [Model-class].
#' @examples
#' summary(example_model())
#' @export
summary.Model <- function(object, ...) object@layers
