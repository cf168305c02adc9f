# The formulas of attention give the attention that the network has, all scores, tied or not, layer by layer.

test_that("scores of heads add up to the attention", {
    x <- small_motif(5)$x
    for (kind in list(list(), list(score = "key"), list(score = "key", key = "linear", tie_strands = TRUE))) {
        fit <- do.call(small_network, c(list(schedule = brief_schedule, batches = 4, layers = 2, precision = "float64"), kind))
        activation <- predict(fit, x, "activations")
        attention <- predict(fit, x, "attention")
        stream <- predict(fit, x, "stream")
        for (layer in 1:2) for (b in 1:5) {
            scores <- head_scores(fit, layer, stream[, layer, b])
            total <- t(scores$filters %*% activation[, , b]) + scores$positions
            expected <- exp(total) / rep(colSums(exp(total)), each = nrow(total))
            expect_equal(attention[, , layer, b], expected, tolerance = 1e-6)
        }
        expect_equal(head_scores(fit), head_scores(fit, 1, stream[, 1, 1]), tolerance = 1e-6)
        each <- lapply(1:5, function(b) head_scores(fit, 2, stream[, 2, b])$positions)
        expect_equal(layer_scores(fit, 2, x)$positions, Reduce(`+`, each) / 5, tolerance = 1e-9)
    }
    for (type in c("heads", "position", "attention")) expect_s3_class(ggplot2::ggplot_build(plot(fit, type, newx = x))$plot, "ggplot")
    expect_message(plot(fit, "heads"), "Only the first layer")
    expect_error(plot(fit, "attention"), "newx", class = "nucleograd_error_argument")
})
