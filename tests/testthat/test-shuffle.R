# Shuffles against all legal ones, found by trying every walk.

# All sequences with the first letter and the dinucleotides of this one.
legal_shuffles <- function(sequence) {
    letters <- strsplit(sequence, "")[[1]]
    steps <- table(paste0(letters[-length(letters)], letters[-1]))
    walk <- function(so_far, left) {
        if (!sum(left)) return(so_far)
        last <- substring(so_far, nchar(so_far))
        next_steps <- names(left)[left > 0 & substring(names(left), 1, 1) == last]
        unlist(lapply(next_steps, function(step) walk(paste0(so_far, substring(step, 2)), replace(left, step, left[step] - 1))))
    }
    unique(walk(letters[1], steps))
}

test_that("shuffles of dinucleotides reach every legal sequence, each as often", {
    for (case in list(list("ACCCACGATGATA", 72), list("ACGTTGCATGCA", 16), list("AACCAAC", NULL), list("GATTACA", NULL))) {
        legal <- legal_shuffles(case[[1]])
        if (!is.null(case[[2]])) expect_length(legal, case[[2]])
        drawn <- as.character(shuffle_sequences(rep(case[[1]], 300 * length(legal)), seed = 11))
        expect_setequal(drawn, legal)
        expect_gt(stats::chisq.test(table(drawn))$p.value, 0.001)
    }
})

test_that("shuffles of positions are uniform over all orders", {
    drawn <- as.character(shuffle_sequences(rep("ACGG", 6000), "position", seed = 2))
    expect_length(unique(drawn), 12)
    expect_gt(stats::chisq.test(table(drawn))$p.value, 0.001)
})

test_that("a long sequence keeps its dinucleotides, its ends and its ambiguous letters", {
    genome <- random_genome(20000, 57, seed = 3)
    Biostrings::subseq(genome[[1]], 501, 505) <- Biostrings::DNAString("NRNNY")
    shuffled <- shuffle_sequences(genome, replicates = 2, seed = 4)
    expect_named(shuffled, rep(names(genome), 2))
    for (k in 1:2) {
        pair <- c(genome[1], shuffled[2 * k - 1])
        for (piece in list(c(1, 500), c(506, 20000))) {
            pieces <- Biostrings::subseq(pair, piece[1], piece[2])
            counts <- Biostrings::dinucleotideFrequency(pieces)
            expect_identical(counts[1, ], counts[2, ])
            ends <- Biostrings::subseq(rep(pieces, each = 2), c(1, -1), width = 1)
            expect_identical(as.character(ends[1:2]), as.character(ends[3:4]), ignore_attr = TRUE)
        }
        expect_identical(as.character(Biostrings::subseq(pair[2], 501, 505)), "NRNNY", ignore_attr = TRUE)
        expect_lt(mean(strsplit(as.character(pair[[1]]), "")[[1]] == strsplit(as.character(pair[[2]]), "")[[1]]), 0.3)
    }
    expect_false(as.character(shuffled[[1]]) == as.character(shuffled[[3]]))
    positions <- shuffle_sequences(genome[1], "position", seed = 4)
    expect_identical(Biostrings::alphabetFrequency(positions), Biostrings::alphabetFrequency(genome[1]))
})

test_that("what is drawn depends on seed, replicate and number alone", {
    genome <- random_genome(300, 200, 100, seed = 5)
    all <- shuffle_sequences(genome, replicates = 3, seed = 6)
    expect_identical(as.character(shuffle_sequences(genome, replicates = 3, seed = 6, threads = 1)), as.character(all))
    expect_identical(as.character(shuffle_sequences(genome[1:2], replicates = 2, seed = 6)), as.character(all)[c(1:2, 4:5)])
    expect_false(any(as.character(shuffle_sequences(genome, replicates = 3, seed = 7)) == as.character(all)))
})

test_that("a sequence that is its only shuffle is shuffled by positions, with a warning", {
    for (alone in c("ACTGACTGACTG", "AAAACCCC", "ACGT", "AC"))
        expect_length(legal_shuffles(alone), 1)
    expect_warning(drawn <- shuffle_sequences(rep("ACTGACTGACTG", 20), seed = 1), class = "nucleograd_warning_alone")
    expect_gt(length(unique(as.character(drawn))), 1)
    expect_true(all(Biostrings::alphabetFrequency(drawn)[, 1:4] == 3))
    expect_warning(shuffle_sequences("AAAACCCC", seed = 1), class = "nucleograd_warning_alone")
    expect_no_warning(nothing <- shuffle_sequences(c("", "A", "N"), seed = 1))
    expect_identical(as.character(nothing), c("", "A", "N"))
})

test_that("is_alone agrees with the count of legal sequences", {
    set.seed(8)
    for (k in 1:150) {
        sequence <- paste(sample(c("A", "C", "G", "T")[1:(2 + k %% 3)], 2 + k %% 7, replace = TRUE), collapse = "")
        warned <- FALSE
        withCallingHandlers(shuffle_sequences(sequence, seed = k), nucleograd_warning_alone = function(w) {
            warned <<- TRUE
            invokeRestart("muffleWarning")
        })
        expect_identical(warned, length(legal_shuffles(sequence)) == 1, label = sequence)
    }
})

test_that("errors name what was given", {
    expect_error(shuffle_sequences(1:3), class = "nucleograd_error_argument")
    expect_error(shuffle_sequences("ACGT", replicates = 0), class = "nucleograd_error_argument")
})
