# R/trust.R: how far a map of scores can be trusted, in numbers.

#' How far a map of scores can be trusted
#'
#' What [trust()] returns.
#' @slot measures A data.frame, one row a number: `measure`, `comparison` (with what, or how), `level` (`"base"`, `"gene"`, `"window"`, or
#'   `"signed"` and `"absolute"` scores of bases), `value`, `lower` and `upper`.
#' @slot gaps The completeness gap of each window, relative to what a window explains on average; empty for methods without one.
#' @slot cascade One row a randomised network: `layers`, how many from the top, `down_to`, the lowest of them, `draw`, and the rank
#'   correlations of its map with that of the network, `signed` and `absolute`.
#' @slot curves Deletion and insertion: `curve`, `order`, `share` of the window that is deleted or inserted, `value`: 1 is the
#'   model's answer for the windows as they are, 0 for shuffled ones.
#' @slot mutations One row a mutated copy: `window`, `lost`, what the model's answer lost, and `predicted`, the sum of the scores of the
#'   bases that were lost.
#' @slot changes The sensitivity of each window that was examined.
#' @slot settings A list: those of the scores, the windows that were examined, and the seed.
#' @param x,object A `Trust`.
#' @param row.names,optional,... Ignored; there because the generic has them.
#' @return `as.data.frame()` and `summary()`: the measures.
#' @exportClass Trust
setClass("Trust", slots = c(measures = "data.frame", gaps = "numeric", cascade = "data.frame", curves = "data.frame", mutations = "data.frame",
                            changes = "numeric", settings = "list"))

#' How far can a map of scores be trusted?
#'
#' Is it the model that says so, or the method? Would another baseline have said the same? Do the bases with high scores carry
#' the answer? `trust()` asks a map of scores what can be measured without knowing the truth. Where the truth is known, see
#' [motif_detection()].
#'
#' | measure | what is done | good |
#' | --- | --- | --- |
#' | `completeness gap` | sum of the scores against F(x) - F(x'), as a share of what windows explain: mean over windows, and the worst | near 0 |
#' | `rank correlation` | other baselines, methods, strands and models make the map of the same genome: Spearman's correlation of bases and of genes, with 95 % interval, as [score_agreement()] has it | near 1 |
#' | `correlation after randomisation` | layers of the network get random weights, from the top down ([randomise_model()]); the correlation of the new map with the map, mean and range of `draws` | near 0 |
#' | `deletion area` | pieces of a window are replaced by those of shuffled copies (same dinucleotides), highest scores first; the area under the model's answer, 1 as it is, 0 all shuffled; `NA` if shuffled copies say as much | far below random order |
#' | `insertion area` | the same pieces are put into shuffled copies | far above random order |
#' | `infidelity` | bases are mutated at random: what the answer loses, against the sum of their scores; the share of its square that the scores leave unexplained | near 0 |
#' | `correlation with loss` | Pearson's correlation of the two, within windows | near 1 |
#' | `max sensitivity` | a few bases are mutated: the change of the scores of all others (root of the sum of squares, relative), the largest of `copies`, mean over windows | small |
#'
#' The first two are of the whole map. The others are of `windows` windows that do not overlap, those in which the model speaks most
#' for its target, since a window that says nothing loses nothing. Deletion and insertion take 63 answers of the model for each
#' shuffled copy. Infidelity and sensitivity are those of Yeh and others (2019) with point mutations for noise; scores may be of any
#' unit, so the best multiple of them counts. Intervals are 95 %: from leaving out one window at a time for areas and infidelity, by
#' Student's t for means over windows.
#' @param scores An [Attribution-class], from [attribution()].
#' @param model The [Model-class] that it is of.
#' @param annotation A `GRanges` of genes, to compare maps gene by gene; `NULL`: base by base only.
#' @param alternatives Other ways to make the map, a named list of lists of arguments of [attribution()], such as
#'   `list("few nodes" = list(nodes = 5))`. `NULL`: uniform, composition and dinucleotide baselines, gradient x input, and the other
#'   strand, without what the map is itself; an empty list: none. Each takes as long as the map did, or longer: dinucleotide
#'   baselines five times as long.
#' @param models A named list of [Model-class], such as the same network trained from other seeds: their maps are compared as well.
#' @param baseline If the baseline of the scores was numbers, sequences or a function: that.
#' @param windows How many windows are examined, 1 to 10,000.
#' @param pieces Into how many pieces a window is cut, 2 to 10,000.
#' @param shuffles,copies,draws How many shuffled copies, mutated copies and random networks, of each window or number of layers; 1 to
#'   1,000. Sensitivity takes a fifth of the mutated copies.
#' @param mutated The share of a window's bases that is mutated in a copy, above 0 and below 1; a fifth of it for sensitivity.
#' @param seed A whole number up to 1e9 for the same draws again; `NULL` takes one from R's generator.
#' @param threads Threads, see [thread_count()].
#' @return A [Trust-class], with methods for `summary()`, `as.data.frame()` and `plot()`.
#' @section Errors: `nucleograd_error_argument`; as of [attribution()], which makes the other maps. Warning: `nucleograd_warning_baseline`: most
#'   windows that were examined are answered less loudly than their baselines, so that the scores explain what speaks against the target.
#' @source Adebayo and others (2018), \url{https://arxiv.org/abs/1810.03292} (randomisation); Petsiuk, Das and Saenko (2018),
#'   \url{https://arxiv.org/abs/1806.07421} (deletion and insertion); Yeh and others (2019), \url{https://arxiv.org/abs/1901.09392}
#'   (infidelity and sensitivity).
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' scores <- attribution(example_model(), piece, nodes = 5)
#' trust(scores, example_model(), alternatives = list("few nodes" = list(nodes = 2)), windows = 2,
#'       shuffles = 2, copies = 10,
#'       draws = 1, seed = 1)
#' @export
trust <- function(scores, model, annotation = NULL, alternatives = NULL, models = list(), baseline = NULL, windows = 20, pieces = 50,
                  shuffles = 5, copies = 25, draws = 3, mutated = 0.05, seed = NULL, threads = NULL) {
    check_is(scores, "Attribution", "attribution")
    check_model(model)
    if (!is.null(annotation)) check_is(annotation, "GRanges", "read_annotation")
    windows <- check_number(windows, 1, 1e4)
    pieces <- check_number(pieces, 2, 1e4)
    shuffles <- check_number(shuffles, 1, 1000)
    copies <- check_number(copies, 1, 1000)
    draws <- check_number(draws, 1, 1000)
    mutated <- check_positive(mutated, max = 1)
    seed <- if (is.null(seed)) as.numeric(sample.int(1e9, 1)) else check_number(seed, 0, 1e9)
    arguments <- same_arguments(scores, baseline)
    others <- other_maps(scores, alternatives, models, arguments)
    examined <- examined_windows(scores, windows)
    found <- length(examined$sequences)
    if (!found) stop_input("{.arg scores} must have windows; there are none.")

    warn_louder_baseline(examined$windows)
    steps <- length(others) + draws * length(weighted_layers(model)) + 3 * found
    frame <- environment()
    bar <- cli::cli_progress_bar("Measuring trust", total = steps, .envir = frame)
    tick <- function() cli::cli_progress_update(id = bar, .envir = frame)
    maps <- lapply(others, function(other) {
        same <- list(genome = scores@genome, window = scores@settings$window, step = scores@settings$step, threads = threads)
        map <- do.call(map_again, c(same, other(model)))
        tick()
        map
    })
    cascade <- cascade_of(model, examined, arguments, draws, seed, threads, tick)
    curves <- deletion_curves(model, examined, arguments, pieces, shuffles, seed, threads, tick)
    mutations <- mutation_table(model, examined, arguments, mutated, copies, seed, threads, tick)
    changes <- sensitivities(model, examined, arguments, mutated / 5, ceiling(copies / 5), seed, threads, tick)
    change <- over_sequences(changes)
    gaps <- relative_gaps(scores)
    measures <- rbind(completeness_rows(gaps), if (length(maps)) agreement_rows(score_agreement(scores, maps, annotation)), cascade_rows(cascade),
                      curve_rows(curves), mutation_rows(mutations),
                      measure_row("max sensitivity", "point mutations", "window", change$value, change$lower, change$upper))
    new("Trust", measures = measures, gaps = gaps, cascade = cascade, curves = curve_table(curves), mutations = mutations, changes = changes,
        settings = c(scores@settings, list(examined = examined$windows, trust_seed = seed)))
}

# Where a baseline says yes more loudly than the sequence, scores say what speaks against the target, not for it.
warn_louder_baseline <- function(windows) {
    louder <- sum(windows$baseline_output >= windows$output, na.rm = TRUE)
    if (louder * 2 > length(windows))
        cli::cli_warn(c("The model answers the baseline at least as loudly as the sequence in {louder} of {length(windows)} windows examined.",
                        i = "Their scores explain what speaks against the target. Do shuffled baselines, {.code baseline = \"dinucleotide\"}, say the same?"),
                      class = "nucleograd_warning_baseline")
}

# For each other map a function that gives attribution() its arguments, the model first; `model` is the one of the scores.
other_maps <- function(scores, alternatives, models, arguments, call = parent.frame()) {
    if (is.null(alternatives)) alternatives <- usual_alternatives(scores@settings)
    named <- function(x) is.list(x) && (!length(x) || !is.null(names(x)) && all(nzchar(names(x))))
    own <- setdiff(names(formals(attribution)), c("model", "genome", "threads", "memory_bytes"))
    fits <- named(alternatives) && all(vapply(alternatives, function(one) named(one) && all(names(one) %in% own), NA))
    if (!fits)
        stop_input(c("{.arg alternatives} must be a named list of lists of arguments of {.fun attribution}.", x = "It is {friendly(alternatives)}.",
                     i = "The arguments may be {.val {own}}."), call = call)
    if (!named(models) || !all(vapply(models, is, NA, "Model")))
        stop_input("{.arg models} must be a named list of {.cls Model}, not {friendly(models)}.", call = call)
    for (model in models) check_model(model, call)
    c(lapply(alternatives, function(one) function(model) c(list(model), merged_arguments(arguments, one))),
      lapply(models, function(other) function(model) c(list(other), arguments)))
}

# What is drawn for one method or baseline is nothing to another.
merged_arguments <- function(arguments, changes) {
    if (any(c("method", "baseline") %in% names(changes))) arguments$replicates <- NULL
    utils::modifyList(arguments, changes)
}

agreement_rows <- function(table) measure_row("rank correlation", table$comparison, table$level, table$correlation, table$lower, table$upper)

#' @rdname Trust-class
#' @export
setMethod("show", "Trust", function(object) {
    settings <- object@settings
    cat("Trust in ", settings_title(settings), " for ", settings$target_name, ", model ", settings$model, "\n",
        "  ", length(settings$examined), if (length(settings$examined) == 1) " window" else " windows", " examined, seed ",
        format(settings$trust_seed, scientific = FALSE), "; [95 % interval], of randomised networks [range]\n", sep = "")
    table <- object@measures
    number <- function(x) formatC(x, digits = 2, format = "f")
    limits <- ifelse(is.na(table$lower), "", paste0(" [", number(table$lower), ", ", number(table$upper), "]"))
    table$shown <- paste0(formatC(number(table$value), width = 6), limits)
    for (measure in unique(table$measure)) {
        own <- table[table$measure == measure, ]
        cat(measure, "\n", sep = "")
        several <- length(unique(own$level)) > 1
        lines <- paste0("  ", format(own$comparison), "  ", if (several) paste0(format(own$level), "  "), own$shown)
        cat(lines, sep = "\n")
    }
})

#' @rdname Trust-class
#' @export
summary.Trust <- function(object, ...) object@measures

#' @rdname Trust-class
#' @export
setMethod("as.data.frame", "Trust", function(x, row.names = NULL, optional = FALSE, ...) x@measures)
