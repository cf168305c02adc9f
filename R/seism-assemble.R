# R/seism-assemble.R: the list that seism() returns.

assemble_seism <- function(data, parts, design, found, tests, settings, run, frame) {
    q <- length(found$candidate)
    steps <- seq_len(q)
    features <- !is.null(data$features)
    names <- make.unique(found$label)
    settings$n_selection <- length(parts$select$rows)
    settings$version <- as.character(utils::packageVersion("nucleograd"))
    fit <- list(pwm_center = stats::setNames(if (features) vector("list", q) else lapply(found$pwm, lettered), names))
    polished <- polished_motifs(design, parts$select$y, found, settings, run, frame)
    fit$pwm_polished <- stats::setNames(lapply(polished, `[[`, "pwm"), names)
    fit$polished_score <- stats::setNames(shown_score(vapply(polished, `[[`, 0, "score"), settings), names)
    scan <- function(pwms) core_activate(data$sequences, pwms, settings$bandwidth, settings$strand == "both", run, frame)
    best <- if (!features) scan(unname(fit$pwm_center))
    fit$activations <- if (features) data$features[, found$candidate, drop = FALSE] else best$activation
    fit$activations_polished <- if (features) fit$activations else scan(unname(fit$pwm_polished))$activation
    dimnames(fit$activations) <- dimnames(fit$activations_polished) <- list(data$names, names)
    fit$sites <- if (!features) best_sites(data, best, fit$pwm_center, names)
    same_as <- function(i) setdiff(unique(design$label[which(design$alias == i)]), design$label[i])
    fit$aliases <- stats::setNames(lapply(found$candidate, same_as), names)

    solved <- qr(cbind(data$basis, fit$activations))
    fit$coefficients <- qr.coef(solved, data$y)
    beta <- unname(fit$coefficients[ncol(data$basis) + steps])
    left <- sum(qr.resid(qr(parts$select$basis), parts$select$y)^2)
    explained <- ifelse(found$centre_norm > 0, found$effect^2 / found$centre_norm, NA)
    statistic <- if (settings$statistic == "best") found$score else found$effect^2 * centre_weights(fit, parts, found, settings)
    sites <- if (features) colSums(fit$activations != 0)
             else if (settings$mesh == 1) vapply(steps, function(j) sum(fit$sites$hamming[fit$sites$motif == j] == 0), 0)
             else colSums(fit$activations >= 0.5)
    fit$motifs <- data.frame(step = steps, consensus = if (features) found$label else vapply(unname(fit$pwm_center), consensus_letters, ""),
        k = if (features) rep(NA_integer_, q) else vapply(unname(fit$pwm_center), ncol, 0L),
        cell = if (features) found$label else vapply(unname(fit$pwm_center), cell_name, "", settings$mesh),
        n_in_cell = found$members, n_aliases = unname(lengths(fit$aliases)), score = shown_score(found$score, settings),
        T = statistic, T_rel = statistic / found$residual, beta = beta,
        effect = beta * unname(apply(fit$activations, 2, stats::sd)) / stats::sd(data$y),
        sign = sign(found$effect), delta_r2 = explained / left, n_sites = unname(sites), tests$table)
    fit$motifs <- multiplicity(fit$motifs, tests, settings)
    kept <- list(diagnostics = tests$diagnostics, observed = tests$observed, settings = settings, basis = data$basis, y = data$y,
                 tested = parts$select$y, sequences = data$sequences, features = data$features, regions = data$regions,
                 candidates = data$pwms)
    structure(c(fit, kept), class = "seism")
}

multiplicity <- function(motifs, tests, settings) {
    if (!is.null(tests$p_maxT)) motifs$p_maxT <- c(tests$p_maxT, rep(NA_real_, nrow(motifs) - 1))
    if (settings$test == "saturated") motifs$p_holm <- stats::p.adjust(motifs$p, "holm")
    if (settings$test %in% c("selected", "split"))
        motifs$keep <- motifs$step <= forward_stop(motifs$p, settings$alpha, if (settings$test == "selected") settings$B else Inf)
    motifs
}

# w_c^2 of the statistic w_c^2 (a_c' x)^2.
centre_weights <- function(fit, parts, found, settings) {
    if (settings$score == "hsic") return(1)
    centred <- qr.resid(qr(parts$select$basis), fit$activations[parts$select$rows, , drop = FALSE])
    1 / ((if (settings$norm == "fixed") colSums(centred^2) else found$centre_norm) + settings$lambda)
}

lettered <- function(pwm) {
    dimnames(pwm) <- list(bases, NULL)
    pwm
}

# A list by step of pwm and score.
polished_motifs <- function(design, y, found, settings, run, frame) {
    lapply(seq_along(found$candidate), function(j) {
        if (is.null(found$pwm[[j]]) || settings$polish == "none" || found$centre_share[j] <= 1e-10)
            return(list(pwm = if (!is.null(found$pwm[[j]])) lettered(found$pwm[[j]]), score = found$score[j]))
        polished <- core_polish(design$pointer, y, j, settings$polish == "free", run, frame)
        list(pwm = lettered(polished$pwm), score = polished$score)
    })
}

# The best window of each sequence for each motif.
best_sites <- function(data, best, pwms, names) {
    widths <- data$sequences[[2]]
    offset <- c(0, cumsum(as.numeric(widths)))[seq_along(widths)]
    tables <- lapply(seq_along(pwms), function(j) {
        k <- ncol(pwms[[j]])
        start <- best$start[, j]
        codes <- matrix(as.integer(data$sequences[[1]][rep(offset + start - 1, each = k) + seq_len(k)]), k)
        minus <- best$strand[, j] == -1
        codes[, minus] <- 3L - codes[k:1, minus]
        wanted <- apply(pwms[[j]], 2, function(column) column >= max(column) / 2)
        matched <- matrix(wanted[cbind(c(codes) + 1, rep(seq_len(k), ncol(codes)))], k)
        data.frame(sequence = data$names, motif = j, start = start, strand = ifelse(minus, "-", "+"), hamming = k - colSums(matched),
                   activation = best$activation[, j], index = seq_along(widths))
    })
    do.call(rbind, tables)
}

# Of each column the letter, or the IUPAC letter of those with at least half the share of the largest.
consensus_letters <- function(pwm) {
    sets <- apply(pwm, 2, function(column) paste(bases[column >= max(column) / 2 - 1e-9], collapse = ""))
    paste(names(Biostrings::IUPAC_CODE_MAP)[match(sets, Biostrings::IUPAC_CODE_MAP)], collapse = "")
}

# A k-mer, or the lattice points of the columns: counts of A, C, G, T.
cell_name <- function(pwm, mesh) {
    if (mesh == 1) consensus_letters(pwm) else paste(apply(round(pwm * mesh), 2, paste, collapse = ""), collapse = ".")
}

#' Activations of motifs in sequences
#'
#' How well each motif is matched anywhere in each sequence; see [seism()].
#' @inheritParams seism
#' @param pwm A list of 4 x k matrices, rows A, C, G, T, columns of sum 1, k at most 15; or one such matrix.
#' @return A matrix, one row a sequence, one column a motif: exp(-`bandwidth` x the smallest squared distance), 0 to 1.
#' @section Errors: As [seism()].
#' @examples
#' seism_activation(simple_pwm("ACG"), c(first = "TTACGT", second = "TTTTTT"))
#' @export
seism_activation <- function(pwm, x, bandwidth = 0.5, strand = c("forward", "both"), threads = NULL) {
    pwms <- check_pwms(pwm, "pwm", widest = 15)
    names(pwms) <- if (is.list(pwm)) names(pwm)
    bandwidth <- check_positive(bandwidth)
    strand <- check_choice(strand, c("forward", "both"))
    sequences <- sequence_codes(x)
    check_windows(sequences, vapply(pwms, ncol, 0L))
    found <- core_activate(list(sequences$code, as.integer(sequences$length_bp)), unname(pwms), bandwidth, strand == "both", run_settings(threads))
    structure(found$activation, dimnames = list(sequences$names, names(pwms)))
}
