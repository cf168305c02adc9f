# Predictions by deepG's rules, and their files.

pieces <- function() Biostrings::subseq(rep(example_genome(), 3), start = c(850001, 10001, 500), width = c(1800, 700, 300)) |>
    stats::setNames(c("one", "two", "short"))

test_that("states are what the network says of the encoded windows", {
    model <- example_model()
    window <- unname(model@inputs[[1]][1])
    by_entry <- predict_states(model, pieces(), mode = "by_entry", step = 300)
    expect_identical(by_entry$entry, 1:2)
    expect_identical(by_entry$header, c("one", "two"))
    x <- encode_sequences(pieces(), window = window, step = 300)
    expect_equal(do.call(rbind, by_entry$states), unname(predict(model, x)), tolerance = 1e-6)
    expect_identical(unlist(by_entry$sample_end_position), attr(x, "windows")$sample_end_position)
    joined <- predict_states(model, pieces(), step = 300)
    expect_identical(nrow(joined$states[[1]]), length(seq(window, 2800, by = 300)))
    set.seed(3)
    one <- predict_states(model, pieces(), mode = "one_pred_per_entry")
    expect_identical(vapply(one$states, nrow, 0L), c(1L, 1L, 1L))
    set.seed(3)
    expect_identical(predict_states(model, pieces(), mode = "one_pred_per_entry"), one)
    expect_output(print(joined), "States: 8 windows of 1 entry, 1 output")
})

test_that("files have deepG's layout and come back as they were", {
    model <- example_model()
    for (mode in c("one_seq", "by_entry")) {
        states <- predict_states(model, pieces(), mode = mode, step = 300)
        file <- new_file(".h5")
        write_states(states, file)
        expect_equal(read_states(file)[c("states", "sample_end_position", "entry")], states[c("states", "sample_end_position", "entry")])
        stored <- hdf5r::H5File$new(file, mode = "r")
        expect_setequal(names(stored), c("multi_entries", "sample_end_position", "states"))
        expect_identical(stored[["multi_entries"]]$read(), mode == "by_entry")
        if (mode == "one_seq") {
            expect_identical(stored[["states"]]$dims, dim(states$states[[1]]))
            expect_identical(stored[["states"]]$maxdims, c(Inf, Inf))
        } else expect_setequal(names(stored[["states"]]), c("entry_1", "entry_2"))
        stored$close_all()
    }
    csv <- new_file(".csv")
    write_states(states, csv)
    expect_identical(readLines(csv, 1), '"N1"')
    expect_equal(read_states(csv)$states[[1]], do.call(rbind, states$states), tolerance = 1e-14)
})

test_that("predictions with coordinates go into the same files", {
    model <- example_model()
    predictions <- predict(model, pieces()[1:2], step = 300)
    file <- new_file(".h5")
    write_states(predictions, file)
    back <- read_states(file)
    expect_identical(back$entry, 1:2)
    expect_equal(unlist(back$sample_end_position), as.numeric(BiocGenerics::end(predictions)))
    expect_equal(do.call(rbind, back$states), unname(as.matrix(S4Vectors::mcols(predictions))))
})

test_that("files of early deepG are read", {
    file <- new_file(".h5")
    stored <- hdf5r::H5File$new(file, mode = "w")
    stored[["states"]] <- matrix(1:6 / 7, 3)
    stored[["target_positions"]] <- c(11, 21, 31)
    stored$close_all()
    expect_identical(read_states(file)$sample_end_position, list(c(10, 20, 30)))
    expect_identical(read_states(file)$states, list(matrix(1:6 / 7, 3)))
})

test_that("a summary has one line a file", {
    states <- structure(list(states = list(rbind(c(0.2, 0.8), c(0.9, 0.1), c(0.45, 0.55))), sample_end_position = list(1:3), entry = 1L,
                             header = "joined", mode = "one_seq"), class = "States")
    found <- states_by_file(list(a = states, b = states), outputs = c("no", "yes"))
    expect_identical(found$file_name, c("a", "b"))
    expect_equal(unlist(found[1, c("mean_conf_no", "max_conf_no", "max_conf_yes", "vote_perc_yes")], use.names = FALSE), c(1.55 / 3, 0.9, 0.8, 2 / 3))
    expect_identical(unlist(found[1, c("mean_prediction", "max_prediction", "vote_prediction")], use.names = FALSE), c("no", "no", "yes"))
    one <- function(...) structure(list(states = list(cbind(c(...))), sample_end_position = list(1:2), entry = 1L, header = "joined", mode = "one_seq"), class = "States")
    expect_identical(states_by_file(list(one(0.1, 0.2), one(0.7, 0.2)))$vote_perc_N1, c(0, 0.5))
    expect_error(states_by_file(list(1)), "must be paths of files", class = "nucleograd_error_argument")
    expect_error(states_by_file(list(states), outputs = "one"), "must name the 2 outputs", class = "nucleograd_error_argument")
})

test_that("what cannot be predicted or read is said", {
    model <- example_model()
    expect_error(predict_states(model, "ACGT"), "at least 500 letters", class = "nucleograd_error_contigs")
    expect_error(predict_states(model, pieces(), ngram = 2), "16 channels", class = "nucleograd_error_unsupported")
    expect_error(predict_states(model, pieces(), both_strands = TRUE), "must have 2 inputs", class = "nucleograd_error_unsupported")
    expect_error(write_states(1, tempfile()), "must come from", class = "nucleograd_error_argument")
    expect_error(read_states(fixture_path("onnx", "view.onnx")), "must be a file of predictions", class = "nucleograd_error_file")
    expect_error(read_states(system.file("extdata", "rrna16s.h5", package = "nucleograd")), "it has no", class = "nucleograd_error_file")
})
