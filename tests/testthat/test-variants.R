# variant_effect() against every changed window evaluated in plain R.

flat <- what_if_networks$flat
pooled <- what_if_networks$pooled
contig <- "ACGTACCGTTAGGCTAACGGATCTTAGCCGATAGCTTAGGCATTCGGATCAACTGACTNGGAT"
variant_genome <- stats::setNames(Biostrings::DNAStringSet(contig), "contig_1")
with_variant <- function(position, ref, alt) {
    Biostrings::DNAString(paste0(substr(contig, 1, position - 1), alt, substr(contig, position + nchar(ref), nchar(contig))))
}
value_of <- function(network, contig, starts = 1, window = length(contig)) {
    mean(vapply(windows_of_contig(contig, starts, window), function(x) naive_value(network, list(x)), 0))
}
rows <- data.frame(contig = "contig_1", position = c(5, 9, 12, 3, 61), ref = c("A", "TTA", "GG", "GT", "GA"), alt = c("G,T", "CCC", "GGTC", "G", "nn"))

test_that("substitutions, insertions and deletions have the effects of the changed sequence", {
    found <- variant_effect(model_from(pooled), variant_genome, rows)
    expect_identical(found$alt, c("G", "T", "CCC", "GGTC", "G", "NN"))
    expect_identical(BiocGenerics::start(found), c(5L, 5L, 9L, 12L, 3L, 61L))
    expected <- mapply(function(position, ref, alt) value_of(pooled, with_variant(position, ref, alt)), BiocGenerics::start(found), found$ref, found$alt)
    expect_near(found$changed, expected)
    expect_near(found$effect, expected - value_of(pooled, variant_genome[[1]]))
    expect_match(utils::capture.output(found)[1], "Variants of 6 places: F(variant) - F(x)", fixed = TRUE)
})

test_that("windows keep the base they begin with", {
    found <- variant_effect(model_from(flat), variant_genome, rows[c(2, 3, 4), ], step = 10)           # windows 1, 11, 21, 23
    before <- function(starts) value_of(flat, variant_genome[[1]], starts, 40)
    expect_near(found$effect[1], value_of(flat, with_variant(9, "TTA", "CCC"), c(1, 11), 40) - before(c(1, 11)))
    expect_near(found$effect[2], value_of(flat, with_variant(12, "GG", "GGTC"), c(1, 11), 40) - before(c(1, 11)))
    expect_near(found$effect[3], value_of(flat, with_variant(3, "GT", "G"), 1, 40) - before(1))
    expect_identical(found$windows, c(2L, 2L, 1L))
})

test_that("VCF files and GRanges say the same as a table", {
    expected <- variant_effect(model_from(pooled), variant_genome, rows)
    lines <- c("##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
               paste(rows$contig, rows$position, c("rs1", ".", ".", ".", "."), rows$ref, rows$alt, ".", "PASS", ".", sep = "\t"))
    file <- text_file(lines, ".vcf")
    found <- variant_effect(model_from(pooled), variant_genome, file)
    expect_identical(found$effect, expected$effect)
    expect_identical(names(found)[1:3], c("rs1", "rs1", "contig_1:9_TTA/CCC"))
    zipped <- gzfile(zip_path <- tempfile(fileext = ".vcf.gz"), "w")
    writeLines(lines, zipped)
    close(zipped)
    expect_identical(variant_effect(model_from(pooled), variant_genome, zip_path)$effect, expected$effect)
    ranges <- GenomicRanges::GRanges(rows$contig, IRanges::IRanges(rows$position, width = nchar(rows$ref)), REF = Biostrings::DNAStringSet(rows$ref))
    ranges$ALT <- IRanges::CharacterList(strsplit(rows$alt, ","))
    expect_identical(variant_effect(model_from(pooled), variant_genome, ranges)$effect, expected$effect)
    symbolic <- rbind(rows, data.frame(contig = "contig_1", position = 1, ref = "A", alt = "<DEL>"))
    expect_message(without <- variant_effect(model_from(pooled), variant_genome, symbolic), "1 alternative")
    expect_identical(without$effect, expected$effect)
})

test_that("variants over the origin of a circular contig", {
    circle <- random_genome(50, seed = 240, circular = TRUE)
    letters <- as.character(circle[[1]])
    ref <- paste0(substr(letters, 50, 50), substr(letters, 1, 1))
    alt <- chartr("ACGT", "CATG", ref)
    found <- variant_effect(model_from(flat), circle, data.frame(contig = "contig_1", position = 50, ref = ref, alt = c(alt, "")[1]), step = 25)
    changed <- Biostrings::DNAString(paste0(substr(alt, 2, 2), substr(letters, 2, 49), substr(alt, 1, 1)))
    expect_near(found$changed, value_of(flat, changed, c(1, 26), 40))
})

test_that("variants that cannot be are refused in words", {
    effect <- function(...) variant_effect(model_from(pooled), variant_genome, ...)
    expect_snapshot(error = TRUE, {
        effect(data.frame(contig = "contig_1", position = 2, ref = "A", alt = "T"))
        effect(data.frame(contig = "contig_1", position = 2, ref = "C"))
        effect(data.frame(contig = "contig_2", position = 2, ref = "C", alt = "T"))
        effect(data.frame(contig = "contig_1", position = 99, ref = "C", alt = "T"))
        effect(data.frame(contig = "contig_1", position = NA, ref = "C", alt = "T"))
        effect("missing.vcf")
        effect(GenomicRanges::GRanges("contig_1:4-5"))
    })
    expect_error(effect(text_file("no VCF", ".vcf")), class = "nucleograd_error_file")
})
