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

# Overlapping windows against windows side by side, which share nothing, at five offsets; seconds of these are scaled to as many windows.
explained_scan <- function(name, model, step, bases, nodes = 20) {
    width <- model@inputs[[1]][1]
    stretch <- Biostrings::subseq(piece, 1, bases)
    seconds <- seconds_of(shared <- attribution(model, stretch, nodes = nodes, step = step, threads = threads))
    offsets <- seq(0, width - 1, by = step)[1 + (0:4) * (width %/% step %/% 5)]
    pieces <- lapply(offsets, function(offset) Biostrings::subseq(stretch, offset + 1, width = (bases - offset) %/% width * width))
    alone_seconds <- seconds_of(alone <- lapply(pieces, attribution, model = model, nodes = nodes, threads = threads))
    starts <- unlist(Map(function(found, offset) BiocGenerics::start(found@windows) + offset, alone, offsets))
    attributed <- unlist(lapply(alone, function(found) S4Vectors::mcols(found@windows)$attributed))
    here <- match(starts, BiocGenerics::start(shared@windows))
    error <- abs(S4Vectors::mcols(shared@windows)$attributed[here] - attributed) / max(abs(attributed))
    by_itself <- alone_seconds / length(starts) * length(shared@windows)
    data.frame(case = name, window = width, step = step, windows = length(shared@windows), nodes = nodes, seconds = seconds,
               window_by_window_seconds = by_itself, ratio = by_itself / seconds, median_error = stats::median(error), max_error = max(error))
}

# The trunk of the small CNN-LSTM and the mean over its rows.
mean_network <- function(length_bp) {
    build <- network_builder(c(length_bp, 4))
    window_trunk(build)
    build$mean("global_average_pooling1d")
    build$dense("dense", 64, 1, "linear")
    build$model("mean")
}

scans <- rbind(explained_scan("cnn_lstm", window_network(500), 10, 20000), explained_scan("cnn_lstm", window_network(1000), 10, 20000),
               explained_scan("cnn_mean", mean_network(500), 10, 20000), explained_scan("cnn_mean", mean_network(2000), 10, 30000),
               explained_scan("cnn_mean", mean_network(2000), 100, 100000), explained_scan("cnn_mean", mean_network(2000), 999, 200000))
print(scans, right = FALSE, row.names = FALSE, digits = 3)
for (i in seq_len(nrow(scans)))
    figure(sprintf("genome_explained_%s_%d_step_%d_ratio", scans$case[i], scans$window[i], scans$step[i]), scans$ratio[i], "times")
# In a few windows a node lies within rounding of a kink.
if (any(scans$median_error > 1e-5)) stop("explained windows that share layers differ from windows by themselves")
