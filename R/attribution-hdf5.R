# R/attribution-hdf5.R: an Attribution in an HDF5 file, and back. rhdf5 reverses the axes: (4, bp) here is (bp, 4) in the file.

chunk_bp <- 2^14

write_attribution <- function(scores, file) {
    check_room(file)
    rhdf5::h5createFile(file)
    h5 <- rhdf5::H5Fopen(file)
    on.exit(rhdf5::H5Fclose(h5))
    columns <- S4Vectors::mcols(scores@genome)
    store_text(h5, "format", list(format = "nucleograd attribution", version = 1))
    store_text(h5, "settings", scores@settings)
    store_text(h5, "contigs", c(list(name = I(names(scores@genome))), if (!is.null(columns)) lapply(as.list(columns), I)))
    for (k in seq_along(scores@genome)) {
        group <- paste0("contig_", k)
        rhdf5::h5createGroup(h5, group)
        length_bp <- Biostrings::width(scores@genome)[k]
        chunk <- min(chunk_bp, length_bp)
        store(h5, paste0(group, "/scores"), t(scores@scores[[k]]), "H5T_IEEE_F64LE", c(4, chunk))
        if (length(scores@errors)) store(h5, paste0(group, "/errors"), scores@errors[[k]], "H5T_IEEE_F64LE", chunk)
        store(h5, paste0(group, "/sequence"), as.integer(charToRaw(as.character(scores@genome[[k]]))), "H5T_STD_U8LE", chunk)
    }
    table <- c(list(contig = as.integer(GenomicRanges::seqnames(scores@windows)), start = BiocGenerics::start(scores@windows),
                    end = BiocGenerics::end(scores@windows)), as.list(S4Vectors::mcols(scores@windows)))
    store_text(h5, "window_columns", names(table))
    rhdf5::h5createGroup(h5, "windows")
    if (length(scores@windows))
        for (name in names(table))
            store(h5, paste0("windows/", name), table[[name]], if (is.integer(table[[name]])) "H5T_STD_I32LE" else "H5T_IEEE_F64LE")
}

# A dataset, compressed if it has chunks. It does not say when it was written: equal scores make equal files.
store <- function(h5, name, values, type, chunk = NULL) {
    space <- rhdf5::H5Screate_simple(if (is.null(dim(values))) length(values) else dim(values))
    on.exit(rhdf5::H5Sclose(space))
    how <- rhdf5::H5Pcreate("H5P_DATASET_CREATE")
    on.exit(rhdf5::H5Pclose(how), add = TRUE)
    rhdf5::H5Pset_obj_track_times(how, FALSE)
    if (!is.null(chunk)) {
        rhdf5::H5Pset_chunk(how, chunk)
        rhdf5::H5Pset_shuffle(how)
        rhdf5::H5Pset_deflate(how, 6)
    }
    dataset <- rhdf5::H5Dcreate(h5, name, type, space, dcpl = how)
    on.exit(rhdf5::H5Dclose(dataset), add = TRUE)
    file <- rhdf5::H5Fget_name(h5)
    if (!is.null(dim(values))) return(write_columns(dataset, space, values, file))
    check_room(file, 8 * length(values))
    rhdf5::H5Dwrite(dataset, values)
}

# Some columns at a time: HDF5 compresses for seconds, and only between its calls can R be interrupted.
write_columns <- function(dataset, space, values, file) {
    at_once <- 4 * chunk_bp
    for (first in seq(1, ncol(values), at_once)) {
        here <- first:min(first + at_once - 1, ncol(values))
        size <- c(nrow(values), length(here))
        check_room(file, 8 * prod(size))
        rhdf5::H5Sselect_hyperslab(space, "H5S_SELECT_SET", start = c(1, first), count = size)
        piece <- rhdf5::H5Screate_simple(size)
        rhdf5::H5Dwrite(dataset, values[, here, drop = FALSE], h5spaceMem = piece, h5spaceFile = space)
        rhdf5::H5Sclose(piece)
    }
}

# JSON as UTF-8 bytes.
store_text <- function(h5, name, value) store(h5, name, as.integer(charToRaw(enc2utf8(as_json(value)))), "H5T_STD_U8LE")

#' @rdname export-Attribution
#' @export
read_attribution <- function(file) {
    file <- check_file(file)
    need_package("rhdf5", "This kind of file")
    stored <- tryCatch(rhdf5::H5Fopen(file, flags = "H5F_ACC_RDONLY"), error = function(error) NULL)
    if (!is.null(stored)) on.exit(rhdf5::H5Fclose(stored))
    from_json <- function(name) {
        text <- rawToChar(as.raw(rhdf5::h5read(stored, name)))
        Encoding(text) <- "UTF-8"
        jsonlite::fromJSON(text)
    }
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
    of_bases <- function(group) as.vector(rhdf5::h5read(stored, paste0(group, "/errors")))
    errors <- if (rhdf5::H5Lexists(stored, "contig_1/errors")) stats::setNames(lapply(groups, of_bases), contigs$name) else list()
    new("Attribution", scores = stats::setNames(scores, contigs$name), errors = errors, genome = genome,
        windows = stored_windows(stored, from_json("window_columns"), genome),
        settings = lapply(from_json("settings"), function(value) if (is.integer(value)) as.numeric(value) else value))
}

stored_windows <- function(stored, columns, genome) {
    table <- stats::setNames(lapply(columns, function(name)
        if (rhdf5::H5Lexists(stored, paste0("windows/", name))) as.vector(rhdf5::h5read(stored, paste0("windows/", name))) else numeric()), columns)
    windows <- GenomicRanges::GRanges(names(genome)[table$contig], IRanges::IRanges(table$start, table$end), seqinfo = genome_seqinfo(genome))
    S4Vectors::mcols(windows) <- S4Vectors::DataFrame(table[-(1:3)])
    windows
}
