fixture_rows <- function(...) {
    file <- tempfile(fileext = ".gff")
    writeLines(c("##gff-version 3", ...), file)
    file
}
gff_row <- function(type, attributes) paste("c1", "x", type, 1, 9, ".", "+", 0, attributes, sep = "\t")

test_that("the matrix is the one of a loop over lists", {
    lists <- list(one = c("dnaA", "spo0A_1", "spo0A_2", "ftsZ"), two = c("ftsZ", "", "# nothing"), three = c("recA_12", "dnaA  # again", "dnaA"))
    files <- vapply(lists, function(genes) { file <- tempfile(); writeLines(genes, file); file }, "")
    found <- gene_matrix(files)
    expect_s4_class(found, "dgCMatrix")
    expect_identical(as.matrix(found), rbind(one = c(dnaA = 1, ftsZ = 1, recA = 0, spo0A = 1), two = c(0, 1, 0, 0), three = c(1, 0, 1, 0)))
    expect_identical(colnames(gene_matrix(files, copies = TRUE)), c("dnaA", "ftsZ", "recA_12", "spo0A_1", "spo0A_2"))
    expect_identical(gene_matrix(files, threads = 1), gene_matrix(files, threads = 2))
    many <- stats::setNames(rep(files, 50), seq_len(150))
    expect_identical(unname(as.matrix(gene_matrix(many))), unname(as.matrix(found)[rep(1:3, 50), ]))
})

test_that("genes of a GFF3 are those of read_annotation(), in every dialect", {
    file <- fixture_rows(gff_row("gene", "ID=g1;Name=x;gene=dnaA"), gff_row("CDS", "ID=c1;Parent=g1;product=initiator%2C chromosomal"),
                         gff_row("CDS", "ID=c2; GENE=\"sigE\";Product=a,b"), gff_row("CDS", "ID=c3;gene_biotype=no;product="),
                         gff_row("tRNA", "ID=c4;gene=trnA_2;product=tRNA-Ala"), gff_row("repeat_region", "ID=c5;gene=no"),
                         "##FASTA", ">c1", "ACGTACGTACGT")
    annotations <- c(file, system.file("extdata", "chlamydia.gff.gz", package = "nucleograd"))
    for (file in annotations) {
        features <- suppressMessages(read_annotation(file))
        features <- features[features$type %in% c("CDS", "rRNA", "tRNA")]
        for (by in c("gene", "product"))
            expect_setequal(colnames(gene_matrix(file, by, copies = TRUE)), stats::na.omit(unique(S4Vectors::mcols(features)[[by]])))
    }
    expect_identical(colnames(gene_matrix(annotations[1], type = "repeat_region")), "no")
})

test_that("files that are something else are refused, in words", {
    binary <- tempfile(fileext = ".gff")
    writeBin(as.raw(c(65, 0, 66, 10)), binary)
    table <- tempfile(fileext = ".gff")
    writeLines("a\tb", table)
    whole <- readBin(system.file("extdata", "chlamydia.gff.gz", package = "nucleograd"), "raw", 1e6)
    cut <- tempfile(fileext = ".gff.gz")
    writeBin(whole[1:10000], cut)
    expect_error(gene_matrix(binary), "is binary", class = "nucleograd_error_file")
    expect_error(gene_matrix(table, threads = 1), "must be GFF3", class = "nucleograd_error_file")
    expect_error(gene_matrix(cut), "cut off", class = "nucleograd_error_file")
    expect_error(gene_matrix("nowhere.gff"), "does not exist", class = "nucleograd_error_file")
    expect_error(gene_matrix(c("one/genes.gff", "two/genes.gff")), "a name of its own", class = "nucleograd_error_argument")
    expect_error(gene_matrix(1), class = "nucleograd_error_argument")
    nameless <- fixture_rows(gff_row("CDS", "ID=c1"))
    expect_message(found <- gene_matrix(nameless), "1 file of 1 names no gene")
    expect_identical(dim(found), c(1L, 0L))
})
