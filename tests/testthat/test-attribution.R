# Integrated gradients against closed forms and an evaluation in plain R (helper-naive.R), and what must not change a bit.

# ---- networks of these tests ----

linear_bp <- 12
linear_weights <- random_array(c(4 * linear_bp, 1), seed = 3)
linear <- toy_network(c(linear_bp, 4), flatten(), dense(linear_weights, 0.5), activation("sigmoid"))
linear_model <- model_from(linear)

conv_network <- toy_network(c(30, 4), conv(random_array(c(5, 4, 6), 11), random_array(6, 12)), activation("relu"), max_pool(2),
                            conv(random_array(c(3, 6, 5), 13), padding = "valid"), activation("relu"), flatten(),
                            dense(random_array(c(65, 3), 14)), activation("softmax"))
conv_model <- model_from(conv_network)

whole_network <- toy_network(c(NA, 4), conv(random_array(c(5, 4, 6), 21), random_array(6, 22)), activation("relu"),
                             toy_layer("GlobalAveragePooling1D"), dense(random_array(c(6, 1), 23)), activation("sigmoid"))
whole_model <- model_from(whole_network)

midpoint <- function(nodes) list((seq_len(nodes) - 0.5) / nodes, rep(1 / nodes, nodes))
uniform <- function(x) matrix(1 / ncol(x), nrow(x), ncol(x))
naive_genome_scores <- function(network, sequence, nodes, ...) {
    x <- one_hot(sequence)
    naive_scores(network, list(x), list(uniform(x)), midpoint(nodes)[[1]], midpoint(nodes)[[2]], ...)[[1]]
}

# float32 gradients of a few hundred sums, float64 from there on
expect_scores <- function(ours, naive) {
    testthat::expect_identical(dim(ours), dim(naive))
    testthat::expect_lt(max(abs(ours - naive)), 1e-5 * max(abs(naive)))
}

# ---- closed forms ----

test_that("a linear model gets its weights times the difference, for any number of nodes and every rule", {
    genome <- random_genome(linear_bp)
    expected <- matrix(linear_weights, ncol = 4, byrow = TRUE) * (one_hot(genome[[1]]) - 0.25)
    for (rule in c("midpoint", "trapezoid", "gauss-legendre"))
        for (nodes in c(1, 2, 7, 64)) {
            scores <- attribution(linear_model, genome, nodes = nodes, rule = rule)@scores$contig_1
            expect_equal(unname(scores), expected, tolerance = 65 * 2^-24)       # a float32 sum of as many weights as nodes
        }
    # a weight of 1/64 and half weights of the linear network are whole in float32
    expect_identical(unname(attribution(linear_model, genome, nodes = 64)@scores$contig_1), expected)
})

test_that("the gradient is the derivative itself, all four channels", {
    genome <- random_genome(linear_bp)
    gradient <- attribution(linear_model, genome, method = "gradient")
    expect_identical(unname(gradient@scores$contig_1), matrix(linear_weights, ncol = 4, byrow = TRUE))
    expect_identical(gradient@windows$gap, NA_real_)
    expect_output(show(gradient), "the gradient")
})

test_that("one unit behind a ReLU gets the part of the path on which it is active", {
    # z runs from -3/4 to 1/4 and is positive on the last quarter of the path: 2 of 8 midpoints
    unit <- toy_network(c(1, 4), flatten(), dense(matrix(c(1, 0, 0, 0), 4), -0.75), activation("relu"))
    model <- model_from(unit)
    x <- array(c(1, 0, 0, 0), c(1, 1, 4))
    scores <- attribution(model, x, baseline = c(0, 1, 0, 0), nodes = 8)
    expect_identical(as.vector(scores), c(0.25, 0, 0, 0))
    expect_identical(attr(scores, "windows"), data.frame(output = 0.25, baseline_output = 0, attributed = 0.25, gap = 0))
    # (1/2 at the kink, which counts as inactive; 1 at the end, which weighs 1/8)
    kink <- attribution(model, x, baseline = c(0, 1, 0, 0), nodes = 4, rule = "trapezoid")
    expect_identical(as.vector(kink), c(0.125, 0, 0, 0))
})

test_that("of equal rows in a pool the first wins, at a baseline without letters too", {
    pooled <- toy_network(c(3, 4), max_pool(3), flatten(), dense(matrix(c(1, 2, 4, 8), 4)))
    x <- array(0, c(1, 3, 4))
    x[1, 2:3, 1] <- 1
    gradient <- attribution(model_from(pooled), x, method = "gradient")
    expect_identical(gradient[1, , ], rbind(c(0, 2, 4, 8), c(1, 0, 0, 0), c(0, 0, 0, 0)))
})

# ---- rules ----

test_that("weights of every rule sum to 1, and each integrates powers up to its degree", {
    rules <- list(midpoint = function(n) 1, trapezoid = function(n) 1, "gauss-legendre" = function(n) 2 * n - 1)
    for (rule in names(rules))
        for (nodes in c(1:12, 50, 137)) {
            path <- nucleograd:::path_rule(nodes, rule)
            expect_lt(abs(sum(path[[2]]) - 1), 1e-15 * if (nodes > 12) 4 else 1)  # R adds up in long double, once rounded
            expect_true(all(path[[1]] >= 0 & path[[1]] <= 1))
            expect_false(is.unsorted(path[[1]], strictly = TRUE))
            expect_length(path[[1]], nodes + (rule == "trapezoid"))
            powers <- 0:min(rules[[rule]](nodes), 60)
            integrals <- vapply(powers, function(power) sum(path[[2]] * path[[1]]^power), 0)
            expect_equal(integrals, 1 / (powers + 1), tolerance = 1e-13, label = paste(rule, nodes))
        }
})

test_that("the trapezoid rule of m nodes reads m + 1 points with both ends, as deepG does", {
    expect_identical(nucleograd:::path_rule(4, "trapezoid"), list(c(0, 0.25, 0.5, 0.75, 1), c(1, 2, 2, 2, 1) / 8))
    sequence <- random_genome(30)[[1]]
    x <- one_hot(sequence)
    weights <- c(0.5, 1, 1, 1, 1, 0.5) / 5
    expected <- naive_scores(conv_network, list(x), list(uniform(x)), (0:5) / 5, weights, output = "probability")[[1]]
    scores <- attribution(conv_model, one_hot_array(sequence), nodes = 5, rule = "trapezoid", output = "probability")
    expect_scores(scores[1, , ], expected)
})

# ---- networks of model files, against the evaluation in plain R ----

naive_fixtures <- c("stacks/conv_flatten", "stacks/conv_global", "stacks/conv_global_max", "stacks/dense", "stacks/residual",
                    "deepg/average", "deepg/flatten", "deepg/heads", "deepg/residual", "deepg/size_reduction", "deepg/labels",
                    "genomenet/both_strands", "genomenet/gap", "genomenet/gap_residual")

# One sample for each input: a sequence, or numbers where the input is none.
one_sample <- function(model) {
    unname(Map(function(shape, at) {
        if (length(shape) == 2) return(one_hot_array(random_genome(if (is.na(shape[1])) 47 else shape[1], seed = at)))
        array(random_array(shape, at), c(1, shape))
    }, model@inputs, seq_along(model@inputs)))
}
as_matrix <- function(array) matrix(array, prod(dim(array)[-length(dim(array))]))

test_that("scores and completeness gaps are those of an independent evaluation in double precision", {
    for (name in naive_fixtures) {
        network <- nucleograd:::parse_keras(fixture_path(paste0(name, ".h5")))
        model <- read_model(fixture_path(paste0(name, ".h5")))
        arrays <- one_sample(model)
        target <- sum(vapply(model@outputs, prod, 0))
        x <- lapply(arrays, as_matrix)
        baseline <- lapply(x, uniform)
        for (output in c("logit", "probability")) {
            nodes <- if (output == "logit") 50 else 7
            expected <- naive_scores(network, x, baseline, midpoint(nodes)[[1]], midpoint(nodes)[[2]], target, output)
            scores <- attribution(model, one_or_list(arrays), nodes = nodes, target = target, output = output)
            check <- attr(scores, "windows")
            found <- lapply(as_plain_list(scores), as_matrix)
            label <- paste(name, output)
            scale <- max(abs(unlist(expected)))
            expect_lt(max(abs(unlist(found) - unlist(expected))), 1e-5 * scale, label = label)
            # float32 outputs: 2e-6 of their size, or of 1, since terms of that size cancel
            ends <- c(naive_value(network, x, target, output), naive_value(network, baseline, target, output))
            expect_lt(max(abs(c(check$output, check$baseline_output) - ends)), 2e-6 * max(1, abs(ends)), label = label)
            expect_equal(check$attributed, sum(unlist(found)), tolerance = 1e-12, label = label) # the same sum in another order
            expect_identical(check$gap, check$attributed - (check$output - check$baseline_output), label = label)
            gap <- sum(unlist(expected)) - (ends[1] - ends[2])
            expect_lt(abs(check$gap - gap), 1e-5 * max(1, scale, abs(ends)), label = label)
        }
    }
})

test_that("the gap closes as nodes are added", {
    genome <- random_genome(30, seed = 4)
    gap <- function(nodes) abs(attribution(conv_model, genome, nodes = nodes)@windows$gap)
    explained <- attribution(conv_model, genome, nodes = 1)@windows
    expect_lt(gap(5000), 1e-3 * abs(explained$output - explained$baseline_output))
    expect_lt(gap(5000), gap(5))
})

test_that("a sequence that is its own baseline scores exactly 0", {
    x <- one_hot_array(c(random_genome(30), random_genome(30, seed = 2)))
    scores <- attribution(conv_model, x, baseline = x, target = 2)
    expect_true(all(scores == 0))
    check <- attr(scores, "windows")
    expect_identical(check$output, check$baseline_output)
    expect_identical(check$gap, c(0, 0))
})

# ---- output and target ----

test_that("a softmax logit is taken minus the mean of the others, a sigmoid's is the log-odds", {
    x <- one_hot_array(random_genome(30, seed = 5))
    p <- predict(conv_model, x)
    for (target in 1:3) {
        check <- attr(attribution(conv_model, x, nodes = 1, target = target), "windows")
        expect_equal(check$output, log(p[target]) - mean(log(p[-target])), tolerance = 1e-5)          # p has 24 bits
        check <- attr(attribution(conv_model, x, nodes = 1, target = target, output = "probability"), "windows")
        expect_identical(check$output, p[target])
    }
    x <- one_hot_array(random_genome(linear_bp))
    logit <- attr(attribution(linear_model, x, nodes = 1), "windows")$output
    expect_equal(logit, stats::qlogis(predict(linear_model, x)[1]), tolerance = 1e-5)
})

test_that("targets count through all outputs", {
    model <- read_model(fixture_path("deepg", "heads.h5"))
    sizes <- vapply(model@outputs, prod, 0)
    expect_gt(length(sizes), 1)
    x <- one_sample(model)[[1]]
    p <- unlist(predict(model, x), use.names = FALSE)
    found <- vapply(seq_len(sum(sizes)), function(target) {
        attr(attribution(model, x, nodes = 1, target = target, output = "probability"), "windows")$output
    }, 0)
    expect_identical(found, p)
})

test_that("a model that ends in neither sigmoid nor softmax is explained as it is, and the result says so", {
    model <- model_from(toy_network(c(linear_bp, 4), flatten(), dense(linear_weights, 0.5)))
    genome <- random_genome(linear_bp)
    result <- attribution(model, genome, nodes = 2)
    expect_identical(result@settings$output, "output")
    expect_identical(result@windows$output, as.vector(predict(model, one_hot_array(genome))))
})

# ---- windows ----

test_that("a base's score is the mean over the windows that cover it; the last window ends where the contig does", {
    genome <- random_genome(101, 30, seed = 6)
    result <- attribution(conv_model, genome, nodes = 3, step = 12)
    starts <- c(1, 13, 25, 37, 49, 61, 72)
    expect_identical(BiocGenerics::start(result@windows), as.integer(c(starts, 1)))
    expect_true(all(BiocGenerics::width(result@windows) == 30))
    sums <- times <- matrix(0, 101, 4)
    for (start in starts) {
        here <- start:(start + 29)
        alone <- attribution(conv_model, one_hot_array(Biostrings::subseq(genome[[1]], start, width = 30)), nodes = 3)
        sums[here, ] <- sums[here, ] + alone[1, , ]
        times[here, ] <- times[here, ] + 1
    }
    expect_identical(unname(result@scores$contig_1), sums / times)               # the same sums in the same order
})

test_that("windows that share layers are explained as by themselves, on both strands, over the origin and beside N", {
    model <- model_from(toy_network(c(200, 4), conv(random_array(c(5, 4, 16), 1)), activation("tanh"), conv(random_array(c(5, 16, 16), 2)), flatten(),
                                    dense(random_array(c(3200, 1), 3))))
    genome <- random_genome(900, seed = 11, circular = TRUE)
    Biostrings::subseq(genome[[1]], 300, 304) <- Biostrings::DNAString("NRYNN")
    twice <- Biostrings::xscat(genome[[1]], genome[[1]])
    shared <- attribution(model, genome, baseline = "composition", nodes = 3, step = 10, strand = "both")
    alone <- lapply(BiocGenerics::start(shared@windows), function(start) {
        window <- Biostrings::DNAStringSet(list(contig_1 = Biostrings::subseq(twice, start, width = 200)))
        frequencies <- colSums(Biostrings::alphabetFrequency(genome)[, c("A", "C", "G", "T"), drop = FALSE])
        attribution(model, window, baseline = frequencies / sum(frequencies), nodes = 3, strand = "both")
    })
    sums <- Reduce(function(so_far, w) {
        here <- (BiocGenerics::start(shared@windows)[w] + 0:199 - 1) %% 900 + 1
        so_far[here, ] <- so_far[here, ] + alone[[w]]@scores[[1]]
        so_far
    }, seq_along(alone), matrix(0, 900, 4))
    expect_lt(max(abs(shared@scores[[1]] - sums / 20)), 1e-5 * max(abs(shared@scores[[1]])))    # float32 sums of some hundred terms
    checks <- do.call(rbind, lapply(alone, function(one) as.data.frame(S4Vectors::mcols(one@windows))))
    # the same beside the outputs, of which the gap is a difference
    expect_lt(max(abs(as.matrix(S4Vectors::mcols(shared@windows)) - as.matrix(checks))), 1e-5 * max(abs(checks$output)))
    same <- lapply(1:3, function(threads) attribution(model, genome, nodes = 3, step = 10, threads = threads)@scores)
    expect_identical(same[[2]], same[[1]])
    expect_identical(same[[3]], same[[1]])
})

test_that("bases that no window covers have no score", {
    genome <- random_genome(95)
    scores <- attribution(conv_model, genome, nodes = 1, step = 40)@scores[[1]]  # windows 1-30, 41-70, 66-95
    expect_identical(which(is.na(scores[, 1])), 31:40)
    expect_false(anyNA(scores[-(31:40), ]))
})

test_that("a genome and the array of its letters give the same bits", {
    genome <- random_genome(60, seed = 7)
    result <- attribution(conv_model, genome, nodes = 6)
    halves <- Biostrings::subseq(rep(genome, 2), c(1, 31), c(30, 60))
    scores <- attribution(conv_model, one_hot_array(halves), nodes = 6)
    expect_identical(unname(result@scores[[1]]), rbind(scores[1, , ], scores[2, , ]))
    expect_identical(as.data.frame(S4Vectors::mcols(result@windows)), attr(scores, "windows"))
})

test_that("scores of a rotated circular genome are the rotated scores", {
    genome <- random_genome(72, seed = 8, circular = TRUE)
    letters <- as.character(genome[[1]])
    for (case in list(c(step = 1, by = 17), c(step = 9, by = 27))) {             # every base begins a window, or windows coincide
        rotated <- genome
        rotated[[1]] <- Biostrings::DNAString(paste0(substring(letters, case["by"] + 1), substring(letters, 1, case["by"])))
        plain <- attribution(conv_model, genome, nodes = 2, step = case[["step"]])
        turned <- attribution(conv_model, rotated, nodes = 2, step = case[["step"]])
        order <- (seq_len(72) + case["by"] - 1) %% 72 + 1
        # sums over the same windows in another order, in float64
        expect_equal(turned@scores[[1]], plain@scores[[1]][order, ], tolerance = 1e-14)
        each <- length(plain@windows)
        expect_identical(turned@windows$gap, plain@windows$gap[(seq_len(each) + case["by"] / case["step"] - 1) %% each + 1])
    }
})

test_that("a window over the origin of a circular contig ends beyond it", {
    result <- attribution(conv_model, random_genome(70, circular = TRUE), nodes = 1)
    expect_identical(BiocGenerics::end(result@windows), c(30L, 60L, 90L))
    expect_false(anyNA(result@scores[[1]]))
})

test_that("letters that are no base are rows of zeros and score 0", {
    genome <- random_genome(75, seed = 9)
    Biostrings::subseq(genome[[1]], 10, 14) <- Biostrings::DNAString("NRYNN")
    result <- attribution(conv_model, genome, nodes = 4, step = 15)
    expect_true(all(result@scores[[1]][10:14, ] == 0))
    expect_false(anyNA(result@scores[[1]]))
    x <- one_hot(Biostrings::subseq(genome[[1]], 1, 30))
    baseline <- uniform(x) * rowSums(x)
    expected <- naive_scores(conv_network, list(x), list(baseline), midpoint(4)[[1]], midpoint(4)[[2]])[[1]]
    expect_scores(unname(attribution(conv_model, Biostrings::subseq(genome, 1, 30), nodes = 4)@scores[[1]]), expected)
    nothing <- genome
    nothing[[1]] <- Biostrings::DNAString(strrep("N", 75))
    expect_true(all(attribution(conv_model, nothing, nodes = 2, baseline = "composition")@scores[[1]] == 0))
})

test_that("contigs are scored one by one, as if alone, in the order given", {
    genome <- random_genome(64, 30, 77, seed = 10)
    together <- attribution(conv_model, genome, nodes = 3, step = 10)
    expect_named(together@scores, names(genome))
    for (contig in names(genome)) {
        alone <- attribution(conv_model, genome[contig], nodes = 3, step = 10)
        expect_identical(together@scores[[contig]], alone@scores[[contig]])
    }
    expect_identical(base_scores(together, "contig_3"), rowSums(together@scores[[3]]))
})

test_that("contigs shorter than a window are left out with a warning, and are an error alone", {
    genome <- random_genome(64, 29, seed = 10)
    expect_warning(result <- attribution(conv_model, genome, nodes = 1), class = "nucleograd_warning_short")
    expect_true(all(is.na(result@scores$contig_2)))
    expect_identical(dim(result@scores$contig_2), c(29L, 4L))
    expect_error(attribution(conv_model, genome[2], nodes = 1), class = "nucleograd_error_contigs")
})

test_that("a model of any length reads whole contigs, or windows when asked", {
    genome <- random_genome(53, 41, seed = 12)
    result <- attribution(whole_model, genome, nodes = 10)
    expect_identical(BiocGenerics::width(result@windows), c(53L, 41L))
    for (contig in 1:2)
        expect_scores(unname(result@scores[[contig]]), naive_genome_scores(whole_network, genome[[contig]], 10))
    cut <- attribution(whole_model, genome[2], nodes = 10, window = 20, step = 21)
    last <- Biostrings::subseq(genome[[2]], 22, 41)
    expect_scores(unname(cut@scores[[1]][22:41, ]), naive_genome_scores(whole_network, last, 10))
    expect_true(all(is.na(cut@scores[[1]][21, ])))
})

# ---- baselines ----

test_that("words, numbers, matrices and arrays name the same baselines", {
    genome <- random_genome(60, seed = 13)
    scores <- function(baseline) attribution(conv_model, genome, baseline = baseline, nodes = 2)@scores
    expect_identical(scores(rep(0.25, 4)), scores("uniform"))
    expect_identical(scores(matrix(0.25, 30, 4)), scores("uniform"))
    counts <- Biostrings::alphabetFrequency(genome)[1, 1:4]
    expect_identical(scores(counts / sum(counts)), scores("composition"))
    expect_warning(zero <- scores("zero"), class = "nucleograd_warning_zero_baseline")
    expect_no_warning(given <- scores(numeric(4)))
    expect_identical(given, zero)

    x <- one_hot_array(Biostrings::subseq(rep(genome, 2), c(1, 31), c(30, 60)))
    of_array <- function(baseline) attribution(conv_model, x, baseline = baseline, nodes = 2)
    rows <- random_array(c(30, 4), 15)
    expect_identical(unname(scores(rows)[[1]]), rbind(of_array(rows)[1, , ], of_array(rows)[2, , ]))
    each <- aperm(array(rows, c(30, 4, 2)), c(3, 1, 2))
    expect_identical(of_array(each), of_array(rows))
    each[2, , ] <- 0.25
    expect_identical(of_array(each)[1, , ], of_array(rows)[1, , ])
    expect_identical(of_array(each)[2, , ], of_array("uniform")[2, , ])
})

test_that("a baseline with a row for each base is laid over every window from its start", {
    genome <- random_genome(42, seed = 16)
    rows <- random_array(c(30, 4), 17)
    x <- one_hot(Biostrings::subseq(genome[[1]], 13, 42))
    expected <- naive_scores(conv_network, list(x), list(rows), midpoint(3)[[1]], midpoint(3)[[2]])[[1]]
    result <- attribution(conv_model, genome, baseline = rows, nodes = 3, step = 60)
    expect_scores(unname(result@scores[[1]][31:42, ]), expected[19:30, ])
})

test_that("several inputs take a list of arrays and one baseline, or one each", {
    model <- read_model(fixture_path("deepg", "target_middle.h5"))
    arrays <- one_sample(model)
    one <- attribution(model, arrays, nodes = 3)
    expect_identical(lapply(one, dim), lapply(arrays, dim))
    expect_identical(attribution(model, arrays, baseline = list("uniform", rep(0.25, 4)), nodes = 3), one)
    other <- attribution(model, arrays, baseline = list("uniform", arrays[[2]]), nodes = 3)
    expect_true(all(other[[2]] == 0))
    expect_identical(other[[1]], one[[1]])                                       # the logit is a sum over both inputs
})

# ---- invariances ----

test_that("a network that treats both strands alike scores both strands alike", {
    half <- random_array(c(5, 4, 3), 31)
    kernel <- array(c(half, half[5:1, 4:1, ]), c(5, 4, 6))                       # every filter and its reverse complement
    weight <- random_array(c(3, 1), 32)
    model <- model_from(toy_network(c(NA, 4), conv(kernel), activation("relu"), toy_layer("GlobalAveragePooling1D"),
                                    dense(rbind(weight, weight)), activation("sigmoid")))
    genome <- random_genome(58, seed = 33)
    forward <- attribution(model, genome, nodes = 20)@scores[[1]]
    reverse <- attribution(model, Biostrings::reverseComplement(genome), nodes = 20)@scores[[1]]
    # the same float32 sums in another order
    expect_lt(max(abs(unname(reverse) - unname(forward[58:1, 4:1]))), 2e-6 * max(abs(forward)))
})

bit_fixtures <- c(paste0("deepg/", c("average", "bidirectional", "flatten", "fragments", "heads", "labels", "lstm", "residual",
                                     "target_middle")),
                  paste0("genomenet/", c("both_strands", "gap", "gap_residual", "recurrent_gru", "recurrent_lstm")),
                  paste0("stacks/", c("conv_flatten", "conv_global", "conv_global_max", "conv_lstm", "dense", "residual")))

test_that("threads, tiles and rounds change no bit", {
    for (name in bit_fixtures) {
        cases <- fixture_cases(dirname(name), basename(name))
        inputs <- one_or_list(cases[[length(cases)]]$inputs)
        model <- read_model(fixture_path(paste0(name, ".h5")))
        run <- function(threads, tile_bytes = 0, round_bytes = 0) {
            old <- options(nucleograd.tile_bytes = tile_bytes, nucleograd.round_bytes = round_bytes)
            on.exit(options(old))
            list(attribution(model, inputs, nodes = 5, threads = threads), predict(model, inputs, threads = threads))
        }
        expected <- run(1)
        expect_identical(run(2), expected, label = name)
        expect_identical(run(1, 100, 1), expected, label = name)
        expect_identical(run(2, 1000, 20000), expected, label = name)
        expect_identical(run(3, 5000, 1), expected, label = name)
    }
})

test_that("threads, tiles and rounds change no bit of a genome's scores", {
    genome <- random_genome(400, 95, seed = 40)
    model <- read_model(fixture_path("deepg", "average.h5"))
    run <- function(threads, tile_bytes = 0, round_bytes = 0, ...) {
        old <- options(nucleograd.tile_bytes = tile_bytes, nucleograd.round_bytes = round_bytes)
        on.exit(options(old))
        result <- attribution(model, genome, nodes = 4, threads = threads, ...)
        list(result@scores, result@windows)
    }
    for (window in list(NULL, 40)) {
        expected <- run(1, window = window)
        for (tile_bytes in c(100, 1000, 5000))
            for (round_bytes in c(1, 20000)) expect_identical(run(2, tile_bytes, round_bytes, window = window), expected)
    }
})

test_that("long kernels one after the other, or behind a padding, are those of the layer files in any tiling", {
    pooled <- list(activation("relu"), max_pool(4), flatten(), dense(random_array(c(750 * 16, 1), 5) / 64))
    stacked <- c(list(conv(random_array(c(24, 4, 16), 1) / 4, random_array(16, 2)), conv(random_array(c(24, 16, 16), 3) / 8, random_array(16, 4))), pooled)
    padded <- c(list(toy_layer("ZeroPadding1D", padding = c(3, 4)), conv(random_array(c(24, 4, 16), 1) / 4, random_array(16, 2), "valid"),
                     toy_layer("ZeroPadding1D", padding = c(8, 8)), conv(random_array(c(24, 16, 16), 3) / 8, random_array(16, 4))), pooled)
    genome <- random_genome(3000)
    old <- options(nucleograd.plain = FALSE)
    on.exit(options(old))
    for (layers in list(stacked, padded)) {
        model <- model_from(do.call(toy_network, c(list(c(3000, 4)), layers)))
        run <- function(tile_bytes, plain = FALSE) {
            options(nucleograd.tile_bytes = tile_bytes, nucleograd.plain = plain)
            on.exit(options(nucleograd.tile_bytes = 0, nucleograd.plain = FALSE))
            attribution(model, genome, nodes = 2)@scores[[1]]
        }
        whole <- run(1e7)
        for (tile_bytes in c(3000, 20000, 70000)) expect_identical(run(tile_bytes), whole)
        expect_lt(max(abs(whole - run(1e7, plain = TRUE))), 1e-5 * max(abs(whole)))      # float32 sums in another order
    }
})

test_that("the machine's matrix kernels agree", {
    on.exit(nucleograd:::matrix_kernel(""))
    tested <- lapply(c("deepg/lstm", "deepg/residual", "genomenet/gap"), function(name) {
        cases <- fixture_cases(dirname(name), basename(name))
        list(model = read_model(fixture_path(paste0(name, ".h5"))), inputs = one_or_list(cases[[length(cases)]]$inputs))
    })
    run <- function(kernel) {
        expect_identical(nucleograd:::matrix_kernel(kernel), kernel)
        lapply(tested, function(case) {
            list(as_plain_list(predict(case$model, case$inputs))[[1]], as.vector(attribution(case$model, case$inputs, nodes = 3)))
        })
    }
    expected <- run("portable")
    for (kernel in c("avx2", "avx512")) {
        if (is.na(nucleograd:::matrix_kernel(kernel))) skip(paste("this machine cannot run", kernel))
        found <- run(kernel)
        # fused multiply-adds round once where others round twice; sums of a few hundred terms
        for (k in seq_along(tested))
            for (part in 1:2)
                expect_lt(max(abs(found[[k]][[part]] - expected[[k]][[part]])), 1e-5 * max(abs(expected[[k]][[part]])))
    }
})
