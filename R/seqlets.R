# R/seqlets.R: short stretches that carry much of the answer, and the motifs that they share.

#' Seqlets: short stretches of high scores
#'
#' Finds the stretches of bases whose scores add up to much more, or much less, than those of others of the same width, and says how
#' unusual each is.
#'
#' The p-value of a stretch is the share of stretches of its width in `background` whose sum is at least as high (for a negative
#' sum: at least as low), with one added above and below the line. A stretch is a seqlet if its own p-value and those of **all
#' stretches inside it**, down to `min_width`, are at most `threshold`: it is high throughout, not a peak with quiet flanks. Wide
#' seqlets are taken before narrow ones, of equal width those with the smallest p-value first, and no two overlap.
#'
#' Without a `background` the p-values compare a stretch with the other stretches of the same map: they rank, and about `threshold`
#' of all narrow stretches pass whatever the map is. The scores of a genome in which nothing is to be found, such as shuffled
#' contigs, make them p-values.
#' @param scores An [Attribution-class], from [attribution()].
#' @param min_width,max_width Widths of a seqlet in bp, 2 to 1,000.
#' @param threshold Largest p-value, above 0 and below 1.
#' @param background An [Attribution-class] to compare with; `NULL`: `scores` itself.
#' @return A `GRanges` in the order of the genome, with the columns `score`, the sum of the scores of its bases, and `p_value`. It may be
#'   empty. Bases without a score, and N, are in no seqlet. On a circular contig a seqlet may go over the origin; it then ends beyond
#'   the contig's length.
#' @section Errors: `nucleograd_error_argument`.
#' @source The rule that every part must pass is that of tangermeme's recursive seqlets, \url{https://github.com/jmschrei/tangermeme}.
#' @seealso [group_seqlets()] for the motifs among them.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' scores <- attribution(example_model(), piece, nodes = 5, step = 250)
#' seqlets(scores)
#' @export
seqlets <- function(scores, min_width = 4, max_width = 25, threshold = 0.01, background = NULL) {
    check_is(scores, "Attribution", "attribution")
    min_width <- check_number(min_width, 2, 1000)
    max_width <- check_number(max_width, min_width, 1000)
    threshold <- check_positive(threshold, max = 1)
    if (is.null(background)) background <- scores
    check_is(background, "Attribution", "attribution")
    known <- GenomeInfoDb::seqinfo(scores)
    tracks <- score_tracks(scores, max_width)
    others <- score_tracks(background, max_width)
    parts <- rep(list(list()), length(tracks))                            # by contig: what passes, of each width and sign
    lasting <- lapply(tracks, function(track) list(`1` = rep(TRUE, track$starts), `-1` = rep(TRUE, track$starts)))
    for (width in min_width:max_width) {
        compared <- sort(unlist(lapply(others, stretch_sums, width), use.names = FALSE))
        for (k in seq_along(tracks)) for (sign in c("1", "-1")) {
            before <- lasting[[k]][[sign]]
            inside <- if (width == min_width) before else before & (if (tracks[[k]]$circular) c(before[-1], before[1]) else c(before[-1], FALSE))
            found <- passing(tracks[[k]], width, as.numeric(sign), compared, which(inside), threshold)
            lasting[[k]][[sign]] <- replace(logical(length(before)), found$start, TRUE)
            parts[[k]] <- c(parts[[k]], list(found))
        }
    }
    chosen <- Map(function(found, track) widest_apart(do.call(rbind, found), track), parts, tracks)
    contig <- rep(GenomeInfoDb::seqnames(known), vapply(chosen, nrow, 0L))
    table <- do.call(rbind, chosen)
    GenomicRanges::GRanges(contig, IRanges::IRanges(table$start, width = table$width), score = table$score, p_value = table$p_value, seqinfo = known)
}

# For each contig its running sums, on a circular one with its first bases again at its end, and how many places a stretch may start.
score_tracks <- function(scores, max_width) {
    known <- GenomeInfoDb::seqinfo(scores)
    circular <- GenomeInfoDb::isCircular(known) %in% TRUE & GenomeInfoDb::seqlengths(known) >= max_width
    Map(function(contig, circular) {
        score <- base_scores(scores, contig)
        score[base_codes(scores@genome[[contig]]) == as.raw(4)] <- NA
        list(running = running_sums(if (circular) c(score, score[seq_len(max_width - 1)]) else score), starts = length(score), circular = circular)
    }, GenomeInfoDb::seqnames(known), circular)
}

# The sums of all stretches of this width, by start; NA where a base has no score.
stretch_sums <- function(track, width) {
    check_interrupt()
    start <- seq_len(if (track$circular) track$starts else max(track$starts - width + 1, 0))
    sums <- track$running$sums[start + width] - track$running$sums[start]
    sums[track$running$bases[start + width] - track$running$bases[start] < width] <- NA
    sums
}

# Those of the stretches of this width that begin at `start` and pass; `compared`: the background's sums in order.
passing <- function(track, width, sign, compared, start, threshold) {
    sums <- stretch_sums(track, width)
    start <- start[start <= length(sums)]
    start <- start[!is.na(sums[start]) & sign * sums[start] > 0]
    score <- sums[start]
    equal <- track$running$rounding                                       # sums that differ by less are equal
    as_far <- if (sign > 0) length(compared) - findInterval(score - equal, compared, left.open = TRUE)
              else findInterval(score + equal, compared)
    p_value <- (1 + as_far) / (1 + length(compared))
    found <- data.frame(start, width = rep_len(width, length(start)), score, p_value)
    found[p_value <= threshold, ]
}

# The widest of them, then the least probable, as long as they are apart; in the order of their starts.
widest_apart <- function(found, track) {
    found <- found[order(-found$width, found$p_value, -abs(found$score), found$start), ]
    taken <- logical(track$starts)
    chosen <- logical(nrow(found))
    for (k in seq_len(nrow(found))) {
        at <- (found$start[k] - 2 + seq_len(found$width[k])) %% track$starts + 1
        if (any(taken[at])) next
        taken[at] <- TRUE
        chosen[k] <- TRUE
    }
    found <- found[chosen, ]
    found[order(found$start), ]
}
