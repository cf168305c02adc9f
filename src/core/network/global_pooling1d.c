/* core/network/global_pooling1d.c: GlobalMaxPooling1D and GlobalAveragePooling1D, one number a channel.    x (L, C) -> y (C)
 *     average:  y[c] = (sum_t x[t, c]) / L         dx[t, c] += dy[c] / L
 *     largest:  y[c] = max_t x[t, c]               dx[t, c] += dy[c] / n[c] where x[t, c] = y[c], n[c] of them
 * data_format "channels_first" exchanges t and c: x (L, C) -> y (L). keepdims only renames the axes of y. Averages are summed
 * in float64, row after row: a million rows lose nothing. The largest keep n and a bit for each number of x. */
#include <string.h>
#include "core/network/layer.h"
#include "core/network/signs.h"
#include "core/network/vector.h"

typedef struct global_pooling { bool across; } global_pooling;           /* channels_first: over the channels of each row */

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    if (ng_expect_rank(layer, 2, 2, error)) return error->status;
    const char *format = ng_word(layer->settings, "data_format", "channels_last");
    global_pooling *pool = ng_alloc(arena, 1, sizeof *pool, error);
    if (!pool) return error->status;
    pool->across = !strcmp(format, "channels_first");
    if (!pool->across && strcmp(format, "channels_last"))
        return ng_fail(error, NG_BAD_MODEL, layer, "data_format is \"%.40s\"; it must be channels_last or channels_first", format);
    const int64_t left = pool->across ? layer->in->length : layer->in->channels;
    layer->config = pool;
    if (!ng_flag(layer->settings, "keepdims", false)) layer->out = (ng_shape){1, 1, 1, left};
    else layer->out = pool->across ? (ng_shape){2, 1, left, 1} : (ng_shape){2, 1, 1, left};
    layer->reach = (ng_reach){0, 1, 1, 0};
    return NG_OK;
}

static ng_status shape_average(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    layer->scratch_bytes = (int64_t)sizeof(double) * layer->in->channels;
    return shape(layer, arena, error);
}

/* The code of one sample: n of every number of y, then the bits of every row of x. */
static ng_status shape_largest(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    if (shape(layer, arena, error)) return error->status;
    const int64_t bytes = (int64_t)sizeof(float) * ng_size(layer->out) + layer->in->length * ng_sign_bytes(layer->in->channels);
    const int64_t per_row = (bytes + layer->out.length - 1) / layer->out.length;
    layer->code_bytes = (per_row + 3) / 4 * 4;
    return NG_OK;
}

static void add_row(double *restrict sum, const float *restrict row, int64_t channels)
{
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) sum[c] += (double)row[c];
}

static void forward_average(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code;
    const int64_t length = x->length, channels = x->channels;
    double *sum = scratch;
    for (int64_t sample = 0; sample < y->samples; sample++) {
        float *to = y->data + sample * y->sample_stride;
        memset(sum, 0, (size_t)channels * sizeof *sum);
        for (int64_t t = 0; t < length; t++) {
            if (!((const global_pooling *)layer->config)->across) add_row(sum, ng_row(x, sample, t), channels);
            else {
                const float *row = ng_row(x, sample, t);
                double across = 0;
                for (int64_t c = 0; c < channels; c++) across += (double)row[c];
                to[t] = (float)(across / (double)channels);
            }
        }
        if (!((const global_pooling *)layer->config)->across)
            for (int64_t c = 0; c < channels; c++) to[c] = (float)(sum[c] / (double)length);
    }
}

static void backward_average(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)code, (void)scratch;
    if (!dx->data) return;
    const bool across = ((const global_pooling *)layer->config)->across;
    const float share = 1.0f / (float)(across ? dx->channels : dx->length);
    NG_EACH_ROW(dx, sample, t) {
        const float *from = dy->data + sample * dy->sample_stride;
        float *to = ng_row(dx, sample, t);
        if (across) for (int64_t c = 0; c < dx->channels; c++) to[c] += from[t] * share;
        else ng_add_scaled(to, from, share, dx->channels);
    }
}

static void forward_largest(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)scratch;
    const bool across = ((const global_pooling *)layer->config)->across;
    const int64_t channels = x->channels, left = ng_size(layer->out), bytes = ng_sign_bytes(channels);
    for (int64_t sample = 0; sample < y->samples; sample++) {
        float *to = y->data + sample * y->sample_stride, *ties = (float *)(code->data + sample * code->sample_stride);
        uint8_t *bits = (uint8_t *)(ties + left);
        memset(ties, 0, (size_t)left * sizeof *ties);
        memset(bits, 0, (size_t)(x->length * bytes));
        for (int64_t t = 0; t < x->length; t++) {
            const float *row = ng_row(x, sample, t);
            for (int64_t c = 0; c < channels; c++) {
                const int64_t i = across ? t : c;
                if ((across ? c : t) == 0 || row[c] > to[i]) to[i] = row[c];
            }
        }
        for (int64_t t = 0; t < x->length; t++) {
            const float *row = ng_row(x, sample, t);
            for (int64_t c = 0; c < channels; c++) {
                const int64_t i = across ? t : c;
                if (row[c] != to[i]) continue;
                ties[i]++;
                bits[t * bytes + c / 8] |= (uint8_t)(1u << c % 8);
            }
        }
    }
}

static void backward_largest(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)scratch;
    if (!dx->data) return;
    const bool across = ((const global_pooling *)layer->config)->across;
    const int64_t bytes = ng_sign_bytes(dx->channels);
    NG_EACH_ROW(dx, sample, t) {
        const float *from = dy->data + sample * dy->sample_stride;
        const float *ties = (const float *)(code->data + sample * code->sample_stride);
        const uint8_t *bits = (const uint8_t *)(ties + ng_size(layer->out)) + t * bytes;
        float *to = ng_row(dx, sample, t);
        for (int64_t c = 0; c < dx->channels; c++) {
            const int64_t i = across ? t : c;
            if (bits[c / 8] >> c % 8 & 1) to[c] += from[i] / ties[i];
        }
    }
}

const ng_layer_type ng_global_average_pooling1d = {
    .class_name = "GlobalAveragePooling1D", .shape = shape_average, .forward = forward_average, .backward = backward_average};
const ng_layer_type ng_global_max_pooling1d = {
    .class_name = "GlobalMaxPooling1D", .shape = shape_largest, .forward = forward_largest, .backward = backward_largest};
