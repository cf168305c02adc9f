# R/keras-graph.R: from the JSON of a Keras model to flat nodes. First the layers, nested ones inside their models, each with its
# weights; then one node for every call of a layer, in the order in which they can be computed; last, what no output needs goes.
# `graph` is an environment that collects nodes, weights and the table of layers while the model is walked.

flatten_model <- function(json, stored, source) {
    graph <- new_graph(source, startsWith(c(stored$keras_version, "2")[1], "3"))
    entry <- list(class_name = json$class_name, config = json$config, name = "model")
    model <- new_layer(graph, entry, path = "")
    if (is.null(model$layers))
        stop_model_file(source, "Its model is a {.val {json$class_name}}, not a Functional or Sequential one.")
    if (is.null(stored$tree)) for (layer in model$layers) load_weights(graph, layer, stored$weights)
    else load_tree(graph, model, stored$tree)
    for (layer in model$layers) check_weights(graph, layer)
    c(flatten_layers(graph, model), list(keras_version = stored$keras_version, backend = stored$backend, description = json))
}

# Nodes of a model whose layers have their weights.
flatten_layers <- function(graph, model) {
    inputs <- vapply(model_inputs(graph, model), function(input)
        add_node(graph, "InputLayer", input$name, integer(), list(shape = input$shape)), integer(1))
    for (name in intersect(names(inputs), names(graph$rows))) graph$rows[[name]]$node <- inputs[[name]]
    outputs <- call_model(graph, model, inputs, distributed = FALSE)
    names(outputs) <- make.unique(model$output_names, sep = "_")
    graph_result(graph, inputs, outputs)
}

new_graph <- function(source, keras3 = FALSE) {
    graph <- new.env(parent = emptyenv())
    graph$source <- source
    graph$keras3 <- keras3
    graph$nodes <- graph$weights <- graph$rows <- graph$masks <- list()
    graph$embeddings <- integer()
    graph$weight_count <- 0L
    graph$training <- FALSE                                                      # whether layers that only act in training get nodes
    graph$most_nodes <- 10000L                                                   # nested calls may multiply without end
    graph
}

add_node <- function(graph, class, name, inputs, config = list(), weights = integer(), distributed = FALSE) {
    if (length(graph$nodes) == graph$most_nodes)
        stop_model_file(graph$source, "It has more than {graph$most_nodes} layer calls.")
    graph$nodes[[length(graph$nodes) + 1]] <- list(class = class, name = name, inputs = inputs, config = config,
                                                   weights = weights, time_distributed = distributed)
    length(graph$nodes)
}

# Only what the outputs need, in the same order; inputs stay, needed or not.
graph_result <- function(graph, inputs, outputs) {
    needed <- logical(length(graph$nodes))
    needed[c(inputs, outputs)] <- TRUE
    for (k in rev(seq_along(needed))) if (needed[k]) needed[graph$nodes[[k]]$inputs] <- TRUE
    check_tokens(graph, which(needed), outputs)
    number <- ifelse(needed, cumsum(needed), NA_integer_)
    nodes <- lapply(graph$nodes[needed], function(node) { node$inputs <- number[node$inputs]; node })
    layers <- do.call(rbind, unname(graph$rows))
    layers$node <- number[layers$node]
    list(nodes = nodes, weights = graph$weights, inputs = stats::setNames(number[inputs], names(inputs)),
         outputs = stats::setNames(number[outputs], names(outputs)), layers = layers)
}

# Layers -------------------------------------------------------------------------------------------------------------------

# A layer as a list: class, name, path ("outer/inner"), config, trainable; `settings` and `slots` (positions of its weights), or
# `children` of a wrapper, or `layers` and `calls` of a model.
new_layer <- function(graph, entry, path, row = TRUE) {
    class <- plain_class(entry$class_name)
    config <- entry$config
    name <- if (is.character(entry$name)) entry$name else config$name
    if (is.null(path)) path <- name
    layer <- list(class = class, name = name, path = path, config = config, trainable = !isFALSE(config$trainable))
    if (is_model(class, config)) return(new_model(graph, layer))
    if (!is.list(config) || !is.character(name))
        stop_model_file(graph$source, "A layer of its description has no name or no configuration.")
    if (!class %in% supported_layers)
        stop_unsupported(graph$source, path, class, unsupported_reason(class))
    layer <- switch(class, TimeDistributed = new_time_distributed(graph, layer), Bidirectional = new_bidirectional(graph, layer),
                    new_leaf(graph, layer))
    if (row && !(class == "InputLayer" && path != name))                         # the input of a nested model is its caller's
        graph$rows[[path]] <- data.frame(layer = path, class = label_layer(layer), node = NA_integer_, parameters = NA_real_,
                                         trainable = layer$trainable)
    layer
}

is_model <- function(class, config) {
    class == "Sequential" || class == "Functional" || (!is.null(config$layers) && !is.null(config$input_layers))
}

unsupported_reason <- function(class) {
    if (class %in% c("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer", "Lambda")) "is an operation outside any layer"
    else "is not computed"
}

label_layer <- function(layer) {
    if (is.null(layer$children)) layer$class else paste0(layer$class, "(", label_layer(layer$children[[1]]), ")")
}

new_leaf <- function(graph, layer) {
    source <- graph$source
    class <- layer$class
    config <- layer$config
    if (class == "InputLayer") {
        layer$shape <- input_shape(config, source, layer$path)
        return(layer)
    }
    if (class %in% c(identity_layers, mask_operations)) return(layer)
    if (class %in% activation_layers) {
        layer$activation <- activation_settings(class, config, source, layer$path)
        return(layer)
    }
    if (class %in% names(cudnn_layers)) {
        config$use_bias <- config$reset_after <- TRUE
        layer$stored_class <- class
        layer$class <- cudnn_layers[[class]]
    }
    layer$settings <- read_settings(layer$class, config, source, layer$path)
    if (layer$class == "GRU" && is.logical(config$reset_after)) layer$settings$reset_after <- config$reset_after
    if (class == "PReLU" && is.null(layer$settings$shared_axes)) layer$settings$shared_axes <- double()
    if (class %in% kernel_layers) layer$activation <- named_activation(config$activation, source, layer$path)
    if (isTRUE(config$stateful))
        cli::cli_warn("Layer {.val {layer$path}} is stateful; every call starts from state 0.")
    layer$config <- config
    claim_weights(graph, layer, class)
}

claim_weights <- function(graph, layer, class) {
    config <- layer$config
    config[names(layer$settings)] <- layer$settings
    shapes <- if (!is.null(layer_weights[[class]])) layer_weights[[class]](config) else list()
    layer$shapes <- c(shapes$trained, shapes$fixed)
    layer$slots <- graph$weight_count + seq_along(layer$shapes)
    layer$trained_count <- length(shapes$trained)
    graph$weight_count <- graph$weight_count + length(layer$shapes)
    if (class == "layer_pos_sinusoid") layer$table <- add_weight(graph, sinusoids(layer$settings))
    layer
}

# A weight that no file holds.
add_weight <- function(graph, weight) {
    graph$weight_count <- graph$weight_count + 1L
    graph$weights[[graph$weight_count]] <- weight
    graph$weight_count
}

new_time_distributed <- function(graph, layer) {
    inner <- layer$config$layer
    if (identical(plain_class(inner$class_name), "TimeDistributed"))
        stop_unsupported(graph$source, layer$path, "TimeDistributed", "holds another TimeDistributed")
    layer$children <- list(new_layer(graph, inner, layer$path, row = FALSE))
    layer
}

new_bidirectional <- function(graph, layer) {
    forward <- layer$config$layer
    if (!plain_class(forward$class_name) %in% c("LSTM", "GRU", names(cudnn_layers)))
        stop_unsupported(graph$source, layer$path, "Bidirectional", "wraps neither an LSTM nor a GRU")
    backward <- layer$config$backward_layer
    if (is.null(backward)) {
        backward <- forward
        backward$config$go_backwards <- !isTRUE(forward$config$go_backwards)
    }
    layer$children <- list(new_layer(graph, forward, paste0(layer$path, "/forward"), row = FALSE),
                           new_layer(graph, backward, paste0(layer$path, "/backward"), row = FALSE))
    layer$children[[2]]$settings$restore_order <- layer$children[[2]]$settings$return_sequences
    layer
}

# Dimensions without the batch; NA: any length.
input_shape <- function(config, source, path) {
    shape <- if (is.null(config$batch_input_shape)) config$batch_shape else config$batch_input_shape
    if (!is.list(shape) || length(shape) < 2)
        stop_model_file(source, "Input {.val {path}} has no shape.")
    shape <- lapply(shape[-1], function(length) if (is.null(length)) NA_real_ else length)
    right <- vapply(shape, function(length) is.numeric(length) && (is.na(length) || length >= 1), logical(1))
    if (!all(right))
        stop_model_file(source, "Input {.val {path}} has a length that is not a number from 1.")
    as.double(unlist(shape))
}

# Weights ------------------------------------------------------------------------------------------------------------------

# The order of the weights in a group of the file: all that are trained, then all that are not. A frozen layer trains none, and a
# frozen wrapper lists what its layers train before what they do not.
stored_order <- function(layer) {
    order <- if (is.null(inner_layers(layer))) {
        trained <- seq_along(layer$slots) <= layer$trained_count
        list(trained = layer$slots[trained], fixed = layer$slots[!trained])
    } else {
        inner <- lapply(inner_layers(layer), stored_order)
        list(trained = unlist(lapply(inner, `[[`, "trained")), fixed = unlist(lapply(inner, `[[`, "fixed")))
    }
    if (layer$trainable) order else list(trained = NULL, fixed = c(order$trained, order$fixed))
}

inner_layers <- function(layer) if (is.null(layer$layers)) layer$children else layer$layers

leaves <- function(layer) {
    inner <- inner_layers(layer)
    if (is.null(inner)) list(layer) else unlist(lapply(inner, leaves), recursive = FALSE)
}

load_weights <- function(graph, layer, stored) {
    slots <- unlist(stored_order(layer))
    values <- stored[[layer$name]]
    expect_weights(graph, layer, slots, values)
    graph$weights[slots] <- values
}

expect_weights <- function(graph, layer, slots, values) {
    if (length(values) != length(slots))
        stop_model_file(graph$source, "Layer {.val {layer$path}} needs {length(slots)} weight{?s}; {length(values)} {?is/are} stored.")
}

check_weights <- function(graph, layer) {
    for (leaf in leaves(layer)) {
        for (k in seq_along(leaf$slots)) check_weight(graph$weights[[leaf$slots[k]]], leaf$shapes[[k]], leaf, graph$source)
        if (!is.null(leaf$stored_class))
            graph$weights[leaf$slots] <- convert_cudnn(leaf$stored_class, graph$weights[leaf$slots], leaf$settings$units)
    }
    count_parameters(graph, layer)
}

check_weight <- function(weight, shape, layer, source) {
    dims <- attr(weight, "dims")
    if (!is.null(shape) && (length(dims) != length(shape) || any(dims != shape, na.rm = TRUE)))
        stop_model_file(source, paste("Layer {.val {layer$path}} has a weight of shape ({toString(dims)}); its settings ask for",
                                      "({gsub('NA', 'any', toString(shape))})."))
    if (!all(is.finite(weight)))
        stop_model_file(source, "Layer {.val {layer$path}} has weights that are not finite numbers.")
}

count_parameters <- function(graph, layer) {
    if (!is.null(layer$layers)) {
        for (inner in layer$layers) count_parameters(graph, inner)
    } else if (!is.null(graph$rows[[layer$path]])) {
        slots <- unlist(stored_order(layer))
        graph$rows[[layer$path]]$parameters <- sum(lengths(graph$weights[slots]))
    }
}

# Calls --------------------------------------------------------------------------------------------------------------------

# Adds the nodes of one call; returns the node numbers of its outputs.
call_layer <- function(graph, layer, inputs, distributed = FALSE) {
    outputs <- if (!is.null(layer$layers)) call_model(graph, layer, inputs, distributed)
               else if (layer$class == "TimeDistributed") call_time_distributed(graph, layer, inputs)
               else if (layer$class == "Bidirectional") call_bidirectional(graph, layer, inputs, distributed)
               else if (layer$class %in% c("LSTM", "GRU")) call_recurrent(graph, layer, inputs, distributed)
               else call_plain(graph, layer, inputs, distributed)
    if (!is.null(graph$rows[[layer$path]])) graph$rows[[layer$path]]$node <- outputs[1]
    outputs
}

call_plain <- function(graph, layer, inputs, distributed) {
    node <- inputs
    if (graph$training && layer$class %in% identity_layers) node <- add_training_node(layer, inputs, graph, distributed)
    if (!is.null(layer$settings)) {
        compute <- if (is.null(layer_parts[[layer$class]])) one_part else layer_parts[[layer$class]]
        add <- function(class, inputs, config = list(), weights = integer())
            add_node(graph, class, layer$path, inputs, config, weights, distributed)
        node <- compute(layer, node, add, graph)
    }
    if (!is.null(layer$activation) && layer$activation$activation != "linear")
        node <- add_node(graph, "Activation", layer$path, node, layer$activation, distributed = distributed)
    pass_masks(graph, layer, inputs, node, distributed)
    node
}

# Keras 3 keeps the mask of the set; Keras 2 has masks of the sequences in it, and from where they end one of the set.
call_time_distributed <- function(graph, layer, inputs) {
    before <- mask_of(graph, inputs[1])
    outputs <- call_layer(graph, layer$children[[1]], inputs, TRUE)
    if (graph$keras3) set_mask(graph, outputs, before)
    else if (!is.null(before) && is.null(mask_of(graph, outputs[1])))
        set_mask(graph, outputs, add_node(graph, "AnyMask", layer$path, before))
    outputs
}

# Output, then the last states when the layer returns them: nodes of their own over the same weights. With a mask they run over the
# rows that count, see compact.c.
call_recurrent <- function(graph, layer, inputs, distributed, zero_masked = FALSE) {
    states <- if (isTRUE(layer$config$return_state)) c("hidden", if (layer$class == "LSTM") "cell")
    if (layer$class == "GRU" && is.null(layer$settings$reset_after)) layer$settings$reset_after <- has_two_biases(graph, layer)
    run <- function(inputs, settings)
        add_node(graph, layer$class, layer$path, inputs, settings, layer$slots, distributed)
    mask <- mask_of(graph, inputs[1])
    if (is.null(mask) || (graph$keras3 && length(inputs) > 1)) {                 # Keras 3 forgets the mask beside initial states
        y <- vapply(c(layer$settings$returns, states), function(returns) run(inputs, replace(layer$settings, "returns", returns)), 1L,
                    USE.NAMES = FALSE)
        if (layer$settings$return_sequences) set_mask(graph, y[1], mask)
        return(y)
    }
    if (length(states)) stop_unsupported(graph$source, layer$path, layer$class, "returns its states and reads a mask")
    order <- layer$settings["go_backwards"]
    x <- add_node(graph, "Compact", layer$path, c(inputs[1], mask), order, distributed = distributed)
    inner <- replace(layer$settings, c("returns", "go_backwards", "restore_order"), list("sequence", FALSE, FALSE))
    order <- c(order, list(zero_masked = zero_masked), layer$settings[c("restore_order", "returns")])
    y <- add_node(graph, "Spread", layer$path, c(run(c(x, inputs[-1]), inner), mask), order, distributed = distributed)
    if (layer$settings$return_sequences) set_mask(graph, y, mask)
    y
}

# Early files do not say which of the two recurrences a GRU has; its bias does. Without a bias it is the later one.
has_two_biases <- function(graph, layer) {
    length(layer$slots) < 3 || length(attr(graph$weights[[layer$slots[3]]], "dims")) == 2
}

# Initial states arrive as forward ones, then backward ones; returned states leave in the same order.
call_bidirectional <- function(graph, layer, inputs, distributed) {
    states <- inputs[-1]
    first <- seq_len(length(states) / 2)
    sequences <- layer$children[[1]]$settings$return_sequences
    forward <- call_recurrent(graph, layer$children[[1]], c(inputs[1], states[first]), distributed, zero_masked = sequences)
    backward <- call_recurrent(graph, layer$children[[2]], c(inputs[1], states[-first]), distributed, zero_masked = sequences)
    both <- c(forward[1], backward[1])
    mode <- layer$config$merge_mode
    if (!is.null(mode)) {
        class <- c(concat = "Concatenate", sum = "Add", ave = "Average", mul = "Multiply")[mode]
        if (is.na(class)) stop_model_file(graph$source, "Layer {.val {layer$path}} has an unknown {.field merge_mode}.")
        config <- if (mode == "concat") list(axis = -1) else list()
        both <- add_node(graph, unname(class), layer$path, both, config, distributed = distributed)
    }
    if (sequences) set_mask(graph, both, mask_of(graph, inputs[1]))
    c(both, forward[-1], backward[-1])
}
