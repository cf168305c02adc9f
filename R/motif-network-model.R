# R/motif-network-model.R: a motif network as a network of plain layers.

#' A motif network as a model
#'
#' Puts a trained [motif network][motif_network] into plain layers: the [Model-class] gives the same predictions, and [attribution()],
#' [knockout()], [mutagenesis()], [plan()] and [write_model()] take it as any other.
#' @param fit A [motif_network-class].
#' @param name Name of the model.
#' @return A [Model-class] that reads `fit`'s length and answers with the probability, or the response of a regression.
#' @section Errors: `nucleograd_error_argument`.
#' @examples
#' sim <- simulate_motifs("TTCAGCAC", n = 200, length = 100, jitter = 20, strand = "both", seed = 1)
#' fit <- motif_network(sim, filters = 4, positions = 8, dim = 16, heads = 2, hidden = 16,
#'                      stream = 32, batches = 20, batch = 64,
#'                      schedule = motif_schedule(5, 5, 2), restarts = 1, seed = 1)
#' attribution(as_model(fit), sim$x[1:2], nodes = 20)
#' @export
as_model <- function(fit, name = "motif_network") {
    check_is_s3(fit, "motif_network", "motif_network")
    check_text(name)
    frame <- environment()
    s <- fit$settings
    w <- fit$weights
    filters <- all_filters(s, w)
    untied <- function(values) rep(values, length.out = s$filters)
    tokens <- s$length - s$width + 1
    numbers <- function(values, ...) structure(as.vector(values), dims = as.integer(c(...)))    # a dense matrix (out, in) by columns is (in, out) by rows
    b <- new_blueprint(0)
    dense <- function(x, kernel, bias = NULL, activation = "linear") {
        units <- length(kernel) / utils::tail(x$shape, 1)
        add_layer(b, "Dense", list(x), c(x$shape[-length(x$shape)], units), list(units = units, activation = activation, use_bias = !is.null(bias)),
                  c(list(numbers(kernel, utils::tail(x$shape, 1), units)), if (!is.null(bias)) list(numbers(bias, units))))
    }
    normal <- function(x, gain, offset) add_layer(b, "LayerNormalization", list(x), x$shape, list(epsilon = 1e-5),
                                                  list(numbers(gain, length(gain)), numbers(offset, length(offset))))
    reshape <- function(x, ...) add_layer(b, "Reshape", list(x), c(...), list(target_shape = as.list(c(...))))
    input <- input_layer(b, c(s$length, 4), "input_1")
    x <- add_layer(b, "Conv1D", list(input), c(tokens, s$filters),
                   list(filters = s$filters, kernel_size = s$width, padding = "valid", activation = "relu"),
                   list(numbers(aperm(filters$filter, c(1, 3, 2)), s$width, 4, s$filters), numbers(filters$bias, s$filters)))
    x <- add_layer(b, "BatchNormalization", list(x), x$shape, list(epsilon = 1e-5), lapply(
        list(w$gain, w$offset, fit$running$mean, fit$running$variance), function(values) numbers(untied(values), s$filters)))
    x <- dense(x, w$token[, seq_len(s$filters)])
    turn <- outer(seq_len(s$positions) - 1, seq_len(tokens) - 1, function(i, t) t / 10000^(2 * (i %/% 2) / s$positions) + pi / 2 * (i %% 2))
    table <- w$token[, s$filters + seq_len(s$positions)] %*% sin(turn) + w$token_bias
    x <- add_layer(b, "layer_pos_embedding", list(x), x$shape, list(maxlen = tokens, vocabulary_size = s$dim, embed_dim = 0),
                   list(numbers(table, tokens, s$dim)))
    stream <- add_layer(b, "GlobalAveragePooling1D", list(x), s$dim)
    stream <- dense(stream, matrix(0, s$stream, s$dim), fit$stream)                # the same for every sequence
    size <- s$dim / s$heads
    for (layer in w[paste0("layer_", seq_len(s$layers))]) {
        key <- if (s$score == "value") list(layer$value, layer$value_bias)
               else list(if (s$key == "linear") layer$key else diag(s$dim), numeric(s$dim))
        query <- reshape(stream, 1, s$stream)
        projection <- function(kernel, bias, from) list(numbers(kernel, from, s$heads, size), numbers(bias, s$heads, size))
        read <- add_layer(b, "MultiHeadAttention", list(query), c(1, s$dim), list(num_heads = s$heads, key_dim = size, value_dim = size),
                          c(projection(layer$query, layer$query_bias, s$stream), projection(key[[1]], key[[2]], s$dim),
                            projection(layer$value, layer$value_bias, s$dim),
                            list(numbers(layer$output, s$heads, size, s$dim), numbers(layer$output_bias, s$dim))))
        last <- length(b$layers)
        b$layers[[last]]$inbound_nodes[[1]][[1]][[4]] <- list(value = list(x$name, 0, 0), key = list(x$name, 0, 0))
        o <- normal(reshape(read, s$dim), layer$read_gain, layer$read_offset)
        written <- dense(dense(o, layer$hidden, layer$hidden_bias, "relu"), layer$written, layer$written_bias)
        stream <- add_layer(b, "Add", list(stream, normal(written, layer$write_gain, layer$write_offset)), s$stream)
    }
    end <- normal(stream, w$final_gain, w$final_offset)
    y <- if (s$task == "regression") dense(end, matrix(w$weight * fit$response[2], 1), w$intercept * fit$response[2] + fit$response[1])
         else dense(end, matrix(w$weight, 1), w$intercept, "sigmoid")
    network <- finish_blueprint(b, list(input), list(y))
    parsed <- flatten_model(network$description, list(weights = network$weights, keras_version = "2.15.0", backend = "tensorflow"),
                            list(file = name, call = frame))
    parsed_model(parsed, name, frame)
}
