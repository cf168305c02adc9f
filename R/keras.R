# R/keras.R: a Keras 2 model file as a flat list of nodes and weights, ready for the core.

#' Read the structure of a Keras model
#'
#' @param file Path of an HDF5 file that Keras 2 (2.x, TensorFlow 2.0 to 2.15) or deepG wrote.
#' @param architecture For a file of weights only: another model file, or a JSON file written by `model.to_json()`.
#' @param call The frame of the verb that people called, for messages.
#' @return A list:
#'   - `nodes`: one list a layer call, in topological order: `class`, `name`, `inputs` (node numbers), `config` (atomic
#'     vectors), `weights` (positions in `weights`), `time_distributed`.
#'   - `weights`: numeric vectors in row-major order with the attribute `dims`; shared layers share entries.
#'   - `inputs`, `outputs`: node numbers, named by their layers.
#'   - `layers`: one row a Keras layer: `layer`, `class`, `node` (its last; `NA` when no output needs it), `parameters`,
#'     `trainable`.
#'   - `keras_version`, `backend`.
#' @section Errors: `nucleograd_error_model_file`: the file is damaged or holds no Keras 2 model.
#'   `nucleograd_error_unsupported`: a layer, or one of its settings, is not computed.
#' @noRd
parse_keras <- function(file, architecture = NULL, call = parent.frame()) {
    source <- list(file = file, call = call)
    stored <- read_keras_hdf5(source)
    if (!is.null(architecture))
        stored$config <- read_architecture(list(file = architecture, call = call))
    if (is.null(stored$config))
        stop_model_file(source, "It holds weights only, without the architecture of the model.",
                        paste("deepG's checkpoints are of this kind by default. Give the architecture: another model file,",
                              "or a JSON file from {.code model.to_json()}."))
    check_keras_version(stored$keras_version, source)
    json <- parse_json(stored$config, source)
    tryCatch(flatten_model(json, stored, source), error = function(error) {      # a list where Keras writes a number, and the like
        if (inherits(error, "nucleograd_error")) stop(error)
        reason <- conditionMessage(error)
        stop_model_file(source, "The description of its layers is not as Keras writes it ({reason}).")
    })
}

read_architecture <- function(source) {
    start <- readBin(source$file, "raw", 1)
    if (identical(start, charToRaw("{")))
        return(paste(readLines(source$file, warn = FALSE, encoding = "UTF-8"), collapse = "\n"))
    config <- read_keras_hdf5(source)$config
    if (is.null(config))
        stop_model_file(source, "It holds weights only; {.arg architecture} must describe the layers.")
    config
}

# Files before Keras 2 store their kernels in another layout.
check_keras_version <- function(version, source) {
    if (length(version) != 1 || !grepl("^2[.]", version)) {
        given <- if (length(version) == 1) version else "unknown"
        stop_model_file(source, "It was written by Keras {given}.", "Versions 2.x are read.")
    }
}

# The depth is bounded first, because everything below follows the nesting; brackets inside names only make it stricter.
parse_json <- function(text, source, deepest = 200) {
    letters <- utf8ToInt(text)
    step <- (letters %in% utf8ToInt("[{")) - (letters %in% utf8ToInt("]}"))
    if (length(text) != 1 || anyNA(letters) || max(cumsum(step)) > deepest)
        stop_model_file(source, "The description of its layers is not readable text.")
    tryCatch(jsonlite::fromJSON(text, simplifyVector = FALSE), error = function(error)
        stop_model_file(source, "The description of its layers is not valid JSON."))
}
