# R/attribution.R: how much each base speaks for the model's answer.

#' Attribution of a prediction to the bases of a genome
#'
#' What [attribution()] returns for a genome.
#' @slot scores A list named by contig: double matrices (bp x 4), columns A, C, G, T. The score of a base is the sum of its row,
#'   [base_scores()]. `NA` where no window was read.
#' @slot errors Standard errors of the scores of bases over baselines, draws or noisy copies, [base_errors()]: a list named by contig, empty
#'   where there was only one.
#' @slot genome The contigs that were read.
#' @slot windows A `GRanges`, one range for each window, with the columns `output` and `baseline_output` (the explained value
#'   for the sequence and for its baseline), `attributed` (the sum of the window's scores) and `gap`, the completeness gap:
#'   `attributed - (output - baseline_output)`. With replicates these are means, and `gap_error` is the standard error of the gap.
#' @slot settings A list: model, method, baseline, replicates, seed, nodes, rule, target, output, strand and more; `check` for methods of the
#'   gradient: how it agrees with differences.
#' @return An object of class `Attribution`, which prints how it was made and how well it is complete.
#' @exportClass Attribution
setClass("Attribution", slots = c(scores = "list", errors = "list", genome = "DNAStringSet", windows = "GRanges", settings = "list"))

#' Explain a prediction, base by base
#'
#' Attributes a model's answer to single bases. Integrated gradients follow the straight path from a baseline x' to the sequence
#' x and give base i the score
#' \deqn{(x_i - x'_i) \int_0^1 \frac{\partial F}{\partial x_i}(x' + a (x - x'))\, da,}
#' so that the scores of a window sum to F(x) - F(x'). How far the sum is off, the completeness gap, is part of the result.
#'
#' | method | score of a base | its check |
#' | --- | --- | --- |
#' | `"ig"` | integrated gradients, averaged over baselines | completeness gap |
#' | `"expected"` | expected gradients: the mean of `nodes` draws, each one gradient between a baseline of its own and the sequence, at a random point of its own stratum of the path | gap and its standard error |
#' | `"deeplift"` | DeepLIFT, rescale rule: contributions of differences from the baseline | gap: rounding alone |
#' | `"deepshap"` | the mean of DeepLIFT over drawn baselines | gap: rounding alone |
#' | `"gradient"` | the gradient at the sequence itself, all four channels | difference of two outputs |
#' | `"saliency"` | its absolute value, all four channels | the same |
#' | `"gradient_x_input"` | its value for the base that is there, minus the mean of the four | the same |
#' | `"smoothgrad"` | the mean of gradient x input over noisy copies of the sequence | standard error |
#' | `"vargrad"` | the variance over noisy copies | standard error |
#'
#' The mean of the four is taken off because no sequence can change in its direction: it says nothing of any mutation.
#'
#' **DeepLIFT** sends back, through each function of one number, the mean slope between sequence and baseline; a maximum sends all of its change to
#' where it is, or where it was lost, also where pools overlap. Softmax, normalization over channels, products, recurrent layers and attention,
#' for which there are several rules, send back their mean gradient between their two inputs. Masks, `Maximum` and `Minimum` have no
#' rule and are refused. Sequence and baseline stream through the network side by side, at the cost of some gradients.
#'
#' **Output.** `"logit"` explains the value before a final sigmoid or softmax (of a softmax: the target's minus the mean of the
#' others), `"probability"` the output itself, as deepG does. A model that ends in neither is explained as it is.
#'
#' **Targets.** `target` may be several numbers, or `"all"`. They share the way forward, so that one call takes less time than one for each; the
#' values are the same.
#'
#' **Baseline.** `"uniform"`: 0.25 for each of A, C, G, T. `"composition"`: the base frequencies of the genome. `"zero"`: no base
#' at all, as deepG does by default; it lies off the simplex of sequences, per-base scores then depend on components of the
#' gradient that no sequence can reach, and a warning says so. Four numbers (A, C, G, T), or a matrix (window x 4). A `DNAStringSet` of one
#' sequence as long as the window.
#'
#' Baselines that are drawn, `replicates` times for each window: `"shuffle"`, its bases in random order; `"dinucleotide"`, in random order with the
#' same dinucleotides, see [shuffle_sequences()]; `"markov"`, a chain of order 3 with the genome's frequencies, and `"markov0"` to
#' `"markov8"`; a `DNAStringSet`: random pieces of it, of another genome for instance. They depend on `seed`, the replicate, the contig's name and
#' the window's start alone. A function makes one from each window: it is given the sequence (a `DNAString`; for arrays the array), and the
#' number of the replicate if it takes two arguments, and gives a sequence or a matrix.
#'
#' **Rule.** `"midpoint"`: `nodes` points in the middle of equal intervals. `"trapezoid"`: `nodes + 1` points with both ends, as
#' deepG's `integrated_gradients(m_steps = nodes)`. `"gauss-legendre"`: `nodes` points.
#'
#' **Tolerance.** With `tolerance` each window chooses its nodes, for each target its own. What F and its slope are at the nodes says how far each interval
#' between them is off; the next node goes into the worst one, until both the completeness gap and the root of the sum of the squares of what intervals
#' are off, since a gap may be small by chance, are at most `tolerance` times |F(x) - F(x')|, or `max_nodes` are used, which is a warning. `nodes` and
#' `rule` then do not count. A gap takes fewer nodes so than by a fixed number, the more the path turns in few places; the same accuracy of single
#' bases does not (`tools/bench adaptive`): the gap is a screen, and says nothing of errors of single bases that cancel. Memory grows with the length
#' of a window times its nodes.
#'
#' **Windows** are as in [predict.Model()]; where they overlap, a base's score is the mean over the windows that cover it.
#' If their baseline depends on the base alone (not a matrix, a sequence or a drawn one), no node lies at the baseline itself and it pays,
#' overlapping windows then share their trunk forward and back, as [predict.Model()] says; [plan()] tells. Scores and checks are those of the
#' windows by themselves, to float32 rounding; a node within rounding of a kink of ReLU or of a maximum may take its other side.
#' N and other ambiguous letters are rows of zeros in sequence and baseline; their score is 0.
#'
#' **Strand.** `"reverse"` reads the reverse complement of each window, `"both"` averages the two; scores always lie on the plus strand. Drawn
#' baselines are drawn for each strand, numbers are turned with it.
#' @inheritParams predict.Model
#' @param model A [Model-class], from [read_model()].
#' @param method See Details.
#' @param baseline See Details; `"dinucleotide"` if it is not given and the method is `"expected"` or `"deepshap"`. For arrays `"uniform"`, `"zero"`, a number for
#'   each channel, an array of the shape of the input, a function, for one-hot sequences `"shuffle"` or `"dinucleotide"`, or a list of these, one per
#'   input.
#' @param nodes How many points of the path, from 1 to 100,000; draws of expected gradients.
#' @param rule See Details.
#' @param target Which output of the model, from 1; through all outputs in order if it has several.
#' @param output See Details.
#' @param strand See Details; for genomes.
#' @param replicates How many baselines are drawn for each window, 5 if `NULL`, of DeepSHAP 20; how many noisy copies are made, 20 if `NULL`.
#' @param tolerance `NULL`, or the completeness gap to reach, as a share of F(x) - F(x'), such as 0.01.
#' @param max_nodes With `tolerance`, from 3.
#' @param noise Of `"smoothgrad"` and `"vargrad"`: `"mutation"`, a share `noise_level` of the bases turns into others; `"simplex"`, each row is mixed with
#'   one from the uniform distribution on the simplex, whose share is `noise_level`. Neither leaves the space of sequences and their mixtures.
#' @param noise_level Above 0, up to 1.
#' @param seed A whole number for the same draws again; `NULL` takes one from R's generator.
#' @return For a genome an [Attribution-class]. For arrays an array of the shape of the input (a list of arrays for several
#'   inputs) with the attribute `windows`: a data.frame with one row per sample, `output`, `baseline_output`, `attributed`, `gap`, and with
#'   replicates the attribute `errors`, standard errors (samples x bp), and the column `gap_error`.
#'   With several targets a list of such results, named by target.
#' @section Errors: `nucleograd_error_argument`; `nucleograd_error_contigs`; `nucleograd_error_memory`: `memory_bytes` does not suffice;
#'   the message says what would. Warnings: `nucleograd_warning_tolerance`: `max_nodes` were not enough; `nucleograd_warning_alone`: a window has no other order of its dinucleotides and was shuffled by
#'   single bases.
#' @source Integrated gradients: Sundararajan, Taly and Yan (2017), \url{https://proceedings.mlr.press/v70/sundararajan17a.html}. Expected
#'   gradients: Erion and others (2021), \doi{10.1038/s42256-021-00343-w}. Saliency: Simonyan, Vedaldi and Zisserman (2014),
#'   \url{https://arxiv.org/abs/1312.6034}. The mean of the four channels: Majdandzic and others (2023), \doi{10.1186/s13059-023-02956-3}.
#'   DeepLIFT: Shrikumar, Greenside and Kundaje (2017), \url{https://proceedings.mlr.press/v70/shrikumar17a.html}. DeepSHAP: Lundberg and Lee
#'   (2017), \url{https://arxiv.org/abs/1705.07874}. SmoothGrad: Smilkov and others (2017), \url{https://arxiv.org/abs/1706.03825}. VarGrad: Adebayo and others (2018),
#'   \url{https://arxiv.org/abs/1810.03292}.
#' @examples
#' genome <- Biostrings::subseq(example_genome(), 853001, 857000)
#' scores <- attribution(example_model(), genome, nodes = 10)
#' scores
#' several <- attribution(example_model(), genome, baseline = "dinucleotide", replicates = 3,
#'                        nodes = 5, seed = 1)
#' summary(base_errors(several))
#' @export
attribution <- function(model, genome, method = "ig", baseline = "uniform", nodes = 50,
                        rule = c("midpoint", "trapezoid", "gauss-legendre"), target = 1, output = c("logit", "probability"),
                        strand = c("forward", "reverse", "both"), replicates = NULL, tolerance = NULL, max_nodes = 300,
                        noise = c("mutation", "simplex"), noise_level = 0.1, window = NULL, step = NULL, seed = NULL, threads = NULL, memory_bytes = NULL) {
    check_model(model)
    method <- check_choice(method, names(attribution_methods))
    output <- check_choice(output, c("logit", "probability"))
    rule <- check_choice(rule, c("midpoint", "trapezoid", "gauss-legendre"))
    strand <- check_choice(strand, c("forward", "reverse", "both"))
    noise <- check_choice(noise, c("mutation", "simplex"))
    if (!is.numeric(noise_level) || length(noise_level) != 1 || is.na(noise_level) || noise_level <= 0 || noise_level > 1)
        stop_input("{.arg noise_level} must be one number above 0 and up to 1, not {friendly(noise_level)}.")
    nodes <- check_number(nodes, min = 1, max = 1e5)
    max_nodes <- check_number(max_nodes, min = 3, max = 1e5)
    goal <- targets_of(model, target, output)
    if (!is.null(tolerance)) check_tolerance(tolerance, method)
    path_method <- attribution_methods[[method]]$baseline
    if (missing(baseline) && method %in% c("expected", "deepshap")) baseline <- "dinucleotide"
    seed <- seed_or_draw(seed, random = attribution_methods[[method]]$random || path_method && is_drawn(baseline))
    noisy <- method %in% c("smoothgrad", "vargrad")
    settings <- list(model = model@name, method = method, baseline = "none", replicates = 1, seed = seed, rule = rule,
                     nodes = if (method %in% c("ig", "expected")) nodes else 1, target = NULL, target_name = NULL, output = NULL, strand = strand,
                     tolerance = tolerance, max_nodes = if (!is.null(tolerance)) max_nodes, noise = if (noisy) noise,
                     noise_level = if (noisy) noise_level, window = window, step = step)
    if (is.array(genome) || is.list(genome)) {
        refuse_windows(window, step)
        if (strand != "forward") stop_input("{.arg strand} must be {.val forward} for arrays, which are read as they are.")
        return(attribute_arrays(model, genome, baseline, goal, settings, replicates, run_settings(threads, memory_bytes = memory_bytes), environment()))
    }
    check_is(genome, "DNAStringSet", "read_genome")
    windows <- genome_windows(model, genome, window, step, tokens = TRUE)
    run <- run_settings(threads, progress = "Attributing", memory_bytes = memory_bytes)
    frame <- environment()
    baseline <- if (path_method) genome_baseline(baseline, genome, BiocGenerics::width(windows), seed, run, frame) else no_baseline
    settings$baseline <- baseline$name
    settings$replicates <- passes <- count_passes(method, replicates, nodes, baseline$drawn, frame)
    job <- list(model = model, goal = goal, baseline = baseline, settings = settings, passes = passes, run = run, frame = frame)
    check_memory(model, goal, genome, windows, baseline, method_pass(settings, 1)$path, run, frame)
    found <- list()
    for (here in windows_by_contig(windows)) {
        contig <- as.character(GenomicRanges::seqnames(windows))[here[1]]
        codes <- base_codes(genome[[contig]])
        if (here[1] == 1 && method %in% c("gradient", "saliency", "gradient_x_input"))
            job$checks <- gradient_check(job, strand_part(codes, contig, windows[here], strand == "reverse"))
        found[[contig]] <- explain_contig(job, codes, contig, windows[here], part_of_run(run, here, length(windows)))
    }
    if (!is.null(baseline$alone)) warn_alone(baseline$alone())
    results <- lapply(seq_along(goal$target), function(t) new_attribution(job, t, lapply(found, `[[`, t), genome, windows))
    one_or_named(results, goal)
}

# The result for target number t; found: by contig that was read, list(scores, errors, checks).
new_attribution <- function(job, t, found, genome, windows) {
    everywhere <- function(part, unread) {
        read <- lapply(found, `[[`, part)
        stats::setNames(lapply(names(genome), function(contig) {
            if (is.null(read[[contig]])) unread(length(genome[[contig]])) else read[[contig]]
        }), names(genome))
    }
    checks <- do.call(rbind, unname(lapply(found, `[[`, "checks")))
    warn_tolerance(checks, job$settings)
    S4Vectors::mcols(windows) <- S4Vectors::DataFrame(checks)
    settings <- replace(job$settings, c("target", "target_name", "output"), lapply(job$goal[c("target", "name", "level")], `[[`, t))
    if (!is.null(job$checks)) settings$check <- job$checks[[t]]
    new("Attribution", scores = everywhere("scores", function(length_bp) matrix(NA_real_, length_bp, 4, dimnames = list(NULL, bases))),
        errors = if (job$passes > 1) everywhere("errors", function(length_bp) rep(NA_real_, length_bp)) else list(),
        genome = genome, windows = windows, settings = settings)
}

one_or_named <- function(results, goal) if (length(results) == 1) results[[1]] else stats::setNames(results, goal$name)

check_tolerance <- function(tolerance, method, call = parent.frame()) {
    if (!is.numeric(tolerance) || length(tolerance) != 1 || is.na(tolerance) || tolerance <= 0 || tolerance >= 1)
        stop_input("{.arg tolerance} must be NULL or one number between 0 and 1, not {friendly(tolerance)}.", call = call)
    if (method != "ig") stop_input("{.arg tolerance} chooses the nodes of {.code method = \"ig\"}; {.val {method}} has none.", call = call)
}

is_drawn <- function(baseline) is.function(baseline) || is(baseline, "DNAStringSet") || is.character(baseline) && any(baseline %in% drawn_baselines | is_markov(baseline)) ||
    is.list(baseline) && any(vapply(baseline, is_drawn, NA))

bases <- c("A", "C", "G", "T")

# ---- the path ----

# list(positions, weights) in [0, 1]; the weights sum to 1. Gauss-Legendre: nodes are eigenvalues of the Jacobi matrix of the
# Legendre polynomials (Golub and Welsch 1969, doi:10.1090/S0025-5718-69-99647-1).
path_rule <- function(nodes, rule) {
    k <- seq_len(nodes)
    if (rule == "midpoint") return(list((k - 0.5) / nodes, rep(1 / nodes, nodes)))
    if (rule == "trapezoid") return(list((0:nodes) / nodes, c(0.5, rep(1, nodes - 1), 0.5) / nodes))
    if (nodes == 1) return(list(0.5, 1))
    off <- seq_len(nodes - 1) / sqrt(4 * seq_len(nodes - 1)^2 - 1)
    jacobi <- matrix(0, nodes, nodes)
    jacobi[cbind(k[-1], k[-nodes])] <- jacobi[cbind(k[-nodes], k[-1])] <- off
    system <- eigen(jacobi, symmetric = TRUE)
    weights <- system$vectors[1, ]^2
    order <- order(system$values)
    list((1 + system$values[order]) / 2, weights[order] / sum(weights))
}

# Gradient of sum(cotangents * outputs) with respect to the inputs, at the inputs; cotangents: arrays like the outputs.
input_gradient <- function(model, arrays, cotangents, threads = NULL) {
    if (!is.list(cotangents)) cotangents <- list(cotangents)
    goal <- list(nodes = model@settings$output_nodes, cotangents = list(lapply(unname(cotangents), row_major)))
    gradient <- attribute_arrays(model, arrays, "none", goal, list(method = "gradient"), NULL, run_settings(threads), environment())
    attr(gradient, "windows") <- NULL
    gradient
}

#' Scores of single bases, and their standard errors
#'
#' `base_errors()` gives what [attribution()] knows of a mean over several baselines, draws or noisy copies.
#' @param attribution An [Attribution-class], from [attribution()].
#' @param contig The name or number of a contig.
#' @return A numeric vector, one score a base: the sum over the four channels; or its standard error. `NA` where no window was read.
#' @section Errors: `nucleograd_error_contigs`: no such contig. `nucleograd_error_argument`: a map of one baseline has no errors.
#' @examples
#' genome <- Biostrings::subseq(example_genome(), 853001, 855000)
#' scores <- attribution(example_model(), genome, nodes = 5)
#' summary(base_scores(scores))
#' @export
base_scores <- function(attribution, contig = 1) {
    check_is(attribution, "Attribution", "attribution")
    rowSums(attribution@scores[[check_contig(attribution, contig)]])
}

#' @rdname base_scores
#' @export
base_errors <- function(attribution, contig = 1) {
    check_is(attribution, "Attribution", "attribution")
    contig <- check_contig(attribution, contig)
    if (!length(attribution@errors))
        stop_input(c("{.arg attribution} must be a mean of several for its bases to have standard errors.",
                     i = "Give {.fun attribution} a baseline that is drawn, such as {.val dinucleotide}, or {.arg replicates}."))
    attribution@errors[[contig]]
}

check_contig <- function(attribution, contig, call = parent.frame()) {
    contigs <- names(attribution@scores)
    if (length(contig) != 1L || is.na(contig) || !(contig %in% contigs || contig %in% seq_along(contigs)))
        stop_input("{.arg contig} must be one of {.val {contigs}} or a number up to {length(contigs)}, not {friendly(contig)}.", class = "contigs", call = call)
    contig
}

#' @importMethodsFrom GenomeInfoDb seqinfo
#' @importFrom GenomeInfoDb seqinfo
setMethod("seqinfo", "Attribution", function(x) GenomeInfoDb::seqinfo(x@windows))

# The completeness gap of all windows together, relative to what there is to explain.
relative_gap <- function(windows) {
    data <- S4Vectors::mcols(windows)
    sum(abs(data$gap)) / sum(abs(data$output - data$baseline_output))
}

#' @rdname Attribution-class
#' @param object A `Attribution`.
#' @export
setMethod("show", "Attribution", function(object) {
    title <- attribution_methods[[object@settings$method]]$title
    with(object@settings, {
        cat("Attribution of the ", output, " of ", target_name, " (target ", target, ") by ", title,
            switch(strand, reverse = ", reverse strand", both = ", mean of both strands"), "\n  model    ", model, "\n", sep = "")
        several <- if (replicates > 1) paste0(" x ", replicates)
        if (method == "ig") cat("  path     ", baseline, " baseline", several, ", ", if (is.null(object@settings$tolerance)) paste0(nodes, " nodes, ", rule, " rule")
                                else paste0("up to ", max_nodes, " nodes until the gap is below ", 100 * tolerance, " %"), "\n", sep = "")
        else if (method %in% c("smoothgrad", "vargrad"))
            cat("  noise    ", replicates, " copies, ", c(mutation = "point mutations of ", simplex = "mixed with ")[[noise]], 100 * noise_level,
                c(mutation = " % of bases", simplex = " % of random rows")[[noise]], "\n", sep = "")
        else if (baseline != "none") cat("  draws    ", baseline, " baseline", several, "\n", sep = "")
    })
    knockout <- object@settings$knockout
    if (!is.null(knockout)) cat("  change   what scores lose when ", knockout, " is replaced by ", object@settings$replacement, " rows\n", sep = "")
    seed <- object@settings$seed
    if (!is.null(seed)) cat("  seed     ", format(seed, scientific = FALSE), "\n", sep = "")
    contig_bp <- Biostrings::width(object@genome)
    widths <- range(BiocGenerics::width(object@windows))
    cat("  genome   ", length(contig_bp), if (length(contig_bp) == 1) " contig, " else " contigs, ", format(sum(contig_bp), big.mark = ","), " bp; ",
        length(object@windows), if (length(object@windows) == 1) " window of " else " windows of ",
        paste(unique(format(widths, big.mark = ",", trim = TRUE)), collapse = " to "), " bp\n", sep = "")
    if (length(object@errors))
        cat("  errors   standard error of a base: median ", format(stats::median(unlist(object@errors), na.rm = TRUE), digits = 2), "; of its score: ",
            format(stats::median(abs(unlist(lapply(object@scores, rowSums))), na.rm = TRUE), digits = 2), "\n", sep = "")
    check <- object@settings$check
    if (!is.null(check)) cat("  checks   derivative towards all bases alike, first window: ", format(check[["gradient"]], digits = 4), " by the gradient, ",
                             format(check[["difference"]], digits = 4), " by differences\n", sep = "")
    if (!attribution_methods[[object@settings$method]]$baseline) return(invisible())
    data <- S4Vectors::mcols(object@windows)
    cat("  checks   sum of scores ", format(sum(data$attributed), digits = 6), ", F(x) - F(baseline) ", format(sum(data$output - data$baseline_output), digits = 6),
        "\n           completeness gap ", format(sum(data$gap), digits = 3), " in total; by window: median ", format(stats::median(abs(data$gap)), digits = 2),
        ", worst ", format(max(abs(data$gap)), digits = 2), " (", format(100 * relative_gap(object@windows), digits = 2), " % of what is explained)\n", sep = "")
    if (!is.null(data$nodes)) cat("           nodes of a window: median ", format(stats::median(data$nodes)), ", most ", format(max(data$nodes)), "\n", sep = "")
    if (!is.null(data$gap_error)) cat("           standard error of a window's gap: median ", format(stats::median(data$gap_error), digits = 2), "\n", sep = "")
})
