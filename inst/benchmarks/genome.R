# inst/benchmarks/genome.R: a whole genome, both strands explained in windows of 1 Mb, and 3 Mb of it scanned in steps of 10.
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
