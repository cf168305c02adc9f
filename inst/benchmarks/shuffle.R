# inst/benchmarks/shuffle.R: shuffles of dinucleotides beside tangermeme: which of all legal shuffles come, how evenly, and how fast.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("report.R", "peers/peer.R")) source(file.path(here, file))
options(cli.progress_show_after = Inf, width = 200)
threads <- 2
repetitions <- 5
seconds_of <- function(expression) system.time(expression)[["elapsed"]]
python <- peer_python()
if (!is.null(python)) {
    file <- tempfile()
    peer <- start_peer(python, "shuffle_torch.py", threads, file)
}
# list(seconds, shuffles), those of the first sequence first.
by_peer <- function(sequences, count) {
    seconds <- ask_peer(peer, paste(c(count, sequences), collapse = " "))
    width <- nchar(sequences[1])
    list(seconds = seconds, shuffles = substring(readChar(file, count * sum(nchar(sequences)), useBytes = TRUE),
                                                 seq(1, by = width, length.out = count * length(sequences)),
                                                 seq(width, by = width, length.out = count * length(sequences))))
}

# All sequences with the first letter and the dinucleotides of this one, by trying every walk.
legal_shuffles <- function(sequence) {
    letters <- strsplit(sequence, "")[[1]]
    walk <- function(so_far, left) {
        if (!length(left)) return(so_far)
        choices <- unique(left[startsWith(left, substring(so_far, nchar(so_far)))])
        unlist(lapply(choices, function(step) walk(paste0(so_far, substring(step, 2)), left[-match(step, left)])))
    }
    unique(walk(letters[1], paste0(letters[-length(letters)], letters[-1])))
}

evenness <- function(program, sequence, legal, drawn) {
    counts <- table(factor(drawn, legal))
    data.frame(program, sequence, legal = length(legal), reached = sum(counts > 0), draws = length(drawn), illegal = sum(!drawn %in% legal),
               rarest = min(counts) * length(legal) / length(drawn), commonest = max(counts) * length(legal) / length(drawn),
               chi_square = unname(stats::chisq.test(counts)$statistic), p_value = stats::chisq.test(counts)$p.value)
}
rows <- lapply(c("ACCCACGATGATA", "ACGTTGCATGCA"), function(sequence) {
    legal <- legal_shuffles(sequence)
    draws <- 1000 * length(legal)
    rbind(evenness("nucleograd", sequence, legal, as.character(shuffle_sequences(rep(sequence, draws), seed = 1))),
          if (!is.null(python)) evenness("tangermeme", sequence, legal, by_peer(sequence, draws)$shuffles))
})
table <- do.call(rbind, rows)
print(table, row.names = FALSE, digits = 3)

# 20 shuffles of each of 1,000 windows of 500 bp; a turn each, the first one, in which the peer compiles, not counted.
windows <- as.character(Biostrings::DNAStringSet(example_genome()[[1]], start = seq(1, by = 1000, length.out = 1000), width = 500))
windows <- gsub("[^ACGT]", "A", windows)
set <- Biostrings::DNAStringSet(windows)
runs <- vapply(0:repetitions, function(turn) c(ours = seconds_of(suppressWarnings(shuffle_sequences(set, replicates = 20, seed = turn, threads = threads))),
                                               theirs = if (is.null(python)) NA else by_peer(windows, 20)$seconds), numeric(2))[, -1]
if (!is.null(python)) stop_peer(peer)
ours <- table[table$program == "nucleograd", ]
figure("shuffle_legal_reached", sum(ours$reached), paste("of", sum(ours$legal)))
figure("shuffle_smallest_p_value", min(ours$p_value), "chi-square, against equal chances")
figure("shuffle_seconds", stats::median(runs["ours", ]), "s, 20 shuffles of 1,000 windows of 500 bp")
figure("shuffle_peer_seconds", stats::median(runs["theirs", ]), "s, the same by tangermeme")
if (sum(ours$reached) < sum(ours$legal) || min(ours$p_value) < 1e-4 || any(ours$illegal > 0)) stop("the shuffles are not uniform")
