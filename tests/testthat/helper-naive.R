# Networks in plain R: double precision, whole matrices, loops over taps; no tiles, no float32, none of the package's C. They are
# evaluated from the flat nodes that read_model() makes of a file, and toy networks are made of such nodes by hand.

# ---- toy networks ----

# One layer: its class, settings and weights (arrays in Keras order); `from`: the nodes it reads, by default the one before.
toy_layer <- function(class, ..., weights = list(), from = NULL) {
    list(class = class, config = list(...), weights = weights, from = from)
}

# The nodes of a network of one input of this shape (NA: any length).
toy_network <- function(shape, ...) {
    network <- list(nodes = list(toy_node("InputLayer", "input", integer(), list(shape = as.double(shape)))), weights = list(),
                    inputs = c(input = 1L), keras_version = "2.15.0")
    for (layer in list(...)) {
        at <- length(network$nodes) + 1L
        slots <- length(network$weights) + seq_along(layer$weights)
        network$weights <- c(network$weights, lapply(layer$weights, stored_weight))
        from <- if (is.null(layer$from)) at - 1L else as.integer(layer$from)
        network$nodes[[at]] <- toy_node(layer$class, paste0("layer_", at), from, layer$config, slots)
    }
    network$outputs <- stats::setNames(length(network$nodes), "answer")
    part <- function(key) vapply(network$nodes, `[[`, "", key)
    network$layers <- data.frame(layer = part("name"), class = part("class"), node = seq_along(network$nodes), parameters = 0)
    network
}

toy_node <- function(class, name, inputs, config = list(), weights = integer()) {
    numbers <- vapply(config, is.numeric, NA)
    config[numbers] <- lapply(config[numbers], as.double)
    list(class = class, name = name, inputs = inputs, config = config, weights = as.integer(weights), time_distributed = FALSE)
}

stored_weight <- function(weight) {
    dims <- if (is.null(dim(weight))) length(weight) else dim(weight)
    structure(as.double(aperm(array(weight, dims))), dims = as.integer(dims))
}

model_from <- function(network, name = "toy") {
    frame <- environment()
    pointer <- .Call(nucleograd:::C_model, network$nodes, network$weights, as.integer(network$inputs),
                     as.integer(network$outputs), frame)
    nucleograd:::model_of(pointer, network, name, frame)
}

conv <- function(kernel, bias = numeric(dim(kernel)[3]), padding = "same") {
    toy_layer("Conv1D", filters = dim(kernel)[3], kernel_size = dim(kernel)[1], strides = 1, dilation_rate = 1, padding = padding,
              weights = list(kernel, bias))
}
max_pool <- function(size, stride = size) toy_layer("MaxPooling1D", pool_size = size, strides = stride, padding = "valid")
dense <- function(kernel, bias = numeric(ncol(kernel))) toy_layer("Dense", units = ncol(kernel), weights = list(kernel, bias))
activation <- function(word) toy_layer("Activation", activation = word)
flatten <- function() toy_layer("Flatten")

# Numbers in [-1, 1), the same everywhere, that float32 holds exactly.
random_array <- function(dims, seed) {
    set.seed(seed)
    array(sample(-512:511, prod(dims), replace = TRUE) / 512, dims)
}

random_genome <- function(..., seed = 1, circular = FALSE) {
    length_bp <- c(...)
    set.seed(seed)
    draw <- function(n) paste(sample(c("A", "C", "G", "T"), n, replace = TRUE), collapse = "")
    genome <- Biostrings::DNAStringSet(vapply(length_bp, draw, ""))
    names(genome) <- paste0("contig_", seq_along(genome))
    S4Vectors::mcols(genome) <- S4Vectors::DataFrame(circular = rep_len(circular, length(genome)))
    genome
}

one_hot <- function(sequence) {
    letters <- strsplit(as.character(sequence), "")[[1]]
    1 * outer(letters, c("A", "C", "G", "T"), `==`)
}

# Arrays (samples, bp, 4) of sequences of equal length.
one_hot_array <- function(sequences) aperm(simplify2array(lapply(as.character(sequences), one_hot)), c(3, 1, 2))

# ---- layers: list(y, back); back(dy) gives the gradient of each input ----

# The input rows under each output row (rows x taps); 0 where a window lies over the edge.
rows_under <- function(length, size, stride, dilation, padding) {
    span <- (size - 1) * dilation + 1
    rows <- if (padding == "valid") (length - span) %/% stride + 1 else ceiling(length / stride)
    before <- switch(padding, valid = 0, causal = span - 1, same = max((rows - 1) * stride + span - length, 0) %/% 2)
    under <- outer((seq_len(rows) - 1) * stride - before, (seq_len(size) - 1) * dilation, `+`) + 1
    under[under < 1 | under > length] <- 0
    under
}

naive_conv <- function(x, config, weights) {
    under <- rows_under(nrow(x), config$kernel_size, config$strides, config$dilation_rate, config$padding)
    kernel <- weights[[1]]
    y <- matrix(if (length(weights) > 1) weights[[2]] else 0, nrow(under), config$filters, byrow = TRUE)
    tap <- function(j) matrix(kernel[j, , ], dim(kernel)[2])
    for (j in seq_len(ncol(under))) y <- y + rbind(0, x)[under[, j] + 1, , drop = FALSE] %*% tap(j)
    list(y = y, back = function(dy) {
        dx <- matrix(0, nrow(x) + 1, ncol(x))
        for (j in seq_len(ncol(under))) dx[under[, j] + 1, ] <- dx[under[, j] + 1, ] + dy %*% t(tap(j))
        list(dx[-1, , drop = FALSE])
    })
}

naive_max_pool <- function(x, config, weights) {
    under <- rows_under(nrow(x), config$pool_size, config$strides, 1, config$padding)
    winner <- matrix(0, nrow(under), ncol(x))
    for (t in seq_len(nrow(under))) {
        rows <- under[t, under[t, ] > 0]
        winner[t, ] <- rows[apply(x[rows, , drop = FALSE], 2, which.max)]          # the first of equals
    }
    naive_pick(x, winner)
}

# y[t, c] = x[row[t, c], c]
naive_pick <- function(x, row) {
    at <- cbind(as.vector(row), as.vector(col(row)))
    list(y = matrix(x[at], nrow(row)), back = function(dy) {
        dx <- 0 * x
        for (i in seq_len(nrow(at))) dx[at[i, 1], at[i, 2]] <- dx[at[i, 1], at[i, 2]] + dy[i]
        list(dx)
    })
}

naive_average_pool <- function(x, config, weights) {
    under <- rows_under(nrow(x), config$pool_size, config$strides, 1, config$padding)
    share <- matrix(0, nrow(under), nrow(x))
    for (t in seq_len(nrow(under))) share[t, under[t, under[t, ] > 0]] <- 1 / sum(under[t, ] > 0)
    list(y = share %*% x, back = function(dy) list(t(share) %*% dy))
}

naive_batch_norm <- function(x, config, weights) {
    mean <- weights[[length(weights) - 1]]
    slope <- 1 / sqrt(weights[[length(weights)]] + config$epsilon)
    if (config$scale) slope <- slope * weights[[1]]
    shift <- if (config$center) weights[[1 + config$scale]] else 0 * mean
    list(y = sweep(sweep(sweep(x, 2, mean), 2, slope, `*`), 2, shift, `+`), back = function(dy) list(sweep(dy, 2, slope, `*`)))
}

naive_dense <- function(x, config, weights) {
    y <- x %*% weights[[1]]
    if (length(weights) > 1) y <- sweep(y, 2, weights[[2]], `+`)
    list(y = y, back = function(dy) list(dy %*% t(weights[[1]])))
}

naive_activation <- function(x, config, weights) {
    if (config$activation == "softmax") {
        y <- exp(x) / rowSums(exp(x))
        return(list(y = y, back = function(dy) list(y * (dy - rowSums(dy * y)))))
    }
    pair <- switch(config$activation,
        relu = list(pmax(x, 0), x > 0), tanh = list(tanh(x), 1 - tanh(x)^2), sigmoid = list(stats::plogis(x), stats::dlogis(x)),
        leaky_relu = list(ifelse(x > 0, x, config$alpha * x), ifelse(x > 0, 1, config$alpha)), stop(config$activation))
    list(y = pair[[1]], back = function(dy) list(dy * pair[[2]]))
}

naive_flatten <- function(x, config, weights) {
    list(y = matrix(as.vector(t(x)), 1), back = function(dy) list(matrix(dy, nrow(x), byrow = TRUE)))
}

naive_global_average <- function(x, config, weights) {
    list(y = matrix(colMeans(x), 1), back = function(dy) list(matrix(dy / nrow(x), nrow(x), ncol(x), byrow = TRUE)))
}

naive_global_max <- function(x, config, weights) naive_pick(x, matrix(apply(x, 2, which.max), 1))

naive_sum <- function(inputs, weight) {
    list(y = weight * Reduce(`+`, inputs), back = function(dy) rep(list(weight * dy), length(inputs)))
}

naive_concatenate <- function(inputs) {
    owner <- rep(seq_along(inputs), vapply(inputs, ncol, 0L))
    list(y = do.call(cbind, inputs), back = function(dy) lapply(seq_along(inputs), function(i) dy[, owner == i, drop = FALSE]))
}

naive_layer <- function(node, inputs, weights) {
    one <- list(Conv1D = naive_conv, MaxPooling1D = naive_max_pool, AveragePooling1D = naive_average_pool, Dense = naive_dense,
                BatchNormalization = naive_batch_norm, Activation = naive_activation, Flatten = naive_flatten,
                GlobalAveragePooling1D = naive_global_average, GlobalMaxPooling1D = naive_global_max)[[node$class]]
    if (!is.null(one)) return(one(inputs[[1]], node$config, weights))
    switch(node$class, Add = naive_sum(inputs, 1), Average = naive_sum(inputs, 1 / length(inputs)),
           Concatenate = naive_concatenate(inputs), stop(node$class))
}

# ---- networks ----

# Every node's layer for these inputs: a list with one matrix (rows x channels) for each input of the network.
naive_run <- function(network, inputs) {
    stopifnot(!any(vapply(network$nodes, `[[`, NA, "time_distributed")))
    weights <- lapply(network$weights, function(weight) {
        dims <- attr(weight, "dims")
        aperm(array(as.vector(weight), rev(dims)))
    })
    layers <- list()
    for (at in seq_along(network$nodes)) {
        node <- network$nodes[[at]]
        layers[[at]] <- if (at %in% network$inputs) list(y = inputs[[match(at, network$inputs)]])
                        else naive_layer(node, lapply(layers[node$inputs], `[[`, "y"), weights[node$weights])
    }
    layers
}

# The gradient of sum(cotangent * y of node `node`) for each input of the network.
naive_gradient <- function(network, layers, node, cotangent) {
    gradients <- lapply(layers, function(layer) 0 * layer$y)
    gradients[[node]] <- matrix(cotangent, nrow(layers[[node]]$y), byrow = TRUE)
    for (at in rev(seq_len(node))) {
        from <- network$nodes[[at]]$inputs
        if (length(from)) back <- layers[[at]]$back(gradients[[at]])
        for (i in seq_along(from)) gradients[[from[i]]] <- gradients[[from[i]]] + back[[i]]
    }
    gradients[network$inputs]
}

# The explained scalar: a node and weights of its units. Targets count through the outputs, which are vectors here.
naive_goal <- function(network, layers, target, output) {
    sizes <- vapply(network$outputs, function(node) length(layers[[node]]$y), 0L)
    which_output <- which(target <= cumsum(sizes))[1]
    node <- network$outputs[[which_output]]
    cotangent <- as.numeric(seq_len(sizes[which_output]) == target - sum(sizes[seq_len(which_output - 1)]))
    last <- network$nodes[[node]]
    if (output == "probability" || last$class != "Activation" || !last$config$activation %in% c("softmax", "sigmoid"))
        return(list(node = node, cotangent = cotangent))
    if (last$config$activation == "softmax") cotangent <- ifelse(cotangent == 1, 1, -1 / (length(cotangent) - 1))
    list(node = last$inputs, cotangent = cotangent)
}

naive_value <- function(network, inputs, target = 1, output = "logit") {
    layers <- naive_run(network, inputs)
    goal <- naive_goal(network, layers, target, output)
    sum(goal$cotangent * as.vector(t(layers[[goal$node]]$y)))
}

# Integrated gradients by the points and weights of a rule: one matrix for each input of the network.
naive_scores <- function(network, inputs, baselines, positions, weights, target = 1, output = "logit") {
    sums <- lapply(inputs, `*`, 0)
    for (k in seq_along(positions)) {
        layers <- naive_run(network, Map(function(x, b) b + positions[k] * (x - b), inputs, baselines))
        goal <- naive_goal(network, layers, target, output)
        sums <- Map(function(sum, g) sum + weights[k] * g, sums, naive_gradient(network, layers, goal$node, goal$cotangent))
    }
    Map(function(sum, x, b) sum * (x - b), sums, inputs, baselines)
}
