# Sequences made from what was read: what is written where, and what evolution changes, against plain text and brute force.

rule_data <- ordered_motifs()
rule_fit <- ordered_network()
rule_read <- syntax(rule_fit, rule_data, cut = 0.3, seed = 1)

test_that("constructed sequences carry the motifs where it says", {
    made <- generate_sequences(rule_fit, 20, rule_read, seed = 5)
    expect_identical(length(made$x), 20L)
    expect_equal(made$table$prediction, predict(rule_fit, made$x), tolerance = 1e-12)
    expect_equal(made$table$shuffled, predict(rule_fit, made$shuffled), tolerance = 1e-12)
    expect_equal(made$table$original, predict(rule_fit, made$original), tolerance = 1e-12)
    expect_true(all(made$table$prediction > 0.9))
    expect_false(is.unsorted(-made$table$prediction))
    expect_lt(mean(made$table$shuffled > 0.9), 0.2)
    expect_equal(Biostrings::dinucleotideFrequency(made$shuffled), Biostrings::dinucleotideFrequency(made$original))
    pwms <- attr(motifs(rule_fit), "pfm")
    x <- do.call(rbind, strsplit(as.character(made$x), ""))
    y <- do.call(rbind, strsplit(as.character(made$shuffled), ""))
    written <- matrix(FALSE, 20, 100)
    sites <- data.frame(sequence = match(as.character(GenomicRanges::seqnames(made$sites)), names(made$x)), motif = made$sites$motif,
                        strand = as.character(GenomicRanges::strand(made$sites)), start = GenomicRanges::start(made$sites),
                        end = GenomicRanges::end(made$sites))
    for (k in seq_len(nrow(sites))) {
        row <- sites$sequence[k]
        at <- sites$start[k]:sites$end[k]
        written[row, at] <- TRUE
        pwm <- pwms[[sites$motif[k]]]
        if (sites$strand[k] == "-") pwm <- pwm[4:1, ncol(pwm):1]
        expect_identical(ncol(pwm), length(at))
        expect_true(all(pwm[cbind(match(x[row, at], c("A", "C", "G", "T")), seq_along(at))] > 0))
    }
    expect_identical(x[!written], y[!written])
    expect_identical(made$table$changes, as.integer(rowSums(x != y)))
    again <- oriented_hits(sites, 100)
    expect_identical(again$configuration[again$place == 1], made$table$configuration)
    two <- again[again$configuration == rule_read$spacing$configuration[1], ]
    gaps <- two$start[two$place == 2] - two$end[two$place == 1] - 1
    seen <- rule_read$gaps[rule_read$gaps$configuration == rule_read$spacing$configuration[1] & rule_read$gaps$n > 0, "gap"]
    expect_true(all(gaps %in% seen))
    expect_true(any(two$turned) && !all(two$turned))
    same <- generate_sequences(rule_fit, 20, rule_read, seed = 5, threads = 1)
    expect_identical(as.character(same$x), as.character(made$x))
    given <- generate_sequences(rule_fit, 5, rule_read, background = rule_data$x[rule_data$y == 0], seed = 1)
    expect_true(all(as.character(given$original) %in% as.character(rule_data$x)))
    expect_output(print(given), "5 sequences of 100 bp, constructed from motifs; above 0.9; seed 1")
    expect_identical(as.data.frame(given), given$table)
})

test_that("evolution makes the best single change, and never a bad one", {
    start <- rule_data$x[rule_data$y == 0][1:3]
    for (k in seq_along(start)) {
        text <- strsplit(as.character(start[[k]]), "")[[1]]
        mutants <- unlist(lapply(seq_along(text), function(i) vapply(setdiff(c("A", "C", "G", "T"), text[i]), function(base) {
            text[i] <- base
            paste(text, collapse = "")
        }, "")), use.names = FALSE)
        p <- predict(rule_fit, mutants)
        made <- generate_sequences(rule_fit, 1, method = "evolve", background = start[k], min_p = max(p) * (1 - 1e-9), seed = 1)
        expect_identical(as.character(made$x[[1]]), mutants[which.max(p)])
        expect_identical(made$table$changes, 1L)
    }
    made <- generate_sequences(rule_fit, 4, method = "evolve", seed = 2)
    expect_true(all(predict(rule_fit, made$x, "logit") > predict(rule_fit, made$original, "logit")))
    expect_true(all(made$table$changes <= 30))
    for (k in which(made$table$prediction <= 0.9 & made$table$changes < 30)) {         # it stopped where no change helps
        mutants <- generate_sequences(rule_fit, 1, method = "evolve", background = made$x[k], min_p = 1 - 1e-12)
        expect_identical(mutants$table$changes, 0L)
    }
    expect_identical(length(made$sites), 0L)
    expect_output(print(made), "evolved base by base")
})

test_that("generate_sequences() says what it needs", {
    other <- rule_read
    other$hits$motif <- "ACGT"
    none <- rule_read
    none$hits <- none$hits[0, ]
    expect_snapshot(error = TRUE, {
        generate_sequences(rule_fit)
        generate_sequences(rule_fit, syntax = other)
        generate_sequences(rule_fit, syntax = none)
        generate_sequences(rule_fit, syntax = rule_read, background = "ACGT")
        generate_sequences(rule_fit, 2, rule_read, min_p = 0.9999999, seed = 1)
        generate_sequences(rule_fit, 0, rule_read)
    })
})

test_that("motifs of a network go into MEME files, each once", {
    file <- write_meme_motifs(rule_fit, tempfile(fileext = ".meme"))
    back <- read_meme_motifs(file)
    table <- motifs(rule_fit)
    expect_setequal(names(back), table$motif)
    expect_equal(back, attr(table, "pfm")[names(back)], tolerance = 2e-6)
    beside <- utils::read.delim(sub("meme$", "tsv", file))
    expect_identical(beside$motif, names(back))
    expect_equal(beside$n_windows, table$n_windows[match(beside$filter, table$filter)])
    expect_identical(match_motifs(back, list(known = simple_pwm("TTCAGCAC")), top = 1)$match, rep("known", length(back)))
    blind <- rule_fit
    blind$filters$pass <- FALSE
    expect_error(write_meme_motifs(blind, file), "none of its filters is one", class = "nucleograd_error_argument")
    skip_if_not_installed("TFBSTools")
    expect_identical(names(as_tfbstools(rule_fit)), names(back))
})
