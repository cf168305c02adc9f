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
})
