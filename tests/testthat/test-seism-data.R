# Sequences and responses from files and genomes.

fasta <- text_file(c(">s1 first", "ACGTAC", ">s2", "GGGTTT", ">s3", "CCCAAA"))

test_that("rows of a table meet sequences by name", {
    table <- data.frame(strain = c("s3", "s1", "s9"), growth = c(3, 1, 9), medium = c("a", "b", "a"))
    expect_message(data <- seism_data(fasta, table, "growth", covariates = "medium"), "Leaving out 1 sequence without a row and 1 row")
    expect_identical(as.character(data$x), c(s1 = "ACGTAC", s3 = "CCCAAA"))
    expect_identical(data$y, c(1, 3))
    expect_identical(data$covariates$medium, c("b", "a"))
    comma <- tempfile(fileext = ".csv")
    utils::write.csv(data.frame(class = c("yes", "no", "yes"), id = c("s1", "s2", "s3")), comma, row.names = FALSE)
    tab <- tempfile(fileext = ".tsv")
    utils::write.table(data.frame(id = c("s1", "s2", "s3"), class = c("yes", "no", "yes")), tab, sep = "\t", row.names = FALSE)
    expect_identical(seism_data(fasta, comma, "class", id = "id"), seism_data(fasta, tab, "class"))
    expect_identical(seism_data(fasta, tab, "class")$y, c(1, 0, 1))
    expect_null(seism_data(fasta, tab, "class")$covariates)
})

test_that("tables that do not fit are refused", {
    table <- data.frame(strain = c("s1", "s1"), growth = 1:2, colour = c("red", "blue"))
    refuse <- function(..., match) expect_error(seism_data(...), match, class = "nucleograd_error_argument")
    refuse(fasta, table, "yield", match = "no \"yield\"")
    refuse(fasta, table, "growth", match = "\"s1\" has more than one")
    refuse(fasta, data.frame(id = "x", y = 1), "y", match = "begins with \"x\"")
    refuse(fasta, data.frame(id = c("s1", "s2", "s3"), y = c("a", "b", "c")), "y", match = "two classes, not 3")
})

test_that("regions are cut out on their strand, over the origin too", {
    genome <- Biostrings::DNAStringSet(c(c1 = "ACGTTGCAAC", c2 = "GGGCCA"))
    S4Vectors::mcols(genome)$circular <- c(TRUE, FALSE)
    regions <- GenomicRanges::GRanges(c("c1:2-4:+", "c1:2-4:-", "c1:9-12:+", "c1:9-12:-", "c2:4-6:-"), locus_tag = c("a", "b", NA, NA, "a"))
    cut <- region_sequences(genome, regions)
    expect_identical(unname(as.character(cut)), c("CGT", "ACG", "ACAC", "GTGT", "TGG"))
    expect_identical(names(cut), c("a", "b", "c1:9-12:+", "c1:9-12:-", "a.1"))
    expect_identical(as.character(S4Vectors::mcols(cut[4:5])$region), c("c1:9-12:-", "c2:4-6:-"))
    expect_length(region_sequences(genome, regions[0]), 0)
    expect_error(region_sequences(genome, GenomicRanges::GRanges("c2:4-7")), "linear", class = "nucleograd_error_regions")
    expect_error(region_sequences(genome, GenomicRanges::GRanges("c3:1-2")), "\"c3\"", class = "nucleograd_error_contigs")
})

test_that("upstream regions of genes are what stands before them", {
    genome <- random_genome(500, seed = 4)
    genes <- features_on(names(genome), c(101, 301), c(200, 400), c("+", "-"), seqinfo = genome_seqinfo(genome), type = "CDS")
    cut <- region_sequences(genome, upstream(genes, 50))
    expect_identical(as.character(cut[[1]]), as.character(Biostrings::subseq(genome[[1]], 51, 100)))
    expect_identical(as.character(cut[[2]]), as.character(Biostrings::reverseComplement(Biostrings::subseq(genome[[1]], 401, 450))))
})
