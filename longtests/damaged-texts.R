# longtests/damaged-texts.R [each] [seed]: `each` (default 1,000) damaged files of each kind: FASTA, FASTA under gzip, GFF3 and ONNX.
# What is read must be read, and what is refused be refused in our words, in 5 s; what is read must be whole: a genome of letters,
# genes inside it, a model that predicts or says why not. Prints a table; the last line counts. longtests/damaged-files does so for
# Keras files.
#     R_LIBS=build/library Rscript longtests/damaged-texts.R 1500
suppressMessages(library(nucleograd))
options(cli.progress_show_after = Inf)
given <- as.numeric(commandArgs(TRUE))
each <- c(given, 1000)[1]
here <- file.path("tests", "testthat")
bytes_of <- function(file) readBin(file, "raw", 1e6)

set.seed(c(given[-1], 1)[1])
letters_of <- function(n) paste(sample(c("A", "C", "G", "T", "N", "r"), n, replace = TRUE, prob = c(9, 9, 9, 9, 1, 1)), collapse = "")
fasta <- charToRaw(paste0(">contig_1 a first one [topology=circular]\n", paste(replicate(20, letters_of(60)), collapse = "\n"),
                          "\n>contig_2\n", letters_of(300), "\n"))
genome_file <- tempfile(fileext = ".fasta")
writeBin(fasta, genome_file)
packed <- tempfile(fileext = ".gz")
connection <- gzfile(packed, "wb")
writeBin(fasta, connection)
close(connection)
genome <- read_genome(genome_file)
gff <- charToRaw(paste(c("##gff-version 3", "##sequence-region contig_1 1 1200", sprintf(
    "contig_1\tProdigal:2.6\t%s\t%d\t%d\t.\t%s\t0\tID=g%d;locus_tag=L_%05d;gene=dna%s;product=a protein%%2C or more;Parent=p%d",
    rep_len(c("gene", "CDS"), 19), seq(10, 1000, 55), seq(50, 1040, 55), rep_len(c("+", "-"), 19), 1:19, 1:19, LETTERS[1:19],
    1:19), "##FASTA", ">contig_1", as.character(genome[[1]])), collapse = "\n"))
onnx <- lapply(sort(list.files(file.path(here, "fixtures", "onnx"), "[.]onnx$", full.names = TRUE)), bytes_of)
onnx <- onnx[order(lengths(onnx))[1:8]]
one_of <- function(x) x[[sample(length(x), 1)]]

# One to five changes of a file.
damaged <- function(bytes) {
    for (change in seq_len(sample(5, 1))) {
        n <- length(bytes)
        if (n < 2) return(bytes)
        at <- sample(n, 1)
        run <- at:min(n, at + sample(40, 1))
        bytes <- switch(sample(9, 1),
            { bytes[at] <- xor(bytes[at], as.raw(2^sample(0:7, 1))); bytes },
            { bytes[at] <- as.raw(sample(0:255, 1)); bytes },
            bytes[seq_len(at)],
            bytes[-run],
            c(bytes[seq_len(at)], bytes[run], bytes[at:n]),
            c(bytes[seq_len(at)], as.raw(sample(0:255, 30, replace = TRUE)), bytes[at:n]),
            c(bytes[seq_len(at)], charToRaw(one_of(c("99999999999999999999", "-1", "\t", "\n\n", "\r\n", ">", "%zz", ";;=", "NaN",
                                                     "\"", "##"))), bytes[at:n]),
            { digits <- which(bytes >= charToRaw("0") & bytes <= charToRaw("9")); if (length(digits)) bytes[one_of(digits)] <- charToRaw(as.character(sample(0:9, 1))); bytes },
            { bytes[run] <- rev(bytes[run]); bytes })
    }
    bytes
}

kinds <- list(
    FASTA = list(extension = ".fasta", source = function() fasta, read = function(file) {
        read <- read_genome(file)
        stopifnot(length(read) > 0, all(Biostrings::width(read) > 0), !anyDuplicated(names(read)))
    }),
    "FASTA under gzip" = list(extension = ".fasta.gz", source = function() bytes_of(packed), read = function(file) {
        stopifnot(length(read_genome(file)) > 0)
    }),
    GFF3 = list(extension = ".gff3", source = function() gff, read = function(file) {
        genes <- read_annotation(file, genome)
        known <- as.character(GenomicRanges::seqnames(genes)) %in% names(genome)
        stopifnot(all(known), all(BiocGenerics::start(genes) >= 1))
    }),
    ONNX = list(extension = ".onnx", source = function() one_of(onnx), read = function(file) {
        utils::capture.output(print(read_model(file)))
    }))

file <- NULL
fate <- function(kind, bytes) {
    file <<- tempfile(fileext = kind$extension)
    on.exit(unlink(file))
    writeBin(bytes, file)
    tryCatch({
        suppressMessages(suppressWarnings(kind$read(file)))
        "read"
    }, nucleograd_error = function(error) "refused", error = function(error) paste(class(error)[1], conditionMessage(error)))
}

for (kind in kinds) stopifnot(fate(kind, kind$source()) == "read")                 # as they are, and packages that read them are loaded
failed <- 0
for (name in names(kinds)) {
    kind <- kinds[[name]]
    fates <- character(each)
    slowest <- 0
    for (k in seq_len(each)) {
        bytes <- damaged(kind$source())
        seconds <- system.time(fates[k] <- fate(kind, bytes), gcFirst = FALSE)[["elapsed"]]
        slowest <- max(slowest, seconds)
        if (!fates[k] %in% c("read", "refused") || seconds > 5) {
            failed <- failed + 1
            kept <- file.path("build", paste0("damaged-", failed, kind$extension))
            writeBin(bytes, kept)
            if (failed < 20) cat(kept, ":", substr(fates[k], 1, 300), "\n")
        }
    }
    cat(sprintf("%-18s %6d files: %6d read, %6d refused, %d otherwise; slowest %.2f s\n", name, as.integer(each), sum(fates == "read"),
                sum(fates == "refused"), sum(!fates %in% c("read", "refused")), slowest))
}
cat(4 * each - failed, "passed,", failed, "failed, 0 skipped\n")
quit(status = min(1, failed))
