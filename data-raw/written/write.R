# Rscript data-raw/written/write.R FOLDER [GROUP ...]: writes every network of tests/testthat/fixtures and some that fit_model() trained, or
# of these groups ("trained" is one), with write_model(), as .h5 and .keras, with inputs and outputs, for load.py to compare. Run from the
# top of the sources, with the package installed.
library(nucleograd)
folder <- commandArgs(TRUE)[1]
dir.create(folder, showWarnings = FALSE, recursive = TRUE)
fixtures <- "tests/testthat/fixtures"
groups <- commandArgs(TRUE)[-1]
if (length(groups) == 0) groups <- c(setdiff(basename(list.dirs(fixtures, recursive = FALSE)), c("formats", "scale")), "trained")
files <- unlist(lapply(groups, function(group)
    list.files(file.path(fixtures, group), if (group == "containers") "^keras2.h5$|^keras3.keras$" else "[.](h5|keras)$", full.names = TRUE)))
set.seed(1)

# group: the folder of its fixture.
write_with_values <- function(model, group, name) {
    shapes <- lapply(model@inputs, function(axes) c(2, ifelse(is.na(axes), 150, axes)))
    inputs <- unname(Map(function(dim, tokens) {
        if (is.na(tokens)) return(array(round(rnorm(prod(dim)), 3), dim))
        array(sample(tokens, prod(dim[-length(dim)]), replace = TRUE) - 1, dim[-length(dim)])
    }, shapes, model@settings$tokens))
    outputs <- predict(model, if (length(inputs) == 1) inputs[[1]] else inputs)
    if (!is.list(outputs)) outputs <- list(outputs)
    description <- as.character(jsonlite::toJSON(model@settings$description, auto_unbox = TRUE, null = "null"))
    own <- grepl("hard_sigmoid|\"return_state\":true|MultiHeadAttention|\"backward_layer\"|\"activation\":\\{\"class_name\":\"[A-Z]", description) ||
        grepl("\"class_name\":\"SeparableConv1D\",\"config\":\\{[^}]*\"padding\":\"causal\"", description) ||
        (group == "masks" && grepl("^(bidirectional|merged)", name))      # states; a name that Keras 3 takes twice
    hdf5 <- grepl("layer_pos_|layer_transformer_block", description)
    axis <- grepl("\"class_name\":\"(Concatenate|BatchNormalization)\",\"config\":\\{[^}]*\"axis\":[0-9[]", description) || grepl("thawed", name)
    generation <- substr(model@settings$keras_version, 1, 1)
    name <- paste0("keras", generation, if (own) "_own", if (axis) "_axis", if (hdf5) "_hdf5", "_", group, "_", name)
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

for (file in files) {
    model <- tryCatch(read_model(file), nucleograd_error = function(error) NULL)
    if (!is.null(model)) write_with_values(model, basename(dirname(file)), sub("[.].*", "", basename(file)))
}

if ("trained" %in% groups) {
    networks <- list(
        both_kinds = sequence_network(80, conv(16, 8), pool(2), batch_norm(), conv(16, 12), batch_norm(), pool(2), dropout(0.2), lstm(6),
                                      dense(2, "softmax")),
        many_taps = sequence_network(300, conv(24, 16), pool(3), batch_norm(), conv(32, 20), pool(3), flatten(), dense(1, "sigmoid")),
        windows = example_architecture("window"))
    for (name in names(networks)) {
        x <- Biostrings::DNAStringSet(replicate(64, paste(sample(c("A", "C", "G", "T"), networks[[name]]@inputs[[1]][1], TRUE), collapse = "")))
        write_with_values(fit_model(networks[[name]], x, rep(c("a", "b"), 32), epochs = 3, seed = 1), "trained", name)
    }
}
cat(length(list.files(folder, "[.]values$")), "networks written\n")
