# inst/benchmarks/report.R: how benchmarks print, and the peak they are measured against. Needs `here`, the folder of benchmarks.

figure <- function(name, value, unit) cat(sprintf("%s: %s %s\n", name, format(value, digits = 4, scientific = FALSE), unit))

# Multiply-adds of this machine, counted as two operations, in GFLOPS: c(core, all). peak.c, compiled here and now.
fma_peak <- function() {
    program <- tempfile("peak")
    on.exit(unlink(program))
    compiler <- strsplit(system2(file.path(R.home("bin"), "R"), c("CMD", "config", "CC"), stdout = TRUE), " ")[[1]]
    words <- c(compiler[-1], "-O3", "-fopenmp", "-o", program, shQuote(file.path(here, "peak.c")))
    if (system2(compiler[1], words) != 0) stop("peak.c does not compile")
    gigaflops <- as.numeric(strsplit(system2(program, stdout = TRUE), " ")[[1]])
    c(core = gigaflops[1], all = gigaflops[2])
}

# The first line of a run. load: of the last minute, other people's work included.
header <- function(name, commit) {
    load <- if (file.exists("/proc/loadavg")) strsplit(readLines("/proc/loadavg"), " ")[[1]][1] else "unknown"
    cat(sprintf("# tools/bench %s   commit %s   %d cores   fma_peak_gflops %.1f   load %s\n", name, commit, parallel::detectCores(),
                fma_peak()[["all"]], load))
}
