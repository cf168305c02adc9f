# R/batch-kept.R: what took long is kept, so that a genome of a batch that is interrupted goes on where it was.

# Where this process keeps work, NULL: nowhere; and what was asked for of the genome.
kept_work <- new.env(parent = emptyenv())
kept_work$folder <- NULL

kept_folder <- function(directory, name) file.path(directory, paste0(".kept@", name))

# `value`, once computed for `inputs` found again by later processes. Worth a file above 30 s.
kept <- function(value, inputs) {
    if (is.null(kept_work$folder)) return(value)
    file <- file.path(kept_work$folder, cli::hash_obj_md5(list(kept_work$asked, inputs)))
    if (file.exists(file)) {
        found <- tryCatch(readRDS(file), error = function(error) NULL)
        if (!is.null(found)) return(found)
    }
    seconds <- system.time(value, gcFirst = FALSE)[["elapsed"]]
    if (seconds >= getOption("nucleograd.keep_seconds", 30)) keep(value, file)
    value
}

# Without a word if it cannot: then the work is done again.
keep <- function(value, file) {
    unfinished <- unfinished_path(dirname(file), basename(file))
    dir.create(dirname(file), showWarnings = FALSE)
    suppressWarnings(tryCatch({
        saveRDS(value, unfinished, compress = FALSE)
        file.rename(unfinished, file)
    }, error = function(error) unlink(unfinished)))
}
