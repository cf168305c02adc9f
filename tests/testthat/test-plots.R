skip_if_not_installed("ggplot2")
attribution <- scored(a = smooth_scores(400, 2), b = smooth_scores(100, 3), circular = c(TRUE, FALSE))
genes <- features_on("a", c(21, 201, 350), c(140, 320, 410), c("+", "-", "+"), seqinfo = genome_seqinfo(attribution@genome),
                     gene = c("left", "right", "over"), type = "CDS")
data_of <- function(plot, layer) ggplot2::layer_data(plot, layer)

test_that("every view is a ggplot that can be drawn and restyled", {
    views <- list(plot(attribution), plot(attribution, annotation = genes), plot(attribution, type = "locus"),
                  plot(attribution, type = "heatmap"), plot(gene_quantiles(attribution, genes, shifts = 9)))
    if (requireNamespace("ggseqlogo", quietly = TRUE)) views <- c(views, list(plot(attribution, type = "logo")))
    for (view in views) {
        expect_s3_class(view, "ggplot")
        expect_silent(ggplot2::ggplotGrob(view + ggplot2::theme_bw()))
    }
})

test_that("points are the scores and the line their running mean", {
    view <- plot(attribution, region = "b", k = 7)
    score <- base_scores(attribution, "b")
    expect_equal(data_of(view, 2)$y, score)
    expected <- vapply(1:100, function(i) mean(score[max(i - 3, 1):min(i + 3, 100)]), 0)
    expect_equal(data_of(view, 3)$y, expected)
})

test_that("the running mean goes over the origin of a circular contig, and knows gaps", {
    score <- c(4, NA, 1, 7, 2)
    naive <- function(k) vapply(1:5, function(i) mean(score[(i - 2 - k %/% 2 + seq_len(k)) %% 5 + 1], na.rm = TRUE), 0)
    for (k in 2:5) expect_equal(running_mean(score, k, TRUE), naive(k))
    expect_equal(running_mean(score, 1, FALSE), score)
    expect_equal(running_mean(score, 100, FALSE), rep(3.5, 5))
})

test_that("a region is a range, words, or a gene; over the origin it goes on", {
    x_of <- function(...) range(data_of(plot(attribution, ...), 2)$x)
    expect_equal(x_of(region = "a:11-30"), c(11, 30))
    expect_equal(x_of(region = GenomicRanges::GRanges("b:11-30")), c(11, 30))
    expect_equal(x_of(region = "a:391-420"), c(391, 420))
    expect_equal(x_of(region = "right", annotation = genes), c(101, 420))             # 100 bp on both sides
    over <- data_of(plot(attribution, region = "a:391-420"), 2)
    expect_equal(over$y, base_scores(attribution, "a")[c(391:400, 1:20)])
    heat <- data_of(plot(attribution, type = "heatmap", region = "a:1-8"), 1)
    expect_identical(nrow(heat), 32L)
})

test_that("genes are drawn on their lanes, also after the origin", {
    arrows <- data_of(plot(attribution, region = "a:391-420", annotation = genes), 4)
    expect_setequal(unique(round(arrows$x)), c(391, 410))
    lanes <- data_of(plot(attribution, annotation = genes), 4)
    expect_identical(length(unique(lanes$group)), 4L)                                    # the one over the origin shows at both ends
})

test_that("a circle has every stretch, every gene and the highlighted ones; a map marks them", {
    circle <- plot(attribution, type = "circle", annotation = genes, highlight = c("LEFT", "over"))
    expect_silent(ggplot2::ggplotGrob(circle))
    expect_equal(data_of(circle, 2)$ymax > data_of(circle, 2)$ymin, unname(data_of(circle, 2)$ymax > 0.55))
    expect_identical(nrow(data_of(circle, 3)), 4L + 3L)                                  # the one over the origin twice, in both rings
    expect_silent(ggplot2::ggplotGrob(plot(attribution, type = "circle", region = "b")))
    map <- plot(attribution, annotation = genes, highlight = "left")
    expect_equal(c(data_of(map, 1)$xmin, data_of(map, 1)$xmax), c(21, 140))
    expect_error(plot(attribution, annotation = genes, highlight = "nobody"), "nobody", class = "nucleograd_error_sets")
    expect_error(plot(attribution, highlight = "left"), class = "nucleograd_error_argument")
})

test_that("white is zero and the limits are symmetric", {
    scale <- ggplot2::ggplot_build(plot(attribution, type = "heatmap"))$plot$scales$get_scales("fill")
    expect_identical(scale$map(0), "#FFFFFF")
    expect_identical(scale$limits[1], -scale$limits[2])
})

test_that("thinning keeps the lowest and the highest of every bin", {
    points <- data.frame(position = 1:1000, score = smooth_scores(1000, 4))
    few <- thin(points, bins = 10, per_bin = 8)
    expect_lte(nrow(few), 80)
    expect_false(is.unsorted(few$position))
    for (k in 0:9) {
        here <- points$position %in% (100 * k + 1:100)
        kept <- few$position %in% (100 * k + 1:100)
        expect_identical(range(few$score[kept]), range(points$score[here]))
    }
    expect_identical(thin(points, bins = 100, per_bin = 10), points)
})

test_that("an unclear region is refused, in words", {
    expect_error(plot(attribution, region = "a:390-1000"), "a:390-1000", class = "nucleograd_error_regions")
    expect_error(plot(attribution, region = "b:90-110"), class = "nucleograd_error_regions")
    expect_error(plot(attribution, region = "dnaA"), "there is no annotation", class = "nucleograd_error_regions")
    expect_error(plot(attribution, region = "dnaA", annotation = genes), "is none of them", class = "nucleograd_error_regions")
    expect_error(plot(attribution, type = "logo", region = "a:1-301"), "has 301 bp", class = "nucleograd_error_regions")
    expect_error(plot(attribution, region = genes), class = "nucleograd_error_argument")
    expect_error(plot(attribution, type = "pie"), class = "nucleograd_error_argument")
})
