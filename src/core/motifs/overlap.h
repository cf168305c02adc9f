/* core/motifs/overlap.h: the overlap loss, which asks that where one filter wins no other reads the same bases.
 *     O = 1 / (B T F R Q) * sum over winners a, filters f, shifts d of chi_af U_a(d) U_f(-d) G_af(d)
 * C_f[w] = sum over c of |Wc[f, w, c]|, Q = sum of all C, R = 2 W - 1 shifts d = -(W - 1)..W - 1, U_f(d) the sum of C_f over the columns
 * that a window d bases on shares; G_af(d) = sum of a[i + d, f] over the positions i that a wins; chi_af = 0 for a = f and for a pair. */
#ifndef NG_MOTIFS_OVERLAP_H
#define NG_MOTIFS_OVERLAP_H
#include "core/motifs/network.h"

/* prefix[a, k, f] = sum over the k lowest shifts of chi_af U_a(d) U_f(-d); k = 0..R, rows of `row` numbers. */
void ng_overlap_prefix(const ng_motif_network *net, const double *filters, int64_t row, double *prefix);

/* O, from differences of G along shifts (as prefix is laid out: (F, 2 W, row)); positions = B T. Adds weight * dO/dWc to gradient
 * (F, W, 4), unless that is NULL. */
double ng_overlap(const ng_motif_network *net, const double *filters, int64_t row, const double *differences, double positions,
                  double weight, double *gradient);

#endif
