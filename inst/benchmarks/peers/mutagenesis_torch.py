"""Saturation mutagenesis of one window by tangermeme, with the three-layer network of ../architectures.R in PyTorch.

Usage: mutagenesis_torch.py length threads effects_file. A line read is a batch size. Answers: seconds.
"""
import sys
import time

import numpy as np
import torch
from tangermeme.saturation_mutagenesis import saturation_mutagenesis
from torch import nn

from architectures_torch import Formula, formula


class Rows(nn.Module):
    """(samples, channels, rows) to vectors, row by row as Keras flattens."""

    def forward(self, x):
        return x.permute(0, 2, 1).flatten(1)


def convolution(weights, channels, filters, taps):
    layer = nn.Conv1d(channels, filters, taps)
    layer.weight.data = weights.take((taps, channels, filters), 2 * np.sqrt(3 / (taps * channels))).permute(2, 1, 0).contiguous()
    layer.bias.data = weights.take((filters,), 0.2)
    before = (taps - 1) // 2                   # "same" as Keras has it: the odd row goes to the right
    return [nn.ConstantPad1d((before, taps - 1 - before), 0.0), layer, nn.ReLU()]


def normalization(weights, channels):
    layer = nn.BatchNorm1d(channels, eps=1e-3)
    layer.weight.data = weights.take((channels,), 0.4, 1.0)
    layer.bias.data = weights.take((channels,), 0.2)
    layer.running_mean = weights.take((channels,), 0.2, 0.3)
    layer.running_var = weights.take((channels,), 0.4, 0.6)
    return layer


def three_layer_network(length):
    weights, layers = Formula(), []
    for i, (channels, filters) in enumerate([(4, 32), (32, 64), (64, 64)]):
        layers += convolution(weights, channels, filters, 12)
        pool, norm = nn.MaxPool1d(3), normalization(weights, filters)
        layers += [pool, norm] if i == 0 else [norm, pool]
    inputs = length // 3 // 3 // 3 * 64
    dense = nn.Linear(inputs, 1)
    dense.weight.data = weights.take((inputs, 1), 2 * np.sqrt(3 / inputs)).T.contiguous()
    dense.bias.data = weights.take((1,), 0.2)
    return nn.Sequential(*layers, Rows(), dense).eval()


length, threads, file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(threads)
network = three_layer_network(length)
codes = np.floor((formula(length, 4096, 1.0) + 0.5) * 4).astype(np.int64)
window = torch.from_numpy(np.eye(4, dtype=np.int8)[codes].T[None].copy())
for line in sys.stdin:
    start = time.perf_counter()
    found = saturation_mutagenesis(network, window, batch_size=int(line), raw_outputs=True, device="cpu")
    seconds = time.perf_counter() - start
    effects = (found.y_hat - found.y0[:, None, None]).reshape(4, length)
    effects.T.double().contiguous().numpy().tofile(file)
    print(seconds, flush=True)
