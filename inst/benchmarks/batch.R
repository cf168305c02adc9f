# inst/benchmarks/batch.R: many genomes through the embedded network and the gene report, in different ways: equal files, times, disk, memory.
# The genomes are those of shared/data if the folder is there (the environment variable NUCLEOGRAD_DATA, or shared/data beside the repository or
# one level above), else eight of letters from a formula. Their annotation is every open reading frame of 300 bases or more of one strand.
# Arguments: which genomes (as in 1-8; default all); which ways, of one, threads, multicore, snow, slurm (where one answers, see
# tools/slurm-here), array, size; a folder that keeps the results, so that calls for some of them add up and are compared with each other.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("architectures.R", "report.R")) source(file.path(here, file))
options(cli.progress_show_after = Inf, width = 200)
given <- commandArgs(TRUE)
folder <- if (length(given) > 2) given[3] else tempfile("batch", getwd())              # where the processes of a cluster see it too
dir.create(folder, showWarnings = FALSE, recursive = TRUE)
folder <- normalizePath(folder)

places <- c(Sys.getenv("NUCLEOGRAD_DATA", NA), file.path(here, "../../..", c("shared/data", "../shared/data")))
files <- Sys.glob(file.path(places[!is.na(places)], "genomes", "*.fna.gz"))
if (!length(files)) {
    files <- file.path(folder, paste0("formula_", 1:8, ".fna"))
    for (k in 1:8) if (!file.exists(files[k])) Biostrings::writeXStringSet(formula_genome(1e6 + k * 1e5), files[k])
}
range <- if (length(given)) as.numeric(strsplit(given[1], "-", fixed = TRUE)[[1]]) else c(1, Inf)
files <- files[seq(range[1], min(range[length(range)], length(files)))]

# Stretches between stop codons of the forward strand, of at least 300 bases.
reading_frames <- function(genome) {
    do.call(c, lapply(names(genome), function(contig) {
        stops <- sort(unlist(lapply(c("TAA", "TAG", "TGA"), function(codon) BiocGenerics::start(Biostrings::matchPattern(codon, genome[[contig]])))))
        found <- lapply(0:2, function(frame) {
            here <- stops[stops %% 3 == frame]
            data.frame(start = here[-length(here)] + 3, end = here[-1] + 2)
        })
        found <- do.call(rbind, found)
        found <- found[found$end - found$start > 299, ]
        if (nrow(found)) GenomicRanges::GRanges(contig, IRanges::IRanges(found$start, found$end), "+", type = "CDS", source = "frames",
                                                locus_tag = paste0(contig, "_", seq_len(nrow(found)))) else GenomicRanges::GRanges()
    }))
}
gffs <- file.path(folder, sub("[.]fna([.]gz)?$", ".gff3", basename(files)))
for (k in which(!file.exists(gffs))) suppressWarnings(rtracklayer::export(reading_frames(read_genome(files[k])), gffs[k], format = "gff3"))
set <- genome_set(data.frame(genome = files, annotation = gffs))

model <- system.file("extdata", "rrna16s.h5", package = "nucleograd")
verbs <- list(attribution = list(nodes = 10), genes = list(shifts = 100))
slurm <- nzchar(Sys.which("sinfo")) && length(suppressWarnings(system("sinfo --noheader 2>/dev/null", intern = TRUE)))
slurm_jobs <- function(n) {
    registry <- BiocParallel::batchtoolsRegistryargs(file.dir = tempfile("registry", folder))
    BiocParallel::BatchtoolsParam(n, "slurm", registry, template = system.file("slurm/batchtools.tmpl", package = "nucleograd"))
}
# The results of a way are in a folder of its own; what an earlier call made is kept.
run <- function(way, ...) run_batch(set, file.path(folder, way), model, verbs, tracks = character(), ...)
array_of <- function(n) {
    script <- file.path(folder, "share.R")
    writeLines(c("suppressMessages(library(nucleograd))", paste0("set <- new(\"GenomeSet\", table = ", paste(deparse(as.data.frame(set)), collapse = " "), ")"),
                 paste("verbs <-", paste(deparse(verbs), collapse = " ")),
                 sprintf("run_batch(set, '%s', '%s', verbs, tracks = character(), share = c(as.numeric(Sys.getenv('SLURM_ARRAY_TASK_ID')), %d))",
                         file.path(folder, "array"), model, n)), script)
    system(sprintf("sbatch --quiet --wait --array=1-%d --cpus-per-task=1 --output=/dev/null --wrap \"%s '%s'\"", n, file.path(R.home("bin"), "Rscript"), script))
    read_batch(file.path(folder, "array"), set)
}
ways <- list(one = function() run("one", threads = 1), threads = function() run("threads", threads = 2),
             multicore = function() run("multicore", BPPARAM = BiocParallel::MulticoreParam(2)),
             snow = function() run("snow", BPPARAM = BiocParallel::SnowParam(2), threads = 1),
             slurm = if (slurm) function() run("slurm", BPPARAM = slurm_jobs(2)), array = if (slurm) function() array_of(2))
ways <- ways[!vapply(ways, is.null, NA)]
asked <- if (length(given) > 1) strsplit(given[2], ",", fixed = TRUE)[[1]] else c(names(ways), "size")

figure("batch_genomes", length(set), "genomes")
seconds <- numeric()
for (way in intersect(names(ways), asked)) {
    seconds[way] <- system.time(batch <- suppressWarnings(ways[[way]]()))[["elapsed"]]
    if (any(batch@genomes$status != "done")) stop(way, ": ", batch@genomes$reason[batch@genomes$status != "done"][1])
    figure(paste0("batch_", way, "_seconds"), seconds[[way]], "s")
    if (way == "one") {
        figure("batch_bp", sum(batch@genomes$bp), "bp")
        figure("batch_core_hours_per_gigabase", seconds[["one"]] / 3600 / sum(batch@genomes$bp) * 1e9, "hours of one core")
    } else if ("one" %in% names(seconds)) figure(paste0("batch_", way, "_ratio"), seconds[["one"]] / seconds[[way]], "times one worker of one thread")
}
there <- intersect(names(ways), list.files(folder))
found <- lapply(there, function(way) read_batch(file.path(folder, way))@files)
wrong <- 0
for (k in seq_along(found)[-1]) {
    both <- merge(found[[1]], found[[k]], by = c("name", "file"))
    wrong <- wrong + sum(both$md5.x != both$md5.y)
    cat(sprintf("# %s and %s: %d files of both\n", there[1], there[k], nrow(both)))
}
figure("batch_files_with_other_bits", wrong, "files")

# Disk, and the most memory that a worker takes: the first genome with all tracks, in a process of its own.
if ("size" %in% asked) {
    results <- tempfile("size", folder)
    script <- tempfile(fileext = ".R")
    writeLines(c("suppressMessages(library(nucleograd))", paste0("set <- new(\"GenomeSet\", table = ", paste(deparse(as.data.frame(set[1])), collapse = " "), ")"),
                 sprintf("batch <- run_batch(set, '%s', '%s', %s, tracks = c('h5', 'bw', 'bedGraph'))", results, model,
                         paste(deparse(c(verbs, list(predict = list(), knockout = list()))), collapse = " ")),
                 "cat(grep('VmHWM', readLines('/proc/self/status'), value = TRUE))"), script)
    peak <- suppressWarnings(system2(file.path(R.home("bin"), "Rscript"), script, stdout = TRUE, stderr = FALSE))
    batch <- read_batch(results)
    megabases <- sum(batch@genomes$bp) / 1e6
    for (k in seq_len(nrow(batch@files))) figure(paste0("batch_bytes_per_megabase_", batch@files$file[k]), batch@files$bytes[k] / megabases, "bytes")
    figure("batch_worker_megabases", megabases, "Mb")
    figure("batch_worker_peak", as.numeric(gsub("[^0-9]", "", peak[length(peak)])) / 1e3, "MB")
    unlink(results, recursive = TRUE)
}
if (length(given) < 3) unlink(folder, recursive = TRUE)
if (wrong) quit(status = 1)
