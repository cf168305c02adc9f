# longtests/killed-batches.R [kills [way,...]]: kills a batch with SIGKILL at random moments, again and again, lets it go on, and compares
# the results with those of a run that nobody disturbed. Prints a table; the last line counts. Batches run in a session and in forked workers, and, where a Slurm
# answers (eval "$(tools/slurm-here)"), as jobs of BatchtoolsParam and as an array of the command line; there a kill is that of the session
# that submits, scancel, or that of a worker.
#     R_LIBS=build/library Rscript longtests/killed-batches.R 100
suppressMessages(library(nucleograd))
kills <- as.integer(c(commandArgs(TRUE), 100)[1])
set.seed(1)
folder <- tempfile("genomes", getwd())                               # where all processes of a cluster see it
dir.create(folder)
for (k in 1:12) {
    genome <- Biostrings::subseq(example_genome(), 40000 * k, width = 20000 + 1000 * k)
    names(genome) <- "contig"
    Biostrings::writeXStringSet(genome, file.path(folder, paste0("g", k, ".fna")))
    writeLines(c("##gff-version 3", sprintf("contig\tx\tCDS\t%d\t%d\t.\t+\t0\tID=c%d;gene=g%d", seq(101, 15101, 1000),
                                            seq(700, 15700, 1000), 1:16, 1:16)),
               file.path(folder, paste0("g", k, ".gff3")))
}
profile <- file.path(folder, "profile.R")                            # every part of a genome is kept, not only what took half a minute
writeLines("options(nucleograd.keep_seconds = 0)", profile)
Sys.setenv(R_PROFILE_USER = profile)
installed <- function(...) system.file(..., package = "nucleograd", mustWork = TRUE)
model <- installed("extdata/rrna16s.h5")
script <- file.path(folder, "batchtools.R")
writeLines(c("suppressMessages(library(nucleograd))", "given <- commandArgs(TRUE)",
             "registry <- BiocParallel::batchtoolsRegistryargs(file.dir = tempfile('registry', given[1]))",
             sprintf("jobs <- BiocParallel::BatchtoolsParam(2, 'slurm', registry, template = '%s')", installed("slurm/batchtools.tmpl")),
             sprintf("run_batch(genome_set(given[1]), given[2], '%s', BPPARAM = jobs,", model),
             "    verbs = list(predict = list(step = 100), attribution = list(step = 100, nodes = 5), genes = list(), knockout = list(step = 100)))"), script)
batch_command <- function(results, ...)
    paste(installed("exec/nucleograd"), "batch", model, folder, "--out", results,
          "--verbs predict,attribution,genes,knockout --step 100 --nodes 5 --quiet", ...)
command <- function(way, results) switch(way,
    session = batch_command(results),
    multicore = batch_command(results, "--workers 2"),
    array = paste("sh -c", shQuote(paste("sbatch --quiet --array=1-2 --output=/dev/null --wrap",                 # sbatch --wait looks every ten seconds
        shQuote(batch_command(results, "--share $SLURM_ARRAY_TASK_ID/2")), "; while [ -n \"$(squeue --noheader --user=$(id -un))\" ]; do sleep 0.2; done"))),
    batchtools = paste(file.path(R.home("bin"), "Rscript"), script, folder, results))
said <- function(...) suppressWarnings(system(paste(..., "2>/dev/null"), intern = TRUE))
slurm <- nzchar(Sys.which("sinfo")) && length(said("sinfo --noheader"))
ways <- c("session", "multicore", if (slurm) c("array", "batchtools"))
if (length(commandArgs(TRUE)) > 1) ways <- intersect(ways, strsplit(commandArgs(TRUE)[2], ",")[[1]])

start <- function(way, results) as.integer(said("setsid", command(way, results), ">", tempfile(), "2>&1 & echo $!"))
alive <- function(process) isTRUE(suppressWarnings(tools::pskill(process, 0)))
wait_for <- function(process) while (alive(process)) Sys.sleep(0.05)
jobs <- function() if (slurm) said("squeue --noheader --user=$(id -un) --format=%A")
finish <- function(way, results) {
    wait_for(start(way, results))
    while (length(jobs())) Sys.sleep(0.1)                            # those of a session that was killed
}
# Whether there was something to kill.
kill_one <- function(way, process) {
    killed <- TRUE
    how <- if (way %in% c("array", "batchtools")) sample(c("session", "scancel", "worker"), 1) else "session"
    if (how == "session") said("kill -9", -process)
    if (how == "scancel") for (job in jobs()) said("scancel", job)
    if (how == "worker") {
        workers <- sub(" .*", "", trimws(unlist(lapply(jobs(), function(job) said("scontrol listpids", job))))[-1])
        workers <- setdiff(workers, c("-1", "PID"))
        killed <- length(workers) > 0                                # not between two jobs
        if (killed) said("kill -9", sample(workers, 1))
    }
    wait_for(process)
    killed
}
sums <- function(results) {
    files <- grep("^[^.].*/.*[.](tsv|h5)$", list.files(results, recursive = TRUE), value = TRUE)
    stats::setNames(unname(tools::md5sum(file.path(results, files))), files)
}
left <- function(results) length(list.files(results, "^[.]unfinished", all.files = TRUE))

all_files <- 12 * 4                                                  # of genomes, each of a verb
expected <- NULL
counts <- NULL
for (way in ways) {
    whole <- tempfile("whole", folder)
    began <- proc.time()[["elapsed"]]
    process <- start(way, whole)
    while (alive(process) && length(sums(whole)) < all_files) Sys.sleep(0.1)
    usual <- proc.time()[["elapsed"]] - began                        # until the results are there
    finish(way, whole)
    if (is.null(expected)) expected <- sums(whole)
    found <- c(kills = 0, runs = 0, unfinished = 0, wrong = !identical(sums(whole), expected) + (length(expected) != all_files))
    while (found[["kills"]] < ceiling(kills / length(ways))) {
        results <- tempfile("results", folder)
        undisturbed <- TRUE
        repeat {
            moment <- stats::runif(1, 0.3, 1)
            began <- proc.time()[["elapsed"]]
            process <- start(way, results)
            elapsed <- function() proc.time()[["elapsed"]] - began
            while (alive(process) && elapsed() < moment * usual && length(sums(results)) < all_files) Sys.sleep(0.05)
            if (!alive(process) || length(sums(results)) == all_files) {
                if (undisturbed) usual <- min(usual, elapsed())      # the machine is less busy than at first
                break
            }
            undisturbed <- FALSE
            killed <- kill_one(way, process)
            found[["unfinished"]] <- found[["unfinished"]] + left(results)
            there <- sums(results)                                   # what is there is whole
            found[["kills"]] <- found[["kills"]] + (killed && length(there) < length(expected))
            found[["wrong"]] <- found[["wrong"]] + sum(there != expected[names(there)])
        }
        finish(way, results)
        found[["runs"]] <- found[["runs"]] + 1
        found[["wrong"]] <- found[["wrong"]] + !identical(sums(results), expected) + left(results)
        unlink(results, recursive = TRUE)
    }
    cat(sprintf("%-11s %3d kills, %2d runs that went on to the end, %2d unfinished folders that kills left, %d wrong or lost results, %.0f s undisturbed\n",
                way, as.integer(found[["kills"]]), as.integer(found[["runs"]]), as.integer(found[["unfinished"]]),
                as.integer(found[["wrong"]]), usual))
    counts <- rbind(counts, found)
}
unlink(folder, recursive = TRUE)
wrong <- sum(counts[, "wrong"])
cat(max(0, sum(counts[, "runs"]) - wrong), "passed,", wrong, "failed, 0 skipped\n")
quit(status = min(wrong, 1))
