#' One file that tells the whole story
#'
#' Writes a report on what was found: settings, checks and model on top, then the genome, genes, gene sets, knock-outs, many genomes and
#' trust, and last the session. The HTML file holds all it needs and opens without a network: the genome can be zoomed, tables
#' sorted, searched and saved, and a click on a gene shows where it lies. Parts that are not given are left out.
#' @param file Path of the file to write; an existing one is replaced, and only once the new one is complete.
#' @param scores An `Attribution`, from [attribution()]: settings, checks and the genome.
#' @param genes A `GeneQuantiles`, from [gene_quantiles()]: the table of genes, and the genes on the genome.
#' @param model A `Model`, from [read_model()]: its layers.
#' @param card Path of a model card, in Markdown: data, accuracy and limits of the model, as its makers tell.
#' @param sets A result of [gene_set_test()].
#' @param knockouts An `Effects`, from [knockout()].
#' @param prevalence,forest,rankings Results of [gene_prevalence()], [gene_forest()] and [compare_rankings()].
#' @param trust How far the scores can be trusted: any result that prints and plots.
#' @param title The title.
#' @param format `"html"` or `"pdf"`: the same pages as Chromium, Chrome or Edge prints them, with the top of each table.
#' @return The path of the file, invisibly.
#' @section Errors: `nucleograd_error_package`: rmarkdown or DT is not installed. `nucleograd_error_file`: the file cannot be written, or
#'   pandoc or, for a PDF, a browser is not there. `nucleograd_error_argument`: a part is something else, or there is none.
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 863000)
#' scores <- attribution(example_model(), piece, nodes = 5)
#' if (requireNamespace("DT", quietly = TRUE) && rmarkdown::pandoc_available())
#'     report(tempfile(fileext = ".html"), scores, model = example_model())
#' @export
report <- function(file, scores = NULL, genes = NULL, model = NULL, card = NULL, sets = NULL, knockouts = NULL, prevalence = NULL,
                   forest = NULL, rankings = NULL, trust = NULL, title = "What the network saw",
                   format = if (grepl("\\.pdf$", file)) "pdf" else "html") {
    if (!is.character(file) || length(file) != 1 || is.na(file)) stop_input("{.arg file} must be the path of one file, not {friendly(file)}.")
    if (!is.character(title) || length(title) != 1 || is.na(title)) stop_input("{.arg title} must be one string, not {friendly(title)}.")
    format <- check_choice(format, c("html", "pdf"))
    if (!is.null(scores)) check_is(scores, "Attribution", "attribution")
    if (!is.null(genes)) check_is(genes, "GeneQuantiles", "gene_quantiles")
    if (!is.null(model)) check_model(model)
    if (!is.null(card)) card <- normalizePath(check_file(card))
    if (!is.null(sets)) check_is(sets, "gene_set_test", "gene_set_test")
    if (!is.null(knockouts)) check_is(knockouts, "Effects", "knockout")
    if (!is.null(prevalence)) check_is(prevalence, "gene_prevalence", "gene_prevalence")
    if (!is.null(forest)) check_is(forest, "gene_forest", "gene_forest")
    if (!is.null(rankings)) check_is(rankings, "gene_rankings", "compare_rankings")
    parts <- list(scores = scores, genes = genes, model = model, card = card, sets = sets, knockouts = knockouts, prevalence = prevalence,
                  forest = forest, rankings = rankings, trust = trust, title = title)
    if (all(vapply(parts[-length(parts)], is.null, NA)))
        stop_input("{.fun report} must have something to show, such as {.arg scores} or {.arg genes}.")
    for (package in c("rmarkdown", "DT", "ggplot2")) need_package(package, "A report")
    check_writers(file, format)
    render_report(file, parts, format)
    invisible(file)
}

check_writers <- function(file, format, call = parent.frame()) {
    if (!rmarkdown::pandoc_available("2.0"))
        stop_input(c("A report must have pandoc to be made with, which is not there.",
                     i = "It comes with RStudio, and as {.code apt-get install pandoc}."),
                   class = "file", call = call)
    if (format == "pdf" && !nzchar(browser_program()))
        stop_input(c("A PDF must have Chromium, Chrome or Edge to be printed with, and none is there.",
                     i = "Is {.code format = \"html\"} good enough? Any browser prints it."), class = "file", call = call)
    if (!dir.exists(dirname(file)) || file.access(dirname(file), 2) != 0)
        stop_input("{.arg file} must lie in a folder that can be written, not {.file {dirname(file)}}.", class = "file", call = call)
}

# In a folder of its own: rmarkdown writes beside its template. The template sees `parts` and this namespace.
render_report <- function(file, parts, format) {
    folder <- tempfile("report")
    dir.create(folder)
    on.exit(unlink(folder, recursive = TRUE))
    file.copy(list.files(system.file("report", package = "nucleograd"), full.names = TRUE), folder)
    writing <- rmarkdown::html_document(theme = NULL, highlight = NULL, mathjax = NULL, css = file.path(folder, "report.css"), self_contained = TRUE,
                                        toc = TRUE, toc_depth = 1, dev = "png", dpi = 144, fig_width = 10.9, fig_height = 5)
    here <- new.env(parent = asNamespace("nucleograd"))
    here$parts <- parts
    here$folder <- folder
    here$paper <- format == "pdf"
    made <- rmarkdown::render(file.path(folder, "report.Rmd"), writing, output_dir = folder, intermediates_dir = folder, envir = here, quiet = TRUE)
    if (format == "pdf") made <- print_page(made, file.path(folder, "report.pdf"))
    unfinished <- tempfile("unfinished-", dirname(file))
    on.exit(unlink(unfinished), add = TRUE)
    file.copy(made, unfinished)
    file.rename(unfinished, file)
}

print_page <- function(page, to) {
    words <- c("--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", "--virtual-time-budget=10000",
               shQuote(paste0("--user-data-dir=", tempfile("browser"))), shQuote(paste0("--print-to-pdf=", to)), shQuote(paste0("file://", page)))
    system2(browser_program(), words, stdout = FALSE, stderr = FALSE, timeout = 120)
    to
}

# A browser of Chrome's family, which can print without a window; CHROMOTE_CHROME, as elsewhere in R, names another one.
browser_program <- function() {
    names <- c("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
    found <- c(Sys.getenv("CHROMOTE_CHROME"), Sys.which(names))
    c(found[nzchar(found)], "")[[1]]
}

# ---- what the template shows ----

# The tiles on top: a value, what it is, and whether it is a reason to worry.
report_tiles <- function(scores, genes, sets) {
    tile <- function(value, what, good = NA) list(value = value, what = what, good = good)
    number <- function(x) format(x, big.mark = ",", trim = TRUE, scientific = FALSE)
    tiles <- list()
    if (!is.null(scores)) {
        gap <- relative_gap(scores@windows)
        tiles <- list(tile(number(sum(Biostrings::width(scores@genome))), "bp explained"), tile(number(length(scores@windows)), "windows"))
        if (is.finite(gap))
            tiles <- c(tiles, list(tile(paste(format(100 * gap, digits = 2), "%"), "completeness gap, of what is explained", gap <= 0.1)))
    }
    if (!is.null(genes)) {
        fdr <- SummarizedExperiment::assay(genes, "fdr")[, 1]
        tiles <- c(tiles, list(tile(number(nrow(genes)), "genes"),
                               tile(number(sum(fdr <= 0.05, na.rm = TRUE)), "genes below a false discovery rate of 5 %")))
    }
    if (!is.null(sets))
        tiles <- c(tiles, list(tile(paste(sum(sets$table$fdr <= 0.05, na.rm = TRUE), "of", nrow(sets$table)), "gene sets below 5 %")))
    tiles
}

# Every setting of a result that is one value, in words.
report_settings <- function(settings) {
    settings <- Filter(function(setting) is.atomic(setting) && length(setting) == 1 && !is.na(setting), as.list(settings))
    data.frame(Setting = gsub("_", " ", names(settings)), Value = vapply(settings, format, "", scientific = FALSE, USE.NAMES = FALSE))
}

# A table that can be sorted, searched and saved; on paper its first rows.
report_table <- function(table, paper, rows = if (paper) 25 else 10) {
    numbers <- vapply(table, function(column) is.numeric(column) && any(column != round(column), na.rm = TRUE), NA)
    table[numbers] <- lapply(table[numbers], signif, 4)
    if (paper) table <- utils::head(table[seq_len(min(ncol(table), 12))], rows)
    DT::datatable(table, rownames = FALSE, class = "compact hover stripe", extensions = "Buttons", width = "100%",
                  options = list(pageLength = rows, scrollX = !paper, dom = if (paper) "t" else "Bfrtip",
                                 buttons = list(list(extend = "csv", text = "Save as CSV"))))
}

# What people look for first comes first; all columns are there.
report_genes <- function(genes) {
    table <- ranked_table(genes)
    front <- intersect(c("Gene", "Description", "Quantile Position", "Prevalence", "mean", "quantile_bases", "p_value", "fdr", "contig", "start",
                         "end", "strand", "type"), names(table))
    table[c(front, setdiff(names(table), front))]
}

# Knock-outs, the strongest first: names, effect, place.
report_effects <- function(effects) {
    table <- as.data.frame(effects, row.names = NULL)
    table <- table[order(-abs(table$effect)), vapply(table, function(column) !all(is.na(column)), NA)]
    table[intersect(c("gene", "locus_tag", "product", "effect", "prediction", "changed", "seqnames", "start", "end", "strand", "type"), names(table))]
}

# What genome.js draws: each contig in at most `bins` bins with mean, lowest and highest score of a base, and its genes.
report_genome <- function(scores, genes, bins = 30000) {
    known <- GenomeInfoDb::seqinfo(scores)
    length_bp <- GenomeInfoDb::seqlengths(known)
    table <- if (!is.null(genes)) ranked_table(genes[, 1])
    contigs <- lapply(names(length_bp), function(contig) {
        bin_bp <- max(1, ceiling(sum(length_bp) / bins))
        binned <- bin_scores(base_scores(scores, contig), bin_bp)
        here <- table[table$contig == contig, ]
        list(name = contig, length = length_bp[[contig]], bin = bin_bp, mean = binned$mean, low = binned$low, high = binned$high,
             genes = if (!is.null(here)) data.frame(name = here$Gene, start = here$start, end = here$end, strand = here$strand,
                 words = paste0(first_known(here$Description, rep("", nrow(here))), " | mean score ", format(here$mean, digits = 3), ", quantile ",
                                format(here$`Quantile Position`, digits = 3))) else list())
    })
    jsonlite::toJSON(list(contigs = contigs, unit = scores@settings$output), auto_unbox = TRUE, digits = NA, na = "null")
}

bin_scores <- function(score, bin_bp) {
    first <- seq(1, length(score), by = bin_bp)
    score <- c(score, rep(NA, length(first) * bin_bp - length(score)))
    rows <- matrix(score, bin_bp)
    known <- colSums(!is.na(rows)) > 0
    extreme <- function(which) {                                          # row after row: bins are many, rows few
        best <- rows[1, ]
        for (row in seq_len(bin_bp)) best <- which(best, rows[row, ], na.rm = TRUE)
        signif(best, 4)
    }
    list(mean = ifelse(known, signif(colMeans(rows, na.rm = TRUE), 4), NA), low = extreme(pmin), high = extreme(pmax))
}
