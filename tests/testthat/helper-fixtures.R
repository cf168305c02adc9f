# tests/testthat/helper-fixtures.R: models and values that Keras computed (data-raw/fixtures), as R arrays (sample, position, channel).

fixture_path <- function(...) testthat::test_path("fixtures", ...)

fixture_models <- function(group) sub("[.][a-z0-9]+$", "", list.files(fixture_path(group), pattern = "[.](h5|keras)$"))
fixture_model <- function(group, name) list.files(fixture_path(group), pattern = paste0("^", name, "[.](h5|keras)$"), full.names = TRUE)

# list by case of list(inputs, outputs, gradients, output_errors, gradient_errors): unnamed lists of arrays, and how far Keras'
# own float32 run is from each output and gradient (computed in float64), at most.
fixture_cases <- function(group, model) {
    stored <- rhdf5::h5read(fixture_path(paste0(group, ".cases.h5")), model)
    lapply(stored, function(case) {
        arrays <- lapply(case[c("inputs", "outputs", "gradients")], function(values)
            unname(lapply(values[order(as.integer(names(values)))], aperm)))     # HDF5 is row-major: rhdf5 reverses the axes
        c(arrays, lapply(case[c("output_errors", "gradient_errors")], as.vector))
    })
}

# The weights of the linear functional whose gradient is stored: (7 k mod 64 - 31.5) / 32 in row-major order.
cotangent <- function(values) {
    k <- seq_along(values) - 1
    aperm(array(((7 * k) %% 64 - 31.5) / 32, rev(dim(values))))
}

one_or_list <- function(arrays) if (length(arrays) == 1) arrays[[1]] else arrays

as_plain_list <- function(x) unname(if (is.list(x)) x else list(x))

# Our float32 arithmetic against float64 arithmetic of Keras: at most four times as far as Keras' own float32 run, with a
# floor of 1e-6 of the scale for runs that happened to agree.
expect_as_exact_as_keras <- function(ours, keras, keras_error, label, scale = max(1, abs(keras))) {
    error <- if (identical(dim(ours), dim(keras))) max(abs(ours - keras)) else NA
    testthat::expect(!is.na(error) && error <= 4 * max(keras_error, 1e-6 * scale),
                     sprintf("%s: off by %.3g; Keras in float32 is off by %.3g (scale %.3g).", label, error, keras_error, scale))
}

# The path of a file that is not there yet and is gone after the test.
new_file <- function(extension, frame = parent.frame()) {
    file <- tempfile(fileext = extension)
    do.call(on.exit, list(substitute(unlink(file), list(file = file)), add = TRUE), envir = frame)
    file
}
