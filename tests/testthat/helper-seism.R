# tests/testthat/helper-seism.R: SEISM in plain loops and dense projections, straight from the formulas: the oracle of test-seism*.R.

# Eight short sequences whose values are known by heart.
fixture_f <- list(
    x = c(S1 = "ACGTACGTAC", S2 = "TTTACGATGC", S3 = "GGGCCCATAT", S4 = "CATCATCATC",
          S5 = "ACGACGTTTT", S6 = "TGCATGCAAA", S7 = "CCCCACGCCC", S8 = "GATTACAGAT"),
    y = c(2.1, 1.7, -0.4, 0.3, 2.5, -1.1, 1.9, -0.8))

letters_of <- function(sequence) strsplit(sequence, "")[[1]]

kmer_pwm <- function(kmer) outer(c("A", "C", "G", "T"), letters_of(kmer), "==") * 1

other_strand <- function(pwm) pwm[4:1, ncol(pwm):1, drop = FALSE]

turned_kmer <- function(kmer) paste(rev(letters_of(chartr("ACGT", "TGCA", kmer))), collapse = "")

# Every window without another letter, as text.
naive_windows <- function(sequence, k) {
    starts <- seq_len(nchar(sequence) - k + 1)
    windows <- substring(sequence, starts, starts + k - 1)
    windows[!grepl("[^ACGT]", windows)]
}

# The smallest |z - u|^2 over windows: of each column, what each letter is away, summed along each window.
naive_match <- function(pwm, x, bandwidth, both = FALSE) {
    nearest <- function(pwm, sequence) {
        away <- apply(pwm, 2, function(column) colSums((column - diag(4))^2))
        code <- match(letters_of(sequence), c("A", "C", "G", "T"))
        starts <- seq_len(length(code) - ncol(pwm) + 1)
        min(Reduce(`+`, lapply(seq_len(ncol(pwm)), function(column) away[cbind(code[starts + column - 1], column)])), na.rm = TRUE)
    }
    unname(vapply(x, function(sequence) {
        distance <- if (both) min(nearest(pwm, sequence), nearest(other_strand(pwm), sequence)) else nearest(pwm, sequence)
        exp(-bandwidth * distance)
    }, 0))
}

# Distinct k-mers in lexicographic order; of both strands, the smaller of each pair.
naive_kmers <- function(x, k, both = FALSE) {
    kmers <- unlist(lapply(x, naive_windows, k))
    if (both) kmers <- pmin(kmers, vapply(kmers, turned_kmer, ""))
    sort(unique(kmers), method = "radix")
}

naive_soft <- function(kmer) {
    centre <- kmer_pwm(kmer)
    softened <- lapply(seq_len(ncol(centre)), function(column) {
        centre[, column] <- ifelse(centre[, column] == 1, 0.7, 0.1)
        centre
    })
    c(list(centre), softened)
}

# The nearest point of the lattice {v / M}, column by column, over all points there are.
naive_cell <- function(pwm, mesh) {
    grid <- as.matrix(expand.grid(rep(list(0:mesh), 4)))
    grid <- grid[rowSums(grid) == mesh, , drop = FALSE] / mesh
    grid <- grid[do.call(order, as.data.frame(-grid)), , drop = FALSE]              # of equals the one with more of A, then of C
    apply(pwm, 2, function(column) {
        distance <- rowSums(sweep(grid, 2, column)^2)
        grid[which(distance <= min(distance) + 1e-9)[1], ]
    })
}

off <- function(basis, values) qr.resid(qr(basis), values)

# Everything that selection needs: activations of candidates and of their cells' centres, the weights, which cell is whose.
naive_design <- function(x, candidates, bandwidth = 0.5, both = FALSE, mesh = 1, covariates = NULL, score = "ridge", lambda = 0) {
    W <- cbind(rep(1, length(x)), covariates)
    centres <- lapply(candidates, naive_cell, mesh)
    activations <- function(pwms) vapply(pwms, naive_match, numeric(length(x)), x, bandwidth, both)
    design <- list(W = W, candidates = candidates, cell = vapply(centres, function(cell) paste(cell, collapse = " "), ""),
                   phi = activations(candidates), centre = activations(centres), score = score, lambda = lambda)
    norm2 <- colSums(off(W, design$phi)^2)
    keep <- norm2 > 1e-10 * length(x)
    weighted <- sweep(off(W, design$phi), 2, naive_weights(design, norm2), "*")
    for (l in which(keep)) for (earlier in which(keep[seq_len(l - 1)])) {
        gap <- min(sum((weighted[, l] - weighted[, earlier])^2), sum((weighted[, l] + weighted[, earlier])^2))
        if (gap <= 1e-20 * sum(weighted[, l]^2)) keep[l] <- FALSE
    }
    design[c("candidates", "cell")] <- list(design$candidates[keep], design$cell[keep])
    design[c("phi", "centre")] <- list(design$phi[, keep, drop = FALSE], design$centre[, keep, drop = FALSE])
    design
}

naive_weights <- function(design, norm2) if (design$score == "hsic") rep(1, length(norm2)) else 1 / sqrt(norm2 + design$lambda)

# Greedy selection: which candidate wins each step, its cell and its score.
naive_select <- function(design, y, q, norm = "fixed") {
    basis <- design$W
    all <- off(design$W, design$phi)
    cells <- character()
    path <- list()
    for (j in seq_len(q)) {
        left <- off(basis, design$phi)
        norm2 <- if (norm == "fixed") colSums(all^2) else colSums(left^2)
        weight <- naive_weights(design, norm2)
        if (norm == "projected") weight[norm2 <= 1e-10 * colSums(all^2)] <- 0
        size <- abs(weight * drop(crossprod(left, y)))
        size[design$cell %in% cells] <- -1
        winner <- which(size >= max(size) * (1 - 1e-12))[1]
        path[[j]] <- list(winner = winner, score = size[winner]^2, runners_up = sort(size[-winner], decreasing = TRUE)^2)
        cells <- c(cells, design$cell[winner])
        basis <- cbind(basis, design$centre[, winner])
    }
    list(winner = vapply(path, `[[`, 0L, "winner"), score = vapply(path, `[[`, 0, "score"), cell = cells)
}

# Random sequences, the same everywhere.
random_sequences <- function(n, length_bp, seed) {
    set.seed(seed)
    vapply(seq_len(n), function(i) paste(sample(c("A", "C", "G", "T"), length_bp, replace = TRUE), collapse = ""), "")
}

# ---- the core, called as the tests need it ----

packed <- function(x) {
    codes <- sequence_codes(x)
    list(codes$code, as.integer(codes$length_bp))
}

quiet_run <- function(threads = 1) run_settings(threads)

no_covariates <- function(n) matrix(0, n, 0)

# The candidates of sequences, from the intercept on; `pwms` or k-mers.
design_of <- function(x, k = 3, bandwidth = 1, score = 0L, lambda = 0, norm = 0L, both = FALSE, mesh = 1L, kind = 0L, pwms = list(),
                      covariates = NULL, rows = NULL, min_seqs = 1, max_candidates = 20000)
    core_design(packed(x), rows, list(kind, as.integer(k), pwms, min_seqs, max_candidates, mesh), list(score, lambda, norm, bandwidth, both),
                cbind(rep(1, if (is.null(rows)) length(x) else length(rows)), covariates), quiet_run())

features_design <- function(features, score = 0L, lambda = 0, norm = 0L, covariates = no_covariates(nrow(features)))
    core_design_matrix(features, seq_len(ncol(features)), list(score, lambda, norm, 1, FALSE), covariates, quiet_run())

selection_of <- function(design, y, q = 3) {
    path <- core_select(design$pointer, y, as.integer(q), quiet_run())
    kept <- which(design$alias == seq_along(design$alias))
    path$candidate <- kept[path$candidate]
    path$rival <- kept[path$rival]
    path
}

scorings <- list(`ridge, lambda 0` = list(0L, 0), hsic = list(1L, 0), `ridge, lambda 1` = list(0L, 1))

scored_design <- function(scoring, ...) design_of(fixture_f$x, score = scoring[[1]], lambda = scoring[[2]], ...)

naive_scored <- function(scoring, ...) naive_design(fixture_f$x, lapply(naive_kmers(fixture_f$x, 3), kmer_pwm), 1,
                                                    score = c("ridge", "hsic")[scoring[[1]] + 1], lambda = scoring[[2]], ...)

draw_settings <- function(sigma = NA_real_, statistic = 0L, test = 0L, sampler = 0L, L = 20L, stop_after = 0L, key = c(1, 0))
    list(test, sigma, statistic, sampler, L, stop_after, key)

# The share of a long chain at or above the observed statistic, and its standard error.
long_share <- function(design, y, step, settings, steps = 1e5) {
    made <- core_trace(design$pointer, y, as.integer(step), settings, 1L, 2000L, as.integer(steps), quiet_run())
    exceed <- as.numeric(made$trace >= made$statistic * (1 - 1e-12))
    list(p = mean(exceed), se = sqrt(mean(exceed) * (1 - mean(exceed)) * max(core_autocorrelation(exceed), 1) / steps))
}

# log P(Z in the union of intervals), Z ~ N(mean, 1), each from the tail in which it lies.
log_mass <- function(low, high, mean) {
    keep <- low < high
    a <- ifelse(low + high > 2 * mean, mean - high, low - mean)[keep]
    b <- ifelse(low + high > 2 * mean, mean - low, high - mean)[keep]
    upper <- stats::pnorm(b, log.p = TRUE)
    logs <- upper + log1p(-exp(stats::pnorm(a, log.p = TRUE) - upper))
    max(logs) + log(sum(exp(logs - max(logs))))
}
