# R/keras-layers.R: what each Keras layer keeps of its configuration, and which weights it owns. A new layer is one entry here.

# Settings by class, with the value that an absent key means; NA: the key must be there, and of this type.
layer_settings <- list(
    Conv1D = list(filters = NA_real_, kernel_size = NA_real_, strides = 1, dilation_rate = 1, padding = "valid", groups = 1),
    SeparableConv1D = list(filters = NA_real_, kernel_size = NA_real_, strides = 1, dilation_rate = 1, padding = "valid",
                           depth_multiplier = 1),
    DepthwiseConv1D = list(kernel_size = NA_real_, strides = 1, dilation_rate = 1, padding = "valid", depth_multiplier = 1),
    Conv1DTranspose = list(filters = NA_real_, kernel_size = NA_real_, strides = 1, dilation_rate = 1, padding = "valid",
                           output_padding = NULL),
    Dense = list(units = NA_real_),
    MaxPooling1D = list(pool_size = 2, strides = NULL, padding = "valid"),
    AveragePooling1D = list(pool_size = 2, strides = NULL, padding = "valid"),
    GlobalMaxPooling1D = list(data_format = "channels_last", keepdims = FALSE),
    GlobalAveragePooling1D = list(data_format = "channels_last", keepdims = FALSE),
    BatchNormalization = list(axis = -1, epsilon = 1e-3, scale = TRUE, center = TRUE, momentum = 0.99),
    LayerNormalization = list(axis = -1, epsilon = 1e-3, scale = TRUE, center = TRUE),
    Flatten = list(),
    Reshape = list(target_shape = NA_real_),
    Permute = list(dims = NA_real_),
    RepeatVector = list(n = NA_real_),
    UpSampling1D = list(size = 2),
    ZeroPadding1D = list(padding = 1),
    Cropping1D = list(cropping = 1),
    PReLU = list(shared_axes = NULL),
    Masking = list(mask_value = 0),
    Embedding = list(input_dim = NA_real_, output_dim = NA_real_),
    MultiHeadAttention = list(num_heads = NA_real_, key_dim = NA_real_, value_dim = NULL, use_bias = TRUE),
    LSTM = list(units = NA_real_, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE,
                return_sequences = FALSE, go_backwards = FALSE),
    GRU = list(units = NA_real_, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE,
               return_sequences = FALSE, go_backwards = FALSE),
    Concatenate = list(axis = -1),
    Add = list(), Subtract = list(), Multiply = list(), Average = list(), Maximum = list(), Minimum = list(),
    Dot = list(axes = NA_real_, normalize = FALSE),
    # deepG's own
    layer_pos_embedding = list(maxlen = 100, vocabulary_size = 4, embed_dim = 64),
    layer_pos_sinusoid = list(maxlen = NA_real_, vocabulary_size = NA_real_, n = 10000, embed_dim = NA_real_),
    layer_transformer_block = list(num_heads = 2, head_size = 4, ff_dim = 64, vocabulary_size = 4, embed_dim = 64),
    layer_aggregate_time_dist = list(method = NA_character_, multi_in = FALSE),
    layer_euc_dist = list(), layer_cosine_sim = list())

activation_layers <- c("Activation", "ReLU", "LeakyReLU", "ThresholdedReLU", "ELU", "Softmax")
identity_layers <- c("Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise", "AlphaDropout", "ActivityRegularization")
wrapper_layers <- c("TimeDistributed", "Bidirectional", "Functional", "Sequential")
cudnn_layers <- c(CuDNNLSTM = "LSTM", CuDNNGRU = "GRU")
mask_operations <- c("NotEqual", "Any", "LogicalOr")           # Keras 3 writes down how a mask is made; keras-masks.R makes its own
supported_layers <- c("InputLayer", names(layer_settings), names(cudnn_layers), activation_layers, identity_layers, wrapper_layers,
                      mask_operations)
deepg_layers <- grep("^layer_", names(layer_settings), value = TRUE)

# Layers with a kernel and the key "activation".
kernel_layers <- c("Conv1D", "SeparableConv1D", "DepthwiseConv1D", "Conv1DTranspose", "Dense")

class_aliases <- c(
    BatchNormalizationV1 = "BatchNormalization", BatchNormalizationV2 = "BatchNormalization", LSTMV1 = "LSTM", LSTMV2 = "LSTM",
    GRUV1 = "GRU", GRUV2 = "GRU", GlobalAvgPool1D = "GlobalAveragePooling1D", GlobalMaxPool1D = "GlobalMaxPooling1D",
    MaxPool1D = "MaxPooling1D", AvgPool1D = "AveragePooling1D", Convolution1D = "Conv1D", Model = "Functional")

# Words for element-wise functions; a Keras synonym leads to the same word.
activation_words <- c(
    linear = "linear", relu = "relu", sigmoid = "sigmoid", hard_sigmoid = "hard_sigmoid", hard_sigmoid_keras3 = "hard_sigmoid_keras3",
    tanh = "tanh", softmax = "softmax", log_softmax = "log_softmax", log_softmax_v2 = "log_softmax", elu = "elu", selu = "selu",
    softplus = "softplus",
    softsign = "softsign", swish = "swish", silu = "swish", gelu = "gelu", exponential = "exponential", relu6 = "relu6",
    leaky_relu = "leaky_relu", mish = "mish")

# Shapes of the weights a layer owns, in the order in which Keras lists them: those it trains, then those it does not.
# NA: any length, to be checked against the incoming channels when the network is built; NULL: any shape.
layer_weights <- list(
    Conv1D = function(config) list(trained = c(list(c(config$kernel_size, NA, config$filters)),
                                               if (has_bias(config)) list(config$filters))),
    SeparableConv1D = function(config) list(trained = c(list(c(config$kernel_size, NA, config$depth_multiplier), c(1, NA, config$filters)),
                                                        if (has_bias(config)) list(config$filters))),
    DepthwiseConv1D = function(config) list(trained = c(list(c(config$kernel_size, NA, config$depth_multiplier)),
                                                        if (has_bias(config)) list(NA))),
    Conv1DTranspose = function(config) list(trained = c(list(c(config$kernel_size, config$filters, NA)),
                                                        if (has_bias(config)) list(config$filters))),
    Dense = function(config) list(trained = c(list(c(NA, config$units)), if (has_bias(config)) list(config$units))),
    Embedding = function(config) list(trained = list(c(config$input_dim, config$output_dim))),
    MultiHeadAttention = function(config) list(trained = attention_weights(config$num_heads, config$key_dim, config$value_dim,
                                                                           config$use_bias)),
    layer_pos_embedding = function(config) list(trained = c(if (config$embed_dim > 0) list(c(config$vocabulary_size, config$embed_dim)),
                                                            list(c(config$maxlen, token_width(config))))),
    layer_pos_sinusoid = function(config)
        list(trained = if (config$embed_dim > 0) list(c(config$vocabulary_size, config$embed_dim))),
    layer_transformer_block = function(config) {
        width <- token_width(config)
        list(trained = c(attention_weights(config$num_heads, config$head_size, config$head_size, TRUE),
                         list(c(width, config$ff_dim), config$ff_dim, c(config$ff_dim, width), width), rep(list(width), 4)))
    },
    BatchNormalization = function(config) list(trained = rep(list(NA), config$scale + config$center), fixed = list(NA, NA)),
    LayerNormalization = function(config) list(trained = rep(list(NULL), config$scale + config$center)),
    PReLU = function(config) list(trained = list(NULL)),
    LSTM = function(config) recurrent_weights(config, gates = 4, bias = 4 * config$units),
    GRU = function(config) recurrent_weights(config, gates = 3, bias =
        if (is.null(config$reset_after)) NULL else if (config$reset_after) c(2, 3 * config$units) else 3 * config$units),
    CuDNNLSTM = function(config) recurrent_weights(config, gates = 4, bias = 8 * config$units),
    CuDNNGRU = function(config) recurrent_weights(config, gates = 3, bias = 6 * config$units))

recurrent_weights <- function(config, gates, bias) {
    list(trained = c(list(c(NA, gates * config$units), c(config$units, gates * config$units)), if (config$use_bias) list(bias)))
}

# Projections of query, key and value, each (in, heads, size), then of the heads' outputs.
attention_weights <- function(heads, key_dim, value_dim, use_bias) {
    if (is.null(value_dim)) value_dim <- key_dim
    kernels <- list(c(NA, heads, key_dim), c(NA, heads, key_dim), c(NA, heads, value_dim), c(heads, value_dim, NA))
    biases <- list(c(heads, key_dim), c(heads, key_dim), c(heads, value_dim), NA)
    if (use_bias) unlist(Map(list, kernels, biases), recursive = FALSE) else kernels
}

# deepG's transformers read one-hot letters where embed_dim is 0.
token_width <- function(config) if (config$embed_dim > 0) config$embed_dim else config$vocabulary_size

has_bias <- function(config) !isFALSE(config$use_bias)

# The settings of a layer as a named list of atomic vectors, all present and of the right type.
read_settings <- function(class, config, source, name) {
    refuse_settings(class, config, source, name)
    expected <- layer_settings[[class]]
    settings <- Map(function(key, default) read_setting(config[[key]], default, key, source, name), names(expected), expected)
    settings <- Filter(Negate(is.null), settings)
    if (class %in% c("MaxPooling1D", "AveragePooling1D") && is.null(settings$strides))
        settings$strides <- settings$pool_size
    if (class %in% c("ZeroPadding1D", "Cropping1D"))
        settings <- lapply(settings, rep_len, 2)                                 # one number stands for both ends
    if (class %in% c("LSTM", "GRU")) {
        settings$activation <- activation_word(config$activation, "tanh", source, name)
        settings$recurrent_activation <- activation_word(config$recurrent_activation, "sigmoid", source, name)
        settings$restore_order <- FALSE
        settings$returns <- if (settings$return_sequences) "sequence" else "last"
    }
    if (class == "layer_aggregate_time_dist" && !all(settings$method %in% c("sum", "mean", "max")))
        stop_unsupported(source, name, class, paste0("has the method \"", toString(settings$method), "\""))
    sizes <- unlist(settings[c("filters", "units", "kernel_size", "strides", "dilation_rate", "pool_size", "groups", "depth_multiplier",
                               "n", "size", "input_dim", "output_dim", "num_heads", "key_dim", "maxlen", "head_size", "ff_dim",
                               "vocabulary_size")])
    if (length(sizes) && any(sizes < 1 | sizes != round(sizes)))
        stop_model_file(source, "Layer {.val {name}} has a size of {min(sizes)}; sizes are whole numbers from 1.")
    settings
}

# One value: a number, a flag or a word as the default is one. Keras wraps lengths in lists and may write 4 as 4.0.
read_setting <- function(value, default, key, source, name) {
    value <- unlist(value)
    if (is.null(value)) value <- default
    right <- switch(typeof(default), double = is.numeric(value) && all(is.finite(value)),
                    logical = is.logical(value) && !anyNA(value), character = is.character(value), `NULL` = is.null(value) || is.numeric(value))
    if (!right && key %in% c("activation", "recurrent_activation")) return(default)   # read by activation_word()
    if (!right)
        stop_model_file(source, "Layer {.val {name}} has no usable {.field {key}}.")
    if (is.numeric(value)) as.double(value) else unname(value)
}

# What Keras can write and nucleograd does not compute.
refuse_settings <- function(class, config, source, name) {
    refuse <- function(reason) stop_unsupported(source, name, class, reason)
    if (class %in% kernel_layers && isTRUE(unlist(config$strides) > 1 && unlist(config$dilation_rate) > 1))
        refuse("has both strides and dilation above 1")
    if (class == "LayerNormalization" && isTRUE(config$rms_scaling)) refuse("divides by root mean squares")
    if (class == "Embedding" && isTRUE(config$mask_zero)) refuse("masks token 0")
    if (class == "MultiHeadAttention" && !(is.null(unlist(config$attention_axes)) || identical(as.numeric(unlist(config$attention_axes)), 1)))
        refuse("attends over other axes than the first")
    if (isTRUE(config$time_major)) refuse("has time before samples")
    if (class == "Softmax" && !identical(as.numeric(unlist(config$axis)), -1) && !is.null(config$axis))
        refuse("works on another axis than the last")
}

stop_unsupported <- function(source, name, class, reason) {
    stop_model_file(source, "Layer {.val {name}}, a {class}, {reason}.", "{.code ?nucleograd::layers} lists the layers that are computed.",
                    class = c("unsupported", "model_file"))
}

# The function of a layer of class Activation, LeakyReLU, ..., or of the key "activation" of another layer, as settings.
activation_settings <- function(class, config, source, name) {
    number <- function(keys, default) {
        value <- unlist(Filter(Negate(is.null), config[intersect(keys, names(config))]))
        if (is.null(value)) return(default)
        read_setting(value[[1]], NA_real_, keys[1], source, name)
    }
    refuse_settings(class, config, source, name)
    switch(class,
           Activation = named_activation(config$activation, source, name),
           Softmax = list(activation = "softmax"),
           LeakyReLU = list(activation = "leaky_relu", alpha = number(c("alpha", "negative_slope"), 0.3)),
           ELU = list(activation = "elu", alpha = number("alpha", 1)),
           ThresholdedReLU = list(activation = "relu", negative_slope = 0, threshold = number("theta", 1)),
           ReLU = c(list(activation = "relu"), if (!is.null(config$max_value)) list(max_value = number("max_value", Inf)),
                    list(negative_slope = number("negative_slope", 0), threshold = number("threshold", 0))))
}

# "relu", {"class_name": "function", "config": "relu"}, or a whole layer such as {"class_name": "LeakyReLU", "config": {...}}.
named_activation <- function(activation, source, name) {
    if (is.null(activation)) return(list(activation = "linear"))
    if (is.list(activation)) {
        class <- plain_class(activation$class_name)
        if (class %in% setdiff(activation_layers, "Activation"))
            return(activation_settings(class, activation$config, source, name))
        activation <- if (class == "function") activation$config else class
    }
    word <- if (is.character(activation) && length(activation) == 1) activation_words[activation]
    if (is.null(word) || is.na(word))
        stop_unsupported(source, name, "layer", paste0("has the activation \"", format(activation), "\", which is not computed"))
    settings <- list(activation = unname(word))
    c(settings, switch(word, leaky_relu = list(alpha = 0.2), elu = list(alpha = 1)))
}

activation_word <- function(activation, default, source, name) {
    if (is.null(activation)) activation <- default
    settings <- named_activation(activation, source, name)
    if (length(settings) > 1 && !is.character(activation))
        stop_unsupported(source, name, "recurrent layer", "has an activation with parameters")
    settings$activation
}

# "Custom>Conv1D" and "package>Conv1D" are Conv1D; older names lead to the present ones.
plain_class <- function(class_name) {
    if (!is.character(class_name) || length(class_name) != 1) return("unknown")
    class <- sub("^.*>", "", class_name)
    if (class %in% names(class_aliases)) class_aliases[[class]] else class
}

# The old GPU-only layers store the input kernel of each gate transposed in place, the recurrent one transposed, and two biases.
convert_cudnn <- function(class, weights, units) {
    gates <- if (class == "CuDNNLSTM") 4 else 3
    turn <- function(kernel, in_place) {
        dims <- attr(kernel, "dims")
        matrix <- matrix(kernel, dims[1], byrow = TRUE)
        blocks <- lapply(seq_len(gates), function(gate) {
            block <- matrix[, (gate - 1) * units + seq_len(units), drop = FALSE]
            if (in_place) matrix(as.vector(t(block)), dims[1]) else t(block)
        })
        structure(as.vector(t(do.call(cbind, blocks))), dims = dims)
    }
    bias <- weights[[3]]
    own <- seq_len(4 * units)
    bias <- if (class == "CuDNNLSTM") structure(bias[own] + bias[4 * units + own], dims = 4L * as.integer(units))
            else structure(as.vector(bias), dims = c(2L, 3L * as.integer(units)))
    list(turn(weights[[1]], TRUE), turn(weights[[2]], FALSE), bias)
}
