#' Motifs associated with a phenotype, with p-values that survive the search
#'
#' Finds, one after the other, the sequence motifs that explain a response best, and tests each **given that it was found on the
#' same data**. An ordinary test of a motif that was chosen among thousands rejects almost always, also where nothing is there;
#' the p-values here count how often data without effect, *on which the same motifs win*, show an association as strong.
#'
#' @section The model: The activation of a motif z (4 x k, columns of sum 1) in a sequence is the largest exp(-`bandwidth` |z -
#'   u|^2) over its windows u of k bases, of one strand or of both; windows with another letter than A, C, G, T are skipped. For
#'   a k-mer it is exp(-2 `bandwidth` h), h the fewest mismatches anywhere. The mean of the response is linear in covariates and
#'   activations, its noise normal with equal variance. Training a network of one such layer by ridge regression is the same as
#'   choosing motifs by the score. Each step takes the candidate with the highest score (a' r)^2 / (|a|^2 + `lambda`)
#'   (`"ridge"`) or (a' r)^2 (`"hsic"`), a its activation without what covariates explain, r what covariates and the centres of
#'   earlier motifs leave of the response, and then adds the centre of the candidate's cell to what is explained.
#' @section Which p-values are valid, and for what: The p-value of step j belongs to its **cell** and centre, not to the
#'   polished motif, whose only use is to be looked at.
#'
#'   | `test` | what the null says | exact | for |
#'   | --- | --- | --- | --- |
#'   | `"selected"` | covariates and motifs before j explain the mean | for every number of draws and steps | every motif |
#'   | `"saturated"`, `sigma` known | the mean does not move with motif j, given the earlier ones; all else is free | closed form | every motif |
#'   | `"saturated"`, `sigma` unknown | covariates and motifs before j explain the mean | closed form | every motif |
#'   | `"permutation"` | responses are exchangeable over sequences; no normal noise needed | for every number of draws | the first motif, no covariates |
#'   | `"split"` | covariates and motifs before j explain the mean | F-test on sequences that selected nothing | every motif; at a loss of power |
#'   | `"global"` | covariates explain the mean | the first motif only | comparison with sampling-based practice |
#'
#'   "Exact" means P(p <= a) <= a under the null for every number of sequences, if noise is normal with equal variance
#'   (permutation: if responses are exchangeable). After `transform = "normal"`, the default, that is approximate and good:
#'   normal scores replace the response everywhere. Binary responses: prefer `"permutation"` for the first motif, or `"split"`.
#'   For one motif selective inference gains little over permuting with the maximum (`p_maxT`); its gain is in motifs 2 and
#'   later, in covariates and in intervals.
#'
#'   The p-values of `"selected"` and `"split"` are independent under the null, step after step, and ForwardStop (column `keep`)
#'   keeps the first motifs so that on average at most `alpha` of those kept are false. Those of `"saturated"` are dependent:
#'   `p_holm`.
#'
#'   **What no p-value here knows of**: sequences chosen because they score high; `k`, `bandwidth`, `lambda`, `mesh` or
#'   `transform` changed after p was seen (several widths may go in as one vector `k`); outliers removed by their result;
#'   candidates that come from a network trained on the same responses. Such candidates ([filter_motifs()], [seqlet_motifs()])
#'   belong to data part 1, `seism()` to part 2; split by homologous group or genome, never between overlapping windows. With
#'   candidates from part 1 alone, every test above is valid on part 2.
#' @section Responses: A measured phenotype (`response = "phenotype"`): p speaks about biology. A model's prediction
#'   (`"prediction"`): p says whether motif content explains the model's outputs, and describes the model; keep normal scores. A
#'   score from attributions, one a gene or window (`"attribution"`): windows that overlap are dependent and make p too small;
#'   thin them. A residual on data that the model was not trained on (`"residual"`): what it missed.
#' @section Genomes as rows: One region a gene: [upstream()] and [region_sequences()] make sequences, a property of the genes is
#'   the response; neighbouring genes and paralogs are dependent. One row a genome: give a numeric matrix of k-mers, unitigs or
#'   genes (genomes x features, presence or counts) as `x`; `k` and all that concerns letters is then not used, and each column
#'   is its own cell. Genomes share ancestry, so without covariates p speaks about clades: give clade indicators or the first
#'   principal components of ancestry as `covariates`, one genome per close group. What is constant after the covariates is
#'   dropped; features that say the same are tested as one and listed in `aliases`. Covariates do not remove relatedness among
#'   genomes within a clade, and a matrix of n x m numbers must fit `memory`; whole genomes as `x` are not sensible, as each
#'   holds nearly every 8-mer.
#' @param x Sequences: a `DNAStringSet`, a character vector, or a list of codes (0 to 3 for A, C, G, T; 4 for any other letter).
#'   At least 6; their lengths may differ. Or a numeric matrix of features, one row a genome.
#' @param y The response: one number a sequence, or `TRUE` and `FALSE`, or a factor of two levels.
#' @param k Width of motifs: 2 to 15. Several widths compete with each other; that is sensible for ridge with `lambda = 0`.
#' @param q How many motifs to select.
#' @param score `"ridge"` or `"hsic"`, which prefers motifs of high variance.
#' @param lambda Ridge penalty, at least 0; not used for HSIC. At 0 the score is free of the scale of activations.
#' @param norm `"fixed"`: |a| stays what it is at step 1 (matching pursuit). `"projected"`: the part of a that earlier motifs
#'   leave (forward selection).
#' @param bandwidth How fast activation falls with distance, above 0; 0.5 gives 1, 0.37, 0.14 for 0, 1, 2 mismatches.
#' @param strand `"forward"`, or `"both"`: the better strand counts.
#' @param mesh M, 1 to 6: cells are the points of the lattice of multiples of 1/M in each column. 1: cells are k-mers.
#' @param candidates `"kmers"`: all that are there. `"soft"`: also each k-mer with one column softened. `"lattice"` (`mesh` of
#'   at least 2): also its neighbours on the lattice. Or a list of 4 x k matrices.
#' @param min_seqs Candidates must occur in at least so many sequences.
#' @param max_candidates Of more, those with the most variance are kept; the response has no say in it.
#' @param covariates A numeric matrix or data.frame, one row a sequence; the intercept is always there.
#' @param transform `"normal"`: normal scores of the response (with covariates, of what they leave). `"none"`: as given.
#' @param sigma The standard deviation of the noise, if known, on the scale of `y`; needs `transform = "none"`.
#' @param test,statistic Which p-values, see above; the statistic of the centre of the cell, or of the best candidate in it.
#' @param sampler `"slice"`; `"line"` and (for `test = "global"`) `"cube"` are slower, for comparison, and need `sigma`.
#' @param pvalue `"besag-clifford"`: exact for all `B` and `L`. `"chain"`: the mean over one chain of `B` x `L` steps, asymptotic.
#' @param B,L Draws, at least 19, and steps between them. More steps give more power, no other validity.
#' @param stop_after Stop a test when so many draws exceed the observed statistic (5 to `B`): a large p costs little then. Exact
#'   as well.
#' @param split Share of sequences that select, for `test = "split"`.
#' @param polish How the shown motif is improved from the centre: inside its `"cell"`, `"free"`, or `"none"`.
#' @param alpha Level of ForwardStop and [confint()].
#' @param response What `y` is: a label that prints, see Responses.
#' @param keep_null Keep the statistics of all draws, for `plot(fit, "null")`.
#' @param memory GiB that the candidates may take.
#' @param seed A whole number for the same draws again; `NULL` takes one from R's generator.
#' @param threads Threads; see [thread_count()]. No result depends on it.
#' @param verbose Say what happens.
#' @param resume Path of a file that keeps the draws that are done: a run that was interrupted, called again with the same
#'   arguments, goes on where it stopped, to the same result. Useful from minutes on.
#' @return A `seism`: a list of
#'   - `motifs`, a data.frame, one row a step: `step`, `consensus`, `k`, `cell`, `n_in_cell` (candidates), `n_aliases`
#'     (candidates that no sequence tells apart from it), `score` (HSIC divided by (n - 1)^2), `T` and `T_rel`, the statistic,
#'     and as a share of what was left of the response; `beta` (joint least squares, on the scale of `y`), `effect` (`beta` in
#'     standard deviations), `sign`, `delta_r2`: descriptive, inflated by selection; `n_sites` (sequences with the centre
#'     itself; `mesh` above 1: with an activation of at least 0.5); `p`, `mcse` (its Monte Carlo error), `n_exceed`, `B_used`;
#'     `p_maxT`, and `keep` or `p_holm`;
#'   - `pwm_center`, `pwm_polished`: lists of 4 x k matrices, `polished_score`, `aliases`; `activations` and
#'     `activations_polished` (n x motifs), `sites` (the best window of each sequence: `sequence`, `motif`, `start`, `strand`,
#'     `hamming`, `activation`);
#'   - `coefficients`, `diagnostics` (one row a step: autocorrelation time of the statistic and of exceeding, effective draws,
#'     trials a move, share of frozen moves, R-hat of four chains, distance to the edge of the selection event), `null` (with
#'     `keep_null`, draws x motifs), `settings`.
#'
#'   See [seism-class] for its methods, [plot.seism()], [write_meme_motifs()].
#' @section Errors: `nucleograd_error_argument`, `nucleograd_error_letters`, `nucleograd_error_memory`. Warnings are of the
#'   class `nucleograd_warning`: fewer motifs than asked for, ties (p is `NA`), a response far from normal.
#' @source Villie, Veber, De Castro and Jacob (2023), \url{https://arxiv.org/abs/2212.12542}, for the score, the cells and
#'   selection by sampling. The activation, finite candidates, conditioning step by step, the slice sampler and the counting of
#'   draws are choices of this package, and it does not claim to reproduce that paper's experiments. Fithian, Sun and Taylor
#'   (2014), \url{https://arxiv.org/abs/1410.2597}; Besag and Clifford (1989), \doi{10.1093/biomet/76.4.633}, (1991),
#'   \doi{10.1093/biomet/78.2.301}; G'Sell et al. (2016), \doi{10.1111/rssb.12122}.
#' @examples
#' set.seed(1)
#' x <- replicate(60, paste(sample(c("A", "C", "G", "T"), 40, replace = TRUE), collapse = ""))
#' y <- 2 * grepl("ACGT", x) + rnorm(60)
#' fit <- seism(x, y, k = 4, q = 2, B = 99, seed = 1)
#' fit
#' @export
seism <- function(x, y, k = 8L, q = 3L, score = c("ridge", "hsic"), lambda = 0, norm = c("fixed", "projected"), bandwidth = 0.5,
                  strand = c("forward", "both"), mesh = 1L, candidates = c("kmers", "soft", "lattice"), min_seqs = 1L, max_candidates = 20000L,
                  covariates = NULL, transform = c("normal", "none"), sigma = NULL,
                  test = c("selected", "saturated", "split", "permutation", "global"), statistic = c("center", "best"),
                  sampler = c("slice", "line", "cube"), pvalue = c("besag-clifford", "chain"), B = 999L, L = 20L, stop_after = NULL, split = 0.5,
                  polish = c("cell", "free", "none"), alpha = 0.05, response = "phenotype", keep_null = FALSE, memory = 4, seed = NULL,
                  threads = NULL, verbose = FALSE, resume = NULL) {
    frame <- environment()
    settings <- selection_settings(k, q, score, lambda, norm, bandwidth, strand, mesh, candidates, min_seqs, max_candidates, transform,
                                   memory, frame)
    settings <- c(settings, list(
        sigma = if (!is.null(sigma)) check_positive(sigma), test = check_choice(test, c("selected", "saturated", "split", "permutation", "global")),
        statistic = check_choice(statistic, c("center", "best")), sampler = check_choice(sampler, c("slice", "line", "cube")),
        pvalue = check_choice(pvalue, c("besag-clifford", "chain")), B = check_number(B, 19, 1e7), L = check_number(L, 1, 1e6),
        stop_after = if (!is.null(stop_after)) check_number(stop_after, 5, B), split = check_positive(split, 0, 1),
        polish = check_choice(polish, c("cell", "free", "none")), alpha = check_positive(alpha, 0, 1), response = check_text(response)))
    check_flag(keep_null)
    check_flag(verbose)
    if (!is.null(resume)) check_text(resume)
    check_test(settings, is_constant(covariates), frame)
    if (!is.null(seed)) seed <- check_number(seed, 0, .Machine$integer.max)
    data <- seism_input(x, y, covariates, candidates, settings, frame)
    settings <- utils::modifyList(settings, data$settings)
    draws <- kept_draws(resume, settings, data, seed, frame)
    settings$seed <- draws$seed
    say <- function(message) if (verbose) cli::cli_inform(message, .envir = parent.frame())
    run <- run_settings(threads, "Finding motifs")
    run[[2]] <- settings$memory * 2^30

    parts <- seism_parts(data, settings, frame)
    design <- build_design(data, parts$select, settings, part_of_run(run, 1, 50), frame)
    settings[c("m", "m_before")] <- list(sum(design$kept), length(design$kept))
    say("{settings$m_before} candidates, {settings$m} that differ.")
    found <- selected_motifs(design, parts$select$y, settings, part_of_run(run, 2, 50), frame)
    if (settings$test == "global" && settings$q > 1)
        warn_seism("test = 'global' is anti-conservative for motifs 2..q (type-I error near 30% at 5% after a strong first motif).", "global")
    if (settings$test == "split") tests <- split_tests(data, parts, found, settings, run, frame)
    else tests <- selective_tests(design, parts$select$y, found, settings, draws, part_of_run(run, 3:50, 50), say, frame)
    fit <- assemble_seism(data, parts, design, found, tests, settings, run, frame)
    if (keep_null) fit$null <- tests$null
    fit
}

# ---- settings ----

# What selection depends on, checked.
selection_settings <- function(k, q, score, lambda, norm, bandwidth, strand, mesh, candidates, min_seqs, max_candidates, transform,
                               memory, frame) {
    if (!is.numeric(k) || !length(k) || anyNA(k) || any(k != round(k)) || any(k < 2 | k > 15)) {
        given <- friendly(k)
        stop_input("{.arg k} must be whole numbers from 2 to 15, not {given}.", call = frame)
    }
    score <- check_choice(score, c("ridge", "hsic"), call = frame)
    kind <- if (is.character(candidates)) check_choice(candidates, c("kmers", "soft", "lattice"), call = frame) else "motifs given"
    mesh <- check_number(mesh, 1, 6, call = frame)
    if (mesh > 1 && kind == "kmers")
        stop_input(c("{.arg mesh} = {mesh} needs candidates between k-mers.",
                     i = "Can you give {.code candidates = \"soft\"}, {.code \"lattice\"}, or a list of motifs?"), call = frame)
    if (mesh == 1 && kind == "lattice")
        stop_input("{.code candidates = \"lattice\"} needs a {.arg mesh} of at least 2.", call = frame)
    lambda <- if (score == "hsic") 0 else check_positive(lambda, 0, open = FALSE, call = frame)
    k <- sort(unique(as.integer(k)))
    if (length(k) > 1 && (score == "hsic" || lambda > 0))
        warn_seism("Motifs of several widths compete on equal terms only under ridge with lambda = 0.", "widths", frame)
    list(k = k, q = check_number(q, 1, 1e6, call = frame), score = score, lambda = lambda,
         norm = check_choice(norm, c("fixed", "projected"), call = frame), bandwidth = check_positive(bandwidth, call = frame),
         strand = check_choice(strand, c("forward", "both"), call = frame), mesh = mesh, candidates = kind,
         min_seqs = check_number(min_seqs, 1, 1e9, call = frame), max_candidates = check_number(max_candidates, 1, 1e8, call = frame),
         transform = check_choice(transform, c("normal", "none"), call = frame), memory = check_positive(memory, call = frame))
}

is_constant <- function(covariates) is.null(covariates) || NCOL(covariates) == 0

# Which tests go with which settings.
check_test <- function(s, no_covariates, frame) {
    if (!is.null(s$sigma) && s$transform == "normal")
        stop_seism("sigma is on the scale of y; use transform = 'none' with a known sigma.", frame)
    if (s$test == "permutation" && (s$q > 1 || !no_covariates))
        stop_seism("test = 'permutation' is valid for the first motif without covariates; use test = 'selected'.", frame)
    if (s$test == "saturated" && s$statistic == "best") stop_seism("the closed form needs statistic = 'center'.", frame)
    if (s$sampler != "slice" && is.null(s$sigma)) stop_seism("sampler = '{s$sampler}' needs a known sigma; use 'slice'.", frame)
    if (s$sampler == "cube" && s$test != "global") stop_seism("sampler = 'cube' needs test = 'global'; use 'slice'.", frame)
    if (s$pvalue == "chain" && !s$test %in% c("selected", "global"))
        stop_seism("pvalue = 'chain' needs test = 'selected' or 'global'.", frame)
}

# ---- data ----

# Sequences or features, the response, what the null explains, motifs that are given.
seism_input <- function(x, y, covariates, candidates, settings, frame) {
    features <- is.matrix(x)
    if (features) {
        if (!is.numeric(x) && !is.logical(x)) stop_input("A matrix {.arg x} must hold numbers.", call = frame)
        storage.mode(x) <- "double"
        check_finite(x, "x", frame)
        if (is.null(colnames(x))) colnames(x) <- paste0("feature_", seq_len(ncol(x)))
        names <- if (is.null(rownames(x))) as.character(seq_len(nrow(x))) else rownames(x)
        n <- nrow(x)
        settings$k <- NULL
    } else {
        sequences <- sequence_codes(x, frame)
        names <- sequences$names
        n <- length(names)
        pwms <- if (settings$candidates == "motifs given") check_pwms(candidates, "candidates", frame, 15)
        if (!is.null(pwms)) settings$k <- sort(unique(vapply(pwms, ncol, 0L)))
        check_windows(sequences, settings$k, frame)
    }
    y <- check_response(y, n, frame)
    basis <- covariate_basis(covariates, n, frame)
    least <- max(6, ncol(basis) + settings$q + 3)
    if (n < 6 && least == 6) stop_seism("need at least 6 sequences, got {n}.", frame)
    if (n < least) stop_seism("need at least r_W + q + 3 = {least} sequences, got {n}.", frame)
    known <- list(n = n, covariates = colnames(basis)[-1])
    if (is.data.frame(covariates))
        known$covariate_levels <- lapply(Filter(function(column) is.factor(column) || is.character(column), covariates),
                                         function(column) levels(factor(column)))
    if (features) {
        known[c("k", "candidates", "background")] <- list(NA_integer_, "features", rep(0.25, 4))
        return(list(features = x, names = names, y = y, basis = basis, settings = known))
    }
    known$k <- settings$k
    letters_found <- tabulate(as.integer(sequences$code) + 1L, 5)[1:4]
    known$background <- letters_found / sum(letters_found)
    region <- if (is(x, "XStringSet")) S4Vectors::mcols(x)$region
    list(sequences = list(sequences$code, as.integer(sequences$length_bp)), pwms = pwms, names = names, y = y, basis = basis, settings = known,
         regions = region)
}

# Which rows select, and the response as it is tested there; for a split also those that test. Each half is transformed on its own.
seism_parts <- function(data, settings, frame) {
    part <- function(rows) {
        basis <- full_rank(data$basis[rows, , drop = FALSE])
        list(rows = rows, basis = basis, y = transformed_response(data$y[rows], basis, settings$transform, frame))
    }
    n <- length(data$y)
    if (settings$test %in% c("selected", "saturated", "global")) warn_of_response(data$y, data$basis, settings$transform, frame)
    if (settings$test != "split") return(list(select = part(seq_len(n))))
    size <- round(settings$split * n)
    least <- ncol(data$basis) + settings$q + 3
    if (min(size, n - size) < least)
        stop_input(c("Each part of the split must have at least r_W + q + 3 = {least} sequences.", x = "They have {size} and {n - size}."),
                   call = frame)
    draws <- .Call(C_random, settings$seed, 0, n, 2^52)
    chosen <- order(draws)[seq_len(size)]
    list(select = part(sort(chosen)), test = part(setdiff(seq_len(n), chosen)))
}

full_rank <- function(basis) {
    solved <- qr(basis)
    basis[, sort(solved$pivot[seq_len(solved$rank)]), drop = FALSE]
}

# ---- candidates and selection ----

scoring_of <- function(s) list(match(s$score, c("ridge", "hsic")) - 1L, s$lambda, match(s$norm, c("fixed", "projected")) - 1L, s$bandwidth,
                               s$strand == "both")

# The candidates of these rows: a list of pointer, label, variant, cell, alias, kept (those that stand for themselves).
build_design <- function(data, part, settings, run, frame) {
    if (!is.null(data$features)) {
        features <- data$features[part$rows, , drop = FALSE]
        check_candidate_memory(ncol(features), nrow(features), settings$memory, frame)
        design <- core_design_matrix(features, seq_len(ncol(features)), scoring_of(settings), part$basis, run, frame)
        design$label <- colnames(features)
    } else {
        kind <- match(settings$candidates, c("kmers", "soft", "lattice", "motifs given")) - 1L
        wanted <- list(kind, settings$k, if (is.null(data$pwms)) list() else data$pwms, settings$min_seqs, settings$max_candidates,
                       as.integer(settings$mesh))
        check_candidate_memory(candidate_count(data$sequences, settings), length(part$rows), settings$memory, frame)
        rows <- if (length(part$rows) < length(data$y)) part$rows
        design <- core_design(data$sequences, rows, wanted, scoring_of(settings), part$basis, run, frame)
        design$label <- design$kmer
    }
    design$kept <- design$alias == seq_along(design$alias)
    design
}

# At most so many candidates; k-mers that are there twice count once.
candidate_count <- function(sequences, s) {
    if (s$candidates == "motifs given") return(0)
    widths <- as.numeric(sequences[[2]])
    kmers <- sum(vapply(s$k, function(k) min(4^k, sum(pmax(widths - k + 1, 0))), 0))
    variants <- switch(s$candidates, kmers = 1, soft = 1 + max(s$k), lattice = 1 + 3 * max(s$k))
    min(kmers * variants, s$max_candidates)
}

check_candidate_memory <- function(m, n, memory, frame) {
    g <- m * n * 8 / 2^30
    if (g > memory) {
        g <- format(signif(g, 2))
        stop_seism("{format(m)} candidates x {n} sequences need {g} GiB; raise min_seqs or lower max_candidates.", frame, class = "memory")
    }
}

selected_motifs <- function(design, y, settings, run, frame) {
    found <- core_select(design$pointer, y, as.integer(settings$q), run, frame)
    j <- length(found$candidate)
    if (j < settings$q)
        warn_seism("only {j} motifs could be selected: the residual is explained (or has fewer than 3 degrees of freedom).", "rank", frame)
    kept <- which(design$kept)
    found$candidate <- kept[found$candidate]
    found$rival <- kept[found$rival]
    found$label <- design$label[found$candidate]
    found
}

#' Select motifs without testing them
#'
#' The greedy selection of [seism()] alone: fast, and without any p-value.
#' @inheritParams seism
#' @return A data.frame, one row a step: `step`, `consensus` of the winner, `k`, `score` (HSIC divided by (n - 1)^2), `rival`
#'   and `rival_score`, the best candidate of another cell, and `residual`, the sum of squares that was left of the response (as
#'   transformed) before the step.
#' @section Errors: As [seism()].
#' @examples
#' set.seed(1)
#' x <- replicate(60, paste(sample(c("A", "C", "G", "T"), 40, replace = TRUE), collapse = ""))
#' seism_select(x, 2 * grepl("ACGT", x) + rnorm(60), k = 4)
#' @export
seism_select <- function(x, y, k = 8L, q = 3L, score = c("ridge", "hsic"), lambda = 0, norm = c("fixed", "projected"), bandwidth = 0.5,
                         strand = c("forward", "both"), mesh = 1L, candidates = c("kmers", "soft", "lattice"), min_seqs = 1L,
                         max_candidates = 20000L, covariates = NULL, transform = c("normal", "none"), memory = 4, threads = NULL) {
    frame <- environment()
    settings <- selection_settings(k, q, score, lambda, norm, bandwidth, strand, mesh, candidates, min_seqs, max_candidates, transform,
                                   memory, frame)
    data <- seism_input(x, y, covariates, candidates, settings, frame)
    settings <- utils::modifyList(settings, data$settings)
    run <- run_settings(threads, "Selecting motifs")
    run[[2]] <- settings$memory * 2^30
    rows <- seq_along(data$y)
    part <- list(rows = rows, basis = data$basis, y = transformed_response(data$y, data$basis, settings$transform, frame))
    design <- build_design(data, part, settings, part_of_run(run, 1:9, 10), frame)
    found <- selected_motifs(design, part$y, settings, part_of_run(run, 10, 10), frame)
    data.frame(step = seq_along(found$candidate), consensus = found$label, k = if (is.null(data$features)) nchar(found$label) else NA,
               score = shown_score(found$score, settings), rival = design$label[found$rival],
               rival_score = shown_score(found$rival_score, settings), residual = found$residual)
}

shown_score <- function(score, settings) if (settings$score == "hsic") score / (settings$n - 1)^2 else score
