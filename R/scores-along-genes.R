#' Scores from the start to the stop of an average gene
#'
#' The mean score of a base at each place of a gene, over all genes: around the start, around the stop, and over the whole length, scaled to
#' 100 parts. Genes are read on their strand. Standard errors are as in [scores_by].
#' @param flank Bases before and behind start and stop, 1 to 100,000. Bases behind the start count while they are in the gene, and so do those
#'   before the stop.
#' @inheritParams scores_by
#' @return A data frame that `plot()` draws as a `ggplot`: `part` ("start", "body", "stop"), `position` (bp from the first base, from the last
#'   base, or percent of the length), `genes` that have a score there, `mean`, `mean_se`, in the unit of the model's output.
#' @section Errors: As in [scores_by].
#' @source Künsch (1989), \doi{10.1214/aos/1176347265}.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 863000)
#' scores <- attribution(example_model(), piece, nodes = 5)
#' genes <- IRanges::subsetByOverlaps(example_annotation(),
#'                                    GenomicRanges::GRanges("CHLTCG:853001-863000"), type = "within")
#' genes <- GenomicRanges::shift(genes, -853000)
#' head(scores_along_genes(scores, genes, flank = 50))
#' @export
scores_along_genes <- function(scores, annotation, type = "CDS", flank = 300) {
    check_is(scores, "Attribution", "attribution")
    check_is(annotation, "GRanges", "read_annotation")
    flank <- check_number(flank, 1, 1e5)
    features <- choose_features(annotation, type)
    features <- features_with_scores(features, GenomeInfoDb::seqinfo(scores))
    axis <- score_axis(scored_contigs(scores, features), scores@genome)
    width <- BiocGenerics::width(features)
    home <- feature_places(features, axis, rep(0, length(features)), seq_along(features))
    stretch <- axis$stretch[home]
    part <- function(name, feature, offset, position, places) {
        at <- feature_places(features, axis, offset, feature)
        class <- match(position, places)
        table <- stretch_means(class, axis$score[at], stretch[feature], length(places))
        scored <- !is.na(axis$score[at])
        pair <- unique((feature[scored] - 1) * length(places) + class[scored])
        genes <- tabulate((pair - 1) %% length(places) + 1, length(places))
        data.frame(part = name, position = places, genes = genes, mean = table$mean, mean_se = table$mean_se)
    }
    around <- rep(-flank:flank, length(features))
    feature <- rep(seq_along(features), each = 2 * flank + 1)
    start <- around < width[feature]
    stop <- around > -width[feature]
    all <- feature_bases(features, axis)
    table <- rbind(part("start", feature[start], around[start], around[start], -flank:flank),
                   part("body", all$feature, all$offset, floor(100 * all$offset / width[all$feature]) + 0.5, 0:99 + 0.5),
                   part("stop", feature[stop], width[feature[stop]] - 1 + around[stop], around[stop], -flank:flank))
    new_scores_table("scores_along_genes", scores, table)
}

# Where on the axis the base `offset` of a feature lies, on its strand; NA beyond the ends of a linear contig.
feature_places <- function(features, axis, offset, feature) {
    contig <- as.integer(GenomeInfoDb::seqnames(features))[feature]
    circular <- unname(GenomeInfoDb::isCircular(features)[contig])
    minus <- as.character(BiocGenerics::strand(features))[feature] == "-"
    place <- ifelse(minus, BiocGenerics::end(features)[feature] - 1 - offset, BiocGenerics::start(features)[feature] - 1 + offset)
    outside <- !circular & (place < 0 | place >= axis$length_bp[contig])
    axis$origin[contig] + ifelse(outside, NA, place %% axis$length_bp[contig]) + 1
}

#' @rdname scores_along_genes
#' @param x A table of `scores_along_genes()`.
#' @param y,... Not used.
#' @method plot scores_along_genes
#' @export
plot.scores_along_genes <- function(x, y, ...) {
    need_package("ggplot2")
    settings <- attr(x, "settings")
    titles <- c(start = "bp from the first base", body = "% of the length", stop = "bp from the last base")
    table <- as.data.frame(unclass(x))
    table$part <- factor(titles[table$part], titles)
    ggplot2::ggplot(table, ggplot2::aes(.data$position, .data$mean)) +
        ggplot2::geom_hline(yintercept = 0, colour = "grey80", linewidth = 0.3) +
        ggplot2::geom_ribbon(data = table[!is.na(table$mean_se), ],
                             ggplot2::aes(ymin = .data$mean - 1.96 * .data$mean_se, ymax = .data$mean + 1.96 * .data$mean_se),
                             fill = "#56B4E9", alpha = 0.4) +
        ggplot2::geom_line(colour = "#0072B2", linewidth = 0.4, na.rm = TRUE) +
        ggplot2::facet_grid(cols = ggplot2::vars(.data$part), scales = "free_x", switch = "x") +
        ggplot2::labs(x = NULL, y = score_title(settings$output, "Mean score of a base"), title = scores_title(settings),
                      subtitle = paste0(settings_title(settings), "; band: 95 %")) +
        plain_theme() +
        ggplot2::theme(strip.placement = "outside", strip.background = ggplot2::element_blank())
}
