# R/motif-network-core.R: the calls of the core behind motif_network(); shapes are at the top of src/bridge/motif_network.c.

# What the core needs to know of a network.
core_shape <- function(s) {
    list(length = s$length, filters = s$filters, width = s$width, positions = s$positions, dim = s$dim, heads = s$heads, hidden = s$hidden,
         stream = s$stream, layers = s$layers, score = c(value = 0, identity = 1, linear = 2)[[if (s$score == "value") "value" else s$key]],
         tied = s$tie_strands, frozen = !s$train_filters, mask_silent = s$mask_silent, regression = s$task == "regression",
         float64 = s$precision == "float64")
}

core_start <- function(settings, key) .Call(C_motif_start, core_shape(settings), key)

core_train <- function(settings, state, data, weights, epoch, key, run, frame)
    .Call(C_motif_train, core_shape(settings), state, data, weights, as.numeric(epoch), key, run, frame)

# inside: any of activations, attention, stream.
core_inside <- function(settings, state, codes, inside, run, frame)
    .Call(C_motif_predict, core_shape(settings), state, codes, c("activations", "attention", "stream") %in% inside, run, frame)

core_peaks <- function(settings, state, codes, cut, run, frame)
    .Call(C_motif_peaks, core_shape(settings), state, codes, cut, run, frame)

core_collect <- function(settings, state, codes, run, frame)
    .Call(C_motif_collect, core_shape(settings), state, codes, run, frame)

# Parameters in one vector as a named list of tensors, dense matrices (outputs, inputs); and where they lie.
named_tensors <- function(settings, parameters) {
    at <- .Call(C_motif_places, core_shape(settings))
    s <- settings
    free <- s$filters / (1 + s$tie_strands)
    inputs <- s$filters + s$positions
    take <- function(from, ...) {
        axes <- c(...)
        values <- parameters[from + seq_len(prod(axes))]
        if (length(axes) == 1) values else aperm(array(values, rev(axes)))          # stored by rows
    }
    layer <- function(n) {
        base <- at$layer + (n - 1) * at$layer_size
        own <- function(name, ...) take(base + at[[name]], ...)
        tensors <- list(query = own("query", s$dim, s$stream), query_bias = own("query_bias", s$dim), key = own("key", s$dim, s$dim),
                        value = own("value", s$dim, s$dim), value_bias = own("value_bias", s$dim), output = own("output", s$dim, s$dim),
                        output_bias = own("output_bias", s$dim), read_gain = own("read_gain", s$dim), read_offset = own("read_offset", s$dim),
                        hidden = own("hidden", s$hidden, s$dim), hidden_bias = own("hidden_bias", s$hidden),
                        written = own("written", s$stream, s$hidden), written_bias = own("written_bias", s$stream),
                        write_gain = own("write_gain", s$stream), write_offset = own("write_offset", s$stream))
        if (!(s$score == "key" && s$key == "linear")) tensors$key <- NULL
        tensors
    }
    c(list(filter = take(at$filter, free, s$width, 4), bias = take(at$bias, free), gain = take(at$gain, free), offset = take(at$offset, free),
           token = take(at$token, s$dim, inputs), token_bias = take(at$token_bias, s$dim)),
      stats::setNames(lapply(seq_len(s$layers), layer), paste0("layer_", seq_len(s$layers))),
      list(final_gain = take(at$final_gain, s$stream), final_offset = take(at$final_gain + s$stream, s$stream),
           weight = take(at$final_gain + 2 * s$stream, s$stream), intercept = take(at$final_gain + 3 * s$stream, 1)))
}

# Filters (F, W, 4) and their biases, the tied ones written out.
all_filters <- function(settings, tensors) {
    filter <- tensors$filter
    if (!settings$tie_strands) return(list(filter = filter, bias = tensors$bias))
    turned <- filter[, settings$width:1, 4:1, drop = FALSE]
    both <- array(0, dim(filter) * c(2, 1, 1))
    both[seq_len(dim(filter)[1]), , ] <- filter
    both[-seq_len(dim(filter)[1]), , ] <- turned
    list(filter = both, bias = rep(tensors$bias, 2))
}
