/* core/kernels/count.h: how many numbers, or differences of numbers, lie beyond two limits. */
#ifndef NG_KERNELS_COUNT_H
#define NG_KERNELS_COUNT_H
#include <stdint.h>

/* Adds to *below how many of the n values, each less that of `before` (NULL: as they are), are below low, to *above how many are above
 * high; NaN is neither. n is a multiple of NG_COUNT_LANES. */
enum { NG_COUNT_LANES = 8 };
void ng_count_beyond(const double *values, const double *before, int64_t n, double low, double high, int64_t *below, int64_t *above);

#endif
