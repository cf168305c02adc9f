# What a fit holds, prints, draws and predicts.

f <- fixture_f
fit_f <- function(..., transform = "none", k = 3, bandwidth = 1, seed = 1, B = 199, L = 5)
    suppressWarnings(seism(f$x, f$y, ..., k = k, bandwidth = bandwidth, transform = transform, seed = seed, B = B, L = L))
fit <- fit_f(keep_null = TRUE)

test_that("the table describes motifs by least squares known by hand", {
    expect_identical(fit$motifs$consensus, c("ACG", "TGC", "CAG"))
    expect_equal(unname(coef(fit)), c(0.02706435, 2.40240217, -1.04407026, -1.04793229), tolerance = 1e-7)
    expect_equal(fit$motifs$beta, unname(coef(fit))[2:4])
    expect_identical(fit$motifs$sign, c(1, -1, -1))
    expect_equal(fit$motifs$delta_r2, c(0.85303543, 0.07010898, 0.04419396), tolerance = 1e-7)
    expect_equal(fit$motifs$T, fit$motifs$score)
    expect_equal(fit$motifs$T_rel, fit$motifs$score / c(14.455, 2.124372834, 1.110947490), tolerance = 1e-8)
    expect_equal(fit$motifs$effect, fit$motifs$beta * apply(fit$activations, 2, stats::sd) / stats::sd(f$y), ignore_attr = TRUE)
    expect_identical(fit$motifs$n_sites, c(4, 2, 1))
    expect_identical(as.data.frame(fit), fit$motifs)
    hsic <- fit_f(score = "hsic")
    expect_equal(hsic$motifs$score[1], 0.432376223731, tolerance = 1e-10)
    ridge <- fit_f(lambda = 1)
    expect_equal(ridge$motifs$T, ridge$motifs$score, tolerance = 1e-10)
})

test_that("activations and sites are those of the centres", {
    for (j in 1:3) {
        kmer <- fit$motifs$consensus[j]
        expect_equal(fit$activations[, j], stats::setNames(naive_match(kmer_pwm(kmer), f$x, 1), names(f$x)), tolerance = 1e-12)
        sites <- fit$sites[fit$sites$motif == j, ]
        found <- substring(f$x, sites$start, sites$start + 2)
        mismatches <- mapply(function(a, b) sum(letters_of(a) != letters_of(b)), found, kmer)
        expect_equal(sites$hamming, unname(mismatches))
        expect_equal(sites$activation, exp(-2 * sites$hamming), tolerance = 1e-12)
        expect_identical(sites$sequence, names(f$x))
    }
    both <- fit_f(strand = "both", q = 1)
    words <- substring(f$x, both$sites$start, both$sites$start + 2)
    words <- ifelse(both$sites$strand == "-", vapply(words, turned_kmer, ""), words)
    mismatches <- mapply(function(a, b) sum(letters_of(a) != letters_of(b)), words, both$motifs$consensus)
    expect_equal(both$sites$hamming, unname(mismatches))
})

test_that("polishing raises the score, and keeps to the cell when told to", {
    gain <- fit$polished_score - fit$motifs$score
    expect_true(all(gain >= -1e-12))
    expect_gt(fit$polished_score[["ACG"]], 12.5)
    expect_equal(fit$polished_score[["ACG"]], 12.9926, tolerance = 1e-3)
    for (j in 1:3) {
        expect_equal(naive_cell(fit$pwm_polished[[j]], 1), unname(fit$pwm_center[[j]]), ignore_attr = TRUE)
        expect_equal(colSums(fit$pwm_polished[[j]]), rep(1, 3))
        phi <- naive_match(fit$pwm_polished[[j]], f$x, 1)
        expect_equal(unname(fit$activations_polished[, j]), phi, tolerance = 1e-10)
    }
    phi <- off(matrix(1, 8), fit$activations_polished[, 1])
    expect_equal(unname(sum(phi * f$y)^2 / sum(phi^2)), fit$polished_score[["ACG"]], tolerance = 1e-9)
    free <- fit_f(polish = "free")
    expect_true(all(free$polished_score >= fit$motifs$score - 1e-12))
    expect_identical(fit_f(polish = "none")$pwm_polished, fit$pwm_center)
    expect_equal(fit_f(lambda = 1)$polished_score[["ACG"]], 7.794299796, tolerance = 1e-8)
})

test_that("p does not depend on how motifs are shown", {
    expect_identical(fit_f(polish = "free")$motifs$p, fit$motifs$p)
    expect_identical(fit_f(polish = "none")$motifs$p, fit$motifs$p)
})

test_that("predictions are the linear predictor of least squares", {
    covariates <- data.frame(batch = factor(c("a", "b")[c(1, 1, 2, 2, 1, 2, 1, 2)]), size = c(1, 3, 2, 5, 4, 2, 6, 1))
    with <- fit_f(q = 1, covariates = covariates)
    model <- stats::lm(f$y ~ batch + size + phi, cbind(covariates, phi = naive_match(kmer_pwm(with$motifs$consensus), f$x, 1)))
    expect_equal(unname(coef(with)), unname(coef(model)), tolerance = 1e-10)
    expect_equal(predict(with)$prediction, unname(stats::fitted(model)), tolerance = 1e-10)
    again <- predict(with, f$x[2:3], covariates = covariates[2:3, ])
    expect_equal(again, predict(with)[2:3, ], ignore_attr = TRUE)
    expect_error(predict(with, f$x), "columns", class = "nucleograd_error_argument")
    expect_equal(predict(fit, f$x)$prediction, unname(drop(cbind(1, fit$activations) %*% coef(fit))))
    expect_identical(names(predict(fit, f$x)), c("prediction", "ACG", "TGC", "CAG"))
})

test_that("diagnostics are in the result", {
    set.seed(1)
    traces <- matrix(stats::rnorm(4000), 1000)
    expect_lt(rank_rhat(traces), 1.01)
    expect_gt(rank_rhat(sweep(traces, 2, 1:4, "+")), 1.3)
    expect_identical(fit$diagnostics$step, 1:3)
    expect_true(all(fit$diagnostics$iat >= 1 & fit$diagnostics$trials >= 1 & fit$diagnostics$boundary >= 0))
    expect_identical(dim(fit$null), c(199L, 3L))
    expect_null(fit_f()$null)
})

test_that("a fit prints its settings, its table and what p belongs to", {
    expect_snapshot(print(fit_f(q = 2)))
    expect_snapshot(print(fit_f(test = "saturated", sigma = 1)))
    printed <- capture.output(summary(fit))
    expect_match(printed, "What p speaks about: the biology", all = FALSE)
    expect_match(printed, "Diagnostics", all = FALSE)
    expect_match(capture.output(summary(fit_f(response = "prediction"))), "says nothing about nature", all = FALSE)
})

test_that("every view is a ggplot that can be drawn", {
    skip_if_not_installed("ggplot2")
    types <- c("effect", "null", "path", if (requireNamespace("ggseqlogo", quietly = TRUE)) "logo")
    for (type in types) {
        view <- plot(fit, type)
        expect_s3_class(view, "ggplot")
        expect_silent(ggplot2::ggplotGrob(view + ggplot2::theme_bw()))
    }
    expect_error(plot(fit_f(), "null"), "keep_null = TRUE", class = "nucleograd_error_argument")
    expect_error(plot(fit, step = 4), "steps from 1 to 3", class = "nucleograd_error_argument")
})

test_that("bits of a logo are log2(4) minus entropy", {
    expect_equal(information(kmer_pwm("ACG")), 2 * kmer_pwm("ACG"))
    expect_equal(sum(information(matrix(0.25, 4, 3))), 0)
    expect_equal(colSums(information(cbind(c(0.5, 0.5, 0, 0)))), 1)
})

test_that("sites are places on the genome", {
    genome <- random_genome(4000, seed = 6)
    regions <- GenomicRanges::GRanges(names(genome), IRanges::IRanges(seq(51, 3900, 150), width = 100), rep_len(c("+", "-"), 26))
    x <- region_sequences(genome, regions)
    set.seed(7)
    found <- methods::as(seism(x, stats::rnorm(26), k = 4, q = 2, B = 19, L = 2, strand = "both"), "GRanges")
    expect_length(found, 52)
    words <- as.character(Biostrings::Views(genome[[1]], BiocGenerics::start(found), BiocGenerics::end(found)))
    minus <- as.character(BiocGenerics::strand(found)) == "-"
    words[minus] <- vapply(words[minus], turned_kmer, "")
    centres <- c(seism_select(x, { set.seed(7); stats::rnorm(26) }, k = 4, q = 2, strand = "both")$consensus)[found$motif]
    mismatches <- mapply(function(a, b) sum(letters_of(a) != letters_of(b)), words, centres)
    expect_equal(found$hamming, unname(mismatches))
    expect_error(methods::as(fit, "GRanges"), "region_sequences", class = "nucleograd_error_regions")
})

test_that("a run that was stopped goes on where it was, to the same result", {
    x <- random_sequences(30, 25, 21)
    set.seed(22)
    y <- stats::rnorm(30)
    file <- tempfile(fileext = ".rds")
    run <- function(...) seism(x, y, k = 3, q = 2, B = 400, L = 3, seed = 4, ...)
    whole <- run()
    expect_identical(run(resume = file)$motifs, whole$motifs)
    kept <- readRDS(file)
    kept$steps$`2` <- NULL
    half <- kept$steps$`1`
    half$null <- half$null[1:150]
    kept$steps$`1` <- half
    saveRDS(kept, file)
    again <- run(resume = file)
    expect_identical(again$motifs, whole$motifs)
    expect_length(readRDS(file)$steps$`1`$null, 400)
    without_seed <- seism(x, y, k = 3, q = 2, B = 400, L = 3, resume = file)
    expect_identical(without_seed$motifs, whole$motifs)
    expect_error(seism(x, rev(y), k = 3, q = 2, B = 400, L = 3, resume = file), "another run's", class = "nucleograd_error_argument")
})

test_that("a run can be interrupted, and leaves nothing behind", {
    stop_at <- function(done) stop(structure(class = c("test_stop", "error", "condition"), list(message = "no more", call = NULL)))
    run <- quiet_run()
    run[[3]] <- stop_at
    design <- design_of(f$x)
    expect_error(core_chains(design$pointer, f$y, 1L, draw_settings(L = 100L), c(1L, 1000000L), run), class = "test_stop")
    expect_identical(fit_f()$motifs, fit$motifs)
})

test_that("calibration counts small p-values of responses without effect", {
    calibration <- seism_calibrate(fit_f(q = 2), K = 100, B = 19, L = 2, seed = 1)
    expect_true(all(calibration$calibrated))
    expect_identical(dim(attr(calibration, "p")), c(100L, 2L))
    expect_output(print(calibration), "every count is where it should be")
    expect_identical(calibration, seism_calibrate(fit_f(q = 2), K = 100, B = 19, L = 2, seed = 1))
    expect_true(all(seism_calibrate(fit_f(test = "saturated", q = 2), K = 100, seed = 2)$calibrated))
    expect_error(seism_calibrate(fit_f(test = "permutation", q = 1)), "of the test", class = "nucleograd_error_argument")
})
