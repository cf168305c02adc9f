example <- function(name) system.file("extdata", name, package = "nucleograd")
piece <- tempfile(fileext = ".fasta")
Biostrings::writeXStringSet(Biostrings::subseq(example_genome(), 853001, 857000), piece)
rows <- tempfile(fileext = ".gff")
writeLines(c("##gff-version 3", paste("CHLTCG", "x", "rRNA", c(1127, 3001), c(2675, 3500), ".", "+", ".", c("ID=1;gene=rrs", "ID=2;gene=rrl"), sep = "\t")), rows)

# Status, and what was said: on the standard output and, in the process of its own, on the standard error.
run <- function(...) {
    out <- utils::capture.output(status <- command_line(c(...)))
    list(status = status, out = out)
}
run_script <- function(...) {
    said <- tempfile()
    out <- suppressWarnings(system2(file.path(R.home("bin"), "Rscript"), shQuote(c(system.file("exec", "nucleograd", package = "nucleograd"), ...)), stdout = TRUE, stderr = said))
    list(status = c(attr(out, "status"), 0L)[1], out = c(out), said = readLines(said))
}

test_that("predict writes what predict() gives, to a file or the standard output", {
    expected <- predict(example_model(), read_genome(piece), step = 250)
    file <- tempfile(fileext = ".tsv")
    expect_identical(run("predict", example("rrna16s.h5"), piece, "--step", "250", "--out", file, "--quiet")$status, 0L)
    table <- utils::read.delim(file)
    expect_identical(table$start, BiocGenerics::start(expected))
    expect_equal(table$rrna16s, expected$rrna16s)
    ran <- run_script("predict", example("rrna16s.h5"), piece, "--step=250")
    expect_identical(ran$status, 0L)
    expect_identical(ran$out, readLines(file))
    expect_match(ran$said, "Read 1 contig, 4,000 bp", all = FALSE)
})

test_that("attribute, genes and report write what the verbs give", {
    model <- example_model()
    scores <- attribution(model, read_genome(piece), nodes = 5)
    track <- tempfile(fileext = ".bedGraph")
    expect_identical(run("attribute", example("rrna16s.h5"), piece, "--nodes=5", "--out", track, "--quiet")$status, 0L)
    again <- tempfile(fileext = ".bedGraph")
    rtracklayer::export(scores, again)
    expect_identical(readLines(track), readLines(again))
    ran <- run("genes", example("rrna16s.h5"), piece, rows, "--nodes=5", "--type", "rRNA", "--quiet")
    expect_identical(ran$status, 0L)
    table <- utils::read.delim(text = ran$out, check.names = FALSE)
    expect_identical(table$Gene, as.data.frame(gene_quantiles(scores, read_annotation(rows, read_genome(piece)), "rRNA"))$Gene)
    skip_if_not_installed("DT")
    skip_if_not(rmarkdown::pandoc_available("2.0"))
    page <- tempfile(fileext = ".html")
    expect_identical(run("report", example("rrna16s.h5"), piece, rows, "--nodes=5", "--title", "Mine", "--out", page, "--quiet")$status, 0L)
    expect_match(paste(readLines(page, warn = FALSE), collapse = ""), "<title>Mine</title>")
})

test_that("help is for every command, and names every option that it takes", {
    expect_identical(run("--help")$status, 0L)
    expect_identical(run()$status, 2L)
    expect_identical(run("--version")$out, as.character(utils::packageVersion("nucleograd")))
    for (command in c("predict", "attribute", "genes", "report")) {
        ran <- run(command, "--help")
        expect_identical(ran$status, 0L)
        for (option in command_table[[command]]$options) expect_match(ran$out, paste0("--", option), all = FALSE)
    }
    expect_identical(run_script("--help")[c("status", "out")], run("--help"))
})

test_that("a command that is not understood ends with 2, work that fails with 1, both in words on the standard error", {
    ran <- run_script("sing")
    expect_identical(ran$status, 2L)
    expect_identical(ran$said, c("There is no command sing.", "Try: nucleograd --help"))
    status <- function(...) suppressMessages({utils::capture.output(found <- run(...)$status, type = "message"); found})
    expect_identical(status("predict", "one"), 2L)
    expect_identical(status("predict", "a", "b", "--nodes", "5"), 2L)
    expect_identical(status("predict", "a", "b", "--step", "many"), 2L)
    expect_identical(status("predict", "a", "b", "--step"), 2L)
    expect_identical(status("attribute", "a", "b"), 2L)
    ran <- run_script("predict", "nowhere.h5", piece)
    expect_identical(ran$status, 1L)
    expect_match(ran$said, "nowhere.h5", all = FALSE)
    expect_length(ran$out, 0)
})

test_that("batch runs a folder of genomes, a share at a time, and ends with 1 if one failed", {
    folder <- tempfile("genomes")
    dir.create(folder)
    for (k in 1:3) Biostrings::writeXStringSet(Biostrings::subseq(example_genome(), 1000 * k, width = 1500), file.path(folder, paste0("g", k, ".fna")))
    results <- tempfile("results")
    status <- function(...) suppressMessages(run("batch", example("rrna16s.h5"), folder, "--out", results, "--verbs", "predict,attribution",
                                                 "--nodes=2", "--tracks=bedGraph", "--quiet", ...))$status
    utils::capture.output(expect_identical(status("--share", "2/2"), 0L), type = "message")
    expect_identical(read_batch(results)@genomes$name, "g2")
    writeLines(">broken", file.path(folder, "g4.fna"))
    workers <- if (parallel::detectCores() > 1 && requireNamespace("BiocParallel", quietly = TRUE)) "2" else "1"
    ran <- run_script("batch", example("rrna16s.h5"), folder, "--out", results, "--verbs", "predict,attribution", "--nodes=2", "--tracks=bedGraph",
                      "--workers", workers)
    expect_identical(ran$status, 1L)
    expect_match(ran$said, "1 of 4 genomes failed", all = FALSE)
    expect_identical(read_batch(results)@genomes$status, c("done", "done", "done", "failed"))
    expect_setequal(list.files(file.path(results, "g1")), c("attribution.bedGraph", "manifest.json", "predictions.tsv"))
    utils::capture.output({
        expect_identical(status("--verbs", "paint"), 2L)
        expect_identical(status("--share", "x"), 2L)
    }, type = "message")
})
