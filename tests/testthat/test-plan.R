toy <- function(length_bp = 2000) {
    model_from(toy_network(c(NA, 4), conv(random_array(c(24, 4, 16), 1), random_array(16, 2)), activation("relu"), max_pool(4),
                           conv(random_array(c(24, 16, 16), 3) / 8, random_array(16, 4)), activation("relu"), max_pool(2),
                           toy_layer("GlobalAveragePooling1D", data_format = "channels_last", keepdims = FALSE),
                           dense(random_array(c(16, 1), 5)), activation("sigmoid")))
}
genome <- random_genome(c(2000, 30000), seed = 1)
scores <- function(...) attribution(toy(), genome, nodes = 10, ...)@scores
enough <- function(expr) as.numeric(gsub(".*memory_bytes = ([0-9.e+]+)`.*", "\\1", conditionMessage(tryCatch(expr, error = identity))))

test_that("a plan says what each layer does and takes", {
    ahead <- plan(toy(), genome, nodes = 10)
    layers <- as.data.frame(ahead)
    expect_equal(ahead@settings[c("windows", "window", "nodes")], list(windows = 2L, window = 30000, nodes = 10))
    first <- layers[layers$class == "Conv1D", ][1, ]
    expect_equal(first$part, "once")
    expect_equal(first$algorithm, "table look-up")
    expect_equal(first$shape, "(30,000, 16)")
    expect_equal(layers$part[layers$class == "Dense"], "whole")
    expect_true(all(layers$operations[layers$class %in% c("Conv1D", "Dense")] > 0))
    expect_gt(ahead@settings$seconds, 0)
    expect_equal(ahead@settings$operations, sum(layers$operations))
    expect_equal(ahead@settings$result_bytes, 32 * 32000)
    expect_output(show(ahead), "Plan of integrated gradients of toy: 2 windows of up to 30,000 bp, 10 nodes")
    expect_output(show(ahead), "memory .* while it runs .at most 1 GB allowed., 1.02 MB of result")
})

test_that("a direct convolution counts two operations a weight and row, forward for all nodes and both ends, back for all nodes", {
    model <- model_from(toy_network(c(100, 4), activation("relu"), conv(random_array(c(3, 4, 5), 1)), flatten(), dense(random_array(c(500, 1), 2))))
    layers <- as.data.frame(plan(model, random_genome(250, seed = 1), nodes = 7))       # three windows, the last one aligned to the end
    expect_equal(layers$operations[layers$class == "Conv1D"], 3 * 16 * 2 * 100 * 3 * 4 * 5)
    expect_equal(layers$operations[layers$class == "Dense"], 3 * 16 * 2 * 500)
    layers <- as.data.frame(plan(model, random_genome(250, seed = 1), method = "predict"))
    expect_equal(layers$operations[layers$class == "Conv1D"], 3 * 2 * 100 * 3 * 4 * 5)
})

test_that("strands, copies, targets and methods count", {
    model <- model_from(toy_network(c(100, 4), activation("relu"), conv(random_array(c(3, 4, 5), 1)), flatten(), dense(random_array(c(500, 2), 2))))
    windows <- random_genome(250, seed = 1)                                             # three of them
    ways <- function(...) {
        layers <- as.data.frame(plan(model, windows, ...))
        layers$operations[layers$class == "Conv1D"] / (3 * 2 * 100 * 3 * 4 * 5)
    }
    expect_equal(ways(nodes = 7, strand = "both"), 2 * 16)
    expect_equal(ways(nodes = 7, target = 1:2), 16 + 7)
    expect_equal(ways(nodes = 7, baseline = "dinucleotide", replicates = 4), 4 * 16)
    expect_equal(ways(method = "expected", nodes = 7), 7 * 4)
    expect_equal(ways(method = "smoothgrad", replicates = 6), 6 * 3)
    expect_equal(ways(method = "deeplift"), ways(method = "deepshap", replicates = 5) / 5)
    expect_gt(ways(method = "saliency"), 3)                                             # and the gradient is checked
    expect_error(plan(model, windows, method = "lime"), class = "nucleograd_error_argument")
})

test_that("windows that share work take less than they would by themselves", {
    model <- model_from(toy_network(c(200, 4), conv(random_array(c(5, 4, 16), 1)), activation("relu"), conv(random_array(c(5, 16, 16), 2)), flatten(),
                                    dense(random_array(c(3200, 1), 3))))
    for (method in c("predict", "ig")) {
        plans <- lapply(c(10, 199, 200), function(step) plan(model, random_genome(2200, seed = 1), method = method, nodes = 5, step = step))
        operations <- vapply(plans, function(one) one@settings$operations, 0)
        expect_lt(operations[1], 0.5 * 201 * operations[3] / 11)
        expect_gt(operations[1], operations[3])
        words <- lapply(plans, function(one) capture.output(show(one)))
        expect_match(words[[1]], "windows share layers", all = FALSE)
        expect_match(words[[2]], "windows share no layer", all = FALSE)
        expect_no_match(words[[3]], "share")
    }
    drawn <- plan(model, random_genome(2200, seed = 1), baseline = "shuffle", nodes = 5, step = 10)
    expect_match(capture.output(show(drawn)), "a baseline of its own", all = FALSE)
    ahead <- function(bytes, threads) plan(model, random_genome(2200, seed = 1), nodes = 5, step = 10, threads = threads, memory_bytes = bytes)@settings
    scores <- function(bytes, threads = 1) attribution(model, random_genome(2200, seed = 1), nodes = 5, step = 10, threads = threads, memory_bytes = bytes)@scores[[1]]
    most <- ahead(1e9, 1)$core_bytes                                              # what the run takes that shares
    short <- ahead(0.9 * most, 1)
    expect_match(short$overlap, "more memory than is allowed")
    expect_lte(short$core_bytes, 0.9 * most)
    expect_equal(scores(0.9 * most), scores(1e9), tolerance = 1e-5)
    both <- ahead(1e9, 2)$core_bytes                                              # fewer threads share where there is less: the same bits
    expect_match(ahead(0.9 * both, 2)$overlap, "windows share layers")
    expect_identical(scores(0.9 * both, 2), scores(1e9))
})

test_that("a plan with a baseline that is drawn holds the memory of its run", {
    clear <- random_genome(60000, seed = 2)
    core_bytes <- function(...) plan(toy(), clear, nodes = 3, ...)@settings$core_bytes
    apart <- 60000 / 4                                      # windows of 4 rows that keep their rows, four of 16 channels
    expect_lte(abs(core_bytes(baseline = "shuffle", replicates = 1) - core_bytes() - apart * 4 * 16 * 4), 0.05 * apart * 4 * 16 * 4)
    expect_error(attribution(toy(), clear, nodes = 3, baseline = "shuffle", memory_bytes = core_bytes()), class = "nucleograd_error_memory")
})

test_that("a run keeps to its limit and gives the same bits, or asks for what it needs before it starts", {
    expected <- scores()
    needed <- enough(scores(memory_bytes = 1e5))
    for (limit in needed * c(1, 1.1, 1.3, 2, 10)) {
        expect_lte(plan(toy(), genome, nodes = 10, memory_bytes = limit)@settings$core_bytes, limit)
        expect_identical(scores(memory_bytes = limit), expected)
    }
    expect_error(scores(memory_bytes = 0.5 * needed), class = "nucleograd_error_memory")
    predicted <- predict(toy(), genome)
    needed <- enough(predict(toy(), genome, memory_bytes = 1e4))
    expect_identical(predict(toy(), genome, memory_bytes = needed), predicted)
    expect_error(predict(toy(), genome, memory_bytes = 0.5 * needed), class = "nucleograd_error_memory")
})

test_that("ten million bases leave a third of the default memory to R where a network pools over all of them", {
    step <- function(filters) list(nucleograd::conv(filters, 24), nucleograd::pool(4), nucleograd::batch_norm())
    layers <- do.call(c, lapply(c(32, 32, 64, 64, 128, 128, 256), step))
    model <- do.call(sequence_network, c(list(1e7), layers, list(nucleograd::global_pool("average"), nucleograd::dense(1), seed = 1)))
    long <- Biostrings::DNAStringSet(c(contig = strrep("ACGT", 2.5e6)))
    expect_lte(plan(model, long, nodes = 8, threads = 2, memory_bytes = 1e9)@settings$core_bytes, 6.6e8)
})

test_that("windows beside ambiguous bases take memory of their own, wherever they are", {
    clear <- random_genome(60000, seed = 2)
    ambiguous <- Biostrings::replaceAt(clear, IRanges::IRanges(c(22001, 45001), c(38000, 45003)), c(strrep("N", 16000), "NRY"))
    core_bytes <- function(genome, ...) plan(toy(), genome, nodes = 3, ...)@settings$core_bytes
    more <- core_bytes(ambiguous) - core_bytes(clear)
    apart <- (38000 - 22000) / 4 + 2 * 5 + 7                # windows of 4 rows that read them through 24 taps
    expect_lte(abs(more - apart * 4 * 16 * 4), 20 * 4 * 16 * 4)
    run <- function(...) attribution(toy(), ambiguous, nodes = 3, ...)@scores
    for (window in c(60000, 20000)) {
        expected <- run(window = window)
        expect_identical(run(window = window, memory_bytes = enough(run(window = window, memory_bytes = 1e5))), expected)
    }
})

test_that("errors of memory say what was given and what is enough", {
    expect_error(scores(memory_bytes = 1e5), "memory_bytes. must be at least .* MB. for this model and genome")
    expect_error(scores(memory_bytes = 1e5), "It is 1e.05 .100 kB.")
    expect_error(scores(memory_bytes = -1), "must be one positive number of bytes, not -1", class = "nucleograd_error_argument")
    expect_error(plan(toy(), genome, memory_bytes = "1 GB"), "must be one positive number", class = "nucleograd_error_argument")
    before <- options(nucleograd.memory_bytes = 1e5)
    on.exit(options(before))
    expect_error(scores(), class = "nucleograd_error_memory")
    expect_length(scores(memory_bytes = 1e9), 2)
})
