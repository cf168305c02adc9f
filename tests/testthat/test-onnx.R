# ONNX files that PyTorch wrote, and what PyTorch computes (data-raw/fixtures/make_onnx.py). A failing line names model and case.

onnx_models <- function() sub("[.]onnx$", "", list.files(fixture_path("onnx")))

test_that("networks of PyTorch predict and differentiate as PyTorch does", {
    expect_gt(length(onnx_models()), 20)
    for (name in onnx_models()) {
        model <- read_model(fixture_path("onnx", paste0(name, ".onnx")))
        case <- fixture_cases("onnx", name)$random
        inputs <- one_or_list(case$inputs)
        outputs <- as_plain_list(predict(model, inputs))
        gradients <- as_plain_list(input_gradient(model, inputs, lapply(case$outputs, cotangent)))
        for (k in seq_along(outputs))
            expect_as_exact_as_keras(outputs[[k]], case$outputs[[k]], case$output_errors[k], paste(name, "output", k))
        for (k in seq_along(gradients))
            expect_as_exact_as_keras(gradients[[k]], case$gradients[[k]], case$gradient_errors[k], paste(name, "gradient", k),
                                     scale = max(abs(case$gradients[[k]])))
    }
})

test_that("a network of PyTorch explains a genome", {
    model <- read_model(fixture_path("onnx", "positions_first.onnx"))
    scores <- attribution(model, Biostrings::DNAStringSet(c(contig = strrep("ACGTTGCAGG", 12))), step = 15, nodes = 200)
    windows <- scores@windows
    expect_lt(max(abs(windows$gap)), 0.02 * max(abs(windows$output - windows$baseline_output)))
    expect_output(print(model), "ONNX 17 (pytorch 2.5.1)", fixed = TRUE)
    expect_identical(summary(model)$class[1:2], c("InputLayer", "Conv1D"))
})

test_that("a damaged file is an error with its name, never the end of the session", {
    bytes <- readBin(fixture_path("onnx", "lstm_states.onnx"), "raw", 1e5)
    file <- tempfile(fileext = ".onnx")
    outcome <- function(bytes) {
        writeBin(bytes, file)
        suppressWarnings(tryCatch({ read_model(file); "read" }, nucleograd_error = function(error) "refused"))
    }
    expect_identical(outcome(raw()), "refused")
    expect_identical(outcome(charToRaw("a text of no interest")), "refused")
    for (length in c(1, 10, 100, 1000, length(bytes) - 1)) expect_identical(outcome(bytes[seq_len(length)]), "refused")
    set.seed(1)
    outcomes <- replicate(150, {
        at <- sample(c(seq_len(600), length(bytes) - seq_len(600), length(bytes)), 1)
        outcome(replace(bytes, at, xor(bytes[at], as.raw(2^sample(0:7, 1)))))
    })
    expect_setequal(outcomes, c("read", "refused"))
})

test_that("what is not computed is said", {
    nodes <- list(list(operator = "Einsum", name = "product", inputs = "x", outputs = "y", attributes = list()))
    model <- list(nodes = nodes, constants = list(), inputs = list(x = c(NA, 4, 20)), outputs = list(y = NA), version = "ONNX 17 (test 1)")
    source <- list(file = "model.onnx", call = NULL)
    expect_error(onnx_network(model, source), "Operator Einsum (product) is not computed", fixed = TRUE, class = "nucleograd_error_unsupported")
    name <- rawToChar(as.raw(c(0x70, 0xff)))                          # of a damaged file: not UTF-8
    Encoding(name) <- "UTF-8"
    model$nodes[[1]]$name <- name
    expect_error(onnx_network(model, source), "Operator Einsum (p<ff>)", fixed = TRUE, class = "nucleograd_error_unsupported")
    model$nodes[[1]]$operator <- "Relu"
    model$nodes[[1]]$inputs <- "z"
    expect_error(onnx_network(model, source), "reads what no operator before it writes", class = "nucleograd_error_unsupported")
    model$nodes[[1]]$inputs <- "x"
    model$outputs <- list(w = NA)
    expect_error(onnx_network(model, source), "Its output w is not computed", class = "nucleograd_error_model_file")
})
