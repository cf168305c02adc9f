# Loops written from the definitions, for genes that may run over the origin.
bases_of <- function(start, end, length_bp) (start:end - 1) %% length_bp + 1
naive_windows <- function(score, width, circular) {
    n <- length(score)
    starts <- if (width > n) integer() else if (circular) seq_len(n) else seq_len(n - width + 1)
    means <- vapply(starts, function(s) mean(score[bases_of(s, s + width - 1, n)], na.rm = TRUE), 0)
    means[!is.nan(means)]
}
naive_share <- function(x, others) {
    others <- others[-which.min(abs(others - x))]                        # x itself is one of them
    mean((others < x - 1e-9) + 0.5 * (abs(others - x) <= 1e-9))
}
statistic <- function(result, name) SummarizedExperiment::assay(result, name)[, 1]
three <- features_on("a", c(11, 41, 71), c(30, 70, 85), gene = c("x", "y", "z"))

test_that("the summaries are those of the bases, N and uncovered bases left out and counted", {
    score <- smooth_scores(100)
    score[c(15, 16, 60:75)] <- NA
    letters <- rep_len(c("A", "C", "G", "T"), 100)
    letters[50:52] <- c("N", "R", "Y")
    result <- gene_quantiles(scored(a = score, letters = list(a = letters)), three, shifts = 9, seed = 1)
    score[50:52] <- NA
    for (k in 1:3) {
        known <- stats::na.omit(score[BiocGenerics::start(three)[k]:BiocGenerics::end(three)[k]])
        expect_identical(statistic(result, "bases")[k], as.numeric(length(known)))
        expect_identical(statistic(result, "left_out")[k], as.numeric(BiocGenerics::width(three)[k] - length(known)))
        expect_equal(statistic(result, "mean")[k], mean(known))
        expect_equal(statistic(result, "sum")[k], sum(known))
        expect_equal(statistic(result, "mean_absolute")[k], mean(abs(known)))
        expect_equal(statistic(result, "max")[k], max(known))
        expect_equal(statistic(result, "positive_share")[k], mean(known > 0))
    }
})

test_that("quantiles by hand: four genes, ties counted half", {
    genes <- features_on("a", c(1, 3, 5, 7), c(2, 4, 6, 8))
    result <- gene_quantiles(scored(a = c(1, 1, 2, 2, 2, 2, 0, 0)), genes, shifts = 9, seed = 1)
    expect_equal(statistic(result, "quantile_genes"), c(1 / 3, 2.5 / 3, 2.5 / 3, 0))
    # the seven windows of two bases: 1 1.5 2 2 2 1 0
    expect_equal(statistic(result, "quantile_bases"), c(1.5, 5, 5, 0) / 6)
})

test_that("quantiles by windows are those of a loop, on linear and circular contigs, with and without gaps", {
    for (circular in c(FALSE, TRUE)) for (gaps in c(FALSE, TRUE)) {
        scores <- list(a = smooth_scores(200, 2), b = smooth_scores(60, 3))
        if (gaps) scores$a[c(5, 20:80)] <- NA
        attribution <- do.call(scored, c(scores, list(circular = circular)))
        genes <- features_on(c("a", "a", "a", "b", "a"), c(10, 30, 120, 11, 25), c(40, 130, 150, 35, 60))
        if (circular) genes <- c(genes, suppressWarnings(features_on("a", 191, 221)))
        result <- gene_quantiles(attribution, genes, shifts = 9, seed = 1)
        for (k in which(statistic(result, "bases") > 0)) {
            windows <- unlist(lapply(scores, naive_windows, BiocGenerics::width(genes)[k], circular))
            expect_equal(statistic(result, "quantile_bases")[k], naive_share(statistic(result, "mean")[k], windows))
        }
        expect_identical(is.na(statistic(result, "quantile_bases")), statistic(result, "bases") == 0)
    }
})

test_that("among thousands of windows, equal means count half, and one missing base leaves its windows out", {
    score <- rep_len(c(1, 0, 2, 1, 3), 9000) * rep(c(1, -1, 1), each = 3000)     # sums of whole numbers: many are equal
    genes <- features_on("a", c(4, 2050, 4000, 8801), c(13, 2061, 4299, 8980))
    for (missing in list(NULL, 5000)) {
        score[missing] <- NA
        result <- gene_quantiles(scored(a = score, circular = TRUE), genes, shifts = 9, seed = 1, threads = 2)
        for (k in 1:4) {
            windows <- naive_windows(score, BiocGenerics::width(genes)[k], circular = TRUE)
            expect_equal(statistic(result, "quantile_bases")[k], naive_share(statistic(result, "mean")[k], windows), tolerance = 1e-12)
        }
    }
})

test_that("constant scores put everything in the middle and every p-value at 1", {
    result <- gene_quantiles(scored(a = rep(0.1, 90)), three, shifts = 19, seed = 1)
    expect_identical(statistic(result, "quantile_bases"), rep(0.5, 3))
    expect_identical(statistic(result, "p_value"), rep(1, 3))
})

test_that("without a number of shifts, p-values are shares of all shifts, of a linear contig too", {
    score <- smooth_scores(120, 4)
    score[c(3, 50:58)] <- NA
    for (circular in c(TRUE, FALSE)) {
        genes <- suppressWarnings(features_on("a", c(10, 40, 110), c(30, 75, if (circular) 128 else 119)))
        result <- gene_quantiles(scored(a = score, circular = circular), genes)
        for (k in 1:3) {
            moved <- vapply(0:119, function(move) {
                mean(score[bases_of(BiocGenerics::start(genes)[k] + move, BiocGenerics::end(genes)[k] + move, 120)], na.rm = TRUE)
            }, 0)
            expect_equal(statistic(result, "p_value")[k], mean(moved >= statistic(result, "mean")[k] - 1e-9))
        }
    }
})

test_that("shifted p-values are those of a loop over the circle, features over the origin and gaps included", {
    score <- smooth_scores(120, 4)
    score[c(3, 50:58)] <- NA
    genes <- suppressWarnings(features_on("a", c(10, 40, 110), c(30, 75, 128)))
    result <- gene_quantiles(scored(a = score, circular = TRUE), genes, shifts = 50, seed = 7)
    moves <- .Call(C_random, 7, 0, 50, 120)
    for (k in 1:3) {
        moved <- vapply(moves, function(move) {
            mean(score[bases_of(BiocGenerics::start(genes)[k] + move, BiocGenerics::end(genes)[k] + move, 120)], na.rm = TRUE)
        }, 0)
        expect_equal(statistic(result, "p_value")[k], (1 + sum(moved >= statistic(result, "mean")[k] - 1e-9)) / 51)
    }
    expect_identical(statistic(result, "fdr"), stats::p.adjust(statistic(result, "p_value"), "BH"))
})

test_that("block-bootstrap p-values are those of a genome put together from blocks", {
    scores <- list(a = smooth_scores(150, 5), b = smooth_scores(90, 6), c = smooth_scores(20, 7))
    genes <- suppressWarnings(features_on(c("a", "a", "b", "c", "b"), c(10, 60, 5, 3, 80), c(30, 99, 40, 18, 95)))
    genes <- genes[1:4]                                                     # no linear contig can hold the last
    result <- gene_quantiles(do.call(scored, scores), genes, shifts = 40, seed = 8)
    axis <- unlist(scores, use.names = FALSE)
    origin <- c(a = 0, b = 150, c = 240)
    length_bp <- lengths(scores)
    block_bp <- 40                                                         # the longest of the genes
    places <- matrix(.Call(C_random, 8, 0, 7 * 40, 260), 7)
    moved <- apply(places, 2, function(place) {
        genome <- unlist(lapply(place, function(from) {
            contig <- max(which(origin <= from))
            scores[[contig]][(from - origin[contig] + seq_len(block_bp) - 1) %% length_bp[contig] + 1]
        }))
        vapply(1:4, function(k) {
            offset <- origin[as.character(GenomeInfoDb::seqnames(genes))[k]]
            mean(genome[offset + BiocGenerics::start(genes)[k]:BiocGenerics::end(genes)[k]])
        }, 0)
    })
    expect_match(SummarizedExperiment::colData(result)$null, "block bootstrap, blocks of 40 bp")
    expect_equal(statistic(result, "p_value"), (1 + rowSums(moved >= statistic(result, "mean") - 1e-9)) / 41)
})

test_that("p-values are uniform when the annotation does not know the scores", {
    p_of <- function(circular) unlist(lapply(1:60, function(seed) {
        scores <- list(a = smooth_scores(3000, seed), b = smooth_scores(1000, 100 + seed))
        genes <- features_on(rep(c("a", "b"), c(6, 2)), c(100, 600, 1100, 1600, 2100, 2600, 100, 600), c(150, 700, 1130, 1690, 2200, 2640, 180, 650))
        statistic(gene_quantiles(do.call(scored, c(scores, circular = circular)), genes, shifts = 99, seed = seed), "p_value")
    }))
    for (circular in c(TRUE, FALSE)) {
        p <- p_of(circular)
        # 480 p-values on a grid of hundredths, nearly independent: the 99.9 % point of Kolmogorov's statistic, plus the grid
        expect_lt(max(abs(stats::ecdf(p)(1:100 / 100) - 1:100 / 100)), 1.95 / sqrt(480) + 0.01)
    }
})

test_that("rotating a circular genome and its annotation together changes nothing", {
    score <- smooth_scores(400, 9)
    genes <- suppressWarnings(features_on("a", c(20, 150, 390), c(60, 260, 410), gene = c("x", "y", "z")))
    turned <- suppressWarnings(features_on("a", c(320, 50, 290), c(360, 160, 310), gene = c("x", "y", "z")))
    before <- gene_quantiles(scored(a = score, circular = TRUE), genes, shifts = 200, seed = 3)
    after <- gene_quantiles(scored(a = score[c(101:400, 1:100)], circular = TRUE), turned, shifts = 200, seed = 3)
    for (name in SummarizedExperiment::assayNames(before))
        expect_equal(statistic(after, name), statistic(before, name))
})

test_that("a seed decides the p-values and leaves R's generator alone", {
    attribution <- scored(a = smooth_scores(300))
    set.seed(1)
    state <- .Random.seed
    first <- gene_quantiles(attribution, three, shifts = 20, seed = 5)
    expect_identical(.Random.seed, state)
    expect_identical(gene_quantiles(attribution, three, shifts = 20, seed = 5), first)
    drawn <- gene_quantiles(attribution, three, shifts = 20)
    again <- gene_quantiles(attribution, three, shifts = 20, seed = SummarizedExperiment::colData(drawn)$seed)
    expect_identical(again, drawn)
})

test_that("threads change no bit", {
    attribution <- scored(a = smooth_scores(20000), b = smooth_scores(500, 2))
    for (shifts in list(NULL, 20, 101))
        expect_identical(gene_quantiles(attribution, three, shifts = shifts, seed = 5, threads = 2),
                         gene_quantiles(attribution, three, shifts = shifts, seed = 5, threads = 1))
})

test_that("several attributions stand side by side, each as by itself", {
    one <- scored(a = smooth_scores(300))
    two <- scored(a = smooth_scores(300, 2))
    both <- gene_quantiles(list(first = one, second = two), three, shifts = 20, seed = 5)
    expect_identical(colnames(both), c("first", "second"))
    for (name in SummarizedExperiment::assayNames(both)) {
        expect_identical(unname(SummarizedExperiment::assay(both, name)[, 1]), unname(statistic(gene_quantiles(one, three, shifts = 20, seed = 5), name)))
        expect_identical(unname(SummarizedExperiment::assay(both, name)[, 2]), unname(statistic(gene_quantiles(two, three, shifts = 20, seed = 5), name)))
    }
    expect_identical(colnames(gene_quantiles(list(one, two), three, shifts = 9)), c("ig", "ig.1"))
    expect_error(as.data.frame(both), "not 2", class = "nucleograd_error_argument")
    expect_error(gene_quantiles(list(one, scored(a = smooth_scores(200))), three), "ig.1", class = "nucleograd_error_contigs")
    expect_error(gene_quantiles(list(one, 1), three), class = "nucleograd_error_argument")
})

test_that("prevalence joins by gene, by gene without the number of a copy, and by product", {
    genes <- features_on("a", seq(1, 81, 20), seq(10, 90, 20), gene = c("spo0A", "spo0A_2", NA, "abc_1", NA),
                         product = c(NA, NA, "flagellin", NA, "unheard of"))
    prevalence <- data.frame(gene = c("flagellin", "spo0A", "abc_1"), share_yes = c(0.5, 1, 0), label = c("Equal", "More in yes", "Less in yes"))
    result <- gene_quantiles(scored(a = smooth_scores(100)), genes, prevalence = prevalence, shifts = 9)
    expect_identical(SummarizedExperiment::rowRanges(result)$prevalence,
                     c("More in yes", "More in yes", "Equal", "Less in yes", "Absent elsewhere"))
    expect_identical(names(as.data.frame(result))[1:4], c("Gene", "Description", "Quantile Position", "Prevalence"))
    expect_output(print(result), "Absent elsewhere")
    expect_error(gene_quantiles(scored(a = smooth_scores(100)), genes, prevalence = prevalence[1:2]), "label", class = "nucleograd_error_argument")
})

test_that("the table is ranked, names every feature, and survives subsetting", {
    genes <- three
    genes$gene <- c(NA, "y", NA)
    genes$locus_tag <- c("t1", NA, NA)
    result <- gene_quantiles(scored(a = smooth_scores(100)), genes, shifts = 9, seed = 1)
    table <- as.data.frame(result)
    expect_identical(names(table)[1:3], c("Gene", "Description", "Quantile Position"))
    expect_false(is.unsorted(-table$mean))
    expect_setequal(table$Gene, c("t1", "y", "a:71-85:+"))
    expect_identical(methods::as(result, "data.frame"), table)
    expect_s4_class(result[2:1, ], "GeneQuantiles")
    expect_identical(as.data.frame(result[2, ])$Gene, "y")
    expect_error(as.data.frame(SummarizedExperiment::cbind(result, result)), class = "nucleograd_error_argument")
    expect_snapshot(result)
})

test_that("types choose features; regions of one's own need none", {
    attribution <- scored(a = smooth_scores(100))
    genes <- three
    genes$type <- c("CDS", "gene", "tRNA")
    expect_identical(nrow(gene_quantiles(attribution, genes, shifts = 9)), 2L)
    expect_identical(nrow(gene_quantiles(attribution, genes, type = "gene", shifts = 9)), 1L)
    expect_identical(nrow(gene_quantiles(attribution, genes, type = NULL, shifts = 9)), 3L)
    expect_identical(nrow(gene_quantiles(attribution, GenomicRanges::granges(genes), shifts = 9)), 3L)
    expect_error(gene_quantiles(attribution, genes, type = "exon"), class = "nucleograd_error_type")
})

test_that("regions outside the scores are refused or left out, in words", {
    attribution <- scored(a = smooth_scores(100))
    expect_error(gene_quantiles(attribution, features_on("b", 1, 9)), "\"b\" is in", class = "nucleograd_error_contigs")
    expect_error(gene_quantiles(attribution, features_on("a", 90, 110)), "has 100 bp", class = "nucleograd_error_regions")
    expect_error(gene_quantiles(attribution, three, shifts = 0), class = "nucleograd_error_argument")
    expect_error(gene_quantiles(1:10, three), class = "nucleograd_error_argument")
    both <- suppressWarnings(c(three, features_on("b", 1, 9)))
    expect_message(result <- gene_quantiles(attribution, both, shifts = 9), "Leaving out 1 feature ")
    expect_identical(nrow(result), 3L)
})

test_that("the types, the regions between genes and before them go through the same report", {
    known <- GenomeInfoDb::Seqinfo("a", 100)
    genes <- features_on("a", c(11, 41), c(30, 70), c("+", "-"), seqinfo = known, gene = c("x", "y"), type = "CDS")
    between <- gene_quantiles(scored(a = smooth_scores(100)), intergenic(genes), type = NULL, shifts = 9)
    expect_setequal(as.data.frame(between)$Gene, c("end of contig | x", "x | y", "y | end of contig"))
})
