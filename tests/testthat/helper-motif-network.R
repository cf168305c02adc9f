# What tests of the motif network share: a motif that a small network finds in a second.

small_motif <- function(n = 640, seed = 1, strand = "both") simulate_motifs("TTCAGCAC", n = n, length = 100, jitter = 20, strand = strand, seed = seed)

small_network <- function(x = small_motif(), ..., schedule = motif_schedule(10, 14, 6, c(0.5, 4), c(-3, -2.5)), batches = 50, restarts = 1, seed = 1)
    suppressWarnings(motif_network(x, ..., filters = 4, positions = 8, dim = 16, heads = 2, hidden = 16, stream = 32, batches = batches,
                                   batch = 64, schedule = schedule, restarts = restarts, seed = seed),
                     classes = c("nucleograd_warning_warm", "nucleograd_warning_no_motif"))

brief_schedule <- motif_schedule(2, 2, 2, overlap = c(0.5, 1))

# Two motifs with six bases between them, against one of them alone; a network that knows, trained once a session.
ordered_motifs <- function() simulate_motifs(motif_grammar("TTCAGCAC", spacer(6), "GGATAGTT"), n = 600, length = 100, jitter = 20, strand = "both", seed = 3,
                                             negative = one_of("TTCAGCAC", "GGATAGTT"))

ordered_network <- local({
    trained <- NULL
    function() {
        if (is.null(trained))
            trained <<- motif_network(ordered_motifs(), filters = 8, positions = 8, dim = 16, heads = 4, hidden = 16, stream = 32, batches = 60, batch = 64,
                                      layers = 2, score = "key", key = "linear", tie_strands = TRUE, restarts = 1, seed = 2,
                                      schedule = motif_schedule(12, 10, 5, c(0.5, 4), c(-3, -2.5)))
        trained
    }
})
