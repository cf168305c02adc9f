# The files alone: what the network says about real genes is tested where its predictions are.

test_that("the example network is small and carries no optimizer", {
    file <- example_file("rrna16s.h5")
    expect_lt(file.size(file), 600 * 1024)
    contents <- rhdf5::h5ls(file)
    expect_false("optimizer_weights" %in% contents$name)
    weights <- contents[contents$otype == "H5I_DATASET" & startsWith(contents$group, "/model_weights"), ]
    expect_equal(sum(vapply(strsplit(weights$dim, " x "), function(size) prod(as.numeric(size)), 0)), 16161)
})

test_that("the example annotation lies on the example genome", {
    genome <- Biostrings::readDNAStringSet(example_file("chlamydia.fna.gz"))
    expect_equal(Biostrings::width(genome), 1042519)
    lines <- readLines(example_file("chlamydia.gff.gz"))
    expect_true("##sequence-region CHLTCG 1 1042519" %in% lines)
    expect_false(any(startsWith(lines, "##FASTA")))
    features <- utils::read.delim(text = lines, header = FALSE, comment.char = "#", quote = "")
    expect_equal(unique(features$V1), strsplit(names(genome), " ")[[1]][1])
    expect_true(all(1 <= features$V4 & features$V4 <= features$V5 & features$V5 <= 1042519))
    expect_equal(sum(features$V3 == "rRNA" & endsWith(features$V9, "product=16S ribosomal RNA")), 2)
})
