# R/motif-network-generate.R: sequences that a motif network takes for positive, made of what was read from it.

#' Make sequences that a motif network takes for positive
#'
#' `method = "construct"` writes motifs into shuffled sequences, in the order and at the distances that [syntax()] found: if the network
#' believes the result, what was read from it suffices. `method = "evolve"` changes one base at a time, whichever raises the answer most.
#'
#' **Construct.** Each sequence is a background, original and with its dinucleotides shuffled ([shuffle_sequences()]), into which motifs are
#' written: a configuration is drawn as often as it is among the positive sequences of `syntax`, then, independently, where it starts,
#' each of its gaps and its direction, from what was observed in this configuration, and each letter from the matrix of its motif. Those
#' with a probability above `min_p` are kept, until there are `n` or 20 times as many were drawn. The predictions of all three say what
#' the letters, and what the motifs contribute.
#'
#' **Evolve.** Of all substitutions the one with the highest logit is made, until the probability is above `min_p`, 30 changes are made or none
#' raises it. An unknown letter stays. All sequences are kept, those too that stop early: a filter that does not fire yet shows no way, so that
#' from random letters most do, and a `background` that nearly has the motifs is the better beginning. Sequences made so show what
#' the network likes, and need not look like any that it was trained on.
#' @param fit A [motif_network-class] that classifies.
#' @param n How many sequences.
#' @param syntax What [syntax()] found with this network; `"construct"` needs it.
#' @param method `"construct"` or `"evolve"`; see Details.
#' @param background Sequences of the network's length to begin with, drawn with replacement; `NULL`: letters at random, each alike.
#' @param min_p Probability, 0 to 1.
#' @param seed A whole number; `NULL`: one draw of R's generator.
#' @param threads Threads; see [thread_count()].
#' @return A `motif_design`, a list: `x`, a `DNAStringSet`, the most probable first; `original` and `shuffled`, what each was made of (`"evolve"`:
#'   `original` only); `table`, a data.frame with a row each (also `as.data.frame()`): `name`, `prediction`, those of the
#'   `original` and the `shuffled`, `configuration` that was written, `changes` (bases that differ from `shuffled`, or from
#'   `original` if evolved); `sites`, a `GRanges` on the sequences, where each `motif` was written.
#' @section Errors: `nucleograd_error_argument`. A warning `nucleograd_warning_few` if fewer than `n` sequences are above `min_p`.
#' @source Tseng and others (2024), \doi{10.48550/arXiv.2410.06211}, construct sequences from what their network shows.
#' @examples
#' sim <- simulate_motifs("TTCAGCAC", n = 200, length = 100, jitter = 20, strand = "both", seed = 1)
#' fit <- motif_network(sim, filters = 4, positions = 8, dim = 16, heads = 2, hidden = 16,
#'                      stream = 32, batches = 30, batch = 64,
#'                      schedule = motif_schedule(10, 10, 5, c(0.5, 4)), restarts = 1, seed = 1)
#' generate_sequences(fit, 3, syntax(fit, sim, cut = 0.3, seed = 1), seed = 1)
#' @export
generate_sequences <- function(fit, n = 10, syntax = NULL, method = c("construct", "evolve"), background = NULL, min_p = 0.9, seed = NULL,
                               threads = NULL) {
    check_is_s3(fit, "motif_network", "motif_network")
    if (fit$settings$task != "binary") stop_input("{.arg fit} must be a network that classifies, not one of a regression.")
    frame <- environment()
    n <- check_number(n, 1, 1e5)
    method <- check_choice(method, c("construct", "evolve"))
    min_p <- check_positive(min_p, 0, 1, open = FALSE)
    seed <- seed_or_draw(seed)
    if (!is.null(background)) background <- matrix(as.integer(network_codes(fit, background, frame)$code), fit$settings$length)
    if (method == "construct") {
        check_syntax(syntax, fit, frame)
        construct_sequences(fit, n, syntax, background, min_p, seed, threads, frame)
    } else evolve_sequences(fit, n, background, min_p, seed, run_settings(threads, progress = "Changing bases"), frame)
}

check_syntax <- function(syntax, fit, call) {
    check_is_s3(syntax, "motif_syntax", "syntax", "syntax", call)
    if (syntax$settings$length != fit$settings$length || !all(syntax$hits$motif %in% fit$filters$motif))
        stop_input("{.arg syntax} must be what {.fun syntax} found with {.arg fit}; it has other motifs or another length.", call = call)
    if (!nrow(syntax$hits)) stop_input("{.arg syntax} must have hits in positive sequences; it has none.", call = call)
}

new_motif_design <- function(codes, original, shuffled, table, sites, settings) {
    order <- order(-table$prediction)
    table <- cbind(name = paste0("sequence_", seq_along(order)), table[order, ])
    rownames(table) <- NULL
    sequences <- function(codes) {
        if (is.null(codes)) return(NULL)
        x <- Biostrings::DNAStringSet(code_letters(codes[, order], nrow(codes)))
        stats::setNames(x, table$name)
    }
    placed <- do.call(rbind, lapply(seq_along(order), function(k) if (NROW(sites[[order[k]]])) cbind(sequence = k, sites[[order[k]]])))
    ranges <- GenomicRanges::GRanges(factor(table$name[placed$sequence], table$name),
                                     IRanges::IRanges(as.integer(placed$start), as.integer(placed$end)),
                                     as.character(placed$strand), motif = as.character(placed$motif),
                                     seqlengths = stats::setNames(rep(as.integer(settings$length), nrow(table)), table$name))
    structure(list(x = sequences(codes), original = sequences(original), shuffled = sequences(shuffled), table = table, sites = ranges,
                   settings = settings), class = "motif_design")
}

design_uniform <- function(seed, stream, count) (.Call(C_random, seed, stream, count, 2^52) + 0.5) / 2^52

# The first backgrounds of a round, a column each; streams from 2^40 on, which no sequence has.
design_backgrounds <- function(background, length, n, seed, round) {
    if (is.null(background)) return(matrix(.Call(C_random, seed, 2^40 + round, length * n, 4), length))
    background[, .Call(C_random, seed, 2^40 + round, n, ncol(background)) + 1, drop = FALSE]
}

# Codes of sequences, a column each, with their dinucleotides in another order.
shuffled_codes <- function(codes, seed, threads, call) {
    shuffled <- suppressWarnings(shuffle_sequences(code_letters(codes, nrow(codes)), seed = seed, threads = threads),
                                 classes = "nucleograd_warning_alone")
    matrix(as.integer(sequence_codes(shuffled, call)$code), nrow(codes))
}

network_probability <- function(fit, codes, run, frame)
    stats::plogis(core_inside(fit$settings, fit$state, as.raw(codes), character(), run, frame)$logit)

# ---- construct ----

construct_sequences <- function(fit, n, syntax, background, min_p, seed, threads, frame) {
    length <- fit$settings$length
    run <- run_settings(threads)
    parts <- lapply(split(syntax$hits, syntax$hits$configuration), observed_parts)
    share <- vapply(parts, `[[`, 0, "n")
    parts <- parts[order(-share, names(parts), method = "radix")]
    share <- vapply(parts, `[[`, 0, "n")
    pfms <- leading_pfms(fit)
    kept <- NULL
    for (round in 0:19) {
        original <- design_backgrounds(background, length, n, seed, round)
        shuffled <- shuffled_codes(original, (seed + round) %% .Machine$integer.max, threads, frame)
        drawn <- lapply(seq_len(n), function(i) {
            uniform <- design_uniform(seed, round * n + i, 4 + 2 * length)
            chosen <- parts[[drawn_from(share, uniform[1])]]
            list(configuration = chosen$configuration, sites = draw_sites(chosen, pfms, length, uniform[-1]))
        })
        fits <- which(!vapply(drawn, function(one) is.null(one$sites), NA))
        written <- shuffled
        for (i in fits) for (site in drawn[[i]]$sites) written[site$start:site$end, i] <- site$letters
        p <- network_probability(fit, written, run, frame)
        good <- fits[p[fits] > min_p]
        kept <- c(kept, lapply(good, function(i) list(
            original = original[, i], shuffled = shuffled[, i], written = written[, i], p = p[i], configuration = drawn[[i]]$configuration,
            sites = do.call(rbind, lapply(drawn[[i]]$sites, function(site) data.frame(site[c("start", "end", "strand", "motif")]))))))
        if (length(kept) >= n) break
    }
    if (!length(kept)) stop_input("None of {20 * n} sequences that were drawn is above {.arg min_p}, {min_p}.", call = frame)
    if (length(kept) < n)
        cli::cli_warn("Only {length(kept)} of {n} sequences are above {min_p}, of {20 * n} that were drawn.",
                      class = c("nucleograd_warning_few", "nucleograd_warning"), call = frame)
    kept <- utils::head(kept, n)
    columns <- function(part) matrix(vapply(kept, `[[`, numeric(length), part), length)
    original <- columns("original")
    shuffled <- columns("shuffled")
    written <- columns("written")
    table <- data.frame(prediction = vapply(kept, `[[`, 0, "p"), original = network_probability(fit, original, run, frame),
                        shuffled = network_probability(fit, shuffled, run, frame), configuration = vapply(kept, `[[`, "", "configuration"),
                        changes = as.integer(colSums(written != shuffled)))
    new_motif_design(written, original, shuffled, table, lapply(kept, `[[`, "sites"),
                     list(method = "construct", min_p = min_p, seed = seed, length = length))
}

# What was observed in a configuration: its motifs in a row, the first start, gaps, and how often it was turned.
observed_parts <- function(hits) {
    row <- hits[hits$sequence == hits$sequence[1], ]
    count <- nrow(row)
    starts <- matrix(hits$start, count)
    ends <- matrix(hits$end, count)
    list(configuration = row$configuration[1], motif = row$motif, strand = row$strand, n = ncol(starts), start = starts[1, ],
         gaps = lapply(seq_len(count - 1), function(k) starts[k + 1, ] - ends[k, ] - 1), turned = mean(matrix(hits$turned, count)[1, ]))
}

# Which of the numbers' positions a uniform draw falls into, each as wide as its number.
drawn_from <- function(weights, uniform) min(findInterval(uniform * sum(weights), cumsum(weights)) + 1, length(weights))

# The matrix of each motif, as its "+" reads.
leading_pfms <- function(fit) {
    table <- fit$filters[fit$filters$pass, ]
    table <- table[order(table$strand == "-"), ]
    table <- table[!duplicated(table$motif), ]
    stats::setNames(lapply(table$filter, function(f) trimmed_pfm(fit$filters, fit$pfm, f)), table$motif)
}

# Sites of one sequence with letters (0 to 3), or NULL if they are longer than it. uniform: direction, start, then what is needed.
draw_sites <- function(parts, pfms, length, uniform) {
    turned <- uniform[1] < parts$turned
    start <- parts$start[drawn_from(rep(1, parts$n), uniform[2])]
    used <- 2
    sites <- list()
    for (k in seq_along(parts$motif)) {
        pfm <- pfms[[parts$motif[k]]]
        if (parts$strand[k] == "-") pfm <- reverse_complement(pfm)
        letters <- vapply(seq_len(ncol(pfm)), function(j) drawn_from(pfm[, j], uniform[used + j]), 0) - 1
        used <- used + ncol(pfm)
        sites[[k]] <- list(start = start, end = start + ncol(pfm) - 1, strand = parts$strand[k], motif = parts$motif[k], letters = letters)
        if (k == length(parts$motif)) break
        used <- used + 1
        start <- start + ncol(pfm) + parts$gaps[[k]][drawn_from(rep(1, parts$n), uniform[used])]
    }
    first <- min(vapply(sites, `[[`, 0, "start"))
    last <- max(vapply(sites, `[[`, 0, "end"))
    shift <- if (last > length) length - last else max(0, 1 - first)
    if (first + shift < 1 || last + shift > length) return(NULL)
    lapply(sites, function(site) {
        site[c("start", "end")] <- c(site$start, site$end) + shift
        if (turned) {
            site[c("start", "end")] <- length + 1 - c(site$end, site$start)
            site$strand <- c(`+` = "-", `-` = "+", `*` = "*")[[site$strand]]
            site$letters <- rev(3 - site$letters)
        }
        site
    })
}

# ---- evolve ----

evolve_sequences <- function(fit, n, background, min_p, seed, run, frame) {
    length <- fit$settings$length
    original <- design_backgrounds(background, length, n, seed, 0)
    evolved <- original
    quiet <- quiet_run(run)
    for (i in seq_len(n)) {
        evolved[, i] <- evolve_one(fit, original[, i], min_p, quiet, frame)
        run[[3]](i / n)
    }
    p <- function(codes) network_probability(fit, codes, quiet, frame)
    table <- data.frame(prediction = p(evolved), original = p(original), shuffled = NA_real_, configuration = NA_character_,
                        changes = as.integer(colSums(evolved != original)))
    new_motif_design(evolved, original, NULL, table, vector("list", n), list(method = "evolve", min_p = min_p, seed = seed, length = length))
}

evolve_one <- function(fit, codes, min_p, run, frame) {
    logit_of <- function(codes) core_inside(fit$settings, fit$state, as.raw(codes), character(), run, frame)$logit
    now <- logit_of(codes)
    known <- rep(which(codes < 4), 3)
    others <- rep(1:3, each = sum(codes < 4))
    for (change in seq_len(30)) {
        if (!length(known) || stats::plogis(now) > min_p) break
        mutants <- matrix(codes, length(codes), length(known))
        mutants[cbind(known, seq_along(known))] <- (codes[known] + others) %% 4
        after <- logit_of(mutants)
        best <- which.max(after)
        if (after[best] <= now) break
        codes <- mutants[, best]
        now <- after[best]
    }
    codes
}

# ---- what it prints ----

#' @rdname generate_sequences
#' @param x A `motif_design`.
#' @param ... Not used.
#' @export
print.motif_design <- function(x, ...) {
    s <- x$settings
    cat(nrow(x$table), if (nrow(x$table) == 1) " sequence of " else " sequences of ", s$length, " bp, ",
        if (s$method == "construct") "constructed from motifs" else "evolved base by base", "; above ", s$min_p, "; seed ",
        format(s$seed, scientific = FALSE), "\n", sep = "")
    if (s$method == "evolve") x$table[c("shuffled", "configuration")] <- NULL
    print(format(utils::head(x$table, 10), digits = 3), row.names = FALSE)
    if (nrow(x$table) > 10) cat("and", nrow(x$table) - 10, "more\n")
    invisible(x)
}

#' @rdname generate_sequences
#' @param row.names,optional Not used; there because the generic has them.
#' @method as.data.frame motif_design
#' @export
as.data.frame.motif_design <- function(x, row.names = NULL, optional = FALSE, ...) x$table
