"""One gradient of the sporulation network per line read, at the genome of the formula. Answers: seconds, logit.

Usage: megabase.py length threads gradient_file
"""
import sys
import time

import tensorflow as tf

from architectures import formula_bases, one_hot, sporulation_network

length, threads, gradient_file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)
network = sporulation_network(length)
genome = tf.constant(one_hot(formula_bases(length))[None])


@tf.function
def explain(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        logit = network(x, training=False)
    return logit, tape.gradient(logit, x)


explain(genome)                                # traced and warm before anybody counts
for line in sys.stdin:
    start = time.perf_counter()
    logit, gradient = (tensor.numpy() for tensor in explain(genome))
    seconds = time.perf_counter() - start
    gradient.tofile(gradient_file)             # float32, (length, 4) row by row
    print(seconds, repr(logit.item()), flush=True)
