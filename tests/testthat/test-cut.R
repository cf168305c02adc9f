# Inner layers as outputs.

test_that("a cut network computes what the layer does inside the whole", {
    model <- read_model(fixture_path("deepg", "flatten.h5"))
    layers <- model_layers(model)
    expect_true(all(c("layer", "class", "output", "parameters") %in% names(layers)))
    x <- array(sin(1:(2 * prod(model@inputs[[1]]))), c(2, model@inputs[[1]]))
    for (layer in layers$layer[-1]) {
        inner <- cut_model(model, layer)
        expect_identical(names(inner@outputs), layer)
        values <- predict(inner, x)
        file <- write_model(inner, tempfile(fileext = ".h5"))
        expect_identical(predict(read_model(file), x), values, label = layer)
        expect_identical(predict(cut_model(read_model(file), layer), x), values)
        unlink(file)
    }
    expect_identical(predict(cut_model(model, utils::tail(layers$layer, 1)), x), predict(model, x))
})

test_that("the gradient of an inner unit is its difference", {
    model <- read_model(fixture_path("deepg", "flatten.h5"))
    inner <- cut_model(model, grep("^dense", model_layers(model)$layer, value = TRUE)[1])
    x <- array(sin(1:prod(model@inputs[[1]])) + 1.1, c(1, model@inputs[[1]]))
    unit <- which.max(predict(inner, x))
    gradient <- attribution(inner, x, method = "gradient", target = unit)
    step <- array(cos(seq_along(x)), dim(x)) * 1e-3
    difference <- predict(inner, x + step)[unit] - predict(inner, x - step)[unit]
    expect_equal(sum(gradient * step) * 2, difference, tolerance = 1e-2)         # float32 outputs, a small step
})

test_that("layers inside models can be cut at, but not written", {
    model <- read_model(fixture_path("containers", "keras2.h5"))
    inner <- cut_model(model, "features/pool")
    x <- lapply(1:2, function(k) array(sin(k * 1:120), c(1, 30, 4)))
    expect_identical(dim(predict(inner, x)), c(1L, 10L, 5L))
    expect_error(write_model(inner, tempfile(fileext = ".h5")), class = "nucleograd_error_unsupported")
    expect_error(cut_model(model, "nowhere"), class = "nucleograd_error_argument")
    both <- cut_model(model, "both")
    file <- write_model(both, tempfile(fileext = ".keras"))
    on.exit(unlink(file))
    expect_identical(predict(read_model(file), x), predict(both, x))
})
