# R/onnx-operators.R: each ONNX operator that is read: a function of (graph, node, given values) that adds nodes of ours and
# returns the value, or the list of values, it makes. https://onnx.ai/onnx/operators states what is right.

# ---- element by element ----

activation_operator <- function(settings) function(graph, node, given) {
    x <- expect_tensor(graph, node, given[[1]])
    x$node <- emit(graph, node, "Activation", x$node, if (is.function(settings)) settings(graph, node, given) else settings)
    x
}

softmax_operator <- function(word) function(graph, node, given) {
    x <- expect_tensor(graph, node, given[[1]])
    if (x$axes[axis_place(attribute_of(node, "axis", -1), x)] != "C" || !is.null(x$flat))
        refuse_operator(graph, node, "works on another axis than the channels")
    x$node <- emit(graph, node, "Activation", x$node, list(activation = word))
    x
}

clip_settings <- function(graph, node, given) {
    low <- constant_of(graph, node, given, 2, "min", -Inf)
    high <- constant_of(graph, node, given, 3, "max", Inf)
    if (low != 0) refuse_operator(graph, node, paste0("clips at ", low, "; from 0 is computed"))
    c(list(activation = "relu"), if (high < Inf) list(max_value = high))
}

hard_sigmoid_settings <- function(graph, node, given) {
    slope <- attribute_of(node, "alpha", 0.2)
    if (attribute_of(node, "beta", 0.5) != 0.5 || abs(slope - 0.2) > 1e-6)
        refuse_operator(graph, node, paste0("has the slope ", signif(slope, 4), "; 0.2 is computed"))
    list(activation = "hard_sigmoid")
}

gelu_settings <- function(graph, node, given) {
    if (attribute_of(node, "approximate", "none") != "none") refuse_operator(graph, node, "is approximate; the exact one is computed")
    list(activation = "gelu")
}

prelu <- function(graph, node, given) {
    x <- expect_tensor(graph, node, given[[1]])
    if (!is_known(given[[2]]) || !is.null(x$flat)) refuse_operator(graph, node, "has no constant slope for each channel")
    channels <- size_of(x, "C")
    config <- list(shared_axes = if ("L" %in% x$axes) 1 else double())
    slope <- weight(rep_len(given[[2]]$data, channels), if ("L" %in% x$axes) c(1, channels) else channels)
    x$node <- emit(graph, node, "PReLU", x$node, config, list(slope))
    x
}

same_value <- function(graph, node, given) given[[1]]

# The numbers of a flattened map are ours in another order.
channel_order <- function(x) if (is.null(x$flat)) seq_len(size_of(x, "C")) else flat_order(x$flat)

# y = scale x + shift, channel by channel.
scale_and_shift <- function(graph, node, x, scale, shift) {
    count <- size_of(x, "C")
    numbers <- lapply(list(scale, shift, 0, 1), function(values) weight(rep_len(values, count)[channel_order(x)]))
    x$node <- emit(graph, node, "BatchNormalization", x$node, list(axis = -1, epsilon = 0, scale = TRUE, center = TRUE), numbers)
    x
}

batch_normalization <- function(graph, node, given) {
    x <- expect_tensor(graph, node, given[[1]])
    if (x$axes[2] != "C") refuse_operator(graph, node, "works on another axis than the channels")
    config <- list(axis = -1, epsilon = attribute_of(node, "epsilon", 1e-5), scale = TRUE, center = TRUE)
    order <- channel_order(x)
    x$node <- emit(graph, node, "BatchNormalization", x$node, config, lapply(given[2:5], function(value) weight(value$data[order])))
    x
}

layer_normalization <- function(graph, node, given) {
    x <- expect_tensor(graph, node, given[[1]])
    if (x$axes[axis_place(attribute_of(node, "axis", -1), x)] != "C" || utils::tail(x$axes, 1) != "C" || !is.null(x$flat))
        refuse_operator(graph, node, "works on another axis than the channels")
    config <- list(axis = -1, epsilon = attribute_of(node, "epsilon", 1e-5), scale = TRUE, center = length(given) > 2)
    x$node <- emit(graph, node, "LayerNormalization", x$node, config, lapply(given[-1], function(value) weight(value$data)))
    x
}

# Two tensors, or a tensor and a constant that holds one number, or one a channel.
arithmetic <- function(class) function(graph, node, given) {
    constant <- vapply(given, is_known, NA)
    if (all(constant)) return(list(data = constant_arithmetic(class)(given[[1]]$data, given[[2]]$data),
                                   dims = given[[which.max(lengths(lapply(given, `[[`, "dims")))]]$dims))
    if (!any(constant)) {
        x <- expect_tensor(graph, node, given[[1]])
        for (other in given[-1])
            if (!identical(other$axes, x$axes) || !identical(other$flat, x$flat)) refuse_operator(graph, node, "joins tensors of different axes")
        x$node <- emit(graph, node, class, vapply(given, `[[`, 0L, "node"))
        return(x)
    }
    x <- expect_tensor(graph, node, given[[which(!constant)]])
    number <- given[[which(constant)]]
    place <- match("C", x$axes)
    dims <- c(rep(1, max(0, length(x$axes) - length(number$dims))), number$dims)
    if (length(dims) > length(x$axes) || any(dims[-place] != 1) || (class == "Divide" && constant[1]))
        refuse_operator(graph, node, "takes a constant that is not one number, or one a channel")
    switch(class, Add = scale_and_shift(graph, node, x, 1, number$data), Multiply = scale_and_shift(graph, node, x, number$data, 0),
           Divide = scale_and_shift(graph, node, x, 1 / number$data, 0),
           Subtract = if (constant[1]) scale_and_shift(graph, node, x, -1, number$data) else scale_and_shift(graph, node, x, 1, -number$data),
           refuse_operator(graph, node, "takes a constant"))
}

constant_arithmetic <- function(class) switch(class, Add = `+`, Subtract = `-`, Multiply = `*`, Divide = `/`, Maximum = pmax, Minimum = pmin)

division <- function(graph, node, given) {
    if (!is_known(given[[1]]) && !is_known(given[[2]])) refuse_operator(graph, node, "divides two tensors")
    arithmetic("Divide")(graph, node, given)
}

# ---- windows along the sequence ----

window_size <- function(length, size, stride, dilation, pads) floor((length + sum(pads) - dilation * (size - 1) - 1) / stride) + 1

# Zeros before and after each operator's window: c(left, right).
window_pads <- function(graph, node, size, stride, dilation) {
    automatic <- attribute_of(node, "auto_pad", "NOTSET")
    if (automatic == "VALID") return(c(0, 0))
    if (automatic == "NOTSET") return(attribute_of(node, "pads", c(0, 0)))
    if (stride > 1) refuse_operator(graph, node, "pads by itself at a stride above 1")
    total <- (size - 1) * dilation
    if (automatic == "SAME_UPPER") c(total %/% 2, total - total %/% 2) else c(total - total %/% 2, total %/% 2)
}

zero_padding <- function(graph, node, x, pads) {
    if (all(pads == 0)) return(x)
    x$node <- emit(graph, node, "ZeroPadding1D", x$node, list(padding = pads))
    x$size <- with_size(x, "L", size_of(x, "L") + sum(pads))
    x
}

convolution <- function(graph, node, given) {
    x <- expect_tensor(graph, node, given[[1]], c("N", "C", "L"))
    if (!is_known(given[[2]])) refuse_operator(graph, node, "takes its kernel from the data")
    dims <- given[[2]]$dims                                                         # filters, channels, taps
    stride <- attribute_of(node, "strides", 1)
    dilation <- attribute_of(node, "dilations", 1)
    groups <- attribute_of(node, "group", 1)
    if (length(dims) != 3) refuse_operator(graph, node, "is not over one axis")
    pads <- window_pads(graph, node, dims[3], stride, dilation)
    total <- (dims[3] - 1) * dilation
    padding <- if (all(pads == 0)) "valid" else if (stride == 1 && identical(pads, c(total %/% 2, total - total %/% 2))) "same"
               else if (stride == 1 && identical(pads, c(total, 0))) "causal" else "zeros before"
    length <- window_size(size_of(x, "L"), dims[3], stride, dilation, pads)
    if (padding == "zeros before") {
        x <- zero_padding(graph, node, x, pads)
        padding <- "valid"
    }
    config <- list(filters = dims[1], kernel_size = dims[3], strides = stride, dilation_rate = dilation, padding = padding)
    if (groups > 1) config$groups <- groups
    kernel <- weight(aperm(array(given[[2]]$data, rev(dims)), 3:1), rev(dims))
    bias <- if (length(given) > 2) list(weight(given[[3]]$data))
    onnx_tensor_value(emit(graph, node, "Conv1D", x$node, config, c(list(kernel), bias)), x$axes, c(NA, dims[1], length))
}

pooling <- function(class) function(graph, node, given) {
    x <- expect_tensor(graph, node, given[[1]], c("N", "C", "L"))
    size <- attribute_of(node, "kernel_shape")
    stride <- attribute_of(node, "strides", 1)
    pads <- window_pads(graph, node, size, stride, 1)
    length <- size_of(x, "L")
    if (any(attribute_of(node, "dilations", 1) != 1)) refuse_operator(graph, node, "has a dilation above 1")
    if (attribute_of(node, "ceil_mode", 0) == 1) {
        beyond <- -(length + sum(pads) - size) %% stride
        if (is.na(beyond)) refuse_operator(graph, node, "rounds up the length of a sequence of any length")
        pads[2] <- pads[2] + beyond
    }
    if (class == "AveragePooling1D" && attribute_of(node, "count_include_pad", 0) == 1) {
        x <- zero_padding(graph, node, x, pads)
        length <- size_of(x, "L")
        pads <- c(0, 0)
    }
    config <- list(pool_size = size, strides = stride, padding = pool_padding(graph, node, length, size, stride, pads))
    onnx_tensor_value(emit(graph, node, class, x$node, config), x$axes, with_size(x, "L", window_size(length, size, stride, 1, pads)))
}

pool_padding <- function(graph, node, length, size, stride, pads) {
    if (all(pads == 0)) return("valid")
    total <- if (stride == 1) size - 1 else max((ceiling(length / stride) - 1) * stride + size - length, 0)
    if (!is.na(total) && identical(pads, c(total %/% 2, total - total %/% 2))) return("same")
    refuse_operator(graph, node, paste0("pads by ", pads[1], " and ", pads[2], ", which is not as \"same\" does"))
}

padding <- function(graph, node, given) {
    x <- expect_tensor(graph, node, given[[1]])
    pads <- constant_of(graph, node, given, 2, "pads")
    value <- constant_of(graph, node, given, 3, "value", 0)
    both <- matrix(pads, ncol = 2)
    place <- match("L", x$axes)
    if (is.na(place) || attribute_of(node, "mode", "constant") != "constant" || value != 0 || any(both[-place, ] != 0) || any(both < 0))
        refuse_operator(graph, node, "does something else than adding zeros before or after a sequence")
    zero_padding(graph, node, x, both[place, ])
}

global_pooling <- function(class) function(graph, node, given) {
    x <- expect_tensor(graph, node, given[[1]], c("N", "C", "L"))
    onnx_tensor_value(emit(graph, node, class, x$node, list(data_format = "channels_last", keepdims = FALSE)), c("N", "C", "1"),
                      replace(x$size, 3, 1))
}

# The mean or maximum over positions.
reduction <- function(class) function(graph, node, given) {
    x <- expect_tensor(graph, node, given[[1]])
    place <- axis_place(constant_of(graph, node, given, 2, "axes"), x)
    if (length(place) != 1 || x$axes[place] != "L" || !all(c("N", "C") %in% x$axes) || length(x$axes) != 3)
        refuse_operator(graph, node, "works on another axis than the positions")
    made <- emit(graph, node, class, x$node, list(data_format = "channels_last", keepdims = FALSE))
    if (attribute_of(node, "keepdims", 1) == 1) return(onnx_tensor_value(made, replace(x$axes, place, "1"), replace(x$size, place, 1)))
    onnx_tensor_value(made, x$axes[-place], x$size[-place])
}

# ---- vectors ----

# Where the numbers of a map, flattened with channels before positions, are in one with positions before channels.
flat_order <- function(flat) as.vector(t(matrix(seq_len(prod(flat)), flat[2])))

flattened <- function(graph, node, x) {
    kept <- x$axes[!x$axes %in% c("N", "1")]
    if (identical(kept, "C")) return(onnx_tensor_value(x$node, c("N", "C"), c(NA, size_of(x, "C")), flat = x$flat))
    sizes <- x$size[match(kept, x$axes)]
    if (x$axes[1] != "N" || !setequal(kept, c("L", "C")) || anyNA(sizes)) refuse_operator(graph, node, "flattens a sequence of any length")
    onnx_tensor_value(emit(graph, node, "Flatten", x$node), c("N", "C"), c(NA, prod(sizes)),
                      flat = if (identical(kept, c("C", "L")) && all(sizes > 1)) sizes)
}

flatten_node <- function(graph, node, given) {
    if (attribute_of(node, "axis", 1) != 1) refuse_operator(graph, node, "joins samples")
    flattened(graph, node, expect_tensor(graph, node, given[[1]]))
}

reshape <- function(graph, node, given) {
    x <- given[[1]]
    target <- constant_of(graph, node, given, 2, "shape")
    if (is_known(x)) return(list(data = x$data, dims = replace(target, target == -1, length(x$data) / prod(target[target != -1]))))
    kept <- which(target == 0)
    target[kept] <- x$size[kept]
    if (length(target) == 2) return(flattened(graph, node, x))
    if (identical(x$axes, c("L", "N", "D", "C")) && length(target) == 3)             # both directions side by side
        return(onnx_tensor_value(joined(graph, node, x), c("L", "N", "C"), c(x$size[1], NA, x$size[3] * x$size[4])))
    refuse_operator(graph, node, paste0("reshapes to (", toString(target), ")"))
}

joined <- function(graph, node, x) {
    if (length(x$parts) == 1) x$parts else emit(graph, node, "Concatenate", x$parts, list(axis = -1))
}

dense_node <- function(graph, node, x, kernel, bias) {
    if (utils::tail(x$axes, 1) != "C" || nrow(kernel) != size_of(x, "C")) refuse_operator(graph, node, "does not multiply the channels")
    kernel <- kernel[channel_order(x), , drop = FALSE]
    weights <- c(list(weight(t(kernel), dim(kernel))), if (!is.null(bias)) list(weight(rep_len(bias, ncol(kernel)))))
    onnx_tensor_value(emit(graph, node, "Dense", x$node, list(units = ncol(kernel)), weights), x$axes, with_size(x, "C", ncol(kernel)))
}

general_product <- function(graph, node, given) {
    x <- expect_tensor(graph, node, given[[1]])
    dims <- given[[2]]$dims
    if (!is_known(given[[2]]) || attribute_of(node, "transA", 0) != 0 || length(dims) != 2) refuse_operator(graph, node, "multiplies two tensors")
    kernel <- matrix(given[[2]]$data, dims[2])                                      # row-major: this is its transpose
    if (attribute_of(node, "transB", 0) == 0) kernel <- t(kernel)
    bias <- if (length(given) > 2) attribute_of(node, "beta", 1) * given[[3]]$data
    dense_node(graph, node, x, attribute_of(node, "alpha", 1) * kernel, bias)
}

matrix_product <- function(graph, node, given) {
    x <- expect_tensor(graph, node, given[[1]])
    dims <- given[[2]]$dims
    if (!is_known(given[[2]]) || length(dims) != 2) refuse_operator(graph, node, "multiplies two tensors")
    dense_node(graph, node, x, matrix(given[[2]]$data, dims[1], byrow = TRUE), NULL)
}

concatenation <- function(graph, node, given) {
    if (all(vapply(given, is_known, NA))) {
        data <- unlist(lapply(given, `[[`, "data"))
        return(list(data = data, dims = length(data)))
    }
    x <- expect_tensor(graph, node, given[[1]])
    place <- axis_place(attribute_of(node, "axis"), x)
    along <- x$axes[place]
    if (along == "D") {                                                             # states of several layers or directions
        x$parts <- unlist(lapply(given, `[[`, "parts"))
        x$size[place] <- length(x$parts)
        return(x)
    }
    for (other in given)
        if (!identical(other$axes, x$axes) || !is.null(other$flat) || !along %in% c("L", "C"))
            refuse_operator(graph, node, "joins tensors of different axes")
    made <- emit(graph, node, "Concatenate", vapply(given, `[[`, 0L, "node"), list(axis = if (along == "C") -1 else 1))
    onnx_tensor_value(made, x$axes, with_size(x, along, sum(vapply(given, size_of, 0, along))))
}

# ---- axes ----

transposition <- function(graph, node, given) {
    x <- given[[1]]
    order <- attribute_of(node, "perm", rev(seq_along(if (is_known(x)) x$dims else x$axes)) - 1) + 1
    if (is_known(x)) return(as_constant(aperm(as_array(x), order)))
    if (!is.null(x$flat)) refuse_operator(graph, node, "reads a flattened map of channels and positions")
    x$axes <- x$axes[order]
    x$size <- x$size[order]
    x
}

squeeze <- function(graph, node, given) {
    x <- given[[1]]
    if (is_known(x)) return(list(data = x$data, dims = x$dims[x$dims != 1]))
    axes <- constant_of(graph, node, given, 2, "axes")
    place <- if (is.null(axes)) which(x$axes == "1") else vapply(axes, axis_place, 0, x)
    if (any(x$axes[place] == "D" & x$size[place] == 1)) {
        x$node <- x$parts[1]
        x$parts <- NULL
    } else if (!all(x$axes[place] == "1")) refuse_operator(graph, node, "removes an axis that is not of length one")
    x$axes <- x$axes[-place]
    x$size <- x$size[-place]
    x
}

unsqueeze <- function(graph, node, given) {
    x <- given[[1]]
    if (is_known(x)) return(list(data = x$data, dims = c(1, x$dims)))
    for (axis in sort(constant_of(graph, node, given, 2, "axes"))) {
        place <- if (axis < 0) length(x$axes) + axis + 1 else axis
        x$axes <- append(x$axes, "1", place)
        x$size <- append(x$size, 1, place)
    }
    x
}

# One position, one direction, or elements of a constant.
gathering <- function(graph, node, given) {
    x <- given[[1]]
    at <- constant_of(graph, node, given, 2, "indices")
    axis <- attribute_of(node, "axis", 0)
    if (is_known(x)) {
        if (length(x$dims) > 1) refuse_operator(graph, node, "reads rows of a table")
        picked <- x$data[ifelse(at < 0, length(x$data) + at, at) + 1]
        return(list(data = picked, dims = given[[2]]$dims))
    }
    place <- axis_place(axis, x)
    if (length(at) != 1 || !x$axes[place] %in% c("L", "D") || length(given[[2]]$dims) > 0)
        refuse_operator(graph, node, "picks several elements of a tensor")
    if (x$axes[place] == "D") return(onnx_tensor_value(x$parts[if (at < 0) length(x$parts) + at + 1 else at + 1], x$axes[-place], x$size[-place]))
    picked_position(graph, node, x, place, at)
}

picked_position <- function(graph, node, x, place, at) {
    length <- x$size[place]
    last <- graph$last_state[[as.character(x$node)]]
    if (at == -1 && !is.null(last)) made <- last                                     # the last output of a recurrent layer
    else {
        if (is.na(length)) refuse_operator(graph, node, "picks a position of a sequence of any length")
        at <- if (at < 0) length + at else at
        cropped <- emit(graph, node, "Cropping1D", x$node, list(cropping = c(at, length - at - 1)))
        made <- emit(graph, node, "Flatten", cropped)
    }
    onnx_tensor_value(made, x$axes[-place], x$size[-place])
}

slicing <- function(graph, node, given) {
    x <- given[[1]]
    from <- constant_of(graph, node, given, 2, "starts")
    to <- constant_of(graph, node, given, 3, "ends")
    axes <- constant_of(graph, node, given, 4, "axes", seq_along(from) - 1)
    steps <- constant_of(graph, node, given, 5, "steps", rep(1, length(from)))
    if (is_known(x)) return(sliced_constant(x, from, to, axes, steps))
    place <- axis_place(axes, x)
    length <- x$size[place]
    if (length(axes) != 1 || any(steps != 1) || x$axes[place] != "L" || is.na(length))
        refuse_operator(graph, node, "slices something else than positions")
    inside <- function(at) max(0, min(if (at < 0) length + at else at, length))
    cropping <- c(inside(from), length - inside(to))
    onnx_tensor_value(emit(graph, node, "Cropping1D", x$node, list(cropping = cropping)), x$axes, with_size(x, "L", length - sum(cropping)))
}

sliced_constant <- function(x, from, to, axes, steps) {
    array <- as_array(x)
    picks <- lapply(x$dims, seq_len)
    for (k in seq_along(axes)) {
        length <- x$dims[axes[k] + 1]
        at <- seq_len(length)
        ends <- ifelse(c(from[k], to[k]) < 0, length + c(from[k], to[k]), c(from[k], to[k]))
        inside <- if (steps[k] > 0) at > ends[1] & at <= ends[2] else at <= ends[1] + 1 & at > ends[2] + 1
        picks[[axes[k] + 1]] <- if (steps[k] > 0) at[inside][c(TRUE, rep(FALSE, steps[k] - 1))]
                                else rev(at[inside])[c(TRUE, rep(FALSE, -steps[k] - 1))]
    }
    as_constant(do.call(`[`, c(list(as.array(array)), picks, list(drop = FALSE))))
}

# ---- recurrent layers ----

recurrent <- function(class) function(graph, node, given) {
    x <- expect_tensor(graph, node, given[[1]], if (attribute_of(node, "layout", 0) == 1) c("N", "L", "C") else c("L", "N", "C"))
    if (attribute_of(node, "layout", 0) == 1) refuse_operator(graph, node, "has samples before positions")
    if (!is.null(node$attributes$activations) || !is.null(node$attributes$clip)) refuse_operator(graph, node, "has activations of its own, or clips")
    states <- Filter(Negate(is.null), given[-seq_len(min(5, length(given)))])
    if (length(given) > 4 && !is.null(given[[5]])) refuse_operator(graph, node, "takes a length for each sequence")
    if (!all(vapply(states, function(state) is_known(state) && all(state$data == 0), NA)))
        refuse_operator(graph, node, "begins in a state that is not 0")
    direction <- attribute_of(node, "direction", "forward")
    units <- attribute_of(node, "hidden_size")
    reset_after <- attribute_of(node, "linear_before_reset", 0) == 1
    backward <- switch(direction, forward = FALSE, reverse = TRUE, bidirectional = c(FALSE, TRUE))
    parts <- lapply(seq_along(backward), function(k) {
        weights <- recurrent_arrays(class, given, k, units, reset_after)
        config <- list(units = units, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE, return_sequences = TRUE,
                       go_backwards = backward[k], restore_order = backward[k])
        if (class == "GRU") config$reset_after <- reset_after
        made <- emit(graph, node, class, x$node, c(config, returns = "sequence"), weights)
        slots <- graph$nodes[[made]]$weights
        states <- lapply(c("hidden", if (class == "LSTM") "cell"), function(returns)
            add_node(graph, class, node$name, x$node, c(config, returns = returns), slots))
        if (!backward[k]) graph$last_state[[as.character(made)]] <- states[[1]]
        c(made, unlist(states))
    })
    count <- length(parts)
    part <- function(k) vapply(parts, `[`, 0L, k)
    sequence <- onnx_tensor_value(part(1)[1], c("L", "D", "N", "C"), c(x$size[1], count, NA, units), parts = part(1))
    c(list(sequence), lapply(seq_len(length(parts[[1]]) - 1), function(k)
        onnx_tensor_value(part(k + 1)[1], c("D", "N", "C"), c(count, NA, units), parts = part(k + 1))))
}

# Kernel, recurrent kernel and bias of direction k in our order of gates: LSTM i, f, g, o (theirs i, o, f, g), GRU as theirs.
recurrent_arrays <- function(class, given, k, units, reset_after) {
    gates <- if (class == "LSTM") c(1, 3, 4, 2) else 1:3
    columns <- as.vector(outer(seq_len(units), (gates - 1) * units, `+`))
    kernels <- lapply(given[2:3], function(value) {
        one <- array(value$data, rev(value$dims))[, , k]                             # row-major: (inputs, gates by units)
        one <- matrix(one, value$dims[3])[, columns, drop = FALSE]
        weight(t(one), dim(one))
    })
    both <- if (length(given) > 3 && !is.null(given[[4]])) matrix(given[[4]]$data, ncol = given[[4]]$dims[1])[, k] else rep(0, 2 * length(columns))
    both <- matrix(both, ncol = 2)[columns, , drop = FALSE]
    bias <- if (class == "GRU" && reset_after) weight(both, c(2, length(columns))) else weight(rowSums(both))
    c(kernels, list(bias))
}

# ---- constants ----

constant <- function(graph, node, given) {
    value <- attribute_of(node, "value", attribute_of(node, "value_float", attribute_of(node, "value_int", attribute_of(node, "value_ints"))))
    if (is.list(value)) value else list(data = as.double(value), dims = if (length(value) == 1) double() else length(value))
}

shape_of <- function(graph, node, given) {
    x <- given[[1]]
    data <- if (is_known(x)) x$dims else ifelse(is.na(x$size), -1, x$size)       # -1: any length, as Reshape has it
    list(data = data, dims = length(data))
}

filled <- function(graph, node, given) {
    value <- attribute_of(node, "value", list(data = 0))$data
    shape <- given[[1]]$data
    if (any(shape < 0)) list(data = value, dims = double()) else list(data = rep(value, prod(shape)), dims = shape)
}

onnx_operators <- list(
    Relu = activation_operator(list(activation = "relu")), Sigmoid = activation_operator(list(activation = "sigmoid")),
    Tanh = activation_operator(list(activation = "tanh")), Softplus = activation_operator(list(activation = "softplus")),
    Softsign = activation_operator(list(activation = "softsign")), Selu = activation_operator(list(activation = "selu")),
    Mish = activation_operator(list(activation = "mish")), Gelu = activation_operator(gelu_settings),
    Exp = activation_operator(list(activation = "exponential")),
    Elu = activation_operator(function(graph, node, given) list(activation = "elu", alpha = attribute_of(node, "alpha", 1))),
    LeakyRelu = activation_operator(function(graph, node, given) list(activation = "leaky_relu", alpha = attribute_of(node, "alpha", 0.01))),
    HardSigmoid = activation_operator(hard_sigmoid_settings), Clip = activation_operator(clip_settings),
    Softmax = softmax_operator("softmax"), LogSoftmax = softmax_operator("log_softmax"), PRelu = prelu,
    Identity = same_value, Dropout = same_value, Cast = same_value, Expand = same_value,
    BatchNormalization = batch_normalization, LayerNormalization = layer_normalization,
    Add = arithmetic("Add"), Sub = arithmetic("Subtract"), Mul = arithmetic("Multiply"), Div = division,
    Max = arithmetic("Maximum"), Min = arithmetic("Minimum"), Sum = arithmetic("Add"), Mean = arithmetic("Average"),
    Conv = convolution, MaxPool = pooling("MaxPooling1D"), AveragePool = pooling("AveragePooling1D"), Pad = padding,
    GlobalMaxPool = global_pooling("GlobalMaxPooling1D"), GlobalAveragePool = global_pooling("GlobalAveragePooling1D"),
    ReduceMax = reduction("GlobalMaxPooling1D"), ReduceMean = reduction("GlobalAveragePooling1D"),
    Flatten = flatten_node, Reshape = reshape, Gemm = general_product, MatMul = matrix_product, Concat = concatenation,
    Transpose = transposition, Squeeze = squeeze, Unsqueeze = unsqueeze, Gather = gathering, Slice = slicing,
    LSTM = recurrent("LSTM"), GRU = recurrent("GRU"),
    Constant = constant, Shape = shape_of, ConstantOfShape = filled)
