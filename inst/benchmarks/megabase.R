# inst/benchmarks/megabase.R: a genome-scale network explained at 1,000,000 bp: seconds a node, memory, threads, beside TensorFlow.
# Every run of ours is a fresh R process (megabase_process.R); runs take turns with TensorFlow's, since machines are rarely quiet.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("report.R", "peers/peer.R")) source(file.path(here, file))
options(width = 200)
length_bp <- 1000000
nodes <- 50
threads <- 2
repetitions <- 3

# What megabase_process.R prints, as named numbers.
run <- function(method, threads, gradient_file = NULL) {
    words <- c(file.path(here, "megabase_process.R"), method, format(length_bp, scientific = FALSE), nodes, threads, gradient_file)
    line <- system2(file.path(R.home("bin"), "Rscript"), words, stdout = TRUE, env = paste0("R_LIBS=", paste(.libPaths(), collapse = ":")))
    stats::setNames(scan(text = line, quiet = TRUE), c("seconds", "memory_before_mb", "memory_mb", "output", "baseline_output", "gap"))
}

# Operations of one node if every convolution were computed directly: 2 a multiply-add, forward and gradient of the input.
direct_operations <- function() {
    filters <- c(32, 32, 64, 64, 128, 128, 256)
    rows <- Reduce(`%/%`, rep(4, length(filters)), length_bp, accumulate = TRUE)
    multiply_adds <- sum(rows[seq_along(filters)] * 24 * c(4, filters[-7]) * filters) + rows[8] * 256 * 128 + 128
    2 * 2 * multiply_adds
}

# Values first: logit and gradient at the genome itself, of ours and of TensorFlow.
python <- peer_python()
if (!is.null(python)) {
    files <- c(ours = tempfile(), theirs = tempfile())
    peer <- start_peer(python, "megabase.py", format(length_bp, scientific = FALSE), threads, files[["theirs"]])
    logits <- c(run("gradient", threads, files[["ours"]])[["output"]], ask_peer(peer, "gradient")[2])
    gradients <- list(readBin(files[["ours"]], "double", 4 * length_bp), readBin(files[["theirs"]], "double", 4 * length_bp, size = 4))
    gradients[[2]] <- c(matrix(gradients[[2]], ncol = 4, byrow = TRUE))
    error <- abs(gradients[[1]] - gradients[[2]]) / max(abs(gradients[[2]]))
    sums <- vapply(gradients, function(gradient) sum(abs(gradient)), 0)
    print(data.frame(case = c("logit", "gradient_sum_of_sizes"), nucleograd = c(logits[1], sums[1]), tensorflow = c(logits[2], sums[2]),
                     max_error = c(abs(diff(logits)), max(error)), within_1e_5 = c(NA, mean(error <= 1e-5))), right = FALSE, row.names = FALSE)
}

turns <- lapply(seq_len(repetitions), function(turn) {
    peer_seconds <- if (is.null(python)) NA else ask_peer(peer, "gradient")[1]
    list(all = run("ig", threads), one = run("ig", 1), peer_seconds = peer_seconds)
})
column <- function(case, name) vapply(turns, function(turn) turn[[case]][[name]], 0)
median_of <- function(case, name) stats::median(column(case, name))
seconds <- median_of("all", "seconds") / nodes
peer_seconds <- vapply(turns, function(turn) turn$peer_seconds, 0)
explained <- turns[[1]]$all[["output"]] - turns[[1]]$all[["baseline_output"]]
gap <- turns[[1]]$all[["gap"]]
same <- all(vapply(turns, function(turn) turn$one[["gap"]] == gap, NA))

print(data.frame(case = c("ig", "ig", "gradient_tensorflow"), length_bp = format(length_bp, scientific = FALSE), nodes = c(nodes, nodes, 1),
                 threads = c(threads, 1, threads),
                 seconds = c(median_of("all", "seconds"), median_of("one", "seconds"), stats::median(peer_seconds)),
                 seconds_per_node = c(seconds, median_of("one", "seconds") / nodes, stats::median(peer_seconds)),
                 memory_before_mb = c(median_of("all", "memory_before_mb"), median_of("one", "memory_before_mb"), NA),
                 peak_memory_mb = c(median_of("all", "memory_mb"), median_of("one", "memory_mb"), NA)), right = FALSE, row.names = FALSE, digits = 4)
figure("seconds_per_node", seconds, "s")
figure("peak_memory_mb", max(column("all", "memory_mb")), "MB")
figure("share_of_direct_fma_peak_percent", 100 * direct_operations() / seconds / (1e9 * fma_peak()[["all"]]), "%")
figure("thread_scaling", stats::median(column("one", "seconds") / column("all", "seconds")), "times")
figure("completeness_gap", gap, "logits")
figure("completeness_gap_relative", 100 * abs(gap / explained), "% of F(x) - F(baseline)")
if (!is.null(python)) {
    figure("tensorflow_seconds_per_node", stats::median(peer_seconds), "s")
    figure("megabase_ratio", stats::median(peer_seconds / (column("all", "seconds") / nodes)), "times")
    stop_peer(peer)
}
if (!same) stop("the completeness gap depends on threads")
