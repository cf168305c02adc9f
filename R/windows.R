# R/windows.R: which parts of a genome a model reads.

# Starts (1-based) of windows of `window` bp every `step` bp. On a linear contig the last one is aligned to the end; on a
# circular one windows run over the origin until every base is the turn of one.
window_starts <- function(length_bp, window, step, circular) {
    if (window > length_bp) return(numeric())
    if (window == length_bp) return(1)
    if (circular) return(seq(1, length_bp, by = step))
    last <- length_bp - window + 1
    starts <- seq(1, last, by = step)
    if (starts[length(starts)] < last) c(starts, last) else starts
}

# The windows of all contigs as GRanges. `window` NULL: the model's own length, or whole contigs if that is open.
# tokens: may it read tokens instead of channels, 0: padding, 1 to 4: A, C, G, T, 5: any other letter, as in deepG?
genome_windows <- function(model, genome, window, step, tokens = FALSE, call = parent.frame()) {
    if (length(model@inputs) != 1L)
        stop_input(c("{.arg model} has {length(model@inputs)} inputs ({.val {names(model@inputs)}}); a genome can feed a model with one.",
                     i = "Give a list of arrays, one for each input."), class = "unsupported", call = call)
    shape <- model@inputs[[1]]
    of_tokens <- model@settings$tokens[1] %in% shape[2]
    if (length(shape) != 2L || !(identical(shape[2], 4) || (tokens && of_tokens && shape[2] > 4)))
        stop_input(c("{.arg model} must read one row of 4 channels (A, C, G, T) per base{if (tokens) ', or one of 5 tokens or more,'} to run over a genome.",
                     x = "Its input is {format_shape(shape)}{if (of_tokens) ', of tokens'}."), class = "unsupported", call = call)
    if (!length(genome)) stop_input("{.arg genome} has no contigs.", class = "genome", call = call)
    if (is.null(names(genome)) || anyDuplicated(names(genome)) || !all(nzchar(names(genome))))
        stop_input("{.arg genome} must have a name for each contig, each different from the others.", class = "genome", call = call)
    info <- genome_seqinfo(genome)
    contig_bp <- as.numeric(GenomeInfoDb::seqlengths(info))
    circular <- GenomeInfoDb::isCircular(info) %in% TRUE
    fixed <- shape[1]
    if (!is.null(window)) window <- check_number(window, min = 1, max = .Machine$integer.max, name = "window", call = call)
    if (!is.na(fixed)) {
        if (!is.null(window) && window != fixed)
            stop_input("{.arg window} must be {fixed}, the length that {.arg model} reads, or NULL; not {window}.", call = call)
        window <- fixed
    }
    widths <- if (is.null(window)) contig_bp else rep(window, length(contig_bp))
    if (!is.null(step)) step <- check_number(step, min = 1, max = .Machine$integer.max, name = "step", call = call)
    short <- widths > contig_bp
    if (all(short))
        stop_input(c("A contig of {.arg genome} must hold at least one window of {window} bp.",
                     x = "The longest of its {length(genome)} contig{?s} has {max(contig_bp)} bp."), class = "contigs", call = call)
    if (any(short))
        cli::cli_warn("{sum(short)} contig{?s} shorter than the window of {window} bp {?is/are} left out: {.val {names(genome)[short]}}.",
                      class = "nucleograd_warning_short")
    starts <- Map(window_starts, contig_bp, widths, if (is.null(step)) widths else step, circular)
    window_ranges(info, starts, widths)
}

# Windows of each contig as GRanges: unchecked, since the checks take longer than a small network takes for thousands of windows.
window_ranges <- function(info, starts, widths) {
    count <- lengths(starts)
    contigs <- GenomeInfoDb::seqnames(info)
    S4Vectors::new2("GRanges", seqnames = S4Vectors::Rle(factor(contigs, contigs), count),
                    ranges = IRanges::IRanges(as.integer(unlist(starts)), width = as.integer(rep(widths, count))),
                    strand = S4Vectors::Rle(BiocGenerics::strand("*"), sum(count)), seqinfo = info,
                    elementMetadata = S4Vectors::make_zero_col_DFrame(sum(count)), check = FALSE)
}

refuse_windows <- function(window, step, call = parent.frame()) {
    if (!is.null(window) || !is.null(step))
        stop_input("{.arg window} and {.arg step} cut a genome; an array is read as it is.", call = call)
}

windows_by_contig <- function(windows) {
    contig <- as.character(GenomicRanges::seqnames(windows))
    split(seq_along(windows), factor(contig, unique(contig)))
}
