# tools/demo.R <folder>: the example network over the example genome, from file to genes; see tools/demo.
begun <- proc.time()[["elapsed"]]
suppressPackageStartupMessages(library(nucleograd))
folder <- commandArgs(TRUE)[1]
dir.create(folder, recursive = TRUE, showWarnings = FALSE)
options(width = 130)
if (!cli::is_dynamic_tty()) options(cli.progress_handlers = "none")      # a log wants no bars

step <- function(what, code) {
    seconds <- system.time(value <- code)[["elapsed"]]
    cat(sprintf("%-90s %5.1f s\n", what, seconds))
    value
}

save_table <- function(table, name) utils::write.table(table, file.path(folder, name), sep = "\t", quote = FALSE, row.names = FALSE, na = "")
save_plot <- function(plot, name, height) ggplot2::ggsave(file.path(folder, name), plot, width = 9, height = height, dpi = 150)

model <- step("Read the network: does a window of 500 bp hold (part of) a 16S rRNA gene?", example_model())
genome <- step("Read the genome: Chlamydia trachomatis, a phylum that the network has never seen", example_genome())
annotation <- step("Read its annotation by Prokka", example_annotation())
predictions <- step("Predict: a window every 250 bp, over the origin of the circular chromosome", predict(model, genome, step = 250))
scores <- step("Attribute the answers to single bases: integrated gradients, 50 nodes, uniform baseline",
               attribution(model, genome, baseline = "uniform", nodes = 50, step = 250))
genes <- step("Rank the genes: quantiles, and p-values from every shift of the annotation",
              gene_quantiles(scores, annotation))

table <- as.data.frame(genes)
of_16s <- annotation[which(annotation$product == "16S ribosomal RNA")]
# The `width` bp of the first 16S gene around the 50 bp of the highest mean score.
strongest <- function(width) {
    score <- base_scores(scores)[BiocGenerics::start(of_16s)[1]:BiocGenerics::end(of_16s)[1]]
    middle <- BiocGenerics::start(of_16s)[1] + which.max(stats::filter(score, rep(1 / 50, 50))) - 1
    GenomicRanges::GRanges(GenomeInfoDb::seqnames(of_16s)[1], IRanges::IRanges(middle - width / 2 + 1, width = width))
}

invisible(step("Write tables and a track for genome browsers", {
    save_table(table, "genes.tsv")
    windows <- as.data.frame(scores@windows)
    names(windows)[1] <- "contig"
    save_table(cbind(windows[c("contig", "start", "end")], probability = S4Vectors::mcols(predictions)[[1]],
                     windows[c("output", "baseline_output", "attributed", "gap")]), "windows.tsv")
    rtracklayer::export(scores, file.path(folder, "scores.bw"))
}))
invisible(step("Draw the genome, the genes, and the strongest place of the first 16S gene", {
    save_plot(plot(scores, type = "genome", annotation = annotation), "genome.png", height = 4)
    save_plot(plot(genes), "quantiles.png", height = 5)
    save_plot(plot(scores, type = "heatmap", region = strongest(200)), "16S-heatmap.png", height = 3)
    save_plot(plot(scores, type = "logo", region = strongest(60)), "16S-logo.png", height = 3)
}))

cat("\n")
model
cat("\n")
scores
positive <- predictions[S4Vectors::mcols(predictions)[[1]] > 0.5]
cat("\n", length(positive), " of ", length(predictions), " windows are called 16S; ", sum(IRanges::overlapsAny(positive, of_16s)),
    " of them overlap a gene that Prokka calls 16S\n", sep = "")

cat("\nThe 15 genes of the highest mean score, of ", nrow(table), "\n", sep = "")
shown <- data.frame(rank = seq_len(nrow(table)), table[c("Gene", "Description", "start", "end", "strand", "mean", "quantile_bases", "p_value", "fdr")])
print(utils::head(shown, 15), row.names = FALSE, digits = 3)
places <- match(of_16s$locus_tag, table$locus_tag)
cat("\nThe 16S genes: ", paste0(of_16s$locus_tag, " is number ", places, " of ", nrow(table), collapse = ", "), "\n", sep = "")
cat("The strongest place of the first: ", as.character(strongest(60)), " ",
    as.character(Biostrings::subseq(genome[[1]], BiocGenerics::start(strongest(60)), width = 60)), "\n", sep = "")
cat("\nIn ", sub(paste0(getwd(), "/"), "", folder, fixed = TRUE), ":\n  ", paste(list.files(folder), collapse = " "), "\n", sep = "")
cat(sprintf("All of it took %.0f s\n", proc.time()[["elapsed"]] - begun))
