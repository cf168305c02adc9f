#include "core/kernels/curve.h"

static const struct { const char *name; ng_curve curve; } names[] = {
    {"linear", NG_LINEAR}, {"relu", NG_RELU}, {"sigmoid", NG_SIGMOID}, {"hard_sigmoid", NG_HARD_SIGMOID},
    {"hard_sigmoid_keras3", NG_HARD_SIGMOID_KERAS3}, {"tanh", NG_TANH}, {"softsign", NG_SOFTSIGN}, {"elu", NG_ELU},
    {"selu", NG_SELU}, {"softplus", NG_SOFTPLUS}, {"swish", NG_SWISH}, {"gelu", NG_GELU}, {"gelu_tanh", NG_GELU_TANH},
    {"exponential", NG_EXPONENTIAL}, {"mish", NG_MISH},
};

bool ng_curve_named(const char *name, ng_curve *curve)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(name, names[i].name)) {
            *curve = names[i].curve;
            return true;
        }
    return false;
}

NG_INLINE ng_point linear(float x)
{
    return (ng_point){x, 1};
}

NG_INLINE ng_point relu(float x)
{
    return (ng_point){ng_choose(x > 0, x, 0), ng_choose(x > 0, 1, 0)};
}

NG_INLINE ng_point sigmoid(float x)
{
    return ng_sigmoid_point(x, false);
}

NG_INLINE ng_point hard_sigmoid(float x)
{
    return ng_hard_sigmoid_point(x, false);
}

NG_INLINE ng_point hard_sigmoid_keras3(float x)
{
    const int inside = (x > -3) & (x < 3);
    return (ng_point){ng_choose(inside, (x + 3) / 6, ng_choose(x > 0, 1, 0)), ng_choose(inside, 1.0f / 6, 0)};
}

NG_INLINE ng_point hyperbolic_tangent(float x)
{
    return ng_tanh_point(x, false);
}

NG_INLINE ng_point softsign(float x)
{
    const float slope = 1 / (1 + fabsf(x));
    return (ng_point){x * slope, slope * slope};
}

NG_INLINE ng_point selu(float x)
{
    const float scale = 1.0507009873554805f, low = 1.7580993408473766f;   /* low = scale * 1.6732632423543772 */
    const float below = low * expm1f(x);
    return x >= 0 ? (ng_point){scale * x, scale} : (ng_point){below, below + low};
}

NG_INLINE ng_point softplus(float x)
{
    return (ng_point){fmaxf(x, 0) + log1pf(ng_exp(-fabsf(x))), ng_sigmoid(x)};
}

NG_INLINE ng_point swish(float x)
{
    const float s = ng_sigmoid(x), y = x * s;
    return (ng_point){y, s + y * (1 - s)};
}

/* x Phi(x), Phi the standard normal distribution. */
NG_INLINE ng_point gelu(float x)
{
    const float below = 0.5f * erfcf(-0.70710678118654752f * x);
    return (ng_point){x * below, below + 0.39894228040143268f * x * expf(-0.5f * x * x)};
}

NG_INLINE ng_point gelu_tanh(float x)
{
    const float root = 0.79788456080286536f, cubic = 0.044715f;           /* sqrt(2 / pi) */
    const float square = x * x, h = ng_tanh(root * x * (1 + cubic * square));
    return (ng_point){0.5f * x * (1 + h), 0.5f * (1 + h) + 0.5f * x * (1 - h * h) * root * (1 + 3 * cubic * square)};
}

NG_INLINE ng_point exponential(float x)
{
    const float y = ng_exp(x);
    return (ng_point){y, y};
}

NG_INLINE ng_point mish(float x)
{
    const float h = tanhf(fmaxf(x, 0) + log1pf(expf(-fabsf(x))));
    return (ng_point){x * h, h + x * (1 - h * h) / (1 + expf(-x))};
}

NG_INLINE void each(ng_point (*f)(float), int64_t count, const float *x, float *y, float *slope)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        const ng_point p = f(x[i]);
        y[i] = p.y;
        slope[i] = p.slope;
    }
}

/* For those that call libm, where a compiler asked for vectors complains. */
NG_INLINE void one_by_one(ng_point (*f)(float), int64_t count, const float *x, float *y, float *slope)
{
    for (int64_t i = 0; i < count; i++) {
        const ng_point p = f(x[i]);
        y[i] = p.y;
        slope[i] = p.slope;
    }
}

NG_INLINE void elu(float alpha, int64_t count, const float *x, float *y, float *slope)
{
    for (int64_t i = 0; i < count; i++) {
        const float here = x[i], below = alpha * expm1f(here);
        y[i] = here > 0 ? here : below;
        slope[i] = here > 0 ? 1 : below + alpha;
    }
}

NG_INLINE void bend(ng_curve curve, float alpha, int64_t count, const float *x, float *y, float *slope)
{
    switch (curve) {
    case NG_LINEAR: each(linear, count, x, y, slope); break;
    case NG_RELU: each(relu, count, x, y, slope); break;
    case NG_SIGMOID: each(sigmoid, count, x, y, slope); break;
    case NG_HARD_SIGMOID: each(hard_sigmoid, count, x, y, slope); break;
    case NG_HARD_SIGMOID_KERAS3: each(hard_sigmoid_keras3, count, x, y, slope); break;
    case NG_TANH: each(hyperbolic_tangent, count, x, y, slope); break;
    case NG_SOFTSIGN: each(softsign, count, x, y, slope); break;
    case NG_ELU: elu(alpha, count, x, y, slope); break;
    case NG_SELU: one_by_one(selu, count, x, y, slope); break;
    case NG_SOFTPLUS: one_by_one(softplus, count, x, y, slope); break;
    case NG_SWISH: each(swish, count, x, y, slope); break;
    case NG_GELU: one_by_one(gelu, count, x, y, slope); break;
    case NG_GELU_TANH: each(gelu_tanh, count, x, y, slope); break;
    case NG_EXPONENTIAL: each(exponential, count, x, y, slope); break;
    case NG_MISH: one_by_one(mish, count, x, y, slope); break;
    }
}

/* Wider vectors, but no fused multiply-add: a row's last numbers, alone, get the same bits. */
#if defined(__x86_64__)
static __attribute__((target("avx2"))) void bend_wide(ng_curve curve, float alpha, int64_t count, const float *x, float *y,
                                                      float *slope)
{
    bend(curve, alpha, count, x, y, slope);
}

void ng_bend(ng_curve curve, float alpha, int64_t count, const float *x, float *y, float *slope)
{
    if (__builtin_cpu_supports("avx2")) bend_wide(curve, alpha, count, x, y, slope);
    else bend(curve, alpha, count, x, y, slope);
}
#else
void ng_bend(ng_curve curve, float alpha, int64_t count, const float *x, float *y, float *slope)
{
    bend(curve, alpha, count, x, y, slope);
}
#endif
