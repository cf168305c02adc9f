# inst/benchmarks/genome-training.R: one training step of the sporulation network at 1,000,000 bp: seconds and memory, beside PyTorch. Every
# run of ours is a fresh R process; the two take turns, so that a busy machine slows both. Batch normalization by the statistics of the
# genome at hand, Adam, batches of one.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("report.R", "peers/peer.R")) source(file.path(here, file))
options(cli.progress_show_after = Inf, width = 200)
length_bp <- 1000000
threads <- 2
steps <- 3
repetitions <- 3

# What genome-training_process.R prints, as named numbers.
run <- function() {
    words <- c(file.path(here, "genome-training_process.R"), format(length_bp, scientific = FALSE), steps, threads)
    line <- system2(file.path(R.home("bin"), "Rscript"), words, stdout = TRUE, env = paste0("R_LIBS=", paste(.libPaths(), collapse = ":")))
    stats::setNames(scan(text = line, quiet = TRUE), c("seconds", "memory_before_mb", "memory_mb", "loss"))
}

python <- peer_python()
if (!is.null(python)) peer <- start_peer(python, "genome_training_torch.py", format(length_bp, scientific = FALSE), threads)
ours <- theirs <- NULL
for (turn in seq_len(repetitions)) {
    ours <- rbind(ours, run())
    theirs <- rbind(theirs, if (is.null(python)) rep(NA_real_, 3) else ask_peer(peer, "step"))
}
if (!is.null(python)) stop_peer(peer)
ratio <- stats::median(theirs[, 1] / ours[, "seconds"])
print(data.frame(case = "sporulation_step", length_bp = length_bp, threads = threads, seconds = stats::median(ours[, "seconds"]),
                 memory_before_mb = stats::median(ours[, "memory_before_mb"]), memory_mb = max(ours[, "memory_mb"]),
                 torch_seconds = stats::median(theirs[, 1]), torch_memory_mb = max(theirs[, 3]), ratio = ratio), digits = 4, row.names = FALSE)
figure("genome_training_step", stats::median(ours[, "seconds"]), "s")
figure("genome_training_memory", max(ours[, "memory_mb"]), "MB")
figure("genome_training_torch_over_ours", ratio, "times")
