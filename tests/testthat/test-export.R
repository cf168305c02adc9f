scores <- list(a = c(NA, 0.5, 0.5, -2, NA, 0.25), b = c(1, 1, NA, 8))
attribution <- do.call(scored, scores)
written <- function(ending) {
    path <- tempfile(fileext = ending)
    rtracklayer::export(attribution, path)
    path
}

test_that("tracks hold every score and leave out what has none", {
    for (ending in c(".bw", ".bigWig", ".bedGraph", ".bg")) {
        format <- if (ending %in% c(".bw", ".bigWig")) "bw" else "bedGraph"
        track <- rtracklayer::import(written(ending), format = format)
        at <- function(contig) {
            here <- track[GenomeInfoDb::seqnames(track) == contig]
            values <- rep(NA_real_, length(scores[[contig]]))
            for (k in seq_along(here)) values[BiocGenerics::start(here)[k]:BiocGenerics::end(here)[k]] <- here$score[k]
            values
        }
        expect_identical(at("a"), scores$a)                       # all exact in 32 bits
        expect_identical(at("b"), scores$b)
    }
})

test_that("coercions give every base", {
    runs <- methods::as(attribution, "RleList")
    expect_identical(lapply(as.list(runs), as.numeric), scores)
    ranges <- methods::as(attribution, "GRanges")
    expect_identical(ranges$score, c(scores$a, scores$b))
    expect_identical(BiocGenerics::start(ranges), c(1:6, 1:4))
    expect_identical(GenomeInfoDb::seqlengths(ranges), c(a = 6L, b = 4L))
})

test_that("a file that cannot be written leaves nothing behind, and another ending is refused", {
    folder <- tempfile()
    dir.create(folder)
    dir.create(file.path(folder, "taken.bw"))
    writeLines("x", file.path(folder, "taken.bw", "inside"))
    suppressWarnings(expect_error(rtracklayer::export(attribution, file.path(folder, "taken.bw")), class = "nucleograd_error_file"))
    expect_identical(list.files(folder, recursive = TRUE), "taken.bw/inside")
    suppressWarnings(expect_error(rtracklayer::export(attribution, file.path(folder, "none", "x.bw")), class = "nucleograd_error_file"))
    expect_error(rtracklayer::export(attribution, file.path(folder, "x.wig")), "must be one path that ends in",
                 class = "nucleograd_error_argument")
    expect_error(rtracklayer::export(attribution, file.path(folder, "x.gff3")), "for a GFF3", class = "nucleograd_error_argument")
    expect_error(rtracklayer::export(attribution, file.path(folder, "x.bw"), annotation = features_on("a", 1, 2)), "for no other file",
                 class = "nucleograd_error_argument")
    skip_if_not_installed("rhdf5")
    suppressWarnings(expect_error(suppressMessages(rtracklayer::export(attribution, file.path(folder, "none", "x.h5"))),
                                  class = "nucleograd_error_file"))
})

test_that("a GFF3 has the mean score of each feature, and a dot where there is none", {
    genes <- features_on(c("a", "a", "b"), c(1, 5, 3), c(4, 5, 4), c("+", "-", "+"), locus_tag = c("one", "two", "three"), type = "CDS")
    path <- tempfile(fileext = ".gff3")
    expect_silent(rtracklayer::export(attribution, path, annotation = genes))
    read <- rtracklayer::import(path)
    expect_equal(read$score, c((0.5 + 0.5 - 2) / 3, NA, 8))
    expect_identical(read$locus_tag, genes$locus_tag)
    expect_identical(GenomicRanges::granges(read) == GenomicRanges::granges(genes), rep(TRUE, 3))
})

test_that("HDF5 gives the same attribution again, and others find four channels in it", {
    skip_if_not_installed("rhdf5")
    genome <- read_genome(text_file(c(">one long [topology=circular]", strrep("ACGTTGCANN", 6), ">two", strrep("GATTACA", 8))))
    model <- model_from(toy_network(c(20, 4), flatten(), dense(random_array(c(80, 1), 1))))
    scores <- attribution(model, genome, nodes = 3, step = 7)
    path <- tempfile(fileext = ".h5")
    rtracklayer::export(scores, path)
    Sys.sleep(1.1)                                                    # a time of writing would tell the files apart
    expect_identical(unname(tools::md5sum(suppressMessages(rtracklayer::export(scores, tempfile(fileext = ".h5"))))), unname(tools::md5sum(path)))
    again <- read_attribution(path)
    expect_identical(again@scores, scores@scores)
    expect_identical(again@settings, scores@settings)
    expect_identical(as.character(again@genome), as.character(genome))
    expect_identical(genome_seqinfo(again@genome), genome_seqinfo(genome))
    expect_identical(as.data.frame(again@windows), as.data.frame(scores@windows))
    expect_output(print(again), "integrated gradients")
    several <- attribution(model, genome, baseline = "shuffle", replicates = 2, nodes = 1, seed = 3)
    rtracklayer::export(several, path)
    expect_identical(read_attribution(path)@errors, several@errors)
    expect_identical(read_attribution(path)@settings, several@settings)
    rtracklayer::export(scores, path)
    piece <- rhdf5::h5read(path, "contig_2/scores", index = list(NULL, 11:20))
    expect_identical(t(piece), unname(scores@scores$two[11:20, ]))

    long <- scores                                                                       # written some 131,072 bases at a time
    long@genome <- random_genome(140000)
    long@scores <- stats::setNames(list(matrix(as.numeric(1:560000), ncol = 4, dimnames = dimnames(scores@scores$two))), names(long@genome))
    long@windows <- GenomicRanges::GRanges(names(long@genome), IRanges::IRanges(1, 20), gap = 0)
    rtracklayer::export(long, path)
    expect_identical(read_attribution(path)@scores, long@scores)

    rtracklayer::export(attribution, path)                                              # replaced, with NA and without windows
    expect_identical(read_attribution(path)@scores, attribution@scores)
    for (other in list(text_file("no HDF5", ".h5"), fixture_model("formats", "latest")))
        expect_error(read_attribution(other), "that `?export", class = "nucleograd_error_file")
})
