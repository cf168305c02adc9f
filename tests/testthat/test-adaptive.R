# attribution(tolerance = ) against the same rule in plain R (helper-naive.R).

kinked <- toy_network(c(20, 4), conv(random_array(c(4, 4, 5), 41), random_array(5, 42)), activation("relu"), max_pool(2), flatten(),
                      dense(random_array(c(50, 2), 43)), activation("softmax"))
kinked_model <- model_from(kinked)

# The next node goes where the trapezoids between nodes miss the change of F the most: list(scores, nodes).
naive_adaptive <- function(x, baseline, tolerance, max_nodes) {
    value <- function(a) naive_value(kinked, list(baseline + a * (x - baseline)))
    scores_at <- function(a) naive_scores(kinked, list(x), list(baseline), a, 1)[[1]]
    at <- c(1, 3, 5) / 6
    repeat {
        at <- sort(at)
        scores <- lapply(at, scores_at)
        slopes <- vapply(scores, sum, 0)
        n <- length(at)
        ends <- c(0, at, 1)
        errors <- diff(vapply(ends, value, 0)) - diff(ends) * (c(slopes[1], slopes) + c(slopes, slopes[n])) / 2
        if (max(abs(sum(errors)), sqrt(sum(errors^2))) <= tolerance * abs(value(1) - value(0)) || n == max_nodes) break
        k <- which.max(abs(errors))
        at <- c(at, if (k == 1) at[1] / 3 else if (k > n) 1 - (1 - at[n]) / 3 else (at[k - 1] + at[k]) / 2)
    }
    weights <- diff(c(0, (at[-1] + at[-n]) / 2, 1))
    list(scores = Reduce(`+`, Map(`*`, scores, weights)), nodes = n)
}

test_that("nodes and scores are those of the rule, and the gap is below the tolerance", {
    genome <- random_genome(100, seed = 44)
    for (tolerance in c(0.3, 0.05)) {
        found <- attribution(kinked_model, genome, tolerance = tolerance, max_nodes = 2000)
        data <- as.data.frame(S4Vectors::mcols(found@windows))
        expect_true(all(abs(data$gap) <= tolerance * abs(data$output - data$baseline_output)))
        for (w in 1:5) {
            x <- one_hot(Biostrings::subseq(genome[[1]], 20 * w - 19, 20 * w))
            expected <- naive_adaptive(x, 0 * x + 0.25, tolerance, 2000)
            expect_identical(data$nodes[w], as.numeric(expected$nodes))
            ours <- unname(found@scores[[1]][20 * w - 19:0, ])
            expect_lt(max(abs(ours - expected$scores)), 1e-5 * max(abs(expected$scores)))      # float32 gradients
        }
    }
    expect_output(show(found), "nodes of a window")
})

test_that("a linear network needs the first three nodes", {
    model <- model_from(toy_network(c(12, 4), flatten(), dense(random_array(c(48, 1), 3))))
    found <- attribution(model, random_genome(24, seed = 45), tolerance = 1e-4)
    expect_identical(found@windows$nodes, c(3, 3))
    expect_equal(found@scores, attribution(model, random_genome(24, seed = 45), nodes = 1)@scores, tolerance = 1e-6)
})

test_that("nodes that run out are a warning, which says the gap", {
    genome <- random_genome(40, seed = 46)
    expect_warning(found <- attribution(kinked_model, genome, tolerance = 1e-6, max_nodes = 9), "gap", class = "nucleograd_warning_tolerance")
    expect_identical(found@windows$nodes, c(9, 9))
})

test_that("threads, tiles and neighbours change no bit", {
    genome <- random_genome(60, seed = 47)
    run <- function(genome, ...) attribution(kinked_model, genome, tolerance = 0.1, ...)
    whole <- run(genome)
    expect_identical(run(genome, threads = 1)@scores, whole@scores)
    expect_identical(run(Biostrings::subseq(genome, 21, 60))@scores[[1]], whole@scores[[1]][21:60, ])
    x <- one_hot_array(Biostrings::subseq(genome[[1]], 1, 20))
    array <- attribution(kinked_model, x, tolerance = 0.1)
    expect_identical(array[1, , ], unname(whole@scores[[1]][1:20, ]))
    expect_identical(attr(array, "windows")$nodes, whole@windows$nodes[1])
    twice <- run(genome, baseline = "shuffle", replicates = 2, seed = 1)
    expect_identical(length(base_errors(twice)), 60L)
    expect_error(run(genome, method = "gradient"), class = "nucleograd_error_argument")
    expect_error(attribution(kinked_model, genome, tolerance = 2), class = "nucleograd_error_argument")
})
