# Variants under a motif network against windows written by hand, and negative sequences against what they promise.

variant_fit <- ordered_network()
variant_data <- ordered_motifs()

test_that("each variant is read in the middle of its window", {
    named <- unique(motifs(variant_fit)$motif)
    positive <- as.character(variant_data$x[variant_data$y == 1][1:6])
    genome <- Biostrings::DNAStringSet(c(long = paste(positive, collapse = ""), exact = positive[[1]]))
    text <- as.character(genome)
    table <- data.frame(contig = c("long", "long", "long", "long", "long", "exact"), position = c(3, 250, 320, 598, 450, 45), ref = NA,
                        alt = c("A", "ACGT", "T", "C", "", "G"))
    table$ref <- unname(substring(text[table$contig], table$position, table$position + c(0, 0, 2, 2, 4, 0)))
    table$alt[5] <- substr(table$ref[5], 1, 1)
    found <- variant_effect(variant_fit, genome, table)
    by_hand <- function(k, allele) {
        row <- table[k, ]
        whole <- paste0(substr(text[[row$contig]], 1, row$position - 1), allele, substring(text[[row$contig]], row$position + nchar(row$ref)))
        start <- max(1, min(row$position - 50, nchar(whole) - 99))
        substr(whole, start, start + 99)
    }
    before <- predict(variant_fit, vapply(1:6, function(k) by_hand(k, table$ref[k]), ""), "logit")
    after <- predict(variant_fit, vapply(1:6, function(k) by_hand(k, table$alt[k]), ""), "logit")
    expect_equal(found$prediction, before, tolerance = 1e-6)
    expect_equal(found$changed, after, tolerance = 1e-6)
    expect_equal(found$effect, after - before, tolerance = 1e-5)
    probability <- variant_effect(variant_fit, genome, table, output = "probability")
    expect_equal(probability$effect, stats::plogis(after) - stats::plogis(before), tolerance = 1e-6)
    expect_s3_class(ggplot2::ggplot_build(plot(found))$plot, "ggplot")
    expect_snapshot(error = TRUE, {
        variant_effect(variant_fit, genome, table, step = 5)
        variant_effect(variant_fit, genome, data.frame(contig = "exact", position = 10, ref = substr(text[["exact"]], 10, 12), alt = "N"))
    })
})

test_that("hits that a variant breaks or makes are told", {
    fit <- variant_fit
    fit$settings$cut <- 0.3
    positive <- variant_data$x[variant_data$y == 1]
    clear <- hits(fit, positive, 0.3)
    clear <- clear[clear$ratio > 1.5][1:8]
    contig <- as.character(GenomicRanges::seqnames(clear))
    middle <- GenomicRanges::start(clear) + 3
    genome <- positive[unique(contig)]
    ref <- substring(as.character(genome[contig]), middle, middle + 1)
    broken <- vapply(strsplit(ref, ""), function(pair) paste(c(A = "C", C = "A", G = "T", T = "G")[pair], collapse = ""), "")
    breaks <- variant_effect(fit, genome, data.frame(contig, position = middle, ref, alt = broken))
    word <- paste0(clear$motif, "(", as.character(GenomicRanges::strand(clear)), ")")
    expect_gte(mean(mapply(grepl, word, breaks$lost, fixed = TRUE)), 0.75)
    changed <- genome
    for (k in seq_along(contig)[!duplicated(contig)])
        changed[[contig[k]]] <- Biostrings::replaceAt(changed[[contig[k]]], IRanges::IRanges(middle[k], width = 2), broken[k])
    first <- which(!duplicated(contig))
    back <- variant_effect(fit, changed, data.frame(contig, position = middle, ref = broken, alt = ref)[first, ])
    expect_identical(back$gained, breaks$lost[first])
    expect_identical(back$lost, breaks$gained[first])
    # bases put in before all hits move them: the same hits, so far as they were in the window
    longer <- Biostrings::DNAStringSet(paste0(strrep("A", 30), as.character(genome), strrep("A", 30)))
    names(longer) <- names(genome)
    moved <- variant_effect(fit, longer, data.frame(contig = names(longer), position = 31, ref = substr(as.character(genome), 1, 1),
                                                    alt = paste0(substr(as.character(genome), 1, 1), "AA")))
    expect_gte(mean(moved$lost == "" & moved$gained == ""), 0.7)
})

test_that("negative sequences are what they promise to be", {
    piece <- Biostrings::subseq(example_genome(), 1, 60000)
    peaks <- GenomicRanges::GRanges(names(piece), IRanges::IRanges(seq(1001, by = 1000, length.out = 50), width = 200))
    text <- as.character(piece)[[1]]
    expect_message(any_window <- motif_negatives(peaks, piece, seed = 1), "GC content")
    matched <- suppressMessages(motif_negatives(peaks, piece, "gc", seed = 1))
    for (windows in list(any_window, matched)) {
        expect_identical(unique(Biostrings::width(windows)), 200L)
        expect_length(windows, 50)
        expect_identical(anyDuplicated(names(windows)), 0L)
        place <- methods::as(names(windows), "GRanges")
        expect_false(any(IRanges::overlapsAny(place, peaks)))
        expect_identical(as.character(windows, use.names = FALSE), substring(text, GenomicRanges::start(place), GenomicRanges::end(place)))
        expect_equal(S4Vectors::mcols(windows)$gc, vapply(strsplit(as.character(windows, use.names = FALSE), ""), function(x) mean(x %in% c("C", "G")), 0))
    }
    positive <- substring(text, GenomicRanges::start(peaks), GenomicRanges::end(peaks))
    gc <- vapply(strsplit(positive, ""), function(x) mean(x %in% c("C", "G")), 0)
    expect_lte(max(abs(S4Vectors::mcols(matched)$gc - gc)), 0.03)
    shuffled <- suppressMessages(motif_negatives(peaks, piece, "dinucleotide", seed = 1))
    expect_identical(Biostrings::dinucleotideFrequency(shuffled), Biostrings::dinucleotideFrequency(Biostrings::DNAStringSet(positive)))
    expect_identical(suppressMessages(motif_negatives(Biostrings::DNAStringSet(positive), method = "dinucleotide", seed = 1)) == shuffled, rep(TRUE, 50))
    expect_identical(suppressMessages(motif_negatives(peaks, piece, "gc", seed = 1)), matched)
    # places are uniform: one window a draw, contigs by their length
    two <- Biostrings::DNAStringSet(c(a = strrep("ACGT", 250), b = strrep("ACGT", 750)))
    many <- suppressMessages(motif_negatives(GenomicRanges::GRanges("a", IRanges::IRanges(rep(1, 500), width = 10)), two, seed = 2))
    start <- as.numeric(sub(".*:(.*)-.*", "\\1", names(many)))
    share <- mean(grepl("^b", names(many)))
    expect_lt(abs(share - 2991 / (2991 + 991 - 10)), 4 * sqrt(0.25 * 0.75 / 500))
    expect_gt(stats::ks.test(start[grepl("^b", names(many))], "punif", 1, 2991)$p.value, 1e-3)
    expect_snapshot(error = TRUE, {
        motif_negatives(Biostrings::DNAStringSet("ACGT"), piece)
        motif_negatives(GenomicRanges::GRanges("a", IRanges::IRanges(1, 990)), two["a"], seed = 1)
        motif_negatives(GenomicRanges::GRanges("a", IRanges::IRanges(c(1, 1), c(10, 11))), two)
    })
})

test_that("what is left when a hundredth runs out is the nearest", {
    expect_identical(matched_gc(c(0.5, 0.5, 0.2), c(0.9, 0.5, 0.45, 0.201)), c(2L, 3L, 4L))
})
