# R/keras.R: a Keras model file as a flat list of nodes and weights, ready for the core.

#' Read the structure of a Keras model
#'
#' @param file Path of a file that Keras 2, Keras 3 or deepG wrote.
#' @param architecture For a file of weights only: another model file, a JSON file, or JSON text from `model.to_json()`.
#' @param call,name The frame of the verb that people called, and what they call the file: for messages.
#' @return A list:
#'   - `nodes`: one list a layer call, in topological order: `class`, `name`, `inputs` (node numbers), `config` (atomic
#'     vectors), `weights` (positions in `weights`), `time_distributed`.
#'   - `weights`: numeric vectors in row-major order with the attribute `dims`; shared layers share entries.
#'   - `inputs`, `outputs`: node numbers, named by their layers.
#'   - `layers`: one row a Keras layer: `layer`, `class`, `node` (its last; `NA` when no output needs it), `parameters`,
#'     `trainable`.
#'   - `keras_version`, `backend`; `description`: the model as plain_form() has it.
#' @section Errors: `nucleograd_error_model_file`: the file is damaged or holds no Keras model.
#'   `nucleograd_error_unsupported`: a layer, or one of its settings, is not computed.
#' @noRd
parse_keras <- function(file, architecture = NULL, call = parent.frame(), name = basename(file)) {
    source <- list(file = file, call = call, name = name)
    stored <- if (is_archive(source$file)) read_archive(source) else read_keras_hdf5(source)
    if (!is.null(architecture)) {
        given <- read_architecture(architecture, source$call)
        stored$config <- given$config
        if (!is.null(given$keras_version)) stored$keras_version <- given$keras_version
    }
    if (is.null(stored$config))
        stop_model_file(source, "It holds weights only, without the architecture of the model.",
                        paste("deepG's checkpoints are of this kind by default. Give the architecture: another model file,",
                              "or a JSON file from {.code model.to_json()}."))
    json <- parse_json(stored$config, source)
    if (is.null(stored$keras_version)) stored$keras_version <- version_of_json(json)
    check_keras_version(stored$keras_version, source)
    tryCatch({
        keras3 <- startsWith(stored$keras_version, "3")
        json <- plain_form(json, keras3, tensors3 = keras3 && (!is.null(json[["module"]]) || grepl("__keras_tensor__", stored$config, fixed = TRUE)))
        flatten_model(json, stored, source)
    }, error = function(error) {                                                 # a list where Keras writes a number, and the like
        if (inherits(error, "nucleograd_error")) stop(error)
        reason <- conditionMessage(error)
        stop_model_file(source, "The description of its layers is not as Keras writes it ({reason}).")
    })
}

# -> list(config, keras_version) of a model file, a JSON file or JSON text.
read_architecture <- function(architecture, call) {
    if (is_json(architecture)) return(list(config = architecture))
    source <- list(file = architecture, call = call)
    if (identical(readBin(source$file, "raw", 1), charToRaw("{"))) return(list(config = read_text(source$file, source)))
    stored <- if (is_archive(source$file)) read_archive(source) else read_keras_hdf5(source)
    if (is.null(stored$config))
        stop_model_file(source, "It holds weights only; {.arg architecture} must describe the layers.")
    stored[c("config", "keras_version")]
}

is_json <- function(x) is.character(x) && length(x) == 1 && !is.na(x) && startsWith(x, "{")

# to_json() of Keras 2 says its version; that of Keras 3 does not.
version_of_json <- function(json) {
    if (is.character(json[["keras_version"]])) return(json[["keras_version"]])
    if (any(grepl("batch_shape", names(unlist(json)), fixed = TRUE))) "3.0" else NULL
}

# Files before Keras 2 store their kernels in another layout.
check_keras_version <- function(version, source) {
    if (length(version) != 1 || !grepl("^[23][.]", version)) {
        given <- if (length(version) == 1) version else "unknown"
        stop_model_file(source, "It was written by Keras {given}.", "Versions 2.x and 3.x are read.")
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
