# R/motif-network-variants.R: variant_effect() of a motif network: the window around each variant, and the hits that come and go.

check_whole_window <- function(target, window, step, call = parent.frame()) {
    if (!identical(as.numeric(target), 1) || !is.null(window) || !is.null(step))
        stop_input("A motif network has one target and reads one window a variant: {.arg target}, {.arg window} and {.arg step} must stay as they are.",
                   call = call)
}

network_variants <- function(fit, genome, variants, output, run, frame) {
    length <- fit$settings$length
    ranges <- check_variants(variants, genome, frame)
    contig <- as.character(GenomicRanges::seqnames(ranges))
    left <- Biostrings::width(genome)[match(contig, names(genome))] + pmin(0, nchar(ranges$alt) - nchar(ranges$ref))
    if (any(left < length))
        stop_input(c("Contigs must have at least the {length} bases of the network's window, with each variant too.",
                     x = "{.val {contig[left < length][1]}} has {left[left < length][1]}."), call = frame)
    before <- variant_windows(ranges, genome, length, ranges$ref)
    after <- variant_windows(ranges, genome, length, ranges$alt)
    answer <- function(windows) {
        logit <- if (length(ranges)) core_inside(fit$settings, fit$state, sequence_codes(windows$x, frame)$code, character(), run,
                                                 frame)$logit else numeric()
        if (fit$settings$task == "regression") fit$response[1] + fit$response[2] * logit
        else if (output == "logit") logit else stats::plogis(logit)
    }
    found <- new_effects(ranges, list(prediction = answer(before), changed = answer(after), windows = rep(1, length(ranges))), -1,
                         list(what = "Variants", sign = "F(variant) - F(x)", model = "motif_network", target = 1, target_name = "positive",
                              output = if (fit$settings$task == "regression") "response" else output))
    cbind_hits(found, hits_of_windows(fit, before, 0, run, frame), hits_of_windows(fit, after, nchar(ranges$alt) - nchar(ranges$ref), run, frame))
}

# The window of each variant with `allele` in it, the variant in the middle; near an end of the contig the window moves inwards.
# `offset`: the base of the contig before the window, `left`: bases of the window up to the variant's end.
variant_windows <- function(ranges, genome, length, allele) {
    contig <- as.character(GenomicRanges::seqnames(ranges))
    start <- GenomicRanges::start(ranges)
    end <- GenomicRanges::end(ranges)
    size <- unname(Biostrings::width(genome)[match(contig, names(genome))])
    first <- pmax(1, start - length)
    last <- pmin(size, end + length)
    text <- vapply(seq_along(ranges), function(k) {
        around <- as.character(Biostrings::subseq(genome[[contig[k]]], first[k], last[k]))
        paste0(substr(around, 1, start[k] - first[k]), allele[k], substring(around, end[k] - first[k] + 2))
    }, "")
    skip <- pmax(0, pmin(start - first - length %/% 2, nchar(text) - length))
    list(x = substring(text, skip + 1, skip + length), offset = first - 1 + skip, end = end)
}

# Hits as a table, places on the contig: behind a variant, as if it had the length of the reference.
hits_of_windows <- function(fit, windows, longer, run, frame) {
    if (!length(windows$x)) return(NULL)
    codes <- sequence_codes(windows$x, frame)
    codes$names <- as.character(seq_along(windows$x))
    found <- suppressWarnings(network_hits(fit, codes, fit$settings$cut, run, frame), classes = "nucleograd_warning_heads")
    sequence <- as.integer(as.character(GenomicRanges::seqnames(found)))
    longer <- rep(longer, length.out = length(windows$x))[sequence]
    start <- GenomicRanges::start(found) + windows$offset[sequence]
    start <- start - ifelse(start > windows$end[sequence] + longer, longer, 0)
    data.frame(sequence, motif = found$motif, strand = as.character(GenomicRanges::strand(found)), start,
               end = start + GenomicRanges::width(found) - 1)
}

# Columns `lost` and `gained`: hits of the reference that the variant has not, and the reverse. A hit stays if one of the same motif overlaps
# half of it.
cbind_hits <- function(found, before, after) {
    missing_in <- function(these, those) {
        words <- character(length(found))
        if (!NROW(these)) return(words)
        stays <- vapply(seq_len(nrow(these)), function(k) {
            rival <- those[those$sequence == these$sequence[k] & those$motif == these$motif[k], ]
            any(pmin(rival$end, these$end[k]) - pmax(rival$start, these$start[k]) + 1 >= (these$end[k] - these$start[k] + 1) / 2)
        }, NA)
        if (all(stays)) return(words)
        gone <- these[!stays, ]
        gone <- split(paste0(gone$motif, "(", gone$strand, ")"), factor(gone$sequence, seq_along(found)))
        vapply(gone, paste, "", collapse = ",")
    }
    found$lost <- unname(missing_in(before, after))
    found$gained <- unname(missing_in(after, before))
    found
}
