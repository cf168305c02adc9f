# longtests/gctorture.R [calls]: runs the examples of the help pages; the first calls (default 2) of each .Call entry are made twice,
# the second time with a collection of garbage at every allocation. What is not protected is then gone: the answers must be the same.
# An entry that changes its argument is called once, under torture; plan_contig gives seconds, which differ. The last line counts
# entries. tools/sanitize gctorture runs it.
namespace <- loadNamespace("nucleograd")
options(cli.progress_show_after = Inf)
grDevices::pdf(NULL)
most <- as.integer(c(commandArgs(TRUE), 2)[1])
changing <- c("train", "restore_trainer", "motif_train")
calls <- list()
different <- character()
tortured <- function(entry, arguments) {
    gctorture2(1)
    on.exit(gctorture2(0))
    do.call(base::.Call, c(list(entry), arguments), quote = TRUE)
}
watched <- function(entry, ...) {
    name <- entry$name
    arguments <- list(...)
    count <- sum(calls[[name]])
    calls[[name]] <<- count + 1
    if (count >= most) return(base::.Call(entry, ...))
    if (name %in% changing) return(tortured(entry, arguments))
    usual <- base::.Call(entry, ...)
    again <- tortured(entry, arguments)
    if (!same(usual, again) && name != "plan_contig") different <<- c(different, name)
    usual
}
# Pointers of two calls differ.
same <- function(a, b) {
    if (is.list(a)) return(length(a) == length(b) && all(unlist(Map(same, a, b))))
    typeof(a) == "externalptr" || identical(a, b)
}
# Every function of the package calls watched() where it said .Call().
replaced <- function(code) {
    if (identical(code, quote(.Call))) return(watched)
    for (k in seq_along(code)) if (is.call(code[[k]]) || identical(code[[k]], quote(.Call))) code[[k]] <- replaced(code[[k]])
    code
}
for (name in ls(namespace, all.names = TRUE)) {
    verb <- get(name, namespace)
    if (typeof(verb) != "closure" || !".Call" %in% all.names(body(verb))) next
    if (is.call(body(verb))) body(verb) <- replaced(body(verb))
    unlockBinding(name, namespace)
    assign(name, verb, namespace)
    lockBinding(name, namespace)
}
suppressMessages(library(nucleograd))                                   # only now: its exports are these functions
# What examples leave out.
further <- function() {
    model <- example_model()
    piece <- Biostrings::subseq(example_genome(), 853001, 854000)
    attribution(model, piece, baseline = "markov2", replicates = 1, nodes = 2, seed = 1)
    attribution(model, piece, "smoothgrad", nodes = 2, seed = 1)
    simulation <- simulate_motifs("ACGTAC", n = 20, length = 40, jitter = 5, seed = 1)
    bayes_score(simulation)
    x <- as.character(simulation$x)
    y <- sin(seq_along(x))
    for (test in c("saturated", "split", "permutation", "global")) seism(x, y, k = 4, q = 1, test = test, B = 19, seed = 1)
    run <- nucleograd:::run_settings(NULL)
    features <- cbind(a = cos(seq_along(x)), b = x > "C", c = y^2)
    design <- nucleograd:::core_design_matrix(features, 1:3, list(0L, 0, 0L, 1, FALSE), matrix(1, length(x)), run)
    nucleograd:::core_member(design$pointer, y, 2L, cbind(y, -y), run)
    network <- sequence_network(40, conv(2, 4), global_pool("average"), dense(1, "sigmoid"), seed = 1)
    checkpoint <- tempfile()
    for (epochs in 1:2) fit_model(network, simulation$x, simulation$y, epochs = epochs, seed = 1, checkpoint = checkpoint)
    nucleograd:::matrix_kernel()
}
reach <- function(page, code) {
    began <- proc.time()[["elapsed"]]
    tryCatch(utils::capture.output(suppressMessages(code)), error = function(error) {
        cat(page, ":", conditionMessage(error), "\n")
        different <<- c(different, page)
    })
    cat(sprintf("%-40s %5.1f s\n", page, proc.time()[["elapsed"]] - began))
}
pages <- tools::Rd_db("nucleograd")
for (page in names(pages)) {
    code <- tempfile(fileext = ".R")
    tools::Rd2ex(pages[[page]], code)
    if (file.exists(code)) reach(page, source(code, local = new.env(), echo = FALSE, print.eval = TRUE))
}
reach("what examples leave out", further())
entries <- names(getDLLRegisteredRoutines("nucleograd")$.Call)
cat("not reached by an example:", setdiff(entries, names(calls)), "\n")
if (length(different)) cat("different:", unique(different), "\n")
cat(length(calls), "passed,", length(unique(different)), "failed, 0 skipped\n")
quit(status = min(1, length(different)))
