# Batches of genomes: what is written, what is kept, what fails alone.

batch_folder <- function(count = 3) {
    folder <- tempfile("genomes")
    dir.create(folder)
    for (k in seq_len(count)) {
        genome <- random_genome(900 + 10 * k, seed = k)
        names(genome) <- "contig"
        Biostrings::writeXStringSet(genome, file.path(folder, paste0("g", k, ".fna")))
        writeLines(c("##gff-version 3", sprintf("contig\tx\tCDS\t%d\t%d\t.\t+\t0\tID=c%d;locus_tag=c%d;gene=%s", c(11, 301, 601), c(250, 550, 850), 1:3, 1:3,
                                                c("aaaA_1", "bbbB", "cccC"))), file.path(folder, paste0("g", k, ".gff3")))
    }
    folder
}

batch_model <- system.file("extdata", "rrna16s.h5", package = "nucleograd")
batch_verbs <- list(predict = list(step = 100), attribution = list(nodes = 2), genes = list(shifts = 10), knockout = list())
quiet_batch <- function(...) suppressMessages(run_batch(...))
file_sums <- function(directory) {
    files <- list.files(directory, "[.](tsv|h5|bw|bedGraph)$", recursive = TRUE)
    files <- files[grepl("/", files)]
    stats::setNames(unname(tools::md5sum(file.path(directory, files))), files)
}

test_that("genomes of a folder find their annotation, and sheets say more", {
    folder <- batch_folder()
    set <- genome_set(folder)
    expect_identical(names(set), c("g1", "g2", "g3"))
    expect_identical(basename(as.data.frame(set)$annotation), c("g1.gff3", "g2.gff3", "g3.gff3"))
    expect_identical(names(set[c("g3", "g1")]), c("g3", "g1"))
    expect_error(set["g9"], "g9", class = "nucleograd_error_argument")
    sheet <- file.path(folder, "samples.tsv")
    utils::write.table(data.frame(name = c("x", "y"), genome = c("g1.fna", "g2.fna"), spores = c(TRUE, FALSE)), sheet, sep = "\t", row.names = FALSE)
    from_sheet <- as.data.frame(genome_set(sheet))
    expect_identical(from_sheet$genome, file.path(folder, c("g1.fna", "g2.fna")))
    expect_identical(from_sheet$annotation, c(NA_character_, NA_character_))
    expect_identical(from_sheet$spores, c(TRUE, FALSE))
    expect_output(print(set), "3 genomes, 3 with annotation")
    file.copy(file.path(folder, "g1.gff3"), file.path(folder, "g1.prokka.gff"))
    expect_error(genome_set(folder), "g1.prokka.gff", class = "nucleograd_error_file")
    expect_error(genome_set(data.frame(name = c("a", "a"), genome = "b")), "twice", class = "nucleograd_error_argument")
    expect_error(genome_set(data.frame(name = "../a", genome = "b")), "folder", class = "nucleograd_error_argument")
    expect_error(genome_set(data.frame(file = "b")), "genome", class = "nucleograd_error_argument")
    expect_error(genome_set(tempdir(), "nowhere"), "must be a folder", class = "nucleograd_error_file")
})

test_that("results of a genome are those of the verbs", {
    skip_if_not_installed("rhdf5")
    set <- genome_set(batch_folder(1))
    results <- tempfile("results")
    batch <- quiet_batch(set, results, batch_model, batch_verbs, tracks = c("h5", "bedGraph"))
    expect_identical(batch@genomes$status, "done")
    expect_setequal(batch@files$file, c("predictions.tsv", "attribution.h5", "attribution.bedGraph", "genes.tsv", "knockout.tsv"))
    model <- example_model()
    genome <- read_genome(as.data.frame(set)$genome)
    scores <- attribution(model, genome, nodes = 2)
    expect_identical(read_attribution(file.path(results, "g1", "attribution.h5"))@scores, scores@scores)
    expect_equal(batch@genomes$gap, relative_gap(scores@windows))
    table <- utils::read.delim(file.path(results, "g1", "genes.tsv"), check.names = FALSE)
    expected <- as.data.frame(gene_quantiles(scores, read_annotation(as.data.frame(set)$annotation, genome), shifts = 10, seed = 1))
    expect_equal(table$mean, expected$mean)
    expect_equal(table$p_value, expected$p_value)
    expect_equal(utils::read.delim(file.path(results, "g1", "predictions.tsv"))[[6]],
                 S4Vectors::mcols(predict(model, genome, step = 100))[[1]], tolerance = 1e-12)
    expect_identical(read_batch(results, verify = TRUE)@files, batch@files)
    genes <- batch_genes(batch)
    expect_identical(rownames(genes), c("aaaA", "bbbB", "cccC"))
    expect_equal(sort(SummarizedExperiment::assay(genes, "mean")[, 1]), sort(stats::setNames(expected$mean, sub("_1", "", expected$Gene))))
    effects <- SummarizedExperiment::assay(batch_genes(batch, "locus_tag", "knockout"), "effect")[, 1]
    expected <- knockout(model, genome, read_annotation(as.data.frame(set)$annotation, genome))
    expect_equal(effects, stats::setNames(expected$effect, expected$locus_tag))
    predictions <- batch_predictions(batch)
    scored <- S4Vectors::mcols(predict(model, genome, step = 100))[[1]]
    expect_equal(SummarizedExperiment::assay(predictions, "mean"), matrix(mean(scored), 1, dimnames = list("rrna16s", "g1")), tolerance = 1e-12)
    expect_equal(SummarizedExperiment::assay(predictions, "highest")[[1]], max(scored), tolerance = 1e-12)
    writeLines("changed", file.path(results, "g1", "genes.tsv"))
    expect_error(read_batch(results, verify = TRUE), "genes.tsv", class = "nucleograd_error_file")
})

test_that("a batch goes on where it was, to the same bits, whatever the workers", {
    skip_if_not_installed("rhdf5")
    set <- genome_set(batch_folder(3))
    whole <- tempfile("results")
    batch <- quiet_batch(set, whole, batch_model, batch_verbs)
    parts <- tempfile("results")
    quiet_batch(set[2], parts, batch_model, batch_verbs)
    kept <- file.info(file.path(parts, "g2", "genes.tsv"))$ino
    here <- Sys.info()[["nodename"]]
    left <- file.path(parts, paste(".unfinished", c("g3", "g3", "g3", "g2"), c(here, here, "elsewhere", "elsewhere"), c(4194305, Sys.getpid(), 1, 1), sep = "@"))
    for (folder in left) dir.create(folder)
    first <- quiet_batch(set, parts, batch_model, batch_verbs, share = c(1, 2))
    expect_identical(first@genomes[1:2], data.frame(name = c("g1", "g3"), status = "done"))
    expect_identical(dir.exists(left), c(FALSE, FALSE, TRUE, TRUE))                                    # no process has the first number; ours made g3
    quiet_batch(set, parts, batch_model, batch_verbs)
    expect_identical(dir.exists(left), rep(FALSE, 4))                                                  # what is done needs no finishing
    expect_identical(file_sums(parts), file_sums(whole))
    expect_identical(file.info(file.path(parts, "g2", "genes.tsv"))$ino, kept)
    skip_if_not_installed("BiocParallel")
    workers <- tempfile("results")
    several <- quiet_batch(set, workers, batch_model, batch_verbs, BPPARAM = BiocParallel::MulticoreParam(2))
    expect_identical(several@genomes$status, rep("done", 3))
    expect_identical(file_sums(workers), file_sums(whole))
    expect_identical(several@files, batch@files)
})

test_that("an interrupted genome keeps what it found in windows", {
    folder <- batch_folder(1)
    set <- genome_set(folder)
    verbs <- list(predict = list(step = 100), attribution = list(nodes = 2, strand = "both", step = 250), knockout = list())
    whole <- tempfile("results")
    quiet_batch(set, whole, batch_model, verbs, tracks = "bedGraph")
    annotation <- file.path(folder, "g1.gff3")
    good <- readLines(annotation)
    interrupted <- function() {                                      # after the verbs before the knock-outs: these find no genes
        results <- tempfile("results")
        writeLines(sub("CDS", "region", good), annotation)
        options(nucleograd.keep_seconds = 0)
        batch <- quiet_batch(set, results, batch_model, verbs, tracks = "bedGraph")
        options(nucleograd.keep_seconds = NULL)
        expect_match(batch@genomes$reason, "CDS")
        writeLines(good, annotation)
        results
    }
    goes_on <- function(results) {
        expect_identical(quiet_batch(set, results, batch_model, verbs, tracks = "bedGraph")@genomes$status, "done")
        expect_identical(list.files(results, "^[.]", all.files = TRUE, no.. = TRUE), character())
        file_sums(results)
    }
    results <- interrupted()
    parts <- list.files(file.path(results, ".kept@g1"), full.names = TRUE)
    expect_length(parts, 3)                                          # windows predicted, windows attributed on each strand
    expect_identical(goes_on(results), file_sums(whole))

    # They are what a second call reads: one that says something else is believed, one that is cut short is not.
    results <- interrupted()
    for (part in list.files(file.path(results, ".kept@g1"), full.names = TRUE)) {
        found <- readRDS(part)
        if (length(found) == 1) saveRDS(list(found[[1]] + 1), part)
    }
    other <- goes_on(results)
    expect_identical(names(other)[other != file_sums(whole)], "g1/predictions.tsv")
    results <- interrupted()
    for (part in list.files(file.path(results, ".kept@g1"), full.names = TRUE)) writeBin(readBin(part, "raw", 40), part)
    expect_identical(goes_on(results), file_sums(whole))
})

test_that("deletions of an interrupted genome are kept contig by contig", {
    work <- nucleograd:::kept_work
    work$folder <- tempfile("kept")
    before <- options(nucleograd.keep_seconds = 0)
    on.exit({
        work$folder <- work$asked <- NULL
        options(before)
    })
    genome <- Biostrings::DNAStringSet(list(a = Biostrings::subseq(example_genome()[[1]], 1, 2000), b = Biostrings::subseq(example_genome()[[1]], 5001, 7000)))
    regions <- GenomicRanges::GRanges(c("a", "b", "a"), IRanges::IRanges(c(100, 300, 900), width = 60))
    effect <- function() S4Vectors::mcols(knockout(example_model(), genome, regions, "deletion"))
    first <- effect()
    parts <- list.files(work$folder, full.names = TRUE)
    expect_length(parts, 2)
    expect_identical(effect(), first)
    for (part in parts) saveRDS(readRDS(part) + c(0, 1, 0), part)     # what a second call reads
    expect_equal(effect()$changed, first$changed + 1)
    work$asked <- "something else"
    expect_identical(effect(), first)
})

test_that("a genome that fails does so alone, and can be mended", {
    folder <- batch_folder(4)
    writeLines("contig\tx\tCDS\tten\t20", file.path(folder, "g2.gff3"))
    unlink(file.path(folder, "g3.fna"))
    table <- data.frame(genome = file.path(folder, paste0("g", 1:4, ".fna")), annotation = file.path(folder, paste0("g", 1:4, ".gff3")))
    set <- genome_set(table)
    results <- tempfile("results")
    verbs <- list(attribution = list(nodes = 1), genes = list(shifts = 5))
    batch <- quiet_batch(set, results, batch_model, verbs, tracks = character())
    expect_identical(batch@genomes$status, c("done", "failed", "failed", "done"))
    expect_match(batch@genomes$reason[2], "g2.gff3")
    expect_match(batch@genomes$reason[3], "does not exist")
    expect_output(print(batch), "2 done, 2 failed, 0 open")
    expect_identical(list.files(results, "^[.]unfinished@", all.files = TRUE), character())
    file.copy(file.path(folder, "g1.gff3"), file.path(folder, "g2.gff3"), overwrite = TRUE)
    expect_identical(quiet_batch(set, results, batch_model, verbs, tracks = character())@genomes$status, c("done", "done", "failed", "done"))
    expect_identical(read_batch(results)@genomes$name, c("g1", "g2", "g3", "g4"))
    expect_error(run_batch(set, results, batch_model, list(attribution = list(nodes = 2)), tracks = character()), "other settings",
                 class = "nucleograd_error_file")
})

test_that("what a batch cannot do is said before it begins", {
    set <- genome_set(batch_folder(1))
    refuse <- function(..., class = "argument") expect_error(run_batch(...), class = paste0("nucleograd_error_", class))
    refuse(1, tempfile(), batch_model)
    refuse(set, tempfile(), "no.h5", class = "file")
    refuse(set, tempfile(), batch_model, list(paint = list()))
    refuse(set, tempfile(), batch_model, list(predict = list(stepp = 1)))
    refuse(set, tempfile(), batch_model, list(genes = list()))
    refuse(set, tempfile(), batch_model, tracks = "wig")
    refuse(set, tempfile(), batch_model, share = c(3, 2))
    refuse(set, tempfile(), batch_model, BPPARAM = BiocParallel::SnowParam(parallel::detectCores() + 1))
    refuse(set, file.path(list.files(R.home(), full.names = TRUE)[1], "x"), batch_model, class = "file")
    refuse(genome_set(data.frame(genome = "x.fna")), tempfile(), batch_model)
    expect_error(read_batch("nowhere"), class = "nucleograd_error_file")
    expect_error(batch_predictions(new("Batch", directory = tempdir())), "predictions.tsv", class = "nucleograd_error_file")
    expect_error(batch_genes(quiet_batch(set, tempfile(), batch_model, list(predict = list()))), "genes.tsv", class = "nucleograd_error_file")
})

test_that("workers times threads are no more than the processors", {
    skip_if_not_installed("BiocParallel")
    with_slurm <- function(cpus, code) {
        old <- Sys.getenv("SLURM_CPUS_PER_TASK", NA)
        on.exit(if (is.na(old)) Sys.unsetenv("SLURM_CPUS_PER_TASK") else Sys.setenv(SLURM_CPUS_PER_TASK = old))
        Sys.setenv(SLURM_CPUS_PER_TASK = cpus)
        code
    }
    threads <- function(BPPARAM, threads = NULL, cpus = 2) with_slurm(cpus, worker_threads(threads, BPPARAM))
    expect_identical(threads(BiocParallel::SnowParam(2)), 1)
    expect_identical(threads(BiocParallel::MulticoreParam(1)), 1)
    expect_identical(threads(BiocParallel::SnowParam(1), 1024), as.numeric(thread_count(2)))
    expect_error(threads(BiocParallel::SnowParam(2), cpus = 1), "at most 1 worker", class = "nucleograd_error_argument")
    expect_null(threads(NULL))
    skip_if_not_installed("batchtools")
    expect_identical(threads(BiocParallel::BatchtoolsParam(2, cluster = "socket")), 1)
    expect_null(threads(suppressMessages(BiocParallel::BatchtoolsParam(8, cluster = "slurm"))))                         # each job counts its own
})

test_that("jobs of a cluster need to know whose they are", {
    skip_if_not_installed("batchtools")
    user <- Sys.getenv("USER", NA)
    on.exit(if (is.na(user)) Sys.unsetenv("USER") else Sys.setenv(USER = user))
    jobs <- suppressMessages(BiocParallel::BatchtoolsParam(2, cluster = "slurm"))
    results <- tempfile("results")
    Sys.setenv(USER = "")
    expect_error(run_batch(genome_set(batch_folder(1)), results, batch_model, batch_verbs, BPPARAM = jobs), "USER", class = "nucleograd_error_argument")
    expect_identical(list.files(results, all.files = TRUE, no.. = TRUE), character())
    expect_null(check_user(BiocParallel::SnowParam(2)))
    expect_null(check_user(suppressMessages(BiocParallel::BatchtoolsParam(2, cluster = "socket"))))
    Sys.setenv(USER = "somebody")
    expect_null(check_user(jobs))
})
