# inst/benchmarks/batch.R: many genomes through the embedded network and the gene report, with different workers: equal files, and times.
# The genomes are those of shared/data if the folder is there (the environment variable NUCLEOGRAD_DATA, or shared/data beside the repository or
# one level above), else eight of letters from a formula. Their annotation is every open reading frame of 300 bases or more of one strand.
# Arguments: how many of the genomes (default all).
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("architectures.R", "report.R")) source(file.path(here, file))
options(cli.progress_show_after = Inf, width = 200)
most <- as.numeric(c(commandArgs(TRUE), Inf)[1])

folders <- c(Sys.getenv("NUCLEOGRAD_DATA", NA), file.path(here, "../../..", c("shared/data", "../shared/data")))
files <- Sys.glob(file.path(folders[!is.na(folders)], "genomes", "*.fna.gz"))
if (!length(files)) {
    folder <- tempfile("genomes")
    dir.create(folder)
    files <- file.path(folder, paste0("formula_", 1:8, ".fna"))
    for (k in 1:8) Biostrings::writeXStringSet(formula_genome(1e6 + k * 1e5), files[k])
}
files <- utils::head(files, most)

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
frames <- tempfile("frames")
dir.create(frames)
gffs <- file.path(frames, sub("[.]fna([.]gz)?$", ".gff3", basename(files)))
for (k in seq_along(files)) suppressWarnings(rtracklayer::export(reading_frames(read_genome(files[k])), gffs[k], format = "gff3"))
set <- genome_set(data.frame(genome = files, annotation = gffs))

model <- system.file("extdata", "rrna16s.h5", package = "nucleograd")
verbs <- list(attribution = list(nodes = 10), genes = list(shifts = 100))
run <- function(...) {
    results <- tempfile("results")
    seconds <- system.time(batch <- run_batch(set, results, model, verbs, tracks = character(), ...))[["elapsed"]]
    if (any(batch@genomes$status != "done")) stop("failed: ", batch@genomes$reason[batch@genomes$status == "failed"][1])
    list(seconds = seconds, batch = batch)
}
one <- run(threads = 1)
cases <- list(session_2_threads = run(threads = 2), multicore_2 = run(BPPARAM = BiocParallel::MulticoreParam(2)),
              snow_2 = run(BPPARAM = BiocParallel::SnowParam(2), threads = 1))
figure("batch_genomes", length(set), "genomes")
figure("batch_bp", sum(one$batch@genomes$bp), "bp")
figure("batch_one_worker_seconds", one$seconds, "s")
for (case in names(cases)) {
    figure(paste0("batch_", case, "_seconds"), cases[[case]]$seconds, "s")
    figure(paste0("batch_", case, "_ratio"), one$seconds / cases[[case]]$seconds, "times one worker of one thread")
}
same <- vapply(cases, function(case) identical(case$batch@files, one$batch@files), NA)
figure("batch_files_with_other_bits", sum(!same), "ways of running")
figure("batch_core_hours_per_gigabase", one$seconds / 3600 / sum(one$batch@genomes$bp) * 1e9, "hours of one core")
figure("batch_bytes_per_megabase", sum(one$batch@files$bytes) / sum(one$batch@genomes$bp) * 1e6, "bytes")
if (!all(same)) quit(status = 1)
