# Methods, baselines and strands of attribution() against an evaluation in plain R (helper-naive.R).

small_network <- toy_network(c(30, 4), conv(random_array(c(5, 4, 6), 11), random_array(6, 12)), activation("relu"), max_pool(2),
                             conv(random_array(c(3, 6, 5), 13), padding = "valid"), activation("relu"), flatten(),
                             dense(random_array(c(65, 3), 14)), activation("softmax"))
small_model <- model_from(small_network)
open_network <- toy_network(c(NA, 4), conv(random_array(c(5, 4, 6), 21), random_array(6, 22)), activation("relu"),
                            toy_layer("GlobalAveragePooling1D"), dense(random_array(c(6, 1), 23)), activation("sigmoid"))
open_model <- model_from(open_network)

gradient_at <- function(x, network = small_network) {
    layers <- naive_run(network, list(x))
    goal <- naive_goal(network, layers, 1, "logit")
    naive_gradient(network, layers, goal$node, goal$cotangent)[[1]]
}
middle <- function(nodes) list((seq_len(nodes) - 0.5) / nodes, rep(1 / nodes, nodes))
ig_of <- function(x, baseline, nodes) naive_scores(small_network, list(x), list(baseline), middle(nodes)[[1]], middle(nodes)[[2]])[[1]]
rows_of <- function(codes) nucleograd:::one_hot_rows(codes)
codes_of <- nucleograd:::base_codes
expect_near <- function(ours, naive) {
    ours <- unname(ours)
    testthat::expect_identical(dim(ours), dim(naive))
    testthat::expect_lt(max(abs(ours - naive)), 1e-5 * max(abs(naive)))          # float32 gradients of a few hundred sums
}
standard_error <- function(maps) apply(vapply(maps, rowSums, numeric(nrow(maps[[1]]))), 1, stats::sd) / sqrt(length(maps))
mean_of <- function(maps) Reduce(`+`, maps) / length(maps)

# ---- methods of the gradient ----

test_that("saliency and gradient x input are made of the gradient", {
    genome <- random_genome(60, seed = 1)
    x <- lapply(c(1, 31), function(start) one_hot(Biostrings::subseq(genome[[1]], start, start + 29)))
    g <- lapply(x, gradient_at)
    centre <- function(g) g - rowMeans(g)
    expect_near(attribution(small_model, genome, "saliency")@scores[[1]], abs(do.call(rbind, g)))
    result <- attribution(small_model, genome, "gradient_x_input")
    expect_near(result@scores[[1]], do.call(rbind, Map(function(x, g) x * centre(g), x, g)))
    expect_output(show(result), "gradient x input")
    # the step of 1/64 crosses few kinks
    expect_equal(result@settings$check[["gradient"]], sum(g[[1]] * (x[[1]] - 0.25)), tolerance = 1e-5)
    expect_equal(result@settings$check[["difference"]], result@settings$check[["gradient"]], tolerance = 0.1)
    array <- attribution(small_model, one_hot_array(genome[[1]][1:30]), "gradient_x_input")
    expect_near(array[1, , ], x[[1]] * centre(g[[1]]))
})

test_that("SmoothGrad and VarGrad are mean and variance over sequences with point mutations", {
    genome <- random_genome(30, seed = 2)
    codes <- codes_of(genome[[1]])
    x <- rows_of(codes)
    copies <- lapply(1:7, function(r) .Call(nucleograd:::C_mutate, codes, 0.2, 5, r, "contig_1"))
    maps <- lapply(copies, function(copy) {
        g <- gradient_at(rows_of(copy))
        x * (g - rowMeans(g))
    })
    smooth <- attribution(small_model, genome, "smoothgrad", replicates = 7, noise_level = 0.2, seed = 5)
    expect_near(smooth@scores[[1]], mean_of(maps))
    expect_equal(base_errors(smooth), standard_error(maps), tolerance = 1e-4)
    varied <- attribution(small_model, genome, "vargrad", replicates = 7, noise_level = 0.2, seed = 5)
    sums <- vapply(maps, rowSums, numeric(30))
    expect_near(varied@scores[[1]], x * apply(sums, 1, stats::var))
    fourth <- rowMeans((sums - rowMeans(sums))^4)
    expect_equal(base_errors(varied), sqrt(pmax(0, fourth - 4 / 6 * apply(sums, 1, stats::var)^2) / 7), tolerance = 1e-3)
    expect_identical(smooth@settings[c("replicates", "seed", "baseline")], list(replicates = 7, seed = 5, baseline = "none"))
})

test_that("point mutations hit each base with the rate, and each other base as often", {
    codes <- codes_of(random_genome(60000, seed = 3)[[1]])
    codes[7] <- as.raw(4)
    mutated <- .Call(nucleograd:::C_mutate, codes, 0.3, 1, 1, "c")
    expect_identical(mutated[7], as.raw(4))
    changed <- mutated != codes
    expect_gt(stats::binom.test(sum(changed), length(codes), 0.3)$p.value, 0.001)
    by <- (as.integer(mutated) - as.integer(codes)) %% 4
    expect_gt(stats::chisq.test(table(by[changed]))$p.value, 0.001)
    expect_identical(.Call(nucleograd:::C_mutate, codes[1:100], 0.3, 1, 1, "c"), mutated[1:100])
    expect_false(identical(.Call(nucleograd:::C_mutate, codes, 0.3, 1, 2, "c"), mutated))
})

test_that("noise may also mix the sequence with rows of the simplex", {
    x <- one_hot(random_genome(30, seed = 4)[[1]])
    maps <- lapply(1:4, function(r) {
        rows <- matrix(nucleograd:::simplex_rows(c(30, 4), 1, 9, r, 1), ncol = 4, byrow = TRUE)
        expect_equal(rowSums(rows), rep(1, 30), tolerance = 1e-12)
        g <- gradient_at(0.75 * x + 0.25 * rows)
        x * (g - rowMeans(g))
    })
    found <- attribution(small_model, array(x, c(1, 30, 4)), "smoothgrad", noise = "simplex", noise_level = 0.25, replicates = 4, seed = 9)
    expect_near(found[1, , ], mean_of(maps))
    # a genome's rows are drawn base by base: the gradient of a linear network does not see them
    linear <- model_from(toy_network(c(12, 4), flatten(), dense(random_array(c(48, 1), 3))))
    genome <- random_genome(36, seed = 5)
    one <- attribution(linear, genome, "smoothgrad", noise = "simplex", replicates = 3, seed = 1)
    expect_equal(one@scores, attribution(linear, genome, "gradient_x_input")@scores)
    expect_equal(base_errors(one), numeric(36))
    many <- attribution(small_model, random_genome(90, seed = 6), "smoothgrad", noise = "simplex", replicates = 3, seed = 1)
    expect_identical(attribution(small_model, random_genome(90, seed = 6), "smoothgrad", noise = "simplex", replicates = 3, seed = 1, threads = 1)@scores, many@scores)
    expect_gt(stats::median(base_errors(many)), 0)
})

# ---- baselines that are drawn ----

drawn_rows <- function(word, genome, width, seed, r) {
    run <- nucleograd:::run_settings(1)
    made <- nucleograd:::genome_baseline(word, genome, width, seed, run, environment())
    part <- list(bases = codes_of(genome[[1]]), name = names(genome)[1], starts = 1, width = width, reverse = FALSE)
    made$rows(part, r)
}

test_that("scores are means over baselines, with their standard errors, and so are the checks", {
    genome <- random_genome(30, seed = 7)
    x <- one_hot(genome[[1]])
    for (word in c("shuffle", "dinucleotide", "markov2")) {
        baselines <- lapply(1:4, function(r) rows_of(drawn_rows(word, genome, 30, 21, r)))
        maps <- lapply(baselines, function(baseline) ig_of(x, baseline, 6))
        found <- attribution(small_model, genome, baseline = word, replicates = 4, nodes = 6, seed = 21)
        expect_near(found@scores[[1]], mean_of(maps))
        expect_equal(base_errors(found), standard_error(maps), tolerance = 1e-4)
        ends <- vapply(baselines, function(baseline) naive_value(small_network, list(baseline)), 0)
        gaps <- vapply(maps, sum, 0) - (naive_value(small_network, list(x)) - ends)
        expect_equal(found@windows$baseline_output, mean(ends), tolerance = 1e-5)
        expect_equal(found@windows$gap, mean(gaps), tolerance = 1e-3)
        expect_equal(found@windows$gap_error, stats::sd(gaps) / 2, tolerance = 1e-3)
        expect_output(show(found), paste(word, "baseline x 4"))
    }
})

test_that("each gradient of expected gradients has a baseline and a stratum of the path of its own", {
    genome <- random_genome(30, seed = 8)
    x <- one_hot(genome[[1]])
    position <- vapply(1:5, function(r) nucleograd:::method_pass(list(method = "expected", nodes = 5, seed = 3), r)$path[[1]], 0)
    expect_true(all(position > (0:4) / 5 & position < (1:5) / 5))
    maps <- lapply(1:5, function(r) {
        baseline <- rows_of(drawn_rows("dinucleotide", genome, 30, 3, r))
        (x - baseline) * gradient_at(baseline + position[r] * (x - baseline))
    })
    found <- attribution(small_model, genome, "expected", nodes = 5, seed = 3)
    expect_near(found@scores[[1]], mean_of(maps))
    expect_equal(base_errors(found), standard_error(maps), tolerance = 1e-4)
    many <- attribution(small_model, genome, "expected", nodes = 100, seed = 3)@windows
    expect_lt(abs(many$gap), 4 * many$gap_error)
})

test_that("drawn baselines depend on seed, replicate and window alone", {
    genome <- random_genome(150, 60, seed = 9)
    for (word in c("shuffle", "dinucleotide", "markov")) {
        run <- function(genome, ...) attribution(small_model, genome, baseline = word, replicates = 3, nodes = 3, seed = 5, ...)
        whole <- run(genome)
        expect_identical(run(genome, threads = 1)@scores, whole@scores)
        if (word != "markov") expect_identical(run(genome[2])@scores[[1]], whole@scores[[2]])     # its counts are the genome's
        denser <- run(genome, step = 15)
        expect_identical(denser@windows$output[c(1, 3)], whole@windows$output[1:2])
        expect_identical(denser@windows$baseline_output[c(1, 3)], whole@windows$baseline_output[1:2])
        expect_false(identical(attribution(small_model, genome, baseline = word, replicates = 3, nodes = 3, seed = 6)@scores, whole@scores))
    }
    set.seed(4)
    one <- attribution(small_model, genome, baseline = "shuffle", nodes = 2)
    set.seed(4)
    expect_identical(attribution(small_model, genome, baseline = "shuffle", nodes = 2)@scores, one@scores)
    expect_identical(one@settings$replicates, 5)
})

test_that("sequences, pieces of another genome and functions are baselines", {
    genome <- random_genome(60, seed = 10)
    other <- random_genome(30, seed = 11)
    x <- one_hot(Biostrings::subseq(genome[[1]], 31, 60))
    fixed <- attribution(small_model, genome, baseline = other, nodes = 4)
    expect_near(fixed@scores[[1]][31:60, ], ig_of(x, one_hot(other[[1]]), 4))
    expect_identical(fixed@settings$replicates, 1)
    by_function <- attribution(small_model, genome, baseline = function(sequence) other[[1]], nodes = 4)
    expect_identical(by_function@scores, fixed@scores)
    by_rows <- attribution(small_model, genome, baseline = function(sequence) one_hot(Biostrings::reverse(sequence)), nodes = 4)
    expect_near(by_rows@scores[[1]][31:60, ], ig_of(x, x[30:1, ], 4))

    pool <- random_genome(10, 35, 41, seed = 12)
    drawn <- lapply(1:60, function(r) drawn_rows(pool, genome, 30, 2, r))
    legal <- c(vapply(1:6, function(s) substr(as.character(pool[[2]]), s, s + 29), ""), vapply(1:12, function(s) substr(as.character(pool[[3]]), s, s + 29), ""))
    pieces <- vapply(drawn, function(codes) as.character(nucleograd:::base_letters(codes)), "")
    expect_true(all(pieces %in% legal))
    expect_gt(length(unique(pieces)), 14)
    found <- attribution(small_model, genome[1], baseline = pool, replicates = 2, nodes = 4, seed = 2)
    maps <- lapply(1:2, function(r) ig_of(one_hot(Biostrings::subseq(genome[[1]], 1, 30)), rows_of(drawn[[r]]), 4))
    expect_near(found@scores[[1]][1:30, ], mean_of(maps))
})

test_that("a Markov chain has the transitions of the genome", {
    genome <- random_genome(3000, seed = 13)
    genome[[1]] <- Biostrings::DNAString(gsub("CG", "CA", as.character(genome[[1]])))
    drawn <- nucleograd:::base_letters(drawn_rows("markov1", genome, 3000, 1, 1))
    seen <- Biostrings::dinucleotideFrequency(drawn)
    expect_identical(seen[["CG"]], 0L)
    expected <- Biostrings::dinucleotideFrequency(genome[[1]])
    # chains of counts: transitions are independent given the letter before
    for (letter in c("A", "C", "G", "T")) {
        of <- startsWith(names(expected), letter) & expected > 0
        expect_gt(stats::chisq.test(seen[of], p = expected[of] / sum(expected[of]))$p.value, 0.001)
    }
    triplets <- Biostrings::trinucleotideFrequency(nucleograd:::base_letters(drawn_rows("markov2", genome, 30000, 1, 1)))
    expect_gt(stats::cor(triplets, Biostrings::trinucleotideFrequency(genome[[1]])), 0.99)
})

test_that("arrays of sequences are shuffled sample by sample", {
    x <- one_hot_array(random_genome(30, 30, seed = 14))
    found <- attribution(small_model, x, baseline = "dinucleotide", replicates = 3, nodes = 2, seed = 8)
    expect_identical(dim(attr(found, "errors")), c(2L, 30L))
    # each sample's baseline has its dinucleotides
    part <- nucleograd:::array_part(x, NULL)
    run <- nucleograd:::run_settings(1)
    rows <- nucleograd:::array_baseline("dinucleotide", x, 8, run, environment())$rows(1)
    made <- aperm(array(rows, c(4, 30, 2)), c(3, 2, 1))
    count <- function(rows) table(paste(max.col(rows[-30, ]), max.col(rows[-1, ])))
    for (k in 1:2) expect_identical(count(made[k, , ]), count(x[k, , ]))
    expect_error(attribution(small_model, x / 2, baseline = "shuffle"), class = "nucleograd_error_argument")
    given <- attribution(small_model, x, baseline = function(x, replicate) 0 * x + replicate / 4, replicates = 2, nodes = 2)
    each <- lapply(c(0.25, 0.5), function(v) attribution(small_model, x, baseline = rep(v, 4), nodes = 2))
    expect_equal(as.vector(given), as.vector(each[[1]] + each[[2]]) / 2, tolerance = 1e-12)
})

# ---- strands ----

turned <- function(scores) unname(scores[nrow(scores):1, 4:1])

test_that("the reverse strand is the forward strand of the reverse complement, turned back", {
    genome <- random_genome(120, seed = 15)
    Biostrings::subseq(genome[[1]], 40, 42) <- Biostrings::DNAString("NNR")
    reverse_complement <- Biostrings::reverseComplement(genome)
    rows <- random_array(c(30, 4), 16) + 1
    cases <- list(list(), list(baseline = "composition"), list(baseline = c(0.1, 0.2, 0.3, 0.4)), list(baseline = rows), list(method = "gradient"),
                  list(baseline = "dinucleotide", seed = 3, replicates = 2), list(method = "expected", seed = 3), list(method = "smoothgrad", seed = 2, replicates = 3))
    for (case in cases) {
        mirrored <- case
        if (is.numeric(case$baseline)) mirrored$baseline <- if (is.matrix(rows) && is.matrix(case$baseline)) rows[30:1, 4:1] else rev(case$baseline)
        run <- function(genome, case, ...) do.call(attribution, c(list(small_model, genome, nodes = 3, ...), case))
        forward <- run(genome, case)
        reverse <- run(genome, case, strand = "reverse")
        other <- run(reverse_complement, mirrored)
        expect_equal(unname(reverse@scores[[1]]), turned(other@scores[[1]]), tolerance = 1e-12)
        expect_equal(reverse@windows$output, rev(other@windows$output))
        both <- run(genome, case, strand = "both")
        expect_equal(both@scores[[1]], (forward@scores[[1]] + reverse@scores[[1]]) / 2, tolerance = 1e-12)
        expect_equal(both@windows$output, (forward@windows$output + reverse@windows$output) / 2)
        if (!identical(case$method, "gradient")) expect_true(all(reverse@scores[[1]][40:42, ] == 0))
    }
})

test_that("both strands of a rotated circular genome are the rotated ones", {
    genome <- random_genome(72, seed = 17, circular = TRUE)
    letters <- as.character(genome[[1]])
    rotated <- genome
    rotated[[1]] <- Biostrings::DNAString(paste0(substring(letters, 18), substring(letters, 1, 17)))
    plain <- attribution(small_model, genome, nodes = 2, step = 1, strand = "both")
    turned_round <- attribution(small_model, rotated, nodes = 2, step = 1, strand = "both")
    order <- (seq_len(72) + 16) %% 72 + 1
    expect_equal(turned_round@scores[[1]], plain@scores[[1]][order, ], tolerance = 1e-12)
})

test_that("whole contigs of different lengths have both strands and drawn baselines", {
    genome <- random_genome(53, 41, seed = 18)
    found <- attribution(open_model, genome, baseline = "dinucleotide", replicates = 2, nodes = 3, seed = 1, strand = "both")
    expect_identical(lengths(found@errors), c(contig_1 = 53L, contig_2 = 41L))
    expect_lt(max(abs(found@windows$gap)), 0.2)
})

# ---- errors ----

test_that("errors name what does not fit", {
    genome <- random_genome(60, seed = 19)
    refused <- function(...) expect_error(attribution(small_model, genome, ...), class = "nucleograd_error_argument")
    refused(method = "lime")
    refused(replicates = 3)
    refused("expected", replicates = 3)
    refused("vargrad", replicates = 1)
    refused("smoothgrad", noise_level = 0)
    refused(baseline = "markov9")
    refused(baseline = random_genome(20))
    refused(baseline = function(sequence) "ACGT")
    refused(strand = "+")
    refused(baseline = "shuffle", seed = -1)
    expect_error(attribution(small_model, one_hot_array(random_genome(30)), strand = "both"), class = "nucleograd_error_argument")
    expect_error(base_errors(attribution(small_model, genome, nodes = 1)), class = "nucleograd_error_argument")
})
