# inst/benchmarks/forest.R: a random forest on 3,086 genomes and the 14,036 products that two or more of them carry; sporulating or not.
# The matrix is in the folder of data: the environment variable NUCLEOGRAD_DATA, or shared/data beside the repository or one level above.
library(nucleograd)
library(Matrix)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "report.R"))
options(cli.progress_show_after = Inf, width = 200)

folders <- c(Sys.getenv("NUCLEOGRAD_DATA", NA), file.path(here, "../../..", c("shared/data", "../shared/data")))
file <- Sys.glob(file.path(folders[!is.na(folders)], "genes/wa_products.rds"))[1]
if (is.na(file)) stop("the folder of data is not there: set NUCLEOGRAD_DATA")
data <- readRDS(file)
genes <- data$presence[, colSums(data$presence) >= 2]
class <- factor(data$sporulating, c(FALSE, TRUE), c("other", "sporulating"))

seconds <- system.time(forest <- gene_forest(genes, class, trees = 500, seed = 1, threads = 2))[["elapsed"]]
print(forest)
print(gene_prevalence(genes, class))
table <- as.data.frame(forest)
for (importance in grep("^mean_decrease", names(table), value = TRUE)) for (share in grep("^share", names(table), value = TRUE))
    figure(paste0("correlation_", importance, "_with_", share), stats::cor(table[[importance]], table[[share]], method = "spearman"), "Spearman")
difference <- abs(table$share_sporulating - table$share_other)
figure("correlation_gini_with_difference_of_shares", stats::cor(table$mean_decrease_gini, difference, method = "spearman"), "Spearman")
peak <- if (file.exists("/proc/self/status")) as.numeric(gsub("\\D", "", grep("^VmHWM", readLines("/proc/self/status"), value = TRUE))) * 1024 / 1e6 else NA
figure("genomes", nrow(genes), "genomes")
figure("genes", ncol(genes), "genes")
figure("peak_memory_mb", peak, "MB")
figure("oob_error_percent", 100 * forest$oob_error, "%")
figure("seconds", seconds, "s")
