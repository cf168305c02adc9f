# The insertion test against sequences written by hand, and plots on sequences.

pair_fit <- ordered_network()
pair_data <- ordered_motifs()

test_that("epistasis is that of sequences written by hand", {
    named <- unique(motifs(pair_fit)$motif)
    negatives <- pair_data$x[pair_data$y == 0]
    found <- insertion_test(pair_fit, named[1], named[2], gaps = c(0, 6, 31), strands = c("++", "-+"), newx = negatives, n = 7, seed = 4)
    expect_identical(as.data.frame(found)$gap, rep(c(0, 6, 31), 2))
    expect_identical(insertion_test(pair_fit, named[1], named[2], c(0, 6, 31), c("++", "-+"), negatives, 7, 4, threads = 1), found)

    codes <- insertion_backgrounds(pair_fit, negatives, 7, 4, NULL, environment())
    background <- vapply(seq_len(7), function(i) paste(c("A", "C", "G", "T")[codes[, i] + 1], collapse = ""), "")
    sources <- as.character(negatives)
    pairs_of <- function(x) Biostrings::dinucleotideFrequency(Biostrings::DNAStringSet(x))
    same <- apply(pairs_of(background), 1, function(row) any(apply(pairs_of(sources), 1, identical, row)))
    expect_true(all(same))

    for (case in seq_len(nrow(found$table))) {
        row <- found$table[case, ]
        words <- named[1:2]                                            # names of motifs are their letters
        turned <- substring(row$strands, 1:2, 1:2) == "-"
        words[turned] <- as.character(Biostrings::reverseComplement(Biostrings::DNAStringSet(words[turned])))
        first <- (100 - sum(nchar(words)) - row$gap) %/% 2 + 1
        second <- first + nchar(words[1]) + row$gap
        write <- function(x, at, word) { substr(x, at, at + nchar(word) - 1) <- word; x }
        logit <- function(x) predict(pair_fit, x, "logit")
        one <- write(background, first, words[1])
        each <- logit(write(one, second, words[2])) - logit(one) - logit(write(background, second, words[2])) + logit(background)
        expect_equal(row$epistasis, mean(each), tolerance = 1e-5)
        expect_equal(row$standard_error, stats::sd(each) / sqrt(7), tolerance = 1e-5)
        expect_equal(row$both - row$first - row$second + row$neither, row$epistasis, tolerance = 1e-5)
    }
    expect_gt(max(found$table$epistasis), 3)                           # it learned that both are more than one
    expect_s3_class(ggplot2::ggplot_build(plot(found))$plot, "ggplot")
    expect_output(print(found), "into 7 backgrounds \\(shuffled sequences\\) of 100 bp, seed 4")
    expect_snapshot(error = TRUE, {
        insertion_test(pair_fit, "AAAA", named[2])
        insertion_test(pair_fit, named[1], named[2], gaps = 90)
        insertion_test(pair_fit, named[1], named[2], strands = "+")
        plot(found, "other")
    })
})

test_that("a network that does not look has no epistasis", {
    blind <- pair_fit
    at <- length(blind$state$parameters)
    blind$state$parameters[(at - blind$settings$stream):at] <- 0       # the weights of the answer
    named <- unique(motifs(blind)$motif)
    found <- insertion_test(blind, named[1], named[2], gaps = 0:2, n = 5, seed = 1)
    expect_identical(found$table$epistasis, numeric(3))
})

test_that("plots on sequences are drawn from what predict() and attribution() say", {
    one <- pair_data$x[pair_data$y == 1][3]
    drawn <- plot(pair_fit, "track", one)
    expect_s3_class(ggplot2::ggplot_build(drawn)$plot, "ggplot")
    scores <- attribution(as_model(pair_fit), one, nodes = 50)
    shown <- Filter(function(layer) is.data.frame(layer$data) && identical(levels(layer$data$panel), c("attention", "activation", "attribution")) &&
                        "letter" %in% names(layer$data), drawn$layers)
    expect_equal(shown[[1]]$data$value, rowSums(scores@scores[[1]]))
    expect_identical(paste(shown[[1]]$data$letter, collapse = ""), as.character(one[[1]]))

    curve <- plot(pair_fit, "roc", pair_data)
    expect_s3_class(ggplot2::ggplot_build(curve)$plot, "ggplot")
    own <- curve$data[grepl("network", curve$data$line), ]
    area <- sum(diff(own$false) * (utils::head(own$true, -1) + own$true[-1]) / 2)
    expect_equal(area, roc_area(predict(pair_fit, pair_data$x, "logit"), pair_data$y == 1), tolerance = 1e-9)
    expect_equal(plot(pair_fit, "roc", pair_data$x, pair_data$y == 1)$data, own)

    graph <- plot(syntax(pair_fit, pair_data, cut = 0.3, seed = 1), "graph")
    expect_s3_class(ggplot2::ggplot_build(graph)$plot, "ggplot")
    hand <- data.frame(sequence = c(1, 1, 1, 2, 2, 3), motif = c("A", "B", "A", "A", "B", "A"), strand = "+", start = c(1, 11, 21, 1, 11, 1),
                       end = c(5, 15, 25, 6, 15, 5))
    expect_identical(as.list(motif_neighbours(hand)[c("pair", "n", "gap")]),
                     list(pair = c("A(+) B(+)", "B(+) A(+)"), n = c(2L, 1L), gap = c(4, 5)))
    expect_snapshot(error = TRUE, {
        plot(pair_fit, "track", pair_data$x[1:2])
        plot(pair_fit, "roc", pair_data$x)
        plot(pair_fit, "roc", pair_data$x, rep(1, 600))
    })
})
