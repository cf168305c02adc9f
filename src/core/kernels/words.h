/* core/kernels/words.h: a Conv1D that reads a sequence itself (stride 1, dilation 1), as it trains. A few rows of x one after the other are
 * a word, of the letters A, C, G, T and one more: a row of zeros, or none at all. With M[m, w] the sum of what the letters of word w add at
 * taps m g .. m g + g - 1, and w(i) the word that begins at row i of x,
 *     y[t, o]          = b[o] + sum over m of M[m, w(t - P + m g), o]
 *     S[m, w(..), o]  += dy[t, o],        dK[j, c, o] += the sum of S[m, w, o] over words whose letter for tap j is c
 * so that a row is read, or added, once for every g taps. Those of other rows of x are left to the layer itself. */
#ifndef NG_KERNELS_WORDS_H
#define NG_KERNELS_WORDS_H
#include "core/network/layer.h"

enum { NG_WORD_ROWS = 256 };                     /* of y, at most, in a call */

/* Words of so many letters: `words` in a kernel, `all` there are. count: the numbers in M, and in S. */
typedef struct ng_words { int64_t taps, channels, filters, pad, letters, words, all, count; } ng_words;

/* As long as pays for so many rows between two changes of K. count is 0 if the layer is not of this kind: filters in whole vectors of 16. */
ng_words ng_words_of(const ng_layer *layer, int64_t rows);

/* M; bias may be NULL. */
void ng_fill_words(const ng_words *w, const float *kernel, const float *bias, float *values);

/* Rows [first, last) of sample n of y; false, and nothing is written, if they read a row that is neither one-hot nor zeros. */
bool ng_read_words(const ng_words *w, const float *values, const ng_tile *x, const ng_tile *y, int64_t n, int64_t first, int64_t last);

/* The same for S, which begins as zeros; in the end it is added to dw (taps, channels, filters). */
bool ng_add_to_words(const ng_words *w, const ng_tile *x, const ng_tile *dy, int64_t n, int64_t first, int64_t last, float *sums);
void ng_end_words(const ng_words *w, const float *sums, float *dw);

#endif
