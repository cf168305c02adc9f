# R/sequence-network.R: networks made layer by layer, and the weights with which training begins.

#' Make a network for sequences
#'
#' `sequence_network()` makes a network from its layers, one after the other, with the weights that Keras begins training with;
#' [fit_model()] trains it, [write_model()] writes it for Keras. `initialize_weights()` gives any network such weights, for example
#' one of the [example_architecture()]s, to train it from scratch.
#'
#' Kernels are drawn as Glorot and Bengio have it (uniform), recurrent kernels are orthogonal, biases 0 (1 for the forget gate of an
#' LSTM), tables of an embedding uniform from -0.05 to 0.05; normalization begins as none.
#' @param input_length Bases that the network reads.
#' @param ... Layers, in the order in which they compute.
#' @param seed A whole number: the weights depend on it alone. `NULL` takes one from R's generator.
#' @param name Name of the network.
#' @param filters,units Channels that the layer makes.
#' @param kernel_size,pool_size Rows in a window.
#' @param activation A Keras activation: `"relu"`, `"linear"`, `"sigmoid"`, `"softmax"`, `"tanh"`, `"elu"`, ...
#' @param padding `"same"`: as many rows as before (divided by the stride); `"valid"`: whole windows only.
#' @param strides,dilation_rate Rows from one window to the next, and between rows of a window.
#' @param type `"max"` or `"average"`.
#' @param return_sequences Whether the layer answers with a row for each row it reads, or with its last state.
#' @param bidirectional Whether a second one reads the rows from the end; the two answers lie side by side.
#' @param rate Share of numbers that training sets to 0; `spatial`: of whole channels.
#' @param spatial `TRUE` for whole channels.
#' @param momentum Of the moving mean and variance of `batch_norm()`.
#' @param model A [Model-class].
#' @return `sequence_network()` and `initialize_weights()`: a [Model-class]. The layers: a description that `sequence_network()` takes.
#' @section Errors: `nucleograd_error_argument`: what is given is no layer, or does not fit. `nucleograd_error_unsupported`, of
#'   `initialize_weights()`: a network that was cut, or that did not come from Keras.
#' @source Glorot and Bengio (2010), \url{https://proceedings.mlr.press/v9/glorot10a.html}; Saxe et al. (2014), arXiv:1312.6120.
#' @examples
#' network <- sequence_network(200, conv(16, 12), pool(4), conv(32, 8), global_pool(),
#'                             dense(1, "sigmoid"), seed = 1)
#' network
#' summary(network)
#' @export
sequence_network <- function(input_length, ..., seed = NULL, name = "sequence_network") {
    frame <- environment()
    input_length <- check_number(input_length, min = 1, max = .Machine$integer.max)
    layers <- list(...)
    if (!length(layers)) stop_input(c("{.fun sequence_network} must be given layers.", i = "{.code conv(32, 12)}, for example."))
    for (layer in layers)
        if (!inherits(layer, "sequence_layer"))
            stop_input(c("All layers must be made by {.fun conv}, {.fun pool}, {.fun dense} and the others of {.code ?sequence_network}.",
                         x = "One of them is {friendly(layer)}."))
    b <- new_blueprint(0)
    input <- x <- input_layer(b, c(input_length, 4), "input_1")
    for (layer in layers) x <- place_layer(b, x, layer, frame)
    network <- finish_blueprint(b, list(input), list(x))
    parsed <- flatten_model(network$description, list(weights = network$weights, keras_version = "2.15.0", backend = "tensorflow"),
                            list(file = name, call = frame))
    initialize_weights(parsed_model(parsed, name, frame), seed)
}

new_sequence_layer <- function(class, config) structure(list(class = class, config = config), class = "sequence_layer")

#' @export
print.sequence_layer <- function(x, ...) {
    given <- vapply(x$config, function(value) paste(format(value), collapse = ", "), "")
    cat(x$class, " layer", if (length(given)) ": ", paste(names(given), given, sep = " = ", collapse = ", "), "\n", sep = "")
    invisible(x)
}

# Checks of the layers' own arguments, in the name of the layer.
layer_size <- function(x, name) check_number(x, min = 1, max = .Machine$integer.max, name = name, call = parent.frame())

layer_word <- function(x, words, name) {
    if (identical(x, words)) return(words[1])
    check_choice(x, unname(words), name = name, call = parent.frame())
}

#' @rdname sequence_network
#' @export
conv <- function(filters, kernel_size, activation = "relu", padding = c("same", "valid"), strides = 1, dilation_rate = 1) {
    new_sequence_layer("Conv1D", list(filters = layer_size(filters, "filters"), kernel_size = layer_size(kernel_size, "kernel_size"),
                                      strides = layer_size(strides, "strides"), dilation_rate = layer_size(dilation_rate, "dilation_rate"),
                                      padding = layer_word(padding, c("same", "valid"), "padding"),
                                      activation = layer_word(activation, names(activation_words), "activation")))
}

#' @rdname sequence_network
#' @export
pool <- function(pool_size = 2, type = c("max", "average"), strides = pool_size, padding = c("valid", "same")) {
    type <- layer_word(type, c("max", "average"), "type")
    new_sequence_layer(if (type == "max") "MaxPooling1D" else "AveragePooling1D",
                       list(pool_size = layer_size(pool_size, "pool_size"), strides = layer_size(strides, "strides"),
                            padding = layer_word(padding, c("valid", "same"), "padding")))
}

#' @rdname sequence_network
#' @export
global_pool <- function(type = c("max", "average")) {
    type <- layer_word(type, c("max", "average"), "type")
    new_sequence_layer(if (type == "max") "GlobalMaxPooling1D" else "GlobalAveragePooling1D", list())
}

#' @rdname sequence_network
#' @export
batch_norm <- function(momentum = 0.99) {
    if (!is.numeric(momentum) || length(momentum) != 1 || is.na(momentum) || momentum < 0 || momentum >= 1)
        stop_input("{.arg momentum} must be one number from 0 to below 1, not {friendly(momentum)}.")
    new_sequence_layer("BatchNormalization", list(momentum = momentum))
}

#' @rdname sequence_network
#' @export
dropout <- function(rate, spatial = FALSE) {
    if (!is.numeric(rate) || length(rate) != 1 || is.na(rate) || rate < 0 || rate >= 1)
        stop_input("{.arg rate} must be one number from 0 to below 1, not {friendly(rate)}.")
    new_sequence_layer(if (check_flag(spatial)) "SpatialDropout1D" else "Dropout", list(rate = rate))
}

#' @rdname sequence_network
#' @export
flatten <- function() new_sequence_layer("Flatten", list())

#' @rdname sequence_network
#' @export
dense <- function(units, activation = "linear") {
    new_sequence_layer("Dense", list(units = layer_size(units, "units"),
                                     activation = layer_word(activation, names(activation_words), "activation")))
}

#' @rdname sequence_network
#' @export
lstm <- function(units, return_sequences = FALSE, bidirectional = FALSE) recurrent_description("LSTM", units, return_sequences, bidirectional)

#' @rdname sequence_network
#' @export
gru <- function(units, return_sequences = FALSE, bidirectional = FALSE) recurrent_description("GRU", units, return_sequences, bidirectional)

recurrent_description <- function(class, units, return_sequences, bidirectional, call = parent.frame()) {
    layer <- new_sequence_layer(class, list(units = check_number(units, 1, .Machine$integer.max, name = "units", call = call),
                                            return_sequences = check_flag(return_sequences, "return_sequences", call)))
    if (class == "GRU") layer$config$reset_after <- TRUE
    layer$both <- check_flag(bidirectional, "bidirectional", call)
    layer
}

# ---- places and shapes ----

# The layer after tensor x, with weights of the right shape.
place_layer <- function(b, x, layer, call) {
    class <- layer$class
    config <- layer$config
    rows <- length(x$shape) == 2
    if (!rows && !class %in% c("Dense", "BatchNormalization", "Dropout"))
        stop_input(c("A {class} layer reads rows, and what comes before it has none.",
                     x = "After {.val {x$name}} there is one vector of {x$shape} numbers."), call = call)
    channels <- x$shape[length(x$shape)]
    if (isTRUE(layer$both)) {
        inner <- list(class_name = class, config = c(list(name = snake_case(class)), config))
        weights <- zero_recurrent(class, channels, config$units)
        return(add_layer(b, "Bidirectional", list(x), c(if (config$return_sequences) x$shape[1], 2 * config$units),
                         list(layer = inner, merge_mode = "concat"), c(weights, weights)))
    }
    shape <- switch(class,
        Conv1D = c(window_rows(x$shape[1], (config$kernel_size - 1) * config$dilation_rate + 1, config, class, call), config$filters),
        MaxPooling1D = , AveragePooling1D = c(window_rows(x$shape[1], config$pool_size, config, class, call), channels),
        GlobalMaxPooling1D = , GlobalAveragePooling1D = channels, Flatten = prod(x$shape), Dense = c(x$shape[-length(x$shape)], config$units),
        LSTM = , GRU = c(if (config$return_sequences) x$shape[1], config$units), x$shape)
    weights <- switch(class, Conv1D = zero_arrays(c(config$kernel_size, channels, config$filters), config$filters),
                      Dense = zero_arrays(c(channels, config$units), config$units), BatchNormalization = do.call(zero_arrays, rep(list(channels), 4)),
                      LSTM = , GRU = zero_recurrent(class, channels, config$units), list())
    add_layer(b, class, list(x), shape, config, weights)
}

window_rows <- function(rows, span, config, class, call) {
    if (config$padding == "same") return(ceiling(rows / config$strides))
    if (rows < span) stop_input("A {class} layer reads windows of {span} rows, and what comes before it has {rows}.", call = call)
    (rows - span) %/% config$strides + 1
}

zero_arrays <- function(...) lapply(list(...), function(dims) structure(numeric(prod(dims)), dims = as.integer(dims)))

zero_recurrent <- function(class, channels, units) {
    gates <- if (class == "LSTM") 4 else 3
    zero_arrays(c(channels, gates * units), c(units, gates * units), if (class == "LSTM") gates * units else c(2, gates * units))
}

# ---- first weights ----

#' @rdname sequence_network
#' @export
initialize_weights <- function(model, seed = NULL) {
    check_model(model)
    seed <- if (is.null(seed)) as.numeric(sample.int(.Machine$integer.max, 1)) else check_number(seed, 0, .Machine$integer.max)
    network <- trainable_network(model, environment())
    weights <- network$weights
    for (leaf in leaves(network$tree))
        for (k in seq_along(leaf$slots)) {
            slot <- leaf$slots[k]
            weights[[slot]] <- structure(first_weight(leaf, k, attr(weights[[slot]], "dims"), seed, slot), dims = attr(weights[[slot]], "dims"))
        }
    with_weights(model, weights, environment())
}

# Weight number k of a layer; each has a stream of random numbers of its own.
first_weight <- function(leaf, k, dims, seed, stream) {
    size <- prod(dims)
    uniform <- function(limit) limit * (2 * (.Call(C_random, seed, stream, size, 2^24) + 0.5) / 2^24 - 1)
    glorot <- function() {
        n <- length(dims)
        uniform(sqrt(6 / (prod(dims[seq_len(n - 2)]) * sum(dims[c(n - 1, n)]))))
    }
    switch(leaf$class,
        BatchNormalization = rep(c(1[leaf$settings$scale], 0[leaf$settings$center], 0, 1)[k], size),
        LayerNormalization = rep(c(1[leaf$settings$scale], 0[leaf$settings$center])[k], size),
        LSTM = , GRU = if (k == 1) glorot() else if (k == 2) orthogonal(dims, seed, stream) else recurrent_bias(leaf, size),
        Embedding = uniform(0.05), PReLU = numeric(size),
        layer_pos_embedding = , layer_pos_sinusoid = uniform(0.05),
        layer_transformer_block = if (k %in% c(13, 15)) rep(1, size) else if (k %% 2 == 0) numeric(size) else glorot(),
        MultiHeadAttention = if (leaf$settings$use_bias && k %% 2 == 0) numeric(size) else glorot(),
        if (length(dims) > 1) glorot() else numeric(size))
}

# Keras sets the forget gate of an LSTM to 1.
recurrent_bias <- function(leaf, size) {
    bias <- numeric(size)
    if (leaf$class == "LSTM") bias[leaf$settings$units + seq_len(leaf$settings$units)] <- 1
    bias
}

# Rows of length 1 at right angles to each other.
orthogonal <- function(dims, seed, stream) {
    normal <- stats::qnorm((.Call(C_random, seed, stream, prod(dims), 2^52) + 0.5) / 2^52)
    parts <- qr(matrix(normal, max(dims)))
    columns <- qr.Q(parts) %*% diag(sign(diag(qr.R(parts))), min(dims))
    as.vector(if (dims[1] < dims[2]) columns else t(columns))
}
