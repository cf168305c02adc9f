"""Where training windows come from. A source is a long sequence and the starts in it that are allowed."""
import numpy as np
from sequences import reverse_complement

WIDTH = 500
MARGIN = 100                            # known genes lack their outermost bases: nothing this close to a locus is "other"


class Source:
    """Windows of `codes` that begin at `starts`, drawn with equal chance or in proportion to `weights`."""
    def __init__(self, codes, starts, weights=None):
        self.codes, self.starts = codes, np.asarray(starts, np.int64)
        self.cumulative = None if weights is None else np.cumsum(weights) / np.sum(weights)

    def __len__(self):
        return len(self.starts)

    def draw(self, rng, n):
        picks = rng.integers(len(self.starts), size=n) if self.cumulative is None \
            else np.minimum(np.searchsorted(self.cumulative, rng.random(n)), len(self.starts) - 1)
        return self.at(self.starts[picks])

    def at(self, starts):
        return self.codes[np.asarray(starts)[:, None] + np.arange(WIDTH)]


class Composition:
    """Random sequence; its GC content is uniform between `low` and `high`."""
    def __init__(self, low, high):
        self.low, self.high = low, high

    def draw(self, rng, n):
        gc = rng.uniform(self.low, self.high, (n, 1))
        strong = rng.random((n, WIDTH)) < gc
        second = rng.random((n, WIDTH)) < 0.5
        return np.where(strong, np.where(second, 2, 1), np.where(second, 3, 0)).astype(np.uint8)


class Blank:
    """No base known, as in a scaffold gap: the network must not call it 16S, and it is what attributions start from."""
    def draw(self, rng, n):
        return np.full((n, WIDTH), 4, np.uint8)


def clean_starts(codes):
    """Starts of windows without an unknown base."""
    unknown = np.concatenate([[0], np.cumsum(codes > 3)])
    return np.flatnonzero(unknown[WIDTH:] == unknown[:-WIDTH]) if len(codes) >= WIDTH else np.empty(0, np.int64)


def overlap(starts, loci):
    """Bases that the window at each start shares with the loci."""
    shared = np.zeros(len(starts), np.int64)
    for first, last in loci:
        near = slice(np.searchsorted(starts, first - WIDTH), np.searchsorted(starts, last))
        shared[near] += np.maximum(np.minimum(starts[near] + WIDTH, last) - np.maximum(starts[near], first), 0)
    return shared


def shuffle_pairs(codes, rng):
    """A window with the same pairs of neighbours in another order (Altschul and Erickson 1985, doi:10.1093/oxfordjournals.
    molbev.a040370): shuffle where each letter leads to, but keep last steps that lead to the last letter."""
    codes = [int(c) for c in codes]
    leads = {letter: [] for letter in set(codes)}
    for here, there in zip(codes, codes[1:]):
        leads[here].append(there)
    while True:
        last = {letter: there[rng.integers(len(there))] for letter, there in leads.items() if letter != codes[-1]}
        if all(reaches(letter, codes[-1], last) for letter in last):
            break
    queues = {}
    for letter, there in leads.items():
        there = list(there)
        if letter in last:
            there.remove(last[letter])
        rng.shuffle(there)
        queues[letter] = iter(there + ([last[letter]] if letter in last else []))
    shuffled = [codes[0]]
    for _ in codes[1:]:
        shuffled.append(next(queues[shuffled[-1]]))
    return np.array(shuffled, np.uint8)


def reaches(letter, goal, last):
    for _ in range(len(last) + 1):
        if letter == goal:
            return True
        letter = last[letter]
    return False


def mutate(windows, rng, most=0.10):
    """Point mutations, each window at a rate of its own between 0 and `most`; unknown bases stay."""
    rate = rng.uniform(0, most, (len(windows), 1))
    hit = (rng.random(windows.shape) < rate) & (windows < 4)
    return np.where(hit, (windows + rng.integers(1, 4, windows.shape, np.uint8)) % 4, windows).astype(np.uint8)


def either_strand(windows, rng):
    turned = rng.random(len(windows)) < 0.5
    windows = windows.copy()
    windows[turned] = reverse_complement(windows[turned])
    return windows


ONE_HOT = np.vstack([np.eye(4), np.full((1, 4), 0.25)]).astype(np.float32)


def one_hot(windows):
    return ONE_HOT[windows]
