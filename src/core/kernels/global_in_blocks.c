/* core/kernels/global_in_blocks.c: see network/global_pooling1d.c for what is right. x (L, C), in blocks of B = 256 rows.
 *     average, blocks:  s[b, c] = sum of x[t, c] over the rows t of block b       dx[t, c] += ds[b, c]
 *              rest:    y[c] = (sum_b s[b, c]) / L                                  ds[b, c] += dy[c] / L
 *     largest, blocks:  m[b, c] = max of x[t, c], n[b, c] = how many rows attain it;   dx[t, c] += dm[b, c] where x[t, c] = m[b, c]
 *              rest:    y[c] = max_b m[b, c], N = sum of n[b, c] where m[b, c] = y[c];  dm[b, c] += dy[c] / N there
 * Sums in float64; a block keeps its own in float32. */
#include <string.h>
#include "core/kernels/global_in_blocks.h"
#include "core/network/types.h"
#include "core/network/vector.h"

enum { BLOCK = 256, LEAST_BLOCKS = 4 };

static int64_t bit_bytes(int64_t channels) { return (channels + 7) / 8; }

static ng_range rows_of(int64_t block, int64_t length) { return ng_clip(block * BLOCK, (block + 1) * BLOCK, length); }

/* ---- average ---- */

static void add_row(double *restrict sum, const float *restrict row, int64_t channels)
{
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) sum[c] += (double)row[c];
}

/* to = (sum of rows [rows.first, rows.last)) / count */
static void mean_rows(const ng_tile *x, int64_t sample, ng_range rows, double count, double *sum, float *to)
{
    memset(sum, 0, (size_t)x->channels * sizeof *sum);
    for (int64_t t = rows.first; t < rows.last; t++) add_row(sum, ng_row(x, sample, t), x->channels);
    for (int64_t c = 0; c < x->channels; c++) to[c] = (float)(sum[c] / count);
}

static void sum_forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)layer, (void)code;
    NG_EACH_ROW(y, sample, b) mean_rows(x, sample, rows_of(b, x->length), 1, scratch, ng_row(y, sample, b));
}

static void sum_backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)layer, (void)code, (void)scratch;
    if (!dx->data) return;
    NG_EACH_ROW(dx, sample, t) ng_add_to(ng_row(dx, sample, t), ng_row(dy, sample, t / BLOCK), dx->channels);
}

typedef struct rest_of_average { int64_t length; } rest_of_average;

static void average_forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code;
    const double length = (double)((const rest_of_average *)layer->config)->length;
    for (int64_t sample = 0; sample < y->samples; sample++)
        mean_rows(x, sample, (ng_range){0, x->length}, length, scratch, y->data + sample * y->sample_stride);
}

static void average_backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)code, (void)scratch;
    if (!dx->data) return;
    const float share = 1.0f / (float)((const rest_of_average *)layer->config)->length;
    NG_EACH_ROW(dx, sample, b) ng_add_scaled(ng_row(dx, sample, b), dy->data + sample * dy->sample_stride, share, dx->channels);
}

/* ---- largest ---- */

/* best = the largest of rows, channel by channel; bits of the rows that attain it. */
static void largest_rows(const ng_tile *x, int64_t sample, ng_range rows, int64_t channels, float *best, uint8_t *bits)
{
    const int64_t bytes = bit_bytes(channels);
    memcpy(best, ng_row(x, sample, rows.first), (size_t)channels * sizeof *best);
    for (int64_t t = rows.first + 1; t < rows.last; t++) {
        const float *row = ng_row(x, sample, t);
        for (int64_t c = 0; c < channels; c++) best[c] = row[c] > best[c] ? row[c] : best[c];
    }
    memset(bits, 0, (size_t)((rows.last - rows.first) * bytes));
    for (int64_t t = rows.first; t < rows.last; t++, bits += bytes) {
        const float *row = ng_row(x, sample, t);
        for (int64_t c = 0; c < channels; c++) bits[c / 8] |= (uint8_t)((unsigned)(row[c] == best[c]) << c % 8);
    }
}

static bool bit(const uint8_t *bits, int64_t c) { return bits[c / 8] >> c % 8 & 1; }

static void block_forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)layer, (void)scratch;
    const int64_t channels = x->channels, bytes = bit_bytes(channels);
    NG_EACH_ROW(y, sample, b) {
        const ng_range rows = rows_of(b, x->length);
        float *best = ng_row(y, sample, b), *ties = best + channels;
        const uint8_t *bits = ng_code_row(code, sample, b);
        largest_rows(x, sample, rows, channels, best, ng_code_row(code, sample, b));
        memset(ties, 0, (size_t)channels * sizeof *ties);
        for (int64_t t = rows.first; t < rows.last; t++, bits += bytes)
            for (int64_t c = 0; c < channels; c++) ties[c] += (float)bit(bits, c);
    }
}

static void block_backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)layer, (void)scratch;
    if (!dx->data) return;
    const int64_t bytes = bit_bytes(dx->channels);
    NG_EACH_ROW(dx, sample, t) {
        const uint8_t *bits = ng_code_row(code, sample, t / BLOCK) + t % BLOCK * bytes;
        const float *gradient = ng_row(dy, sample, t / BLOCK);
        float *to = ng_row(dx, sample, t);
        for (int64_t c = 0; c < dx->channels; c++)
            if (bit(bits, c)) to[c] += gradient[c];
    }
}

/* The code of one sample: N of each channel, then the bits of every block. */
static void largest_forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)layer, (void)scratch;
    const int64_t channels = x->channels / 2, bytes = bit_bytes(channels);
    for (int64_t sample = 0; sample < y->samples; sample++) {
        float *ties = (float *)(code->data + sample * code->sample_stride);
        uint8_t *bits = (uint8_t *)(ties + channels);
        largest_rows(x, sample, (ng_range){0, x->length}, channels, y->data + sample * y->sample_stride, bits);
        memset(ties, 0, (size_t)channels * sizeof *ties);
        for (int64_t b = 0; b < x->length; b++, bits += bytes)
            for (int64_t c = 0; c < channels; c++)
                if (bit(bits, c)) ties[c] += ng_row(x, sample, b)[channels + c];
    }
}

static void largest_backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)layer, (void)scratch;
    if (!dx->data) return;
    const int64_t channels = dx->channels / 2, bytes = bit_bytes(channels);
    NG_EACH_ROW(dx, sample, b) {
        const float *ties = (const float *)(code->data + sample * code->sample_stride), *from = dy->data + sample * dy->sample_stride;
        const uint8_t *bits = (const uint8_t *)(ties + channels) + b * bytes;
        float *to = ng_row(dx, sample, b);
        for (int64_t c = 0; c < channels; c++)
            if (bit(bits, c)) to[c] += from[c] / ties[c];
    }
}

static const ng_layer_type sum_type = {.class_name = "GlobalAveragePooling1D", .algorithm = "sums of blocks",
                                       .forward = sum_forward, .backward = sum_backward};
static const ng_layer_type average_type = {.class_name = "GlobalAveragePooling1D", .algorithm = "over blocks",
                                           .forward = average_forward, .backward = average_backward};
static const ng_layer_type block_type = {.class_name = "GlobalMaxPooling1D", .algorithm = "largest of blocks",
                                         .forward = block_forward, .backward = block_backward};
static const ng_layer_type largest_type = {.class_name = "GlobalMaxPooling1D", .algorithm = "over blocks",
                                           .forward = largest_forward, .backward = largest_backward};

ng_status ng_global_in_blocks(const ng_layer *layer, ng_arena *arena, ng_layer *blocks, ng_layer *rest, bool *made, ng_error *error)
{
    const bool average = layer->type == &ng_global_average_pooling1d;
    *made = false;
    if ((!average && layer->type != &ng_global_max_pooling1d) || layer->in->length <= LEAST_BLOCKS * BLOCK ||
        strcmp(ng_word(layer->settings, "data_format", "channels_last"), "channels_last")) return NG_OK;
    const int64_t channels = layer->in->channels, count = (layer->in->length + BLOCK - 1) / BLOCK, bytes = bit_bytes(channels);
    rest_of_average *config = ng_alloc(arena, 1, sizeof *config, error);
    ng_shape *between = config ? ng_alloc(arena, 1, sizeof *between, error) : NULL;
    if (!between) return error->status;
    *between = (ng_shape){2, 1, count, average ? channels : 2 * channels};
    config->length = layer->in->length;
    *blocks = *rest = *layer;
    blocks->type = average ? &sum_type : &block_type;
    blocks->out = *between;
    blocks->reach = (ng_reach){BLOCK, BLOCK, 1, 0};
    blocks->code_bytes = average ? 0 : BLOCK * bytes;
    blocks->scratch_bytes = average ? (int64_t)sizeof(double) * channels : 0;
    rest->type = average ? &average_type : &largest_type;
    rest->in = between;
    rest->config = config;
    rest->code_bytes = average ? 0 : ((int64_t)sizeof(float) * channels + count * bytes + 3) / 4 * 4;
    rest->scratch_bytes = blocks->scratch_bytes;
    *made = true;
    return NG_OK;
}
