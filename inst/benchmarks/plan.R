# inst/benchmarks/plan.R: what plan() says beside what happens: seconds of a run, and memory of the core in a process of its own.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("report.R", "architectures.R")) source(file.path(here, file))
options(width = 200, cli.progress_show_after = Inf)
peak_mb <- function() as.numeric(gsub("\\D", "", grep("^VmHWM", readLines("/proc/self/status"), value = TRUE))) * 1024 / 1e6

compare <- function(case, model, genome, method, ...) {
    ahead <- plan(model, genome, method = method, ...)@settings
    before <- peak_mb()
    run <- function() if (method == "predict") predict(model, genome, ...) else attribution(model, genome, method = method, ...)
    seconds <- system.time(run())[["elapsed"]]
    if (seconds < 1) seconds <- stats::median(c(seconds, replicate(2, system.time(run())[["elapsed"]])))
    data.frame(case = case, method = method, bp = sum(Biostrings::width(genome)), planned_seconds = ahead$seconds, seconds = seconds,
               ratio = seconds / ahead$seconds, planned_mb = (ahead$core_bytes + ahead$result_bytes) / 1e6, more_memory_mb = peak_mb() - before)
}
small <- example_model()
chromosome <- example_genome()[1]
piece <- Biostrings::subseq(chromosome, 1, 100000)
long_short <- window_network(500)
sporulation <- sporulation_network(1e6)
megabase <- formula_genome(1e6)
found <- rbind(
    compare("small", small, chromosome, "predict"),
    compare("small, step 10", small, piece, "predict", step = 10),
    compare("CNN-LSTM", long_short, piece, "predict"),
    compare("sporulation", sporulation, megabase, "predict"),
    compare("small", small, chromosome, "ig", nodes = 20),
    compare("small, both strands", small, piece, "ig", strand = "both"),
    compare("small, 3 shuffles", small, piece, "ig", baseline = "dinucleotide", replicates = 3),
    compare("CNN-LSTM", long_short, piece, "ig", nodes = 10),
    compare("sporulation", sporulation, megabase, "ig", nodes = 20),
    compare("sporulation, shuffled", sporulation, megabase, "ig", baseline = "dinucleotide", replicates = 1, nodes = 10),
    compare("sporulation", sporulation, megabase, "gradient"),
    compare("small", small, piece, "saliency"),
    compare("small", small, piece, "deeplift"),
    compare("sporulation", sporulation, megabase, "deeplift"),
    compare("small", small, piece, "expected", nodes = 10),
    compare("small", small, piece, "smoothgrad", replicates = 10))
print(found, right = FALSE, row.names = FALSE, digits = 3)
worst <- pmax(found$ratio, 1 / found$ratio)
figure("plan_seconds_ratio_worst", max(worst), "times")
figure("plan_seconds_within_1.5_times", sum(worst <= 1.5), paste("of", nrow(found), "cases"))
