# Damaged and hostile files: an error of ours, never a crash, and nothing left behind. longtests/damaged-files runs more of them.

test_that("two hundred damaged files end in an error, or in a model where the damage is harmless", {
    files <- damaged_files(each = 40)
    expect_gte(length(files), 200)
    before <- nrow(showConnections())
    folder <- length(list.files(tempdir(), "^keras"))
    fates <- vapply(files, function(damaged) suppressWarnings(fate(damaged)), "")
    names <- vapply(files, `[[`, "", "name")
    harmless <- vapply(files, `[[`, NA, "harmless")
    expect_identical(names[!fates %in% c("error", "model")], character())
    expect_identical(names[fates == "model" & !harmless], character())
    expect_gt(sum(fates == "error"), 150)
    expect_identical(nrow(showConnections()), before)
    expect_length(list.files(tempdir(), "^keras"), folder)
})

test_that("an archive writes nowhere but in a folder of its own", {
    here <- tempfile()
    dir.create(here)
    on.exit(unlink(here, recursive = TRUE))
    content <- damage_sources()$tree
    file <- file.path(here, "model.keras")
    writeBin(zip_of(list("../config.json" = content, "config.json" = content, "model.weights.h5" = content)), file)
    expect_error(read_model(file), class = "nucleograd_error_model_file")
    expect_identical(list.files(here), "model.keras")
    expect_false(file.exists(file.path(tempdir(), "config.json")))
})
