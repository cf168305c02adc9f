/* core/kernels/weight_product.h: the matrix product under the gradients of weights, a sum over rows.
 *     dw[j, c, o] += sum over t of x[t s - P + j d, c] dy[t, o]          rows of x outside [0, length) count for nothing
 * k, s, d and P as in ng_reach; for a dense layer k = s = 1. Sums run in blocks of rows, in their order: each is one chain of
 * multiply-adds within a block, and the blocks are added one after the other. */
#ifndef NG_KERNELS_WEIGHT_PRODUCT_H
#define NG_KERNELS_WEIGHT_PRODUCT_H
#include "core/network/layer.h"

typedef struct ng_weight_product {
    ng_reach reach;
    const float *x, *dy;                         /* row 0 of x, row `first` of dy */
    int64_t x_stride, dy_stride;                 /* floats from one row to the next */
    int64_t x_length, first, rows;               /* of x, and rows [first, first + rows) of dy */
    int64_t channels, filters;
    int64_t tap_stride, channel_stride;          /* floats between neighbours in dw; filters lie side by side */
} ng_weight_product;

/* scratch holds ng_weight_product_floats() numbers; n times as many as for one row are enough for n rows. */
void ng_add_weight_product(const ng_weight_product *p, float *dw, float *scratch);
int64_t ng_weight_product_floats(ng_reach reach, int64_t rows, int64_t channels, int64_t filters);

/* sums[o] += sum over t of dy[t, o]; db[o] += the same, whose sum is in float64 */
void ng_sum_rows(const float *dy, int64_t rows, int64_t stride, int64_t filters, double *sums);
void ng_add_rows(const float *dy, int64_t rows, int64_t stride, int64_t filters, float *db);

#endif
