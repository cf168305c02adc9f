/* core/network/activation.c: Activation and what Keras has of its kind, number by number or along the channels.
 *     y = f(x),    dx += dy f'(x)                                   forward keeps f'(x), or one bit where f bends at 0
 *     softmax:      y = e^(x - m) / sum_c e^(x - m),   m = max_c x    dx += y (dy - sum_c dy y)
 *     log_softmax:  y = x - m - log sum_c e^(x - m)                 dx += dy - e^y sum_c dy
 * f and f' are those of kernels/curve.h; at its kink leaky_relu has the slope alpha. x (S, L, C) -> y (S, L, C). */
#include <math.h>
#include <string.h>
#include "core/kernels/curve.h"
#include "core/network/layer.h"
#include "core/network/signs.h"
#include "core/network/vector.h"

typedef enum { COPY, SIGNS, SLOPES, BOUNDED, SOFTMAX, LOG_SOFTMAX } form;

typedef struct activation {
    form form;
    ng_curve curve;                              /* of SLOPES */
    float alpha;                                 /* elu, and the slope below 0 of SIGNS and BOUNDED */
    float threshold, most;                       /* BOUNDED */
    bool flat_at_most;
} activation;

/* ReLU with a threshold h or a largest value m: y = min(x, m) above h, alpha (x - h) below. */
static void bounded(const activation *a, const float *restrict x, float *restrict y, float *restrict slope, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const bool above = x[i] > a->threshold, rising = a->flat_at_most ? x[i] < a->most : x[i] <= a->most;
        y[i] = above ? fminf(x[i], a->most) : a->alpha * (x[i] - a->threshold);
        slope[i] = above ? (float)rising : x[i] < a->threshold ? a->alpha : 0.0f;
    }
}

/* Which form an activation has that is not one of softmax's. */
static form form_of(ng_curve curve) { return curve == NG_LINEAR ? COPY : curve == NG_RELU ? SIGNS : SLOPES; }

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
    a->form = BOUNDED;
    return NG_OK;
}

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const char *name = ng_word(layer->settings, "activation", "linear");
    const bool leaky = !strcmp(name, "leaky_relu"), six = !strcmp(name, "relu6"), softmax = !strcmp(name, "softmax");
    activation *a = ng_alloc(arena, 1, sizeof *a, error);
    if (!a) return error->status;
    if (ng_curve_named(name, &a->curve)) a->form = form_of(a->curve);
    else if (leaky) a->form = SIGNS;
    else if (six) *a = (activation){.form = BOUNDED, .most = 6, .flat_at_most = true};
    else if (softmax || !strcmp(name, "log_softmax")) a->form = softmax ? SOFTMAX : LOG_SOFTMAX;
    else return ng_fail(error, NG_UNSUPPORTED, layer, "its activation is \"%.40s\", which is not supported", name);
    if (leaky || !strcmp(name, "elu")) a->alpha = (float)ng_number(layer->settings, "alpha", 0, leaky ? 0.2 : 1);
    if (!isfinite(a->alpha)) return ng_fail(error, NG_BAD_MODEL, layer, "alpha must be a number");
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
        else if (a->form == SLOPES) ng_bend(a->curve, a->alpha, y->channels, from, to, (float *)kept);
        else if (a->form == BOUNDED) bounded(a, from, to, (float *)kept, y->channels);
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
        else if (a->form == SLOPES || a->form == BOUNDED) ng_add_product(to, from, number, dx->channels);
        else {
            double sum = 0;
            for (int64_t c = 0; c < dx->channels; c++) sum += (double)from[c] * (a->form == SOFTMAX ? number[c] : 1.0f);
            for (int64_t c = 0; c < dx->channels; c++)
                to[c] += a->form == SOFTMAX ? number[c] * (from[c] - (float)sum) : from[c] - number[c] * (float)sum;
        }
    }
}

const ng_layer_type ng_activation = {.class_name = "Activation", .shape = shape, .forward = forward, .backward = backward};
