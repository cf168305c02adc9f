# longtests/killed-batches.R [kills]: kills a batch with SIGKILL at random moments, again and again, lets it go on, and compares the results with
# those of a run that nobody disturbed. Prints a table; the last line counts.
#     R_LIBS=build/library Rscript longtests/killed-batches.R 100
suppressMessages(library(nucleograd))
kills <- as.integer(c(commandArgs(TRUE), 100)[1])
set.seed(1)
folder <- tempfile("genomes")
dir.create(folder)
for (k in 1:12) {
    genome <- Biostrings::subseq(example_genome(), 40000 * k, width = 20000 + 1000 * k)
    names(genome) <- "contig"
    Biostrings::writeXStringSet(genome, file.path(folder, paste0("g", k, ".fna")))
    writeLines(c("##gff-version 3", sprintf("contig\tx\tCDS\t%d\t%d\t.\t+\t0\tID=c%d;gene=g%d", seq(101, 15101, 1000), seq(700, 15700, 1000), 1:16, 1:16)),
               file.path(folder, paste0("g", k, ".gff3")))
}
script <- tempfile(fileext = ".R")
writeLines(c("suppressMessages(library(nucleograd))", "given <- commandArgs(TRUE)",
             "workers <- if (given[3] == 'multicore') BiocParallel::MulticoreParam(2)",
             "run_batch(genome_set(given[1]), given[2], system.file('extdata', 'rrna16s.h5', package = 'nucleograd'),",
             "    list(predict = list(step = 100), attribution = list(nodes = 5), genes = list(shifts = 20), knockout = list()), BPPARAM = workers)"), script)
start <- function(results, workers) {
    log <- tempfile()
    as.integer(system(paste("setsid", file.path(R.home("bin"), "Rscript"), shQuote(script), shQuote(folder), shQuote(results), workers, ">", log, "2>&1 & echo $!"),
                      intern = TRUE))
}
alive <- function(process) isTRUE(suppressWarnings(tools::pskill(process, 0)))
finish <- function(results, workers) {
    process <- start(results, workers)
    while (alive(process)) Sys.sleep(0.1)
}
sums <- function(results) {
    files <- grep("/.*[.](tsv|h5)$", list.files(results, recursive = TRUE), value = TRUE)
    stats::setNames(unname(tools::md5sum(file.path(results, files))), files)
}
whole <- tempfile("whole")
began <- proc.time()[["elapsed"]]
finish(whole, "session")
usual <- proc.time()[["elapsed"]] - began
expected <- sums(whole)
stopifnot(length(expected) == 48)
done <- 0
wrong <- 0
unfinished_seen <- 0
rounds <- 0
while (done < kills) {
    results <- tempfile("results")
    workers <- c("session", "multicore")[rounds %% 2 + 1]
    rounds <- rounds + 1
    while (done < kills) {
        process <- start(results, workers)
        Sys.sleep(stats::runif(1, 0.5 * usual, usual))
        if (!alive(process)) break
        system(paste0("kill -9 -", process))
        done <- done + 1
        while (alive(process)) Sys.sleep(0.05)
        unfinished_seen <- unfinished_seen + length(list.files(results, "^[.]unfinished", all.files = TRUE))
        there <- sums(results)                                                       # what is there is whole
        wrong <- wrong + sum(there != expected[names(there)])
    }
    finish(results, workers)
    found <- sums(results)
    wrong <- wrong + !identical(found, expected) + length(list.files(results, "^[.]unfinished", all.files = TRUE))
}
cat(sprintf("%-50s %d\n", c("kills", "runs that went on to the end", "unfinished folders that kills left", "wrong or lost results"),
            as.integer(c(done, rounds, unfinished_seen, wrong))), sep = "")
cat(rounds - min(wrong, rounds), "passed,", wrong, "failed, 0 skipped\n")
quit(status = min(wrong, 1))
