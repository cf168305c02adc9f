# A motif network in plain layers: the same predictions and gradients, also when written and read back.

one_hot_of <- function(x) aperm(vapply(strsplit(as.character(x), ""), function(letters) outer(letters, c("A", "C", "G", "T"), `==`) + 0,
                                       matrix(0, 100, 4)), c(3, 1, 2))

test_that("plain layers predict the same, whatever the score, and are written and read back", {
    sim <- small_motif(130, seed = 6)
    kinds <- list(list(), list(score = "key", layers = 2), list(score = "key", key = "linear", tie_strands = TRUE), list(task = "regression", layers = 2))
    for (kind in kinds) {
        response <- if (identical(kind$task, "regression")) 3 + 2 * sim$y
        fit <- do.call(small_network, c(list(if (is.null(response)) sim else sim$x), if (!is.null(response)) list(response),
                                        list(schedule = brief_schedule, batches = 4), kind))
        model <- as_model(fit)
        expect_equal(as.vector(predict(model, one_hot_of(sim$x[1:20]))), predict(fit, sim$x[1:20]), tolerance = 2e-6)
        file <- tempfile(fileext = ".h5")
        write_model(model, file)
        expect_equal(as.vector(predict(read_model(file), one_hot_of(sim$x[1:20]))), predict(fit, sim$x[1:20]), tolerance = 2e-6)
    }
})

test_that("integrated gradients of it are complete, and point at the motif", {
    fit <- small_network(restarts = 2)
    sim <- small_motif(80, seed = 7)
    sim$x <- sim$x[sim$y == 1]
    expect_error(attribution(fit, sim$x), "as_model", class = "nucleograd_error_argument")
    scores <- attribution(as_model(fit), sim$x, nodes = 200)
    measures <- motif_detection(scores, sim$sites[as.character(GenomicRanges::seqnames(sim$sites)) %in% names(sim$x)])
    expect_gte(measures$value[measures$measure == "auroc"], 0.9)
})
