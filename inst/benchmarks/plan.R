# inst/benchmarks/plan.R: what plan() says beside what happens: seconds of a run, and memory of the core in a process of its own.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("report.R", "architectures.R")) source(file.path(here, file))
options(width = 200, cli.progress_show_after = Inf)
peak_mb <- function() as.numeric(gsub("\\D", "", grep("^VmHWM", readLines("/proc/self/status"), value = TRUE))) * 1024 / 1e6

compare <- function(case, model, genome, method) {
    ahead <- plan(model, genome, method = method)@settings
    before <- peak_mb()
    seconds <- stats::median(replicate(3, system.time(
        if (method == "predict") predict(model, genome) else attribution(model, genome, method = method))[["elapsed"]]))
    data.frame(case = case, method = method, bp = sum(Biostrings::width(genome)), planned_seconds = ahead$seconds, seconds = seconds,
               ratio = seconds / ahead$seconds, planned_mb = (ahead$core_bytes + ahead$result_bytes) / 1e6, more_memory_mb = peak_mb() - before)
}
embedded <- example_model()
chromosome <- example_genome()[1]
found <- rbind(compare("embedded", embedded, chromosome, "ig"), compare("embedded", embedded, chromosome, "predict"),
               compare("window", window_network(500), Biostrings::subseq(chromosome, 1, 200000), "ig"),
               compare("sporulation", sporulation_network(1e6), formula_genome(1e6), "ig"),
               compare("sporulation", sporulation_network(1e6), formula_genome(1e6), "gradient"))
print(found, right = FALSE, row.names = FALSE, digits = 3)
gradients <- found[found$method == "ig", ]
figure("plan_seconds_ratio_worst", max(gradients$ratio, 1 / gradients$ratio), "times")
