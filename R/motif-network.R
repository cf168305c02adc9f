# R/motif-network.R: the motif network: what it takes, how it is trained.

#' A network whose parts can be read
#'
#' Trains a classifier of DNA made to be read: a few filters become motifs, attention heads point at the places where the network uses
#' them. [motifs()] and [hits()] read it.
#'
#' Filters of `width` bases scan the sequence; batch normalization follows the ReLU, and a position is known by sines and cosines. Each
#' layer asks one question per head: a query, made from the stream, weighs all positions by softmax; what it read goes through a small
#' dense layer and is added to the stream. The answer is linear in the stream. There is no masking and no other path.
#'
#' The loss is the cross-entropy plus three terms whose weights follow a [motif_schedule()]: an overlap loss (where one filter wins, no
#' other may put weight on the same bases), the sum of the absolute filter weights, and the entropy of the attention. Without the first
#' two, filters answer questions but look like nothing. Prediction is stable over seeds, completeness of the motifs is not: hence
#' `restarts`, of which the lowest validation loss is kept (within 0.002, the one with more motifs), but one without a motif only if all are.
#' The last epoch is the model.
#'
#' The score that the publication describes compares the query with keys; its published results come from comparing it with values:
#' `score = "value"`, the default. The default schedule stays warm three times as long as the published one, `"paper"`: the ramp freezes
#' what was found, and filters that are not in use by then die. For order and spacing of several motifs
#' `motif_network(..., layers = 2, score = "key", key = "linear", tie_strands = TRUE)` found all motifs most often; see
#' `tools/bench motif-network` in the sources.
#'
#' Results depend on `seed`, never on threads.
#' @param x Sequences of one length: a `DNAStringSet` or character; or a [motif simulation][simulate_motifs], without `y`: its recipe
#'   draws new sequences in every epoch, and its own sequences validate.
#' @param y One value a sequence: 0 and 1, logical, a factor or text of two classes (the second is 1), probabilities, or any
#'   numbers for `task = "regression"`.
#' @param validation The share of sequences that validate, drawn at random, or `list(x, y)`.
#' @param filters,width How many filters, 1 to 32, and their bases, 4 to 25 and at most half the length. A motif takes two filters, one a
#'   strand.
#' @param layers,heads,dim,positions,stream,hidden Layers; heads of each (they divide `dim`); width of tokens; features of position (an
#'   even number); width of the stream; of the hidden layer.
#' @param score,key What the query is compared with: the token's value, or a key: the token itself, or a linear map of it.
#' @param tie_strands Filters come in pairs, each the reverse complement of the other. A pair does not compete with itself, so that it could fire
#'   everywhere at no cost: while the L1 loss acts, a bias above 0 falls by the learning rate a step.
#' @param mask_silent Positions where no filter fires are left out of the overlap loss; else they count for the first filter.
#' @param init_filters Motifs (4 x k matrices, k at most `width`) that the first filters begin as, both strands; `train_filters = FALSE`
#'   keeps them as they are.
#' @param train_filters Whether filters are trained.
#' @param task `"binary"`, or `"regression"`: squared error of the standardised response.
#' @param schedule `"thorough"`, `"paper"`, `"chip"`, `"quick"`, or a [motif_schedule()].
#' @param batches Batches an epoch, of a simulation; else an epoch is one pass.
#' @param batch Sequences a batch, mirrored ones included.
#' @param lr,clip Learning rate of Adam, and the gradient's largest norm.
#' @param augment_rc Half of a batch are the reverse complements of the other half.
#' @param balance Half of a batch are positive.
#' @param early_stop Stop in the last phase once no epoch of three lowers the validation loss by 0.001.
#' @param restarts How often to train.
#' @param cut Attention from which a position counts as read, for [hits()].
#' @param precision Numbers the network computes in.
#' @param checkpoint A file that is written after every epoch; with `resume = TRUE` a file of the same settings is continued, and the result is
#'   that of an uninterrupted run, bit for bit.
#' @param resume Whether to continue from `checkpoint`.
#' @param seed A whole number; `NULL`: one draw of R's generator.
#' @param threads Threads; see [thread_count()].
#' @param verbose Show progress.
#' @return A `motif_network`: see [motif_network-class].
#' @section Errors: `nucleograd_error_argument`: sequences of several lengths, sizes or labels that cannot be.
#'   `nucleograd_error_checkpoint`: the checkpoint was written with other settings. `nucleograd_error_training`: every restart
#'   failed. Warnings: `nucleograd_warning_no_motif`, `nucleograd_warning_warm`.
#' @source Tseng and others (2024), \doi{10.48550/arXiv.2410.06211}. Tied filters, linear keys, `mask_silent`, restarts, the schedules but
#'   `"paper"` and `"chip"`, regression and the tests of spacing are of this package.
#' @examples
#' sim <- simulate_motifs("TTCAGCAC", n = 200, length = 100, jitter = 20, strand = "both", seed = 1)
#' fit <- motif_network(sim, filters = 4, positions = 8, dim = 16, heads = 2, hidden = 16,
#'                      stream = 32, batches = 20, batch = 64,
#'                      schedule = motif_schedule(5, 5, 2), restarts = 1, seed = 1)
#' fit
#' @export
motif_network <- function(x, y = NULL, validation = 0.1, filters = 8, width = 10, layers = 1, heads = 4, dim = 32, positions = 16, stream = 128,
                          hidden = 32, score = c("value", "key"), key = c("identity", "linear"), tie_strands = FALSE, mask_silent = FALSE,
                          init_filters = NULL, train_filters = TRUE, task = c("binary", "regression"), schedule = "thorough", batches = 100,
                          batch = 128, lr = 1e-3, clip = 1, augment_rc = TRUE, balance = FALSE, early_stop = FALSE, restarts = 3, cut = 0.9,
                          precision = c("float32", "float64"), checkpoint = NULL, resume = TRUE, seed = NULL, threads = NULL,
                          verbose = interactive()) {
    frame <- environment()
    settings <- list(filters = check_number(filters, 1, 32), width = check_number(width, 4, 25), layers = check_number(layers, 1, 16),
                     heads = check_number(heads, 1, 32), dim = check_number(dim, 1, 1024), positions = check_number(positions, 2, 1024),
                     stream = check_number(stream, 1, 4096), hidden = check_number(hidden, 1, 4096),
                     score = check_choice(score, c("value", "key")), key = check_choice(key, c("identity", "linear")),
                     tie_strands = check_flag(tie_strands), mask_silent = check_flag(mask_silent), train_filters = check_flag(train_filters),
                     task = check_choice(task, c("binary", "regression")), schedule = check_motif_schedule(schedule, frame),
                     batches = check_number(batches, 1, 8000), batch = check_number(batch, 2, 4096), lr = check_positive(lr),
                     clip = check_positive(clip),
                     augment_rc = check_flag(augment_rc), balance = check_flag(balance), early_stop = check_flag(early_stop),
                     cut = check_positive(cut, 0.05, 1), precision = check_choice(precision, c("float32", "float64")))
    restarts <- check_number(restarts, 1, 1000)
    check_flag(resume)
    if (!is.null(checkpoint)) checkpoint <- path.expand(check_text(checkpoint))
    start <- if (is.null(seed) && resume && !is.null(checkpoint) && file.exists(checkpoint)) readRDS(checkpoint)$key else draw_key(seed)
    data <- motif_data(x, y, validation, settings, start, frame)
    settings$length <- data$length
    settings$response <- data$response
    check_motif_sizes(settings, frame)
    begin <- if (!is.null(init_filters)) preset_filters(check_pwms(init_filters, "init_filters", frame, widest = settings$width), settings, frame)
    training <- list(settings = settings, data = data, begin = begin, checkpoint = checkpoint, resume = resume, restarts = restarts)
    run <- run_settings(threads, progress = if (check_flag(verbose)) "Training")
    fits <- train_restarts(training, start, run, frame)
    new_motif_network(fits, training, run, frame)
}

#' Schedules of a motif network
#'
#' How the weights of the losses change over the epochs of [motif_network()]: none while the network is warm; then `ramp` epochs over
#' which weights rise evenly in the exponent; then `hold` epochs at the highest.
#'
#' | name | warm, ramp, hold | overlap | l1 | learning rate |
#' | --- | --- | --- | --- | --- |
#' | `"thorough"`, the default of [motif_network()] | 30, 20, 10 | as paper | as paper | a tenth in the last 5 epochs |
#' | `"paper"` | 10, 20, 10 | 10^0.5 to 10^5 | 10^-3 to 10^-2 | as given |
#' | `"chip"` | 10, 20, 10 | 10^0.5 to 10^4 | 10^-4 to 10^-3 | as given |
#' | `"quick"` | 4, 8, 3 | as paper | as paper | as given |
#'
#' The ramp mostly freezes what the warm phase has found.
#' @param warm,ramp,hold Epochs of each phase. `warm = "auto"`: until five epochs lower the validation loss by less than 1 %, at most 40.
#' @param overlap,l1 Exponents of 10 at the beginning and at the end of the ramp.
#' @param entropy The weight of the attention's entropy, in all epochs.
#' @param decay How many of the last epochs have a tenth of the learning rate.
#' @return A `motif_schedule`.
#' @section Errors: `nucleograd_error_argument`.
#' @examples
#' motif_schedule()
#' @export
motif_schedule <- function(warm = 10, ramp = 20, hold = 10, overlap = c(0.5, 5), l1 = c(-3, -2), entropy = 0, decay = 0) {
    if (!identical(warm, "auto")) warm <- check_number(warm, 0, 4000)
    exponents <- function(x, name, call = parent.frame()) {
        if (is.numeric(x) && length(x) == 2 && all(is.finite(x))) return(as.numeric(x))
        given <- friendly(x)
        stop_input("{.arg {name}} must be two exponents of 10, not {given}.", call = call)
    }
    structure(list(warm = warm, ramp = check_number(ramp, 0, 4000), hold = check_number(hold, 0, 4000), overlap = exponents(overlap, "overlap"),
                   l1 = exponents(l1, "l1"), entropy = check_positive(entropy, 0, open = FALSE), decay = check_number(decay, 0, 4000)),
              class = "motif_schedule")
}

#' @rdname motif_schedule
#' @param x A `motif_schedule`.
#' @param ... Not used.
#' @export
print.motif_schedule <- function(x, ...) {
    cat("Schedule: ", x$warm, if (is.numeric(x$warm)) " epochs", " warm, ", x$ramp, " ramp, ", x$hold, " hold; overlap 10^", x$overlap[1], " to 10^",
        x$overlap[2], ", l1 10^", x$l1[1], " to 10^", x$l1[2], if (x$entropy > 0) paste0(", entropy ", x$entropy),
        if (x$decay > 0) paste0("; last ", x$decay, " epochs at a tenth of the learning rate"), "\n", sep = "")
    invisible(x)
}

check_motif_schedule <- function(schedule, call) {
    if (inherits(schedule, "motif_schedule")) return(schedule)
    switch(check_choice(schedule, c("thorough", "paper", "chip", "quick"), call = call),
           paper = motif_schedule(), chip = motif_schedule(overlap = c(0.5, 4), l1 = c(-4, -3)),
           thorough = motif_schedule(warm = 30, decay = 5), quick = motif_schedule(4, 8, 3))
}

# Weights of an epoch (from 0) when the ramp begins at epoch ramp_at: c(overlap, l1, entropy, share of the learning rate).
schedule_weights <- function(schedule, epoch, ramp_at) {
    step <- epoch - ramp_at
    rise <- function(exponents) if (step < 0) 0 else 10^(if (step >= schedule$ramp) exponents[2]
                                                         else seq(exponents[1], exponents[2], length.out = schedule$ramp)[step + 1])
    late <- is.finite(ramp_at) && epoch >= ramp_at + schedule$ramp + schedule$hold - schedule$decay
    c(rise(schedule$overlap), rise(schedule$l1), schedule$entropy, if (late) 0.1 else 1)
}

# ---- what is learned from ----

motif_data <- function(x, y, validation, settings, key, call) {
    if (inherits(x, "motif_simulation")) {
        if (!is.null(y)) stop_input("{.arg y} must be missing for a simulation, which knows its labels.", call = call)
        own <- sequence_codes(x$x, call)
        recipe <- x$recipe
        return(list(length = recipe$length, response = c(0, 1),
                    train = list(recipe = recipe, batches = settings$batches, codes = raw(), y = numeric(), balance = FALSE),
                    validation = list(codes = own$code, y = x$y)))
    }
    all <- labelled_codes(x, y, "y", settings, call)
    response <- if (settings$task == "regression") c(mean(all$y), stats::sd(all$y)) else c(0, 1)
    if (response[2] == 0) stop_input("{.arg y} must not be constant.", call = call)
    if (is.list(validation) && length(validation) == 2) {
        check <- labelled_codes(validation[[1]], validation[[2]], "validation[[2]]", settings, call)
        if (check$length != all$length)
            stop_input("All sequences must have the same length; {.arg x} has {all$length} bases and {.arg validation} {check$length}.", call = call)
        chosen <- integer()
    } else {
        share <- check_positive(validation, 0, 1, call = call)
        chosen <- draw_some(length(all$y), max(1, round(share * length(all$y))), key)
        check <- subset_codes(all, chosen)
    }
    train <- subset_codes(all, setdiff(seq_along(all$y), chosen))
    if (length(train$y) < settings$batch)
        stop_input("{.arg x} must have at least {settings$batch} sequences to train on, one {.arg batch}, not {length(train$y)}.", call = call)
    if (settings$task == "binary" && length(unique(train$y > 0.5)) == 1L) stop_input("{.arg y} has only one class.", call = call)
    scaled <- function(y) (y - response[1]) / response[2]
    list(length = all$length, response = response,
         train = list(recipe = NULL, batches = 0, codes = train$codes, y = scaled(train$y), balance = settings$balance),
         validation = list(codes = check$codes, y = scaled(check$y)))
}

# `size` of 1..n, the same for a key.
draw_some <- function(n, size, key) {
    sort(order(.Call(C_random, key[1] + key[2], 0, as.numeric(n), 2^52))[seq_len(size)])
}

subset_codes <- function(all, rows) {
    codes <- matrix(all$codes, all$length)
    list(codes = as.vector(codes[, rows]), y = all$y[rows], length = all$length)
}

labelled_codes <- function(x, y, name, settings, call) {
    codes <- sequence_codes(x, call)
    bases_each <- range(codes$length_bp)
    if (bases_each[1] != bases_each[2])
        stop_input(c("All sequences must have the same length; found {bases_each[1]} to {bases_each[2]}.",
                     i = "Use windows of one width."), call = call)
    if (is.null(y)) stop_input("{.arg y} must hold a value for each sequence.", call = call)
    y <- check_response(if (is.character(y)) factor(y) else y, length(codes$length_bp), call)
    if (settings$task == "binary" && any(y < 0 | y > 1)) {
        at <- which(y < 0 | y > 1)[1]
        stop_input("{.arg {name}} must be 0/1 or probabilities; found {y[at]} at {at}.", call = call)
    }
    unknown <- colSums(matrix(codes$code == as.raw(4), bases_each[1]))
    if (any(unknown > 0.2 * bases_each[1])) {
        at <- which(unknown > 0.2 * bases_each[1])[1]
        stop_input("Sequences must have at most 20 % letters outside ACGT; {codes$names[at]} has {unknown[at]} of {bases_each[1]}.", call = call)
    }
    if (any(unknown > 0)) {
        total <- sum(unknown)
        sequences <- sum(unknown > 0)
        cli::cli_warn("{total} letter{?s} outside ACGT in {sequences} sequence{?s} are treated as unknown.",
                      class = c("nucleograd_warning_letters", "nucleograd_warning"), call = call)
    }
    list(codes = codes$code, y = y, length = as.numeric(bases_each[1]))
}

check_motif_sizes <- function(s, call) {
    refuse <- function(what, value, rule) stop_input("{what} = {value} is not allowed: {rule}.", call = call)
    if (s$width > s$length / 2) refuse("width", s$width, paste0("at most half of the length, ", s$length))
    if (s$dim %% s$heads != 0) refuse("heads", s$heads, paste0("it must divide dim = ", s$dim))
    if (s$positions %% 2 != 0) refuse("positions", s$positions, "an even number")
    if (s$tie_strands && s$filters %% 2 != 0) refuse("filters", s$filters, "an even number, if strands are tied")
    if (s$augment_rc && s$batch %% 2 != 0) refuse("batch", s$batch, "an even number, if half of it is mirrored")
}

# Filters that score 1 on their best window: (free, W, 4) and what to do with them.
preset_filters <- function(pwms, s, call) {
    strands <- if (s$tie_strands) 1 else 2
    if (length(pwms) * 2 > s$filters)
        stop_input("{.arg filters} must be at least {length(pwms) * 2} for {length(pwms)} motif{?s} on both strands, not {s$filters}.", call = call)
    unlist(lapply(pwms, function(pwm) {
        value <- log((pwm + 0.01) / 0.26)
        value <- value / sum(apply(value, 2, max))
        left <- (s$width - ncol(pwm)) %/% 2
        padded <- matrix(0, 4, s$width)
        padded[, left + seq_len(ncol(pwm))] <- value
        list(padded, reverse_complement(padded))[seq_len(strands)]
    }), recursive = FALSE)
}

# ---- training ----

# The key of a restart.
restart_key <- function(key, restart) {
    low <- key[1] + restart
    c(low %% 2^32, (key[2] + low %/% 2^32) %% 2^32)
}

train_restarts <- function(training, key, run, frame) {
    saved <- read_motif_checkpoint(training, key, frame)
    done <- saved$done
    current <- saved$current
    for (restart in seq_len(training$restarts)) {
        if (restart <= length(done)) next
        save <- function(state) write_motif_checkpoint(training, list(key = key, done = done, current = state))
        fit <- train_once(training, restart_key(key, restart), current, part_of_run(run, restart, training$restarts), save, frame)
        current <- NULL
        done <- c(done, list(fit))
        write_motif_checkpoint(training, list(key = key, done = done, current = NULL))
    }
    list(key = key, fits = done[seq_len(training$restarts)])
}

train_once <- function(training, key, current, run, save, frame) {
    settings <- training$settings
    schedule <- settings$schedule
    if (is.null(current)) {
        state <- core_start(settings, key)
        if (!is.null(training$begin)) state <- put_filters(state, training$begin, settings)
        ramp_at <- if (identical(schedule$warm, "auto")) Inf else schedule$warm
        current <- list(state = state, trace = NULL, ramp_at = ramp_at, skipped = 0, dead = FALSE, failure = NULL)
    }
    data <- c(training$data$train, list(mirror = settings$augment_rc, batch = settings$batch))
    longest <- (if (identical(schedule$warm, "auto")) 40 else schedule$warm) + schedule$ramp + schedule$hold
    repeat {
        epoch <- NROW(current$trace)
        if (epoch >= current$ramp_at + schedule$ramp + schedule$hold || current$dead || !is.null(current$failure)) break
        weights <- schedule_weights(schedule, epoch, current$ramp_at)
        began <- proc.time()[["elapsed"]]
        result <- tryCatch(core_train(settings, current$state, data, c(weights[1:3], weights[4] * settings$lr, settings$clip), epoch, key,
                                      part_of_run(run, epoch + 1, longest), frame), nucleograd_error_input = identity)
        if (inherits(result, "condition")) {
            current$failure <- conditionMessage(result)
            break
        }
        current$state <- result$state
        logit <- core_inside(settings, current$state, training$data$validation$codes, character(), quiet_run(run), frame)$logit
        check <- validation_loss(logit, training$data$validation$y, settings$task)
        current$trace <- rbind(current$trace, data.frame(
            epoch = epoch + 1, fit = result$loss[2], overlap = result$loss[3], l1 = result$loss[4], entropy = result$loss[5],
            validation = check[1], accuracy = check[2], overlap_weight = weights[1], l1_weight = weights[2], entropy_weight = weights[3],
            rate = weights[4] * settings$lr, skipped = result$skipped, seconds = proc.time()[["elapsed"]] - began))
        current$dead <- result$highest_mean == 0
        if (is.infinite(current$ramp_at) && warm_enough(current$trace$validation)) current$ramp_at <- epoch + 1
        if (settings$early_stop && epoch >= current$ramp_at + schedule$ramp && settled(current$trace$validation)) current$ramp_at <- -Inf
        save(current)
    }
    current[c("state", "trace", "dead", "failure")]
}

quiet_run <- function(run) {
    run[[3]] <- function(done) NULL
    run
}

warm_enough <- function(loss) {
    n <- length(loss)
    n >= 40 || n > 5 && (loss[n - 5] - loss[n]) / loss[n - 5] < 0.01
}

settled <- function(loss) {
    n <- length(loss)
    n > 3 && max(-diff(loss[(n - 3):n])) < 1e-3
}

# c(loss, accuracy) of logits; of a regression the mean squared error and the squared correlation.
validation_loss <- function(logit, y, task) {
    if (task == "regression") return(c(mean((logit - y)^2), if (stats::sd(logit) > 0) stats::cor(logit, y)^2 else 0))
    c(mean(pmax(logit, 0) + log1p(exp(-abs(logit))) - y * logit), mean((logit > 0) == (y > 0.5)))
}

put_filters <- function(state, filters, settings) {
    free <- settings$filters / (1 + settings$tie_strands)
    size <- settings$width * 4
    for (f in seq_along(filters)) {
        state$parameters[(f - 1) * size + seq_len(size)] <- filters[[f]]              # 4 x W by columns is W x 4 by rows
        state$parameters[free * size + f] <- -0.5
    }
    state
}

# ---- checkpoints ----

# What must be equal for a run to be continued.
checkpoint_terms <- function(training) {
    data <- training$data
    codes <- as.integer(c(data$train$codes, data$validation$codes))
    c(training$settings, list(sequences = sum(codes * (seq_along(codes) %% 997 + 1)), labels = c(data$train$y, data$validation$y),
                              recipe = data$train$recipe, init_filters = training$begin))
}

write_motif_checkpoint <- function(training, saved) {
    if (is.null(training$checkpoint)) return(invisible())
    part <- paste0(training$checkpoint, ".part")
    saveRDS(c(list(terms = checkpoint_terms(training)), saved), part)
    file.rename(part, training$checkpoint)
}

read_motif_checkpoint <- function(training, key, call) {
    file <- training$checkpoint
    if (is.null(file) || !training$resume || !file.exists(file)) return(NULL)
    saved <- readRDS(file)
    terms <- checkpoint_terms(training)
    differs <- Find(function(name) !identical(saved$terms[[name]], terms[[name]]), names(terms))
    if (is.null(differs) && !identical(key, saved$key)) {
        differs <- "seed"
        saved$terms$seed <- saved$key[1] + 2^32 * saved$key[2]
        terms$seed <- key[1] + 2^32 * key[2]
    }
    if (!is.null(differs)) {
        was <- saved$terms[[differs]]
        now <- terms[[differs]]
        single <- is.atomic(was) && is.atomic(now) && length(was) == 1L && length(now) == 1L && differs != "sequences"
        words <- if (single) "{differs} = {format(was)}, now {format(now)}" else "other {differs}"
        stop_input(c(paste0("{.file {file}} was written with ", words, "."), i = "Delete it or choose another file."),
                   class = "checkpoint", call = call)
    }
    saved
}
