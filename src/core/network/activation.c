/* core/network/activation.c: Activation and what Keras has of its kind, number by number or along the channels.
 *     y = f(x),    dx += dy f'(x)                                   forward keeps f'(x), or one bit where f bends at 0
 *     softmax:      y = e^(x - m) / sum_c e^(x - m),   m = max_c x    dx += y (dy - sum_c dy y)
 *     log_softmax:  y = x - m - log sum_c e^(x - m)                 dx += dy - e^y sum_c dy
 * At a kink f' is what TensorFlow takes: 0 for relu, alpha for leaky_relu, both ends of Keras 2's hard_sigmoid count as its
 * slope, neither end of Keras 3's does. x (S, L, C) -> y (S, L, C). */
#include <math.h>
#include <string.h>
#include "core/kernels/elementary.h"
#include "core/network/layer.h"
#include "core/network/signs.h"
#include "core/network/vector.h"

typedef enum { COPY, SIGNS, SLOPES, SOFTMAX, LOG_SOFTMAX } form;

typedef struct activation activation;
typedef void curve(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n);

struct activation {
    form form;
    curve *curve;                                /* of SLOPES */
    float alpha;                                 /* elu, and the slope below 0 of SIGNS and bounded */
    float threshold, most;                       /* bounded */
    bool flat_at_most;
};

/* ReLU with a threshold h or a largest value m: y = min(x, m) above h, alpha (x - h) below. */
static void bounded(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const bool above = x[i] > a->threshold, rising = a->flat_at_most ? x[i] < a->most : x[i] <= a->most;
        y[i] = above ? fminf(x[i], a->most) : a->alpha * (x[i] - a->threshold);
        slope[i] = above ? (float)rising : x[i] < a->threshold ? a->alpha : 0.0f;
    }
}

static void sigmoid(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    (void)a;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        y[i] = ng_sigmoid(x[i]);
        slope[i] = y[i] * (1.0f - y[i]);
    }
}

/* The ends are compared in x, where they are exact: 0.2 x + 0.5 rounds. */
static void hard_sigmoid(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    (void)a;
    for (int64_t i = 0; i < n; i++) {
        y[i] = x[i] <= -2.5f ? 0.0f : x[i] >= 2.5f ? 1.0f : 0.2f * x[i] + 0.5f;
        slope[i] = x[i] >= -2.5f && x[i] <= 2.5f ? 0.2f : 0.0f;
    }
}

static void hard_sigmoid_keras3(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    (void)a;
    for (int64_t i = 0; i < n; i++) {
        y[i] = x[i] <= -3.0f ? 0.0f : x[i] >= 3.0f ? 1.0f : (x[i] + 3.0f) / 6.0f;
        slope[i] = x[i] > -3.0f && x[i] < 3.0f ? 1.0f / 6.0f : 0.0f;
    }
}

static void hyperbolic_tangent(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    (void)a;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        y[i] = ng_tanh(x[i]);
        slope[i] = 1.0f - y[i] * y[i];
    }
}

static void elu(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        y[i] = x[i] > 0 ? x[i] : a->alpha * expm1f(x[i]);
        slope[i] = x[i] > 0 ? 1.0f : y[i] + a->alpha;
    }
}

static void selu(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    (void)a;
    const float scale = 1.0507009873554805f, low = 1.7580993408473766f;   /* low = scale * 1.6732632423543772 */
    for (int64_t i = 0; i < n; i++) {
        y[i] = x[i] >= 0 ? scale * x[i] : low * expm1f(x[i]);
        slope[i] = x[i] >= 0 ? scale : y[i] + low;
    }
}

static void softplus(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    (void)a;
    for (int64_t i = 0; i < n; i++) {
        y[i] = fmaxf(x[i], 0.0f) + log1pf(expf(-fabsf(x[i])));
        slope[i] = 1.0f / (1.0f + expf(-x[i]));
    }
}

static void softsign(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    (void)a;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const float reciprocal = 1.0f / (1.0f + fabsf(x[i]));
        y[i] = x[i] * reciprocal;
        slope[i] = reciprocal * reciprocal;
    }
}

static void swish(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    (void)a;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const float s = ng_sigmoid(x[i]);
        y[i] = x[i] * s;
        slope[i] = s + y[i] * (1.0f - s);
    }
}

/* x Phi(x), Phi the standard normal distribution. */
static void gelu(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    (void)a;
    for (int64_t i = 0; i < n; i++) {
        const float below = 0.5f * erfcf(-0.70710678118654752f * x[i]);
        y[i] = x[i] * below;
        slope[i] = below + 0.39894228040143268f * x[i] * expf(-0.5f * x[i] * x[i]);
    }
}

static void gelu_tanh(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    (void)a;
    const float root = 0.79788456080286536f, cubic = 0.044715f;           /* sqrt(2 / pi) */
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const float square = x[i] * x[i], h = ng_tanh(root * x[i] * (1.0f + cubic * square));
        y[i] = 0.5f * x[i] * (1.0f + h);
        slope[i] = 0.5f * (1.0f + h) + 0.5f * x[i] * (1.0f - h * h) * root * (1.0f + 3.0f * cubic * square);
    }
}

static void exponential(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    (void)a;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) slope[i] = y[i] = ng_exp(x[i]);
}

static void mish(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    (void)a;
    for (int64_t i = 0; i < n; i++) {
        const float h = tanhf(fmaxf(x[i], 0.0f) + log1pf(expf(-fabsf(x[i]))));
        y[i] = x[i] * h;
        slope[i] = h + x[i] * (1.0f - h * h) / (1.0f + expf(-x[i]));
    }
}

static const struct { const char *name; form form; curve *curve; } table[] = {
    {"linear", COPY, NULL}, {"relu", SIGNS, NULL}, {"leaky_relu", SIGNS, NULL}, {"relu6", SLOPES, bounded},
    {"sigmoid", SLOPES, sigmoid}, {"hard_sigmoid", SLOPES, hard_sigmoid}, {"hard_sigmoid_keras3", SLOPES, hard_sigmoid_keras3},
    {"tanh", SLOPES, hyperbolic_tangent}, {"elu", SLOPES, elu}, {"selu", SLOPES, selu}, {"softplus", SLOPES, softplus},
    {"softsign", SLOPES, softsign}, {"swish", SLOPES, swish}, {"gelu", SLOPES, gelu}, {"gelu_tanh", SLOPES, gelu_tanh},
    {"exponential", SLOPES, exponential}, {"mish", SLOPES, mish}, {"softmax", SOFTMAX, NULL}, {"log_softmax", LOG_SOFTMAX, NULL},
};

/* The settings of relu: one bit is enough unless it has a threshold or a largest value. */
static ng_status parse_relu(const ng_layer *layer, activation *a, ng_error *error)
{
    const double most = ng_number(layer->settings, "max_value", 0, INFINITY);
    const double threshold = ng_number(layer->settings, "threshold", 0, 0);
    const double slope = ng_number(layer->settings, "negative_slope", 0, 0);
    if (most < 0 || !(threshold >= 0) || !(slope >= 0))
        return ng_fail(error, NG_BAD_MODEL, layer, "max_value, threshold and negative_slope are %g, %g and %g; none may be below 0",
                       most, threshold, slope);
    a->alpha = (float)slope;
    a->threshold = (float)threshold;
    a->most = isnan(most) ? INFINITY : (float)most;
    a->flat_at_most = threshold == 0 && most == 6;                        /* Keras then calls relu6, which is flat at 6 */
    if (isinf(a->most) && threshold == 0) return NG_OK;
    a->form = SLOPES;
    a->curve = bounded;
    return NG_OK;
}

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const char *name = ng_word(layer->settings, "activation", "linear");
    const int known = (int)(sizeof table / sizeof table[0]);
    int at = 0;
    while (at < known && strcmp(table[at].name, name)) at++;
    if (at == known) return ng_fail(error, NG_UNSUPPORTED, layer, "its activation is \"%.40s\", which is not supported", name);
    activation *a = ng_alloc(arena, 1, sizeof *a, error);
    if (!a) return error->status;
    const bool leaky = !strcmp(name, "leaky_relu");
    *a = (activation){.form = table[at].form, .curve = table[at].curve};
    if (leaky || !strcmp(name, "elu")) a->alpha = (float)ng_number(layer->settings, "alpha", 0, leaky ? 0.2 : 1);
    if (!isfinite(a->alpha)) return ng_fail(error, NG_BAD_MODEL, layer, "alpha must be a number");
    if (!strcmp(name, "relu6")) *a = (activation){.form = SLOPES, .curve = bounded, .most = 6, .flat_at_most = true};
    if (!strcmp(name, "relu") && parse_relu(layer, a, error)) return error->status;
    ng_row_by_row(layer);
    const int64_t channels = layer->out.channels;
    layer->code_bytes = a->form == COPY ? 0 : a->form == SIGNS ? ng_sign_bytes(channels) : (int64_t)sizeof(float) * channels;
    layer->config = a;
    return NG_OK;
}

/* y and what backward needs of it: the probabilities. */
static void normalize(bool logarithm, const float *restrict x, float *restrict y, float *restrict probability, int64_t channels)
{
    float most = x[0];
    for (int64_t c = 1; c < channels; c++) most = x[c] > most ? x[c] : most;
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) probability[c] = ng_exp(x[c] - most);
    double sum = 0;
    for (int64_t c = 0; c < channels; c++) sum += (double)probability[c];
    const float scale = (float)(1 / sum), shift = (float)log(sum);
    for (int64_t c = 0; c < channels; c++) {
        probability[c] *= scale;
        y[c] = logarithm ? x[c] - most - shift : probability[c];
    }
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)scratch;
    const activation *a = layer->config;
    NG_EACH_ROW(y, sample, t) {
        const float *from = ng_row(x, sample, t);
        float *to = ng_row(y, sample, t);
        if (a->form == COPY) {
            memcpy(to, from, (size_t)y->channels * sizeof *to);
            continue;
        }
        uint8_t *kept = ng_code_row(code, sample, t);
        if (a->form == SIGNS) ng_bend_row(from, a->alpha, to, kept, y->channels);
        else if (a->form == SLOPES) a->curve(a, from, to, (float *)kept, y->channels);
        else normalize(a->form == LOG_SOFTMAX, from, to, (float *)kept, y->channels);
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)scratch;
    if (!dx->data) return;
    const activation *a = layer->config;
    NG_EACH_ROW(dx, sample, t) {
        const float *from = ng_row(dy, sample, t);
        float *to = ng_row(dx, sample, t);
        if (a->form == COPY) {
            ng_add_to(to, from, dx->channels);
            continue;
        }
        const uint8_t *kept = ng_code_row(code, sample, t);
        const float *number = (const float *)kept;
        if (a->form == SIGNS) ng_unbend_row(from, a->alpha, kept, to, dx->channels);
        else if (a->form == SLOPES) ng_add_product(to, from, number, dx->channels);
        else {
            double sum = 0;
            for (int64_t c = 0; c < dx->channels; c++) sum += (double)from[c] * (a->form == SOFTMAX ? number[c] : 1.0f);
            for (int64_t c = 0; c < dx->channels; c++)
                to[c] += a->form == SOFTMAX ? number[c] * (from[c] - (float)sum) : from[c] - number[c] * (float)sum;
        }
    }
}

const ng_layer_type ng_activation = {.class_name = "Activation", .shape = shape, .forward = forward, .backward = backward};
