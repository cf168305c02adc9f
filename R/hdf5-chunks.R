# R/hdf5-chunks.R: an array that is stored in pieces of equal shape (chunks), compressed or not. Keras does not write such weights, but
# h5repack and other programs that pack files do.

repack <- "Repack it with {.code h5repack -l CONTI -f NONE}."

# The values in row-major order. The last piece along an axis may reach beyond the end of the array.
read_chunks <- function(h5, layout, filters, dims, width, as_numbers, name) {
    early <- uint(h5, layout, 0, 1) == 3
    rank <- length(dims)
    size <- if (early) 4 else uint(h5, layout, 4, 1)                             # bytes of each length
    first <- if (early) 11 else 5
    if (rank == 0 || !size %in% 1:8 || uint(h5, layout, if (early) 2 else 3, 1) != rank + 1) stop_hdf5(h5)
    shape <- vapply(seq_len(rank), function(axis) uint(h5, layout, first + size * (axis - 1), size), 0)
    if (any(shape < 1)) stop_hdf5(h5)
    grid <- ceiling(dims / shape)
    if (prod(grid) > most_entries) stop_hdf5(h5, "{.val {name}} is stored in {prod(grid)} pieces.", repack)
    count_bytes(h5, prod(grid) * prod(shape) * width)
    filters <- split_filters(h5, filters, name)
    chunks <- if (early) chunks_of_tree(h5, uint(h5, layout, 3, 8), shape)
              else chunks_by_number(h5, layout, first + size * (rank + 1), grid, shape, prod(shape) * width, name)
    if (length(chunks) != prod(grid)) stop_hdf5(h5, "{.val {name}} has pieces that were never written.")
    values <- numeric(prod(dims))
    for (chunk in chunks) {
        if (any(chunk$start >= dims | chunk$start %% shape != 0)) stop_hdf5(h5)
        stored <- read_bytes(h5, chunk$address, if (length(filters)) chunk$bytes else prod(shape) * width)
        part <- as_numbers(undo_filters(h5, stored, filters, chunk$mask, prod(shape) * width, width, name), prod(shape))
        extent <- pmin(shape, dims - chunk$start)
        values[places(chunk$start, extent, dims)] <- part[places(0 * shape, extent, shape)]
    }
    values
}

# Numbers, from 1, of the elements start + (0 .. extent - 1) of a row-major array.
places <- function(start, extent, dims) {
    at <- 0
    for (axis in seq_along(dims)) at <- as.vector(outer(start[axis] + seq_len(extent[axis]) - 1, at * dims[axis], "+"))
    at + 1
}

# Where the pieces are: each list(start, address, bytes, mask), mask: a bit for each filter that was left out -----------------------------

chunks_of_tree <- function(h5, address, shape) {
    axes <- seq_along(shape)
    key_bytes <- 16 + 8 * length(shape)
    chunks <- lapply(tree_entries(h5, address, key_bytes), function(entry)
        list(start = vapply(axes, function(axis) uint(h5, entry, 8 * axis, 8), 0), address = uint(h5, entry, key_bytes, 8),
             bytes = uint(h5, entry, 0, 4), mask = uint(h5, entry, 4, 4)))
    if (anyDuplicated(lapply(chunks, `[[`, "start"))) stop_hdf5(h5)
    chunks
}

# The newer kinds, in row-major order: a single piece, pieces one after another, a list. `at`: where the layout says which.
chunks_by_number <- function(h5, layout, at, grid, shape, piece_bytes, name) {
    flags <- uint(h5, layout, 2, 1)
    kind <- uint(h5, layout, at, 1)
    if (!kind %in% 1:3 || has_bit(flags, 0)) stop_hdf5(h5, "{.val {name}} is stored in pieces that can grow.", repack)
    if (kind == 1 && prod(grid) != 1) stop_hdf5(h5)
    one <- function(address, bytes = piece_bytes, mask = 0) list(address = address, bytes = bytes, mask = mask)
    chunks <- if (kind == 3) chunks_of_list(h5, uint(h5, layout, at + 2, 8), prod(grid), one)
              else if (kind == 2) lapply(uint(h5, layout, at + 1, 8) + piece_bytes * (seq_len(prod(grid)) - 1), one)
              else if (!has_bit(flags, 1)) list(one(uint(h5, layout, at + 1, 8)))
              else list(one(uint(h5, layout, at + 13, 8), uint(h5, layout, at + 1, 8), uint(h5, layout, at + 9, 4)))
    steps <- rev(cumprod(c(1, rev(grid)[-length(grid)])))
    Map(function(chunk, k) c(chunk, list(start = k %/% steps %% grid * shape)), chunks, seq_along(chunks) - 1)
}

# A list of fixed length; a long one lies in pages, each with a checksum of four bytes behind it.
chunks_of_list <- function(h5, address, count, one) {
    head <- read_bytes(h5, address, 24)
    expect_mark(h5, head, "FAHD")
    filtered <- uint(h5, head, 5, 1) == 1
    width <- uint(h5, head, 6, 1)
    page <- 2^uint(h5, head, 7, 1)
    if (uint(h5, head, 8, 8) != count || !width %in% if (filtered) 13:20 else 8) stop_hdf5(h5)
    block <- uint(h5, head, 16, 8)
    expect_mark(h5, read_bytes(h5, block, 4), "FADB")
    pages <- if (count > page) ceiling(count / page) else 0
    first <- block + 14 + if (pages > 0) ceiling(pages / 8) + 4 else 0
    skipped <- if (pages > 0) 4 * ((seq_len(count) - 1) %/% page) else numeric(count)
    bytes <- read_bytes(h5, first, width * count + skipped[count])
    lapply(width * (seq_len(count) - 1) + skipped, function(at)
        if (filtered) one(uint(h5, bytes, at, 8), uint(h5, bytes, at + 8, width - 12), uint(h5, bytes, at + width - 4, 4))
        else one(uint(h5, bytes, at, 8)))
}

# What was done to each piece before it was written ----------------------------------------------------------------------------------

# The names of the filters, in the order in which they were applied; none without the message.
split_filters <- function(h5, body, name) {
    if (is.null(body)) return(character())
    version <- uint(h5, body, 0, 1)
    at <- if (version == 1) 8 else 2
    filters <- character()
    for (k in seq_len(uint(h5, body, 1, 1))) {
        number <- uint(h5, body, at, 2)
        if (!number %in% 1:3) stop_hdf5(h5, "{.val {name}} is compressed in a way that is not read (filter {number}).", repack)
        filters[k] <- c("deflate", "shuffle", "fletcher32")[number]
        if (version == 1) {
            values <- uint(h5, body, at + 6, 2)
            at <- at + 8 + 8 * ceiling(uint(h5, body, at + 2, 2) / 8) + 4 * (values + values %% 2)
        } else at <- at + 6 + 4 * uint(h5, body, at + 4, 2)
    }
    filters
}

undo_filters <- function(h5, bytes, filters, mask, count, width, name) {
    undone <- function(reason) stop_hdf5(h5, paste("A piece of {.val {name}}", reason))
    for (k in rev(seq_along(filters)[!has_bit(mask, seq_along(filters) - 1)]))
        bytes <- switch(filters[k],
            deflate = inflate(bytes, count + 4 * ("fletcher32" %in% filters[seq_len(k)]), undone),
            shuffle = as.vector(t(matrix(bytes, ncol = width))),                 # all first bytes, all second bytes, ...
            fletcher32 = check_fletcher(bytes, undone))
    if (length(bytes) != count) undone("does not unpack to its size.")
    bytes
}

# A stream of zlib that must unpack to `count` bytes, however much is in it. R's own memDecompress() has no bound, and gzcon() prints a
# complaint at the end of what is not a whole .gz file: so it is asked for all bytes but the last, which follows from the checksum.
inflate <- function(bytes, count, undone) {
    if (length(bytes) < 8 || count < 1) undone("is damaged.")
    header <- as.raw(c(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3))
    stream <- gzcon(rawConnection(c(header, bytes[-(1:2)])))
    on.exit(close(stream))
    found <- readBin(stream, "raw", count - 1)
    checksum <- readBin(utils::tail(bytes, 4), "integer", 2, 2, signed = FALSE, endian = "big")            # Adler-32
    sums <- two_sums(as.integer(found), 65521)
    last <- (checksum[2] - 1 - sums[1]) %% 65521
    if (length(found) != count - 1 || last > 255 || (count + sums[2] + checksum[2] - 1) %% 65521 != checksum[1]) undone("is damaged.")
    c(found, as.raw(last))
}

check_fletcher <- function(bytes, undone) {
    count <- length(bytes) - 4
    if (count < 0) undone("is damaged.")
    words <- readBin(c(bytes[seq_len(count)], raw(count %% 2)), "integer", ceiling(count / 2), 2, signed = FALSE, endian = "big")
    checksum <- readBin(bytes[count + 1:4], "integer", 2, 2, signed = FALSE, endian = "little")
    if (any(two_sums(words, 65535) != checksum %% 65535)) undone("is damaged.")
    bytes[seq_len(count)]
}

# The sum of x and the sum of its partial sums, on which both checksums rest.
two_sums <- function(x, modulus) {
    sums <- c(0, 0)
    for (first in 2^16 * (seq_len(ceiling(length(x) / 2^16)) - 1)) {
        block <- as.numeric(x[(first + 1):min(first + 2^16, length(x))])
        sums <- c(sums[1] + sum(block), sums[2] + length(block) * sums[1] + sum(length(block):1 * block)) %% modulus
    }
    sums
}
