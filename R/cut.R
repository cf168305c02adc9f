# R/cut.R: the layers of a network, and the part of it up to one of them.

#' Look inside a network
#'
#' `model_layers()` lists the layers of a network; `cut_model()` makes one of them the output, so that [predict()][predict.Model]
#' gives what this layer computes and [attribution()] explains one of its units.
#' @param model A [Model-class].
#' @param layer The name of a layer, as in the column `layer`; "model/layer" is a layer inside a model.
#' @return `model_layers()`: a data.frame with a row for each layer that the outputs need: see [Model-class]. `cut_model()`: a
#'   [Model-class] over the same weights, which are not copied. A layer with an activation ends after it: `output = "logit"` in
#'   [attribution()] explains what comes before a final sigmoid or softmax. Of a layer that is called several times it is the last
#'   call. `target` counts the units of the layer: row by row, if it has rows.
#' @section Errors: `nucleograd_error_argument`: no such layer.
#' @examples
#' model <- example_model()
#' model_layers(model)
#' inner <- cut_model(model, "dense")
#' inner
#' @export
model_layers <- function(model) {
    check_model(model)
    layers <- model@layers[!is.na(model@settings$layer_nodes), ]
    rownames(layers) <- NULL
    layers
}

#' @rdname model_layers
#' @export
cut_model <- function(model, layer) {
    check_model(model)
    nodes <- stats::setNames(model@settings$layer_nodes, model@layers$layer)
    layer <- check_choice(layer, names(nodes)[!is.na(nodes)])
    settings <- model@settings
    settings$output_nodes <- nodes[[layer]]
    settings$cut <- layer
    needed <- settings$input_nodes
    waiting <- nodes[[layer]]
    while (length(waiting)) {
        needed <- c(needed, waiting)
        waiting <- setdiff(unlist(settings$from[waiting]), needed)
    }
    rows <- nodes %in% needed
    settings$layer_nodes <- settings$layer_nodes[rows]
    cut <- model
    cut@settings <- settings
    cut@layers <- model@layers[rows, ]
    rownames(cut@layers) <- NULL
    cut@outputs <- stats::setNames(list(probe_shapes(model, environment())$axes[[nodes[[layer]]]]), layer)
    cut
}

# The same for what is written: the description and the layers up to one of the outermost layers.
cut_network <- function(entry, layers, name, call) {
    names <- vapply(layers, `[[`, "", "name")
    if (!name %in% names)
        stop_input(c("A network that was cut inside a model cannot be written.", x = "{.val {name}} is not one of its outermost layers."),
                   class = "unsupported", call = call)
    config <- entry$config
    if (plain_class(entry$class_name) == "Sequential") {
        kept <- seq_len(match(name, names))
    } else {
        tensors <- lapply(config$layers, function(layer) vapply(find_tensors(layer$inbound_nodes), `[[`, "", "layer"))
        kept <- match(vapply(find_tensors(config$input_layers), `[[`, "", "layer"), names)
        waiting <- match(name, names)
        while (length(waiting)) {
            kept <- c(kept, waiting)
            waiting <- setdiff(match(unlist(tensors[waiting]), names), kept)
        }
        kept <- sort(unique(kept))
        at <- match(name, names)
        calls <- length(config$layers[[at]]$inbound_nodes)
        last <- max(0, calls - 1) + c(layers[[at]]$first_call, 0)[1]
        config$output_layers <- list(list(name, last, 0))
    }
    config$layers <- config$layers[kept]
    entry$config <- config
    list(description = entry, layers = layers[kept])
}
