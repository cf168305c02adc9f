# R/threads.R: how a verb runs: threads, memory, progress. The only file that decides them.

#' Threads and memory
#'
#' How many threads the verbs of this package use, and how much memory they may take.
#'
#' The first of these that is there counts: the verb's own argument `threads`; the option `nucleograd.threads`; the
#' environment variable `OMP_NUM_THREADS`; under Slurm `SLURM_CPUS_PER_TASK`; 2. It is never more than the machine's processors, the
#' limit in `OMP_THREAD_LIMIT` or `SLURM_CPUS_PER_TASK`; and 1 in a forked process.
#' The results do not depend on it: every number of threads gives the same bits.
#'
#' The argument `memory_bytes` of a verb, or else the option `nucleograd.memory_bytes` (default 1e9), bounds what one call of the C core
#' takes besides its result. Less memory means smaller steps, not another result; only where overlapping windows no longer share layers
#' is it rounded otherwise. Where it cannot suffice, an error before work starts says how much would. [plan()] tells what a run will take.
#' What has been made from the weights of the model that was used last, transforms of its convolutions, stays for the next call, which
#' counts it as its own; it can take several times the memory of the weights.
#' @param threads A whole number of at least 1, or `NULL` for the rule above.
#' @return The number of threads a verb called with this argument would use.
#' @examples
#' thread_count()
#' thread_count(1)
#' @export
thread_count <- function(threads = NULL) count_threads(threads, environment())

count_threads <- function(threads, call) {
    given <- slurm_processors()
    set <- getOption("nucleograd.threads")
    wanted <- if (!is.null(threads)) check_number(threads, min = 1, max = 1024, call = call)
              else if (!is.null(set)) check_number(set, min = 1, max = 1024, name = "option nucleograd.threads", call = call)
              else positive_number(Sys.getenv("OMP_NUM_THREADS"))
    if (is.null(wanted)) wanted <- if (is.null(given)) 2 else given
    as.integer(min(wanted, .Call(C_threads), given))
}

positive_number <- function(word) {
    number <- suppressWarnings(as.numeric(word))
    if (length(number) == 1L && is.finite(number) && number >= 1) floor(number)
}

slurm_processors <- function() positive_number(Sys.getenv("SLURM_CPUS_PER_TASK"))

# For processes; threads of one may be bounded further.
machine_processors <- function() min(parallel::detectCores(), slurm_processors(), na.rm = TRUE)

# What the bridge needs to run: list(threads, memory_bytes, progress, tile_bytes, round_bytes, plain). The last three are 0, 0
# and FALSE, the core's own choices, unless a test sets the options nucleograd.tile_bytes, .round_bytes and .plain. The bar
# belongs to the verb's frame and closes with it.
run_settings <- function(threads, progress = NULL, frame = parent.frame(), memory_bytes = NULL) {
    threads <- count_threads(threads, frame)
    name <- if (is.null(memory_bytes)) "{.code option nucleograd.memory_bytes}" else "{.arg memory_bytes}"
    if (is.null(memory_bytes)) memory_bytes <- getOption("nucleograd.memory_bytes", 1e9)
    if (!is.numeric(memory_bytes) || length(memory_bytes) != 1L || is.na(memory_bytes) || memory_bytes < 1)
        stop_input(paste(name, "must be one positive number of bytes, not {friendly(memory_bytes)}."), call = frame)
    memory_bytes <- min(memory_bytes, 2^62)                           # Inf: as much as C can count
    update <- function(done) NULL
    if (!is.null(progress)) {
        bar <- cli::cli_progress_bar(progress, total = 1, auto_terminate = FALSE, .envir = frame,
                                     format = "{cli::pb_name} {cli::pb_bar} {cli::pb_percent} | {cli::pb_eta_str}")
        update <- function(done) suspendInterrupts(cli::cli_progress_update(set = done, id = bar, .envir = frame))
    }
    list(threads, as.numeric(memory_bytes), update, as.numeric(getOption("nucleograd.tile_bytes", 0)),
         as.numeric(getOption("nucleograd.round_bytes", 0)), isTRUE(getOption("nucleograd.plain")))
}

# The run of one of several calls that share a bar: the call covers windows `here` of `all`.
part_of_run <- function(run, here, all) {
    update <- run[[3]]
    run[[3]] <- function(done) update((here[1] - 1 + done * length(here)) / all)
    run
}

# R sees Ctrl-C when it evaluates many calls, not between a few that take long: those are set apart by this one.
check_interrupt <- function() .Call(C_check_interrupt)

# The matrix kernel in use, or the one to use from now on ("" for the machine's best); for tests and benchmarks.
matrix_kernel <- function(name = NULL) .Call(C_kernel, name)
