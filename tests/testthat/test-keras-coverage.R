# The table of layers in ?layers: nothing is missing in it, and nothing in it is without a model that Keras wrote.

test_that("the table has every class that is read, once", {
    expect_setequal(layer_coverage()$class, setdiff(supported_layers, mask_operations))
    expect_identical(anyDuplicated(layer_coverage()$class), 0L)
    expect_true(all(names(layer_remarks) %in% layer_coverage()$class))
})

classes_in <- function(file, classes) {
    bytes <- readBin(file, "raw", file.size(file))
    Filter(function(class) length(grepRaw(paste0("\"class_name\": \"", class, "\""), bytes, fixed = TRUE)) > 0, classes)
}

test_that("every class of the table is in a model of its group, and the group is held against Keras", {
    tested <- paste(readLines(testthat::test_path("test-fixtures.R")), collapse = "\n")
    for (group in names(layer_fixtures)) {
        expect_match(tested, paste0("check_group(\"", group, "\")"), fixed = TRUE)
        files <- list.files(fixture_path(group), pattern = "[.]h5$", full.names = TRUE)
        classes <- unlist(lapply(files, classes_in, layer_fixtures[[group]]))
        expect_setequal(unique(classes), layer_fixtures[[group]])
    }
})

test_that("a model with each class is the same in every bit when it was written and read again", {
    for (group in names(layer_fixtures)) {
        missing <- layer_fixtures[[group]]
        for (name in fixture_models(group)) {
            found <- classes_in(fixture_model(group, name), missing)
            if (length(found) == 0) next
            missing <- setdiff(missing, found)
            model <- read_model(fixture_model(group, name))
            file <- write_model(model, tempfile(fileext = ".h5"))
            x <- one_or_list(fixture_cases(group, name)[[1]]$inputs)
            expect_identical(predict(read_model(file), x), predict(model, x), label = paste(group, name))
            unlink(file)
        }
        expect_length(missing, 0)
    }
})
