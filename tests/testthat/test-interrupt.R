# A run may end at any poll: by an error or a jump in the progress function, a time limit, Ctrl-C. What R jumps to is R's own; the
# core has freed its memory by then, and the next call computes the same bits.

network <- toy_network(c(30, 4), conv(random_array(c(5, 4, 6), 71)), activation("relu"), max_pool(2), flatten(),
                       dense(random_array(c(90, 3), 72)), activation("softmax"))
model <- model_from(network)
samples <- 2000
arrays <- array(random_array(samples * 120, 73), c(samples, 30, 4))
numbers <- nucleograd:::row_major(arrays)

run_with <- function(progress, threads = 1) {
    run <- nucleograd:::run_settings(threads)
    run[[3]] <- progress
    run
}

predict_with <- function(progress, threads = 1) {
    .Call(nucleograd:::C_predict_arrays, model@pointer, model@settings$output_nodes, 3, list(numbers), list(c(30, 4)),
          samples, run_with(progress, threads), environment())
}

# Long enough that nobody waits for its end.
attribute_with <- function(progress, threads = 1) {
    path <- list((seq_len(1e5) - 0.5) / 1e5, rep(1e-5, 1e5), TRUE)
    .Call(nucleograd:::C_attribute_arrays, model@pointer, model@settings$output_nodes, list(list(c(1, 0, 0))), list(numbers),
          list(c(30, 4)), samples, list(rep(0.25, 120)), path, run_with(progress, threads), environment())
}

expected <- predict(model, arrays)
expect_as_before <- function() expect_identical(predict(model, arrays), expected)
signal_stop <- function(done) stop(structure(class = c("test_stop", "error", "condition"), list(message = "no more", call = NULL)))

test_that("progress is told, up to 1", {
    told <- numeric()
    predict_with(function(done) told <<- c(told, done))
    expect_identical(told[length(told)], 1)
    expect_false(is.unsorted(told))
    expect_true(all(told > 0 & told <= 1))
})

test_that("an error in the progress function arrives as it was thrown", {
    for (threads in 1:2) {
        expect_error(predict_with(signal_stop, threads), "no more", class = "test_stop")
        expect_error(attribute_with(signal_stop, threads), "no more", class = "test_stop")
    }
    expect_as_before()
})

test_that("a jump that is no error goes where it was meant to go", {
    left <- withRestarts(predict_with(function(done) invokeRestart("leave", "left")), leave = identity)
    expect_identical(left, "left")
    expect_as_before()
})

test_that("interrupted runs give their memory back", {
    skip_if_not(file.exists("/proc/self/statm"))
    pages <- function() {
        gc()
        scan("/proc/self/statm", quiet = TRUE)[1]
    }
    interrupt <- function(times) for (k in seq_len(times)) try(predict_with(signal_stop), silent = TRUE)
    interrupt(5)
    before <- pages()
    interrupt(50)
    # each run holds the arrays in float32; 50 of them are 48 MB
    expect_lt((pages() - before) * 4096, 10 * 4 * length(arrays))
    expect_as_before()
})

test_that("a time limit ends a run", {
    on.exit(setTimeLimit())
    expect_error({
        setTimeLimit(elapsed = 0.2, transient = TRUE)
        attribution(model, arrays, nodes = 1e5)
    }, "time limit")
    setTimeLimit()
    expect_as_before()
})

test_that("Ctrl-C ends a run, and is R's own interrupt", {
    skip_on_os("windows")
    for (threads in 1:2) {
        ended <- tryCatch(attribute_with(function(done) tools::pskill(Sys.getpid(), tools::SIGINT), threads),
                          interrupt = function(condition) "interrupted")
        expect_identical(ended, "interrupted")
    }
    expect_as_before()
})

test_that("Ctrl-C ends a verb with a bar on screen, and the session goes on", {
    skip_on_os("windows")
    # both commands in the background: system() itself ignores the signal
    script <- tempfile(fileext = ".R")
    writeLines(c(
        sprintf(".libPaths(%s)", paste(deparse(.libPaths()), collapse = "")),
        "library(nucleograd)",
        "model <- example_model()",
        "genome <- Biostrings::subseq(example_genome(), 850001, 900000)",
        "before <- predict(model, Biostrings::subseq(genome, 1, 3000))",
        "system(sprintf('(sleep 1; kill -INT %d)', Sys.getpid()), wait = FALSE)",
        "ended <- tryCatch(attribution(model, genome, nodes = 1e5), interrupt = function(condition) 'interrupted')",
        "after <- predict(model, Biostrings::subseq(genome, 1, 3000))",
        "cat(ended, identical(before, after))"), script)
    printed <- suppressWarnings(system2(file.path(R.home("bin"), "Rscript"), script, stdout = TRUE, stderr = FALSE))
    expect_identical(printed[length(printed)], "interrupted TRUE")
})
