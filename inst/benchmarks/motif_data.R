# inst/benchmarks/motif_data.R: random sequences with a response that one of their k-mers moves, and three tests of the motif that
# is selected there. Used by calibration.R and power.R.

motif_data <- function(seed, n, length_bp = 50, effect = 0, noise = "normal", k = 5) {
    set.seed(seed)
    x <- replicate(n, paste(sample(c("A", "C", "G", "T"), length_bp, replace = TRUE), collapse = ""))
    y <- switch(noise, normal = stats::rnorm(n), exponential = stats::rexp(n), t3 = stats::rt(n, 3))
    if (effect == 0) return(list(x = x, y = y))
    at <- sample.int(length_bp - k + 1, 1)
    motif <- substr(x[1], at, at + k - 1)
    a <- seism_activation(list(simple_pwm(motif)), x)[, 1]
    a <- a - mean(a)
    list(x = x, y = y + effect * a / sqrt(sum(a^2)), motif = motif)
}

# p of the first motif: c(naive, split, selected).
one_data_set <- function(x, y, seed, sigma = NULL, transform = "none", test = c("split", "selected")) {
    settings <- list(x, y, k = 5, q = 1, max_candidates = 200, B = 199, L = 15, seed = seed, transform = transform, polish = "none", threads = 2)
    p <- vapply(test, function(test) do.call(seism, c(settings, list(test = test, sigma = if (test == "selected") sigma)))$motifs$p, 0)
    selected <- do.call(seism, c(settings, list(test = "saturated", sigma = if (is.null(sigma)) NULL else sigma)))
    a <- selected$activations[, 1]
    z <- if (transform == "normal") stats::qnorm((rank(y) - 0.5) / length(y)) else y
    c(naive = stats::anova(stats::lm(z ~ a))[["Pr(>F)"]][1], p)
}
