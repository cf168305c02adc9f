# R/region-attribution.R: the scores of one region, with everything else as it is.

#' Explain what a region does
#'
#' Integrated gradients along a path on which one region alone moves from the baseline to its sequence, while the rest of the genome stays as
#' it is. The scores of a window sum to what [knockout()] of the region takes from it, up to the completeness gap: they divide the effect of a
#' gene among its bases. All other bases have the score 0.
#'
#' Windows are as in [predict.Model()]; those that hold no part of the region are not run. Where several hold a base, its score is the mean
#' over them. Each window is computed as a whole, in both directions and for each node.
#' @inheritParams attribution
#' @param region A `GRanges` of one range on a contig of `genome`, which may run over the origin of a circular one.
#' @param baseline What the region comes from: `"uniform"`, `"composition"`, `"zero"` or four numbers (A, C, G, T), see [attribution()].
#' @return An [Attribution-class]; `windows` holds the effect of the region in each window, `output - baseline_output`, and the gap. Bases that
#'   no window with the region holds are `NA`.
#' @section Errors: `nucleograd_error_contigs`: the region lies on no contig of `genome`, or in no window. `nucleograd_error_regions`;
#'   `nucleograd_error_argument`; `nucleograd_error_memory`.
#' @source Sundararajan, Taly and Yan (2017), Axiomatic attribution for deep networks,
#'   \url{https://proceedings.mlr.press/v70/sundararajan17a.html}.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' region <- GenomicRanges::GRanges("CHLTCG:1501-1700")
#' scores <- region_attribution(example_model(), piece, region, nodes = 10)
#' c(sum(base_scores(scores), na.rm = TRUE), knockout(example_model(), piece, region)$effect)
#' @export
region_attribution <- function(model, genome, region, baseline = "uniform", nodes = 50, rule = c("midpoint", "trapezoid", "gauss-legendre"),
                               target = 1, output = c("logit", "probability"), window = NULL, step = NULL, threads = NULL, memory_bytes = NULL) {
    check_model(model)
    check_is(genome, "DNAStringSet", "read_genome")
    region <- check_one_region(region, genome)
    rule <- check_choice(rule, c("midpoint", "trapezoid", "gauss-legendre"))
    nodes <- check_number(nodes, min = 1, max = 1e5)
    goal <- targets_of(model, target, check_choice(output, c("logit", "probability")))
    fill <- replacement_row(check_in_place(baseline), genome)
    contig <- as.character(GenomeInfoDb::seqnames(region))
    windows <- windows_with(region, model, genome, window, step)
    run <- run_settings(threads, progress = "Attributing", memory_bytes = memory_bytes)
    settings <- list(model = model@name, method = "ig", baseline = paste(if (is.character(baseline)) baseline else "given", "region"), replicates = 1,
                     rule = rule, nodes = nodes, target = NULL, target_name = NULL, output = NULL, strand = "forward",
                     window = window, step = step, region = as.character(region))
    job <- list(model = model, goal = goal, baseline = region_baseline(region, fill), settings = settings, passes = 1, run = run,
                frame = environment())
    found <- explain_contig(job, base_codes(genome[[contig]]), contig, windows, run)
    one_or_named(lapply(seq_along(goal$target), function(t) new_attribution(job, t, stats::setNames(found[t], contig), genome, windows)), goal)
}

check_one_region <- function(region, genome, call = parent.frame()) {
    region <- check_regions(region, genome, "region", call)
    if (length(region) != 1) stop_input("{.arg region} must be one range, not {length(region)}.", call = call)
    region
}

# The windows that hold a part of the region.
windows_with <- function(region, model, genome, window, step, call = parent.frame()) {
    contig <- as.character(GenomeInfoDb::seqnames(region))
    windows <- genome_windows(model, genome, window, step, call = call)
    windows <- windows[as.character(GenomeInfoDb::seqnames(windows)) == contig]
    held <- if (length(windows)) windows_over(BiocGenerics::start(region), BiocGenerics::width(region), BiocGenerics::start(windows),
                                              BiocGenerics::width(windows)[1], length(genome[[contig]]),
                                              GenomeInfoDb::isCircular(region)[[contig]] %in% TRUE)
    if (is.null(held) || !nrow(held)) stop_input("{.arg region} must lie in a window.", class = "contigs", call = call)
    windows[held[, 2]]
}

# The window itself, with `fill` in the place of the bases of the region.
region_baseline <- function(region, fill) {
    list(name = "region", drawn = FALSE, one_by_one = TRUE, rows = function(part, replicate) {
        rows <- one_hot_rows(window_bases(part, part$starts))
        position <- (part$starts - 2 + seq_len(part$width)) %% length(part$bases) + 1
        inside <- (position - BiocGenerics::start(region)) %% length(part$bases) < BiocGenerics::width(region)
        rows[inside, ] <- rep(fill, each = sum(inside))
        as.numeric(t(rows))
    })
}
