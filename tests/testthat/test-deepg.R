# integrated_gradients() of deepG, as TensorFlow computes it (data-raw/fixtures/groups/paths.py).

test_that("scores from a baseline of zeros are deepG's", {
    for (name in fixture_models("paths")) {
        model <- read_model(fixture_path("paths", paste0(name, ".h5")))
        case <- fixture_cases("paths", name)$random
        paths <- rhdf5::h5read(fixture_path("paths.cases.h5"), paste0(name, "/random/paths"))
        for (path in grep("^midpoint", names(paths), invert = TRUE, value = TRUE)) {
            first <- lapply(case$inputs, function(x) x[1, , , drop = FALSE])
            ours <- attribution_as_deepg(model, one_or_list(first), m_steps = as.numeric(sub(".*_", "", path)), target_class_idx = min(2, ncol(case$outputs[[1]])))
            keras <- lapply(paths[[path]]$attributions, aperm)
            for (k in seq_along(keras))
                expect_as_exact_as_keras(as_plain_list(ours)[[k]] + 0, keras[[k]][1, , ], paths[[path]]$float32_error[k], paste(name, path, k), scale = max(abs(unlist(keras))))
            expect_lte(abs(attr(ours, "windows")$gap - paths[[path]]$gap[1]), 1e-6)           # a small difference of numbers near 1
        }
    }
})

test_that("a shuffled baseline is the permutation that sample() draws", {
    x <- encode_sequences(as.character(Biostrings::subseq(example_genome()[[1]], 853001, 853500)), window = 500)
    set.seed(5)
    ours <- attribution_as_deepg(example_model(), x, m_steps = 4, baseline_type = "shuffle", num_baseline_repeats = 2)
    set.seed(5)
    baselines <- lapply(1:2, function(k) x[, sample(500), , drop = FALSE])
    by_hand <- lapply(baselines, function(baseline)
        attribution(example_model(), x, baseline = baseline, rule = "trapezoid", nodes = 4, output = "probability"))
    expect_equal(c(ours), c((by_hand[[1]] + by_hand[[2]]) / 2)[seq_along(ours)], tolerance = 1e-5)
    expect_identical(dim(ours), c(500L, 4L))
    expect_error(attribution_as_deepg(example_model(), x, baseline_type = "unif"), "must be one of", class = "nucleograd_error_argument")
    expect_error(attribution_as_deepg(example_model(), x[c(1, 1), , ]), "one sample", class = "nucleograd_error_argument")
})

test_that("no name of the package masks one of deepG", {
    deepg <- c("predict_model", "load_prediction", "summarize_states", "integrated_gradients", "heatmaps_integrated_grad", "seq_encoding_label",
               "seq_encoding_lm", "get_generator", "load_cp", "train_model", "create_model_lstm_cnn", "create_model_genomenet", "remove_add_layers",
               "merge_models", "get_output_tensor", "evaluate_model", "plot_states", "plot_roc", "auc_wrapper", "one_hot_to_seq", "n_gram_dist",
               "int_to_n_gram", "dataset_val", "random_data_generator", "create_dummy_data", "summarise_states")
    expect_length(intersect(getNamespaceExports("nucleograd"), deepg), 0)
})
