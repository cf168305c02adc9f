"""Integrated gradients of the sporulation network's logit in float64 or float32, midpoint rule, uniform baseline.

Usage: values.py length threads nodes file precision    Answers the line read with: seconds, logit; the file holds float64 scores (length, 4).
"""
import sys
import time

import tensorflow as tf

tf.keras.backend.set_floatx(sys.argv[5])
from architectures import formula_bases, one_hot, sporulation_network  # noqa: E402

length, threads, nodes, file = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)
network = sporulation_network(length)
genome = tf.cast(tf.constant(one_hot(formula_bases(length))[None]), sys.argv[5])


@tf.function
def explain(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        logit = network(x, training=False)
    return logit, tape.gradient(logit, x)


for line in sys.stdin:
    start = time.perf_counter()
    total = tf.zeros_like(genome)
    for node in range(nodes):
        total += explain(0.25 + (node + 0.5) / nodes * (genome - 0.25))[1] / nodes
    logit = explain(genome)[0]
    ((genome - 0.25) * total).numpy().astype("float64").tofile(file)
    print(time.perf_counter() - start, repr(logit.numpy().item()), flush=True)
