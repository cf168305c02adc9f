# tests/testthat/helper-damage.R: damaged and hostile model files, made from the fixtures when they are needed. Number k of a kind is
# the same file every time.

damage_sources <- function() {
    path <- function(...) readBin(fixture_path(...), "raw", 1e6)
    list(early = path("stacks", "dense.h5"), late = path("formats", "latest.h5"), nested = path("containers", "keras2.h5"),
         keras2 = path("containers", "keras2_hard_sigmoid.keras"), keras3 = path("containers", "keras3_hard_sigmoid.keras"),
         tree = path("containers", "keras2.weights.h5"), pieces = path("formats", "pieces.h5"), packed = path("formats", "pieces_latest.h5"))
}

# j-th whole number below n of file k.
drawn <- function(k, j, n) ((k * 7919 + j * 104729 + k * j * 31 + 12289) %% 2147483647) %% n

# Places that hold structure, not weights: bytes of the file that are not zero.
structure_places <- function(bytes) which(bytes != 0)

# list(name, bytes, harmless: it may be read all the same).
flipped <- function(k, sources) {
    source <- sources[[1 + k %% length(sources)]]
    places <- structure_places(source)
    for (j in 1:(1 + k %% 5)) {
        at <- places[1 + drawn(k, j, length(places))]
        source[at] <- as.raw(bitwXor(as.integer(source[at]), bitwShiftL(1L, drawn(k, j + 50, 8))))
    }
    list(name = paste("flip", k), bytes = source, harmless = TRUE)
}

truncated <- function(k, sources) {
    source <- sources[[1 + k %% length(sources)]]
    keep <- if (k %% 3) drawn(k, 1, length(source)) else drawn(k, 1, 200)
    list(name = paste("cut", k), bytes = source[seq_len(keep)], harmless = FALSE)
}

# Eight bytes of the structure become a huge number: addresses, lengths, counts, dimensions.
inflated <- function(k, sources) {
    source <- sources[[1 + k %% length(sources)]]
    places <- structure_places(source)
    at <- 8 * (places[1 + drawn(k, 2, min(length(places), 4000))] %/% 8)
    huge <- list(rep(0xff, 8), c(rep(0xff, 7), 0x7f), c(0, 0, 0, 0, 1, 0, 0, 0), c(0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0))[[1 + drawn(k, 3, 4)]]
    source[at + 1:8] <- as.raw(huge)
    list(name = paste("huge", k), bytes = source[seq_along(sources[[1 + k %% length(sources)]])], harmless = TRUE)
}

# Two addresses of an HDF5 file change places, or one comes to stand where another was: cycles, and objects of the wrong kind.
crossed <- function(k, sources) {
    source <- sources[[c("early", "late", "nested", "tree", "pieces", "packed")[1 + k %% 6]]]
    words <- matrix(as.integer(source[seq_len(8 * (length(source) %/% 8))]), 8)
    value <- colSums(words * 256^(0:7))
    addresses <- which(value >= 48 & value < length(source) & value %% 8 == 0)
    from <- addresses[1 + drawn(k, 1, length(addresses))]
    to <- addresses[1 + drawn(k, 2, length(addresses))]
    bytes <- source
    bytes[8 * (to - 1) + 1:8] <- source[8 * (from - 1) + 1:8]
    if (k %% 2) bytes[8 * (from - 1) + 1:8] <- source[8 * (to - 1) + 1:8]
    list(name = paste("cross", k), bytes = bytes, harmless = TRUE)
}

# Words of the description are replaced by others of the same length, so that the file stays whole: shapes and counts that lie.
lying <- function(k, sources) {
    lies <- list(c("\"units\": 6", "\"units\": 9"), c("[null, 10]", "[null, 77]"), c("\"units\": 6", "\"units\":-6"), c("\"units\": 6", "\"units\":[]"),
                 c("\"Dense\"", "\"Dents\""), c("[[[\"scan\"", "[[[\"norm\""), c("\"units\": 3", "\"units\":1e"), c("\"layers\"", "\"layerz\""),
                 c("\"use_bias\": true", "\"use_bias\": fals"), c("\"output_layers\"", "\"output_lawyer\""), c("[null, 10]", "[null, {}]"),
                 c("model_config", "model_konfig"), c("layer_names", "layer_Names"), c("weight_names", "weight_nAmes"), c("\"relu\"", "\"ruin\""),
                 c("[null, 10]", "[null,1e9]"))
    lie <- lies[[1 + k %% length(lies)]]
    source <- Find(function(bytes) length(grepRaw(lie[1], bytes, fixed = TRUE)) > 0, sources[c("early", "nested")])
    found <- grepRaw(lie[1], source, fixed = TRUE, all = TRUE)
    stopifnot(nchar(lie[1]) == nchar(lie[2]))
    for (at in found) source[at - 1 + seq_len(nchar(lie[1]))] <- charToRaw(lie[2])
    list(name = paste("lie", lie[2]), bytes = source, harmless = FALSE)
}

# A stored zip archive (method 0) of these members; `claims`: other sizes than the true ones for the directory; deflated members
# are given as list(bytes = compressed, size = bytes of the content).
zip_of <- function(members, claims = list(), attributes = 0) {
    int <- function(x, bytes) as.raw(floor(x / 256^(seq_len(bytes) - 1)) %% 256)
    local <- directory <- raw()
    for (name in names(members)) {
        member <- members[[name]]
        packed <- is.list(member)
        data <- if (packed) member$bytes else member
        size <- if (packed) member$size else length(data)
        claim <- if (is.null(claims[[name]])) size else claims[[name]]
        head <- c(int(20, 2), int(0, 2), int(if (packed) 8 else 0, 2), raw(4), raw(4), int(length(data), 4), int(claim, 4), int(nchar(name), 2), raw(2))
        directory <- c(directory, charToRaw("PK\001\002"), int(20 + 3 * 256, 2), head, raw(2), raw(2), raw(2), int(attributes, 4), int(length(local), 4),
                       charToRaw(name))
        local <- c(local, charToRaw("PK\003\004"), head, charToRaw(name), data)
    }
    c(local, directory, charToRaw("PK\005\006"), raw(4), int(length(members), 2), int(length(members), 2), int(length(directory), 4), int(length(local), 4), raw(2))
}

archives <- function(sources) {
    weights <- sources$tree
    json <- charToRaw("{\"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": []}}")
    version <- charToRaw("{\"keras_version\": \"2.15.0\"}")
    zeros <- memCompress(raw(3e7), "gzip")                                       # a stream of zlib; its inside is what zip calls deflated
    bomb <- list(bytes = zeros[3:(length(zeros) - 4)], size = 3e7)
    plain <- list("config.json" = json, "metadata.json" = version, "model.weights.h5" = weights)
    with <- function(...) utils::modifyList(plain, list(...))
    members <- list(empty = list(), json_bomb = with("config.json" = bomb), weights_bomb = with("model.weights.h5" = bomb),
                    no_config = plain[-1], no_weights = plain[1:2], npz = c(plain[1:2], list("model.weights.npz" = weights)),
                    sharded = c(plain[1:2], list("model.weights.json" = json)), text_weights = with("model.weights.h5" = json),
                    binary_config = with("config.json" = weights), no_layers = plain,
                    deep = with("config.json" = charToRaw(strrep("[", 5000))), not_json = with("config.json" = charToRaw("{\"a\"")),
                    absolute = stats::setNames(plain, c("/config.json", "/metadata.json", "/model.weights.h5")),
                    above = stats::setNames(plain, c("../config.json", "../metadata.json", "../model.weights.h5")),
                    twice = c(plain, plain["config.json"]))
    files <- lapply(members, zip_of)
    files$link <- zip_of(with("model.weights.h5" = charToRaw("/etc/passwd")), attributes = 2716663808)     # a symbolic link of Unix
    files$claims_more <- zip_of(plain, claims = list("model.weights.h5" = 2^31 - 1))
    files$claims_less <- zip_of(plain, claims = list("model.weights.h5" = 10))
    many <- zip_of(plain)
    many[length(many) - 22 + 9:12] <- as.raw(0xff)                               # 65,535 members
    files$many <- many
    wide <- c(zip_of(plain)[seq_len(100)], charToRaw("PK\006\006"), as.raw(c(44, rep(0, 7), rep(0, 12))), rep(as.raw(0x7f), 32),
              charToRaw("PK\006\007"), raw(4), as.raw(c(100, rep(0, 7), 1, 0, 0, 0)), charToRaw("PK\005\006"), raw(4), rep(as.raw(0xff), 12), raw(2))
    files$wide <- wide
    unname(Map(function(name, bytes) list(name = paste("archive", name), bytes = bytes, harmless = FALSE), names(files), files))
}

# Files that are nothing at all.
nothing <- function() {
    signature <- as.raw(c(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a))
    bytes <- list(raw(), raw(1), charToRaw("no model"), signature, c(signature, raw(200)), c(signature, rep(as.raw(0xff), 5000)),
                  charToRaw("PK\003\004"), c(charToRaw("PK\003\004"), raw(100)), raw(1e6), charToRaw("{}"))
    Map(function(bytes, k) list(name = paste("nothing", k), bytes = bytes, harmless = FALSE), bytes, seq_along(bytes))
}

# All kinds; `each`: how many of those that are drawn.
damaged_files <- function(each) {
    sources <- damage_sources()
    drawn_kinds <- lapply(list(flipped, truncated, inflated, crossed), function(make) lapply(seq_len(each), make, sources = sources))
    c(unlist(drawn_kinds, recursive = FALSE), lapply(1:16, lying, sources = sources), archives(sources), nothing())
}

# What becomes of a damaged file: "error" of ours, "model", or what else was thrown.
fate <- function(damaged, file = tempfile()) {
    on.exit(unlink(file))
    writeBin(damaged$bytes, file)
    architecture <- fixture_path("containers", "keras2.json")
    tryCatch({
        tryCatch(read_model(file), nucleograd_error = function(error) {
            if (!grepl("weights only", conditionMessage(error))) stop(error)
            read_model(file, architecture = architecture)
        })
        "model"
    }, nucleograd_error = function(error) "error", error = function(error) conditionMessage(error))
}
