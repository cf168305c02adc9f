# Two heads over one trunk: a softmax of three and one number.
two_heads <- function() {
    network <- toy_network(c(NA, 4), conv(random_array(c(6, 4, 16), 1), random_array(16, 2)), activation("relu"), max_pool(4),
                           conv(random_array(c(5, 16, 16), 3) / 4, random_array(16, 4)), activation("relu"),
                           toy_layer("GlobalAveragePooling1D", data_format = "channels_last", keepdims = FALSE),
                           dense(random_array(c(16, 3), 5)), activation("softmax"),
                           toy_layer("Dense", units = 1, weights = list(random_array(c(16, 1), 6), 0.5), from = 7))
    network$outputs <- c(class = 9L, amount = 10L)
    model_from(network)
}
genome_of_targets <- function() {
    genome <- random_genome(700, 450, seed = 3)
    genome[[1]] <- Biostrings::replaceAt(genome[[1]], IRanges::IRanges(200, 215), strrep("N", 16))
    genome
}

expect_same_attribution <- function(together, alone) {
    expect_equal(together@scores, alone@scores, tolerance = 1e-6)
    expect_equal(together@errors, alone@errors, tolerance = 1e-6)
    expect_equal(as.data.frame(together@windows), as.data.frame(alone@windows), tolerance = 1e-5)
    expect_equal(together@settings, alone@settings, tolerance = 1e-5)
}

test_that("several targets of a genome are what each of them is alone", {
    model <- two_heads()
    genome <- genome_of_targets()
    targets <- function(...) attribution(model, genome, ..., nodes = 7, window = 300, step = 120, seed = 1)
    for (settings in list(list(), list(baseline = "dinucleotide", replicates = 2), list(method = "gradient", strand = "both"), list(output = "probability"), list(tolerance = 0.1))) {
        together <- do.call(targets, c(settings, list(target = c(4, 2))))
        expect_named(together, c("amount", "class_2"))
        for (k in 1:2) expect_same_attribution(together[[k]], do.call(targets, c(settings, list(target = c(4, 2)[k]))))
    }
    expect_named(targets(target = "all"), names(predict(model, genome, window = 300)@elementMetadata))
})

test_that("several targets of arrays are", {
    x <- array(random_array(c(3, 80, 4), 8), c(3, 80, 4))
    together <- attribution(two_heads(), x, target = "all", nodes = 7)
    expect_length(together, 4)
    for (k in 1:4) expect_equal(together[[k]], attribution(two_heads(), x, target = k, nodes = 7), tolerance = 1e-6)
    adaptive <- attribution(two_heads(), x, target = 3:4, tolerance = 0.1)
    for (k in 1:2) expect_equal(adaptive[[k]], attribution(two_heads(), x, target = k + 2, tolerance = 0.1), tolerance = 1e-6)
})

test_that("threads and memory change no bit of them", {
    run <- function(...) lapply(attribution(two_heads(), genome_of_targets(), target = c(1, 4), nodes = 7, ...), function(one) one@scores)
    expected <- run()
    expect_identical(run(threads = 1), expected)
    needed <- as.numeric(gsub(".*memory_bytes = ([0-9.e+]+)`.*", "\\1", conditionMessage(tryCatch(run(memory_bytes = 1e4), error = identity))))
    expect_identical(run(memory_bytes = needed), expected)
})

test_that("targets that are none are refused", {
    for (target in list(5, 0, c(1, 1), numeric(), "class", NULL, c(1, NA)))
        expect_error(attribution(two_heads(), genome_of_targets(), target = target), "target", class = "nucleograd_error_argument")
})
