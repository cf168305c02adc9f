# Networks that were read: how they print, what they know of themselves, and what is refused. Files themselves: test-keras.R.

benchmarks <- new.env()
sys.source(system.file("benchmarks", "architectures.R", package = "nucleograd"), benchmarks)

test_that("a model prints its size, inputs, outputs and receptive field", {
    expect_snapshot({
        read_model(fixture_path("deepg", "flatten.h5"))
        read_model(fixture_path("deepg", "average.h5"))
        read_model(fixture_path("deepg", "target_middle.h5"))
        read_model(fixture_path("stacks", "residual.h5"))
    })
})

test_that("a summary has a row for each layer", {
    expect_snapshot({
        summary(read_model(fixture_path("deepg", "flatten.h5")))
        summary(read_model(fixture_path("stacks", "residual.h5")))
    })
})

test_that("the sporulation network sees 141,987 bp at each of its 61 positions", {
    model <- benchmarks$sporulation_network()
    layers <- summary(model)
    expect_identical(sum(layers$parameters), 3553985)
    expect_identical(max(layers$receptive_field, na.rm = TRUE), 141987)
    expect_identical(max(layers$stride, na.rm = TRUE), 16384)
    trunk <- layers[layers$layer == "max_pooling1d_7", ]
    expect_identical(trunk$output, "(61, 256)")
    expect_identical(c(trunk$receptive_field, trunk$stride), c(141987, 16384))
})

test_that("the window network has 88,546 parameters", {
    expect_identical(sum(summary(benchmarks$window_network())$parameters), 88546)
})

test_that("the receptive field is what a changed base can reach", {
    network <- toy_network(c(120, 4), conv(random_array(c(4, 4, 3), 81)), activation("tanh"), max_pool(3, 2),
                           toy_layer("Conv1D", filters = 2, kernel_size = 3, strides = 1, dilation_rate = 2, padding = "valid",
                                     weights = list(random_array(c(3, 3, 2), 82), numeric(2))),
                           toy_layer("AveragePooling1D", pool_size = 2, strides = 2, padding = "valid"))
    layers <- summary(model_from(network))
    x <- one_hot(random_genome(120)[[1]])
    output <- length(network$nodes)
    rows <- nrow(naive_run(network, list(x))[[output]]$y)
    # positions whose letters can matter for a row: all that any of the paths through pools reaches
    reach <- function(row) {
        first <- last <- row
        for (geometry in list(c(2, 2, 1, 0), c(3, 1, 2, 0), c(3, 2, 1, 0), c(4, 1, 1, 1))) {
            first <- (first - 1) * geometry[2] + 1 - geometry[4]
            last <- (last - 1) * geometry[2] + 1 + (geometry[1] - 1) * geometry[3] - geometry[4]
        }
        c(first, last)
    }
    middle <- rows %/% 2
    expect_identical(layers$receptive_field[output], diff(reach(middle)) + 1)
    expect_identical(layers$stride[output], reach(middle + 1)[1] - reach(middle)[1])
    cotangent <- as.vector(t(`[<-`(matrix(0, rows, 2), middle, , c(1, 2))))
    touched <- which(rowSums(abs(naive_gradient(network, naive_run(network, list(x)), output, cotangent)[[1]])) > 0)
    expect_true(all(touched >= reach(middle)[1] & touched <= reach(middle)[2]))
})

test_that("a file that is no model is an error that names it", {
    text <- file.path(tempdir(), "notes.h5")
    writeLines("no model", text)
    whole <- readBin(fixture_path("deepg", "flatten.h5"), "raw", 1e6)
    cut <- file.path(tempdir(), "half.h5")
    writeBin(whole[seq_len(length(whole) / 2)], cut)
    on.exit(unlink(c(text, cut)))
    expect_snapshot(error = TRUE, {
        read_model("nowhere.h5")
        read_model(3)
        read_model(text)
        read_model(cut)
    })
    expect_error(read_model(tempdir()), class = "nucleograd_error_file")
    expect_error(read_model("nowhere.h5"), class = "nucleograd_error_file")
    expect_error(read_model(text), class = "nucleograd_error_model_file")
    expect_error(read_model(cut), class = "nucleograd_error_model_file")
    expect_error(read_model(fixture_path("deepg", "flatten.h5"), architecture = text), class = "nucleograd_error_model_file")
})

test_that("what the core refuses names the layer and both shapes", {
    expect_snapshot(error = TRUE, {
        model_from(toy_network(c(7, 4), conv(random_array(c(3, 5, 2), 1))))
        model_from(toy_network(c(7, 4), flatten(), dense(matrix(0, 27, 1))))
        model_from(toy_network(c(7, 4), flatten(), dense(matrix(c(1, NaN), 28, 1))))
        model_from(toy_network(c(7, 4), flatten(), dense(matrix(c(1, -Inf), 28, 1))))
        model_from(toy_network(c(2, 4), conv(random_array(c(3, 4, 2), 1), padding = "valid")))
        model_from(toy_network(c(7, 4), conv(random_array(c(3, 4, 2), 1)), toy_layer("Add", from = c(1, 2))))
        model_from(toy_network(c(7, 4), activation("cosine")))
    })
})

test_that("a model that was saved with a session says how to get it back", {
    model <- read_model(fixture_path("deepg", "flatten.h5"))
    file <- tempfile(fileext = ".rds")
    on.exit(unlink(file))
    saveRDS(model, file)
    restored <- readRDS(file)
    expect_output(print(restored), "1,677 parameters")
    expect_identical(summary(restored), summary(model))
    genome <- random_genome(60)
    for (verb in list(predict, attribution)) expect_error(verb(restored, genome), "read_model", class = "nucleograd_error_model")
})

test_that("two models live side by side, and one outlives the other", {
    genome <- random_genome(60)
    one <- read_model(fixture_path("deepg", "flatten.h5"))
    other <- read_model(fixture_path("deepg", "lstm.h5"))
    before <- predict(other, genome)
    rm(one)
    gc()
    expect_identical(predict(other, genome), before)
})
