# R/trust-plot.R: one page of pictures.

#' Look at trust
#'
#' One page: the completeness gaps of windows, the agreement with other maps, the correlation after layers are randomised, the
#' deletion and insertion curves beside random order, what mutations lose against what the scores predict, and how much mutations
#' change the scores of other bases.
#' @param x A [Trust-class], from [trust()].
#' @param y Not used.
#' @return A `patchwork` of `ggplot` objects, which `&` gives a theme.
#' @section Errors: `nucleograd_error_package`: ggplot2 or patchwork is not installed.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' scores <- attribution(example_model(), piece, nodes = 5)
#' found <- trust(scores, example_model(), alternatives = list("few nodes" = list(nodes = 2)),
#'                windows = 2, shuffles = 2,
#'                copies = 10, draws = 1, seed = 1)
#' if (requireNamespace("ggplot2", quietly = TRUE) && requireNamespace("patchwork", quietly = TRUE))
#'     plot(found)
#' @name plot-Trust
#' @aliases plot,Trust,missing-method
#' @exportMethod plot
setMethod("plot", signature("Trust", "missing"), function(x, y) {
    for (package in c("ggplot2", "patchwork")) need_package(package)
    pictures <- list(if (length(x@gaps)) picture_of_gaps(x), if ("rank correlation" %in% x@measures$measure) picture_of_agreement(x),
                     picture_of_cascade(x), picture_of_curves(x), picture_of_mutations(x), picture_of_changes(x))
    patchwork::wrap_plots(Filter(Negate(is.null), pictures), ncol = 2) +
        patchwork::plot_annotation(title = scores_title(x@settings), subtitle = settings_title(x@settings))
})

trust_colours <- c("#0072B2", "#D55E00")

picture_of_windows <- function(values, title, axis) {
    ggplot2::ggplot(data.frame(value = 100 * values), ggplot2::aes(.data$value)) +
        ggplot2::geom_histogram(bins = 30, fill = "grey60", boundary = 0) +
        ggplot2::labs(title = title, x = axis, y = "Windows") +
        plain_theme()
}

picture_of_gaps <- function(x) picture_of_windows(x@gaps, "Completeness", "Gap of a window (%)")

picture_of_changes <- function(x) picture_of_windows(x@changes, "Sensitivity", "Change of the other scores (%)")

picture_of_agreement <- function(x) {
    table <- x@measures[x@measures$measure == "rank correlation", ]
    table$comparison <- factor(table$comparison, rev(unique(table$comparison)))
    ggplot2::ggplot(table, ggplot2::aes(.data$value, .data$comparison, xmin = .data$lower, xmax = .data$upper, colour = .data$level)) +
        ggplot2::geom_vline(xintercept = c(0, 1), colour = "grey80", linewidth = 0.3) +
        ggplot2::geom_pointrange(position = ggplot2::position_dodge(width = 0.5), size = 0.3) +
        ggplot2::scale_colour_manual(values = trust_colours, name = NULL) +
        ggplot2::labs(title = "Agreement", x = "Rank correlation (95 % interval)", y = NULL) +
        plain_theme()
}

picture_of_cascade <- function(x) {
    table <- rbind(data.frame(x@cascade[c("layers", "down_to", "draw")], scores = "signed", value = x@cascade$signed),
                   data.frame(x@cascade[c("layers", "down_to", "draw")], scores = "absolute", value = x@cascade$absolute))
    means <- stats::aggregate(value ~ layers + scores, table, mean)
    names <- unique(x@cascade[c("layers", "down_to")])
    ggplot2::ggplot(means, ggplot2::aes(.data$layers, .data$value, colour = .data$scores)) +
        ggplot2::geom_hline(yintercept = 0, colour = "grey80", linewidth = 0.3) +
        ggplot2::geom_line() +
        ggplot2::geom_point(data = table, size = 1, shape = 16, alpha = 0.6) +
        ggplot2::scale_colour_manual(values = trust_colours, name = NULL) +
        ggplot2::scale_x_continuous(breaks = names$layers, labels = names$down_to, guide = ggplot2::guide_axis(check.overlap = TRUE)) +
        ggplot2::labs(title = "Randomised layers", x = "Random from the top down to", y = "Correlation with the map") +
        plain_theme() +
        ggplot2::theme(axis.text.x = ggplot2::element_text(angle = 35, hjust = 1, size = 7))
}

picture_of_curves <- function(x) {
    ggplot2::ggplot(x@curves, ggplot2::aes(.data$share, .data$value, colour = .data$curve, linetype = .data$order)) +
        ggplot2::geom_hline(yintercept = 0:1, colour = "grey80", linewidth = 0.3) +
        ggplot2::geom_line() +
        ggplot2::scale_colour_manual(values = rev(trust_colours), name = NULL) +
        ggplot2::scale_linetype_manual(values = c("by score" = "solid", "random order" = "dashed"), name = NULL) +
        ggplot2::labs(title = "Deletion and insertion", x = "Share of the window", y = "Answer (0 shuffled, 1 as it is)") +
        plain_theme() +
        ggplot2::theme(legend.box = "vertical", legend.box.just = "left", legend.spacing.y = ggplot2::unit(0, "pt"))
}

picture_of_mutations <- function(x) {
    ggplot2::ggplot(x@mutations, ggplot2::aes(.data$predicted, .data$lost)) +
        ggplot2::geom_hline(yintercept = 0, colour = "grey80", linewidth = 0.3) +
        ggplot2::geom_vline(xintercept = 0, colour = "grey80", linewidth = 0.3) +
        ggplot2::geom_point(size = 0.8, shape = 16, alpha = 0.5, colour = "grey40") +
        ggplot2::labs(title = "Point mutations", x = "Sum of the scores of the mutated bases",
                      y = score_title(x@settings$output, "Loss of the answer")) +
        plain_theme()
}
