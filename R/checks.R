# R/checks.R: checks of what people typed. Each stops with what must hold, what was given and what is allowed, in the name of the verb.

stop_input <- function(message, class = "argument", call = parent.frame(), .envir = parent.frame()) {
    cli::cli_abort(message, class = c(paste0("nucleograd_error_", class), "nucleograd_error"), call = call, .envir = .envir)
}

friendly <- function(x) {
    if (is.numeric(x) && length(x) == 1L) format(x)
    else if (is.character(x) && length(x) == 1L) dQuote(x, FALSE)
    else cli::format_inline("{.obj_type_friendly {x}}{if (length(dim(x))) ' with dimensions '}{dim(x)}")
}

check_number <- function(x, min, max, name = deparse1(substitute(x)), call = parent.frame()) {
    if (is.numeric(x) && length(x) == 1L && !is.na(x) && x == round(x) && x >= min && x <= max)
        return(as.numeric(x))
    given <- friendly(x)
    limits <- format(c(min, max), big.mark = ",", scientific = FALSE, trim = TRUE)
    stop_input("{.arg {name}} must be one whole number from {limits[1]} to {limits[2]}, not {given}.", call = call)
}

check_is <- function(x, class, from, name = deparse1(substitute(x)), call = parent.frame()) {
    if (is(x, class)) return(invisible(x))
    stop_input(c("{.arg {name}} must be a {.cls {class}}, not {.obj_type_friendly {x}}.", i = "Make one with {.fun {from}}."), call = call)
}

check_choice <- function(x, choices, name = deparse1(substitute(x)), call = parent.frame()) {
    if (identical(x, choices)) return(choices[1])                    # the default of match.arg() style signatures
    if (is.character(x) && length(x) == 1L && x %in% choices) return(x)
    given <- friendly(x)
    stop_input("{.arg {name}} must be one of {.val {choices}}, not {given}.", call = call)
}

check_flag <- function(x, name = deparse1(substitute(x)), call = parent.frame()) {
    if (is.logical(x) && length(x) == 1L && !is.na(x)) return(x)
    given <- friendly(x)
    stop_input("{.arg {name}} must be TRUE or FALSE, not {given}.", call = call)
}

check_file <- function(x, name = deparse1(substitute(x)), call = parent.frame()) {
    if (!is.character(x) || length(x) != 1L || is.na(x)) {
        given <- friendly(x)
        stop_input("{.arg {name}} must be the path of one file, not {given}.", call = call)
    }
    if (!file.exists(x) || dir.exists(x) || file.access(x, 4) != 0)
        stop_input(c("{.arg {name}} must be a file that can be read.",
                     x = "{.file {x}} {if (!file.exists(x)) 'does not exist' else if (dir.exists(x)) 'is a folder' else 'cannot be read'}."),
                   class = "file", call = call)
    path.expand(x)
}

# The one place where an error of the core becomes an error of R; called by bridge_raise().
stop_core <- function(status, layer, message, frame) {
    stop_input(c("{message}.", x = if (nzchar(layer)) "It happened in layer {.val {layer}}.",
                 i = if (status == "memory") "The option {.code nucleograd.memory_bytes} sets the limit."), class = status, call = frame)
}
