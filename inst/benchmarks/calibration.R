# inst/benchmarks/calibration.R: how often p <= 0.01, 0.05, 0.5 where no motif has an effect: naive, split and selected tests.
# New sequences and a new response in every data set; the naive test is the ordinary F-test of the motif that was selected.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "report.R"))
source(file.path(here, "motif_data.R"))
options(cli.progress_show_after = Inf, width = 200)
levels <- c(0.01, 0.05, 0.5)

null_case <- function(sets, n, noise, sigma, transform) {
    t(vapply(seq_len(sets), function(seed) {
        data <- motif_data(seed, n, noise = noise)
        one_data_set(data$x, data$y, seed, sigma, transform)
    }, numeric(3)))
}

cases <- data.frame(n = c(50, 50, 200, 200, 1000, 100, 100), sets = c(400, 400, 400, 400, 60, 400, 400),
                    noise = c("normal", "normal", "normal", "normal", "normal", "exponential", "t3"), sigma = c(1, NA, 1, NA, NA, NA, NA),
                    transform = c("none", "none", "none", "none", "none", "normal", "normal"))
tables <- lapply(seq_len(nrow(cases)), function(at) {
    case <- cases[at, ]
    p <- null_case(case$sets, case$n, case$noise, if (!is.na(case$sigma)) case$sigma, case$transform)
    do.call(rbind, lapply(colnames(p), function(test) data.frame(
        n = case$n, noise = case$noise, sigma = if (is.na(case$sigma)) "unknown" else "known", test = test, data_sets = case$sets,
        p_1_percent = mean(p[, test] <= levels[1]), p_5_percent = mean(p[, test] <= levels[2]), p_50_percent = mean(p[, test] <= levels[3]),
        within = all(colSums(outer(p[, test], levels, `<=`)) >= stats::qbinom(0.0005, case$sets, levels) &
                     colSums(outer(p[, test], levels, `<=`)) <= stats::qbinom(0.9995, case$sets, levels)))))
})
table <- do.call(rbind, tables)
print(table, row.names = FALSE, digits = 3)
selected <- table[table$test == "selected", ]
figure("calibration_cases_of_selected_within_binomial_error", sum(selected$within), paste("of", nrow(selected)))
figure("calibration_selected_at_5_percent", 100 * stats::weighted.mean(selected$p_5_percent, selected$data_sets), "%")
figure("calibration_split_at_5_percent", 100 * with(table[table$test == "split", ], stats::weighted.mean(p_5_percent, data_sets)), "%")
figure("calibration_naive_at_5_percent", 100 * with(table[table$test == "naive", ], stats::weighted.mean(p_5_percent, data_sets)), "%")
if (!all(selected$within)) stop("p-values of the selected test are not calibrated")
