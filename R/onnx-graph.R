# R/onnx-graph.R: from the operators of an ONNX graph to flat nodes, as R/keras-graph.R makes them.
#
# ONNX puts channels before positions and moves axes about; the core has positions, then channels. So a value is either a tensor,
# list(node, axes, size): a node of ours, what each axis of ONNX is ("N" sample, "L" position, "C" channel, "D" direction of a
# recurrent layer, "1" of length one), and how long (NA: any), or a constant, list(data, dims). A tensor of channels before
# positions that was flattened remembers c(channels, positions) in `flat`, and one with directions its two nodes in `parts`.

onnx_network <- function(model, source) {
    graph <- new_graph(source)
    graph$values <- new.env(parent = emptyenv())
    for (name in names(model$constants)) graph$values[[name]] <- model$constants[[name]]
    inputs <- vapply(names(model$inputs), function(name) onnx_input(graph, name, model$inputs[[name]], model$nodes), integer(1))
    for (node in fold_gelu(model$nodes, model$constants)) call_operator(graph, node)
    outputs <- vapply(names(model$outputs), function(name) onnx_output(graph, name), integer(1))
    c(graph_result(graph, inputs, outputs), list(keras_version = model$version))
}

# Channels come first if the operators that read the input want it so; else positions do.
onnx_input <- function(graph, name, dims, nodes) {
    readers <- Filter(function(node) name %in% node$inputs, nodes)
    by_channel <- c("Conv", "MaxPool", "AveragePool", "BatchNormalization", "GlobalMaxPool", "GlobalAveragePool")
    first <- any(vapply(readers, `[[`, "", "operator") %in% by_channel) || identical(dims[2], 4) && !identical(dims[3], 4)
    axes <- switch(length(dims), NULL, c("N", "C"), if (first) c("N", "C", "L") else c("N", "L", "C"))
    if (is.null(axes))
        stop_onnx(graph$source, paste0("Input ", name, " has ", length(dims),
                                       " axes; samples by channels, or samples by channels and positions, are read."))
    shape <- dims[match(c("L", "C"), axes, nomatch = 0)]
    if (is.na(utils::tail(shape, 1))) stop_onnx(graph$source, paste0("Input ", name, " leaves its number of channels open."))
    node <- add_node(graph, "InputLayer", name, integer(), list(shape = shape))
    add_row(graph, name, "InputLayer", node, integer())
    graph$values[[name]] <- onnx_tensor_value(node, axes, replace(dims, 1, NA))
    node
}

onnx_output <- function(graph, name) {
    value <- graph$values[[name]]
    if (is.null(value$node)) stop_onnx(graph$source, paste0("Its output ", name, " is not computed from its inputs."))
    if (!is.null(value$flat)) stop_onnx(graph$source, paste0("Its output ", name, " is a flattened map of channels and positions."))
    value$node
}

onnx_tensor_value <- function(node, axes, size, ...) list(node = node, axes = axes, size = size, ...)

call_operator <- function(graph, node) {
    operator <- onnx_operators[[node$operator]]
    if (is.null(operator)) refuse_operator(graph, node, "is not computed")
    found <- nzchar(node$inputs)
    given <- lapply(node$inputs, function(name) if (nzchar(name)) graph$values[[name]])
    if (any(found & vapply(given, is.null, NA))) refuse_operator(graph, node, "reads what no operator before it writes")
    made <- operator(graph, node, given)
    if (!is.null(made$node) || !is.null(made$data)) made <- list(made)             # one output
    for (k in seq_along(made)) if (k <= length(node$outputs) && nzchar(node$outputs[k])) graph$values[[node$outputs[k]]] <- made[[k]]
}

refuse_operator <- function(graph, node, reason) {
    stop_onnx(graph$source, paste0("Operator ", node$operator, " (", node$name, ") ", reason, "."),
              paste0("Computed operators: ", toString(sort(names(onnx_operators))), "."), class = c("unsupported", "model_file"))
}

# Before version 20 there is no Gelu: x / sqrt(2), Erf, + 1, times x, times 1/2, each read by the next alone, become one again.
fold_gelu <- function(nodes, constants) {
    for (node in Filter(function(node) node$operator == "Constant" && is.list(node$attributes$value), nodes))
        constants[[node$outputs]] <- node$attributes$value
    writes <- function(name) which(vapply(nodes, function(node) name %in% node$outputs, NA))
    reads <- function(name) which(vapply(nodes, function(node) name %in% node$inputs, NA))
    holds <- function(name, number) length(constants[[name]]$data) == 1 && abs(constants[[name]]$data - number) < 1e-6
    is_step <- function(at, operator, other) length(at) == 1 && nodes[[at]]$operator == operator && other(setdiff(nodes[[at]]$inputs, before))
    for (erf in which(vapply(nodes, `[[`, "", "operator") == "Erf")) {
        first <- writes(nodes[[erf]]$inputs)
        x <- nodes[[first]]$inputs[1]
        if (nodes[[first]]$operator != "Div" || !holds(nodes[[first]]$inputs[2], sqrt(2))) next
        steps <- erf
        tests <- list(Add = function(name) holds(name, 1), Mul = function(name) identical(name, x), Mul = function(name) holds(name, 0.5))
        for (k in seq_along(tests)) {
            before <- nodes[[steps[k]]]$outputs
            following <- reads(before)
            if (!is_step(following, names(tests)[k], tests[[k]])) break
            steps <- c(steps, following)
        }
        if (length(steps) < 4) next
        nodes[[steps[4]]] <- list(operator = "Gelu", name = nodes[[erf]]$name, inputs = x, outputs = nodes[[steps[4]]]$outputs, attributes = list())
        for (at in c(first, steps[1:3])) nodes[[at]]$operator <- "folded"
    }
    Filter(function(node) node$operator != "folded", nodes)
}

# ---- helpers of operators ----

# Adds a node of ours and its line in the table of layers. weights: row-major vectors with dims.
emit <- function(graph, node, class, inputs, config = list(), weights = list()) {
    slots <- length(graph$weights) + seq_along(weights)
    graph$weights[slots] <- weights
    config <- lapply(config, function(value) if (is.integer(value)) as.double(value) else value)
    made <- add_node(graph, class, node$name, inputs, config, slots)
    add_row(graph, node$name, if (class == "Activation") config$activation else class, made, slots)
    made
}

add_row <- function(graph, name, class, node, slots) {
    graph$rows[[make.unique(c(names(graph$rows), name))[length(graph$rows) + 1]]] <-
        data.frame(layer = name, class = class, node = node, parameters = sum(lengths(graph$weights[slots])), trainable = TRUE)
}

weight <- function(values, dims = length(values)) structure(as.double(values), dims = as.integer(dims))

is_known <- function(value) !is.null(value$data)

# A constant as an array of R, and back.
as_array <- function(value) if (length(value$dims)) aperm(array(value$data, rev(value$dims))) else value$data

as_constant <- function(array) {
    dims <- if (is.null(dim(array))) length(array) else dim(array)
    list(data = as.double(if (length(dims) > 1) aperm(array) else array), dims = as.double(dims))
}

# Attribute `key` of an operator, or what its absence means.
attribute_of <- function(node, key, otherwise = NULL) if (is.null(node$attributes[[key]])) otherwise else node$attributes[[key]]

# A constant that came as input number `at` (newer versions) or as attribute `key` (older ones).
constant_of <- function(graph, node, given, at, key, otherwise = NULL) {
    value <- if (length(given) >= at) given[[at]]
    if (is.null(value)) return(attribute_of(node, key, otherwise))
    if (!is_known(value)) refuse_operator(graph, node, paste0("takes its ", key, " from the data"))
    value$data
}

expect_tensor <- function(graph, node, value, axes = NULL) {
    if (is.null(value$node)) refuse_operator(graph, node, "works on constants only")
    if (!is.null(axes) && !identical(value$axes, axes))
        refuse_operator(graph, node, paste0("works on axes (", toString(value$axes), "), not (", toString(axes), ")"))
    if (!is.null(axes) && !is.null(value$flat)) refuse_operator(graph, node, "reads a flattened map of channels and positions")
    value
}

# The place of an axis that may count from the end, from 1.
axis_place <- function(axis, value) if (axis < 0) length(value$axes) + axis + 1 else axis + 1

size_of <- function(value, axis) value$size[match(axis, value$axes)]

with_size <- function(value, axis, size) replace(value$size, match(axis, value$axes), size)
