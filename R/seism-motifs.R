# R/seism-motifs.R: motifs in and out: MEME files, TFBSTools, known collections, filters of a network.

#' Motif files
#'
#' `write_meme_motifs()` writes motifs in MEME's text format, which FIMO, Tomtom, universalmotif and others read; beside those that
#' [seism()] found a table of their p-values, beside those of a [motif_network()] one of what they are read from.
#' `read_meme_motifs()` reads such a file. `as_tfbstools()` gives the motifs to TFBSTools.
#'
#' The motif file holds no E-value: the p-value of `seism()` belongs to one step of one selection and is none. It is in the table.
#' @param fit A `seism`; a [motif network][motif_network], of which each motif is written once, as its "+" reads; or a named list of 4 x k
#'   matrices, rows A, C, G, T, columns of sum 1, as [site_motifs()] gives.
#' @param file Path of the MEME file; the table is written to the same path with the ending `.tsv`.
#' @param which Of a `seism` the motifs as polished for display, or the centres that were tested.
#' @return `write_meme_motifs()`: `file`, invisibly. `read_meme_motifs()`: a named list of 4 x k matrices, rows A, C, G, T,
#'   columns of sum 1. `as_tfbstools()`: a `PFMatrixList`, counts of `n_sites` sites, of a `seism` with p-value, coefficient and
#'   settings among the tags.
#' @section Errors: `nucleograd_error_file`: the file cannot be written, read, or is no MEME file of DNA motifs.
#'   `nucleograd_error_package`: TFBSTools is not installed. `nucleograd_error_argument`.
#' @source The format: \url{https://meme-suite.org/meme/doc/meme-format.html}.
#' @examples
#' set.seed(1)
#' x <- replicate(40, paste(sample(c("A", "C", "G", "T"), 30, replace = TRUE), collapse = ""))
#' fit <- seism(x, grepl("ACG", x) + rnorm(40), k = 3, q = 1, B = 99)
#' file <- write_meme_motifs(fit, tempfile(fileext = ".meme"))
#' read_meme_motifs(file)
#' @export
write_meme_motifs <- function(fit, file, which = c("polished", "center")) {
    motifs <- motifs_of(fit, which)
    check_text(file)
    blocks <- Map(function(name, pwm, n) c("", paste("MOTIF", name),
        sprintf("letter-probability matrix: alength= 4 w= %d nsites= %d", ncol(pwm), n), meme_rows(pwm)), names(motifs$pwms),
        motifs$pwms, motifs$sites)
    lines <- c("MEME version 4", "", "ALPHABET= ACGT", "", paste("strands:", motifs$strands), "",
               "Background letter frequencies", paste(bases, sprintf("%.6f", motifs$background), collapse = " "), unlist(blocks))
    written <- tryCatch({
        writeLines(lines, file)
        if (!is.null(motifs$table))
            utils::write.table(motifs$table, paste0(tools::file_path_sans_ext(file), ".tsv"), sep = "\t", quote = FALSE, row.names = FALSE)
    }, error = conditionMessage, warning = conditionMessage)
    if (!is.null(written))
        stop_input(c("{.arg file} must be a file that can be written.", x = "{.file {file}} was not: {written}."), class = "file")
    invisible(file)
}

# A list: pwms, sites, strands, background, shown (a word for each), tags and, of a seism, the table of its motifs.
motifs_of <- function(fit, which, call = parent.frame()) {
    which <- check_choice(which, c("polished", "center"), "which", call)
    if (inherits(fit, "motif_network")) return(network_motifs(fit, call))
    if (!inherits(fit, "seism")) {
        if (!is.list(fit) || !length(fit) || is.null(names(fit)) || anyDuplicated(names(fit)) || any(grepl("^$|[[:space:]]", names(fit))))
            stop_input("{.arg fit} must be a {.cls seism}, a {.cls motif_network}, or a list of motifs, each with a name of its own without blanks.", call = call)
        pwms <- check_pwms(fit, "fit", call)
        sites <- vapply(fit, function(pwm) as.numeric(c(attr(pwm, "sites"), 20)[1]), 0)               # 20: as MEME takes it
        return(list(pwms = stats::setNames(pwms, names(fit)), sites = sites, strands = "+ -", background = rep(0.25, 4), shown = names(fit),
                    tags = lapply(fit, function(pwm) list())))
    }
    rows <- split(fit$motifs, seq_len(nrow(fit$motifs)))
    columns <- c("step", "consensus", "k", "beta", "sign", "n_sites", "p")
    list(pwms = stats::setNames(fit[[paste0("pwm_", which)]], motif_names(fit)), sites = pmax(fit$motifs$n_sites, 1),
         strands = if (fit$settings$strand == "both") "+ -" else "+", background = fit$settings$background, shown = fit$motifs$consensus,
         tags = lapply(rows, function(row) list(p = row$p, beta = row$beta, sign = row$sign, test = fit$settings$test, cell = row$cell)),
         table = cbind(motif = motif_names(fit), fit$motifs[columns], test = rep(fit$settings$test, nrow(fit$motifs))))
}

network_motifs <- function(fit, call) {
    pwms <- leading_pfms(fit)
    if (!length(pwms)) stop_input("{.arg fit} must have motifs; none of its filters is one.", call = call)
    table <- fit$filters[fit$filters$pass, ]
    table <- table[order(table$strand == "-"), ]
    table <- table[match(names(pwms), table$motif), c("motif", "filter", "strand", "consensus", "length", "information", "n_windows", "rate", "pair")]
    list(pwms = pwms, sites = table$n_windows, strands = "+ -", background = rep(0.25, 4), shown = table$consensus,
         tags = lapply(split(table, seq_len(nrow(table))), function(row) list(filter = row$filter, rate = row$rate)), table = table)
}

motif_names <- function(fit) sprintf("seism_%d_%s", fit$motifs$step, fit$motifs$consensus)

# Six decimals a number; the last of each column is what the others leave of 1.
meme_rows <- function(pwm) {
    shown <- round(pwm, 6)
    shown[4, ] <- 1 - colSums(shown[1:3, , drop = FALSE])
    apply(shown, 2, function(column) paste0(" ", paste(sprintf("%.6f", abs(column)), collapse = "  ")))
}

#' @rdname write_meme_motifs
#' @export
read_meme_motifs <- function(file) {
    check_file(file)
    lines <- read_sequence_text(file)
    alphabet <- sub("^ALPHABET=?[ \t]*", "", grep("^ALPHABET", lines, value = TRUE))
    start <- grep("^letter-probability matrix", lines)
    if (!grepl("^MEME version", lines[1]) || !length(start) || length(alphabet) && !identical(alphabet[1], "ACGT"))
        stop_input(c("{.arg file} must be a MEME file of DNA motifs.", x = "{.file {file}} begins with {.val {substr(lines[1], 1, 60)}}.",
                     i = "It must say \"MEME version\", and its alphabet must be ACGT."), class = "file")
    named <- grep("^MOTIF", lines)
    pwms <- lapply(start, function(at) {
        width <- as.integer(sub(".*[ \t]w=[ \t]*([0-9]+).*", "\\1", lines[at]))
        numbers <- suppressWarnings(scan(text = lines[at + seq_len(width)], quiet = TRUE, what = 0))
        pwm <- matrix(numbers, 4, dimnames = list(bases, NULL))
        sweep(pwm, 2, colSums(pwm), "/")
    })
    names(pwms) <- sub("^MOTIF[ \t]+", "", lines[named[findInterval(start, named)]])
    pwms
}

#' @rdname write_meme_motifs
#' @export
as_tfbstools <- function(fit, which = c("polished", "center")) {
    motifs <- motifs_of(fit, which)
    need_package("TFBSTools")
    matrices <- lapply(seq_along(motifs$pwms), function(j) {
        counts <- round(motifs$pwms[[j]] * motifs$sites[j] * 100)
        storage.mode(counts) <- "integer"
        TFBSTools::PFMatrix(ID = names(motifs$pwms)[j], name = motifs$shown[j], strand = "+", bg = stats::setNames(motifs$background, bases),
                            profileMatrix = counts, tags = motifs$tags[[j]])
    })
    do.call(TFBSTools::PFMatrixList, stats::setNames(matrices, names(motifs$pwms)))
}

#' Which known motifs look like these
#'
#' Compares motifs with a collection: the best alignment, on either strand, by the correlation of their letters. It says what a
#' motif looks like, and is no test: [seism()] did not choose motifs for their resemblance, and this chooses the best of many.
#' @param fit A `seism`, whose motifs are compared as they are polished for display, a [motif network][motif_network], or a list of 4 x k
#'   matrices.
#' @param collection A list of 4 x k matrices, as [read_meme_motifs()] gives.
#' @param top How many matches of each motif to give.
#' @param overlap Columns that must overlap; of two motifs of which one is shorter, all columns of the shorter.
#' @return A data.frame, one row a match, best first for each motif: `motif`, `match`, `correlation` (Pearson, of the letters in the
#'   columns that overlap, minus 1/4), `overlap` (columns), `offset` (the column of the match at which the first column of the motif
#'   lies, 1-based), `strand` of the match.
#' @section Errors: `nucleograd_error_argument`.
#' @source Pietrokovski (1996), \doi{10.1093/nar/24.19.3836}, for the correlation of columns.
#' @examples
#' known <- list(spo0A = simple_pwm("TGTCGAA"), sigE = simple_pwm("ATACANT"))
#' match_motifs(list(simple_pwm("TTCGACA")), known)
#' @export
match_motifs <- function(fit, collection, top = 3, overlap = 5) {
    pwms <- if (inherits(fit, c("seism", "motif_network"))) motifs_of(fit, "polished")$pwms else fit
    pwms <- stats::setNames(check_pwms(pwms, "fit"), names(pwms))
    known <- stats::setNames(check_pwms(collection, "collection"), names(collection))
    top <- check_number(top, 1, 1e6)
    overlap <- check_number(overlap, 1, 1000)
    named <- function(list) if (is.null(names(list))) as.character(seq_along(list)) else names(list)
    tables <- lapply(seq_along(pwms), function(i) {
        matches <- lapply(known, best_alignment, motif = pwms[[i]], overlap = overlap)
        table <- data.frame(motif = named(pwms)[i], match = named(known), do.call(rbind, matches), row.names = NULL)
        table$strand <- c("+", "-")[table$strand]
        utils::head(table[order(-table$correlation), ], top)
    })
    table <- do.call(rbind, tables)
    rownames(table) <- NULL
    table
}

# The shift and strand of `known` that correlate best with `motif`.
best_alignment <- function(known, motif, overlap) {
    best <- data.frame(correlation = -Inf, overlap = 0, offset = 0, strand = 1)
    least <- min(overlap, ncol(motif), ncol(known))
    for (strand in 1:2) {
        turned <- if (strand == 1) known else reverse_complement(known)
        for (offset in seq(least - ncol(motif) + 1, ncol(turned) - least + 1)) {
            column <- seq(max(offset, 1), min(offset + ncol(motif) - 1, ncol(turned)))
            a <- motif[, column - offset + 1] - 0.25
            b <- turned[, column] - 0.25
            correlation <- sum(a * b) / max(sqrt(sum(a^2) * sum(b^2)), .Machine$double.xmin)
            if (correlation > best$correlation + 1e-12)
                best <- data.frame(correlation, overlap = length(column), offset, strand)
        }
    }
    best
}

reverse_complement <- function(pwm) {
    turned <- pwm[4:1, ncol(pwm):1, drop = FALSE]
    dimnames(turned) <- dimnames(pwm)
    turned
}

#' Motifs from letters or from a network
#'
#' `simple_pwm()` makes a motif of letters, IUPAC ones included. `filter_motifs()` reads the filters of a network's first
#' convolution as motifs: candidates for [seism()].
#'
#' A filter says how much each letter adds at each place; the softmax of a column, times `sharpness`, turns that into shares of
#' letters. At the default, `sharpness = NULL`, each filter is sharpened until the mean of the largest share of its columns is
#' 0.85. Filters that are flat, no column of which tells letters apart, are left out.
#'
#' **Which p-values are valid.** Filters may be candidates of [seism()] only on sequences and responses that had no part in
#' training (nor in the choice of the network): train on one half, `seism(candidates = )` on the other. Then everything chosen
#' from the data of the test, the best filter included, is inside the selection event, and all of [seism()]'s p-values hold.
#' With the same data the filters already are fitted to the responses, no p-value of `seism()` knows of it, and all are too
#' small.
#' @param letters Text of A, C, G, T and IUPAC letters.
#' @param model A `Model`, from [read_model()].
#' @param width Columns to keep, the stretch that tells letters apart best; `NULL`: all columns of the filter.
#' @param sharpness A number above 0, or `NULL`.
#' @return `simple_pwm()`: a 4 x k matrix, rows A, C, G, T. `filter_motifs()`: a list of them, named by layer and number of the
#'   filter.
#' @section Errors: `nucleograd_error_unsupported`: the model does not begin with a convolution of 4 channels.
#'   `nucleograd_error_argument`.
#' @examples
#' simple_pwm("TTGACN")
#' filters <- filter_motifs(example_model(), width = 8)
#' length(filters)
#' @export
simple_pwm <- function(letters) {
    check_text(letters)
    meaning <- c(as.list(Biostrings::IUPAC_CODE_MAP), U = "T")
    letter <- strsplit(toupper(letters), "")[[1]]
    if (!length(letter) || !all(letter %in% names(meaning)))
        stop_input("{.arg letters} must be DNA letters, not {.val {letters}}.")
    pwm <- vapply(meaning[letter], function(allowed) bases %in% strsplit(allowed, "")[[1]] / nchar(allowed), numeric(4))
    dimnames(pwm) <- list(bases, NULL)
    pwm
}

#' @rdname simple_pwm
#' @export
filter_motifs <- function(model, width = NULL, sharpness = NULL) {
    check_is(model, "Model", "read_model")
    if (!is.null(width)) width <- check_number(width, 2, 1000)
    if (!is.null(sharpness)) sharpness <- check_positive(sharpness)
    layers <- model@settings$filters
    if (!length(layers))
        stop_input(c("{.arg model} must begin with a convolution that reads 4 channels (A, C, G, T).",
                     i = "{.fun summary} shows its layers."), class = "unsupported")
    motifs <- lapply(layers, function(kernel) lapply(seq_len(dim(kernel)[1]), function(filter)
        filter_motif(matrix(kernel[filter, , ], 4), width, sharpness)))                         # (filter, channel, tap)
    names(motifs) <- names(layers)
    motifs <- unlist(Map(function(layer, list) stats::setNames(list, paste0(layer, "_", seq_along(list))), names(motifs), unname(motifs)),
                     recursive = FALSE, use.names = TRUE)
    names(motifs) <- sub("^.*[.]", "", names(motifs))
    Filter(Negate(is.null), motifs)
}

# The softmax of a filter's columns, at the sharpness that makes their largest shares 0.85 on average.
filter_motif <- function(weights, width, sharpness) {
    spread <- apply(weights, 2, function(column) diff(range(column)))
    if (max(spread) <= 1e-12) return(NULL)
    if (!is.null(width) && width < ncol(weights)) {
        start <- which.max(vapply(seq_len(ncol(weights) - width + 1), function(at) sum(spread[seq(at, length.out = width)]), 0))
        weights <- weights[, seq(start, length.out = width), drop = FALSE]
    }
    softmax <- function(sharpness) apply(weights, 2, function(column) {
        share <- exp(sharpness * (column - max(column)))
        share / sum(share)
    })
    if (is.null(sharpness)) {
        mean_largest <- function(log_sharpness) mean(apply(softmax(exp(log_sharpness)), 2, max))
        ends <- log(c(1e-3, 1e5) / max(abs(weights)))
        sharpness <- exp(if (mean_largest(ends[2]) <= 0.85) ends[2]
                         else stats::uniroot(function(at) mean_largest(at) - 0.85, ends, tol = 1e-6)$root)
    }
    pwm <- softmax(sharpness)
    dimnames(pwm) <- list(bases, NULL)
    pwm
}

#' @rdname simple_pwm
#' @param scores An `Attribution`, from [attribution()], of genomes or windows that are not tested later.
#' @param top How many windows to take, strongest first; overlapping ones count once.
#' @return `seqlet_motifs()`: a list of 4 x `width` matrices of zeros and ones: the distinct words under the windows whose
#'   scores have the largest absolute sums, named by the word.
#' @export
seqlet_motifs <- function(scores, width = 8, top = 100) {
    check_is(scores, "Attribution", "attribution")
    width <- check_number(width, 2, 1000)
    top <- check_number(top, 1, 1e6)
    found <- lapply(names(scores@scores), function(contig) strongest_windows(base_scores(scores, contig), width, top))
    contig <- rep(names(scores@scores), vapply(found, nrow, 0L))
    found <- do.call(rbind, found)
    strongest <- utils::head(order(-abs(found$sum)), top)
    words <- vapply(strongest, function(row)
        as.character(Biostrings::subseq(scores@genome[[contig[row]]], found$start[row], width = width)), "")
    words <- unique(words[!grepl("[^ACGT]", words)])
    stats::setNames(lapply(words, simple_pwm), words)
}

# The windows with the largest absolute sums that do not overlap: start, sum.
strongest_windows <- function(score, width, top) {
    if (length(score) < width) return(data.frame(start = integer(), sum = numeric()))
    running <- running_sums(score)
    last <- length(score) - width + 1
    sums <- running$sums[seq_len(last) + width] - running$sums[seq_len(last)]
    sums[running$bases[seq_len(last) + width] - running$bases[seq_len(last)] < width] <- NA
    free <- !is.na(sums)
    chosen <- integer()
    for (start in order(-abs(sums), na.last = NA)) {
        if (!free[start]) next
        chosen <- c(chosen, start)
        if (length(chosen) == top) break
        free[seq(max(1, start - width + 1), min(last, start + width - 1))] <- FALSE
    }
    data.frame(start = chosen, sum = sums[chosen])
}
