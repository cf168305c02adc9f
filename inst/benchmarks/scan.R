# inst/benchmarks/scan.R: windows of a genome, predicted and explained, beside TensorFlow. The two take turns, so that a
# busy machine slows both; a ratio is the median over turns.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("architectures.R", "report.R", "peers/peer.R")) source(file.path(here, file))
options(cli.progress_show_after = Inf, width = 200)
repetitions <- 5
threads <- 2
nodes <- 20

# What a peer needs to read the same windows: letters (of a circular contig with its beginning again), starts, length.
windows_for_peer <- function(model, genome, step) {
    windows <- predict(model, genome, step = step)
    over <- max(0, BiocGenerics::end(windows) - Biostrings::width(genome))
    files <- c(sequence = tempfile(), starts = tempfile(), values = tempfile())
    cat(as.character(genome[[1]]), as.character(Biostrings::subseq(genome[[1]], 1, over)), sep = "", file = files[["sequence"]])
    writeBin(BiocGenerics::start(windows) - 1L, files[["starts"]])
    c(files, length = Biostrings::width(genome))
}

seconds_of <- function(expression) system.time(expression)[["elapsed"]]

# One line per job: seconds of ours and of the peer, in turns, and how far their values are apart.
compare <- function(network, model, genome, network_for_peer, wanted = c("predict", "predict_encoded", "ig")) {
    step <- model@inputs[[1]][1] %/% 2
    predicted <- function() as.matrix(S4Vectors::mcols(predict(model, genome, step = step, threads = threads)))
    explained <- function() attribution(model, genome, nodes = nodes, step = step, threads = threads)@scores[[1]]
    jobs <- list(predict = predicted, predict_encoded = predicted, ig = explained)[wanted]
    # Where a node lies within rounding of a kink of ReLU or of a maximum, float32 may take its other side. In a window of the
    # window network TensorFlow's float32 differs so from its float64 in 0.5 % of values; here two may, in two windows a base: 1 %.
    share_wanted <- c(predict = 1, predict_encoded = 1, ig = 0.99)
    given <- windows_for_peer(model, genome, step)
    windows <- file.size(given[["starts"]]) / 4
    if (!is.null(python)) {
        peer <- start_peer(python, "scan.py", network_for_peer, given[c("sequence", "starts", "length")], threads, nodes, given[["values"]])
        on.exit(stop_peer(peer))
    }
    lines <- lapply(names(jobs), function(job) {
        ours <- theirs <- rep(NA_real_, repetitions)
        max_error <- within_1e_5 <- NA_real_
        for (turn in seq_len(repetitions)) {
            ours[turn] <- seconds_of(values <- jobs[[job]]())
            if (is.null(python)) next
            theirs[turn] <- ask_peer(peer, job)
            expected <- matrix(readBin(given[["values"]], "double", length(values)), nrow(values), byrow = TRUE)
            error <- abs(values - expected) / max(abs(expected))
            max_error <- max(error)
            within_1e_5 <- mean(error <= 1e-5)
        }
        data.frame(case = paste(network, job, sep = "_"), windows = windows, threads = threads, seconds = stats::median(ours),
                   windows_per_second = windows / stats::median(ours), tensorflow_seconds = stats::median(theirs),
                   ratio = stats::median(theirs / ours), max_error = max_error, within_1e_5 = within_1e_5,
                   verdict = if (is.null(python)) "alone" else if (within_1e_5 >= share_wanted[[job]]) "pass" else "FAIL")
    })
    do.call(rbind, lines)
}

python <- peer_python()
genome <- example_genome()
first_bases <- function(count) Biostrings::subseq(genome, 1, count)
lstm <- function(units, length_bp, bases, job) {
    network <- sprintf("lstm_%d_%d", units, length_bp)
    compare(network, lstm_network(units, length_bp), first_bases(bases), network, job)
}
cases <- rbind(compare("embedded", example_model(), genome, system.file("extdata", "rrna16s.h5", package = "nucleograd")),
               compare("window", window_network(), first_bases(500000), "window"),
               lstm(64, 150, 200000, "predict"), lstm(64, 150, 9000, "ig"), lstm(128, 500, 200000, "predict"),
               lstm(128, 500, 10000, "ig"), lstm(256, 1000, 100000, "predict"), lstm(256, 1000, 8000, "ig"))
print(cases, right = FALSE, row.names = FALSE, digits = 4)
for (i in seq_len(nrow(cases))) {
    if (!grepl("encoded", cases$case[i])) figure(paste0("scan_", cases$case[i], "_windows_per_second"), cases$windows_per_second[i], "windows/s")
    if (!is.null(python)) figure(paste0("scan_", cases$case[i], "_ratio"), cases$ratio[i], "times")
}
# Multiplications with the weights of an LSTM in prediction, beside what this machine can do at most.
peak <- fma_peak()[["all"]] * 1e9
for (i in grep("^lstm_.*_predict$", cases$case)) {
    size <- as.numeric(strsplit(cases$case[i], "_")[[1]][2:3])         # units, bases
    operations <- 2 * size[2] * (4 + size[1]) * 4 * size[1]
    figure(paste0("scan_", cases$case[i], "_share_of_fma_peak"), 100 * cases$windows_per_second[i] * operations / peak, "percent")
}
if (any(cases$verdict == "FAIL")) stop("values differ from TensorFlow's")
