#' Look at motifs and their p-values
#'
#' Four views of a [seism()] fit, all `ggplot` objects that take further layers, scales and themes.
#'
#' `"logo"`: the motifs as polished for display, in bits, with the centre that was tested, its p-value and the sign of its
#' effect; those with a negative effect stand upright too. `"effect"`: the activation of each motif against the response, as
#' given, with the slope of joint least squares, which is inflated by selection. `"null"`: the statistics of data without effect
#' on which the same motifs win, and the observed one. `"path"`: what each step explains, with its p-value.
#' @param x A `seism`.
#' @param type Which view.
#' @param step Which motifs, by step; all by default.
#' @param ... Not used.
#' @return A `ggplot`.
#' @section Errors: `nucleograd_error_package`: ggplot2 (for a logo also ggseqlogo) is not installed.
#'   `nucleograd_error_argument`: there is no such step, no logo (the fit is one of features), or no draws were kept.
#' @examples
#' set.seed(1)
#' x <- replicate(60, paste(sample(c("A", "C", "G", "T"), 40, replace = TRUE), collapse = ""))
#' fit <- seism(x, 2 * grepl("ACGT", x) + rnorm(60), k = 4, q = 2, B = 99, keep_null = TRUE)
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot(fit, "null")
#' @method plot seism
#' @export
plot.seism <- function(x, type = c("logo", "effect", "null", "path"), step = NULL, ...) {
    if (...length()) stop_input("{.fun plot} takes {.arg type} and {.arg step} only.")
    type <- check_choice(type, c("logo", "effect", "null", "path"))
    need_package("ggplot2")
    if (is.null(step)) step <- x$motifs$step
    if (!length(step) || !all(step %in% x$motifs$step))
        stop_input("{.arg step} must be steps from 1 to {nrow(x$motifs)}, not {.val {step}}.")
    switch(type, logo = plot_motifs(x, step), effect = plot_effects(x, step), null = plot_null(x, step), path = plot_path(x, step))
}

# Bits of each letter: its share times what the column says.
information <- function(pwm) {
    bits <- 2 + colSums(ifelse(pwm > 0, pwm * log2(pwm), 0))
    sweep(pwm, 2, bits, "*")
}

motif_titles <- function(x, step) {
    row <- x$motifs[step, ]
    p <- ifelse(is.na(row$p), "p not known", paste("p =", format(signif(row$p, 2), trim = TRUE, drop0trailing = TRUE)))
    make.unique(paste0(row$step, ": ", row$consensus, " (", ifelse(row$sign < 0, "-", "+"), "), ", p))
}

p_subtitle <- function(x) paste0("p (", x$settings$test, ") of the centre that is named, at its step; ", x$settings$response)

plot_motifs <- function(x, step, call = parent.frame()) {
    if (!is.null(x$features)) stop_input("A fit of features has no motifs to draw; {.code type = \"effect\"} shows them.", call = call)
    need_package("ggseqlogo", call)
    heights <- stats::setNames(lapply(x$pwm_polished[step], information), motif_titles(x, step))
    colours <- ggseqlogo::make_col_scheme(bases, cols = c("#009E73", "#0072B2", "#E69F00", "#D55E00"))
    positions <- ggplot2::scale_x_continuous(breaks = function(limits) seq_len(floor(limits[2])))
    suppressMessages(suppressWarnings(        # ggseqlogo still speaks to older versions of ggplot2, and brings axes of its own
        ggplot2::ggplot() + ggseqlogo::geom_logo(heights, method = "custom", seq_type = "dna", col_scheme = colours) + positions)) +
        ggplot2::facet_wrap(~seq_group, ncol = 1, scales = "free_x") +
        ggplot2::scale_y_continuous(limits = c(0, 2), breaks = 0:2) +
        ggplot2::guides(fill = "none") +
        ggplot2::labs(x = "Position", y = "Bits", title = "Motifs, polished for display", subtitle = p_subtitle(x)) +
        plain_theme() + seism_strips()
}

seism_strips <- function() ggplot2::theme(strip.background = ggplot2::element_blank(), strip.text = ggplot2::element_text(hjust = 0),
                                          panel.spacing = ggplot2::unit(1, "lines"))

plot_effects <- function(x, step) {
    titles <- factor(motif_titles(x, step), motif_titles(x, step))
    table <- data.frame(motif = rep(titles, each = length(x$y)), activation = c(x$activations[, step]), y = x$y)
    slopes <- x$motifs$beta[step]
    lines <- data.frame(motif = titles, slope = slopes, intercept = mean(x$y) - slopes * colMeans(x$activations[, step, drop = FALSE]))
    ggplot2::ggplot(table, ggplot2::aes(.data$activation, .data$y)) +
        ggplot2::geom_point(size = 1, shape = 16, alpha = 0.5, colour = "grey45", position = ggplot2::position_jitter(0.012, 0, seed = 1)) +
        ggplot2::geom_abline(ggplot2::aes(slope = .data$slope, intercept = .data$intercept), lines[is.finite(lines$slope), ], colour = "#0072B2") +
        ggplot2::facet_wrap(~motif, scales = "free_x") +
        ggplot2::scale_x_continuous(n.breaks = 4) +
        ggplot2::labs(x = "Activation of the centre", y = x$settings$response, title = "Activation and response",
                      subtitle = "line: slope of joint least squares, inflated by selection") +
        plain_theme() + seism_strips()
}

plot_null <- function(x, step, call = parent.frame()) {
    null <- x$null[, step, drop = FALSE]
    if (is.null(x$null) || all(is.na(null)))
        stop_input(c("The fit must have kept its draws.", i = "Can you fit it again with {.code keep_null = TRUE}?"), call = call)
    titles <- factor(motif_titles(x, step), motif_titles(x, step))
    table <- data.frame(motif = rep(titles, each = nrow(null)), statistic = c(null))
    observed <- data.frame(motif = titles, statistic = x$observed[step])
    ggplot2::ggplot(table[!is.na(table$statistic), ], ggplot2::aes(.data$statistic)) +
        ggplot2::geom_histogram(bins = 40, fill = "grey75", colour = NA) +
        ggplot2::geom_vline(ggplot2::aes(xintercept = .data$statistic), observed, colour = "#D55E00") +
        ggplot2::facet_wrap(~motif, scales = "free") +
        ggplot2::labs(x = "Statistic", y = "Draws", title = "Data without effect on which the same motifs win",
                      subtitle = "line: the statistic that was observed") +
        plain_theme() + seism_strips()
}

plot_path <- function(x, step) {
    table <- x$motifs[step, ]
    table$label <- paste0(table$consensus, "\np = ", format(signif(table$p, 2), trim = TRUE, drop0trailing = TRUE))
    table$effect_of <- ifelse(table$sign < 0, "lower response", "higher response")
    ggplot2::ggplot(table, ggplot2::aes(.data$step, .data$delta_r2)) +
        ggplot2::geom_line(colour = "grey70") +
        ggplot2::geom_point(ggplot2::aes(colour = .data$effect_of), size = 2.5) +
        ggplot2::geom_text(ggplot2::aes(label = .data$label), size = 3, vjust = -0.4, lineheight = 0.9) +
        ggplot2::scale_colour_manual(values = c("higher response" = "#0072B2", "lower response" = "#D55E00"), name = NULL) +
        ggplot2::scale_x_continuous(breaks = table$step, expand = ggplot2::expansion(0.15)) +
        ggplot2::scale_y_continuous(limits = c(0, NA), expand = ggplot2::expansion(c(0.02, 0.25))) +
        ggplot2::labs(x = "Step", y = "Share of the response's variance", title = "What each motif explains, given the earlier ones",
                      subtitle = "inflated by selection; p allows for it") +
        plain_theme()
}
