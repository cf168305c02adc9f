# Random letters with known scores; stretch_of() is the jackknife's own cutting of the genome.
nucleotides <- function(length_bp, seed) { set.seed(seed); sample(c("A", "C", "G", "T"), length_bp, TRUE) }
letters_a <- nucleotides(900, 1)
letters_b <- nucleotides(300, 2)
letters_a[c(200, 201)] <- c("N", "R")
scores <- scored(a = smooth_scores(900, 3), b = smooth_scores(300, 4), circular = c(TRUE, FALSE), letters = list(a = letters_a, b = letters_b))
genes <- suppressWarnings(features_on(c("a", "a", "a", "b", "a"), c(31, 181, 881, 101, 301), c(130, 240, 925, 160, 360), c("+", "-", "+", "-", "-"),
                                      gene = letters[1:5], type = c("CDS", "CDS", "CDS", "CDS", "tRNA"), seqinfo = genome_seqinfo(scores@genome)))
one_gene <- function(k) {
    contig <- as.character(GenomeInfoDb::seqnames(genes))[k]
    at <- (BiocGenerics::start(genes)[k]:BiocGenerics::end(genes)[k] - 1) %% length(scores@genome[[contig]]) + 1
    letter <- list(a = letters_a, b = letters_b)[[contig]][at]
    score <- base_scores(scores, contig)[at]
    score[!letter %in% c("A", "C", "G", "T")] <- NA
    if (as.character(BiocGenerics::strand(genes))[k] == "-") {
        letter <- rev(chartr("ACGTNR", "TGCANY", letter))
        score <- rev(score)
        at <- rev(at)
    }
    data.frame(gene = k, at = at + if (contig == "b") 900 else 0, letter = letter, score = score, offset = seq_along(at) - 1)
}
naive_se <- function(statistic, table) {
    stretch <- ceiling(table$at / 1200 * 50)
    left <- vapply(1:50, function(out) statistic(table[stretch != out, ]), 0)
    sqrt(49 / 50 * sum((left - mean(left))^2))
}

test_that("codon positions, codons and amino acids are those of a loop over genes", {
    table <- do.call(rbind, lapply(1:4, one_gene))
    table$codon <- unlist(lapply(split(table, table$gene), function(gene) {
        whole <- nrow(gene) %/% 3 * 3
        c(rep(apply(matrix(gene$letter[seq_len(whole)], 3), 2, paste, collapse = ""), each = 3), rep(NA, nrow(gene) - whole))
    }))
    table$codon[grepl("[^ACGT]", table$codon)] <- NA
    table <- table[!is.na(table$codon), ]
    found <- scores_by_codon(scores, genes)
    for (position in 1:3) {
        here <- function(x) x$offset %% 3 + 1 == position
        expect_equal(found$bases[position], sum(here(table)))
        expect_equal(found$mean[position], mean(table$score[here(table)]))
        expect_equal(found$difference[position], mean(table$score[here(table)]) - mean(table$score))
        expect_equal(found$mean_se[position], naive_se(function(x) mean(x$score[here(x)]), table))
        expect_equal(found$difference_se[position], naive_se(function(x) mean(x$score[here(x)]) - mean(x$score), table))
    }
    codons <- scores_by_codon(scores, genes, by = "codon")
    expected <- tapply(table$score, table$codon, mean)
    expect_equal(stats::setNames(codons$mean, codons$codon), c(expected)[codons$codon])
    expect_setequal(codons$codon, names(expected))
    amino <- scores_by_codon(scores, genes, by = "amino_acid")
    expected <- tapply(table$score, Biostrings::GENETIC_CODE[table$codon], mean)
    expect_equal(stats::setNames(amino$mean, amino$amino_acid), c(expected)[amino$amino_acid])
})

test_that("k-mers are those of a loop, strands together and apart, everywhere and in regions", {
    occurrences <- function(letter, score, k) {
        first <- seq_len(length(letter) - k + 1)
        data.frame(kmer = vapply(first, function(i) paste(letter[i:(i + k - 1)], collapse = ""), ""),
                   score = vapply(first, function(i) mean(score[i:(i + k - 1)]), 0))
    }
    turned <- function(kmer) as.character(Biostrings::reverseComplement(Biostrings::DNAStringSet(kmer)))
    for (both in c(TRUE, FALSE)) {
        table <- rbind(occurrences(letters_a, base_scores(scores, "a"), 2), occurrences(letters_b, base_scores(scores, "b"), 2))
        table <- table[!grepl("[^ACGT]", table$kmer), ]
        if (both) table$kmer <- pmin(table$kmer, turned(table$kmer))
        found <- scores_by_kmer(scores, k = 2, both_strands = both)
        expect_equal(stats::setNames(found$mean, found$kmer), c(tapply(table$score, table$kmer, mean))[found$kmer])
        expect_equal(stats::setNames(found$count, found$kmer), c(table(table$kmer))[found$kmer], ignore_attr = TRUE)
        expect_equal(sum(found$count), nrow(table))
        expect_equal(found$total, found$mean * found$count * 2)
    }
    here <- scores_by_kmer(scores, k = 3, regions = genes[4], both_strands = FALSE)
    table <- occurrences(letters_b[101:160], base_scores(scores, "b")[101:160], 3)
    expect_equal(stats::setNames(here$mean, here$kmer), c(tapply(table$score, table$kmer, mean))[here$kmer])
    expect_true(all(is.na(here$z)))                                    # the region is in three stretches
})

test_that("a k-mer that is planted with its score comes first", {
    letter <- nucleotides(20000, 5)
    score <- stats::rnorm(20000, 0, 0.1)
    for (start in seq(101, 19901, 200)) {
        letter[start + 0:5] <- c("G", "A", "T", "T", "A", "C")
        score[start + 0:5] <- score[start + 0:5] + 1
    }
    found <- scores_by_kmer(scored(a = score, letters = list(a = letter)), k = 6)
    expect_identical(found$kmer[1], "GATTAC")
})

test_that("regions: bases, shares and p-values of moved annotation, by strand or not", {
    found <- scores_by_region(scores, genes, upstream = 20, shifts = 30, seed = 6)
    expect_setequal(found$type, c("CDS", "tRNA", "upstream", "intergenic"))
    bases_a <- base_scores(scores, "a")
    bases_a[200:201] <- NA
    cds <- c(bases_a[c(31:130, 181:240, 881:900, 1:25)], base_scores(scores, "b")[101:160])
    row <- found[found$type == "CDS", ]
    expect_equal(c(row$regions, row$bases, row$mean, row$mean_absolute),
                 c(4, sum(!is.na(cds)), mean(cds, na.rm = TRUE), mean(abs(cds), na.rm = TRUE)))
    expect_equal(row$share, sum(abs(cds), na.rm = TRUE) / (sum(abs(bases_a), na.rm = TRUE) + sum(abs(base_scores(scores, "b")))))
    covered <- found$bases[found$type %in% c("CDS", "tRNA", "intergenic")]
    expect_equal(sum(covered), 1198)                                   # side by side they are the genome
    apart <- scores_by_region(scores, genes, by_strand = TRUE, shifts = 30, seed = 6)
    expect_equal(sum(apart$bases[apart$type == "CDS"]), row$bases)
    expect_setequal(apart$strand[apart$type == "CDS"], c("+", "-"))

    circle <- scored(a = smooth_scores(200, 7), circular = TRUE)
    three <- features_on("a", c(11, 61, 141), c(40, 80, 160), type = "CDS", seqlengths = c(a = 200))
    row <- scores_by_region(circle, three, upstream = 0, shifts = 40, seed = 3)
    row <- row[row$type == "CDS", ]
    moved <- vapply(.Call(C_random, 3, 0, 40, 200), function(move) mean(base_scores(circle)[(c(10:39, 60:79, 140:159) + move) %% 200 + 1]), 0)
    expect_equal(row$p_value, min(1, 2 * (1 + min(sum(moved >= row$mean - 1e-9), sum(moved <= row$mean + 1e-9))) / 41))
    expect_identical(scores_by_region(scores, genes, shifts = 33, seed = 6, threads = 1), scores_by_region(scores, genes, shifts = 33, seed = 6, threads = 2))
})

test_that("GC: lm() fits the same line, to windows and to genes", {
    for (annotation in list(NULL, genes)) {
        found <- scores_by_gc(scores, annotation, type = NULL, window = 50)
        line <- stats::lm(mean ~ gc, found)
        expect_equal(unname(stats::coef(line)), unlist(attr(found, "fit")[c("intercept", "slope")]), ignore_attr = TRUE)
        expect_equal(found$residual, unname(stats::residuals(line)))
        expect_equal(attr(found, "fit")$r_squared, summary(line)$r.squared)
    }
    expect_equal(found$gc[1], mean(letters_a[31:130] %in% c("G", "C")))
    expect_equal(found$mean[1], mean(base_scores(scores, "a")[31:130]))
    windows <- scores_by_gc(scores, window = 500)
    expect_identical(windows$end - windows$start + 1, c(500, 400, 300))
})

test_that("along genes: each place is the mean over the genes that reach it", {
    found <- scores_along_genes(scores, genes, flank = 70)
    all <- lapply(1:4, one_gene)
    at <- function(part, position) found[found$part == part & found$position == position, ]
    for (offset in c(0, 30, 59, 70)) {
        values <- unlist(lapply(all, function(gene) gene$score[gene$offset == offset]))
        expect_equal(at("start", offset)$mean, mean(values, na.rm = TRUE))
        expect_equal(at("start", offset)$genes, sum(!is.na(values)))
        last <- unlist(lapply(all, function(gene) rev(gene$score)[offset + 1]))
        expect_equal(at("stop", -offset)$mean, mean(last, na.rm = TRUE))
    }
    a <- base_scores(scores, "a")
    b <- base_scores(scores, "b")
    expect_equal(at("start", -10)$mean, mean(c(a[21], a[250], a[871], b[170])))
    expect_equal(at("stop", 40)$mean, mean(c(a[170], a[141], a[65], b[61])))
    body <- mean(unlist(lapply(all, function(gene) gene$score[floor(100 * gene$offset / nrow(gene)) == 50])), na.rm = TRUE)
    expect_equal(at("body", 50.5)$mean, body)
    edge <- scores_along_genes(scores, genes[4], flank = 200)
    expect_equal(sum(edge$genes[edge$part == "start"]), 140 + 60)      # a linear contig ends 140 bp before the gene on its strand
})

test_that("the bases of a gene are read on its strand, with codons, channels and flanks", {
    annotation <- c(genes, features_on("a", 31, 129, gene = "a", type = "gene"))
    found <- gene_bases(scores, genes[2])
    expected <- one_gene(2)
    expect_equal(found$score, expected$score)
    expect_identical(found$base, ifelse(expected$letter %in% c("A", "C", "G", "T"), expected$letter, "N"))
    expect_equal(found$position, expected$at)
    expect_equal(found$A, rev(scores@scores$a[181:240, "T"]))
    expect_identical(found$codon[1:3], rep(paste(expected$letter[1:3], collapse = ""), 3))
    expect_identical(found$amino_acid[4], unname(Biostrings::GENETIC_CODE[paste(expected$letter[4:6], collapse = "")]))
    expect_true(is.na(found$amino_acid[which(found$base == "N")[1]]))
    flanked <- gene_bases(scores, "d", annotation, flank = 150)
    expect_identical(range(flanked$offset), c(-139, 160))
    expect_identical(flanked$score[flanked$offset %in% 1:60], one_gene(4)$score)
    expect_identical(nrow(gene_bases(scores, "a", annotation)), 100L)                        # the CDS, not the gene
    expect_true(all(is.na(gene_bases(scores, "e", annotation)$codon)))
    expect_error(gene_bases(scores, "z", annotation), "`gene` must be a gene", class = "nucleograd_error_regions")
    expect_error(gene_bases(scores, genes), class = "nucleograd_error_argument")
})

test_that("every table has a picture", {
    skip_if_not_installed("ggplot2")
    tables <- list(scores_by_region(scores, genes, shifts = 9), scores_by_region(scores, genes, by_strand = TRUE, shifts = 9),
                   scores_by_codon(scores, genes), scores_by_codon(scores, genes, by = "codon"), scores_by_codon(scores, genes, by = "amino_acid"),
                   scores_by_kmer(scores, k = 2), scores_by_gc(scores, window = 50), scores_along_genes(scores, genes, flank = 20))
    for (table in tables) expect_silent(ggplot2::ggplotGrob(plot(table)))
    skip_if_not_installed("patchwork")
    skip_if_not_installed("ggseqlogo")
    expect_silent(patchwork::patchworkGrob(plot(gene_bases(scores, genes[1]))))
})
