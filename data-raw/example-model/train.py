"""Trains the network that the package ships: does a window of 500 bp hold (part of) a 16S rRNA gene?

    pip install -r requirements.txt
    python train.py --data DATA [--filters 16 32 48] [--out ../../inst/extdata]

DATA holds rrna16s/rdp_train_set_14.fa.gz, genomes/*.fna.gz and annotation/prokka/*.gff.gz (inst/extdata/README.md).
Writes rrna16s.h5 and rrna16s-card.md. Without --out it prints the validation figures that settings are chosen by, and
touches neither test genomes nor test phyla. Seeds are fixed; two CPU threads; about ten minutes.
"""
import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
import numpy as np
import tensorflow as tf
import card
import split
from evaluate import evaluate, logits
from windows import Blank, Composition, Source, WIDTH, either_strand, mutate, one_hot, shuffle_pairs

SEED = 16
STEPS = 3000                            # batches before, and again after, the search for hard negatives
SHARES = {"gene": 64, "locus": 32, "genome": 56, "operon": 28, "trna": 8, "random": 12, "shuffled": 24, "blank": 2, "hard": 30}
POSITIVE = ("gene", "locus")


def network(filters):
    """Blocks in deepG's order: convolution, pooling, normalisation; from the second on normalisation before pooling."""
    keras = tf.keras
    window = keras.Input((WIDTH, 4), name="window")
    x = keras.layers.Conv1D(filters[0], 12, padding="same", activation="relu")(window)
    x = keras.layers.MaxPooling1D(4)(x)
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    for channels, size in zip(filters[1:], (8, 6)):
        x = keras.layers.Conv1D(channels, size, padding="same", activation="relu")(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.MaxPooling1D(4 if size == 8 else 2)(x)
    x = keras.layers.GlobalAveragePooling1D()(x)
    x = keras.layers.Dense(32, activation="relu")(x)
    return keras.Model(window, keras.layers.Dense(1, activation="sigmoid", name="rrna16s")(x), name="rrna16s")


def training_sources(data, known, genes, rng):
    sources = split.genome_sources(split.read_genomes(data, known, split.training_names(data)), rng)
    sources["gene"] = split.gene_source(genes)
    sources["trna"] = split.feature_source(data, known, split.TRAINING_GFF, split.trna, 40)
    sources["random"] = Composition(0.15, 0.85)
    shuffled = np.concatenate([shuffle_pairs(window, rng) for window in sources["gene"].draw(rng, 10000)])
    sources["shuffled"] = Source(shuffled, np.arange(0, len(shuffled), WIDTH))
    sources["blank"] = Blank()
    sources["hard"] = sources["operon"]
    return sources


def batch(sources, rng):
    windows = np.concatenate([sources[kind].draw(rng, n) for kind, n in SHARES.items()])
    labels = np.concatenate([np.full(n, kind in POSITIVE, np.float32) for kind, n in SHARES.items()])
    return one_hot(either_strand(mutate(windows, rng), rng)), labels[:, None]


def hard_negatives(model, source, rng, drawn=200000, kept=4000):
    """The windows without 16S, of training genomes, that the network is least sure about."""
    starts = rng.choice(source.starts, drawn, replace=False)
    score = np.concatenate([logits(model, source.at(part)) for part in np.array_split(starts, 100)])
    return Source(source.codes, starts[np.argsort(-score, kind="stable")[:kept]])


def train(filters, sources, rng):
    tf.keras.utils.set_random_seed(SEED)
    model = network(filters)
    model.compile(tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(2e-3, 2 * STEPS)), "binary_crossentropy")
    for phase in ("all", "hard"):
        if phase == "hard":
            sources["hard"] = hard_negatives(model, sources["genome"], rng)
        for step in range(STEPS):
            loss = model.train_on_batch(*batch(sources, rng))
            if step % 500 == 499:
                print(f"{phase} {step + 1}: loss {loss:.4f}", flush=True)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--filters", type=int, nargs=3, default=(16, 32, 48))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(2)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    began = time.time()
    rng = np.random.default_rng(SEED)
    genes = split.read_genes(options.data)
    known, parts = split.find_known(genes), split.split_genes(genes)
    sources = training_sources(options.data, known, parts["training"], rng)
    print(f"sources ready after {time.time() - began:.0f} s", {k: len(s) for k, s in sources.items() if isinstance(s, Source)})
    model = train(options.filters, sources, rng)
    print(f"trained after {time.time() - began:.0f} s, {model.count_params()} parameters")
    figures = {"validation": evaluate(model, options.data, known, parts["validation"], split.VALIDATION_GENOMES, ())}
    if options.out:
        figures["test"] = evaluate(model, options.data, known, parts["test"], split.TEST_GENOMES, split.TEST_GFF)
        model.save(options.out / "rrna16s.h5", include_optimizer=False, save_format="h5")
        (options.out / "rrna16s-card.md").write_text(card.write(model, options, parts, SHARES, figures))
    for part in figures.values():
        print(card.tables(part))
    print(f"done after {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
