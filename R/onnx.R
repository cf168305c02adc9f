# R/onnx.R: an ONNX file, as PyTorch writes it, as plain lists. RProtoBuf reads the bytes; R/onnx-graph.R makes the network.

# The model in the same form as parse_keras() gives it.
parse_onnx <- function(file, call = parent.frame()) {
    source <- list(file = file, call = call)
    tryCatch(onnx_network(read_onnx(source), source), error = function(error) {               # a missing field, and the like
        if (inherits(error, "nucleograd_error")) stop(error)
        stop_onnx(source, paste0("Its graph is not as the ONNX format has it (", conditionMessage(error), ")."))
    })
}

is_onnx <- function(file) grepl("[.]onnx$", file, ignore.case = TRUE)

stop_onnx <- function(source, x, i = NULL, class = "model_file") {
    words <- c(x = x, i = i)
    words[] <- iconv(words, "UTF-8", "UTF-8", sub = "byte")                         # names in a damaged file are any bytes
    details <- gsub("}", "}}", gsub("{", "{{", words, fixed = TRUE), fixed = TRUE)
    name <- basename(source$file)
    stop_input(c("{.file {name}} must be an ONNX model that can be read.", details), class = class, call = source$call)
}

# -> list(nodes, constants, inputs, outputs, version): inputs and outputs by name, with their dimensions.
read_onnx <- function(source) {
    if (!requireNamespace("RProtoBuf", quietly = TRUE))
        stop_onnx(source, "Reading ONNX files needs the package RProtoBuf, which is not installed.",
                  "Install it with install.packages(\"RProtoBuf\").", class = "package")
    message <- onnx_message(source)
    graph <- message$graph
    if (is.null(graph) || length(graph$node) == 0) stop_onnx(source, "It holds no graph.")
    tensors <- lapply(as.list(graph$initializer), onnx_tensor, source = source)
    names(tensors) <- vapply(as.list(graph$initializer), function(tensor) tensor$name, "")
    inputs <- onnx_shapes(graph$input)
    sets <- Filter(function(set) set$domain %in% c("", "ai.onnx"), as.list(message$opset_import))
    if (length(sets) == 0 || sets[[1]]$version < 7)                                # last in the file: a truncated one lacks it
        stop_onnx(source, "It is cut short, or older than version 7 of ONNX.")
    list(nodes = lapply(as.list(graph$node), onnx_node, source = source), constants = tensors,
         inputs = inputs[setdiff(names(inputs), names(tensors))], outputs = onnx_shapes(graph$output),
         version = sprintf("ONNX %s (%s %s)", sets[[1]]$version, message$producer_name, message$producer_version))
}

onnx_message <- function(source) {
    RProtoBuf::readProtoFiles(system.file("proto", "onnx.proto", package = "nucleograd", mustWork = TRUE))
    bytes <- readBin(source$file, "raw", file.size(source$file))
    tryCatch(RProtoBuf::read(RProtoBuf::P("nucleograd_onnx.ModelProto"), bytes), error = function(error)
        stop_onnx(source, "Its bytes are damaged, or it is no ONNX file."))
}

# Named by the tensors; NA: any length.
onnx_shapes <- function(values) {
    values <- as.list(values)
    shapes <- lapply(values, function(value) vapply(as.list(value$type$tensor_type$shape$dim), function(dim)
        if (dim$has("dim_value") && dim$dim_value > 0) as.double(dim$dim_value) else NA_real_, 0))
    stats::setNames(shapes, vapply(values, function(value) value$name, ""))
}

# list(operator, name, inputs, outputs, attributes)
onnx_node <- function(node, source) {
    attributes <- lapply(as.list(node$attribute), function(attribute)
        switch(as.character(attribute$type), "1" = attribute$f, "2" = as.double(attribute$i), "3" = rawToChar(as.raw(attribute$s)),
               "4" = onnx_tensor(attribute$t, source), "6" = as.double(attribute$floats), "7" = as.double(attribute$ints),
               "8" = vapply(as.list(attribute$strings), function(text) rawToChar(as.raw(text)), ""),
               stop_onnx(source, paste0("Operator ", node$op_type, " has an attribute that is not read: ", attribute$name, "."))))
    names(attributes) <- vapply(as.list(node$attribute), function(attribute) attribute$name, "")
    if (!node$domain %in% c("", "ai.onnx"))
        stop_onnx(source, paste0("Operator ", node$op_type, " is of the domain ", node$domain, "."), class = c("unsupported", "model_file"))
    list(operator = node$op_type, name = if (nzchar(node$name)) node$name else node$output[1], inputs = as.character(node$input),
         outputs = as.character(node$output), attributes = attributes)
}

# A constant: numbers in row-major order, and their dimensions.
onnx_tensor <- function(tensor, source) {
    name <- tensor$name
    if (tensor$data_location == 1)
        stop_onnx(source, paste0("Its weights (", name, ", ...) lie in another file."), "Export it as one file.")
    dims <- as.double(tensor$dims)
    count <- prod(dims)
    raw <- as.raw(tensor$raw_data)
    from_raw <- function(what, size) if (length(raw) == count * size) readBin(raw, what, count, size, endian = "little")
    data <- if (length(raw)) switch(as.character(tensor$data_type), "1" = from_raw("double", 4), "11" = from_raw("double", 8),
                                    "6" = from_raw("integer", 4), "7" = whole_numbers(raw, count), "9" = from_raw("integer", 1))
            else switch(as.character(tensor$data_type), "1" = tensor$float_data, "11" = tensor$double_data, "6" = tensor$int32_data,
                        "7" = as.double(tensor$int64_data), "9" = tensor$int32_data)
    if (length(data) != count)
        stop_onnx(source, paste0("Tensor ", name, " is damaged, or of a type that is not read; float32, float64, int32 and int64 are."))
    list(data = as.double(data), dims = dims)
}

# int64 in two halves; exact below 2^53.
whole_numbers <- function(raw, count) {
    if (length(raw) != 8 * count) return(NULL)
    halves <- matrix(as.double(readBin(raw, "integer", 2 * count, 4, endian = "little")), 2)
    halves[is.na(halves)] <- -2^31                                                 # R's NA
    low <- halves[1, ] + ifelse(halves[1, ] < 0, 2^32, 0)
    halves[2, ] * 2^32 + low
}
