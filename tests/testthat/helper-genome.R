# A FASTA or GFF3 with these lines, and small genomes with scores.
text_file <- function(lines, extension = ".fasta", end = "\n") {
    path <- tempfile(fileext = extension)
    writeBin(charToRaw(paste0(paste(lines, collapse = end), end)), path)
    path
}

piece <- function(name) test_path("testdata", name)

gff_row <- function(contig, type, start, end, strand = "+", attributes = ".") {
    paste(contig, "test", type, start, end, ".", strand, ".", attributes, sep = "\t")
}

# Scores per base for contigs of these lengths, as an Attribution: the score of a base sits in the channel of the base.
scored <- function(..., circular = FALSE, letters = NULL) {
    per_base <- list(...)
    contigs <- lapply(per_base, function(score) rep_len(c("A", "C", "G", "T"), length(score)))
    if (!is.null(letters)) contigs <- letters
    genome <- Biostrings::DNAStringSet(vapply(contigs, paste, "", collapse = ""))
    S4Vectors::mcols(genome) <- S4Vectors::DataFrame(description = names(per_base), circular = rep_len(circular, length(per_base)))
    scores <- Map(function(score, letter) {
        channels <- matrix(0, length(score), 4, dimnames = list(NULL, c("A", "C", "G", "T")))
        channels[cbind(seq_along(score), match(letter, colnames(channels), nomatch = 1))] <- score
        channels[is.na(score), ] <- NA
        channels
    }, per_base, contigs)
    methods::new("Attribution", scores = scores, genome = genome, windows = GenomicRanges::GRanges(seqinfo = genome_seqinfo(genome)),
                 settings = list(model = "toy", method = "ig", baseline = "uniform", rule = "midpoint", nodes = 50, target = 1,
                                 target_name = "output 1", output = "logit", window = NULL, step = NULL))
}

# Scores that resemble their neighbours, as those of a network do; `seed` makes them the same everywhere.
smooth_scores <- function(length_bp, seed = 1) {
    set.seed(seed)
    as.numeric(stats::filter(stats::rnorm(length_bp), 0.95, method = "recursive"))
}

features_on <- function(contig, start, end, strand = "+", seqinfo = NULL, ...) {
    GenomicRanges::GRanges(contig, IRanges::IRanges(start, end), strand, ..., seqinfo = seqinfo)
}
