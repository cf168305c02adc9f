# R/keras-forms.R: one form for the description of a network. Keras 2 writes two, Keras 3 a third; everything below reads the one
# of Keras 2's HDF5 files, and write_model() writes it.

# `entry`: a model or a layer as a list, from JSON; models and wrapped layers inside it are changed as well. keras3: words mean what
# they mean in Keras 3; tensors3: it names and counts tensors as Keras 3 does.
plain_form <- function(entry, keras3, tensors3) {
    entry <- entry[intersect(c("class_name", "config", "name", "inbound_nodes"), names(entry))]
    class <- plain_class(entry[["class_name"]])
    config <- entry[["config"]]
    bare <- is.list(config) && length(config) > 0 && is.null(names(config))      # an old Sequential is the list of its layers
    if (bare) config <- list(name = entry[["name"]], layers = config)
    if (is.list(config[["layers"]])) config$layers <- lapply(config$layers, plain_form, keras3, tensors3)
    for (part in intersect(c("layer", "backward_layer"), names(config)))
        if (is.list(config[[part]])) config[[part]] <- plain_form(config[[part]], keras3, tensors3)
    if (keras3) config <- keras2_config(config)
    if (tensors3) {
        if (is.list(entry[["inbound_nodes"]])) entry$inbound_nodes <- lapply(entry$inbound_nodes, plain_call, class = class)
        if (is_model(class, config)) config <- count_definitions(config)
    }
    if (!is.null(config)) entry$config <- config
    entry
}

# Words of Keras 3 as words of Keras 2, but for hard_sigmoid, which is another function.
keras2_config <- function(config) {
    if (!is.null(config[["batch_shape"]])) config$batch_input_shape <- config$batch_shape
    config$batch_shape <- NULL
    if (is.list(config[["dtype"]])) config$dtype <- config$dtype[["config"]][["name"]]
    for (key in intersect(c("activation", "recurrent_activation"), names(config)))
        if (identical(config[[key]], "hard_sigmoid")) config[[key]] <- "hard_sigmoid_keras3"
    config
}

# {"args": [...], "kwargs": {...}} -> [[layer, call, output, arguments], ...]
plain_call <- function(call, class) {
    if (!all(c("args", "kwargs") %in% names(call))) return(call)
    tensors <- plain_tensors(call$args)
    arguments <- lapply(call$kwargs, function(value) {
        inside <- plain_tensors(value)
        if (length(inside)) inside else value
    })
    positional <- c("query", "value", "key")
    if (class == "MultiHeadAttention") {
        for (k in seq_along(tensors)[-1]) arguments[[positional[k]]] <- tensors[k]
        arguments[c("value", "key")] <- lapply(arguments[c("value", "key")], unlist, recursive = FALSE)
        tensors <- c(tensors[1], arguments$query)[1]
        arguments$query <- NULL
    }
    tensors <- c(tensors, arguments$inputs, arguments$initial_state)             # the states come after the sequence
    arguments[c("inputs", "initial_state")] <- NULL
    if (length(tensors) && length(arguments)) tensors[[1]] <- c(tensors[[1]], list(arguments))
    tensors
}

# Every tensor below `x`, in order, as list(layer, call, output).
plain_tensors <- function(x) {
    if (!is.list(x)) return(list())
    if (identical(x[["class_name"]], "__keras_tensor__")) return(list(unname(x$config$keras_history)))
    unlist(lapply(unname(x), plain_tensors), recursive = FALSE)
}

# Keras 2 counts the definition of a nested model as its call 0. Keras 3 does so for the output of a Functional model alone.
count_definitions <- function(config) {
    classes <- vapply(config$layers, function(layer) plain_class(layer[["class_name"]]), "")
    names <- vapply(config$layers, function(layer) c(layer[["name"]], layer$config[["name"]], "")[[1]], "")
    nested <- names[vapply(config$layers, function(layer) !is.null(layer$config[["layers"]]), NA)]
    functional <- names[classes == "Functional"]
    add_to <- function(names) function(name, number) number + name %in% names
    config$layers <- lapply(config$layers, function(layer) {
        if (!is.null(layer[["inbound_nodes"]])) layer$inbound_nodes <- renumber_calls(layer$inbound_nodes, add_to(nested))
        layer
    })
    config$output_layers <- renumber_calls(config[["output_layers"]], add_to(setdiff(nested, functional)))
    config
}

# Every tensor below `x`, also among the arguments of a call, with the number change(name of its layer, number of its call).
renumber_calls <- function(x, change) {
    if (!is.list(x)) return(x)
    if (!is_tensor(x)) return(lapply(x, renumber_calls, change))
    x[[2]] <- change(x[[1]], x[[2]])
    if (length(x) > 3) x[[4]] <- renumber_calls(x[[4]], change)
    x
}

is_tensor <- function(x) length(x) >= 3 && is.character(x[[1]]) && is.numeric(x[[2]]) && is.numeric(x[[3]])
