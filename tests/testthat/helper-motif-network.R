# What tests of the motif network share: a motif that a small network finds in a second.

small_motif <- function(n = 640, seed = 1, strand = "both") simulate_motifs("TTCAGCAC", n = n, length = 100, jitter = 20, strand = strand, seed = seed)

small_network <- function(x = small_motif(), ..., schedule = motif_schedule(10, 14, 6, c(0.5, 4), c(-3, -2.5)), batches = 50, restarts = 1, seed = 1)
    suppressWarnings(motif_network(x, ..., filters = 4, positions = 8, dim = 16, heads = 2, hidden = 16, stream = 32, batches = batches,
                                   batch = 64, schedule = schedule, restarts = restarts, seed = seed),
                     classes = c("nucleograd_warning_warm", "nucleograd_warning_no_motif"))

brief_schedule <- motif_schedule(2, 2, 2, overlap = c(0.5, 1))
