# R/simulate-motifs.R: sequences with motifs in them, and the best answer that anyone could give about them.

#' Sequences with motifs in them
#'
#' `simulate_motifs()` draws DNA in which the places of all motifs are known: random letters, and in the positive ones a motif, or a
#' configuration of motifs and spacers. With it one knows what a network could have learned, and where an attribution should point.
#'
#' A grammar is a text (the name of one of `motifs`, or DNA letters with IUPAC codes), [motif_grammar()] or [one_of()]. Letters are
#' independent draws from `background`; then the configuration is drawn, its spacers and its start; each motif is drawn column by
#' column. `place` says where it starts, for a configuration of `w` bases (rounding down):
#' - `"centre"`: at `length / 2 - w / 2`, plus or minus up to `jitter` (50);
#' - `"uniform"`: anywhere, each start as likely;
#' - `"periodic"`: `copies` of it, copy `j` = 0, 1, ... at `period / 2 - w / 2 + j * period`, plus or minus up to `jitter` (10).
#'
#' Sequence number `i` depends on `seed` and `i` only. Four recipes have names; all have 500 bases and either strand.
#'
#' | name | positive | negative |
#' | --- | --- | --- |
#' | `"B1"` | SPI1 | background |
#' | `"B2"` | REST_left, 5 to 10 bases, REST_right | one half alone |
#' | `"B3"` | TAL1 (37 %), GATA1 (37 %), TAL1, 8 bases, GATA1 (26 %) | background |
#' | `"B4"` | SPI1, 8 bases, TAL1 | SPI1, 20 to 60 bases, TAL1 |
#' @param positive What positive sequences contain: a grammar, or the name of a recipe, which brings all that follows but `n` and `seed`.
#' @param n How many sequences.
#' @param length Bases of each.
#' @param negative What negative sequences contain; `NULL`: background only.
#' @param share The share of positives; they are spread evenly, every second one at 0.5.
#' @param motifs A named list of 4 x k matrices of probabilities, rows A, C, G, T.
#' @param background Probabilities of A, C, G, T.
#' @param place Where configurations lie; see Details.
#' @param jitter Bases by which a start is moved at most; `NULL`: 50, or 10 if `place = "periodic"`.
#' @param copies,period How many copies, and the bases from one to the next; of `place = "periodic"`.
#' @param strand `"both"`: half of the sequences, at random, are turned round with their motifs.
#' @param reject Draw background anew where the letters of a window have a mean probability of at least this under a motif of
#'   the grammars, on either strand; `NULL`: never.
#' @param seed A whole number; `NULL`: one draw of R's generator.
#' @return A `motif_simulation`, a list: `x`, a `DNAStringSet` with names; `y`, 0 or 1; `sites`, a `GRanges` on the sequences (1-based,
#'   closed) with a column `motif`; `recipe`, `key`, `settings`. [motif_network()] and [fit_model()] train on it.
#' @section Errors: `nucleograd_error_argument`: a motif is not known, probabilities do not fit, or a configuration does not fit into
#'   the sequence at every start.
#' @examples
#' simulate_motifs("TTCAGCAC", n = 100, length = 100, jitter = 20, seed = 1)
#' both <- motif_grammar("REST_left", spacer(5, 10), "REST_right")
#' sim <- simulate_motifs(both, n = 100, negative = one_of("REST_left", "REST_right"),
#'                        strand = "both", seed = 1)
#' sim$sites
#' # no classifier does better than this
#' mean((bayes_score(sim) > 0) == (sim$y == 1))
#' @export
simulate_motifs <- function(positive, n = 1000, length = 500, negative = NULL, share = 0.5, motifs = motif_library(),
                            background = rep(0.25, 4), place = c("centre", "uniform", "periodic"), jitter = NULL, copies = 1, period = 100,
                            strand = c("forward", "both"), reject = NULL, seed = NULL) {
    n <- check_number(n, 1, 2^31 - 1)
    recipe <- if (is_recipe(positive)) motif_recipe(positive)
              else check_recipe(positive, length, negative, share, motifs, background, check_choice(place, c("centre", "uniform", "periodic")),
                                jitter, copies, period, check_choice(strand, c("forward", "both")), reject, environment())
    key <- draw_key(seed)
    drawn <- draw_simulation(recipe, key, 4L, 0, n, run_settings(NULL, progress = "Simulating sequences"))
    name <- paste0("sequence_", seq_len(n))
    x <- Biostrings::DNAStringSet(drawn$x)
    names(x) <- name
    site <- drawn$sites
    sites <- GenomicRanges::GRanges(factor(name[site$sequence], name), IRanges::IRanges(site$start, site$end), site$strand,
                                    motif = names(recipe$pfm)[site$motif],
                                    seqlengths = stats::setNames(rep(as.integer(recipe$length), n), name))
    structure(list(x = x, y = as.numeric(drawn$positive), sites = sites, recipe = recipe, key = key), class = "motif_simulation")
}

# Sequences first..first + n - 1 (0-based) of a lane: letters, labels, and a table of sites.
draw_simulation <- function(recipe, key, lane, first, n, run, frame = parent.frame()) {
    drawn <- .Call(C_motif_simulate, recipe, key, lane, as.numeric(first), as.numeric(n), run, frame)
    names(drawn) <- c("codes", "positive", "sites")
    names(drawn$sites) <- c("sequence", "motif", "start", "end", "strand")
    drawn$x <- code_letters(drawn$codes, recipe$length)
    drawn$sites$strand <- c("+", "-")[drawn$sites$strand]
    drawn
}

# Codes of sequences in a row as text, a sequence each.
code_letters <- function(codes, length) {
    text <- rawToChar(charToRaw("ACGTN")[as.integer(codes) + 1L])
    first <- seq(1, by = length, length.out = length(codes) / length)
    substring(text, first, first + length - 1)
}

# The two words of a key: from a seed, or from R's generator.
draw_key <- function(seed, call = parent.frame()) {
    seed <- if (is.null(seed)) floor(stats::runif(1) * 2^31) else check_number(seed, 0, 2^53, call = call)
    c(seed %% 2^32, seed %/% 2^32)
}

# ---- grammars ----

#' Grammars of motifs
#'
#' What [simulate_motifs()] writes into sequences: motifs and spacers in a row, or a choice among such rows, nested as one likes.
#' @param ... Names of motifs, DNA letters, spacers, or other grammars: in a row (`motif_grammar()`), or one of them (`one_of()`).
#' @param prob The probability of each choice; `NULL`: all alike.
#' @param least,most How many bases of background, each number as likely.
#' @return A `motif_grammar`, for [simulate_motifs()].
#' @section Errors: `nucleograd_error_argument`.
#' @examples
#' motif_grammar("SPI1", spacer(8), "TAL1")
#' one_of("TAL1", "GATA1", motif_grammar("TAL1", spacer(8), "GATA1"), prob = c(0.37, 0.37, 0.26))
#' @export
motif_grammar <- function(...) structure(list(parts = check_parts(list(...)), prob = NULL), class = "motif_grammar")

#' @rdname motif_grammar
#' @export
one_of <- function(..., prob = NULL) {
    parts <- check_parts(list(...))
    if (is.null(prob)) prob <- rep(1 / length(parts), length(parts))
    if (!is.numeric(prob) || length(prob) != length(parts) || anyNA(prob) || any(prob < 0) || abs(sum(prob) - 1) > 1e-9)
        stop_input("{.arg prob} must be {length(parts)} probabilities that sum to 1, one a choice, not {.val {prob}}.")
    structure(list(parts = parts, prob = prob), class = "motif_grammar")
}

#' @rdname motif_grammar
#' @export
spacer <- function(least, most = least) {
    least <- check_number(least, 0, 1e6)
    structure(list(least = least, most = check_number(most, least, 1e6)), class = "motif_spacer")
}

#' @rdname motif_grammar
#' @param x A `motif_grammar`.
#' @export
print.motif_grammar <- function(x, ...) {
    cat(grammar_words(x), "\n", sep = "")
    invisible(x)
}

check_parts <- function(parts, call = parent.frame()) {
    good <- vapply(parts, function(part) inherits(part, c("motif_grammar", "motif_spacer")) || is.character(part) &&
                   length(part) == 1L && !is.na(part), NA)
    if (!length(parts) || !all(good))
        stop_input(c("A grammar must be made of names of motifs, DNA letters, spacers and other grammars.",
                     x = "{if (length(parts)) paste0('Part ', which(!good)[1], ' is ', friendly(parts[[which(!good)[1]]])) else 'It is empty'}."),
                   call = call)
    parts
}

grammar_words <- function(x) {
    if (is.null(x)) return("background")
    if (is.character(x)) return(x)
    if (inherits(x, "motif_spacer")) return(if (x$least == x$most) paste0("[", x$least, "]") else paste0("[", x$least, "-", x$most, "]"))
    words <- vapply(x$parts, grammar_words, "")
    if (is.null(x$prob)) paste(words, collapse = " ") else paste0("(", paste0(words, " ", signif(x$prob, 3), collapse = " | "), ")")
}

# All rows of motifs and spacers that a grammar can make: lists of probability and parts, a 3-row matrix (number of the motif, or 0
# for a spacer of least to most bases). `motifs` is an environment whose list `pfm` grows by the motifs that are met.
expand_grammar <- function(x, motifs, call) {
    if (is.character(x)) return(list(list(probability = 1, parts = cbind(c(motif_number(x, motifs, call), 0, 0)))))
    if (inherits(x, "motif_spacer")) return(list(list(probability = 1, parts = cbind(c(0, x$least, x$most)))))
    choices <- lapply(x$parts, expand_grammar, motifs, call)
    if (!is.null(x$prob)) {
        weighted <- Map(function(choice, prob) lapply(choice, function(one) list(probability = one$probability * prob,
                                                                                 parts = one$parts)), choices, x$prob)
        return(unlist(weighted, recursive = FALSE))
    }
    join <- function(left, right) unlist(lapply(left, function(a) lapply(right, function(b)
        list(probability = a$probability * b$probability, parts = cbind(a$parts, b$parts)))), recursive = FALSE)
    Reduce(join, choices)
}

motif_number <- function(name, motifs, call) {
    if (is.null(motifs$pfm[[name]])) {
        known <- motifs$library[[name]]
        if (is.null(known) && grepl("^[ACGTRYSWKMBDHVN]+$", name)) known <- simple_pwm(name)
        if (is.null(known))
            stop_input(c("A grammar must name motifs that are there, or give DNA letters.", x = "It says {.val {name}}.",
                         i = "The motifs are {.val {names(motifs$library)}}."), call = call)
        motifs$pfm[[name]] <- known
    }
    match(name, names(motifs$pfm))
}

# ---- recipes: all that determines a simulation, but the key and the number of sequences ----

check_recipe <- function(positive, length, negative, share, motifs, background, place, jitter, copies, period, strand, reject, call) {
    length <- check_number(length, 1, 1e6, call = call)
    share <- check_positive(share, 0, 1 + 1e-12, open = FALSE, call = call)
    background <- as.numeric(background)
    if (length(background) != 4 || anyNA(background) || any(background <= 0) || abs(sum(background) - 1) > 1e-9)
        stop_input("{.arg background} must be four probabilities above 0 that sum to 1 (A, C, G, T), not {background}.", call = call)
    if (is.null(names(motifs)) || !is.list(motifs)) stop_input("{.arg motifs} must be a named list of 4 x k matrices.", call = call)
    found <- new.env()
    found$library <- stats::setNames(check_pwms(motifs, "motifs", call), names(motifs))
    found$pfm <- list()
    if (is.character(positive) || is.character(negative)) check_parts(c(positive, negative), call)
    classes <- lapply(list(negative = negative, positive = positive), function(grammar) if (!is.null(grammar)) expand_grammar(grammar, found, call))
    copies <- if (place == "periodic") check_number(copies, 1, 1e4, call = call) else 1
    period <- check_number(period, 1, 1e6, call = call)
    jitter <- if (is.null(jitter)) c(centre = 50, uniform = 0, periodic = 10)[[place]] else check_number(jitter, 0, 1e6, call = call)
    if (!is.null(reject)) reject <- check_positive(reject, 0, 1, call = call)
    recipe <- list(length = length, share = share, background = background, place = place, jitter = jitter, copies = copies, period = period,
                   strand = strand, reject = if (is.null(reject)) 2 else reject, pfm = found$pfm, classes = classes,
                   positive = grammar_words(positive), negative = grammar_words(negative))
    check_fit_of_grammar(recipe, call)
    recipe
}

# Every configuration must lie inside the sequence wherever it starts, and copies must not overlap.
check_fit_of_grammar <- function(recipe, call) {
    width <- vapply(recipe$pfm, ncol, 0L)
    extremes <- function(configuration) {
        part <- configuration$parts
        motifs <- sum(width[part[1, ]])
        spacer <- part[1, ] == 0
        motifs + c(sum(part[2, spacer]), sum(part[3, spacer]))
    }
    for (w in unique(unlist(lapply(unlist(recipe$classes, recursive = FALSE), extremes)))) {
        centre <- switch(recipe$place, centre = recipe$length %/% 2, periodic = recipe$period %/% 2 + (seq_len(recipe$copies) - 1) * recipe$period)
        first <- if (recipe$place == "uniform") 0 else min(centre) - w %/% 2 - recipe$jitter
        last <- if (recipe$place == "uniform") w else max(centre) - w %/% 2 + recipe$jitter + w
        if (first < 0 || last > recipe$length)
            stop_input(c("Every configuration must fit into {.arg length} = {recipe$length} bases wherever it starts.",
                         x = "One of {w} bases would lie at {first + 1} to {last}.",
                         i = "Can {.arg jitter} be smaller than {recipe$jitter}?"), call = call)
        if (recipe$copies > 1 && w + 2 * recipe$jitter > recipe$period)
            stop_input(c("Copies must not overlap.", x = "A copy takes {w} bases and moves by up to {recipe$jitter}; the next begins {recipe$period} later."),
                       call = call)
    }
}

is_recipe <- function(name) is.character(name) && length(name) == 1L && name %in% paste0("B", 1:4)

motif_recipe <- function(name) {
    rest <- one_of("REST_left", "REST_right")
    classes <- switch(name,
        B1 = list("SPI1", NULL),
        B2 = list(motif_grammar("REST_left", spacer(5, 10), "REST_right"), rest),
        B3 = list(one_of("TAL1", "GATA1", motif_grammar("TAL1", spacer(8), "GATA1"), prob = c(0.37, 0.37, 0.26)), NULL),
        B4 = list(motif_grammar("SPI1", spacer(8), "TAL1"), motif_grammar("SPI1", spacer(20, 60), "TAL1")))
    check_recipe(classes[[1]], 500, classes[[2]], 0.5, motif_library(), rep(0.25, 4), "centre", NULL, 1, 100, "both", NULL, environment())
}

# ---- what a simulation is asked ----

#' @rdname simulate_motifs
#' @param x A `motif_simulation`.
#' @param ... Not used.
#' @export
print.motif_simulation <- function(x, ...) {
    recipe <- x$recipe
    cat("Simulated sequences: ", format(length(x$y), big.mark = ","), " of ", recipe$length, " bases, ", format(sum(x$y), big.mark = ","),
        " positive\n  positive  ", recipe$positive, "\n  negative  ", recipe$negative, "\n  place     ", recipe$place,
        if (recipe$place != "uniform") paste0(", jitter ", recipe$jitter), if (recipe$copies > 1) paste0(", ", recipe$copies, " copies"),
        "; strand ", recipe$strand, "\n  seed      ", format(x$key[1] + 2^32 * x$key[2], scientific = FALSE), "\n", sep = "")
    invisible(x)
}

#' @rdname simulate_motifs
#' @param simulation A `motif_simulation`.
#' @param newx Other sequences of the same length; `NULL`: those of the simulation.
#' @param threads Threads; see [thread_count()].
#' @return `bayes_score()`: log P(sequence | positive) - log P(sequence | negative) of each sequence, summed exactly over configurations,
#'   spacers, starts and, if `strand = "both"`, strands; a probability of 0 in a motif counts as 0.002. It bounds every classifier.
#' @export
bayes_score <- function(simulation, newx = NULL, threads = NULL) {
    check_is_s3(simulation, "motif_simulation", "simulate_motifs")
    codes <- sequence_codes(if (is.null(newx)) simulation$x else newx)
    wrong <- which(codes$length_bp != simulation$recipe$length)
    if (length(wrong))
        stop_input("{.arg newx} must have {simulation$recipe$length} bases a sequence, not {codes$length_bp[wrong[1]]} as number {wrong[1]}.")
    run <- run_settings(threads, progress = "Scoring sequences")
    .Call(C_motif_bayes, simulation$recipe, codes$code, run, environment())
}

check_is_s3 <- function(x, class, from, name = deparse1(substitute(x)), call = parent.frame()) {
    if (inherits(x, class)) return(invisible(x))
    stop_input(c("{.arg {name}} must be a {.cls {class}}, not {.obj_type_friendly {x}}.", i = "Make one with {.fun {from}}."), call = call)
}

#' Ten motifs
#'
#' Rounded probabilities after well-known motifs of vertebrate transcription factors, for [simulate_motifs()].
#' @return A named list of 4 x k matrices, rows A, C, G, T, columns of sum 1.
#' @examples
#' names(motif_library())
#' motif_library()$MAX
#' @export
motif_library <- function() {
    rows <- c(
        SPI1 = ".75 .02 .095 .135 .11 .082 .76 .048 .85 .024 .092 .034 .038 .004 .944 .014 .022 .006 .962 .01 .972 .009 .009 .01 .965 .004 .007 .024
                .08 .072 .831 .017 .102 .027 .051 .82 .081 .094 .779 .046",
        TAL1 = ".887 0 .067 .046 .453 .547 0 0 0 .977 .023 0 1 0 0 0 0 .021 .248 .731 .273 .727 0 0 0 0 0 1 0 0 .977 .023 0 .061 .459 .48
                .089 .089 .041 .781",
        GATA1 = ".031 .163 .031 .775 .065 0 0 .935 1 0 0 0 0 0 0 1 0 1 0 0 .419 0 .009 .572 .13 .261 .435 .174",
        E2F6 = ".057 .031 .896 .016 .004 .02 .968 .008 .112 .804 .021 .063 .033 .014 .93 .023 .008 .008 .976 .008 .004 .021 .967 .008
                .891 .031 .068 .01 .783 .043 .152 .022",
        MAX = ".004 .996 0 0 .988 0 .008 .004 0 .965 0 .035 .042 .004 .954 0 .008 .02 0 .972 0 .004 .989 .007",
        JUND = ".39 .116 .494 0 0 0 0 1 0 0 1 0 1 0 0 0 0 .596 .358 .046 0 0 0 1 .034 .966 0 0 1 0 0 0 0 .125 .06 .815",
        TEAD4 = ".784 .03 .141 .045 .098 .847 .043 .012 .961 .013 .004 .022 .013 .013 .013 .961 .03 .015 .025 .93 .014 .933 .019 .034
                 .013 .97 0 .017 .791 .05 .014 .145",
        REST_left = ".122 .098 .22 .56 .038 .17 .085 .707 .046 .857 .029 .068 .914 .014 .058 .014 .017 .025 .954 .004 .074 .602 .206 .118
                     .982 .004 .007 .007 0 .996 .004 0 .018 .932 .009 .041 .577 .115 .096 .212",
        REST_right = ".132 .226 .075 .567 .019 .004 .973 .004 .007 0 .993 0 .884 .063 .021 .032 .006 .8 .144 .05 .992 0 .004 .004
                      .024 .004 .968 .004 .116 .638 .116 .13 .231 .019 .423 .327 .133 .583 .2 .084 .103 .71 .019 .168",
        CTCF = ".059 .877 .021 .043 .007 .989 0 .004 .814 .013 .071 .102 .038 .585 .368 .009 .111 .463 .056 .37 .938 .009 .036 .017
                .004 0 .993 .003 .365 0 .62 .015 .052 .01 .557 .381 .011 0 .981 .008 .057 .006 .857 .08 .11 .813 .006 .071")
    lapply(rows, function(text) {
        pfm <- matrix(scan(text = text, quiet = TRUE), 4, dimnames = list(bases, NULL))
        sweep(pfm, 2, colSums(pfm), "/")
    })
}
