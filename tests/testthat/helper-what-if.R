# What a change of bases does, by evaluating every changed window in plain R.

what_if_networks <- list(
    flat = toy_network(c(40, 4), conv(random_array(c(5, 4, 16), 201) / 2, random_array(16, 202)), activation("relu"), max_pool(2),
                       conv(random_array(c(4, 16, 6), 203) / 4), activation("tanh"), flatten(), dense(random_array(c(120, 5), 204) / 4),
                       activation("relu"), dense(random_array(c(5, 3), 205)), activation("softmax")),
    pooled = toy_network(c(NA, 4), conv(random_array(c(6, 4, 5), 206) / 2), activation("relu"), max_pool(3), conv(random_array(c(3, 5, 4), 207)),
                         toy_layer("GlobalAveragePooling1D", data_format = "channels_last", keepdims = FALSE), dense(random_array(c(4, 1), 208)),
                         activation("sigmoid")))

# The windows of a contig, as rows of numbers, with the row `fill` in the place of each known base of a region; NULL: as they are.
windows_of_contig <- function(contig, starts, window, region = NULL, fill = NULL) {
    rows <- one_hot(contig)
    length_bp <- nrow(rows)
    at <- if (!is.null(region)) (region - 1) %% length_bp + 1
    at <- at[rowSums(rows[at, , drop = FALSE]) > 0]
    if (length(at)) rows[at, ] <- rep(fill, each = length(at))
    lapply(starts, function(start) rows[(start - 2 + seq_len(window)) %% length_bp + 1, , drop = FALSE])
}

brute_effects <- function(network, genome, regions, starts, window, fill = rep(0.25, 4), ...) {
    contig <- genome[[1]]
    length_bp <- length(contig)
    value <- function(windows) vapply(windows, function(x) naive_value(network, list(x), ...), 0)
    before <- value(windows_of_contig(contig, starts, window))
    vapply(seq_along(regions), function(k) {
        region <- BiocGenerics::start(regions)[k]:BiocGenerics::end(regions)[k]
        here <- vapply(starts, function(start) any((region - 1) %% length_bp %in% ((start - 2 + seq_len(window)) %% length_bp)), NA)
        after <- value(windows_of_contig(contig, starts, window, region, fill))
        if (any(here)) mean(before[here] - after[here]) else NA_real_
    }, 0)
}

# Values are of the order of 1, sums of some hundred float32 terms.
expect_near <- function(found, expected) expect_lte(max(abs(found - expected)), 1e-6 * max(1, abs(expected)))

regions_on <- function(start, end) GenomicRanges::GRanges("contig_1", IRanges::IRanges(start, end))
