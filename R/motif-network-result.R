# R/motif-network-result.R: what a motif network prints, gives and predicts.

methods::setOldClass("motif_network")

#' A trained motif network
#'
#' What [motif_network()] returns, and what can be asked of it. Besides the verbs below, [hits()] says where motifs are,
#' `plot()` draws them, and [as_model()] turns the network into a [Model-class] for [attribution()] and [write_model()].
#'
#' A list of plain vectors that can be saved with `saveRDS()`: `weights` (tensors by name; dense matrices are outputs x inputs),
#' `stream`, `running` (batch norm), `settings`, `trace` (a row an epoch: losses and their weights), `filters`, `pfm` (4 x width, letters
#' in the windows that excite a filter), `restarts`, `checks` (quality on the validation data), `key`, `versions`.
#'
#' **Motifs.** A filter's matrix is the mean of the windows whose activation is above half of its highest, in at most 5,000 positives that
#' were trained on. Columns of less than 0.2 bits are cut at both ends. A filter is a motif if at least 5 columns are left, with 1 bit on
#' average, from at least 20 windows and 0.05 windows a sequence. Two motifs whose matrices mirror each other (similarity at least
#' 0.85, mutually the highest) are one motif on two strands; the filter with more windows is "+". One that mirrors itself is "*".
#' @param x,object,fit A `motif_network`.
#' @param newx Sequences of the network's length, or a [motif simulation][simulate_motifs].
#' @param type `"response"`: the probability (or the response); `"logit"`; `"activations"`: an array (filter, position, sequence);
#'   `"attention"`: (position, head, layer, sequence); `"stream"`: (number, layer + 1, sequence).
#' @param strand `"both"`: the mean logit of a sequence and its reverse complement.
#' @param threads Threads; see [thread_count()].
#' @param row.names,optional Not used; there because the generic has them.
#' @param ... Not used.
#' @return `print()` and `summary()` give their argument. `predict()` as `type` says. `coef()`: the tensors. `as.data.frame()` and
#'   `motifs()`: a data.frame, one row a filter (`motifs()`: a passing one): `filter`, `consensus`, `left` and `right` (its columns
#'   that are kept), `length` (bp), `information` (bits a column), `n_windows`, `rate` (windows a sequence), `mean_activation` (of positive
#'   ones), `highest`, `alive`, `pass`, `pair` (the filter that mirrors it), `strand`, `motif` (a name for both strands); `motifs()` has the
#'   matrices, as kept, in its attribute `pfm`.
#' @section Errors: `nucleograd_error_argument`: sequences of another length.
#' @examples
#' sim <- simulate_motifs("TTCAGCAC", n = 200, length = 100, jitter = 20, strand = "both", seed = 1)
#' fit <- motif_network(sim, filters = 4, positions = 8, dim = 16, heads = 2, hidden = 16,
#'                      stream = 32, batches = 20, batch = 64,
#'                      schedule = motif_schedule(5, 5, 2), restarts = 1, seed = 1)
#' summary(fit)
#' head(predict(fit, sim$x))
#' motifs(fit)
#' @name motif_network-class
NULL

#' @rdname motif_network-class
#' @export
print.motif_network <- function(x, ...) {
    s <- x$settings
    network <- paste0(s$filters, " filters of ", s$width, if (s$tie_strands) ", strands tied", "; ", s$layers,
                      if (s$layers == 1) " layer" else " layers",
                      " of ", s$heads, " heads; score ", s$score, if (s$score == "key") paste0(" (", s$key, ")"))
    cat("Motif network for ", s$length, " bp: ", format(length(x$state$parameters), big.mark = ","), " parameters\n  network   ", network,
        "\n  training  ", nrow(x$trace), " epochs, ", nrow(x$restarts), if (nrow(x$restarts) == 1) " restart" else " restarts",
        if (nrow(x$restarts) > 1) paste0(", number ", which(x$restarts$chosen), " kept"), "; seed ",
        format(x$key[1] + 2^32 * x$key[2], scientific = FALSE), "\n  checks    ",
        paste0(x$checks$measure, " ", format(round(x$checks$value, 3), trim = TRUE), collapse = ", "), " (validation)\n", sep = "")
    shown <- x$filters[x$filters$pass, ]
    if (nrow(shown)) {
        cat("\n")
        print(format_filters(shown), row.names = FALSE)
    } else cat("  motifs    none of the filters is one\n")
    near <- x$filters[x$filters$alive & !x$filters$pass & x$filters$information >= 0.85, ]
    if (nrow(near)) cat("Nearly motifs: ", paste0(near$consensus, " (filter ", near$filter, ", ", round(near$information, 2),
                                                  " bits, ", near$n_windows,
                                                 " windows)", collapse = ", "), "\n", sep = "")
    invisible(x)
}

format_filters <- function(filters) {
    numbers <- c("information", "rate", "mean_activation")
    filters[numbers] <- lapply(filters[numbers], function(column) signif(column, 3))
    filters[c("motif", "strand", "filter", "consensus", "length", "information", "n_windows", "rate", "mean_activation", "pair")]
}

#' @rdname motif_network-class
#' @export
summary.motif_network <- function(object, ...) structure(list(fit = object), class = "summary.motif_network")

#' @export
print.summary.motif_network <- function(x, ...) {
    fit <- x$fit
    print(fit)
    cat("\nRestarts\n")
    print(format(fit$restarts[c("restart", "validation", "passing", "chosen")], digits = 3), row.names = FALSE)
    cat("\nLast epochs\n")
    print(utils::tail(fit$trace[c("epoch", "fit", "overlap", "l1", "entropy", "validation", "accuracy")], 3), digits = 3, row.names = FALSE)
    cat("\nQuality on the validation data, which chose the restart\n")
    print(fit$checks, digits = 3, row.names = FALSE)
    invisible(x)
}

#' @rdname motif_network-class
#' @export
coef.motif_network <- function(object, ...) object$weights

#' @rdname motif_network-class
#' @method as.data.frame motif_network
#' @export
as.data.frame.motif_network <- function(x, row.names = NULL, optional = FALSE, ...) x$filters

#' @rdname motif_network-class
#' @export
motifs <- function(fit) {
    check_is_s3(fit, "motif_network", "motif_network")
    table <- fit$filters[fit$filters$pass, ]
    rownames(table) <- NULL
    pfm <- lapply(table$filter, function(f) trimmed_pfm(fit$filters, fit$pfm, f))
    attr(table, "pfm") <- stats::setNames(pfm, paste0(table$motif, ifelse(table$strand == "-", "(-)", "")))
    table
}

#' @rdname motif_network-class
#' @export
predict.motif_network <- function(object, newx, type = c("response", "logit", "activations", "attention", "stream"),
                                  strand = c("forward", "both"), threads = NULL, ...) {
    frame <- environment()
    if (...length()) stop_input("{.fun predict} takes {.arg newx}, {.arg type}, {.arg strand} and {.arg threads} only.")
    type <- check_choice(type, c("response", "logit", "activations", "attention", "stream"))
    strand <- check_choice(strand, c("forward", "both"))
    s <- object$settings
    new <- network_codes(object, newx, frame)
    run <- run_settings(threads, progress = "Predicting")
    inside <- core_inside(s, object$state, new$code, type, run, frame)
    if (type %in% c("activations", "attention", "stream")) {
        axes <- switch(type, activations = c(s$filters, s$length - s$width + 1), attention = c(s$length - s$width + 1, s$heads, s$layers),
                       stream = c(s$stream, s$layers + 1))
        return(array(inside[[type]], c(axes, length(new$length_bp))))
    }
    logit <- inside$logit
    if (strand == "both") logit <- (logit + core_inside(s, object$state, mirrored_codes(new$code, s$length), character(), run, frame)$logit) / 2
    if (type == "logit") logit else if (s$task == "regression") object$response[1] + object$response[2] * logit else stats::plogis(logit)
}

network_codes <- function(fit, newx, call) {
    if (inherits(newx, "motif_simulation")) newx <- newx$x
    codes <- sequence_codes(newx, call)
    wrong <- which(codes$length_bp != fit$settings$length)
    if (length(wrong))
        stop_input("newx has width {codes$length_bp[wrong[1]]}; the network was trained on {fit$settings$length}.", call = call)
    codes
}

# Reverse complements of sequences in a row.
mirrored_codes <- function(codes, length) {
    turned <- matrix(as.integer(codes), length)[length:1, ]
    as.raw(ifelse(turned < 4L, 3L - turned, turned))
}
