/* core/network/global_sum1d.c: GlobalSum1D, and the mean of the rows that a mask leaves.    x (L, C), m (L, 1) -> y (C)
 *     GlobalSum1D      y[c] = sum_t x[t, c]                               dx[t] += dy
 *     MaskedAverage1D  y[c] = (sum_t m[t] x[t, c]) / n,  n = sum_t m[t]     dx[t] += dy m[t] / n         NaN where n = 0, as in Keras
 * m is 0 or 1, and without gradient. With keepdims the result keeps its axis of one row. Sums in float64, row after row. */
#include <string.h>
#include "core/network/layer.h"
#include "core/network/types.h"
#include "core/network/vector.h"

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    const int inputs = layer->type == &ng_masked_average1d ? 2 : 1;
    if (layer->inputs != inputs || ng_expect_rank(layer, 2, 2, error) || (inputs > 1 && layer->in[1].length != layer->in->length))
        return ng_fail(error, NG_BAD_MODEL, layer, "%s takes %s", layer->type->class_name, inputs > 1 ? "rows and their mask" : "rows");
    layer->out = (ng_shape){ng_flag(layer->settings, "keepdims", false) ? 2 : 1, 1, 1, layer->in->channels};
    layer->reach = (ng_reach){0, 1, 1, 0};
    layer->call_bytes = (int64_t)sizeof(double) * layer->in->channels;
    layer->code_bytes = inputs > 1 ? (int64_t)sizeof(float) * layer->in->length : 0;       /* what dy is multiplied with */
    return NG_OK;
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    const bool masked = layer->inputs > 1;
    double *sum = scratch;
    for (int64_t n = 0; n < y->samples; n++) {
        float *share = masked ? (float *)ng_code_row(code, n, 0) : NULL, *to = ng_row(y, n, 0);
        double rows = 0;
        memset(sum, 0, (size_t)y->channels * sizeof *sum);
        for (int64_t t = 0; t < x->length; t++) {
            if (masked && !(*ng_row(&x[1], n, t) > 0)) continue;
            const float *row = ng_row(x, n, t);
            for (int64_t c = 0; c < y->channels; c++) sum[c] += (double)row[c];
            rows++;
        }
        for (int64_t c = 0; c < y->channels; c++) to[c] = (float)(masked ? sum[c] / rows : sum[c]);
        for (int64_t t = 0; masked && t < x->length; t++) share[t] = *ng_row(&x[1], n, t) > 0 ? (float)(1 / rows) : 0.0f;
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)scratch;
    if (!dx->data) return;
    NG_EACH_ROW(dx, n, t)
        ng_add_scaled(ng_row(dx, n, t), ng_row(dy, n, 0), layer->inputs > 1 ? ((const float *)ng_code_row(code, n, 0))[t] : 1.0f,
                      dx->channels);
}

const ng_layer_type ng_global_sum1d = {.class_name = "GlobalSum1D", .shape = shape, .forward = forward, .backward = backward};
const ng_layer_type ng_masked_average1d = {
    .class_name = "MaskedAverage1D", .several = true, .shape = shape, .forward = forward, .backward = backward};
