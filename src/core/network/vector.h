/* core/network/vector.h: sums and products of contiguous floats, number by number: any cut of a row gives the same bits. */
#ifndef NG_NETWORK_VECTOR_H
#define NG_NETWORK_VECTOR_H
#include <stdint.h>

/* to *= factor */
static inline void ng_scale(float *restrict to, float factor, int64_t count)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) to[i] *= factor;
}

/* to += from */
static inline void ng_add_to(float *restrict to, const float *restrict from, int64_t count)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) to[i] += from[i];
}

/* to += factor * from */
static inline void ng_add_scaled(float *restrict to, const float *restrict from, float factor, int64_t count)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) to[i] += factor * from[i];
}

/* to += from * weight */
static inline void ng_add_product(float *restrict to, const float *restrict from, const float *restrict weight, int64_t count)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) to[i] += from[i] * weight[i];
}
#endif
