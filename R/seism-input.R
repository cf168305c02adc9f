# R/seism-input.R: what seism() takes: sequences, a response, covariates, candidate motifs. Each check stops in the words of ?seism.

stop_seism <- function(message, call, .envir = parent.frame(), class = "argument") stop_input(message, class, call, .envir)

warn_seism <- function(message, class, call = parent.frame(), .envir = parent.frame()) {
    cli::cli_warn(message, class = c(paste0("nucleograd_warning_", class), "nucleograd_warning"), call = call, .envir = .envir)
}

check_positive <- function(x, min = 0, max = Inf, open = TRUE, name = deparse1(substitute(x)), call = parent.frame()) {
    if (is.numeric(x) && length(x) == 1L && !is.na(x) && (x > min || !open && x == min) && x < max) return(as.numeric(x))
    given <- friendly(x)
    limits <- paste(if (open) "above" else "of at least", format(min), if (is.finite(max)) paste("and below", format(max)))
    stop_input("{.arg {name}} must be one number {trimws(limits)}, not {given}.", call = call)
}

check_text <- function(x, name = deparse1(substitute(x)), call = parent.frame()) {
    if (is.character(x) && length(x) == 1L && !is.na(x)) return(x)
    given <- friendly(x)
    stop_input("{.arg {name}} must be one piece of text, not {given}.", call = call)
}

# ---- sequences ----

# Sequences as the core reads them: one raw vector of codes (0 to 3 for A, C, G, T, 4 for other letters), all in a row.
sequence_codes <- function(x, call = parent.frame()) {
    codes <- if (is.list(x) && !is.object(x)) codes_of_integers(x, call) else codes_of_letters(x, call)
    codes$names <- first_known(if (is.null(names(x))) rep(NA_character_, length(x)) else ifelse(nzchar(names(x)), names(x), NA),
                               as.character(seq_along(x)))
    codes
}

codes_of_letters <- function(x, call) {
    if (!is.character(x) && !is(x, "XStringSet") || anyNA(x) || !length(x)) {
        given <- friendly(x)
        stop_input(c("{.arg x} must be a {.cls DNAStringSet}, a character vector, or a list of codes, not {given}.",
                     i = "{.fun read_genome} reads FASTA."), call = call)
    }
    text <- as.character(x)
    length_bp <- nchar(text, "bytes")
    letters_found <- as.integer(charToRaw(paste(text, collapse = "")))
    known <- rep(NA_integer_, 256)
    iupac <- utf8ToInt("ACGTRYSWKMBDHVN")
    known[c(iupac, iupac + 32L)] <- rep(c(0:3, rep(4L, 11)), 2)
    known[utf8ToInt("Uu")] <- 3L
    code <- known[letters_found]
    if (anyNA(code)) {
        at <- which(is.na(code))[1]
        owner <- findInterval(at - 1, c(0, cumsum(length_bp)), left.open = FALSE)
        position <- at - c(0, cumsum(length_bp))[owner]
        name <- if (is.null(names(x)) || !nzchar(names(x)[owner])) owner else names(x)[owner]
        ch <- substr(text[owner], position, position)
        stop_seism("sequence {name} contains '{ch}' at position {position}; only DNA letters are allowed.", call, class = "letters")
    }
    if (any(letters_found %in% utf8ToInt("Uu"))) cli::cli_inform("Reading U as T.")
    list(code = as.raw(code), length_bp = length_bp)
}

codes_of_integers <- function(x, call) {
    code <- unlist(x, use.names = FALSE)
    if (!length(x) || !is.numeric(code) || anyNA(code) || any(code < 0 | code > 4 | code != round(code)))
        stop_input("A list {.arg x} must hold whole numbers: 0 to 3 for A, C, G and T, 4 for any other letter.", call = call)
    list(code = as.raw(code), length_bp = lengths(x, use.names = FALSE))
}

# Each sequence must hold a window of every width.
check_windows <- function(sequences, k, call = parent.frame()) {
    longest <- max(k)
    short <- which(sequences$length_bp < longest)
    if (length(short)) {
        at <- short[which.min(sequences$length_bp[short])]
        stop_seism("k = {longest} is longer than sequence {sequences$names[at]} ({sequences$length_bp[at]} bases).", call)
    }
    ambiguous <- sequences$code == as.raw(4)
    runs <- rle(2L * rep(seq_along(sequences$names), sequences$length_bp) + ambiguous)
    valid <- runs$values %% 2L == 0L
    longest_run <- tapply(runs$lengths[valid], factor(runs$values[valid] %/% 2L, seq_along(sequences$names)), max)
    none <- which(is.na(longest_run) | longest_run < longest)
    if (length(none)) stop_seism("sequence {sequences$names[none[1]]} has no {longest}-base window without N.", call)
}

# ---- response and covariates ----

check_response <- function(y, n, call = parent.frame()) {
    if (is.logical(y)) y <- as.numeric(y)
    if (is.factor(y) && nlevels(y) == 2L) y <- as.numeric(y) - 1
    if (!is.numeric(y) || length(dim(y)) > 1L) {
        given <- friendly(y)
        stop_input("{.arg y} must be numbers, TRUE and FALSE, or a factor of two levels, one value a sequence, not {given}.", call = call)
    }
    if (length(y) != n) stop_seism("x has {n} sequences but y has {length(y)} values.", call)
    check_finite(y, "y", call)
    as.numeric(y)
}

check_finite <- function(values, name, call) {
    bad <- which(!is.finite(values))
    if (length(bad))
        stop_seism("{name} has {length(bad)} missing or infinite values (first at {bad[1]}); remove them together with their sequences.", call)
}

# The columns that explain the mean under the null: the intercept, and covariates that add to it.
covariate_basis <- function(covariates, n, call = parent.frame()) {
    design <- matrix(1, n, 1, dimnames = list(NULL, "(Intercept)"))
    if (is.null(covariates)) return(design)
    if (is.data.frame(covariates)) {
        missing <- !stats::complete.cases(covariates)
        if (any(missing)) check_finite(ifelse(missing, NA, 0), "covariates", call)
        covariates <- stats::model.matrix(~ ., covariates)[, -1, drop = FALSE]
    }
    if (is.numeric(covariates) && is.null(dim(covariates))) covariates <- matrix(covariates)
    if (!is.matrix(covariates) || !is.numeric(covariates) && !is.logical(covariates)) {
        given <- friendly(covariates)
        stop_input("{.arg covariates} must be a numeric matrix or a data.frame, not {given}.", call = call)
    }
    if (nrow(covariates) != n) stop_seism("x has {n} sequences but covariates has {nrow(covariates)} rows.", call)
    check_finite(rowSums(covariates), "covariates", call)
    if (is.null(colnames(covariates))) colnames(covariates) <- paste0("covariate_", seq_len(ncol(covariates)))
    design <- cbind(design, covariates * 1)
    solved <- qr(design)
    kept <- sort(solved$pivot[seq_len(solved$rank)])
    if (length(kept) < ncol(design))
        cli::cli_inform("Dropping {.val {colnames(design)[-kept]}}: other covariates or the intercept say the same.")
    design[, kept, drop = FALSE]
}

# What covariates leave of the response, on a scale on which ties survive the projection.
unexplained <- function(y, basis, call = parent.frame()) {
    left <- qr.resid(qr(basis), y)
    if (sum(left^2) <= 1e-20 * sum(y^2)) stop_seism("y is constant after removing the covariates; nothing to test.", call)
    round(left / sqrt(mean(left^2)), 12)
}

# The response that is tested: itself, or normal scores of what the covariates leave, ties at their average rank.
transformed_response <- function(y, basis, transform, call = parent.frame()) {
    left <- unexplained(y, basis, call)
    if (transform == "none") y else stats::qnorm((rank(left) - 0.5) / length(y))
}

# Says when p rests on noise that is not normal.
warn_of_response <- function(y, basis, transform, call = parent.frame()) {
    left <- unexplained(y, basis, call)
    skewness <- mean(left^3)
    excess <- mean(left^4) - 3
    tied <- mean(duplicated(left) | duplicated(left, fromLast = TRUE))
    if (transform == "none" && (abs(skewness) > 1 || excess > 2 || length(unique(left)) < 10)) {
        s <- format(round(skewness, 2))
        e <- format(round(excess, 2))
        warn_seism(paste("y is far from Gaussian (skewness {s}, excess kurtosis {e}); p-values may be too small.",
                         "Use transform = 'normal', test = 'permutation' or 'split'."), "gaussian", call)
    }
    if (transform == "normal" && tied > 0.2) {
        pct <- round(100 * tied)
        warn_seism("{pct}% of y values are tied; normal scores are only approximate. Consider test = 'permutation'.", "ties", call)
    }
}

# ---- candidates ----

# PWMs as 4 x k matrices, columns of sum 1, rows A, C, G, T.
check_pwms <- function(candidates, name = "candidates", call = parent.frame(), widest = Inf) {
    if (is.matrix(candidates)) candidates <- list(candidates)
    if (!is.list(candidates) || !length(candidates)) {
        given <- friendly(candidates)
        stop_input("{.arg {name}} must be a list of 4 x k matrices, not {given}.", call = call)
    }
    lapply(seq_along(candidates), function(i) {
        pwm <- candidates[[i]]
        good <- is.matrix(pwm) && is.numeric(pwm) && nrow(pwm) == 4L && ncol(pwm) >= 1L && all(is.finite(pwm)) && all(pwm >= 0) &&
            all(abs(colSums(pwm) - 1) <= 1e-6)
        if (!good) stop_seism("{name}[[{i}]] is not a 4 x k matrix of non-negative columns that sum to 1.", call)
        if (ncol(pwm) > widest) stop_input("{name}[[{i}]] must have at most {widest} columns, not {ncol(pwm)}.", call = call)
        if (!is.null(rownames(pwm)) && setequal(rownames(pwm), bases)) pwm <- pwm[bases, , drop = FALSE]
        pwm <- sweep(pwm, 2, colSums(pwm), "/")
        dimnames(pwm) <- list(bases, NULL)
        pwm
    })
}
