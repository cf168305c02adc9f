# inst/benchmarks/scaling.R: seconds a base and memory from 100,000 to 10,000,000 bp, for a network with global pooling.
# Every run is a fresh R process (megabase_process.R).
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "report.R"))
options(width = 200)
nodes <- 50
threads <- 2
lengths <- c(1e5, 3e5, 1e6, 3e6, 1e7)

run <- function(length_bp) {
    words <- c(file.path(here, "megabase_process.R"), "ig", format(length_bp, scientific = FALSE), nodes, threads, "length_free")
    line <- system2(file.path(R.home("bin"), "Rscript"), words, stdout = TRUE, env = paste0("R_LIBS=", paste(.libPaths(), collapse = ":")))
    stats::setNames(scan(text = line, quiet = TRUE), c("seconds", "memory_before_mb", "memory_mb", "output", "baseline_output", "gap"))
}

runs <- vapply(lengths, function(length_bp) {
    turns <- replicate(if (length_bp < 1e6) 7 else 3, run(length_bp))
    turns[, order(turns["seconds", ])[ceiling(ncol(turns) / 2)]]
}, numeric(6))
per_base <- 1e9 * runs["seconds", ] / lengths / nodes
print(data.frame(length_bp = format(lengths, scientific = FALSE, trim = TRUE), nodes, threads, seconds = runs["seconds", ], nanoseconds_per_base_and_node = per_base,
                 memory_before_mb = runs["memory_before_mb", ], peak_memory_mb = runs["memory_mb", ], gap = runs["gap", ]),
      right = FALSE, row.names = FALSE, digits = 4)
for (i in seq_along(lengths)) figure(sprintf("scaling_nanoseconds_per_base_and_node_%.0e", lengths[i]), per_base[i], "ns")
figure("scaling_middle_of_nanoseconds_per_base_and_node", mean(range(per_base)), "ns")
figure("scaling_largest_deviation_percent", 100 * diff(range(per_base)) / sum(range(per_base)), "% of the middle")
figure("scaling_peak_memory_mb_at_1e7", runs["memory_mb", lengths == 1e7], "MB")
