# inst/benchmarks/power.R: how often a motif of a given effect is called at 5 %, and the time that takes: selected, split, permutation.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "report.R"))
source(file.path(here, "motif_data.R"))
options(cli.progress_show_after = Inf, width = 200)
sets <- 200
effects <- c(0, 3, 4, 5, 6)

tests <- c("selected", "split", "permutation")
runs <- lapply(effects, function(effect) {
    found <- lapply(seq_len(sets), function(seed) {
        data <- motif_data(seed, 100, effect = effect, k = 4)
        lapply(stats::setNames(nm = tests), function(test) {
            seconds <- system.time(fit <- seism(data$x, data$y, k = 4, q = 1, B = 199, L = 15, seed = seed, transform = "none",
                                                polish = "none", test = test, threads = 1))[["elapsed"]]
            c(p = fit$motifs$p, right = identical(fit$motifs$consensus, data$motif), seconds = seconds)
        })
    })
    do.call(rbind, lapply(tests, function(test) {
        one <- vapply(found, `[[`, numeric(3), test)
        data.frame(effect = effect, test = test, power = mean(one["p", ] <= 0.05), right_motif = mean(one["right", ]), milliseconds = 1e3 * stats::median(one["seconds", ]))
    }))
})
table <- do.call(rbind, runs)
print(table, row.names = FALSE, digits = 3)
power <- function(test) table$power[table$test == test & table$effect > 0]
for (effect in effects[-1]) for (test in tests[1:2])
    figure(sprintf("power_%s_at_effect_%g", test, effect), 100 * table$power[table$test == test & table$effect == effect], "%")
figure("power_effects_where_selected_is_above_split", sum(power("selected") > power("split")), paste("of", length(effects) - 1))
figure("power_time_selected_to_split", stats::median((table$milliseconds[table$test == "selected"]) / table$milliseconds[table$test == "split"]), "times")
if (!all(power("selected") > power("split"))) stop("data split has more power somewhere")
