weights_of <- function(model) lapply(1:22, function(slot) .Call(nucleograd:::C_weight, model@pointer, slot))
model <- example_model()
before <- weights_of(model)

test_that("only the layers that are named get new weights, of the same size", {
    expect_identical(weights_of(randomise_model(model, 0)), before)
    drawn <- weights_of(randomise_model(model, c("dense", "batch_normalization"), seed = 3))
    changed <- !mapply(identical, drawn, before)
    expect_identical(which(changed), c(3:6, 19:20))                                     # batch norm: four vectors; dense: kernel, bias
    for (slot in 3:6) expect_identical(sort(drawn[[slot]]), sort(before[[slot]]))
    kernel <- as.numeric(drawn[[19]])
    expect_lt(abs(mean(kernel)), 5 * sd(kernel) / sqrt(length(kernel)))
    expect_lt(abs(sqrt(mean(kernel^2)) / sqrt(mean(before[[19]]^2)) - 1), 0.1)
    expect_gt(shapiro.test(kernel)$p.value, 0.001)
    expect_identical(weights_of(model), before)
})

test_that("a layer gets the same weights whatever goes with it, and others from another seed", {
    top <- weights_of(randomise_model(model, 2, seed = 5))
    all <- weights_of(randomise_model(model, seed = 5))
    expect_identical(top[19:22], all[19:22])
    expect_identical(top[1:18], before[1:18])
    expect_false(identical(weights_of(randomise_model(model, 2, seed = 6))[[19]], top[[19]]))
})

test_that("a network without its last layers' knowledge can be run, cut, read for motifs and written", {
    drawn <- randomise_model(model, seed = 1)
    windows <- Biostrings::subseq(example_genome(), 853001, 855000)
    expect_false(isTRUE(all.equal(predict(drawn, windows)$rrna16s, predict(model, windows)$rrna16s)))
    expect_false(identical(filter_motifs(drawn), filter_motifs(model)))
    inner <- randomise_model(cut_model(model, "dense"), "conv1d", seed = 1)
    expect_equal(predict(inner, windows)[1]$dense_1, predict(cut_model(randomise_model(model, "conv1d", seed = 1), "dense"), windows)[1]$dense_1)
    expect_error(randomise_model(model, "max_pooling1d"), "max_pooling1d", class = "nucleograd_error_argument")
    expect_error(randomise_model(model, 9), "from 0 to 8", class = "nucleograd_error_argument")
    skip_if_not_installed("rhdf5")
    file <- write_model(drawn, new_file(".h5"))
    expect_identical(weights_of(read_model(file)), weights_of(drawn))
})
