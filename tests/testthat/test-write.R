# Networks that were written and read again: the same bits. That TensorFlow predicts the same: data-raw/written.

random_values <- function(model) {
    shapes <- lapply(unname(model@inputs), function(axes) c(2, ifelse(is.na(axes), 60, axes)))
    one_or_list(lapply(shapes, function(dim) array(sin(seq_len(prod(dim)) * 1.7), dim)))
}

expect_same_again <- function(file, kind) {
    model <- read_model(file)
    written <- write_model(model, tempfile(fileext = kind))
    on.exit(unlink(written))
    again <- read_model(written)
    label <- paste(basename(dirname(file)), basename(file), kind)
    x <- random_values(model)
    expect_identical(predict(again, x), predict(model, x), label = label)
    rows <- function(model) {                                        # without inputs: an old Sequential gets a layer for its own
        layers <- summary(model)[c("class", "output", "parameters")]
        `rownames<-`(layers[layers$class != "InputLayer", -1], NULL)
    }
    expect_identical(rows(again), rows(model), label = label)
}

test_that("what was written is the same in every bit", {
    some <- c("containers/keras2.h5", "containers/keras3.keras", "containers/keras3_hard_sigmoid.keras", "graphs/nested_frozen.h5",
              "graphs/nested_twice.h5", "graphs/nested_without_shape.h5", "graphs/bare_sequential.h5", "graphs/sequential_of_models.h5",
              "recurrent/cudnn_gru.h5", "recurrent/cudnn_lstm.h5", "recurrent/gru_without_key_before.h5", "recurrent/lstm_states.h5",
              "wrappers/bidirectional_stack.h5", "wrappers/time_distributed_model.h5", "genomenet/both_strands.h5", "deepg/labels.h5",
              "activations/inside_dense.h5", "normalization/batch.h5",
              "attention/heads.h5")
    for (file in some) for (kind in c(".h5", ".keras")) expect_same_again(fixture_path(file), kind)
})

test_that("the file is Keras 2's HDF5, and holds float32", {
    file <- write_model(read_model(fixture_path("stacks", "dense.h5")), tempfile(fileext = ".h5"))
    on.exit(unlink(file))
    root <- rhdf5::h5readAttributes(file, "/")
    expect_identical(as.vector(root$keras_version), "2.15.0")
    expect_identical(jsonlite::fromJSON(root$model_config)$class_name, "Sequential")
    expect_identical(as.vector(rhdf5::h5readAttributes(file, "model_weights/dense")$weight_names), c("dense/kernel:0", "dense/bias:0"))
    expect_identical(file.size(file) < 60000, TRUE)
})

test_that("calls of models inside a model stand twice, so that both generations of Keras count them alike, however often it is written", {
    file <- tempfile(fileext = ".h5")
    on.exit(unlink(file))
    text <- character()
    model <- read_model(fixture_path("containers", "keras2.h5"))
    for (time in 1:2) {
        write_model(model, file)
        model <- read_model(file)
        text[time] <- as.vector(rhdf5::h5readAttributes(file, "/")$model_config)
    }
    expect_identical(text[2], text[1])
    layers <- jsonlite::fromJSON(text[1], simplifyVector = FALSE)$config$layers
    names(layers) <- vapply(layers, `[[`, "", "name")
    from <- function(name) vapply(layers[[name]]$inbound_nodes, function(call) call[[1]][[1]], "")
    expect_identical(from("features"), c("left", "left", "right", "right"))
    expect_identical(vapply(layers$both$inbound_nodes[[1]], `[[`, 1, 2), c(1, 3))
})

test_that("what is left of a model with models inside is the same after it was written", {
    model <- read_model(fixture_path("containers", "keras2.h5"))
    x <- random_values(model)
    for (layer in c("both", "drop")) {
        cut <- cut_model(model, layer)
        file <- write_model(cut, tempfile(fileext = ".h5"))
        expect_identical(predict(read_model(file), x), predict(cut, x), label = layer)
        unlink(file)
    }
})

test_that("attention is called as the Keras of its origin calls it", {
    for (kind in c("attention", "attention3")) {
        file <- write_model(read_model(fixture_model(kind, "heads")), tempfile(fileext = ".h5"))
        text <- as.vector(rhdf5::h5readAttributes(file, "/")$model_config)
        unlink(file)
        expect_identical(grepl("__keras_tensor__", text), kind == "attention3")
    }
})

test_that("what cannot be written says why, and leaves the file that was there", {
    model <- read_model(fixture_path("stacks", "dense.h5"))
    file <- tempfile(fileext = ".h5")
    writeLines("before", file)
    on.exit(unlink(file))
    expect_error(write_model(model, "model.onnx"), "h5, .hdf5 or .keras", class = "nucleograd_error_argument")
    expect_error(write_model(model, file.path(tempdir(), "nowhere", "a.h5")), class = "nucleograd_error_file")
    expect_error(write_model(3, file), class = "nucleograd_error_argument")
    lost <- unserialize(serialize(model, NULL))
    expect_error(write_model(lost, file), "read_model", class = "nucleograd_error_model")
    expect_identical(readLines(file), "before")
})
