"""One gradient of the sporulation network per line read, at the genome of the formula. Answers: seconds, logit, peak memory in MB.

Usage: megabase.py way length threads gradient_file
    way    "function": forward and gradient compiled once; "eager": as deepG does it, a tape for each node of the path
"""
import resource
import sys
import time

import tensorflow as tf

from architectures import formula_bases, one_hot, sporulation_network

way, length, threads, gradient_file = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)
network = sporulation_network(length)
genome = tf.constant(one_hot(formula_bases(length))[None])
baseline = tf.fill(genome.shape, 0.25)


def explain(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        logit = network(x, training=False)
    return logit, tape.gradient(logit, x)


def explain_eagerly(x):
    """The node of the path is made from both ends, as for any other; this one is the genome itself."""
    return explain(baseline + 1.0 * (x - baseline))


explain_node = {"function": tf.function(explain), "eager": explain_eagerly}[way]
explain_node(genome)                           # traced and warm before anybody counts
for line in sys.stdin:
    start = time.perf_counter()
    logit, gradient = (tensor.numpy() for tensor in explain_node(genome))
    seconds = time.perf_counter() - start
    gradient.tofile(gradient_file)             # float32, (length, 4) row by row
    print(seconds, repr(logit.item()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, flush=True)
