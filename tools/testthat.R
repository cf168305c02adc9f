# tools/testthat.R [name]: runs the tests of R with the installed package; the last line is their count. See tools/test.
pdf(NULL)                                                    # plots that tests print leave no file
name <- c(commandArgs(TRUE), "")[1]
files <- list.files("tests/testthat", paste0("^test-.*", name, ".*[.]R$"))
counts <- c(passed = 0, failed = 0, skipped = 0)
if (length(files)) {
    results <- testthat::test_dir("tests/testthat", filter = if (nzchar(name)) name, package = "nucleograd", load_package = "installed",
                                  reporter = testthat::ProgressReporter$new(show_praise = FALSE, update_interval = Inf), stop_on_failure = FALSE)
    each <- as.data.frame(results)
    counts <- c(passed = sum(each$passed), failed = sum(each$failed) + sum(each$error), skipped = sum(each$skipped))
}
cat(counts[["passed"]], "passed,", counts[["failed"]], "failed,", counts[["skipped"]], "skipped\n")
