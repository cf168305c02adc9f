/* core/training/optimizer.c: g is the gradient, w the weight, a the learning rate.
 *     SGD       v = momentum v - a g,   w += v                      or with Nesterov's momentum w += momentum v - a g
 *     Adam      m += (g - m)(1 - b1),   q += (g^2 - q)(1 - b2),   w -= m a' / (sqrt(q) + epsilon),   a' = a sqrt(1 - b2^t) / (1 - b1^t)
 *     AdamW     w -= w decay a, then as Adam
 * Kingma and Ba 2015, arXiv:1412.6980; Loshchilov and Hutter 2019, arXiv:1711.05101. In float32, as Keras has it. */
#include <math.h>
#include "core/training/optimizer.h"

static void descend(const ng_optimizer *o, float rate, const float *restrict g, float *restrict w, float *restrict v, int64_t count)
{
    const float momentum = (float)o->momentum;
    for (int64_t i = 0; i < count; i++) {
        v[i] = v[i] * momentum - g[i] * rate;
        w[i] += o->nesterov ? v[i] * momentum - g[i] * rate : v[i];
    }
}

static void adam(const ng_optimizer *o, float rate, int64_t step, const float *restrict g, float *restrict w, float *restrict m,
                 float *restrict q, int64_t count)
{
    const float b1 = (float)o->beta_1, b2 = (float)o->beta_2, epsilon = (float)o->epsilon;
    const float decay = o->method == NG_ADAMW ? (float)o->weight_decay * rate : 0;
    const float alpha = rate * sqrtf(1 - powf(b2, (float)step)) / (1 - powf(b1, (float)step));
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        w[i] -= w[i] * decay;
        m[i] += (g[i] - m[i]) * (1 - b1);
        q[i] += (g[i] * g[i] - q[i]) * (1 - b2);
        w[i] -= m[i] * alpha / (sqrtf(q[i]) + epsilon);
    }
}

void ng_optimize(const ng_optimizer *optimizer, double rate, int64_t step, const float *gradient, float *weight, float *mean,
                 float *square, int64_t count)
{
    if (optimizer->method == NG_SGD) descend(optimizer, (float)rate, gradient, weight, mean, count);
    else adam(optimizer, (float)rate, step, gradient, weight, mean, square, count);
}
