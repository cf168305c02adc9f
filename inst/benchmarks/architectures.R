# inst/benchmarks/architectures.R: public architectures with weights from a formula that Python evaluates as well (peers/).

# With u = (1103515245 (i + 1) + 12345 (tensor + 1)) mod 2^31, number i = 0, 1, ... of weight tensor `tensor` is
# (u floor(u / 2^16) mod 2^31) / 2^31 - 0.5, times `scale`. (u itself is linear in i: neighbouring weights then make pools tie.)
# In pieces, so that a benchmark's memory is not this function's.
formula_weights <- function(count, tensor, scale, shift = 0) {
    numbers <- numeric(count)
    for (first in seq(1, count, by = 2^16)) {
        here <- first:min(first + 2^16 - 1, count)
        numbers[here] <- formula_numbers(here, tensor) * scale + shift
    }
    numbers
}

formula_numbers <- function(i, tensor) {
    # 1103515245 * i without loss: split i in two halves below 2^15
    high <- floor(i / 32768)
    low <- i - high * 32768
    product <- ((1103515245 * high) %% 2^31 * 32768 + 1103515245 * low) %% 2^31
    linear <- (product + 12345 * (tensor + 1)) %% 2^31
    (linear * (linear %/% 2^16)) %% 2^31 / 2^31 - 0.5
}

row_major <- function(array) as.numeric(aperm(array))

# A sequential network as the flat list that read_model() makes of a file.
network_builder <- function(shape) {
    graph <- new.env()
    graph$nodes <- list(list(class = "InputLayer", name = "input_1", inputs = integer(), config = list(shape = shape), weights = integer(), time_distributed = FALSE))
    graph$weights <- list()
    graph$rows <- data.frame(layer = "input_1", class = "InputLayer", node = 1L, parameters = 0)
    weight <- function(dims, scale, shift = 0) {
        count <- prod(dims)
        graph$weights[[length(graph$weights) + 1]] <- structure(formula_weights(count, length(graph$weights), scale, shift), dims = as.integer(dims))
        length(graph$weights)
    }
    node <- function(class, name, config = list(), weights = integer()) {
        graph$nodes[[length(graph$nodes) + 1]] <- list(class = class, name = name, inputs = length(graph$nodes), config = config, weights = as.integer(weights), time_distributed = FALSE)
        parameters <- sum(vapply(weights, function(w) length(graph$weights[[w]]), 0))
        graph$rows <- rbind(graph$rows, data.frame(layer = name, class = class, node = length(graph$nodes), parameters = parameters))
    }
    list(
        conv = function(name, channels, filters, kernel) {
            node("Conv1D", name, list(filters = filters, kernel_size = kernel, strides = 1, dilation_rate = 1, padding = "same"),
                 c(weight(c(kernel, channels, filters), 2 * sqrt(3 / (kernel * channels))), weight(filters, 0.2)))
            node("Activation", name, list(activation = "relu"))
        },
        pool = function(name, size) node("MaxPooling1D", name, list(pool_size = size, strides = size, padding = "valid")),
        norm = function(name, channels)
            node("BatchNormalization", name, list(axis = -1, epsilon = 1e-3, scale = TRUE, center = TRUE),
                 c(weight(channels, 0.4, 1), weight(channels, 0.2), weight(channels, 0.2, 0.3), weight(channels, 0.4, 0.6))),
        given_conv = function(name, kernel, bias) {                   # kernel: (bases, channels, filters); padding "same"
            graph$weights <- c(graph$weights, list(structure(row_major(kernel), dims = dim(kernel)), structure(bias, dims = length(bias))))
            node("Conv1D", name, list(filters = as.numeric(length(bias)), kernel_size = as.numeric(nrow(kernel)), strides = 1, dilation_rate = 1, padding = "same"),
                 length(graph$weights) - 1:0)
            node("Activation", name, list(activation = "relu"))
        },
        given_dense = function(name, kernel, bias) {
            graph$weights <- c(graph$weights, list(structure(row_major(kernel), dims = dim(kernel)), structure(bias, dims = length(bias))))
            node("Dense", name, list(units = as.numeric(length(bias))), length(graph$weights) - 1:0)
        },
        mean = function(name) node("GlobalAveragePooling1D", name),
        flatten = function(name) node("Flatten", name),
        lstm = function(name, channels, units)
            node("LSTM", name, list(units = units, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE, return_sequences = FALSE, go_backwards = FALSE, restore_order = FALSE),
                 c(weight(c(channels, 4 * units), 2 * sqrt(3 / channels)), weight(c(units, 4 * units), 2 * sqrt(3 / units)), weight(4 * units, 0.2))),
        dense = function(name, inputs, units, activation) {
            node("Dense", name, list(units = units), c(weight(c(inputs, units), 2 * sqrt(3 / inputs)), weight(units, 0.2)))
            if (activation != "linear") node("Activation", name, list(activation = activation))
        },
        model = function(name) {
            last <- length(graph$nodes)
            parsed <- list(nodes = graph$nodes, weights = graph$weights, inputs = c(input_1 = 1L), outputs = stats::setNames(last, graph$nodes[[last]]$name),
                           layers = graph$rows, keras_version = "formula")
            pointer <- .Call(nucleograd:::C_model, parsed$nodes, parsed$weights, parsed$inputs, as.integer(parsed$outputs), environment())
            nucleograd:::model_of(pointer, parsed, name, environment())
        })
}

# The trunk of the sporulation network: 7 x (Conv1D 24 same relu, max-pool 4, batch norm).
sporulation_trunk <- function(build) {
    filters <- c(32, 32, 64, 64, 128, 128, 256)
    channels <- c(4, filters)
    for (i in seq_along(filters)) {
        build$conv(paste0("conv1d_", i), channels[i], filters[i], 24)
        if (i == 1) build$pool("max_pooling1d_1", 4)
        build$norm(paste0("batch_normalization_", i), filters[i])
        if (i > 1) build$pool(paste0("max_pooling1d_", i), 4)
    }
}

# The sporulation architecture of GenomeNet/BacDive: its trunk, flattened, and two dense layers; 3,553,985 parameters at 1 Mb.
sporulation_network <- function(length_bp = 1e6) {
    build <- network_builder(c(length_bp, 4))
    sporulation_trunk(build)
    rows <- Reduce(`%/%`, rep(4, 7), length_bp)
    build$flatten("flatten")
    build$dense("dense_1", rows * 256, 128, "relu")
    build$dense("dense_2", 128, 1, "sigmoid")
    build$model("sporulation")
}

# The same trunk for sequences of any length: the mean over rows in the place of Flatten.
length_free_network <- function() {
    build <- network_builder(c(NA, 4))
    sporulation_trunk(build)
    build$mean("global_average_pooling1d")
    build$dense("dense_1", 256, 128, "relu")
    build$dense("dense_2", 128, 1, "sigmoid")
    build$model("length_free")
}

# The trunk of the small CNN-LSTM: 3 x (Conv1D 12 same relu, max-pool 3, batch norm).
window_trunk <- function(build) {
    filters <- c(32, 64, 64)
    channels <- c(4, filters)
    for (i in seq_along(filters)) {
        build$conv(paste0("conv1d_", i), channels[i], filters[i], 12)
        if (i == 1) build$pool("max_pooling1d_1", 3)
        build$norm(paste0("batch_normalization_", i), filters[i])
        if (i > 1) build$pool(paste0("max_pooling1d_", i), 3)
    }
}

# The small CNN-LSTM of GenomeNet: its trunk, LSTM 32, softmax of 2; 88,546 parameters.
window_network <- function(length_bp = 500) {
    build <- network_builder(c(length_bp, 4))
    window_trunk(build)
    build$lstm("lstm", 64, 32)
    build$dense("dense", 32, 2, "softmax")
    build$model("window")
}

# The same trunk as a CNN of three layers: flattened, and one number.
three_layer_network <- function(length_bp = 500) {
    build <- network_builder(c(length_bp, 4))
    window_trunk(build)
    build$flatten("flatten")
    build$dense("dense", Reduce(`%/%`, rep(3, 3), length_bp) * 64, 1, "linear")
    build$model("three_layers")
}

# An LSTM over the bases themselves, softmax of 2.
lstm_network <- function(units, length_bp) {
    build <- network_builder(c(length_bp, 4))
    build$lstm("lstm", 4, units)
    build$dense("dense", units, 2, "softmax")
    build$model(sprintf("lstm_%d_%d", units, length_bp))
}

# A sequence from the same formula: bases 0..3.
formula_genome <- function(length_bp) {
    codes <- floor((formula_weights(length_bp, 4096, 1) + 0.5) * 4)
    Biostrings::DNAStringSet(c(contig_1 = rawToChar(charToRaw("ACGT")[codes + 1])))
}
