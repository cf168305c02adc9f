# R/keras-masks.R: which layers hand a mask on, by the rules of Keras 2 and Keras 3. A mask is a node of its own (see masking.c), of the
# tensor that a node computes.

mask_of <- function(graph, node) graph$masks[[as.character(node)]]
set_mask <- function(graph, nodes, mask) for (node in as.character(nodes)) graph$masks[[node]] <- mask

merge_layers <- c("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
masks_pass <- c("Activation", "ReLU", "LeakyReLU", "ThresholdedReLU", "ELU", "PReLU", "BatchNormalization", "LayerNormalization", "Dense",
                "MultiHeadAttention")

pass_masks <- function(graph, layer, inputs, output, distributed) {
    if (identical(as.integer(output), as.integer(inputs))) return()              # nothing was computed
    masks <- lapply(inputs, mask_of, graph = graph)
    if (layer$class == "Masking")
        return(set_mask(graph, output, add_node(graph, "Mask", layer$path, inputs, layer$settings, distributed = distributed)))
    known <- Filter(Negate(is.null), masks)
    if (length(known) == 0) return()
    if (layer$class == "Softmax" || (graph$keras3 && layer$class %in% c("Multiply", "Maximum", "Minimum")))      # Keras computes otherwise then
        stop_unsupported(graph$source, layer$path, layer$class, "reads a mask")
    add <- function(class, masks, config = list()) {
        masks <- unlist(masks)
        if (length(masks) > 1) add_node(graph, class, layer$path, masks, config, distributed = distributed) else masks
    }
    one <- function(masks) add(if (graph$keras3) "Maximum" else "Minimum", masks)       # Keras 3: counts for one; Keras 2: for all
    if (layer$class %in% masks_pass) set_mask(graph, output, masks[[1]])
    else if (layer$class %in% merge_layers && !(graph$keras3 && length(known) < length(masks))) set_mask(graph, output, one(known))
    else if (layer$class == "Concatenate" && layer$settings$axis == 1) {
        masks <- Map(function(mask, x) if (is.null(mask)) all_count(graph, layer, x, distributed) else mask, masks, inputs)
        set_mask(graph, output, add("Concatenate", masks, layer$settings))
    } else if (layer$class == "Concatenate" && !(graph$keras3 && length(known) < length(masks))) set_mask(graph, output, one(known))
}

# A mask under which every row of x counts: no number equals NaN.
all_count <- function(graph, layer, x, distributed) {
    add_node(graph, "Mask", layer$path, x, list(mask_value = NaN), distributed = distributed)
}

# Attention takes the masks of the query's rows, and of the rows of values and keys together.
attention_masks <- function(graph, layer, x) {
    masks <- lapply(x, mask_of, graph = graph)
    if (all(vapply(masks, is.null, NA))) return(integer())
    rows <- if (is.null(masks[[1]])) all_count(graph, layer, x[1], FALSE) else masks[[1]]
    others <- unique(unlist(masks[2:3]))
    columns <- if (length(others) == 0) all_count(graph, layer, x[2], FALSE)
               else if (length(others) == 1) others else add_node(graph, "Minimum", layer$path, others)
    c(rows, columns)
}
