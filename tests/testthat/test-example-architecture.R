# Public architectures: their published sizes, and that they run.

parameters <- function(name) sum(summary(example_architecture(name))$parameters)

test_that("genome-scale and window models have the published numbers of parameters", {
    expect_identical(vapply(c("sporulation", "pathogenicity", "cell_size", "cell_morphology", "window", "recurrent_window"), parameters, 0),
                     c(sporulation = 3553985, pathogenicity = 5553089, cell_size = 5553860, cell_morphology = 23353809, window = 88546,
                       recurrent_window = 802452))
})

test_that("the twelve best configurations of GenomeNet-Architect do", {
    expect_identical(vapply(paste0("architect_", 1:12), parameters, 0, USE.NAMES = FALSE),
                     c(2675616, 3471893, 3305341, 8050761, 1606250, 2845369, 1367073, 714802, 695248, 3704628, 175426, 826593))
})

test_that("weights depend on the seed alone, and R's generator stays", {
    set.seed(5)
    before <- .Random.seed
    x <- array(sin(1:2000), c(1, 500, 4))
    one <- predict(example_architecture("window"), x)
    expect_identical(predict(example_architecture("window", seed = 1), x), one)
    expect_false(identical(predict(example_architecture("window", seed = 2), x), one))
    expect_identical(.Random.seed, before)
    expect_error(example_architecture("unknown"), class = "nucleograd_error_argument")
})

test_that("both strands are read over the same weights", {
    model <- example_architecture("architect_5")
    x <- array(cos(1:600), c(1, 150, 4))
    y <- array(sin(1:600), c(1, 150, 4))
    expect_equal(predict(model, list(x, y)), predict(model, list(y, x)), tolerance = 1e-6)
    file <- write_model(model, tempfile(fileext = ".h5"))
    on.exit(unlink(file))
    expect_identical(predict(read_model(file), list(x, y)), predict(model, list(x, y)))
})
