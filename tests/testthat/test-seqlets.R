# A seqlet by definition: every stretch with all stretches inside it, then the widest and least probable one after the other.
naive_seqlets <- function(score, compared, widths, threshold) {
    sums_of <- function(score, width) vapply(seq_len(length(score) - width + 1), function(at) sum(score[seq(at, length.out = width)]), 0)
    stretches <- do.call(rbind, lapply(rev(widths), function(width) {
        score <- sums_of(score, width)
        others <- sums_of(compared, width)
        others <- others[!is.na(others)]
        far <- vapply(score, function(own) if (isTRUE(own > 0)) sum(others >= own - 1e-9) else sum(others <= own + 1e-9), 0)
        data.frame(start = seq_along(score), width, score, p_value = (1 + far) / (1 + length(others)))
    }))
    good <- !is.na(stretches$score) & stretches$score != 0 & stretches$p_value <= threshold
    passes <- vapply(seq_len(nrow(stretches)), function(k) {
        own <- stretches[k, ]
        inside <- stretches$start >= own$start & stretches$start + stretches$width <= own$start + own$width
        all(good[inside]) && length(unique(sign(stretches$score[inside]))) == 1
    }, NA)
    chosen <- NULL
    for (k in order(-stretches$width, stretches$p_value, -abs(stretches$score), stretches$start)) {
        own <- stretches[k, ]
        apart <- own$start + own$width <= chosen$start | chosen$start + chosen$width <= own$start
        if (passes[k] && all(apart)) chosen <- rbind(chosen, own)
    }
    chosen[order(chosen$start), ]
}

test_that("seqlets are those of the definition, one by one", {
    seen <- 0
    for (seed in 1:3) {
        score <- round(smooth_scores(120, seed), 1)
        score[c(40, 77)] <- NA
        other <- smooth_scores(300, seed + 10) * 0.7
        for (background in list(score, other)) {
            found <- seqlets(scored(a = score), 3, 8, 0.15, background = scored(b = background))
            expected <- naive_seqlets(score, background, 3:8, 0.15)
            expect_identical(BiocGenerics::start(found), expected$start)
            expect_identical(BiocGenerics::width(found), expected$width)
            expect_equal(found$score, expected$score)
            expect_equal(found$p_value, expected$p_value)
            seen <- seen + length(found)
        }
    }
    expect_gt(seen, 10)
})

test_that("seqlets of a rotated circular contig are the rotated ones, and contigs are compared together", {
    score <- smooth_scores(200, 3)
    rotated <- c(score[-(1:57)], score[1:57])
    found <- seqlets(scored(a = score, circular = TRUE), 4, 12, 0.1)
    turned <- seqlets(scored(a = rotated, circular = TRUE), 4, 12, 0.1)
    place <- function(x, by) sort(paste((BiocGenerics::start(x) - 1 + by) %% 200, BiocGenerics::width(x), signif(x$p_value, 6)))
    expect_identical(place(found, 0), place(turned, 57))
    both <- seqlets(scored(a = score, b = -score), 4, 12, 0.1)
    expect_equal(both$score[as.character(GenomeInfoDb::seqnames(both)) == "a"], -both$score[as.character(GenomeInfoDb::seqnames(both)) == "b"])
    expect_length(seqlets(scored(a = rep(1, 50))), 0)
    expect_length(seqlets(scored(a = c(1, 2))), 0)
})

# Two motifs planted on both strands of random letters, with scores of their own.
planted <- function(circular = FALSE) {
    set.seed(5)
    letters <- sample(c("A", "C", "G", "T"), 4000, replace = TRUE)
    score <- rnorm(4000, sd = 0.02)
    words <- c("TTGACATAGC", "GGCGCAATCA")
    complement <- c(A = "T", C = "G", G = "C", T = "A")
    at <- seq(11, 3900, by = 97)
    word <- rep_len(1:2, length(at))
    strand <- rep_len(c("+", "+", "-"), length(at))
    for (k in seq_along(at)) {
        own <- strsplit(words[word[k]], "")[[1]]
        weight <- c(1, 1.2, 1.4, 1, 1, 1.3, 1, 1.1, 1, 1) * c(1, -1)[word[k]]
        if (strand[k] == "-") {
            own <- rev(complement[own])
            weight <- rev(weight)
        }
        letters[at[k] + 0:9] <- own
        score[at[k] + 0:9] <- weight + rnorm(10, sd = 0.05)
    }
    list(scores = scored(a = score, letters = list(a = letters), circular = circular), at = at, word = word, strand = strand, words = words)
}

test_that("planted motifs are found, on the strand that they are on, and shared", {
    for (circular in c(FALSE, TRUE)) {
        world <- planted(circular)
        found <- seqlets(world$scores, 5, 15, 0.05)
        sites <- group_seqlets(found, world$scores, least = 5)
        expect_setequal(unique(sites$motif), c("motif_1", "motif_2"))
        for (name in c("motif_1", "motif_2")) {
            own <- sites[sites$motif == name]
            planted <- world$at[world$word == (if (own$score[1] > 0) 1 else 2)]
            expect_setequal(BiocGenerics::start(own), planted)
            expect_identical(unique(BiocGenerics::width(own)), 10L)
            strand <- world$strand[match(BiocGenerics::start(own), world$at)]
            expect_identical(length(unique(paste(strand, as.character(BiocGenerics::strand(own))))), 2L)
        }
        motifs <- site_motifs(sites, world$scores@genome)
        consensus <- vapply(motifs, function(pwm) paste(rownames(pwm)[max.col(t(pwm))], collapse = ""), "")
        both <- function(word) c(word, as.character(Biostrings::reverseComplement(Biostrings::DNAString(word))))
        expect_true(all(vapply(world$words, function(word) any(both(word) %in% consensus), NA)))
        expect_identical(vapply(motifs, attr, 0L, "sites"), c(table(sites$motif)))
        expect_true(all(vapply(motifs, function(pwm) all(pwm %in% c(0, 1)), NA)))
    }
    file <- write_meme_motifs(motifs, tempfile(fileext = ".meme"))
    expect_equal(read_meme_motifs(file), lapply(motifs, function(pwm) matrix(pwm, 4, dimnames = list(rownames(pwm), NULL))))
    expect_false(file.exists(sub("meme$", "tsv", file)))
    expect_identical(match_motifs(motifs, motifs, top = 1)$match, names(motifs))
    skip_if_not_installed("TFBSTools")
    matrices <- as_tfbstools(motifs)
    expect_s4_class(matrices, "PFMatrixList")
    expect_identical(names(matrices), names(motifs))
})

test_that("nothing to group is no error, and wrong input is named", {
    world <- planted()
    none <- seqlets(world$scores, threshold = 1e-9)
    expect_length(group_seqlets(none, world$scores), 0)
    expect_length(site_motifs(group_seqlets(none, world$scores), world$scores@genome), 0)
    expect_error(seqlets(world$scores, threshold = 1), "above 0 and below 1", class = "nucleograd_error_argument")
    expect_error(group_seqlets(GenomicRanges::GRanges("a:1-10"), world$scores), "column", class = "nucleograd_error_argument")
    expect_error(group_seqlets(GenomicRanges::GRanges("b:1-10", score = 1), world$scores), class = "nucleograd_error_contigs")
    expect_error(site_motifs(GenomicRanges::GRanges(c("a:1-10", "a:21-25"), motif = "m"), world$scores@genome), "same width")
    expect_error(write_meme_motifs(list(simple_pwm("ACGT")), tempfile()), "with a name of its own", class = "nucleograd_error_argument")
})
