# R/write-hdf5.R: the few calls of rhdf5 that write groups, texts and arrays of float32.

# HDF5 that meets a full disk cannot close its file, and R dies of that at its end. So there must be room for these bytes, and for what HDF5
# puts around them, before it is asked: as much is written, and removed.
check_room <- function(file, bytes = 0) {
    bytes <- bytes + 2^20
    probe <- tempfile("room-", dirname(file))
    on.exit(unlink(probe))
    said <- tryCatch(writeBin(raw(bytes), probe), warning = conditionMessage, error = conditionMessage)
    if (!is.null(said) || !identical(file.size(probe), bytes))
        stop_input(c("The disk of {.file {dirname(file)}} must have room for {format_bytes(bytes)} more.", x = if (!is.null(said)) "{said}"), class = "file")
}

create_hdf5 <- function(file) {
    check_room(file)
    h5 <- new.env(parent = emptyenv())
    h5$path <- file
    h5$file <- rhdf5::H5Fcreate(file)
    h5$groups <- character()
    h5
}

finish_hdf5 <- function(h5) rhdf5::H5Fclose(h5$file)

# Makes the group at `path` and those it lies in; "" is the file itself.
write_group <- function(h5, path) {
    steps <- strsplit(path, "/", fixed = TRUE)[[1]]
    for (group in vapply(seq_along(steps), function(k) paste(steps[seq_len(k)], collapse = "/"), "")) {
        if (group %in% h5$groups) next
        rhdf5::H5Gclose(rhdf5::H5Gcreate(h5$file, group))
        h5$groups <- c(h5$groups, group)
    }
}

# Attributes of a group: texts of any length. An empty list is one of no numbers, as Keras has it.
write_texts <- function(h5, path, texts, scalar = FALSE) {
    write_group(h5, path)
    group <- if (nzchar(path)) rhdf5::H5Gopen(h5$file, path) else h5$file
    for (name in names(texts)) {
        if (length(texts[[name]])) {
            rhdf5::h5writeAttribute(texts[[name]], group, name, encoding = "UTF-8", variableLengthString = TRUE, asScalar = scalar)
        } else {
            space <- rhdf5::H5Screate_simple(0L)
            rhdf5::H5Aclose(rhdf5::H5Acreate(group, name, "H5T_IEEE_F64LE", space))
            rhdf5::H5Sclose(space)
        }
    }
    if (nzchar(path)) rhdf5::H5Gclose(group)
}

# Numbers in row-major order with the attribute dims.
write_numbers <- function(h5, path, numbers) {
    write_group(h5, dirname(path))
    dims <- attr(numbers, "dims")
    check_room(h5$path, 4 * prod(dims))
    space <- rhdf5::H5Screate_simple(rev(dims))                                  # rhdf5 counts axes from the last
    dataset <- rhdf5::H5Dcreate(h5$file, path, "H5T_IEEE_F32LE", space)
    rhdf5::H5Dwrite(dataset, array(numbers, rev(dims)))
    rhdf5::H5Dclose(dataset)
    rhdf5::H5Sclose(space)
}
