# What verbs refuse that no other test types: the message can be made, has its class and says what is allowed.

refused <- function(code, words, class = "argument") expect_error(code, words, class = paste0("nucleograd_error_", class))

model <- example_model()
piece <- Biostrings::subseq(example_genome(), 853001, 854000)
scores <- attribution(model, piece, "gradient")
range <- GenomicRanges::GRanges("CHLTCG:1-100")
network <- sequence_network(20, nucleograd::conv(2, 4), nucleograd::global_pool("average"), nucleograd::dense(1, "sigmoid"), seed = 1)
sequences <- vapply(1:12, function(k) paste(rep(c("A", "C", "G", "T")[c(k %% 4, k %% 3, 2 * (k %% 2), 1) + 1], 5), collapse = ""), "")
samples <- Biostrings::DNAStringSet(sequences)
classes <- rep(c("a", "b"), 6)

test_that("attribution() refuses settings that do not go together", {
    refused(attribution(model, piece, "expected", replicates = 2), "each of `nodes` draws has a baseline of its own")
    refused(attribution(model, piece, replicates = 2), "must be 1 where all are the same")
    refused(attribution(model, piece, "smoothgrad", noise_level = 2), "must be one number above 0 and up to 1, not 2")
    refused(attribution(model, piece, tolerance = 0), "must be NULL or one number between 0 and 1, not 0")
    refused(attribution(model, piece, "gradient", tolerance = 0.1), "chooses the nodes of")
    refused(attribution(network, array(0, c(1, 20, 4)), strand = "both"), "must be \"forward\" for arrays")
    refused(attribution(model, piece, baseline = Biostrings::DNAStringSet("ACGT")), "must hold a sequence of at least 500 bp")
    refused(attribution(model, piece, baseline = function(...) "ACGT"), "must give a sequence of 500 bp")
    refused(attribution(model, piece, target = 5), "must be")
    refused(base_errors(scores), "must be a mean of several")
    refused(region_attribution(model, piece, c(range, range)), "must be one range, not 2")
})

test_that("trust() and score_agreement() refuse what cannot be compared", {
    refused(trust(methods::initialize(scores, windows = scores@windows[0]), model), "must have windows")
    refused(trust(scores, model, alternatives = 3), "must be a named list of lists")
    other <- attribution(model, stats::setNames(piece, "other"), "gradient")
    refused(score_agreement(scores, list(other = other)), "must be of the contigs", "contigs")
})

test_that("encode_sequences() and shuffle_sequences() say what they take", {
    refused(encode_sequences(5, window = 8), "must be a DNAStringSet or a character vector, not 5")
    refused(encode_sequences("ACGTACGT", window = 8, ngram = 2, strand = "-"), "n-grams have no reverse complement")
    refused(encode_sequences("ACGTACGT", window = 2, ngram = 3), "must be at most the window, 2, not 3")
    refused(encode_sequences("ACGTN", window = 5, ambiguous = "empirical", frequencies = c(1, -1, 1, 1)), "must be four numbers from 0")
    refused(shuffle_sequences(5), "must be a <DNAStringSet> or a character vector")
})

test_that("fit_model() refuses samples and settings that do not fit the network", {
    fit <- function(x = samples, y = classes, model = network, ...) fit_model(model, x, y, epochs = 1, seed = 1, ...)
    refused(fit(validation = 0.001), "must leave samples on both sides")
    refused(fit(validation = 2), "must be a share between 0 and 1")
    refused(fit(function(n, epoch) 1, NULL), "must return")
    refused(fit(function(n, epoch) list(x = samples, y = classes), NULL, validation = 0.5), "or NULL where `x` is a function")
    refused(fit(samples[0], character()), "has no sequences")
    refused(fit(Biostrings::subseq(samples, 1, 5)), "must have sequences of at least 20 bp")
    refused(fit(y = as.list(classes)), "must be classes or finite numbers")
    refused(fit(y = cbind(1:12, 1:12) / 12), "must have 1 number for each sample")
    refused(fit(y = 1:12), "must lie between 0 and 1")
    refused(fit(y = 1:12 / 12, loss = "mse", class_weights = "balanced"), "needs classes")
    refused(fit(class_weights = c(a = 1)), "with the names of all classes")
    refused(fit(callbacks = 5), "must be a list of functions")
    refused(fit(checkpoint = file.path(tempdir(), "none", "here")), "folder that can be written", "file")
    folder <- tempfile()
    dir.create(folder)
    refused(fit(folder, classes), "must hold FASTA files", "file")
    writeLines("no header", file.path(folder, "a.fasta"))
    refused(fit(folder, classes), "must be a FASTA file", "file")
    refused(fit(c(tempdir(), tempdir()), NULL), "must name the class of each file")
    refused(fit(schedule = list("plateau", factor = 2)), "")
    expect_warning(fit(c(samples[1:11], Biostrings::DNAStringSet("ACGT"))), class = "nucleograd_warning_short")
})

test_that("files that cannot be written are refused", {
    nowhere <- file.path(tempdir(), "none", "file.h5")
    refused(write_model(network, nowhere), "folder that can be written", "file")
    refused(write_model(network, "model.txt"), "ends in .h5, .hdf5 or .keras")
    refused(rtracklayer::export(scores, "scores.txt"), "must be one path that ends in")
    refused(rtracklayer::export(scores, "scores.gff3"), "must be there for a GFF3")
    refused(report(5, scores), "must be the path of one file")
    refused(report("report.html", scores, title = 5), "must be one string, not 5")
    refused(report("report.html"), "must have something to show")
})

test_that("a damaged GMT, VCF, GFF3 or table says what it should be", {
    lines <- function(..., ending = ".txt") {
        file <- tempfile(fileext = ending)
        writeLines(c(...), file)
        file
    }
    refused(variant_effect(model, piece, lines("not a table", ending = ".vcf")), "must be a VCF file|at least five columns", "file")
    refused(variant_effect(model, piece, lines("##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT", "CHLTCG\tx\t.\tA\tC", ending = ".vcf")),
            "must have a position", "file")
    refused(read_annotation(lines("##gff-version 3", "a\tb\tc")), "rows of nine fields", "file")
    refused(read_meme_motifs(lines("no MEME")), "must be a MEME file", "file")
})

test_that("motifs and rankings say what they need", {
    refused(group_seqlets(range, scores), "must have a column `score`|must have a column")
    refused(site_motifs(range, piece), "must have a column")
    range$motif <- "m"
    refused(site_motifs(c(range, GenomicRanges::GRanges("CHLTCG:1-50", motif = "m")), piece), "must have the same width")
    refused(compare_rankings(), "two rankings or more")
    refused(compare_rankings(k = 0), "whole numbers of at least 1, not 0")
    refused(compare_rankings(level = 1), "between 0 and 1, not 1")
    refused(gene_prevalence(5, classes), "must be a matrix of genomes and genes, not 5")
    presence <- matrix(rep(0:1, 6), 6, dimnames = list(NULL, c("a", "b")))
    refused(gene_prevalence(unname(presence), classes[1:6]), "must have the names of genes")
    refused(gene_prevalence(presence, rep("a", 6)), "two levels or more")
    refused(gene_prevalence(presence, classes), "class of each of the 6 genomes")
    refused(gene_prevalence(replace(presence, 1, NA), classes[1:6]), "must not have")
    refused(gene_matrix(5), "must be paths of files, not 5")
})

test_that("sequence_network() refuses numbers that make no layer", {
    refused(sequence_network(20), "must be given layers")
    refused(nucleograd::dropout(1), "from 0 to below 1, not 1")
    refused(batch_norm(momentum = 1), "from 0 to below 1, not 1")
})
