/* core/network/signs.h: y = x where x > 0, else alpha x, and one bit a number that remembers which. Written with vector types:
 * no compiler we use turns such a loop into vector code by itself, since a comparison of floats may raise a flag. */
#ifndef NG_NETWORK_SIGNS_H
#define NG_NETWORK_SIGNS_H
#include <stdint.h>
#include <string.h>

typedef float ng_four __attribute__((vector_size(16)));
typedef int32_t ng_mask __attribute__((vector_size(16)));
typedef int64_t ng_halves __attribute__((vector_size(16)));

/* What a row of bits takes. */
static inline int64_t ng_sign_bytes(int64_t channels) { return (channels + 7) / 8; }

static inline ng_four ng_choose_four(ng_mask mask, ng_four yes, ng_four no)
{
    return (ng_four)((mask & (ng_mask)yes) | (~mask & (ng_mask)no));
}

static inline ng_mask ng_bend_four(const float *x, ng_four alpha, float *y)
{
    ng_four v, zero = {0, 0, 0, 0};
    memcpy(&v, x, sizeof v);
    const ng_mask positive = v > zero;
    v = ng_choose_four(positive, v, alpha * v);
    memcpy(y, &v, sizeof v);
    return positive;
}

static inline void ng_bend_row(const float *restrict x, float alpha, float *restrict y, uint8_t *restrict signs, int64_t channels)
{
    const ng_four slope = {alpha, alpha, alpha, alpha};
    const ng_mask low = {1, 2, 4, 8}, high = {16, 32, 64, 128};
    int64_t c = 0;
    for (; c + 8 <= channels; c += 8) {
        const ng_mask first = ng_bend_four(x + c, slope, y + c) & low, second = ng_bend_four(x + c + 4, slope, y + c + 4) & high;
        const ng_halves both = (ng_halves)(first | second);
        const int64_t bits = both[0] | both[1];
        signs[c / 8] = (uint8_t)(bits | bits >> 32);
    }
    if (c == channels) return;
    unsigned bits = 0;
    for (int64_t i = c; i < channels; i++) {
        bits |= (unsigned)(x[i] > 0) << (i - c);
        y[i] = x[i] > 0 ? x[i] : alpha * x[i];
    }
    signs[c / 8] = (uint8_t)bits;
}

static inline void ng_unbend_four(const float *dy, ng_mask positive, ng_four alpha, float *dx)
{
    ng_four gradient, sum;
    memcpy(&gradient, dy, sizeof gradient);
    memcpy(&sum, dx, sizeof sum);
    sum += ng_choose_four(positive, gradient, alpha * gradient);
    memcpy(dx, &sum, sizeof sum);
}

/* dx += dy or alpha dy. */
static inline void ng_unbend_row(const float *restrict dy, float alpha, const uint8_t *restrict signs, float *restrict dx,
                                 int64_t channels)
{
    const ng_four slope = {alpha, alpha, alpha, alpha};
    const ng_mask low = {1, 2, 4, 8}, high = {16, 32, 64, 128};
    int64_t c = 0;
    for (; c + 8 <= channels; c += 8) {
        const int32_t b = signs[c / 8];
        const ng_mask bits = {b, b, b, b};
        ng_unbend_four(dy + c, (bits & low) == low, slope, dx + c);
        ng_unbend_four(dy + c + 4, (bits & high) == high, slope, dx + c + 4);
    }
    for (int64_t i = c; i < channels; i++) dx[i] += signs[c / 8] >> (i - c) & 1 ? dy[i] : alpha * dy[i];
}
#endif
