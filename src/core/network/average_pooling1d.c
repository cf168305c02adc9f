/* core/network/average_pooling1d.c: AveragePooling1D, the mean of each window, channel by channel.    x (L, C) -> y (Lo, C)
 *     y[t, c] = (sum over j of x[t s - P + j, c]) / n[t]          n[t] rows of the window lie in [0, L), as they alone count
 *     dx[t s - P + j, c] += dy[t, c] / n[t]
 * p = pool_size, s = strides; Lo and P as for a convolution (ng_slide). */
#include <string.h>
#include "core/network/layer.h"
#include "core/network/pooling.h"
#include "core/network/vector.h"

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    return ng_pooling(layer, error);
}

static ng_range window_of(const ng_layer *layer, int64_t t, int64_t length)
{
    const int64_t start = t * layer->reach.stride - layer->reach.pad;
    return ng_clip(start, start + layer->reach.size, length);
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    NG_EACH_ROW(y, sample, t) {
        const ng_range window = window_of(layer, t, x->length);
        const float share = 1.0f / (float)(window.last - window.first);
        float *mean = ng_row(y, sample, t);
        memcpy(mean, ng_row(x, sample, window.first), (size_t)y->channels * sizeof *mean);
        for (int64_t i = window.first + 1; i < window.last; i++) ng_add_to(mean, ng_row(x, sample, i), y->channels);
        ng_scale(mean, share, y->channels);
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)code, (void)scratch;
    if (!dx->data) return;
    NG_EACH_ROW(dy, sample, t) {
        const ng_range window = window_of(layer, t, dx->length);
        const float share = 1.0f / (float)(window.last - window.first);
        for (int64_t i = window.first > dx->first ? window.first : dx->first; i < window.last && i < dx->last; i++)
            ng_add_scaled(ng_row(dx, sample, i), ng_row(dy, sample, t), share, dx->channels);
    }
}

const ng_layer_type ng_average_pooling1d = {
    .class_name = "AveragePooling1D", .affine = true, .shape = shape, .forward = forward, .backward = backward};
