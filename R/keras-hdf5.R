# R/keras-hdf5.R: what a Keras 2 HDF5 file stores, read with the few calls that a model needs: attributes of text, groups,
# plain datasets. A file is checked as bytes before the HDF5 library sees it, and every length before it is allocated.

# source = list(file, call): whom to blame, and in whose name.
stop_model_file <- function(source, x, i = NULL, class = "model_file", envir = parent.frame()) {
    name <- basename(source$file)
    details <- vapply(c(x = x, i = i), cli::format_inline, "", .envir = envir)
    stop_input(c("{.file {name}} must be a Keras 2 model that can be read.", gsub("}", "}}", gsub("{", "{{", details, fixed = TRUE), fixed = TRUE)),
               class = class, call = source$call)
}

# -> list(config = JSON text or NULL, keras_version, backend, weights = list, by layer, of lists of arrays)
read_keras_hdf5 <- function(source) {
    check_hdf5_bytes(source)
    tryCatch({
        file <- rhdf5::H5Fopen(source$file, flags = "H5F_ACC_RDONLY")
        on.exit(rhdf5::H5Fclose(file))
        read_keras_root(file, source)
    }, error = function(error) {
        if (inherits(error, "nucleograd_error")) stop(error)
        reason <- conditionMessage(error)
        stop_model_file(source, "The HDF5 library stopped: {reason}")
    })
}

read_keras_root <- function(file, source) {
    config <- read_text(file, "model_config", source)
    stored <- list(config = config, keras_version = read_text(file, "keras_version", source),
                   backend = read_text(file, "backend", source))
    if (!is.null(config)) {
        stored$weights <- with_group(file, "model_weights", source, read_layers)
        return(stored)
    }
    if (has_text_list(file, "layer_names")) {
        stored$weights <- read_layers(file, source)
        return(stored)
    }
    new_style <- any(vapply(c("layers", "_layer_checkpoint_dependencies"), rhdf5::H5Lexists, logical(1), h5loc = file))
    stop_model_file(source, if (new_style) "It is a weights file of the newer kind ({.file *.weights.h5})."
                            else "It has neither {.field model_config} nor {.field layer_names}.",
                    "Was it written by {.code save_model_hdf5()} or {.code model.save(\"name.h5\")}?")
}

read_layers <- function(group, source) {
    names <- read_text_list(group, "layer_names", source)
    if (anyDuplicated(names))
        stop_model_file(source, "Layer {.val {names[anyDuplicated(names)]}} is stored twice.")
    sapply(names, function(name) with_group(group, name, source, read_layer_weights), simplify = FALSE)
}

read_layer_weights <- function(group, source) {
    lapply(read_text_list(group, "weight_names", source), read_weight, group = group, source = source)
}

# A numeric vector in row-major order with the attribute "dims" in Keras order: HDF5 stores rows first and rhdf5 reverses
# the dimensions, so that R's column-major vector is the row-major one.
read_weight <- function(name, group, source) {
    check_links(group, name, source)
    dataset <- rhdf5::H5Dopen(group, name)
    on.exit(rhdf5::H5Dclose(dataset))
    dims <- with_space(rhdf5::H5Dget_space(dataset), source, bytes_each = 2)     # no weight takes fewer than 2 bytes
    values <- rhdf5::H5Dread(dataset, bit64conversion = "double")
    if (!is.numeric(values))
        stop_model_file(source, "Weight {.val {name}} does not hold numbers.")
    structure(as.double(values), dims = as.integer(rev(dims)))
}

read_text <- function(object, name, source) {
    if (!rhdf5::H5Aexists(object, name)) return(NULL)
    attribute <- rhdf5::H5Aopen(object, name)
    on.exit(rhdf5::H5Aclose(attribute))
    with_space(rhdf5::H5Aget_space(attribute), source, bytes_each = 1)
    text <- rhdf5::H5Aread(attribute)
    if (!is.character(text)) return(character())                                # Keras stores an empty list as numbers
    text <- as.vector(text)
    Encoding(text) <- "UTF-8"
    text
}

# A list above 64 kB is stored in numbered pieces.
read_text_list <- function(object, name, source) {
    if (rhdf5::H5Aexists(object, name)) return(read_text(object, name, source))
    pieces <- list()
    while (rhdf5::H5Aexists(object, piece <- paste0(name, length(pieces))))
        pieces <- c(pieces, list(read_text(object, piece, source)))
    if (length(pieces) == 0)
        stop_model_file(source, "It has no list of {.field {name}}.")
    unlist(pieces)
}

has_text_list <- function(object, name) rhdf5::H5Aexists(object, name) || rhdf5::H5Aexists(object, paste0(name, 0))

with_group <- function(parent, name, source, read) {
    check_links(parent, name, source)
    group <- rhdf5::H5Gopen(parent, name)
    on.exit(rhdf5::H5Gclose(group))
    read(group, source)
}

# The dimensions in R's order, once they are known to fit in the file: nothing larger is ever allocated.
with_space <- function(space, source, bytes_each) {
    on.exit(rhdf5::H5Sclose(space))
    dims <- rhdf5::H5Sget_simple_extent_dims(space)$size
    if (anyNA(dims) || any(dims < 0) || prod(as.double(dims)) * bytes_each > file.size(source$file))
        stop_model_file(source, "It announces more data than it holds.")
    dims
}

# Only hard links: a soft or external one may lead out of the file, or round in circles.
check_links <- function(parent, path, source) {
    steps <- strsplit(path, "/", fixed = TRUE)[[1]]
    if (length(steps) == 0 || !all(nzchar(steps)))
        stop_model_file(source, "{.val {path}} is not the name of a stored object.")
    for (depth in seq_along(steps)) {
        link <- paste(steps[seq_len(depth)], collapse = "/")
        if (!rhdf5::H5Lexists(parent, link))
            stop_model_file(source, "It has no {.val {path}}.")
        if (!identical(as.character(rhdf5::H5Lget_info(parent, link)$type), "H5L_TYPE_HARD"))
            stop_model_file(source, "{.val {link}} is a link out of its group; only plain objects are read.")
    }
}

# Signature, superblock and length, from the bytes alone: most damage (another format, a download cut short) ends here.
check_hdf5_bytes <- function(source) {
    size <- file.size(source$file)
    file <- file(source$file, "rb")
    on.exit(close(file))
    if (identical(readBin(file, "raw", 4), as.raw(c(0x50, 0x4b, 0x03, 0x04))))
        stop_model_file(source, "It is a zip archive, perhaps of Keras' {.file .keras} format.",
                        "Save the model as HDF5: {.code model.save(\"name.h5\")}.")
    start <- 0
    repeat {
        if (start + 48 > size)
            stop_model_file(source, "It is not an HDF5 file.")
        seek(file, start)
        superblock <- readBin(file, "raw", 64)
        if (identical(superblock[1:8], as.raw(c(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)))) break
        start <- if (start == 0) 512 else 2 * start
    }
    version <- as.integer(superblock[9])
    address <- if (version %in% 0:1) 25 + 4 * version else 13                     # 1-based place of the base address
    widths <- as.integer(superblock[if (version %in% 0:1) 14:15 else 10:11])
    if (version > 3 || any(widths != 8))
        stop_model_file(source, "Its HDF5 superblock (version {version}) is not one that Keras writes.")
    stored_size <- bytes_to_number(superblock[address + 16:23])
    if (stored_size > size)
        stop_model_file(source, "It is cut short: {size} of {stored_size} bytes are there.")
}

bytes_to_number <- function(bytes) sum(as.integer(bytes) * 256^(seq_along(bytes) - 1))
