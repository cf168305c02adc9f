annotation_of <- function(..., genome = NULL) read_annotation(text_file(c(...), ".gff3"), genome)
genome_of <- function(..., circular = FALSE) {
    length_bp <- c(...)
    genome <- Biostrings::DNAStringSet(strrep("A", length_bp))
    names(genome) <- names(length_bp)
    S4Vectors::mcols(genome) <- S4Vectors::DataFrame(description = names(length_bp), circular = rep_len(circular, length(length_bp)))
    genome
}

test_that("Prokka: features, names and lengths", {
    genes <- read_annotation(piece("prokka_piece.gff"))
    expect_identical(BiocGenerics::start(genes), c(154L, 1321L, 1794L, 2108L, 3585L))
    expect_identical(as.character(BiocGenerics::strand(genes)), c("+", "-", "+", "+", "+"))
    expect_identical(genes$gene, c(NA, NA, NA, "gatA", "gatB"))
    expect_identical(genes$locus_tag, sprintf("HMCJDPBG_%05d", 1:5))
    expect_identical(genes$EC, c(NA, NA, NA, NA, "6.3.5.-"))
    expect_identical(genes$source, rep("Prodigal:002006", 5))
    expect_identical(GenomeInfoDb::seqlengths(genes), c(CHLTCG = 6000L))
})

test_that("INSDC without a version line: circular, escapes, gene and CDS, a frameshift in two rows", {
    features <- read_annotation(piece("insdc_piece.gff3"))
    expect_identical(GenomeInfoDb::isCircular(features), c(AL009126.3 = TRUE))
    expect_identical(GenomeInfoDb::seqlengths(features), c(AL009126.3 = 4215606L))
    expect_identical(sum(features$gene %in% "dnaA" & features$type == "CDS"), 1L)
    release_factor <- features[features$gene %in% "prfB" & features$type == "CDS"]
    expect_identical(as.character(GenomicRanges::ranges(release_factor)), "3627139-3628240")
    expect_identical(release_factor$locus_tag, "BSU_35290")
    expect_false(any(grepl("%[0-9A-F]{2}", features$product)))
})

test_that("PGAP: two contigs, a gene and a CDS each, GO terms", {
    features <- read_annotation(piece("pgap_piece.gff"))
    expect_identical(GenomeInfoDb::seqlengths(features), c(NZ_JNJU01000001.1 = 264665L, NZ_JNJU01000002.1 = 190782L))
    expect_identical(features$GO[which(features$ID == "cds-WP_033159643.1")], "GO:0006086;GO:0004739;GO:0045250")
    expect_identical(features$gene[which(features$ID == "cds-WP_033159643.1")], "pdhA")
})

test_that("a parent lends its gene and locus tag", {
    features <- annotation_of(gff_row("a", "gene", 1, 9, attributes = "ID=g1;gene=dnaA;locus_tag=x_1"),
                              gff_row("a", "CDS", 1, 9, attributes = "ID=c1;Parent=g1;product=initiator"))
    expect_identical(features$gene, c("dnaA", "dnaA"))
    expect_identical(features$locus_tag, c("x_1", "x_1"))
    expect_identical(features$product, c(NA, "initiator"))
})

test_that("quotes, odd capitals, a bare semicolon, comments, commas and empty values are read as meant", {
    features <- annotation_of("# a comment", gff_row("a|b|c", "CDS", 1, 9, "-", "ID=\"x_1\";product='one,two%2C three'"),
                              gff_row("a|b|c", "CDS", 11, 19, "?", "id=x_2;"), "",
                              paste0(gff_row("a|b|c", "CDS", 21, 29, attributes = "ID=x_3;product="), "\tsee notes"),
                              gff_row("a|b|c", "CDS", 31, 39, attributes = "ID=x_4;dbxref=COG:COG0188;product=gyrase # checked"))
    expect_identical(features$ID, paste0("x_", 1:4))
    expect_identical(features$product, c("one,two, three", NA, NA, "gyrase"))
    expect_identical(as.character(BiocGenerics::strand(features)), c("-", "*", "+", "+"))
    expect_identical(features$COG, c(NA, NA, NA, "COG0188"))
    expect_identical(GenomeInfoDb::seqlevels(features), "a|b|c")
})

test_that("the FASTA section gives the lengths, with a word where the header says otherwise", {
    lines <- sub("1 6000", "1 5990", readLines(piece("prokka_piece.gff")))
    expect_message(genes <- annotation_of(setdiff(lines, "##FASTA")), "\"CHLTCG\" has 6000 bp")
    expect_identical(GenomeInfoDb::seqlengths(genes), c(CHLTCG = 6000L))
    expect_message(annotation_of(lines, genome = read_genome(text_file(lines))), NA)
})

test_that("features over the origin are one range that ends beyond the contig", {
    circle <- "##sequence-region a 1 100"
    whole <- gff_row("a", "region", 1, 100, attributes = "ID=a;Is_circular=true")
    over <- annotation_of(circle, whole, gff_row("a", "CDS", 91, 110, attributes = "ID=x"))
    expect_identical(as.character(GenomicRanges::ranges(over))[2], "91-110")
    halves <- annotation_of(circle, whole, gff_row("a", "CDS", 91, 100, attributes = "ID=x;gene=g"),
                            gff_row("a", "CDS", 30, 40, attributes = "ID=y"), gff_row("a", "CDS", 1, 10, attributes = "ID=x;gene=g"))
    expect_identical(as.character(GenomicRanges::ranges(halves)), c("1-100", "91-110", "30-40"))
    apart <- annotation_of(circle, gff_row("a", "CDS", 91, 100, attributes = "ID=x"), gff_row("a", "CDS", 1, 10, attributes = "ID=x"))
    expect_length(apart, 2)                                                    # a linear contig has no origin to cross
})

test_that("one contig takes the name of the other when their lengths agree; other names are an error with both sets", {
    rows <- c("##sequence-region gnl|X|1 1 100", gff_row("gnl|X|1", "CDS", 1, 30))
    expect_message(genes <- annotation_of(rows, genome = genome_of(chr = 100)), "both have 100 bp")
    expect_identical(GenomeInfoDb::seqlevels(genes), "chr")
    expect_snapshot(error = TRUE, {
        annotation_of(rows, genome = genome_of(chr = 101))
        annotation_of(rows, genome = genome_of(chr = 100, plasmid = 50))
        annotation_of(rows, genome = genome_of("gnl|X|1" = 101))
    })
})

test_that("all contigs of the genome are known, also those without features", {
    genes <- annotation_of(gff_row("b", "CDS", 1, 30), genome = genome_of(a = 60, b = 50, circular = c(TRUE, FALSE)))
    expect_identical(GenomeInfoDb::seqlengths(genes), c(a = 60L, b = 50L))
    expect_identical(GenomeInfoDb::isCircular(genes), c(a = TRUE, b = FALSE))
})

test_that("what is not GFF3, or lies outside its contig, is refused with the row", {
    expect_error(annotation_of("##gff-version 3"), "It has no row", class = "nucleograd_error_file")
    expect_error(annotation_of("LOCUS AL009126"), "LOCUS AL009126", class = "nucleograd_error_file")
    expect_error(annotation_of("a b CDS 1 9 . + . ID=1"), "separated by tabs", class = "nucleograd_error_file")
    expect_error(annotation_of(gff_row("a", "CDS", "1.5", 9)), "1.5", class = "nucleograd_error_file")
    expect_error(annotation_of(gff_row("a", "CDS", "1", "99999999999999999999")), "below 2.31", class = "nucleograd_error_file")
    expect_error(annotation_of(gff_row("a", "CDS", "2147483648", 9)), "below 2.31", class = "nucleograd_error_file")
    expect_error(annotation_of(gff_row("a", "CDS", 9, 1)), "from 9 to 1", class = "nucleograd_error_regions")
    expect_error(annotation_of(gff_row("a", "CDS", 1, 30), genome = genome_of(a = 20)), "\"a\" has 20 bp and is linear",
                 class = "nucleograd_error_regions")
    expect_error(annotation_of(gff_row("a", "CDS", 1, 30), genome = "x"), class = "nucleograd_error_argument")
})

known <- function(circular) GenomeInfoDb::Seqinfo(c("a", "b"), c(100, 50), c(circular, FALSE))
places <- function(regions) as.character(regions, ignore.strand = TRUE)

test_that("a contig with one gene has regions on both sides, and a gene without a name is unnamed", {
    one <- features_on("a", 11, 30, type = "CDS", seqlengths = c(a = 100))
    expect_identical(intergenic(one)$gene, c("end of contig | unnamed", "unnamed | end of contig"))
    expect_identical(as.character(GenomicRanges::ranges(intergenic(one))), c("1-10", "31-100"))
})

test_that("regions between genes are what no gene covers, named by their neighbours", {
    genes <- features_on("a", c(41, 11, 15, 71), c(60, 30, 20, 90), seqinfo = known(FALSE), gene = c("y", "x", "inside", "z"))
    linear <- intergenic(genes)
    expect_identical(places(linear), c("a:1-10", "a:31-40", "a:61-70", "a:91-100", "b:1-50"))
    expect_identical(linear$gene, c("end of contig | x", "x | y", "y | z", "z | end of contig", NA))
    GenomeInfoDb::seqinfo(genes) <- known(TRUE)
    circular <- intergenic(genes)
    expect_identical(places(circular), c("a:31-40", "a:61-70", "a:91-110", "b:1-50"))
    expect_identical(circular$gene, c("x | y", "y | z", "z | x", NA))
})

test_that("regions between genes respect a gene over the origin", {
    genes <- features_on("a", c(5, 91, 41), c(10, 120, 60), seqinfo = known(TRUE), gene = c("x", "over", "y"))
    regions <- intergenic(genes)
    expect_identical(places(regions), c("a:21-40", "a:61-90", "b:1-50"))
    expect_identical(regions$gene, c("over | y", "y | over", NA))
})

test_that("regions between genes cover all that genes leave, at random", {
    set.seed(1)
    for (circular in c(TRUE, FALSE)) for (round in 1:20) {
        start <- sample(100, 6)
        genes <- features_on("a", start, pmin(start + sample(0:20, 6), if (circular) 130 else 100), seqinfo = known(circular))
        regions <- intergenic(genes)
        regions <- regions[GenomeInfoDb::seqnames(regions) == "a"]
        bases <- function(ranges) (unlist(Map(seq, BiocGenerics::start(ranges), BiocGenerics::end(ranges))) - 1) %% 100 + 1
        expect_identical(sort(bases(regions)), setdiff(as.numeric(1:100), bases(genes)))
    }
})

test_that("upstream windows follow the strand, are clipped at ends and go over the origin", {
    genes <- features_on("a", c(31, 31, 6, 81), c(60, 60, 20, 98), c("+", "-", "+", "-"), seqinfo = known(FALSE), gene = c("p", "m", "first", "last"))
    linear <- upstream(genes, 10)
    expect_identical(stats::setNames(places(linear), linear$gene), c(first = "a:1-5", p = "a:21-30", m = "a:61-70", last = "a:99-100"))
    GenomeInfoDb::seqinfo(genes) <- known(TRUE)
    circular <- upstream(genes, 10)
    expect_identical(stats::setNames(places(circular), circular$gene), c(p = "a:21-30", m = "a:61-70", first = "a:96-105", last = "a:99-108"))
    at_the_edge <- features_on("a", c(1, 90), c(10, 100), c("+", "-"), seqinfo = known(FALSE))
    expect_length(upstream(at_the_edge), 0)
})

test_that("a gene that is there twice has one upstream window, and the region row none", {
    features <- read_annotation(piece("insdc_piece.gff3"))
    windows <- upstream(features, 100)
    expect_identical(sum(windows$gene %in% "dnaA"), 1L)
    expect_identical(windows$product[windows$gene %in% "dnaA"], features$product[features$gene %in% "dnaA" & features$type == "CDS"])
    expect_false("region" %in% windows$type)
})

test_that("lengths are asked for where they are needed", {
    expect_error(intergenic(features_on("a", 1, 9)), "\"a\" has none", class = "nucleograd_error_contigs")
    expect_error(upstream(features_on("a", 1, 9)), class = "nucleograd_error_contigs")
    expect_error(upstream(features_on("a", 1, 9), width = 0), class = "nucleograd_error_argument")
})
