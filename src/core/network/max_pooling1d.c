/* core/network/max_pooling1d.c: MaxPooling1D, the largest value of each window, channel by channel.    x (L, C) -> y (Lo, C)
 *     y[t, c] = max over j = 0..p-1 of x[t s - P + j, c]          rows outside [0, L) never win
 *     w[t, c] = the smallest j that attains it                    the winner code: one byte
 *     dx[t s - P + w[t, c], c] += dy[t, c]
 * p = pool_size, s = strides; Lo and P as for a convolution (ng_slide). "valid" drops the tail: its dx stays 0. The first
 * of equals wins, as in TensorFlow: a zero baseline ties every window of a first block. */
#include <string.h>
#include "core/network/layer.h"
#include "core/network/pooling.h"

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    if (ng_pooling(layer, error)) return error->status;
    if (layer->reach.size > UINT8_MAX + 1)
        return ng_fail(error, NG_UNSUPPORTED, layer, "pool_size is %lld; a winner code holds at most 256",
                       (long long)layer->reach.size);
    layer->code_bytes = layer->out.channels;
    return NG_OK;
}

/* Row j of a window meets the best so far. The choice is a mask since compilers leave a conditional one scalar. */
static void contest(const float *restrict row, int j, float *restrict best, uint8_t *restrict winner, int64_t channels)
{
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
        const int wins = -(row[c] > best[c]), before = winner[c];
        winner[c] = (uint8_t)((j & wins) | (before & ~wins));
        best[c] = row[c] > best[c] ? row[c] : best[c];
    }
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)scratch;
    const size_t channels = (size_t)y->channels;
    NG_EACH_ROW(y, sample, t) {
        const int64_t start = t * layer->reach.stride - layer->reach.pad;
        const ng_range window = ng_clip(start, start + layer->reach.size, x->length);
        float *best = ng_row(y, sample, t);
        uint8_t *winner = ng_code_row(code, sample, t);
        memcpy(best, ng_row(x, sample, window.first), channels * sizeof *best);
        memset(winner, (int)(window.first - start), channels);
        for (int64_t i = window.first + 1; i < window.last; i++)
            contest(ng_row(x, sample, i), (int)(i - start), best, winner, y->channels);
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)scratch;
    if (!dx->data) return;
    const int64_t channels = dy->channels;
    NG_EACH_ROW(dy, sample, t) {
        const int64_t start = t * layer->reach.stride - layer->reach.pad;
        const ng_range mine = {dx->first - start, dx->last - start};     /* winners outside belong to another tile */
        if (mine.first >= layer->reach.size || mine.last <= 0) continue;
        const float *gradient = ng_row(dy, sample, t);
        const uint8_t *winner = ng_code_row(code, sample, t);
        float *first = dx->data + sample * dx->sample_stride;
        for (int64_t c = 0; c < channels; c++)
            if (winner[c] >= mine.first && winner[c] < mine.last) first[(winner[c] - mine.first) * channels + c] += gradient[c];
    }
}

const ng_layer_type ng_max_pooling1d = {.class_name = "MaxPooling1D", .shape = shape, .forward = forward, .backward = backward};
