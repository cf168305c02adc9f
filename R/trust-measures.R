# R/trust-measures.R: what trust() measures in single windows: randomised layers, deletion and insertion, point mutations.

measure_row <- function(measure, comparison, level, value, lower = NA_real_, upper = NA_real_) {
    data.frame(measure, comparison, level, value, lower, upper)
}

# ---- completeness ----

# The gap of each window, relative to what a window explains on average; none where the method has no baseline.
relative_gaps <- function(scores) {
    data <- S4Vectors::mcols(scores@windows)
    gaps <- abs(data$gap) / mean(abs(data$output - data$baseline_output))
    gaps[!is.na(gaps)]
}

completeness_rows <- function(gaps) {
    if (length(gaps)) measure_row("completeness gap", c("all windows", "worst window"), "window", c(mean(gaps), max(gaps)))
}

# ---- randomised layers, from the top down ----

# A row for each number of layers and draw: how the map with these layers drawn anew correlates with the map as it is.
cascade_of <- function(model, examined, arguments, draws, seed, threads, tick) {
    layers <- rev(weighted_layers(model))
    original <- unlist(maps_of(model, examined$sequences, arguments, threads))
    runs <- expand.grid(layers = seq_along(layers), draw = seq_len(draws))
    found <- Map(function(count, draw) {
        drawn <- randomise_model(model, count, seed = (seed + draw - 1) %% .Machine$integer.max)
        map <- unlist(maps_of(drawn, examined$sequences, arguments, threads))
        tick()
        data.frame(layers = count, down_to = layers[count], draw, signed = rank_correlation(original, map)$correlation,
                   absolute = rank_correlation(abs(original), abs(map))$correlation)
    }, runs$layers, runs$draw)
    rbind(data.frame(layers = 0, down_to = "none", draw = 1, signed = 1, absolute = 1), do.call(rbind, found))
}

cascade_rows <- function(cascade) {
    cascade <- cascade[cascade$layers > 0, ]
    rows <- lapply(unique(cascade$layers), function(count) {
        own <- cascade[cascade$layers == count, ]
        name <- paste0(count, if (count == 1) " layer: " else " layers: ", own$down_to[1])
        measure_row("correlation after randomisation", name, c("signed", "absolute"), c(mean(own$signed), mean(own$absolute)),
                    c(min(own$signed), min(own$absolute)), c(max(own$signed), max(own$absolute)))
    })
    do.call(rbind, rows)
}

# ---- deletion and insertion ----

deletion_shares <- seq(0, 1, 0.05)
deletion_orders <- c("best first", "worst first", "random order")

# The model's answer when a share of the pieces of a window is as in a shuffled copy, mean over copies: an array (window, share, order).
deletion_curves <- function(model, examined, arguments, pieces, shuffles, seed, threads, tick) {
    curves <- array(0, c(length(examined$sequences), length(deletion_shares), 3), list(NULL, NULL, deletion_orders))
    for (k in seq_along(examined$sequences)) {
        own <- charToRaw(as.character(examined$sequences[[k]]))
        piece <- ceiling(seq_along(own) * min(pieces, length(own)) / length(own))
        carried <- rowsum(examined$scores[[k]], piece, na.rm = TRUE)[, 1]
        copies <- suppressWarnings(shuffle_sequences(examined$sequences[k], replicates = shuffles, seed = seed + k, threads = threads))
        values <- vapply(seq_len(shuffles), function(copy) {
            orders <- list(order(-carried), order(carried), order(uniform_numbers(seed, 1, k, copy, length(carried))))
            mixed <- shuffled_pieces(own, charToRaw(as.character(copies[[copy]])), piece, orders)
            matrix(explained_values(model, Biostrings::DNAStringSet(mixed), arguments, threads), ncol = 3)
        }, curves[k, , ])
        curves[k, , ] <- rowMeans(values, dims = 2)
        tick()
    }
    curves
}

# `own` with each share of its pieces taken from `other`, in each order: texts, shares running fastest.
shuffled_pieces <- function(own, other, piece, orders) {
    unlist(lapply(orders, function(order) vapply(deletion_shares, function(share) {
        gone <- piece %in% order[seq_len(round(share * length(order)))]
        rawToChar(replace(own, gone, other[gone]))
    }, "")))
}

# From 1, the windows as they are, to 0, all shuffled: (share, order), of the means over windows. NA where shuffled windows say as much.
relative_curves <- function(curves) {
    means <- colMeans(curves)
    all <- mean(means[nrow(means), ])
    if (means[1, 1] <= all) means[] <- NA
    (means - all) / (means[1, 1] - all)
}

area_under <- function(curve) mean((curve[-1] + curve[-length(curve)]) / 2)

# Insertion of the best pieces into a shuffled window is deletion of the worst, read from its end: one area serves both.
curve_rows <- function(curves) {
    areas <- function(curves) apply(relative_curves(curves), 2, area_under)
    value <- areas(curves)
    windows <- dim(curves)[1]
    without <- vapply(seq_len(windows), function(k) if (windows > 1) areas(curves[-k, , , drop = FALSE]) else value * NA, value)
    limits <- vapply(1:3, function(order) jackknife(value[order], without[order, ]), numeric(2))
    order <- c(1, 3, 2, 3)
    measure_row(rep(c("deletion area", "insertion area"), each = 2), rep(c("by score", "random order"), 2), "window", unname(value[order]),
                limits[1, order], limits[2, order])
}

curve_table <- function(curves) {
    relative <- relative_curves(curves)
    rows <- function(curve, of, order) data.frame(curve, order, share = deletion_shares, value = of)
    rbind(rows("deletion", relative[, 1], "by score"), rows("deletion", relative[, 3], "random order"),
          rows("insertion", rev(relative[, 2]), "by score"), rows("insertion", rev(relative[, 3]), "random order"))
}

# ---- point mutations ----

# `count` copies of a sequence, in each a share of its bases turned into others: list(sequences, at: places, a column a copy).
mutated_copies <- function(sequence, share, count, seed, purpose, window) {
    letters <- charToRaw(as.character(sequence))
    code <- as.integer(base_codes(sequence))
    known <- which(code < 4)
    changed <- min(max(1, round(share * length(letters))), length(known))
    copies <- lapply(seq_len(count), function(copy) {
        numbers <- uniform_numbers(seed, purpose, window, copy, length(known) + changed)
        at <- known[order(numbers[seq_along(known)])[seq_len(changed)]]
        turn <- 1 + floor(3 * numbers[length(known) + seq_len(changed)])
        list(at = at, text = rawToChar(replace(letters, at, charToRaw("ACGT")[(code[at] + turn) %% 4 + 1])))
    })
    list(sequences = Biostrings::DNAStringSet(vapply(copies, `[[`, "", "text")), at = lapply(copies, `[[`, "at"))
}

# What the model's answer loses by point mutations, and the sum of the scores of the bases that were lost.
mutation_table <- function(model, examined, arguments, share, copies, seed, threads, tick) {
    tables <- lapply(seq_along(examined$sequences), function(k) {
        mutated <- mutated_copies(examined$sequences[[k]], share, copies, seed, 2, k)
        values <- explained_values(model, c(examined$sequences[k], mutated$sequences), arguments, threads)
        tick()
        predicted <- vapply(mutated$at, function(at) sum(examined$scores[[k]][at], na.rm = TRUE), 0)
        data.frame(window = k, lost = values[1] - values[-1], predicted)
    })
    do.call(rbind, tables)
}

# Infidelity: the share of the square of what is lost that the best multiple of the predictions leaves.
mutation_rows <- function(table) {
    infidelity <- function(table) 1 - sum(table$lost * table$predicted)^2 / sum(table$lost^2) / sum(table$predicted^2)
    correlations <- vapply(split(table, table$window), function(own) suppressWarnings(stats::cor(own$lost, own$predicted)), 0)
    windows <- unique(table$window)
    limits <- jackknife(infidelity(table), vapply(windows, function(window) infidelity(table[table$window != window, ]), 0))
    correlation <- over_sequences(correlations)
    rbind(measure_row("infidelity", "point mutations", "window", infidelity(table), limits[1], limits[2]),
          measure_row("correlation with loss", "point mutations", "window", correlation$value, correlation$lower, correlation$upper))
}

# How much a few mutations change the scores of the other bases, relative to what they were: the largest of some copies, by window.
sensitivities <- function(model, examined, arguments, share, copies, seed, threads, tick) {
    vapply(seq_along(examined$sequences), function(k) {
        mutated <- mutated_copies(examined$sequences[[k]], share, copies, seed, 3, k)
        maps <- maps_of(model, c(examined$sequences[k], mutated$sequences), arguments, threads)
        tick()
        max(mapply(function(map, at) sqrt(sum((map - maps[[1]])[-at]^2) / sum(maps[[1]][-at]^2)), maps[-1], mutated$at))
    }, 0)
}
