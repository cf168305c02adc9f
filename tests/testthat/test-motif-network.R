# Training: a known motif is found; schedules; the same bits however it runs; checkpoints; words. The core's own tests have gradients.

found <- small_network(restarts = 3)

test_that("a planted motif is found, and new sequences are told apart", {
    test <- small_motif(2000, seed = 2)
    expect_gte(mean((predict(found, test$x) > 0.5) == (test$y == 1)), 0.98)
    motif <- motifs(found)
    expect_true(any(grepl("CAGC|GCTG", motif$consensus)))
    expect_identical(motif$consensus, vapply(attr(motif, "pfm"), function(pfm) paste(c("A", "C", "G", "T")[max.col(t(pfm), "first")], collapse = ""), "",
                                             USE.NAMES = FALSE))
    pair <- motif[!is.na(motif$pair), ]
    expect_setequal(pair$filter, pair$pair)
    expect_setequal(pair$strand, c("+", "-"))
    expect_gte(max(vapply(attr(motif, "pfm"), motif_similarity, 0, simple_pwm("TTCAGCAC"))), 0.7)
    expect_identical(nrow(found$restarts), 3L)
    expect_lte(found$restarts$validation[found$restarts$chosen], min(found$restarts$validation) + 0.002)
})

test_that("schedules have their weights", {
    weights <- vapply(c(0, 9, 10, 29, 30, 39, 99), function(epoch) schedule_weights(motif_schedule(), epoch, 10), numeric(4))
    expect_equal(weights[1, ], c(0, 0, 3.16227766, 1e5, 1e5, 1e5, 1e5), tolerance = 1e-8)
    expect_equal(weights[2, ], c(0, 0, 1e-3, 1e-2, 1e-2, 1e-2, 1e-2), tolerance = 1e-12)
    thorough <- check_motif_schedule("thorough", environment())
    expect_identical(vapply(c(54, 55, 59), function(epoch) schedule_weights(thorough, epoch, 30)[4], 0), c(1, 0.1, 0.1))
    auto <- small_network(schedule = motif_schedule("auto", 2, 1), batches = 5)
    warm <- sum(auto$trace$l1_weight == 0)
    expect_gte(warm, 6)
    expect_lte(warm, 40)
    expect_identical(nrow(auto$trace), warm + 3L)
})

test_that("the restart that is kept has motifs, and a low loss", {
    expect_identical(best_restart(c(0.5, 0.301, 0.3), c(2L, 4L, 3L)), 2L)
    expect_identical(best_restart(c(0.5, 0.31, 0.3), c(2L, 4L, 3L)), 3L)
    expect_identical(best_restart(c(0.5, NA, 0.3), c(2L, NA, 0L)), 1L)
    expect_identical(best_restart(c(0.5, 0.4, NA), c(0L, 0L, NA)), 2L)
})

test_that("while L1 acts, no pair of tied filters goes on firing everywhere", {
    network <- function(...) small_network(schedule = motif_schedule(1, 4, 0, c(0.5, 1), ...), tie_strands = TRUE, batches = 100)
    expect_lte(max(coef(network())$bias), 5e-3)
    free <- small_network(schedule = motif_schedule(5, 0, 0), tie_strands = TRUE, batches = 100)
    expect_gt(max(free$weights$bias), 5e-3)
})

test_that("threads and the number of restarts change no bit", {
    for (kind in list(list(), list(score = "key"), list(score = "key", key = "linear", tie_strands = TRUE), list(precision = "float64"))) {
        fit <- function(...) do.call(small_network, c(list(small_motif(640), schedule = brief_schedule, batches = 4, ...), kind))
        one <- fit(threads = 1)
        expect_identical(fit(threads = 2)$state, one$state)
        expect_identical(fit(threads = 3)$state, one$state)
    }
    two <- small_network(schedule = brief_schedule, batches = 4, restarts = 2)
    three <- small_network(schedule = brief_schedule, batches = 4, restarts = 3)
    expect_identical(three$restarts$validation[1:2], two$restarts$validation)
})

test_that("a run that was interrupted after any epoch goes on to the same bits", {
    file <- tempfile(fileext = ".rds")
    fit <- function(...) small_network(schedule = brief_schedule, batches = 4, restarts = 2, ...)
    whole <- fit()
    space <- asNamespace("nucleograd")
    for (stop_at in c(1, 4, 7, 10)) {                              # 6 epochs and the end of a restart, twice
        unlink(file)
        options(motif_epochs_left = stop_at)
        suppressMessages(trace("write_motif_checkpoint", where = space, print = FALSE, exit = quote({
            options(motif_epochs_left = getOption("motif_epochs_left") - 1)
            if (getOption("motif_epochs_left") == 0) stop("interrupted")
        })))
        expect_error(fit(checkpoint = file), "interrupted")
        suppressMessages(untrace("write_motif_checkpoint", where = space))
        resumed <- fit(checkpoint = file)
        expect_identical(resumed$state, whole$state)
        expect_identical(resumed$restarts, whole$restarts)
    }
    options(motif_epochs_left = NULL)
    expect_identical(fit(checkpoint = file)$state, whole$state)      # nothing is left to do
    expect_error(fit(checkpoint = file, lr = 0.1), "written with lr = 0.001, now 0.1", class = "nucleograd_error_checkpoint")
    expect_error(small_network(schedule = brief_schedule, batches = 4, checkpoint = file, seed = 5), "seed = 1, now 5")
    expect_error(small_network(small_motif(640, 9), schedule = brief_schedule, batches = 4, checkpoint = file), "other sequences",
                 class = "nucleograd_error_checkpoint")
})

test_that("real sequences train as simulated ones do, whatever their labels are called", {
    sim <- small_motif(1000)
    fit <- function(y, ...) small_network(sim$x, y, schedule = brief_schedule, ...)
    numbers <- fit(sim$y)
    expect_identical(numbers$settings$length, 100)
    expect_identical(fit(sim$y == 1)$state, numbers$state)
    expect_identical(fit(factor(sim$y, labels = c("no", "yes")))$state, numbers$state)
    expect_identical(fit(c("bound", "free")[2 - sim$y])$state, small_network(sim$x, 1 - sim$y, schedule = brief_schedule)$state)
    expect_identical(predict(numbers, sim), predict(numbers, sim$x))
    expect_identical(small_network(tolower(as.character(sim$x)), sim$y, schedule = brief_schedule)$state, numbers$state)
    given <- fit(sim$y, validation = list(sim$x[1:50], sim$y[1:50]))
    expect_false(identical(given$state, numbers$state))
    expect_s3_class(fit(ifelse(sim$y == 1, 0.9, 0.2), balance = TRUE), "motif_network")
    response <- fit(100 + 5 * sim$y, task = "regression")
    expect_gt(mean(predict(response, sim$x[1:100])), 90)
    expect_identical(response$checks$measure, c("mean_squared_error", "r_squared"))
})

test_that("filters can be given, kept, and tied", {
    kept <- small_network(schedule = brief_schedule, batches = 4, init_filters = list(simple_pwm("TTCAGCAC")), train_filters = FALSE)
    filter <- all_filters(kept$settings, kept$weights)$filter
    expect_equal(sum(apply(filter[1, , ], 1, max)), 1, tolerance = 1e-12)
    expect_equal(filter[2, , ], filter[1, 10:1, 4:1], tolerance = 1e-12)
    expect_identical(kept$weights$bias[1:2], c(-0.5, -0.5))
    tied <- small_network(schedule = brief_schedule, batches = 4, tie_strands = TRUE)
    sim <- small_motif(5)
    a <- predict(tied, sim$x, "activations")
    turned <- predict(tied, Biostrings::reverseComplement(sim$x), "activations")
    expect_equal(turned, a[c(3, 4, 1, 2), 91:1, ], tolerance = 1e-6)
    both <- predict(found, sim$x, "logit", strand = "both")
    expect_equal(predict(found, Biostrings::reverseComplement(sim$x), "logit", strand = "both"), both, tolerance = 1e-12)
    expect_false(isTRUE(all.equal(predict(found, sim$x, "logit"), both)))
    expect_equal(apply(predict(found, sim$x, "attention"), 2:4, sum), array(1, c(2, 1, 5)), tolerance = 1e-5)
})

test_that("what goes wrong is said in words", {
    sim <- small_motif(200)
    expect_snapshot(error = TRUE, {
        motif_network(c("ACGT", "ACGTA"), c(0, 1))
        motif_network(sim, width = 60)
        motif_network(sim, width = 25, heads = 3)
        motif_network(sim, filters = 5, tie_strands = TRUE)
        motif_network(sim, positions = 3)
        motif_network(sim$x, sim$y + 0.5)
        motif_network(sim$x, rep(1, 200))
        motif_network(sim$x[1:20], sim$y[1:20])
        motif_network(rep(strrep("ACNTN", 20), 4), c(0, 1, 0, 1), batch = 2)
        motif_network(sim, sim$y)
        motif_network(sim, schedule = "slow")
        predict(found, "ACGT")
        predict(found, sim$x, strand = "reverse")
        motif_network(sim, filters = 2, batches = 12, batch = 16, lr = 1e30, restarts = 1, schedule = "quick", seed = 1, clip = 1e30)
    })
    some <- as.character(sim$x)
    substr(some[3], 11, 14) <- "NNRY"
    expect_warning(small_network(some, sim$y, schedule = brief_schedule), "4 letters outside ACGT in 1 sequence are treated as unknown")
    expect_warning(motif_network(sim, filters = 2, batches = 1, batch = 16, restarts = 1, schedule = motif_schedule(0, 1, 0), seed = 1),
                   class = "nucleograd_warning_no_motif")
    expect_snapshot({
        writeLines(capture.output(print(found))[1:4])              # digits may differ from one instruction set to the next
        motif_schedule("auto", decay = 5)
    }, transform = function(lines) gsub("[0-9.]+", "*", lines))
})
