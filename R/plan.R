# R/plan.R: what a run will take, before it runs; and what it must be allowed when memory does not suffice.

#' What a run will take
#'
#' What [plan()] returns. `as.data.frame()` gives the table of layers:
#'   - `layer`, `class`, `shape`: of the output, length and channels; layers that a kernel computes together are one row;
#'   - `part`: `"once"`, computed once for all nodes of a path; `"tiles"`, cut into pieces that fit the caches; `"whole"`, from the
#'     first layer on that reads its whole input;
#'   - `algorithm`, `tiles`, `tile_rows`: how it is computed, in how many tiles forward, of how many rows;
#'   - `again_percent`: rows that are computed again because tiles overlap, instead of being kept;
#'   - `kept`, `kept_bytes`: what is kept of each sample, a window at a node of its path, until the gradient comes back: `"values"`,
#'     `"codes"` (signs of ReLU, winners of pools and the like), both, or nothing;
#'   - `operations`, `seconds`: floating-point operations, and estimated seconds with all threads, of the whole run.
#' @slot layers The table, for the longest contig.
#' @slot settings A list: model, method, nodes, windows, window (the longest, bp), threads, memory_bytes (the limit), core_bytes (what the
#'   core will take), result_bytes, operations, seconds.
#' @exportClass Plan
setClass("Plan", slots = c(layers = "data.frame", settings = "list"))

#' Plan a run before it runs
#'
#' Says what [attribution()] or `predict()` will do with a genome, layer by layer, and what it will take: memory, floating-point
#' operations and seconds. Nothing is computed of the genome itself.
#'
#' The plan is the one that runs. Its memory is that of the call itself, which is made and stopped before its first step, so that it is
#' exact. Seconds are estimated: every layer is timed for some milliseconds, on one tile and on all threads at once, which takes about
#' a second; nothing is stored. Windows that overlap may share work and then take less.
#'
#' The package future has a function of this name as well; `nucleograd::plan()` is this one.
#' @inheritParams attribution
#' @param method What is to run: `"ig"` or `"gradient"`, see [attribution()], or `"predict"`.
#' @return A [Plan-class].
#' @section Errors: As [attribution()]: `nucleograd_error_memory` says how much memory would be enough.
#' @examples
#' genome <- Biostrings::subseq(example_genome(), 853001, 857000)
#' ahead <- plan(example_model(), genome, nodes = 10)
#' ahead
#' as.data.frame(ahead)$operations
#' @export
plan <- function(model, genome, method = c("ig", "gradient", "predict"), nodes = 50, window = NULL, step = NULL, threads = NULL,
                 memory_bytes = NULL) {
    check_model(model)
    check_is(genome, "DNAStringSet", "read_genome")
    method <- check_choice(method, c("ig", "gradient", "predict"))
    nodes <- if (method == "ig") check_number(nodes, min = 1, max = 1e5) else 1
    path <- switch(method, ig = c(path_rule(nodes, "midpoint"), TRUE), gradient = list(1, 1, FALSE), predict = NULL)
    windows <- genome_windows(model, genome, window, step, tokens = TRUE)
    run <- run_settings(threads, memory_bytes = memory_bytes)
    goal <- if (method == "predict") list(nodes = model@settings$output_nodes) else targets_of(model, 1, "logit")
    groups <- windows_by_contig(windows)
    width <- as.numeric(BiocGenerics::width(windows))
    longest <- groups[[which.max(vapply(groups, function(here) width[here[1]] * 1e9 + length(here), 0))]]
    request <- contig_request(goal, genome, windows[longest], rep(0.25, 4), path)
    found <- core_plan(model, request, TRUE, run, environment())
    layers <- plan_layers(found[[1]], found[[2]], nodes, method)
    all_windows <- sum(width) / width[longest[1]]
    layers$operations <- layers$operations * all_windows
    layers$seconds <- layers$seconds * all_windows / run[[1]]
    result_bytes <- if (method == "predict") 8 * sum(output_sizes(model)) * length(windows) else 32 * sum(as.numeric(Biostrings::width(genome)))
    new("Plan", layers = layers,
        settings = list(model = model@name, method = method, nodes = nodes, windows = length(windows), window = width[longest[1]],
                        threads = run[[1]], memory_bytes = run[[2]], core_bytes = found[[3]][1], result_bytes = result_bytes,
                        operations = sum(layers$operations), seconds = sum(layers$seconds) + found[[3]][2] * length(groups)))
}

# What the core is asked for the windows of one contig; path NULL: predictions.
contig_request <- function(goal, genome, windows, baseline, path) {
    list(wanted = goal$nodes, cotangents = goal$cotangents, bases = base_codes(genome[[as.character(GenomicRanges::seqnames(windows))[1]]]),
         starts = as.numeric(BiocGenerics::start(windows)), window = as.numeric(BiocGenerics::width(windows)[1]), baseline = baseline, path = path)
}

core_plan <- function(model, request, timed, run, frame) {
    advise_memory(.Call(C_plan_contig, model@pointer, request$wanted, request$cotangents, request$bases, request$starts, request$window,
                        request$baseline, request$path, timed, run, frame), model, request, run, frame)
}

# ---- the table ----

plan_columns <- c("zone", "origin", "rank", "samples", "length", "channels", "block", "tiles", "tile_rows", "computed_rows", "value_bytes",
                  "code_bytes", "forward", "backward", "forward_seconds", "backward_seconds", "path_operations", "path_seconds")

# Operations and thread seconds are of one window here: both ends of a path forward, every node forward and backward; what is computed
# once has two ends and one way back.
plan_layers <- function(numbers, words, nodes, method) {
    cost <- stats::setNames(as.data.frame(numbers), plan_columns)
    once <- cost$zone == 0
    ways <- if (method == "predict") c(1, 0) else c(nodes + 2, nodes)
    forward <- ifelse(once, min(ways[1], 2), ways[1])
    backward <- ifelse(once, min(ways[2], 1), ways[2])
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
        operations = forward * cost$forward + backward * cost$backward + nodes * cost$path_operations,
        seconds = forward * cost$forward_seconds + backward * cost$backward_seconds + nodes * cost$path_seconds)
}

format_count <- function(x) format(x, big.mark = ",", trim = TRUE, scientific = FALSE)

format_bytes <- function(bytes) {
    unit <- pmax(0, pmin(3, floor(log10(pmax(bytes, 1)) / 3)))
    paste(format(signif(bytes / 1000^unit, 3), trim = TRUE), c("bytes", "kB", "MB", "GB")[unit + 1])
}

# ---- memory ----

# Contigs are read one after the other; so that nothing has been computed when memory turns out to be short, the longest is tried first.
check_memory <- function(model, goal, genome, windows, baseline, path, run, frame) {
    widths <- BiocGenerics::width(windows)
    if (all(widths == widths[1])) return()
    core_plan(model, contig_request(goal, genome, windows[which.max(widths)], baseline, path), FALSE, run, frame)
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
        "Plan of ", c(ig = "integrated gradients", gradient = "the gradient", predict = "predictions")[[method]], " of ", model, ": ",
        format_count(windows), if (windows == 1) " window" else " windows", " of ", if (windows > 1) "up to ", format_count(window), " bp, ",
        if (method == "ig") paste0(nodes, " nodes, "), threads, if (threads == 1) " thread" else " threads", "\n", sep = ""))
    layers <- object@layers[object@layers$operations > 0, ]
    table <- data.frame(layer = layers$layer, class = layers$class, shape = layers$shape, part = layers$part, algorithm = layers$algorithm,
                        tiles = format_count(layers$tiles), rows = format_count(layers$tile_rows), again = paste0(round(layers$again_percent), "%"),
                        kept = layers$kept, bytes = ifelse(layers$kept_bytes > 0, format_bytes_each(layers$kept_bytes), ""),
                        operations = format(layers$operations, digits = 2), seconds = format(signif(layers$seconds, 2)))
    print(table, row.names = FALSE, right = FALSE)
    with(object@settings, cat(
        "  memory     ", format_bytes(core_bytes + result_bytes), ": ", format_bytes(core_bytes), " while it runs (at most ", format_bytes(memory_bytes),
        " allowed), ", format_bytes(result_bytes), " of result\n  operations ", format(operations, digits = 3), "\n  seconds    about ",
        format(signif(seconds, 2)), "\n", sep = ""))
})

format_bytes_each <- function(bytes) vapply(bytes, format_bytes, "")

#' @rdname Plan-class
#' @param row.names,optional,... Ignored; there because the generic has them.
#' @importMethodsFrom BiocGenerics as.data.frame
#' @exportMethod as.data.frame
setMethod("as.data.frame", "Plan", function(x, row.names = NULL, optional = FALSE, ...) x@layers)
