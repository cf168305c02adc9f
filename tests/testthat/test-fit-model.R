# conv(), dense() and flatten() by their full names: helper-naive.R has others.
fit_letters <- function(n, length_bp, share) {
    apply(matrix(sample(c("A", "C", "G", "T"), n * length_bp, TRUE, share), n), 1, paste, collapse = "")
}
set.seed(20)
fit_x <- Biostrings::DNAStringSet(c(fit_letters(40, 50, c(3, 2, 2, 3)), fit_letters(40, 50, c(2, 3, 3, 2))))
fit_y <- rep(c("poor", "rich"), each = 40)
fit_network <- sequence_network(50, nucleograd::conv(16, 6), batch_norm(), pool(2), dropout(0.2), nucleograd::conv(8, 4, "tanh", "valid"),
                                lstm(5), nucleograd::dense(1, "sigmoid"), seed = 3)
fit_short <- function(model = fit_network, x = fit_x, y = fit_y, epochs = 3, batch_size = 20, seed = 7, ...)
    fit_model(model, x, y, epochs = epochs, batch_size = batch_size, seed = seed, ...)
fit_weights <- function(model) trainable_network(model, NULL)$weights
fit_one_hot <- function(x) {
    rows <- function(letters) outer(strsplit(letters, "")[[1]], c("A", "C", "G", "T"), `==`) + 0
    aperm(vapply(as.character(x), rows, matrix(0, 50, 4)), c(3, 1, 2))
}

test_that("a network learns what its classes differ in, on sequences it has not seen", {
    motif <- function(n, with) {
        x <- fit_letters(n, 50, rep(1, 4))
        at <- sample(38, n, TRUE)
        if (with) substr(x, at, at + 7) <- "TTGACAAT"
        x
    }
    x <- Biostrings::DNAStringSet(c(motif(400, FALSE), motif(400, TRUE)))
    network <- sequence_network(50, nucleograd::conv(16, 8), global_pool(), nucleograd::dense(1, "sigmoid"), seed = 1)
    fit <- fit_model(network, x, rep(0:1, each = 400), epochs = 20, learning_rate = 0.01, validation = 0.25, seed = 1)
    history <- as.data.frame(fit)
    expect_gt(history$val_accuracy[20], 0.97)
    expect_lt(history$loss[20], history$loss[1] / 4)
    expect_equal(fit@training$validation, 200)
})

test_that("threads change no bit, a seed says all", {
    one <- fit_short(threads = 1, validation = 0.2, augment_reverse_complement = TRUE)
    two <- fit_short(threads = 2, validation = 0.2, augment_reverse_complement = TRUE)
    expect_identical(fit_weights(one), fit_weights(two))
    expect_identical(one@history, two@history)
    expect_false(identical(fit_weights(one), fit_weights(fit_short(seed = 8, validation = 0.2, augment_reverse_complement = TRUE))))
})

test_that("sequences, arrays and files by class are the same samples", {
    wanted <- fit_short()
    expect_identical(fit_weights(fit_short(x = fit_one_hot(fit_x))), fit_weights(wanted))
    folder <- tempfile("class")
    dir.create(folder)
    files <- c(poor = tempfile(fileext = ".fasta"), rich = folder)
    names(fit_x) <- paste0("s", seq_along(fit_x))
    Biostrings::writeXStringSet(fit_x[1:40], files[[1]])
    Biostrings::writeXStringSet(fit_x[41:60], file.path(folder, "a.fasta"))
    Biostrings::writeXStringSet(fit_x[61:80], file.path(folder, "b.fa"))
    found <- fit_short(x = files, y = NULL)
    expect_identical(fit_weights(found), fit_weights(wanted))
    expect_identical(found@training$classes, c("poor", "rich"))
    drawn <- fit_short(x = function(n, epoch) list(x = fit_x[seq_len(n)], y = fit_y[seq_len(n)]), y = NULL, samples_per_epoch = 80)
    expect_identical(fit_weights(drawn), fit_weights(wanted))
})

test_that("a simulation draws new sequences in every epoch, and validates with its own", {
    sim <- simulate_motifs("TTCAGCAC", 60, 50, jitter = 5, seed = 1)
    fit <- fit_short(x = sim, y = NULL, epochs = 2, samples_per_epoch = 40)
    drawn <- lapply(0:1, function(epoch) draw_simulation(sim$recipe, c(7, 0), 3L, epoch * 40, 40, run_settings(NULL)))
    expect_false(any(drawn[[2]]$x %in% c(drawn[[1]]$x, as.character(sim$x))))
    wanted <- fit_short(x = function(n, epoch) list(x = Biostrings::DNAStringSet(drawn[[epoch]]$x), y = drawn[[epoch]]$positive + 0), y = NULL,
                        epochs = 2, samples_per_epoch = 40, validation = list(sim$x, sim$y))
    expect_identical(fit@history, wanted@history)
    expect_identical(fit_weights(fit), fit_weights(wanted))
    expect_error(fit_short(x = sim), "knows its labels", class = "nucleograd_error_argument")
})

test_that("long sequences are cut into windows, short ones are left out", {
    pairs <- Biostrings::xscat(fit_x[1:40], fit_x[41:80])
    expect_warning(fit <- fit_short(x = c(pairs, Biostrings::DNAStringSet("ACGT")), y = c(fit_y[1:40], "rich"), epochs = 1),
                   class = "nucleograd_warning_short")
    expect_equal(fit@training$samples, 80)
})

test_that("training that was stopped goes on with the same bits", {
    file <- tempfile(fileext = ".rds")
    whole <- fit_short(epochs = 4, validation = 0.2, early_stopping = 10)
    expect_error(fit_short(epochs = 4, validation = 0.2, early_stopping = 10, checkpoint = file,
                           callbacks = list(function(history) if (nrow(history) == 3) stop("power cut"))), "power cut")
    resumed <- fit_short(epochs = 4, validation = 0.2, early_stopping = 10, checkpoint = file, seed = NULL)
    expect_identical(resumed@history, whole@history)
    expect_identical(fit_weights(resumed), fit_weights(whole))
    expect_error(fit_short(batch_size = 10, checkpoint = file, validation = 0.2, seed = NULL), "other batch_size", class = "nucleograd_error_argument")
    expect_error(fit_short(x = rev(fit_x), checkpoint = file, validation = 0.2, seed = NULL), "other sequences", class = "nucleograd_error_argument")
})

test_that("early stopping returns the best epoch, callbacks can end", {
    fit <- fit_short(epochs = 12, learning_rate = 0.3, validation = 0.3, early_stopping = 2)
    expect_equal(fit@training$epoch, which.min(fit@history$val_loss))
    expect_equal(nrow(fit@history), min(12, fit@training$epoch + 2))
    expect_equal(nrow(fit_short(callbacks = list(function(history) nrow(history) < 2))@history), 2)
})

test_that("schedules multiply the learning rate", {
    expect_equal(fit_short(schedule = function(epoch) 1 / epoch)@history$learning_rate, 0.001 / 1:3)
    expect_equal(fit_short(schedule = "cosine")@history$learning_rate[3], 0.001 * (1 + cos(pi * 11 / 12)) / 2)
    expect_equal(plateaus(c(3, 2, 2, 2.5, 1, 1, 1, 1), 2), 2)                   # 2 and 2.5 are no lower than 2; two pairs of 1
    expect_equal(plateaus(NULL, 1), 0)
    waiting <- fit_short(schedule = list("plateau", factor = 0.5, patience = 1), learning_rate = 0.3, epochs = 12)@history
    fell <- diff(c(Inf, cummin(waiting$loss))) < 0
    expect_equal(waiting$learning_rate, 0.3 * 0.5^c(0, cumsum(!fell)[-12]))
    expect_true(any(!fell))
    expect_error(fit_short(schedule = list("plateau", factor = 2)), class = "nucleograd_error_argument")
    expect_error(fit_short(schedule = list("plateau", wait = 2)), class = "nucleograd_error_argument")
})

test_that("class weights stand for copies of samples", {
    plain <- sequence_network(50, nucleograd::conv(8, 6), global_pool("average"), nucleograd::dense(2, "softmax"), seed = 2)
    uneven <- c(1:40, 41:60)
    one <- function(...) fit_short(plain, epochs = 1, batch_size = 80, optimizer = "sgd", ...)
    weighted <- one(fit_x[uneven], fit_y[uneven], class_weights = c(poor = 1, rich = 2), learning_rate = 0.06)
    copied <- one(fit_x[c(uneven, 41:60)], fit_y[c(uneven, 41:60)], learning_rate = 0.08)                   # a mean over 80, not 60
    expect_equal(fit_weights(weighted), fit_weights(copied), tolerance = 1e-5)                               # sums of floats in another order
    balanced <- one(fit_x[uneven], fit_y[uneven], class_weights = "balanced", learning_rate = 0.08)
    expect_equal(fit_weights(balanced), fit_weights(copied), tolerance = 1e-5)
})

test_that("validation scores are those of prediction", {
    y <- as.numeric(fit_y == "rich")
    fit <- fit_short(y = y, validation = list(fit_x, y))
    p <- predict(fit, fit_one_hot(fit_x))[, 1]
    expect_equal(fit@history$val_loss[3], -mean(log(ifelse(y == 1, p, 1 - p))), tolerance = 1e-5)
    expect_equal(fit@history$val_accuracy[3], mean((p > 0.5) == y))
})

test_that("a model of two inputs reads both strands", {
    both <- initialize_weights(example_architecture("architect_5"), seed = 1)
    x <- Biostrings::DNAStringSet(rep(paste0(strrep("AACGT", 20), strrep("GATTC", 10)), 6))
    given <- sample_arrays(sequence_samples(both, x, NULL))
    letters <- function(numbers) apply(array(numbers, c(4, 150, 6)), 3, function(rows) {
        paste(c("A", "C", "G", "T")[apply(rows == 1, 2, which)], collapse = "")
    })
    expect_identical(lapply(given, letters), lapply(list(x, Biostrings::reverseComplement(x)), function(x) unname(as.character(x))))
    y <- matrix(rep(c(1, 0, 0), each = 6), 6)
    fit <- fit_model(both, x, y, loss = "mse", epochs = 1, batch_size = 6, seed = 1, validation = list(x, matrix(0, 6, 3)))
    expect_lt(as.data.frame(fit)$loss, 1)
})

test_that("weights begin as in Keras", {
    network <- sequence_network(50, nucleograd::conv(64, 12), batch_norm(), lstm(20), nucleograd::dense(3, "softmax"), seed = 5)
    weights <- fit_weights(network)
    limit <- sqrt(6 / (12 * (4 + 64)))
    expect_true(all(abs(weights[[1]]) <= limit) && max(abs(weights[[1]])) > 0.99 * limit)
    expect_true(all(weights[[2]] == 0) && all(weights[[3]] == 1) && all(weights[[4]] == 0))
    recurrent <- matrix(weights[[8]], 20, byrow = TRUE)
    expect_equal(tcrossprod(recurrent), diag(20), tolerance = 1e-6)
    expect_equal(as.vector(weights[[9]]), rep(c(0, 1, 0, 0), each = 20))
    expect_identical(weights, fit_weights(initialize_weights(fit_short(network, y = rep(0:2, length.out = 80), epochs = 1), seed = 5)))
})

test_that("a trained network is a network: it is written, read and explained", {
    skip_if_not_installed("rhdf5")
    fit <- fit_short()
    again <- read_model(write_model(fit, tempfile(fileext = ".h5")))
    expect_identical(predict(again, fit_one_hot(fit_x)), predict(fit, fit_one_hot(fit_x)))
    names(fit_x) <- paste0("s", seq_along(fit_x))
    expect_s4_class(attribution(fit, fit_x[1:2], nodes = 5), "Attribution")
    skip_if_not_installed("ggplot2")
    expect_s3_class(plot(fit), "ggplot")
})

test_that("messages say what was wrong, what was given and what is allowed", {
    expect_snapshot(error = TRUE, {
        fit_short(optimizer = "lbfgs")
        fit_short(optimizer = list("sgd", beta_1 = 0.5))
        fit_short(loss = "categorical_crossentropy")
        fit_short(y = fit_y[1:3])
        fit_short(y = rep(c("a", "b", "c", "d"), 20))
        fit_short(class_weights = c(poor = 1))
        fit_short(validation = 2)
        fit_short(x = Biostrings::DNAStringSet(rep("ACGT", 80)))
        fit_short(learning_rate = -1)
        fit_short(schedule = function(epoch) NA)
        sequence_network(50, nucleograd::conv(8, 3), 3)
        sequence_network(50, nucleograd::dense(3), nucleograd::flatten(), pool(2))
    })
    expect_snapshot(print(nucleograd::conv(8, 3)))
    expect_error(fit_short(memory_bytes = 1e5), class = "nucleograd_error_memory")
    expect_error(fit_short(learning_rate = 1e30, optimizer = "sgd"), class = "nucleograd_error_diverged")
})
