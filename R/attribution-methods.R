# R/attribution-methods.R: what each method of attribution() asks of the core, and what it makes of the answer. A method runs the core in
# passes: one for each baseline, or for each noisy copy of the sequence. A pass gives a map, and the maps are averaged.

# title: as printed. baseline: it has one. random: passes differ by draws of their own.
attribution_methods <- list(
    ig = list(title = "integrated gradients", baseline = TRUE, random = FALSE),
    expected = list(title = "expected gradients", baseline = TRUE, random = TRUE),
    deeplift = list(title = "DeepLIFT", baseline = TRUE, random = FALSE),
    deepshap = list(title = "DeepSHAP", baseline = TRUE, random = FALSE),
    gradient = list(title = "the gradient", baseline = FALSE, random = FALSE),
    saliency = list(title = "saliency", baseline = FALSE, random = FALSE),
    gradient_x_input = list(title = "gradient x input", baseline = FALSE, random = FALSE),
    smoothgrad = list(title = "SmoothGrad", baseline = FALSE, random = TRUE),
    vargrad = list(title = "VarGrad", baseline = FALSE, random = TRUE))

# What pass number r runs: list(path, rate: of point mutations, simplex: the baseline is random rows).
method_pass <- function(settings, r) {
    if (!is.null(settings$path)) return(list(path = settings$path))
    gradient_at <- function(position) list(position, 1, FALSE)
    switch(settings$method,
        ig = list(path = c(path_rule(settings$nodes, settings$rule), TRUE,
                           if (!is.null(settings$tolerance)) list(c(settings$tolerance, settings$max_nodes)))),
        expected = list(path = list((r - 1 + (.Call(C_draw_below, 0, 2^52, settings$seed, r, "") + 0.5) / 2^52) / settings$nodes, 1, TRUE)),
        deeplift =, deepshap = list(path = list(1, 1, TRUE, "deeplift")),
        gradient =, saliency =, gradient_x_input = list(path = gradient_at(1)),
        smoothgrad =, vargrad = if (settings$noise == "mutation") list(path = gradient_at(1), rate = settings$noise_level)
                                else list(path = gradient_at(1 - settings$noise_level), simplex = TRUE))
}

# The map of a pass: raw scores, or gradients, (..., channels), at the sequence itself.
method_map <- function(method, raw, sequence) {
    if (method == "saliency") return(abs(raw))
    if (method %in% c("gradient_x_input", "smoothgrad", "vargrad")) return(sequence * centred(raw))
    raw
}

centred <- function(gradient) gradient - as.vector(rowMeans(gradient, dims = length(dim(gradient)) - 1))

# How many passes: replicates of a drawn baseline, draws, or noisy copies.
count_passes <- function(method, replicates, nodes, drawn, call) {
    own <- method %in% c("smoothgrad", "vargrad")
    if (is.null(replicates)) return(if (method == "expected") nodes else if (own || drawn && method == "deepshap") 20 else if (drawn) 5 else 1)
    replicates <- check_number(replicates, min = if (method == "vargrad") 2 else 1, max = 1e5, name = "replicates", call = call)
    if (replicates > 1 && method == "expected")
        stop_input("{.arg replicates} must be NULL for expected gradients: each of {.arg nodes} draws has a baseline of its own.", call = call)
    if (replicates > 1 && !drawn && !own)
        stop_input(c("{.arg replicates} must be 1 where all are the same.",
                     i = "Baselines that are drawn, such as {.val dinucleotide}, differ."), call = call)
    replicates
}

# ---- averages over passes ----

# Running means and moments: of the scores, and of their sums over channels. One pass: its map as it is.
gather <- function(so_far, map, checks, higher = FALSE) {
    if (is.null(so_far)) return(list(n = 1, scores = map, m2 = 0, m3 = 0, m4 = 0, checks = list(checks)))
    n <- so_far$n + 1
    if (n == 2) so_far$mean <- base_sums(so_far$scores)
    delta <- base_sums(map) - so_far$mean
    step <- delta / n
    product <- delta * step * (n - 1)
    if (higher) {                                                     # Pebay (2008), doi:10.2172/1028931
        so_far$m4 <- so_far$m4 + product * step^2 * (n^2 - 3 * n + 3) + 6 * step^2 * so_far$m2 - 4 * step * so_far$m3
        so_far$m3 <- so_far$m3 + product * step * (n - 2) - 3 * step * so_far$m2
    }
    list(n = n, scores = so_far$scores + (map - so_far$scores) / n, mean = so_far$mean + step, m2 = so_far$m2 + product, m3 = so_far$m3,
         m4 = so_far$m4, checks = c(so_far$checks, list(checks)))
}

base_sums <- function(map) rowSums(map, dims = length(dim(map)) - 1)

# list(scores, errors: standard error of each base, NULL for one pass, checks: data.frame of windows).
gathered <- function(found, method, sequence) {
    n <- found$n
    variance <- found$m2 / (n - 1)
    if (method == "vargrad")
        return(list(scores = sequence * as.vector(variance), errors = sqrt(pmax(0, found$m4 / n - (n - 3) / (n - 1) * variance^2) / n),
                    checks = window_checks(found$checks, method)))
    list(scores = found$scores, errors = if (n > 1) sqrt(variance / n), checks = window_checks(found$checks, method))
}

# checks: a list, one matrix a pass, a column a window: output, baseline's output, attributed, and perhaps nodes.
window_checks <- function(checks, method) {
    mean <- Reduce(`+`, checks) / length(checks)
    data <- data.frame(output = mean[1, ], baseline_output = mean[2, ], attributed = mean[3, ], gap = mean[3, ] - (mean[1, ] - mean[2, ]))
    if (!attribution_methods[[method]]$baseline) data[-1] <- NA_real_
    else if (length(checks) > 1) {
        gaps <- vapply(checks, function(one) one[3, ] - (one[1, ] - one[2, ]), numeric(nrow(data)))
        data$gap_error <- apply(matrix(gaps, nrow(data)), 1, stats::sd) / sqrt(length(checks))
    }
    if (nrow(mean) > 3) data$nodes <- mean[4, ]
    data
}

# Windows whose nodes ran out before the tolerance was met. Their gap is at most what remained.
warn_tolerance <- function(data, settings) {
    if (is.null(settings$tolerance)) return()
    relative <- abs(data$gap) / abs(data$output - data$baseline_output)
    out <- data$nodes > settings$max_nodes - 1 & relative > settings$tolerance
    if (any(out %in% TRUE))
        cli::cli_warn(c("{sum(out %in% TRUE)} of {nrow(data)} window{?s} reached {.code max_nodes = {settings$max_nodes}} with a completeness gap above the tolerance.",
                        x = "The largest gap is {format(100 * max(relative[out %in% TRUE]), digits = 2)} % of F(x) - F(baseline)."),
                      class = "nucleograd_warning_tolerance")
}

# ---- genomes ----

# The windows of a contig on one strand, as the core reads them; on the reverse strand in its own coordinates.
strand_part <- function(codes, name, windows, reverse) {
    length_bp <- length(codes)
    starts <- as.numeric(BiocGenerics::start(windows))
    if (reverse) starts <- (length_bp - as.numeric(BiocGenerics::end(windows))) %% length_bp + 1
    list(bases = if (reverse) reverse_bases(codes) else codes, name = name, starts = starts, width = as.numeric(BiocGenerics::width(windows)[1]),
         reverse = reverse)
}

# Windows that go in one call: all, or as many as there is room for sequences of their own.
window_chunks <- function(baseline, part) {
    each <- if (baseline$one_by_one) 1 else if (baseline$drawn) max(1, floor(2^26 / part$width)) else length(part$starts)
    at <- seq_along(part$starts)
    unname(split(at, (at - 1) %/% each))
}

# One pass over a part; for each target list(sums over windows (bp, 4), checks (3, windows)).
part_pass <- function(job, part, r, run) {
    pass <- method_pass(job$settings, r)
    read <- if (is.null(pass$rate)) part$bases else .Call(C_mutate, part$bases, pass$rate, job$settings$seed, r, part$name)
    chunks <- window_chunks(job$baseline, part)
    sums <- checks <- vector("list", length(job$goal$cotangents))
    for (here in chunks) {
        some <- replace(part, "starts", list(part$starts[here]))
        baseline <- if (isTRUE(pass$simplex)) list(job$settings$seed, r, part$name) else job$baseline$rows(some, r)
        found <- by_targets(job$goal$cotangents, job$settings$tolerance, function(cotangents) {
            request <- list(wanted = job$goal$nodes, cotangents = cotangents, bases = read, starts = some$starts, window = part$width,
                            baseline = baseline, path = pass$path)
            kept(advise_memory(.Call(C_attribute_contig, job$model@pointer, request$wanted, cotangents, request$bases, request$starts,
                                     request$window, baseline, pass$path, part_of_run(run, here, length(part$starts)), job$frame),
                               job$model, request, run, job$frame), request)
        })
        for (t in seq_along(sums)) {
            sums[[t]] <- if (is.null(sums[[t]])) found[[1]][[t]] else sums[[t]] + found[[1]][[t]]
            checks[[t]] <- cbind(checks[[t]], checks_of(found[[2]], t, length(here)))
        }
    }
    Map(list, sums, checks)
}

# Targets go in one call of the core, or, since each chooses its own nodes, one after the other.
by_targets <- function(cotangents, tolerance, one_call) {
    if (is.null(tolerance) || length(cotangents) == 1) return(one_call(cotangents))
    found <- lapply(cotangents, function(one) one_call(list(one)))
    list(lapply(found, function(one) one[[1]][[1]]), do.call(cbind, lapply(found, `[[`, 2)))
}

# Of target number t, whose windows are side by side.
checks_of <- function(checks, t, windows) checks[, (t - 1) * windows + seq_len(windows), drop = FALSE]

# All passes and strands of a contig; for each target list(scores, errors, checks).
explain_contig <- function(job, codes, name, windows, run) {
    sequence <- if (job$settings$method %in% c("gradient_x_input", "smoothgrad", "vargrad")) one_hot_rows(codes)
    targets <- seq_along(job$goal$cotangents)
    so_far <- vector("list", length(targets))
    strands <- switch(job$settings$strand, forward = FALSE, reverse = TRUE, both = c(FALSE, TRUE))
    parts <- lapply(strands, function(reverse) strand_part(codes, name, windows, reverse))
    for (r in seq_len(job$passes)) {
        maps <- lapply(seq_along(parts), function(s) {
            found <- part_pass(job, parts[[s]], r, part_of_run(run, (r - 1) * length(parts) + s, job$passes * length(parts)))
            if (parts[[s]]$reverse) lapply(found, function(one) list(flip(one[[1]]), one[[2]])) else found
        })
        for (t in targets) {
            of_strands <- function(k) if (length(maps) == 1) maps[[1]][[t]][[k]] else (maps[[1]][[t]][[k]] + maps[[2]][[t]][[k]]) / 2
            raw <- mean_over_windows(of_strands(1), windows)
            so_far[[t]] <- gather(so_far[[t]], method_map(job$settings$method, raw, sequence), of_strands(2), job$settings$method == "vargrad")
        }
    }
    lapply(so_far, gathered, job$settings$method, sequence)
}

# Scores of the reverse complement, on the plus strand.
flip <- function(scores) {
    flipped <- scores[rev(seq_len(nrow(scores))), 4:1, drop = FALSE]
    dimnames(flipped) <- dimnames(scores)
    flipped
}

one_hot_rows <- function(codes) matrix(as.numeric(outer(codes, as.raw(0:3), `==`)), ncol = 4)

mean_over_windows <- function(sums, windows) {
    length_bp <- nrow(sums)
    from <- BiocGenerics::start(windows)
    to <- BiocGenerics::end(windows)
    over <- to > length_bp                                            # over the origin: the rest lies at the contig's beginning
    ranges <- IRanges::IRanges(c(from, rep(1L, sum(over))), c(pmin(to, length_bp), to[over] - length_bp))
    times <- IRanges::coverage(ranges, width = length_bp)
    several <- BiocGenerics::which(times != 1L)                       # most often only where the last window is aligned to the end
    if (!length(several)) return(sums)
    times <- as.numeric(times)[several]
    times[times == 0] <- NA
    sums[several, ] <- sums[several, ] / times
    sums
}

# For each target the derivative along a small step towards all bases alike, in the first window: by the gradient, and by the
# difference of two outputs.
gradient_check <- function(job, part) {
    step <- 1 / 64
    base <- pmin(as.integer(window_bases(part, part$starts[1])), 4L) + 1L
    at <- function(step) {
        rows <- cbind((1 - step) * diag(4), 0) + step / 4             # of A, C, G, T and any other
        .Call(C_attribute_contig, job$model@pointer, job$goal$nodes, job$goal$cotangents, part$bases, part$starts[1], part$width, rows[, base],
              list(1, 1, TRUE), replace(job$run, 3, list(function(done) NULL)), job$frame)[[2]]
    }
    ahead <- at(step)
    behind <- at(-step)
    lapply(seq_along(job$goal$cotangents), function(t) list(gradient = ahead[3, t] / step, difference = (behind[2, t] - ahead[2, t]) / (2 * step)))
}

# ---- arrays ----

attribute_arrays <- function(model, arrays, baseline, goal, settings, replicates, run, frame) {
    given <- check_arrays(model, arrays, call = frame)
    inputs <- if (is.list(arrays)) arrays else list(arrays)
    inputs <- Map(function(numbers, shape) from_row_major(numbers, c(given$count, shape)), given$numbers, given$shapes)
    method <- attribution_methods[[settings$method]]
    if (is.function(baseline) || !is.list(baseline)) baseline <- rep(list(baseline), length(inputs))
    if (length(baseline) != length(inputs))
        stop_input("{.arg baseline} must be one baseline, or a list with one for each of the {length(inputs)} inputs, not {length(baseline)}.", call = frame)
    baselines <- if (method$baseline) Map(array_baseline, baseline, inputs, MoreArgs = list(seed = settings$seed, run = run, call = frame))
                 else lapply(given$shapes, function(shape) list(drawn = FALSE, rows = function(replicate) numeric(prod(shape))))
    passes <- count_passes(settings$method, replicates, settings$nodes, any(vapply(baselines, `[[`, NA, "drawn")), frame)
    targets <- seq_along(goal$cotangents)
    so_far <- lapply(targets, function(t) vector("list", length(inputs)))
    for (r in seq_len(passes)) {
        pass <- method_pass(settings, r)
        read <- if (is.null(pass$rate)) given$numbers else lapply(inputs, mutated_array, rate = pass$rate, seed = settings$seed, r = r, call = frame)
        rows <- if (isTRUE(pass$simplex)) lapply(seq_along(inputs), function(k) simplex_rows(given$shapes[[k]], given$count, settings$seed, r, k))
                else lapply(baselines, function(one) one$rows(r))
        found <- by_targets(goal$cotangents, settings$tolerance, function(cotangents)
            .Call(C_attribute_arrays, model@pointer, goal$nodes, cotangents, read, given$shapes, given$count, rows, pass$path, run, frame))
        for (t in targets) for (k in seq_along(inputs)) {
            raw <- from_row_major(found[[1]][[t]][[k]], c(given$count, given$shapes[[k]]))
            so_far[[t]][[k]] <- gather(so_far[[t]][[k]], method_map(settings$method, raw, inputs[[k]]), checks_of(found[[2]], t, given$count),
                                       settings$method == "vargrad")
        }
    }
    for (one in baselines) if (!is.null(one$alone)) warn_alone(one$alone())
    results <- lapply(so_far, function(of_inputs) {
        found <- unname(Map(function(one, input) gathered(one, settings$method, input), of_inputs, inputs))
        scores <- lapply(found, `[[`, "scores")
        errors <- lapply(found, `[[`, "errors")
        several <- is.list(arrays)
        result <- if (several) scores else scores[[1]]
        attr(result, "windows") <- found[[1]]$checks
        warn_tolerance(found[[1]]$checks, settings)
        if (passes > 1) attr(result, "errors") <- if (several) errors else errors[[1]]
        result
    })
    one_or_named(results, goal)
}

mutated_array <- function(array, rate, seed, r, call) {
    one_hot_bases(.Call(C_mutate, array_part(array, call)$bases, rate, seed, r, ""))
}

# Rows from the simplex of as many channels as there are, for every sample.
simplex_rows <- function(shape, count, seed, r, input) {
    channels <- shape[length(shape)]
    share <- matrix(-log((.Call(C_random, seed, 2^20 * input + r, count * prod(shape), 2^52) + 0.5) / 2^52), channels)
    as.numeric(sweep(share, 2, colSums(share), `/`))
}
