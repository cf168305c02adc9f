# tools/examples.R: runs the example of every help page of the installed package. The last line counts them.
suppressMessages(library(nucleograd))
options(cli.progress_show_after = Inf)
grDevices::pdf(NULL)
pages <- tools::Rd_db("nucleograd")
passed <- failed <- 0
for (page in names(pages)) {
    code <- tempfile(fileext = ".R")
    tools::Rd2ex(pages[[page]], code)
    if (!file.exists(code)) next
    problem <- tryCatch({
        utils::capture.output(suppressMessages(source(code, local = new.env(), echo = FALSE, print.eval = TRUE)))
        NULL
    }, error = conditionMessage)
    if (is.null(problem)) passed <- passed + 1 else {
        failed <- failed + 1
        cat("FAIL ", sub("[.]Rd$", "", page), ": ", problem, "\n", sep = "")
    }
}
cat(passed, "passed,", failed, "failed\n")
