# longtests/gene-sets.R: p-values of gene_set_test() on scores without signal that resemble their neighbours, 600 genomes a row, beside
# those that genes drawn at random would give.
#     R_LIBS=build/library Rscript longtests/gene-sets.R
suppressMessages({ library(nucleograd); library(testthat) })
toys <- new.env(parent = asNamespace("nucleograd"))
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "..", "tests", "testthat", "helper-genome.R"), local = toys)
options(cli.progress_show_after = Inf)
local({
    runs <- 600
    genes <- features_on("a", seq(11, 5961, 50), seq(50, 6000, 50), gene = paste0("g", 1:120))
    sets <- list(operon = 5:14, two_operons = c(5:9, 60:64), scattered = c(3, 11, 27, 38, 44, 61, 75, 86, 103, 117))
    drawn_p_value <- function(mean, members, score) {
        walk <- function(members) max(running_set(mean, members, 1)$sum)
        (1 + sum(replicate(99, walk(sample(120, length(members)))) >= score)) / 100
    }
    cat(sprintf("%-12s %-22s %10s %10s %10s\n", "set", "annotation", "<= 0.01", "<= 0.05", "<= 0.20"))
    failed <- 0
    show <- function(set, way, p, honest) {
        shares <- vapply(c(0.01, 0.05, 0.2), function(level) mean(p <= level), 0)
        within <- all(abs(shares - c(0.01, 0.05, 0.2)) <= 3.3 * sqrt(c(0.01, 0.05, 0.2) * c(0.99, 0.95, 0.8) / runs))
        if (honest && !within) failed <<- failed + 1
        cat(sprintf("%-12s %-22s %10.3f %10.3f %10.3f  %s\n", set, way, shares[1], shares[2], shares[3],
                    if (!honest) "for comparison" else if (within) "pass" else "FAIL"))
    }
    for (set in names(sets)) {
        p <- vapply(seq_len(runs), function(seed) {
            score <- as.numeric(stats::filter(smooth_scores(6000, seed), rep(1, 400), circular = TRUE))
            one <- list(set = genes$gene[sets[[set]]])
            scores <- scored(a = score, circular = TRUE)
            bases <- gene_set_test(scores, one, genes, shifts = 99, seed = seed)
            ranks <- gene_set_test(gene_quantiles(scores, genes, shifts = 1, seed = seed), one, shifts = 99, seed = seed)
            c(bases$table$p_value, ranks$table$p_value, drawn_p_value(bases$features$mean, sets[[set]], bases$table$score))
        }, numeric(3))
        show(set, "moved by bases", p[1, ], TRUE)
        show(set, "moved by genes", p[2, ], TRUE)
        show(set, "genes drawn at random", p[3, ], FALSE)
    }
    if (failed) quit(status = 1)
}, envir = toys)
