# R/motif-network-attention.R: what the heads of a motif network look for, as formulas, and where they look.

# Attention before the softmax is a sum: `filters` (heads x filters), nats for one unit of a filter's activation, and `positions` (tokens x heads),
# nats for being there. In the first layer both are constants; in later ones they depend on the stream, here one vector of it.
head_scores <- function(fit, layer = 1, stream = fit$stream) {
    s <- fit$settings
    w <- fit$weights
    own <- w[[paste0("layer_", layer)]]
    size <- s$dim / s$heads
    query <- as.vector(own$query %*% stream) + own$query_bias
    asked <- vapply(seq_len(s$heads), function(h) {
        rows <- (h - 1) * size + seq_len(size)
        keys <- if (s$score == "value") own$value[rows, , drop = FALSE] else if (s$key == "linear") own$key[rows, , drop = FALSE]
                else diag(s$dim)[rows, , drop = FALSE]
        as.vector(crossprod(w$token, crossprod(keys, query[rows]))) / sqrt(size)
    }, numeric(s$filters + s$positions))
    norm <- rep(w$gain, length.out = s$filters) / sqrt(fit$running$variance + 1e-5)
    list(filters = t(asked[seq_len(s$filters), , drop = FALSE] * norm), positions = position_waves(s) %*% asked[-seq_len(s$filters), , drop = FALSE])
}

# Sines and cosines of the positions, tokens x features.
position_waves <- function(s) {
    place <- seq_len(s$length - s$width + 1) - 1
    pairs <- seq_len(s$positions / 2) - 1
    angle <- outer(place, 10000^(2 * pairs / s$positions), "/")
    waves <- matrix(0, length(place), s$positions)
    waves[, 2 * pairs + 1] <- sin(angle)
    waves[, 2 * pairs + 2] <- cos(angle)
    waves
}

# The mean of head_scores() of a layer: over sequences, but for the first layer.
layer_scores <- function(fit, layer, newx) {
    if (layer == 1) return(head_scores(fit))
    stream <- predict(fit, newx, "stream")[, layer, ]
    head_scores(fit, layer, rowMeans(as.matrix(stream)))             # scores are linear in the stream
}

layers_shown <- function(x, newx) {
    if (x$settings$layers > 1 && is.null(newx))
        cli::cli_inform("Only the first layer, which looks for the same in all sequences, is drawn; {.arg newx} shows the others.")
    seq_len(if (is.null(newx)) 1 else x$settings$layers)
}

plot_network_heads <- function(x, newx) {
    table <- do.call(rbind, lapply(layers_shown(x, newx), function(layer) {
        scores <- layer_scores(x, layer, newx)$filters * rep(x$filters$mean_activation, each = x$settings$heads)
        data.frame(layer = paste("layer", layer), head = c(row(scores)), filter = c(col(scores)), nats = c(scores))
    }))
    alive <- x$filters[x$filters$alive, ]
    table <- table[table$filter %in% alive$filter, ]
    label <- ifelse(alive$pass, paste0(alive$filter, ": ", alive$motif, "(", alive$strand, ")"), paste0(alive$filter, ": not a motif"))
    table$filter <- factor(label[match(table$filter, alive$filter)], rev(label))
    ggplot2::ggplot(table, ggplot2::aes(factor(.data$head), .data$filter, fill = .data$nats)) +
        ggplot2::geom_tile(colour = "white") +
        ggplot2::scale_fill_gradient2("nats", low = "#D55E00", mid = "white", high = "#0072B2") +
        ggplot2::facet_wrap(~layer) +
        ggplot2::labs(x = "Head", y = "Filter", title = "What each head looks for", subtitle = "what a filter's mean activation adds to the score") +
        plain_theme() + seism_strips()
}

plot_network_positions <- function(x, newx) {
    table <- do.call(rbind, lapply(layers_shown(x, newx), function(layer) {
        scores <- layer_scores(x, layer, newx)$positions
        scores <- scores - rep(colMeans(scores), each = nrow(scores))          # a constant makes no difference
        data.frame(layer = paste("layer", layer), head = c(col(scores)), position = c(row(scores)), nats = c(scores))
    }))
    ggplot2::ggplot(table, ggplot2::aes(.data$position, .data$nats, colour = factor(.data$head))) +
        ggplot2::geom_line() +
        ggplot2::facet_wrap(~layer) +
        ggplot2::scale_colour_viridis_d("Head", end = 0.9) +
        ggplot2::labs(x = "Position (bp)", y = "nats", title = "Where each head looks",
                      subtitle = "what a position adds to the score, minus its mean") +
        plain_theme() + seism_strips()
}

plot_network_attention <- function(x, newx) {
    if (is.null(newx)) stop_input("{.arg newx} must be sequences to show the attention on.", call = parent.frame(2))
    attention <- predict(x, newx, "attention")
    most <- apply(attention, c(1, 4), max)
    most <- most[, order(max.col(t(most), "first")), drop = FALSE]
    table <- data.frame(position = c(row(most)), sequence = c(col(most)), attention = c(most))
    ggplot2::ggplot(table[table$attention > 0.02, ], ggplot2::aes(.data$position, .data$sequence, fill = .data$attention)) +
        ggplot2::geom_tile(width = 1.5) +
        ggplot2::scale_fill_gradient("Attention", low = "grey90", high = "#0072B2", limits = c(0, 1), breaks = c(0, 0.5, 1)) +
        ggplot2::scale_x_continuous(limits = c(0, nrow(most) + 1)) +
        ggplot2::labs(x = "Position (bp)", y = "Sequence, by where it is read most", title = "Where the network reads",
                      subtitle = "the highest attention of any head") +
        plain_theme()
}
