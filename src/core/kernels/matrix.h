/* core/kernels/matrix.h: the matrix product under convolution, dense and recurrent layers.
 *
 *     y[r, o] (+)= sum over k of a[r, k] * b[k, o]        a (rows, depth), b (depth, columns), y (rows, columns)
 *
 * Each y[r, o] is a chain of multiply-adds in ascending k, whatever else is in the call: equal inputs give equal bits at
 * every row, tail and batch. Where b is deep it is a sum of such chains, since rounding grows with their length. Rows of a and y
 * may be strided or overlap (a convolution reads row t at t * channels). */
#ifndef NG_KERNELS_MATRIX_H
#define NG_KERNELS_MATRIX_H
#include <stdbool.h>
#include <stdint.h>
#include "core/base/arena.h"

enum { NG_PANEL = 16, NG_CHAIN = 512 };         /* columns; terms of a chain where there are more */

/* b, packed for the kernel: panels of NG_PANEL columns, each depth x NG_PANEL, the last one padded with zeros; and a row of
 * zeros. chain: how many terms are one chain, NG_CHAIN, or 0: all. */
typedef struct ng_packed { int64_t depth, columns; float *panels; const float *zeros; int64_t chain; } ng_packed;

/* Memory of the arena for b, all zeros. */
ng_status ng_pack_nothing(int64_t depth, int64_t columns, ng_arena *arena, ng_packed *packed, ng_error *error);

/* Writes rows [first, first + rows) of b: element (first + k, o) = b[k * row_stride + o * column_stride]. */
void ng_pack_rows(ng_packed *packed, int64_t first, int64_t rows, const float *b, int64_t row_stride, int64_t column_stride);

/* Both at once, for all rows. */
ng_status ng_pack(const float *b, int64_t depth, int64_t columns, int64_t row_stride, int64_t column_stride, ng_arena *arena,
                  ng_packed *packed, ng_error *error);

/* Columns [first, first + count) of b, in its memory; first is a multiple of NG_PANEL. */
static inline ng_packed ng_columns(const ng_packed *b, int64_t first, int64_t count)
{
    return (ng_packed){b->depth, count, b->panels + first * b->depth, b->zeros, b->chain};
}

/* y[r, o] = start + sum over k in [k_first, k_last) of a[r * a_stride + k - k_first] * b[k, o], where start is y[r, o] itself if
 * add, else bias[o] (0 if bias is NULL). The first chain begins with start, but where b has several and add is true: then all begin
 * with 0, so that calls for one part of b after the other add up their sums. */
void ng_multiply(const float *a, int64_t rows, int64_t a_stride, const ng_packed *b, int64_t k_first, int64_t k_last,
                 const float *bias, bool add, float *y, int64_t y_stride);

/* The same, added to y, where element (r, k) of a lies at a + r * a_stride + (k - k_first) * a_step: with a_stride 1 a is read
 * column by column, as the gradient of a weight, a sum over rows, has it. */
void ng_add_product_of_turned(const float *a, int64_t rows, int64_t a_stride, int64_t a_step, const ng_packed *b, int64_t k_first,
                              int64_t k_last, float *y, int64_t y_stride);

/* "avx512", "avx2" or "portable": what the dispatcher takes on this machine. ng_force_kernel() overrides it for tests; false
 * if this machine cannot run it; NULL returns to the default. */
const char *ng_kernel_name(void);
bool ng_force_kernel(const char *name);

#endif
