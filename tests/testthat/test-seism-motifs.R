# Motifs in and out of files, networks and collections. Alignments are compared with loops over every shift.

seism_of <- function(pwms, ...) structure(list(pwm_polished = pwms, pwm_center = pwms, motifs = data.frame(step = seq_along(pwms),
    consensus = vapply(pwms, consensus_letters, ""), k = vapply(pwms, ncol, 0L), cell = "x", beta = 0.5, sign = 1, n_sites = 7, p = 0.01),
    settings = list(strand = "both", background = c(0.3, 0.2, 0.2, 0.3), test = "selected")), class = "seism")

random_pwm <- function(k, seed) {
    set.seed(seed)
    pwm <- matrix(stats::rexp(4 * k), 4, dimnames = list(c("A", "C", "G", "T"), NULL))
    sweep(pwm, 2, colSums(pwm), "/")
}

test_that("a MEME file holds what was written, and a table beside it", {
    pwms <- list(a = random_pwm(6, 1), b = simple_pwm("ACGTN"))
    file <- write_meme_motifs(seism_of(pwms), file.path(tempdir(), "two.meme"))
    lines <- readLines(file)
    expect_identical(lines[1:5], c("MEME version 4", "", "ALPHABET= ACGT", "", "strands: + -"))
    expect_true("A 0.300000 C 0.200000 G 0.200000 T 0.300000" %in% lines)
    expect_true("letter-probability matrix: alength= 4 w= 5 nsites= 7" %in% lines)
    expect_false(any(grepl("E=", lines)))
    rows <- strsplit(trimws(grep("^ [01][.]", lines, value = TRUE)), " +")
    sums <- vapply(rows, function(row) sum(round(as.numeric(row) * 1e6)), 0)
    expect_identical(sums, rep(1e6, 11))
    back <- read_meme_motifs(file)
    expect_identical(names(back), c("seism_1_" , "seism_2_") |> paste0(vapply(pwms, consensus_letters, "")))
    expect_equal(unname(back), unname(pwms), tolerance = 1e-5)
    table <- utils::read.delim(file.path(tempdir(), "two.tsv"))
    expect_identical(table$p, c(0.01, 0.01))
    expect_identical(table$motif, names(back))
})

test_that("files of other programs are read, and others refused", {
    file <- text_file(c("MEME version 5.4.1 (Tue Mar 1 19:18:48 2022 -0800)", "", "ALPHABET= ACGT", "", "strands: + -", "",
                        "MOTIF EXPREG_1 LexA", "", "letter-probability matrix: alength= 4 w= 2 nsites= 40 E= 0",
                        "  0.250000\t  0.200000\t  0.050000\t  0.500000\t", "  0 0 1 0", "", "URL http://example.org"), ".meme")
    motifs <- read_meme_motifs(file)
    expect_identical(names(motifs), "EXPREG_1 LexA")
    expect_equal(unname(motifs[[1]]), cbind(c(0.25, 0.2, 0.05, 0.5), c(0, 0, 1, 0)))
    expect_error(read_meme_motifs(text_file(">a")), "MEME file", class = "nucleograd_error_file")
    expect_error(write_meme_motifs(seism_of(list(simple_pwm("AC"))), file.path(tempdir(), "no", "where")), class = "nucleograd_error_file")
    expect_error(write_meme_motifs(list(), "x"), "must be a <seism>")
})

test_that("the best alignment is the best of all shifts on both strands", {
    for (seed in 1:6) {
        motif <- random_pwm(5 + seed %% 3, seed)
        known <- random_pwm(4 + seed, seed + 50)
        brute <- -Inf
        for (turn in 1:2) {
            other <- if (turn == 1) known else other_strand(known)
            for (shift in -20:20) {
                pairs <- intersect(seq_len(ncol(motif)), seq_len(ncol(other)) - shift)
                if (length(pairs) >= min(5, ncol(motif), ncol(other)))
                    brute <- max(brute, stats::cor(c(motif[, pairs]), c(other[, pairs + shift])))
            }
        }
        expect_equal(match_motifs(list(motif), list(known))$correlation, brute, tolerance = 1e-10)
    }
})

test_that("a motif is found in a collection, turned and shifted", {
    known <- list(one = simple_pwm("TGTCGAA"), two = simple_pwm("ATACANT"), three = simple_pwm("GGGGGG"))
    found <- match_motifs(list(mine = simple_pwm("TTCGACA"), part = simple_pwm("TACA")), known, top = 1)
    expect_identical(found$match, c("one", "two"))
    expect_identical(found$strand, c("-", "+"))
    expect_equal(found$offset, c(1, 2))
    expect_equal(found$correlation, c(1, 1))
    expect_identical(nrow(match_motifs(seism_of(list(simple_pwm("ACGTT"))), known)), 3L)
})

test_that("words become motifs", {
    expect_identical(unname(simple_pwm("AcR")), cbind(c(1, 0, 0, 0), c(0, 1, 0, 0), c(0.5, 0, 0.5, 0)))
    expect_error(simple_pwm("AXE"), "DNA letters", class = "nucleograd_error_argument")
    expect_identical(consensus_letters(simple_pwm("ACGTRYSWKMBDHVN")), "ACGTRYSWKMBDHVN")
})

test_that("filters become motifs that prefer what the filter prefers", {
    kernel <- random_array(c(6, 4, 5), 3)
    model <- model_from(toy_network(c(30, 4), conv(kernel), activation("relu"), max_pool(25), flatten(), dense(random_array(c(5, 1), 4))))
    motifs <- filter_motifs(model)
    expect_length(motifs, 5)
    for (filter in 1:5) {
        expect_identical(unname(apply(motifs[[filter]], 2, which.max)), apply(kernel[, , filter], 1, which.max))
        expect_equal(mean(apply(motifs[[filter]], 2, max)), 0.85, tolerance = 1e-4)
        shares <- apply(kernel[, , filter], 1, function(column) exp(2 * column) / sum(exp(2 * column)))
        expect_equal(unname(filter_motifs(model, sharpness = 2)[[filter]]), shares)
    }
    spread <- apply(kernel[, , 2], 1, function(column) diff(range(column)))
    first <- which.max(stats::filter(spread, rep(1, 3), sides = 1)[3:6])
    expect_equal(apply(filter_motifs(model, width = 3)[[2]], 2, which.max), apply(kernel[first + 0:2, , 2], 1, which.max), ignore_attr = TRUE)
    expect_length(filter_motifs(example_model(), width = 8), 16)
    padded <- toy_network(c(30, 4), toy_layer("ZeroPadding1D", padding = c(2, 2)), conv(kernel), flatten(), dense(random_array(c(170, 1), 4)))
    expect_equal(filter_motifs(model_from(padded)), motifs, ignore_attr = TRUE)
    no_convolution <- model_from(toy_network(c(30, 4), flatten(), dense(random_array(c(120, 1), 4))))
    expect_error(filter_motifs(no_convolution), "begin with a convolution", class = "nucleograd_error_unsupported")
})

test_that("seqlets are the words under the strongest scores", {
    score <- rep(0, 60)
    score[11:14] <- 2
    score[31:34] <- -3
    score[50:53] <- 1
    letters <- strsplit(random_sequences(1, 60, 9), "")[[1]]
    scores <- scored(a = score, letters = list(a = letters))
    word <- function(start) paste(letters[start + 0:3], collapse = "")
    expect_identical(names(seqlet_motifs(scores, width = 4, top = 2)), c(word(31), word(11)))
    expect_identical(names(seqlet_motifs(scores, width = 4, top = 3))[3], word(50))
    expect_equal(seqlet_motifs(scores, width = 4, top = 1)[[1]], simple_pwm(word(31)))
})

test_that("TFBSTools takes the motifs", {
    skip_if_not_installed("TFBSTools")
    pwm <- random_pwm(6, 8)
    list <- as_tfbstools(seism_of(list(pwm)))
    expect_s4_class(list, "PFMatrixList")
    counts <- TFBSTools::Matrix(list[[1]])
    expect_equal(sweep(counts, 2, colSums(counts), "/"), pwm, tolerance = 0.02)
    expect_identical(TFBSTools::tags(list[[1]])$p, 0.01)
})
