# R/fit-model.R: training: the verb, its epochs, checkpoints and settings.

#' Train a network
#'
#' Learns the weights of a network from labelled sequences: in C, on all threads, the same numbers for a seed whatever the threads.
#' The first words are a network, sequences and their labels; all else has a sensible default.
#'
#' @section Data: Sequences longer than the model's input are cut into windows of that length, side by side, the last one aligned to the
#'   end; each is a sample with the label of its sequence. Shorter ones are left out with a warning. N and other ambiguous letters are
#'   rows of zeros. A model with two inputs of the same length gets each sequence and its reverse complement.
#' @section Training: Weights change once a batch. Batch normalization uses the mean and variance of the batch, and its moving ones
#'   move; a layer whose `trainable` is `FALSE` keeps its weights. Sigmoid and softmax belong to their loss, which reads logits. An
#'   output without activation is a logit for the cross-entropies. Definitions are those of Keras 2.15, and so are the numbers of a step,
#'   to rounding.
#' @section Checkpoints: With `checkpoint` the state is written after every epoch, first into a file beside it, then renamed, so that it
#'   is always whole. If the file is there when `fit_model()` begins, training goes on from it, and ends with the same bits as if it
#'   had never stopped.
#' @param model A [Model-class]: from [sequence_network()], or [read_model()] to go on with its weights.
#' @param x Samples: a `DNAStringSet`; FASTA files or folders of them, one for each class, named after it: `c(host = "host.fasta", phage =
#'   "phages/")`; an array `(samples, length, channels)`, or a list of arrays for several inputs; a function of a number of samples
#'   and the epoch, that returns `list(x = , y = )` of new samples; or a [motif simulation][simulate_motifs]: its recipe draws new sequences in
#'   every epoch, and its own sequences validate, unless `validation` says otherwise.
#' @param y Labels, one for each sequence: a factor or character vector of classes, in the order of the outputs (with one output the
#'   second class is 1); 0 and 1; numbers for `"mse"`; or a matrix (samples, outputs). `NULL` for files by class, functions and simulations.
#' @param epochs How often all samples are learned from.
#' @param batch_size Samples in a step.
#' @param optimizer `"adam"`, `"adamw"`, `"sgd"`, or a list of one of these and its settings: `list("sgd", momentum = 0.9, nesterov = TRUE)`,
#'   `list("adamw", weight_decay = 0.01)`, `list("adam", beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7)`.
#' @param learning_rate Size of a step.
#' @param loss `"binary_crossentropy"`, `"categorical_crossentropy"` or `"mse"`; `NULL`: the one that belongs to the last activation.
#' @param validation Samples that are not learned from: a share of the samples (0 to 1) drawn at random, or `list(x, y)`.
#' @param class_weights How much a sample of each class counts in the loss: numbers named after the classes, or `"balanced"`: classes
#'   count as if all had the same number of samples.
#' @param schedule How the learning rate changes: a function of the epoch (1, 2, ...) that gives what it is multiplied by; `"cosine"`, which
#'   falls to 0 step by step; or `"plateau"`: after 5 epochs without a lower validation loss (training loss without `validation`) it is
#'   multiplied by 0.2, and again after 5 more: `list("plateau", factor = 0.2, patience = 5)`. `NULL`: it stays.
#' @param early_stopping Epochs without a lower validation loss (training loss without `validation`), after which training ends. The
#'   result then has the weights of the best epoch. `NULL`: never.
#' @param augment_reverse_complement `TRUE`: each time a sample is learned from, a draw decides which of its strands is read.
#' @param checkpoint Path of a file (`.rds`) for the state of the training; `NULL`: none.
#' @param callbacks A list of functions of the history so far, called after every epoch; one that returns `FALSE` ends the training.
#' @param samples_per_epoch If `x` is a function or a simulation: how many samples to ask for.
#' @param seed A whole number: order of samples, strands and dropout depend on it alone. `NULL` takes one from R's generator.
#' @param threads How many threads; see [thread_count()]. The result does not depend on it.
#' @param memory_bytes How many bytes training may take besides the samples; `NULL`: the option `nucleograd.memory_bytes`, or 1e9.
#' @return A [Fit-class], which is a [Model-class].
#' @section Errors: `nucleograd_error_argument`: what is given does not fit, or a checkpoint is of another training.
#'   `nucleograd_error_unsupported`: a network with several outputs, or with a layer or setting that is not trained.
#'   `nucleograd_error_memory`: `memory_bytes` does not suffice; smaller batches need less.
#' @source Kingma and Ba (2015), arXiv:1412.6980; Loshchilov and Hutter (2019), arXiv:1711.05101; Ioffe and Szegedy (2015),
#'   arXiv:1502.03167; Srivastava et al. (2014), \url{https://jmlr.org/papers/v15/srivastava14a.html}.
#' @examples
#' letters <- function(n, share) {
#'     word <- function(i) paste(sample(c("A", "C", "G", "T"), 60, TRUE, share), collapse = "")
#'     vapply(seq_len(n), word, "")
#' }
#' x <- Biostrings::DNAStringSet(c(letters(100, c(3, 2, 2, 3)), letters(100, c(2, 3, 3, 2))))
#' network <- sequence_network(60, conv(8, 6), global_pool("average"), dense(1, "sigmoid"), seed = 1)
#' fit <- fit_model(network, x, rep(c("poor", "rich"), each = 100), epochs = 5, learning_rate = 0.01,
#'                  seed = 1)
#' fit
#' as.data.frame(fit)
#' @export
fit_model <- function(model, x, y = NULL, epochs = 10, batch_size = 32, optimizer = "adam", learning_rate = 0.001, loss = NULL,
                      validation = NULL, class_weights = NULL, schedule = NULL, early_stopping = NULL, augment_reverse_complement = FALSE,
                      checkpoint = NULL, callbacks = list(), samples_per_epoch = 1024, seed = NULL, threads = NULL, memory_bytes = NULL) {
    frame <- environment()
    check_model(model)
    epochs <- check_number(epochs, 1, 1e6)
    batch_size <- check_number(batch_size, 1, 1e6)
    method <- check_optimizer(optimizer)
    check_rate(learning_rate)
    factor_of <- check_schedule(schedule, epochs)
    if (!is.null(early_stopping)) early_stopping <- check_number(early_stopping, 1, 1e6)
    augment_reverse_complement <- check_flag(augment_reverse_complement)
    check_callbacks(callbacks)
    if (!is.null(checkpoint)) check_checkpoint_path(checkpoint)
    parts <- training_parts(model, frame)
    goal <- loss_of(model, parts, loss, frame)
    settings <- list(network = model@layers, loss = goal$loss, optimizer = method, learning_rate = learning_rate, batch_size = batch_size,
                     augment_reverse_complement = augment_reverse_complement, samples = NULL)
    saved <- if (!is.null(checkpoint) && file.exists(checkpoint)) readRDS(checkpoint)
    seed <- if (!is.null(seed)) check_number(seed, 0, .Machine$integer.max) else if (!is.null(saved)) saved$seed
            else as.numeric(sample.int(.Machine$integer.max, 1))
    run <- run_settings(threads, progress = "Training", memory_bytes = memory_bytes)
    data <- training_data(model, goal, x, y, validation, class_weights, samples_per_epoch, seed, run, frame)
    if (augment_reverse_complement) check_strands(model, frame)
    settings$samples <- data$count
    if (is.null(data$draw)) settings$sequences <- fingerprints(data)
    pointer <- .Call(C_model, parts$nodes, parts$weights, as.integer(parts$inputs), as.integer(parts$outputs), frame)
    trainer <- .Call(C_trainer, pointer, data$shapes, as.numeric(c(goal$node, goal$number, min(batch_size, data$count), seed)),
                     method$numbers, parts$trained, run, frame)
    state <- list(seed = seed, settings = settings, epoch = 0, history = NULL, best = NULL, ended = FALSE)
    if (!is.null(saved)) state <- resume(trainer, saved, state, frame)
    watched <- if (is.null(data$validation)) "loss" else "val_loss"
    while (state$epoch < epochs && !state$ended) {
        state$epoch <- state$epoch + 1
        row <- train_epoch(trainer, data, state$epoch, batch_size, learning_rate, factor_of, state$history[[watched]], goal,
                           augment_reverse_complement, seed, part_of_run(run, state$epoch, epochs), frame)
        row <- cbind(row, validate(model, trained_weights(trainer, parts), data$validation, goal, run, frame))
        state$history <- rbind(state$history, row)
        if (!is.null(early_stopping)) state <- watch(state, state$history[[watched]], trained_weights(trainer, parts), early_stopping)
        for (callback in callbacks) if (isFALSE(callback(state$history))) state$ended <- TRUE
        if (!is.null(checkpoint)) write_checkpoint(c(state, list(trainer = .Call(C_trainer_state, trainer))), checkpoint)
    }
    chosen <- if (is.null(state$best)) list(epoch = state$epoch, weights = trained_weights(trainer, parts)) else state$best
    made <- with_weights(model, chosen$weights, frame)
    new("Fit", made, history = state$history,
        training = c(settings[setdiff(names(settings), c("network", "sequences"))],
                     list(seed = seed, classes = data$classes, epoch = chosen$epoch, validation = data$validation$count)))
}

# ---- epochs ----

# Order and strands of an epoch have streams of random numbers of their own.
train_epoch <- function(trainer, data, epoch, batch_size, learning_rate, factor_of, losses, goal, augment, seed, run, frame) {
    samples <- if (is.null(data$draw)) data else data$draw(epoch)
    order <- order(.Call(C_random, seed, 2 * epoch, samples$count, 2^52))
    reversed <- if (augment) .Call(C_random, seed, 2 * epoch + 1, samples$count, 2) == 1 else logical(samples$count)
    batch <- min(batch_size, samples$count)
    steps <- ceiling(samples$count / batch)
    rates <- learning_rate * rep_len(factor_of(epoch, steps, losses), steps)
    if (!is.numeric(rates) || !all(is.finite(rates)) || any(rates < 0))
        stop_input("{.arg schedule} must give finite numbers from 0, not {friendly(rates[1])}.", call = frame)
    found <- .Call(C_train, trainer, samples[c("bases", "starts", "arrays", "targets", "weights")], order, reversed, rates, run, frame)
    if (!all(is.finite(found[, 1])))
        stop_input(c("The loss must stay finite; in epoch {epoch} it became {found[!is.finite(found[, 1]), 1][1]}.",
                     i = "Would a smaller {.arg learning_rate} do?"), class = "diverged", call = frame)
    size <- c(rep(batch, steps - 1), samples$count - batch * (steps - 1))
    named_scores(data.frame(epoch = epoch, learning_rate = rates[steps]), colSums(found * size) / samples$count, goal, "")
}

named_scores <- function(row, scores, goal, prefix) {
    row[[paste0(prefix, "loss")]] <- scores[1]
    row[[paste0(prefix, if (goal$loss == "mse") "mae" else "accuracy")]] <- scores[2]
    row
}

# By slot, each with its dims. They are large: validate() and watch() take them as promises, and leave them alone where they can.
trained_weights <- function(trainer, parts) {
    Map(function(numbers, old) structure(numbers, dims = attr(old, "dims")), .Call(C_trainer_weights, trainer), parts$weights)
}

# Scores of samples that are not learned from; the prediction's own engine reads them.
validate <- function(model, weights, samples, goal, run, frame) {
    if (is.null(samples)) return(data.frame(row.names = 1L))
    made <- with_weights(model, weights, frame)
    run[[3]] <- function(done) NULL
    z <- if (!is.null(samples$bases) && length(samples$shapes) == 1)
        .Call(C_predict_contig, made@pointer, goal$place, goal$size, samples$bases, samples$starts, samples$shapes[[1]][1], run, frame)
    else .Call(C_predict_arrays, made@pointer, goal$place, goal$size, sample_arrays(samples), samples$shapes, as.numeric(samples$count), run, frame)
    named_scores(data.frame(row.names = 1L), score_outputs(by_sample(z[[1]], samples), by_sample(samples$targets, samples), goal), goal, "val_")
}

by_sample <- function(numbers, samples) matrix(numbers, samples$count, byrow = TRUE)

# Keeps the best epoch, and ends after `patience` worse ones.
watch <- function(state, losses, weights, patience) {
    best <- which.min(losses)
    if (best == length(losses)) state$best <- list(epoch = state$epoch, weights = weights)
    if (length(losses) - best >= patience) state$ended <- TRUE
    state
}

# ---- checkpoints ----

write_checkpoint <- function(state, file) {
    half <- tempfile("checkpoint", dirname(path.expand(file)), ".rds")                            # never a file by halves
    on.exit(unlink(half))
    saveRDS(state, half)
    if (!file.rename(half, file)) stop_input(c("{.arg checkpoint} must be a file that can be written.", x = "{.file {file}} cannot."), class = "file")
}

resume <- function(trainer, saved, state, call) {
    terms <- function(state) c(state$settings, list(seed = state$seed))
    now <- terms(state)
    differs <- if (!is.list(saved) || !is.list(saved$settings)) names(now) else names(now)[!mapply(identical, terms(saved)[names(now)], now)]
    if (length(differs))
        stop_input(c("{.arg checkpoint} must be of the same training: network, samples, optimizer, learning rate, batch size and seed.",
                     x = "It was written with other {.field {differs}}.", i = "Remove the file to begin anew?"), call = call)
    .Call(C_restore_trainer, trainer, saved$trainer, call)
    saved$trainer <- NULL
    saved
}

# A number for each part of the samples that others would hardly have, from up to a million of their values.
fingerprints <- function(samples) {
    vapply(c(list(samples$bases, samples$starts, samples$targets, samples$weights), samples$arrays), function(values) {
        some <- as.numeric(values[seq(1, length(values), length.out = min(length(values), 1e6))])
        sum(some * (seq_along(some) %% 997 + 1))
    }, 0)
}

# ---- settings ----

check_rate <- function(learning_rate, call = parent.frame()) {
    if (!is.numeric(learning_rate) || length(learning_rate) != 1 || !is.finite(learning_rate) || learning_rate <= 0)
        stop_input("{.arg learning_rate} must be one positive number, not {friendly(learning_rate)}.", call = call)
}

optimizer_settings <- list(
    sgd = list(momentum = 0, nesterov = FALSE),
    adam = list(beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7),
    adamw = list(beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7, weight_decay = 0.004))

# list(name, its settings, numbers: as the core takes them)
check_optimizer <- function(optimizer, call = parent.frame()) {
    if (!is.list(optimizer)) optimizer <- list(optimizer)
    name <- if (length(optimizer)) optimizer[[1]]
    name <- check_choice(name, names(optimizer_settings), name = "optimizer", call = call)
    known <- optimizer_settings[[name]]
    given <- optimizer[-1]
    wrong <- setdiff(c(names(given), ""[is.null(names(given)) && length(given)]), names(known))
    if (length(wrong))
        stop_input("The settings of {.val {name}} are {.val {names(known)}}, not {.val {wrong[1]}}.", call = call)
    for (key in names(given)) {
        least <- if (key == "nesterov") given[[key]] %in% c(TRUE, FALSE) else is.numeric(given[[key]]) && is.finite(given[[key]]) && given[[key]] >= 0
        if (length(given[[key]]) != 1 || !least || (grepl("beta", key) && given[[key]] >= 1))
            stop_input("{.field {key}} of {.val {name}} must be {if (key == 'nesterov') 'TRUE or FALSE' else if (grepl('beta', key)) 'a number from 0 to below 1' else 'a number from 0'}, not {friendly(given[[key]])}.", call = call)
    }
    known[names(given)] <- given
    get <- function(key) if (is.null(known[[key]])) 0 else as.numeric(known[[key]])
    c(list(name = name), known, list(numbers = c(match(name, names(optimizer_settings)) - 1, get("momentum"), get("nesterov"), get("beta_1"),
                                                 get("beta_2"), get("epsilon"), get("weight_decay"))))
}

# A function of the epoch, its number of steps and the losses of the epochs before: factors of the learning rate, one or one a step.
check_schedule <- function(schedule, epochs, call = parent.frame()) {
    if (is.null(schedule)) return(function(epoch, steps, losses) 1)
    if (is.function(schedule)) return(function(epoch, steps, losses) schedule(epoch))
    if (!is.list(schedule)) schedule <- list(schedule)
    name <- check_choice(if (length(schedule)) schedule[[1]], c("cosine", "plateau"), name = "schedule", call = call)
    if (name == "plateau") return(plateau_schedule(schedule[-1], call))
    if (length(schedule) > 1) stop_input("{.val cosine} has no settings.", call = call)
    function(epoch, steps, losses) (1 + cos(pi * (epoch - 1 + (seq_len(steps) - 1) / steps) / epochs)) / 2
}

plateau_schedule <- function(given, call) {
    known <- list(factor = 0.2, patience = 5)
    wrong <- setdiff(c(names(given), ""[is.null(names(given)) && length(given)]), names(known))
    if (length(wrong)) stop_input("The settings of {.val plateau} are {.val {names(known)}}, not {.val {wrong[1]}}.", call = call)
    known[names(given)] <- given
    if (!is.numeric(known$factor) || length(known$factor) != 1 || !isTRUE(known$factor > 0 && known$factor < 1))
        stop_input("{.field factor} of {.val plateau} must be a number between 0 and 1, not {friendly(known$factor)}.", call = call)
    patience <- check_number(known$patience, 1, 1e6, name = "patience", call = call)
    function(epoch, steps, losses) known$factor^plateaus(losses, patience)
}

# How often the losses did not fall for so many epochs in a row.
plateaus <- function(losses, patience) {
    best <- Inf
    waited <- times <- 0
    for (loss in losses) {
        waited <- if (loss < best) 0 else waited + 1
        best <- min(best, loss)
        if (waited == patience) {
            times <- times + 1
            waited <- 0
        }
    }
    times
}

check_callbacks <- function(callbacks, call = parent.frame()) {
    if (!is.list(callbacks) || !all(vapply(callbacks, is.function, NA)))
        stop_input("{.arg callbacks} must be a list of functions, not {friendly(callbacks)}.", call = call)
}

check_checkpoint_path <- function(checkpoint, call = parent.frame()) {
    if (!is.character(checkpoint) || length(checkpoint) != 1 || is.na(checkpoint))
        stop_input("{.arg checkpoint} must be the path of one file, not {friendly(checkpoint)}.", call = call)
    if (!dir.exists(dirname(checkpoint)) || file.access(dirname(checkpoint), 2) != 0)
        stop_input(c("{.arg checkpoint} must be in a folder that can be written.", x = "{.file {dirname(checkpoint)}} cannot."),
                   class = "file", call = call)
}
