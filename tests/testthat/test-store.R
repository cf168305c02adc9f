# What is made from a model's weights is kept for the next call, and changes nothing.

# A network whose second convolution runs in the frequency domain; its weights are those of a seed.
network <- function(seed) model_from(toy_network(
    c(NA, 4), conv(random_array(c(24, 4, 16), seed) / 4, random_array(16, seed + 100)), activation("relu"), max_pool(2),
    conv(random_array(c(24, 16, 16), seed + 200) / 8), activation("relu"), toy_layer("GlobalAveragePooling1D"), dense(random_array(c(16, 1), seed))))
explain <- function(model, ...) attribution(model, genome, nodes = 4, ...)@scores[[1]]
set.seed(1)
genome <- Biostrings::DNAStringSet(c(contig = paste(sample(c("A", "C", "G", "T"), 3000, replace = TRUE), collapse = "")))

test_that("calls of one model or several in any order give the same bits", {
    one <- network(1)
    other <- network(2)
    expected <- explain(one)
    expected_other <- explain(other)
    expect_false(identical(expected, expected_other))
    expect_identical(explain(one), expected)
    expect_identical(explain(one), expected)
    predicted <- predict(one, genome)
    expect_identical(explain(one, memory_bytes = 2e7), expected)
    expect_identical(explain(network(1)), expected)
    expect_identical(explain(other), expected_other)
    expect_identical(predict(one, genome), predicted)
})

test_that("a call within a call, of this model or another, does no harm", {
    one <- network(1)
    expected <- explain(one)
    expected_other <- explain(network(2))
    x <- array(0, c(1, 3000, 4))
    x[cbind(1, seq_len(3000), match(strsplit(as.character(genome[[1]]), "")[[1]], c("A", "C", "G", "T")))] <- 1
    found <- list()
    run <- nucleograd:::run_settings(NULL)
    run[[3]] <- function(done) {
        found <<- c(found, list(explain(one), explain(network(2))))
        gc()
    }
    expect_identical(nucleograd:::predict_arrays(one, x, run, environment()), predict(one, x))
    expect_identical(found[1:2], list(expected, expected_other))
    expect_identical(explain(one), expected)
})
