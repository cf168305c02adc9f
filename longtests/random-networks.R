# longtests/random-networks.R [networks]: random convolutional networks. Whatever the plan chooses (prefixes, stages, kernels), scores
# have the same bits in any tiling and the values of the layer files alone.
#     R_LIBS=build/library Rscript longtests/random-networks.R 400
suppressMessages({ library(nucleograd); library(testthat) })
toys <- new.env(parent = asNamespace("nucleograd"))
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "..", "tests", "testthat", "helper-naive.R"), local = toys)
options(cli.progress_show_after = Inf)
networks <- as.integer(c(commandArgs(TRUE), 200)[1])

uniform <- function(...) array(stats::runif(prod(...), -1, 1), ...)
random_conv <- function(taps, channels, filters)
    toys$conv(uniform(c(taps, channels, filters)) / sqrt(taps * channels / 2), stats::runif(filters, -0.1, 0.1))
batch_norm <- function(channels)
    toys$toy_layer("BatchNormalization", axis = -1, epsilon = 1e-3, scale = TRUE, center = TRUE,
                   weights = list(uniform(channels), uniform(channels), uniform(channels), uniform(channels) + 1.5))

random_network <- function(length_bp) {
    channels <- 4
    rows <- length_bp
    layers <- list()
    add <- function(...) layers <<- c(layers, list(...))
    for (kind in sample(c("conv", "conv", "conv", "relu", "norm", "pool", "padding", "residual"), sample(2:6, 1), replace = TRUE)) {
        if (kind == "conv") {
            filters <- sample(c(8, 16, 32), 1)
            add(random_conv(sample(c(1, 5, 12, 24), 1), channels, filters))
            channels <- filters
        } else if (kind == "pool" && rows > 8) {
            size <- sample(2:4, 1)
            stride <- sample(size, 1)
            add(toys$max_pool(size, stride))
            rows <- (rows - size) %/% stride + 1
        } else if (kind == "residual") {
            before <- length(layers) + 1
            add(random_conv(sample(c(5, 24), 1), channels, channels), toys$activation("relu"), toys$toy_layer("Add", from = c(before, before + 2)))
        } else if (kind == "padding") {
            add(toys$toy_layer("ZeroPadding1D", padding = c(3, 2)))
            rows <- rows + 5
        } else if (kind == "relu") add(toys$activation("relu"))
        else if (kind == "norm") add(batch_norm(channels))
    }
    add(toys$toy_layer("GlobalAveragePooling1D", data_format = "channels_last", keepdims = FALSE), toys$dense(uniform(c(channels, 1))))
    toys$model_from(do.call(toys$toy_network, c(list(c(length_bp, 4)), layers)))
}

failed <- 0
for (seed in seq_len(networks)) {
    set.seed(seed)
    length_bp <- sample(1500:4000, 1)
    model <- random_network(length_bp)
    genome <- toys$random_genome(length_bp, seed = seed)
    run <- function(tile_bytes, plain = FALSE, threads = 2) {
        options(nucleograd.tile_bytes = tile_bytes, nucleograd.plain = plain)
        attribution(model, genome, nodes = 2, threads = threads)@scores[[1]]
    }
    whole <- run(5e7, threads = 1)
    same_bits <- identical(run(5000), whole) && identical(run(60000), whole)
    # the median: a value behind a near-tie of ReLU or a pool may take its other side
    near <- stats::median(abs(whole - run(5e7, plain = TRUE))) <= 1e-6 * max(abs(whole))
    if (!same_bits || !near) cat("network", seed, "of", length_bp, "bp:", if (!same_bits) "bits depend on tiles" else "values differ", "\n")
    failed <- failed + !(same_bits && near)
}
cat(networks - failed, "passed,", failed, "failed, 0 skipped\n")
quit(status = min(failed, 1))
