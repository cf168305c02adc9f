# Bad and degenerate input of seism(), row by row: what is said, and of which class.

x <- random_sequences(20, 15, 1)
set.seed(2)
y <- stats::rnorm(20)
run <- function(x_ = x, y_ = y, ..., k = 3, q = 1, B = 19, L = 20) seism(x_, y_, ..., k = k, q = q, B = B, L = L, seed = 1)
plain <- function(condition) gsub("[[:space:]]+", " ", conditionMessage(condition))

# The message, in one line, holds exactly these words.
expect_stop <- function(code, words, class = "nucleograd_error_argument") {
    condition <- expect_error(code, class = class)
    expect_match(plain(condition), words, fixed = TRUE)
    expect_s3_class(condition, "nucleograd_error")
    expect_match(deparse1(conditionCall(condition)), "^seism\\(")
}
expect_warn <- function(code, words) {
    found <- character()
    value <- withCallingHandlers(code, nucleograd_warning = function(warning) {
        found <<- c(found, plain(warning))
        invokeRestart("muffleWarning")
    })
    expect_true(any(grepl(words, found, fixed = TRUE)), label = paste0("a warning \"", words, "\" among ", paste(found, collapse = " | ")))
    invisible(value)
}
with_sequence <- function(at, sequence) replace(x, at, sequence)

test_that("sequences and responses must fit", {
    expect_stop(run(y_ = y[-1]), "x has 20 sequences but y has 19 values.")
    expect_stop(run(y_ = replace(y, c(4, 7), c(NA, Inf))),
                "y has 2 missing or infinite values (first at 4); remove them together with their sequences.")
    expect_stop(run(covariates = replace(y, 3, NaN)), "covariates has 1 missing or infinite values (first at 3)")
    expect_stop(run(covariates = data.frame(a = replace(y, 9, NA))), "covariates has 1 missing or infinite values (first at 9)")
    expect_stop(run(covariates = matrix(1, 19, 2)), "x has 20 sequences but covariates has 19 rows.")
    expect_stop(run(y_ = rep(3, 20)), "y is constant after removing the covariates; nothing to test.")
    expect_stop(run(y_ = 2 + 3 * seq_len(20), covariates = seq_len(20)), "y is constant after removing the covariates; nothing to test.")
    expect_stop(run(x_ = x[1:7], y_ = y[1:7], q = 4), "need at least r_W + q + 3 = 8 sequences, got 7.")
    expect_stop(run(x_ = x[1:5], y_ = y[1:5]), "need at least 6 sequences, got 5.")
    expect_stop(run(y_ = letters[1:20]), "`y` must be numbers")
    expect_stop(run(x_ = 1:20), "`x` must be a <DNAStringSet>")
    expect_stop(run(covariates = "batch"), "`covariates` must be a numeric matrix or a data.frame")
})

test_that("sequences must hold windows of letters", {
    expect_stop(run(x_ = with_sequence(4, "ACGTAC"), k = 8), "k = 8 is longer than sequence 4 (6 bases).")
    named <- stats::setNames(with_sequence(4, "ACGTAC"), paste0("strain_", 1:20))
    expect_stop(run(x_ = named, k = c(3, 8)), "k = 8 is longer than sequence strain_4 (6 bases).")
    expect_stop(run(x_ = with_sequence(2, "ACNACNACNAC")), "sequence 2 has no 3-base window without N.")
    expect_stop(run(x_ = with_sequence(5, "ACGTQACGT")), "sequence 5 contains 'Q' at position 5; only DNA letters are allowed.",
                "nucleograd_error_letters")
    expect_no_error(run(x_ = tolower(x)))
    expect_no_error(run(x_ = with_sequence(5, "ACGTRYKMSWBDHVNACGT")))
    expect_message(run(x_ = chartr("T", "U", x)), "Reading U as T")
})

test_that("candidates must differ and be there", {
    expect_stop(run(x_ = rep(x[1], 20)),
                "candidate motifs have the same activation in every sequence; use longer sequences, larger k or smaller bandwidth.",
                "nucleograd_error_input")
    expect_stop(run(k = 8, min_seqs = 15), "no 8-mer occurs in min_seqs = 15 sequences.", "nucleograd_error_input")
    bad <- "candidates[[2]] is not a 4 x k matrix of non-negative columns that sum to 1."
    for (pwm in list(matrix(0.25, 3, 5), matrix(0.3, 4, 5), cbind(c(-0.5, 0.5, 0.5, 0.5)), "ACG"))
        expect_stop(run(candidates = list(kmer_pwm("ACG"), pwm)), bad)
    expect_stop(run(k = 6, memory = 1e-6), "200 candidates x 20 sequences need 3e-05 GiB; raise min_seqs or lower max_candidates.",
                "nucleograd_error_memory")
    expect_stop(run(mesh = 2), "`mesh` = 2 needs candidates between k-mers")
    expect_stop(run(candidates = "lattice"), "needs a `mesh` of at least 2")
})

test_that("settings that do not go together are refused", {
    expect_stop(run(sigma = 1), "sigma is on the scale of y; use transform = 'none' with a known sigma.")
    permutation <- "test = 'permutation' is valid for the first motif without covariates; use test = 'selected'."
    expect_stop(run(test = "permutation", q = 2), permutation)
    expect_stop(run(test = "permutation", covariates = y^2), permutation)
    expect_stop(run(test = "saturated", statistic = "best"), "the closed form needs statistic = 'center'.")
    for (sampler in c("line", "cube"))
        expect_stop(run(sampler = sampler), paste0("sampler = '", sampler, "' needs a known sigma; use 'slice'."))
    expect_stop(run(sampler = "cube", sigma = 1, transform = "none"), "sampler = 'cube' needs test = 'global'")
    expect_stop(run(test = "split", split = 0.1), "Each part of the split must have at least r_W + q + 3 = 5 sequences.")
    expect_stop(run(k = 1), "`k` must be whole numbers from 2 to 15, not 1.")
    expect_stop(run(bandwidth = 0), "`bandwidth` must be one number above 0, not 0.")
    expect_stop(run(lambda = -1), "`lambda` must be one number of at least 0, not -1.")
    expect_stop(run(B = 5), "`B` must be one whole number from 19")
    expect_stop(run(stop_after = 3), "`stop_after` must be one whole number from 5 to 19, not 3.")
    expect_stop(run(alpha = 1), "`alpha` must be one number above 0 and below 1, not 1.")
    expect_stop(run(score = "r2"), "`score` must be one of")
})

test_that("what weakens a result is said", {
    few <- c("AAAA", "AAAC", "AAAC", "AAAA", "AAAC", "AAAA", "AAAC", "AAAA", "AAAA")
    fit <- expect_warn(run(x_ = few, y_ = seq_along(few) - 4.9, k = 4, q = 3),
                       "only 1 motifs could be selected: the residual is explained (or has fewer than 3 degrees of freedom).")
    expect_identical(nrow(fit$motifs), 1L)
    tie <- c("AAAA", "CCCC", "GGGG", "TTTT", "AAAA", "CCCC", "GGGG", "TTTT")
    fit <- expect_warn(run(x_ = tie, y_ = c(1, 1, -1, -1, 1, 1, -1, -1), k = 2, transform = "none"),
                       "tie exactly; the selection event has no interior.")
    expect_identical(fit$motifs$p, NA_real_)
    set.seed(3)
    expect_warn(run(y_ = stats::rexp(20)^3, transform = "none"), "y is far from Gaussian (skewness")
    expect_warn(run(y_ = rep(0:1, 10), transform = "none"), "p-values may be too small. Use transform = 'normal', test = 'permutation' or 'split'.")
    expect_warn(run(y_ = rep(0:1, 10)), "100% of y values are tied; normal scores are only approximate. Consider test = 'permutation'.")
    expect_no_warning(run(y_ = rep(0:1, 10), test = "permutation"))
    expect_warn(run(test = "global", q = 2),
                "test = 'global' is anti-conservative for motifs 2..q (type-I error near 30% at 5% after a strong first motif).")
    expect_warn(run(k = 3:4, lambda = 1), "compete on equal terms only under ridge with lambda = 0")
    expect_message(run(covariates = cbind(a = y^2, b = 2 * y^2, c = 1)), "Dropping \"b\" and \"c\"")
})

test_that("a centre that earlier motifs explain is said, where only its cell can be tested", {
    # AA and CC take two values, the same way round; the candidate of CC's cell, softened towards G, takes three
    sequences <- rep(c("AAAT", "AAGA", "CCCC"), each = 5)
    pwms <- list(kmer_pwm("AA"), cbind(c(0, 0.6, 0.4, 0), c(0, 1, 0, 0)))
    y <- rep(c(3, 3.5, 0), each = 5) + seq(-0.1, 0.1, length.out = 15)
    find <- function(statistic) run(sequences, y, candidates = pwms, q = 2, transform = "none", statistic = statistic, L = 50)
    fit <- expect_warn(find("center"), "step 2: the cell centre is explained by earlier motifs; use statistic = 'best'.")
    expect_identical(fit$motifs$consensus, c("AA", "CC"))
    expect_identical(is.na(fit$motifs$p), c(FALSE, TRUE))
    expect_false(anyNA(suppressWarnings(find("best"))$motifs$p))
})
