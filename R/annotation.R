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
#' writeLines(c("##gff-version 3", "##sequence-region contig_1 1 900",
#'              paste("contig_1", "Prodigal", "CDS", 11, 340, ".", "+", 0, "ID=x_1;gene=spo0A;product=response regulator", sep = "\t")), file)
#' read_annotation(file)
#' @export
read_annotation <- function(file, genome = NULL) {
    check_file(file)
    if (!is.null(genome)) check_is(genome, "DNAStringSet", "read_genome")
    lines <- read_text(file)
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
    rows <- sub("[ ;]+#( .*)?$", "", rows)
    good <- grepl("^[^\t]+\t[^\t]*\t[^\t]+\t[0-9]+\t[0-9]+(\t[^\t]*){4}$", rows)
    if (length(rows) && all(good)) return(rows)
    problem <- if (length(rows)) "This row is not: {.val {substr(lines[!good][1], 1, 100)}}." else "It has no row."
    cli::cli_abort(c("{.arg file} must be GFF3: rows of nine fields, separated by tabs, with whole start and end.",
                     x = problem, i = "{.file {file}} was read."),
                   class = "nucleograd_error_file", call = call)
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
        cli::cli_abort(c("The annotation must name the contigs of the genome.",
                         x = "{.val {setdiff(used, names_known)}} {?is/are} in the annotation only.",
                         i = "The genome has {.val {names_known}}.",
                         i = "Rename one of them, as in {.code names(genome) <- ...}?"),
                       class = "nucleograd_error_contigs", call = call)
    length_bp <- GenomeInfoDb::seqlengths(known)[used]
    other <- used[which(length_bp != declared[used])]
    if (length(other) && strict)
        cli::cli_abort(c("The annotation must belong to this genome.",
                         x = "{.val {other[1]}} has {declared[other[1]]} bp in the annotation and {length_bp[other[1]]} bp in the genome."),
                       class = "nucleograd_error_contigs", call = call)
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
        cli::cli_abort(c("Each feature must lie on its contig.",
                         x = "{features$type[k]} {.val {features$ID[k]}} runs from {features$start[k]} to {features$end[k]}.",
                         i = if (is.na(last[k])) "It must start before it ends."
                             else if (last[k] > length_bp[k]) "{.val {features$contig[k]}} has {length_bp[k]} bp and is circular."
                             else "{.val {features$contig[k]}} has {length_bp[k]} bp and is linear; is it {.arg circular} in {.fun read_genome}?"),
                       class = "nucleograd_error_regions", call = call)
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
