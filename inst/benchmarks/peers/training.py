"""An epoch of training per line read, by TensorFlow. Answers: seconds, accuracy over the epoch.

Usage: training.py network letters batch_size threads
"""
import sys
import time

import numpy as np
import tensorflow as tf

layers = tf.keras.layers
network, letters, batch_size, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)

code = np.zeros(128, dtype=np.int64)
code[[ord(letter) for letter in "ACGT"]] = range(4)
with open(letters) as file:
    x = np.eye(4, dtype=np.float32)[[code[np.frombuffer(line.strip().encode(), dtype=np.uint8)] for line in file]]
y = np.arange(len(x)) % 2


def convolutions(filters, norm_first, momentum):
    stack = []
    for block, count in enumerate(filters):
        pool, norm = layers.MaxPooling1D(3), layers.BatchNormalization(momentum=momentum)
        stack.append(layers.Conv1D(count, 12, padding="same", activation="relu"))
        stack += [norm, pool] if norm_first and block > 0 else [pool, norm]
    return stack


if network == "cnn":
    model = tf.keras.Sequential([tf.keras.Input((600, 4)), *convolutions([32, 64, 64], False, 0.9), layers.Flatten(),
                                 layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
else:
    model = tf.keras.Sequential([tf.keras.Input((500, 4)), *convolutions([32, 64, 64], True, 0.99), layers.LSTM(32),
                                 layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

model.fit(x[:4 * batch_size], y[:4 * batch_size], batch_size, epochs=1, verbose=0)       # traced before anybody counts
for line in sys.stdin:
    start = time.perf_counter()
    history = model.fit(x, y, batch_size, epochs=1, verbose=0).history
    print(time.perf_counter() - start, history["accuracy"][0], flush=True)
