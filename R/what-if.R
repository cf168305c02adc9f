# R/what-if.R: what a model would answer if other bases stood at some places. knockout(), occlusion(), mutagenesis() and
# variant_effect() say which; here is what they share.

#' Effects of changes
#'
#' What [knockout()], [occlusion()] and [variant_effect()] return: a `GRanges`, one range for each change, in the order given, with the
#' columns that were there and
#' * `prediction`: what the model answers, F(x), the mean over the windows that hold a part of the range;
#' * `changed`: the mean over these windows of what it would answer, F(x');
#' * `effect`: `prediction - changed` of a knock-out or occlusion, so that a positive effect says that the region speaks for the
#'   target; `changed - prediction` of a variant, so that a positive one says that the variant does;
#' * `windows`: how many windows that are; without any the other columns are `NA`;
#' * `standard_error`: of the effect, where several replacements were drawn.
#' @slot settings A list: what, model, target, output and more.
#' @return An object of class `Effects`, which prints how it was made, and then as a `GRanges`.
#' @exportClass Effects
setClass("Effects", contains = "GRanges", slots = c(settings = "list"))

new_effects <- function(ranges, found, sign, settings) {
    columns <- S4Vectors::mcols(ranges)
    columns$prediction <- found$prediction
    columns$changed <- found$changed
    columns$effect <- sign * (found$prediction - found$changed)
    if (!is.null(found$standard_error)) columns$standard_error <- found$standard_error
    columns$windows <- found$windows
    S4Vectors::mcols(ranges) <- columns
    new("Effects", ranges, settings = settings)
}

#' @rdname Effects-class
#' @param object An `Effects`.
#' @export
setMethod("show", "Effects", function(object) {
    with(object@settings, {
        cat(what, " of ", format(length(object), big.mark = ","), if (length(object) == 1) " place" else " places", ": ", sign, ", ", output, " of ",
            target_name, " (target ", target, "), model ", model, "\n", sep = "")
        if (!is.null(object@settings$replacement)) cat("  replaced by ", replacement, "\n", sep = "")
        if (!is.null(object@settings$work)) cat("  computed with the work of ", format(work, digits = 2), " predictions of a window\n", sep = "")
    })
    methods::callNextMethod()
})

#' Look at the effects of changes
#'
#' Each region, or variant, by its place and its effect; the strongest ones are named.
#' @param x An `Effects`, from [knockout()], [occlusion()] or [variant_effect()].
#' @param y Not used.
#' @param contig The name of a contig; `NULL`: that with the most changes.
#' @param top How many to name, from the largest effect of either sign down.
#' @return A `ggplot`.
#' @section Errors: `nucleograd_error_package`: ggplot2 is not installed. `nucleograd_error_contigs`; `nucleograd_error_argument`.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot(occlusion(example_model(), piece, width = 50))
#' @name plot-Effects
#' @aliases plot,Effects,missing-method
#' @exportMethod plot
setMethod("plot", signature("Effects", "missing"), function(x, y, contig = NULL, top = 10) {
    need_package("ggplot2")
    top <- check_number(top, 0, 1000)
    on <- as.character(GenomeInfoDb::seqnames(x))
    if (is.null(contig)) contig <- names(which.max(table(on)))
    if (length(contig) != 1L || !contig %in% on)
        stop_input("{.arg contig} must be one of {.val {unique(on)}}, not {friendly(contig)}.", class = "contigs")
    x <- x[on == contig]
    column <- function(name) gene_column(x, name)
    name <- first_known(column("gene"), column("locus_tag"), column("ID"), unname(as.character(x)))
    shown <- data.frame(start = BiocGenerics::start(x), end = BiocGenerics::end(x), effect = x$effect)
    shown$label <- ifelse(rank(-abs(shown$effect), ties.method = "first") <= top, short_names(name, column("product"), column("locus_tag")), "")
    shown <- shown[!is.na(shown$effect), ]
    here <- list(contig = contig, start = min(shown$start), end = max(shown$end))
    words <- ggplot2::aes((.data$start + .data$end) / 2, .data$effect, label = .data$label)
    ggplot2::ggplot(shown) +
        ggplot2::geom_hline(yintercept = 0, colour = "grey80", linewidth = 0.3) +
        ggplot2::geom_segment(ggplot2::aes(x = .data$start, xend = .data$end, y = .data$effect, yend = .data$effect), colour = "#0072B2",
                              linewidth = 1.2) +
        ggplot2::geom_point(ggplot2::aes((.data$start + .data$end) / 2, .data$effect), colour = "#0072B2", size = 0.8) +
        (if (requireNamespace("ggrepel", quietly = TRUE)) ggrepel::geom_text_repel(words, size = 3, seed = 1, max.overlaps = Inf)
         else ggplot2::geom_text(words, size = 3, check_overlap = TRUE)) +
        position_axis(here, GenomeInfoDb::seqlengths(x)[[contig]]) +
        ggplot2::labs(y = score_title(x@settings$output, "Effect"), subtitle = x@settings$sign,
                      title = paste0(x@settings$what, ", ", x@settings$target_name, ", model ", x@settings$model)) +
        plain_theme()
})

# ---- regions ----

# Regions that must lie on contigs of the genome, with its Seqinfo.
check_regions <- function(regions, genome, name = "regions", call = parent.frame()) {
    if (!is(regions, "GRanges"))
        stop_input(c("{.arg {name}} must be a {.cls GRanges}, not {.obj_type_friendly {regions}}.",
                     i = "Make one with {.fun read_annotation}."), call = call)
    known <- genome_seqinfo(genome)
    contig <- as.character(GenomeInfoDb::seqnames(regions))
    strange <- setdiff(contig, names(genome))
    if (length(strange))
        stop_input(c("{.arg {name}} must lie on contigs of {.arg genome}.", x = "{.val {strange}} {?is/are} in {.arg {name}} only.",
                     i = "{.arg genome} has {.val {names(genome)}}."), class = "contigs", call = call)
    start <- BiocGenerics::start(regions)
    end <- BiocGenerics::end(regions)
    length_bp <- unname(GenomeInfoDb::seqlengths(known)[contig])
    last <- ifelse(GenomeInfoDb::isCircular(known)[contig], start + length_bp - 1, length_bp)
    outside <- which(start < 1 | start > length_bp | end < start | end > last)
    if (length(outside)) {
        k <- outside[1]
        stop_input(c("Each of {.arg {name}} must lie on its contig and hold a base.",
                     x = "Number {k} runs from {start[k]} to {end[k]}; {.val {contig[k]}} has {length_bp[k]} bp and is {if (last[k] > length_bp[k]) 'circular' else 'linear'}."),
                   class = "regions", call = call)
    }
    GenomicRanges::GRanges(factor(contig, names(genome)), IRanges::IRanges(start, end, names = names(regions)), BiocGenerics::strand(regions),
                           S4Vectors::mcols(regions), seqinfo = known)
}

# ---- changes in place, by cones ----

# Which windows of a contig hold a part of which region: rows (region, window), by window. Over the origin both may run.
windows_over <- function(first, width, starts, window, length_bp, circular) {
    if (window == length_bp && length(starts) == 1) return(cbind(seq_along(first), 1))
    turns <- if (circular) c(-1, 0, 1) * length_bp else 0
    windows <- IRanges::IRanges(starts, width = window)
    pairs <- lapply(turns, function(turn) {
        hits <- IRanges::findOverlaps(IRanges::IRanges(first + turn, width = width), windows)
        cbind(S4Vectors::queryHits(hits), S4Vectors::subjectHits(hits))
    })
    pairs <- unique(do.call(rbind, pairs))
    pairs[order(pairs[, 2], pairs[, 1]), , drop = FALSE]
}

# Ranges as changed_in_place() reads them.
places_of <- function(ranges) {
    list(contig = as.character(GenomeInfoDb::seqnames(ranges)), start = BiocGenerics::start(ranges), width = as.numeric(BiocGenerics::width(ranges)))
}

# Means over the windows that hold a part of each place: list(contig, start, width). contents: list(variants, codes), how many
# contents each range is given and their bases, range after range, each (variants, width) row by row; or NULL: each base becomes
# the row `fill`. Value: prediction and windows of each range; changed, of the variants of range after range; operations, and how
# many predictions of a window as much work are.
changed_in_place <- function(model, goal, genome, windows, places, contents, fill, run, frame) {
    n <- length(places$start)
    width <- places$width
    variants <- if (is.null(contents)) rep(1, n) else contents$variants
    codes_at <- if (is.null(contents)) rep(-1, n) else cumsum(width * variants) - width * variants
    offset <- cumsum(variants) - variants
    before <- seen <- numeric(n)
    after <- numeric(sum(variants))
    work <- operations <- done <- 0
    by_contig <- windows_by_contig(windows)
    circular <- GenomeInfoDb::isCircular(windows)
    places_on <- split(seq_len(n), places$contig)
    for (contig in intersect(names(by_contig), names(places_on))) {
        here <- places_on[[contig]]
        request <- contig_request(goal, genome, windows[by_contig[[contig]]], fill, NULL)
        first <- places$start[here]
        pairs <- windows_over(first, width[here], request$starts, request$window, length(request$bases), circular[[contig]] %in% TRUE)
        if (!nrow(pairs)) next
        at <- here[pairs[, 1]]
        used <- unique(pairs[, 2])
        window <- match(pairs[, 2], used)
        sites <- rbind(window, first[pairs[, 1]], width[at], variants[at], codes_at[at])
        put <- if (is.null(contents)) raw() else contents$codes
        found <- kept(.Call(C_what_if, model@pointer, goal$nodes, goal$cotangents, request$bases, request$starts[used], request$window, fill,
                            matrix(as.numeric(sites), 5), put, share_of_run(run, done, length(here), n), frame),
                      list(goal, request, used, fill, sites, put))
        before <- add_at(before, at, found[[1]][window])
        seen <- add_at(seen, at, 1)
        after <- add_at(after, rep(offset[at], variants[at]) + sequence(variants[at]), found[[2]])
        operations <- operations + found[[3]][1]
        work <- work + found[[3]][1] / found[[3]][2]
        done <- done + length(here)
    }
    seen <- ifelse(seen > 0, seen, NA)
    list(prediction = before / seen, changed = after / rep(seen, variants), windows = as.integer(ifelse(is.na(seen), 0, seen)),
         work = work, operations = operations)
}

# x with values added at these places, some of them several times.
add_at <- function(x, at, values) {
    if (!anyDuplicated(at)) {
        x[at] <- x[at] + values
        return(x)
    }
    sums <- rowsum(rep_len(values, length(at)), at)
    at <- as.integer(rownames(sums))
    x[at] <- x[at] + sums[, 1]
    x
}

# The run of one of several calls that share a bar: after `done` of `all`, `count` are its own.
share_of_run <- function(run, done, count, all) {
    update <- run[[3]]
    run[[3]] <- function(share) update((done + share * count) / all)
    run
}

# ---- changes that move what follows: by prediction ----

# A contig after an edit, its bases 0-based from `first`: list(codes, at), where `at` are the window starts in it. A window keeps the
# base it begins with; if that goes, it begins with what stands there now.
edited_contig <- function(codes, circular, first, width, put, starts) {
    length_bp <- length(codes)
    if (circular) {
        rest <- codes[(first + width - 1 + seq_len(length_bp - width) - 1) %% length_bp + 1]
        from <- (starts - first) %% length_bp
        return(list(codes = c(put, rest), at = ifelse(from < width, 0, from - width + length(put))))
    }
    last <- first + width - 1
    list(codes = c(codes[seq_len(first - 1)], put, codes[seq_len(length_bp - last) + last]),
         at = ifelse(starts > last, starts - width + length(put), pmin(starts, first)) - 1)
}

# As changed_in_place() for ranges whose bases `put`, a list of raw vectors of any lengths, take the place of theirs.
changed_by_shift <- function(model, goal, genome, windows, ranges, put, run, frame) {
    answers <- matrix(0, 3, length(ranges))
    by_contig <- windows_by_contig(windows)
    ranges_on <- split(seq_along(ranges), as.character(GenomeInfoDb::seqnames(ranges)))
    done <- 0
    for (contig in intersect(names(by_contig), names(ranges_on))) {
        here <- ranges_on[[contig]]
        request <- contig_request(goal, genome, windows[by_contig[[contig]]], numeric(4), NULL)
        answers[, here] <- kept(shifted_contig(model, goal, request, ranges[here], put[here], share_of_run(run, done, length(here), length(ranges)), frame),
                                list(goal, request, BiocGenerics::start(ranges)[here], BiocGenerics::width(ranges)[here], put[here]))
        done <- done + length(here)
    }
    seen <- answers[3, ]
    list(prediction = ifelse(seen > 0, answers[1, ], NA), changed = ifelse(seen > 0, answers[2, ], NA), windows = as.integer(seen))
}

# For each of these ranges of one contig: the mean objective of its windows, before and after, and how many they are.
shifted_contig <- function(model, goal, request, ranges, put, run, frame) {
    contig <- as.character(GenomeInfoDb::seqnames(ranges))[1]
    circular <- GenomeInfoDb::isCircular(ranges)[[contig]] %in% TRUE
    free <- is.na(model@inputs[[1]][1])
    unchanged <- rep(NA_real_, length(request$starts))
    answers <- matrix(0, 3, length(ranges))
    for (k in seq_along(ranges)) {
        first <- BiocGenerics::start(ranges)[k]
        width <- BiocGenerics::width(ranges)[k]
        used <- windows_over(first, width, request$starts, request$window, length(request$bases), circular)[, 2]
        new <- is.na(unchanged[used])
        if (any(new)) unchanged[used[new]] <- predicted_windows(model, goal, request$bases, request$starts[used[new]], request$window, run, frame)
        edited <- edited_contig(request$bases, circular, first, width, put[[k]], request$starts[used])
        length_bp <- length(edited$codes)
        window <- if (free && request$window == length(request$bases)) length_bp else request$window
        if (window > length_bp)
            stop_input(c("A contig must still hold a window of {window} bp after the change.",
                         x = "{.val {contig}} has {length_bp} bp without {contig}:{first}-{first + width - 1}."), class = "regions", call = frame)
        starts <- if (circular) edited$at %% length_bp else pmin(edited$at, length_bp - window)
        changed <- predicted_windows(model, goal, edited$codes, starts + 1, window, run, frame)
        answers[, k] <- c(mean(unchanged[used]), mean(changed), length(used))
        run[[3]](k / length(ranges))
    }
    answers
}

# The objective for windows of a contig, given as codes.
predicted_windows <- function(model, goal, codes, starts, window, run, frame) {
    shapes <- node_shapes(model, list(c(window, 4)))$axes[goal$nodes]
    run[[3]] <- function(done) NULL
    found <- .Call(C_predict_contig, model@pointer, goal$nodes, vapply(shapes, prod, 0), codes, as.numeric(starts), as.numeric(window), run, frame)
    Reduce(`+`, Map(function(numbers, weights) colSums(matrix(numbers, ncol = length(starts)) * weights), found, goal$cotangents))
}
