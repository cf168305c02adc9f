# deepG's tokens, in plain R: 1 to 4 for A, C, G, T, 5 for any other letter, 0 if there is no 5.
tokens_of <- function(genome, starts, window, tokens) {
    token <- match(strsplit(as.character(genome[[1]]), "")[[1]], c("A", "C", "G", "T"), nomatch = if (tokens > 5) 5 else 0)
    t(vapply(starts, function(start) token[start + seq_len(window) - 1], numeric(window)))
}
rows_of_tokens <- function(token, tokens) array(as.numeric(outer(as.vector(token), seq_len(tokens) - 1, `==`)), c(dim(token), tokens))

ambiguous_genome <- function(length_bp, seed) {
    letters <- as.character(random_genome(length_bp, seed = seed)[[1]])
    Biostrings::DNAStringSet(c(contig_1 = gsub("^(.{7}).(.{20})..", "\\1N\\2RN", letters)))
}

expect_tokens_read <- function(model, tokens) {
    window <- model@inputs[[1]][1]
    genome <- ambiguous_genome(3 * window + 5, seed = 1)
    found <- predict(model, genome, step = 4)
    token <- tokens_of(genome, BiocGenerics::start(found), window, tokens)
    outputs <- as.matrix(S4Vectors::mcols(found))
    from_arrays <- predict(model, token)
    expect_equal(unname(outputs), unname(matrix(aperm(from_arrays), length(found), byrow = TRUE)), tolerance = 1e-6)

    scores <- attribution(model, genome, nodes = 5)
    starts <- BiocGenerics::start(scores@windows)
    token <- tokens_of(genome, starts, window, tokens)
    x <- rows_of_tokens(token, tokens)
    baseline <- x
    for (k in 1:tokens) baseline[, , k][token %in% 1:4] <- if (k %in% 2:5) 0.25 else 0
    from_arrays <- attribution(model, x, baseline = baseline, nodes = 5)
    sums <- times <- matrix(0, BiocGenerics::width(genome), 4)
    for (w in seq_along(starts)) {
        here <- starts[w] + seq_len(window) - 1
        sums[here, ] <- sums[here, ] + from_arrays[w, , 2:5]
        times[here, ] <- times[here, ] + 1
    }
    expect_equal(unname(scores@scores[[1]]), sums / times, tolerance = 1e-12)
    expect_true(all(scores@scores[[1]][match(c("N", "R"), strsplit(as.character(genome[[1]]), "")[[1]]), ] == 0))
    expect_equal(S4Vectors::mcols(scores@windows)$gap, attr(from_arrays, "windows")$gap, tolerance = 1e-12)
}

test_that("a model of tokens reads a genome as it reads arrays of deepG's tokens", {
    for (name in c("learned", "sinusoid", "max_first")) expect_tokens_read(read_model(fixture_path("transformers", paste0(name, ".h5"))), 6)
})

token_model <- function(tokens) {
    network <- toy_network(c(12, tokens), dense(random_array(c(tokens, 16), 1)), conv(random_array(c(5, 16, 16), 2), padding = "valid"),
                           activation("relu"), flatten(), dense(random_array(c(128, 2), 3) / 8), activation("softmax"))
    network$nodes[[1]]$config$tokens <- as.double(tokens)
    model_from(network)
}

test_that("what no vocabulary of deepG has is told apart", {
    expect_tokens_read(token_model(5), 5)
    expect_tokens_read(token_model(9), 9)
    genome <- random_genome(30, seed = 1)
    expect_error(predict(token_model(3), genome), "or one of 5 tokens or more, to run over a genome", class = "nucleograd_error_unsupported")
    regions <- GenomicRanges::GRanges("contig_1:3-6")
    expect_error(knockout(token_model(6), genome, regions), "Its input is .12, 6., of tokens", class = "nucleograd_error_unsupported")
})

test_that("a plan of tokens is the one that runs", {
    ahead <- plan(token_model(6), random_genome(30, seed = 1), nodes = 3)
    expect_equal(as.data.frame(ahead)$shape[1], "(12, 6)")
})
