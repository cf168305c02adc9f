# Values and gradients of Keras 2 (see data-raw/fixtures). A failing line names group/model/case.

check_case <- function(model, case, label) {
    inputs <- one_or_list(case$inputs)
    outputs <- as_plain_list(predict(model, inputs))
    expect_length(outputs, length(case$outputs))
    for (k in seq_along(outputs))
        expect_as_exact_as_keras(outputs[[k]], case$outputs[[k]], case$output_errors[k], paste(label, "output", k))
    gradients <- as_plain_list(input_gradient(model, inputs, lapply(case$outputs, cotangent)))
    for (k in seq_along(gradients))
        expect_as_exact_as_keras(gradients[[k]], case$gradients[[k]], case$gradient_errors[k], paste(label, "gradient", k),
                                 scale = max(abs(case$gradients[[k]])))
}

check_group <- function(group) {
    for (name in fixture_models(group)) {
        cases <- fixture_cases(group, name)
        model <- read_model(fixture_model(group, name))
        for (case in names(cases)) check_case(model, cases[[case]], paste(group, name, case, sep = "/"))
    }
}

test_that("small stacks of common layers are as Keras computes them", {
    check_group("stacks")
})
test_that("convolutions are: padding, kernel, stride, dilation, short sequences", {
    check_group("conv")
})
test_that("pooling is: size, stride, padding, ties", {
    check_group("pooling")
})
test_that("activations are, at their kinks too", {
    check_group("activations")
})
test_that("normalizations are: axis, scale, center", {
    check_group("normalization")
})
test_that("layers that move and merge numbers are", {
    check_group("shapes")
})
test_that("LSTM and GRU are: options, states, old files", {
    check_group("recurrent")
})
test_that("Bidirectional and TimeDistributed are", {
    check_group("wrappers")
})
test_that("graphs are: shared layers, nested and frozen models, several inputs and outputs", {
    check_group("graphs")
})
test_that("deepG's architectures are", {
    check_group("deepg")
})
test_that("GenomeNet's architectures are", {
    check_group("genomenet")
})
test_that("random stacks of layers are", {
    check_group("mixtures")
})
test_that("grouped, separable, depthwise and transposed convolutions are, and channels first", {
    check_group("kernels")
    check_group("kernels3")
})
test_that("masks are: made, handed on, merged, ended, by the rules of Keras 2 and 3", {
    check_group("masks")
    check_group("masks3")
})
test_that("attention and embeddings are", {
    check_group("attention")
    check_group("attention3")
})
test_that("deepG's transformers are", {
    check_group("transformers")
})
test_that("deepG's models of sets and pairs are", {
    check_group("sets")
})

test_that("networks whose list of layer names Keras had to cut in pieces are", {
    check_case(read_model(fixture_model("formats", "long_names")), fixture_cases("formats", "long_names")$random, "formats/long_names")
})

test_that("integrated gradients are, by the trapezoid and the midpoint rule, with one and two inputs", {
    for (name in fixture_models("paths")) {
        model <- read_model(fixture_path("paths", paste0(name, ".h5")))
        case <- fixture_cases("paths", name)$random
        paths <- rhdf5::h5read(fixture_path("paths.cases.h5"), paste0(name, "/random/paths"))
        for (path in names(paths)) {
            on_logit <- startsWith(path, "midpoint")
            baseline <- lapply(case$inputs, function(x) array(if (on_logit) 0.25 else 0, dim(x)))
            ours <- attribution(model, one_or_list(case$inputs), baseline = one_or_list(baseline), nodes = as.numeric(sub(".*_", "", path)),
                                rule = if (on_logit) "midpoint" else "trapezoid", output = if (on_logit) "logit" else "probability",
                                target = min(2, ncol(case$outputs[[1]])))
            keras <- lapply(paths[[path]]$attributions, aperm)
            size <- max(abs(unlist(keras)))
            for (k in seq_along(keras)) {
                scores <- as_plain_list(ours)[[k]]
                attributes(scores) <- list(dim = dim(scores))
                expect_as_exact_as_keras(scores, keras[[k]], paths[[path]]$float32_error[k], paste("paths", name, path, k), scale = size)
            }
            # The gap is a small difference of float32 numbers near 1: as exact as those, not relative to itself.
            expect_lte(max(abs(attr(ours, "windows")$gap - paths[[path]]$gap)), 1e-6, label = paste("gap of", name, path))
        }
    }
})

# The sporulation architecture at 65,537 bases, with weights and bases by the formulas of data-raw/fixtures/groups/scale.py.
numbers_by_formula <- function(dims, kind, w) {
    k <- seq_len(prod(dims)) - 1 + 7919 * w
    u <- (((k * k) %% 999983 * k) %% 999983) / 999983 - 0.5         # all products below 2^53
    values <- switch(kind, kernel = u * 3.5 / sqrt(prod(dims[-length(dims)])), positive = u + 1, 0.4 * u)
    structure(values, dims = as.integer(dims))
}

weights_by_formula <- function(layers) {
    channels <- 4
    w <- -1
    stored <- list()
    for (layer in layers) {
        config <- layer$config
        shapes <- switch(layer$class_name,
            Conv1D = list(kernel = c(24, channels, config$filters), bias = config$filters),
            BatchNormalization = list(positive = channels, beta = channels, mean = channels, positive = channels),
            Dense = list(kernel = c(if (config$units == 128) 4 * channels else channels, config$units), bias = config$units))
        if (!is.null(shapes)) channels <- utils::tail(shapes[[1]], 1)
        stored[[layer$config$name]] <- lapply(seq_along(shapes), function(k) numbers_by_formula(shapes[[k]], names(shapes)[k], w + k))
        w <- w + length(shapes)
    }
    stored
}

test_that("the sporulation architecture is as Keras computes it at 65,537 bases", {
    keras <- rhdf5::h5read(fixture_path("scale.cases.h5"), "sporulation")
    source <- list(file = fixture_path("scale", "sporulation.json"), call = NULL)
    json <- parse_json(read_architecture(source$file, NULL)$config, source)
    parsed <- flatten_model(json, list(weights = weights_by_formula(json$config$layers), keras_version = "2.15.0"), source)
    expect_equal(sum(parsed$layers$parameters), 1686209)
    pointer <- .Call(C_model, parsed$nodes, parsed$weights, as.integer(parsed$inputs), as.integer(parsed$outputs), environment())
    model <- model_of(pointer, parsed, source$file, environment())
    i <- seq_len(65537) - 1
    x <- array(0, c(1, 65537, 4))
    x[cbind(1, i + 1, i^3 %% 65537 %% 4 + 1)] <- 1
    gradient <- attribution(model, x, method = "gradient")
    expect_equal(attr(gradient, "windows")$output, as.vector(keras$logit), tolerance = 4 * as.vector(keras$logit_error))
    places <- floor(seq(0, 4 * 65537 - 1, length.out = 2000))                    # in (position, channel) order
    ours <- gradient[cbind(1, places %/% 4 + 1, places %% 4 + 1)]
    expect_as_exact_as_keras(array(ours), array(keras$gradient), keras$gradient_error, "scale", scale = as.vector(keras$gradient_size))
})
