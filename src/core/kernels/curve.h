/* core/kernels/curve.h: activations number by number, y = f(x), and their slopes f'(x), for layers and for the gates of recurrent
 * ones. At a kink the slope is what TensorFlow takes: 0 for relu, both ends of Keras 2's hard_sigmoid count as its slope, neither
 * end of Keras 3's does. */
#ifndef NG_KERNELS_CURVE_H
#define NG_KERNELS_CURVE_H
#include "core/kernels/elementary.h"

typedef enum ng_curve {
    NG_LINEAR, NG_RELU, NG_SIGMOID, NG_HARD_SIGMOID, NG_HARD_SIGMOID_KERAS3, NG_TANH, NG_SOFTSIGN, NG_ELU, NG_SELU, NG_SOFTPLUS,
    NG_SWISH, NG_GELU, NG_GELU_TANH, NG_EXPONENTIAL, NG_MISH
} ng_curve;

/* The activation of this name in Keras; false if there is none. */
bool ng_curve_named(const char *name, ng_curve *curve);

/* y and slope of `count` numbers; y may be x. alpha: of elu. The bits do not depend on the instruction set. */
void ng_bend(ng_curve curve, float alpha, int64_t count, const float *x, float *y, float *slope);

typedef struct ng_point { float y, slope; } ng_point;

NG_INLINE ng_point ng_sigmoid_point(float x, bool fused)
{
    const float y = ng_sigmoid_of(x, fused);
    return (ng_point){y, y * (1 - y)};
}

NG_INLINE ng_point ng_tanh_point(float x, bool fused)
{
    const float y = ng_tanh_of(x, fused);
    return (ng_point){y, ng_multiply_add(-y, y, 1, fused)};
}

/* The ends are compared in x, where they are exact: 0.2 x + 0.5 rounds. */
NG_INLINE ng_point ng_hard_sigmoid_point(float x, bool fused)
{
    const int inside = (x >= -2.5f) & (x <= 2.5f);
    return (ng_point){ng_choose(inside, ng_multiply_add(0.2f, x, 0.5f, fused), ng_choose(x > 0, 1, 0)), ng_choose(inside, 0.2f, 0)};
}
#endif
