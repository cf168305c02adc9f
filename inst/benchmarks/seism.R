# inst/benchmarks/seism.R: selective inference for motifs, beside plain loops and the sampler of kernelPSI. All in one run on one
# machine: a step of the slice sampler, distances of k-mers, effective draws a second, and a whole analysis of 1000 sequences.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "report.R"))
options(cli.progress_show_after = Inf, width = 200, nucleograd.memory_bytes = 4e9)
core <- asNamespace("nucleograd")

# The plain loops, compiled here and now with R's own flags.
folder <- tempfile("plain")
dir.create(folder)
invisible(file.copy(file.path(here, "seism.c"), folder))
invisible(system2(file.path(R.home("bin"), "R"), c("CMD", "SHLIB", shQuote(file.path(folder, "seism.c"))), stdout = TRUE, stderr = TRUE))
invisible(dyn.load(file.path(folder, paste0("seism", .Platform$dynlib.ext))))

seconds_of <- function(expression) system.time(expression)[["elapsed"]]
frame <- environment()
run_with <- function(threads) core$run_settings(threads, frame = frame)
key <- c(1, 2)
settings <- function(sigma = NA_real_, sampler = 0L, L = 20L, test = 0L) list(test, sigma, 0L, sampler, L, 0L, key)
ridge <- list(0L, 0, 0L, 0.5, FALSE)

random_sequences <- function(n, length) list(as.raw(sample(0:3, n * length, TRUE)), rep(as.integer(length), n))
design_of <- function(sequences, k, most, run) {
    n <- length(sequences[[2]])
    core$core_design(sequences, NULL, list(0L, k, list(), 1, most, 1L), ridge, matrix(1, n, 1), run)
}

# Activations of the candidates of a design, rows of mean 0 and norm 1: what the plain loops work on.
unit_rows <- function(sequences, design) {
    pwms <- lapply(strsplit(design$kmer[design$alias == seq_along(design$alias)], ""),
                   function(letters) outer(c("A", "C", "G", "T"), letters, "==") * 1)
    phi <- core$core_activate(sequences, pwms, 0.5, FALSE, run_with(2))$activation
    phi <- sweep(phi, 2, colMeans(phi))
    sweep(phi, 2, sqrt(colSums(phi^2)), "/")
}

# Microseconds per step and chain.
step_time <- function(n, most, k = 5L) {
    set.seed(n)
    sequences <- random_sequences(n, 50)
    run <- run_with(1)
    design <- design_of(sequences, k, most, run)
    rows <- unit_rows(sequences, design)
    y <- rnorm(n)
    selected <- core$core_select(design$pointer, y, 1L, run)$candidate
    B <- 480L
    ours <- plain <- numeric(3)
    chains <- function(L) seconds_of(core$core_chains(design$pointer, y, 1L, settings(L = L), c(1L, B), run))
    steps <- as.integer(2e8 / (n * ncol(rows)))
    for (turn in 1:3) {
        ours[turn] <- (chains(30L) - chains(10L)) / (20 * (B + 1)) * 1e6
        plain[turn] <- seconds_of(.C("plain_slice", rows, ncol(rows), n, y - mean(y), selected - 1L, steps)) / steps * 1e6
    }
    data.frame(case = sprintf("slice_step_%d_%d", n, ncol(rows)), rows = n, candidates = ncol(rows), threads = 1,
               microseconds = stats::median(ours), plain_microseconds = stats::median(plain), ratio = stats::median(plain / ours))
}

# Distances of all 8-mers of 200 sequences of 500 bases, against window by window for some of them.
distance_time <- function() {
    sequences <- random_sequences(200, 500)
    run <- run_with(1)
    ours <- seconds_of(design_of(sequences, 8L, 100, run)) / 200 * 1e6
    windows <- sample.int(4^8, 493) - 1L
    kmers <- sample.int(4^8, 2000) - 1L
    plain <- seconds_of(.C("plain_distance", windows, 493L, kmers, 2000L, 8L, integer(2000))) * 4^8 / 2000 * 1e6
    data.frame(case = "design_8mers_of_one_sequence", rows = 500, candidates = 4^8, threads = 1, microseconds = ours,
               plain_microseconds = plain, ratio = plain / ours)
}

# Effective draws a second of the first motif's statistic, sigma known. The dense forms have the chain of the cube sampler, so its
# autocorrelation, at another cost per draw. How slowly the cube mixes is seen from one chain: its figure is rough.
effective_draws <- function(n, m) {
    set.seed(n)
    sequences <- random_sequences(n, 50)
    run <- run_with(1)
    design <- design_of(sequences, 5L, m, run)
    y <- rnorm(n)
    y <- y - mean(y)
    rows <- unit_rows(sequences, design)
    selected <- core$core_select(design$pointer, y, 1L, run)$candidate
    lines <- lapply(c("slice", "line", "cube"), function(sampler) {
        steps <- c(slice = 20000L, line = 10000L, cube = 30000L)[[sampler]]
        what <- settings(1, match(sampler, c("slice", "line", "cube")) - 1L, test = if (sampler == "cube") 1L else 0L)
        chain <- if (sampler == "slice") c(1L, 12L) else 1L
        seconds <- seconds_of(trace <- core$core_trace(design$pointer, y, 1L, what, chain, 100L, steps %/% length(seq(chain[1], chain[length(chain)])), run)$trace)
        iat <- mean(apply(as.matrix(trace), 2, core$core_autocorrelation))
        data.frame(sampler, seconds_per_draw = seconds / length(trace), iat)
    })
    forms <- vapply(seq_len(ncol(rows))[-selected], function(l) outer(rows[, selected], rows[, selected]) - outer(rows[, l], rows[, l]), matrix(0, n, n))
    draws <- 50L
    seconds <- seconds_of(.C("dense_cube", forms, dim(forms)[3], n, y, draws)) / draws
    lines <- rbind(do.call(rbind, lines), data.frame(sampler = "kernelPSI", seconds_per_draw = seconds, iat = lines[[3]]$iat))
    data.frame(case = sprintf("draws_%s_%d_%d", lines$sampler, n, ncol(rows)), microseconds = lines$seconds_per_draw * 1e6, iat = lines$iat,
               effective_per_second = 1 / (lines$seconds_per_draw * lines$iat))
}

# 1000 sequences of 500 bases, all 6- to 8-mers, five motifs, 999 draws each.
whole <- function() {
    set.seed(7)
    sequences <- random_sequences(1000, 500)
    run <- run_with(2)
    seconds <- c(design = seconds_of(design <- design_of(sequences, 6:8, 20000, run)))
    phi <- core$core_activate(sequences, list(outer(1:4, c(1, 2, 3, 4, 1, 2, 3, 4), "==") * 1), 0.5, FALSE, run)$activation[, 1]
    y <- rnorm(1000) + 5 * (phi - mean(phi)) / sqrt(sum((phi - mean(phi))^2))
    seconds["select"] <- seconds_of(found <- core$core_select(design$pointer, y, 5L, run))
    seconds["test"] <- seconds_of(p <- vapply(1:5, function(j) {
        drawn <- core$core_chains(design$pointer, y, j, settings(), c(1L, 999L), run)
        core$core_p_value(drawn$null, drawn$statistic, 0L)[1]
    }, 0))
    c(seconds, total = sum(seconds), candidates = sum(design$alias == seq_along(design$alias)), proposed = design$found, p = p)
}

# What a candidate more costs: its product with the direction and its comparisons, without the draw of the direction.
ladder <- rbind(distance_time(), step_time(100L, 200), step_time(100L, 1000), step_time(200L, 2000, 6L))
more <- ladder[3, c("microseconds", "plain_microseconds")] - ladder[2, c("microseconds", "plain_microseconds")]
ladder <- rbind(ladder, data.frame(case = "slice_800_candidates_more", rows = 100, candidates = 800, threads = 1, more,
                                   ratio = more$plain_microseconds / more$microseconds))
print(ladder, right = FALSE, row.names = FALSE, digits = 4)
mixing <- effective_draws(50L, 100)
print(mixing, right = FALSE, row.names = FALSE, digits = 4)
all <- whole()
print(signif(all, 4))
for (i in seq_len(nrow(ladder))) {
    figure(paste0("seism_", ladder$case[i]), ladder$microseconds[i], "microseconds")
    figure(paste0("seism_", ladder$case[i], "_ratio"), ladder$ratio[i], "times")
}
figure("seism_effective_draws_ratio", mixing$effective_per_second[1] / mixing$effective_per_second[4], "times")
figure("seism_1000_sequences_5_motifs", all[["total"]], "seconds")
