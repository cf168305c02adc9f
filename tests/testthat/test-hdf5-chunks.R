# Arrays in pieces, compressed, and of every type of number (data-raw/fixtures/groups/formats.py): h5py wrote them, we find them.

stored_arrays <- function(name, file = "arrays.hdf5") {
    h5 <- open_hdf5(list(file = fixture_path("formats", file), call = NULL))
    on.exit(close_hdf5(h5))
    read_numbers(h5, find_object(h5, h5$root, name), name)
}

test_that("numbers of every type are read", {
    for (type in c("float16", "float32", "float64", "int8", "int16", "int32"))
        expect_identical(as.vector(stored_arrays(type)), -3:19 + 0, label = type)
    for (type in c("uint8", "uint16", "uint32")) expect_identical(as.vector(stored_arrays(type)), 0:19 + 0, label = type)
    expect_identical(as.vector(stored_arrays("extremes16")), c(2^-24, 65504, Inf, -Inf, NaN, -0.5))
    expect_identical(as.vector(stored_arrays("extremes32")), c(-2^31, 2^31 - 1))
    expect_identical(as.vector(stored_arrays("extremes_unsigned")), c(2^31, 2^32 - 1))
    for (type in c("int64", ">f4")) expect_error(stored_arrays(type), "does not hold numbers", class = "nucleograd_error_model_file")
})

test_that("arrays of many pieces are read, by every kind of list that arrays of fixed size have", {
    many <- structure(0:1499 + 0, dims = c(50L, 30L))
    for (name in c("pages", "pages_with_sums", "row")) expect_identical(stored_arrays(name), many, label = name)
    expect_identical(stored_arrays("deep_tree", "arrays_early.hdf5"), many)
    expect_identical(range(stored_arrays("zeros", "arrays_early.hdf5")), c(0, 0))
    expect_error(stored_arrays("growing"), "can grow", class = "nucleograd_error_model_file")
    expect_error(stored_arrays("unwritten"), class = "nucleograd_error_model_file")
})

test_that("both checksums find a byte that changed, and no stream unpacks to more than it should", {
    stop_here <- function(reason) stop(reason)
    content <- as.raw(1:70000 %% 251)
    packed <- memCompress(content, "gzip")
    expect_identical(inflate(packed, 70000, stop_here), content)
    for (count in c(1, 69999, 70001)) expect_error(suppressMessages(inflate(packed, count, stop_here)), "is damaged")
    packed[length(packed)] <- xor(packed[length(packed)], as.raw(4))
    expect_error(inflate(packed, 70000, stop_here), "is damaged")
    expect_identical(inflate(memCompress(as.raw(7), "gzip"), 1, stop_here), as.raw(7))
    long <- rep(65535 - 0:9, 20000)                                              # sums beyond the integers of R, in several blocks
    expect_identical(two_sums(as.integer(long), 65535), c(sum(long), sum(cumsum(long) %% 65535)) %% 65535)
    words <- as.raw(c(1, 2, 3, 4, 5))                                            # sums of 0x0102, 0x0304, 0x0500 and of their sums
    sums <- c(0x0102 + 0x0304 + 0x0500, 3 * 0x0102 + 2 * 0x0304 + 0x0500)
    stored <- c(words, as.raw(c(sums[1] %% 256, sums[1] %/% 256, sums[2] %% 256, sums[2] %/% 256)))
    expect_identical(check_fletcher(stored, stop_here), words)
    expect_error(check_fletcher(rev(stored), stop_here), "is damaged")
})
