"""Windows of a genome through a network, once per line read: predict, predict_encoded or ig. Answers: seconds.

Usage: scan.py network sequence starts length threads nodes values
    network    "window", "lstm_<units>_<length>", or a Keras HDF5 file
    sequence   letters of the contig; of a circular one with its beginning again, for windows over the origin
    starts     int32, 0-based
    length     of the contig
    values     where results go, float64: predictions (windows, outputs), or scores (length, 4), means over windows
"""
import sys
import time

import numpy as np
import tensorflow as tf

from architectures import lstm_network, window_network

network, sequence, starts, length, threads, nodes, values_file = sys.argv[1:]
length, threads, nodes = int(length), int(threads), int(nodes)
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)

if network == "window":
    model = window_network()
elif network.startswith("lstm_"):
    model = lstm_network(*map(int, network.split("_")[1:]))
else:
    model = tf.keras.models.load_model(network, compile=False)
activation = model.layers[-1].activation
model.layers[-1].activation = tf.keras.activations.linear        # the model gives logits from here on
window = model.input_shape[1]
classes = model.output_shape[1]
# The first logit minus the mean of the others.
target = np.array([1.0] + [-1 / (classes - 1) for _ in range(1, classes)], np.float32)

letters = np.frombuffer(open(sequence, "rb").read(), np.uint8)
starts = np.fromfile(starts, np.int32)
rows = np.zeros((256, 4), np.float32)
rows[np.frombuffer(b"ACGT", np.uint8)] = np.eye(4)
batch = 512


@tf.function(input_signature=[tf.TensorSpec((None, window, 4))])
def probabilities(x):
    return activation(model(x, training=False))


@tf.function(input_signature=[tf.TensorSpec((None, window, 4))])
def integrated_gradients(x):
    """Uniform baseline, midpoint rule, all nodes of all windows in one batch."""
    positions = (np.arange(nodes, dtype=np.float32)[:, None, None] + 0.5) / nodes
    difference = x - 0.25
    path = tf.reshape(0.25 + positions * difference[:, None], (-1, window, 4))
    with tf.GradientTape() as tape:
        tape.watch(path)
        explained = model(path, training=False) * target
    gradient = tf.reshape(tape.gradient(explained, path), (-1, nodes, window, 4))
    return difference * tf.reduce_mean(gradient, axis=1)


def encode(first, count):
    return rows[letters[starts[first:first + count, None] + np.arange(window)]]


def predict():
    return np.concatenate([probabilities(encode(first, batch)).numpy() for first in range(0, len(starts), batch)])


def predict_encoded():
    return np.concatenate([probabilities(x).numpy() for x in encoded])


def ig():
    scores, times = np.zeros((len(letters), 4)), np.zeros((len(letters), 1))
    together = batch // nodes
    for first in range(0, len(starts), together):
        found = integrated_gradients(encode(first, together)).numpy()
        for start, window_scores in zip(starts[first:], found):
            scores[start:start + window] += window_scores
            times[start:start + window] += 1
    over = len(letters) - length
    scores[:over] += scores[length:]
    times[:over] += times[length:]
    return scores[:length] / times[:length]


encoded = [tf.constant(encode(first, batch)) for first in range(0, len(starts), batch)]
cases = {"predict": predict, "predict_encoded": predict_encoded, "ig": ig}
probabilities(encode(0, batch))                # traced and warm before anybody counts
integrated_gradients(encode(0, batch // nodes))
for line in sys.stdin:
    begin = time.perf_counter()
    values = cases[line.strip()]()
    seconds = time.perf_counter() - begin
    values.astype(np.float64).tofile(values_file)
    print(seconds, flush=True)
