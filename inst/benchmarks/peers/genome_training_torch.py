"""One training step of the sporulation network per line read, by PyTorch. Answers: seconds, loss, peak memory in MB.

Usage: genome_training_torch.py length threads rate
"""
import resource
import sys
import time

import torch

from architectures_torch import one_hot_bases, sporulation_network

length, threads, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
torch.set_num_threads(threads)
network = sporulation_network(length).requires_grad_(True).train()
genome = one_hot_bases(length)
target = torch.ones(1, 1)
optimizer = torch.optim.Adam(network.parameters(), lr=rate, eps=1e-7)


def step():
    optimizer.zero_grad()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(network(genome), target)
    loss.backward()
    optimizer.step()
    return loss.item()


step()                                         # warm before anybody counts
for line in sys.stdin:
    start = time.perf_counter()
    loss = step()
    print(time.perf_counter() - start, loss, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, flush=True)
