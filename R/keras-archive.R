# R/keras-archive.R: the .keras format, a zip archive of config.json, metadata.json and model.weights.h5. Only these three are looked
# at, and they are unpacked into a folder of our own, so that names and links inside an archive lead nowhere.

is_archive <- function(file) identical(readBin(file, "raw", 4), as.raw(c(0x50, 0x4b, 0x03, 0x04)))

# -> list(config, keras_version, backend, tree)
read_archive <- function(source) {
    sizes <- list_archive(source)
    if (!"config.json" %in% names(sizes)) stop_model_file(source, "It is a zip archive, but not of Keras: it has no {.file config.json}.")
    if (!"model.weights.h5" %in% names(sizes)) {
        others <- grep("^model[.]weights[.]", names(sizes), value = TRUE)
        stop_model_file(source, if (length(others)) "Its weights are in {.file {others[1]}}." else "It has no {.file model.weights.h5}.",
                        "Weights in one {.file model.weights.h5} are read.")
    }
    folder <- tempfile("keras")
    dir.create(folder)
    on.exit(unlink(folder, recursive = TRUE))
    members <- intersect(c("config.json", "metadata.json", "model.weights.h5"), names(sizes))
    unpack(source, members, sizes[members], folder)
    path <- function(member) file.path(folder, member)
    metadata <- if ("metadata.json" %in% members) parse_json(read_text(path("metadata.json"), source), source)
    weights <- read_keras_hdf5(list(file = path("model.weights.h5"), name = source_name(source), call = source$call))
    version <- metadata[["keras_version"]]
    list(config = read_text(path("config.json"), source), keras_version = if (is.character(version)) version, backend = NULL,
         weights = weights$weights, tree = weights$tree)
}

# Bytes of each member, named. An archive that promises more than it can hold is refused before anything is unpacked: Keras stores
# its members as they are, and no text or weights shrink a hundredfold.
list_archive <- function(source, most = 100) {
    size <- file.size(source$file)
    end <- read_tail(source$file, size, 65557)
    wide <- size < 2^32 && length(grepRaw("PK\006\007", end, fixed = TRUE))      # numbers of eight bytes, where four are enough
    found <- if (!wide) tryCatch(utils::unzip(source$file, list = TRUE), error = function(error) NULL, warning = function(warning) NULL)
    if (is.null(found)) stop_model_file(source, "It is a damaged zip archive.")
    known <- found[found$Name %in% c("config.json", "metadata.json") | startsWith(found$Name, "model.weights"), ]
    if (anyDuplicated(known$Name)) stop_model_file(source, "Its {.file {known$Name[anyDuplicated(known$Name)]}} is there twice.")
    if (any(known$Length < 0) || sum(known$Length) > most * size || any(known$Length[endsWith(known$Name, ".json")] > 1e8))
        stop_model_file(source, "It is an archive of {size} bytes that would unpack to {sum(known$Length)}.")
    stats::setNames(known$Length, known$Name)
}

read_tail <- function(file, size, count) {
    connection <- file(file, "rb")
    on.exit(close(connection))
    seek(connection, max(0, size - count))
    readBin(connection, "raw", count)
}

unpack <- function(source, members, sizes, folder) {
    done <- tryCatch(utils::unzip(source$file, members, exdir = folder), error = function(error) NULL, warning = function(warning) NULL)
    there <- file.size(file.path(folder, members))
    if (is.null(done) || anyNA(there) || any(there != sizes)) stop_model_file(source, "It is a damaged zip archive.")
}

read_text <- function(file, source) {
    bytes <- readBin(file, "raw", file.size(file))
    if (any(bytes == 0)) stop_model_file(source, "The description of its layers is not readable text.")
    text <- rawToChar(bytes)
    Encoding(text) <- "UTF-8"
    text
}
