# A disk without room is refused before HDF5 is asked; full ones are met by longtests/faults.R.
test_that("a file is asked room for beforehand, and nothing stays", {
    folder <- tempfile("folder")
    dir.create(folder)
    expect_null(nucleograd:::check_room(file.path(folder, "scores.h5"), 1000))
    expect_identical(list.files(folder, all.files = TRUE, no.. = TRUE), character())
    expect_error(nucleograd:::check_room(file.path(folder, "missing", "scores.h5")), "room for 1.05 MB", class = "nucleograd_error_file")
})

test_that("what the system said is shown as it is, braces too", {
    folder <- file.path(tempfile("folder"), "{stop('run')}")
    expect_error(nucleograd:::check_room(file.path(folder, "scores.h5")), "{stop('run')}", fixed = TRUE, class = "nucleograd_error_file")
})
