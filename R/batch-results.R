# R/batch-results.R: what a batch left on disk: manifests, tables, genes of all genomes.

#' Results of many genomes
#'
#' What [run_batch()] and [read_batch()] return. `as.data.frame()` gives the table of genomes; [batch_genes()] the genes of all.
#' @slot directory Where the results are.
#' @slot genomes A data.frame, one row a genome: `name`, `status` (`"done"`, `"failed"` or `"open"`), `reason` (why it failed), `bp`,
#'   `seconds`, `gap` (the completeness gap, relative to what there is to explain).
#' @slot files A data.frame, one row a file of a genome that is done: `name`, `file`, `bytes`, `md5`.
#' @return An object of class `Batch`, which prints what is done and what failed. `as.data.frame()`: its table `genomes`.
#' @exportClass Batch
setClass("Batch", slots = c(directory = "character", genomes = "data.frame", files = "data.frame"))

manifest_of <- function(directory, name) {
    file <- file.path(directory, name, "manifest.json")
    if (file.exists(file)) tryCatch(jsonlite::fromJSON(file), error = function(error) NULL)
}

is_done <- function(job, name) identical(manifest_of(job$directory, name)$asked, job$asked)

# The Batch of these genomes. reasons: why genomes failed, where the files do not say.
find_results <- function(directory, names, manifests = lapply(names, manifest_of, directory = directory), reasons = NULL) {
    done <- !vapply(manifests, is.null, NA)
    reason <- if (is.null(reasons)) rep(NA_character_, length(names)) else reasons
    unsaid <- !done & is.na(reason)
    reason[unsaid] <- vapply(file.path(directory, paste0(names[unsaid], ".failed.json")), function(file)
        if (file.exists(file)) tryCatch(jsonlite::fromJSON(file)$reason, error = conditionMessage) else NA_character_, "")
    reason[done] <- NA
    number <- function(field) vapply(manifests, function(manifest) if (is.null(manifest[[field]])) NA_real_ else as.numeric(manifest[[field]]), 0)
    genomes <- data.frame(name = names, status = ifelse(done, "done", ifelse(is.na(reason), "open", "failed")), reason = reason,
                          bp = number("bp"), seconds = number("seconds"), gap = number("gap"))
    count <- vapply(manifests, function(manifest) length(manifest$files), 0L)
    each <- function(field, empty) c(empty, unlist(lapply(manifests, `[[`, field)))
    files <- data.frame(name = rep(names, count), file = each("files", character()), bytes = as.numeric(each("bytes", numeric())),
                        md5 = each("md5", character()))
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
#' Biostrings::writeXStringSet(Biostrings::subseq(example_genome(), 853001, 855000),
#'                             file.path(folder, "piece.fna"))
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

#' Genes, or predictions, of all genomes of a batch
#'
#' One table of many genomes, small enough for a session.
#' @param batch A [Batch-class] with the verb in question.
#' @param by What tells genes of different genomes apart: the columns `"Gene"` (the name without `_1`, `_2`; genes without a name are left
#'   out), `"Description"` (the product) or `"locus_tag"`.
#' @param verb Which numbers: `"genes"`, those of [gene_quantiles()], or `"knockout"`, those of [knockout()].
#' @return A `SummarizedExperiment` with the table of genomes in `colData()`, a column a genome that has such results.
#'
#'   `batch_genes()`: a row a gene; with `"genes"` the assays `quantile_genes`, `quantile_bases` and `mean`, with `"knockout"` the assays
#'   `effect`, `prediction` and `changed`. Of several genes of one name in a genome the one of the highest mean, or effect, is taken; a
#'   genome that has none has `NA`.
#'
#'   `batch_predictions()`: a row an output of the model; the assays `mean` and `highest`, over the windows of the genome.
#' @section Errors: `nucleograd_error_file`: no genome has such results.
#' @examples
#' folder <- tempfile("genomes")
#' dir.create(folder)
#' Biostrings::writeXStringSet(example_genome(), file.path(folder, "ctr.fna"))
#' rtracklayer::export(example_annotation(), file.path(folder, "ctr.gff3"))
#' model <- system.file("extdata", "rrna16s.h5", package = "nucleograd")
#' verbs <- list(predict = list(), attribution = list(nodes = 1), genes = list(shifts = 10))
#' batch <- run_batch(genome_set(folder), tempfile("results"), model, verbs)
#' batch_genes(batch)
#' SummarizedExperiment::assay(batch_predictions(batch), "highest")
#' @export
batch_genes <- function(batch, by = c("Gene", "Description", "locus_tag"), verb = c("genes", "knockout")) {
    check_is(batch, "Batch", "run_batch")
    by <- check_choice(by, c("Gene", "Description", "locus_tag"))
    verb <- check_choice(verb, c("genes", "knockout"))
    found <- tables_of(batch, verb)
    tables <- if (verb == "genes") found else lapply(found, function(table) {
        named <- stats::setNames(table[c("gene", "product", "locus_tag", "effect", "prediction", "changed")],
                                 c("Gene", "Description", "locus_tag", "effect", "prediction", "changed"))
        named[order(-table$effect), ]
    })                                                               # those of genes begin with the highest mean as they are
    keys <- lapply(tables, function(table) {
        key <- as.character(table[[by]])
        if (by == "Gene") ifelse(key == table$locus_tag, NA, sub("_[0-9]+$", "", key)) else key
    })
    genes <- sort(setdiff(unique(unlist(keys)), c("", NA)), method = "radix")
    row <- lapply(keys, function(key) match(genes, key))
    columns <- if (verb == "genes") c("quantile_genes", "quantile_bases", "mean") else c("effect", "prediction", "changed")
    over_genomes(batch, names(tables), genes, columns, function(genome, column) tables[[genome]][[column]][row[[genome]]])
}

#' @rdname batch_genes
#' @export
batch_predictions <- function(batch) {
    check_is(batch, "Batch", "run_batch")
    tables <- tables_of(batch, "predict")
    outputs <- names(tables[[1]])[-(1:5)]                            # after the columns of a window
    over_genomes(batch, names(tables), outputs, c("mean", "highest"),
                 function(genome, column) vapply(tables[[genome]][outputs], c(mean = mean, highest = max)[[column]], 0))
}

# The tables of a verb, of the genomes that have one, by their names.
tables_of <- function(batch, verb, call = parent.frame()) {
    file <- c(predict = "predictions.tsv", genes = "genes.tsv", knockout = "knockout.tsv")[[verb]]
    names <- batch@files$name[batch@files$file == file]
    if (!length(names))
        stop_input("{.arg batch} must have {.file {file}} of at least one genome; run it with the verb {.val {verb}}{if (verb != 'predict') ' and annotation'}.",
                   class = "file", call = call)
    text <- c(Gene = "character", gene = "character")[verb == c("genes", "knockout")]
    lapply(stats::setNames(file.path(batch@directory, names, file), names), utils::read.delim, quote = "", check.names = FALSE,
           comment.char = "", na.strings = "", colClasses = text)
}

over_genomes <- function(batch, genomes, rows, columns, values) {
    assays <- lapply(stats::setNames(nm = columns), function(column) {
        found <- vapply(genomes, function(genome) as.numeric(values(genome, column)), numeric(length(rows)))
        matrix(found, length(rows), dimnames = list(rows, genomes))
    })
    described <- S4Vectors::DataFrame(batch@genomes[match(genomes, batch@genomes$name), ], row.names = genomes)
    SummarizedExperiment::SummarizedExperiment(assays, colData = described)
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
    cat("Batch of ", nrow(table), if (nrow(table) == 1) " genome" else " genomes", ": ", count("done"), " done, ",
        count("failed"), " failed, ", count("open"), " open\n",
        "  directory  ", object@directory, "\n", sep = "")
    if (count("done"))
        cat("  done       ", format(sum(table$bp, na.rm = TRUE), big.mark = ","), " bp in ",
            format(round(sum(table$seconds, na.rm = TRUE), 1)), " s of workers; ",
            nrow(object@files), if (nrow(object@files) == 1) " file, " else " files, ", format_bytes(sum(object@files$bytes)), "\n",
            if (any(!is.na(table$gap))) paste0("             completeness gap, worst genome: ",
                                               format(100 * max(table$gap, na.rm = TRUE), digits = 2), " %\n"), sep = "")
    wrong <- utils::head(table[table$status == "failed", ], 5)
    for (k in seq_len(nrow(wrong))) cat("  failed     ", wrong$name[k], ": ", wrong$reason[k], "\n", sep = "")
    if (count("failed") > 5) cat("             and", count("failed") - 5, "more: as.data.frame(x) has all\n")
})
