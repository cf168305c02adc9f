# inst/benchmarks/mutagenesis.R: every substitution of a 500-bp window beside tangermeme, and of one 3-kb gene inside 1,000,000 bp.
# The two take turns, so that a busy machine slows both; tangermeme has the best of several batch sizes.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("architectures.R", "report.R", "peers/peer.R")) source(file.path(here, file))
options(cli.progress_show_after = Inf, width = 200)
repetitions <- 7
threads <- 2
length_bp <- 500
seconds_of <- function(expression) system.time(expression)[["elapsed"]]

model <- three_layer_network(length_bp)
window <- formula_genome(length_bp)
mutants <- function() mutagenesis(model, window, threads = threads)
found <- mutants()
python <- peer_python()
ours <- theirs <- rep(NA_real_, repetitions)
max_error <- NA_real_
if (!is.null(python)) {
    file <- tempfile()
    peer <- start_peer(python, "mutagenesis_torch.py", length_bp, threads, file)
    batches <- c(32, 128, 512, 1500)
    tried <- vapply(batches, function(batch) min(vapply(1:3, function(turn) ask_peer(peer, as.character(batch)), 0)), 0)
    batch <- batches[which.min(tried)]
    expected <- matrix(readBin(file, "double", 4 * length_bp), ncol = 4, byrow = TRUE)
    max_error <- max(abs(found@effects[[1]] - expected)) / max(abs(expected))
}
for (turn in seq_len(repetitions)) {
    ours[turn] <- seconds_of(mutants())
    if (!is.null(python)) theirs[turn] <- ask_peer(peer, as.character(batch))
}
if (!is.null(python)) stop_peer(peer)

gene <- GenomicRanges::GRanges("contig_1:500001-503000")
large <- sporulation_network(1e6)
genome <- formula_genome(1e6)
in_gene <- seconds_of(of_gene <- mutagenesis(large, genome, gene, threads = threads))
forward <- seconds_of(predict(large, genome, threads = threads))
operations <- plan(large, genome, "predict")@settings$operations

print(data.frame(case = c("window_500", "gene_3000_in_1mb"), mutants = c(1500, 9000), threads = threads, seconds = c(stats::median(ours), in_gene),
                 tangermeme_seconds = c(stats::median(theirs), NA), batch = c(if (is.null(python)) NA else batch, NA), max_error = c(max_error, NA)),
      right = FALSE, row.names = FALSE, digits = 4)
figure("mutagenesis_ratio", stats::median(theirs / ours), "times tangermeme")
figure("gene_mutagenesis_seconds", in_gene, "s")
figure("gene_mutagenesis_ratio_of_operations", 9001 * operations / of_gene@settings$operations, "times fewer than predictions")
figure("gene_mutagenesis_forwards", in_gene / forward, "predictions of the window would take as long")
if (isTRUE(max_error > 1e-5)) stop("the values differ")
