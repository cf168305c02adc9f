# Order, orientation and spacing from hits made by hand; exact p-values against fisher.test(), random ones against their distribution.

hand_hits <- function(sequence, motif, strand, start, width = 8) data.frame(sequence, motif, strand, start, end = start + width - 1)

hand_syntax <- function(hits, n, positive = rep(TRUE, n), draws = 199, seed = 1)
    read_syntax(hits, seq_len(n) / n, positive, 100, list(cut = 0.9, least = 10, draws = draws, seed = seed))

mirror_hits <- function(hits) transform(hits, start = 101 - end, end = 101 - start, strand = c(`+` = "-", `-` = "+", `*` = "*")[strand])

# One pair a sequence, the second hit `gap` bases behind the first.
pairs_of_hits <- function(first, gap) {
    n <- length(first)
    rbind(hand_hits(seq_len(n), "AAAC", "+", first), hand_hits(seq_len(n), "GGTC", "-", first + 8 + gap, 6))
}

test_that("a gap of five bases is one rule, whichever way it lies", {
    first <- 10 + (seq_len(200) * 7) %% 41
    hits <- pairs_of_hits(first, 5)
    turned <- hits$sequence %% 2 == 0
    hits[turned, ] <- mirror_hits(hits[turned, ])
    found <- hand_syntax(hits[sample.int(400), ], 200)
    expect_identical(found$configurations$configuration, "AAAC(+) GGTC(-)")
    expect_identical(found$configurations$n, 200L)
    expect_identical(unlist(found$spacing[c("gap", "at_gap", "lowest", "highest", "entropy")], use.names = FALSE), c(5, 1, 5, 5, 0))
    expect_identical(found$spacing$p, 1 / 200)
    expect_identical(found$gaps$n[found$gaps$gap == 5], 200L)
    expect_identical(sum(found$gaps$n), 200L)
    one <- found$hits[found$hits$place == 1, ]
    expect_identical(one$start, first)
    expect_identical(one$turned, seq_len(200) %% 2 == 0)
    longer <- transform(hits, start = start - 1, end = end + 1)                       # windows that are not trimmed
    expect_identical(hand_syntax(longer, 200)$spacing$gap, 3)
})

test_that("configurations are counted as by hand", {
    hits <- rbind(hand_hits(c(1, 1, 1), c("B", "A", "C"), c("+", "-", "*"), c(30, 10, 60)), hand_hits(2, "A", "-", 10), hand_hits(3, "A", "+", 90),
                  hand_hits(c(5, 5, 5), c("C", "B", "A"), c("*", "-", "+"), c(20, 40, 70)), hand_hits(c(6, 6), "A", c("+", "-"), c(20, 50)))
    found <- hand_syntax(hits, 6, c(TRUE, TRUE, TRUE, TRUE, FALSE, TRUE))
    table <- found$configurations[order(found$configurations$configuration, method = "radix"), ]
    expect_identical(table$configuration, c("A(+)", "A(+) A(-)", "A(-) B(+) C(*)", "none"))
    expect_identical(table$motifs, c(1L, 2L, 3L, 0L))
    expect_identical(table$n, c(2L, 1L, 1L, 1L))
    expect_equal(table$share, c(2, 1, 1, 1) / 5)
    expect_equal(table$prediction, c(2.5, 6, 1, 4) / 6)
    expect_identical(table$n_negative, c(0L, 0L, 1L, 0L))
    expect_equal(table$prediction_negative, c(NA, NA, 5 / 6, NA))
    expect_null(found$spacing)
    expect_identical(found$co_occurrence$both, c(1L, 1L, 1L))
    expect_identical(found$co_occurrence$first_only, c(3L, 3L, 0L))
    nothing <- hand_syntax(hits[0, ], 3)
    expect_identical(nothing$configurations$configuration, "none")
    expect_output(print(nothing), "Motifs together, in positive sequences: none")
})

test_that("places that do not depend on each other have uniform p-values", {
    p <- vapply(1:200, function(table) {
        random <- matrix(.Call(C_random, table, 0, 80, 40), ncol = 2)
        hits <- rbind(hand_hits(1:40, "A", "+", 1 + random[, 1], 6), hand_hits(1:40, "B", "+", 51 + random[, 2], 6))
        hand_syntax(hits, 40, draws = 99, seed = table)$spacing$p
    }, 0)
    expect_gt(suppressWarnings(stats::ks.test(p, "punif"))$p.value, 1e-3)
})

test_that("chi-square and its exact p-value are those of the textbook", {
    for (case in list(c(3, 10, 5, 40), c(0, 4, 4, 9), c(12, 20, 15, 30), c(5, 5, 9, 9), c(2, 4, 5, 10))) {
        counts <- matrix(c(case[1], case[2] - case[1], case[3] - case[1], case[4] - case[2] - case[3] + case[1]), 2)
        own <- two_by_two(case[1], case[2], case[3], case[4])
        if (min(rowSums(counts), colSums(counts)) > 0)
            expect_equal(own$chi_square, unname(suppressWarnings(stats::chisq.test(counts, correct = FALSE))$statistic), tolerance = 1e-12)
        else expect_identical(own$chi_square, 0)
        if (case[4] > 12) next
        brute <- apply(utils::combn(case[4], case[3]), 2, function(chosen) sum(chosen <= case[2]))
        apart <- abs(brute - case[2] * case[3] / case[4])
        expect_equal(own$p, mean(apart >= abs(case[1] - case[2] * case[3] / case[4]) - 1e-9), tolerance = 1e-12)
    }
})

taught <- ordered_motifs()
ordered_fit <- ordered_network()

test_that("the network tells the order and the gap it was taught", {
    found <- syntax(ordered_fit, taught, cut = 0.3, seed = 1)
    first <- motifs(ordered_fit)
    place <- found$hits[found$hits$configuration == found$spacing$configuration[1], ]
    expect_gte(found$spacing$n[1], 150)
    expect_gte(found$spacing$at_gap[1], 0.95)
    expect_lte(found$spacing$p[1], 0.005)
    # the gap between trimmed motifs: six bases, and those that trimming took off the sides that face each other
    two <- regmatches(found$spacing$configuration[1], gregexpr("[^ (]+(?=\\([+-]\\))", found$spacing$configuration[1], perl = TRUE))[[1]]
    expect_length(two, 2)
    pwms <- attr(first, "pfm")[match(two, first$motif)]
    lost <- 16 - sum(vapply(pwms, ncol, 0L))
    expect_true(found$spacing$gap[1] >= 6 && found$spacing$gap[1] <= 6 + lost)
    inner <- vapply(split(place, place$sequence), function(two) two$start[2] - two$end[1] - 1, 0)
    expect_identical(as.integer(names(which.max(table(inner)))), as.integer(found$spacing$gap[1]))
    expect_identical(sum(found$configurations$n), 300L)
    expect_identical(sum(found$configurations$n_negative), 300L)
    expect_identical(as.data.frame(found), found$configurations)
    every <- syntax(ordered_fit, as.character(taught$x), taught$y == 1, cut = 0.3, seed = 1, threads = 1)
    expect_identical(every, found)
    positives <- taught$x[taught$y == 1]
    names(positives) <- rep("same", length(positives))
    expect_identical(syntax(ordered_fit, positives, cut = 0.3, seed = 1)$spacing, found$spacing)
    for (type in c("spacing", "configurations")) expect_s3_class(ggplot2::ggplot_build(plot(found, type))$plot, "ggplot")
    expect_output(print(found), "Syntax of 300 positive sequences of 600 of 100 bp; hits: attention above 0.3; seed 1")
    expect_snapshot(error = TRUE, {
        syntax(ordered_fit, taught, taught$y)
        syntax(ordered_fit, taught$x, taught$y * 0)
        syntax(ordered_fit, taught$x, cut = 2)
        plot(syntax(ordered_fit, taught$x[1:3], seed = 1))
    })
})
