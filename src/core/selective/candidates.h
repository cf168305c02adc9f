/* core/selective/candidates.h: the candidate motifs that sequences propose, in order: width, k-mer, variant. */
#ifndef NG_SELECTIVE_CANDIDATES_H
#define NG_SELECTIVE_CANDIDATES_H
#include "core/selective/design.h"

/* G(X): windows has one element per width. NG_BAD_INPUT if there is none. */
ng_status ng_propose(const ng_proposal *proposal, const ng_kmer_windows *windows, bool both, ng_arena *arena, ng_motif **motifs,
                     int64_t *count, double *kmers, ng_error *error);

/* Activations of k-mers as Hamming distances, row by row: bytes (count x n). */
ng_status ng_kmer_distances(const ng_motif *motifs, int64_t count, const ng_kmer_windows *windows, int widths, bool both,
                            const ng_run *run, uint8_t *bytes, ng_error *error);

#endif
