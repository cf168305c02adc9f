# Rscript data-raw/written/write.R FOLDER: writes every network of tests/testthat/fixtures with write_model(), as .h5 and .keras, with
# inputs and outputs, for load.py to compare. Run from the top of the sources, with the package installed.
library(nucleograd)
folder <- commandArgs(TRUE)[1]
dir.create(folder, showWarnings = FALSE, recursive = TRUE)
fixtures <- "tests/testthat/fixtures"
groups <- setdiff(basename(list.dirs(fixtures, recursive = FALSE)), c("containers", "formats", "scale"))
files <- c(file.path(fixtures, "containers", c("keras2.h5", "keras3.keras")),
           unlist(lapply(groups, function(group) list.files(file.path(fixtures, group), "[.]h5$", full.names = TRUE))))
set.seed(1)
for (file in files) {
    model <- tryCatch(read_model(file), nucleograd_error = function(error) NULL)
    if (is.null(model)) next
    shapes <- lapply(model@inputs, function(axes) c(2, ifelse(is.na(axes), 150, axes)))
    inputs <- unname(lapply(shapes, function(dim) array(round(rnorm(prod(dim)), 3), dim)))
    outputs <- predict(model, if (length(inputs) == 1) inputs[[1]] else inputs)
    if (!is.list(outputs)) outputs <- list(outputs)
    description <- as.character(jsonlite::toJSON(model@settings$description, auto_unbox = TRUE, null = "null"))
    nested <- any(vapply(model@settings$description$config$layers, function(layer) !is.null(layer$config[["layers"]]), NA))
    own <- nested || grepl("hard_sigmoid|\"return_state\":true|ThresholdedReLU", description)
    generation <- substr(model@settings$keras_version, 1, 1)
    name <- paste0("keras", generation, if (own) "_own", "_", basename(dirname(file)), "_", sub("[.].*", "", basename(file)))
    for (kind in c(".h5", ".keras")) write_model(model, file.path(folder, paste0(name, kind)))
    values <- file.path(folder, paste0(name, ".values"))
    unlink(values)
    rhdf5::h5createFile(values)
    for (part in c("inputs", "outputs")) {
        rhdf5::h5createGroup(values, part)
        arrays <- if (part == "inputs") inputs else unname(outputs)
        for (k in seq_along(arrays)) rhdf5::h5write(aperm(array(arrays[[k]], dim(arrays[[k]]))), values, paste0(part, "/", k))
    }
}
cat(length(list.files(folder, "[.]values$")), "networks written\n")
