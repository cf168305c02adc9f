#' Genes ranked by their scores
#'
#' A `GeneQuantiles` is a `RangedSummarizedExperiment`: one row a feature, in the order of the annotation, one column a result, one
#' assay a statistic (see [gene_quantiles()]). The settings of each column are in `colData()`. `as.data.frame()` gives the ranked
#' table of one column; results of several models or methods on the same features go side by side with
#' `SummarizedExperiment::cbind()`. The class is there as soon as SummarizedExperiment is loaded, which [gene_quantiles()] does: load
#' it yourself before you look at a result that was saved in another session.
#' @param x,object A `GeneQuantiles`.
#' @param row.names,optional,... Ignored; there because the generic has them.
#' @return `as.data.frame()`: one row a feature, highest mean first.
#' @importFrom BiocGenerics as.data.frame
#' @name GeneQuantiles-class
#' @aliases show,GeneQuantiles-method as.data.frame,GeneQuantiles-method
#' @usage
#' \S4method{show}{GeneQuantiles}(object)
#'
#' \S4method{as.data.frame}{GeneQuantiles}(x, row.names = NULL, optional = FALSE, ...)
NULL

# SummarizedExperiment takes 250 MB of memory to load, and gene_quantiles() alone needs it. So the class comes when that is loaded, and
# to a place of its own, since the namespace is closed by then.
gene_quantiles_class <- new.env()

define_gene_quantiles <- function(...) {
    place <- gene_quantiles_class
    assign(".packageName", "nucleograd", place)
    setClass("GeneQuantiles", contains = "RangedSummarizedExperiment", where = place)
    setMethod("show", "GeneQuantiles", show_gene_quantiles, where = place)
    setMethod("plot", signature("GeneQuantiles", "missing"), plot_gene_quantiles, where = place)
    setMethod("as.data.frame", "GeneQuantiles", function(x, row.names = NULL, optional = FALSE, ...) ranked_table(x), where = place)
    setAs("GeneQuantiles", "data.frame", function(from) ranked_table(from), where = place)
}

#' Which genes carry the answer
#'
#' Summarises per-base scores over genes, or any other regions, and says how unusual each is: among the other genes, among all
#' windows of its own width, and against the same annotation moved along the genome, which keeps the resemblance of
#' neighbouring scores. The score of a base is the sum of its four channels. Bases without a score, and N or other ambiguous
#' letters, are left out of every mean and counted in `left_out`. A gene over the origin of a circular contig counts once.
#'
#' @section Null distribution: One contig, or only circular ones: the annotation is shifted along the contigs, joined
#'   end to end into a circle, by every number of bases or by random ones. Several contigs of which one is linear: the order of contigs
#'   means nothing, so each draw covers the genome with blocks (at least as long as the longest feature, else 10 kb or
#'   a 20th of the genome) of scores from random places; a block that reaches the end of its contig goes on at its start.
#' @param scores An `Attribution`, from [attribution()], or a list of them, of other models, baselines or methods on one genome; its
#'   names become those of the columns.
#' @param annotation A `GRanges` from [read_annotation()], [intergenic()], [upstream()], or your own regions.
#' @param type Which features, by their column `type`; `NULL` takes all. Regions without that column are all taken.
#' @param prevalence A data frame with columns `gene` (genes or products) and `label`, how common each is in a collection of genomes, as
#'   from `gene_prevalence()`. A feature takes the label of its gene, of its gene without the number of a copy ("spo0A_2"), or of its
#'   product; `"Absent elsewhere"` if none is in the table. It becomes the column `prevalence` of `rowRanges()`.
#' @param shifts How many times the annotation is moved, at random: 1 to 1,000,000; the smallest p-value is 1 / (`shifts` + 1).
#'   `NULL`: where it moves in a circle, every shift there is, so that p-values are exact and no chance is in them; where blocks are
#'   drawn, 1,000.
#' @param seed A whole number for the same draws again; `NULL` takes one from R's generator.
#' @param threads How many threads; see [thread_count()].
#' @return A `GeneQuantiles`, one row a feature, one column an attribution, with the assays
#'   - `bases`, `left_out`: bases with and without a score;
#'   - `mean`, `sum`, `mean_absolute`, `max`, `positive_share`: of the scores of the `bases`, in the unit of the model's output; the
#'     last is the share of bases above zero;
#'   - `quantile_genes`: share of the other features with a lower mean, 0 to 1, ties counted half;
#'   - `quantile_bases`: share of all other windows of the same width, on all contigs, with a lower mean, 0 to 1, ties counted half;
#'   - `p_value`: (1 + draws with a mean at least as high) / (1 + draws), one-sided; `fdr`: after Benjamini and Hochberg.
#'
#'   Features without any scored base are `NA`. As a data frame: `Gene`, `Description`, `Quantile Position` (`quantile_genes`),
#'   `Prevalence` if there is one, the place of the feature, and the assays, highest mean first.
#' @section Errors: `nucleograd_error_contigs`: no feature lies on a contig with scores, or the attributions
#'   are of other genomes. `nucleograd_error_regions`: a feature leaves its
#'   contig. `nucleograd_error_type`: there is no feature of this type. `nucleograd_error_argument`.
#' @source Phipson and Smyth (2010), \doi{10.2202/1544-6115.1585}; Politis and Romano (1994), \doi{10.1080/01621459.1994.10476870};
#'   Benjamini and Hochberg (1995), \doi{10.1111/j.2517-6161.1995.tb02031.x}.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 863000)
#' scores <- attribution(example_model(), piece, nodes = 5)
#' genes <- IRanges::subsetByOverlaps(example_annotation(),
#'                                    GenomicRanges::GRanges("CHLTCG:853001-863000"), type = "within")
#' genes <- GenomicRanges::shift(genes, -853000)
#' gene_quantiles(scores, genes)
#' @export
gene_quantiles <- function(scores, annotation, type = c("CDS", "rRNA", "tRNA"), prevalence = NULL, shifts = NULL, seed = NULL,
                           threads = NULL) {
    results <- check_results(scores)
    check_is(annotation, "GRanges", "read_annotation")
    if (!is.null(prevalence)) check_prevalence(prevalence)
    if (!is.null(shifts)) shifts <- check_number(shifts, 1, 1e6)
    seed <- check_seed(seed)
    run <- run_settings(threads, "Ranking genes")
    features <- choose_features(annotation, type)
    features <- features_with_scores(features, GenomeInfoDb::seqinfo(results[[1]]))
    if (!is.null(prevalence)) features$prevalence <- prevalence_of(features, prevalence)
    types <- if (is.null(type) || is.null(annotation$type)) "all" else paste(type, collapse = ", ")
    frame <- environment()
    columns <- lapply(seq_along(results), function(k)
        rank_features(results[[k]], names(results)[k], features, types, shifts, seed, part_of_run(run, k, length(results)), frame))
    if (length(columns) == 1) columns[[1]] else do.call(SummarizedExperiment::cbind, columns)
}

# One attribution or several of one genome as a named list.
check_results <- function(scores, call = parent.frame()) {
    if (is(scores, "Attribution")) return(stats::setNames(list(scores), scores@settings$method))
    if (!is.list(scores) || !length(scores) || !all(vapply(scores, is, NA, "Attribution")))
        stop_input(c("{.arg scores} must be an {.cls Attribution} or a list of them, not {.obj_type_friendly {scores}}.",
                     i = "Make one with {.fun attribution}."), call = call)
    if (is.null(names(scores))) names(scores) <- vapply(scores, function(one) one@settings$method, "")
    names(scores) <- make.unique(names(scores))
    genomes <- lapply(scores, function(one) GenomeInfoDb::seqlengths(GenomeInfoDb::seqinfo(one)))
    if (length(unique(genomes)) != 1)
        stop_input(c("The attributions in {.arg scores} must be of one genome.",
                     x = "{.val {names(scores)[!genomes %in% genomes[1]]}} {?has/have} other contigs than {.val {names(scores)[1]}}."),
                   class = "contigs", call = call)
    scores
}

check_seed <- function(seed, call = parent.frame()) {
    if (is.null(seed)) as.numeric(sample.int(.Machine$integer.max, 1)) else check_number(seed, 0, .Machine$integer.max, call = call)
}

rank_features <- function(scores, label, features, types, shifts, seed, run, frame) {
    contigs <- scored_contigs(scores, features)
    statistics <- feature_statistics(features, contigs)
    statistics$quantile_genes <- share_below(statistics$mean)
    rank_windows <- function(tracks, part) window_counts(statistics$mean, features, tracks, part_of_run(run, part, 2), frame)
    counts <- rank_windows(contigs, 1)
    statistics$quantile_bases <- share_of_windows(counts)
    null <- null_model(features, contigs)
    exact <- is.null(shifts) && null$name == "circular shift"
    if (exact) {
        axis <- list(list(score = unlist(lapply(contigs, `[[`, "score"), use.names = FALSE), circular = TRUE))
        if (!identical(unname(contigs), axis)) counts <- rank_windows(axis, 2)
        shifts <- null$axis_bp - 1
        statistics$p_value <- (counts[3, ] - counts[1, ]) / counts[3, ]
    } else {
        if (is.null(shifts)) shifts <- 1000
        moved <- moved_counts(statistics$mean, null, shifts, seed, part_of_run(run, 2, 2), frame)
        statistics$p_value <- ifelse(is.na(statistics$mean), NA, (1 + moved[2, ]) / (1 + moved[1, ]))
    }
    statistics$fdr <- stats::p.adjust(statistics$p_value, "BH")
    kept <- Filter(function(setting) is.atomic(setting) && length(setting) == 1, scores@settings)
    new_gene_quantiles(features, statistics, label,
                       c(kept, list(types = types, null = null$name, shifts = shifts, seed = if (exact) NA_real_ else seed)))
}

# ---- prevalence: a table of gene_prevalence(), by gene or by product ----

check_prevalence <- function(prevalence, call = parent.frame()) {
    missing <- if (is.data.frame(prevalence)) setdiff(c("gene", "label"), names(prevalence)) else c("gene", "label")
    if (length(missing))
        stop_input(c("{.arg prevalence} must be a data frame with the columns {.field gene} and {.field label}.",
                     x = "{.field {missing}} {?is/are} missing."), call = call)
}

# The label of each feature: by its gene, by its gene without the number of a copy, or by its product.
prevalence_of <- function(features, prevalence) {
    gene <- gene_column(features, "gene")
    row <- first_known(match(gene, prevalence$gene, incomparables = NA), match(without_copy(gene), prevalence$gene, incomparables = NA),
                       match(gene_column(features, "product"), prevalence$gene, incomparables = NA))
    first_known(as.character(prevalence$label)[row], "Absent elsewhere")
}

# "spo0A_2" is a second spo0A.
without_copy <- function(gene) sub("_[0-9]+$", "", gene)

new_gene_quantiles <- function(features, statistics, label, settings) {
    as_column <- function(x) matrix(x, ncol = 1, dimnames = list(names(features), label))
    experiment <- SummarizedExperiment::SummarizedExperiment(lapply(statistics, as_column), rowRanges = features,
        colData = S4Vectors::DataFrame(settings, row.names = label))
    methods::new("GeneQuantiles", experiment)
}

choose_features <- function(annotation, type, call = parent.frame()) {
    if (is.null(type) || is.null(annotation$type)) return(annotation)
    chosen <- annotation[annotation$type %in% type]
    if (!length(chosen))
        stop_input(c("{.arg type} must name types of {.arg annotation}.", x = "It has no {.or {.val {type}}}.",
                     i = "It has {.val {unique(as.character(annotation$type))}}."),
                   class = "type", call = call)
    chosen
}

# The features on contigs that have scores, on the Seqinfo of the scores; a contig is circular if either side says so.
features_with_scores <- function(features, known, call = parent.frame()) {
    contig <- as.character(GenomeInfoDb::seqnames(features))
    names_known <- GenomeInfoDb::seqnames(known)
    if (!any(contig %in% names_known))
        stop_input(c("{.arg annotation} must lie on contigs of {.arg scores}.",
                     x = "{.val {unique(contig)}} {?is/are} in {.arg annotation} only.", i = "{.arg scores} has {.val {names_known}}."),
                   class = "contigs", call = call)
    if (!all(contig %in% names_known))
        cli::cli_inform("Leaving out {sum(!contig %in% names_known)} feature{?s} on contigs without scores.")
    told_circular <- names(which(GenomeInfoDb::isCircular(features)))
    GenomeInfoDb::isCircular(known) <- GenomeInfoDb::isCircular(known) %in% TRUE | names_known %in% told_circular
    features <- features[contig %in% names_known]
    placed <- data.frame(contig = contig[contig %in% names_known], start = BiocGenerics::start(features),
                         end = BiocGenerics::end(features), type = "Region", ID = as.character(features))
    place_features(placed, known, call)
    suppressWarnings({                     # of ends beyond a contig that becomes circular on the next line
        GenomeInfoDb::seqlevels(features, pruning.mode = "coarse") <- intersect(GenomeInfoDb::seqlevels(features), names_known)
        GenomeInfoDb::seqlevels(features) <- names_known
        GenomeInfoDb::seqinfo(features) <- known
    })
    features
}

# Per contig of `scores`: its per-base scores, NA where the base is ambiguous or no window covers it, and whether it is circular.
scored_contigs <- function(scores, features) {
    circular <- GenomeInfoDb::isCircular(features)
    lapply(stats::setNames(nm = names(circular)), function(contig) {
        score <- base_scores(scores, contig)
        score[base_codes(scores@genome[[contig]]) == as.raw(4)] <- NA
        list(score = score, circular = circular[[contig]])
    })
}

feature_statistics <- function(features, contigs) {
    one <- function(contig, start, width) {
        all <- contigs[[contig]]$score
        score <- all[(start - 2 + seq_len(width)) %% length(all) + 1]
        score <- score[!is.na(score)]
        n <- length(score)
        c(bases = n, left_out = width - n, mean = if (n) mean(score) else NA, sum = if (n) sum(score) else NA,
          mean_absolute = if (n) mean(abs(score)) else NA, max = if (n) max(score) else NA, positive_share = if (n) mean(score > 0) else NA)
    }
    table <- mapply(one, as.character(GenomeInfoDb::seqnames(features)), BiocGenerics::start(features), BiocGenerics::width(features))
    lapply(stats::setNames(nm = rownames(table)), function(row) unname(table[row, ]))
}

# For each value the share of the others that are lower, ties counted half.
share_below <- function(x) {
    n <- sum(!is.na(x))
    if (n == 1) return(ifelse(is.na(x), NA, 0.5))
    (rank(x, na.last = "keep") - 1) / (n - 1)
}

# Sums up to each base, and how many bases they are of: sum of (i, j] = sums[j + 1] - sums[i + 1]. Two means that differ by less
# than `rounding` / bases are equal: these sums are rounded, and the same bases summed elsewhere differ in the last bits.
running_sums <- function(score) {
    known <- !is.na(score)
    score[!known] <- 0
    sums <- cumsum(c(0, score))
    list(sums = sums, bases = as.numeric(cumsum(c(0L, known))),
         rounding = 16 * .Machine$double.eps * max(sums, -min(sums)) + .Machine$double.xmin)
}

# For each feature, how many windows of its width have a lower mean, an equal one, and any; it is one of them itself.
window_counts <- function(mean, features, tracks, run, frame) {
    width_bp <- as.numeric(BiocGenerics::width(features))
    known <- which(!is.na(mean))
    known <- known[order(width_bp[known])]                                     # the core computes the windows of a width once
    counts <- matrix(NA_real_, 3, length(mean))
    counts[, known] <- 0
    for (k in seq_along(tracks)) {
        running <- running_sums(tracks[[k]]$score)
        counts[, known] <- counts[, known] + .Call(C_window_ranks, running$sums, running$bases, tracks[[k]]$circular, running$rounding,
                                                   width_bp[known], mean[known], part_of_run(run, k, length(tracks)), frame)
    }
    counts
}

# The share of the other windows whose mean is lower, ties counted half.
share_of_windows <- function(counts) {
    others <- counts[3, ] - 1
    ifelse(others == 0, 0.5, (counts[1, ] + (counts[2, ] - 1) / 2) / others)
}

# How the annotation moves, and the `layout` of it that the core reads (core/attribution/moved_annotation.h): the contigs lie end to end
# on one axis, cut into blocks; a draw gives each block a random place on the axis, and the pieces of features in it are read from there
# on, around the circle the place is in. A circular shift is one block and one circle, a block bootstrap has a circle for each contig.
null_model <- function(features, contigs) {
    length_bp <- vapply(contigs, function(contig) as.numeric(length(contig$score)), 0)
    circular <- vapply(contigs, function(contig) contig$circular, NA)
    axis_bp <- sum(length_bp)
    shift <- length(contigs) == 1 || all(circular)
    longest <- max(BiocGenerics::width(features))
    block_bp <- if (shift) axis_bp else max(longest, min(10000, axis_bp %/% 20))

    contig <- as.integer(GenomeInfoDb::seqnames(features))
    start <- BiocGenerics::start(features) - 1
    pieces <- data.frame(feature = seq_along(features), start = start + (cumsum(length_bp) - length_bp)[contig],
                         bases = BiocGenerics::width(features))
    pieces <- cut_pieces(pieces, cumsum(length_bp)[contig], (cumsum(length_bp) - length_bp)[contig])
    if (!shift) pieces <- cut_pieces(pieces, (pieces$start %/% block_bp + 1) * block_bp)
    running <- running_sums(unlist(lapply(contigs, `[[`, "score"), use.names = FALSE))
    list(name = if (shift) "circular shift" else paste0("block bootstrap, blocks of ", block_bp, " bp"), axis_bp = axis_bp,
         layout = list(running$sums, running$bases, running$rounding, if (shift) 0 else as.numeric(cumsum(length_bp) - length_bp),
                       ceiling(axis_bp / block_bp), pieces$start %/% block_bp, pieces$start %% block_bp, as.numeric(pieces$bases),
                       as.numeric(pieces$feature - 1), as.numeric(length(features))))
}

# Pieces that reach beyond `at` are cut there; the rest goes on at `onward`.
cut_pieces <- function(pieces, at, onward = at) {
    rest <- pmax(pieces$start + pieces$bases - at, 0)
    beyond <- data.frame(feature = pieces$feature, start = rep_len(onward, nrow(pieces)), bases = rest)[rest > 0, ]
    pieces$bases <- pieces$bases - rest
    rbind(pieces, beyond)
}

# In how many of `shifts` draws each feature has a mean, one at least as high as `mean`, and one at least as low: three rows.
moved_counts <- function(mean, null, shifts, seed, run, frame) {
    .Call(C_moved_counts, null$layout, as.numeric(mean), shifts, seed, run, frame)
}

ranked_table <- function(x, call = parent.frame()) {
    if (ncol(x) != 1)
        stop_input(c("A ranked table must be of one result, not {ncol(x)}.", i = "Choose one, as in {.code x[, 1]}."), call = call)
    features <- SummarizedExperiment::rowRanges(x)
    column <- function(name) gene_column(features, name)
    statistics <- lapply(as.list(SummarizedExperiment::assays(x)), function(assay) unname(assay[, 1]))
    place <- unname(as.character(features))
    table <- data.frame(Gene = first_known(column("gene"), column("locus_tag"), column("ID"), place), Description = column("product"),
        `Quantile Position` = statistics$quantile_genes, Prevalence = column("prevalence"), contig = as.character(GenomeInfoDb::seqnames(features)),
        start = BiocGenerics::start(features), end = BiocGenerics::end(features),
        strand = as.character(BiocGenerics::strand(features)), locus_tag = column("locus_tag"), type = column("type"),
        statistics, check.names = FALSE)
    if (is.null(features$prevalence)) table$Prevalence <- NULL
    table <- table[order(-table$mean), ]
    rownames(table) <- NULL
    table
}

show_gene_quantiles <- function(object) {
    settings <- as.data.frame(SummarizedExperiment::colData(object))
    cat("Gene quantiles of ", nrow(object), if (nrow(object) == 1) " feature" else " features", ", ranked by their mean score\n",
        sep = "")
    for (k in seq_len(nrow(settings))) with(settings[k, ], cat(sep = "",
        "  scores   ", settings_title(settings[k, ]), "; ", output, " of ", target_name, ", model ", model, "\n",
        "  features ", types, "\n",
        "  p-values ", null, ", ", if (is.na(seed)) "all " else "",
        format(shifts, big.mark = ",", scientific = FALSE), if (is.na(seed)) " of them" else " draws, seed ",
        if (!is.na(seed)) format(seed, scientific = FALSE), "\n"))
    if (ncol(object) != 1 || nrow(object) == 0) return(invisible())
    table <- utils::head(ranked_table(object), 10)
    table$Description <- ifelse(nchar(table$Description) > 40, paste0(substr(table$Description, 1, 37), "..."), table$Description)
    columns <- c("Gene", "Description", "Quantile Position", if ("Prevalence" %in% names(table)) "Prevalence", "bases", "mean",
                 "quantile_bases", "p_value", "fdr")
    print(table[columns], digits = 3, row.names = FALSE)
    if (nrow(object) > 10) cat("...", nrow(object) - 10, "more features: as.data.frame(x) has all\n")
}

#' Look at ranked genes
#'
#' Every feature by its quantile position and its mean score, coloured by type, the top ones named.
#' @param x A `GeneQuantiles` of one result, from [gene_quantiles()].
#' @param y Not used.
#' @param top How many features to name, from the highest mean down.
#' @return A `ggplot`. Without ggrepel installed, names that would overlap are left out.
#' @section Errors: `nucleograd_error_package`: ggplot2 is not installed. `nucleograd_error_argument`.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' scores <- attribution(example_model(), piece, nodes = 5)
#' regions <- GenomicRanges::GRanges("CHLTCG", IRanges::IRanges(seq(1, 3501, 500), width = 500))
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot(gene_quantiles(scores, regions, shifts = 99))
#' @name plot-GeneQuantiles
#' @aliases plot,GeneQuantiles,missing-method
#' @usage \S4method{plot}{GeneQuantiles,missing}(x, y, top = 10)
NULL

plot_gene_quantiles <- function(x, y, top = 10) {
    need_package("ggplot2")
    top <- check_number(top, 0, 1000)
    table <- ranked_table(x)
    table <- table[!is.na(table$mean), ]
    table$type[is.na(table$type)] <- "region"
    common <- names(sort(table(table$type), decreasing = TRUE))
    table$type <- factor(table$type, common)
    gene <- replace(table$Gene, which(table$Gene == table$locus_tag), NA)
    table$label <- ifelse(seq_len(nrow(table)) <= top, short_names(gene, table$Description, table$locus_tag), "")
    table <- table[order(table$type), ]                                                   # the rarer types on top
    settings <- x@colData
    ggplot2::ggplot(table, ggplot2::aes(.data$`Quantile Position`, .data$mean, colour = .data$type)) +
        ggplot2::geom_hline(yintercept = 0, colour = "grey80", linewidth = 0.3) +
        ggplot2::geom_point(size = 1, shape = 16, alpha = 0.8) +
        top_labels(table) +
        ggplot2::scale_colour_manual(values = type_colours(common), name = NULL) +
        ggplot2::scale_x_continuous(expand = ggplot2::expansion(c(0.02, 0.03))) +
        ggplot2::guides(colour = ggplot2::guide_legend(override.aes = list(size = 2.5, alpha = 1))) +
        ggplot2::labs(x = "Quantile position among all features", y = score_title(settings$output, "Mean score of a base"),
                      title = scores_title(settings), subtitle = settings_title(settings)) +
        plain_theme()
}
