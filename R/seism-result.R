# R/seism-result.R: what a seism prints and gives.

methods::setOldClass("seism")

#' Motifs with p-values
#'
#' What [seism()] returns, and what can be asked of it.
#' @param x,object A `seism`.
#' @param ... Not used.
#' @param row.names,optional Not used; there because the generic has them.
#' @return `print()` gives its argument; `summary()` an object that prints diagnostics, aliases and what the p-values mean.
#'   - `as.data.frame()`: the table `motifs`, one row a step.
#'   - `coef()`: the coefficients of least squares of `y` on the covariates and the activations of all motifs, on the scale of `y`.
#'   - `predict()`: a data.frame, one row a sequence of `newx`: `prediction`, the linear predictor, and the activation of each
#'     motif's centre.
#'   - `confint()`: a matrix, one row a motif: bounds of the slope of the mean of `y` on the motif's activation, given the
#'     earlier motifs, whatever the rest of the mean is; valid after selection. For a fit with `test = "saturated"` and known
#'     `sigma`.
#'   - `as(x, "GRanges")`: the best site of each motif in each sequence, as a range on the genome, if the sequences came from
#'     [region_sequences()].
#' @section Errors: `nucleograd_error_argument`: `confint()` of a fit with unknown `sigma`; covariates that do not fit;
#'   `nucleograd_error_regions`: the sequences carry no ranges.
#' @examples
#' set.seed(2)
#' x <- replicate(60, paste(sample(c("A", "C", "G", "T"), 40, replace = TRUE), collapse = ""))
#' fit <- seism(x, 2 * grepl("ACGT", x) + rnorm(60), k = 4, q = 2, B = 99)
#' fit
#' summary(fit)
#' predict(fit, c("TTACGTTT", "GGGGGGGG"))
#' @name seism-class
NULL

#' @rdname seism-class
#' @export
print.seism <- function(x, ...) {
    motifs <- x$motifs
    s <- x$settings
    count <- function(number) format(number, big.mark = ",", scientific = FALSE, trim = TRUE)
    cat("SEISM: ", nrow(motifs), if (nrow(motifs) == 1) " motif" else " motifs", " for ", s$response, ", ", count(s$n), " sequences, ",
        count(s$m), " candidates\n", sep = "")
    for (line in seism_settings(s)) cat("  ", line, "\n", sep = "")
    if (nrow(motifs)) {
        last <- intersect(c("p_maxT", "p_holm", "keep"), names(motifs))
        table <- motifs[c("step", "consensus", "n_aliases", "beta", "effect", "delta_r2", "n_sites", "p", last)]
        names(table)[names(table) == "n_aliases"] <- "aliases"
        numbers <- vapply(table, is.double, NA)
        table[numbers] <- lapply(table[numbers], function(column) ifelse(is.na(column), "", format(signif(column, 3), drop0trailing = TRUE)))
        print(table, row.names = FALSE)
        cat(seism_footer(x), sep = "\n")
    }
    invisible(x)
}

seism_settings <- function(s) {
    c(paste0("motifs    k = ", paste(s$k, collapse = ", "), "; ", s$candidates, if (s$mesh > 1) paste0(", mesh ", s$mesh), "; strand ", s$strand,
             "; bandwidth ", format(s$bandwidth)),
      paste0("score     ", s$score, if (s$score == "ridge") paste0(", lambda ", format(s$lambda)), "; ", s$norm, " norm"),
      paste0("response  ", if (s$transform == "normal") "normal scores" else "as given", "; noise s.d. ",
             if (is.null(s$sigma)) "unknown" else format(s$sigma),
             if (length(s$covariates)) paste0("; given ", paste(s$covariates, collapse = ", "))),
      paste0("p-values  ", s$test, ": ", test_words(s)))
}

test_words <- function(s) {
    chains <- paste0(s$statistic, ", ", format(s$B, big.mark = ",", scientific = FALSE), " draws of ", s$L, " steps, key ",
                     format(s$seed, scientific = FALSE), if (s$pvalue == "chain") ", one long chain (asymptotic)",
                     if (!is.null(s$stop_after)) paste0(", stopping at ", s$stop_after, " exceedances"))
    switch(s$test,
           saturated = if (is.null(s$sigma)) "closed form on the circle; the null is that earlier motifs and covariates explain the mean"
                       else "closed form on the line; the rest of the mean is free",
           split = paste0("F-tests on the ", s$n - s$n_selection, " sequences that selected nothing, key ", format(s$seed, scientific = FALSE)),
           chains)
}

seism_footer <- function(x) {
    s <- x$settings
    kept <- if ("keep" %in% names(x$motifs)) {
        paste0("ForwardStop at a false discovery rate of ", format(100 * s$alpha), " %: ",
               if (!any(x$motifs$keep)) "keep none." else paste0("keep the first ", sum(x$motifs$keep), "."))
    }
    c("p belongs to the centre (its cell) at its step, not to the polished motif. beta, effect, delta_r2: descriptive, inflated by selection.",
      kept, diagnostic_words(x))
}

# What is out of range, in words.
diagnostic_words <- function(x) {
    d <- x$diagnostics
    words <- character()
    if (x$settings$test %in% c("selected", "global", "permutation") && !is.null(d$iat)) {
        slow <- which(d$iat > 5 * x$settings$L)
        frozen <- which(d$frozen > 0.01)
        if (length(slow)) words <- c(words, paste0("Step ", paste(slow, collapse = ", "), ": draws resemble each other over ",
                                                   format(round(max(d$iat[slow]))), " steps; p is exact, but a larger L has more power."))
        if (length(frozen)) words <- c(words, paste0("Step ", paste(frozen, collapse = ", "), ": ", format(round(100 * max(d$frozen[frozen]), 1)),
                                                     " % of moves found no room."))
    }
    if (x$settings$test == "global" && nrow(x$motifs) > 1)
        words <- c(words, "test = 'global': p of motifs 2 and later is anti-conservative.")
    words
}

#' @rdname seism-class
#' @export
summary.seism <- function(object, ...) structure(list(fit = object), class = "summary.seism")

#' @export
print.summary.seism <- function(x, ...) {
    fit <- x$fit
    print(fit)
    cat("\nWhat p speaks about: ", response_words(fit$settings$response), "\n", sep = "")
    cat(strwrap(paste("p allows for the selection made inside seism(), and for no other: not for sequences chosen because they score high, for k,",
                      "bandwidth, lambda or transform chosen after p was seen, for candidates or predictions of a network trained on the same",
                      "responses, or for outliers removed by their result. Related sequences are not independent: give ancestry or clade as",
                      "covariates, or one sequence per cluster."), 100), sep = "\n")
    shared <- fit$aliases[lengths(fit$aliases) > 0]
    if (length(shared)) {
        cat("\nThe data cannot tell these apart:\n")
        for (name in names(shared)) cat("  ", name, ": ", paste(utils::head(shared[[name]], 10), collapse = ", "),
                                        if (length(shared[[name]]) > 10) paste(", and", length(shared[[name]]) - 10, "more"), "\n", sep = "")
    }
    if (NROW(fit$diagnostics)) {
        cat("\nDiagnostics\n")
        print(fit$diagnostics, digits = 3, row.names = FALSE)
    }
    invisible(x)
}

response_words <- function(response) switch(response,
    phenotype = "the biology, as far as y measures it.",
    prediction = paste("the model that made the predictions: whether motif content explains its outputs better than outputs dealt out at",
                       "random. It says nothing about nature."),
    attribution = "the model and its attributions. Windows that overlap, or neighbouring genes, are dependent and make p too small.",
    residual = "what a model missed, if y holds residuals on data it was not trained on.",
    paste0("\"", response, "\", as far as y measures it."))

#' @rdname seism-class
#' @method as.data.frame seism
#' @export
as.data.frame.seism <- function(x, row.names = NULL, optional = FALSE, ...) x$motifs

#' @rdname seism-class
#' @export
coef.seism <- function(object, ...) object$coefficients

#' @rdname seism-class
#' @param newx Sequences, as `x` of [seism()]. Without any, those of the fit.
#' @param covariates The covariates of `newx`, if the fit has any: the same columns.
#' @param threads Threads; see [thread_count()].
#' @export
predict.seism <- function(object, newx = NULL, covariates = NULL, threads = NULL, ...) {
    if (...length()) stop_input("{.fun predict} takes {.arg newx}, {.arg covariates} and {.arg threads} only.")
    activations <- if (is.null(newx)) object$activations
                   else seism_activation(object$pwm_center, newx, object$settings$bandwidth, object$settings$strand, threads)
    basis <- if (is.null(newx)) object$basis else new_basis(object, covariates, nrow(activations))
    coefficients <- object$coefficients
    motifs <- seq(ncol(basis) + 1, length.out = ncol(activations))
    prediction <- drop(basis %*% coefficients[seq_len(ncol(basis))] +
                       activations %*% ifelse(is.na(coefficients[motifs]), 0, coefficients[motifs]))
    data.frame(prediction = unname(prediction), activations, check.names = FALSE)
}

# The columns that the fit has, of new covariates.
new_basis <- function(object, covariates, n, call = parent.frame()) {
    wanted <- colnames(object$basis)
    if (length(wanted) == 1L) return(matrix(1, n, 1, dimnames = list(NULL, wanted)))
    if (is.data.frame(covariates)) {
        levels <- object$settings$covariate_levels
        for (name in intersect(names(levels), names(covariates))) covariates[[name]] <- factor(covariates[[name]], levels[[name]])
        covariates <- stats::model.matrix(~ ., covariates, na.action = "na.fail")[, -1, drop = FALSE]
    }
    if (is.matrix(covariates) && is.null(colnames(covariates))) colnames(covariates) <- paste0("covariate_", seq_len(ncol(covariates)))
    if (!is.matrix(covariates) || nrow(covariates) != n || !all(wanted[-1] %in% colnames(covariates)))
        stop_input("{.arg covariates} must have {n} rows and the columns {.val {wanted[-1]}} of the fit.", call = call)
    cbind(1, covariates[, wanted[-1], drop = FALSE])
}

#' @rdname seism-class
#' @param parm Which motifs: numbers of steps; all by default.
#' @param level The coverage, between 0 and 1; by default 1 - `alpha` of the fit.
#' @export
confint.seism <- function(object, parm = NULL, level = 1 - object$settings$alpha, ...) {
    level <- check_positive(level, 0, 1)
    if (is.null(object$settings$sigma) || object$settings$test != "saturated")
        stop_input("{.fun confint} needs a fit with {.code test = \"saturated\"} and a known {.arg sigma}.")
    steps <- if (is.null(parm)) object$motifs$step else parm
    if (!all(steps %in% object$motifs$step))
        stop_input("{.arg parm} must be steps from 1 to {nrow(object$motifs)}, not {.val {parm}}.")
    design <- rebuilt_design(object, environment())
    bounds <- vapply(steps, function(j) {
        line <- core_closed(design$pointer, object$tested, j, object$settings$sigma, FALSE, level, run_settings(NULL))
        line$confint / line$slope
    }, numeric(2))
    tails <- c((1 - level) / 2, (1 + level) / 2)
    matrix(t(bounds), ncol = 2, dimnames = list(object$motifs$consensus[steps], paste(format(100 * tails, trim = TRUE), "%")))
}

# The candidates of a fit again; C memory does not outlive a session.
rebuilt_design <- function(fit, frame, run = run_settings(NULL)) {
    data <- fit[c("sequences", "features", "y", "basis")]
    data$pwms <- fit$candidates
    run[[2]] <- fit$settings$memory * 2^30
    build_design(data, list(rows = seq_along(fit$y), basis = fit$basis), fit$settings, run, frame)
}

methods::setAs("seism", "GRanges", function(from) {
    region <- from$regions
    if (is.null(region))
        stop_input(c("The sequences of this fit carry no ranges.", i = "Cut them out of a genome with {.fun region_sequences}."), class = "regions")
    sites <- from$sites
    own <- region[sites$index]
    minus <- as.character(BiocGenerics::strand(own)) == "-"
    k <- from$motifs$k[sites$motif]
    start <- ifelse(minus, BiocGenerics::end(own) - sites$start - k + 2, BiocGenerics::start(own) + sites$start - 1)
    strand <- ifelse((sites$strand == "-") == minus, "+", "-")
    ranges <- GenomicRanges::GRanges(GenomeInfoDb::seqnames(own), IRanges::IRanges(start, width = k), strand,
                                     sites[c("sequence", "motif", "hamming", "activation")])
    suppressWarnings(GenomeInfoDb::seqinfo(ranges) <- GenomeInfoDb::seqinfo(region))        # sites beyond the end of a circular contig
    ranges
})
