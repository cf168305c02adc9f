# R/hdf5.R: reads the part of the HDF5 format in which model files are written: groups, attributes of text, plain arrays of numbers.
# A damaged file must end in an error of R, and the HDF5 library does not promise that: randomly damaged models were seen to end the
# session. Here every read lies inside the file, and every walk visits each place once at most.
# "HDF5 File Format Specification", The HDF Group: superblocks 0 to 3, object headers 1 and 2, groups of every kind.
# Addresses and lengths are doubles (exact to 2^53) and count from 0.

undefined_address <- 2^64                                                        # eight bytes of 0xff, as a double

# An open file: an environment with its connection, size in bytes, base address and root; close it with close_hdf5().
open_hdf5 <- function(source) {
    h5 <- new.env(parent = emptyenv())
    h5$source <- source
    h5$size <- file.size(source$file)
    h5$base <- h5$bytes_of_numbers <- 0
    h5$text <- h5$groups <- h5$visited <- list()                                 # collections of text, links of groups, by address
    h5$file <- file(source$file, "rb")
    tryCatch(read_superblock(h5), error = function(error) { close_hdf5(h5); stop(error) })
    h5
}

close_hdf5 <- function(h5) close(h5$file)

stop_hdf5 <- function(h5, reason = "It is damaged: its parts point to places that do not exist.", advice = NULL,
                      envir = parent.frame()) {
    stop_model_file(h5$source, reason, advice, envir = envir)
}

# Bytes -------------------------------------------------------------------------------------------------------------------

read_bytes <- function(h5, address, count) {
    address <- address + h5$base
    if (is.na(address + count) || count < 0 || address < 0 || address + count > h5$size) stop_hdf5(h5)
    seek(h5$file, address)
    readBin(h5$file, "raw", count)
}

# The unsigned number in `width` bytes, lowest first.
uint <- function(h5, bytes, at, width) {
    if (is.na(at) || at < 0 || at + width > length(bytes)) stop_hdf5(h5)
    sum(as.integer(bytes[at + seq_len(width)]) * 256^(seq_len(width) - 1))
}

part <- function(h5, bytes, at, count) {
    if (is.na(at + count) || at < 0 || count < 0 || at + count > length(bytes)) stop_hdf5(h5)
    bytes[at + seq_len(count)]
}

# Text up to the first zero byte; in a damaged file any byte may be there.
as_text <- function(bytes) {
    end <- match(as.raw(0), bytes, nomatch = length(bytes) + 1) - 1
    text <- rawToChar(bytes[seq_len(end)])
    Encoding(text) <- if (validUTF8(text)) "UTF-8" else "latin1"
    enc2utf8(text)
}

expect_mark <- function(h5, bytes, mark) {
    if (!identical(part(h5, bytes, 0, 4), charToRaw(mark))) stop_hdf5(h5)
}

# Superblock: where the root group is -----------------------------------------------------------------------------------------

read_superblock <- function(h5) {
    start <- 0
    signature <- as.raw(c(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a))
    while (start + 100 <= h5$size && !identical(read_bytes(h5, start, 8), signature))
        start <- if (start == 0) 512 else 2 * start
    if (start + 100 > h5$size) stop_hdf5(h5, "It is not an HDF5 file.")
    block <- read_bytes(h5, start, 100)
    version <- uint(h5, block, 8, 1)
    early <- version < 2
    if (version > 3 || any(block[if (early) 14:15 else 10:11] != as.raw(8)))
        stop_hdf5(h5, "Its HDF5 superblock is of a kind that Keras does not write.")
    first <- if (early) 24 + 4 * version else 12                                 # base, another, end of file, ...
    stored_size <- uint(h5, block, first + 16, 8)
    if (stored_size > h5$size)
        stop_hdf5(h5, "It is cut short: {h5$size} of {stored_size} bytes are there.")
    h5$root <- uint(h5, block, if (early) first + 40 else first + 24, 8)
    h5$base <- start
}

# Objects: a header is a list of messages --------------------------------------------------------------------------------------

# -> list of list(type, body); continuation blocks are followed.
read_messages <- function(h5, address) {
    start <- read_bytes(h5, address, 16)
    late <- identical(start[1:4], charToRaw("OHDR"))
    if (late) {
        flags <- uint(h5, start, 5, 1)
        first <- 6 + 16 * has_bit(flags, 5) + 4 * has_bit(flags, 4)
        width <- 2^(flags %% 4)
        head <- read_bytes(h5, address, first + width)
        blocks <- list(c(address + first + width, uint(h5, head, first, width)))
        prefix <- 4 + 2 * has_bit(flags, 2)
    } else {
        if (uint(h5, start, 0, 1) != 1) stop_hdf5(h5)
        blocks <- list(c(address + 16, uint(h5, start, 8, 4)))
        prefix <- 8
    }
    messages <- list()
    visited <- 0
    while (visited < length(blocks)) {
        visited <- visited + 1
        if (visited > 1000) stop_hdf5(h5)
        bytes <- read_bytes(h5, blocks[[visited]][1], blocks[[visited]][2])
        found <- split_messages(h5, bytes, late, prefix)
        for (message in Filter(function(message) message$type == 16, found)) {
            block <- c(uint(h5, message$body, 0, 8), uint(h5, message$body, 8, 8))
            if (late) block <- block + c(4, -8)                                  # without its mark and checksum
            blocks <- c(blocks, list(block))
        }
        messages <- c(messages, found)
    }
    messages
}

split_messages <- function(h5, bytes, late, prefix) {
    messages <- list()
    at <- 0
    while (at + prefix <= length(bytes)) {
        type <- uint(h5, bytes, at, if (late) 1 else 2)
        size <- uint(h5, bytes, at + if (late) 1 else 2, 2)
        flags <- uint(h5, bytes, at + if (late) 3 else 4, 1)
        messages[[length(messages) + 1]] <- list(type = type, shared = has_bit(flags, 1), body = part(h5, bytes, at + prefix, size))
        at <- at + prefix + size
    }
    messages
}

has_bit <- function(flags, bit) flags %/% 2^bit %% 2 == 1

find_message <- function(messages, type) {
    for (message in messages) if (message$type == type && !message$shared) return(message$body)
    NULL
}

# Groups: names and addresses ----------------------------------------------------------------------------------------------------

# The address of `path` below the group at `address`; an error when it is not there, or leads out of the file.
find_object <- function(h5, address, path) {
    steps <- strsplit(path, "/", fixed = TRUE)[[1]]
    if (length(steps) == 0 || length(steps) > 50) stop_hdf5(h5, "{.val {path}} is not the name of a stored object.")
    for (step in steps) {
        links <- list_group(h5, address)
        if (!step %in% names(links)) stop_hdf5(h5, "It has no {.val {path}}.")
        address <- links[[match(step, names(links))]]
        if (is.na(address)) stop_hdf5(h5, "{.val {path}} is a link to another place; only plain objects are read.")
    }
    address
}

# Addresses named by their links; NA for a soft or external link.
list_group <- function(h5, address) {
    key <- format(address, digits = 20)
    if (is.null(h5$groups[[key]])) h5$groups[[key]] <- read_group(h5, address)
    h5$groups[[key]]
}

read_group <- function(h5, address) {
    messages <- read_messages(h5, address)
    table <- find_message(messages, 17)
    if (!is.null(table)) return(list_symbols(h5, uint(h5, table, 0, 8), uint(h5, table, 8, 8)))
    bodies <- c(lapply(Filter(function(message) message$type == 6, messages), `[[`, "body"),
                read_dense(h5, find_message(messages, 2), counter_bytes = 8))
    links <- lapply(bodies, read_link, h5 = h5)
    stats::setNames(vapply(links, `[[`, 0, "address"), vapply(links, `[[`, "", "name"))
}

read_link <- function(body, h5) {
    flags <- uint(h5, body, 1, 1)
    hard <- !has_bit(flags, 3) || uint(h5, body, 2, 1) == 0
    at <- 2 + has_bit(flags, 3) + 8 * has_bit(flags, 2) + has_bit(flags, 4)
    width <- 2^(flags %% 4)
    count <- uint(h5, body, at, width)
    list(name = as_text(part(h5, body, at + width, count)), address = if (hard) uint(h5, body, at + width + count, 8) else NA_real_)
}

# The older kind: a tree of tables whose names lie in a heap.
list_symbols <- function(h5, tree, heap) {
    head <- read_bytes(h5, heap, 32)
    expect_mark(h5, head, "HEAP")
    names <- read_bytes(h5, uint(h5, head, 24, 8), uint(h5, head, 8, 8))
    addresses <- numeric()
    for (entry in tree_entries(h5, tree, key_bytes = 8)) {
        table <- uint(h5, entry, 8, 8)
        start <- read_bytes(h5, table, 8)
        expect_mark(h5, start, "SNOD")
        count <- uint(h5, start, 6, 2)
        entries <- read_bytes(h5, table + 8, 40 * count)
        for (at in 40 * (seq_len(count) - 1)) {
            offset <- uint(h5, entries, at, 8)
            name <- as_text(part(h5, names, offset, length(names) - offset))
            addresses[name] <- if (uint(h5, entries, at + 16, 4) == 2) NA_real_ else uint(h5, entries, at + 8, 8)
        }
    }
    addresses
}

# The entries of a tree's leaves, each a key and an address, as bytes. Levels fall by one at each step, so the walk ends; no file of
# a model has as many entries as the bound.
tree_entries <- function(h5, address, key_bytes, level = NULL) {
    head <- read_bytes(h5, address, 24)
    expect_mark(h5, head, "TREE")
    own <- uint(h5, head, 5, 1)
    if (own > 8 || (!is.null(level) && own != level)) stop_hdf5(h5)
    count <- uint(h5, head, 6, 2)
    h5$tree_entries <- 1 + count + if (is.null(level)) 0 else h5$tree_entries
    if (h5$tree_entries > most_entries) stop_hdf5(h5)
    bytes <- read_bytes(h5, address + 24, (key_bytes + 8) * count)
    entries <- lapply(seq_len(count), function(k) part(h5, bytes, (key_bytes + 8) * (k - 1), key_bytes + 8))
    if (own == 0) return(entries)
    unlist(lapply(entries, function(entry) tree_entries(h5, uint(h5, entry, key_bytes, 8), key_bytes, own - 1)), recursive = FALSE)
}

most_entries <- 50000

# The newer kind, once there are more than a few: links or attributes lie in a heap, and a tree lists where. `info` is the message
# with both addresses.
read_dense <- function(h5, info, counter_bytes) {
    if (is.null(info)) return(list())
    at <- 2 + counter_bytes * has_bit(uint(h5, info, 1, 1), 0)
    heap <- uint(h5, info, at, 8)
    if (heap >= undefined_address) return(list())
    heap <- open_heap(h5, heap)
    tree <- uint(h5, info, at + 8, 8)
    head <- read_bytes(h5, tree, 34)
    expect_mark(h5, head, "BTHD")
    skip <- if (uint(h5, head, 5, 1) == 5) 4 else 0                              # links: a hash before the place in the heap
    records <- tree_records(h5, head)
    lapply(records, function(record) read_heap(h5, heap, part(h5, record, skip, heap$id_bytes)))
}

# Records of a tree of at most two levels, which holds more than a thousand of them.
tree_records <- function(h5, head) {
    node_bytes <- uint(h5, head, 6, 4)
    record_bytes <- uint(h5, head, 10, 2)
    depth <- uint(h5, head, 12, 2)
    if (depth > 1 || record_bytes == 0 || node_bytes > 2^20) stop_hdf5(h5, "It has more than a thousand entries in one list.")
    records <- function(address, count, mark) {
        bytes <- read_bytes(h5, address, 6 + count * record_bytes)
        expect_mark(h5, bytes, mark)
        lapply(seq_len(count), function(k) part(h5, bytes, 6 + (k - 1) * record_bytes, record_bytes))
    }
    root <- uint(h5, head, 16, 8)
    count <- uint(h5, head, 24, 2)
    if (depth == 0) return(if (count == 0) list() else records(root, count, "BTLF"))
    width <- floor(log2((node_bytes - 10) %/% record_bytes)) %/% 8 + 1           # bytes that a node's number of records takes
    pointers <- read_bytes(h5, root + 6 + count * record_bytes, (count + 1) * (8 + width))
    leaves <- lapply(seq_len(count + 1), function(k)
        records(uint(h5, pointers, (k - 1) * (8 + width), 8), uint(h5, pointers, (k - 1) * (8 + width) + 8, width), "BTLF"))
    c(records(root, count, "BTIN"), unlist(leaves, recursive = FALSE))
}

# A heap is cut into blocks: rows of `width`, the first two rows of `block` bytes each, then twice as large from row to row.
open_heap <- function(h5, address) {
    head <- read_bytes(h5, address, 142)
    expect_mark(h5, head, "FRHP")
    heap <- list(id_bytes = uint(h5, head, 5, 2), width = uint(h5, head, 110, 2), block = uint(h5, head, 112, 8),
                 largest = uint(h5, head, 120, 8), offset_bytes = ceiling(uint(h5, head, 128, 2) / 8), root = uint(h5, head, 132, 8),
                 rows = uint(h5, head, 140, 2))
    if (uint(h5, head, 7, 2) != 0 || heap$width == 0 || heap$block == 0 || heap$rows > 64) stop_hdf5(h5)
    heap
}

read_heap <- function(h5, heap, id) {
    if (uint(h5, id, 0, 1) != 0) stop_hdf5(h5, "It keeps an entry in a way that Keras does not.")
    offset <- uint(h5, id, 1, heap$offset_bytes)
    count <- uint(h5, id, 1 + heap$offset_bytes, heap$id_bytes - 1 - heap$offset_bytes)
    if (heap$rows == 0) return(read_bytes(h5, heap$root + offset, count))
    sizes <- heap$block * 2^pmax(0, seq_len(heap$rows) - 2)
    starts <- cumsum(c(0, sizes * heap$width))
    row <- findInterval(offset, starts)
    if (row > heap$rows || sizes[row] > heap$largest) stop_hdf5(h5)
    column <- (offset - starts[row]) %/% sizes[row]
    place <- 13 + heap$offset_bytes + 8 * ((row - 1) * heap$width + column)
    block <- uint(h5, read_bytes(h5, heap$root + place, 8), 0, 8)
    read_bytes(h5, block + (offset - starts[row]) %% sizes[row], count)
}
