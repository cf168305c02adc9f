# R/encoding.R: sequences as arrays of numbers by the rules of deepG, for networks that were trained with them.

#' Windows of sequences as arrays, by deepG's rules
#'
#' Turns sequences into the arrays that a network trained with deepG has seen: windows of `window` letters, `step` apart, one row a
#' position, channels A, C, G, T. `predict()` and [attribution()] take such arrays. For plain genomes they read windows themselves,
#' without an array; this function is for the rules below.
#'
#' **Windows** start at 1, 1 + step, ... of each sequence after padding, as long as they fit; what is left at the end is not read
#' (unlike [predict.Model()], which aligns a last window to the end). Their position is that of their last letter in the sequence
#' without padding.
#'
#' **Padding** puts zero rows before a sequence: `"maxlen"` as many as a window has, `"standard"` only as many as a short sequence
#' needs; `"self"` repeats a short sequence until it fills a window. With `"none"` a short sequence has no window.
#'
#' **Ambiguous** letters (whatever is not A, C, G, T in either case) are rows of zeros, of 1/4 (`"equal"`), or of the frequencies
#' of the four bases (`"empirical"`). Padding is always zeros.
#'
#' **n-grams**: a row stands for `ngram` letters from one position on, with 4^ngram channels in the order AA, AC, ...; a gram with an
#' ambiguous letter is a row of zeros.
#'
#' **Quality**: in a `QualityScaledDNAStringSet` (FASTQ) the called base has P = 1 - 10^(-Q/10), the other three share 1 - P.
#' @param sequences A `DNAStringSet`, a `QualityScaledDNAStringSet`, or a character vector.
#' @param window Letters in a window, a whole number from 1.
#' @param step Letters from one window's start to the next.
#' @param padding,ambiguous See Details.
#' @param frequencies For `ambiguous = "empirical"`: four numbers, those of A, C, G, T; `NULL` counts them in `sequences`.
#' @param ngram,ngram_step Letters in a gram, 1 to 6, and from one gram to the next.
#' @param joined `TRUE`: sequences are joined without a gap, so that windows span them, as `concat_seq = ""` does.
#' @param strand `"+"`, or `"-"`: the reverse complement of each window (only without n-grams).
#' @return An array (windows, rows, channels) with the attribute `windows`, a data.frame: `entry` (which sequence) and
#'   `sample_end_position` (1-based; of the last letter; 0 or less inside padding).
#' @section Errors: `nucleograd_error_argument`.
#' @source deepG's encoding, <https://github.com/GenomeNet/deepG>.
#' @examples
#' x <- encode_sequences(c("ACGTNACG", "TTGACA"), window = 4, step = 2, ambiguous = "equal")
#' dim(x)
#' attr(x, "windows")
#' @export
encode_sequences <- function(sequences, window, step = window, padding = c("none", "maxlen", "standard", "self"),
                             ambiguous = c("zero", "equal", "empirical"), frequencies = NULL, ngram = 1, ngram_step = 1, joined = FALSE,
                             strand = c("+", "-")) {
    rules <- encoding_rules(sequences, window, step, padding, ambiguous, frequencies, ngram, ngram_step, joined, strand)
    tokens <- sequence_tokens(sequences, rules)
    places <- window_places(tokens, rules)
    structure(encode_windows(tokens, places, rules), windows = places[c("entry", "sample_end_position")])
}

encoding_rules <- function(sequences, window, step, padding, ambiguous, frequencies, ngram, ngram_step, joined, strand, call = parent.frame()) {
    if (!is.character(sequences) && !methods::is(sequences, "DNAStringSet"))
        stop_input("{.arg sequences} must be a DNAStringSet or a character vector, not {friendly(sequences)}.", call = call)
    rules <- list(window = check_number(window, min = 1, max = .Machine$integer.max, name = "window", call = call),
                  step = check_number(step, min = 1, max = .Machine$integer.max, name = "step", call = call),
                  padding = check_choice(padding, c("none", "maxlen", "standard", "self"), name = "padding", call = call),
                  ambiguous = check_choice(ambiguous, c("zero", "equal", "empirical"), name = "ambiguous", call = call),
                  ngram = check_number(ngram, min = 1, max = 6, name = "ngram", call = call),
                  ngram_step = check_number(ngram_step, min = 1, max = 1e6, name = "ngram_step", call = call),
                  joined = check_flag(joined, name = "joined", call = call), strand = check_choice(strand, c("+", "-"), name = "strand", call = call))
    if (rules$ngram > 1 && (rules$strand == "-" || methods::is(sequences, "QualityScaledDNAStringSet") || rules$ambiguous != "zero"))
        stop_input("n-grams have no reverse complement, no quality and no ambiguous rows: {.arg ngram} must be 1 for these.", call = call)
    if (rules$ngram > rules$window) stop_input("{.arg ngram} must be at most the window, {rules$window}, not {rules$ngram}.", call = call)
    if (!is.null(frequencies) && !(is.numeric(frequencies) && length(frequencies) == 4 && all(is.finite(frequencies)) &&
                                   all(frequencies >= 0) && sum(frequencies) > 0))
        stop_input("{.arg frequencies} must be four numbers from 0, those of A, C, G, T, not {friendly(frequencies)}.", call = call)
    rules$row <- switch(rules$ambiguous, zero = rep(0, 4), equal = rep(0.25, 4),
                        empirical = if (is.null(frequencies)) count_bases(sequences) else frequencies / sum(frequencies))
    rules
}

count_bases <- function(sequences) {
    counts <- tabulate(unlist(lapply(as.character(sequences), letter_tokens)), 5)[1:4]
    if (sum(counts)) counts / sum(counts) else rep(0, 4)
}

# 1 to 4: A, C, G, T; 5: anything else. 0 is padding.
letter_tokens <- function(text) {
    token <- rep(5L, 256)
    token[utf8ToInt("acgtACGT") + 1] <- rep(1:4, 2)
    token[as.integer(charToRaw(text)) + 1]
}

# One element a sequence: list(tokens, chance: of the called base, or NULL, padded: rows before the sequence).
sequence_tokens <- function(sequences, rules) {
    tokens <- lapply(as.character(sequences), letter_tokens)
    chances <- if (methods::is(sequences, "QualityScaledDNAStringSet"))
        lapply(as.character(Biostrings::quality(sequences)), function(text) 1 - 10^(-(as.integer(charToRaw(text)) - 33) / 10))
    if (rules$joined) {
        tokens <- list(unlist(tokens))
        if (!is.null(chances)) chances <- list(unlist(chances))
    }
    lapply(seq_along(tokens), function(k) pad_sequence(tokens[[k]], chances[[k]], rules))
}

pad_sequence <- function(tokens, chance, rules) {
    short <- max(0, rules$window - length(tokens))
    if (rules$padding == "self" && short > 0 && length(tokens) > 0) {
        tokens <- rep_len(tokens, rules$window)
        if (!is.null(chance)) chance <- rep_len(chance, rules$window)
    }
    padded <- switch(rules$padding, maxlen = rules$window, standard = short, 0)
    list(tokens = c(integer(padded), tokens), chance = if (!is.null(chance)) c(numeric(padded), chance), padded = padded)
}

window_places <- function(sequences, rules) {
    places <- lapply(seq_along(sequences), function(entry) {
        last <- length(sequences[[entry]]$tokens) - rules$window + 1
        start <- if (last >= 1) seq(1, last, by = rules$step) else numeric()
        data.frame(entry = rep(entry, length(start)), start = start, sample_end_position = start + rules$window - sequences[[entry]]$padded - 1)
    })
    do.call(rbind, places)
}

# (windows, rows, channels)
encode_windows <- function(sequences, places, rules) {
    offsets <- seq_len(rules$window) - 1
    pick <- function(what) t(vapply(seq_len(nrow(places)), function(k) sequences[[places$entry[k]]][[what]][places$start[k] + offsets] + 0, numeric(rules$window)))
    shaped <- function(values) matrix(values, nrow(places), rules$window)
    tokens <- shaped(pick("tokens"))
    if (rules$ngram > 1) return(encode_grams(tokens, rules))
    rows <- rbind(diag(4), rules$row, 0)                                            # by token; the last is padding
    x <- array(rows[ifelse(tokens == 0, 6, tokens), ], c(dim(tokens), 4))
    if (length(sequences) && !is.null(sequences[[1]]$chance)) {
        chance <- as.vector(shaped(pick("chance")))
        called <- array(as.vector(tokens) %in% 1:4, dim(x))
        x <- ifelse(called, x * chance + (1 - x) * (1 - chance) / 3, x)
    }
    if (rules$strand == "-") x[, rev(seq_len(rules$window)), 4:1, drop = FALSE] else x
}

encode_grams <- function(tokens, rules) {
    starts <- seq(1, rules$window - rules$ngram + 1, by = rules$ngram_step)
    index <- matrix(1, nrow(tokens), length(starts))
    unknown <- matrix(FALSE, nrow(tokens), length(starts))
    for (j in seq_len(rules$ngram)) {
        token <- tokens[, starts + j - 1, drop = FALSE]
        index <- index + 4^(rules$ngram - j) * (token - 1)
        unknown <- unknown | token == 0 | token == 5
    }
    x <- array(0, c(dim(index), 4^rules$ngram))
    known <- which(!unknown)
    x[known + (index[known] - 1) * length(index)] <- 1
    x
}
