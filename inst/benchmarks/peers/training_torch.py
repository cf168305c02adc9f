"""An epoch of training per line read, by PyTorch; channels-last convolutions, its fastest layout. Answers: seconds, accuracy.

Usage: training_torch.py network letters batch_size threads
"""
import sys
import time

import numpy as np
import torch
from torch import nn

network, letters, batch_size, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)

code = np.zeros(128, dtype=np.int64)
code[[ord(letter) for letter in "ACGT"]] = range(4)
with open(letters) as file:
    codes = np.array([code[np.frombuffer(line.strip().encode(), dtype=np.uint8)] for line in file])
x = torch.from_numpy(np.eye(4, dtype=np.float32)[codes]).permute(0, 2, 1)[:, :, None, :].contiguous(memory_format=torch.channels_last)
y = torch.arange(len(x)) % 2


class Rows(nn.Module):
    """(batch, channels, 1, rows) to (batch, rows, channels)."""

    def forward(self, x):
        return x[:, :, 0, :].transpose(1, 2)


class Last(nn.Module):
    def __init__(self, channels, units):
        super().__init__()
        self.lstm = nn.LSTM(channels, units, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0][:, -1]


def convolutions(filters, norm_first, momentum):
    stack, channels = [], 4
    for block, count in enumerate(filters):
        pool, norm = nn.MaxPool2d((1, 3)), nn.BatchNorm2d(count, eps=1e-3, momentum=1 - momentum)
        stack += [nn.ZeroPad2d((5, 6, 0, 0)), nn.Conv2d(channels, count, (1, 12)), nn.ReLU()]
        stack += [norm, pool] if norm_first and block > 0 else [pool, norm]
        channels = count
    return stack


if network == "cnn":
    model = nn.Sequential(*convolutions([32, 64, 64], False, 0.9), Rows(), nn.Flatten(), nn.Linear(22 * 64, 32), nn.ReLU(), nn.Linear(32, 1))
else:
    model = nn.Sequential(*convolutions([32, 64, 64], True, 0.99), Rows(), Last(64, 32), nn.Linear(32, 2))
model = model.to(memory_format=torch.channels_last)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)


def epoch(samples):
    right = 0
    for picked in torch.randperm(samples).split(batch_size):
        optimizer.zero_grad()
        output, target = model(x[picked]), y[picked]
        if network == "cnn":
            loss = nn.functional.binary_cross_entropy_with_logits(output[:, 0], target.float())
            right += ((output[:, 0] > 0) == (target == 1)).sum().item()
        else:
            loss = nn.functional.cross_entropy(output, target)
            right += (output.argmax(1) == target).sum().item()
        loss.backward()
        optimizer.step()
    return right / samples


epoch(4 * batch_size)                          # warm before anybody counts
for line in sys.stdin:
    start = time.perf_counter()
    accuracy = epoch(len(x))
    print(time.perf_counter() - start, accuracy, flush=True)
