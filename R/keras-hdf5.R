# R/keras-hdf5.R: where an HDF5 file of Keras keeps the description of its layers and their weights.

# source = list(file, call, name): whom to blame, in whose name, and what people call the file if it is a copy.
stop_model_file <- function(source, x, i = NULL, class = "model_file", envir = parent.frame()) {
    name <- source_name(source)
    details <- vapply(c(x = x, i = i), cli::format_inline, "", .envir = envir)
    details <- gsub("}", "}}", gsub("{", "{{", details, fixed = TRUE), fixed = TRUE)       # what was given may hold braces
    stop_input(c("{.file {name}} must be a Keras model that can be read.", details), class = class, call = source$call)
}

source_name <- function(source) if (is.null(source$name)) basename(source$file) else source$name

# -> list(config = JSON text or NULL, keras_version, backend, and of these one: weights = list, by layer, of lists of arrays;
# tree = the objects of a newer weights file)
read_keras_hdf5 <- function(source) {
    h5 <- open_hdf5(source)
    on.exit(close_hdf5(h5))
    stored <- lapply(c(config = "model_config", keras_version = "keras_version", backend = "backend"), read_text_attribute,
                     h5 = h5, address = h5$root)
    stored$weights <- if (!is.null(stored$config)) read_layers(h5, find_object(h5, h5$root, "model_weights"))
                      else if (has_text_list(h5, h5$root, "layer_names")) read_layers(h5, h5$root)
    if (is.null(stored$weights)) stored$tree <- read_weights_file(h5)
    stored
}

read_weights_file <- function(h5) {
    if (!any(c("layers", "_layer_checkpoint_dependencies") %in% names(list_group(h5, h5$root))))
        stop_hdf5(h5, "It has neither {.field model_config} nor {.field layer_names}.",
                  "Was it written by {.code save_model_hdf5()}, {.code model.save(\"name.h5\")} or {.code model.save(\"name.keras\")}?")
    read_tree(h5, h5$root)
}

read_layers <- function(h5, address) {
    names <- read_text_list(h5, address, "layer_names")
    if (anyDuplicated(names)) stop_hdf5(h5, "Layer {.val {names[anyDuplicated(names)]}} is stored twice.")
    lapply(stats::setNames(nm = names), function(name) {
        group <- find_object(h5, address, name)
        lapply(read_text_list(h5, group, "weight_names"), function(weight) read_numbers(h5, find_object(h5, group, weight), weight))
    })
}

# A list above 64 kB is stored in numbered pieces.
read_text_list <- function(h5, address, name) {
    whole <- read_text_attribute(h5, address, name)
    if (!is.null(whole)) return(whole)
    pieces <- list()
    while (!is.null(piece <- read_text_attribute(h5, address, paste0(name, length(pieces))))) pieces <- c(pieces, list(piece))
    if (length(pieces) == 0) stop_hdf5(h5, "It has no list of {.field {name}}.")
    unlist(pieces)
}

has_text_list <- function(h5, address, name) {
    any(vapply(paste0(name, c("", "0")), function(key) !is.null(read_text_attribute(h5, address, key)), logical(1)))
}
