# Predictions of windows, contigs and arrays against an evaluation in plain R, and what people may type.

two_layers <- toy_network(c(20, 4), conv(random_array(c(5, 4, 6), 51), random_array(6, 52)), activation("relu"), max_pool(2),
                          flatten(), dense(random_array(c(60, 3), 53)), activation("softmax"))
windowed <- model_from(two_layers)
open_network <- toy_network(c(NA, 4), conv(random_array(c(5, 4, 6), 54)), activation("relu"), toy_layer("GlobalMaxPooling1D"),
                            dense(random_array(c(6, 1), 55)), activation("sigmoid"))
open_length <- model_from(open_network)
naive_predict <- function(network, sequence) as.vector(naive_run(network, list(one_hot(sequence)))[[network$outputs]]$y)
numbers <- function(predictions) as.matrix(as.data.frame(S4Vectors::mcols(predictions)))

test_that("windows have coordinates, and the values of their letters", {
    genome <- random_genome(53, 20, seed = 1)
    found <- predict(windowed, genome, step = 15)
    expect_s4_class(found, "GRanges")
    expect_identical(as.character(GenomicRanges::seqnames(found)), rep(c("contig_1", "contig_2"), c(4, 1)))
    expect_identical(BiocGenerics::start(found), c(1L, 16L, 31L, 34L, 1L))
    expect_identical(unique(BiocGenerics::width(found)), 20L)
    expect_identical(GenomeInfoDb::seqlengths(found), c(contig_1 = 53L, contig_2 = 20L))
    for (k in seq_along(found)) {
        contig <- genome[[as.character(GenomicRanges::seqnames(found))[k]]]
        naive <- naive_predict(two_layers, Biostrings::subseq(contig, BiocGenerics::start(found)[k], width = 20))
        expect_equal(numbers(found)[k, ], naive, ignore_attr = TRUE, tolerance = 1e-6)                     # float32
    }
})

test_that("without a step windows lie side by side, the last one aligned to the end", {
    starts <- function(length_bp, ...) BiocGenerics::start(predict(windowed, random_genome(length_bp), ...))
    expect_identical(starts(40), c(1L, 21L))
    expect_identical(starts(41), c(1L, 21L, 22L))
    expect_identical(starts(20, step = 1), 1L)
    expect_identical(starts(22, step = 1), 1:3)
})

test_that("a genome and the arrays of its windows give the same bits", {
    genome <- random_genome(41, seed = 2)
    windows <- Biostrings::subseq(rep(genome, 3), c(1, 21, 22), width = 20)
    expect_identical(numbers(predict(windowed, genome)), predict(windowed, one_hot_array(windows)), ignore_attr = TRUE)
})

test_that("windows of a circular contig run over the origin", {
    genome <- random_genome(50, seed = 3, circular = TRUE)
    found <- predict(windowed, genome)
    expect_identical(BiocGenerics::end(found), c(20L, 40L, 60L))
    over <- Biostrings::xscat(Biostrings::subseq(genome, 41, 50), Biostrings::subseq(genome, 1, 10))
    expect_identical(numbers(found)[3, ], predict(windowed, one_hot_array(over))[1, ], ignore_attr = TRUE)
})

test_that("a model of any length reads whole contigs, windows when asked, and arrays of any length", {
    genome <- random_genome(53, 90, seed = 4)
    whole <- predict(open_length, genome)
    expect_identical(BiocGenerics::width(whole), c(53L, 90L))
    naive <- c(naive_predict(open_network, genome[[1]]), naive_predict(open_network, genome[[2]]))
    expect_equal(whole$answer, naive, tolerance = 1e-6)                                                # float32
    cut <- predict(open_length, genome[2], window = 40, step = 50)
    expect_identical(BiocGenerics::start(cut), c(1L, 51L))
    expect_identical(cut$answer[2], predict(open_length, one_hot_array(Biostrings::subseq(genome[2], 51, 90)))[1])
})

test_that("columns are named by the outputs, and by the unit where an output has several", {
    expect_identical(colnames(numbers(predict(windowed, random_genome(20)))), paste0("answer_", 1:3))
    heads <- read_model(fixture_path("deepg", "heads.h5"))
    sizes <- vapply(heads@outputs, prod, 0)
    found <- predict(heads, random_genome(60, seed = 5))
    expect_identical(colnames(numbers(found)), paste0(rep(names(sizes), sizes), "_", sequence(sizes)))
    arrays <- predict(heads, one_hot_array(random_genome(60, seed = 5)))
    expect_named(arrays, names(sizes))
    expect_identical(unlist(arrays, use.names = FALSE), as.vector(numbers(found)))
})

test_that("answers keep their axes", {
    rows <- model_from(toy_network(c(NA, 4), conv(random_array(c(3, 4, 2), 56))))
    expect_identical(dim(predict(rows, one_hot_array(random_genome(17)))), c(1L, 17L, 2L))
    expect_identical(dim(predict(windowed, one_hot_array(random_genome(20, 20)))), c(2L, 3L))
})

test_that("overlapping windows that share a trunk have the values of windows by themselves", {
    same <- toy_network(c(60, 4), conv(random_array(c(7, 4, 16), 61) / 4, random_array(16, 62)), activation("relu"), max_pool(3),
                        conv(random_array(c(5, 16, 16), 63) / 8), activation("relu"), max_pool(2), flatten(),
                        dense(random_array(c(160, 2), 64) / 16), activation("softmax"))
    lstm <- toy_layer("LSTM", units = 4, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE, return_sequences = FALSE,
                      go_backwards = FALSE, weights = list(random_array(c(16, 16), 65), random_array(c(4, 16), 66), random_array(16, 67)))
    valid <- toy_network(c(60, 4), conv(random_array(c(7, 4, 16), 61) / 4, padding = "valid"), activation("relu"), max_pool(4), lstm)
    genome <- random_genome(700, 62, 333, seed = 68)
    Biostrings::subseq(genome[[1]], 101, 107) <- Biostrings::DNAString("NNNRNNN")
    for (circular in c(FALSE, TRUE)) {
        S4Vectors::mcols(genome)$circular <- circular
        for (network in list(same, valid)) {
            model <- model_from(network)
            for (step in c(1, 4, 7, 12, 59)) {
                found <- predict(model, genome, step = step)
                twice <- Biostrings::xscat(genome, genome)
                windows <- Biostrings::subseq(twice[match(as.character(GenomicRanges::seqnames(found)), names(genome))],
                                              BiocGenerics::start(found), width = 60)
                expect_equal(numbers(found), predict(model, one_hot_array(windows)), ignore_attr = TRUE, tolerance = 1e-6)  # float32
            }
        }
    }
})

test_that("threads change no bit", {
    genome <- random_genome(300, seed = 6)
    expect_identical(predict(windowed, genome, step = 3, threads = 2), predict(windowed, genome, step = 3, threads = 1))
})

test_that("a call that does not fit the memory it may take says so; Inf is no limit", {
    old <- options(nucleograd.memory_bytes = 1000)
    on.exit(options(old))
    expect_error(predict(windowed, random_genome(40)), class = "nucleograd_error_memory")
    expect_error(attribution(windowed, random_genome(40)), class = "nucleograd_error_memory")
    expect_error(predict(windowed, one_hot_array(random_genome(20))), class = "nucleograd_error_memory")
    options(nucleograd.memory_bytes = Inf)
    expect_length(predict(windowed, random_genome(40)), 2)
})

test_that("errors come in the name of the verb", {
    verb <- function(code) as.character(conditionCall(expect_error(code, class = "nucleograd_error"))[[1]])
    genome <- random_genome(40)
    expect_identical(verb(predict(windowed, genome, step = 0)), "predict")
    expect_identical(verb(predict(windowed, genome, threads = 0)), "predict")
    expect_identical(verb(predict(windowed, array(0, c(1, 19, 4)))), "predict")
    expect_identical(verb(attribution(windowed, genome, threads = 0)), "attribution")
    expect_identical(verb(attribution(windowed, genome, baseline = 1)), "attribution")
    expect_identical(verb(attribution(windowed, genome, target = 9)), "attribution")
    old <- options(nucleograd.memory_bytes = 1000)
    on.exit(options(old))
    expect_identical(verb(predict(windowed, genome)), "predict")                 # the core's own error
    expect_identical(verb(attribution(windowed, genome)), "attribution")
})

test_that("errors say what was wrong, what was given and what is allowed", {
    genome <- random_genome(40)
    two_inputs <- read_model(fixture_path("deepg", "target_middle.h5"))
    rows <- model_from(toy_network(c(NA, 4), conv(random_array(c(3, 4, 2), 56))))
    channels <- model_from(toy_network(c(20, 3), flatten(), dense(matrix(0, 60, 1))))
    expect_snapshot(error = TRUE, {
        predict(windowed, "ACGT")
        predict(windowed, genome, stepp = 3)
        predict(windowed, genome, step = 0)
        predict(windowed, genome, step = 1.5)
        predict(windowed, genome, window = 30)
        predict(windowed, genome, threads = "two")
        predict(windowed, genome[0])
        predict(windowed, unname(genome))
        predict(windowed, random_genome(19, 5))
        predict(channels, genome)
        predict(two_inputs, genome)
        predict(rows, genome)
    })
    expect_snapshot(error = TRUE, {
        predict(windowed, array(0, c(2, 19, 4)))
        predict(windowed, array("A", c(2, 20, 4)))
        predict(windowed, array(NA_real_, c(2, 20, 4)))
        predict(windowed, array(0, c(0, 20, 4)))
        predict(windowed, matrix(0, 20, 4))
        predict(windowed, array(0, c(2, 20, 4)), step = 5)
        predict(two_inputs, array(0, c(1, 21, 4)))
        predict(two_inputs, list(array(0, c(1, 21, 4)), array(0, c(2, 20, 4))))
        predict(open_length, array(0, c(1, 20, 5)))
    })
    expect_snapshot(error = TRUE, {
        attribution("windowed", genome)
        attribution(windowed, genome, method = "shapley")
        attribution(windowed, genome, nodes = 0)
        attribution(windowed, genome, rule = "simpson")
        attribution(windowed, genome, target = 4)
        attribution(windowed, genome, output = "log")
        attribution(windowed, genome, baseline = "shuffled")
        attribution(windowed, genome, baseline = matrix(0.25, 19, 4))
        attribution(windowed, array(0.25, c(2, 20, 4)), baseline = 1:3)
        attribution(windowed, array(0.25, c(2, 20, 4)), window = 20)
        attribution(two_inputs, list(array(0, c(1, 21, 4)), array(0, c(1, 20, 4))), baseline = list("uniform"))
        attribution(rows, genome)
        base_scores(attribution(windowed, genome, nodes = 1), "contig_2")
    })
    old <- options(nucleograd.memory_bytes = "1 GB", nucleograd.threads = 0)
    on.exit(options(old))
    expect_snapshot(error = TRUE, {
        predict(windowed, genome, threads = 1)
        predict(windowed, genome)
    })
})
