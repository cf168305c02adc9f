report_case <- function() {
    genome <- Biostrings::DNAStringSet(c(a = paste(rep_len(c("A", "C", "G", "T", "T"), 900), collapse = "")))
    scores <- suppressWarnings(attribution(example_model(), genome, nodes = 2))
    genes <- GenomicRanges::GRanges("a", IRanges::IRanges(c(1, 300, 600), width = 200), gene = c("<b>dnaA</b>", "spo0A", "ftsZ"), product = "x")
    list(scores = scores, genes = gene_quantiles(scores, genes, shifts = 19, seed = 1))
}

test_that("bins hold the mean, lowest and highest of their bases", {
    score <- c(sin(1:95), NA, NA)
    score[21:30] <- NA
    found <- bin_scores(score, 10)
    for (k in 1:10) {
        here <- stats::na.omit(score[((k - 1) * 10 + 1):min(k * 10, 97)])
        expect_equal(found$mean[k], if (length(here)) mean(here) else NA_real_, tolerance = 1e-3)      # four digits are kept
        expect_equal(found$low[k], if (length(here)) min(here) else NA_real_, tolerance = 1e-3)
        expect_equal(found$high[k], if (length(here)) max(here) else NA_real_, tolerance = 1e-3)
    }
    expect_identical(bin_scores(score, 1)$mean, signif(score, 4))
})

test_that("the page holds all it needs, and every part that is given", {
    skip_if_not_installed("DT")
    skip_if_not(rmarkdown::pandoc_available("2.0"))
    case <- report_case()
    card <- tempfile(fileext = ".md")
    writeLines(c("# A card", "Words of its makers."), card)
    file <- tempfile(fileext = ".html")
    class <- rep(c("other", "focus"), each = 10)
    prevalence <- gene_prevalence(cbind(spo0A = class == "focus", ftsZ = TRUE), class, focus = "focus")
    expect_identical(report(file, case$scores, case$genes, example_model(), card, prevalence = prevalence, title = "A & B"), file)
    page <- paste(readLines(file, warn = FALSE), collapse = "\n")
    has <- function(words) grepl(words, page, fixed = TRUE)                      # the page is long: no patterns
    for (words in c("A &amp; B", "Attribution of the logit", "Words of its makers.", "global_average_pooling1d", "spo0A", "Many genomes", "R version"))
        expect_true(has(words), info = words)
    for (words in c("What if a region", "Gene sets", "How far to trust", "src=\"http", "src=\"//", "rel=\"stylesheet\" href=\"http"))
        expect_false(has(words), info = words)
    apart <- strsplit(page, "<script id=\"genome-data\" type=\"application/json\">", fixed = TRUE)[[1]]
    genome <- strsplit(apart[2], "</script>", fixed = TRUE)[[1]][1]
    page <- sub(genome, "", page, fixed = TRUE)
    expect_false(has("<b>dnaA"))                                                 # names are text, not HTML
    read <- jsonlite::fromJSON(genome)$contigs
    expect_identical(read$length, 900L)
    expect_equal(read$mean[[1]], signif(base_scores(case$scores), 4))
    expect_setequal(read$genes[[1]]$start, c(1, 300, 600))
    expect_match(report_genome(case$scores, NULL), "\"genes\":[]", fixed = TRUE)
})

test_that("a PDF is printed, or refused with what is missing", {
    skip_if_not_installed("DT")
    skip_if_not(rmarkdown::pandoc_available("2.0"))
    file <- tempfile(fileext = ".pdf")
    if (nzchar(browser_program())) {
        report(file, model = example_model())
        expect_identical(readChar(file, 5), "%PDF-")
    } else expect_error(report(file, model = example_model()), "Chromium", class = "nucleograd_error_file")
})

test_that("what does not fit is refused before work starts", {
    file <- tempfile(fileext = ".html")
    expect_error(report(file), "something to show", class = "nucleograd_error_argument")
    expect_error(report(1, model = example_model()), class = "nucleograd_error_argument")
    expect_error(report(file, scores = 1), class = "nucleograd_error_argument")
    expect_error(report(file, forest = 1), "gene_forest", class = "nucleograd_error_argument")
    expect_error(report(file, card = "nowhere.md"), class = "nucleograd_error_file")
    skip_if_not_installed("DT")
    expect_error(report("no/such/folder/x.html", model = example_model()), "folder", class = "nucleograd_error_file")
    expect_false(file.exists(file))
})
