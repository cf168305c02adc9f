# inst/benchmarks/genome-training.R: one training step of the sporulation network at 1,000,000 bp: seconds and memory, beside PyTorch. Every
# run of ours is a fresh R process, of ten steps; the two take turns, so that a busy machine slows both. Batch normalization by the statistics
# of the genome at hand, Adam, batches of one; a rate so small that the network does not become sure, which would leave nothing but zeros.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("report.R", "peers/peer.R")) source(file.path(here, file))
options(cli.progress_show_after = Inf, width = 200)
length_bp <- 1000000
threads <- 2
steps <- 10
rate <- 1e-6
repetitions <- 3

# What genome-training_process.R prints, as named numbers.
run <- function() {
    words <- c(file.path(here, "genome-training_process.R"), format(length_bp, scientific = FALSE), steps, threads, rate)
    line <- system2(file.path(R.home("bin"), "Rscript"), words, stdout = TRUE, env = paste0("R_LIBS=", paste(.libPaths(), collapse = ":")))
    numbers <- scan(text = line, quiet = TRUE)
    list(memory_before_mb = numbers[1], memory_mb = numbers[2], loss = numbers[3], seconds = numbers[-(1:3)])
}

python <- peer_python()
if (!is.null(python)) peer <- start_peer(python, "genome_training_torch.py", format(length_bp, scientific = FALSE), threads, rate)
ours <- list()
theirs <- NULL
for (turn in seq_len(repetitions)) {
    ours[[turn]] <- run()
    for (step in 1:2) theirs <- rbind(theirs, if (is.null(python)) rep(NA_real_, 3) else ask_peer(peer, "step"))
}
if (!is.null(python)) stop_peer(peer)
seconds <- unlist(lapply(ours, `[[`, "seconds"))
largest <- function(key) max(vapply(ours, `[[`, 0, key))
ratio <- stats::median(theirs[, 1]) / stats::median(seconds)
print(data.frame(case = "sporulation_step", length_bp = length_bp, threads = threads, steps = length(seconds), seconds = stats::median(seconds),
                 least_seconds = min(seconds), most_seconds = max(seconds), memory_before_mb = largest("memory_before_mb"),
                 memory_mb = largest("memory_mb"), torch_seconds = stats::median(theirs[, 1]), torch_least_seconds = min(theirs[, 1]),
                 torch_most_seconds = max(theirs[, 1]), torch_memory_mb = max(theirs[, 3]), ratio = ratio), digits = 4, row.names = FALSE)
figure("genome_training_step", stats::median(seconds), "s")
figure("genome_training_slowest_step", max(seconds), "s")
figure("genome_training_memory", largest("memory_mb"), "MB")
figure("genome_training_torch_over_ours", ratio, "times")
