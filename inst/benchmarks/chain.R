# inst/benchmarks/chain.R: from a genome to a report: Bacillus subtilis 168, its genes, its sporulation genes, their quantiles and test.
# Genome, annotation and lists come from the environment variable NUCLEOGRAD_DATA, or shared/data beside the repository or one level above.
# The network has the sporulation architecture with weights from a formula: it shows what the chain takes, not what a trained one says.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("architectures.R", "report.R")) source(file.path(here, file))
options(cli.progress_show_after = Inf, width = 150)
folders <- c(Sys.getenv("NUCLEOGRAD_DATA", NA), file.path(here, "../../..", c("shared/data", "../shared/data")))
data <- Filter(function(folder) file.exists(file.path(folder, "annotation/prokka/Bacillus_subtilis_168.prokka.gff.gz")), folders[!is.na(folders)])
if (!length(data)) stop("there is no folder of data; set NUCLEOGRAD_DATA")
data <- data[1]
step <- function(name, expression) figure(paste0("chain_", name, "_seconds"), system.time(expression)[["elapsed"]], "s")

total <- system.time({
    model <- sporulation_network(1e6)
    step("read", {
        genome <- read_genome(file.path(data, "genomes/Bacillus_subtilis_168.fna.gz"), circular = TRUE)
        genes <- read_annotation(file.path(data, "annotation/prokka/Bacillus_subtilis_168.prokka.gff.gz"), genome)
        # two lists: in the first the columns "gene" and "locus tag" are swapped, so names of genes are in "locus tag"
        wiki <- utils::read.csv(file.path(data, "genes/SWxWWxRS_sporulation_genes.csv"), check.names = FALSE)
        stages <- utils::read.delim(file.path(data, "genes/samnooij_sporulation_genes.tsv"), quote = "")
        sets <- c(list(sporulation = wiki$`locus tag`), split(stages$gene, paste("stage", stages$sporulation_stage)))
    })
    step("attribution", scores <- attribution(model, genome, nodes = 20))
    step("quantiles", quantiles <- gene_quantiles(scores, genes))
    step("set_test", test <- suppressMessages(gene_set_test(scores, sets, genes, seed = 1)))
    step("nucleotides", { regions <- scores_by_region(scores, genes, seed = 1); scores_by_codon(scores, genes); scores_by_kmer(scores) })
    file <- file.path(tempdir(), "chain.html")
    step("report", report(file, scores, quantiles, model, sets = test, title = "Bacillus subtilis 168"))
})[["elapsed"]]
print(test)
picture <- Sys.getenv("NUCLEOGRAD_PICTURES", NA)
if (!is.na(picture)) {
    ggplot2::ggsave(file.path(picture, "chain_histogram.png"), plot(test, type = "histogram", set = "sporulation"), width = 7, height = 4)
    ggplot2::ggsave(file.path(picture, "chain_circle.png"), plot(scores, type = "circle", annotation = genes, highlight = sets$sporulation), width = 7, height = 7)
    file.copy(file, file.path(picture, "chain.html"), overwrite = TRUE)
}
figure("chain_genome_bp", sum(Biostrings::width(genome)), "bp")
figure("chain_genes", nrow(quantiles), "features")
figure("chain_report_mb", file.size(file) / 1e6, "MB")
figure("chain_seconds", total, "s")
