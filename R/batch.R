# R/batch.R: the verbs over many genomes, each genome by itself: results by path, resumed after any end.

#' Results of many genomes
#'
#' What [run_batch()] and [read_batch()] return. `as.data.frame()` gives the table of genomes; [batch_genes()] the genes of all.
#' @slot directory Where the results are.
#' @slot genomes A data.frame, one row a genome: `name`, `status` (`"done"`, `"failed"` or `"open"`), `reason` (why it failed), `bp`,
#'   `seconds`, `gap` (the completeness gap, relative to what there is to explain).
#' @slot files A data.frame, one row a file of a genome that is done: `name`, `file`, `bytes`, `md5`.
#' @exportClass Batch
setClass("Batch", slots = c(directory = "character", genomes = "data.frame", files = "data.frame"))

#' Run the verbs over many genomes
#'
#' Runs [predict()][predict.Model], [attribution()], [gene_quantiles()] and [knockout()] over each genome of a set, on one machine or on a
#' cluster, and writes the results to files. After an interrupt, a failure or a lost machine the same call goes on where it was.
#'
#' **Files.** Each genome has a folder `directory/<name>/` with `manifest.json` (what was asked for, and the MD5 sum of each file) and, as
#' asked for, `predictions.tsv`, `attribution.h5` (see [read_attribution()]), `attribution.bw`, `genes.tsv` and `knockout.tsv` (of the
#' genes). It is written under another name and gets its own when it is complete, so that a folder that is there is whole. A genome
#' that fails leaves `<name>.failed.json` with the reason; the others go on. `genomes.tsv` and `files.tsv` list all.
#'
#' **Going on.** Genomes that are done are kept; files that an ended process left unfinished are removed. The results do not depend on what
#' happened in between, nor on workers and threads: the same bits.
#'
#' **Workers.** `BPPARAM` of BiocParallel says where: `MulticoreParam(4)`, `SnowParam(4)`, `BatchtoolsParam()` for Slurm and others. Workers
#' times threads are never more than the processors this session may use ([thread_count()]), one thread each in forked workers
#' (`MulticoreParam`). On a cluster each job counts its own (`SLURM_CPUS_PER_TASK`). Or share the genomes out among independent calls,
#' such as those of `sbatch --array`: `share = c(3, 10)` is the third of ten.
#' @param set A [GenomeSet-class], from [genome_set()].
#' @param directory The folder of the results; made if it is not there.
#' @param model The path of a model file, or a [Model-class] that [read_model()] read from one: workers read the file themselves.
#' @param verbs A named list: the verbs `predict`, `attribution`, `genes` and `knockout`, each with a list of arguments for it, such as
#'   `list(attribution = list(nodes = 20), genes = list(type = "CDS"))`. `genes` and `knockout` need annotation; `genes` an attribution.
#'   Shifts of `genes` have the seed 1 unless one is given.
#' @param tracks Which files hold the attribution: `"h5"`, `"bw"`, `"bedGraph"`; several, or none (`character()`).
#' @param BPPARAM A `BiocParallelParam`; `NULL`: one genome after the other, in this session.
#' @param threads Threads of a worker; `NULL`: what the processors allow.
#' @param memory_bytes See [attribution()]; per worker.
#' @param share `NULL`, or two whole numbers `c(k, n)`: only the k-th of n shares of the genomes.
#' @return A [Batch-class], of the whole set.
#' @section Errors: Before work starts: `nucleograd_error_argument`; `nucleograd_error_file`: the folder cannot be written, or holds results
#'   of other settings. What happens to a genome later is no error but a row of the result.
#' @seealso [read_batch()] reads the results at any time.
#' @examples
#' folder <- tempfile("genomes")
#' dir.create(folder)
#' for (from in c(1, 5001))
#'     Biostrings::writeXStringSet(Biostrings::subseq(example_genome(), from, from + 1999), file.path(folder, paste0("from_", from, ".fna")))
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
    }
    job$threads <- worker_threads(threads, BPPARAM)
    job$asked <- as_json(list(model = unname(tools::md5sum(job$model)), verbs = job$verbs, tracks = I(job$tracks),
                              version = as.character(utils::packageVersion("nucleograd"))))
    rows <- seq_len(length(set))
    if (!is.null(share)) rows <- rows[(rows - 1) %% shares_of(share) == share[1] - 1]
    refuse_other_results(set, job)
    remove_unfinished(job$directory)
    rows <- rows[!vapply(set@table$name[rows], function(name) is_done(job, name), NA)]
    rows <- rows[order(-file.size(set@table$genome[rows]), na.last = FALSE)]          # the largest first: no worker is late with it
    if (is.null(BPPARAM)) {
        cli::cli_progress_bar("Genomes", total = length(rows))
        for (k in rows) {
            run_genome(set@table[k, ], job)
            cli::cli_progress_update()
        }
    } else {
        lost <- tryCatch({
            BiocParallel::bplapply(lapply(rows, function(k) set@table[k, ]), run_genome, job = job, BPPARAM = BPPARAM)
            NULL
        }, error = conditionMessage)
        if (!is.null(lost))
            cli::cli_warn(c("Workers were lost; the same call goes on with what is open.", x = "{lost}"), class = "nucleograd_warning_workers")
    }
    batch <- find_results(job$directory, names(set))
    write_whole(batch@genomes, file.path(job$directory, "genomes.tsv"))
    write_whole(batch@files, file.path(job$directory, "files.tsv"))
    batch
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
        allowed <- setdiff(names(formals(functions[[verb]])), c("object", "model", "genome", "scores", "annotation", "threads", "memory_bytes", "..."))
        odd <- setdiff(names(verbs[[verb]]), allowed)
        if (length(odd) || length(verbs[[verb]]) != length(names(verbs[[verb]])))
            stop_input(c("The arguments of {.val {verb}} must be named, by {.arg {allowed}}.", x = if (length(odd)) "{.arg {odd}} {?is/are} none of these."), call = call)
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
    if (!is.character(tracks) || !all(tracks %in% known)) stop_input("{.arg tracks} must be some of {.val {known}}, not {.val {tracks}}.", call = call)
    if ("h5" %in% tracks) need_package("rhdf5", "Attributions in HDF5 files", call)
    unique(tracks)
}

# n, if share is c(k, n).
shares_of <- function(share, call = parent.frame()) {
    if (!is.numeric(share) || length(share) != 2L || anyNA(share) || any(share != round(share)) || share[1] < 1 || share[1] > share[2])
        stop_input("{.arg share} must be two whole numbers, k and n with 1 <= k <= n, not {.val {share}}.", call = call)
    share[2]
}

# Threads of each worker; NULL: as each finds where it runs.
worker_threads <- function(threads, BPPARAM, call = parent.frame()) {
    if (!is.null(threads)) threads <- check_number(threads, 1, 1024, call = call)
    if (is.null(BPPARAM) || is(BPPARAM, "BatchtoolsParam")) return(threads)
    if (is(BPPARAM, "MulticoreParam")) return(1)
    processors <- min(.Call(C_threads), suppressWarnings(as.numeric(Sys.getenv("SLURM_CPUS_PER_TASK"))), na.rm = TRUE)
    min(max(1, processors %/% BiocParallel::bpnworkers(BPPARAM)), threads)
}

# ---- one genome ----

# Reads, runs and writes what was asked for of one row of the set; returns nothing. Runs on a worker.
run_genome <- function(row, job) {
    failed <- file.path(job$directory, paste0(row$name, ".failed.json"))
    unfinished <- file.path(job$directory, paste0(".unfinished-", row$name, "-", Sys.info()[["nodename"]], "-", Sys.getpid()))
    on.exit(unlink(unfinished, recursive = TRUE))
    told <- withCallingHandlers(tryCatch({
        unlink(unfinished, recursive = TRUE)
        if (!dir.create(unfinished, showWarnings = FALSE)) stop("no folder can be made in ", job$directory)
        results_of_genome(row, job, unfinished)
        final <- file.path(job$directory, row$name)
        if (!suppressWarnings(file.rename(unfinished, final)) && !is_done(job, row$name)) stop("the results cannot be given their name, ", final)
        unlink(failed)
        NULL
    }, error = function(error) error), message = function(message) invokeRestart("muffleMessage"))
    if (!is.null(told))
        try(write_lines_whole(as_json(list(name = row$name, reason = cli::ansi_strip(conditionMessage(told)), class = class(told)[1])), failed), silent = TRUE)
    invisible()
}

results_of_genome <- function(row, job, folder) {
    begun <- proc.time()[["elapsed"]]
    old <- options(cli.progress_show_after = Inf)
    on.exit(options(old))
    asked <- names(job$verbs)
    arguments <- function(verb, ...) c(list(...), job$verbs[[verb]], list(threads = job$threads), if (verb != "genes") list(memory_bytes = job$memory_bytes))
    into <- function(table, name) write_rows(as.data.frame(table), file.path(folder, name))
    model <- read_model(job$model)
    genome <- read_genome(row$genome, if (!is.null(row$circular)) as.logical(row$circular))
    annotation <- if (!is.na(row$annotation) && any(c("genes", "knockout") %in% asked)) read_annotation(row$annotation, genome)
    gap <- NA_real_
    if ("predict" %in% asked) into(do.call(predict.Model, arguments("predict", model, genome)), "predictions.tsv")
    if ("attribution" %in% asked) {
        scores <- do.call(attribution, arguments("attribution", model, genome))
        gap <- relative_gap(scores@windows)
        for (track in job$tracks) rtracklayer::export(scores, file.path(folder, paste0("attribution.", track)))
        if ("genes" %in% asked && !is.null(annotation)) into(do.call(gene_quantiles, arguments("genes", scores, annotation)), "genes.tsv")
    }
    if ("knockout" %in% asked && !is.null(annotation))
        into(do.call(knockout, arguments("knockout", model, genome, choose_features(annotation, c("CDS", "rRNA", "tRNA")))), "knockout.tsv")
    files <- sort(list.files(folder), method = "radix")
    paths <- file.path(folder, files)
    writeLines(as_json(list(name = row$name, asked = job$asked, bp = sum(Biostrings::width(genome)), gap = if (!is.na(gap)) gap,
                            seconds = round(proc.time()[["elapsed"]] - begun, 2), files = I(files), bytes = I(file.size(paths)),
                            md5 = I(unname(tools::md5sum(paths))))), file.path(folder, "manifest.json"))
}

write_rows <- function(table, file) {
    table[] <- lapply(table, function(column) if (is.list(column)) vapply(column, paste, "", collapse = ",") else column)
    utils::write.table(table, file, sep = "\t", quote = FALSE, row.names = FALSE, na = "")
    file
}

# A file that is there is whole: written under another name first.
write_whole <- function(table, file) rename_whole(write_rows(table, unfinished_file(file)), file)
write_lines_whole <- function(lines, file) {
    writeLines(lines, unfinished_file(file))
    rename_whole(unfinished_file(file), file)
}
unfinished_file <- function(file) file.path(dirname(file), paste0(".unfinished-", basename(file), "-", Sys.info()[["nodename"]], "-", Sys.getpid()))
rename_whole <- function(from, to) invisible(file.rename(from, to))

# ---- what is there ----

manifest_of <- function(directory, name) {
    file <- file.path(directory, name, "manifest.json")
    if (file.exists(file)) tryCatch(jsonlite::fromJSON(file), error = function(error) NULL)
}

is_done <- function(job, name) identical(manifest_of(job$directory, name)$asked, job$asked)

refuse_other_results <- function(set, job, call = parent.frame()) {
    for (name in names(set)) {
        if (!file.exists(file.path(job$directory, name)) || is_done(job, name)) next
        found <- manifest_of(job$directory, name)
        stop_input(c("{.arg directory} must be empty or hold results of the same model, verbs, tracks and version of the package.",
                     x = "{.file {file.path(job$directory, name)}} {if (is.null(found)) 'is none of its results' else 'was made with other settings'}.",
                     i = "Choose another folder, or remove that one."), class = "file", call = call)
    }
}

# What processes of this machine left that are no longer there; those of other machines may still run.
remove_unfinished <- function(directory) {
    left <- list.files(directory, paste0("^[.]unfinished-.*-", gsub("([^A-Za-z0-9-])", "[\\1]", Sys.info()[["nodename"]]), "-[0-9]+$"), all.files = TRUE)
    process <- as.integer(sub(".*-", "", left))
    gone <- !vapply(process, function(id) isTRUE(suppressWarnings(tools::pskill(id, 0))), NA)
    unlink(file.path(directory, left[gone]), recursive = TRUE)
}

find_results <- function(directory, names) {
    manifests <- lapply(names, manifest_of, directory = directory)
    done <- !vapply(manifests, is.null, NA)
    failures <- file.path(directory, paste0(names, ".failed.json"))
    failed <- !done & file.exists(failures)
    reason <- rep(NA_character_, length(names))
    reason[failed] <- vapply(failures[failed], function(file) tryCatch(jsonlite::fromJSON(file)$reason, error = conditionMessage), "")
    number <- function(field) vapply(manifests, function(manifest) if (is.null(manifest[[field]])) NA_real_ else as.numeric(manifest[[field]]), 0)
    genomes <- data.frame(name = names, status = ifelse(done, "done", ifelse(failed, "failed", "open")), reason = gsub("\\s+", " ", reason),
                          bp = number("bp"), seconds = number("seconds"), gap = number("gap"))
    files <- do.call(rbind, c(list(data.frame(name = character(), file = character(), bytes = numeric(), md5 = character())),
                              lapply(manifests[done], function(m) data.frame(name = rep(m$name, length(m$files)), file = as.character(m$files),
                                                                             bytes = as.numeric(m$bytes), md5 = as.character(m$md5)))))
    new("Batch", directory = directory, genomes = genomes, files = files)
}

#' Read the results of a batch
#'
#' At any time, also while other processes are at work.
#' @param directory The folder of the results, see [run_batch()].
#' @param set The [GenomeSet-class] that was run, to see what is open; `NULL`: what is done or failed only.
#' @param verify Whether to read every file and compare its MD5 sum; those that differ are an error.
#' @return `read_batch()`: a [Batch-class].
#' @section Errors: `nucleograd_error_file`: no such folder, or with `verify` a file that is gone or changed.
#' @examples
#' folder <- tempfile("genomes")
#' dir.create(folder)
#' Biostrings::writeXStringSet(Biostrings::subseq(example_genome(), 853001, 855000), file.path(folder, "piece.fna"))
#' model <- system.file("extdata", "rrna16s.h5", package = "nucleograd")
#' results <- tempfile("results")
#' run_batch(genome_set(folder), results, model, list(predict = list()))
#' read_batch(results, verify = TRUE)
#' @export
read_batch <- function(directory, set = NULL, verify = FALSE) {
    if (!is.character(directory) || length(directory) != 1L || !dir.exists(directory))
        stop_input("{.arg directory} must be a folder of results, not {friendly(directory)}.", class = "file")
    check_flag(verify)
    if (!is.null(set)) check_is(set, "GenomeSet", "genome_set")
    directory <- normalizePath(directory)
    there <- sub("/manifest[.]json$", "", list.files(directory, "^manifest[.]json$", recursive = TRUE))
    failed <- sub("[.]failed[.]json$", "", list.files(directory, "[.]failed[.]json$"))
    batch <- find_results(directory, if (is.null(set)) sort(unique(c(there, failed)), method = "radix") else names(set))
    if (verify) {
        paths <- file.path(directory, batch@files$name, batch@files$file)
        wrong <- !mapply(identical, unname(tools::md5sum(paths)), batch@files$md5)
        if (any(wrong)) stop_input("Every file must be as its manifest says; {.file {paths[wrong]}} {?is/are} gone or changed.", class = "file")
    }
    batch
}

#' Genes of all genomes of a batch
#'
#' @param batch A [Batch-class] with the verb `genes`.
#' @param by What tells genes of different genomes apart: the columns `"Gene"` (the name without `_1`, `_2`; genes without a name are left out), `"Description"` (the product) or
#'   `"locus_tag"`.
#' @return A `SummarizedExperiment`, genes by genomes, with the assays `quantile_genes`, `quantile_bases` and `mean` (of several genes of one
#'   name in a genome the one of the highest mean; `NA` where a genome has none), and in `colData()` the table of genomes.
#' @section Errors: `nucleograd_error_file`: no genome has genes.
#' @examples
#' folder <- tempfile("genomes")
#' dir.create(folder)
#' Biostrings::writeXStringSet(example_genome(), file.path(folder, "ctr.fna"))
#' rtracklayer::export(example_annotation(), file.path(folder, "ctr.gff3"))
#' model <- system.file("extdata", "rrna16s.h5", package = "nucleograd")
#' batch <- run_batch(genome_set(folder), tempfile("results"), model, list(attribution = list(nodes = 1), genes = list(shifts = 10)))
#' batch_genes(batch)
#' @export
batch_genes <- function(batch, by = c("Gene", "Description", "locus_tag")) {
    check_is(batch, "Batch", "run_batch")
    by <- check_choice(by, c("Gene", "Description", "locus_tag"))
    names <- batch@files$name[batch@files$file == "genes.tsv"]
    if (!length(names)) stop_input("{.arg batch} must have {.file genes.tsv} of at least one genome; run it with the verb {.val genes} and annotation.", class = "file")
    tables <- lapply(file.path(batch@directory, names, "genes.tsv"), utils::read.delim, quote = "", check.names = FALSE, comment.char = "",
                     colClasses = c(Gene = "character"))
    keys <- lapply(tables, function(table) if (by == "Gene") ifelse(table$Gene == table$locus_tag, NA, sub("_[0-9]+$", "", table$Gene)) else as.character(table[[by]]))
    genes <- sort(setdiff(unique(unlist(keys)), c("", NA)), method = "radix")
    row <- lapply(keys, function(key) match(genes, key))                                # tables begin with the highest mean
    assay <- function(column) vapply(seq_along(tables), function(k) as.numeric(tables[[k]][[column]][row[[k]]]), numeric(length(genes)))
    assays <- lapply(c(quantile_genes = "quantile_genes", quantile_bases = "quantile_bases", mean = "mean"),
                     function(column) matrix(assay(column), length(genes), dimnames = list(genes, names)))
    SummarizedExperiment::SummarizedExperiment(assays, colData = S4Vectors::DataFrame(batch@genomes[match(names, batch@genomes$name), ], row.names = names))
}

#' @rdname Batch-class
#' @param x,object A `Batch`.
#' @param row.names,optional,... Not used.
setMethod("as.data.frame", "Batch", function(x, row.names = NULL, optional = FALSE, ...) x@genomes)

#' @rdname Batch-class
#' @export
setMethod("show", "Batch", function(object) {
    table <- object@genomes
    count <- function(status) sum(table$status == status)
    cat("Batch of ", nrow(table), if (nrow(table) == 1) " genome" else " genomes", ": ", count("done"), " done, ", count("failed"), " failed, ", count("open"), " open\n",
        "  directory  ", object@directory, "\n", sep = "")
    if (count("done"))
        cat("  done       ", format(sum(table$bp, na.rm = TRUE), big.mark = ","), " bp in ", format(round(sum(table$seconds, na.rm = TRUE), 1)), " s of workers; ",
            nrow(object@files), if (nrow(object@files) == 1) " file, " else " files, ", format_bytes(sum(object@files$bytes)), "\n",
            if (any(!is.na(table$gap))) paste0("             completeness gap, worst genome: ", format(100 * max(table$gap, na.rm = TRUE), digits = 2), " %\n"), sep = "")
    wrong <- utils::head(table[table$status == "failed", ], 5)
    for (k in seq_len(nrow(wrong))) cat("  failed     ", wrong$name[k], ": ", wrong$reason[k], "\n", sep = "")
    if (count("failed") > 5) cat("             and", count("failed") - 5, "more: as.data.frame(x) has all\n")
})
