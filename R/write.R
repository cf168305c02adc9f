# R/write.R: write_model(), a network back into a file of Keras.

#' Write a network into a file that Keras reads
#'
#' Writes the layers and weights of a network: a model that was read from any of the files of [read_model()], an
#' [example_architecture()], or what [cut_model()] left of one. TensorFlow loads the file with
#' `tf.keras.models.load_model(file, compile = FALSE)`, deepG and R's keras with `load_model_hdf5()`, and [read_model()] reads the
#' same network again, equal in every bit.
#'
#' What only training needs is not written: optimizer, losses, initializers, regularizers. Either format opens in Keras 2 and in
#' Keras 3 (tried in 2.15 and 3.8), models inside models too, but for what the two do not share. In the generation that the
#' network came from alone open: attention, recurrent layers whose first states are given, an activation with settings of its own
#' inside another layer, a Bidirectional with a `backward_layer` of its own, and a causal SeparableConv1D, which Keras 3 no longer
#' has. deepG's position embeddings and transformer blocks open from HDF5 alone, as deepG itself saves them: in a `.keras` Keras
#' looks for their weights elsewhere. `hard_sigmoid` is another function in Keras 3 than in Keras 2, and so is not the same in the
#' other. Keras 3 forgets the `axis` of Concatenate and BatchNormalization, and mixes up the weights of models that are frozen in
#' part, when it reads HDF5: give it `.keras`.
#' @param model A [Model-class].
#' @param file Path of the file: `.h5` or `.hdf5` for the HDF5 format of Keras 2, which needs the package rhdf5; `.keras` for the
#'   archive of Keras 2.13 and later and of Keras 3, which needs rhdf5 and zip. A file that exists is replaced.
#' @return `file`, invisibly.
#' @section Errors: `nucleograd_error_argument`: another kind of file. `nucleograd_error_unsupported`: a network that was cut inside a
#'   model. `nucleograd_error_file`: the file cannot be written.
#'   `nucleograd_error_package`: a package is missing. `nucleograd_error_model`: the network was saved with an R session and is gone.
#' @source The file formats: \url{https://www.tensorflow.org/guide/keras/save_and_serialize}.
#' @examples
#' if (requireNamespace("rhdf5", quietly = TRUE)) {
#'     file <- write_model(example_model(), tempfile(fileext = ".h5"))
#'     read_model(file)
#' }
#' @export
write_model <- function(model, file) {
    frame <- environment()
    check_model(model)
    if (!is.character(file) || length(file) != 1 || is.na(file) || !grepl("[.](h5|hdf5|keras)$", file)) {
        given <- friendly(file)
        stop_input("{.arg file} must be the path of a file that ends in .h5, .hdf5 or .keras, not {given}.")
    }
    archive <- endsWith(file, ".keras")
    for (package in c("rhdf5", if (archive) "zip")) need_package(package, "This kind of file", frame)
    if (is.null(model@settings$description))
        stop_input(c("{.arg model} must know its layers.", x = "{model@name} was not read from a file of Keras."), class = "model")
    if (!dir.exists(dirname(file)) || file.access(dirname(file), 2) != 0)
        stop_input(c("{.arg file} must be in a folder that can be written.", x = "{.file {dirname(file)}} cannot."), class = "file")
    half <- tempfile("model", dirname(path.expand(file)), if (archive) ".keras" else ".h5")       # never a file by halves
    on.exit(unlink(half))
    network <- stored_network(model, frame)
    if (archive) write_archive(network, half) else write_keras_hdf5(network, half)
    if (!file.rename(half, file)) stop_input(c("{.arg file} must be a file that can be written.", x = "{.file {file}} cannot."), class = "file")
    invisible(file)
}

# What is written: list(description, layers = tree of layers with slots, weight = function(slot), keras_version).
stored_network <- function(model, call) {
    weight <- function(slot) .Call(C_weight, model@pointer, as.integer(slot))
    source <- list(file = model@name, call = NULL)
    graph <- new_graph(source)
    description <- model@settings$description
    entry <- list(class_name = description$class_name, config = description$config, name = "model")
    tree <- suppressWarnings(new_layer(graph, entry, path = ""))
    if (!is.null(model@settings$cut)) {
        part <- cut_network(description, tree$layers, model@settings$cut, call)
        description <- part$description
        tree$layers <- part$layers
    }
    written <- written_form(description, tree, weight)
    version <- model@settings$keras_version
    list(description = if (startsWith(version, "3")) keras3_calls(written) else written, layers = tree$layers, weight = weight,
         keras_version = version)
}
