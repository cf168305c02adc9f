# R/keras-model.R: Functional and Sequential models, the outermost and nested ones: which tensor goes where.

new_model <- function(graph, layer) {
    if (layer$class == "Sequential") new_sequential(graph, layer) else new_functional(graph, layer)
}

inner_path <- function(model, name) if (nzchar(model$path)) paste0(model$path, "/", name) else name

# A chain. Old files store the bare list of layers; the first layer may carry the input's shape itself.
new_sequential <- function(graph, model) {
    entries <- if (is.null(names(model$config))) model$config else model$config$layers
    model$layers <- lapply(entries, function(entry) new_layer(graph, entry, inner_path(model, entry_name(entry, graph))))
    if (length(model$layers) == 0)
        stop_model_file(graph$source, "Model {.val {model$name}} has no layers.")
    model$output_names <- model$layers[[length(model$layers)]]$name
    model
}

# A graph: `calls` lists, for every call of every layer, the layer's place, the number under which others refer to the call, and
# the tensors it takes. A tensor is named by c(layer, call, output).
new_functional <- function(graph, model) {
    entries <- model$config$layers
    if (!is.list(entries) || length(entries) == 0)
        stop_model_file(graph$source, "Model {.val {model$name}} has no layers; a subclassed model does not store them.")
    names <- vapply(entries, entry_name, "", graph = graph)
    if (anyDuplicated(names))
        stop_model_file(graph$source, "Two layers are called {.val {names[anyDuplicated(names)]}}.")
    model$layers <- Map(function(entry, name) new_layer(graph, entry, inner_path(model, name)), entries, names)
    model$input_tensors <- find_tensors(model$config$input_layers)
    model$output_tensors <- find_tensors(model$config$output_layers)
    model$output_names <- vapply(model$output_tensors, `[[`, "", "layer")
    if (length(model$input_tensors) == 0 || length(model$output_tensors) == 0)
        stop_model_file(graph$source, "Model {.val {model$name}} has no inputs or no outputs.")
    inbound <- lapply(entries, function(entry) entry$inbound_nodes)
    operations <- names[vapply(model$layers, function(layer) layer$class %in% mask_operations, NA)]
    calls <- Map(function(calls, layer) lapply(calls, read_call, layer = layer, operations = operations, source = graph$source), inbound,
                 model$layers)
    calls <- unname(calls)
    used <- c(unlist(calls, recursive = FALSE), list(model$output_tensors))
    used <- unlist(used, recursive = FALSE)
    first <- unlist(Map(first_call_number, model$layers, lengths(calls), MoreArgs = list(used = used)))
    model$layers <- Map(function(layer, first) c(layer, if (!is.null(layer$layers)) list(first_call = first)), model$layers, first)
    model$calls <- unlist(lapply(seq_along(calls), function(place) {
        numbers <- first[[place]] + seq_along(calls[[place]]) - 1
        Map(function(tensors, call) list(place = place, call = call, tensors = tensors), calls[[place]], numbers)
    }), recursive = FALSE)
    model
}

entry_name <- function(entry, graph) {
    name <- if (is.character(entry$name)) entry$name else entry$config$name
    if (!is.character(name) || length(name) != 1 || !nzchar(name))
        stop_model_file(graph$source, "A layer of its description has no name.")
    name
}

# Every [layer, call, output] below `x`, in order. A named list of inputs becomes an object, which Keras orders by key.
find_tensors <- function(x) {
    if (!is.list(x)) return(list())
    if (length(x) >= 3 && is.character(x[[1]]) && is.numeric(x[[2]]) && is.numeric(x[[3]]))
        return(list(list(layer = x[[1]], call = x[[2]], output = x[[3]], arguments = if (length(x) > 3) x[[4]])))
    if (!is.null(names(x))) x <- x[order(names(x), method = "radix")]
    unlist(lapply(unname(x), find_tensors), recursive = FALSE)
}

read_call <- function(call, layer, operations, source) {
    tensors <- find_tensors(call)
    if (length(tensors) == 0)
        stop_model_file(source, "A call of layer {.val {layer$path}} takes no tensor.")
    for (tensor in tensors) {
        if (identical(tensor$layer, "_CONSTANT_VALUE"))
            stop_unsupported(source, layer$path, layer$class, "takes a constant")
        for (key in names(tensor$arguments)) check_argument(tensor$arguments[[key]], key, layer, operations, source)
    }
    others <- tensors[[1]]$arguments[c("value", "key")]                          # of MultiHeadAttention; the key is the value unless given
    others <- find_tensors(unname(Filter(Negate(is.null), others)))
    if (length(others) == 1) others <- rep(others, 2)
    c(tensors, others)
}

# Arguments of a call beside its tensors: absent or at their default at prediction, or refused. A mask that Keras 3 wrote down is
# the one that keras-masks.R finds.
check_argument <- function(value, key, layer, operations, source) {
    if (is.null(unlist(value)) || (key == "training" && isFALSE(value))) return()
    random <- layer$class %in% c(identity_layers, "BatchNormalization", wrapper_layers)
    if (key == "training" && isTRUE(value) && !random) return()
    if (layer$class == "MultiHeadAttention") {
        if (key %in% c("value", "key")) return()
        if (key %in% c("use_causal_mask", "return_attention_scores") && isFALSE(value)) return()
    }
    made <- vapply(find_tensors(value), `[[`, "", "layer")
    if (key %in% c("mask", "query_mask", "value_mask", "key_mask") && length(made) && all(made %in% operations)) return()
    stop_unsupported(source, layer$path, layer$class, paste0("is called with the argument \"", key, "\""))
}

# Calls are numbered from 0. A nested model counts its own definition as call 0, unless it was defined without an input shape:
# its highest reference tells.
first_call_number <- function(layer, count, used) {
    if (is.null(layer$layers)) return(0)
    numbers <- vapply(Filter(function(tensor) tensor$layer == layer$name, used), `[[`, 0, "call")
    if (length(numbers) && max(numbers) == count) 1 else 0
}

# The inputs of the outermost model, named.
model_inputs <- function(graph, model) {
    if (model$class == "Sequential") {
        first <- model$layers[[1]]
        if (!is.null(first$layers)) return(model_inputs(graph, first))
        if (first$class == "InputLayer") inputs <- list(list(name = first$name, shape = first$shape))
        else inputs <- list(list(name = paste0(first$name, "_input"), shape = input_shape(first$config, graph$source, first$path)))
    } else {
        by_name <- stats::setNames(model$layers, vapply(model$layers, `[[`, "", "name"))
        inputs <- lapply(model$input_tensors, function(tensor) {
            layer <- by_name[[tensor$layer]]
            if (is.null(layer$shape)) stop_model_file(graph$source, "Input {.val {tensor$layer}} is not an input layer.")
            list(name = layer$name, shape = layer$shape)
        })
    }
    stats::setNames(inputs, vapply(inputs, `[[`, "", "name"))
}

call_model <- function(graph, model, inputs, distributed) {
    if (model$class == "Sequential") {
        for (layer in model$layers) inputs <- call_layer(graph, layer, inputs, distributed)
        return(inputs)
    }
    if (length(inputs) != length(model$input_tensors))
        stop_model_file(graph$source, paste("Model {.val {model$path}} has {length(model$input_tensors)} input{?s}, but is called",
                                            "with {length(inputs)}."))
    tensors <- new.env(parent = emptyenv())                                      # node numbers of every call that has been made
    key <- function(layer, call) paste0(layer, "\n", call)
    for (k in seq_along(inputs)) tensors[[key(model$input_tensors[[k]]$layer, 0)]] <- inputs[[k]]
    node_of <- function(tensor) tensors[[key(tensor$layer, tensor$call)]][tensor$output + 1]
    find_nodes <- function(wanted) unlist(lapply(wanted, node_of))
    pending <- model$calls
    while (length(pending)) {
        waiting <- list()
        for (call in pending) {
            nodes <- find_nodes(call$tensors)
            if (length(nodes) < length(call$tensors) || anyNA(nodes)) {
                waiting <- c(waiting, list(call))
                next
            }
            layer <- model$layers[[call$place]]
            tensors[[key(layer$name, call$call)]] <- call_layer(graph, layer, nodes, distributed)
        }
        if (length(waiting) == length(pending))
            stop_model_file(graph$source, paste("Layer {.val {model$layers[[waiting[[1]]$place]]$path}} waits for a tensor that never",
                                                "comes: a cycle, or a missing call."))
        pending <- waiting
    }
    outputs <- find_nodes(model$output_tensors)
    if (length(outputs) < length(model$output_tensors) || anyNA(outputs))
        stop_model_file(graph$source, "An output of model {.val {model$path}} is not computed by any of its layers.")
    outputs
}
