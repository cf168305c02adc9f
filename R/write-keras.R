# R/write-keras.R: the two formats of Keras that write_model() writes, and the description of layers in both.

# Keys that say nothing about prediction, or that one generation of Keras does not know.
training_keys <- paste0("(_initializer|_regularizer|_constraint)$|^(dtype|time_major|implementation|unroll|sparse|ragged|optional|seed|",
                        "noise_shape|quantization_config|build_input_shape|synchronized|unit_forget_bias|registered_name|lora_rank|batch_shape|rms_scaling)$")

# The description of a model or layer, in words that both generations of Keras read. `layer` is the same one with its slots.
written_form <- function(entry, layer, weight) {
    class <- plain_class(entry$class_name)
    config <- entry$config
    if (!is.null(layer$layers)) {
        class <- if (class == "Sequential") class else "Functional"
        own <- !vapply(layer$layers, function(inner) inner$class %in% mask_operations, NA)        # Keras finds its masks again
        config <- list(name = config[["name"]], trainable = layer$trainable,
                       layers = Map(written_form, config$layers[own], layer$layers[own], MoreArgs = list(weight = weight)))
        if (class == "Sequential") config$layers <- with_input(config$layers)
        config <- c(config, lapply(entry$config[intersect(c("input_layers", "output_layers"), names(entry$config))], written_tensors))
        config$layers <- lapply(config$layers, function(inner) {
            if (inner$class_name != "InputLayer") inner$config$batch_input_shape <- NULL
            inner
        })
        if (class == "Functional") config <- call_twice(config, layer$layers[own])
    } else {
        config <- config[!grepl(training_keys, names(config)) | (class == "InputLayer" & names(config) == "dtype")]
        if (!isFALSE(config$trainable)) config$trainable <- NULL                 # Keras 3 has layers that do not know the key
        config <- written_words(class, config)
        if (class == "GRU" && is.null(config$reset_after))
            config$reset_after <- length(layer$slots) < 3 || length(attr(weight(layer$slots[3]), "dims")) == 2
        parts <- intersect(c("layer", "backward_layer"), names(config))
        config[parts] <- Map(function(inner, child) with_modules(written_form(inner, child, weight)),     # by module alone
                             config[parts], layer$children[seq_along(parts)])                             # Keras 3 finds these
    }
    if (class %in% names(cudnn_layers)) class <- cudnn_layers[[class]]
    if (class == "ThresholdedReLU") class <- "ReLU"                                               # Keras 3 has that alone
    if (grepl(">", entry$class_name, fixed = TRUE)) class <- entry$class_name                     # a class of its own
    c(list(class_name = class, config = config), entry["name"][is.character(entry[["name"]])],
      if (!is.null(entry[["inbound_nodes"]])) list(inbound_nodes = lapply(entry$inbound_nodes, written_tensors)))
}

# Keras 2 counts the definition of a model inside a model as its call 0, Keras 3 does not. Where each call stands twice, number 2 k - 1
# is call k for both.
call_twice <- function(config, layers) {
    calls <- lapply(config$layers, `[[`, "inbound_nodes")
    for (at in which(vapply(layers, function(layer) !is.null(layer$layers), NA))) {
        inner <- layers[[at]]
        used <- numeric()
        renumber <- function(x, change) renumber_calls(x, function(name, number) if (name == inner$name) change(number) else number)
        renumber(list(calls, config$output_layers), function(number) used <<- c(used, number))
        used <- sort(unique(used))
        calls[[at]] <- rep(calls[[at]][used - inner$first_call + 1], each = 2)
        twice <- function(number) 2 * match(number, used) - 1
        calls <- renumber(calls, twice)
        config$output_layers <- renumber(config$output_layers, twice)
    }
    config$layers <- Map(function(layer, calls) { layer$inbound_nodes <- calls; layer }, config$layers, calls)
    config
}

written_words <- function(class, config) {
    if (class == "LeakyReLU" && !is.null(config$negative_slope)) {
        config$alpha <- config$negative_slope
        config$negative_slope <- NULL
    }
    if (class == "BatchNormalization" && length(unlist(config$axis)) == 1) config$axis <- unlist(config$axis)
    if (class %in% names(cudnn_layers))
        config <- c(config, list(activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE, reset_after = TRUE)
                            [if (class == "CuDNNGRU") 1:4 else 1:3])
    for (key in intersect(c("activation", "recurrent_activation"), names(config))) {
        word <- config[[key]]
        if (identical(word, "hard_sigmoid_keras3")) config[[key]] <- "hard_sigmoid"
        if (is.list(word))
            config[[key]] <- if (identical(word$class_name, "function")) word$config else written_form(word, list(), NULL)
    }
    if (class == "ThresholdedReLU") {
        config$threshold <- if (is.null(config$theta)) 1 else config$theta
        config$theta <- NULL
    }
    if (class %in% c("SeparableConv1D", "DepthwiseConv1D", "Conv1DTranspose")) config$groups <- NULL
    if (class == "ZeroPadding1D" && identical(config$data_format, "channels_last")) config$data_format <- NULL
    if (isFALSE(config$zero_output_for_mask)) config$zero_output_for_mask <- NULL
    config
}

# A Sequential model whose first layer carries the shape of the input: the input as a layer.
with_input <- function(entries) {
    shape <- entries[[1]]$config[["batch_input_shape"]]
    if (entries[[1]]$class_name == "InputLayer" || is.null(shape)) return(entries)
    entries[[1]]$config$batch_input_shape <- NULL
    name <- paste0(entries[[1]]$config$name, "_input")
    c(list(list(class_name = "InputLayer", config = list(batch_input_shape = shape, dtype = "float32", name = name))), entries)
}

# Calls without the arguments that are as they always are at prediction.
written_tensors <- function(x) {
    if (!is.list(x)) return(x)
    if (!is_tensor(x)) return(lapply(x, written_tensors))
    if (length(x) > 3) {
        told <- vapply(names(x[[4]]), function(key)
            !is.null(x[[4]][[key]]) && !grepl("mask$", key) && !(key == "training" && isFALSE(x[[4]][[key]])), NA)
        x[[4]] <- if (any(told)) x[[4]][told] else stats::setNames(list(), character())
    }
    x
}

# Tensors among the arguments of a call (the values of attention, the states of a recurrent layer): Keras 3 takes them in a form of its
# own alone.
keras3_calls <- function(entry) {
    if (!is.null(entry$config[["layers"]])) entry$config$layers <- lapply(entry$config$layers, keras3_calls)
    attends <- entry$class_name == "MultiHeadAttention"
    states <- entry$class_name %in% c("LSTM", "GRU", "Bidirectional")
    if (!is.null(entry[["inbound_nodes"]]))
        entry$inbound_nodes <- lapply(entry$inbound_nodes, function(call)
            if (attends || (states && length(call) > 1)) keras3_call(call) else call)
    entry
}

keras3_call <- function(call) {
    tensor <- function(x) list(class_name = "__keras_tensor__",
                               config = list(shape = list(NULL), dtype = "float32", keras_history = unname(x[1:3])))
    others <- lapply(if (length(call[[1]]) > 3) call[[1]][[4]], function(value) if (is_tensor(value)) tensor(value) else value)
    states <- if (length(call) > 1) list(initial_state = lapply(call[-1], tensor))
    list(args = list(tensor(call[[1]])), kwargs = c(stats::setNames(list(), character()), others, states))
}

as_json <- function(x) as.character(jsonlite::toJSON(x, auto_unbox = TRUE, null = "null", digits = NA))

# HDF5 ---------------------------------------------------------------------------------------------------------------------------

write_keras_hdf5 <- function(network, file) {
    h5 <- create_hdf5(file)
    on.exit(finish_hdf5(h5))
    version <- list(keras_version = network$keras_version, backend = "tensorflow")
    write_texts(h5, "", c(list(model_config = as_json(network$description)), version), scalar = TRUE)
    write_texts(h5, "model_weights", version, scalar = TRUE)
    names <- vapply(network$layers, `[[`, "", "name")
    write_texts(h5, "model_weights", list(layer_names = names))
    for (layer in network$layers) {
        group <- paste0("model_weights/", layer$name)
        words <- weight_names(layer)[as.character(unlist(stored_order(layer)))]
        write_texts(h5, group, list(weight_names = unname(words)))
        for (slot in names(words)) write_numbers(h5, paste0(group, "/", words[[slot]]), network$weight(slot))
    }
}

# Names of the weights of a layer, by slot, such as "walk/forward/kernel:0".
weight_names <- function(layer) {
    unlist(lapply(leaves(layer), function(leaf) {
        words <- switch(leaf$class,
            LSTM = , GRU = c("kernel", "recurrent_kernel", "bias"),
            BatchNormalization = , LayerNormalization =
                c("gamma"[leaf$settings$scale], "beta"[leaf$settings$center], "moving_mean", "moving_variance"),
            c("kernel", "bias", paste0("weight_", seq_along(leaf$slots) + 2)))
        stats::setNames(paste0(leaf$path, "/", words[seq_along(leaf$slots)], ":0"), leaf$slots)
    }))
}

# .keras -------------------------------------------------------------------------------------------------------------------------

write_archive <- function(network, file) {
    folder <- tempfile("keras")
    dir.create(folder)
    on.exit(unlink(folder, recursive = TRUE))
    writeLines(as_json(with_modules(network$description)), file.path(folder, "config.json"), useBytes = TRUE)
    writeLines(as_json(list(keras_version = network$keras_version)), file.path(folder, "metadata.json"))
    h5 <- create_hdf5(file.path(folder, "model.weights.h5"))
    tryCatch(write_objects(h5, "", list(layers = network$layers), network$weight,
                           keras3 = startsWith(network$keras_version, "3")), finally = finish_hdf5(h5))
    zip::zip(file, c("metadata.json", "config.json", "model.weights.h5"), root = folder, compression_level = 1, mode = "cherry-pick")
}

# Where Python finds each class.
with_modules <- function(entry) {
    model <- !is.null(entry$config[["layers"]])
    custom <- !plain_class(entry$class_name) %in% setdiff(supported_layers, deepg_layers) || grepl(">", entry$class_name, fixed = TRUE)
    if (model) entry$config$layers <- lapply(entry$config$layers, with_modules)
    if (entry$class_name == "Functional") entry$class_name <- "Model"            # the one name that both generations know
    entry["module"] <- list(if (model) "keras" else if (!custom) "keras.layers")
    entry["registered_name"] <- list(if (custom) entry$class_name)
    entry
}

# A layer and what it holds, as objects below `path`; find_objects() and load_tree() say where each belongs.
write_objects <- function(h5, path, layer, weight, keras3) {
    below <- function(part) paste0(path, if (nzchar(path)) "/", part)
    write_group(h5, below("vars"))
    if (!is.null(layer$name)) write_texts(h5, below("vars"), list(name = layer$name), scalar = TRUE)
    if (!is.null(layer$layers)) {
        words <- vapply(layer$layers, function(inner) snake_case(inner$class), "")
        count <- stats::ave(seq_along(words), words, FUN = seq_along) - 1
        words <- paste0(words, ifelse(count > 0, paste0("_", count), ""))
        Map(function(word, inner) write_objects(h5, below(paste0("layers/", word)), inner, weight, keras3), words, layer$layers)
    } else if (!is.null(layer$children)) {
        parts <- if (layer$class == "Bidirectional") c("forward_layer", "backward_layer") else "layer"
        Map(function(part, inner) write_objects(h5, below(part), inner, weight, keras3), parts, layer$children)
    } else if (length(layer$slots)) {
        places <- object_places(layer, keras3)
        for (k in seq_along(layer$slots)) write_numbers(h5, below(places[k]), weight(layer$slots[k]))
    }
    invisible()
}

# Where the arrays of a layer lie below its object: in its own vars, or in those of the objects that it keeps. Keras 2 hides those of
# MultiHeadAttention behind an underscore.
object_places <- function(layer, keras3) {
    parts <- layer_objects[[layer$class]]
    if (is.null(parts)) return(paste0("vars/", seq_along(layer$slots) - 1))
    if (layer$class == "MultiHeadAttention" && !keras3) parts <- paste0("_", parts)
    each <- length(layer$slots) / length(parts)
    paste0(rep(parts, each = each), "/vars/", rep(seq_len(each) - 1, length(parts)))
}
