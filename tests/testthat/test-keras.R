# What parse_keras() makes of a model file: nodes, names, weights; and every refusal. Values are compared in test-fixtures.R.

parsed <- function(...) parse_keras(fixture_path(...))
classes <- function(model) vapply(model$nodes, `[[`, "", "class")
node_names <- function(model) vapply(model$nodes, `[[`, "", "name")

# A model of one's own: the fixture with another JSON text, flattened without a file being written.
with_json <- function(edit, ..., weights = NULL) {
    source <- list(file = fixture_path(...), call = parent.frame())
    stored <- read_keras_hdf5(source)
    if (!is.null(weights)) stored$weights <- weights(stored$weights)
    flatten_model(edit(parse_json(stored$config, source)), stored, source)
}
edit_layer <- function(k, ...) function(json) {
    json$config$layers[[k]]$config <- utils::modifyList(json$config$layers[[k]]$config, list(...), keep.null = TRUE)
    json
}

test_that("a layer and its activation are two nodes of one name", {
    model <- parsed("stacks", "dense.h5")
    expect_identical(classes(model), c("InputLayer", "Dense", "Activation", "Dense"))
    expect_identical(node_names(model)[2:3], c("dense", "dense"))
    expect_identical(model$nodes[[3]]$config, list(activation = "relu"))
    expect_identical(model$nodes[[1]]$config, list(shape = 10))
    expect_identical(lapply(model$weights, attr, "dims"), list(c(10L, 6L), 6L, c(6L, 3L), 3L))
    expect_identical(unname(model$outputs), 4L)
    expect_identical(model$keras_version, "2.15.0")
})

test_that("layers that do nothing at prediction leave no node, and keep their row", {
    model <- parsed("activations", "nothing.h5")
    expect_identical(classes(model), c("InputLayer", "Dense"))
    expect_identical(unname(model$outputs), c(2L, 1L))
    expect_true("GaussianNoise" %in% model$layers$class)
})

test_that("calls of a shared layer and of a nested model share weights", {
    model <- parsed("graphs", "shared_layer.h5")
    kernels <- lapply(model$nodes[classes(model) == "Conv1D"], `[[`, "weights")
    expect_length(kernels, 3)
    expect_length(unique(kernels), 1)
    model <- parsed("graphs", "nested_shared.h5")
    expect_identical(sum(node_names(model) == "features/conv1d_1"), 6L)          # three calls, each with its activation
    expect_identical(names(model$inputs), c("left", "right", "middle"))
})

test_that("outputs of one layer get names of their own", {
    expect_identical(names(parsed("graphs", "heads.h5")$outputs), c("shape", "spores", "size"))
    model <- parsed("wrappers", "bidirectional_lstm.h5")
    expect_identical(anyDuplicated(names(model$outputs)), 0L)
})

test_that("Bidirectional is two walks and a merge; the second restores its order", {
    model <- with_json(identity, "wrappers", "bidirectional_stack.h5")
    walks <- model$nodes[classes(model) == "LSTM"]
    expect_identical(vapply(walks, function(node) node$config$go_backwards, NA), c(FALSE, TRUE))
    expect_identical(vapply(walks, function(node) node$config$restore_order, NA), c(FALSE, TRUE))
    expect_identical(model$nodes[[4]]$config, list(axis = -1))
})

test_that("TimeDistributed marks the nodes it holds", {
    model <- parsed("wrappers", "time_distributed_model.h5")
    marked <- vapply(model$nodes, `[[`, NA, "time_distributed")
    expect_identical(marked, classes(model) != "InputLayer" & node_names(model) != "global_average_pooling1d_2")
})

test_that("returned states are nodes over the same weights", {
    model <- parsed("recurrent", "lstm_states.h5")
    returns <- unlist(lapply(model$nodes, function(node) node$config$returns))
    expect_setequal(returns, c("sequence", "hidden", "cell", "last"))
    first <- Filter(function(node) node$name == model$nodes[[which(classes(model) == "LSTM")[1]]]$name, model$nodes)
    expect_length(unique(lapply(first, `[[`, "weights")), 1)
})

test_that("an object of inputs is taken in the order of its keys", {
    expect_identical(names(parsed("deepg", "labels.h5")$inputs)[1:2], c("label_input_layer_10", "label_input_layer_2"))
})

test_that("every form of one model is the same model", {
    plain <- parsed("formats", "plain.h5")
    for (form in c("fixed_length_names", "names_in_pieces", "latest", "version_1_8", "user_block", "with_optimizer", "compressed", "pieces",
                   "pieces_latest"))
        expect_identical(parsed("formats", paste0(form, ".h5"))[c("nodes", "weights", "inputs", "outputs", "layers")],
                         plain[c("nodes", "weights", "inputs", "outputs", "layers")], label = form)
    weights <- fixture_path("formats", "weights_only.h5")
    expect_identical(parse_keras(weights, architecture = fixture_path("formats", "architecture.json")), plain)
    expect_identical(parse_keras(weights, architecture = fixture_path("formats", "plain.h5")), plain)
})

test_that("our reader finds the numbers that the HDF5 library finds", {
    file <- fixture_path("graphs", "nested_twice.h5")
    stored <- read_keras_hdf5(list(file = file, call = NULL))$weights
    for (layer in names(stored)) {
        names <- as.character(rhdf5::h5readAttributes(file, paste0("model_weights/", layer))$weight_names)
        for (k in seq_along(stored[[layer]])) {
            expected <- rhdf5::h5read(file, paste("model_weights", layer, names[k], sep = "/"))
            expect_identical(as.vector(stored[[layer]][[k]]), as.vector(expected))
            expect_identical(attr(stored[[layer]][[k]], "dims"), rev(dim(expected)))
        }
    }
})

test_that("a group of a hundred layers is read in both kinds of groups", {
    file <- tempfile(fileext = ".h5")
    latest <- rhdf5::H5Pcreate("H5P_FILE_ACCESS")
    rhdf5::H5Pset_libver_bounds(latest, "H5F_LIBVER_LATEST", "H5F_LIBVER_LATEST")
    h5 <- rhdf5::H5Fcreate(file, fapl = latest)
    for (k in 1:100) rhdf5::h5createGroup(h5, paste0("layer_", k))
    rhdf5::H5Fclose(h5)
    rhdf5::H5Pclose(latest)
    late <- open_hdf5(list(file = file, call = NULL))
    on.exit(close_hdf5(late))
    expect_setequal(names(list_group(late, late$root)), paste0("layer_", 1:100))
    early <- tempfile(fileext = ".h5")
    rhdf5::h5createFile(early)
    for (k in 1:100) rhdf5::h5createGroup(early, paste0("layer_", k))
    early <- open_hdf5(list(file = early, call = NULL))
    expect_setequal(names(list_group(early, early$root)), paste0("layer_", 1:100))
    close_hdf5(early)
})

test_that("activations become words and numbers", {
    settings <- function(activation) named_activation(activation, list(file = "x.h5", call = NULL), "a")
    expect_identical(settings("silu"), list(activation = "swish"))
    expect_identical(settings(list(class_name = "function", config = "log_softmax_v2")), list(activation = "log_softmax"))
    expect_identical(settings(list(class_name = "LeakyReLU", config = list(alpha = 0.25))), list(activation = "leaky_relu", alpha = 0.25))
    expect_identical(settings("leaky_relu"), list(activation = "leaky_relu", alpha = 0.2))
    model <- parsed("activations", "layers.h5")
    expect_identical(model$nodes[[5]]$config, list(activation = "relu", max_value = 6, negative_slope = 0, threshold = 0))
})

test_that("whole numbers written as 4.0, null flags and stray shapes are accepted", {
    plain <- with_json(identity, "stacks", "conv_global_max.h5")
    same <- with_json(edit_layer(2, trainable = NULL, kernel_size = 7.0, batch_input_shape = list(NULL, 1, 1)), "stacks", "conv_global_max.h5")
    expect_identical(same$nodes, plain$nodes)
})

test_that("settings that Keras 3 alone has are computed or refused, not passed over", {
    chain <- function(class, ...) flatten_model(list(class_name = "Sequential", config = list(name = "s", layers = list(
        list(class_name = "InputLayer", config = list(name = "x", batch_input_shape = list(NULL, 6L, 3L))),
        list(class_name = class, config = list(name = "layer", ...))))), list(weights = list(layer = list())), list(file = "x.keras", call = NULL))
    expect_identical(classes(chain("ZeroPadding1D", padding = list(1L, 2L), data_format = "channels_first")),
                     c("InputLayer", "Permute", "ZeroPadding1D", "Permute"))
    expect_identical(classes(chain("ZeroPadding1D", padding = list(1L, 2L), data_format = "channels_last")), c("InputLayer", "ZeroPadding1D"))
    expect_error(chain("LayerNormalization", rms_scaling = TRUE), "root mean squares", class = "nucleograd_error_unsupported")
})

test_that("what is not computed is refused by layer and class", {
    conv <- function(...) with_json(edit_layer(2, ...), "stacks", "conv_global_max.h5")
    of_class <- function(class) with_json(function(json) {
        json$config$layers[[3]]$class_name <- class
        json
    }, "stacks", "conv_global_max.h5")
    expect_error(conv(activation = "my_function"), class = "nucleograd_error_unsupported")
    expect_error(of_class("Lambda"), class = "nucleograd_error_unsupported")
    expect_error(of_class("TFOpLambda"), class = "nucleograd_error_unsupported")
    expect_error(conv(filters = "many"), class = "nucleograd_error_model_file")
    expect_error(conv(filters = 9), class = "nucleograd_error_model_file")
    expect_snapshot(error = TRUE, {
        of_class("MyLayer")
        conv(strides = 2, dilation_rate = 2)
        conv(filters = 9)
        conv(kernel_size = 0)
    })
})

test_that("weights that are missing or not finite are refused by layer", {
    change <- function(change) with_json(identity, "stacks", "dense.h5", weights = change)
    expect_snapshot(error = TRUE, {
        change(function(weights) { weights$dense[[1]][3] <- NaN; weights })
        change(function(weights) { weights$dense_1[2] <- NULL; weights })
    })
})

test_that("a cycle and a missing call are found", {
    cycle <- function(json) {
        json$config$layers[[2]]$inbound_nodes[[1]][[1]][[1]] <- json$config$layers[[3]]$name
        json
    }
    expect_error(with_json(cycle, "graphs", "shared_twice.h5"), "cycle", class = "nucleograd_error_model_file")
})

test_that("models nested in each other's calls do not grow without end", {
    source <- list(file = "x.h5", call = NULL)
    level <- list(class_name = "Sequential", name = "s0", config = list(name = "s0", layers = list(list(class_name = "LeakyReLU", config = list(name = "r")))))
    for (k in 1:25) {
        call <- function(from, at) list(list(from, at, 0L))
        level <- list(class_name = "Functional", name = paste0("m", k), config = list(name = paste0("m", k), layers = list(
            list(class_name = "InputLayer", name = "x", config = list(name = "x", batch_input_shape = list(NULL, 4L)), inbound_nodes = list()),
            c(level, list(inbound_nodes = list(call("x", 0L), call(level$name, if (k == 1) 0L else 1L))))),
            input_layers = list(list("x", 0L, 0L)), output_layers = list(list(level$name, if (k == 1) 1L else 2L, 0L))))
    }
    expect_error(flatten_model(level, list(weights = list()), source), "layer calls", class = "nucleograd_error_model_file")
})

test_that("files of other kinds are refused with a way out", {
    copy <- function(bytes) {
        file <- file.path(tempdir(), "model.h5")                                  # the messages below name it
        writeBin(bytes, file)
        file
    }
    plain <- readBin(fixture_path("formats", "plain.h5"), "raw", 1e6)
    expect_snapshot(error = TRUE, {
        parse_keras(copy(as.raw(c(0x50, 0x4b, 0x03, 0x04, rep(0, 200)))))
        parse_keras(copy(charToRaw("no model at all")))
        parse_keras(copy(plain[seq_len(20000)]))
        parsed("formats", "weights_only.h5")
        parsed("formats", "lzf.h5")
        parsed("stacks.cases.h5")
    })
    expect_error(check_keras_version("1.2.2", list(file = "x.h5", call = NULL)), "Keras 1.2.2", class = "nucleograd_error_model_file")
    expect_error(check_keras_version(NULL, list(file = "x.h5", call = NULL)), class = "nucleograd_error_model_file")
})

test_that("soft and external links are not followed", {
    file <- tempfile(fileext = ".h5")
    rhdf5::h5createFile(file)
    rhdf5::h5createGroup(file, "here")
    h5 <- rhdf5::H5Fopen(file)
    rhdf5::H5Lcreate_external(fixture_path("formats", "plain.h5"), "model_weights", h5, "elsewhere")
    rhdf5::H5Fclose(h5)
    h5 <- open_hdf5(list(file = file, call = NULL))
    on.exit(close_hdf5(h5))
    expect_true(find_object(h5, h5$root, "here") > 0)
    expect_error(find_object(h5, h5$root, "elsewhere"), "another place", class = "nucleograd_error_model_file")
})

test_that("damaged files end in an error or in a model, and leave no connection open", {
    plain <- readBin(fixture_path("formats", "latest.h5"), "raw", 1e6)
    early <- readBin(fixture_path("recurrent", "cudnn_gru.h5"), "raw", 1e6)
    file <- tempfile(fileext = ".h5")
    before <- nrow(showConnections())
    for (k in 1:60) {
        bytes <- if (k %% 2) plain else early
        at <- which(bytes != 0)[1 + (k * 7919 + (0:3) * 104729) %% sum(bytes != 0)]
        bytes[at] <- as.raw((as.integer(bytes[at]) * 7 + k) %% 256)
        writeBin(bytes, file)
        result <- tryCatch(parse_keras(file), nucleograd_error_model_file = function(error) list())
        expect_type(result, "list")
    }
    expect_identical(nrow(showConnections()), before)
})
