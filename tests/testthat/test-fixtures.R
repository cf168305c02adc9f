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
        model <- read_model(fixture_path(group, paste0(name, ".h5")))
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
