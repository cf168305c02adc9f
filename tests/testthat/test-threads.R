# How many threads a verb takes. The machine's own number is the limit everywhere.

machine <- .Call(nucleograd:::C_threads)

# The value of `code` under these environment variables and options.
under <- function(code, variables = character(), ...) {
    kept <- Sys.getenv(c("OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK"), unset = NA)
    old <- options(nucleograd.threads = NULL, ...)
    on.exit({
        options(old)
        Sys.unsetenv(names(kept))
        if (any(!is.na(kept))) do.call(Sys.setenv, as.list(kept[!is.na(kept)]))
    })
    Sys.unsetenv(names(kept))
    if (length(variables)) do.call(Sys.setenv, as.list(variables))
    options(...)
    code
}

test_that("the argument counts, then the option, then the environment, then 2", {
    expect_identical(under(thread_count()), min(2L, machine))
    expect_identical(under(thread_count(), c(OMP_NUM_THREADS = "1")), 1L)
    expect_identical(under(thread_count(), c(OMP_NUM_THREADS = "1"), nucleograd.threads = 2), min(2L, machine))
    expect_identical(under(thread_count(1), c(OMP_NUM_THREADS = "2"), nucleograd.threads = 2), 1L)
})

test_that("never more than the machine has, or the batch system gives", {
    expect_identical(under(thread_count(1024)), machine)
    expect_identical(under(thread_count(1024), c(SLURM_CPUS_PER_TASK = "1")), 1L)
    expect_identical(under(thread_count(), c(SLURM_CPUS_PER_TASK = "1024")), machine)
    expect_identical(under(thread_count(), c(SLURM_CPUS_PER_TASK = "1024", OMP_NUM_THREADS = "1")), 1L)
})

test_that("words in the environment that are no numbers do not count", {
    expect_identical(under(thread_count(), c(OMP_NUM_THREADS = "4,2", SLURM_CPUS_PER_TASK = "(null)")), min(2L, machine))
    expect_identical(under(thread_count(), c(OMP_NUM_THREADS = "0")), min(2L, machine))
})

test_that("a forked process takes one thread, and computes the same", {
    skip_on_os("windows")
    model <- model_from(toy_network(c(20, 4), conv(random_array(c(5, 4, 6), 61)), activation("relu"), flatten(),
                                    dense(random_array(c(120, 1), 62))))
    genome <- random_genome(100)
    here <- predict(model, genome, threads = 2)
    there <- parallel::mccollect(parallel::mcparallel(list(thread_count(2), predict(model, genome, threads = 2))))[[1]]
    expect_identical(there, list(1L, here))
})

test_that("forks are noticed from when the package is loaded", {
    skip_on_os("windows")
    script <- tempfile(fileext = ".R")
    writeLines(c(sprintf(".libPaths(%s)", paste(deparse(.libPaths()), collapse = "")), "invisible(loadNamespace('nucleograd'))",
                 "cat(parallel::mccollect(parallel::mcparallel(nucleograd::thread_count(2)))[[1]])"), script)
    expect_identical(system2(file.path(R.home("bin"), "Rscript"), script, stdout = TRUE), "1")
})

test_that("errors say what is allowed", {
    expect_snapshot(error = TRUE, {
        thread_count(0)
        thread_count(1.5)
        thread_count(c(1, 2))
        thread_count("all")
        under(thread_count(), nucleograd.threads = NA)
    })
})
