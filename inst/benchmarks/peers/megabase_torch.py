"""One gradient of the sporulation network per line read, by PyTorch. Answers: seconds, logit, peak memory in MB.

Usage: megabase_torch.py length threads gradient_file
"""
import resource
import sys
import time

import torch

from architectures_torch import one_hot_bases, sporulation_network

length, threads, gradient_file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(threads)
network = sporulation_network(length)
genome = one_hot_bases(length).requires_grad_(True)


def explain():
    logit = network(genome)
    return logit, torch.autograd.grad(logit.sum(), genome)[0]


explain()                                      # warm before anybody counts
for line in sys.stdin:
    start = time.perf_counter()
    logit, gradient = explain()
    seconds = time.perf_counter() - start
    gradient[0, :, 0, :].T.contiguous().numpy().tofile(gradient_file)
    print(seconds, repr(logit.item()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, flush=True)
