# inst/benchmarks/genome-training_process.R: length, steps, threads and learning rate as words; prints resident memory in MB before training and
# at most, the loss of the last step, and the seconds of each step but the first two, which make the trainer and touch its memory.
suppressPackageStartupMessages(requireNamespace("nucleograd"))
words <- as.numeric(commandArgs(TRUE))
memory_mb <- function(key) as.numeric(sub("[^0-9]*([0-9]+).*", "\\1", grep(key, readLines("/proc/self/status"), value = TRUE))) / 1024
options(cli.progress_show_after = Inf)
model <- nucleograd::initialize_weights(nucleograd::example_architecture("sporulation"), seed = 1)
set.seed(1)
x <- Biostrings::DNAStringSet(rep(paste(sample(c("A", "C", "G", "T"), words[1], TRUE), collapse = ""), 2))
before <- memory_mb("VmRSS")
seconds <- numeric()
note <- function(history) seconds <<- c(seconds, proc.time()[["elapsed"]])
fit <- nucleograd::fit_model(model, x[1], 1, epochs = words[2] + 2, batch_size = 1, learning_rate = words[4], seed = 1, threads = words[3],
                             memory_bytes = 2e9, callbacks = list(note))
cat(before, memory_mb("VmHWM"), utils::tail(fit@history$loss, 1), diff(seconds[-1]), "\n")
