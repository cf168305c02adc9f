# R/motif-detection.R: do scores find positions that are known to matter?

#' Do scores find known positions?
#'
#' Compares the scores of bases at known positions (motifs that were put there, binding sites, a gene) with those of all other bases
#' of the same sequences.
#'
#' Each contig is one sequence; measures are taken within it and then averaged. S is the score of a base, the sum of its row.
#'
#' | measure | what it is | chance |
#' | --- | --- | --- |
#' | `auroc`, `auroc_absolute` | probability that a known position has the higher S (\\|S\\|) than another one, ties half | 0.5 |
#' | `auprc`, `auprc_absolute` | average precision, of equal scores together | share of known positions |
#' | `precision_at_k` | share of known positions among the k highest \\|S\\|, k known positions; equal ones in part | the same |
#' | `signal_to_noise` | mean \\|S\\| at known positions over that of the others; the median over sequences | 1 |
#' | `copies_found` | share of the ranges of `positions` whose mean \\|S\\| is above that of 95 % of the stretches as long without any known position | 0.05 |
#' | `match_rate` | share of known positions where the channel of the base that is there has the strictly highest of the four scores | see background |
#' | `match_rate_centred` | the same for scores whose gradients have a mean of 0 over the four channels | see background |
#' | `..._background` | both at the other positions | |
#'
#' The match rate of raw scores measures in part what no model can see: the same number added to all four gradients of a position
#' changes no prediction and no S, yet the match rate. The centred one takes that number off. It needs the gradient of all four channels and
#' is `NA` where scores do not tell it: baselines other than uniform and composition.
#' @param scores An [Attribution-class], from [attribution()].
#' @param positions A `GRanges` on its contigs: the known positions; strand is ignored.
#' @return A data.frame, a row a measure: `measure`, `value`, `lower` and `upper`, a 95 % interval over sequences (of the mean by Student's t,
#'   of the median by the order of the values; `NA` for one sequence), `sequences`, how many it is from. Contigs without known positions, or
#'   with nothing else, are left out, and bases without a score, and N.
#' @section Errors: `nucleograd_error_contigs`: the positions lie on other contigs. `nucleograd_error_regions`: no contig has scored bases
#'   both at known positions and elsewhere. `nucleograd_error_argument`.
#' @source Hanley and McNeil (1982), \doi{10.1148/radiology.143.1.7063747}; gradients of mean 0: Majdandzic and others (2023),
#'   \doi{10.1186/s13059-023-02956-3}.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' scores <- attribution(example_model(), piece, nodes = 5, step = 250)
#' motif_detection(scores, GenomicRanges::GRanges("CHLTCG:783-2333"))           # the 16S gene
#' @export
motif_detection <- function(scores, positions) {
    check_is(scores, "Attribution", "attribution")
    check_is(positions, "GRanges", "GenomicRanges::GRanges")
    known <- known_positions(positions, scores)
    copies <- split(IRanges::ranges(positions), as.character(GenomeInfoDb::seqnames(positions)))
    rows <- lapply(names(known), function(contig) detection_in(scores, contig, known[[contig]], copies[[contig]]))
    table <- do.call(rbind, rows)
    if (is.null(table))
        stop_input(c("{.arg positions} must leave a contig with scored bases both at known positions and elsewhere.",
                     x = "{.arg scores} has {length(known)} contig{?s}, and none is such."), class = "regions")
    summaries <- lapply(colnames(table), function(measure) over_sequences(table[, measure], measure == "signal_to_noise"))
    data.frame(measure = colnames(table), do.call(rbind, summaries), sequences = colSums(!is.na(table)), row.names = NULL)
}

# Per contig: TRUE at known positions.
known_positions <- function(positions, scores, call = parent.frame()) {
    known <- GenomeInfoDb::seqinfo(scores)
    contig <- as.character(GenomeInfoDb::seqnames(positions))
    foreign <- setdiff(contig, GenomeInfoDb::seqnames(known))
    if (length(foreign))
        stop_input(c("{.arg positions} must lie on contigs of {.arg scores}.", x = "{.val {foreign}} {?is/are} in {.arg positions} only.",
                     i = "{.arg scores} has {.val {GenomeInfoDb::seqnames(known)}}."), class = "contigs", call = call)
    start <- BiocGenerics::start(positions)
    end <- BiocGenerics::end(positions)
    place_features(data.frame(contig, start, end, type = rep("Position", length(positions)), ID = as.character(positions)), known, call)
    Map(function(name, length_bp) {
        at <- unlist(Map(seq, start[contig == name], end[contig == name]))
        replace(logical(length_bp), on_contig(at, length_bp), TRUE)
    }, GenomeInfoDb::seqnames(known), GenomeInfoDb::seqlengths(known))
}

# The measures of one sequence, as a matrix of one row; NULL if it has no known or no other positions.
detection_in <- function(scores, contig, is_known, copies) {
    channels <- scores@scores[[contig]]
    code <- as.integer(base_codes(scores@genome[[contig]])) + 1
    scored <- code < 5 & !is.na(rowSums(channels))
    at <- is_known[scored]
    if (!any(at) || all(at)) return(NULL)
    channels <- channels[scored, , drop = FALSE]
    code <- code[scored]
    score <- rowSums(channels)
    highest <- highest_is_true(channels, code)
    centred <- highest_is_true(centred_scores(scores, channels, code), code)
    cbind(auroc = area_under_roc(score, at), auroc_absolute = area_under_roc(abs(score), at), auprc = average_precision(score, at),
          auprc_absolute = average_precision(abs(score), at), precision_at_k = precision_at(abs(score), at, sum(at)),
          signal_to_noise = mean(abs(score[at])) / mean(abs(score[!at])), match_rate = mean(highest[at]), match_rate_background = mean(highest[!at]),
          match_rate_centred = mean(centred[at]), match_rate_centred_background = mean(centred[!at]),
          copies_found = mean(copies_found(abs(rowSums(scores@scores[[contig]])), is_known, copies), na.rm = TRUE))
}

# Of each copy, a range: is its mean above the 95 % quantile of the stretches as long that hold nothing known? NA: there are none such, or
# it has bases without a score, or runs over the origin.
copies_found <- function(score, is_known, copies) {
    start <- BiocGenerics::start(copies)
    width <- BiocGenerics::width(copies)
    found <- rep(NA, length(copies))
    for (bp in unique(width[width <= length(score)])) {
        sums <- diff(c(0, cumsum(ifelse(is.na(score), 0, score))), bp)
        sums[diff(c(0, cumsum(is.na(score))), bp) > 0] <- NA
        free <- sums[diff(c(0, cumsum(is_known)), bp) == 0]
        here <- width == bp
        if (any(!is.na(free))) found[here] <- sums[start[here]] > stats::quantile(free, 0.95, na.rm = TRUE)
    }
    found
}

highest_is_true <- function(channels, code) {
    own <- cbind(seq_along(code), code)
    others <- replace(channels, own, -Inf)
    channels[own] > do.call(pmax, lapply(1:4, function(channel) others[, channel]))
}

# The scores after the mean of the four gradients is taken off each; NA where the scores do not tell the gradients.
centred_scores <- function(scores, channels, code) {
    settings <- scores@settings
    if (settings$method == "gradient") return(channels - rowMeans(channels))
    baseline <- if (!settings$method %in% c("ig", "expected")) NULL
                else if (settings$baseline == "uniform") rep(0.25, 4)
                else if (settings$baseline == "composition" && !isTRUE(settings$strand != "forward"))
                    baseline_numbers("composition", scores@genome, NULL, NULL)
    if (is.null(baseline)) return(channels * NA)
    change <- outer(code, 1:4, `==`) - rep(baseline, each = length(code))
    gradient <- channels / change
    (gradient - rowMeans(gradient)) * change
}

# The probability that a known one has the higher score: from the sum of ranks.
area_under_roc <- function(score, known) {
    n <- sum(known)
    (sum(rank(score)[known]) - n * (n + 1) / 2) / n / (length(score) - n)
}

# Precision after each score, from the highest down, weighed by the known ones that come with it.
average_precision <- function(score, known) {
    level <- factor(score, sort(unique(score), decreasing = TRUE))
    found <- as.numeric(tapply(known, level, sum))
    sum(found / sum(known) * cumsum(found) / cumsum(as.numeric(table(level))))
}

precision_at <- function(score, known, k) {
    last <- sort(score, decreasing = TRUE)[k]
    above <- score > last
    (sum(known[above]) + (k - sum(above)) * mean(known[score == last])) / k
}

# Mean or median over sequences, with its interval.
over_sequences <- function(values, median = FALSE) {
    values <- sort(values)
    n <- length(values)
    if (median) {
        rank <- stats::qbinom(0.025, n, 0.5)                                        # order statistics that hold the median
        limits <- if (n > 5) values[c(rank, n + 1 - rank)] else c(NA, NA)
        return(data.frame(value = stats::median(values), lower = limits[1], upper = limits[2]))
    }
    half <- if (n > 1) stats::qt(0.975, n - 1) * stats::sd(values) / sqrt(n) else NA
    data.frame(value = if (n) mean(values) else NA, lower = if (n) mean(values) - half else NA, upper = if (n) mean(values) + half else NA)
}
