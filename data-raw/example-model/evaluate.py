"""How well the network does on genomes and phyla that it was not trained on."""
import numpy as np
import tensorflow as tf
import split
from attribution import NODES, rank_features
from sequences import reverse_complement
from windows import Composition, WIDTH, one_hot, overlap, shuffle_pairs

SEED = 61
DRAWN = 4000                            # windows a kind


def logits(model, windows):
    inner = tf.keras.Model(model.input, model.layers[-1].input)
    kernel, bias = (weight.numpy() for weight in (model.layers[-1].kernel, model.layers[-1].bias))
    parts = np.array_split(windows, len(windows) // 1024 + 1)
    return np.concatenate([(inner(one_hot(part), training=False).numpy() @ kernel + bias)[:, 0] for part in parts])


def both_strands(model, windows):
    return np.concatenate([logits(model, windows), logits(model, reverse_complement(windows))])


def area_under_curve(positive, negative):
    """Chance that a window with 16S scores above one without; ties count half."""
    negative = np.sort(negative)
    below = np.searchsorted(negative, positive, "left") + np.searchsorted(negative, positive, "right")
    return float(below.mean() / 2 / len(negative))


def evaluate_genome(model, genome, step=WIDTH // 2):
    """Both strands of a window every `step` bases: with at least half 16S, or with none. What lies between is left out."""
    starts = genome.starts[genome.starts % step == 0]
    shared = overlap(starts, split.widen(genome.loci, 0))
    clear = overlap(starts, split.widen(genome.loci, split.MARGIN)) == 0
    at = lambda chosen: genome.codes[chosen[:, None] + np.arange(WIDTH)]
    positive, negative = both_strands(model, at(starts[shared >= WIDTH // 2])), both_strands(model, at(starts[clear]))
    return {"loci": len(genome.loci), "positive": len(positive), "negative": len(negative),
            "auc": area_under_curve(positive, negative), "sensitivity": float((positive > 0).mean()),
            "specificity": float((negative < 0).mean()), "lowest_positive": float(positive.min()),
            "false_positives": int((negative > 0).sum()), "highest_negative": float(negative.max())}


def evaluate(model, data, known, genes, genomes, gffs):
    rng = np.random.default_rng(SEED)
    source = split.gene_source(genes)
    phyla = {}
    for phylum in sorted({phylum for phylum, _, _ in genes}):
        ours = [gene for gene in genes if gene[0] == phylum]
        score = both_strands(model, split.gene_source(ours).draw(rng, 1000))
        phyla[phylum] = {"genes": len(ours), "sensitivity": float((score > 0).mean()), "median": float(np.median(score))}
    kinds = {"random sequence, GC 15-35 %": Composition(0.15, 0.35).draw(rng, DRAWN),
             "random sequence, GC 65-85 %": Composition(0.65, 0.85).draw(rng, DRAWN),
             "16S of these phyla, pairs shuffled": np.array([shuffle_pairs(w, rng) for w in source.draw(rng, DRAWN)])}
    if gffs:
        for name, query in {"at least half 23S": (split.large_subunit, WIDTH // 2), "holds a tRNA": (split.trna, 70)}.items():
            kinds[name] = split.feature_source(data, known, gffs, *query).draw(rng, DRAWN)
    figures = {"genomes": {name: evaluate_genome(model, genome)
                           for name, genome in split.read_genomes(data, known, genomes).items()},
               "phyla": phyla,
               "kinds": {name: float((both_strands(model, windows) < 0).mean()) for name, windows in kinds.items()},
               "blank": float(logits(model, np.full((1, WIDTH), 4, np.uint8))[0]), "ranks": {}, "nodes": NODES}
    for gff in gffs:
        ranked, gap = rank_features(model, data / "annotation" / "prokka" / f"{gff}.gff.gz")
        places = [i + 1 for i, (_, f) in enumerate(ranked) if f[3] == "rRNA" and f[4].startswith("16S")]
        other = next((mean, f) for mean, f in ranked if not (f[3] == "rRNA" and f[4].startswith("16S")))
        figures["ranks"][gff] = {"features": len(ranked), "places": places, "first": ranked[0][0],
                                 "last_16s": ranked[places[-1] - 1][0], "best_other": other[0],
                                 "other_name": f"{other[1][4]} ({other[1][3]}, {other[1][2] - other[1][1]} bp)", "gap": gap}
    return figures
