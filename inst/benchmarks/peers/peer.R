# inst/benchmarks/peers/peer.R: a Python process that stays: it answers one line to one line. Needs `here`, the folder of benchmarks.
Sys.unsetenv("LD_LIBRARY_PATH")                                   # R's own libraries are not Python's

# The peers' Python, or NULL and a line that says why not.
peer_python <- function() {
    why <- suppressWarnings(system2(file.path(here, "peers", "setup"), stdout = TRUE, stderr = TRUE))
    if (is.null(attr(why, "status"))) return(file.path(here, "..", "..", "build", "peers", "bin", "python"))
    cat("# without peers: ", why, "\n", sep = "")
    NULL
}

start_peer <- function(python, script, ...) {
    answers <- tempfile("answers")
    stopifnot(system2("mkfifo", answers) == 0)
    words <- c(python, file.path(here, "peers", script), ...)
    asked <- pipe(paste("TF_CPP_MIN_LOG_LEVEL=2", paste(shQuote(words), collapse = " "), ">", shQuote(answers)), "w")
    list(asked = asked, answers = fifo(answers, "r", blocking = TRUE))
}

# Numbers of the answer; the first is seconds.
ask_peer <- function(peer, question) {
    writeLines(question, peer$asked)
    flush(peer$asked)
    answer <- readLines(peer$answers, 1)
    if (!length(answer)) stop("the peer ended; its message is above")
    scan(text = answer, quiet = TRUE)
}

stop_peer <- function(peer) {
    close(peer$asked)
    close(peer$answers)
}
