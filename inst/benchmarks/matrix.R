# inst/benchmarks/matrix.R: seconds and memory of reading 3,000 annotations into a matrix of genomes and genes.
# The annotations are made of the real ones of Prokka in the folder of data (the environment variable NUCLEOGRAD_DATA, or shared/data
# beside the repository or one level above): one genome each with its sequence, a tenth of its genes left out and others renamed, so
# that all of them together have about 40,000 names.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "report.R"))
options(cli.progress_show_after = Inf)
genomes <- 3000
names_wanted <- 40000

folders <- c(Sys.getenv("NUCLEOGRAD_DATA", NA), file.path(here, "../../..", c("shared/data", "../shared/data")))
sources <- Sys.glob(file.path(folders[!is.na(folders)], "annotation/prokka/*.gff.gz"))
if (!length(sources)) stop("the folder of data is not there: set NUCLEOGRAD_DATA")
folder <- tempfile("annotations")
dir.create(folder)

set.seed(1)
made <- lapply(sources, function(file) {
    lines <- readLines(file)
    end <- match("##FASTA", lines)
    sequence <- tempfile(fileext = ".gz")
    connection <- gzfile(sequence, "w")
    writeLines(lines[end:length(lines)], connection)
    close(connection)
    list(rows = lines[seq_len(end - 1)], sequence = sequence)
})
known <- unique(unlist(lapply(made, function(genome) regmatches(genome$rows, regexpr("(?<=;gene=)[^;_]*", genome$rows, perl = TRUE)))))
invented <- paste0("gene", seq_len(names_wanted - length(known)))
files <- file.path(folder, sprintf("genome_%04d.gff.gz", seq_len(genomes)))
for (k in seq_len(genomes)) {
    genome <- made[[(k - 1) %% length(made) + 1]]
    rows <- genome$rows[startsWith(genome$rows, "#") | runif(length(genome$rows)) > 0.1]
    renamed <- which(grepl(";gene=", rows) & runif(length(rows)) < 0.1)
    regmatches(rows[renamed], regexpr(";gene=[^;]*", rows[renamed])) <- paste0(";gene=", sample(invented, length(renamed)))
    connection <- gzfile(files[k], "w", compression = 1)
    writeLines(rows, connection)
    close(connection)
    file.append(files[k], genome$sequence)                 # gzipped files one after the other are one
}

invisible(gc(reset = TRUE))
seconds <- system.time(found <- gene_matrix(files, threads = 2))[["elapsed"]]
# The high-water mark of this process counts what made the files, too; that of its children is theirs alone.
peak <- if (file.exists("/proc/self/status")) as.numeric(gsub("\\D", "", grep("^VmHWM", readLines("/proc/self/status"), value = TRUE))) * 1024 / 1e6 else NA
cat(class(found), nrow(found), "genomes,", ncol(found), "genes,", length(found@x), "presences,", format(utils::object.size(found), "MB"), "\n")
figure("matrix_files_mb", sum(file.size(files)) / 1e6, "MB")
figure("matrix_seconds", seconds, "s")
figure("matrix_peak_memory_mb", peak, "MB, with the making of the files")
again <- gene_matrix(files[c(7, 1500, 2999)], threads = 1)
rows <- found[c(7, 1500, 2999), ]
rows <- rows[, Matrix::colSums(rows) > 0]
if (!identical(rows, again)) stop("a genome among others differs from the genome by itself")
unlink(folder, recursive = TRUE)
