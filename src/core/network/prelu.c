/* core/network/prelu.c: PReLU, a learned slope below zero.    x (S, L, C) -> y (S, L, C)
 *     y = x where x > 0, else alpha x
 *     dx += dy, alpha dy or 0 where x > 0, x < 0 or x = 0          the slope is kept
 *     dalpha += dy x where x < 0
 * alpha has the shape of the input; its axes in shared_axes have size 1. */
#include <math.h>
#include "core/network/layer.h"
#include "core/network/vector.h"

typedef struct prelu {
    const float *alpha;                          /* rows of as many channels as the input */
    int64_t sample_rows, length_rows;            /* alpha's row of input row t = s L + l is s * sample_rows + l * length_rows */
    int64_t channels;                            /* of the weight: 1, or those of the input */
} prelu;

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const ng_shape in = layer->in[0];
    int64_t size[3] = {in.samples, in.length, in.channels}, *axes = size + 3 - in.rank;
    for (int64_t i = 0; i < ng_count(layer->settings, "shared_axes"); i++) {
        const double axis = ng_number(layer->settings, "shared_axes", i, 0);
        if (!(axis >= 1 && axis <= in.rank && axis == floor(axis)))
            return ng_fail(error, NG_BAD_MODEL, layer, "shared_axes holds %g; its input has axes 1 to %d besides the batch", axis,
                           in.rank);
        axes[(int)axis - 1] = 1;
    }
    if (ng_expect_weight(layer, 0, in.rank, axes, error)) return error->status;
    const int64_t rows = size[0] * size[1];
    prelu *config = ng_alloc(arena, 1, sizeof *config, error);
    float *alpha = ng_alloc(arena, rows * in.channels, sizeof *alpha, error);
    if (!config || !alpha) return error->status;
    for (int64_t t = 0; t < rows; t++)
        for (int64_t c = 0; c < in.channels; c++)
            alpha[t * in.channels + c] = layer->weights->data[t * size[2] + (size[2] == 1 ? 0 : c)];
    *config = (prelu){alpha, size[0] == 1 ? 0 : size[1], size[1] != 1, size[2]};
    layer->config = config;
    layer->code_bytes = (int64_t)sizeof(float) * in.channels;
    ng_row_by_row(layer);
    return NG_OK;
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)scratch;
    const prelu *config = layer->config;
    const int64_t length = layer->in->length;
    NG_EACH_ROW(y, sample, t) {
        const float *from = ng_row(x, sample, t);
        const float *alpha = config->alpha + (t / length * config->sample_rows + t % length * config->length_rows) * y->channels;
        float *to = ng_row(y, sample, t), *slope = (float *)ng_code_row(code, sample, t);
        for (int64_t c = 0; c < y->channels; c++) {
            to[c] = from[c] > 0 ? from[c] : alpha[c] * from[c];
            slope[c] = from[c] > 0 ? 1.0f : from[c] < 0 ? alpha[c] : 0.0f;
        }
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)layer, (void)scratch;
    if (!dx->data) return;
    NG_EACH_ROW(dx, sample, t)
        ng_add_product(ng_row(dx, sample, t), ng_row(dy, sample, t), (const float *)ng_code_row(code, sample, t), dx->channels);
}

static void gradients(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx, float *const *dw,
                      void *scratch)
{
    const prelu *config = layer->config;
    const int64_t length = layer->in->length;
    NG_EACH_ROW(dy, sample, t) {
        const float *from = ng_row(dy, sample, t), *at = ng_row(x, sample, t);
        if (!dw[0]) break;
        float *to = dw[0] + (t / length * config->sample_rows + t % length * config->length_rows) * config->channels;
        for (int64_t c = 0; c < dy->channels; c++)
            if (at[c] < 0) to[config->channels == 1 ? 0 : c] += from[c] * at[c];
    }
    backward(layer, dy, code, dx, scratch);
}

const ng_layer_type ng_prelu = {
    .class_name = "PReLU", .shape = shape, .forward = forward, .backward = backward, .gradients = gradients};
