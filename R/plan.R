# R/plan.R: what a run will take, before it runs; and what it must be allowed when memory does not suffice.

#' What a run will take
#'
#' What [plan()] returns. `as.data.frame()` gives the table of layers:
#'   - `layer`, `class`, `shape`: of the output, length and channels; layers that a kernel computes together are one row;
#'   - `part`: `"once"`, computed once for all nodes of a path; `"tiles"`, cut into pieces that fit the caches; `"whole"`, from the
#'     first layer on that reads its whole input;
#'   - `algorithm`, `tiles`, `tile_rows`: how it is computed, in how many tiles forward, and how many rows at a time: a tile takes rows over from
#'     the one before it, and layers with few rows in a tile run once for several;
#'   - `again_percent`: rows that are computed more than once because a tile could not take them over;
#'   - `kept`, `kept_bytes`: what is kept of each sample, a window at a node of its path, until the gradient comes back: `"values"`,
#'     `"codes"` (signs of ReLU, winners of pools and the like), both, or nothing;
#'   - `operations`, `seconds`: floating-point operations, and estimated seconds with all threads, of the whole run.
#' @slot layers The table, for the longest contig.
#' @slot settings A list: model, method, nodes (of a pass), passes, windows, window (the longest, bp), threads, memory_bytes (the limit), core_bytes (what the
#'   core will take), result_bytes, overlap (what overlapping windows share, in words), operations, seconds.
#' @return An object of class `Plan`, which prints the layers that compute, memory and time. `as.data.frame()`: all layers.
#' @exportClass Plan
setClass("Plan", slots = c(layers = "data.frame", settings = "list"))

#' Plan a run before it runs
#'
#' Says what [attribution()] or `predict()` will do with a genome, layer by layer, and what it will take: memory, floating-point
#' operations and seconds. Nothing is computed of the genome itself.
#'
#' The plan is the one that runs. Its memory is that of the call itself, which is made and stopped before its first step, so that it is
#' exact. Seconds are estimated: every layer is timed for some milliseconds, on one tile and on all threads at once, and so are the drawing
#' of baselines and the averaging of maps; that takes about a second, and nothing is stored. Baselines, noisy copies and strands are passes,
#' each of which takes as long as the first.
#'
#' The package future has a function of this name as well; `nucleograd::plan()` is this one.
#' @inheritParams attribution
#' @param method What is to run: `"predict"`, or a method of [attribution()].
#' @param baseline As of [attribution()]: with one that differs from base to base more is computed for each node.
#' @return A [Plan-class].
#' @section Errors: As [attribution()]: `nucleograd_error_memory` says how much memory would be enough.
#' @examples
#' genome <- Biostrings::subseq(example_genome(), 853001, 857000)
#' ahead <- plan(example_model(), genome, nodes = 10)
#' ahead
#' as.data.frame(ahead)$operations
#' plan(example_model(), genome, method = "expected", nodes = 20)
#' @export
plan <- function(model, genome, method = "ig", nodes = 50, baseline = "uniform", target = 1, strand = c("forward", "reverse", "both"),
                 replicates = NULL, window = NULL, step = NULL, threads = NULL, memory_bytes = NULL) {
    began <- proc.time()[["elapsed"]]
    check_model(model)
    check_is(genome, "DNAStringSet", "read_genome")
    method <- check_choice(method, c(names(attribution_methods), "predict"))
    strand <- check_choice(strand, c("forward", "reverse", "both"))
    nodes <- check_number(nodes, min = 1, max = 1e5)
    windows <- genome_windows(model, genome, window, step, tokens = TRUE)
    run <- run_settings(threads, memory_bytes = memory_bytes)
    goal <- if (method == "predict") list(nodes = model@settings$output_nodes) else targets_of(model, target, "logit")
    if (missing(baseline) && method %in% c("expected", "deepshap")) baseline <- "dinucleotide"
    todo <- planned_passes(method, nodes, baseline, replicates, strand, genome, windows, run, environment())
    longest <- longest_contig(windows)
    request <- rehearsed_request(goal, genome, windows[longest], todo$baseline, todo$path)
    began <- proc.time()[["elapsed"]] - began
    found <- core_plan(model, request, TRUE, run, environment())
    totals <- found$totals
    layers <- plan_layers(found$numbers, found$words, todo, length(goal$cotangents), totals$winners_kept == 1, totals$round_nodes)
    width <- as.numeric(BiocGenerics::width(windows))
    times <- todo$passes * sum(width) / width[longest[1]] * totals$left
    check <- plan_layers(found$numbers, found$words, replace(todo, c("apart", "ends"), list(TRUE, 2)), length(goal$cotangents), FALSE, 0)
    layers$operations <- layers$operations * times + check$operations * todo$checks
    layers$seconds <- (layers$seconds * times + check$seconds * todo$checks) / run[[1]]
    length_bp <- sum(as.numeric(Biostrings::width(genome)))
    calls <- todo$passes * length(unique(GenomicRanges::seqnames(windows)))
    around <- began + totals$seconds * calls + todo$passes * (todo$seconds_a_base * length_bp + todo$seconds_drawing)
    result_bytes <- if (method == "predict") 8 * sum(output_sizes(model)) * length(windows)
                    else length(goal$target) * (if (todo$maps > 1) 40 else 32) * length_bp
    new("Plan", layers = layers,
        settings = list(model = model@name, method = method, nodes = todo$nodes, passes = todo$passes, windows = length(windows),
                        window = width[longest[1]], threads = run[[1]], memory_bytes = run[[2]], core_bytes = totals$bytes,
                        result_bytes = result_bytes, overlap = overlap_words(windows[longest], totals, todo$apart),
                        operations = sum(layers$operations), seconds = sum(layers$seconds) + around))
}

# What windows that overlap share, or why nothing; NULL: they do not overlap. own: each has a baseline of its own.
overlap_words <- function(windows, totals, own) {
    if (length(windows) < 3 || BiocGenerics::start(windows)[2] > BiocGenerics::end(windows)[1]) return(NULL)
    if (totals$left < 0.99) return(paste0("windows share layers, which leaves ", round(100 * totals$left), " % of the operations"))
    paste0("windows share no layer: ", if (own) "each has a baseline of its own"
           else if (totals$short_of_memory == 1) "that takes more memory than is allowed" else "that would not pay")
}

# The windows of the contig that takes the most memory: of those with the longest windows the one with the most.
longest_contig <- function(windows) {
    groups <- windows_by_contig(windows)
    width <- as.numeric(BiocGenerics::width(windows))
    groups[[which.max(vapply(groups, function(here) width[here[1]] * 1e9 + length(here), 0))]]
}

# What a method runs: path, nodes and ends of a pass; maps that are averaged, and passes, one for each strand of each; baseline, and apart: it
# differs from base to base; checks: windows that are computed besides, with baselines of their own; and what is done around the core:
# seconds of drawing baselines in a pass, and of what is made of its map, for each base.
planned_passes <- function(method, nodes, baseline, replicates, strand, genome, windows, run, frame) {
    if (method == "predict")
        return(list(path = NULL, nodes = 1, ends = 1, passes = 1, maps = 1, baseline = no_baseline, apart = FALSE, checks = 0,
                    seconds_drawing = 0, seconds_a_base = 0))
    settings <- list(method = method, nodes = nodes, rule = "midpoint", noise = "mutation", noise_level = 0.1, seed = 1)
    compared <- attribution_methods[[method]]$baseline
    drawn <- if (compared) genome_baseline(baseline, genome, BiocGenerics::width(windows), 1, run, frame) else no_baseline
    maps <- count_passes(method, replicates, nodes, drawn$drawn, frame)
    pass <- method_pass(settings, 1)
    part <- first_part(genome, windows)
    draw <- function() drawn$rows(part, 1)
    apart <- length(draw()) != 4
    list(path = pass$path, nodes = if (method == "ig") nodes else 1, ends = if (compared) 2 else 1, maps = maps, passes = maps * if (strand == "both") 2 else 1,
         baseline = drawn, apart = apart, checks = if (method %in% c("gradient", "saliency", "gradient_x_input")) 2 else 0,
         seconds_drawing = if (apart) seconds_of(draw) * sum(as.numeric(BiocGenerics::width(windows))) / part$width else 0,
         seconds_a_base = seconds_a_base(method, maps))
}

# The first window of a genome.
first_part <- function(genome, windows) {
    contig <- as.character(GenomicRanges::seqnames(windows))[1]
    strand_part(base_codes(genome[[contig]]), contig, windows[1], FALSE)
}

# What attribution() does with a map, tried on one.
seconds_a_base <- function(method, maps, rows = 2^16) {
    raw <- matrix(0.5, rows, 4)
    so_far <- if (maps > 1) gather(NULL, raw, NULL)
    seconds_of(function() gather(so_far, method_map(method, raw, raw), NULL, method == "vargrad")) / rows
}

# The median of three turns: in one of them R may collect garbage.
seconds_of <- function(run) stats::median(replicate(3, system.time(run(), gcFirst = FALSE)[["elapsed"]]))

# What the core is asked for the windows of one contig; path NULL: predictions.
contig_request <- function(goal, genome, windows, baseline, path) {
    list(wanted = goal$nodes, cotangents = goal$cotangents, bases = base_codes(genome[[as.character(GenomicRanges::seqnames(windows))[1]]]),
         starts = as.numeric(BiocGenerics::start(windows)), window = as.numeric(BiocGenerics::width(windows)[1]), baseline = baseline, path = path)
}

# list(numbers, words, totals), see bridge_plan_contig(): numbers and words of each layer.
core_plan <- function(model, request, timed, run, frame) {
    found <- advise_memory(.Call(C_plan_contig, model@pointer, request$wanted, request$cotangents, request$bases, request$starts, request$window,
                                 request$baseline, request$path, timed, run, frame), model, request, run, frame)
    list(numbers = found[[1]], words = found[[2]],
         totals = as.list(stats::setNames(found[[3]], c("bytes", "seconds", "left", "winners_kept", "short_of_memory", "round_nodes"))))
}

# ---- the table ----

plan_columns <- c("zone", "origin", "rank", "samples", "length", "channels", "block", "tiles", "tile_rows", "computed_rows", "value_bytes",
                  "code_bytes", "forward", "backward", "forward_seconds", "backward_seconds", "path_operations", "path_seconds")

# Operations and thread seconds are of one window here: both ends of a path forward, every node forward, and back for each target. What is
# computed once has two ends and one way back; but where the nodes of a round share no winners of pools, it has two ends in every round, and
# where winners are not kept, the sequence's end in every round and again on the way back.
plan_layers <- function(numbers, words, todo, targets, winners_kept, round_nodes) {
    cost <- stats::setNames(as.data.frame(numbers), plan_columns)
    once <- cost$zone == 0
    nodes <- if (is.null(todo$path)) 0 else todo$nodes
    rounds <- 1 + if (round_nodes > 0) ceiling(nodes / round_nodes) else 1
    pooled <- any(cost$path_operations > 0)
    ends <- todo$ends * if (nodes == 0) 1 else if (!pooled) rounds else if (todo$apart) 2 * rounds else 1
    if (pooled && !winners_kept && !todo$apart) ends <- ends + rounds + targets
    forward <- ifelse(once, ends, nodes + todo$ends)
    backward <- ifelse(once, min(nodes, 1), nodes) * targets
    along <- (nodes + todo$ends) * if (todo$apart) 4 else 1
    rows <- cost$samples * cost$length
    data.frame(
        layer = words[, 1], class = words[, 2],
        shape = ifelse(cost$rank == 1, paste0("(", cost$channels, ")"),
                       paste0("(", ifelse(cost$rank == 3, paste0(cost$samples, ", "), ""), format_count(cost$length), ", ", cost$channels, ")")),
        part = c("once", "tiles", "whole")[cost$zone + 1],
        algorithm = ifelse(nzchar(words[, 3]), paste0(words[, 3], ifelse(cost$block > 1, paste0(", ", cost$block, " rows at a time"), "")),
                           ifelse(cost$forward == 0, "", "direct")),
        tiles = cost$tiles, tile_rows = cost$tile_rows, again_percent = pmax(0, 100 * (cost$computed_rows / rows - 1)),
        kept = c("", "values", "codes", "values and codes")[1 + (cost$value_bytes > 0) + 2 * (cost$code_bytes > 0)],
        kept_bytes = cost$value_bytes + cost$code_bytes,
        operations = forward * cost$forward + backward * cost$backward + along * cost$path_operations,
        seconds = forward * cost$forward_seconds + backward * cost$backward_seconds + along * cost$path_seconds)
}

format_count <- function(x) format(x, big.mark = ",", trim = TRUE, scientific = FALSE)

format_bytes <- function(bytes) {
    unit <- pmax(0, pmin(3, floor(log10(pmax(bytes, 1)) / 3)))
    paste(format(signif(bytes / 1000^unit, 3), trim = TRUE), c("bytes", "kB", "MB", "GB")[unit + 1])
}

# ---- memory ----

# Contigs are read one after the other; so that nothing has been computed when memory turns out to be short, that with the longest windows is
# tried first, and that with the most ambiguous bases, whose neighbours take memory of their own.
check_memory <- function(model, goal, genome, windows, baseline, path, run, frame) {
    contig <- as.character(GenomicRanges::seqnames(windows))
    if (all(contig == contig[1])) return(invisible())
    ambiguous <- Biostrings::width(genome) - rowSums(Biostrings::alphabetFrequency(genome)[, bases, drop = FALSE])
    ambiguous[!names(genome) %in% contig] <- 0
    tried <- c(contig[which.max(BiocGenerics::width(windows))], if (!is.null(path) && any(ambiguous > 0)) names(genome)[which.max(ambiguous)])
    for (one in setdiff(tried, contig[1]))
        core_plan(model, rehearsed_request(goal, genome, windows[contig == one], baseline, path), FALSE, run, frame)
}

# The request of the first call for these windows; sequences stand in for baselines that are drawn.
rehearsed_request <- function(goal, genome, windows, baseline, path) {
    contig <- as.character(GenomicRanges::seqnames(windows))[1]
    part <- strand_part(base_codes(genome[[contig]]), contig, windows, FALSE)
    here <- windows[window_chunks(baseline, part)[[1]]]
    rows <- if (baseline$drawn) rep_len(rev(part$bases), part$width * length(here)) else baseline$rows(strand_part(part$bases, contig, here, FALSE), 1)
    contig_request(goal, genome, here, rows, path)
}

# The value of a call of the core. If that asks for more memory than it may have, the error says how much would be enough.
advise_memory <- function(value, model, request, run, call) {
    tryCatch(value, nucleograd_error_memory = function(error) {
        needed <- needed_memory(model, request, run)
        if (needed <= run[[2]]) stop(error)                          # it is the system that has none
        stop_input(c("{.arg memory_bytes} must be at least {.val {needed}} ({format_bytes(needed)}) for this model and genome.",
                     x = "It is {.val {run[[2]]}} ({format_bytes(run[[2]])}), and no plan takes as little.",
                     i = "Give {.code memory_bytes = {needed}}, or set the option {.code nucleograd.memory_bytes}; shorter windows and fewer threads take less."),
                   class = "memory", call = call)
    })
}

# The least limit, to 5 percent, with which the request finds a plan.
needed_memory <- function(model, request, run) {
    fits <- function(limit) {
        run[[2]] <- limit
        tryCatch({
            .Call(C_plan_contig, model@pointer, request$wanted, request$cotangents, request$bases, request$starts, request$window,
                  request$baseline, request$path, FALSE, run, environment())
            TRUE
        }, nucleograd_error_memory = function(error) FALSE)
    }
    if (fits(run[[2]])) return(run[[2]])
    too_little <- max(run[[2]], 1e5)
    while (!fits(enough <- 2 * too_little)) too_little <- enough
    while (enough > 1.05 * too_little)
        if (fits(middle <- sqrt(enough * too_little))) enough <- middle else too_little <- middle
    signif(enough, 2) + if (signif(enough, 2) < enough) 10^(floor(log10(enough)) - 1) else 0
}

# ---- printing ----

#' @rdname Plan-class
#' @param object,x A `Plan`.
#' @export
setMethod("show", "Plan", function(object) {
    with(object@settings, cat(
        "Plan of ", if (method == "predict") "predictions" else attribution_methods[[method]]$title, " of ", model, ": ",
        format_count(windows), if (windows == 1) " window" else " windows", " of ", if (windows > 1) "up to ", format_count(window), " bp, ",
        if (method == "ig") paste0(nodes, " nodes, "), if (passes > 1) paste0(passes, " passes, "), threads, if (threads == 1) " thread" else " threads", "\n", sep = ""))
    layers <- object@layers[object@layers$operations > 0, ]
    table <- data.frame(layer = layers$layer, class = layers$class, shape = layers$shape, part = layers$part, algorithm = layers$algorithm,
                        tiles = format_count(layers$tiles), rows = format_count(layers$tile_rows), again = paste0(round(layers$again_percent), "%"),
                        kept = layers$kept, bytes = ifelse(layers$kept_bytes > 0, format_bytes_each(layers$kept_bytes), ""),
                        operations = format(layers$operations, digits = 2), seconds = format(signif(layers$seconds, 2)))
    print(table, row.names = FALSE, right = FALSE)
    with(object@settings, cat(
        "  memory     ", format_bytes(core_bytes + result_bytes), ": ", format_bytes(core_bytes), " while it runs (at most ", format_bytes(memory_bytes),
        " allowed), ", format_bytes(result_bytes), " of result\n", if (!is.null(overlap)) paste0("  overlap    ", overlap, "\n"),
        "  operations ", format(operations, digits = 3), "\n  seconds    about ", format(signif(seconds, 2)), "\n", sep = ""))
})

format_bytes_each <- function(bytes) vapply(bytes, format_bytes, "")

#' @rdname Plan-class
#' @param row.names,optional,... Ignored; there because the generic has them.
#' @importMethodsFrom BiocGenerics as.data.frame
#' @exportMethod as.data.frame
setMethod("as.data.frame", "Plan", function(x, row.names = NULL, optional = FALSE, ...) x@layers)
