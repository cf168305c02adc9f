/* core/motifs/reading.h: what a trained network says of sequences: logits, what it saw inside, and where it looked. */
#ifndef NG_MOTIFS_READING_H
#define NG_MOTIFS_READING_H
#include "core/motifs/pass.h"

/* Where to put what a network sees of n sequences; NULL where nobody asks. */
typedef struct ng_motif_inside { double *activations, *attention, *stream; } ng_motif_inside;    /* (n, T, F), (n, N, H, T), (n, N + 1, S) */

ng_status ng_motif_predict(const ng_motif_network *net, const uint8_t *codes, int64_t n, const ng_run *run, double *logit,
                           const ng_motif_inside *inside, ng_error *error);

/* A position to which some head pays more attention than `cut`; the highest over layers and heads. */
typedef struct ng_motif_peak { int64_t sequence, position, layer, head; double attention; } ng_motif_peak;

/* Peaks in order, and the activations (F) at each; both have room for n * N * H / cut. */
ng_status ng_motif_peaks(const ng_motif_network *net, const uint8_t *codes, int64_t n, double cut, const ng_run *run, ng_motif_peak *peaks,
                         double *activations, int64_t *count, ng_error *error);

/* The windows that excite each filter: counts (F, W, 4) of letters in the windows with activations above half of the highest. */
typedef struct ng_motif_windows { double *highest, *windows, *mean_positive, *counts; } ng_motif_windows;       /* (F) each */

ng_status ng_motif_collect(const ng_motif_network *net, const uint8_t *codes, int64_t n, const ng_run *run, const ng_motif_windows *found,
                           ng_error *error);

#endif
