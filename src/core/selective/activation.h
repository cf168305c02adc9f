/* core/selective/activation.h: how strongly a motif is present in a sequence.
 *     phi_z(x) = max over windows u of exp(-b |z - u|^2) = exp(-b (|z|^2 + k - 2 max_u <z, u>)),     z a PWM, u one-hot */
#ifndef NG_SELECTIVE_ACTIVATION_H
#define NG_SELECTIVE_ACTIVATION_H
#include "core/selective/sequences.h"

/* A PWM is k columns of four numbers, those of A, C, G, T together. phi[i] for every sequence; start (from 0) and strand (1, -1) of the
 * best window may be NULL. Of equally good windows the first counts, on one position the strand as written. */
void ng_seism_activate(const ng_kmer_windows *windows, const double *pwm, double bandwidth, bool both, double *phi, int32_t *start,
                       int8_t *strand);

/* The PWM on the other strand: columns reversed, A and T, C and G exchanged. */
void ng_reverse_pwm(const double *pwm, int k, double *reverse);

#endif
