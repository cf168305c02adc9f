/* core/kernels/elementary.h: exp, tanh and the logistic function without branches or calls, for `#pragma omp simd` loops.
 * Within 2 units in the last place of the true value (the logistic function 2.5); limits, infinities and NaN as in libm. The
 * polynomials are minimax fits. */
#ifndef NG_KERNELS_ELEMENTARY_H
#define NG_KERNELS_ELEMENTARY_H
#include <math.h>
#include <stdint.h>
#include <string.h>

/* condition ? yes : no in bit operations, since a compiler that sees a branch here leaves the loop as it is. */
static inline float ng_choose(int condition, float yes, float no)
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
static inline float ng_power_of_2(int32_t n)
{
    const uint32_t bits = ((uint32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* e^x = 2^n e^r with |r| <= log(2)/2. Two factors of 2^n, since n goes beyond the exponents of a float on both sides. */
static inline float ng_exp(float x)
{
    const float most = 89.0f, least = -104.0f;                       /* from here on infinity and 0 */
    const float to_whole = 12582912.0f;                              /* 1.5 * 2^23: adding it rounds to a whole number */
    x = ng_choose(x > most, most, x);
    x = ng_choose(x < least, least, x);
    const float shifted = x * 1.44269504f + to_whole, whole = shifted - to_whole;
    const float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;         /* log(2) in two parts, the first exact times n */
    int32_t n;
    memcpy(&n, &shifted, sizeof n);
    n = (n & 0x7fffff) - 0x400000;
    float p = 0.0013814174f;
    p = p * r + 0.0083689215f;
    p = p * r + 0.041668408f;
    p = p * r + 0.1666652f;
    p = p * r + 0.49999994f;
    p = (p * r * r + r) + 1.0f;
    return p * ng_power_of_2(n >> 1) * ng_power_of_2(n - (n >> 1));
}

/* 1 / (1 + e^-x), from the side where e^ is small. */
static inline float ng_sigmoid(float x)
{
    const float e = ng_exp(-fabsf(x));
    return ng_choose(x < 0, e, 1.0f) / (1.0f + e);
}

static inline float ng_tanh(float x)
{
    const float square = x * x, e = ng_exp(-2.0f * fabsf(x)), far = (1.0f - e) / (1.0f + e);
    float p = -0.005704987f;
    p = p * square + 0.020639088f;
    p = p * square - 0.053739715f;
    p = p * square + 0.13331442f;
    p = p * square - 0.3333328f;
    const float near = p * square * x + x;
    return copysignf(ng_choose(fabsf(x) < 0.625f, near, far), x);
}
#endif
