# Training beside Keras 2.15 (data-raw/training): the same network, the same samples in the same order.

keras_training <- function(name) {
    skip_if_not_installed("rhdf5")
    case <- jsonlite::fromJSON(test_path("fixtures", "training", paste0(name, ".json")))
    files <- test_path("fixtures", "training", paste0(name, c(".h5", ".step.h5")))
    c(case, list(model = read_model(files[1]), after = read_model(files[2])))
}

# All samples in each of so many steps. list(losses, weights, names): as they are at last, by weight, and those that are trained.
keras_steps <- function(case, optimizer, rate, steps, threads = 2) {
    frame <- environment()
    parts <- training_parts(case$model, frame)
    goal <- loss_of(case$model, parts, NULL, frame)
    x <- Biostrings::DNAStringSet(case$sequences)
    data <- training_data(case$model, goal, x, case$y, NULL, NULL, NULL, 1, frame)
    pointer <- .Call(C_model, parts$nodes, parts$weights, as.integer(parts$inputs), as.integer(parts$outputs), frame)
    trainer <- .Call(C_trainer, pointer, data$shapes, as.numeric(c(goal$node, goal$number, data$count, 1)), check_optimizer(optimizer)$numbers,
                     parts$trained, run_settings(threads), frame)
    losses <- vapply(seq_len(steps), function(step) {
        .Call(C_train, trainer, data[c("bases", "starts", "arrays", "targets", "weights")], seq_len(data$count), logical(data$count), rate,
              run_settings(threads), frame)[1]
    }, 0)
    list(losses = losses, weights = lapply(trained_weights(trainer, parts), as.vector))
}

keras_weights <- function(model) lapply(trainable_network(model, NULL)$weights, as.vector)

expect_step <- function(name, optimizer, rate) {
    case <- keras_training(name)
    found <- keras_steps(case, optimizer, rate, 1)
    expect_equal(found$losses, case$losses[1], tolerance = 1e-6)
    before <- keras_weights(case$model)
    wanted <- keras_weights(case$after)
    moved <- mapply(function(a, b) max(abs(a - b)), wanted, before)
    off <- mapply(function(a, b) max(abs(a - b)), found$weights, wanted)
    expect_lt(max(off), 1e-5)
    expect_lt(max(off / pmax(moved, 1e-4)), 1e-3)
    expect_lte(sum(moved < 1e-5), name == "others")                            # but for the bias of keys, which softmax ignores
}

test_that("a step of Adam, with batch normalization, is that of Keras", {
    expect_step("cnn", "adam", 0.003)
})
test_that("a step of AdamW through LSTM and GRU is that of Keras", {
    expect_step("recurrent", list("adamw", weight_decay = 0.05), 0.01)
})
test_that("a step along the gradient of attention and convolutions of all kinds is that of Keras", {
    expect_step("others", list("sgd", momentum = 0.9, nesterov = TRUE), 0.02)
})

test_that("losses of many steps follow those of Keras", {
    follow <- function(name, ...) {
        case <- keras_training(name)
        expect_lt(max(abs(keras_steps(case, ..., steps = length(case$losses))$losses - case$losses)), 1e-3)
    }
    follow("cnn", "adam", 0.003)                                               # 100 of them
    follow("recurrent", list("adamw", weight_decay = 0.05), 0.01)
    follow("others", list("sgd", momentum = 0.9, nesterov = TRUE), 0.02)
})
