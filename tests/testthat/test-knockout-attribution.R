# knockout_attribution() against integrated gradients of every changed window in plain R.

test_that("the change is the difference of two maps, averaged over windows", {
    flat <- what_if_networks$flat
    genome <- random_genome(90, seed = 231, circular = TRUE)
    Biostrings::subseq(genome[[1]], 21, 23) <- Biostrings::DNAString("NRN")
    path <- path_rule(6, "midpoint")
    share <- colSums(Biostrings::alphabetFrequency(genome)[, 1:4, drop = FALSE]) / 87
    for (region in list(c(18, 27), c(85, 95))) {
        found <- knockout_attribution(model_from(flat), genome, regions_on(region[1], region[2]), c(0.1, 0.2, 0.3, 0.4), "composition", nodes = 6, target = 2, step = 30)
        starts <- c(1, 31, 61)
        sequence <- windows_of_contig(genome[[1]], starts, 40)
        changed <- windows_of_contig(genome[[1]], starts, 40, region[1]:region[2], c(0.1, 0.2, 0.3, 0.4))
        sums <- matrix(0, 90, 4)
        times <- numeric(90)
        for (w in 1:3) {
            at <- (starts[w] - 2 + 1:40) %% 90 + 1
            if (!any(((region[1]:region[2] - 1) %% 90 + 1) %in% at)) next
            baseline <- outer(as.numeric(rowSums(sequence[[w]]) > 0), share)
            map <- function(x) naive_scores(flat, list(x), list(baseline), path[[1]], path[[2]], target = 2)[[1]]
            sums[at, ] <- sums[at, ] + map(sequence[[w]]) - map(changed[[w]])
            times[at] <- times[at] + 1
        }
        expected <- sums / times
        expected[times == 0, ] <- NA
        expect_identical(is.na(unname(found@scores[[1]])), is.na(expected))
        expect_lt(max(abs(found@scores[[1]] - expected), na.rm = TRUE), 1e-5 * max(abs(expected), na.rm = TRUE))      # float32 gradients
    }
})

test_that("changes sum to the effect, and are 0 where nothing changes", {
    genome <- random_genome(60, seed = 232)
    region <- regions_on(20, 31)
    model <- model_from(what_if_networks$pooled)
    found <- knockout_attribution(model, genome, region, nodes = 200)
    expect_equal(found@windows$output - found@windows$baseline_output, knockout(model, genome, region)$effect, tolerance = 1e-5)
    expect_lt(abs(found@windows$gap), 0.02 * abs(knockout(model, genome, region)$effect) + 1e-3)
    expect_equal(sum(base_scores(found)), found@windows$attributed, tolerance = 1e-6)
    expect_output(show(found), "what scores lose when contig_1:20-31 is replaced by uniform rows")
    ambiguous <- genome
    Biostrings::subseq(ambiguous[[1]], 20, 31) <- Biostrings::DNAString(strrep("N", 12))
    expect_true(all(knockout_attribution(model, ambiguous, region, nodes = 3)@scores[[1]] == 0))
    expect_error(knockout_attribution(model, genome, regions_on(c(1, 5), c(3, 9))), "one range", class = "nucleograd_error_argument")
})
