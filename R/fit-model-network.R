# R/fit-model-network.R: a network as it trains, and back: what prediction leaves out (Dropout), which weights are trained, and where the
# loss begins.

# list(tree, weights, graph): the layers of a model with their slots, and all weights by slot.
trainable_network <- function(model, call) {
    description <- model@settings$description
    if (is.null(description))
        stop_input(c("{.arg model} must know its layers.", x = "{model@name} was not read from a file of Keras."), class = "unsupported", call = call)
    if (!is.null(model@settings$cut))
        stop_input(c("{.arg model} must be a whole network.", x = "It is a part that {.fun cut_model} made."), class = "unsupported", call = call)
    graph <- new_graph(list(file = model@name, call = call), startsWith(model@settings$keras_version, "3"))
    tree <- suppressWarnings(new_layer(graph, list(class_name = description$class_name, config = description$config, name = "model"), ""))
    slots <- unlist(lapply(leaves(tree), `[[`, "slots"))
    graph$weights[slots] <- lapply(slots, function(slot) .Call(C_weight, model@pointer, as.integer(slot)))
    list(tree = tree, weights = graph$weights, graph = graph)
}

# The model with other weights, by slot.
with_weights <- function(model, weights, call) {
    network <- trainable_network(model, call)
    network$graph$weights <- weights
    for (layer in network$tree$layers) count_parameters(network$graph, layer)
    parsed <- c(flatten_layers(network$graph, network$tree), model@settings[c("keras_version", "description")])
    made <- parsed_model(parsed, model@settings$file, call)
    made@name <- model@name
    made
}

# list(nodes, weights, inputs, outputs, trained): as C_model takes it, and which weights are trained.
training_parts <- function(model, call) {
    network <- trainable_network(model, call)
    network$graph$training <- TRUE
    trained <- logical(network$graph$weight_count)
    tree <- mark_trained(network$tree, TRUE, function(slots) trained[slots] <<- TRUE, network$graph)
    parsed <- flatten_layers(network$graph, tree)
    if (!any(trained)) stop_input("{.arg model} has no weights that can be trained: all its layers are frozen.", call = call)
    c(parsed, list(trained = trained))
}

# Tells the slots of layers that are trained, and marks normalizations that are frozen: those use their moving statistics, as in Keras.
mark_trained <- function(layer, trainable, tell, graph) {
    trainable <- trainable && layer$trainable
    for (part in c("layers", "children"))
        if (!is.null(layer[[part]])) layer[[part]] <- lapply(layer[[part]], mark_trained, trainable, tell, graph)
    if (is.null(layer$slots)) return(layer)
    if (trainable) tell(layer$slots[seq_len(layer$trained_count)])
    if (layer$class == "BatchNormalization") layer$settings$frozen <- !trainable
    if (trainable) refuse_training(layer, graph$source)
    layer
}

# What Keras would do in training and nucleograd does not.
refuse_training <- function(layer, source) {
    config <- layer$config
    refuse <- function(key) stop_unsupported(source, layer$path, layer$class, paste0("has the setting \"", key, "\", with which it is not trained"))
    for (key in grep("_(regularizer|constraint)$", names(config), value = TRUE)) if (length(config[[key]])) refuse(key)
    for (key in intersect(c("dropout", "recurrent_dropout"), names(config))) if (isTRUE(config[[key]] > 0)) refuse(key)
}

# Nodes of layers that predict as if they were not there.
add_training_node <- function(layer, inputs, graph, distributed) {
    rate <- unlist(layer$config$rate)
    if (layer$class %in% c("Dropout", "SpatialDropout1D")) {
        if (isTRUE(rate > 0)) return(add_node(graph, layer$class, layer$path, inputs, list(rate = as.numeric(rate)), distributed = distributed))
        return(inputs)
    }
    stop_unsupported(graph$source, layer$path, layer$class, "is not trained")
}

# ---- where the loss begins ----

losses <- c("binary_crossentropy", "categorical_crossentropy", "mse")

# list(loss, number, node, place, channels, shape): of the output of a training graph and of the model itself. Cross-entropies read
# logits.
loss_of <- function(model, parts, loss, call) {
    if (length(parts$outputs) != 1)
        stop_input("{.arg model} must have one output to be trained; it has {length(parts$outputs)}.", class = "unsupported", call = call)
    last <- function(nodes, output) {
        node <- nodes[[output]]
        if (node$class == "Activation") node$config$activation else "linear"
    }
    activation <- last(parts$nodes, parts$outputs)
    usual <- switch(activation, sigmoid = losses[1], softmax = losses[2], losses[3])
    loss <- if (is.null(loss)) usual else check_choice(loss, losses, name = "loss", call = call)
    wanted <- c(binary_crossentropy = "sigmoid", categorical_crossentropy = "softmax")[loss]
    if (!is.na(wanted) && !activation %in% c(wanted, "linear"))
        stop_input(c("{.val {loss}} must come after the activation {.val {wanted}}, or after none: the output is then a logit.",
                     x = "The last activation of {.arg model} is {.val {activation}}."), call = call)
    before <- !is.na(wanted) && activation == wanted
    axes <- model@outputs[[1]]
    if (anyNA(axes)) stop_input("{.arg model} must answer with a fixed number of values to be trained.", class = "unsupported", call = call)
    output <- parts$outputs[[1]]
    place <- model@settings$output_nodes
    list(loss = loss, number = match(loss, losses) - 1, node = if (before) parts$nodes[[output]]$inputs else output,
         place = if (before) model@settings$from[[place]] else place, axes = axes, size = prod(axes), channels = axes[length(axes)])
}

# Loss and accuracy (of "mse": mean absolute error) of outputs where the loss begins, as the core has them; both are matrices
# (samples, numbers).
score_outputs <- function(z, y, goal) {
    if (goal$loss == "binary_crossentropy")
        return(c(mean(pmax(z, 0) - z * y + log1p(exp(-abs(z)))), mean((z > 0) == (y > 0.5))))
    if (goal$loss == "mse") return(c(mean((z - y)^2), mean(abs(z - y))))
    z <- matrix(t(z), ncol = goal$channels, byrow = TRUE)
    y <- matrix(t(y), ncol = goal$channels, byrow = TRUE)
    shifted <- z - apply(z, 1, max)
    c(mean(rowSums(y * (log(rowSums(exp(shifted))) - shifted))), mean(max.col(z, "first") == max.col(y, "first")))
}
