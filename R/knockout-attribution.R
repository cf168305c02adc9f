# R/knockout-attribution.R: what a knock-out does to the scores of all bases.

#' How a knock-out changes the map
#'
#' Integrated gradients of the genome as it is, minus those of the genome with one region replaced: what the score of each base loses with the
#' region. The change of a window sums to the effect that [knockout()] gives, up to the completeness gaps. Outside the region it shows which bases
#' counted only because the region was there (positive), and which count more without it (negative); inside it, the score of the
#' region less that of what replaces it.
#'
#' Windows are as in [predict.Model()]; only those that hold a part of the region change, and are run, twice. Where several hold a base, its change
#' is the mean over them.
#' @inheritParams region_attribution
#' @param replacement What the region becomes: `"uniform"`, `"composition"`, `"zero"` or four numbers (A, C, G, T), see [knockout()].
#' @param baseline Of the integrated gradients, one of the same words or four numbers. N and other ambiguous letters stay rows of zeros in all.
#' @param target Which output of the model, from 1; through all outputs in order if it has several.
#' @return An [Attribution-class] of the changes; `windows` holds F(x), `output`, F(x) with the region replaced, `baseline_output`, the sum of the
#'   changes, `attributed`, and how far that is off. Bases that no window with the region holds are `NA`.
#' @section Errors: `nucleograd_error_contigs`: the region lies on no contig of `genome`, or in no window. `nucleograd_error_regions`;
#'   `nucleograd_error_argument`; `nucleograd_error_memory`.
#' @source Sundararajan, Taly and Yan (2017), \url{https://proceedings.mlr.press/v70/sundararajan17a.html}.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' region <- GenomicRanges::GRanges("CHLTCG:1501-1700")
#' change <- knockout_attribution(example_model(), piece, region, nodes = 10)
#' c(sum(base_scores(change), na.rm = TRUE), knockout(example_model(), piece, region)$effect)
#' @export
knockout_attribution <- function(model, genome, region, replacement = "uniform", baseline = "uniform", nodes = 50,
                                 rule = c("midpoint", "trapezoid", "gauss-legendre"), target = 1, output = c("logit", "probability"),
                                 window = NULL, step = NULL, threads = NULL, memory_bytes = NULL) {
    check_model(model)
    check_is(genome, "DNAStringSet", "read_genome")
    region <- check_one_region(region, genome)
    rule <- check_choice(rule, c("midpoint", "trapezoid", "gauss-legendre"))
    nodes <- check_number(nodes, min = 1, max = 1e5)
    output <- check_choice(output, c("logit", "probability"))
    goal <- targets_of(model, check_number(target, 1, .Machine$integer.max), output)
    fill <- replacement_row(check_in_place(replacement), genome)
    from <- replacement_row(check_in_place(baseline), genome)
    windows <- windows_with(region, model, genome, window, step)
    contig <- as.character(GenomeInfoDb::seqnames(region))
    inputs <- region_arrays(base_codes(genome[[contig]]), windows, region, fill, from)
    map <- function(x) suppressWarnings(attribution(model, x, baseline = inputs$baseline, nodes = nodes, rule = rule,
                                                    target = target, output = output,
                                                    threads = threads, memory_bytes = memory_bytes))
    before <- map(inputs$sequence)
    after <- map(inputs$changed)
    checks <- data.frame(output = attr(before, "windows")$output, baseline_output = attr(after, "windows")$output,
                         attributed = attr(before, "windows")$attributed - attr(after, "windows")$attributed)
    checks$gap <- checks$attributed - (checks$output - checks$baseline_output)
    scores <- mean_over_windows(sums_on_contig(before - after, windows, length(genome[[contig]])), windows)
    name <- function(row) if (is.character(row)) row else "given"
    settings <- list(model = model@name, method = "ig", baseline = name(baseline), replicates = 1, rule = rule, nodes = nodes, target = NULL,
                     target_name = NULL, output = NULL, strand = "forward", window = window, step = step, knockout = as.character(region),
                     replacement = name(replacement))
    job <- list(goal = goal, settings = settings, passes = 1)
    new_attribution(job, 1, stats::setNames(list(list(scores = scores, checks = checks)), contig), genome, windows)
}

# The windows as arrays (window, bp, 4): as they are, with the region replaced, and their baselines.
region_arrays <- function(codes, windows, region, fill, from) {
    length_bp <- length(codes)
    width <- BiocGenerics::width(windows)[1]
    position <- outer(BiocGenerics::start(windows), seq_len(width) - 1, `+`)
    position <- (position - 1) %% length_bp + 1
    code <- matrix(as.integer(codes)[position], nrow(position))
    known <- code < 4
    inside <- known & (position - BiocGenerics::start(region)) %% length_bp < BiocGenerics::width(region)
    rows <- function(channel) vapply(1:4, channel, code + 0)
    sequence <- rows(function(k) (code == k - 1) + 0)
    list(sequence = sequence, changed = rows(function(k) ifelse(inside, fill[k], sequence[, , k])), baseline = rows(function(k) known * from[k]))
}

# Sums over windows of an array (window, bp, 4), on the contig.
sums_on_contig <- function(map, windows, length_bp) {
    sums <- matrix(0, length_bp, 4, dimnames = list(NULL, bases))
    width <- dim(map)[2]
    for (w in seq_along(windows)) {
        at <- (BiocGenerics::start(windows)[w] - 2 + seq_len(width)) %% length_bp + 1
        sums[at, ] <- sums[at, ] + map[w, , ]
    }
    sums
}
