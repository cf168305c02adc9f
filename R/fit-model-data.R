# R/fit-model-data.R: samples and labels in all the forms that fit_model() takes, as the core reads them.

# list(bases, starts | arrays, shapes, targets, weights, count, classes, validation); of a simulator also draw(epoch).
training_data <- function(model, goal, x, y, validation, class_weights, samples_per_epoch, seed, run, call) {
    if (inherits(x, "motif_simulation")) {
        if (!is.null(y)) stop_input("{.arg y} must be missing for a simulation, which knows its labels.", call = call)
        if (is.null(validation)) validation <- list(x$x, x$y)
        x <- new_simulations(x$recipe, seed, quiet_run(run), call)
    }
    if (is.function(x)) {
        samples_per_epoch <- check_number(samples_per_epoch, 1, 1e9, name = "samples_per_epoch", call = call)
        first <- drawn_samples(model, goal, x, samples_per_epoch, 1, class_weights, NULL, call)
        again <- function(epoch)
            if (epoch == 1) first
            else drawn_samples(model, goal, x, samples_per_epoch, epoch, class_weights, first$classes, call)
        if (is.numeric(validation))
            stop_input("{.arg validation} must be {.code list(x, y)} or NULL where {.arg x} is a function or a simulation.", call = call)
        data <- c(first, list(draw = again))
    } else data <- labelled_samples(model, goal, x, y, class_weights, NULL, call)
    if (is.null(validation)) return(data)
    if (is.list(validation) && length(validation) == 2) {
        data$validation <- labelled_samples(model, goal, validation[[1]], validation[[2]], NULL, data$classes, call)
        return(data)
    }
    if (!is.numeric(validation) || length(validation) != 1 || is.na(validation) || validation <= 0 || validation >= 1)
        stop_input("{.arg validation} must be a share between 0 and 1, or {.code list(x, y)}, not {friendly(validation)}.", call = call)
    held <- order(.Call(C_random, seed, 0, data$count, 2^52)) <= round(validation * data$count)
    if (!any(held) || all(held))
        stop_input("{.arg validation} must leave samples on both sides; {data$count} sample{?s} {?is/are} too few.", call = call)
    c(some_samples(data, !held), list(validation = some_samples(data, held)))
}

# A function that draws the sequences of an epoch, none twice.
new_simulations <- function(recipe, seed, run, call) {
    force(recipe)
    key <- draw_key(seed)
    function(count, epoch) {
        drawn <- draw_simulation(recipe, key, 3L, (epoch - 1) * count, count, run, call)
        list(x = Biostrings::DNAStringSet(drawn$x), y = as.numeric(drawn$positive))
    }
}

labelled_samples <- function(model, goal, x, y, class_weights, classes, call) {
    if (is.character(x)) {
        files <- sequences_by_class(x, y, call)
        x <- files$x
        y <- files$y
    }
    samples <- if (is(x, "DNAStringSet")) sequence_samples(model, x, call) else array_samples(model, x, call)
    targets <- read_targets(y, samples$of, goal, classes, call)
    weights <- sample_weights(class_weights, targets, call)
    c(samples[c("bases", "starts", "arrays", "shapes", "count")], targets[c("targets", "classes")], list(weights = weights))
}

drawn_samples <- function(model, goal, draw, count, epoch, class_weights, classes, call) {
    drawn <- draw(count, epoch)
    if (!is.list(drawn) || !all(c("x", "y") %in% names(drawn)))
        stop_input("{.arg x}, a function, must return {.code list(x = , y = )}, not {friendly(drawn)}.", call = call)
    labelled_samples(model, goal, drawn$x, drawn$y, class_weights, classes, call)
}

some_samples <- function(data, which) {
    part <- data
    rows <- function(numbers) as.vector(t(matrix(numbers, data$count, byrow = TRUE)[which, , drop = FALSE]))
    part$count <- sum(which)
    part$targets <- rows(data$targets)
    if (!is.null(data$weights)) part$weights <- data$weights[which]
    if (!is.null(data$starts)) part$starts <- data$starts[which]
    if (!is.null(data$arrays)) part$arrays <- lapply(data$arrays, rows)
    part
}

# ---- sequences and arrays ----

# FASTA files, or folders of them, named after their classes; or one file with labels y.
sequences_by_class <- function(files, y, call) {
    paths <- function(path) {
        if (!dir.exists(path)) return(check_file(path, name = "x", call = call))
        found <- list.files(path, "[.](fa|fasta|fna|ffn)([.]gz)?$", full.names = TRUE, ignore.case = TRUE)
        if (!length(found)) stop_input(c("A folder of {.arg x} must hold FASTA files (.fa, .fasta, .fna, .ffn, also .gz).",
                                         x = "{.file {path}} holds none."), class = "file", call = call)
        sort(found)
    }
    if (is.null(y) && (is.null(names(files)) || !all(nzchar(names(files))) || length(files) < 2))
        stop_input(c("{.arg x} must name the class of each file or folder, {.code c(first = \"a.fasta\", second = \"b.fasta\")}.",
                     i = "Or give labels {.arg y} for the sequences of one file."), call = call)
    read <- function(file) tryCatch(Biostrings::readDNAStringSet(file), error = function(error)
        stop_input(c("{.file {file}} must be a FASTA file of DNA.", x = "{conditionMessage(error)}"), class = "file", call = call))
    sets <- lapply(unname(files), function(path) do.call(c, lapply(paths(path), read)))
    if (is.null(y)) y <- factor(rep(names(files), lengths(sets)), unique(names(files)))
    list(x = do.call(c, sets), y = y)
}

# Windows of all sequences, which become one string of bases; `of`: the sequence of each window.
sequence_samples <- function(model, x, call) {
    shapes <- lapply(model@inputs, function(axes) axes)
    lengths <- unique(vapply(shapes, `[`, 0, 1))
    reads <- vapply(shapes, function(axes) length(axes) == 2 && identical(axes[2], 4), NA)
    if (!all(reads) || length(shapes) > 2 || length(lengths) > 1)
        stop_input("{.arg model} must read sequences, (length, 4), from one input or from two of the same length to be trained with them.",
                   class = "unsupported", call = call)
    width <- as.numeric(Biostrings::width(x))
    window <- if (is.na(lengths)) width[1] else lengths
    if (!length(x)) stop_input("{.arg x} has no sequences.", call = call)
    if (is.na(lengths) && any(width != window))
        stop_input("All sequences must be of one length where {.arg model} reads any length, not {range(width)}.", call = call)
    short <- width < window
    if (all(short)) stop_input("{.arg x} must have sequences of at least {window} bp, which {.arg model} reads; the longest has {max(width)}.", call = call)
    if (any(short))
        cli::cli_warn("{sum(short)} sequence{?s} shorter than the model's input of {window} bp {?is/are} left out.",
                      class = "nucleograd_warning_short")
    offset <- cumsum(c(0, width))[seq_along(width)]
    starts <- if (all(width == window)) as.list(rep(1, length(width))) else lapply(width, window_starts, window = window,
                                                                                   step = window, circular = FALSE)
    list(bases = base_codes(unlist(x)), starts = rep(offset, lengths(starts)) + unlist(starts), shapes = rep(list(c(window, 4)), length(shapes)),
         of = rep(seq_along(starts), lengths(starts)), count = length(unlist(starts)))
}

array_samples <- function(model, x, call) {
    given <- check_arrays(model, x, call = call, name = "x")
    list(arrays = given$numbers, shapes = given$shapes, of = seq_len(given$count), count = given$count)
}

# Arrays of sequences for a model of two inputs: both strands.
sample_arrays <- function(samples) {
    if (is.null(samples$bases)) return(samples$arrays)
    window <- samples$shapes[[1]][1]
    codes <- outer(seq_len(window) - 1, samples$starts, function(i, start) as.integer(samples$bases[i + start]))
    one_hot <- function(codes) as.vector(vapply(0:3, function(base) as.vector(codes == base), logical(length(codes))) |> t()) + 0
    list(one_hot(codes), one_hot(ifelse(codes[window:1, , drop = FALSE] < 4, 3 - codes[window:1, , drop = FALSE], 4)))
}

check_strands <- function(model, call) {
    reads <- vapply(model@inputs, function(axes) length(axes) == 2 && identical(axes[2], 4), NA)
    if (!all(reads)) stop_input("{.arg augment_reverse_complement} needs a model that reads (length, 4): A, C, G, T.",
                                class = "unsupported", call = call)
}

# ---- labels ----

# list(targets: row-major, classes, class: of each sample); `of`: which label belongs to each sample.
read_targets <- function(y, of, goal, classes, call) {
    count <- if (is.matrix(y) || is.array(y)) dim(y)[1] else length(y)
    if (is.null(y) || count < max(of))
        stop_input("{.arg y} must have a label for each of the {max(of)} samples, not {count}.", call = call)
    if (is.character(y)) y <- factor(y)
    if (is.logical(y)) y <- y + 0
    if (is.factor(y)) return(class_targets(y, of, goal, classes, call))
    if (!is.numeric(y) || !all(is.finite(y)))
        stop_input("{.arg y} must be classes or finite numbers, not {friendly(y)}.", call = call)
    numbers <- if (is.array(y) && length(dim(y)) > 1) matrix(row_major(y), dim(y)[1], byrow = TRUE) else matrix(as.numeric(y), ncol = 1)
    if (goal$loss == "categorical_crossentropy" && ncol(numbers) == 1 && goal$size > 1)
        return(class_targets(factor(y, levels = if (is.null(classes)) sort(unique(as.vector(y))) else classes), of, goal, classes, call))
    if (ncol(numbers) != goal$size)
        stop_input("{.arg y} must have {goal$size} number{?s} for each sample, as many as {.arg model} answers with, not {ncol(numbers)}.", call = call)
    if (goal$loss != "mse" && (any(numbers < 0) || any(numbers > 1)))
        stop_input("{.arg y} must lie between 0 and 1 for {.val {goal$loss}}, not {range(numbers)}.", call = call)
    class <- if (goal$loss == "mse") NULL else if (goal$size == 1) as.character(numbers) else as.character(max.col(numbers, "first"))
    list(targets = as.vector(t(numbers[of, , drop = FALSE])), classes = NULL, class = class[of])
}

class_targets <- function(y, of, goal, classes, call) {
    if (!is.null(classes)) y <- factor(as.character(y), classes)
    outputs <- if (goal$loss == "binary_crossentropy" && goal$size == 1) 2 else goal$size
    if (goal$loss == "mse" || goal$size != goal$channels || anyNA(y) || nlevels(y) != outputs)
        stop_input(c("{.arg y} must hold {if (goal$loss == 'mse') 'numbers' else paste(outputs, 'classes')}, as {.arg model} and its loss ask for.",
                     x = "It has {nlevels(y)} class{?es}: {.val {levels(y)}}{if (anyNA(y)) ', and NA'}."), call = call)
    index <- as.integer(y)[of]
    targets <- if (outputs > goal$size) index - 1 else as.vector(diag(outputs)[, index])
    list(targets = as.numeric(targets), classes = levels(y), class = levels(y)[index])
}

sample_weights <- function(class_weights, targets, call) {
    if (is.null(class_weights)) return(NULL)
    if (is.null(targets$class)) stop_input("{.arg class_weights} needs classes.", call = call)
    times <- table(targets$class)
    if (identical(class_weights, "balanced")) class_weights <- length(targets$class) / (length(times) * times)
    missing <- setdiff(names(times), names(class_weights))
    if (!is.numeric(class_weights) || length(missing) || any(class_weights < 0) || !all(is.finite(class_weights)))
        stop_input(c("{.arg class_weights} must be {.val balanced}, or numbers from 0 with the names of all classes: {.val {names(times)}}."), call = call)
    as.numeric(class_weights[targets$class])
}
