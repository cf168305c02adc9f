# p-values against closed forms, long chains, distributions known by hand, and invariances.

f <- fixture_f
closed <- function(scoring, step, sigma = 1, signs = FALSE, norm = 0L) {
    design <- scored_design(scoring, norm = norm)
    core_closed(design$pointer, f$y, as.integer(step), sigma, signs, 0.95, quiet_run())
}
fit_f <- function(..., transform = "none", k = 3, bandwidth = 1, seed = 1)
    suppressWarnings(seism(f$x, f$y, ..., k = k, bandwidth = bandwidth, transform = transform, seed = seed))

test_that("on the line p has the values known by hand", {
    expected <- list(c(0.004958770542543, 0.758179456392, 0.722057865199), c(0.001178439501198, 0.654005082420, 0.919034912321),
                     c(0.002014865291837, 0.655076825315, 0.920334044682))
    for (i in 1:3) expect_equal(vapply(1:3, function(step) closed(scorings[[i]], step)$p, 0), expected[[i]], tolerance = 1e-9)
    expect_equal(unlist(lapply(scorings, function(scoring) closed(scoring, 1, signs = TRUE)$p), use.names = FALSE),
                 c(0.003926792306386, 0.001171972038389, 0.001898057035883), tolerance = 1e-9)
    expect_equal(c(closed(scorings[[1]], 1)$t0, closed(scorings[[1]], 2)$t0, closed(scorings[[1]], 3)$t0),
                 c(3.511499276098, -1.006690292, -0.799264477), tolerance = 1e-8)
    expect_equal(fit_f(test = "saturated", sigma = 1)$motifs$p, expected[[1]], tolerance = 1e-9)
    expect_equal(fit_f(test = "saturated", sigma = 1, score = "hsic")$motifs$p, expected[[2]], tolerance = 1e-9)
    expect_equal(fit_f(test = "saturated", sigma = 1, lambda = 1)$motifs$p, expected[[3]], tolerance = 1e-9)
    expect_equal(fit_f(test = "saturated", sigma = 1)$motifs$p_holm, stats::p.adjust(expected[[1]], "holm"), tolerance = 1e-9)
})

test_that("the observed value lies in intervals known by hand", {
    intervals <- function(scoring, step) unname(c(closed(scoring, step)$intervals))
    expect_equal(intervals(scorings$`ridge, lambda 0`, 1), c(-Inf, -1.8367748337, 1.5827719530, Inf), tolerance = 1e-8)
    expect_equal(intervals(scorings$`ridge, lambda 0`, 2), c(-2.7356266898, -0.8198976695), tolerance = 1e-8)
    expect_equal(intervals(scorings$hsic, 2), c(-4.2694948301, -0.6119510603, 1.5799884051, 3.9932757791), tolerance = 1e-8)
    expect_equal(intervals(scorings$`ridge, lambda 0`, 3), c(-0.8967969722, -0.7637058120), tolerance = 1e-8)
})

test_that("on the circle p has the values known by hand", {
    expected <- list(c(0.0356612297729, 0.6021961857000, 0.6846118841826), c(0.0055643977561, 0.3912017317932, 0.8666718135392),
                     c(0.0122812805925, 0.4444328070784, 0.8666718135392))
    for (i in 1:3) expect_equal(vapply(1:3, function(step) closed(scorings[[i]], step, NA_real_)$p, 0), expected[[i]], tolerance = 1e-9)
    expect_equal(fit_f(test = "saturated")$motifs$p, expected[[1]], tolerance = 1e-9)
})

test_that("an outer end of the interval counts", {
    design <- features_design(cbind(c(1, 0), c(1.5, 0.8)), score = 1L)
    found <- core_closed(design$pointer, c(2, -2), 1L, 1, FALSE, 0.95, quiet_run())
    expect_equal(c(found$intervals), c(0.64, 3.2), tolerance = 1e-9)
    expect_equal(found$p, 0.0847275922917, tolerance = 1e-9)
})

test_that("with projected norms and signs p is that of forward stepwise regression", {
    expected <- c(0.003926792306, 0.996867639320, 0.012964424546)
    expect_equal(vapply(1:3, function(step) closed(scorings[[1]], step, signs = TRUE, norm = 1L)$p, 0), expected, tolerance = 1e-9)
    expect_equal(fit_f(test = "saturated", sigma = 1, norm = "projected")$motifs$p, c(0.004958770543, 0.997538997536, 0.012964424546),
                 tolerance = 1e-9)
})

test_that("intervals for the effect cover where p says so", {
    fit <- fit_f(test = "saturated", sigma = 1)
    bounds <- confint(fit, level = 0.9)
    expect_identical(dim(bounds), c(3L, 2L))
    expect_true(all(bounds[, 1] < bounds[, 2]))
    for (j in 1:3) for (side in 1:2) {
        line <- closed(scorings[[1]], j)
        intervals <- matrix(line$intervals, 2)
        mean <- bounds[j, side] * line$slope
        below <- log_mass(intervals[1, ], pmin(intervals[2, ], line$t0), mean)
        expect_equal(exp(below - log_mass(intervals[1, ], intervals[2, ], mean)), c(0.95, 0.05)[side], tolerance = 1e-6)
    }
    expect_identical(confint(fit, 2), confint(fit)[2, , drop = FALSE])
    expect_error(confint(fit_f(test = "saturated")), "known `sigma`")
})

test_that("long chains agree with published values", {
    known <- list(c(0.00945, 7e-5), c(0.00321, 3e-5), c(0.00522, 4e-5), c(0.91083, 3e-4), c(0.88743, 3e-4), c(0.90201, 3e-4))
    unknown <- list(c(0.02854, 9e-5), c(0.00796, 4e-5), c(0.01367, 6e-5), c(0.72282, 3e-4), c(0.53878, 3e-4), c(0.61865, 3e-4))
    for (i in 1:3) for (step in 1:2) for (sigma in c(1, NA)) {
        value <- (if (is.na(sigma)) unknown else known)[[3 * (step - 1) + i]]
        found <- long_share(scored_design(scorings[[i]]), f$y, step, draw_settings(sigma))
        expect_lt(abs(found$p - value[1]), 4 * sqrt(found$se^2 + value[2]^2))
    }
})

test_that("the other samplers have the same law", {
    for (sampler in 1:2) {
        found <- long_share(scored_design(scorings$`ridge, lambda 0`), f$y, 1, draw_settings(1, test = 1L, sampler = sampler), 2e5)
        expect_lt(abs(found$p - 0.00945), 4 * sqrt(found$se^2 + 7e-5^2))
    }
})

test_that("orthonormal features have laws known by hand", {
    agree <- function(design, y, step, sigma, expected) {
        found <- long_share(design, y, step, draw_settings(sigma), 4e4)
        expect_lt(abs(found$p - expected), 4 * found$se + 1e-9)
    }
    ten <- features_design(diag(10))
    first <- function(c) 1 - stats::pchisq(c, 1)^10
    expect_equal(first(c(1, 2, 4, 6, 9)), c(0.978010, 0.819393, 0.372291, 0.134192, 0.026672), tolerance = 1e-5)
    for (c in c(2, 4, 6)) agree(ten, c(sqrt(c), rep(0.1, 9)), 1, 1, first(c))
    second <- function(c) 1 - (stats::pchisq(c, 1) / stats::pchisq(6.25, 1))^9
    expect_equal(second(c(1, 2, 3, 4, 5)), c(0.963954, 0.760168, 0.488267, 0.264083, 0.111831), tolerance = 1e-5)
    for (c in c(2, 3, 5)) agree(ten, c(2.5, sqrt(c), rep(0.1, 8)), 2, 1, second(c))
    sphere <- features_design(diag(20)[, 1:10])
    y <- c(sqrt(0.5), rep(0.01, 9), sqrt((0.5 - 9e-4) / 10) * rep(1, 10))
    agree(sphere, y, 1, NA_real_, 10 * stats::pbeta(0.5, 0.5, 19 / 2, lower.tail = FALSE))
    three <- features_design(diag(3))
    for (c in c(0.55, 0.7, 0.9)) agree(three, c(sqrt(c), sqrt((1 - c) / 2) * c(1, 1)), 1, NA_real_, 3 * (1 - sqrt(c)))
    y <- c(2, sqrt(0.6), sqrt(0.4 / 8) * rep(1, 8))
    agree(ten, y, 2, NA_real_, 9 * stats::pbeta(0.6, 0.5, 8 / 2, lower.tail = FALSE))
})

test_that("a split has the F-test known by hand", {
    design <- design_of(f$x, rows = c(1L, 2L, 3L, 8L))
    path <- selection_of(design, f$y[c(1, 2, 3, 8)], 1)
    expect_identical(design$kmer[c(path$candidate, path$rival)], c("AAA", "ACG"))
    expect_equal(c(path$score, path$rival_score), c(6.25, 6.07507898), tolerance = 1e-8)
    phi <- seism_activation(path$pwm, f$x[4:7], 1)
    expect_equal(c(core_split(f$y[4:7], matrix(1, 4, 1), phi)), c(4.123711340206, 2, 0.1793900601378), tolerance = 1e-10)
})

x <- random_sequences(30, 25, 21)
set.seed(22)
y <- stats::rnorm(30) + grepl("ACG", x)
fit_x <- function(..., x = get("x", parent.frame()), y = get("y", parent.frame()), k = 3, q = 2, B = 99, L = 5, seed = 3)
    suppressWarnings(seism(x, y, ..., k = k, q = q, B = B, L = L, seed = seed))

test_that("p depends on nothing that it should not depend on", {
    reference <- fit_x(transform = "none")
    p <- reference$motifs$p
    expect_identical(fit_x(transform = "none", y = 5 - 3 * y)$motifs$p, p)
    expect_identical(fit_x(transform = "none", threads = 1)$motifs$p, p)
    expect_identical(fit_x(transform = "none", threads = 4)$motifs$p, p)
    constant <- suppressMessages(fit_x(transform = "none", covariates = matrix(7, 30, 1)))
    expect_identical(constant$motifs$p, p)
    pwms <- lapply(naive_kmers(x, 3), kmer_pwm)
    given <- function(pwms) fit_x(transform = "none", candidates = pwms)$motifs$p
    expect_identical(given(pwms), p)
    expect_identical(given(rev(pwms)), p)
    expect_identical(given(c(pwms, pwms[5:20])), p)
    set.seed(9)
    order <- sample(30)
    moved <- fit_x(transform = "none", x = x[order], y = y[order], B = 999, L = 20)
    still <- fit_x(transform = "none", B = 999, L = 20)
    expect_identical(moved$motifs$consensus, still$motifs$consensus)
    expect_true(all(abs(moved$motifs$p - still$motifs$p) < 5 * sqrt(moved$motifs$mcse^2 + still$motifs$mcse^2) + 0.01))
})

test_that("a seed, or the generator's state, gives the same draws; the generator moves once", {
    expect_identical(fit_x()$motifs, fit_x()$motifs)
    set.seed(5)
    first <- fit_x(seed = NULL)
    after <- stats::runif(1)
    set.seed(5)
    expect_identical(fit_x(seed = NULL)$motifs, first$motifs)
    set.seed(5)
    sample.int(.Machine$integer.max, 1)
    expect_identical(stats::runif(1), after)
})

test_that("stopping early counts draws in their order", {
    whole <- fit_x(keep_null = TRUE, B = 199)
    early <- fit_x(stop_after = 10, B = 199)
    for (j in 1:2) {
        exceed <- whole$null[, j] >= whole$observed[j] * (1 - 1e-12)
        tenth <- which(cumsum(exceed) == 10)[1]
        expected <- if (is.na(tenth)) (1 + sum(exceed)) / 200 else 10 / tenth
        expect_equal(early$motifs$p[j], expected)
        expect_equal(whole$motifs$p[j], (1 + sum(exceed)) / 200)
        expect_equal(whole$motifs$n_exceed[j], sum(exceed))
    }
})

test_that("p counted one by one is exact when stopping", {
    set.seed(8)
    p <- replicate(4000, {
        u <- stats::runif(1000)
        core_p_value(u[-1], u[1], 10L)[1]
    })
    for (level in c(0.01, 0.05, 0.1)) expect_lte(sum(p <= level), stats::qbinom(0.9999, 4000, level))
    expect_gte(sum(p <= 0.1), stats::qbinom(0.0001, 4000, 0.1))
    expect_equal(core_p_value(c(1, 3, 5, 7), 5, 0L)[1:2], c(3 / 5, 2))
    expect_equal(core_p_value(rep(1, 19), 2, 0L)[1], 1 / 20)
})

test_that("ForwardStop keeps the first motifs, and nothing becomes infinite", {
    expect_identical(forward_stop(1, 0.05, 99), 0)
    expect_identical(forward_stop(c(0.001, 1, 1), 0.05), 1L)
    p <- c(0.001, 0.02, 0.2, 0.01)
    means <- cumsum(-log(1 - p)) / 1:4
    expect_equal(forward_stop(p, 0.1), max(which(means <= 0.1)))
    expect_identical(forward_stop(c(0.001, NA, 0.001), 0.05), 1L)
    expect_identical(forward_stop(numeric(), 0.05), 0)
})

test_that("every test gives p for what it is made for", {
    for (test in c("selected", "saturated", "split", "global")) {
        fit <- fit_x(test = test)
        expect_true(all(fit$motifs$p > 0 & fit$motifs$p <= 1))
        expect_identical("keep" %in% names(fit$motifs), test %in% c("selected", "split"))
        expect_identical("p_holm" %in% names(fit$motifs), test == "saturated")
    }
    fit <- fit_x(test = "permutation", q = 1, y = y > 0.5)
    expect_true(fit$motifs$p > 0 && fit$motifs$p <= 1)
    expect_true(fit$motifs$p_maxT > 0)
    best <- fit_x(candidates = "soft", statistic = "best")
    expect_true(all(best$motifs$p > 0 & best$motifs$p <= 1))
    expect_true(all(best$motifs$T == best$motifs$score))
    expect_true(all(fit_x(pvalue = "chain")$motifs$mcse > 0))
})

test_that("a split tests on sequences that selected nothing", {
    fit <- fit_x(test = "split", transform = "none", covariates = data.frame(batch = rep(c("a", "b", "c"), 10)))
    draws <- .Call(nucleograd:::C_random, 3, 0, 30, 2^52)
    select <- sort(order(draws)[1:15])
    W <- stats::model.matrix(~ rep(c("a", "b", "c"), 10))
    naive <- naive_design(x[select], lapply(naive_kmers(x, 3), kmer_pwm), covariates = W[select, -1])
    path <- naive_select(naive, y[select], 2)
    expect_identical(lapply(fit$motifs$consensus, kmer_pwm), unname(naive$candidates[path$winner]))
    tested <- lm.fit(W[-select, ], y[-select])$residuals
    before <- W[-select, ]
    for (j in 1:2) {
        phi <- naive_match(kmer_pwm(fit$motifs$consensus[j]), x[-select], 0.5)
        small <- stats::lm(y[-select] ~ before - 1)
        large <- stats::lm(y[-select] ~ before + phi - 1)
        expect_equal(fit$motifs$p[j], stats::anova(small, large)$`Pr(>F)`[2], tolerance = 1e-8)
        before <- cbind(before, phi)
    }
})

test_that("features stand in for sequences", {
    phi <- seism_activation(lapply(stats::setNames(nm = naive_kmers(x, 3)), kmer_pwm), x)
    fit <- fit_x(x = phi, transform = "none")
    reference <- fit_x(transform = "none")
    expect_identical(fit$motifs$consensus, reference$motifs$consensus)
    expect_equal(fit$motifs$p, reference$motifs$p)
    expect_equal(fit$motifs$beta, reference$motifs$beta)
    presence <- matrix(stats::rbinom(30 * 12, 1, 0.5), 30, dimnames = list(NULL, paste0("gene_", 1:12)))
    presence <- cbind(presence, twin = presence[, 4], rare = 0)
    fit <- fit_x(x = presence, y = y + 3 * presence[, 4], q = 1)
    expect_identical(fit$motifs$consensus, "gene_4")
    expect_identical(fit$aliases, list(gene_4 = "twin"))
    expect_identical(fit$settings$m, 12L)
})
