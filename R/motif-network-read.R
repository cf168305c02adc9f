# R/motif-network-read.R: motifs of filters: letters in the windows that excite them, which are motifs, which are mirror images.

# Letters in the windows that excite each filter, on reference sequences: a table of filters and their matrices (4 x W).
read_filters <- function(settings, state, codes, run, frame) {
    n <- length(codes) / settings$length
    found <- core_collect(settings, state, codes, run, frame)
    counts <- array(found$counts, c(4, settings$width, settings$filters))
    pfm <- lapply(seq_len(settings$filters), function(f) {
        total <- colSums(counts[, , f])
        matrix(ifelse(rep(total, each = 4) > 0, counts[, , f] / rep(pmax(total, 1), each = 4), 0.25), 4, dimnames = list(bases, NULL))
    })
    information <- lapply(pfm, column_information)
    trimmed <- lapply(information, function(bits) {
        kept <- which(bits >= 0.2)
        if (length(kept)) range(kept) else c(1L, 0L)
    })
    left <- vapply(trimmed, `[`, 0L, 1L)
    right <- vapply(trimmed, `[`, 0L, 2L)
    mean_bits <- mapply(function(bits, from, to) if (to >= from) mean(bits[from:to]) else 0, information, left, right)
    table <- data.frame(
        filter = seq_len(settings$filters), consensus = mapply(consensus_of, pfm, left, right), left, right, length = right - left + 1L,
        information = mean_bits, n_windows = found$windows, rate = found$windows / n, mean_activation = found$mean_positive,
        highest = found$highest, alive = found$highest > 0)
    table$pass <- table$alive & table$length >= 5 & table$information >= 1 & table$n_windows >= 20 & table$rate >= 0.05
    list(filters = cbind(table, pair_filters(table, pfm, settings)), pfm = pfm)
}

# Bits of each column, with a little added to every share.
column_information <- function(pfm) {
    share <- sweep(pfm + 0.001, 2, colSums(pfm) + 0.004, "/")
    colSums(share * log2(share / 0.25))
}

consensus_of <- function(pfm, left, right)
    if (right >= left) paste(bases[max.col(t(pfm[, left:right, drop = FALSE]), "first")], collapse = "") else ""

# The mean correlation of columns, times the share of the shorter motif that overlaps; the highest over all shifts.
motif_similarity <- function(a, b, least = 5) {
    a <- a - 0.25
    b <- b - 0.25
    correlation <- crossprod(a, b) / pmax(outer(sqrt(colSums(a^2)), sqrt(colSums(b^2))), 1e-300)
    shift <- col(correlation) - row(correlation)
    sums <- tapply(correlation, shift, sum)
    columns <- tabulate(shift - min(shift) + 1L)
    shorter <- min(ncol(a), ncol(b))
    max(ifelse(columns >= min(least, shorter), sums / shorter, -1))
}

trimmed_pfm <- function(table, pfm, f) pfm[[f]][, table$left[f]:table$right[f], drop = FALSE]

# Which filters mirror each other: columns pair (the other filter, or itself if a palindrome), strand and motif (its name).
pair_filters <- function(table, pfm, settings) {
    n <- nrow(table)
    pair <- rep(NA_integer_, n)
    passing <- which(table$pass)
    mirrored <- matrix(-1, n, n)
    for (f in passing) for (g in passing) mirrored[f, g] <- motif_similarity(trimmed_pfm(table, pfm, f),
                                                                             reverse_complement(trimmed_pfm(table, pfm, g)))
    rivals <- mirrored - diag(1e-9, n)                                # of two equal palindromes each is the other's mirror image
    if (settings$tie_strands) {
        partner <- (seq_len(n) + n / 2 - 1) %% n + 1
        both <- table$pass & table$pass[partner]
        pair[both] <- partner[both]
    } else for (f in passing) {
        best <- which.max(rivals[f, ])
        if (mirrored[f, best] >= 0.85 && which.max(rivals[, best]) == f) pair[f] <- best
    }
    self <- passing[diag(mirrored)[passing] >= 0.85]
    strand <- ifelse(is.na(pair) | table$n_windows > table$n_windows[pair] | table$n_windows == table$n_windows[pair] & seq_len(n) < pair, "+", "-")
    strand[self] <- "*"
    leader <- ifelse(strand == "-" | strand == "*" & !is.na(pair) & table$n_windows[pair] > table$n_windows, pair, seq_len(n))
    leader <- ifelse(strand == "*" & !is.na(pair), pmin(seq_len(n), pair), leader)
    names <- make.unique(table$consensus[unique(leader)])
    data.frame(pair, strand, motif = ifelse(table$pass, names[match(leader, unique(leader))], NA))
}

# ---- the fit ----

new_motif_network <- function(fits, training, run, frame) {
    settings <- training$settings
    data <- training$data
    failed <- vapply(fits$fits, function(fit) fit$dead || !is.null(fit$failure), NA)
    if (all(failed)) {
        why <- vapply(fits$fits, failure_words, "")
        stop_input(c("Every restart failed.", stats::setNames(unique(why), rep("x", length(unique(why))))), class = "training", call = frame)
    }
    reference <- reference_codes(data, fits$key, run, frame)
    read <- lapply(seq_along(fits$fits), function(k) if (!failed[k]) read_filters(settings, fits$fits[[k]]$state, reference, quiet_run(run), frame))
    last <- vapply(seq_along(fits$fits), function(k) if (failed[k]) NA_real_ else utils::tail(fits$fits[[k]]$trace$validation, 1), 0)
    passing <- vapply(read, function(one) if (is.null(one)) NA_integer_ else sum(one$filters$pass), 0L)
    best <- best_restart(last, passing)
    fit <- fits$fits[[best]]
    own <- settings[c("length", setdiff(names(settings), c("length", "response")))]
    logit <- core_inside(settings, fit$state, data$validation$codes, character(), quiet_run(run), frame)$logit
    object <- structure(list(
        weights = named_tensors(settings, fit$state$parameters), stream = fit$state$stream,
        running = list(mean = fit$state$mean, variance = fit$state$variance), state = fit$state, settings = own, response = data$response,
        trace = fit$trace, filters = read[[best]]$filters, pfm = read[[best]]$pfm,
        restarts = data.frame(restart = seq_along(last), validation = last, passing = passing, failure = vapply(fits$fits, failure_words, ""),
                              chosen = seq_along(last) == best),
        checks = quality(logit, data$validation$y, settings$task), traces = lapply(fits$fits, `[[`, "trace"),
        recipe = data$train$recipe, key = fits$key, versions = c(nucleograd = as.character(utils::packageVersion("nucleograd")))),
        class = "motif_network")
    warn_of_motifs(object, frame)
    object
}

# The lowest validation loss of those with motifs, or of all if none has; within 0.002 the one with the most. NA: it failed.
best_restart <- function(loss, motifs) {
    possible <- !is.na(loss) & (motifs > 0 | !any(motifs > 0, na.rm = TRUE))
    close <- which(possible & loss < min(loss[possible]) + 0.002)
    close[order(-motifs[close], loss[close])][1]
}

failure_words <- function(fit) if (fit$dead) "scanner is dead: every activation is 0" else if (is.null(fit$failure)) NA_character_ else cli::ansi_strip(fit$failure)

# At most 5,000 positives that were trained on, or new ones of a recipe.
reference_codes <- function(data, key, run, frame) {
    recipe <- data$train$recipe
    if (is.null(recipe)) {
        length <- data$length
        positive <- which(data$train$y > if (data$response[2] == 1) 0.5 else 0)
        if (length(positive) > 5000) positive <- positive[draw_some(length(positive), 5000, key)]
        return(as.vector(matrix(data$train$codes, length)[, positive]))
    }
    drawn <- draw_simulation(recipe, key, 5L, 0, 5000, quiet_run(run), frame)
    as.vector(matrix(drawn$codes, recipe$length)[, drawn$positive])
}

warn_of_motifs <- function(fit, call) {
    if (!any(fit$filters$pass))
        cli::cli_warn(c("No filter passes the motif rule; weights of the overlap and L1 terms may be too small, or training too short.",
                        i = "{.code plot(fit, \"logo\")} shows the filters as they are."),
                      class = c("nucleograd_warning_no_motif", "nucleograd_warning"), call = call)
    schedule <- fit$settings$schedule
    loss <- fit$trace$validation
    warm <- schedule$warm
    if (is.numeric(warm) && warm > 5 && length(loss) > warm && (loss[warm - 5] - loss[warm]) / loss[warm - 5] > 0.1)
        cli::cli_warn(c("Validation loss was still falling when the ramp began (epoch {warm}).",
                        i = "Can you use a longer {.arg warm} in {.fun motif_schedule}, or {.code warm = \"auto\"}?"),
                      class = c("nucleograd_warning_warm", "nucleograd_warning"), call = call)
}

# Accuracy, areas under the curves, with 95 % intervals: Wilson's, Hanley and McNeil's, and the same width on the logit scale.
quality <- function(logit, y, task) {
    if (task == "regression") return(data.frame(measure = c("mean_squared_error", "r_squared"), value = validation_loss(logit, y, task)))
    truth <- y > 0.5
    n <- length(y)
    share <- mean((logit > 0) == truth)
    z <- 1.959964
    wilson <- (share + z^2 / (2 * n) + c(-1, 1) * z * sqrt(share * (1 - share) / n + z^2 / (4 * n^2))) / (1 + z^2 / n)
    positives <- sum(truth)
    roc <- roc_area(logit, truth)
    error <- sqrt((roc * (1 - roc) + (positives - 1) * (roc / (2 - roc) - roc^2) + (n - positives - 1) * (2 * roc^2 / (1 + roc) - roc^2)) /
                      (positives * (n - positives)))
    prc <- precision_area(logit, truth)
    odds <- stats::qlogis(prc) + c(-1, 1) * z / sqrt(positives * prc * (1 - prc))
    data.frame(measure = c("accuracy", "auroc", "auprc"), value = c(share, roc, prc),
               lower = c(wilson[1], max(0, roc - z * error), stats::plogis(odds[1])),
               upper = c(wilson[2], min(1, roc + z * error), stats::plogis(odds[2])))
}

# The chance that a positive scores above a negative; ties count half.
roc_area <- function(score, truth) {
    positives <- sum(truth)
    (sum(rank(score)[truth]) - positives * (positives + 1) / 2) / (positives * (length(truth) - positives))
}

# Average precision: the mean over positives of the precision where they are found; ties are found together.
precision_area <- function(score, truth) {
    order <- order(-score)
    found <- cumsum(truth[order])
    last <- rev(!duplicated(rev(score[order])))
    recall <- found[last] / sum(truth)
    sum(diff(c(0, recall)) * (found / seq_along(found))[last])
}
