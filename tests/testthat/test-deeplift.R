# DeepLIFT and DeepSHAP beside captum and tangermeme (data-raw/fixtures/deeplift.py), and closed forms.

lift_cases <- jsonlite::fromJSON(testthat::test_path("fixtures", "deeplift.json"), simplifyMatrix = TRUE)

lift_model <- function(case) {
    pool <- toy_layer(if (case$kind == "max") "MaxPooling1D" else "AveragePooling1D", pool_size = case$pool[1], strides = case$pool[2], padding = "valid")
    k <- lapply(case$kernels, function(kernel) if (is.list(kernel)) simplify2array(kernel) else kernel)
    model_from(toy_network(c(24, 4), conv(k[[1]], case$biases[[1]], "valid"), activation(case$first), pool,
                           conv(k[[2]], case$biases[[2]], "valid"), activation(case$second), flatten(), dense(k[[3]], case$biases[[3]]),
                           activation("relu"), dense(k[[4]], case$biases[[4]])))
}
samples <- function(x) if (length(dim(x)) == 2) array(x, c(1, dim(x))) else x
lift <- function(model, case, method = "deeplift", ...) {
    if (method == "deeplift") return(attribution(model, samples(case$x), "deeplift", baseline = case$references[1, , ], target = 2, ...))
    attribution(model, samples(case$x), "deepshap", baseline = function(x, replicate) case$references[replicate, , ], replicates = 3, target = 2, ...)
}
expect_close <- function(ours, theirs, tolerance = 1e-5) testthat::expect_lt(max(abs(unname(ours) - theirs)), tolerance * max(abs(theirs)))

test_that("DeepLIFT and DeepSHAP are those of captum and tangermeme", {
    for (name in names(lift_cases)) {
        case <- lift_cases[[name]]
        model <- lift_model(case)
        one <- lift(model, case)
        several <- lift(model, case, "deepshap")
        # tangermeme keeps each base's sum over channels, in the channel of the base that is there
        expect_close(rowSums(several[1, , ]), rowSums(case$tangermeme_deepshap))
        check <- attr(one, "windows")
        expect_lt(abs(check$output - check$baseline_output - case$difference), 1e-6)       # float32 sums of a few hundred terms
        expect_lt(abs(check$gap), 1e-5 * max(abs(case$difference), max(abs(one))))
        if (name == "average") {
            expect_close(one[1, , ], case$captum_deeplift)
            expect_close(several[1, , ], case$captum_deepshap)
        } else expect_gt(abs(case$captum_gap), 0.02 * abs(case$difference))      # captum 0.9.0 behind ReLU and a max pool: its sums are off
    }
})

test_that("a pool whose windows overlap adds up, and where its maximum was lost the reference's place has the score", {
    pooled <- model_from(toy_network(c(3, 1), toy_layer("MaxPooling1D", pool_size = 2, strides = 1, padding = "valid"), flatten(),
                                     dense(matrix(c(1, 10), 2))))
    score <- function(x, reference) as.vector(attribution(pooled, array(x, c(1, 3, 1)), "deeplift", baseline = array(reference, c(3, 1))))
    expect_score <- function(score, expected) expect_equal(score, expected, tolerance = 1e-6)      # float32 slopes
    expect_score(score(c(0, 2, 1), c(0, 1, 0)), c(0, 11, 0))                     # both windows rise by 1 at the middle
    expect_score(score(c(0, 2, 1), c(0, 0, 0)), c(0, 22, 0))
    expect_score(score(c(1, 0, 0), c(0, 3, 0)), c(0, -2 - 30, 0))                # from 3 to 1 and from 3 to 0: the 3 is gone
    expect_score(score(c(3, 1, 0), c(0, 2, 2)), c(1, -10, 0))
    expect_score(score(c(1, 1, 1), c(1, 1, 1)), c(0, 0, 0))
})

test_that("one unit, a product and a softmax meet their closed forms", {
    x <- array(c(1, 0, 0, 0), c(1, 1, 4))
    unit <- model_from(toy_network(c(1, 4), flatten(), dense(matrix(c(2, -1, 0, 0), 4), -0.5), activation("relu")))
    # z goes from -1.5 to 1.5, y from 0 to 1.5: a slope of 1/2
    expect_equal(as.vector(attribution(unit, x, "deeplift", baseline = c(0, 1, 0, 0))), c(1, 0.5, 0, 0))
    product <- model_from(toy_network(c(1, 4), flatten(), dense(matrix(c(2, 0, 0, 0), 4), 1),
                                      toy_layer("Dense", units = 1, weights = list(matrix(c(0, 3, 0, 0), 4), 1), from = 2),
                                      toy_layer("Multiply", from = c(3, 4))))
    # a goes from 1 to 3, b from 4 to 1: the change of each, times the mean of the other
    expect_equal(as.vector(attribution(product, x, "deeplift", baseline = c(0, 1, 0, 0))), c(2 * 2.5, -3 * 2, 0, 0), tolerance = 1e-6)
    weights <- matrix(c(1, -1, 0.5, 0, 2, 1, -1, 0.25), 4)
    soft <- model_from(toy_network(c(1, 4), flatten(), dense(weights), activation("softmax")))
    found <- attribution(soft, x, "deeplift", output = "probability")
    # two classes: a sigmoid of the difference of logits, which is one number
    logit <- function(x) sum(x * (weights[, 1] - weights[, 2]))
    share <- (x[1, 1, ] - 0.25) * (weights[, 1] - weights[, 2])
    slope <- (stats::plogis(logit(x)) - stats::plogis(logit(rep(0.25, 4)))) / sum(share)
    expect_equal(as.vector(found), share * slope, tolerance = 1e-5)
})

lift_fixtures <- c(paste0("stacks/", c("conv_flatten", "conv_global", "conv_global_max", "conv_lstm", "dense", "residual")),
                   paste0("deepg/", c("average", "bidirectional", "flatten", "heads", "lstm", "residual", "target_middle")),
                   paste0("genomenet/", c("both_strands", "gap", "gap_residual", "recurrent_gru", "recurrent_lstm")))

test_that("scores of networks of all kinds sum to the difference of the outputs, whatever the threads and tiles", {
    for (name in lift_fixtures) {
        cases <- fixture_cases(dirname(name), basename(name))
        inputs <- one_or_list(cases[[length(cases)]]$inputs)
        model <- read_model(fixture_path(paste0(name, ".h5")))
        run <- function(threads, tile_bytes = 0, round_bytes = 0, ...) {
            old <- options(nucleograd.tile_bytes = tile_bytes, nucleograd.round_bytes = round_bytes)
            on.exit(options(old))
            attribution(model, inputs, "deeplift", threads = threads, ...)
        }
        for (output in c("logit", "probability")) {
            found <- run(1, output = output)
            check <- attr(found, "windows")
            scale <- pmax(abs(check$output - check$baseline_output), vapply(seq_len(nrow(check)), function(k)
                max(vapply(as_plain_list(found), function(one) max(abs(matrix(one, nrow(check))[k, ])), 0)), 0), 1e-2)
            expect_lt(max(abs(check$gap) / scale), 1e-5, label = paste(name, output))
        }
        expected <- run(1)
        expect_identical(run(2), expected, label = name)
        expect_identical(run(2, 1000, 1), expected, label = name)
    }
})

test_that("a genome is lifted window by window, on both strands, against drawn references", {
    case <- lift_cases$relu
    model <- lift_model(case)
    genome <- random_genome(72, seed = 3)
    Biostrings::subseq(genome[[1]], 5, 7) <- Biostrings::DNAString("NNN")
    whole <- attribution(model, genome, "deeplift", target = 2)
    x <- one_hot_array(Biostrings::subseq(rep(genome, 2), c(25, 49), c(48, 72)))
    arrays <- attribution(model, x, "deeplift", target = 2)
    expect_identical(unname(whole@scores[[1]][25:72, ]), rbind(arrays[1, , ], arrays[2, , ]))
    expect_true(all(whole@scores[[1]][5:7, ] == 0))
    expect_output(show(whole), "DeepLIFT")
    reverse <- attribution(model, genome, "deeplift", target = 2, strand = "reverse")
    other <- attribution(model, Biostrings::reverseComplement(genome), "deeplift", target = 2)
    expect_equal(unname(reverse@scores[[1]]), unname(other@scores[[1]][72:1, 4:1]), tolerance = 1e-6)
    shap <- attribution(model, genome, "deepshap", target = 2, seed = 2, replicates = 4)
    expect_identical(shap@settings[c("baseline", "replicates")], list(baseline = "dinucleotide", replicates = 4))
    expect_lt(max(abs(shap@windows$gap)), 1e-5)
    expect_length(base_errors(shap), 72)
    same <- attribution(model, x, "deeplift", baseline = x, target = 2)
    expect_true(all(same == 0))
})

test_that("layers without a rule are refused by name", {
    model <- model_from(toy_network(c(6, 4), toy_layer("Dense", units = 3, weights = list(random_array(c(4, 3), 1), numeric(3))),
                                    toy_layer("Maximum", from = c(2, 2)), flatten(), dense(random_array(c(18, 1), 2))))
    expect_error(attribution(model, one_hot_array(random_genome(6)), "deeplift"), "Maximum", class = "nucleograd_error_unsupported")
})
