# R/batch-genome.R: one genome of a batch: read, run, written to files that are whole once they are there.

# What was asked for of one row of the set; runs on a worker. NULL, or in words why it failed.
run_genome <- function(row, job) {
    unfinished <- unfinished_path(job$directory, row$name)
    failure <- withCallingHandlers(tryCatch({
        unlink(unfinished, recursive = TRUE)
        if (!dir.create(unfinished, showWarnings = FALSE)) stop("no folder can be made in ", job$directory)
        kept_work$folder <- kept_folder(job$directory, row$name)
        kept_work$asked <- job$asked
        results_of_genome(row, job, unfinished)
        final <- file.path(job$directory, row$name)
        if (!suppressWarnings(file.rename(unfinished, final)) && !is_done(job, row$name)) stop("the results cannot be given their name, ", final)
        NULL
    }, error = identity, finally = {
        unlink(unfinished, recursive = TRUE)
        kept_work$folder <- NULL
    }), message = function(message) invokeRestart("muffleMessage"))
    failed <- file.path(job$directory, paste0(row$name, ".failed.json"))
    if (is.null(failure) || is_done(job, row$name)) {                # done meanwhile by another process, maybe
        unlink(c(failed, kept_folder(job$directory, row$name)), recursive = TRUE)
        return()
    }
    reason <- gsub("\\s+", " ", cli::ansi_strip(conditionMessage(failure)))
    try(write_whole(charToRaw(as_json(list(name = row$name, reason = reason, class = class(failure)[1]))), failed), silent = TRUE)
    reason
}

results_of_genome <- function(row, job, folder) {
    begun <- proc.time()[["elapsed"]]
    old <- options(cli.progress_show_after = Inf)
    on.exit(options(old))
    asked <- names(job$verbs)
    arguments <- function(verb, ...) c(list(...), job$verbs[[verb]], list(threads = job$threads),
                                       if (verb != "genes") list(memory_bytes = job$memory_bytes))
    into <- function(table, name) {
        bytes <- table_bytes(as.data.frame(table))                   # here, where what fails does so once
        write_bytes(bytes, file.path(folder, name))
    }
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
    manifest <- as_json(list(name = row$name, asked = job$asked, bp = sum(Biostrings::width(genome)), gap = if (!is.na(gap)) gap,
                             seconds = round(proc.time()[["elapsed"]] - begun, 2), files = I(files), bytes = I(file.size(paths)),
                             md5 = I(unname(tools::md5sum(paths)))))
    write_bytes(charToRaw(manifest), file.path(folder, "manifest.json"))
}

# ---- files that are whole ----

table_bytes <- function(table) {
    table[] <- lapply(table, function(column) if (is.list(column)) vapply(column, paste, "", collapse = ",") else column)
    text <- rawConnection(raw(), "wb")
    on.exit(close(text))
    utils::write.table(table, text, sep = "\t", quote = FALSE, row.names = FALSE, na = "")
    rawConnectionValue(text)
}

# R only warns, if that, when a disk is full.
write_bytes <- function(bytes, file) {
    suppressWarnings(try(writeBin(bytes, file), silent = TRUE))
    if (!identical(file.size(file), as.numeric(length(bytes)))) stop(file, " cannot be written; is the disk full?")
}

# For a file that others may read meanwhile.
write_whole <- function(bytes, file) {
    unfinished <- unfinished_path(dirname(file), basename(file))
    tryCatch(write_bytes(bytes, unfinished), error = function(error) {
        unlink(unfinished)
        stop(error)
    })
    if (!suppressWarnings(file.rename(unfinished, file))) stop(file, " cannot be written.")
}

# What has this name belongs to a process at work, or to one that ended. No genome and no machine has an @ in its name.
unfinished_path <- function(directory, name) file.path(directory, paste(".unfinished", name, Sys.info()[["nodename"]], Sys.getpid(), sep = "@"))

# Removes what nobody will finish: of processes of this machine that are gone (those of other machines may still run), and of genomes that
# are done.
remove_unfinished <- function(directory, done) {
    unlink(kept_folder(directory, done), recursive = TRUE)
    left <- list.files(directory, "^[.]unfinished@[^@]+@[^@]+@[0-9]+$", all.files = TRUE)
    if (!length(left)) return()
    parts <- do.call(rbind, strsplit(left, "@", fixed = TRUE))
    alive <- vapply(as.integer(parts[, 4]), function(id) isTRUE(suppressWarnings(tools::pskill(id, 0))), NA)
    here <- parts[, 3] == Sys.info()[["nodename"]]
    unlink(file.path(directory, left[here & !alive | parts[, 2] %in% done]), recursive = TRUE)
}
