# R/attribution-hdf5.R: an Attribution in an HDF5 file, and back. rhdf5 reverses the axes: (4, bp) here is (bp, 4) in the file.

chunk_bp <- 2^14

write_attribution <- function(scores, file) {
    rhdf5::h5createFile(file)
    h5 <- rhdf5::H5Fopen(file)
    on.exit(rhdf5::H5Fclose(h5))
    text <- function(value, name) rhdf5::h5write(as_json(value), h5, name)
    columns <- S4Vectors::mcols(scores@genome)
    text(list(format = "nucleograd attribution", version = 1), "format")
    text(scores@settings, "settings")
    text(c(list(name = I(names(scores@genome))), if (!is.null(columns)) lapply(as.list(columns), I)), "contigs")
    for (k in seq_along(scores@genome)) {
        group <- paste0("contig_", k)
        rhdf5::h5createGroup(h5, group)
        length_bp <- Biostrings::width(scores@genome)[k]
        chunk <- min(chunk_bp, length_bp)
        rhdf5::h5createDataset(h5, paste0(group, "/scores"), c(4, length_bp), storage.mode = "double", chunk = c(4, chunk), shuffle = TRUE)
        rhdf5::h5write(t(scores@scores[[k]]), h5, paste0(group, "/scores"))
        rhdf5::h5createDataset(h5, paste0(group, "/sequence"), length_bp, H5type = "H5T_STD_U8LE", storage.mode = "integer", chunk = chunk)
        rhdf5::h5write(as.integer(charToRaw(as.character(scores@genome[[k]]))), h5, paste0(group, "/sequence"))
    }
    place <- data.frame(contig = as.integer(GenomicRanges::seqnames(scores@windows)), start = BiocGenerics::start(scores@windows),
                        end = BiocGenerics::end(scores@windows))
    if (nrow(place)) rhdf5::h5write(cbind(place, as.data.frame(S4Vectors::mcols(scores@windows))), h5, "windows")
}

#' @rdname export-Attribution
#' @export
read_attribution <- function(file) {
    file <- check_file(file)
    need_package("rhdf5", "This kind of file")
    stored <- tryCatch(rhdf5::H5Fopen(file, flags = "H5F_ACC_RDONLY"), error = function(error) NULL)
    if (!is.null(stored)) on.exit(rhdf5::H5Fclose(stored))
    from_json <- function(name) jsonlite::fromJSON(rhdf5::h5read(stored, name))
    format <- if (!is.null(stored) && rhdf5::H5Lexists(stored, "format")) tryCatch(from_json("format"), error = function(error) NULL)
    if (!identical(format, list(format = "nucleograd attribution", version = 1L)))
        stop_input("{.arg file} must be an HDF5 file that {.fun export} wrote of an attribution; {.file {file}} is none.", class = "file")
    contigs <- from_json("contigs")
    groups <- paste0("contig_", seq_along(contigs$name))
    letters <- vapply(groups, function(group) rawToChar(as.raw(rhdf5::h5read(stored, paste0(group, "/sequence")))), "")
    genome <- Biostrings::DNAStringSet(stats::setNames(letters, contigs$name))
    if (length(contigs) > 1) S4Vectors::mcols(genome) <- S4Vectors::DataFrame(contigs[-1])
    scores <- lapply(groups, function(group) {
        channels <- t(rhdf5::h5read(stored, paste0(group, "/scores")))
        dimnames(channels) <- list(NULL, bases)
        channels
    })
    new("Attribution", scores = stats::setNames(scores, contigs$name), genome = genome, windows = stored_windows(stored, genome),
        settings = lapply(from_json("settings"), function(value) if (is.integer(value)) as.numeric(value) else value))
}

stored_windows <- function(stored, genome) {
    if (!rhdf5::H5Lexists(stored, "windows")) return(GenomicRanges::GRanges(seqinfo = genome_seqinfo(genome)))
    table <- lapply(rhdf5::h5read(stored, "windows"), as.vector)
    windows <- GenomicRanges::GRanges(names(genome)[table$contig], IRanges::IRanges(table$start, table$end), seqinfo = genome_seqinfo(genome))
    S4Vectors::mcols(windows) <- S4Vectors::DataFrame(table[-(1:3)])
    windows
}
