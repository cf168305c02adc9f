# R/trust-runs.R: the model's answers and maps for many sequences, as they were made for the scores that are judged.

# How attribution() was called for these scores; `baseline`: what it was, if its name does not tell.
same_arguments <- function(scores, baseline, call = parent.frame()) {
    settings <- scores@settings
    words <- c("uniform", "zero", "composition", "shuffle", "dinucleotide")
    told <- settings$baseline %in% c("none", words) || is_markov(settings$baseline)
    if (is.null(baseline) && !told)
        stop_input(c("{.arg baseline} must be there if the scores have a baseline of their own.",
                     x = "The baseline of {.arg scores} is {.val {settings$baseline}}, which cannot be told from its name.",
                     i = "Give what {.fun attribution} was given."), call = call)
    if (is.null(baseline) && settings$baseline == "composition")
        baseline <- baseline_numbers("composition", scores@genome, NULL, call)      # of the genome, not of the windows that are examined
    kept <- intersect(c("method", "nodes", "rule", "target", "output", "strand", "noise", "noise_level"), names(settings))
    arguments <- c(settings[kept], list(baseline = if (!is.null(baseline)) baseline else if (settings$baseline != "none") settings$baseline))
    if (settings$output == "output") arguments$output <- "logit"
    if (isTRUE(settings$replicates > 1) && settings$method != "expected") arguments$replicates <- settings$replicates
    if (isTRUE(!is.na(settings$seed))) arguments$seed <- settings$seed
    Filter(Negate(is.null), arguments)
}

# attribution() that has warned of zeros before.
map_again <- function(...) {
    withCallingHandlers(attribution(...), nucleograd_warning_zero_baseline = function(warning) invokeRestart("muffleWarning"))
}

# Sequences of one width are read as one contig, a window each: one call for all.
by_width <- function(sequences, one_call) {
    results <- vector("list", length(sequences))
    for (here in split(seq_along(sequences), Biostrings::width(sequences))) {
        contig <- Biostrings::DNAStringSet(unlist(sequences[here]))
        results[here] <- one_call(stats::setNames(contig, "sequences"), Biostrings::width(sequences)[here[1]], length(here))
    }
    results
}

# The value that the scores explain, for each sequence.
explained_values <- function(model, sequences, arguments, threads) {
    goal <- target_of(model, arguments$target, arguments$output)
    model@settings$output_nodes <- goal$nodes
    model@outputs <- list(answer = probe_shapes(model, environment())$axes[[goal$nodes]])
    unlist(by_width(sequences, function(contig, width, count) {
        values <- as.matrix(S4Vectors::mcols(predict(model, contig, window = width, step = width, threads = threads)))
        as.list(drop(values %*% goal$cotangents[[1]]))
    }))
}

# The scores of the bases of each sequence, a vector each.
maps_of <- function(model, sequences, arguments, threads) {
    by_width(sequences, function(contig, width, count) {
        map <- do.call(map_again, c(list(model, contig, window = width, step = width, threads = threads), arguments))
        split(base_scores(map), rep(seq_len(count), each = width))
    })
}

# The windows in which the model speaks most for its target, apart from each other: list(windows, sequences, scores).
examined_windows <- function(scores, most) {
    windows <- scores@windows[order(-scores@windows$output)]
    chosen <- windows[0]
    for (k in seq_along(windows)) {
        if (length(chosen) == most) break
        if (!any(IRanges::overlapsAny(windows[k], chosen))) chosen <- c(chosen, windows[k])
    }
    contig <- as.character(GenomeInfoDb::seqnames(chosen))
    places <- Map(function(start, end, contig) on_contig(start:end, Biostrings::width(scores@genome[contig])),
                  BiocGenerics::start(chosen), BiocGenerics::end(chosen), contig)
    sequences <- region_sequences(scores@genome, GenomicRanges::granges(chosen))
    list(windows = chosen, sequences = Biostrings::DNAStringSet(as.character(unname(sequences))),
         scores = Map(function(contig, at) base_scores(scores, contig)[at], contig, places))
}

# Numbers between 0 and 1; each copy of each window has a stream of its own for each purpose (1: deletion, 2: loss, 3: sensitivity).
uniform_numbers <- function(seed, purpose, window, copy, count) {
    (.Call(C_random, seed, (purpose * 1e5 + window) * 1e3 + copy - 1, count, 2^24) + 0.5) / 2^24
}
