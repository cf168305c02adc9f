# R/seism-tests.R: from selected motifs to p-values.

# Of each step: statistic, p, mcse, n_exceed, B_used; beside them null (draws x steps), diagnostics, the observed statistics, p_maxT.
selective_tests <- function(design, y, found, settings, draws, run, say, frame) {
    steps <- seq_along(found$candidate)
    testable <- testable_steps(design, found, settings, frame)
    null <- matrix(NA_real_, settings$B, length(steps), dimnames = list(NULL, found$label))
    tests <- data.frame(p = rep(NA_real_, length(steps)), mcse = NA_real_, n_exceed = NA_real_, B_used = NA_real_)
    observed <- rep(NA_real_, length(steps))
    diagnostics <- NULL
    for (j in steps[testable]) {
        here <- part_of_run(run, j, length(steps))
        if (settings$test == "saturated") {
            tests$p[j] <- closed_p_value(design, y, j, settings, here, frame)
        } else {
            one <- if (settings$pvalue == "chain") long_chain(design, y, j, settings, part_of_run(here, 1:7, 10), frame)
                   else counted_draws(design, y, j, settings, draws, part_of_run(here, 1:7, 10), frame)
            tests[j, ] <- one[names(tests)]
            null[seq_along(one$null), j] <- one$null
            observed[j] <- one$statistic
            if (settings$test != "permutation")
                diagnostics <- rbind(diagnostics, diagnose(design, y, j, settings, one, part_of_run(here, 8:10, 10), frame))
        }
        say("Step {j}: {found$label[j]}, p = {format(signif(tests$p[j], 3))}.")
    }
    list(table = tests, null = null, observed = observed, diagnostics = diagnostics,
         p_maxT = if (settings$test != "global" && !length(settings$covariates) && length(steps)) max_t_value(design, y, settings, run, frame))
}

# A tie leaves the event without an interior, there and later; a centre that earlier motifs explain has no statistic.
testable_steps <- function(design, found, settings, frame) {
    tied <- found$rival_score >= found$score * (1 - 1e-10)
    if (any(tied %in% TRUE)) {
        j <- which(tied)[1]
        a <- found$label[j]
        b <- design$label[found$rival[j]]
        warn_seism("step {j}: motifs {a} and {b} tie exactly; the selection event has no interior.", "tie", frame)
    }
    explained <- settings$statistic == "center" & found$centre_share <= 1e-10
    for (j in which(explained))
        warn_seism("step {j}: the cell centre is explained by earlier motifs; use statistic = 'best'.", "centre", frame)
    cumsum(tied %in% TRUE) == 0 & !explained
}

chain_settings <- function(s) {
    list(if (s$test == "global") 1L else 0L, known_sigma(s), if (s$statistic == "best") 1L else 0L,
         match(s$sampler, c("slice", "line", "cube")) - 1L, as.integer(s$L), as.integer(if (is.null(s$stop_after)) 0 else s$stop_after),
         key_of(s$seed))
}

known_sigma <- function(settings) if (is.null(settings$sigma)) NA_real_ else settings$sigma

key_of <- function(seed) c(seed, 0)

# Exchangeable draws, counted. With a file to keep them they are made in parts, which changes none of them.
counted_draws <- function(design, y, j, settings, draws, run, frame) {
    wanted <- chain_settings(settings)
    make <- function(first, last, run) {
        chains <- as.integer(c(first, last))
        if (settings$test == "permutation") core_permutations(design$pointer, y, wanted, 60L, chains, run, frame)
        else core_chains(design$pointer, y, j, wanted, chains, run, frame)
    }
    made <- draws$load(j)
    ends <- if (is.null(draws$file)) settings$B else unique(c(seq(0, settings$B, by = max(64, settings$B %/% 20))[-1], settings$B))
    stop_after <- wanted[[6]]
    at_least <- function() sum(made$null >= made$statistic * (1 - 1e-12))
    for (last in ends) {
        first <- length(made$null) + 1
        if (last < first) next
        if (stop_after > 0 && length(made) && at_least() >= stop_after) break
        more <- make(first, last, part_of_run(run, first:last, settings$B))
        counts <- c("steps", "trials", "frozen")
        if (length(made)) more[counts] <- Map(`+`, more[counts], made[counts])
        more$null <- c(made$null, more$null)
        made <- more
        draws$save(j, made)
    }
    counted <- core_p_value(made$null, made$statistic, stop_after)
    c(made, list(p = counted[1], n_exceed = counted[2], B_used = counted[3], mcse = sqrt(counted[1] * (1 - counted[1]) / (counted[3] + 1))))
}

closed_p_value <- function(design, y, j, settings, run, frame) {
    core_closed(design$pointer, y, j, known_sigma(settings), FALSE, 1 - settings$alpha, run, frame)$p
}

# The mean over one long chain: asymptotic, for comparison with sampling-based practice.
long_chain <- function(design, y, j, settings, run, frame) {
    length <- settings$B * settings$L
    made <- core_trace(design$pointer, y, j, chain_settings(settings), 1L, as.integer(max(100, 10 * settings$L)), as.integer(length), run, frame)
    exceed <- as.numeric(made$trace >= made$statistic * (1 - 1e-12))
    p <- (1 + sum(exceed)) / (length + 1)
    list(p = p, mcse = sqrt(p * (1 - p) * max(core_autocorrelation(exceed), 1) / length), n_exceed = sum(exceed), B_used = length,
         statistic = made$statistic, null = made$trace[seq_len(settings$B) * settings$L], trials = made$trials,
         frozen = made$frozen, steps = length, boundary = NA_real_)
}

# Four chains with numbers that no draw has: how long draws resemble each other, and whether the chains agree.
diagnose <- function(design, y, j, settings, one, run, frame) {
    length <- as.integer(max(500, ceiling(12.5 * settings$L)))
    chains <- core_trace(design$pointer, y, j, chain_settings(settings), .Machine$integer.max - c(4L, 1L), as.integer(settings$L), length, run, frame)
    traces <- chains$trace
    moving <- function(traces) apply(traces, 2, stats::var) > 0
    iat_of <- function(traces) if (any(moving(traces))) mean(apply(traces[, moving(traces), drop = FALSE], 2, core_autocorrelation)) else NA
    iat <- iat_of(traces)
    row <- data.frame(step = j, iat = iat, iat_exceed = iat_of((traces >= chains$statistic * (1 - 1e-12)) * 1), ess = 4 * length / iat,
                      trials = one$trials / one$steps, frozen = one$frozen / one$steps, rhat = rank_rhat(traces), boundary = one$boundary)
    if (isTRUE(row$iat > 5 * settings$L))
        warn_seism(paste("step {j}: draws resemble each other over {round(iat)} steps; p is exact, but a larger L than {settings$L}",
                         "has more power."), "mixing", frame)
    if (isTRUE(row$frozen > 0.01))
        warn_seism("step {j}: {round(100 * row$frozen, 1)}% of moves found no room; the selection event is very narrow there.",
                   "mixing", frame)
    row
}

# Split chains in halves, normal scores of all, and compare variance between and within (Vehtari et al. 2021, doi:10.1214/20-BA1221).
rank_rhat <- function(traces) {
    half <- nrow(traces) %/% 2
    halves <- cbind(traces[seq_len(half), , drop = FALSE], traces[half + seq_len(half), , drop = FALSE])
    scores <- matrix(stats::qnorm((rank(halves) - 3 / 8) / (length(halves) + 1 / 4)), half)
    within <- mean(apply(scores, 2, stats::var))
    sqrt((half - 1) / half + stats::var(colMeans(scores)) / within)
}

max_t_value <- function(design, y, settings, run, frame) {
    draws <- core_max_t(design$pointer, y, as.integer(settings$B), key_of(settings$seed), part_of_run(run, 1, 1), frame)
    (1 + sum(draws$null >= draws$statistic * (1 - 1e-12))) / (settings$B + 1)
}

# F-tests of the centres, one after the other, on sequences that selected nothing.
split_tests <- function(data, parts, found, settings, run, frame) {
    rows <- parts$test$rows
    phi <- if (!is.null(data$features)) data$features[rows, found$label, drop = FALSE]
           else core_activate(subset_sequences(data$sequences, rows), found$pwm, settings$bandwidth, settings$strand == "both", run,
                              frame)$activation
    tested <- core_split(parts$test$y, parts$test$basis, phi)
    list(table = data.frame(p = tested[3, ], mcse = 0, n_exceed = NA_real_, B_used = NA_real_), statistic = tested[1, ])
}

subset_sequences <- function(sequences, rows) {
    ends <- cumsum(as.numeric(sequences[[2]]))
    starts <- ends - sequences[[2]] + 1
    list(sequences[[1]][sequence(sequences[[2]][rows], starts[rows])], sequences[[2]][rows])
}

# How many first motifs to keep so that on average at most `alpha` of them are false. p = 1 stays finite.
forward_stop <- function(p, alpha, draws = Inf) {
    known <- cumsum(is.na(p)) == 0
    p <- pmin(p[known], if (is.finite(draws)) 1 - exp(-1) / (draws + 1) else 1 - .Machine$double.eps)
    passing <- which(cumsum(-log1p(-p)) / seq_along(p) <= alpha)
    if (length(passing)) max(passing) else 0
}

# ---- draws that outlive a session ----

# load(j) and save(j, draws): what is in the file of this very run, or nothing. The key of a run that goes on is its own.
kept_draws <- function(file, settings, data, seed, frame) {
    new_seed <- function() if (is.null(seed)) as.numeric(sample.int(.Machine$integer.max, 1)) else seed
    if (is.null(file)) return(list(seed = new_seed(), load = function(j) NULL, save = function(j, draws) NULL))
    input <- list(settings[setdiff(names(settings), c("memory", "alpha", "polish", "response"))], data[setdiff(names(data), "settings")])
    mark <- fingerprint(input)
    kept <- if (file.exists(file)) tryCatch(readRDS(file), error = function(error) list())
    if (!is.null(kept) && (!identical(kept$mark, mark) || !is.null(seed) && !identical(kept$seed, seed)))
        stop_input(c("{.arg resume} must be the file of a run with the same arguments, or no file yet.", x = "{.file {file}} is another run's."),
                   call = frame)
    if (is.null(kept)) kept <- list(mark = mark, seed = new_seed(), steps = list())
    list(file = file, seed = kept$seed, load = function(j) kept$steps[[as.character(j)]], save = function(j, draws) {
        kept$steps[[as.character(j)]] <<- draws
        unfinished <- paste0(file, ".part")
        saveRDS(kept, unfinished)
        file.rename(unfinished, file)
    })
}

fingerprint <- function(object) {
    file <- tempfile()
    on.exit(unlink(file))
    connection <- file(file, "wb")
    serialize(object, connection, version = 3)
    close(connection)
    unname(tools::md5sum(file))
}
