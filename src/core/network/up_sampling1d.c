/* core/network/up_sampling1d.c: UpSampling1D, every row s times.    x (L, C) -> y (L s, C), s = size
 *     y[t] = x[t / s],    dx[i] += sum of dy[t], t = i s .. i s + s - 1
 * A vector is one row: then it is RepeatVector. */
#include <string.h>
#include "core/network/layer.h"
#include "core/network/vector.h"

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    int64_t size;
    if (ng_expect_rank(layer, 1, 2, error) || ng_whole(layer, "size", 0, 2, 1, &size, error)) return error->status;
    layer->out = (ng_shape){2, 1, layer->in->length * size, layer->in->channels};
    layer->reach = (ng_reach){size, -size, 1, 0};
    return NG_OK;
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    const size_t bytes = (size_t)y->channels * sizeof(float);
    NG_EACH_ROW(y, sample, t) memcpy(ng_row(y, sample, t), ng_row(x, sample, t / layer->reach.size), bytes);
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)code, (void)scratch;
    if (!dx->data) return;
    const int64_t size = layer->reach.size;
    NG_EACH_ROW(dx, sample, i)
        for (int64_t t = i * size; t < (i + 1) * size; t++) ng_add_to(ng_row(dx, sample, i), ng_row(dy, sample, t), dx->channels);
}

const ng_layer_type ng_up_sampling1d = {"UpSampling1D", .affine = true, .shape = shape, .forward = forward, .backward = backward};
