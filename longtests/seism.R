# longtests/seism.R [row ...]: p-values of seism() over thousands of data sets: T6 long chains, T10 mixing, T11 calibration, T12 power,
# T13 responses that are not normal. Each row is a table: what, value, bounds, verdict.
#     R_LIBS=build/library Rscript longtests/seism.R T11
#     R_LIBS=build/library Rscript longtests/seism.R
suppressMessages({ library(nucleograd); library(testthat) })
toys <- new.env(parent = asNamespace("nucleograd"))
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "..", "tests", "testthat", "helper-seism.R"), local = toys)
options(cli.progress_show_after = Inf)
local({                                                          # among the package's own functions

passed <- failed <- 0

report <- function(row, what, value, low, high) {
    good <- !is.na(value) & value >= low & value <= high
    cat(sprintf("%-4s %-66s %10.5g  [%.5g, %.5g]  %s\n", row, what, value, low, high, ifelse(good, "pass", "FAIL")), sep = "")
    passed <<- passed + sum(good)
    failed <<- failed + sum(!good)
}

# ---- the design of T10 to T13: 100 sequences of 50 bases and 200 of their 5-mers, new in every data set ----

draw_design <- function(seed, n = 100, m = 200, score = 0L, variants = 0) {
    x <- random_sequences(n, 50, seed)
    kmers <- sort(sample(unique(unlist(lapply(x, naive_windows, 5))), m), method = "radix")
    pwms <- lapply(kmers, function(kmer) c(list(kmer_pwm(kmer)), sample(naive_soft(kmer)[-1], variants)))
    of_rows <- function(rows = NULL) design_of(x, k = 5, kind = 3L, pwms = unlist(pwms, recursive = FALSE), bandwidth = 0.5,
                                               score = score, rows = rows)
    c(of_rows(), list(x = x, of_rows = of_rows, pwms = unlist(pwms, recursive = FALSE)))
}

# The activation of one motif without its mean, with length 1.
direction <- function(pwm, x) {
    a <- seism_activation(pwm, x, 0.5)[, 1]
    a <- a - mean(a)
    a / sqrt(sum(a^2))
}

drawn_p <- function(design, y, step, settings, B = 99) {
    made <- core_chains(design$pointer, y, as.integer(step), settings, as.integer(c(1, B)), quiet_run(2))
    core_p_value(made$null, made$statistic, 0L)[1]
}
closed_p <- function(design, y, step, sigma) core_closed(design$pointer, y, as.integer(step), sigma, FALSE, 0.95, quiet_run())$p
permuted_p <- function(design, y, seed, B = 99) {
    made <- core_permutations(design$pointer, y, draw_settings(key = c(seed, 1)), 60L, as.integer(c(1, B)), quiet_run(2))
    core_p_value(made$null, made$statistic, 0L)[1]
}
max_t_p <- function(design, y, seed, B = 199) {
    made <- core_max_t(design$pointer, y, as.integer(B), c(seed, 2), quiet_run(2))
    (1 + sum(made$null >= made$statistic * (1 - 1e-12))) / (B + 1)
}

# ---- T6: p of the fixture by a million steps, and how often its events happen ----

t6 <- function() {
    known <- list(c(0.00945, 7e-5), c(0.00321, 3e-5), c(0.00522, 4e-5), c(0.91083, 3e-4), c(0.88743, 3e-4), c(0.90201, 3e-4))
    unknown <- list(c(0.02854, 9e-5), c(0.00796, 4e-5), c(0.01367, 6e-5), c(0.72282, 3e-4), c(0.53878, 3e-4), c(0.61865, 3e-4))
    first <- c(0.0366, 0.1331, 0.0770)
    second <- list(known = c(0.0477, 0.1312, 0.0891), unknown = c(0.0565, 0.1350, 0.0959))
    for (i in 1:3) {
        design <- scored_design(scorings[[i]])
        for (sigma in c(1, NA)) for (step in 1:2) {
            value <- (if (is.na(sigma)) unknown else known)[[3 * (step - 1) + i]]
            found <- long_share(design, fixture_f$y, step, draw_settings(sigma), 2e6)
            margin <- 4 * sqrt(found$se^2 + value[2]^2)
            report("T6", paste0("p of step ", step, ", ", names(scorings)[i], ", sigma ", if (is.na(sigma)) "unknown" else "known"),
                   found$p, value[1] - margin, value[1] + margin)
        }
        centre <- fixture_centres(design)
        share <- function(step, sphere) {
            basis <- cbind(rep(1, 8), centre[, seq_len(step - 1)])
            left <- off(basis, fixture_f$y)
            hits <- replicate(40, {
                noise <- off(basis, matrix(stats::rnorm(8 * 5e4), 8))
                if (sphere) noise <- sweep(noise, 2, sqrt(sum(left^2) / colSums(noise^2)), "*")
                mean(core_member(design$pointer, fixture_f$y, as.integer(step), fixture_f$y - left + noise, quiet_run()))
            })
            mean(hits)
        }
        near <- function(what, value, expected, tolerance) report("T6", what, value, expected - tolerance, expected + tolerance)
        near(paste("P(E_1),", names(scorings)[i]), share(1, FALSE), first[i], 3e-4 + 4 * sqrt(first[i] / 2e6))
        near(paste("P(E_2), sigma known,", names(scorings)[i]), share(2, FALSE), second$known[i], 4e-4 + 4 * sqrt(second$known[i] / 2e6))
        near(paste("P(E_2), sigma unknown,", names(scorings)[i]), share(2, TRUE), second$unknown[i], 4e-4 + 4 * sqrt(second$unknown[i] / 2e6))
    }
}

fixture_centres <- function(design) {
    pwms <- selection_of(design, fixture_f$y)$pwm
    vapply(pwms, naive_activation, numeric(8), fixture_f$x, 1)
}

# ---- T10: how long draws resemble each other ----

t10 <- function() {
    times <- numeric()
    for (n in c(100, 300)) for (step in 1:2) {
        found <- vapply(1:5, function(seed) {
            design <- draw_design(seed, n)
            made <- core_trace(design$pointer, stats::rnorm(n), step, settings_of(seed, 1), 1L, 1000L, 50000L, quiet_run(2))
            c(core_autocorrelation(made$trace), made$trials / 50000)
        }, numeric(2))
        times[paste(n, step)] <- mean(found[1, ])
        report("T10", paste0("autocorrelation time, n = ", n, ", step ", step), mean(found[1, ]), 1, c(25, 35)[step])
        report("T10", paste0("trials a step, n = ", n, ", step ", step), mean(found[2, ]), 1, c(6, 9)[step])
    }
    report("T10", "autocorrelation time of n = 300 over that of n = 100, step 1", times[["300 1"]] / times[["100 1"]], 0, 1.2)
}

settings_of <- function(seed, sigma = NA_real_, L = 15L, ...) draw_settings(sigma, L = L, ..., key = c(seed, 0))

# ---- T11: calibration where there is nothing ----
# Reference figures for the correlation of two p-values and for the naive test belong to the ridge score with one candidate a cell. HSIC does
# not choose the largest F; 50 cells are a smaller search; and the best candidate of a cell keeps a part off its centre that the next step
# sees too, so that there the two p-values, each uniform, are not independent.

bands <- function(row, what, p, draws) {
    report(row, paste0(what, ": p <= 0.05"), sum(p <= 0.05), 29, 75)
    report(row, paste0(what, ": p <= 0.01"), sum(p <= 0.01), 1, 23)
    report(row, paste0(what, ": p <= 0.5"), sum(p <= 0.5), 448, 552)
    smooth <- if (is.finite(draws)) p - stats::runif(length(p)) / (draws + 1) else p
    report(row, paste0(what, ": p of Kolmogorov and Smirnov"), stats::ks.test(smooth, "punif")$p.value, 0.001, 1)
}

t11 <- function(sets = 1000) {
    cases <- expand.grid(sigma = c(1, NA), stringsAsFactors = FALSE,
                         case = c("ridge", "hsic", "best of the cell", "one step a draw", "after a strong motif"))
    for (at in seq_len(nrow(cases))) {
        case <- cases$case[at]
        sigma <- cases$sigma[at]
        naive <- numeric(sets)
        p <- t(vapply(seq_len(sets), function(seed) {
            best <- case == "best of the cell"
            design <- draw_design(seed, m = if (best) 50 else 200, score = if (case == "hsic") 1L else 0L, variants = if (best) 3 else 0)
            y <- stats::rnorm(100)
            if (case == "after a strong motif") y <- y + 9 * direction(design$pwms[[1]], design$x)
            settings <- settings_of(seed, sigma, if (case == "one step a draw") 1L else 15L, if (best) 1L else 0L)
            path <- selection_of(design, y, 1)
            a <- direction(path$pwm[[1]], design$x)
            naive[seed] <<- stats::pf(98 * sum(a * y)^2 / (sum((y - mean(y))^2) - sum(a * y)^2), 1, 98, lower.tail = FALSE)
            c(drawn_p(design, y, 1, settings), drawn_p(design, y, 2, settings))
        }, numeric(2)))
        what <- paste0(case, ", sigma ", if (is.na(sigma)) "unknown" else "known", ", motif ")
        if (case != "after a strong motif") bands("T11", paste0(what, 1), p[, 1], 99)
        bands("T11", paste0(what, 2), p[, 2], 99)
        if (case == "after a strong motif") next
        together <- stats::cor(p[, 1], p[, 2])
        if (case %in% c("ridge", "hsic", "one step a draw")) report("T11", paste0(what, "1 and 2: correlation of p"), together, -0.11, 0.11)
        if (case %in% c("ridge", "one step a draw")) report("T11", paste0(what, "1: share of naive F-tests below 0.05"), mean(naive <= 0.05), 0.99, 1)
        else cat(sprintf("     correlation of p %.3f, share of naive F-tests below 0.05 %.3f\n", together, mean(naive <= 0.05)))
    }
}

# ---- T12: power, against a split, permutation and the closed form ----

t12 <- function(sets = 400) {
    expected <- rbind(selected = c(0.030, 0.255, 0.598, 0.870, 0.975), saturated = c(0.033, 0.283, 0.580, 0.865, 0.970),
                      `max-T` = c(0.030, 0.258, 0.600, 0.873, 0.973), split = c(0.048, 0.135, 0.302, 0.517, 0.733))
    strengths <- c(0, 3, 4, 5, 6)
    for (k in seq_along(strengths)) {
        p <- t(vapply(seq_len(sets), function(seed) {
            design <- draw_design(seed)
            true <- sample(length(design$pwms), 1)
            y <- strengths[k] * direction(design$pwms[[true]], design$x) + stats::rnorm(100)
            half <- sort(sample(100, 50))
            first <- selection_of(design$of_rows(half), y[half], 1)
            phi <- seism_activation(first$pwm, design$x[-half], 0.5)
            full <- selection_of(design, y, 1)
            is_true <- function(pwm) identical(unname(pwm), unname(design$pwms[[true]]))
            c(selected = drawn_p(design, y, 1, settings_of(seed), 199), saturated = closed_p(design, y, 1, 1), `max-T` = max_t_p(design, y, seed),
              split = core_split(y[-half], matrix(1, 50, 1), phi)[3], correct = is_true(full$pwm[[1]]), correct_half = is_true(first$pwm[[1]]))
        }, numeric(6)))
        power <- colMeans(p[, 1:4] <= 0.05)
        margin <- 4 * sqrt(pmax(expected[, k] * (1 - expected[, k]), 0.02) * 2 / sets)          # both are means of 400
        report("T12", paste0("power at effect ", strengths[k], ", ", rownames(expected)), power, expected[, k] - margin, expected[, k] + margin)
        cat(sprintf("     the right motif at effect %g: %.2f of full, %.2f of half data\n", strengths[k], mean(p[, 5]), mean(p[, 6])))
        if (strengths[k] > 0) report("T12", paste0("selected minus split at effect ", strengths[k]), power[[1]] - power[[4]], 0, 1)
        if (strengths[k] == 5) {
            report("T12", "gate at 5: selected", power[[1]], 0.81, 0.93)
            report("T12", "gate at 5: split", power[[4]], 0.43, 0.60)
            report("T12", "gate at 5: selected minus max-T", abs(power[[1]] - power[[3]]), 0, 0.03)
            report("T12", "gate at 5: correlation of p, selected and max-T", stats::cor(p[, 1], p[, 3]), 0.93, 1)
        }
    }
    cells <- t(vapply(seq_len(sets), function(seed) {
        design <- draw_design(seed, m = 150, variants = 3)
        y <- 5 * direction(design$pwms[[4 * sample(150, 1) - 3]], design$x) + stats::rnorm(100)
        null <- stats::rnorm(100)
        settings <- function(statistic) settings_of(seed, NA_real_, statistic = statistic)
        c(best = drawn_p(design, y, 1, settings(1L)), center = drawn_p(design, y, 1, settings(0L)), saturated = closed_p(design, y, 1, 1),
          null_best = drawn_p(design, null, 1, settings(1L)), null_center = drawn_p(design, null, 1, settings(0L)))
    }, numeric(5)))
    power <- colMeans(cells <= 0.05)
    reference <- c(0.88, 0.89, 0.81, 0.055, 0.055)
    report("T12", paste("cells of four candidates:", names(power)), power, reference - 4 * sqrt(reference * (1 - reference) * 2 / sets),
           reference + 4 * sqrt(reference * (1 - reference) * 2 / sets))
}

# ---- T13: responses that are not normal ----

t13 <- function(sets = 400) {
    responses <- list(exponential = function() stats::rexp(100), `t with 3 df` = function() stats::rt(100, 3),
                      `0 or 1` = function() as.numeric(stats::rbinom(100, 1, 0.2)), normal = function() stats::rnorm(100))
    for (name in names(responses)) {
        found <- t(vapply(seq_len(sets), function(seed) {
            design <- draw_design(seed)
            y <- responses[[name]]()
            warned <- FALSE
            withCallingHandlers(warn_of_response(y, matrix(1, 100, 1), "none"), nucleograd_warning = function(warning) {
                warned <<- TRUE
                invokeRestart("muffleWarning")
            })
            scores <- transformed_response(y, matrix(1, 100, 1), "normal")
            c(drawn_p(design, scores, 1, settings_of(seed)), drawn_p(design, scores, 2, settings_of(seed)), permuted_p(design, y, seed), warned)
        }, numeric(4)))
        if (name %in% c("exponential", "t with 3 df"))
            for (step in 1:2)
                report("T13", paste0("normal scores, ", name, ", motif ", step, ": p <= 0.05"), mean(found[, step] <= 0.05), 0.02, 0.09)
        if (name != "normal") report("T13", paste0("permutation, ", name, ": p <= 0.05"), mean(found[, 3] <= 0.05), 0.015, 0.09)
        warned <- list(exponential = c(0.95, 1), `t with 3 df` = c(0.65, 1), `0 or 1` = c(1, 1), normal = c(0, 0.01))[[name]]
        report("T13", paste0("as given, ", name, ": share that is warned of"), mean(found[, 4]), warned[1], warned[2])
    }
}

rows <- list(T6 = t6, T10 = t10, T11 = t11, T12 = t12, T13 = t13)
wanted <- commandArgs(TRUE)
for (row in if (length(wanted)) wanted else names(rows)) {
    set.seed(1)
    rows[[row]]()
}
cat(passed, "passed,", failed, "failed, 0 skipped\n")
quit(status = min(failed, 1))
}, envir = toys)
