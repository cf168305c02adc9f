# One network in every kind of file (data-raw/fixtures/containers.py): the same numbers from each, and those of Keras.

contained <- function(name) fixture_path("containers", name)

network_case <- function(keras, name) {
    stored <- rhdf5::h5read(fixture_path(paste0("containers_", keras, ".cases.h5")), name)
    lapply(stored, function(values) unname(lapply(values, aperm)))
}

test_that("a network saved in eleven ways is one network", {
    case <- network_case("keras2", "network")
    serialized <- readBin(contained("keras2.h5"), "raw", 1e6)
    json <- function(keras) paste(readLines(contained(paste0(keras, ".json")), warn = FALSE), collapse = "\n")
    models <- list(
        read_model(contained("keras2.h5")), read_model(contained("keras2.keras")), read_model(contained("keras3.h5")),
        read_model(contained("keras3.keras")), read_model(serialized),
        read_model(contained("keras2_weights_only.h5"), architecture = contained("keras2.json")),
        read_model(contained("keras2.weights.h5"), architecture = contained("keras2.h5")),
        read_model(contained("keras2.weights.h5"), architecture = contained("keras3.json")),
        read_model(contained("keras3.weights.h5"), architecture = json("keras3")),
        read_model(contained("keras3.weights.h5"), architecture = json("keras2")),
        read_model(contained("keras3.weights.h5"), architecture = contained("keras3.keras")))
    expected <- predict(models[[1]], case$inputs)
    for (k in 1:2) expect_equal(expected[[k]], case$outputs[[k]], tolerance = 2e-6)           # float32 on both sides
    for (k in 1:2) expect_equal(network_case("keras3", "network")$outputs[[k]], case$outputs[[k]], tolerance = 2e-6)
    for (model in models) {
        expect_identical(predict(model, case$inputs), expected)
        expect_identical(summary(model)[-1], summary(models[[1]])[-1])
    }
})

test_that("hard_sigmoid is the one of the Keras that wrote the file", {
    for (keras in c("keras2", "keras3")) {
        case <- network_case(keras, "hard_sigmoid")
        model <- read_model(contained(paste0(keras, "_hard_sigmoid.keras")))
        expect_equal(predict(model, case$inputs[[1]]), case$outputs[[1]], tolerance = 2e-6, ignore_attr = TRUE)
    }
    expect_gt(max(abs(network_case("keras2", "hard_sigmoid")$outputs[[1]] - network_case("keras3", "hard_sigmoid")$outputs[[1]])), 1e-3)
})

test_that("classes become the words of Keras", {
    expect_identical(snake_case(c("Conv1D", "MaxPooling1D", "LeakyReLU", "LSTM", "InputLayer", "BatchNormalization", "PReLU", "GRU")),
                     c("conv1d", "max_pooling1d", "leaky_re_lu", "lstm", "input_layer", "batch_normalization", "p_re_lu", "gru"))
})

test_that("weights of a layer that two models share are found where they are stored", {
    leaf <- function(name, class = "Dense", slots = 1) list(class = class, name = name, path = name, slots = slots)
    array <- function(k) structure(k, dims = 1L)
    graph <- new_graph(list(file = "x.keras", call = NULL))
    inner <- list(layers = list(leaf("a", slots = 3), leaf("c", slots = 4)))
    inner[c("class", "name")] <- list("Functional", "inner")
    model <- list(class = "Functional", layers = list(leaf("a", slots = 1), leaf("b", slots = 2), inner))
    object <- function(...) list(vars = list(), inner = list(...))
    var <- function(k) list(vars = list(array(k)), inner = list())
    keras2 <- object(layers = object(dense = var(1), dense_1 = var(2), functional = object(layers = object(dense = var(9)))))
    load_tree(graph, model, keras2)
    expect_identical(lapply(graph$weights, as.vector), list(1, 2, 1, 9))
})

test_that("a folder of TensorFlow, an incomplete architecture and other archives are refused with a way out", {
    folder <- file.path(tempdir(), "saved")
    dir.create(folder)
    file.create(file.path(folder, "saved_model.pb"))
    on.exit(unlink(folder, recursive = TRUE))
    expect_error(read_model(folder), "SavedModel", class = "nucleograd_error_model_file")
    expect_error(read_model(folder), "tf.keras.models.load_model", class = "nucleograd_error_model_file")
    expect_error(read_model(contained("keras3.weights.h5")), "weights only", class = "nucleograd_error_model_file")
    expect_error(read_model(contained("keras3.weights.h5"), architecture = contained("keras2.weights.h5")), "must describe the layers",
                 class = "nucleograd_error_model_file")
    expect_error(read_model(contained("keras3.weights.h5"), architecture = "{\"class_name\": 3}"), class = "nucleograd_error_model_file")
    expect_error(read_model(raw(0)), class = "nucleograd_error_model_file")
    expect_error(read_model(contained("keras2.weights.h5"), architecture = fixture_path("formats", "architecture.json")),
                 class = "nucleograd_error_model_file")
})
