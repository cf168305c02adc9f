# R/keras-tree.R: the newer kind of weights files (*.weights.h5, and inside .keras): a tree of objects, in which a layer is found by
# its class and by how many of this class come before it, or by its name where Keras 3 wrote one.

# The object at `address` and those inside: list(name, vars = arrays, inner = objects). Each place in the file is visited once at
# most; what training or chance need is not read.
read_tree <- function(h5, address) {
    key <- format(address, digits = 20)
    if (!is.null(h5$visited[[key]])) stop_hdf5(h5)
    h5$visited[[key]] <- TRUE
    links <- list_group(h5, address)
    object <- list(name = NULL, vars = list(), inner = list())
    for (k in which(!names(links) %in% c("optimizer", "seed_generator", "metrics"))) {
        name <- names(links)[k]
        if (is.na(links[k])) stop_hdf5(h5, "{.val {name}} is a link to another place; only plain objects are read.")
        if (!nzchar(name)) stop_hdf5(h5)
        if (name != "vars") {
            object$inner[[name]] <- read_tree(h5, links[[k]])
            next
        }
        vars <- list_group(h5, links[[k]])
        if (anyNA(vars) || !all(grepl("^[0-9]{1,6}$", names(vars)))) stop_hdf5(h5)
        vars <- vars[order(as.numeric(names(vars)))]
        object$vars <- unname(Map(read_numbers, address = vars, name = names(vars), MoreArgs = list(h5 = h5)))
        object$name <- read_text_attribute(h5, links[[k]], "name")
    }
    object
}

# "MaxPooling1D" -> "max_pooling1d", "LeakyReLU" -> "leaky_re_lu": the word of Keras for a class.
snake_case <- function(class) {
    class <- gsub("(.)([A-Z][a-z0-9]+)", "\\1_\\2", gsub("\\W+", "", class))
    tolower(gsub("([a-z])([A-Z])", "\\1_\\2", class))
}

# Where the arrays of a layer lie that keeps them in objects of its own: paths below the layer, in the order of layer_weights.
layer_objects <- list(LSTM = "cell", GRU = "cell",
                      MultiHeadAttention = c("query_dense", "key_dense", "value_dense", "output_dense"))

# Puts the arrays of `object` in the slots of `layer`. A layer that two models share is stored where Keras came by first; `loaded`,
# an environment, knows it by its name from there.
load_tree <- function(graph, layer, object, loaded = new.env(parent = emptyenv())) {
    if (!is.null(layer$layers)) {
        objects <- find_objects(layer, object, loaded)
        Map(function(inner, object) load_tree(graph, inner, object, loaded), layer$layers, objects)
    } else if (layer$class == "Bidirectional") {
        load_tree(graph, layer$children[[1]], object$inner$forward_layer, loaded)
        load_tree(graph, layer$children[[2]], object$inner$backward_layer, loaded)
    } else if (layer$class == "TimeDistributed") {
        load_tree(graph, layer$children[[1]], object$inner$layer, loaded)
    } else if (length(layer$slots)) {
        values <- object_values(layer, object)
        if (length(values) == 0) values <- loaded[[layer$name]]
        expect_weights(graph, layer, layer$slots, values)
        graph$weights[layer$slots] <- values
        loaded[[layer$name]] <- values
    }
    invisible()
}

object_values <- function(layer, object) {
    parts <- layer_objects[[layer$class]]
    inner <- lapply(parts, function(part) {
        found <- object$inner[[part]]
        if (is.null(found)) object$inner[[paste0("_", part)]]$vars else found$vars
    })
    c(object$vars, unlist(inner, recursive = FALSE))
}

# The objects of a model's layers, in their order; NULL where there is none.
find_objects <- function(model, object, loaded) {
    stored <- object$inner$layers
    if (is.null(stored)) stored <- object$inner[["_layer_checkpoint_dependencies"]]
    stored <- stored$inner
    names <- vapply(model$layers, `[[`, "", "name")
    written <- vapply(stored, function(one) c(one$name, NA_character_)[1], "")
    if (!anyNA(written)) return(unname(stored[match(names, written)]))
    words <- vapply(model$layers, function(layer) snake_case(layer$class), "")
    places <- integer(length(words))
    for (word in unique(words)) {
        own <- which(words == word)
        numbered <- paste0(word, c("", paste0("_", seq_along(own)[-length(own)]))[seq_along(own)])
        there <- match(numbered, names(stored))
        shared <- vapply(names[own], function(name) !is.null(loaded[[name]]), NA)
        if (sum(!is.na(there)) < length(own) && any(shared)) {                   # Keras 2 does not count them again
            there[!shared] <- there[seq_len(sum(!shared))]
            there[shared] <- NA
        }
        places[own] <- there
    }
    unname(stored[places])
}
