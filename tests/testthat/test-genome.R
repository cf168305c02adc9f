read_lines <- function(..., end = "\n") read_genome(text_file(c(...), end = end))

test_that("names are first words, letters are upper case, and wrapped lines are joined", {
    genome <- read_lines(">a one two", "acgt", "", "NNRY", ">b", " GG TT")
    expect_identical(as.character(genome), c(a = "ACGTNNRY", b = "GGTT"))
    expect_identical(S4Vectors::mcols(genome)$description, c("a one two", "b"))
})

test_that("line ends, byte-order marks, gzip and Latin-1 headers change nothing", {
    lines <- c(">a", "ACGT", "ACGT", ">b", "TTTT")
    plain <- read_lines(lines)
    expect_identical(read_lines(lines, end = "\r\n"), plain)
    expect_identical(read_lines(lines, end = "\r"), plain)
    expect_identical(read_lines(paste0("\ufeff", lines[1]), lines[-1]), plain)
    packed <- tempfile(fileext = ".gz")
    connection <- gzfile(packed, "w")
    writeLines(lines, connection)
    close(connection)
    expect_identical(read_genome(packed), plain)
    latin <- tempfile()
    writeBin(c(charToRaw(">a M"), as.raw(0xfc), charToRaw("ller\nACGT\n")), latin)
    expect_identical(S4Vectors::mcols(read_genome(latin))$description, "a M\u00fcller")
})

test_that("U is read as T and said once", {
    expect_message(genome <- read_lines(">a", "acgu", ">b", "UU", ">c", "TT"), "Reading U as T in \"a\" and \"b\"")
    expect_identical(as.character(genome), c(a = "ACGT", b = "TT", c = "TT"))
})

test_that("circular contigs come from the header, the GFF3 or the argument, and stay with their contig", {
    lines <- c(">a [topology=circular]", "ACGT", ">b circular=true", "AC", ">c topology=linear", "A", ">d circular=false", "A")
    circular <- function(genome) GenomeInfoDb::isCircular(genome_seqinfo(genome))
    genome <- read_lines(lines)
    expect_identical(circular(genome), c(a = TRUE, b = TRUE, c = FALSE, d = FALSE))
    expect_identical(circular(genome[c("c", "b")]), c(c = FALSE, b = TRUE))
    expect_identical(circular(c(genome["a"], genome["d"])), c(a = TRUE, d = FALSE))
    expect_identical(unname(circular(read_genome(text_file(lines), circular = "c"))), c(FALSE, FALSE, TRUE, FALSE))
    expect_identical(unname(circular(read_genome(text_file(lines), circular = TRUE))), rep(TRUE, 4))
    gff <- c("##gff-version 3", gff_row("x", "region", 1, 4, attributes = "ID=x;Is_circular=true"), ">x", "ACGT", ">y", "GG")
    expect_identical(circular(read_lines(gff)), c(x = TRUE, y = FALSE))
})

test_that("a flag set by Biostrings' own `seqinfo<-` is believed, and an unknown one is linear", {
    genome <- Biostrings::DNAStringSet(c(a = "ACGT", b = "GG"))
    expect_identical(unname(GenomeInfoDb::isCircular(genome_seqinfo(genome))), c(FALSE, FALSE))
    GenomeInfoDb::seqinfo(genome) <- GenomeInfoDb::Seqinfo(c("a", "b"), c(4, 2), c(FALSE, TRUE))
    expect_identical(unname(GenomeInfoDb::isCircular(genome_seqinfo(genome["b"]))), TRUE)
})

test_that("the FASTA section of a GFF3 is a genome, with or without its delimiter", {
    lines <- readLines(piece("prokka_piece.gff"))
    genome <- read_genome(piece("prokka_piece.gff"))
    expect_identical(Biostrings::width(genome), 6000L)
    expect_identical(as.character(genome[[1]]), paste(lines[(which(lines == ">CHLTCG") + 1):length(lines)], collapse = ""))
    expect_identical(read_genome(text_file(setdiff(lines, "##FASTA"))), genome)
})

test_that("each base has its code", {
    expect_identical(base_codes(Biostrings::DNAString("ACGTNRY-TGCA")), as.raw(c(0:3, 4, 4, 4, 4, 3:0)))
    expect_identical(base_codes(Biostrings::DNAString("")), raw())
})

test_that("what is not a genome is refused before work, in words", {
    damaged <- tempfile(fileext = ".gz")
    connection <- gzfile(damaged, "w")
    writeLines(c(">a", strrep("ACGTTGCA", 1:500)), connection)
    close(connection)
    whole <- readBin(damaged, "raw", 1e6)
    writeBin(whole[seq_len(length(whole) %/% 2)], damaged)
    binary <- tempfile()
    writeBin(as.raw(c(62, 97, 10, 0, 1, 2)), binary)
    empty <- tempfile()
    file.create(empty)
    expect_error(read_genome(tempfile()), class = "nucleograd_error_file")
    expect_error(read_genome(damaged), "damaged or cut off", class = "nucleograd_error_file")
    expect_error(read_genome(binary), "is binary", class = "nucleograd_error_file")
    expect_error(read_genome(empty), "is empty", class = "nucleograd_error_file")
    expect_error(read_lines("ACGT"), "begins with \"ACGT\"", class = "nucleograd_error_file")
    expect_error(read_lines("##gff-version 3", gff_row("a", "CDS", 1, 9)), "GFF3 without sequence", class = "nucleograd_error_file")
    expect_error(read_lines(">a", "MKLFEER"), "Is this a protein FASTA", class = "nucleograd_error_letters")
    expect_error(read_lines(">a", "ACGT", ">b", "AC--GT"), "\"b\" has \"-\"", class = "nucleograd_error_letters")
    expect_error(read_lines(">a", "ACGT", ">b", "A", ">a", "A"), "\"a\" appears more than once", class = "nucleograd_error_contigs")
    expect_error(read_lines(">", "ACGT"), "Header 1 has no name", class = "nucleograd_error_contigs")
    expect_error(read_lines(">a", "ACGT", ">b"), "\"b\" has no sequence", class = "nucleograd_error_contigs")
    expect_error(read_genome(text_file(c(">a", "A")), circular = "b"), "\"b\" is no contig", class = "nucleograd_error_argument")
    expect_error(read_genome(text_file(c(">a", "A")), circular = c(TRUE, FALSE)), "of length 2", class = "nucleograd_error_argument")
})

test_that("a piece of a circular contig is linear", {
    file <- text_file(c(">a circular=true", "ACGTACGTAC"))
    genome <- read_genome(file)
    expect_true(unname(GenomeInfoDb::isCircular(genome_seqinfo(genome))))
    expect_false(unname(GenomeInfoDb::isCircular(genome_seqinfo(Biostrings::subseq(genome, 3, 9)))))
})
