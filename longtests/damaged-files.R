# longtests/damaged-files.R each: see longtests/damaged-files, which runs it under sanitizers.
library(nucleograd)
each <- as.numeric(c(commandArgs(TRUE), 100)[1])
fixture_path <- function(...) file.path("tests", "testthat", "fixtures", ...)
sys.source("tests/testthat/helper-damage.R", environment())
memory <- function() {
    status <- if (file.exists("/proc/self/status")) readLines("/proc/self/status") else "VmHWM: 0 kB"
    as.numeric(gsub("[^0-9]", "", grep("^VmHWM", status, value = TRUE))) / 1000
}
files <- damaged_files(each)
invisible(fate(files[[1]]))
start <- memory()
fates <- seconds <- vector("list", length(files))
for (k in seq_along(files)) {
    seconds[[k]] <- system.time(fates[[k]] <- suppressWarnings(fate(files[[k]])), gcFirst = FALSE)[["elapsed"]]
    if (!fates[[k]] %in% c("error", "model")) cat(files[[k]]$name, ":", fates[[k]], "\n")
    if (fates[[k]] == "model" && !files[[k]]$harmless) cat(files[[k]]$name, ": was read\n")
}
fates <- unlist(fates)
seconds <- unlist(seconds)
grown <- memory() - start
slowest <- which.max(seconds)
cat(sprintf("%d files: %d errors, %d models, %d of another kind; slowest %.2f s (%s); memory grew by %.0f MB\n", length(files),
            sum(fates == "error"), sum(fates == "model"), sum(!fates %in% c("error", "model")), seconds[slowest], files[[slowest]]$name, grown))
quit(status = any(!fates %in% c("error", "model")) || seconds[slowest] > 2 || grown > 500)
