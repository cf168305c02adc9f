/* core/network/gate.c: the activations inside recurrent layers, y = f(x) and f'(x). At a kink f' is what TensorFlow takes. */
#include <math.h>
#include <string.h>
#include "core/kernels/elementary.h"
#include "core/network/recurrent.h"

static const struct { const char *name; ng_gate gate; } names[] = {
    {"linear", NG_LINEAR}, {"relu", NG_RELU}, {"sigmoid", NG_SIGMOID}, {"hard_sigmoid", NG_HARD_SIGMOID},
    {"hard_sigmoid_keras3", NG_HARD_SIGMOID_KERAS3}, {"tanh", NG_TANH}, {"softsign", NG_SOFTSIGN}, {"elu", NG_ELU},
    {"selu", NG_SELU}, {"softplus", NG_SOFTPLUS}, {"swish", NG_SWISH}, {"gelu", NG_GELU}, {"exponential", NG_EXPONENTIAL},
};

ng_status ng_gate_of(const ng_layer *layer, const char *key, const char *otherwise, ng_gate *gate, ng_error *error)
{
    const char *name = ng_word(layer->settings, key, otherwise);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(name, names[i].name)) {
            *gate = names[i].gate;
            return NG_OK;
        }
    return ng_fail(error, NG_UNSUPPORTED, layer, "%s is \"%.40s\", which is not supported in a recurrent layer", key, name);
}

#define INLINE static inline __attribute__((always_inline))

typedef struct point { float y, slope; } point;

static inline point linear(float x) { return (point){x, 1}; }

static inline point relu(float x) { return (point){ng_choose(x > 0, x, 0), ng_choose(x > 0, 1, 0)}; }

static inline point sigmoid(float x)
{
    const float y = ng_sigmoid(x);
    return (point){y, y * (1 - y)};
}

/* The ends belong to the slope. They are compared in x, where they are exact. */
static inline point hard_sigmoid(float x)
{
    const int inside = (x >= -2.5f) & (x <= 2.5f);
    return (point){ng_choose(inside, 0.2f * x + 0.5f, ng_choose(x > 0, 1, 0)), ng_choose(inside, 0.2f, 0)};
}

/* The ends do not belong to the slope. */
static inline point hard_sigmoid_keras3(float x)
{
    const int inside = (x > -3) & (x < 3);
    return (point){ng_choose(inside, (x + 3) / 6, ng_choose(x > 0, 1, 0)), ng_choose(inside, 1.0f / 6, 0)};
}

static inline point hyperbolic_tangent(float x)
{
    const float y = ng_tanh(x);
    return (point){y, 1 - y * y};
}

static inline point softsign(float x)
{
    const float slope = 1 / (1 + fabsf(x));
    return (point){x * slope, slope * slope};
}

static inline point elu(float x)
{
    const float below = expm1f(fminf(x, 0));
    return x > 0 ? (point){x, 1} : (point){below, below + 1};
}

static inline point selu(float x)
{
    const float scale = 1.05070098f, alpha = 1.67326324f, y = scale * alpha * expm1f(fminf(x, 0));
    return x > 0 ? (point){scale * x, scale} : (point){y, y + scale * alpha};
}

static inline point softplus(float x) { return (point){fmaxf(x, 0) + log1pf(ng_exp(-fabsf(x))), ng_sigmoid(x)}; }

static inline point swish(float x)
{
    const float s = ng_sigmoid(x);
    return (point){x * s, s + x * s * (1 - s)};
}

static inline point gelu(float x)
{
    const float below = 0.5f * erfcf(-0.707106781f * x), density = 0.398942280f * expf(-0.5f * x * x);
    return (point){x * below, below + x * density};
}

static inline point exponential(float x)
{
    const float y = ng_exp(x);
    return (point){y, y};
}

INLINE void each(int64_t count, const float *x, float *y, float *slope, point (*f)(float))
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        const point p = f(x[i]);
        y[i] = p.y;
        slope[i] = p.slope;
    }
}

/* For those that call libm, where a compiler asked for vectors complains. */
INLINE void one_by_one(int64_t count, const float *x, float *y, float *slope, point (*f)(float))
{
    for (int64_t i = 0; i < count; i++) {
        const point p = f(x[i]);
        y[i] = p.y;
        slope[i] = p.slope;
    }
}

INLINE void apply(ng_gate gate, int64_t count, const float *x, float *y, float *slope)
{
    switch (gate) {
    case NG_LINEAR: each(count, x, y, slope, linear); break;
    case NG_RELU: each(count, x, y, slope, relu); break;
    case NG_SIGMOID: each(count, x, y, slope, sigmoid); break;
    case NG_HARD_SIGMOID: each(count, x, y, slope, hard_sigmoid); break;
    case NG_HARD_SIGMOID_KERAS3: each(count, x, y, slope, hard_sigmoid_keras3); break;
    case NG_TANH: each(count, x, y, slope, hyperbolic_tangent); break;
    case NG_SOFTSIGN: each(count, x, y, slope, softsign); break;
    case NG_ELU: one_by_one(count, x, y, slope, elu); break;
    case NG_SELU: one_by_one(count, x, y, slope, selu); break;
    case NG_SOFTPLUS: one_by_one(count, x, y, slope, softplus); break;
    case NG_SWISH: each(count, x, y, slope, swish); break;
    case NG_GELU: one_by_one(count, x, y, slope, gelu); break;
    case NG_EXPONENTIAL: each(count, x, y, slope, exponential); break;
    }
}

/* Wider vectors, but no fused multiply-add: the bits stay the same. */
#if defined(__x86_64__)
static __attribute__((target("avx2"))) void apply_wide(ng_gate gate, int64_t count, const float *x, float *y, float *slope)
{
    apply(gate, count, x, y, slope);
}

void ng_apply_gate(ng_gate gate, int64_t count, const float *x, float *y, float *slope)
{
    if (__builtin_cpu_supports("avx2")) apply_wide(gate, count, x, y, slope);
    else apply(gate, count, x, y, slope);
}
#else
void ng_apply_gate(ng_gate gate, int64_t count, const float *x, float *y, float *slope) { apply(gate, count, x, y, slope); }
#endif
