# inst/benchmarks/genera.R: what 48 whole genomes teach of sporulation: leave one genus out, train, predict; then explain one call by genes.
# Genomes, labels and annotation come from the environment variable NUCLEOGRAD_DATA, or shared/data beside the repository or one level above.
# GENERA="Bacillus Listeria" leaves out these only; GENERA_EPOCHS=20. All 37 take about half an hour on two cores.
#
# An input is 1,000,000 bases: contigs of a genome in a row, 100 N between them, closed to a circle, from a place and strand drawn anew
# each epoch. The network is small: its first convolution has a stride of 4 and the last map is averaged, so that it sees composition and
# short words, not where they lie. A genome's answer is the mean probability of four pieces. Two rivals are shown the same genera: the label of most
# genomes, and that of the genome with the nearest frequencies of four letters (Euclidean, both strands).
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "report.R"))
options(cli.progress_show_after = Inf, width = 150)
folders <- c(Sys.getenv("NUCLEOGRAD_DATA", NA), file.path(here, "../../..", c("shared/data", "../shared/data")))
data <- Filter(function(folder) file.exists(file.path(folder, "genomes/manifest.tsv")), folders[!is.na(folders)])
if (!length(data)) stop("there is no folder of data; set NUCLEOGRAD_DATA")
data <- data[1]
length_bp <- 1000000L
epochs <- as.integer(Sys.getenv("GENERA_EPOCHS", "20"))

labels <- utils::read.delim(file.path(data, "genomes/manifest.tsv"), quote = "")
labels$genus <- sub(" .*", "", labels$organism)
labels$spores <- labels$sporulating == "yes"
in_a_row <- function(file) Biostrings::DNAString(paste(as.character(read_genome(file.path(data, "genomes", file))), collapse = strrep("N", 100)))
genomes <- Biostrings::DNAStringSet(lapply(labels$file, in_a_row))
genera <- strsplit(Sys.getenv("GENERA", paste(unique(labels$genus), collapse = " ")), " ")[[1]]

# The pieces of genomes (by number) that begin at `starts`, those that are `reversed` read from the other strand.
pieces <- function(numbers, starts, reversed = FALSE) {
    found <- Map(function(number, start) {
        genome <- genomes[[number]]
        circle <- c(genome, genome[seq_len(min(length_bp, length(genome)))])
        circle[start + seq_len(length_bp) - 1L]
    }, numbers, starts)
    found <- Biostrings::DNAStringSet(found)
    names(found) <- paste0("piece_", seq_along(found))
    found[reversed] <- Biostrings::reverseComplement(found[reversed])
    found
}

# A training set of one piece of each genome, drawn anew each epoch.
drawn <- function(numbers) function(count, epoch) {
    set.seed(epoch)
    starts <- vapply(Biostrings::width(genomes)[numbers], sample.int, 0L, size = 1)
    list(x = pieces(numbers, starts, stats::runif(length(numbers)) < 0.5), y = as.numeric(labels$spores[numbers]))
}

learn <- function(numbers) {
    network <- sequence_network(length_bp, conv(16, 12, strides = 4), pool(8), batch_norm(0.9), conv(32, 8), pool(8), batch_norm(0.9), conv(64, 8),
                                global_pool("average"), dense(1, "sigmoid"), seed = 1)
    fit_model(network, drawn(numbers), epochs = epochs, batch_size = 4, samples_per_epoch = length(numbers), learning_rate = 0.002,
              schedule = "cosine", seed = 1, memory_bytes = 2e9)
}

answer <- function(fit, number) {
    starts <- round(seq(1, Biostrings::width(genomes)[number], length.out = 5))[1:4]
    mean(S4Vectors::mcols(predict(fit, pieces(rep(number, 4), starts)))[[1]])
}

words <- Biostrings::oligonucleotideFrequency(genomes, 4, as.prob = TRUE)
words <- words + words[, as.character(Biostrings::reverseComplement(Biostrings::DNAStringSet(colnames(words))))]
distance <- as.matrix(stats::dist(words))

rows <- do.call(rbind, lapply(genera, function(genus) {
    apart <- which(labels$genus == genus)
    known <- which(labels$genus != genus)
    seconds <- system.time(fit <- learn(known))[["elapsed"]]
    found <- data.frame(genus, organism = labels$organism[apart], spores = labels$spores[apart], probability = vapply(apart, answer, 0, fit = fit),
                        most = mean(labels$spores[known]) > 0.5, nearest = labels$spores[known[apply(distance[known, apart, drop = FALSE], 2, which.min)]],
                        loss = utils::tail(as.data.frame(fit)$loss, 1), seconds)
    print(found, digits = 3, row.names = FALSE)
    found
}))
balanced <- function(said) mean(c(mean(said[rows$spores]), mean(!said[!rows$spores])))
area <- function(score) mean(outer(score[rows$spores], score[!rows$spores], function(a, b) (a > b) + (a == b) / 2))
right <- rows$probability > 0.5
figure("genera_left_out", length(genera), "genera")
figure("genera_genomes", nrow(rows), "genomes")
figure("genera_accuracy", mean(right == rows$spores), "of 1")
figure("genera_accuracy_of_most", mean(rows$most == rows$spores), "of 1")
figure("genera_accuracy_of_nearest", mean(rows$nearest == rows$spores), "of 1")
if (length(unique(rows$spores)) == 2) {
    figure("genera_balanced_accuracy", balanced(right), "of 1")
    figure("genera_balanced_accuracy_of_nearest", balanced(rows$nearest), "of 1")
    figure("genera_area_under_curve", area(rows$probability), "of 1")
}
figure("genera_training_seconds", mean(rows$seconds), "s")

# The circle: a network that has not seen Bacillus explains the call for Bacillus subtilis, gene by gene.
fit <- learn(which(labels$genus != "Bacillus"))
genome <- read_genome(file.path(data, "genomes/Bacillus_subtilis_168.fna.gz"), circular = TRUE)
genes <- read_annotation(file.path(data, "annotation/prokka/Bacillus_subtilis_168.prokka.gff.gz"), genome)
wiki <- utils::read.csv(file.path(data, "genes/SWxWWxRS_sporulation_genes.csv"), check.names = FALSE)
scores <- attribution(fit, genome, nodes = 20)
print(scores)
quantiles <- gene_quantiles(scores, genes)
print(utils::head(as.data.frame(quantiles)[, c("Gene", "Description", "Quantile Position", "p_value", "fdr")], 10), row.names = FALSE)
test <- suppressMessages(gene_set_test(scores, list(sporulation = wiki$`locus tag`), genes, seed = 1))
print(test)
file <- file.path(Sys.getenv("NUCLEOGRAD_PICTURES", tempdir()), "genera.html")
report(file, scores, quantiles, fit, sets = test, title = "Bacillus subtilis 168, by a network that saw no Bacillus")
figure("genera_report_mb", file.size(file) / 1e6, "MB")
