# inst/benchmarks/megabase_process.R: one run of megabase.R, in a process of its own so that its peak of memory is its own.
# The call that is timed is the third one of the session and of the model.
# Arguments: method length_bp nodes threads [network: sporulation or length_free] [file for the gradient]. Prints: seconds, resident peak before and after in MB, output,
# output of the baseline, completeness gap.
suppressPackageStartupMessages(library(nucleograd))
options(cli.progress_show_after = Inf)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "architectures.R"))
words <- commandArgs(TRUE)

# Linux counts it; elsewhere it is not known.
resident_peak_mb <- function() {
    if (!file.exists("/proc/self/status")) return(NA)
    as.numeric(gsub("\\D", "", grep("^VmHWM", readLines("/proc/self/status"), value = TRUE))) * 1024 / 1e6
}

length_bp <- as.numeric(words[2])
networks <- list(sporulation = sporulation_network, length_free = function(length_bp) length_free_network())
model <- networks[[if (length(words) > 4) words[5] else "sporulation"]](length_bp)
genome <- formula_genome(length_bp)
before <- resident_peak_mb()
# The first calls load code, transform the model's weights and have R compile.
for (call in 1:2) {
    attribution(model, genome, method = words[1], nodes = 1, threads = as.numeric(words[4]))
    gc()
}
seconds <- system.time(found <- attribution(model, genome, method = words[1], nodes = as.numeric(words[3]), threads = as.numeric(words[4])))
after <- resident_peak_mb()
window <- S4Vectors::mcols(found@windows)
cat(seconds[["elapsed"]], before, after, format(c(window$output, window$baseline_output, window$gap), digits = 10), "\n")
if (length(words) > 5) writeBin(c(found@scores[[1]]), words[6])
