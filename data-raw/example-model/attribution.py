"""Integrated gradients of whole genomes in TensorFlow, and the rank of the 16S genes among the features of an annotation."""
import gzip
import numpy as np
import tensorflow as tf
from sequences import read_fasta
from windows import WIDTH, one_hot

NODES = 50                              # Gauss-Legendre nodes on the path from the uniform baseline
FEATURES = ("CDS", "rRNA", "tRNA", "tmRNA")


def read_gff(path):
    """Contigs (name -> codes) and features (contig, start, end, type, product, strand; 0-based, half-open) of a Prokka GFF3."""
    with gzip.open(path, "rt") as file:
        text = file.read()
    rows, fasta = text.split("##FASTA", 1)
    contigs = {header.split()[0]: codes for header, codes in read_fasta(fasta.splitlines()[1:])}
    features = []
    for row in rows.splitlines():
        if not row.startswith("#"):
            field = row.split("\t")
            if field[2] in FEATURES:
                features.append((field[0], int(field[3]) - 1, int(field[4]), field[2], field[8].split("product=")[-1].split(";")[0], field[6]))
    return contigs, features


def integrated_gradients(model, windows, batch=32):
    """One score a base, the logits of the windows and the completeness gaps."""
    logit_model = tf.keras.Model(model.input, model.layers[-1].input)
    kernel, bias = model.layers[-1].kernel, model.layers[-1].bias
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    nodes, weights = ((nodes + 1) / 2).astype(np.float32), (weights / 2).astype(np.float32)

    @tf.function(reduce_retracing=True)
    def logit(x):
        return (tf.matmul(logit_model(x, training=False), kernel) + bias)[:, 0]

    @tf.function(reduce_retracing=True)
    def mean_gradient(x):
        path = 0.25 + (x - 0.25)[:, None] * tf.constant(nodes)[None, :, None, None]
        path = tf.reshape(path, (-1, WIDTH, 4))
        with tf.GradientTape() as tape:
            tape.watch(path)
            y = logit(path)
        gradient = tf.reshape(tape.gradient(y, path), (-1, NODES, WIDTH, 4))
        return tf.reduce_sum(gradient * tf.constant(weights)[None, :, None, None], 1)

    baseline = float(logit(tf.fill((1, WIDTH, 4), 0.25))[0])
    scores, logits = np.empty(windows.shape, np.float32), np.empty(len(windows), np.float32)
    for first in range(0, len(windows), batch):
        x = tf.constant(one_hot(windows[first:first + batch]))
        scores[first:first + batch] = tf.reduce_sum((x - 0.25) * mean_gradient(x), 2).numpy()
        logits[first:first + batch] = logit(x).numpy()
    return scores, logits, scores.sum(1) - (logits - baseline)


def rank_features(model, path, step=WIDTH // 2):
    """Features from the highest mean score to the lowest, as (mean, feature), and the largest completeness gap."""
    contigs, features = read_gff(path)
    means, largest_gap = [], 0.0
    for name, codes in contigs.items():
        if len(codes) < WIDTH:
            continue
        starts = np.unique(np.append(np.arange(0, len(codes) - WIDTH + 1, step), len(codes) - WIDTH))
        scores, _, gap = integrated_gradients(model, codes[starts[:, None] + np.arange(WIDTH)])
        largest_gap = max(largest_gap, float(np.abs(gap).max()))
        total, cover = np.zeros(len(codes)), np.zeros(len(codes))
        for start, score in zip(starts, scores):
            total[start:start + WIDTH] += score
            cover[start:start + WIDTH] += 1
        base = total / cover
        means += [(float(base[f[1]:f[2]].mean()), f) for f in features if f[0] == name]
    return sorted(means, reverse=True), largest_gap
