"""Shuffles of dinucleotides by tangermeme.

Usage: shuffle_torch.py threads file. A line read is a number of shuffles, and sequences of one length. Answers: seconds; writes the letters
of all shuffles to the file, those of the first sequence first.
"""
import inspect
import sys
import time

import numpy as np
import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.utils import one_hot_encode

threads, file = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(threads)
settings = {"n_jobs": threads} if "n_jobs" in inspect.signature(dinucleotide_shuffle).parameters else {}
for turn, line in enumerate(sys.stdin):
    count, *sequences = line.split()
    encoded = torch.stack([one_hot_encode(sequence) for sequence in sequences])
    start = time.perf_counter()
    shuffled = dinucleotide_shuffle(encoded, n=int(count), random_state=turn, **settings)
    seconds = time.perf_counter() - start
    letters = np.frombuffer(b"ACGT", np.uint8)[shuffled.argmax(dim=2).numpy()]
    letters.tofile(file)
    print(seconds, flush=True)
