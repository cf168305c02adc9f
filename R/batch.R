# R/batch.R: the verbs over many genomes: what was asked for, who does it, what is open.

#' Run the verbs over many genomes
#'
#' Runs [predict()][predict.Model], [attribution()], [gene_quantiles()] and [knockout()] over each genome of a set, on one machine or on a
#' cluster, and writes the results to files. After an interrupt, a failure or a lost machine the same call goes on where it was.
#'
#' **Files.** Each genome has a folder `directory/<name>/` with `manifest.json` (what was asked for, and the MD5 sum of each file) and, as
#' asked for, `predictions.tsv`, `attribution.h5` (see [read_attribution()]), `attribution.bw`, `genes.tsv` and `knockout.tsv` (of the
#' genes). It is written under another name and gets its own when it is complete, so that a folder that is there is whole. A genome
#' that fails leaves `<name>.failed.json` with the reason; the others go on. `genomes.tsv` and `files.tsv` list all, once a call without
#' `share` has ended.
#'
#' **Going on.** Genomes that are done are kept, and of the others each part that took more than half a minute: what one verb found in the
#' windows of a contig, strand by strand. Files that an ended process left unfinished are removed. The results do not depend on what
#' happened in between, nor on workers and threads: the same bits.
#'
#' **Workers.** `BPPARAM` of BiocParallel says where: `MulticoreParam(4)`, `SnowParam(4)`, `BatchtoolsParam()` for Slurm and others. Workers
#' times threads are never more than the processors of this session (under Slurm those of its job), one thread each in forked workers
#' (`MulticoreParam`). On a cluster each job counts its own, see [thread_count()]; `system.file("slurm/batchtools.tmpl", package =
#' "nucleograd")` is a template for Slurm. Or share the genomes out among independent calls, such as those of `sbatch --array`
#' (`slurm/array.sh` beside the template): `share = c(3, 10)` is the third of ten. `vignette("from-one-genome-to-three-thousand")` has both.
#' @param set A [GenomeSet-class], from [genome_set()].
#' @param directory The folder of the results; made if it is not there.
#' @param model The path of a model file, or a [Model-class] that [read_model()] read from one: workers read the file themselves.
#' @param verbs A named list: the verbs `predict`, `attribution`, `genes` and `knockout`, each with a list of arguments for it, such as
#'   `list(attribution = list(nodes = 20), genes = list(type = "CDS"))`. `genes` and `knockout` need annotation; `genes` an attribution.
#'   Shifts of `genes` have the seed 1 unless one is given.
#' @param tracks Which files hold the attribution: `"h5"`, `"bw"`, `"bedGraph"`; several, or none (`character()`).
#' @param BPPARAM A `BiocParallelParam`; `NULL`: one genome after the other, in this session.
#' @param threads Threads of a worker, as many of these as the processors allow; `NULL`: see [thread_count()].
#' @param memory_bytes See [attribution()]; per worker.
#' @param share `NULL`, or two whole numbers `c(k, n)`: only the k-th of n shares of the genomes.
#' @return A [Batch-class], of the whole set, or the share of it.
#' @section Errors: Before work starts: `nucleograd_error_argument`; `nucleograd_error_file`: the folder cannot be written, or holds results
#'   of other settings. What happens to a genome later is no error but a row of the result.
#' @seealso [read_batch()] reads the results at any time; [batch_genes()] and [batch_predictions()] make one table of them.
#' @examples
#' folder <- tempfile("genomes")
#' dir.create(folder)
#' for (from in c(1, 5001))
#'     Biostrings::writeXStringSet(Biostrings::subseq(example_genome(), from, from + 1999),
#'                                 file.path(folder, paste0("from_", from, ".fna")))
#' model <- system.file("extdata", "rrna16s.h5", package = "nucleograd")
#' run_batch(genome_set(folder), tempfile("results"), model, list(predict = list(step = 500)))
#' @export
run_batch <- function(set, directory, model, verbs = list(attribution = list(), genes = list()), tracks = "h5", BPPARAM = NULL,
                      threads = NULL, memory_bytes = NULL, share = NULL) {
    check_is(set, "GenomeSet", "genome_set")
    job <- list(directory = check_directory(directory), model = model_file(model), verbs = check_verbs(verbs, set),
                tracks = check_tracks(tracks), memory_bytes = memory_bytes)
    if (!is.null(BPPARAM)) {
        need_package("BiocParallel", "A batch with workers")
        check_is(BPPARAM, "BiocParallelParam", "SerialParam")
        check_user(BPPARAM)
    }
    job$threads <- worker_threads(threads, BPPARAM)
    job$asked <- as_json(list(model = unname(tools::md5sum(job$model)), verbs = job$verbs, tracks = I(job$tracks),
                              version = as.character(utils::packageVersion("nucleograd"))))
    rows <- if (is.null(share)) seq_along(names(set)) else share_rows(length(set), share)
    set <- set[rows]
    manifests <- lapply(names(set), manifest_of, directory = job$directory)
    done <- vapply(manifests, function(manifest) identical(manifest$asked, job$asked), NA)
    refuse_other_results(job$directory, names(set)[!done], manifests[!done])
    remove_unfinished(job$directory, names(set)[done])
    open <- which(!done)
    open <- open[order(-file.size(set@table$genome[open]), na.last = FALSE)]          # the largest first: no worker is late with it
    reasons <- rep(NA_character_, length(set))
    said <- function(words) if (is.null(words)) NA_character_ else words
    if (is.null(BPPARAM)) {
        cli::cli_progress_bar("Genomes", total = length(open))
        for (k in open) {
            reasons[k] <- said(run_genome(set@table[k, ], job))
            cli::cli_progress_update()
        }
    } else tryCatch({
        told <- on_workers(lapply(open, function(k) set@table[k, ]), run_genome, job, BPPARAM)
        reasons[open] <- vapply(told, said, "")
    }, error = function(lost) cli::cli_warn(c("Workers were lost; the same call goes on with what is open.", x = "{conditionMessage(lost)}"),
                                            class = "nucleograd_warning_workers"))
    manifests[open] <- lapply(names(set)[open], manifest_of, directory = job$directory)
    batch <- find_results(job$directory, names(set), manifests, reasons)
    if (is.null(share)) write_tables(batch)
    batch
}

# Who is free takes the next, instead of an equal share from the start.
on_workers <- function(rows, work, job, BPPARAM) {
    tasks <- BiocParallel::bptasks(BPPARAM)
    on.exit(BiocParallel::bptasks(BPPARAM) <- tasks)                 # the object is the caller's
    BiocParallel::bptasks(BPPARAM) <- length(rows)
    if (is(BPPARAM, "MulticoreParam")) {
        # what is loaded here need not be loaded there
        for (package in c("rtracklayer", "SummarizedExperiment", "rhdf5")) requireNamespace(package, quietly = TRUE)
        # workers that are up stay for all tasks; others are forked anew for each, and copy the heap of this session each time
        if (!BiocParallel::bpisup(BPPARAM)) {
            BiocParallel::bpstart(BPPARAM)
            on.exit(BiocParallel::bpstop(BPPARAM), add = TRUE, after = FALSE)
        }
    }
    BiocParallel::bplapply(rows, work, job = job, BPPARAM = BPPARAM)
}

# genomes.tsv and files.tsv: for people; the manifests say the same.
write_tables <- function(batch) {
    tryCatch({
        write_whole(table_bytes(batch@genomes), file.path(batch@directory, "genomes.tsv"))
        write_whole(table_bytes(batch@files), file.path(batch@directory, "files.tsv"))
    }, error = function(error) cli::cli_warn("{conditionMessage(error)}", class = "nucleograd_warning_tables"))
}

# ---- what was typed ----

check_directory <- function(directory, call = parent.frame()) {
    if (!is.character(directory) || length(directory) != 1L || is.na(directory))
        stop_input("{.arg directory} must be the path of one folder, not {friendly(directory)}.", call = call)
    if (!dir.exists(directory)) dir.create(directory, recursive = TRUE, showWarnings = FALSE)
    if (!dir.exists(directory) || file.access(directory, 2) != 0)
        stop_input("{.arg directory} must be a folder that can be written; {.file {directory}} is not.", class = "file", call = call)
    normalizePath(directory)
}

model_file <- function(model, call = parent.frame()) {
    if (is(model, "Model")) {
        file <- model@settings$file
        if (is.null(file) || !file.exists(file))
            stop_input("{.arg model} must come from a file that is still there: workers read it themselves.", call = call)
        return(normalizePath(file))
    }
    normalizePath(check_file(model, name = "model", call = call))
}

check_verbs <- function(verbs, set, call = parent.frame()) {
    known <- c("predict", "attribution", "genes", "knockout")
    if (!is.list(verbs) || !length(verbs) || is.null(names(verbs)) || !all(names(verbs) %in% known) || anyDuplicated(names(verbs)) ||
        !all(vapply(verbs, is.list, NA)))
        stop_input("{.arg verbs} must be a list of lists of arguments, named by {.val {known}}, each at most once.", call = call)
    functions <- list(predict = predict.Model, attribution = attribution, genes = gene_quantiles, knockout = knockout)
    for (verb in names(verbs)) {
        given_otherwise <- c("object", "model", "genome", "scores", "annotation", "threads", "memory_bytes", "...")
        allowed <- setdiff(names(formals(functions[[verb]])), given_otherwise)
        odd <- setdiff(names(verbs[[verb]]), allowed)
        if (length(odd) || length(verbs[[verb]]) != length(names(verbs[[verb]])))
            stop_input(c("The arguments of {.val {verb}} must be named, by {.arg {allowed}}.",
                         x = if (length(odd)) "{.arg {odd}} {?is/are} none of these."), call = call)
    }
    if ("genes" %in% names(verbs)) {
        if (!"attribution" %in% names(verbs)) stop_input("The verb {.val genes} needs the verb {.val attribution}.", call = call)
        if (is.null(verbs$genes$seed)) verbs$genes$seed <- 1
    }
    if (any(c("genes", "knockout") %in% names(verbs)) && all(is.na(set@table$annotation)))
        stop_input("{.val genes} and {.val knockout} need annotation; no genome of {.arg set} has any.", call = call)
    verbs
}

check_tracks <- function(tracks, call = parent.frame()) {
    known <- c("h5", "bw", "bedGraph")
    if (!is.character(tracks) || !all(tracks %in% known))
        stop_input("{.arg tracks} must be some of {.val {known}}, not {.val {tracks}}.", call = call)
    if ("h5" %in% tracks) need_package("rhdf5", "Attributions in HDF5 files", call)
    unique(tracks)
}

# Which of so many genomes the k-th of n shares are, share being c(k, n).
share_rows <- function(count, share, call = parent.frame()) {
    if (!is.numeric(share) || length(share) != 2L || anyNA(share) || any(share != round(share)) || share[1] < 1 || share[1] > share[2])
        stop_input("{.arg share} must be two whole numbers, k and n with 1 <= k <= n, not {.val {share}}.", call = call)
    which((seq_len(count) - 1) %% share[2] == share[1] - 1)
}

is_cluster <- function(BPPARAM) is(BPPARAM, "BatchtoolsParam") && !BPPARAM$cluster %in% c("interactive", "multicore", "socket")

# batchtools asks the cluster for the jobs of $USER, and takes those that it does not find for lost.
check_user <- function(BPPARAM, call = parent.frame()) {
    if (is_cluster(BPPARAM) && !nzchar(Sys.getenv("USER")))
        stop_input(c("The environment variable {.envvar USER} must say whose jobs these are; it is empty, as containers leave it.",
                     i = "{.code Sys.setenv(USER = Sys.info()[[\"user\"]])} sets it."), call = call)
}

# Threads of each worker, so that all together are no more than the processors here; NULL: as each finds where it runs.
worker_threads <- function(threads, BPPARAM, call = parent.frame()) {
    if (!is.null(threads)) threads <- check_number(threads, 1, 1024, call = call)
    if (is.null(BPPARAM) || is_cluster(BPPARAM)) return(threads)
    workers <- BiocParallel::bpworkers(BPPARAM)
    if (is.character(workers)) return(if (is.null(threads)) 1 else threads)           # names of machines
    processors <- machine_processors()
    if (workers > processors)
        stop_input(c("{.arg BPPARAM} must have at most {processors} worker{?s}, the processors of this session; it has {workers}."), call = call)
    min(if (is(BPPARAM, "MulticoreParam")) 1 else processors %/% workers, count_threads(threads, call))
}

refuse_other_results <- function(directory, names, manifests, call = parent.frame()) {
    there <- which(file.exists(file.path(directory, names)))
    if (!length(there)) return()
    found <- manifests[[there[1]]]
    stop_input(c("{.arg directory} must be empty or hold results of the same model, verbs, tracks and version of the package.",
                 x = "{.file {file.path(directory, names[there[1]])}} {if (is.null(found)) 'is none of its results' else 'was made with other settings'}.",
                 i = "Choose another folder, or remove that one."), class = "file", call = call)
}
