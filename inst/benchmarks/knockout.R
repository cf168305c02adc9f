# inst/benchmarks/knockout.R: all genes of a 1,000,000-bp window knocked out in the sporulation architecture, beside predictions.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("architectures.R", "report.R")) source(file.path(here, file))
options(cli.progress_show_after = Inf, width = 200)
repetitions <- 3
threads <- 2
length_bp <- 1e6
seconds_of <- function(expression) system.time(expression)[["elapsed"]]

model <- sporulation_network(length_bp)
genome <- Biostrings::subseq(example_genome(), 1, length_bp)
genes <- suppressWarnings(IRanges::subsetByOverlaps(example_annotation(), GenomicRanges::GRanges("CHLTCG:1-1000000"), type = "within"))

# The prediction without gene k, as a whole.
without <- function(k) {
    rows <- array(0, c(1, length_bp, 4))
    codes <- as.integer(nucleograd:::base_codes(genome[[1]]))
    rows[cbind(1, which(codes < 4), codes[codes < 4] + 1)] <- 1
    replaced <- BiocGenerics::start(genes)[k]:BiocGenerics::end(genes)[k]
    rows[1, replaced[codes[replaced] < 4], ] <- 0.25
    predict(model, rows, threads = threads)[1]
}

runs <- vapply(seq_len(repetitions), function(turn)
    c(knockout = seconds_of(found <<- knockout(model, genome, genes, threads = threads)),
      one = seconds_of(knockout(model, genome, genes, threads = 1)),
      forward = seconds_of(predict(model, genome, threads = threads))), numeric(3))
seconds <- apply(runs, 1, stats::median)
checked <- round(seq(1, length(genes), length.out = 6))
probability <- knockout(model, genome, genes[checked], output = "probability", threads = threads)
max_error <- max(abs(probability$changed - vapply(checked, without, 0)))
operations <- plan(model, genome, "predict")@settings$operations

print(data.frame(case = "all_genes", genes = length(genes), length_bp = format(length_bp, scientific = FALSE), threads = c(threads, 1),
                 seconds = seconds[c("knockout", "one")], forward_seconds = c(seconds[["forward"]], NA), max_error = c(max_error, NA)),
      right = FALSE, row.names = FALSE, digits = 4)
figure("knockout_seconds", seconds[["knockout"]], "s")
figure("knockout_ratio_of_operations", (length(genes) + 1) * operations / found@settings$operations, "times fewer than predictions")
figure("knockout_ratio_of_time", stats::median((length(genes) + 1) * runs["forward", ] / runs["knockout", ]), "times faster than predictions")
figure("knockout_forwards", stats::median(runs["knockout", ] / runs["forward", ]), "predictions of the window take as long")
figure("thread_scaling", stats::median(runs["one", ] / runs["knockout", ]), "times")
if (max_error > 1e-6) stop("the values differ")
