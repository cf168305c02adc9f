# inst/benchmarks/values.R: float32 results against the same network in float64, and their bits for threads, tiles and kernels.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("architectures.R", "report.R", "peers/peer.R")) source(file.path(here, file))
options(cli.progress_show_after = Inf, width = 200)
length_bp <- 100000
nodes <- 10

model <- sporulation_network(length_bp)
genome <- formula_genome(length_bp)
explain <- function(threads = 2) attribution(model, genome, nodes = nodes, threads = threads)
found <- explain()
scores <- found@scores[[1]]

same <- vapply(1:3, function(threads) identical(explain(threads)@scores[[1]], scores), NA)
tiles <- vapply(c(1e4, 1e5, 5e5, 4e6, 1e8), function(bytes) {
    old <- options(nucleograd.tile_bytes = bytes)
    on.exit(options(old))
    identical(explain()@scores[[1]], scores)
}, NA)
figure("values_thread_counts_with_same_bits", sum(same), "of 3")
figure("values_tile_sizes_with_same_bits", sum(tiles), "of 5")

kernels <- lapply(c(portable = "portable", avx2 = "avx2", avx512 = "avx512"), function(name) {
    used <- tryCatch(nucleograd:::matrix_kernel(name), error = function(condition) NA)
    on.exit(nucleograd:::matrix_kernel(""))
    if (identical(used, name)) explain()@scores[[1]]
})
python <- peer_python()
if (!is.null(python)) {
    tensorflow <- function(precision) {
        file <- tempfile()
        peer <- start_peer(python, "values.py", format(length_bp, scientific = FALSE), 2, nodes, file, precision)
        on.exit(stop_peer(peer))
        list(logit = ask_peer(peer, "go")[2], scores = matrix(readBin(file, "double", 4 * length_bp), ncol = 4, byrow = TRUE))
    }
    exact <- tensorflow("float64")
    reference <- exact$scores
    # Where a node of the path lies within rounding of a kink, float32 may take its other side: all scores in reach differ then by more than
    # rounding. So the median of stretches of 1,000 bases, of the medians in them, says what rounding does, and how many stretches have a kink.
    stretch <- rep(rep(seq_len(length_bp / 1000), each = 1000), 4)
    compared <- c(Filter(Negate(is.null), kernels), list("TensorFlow in float32" = tensorflow("float32")$scores))
    table <- do.call(rbind, lapply(names(compared), function(name) {
        error <- abs(compared[[name]] - reference)
        there <- reference != 0
        relative <- error / abs(reference)
        by_stretch <- tapply(relative[there], stretch[there], stats::median)
        data.frame(kernel = name, median_relative_error = stats::median(relative[there]), median_of_stretches = stats::median(by_stretch),
                   stretches_with_a_kink = sum(by_stretch > 1e-5),
                   median_error_over_largest = stats::median(error) / max(abs(reference)),
                   largest_error_over_largest = max(error) / max(abs(reference)),
                   relative_l2 = sqrt(sum(error^2) / sum(reference^2)))
    }))
    print(table, row.names = FALSE, digits = 3)
    ours <- table$kernel != "TensorFlow in float32"
    figure("values_median_relative_error", max(table$median_relative_error[ours]), "of each score")
    figure("values_median_relative_error_of_tensorflow", table$median_relative_error[!ours], "of each score")
    figure("values_median_relative_error_of_stretches", max(table$median_of_stretches[ours]), "of each score, the median of stretches of 1,000 bases")
    figure("values_median_error_over_largest", max(table$median_error_over_largest[ours]), "of the largest score")
    figure("values_logit_error", abs(S4Vectors::mcols(found@windows)$output - exact$logit), "logits")
}
if (!all(same, tiles)) stop("the bits depend on threads or tiles")
