# inst/benchmarks/motif-network.R: the motif network: time of a step, and what it finds in four simulated sets. tools/bench motif-network;
# MOTIF_SETS="B1 B2" for these only ("": times alone); MOTIF_RESTARTS (1; 3 as users have it), MOTIF_SEED; MOTIF_KIND=syntax for linear keys
# and tied strands; MOTIF_SCHEDULE=paper; MOTIF_OTHERS=no without the CNN and the ablation;
# MOTIF_CNN_EPOCHS (30, of 6,400 new sequences); MOTIF_STEPS=no without times; MOTIF_TEST sequences (10000; hits are read in 2000 of them).
#
# A row is a classifier of new sequences: the best possible (Bayes), ours, a plain CNN, and the motif network without the overlap and L1 terms,
# which has no motifs. "r": similarity of the motif found to the true one, either strand. "P/R": precision and recall of hits at four cuts;
# "scan": precision of a plain scan with the same motifs where it finds as many sites. "gaps": of positives with exactly two hits.
library(nucleograd)
options(cli.progress_show_after = Inf)
say <- Sys.getenv
sets <- strsplit(say("MOTIF_SETS", "B1 B2 B3 B4"), " ")[[1]]
seed <- as.integer(say("MOTIF_SEED", "1"))
kind <- if (say("MOTIF_KIND") == "syntax") list(score = "key", key = "linear", tie_strands = TRUE) else list()
kind$schedule <- say("MOTIF_SCHEDULE", "thorough")
similarity <- nucleograd:::motif_similarity
layers_of <- function(set) if (set %in% c("B2", "B4")) 2 else 1
figure <- function(name, value, unit) cat(sprintf("%s: %.4g %s\n", name, value, unit))
quietly <- function(expression) suppressWarnings(expression, classes = "nucleograd_warning")

# ---- time of a step: B = 128, the overlap term on, half of the activations positive at first and few at the end ----

if (say("MOTIF_STEPS") != "no") for (threads in 1:2) for (set in c("B1", "B2")) {
    fit <- quietly(motif_network(simulate_motifs(set, 128, seed = 100), layers = layers_of(set), schedule = motif_schedule(3, 4, 3), restarts = 1,
                                 seed = 1, threads = threads))
    figure(sprintf("step_%d_layers_%d_threads", layers_of(set), threads), mean(fit$trace$seconds) * 10, "ms")
}
figure("reference_step_1_layers_1_threads", 22, "ms")                 # double precision, written from the same formulas
figure("reference_step_2_layers_1_threads", 34, "ms")

# ---- what it finds ----

row <- function(set, name, logit, y, more = "")
    cat(sprintf("%s  %-14s accuracy %.3f  auroc %.3f  %s\n", set, name, mean((logit > 0) == (y == 1)), nucleograd:::roc_area(logit, y == 1), more))

# The best similarity of each true motif, as it is and turned, to any motif found.
recovered <- function(fit, names) {
    pfm <- attr(motifs(fit), "pfm")
    best <- function(truth) max(0, vapply(pfm, similarity, 0, truth))
    paste(vapply(names, function(name) {
        truth <- motif_library()[[name]]
        sprintf("%s %.3f/%.3f", name, best(truth), best(truth[4:1, ncol(truth):1]))
    }, ""), collapse = " ")
}

# Precision of a scan with the motifs of a fit at the threshold where it finds `recall` of the sites.
scan_precision <- function(fit, x, sites, recall) {
    pfm <- attr(motifs(fit), "pfm")
    name <- sub("\\(-\\)$", "", names(pfm))
    codes <- matrix(match(unlist(strsplit(as.character(x), "")), c("A", "C", "G", "T")), Biostrings::width(x)[1])
    found <- do.call(c, lapply(seq_along(pfm), function(k) {
        odds <- log2((pfm[[k]] + 0.01) / 0.26)
        last <- nrow(codes) - ncol(odds) + 1
        score <- Reduce(`+`, lapply(seq_len(ncol(odds)), function(w) matrix(odds[codes[w - 1 + seq_len(last), ], w], last)))
        high <- which(score > 0, arr.ind = TRUE)
        GenomicRanges::GRanges(factor(names(x)[high[, 2]], names(x)), IRanges::IRanges(high[, 1], width = ncol(odds)), motif = name[k],
                               attention = score[high], activation = 0)
    }))
    found <- nucleograd:::one_of_many(found)                          # highest first
    low <- 1
    high <- length(found)
    while (low < high) {
        middle <- (low + high) %/% 2
        if (evaluate_hits(found[seq_len(middle)], sites)$recall >= recall) high <- middle else low <- middle + 1
    }
    evaluate_hits(found[seq_len(low)], sites)$precision
}

# The commonest pair, and how many of its gaps lie within as many values as the grammar has; both motifs as trimmed, which may move gaps.
gap_words <- function(set, fit, test) {
    if (!set %in% c("B2", "B4")) return("")
    found <- quietly(syntax(fit, test, cut = 0.5, seed = 1))
    if (is.null(found$spacing)) return("no pair of motifs has a spacing")
    pair <- found$spacing$configuration[1]
    gaps <- found$gaps[found$gaps$configuration == pair, ]
    values <- if (set == "B2") 6 else 1
    together <- diff(c(0, cumsum(gaps$n)), values)
    first <- gaps$gap[which.max(together)]
    sprintf("gaps of %s: %.3f of %d in %d..%d", pair, max(together) / sum(gaps$n), sum(gaps$n), as.integer(first), as.integer(first) + values - 1L)
}

for (set in sets) {
    test <- simulate_motifs(set, as.integer(say("MOTIF_TEST", "10000")), seed = 200)
    row(set, "best possible", bayes_score(test), test$y)
    began <- proc.time()[["elapsed"]]
    fit <- quietly(do.call(motif_network, c(list(simulate_motifs(set, 1280, seed = 100), layers = layers_of(set),
                                                 restarts = as.integer(say("MOTIF_RESTARTS", "1")), seed = seed), kind)))
    elapsed_seconds <- proc.time()[["elapsed"]] - began
    positive <- utils::head(test$x[test$y == 1], 1000)
    sites <- test$sites[as.character(GenomicRanges::seqnames(test$sites)) %in% names(positive)]
    row(set, "motif network", predict(fit, test$x, "logit"), test$y, sprintf("validation loss %s  %.0f s", paste(
        format(round(fit$restarts$validation, 3)), collapse = " "), elapsed_seconds))
    cat(sprintf("    r (+/-)  %s; %d motifs\n", recovered(fit, unique(sites$motif)), nrow(motifs(fit))))
    if (!nrow(motifs(fit))) next
    pairs <- vapply(c(0.9, 0.7, 0.5, 0.3), function(cut) unlist(evaluate_hits(quietly(hits(fit, positive, cut)), sites)[c("precision", "recall")]),
                    numeric(2))
    cat("    P/R at .9 .7 .5 .3 ", sprintf("%.3f/%.3f", pairs[1, ], pairs[2, ]), sprintf(" scan at recall %.3f: %.3f", pairs[2, 3],
                                                                                       scan_precision(fit, positive, sites, pairs[2, 3])), "\n")
    words <- gap_words(set, fit, simulate_motifs(set, 2000, seed = 200))
    if (nzchar(words)) cat("    ", words, "\n", sep = "")
    if (say("MOTIF_OTHERS") == "no") next
    cnn <- sequence_network(500, conv(32, 12), pool(3), batch_norm(0.9), conv(64, 12), pool(3), batch_norm(0.9), conv(64, 12), pool(3),
                            batch_norm(0.9), flatten(), dense(32, "relu"), dense(1, "sigmoid"), seed = seed)
    learned <- fit_model(cnn, simulate_motifs(set, 1280, seed = 300), epochs = as.integer(say("MOTIF_CNN_EPOCHS", "30")), samples_per_epoch = 6400,
                         batch_size = 64, schedule = "cosine", augment_reverse_complement = TRUE, seed = seed)
    row(set, "plain CNN", stats::qlogis(S4Vectors::mcols(predict(learned, test$x))[[1]]), test$y)
    if (set != "B1") next
    free <- quietly(motif_network(simulate_motifs(set, 1280, seed = 100), schedule = motif_schedule(30, 0, 0), restarts = 1, seed = seed))
    row(set, "no overlap, L1", predict(free, test$x, "logit"), test$y, sprintf("motifs %d, windows a sequence %.1f", sum(free$filters$pass),
                                                                              max(free$filters$rate)))
}
