# deepG's encoding, against the rules written out letter by letter.

test_that("windows start where deepG starts them, and are named by their last letter", {
    positions <- function(...) attr(encode_sequences(strrep("ACGT", 3), window = 8, step = 1, ...), "windows")$sample_end_position
    expect_identical(positions(), as.numeric(8:12))
    expect_identical(positions(padding = "maxlen"), as.numeric(0:12))
    expect_identical(positions(padding = "standard"), as.numeric(8:12))
    x <- encode_sequences(c("ACGTA", "AC", "TTTTTTT"), window = 4, step = 2)
    expect_identical(attr(x, "windows"), data.frame(entry = c(1L, 3L, 3L), sample_end_position = c(4, 4, 6)))
    joined <- encode_sequences(c("ACGTA", "AC", "TTTTTTT"), window = 4, step = 2, joined = TRUE)
    expect_identical(c(joined), c(encode_sequences("ACGTAACTTTTTTT", window = 4, step = 2)))
    expect_identical(dim(encode_sequences("AC", window = 4)), c(0L, 4L, 4L))
})

test_that("letters are rows, in either case; all others are ambiguous; padding is zeros", {
    rows <- function(text, ...) encode_sequences(text, window = nchar(text), ...)[1, , ]
    expect_identical(rows("ACGTacgt"), rbind(diag(4), diag(4)))
    for (letter in c("N", "n", "U", "R", "-", "0")) {
        expect_identical(rows(paste0("A", letter))[2, ], rep(0, 4))
        expect_identical(rows(paste0("A", letter), ambiguous = "equal")[2, ], rep(0.25, 4))
    }
    expect_identical(rows("AACGN", ambiguous = "empirical")[5, ], c(2, 1, 1, 0) / 4)
    expect_identical(rows("AN", ambiguous = "empirical", frequencies = c(1, 2, 3, 4))[2, ], (1:4) / 10)
    short <- encode_sequences("CN", window = 5, padding = "standard", ambiguous = "equal")[1, , ]
    expect_identical(short, rbind(0, 0, 0, c(0, 1, 0, 0), rep(0.25, 4)))
    self <- encode_sequences("CA", window = 5, padding = "self")
    expect_identical(self, encode_sequences("CACAC", window = 5))
    minus <- encode_sequences("AACGT", window = 5, strand = "-")
    expect_identical(minus[1, , ], rows("ACGTT"))
})

test_that("n-grams count in base 4 from their first letter", {
    text <- "acgtNcat"
    x <- encode_sequences(text, window = 8, ngram = 2)
    expect_identical(dim(x), c(1L, 7L, 16L))
    grams <- substring(toupper(text), 1:7, 2:8)
    all <- as.vector(t(outer(c("A", "C", "G", "T"), c("A", "C", "G", "T"), paste0)))
    for (k in seq_along(grams)) expect_identical(x[1, k, ], as.numeric(all == grams[k]))
    expect_identical(dim(encode_sequences(text, window = 8, ngram = 3, ngram_step = 2)), c(1L, 3L, 64L))
})

test_that("a quality is the chance of the called base", {
    reads <- Biostrings::QualityScaledDNAStringSet(Biostrings::DNAStringSet(c("ACN", "GTA")), Biostrings::PhredQuality(c("I5!", "+I5")))
    x <- encode_sequences(reads, window = 3)
    chance <- 1 - 10^(-c(40, 20) / 10)
    expect_equal(x[1, 1, ], c(chance[1], rep((1 - chance[1]) / 3, 3)), tolerance = 1e-12)
    expect_equal(x[1, 2, 2], chance[2], tolerance = 1e-12)
    expect_identical(x[1, 3, ], rep(0, 4))
    expect_equal(rowSums(x[2, , ]), rep(1, 3), tolerance = 1e-12)
})

test_that("what does not fit is said before work starts", {
    expect_error(encode_sequences(1:3, window = 2), "must be a DNAStringSet or a character vector", class = "nucleograd_error_argument")
    expect_error(encode_sequences("ACGT", window = 0), "must be one whole number from 1", class = "nucleograd_error_argument")
    expect_error(encode_sequences("ACGT", window = 2, ngram = 3), "at most the window", class = "nucleograd_error_argument")
    expect_error(encode_sequences("ACGT", window = 2, ngram = 2, strand = "-"), "must be 1 for these", class = "nucleograd_error_argument")
    expect_error(encode_sequences("ACGT", window = 2, ambiguous = "empirical", frequencies = 1:3), "four numbers", class = "nucleograd_error_argument")
    expect_error(encode_sequences("ACGT", window = 2, padding = "left"), "must be one of", class = "nucleograd_error_argument")
})
