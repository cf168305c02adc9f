#' Random forest on the genes of many genomes
#'
#' Grows a random forest that predicts the class of a genome from the genes it carries, and says how much each gene matters to it:
#' the reference with which the genes of a network that reads sequence can be compared ([compare_rankings()]). The matrix stays
#' sparse. A forest shares the importance among genes that come together, and knows genomes that are relatives as well as genes:
#' importance is no evidence of a cause.
#'
#' @section Mean decrease in accuracy: How much more often the trees err on the genomes they were not grown on (out of the bag) when a
#'   gene is shuffled among these. Shuffling gives a genome the other value of a gene with a probability that is known, the
#'   share of genomes with that value, and then the tree's answer follows; so this is Breiman's mean over all shuffles, not over
#'   one, and has no chance in it beyond the forest's. Per class it is the same mean over the genomes of that class.
#' @param matrix,class Genomes by genes, and the class of each genome, as for [gene_prevalence()].
#' @param trees How many trees, 10 to 100,000.
#' @param focus,... For the labels: passed to [gene_prevalence()].
#' @param description What is known of the genes, a character vector named by gene, as
#'   `setNames(annotation$product, annotation$gene)`; `NULL`: nothing.
#' @param p_values Should importance be tested? By the method of Janitza: a second forest, with an importance that is as
#'   often below zero as above for genes without influence, whose negative values tell the distribution of chance. It needs many such genes.
#' @param seed A whole number for the same forest again; `NULL` takes one from R's generator.
#' @param threads Threads, see [thread_count()]. The result does not depend on it, but for the last digits of `mean_decrease_gini`.
#' @return A `gene_forest`, a list: `oob_error`, the share of genomes that are called wrong by the trees that were not grown on them;
#'   `confusion`, true classes by called ones; `table`, one row a gene, highest `mean_decrease_gini` first: `gene`, `description`,
#'   `mean_decrease_gini` (sum over the splits of a tree of the decrease in impurity, in genomes, averaged over trees),
#'   `mean_decrease_accuracy` and one for each class (share of genomes, averaged over trees),
#'   `p_value` and `fdr` if asked for, and from [gene_prevalence()] `share_<class>` and `label`; `settings`. `as.data.frame()` gives the
#'   table, `plot()` shows importance against prevalence.
#' @section Errors: `nucleograd_error_package`: ranger is not installed. `nucleograd_error_argument`, as [gene_prevalence()];
#'   also when `p_values` finds no negative importance, because there are too few genes.
#' @source Breiman (2001), \doi{10.1023/A:1010933404324}; Wright and Ziegler (2017), \doi{10.18637/jss.v077.i01} (ranger); Janitza, Celik
#'   and Boulesteix (2018), \doi{10.1007/s11634-016-0276-4}.
#' @examples
#' set.seed(1)
#' class <- factor(rep(c("other", "sporulating"), each = 20))
#' genes <- matrix(rbinom(40 * 30, 1, 0.5), 40, dimnames = list(NULL, paste0("gene_", 1:30)))
#' genes[, "gene_1"] <- class == "sporulating"
#' if (requireNamespace("ranger", quietly = TRUE)) gene_forest(genes, class, trees = 100, seed = 1)
#' @export
gene_forest <- function(matrix, class, trees = 500, focus = NULL, description = NULL, p_values = FALSE, seed = NULL, threads = NULL, ...) {
    need_package("ranger", "A forest")
    matrix <- presence_matrix(matrix)
    class <- genome_classes(class, matrix)
    trees <- check_number(trees, 10, 1e5)
    p_values <- check_flag(p_values)
    if (!is.null(description) && !(is.character(description) && !is.null(names(description))))
        stop_input("{.arg description} must be a character vector with the names of genes, not {friendly(description)}.")
    seed <- if (is.null(seed)) sample.int(.Machine$integer.max, 1) else check_number(seed, 0, .Machine$integer.max)
    prevalence <- gene_prevalence(matrix, class, focus, ...)
    run <- run_settings(threads, "Shuffling genes")
    grow <- function(importance) ranger::ranger(x = matrix, y = class, num.trees = trees, importance = importance, keep.inbag = TRUE, seed = seed,
                                                num.threads = run[[1]], verbose = FALSE)
    forest <- grow("impurity")
    accuracy <- accuracy_decrease(forest, matrix, class, run[[3]])
    table <- data.frame(gene = colnames(matrix), description = if (is.null(description)) NA_character_ else unname(description[colnames(matrix)]),
                        mean_decrease_gini = unname(forest$variable.importance), mean_decrease_accuracy = accuracy[, 1])
    table[paste0("mean_decrease_accuracy_", levels(class))] <- accuracy[, -1]
    if (p_values) {
        table$p_value <- janitza_p_values(grow("impurity_corrected")$variable.importance)
        table$fdr <- stats::p.adjust(table$p_value, "BH")
    }
    table <- cbind(table, as.data.frame(prevalence)[c(paste0("share_", levels(class)), "label")])
    table <- table[order(-table$mean_decrease_gini, table$gene), ]
    rownames(table) <- NULL
    settings <- c(attr(prevalence, "settings"), list(trees = trees, seed = seed, genes_a_split = forest$mtry))
    structure(list(oob_error = forest$prediction.error, confusion = unclass(forest$confusion.matrix), table = table, settings = settings),
              class = "gene_forest")
}

# Expected decrease of accuracy when a gene is shuffled among the genomes out of the bag of a tree, averaged over trees: genes by (all
# genomes, those of each class). A shuffle gives a genome the other value of a gene as often as the others have it.
accuracy_decrease <- function(forest, matrix, class, update) {
    trees <- forest$forest
    split <- lapply(trees$split.varIDs, `+`, 1)                                  # of leaves: 1, not read
    genes <- sort(unique(unlist(split)))
    carried <- matrix(raw(1), nrow(matrix), length(genes))
    part <- matrix[, genes, drop = FALSE]
    carried[cbind(part@i + 1, rep(seq_along(genes), diff(part@p)))] <- as.raw(1)
    truth <- as.integer(class)
    total <- matrix(0, length(genes), 1 + nlevels(class))
    counted <- numeric(1 + nlevels(class))
    for (k in seq_along(split)) {
        out <- which(forest$inbag.counts[[k]] == 0)
        members <- c(length(out), tabulate(truth[out], nlevels(class)))
        change <- shuffled_answers(trees$child.nodeIDs[[k]], match(split[[k]], genes), trees$split.values[[k]], carried, out, truth)
        key <- change$gene + length(genes) * truth[change$genome]
        sums <- rowsum(c(change$decrease, change$decrease), c(change$gene, key))
        at <- as.numeric(rownames(sums))
        total[at] <- total[at] + sums / members[(at - 1) %/% length(genes) + 1]
        counted <- counted + (members > 0)
        update(k / length(split))
    }
    all <- matrix(0, ncol(matrix), ncol(total))
    all[genes, ] <- sweep(total, 2, counted, "/")
    all
}

# One tree: what shuffling each gene on each genome's path takes from its being called right, where it changes that. All walk down
# together, a level at a time; at each split of a genome's own path a second walker starts at the other child.
shuffled_answers <- function(children, gene, answer, carried, genomes, truth) {
    has <- function(genome, gene) carried[genomes[genome] + nrow(carried) * (gene - 1)] == 1
    left <- children[[1]]
    right <- children[[2]]
    genome <- seq_along(genomes)
    shuffled <- numeric(length(genomes))                               # the gene, or 0 on a genome's own path
    node <- rep(1, length(genomes))
    while (length(here <- which(left[node] > 0))) {
        split <- node[here]
        node[here] <- ifelse(has(genome[here], gene[split]), right[split], left[split]) + 1
        own <- which(shuffled[here] == 0)
        other <- left[split] + right[split] + 1 - node[here]
        genome <- c(genome, genome[here][own])
        shuffled <- c(shuffled, gene[split][own])
        node <- c(node, other[own] + 1)
    }
    right_now <- answer[node] == truth[genomes[genome]]
    changed <- which(right_now != right_now[genome])
    gene <- shuffled[changed]
    genome <- genome[changed]
    used <- unique(gene)
    share <- colMeans(carried[genomes, used, drop = FALSE] == 1)[match(gene, used)]
    list(gene = gene, genome = genomes[genome], decrease = ifelse(right_now[genome], 1, -1) * ifelse(has(genome, gene), 1 - share, share))
}

janitza_p_values <- function(importance, call = parent.frame()) {
    if (!any(importance < 0))
        stop_input(c("{.arg p_values} must have genes without influence to compare with.",
                     x = "None of {length(importance)} has an importance below zero.",
                     i = "Janitza's method needs hundreds of genes or more."), call = call)
    chance <- sort(c(importance[importance < 0], 0, -importance[importance < 0]))
    1 - findInterval(importance, chance, left.open = TRUE) / length(chance)
}

#' @method as.data.frame gene_forest
#' @export
as.data.frame.gene_forest <- function(x, ...) x$table

#' @export
print.gene_forest <- function(x, ...) {
    cat("Random forest of ", x$settings$trees, " trees on ", format(nrow(x$table), big.mark = ","), " genes, ",
        paste(format(x$settings$genomes, big.mark = ",", trim = TRUE), names(x$settings$genomes), collapse = ", "), " genomes; seed ",
        format(x$settings$seed, scientific = FALSE), "
  errors   ", format(100 * x$oob_error, digits = 3), " % out of the bag: ",
        paste0(x$confusion[row(x$confusion) != col(x$confusion)], " of ",
               rownames(x$confusion)[row(x$confusion)[row(x$confusion) != col(x$confusion)]],
               collapse = ", "), "
", sep = "")
    top <- utils::head(x$table, 10)
    top$gene <- short_text(top$gene, 44)
    top$description <- if (any(!is.na(top$description))) short_text(top$description, 40)
    print(top, digits = 2, row.names = FALSE)
    if (nrow(x$table) > 10) cat("...", nrow(x$table) - 10, "more genes: as.data.frame(x) has all
")
    invisible(x)
}

#' @method plot gene_forest
#' @export
plot.gene_forest <- function(x, top = 10, importance = c("mean_decrease_gini", "mean_decrease_accuracy"), ...) {
    need_package("ggplot2")
    top <- check_number(top, 0, 1000)
    importance <- check_choice(importance, c("mean_decrease_gini", "mean_decrease_accuracy"))
    table <- x$table
    table$importance <- table[[importance]]
    table$inside <- table[[paste0("share_", x$settings$focus)]]
    table$label <- sub("^Unique to .*", "Unique to a species", table$label)
    strongest <- utils::head(order(-table$importance), top)
    table$name <- replace(rep("", nrow(table)), strongest, short_text(table$gene[strongest], 28))
    ggplot2::ggplot(table, ggplot2::aes(.data$inside, .data$importance, colour = .data$label)) +
        ggplot2::geom_point(size = 1.2, shape = 16, alpha = 0.7) +
        name_labels(table) +
        ggplot2::scale_colour_manual(values = label_colours(table$label), breaks = names(label_colours(table$label)), name = NULL) +
        ggplot2::scale_x_continuous(labels = percent) +
        ggplot2::guides(colour = ggplot2::guide_legend(override.aes = list(size = 2.5, alpha = 1))) +
        ggplot2::labs(x = paste("Prevalence in", x$settings$focus), title = "Importance and prevalence of genes",
                      y = if (importance == "mean_decrease_gini") "Mean decrease in impurity" else "Mean decrease in accuracy",
                      subtitle = paste0(x$settings$trees, " trees, ", format(100 * x$oob_error, digits = 3), " % errors out of the bag")) +
        plain_theme()
}
