# R/trained-model.R: what fit_model() returns, and how it looks.

#' A trained network
#'
#' What [fit_model()] returns: a [Model-class] with trained weights, ready for [predict.Model()], [attribution()] and [write_model()],
#' and how it got them.
#' @slot history A data.frame, one row an epoch: `epoch`, `learning_rate` (of its last step), `loss` (mean over the epoch's samples, while the
#'   weights changed), `accuracy` (0 to 1; `mae`, the mean absolute error, for `loss = "mse"`), and the same of the validation samples
#'   after the epoch, `val_loss`, `val_accuracy` or `val_mae`.
#' @slot training A list: the settings of the training; `classes`, the names of the classes in the order of the outputs; `epoch`, the
#'   epoch whose weights these are.
#' @param x,object A `Fit`.
#' @param y,row.names,optional,... Ignored; there because the generic has them.
#' @return `as.data.frame()`: the history. `plot()`: a `ggplot` of loss and accuracy by epoch.
#' @exportClass Fit
setClass("Fit", contains = "Model", slots = c(history = "data.frame", training = "list"))

#' @rdname Fit-class
#' @export
setMethod("show", "Fit", function(object) {
    with(object@training, cat("Trained for ", nrow(object@history), " epochs of ", format(samples, big.mark = ","),
                              " samples, batches of ", batch_size, ", ",
        loss, " by ", optimizer$name, ", seed ", format(seed, scientific = FALSE), "\n", sep = ""))
    last <- object@history[object@history$epoch == object@training$epoch, -(1:2)]
    cat("  epoch ", object@training$epoch, ": ", paste(names(last), format(unlist(last), digits = 4), collapse = ", "), "\n", sep = "")
    if (length(object@training$classes)) cat("  classes: ", paste(object@training$classes, collapse = ", "), "\n", sep = "")
    methods::callNextMethod()
})

#' @rdname Fit-class
#' @export
setMethod("as.data.frame", "Fit", function(x, row.names = NULL, optional = FALSE, ...) x@history)

#' @rdname Fit-class
#' @export
setMethod("plot", signature("Fit", "missing"), function(x, y, ...) {
    need_package("ggplot2")
    shown <- setdiff(names(x@history), c("epoch", "learning_rate"))
    long <- do.call(rbind, lapply(shown, function(name) {
        data.frame(epoch = x@history$epoch, value = x@history[[name]], measure = sub("^val_", "", name),
                   samples = if (startsWith(name, "val_")) "validation" else "training")
    }))
    long$measure <- factor(long$measure, unique(long$measure))
    ggplot2::ggplot(long, ggplot2::aes(.data$epoch, .data$value, colour = .data$samples)) +
        ggplot2::geom_vline(xintercept = x@training$epoch, linetype = "dotted", colour = "grey50") + ggplot2::geom_line() +
        ggplot2::geom_point() + ggplot2::facet_wrap(~ measure, scales = "free_y", ncol = 1) +
        ggplot2::labs(x = "Epoch", y = NULL, colour = NULL)
})
