# inst/benchmarks/planted.R: a sequence planted in 30 of 200 genes and a network that detects it: do genes and sets come out? 40 genomes.
# The network also has eight filters that respond to whatever they meet. A set of unplanted genes in runs must not be called.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("architectures.R", "report.R")) source(file.path(here, file))
options(cli.progress_show_after = Inf)
repeats <- 40
length_bp <- 200000
motif <- c(3, 0, 1, 2, 2, 3, 0, 0, 1, 3, 2, 1, 0, 3)                    # TACGGTAACTGCAT

detector <- function() {
    kernel <- array(formula_weights(14 * 4 * 9, 1, 0.6), c(14, 4, 9))
    kernel[, , 1] <- outer(motif, 0:3, "==")
    build <- network_builder(c(length_bp, 4))
    build$given_conv("conv1d", kernel, c(-11.5, formula_weights(8, 2, 0.5)))
    build$mean("mean")
    build$given_dense("dense", matrix(c(2e4, formula_weights(8, 3, 400)), 9), 0)
    build$model("detector")
}

trial <- function(seed) {
    set.seed(seed)
    codes <- sample(0:3, length_bp, TRUE)
    start <- seq(51, length_bp - 949, 1000) + sample(0:200, 200, TRUE)
    width <- sample(150:700, 200, TRUE)
    planted <- sample(200, 30)
    for (gene in planted) codes[start[gene] + sample(0:(width[gene] - 14), 1) + 0:13] <- motif
    genome <- Biostrings::DNAStringSet(c(contig = rawToChar(charToRaw("ACGT")[codes + 1])))
    genes <- GenomicRanges::GRanges("contig", IRanges::IRanges(start, width = width), "+", type = "CDS", gene = paste0("gene", 1:200),
                                    seqinfo = GenomeInfoDb::Seqinfo("contig", length_bp, TRUE))
    scores <- attribution(model, genome, nodes = 20)
    table <- SummarizedExperiment::assays(gene_quantiles(scores, genes))
    others <- setdiff(seq_len(200), planted)
    run <- unlist(lapply(sample(length(others) - 9, 3), function(first) others[first:(first + 9)]))
    sets <- list(planted = genes$gene[planted], unplanted = genes$gene[unique(run)])
    test <- as.data.frame(gene_set_test(scores, sets, genes, seed = seed))
    called <- which(table$fdr[, 1] <= 0.1)
    c(auroc = (sum(rank(table$mean[, 1])[planted]) - 30 * 31 / 2) / (30 * 170), found = mean(planted %in% called),
      false = if (length(called)) mean(!called %in% planted) else 0, planted = test$p_value[test$set == "planted"],
      unplanted = test$p_value[test$set == "unplanted"])
}

model <- detector()
seconds <- system.time(found <- vapply(seq_len(repeats), trial, numeric(5)))[["elapsed"]]
figure("planted_auroc_lowest", min(found["auroc", ]), paste("of", repeats, "genomes"))
figure("planted_genes_found", 100 * mean(found["found", ]), "% at FDR 0.1")
figure("planted_false_discoveries", 100 * mean(found["false", ]), "% at FDR 0.1, mean over genomes")
figure("planted_set_p_value_highest", max(found["planted", ]), paste("of", repeats))
figure("unplanted_set_not_called", 100 * mean(found["unplanted", ] > 0.05), "% of genomes at p 0.05")
figure("planted_seconds", seconds, "s")
if (min(found["auroc", ]) < 0.99 || max(found["planted", ]) > 0.05 || mean(found["unplanted", ] > 0.05) < 0.95) stop("planted genes are not told from others")
