# inst/benchmarks/megabase.R: a genome-scale network explained at 1,000,000 bp: seconds a node, memory, threads, beside peers.
# Every run of ours is a fresh R process (megabase_process.R); runs take turns with the peers', since machines are rarely quiet.
# Peers: TensorFlow with forward and gradient compiled, TensorFlow as deepG uses it (eager, node by node), PyTorch.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("report.R", "peers/peer.R")) source(file.path(here, file))
options(width = 200)
length_bp <- 1000000
nodes <- 50
threads <- 2
repetitions <- 3
length_word <- format(length_bp, scientific = FALSE)

# What megabase_process.R prints, as named numbers; with a file as `output` it does not wait and prints there.
run <- function(method, threads, nodes, gradient_file = NULL, output = TRUE) {
    words <- c(file.path(here, "megabase_process.R"), method, length_word, nodes, threads, "sporulation", gradient_file)
    line <- system2(file.path(R.home("bin"), "Rscript"), words, stdout = output, env = paste0("R_LIBS=", paste(.libPaths(), collapse = ":")),
                    wait = isTRUE(output))
    if (!isTRUE(output)) return(invisible())
    stats::setNames(scan(text = line, quiet = TRUE), c("seconds", "memory_before_mb", "memory_mb", "output", "baseline_output", "gap"))
}
# One thread while another process does the same: cores share their clock and the way to memory, so that no program gains more by two.
beside_another <- function() {
    other <- tempfile()
    run("ig", 1, nodes, output = other)
    found <- run("ig", 1, nodes)
    for (tenths in 0:600) if (length(scan(other, quiet = TRUE))) return(found) else Sys.sleep(0.1)
    stop("the other process has not answered within a minute")
}

# Operations of one node if every convolution were computed directly: 2 a multiply-add, forward and gradient of the input.
direct_operations <- function() {
    filters <- c(32, 32, 64, 64, 128, 128, 256)
    rows <- Reduce(`%/%`, rep(4, length(filters)), length_bp, accumulate = TRUE)
    multiply_adds <- sum(rows[seq_along(filters)] * 24 * c(4, filters[-7]) * filters) + rows[8] * 256 * 128 + 128
    2 * 2 * multiply_adds
}

# Peers one after the other, for their memory; each stays.
python <- peer_python()
scripts <- list(tensorflow = c("megabase.py", "function"), tensorflow_eager = c("megabase.py", "eager"), torch = "megabase_torch.py")
files <- vapply(c("ours", names(scripts)), function(name) tempfile(), "")
peers <- list()
for (name in if (!is.null(python)) names(scripts))
    peers[[name]] <- do.call(start_peer, c(list(python), scripts[[name]], length_word, threads, files[[name]]))

# Values first: logit and gradient at the genome itself, of ours and of the peers.
answers <- lapply(peers, ask_peer, "gradient")
if (length(peers)) {
    logit <- run("gradient", threads, 1, files[["ours"]])[["output"]]
    gradient <- readBin(files[["ours"]], "double", 4 * length_bp)
    print(do.call(rbind, lapply(names(peers), function(name) {
        theirs <- c(matrix(readBin(files[[name]], "double", 4 * length_bp, size = 4), ncol = 4, byrow = TRUE))
        error <- abs(gradient - theirs) / max(abs(theirs))
        data.frame(peer = name, logit = answers[[name]][2], ours = logit, gradient_median_error = stats::median(error),
                   gradient_max_error = max(error), within_1e_5 = mean(error <= 1e-5))
    })), right = FALSE, row.names = FALSE)
}

turns <- lapply(seq_len(repetitions), function(turn)
    list(all = run("ig", threads, nodes), one = run("ig", 1, nodes), beside = beside_another(),
         peers = vapply(peers, function(peer) ask_peer(peer, "gradient")[1], 0)))
column <- function(case, name) vapply(turns, function(turn) turn[[case]][[name]], 0)
median_of <- function(case, name) stats::median(column(case, name))
seconds <- median_of("all", "seconds") / nodes
many <- run("ig", threads, 10 * nodes)
explained <- turns[[1]]$all[["output"]] - turns[[1]]$all[["baseline_output"]]
gap <- turns[[1]]$all[["gap"]]
same <- all(vapply(turns, function(turn) turn$one[["gap"]] == gap, NA))

print(data.frame(case = "ig", length_bp = length_word, nodes = c(nodes, nodes, 10 * nodes), threads = c(threads, 1, threads),
                 seconds = c(median_of("all", "seconds"), median_of("one", "seconds"), many[["seconds"]]),
                 seconds_per_node = c(seconds, median_of("one", "seconds") / nodes, many[["seconds"]] / (10 * nodes)),
                 memory_before_mb = c(median_of("all", "memory_before_mb"), median_of("one", "memory_before_mb"), many[["memory_before_mb"]]),
                 peak_memory_mb = c(median_of("all", "memory_mb"), median_of("one", "memory_mb"), many[["memory_mb"]])),
      right = FALSE, row.names = FALSE, digits = 4)
figure("seconds_per_node", seconds, "s")
figure("seconds_per_node_of_500", many[["seconds"]] / (10 * nodes), "s")
figure("peak_memory_mb", max(column("all", "memory_mb")), "MB")
figure("peak_memory_mb_at_500_nodes", many[["memory_mb"]], "MB")
figure("share_of_direct_fma_peak_percent", 100 * direct_operations() / seconds / (1e9 * fma_peak()[["all"]]), "%")
figure("thread_scaling", stats::median(column("one", "seconds") / column("all", "seconds")), "times")
figure("thread_scaling_of_two_processes", stats::median(2 * column("one", "seconds") / column("beside", "seconds")), "times")
figure("completeness_gap", gap, "logits")
figure("completeness_gap_relative", 100 * abs(gap / explained), "% of F(x) - F(baseline)")
for (name in names(peers)) {
    theirs <- vapply(turns, function(turn) turn$peers[[name]], 0)
    figure(paste0(name, "_seconds_per_node"), stats::median(theirs), "s")
    figure(paste0(name, "_peak_memory_mb"), answers[[name]][3], "MB")
    figure(paste0(if (name == "tensorflow") "megabase" else name, "_ratio"), stats::median(theirs / (column("all", "seconds") / nodes)), "times")
    stop_peer(peers[[name]])
}
if (!same) stop("the completeness gap depends on threads")
