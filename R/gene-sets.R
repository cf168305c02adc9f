#' Do sets of genes stand out
#'
#' Says for each set of genes whether its members stand higher among all genes, by their mean score, than when the same annotation is moved
#' along the genome. Moving keeps what makes neighbouring genes alike: scores resemble their neighbours, and the genes of a set often
#' stand together, in operons. Drawing genes at random, as is usual, forgets both and calls far too many sets.
#'
#' @section Score: Down the ranked genes a running sum goes up at each member of the set, by its share in the members' sum of
#'   |mean score|^`weight`, and down at the others. The score is the largest value it reaches (`"greater"`), the smallest
#'   (`"less"`), or whichever is farther from 0.
#' @section Null distribution: With an `Attribution` the annotation is moved base by base, as in [gene_quantiles()], and all genes are
#'   ranked anew: circular shifts, or a block bootstrap for several contigs of which one is linear. This allows for the lengths of genes.
#'   With a `GeneQuantiles` the genes' means move from gene to gene in the order of the genome, which needs no scores of bases
#'   and keeps genes on genes, but not their lengths.
#' @section Names: Names in `sets` are compared with `gene` (also without the number of a copy, as in "spo0A_2"), `locus_tag`, `Name` and
#'   `ID` of the features, in any case. A feature counts once in a set.
#' @param scores An `Attribution`, from [attribution()], or a `GeneQuantiles` of one result, from [gene_quantiles()].
#' @param sets A named list of character vectors with the names of genes; the path of a GMT file; or a column of the annotation
#'   whose terms make the sets: `"GO"`, `"COG"`, `"EC"`, or any other, with terms separated by ";".
#' @param annotation The features to rank, as in [gene_quantiles()]; only for an `Attribution`.
#' @param alternative Whether sets that stand `"greater"`, `"less"`, or either are sought.
#' @param weight How much the members' mean scores count: 0 (ranks only) to 2.
#' @param min_genes Sets with fewer features than this are left out.
#' @param shifts How many times the annotation is moved: 1 to 1,000,000. The smallest p-value is 1 / (`shifts` + 1).
#' @param type Which features, by their column `type`; `NULL` takes all. Of `plot()`: `"sets"`, the best sets with their scores beside what
#'   was expected; `"histogram"`, the quantiles of one set's genes with what the draws give, mean and 95 % of a normal distribution;
#'   `"running"`, its running sum.
#' @inheritParams gene_quantiles
#' @return An object of class `gene_set_test`. `as.data.frame()` gives one row a set, smallest p-value first:
#'   - `set`, `genes` (features found), `names` (in the list);
#'   - `score`, from -1 to 1; `expected`, its mean over the draws; `median_quantile` of the members among all features, 0 to 1;
#'   - `p_value`: (1 + draws with a score at least as extreme) / (1 + draws); twice the smaller one, at most 1, if two-sided. `fdr`: after
#'     Benjamini and Hochberg, over the sets that were tested;
#'   - `leading`: the members up to the extreme of the running sum, separated by ";".
#'
#'   `plot()` gives a `ggplot`.
#' @section Errors: `nucleograd_error_sets`: no set has `min_genes` features; the message shows names of both sides.
#'   `nucleograd_error_file`: not a GMT file. Those of [gene_quantiles()].
#' @source Subramanian et al. (2005), \doi{10.1073/pnas.0506580102}; Phipson and Smyth (2010), \doi{10.2202/1544-6115.1585}.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 863000)
#' scores <- attribution(example_model(), piece, nodes = 5)
#' genes <- IRanges::subsetByOverlaps(example_annotation(),
#'                                    GenomicRanges::GRanges("CHLTCG:853001-863000"), type = "within")
#' genes <- GenomicRanges::shift(genes, -853000)
#' test <- gene_set_test(scores, list(RNA = genes$locus_tag[genes$type == "rRNA"]), genes,
#'                       min_genes = 2, shifts = 199, seed = 1)
#' test
#' @export
gene_set_test <- function(scores, sets, annotation = NULL, type = c("CDS", "rRNA", "tRNA"), alternative = c("greater", "less", "two.sided"),
                          weight = 1, min_genes = 3, shifts = 1000, seed = NULL, threads = NULL) {
    if (!is(scores, "GeneQuantiles")) check_is(scores, "Attribution", "attribution")
    alternative <- check_choice(alternative, c("greater", "less", "two.sided"))
    if (!is.numeric(weight) || length(weight) != 1 || is.na(weight) || weight < 0 || weight > 2)
        stop_input("{.arg weight} must be one number from 0 to 2, not {friendly(weight)}.")
    min_genes <- check_number(min_genes, 1, 1e6)
    shifts <- check_number(shifts, 1, 1e6)
    seed <- check_seed(seed)
    run <- run_settings(threads, "Moving the annotation")
    ranked <- if (is(scores, "Attribution")) ranked_bases(scores, annotation, type) else ranked_genes(scores, annotation)
    sets <- read_sets(sets, ranked$features)
    members <- set_members(sets, ranked$features[!is.na(ranked$mean)], which(!is.na(ranked$mean)))
    few <- lengths(members) < min_genes
    if (all(few)) refuse_sets(sets, ranked$features, min_genes)
    if (any(few)) cli::cli_inform("Leaving out {sum(few)} of {length(sets)} set{?s}: fewer than {min_genes} of {?its/their} names are features.")
    members <- members[!few]

    member <- data.frame(feature = unlist(members), set = rep(seq_along(members) - 1, lengths(members)))
    member <- member[order(member$feature), ]
    first <- c(0, cumsum(tabulate(member$feature, length(ranked$features))))
    null <- null_model(ranked$places, ranked$tracks)
    found <- .Call(C_moved_sets, null$layout, as.numeric(ranked$mean), as.numeric(first), as.numeric(member$set), length(members),
                   as.numeric(weight), shifts, seed, run, environment())
    table <- set_table(found, members, lengths(sets)[!few], ranked, alternative, weight, shifts)
    bins <- function(block) matrix(found[6 + 20 * block + 1:20, ], 20, dimnames = list(NULL, names(members)))
    structure(list(table = table[order(table$p_value, -abs(table$score)), ], members = members,
                   features = data.frame(gene = feature_names(ranked$features), mean = ranked$mean, quantile = share_below(ranked$mean)),
                   histogram = list(count = bins(0), expected = bins(1) / shifts, sd = sqrt(pmax(bins(2) / shifts - (bins(1) / shifts)^2, 0))),
                   settings = utils::modifyList(ranked$settings, list(alternative = alternative, weight = weight, shifts = shifts, seed = seed,
                                                                      null = paste(null$name, ranked$unit)))),
              class = "gene_set_test")
}

# ---- what is ranked: features, their means, and tracks of scores with the features' places on them ----

ranked_bases <- function(scores, annotation, type, call = parent.frame()) {
    check_is(annotation, "GRanges", "read_annotation", call = call)
    features <- choose_features(annotation, type, call)
    features <- features_with_scores(features, GenomeInfoDb::seqinfo(scores), call)
    tracks <- scored_contigs(scores, features)
    list(features = features, mean = feature_statistics(features, tracks)$mean, places = features, tracks = tracks, unit = "of bases",
         settings = scores@settings)
}

# The genes of a contig are the places of a track, one after the other.
ranked_genes <- function(quantiles, annotation, call = parent.frame()) {
    if (!is.null(annotation))
        stop_input("{.arg annotation} goes with an {.cls Attribution}; a {.cls GeneQuantiles} has its own features.", call = call)
    if (ncol(quantiles) != 1)
        stop_input(c("{.arg scores} must be of one result, not {ncol(quantiles)}.", i = "Choose one, as in {.code scores[, 1]}."), call = call)
    features <- SummarizedExperiment::rowRanges(quantiles)
    mean <- SummarizedExperiment::assay(quantiles, "mean")[, 1]
    contig <- factor(as.character(GenomeInfoDb::seqnames(features)))
    circular <- GenomeInfoDb::isCircular(features)[levels(contig)] %in% TRUE
    order <- split(seq_along(features), contig)
    order <- lapply(order, function(here) here[order(BiocGenerics::start(features)[here])])
    place <- replace(integer(length(features)), unlist(order), unlist(lapply(order, seq_along)))
    places <- GenomicRanges::GRanges(contig, IRanges::IRanges(place, width = 1))
    list(features = features, mean = unname(mean), places = places, unit = "of genes",
         tracks = Map(function(here, circular) list(score = unname(mean[here]), circular = circular), order, circular),
         settings = as.list(as.data.frame(SummarizedExperiment::colData(quantiles))))
}

feature_names <- function(features) {
    first_known(gene_column(features, "gene"), gene_column(features, "locus_tag"), gene_column(features, "ID"),
                unname(as.character(GenomicRanges::granges(features))))
}

# ---- sets ----

# A named list of names, from any of the three forms.
read_sets <- function(sets, features, call = parent.frame()) {
    if (is.character(sets) && length(sets) == 1) {
        if (file.exists(sets)) return(read_gmt(sets, call))
        if (sets %in% names(S4Vectors::mcols(features))) {
            terms <- strsplit(gene_column(features, sets), " *; *")
            keys <- paste0("row ", seq_along(features))
            return(structure(split(rep(keys, lengths(terms)), unlist(terms)), rows = keys))
        }
        stop_input(c("{.arg sets} must be a named list, a GMT file, or a column of the annotation.", x = "There is no {.val {sets}}.",
                     i = "The columns: {.val {names(S4Vectors::mcols(features))}}."), class = "sets", call = call)
    }
    if (is.character(sets)) sets <- list(genes = sets)
    if (!is.list(sets) || !length(sets) || is.null(names(sets)) || anyDuplicated(names(sets)) || !all(nzchar(names(sets))) ||
        !all(vapply(sets, is.character, NA)))
        stop_input(c("{.arg sets} must be a named list of character vectors, each name once.", x = "It is {.obj_type_friendly {sets}}."),
                   class = "sets", call = call)
    lapply(sets, function(names) unique(names[!is.na(names) & nzchar(names)]))
}

# One set a line: name, description, names of genes, separated by tabs.
read_gmt <- function(file, call) {
    fields <- strsplit(readLines(file, warn = FALSE), "\t")
    fields <- fields[lengths(fields) > 0]
    if (!length(fields) || any(lengths(fields) < 3))
        stop_input(c("{.arg sets} must be a GMT file: name, description and genes, separated by tabs.",
                     x = "{.file {file}} has {if (length(fields)) 'a line of fewer than three fields' else 'no line'}."), class = "file", call = call)
    sets <- lapply(fields, function(line) unique(line[-(1:2)][nzchar(line[-(1:2)])]))
    stats::setNames(sets, make.unique(vapply(fields, `[`, "", 1)))
}

# For each set the numbers of its features; `row` gives those of `features`.
set_members <- function(sets, features, row) {
    if (!is.null(attr(sets, "rows"))) return(lapply(sets, function(keys) intersect(match(unique(keys), attr(sets, "rows")), row)))
    columns <- list(gene_column(features, "gene"), without_copy(gene_column(features, "gene")), gene_column(features, "locus_tag"),
                    gene_column(features, "Name"), gene_column(features, "ID"))
    keys <- data.frame(key = tolower(unlist(columns)), row = rep(row, length(columns)))
    by_key <- split(keys$row, keys$key)
    lapply(sets, function(names) sort(unique(unlist(by_key[intersect(tolower(names), names(by_key))], use.names = FALSE))))
}

refuse_sets <- function(sets, features, min_genes, call = parent.frame()) {
    wanted <- if (is.null(attr(sets, "rows"))) utils::head(unique(unlist(sets)), 3) else utils::head(names(sets), 3)
    there <- utils::head(c(stats::na.omit(gene_column(features, "gene"))[1:2], stats::na.omit(gene_column(features, "locus_tag"))[1]), 3)
    stop_input(c("A set in {.arg sets} must have at least {min_genes} features.", x = "None has; the sets name {.val {wanted}} ...",
                 i = "The features are named {.val {there[!is.na(there)]}} ..."), class = "sets", call = call)
}

# ---- results ----

set_table <- function(found, members, named, ranked, alternative, weight, shifts) {
    p <- (1 + found[3:4, , drop = FALSE]) / (1 + shifts)
    low <- rep_len(switch(alternative, greater = FALSE, less = TRUE, two.sided = -found[2, ] > found[1, ]), length(members))
    p_value <- switch(alternative, greater = p[1, ], less = p[2, ], two.sided = pmin(2 * pmin(p[1, ], p[2, ]), 1))
    quantile <- share_below(ranked$mean)
    names <- feature_names(ranked$features)
    leading <- mapply(function(here, low) {
        walk <- running_set(ranked$mean, here, weight)
        at <- if (low) walk$mean[which.min(walk$sum)] else walk$mean[which.max(walk$sum)]
        here <- here[order(ranked$mean[here], decreasing = !low)]
        paste(names[here][if (low) ranked$mean[here] < at else ranked$mean[here] >= at], collapse = ";")
    }, members, low)
    table <- data.frame(set = names(members), genes = lengths(members), names = unname(named), score = ifelse(low, found[2, ], found[1, ]),
                        expected = ifelse(low, found[6, ], found[5, ]),
                        median_quantile = vapply(members, function(here) stats::median(quantile[here]), 0), p_value = p_value,
                        fdr = stats::p.adjust(p_value, "BH"), leading = leading)
    rownames(table) <- NULL
    table
}

# The running sum behind each run of equal means, from the highest down.
running_set <- function(mean, members, weight) {
    order <- order(mean, decreasing = TRUE, na.last = NA)
    step <- abs(mean)^weight
    if (sum(step[members]) == 0) step[] <- 1
    member <- order %in% members
    sum <- cumsum(ifelse(member, step[order] / sum(step[members]), -1 / max(1, sum(!member))))
    last <- !duplicated(mean[order], fromLast = TRUE)
    data.frame(rank = seq_along(order)[last], mean = mean[order][last], sum = sum[last])
}

#' @rdname gene_set_test
#' @param x A `gene_set_test`.
#' @param row.names,optional,... Ignored; there because the generic has them.
#' @method as.data.frame gene_set_test
#' @export
as.data.frame.gene_set_test <- function(x, row.names = NULL, optional = FALSE, ...) x$table

#' @rdname gene_set_test
#' @export
print.gene_set_test <- function(x, ...) {
    with(x$settings, cat(sep = "", "Test of ", nrow(x$table), if (nrow(x$table) == 1) " gene set" else " gene sets", " in the ranking of ",
                         sum(!is.na(x$features$mean)), " features by their mean score\n",
                         "  scores   ", settings_title(x$settings), "; ", output, " of ", target_name, ", model ", model, "\n",
                         "  sought   ", c(greater = "sets that stand higher", less = "sets that stand lower",
                                          two.sided = "sets that stand higher or lower")[[alternative]],
                         ", weight ", weight, "\n",
                         "  p-values ", null, ", ", format(shifts, big.mark = ",", scientific = FALSE), " draws, seed ",
                         format(seed, scientific = FALSE), "\n"))
    table <- utils::head(x$table, 10)
    table$leading <- ifelse(nchar(table$leading) > 30, paste0(substr(table$leading, 1, 27), "..."), table$leading)
    print(table, digits = 3, row.names = FALSE)
    if (nrow(x$table) > 10) cat("...", nrow(x$table) - 10, "more sets: as.data.frame(x) has all\n")
    invisible(x)
}

#' @rdname gene_set_test
#' @param y Not used.
#' @param set Of `plot()`: the name or number of a set in the table, for the last two.
#' @param top Of `plot()`: how many sets at most.
#' @method plot gene_set_test
#' @export
plot.gene_set_test <- function(x, y, type = c("sets", "histogram", "running"), set = 1, top = 20, ...) {
    need_package("ggplot2")
    type <- if (missing(type) && nrow(x$table) == 1) "histogram" else check_choice(type, c("sets", "histogram", "running"))
    if (!(length(set) == 1 && (set %in% x$table$set || set %in% seq_len(nrow(x$table)))))
        stop_input("{.arg set} must be one of {.val {x$table$set}} or a number up to {nrow(x$table)}, not {friendly(set)}.", class = "sets")
    name <- if (is.character(set)) set else x$table$set[set]
    switch(type, sets = plot_sets(x, check_number(top, 1, 1000)), histogram = plot_set_histogram(x, name), running = plot_set_running(x, name))
}

plot_sets <- function(x, top) {
    table <- utils::head(x$table, top)
    table$set <- factor(table$set, rev(table$set))
    ggplot2::ggplot(table, ggplot2::aes(.data$score, .data$set)) +
        ggplot2::geom_segment(ggplot2::aes(x = .data$expected, xend = .data$score, yend = .data$set), colour = "grey70") +
        ggplot2::geom_point(ggplot2::aes(x = .data$expected), shape = 124, size = 4, colour = "grey50") +
        ggplot2::geom_point(ggplot2::aes(size = .data$genes, colour = -log10(.data$fdr))) +
        ggplot2::scale_colour_viridis_c(name = "-log10 FDR", end = 0.9, n.breaks = 4,
                                        guide = ggplot2::guide_colourbar(barwidth = 7, barheight = 0.5, title.vjust = 1)) +
        ggplot2::scale_size_area(name = "Genes", max_size = 6, breaks = function(limits) unique(round(pretty(limits, 3)))) +
        ggplot2::labs(x = "Score of the set; bar: expected", y = NULL, title = scores_title(x$settings), subtitle = settings_title(x$settings)) +
        plain_theme()
}

plot_set_histogram <- function(x, name) {
    row <- x$table[x$table$set == name, ]
    bins <- data.frame(quantile = (1:20 - 0.5) / 20, count = x$histogram$count[, name], expected = x$histogram$expected[, name],
                       sd = x$histogram$sd[, name])
    ggplot2::ggplot(bins, ggplot2::aes(.data$quantile, .data$count)) +
        ggplot2::geom_col(width = 0.046, fill = "#0072B2") +
        ggplot2::geom_ribbon(ggplot2::aes(ymin = pmax(.data$expected - 1.96 * .data$sd, 0), ymax = .data$expected + 1.96 * .data$sd),
                             fill = "grey50", alpha = 0.3) +
        ggplot2::geom_line(ggplot2::aes(y = .data$expected), colour = "grey25", linewidth = 0.5) +
        ggplot2::scale_x_continuous(expand = ggplot2::expansion(0.01)) +
        ggplot2::scale_y_continuous(expand = ggplot2::expansion(c(0, 0.05))) +
        ggplot2::labs(x = "Quantile position among all features", y = "Genes of the set",
                      title = paste0(name, ": ", row$genes, " genes, p = ", format(row$p_value, digits = 2)),
                      subtitle = paste0(scores_title(x$settings), "; grey: annotation moved along the genome, 95 %")) +
        plain_theme()
}

plot_set_running <- function(x, name) {
    row <- x$table[x$table$set == name, ]
    members <- x$members[[name]]
    walk <- rbind(data.frame(rank = 0, mean = NA, sum = 0), running_set(x$features$mean, members, x$settings$weight))
    low <- min(walk$sum)
    height <- diff(range(walk$sum)) * 0.06
    ticks <- data.frame(rank = rank(-x$features$mean, na.last = "keep", ties.method = "first")[members])
    ggplot2::ggplot(walk, ggplot2::aes(.data$rank, .data$sum)) +
        ggplot2::geom_hline(yintercept = 0, colour = "grey80", linewidth = 0.3) +
        ggplot2::geom_step(colour = "#0072B2", linewidth = 0.6) +
        ggplot2::geom_linerange(data = ticks, ggplot2::aes(x = .data$rank, ymin = low - 2 * height, ymax = low - height), inherit.aes = FALSE,
                                linewidth = 0.25, colour = "grey25") +
        ggplot2::labs(x = "Rank by mean score", y = "Running sum", subtitle = scores_title(x$settings),
                      title = paste0(name, ": ", row$genes, " genes, score ", format(row$score, digits = 2), ", p = ",
                                     format(row$p_value, digits = 2))) +
        plain_theme()
}
