#' Are the p-values of a fit calibrated?
#'
#' Draws responses without any effect on the sequences (and covariates) of a fit, runs the same selection and the same test on
#' each, and counts how often p is small. What it finds is about normal noise on these sequences; a response far from normal is
#' a matter of its own.
#' @param fit A `seism` of the tests `"selected"`, `"global"` or `"saturated"`.
#' @param K How many responses to draw, 20 to 100,000.
#' @param B,L Draws and steps of each test; fewer than a fit would take, since each p-value is exact for any number.
#' @param seed A whole number for the same draws again; `NULL` takes one from R's generator.
#' @param threads Threads; see [thread_count()].
#' @return A `seism_calibration`: a data.frame with one row a step and level (1, 5, 50 %): `step`, `level`, `rejected` of
#'   `draws`, the bounds `low` and `high` that a calibrated test keeps with probability 0.999, `calibrated`, and `ks_p`, of the
#'   Kolmogorov-Smirnov test of uniform p-values. The attributes `p` (K x steps) and `correlation` of the p-values of steps 1
#'   and 2.
#' @section Errors: `nucleograd_error_argument`.
#' @examples
#' set.seed(1)
#' x <- replicate(40, paste(sample(c("A", "C", "G", "T"), 30, replace = TRUE), collapse = ""))
#' fit <- seism(x, rnorm(40), k = 3, q = 1, B = 99)
#' seism_calibrate(fit, K = 20, B = 19, L = 2)
#' @export
seism_calibrate <- function(fit, K = 200, B = 99, L = 15, seed = NULL, threads = NULL) {
    check_is(fit, "seism", "seism")
    settings <- fit$settings
    if (!settings$test %in% c("selected", "global", "saturated"))
        stop_input("{.arg fit} must be of the test {.or {.val {c('selected', 'global', 'saturated')}}}, not {.val {settings$test}}.")
    K <- check_number(K, 20, 1e5)
    settings[c("B", "L")] <- list(check_number(B, 19, 1e7), check_number(L, 1, 1e6))
    seed <- if (is.null(seed)) as.numeric(sample.int(.Machine$integer.max, 1)) else check_number(seed, 0, .Machine$integer.max)
    run <- run_settings(threads, "Calibrating")
    frame <- environment()
    design <- rebuilt_design(fit, frame, part_of_run(run, 1, K + 1))
    n <- length(fit$y)
    steps <- nrow(fit$motifs)
    sigma <- if (is.null(settings$sigma)) 1 else settings$sigma
    keys <- .Call(C_random, seed, 0, K, 2^31)
    p <- matrix(NA_real_, K, steps)
    for (draw in seq_len(K)) {
        uniform <- (.Call(C_random, seed, draw, n, 2^52) + 0.5) / 2^52
        y <- sigma * stats::qnorm(uniform)
        settings$seed <- keys[draw]
        here <- part_of_run(run, draw + 1, K + 1)
        for (j in seq_len(steps)) p[draw, j] <- one_p_value(design, y, j, settings, part_of_run(here, j, steps), frame)
    }
    calibration_table(p, seed, if (settings$test != "saturated") settings$B)
}

one_p_value <- function(design, y, j, settings, run, frame) {
    if (settings$test == "saturated") return(closed_p_value(design, y, j, settings, run, frame))
    made <- core_chains(design$pointer, y, j, chain_settings(settings), as.integer(c(1, settings$B)), run, frame)
    core_p_value(made$null, made$statistic, chain_settings(settings)[[6]])[1]
}

# p - U / (draws + 1) is uniform where p is one of 1, .., draws + 1 over draws + 1.
calibration_table <- function(p, seed, draws) {
    K <- nrow(p)
    table <- expand.grid(level = c(0.01, 0.05, 0.5), step = seq_len(ncol(p)))[2:1]
    table$rejected <- mapply(function(step, level) sum(p[, step] <= level, na.rm = TRUE), table$step, table$level)
    table$draws <- K
    table$low <- stats::qbinom(0.0005, K, table$level)
    table$high <- stats::qbinom(0.9995, K, table$level)
    table$calibrated <- table$rejected >= table$low & table$rejected <= table$high
    smooth <- p
    if (!is.null(draws)) smooth <- p - (.Call(C_random, seed, K + 1, length(p), 2^52) + 0.5) / 2^52 / (draws + 1)
    table$ks_p <- apply(smooth, 2, function(column) stats::ks.test(column, "punif")$p.value)[table$step]
    structure(table, class = c("seism_calibration", "data.frame"), p = p,
              correlation = if (ncol(p) > 1) stats::cor(p[, 1], p[, 2], use = "complete.obs"))
}

#' @export
print.seism_calibration <- function(x, ...) {
    cat("Calibration on ", x$draws[1], " responses without effect: ", if (all(x$calibrated)) "every count is where it should be"
        else paste(sum(!x$calibrated), "of", nrow(x), "counts are out of bounds"), "\n", sep = "")
    print.data.frame(x, digits = 3, row.names = FALSE)
    correlation <- attr(x, "correlation")
    if (!is.null(correlation)) cat("Correlation of p of steps 1 and 2: ", format(round(correlation, 3)), "\n", sep = "")
    invisible(x)
}
