# R/hdf5-values.R: attributes of text and arrays of numbers of an open HDF5 file (R/hdf5.R).

# Attribute `name` of the object at `address`, a character vector; NULL when there is none. Keras stores an empty list as no numbers.
read_text_attribute <- function(h5, address, name) {
    messages <- read_messages(h5, address)
    bodies <- c(lapply(Filter(function(message) message$type == 12 && !message$shared, messages), `[[`, "body"),
                read_dense(h5, find_message(messages, 21), counter_bytes = 2))
    for (body in bodies) {
        attribute <- split_attribute(h5, body)
        if (attribute$name == name) return(decode_text(h5, attribute))
    }
    NULL
}

# -> list(name, type, space, data), the last three as bytes.
split_attribute <- function(h5, body) {
    version <- uint(h5, body, 0, 1)
    if (!version %in% 1:3 || (version > 1 && uint(h5, body, 1, 1) != 0)) stop_hdf5(h5)
    sizes <- c(uint(h5, body, 2, 2), uint(h5, body, 4, 2), uint(h5, body, 6, 2))
    taken <- if (version == 1) 8 * ceiling(sizes / 8) else sizes                 # the first version fills up to eight bytes
    at <- (if (version == 3) 9 else 8) + c(0, cumsum(taken))
    list(name = as_text(part(h5, body, at[1], sizes[1])), type = part(h5, body, at[2], sizes[2]),
         space = part(h5, body, at[3], sizes[3]), data = body[-seq_len(min(at[4], length(body)))])
}

decode_text <- function(h5, attribute) {
    count <- prod(read_dims(h5, attribute$space))
    class <- uint(h5, attribute$type, 0, 1) %% 16
    width <- uint(h5, attribute$type, 4, 4)
    if (class == 3 && width > 0) {
        bytes <- part(h5, attribute$data, 0, count * width)
        return(vapply(seq_len(count), function(k) sub(" +$", "", as_text(part(h5, bytes, (k - 1) * width, width))), ""))
    }
    if (class == 9 && uint(h5, attribute$type, 1, 1) %% 16 == 1) {
        part(h5, attribute$data, 0, 16 * count)
        return(vapply(16 * (seq_len(count) - 1), function(at) read_long_text(h5, part(h5, attribute$data, at, 16)), ""))
    }
    if (count > 0) stop_hdf5(h5, "Its attribute {.field {attribute$name}} is not text.")
    character()
}

# Text of any length lies in a collection: length, address of the collection, number in it.
read_long_text <- function(h5, reference) {
    count <- uint(h5, reference, 0, 4)
    if (count == 0) return("")
    address <- uint(h5, reference, 4, 8)
    index <- uint(h5, reference, 12, 4)
    collection <- read_collection(h5, address)
    place <- match(index, collection$index)
    if (is.na(place)) stop_hdf5(h5)
    as_text(part(h5, collection$bytes, collection$at[place], count))
}

read_collection <- function(h5, address) {
    key <- format(address, digits = 20)
    if (!is.null(h5$text[[key]])) return(h5$text[[key]])
    head <- read_bytes(h5, address, 16)
    expect_mark(h5, head, "GCOL")
    bytes <- read_bytes(h5, address, uint(h5, head, 8, 8))
    index <- at <- numeric()
    next_at <- 16
    while (next_at + 16 <= length(bytes)) {
        number <- uint(h5, bytes, next_at, 2)
        if (number == 0) break                                                   # the rest is free
        index <- c(index, number)
        at <- c(at, next_at + 16)
        next_at <- next_at + 16 + 8 * ceiling(uint(h5, bytes, next_at + 8, 8) / 8)
    }
    h5$text[[key]] <- list(bytes = bytes, index = index, at = at)
}

# The lengths of the axes; none for one value.
read_dims <- function(h5, space) {
    version <- uint(h5, space, 0, 1)
    rank <- uint(h5, space, 1, 1)
    if (!version %in% 1:2 || rank > 8) stop_hdf5(h5)
    if (version == 2 && uint(h5, space, 3, 1) == 2) return(0)                     # no value at all
    dims <- vapply(seq_len(rank), function(k) uint(h5, space, (if (version == 1) 8 else 4) + 8 * (k - 1), 8), 0)
    if (prod(dims) > most_bytes(h5)) stop_hdf5(h5, "It announces more data than it holds.")
    dims
}

# How much all arrays of a file may take: no weights shrink to less than a tenth, but a small file may well hold zeros alone.
most_bytes <- function(h5) 10 * max(h5$size, 2^21)

# The dataset at `address`: numbers in row-major order, with the attribute "dims".
read_numbers <- function(h5, address, name) {
    messages <- read_messages(h5, address)
    type <- find_message(messages, 3)
    space <- find_message(messages, 1)
    layout <- find_message(messages, 8)
    if (is.null(type) || is.null(space) || is.null(layout)) stop_hdf5(h5, "{.val {name}} is not an array of numbers.")
    class <- uint(h5, type, 0, 1) %% 16
    width <- uint(h5, type, 4, 4)
    if (!class %in% 0:1 || uint(h5, type, 1, 1) %% 2 != 0 || !width %in% if (class == 0) c(1, 2, 4) else c(2, 4, 8))
        stop_hdf5(h5, "{.val {name}} does not hold numbers of type float16, float32, float64 or integers of up to 32 bits.")
    dims <- read_dims(h5, space)
    count_bytes(h5, prod(dims) * width)
    signed <- has_bit(uint(h5, type, 1, 1), 3)
    as_numbers <- function(bytes, count) decode_numbers(h5, bytes, count, class, width, signed)
    kind <- uint(h5, layout, 1, 1)
    if (!uint(h5, layout, 0, 1) %in% 3:5 || kind > 2) stop_hdf5(h5, "{.val {name}} is stored in a way that is not read.", repack)
    values <- if (prod(dims) == 0) numeric()
              else if (kind == 0) as_numbers(part(h5, layout, 4, prod(dims) * width), prod(dims))
              else if (kind == 1) as_numbers(read_bytes(h5, uint(h5, layout, 2, 8), prod(dims) * width), prod(dims))
              else read_chunks(h5, layout, find_message(messages, 11), dims, width, as_numbers, name)
    structure(values, dims = as.integer(dims))
}

# Each array is named once, but names may be repeated.
count_bytes <- function(h5, count) {
    h5$bytes_of_numbers <- h5$bytes_of_numbers + count
    if (h5$bytes_of_numbers > most_bytes(h5)) stop_hdf5(h5, "It announces more data than it holds.")
}

decode_numbers <- function(h5, bytes, count, class, width, signed) {
    if (class == 0 && width == 4) {
        values <- as.numeric(readBin(bytes, "integer", count, 4, endian = "little"))
        values[is.na(values)] <- -2^31                                           # what R takes for a missing integer
        return(if (signed) values else values %% 2^32)
    }
    if (class == 0) return(as.numeric(readBin(bytes, "integer", count, width, signed = signed, endian = "little")))
    if (width > 2) return(readBin(bytes, "double", count, width, endian = "little"))
    bits <- readBin(bytes, "integer", count, 2, signed = FALSE, endian = "little")
    exponent <- bits %/% 1024 %% 32
    size <- ifelse(exponent == 0, bits %% 1024 * 2^-24, (1 + bits %% 1024 / 1024) * 2^(exponent - 15))
    size[exponent == 31] <- ifelse(bits[exponent == 31] %% 1024 == 0, Inf, NaN)
    ifelse(bits < 2^15, size, -size)
}
