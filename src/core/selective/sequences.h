/* core/selective/sequences.h: DNA sequences, their windows, and how far k-mers are from them. Letters have the codes 0..3 (A, C, G,
 * T); a window with any other code is skipped. A k-mer is a number with two bits a letter, the first letter highest, so that
 * numbers are in the order of the alphabet; 1 <= k <= NG_LONGEST_KMER. */
#ifndef NG_SELECTIVE_SEQUENCES_H
#define NG_SELECTIVE_SEQUENCES_H
#include "core/base/run.h"

enum { NG_LONGEST_KMER = 15, NG_LONGEST_TABLE = 12 };

/* bases of sequence i: [first[i], first[i + 1]). */
typedef struct ng_sequences { const uint8_t *bases; const int64_t *first; int64_t n; } ng_sequences;

/* The windows of width k: those of sequence i are [first[i], first[i + 1]), start counts from the sequence's own beginning. */
typedef struct ng_kmer_windows { int k; int64_t n; const int64_t *first; const uint32_t *code; const int32_t *start; } ng_kmer_windows;

/* Every window of every sequence, in order. NG_BAD_INPUT if a sequence has none. */
ng_status ng_kmer_windows_of(const ng_sequences *sequences, int k, ng_arena *arena, ng_kmer_windows *windows, ng_error *error);

uint32_t ng_reverse_complement(uint32_t code, int k);

/* The distinct k-mers that occur in at least `least` sequences, ascending; with `both`, of each k-mer and its reverse complement the
 * smaller one stands for both. */
ng_status ng_distinct_kmers(const ng_kmer_windows *windows, bool both, double least, ng_arena *arena, uint32_t **codes, int64_t *count,
                            ng_error *error);

/* distance[v], v = 0..4^k - 1: the smallest Hamming distance of k-mer v to a window (2 <= k <= NG_LONGEST_TABLE); with `both`, or of its
 * reverse complement. k + 1 everywhere if there is no window. 4^k bytes, aligned to 16. */
void ng_seism_distance(const uint32_t *windows, int64_t count, int k, bool both, uint8_t *distance);

/* The same for one k-mer, of any width. */
int ng_kmer_distance(const uint32_t *windows, int64_t count, int k, bool both, uint32_t kmer);

#endif
