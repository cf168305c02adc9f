# R/keras-parts.R: layers that the core computes in parts, or under another name. Each entry adds the nodes of one call with `add`
# and returns the last; `layer$slots` are its weights, in the order of layer_weights.

one_part <- function(layer, x, add, graph) add(layer$class, x, layer$settings, layer$slots)

layer_parts <- list(
    Conv1D = function(layer, x, add, graph) {
        class <- if (layer$settings$groups > 1) "GroupedConv1D" else "Conv1D"
        turned(layer, x, add, function(x) add(class, x, layer$settings, layer$slots))
    },
    DepthwiseConv1D = function(layer, x, add, graph) turned(layer, x, add, function(x) add_depthwise(layer, x, add, graph, layer$slots)),
    SeparableConv1D = function(layer, x, add, graph) turned(layer, x, add, function(x) {
        y <- add_depthwise(layer, x, add, graph, layer$slots[1])
        add("Conv1D", y, list(filters = layer$settings$filters, kernel_size = 1), layer$slots[-1])
    }),
    Conv1DTranspose = function(layer, x, add, graph) turned(layer, x, add, function(x) one_part(layer, x, add)),
    MaxPooling1D = function(layer, x, add, graph) turned(layer, x, add, function(x) one_part(layer, x, add)),
    AveragePooling1D = function(layer, x, add, graph) turned(layer, x, add, function(x) one_part(layer, x, add)),
    ZeroPadding1D = function(layer, x, add, graph) turned(layer, x, add, function(x) one_part(layer, x, add)),
    Flatten = function(layer, x, add, graph) {
        if (channels_first(layer)) x <- add("Permute", x, list(dims = c(2, 1)))
        add("Flatten", x)
    },
    GlobalAveragePooling1D = function(layer, x, add, graph) {
        mask <- mask_of(graph, x)
        if (is.null(mask)) return(one_part(layer, x, add))
        if (channels_first(layer)) stop_unsupported(graph$source, layer$path, layer$class, "has channels first and reads a mask")
        add("MaskedAverage1D", c(x, mask), layer$settings["keepdims"])
    },
    RepeatVector = function(layer, x, add, graph) add("UpSampling1D", x, list(size = layer$settings$n)),
    Embedding = function(layer, x, add, graph) add_embedding(layer, x, add, graph, layer$slots),
    MultiHeadAttention = function(layer, x, add, graph) add_attention(layer, rep_len(x, 3), add, graph, layer$slots, layer$settings$use_bias,
                                                                      layer$settings$num_heads),
    layer_pos_embedding = function(layer, x, add, graph) {
        if (layer$settings$embed_dim > 0) x <- add_embedding(layer, x, add, graph, layer$slots[1])
        add("PositionTable", x, list(), utils::tail(layer$slots, 1))
    },
    layer_pos_sinusoid = function(layer, x, add, graph) {
        if (layer$settings$embed_dim > 0) x <- add_embedding(layer, x, add, graph, layer$slots)
        add("PositionTable", x, list(), layer$table)
    },
    layer_transformer_block = function(layer, x, add, graph) {
        settings <- layer$settings
        norm <- list(axis = -1, epsilon = 1e-6, scale = TRUE, center = TRUE)
        if (!is.null(mask_of(graph, x))) stop_unsupported(graph$source, layer$path, layer$class, "reads a mask")
        a <- add_attention(layer, rep(x, 3), add, graph, layer$slots[1:8], TRUE, settings$num_heads)
        a <- add("LayerNormalization", add("Add", c(x, a)), norm, layer$slots[13:14])
        b <- add("Dense", a, list(units = settings$ff_dim), layer$slots[9:10])
        b <- add("Dense", add("Activation", b, list(activation = "relu")), list(units = token_width(settings)), layer$slots[11:12])
        add("LayerNormalization", add("Add", c(a, b)), norm, layer$slots[15:16])
    },
    # Over the rows of one tensor, or over several vectors, which then become rows.
    layer_aggregate_time_dist = function(layer, x, add, graph) {
        if (layer$settings$multi_in) {
            rows <- vapply(x, function(input) add("UpSampling1D", input, list(size = 1)), 1L)
            x <- if (length(rows) > 1) add("Concatenate", rows, list(axis = 1)) else rows
        }
        classes <- c(sum = "GlobalSum1D", mean = "GlobalAveragePooling1D", max = "GlobalMaxPooling1D")
        classes <- classes[names(classes) %in% layer$settings$method]
        found <- vapply(classes, function(class) add(class, x), 1L)
        if (length(found) > 1) add("Concatenate", unname(found), list(axis = -1)) else found[[1]]
    },
    layer_euc_dist = function(layer, x, add, graph) add("EuclideanDistance", x),
    layer_cosine_sim = function(layer, x, add, graph) add("CosineSimilarity", x))

channels_first <- function(layer) identical(layer$config$data_format, "channels_first")

# With channels first the same computation lies between two exchanges of the axes.
turned <- function(layer, x, add, compute) {
    if (!channels_first(layer)) return(compute(x))
    exchange <- function(x) add("Permute", x, list(dims = c(2, 1)))
    exchange(compute(exchange(x)))
}

# Every channel of the kernel (k, C, M) is a group.
add_depthwise <- function(layer, x, add, graph, slots) {
    dims <- as.numeric(attr(graph$weights[[slots[1]]], "dims"))
    config <- c(layer$settings[c("kernel_size", "strides", "dilation_rate", "padding")], list(filters = dims[2] * dims[3], groups = dims[2]))
    add("GroupedConv1D", x, config, slots)
}

# Queries, keys and values are projected, compared head by head, and projected back. x: query, value, key, as Keras takes them.
add_attention <- function(layer, x, add, graph, slots, use_bias, heads) {
    own <- split(slots, rep(1:4, each = if (use_bias) 2 else 1))
    dims <- lapply(own, function(slots) as.numeric(attr(graph$weights[[slots[1]]], "dims")))
    project <- function(x, k, units) add("Dense", x, list(units = units), own[[k]])
    y <- c(project(x[1], 1, prod(dims[[1]][-1])), project(x[3], 2, prod(dims[[2]][-1])), project(x[2], 3, prod(dims[[3]][-1])))
    project(add("Attention", c(y, attention_masks(graph, layer, x)), list(heads = heads)), 4, dims[[4]][3])
}

# P[p, i] = sin(w) for even i, cos(w) for odd, w = p / n^(2 floor(i / 2) / width); p and i from 0 (deepG's positional_encoding()).
sinusoids <- function(settings) {
    width <- token_width(settings)
    i <- seq_len(width) - 1
    w <- outer(seq_len(settings$maxlen) - 1, settings$n^(2 * (i %/% 2) / width), `/`)
    table <- ifelse(col(w) %% 2 == 1, sin(w), cos(w))
    structure(as.vector(t(table)), dims = as.integer(dim(table)))
}

# ---- tokens ----

# An embedding reads one-hot rows: its table is the kernel of a Dense, and the input of the model gets an axis of tokens. So there
# is a gradient for every token at every position: of a mixture of tokens, of which a sequence is a corner.
add_embedding <- function(layer, x, add, graph, slots) {
    dims <- attr(graph$weights[[slots[1]]], "dims")
    input <- graph$nodes[[x]]
    if (input$class != "InputLayer")
        stop_unsupported(graph$source, layer$path, layer$class, "reads something else than an input of the model")
    tokens <- input$config$tokens
    if (is.null(tokens)) {
        if (length(input$config$shape) > 2) stop_unsupported(graph$source, layer$path, layer$class, "reads tokens with more than two axes")
        graph$nodes[[x]]$config <- list(shape = c(input$config$shape, dims[1]), tokens = as.numeric(dims[1]))
    } else if (tokens != dims[1])
        stop_unsupported(graph$source, layer$path, layer$class, "reads an input that another table reads, of other tokens")
    node <- add("Dense", x, list(units = as.numeric(dims[2]), use_bias = FALSE), slots)
    graph$embeddings <- c(graph$embeddings, node)
    node
}

# What else reads tokens would read them as numbers.
check_tokens <- function(graph, needed, outputs) {
    is_token <- vapply(graph$nodes, function(node) !is.null(node$config$tokens), NA)
    for (k in setdiff(needed, graph$embeddings)) {
        node <- graph$nodes[[k]]
        if (any(is_token[node$inputs])) stop_unsupported(graph$source, node$name, node$class, "reads an input that an Embedding reads too")
    }
    if (any(is_token[outputs]))
        stop_model_file(graph$source, "Its tokens are an output as well as an input; such a model is not computed.",
                        class = c("unsupported", "model_file"))
}
