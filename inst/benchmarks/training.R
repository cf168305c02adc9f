# inst/benchmarks/training.R: an epoch of training, beside TensorFlow and PyTorch on the same threads. The three take turns, so that a
# busy machine slows all; a ratio is the median over turns. Networks: the convolutions of the motif experiments (600 bp, 121,185
# parameters) and convolutions before an LSTM (500 bp, 88,546 parameters); sequences of which every second one holds a motif.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("report.R", "peers/peer.R")) source(file.path(here, file))
options(cli.progress_show_after = Inf, width = 200)
count <- 4096
batch_size <- 64
threads <- 2
repetitions <- 3

networks <- list(
    cnn = sequence_network(600, conv(32, 12), pool(3), batch_norm(0.9), conv(64, 12), pool(3), batch_norm(0.9), conv(64, 12), pool(3),
                           batch_norm(0.9), flatten(), dense(32, "relu"), dense(1, "sigmoid"), seed = 1),
    cnn_lstm = initialize_weights(example_architecture("window"), seed = 1))

set.seed(1)
planted <- function(length_bp) {
    x <- apply(matrix(sample(c("A", "C", "G", "T"), count * length_bp, TRUE), count), 1, paste, collapse = "")
    with <- seq(2, count, by = 2)
    at <- sample(length_bp - 15, length(with), TRUE)
    substr(x[with], at, at + 14) <- "GGTTCGACACGAGTA"
    x
}

python <- peer_python()
lines <- lapply(names(networks), function(name) {
    x <- planted(networks[[name]]@inputs[[1]][1])
    letters <- tempfile()
    writeLines(x, letters)
    peers <- list()
    for (peer in if (!is.null(python)) c("tensorflow", "torch")) {
        script <- c(tensorflow = "training.py", torch = "training_torch.py")[[peer]]
        peers[[peer]] <- start_peer(python, script, name, letters, batch_size, threads)
    }
    x <- Biostrings::DNAStringSet(x)
    y <- factor(rep(c("without", "with"), length.out = count), c("without", "with"))
    seconds <- matrix(NA_real_, repetitions, 3, dimnames = list(NULL, c("ours", "tensorflow", "torch")))
    accuracy <- seconds[1, ]
    fit <- networks[[name]]
    for (turn in seq_len(repetitions)) {
        seconds[turn, "ours"] <- system.time(fit <- fit_model(fit, x, y, epochs = 1, batch_size = batch_size, seed = turn, threads = threads))[["elapsed"]]
        accuracy[["ours"]] <- as.data.frame(fit)$accuracy
        for (peer in names(peers)) {
            answer <- ask_peer(peers[[peer]], "epoch")
            seconds[turn, peer] <- answer[1]
            accuracy[[peer]] <- answer[2]
        }
    }
    for (peer in peers) stop_peer(peer)
    data.frame(case = name, samples = count, batch_size = batch_size, threads = threads, seconds = stats::median(seconds[, "ours"]),
               tensorflow_seconds = stats::median(seconds[, "tensorflow"]), torch_seconds = stats::median(seconds[, "torch"]),
               tensorflow_ratio = stats::median(seconds[, "tensorflow"] / seconds[, "ours"]),
               torch_ratio = stats::median(seconds[, "torch"] / seconds[, "ours"]), accuracy = accuracy[["ours"]],
               tensorflow_accuracy = accuracy[["tensorflow"]], torch_accuracy = accuracy[["torch"]])
})
lines <- do.call(rbind, lines)
print(lines, digits = 3, row.names = FALSE)
for (i in seq_len(nrow(lines))) {
    figure(paste0("training_", lines$case[i], "_epoch"), lines$seconds[i], "s")
    figure(paste0("training_", lines$case[i], "_tensorflow_over_ours"), lines$tensorflow_ratio[i], "times")
    figure(paste0("training_", lines$case[i], "_torch_over_ours"), lines$torch_ratio[i], "times")
}
