# R/example-architecture.R: public architectures with random weights, described as Keras describes them.

#' Public architectures with random weights
#'
#' Networks of the sizes that people train, to try things on: what fits in memory, how long a genome takes. They have learned
#' nothing.
#'
#' | name | input | parameters |
#' | --- | --- | --- |
#' | `"sporulation"`, `"pathogenicity"`, `"cell_size"` | 1,000,000 bp | 3,553,985, 5,553,089, 5,553,860 |
#' | `"cell_morphology"`, four outputs | 1,000,000 bp | 23,353,809 |
#' | `"window"`, convolutions and an LSTM | 500 bp | 88,546 |
#' | `"recurrent_window"`, two LSTM over a wide convolution | 10,000 bp | 802,452 |
#' | `"architect_1"` to `"architect_12"`, the best configurations of GenomeNet-Architect | 150 or 10,000 bp | 175,426 to 8,050,761 |
#'
#' | `"phenotype_set"`, fourteen outputs | 200 fragments of 10,000 bp; takes 0.6 GB a thread | 595,333 |
#' | `"language_model"`, the base between two flanks | two flanks of 250 bp, the second one reversed | 100,228 |
#' | `"bert"`, a transformer over tokens with an answer at each position, a small one of its kind | 1,000 bp | 63,430 |
#' | `"crispr"`, `"crispr_bases"`, an answer for the window or for each base | 200 bp | 48,182, 92,898 |
#' | `"legacy"`, a Sequential model of LSTM as Keras 2.1 wrote it | 100 letters of 6 | 117,638 |
#'
#' `"architect_1"` to `"architect_6"` and `"architect_8"`, `"architect_10"` read both strands: they have two inputs, the sequence
#' and its reverse complement.
#' @param name One of the names above.
#' @param seed A whole number: the weights depend on it alone.
#' @return A [Model-class]; [write_model()] writes it.
#' @section Errors: `nucleograd_error_argument`: no such architecture.
#' @source The genome-scale models: \url{https://github.com/GenomeNet/deepG}; GenomeNet-Architect: Gündüz et al. (2024),
#'   \doi{10.1038/s42003-024-06161-1}.
#' @examples
#' example_architecture("window")
#' @export
example_architecture <- function(name = "sporulation", seed = 1) {
    name <- check_choice(name, architecture_names)
    seed <- check_number(seed, min = 0, max = .Machine$integer.max)
    frame <- environment()
    network <- build_architecture(name, seed)
    source <- list(file = name, call = frame)
    parsed <- flatten_model(network$description, list(weights = network$weights, keras_version = "2.15.0", backend = "tensorflow"), source)
    parsed_model(parsed, name, frame)
}

architecture_names <- c("sporulation", "pathogenicity", "cell_size", "cell_morphology", "window", "recurrent_window",
                        paste0("architect_", 1:12), "phenotype_set", "language_model", "bert", "crispr", "crispr_bases", "legacy")

# Building: `b` collects layers and weights; a tensor is list(name, shape), its shape without the batch. Each layer takes tensors and
# returns one.

new_blueprint <- function(seed) list2env(list(layers = list(), weights = list(), count = integer(), seed = seed, draws = 0), parent = emptyenv())

# -> list(description, weights), as flatten_model() takes them.
finish_blueprint <- function(b, inputs, outputs, name = "model") {
    force(outputs)                                                               # which may add the last layers
    tensors <- function(tensors) lapply(tensors, function(tensor) list(tensor$name, 0, 0))
    list(description = list(class_name = "Functional", config = list(name = name, layers = b$layers, input_layers = tensors(inputs),
                                                                     output_layers = tensors(outputs))),
         weights = b$weights)
}

add_layer <- function(b, class, from, shape, config = list(), weights = list(), name = NULL) {
    if (is.null(name)) {
        word <- snake_case(class)
        b$count[word] <- sum(b$count[word], 1, na.rm = TRUE)
        name <- paste0(word, "_", b$count[[word]])
    }
    calls <- if (length(from)) list(lapply(from, function(tensor) list(tensor$name, c(tensor$call, 0)[1], 0, stats::setNames(list(), character()))))
             else list()
    b$layers <- c(b$layers, list(list(class_name = class, config = c(list(name = name), config), name = name, inbound_nodes = calls)))
    b$weights[[name]] <- weights
    list(name = name, shape = shape)
}

# Keras' first weights (uniform, so that values keep their size), and biases and statistics that are not 0 and 1. Every draw has a
# stream of its own.
drawn_array <- function(b, dims, low, high) {
    b$draws <- b$draws + 1
    structure(low + (high - low) * (.Call(C_random, b$seed, b$draws, prod(dims), 2^24) + 0.5) / 2^24, dims = as.integer(dims))
}

drawn_kernel <- function(b, ...) {
    dims <- c(...)
    bound <- sqrt(6 / (prod(dims[-length(dims)]) + dims[length(dims)]))
    drawn_array(b, dims, -bound, bound)
}

drawn_bias <- function(b, count) drawn_array(b, count, -0.1, 0.1)

drawn_scale <- function(b, count) drawn_array(b, count, 0.8, 1.2)

input_layer <- function(b, shape, name) add_layer(b, "InputLayer", list(), shape,
                                                  list(batch_input_shape = c(list(NULL), as.list(shape))), name = name)

conv_layer <- function(b, x, filters, kernel, activation = "linear", dilation = 1) {
    add_layer(b, "Conv1D", list(x), c(x$shape[1], filters),
              list(filters = filters, kernel_size = kernel, padding = "same", dilation_rate = dilation, activation = activation),
              list(drawn_kernel(b, kernel, x$shape[2], filters), drawn_bias(b, filters)))
}

pool_layer <- function(b, x, size, padding = "valid", class = "MaxPooling1D") {
    if (size == 1) return(x)
    rows <- if (padding == "valid") x$shape[1] %/% size else ceiling(x$shape[1] / size)
    add_layer(b, class, list(x), c(rows, x$shape[2]), list(pool_size = size, strides = size, padding = padding))
}

norm_layer <- function(b, x) {
    channels <- utils::tail(x$shape, 1)
    add_layer(b, "BatchNormalization", list(x), x$shape, weights = list(drawn_scale(b, channels), drawn_bias(b, channels),
                                                                        drawn_bias(b, channels), drawn_scale(b, channels)))
}

leaky_layer <- function(b, x, alpha) add_layer(b, "LeakyReLU", list(x), x$shape, list(alpha = alpha))

reduce_layer <- function(b, x, class) add_layer(b, class, list(x), if (class == "Flatten") prod(x$shape) else x$shape[2])

join_layers <- function(b, class, from) {
    width <- vapply(from, function(x) utils::tail(x$shape, 1), 0)
    add_layer(b, class, from, c(from[[1]]$shape[-length(from[[1]]$shape)], if (class == "Concatenate") sum(width) else width[1]))
}

dense_layer <- function(b, x, units, activation, name = NULL) {
    add_layer(b, "Dense", list(x), c(x$shape[-length(x$shape)], units), list(units = units, activation = activation),
              list(drawn_kernel(b, utils::tail(x$shape, 1), units), drawn_bias(b, units)), name)
}

lstm_weights <- function(b, channels, units) {
    list(drawn_kernel(b, channels, 4 * units), drawn_kernel(b, units, 4 * units), drawn_bias(b, 4 * units))
}

lstm_layer <- function(b, x, units, sequences = FALSE, both = FALSE, recurrent_activation = "sigmoid") {
    config <- list(units = units, recurrent_activation = recurrent_activation, return_sequences = sequences)
    shape <- c(if (sequences) x$shape[1], units * (1 + both))
    if (!both) return(add_layer(b, "LSTM", list(x), shape, config, lstm_weights(b, x$shape[2], units)))
    inner <- list(class_name = "LSTM", config = c(list(name = "lstm"), config))
    add_layer(b, "Bidirectional", list(x), shape, list(layer = inner, merge_mode = "concat"),
              c(lstm_weights(b, x$shape[2], units), lstm_weights(b, x$shape[2], units)))
}

# The layer that `layer(x)` adds, at each element of a set: x is (set, ...).
each_layer <- function(b, x, layer) {
    made <- layer(list(name = x$name, shape = x$shape[-1]))
    last <- length(b$layers)
    inner <- b$layers[[last]]
    b$layers[[last]]$class_name <- "TimeDistributed"
    b$layers[[last]]$config <- list(name = inner$name, layer = inner[c("class_name", "config")])
    list(name = made$name, shape = c(x$shape[1], made$shape))
}

# Token and position tables, then blocks of attention and two dense layers, each with a sum and a norm behind it.
transformer_layers <- function(b, x, tokens, channels, blocks, heads, head_size, inner) {
    y <- add_layer(b, "layer_pos_embedding", list(x), c(x$shape, channels),
                   list(maxlen = x$shape, vocabulary_size = tokens, embed_dim = channels),
                   list(drawn_array(b, c(tokens, channels), -1, 1), drawn_array(b, c(x$shape, channels), -1, 1)))
    to_heads <- function() list(drawn_kernel(b, channels, heads * head_size), drawn_bias(b, heads * head_size))
    shaped <- function(weights) list(structure(weights[[1]], dim = NULL, dims = as.integer(c(channels, heads, head_size))),
                                     structure(weights[[2]], dims = as.integer(c(heads, head_size))))
    for (k in seq_len(blocks)) {
        from_heads <- structure(drawn_kernel(b, heads * head_size, channels), dims = as.integer(c(heads, head_size, channels)))
        weights <- c(shaped(to_heads()), shaped(to_heads()), shaped(to_heads()), list(from_heads, drawn_bias(b, channels)),
                     list(drawn_kernel(b, channels, inner), drawn_bias(b, inner), drawn_kernel(b, inner, channels), drawn_bias(b, channels)),
                     list(drawn_scale(b, channels), drawn_bias(b, channels), drawn_scale(b, channels), drawn_bias(b, channels)))
        y <- add_layer(b, "layer_transformer_block", list(y), y$shape,
                       list(num_heads = heads, head_size = head_size, ff_dim = inner, embed_dim = channels, vocabulary_size = tokens), weights)
    }
    y
}

# Architectures ------------------------------------------------------------------------------------------------------------------

# deepG's blocks: convolution, pool, norm; from the second on the norm comes before the pool.
deepg_trunk <- function(b, x, filters, kernel, size) {
    for (i in seq_along(filters)) {
        x <- conv_layer(b, x, filters[i], kernel, "relu")
        x <- if (i == 1) norm_layer(b, pool_layer(b, x, size)) else pool_layer(b, norm_layer(b, x), size)
    }
    x
}

build_architecture <- function(name, seed) {
    if (startsWith(name, "architect_")) return(build_architect(architect[[as.integer(sub(".*_", "", name))]], seed))
    other <- switch(name, phenotype_set = build_phenotype_set, language_model = build_language_model, bert = build_bert, legacy = build_legacy)
    if (!is.null(other)) return(other(new_blueprint(seed)))
    b <- new_blueprint(seed)
    x <- input_layer(b, c(switch(name, window = 500, recurrent_window = 1e4, crispr = , crispr_bases = 200, 1e6), 4), "input_1")
    outputs <- switch(name,
        window = list(dense_layer(b, lstm_layer(b, deepg_trunk(b, x, c(32, 64, 64), 12, 3), 32), 2, "softmax")),
        crispr = list(dense_layer(b, dense_layer(b, reduce_layer(b, deepg_trunk(b, x, c(32, 64), 12, 4), "Flatten"), 28, "relu"), 2, "softmax")),
        crispr_bases = list(dense_layer(b, lstm_layer(b, deepg_trunk(b, x, c(32, 64), 12, 1), 64, sequences = TRUE, both = TRUE), 2, "softmax")),
        recurrent_window = {
            y <- leaky_layer(b, norm_layer(b, pool_layer(b, conv_layer(b, x, 1033, 10), 128, "same")), 0.288)
            y <- lstm_layer(b, y, 132, sequences = TRUE, recurrent_activation = "hard_sigmoid")
            list(dense_layer(b, lstm_layer(b, y, 132, recurrent_activation = "hard_sigmoid"), 3, "softmax"))
        },
        cell_morphology = {
            y <- conv_layer(b, deepg_trunk(b, x, c(32, 64, 128, 128, 256, 256, 512), 24, 4), 1024, 24, "relu")
            y <- join_layers(b, "Concatenate", list(reduce_layer(b, y, "GlobalAveragePooling1D"), reduce_layer(b, y, "GlobalMaxPooling1D")))
            y <- dense_layer(b, y, 1500, "relu")
            head <- function(name, units, activation) dense_layer(b, dense_layer(b, y, 256, "relu"), units, activation, name)
            list(head("cell_shape", 11, "softmax"), head("flagellum", 6, "softmax"), head("gram", 3, "softmax"), head("motility", 1, "sigmoid"))
        }, {
            y <- reduce_layer(b, deepg_trunk(b, x, c(32, 32, 64, 64, 128, 128, 256), 24, 4), "Flatten")
            y <- dense_layer(b, y, if (name == "sporulation") 128 else 256, "relu")
            list(dense_layer(b, y, if (name == "cell_size") 4 else 1, if (name == "sporulation") "sigmoid" else "linear"))
        })
    finish_blueprint(b, list(x), outputs)
}

# A set of fragments of a genome, the mean over their features, a head for each phenotype. The trunk is a stand-in: it is not published.
build_phenotype_set <- function(b) {
    x <- input_layer(b, c(200, 1e4, 4), "input_1")
    y <- x
    for (filters in c(32, 64, 128, 256)) {
        y <- each_layer(b, y, function(x) conv_layer(b, x, filters, 12, "relu"))
        then <- list(function(x) norm_layer(b, x), function(x) pool_layer(b, x, 4))
        for (layer in if (filters == 32) rev(then) else then) y <- each_layer(b, y, layer)
    }
    y <- each_layer(b, y, function(x) reduce_layer(b, x, "GlobalAveragePooling1D"))
    y <- add_layer(b, "layer_aggregate_time_dist", list(y), y$shape[2], list(method = "mean", multi_in = FALSE))
    y <- dense_layer(b, y, 256, "relu")
    widths <- c(4, 11, 6, 3, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1)
    heads <- lapply(seq_along(widths), function(k) dense_layer(b, y, widths[k], if (widths[k] > 1) "softmax" else "sigmoid", paste0("phenotype_", k)))
    finish_blueprint(b, list(x), heads)
}

# What comes before a base and, reversed, what comes after it, in towers of their own.
build_language_model <- function(b) {
    inputs <- lapply(1:2, function(k) input_layer(b, c(250, 4), paste0("input_", k)))
    towers <- lapply(inputs, function(x) lstm_layer(b, norm_layer(b, pool_layer(b, conv_layer(b, x, 64, 12, "relu"), 3)), 80))
    finish_blueprint(b, inputs, list(dense_layer(b, join_layers(b, "Concatenate", towers), 4, "softmax")))
}

# The published one has 650 channels, 18 blocks of 20 heads of 200, and 1950 inside: 233,973,398 parameters.
build_bert <- function(b) {
    x <- input_layer(b, 1000, "input_1")
    y <- transformer_layers(b, x, tokens = 6, channels = 32, blocks = 2, heads = 4, head_size = 8, inner = 96)
    finish_blueprint(b, list(x), list(dense_layer(b, dense_layer(b, y, 256, "relu"), 6, "softmax")))
}

# A bare list of layers: the first one carries the shape of the input, nothing says who reads whom.
build_legacy <- function(b) {
    y <- list(name = NA_character_, shape = c(100, 6))
    for (k in 1:4) {
        y <- lstm_layer(b, y, 64, sequences = k < 4, recurrent_activation = "hard_sigmoid")
        if (k > 1) y <- add_layer(b, "Dropout", list(y), y$shape, list(rate = 0.2))
    }
    y <- dense_layer(b, y, 6, "linear")
    add_layer(b, "Activation", list(y), y$shape, list(activation = "softmax"))
    layers <- lapply(b$layers, `[`, c("class_name", "config"))
    layers[[1]]$config$batch_input_shape <- list(NULL, 100, 6)
    list(description = list(class_name = "Sequential", config = list(name = "sequential", layers = layers)), weights = b$weights)
}

# GenomeNet-Architect: rows of filters, kernel, dilation, pool; `taps`: the convolutions whose average is read, or `units` of `depth`
# recurrent layers; `hidden` dense layers; both: of both strands.
blocks <- function(...) matrix(c(...), ncol = 4, byrow = TRUE)

architect <- list(
    list(length = 150, both = TRUE, taps = 4:6, hidden = 79, activation = "tanh", blocks = blocks(
        778, 4, 1, 2, 383, 6, 1, 1, 188, 8, 1, 2, 93, 11, 1, 2, 46, 15, 1, 1, 23, 21, 1, 1)),
    list(length = 150, both = TRUE, taps = 6:7, hidden = c(284, 284), activation = "tanh", blocks = blocks(
        623, 5, 1, 2, 375, 7, 1, 1, 226, 10, 1, 2, 137, 14, 1, 1, 83, 21, 1, 2, 50, 30, 1, 1, 30, 45, 1, 1)),
    list(length = 150, both = TRUE, residual = TRUE, taps = 13, blocks = cbind(
        173, c(3, 4, 4, 5, 6, 6, 7, 9, 10, 12, 13, 16, 18), c(1, 1, 2, 2, 2, 3, 4, 5, 6, 7, 9, 11, 13), replace(rep(1, 13), c(3, 9), 2))),
    list(length = 150, both = TRUE, units = 19, depth = 3, two_way = TRUE, blocks = blocks(
        263, 3, 1, 2, 336, 4, 2, 1, 430, 4, 1, 2, 551, 5, 2, 2, 705, 5, 1, 1, 902, 6, 2, 2)),
    list(length = 150, both = TRUE, residual = TRUE, units = 58, depth = 1, two_way = TRUE, blocks = blocks(
        379, 7, 1, 2, 148, 18, 1, 2, 58, 54, 1, 2)),
    list(length = 150, both = TRUE, residual = TRUE, units = 108, depth = 1, two_way = TRUE, hidden = 454, activation = "relu", blocks = blocks(
        123, 5, 1, 2, 143, 7, 1, 1, 165, 12, 1, 2, 190, 19, 1, 1, 220, 32, 1, 2)),
    list(length = 1e4, taps = 4:5, hidden = c(365, 365), activation = "relu", blocks = blocks(
        147, 8, 1, 2, 185, 6, 1, 2, 233, 5, 1, 4, 294, 4, 1, 2, 371, 3, 1, 1)),
    list(length = 1e4, both = TRUE, taps = 3:5, hidden = c(470, 470), activation = "relu", blocks = blocks(
        109, 16, 1, 2, 112, 10, 1, 4, 114, 7, 1, 2, 116, 5, 1, 2, 118, 3, 1, 1)),
    list(length = 1e4, residual = TRUE, taps = c(8, 16), hidden = 250, activation = "tanh", blocks = cbind(
        rep(c(139, 90), each = 8), c(4, rep(3, 15)), c(1, 2, 3, 6, 12, 22, 42, 78), replace(rep(1, 16), c(3, 8, 12), 2))),
    list(length = 1e4, both = TRUE, residual = TRUE, units = 452, depth = 1, two_way = TRUE, hidden = 152, activation = "tanh", blocks = blocks(
        61, 3, 1, 4, 114, 3, 1, 2, 214, 3, 1, 4, 402, 3, 1, 4)),
    list(length = 1e4, residual = TRUE, units = 23, depth = 1, two_way = TRUE, blocks = blocks(709, 13, 1, 128)),
    list(length = 1e4, residual = TRUE, units = 150, depth = 1, two_way = FALSE, hidden = 216, activation = "tanh",
         blocks = blocks(1038, 18, 1, 128)))

build_architect <- function(row, seed) {
    b <- new_blueprint(seed)
    x <- input_layer(b, c(row$length, 4), "input_1")
    y <- architect_features(b, x, row)
    for (units in row$hidden) y <- dense_layer(b, y, units, row$activation)
    strand <- finish_blueprint(b, list(x), list(dense_layer(b, y, 3, "softmax")), "strand")
    if (!isTRUE(row$both)) return(strand)
    b <- new_blueprint(seed)
    inputs <- list(input_layer(b, c(row$length, 4), "forward"), input_layer(b, c(row$length, 4), "reverse_complement"))
    calls <- lapply(1:2, function(k) list(name = "strand", shape = 3, call = k))                # both over the same weights
    nodes <- lapply(inputs, function(x) list(list(x$name, 0, 0, stats::setNames(list(), character()))))
    b$layers <- c(b$layers, list(c(strand$description, list(name = "strand", inbound_nodes = nodes))))
    group <- new_layer(new_graph(list(file = "strand", call = NULL)), c(strand$description, list(name = "strand")), "strand")
    b$weights$strand <- unlist(unname(strand$weights), recursive = FALSE)[unlist(stored_order(group))]
    finish_blueprint(b, inputs, list(join_layers(b, "Average", calls)))
}

# Convolution, pool, the shortcut around both, norm, LeakyReLU; a tap reads a convolution itself, and after the last one nothing follows.
architect_features <- function(b, x, row) {
    taps <- list()
    count <- nrow(row$blocks)
    before <- NULL
    for (i in seq_len(count)) {
        shape <- row$blocks[i, ]
        y <- conv_layer(b, x, shape[1], shape[2], dilation = shape[3])
        if (i %in% row$taps) taps <- c(taps, list(reduce_layer(b, y, "GlobalAveragePooling1D")))
        if (i == count && length(row$taps)) break
        y <- pool_layer(b, y, shape[4], "same")
        if (isTRUE(row$residual) && i > 1) {
            around <- pool_layer(b, before, shape[4], "same", "AveragePooling1D")
            if (around$shape[2] != y$shape[2]) around <- conv_layer(b, around, y$shape[2], 1)
            y <- join_layers(b, "Add", list(y, around))
        }
        before <- y
        x <- leaky_layer(b, norm_layer(b, y), 0.3)
    }
    if (length(taps)) return(if (length(taps) > 1) join_layers(b, "Concatenate", taps) else taps[[1]])
    for (k in seq_len(row$depth)) x <- lstm_layer(b, x, row$units, sequences = k < row$depth, both = row$two_way)
    x
}
