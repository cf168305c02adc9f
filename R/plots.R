#' Look at scores
#'
#' Five views of an attribution, all `ggplot` objects that take further layers, scales and themes.
#'
#' `"genome"` and `"locus"` show the score of each base as a point, the running mean as a line and, with `annotation`, the genes
#' below: arrows on the plus strand above those on the minus strand, named where the name fits. More than 20,000 points are thinned
#' bin by bin; the lowest and highest of each bin always stay. `"heatmap"` shows the four channels of each base, white at zero, with a dot
#' on the base that is there; `"logo"` shows each base as a letter as high as its score, downwards if negative. `"circle"` bends a contig
#' round: mean scores of 720 stretches, outwards if positive, then the genes of the minus and of the plus strand, then those of `highlight`.
#' @param x An `Attribution`.
#' @param y Not used.
#' @param type Which view.
#' @param region Where to look: a `GRanges` of one range, `"contig"`, `"contig:start-end"` (bp, 1-based, closed), or the name or
#'   locus tag of a gene in `annotation`, which is shown with a fifth of its length on both sides (at least 100 bp; none in a
#'   heatmap or logo). `NULL`: the longest contig for `"genome"`, else 20,000, 200 or 60 bp around the highest running mean.
#' @param annotation A `GRanges` from [read_annotation()], for the genes.
#' @param highlight A set of genes to mark: any of their names in `annotation`, or a `GRanges`.
#' @param k Bases in the running mean, 1 to 1,000,000.
#' @return A `ggplot`.
#' @section Errors: `nucleograd_error_package`: ggplot2 (for a logo also ggseqlogo) is not installed. `nucleograd_error_regions`:
#'   there is no such region, or it is too long for a heatmap (2,000 bp) or a logo (300 bp). `nucleograd_error_argument`.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' scores <- attribution(example_model(), piece, nodes = 5)
#' if (requireNamespace("ggplot2", quietly = TRUE)) plot(scores)
#' @name plot-Attribution
#' @aliases plot,Attribution,missing-method
#' @exportMethod plot
setMethod("plot", signature("Attribution", "missing"), function(x, y, type = c("genome", "locus", "heatmap", "logo", "circle"),
                                                                region = NULL, annotation = NULL, highlight = NULL, k = 50) {
    need_package("ggplot2")
    type <- check_choice(type, c("genome", "locus", "heatmap", "logo", "circle"))
    k <- check_number(k, 1, 1e6)
    if (!is.null(annotation)) check_is(annotation, "GRanges", "read_annotation")
    highlighted <- highlighted_genes(annotation, highlight)
    here <- region_shown(x, type, region, annotation, k)
    switch(type, heatmap = plot_heatmap(x, here), logo = plot_logo(x, here), circle = plot_circle(x, here, annotation, highlighted),
           plot_scores(x, here, annotation, highlighted, k))
})

utils::globalVariables(".data")                        # ggplot2's pronoun for the columns of the plotted table

need_package <- function(package, what = "This plot", call = parent.frame()) {
    if (!requireNamespace(package, quietly = TRUE))
        stop_input(c("{what} must have the package {.pkg {package}}, which is not installed.",
                     i = "Run {.code install.packages(\"{package}\")}?"),
                   class = "package", call = call)
}

# ---- where to look ----

# A list: contig, start, end (beyond the contig's length when the region runs over the origin of a circular one).
region_shown <- function(x, type, region, annotation, k, call = parent.frame()) {
    known <- GenomeInfoDb::seqinfo(x)
    length_bp <- GenomeInfoDb::seqlengths(known)
    whole <- function(contig) list(contig = contig, start = 1, end = length_bp[[contig]])
    if (is.null(region) && type %in% c("genome", "circle")) return(whole(names(which.max(length_bp))))
    if (is.null(region)) return(strongest_place(x, c(locus = 20000, heatmap = 200, logo = 60)[[type]], k))
    if (is.character(region) && length(region) == 1 && region %in% names(length_bp)) return(whole(region))
    margin <- 0
    if (is.character(region) && length(region) == 1 && !grepl(":[0-9]+-[0-9]+$", region)) {
        region <- gene_named(region, annotation, call)
        if (type %in% c("genome", "locus")) margin <- max(100, BiocGenerics::width(region) %/% 5)
    }
    if (is.character(region) && length(region) == 1) {
        parts <- regmatches(region, regexec("^(.*):([0-9]+)-([0-9]+)$", region))[[1]]
        here <- list(contig = parts[2], start = as.numeric(parts[3]), end = as.numeric(parts[4]))
    } else if (is(region, "GRanges") && length(region) == 1) {
        here <- list(contig = as.character(GenomeInfoDb::seqnames(region)), start = BiocGenerics::start(region) - margin,
                     end = BiocGenerics::end(region) + margin)
    } else stop_input("{.arg region} must be one region, not {.obj_type_friendly {region}}.", call = call)
    check_region(here, known, c(genome = Inf, locus = Inf, heatmap = 2000, logo = 300, circle = Inf)[[type]], margin > 0, call)
}

gene_named <- function(name, annotation, call, arg = "region") {
    found <- if (!is.null(annotation))
        annotation[which(gene_column(annotation, "gene") == name | gene_column(annotation, "locus_tag") == name)]
    if (!length(found))
        stop_input(c(if (arg == "gene") "{.arg gene} must be a gene of {.arg annotation}."
                     else "{.arg region} must be \"contig\", \"contig:start-end\", or a gene of {.arg annotation}.",
                     x = "{.val {name}} is none of them{if (is.null(annotation)) '; there is no annotation'}."),
                   class = "regions", call = call)
    found[1]
}

# The region on its contig: a margin is clipped at the ends of a linear contig, anything else outside is an error.
check_region <- function(here, known, longest, clip, call) {
    length_bp <- GenomeInfoDb::seqlengths(known)[here$contig]
    circular <- GenomeInfoDb::isCircular(known)[here$contig] %in% TRUE
    if (clip && !circular) here[c("start", "end")] <- list(max(here$start, 1), min(here$end, length_bp))
    if (circular && here$start < 1) here[c("start", "end")] <- list(here$start + length_bp, here$end + length_bp)
    width <- here$end - here$start + 1
    if (is.na(length_bp) || here$start < 1 || here$start > length_bp || width < 1 || width > length_bp ||
        here$end > length_bp && !circular)
        stop_input(c("{.arg region} must lie on a contig of the attribution.", x = "It is {here$contig}:{here$start}-{here$end}.",
                     i = "Its contigs: {paste0(GenomeInfoDb::seqnames(known), ' (', GenomeInfoDb::seqlengths(known), ' bp)')}."),
                   class = "regions", call = call)
    if (width > longest)
        stop_input(c("{.arg region} must have at most {longest} bp for this view.", x = "It has {width} bp."), class = "regions", call = call)
    here
}

strongest_place <- function(x, width_bp, k) {
    means <- lapply(stats::setNames(nm = names(x@scores)), function(contig) running_mean(base_scores(x, contig), k, FALSE))
    contig <- names(which.max(vapply(means, function(mean) max(mean, -Inf, na.rm = TRUE), 0)))
    length_bp <- length(means[[contig]])
    start <- max(1, min(which.max(means[[contig]]) - width_bp %/% 2, length_bp - width_bp + 1))
    list(contig = contig, start = start, end = min(start + width_bp - 1, length_bp))
}

# The mean of the k bases around each base, of those that have a score; on a circular contig also those beyond the origin.
running_mean <- function(score, k, circular) {
    n <- length(score)
    before <- k %/% 2
    from <- seq_len(n) - before
    if (circular && k <= n) {
        from <- seq_len(n)
        score <- score[(seq_len(n + k - 1) - 1 - before) %% n + 1]
    }
    running <- running_sums(score)
    to <- pmin(from + k, length(score) + 1)
    from <- pmax(from, 1)
    bases <- running$bases[to] - running$bases[from]
    ifelse(bases > 0, (running$sums[to] - running$sums[from]) / bases, NA)
}

positions_of <- function(here) here$start:here$end

# Places of a region on a contig of this length; those over the origin begin again at 1.
on_contig <- function(position, length_bp) (position - 1) %% length_bp + 1

# ---- scores along the genome ----

plot_scores <- function(x, here, annotation, highlighted, k) {
    score <- base_scores(x, here$contig)
    position <- positions_of(here)
    at <- on_contig(position, length(score))
    points <- thin(data.frame(position = position, score = score[at]), bins = 500, per_bin = 40)
    means <- running_mean(score, k, GenomeInfoDb::isCircular(GenomeInfoDb::seqinfo(x))[[here$contig]] %in% TRUE)
    line <- thin(data.frame(position = position, score = means[at]), bins = 2000, per_bin = 2)
    scores_range <- range(points$score, 0)
    track <- gene_track(annotation, here, length(score), scores_range)
    marks <- genes_shown(highlighted, here, length(score))
    many <- nrow(points) > 5000
    ggplot2::ggplot(points, ggplot2::aes(.data$position, .data$score)) +
        (if (!is.null(marks)) ggplot2::geom_rect(data = marks, ggplot2::aes(xmin = .data$start, xmax = .data$end, ymin = -Inf, ymax = Inf),
                                                 inherit.aes = FALSE, fill = "#E69F00", colour = "#E69F00", linewidth = 0.2, alpha = 0.35)) +
        ggplot2::geom_hline(yintercept = 0, colour = "grey80", linewidth = 0.3) +
        ggplot2::geom_point(size = if (many) 0.35 else 0.8, shape = 16, alpha = if (many) 0.5 else 0.7, colour = "grey65") +
        ggplot2::geom_line(data = line, colour = "#0072B2", linewidth = if (length(position) > 20000) 0.25 else 0.5) +
        track +
        position_axis(here, length(score)) +
        ggplot2::scale_y_continuous(breaks = pretty_within(scores_range)) +
        ggplot2::labs(y = score_title(x@settings$output, "Score of a base"), title = scores_title(x@settings),
                      subtitle = paste0(settings_title(x@settings), "; line: running mean of ", k, " bases")) +
        plain_theme()
}

# At most `bins` x `per_bin` rows: of each bin the lowest, the highest, and others at even distances.
thin <- function(points, bins, per_bin) {
    points <- points[!is.na(points$score), ]
    n <- nrow(points)
    if (n <= bins * per_bin) return(points)
    bin <- floor((seq_len(n) - 1) * (bins / n))
    first <- match(seq_len(bins) - 1, bin)
    last <- c(first[-1] - 1, n)
    by_score <- order(bin, points$score)
    between <- unlist(Map(seq, first, last, length.out = per_bin - 2))
    points[sort(unique(c(by_score[c(first, last)], round(between)))), ]
}

# Arrows below the scores: two lanes, plus above minus; NULL without annotation.
gene_track <- function(annotation, here, length_bp, scores_range) {
    genes <- genes_shown(annotation, here, length_bp)
    if (is.null(genes)) return(NULL)
    height <- diff(scores_range)
    if (height == 0) height <- 1
    genes$y <- scores_range[1] - height * ifelse(genes$strand == "-", 0.17, 0.09)
    span <- here$end - here$start + 1
    half <- height * 0.034
    tip <- pmin((genes$end - genes$start) / 2, span * 0.008)
    from <- ifelse(genes$strand == "-", genes$end, genes$start)
    to <- ifelse(genes$strand == "-", genes$start, genes$end)
    neck <- ifelse(genes$strand == "*", to, to + ifelse(genes$strand == "-", tip, -tip))
    low <- genes$y - half
    high <- genes$y + half
    arrows <- data.frame(gene = rep(seq_len(nrow(genes)), each = 5), type = rep(genes$type, each = 5),
                         x = c(rbind(from, neck, to, neck, from)), y = c(rbind(low, low, genes$y, high, high)))
    types <- names(sort(table(genes$type), decreasing = TRUE))
    fits <- !is.na(genes$name) & nchar(genes$name) * 0.0085 * span < genes$end - genes$start
    middle <- (from + neck) / 2
    list(ggplot2::geom_polygon(ggplot2::aes(.data$x, .data$y, group = .data$gene, fill = .data$type), data = arrows, colour = NA),
         ggplot2::geom_text(ggplot2::aes(.data$middle, .data$y, label = .data$name), data = cbind(genes, middle)[fits, ], size = 2.3,
                            vjust = 0.4, colour = "white", fontface = "italic"),
         ggplot2::scale_fill_manual(values = type_colours(types), breaks = types, name = NULL))
}

# The genes of a region, clipped to it, in the region's own coordinates: a gene after the origin goes on beyond the contig's length.
genes_shown <- function(annotation, here, length_bp) {
    if (is.null(annotation)) return(NULL)
    genes <- choose_genes(annotation)
    genes <- genes[GenomeInfoDb::seqnames(genes) == here$contig & !gene_column(genes, "type") %in% c("gene", "pseudogene")]
    table <- data.frame(start = BiocGenerics::start(genes), end = BiocGenerics::end(genes),
                        strand = as.character(BiocGenerics::strand(genes)),
                        type = first_known(gene_column(genes, "type"), rep("region", length(genes))),
                        name = short_names(gene_column(genes, "gene"), gene_column(genes, "product"), gene_column(genes, "locus_tag")))
    turned <- table
    turned[c("start", "end")] <- turned[c("start", "end")] + length_bp
    before <- table
    before[c("start", "end")] <- before[c("start", "end")] - length_bp
    table <- rbind(table, turned, before)
    table <- table[table$end >= here$start & table$start <= here$end, ]
    table$start <- pmax(table$start, here$start)
    table$end <- pmin(table$end, here$end)
    if (nrow(table)) table
}

# What fits beside a point or on an arrow: the gene, else a product that says something, else the locus tag.
short_names <- function(gene, product, locus_tag) {
    product[grepl("hypothetical|uncharacteri", product)] <- NA
    product <- sub("ribosomal RNA", "rRNA", product)
    name <- first_known(gene, product, locus_tag)
    ifelse(nchar(name) > 28, paste0(substr(name, 1, 26), "..."), name)
}

# The genes of a set, by any of their names, or of a GRanges; NULL without either.
highlighted_genes <- function(annotation, highlight, call = parent.frame()) {
    if (is.null(highlight) || is(highlight, "GRanges")) return(highlight)
    if (!is.character(highlight))
        stop_input("{.arg highlight} must be names of genes or a {.cls GRanges}, not {.obj_type_friendly {highlight}}.", call = call)
    if (is.null(annotation)) stop_input("{.arg highlight} must be a {.cls GRanges} if there is no {.arg annotation}.", call = call)
    found <- set_members(list(highlight), annotation, seq_along(annotation))[[1]]
    if (!length(found))
        stop_input(c("{.arg highlight} must name genes of {.arg annotation}.", x = "It has none of {.val {utils::head(highlight, 5)}}."),
                   class = "sets", call = call)
    annotation[found]
}

# ---- the whole contig as a circle ----

# From the middle outwards: mean scores of 720 stretches, genes of the minus strand, of the plus strand, those of the set.
plot_circle <- function(x, here, annotation, highlighted) {
    score <- base_scores(x, here$contig)
    position <- positions_of(here)
    stretch <- ceiling(seq_along(position) / length(position) * min(720, length(position)))
    at <- on_contig(position, length(score))
    bars <- data.frame(from = tapply(position, stretch, min) - 0.5, to = tapply(position, stretch, max) + 0.5,
                       mean = tapply(score[at], stretch, mean, na.rm = TRUE))
    limit <- max(abs(bars$mean), 0, na.rm = TRUE)
    if (limit == 0) limit <- 1
    bars$height <- 0.55 + 0.2 * bars$mean / limit
    bars$sign <- ifelse(bars$mean < 0, "speaks against", "speaks for")
    genes <- genes_shown(annotation, here, length(score))
    marks <- genes_shown(highlighted, here, length(score))
    rings <- rbind(ring_of(genes, ifelse(genes$strand == "-", 0.82, 0.89), 0.06), ring_of(marks, 0.97, 0.07, "highlighted"))
    types <- setdiff(names(sort(table(rings$type), decreasing = TRUE)), "highlighted")
    colours <- c(`speaks for` = "#D55E00", `speaks against` = "#0072B2", replace(type_colours(types), types == "rRNA", "#E69F00"),
                 highlighted = "#000000")
    ggplot2::ggplot() +
        ggplot2::annotate("rect", xmin = here$start, xmax = here$end, ymin = 0.549, ymax = 0.551, fill = "grey60") +
        ggplot2::geom_rect(ggplot2::aes(xmin = .data$from, xmax = .data$to, ymin = 0.55, ymax = .data$height, fill = .data$sign), bars) +
        (if (!is.null(rings)) ggplot2::geom_rect(ggplot2::aes(xmin = .data$start, xmax = .data$end, ymin = .data$low, ymax = .data$high,
                                                              fill = .data$type, colour = .data$type), rings, linewidth = 0.1,
                                                              show.legend = c(colour = FALSE))) +
        ggplot2::scale_fill_manual(values = colours, breaks = names(colours), name = NULL, aesthetics = c("fill", "colour")) +
        ggplot2::guides(colour = "none", fill = ggplot2::guide_legend(nrow = 1)) +
        position_axis(here, length(score), expand = ggplot2::expansion()) +
        ggplot2::scale_y_continuous(limits = c(0, 1.05), expand = c(0, 0)) +
        ggplot2::coord_polar() +
        ggplot2::labs(title = scores_title(x@settings), subtitle = paste0(settings_title(x@settings), "; longest bar: ", format(limit, digits = 2),
                                                                          " (", x@settings$output, ")")) +
        plain_theme() +
        ggplot2::theme(axis.line = ggplot2::element_blank(), axis.text.y = ggplot2::element_blank(), axis.ticks = ggplot2::element_blank(),
                       axis.title.y = ggplot2::element_blank())
}

# Genes as parts of a ring from `low` on; NULL for none.
ring_of <- function(genes, low, width, type = genes$type) {
    if (!is.null(genes)) data.frame(start = genes$start, end = genes$end, type = type, low = low, high = low + width)
}

# ---- channels and letters ----

bases_shown <- function(x, here) {
    contig <- x@genome[[here$contig]]
    at <- on_contig(positions_of(here), length(contig))
    list(channels = x@scores[[here$contig]][at, , drop = FALSE], letter = strsplit(as.character(contig[at]), "")[[1]])
}

plot_heatmap <- function(x, here) {
    shown <- bases_shown(x, here)
    position <- positions_of(here)
    base <- factor(rep(bases, each = length(position)), rev(bases))
    cells <- data.frame(position = rep(position, 4), base = base, score = c(shown$channels),
                        present = rep(shown$letter, 4) == as.character(base))
    limit <- max(abs(cells$score), 0, na.rm = TRUE)
    if (limit == 0) limit <- 1
    ggplot2::ggplot(cells, ggplot2::aes(.data$position, .data$base, fill = .data$score)) +
        ggplot2::geom_tile() +
        (if (length(position) <= 300)
            ggplot2::geom_point(data = cells[cells$present, ], shape = 16, colour = "grey20",
                                size = if (length(position) > 120) 0.4 else 0.9)) +
        ggplot2::scale_fill_gradient2(low = "#0072B2", mid = "white", high = "#D55E00", midpoint = 0, limits = c(-limit, limit),
                                      na.value = "grey85", name = score_title(x@settings$output, "Score"), n.breaks = 5,
                                      guide = ggplot2::guide_colourbar(barwidth = 9, barheight = 0.5, title.vjust = 1)) +
        position_axis(here, length(x@genome[[here$contig]])) +
        ggplot2::scale_y_discrete(expand = c(0, 0)) +
        ggplot2::labs(y = "Channel", title = scores_title(x@settings), subtitle = settings_title(x@settings)) +
        plain_theme() +
        ggplot2::theme(panel.border = ggplot2::element_rect(fill = NA, colour = "grey60", linewidth = 0.4),
                       axis.line = ggplot2::element_blank())
}

plot_logo <- function(x, here, call = parent.frame()) {
    need_package("ggseqlogo", call = call)
    shown <- bases_shown(x, here)
    score <- rowSums(shown$channels)
    heights <- t(outer(shown$letter, bases, "==") * ifelse(is.na(score), 0, score))
    rownames(heights) <- bases
    axis <- position_axis(here, length(x@genome[[here$contig]]), shift = here$start - 1)
    suppressMessages(letters_drawn(heights) + axis) +
        ggplot2::labs(y = score_title(x@settings$output, "Score of a base"), title = scores_title(x@settings),
                      subtitle = settings_title(x@settings))
}

# Letters as high as `heights`, a row for each of A, C, G, T. ggseqlogo still speaks to older versions of ggplot2.
letters_drawn <- function(heights) {
    colours <- ggseqlogo::make_col_scheme(bases, cols = c("#009E73", "#0072B2", "#E69F00", "#D55E00"))
    suppressMessages(suppressWarnings(
        ggplot2::ggplot() + ggseqlogo::geom_logo(heights, method = "custom", seq_type = "dna", col_scheme = colours))) +
        ggplot2::geom_hline(yintercept = 0, colour = "grey50", linewidth = 0.3) +
        ggplot2::guides(fill = "none") +
        plain_theme()
}

# ---- axes, words, colours ----

# Positions in bp, kb or Mb, whichever reads best; over the origin they begin again. `shift`: what the plot's own x lacks.
position_axis <- function(here, length_bp, shift = 0, expand = ggplot2::expansion(0.01)) {
    unit <- if (here$end - here$start >= 2e5) c(Mb = 1e6) else if (here$end - here$start >= 2000) c(kb = 1e3) else c(bp = 1)
    step <- diff(pretty(c(here$start, here$end), 6))[1]
    breaks <- seq(ceiling((here$start - 1) / step), floor(min(here$end, length_bp) / step)) * step
    labels <- breaks
    if (here$end > length_bp) {
        labels <- c(breaks[breaks < length_bp - step / 2], seq(0, floor((here$end - length_bp) / step)) * step)
        breaks <- ifelse(seq_along(labels) > sum(breaks < length_bp - step / 2), labels + length_bp, labels)
    }
    ggplot2::scale_x_continuous(breaks = breaks - shift, labels = format(labels / unit, big.mark = ",", trim = TRUE, scientific = FALSE),
                                expand = expand, name = paste0("Position on ", here$contig, " (", names(unit), ")"))
}

pretty_within <- function(range) {
    breaks <- pretty(range, 6)
    breaks[breaks >= range[1] & breaks <= range[2]]
}

score_title <- function(output, what) paste0(what, " (", output, ")")

scores_title <- function(settings) paste0("Scores for ", settings$target_name, ", model ", settings$model)

settings_title <- function(settings) {
    method <- first_known(unname(c(ig = "Integrated gradients", gradient = "Gradient")[settings$method]), settings$method)
    if (settings$baseline == "none") method else paste0(method, ", ", settings$baseline, " baseline, ", settings$nodes, " nodes")
}

# Okabe and Ito's palette, which colour-blind readers can tell apart; the common types always have the same colour.
type_colours <- function(types) {
    known <- c(CDS = "#66717E", rRNA = "#D55E00", tRNA = "#009E73", tmRNA = "#CC79A7", ncRNA = "#E69F00", region = "#56B4E9")
    free <- setdiff(c("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442"), known[types])
    others <- setdiff(types, names(known))
    colours <- c(known, stats::setNames(rep_len(c(free, "#999999"), length(others)), others))
    colours[types]
}

# The labels of a table's points; those without one are there to be kept clear of.
top_labels <- function(table) {
    aesthetics <- ggplot2::aes(label = .data$label)
    if (!requireNamespace("ggrepel", quietly = TRUE))
        return(ggplot2::geom_text(aesthetics, table, size = 3, hjust = 1.1, check_overlap = TRUE, show.legend = FALSE))
    left <- ifelse(nzchar(table$label), 0.9 - table$`Quantile Position`, 0)
    ggrepel::geom_text_repel(aesthetics, table, size = 3, seed = 1, max.overlaps = Inf, min.segment.length = 0.2, show.legend = FALSE,
                             nudge_x = left, direction = "y", hjust = 1, segment.size = 0.2, segment.colour = "grey60")
}

plain_theme <- function() {
    ggplot2::theme_classic(base_size = 11) +
        ggplot2::theme(plot.subtitle = ggplot2::element_text(colour = "grey40", size = 9), legend.position = "top",
                       legend.justification = "left", legend.margin = ggplot2::margin(), legend.key.size = ggplot2::unit(0.8, "lines"),
                       axis.line = ggplot2::element_line(colour = "grey40", linewidth = 0.3),
                       axis.ticks = ggplot2::element_line(colour = "grey40", linewidth = 0.3))
}
