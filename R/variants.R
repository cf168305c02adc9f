# R/variants.R: what variants of a genome do to the model's answer.

#' Effects of variants
#'
#' What the model answers when a variant takes the place of the reference, one variant at a time.
#'
#' Substitutions, of one base or several, compute only what they reach, see [knockout()]. Insertions and deletions move what follows: their
#' windows are run again as a whole. A window then keeps the base it begins with, and at the end of a linear contig it moves to the left.
#'
#' A [motif network][motif_network] has one window a variant, with the variant in the middle (near an end of the contig, which counts as linear, the
#' window lies inside), and says too which [hits()] come and go: columns `lost` and `gained`, motifs with their strand. A hit stays if
#' one of the same motif overlaps half of it; behind an insertion or deletion places are those of the reference.
#' @inheritParams knockout
#' @param model A [Model-class], or a [motif network][motif_network], for which `target`, `window` and `step` stay as they are.
#' @param variants The path of a VCF file, plain or gzipped; or a data.frame with the columns `contig`, `position` (1-based), `ref` and `alt`; or
#'   a `GRanges` with the columns `ref` and `alt`, or `REF` and `ALT`. A row with several alternatives, in a VCF file separated by
#'   commas, becomes several variants.
#' @return An [Effects-class], one range for each alternative, in the order given: the range of the reference, with the columns `ref`, `alt`,
#'   `prediction`, `changed`, `effect` (`changed - prediction`) and `windows`. Alternatives without a sequence, such as `<DEL>` and `*`, are
#'   left out with a message.
#' @section Errors: `nucleograd_error_variants`: a reference is not what the genome has there. `nucleograd_error_file`;
#'   `nucleograd_error_contigs`; `nucleograd_error_regions`; `nucleograd_error_argument`; `nucleograd_error_memory`.
#' @source Danecek et al. (2011), \doi{10.1093/bioinformatics/btr330} (VCF).
#' @examples
#' piece <- Biostrings::subseq(example_genome(), 853001, 857000)
#' ref <- substring(as.character(piece), c(1501, 1600), c(1501, 1602))
#' variants <- data.frame(contig = "CHLTCG", position = c(1501, 1600), ref = ref,
#'                        alt = c("A,C,G,T", "T"))
#' variant_effect(example_model(), piece, variants)
#' @export
variant_effect <- function(model, genome, variants, target = 1, output = c("logit", "probability"), window = NULL, step = NULL,
                           threads = NULL, memory_bytes = NULL) {
    check_is(genome, "DNAStringSet", "read_genome")
    if (inherits(model, "motif_network")) {
        check_whole_window(target, window, step)
        return(network_variants(model, genome, variants, check_choice(output, c("logit", "probability")),
                                run_settings(threads, progress = "Trying variants", memory_bytes = memory_bytes), environment()))
    }
    check_model(model)
    ranges <- check_variants(variants, genome)
    goal <- target_of(model, target, check_choice(output, c("logit", "probability")))
    windows <- genome_windows(model, genome, window, step)
    run <- run_settings(threads, progress = "Trying variants", memory_bytes = memory_bytes)
    in_place <- nchar(ranges$alt) == BiocGenerics::width(ranges)
    put <- lapply(ranges$alt, base_codes)
    frame <- environment()
    substituted <- changed_in_place(model, goal, genome, windows, places_of(ranges[in_place]),
                                    list(variants = rep(1, sum(in_place)), codes = as.raw(unlist(put[in_place]))),
                                    numeric(4), share_of_run(run, 0, sum(in_place), length(ranges)), frame)
    moved <- changed_by_shift(model, goal, genome, windows, ranges[!in_place], put[!in_place],
                              share_of_run(run, sum(in_place), sum(!in_place), length(ranges)), frame)
    back <- order(c(which(in_place), which(!in_place)))
    columns <- c("prediction", "changed", "windows")
    found <- stats::setNames(lapply(columns, function(name) c(substituted[[name]], moved[[name]])[back]), columns)
    if (all(in_place)) found <- c(found, substituted[c("work", "operations")])
    new_effects(ranges, found, -1, effect_settings("Variants", "F(variant) - F(x)", model, goal, target, found))
}

# A GRanges with the columns ref and alt, one range for each alternative.
check_variants <- function(variants, genome, call = parent.frame()) {
    table <- if (is.data.frame(variants)) variant_rows(variants, call)
             else if (is(variants, "GRanges")) variant_columns(variants, call)
             else read_vcf(check_file(variants, name = "variants", call = call), call)
    sequence <- grepl("^[A-Za-z]+$", table$alt)
    if (!all(sequence))
        cli::cli_inform("Leaving out {sum(!sequence)} alternative{?s} without a sequence: {.val {unique(table$alt[!sequence])}}.")
    table <- table[sequence, ]
    table$ref <- toupper(table$ref)
    table$alt <- toupper(table$alt)
    ranges <- check_regions(GenomicRanges::GRanges(table$contig, IRanges::IRanges(table$position, width = nchar(table$ref), names = table$name),
                                                   ref = table$ref, alt = table$alt), genome, "variants", call)
    there <- reference_at(ranges, genome)
    wrong <- which(there != table$ref)
    if (length(wrong)) {
        k <- wrong[1]
        stop_input(c("The reference of each variant must be what {.arg genome} has there.",
                     x = "Number {k}, at {table$contig[k]}:{table$position[k]}, says {.val {table$ref[k]}}; the genome has {.val {there[k]}}.",
                     i = if (length(wrong) > 1) "{length(wrong)} variants differ. Is it another assembly?"), class = "variants", call = call)
    }
    ranges
}

reference_at <- function(ranges, genome) {
    contig <- as.character(GenomeInfoDb::seqnames(ranges))
    there <- character(length(ranges))
    for (name in unique(contig)) {
        here <- contig == name
        text <- as.character(genome[[name]])
        there[here] <- substring(paste0(text, text), BiocGenerics::start(ranges)[here], BiocGenerics::end(ranges)[here])
    }
    there
}

variant_rows <- function(variants, call) {
    columns <- c("contig", "position", "ref", "alt")
    missing <- setdiff(columns, names(variants))
    if (length(missing)) stop_input("{.arg variants} must have the columns {.val {columns}}; {.val {missing}} {?is/are} missing.", call = call)
    complete <- is.numeric(variants$position) && !anyNA(variants[columns]) && all(variants$position == round(variants$position)) &&
        all(nzchar(as.character(variants$ref)))
    if (!complete) stop_input("Each row of {.arg variants} must have a whole position, a reference and an alternative.", call = call)
    several <- strsplit(as.character(variants$alt), ",", fixed = TRUE)
    row <- rep(seq_len(nrow(variants)), lengths(several))
    data.frame(contig = as.character(variants$contig)[row], position = variants$position[row], ref = as.character(variants$ref)[row],
               alt = as.character(unlist(several)), name = as.character(if (is.null(variants$name)) row else variants$name[row]))
}

variant_columns <- function(variants, call) {
    columns <- S4Vectors::mcols(variants)
    one_of <- function(names) columns[[intersect(names, colnames(columns))[1]]]
    ref <- if (any(c("ref", "REF") %in% colnames(columns))) one_of(c("ref", "REF"))
    alt <- if (any(c("alt", "ALT") %in% colnames(columns))) one_of(c("alt", "ALT"))
    if (is.null(ref) || is.null(alt))
        stop_input("{.arg variants} must have the columns {.val ref} and {.val alt}, or {.val REF} and {.val ALT}.", call = call)
    alt <- vapply(as.list(alt), function(each) paste(as.character(each), collapse = ","), "")
    name <- names(variants)
    table <- data.frame(contig = as.character(GenomeInfoDb::seqnames(variants)), position = BiocGenerics::start(variants),
                        ref = as.character(ref), alt = alt)
    if (!is.null(name)) table$name <- name
    variant_rows(table, call)
}

# The first five columns of VCF.
read_vcf <- function(file, call) {
    force(file)
    lines <- read_sequence_text(file, call)
    if (!any(startsWith(lines, "##fileformat=VCF")))
        stop_input(c("{.arg variants} must be a VCF file.", x = "{.file {file}} does not begin with {.val ##fileformat=VCF}."),
                   class = "file", call = call)
    fields <- strsplit(lines[!startsWith(lines, "#")], "\t", fixed = TRUE)
    if (any(lengths(fields) < 5)) stop_input("Each row of {.file {file}} must have at least five columns, separated by tabs.",
                                             class = "file", call = call)
    column <- function(k) vapply(fields, `[[`, "", k)
    position <- suppressWarnings(as.numeric(column(2)))
    if (anyNA(position)) stop_input("Each row of {.file {file}} must have a position, not {.val {column(2)[is.na(position)][1]}}.", class = "file", call = call)
    id <- column(3)
    place <- paste0(column(1), ":", column(2), "_", column(4), "/", column(5))
    variant_rows(data.frame(contig = column(1), position = position, ref = column(4), alt = column(5), name = ifelse(id == ".", place, id)), call)
}
