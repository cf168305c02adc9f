# inst/benchmarks/motif-network.R: the motif network: time of a step, and what it finds in four simulated sets. tools/bench motif-network;
# with MOTIF_SETS="B1 B2" only these, MOTIF_SCHEDULE, MOTIF_RESTARTS and MOTIF_KIND=linear for the setting that is recommended for syntax.
library(nucleograd)
options(cli.progress_show_after = Inf)
say <- Sys.getenv
sets <- strsplit(say("MOTIF_SETS", "B1 B2 B3 B4"), " ")[[1]]
schedule <- say("MOTIF_SCHEDULE", "paper")
restarts <- as.integer(say("MOTIF_RESTARTS", "3"))
kind <- if (say("MOTIF_KIND") == "linear") list(score = "key", key = "linear", tie_strands = TRUE) else list()
similarity <- nucleograd:::motif_similarity

# The best similarity of a motif on either strand to any motif found.
recovered <- function(fit, name) {
    pfm <- attr(motifs(fit), "pfm")
    truth <- motif_library()[[name]]
    turned <- truth[4:1, ncol(truth):1]
    max(0, vapply(pfm, function(found) max(similarity(found, truth), similarity(found, turned)), 0))
}

for (set in sets) {
    layers <- if (set %in% c("B2", "B4")) 2 else 1
    began <- proc.time()[["elapsed"]]
    fit <- do.call(motif_network, c(list(simulate_motifs(set, 1280, seed = 100), layers = layers, schedule = schedule, restarts = restarts, seed = 1),
                                    kind))
    elapsed_seconds <- proc.time()[["elapsed"]] - began
    test <- simulate_motifs(set, 1280, seed = 200)
    positive <- test$x[test$y == 1]
    true_sites <- test$sites[as.character(GenomicRanges::seqnames(test$sites)) %in% names(positive)]
    logit <- predict(fit, test$x, "logit")
    bayes <- bayes_score(test)
    score <- function(value) c(mean((value > 0) == (test$y == 1)), nucleograd:::roc_area(value, test$y == 1))
    numbers <- c(score(bayes), score(logit))
    cat(sprintf("%s  bayes %.3f/%.3f  ours %.3f/%.3f  motifs %d  ", set, numbers[1], numbers[2], numbers[3], numbers[4], nrow(motifs(fit))))
    for (name in unique(true_sites$motif)) cat(sprintf("%s r %.3f  ", name, recovered(fit, name)))
    for (cut in c(0.9, 0.7, 0.5, 0.3)) {
        found <- evaluate_hits(suppressWarnings(hits(fit, positive, cut)), true_sites)
        cat(sprintf("P/R at %.1f %.2f/%.2f  ", cut, found$precision, found$recall))
    }
    cat(sprintf("restarts %s  %.0f s\n", paste(format(round(fit$restarts$validation, 3)), collapse = " "), elapsed_seconds))
    steps <- nrow(fit$trace) * 100
    figure <- function(name, value, unit) cat(sprintf("%s: %.4g %s\n", name, value, unit))
    figure(paste0("step_", layers, "_layers_", set), 1000 * sum(fit$trace$seconds) / steps, "ms")
}
