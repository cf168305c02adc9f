# R/command-line.R: what exec/nucleograd runs: commands for pipelines. Results go to files or to the standard output, words and
# progress to the standard error. Status 0: done; 1: the work failed; 2: the command was not understood.

command_options <- c(
    out = "FILE   where to write; `-` is the standard output",
    step = "N     bp from one window to the next (default: its length)",
    window = "N   bp of a window, for models that take any length",
    circular = "     take all contigs as circular (default: as the file says)",
    target = "N   which output, by number (default 1)",
    nodes = "N    nodes of integrated gradients (default 50)",
    baseline = "B uniform, composition or zero (default uniform)",
    type = "T     types of features, separated by commas (default CDS,rRNA,tRNA)",
    title = "T    title of the report",
    card = "FILE  model card in Markdown",
    verbs = "V    of predict,attribution,genes,knockout (default attribution,genes)",
    tracks = "T   files of attributions, of h5,bw,bedGraph (default h5)",
    share = "K/N  only the K-th of N shares of the genomes, as for sbatch --array",
    workers = "N  forked workers (default 1)",
    threads = "N  threads (default: see ?thread_count)",
    quiet = "        no words on the standard error")

command_table <- list(
    predict = list(words = "scores of windows, as a table", files = c("model", "genome"), out = "-", options = c("step", "window", "circular")),
    attribute = list(words = "scores of single bases, as .bw, .bedGraph or what export() writes", files = c("model", "genome"), out = NULL,
                     options = c("step", "window", "circular", "target", "nodes", "baseline")),
    genes = list(words = "genes ranked by their scores, as a table", files = c("model", "genome", "annotation"), out = "-",
                 options = c("step", "window", "circular", "target", "nodes", "baseline", "type")),
    report = list(words = "settings, checks, genome and genes, as .html or .pdf", files = c("model", "genome", "annotation"), out = NULL,
                  options = c("step", "window", "circular", "target", "nodes", "baseline", "type", "title", "card")),
    batch = list(words = "many genomes, a folder or a sample sheet, to a folder of results; goes on where it was", files = c("model", "genomes"),
                 out = NULL, options = c("verbs", "tracks", "step", "window", "target", "nodes", "baseline", "share", "workers")))

command_line <- function(words) {
    tryCatch({
        if (!length(words) || words[1] %in% c("-h", "--help", "help")) {
            writeLines(command_help())
            return(if (length(words)) 0L else 2L)
        }
        if (words[1] == "--version") {
            writeLines(as.character(utils::packageVersion("nucleograd")))
            return(0L)
        }
        if (!words[1] %in% names(command_table)) stop_usage("There is no command ", words[1], ".")
        if (any(words %in% c("-h", "--help"))) {
            writeLines(command_help(words[1]))
            return(0L)
        }
        given <- parse_command(words[1], words[-1])
        if (given$quiet) options(cli.progress_show_after = Inf)
        withCallingHandlers(run_command(given), message = function(m) {
            if (!given$quiet) cat(conditionMessage(m), file = stderr())
            invokeRestart("muffleMessage")
        }, warning = function(w) {
            cat("Warning:", conditionMessage(w), "\n", file = stderr())
            invokeRestart("muffleWarning")
        })
        0L
    }, nucleograd_usage = function(e) {
        cat(conditionMessage(e), "\nTry: nucleograd --help\n", sep = "", file = stderr())
        2L
    }, error = function(e) {
        cat(cli::ansi_strip(conditionMessage(e)), "\n", file = stderr())
        1L
    })
}

stop_usage <- function(...) stop(errorCondition(paste0(...), class = "nucleograd_usage"))

command_help <- function(name = NULL) {
    if (is.null(name))
        return(c("nucleograd COMMAND FILES [OPTIONS]: what networks trained on DNA saw", "",
                 paste0("  ", format(names(command_table)), "  ", vapply(command_table, `[[`, "", "words")), "",
                 "nucleograd COMMAND --help has the files and options of a command; nucleograd --version the version.",
                 "Status: 0 done, 1 the work failed, 2 the command was not understood."))
    command <- command_table[[name]]
    options <- c("out", command$options, "threads", "quiet")
    c(paste("nucleograd", name, paste(toupper(command$files), collapse = " "), "[OPTIONS]:", command$words), "",
      paste0("  --", options, " ", command_options[options]),
      if (is.null(command$out)) c("", "--out must be given."))
}

# The files and options of a command, checked as far as words can be: list(command, model, genome, ..., out, quiet, step, ...).
parse_command <- function(name, words) {
    command <- command_table[[name]]
    given <- list(command = name, out = command$out, circular = NULL, quiet = FALSE)
    files <- character()
    while (length(words)) {
        word <- words[1]
        words <- words[-1]
        if (!startsWith(word, "--")) {
            files <- c(files, word)
            next
        }
        option <- sub("=.*", "", substring(word, 3))
        if (!option %in% c("out", command$options, "threads", "quiet")) stop_usage("nucleograd ", name, " has no option --", option, ".")
        if (option %in% c("circular", "quiet")) {
            given[[option]] <- TRUE
            next
        }
        if (grepl("=", word, fixed = TRUE)) value <- sub("^[^=]*=", "", word)
        else {
            if (!length(words)) stop_usage("--", option, " must have a value.")
            value <- words[1]
            words <- words[-1]
        }
        if (option %in% c("step", "window", "target", "nodes", "threads", "workers")) {
            number <- suppressWarnings(as.numeric(value))
            if (is.na(number)) stop_usage("--", option, " must be a number, not ", value, ".")
            value <- number
        }
        given[[option]] <- value
    }
    if (length(files) != length(command$files))
        stop_usage("nucleograd ", name, " takes ", paste(toupper(command$files), collapse = ", "), ", not ", length(files), " files.")
    if (is.null(given$out)) stop_usage("--out must be given.")
    c(given, stats::setNames(as.list(files), command$files))
}

run_command <- function(given) {
    say <- function(...) if (!given$quiet) cat(..., "\n", sep = "", file = stderr())
    if (given$command == "batch") return(run_batch_command(given))
    model <- read_model(given$model)
    say("Read ", model@name)
    genome <- read_genome(given$genome, given$circular)
    say("Read ", length(genome), if (length(genome) == 1) " contig, " else " contigs, ",
        format(sum(Biostrings::width(genome)), big.mark = ","), " bp")
    annotation <- if (!is.null(given$annotation)) read_annotation(given$annotation, genome)
    if (given$command == "predict") {
        table <- as.data.frame(predict(model, genome, given$window, given$step, threads = given$threads))
        names(table)[1] <- "contig"
        return(write_command_table(table[names(table) != "strand"], given$out))
    }
    scores <- attribution(model, genome, baseline = first_of(given$baseline, "uniform"), nodes = first_of(given$nodes, 50),
                          target = first_of(given$target, 1), window = given$window, step = given$step, threads = given$threads)
    say("Attributed: completeness gap ", format(100 * relative_gap(scores@windows), digits = 2), " % of what is explained")
    if (given$command == "attribute") return(export(scores, given$out))
    type <- if (is.null(given$type)) c("CDS", "rRNA", "tRNA") else strsplit(given$type, ",", fixed = TRUE)[[1]]
    ranked <- gene_quantiles(scores, annotation, type, threads = given$threads)
    say("Ranked ", nrow(ranked), " features")
    if (given$command == "genes") return(write_command_table(ranked_table(ranked), given$out))
    report(given$out, scores, ranked, model, given$card, title = first_of(given$title, "What the network saw"))
}

run_batch_command <- function(given) {
    words_of <- function(text) strsplit(text, ",", fixed = TRUE)[[1]]
    some <- function(names) given[intersect(names, names(given))]
    windows <- some(c("window", "step"))
    explained <- c(windows, some("target"))
    all <- list(predict = windows, attribution = c(explained, some(c("nodes", "baseline"))), genes = list(), knockout = explained)
    verbs <- words_of(first_of(given$verbs, "attribution,genes"))
    if (!all(verbs %in% names(all))) stop_usage("--verbs must be of ", paste(names(all), collapse = ","), ", not ", given$verbs, ".")
    share <- if (!is.null(given$share)) suppressWarnings(as.numeric(strsplit(given$share, "/", fixed = TRUE)[[1]]))
    if (anyNA(share)) stop_usage("--share must be as in 3/10, not ", given$share, ".")
    workers <- first_of(given$workers, 1)
    BPPARAM <- if (workers > 1) {
        need_package("BiocParallel", "More than one worker")
        BiocParallel::MulticoreParam(workers)
    }
    batch <- run_batch(genome_set(given$genomes), given$out, given$model, all[verbs], words_of(first_of(given$tracks, "h5")), BPPARAM,
                       given$threads, share = share)
    cat(utils::capture.output(show(batch)), sep = "\n", file = stderr())
    failed <- sum(batch@genomes$status == "failed")
    open <- sum(batch@genomes$status == "open")
    if (failed || open) stop(failed, " of ", nrow(batch@genomes), " genomes failed",
                             if (open) paste0(", ", open, " are open: workers were lost"), ".")
}

first_of <- function(given, otherwise) if (is.null(given)) otherwise else given

# Tab-separated; a file is there only once it is complete.
write_command_table <- function(table, out) {
    write <- function(to) utils::write.table(table, to, sep = "\t", quote = FALSE, row.names = FALSE)
    if (out == "-") return(write(stdout()))
    unfinished <- tempfile("unfinished-", dirname(out))
    on.exit(unlink(unfinished))
    write(unfinished)
    file.rename(unfinished, out)
}
