#' Read the annotation of a genome
#'
#' Reads genes and other features from a GFF3 file of Prokka, Bakta, NCBI (PGAP) or one made from GenBank or EMBL records.
#'
#' Rows of one type and ID that touch, overlap or meet at the origin of a circular contig are one feature (programmed frameshifts,
#' genes over the origin); the latter ends beyond the length of its contig. Rows of one ID that lie apart stay rows. `gene`, `locus_tag`
#' and `product` missing from a row come from its parent. Many files name a gene twice, as `gene` and as `CDS`: choose by `type`.
#' @param file Path of a GFF3 file, plain or gzipped, with or without its FASTA section.
#' @param genome The genome the annotation belongs to, a named `DNAStringSet` from [read_genome()]; gives lengths and circular
#'   flags, and the names when file and genome are one contig of the same length. `NULL` takes both from the file.
#' @return A `GRanges`, one range a feature, 1-based and closed, in the order of the file, with character columns `type`, `gene`,
#'   `locus_tag`, `product`, `source` (the program that found it), `ID`, `Name`, and `EC`, `GO`, `COG` where the file has them
#'   (several separated by ";"). `NA`: the file does not say. Its `seqinfo()` has all contigs, their lengths in bp and circular flags.
#' @section Errors: `nucleograd_error_file`: no such file, or not GFF3. `nucleograd_error_contigs`: the contigs of file and genome
#'   differ in name or length. `nucleograd_error_regions`: a feature lies outside its contig.
#' @source The GFF3 specification, <https://github.com/The-Sequence-Ontology/Specifications/blob/master/gff3.md>.
#' @examples
#' file <- tempfile(fileext = ".gff")
#' row <- paste("contig_1", "Prodigal", "CDS", 11, 340, ".", "+", 0,
#'              "ID=x_1;gene=spo0A;product=response regulator", sep = "\t")
#' writeLines(c("##gff-version 3", "##sequence-region contig_1 1 900", row), file)
#' read_annotation(file)
#' @export
read_annotation <- function(file, genome = NULL) {
    check_file(file)
    if (!is.null(genome)) check_is(genome, "DNAStringSet", "read_genome")
    lines <- read_sequence_text(file)
    rows <- gff_rows(lines, file)
    features <- describe_features(parse_rows(rows))
    embedded <- if (any(startsWith(lines, ">"))) genome_seqinfo(parse_genome(lines, file))
    declared <- declared_contigs(lines, features)
    if (!is.null(genome)) {
        known <- genome_seqinfo(genome)
        if (!is.null(embedded)) declared[GenomeInfoDb::seqnames(embedded)] <- GenomeInfoDb::seqlengths(embedded)
    } else known <- embedded
    features <- name_contigs(features, declared, known, strict = !is.null(genome))
    features <- place_features(features, contigs_seqinfo(features, declared, known))
    join_parts(features)
}

# The feature rows of a GFF3, nine fields each: without what follows the first ">", comments and further columns.
gff_rows <- function(lines, file, call = parent.frame()) {
    lines <- lines[cumsum(startsWith(lines, ">")) == 0 & !startsWith(lines, "#")]
    rows <- sub("^((?:[^\t]*\t){8}[^\t]*)\t.*", "\\1", lines, perl = TRUE)
    rows <- sub("[ ;]+#( .*)?$", "", rows, perl = TRUE)
    good <- grepl("^[^\t]+\t[^\t]*\t[^\t]+\t[0-9]+\t[0-9]+(\t[^\t]*){4}$", rows, perl = TRUE)
    places <- sub("^([^\t]*\t){3}([0-9]+)\t([0-9]+).*", "\\2 \\3", rows[good], perl = TRUE)
    places <- matrix(as.numeric(unlist(strsplit(places, " ", fixed = TRUE))), 2)
    good[good] <- pmax(places[1, ], places[2, ]) <= .Machine$integer.max                  # what R counts to
    if (length(rows) && all(good)) return(rows)
    problem <- if (length(rows)) "This row is not: {.val {substr(lines[!good][1], 1, 100)}}." else "It has no row."
    stop_input(c("{.arg file} must be GFF3: rows of nine fields, separated by tabs, with whole start and end below 2^31.", x = problem,
                 i = "{.file {file}} was read."),
               class = "file", call = call)
}

parse_rows <- function(rows) {
    clean <- tempfile(fileext = ".gff3")
    on.exit(unlink(clean))
    writeLines(c("##gff-version 3", rows), clean, useBytes = TRUE)
    rtracklayer::readGFF(clean, version = 3)
}

# One row a feature: contig, start, end, strand, then the columns people see. Attribute names in any case.
describe_features <- function(table) {
    attribute <- function(name) {
        value <- rep(NA_character_, nrow(table))
        for (column in which(tolower(names(table)) == name)) {
            found <- table[[column]]
            if (!is.character(found)) found <- S4Vectors::unstrsplit(methods::as(found, "CharacterList"), ",")
            value[is.na(value)] <- gsub("^(['\"])(.*)\\1$", "\\2", found[is.na(value)])
        }
        ifelse(nzchar(value), value, NA_character_)
    }
    parent <- match(sub(",.*", "", attribute("parent")), attribute("id"), incomparables = NA)
    inherited <- function(name) ifelse(is.na(attribute(name)), attribute(name)[parent], attribute(name))
    references <- paste(attribute("dbxref"), attribute("db_xref"), attribute("ontology_term"), sep = ",")
    strand <- as.character(table$strand)
    features <- data.frame(contig = as.character(table$seqid), start = table$start, end = table$end,
        strand = ifelse(strand %in% c("+", "-"), strand, "*"), circular = attribute("is_circular") %in% c("true", "TRUE"),
        type = as.character(table$type), gene = inherited("gene"), locus_tag = inherited("locus_tag"),
        product = inherited("product"), source = as.character(table$source), ID = attribute("id"), Name = attribute("name"),
        EC = gsub(",", ";", attribute("ec_number")), GO = terms_in(references, "GO:[0-9]{7}"),
        COG = terms_in(references, "COG[0-9]{4}"))
    absent <- vapply(features[c("EC", "GO", "COG")], function(x) all(is.na(x)), NA)
    features[setdiff(names(features), names(absent)[absent])]
}

# Every match of a pattern in each string, separated by ";", or NA.
terms_in <- function(x, pattern) {
    found <- regmatches(x, gregexpr(pattern, x))
    vapply(found, function(terms) if (length(terms)) paste(unique(terms), collapse = ";") else NA_character_, "")
}

# Lengths the annotation gives for its contigs, by name: ##sequence-region lines, or a row that spans the contig.
declared_contigs <- function(lines, features) {
    regions <- strsplit(trimws(grep("^##sequence-region", lines, value = TRUE)), "[ \t]+")
    regions <- regions[lengths(regions) >= 4]
    ids <- unique(c(vapply(regions, `[`, "", 2L), features$contig))
    spans <- features[features$type %in% c("region", "source") & features$start == 1, ]
    length_bp <- stats::setNames(spans$end[match(ids, spans$contig)], ids)
    length_bp[vapply(regions, `[`, "", 2L)] <- as.integer(vapply(regions, `[`, "", 4L))
    length_bp
}

# The features under the names that the sequence has. `strict`: a length that differs means another genome, not a loose header.
name_contigs <- function(features, declared, known, strict, call = parent.frame()) {
    if (is.null(known)) return(features)
    names_known <- GenomeInfoDb::seqnames(known)
    used <- unique(features$contig)
    if (length(used) == 1 && length(known) == 1 && used != names_known && declared[used] %in% GenomeInfoDb::seqlengths(known)) {
        cli::cli_inform("Taking {.val {used}} of the annotation for {.val {names_known}} of the genome: both have {declared[used]} bp.")
        features$contig <- names_known
        return(features)
    }
    if (!all(used %in% names_known))
        stop_input(c("The annotation must name the contigs of the genome.",
                     x = "{.val {setdiff(used, names_known)}} {?is/are} in the annotation only.",
                     i = "The genome has {.val {names_known}}.",
                     i = "Rename one of them, as in {.code names(genome) <- ...}?"),
                   class = "contigs", call = call)
    length_bp <- GenomeInfoDb::seqlengths(known)[used]
    other <- used[which(length_bp != declared[used])]
    if (length(other) && strict)
        stop_input(c("The annotation must belong to this genome.",
                     x = "{.val {other[1]}} has {declared[other[1]]} bp in the annotation and {length_bp[other[1]]} bp in the genome."),
                   class = "contigs", call = call)
    if (length(other))
        cli::cli_inform("Using the length of the sequence, not of the header: {.val {other}} {?has/have} {length_bp[other]} bp.")
    features
}

contigs_seqinfo <- function(features, declared, known) {
    circular <- unique(features$contig[features$circular])
    if (is.null(known)) return(GenomeInfoDb::Seqinfo(names(declared), unname(declared), names(declared) %in% circular))
    linear <- GenomeInfoDb::seqnames(known)[!GenomeInfoDb::isCircular(known)]
    if (any(circular %in% linear))
        cli::cli_inform("{.val {intersect(circular, linear)}} {?is/are} circular, says the annotation; the genome does not say.")
    GenomeInfoDb::isCircular(known) <- GenomeInfoDb::isCircular(known) | GenomeInfoDb::seqnames(known) %in% circular
    known
}

place_features <- function(features, known, call = parent.frame()) {
    length_bp <- GenomeInfoDb::seqlengths(known)[features$contig]
    last <- ifelse(GenomeInfoDb::isCircular(known)[features$contig], features$start + length_bp - 1, length_bp)
    outside <- which(features$start < 1 | features$start > features$end | features$start > length_bp | features$end > last)
    if (length(outside)) {
        k <- outside[1]
        stop_input(c("Each feature must lie on its contig.",
                     x = "{features$type[k]} {.val {features$ID[k]}} runs from {features$start[k]} to {features$end[k]}.",
                     i = if (is.na(last[k])) "It must start before it ends."
                         else if (last[k] > length_bp[k]) "{.val {features$contig[k]}} has {length_bp[k]} bp and is circular."
                         else "{.val {features$contig[k]}} has {length_bp[k]} bp and is linear. Can you read it as {.arg circular}?"),
                   class = "regions", call = call)
    }
    GenomicRanges::GRanges(features$contig, IRanges::IRanges(features$start, features$end), features$strand,
                           features[-(1:5)], seqinfo = known)
}

# Rows of one ID that touch, overlap or meet at the origin become one.
join_parts <- function(features) {
    key <- paste(GenomeInfoDb::seqnames(features), BiocGenerics::strand(features), features$type, features$ID)
    row <- which(!is.na(features$ID) & key %in% key[duplicated(key)])
    if (!length(row)) return(features)
    row <- row[order(key[row], BiocGenerics::start(features)[row])]
    start <- BiocGenerics::start(features)[row]
    end <- BiocGenerics::end(features)[row]
    new_key <- !duplicated(key[row])
    part <- cumsum(new_key | start > c(0, end[-length(end)]) + 2)           # 2: a frameshift may skip a base
    parts <- data.frame(row = tapply(row, part, min), start = tapply(start, part, min), end = tapply(end, part, max))
    parts$key <- key[parts$row]

    contig <- as.character(GenomeInfoDb::seqnames(features))[parts$row]
    circular <- GenomeInfoDb::isCircular(features)[contig] %in% TRUE
    length_bp <- GenomeInfoDb::seqlengths(features)[contig]
    before <- which(circular & parts$end == length_bp & parts$start > 1)
    after <- match(parts$key[before], ifelse(circular & parts$start == 1, parts$key, NA))
    parts$end[before] <- parts$end[before] + ifelse(is.na(after), 0L, parts$end[after])
    if (any(!is.na(after))) parts <- parts[-after[!is.na(after)], ]

    BiocGenerics::start(features)[parts$row] <- parts$start
    BiocGenerics::end(features)[parts$row] <- parts$end
    features[setdiff(seq_along(features), setdiff(row, parts$row))]
}

#' Regions around genes
#'
#' `intergenic()` gives the regions between genes, `upstream()` the bases before each. Both take features whose type is `gene`, `CDS`, or
#' ends in `gene` or `RNA`; all of them if `annotation` has no column `type`. Pass the result to [gene_quantiles()] with `type = NULL`.
#' @param annotation A `GRanges`, from [read_annotation()] or your own.
#' @param width How many bases before the start of a gene, on its strand (features without strand count as plus).
#' @return A `GRanges` with the contigs of `annotation`.
#'   - `intergenic()`: the regions that no gene covers, in order, strand `*`, type `"intergenic"`, `gene` the names of both neighbours,
#'     as in "dnaA | dnaN" (`NA`: the contig has no gene). A region over the origin of a circular contig is one range that ends beyond it.
#'   - `upstream()`: one range a gene, on its strand, type `"upstream"`, with the gene's other columns. At the end of a linear contig it
#'     is shorter, or left out when nothing remains; over the origin of a circular one it ends beyond the contig.
#'     A gene that is there as `gene` and as `CDS` counts once.
#' @section Errors: `nucleograd_error_contigs`: a contig has no known length. `nucleograd_error_argument`.
#' @examples
#' genes <- GenomicRanges::GRanges(c("contig_1:101-400:+", "contig_1:600-900:-"),
#'                                 gene = c("spo0A", "sigE"),
#'                                 seqlengths = c(contig_1 = 1000))
#' intergenic(genes)
#' upstream(genes, width = 50)
#' @export
intergenic <- function(annotation) {
    check_is(annotation, "GRanges", "read_annotation")
    genes <- choose_genes(annotation)
    known <- check_lengths(genes)
    regions <- lapply(GenomeInfoDb::seqlevels(genes), function(contig) {
        between_genes(genes[GenomeInfoDb::seqnames(genes) == contig], GenomeInfoDb::seqlengths(known)[[contig]],
                      GenomeInfoDb::isCircular(known)[[contig]] %in% TRUE)
    })
    contig <- factor(rep(GenomeInfoDb::seqlevels(genes), vapply(regions, nrow, 0L)), GenomeInfoDb::seqlevels(genes))
    regions <- do.call(rbind, regions)
    GenomicRanges::GRanges(contig, IRanges::IRanges(regions$start, regions$end), "*", type = rep("intergenic", nrow(regions)),
                           gene = regions$gene, seqinfo = known)
}

#' @rdname intergenic
#' @export
upstream <- function(annotation, width = 200) {
    check_is(annotation, "GRanges", "read_annotation")
    width <- check_number(width, 1, 1e6)
    genes <- choose_genes(annotation)
    genes <- genes[order(is.na(gene_column(genes, "product")))]                  # of doubles the described one stays
    known <- check_lengths(genes)
    contig <- as.character(GenomeInfoDb::seqnames(genes))
    length_bp <- GenomeInfoDb::seqlengths(known)[contig]
    circular <- GenomeInfoDb::isCircular(known)[contig] %in% TRUE
    minus <- as.character(BiocGenerics::strand(genes)) == "-"
    start <- ifelse(minus, BiocGenerics::end(genes) + 1, BiocGenerics::start(genes) - width)
    end <- start + ifelse(circular, pmin(width, length_bp), width) - 1
    turn <- ifelse(circular, (start - 1) %/% length_bp * length_bp, 0)
    start <- ifelse(circular, start - turn, pmax(start, 1))
    end <- ifelse(circular, end - turn, pmin(end, length_bp))
    keep <- which(start <= end & !duplicated(data.frame(contig, start, end, minus)))
    keep <- keep[order(match(contig[keep], GenomeInfoDb::seqlevels(genes)), start[keep])]
    columns <- S4Vectors::mcols(genes)[keep, , drop = FALSE]
    columns$type <- rep("upstream", length(keep))
    regions <- GenomicRanges::GRanges(contig[keep], IRanges::IRanges(start[keep], end[keep]), BiocGenerics::strand(genes)[keep], seqinfo = known)
    S4Vectors::mcols(regions) <- columns
    regions
}

choose_genes <- function(annotation) {
    if (is.null(annotation$type)) annotation else annotation[grepl("(gene|CDS|RNA)$", annotation$type)]
}

check_lengths <- function(genes, call = parent.frame()) {
    known <- GenomeInfoDb::seqinfo(genes)
    unknown <- names(which(is.na(GenomeInfoDb::seqlengths(known))))
    if (length(unknown))
        stop_input(c("The lengths of all contigs must be known.", x = "{.val {unknown}} {?has/have} none.",
                     i = "Give {.arg genome} to {.fun read_annotation}?"),
                   class = "contigs", call = call)
    known
}

# The stretches of one contig that no gene covers: start, end, and `gene`, the names of the genes beside them.
between_genes <- function(genes, length_bp, circular) {
    if (!length(genes)) return(data.frame(start = 1, end = length_bp, gene = NA_character_))
    genes <- genes[order(BiocGenerics::start(genes))]
    name <- first_known(gene_column(genes, "gene"), gene_column(genes, "locus_tag"), gene_column(genes, "ID"), "unnamed")
    start <- BiocGenerics::start(genes)
    end <- BiocGenerics::end(genes)
    over_origin <- if (circular) max(max(end) - length_bp, 0) else 0
    covered_to <- cummax(pmax(end, over_origin))
    last <- ifelse(covered_to == end, seq_along(end), 0)
    left <- name[replace(cummax(last), cummax(last) == 0, which.max(end))]
    n <- length(genes)
    between <- data.frame(start = covered_to[-n] + 1, end = start[-1] - 1, gene = paste(left[-n], "|", name[-1], recycle0 = TRUE))
    ends <- if (circular) {
        data.frame(start = covered_to[n] + 1, end = length_bp + start[1] - 1, gene = paste(left[n], "|", name[1]))
    } else {
        data.frame(start = c(1, covered_to[n] + 1), end = c(start[1] - 1, length_bp),
                   gene = paste(c("end of contig", left[n]), "|", c(name[1], "end of contig")))
    }
    all <- rbind(between, ends)
    all <- all[all$start <= all$end, ]
    turned <- all$start > length_bp
    all[turned, c("start", "end")] <- all[turned, c("start", "end")] - length_bp
    all[order(all$start), ]
}

# A column as text, or NA for all when there is none.
gene_column <- function(features, name) {
    column <- S4Vectors::mcols(features)[[name]]
    if (is.null(column)) rep(NA_character_, length(features)) else as.character(column)
}

# Element by element, the first of several vectors that is not NA; one value serves for all elements.
first_known <- function(...) Reduce(function(x, y) replace(x, is.na(x), rep_len(y, length(x))[is.na(x)]), list(...))
