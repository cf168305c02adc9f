# inst/benchmarks/experiments.R: whether attributions find planted motifs, by their entropy, number and length. tools/bench experiments;
# EXPERIMENT_SETS="high low" for these only; EXPERIMENT_SEQUENCES, EXPERIMENT_EPOCHS (at most), EXPERIMENT_EXPLAINED, EXPERIMENT_SEED.
#
# One network for all: 600 bp, three convolutions. Training takes 5 epochs, then goes on until the validation loss is below 0.01 or has
# not fallen for 5 epochs; the weights of the best epoch count. What does not pass a gate is not explained: a balanced accuracy above
# 0.97, or 0.03 below the best that anyone could do, as a motif of w letters also comes by chance: 1 - (1 - (1 - 4^-w)^(601 - w)) / 2.
library(nucleograd)
options(cli.progress_show_after = Inf)
setting <- function(name, default) as.integer(Sys.getenv(paste0("EXPERIMENT_", name), default))
high <- "GGTTCGACACGAGTATAGCTAGTATACTCCG"
medium <- "TATAGCGCAGCCCTTATGGAGAGTCCATGA"
lengths <- c(6, 8, 10, 15, 20, 30)
motif <- c(high = high, medium = medium, low = strrep("TATAG", 6), lowest = strrep("A", 30), TA = strrep("TA", 15), GAT = strrep("GAT", 10),
           high_recurrent = high, low_recurrent = strrep("TATAG", 6), stats::setNames(substring(high, 1, lengths), paste0("length_", lengths)),
           length_61 = paste0(high, medium))
sets <- strsplit(Sys.getenv("EXPERIMENT_SETS", paste(names(motif), collapse = " ")), " ")[[1]]
n <- setting("SEQUENCES", "10000")
seed <- setting("SEED", "1")
ways <- list(ig_uniform = list(baseline = "uniform", nodes = 50), ig_zero = list(baseline = "zero", nodes = 50),
             ig_shuffle = list(baseline = "shuffle", replicates = 5, nodes = 20), gradient_x_input = list(method = "gradient_x_input"))

accuracy_bound <- function(width) 1 - (1 - (1 - 4^-width)^(601 - width)) / 2

# A data set and a network that has learned 80 % of it; 10 % say when to stop, 10 % are kept for the test.
learn <- function(set) {
    recurrent <- grepl("recurrent", set)
    sim <- simulate_motifs(motif[[set]], n, 600, place = if (recurrent) "periodic" else "uniform", copies = 6, seed = 1)
    part <- cut(seq_len(n) / n, c(0, 0.8, 0.9, 1), labels = FALSE)
    network <- sequence_network(600, conv(32, 12), pool(3), batch_norm(0.9), conv(64, 12), pool(3), batch_norm(0.9), conv(64, 12), pool(3),
                                batch_norm(0.9), flatten(), dense(32, "relu"), dense(1, "sigmoid"), seed = seed)
    fit <- fit_model(network, sim$x[part == 1], sim$y[part == 1], epochs = setting("EPOCHS", "30"), batch_size = 64, seed = seed,
                     validation = list(sim$x[part == 2], sim$y[part == 2]), early_stopping = 5,
                     callbacks = list(function(history) nrow(history) < 5 || utils::tail(history$val_loss, 1) >= 0.01))
    yes <- S4Vectors::mcols(predict(fit, sim$x[part == 3]))[[1]] > 0.5
    truth <- sim$y[part == 3] == 1
    shown <- utils::head(sim$x[part == 3][truth & yes], setting("EXPLAINED", "50"))
    list(fit = fit, epochs = nrow(as.data.frame(fit)), balanced = mean(c(yes[truth], !yes[!truth])), shown = shown,
         sites = sim$sites[as.character(GenomicRanges::seqnames(sim$sites)) %in% names(shown)])
}

# The share of motif bases whose three mutants all have a lower logit: exact, no gradient.
mutagenesis_match <- function(learned) {
    effects <- mutagenesis(learned$fit, learned$shown, learned$sites)@effects
    rows <- do.call(rbind, effects)
    rows <- rows[!is.na(rows[, 1]), ]
    mean(rowSums(rows < 0) == 3)
}

# The mean sum of S over the copies of a motif.
score_per_copy <- function(scores, sites) {
    contig <- as.character(GenomicRanges::seqnames(sites))
    sums <- lapply(unique(contig), function(name) {
        own <- sites[contig == name]
        diff(c(0, cumsum(base_scores(scores, name))), GenomicRanges::width(own)[1])[GenomicRanges::start(own)]
    })
    mean(unlist(sums))
}

# A row for each way to explain: what motif_detection() says, the score of a copy, the median completeness gap as a share of what is explained, and the
# mean answers to sequences and baselines, whose difference is explained.
explain <- function(set, learned) {
    mutants <- mutagenesis_match(learned)
    do.call(rbind, lapply(names(ways), function(way) {
        scores <- suppressWarnings(do.call(attribution, c(list(learned$fit, learned$shown, seed = 1), ways[[way]])))
        measure <- with(motif_detection(scores, learned$sites), stats::setNames(value, measure))
        window <- scores@windows
        gap <- if (way == "gradient_x_input") NA else stats::median(abs(window$gap / (window$output - window$baseline_output)))
        data.frame(set, way, balanced = learned$balanced, epochs = learned$epochs, as.list(measure), mutants, score_per_copy = score_per_copy(scores, learned$sites), gap,
                   logit = mean(window$output), baseline = mean(window$baseline_output))
    }))
}

cat(sprintf("%-15s%-17s%9s%7s%7s%9s%11s%8s%7s%7s%8s%7s%7s%7s%8s%9s%8s%7s%9s%9s\n", "set", "way", "balanced", "epochs", "match", "centred", "background",
            "mutants", "S/N", "AUROC", "AUROC_S", "AUPRC", "chance", "P_at_k", "copies", "S_a_copy", "gap", "logit", "baseline", "seconds"))
table <- data.frame()
for (set in sets) {
    began <- proc.time()[["elapsed"]]
    learned <- learn(set)
    gate <- min(0.97, accuracy_bound(nchar(motif[[set]])) - 0.03)
    if (learned$balanced <= gate) {
        cat(sprintf("%-15s%-17s%9.3f%7d   the gate is %.3f, %.0f seconds\n", set, "not trained", learned$balanced, learned$epochs, gate,
                    proc.time()[["elapsed"]] - began))
        next
    }
    rows <- explain(set, learned)
    chance <- sum(GenomicRanges::width(learned$sites)) / sum(Biostrings::width(learned$shown))
    with(rows, cat(sprintf("%-15s%-17s%9.3f%7d%7.2f%9.3f%11.2f%8.3f%7.1f%7.3f%8.3f%7.2f%7.2f%7.2f%8.2f%9.2f%8.4f%7.1f%9.1f%9.0f\n", set, way, balanced, epochs,
                           match_rate, match_rate_centred, match_rate_background, mutants, signal_to_noise, auroc_absolute, auroc, auprc_absolute,
                           chance, precision_at_k, copies_found, score_per_copy, gap, logit, baseline, proc.time()[["elapsed"]] - began), sep = ""))
    table <- rbind(table, rows)
}

# What the published talk says of IG with a uniform baseline, beside what is found here, for each baseline.
one <- setdiff(sets, grep("recurrent|length", sets, value = TRUE))
found <- function(area) if (min(area) >= 0.95) "confirmed" else "not confirmed"
across <- function(x) sprintf("%.2f to %.2f", min(x), max(x))
for (way in grep("^ig", names(ways), value = TRUE)) {
    of <- table[table$way == way, ]
    entropy <- of[of$set %in% one, ]
    if (nrow(entropy) > 1) {
        cat(sprintf("%s: detected whatever the entropy? AUROC of S %s: %s; of |S| %s: %s\n", way, across(entropy$auroc), found(entropy$auroc),
                    across(entropy$auroc_absolute), found(entropy$auroc_absolute)))
        cat(sprintf("%s: is the true base less often the highest at low entropy? match rate %s, by mutation %s%s\n", way, across(entropy$match_rate),
                    across(entropy$mutants),
                    if (anyNA(entropy$match_rate_centred)) ""
                    else sprintf(", centred %s: %s", across(entropy$match_rate_centred),
                                 if (min(entropy$match_rate_centred) >= 0.9) "an artefact of the raw gradient" else "confirmed")))
    }
    for (pair in list(c("high", "high_recurrent"), c("low", "low_recurrent"))) if (all(pair %in% of$set)) {
        pick <- function(column) sprintf("%.2f and %.2f", of[of$set == pair[1], column], of[of$set == pair[2], column])
        drop <- diff(of$auroc_absolute[match(pair, of$set)])
        cat(sprintf("%s: less precise where %s recurs? AUROC of |S| %s, P at k %s, copies found %s, S a copy %s: %s\n", way, pair[1],
                    pick("auroc_absolute"), pick("precision_at_k"), pick("copies_found"), pick("score_per_copy"),
                    if (drop < -0.02) "confirmed" else "not confirmed"))
    }
    long <- of[grepl("length", of$set) & of$auroc >= 0.9, ]
    if (nrow(long)) {
        shortest <- min(nchar(motif[long$set]))
        cat(sprintf("%s: the shortest motif that is learned and found has %d letters; nobody could be more accurate than %.4f\n", way, shortest,
                    accuracy_bound(shortest)))
    }
}
