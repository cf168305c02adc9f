#' Which letters, codons and regions carry the score
#'
#' Means of the scores of bases by what the bases are: parts of genes, of codons, of k-mers, or of stretches of one GC content.
#'
#' Standard errors are of a jackknife that leaves out one of 50 equal stretches of the genome after the other, so they allow for scores that
#' resemble their neighbours over distances short of such a stretch; what occurs in fewer than ten stretches has none. `z` is the
#' `difference` by its standard error.
#' @section Regions: `scores_by_region()` takes each type in the annotation (without `gene` and `exon`, which repeat others), the `upstream`
#'   bases before genes and what is `intergenic`. Bases that two regions of a type share count once. Regions of your own join by
#'   `c(annotation, regions)` with a column `type`. The p-value is two-sided, from the annotation moved along the genome as in
#'   [gene_quantiles()].
#' @section Codons: Every feature is read from its first base on, on its strand, in threes; a base in two genes counts in both. Last
#'   codons that are cut off or hold a letter other than A, C, G and T are left out.
#' @section k-mers: An occurrence has the mean score of its `k` bases. With `both_strands` a k-mer and its reverse complement are one, under
#'   the name that comes first. k-mers over the origin of a circular contig are left out.
#' @section GC content: Regression of the mean score of a window, or of a feature if there is an annotation, on its share of G and C.
#'   `residual` is what GC content does not explain. The fit is in `attr(x, "fit")`: `intercept`, `slope` (per unit of the share),
#'   `slope_se`, `r_squared`.
#' @param scores An `Attribution`, from [attribution()].
#' @param annotation A `GRanges` from [read_annotation()].
#' @param upstream How many bases before a gene are `upstream`; 0 for none.
#' @param by_strand Whether regions on both strands are kept apart.
#' @param shifts How many times the annotation is moved, 1 to 1,000,000.
#' @param type Which features, by their column `type`; `NULL` takes all.
#' @param by Whether to take the means by `"position"` in the codon (1, 2, 3), `"codon"` or `"amino_acid"` (standard code, "*" for stops).
#' @param k Length of the k-mers, 1 to 8.
#' @param regions A `GRanges` in which k-mers are looked for; `NULL`: everywhere.
#' @param both_strands Whether a k-mer and its reverse complement are one.
#' @param window Length of the windows in bp, side by side; the last one of a contig may be shorter, from half of it on.
#' @inheritParams gene_quantiles
#' @return A data frame that `plot()` draws as a `ggplot`; in the unit of the model's output.
#'   - `scores_by_region()`: one row a type: `type`, `strand`, `regions`, `bases`, `mean`, `mean_se`, `mean_absolute`, `share` (of the sum of
#'     |score| over the genome, 0 to 1), `p_value`, `fdr`.
#'   - `scores_by_codon()`: `position`, `codon` or `amino_acid`; `bases`, `mean`, `mean_se`, `difference` (from the mean of all these bases),
#'     `difference_se`, `z`.
#'   - `scores_by_kmer()`: `kmer`, `count`, `mean`, `mean_se`, `difference`, `difference_se`, `z`, and `total` (mean x count x k); highest `z`
#'     first, those without a standard error last.
#'   - `scores_by_gc()`: one row a window or feature: `contig`, `start`, `end`, `name`, `gc`, `mean`, `fitted`, `residual`.
#' @section Errors: `nucleograd_error_contigs`, `nucleograd_error_type`, `nucleograd_error_regions` as in [gene_quantiles()];
#'   `nucleograd_error_argument`.
#' @source Künsch (1989), \doi{10.1214/aos/1176347265}.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 863000)
#' scores <- attribution(example_model(), piece, nodes = 5)
#' genes <- IRanges::subsetByOverlaps(example_annotation(),
#'                                    GenomicRanges::GRanges("CHLTCG:853001-863000"), type = "within")
#' genes <- GenomicRanges::shift(genes, -853000)
#' GenomeInfoDb::seqinfo(genes) <- GenomeInfoDb::seqinfo(scores)
#' scores_by_region(scores, genes, shifts = 99, seed = 1)
#' scores_by_codon(scores, genes)
#' head(scores_by_kmer(scores, k = 3))
#' attr(scores_by_gc(scores, window = 200), "fit")
#' @name scores_by
NULL

#' @rdname scores_by
#' @export
scores_by_region <- function(scores, annotation, upstream = 200, by_strand = FALSE, shifts = 1000, seed = NULL, threads = NULL) {
    check_is(scores, "Attribution", "attribution")
    check_is(annotation, "GRanges", "read_annotation")
    upstream <- check_number(upstream, 0, 1e6)
    by_strand <- check_flag(by_strand)
    shifts <- check_number(shifts, 1, 1e6)
    seed <- check_seed(seed)
    run <- run_settings(threads, "Moving the annotation")
    features <- features_with_scores(annotation, GenomeInfoDb::seqinfo(scores))
    regions <- region_classes(features, upstream, by_strand)
    contigs <- scored_contigs(scores, regions)
    axis <- score_axis(contigs, scores@genome)
    places <- feature_bases(regions, axis)
    class <- match(regions$class, unique(regions$class))
    table <- stretch_means(class[places$feature], axis$score[places$at], axis$stretch[places$at], max(class))
    absolute <- rowsum(abs(axis$score[places$at]), class[places$feature], na.rm = TRUE)[, 1]
    null <- null_model(regions, contigs)
    null$layout[[9]] <- as.numeric(class[null$layout[[9]] + 1] - 1)
    null$layout[[10]] <- as.numeric(max(class))
    moved <- moved_counts(table$mean, null, shifts, seed, run, environment())
    p <- ifelse(is.na(table$mean), NA, pmin(1, 2 * (1 + pmin(moved[2, ], moved[3, ])) / (1 + moved[1, ])))
    one <- match(seq_len(max(class)), class)
    new_scores_table("scores_by_region", scores, data.frame(type = regions$type[one], strand = as.character(BiocGenerics::strand(regions))[one],
        regions = tabulate(class), bases = table$count, mean = table$mean, mean_se = table$mean_se, mean_absolute = absolute / table$count,
        share = absolute / sum(abs(axis$score), na.rm = TRUE), p_value = p, fdr = stats::p.adjust(p, "BH")))
}

# All regions with their `type` and `class`: the type, with the strand if those are kept apart; no base twice in a class.
region_classes <- function(features, upstream_bp, by_strand) {
    type <- first_known(gene_column(features, "type"), rep("region", length(features)))
    whole <- c("region", "source", "gene", "pseudogene", "exon", "mRNA")
    kept <- if (all(type %in% whole)) rep(TRUE, length(type)) else !type %in% whole
    parts <- split(GenomicRanges::granges(features)[kept], type[kept])
    if (length(choose_genes(features))) {
        if (upstream_bp > 0) parts$upstream <- GenomicRanges::granges(upstream(features, upstream_bp))
        parts$intergenic <- GenomicRanges::granges(intergenic(features))
    }
    merged <- lapply(names(parts), function(name) {
        here <- GenomicRanges::reduce(parts[[name]], ignore.strand = !by_strand)
        here$type <- rep(name, length(here))
        here
    })
    all <- do.call(c, merged)
    all$class <- paste(all$type, BiocGenerics::strand(all))
    all
}

#' @rdname scores_by
#' @export
scores_by_codon <- function(scores, annotation, type = "CDS", by = c("position", "codon", "amino_acid")) {
    check_is(scores, "Attribution", "attribution")
    check_is(annotation, "GRanges", "read_annotation")
    by <- check_choice(by, c("position", "codon", "amino_acid"))
    features <- choose_features(annotation, type)
    features <- features_with_scores(features, GenomeInfoDb::seqinfo(scores))
    axis <- score_axis(scored_contigs(scores, features), scores@genome)
    places <- feature_bases(features, axis)
    places <- places[places$offset < (BiocGenerics::width(features) %/% 3 * 3)[places$feature], ]
    minus <- as.character(BiocGenerics::strand(features)) == "-"
    letter <- axis$letter[places$at]
    letter <- ifelse(minus[places$feature], 3 - letter, letter)
    first <- which(places$offset %% 3 == 0)
    codon <- rep(16 * letter[first] + 4 * letter[first + 1] + letter[first + 2], each = 3) + 1
    codons <- Biostrings::mkAllStrings(bases, 3)
    amino <- unname(Biostrings::GENETIC_CODE[codons])
    names <- switch(by, position = 1:3, codon = codons, amino_acid = sort(unique(amino)))
    class <- switch(by, position = ifelse(is.na(codon), NA, places$offset %% 3 + 1), codon = codon, amino_acid = match(amino, names)[codon])
    table <- stretch_means(class, axis$score[places$at], axis$stretch[places$at], length(names))
    table <- cbind(stats::setNames(data.frame(names), by), bases = table$count,
                   table[c("mean", "mean_se", "difference", "difference_se", "z")])
    new_scores_table("scores_by_codon", scores, table[table$bases > 0, ])
}

#' @rdname scores_by
#' @export
scores_by_kmer <- function(scores, k = 6, regions = NULL, both_strands = TRUE) {
    check_is(scores, "Attribution", "attribution")
    k <- check_number(k, 1, 8)
    both_strands <- check_flag(both_strands)
    known <- GenomicRanges::GRanges(seqinfo = GenomeInfoDb::seqinfo(scores))
    if (!is.null(regions)) {
        check_is(regions, "GRanges", "read_annotation")
        regions <- known <- features_with_scores(regions, GenomeInfoDb::seqinfo(scores))
    }
    axis <- score_axis(scored_contigs(scores, known), scores@genome)
    first <- seq_len(max(length(axis$score) - k + 1, 0))
    inside <- rep(TRUE, length(axis$score))
    if (!is.null(regions)) inside <- seq_along(axis$score) %in% feature_bases(regions, axis)$at
    score <- ifelse(inside, axis$score, NA)
    code <- value <- numeric(length(first))
    for (j in seq_len(k)) {                                   # NA where a letter or a score is missing, or a region ends
        check_interrupt()
        code <- 4 * code + axis$letter[first + j - 1]
        value <- value + score[first + j - 1]
    }
    code[is.na(value) | axis$contig[first] != axis$contig[first + k - 1]] <- NA
    names <- Biostrings::mkAllStrings(bases, k)
    class <- seq_along(names)
    if (both_strands) class <- pmin(class, match(as.character(Biostrings::reverseComplement(Biostrings::DNAStringSet(names))), names))
    table <- stretch_means(class[code + 1], value / k, axis$stretch[first], length(names))
    table <- cbind(data.frame(kmer = names), table, total = table$mean * table$count * k)
    table <- table[table$count > 0, ]
    new_scores_table("scores_by_kmer", scores, table[order(-table$z), ])
}

#' @rdname scores_by
#' @export
scores_by_gc <- function(scores, annotation = NULL, type = c("CDS", "rRNA", "tRNA"), window = 1000) {
    check_is(scores, "Attribution", "attribution")
    window <- check_number(window, 10, .Machine$integer.max)
    if (is.null(annotation)) {
        known <- GenomeInfoDb::seqinfo(scores)
        parts <- gc_windows(GenomeInfoDb::seqlengths(known), window)
        features <- features_with_scores(parts, known)
    } else {
        check_is(annotation, "GRanges", "read_annotation")
        features <- choose_features(annotation, type)
        features <- features_with_scores(features, GenomeInfoDb::seqinfo(scores))
    }
    axis <- score_axis(scored_contigs(scores, features), scores@genome)
    places <- feature_bases(features, axis)
    places <- places[!is.na(axis$score[places$at]), ]
    sums_of <- function(x) replace(rep(NA_real_, length(features)), unique(places$feature), rowsum(x, places$feature, reorder = FALSE))
    mean_of <- function(x) sums_of(x) / tabulate(places$feature, length(features))
    gc <- mean_of(as.numeric(axis$letter[places$at] %in% 1:2))
    mean <- mean_of(axis$score[places$at])
    stretch <- axis$stretch[axis$origin[as.integer(GenomeInfoDb::seqnames(features))] + BiocGenerics::start(features)]
    fit <- gc_fit(gc, mean, stretch)
    fitted <- fit$intercept + fit$slope * gc
    table <- data.frame(contig = as.character(GenomeInfoDb::seqnames(features)), start = BiocGenerics::start(features),
                        end = BiocGenerics::end(features), name = feature_names(features), gc = gc, mean = mean, fitted = fitted,
                        residual = mean - fitted)
    table <- new_scores_table("scores_by_gc", scores, table)
    attr(table, "fit") <- fit
    table
}

gc_windows <- function(length_bp, window) {
    count <- pmax(1, length_bp %/% window + (length_bp %% window >= window / 2))
    start <- sequence(count, from = 1, by = window)
    GenomicRanges::GRanges(rep(names(length_bp), count), IRanges::IRanges(start, pmin(start + window - 1, rep(length_bp, count))))
}

gc_fit <- function(gc, mean, stretch) {
    slope_of <- function(x, y) stats::cov(x, y) / stats::var(x)
    there <- !is.na(mean)
    slope <- slope_of(gc[there], mean[there])
    left <- vapply(unique(stretch[there]), function(out) {
        here <- there & stretch != out
        slope_of(gc[here], mean[here])
    }, 0)
    list(intercept = mean(mean[there]) - slope * mean(gc[there]), slope = slope, slope_se = jackknife_se(rbind(left)),
         r_squared = stats::cor(gc[there], mean[there])^2)
}

# ---- bases on one axis ----

STRETCHES <- 50

# All contigs end to end: for each base its score (NA: none), letter (0 to 3; NA: ambiguous), contig and stretch of the jackknife.
score_axis <- function(contigs, genome) {
    length_bp <- vapply(contigs, function(contig) as.numeric(length(contig$score)), 0)
    letter <- as.integer(unlist(lapply(names(contigs), function(contig) base_codes(genome[[contig]]))))
    axis_bp <- sum(length_bp)
    list(score = unlist(lapply(contigs, `[[`, "score"), use.names = FALSE), letter = ifelse(letter > 3L, NA_integer_, letter),
         contig = rep(seq_along(contigs), length_bp), stretch = as.integer(ceiling(seq_len(axis_bp) / axis_bp * STRETCHES)),
         origin = unname(cumsum(length_bp) - length_bp), length_bp = unname(length_bp))
}

# Every base of every feature, from the feature's own first base on: `at` on the axis, `feature`, `offset` in it from 0.
feature_bases <- function(features, axis) {
    check_interrupt()
    contig <- as.integer(GenomeInfoDb::seqnames(features))
    width <- BiocGenerics::width(features)
    minus <- as.character(BiocGenerics::strand(features)) == "-"
    from <- ifelse(minus, BiocGenerics::end(features), BiocGenerics::start(features))
    position <- sequence(width, from = from, by = ifelse(minus, -1L, 1L))
    feature <- rep(seq_along(features), width)
    data.frame(at = axis$origin[contig[feature]] + (position - 1) %% axis$length_bp[contig[feature]] + 1, feature = feature,
               offset = sequence(width, from = 0L))
}

# ---- the jackknife over stretches ----

# One row a class 1..classes: count, mean, mean_se, difference from the mean of all, difference_se, z. A standard error
# from fewer than ten stretches would be of few numbers, and is not given.
stretch_means <- function(class, score, stretch, classes) {
    known <- which(!is.na(class) & !is.na(score))
    count <- sum <- matrix(0, classes, STRETCHES)
    for (here in split(known, stretch[known])) {
        check_interrupt()
        part <- stretch[here[1]]
        count[, part] <- tabulate(class[here], classes)
        sum[unique(class[here]), part] <- rowsum(score[here], class[here], reorder = FALSE)
    }
    without <- function(x) rowSums(x) - x
    mean <- rowSums(sum) / rowSums(count)
    mean_left <- without(sum) / without(count)
    all_left <- rep(colSums(without(sum)) / colSums(without(count)), each = classes)
    difference <- mean - sum(sum) / sum(count)
    enough <- ifelse(rowSums(count > 0) < 10, NA, 1)
    difference_se <- enough * jackknife_se(mean_left - all_left)
    data.frame(count = rowSums(count), mean = mean, mean_se = enough * jackknife_se(mean_left), difference = difference,
               difference_se = difference_se, z = difference / difference_se)
}

# Of each row, which has the values with one stretch left out at a time.
jackknife_se <- function(left) sqrt((ncol(left) - 1) / ncol(left) * rowSums((left - rowMeans(left))^2))

# ---- tables and pictures ----

new_scores_table <- function(class, scores, table) {
    rownames(table) <- NULL
    structure(table, settings = scores@settings, class = c(class, "data.frame"))
}

# A point with 95 % for each row of a table, from the top down.
plot_intervals <- function(x, label, mean, se, axis, subtitle = NULL, colour = NULL) {
    need_package("ggplot2", call = parent.frame())
    settings <- attr(x, "settings")
    table <- data.frame(label = factor(label, rev(unique(label))), mean = mean, low = mean - 1.96 * se, high = mean + 1.96 * se)
    table$colour <- if (is.null(colour)) "" else colour
    ggplot2::ggplot(table, ggplot2::aes(.data$mean, .data$label, colour = .data$colour)) +
        ggplot2::geom_vline(xintercept = 0, colour = "grey80", linewidth = 0.3) +
        ggplot2::geom_linerange(ggplot2::aes(xmin = .data$low, xmax = .data$high), linewidth = 0.6, na.rm = TRUE) +
        ggplot2::geom_point(size = 2) +
        ggplot2::scale_colour_manual(values = if (is.null(colour)) "#0072B2" else c("#0072B2", "#D55E00"), name = NULL,
                                     guide = if (is.null(colour)) "none" else "legend") +
        ggplot2::labs(x = score_title(settings$output, axis), y = NULL, title = scores_title(settings),
                      subtitle = paste0(settings_title(settings), "; bars: 95 %", subtitle)) +
        plain_theme()
}

#' @rdname scores_by
#' @param x A table of one of these functions.
#' @param y,... Not used.
#' @param top How many k-mers, or codons, to show at each end.
#' @method plot scores_by_region
#' @export
plot.scores_by_region <- function(x, y, ...) {
    label <- if (all(x$strand == "*")) x$type else paste0(x$type, " (", x$strand, ")")
    order <- order(-x$mean)
    plot_intervals(x, label[order], x$mean[order], x$mean_se[order], "Mean score of a base", "; orange: FDR < 0.05",
                   factor(x$fdr[order] < 0.05, c(FALSE, TRUE))) +
        ggplot2::guides(colour = "none")
}

#' @rdname scores_by
#' @method plot scores_by_codon
#' @export
plot.scores_by_codon <- function(x, y, top = 10, ...) {
    if (names(x)[1] == "position") shown <- seq_len(nrow(x))
    else shown <- ends_of(order(-x$difference), top)
    label <- if (names(x)[1] == "codon") paste0(x$codon, " ", Biostrings::GENETIC_CODE[x$codon]) else as.character(x[[1]])
    plot_intervals(x, label[shown], x$difference[shown], x$difference_se[shown], "Mean score of a base, beyond that of all codons") +
        ggplot2::labs(y = c(position = "Position in the codon", codon = "Codon", amino_acid = "Amino acid")[[names(x)[1]]])
}

#' @rdname scores_by
#' @method plot scores_by_kmer
#' @export
plot.scores_by_kmer <- function(x, y, top = 12, ...) {
    shown <- ends_of(which(!is.na(x$z)), top)
    plot_intervals(x, x$kmer[shown], x$difference[shown], x$difference_se[shown], "Mean score of a base, beyond that of all k-mers",
                   "; highest and lowest by z")
}

ends_of <- function(order, top) if (length(order) <= 2 * top) order else c(utils::head(order, top), utils::tail(order, top))

#' @rdname scores_by
#' @method plot scores_by_gc
#' @export
plot.scores_by_gc <- function(x, y, ...) {
    need_package("ggplot2")
    settings <- attr(x, "settings")
    fit <- attr(x, "fit")
    table <- as.data.frame(unclass(x))
    ggplot2::ggplot(table[!is.na(table$mean), ], ggplot2::aes(100 * .data$gc, .data$mean)) +
        ggplot2::geom_point(size = 0.8, shape = 16, alpha = 0.5, colour = "grey50") +
        ggplot2::geom_abline(intercept = fit$intercept, slope = fit$slope / 100, colour = "#0072B2") +
        ggplot2::labs(x = "G and C (%)", y = score_title(settings$output, "Mean score of a base"), title = scores_title(settings),
                      subtitle = paste0(settings_title(settings), "; slope ", format(fit$slope / 100, digits = 2), " \u00b1 ",
                                        format(1.96 * fit$slope_se / 100, digits = 2), " per % of GC, R\u00b2 ", format(fit$r_squared, digits = 2))) +
        plain_theme()
}
