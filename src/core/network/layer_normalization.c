/* core/network/layer_normalization.c: LayerNormalization over the channels of each row.    x (S, L, C) -> y (S, L, C)
 *     m = mean_c x,   v = mean_c (x - m)^2,   r = 1 / sqrt(v + epsilon),   h = (x - m) r
 *     y = gamma h + beta
 *     dx += r (g - mean_c g - h mean_c (g h))          g = dy gamma; forward keeps h and r
 *     dgamma += sum over rows of dy h,   dbeta += sum over rows of dy
 * The means are summed in float64, one channel after the other. */
#include <math.h>
#include "core/network/layer.h"
#include "core/network/vector.h"

typedef struct layer_normalization { const float *gamma, *beta; double epsilon; } layer_normalization;

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const double axis = ng_number(layer->settings, "axis", 0, -1);
    if (ng_count(layer->settings, "axis") > 1 || (axis != -1 && axis != layer->in->rank))
        return ng_fail(error, NG_UNSUPPORTED, layer, "it does not normalize the last axis alone; nothing else is supported");
    const bool scaled = ng_flag(layer->settings, "scale", true), centred = ng_flag(layer->settings, "center", true);
    const int64_t channels = layer->in->channels;
    for (int i = 0; i < scaled + centred; i++)
        if (ng_expect_weight(layer, i, 1, &channels, error)) return error->status;
    layer_normalization *config = ng_alloc(arena, 1, sizeof *config, error);
    float *ones = ng_alloc(arena, channels, sizeof *ones, error), *zeros = ng_alloc(arena, channels, sizeof *zeros, error);
    if (!config || !ones || !zeros) return error->status;
    for (int64_t c = 0; c < channels; c++) ones[c] = 1;
    config->gamma = scaled ? layer->weights[0].data : ones;
    config->beta = centred ? layer->weights[scaled].data : zeros;
    config->epsilon = ng_number(layer->settings, "epsilon", 0, 1e-3);
    if (!(config->epsilon >= 0))
        return ng_fail(error, NG_BAD_MODEL, layer, "epsilon is %g; it must not be below 0", config->epsilon);
    layer->config = config;
    layer->code_bytes = (int64_t)sizeof(float) * (channels + 1);
    ng_row_by_row(layer);
    return NG_OK;
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)scratch;
    const layer_normalization *config = layer->config;
    const int64_t channels = y->channels;
    NG_EACH_ROW(y, sample, t) {
        const float *from = ng_row(x, sample, t);
        float *to = ng_row(y, sample, t), *h = (float *)ng_code_row(code, sample, t);
        double sum = 0, squares = 0;
        for (int64_t c = 0; c < channels; c++) sum += (double)from[c];
        const double mean = sum / (double)channels;
        for (int64_t c = 0; c < channels; c++) squares += ((double)from[c] - mean) * ((double)from[c] - mean);
        const double r = 1 / sqrt(squares / (double)channels + config->epsilon);
        for (int64_t c = 0; c < channels; c++) {
            h[c] = (float)(((double)from[c] - mean) * r);
            to[c] = h[c] * config->gamma[c] + config->beta[c];
        }
        h[channels] = (float)r;
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)scratch;
    if (!dx->data) return;
    const float *gamma = ((const layer_normalization *)layer->config)->gamma;
    const int64_t channels = dx->channels;
    NG_EACH_ROW(dx, sample, t) {
        const float *from = ng_row(dy, sample, t), *h = (const float *)ng_code_row(code, sample, t);
        float *to = ng_row(dx, sample, t);
        double sum = 0, projection = 0;
        for (int64_t c = 0; c < channels; c++) {
            sum += (double)from[c] * gamma[c];
            projection += (double)from[c] * gamma[c] * h[c];
        }
        sum /= (double)channels;
        projection /= (double)channels;
        for (int64_t c = 0; c < channels; c++)
            to[c] += (float)(h[channels] * ((double)from[c] * gamma[c] - sum - h[c] * projection));
    }
}

static void gradients(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx, float *const *dw,
                      void *scratch)
{
    (void)x;
    const bool scaled = ng_flag(layer->settings, "scale", true), centred = ng_flag(layer->settings, "center", true);
    NG_EACH_ROW(dy, sample, t) {
        const float *from = ng_row(dy, sample, t);
        if (scaled && dw[0]) ng_add_product(dw[0], from, (const float *)ng_code_row(code, sample, t), dy->channels);
        if (centred && dw[scaled]) ng_add_to(dw[scaled], from, dy->channels);
    }
    backward(layer, dy, code, dx, scratch);
}

const ng_layer_type ng_layer_normalization = {
    .class_name = "LayerNormalization", .shape = shape, .forward = forward, .backward = backward, .gradients = gradients};
