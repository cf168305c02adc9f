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

test_that("small stacks of common layers are as Keras computes them", check_group("stacks"))
