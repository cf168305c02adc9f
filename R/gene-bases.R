#' Which bases inside a gene matter
#'
#' The score of every base of one gene, or of any region, read on its own strand, with codons.
#' @param gene The name or locus tag of a gene in `annotation`, or a `GRanges` of one range.
#' @param annotation A `GRanges` from [read_annotation()]; without it `gene` must be a range.
#' @param flank Bases before and behind the gene, 0 to 10,000.
#' @inheritParams scores_by
#' @return A data frame that `plot()` draws: one row a base, from the gene's first base on. `contig`, `position` (bp on the contig), `offset`
#'   (bp in the gene, 1-based; 0 and below: before it), `base` (on the gene's strand), `score` (of the base, the sum of its four
#'   channels), `A`, `C`, `G`, `T` (the channels; those of the gene's strand), `codon`, `codon_position`, `amino_acid` (standard code; `NA` but
#'   in a CDS of whole codons).
#' @section Errors: `nucleograd_error_regions`: there is no such gene, or it does not lie on a contig with scores.
#'   `nucleograd_error_argument`.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 863000)
#' scores <- attribution(example_model(), piece, nodes = 5)
#' places <- gene_bases(scores, GenomicRanges::GRanges("CHLTCG:1001-1300:-"))
#' head(places)
#' @export
gene_bases <- function(scores, gene, annotation = NULL, flank = 0) {
    check_is(scores, "Attribution", "attribution")
    if (!is.null(annotation)) check_is(annotation, "GRanges", "read_annotation")
    flank <- check_number(flank, 0, 1e4)
    if (is.character(gene) && length(gene) == 1) gene <- gene_named(gene, prefer_cds(annotation), environment(), "gene")
    if (!is(gene, "GRanges") || length(gene) != 1)
        stop_input("{.arg gene} must be the name of one gene or a {.cls GRanges} of one range, not {.obj_type_friendly {gene}}.")
    gene <- features_with_scores(gene, GenomeInfoDb::seqinfo(scores))
    axis <- score_axis(scored_contigs(scores, gene), scores@genome)
    width <- BiocGenerics::width(gene)
    offset <- seq(-flank, width - 1 + flank)
    at <- feature_places(gene, axis, offset, rep(1L, length(offset)))
    offset <- offset[!is.na(at)]
    at <- at[!is.na(at)]
    minus <- as.character(BiocGenerics::strand(gene)) == "-"
    contig <- as.character(GenomeInfoDb::seqnames(gene))
    position <- at - axis$origin[as.integer(GenomeInfoDb::seqnames(gene))]
    channels <- scores@scores[[contig]][position, , drop = FALSE]
    letter <- first_known(bases[axis$letter[at] + 1], "N")
    if (minus) {
        letter <- chartr("ACGT", "TGCA", letter)
        channels <- channels[, 4:1, drop = FALSE]
        colnames(channels) <- bases
    }
    coding <- identical(gene_column(gene, "type"), "CDS") && width %% 3 == 0
    inside <- coding & offset >= 0 & offset < width
    codon <- rep(NA_character_, length(offset))
    if (coding) codon[inside] <- rep(vapply(split(letter[inside], offset[inside] %/% 3), paste, "", collapse = ""), each = 3)
    table <- data.frame(contig = contig, position = position, offset = offset + 1, base = letter, score = axis$score[at], channels, codon = codon,
                        codon_position = ifelse(inside, offset %% 3 + 1, NA), amino_acid = unname(Biostrings::GENETIC_CODE[codon]))
    table <- new_scores_table("gene_bases", scores, table)
    attr(table, "gene") <- list(name = feature_names(gene), product = gene_column(gene, "product"), width = width)
    table
}

# Of features with one name the one that codes comes first.
prefer_cds <- function(annotation) if (!is.null(annotation)) annotation[order(!gene_column(annotation, "type") %in% "CDS")]

#' @rdname gene_bases
#' @param x A table of `gene_bases()`.
#' @param y,... Not used.
#' @param k Bases in the running mean of the track.
#' @param letters How many bases the logo shows: those around the highest running mean.
#' @details `plot()` shows the scores along the gene with their running mean, and below the letters of its strongest place as high as their
#'   scores, in one `patchwork`, whose parts are `ggplot` objects: `plot(x)[[1]]`, `plot(x)[[2]]`.
#' @method plot gene_bases
#' @export
plot.gene_bases <- function(x, y, k = 25, letters = 60, ...) {
    for (package in c("ggplot2", "ggseqlogo", "patchwork")) need_package(package)
    k <- check_number(k, 1, 1e5)
    letters <- check_number(letters, 10, 300)
    settings <- attr(x, "settings")
    gene <- attr(x, "gene")
    table <- as.data.frame(unclass(x))
    table$mean <- running_mean(table$score, k, FALSE)
    first <- max(1, min(which.max(table$mean) - letters %/% 2, nrow(table) - letters + 1))
    shown <- table[first:min(first + letters - 1, nrow(table)), ]
    box <- data.frame(from = shown$offset[1] - 0.5, to = shown$offset[nrow(shown)] + 0.5)
    track <- ggplot2::ggplot(table, ggplot2::aes(.data$offset, .data$score)) +
        ggplot2::geom_rect(data = box, ggplot2::aes(xmin = .data$from, xmax = .data$to, ymin = -Inf, ymax = Inf), inherit.aes = FALSE,
                           fill = "#F0E442", alpha = 0.35) +
        ggplot2::geom_hline(yintercept = 0, colour = "grey80", linewidth = 0.3) +
        ggplot2::geom_vline(xintercept = c(0.5, gene$width + 0.5), colour = "grey60", linetype = 2, linewidth = 0.3) +
        ggplot2::geom_point(size = 0.8, shape = 16, alpha = 0.7, colour = "grey60", na.rm = TRUE) +
        ggplot2::geom_line(ggplot2::aes(y = .data$mean), colour = "#0072B2", linewidth = 0.5, na.rm = TRUE) +
        ggplot2::scale_x_continuous(expand = ggplot2::expansion(0.01)) +
        ggplot2::labs(x = NULL, y = score_title(settings$output, "Score of a base"),
                      title = paste0(gene$name, if (!is.na(gene$product)) paste0(": ", gene$product)),
                      subtitle = paste0(scores_title(settings), "; line: running mean of ", k, " bases")) +
        plain_theme()
    heights <- t(outer(shown$base, bases, "==") * ifelse(is.na(shown$score), 0, shown$score))
    rownames(heights) <- bases
    logo <- letters_drawn(heights) +
        ggplot2::labs(y = score_title(settings$output, "Score"), x = "bp from the first base of the gene, on its strand")
    at <- pretty(shown$offset, 8)
    at <- at[at >= shown$offset[1] & at <= shown$offset[nrow(shown)]]
    suppressMessages(logo <- logo + ggplot2::scale_x_continuous(breaks = at - shown$offset[1] + 1, labels = at, expand = ggplot2::expansion(0.01)))
    patchwork::wrap_plots(track, logo, ncol = 1, heights = c(3, 2))
}
