# tools/coverage.R reach <folder> <test>: runs one test file of R and adds the lines that it reached to folder/reached.
# tools/coverage.R table <folder>: what was reached, file by file. See tools/coverage.
words <- commandArgs(TRUE)
reached <- file.path(words[2], "reached")

reach <- function(test) {
    pdf(NULL)
    suppressMessages(library(nucleograd))
    code <- tempfile(fileext = ".R")
    run <- call("test_dir", "tests/testthat", filter = paste0("^", sub("^test-", "", test), "$"), package = "nucleograd",
                load_package = "installed", reporter = "summary", stop_on_failure = FALSE)
    run[[1]] <- quote(testthat::test_dir)
    writeLines(c(sprintf("setwd(%s)", deparse(getwd())), deparse(run)), code)
    found <- covr::environment_coverage(asNamespace("nucleograd"), code)
    lines <- covr::tally_coverage(found, by = "line")[c("filename", "line", "value")]
    saveRDS(lines, file.path(reached, paste0(test, ".rds")))
}

# Lines of one file that several programs, processes or instances of a template ran: together.
total <- function(lines) stats::aggregate(value ~ filename + line, lines, sum)

# What gcc counted below `folder`; file names begin with the part of the path from `core` or `bridge` on.
lines_of_c <- function(folder) {
    counters <- list.files(folder, "[.]gcda$", recursive = TRUE, full.names = TRUE)
    each <- lapply(counters, function(counter) {
        told <- system2("gcov", c("--json-format", "--stdout", shQuote(counter)), stdout = TRUE, stderr = FALSE)
        files <- jsonlite::fromJSON(told, simplifyDataFrame = FALSE)$files
        do.call(rbind, lapply(files, function(file) {
            if (!grepl("(core/[a-z]+|bridge)/[a-z0-9_]+[.][ch]$|init[.]c$", file$file) || !length(file$lines)) return(NULL)
            name <- paste0("src/", sub(".*?((core/[a-z]+|bridge)/[a-z0-9_]+[.][ch]|init[.]c)$", "\\1", file$file, perl = TRUE))
            data.frame(filename = name, line = vapply(file$lines, `[[`, 0L, "line_number"),
                       value = as.numeric(vapply(file$lines, function(line) line$count > 0, NA)))
        }))
    })
    do.call(rbind, each)
}

table_of <- function(lines) {
    parts <- split(lines$value > 0, lines$filename)
    data.frame(file = names(parts), lines = lengths(parts), missed = vapply(parts, function(hit) sum(!hit), 0L),
               percent = vapply(parts, function(hit) 100 * mean(hit), 0))
}

if (words[1] == "reach") {
    reach(words[3])
} else {
    of_r <- total(do.call(rbind, lapply(list.files(reached, full.names = TRUE), readRDS)))
    of_r$filename <- file.path("R", basename(of_r$filename))
    of_c <- total(rbind(lines_of_c(file.path(words[2], "source")), lines_of_c("build/core/coverage/checked")))
    all <- rbind(of_r, of_c)
    files <- table_of(all)
    cat(sprintf("%-44s %6d lines %5d missed %6.1f %%\n", files$file, files$lines, files$missed, files$percent), sep = "")
    missed <- all[all$value == 0, c("filename", "line")]
    utils::write.table(missed[order(missed$filename, missed$line), ], file.path(words[2], "missed.tsv"), sep = "\t", quote = FALSE, row.names = FALSE)
    share <- function(lines) 100 * mean(lines$value > 0)
    cat(sprintf("coverage_R: %.1f %% of %d lines\ncoverage_C: %.1f %% of %d lines\n", share(of_r), nrow(of_r), share(of_c), nrow(of_c)))
}
