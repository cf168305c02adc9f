# Activations, scores, cells and greedy selection against plain loops (helper-seism.R) and values known by hand.

f <- fixture_f
soft <- cbind(c(0.7, 0.1, 0.1, 0.1), c(0, 1, 0, 0), rep(0.25, 4))

test_that("activations have the values known by hand", {
    e <- exp(-2)
    expect_equal(seism_activation(kmer_pwm("ACG"), f$x, 1)[, 1], c(1, 1, e^2, e^2, 1, e, 1, e), tolerance = 1e-12, ignore_attr = TRUE)
    expect_equal(seism_activation(kmer_pwm("ACG"), f$x, 1, "both")[, 1], c(1, 1, e, e, 1, e, 1, e), tolerance = 1e-12, ignore_attr = TRUE)
    a <- 0.4189515492
    b <- 0.1261857817
    expect_equal(seism_activation(soft, f$x, 1)[, 1], c(a, a, b, b, a, b, a, a), tolerance = 1e-9, ignore_attr = TRUE)
    expect_identical(dimnames(seism_activation(list(one = soft), f$x)), list(names(f$x), "one"))
})

test_that("activations are the best of all windows, with N, ties, and either strand", {
    x <- random_sequences(7, 40, 11)
    x[3] <- "NNACGTACGTNNNNNNNNNNNNNACGTTN"
    x[4] <- paste0(substr(x[4], 1, 12), "RN", substr(x[4], 15, 30))
    set.seed(12)
    for (k in 2:8) for (both in c(FALSE, TRUE)) {
        pwms <- list(kmer_pwm(substr(x[1], 5, 4 + k)), sweep(matrix(stats::rexp(4 * k), 4), 2, 1, "+"))
        pwms[[2]] <- sweep(pwms[[2]], 2, colSums(pwms[[2]]), "/")
        found <- seism_activation(pwms, x, 0.7, if (both) "both" else "forward")
        for (i in 1:2) expect_equal(found[, i], naive_match(pwms[[i]], x, 0.7, both), tolerance = 1e-12, ignore_attr = TRUE)
    }
})

test_that("codes, letters and DNAStringSets are the same sequences", {
    codes <- lapply(f$x, function(sequence) match(letters_of(sequence), c("A", "C", "G", "T")) - 1L)
    expected <- seism_activation(soft, f$x)
    expect_identical(seism_activation(soft, codes), expected)
    expect_identical(seism_activation(soft, Biostrings::DNAStringSet(f$x)), expected)
    expect_identical(seism_activation(soft, tolower(f$x)), expected)
    expect_message(expect_identical(seism_activation(soft, chartr("T", "U", f$x)), expected), "U as T")
})

test_that("candidates are the k-mers that are there, in order; the same activation is one candidate", {
    for (both in c(FALSE, TRUE)) {
        design <- design_of(f$x, both = both)
        expect_identical(design$kmer, naive_kmers(f$x, 3, both))
    }
    design <- design_of(f$x)
    expect_identical(design$alias, 1:31)
    design <- design_of(f$x, k = c(2, 3))
    expect_identical(design$kmer, c(naive_kmers(f$x, 2), naive_kmers(f$x, 3)))
    often <- vapply(naive_kmers(f$x, 3), function(kmer) sum(grepl(kmer, f$x)), 0L)
    expect_identical(design_of(f$x, min_seqs = 3)$kmer, names(often)[often >= 3])
    expect_identical(design_of(f$x)$seqs, unname(often))
    variance <- vapply(names(often), function(kmer) sum(off(matrix(1, 8), naive_match(kmer_pwm(kmer), f$x, 1))^2), 0)
    kept <- sort(order(-variance, seq_along(variance))[1:10])
    expect_identical(which(design_of(f$x, max_candidates = 10)$alias > 0), kept)
})

test_that("k-mers that no sequence tells apart are aliases of the first", {
    x <- c("AACC", "AACC", "GGTT", "GGTT", "GGTT", "CATG")
    for (scoring in scorings) {
        design <- design_of(x, k = 2, score = scoring[[1]], lambda = scoring[[2]])
        naive <- naive_design(x, lapply(design$kmer, kmer_pwm), 1, score = c("ridge", "hsic")[scoring[[1]] + 1], lambda = scoring[[2]])
        kept <- vapply(naive$candidates, function(pwm) paste(c("A", "C", "G", "T")[apply(pwm, 2, which.max)], collapse = ""), "")
        expect_identical(design$kmer[design$alias == seq_along(design$alias)], kept)
        expect_lt(length(kept), length(design$kmer))
    }
})

test_that("scores have the values known by hand", {
    one <- function(pwm, scoring) selection_of(scored_design(scoring, kind = 3L, pwms = list(pwm)), f$y, 1)$score
    scores <- vapply(scorings, one, 0, pwm = kmer_pwm("ACG"))
    expect_equal(unname(scores), c(12.330627166039, 21.186434962815, 7.794299795718), tolerance = 1e-12)
    expect_equal(shown_score(scores[["hsic"]], list(score = "hsic", n = 8)), 0.432376223731, tolerance = 1e-11)
    expect_equal(scores[[1]] / sum((f$y - mean(f$y))^2), 0.853035431757, tolerance = 1e-11)
    expect_equal(unname(vapply(scorings, one, 0, pwm = soft)), c(6.627, 1.065022618333, 0.917561640403), tolerance = 1e-11)
})

test_that("greedy steps have the values known by hand", {
    expected <- list(c(12.330627166, 1.011860099, 0.491718209), c(21.186434963, 1.257935127, 0.371617021), c(7.794299796, 0.560779381, 0.211656897))
    for (i in 1:3) {
        design <- scored_design(scorings[[i]])
        path <- selection_of(design, f$y)
        expect_identical(design$kmer[path$candidate], c("ACG", "TGC", "CAG"))
        expect_equal(path$score, expected[[i]], tolerance = 1e-8)
    }
    path <- selection_of(scored_design(scorings[[1]]), f$y)
    expect_equal(path$residual, c(14.455, 2.124372834, 1.110947490), tolerance = 1e-8)
    expect_equal(path$freedom, 7:5)
    expect_equal(path$rival_score[1], 6.72362788, tolerance = 1e-8)
    expect_identical(scored_design(scorings[[1]])$kmer[path$rival[1]], "CGT")
    projected <- scored_design(scorings[[1]], norm = 1L)
    path <- selection_of(projected, f$y)
    expect_identical(projected$kmer[path$candidate], c("ACG", "ATC", "TGC"))
    expect_equal(path$score, c(12.330627166, 1.016729299, 0.675743612), tolerance = 1e-8)
    expect_equal(sum(path$score), sum((f$y - mean(f$y))^2) - sum(off(cbind(1, do.call(cbind, list(path$phi))), f$y)^2), tolerance = 1e-10)
})

test_that("selection agrees with plain loops, whatever the score, norm, strand, covariates and width", {
    for (trial in 1:24) {
        x <- random_sequences(14, 18, trial)
        set.seed(trial + 100)
        y <- stats::rnorm(14)
        both <- trial %% 2 == 0
        scoring <- scorings[[trial %% 3 + 1]]
        norm <- trial %/% 3 %% 2
        covariates <- if (trial %% 4 < 2) matrix(stats::rnorm(14 * 2), 14)
        design <- design_of(x, k = 3, bandwidth = 0.5, score = scoring[[1]], lambda = scoring[[2]], norm = norm, both = both,
                            covariates = covariates)
        naive <- naive_design(x, lapply(naive_kmers(x, 3, both), kmer_pwm), 0.5, both, 1, covariates, c("ridge", "hsic")[scoring[[1]] + 1],
                              scoring[[2]])
        path <- selection_of(design, y, 4)
        expected <- naive_select(naive, y, 4, c("fixed", "projected")[norm + 1])
        expect_identical(lapply(design$kmer[path$candidate], kmer_pwm), unname(naive$candidates[expected$winner]))
        expect_equal(path$score, expected$score, tolerance = 1e-10)
    }
})

test_that("cells are the nearest lattice points, and their centres stand for them", {
    set.seed(5)
    for (mesh in 1:4) {
        pwms <- lapply(1:40, function(i) {
            pwm <- matrix(stats::rexp(12)^2, 4)
            sweep(pwm, 2, colSums(pwm), "/")
        })
        design <- design_of(f$x, kind = 3L, pwms = pwms, mesh = mesh)
        cells <- vapply(pwms, function(pwm) paste(naive_cell(pwm, mesh), collapse = " "), "")
        expect_identical(match(design$cell, design$cell), match(cells, cells))
        path <- selection_of(design, f$y, 3)
        for (j in seq_along(path$candidate)) expect_equal(unname(path$pwm[[j]]), naive_cell(pwms[[path$candidate[j]]], mesh), ignore_attr = TRUE)
    }
})

test_that("several candidates in a cell are selected as one, and its centre is projected off", {
    for (trial in 1:6) {
        x <- random_sequences(16, 15, trial + 40)
        set.seed(trial)
        y <- stats::rnorm(16)
        scoring <- scorings[[trial %% 3 + 1]]
        design <- design_of(x, kind = 1L, bandwidth = 0.5, score = scoring[[1]], lambda = scoring[[2]])
        pwms <- unlist(lapply(naive_kmers(x, 3), naive_soft), recursive = FALSE)
        naive <- naive_design(x, pwms, 0.5, score = c("ridge", "hsic")[scoring[[1]] + 1], lambda = scoring[[2]])
        expect_identical(length(design$kmer), length(pwms))
        path <- selection_of(design, y, 3)
        expected <- naive_select(naive, y, 3)
        expect_equal(path$score, expected$score, tolerance = 1e-10)
        expect_identical(vapply(path$pwm, function(pwm) paste(pwm, collapse = " "), ""), expected$cell)
    }
})

test_that("the lattice's neighbours are candidates", {
    design <- design_of(f$x, kind = 2L, mesh = 2L)
    expect_identical(sum(design$variant == 0), 31L)
    expect_true(all(table(design$kmer) <= 1 + 3 * 3))
    naive <- naive_design(f$x, lapply(naive_kmers(f$x, 3), kmer_pwm), 1, mesh = 2)
    path <- selection_of(design, f$y, 1)
    expect_gte(path$score, naive_select(naive, f$y, 1)$score - 1e-12)
})

test_that("membership is selection from scratch", {
    set.seed(31)
    for (trial in 1:12) {
        x <- random_sequences(12, 15, trial + 70)
        y <- stats::rnorm(12)
        scoring <- scorings[[trial %% 3 + 1]]
        kind <- as.integer(trial %% 2)
        design <- design_of(x, k = 2, bandwidth = 0.5, kind = kind, score = scoring[[1]], lambda = scoring[[2]],
                            norm = as.integer(trial %/% 3 %% 2), covariates = if (trial > 6) stats::rnorm(12))
        cells_of <- function(y, q) vapply(core_select(design$pointer, y, q, quiet_run())$pwm, paste, "", collapse = " ")
        for (q in 1:4) {
            responses <- y + matrix(stats::rnorm(12 * 40, sd = 0.3), 12)
            found <- core_member(design$pointer, y, q, cbind(y, -y, responses), quiet_run())
            expected <- apply(cbind(y, -y, responses), 2, function(other) identical(cells_of(other, q), cells_of(y, q)))
            expect_identical(found, unname(expected))
            expect_true(found[1] && found[2])
        }
    }
})

test_that("seism_select() says who wins and who comes second", {
    table <- seism_select(f$x, f$y, k = 3, bandwidth = 1, transform = "none")
    expect_identical(table$consensus, c("ACG", "TGC", "CAG"))
    expect_identical(table$rival[1], "CGT")
    expect_equal(table$score, c(12.330627166, 1.011860099, 0.491718209), tolerance = 1e-8)
    hsic <- seism_select(f$x, f$y, k = 3, bandwidth = 1, transform = "none", score = "hsic")
    expect_equal(hsic$score[1], 0.432376223731, tolerance = 1e-10)
})
