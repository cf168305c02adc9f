# longtests/interrupts.R [signals] [calls] [pattern]: Ctrl-C in every verb that takes long (whose name has the pattern), `signals` times each at
# random moments (default 10): how long until the session has its prompt again, which must be at most 0.5 s (bigWig: 2 s), and
# that it then computes what it computed before. R does not stop while it collects garbage, which takes longer the more packages are
# loaded (0.3 s with Biostrings, 0.7 s with rtracklayer too): an answer during whose call R collected may take that much more, at most one
# collection as measured here.
# First `calls` (default 1000) calls that are interrupted or fail: the memory of the process must not grow. Prints a table; the last
# line counts.
#     R_LIBS=build/library Rscript longtests/interrupts.R
# A machine that is busy with other work answers late: the limit is meant for a quiet one.
suppressMessages({
    library(nucleograd)
    library(GenomicRanges)
})
words <- commandArgs(TRUE)
given <- as.integer(c(utils::head(words, 2), c(10, 1000)[seq_len(2) > length(words)]))
set.seed(1)
options(cli.progress_show_after = Inf)
model <- example_model()
genome <- example_genome()
piece <- Biostrings::subseq(genome, 800001, 900000)
annotation <- example_annotation()
whole <- attribution(model, genome, "gradient")
ranked <- gene_quantiles(whole, annotation, shifts = 10, seed = 1)
regions <- GRanges("CHLTCG", IRanges(seq(1, 99001, 100), width = 90))
fasta <- tempfile(fileext = ".fna.gz")
Biostrings::writeXStringSet(stats::setNames(rep(genome, 8), paste0("contig", 1:8)), fasta, compress = TRUE)
gff <- tempfile(fileext = ".gff3")
suppressWarnings(rtracklayer::export(annotation, gff))
gffs <- file.path(tempdir(), paste0("strain", 1:60, ".gff3"))
for (file in gffs) file.copy(gff, file)
letters_of <- function(n, width) vapply(seq_len(n), function(i) paste(sample(c("A", "C", "G", "T"), width, TRUE), collapse = ""), "")
short <- letters_of(400, 60)
response <- 2 * grepl("ACGT", short) + stats::rnorm(400)
named <- Biostrings::DNAStringSet(letters_of(2000, 500))
network <- sequence_network(500, conv(64, 12), pool(4), conv(64, 8), global_pool("average"), dense(1, "sigmoid"), seed = 1)
recurrent <- sequence_network(2000, conv(16, 8), lstm(64), dense(1, "sigmoid"), seed = 1)
deep <- sequence_network(20000, conv(64, 16), pool(2), conv(128, 16), pool(4), conv(128, 8), global_pool("average"), dense(1, "sigmoid"), seed = 1)
presence <- matrix(stats::rbinom(400 * 5000, 1, 0.3), 400, dimnames = list(NULL, paste0("gene", 1:5000)))
class_of <- factor(rep(c("one", "two"), 200))
folder <- tempfile("genomes")
dir.create(folder)
for (k in 1:4) Biostrings::writeXStringSet(piece, file.path(folder, paste0("g", k, ".fna")))

verbs <- list(
    "predict()" = function() predict(model, genome, step = 20),
    "predict(), one long window" = function() predict(example_architecture("sporulation"), genome),
    "attribution(ig)" = function() attribution(model, genome),
    "attribution(ig), window of 20,000 bp" = function() attribution(deep, piece),
    "attribution(ig), LSTM" = function() attribution(recurrent, piece),
    "attribution(ig), tolerance" = function() attribution(model, genome, tolerance = 0.01),
    "attribution(deeplift)" = function() attribution(model, genome, "deeplift"),
    "attribution(deepshap)" = function() attribution(model, piece, "deepshap", baseline = "dinucleotide", replicates = 10, seed = 1),
    "attribution(smoothgrad)" = function() attribution(model, piece, "smoothgrad", seed = 1),
    "attribution(), shuffled baselines" = function() attribution(model, piece, baseline = "dinucleotide", replicates = 10, seed = 1),
    "plan()" = function() plan(deep, genome),
    "knockout()" = function() knockout(model, piece, regions, step = 20),
    "knockout(), dinucleotide" = function() knockout(model, piece, regions, "dinucleotide", seed = 1),
    "knockout(), deletion" = function() knockout(model, piece, regions, "deletion"),
    "occlusion()" = function() occlusion(model, genome, width = 20),
    "mutagenesis()" = function() mutagenesis(model, piece),
    "region_attribution()" = function() region_attribution(deep, piece, GRanges("CHLTCG:1-20000")),
    "trust()" = function() trust(attribution(model, piece, nodes = 5), model, seed = 1),
    "gene_quantiles()" = function() gene_quantiles(whole, annotation, seed = 1),
    "gene_set_test()" = function() gene_set_test(whole, list(rna = annotation$locus_tag[annotation$type == "rRNA"]), annotation,
                                                 min_genes = 2, shifts = 1e4, seed = 1),
    "scores_by_kmer()" = function() scores_by_kmer(whole, 8),
    "scores_by_gc()" = function() scores_by_gc(whole, annotation),
    "seqlets()" = function() seqlets(whole),
    "shuffle_sequences()" = function() shuffle_sequences(genome, replicates = 10, seed = 1),
    "read_genome()" = function() read_genome(fasta),
    "read_annotation()" = function() read_annotation(gff, genome),
    "gene_matrix()" = function() gene_matrix(gffs),
    "gene_prevalence()" = function() gene_prevalence(presence, class_of),
    "gene_forest()" = function() gene_forest(presence, class_of, seed = 1),
    "seism()" = function() seism(short, response, k = 6, q = 2, B = 999, seed = 1),
    "seism(), permutation" = function() seism(short, response, k = 6, q = 1, test = "permutation", B = 999, seed = 1),
    "simulate_motifs()" = function() simulate_motifs("TTCAGCAC", n = 50000, jitter = 20, seed = 1),
    "motif_network()" = function() motif_network(simulate_motifs("TTCAGCAC", n = 500, length = 100, jitter = 20, seed = 1),
                                                 restarts = 1, seed = 1, verbose = FALSE),
    "fit_model()" = function() fit_model(network, named, rep(c("a", "b"), 1000), epochs = 100, seed = 1),
    "predict_states()" = function() predict_states(model, genome, step = 100),
    "export(), bigWig" = function() export(whole, file.path(tempdir(), "scores.bw")),
    "export(), HDF5" = function() export(whole, file.path(tempdir(), "scores.h5")),
    "report()" = function() report(file.path(tempdir(), "report.html"), whole, ranked, model),
    "run_batch()" = function() run_batch(genome_set(folder), tempfile("results"),
                                         system.file("extdata", "rrna16s.h5", package = "nucleograd"),
    list(attribution = list())))

# A bigWig file is written by one call of rtracklayer, which never asks: up to a second for a million bases.
limit <- replace(stats::setNames(rep(0.5, length(verbs)), names(verbs)), "export(), bigWig", 2)

if (length(words) > 2) verbs <- verbs[grepl(words[3], names(verbs))]
sent <- tempfile()
# Seconds from the signal to the prompt, and of collections during the call; NA if the verb swallowed it.
answer <- function(verb, delay) {
    unlink(sent)
    system(sprintf("(sleep %.3f; date +%%s.%%N >%s; kill -INT %d)", delay, sent, Sys.getpid()), wait = FALSE)
    before <- 0
    waited <- function(condition = NULL) c(as.numeric(Sys.time()) - as.numeric(readLines(sent)), gc.time()[[3]] - before)
    tryCatch({
        repeat {
            before <- gc.time()[[3]]
            verb()
            if (!file.exists(sent)) next
            Sys.sleep(1)                                              # the signal follows its time
            return(c(NA, NA))
        }
    }, interrupt = waited, error = function(error) if (grepl("User interrupt", conditionMessage(error))) waited() else stop(error))     # ranger's way
}

# ---- memory ----

expected <- predict(model, piece)
failed <- 0
memory <- function() {
    gc()
    scan("/proc/self/statm", quiet = TRUE)[2] * 4096 / 1e6
}
calls <- list(
    function() attribution(model, piece, nodes = 0),
    function() attribution(deep, piece, memory_bytes = 1e5),
    function() predict(model, Biostrings::subseq(piece, 1, 100)),
    function() knockout(model, piece, GRanges("other:1-10")),
    function() read_model(gff),
    function() {                                                     # what Ctrl-C does, without its timing
        run <- nucleograd:::run_settings(NULL)
        run[[3]] <- function(done) stop("no more")
        request <- nucleograd:::contig_request(list(nodes = model@settings$output_nodes), piece,
                                               nucleograd:::genome_windows(model, piece, NULL, NULL), numeric(4), NULL)
        .Call(nucleograd:::C_predict_contig, model@pointer, request$wanted, 1, request$bases, request$starts, request$window, run, environment())
    },
    function() {
        setTimeLimit(elapsed = 0.02, transient = TRUE)
        on.exit(setTimeLimit())
        attribution(model, piece, nodes = 1000)
    })
run_calls <- function(n) for (k in seq_len(n)) {
    failure <- suppressWarnings(tryCatch({
        calls[[k %% length(calls) + 1]]()
        NULL
    }, error = identity))
    if (is.null(failure)) stop("call ", k %% length(calls) + 1, " was meant to fail")
}
if (file.exists("/proc/self/statm")) {
    run_calls(100)
    before <- memory()
    run_calls(given[2])
    grown <- memory() - before
    leak <- grown > 10
    cat(sprintf("%d interrupted or failed calls: the process grew from %.0f by %.1f MB %s\n", given[2], before, grown, if (leak) "FAIL" else ""))
    failed <- failed + leak + !identical(predict(model, piece), expected)
}

# ---- signals ----

cat(sprintf("%-40s %9s %9s %9s %16s\n", "verb", "signals", "median s", "worst s", "but collection s"))
for (name in names(verbs)) {
    seconds <- suppressWarnings(suppressMessages(tryCatch(vapply(seq_len(given[1]), function(k) answer(verbs[[name]], stats::runif(1, 0.05, 1.5)), numeric(2)),
                                                          error = function(error) conditionMessage(error))))
    if (is.character(seconds)) {
        cat(sprintf("%-40s FAIL: %s\n", name, gsub("\\s+", " ", cli::ansi_strip(seconds))))
        failed <- failed + 1
        tryCatch(Sys.sleep(2), interrupt = identity)                  # the signal may still be on its way
        next
    }
    collection <- system.time(gc(), gcFirst = FALSE)[["elapsed"]]
    besides <- seconds[1, ] - pmin(seconds[2, ], collection)
    seconds <- seconds[1, ]
    as_before <- identical(predict(model, piece), expected)
    fine <- as_before && !anyNA(seconds) && stats::median(seconds) <= limit[[name]] && max(besides) <= limit[[name]]
    failed <- failed + !fine
    cat(sprintf("%-40s %9d %9.2f %9.2f %16.2f %s\n", name, length(seconds), stats::median(seconds, na.rm = TRUE), max(seconds, 0, na.rm = TRUE),
                max(besides, 0, na.rm = TRUE),
                if (fine) "" else if (anyNA(seconds)) "FAIL: an interrupt was swallowed" else if (as_before) "FAIL" else "FAIL: another answer afterwards"))
}

cat(length(verbs) + 1 - failed, "passed,", failed, "failed, 0 skipped\n")
quit(status = min(failed, 1))
