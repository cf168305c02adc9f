# R/states.R: predictions as deepG makes them and keeps them in files.

#' Predictions by deepG's rules
#'
#' Runs a network over sequences with deepG's windows and encoding ([encode_sequences()]), a few windows at a time, and gives what
#' deepG's prediction files hold. For genomes with coordinates use [predict.Model()].
#'
#' **Modes.** `"one_seq"`: all sequences joined without a gap, windows span them. `"by_entry"`: each sequence by itself; one too short
#' for a window is left out. `"one_pred_per_entry"`: one prediction for each sequence; of a long one a random window (`set.seed()`
#' makes it repeatable), a short one with zeros before it.
#' @inheritParams encode_sequences
#' @param model A [Model-class] with one input (window, channels), or with two for `both_strands`.
#' @param mode See Details.
#' @param both_strands `TRUE` for networks that read a window and its reverse complement as two inputs.
#' @param threads Threads, see [thread_count()].
#' @return A `States` object: a list of `states`, one matrix (windows x outputs) an entry, `sample_end_position` likewise, `entry`, the
#'   numbers of the entries, and `header`, their names. It has `print` and `as.data.frame` methods.
#' @section Errors: `nucleograd_error_argument`; `nucleograd_error_unsupported`: the model's input is not of this form.
#' @source deepG's prediction, <https://github.com/GenomeNet/deepG>.
#' @examples
#' genome <- Biostrings::subseq(example_genome(), 850001, 853000)
#' states <- predict_states(example_model(), genome, step = 500)
#' states
#' @export
predict_states <- function(model, sequences, mode = c("one_seq", "by_entry", "one_pred_per_entry"), step = NULL,
                           padding = c("none", "maxlen", "standard", "self"), ambiguous = c("zero", "equal", "empirical"), frequencies = NULL,
                           ngram = 1, ngram_step = 1, both_strands = FALSE, threads = NULL) {
    check_model(model)
    mode <- check_choice(mode, c("one_seq", "by_entry", "one_pred_per_entry"))
    both_strands <- check_flag(both_strands)
    window <- states_window(model, ngram, ngram_step, both_strands)
    if (is.null(step)) step <- window
    if (mode == "one_pred_per_entry") padding <- "standard"
    rules <- encoding_rules(sequences, window, step, padding, ambiguous, frequencies, ngram, ngram_step, joined = mode == "one_seq", strand = "+")
    tokens <- sequence_tokens(sequences, rules)
    places <- window_places(tokens, rules)
    if (mode == "one_pred_per_entry") places <- random_places(tokens, rules)
    if (nrow(places) == 0)
        stop_input(c("{.arg sequences} must hold a sequence of at least {window} letters, the window of {.arg model}.",
                     i = "{.code padding = \"standard\"} puts zeros before shorter ones."), class = "contigs")
    values <- states_of(model, tokens, places, rules, both_strands, threads, environment())
    rows <- split(seq_len(nrow(places)), places$entry)
    found <- as.integer(names(rows))
    structure(list(states = unname(lapply(rows, function(rows) values[rows, , drop = FALSE])),
                   sample_end_position = unname(lapply(rows, function(rows) places$sample_end_position[rows])), entry = found,
                   header = if (mode == "one_seq") "joined" else entry_headers(sequences)[found], mode = mode), class = "States")
}

entry_headers <- function(sequences) if (is.null(names(sequences))) paste0("entry_", seq_along(sequences)) else names(sequences)

states_window <- function(model, ngram, ngram_step, both_strands, call = parent.frame()) {
    shapes <- unname(model@inputs)
    fits <- length(shapes) == 1 + both_strands && all(lengths(shapes) == 2) && !anyNA(shapes[[1]]) &&
        all(vapply(shapes, identical, NA, shapes[[1]])) && shapes[[1]][2] == 4^ngram
    if (!fits)
        stop_input(c("{.arg model} must have {1 + both_strands} input{?s} of a fixed length and {4^ngram} channels.",
                     x = "Its inputs are {toString(vapply(model@inputs, format_shape, ''))}."), class = "unsupported", call = call)
    (shapes[[1]][1] - 1) * ngram_step + ngram
}

random_places <- function(sequences, rules) {
    start <- vapply(sequences, function(sequence) sample.int(length(sequence$tokens) - rules$window + 1, 1), 0L)
    data.frame(entry = seq_along(sequences), start = start, sample_end_position = start + rules$window - 1)
}

# A few windows at a time, about 64 MB of numbers.
states_of <- function(model, tokens, places, rules, both_strands, threads, frame) {
    together <- max(1, floor(64e6 / 8 / rules$window / 4^rules$ngram))
    parts <- split(seq_len(nrow(places)), (seq_len(nrow(places)) - 1) %/% together)
    bar <- cli::cli_progress_bar("Predicting", total = length(parts), .envir = frame)
    do.call(rbind, lapply(parts, function(rows) {
        x <- encode_windows(tokens, places[rows, ], rules)
        if (both_strands) x <- list(x, x[, rev(seq_len(dim(x)[2])), 4:1, drop = FALSE])
        found <- stats::predict(model, x, threads = threads)
        cli::cli_progress_update(id = bar, .envir = frame)
        flat <- if (is.list(found)) found else list(found)
        do.call(cbind, lapply(flat, function(output) matrix(output, nrow(output))))
    }))
}

#' @rdname predict_states
#' @param x A `States` object.
#' @param ... Not used.
#' @export
print.States <- function(x, ...) {
    windows <- sum(vapply(x$states, nrow, 0L))
    cat("States: ", windows, if (windows == 1) " window" else " windows", " of ", length(x$entry),
        if (length(x$entry) == 1) " entry, " else " entries, ",
        ncol(x$states[[1]]), if (ncol(x$states[[1]]) == 1) " output\n" else " outputs\n", sep = "")
    print(utils::head(as.data.frame(x)))
    invisible(x)
}

#' @rdname predict_states
#' @method as.data.frame States
#' @export
as.data.frame.States <- function(x, ...) {
    data.frame(header = rep(x$header, vapply(x$states, nrow, 0L)), sample_end_position = unlist(x$sample_end_position),
               states_frame(do.call(rbind, x$states)))
}

states_frame <- function(states) {
    colnames(states) <- paste0("N", seq_len(ncol(states)))
    as.data.frame(states)
}

#' Prediction files as deepG writes and reads them
#'
#' `write_states()` writes predictions so that deepG's `load_prediction()` reads them, `read_states()` reads what deepG or
#' `write_states()` wrote.
#'
#' A name that ends in `.csv` makes a table: columns N1, N2, ..., one row a window, no positions. Any other name makes an HDF5 file
#' with `states`, `sample_end_position` and `multi_entries`; of several entries each has its own place `entry_1`, `entry_2`, ... in both. HDF5
#' needs the package hdf5r, which deepG uses too.
#' @param states The result of [predict_states()], or [Predictions-class] from [predict.Model()], whose contigs become entries.
#' @param file Path of the file. It is written beside its place first, then moved there.
#' @return `write_states()`: the path, invisibly. `read_states()`: a `States` object; a CSV file has no positions (`NA`).
#' @section Errors: `nucleograd_error_argument`; `nucleograd_error_file`: no such file, or not one of predictions;
#'   `nucleograd_error_package`: hdf5r is not installed.
#' @examples
#' genome <- Biostrings::subseq(example_genome(), 850001, 853000)
#' file <- tempfile(fileext = ".csv")
#' write_states(predict_states(example_model(), genome, step = 500), file)
#' read_states(file)
#' unlink(file)
#' @export
write_states <- function(states, file) {
    if (methods::is(states, "Predictions")) states <- states_of_predictions(states)
    if (!inherits(states, "States")) stop_input("{.arg states} must come from {.fun predict_states} or {.fun predict}, not be {friendly(states)}.")
    if (!is.character(file) || length(file) != 1 || is.na(file) || !dir.exists(dirname(file)))
        stop_input("{.arg file} must be the path of a file in a folder that exists, not {friendly(file)}.")
    if (!is_csv(file)) need_hdf5r(environment())
    unfinished <- tempfile(".states", dirname(file))
    on.exit(unlink(unfinished))
    if (is_csv(file)) utils::write.csv(states_frame(do.call(rbind, states$states)), unfinished, row.names = FALSE)
    else write_states_hdf5(states, unfinished)
    if (!file.rename(unfinished, file)) stop_input("{.file {file}} could not be written.", class = "file")
    invisible(file)
}

is_csv <- function(file) grepl("[.]csv$", file, ignore.case = TRUE)

need_hdf5r <- function(call) {
    if (!requireNamespace("hdf5r", quietly = TRUE))
        stop_input(c("HDF5 files of predictions need the package {.pkg hdf5r}, which is not installed.",
                     i = "A name that ends in {.file .csv} needs no package."),
                   class = "package", call = call)
}

states_of_predictions <- function(predictions) {
    contigs <- as.character(GenomicRanges::seqnames(predictions))
    rows <- split(seq_along(predictions), factor(contigs, unique(contigs)))
    values <- as.matrix(S4Vectors::mcols(predictions))
    dimnames(values) <- NULL
    structure(list(states = unname(lapply(rows, function(rows) values[rows, , drop = FALSE])),
                   sample_end_position = unname(lapply(rows, function(rows) as.numeric(BiocGenerics::end(predictions)[rows]))),
                   entry = seq_along(rows), header = names(rows), mode = if (length(rows) > 1) "by_entry" else "one_seq"), class = "States")
}

write_states_hdf5 <- function(states, path) {
    check_room(path, 8 * sum(lengths(states$states), lengths(states$sample_end_position)))
    file <- hdf5r::H5File$new(path, mode = "w")
    on.exit(file$close_all())
    several <- length(states$entry) > 1
    file[["multi_entries"]] <- several
    if (!several) {
        file[["states"]] <- states$states[[1]]
        file[["sample_end_position"]] <- as.numeric(states$sample_end_position[[1]])
        return()
    }
    values <- file$create_group("states")
    positions <- file$create_group("sample_end_position")
    for (k in seq_along(states$entry)) {
        name <- paste0("entry_", states$entry[k])
        values[[name]] <- states$states[[k]]
        positions[[name]] <- as.numeric(states$sample_end_position[[k]])
    }
}

#' @rdname write_states
#' @export
read_states <- function(file) {
    file <- check_file(file)
    if (is_csv(file)) {
        values <- unname(as.matrix(utils::read.csv(file)))
        return(structure(list(states = list(values), sample_end_position = list(rep(NA_real_, nrow(values))), entry = 1L, header = "joined",
                              mode = "one_seq"),
                         class = "States"))
    }
    need_hdf5r(environment())
    stored <- tryCatch(hdf5r::H5File$new(file, mode = "r"), error = function(error)
        stop_input("{.file {file}} must be a file of predictions.", class = "file", call = parent.frame(5)))
    on.exit(stored$close_all())
    if (!"states" %in% names(stored)) stop_input("{.file {file}} must be a file of predictions; it has no {.field states}.", class = "file")
    read_stored_states(stored)
}

# Early files hold target_positions, one letter behind the window, and know one entry only.
read_stored_states <- function(stored) {
    positions_of <- function(name = NULL) {
        key <- intersect(c("sample_end_position", "target_positions"), names(stored))[1]
        if (is.na(key)) return(NULL)
        object <- if (is.null(name)) stored[[key]] else stored[[key]][[name]]
        as.numeric(object$read()) - (key == "target_positions")
    }
    several <- inherits(stored[["states"]], "H5Group")
    names <- if (several) names(stored[["states"]])
    entry <- if (several) as.integer(sub("entry_", "", names)) else 1L
    order <- order(entry)
    states <- if (several) lapply(names, function(name) stored[["states"]][[name]]$read(drop = FALSE))
              else list(stored[["states"]]$read(drop = FALSE))
    positions <- if (several) lapply(names, positions_of) else list(positions_of())
    positions <- Map(function(at, states) if (is.null(at)) rep(NA_real_, nrow(states)) else at, positions, states)
    structure(list(states = states[order], sample_end_position = positions[order], entry = entry[order],
                   header = if (several) names[order] else "joined", mode = if (several) "by_entry" else "one_seq"), class = "States")
}

#' Predictions of files in one table
#'
#' One line a file, as deepG's summaries have it: for each output the mean and the largest confidence and the share of windows that
#' it wins, and which output is ahead by each.
#' @param files Paths of files by [write_states()] or deepG, or `States` objects in a list.
#' @param outputs Names of the outputs; `NULL`: N1, N2, ...
#' @return A data.frame: `file_name`, `mean_conf_*`, `max_conf_*`, `vote_perc_*`, `mean_prediction`, `max_prediction`, `vote_prediction`,
#'   `num_prediction`. Of equal outputs the first is ahead. For one output, wins are windows above 0.5.
#' @section Errors: as of [read_states()]; `nucleograd_error_argument`: files differ in their outputs.
#' @examples
#' genome <- Biostrings::subseq(example_genome(), 850001, 853000)
#' states <- predict_states(example_model(), genome, step = 500)
#' states_by_file(list(chlamydia = states))
#' @export
states_by_file <- function(files, outputs = NULL) {
    if (inherits(files, "States")) files <- list(files)
    if (!length(files) || !(is.character(files) || all(vapply(files, inherits, NA, "States"))))
        stop_input("{.arg files} must be paths of files of predictions, or a list of {.cls States}, not {friendly(files)}.")
    named <- if (is.character(files)) basename(files) else if (is.null(names(files))) paste0("states_", seq_along(files)) else names(files)
    matrices <- lapply(files, function(file) do.call(rbind, (if (is.character(file)) read_states(file) else file)$states))
    widths <- vapply(matrices, ncol, 0L)
    if (any(widths != widths[1])) stop_input("{.arg files} must all have the same outputs; they have {widths}.")
    if (is.null(outputs)) outputs <- paste0("N", seq_len(widths[1]))
    if (length(outputs) != widths[1]) stop_input("{.arg outputs} must name the {widths[1]} outputs, not {length(outputs)}.")
    do.call(rbind, Map(summary_of_states, matrices, named, MoreArgs = list(outputs = outputs), USE.NAMES = FALSE))
}

summary_of_states <- function(states, file, outputs) {
    means <- colMeans(states)
    largest <- apply(states, 2, max)
    votes <- if (ncol(states) == 1) mean(states > 0.5) else tabulate(max.col(states, ties.method = "first"), ncol(states)) / nrow(states)
    columns <- function(values, prefix) stats::setNames(as.list(values), paste0(prefix, outputs))
    data.frame(file_name = file, columns(means, "mean_conf_"), columns(largest, "max_conf_"), columns(votes, "vote_perc_"),
               mean_prediction = outputs[which.max(means)], max_prediction = outputs[which.max(largest)], vote_prediction = outputs[which.max(votes)],
               num_prediction = nrow(states), check.names = FALSE)
}
