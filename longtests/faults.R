# longtests/faults.R: a batch meets what happens to batches: files that are missing or broken, a disk that is full, a folder that cannot be written.
# Each time the other genomes must finish, the failure must be listed with its reason, the command must end with status 1, and the same command
# once all is mended must end with the files of a batch that nothing happened to. Full and read-only disks are small ones of their own, which
# only root can make: skipped for others. tools/faults runs it.
suppressMessages(library(nucleograd))
base <- tempfile("faults")
dir.create(base)
set.seed(1)
genomes <- file.path(base, "genomes")
dir.create(genomes)
names <- paste0("g", 1:6)
gff <- c("##gff-version 3", sprintf("contig\tx\tCDS\t%d\t%d\t.\t+\t0\tID=c%d;gene=g%d", seq(101, 15101, 1000), seq(700, 15700, 1000), 1:16, 1:16))
path <- function(name, ending) file.path(genomes, paste0(name, ending))
for (k in seq_along(names)) {
    genome <- Biostrings::subseq(example_genome(), 40000 * k, width = 20000)                # all alike: sizes on a disk can be counted
    names(genome) <- "contig"
    Biostrings::writeXStringSet(genome, path(names[k], ".fna"))
    writeLines(gff, path(names[k], ".gff3"))
}
sheet <- file.path(base, "samples.tsv")
utils::write.table(data.frame(name = names, genome = path(names, ".fna"), annotation = path(names, ".gff3")), sheet, sep = "\t",
                   row.names = FALSE, quote = FALSE)
installed <- function(...) system.file(..., package = "nucleograd", mustWork = TRUE)
model <- installed("extdata/rrna16s.h5")

tracks <- "h5,bw,bedGraph"
batch_words <- function(results, given = model)
    c("batch", given, sheet, "--out", results, "--verbs", "predict,attribution,genes,knockout", "--step", "500", "--nodes", "2",
      "--tracks", tracks, "--quiet")
run <- function(results, given = model) {
    words <- tempfile()
    status <- suppressWarnings(system2(installed("exec/nucleograd"), shQuote(batch_words(results, given)), stdout = FALSE, stderr = words))
    list(status = status, words = paste(readLines(words), collapse = " "))
}
sums <- function(results) {
    files <- grep("^g[0-9]/.*[.](tsv|h5|bw|bedGraph)$", list.files(results, recursive = TRUE), value = TRUE)
    stats::setNames(unname(tools::md5sum(file.path(results, files))), files)
}
whole <- file.path(base, "whole")
stopifnot(run(whole)$status == 0)
expected <- sums(whole)
size <- sum(file.size(file.path(whole, names(expected)))) / length(names)

counts <- c(passed = 0, failed = 0, skipped = 0)
verdict <- function(what, checks) {
    wrong <- names(checks)[!checks]
    counts[c("passed", "failed")] <<- counts[c("passed", "failed")] + c(sum(checks), length(wrong))
    cat(sprintf("%-62s %s\n", what, if (length(wrong)) paste("FAIL:", paste(wrong, collapse = ", ")) else "ok"))
}
# What a batch in `results` that met something must have done.
met <- function(what, ran, results, reason, mend, failed = NULL) {
    force(ran)                                                       # before anything is looked at
    table <- as.data.frame(read_batch(results, genome_set(sheet)))
    bad <- table$status != "done"
    there <- sums(results)
    checks <- c("status is 1" = ran$status == 1, "reason listed" = any(bad) && all(grepl(reason, table$reason[bad])),
                "reason said" = grepl(reason, ran$words),
                "others finished" = if (is.null(failed)) !all(bad) else identical(table$name[bad], failed),
                "files whole" = identical(there, expected[names(there)]),
                "nothing unfinished" = !length(list.files(results, "^[.]unfinished", all.files = TRUE)))
    mend()
    again <- run(results)
    verdict(what, c(checks, "mended" = again$status == 0 && identical(sums(results), expected) && !length(list.files(results, "failed"))))
}
# A file of g3 is `damage()`d for a while.
damaged <- function(what, file, damage, reason) {
    kept <- tempfile()
    file.copy(file, kept)
    damage(file)
    results <- tempfile("results", base)
    met(what, run(results), results, reason, function() file.copy(kept, file, overwrite = TRUE), "g3")
}
damaged("a genome that is not there", path("g3", ".fna"), unlink, "g3[.]fna.*does not exist")
damaged("a genome without letters", path("g3", ".fna"), function(file) writeLines(">contig", file), "contig")
damaged("a genome of zero bytes", path("g3", ".fna"), function(file) file.create(file), "g3[.]fna|contig|sequence")
damaged("a genome that is no text", path("g3", ".fna"), function(file) writeBin(as.raw(sample(256, 1e4, TRUE) - 1), file), "g3[.]fna")
damaged("annotation that is not there", path("g3", ".gff3"), unlink, "g3[.]gff3.*does not exist")
damaged("annotation with words for numbers", path("g3", ".gff3"), function(file) writeLines(c(gff[1:5], "contig\tx\tCDS\tten\t20\t.\t+\t0\tID=a"), file), "g3[.]gff3")
damaged("annotation of another genome", path("g3", ".gff3"), function(file) writeLines(sub("^contig", "other", gff), file), "other|contig")
damaged("annotation cut off in a line", path("g3", ".gff3"), function(file) writeLines(c(gff[1:5], "contig\tx\tCDS"), file), "g3[.]gff3")

refused <- function(what, ran, reason) verdict(what, c("status is 1" = ran$status == 1, "reason said" = grepl(reason, ran$words)))
refused("a model that is not there", run(tempfile("results", base), file.path(base, "no.h5")), "no[.]h5")
broken <- file.path(base, "broken.h5")
writeBin(readBin(model, "raw", file.size(model) %/% 2), broken)
results <- tempfile("results", base)
ran <- run(results, broken)
refused("a model cut in half", ran, "broken[.]h5")

quietly <- function(...) suppressWarnings(system2(..., stdout = FALSE, stderr = FALSE)) == 0
disk <- file.path(base, "disk")
dir.create(disk)
resize <- function(...) quietly("mount", c("-o", shQuote(paste("remount", ..., sep = ",")), shQuote(disk)))
if (.Platform$OS.type == "unix" && quietly("mount", c("-t", "tmpfs", "-o", "size=100m", "tmpfs", shQuote(disk)))) {
    for (genomes_that_fit in c(0.2, 1.5, 2.8, 3.3, 3.9)) {
        results <- file.path(disk, paste0("full", genomes_that_fit))
        resize(sprintf("size=%.0f", genomes_that_fit * size))
        if (genomes_that_fit < 1) {
            ran <- run(results)
            refused("a disk that is full from the first genome on", ran, "cannot be written|No space|failed")
            verdict("... and leaves nothing that looks like a result", c("no files" = !length(sums(results))))
        } else {
            ran <- run(results)
            met(paste("a disk that holds", genomes_that_fit, "genomes"),
                ran, results, ".", function() resize("size=100m"))
        }
        resize("size=100m")
        unlink(results, recursive = TRUE)
    }
    results <- file.path(disk, "results")
    dir.create(results)
    resize("ro")
    refused("a folder that cannot be written", run(results), "results")
    resize("rw")
    system(paste("(", paste(shQuote(c(installed("exec/nucleograd"), batch_words(results))), collapse = " "), ">", file.path(base, "words"),
                 "2>&1; echo $? >", file.path(base, "status"), ")"), wait = FALSE)
    while (!dir.exists(file.path(results, "g2"))) Sys.sleep(0.01)
    while (!resize("ro")) Sys.sleep(0.001)                           # refused while a file is open for writing
    while (!file.exists(file.path(base, "status"))) Sys.sleep(0.1)
    Sys.sleep(0.1)
    ran <- list(status = as.integer(readLines(file.path(base, "status"))), words = paste(readLines(file.path(base, "words")), collapse = " "))
    table <- as.data.frame(read_batch(results, genome_set(sheet)))
    there <- sums(results)
    checks <- c("status is 1" = ran$status == 1, "reason said" = grepl("Read-only|cannot be|can be made", ran$words),
                "some finished" = any(table$status == "done"),
                "files whole" = identical(there, expected[names(there)]))
    resize("rw")
    again <- run(results)
    verdict("a folder that cannot be written from the middle on", c(checks, "mended" = again$status == 0 && identical(sums(results), expected)))
    invisible(quietly("umount", shQuote(disk)))
} else {
    counts["skipped"] <- 8
    cat("full and read-only disks: skipped, only root can make small ones\n")
}
unlink(base, recursive = TRUE)
cat(counts[["passed"]], "passed,", counts[["failed"]], "failed,", counts[["skipped"]], "skipped\n")
quit(status = min(counts[["failed"]], 1))
