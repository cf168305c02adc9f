# Public architectures: their published sizes, and that they run.

parameters <- function(name) as.numeric(sum(summary(example_architecture(name))$parameters))

test_that("genome-scale and window models have the published numbers of parameters", {
    expect_identical(vapply(c("sporulation", "pathogenicity", "cell_size", "cell_morphology", "window", "recurrent_window"), parameters, 0),
                     c(sporulation = 3553985, pathogenicity = 5553089, cell_size = 5553860, cell_morphology = 23353809, window = 88546,
                       recurrent_window = 802452))
})

test_that("the twelve best configurations of GenomeNet-Architect do", {
    expect_identical(vapply(paste0("architect_", 1:12), parameters, 0, USE.NAMES = FALSE),
                     c(2675616, 3471893, 3305341, 8050761, 1606250, 2845369, 1367073, 714802, 695248, 3704628, 175426, 826593))
})

conv_parameters <- function(taps, from, to) taps * from * to + to
lstm_parameters <- function(from, to) 4 * to * (from + to + 1)
dense_parameters <- function(from, to) from * to + to
transformer_parameters <- function(rows, tokens, channels, blocks, heads, head_size, inner) {
    attention <- 3 * dense_parameters(channels, heads * head_size) + dense_parameters(heads * head_size, channels)
    (rows + tokens) * channels + blocks * (attention + dense_parameters(channels, inner) + dense_parameters(inner, channels) + 4 * channels)
}

test_that("networks without published sizes have those of their geometry", {
    filters <- c(4, 32, 64, 128, 256)
    trunk <- sum(conv_parameters(12, filters[1:4], filters[2:5]) + 4 * filters[2:5])
    widths <- c(4, 11, 6, 3, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1)
    expect_identical(parameters("phenotype_set"), trunk + dense_parameters(256, 256) + sum(dense_parameters(256, widths)))
    expect_length(example_architecture("phenotype_set")@outputs, 14)
    tower <- conv_parameters(12, 4, 64) + 4 * 64 + lstm_parameters(64, 80)
    expect_identical(parameters("language_model"), 2 * tower + dense_parameters(160, 4))
    pair <- conv_parameters(12, 4, 32) + 4 * 32 + conv_parameters(12, 32, 64) + 4 * 64
    expect_identical(parameters("crispr"), pair + dense_parameters(12 * 64, 28) + dense_parameters(28, 2))
    expect_identical(parameters("crispr_bases"), pair + 2 * lstm_parameters(64, 64) + dense_parameters(128, 2))
    expect_identical(parameters("legacy"), lstm_parameters(6, 64) + 3 * lstm_parameters(64, 64) + dense_parameters(64, 6))
    answers <- function(channels) dense_parameters(channels, 256) + dense_parameters(256, 6)
    expect_identical(transformer_parameters(1000, 6, 650, 18, 20, 200, 1950) + answers(650), 233973398)          # the published one
    expect_identical(parameters("bert"), transformer_parameters(1000, 6, 32, 2, 4, 8, 96) + answers(32))
})

test_that("they run, and are read again from what is written of them", {
    inputs <- list(language_model = list(array(sin(1:1000), c(1, 250, 4)), array(cos(1:1000), c(1, 250, 4))),
                   bert = matrix(rep_len(c(1, 3, 2, 4, 4, 1, 5), 1000), 1), crispr = array(sin(1:800), c(1, 200, 4)),
                   crispr_bases = array(cos(1:800), c(1, 200, 4)), legacy = array(sin(1:600), c(1, 100, 6)))
    for (name in names(inputs)) {
        model <- example_architecture(name)
        answer <- predict(model, inputs[[name]])
        expect_true(all(is.finite(answer)))
        expect_equal(range(rowSums(answer, dims = length(dim(answer)) - 1)), c(1, 1), tolerance = 1e-6)
        for (kind in c(".h5", ".keras")) expect_identical(predict(read_model(write_model(model, new_file(kind))), inputs[[name]]), answer)
    }
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
