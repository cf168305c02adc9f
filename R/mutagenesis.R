# R/mutagenesis.R: every base by each of the three others.

#' Effects of all substitutions
#'
#' What [mutagenesis()] returns: an [Attribution-class] whose score of a base is F(x) minus the mean over its three mutants, so that a
#' positive one says that the base speaks for the target, and all plots and exports of attributions; and the effects themselves.
#' @slot effects A list named by contig: double matrices (bp x 4), columns A, C, G, T: F(x with this base there) - F(x). 0 for the base that
#'   is there, and for N; `NA` outside the regions, and where no window was read.
#' @exportClass Mutagenesis
setClass("Mutagenesis", contains = "Attribution", slots = c(effects = "list"))

#' Mutate every base of a region
#'
#' In-silico mutagenesis: each base of the regions is replaced by each of the three others, alone, and the model answers again. Each
#' answer is exact, to float32 rounding; only what a base reaches is computed again, see [knockout()].
#' @inheritParams knockout
#' @param regions A `GRanges` on contigs of `genome`; the strand does not matter. `NULL`: the whole genome.
#' @return A [Mutagenesis-class]. `as.matrix()` gives the effects of a region, and `plot()` has a logo and a heatmap of them. Where several
#'   windows hold a base, its effects are means over them.
#' @inheritSection knockout Errors
#' @source Zhou and Troyanskaya (2015), \doi{10.1038/nmeth.3547}.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' mutants <- mutagenesis(example_model(), piece, GenomicRanges::GRanges("CHLTCG:1501-1540"))
#' mutants
#' round(as.matrix(mutants, "CHLTCG:1501-1505"), 2)
#' @export
mutagenesis <- function(model, genome, regions = NULL, target = 1, output = c("logit", "probability"), window = NULL, step = NULL,
                        threads = NULL, memory_bytes = NULL) {
    check_model(model)
    check_is(genome, "DNAStringSet", "read_genome")
    if (!is.null(regions)) regions <- check_regions(regions, genome)
    goal <- target_of(model, target, check_choice(output, c("logit", "probability")))
    windows <- genome_windows(model, genome, window, step)
    run <- run_settings(threads, progress = "Mutating", memory_bytes = memory_bytes)
    places <- bases_in(regions, genome)
    known <- places$code < 4
    others <- other_bases[, places$code[known] + 1, drop = FALSE]
    found <- changed_in_place(model, goal, genome, windows, list(contig = places$contig[known], start = places$position[known],
                                                                 width = rep(1, sum(known))),
                              list(variants = rep(3, sum(known)), codes = as.raw(others)), numeric(4), run, environment())
    effect <- matrix(found$changed, 3) - rep(found$prediction, each = 3)
    results <- lapply(stats::setNames(nm = names(genome)), function(contig) {
        empty <- matrix(NA_real_, Biostrings::width(genome[contig]), 4, dimnames = list(NULL, bases))
        here <- places$contig == contig
        empty[places$position[here & !known], ] <- 0
        scores <- effects <- empty
        mine <- which(here[known])
        position <- places$position[known][mine]
        own <- cbind(position, places$code[known][mine] + 1)
        effects[position, ] <- scores[position, ] <- 0
        effects[cbind(rep(position, each = 3), c(others[, mine]) + 1)] <- effect[, mine]
        scores[own] <- -colMeans(effect[, mine, drop = FALSE])
        unread <- position[is.na(found$prediction[mine])]
        effects[unread, ] <- scores[unread, ] <- NA
        list(scores = scores, effects = effects)
    })
    unknown <- rep(NA_real_, length(windows))
    columns <- list(output = unknown, baseline_output = unknown, attributed = unknown, gap = unknown)
    S4Vectors::mcols(windows) <- methods::new("DFrame", nrows = length(windows), listData = columns)     # DataFrame() takes its time over each column
    new("Mutagenesis", scores = lapply(results, `[[`, "scores"), effects = lapply(results, `[[`, "effects"), genome = genome, windows = windows,
        settings = c(list(method = "mutagenesis", baseline = "none", rule = "none", nodes = 1, window = window, step = step, regions = regions,
                          mutants = length(others)), effect_settings("Mutagenesis", "F(mutant) - F(x)", model, goal, target, found)))
}

# Column b + 1: the codes of the bases that are not b.
other_bases <- vapply(0:3, function(base) setdiff(0:3, base), integer(3))

# The bases of regions, each once, of the whole genome if they are NULL: list(contig, position, code).
bases_in <- function(regions, genome) {
    contigs <- if (is.null(regions)) names(genome) else intersect(names(genome), as.character(GenomeInfoDb::seqnames(regions)))
    positions <- lapply(contigs, function(contig) {
        length_bp <- Biostrings::width(genome[contig])
        if (is.null(regions)) return(seq_len(length_bp))
        here <- regions[GenomeInfoDb::seqnames(regions) == contig]
        sort(unique(as.integer(on_contig(sequence(BiocGenerics::width(here), BiocGenerics::start(here)), length_bp))))
    })
    codes <- Map(function(contig, position) as.integer(base_codes(genome[[contig]])[position]), contigs, positions)
    list(contig = rep(contigs, lengths(positions)), position = as.integer(unlist(positions)), code = as.integer(unlist(codes)))
}

#' @rdname Mutagenesis-class
#' @param object,x A `Mutagenesis`.
#' @export
setMethod("show", "Mutagenesis", function(object) {
    with(object@settings, {
        cat("Mutagenesis of ", format(mutants / 3, big.mark = ","), " bases, ", format(mutants, big.mark = ","), " mutants: ",
            sign, ", ", output, " of ",
            target_name, " (target ", target, "), model ", model, "\n", sep = "")
        cat("  computed with the work of ", format(work, digits = 2), " predictions of a window\n", sep = "")
    })
    largest <- vapply(object@effects, function(effects) if (all(is.na(effects))) NA_real_ else max(abs(effects), na.rm = TRUE), 0)
    cat("  largest effect ", format(max(largest, -Inf, na.rm = TRUE), digits = 3), "\n", sep = "")
})

#' @rdname Mutagenesis-class
#' @param region A `GRanges` of one range, `"contig"` or `"contig:start-end"`; `NULL`: all regions that were mutated.
#' @param ... Not used.
#' @return `as.matrix()`: the effects, one row a base, named by its position; columns A, C, G, T.
#' @export
as.matrix.Mutagenesis <- function(x, region = NULL, ...) {
    if (is.null(region)) {
        regions <- x@settings$regions
    } else {
        here <- region_shown(x, "locus", region, NULL, 1)
        regions <- GenomicRanges::GRanges(here$contig, IRanges::IRanges(here$start, here$end))
    }
    places <- bases_in(regions, x@genome)
    rows <- lapply(unique(places$contig), function(contig) {
        position <- places$position[places$contig == contig]
        effects <- x@effects[[contig]][position, , drop = FALSE]
        rownames(effects) <- if (length(x@genome) == 1) position else paste0(contig, ":", position)
        effects
    })
    do.call(rbind, rows)
}

#' Look at the effects of substitutions
#'
#' `"logo"`: each base as a letter as high as its score, what its three mutants lose on average; `"heatmap"`: the effect of each substitution,
#' with a dot on the base that is there. `"genome"` and `"locus"` show scores as [plot-Attribution] does.
#' @inheritParams plot-Attribution
#' @param x A `Mutagenesis`, from [mutagenesis()].
#' @return A `ggplot`.
#' @section Errors: As of [plot-Attribution].
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' mutants <- mutagenesis(example_model(), piece, GenomicRanges::GRanges("CHLTCG:1501-1540"))
#' if (requireNamespace("ggplot2", quietly = TRUE))
#'     plot(mutants, type = "heatmap", region = "CHLTCG:1501-1540")
#' @name plot-Mutagenesis
#' @aliases plot,Mutagenesis,missing-method
#' @exportMethod plot
setMethod("plot", signature("Mutagenesis", "missing"), function(x, y, type = c("logo", "heatmap", "locus", "genome"), region = NULL,
                                                                annotation = NULL, k = 50) {
    type <- check_choice(type, c("logo", "heatmap", "locus", "genome"))
    shown <- as(x, "Attribution")
    if (type == "heatmap") shown@scores <- x@effects
    plot(shown, type = type, region = region, annotation = annotation, k = k)
})
