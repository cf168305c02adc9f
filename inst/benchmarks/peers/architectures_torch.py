"""The sporulation network of architectures.R in PyTorch, with weights from the same formula; channels-last, its fastest layout."""
import numpy as np
import torch
from torch import nn


def formula(count, tensor, scale, shift=0.0):
    """Number i = 0, 1, ... of the formula in ../architectures.R, times scale, plus shift."""
    i = np.arange(1, count + 1, dtype=np.int64)
    linear = (1103515245 * i + 12345 * (tensor + 1)) % 2**31
    return (linear * (linear // 2**16) % 2**31 / 2**31 - 0.5) * scale + shift


def one_hot_bases(length):
    """The genome of the formula, (1, 4, 1, length)."""
    codes = np.floor((formula(length, 4096, 1.0) + 0.5) * 4).astype(np.int64)
    rows = torch.from_numpy(np.eye(4, dtype=np.float32)[codes])
    return rows.T[None, :, None, :].contiguous(memory_format=torch.channels_last)


class Formula:
    """Weights in the order and layout of Keras, one tensor after the other."""

    def __init__(self):
        self.tensor = 0

    def take(self, shape, scale, shift=0.0):
        values = formula(int(np.prod(shape)), self.tensor, scale, shift).reshape(shape).astype(np.float32)
        self.tensor += 1
        return torch.from_numpy(values)


def convolution(weights, channels, filters, kernel):
    layer = nn.Conv2d(channels, filters, (1, kernel))
    taken = weights.take((kernel, channels, filters), 2 * np.sqrt(3 / (kernel * channels)))
    layer.weight.data = taken.permute(2, 1, 0)[:, :, None, :].contiguous()
    layer.bias.data = weights.take((filters,), 0.2)
    before = (kernel - 1) // 2                 # "same" as Keras has it: the odd column goes to the right
    return [nn.ZeroPad2d((before, kernel - 1 - before, 0, 0)), layer, nn.ReLU()]


def normalization(weights, channels):
    layer = nn.BatchNorm2d(channels, eps=1e-3)
    layer.weight.data = weights.take((channels,), 0.4, 1.0)
    layer.bias.data = weights.take((channels,), 0.2)
    layer.running_mean = weights.take((channels,), 0.2, 0.3)
    layer.running_var = weights.take((channels,), 0.4, 0.6)
    return layer


def dense(weights, inputs, units):
    layer = nn.Linear(inputs, units)
    layer.weight.data = weights.take((inputs, units), 2 * np.sqrt(3 / inputs)).T.contiguous()
    layer.bias.data = weights.take((units,), 0.2)
    return layer


class Rows(nn.Module):
    """(1, channels, 1, rows) to a vector, row by row as Keras flattens."""

    def forward(self, x):
        return x[:, :, 0, :].transpose(1, 2).flatten(1)


def sporulation_network(length):
    """Up to its logit."""
    weights, stack, channels, rows = Formula(), [], 4, length
    for block, filters in enumerate([32, 32, 64, 64, 128, 128, 256]):
        stack += convolution(weights, channels, filters, 24)
        pool, norm = nn.MaxPool2d((1, 4)), normalization(weights, filters)
        stack += [pool, norm] if block == 0 else [norm, pool]
        channels, rows = filters, rows // 4
    stack += [Rows(), dense(weights, rows * channels, 128), nn.ReLU(), dense(weights, 128, 1)]
    network = nn.Sequential(*stack).eval().to(memory_format=torch.channels_last)
    return network.requires_grad_(False)
