/* core/kernels/elementary.h: exp, tanh and the logistic function without branches or calls, for `#pragma omp simd` loops.
 * Within 2 units in the last place of the true value (the logistic function 2.5); limits, infinities and NaN as in libm. The
 * polynomials are minimax fits.
 *
 * fused: with fused multiply-adds, where the function they are inlined in may use that instruction. Both are as accurate. */
#ifndef NG_KERNELS_ELEMENTARY_H
#define NG_KERNELS_ELEMENTARY_H
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NG_INLINE static inline __attribute__((always_inline))

NG_INLINE float ng_multiply_add(float a, float b, float c, bool fused) { return fused ? __builtin_fmaf(a, b, c) : a * b + c; }

/* condition ? yes : no in bit operations, since a compiler that sees a branch here leaves the loop as it is. */
NG_INLINE float ng_choose(int condition, float yes, float no)
{
    const int32_t mask = -condition;
    int32_t a, b;
    memcpy(&a, &yes, sizeof a);
    memcpy(&b, &no, sizeof b);
    a = (a & mask) | (b & ~mask);
    memcpy(&yes, &a, sizeof yes);
    return yes;
}

/* 2^n for -126 <= n <= 127. */
NG_INLINE float ng_power_of_2(int32_t n)
{
    const uint32_t bits = ((uint32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* x = n log(2) + r with |r| <= log(2)/2, and e^r = 1 + (r + r^2 p(r)): gives the term in parentheses. |n| < 2^22. */
NG_INLINE float ng_reduced_expm1(float x, int32_t *n, bool fused)
{
    const float to_whole = 12582912.0f;                              /* 1.5 * 2^23: adding it rounds to a whole number */
    const float shifted = ng_multiply_add(x, 1.44269504f, to_whole, fused), whole = shifted - to_whole;
    float r = ng_multiply_add(whole, -0.693359375f, x, fused);       /* log(2) in two parts, the first exact times n */
    r = ng_multiply_add(whole, 2.12194440e-4f, r, fused);
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    *n = (bits & 0x7fffff) - 0x400000;
    float p = 0.0013814174f;
    p = ng_multiply_add(p, r, 0.0083689215f, fused);
    p = ng_multiply_add(p, r, 0.041668408f, fused);
    p = ng_multiply_add(p, r, 0.1666652f, fused);
    p = ng_multiply_add(p, r, 0.49999994f, fused);
    return ng_multiply_add(p * r, r, r, fused);
}

/* e^x = 2^n e^r for x up to 89. Two factors of 2^n, since n goes beyond the exponents of a float on both sides. */
NG_INLINE float ng_exp_to_89(float x, bool fused)
{
    const float least = -104.0f;                                     /* from here on 0 */
    int32_t n;
    x = ng_choose(x < least, least, x);
    const float p = ng_reduced_expm1(x, &n, fused) + 1.0f;
    return p * ng_power_of_2(n >> 1) * ng_power_of_2(n - (n >> 1));
}

NG_INLINE float ng_exp_of(float x, bool fused)
{
    const float most = 89.0f;                                        /* from here on infinity */
    return ng_exp_to_89(ng_choose(x > most, most, x), fused);
}

/* 1 / (1 + e^-x), from the side where e^ is small. */
NG_INLINE float ng_sigmoid_of(float x, bool fused)
{
    const float e = ng_exp_to_89(-fabsf(x), fused);
    return ng_choose(x < 0, e, 1.0f) / (1.0f + e);
}

/* (1 - e) / (1 + e) with e = e^(-2|x|), and a polynomial where that would cancel. */
NG_INLINE float ng_tanh_of(float x, bool fused)
{
    const float least = -30.0f, square = x * x;                      /* from there on e counts for nothing */
    int32_t n;
    float y = -2.0f * fabsf(x);
    y = ng_choose(y < least, least, y);
    const float part = ng_reduced_expm1(y, &n, fused), e = (part + 1.0f) * ng_power_of_2(n), far = (1.0f - e) / (1.0f + e);
    float p = -0.005704987f;
    p = ng_multiply_add(p, square, 0.020639088f, fused);
    p = ng_multiply_add(p, square, -0.053739715f, fused);
    p = ng_multiply_add(p, square, 0.13331442f, fused);
    p = ng_multiply_add(p, square, -0.3333328f, fused);
    const float near = ng_multiply_add(p * square, x, x, fused);
    return copysignf(ng_choose(fabsf(x) < 0.625f, near, far), x);
}

NG_INLINE float ng_exp(float x) { return ng_exp_of(x, false); }
NG_INLINE float ng_sigmoid(float x) { return ng_sigmoid_of(x, false); }
NG_INLINE float ng_tanh(float x) { return ng_tanh_of(x, false); }
#endif
