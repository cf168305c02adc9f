/* core/network/merge.c: Add, Subtract, Multiply, Average, Maximum and Minimum of inputs x_0 .. x_{n-1}, number by number.
 *     Add       y = sum_i x_i            dx_i += dy
 *     Subtract  y = x_0 - x_1            dx_0 += dy, dx_1 -= dy
 *     Average   y = (sum_i x_i) / n      dx_i += dy / n
 *     Multiply  y = prod_i x_i           dx_i += dy prod_{j != i} x_j        forward keeps the x_i
 *     Maximum   y = max_i x_i            dx_i += dy for the first i that attains it: one byte; Minimum likewise
 * An axis of size 1 meets a longer one by repetition, as in Keras; if that concerns rows, all rows are needed at once. */
#include <string.h>
#include "core/network/layer.h"
#include "core/network/types.h"
#include "core/network/vector.h"

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static bool is_chosen(const ng_layer_type *type) { return type == &ng_maximum || type == &ng_minimum; }

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    const bool chosen = is_chosen(layer->type);
    const bool pair = layer->type == &ng_subtract;
    const int least = pair ? 2 : 1, most = pair ? 2 : chosen ? UINT8_MAX + 1 : INT32_MAX;
    if (layer->inputs < least || layer->inputs > most)
        return ng_fail(error, NG_BAD_MODEL, layer, "it has %d inputs; %s takes %d to %d", layer->inputs,
                       layer->type->class_name, least, most);
    ng_shape out = layer->in[0];
    for (int i = 1; i < layer->inputs; i++)
        out = (ng_shape){out.rank, larger(out.samples, layer->in[i].samples), larger(out.length, layer->in[i].length),
                         larger(out.channels, layer->in[i].channels)};
    bool same_rows = true;
    for (int i = 0; i < layer->inputs; i++) {
        const ng_shape in = layer->in[i];
        if (in.rank != out.rank || (in.samples != out.samples && in.samples != 1) || (in.length != out.length && in.length != 1) ||
            (in.channels != out.channels && in.channels != 1))
            return ng_fail(error, NG_BAD_MODEL, layer,
                           "input %d has %d axes, %lld x %lld x %lld, which do not meet %lld x %lld x %lld", i + 1, in.rank,
                           (long long)in.samples, (long long)in.length, (long long)in.channels, (long long)out.samples,
                           (long long)out.length, (long long)out.channels);
        same_rows = same_rows && in.samples == out.samples && in.length == out.length;
    }
    layer->out = out;
    layer->reach = (ng_reach){same_rows, 1, 1, 0};
    layer->scratch_bytes = (int64_t)sizeof(float) * out.channels;
    if (chosen) layer->code_bytes = out.channels;
    if (layer->type == &ng_multiply_layer) layer->code_bytes = (int64_t)sizeof(float) * out.channels * layer->inputs;
    return NG_OK;
}

/* The row of input i that output row t reads. */
static int64_t input_row(const ng_layer *layer, int i, int64_t t)
{
    const ng_shape in = layer->in[i], out = layer->out;
    if (in.samples == out.samples && in.length == out.length) return t;
    return (in.samples == 1 ? 0 : t / out.length * in.length) + (in.length == 1 ? 0 : t % out.length);
}

/* Row t of input i as wide as the output; a single channel is repeated in `wide`. */
static const float *operand(const ng_layer *layer, const ng_tile *x, int i, int64_t sample, int64_t t, float *wide)
{
    const float *row = ng_row(&x[i], sample, input_row(layer, i, t));
    if (x[i].channels == layer->out.channels) return row;
    for (int64_t c = 0; c < layer->out.channels; c++) wide[c] = row[0];
    return wide;
}

static void multiply(float *restrict y, const float *restrict x, int64_t channels)
{
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) y[c] *= x[c];
}

/* Input i meets the largest so far, or the smallest where sign is -1. */
static void contest(const float *restrict x, float sign, int i, float *restrict best, uint8_t *restrict winner, int64_t channels)
{
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
        const int wins = -(sign * x[c] > sign * best[c]), before = winner[c];
        winner[c] = (uint8_t)((i & wins) | (before & ~wins));
    }
    for (int64_t c = 0; c < channels; c++) best[c] = winner[c] == i ? x[c] : best[c];
}

/* What Add, Subtract and Average multiply dy with for input i. */
static float factor_of(const ng_layer *layer, int i)
{
    return layer->type == &ng_average ? 1.0f / (float)layer->inputs : layer->type == &ng_subtract && i == 1 ? -1.0f : 1.0f;
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    const ng_layer_type *type = layer->type;
    const int64_t channels = y->channels;
    const size_t bytes = (size_t)channels * sizeof(float);
    NG_EACH_ROW(y, sample, t) {
        float *to = ng_row(y, sample, t);
        uint8_t *kept = layer->code_bytes ? ng_code_row(code, sample, t) : NULL;
        for (int i = 0; i < layer->inputs; i++) {
            const float *from = operand(layer, x, i, sample, t, scratch);
            if (type == &ng_multiply_layer) memcpy(kept + (size_t)i * bytes, from, bytes);
            if (i == 0) memcpy(to, from, bytes);
            else if (type == &ng_subtract) ng_add_scaled(to, from, -1, channels);
            else if (type == &ng_multiply_layer) multiply(to, from, channels);
            else if (is_chosen(type)) contest(from, type == &ng_maximum ? 1 : -1, i, to, kept, channels);
            else ng_add_to(to, from, channels);
            if (i == 0 && is_chosen(type)) memset(kept, 0, (size_t)channels);
        }
        if (type == &ng_average) ng_scale(to, factor_of(layer, 0), channels);
    }
}

/* The gradient that an output row sends to input i, as wide as the output. */
static void send(const ng_layer *layer, const float *restrict dy, const uint8_t *restrict kept, int i, float *restrict gradient)
{
    const int64_t channels = layer->out.channels;
    for (int64_t c = 0; c < channels; c++) gradient[c] = is_chosen(layer->type) && kept[c] != i ? 0 : dy[c] * factor_of(layer, i);
    if (layer->type != &ng_multiply_layer) return;
    for (int j = 0; j < layer->inputs; j++)
        if (j != i) multiply(gradient, (const float *)kept + j * channels, channels);
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    float *gradient = scratch;
    for (int i = 0; i < layer->inputs; i++) {
        if (!dx[i].data) continue;
        const bool wide = dx[i].channels == dy->channels;
        NG_EACH_ROW(dy, sample, t) {
            const int64_t row = input_row(layer, i, t);
            if (row < dx[i].first || row >= dx[i].last) continue;         /* belongs to another tile */
            const float *from = ng_row(dy, sample, t);
            float *to = ng_row(&dx[i], sample, row);
            if (layer->code_bytes == 0 && wide) {
                ng_add_scaled(to, from, factor_of(layer, i), dy->channels);
                continue;
            }
            send(layer, from, layer->code_bytes ? ng_code_row(code, sample, t) : NULL, i, gradient);
            if (wide) ng_add_to(to, gradient, dy->channels);
            else for (int64_t c = 0; c < dy->channels; c++) to[0] += gradient[c];
        }
    }
}

const ng_layer_type ng_add = {.class_name = "Add", .several = true, .shape = shape, .forward = forward, .backward = backward};
const ng_layer_type ng_subtract = {
    .class_name = "Subtract", .several = true, .shape = shape, .forward = forward, .backward = backward};
const ng_layer_type ng_multiply_layer = {
    .class_name = "Multiply", .several = true, .shape = shape, .forward = forward, .backward = backward};
const ng_layer_type ng_average = {
    .class_name = "Average", .several = true, .shape = shape, .forward = forward, .backward = backward};
const ng_layer_type ng_maximum = {
    .class_name = "Maximum", .several = true, .shape = shape, .forward = forward, .backward = backward};
const ng_layer_type ng_minimum = {
    .class_name = "Minimum", .several = true, .shape = shape, .forward = forward, .backward = backward};
