# inst/benchmarks/adaptive.R: nodes that attribution(tolerance = ) takes beside a fixed number, for the same gap and the same map, in 30 networks.
# Of 14 stacks of layers as drawn and as trained on a planted motif, the embedded network, and a random one; 8 windows each.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "report.R"))
options(cli.progress_show_after = Inf, width = 200)
length_bp <- 200
fixed_nodes <- c(1:6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 130, 160, 200, 250, 300, 400)
reference_nodes <- 3000

stacks <- list(
    flat = list(conv(16, 12), pool(3), conv(16, 8), pool(3), flatten(), dense(16, "relu"), dense(1, "sigmoid")),
    flat_elu = list(conv(16, 12, "elu"), pool(4), conv(16, 8, "elu"), flatten(), dense(1, "sigmoid")),
    flat_tanh = list(conv(16, 12, "tanh"), pool(3, "average"), conv(16, 8, "tanh"), flatten(), dense(1, "sigmoid")),
    deep = list(conv(16, 8), conv(16, 8), pool(2), conv(16, 8), pool(2), conv(16, 8), pool(2), flatten(), dense(1, "sigmoid")),
    normalized = list(conv(16, 12), pool(3), batch_norm(0.9), conv(32, 8), pool(3), batch_norm(0.9), flatten(), dense(16, "relu"), dense(1, "sigmoid")),
    dilated = list(conv(16, 8), conv(16, 8, dilation_rate = 4), conv(16, 8, dilation_rate = 16), global_pool(), dense(1, "sigmoid")),
    maximum = list(conv(24, 12), global_pool(), dense(16, "relu"), dense(1, "sigmoid")),
    maximum_elu = list(conv(16, 12, "elu"), pool(3), conv(16, 8, "elu"), global_pool(), dense(2, "softmax")),
    maximum_sigmoid = list(conv(24, 12, "sigmoid"), global_pool(), dense(1, "sigmoid")),
    mean = list(conv(16, 12), pool(4), conv(16, 6), global_pool("average"), dense(1, "sigmoid")),
    cnn_lstm = list(conv(16, 12), pool(5), lstm(16), dense(1, "sigmoid")),
    cnn_gru_both_ways = list(conv(16, 12), pool(5), gru(12, bidirectional = TRUE), dense(2, "softmax")),
    lstm = list(pool(2, "average"), lstm(24), dense(1, "sigmoid")),
    gru_rows = list(conv(12, 12), pool(4), gru(12, return_sequences = TRUE), global_pool("average"), dense(1, "sigmoid")))

sim <- simulate_motifs("GGTTCGACACGAGT", 1200, length_bp, place = "uniform", seed = 1)
fitted <- seq_len(1000)
shown <- c(sim$x[-fitted][sim$y[-fitted] == 1][1:5], sim$x[-fitted][sim$y[-fitted] == 0][1:3])
joined <- function(sequences) stats::setNames(Biostrings::DNAStringSet(unlist(sequences)), "windows")
networks <- unlist(lapply(names(stacks), function(name) {
    drawn <- do.call(sequence_network, c(list(length_bp), stacks[[name]], seed = 7))
    trained <- fit_model(drawn, sim$x[fitted], sim$y[fitted], epochs = 40, batch_size = 32, learning_rate = 0.001, seed = 1)
    stats::setNames(list(list(model = drawn, genome = joined(shown)), list(model = trained, genome = joined(shown))),
                    paste0(name, c("", " trained")))
}), recursive = FALSE)
at <- c(783, 1200, 1700, 2200, 100001, 300001, 500001, 700001) + 853000 * c(1, 1, 1, 1, 0, 0, 0, 0)
networks$embedded <- list(model = example_model(), genome = joined(Biostrings::DNAStringSet(example_genome()[[1]], start = at, width = 500)))
networks$`random 500` <- list(model = initialize_weights(example_architecture("window"), 3),
                              genome = joined(Biostrings::DNAStringSet(example_genome()[[1]], start = at, width = 500)))

# gap: relative to what each window explains; map: the base scores of each window, a column a window.
explain <- function(network, ...) {
    found <- suppressWarnings(attribution(network$model, network$genome, threads = 2, ...))
    data <- found@windows
    list(gap = abs(data$gap / (data$output - data$baseline_output)), map = matrix(base_scores(found), ncol = length(data)), nodes = data$nodes)
}
root_mean_square <- function(x) sqrt(mean(x^2))

# The least number from which on a fixed rule is as good.
least_nodes <- function(values, goal) {
    good <- rev(cumprod(rev(values <= goal)))
    if (any(good == 1)) fixed_nodes[which(good == 1)[1]] else NA
}

compare <- function(name) {
    network <- networks[[name]]
    exact <- explain(network, nodes = reference_nodes)$map
    map_error <- function(map) root_mean_square(sqrt(colSums((map - exact)^2) / colSums(exact^2)))
    fixed <- lapply(fixed_nodes, function(nodes) explain(network, nodes = nodes))
    gaps <- vapply(fixed, function(one) root_mean_square(one$gap), 0)
    worst <- vapply(fixed, function(one) max(one$gap), 0)
    errors <- vapply(fixed, function(one) map_error(one$map), 0)
    do.call(rbind, lapply(c(0.05, 0.01), function(tolerance) {
        adaptive <- explain(network, tolerance = tolerance, max_nodes = 400)
        error <- map_error(adaptive$map)
        data.frame(network = name, tolerance, nodes = mean(adaptive$nodes), gap = root_mean_square(adaptive$gap), map_error = error,
                   same_gap = least_nodes(gaps, root_mean_square(adaptive$gap)), all_within = least_nodes(worst, tolerance), same_map = least_nodes(errors, error))
    }))
}
table <- do.call(rbind, lapply(names(networks), compare))
print(table, row.names = FALSE, digits = 3)
# More than the most that was tried counts as that.
ratio <- function(fixed, nodes) ifelse(is.na(fixed), max(fixed_nodes), fixed) / nodes
for (tolerance in c(0.05, 0.01)) {
    own <- table[table$tolerance == tolerance, ]
    for (what in c("same_gap", "all_within", "same_map")) {
        times <- ratio(own[[what]], own$nodes)
        words <- c(same_gap = "fixed nodes for the same gap", all_within = "fixed nodes until no window is beyond the tolerance", same_map = "fixed nodes for the same map")[[what]]
        figure(sprintf("adaptive_%s_%g", what, tolerance), stats::median(times), paste0("times: ", words, ", median; at least twice as many in ",
                                                                                       round(100 * mean(times >= 2)), " % of ", nrow(own), " networks"))
    }
}
