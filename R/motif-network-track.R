# R/motif-network-track.R: plots of a motif network on sequences: one of them base by base, and how well all are told apart.

plot_network_track <- function(x, newx, call = parent.frame()) {
    if (is.null(newx)) stop_input("{.arg newx} must be a sequence to show.", call = call)
    new <- network_codes(x, newx, call)
    if (length(new$length_bp) != 1) stop_input("{.arg newx} must be one sequence, not {length(new$length_bp)}.", call = call)
    found <- suppressWarnings(hits(x, newx), classes = "nucleograd_warning_heads")
    attention <- predict(x, newx, "attention")[, , , 1, drop = FALSE]
    heads <- expand.grid(position = seq_len(dim(attention)[1]), head = seq_len(dim(attention)[2]), layer = seq_len(dim(attention)[3]))
    single <- dim(attention)[3] == 1
    lines <- data.frame(panel = "attention", position = heads$position, value = c(attention),
                        line = if (single) paste("head", heads$head) else paste0("head ", heads$layer, ".", heads$head))
    lines <- lines[lines$value > 0.02, ]
    table <- x$filters[x$filters$pass, ]
    if (nrow(table)) {
        activations <- predict(x, newx, "activations")[table$filter, , 1, drop = FALSE] / table$mean_activation
        fired <- data.frame(panel = "activation", position = rep(seq_len(dim(activations)[2]), each = nrow(table)), value = c(activations),
                            line = paste0(table$motif, "(", table$strand, ")"))
        lines <- rbind(lines, fired[fired$value > 0, ])
    }
    scores <- attribution(as_model(x), Biostrings::DNAStringSet(stats::setNames(as.character(code_letters(new$code, x$settings$length)), "x")), nodes = 50)
    scores <- rowSums(scores@scores[[1]])
    panels <- c("attention", "activation", "attribution")
    own <- data.frame(panel = factor(panels[3], panels), position = seq_along(scores), value = scores,
                      letter = strsplit(code_letters(new$code, x$settings$length), "")[[1]])
    lines$panel <- factor(lines$panel, panels)
    kinds <- unique(lines$line)
    colours <- stats::setNames(grDevices::hcl.colors(length(kinds), "Dark 3"), kinds)
    words <- if (length(found)) paste0("hits, in grey: ", paste0(found$motif, "(", GenomicRanges::strand(found), ")", collapse = ", ")) else "no hits"
    ggplot2::ggplot() +
        ggplot2::geom_rect(ggplot2::aes(xmin = .data$start - 0.5, xmax = .data$end + 0.5, ymin = -Inf, ymax = Inf),
                           data.frame(start = GenomicRanges::start(found), end = GenomicRanges::end(found)), fill = "grey92") +
        ggplot2::geom_segment(ggplot2::aes(.data$position, 0, xend = .data$position, yend = .data$value, colour = .data$line), lines) +
        ggplot2::geom_segment(ggplot2::aes(.data$position, 0, xend = .data$position, yend = .data$value), own, colour = "grey30") +
        track_letters(own) +
        ggplot2::facet_grid(ggplot2::vars(.data$panel), scales = "free_y", switch = "y") +
        ggplot2::scale_colour_manual(NULL, values = colours, breaks = kinds) +
        ggplot2::scale_x_continuous(limits = c(0, x$settings$length + 1), expand = c(0, 0)) +
        ggplot2::labs(x = "Position (bp)", y = NULL, title = paste0("One sequence, probability ", signif(predict(x, newx), 3)),
                      subtitle = paste(strwrap(paste0("activation of filters relative to their mean; ", words), 90), collapse = "\n")) +
        plain_theme() + seism_strips() + ggplot2::theme(strip.placement = "outside", strip.background = ggplot2::element_blank())
}

# Letters under the attribution, where they can be told from each other.
track_letters <- function(own) {
    if (nrow(own) > 120) return(NULL)
    own$at <- min(0, own$value) - 0.1 * diff(range(0, own$value))
    ggplot2::geom_text(ggplot2::aes(.data$position, .data$at, label = .data$letter), own, size = 2)
}

plot_network_roc <- function(x, newx, y, call = parent.frame()) {
    if (x$settings$task != "binary") stop_input("{.arg x} must be a network that classifies, not one of a regression.", call = call)
    bayes <- NULL
    if (inherits(newx, "motif_simulation")) {
        if (!is.null(y)) stop_input("{.arg y} must be missing for a simulation, which knows its labels.", call = call)
        y <- newx$y
        bayes <- bayes_score(newx)
        newx <- newx$x
    }
    if (is.null(newx)) stop_input("{.arg newx} must be sequences to tell apart, and {.arg y} their labels.", call = call)
    if (is.null(y)) stop_input("{.arg y} must hold a label for each sequence.", call = call)
    new <- network_codes(x, newx, call)
    truth <- check_response(y, length(new$length_bp), call) > 0.5
    if (length(unique(truth)) < 2) stop_input("{.arg y} has only one class.", call = call)
    curve <- function(score, name) {
        order <- order(-score)
        last <- !duplicated(score[order], fromLast = TRUE)                     # ties are one step
        data.frame(false = c(0, (cumsum(!truth[order]) / sum(!truth))[last]), true = c(0, (cumsum(truth[order]) / sum(truth))[last]),
                   line = paste0(name, ", area ", format(round(roc_area(score, truth), 3), nsmall = 3)))
    }
    table <- rbind(curve(predict(x, newx, "logit"), "network"), if (!is.null(bayes)) curve(bayes, "best possible"))
    ggplot2::ggplot(table, ggplot2::aes(.data$false, .data$true, colour = factor(.data$line, unique(.data$line)))) +
        ggplot2::geom_abline(colour = "grey85") +
        ggplot2::geom_line() +
        ggplot2::scale_colour_manual(NULL, values = c("#0072B2", "grey50")) +
        ggplot2::coord_equal() +
        ggplot2::labs(x = "Share of negatives called positive", y = "Share of positives found", title = "Receiver operating characteristic",
                      subtitle = paste(sum(truth), "positive,", sum(!truth), "negative sequences")) +
        plain_theme()
}
