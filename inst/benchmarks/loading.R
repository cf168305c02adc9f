# inst/benchmarks/loading.R: seconds and memory of reading the largest public model, 23,353,809 parameters. Both kinds of files.
library(nucleograd)
peak <- function() {
    status <- if (file.exists("/proc/self/status")) readLines("/proc/self/status") else "VmHWM: 0 kB"
    as.numeric(gsub("[^0-9]", "", grep("^VmHWM", status, value = TRUE))) / 1000
}
model <- example_architecture("cell_morphology")
parameters <- sum(summary(model)$parameters)
cat(sprintf("%-8s %12s %8s %8s\n", "file", "parameters", "MB", "seconds"))
seconds <- c()
for (kind in c(".h5", ".keras")) {
    file <- tempfile(fileext = kind)
    write_model(model, file)
    invisible(gc())
    seconds[kind] <- system.time(again <- read_model(file))[["elapsed"]]
    cat(sprintf("%-8s %12.0f %8.1f %8.2f\n", kind, sum(summary(again)$parameters), file.size(file) / 1e6, seconds[kind]))
    unlink(file)
}
cat("read_h5:", format(seconds[[".h5"]], digits = 3), "s\n")
cat("read_keras:", format(seconds[[".keras"]], digits = 3), "s\n")
cat("peak_memory:", round(peak()), "MB\n")
