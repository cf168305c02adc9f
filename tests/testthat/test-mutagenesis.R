# mutagenesis() against every mutant evaluated in plain R.

flat <- what_if_networks$flat
pooled <- what_if_networks$pooled

# (positions x 4): F(x with this base) - F(x), the mean over the windows that hold the position.
brute_mutants <- function(network, genome, positions, starts, window, ...) {
    value <- function(contig, starts) mean(vapply(windows_of_contig(contig, starts, window), function(x) naive_value(network, list(x), ...), 0))
    contig <- genome[[1]]
    t(vapply(positions, function(position) {
        here <- starts[(position - starts) %% length(contig) < window]
        vapply(c("A", "C", "G", "T"), function(base) {
            mutant <- contig
            mutant[position] <- base
            value(mutant, here) - value(contig, here)
        }, 0)
    }, numeric(4)))
}

test_that("effects are those of the mutants", {
    genome <- random_genome(70, seed = 230)
    Biostrings::subseq(genome[[1]], 35, 35) <- Biostrings::DNAString("N")
    found <- mutagenesis(model_from(flat), genome, regions_on(c(1, 33, 35), c(3, 38, 44)), step = 30, output = "probability", target = 3)
    positions <- c(1:3, 33, 34, 36:44)
    expected <- brute_mutants(flat, genome, positions, c(1, 31), 40, output = "probability", target = 3)
    expect_near(found@effects[[1]][positions, ], expected)
    expect_identical(rownames(as.matrix(found)), as.character(c(1:3, 33:44)))
    expect_identical(unname(as.matrix(found)["35", ]), numeric(4))
    own <- one_hot(genome[[1]])[positions, ] == 1
    expect_identical(unname(as.matrix(found)[as.character(positions), ][own]), numeric(14))
    expect_equal(base_scores(found)[positions], -rowSums(found@effects[[1]][positions, ]) / 3)
    expect_true(all(is.na(base_scores(found)[-c(positions, 35)])))
})

test_that("a genome is mutated as a whole, over the origin too", {
    genome <- random_genome(48, seed = 231, circular = TRUE)
    found <- mutagenesis(model_from(flat), genome, step = 16)
    expect_near(found@effects[[1]][c(1, 7, 40, 48), ], brute_mutants(flat, genome, c(1, 7, 40, 48), c(1, 17, 33), 40))
    over <- mutagenesis(model_from(flat), genome, regions_on(47, 50), step = 16)
    expect_identical(as.matrix(over, "contig_1:47-48"), as.matrix(found, "contig_1:47-48"))
    expect_identical(over@effects[[1]][1:2, ], found@effects[[1]][1:2, ])
    expect_true(all(is.na(over@effects[[1]][3:46, ])))
    whole <- mutagenesis(model_from(pooled), genome)
    expect_near(whole@effects[[1]][20:22, ], brute_mutants(pooled, genome, 20:22, 1, 48))
})

test_that("threads change no bit; contigs that no window holds have no scores", {
    genome <- random_genome(60, 30, seed = 232)
    mutants <- function(threads) suppressWarnings(mutagenesis(model_from(flat), genome, threads = threads))
    expect_identical(mutants(1)@effects, mutants(2)@effects)
    expect_true(all(is.na(mutants(2)@effects$contig_2)))
})

test_that("mutants print, plot and go where attributions go", {
    found <- mutagenesis(model_from(pooled), random_genome(50, seed = 233), regions_on(11, 30))
    expect_match(utils::capture.output(found)[1], "Mutagenesis of 20 bases, 60 mutants: F(mutant) - F(x), logit of answer", fixed = TRUE)
    for (type in c("logo", "heatmap", "locus")) expect_s3_class(plot(found, type = type, region = "contig_1:11-30"), "ggplot")
    expect_identical(as(found, "GRanges")$score, base_scores(found))
    expect_identical(dim(as.matrix(found, "contig_1:12-14")), c(3L, 4L))
})
