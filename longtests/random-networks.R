# longtests/random-networks.R [networks]: random convolutional networks. Whatever the plan chooses (prefixes, stages, kernels), scores
# have the same bits in any tiling and the values of the layer files alone; and what is computed of a changed sequence by cones has the
# values of predictions of changed genomes.
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

# The largest difference between knock-outs, substitutions and variants, and predictions of the genomes that they make; relative to values.
worst_change <- function(model, genome) {
    length_bp <- Biostrings::width(genome)
    letters <- strsplit(as.character(genome[[1]]), "")[[1]]
    value <- function(letters) {
        changed <- Biostrings::DNAStringSet(c(contig_1 = paste(letters, collapse = "")))
        S4Vectors::mcols(predict(model, changed))[[1]]
    }
    start <- c(1, sample(length_bp, 3), length_bp - 20)
    end <- pmin(start + sample(c(0, 5, 20, 300), 5, replace = TRUE), length_bp)
    regions <- GenomicRanges::GRanges("contig_1", IRanges::IRanges(start, end))
    ref <- substring(paste(letters, collapse = ""), start, end)
    alt <- vapply(nchar(ref), function(width) paste(sample(c("A", "C", "G", "T", "N"), width, replace = TRUE), collapse = ""), "")
    variants <- data.frame(contig = "contig_1", position = start, ref = ref, alt = alt)
    found <- variant_effect(model, genome, variants)$changed
    expected <- mapply(function(position, alt) value(replace(letters, position - 1 + seq_len(nchar(alt)), strsplit(alt, "")[[1]])),
                       variants$position, variants$alt)
    mutants <- mutagenesis(model, genome, regions[3:4])
    places <- as.matrix(mutants)[1:2, ]
    prediction <- value(letters)
    of_mutants <- vapply(rownames(places), function(position) vapply(colnames(places), function(base)
        value(replace(letters, as.numeric(position), base)) - prediction, 0), numeric(4))
    holes <- knockout(model, genome, regions, "zero")$changed
    of_holes <- mapply(function(from, to) value(replace(letters, from:to, "N")), start, end)
    max(abs(c(found - expected, t(places) - of_mutants, holes - of_holes))) / max(1, abs(prediction))
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
    changes <- suppressWarnings(worst_change(model, genome)) <= 1e-5
    if (!same_bits || !near || !changes)
        cat("network", seed, "of", length_bp, "bp:", if (!same_bits) "bits depend on tiles" else if (!near) "values differ" else "changes differ", "\n")
    failed <- failed + !(same_bits && near && changes)
}
cat(networks - failed, "passed,", failed, "failed, 0 skipped\n")
quit(status = min(failed, 1))
