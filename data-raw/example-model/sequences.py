"""Sequences as bytes: 0, 1, 2, 3 for A, C, G, T and 4 for everything else; and where the 16S rRNA genes lie in them."""
import gzip
import numpy as np

K = 20                                  # bases a genome must share with a known 16S gene to count as a hit
GAP = 150                               # bases without a hit inside a 16S gene, at most
HITS = 30                               # hits that make a locus
CHANCE = 4                              # hits in a row that unrelated sequence has now and then
CODES = np.full(256, 4, np.uint8)
for code, letter in enumerate("ACGT"):
    CODES[ord(letter)] = CODES[ord(letter.lower())] = code
COMPLEMENT = np.array([3, 2, 1, 0, 4], np.uint8)


def read_fasta(lines):
    """List of (header, codes), in the order of the file."""
    records = []
    for line in lines:
        if line.startswith(">"):
            records.append((line[1:].strip(), []))
        elif line.strip():
            records[-1][1].append(line.strip())
    return [(header, CODES[np.frombuffer("".join(parts).encode(), np.uint8)]) for header, parts in records]


def read_fasta_file(path):
    with gzip.open(path, "rt") as file:
        return read_fasta(file)


def reverse_complement(codes):
    return COMPLEMENT[codes[..., ::-1]]


def words(codes):
    """The K-mer at each start as a 64-bit number, and whether it is free of unknown bases."""
    n = max(len(codes) - K + 1, 0)
    number, known = np.zeros(n, np.uint64), np.ones(n, bool)
    for j in range(K):
        base = codes[j:j + n]
        number = number * np.uint64(4) + (base & 3)
        known &= base < 4
    return number, known


class KnownGenes:
    """Which K-mers occur in known 16S genes, on either strand. A table of bits answers most questions, sorting the rest."""
    def __init__(self, genes):
        kept = []
        for codes in genes:
            for strand in (codes, reverse_complement(codes)):
                number, known = words(strand)
                kept.append(number[known])
        self.numbers = np.unique(np.concatenate(kept))
        self.table = np.zeros(1 << 27, bool)
        self.table[self.slot(self.numbers)] = True

    @staticmethod
    def slot(number):
        return (number * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - 27)

    def hits(self, codes):
        number, known = words(codes)
        here = np.flatnonzero(known & self.table[self.slot(number)])
        place = np.minimum(np.searchsorted(self.numbers, number[here]), len(self.numbers) - 1)
        return here[self.numbers[place] == number[here]]

    def loci(self, codes):
        """16S loci as (start, end), 0-based and half-open: runs of hits at most GAP bases apart with at least HITS hits;
        and doubtful places: runs with fewer hits, yet more than chance leaves."""
        hits = self.hits(codes)
        if not len(hits):
            return [], []
        groups = np.split(hits, np.flatnonzero(np.diff(hits) > GAP) + 1)
        spans = [(int(g[0]), int(g[-1]) + K) for g in groups]
        return ([s for s, g in zip(spans, groups) if len(g) >= HITS], [s for s, g in zip(spans, groups) if CHANCE < len(g) < HITS])
