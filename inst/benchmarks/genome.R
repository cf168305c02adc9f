# inst/benchmarks/genome.R: a whole genome, both strands explained in windows of 1 Mb; 3 Mb of it scanned in steps of 10; and scans of
# stretches of it explained.
# The genome is Bacillus subtilis 168 if the folder of genomes is there: the environment variable NUCLEOGRAD_DATA, or shared/data
# beside the repository or one level above; else letters from a formula, of the same length.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("architectures.R", "report.R")) source(file.path(here, file))
options(cli.progress_show_after = Inf, width = 200)
threads <- 2
nodes <- 50
step <- 10
window <- 500

find_genome <- function() {
    folders <- c(Sys.getenv("NUCLEOGRAD_DATA", NA), file.path(here, "../../..", c("shared/data", "../shared/data")))
    files <- Sys.glob(file.path(folders[!is.na(folders)], "genomes", "*ubtilis*.fna.gz"))
    if (!length(files)) return(formula_genome(4215606))
    cat("# genome", basename(files[1]), "\n")
    read_genome(files[1], circular = FALSE)[1]
}

# Linux counts it; elsewhere it is not known.
peak_mb <- function() {
    if (!file.exists("/proc/self/status")) return(NA)
    as.numeric(gsub("\\D", "", grep("^VmHWM", readLines("/proc/self/status"), value = TRUE))) * 1024 / 1e6
}
seconds_of <- function(expression) system.time(expression)[["elapsed"]]

# ---- both strands ----

genome <- find_genome()
length_bp <- Biostrings::width(genome)
strands <- Biostrings::DNAStringSet(list(forward = genome[[1]], reverse = Biostrings::reverseComplement(genome[[1]])))
model <- sporulation_network(1e6)
seconds <- seconds_of({
    found <- attribution(model, strands, nodes = nodes, threads = threads)
    # the reverse strand turned round: base i of the genome, and the complement of each letter
    scores <- (found@scores[[1]] + found@scores[[2]][length_bp:1, 4:1]) / 2
})
checks <- S4Vectors::mcols(found@windows)
figure("genome_bp", length_bp, "bp")
figure("genome_both_strands_seconds", seconds, "s")
figure("genome_seconds_per_window_and_node", seconds / nodes / nrow(checks), "s")
figure("genome_peak_memory_mb", peak_mb(), "MB")
figure("genome_completeness_gap_relative", 100 * sum(abs(checks$gap)) / sum(abs(checks$output - checks$baseline_output)), "%")
rm(found, scores, strands)

# ---- a scan ----

model <- window_network(window)
numbers <- function(predictions) as.matrix(S4Vectors::mcols(predictions))
piece <- Biostrings::subseq(genome, 1, 3000000)
seconds <- seconds_of(shared <- predict(model, piece, step = step, threads = threads))

# Window by window: windows side by side share nothing. Those that begin at five offsets are one in ten of the scan's.
offsets <- seq(0, window - 1, by = window / 5)
pieces <- lapply(offsets, function(offset) Biostrings::subseq(piece, offset + 1))
alone_seconds <- seconds_of(alone <- lapply(pieces, predict, object = model, threads = threads))
starts <- unlist(Map(function(found, offset) BiocGenerics::start(found) + offset, alone, offsets))
values <- do.call(rbind, lapply(alone, numbers))
error <- abs(numbers(shared)[match(starts, BiocGenerics::start(shared)), ] - values)
figure("genome_scan_windows", length(shared), "windows")
figure("genome_scan_seconds", seconds, "s")
figure("genome_scan_window_by_window_seconds", alone_seconds / nrow(values) * length(shared), "s, from 1 in 10 windows")
figure("genome_scan_ratio", alone_seconds / nrow(values) * length(shared) / seconds, "times")
figure("genome_scan_max_difference", max(error), "of a probability")
if (max(error) > 1e-5) stop("shared windows differ from windows by themselves")

# ---- explained scans ----

# Overlapping windows, and one in five of them in descending order, in which they share nothing; seconds of these are scaled to as many.
explained_scan <- function(name, model, step, bases, nodes = 20, repetitions = 2) {
    width <- model@inputs[[1]][1]
    stretch <- Biostrings::subseq(piece, 1, bases)
    goal <- nucleograd:::targets_of(model, 1, "logit")
    path <- c(nucleograd:::path_rule(nodes, "midpoint"), TRUE)
    explain <- function(starts, run = nucleograd:::run_settings(threads), frame = environment())
        .Call(nucleograd:::C_attribute_contig, model@pointer, goal$nodes, goal$cotangents, nucleograd:::base_codes(stretch[[1]]), starts,
              as.numeric(width), rep(0.25, 4), path, run, frame)
    starts <- as.numeric(seq(1, bases - width + 1, by = step))
    some <- rev(starts[seq(1, length(starts), by = 5)])
    seconds <- alone_seconds <- numeric(repetitions)
    for (turn in seq_len(repetitions)) {
        seconds[turn] <- seconds_of(shared <- explain(starts))
        alone_seconds[turn] <- seconds_of(alone <- explain(some)) / length(some) * length(starts)
    }
    attributed <- alone[[2]][3, ]
    error <- abs(shared[[2]][3, match(some, starts)] - attributed) / max(abs(attributed))
    data.frame(case = name, window = width, step = step, windows = length(starts), nodes = nodes, seconds = min(seconds),
               window_by_window_seconds = min(alone_seconds), ratio = min(alone_seconds) / min(seconds), median_error = stats::median(error),
               max_error = max(error), within_1e_5 = mean(error <= 1e-5))
}

# The trunk of the small CNN-LSTM and the mean over its rows.
mean_network <- function(length_bp) {
    build <- network_builder(c(length_bp, 4))
    window_trunk(build)
    build$mean("global_average_pooling1d")
    build$dense("dense", 64, 1, "linear")
    build$model("mean")
}

scans <- rbind(explained_scan("cnn_lstm", window_network(500), 10, 10000), explained_scan("cnn_lstm", window_network(1000), 10, 10000),
               explained_scan("cnn_lstm", window_network(2000), 10, 10000), explained_scan("cnn_mean", mean_network(1000), 10, 10000),
               explained_scan("cnn_mean", mean_network(2000), 10, 15000), explained_scan("cnn_mean", mean_network(5000), 10, 15000),
               explained_scan("cnn_mean", mean_network(5000), 100, 50000))
print(scans, right = FALSE, row.names = FALSE, digits = 3)
for (i in seq_len(nrow(scans)))
    figure(sprintf("genome_explained_%s_%d_step_%d_ratio", scans$case[i], scans$window[i], scans$step[i]), scans$ratio[i], "times")
# Nodes that lie within rounding of a kink are few: 20 of 5,000 bp make some 10^7 decisions, of which windows that overlap have the same.
if (any(scans$median_error > 1e-5 | scans$within_1e_5 < 0.8)) stop("explained windows that share layers differ from windows by themselves")
