# R/randomise.R: a network that has forgotten what some of its layers learned.

#' Take away what layers have learned
#'
#' Gives layers new random weights and leaves the others as they are. A map of scores that stays the same does not depend on
#' what these layers learned; [trust()] does this layer by layer, from the top.
#'
#' Arrays of two or more axes (kernels) become normal numbers of mean 0 and of the size that the weights had (root mean
#' square); biases, scales and running statistics are put in random order, so that variances stay positive. Each array has a
#' random stream of its own: a layer gets the same weights whatever others are drawn with it.
#' @param model A [Model-class].
#' @param layers Names of layers with weights, as in [model_layers()]; or a whole number: so many of them from the top, 0 for none. `NULL`: all.
#' @param seed A whole number: the new weights depend on it alone.
#' @return A [Model-class] with weights of its own; `model` stays as it is.
#' @section Errors: `nucleograd_error_argument`: no such layer, or one without weights.
#' @source Adebayo and others (2018), Sanity checks for saliency maps, \url{https://arxiv.org/abs/1810.03292}.
#' @examples
#' model <- example_model()
#' piece <- Biostrings::subseq(example_genome(), 853001, 854000)
#' predict(model, piece)
#' predict(randomise_model(model, layers = 1), piece)
#' @export
randomise_model <- function(model, layers = NULL, seed = 1) {
    check_model(model)
    seed <- check_number(seed, min = 0, max = .Machine$integer.max)
    layers <- layers_to_draw(model, layers)
    nodes <- model@settings$nodes
    weights <- lapply(seq_len(max(0, unlist(lapply(nodes, `[[`, "weights")))), function(slot) .Call(C_weight, model@pointer, slot))
    for (node in nodes) if (node$name %in% layers) weights[node$weights] <- lapply(node$weights, redrawn_weight, weights, seed)
    drawn <- model
    drawn@pointer <- .Call(C_model, nodes, weights, model@settings$input_nodes, model@settings$output_nodes, environment())
    drawn@settings$filters <- first_filters(list(nodes = nodes, weights = weights, inputs = model@settings$input_nodes))
    if (length(layers)) drawn@name <- paste0(model@name, ", ", length(layers), " of its layers re-drawn")
    drawn
}

# Names of layers with weights, from the input to the output.
weighted_layers <- function(model) {
    has <- vapply(model@settings$nodes, function(node) length(node$weights) > 0, NA)
    intersect(vapply(model@settings$nodes[has], `[[`, "", "name"), model@layers$layer)
}

layers_to_draw <- function(model, layers, call = parent.frame()) {
    known <- weighted_layers(model)
    if (is.null(layers)) return(known)
    if (is.numeric(layers)) return(utils::tail(known, check_number(layers, 0, length(known), "layers", call)))
    if (!is.character(layers) || !length(layers) || !all(layers %in% known))
        stop_input(c("{.arg layers} must be names of layers with weights, or how many of them from the top.",
                     x = "{.val {if (is.character(layers)) setdiff(layers, known) else friendly(layers)}} {?is/are} none.",
                     i = "{.arg model} has {.val {known}}."), call = call)
    layers
}

redrawn_weight <- function(slot, weights, seed) {
    weight <- weights[[slot]]
    uniform <- (.Call(C_random, seed, slot, length(weight), 2^52) + 0.5) / 2^52
    weight[] <- if (length(attr(weight, "dims")) > 1) stats::qnorm(uniform) * sqrt(mean(weight^2)) else weight[order(uniform)]
    weight
}
