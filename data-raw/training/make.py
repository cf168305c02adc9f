"""One step of training, and a hundred, by Keras: tests/testthat/fixtures/training/.

    python3 -m venv venv && venv/bin/pip install -r ../fixtures/requirements.txt && venv/bin/python make.py

Each case is a small network before training (NAME.h5), after one step (NAME.step.h5), its sequences and targets, and the loss of every
step over all samples at once (NAME.json).
"""
import json
import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, losses, optimizers

SAMPLES = 24


def cnn():
    x = layers.Input((40, 4))
    y = layers.Conv1D(12, 7, padding="same", activation="relu")(x)
    y = layers.BatchNormalization(momentum=0.9)(layers.MaxPooling1D(2)(y))
    y = layers.Conv1D(8, 5, strides=2, activation="tanh")(y)
    y = layers.BatchNormalization(epsilon=1e-2, scale=False)(y)
    y = layers.Conv1D(6, 3, padding="causal", dilation_rate=2)(y)
    y = layers.BatchNormalization()(layers.Dense(7, activation="elu")(layers.GlobalAveragePooling1D()(y)))
    return tf.keras.Model(x, layers.Dense(3, activation="softmax")(y))


def recurrent():
    x = layers.Input((20, 4))
    y = layers.Bidirectional(layers.LSTM(7, return_sequences=True))(x)
    y = layers.GRU(6, return_sequences=True)(y)
    y = layers.GRU(5, reset_after=False, recurrent_activation="hard_sigmoid")(y)
    return tf.keras.Model(x, layers.Dense(1, activation="sigmoid")(y))


def others():
    x = layers.Input((18, 4))
    y = layers.LayerNormalization()(layers.Dense(8)(x))
    y = layers.Add()([y, layers.MultiHeadAttention(2, 4)(y, y)])
    y = layers.SeparableConv1D(8, 3, padding="same", depth_multiplier=2)(y)
    y = layers.PReLU(shared_axes=[1])(layers.DepthwiseConv1D(5, padding="same")(y))
    y = layers.Conv1DTranspose(6, 4, strides=2, padding="same", activation="softplus")(layers.Conv1D(8, 3, groups=2)(y))
    y = layers.TimeDistributed(layers.Dense(3, activation="swish"))(y)
    return tf.keras.Model(x, layers.Dense(2)(layers.Flatten()(y)))


CASES = {
    "cnn": (cnn, losses.CategoricalCrossentropy(), optimizers.Adam(0.003), 100),
    "recurrent": (recurrent, losses.BinaryCrossentropy(), optimizers.AdamW(0.01, weight_decay=0.05), 10),
    "others": (others, losses.MeanSquaredError(), optimizers.SGD(0.02, momentum=0.9, nesterov=True), 10),
}


def make(name, folder):
    build, loss, optimizer, steps = CASES[name]
    tf.keras.backend.clear_session()
    tf.keras.utils.set_random_seed(sum(map(ord, name)))
    model = build()
    for weight in model.trainable_weights:                     # biases and scales that are not 0 and 1
        if len(weight.shape) == 1:
            weight.assign_add(np.random.uniform(-0.1, 0.1, weight.shape))
    codes = np.random.randint(0, 4, (SAMPLES, model.input_shape[1]))
    x = np.eye(4, dtype="float32")[codes]
    units = model.output_shape[-1]
    y = {"cnn": np.eye(3)[np.random.randint(0, 3, SAMPLES)], "recurrent": np.random.randint(0, 2, (SAMPLES, 1)).astype(float),
         "others": np.random.normal(size=(SAMPLES, units)).round(3)}[name]
    model.compile(optimizer, loss)
    model.save(f"{folder}/{name}.h5", include_optimizer=False)
    values = []
    for step in range(steps):
        values.append(float(model.train_on_batch(x, y)))
        if step == 0:
            model.save(f"{folder}/{name}.step.h5", include_optimizer=False)
    with open(f"{folder}/{name}.json", "w") as file:
        json.dump({"sequences": ["".join("ACGT"[c] for c in row) for row in codes], "y": y.tolist(), "losses": values,
                   "tensorflow": tf.__version__}, file)
    print(name, values[0], values[-1])


if __name__ == "__main__":
    target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/testthat/fixtures/training")
    os.makedirs(target, exist_ok=True)
    for case in sys.argv[1:] or CASES:
        make(case, target)
