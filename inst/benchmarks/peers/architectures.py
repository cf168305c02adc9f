"""The networks of architectures.R in Keras, with weights from the same formula."""
import numpy as np
import tensorflow as tf

layers = tf.keras.layers


def formula(count, tensor, scale, shift=0.0):
    """Number i = 0, 1, ... of the formula in ../architectures.R, times scale, plus shift."""
    i = np.arange(1, count + 1, dtype=np.int64)
    linear = (1103515245 * i + 12345 * (tensor + 1)) % 2**31
    return (linear * (linear // 2**16) % 2**31 / 2**31 - 0.5) * scale + shift


def formula_bases(length):
    return np.floor((formula(length, 4096, 1.0) + 0.5) * 4).astype(np.int64)


def one_hot(codes):
    return np.eye(4, dtype=np.float32)[codes]


def scales(layer):
    """(scale, shift) of a layer's weights, in Keras order."""
    bias = (0.2, 0.0)
    if isinstance(layer, layers.BatchNormalization):
        return [(0.4, 1.0), bias, (0.2, 0.3), (0.4, 0.6)]
    fan_in = [np.prod(weight.shape[:-1]) for weight in layer.weights[:-1]]
    return [(2 * np.sqrt(3 / inputs), 0.0) for inputs in fan_in] + [bias]


def fill(model):
    tensor = 0
    for layer in model.layers:
        filled = []
        for weight, (scale, shift) in zip(layer.weights, scales(layer) if layer.weights else []):
            filled.append(formula(np.prod(weight.shape), tensor, scale, shift).reshape(weight.shape))
            tensor += 1
        layer.set_weights(filled)
    return model


def trunk(filters, kernel, pool):
    stack = []
    for block, count in enumerate(filters):
        shrink, normalize = layers.MaxPooling1D(pool), layers.BatchNormalization()
        stack.append(layers.Conv1D(count, kernel, padding="same", activation="relu"))
        stack += [shrink, normalize] if block == 0 else [normalize, shrink]
    return stack


def sporulation_network(length):
    """Up to its logit: the sigmoid is left out."""
    return fill(tf.keras.Sequential([tf.keras.Input((length, 4)), *trunk([32, 32, 64, 64, 128, 128, 256], 24, 4),
                                     layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(1)]))


def window_network(length=500):
    return fill(tf.keras.Sequential([tf.keras.Input((length, 4)), *trunk([32, 64, 64], 12, 3),
                                     layers.LSTM(32), layers.Dense(2, activation="softmax")]))


def lstm_network(units, length):
    return fill(tf.keras.Sequential([tf.keras.Input((length, 4)), layers.LSTM(units), layers.Dense(2, activation="softmax")]))
