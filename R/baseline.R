# R/baseline.R: what a sequence is compared with: one row of numbers for all bases, rows for a window, or sequences that are drawn.

warn_zero <- function() {
    cli::cli_warn(c("A baseline of zeros is no sequence: scores of single bases then depend on parts of the gradient that no sequence can reach.",
                    i = "Use {.code baseline = \"uniform\"} unless you reproduce older results."), class = "nucleograd_warning_zero_baseline")
}

warn_alone <- function(count) {
    if (count > 0)
        cli::cli_warn("{count} time{?s} a sequence was the only one with its dinucleotides; it was shuffled by position instead.",
                      class = "nucleograd_warning_alone")
}

drawn_baselines <- c("shuffle", "dinucleotide", "markov")
is_markov <- function(word) grepl("^markov[0-8]?$", word)
markov_order <- function(word) if (word == "markov") 3 else as.numeric(sub("markov", "", word))

# For methods without a baseline: what a run of the core is given all the same.
no_baseline <- list(name = "none", drawn = FALSE, one_by_one = FALSE, rows = function(part, replicate) numeric(4))

# list(name, drawn: replicates differ, one_by_one: windows go alone, rows(part, replicate): what the core reads for the windows of a
# part of a contig: four numbers, (window, 4) of them row by row, or bases, windows one after the other).
genome_baseline <- function(baseline, genome, widths, seed, run, call) {
    if (is.function(baseline)) return(function_baseline(baseline, call))
    if (is(baseline, "DNAStringSet")) return(sequence_baseline(baseline, widths, seed, call))
    if (is.character(baseline) && length(baseline) == 1 && is_markov(baseline)) return(markov_baseline(baseline, genome, seed))
    if (is.character(baseline) && length(baseline) == 1 && baseline %in% drawn_baselines) return(shuffle_baseline(baseline, seed, run, call))
    numbers <- baseline_numbers(baseline, genome, widths, call)
    list(name = if (is.character(baseline)) baseline[1] else "given", drawn = FALSE, one_by_one = FALSE,
         rows = function(part, replicate) if (part$reverse) rev(numbers) else numbers)
}

# Baselines that are the same everywhere: four numbers, or (window, 4) of them row by row.
baseline_numbers <- function(baseline, genome, widths, call) {
    if (is.character(baseline)) {
        word <- check_choice(baseline, c("uniform", "zero", "composition", drawn_baselines), name = "baseline", call = call)
        if (word == "zero") warn_zero()
        counts <- if (word == "composition") colSums(Biostrings::alphabetFrequency(genome)[, bases, drop = FALSE])
        return(switch(word, uniform = rep(0.25, 4), zero = rep(0, 4), composition = as.numeric(counts / sum(counts))))
    }
    fits <- is.numeric(baseline) && all(is.finite(baseline)) &&
        (if (is.matrix(baseline)) ncol(baseline) == 4 && all(widths == nrow(baseline)) else length(baseline) == 4)
    if (!fits)
        stop_input(c("{.arg baseline} must be {.val uniform}, {.val composition}, {.val zero}, {.val shuffle}, {.val dinucleotide}, {.val markov}, four numbers (A, C, G, T), a matrix of {widths[1]} x 4, one row for each base of a window, a {.cls DNAStringSet} or a function.",
                     x = "It is {friendly(baseline)}."), call = call)
    if (is.matrix(baseline)) as.numeric(t(baseline)) else as.numeric(baseline)
}

shuffle_baseline <- function(word, seed, run, call) {
    alone <- 0
    quiet <- replace(run, 3, list(function(done) NULL))
    list(name = word, drawn = TRUE, one_by_one = FALSE, alone = function() alone, rows = function(part, replicate) {
        width <- rep(as.numeric(part$width), length(part$starts))
        found <- .Call(C_shuffle, part$bases, part$starts, width, part$starts, word == "dinucleotide", seed, replicate, part$name, quiet, call)
        alone <<- alone + found[[2]]
        found[[1]]
    })
}

markov_baseline <- function(word, genome, seed) {
    order <- markov_order(word)
    counts <- as.numeric(colSums(Biostrings::oligonucleotideFrequency(genome, order + 1)))
    if (sum(counts) == 0) counts <- rep(1, length(counts))
    list(name = word, drawn = TRUE, one_by_one = FALSE, rows = function(part, replicate)
        .Call(C_markov, counts, order, part$starts, part$width, seed, replicate, part$name))
}

# One sequence as long as every window is laid over them all; of other ones, pieces are drawn.
sequence_baseline <- function(sequences, widths, seed, call) {
    if (!length(sequences) || max(Biostrings::width(sequences)) < max(widths))
        stop_input(c("{.arg baseline} must hold a sequence of at least {max(widths)} bp, the length of a window.",
                     x = "The longest of its {length(sequences)} sequence{?s} has {max(0, Biostrings::width(sequences))} bp."), call = call)
    codes <- lapply(seq_along(sequences), function(at) base_codes(sequences[[at]]))
    if (length(sequences) == 1 && all(widths == length(codes[[1]])))
        return(list(name = "given sequence", drawn = FALSE, one_by_one = FALSE, rows = function(part, replicate)
            rep(if (part$reverse) reverse_bases(codes[[1]]) else codes[[1]], length(part$starts))))
    pool <- unlist(codes)
    length_bp <- lengths(codes)
    offset <- c(0, cumsum(length_bp))
    list(name = "given sequences", drawn = TRUE, one_by_one = FALSE, rows = function(part, replicate) {
        places <- pmax(0, length_bp - part$width + 1)                 # where a piece may begin, contig by contig
        before <- c(0, cumsum(places))
        drawn <- .Call(C_draw_below, part$starts, sum(places), seed, replicate, part$name)
        contig <- findInterval(drawn, before, left.open = FALSE)
        from <- offset[contig] + drawn - before[contig]
        pool[rep(from, each = part$width) + seq_len(part$width)]
    })
}

function_baseline <- function(baseline, call) {
    list(name = "given function", drawn = length(formals(args(baseline))) > 1, one_by_one = TRUE, rows = function(part, replicate) {
        sequence <- base_letters(window_bases(part, part$starts))
        made <- if (length(formals(args(baseline))) > 1) baseline(sequence, replicate) else baseline(sequence)
        if (is.matrix(made) && is.numeric(made) && all(is.finite(made)) && identical(dim(made), c(as.integer(part$width), 4L)))
            return(as.numeric(t(made)))
        if (is.character(made) && length(made) == 1 && !is.na(made)) made <- Biostrings::DNAString(made)
        if (is(made, "DNAString") && length(made) == part$width) return(base_codes(made))
        stop_input(c("The function {.arg baseline} must give a sequence of {part$width} bp, or a matrix of {part$width} x 4.",
                     x = "It gave {friendly(made)}."), call = call)
    })
}

# ---- bases as bytes ----

reverse_bases <- function(codes) xor(rev(codes), as.raw(3))          # 0 to 3 for A to T; what is ambiguous stays above 3
base_letters <- function(codes) Biostrings::DNAString(rawToChar(charToRaw("ACGTNNNN")[as.integer(codes) + 1L]))
window_bases <- function(part, start) part$bases[(start - 1 + seq_len(part$width) - 1) %% length(part$bases) + 1]

# ---- arrays ----

# A baseline for one input: list(drawn, rows(replicate)): row-major numbers, for one sample or for all. array: the input itself.
array_baseline <- function(baseline, array, seed, run, call) {
    shape <- as.numeric(dim(array)[-1])
    count <- dim(array)[1]
    size <- prod(shape)
    channels <- shape[length(shape)]
    fixed <- function(numbers) list(drawn = FALSE, rows = function(replicate) numbers)
    fits <- function(x) is.numeric(x) && all(is.finite(x)) && (identical(as.numeric(dim(x)), shape) ||
        identical(as.numeric(dim(x)), c(count, shape)) || identical(as.numeric(dim(x)), c(1, shape)))
    if (is.character(baseline)) {
        word <- check_choice(baseline, c("uniform", "zero", "shuffle", "dinucleotide"), name = "baseline", call = call)
        if (word == "zero") warn_zero()
        if (word %in% c("uniform", "zero")) return(fixed(rep(if (word == "uniform") 1 / channels else 0, size)))
        part <- array_part(array, call)
        shuffled <- shuffle_baseline(word, seed, run, call)
        return(list(drawn = TRUE, alone = shuffled$alone, rows = function(replicate) one_hot_bases(shuffled$rows(part, replicate))))
    }
    if (is.function(baseline)) {
        with_replicate <- length(formals(args(baseline))) > 1
        return(list(drawn = with_replicate, rows = function(replicate) {
            made <- if (with_replicate) baseline(array, replicate) else baseline(array)
            if (!fits(made))
                stop_input(c("The function {.arg baseline} must give an array ({paste(shape, collapse = ', ')}), with or without samples in front.",
                             x = "It gave {friendly(made)}."), call = call)
            row_major(made)
        }))
    }
    if (is.numeric(baseline) && all(is.finite(baseline)) && is.null(dim(baseline)) && length(baseline) == channels)
        return(fixed(rep(as.numeric(baseline), size / channels)))
    if (fits(baseline)) return(fixed(row_major(baseline)))
    stop_input(c("{.arg baseline} must be {.val uniform}, {.val zero}, {.val shuffle}, {.val dinucleotide}, {channels} number{?s}, an array ({paste(shape, collapse = ', ')}), with or without samples in front, or a function.",
                 x = "It is {friendly(baseline)}."), call = call)
}

# One-hot samples (samples, bp, 4) as the windows of a part, one after the other.
array_part <- function(array, call) {
    if (!is_one_hot(array))
        stop_input("Sequences are shuffled and mutated where inputs are arrays (samples, bp, 4) of rows with one 1, or none.", call = call)
    numbers <- matrix(row_major(array), 4)
    codes <- as.raw(ifelse(colSums(numbers) == 0, 4, max.col(t(numbers), "first") - 1))
    list(bases = codes, name = "", starts = (seq_len(dim(array)[1]) - 1) * as.numeric(dim(array)[2]) + 1,
         width = as.numeric(dim(array)[2]), reverse = FALSE)
}

is_one_hot <- function(array) {
    length(dim(array)) == 3 && dim(array)[3] == 4 && all(array == 0 | array == 1) && all(rowSums(array, dims = 2) <= 1)
}

one_hot_bases <- function(codes) as.numeric(rep(as.integer(codes), each = 4) == 0:3)
