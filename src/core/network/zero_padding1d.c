/* core/network/zero_padding1d.c: ZeroPadding1D and Cropping1D, rows of zeros put on or rows taken off at both ends.
 *     y[t] = x[t - a], or 0 where there is no such row,    dx[t - a] += dy[t]
 * a = the rows added at the left; cropping adds a negative number.    x (L, C) -> y (a + L + b, C) */
#include <string.h>
#include "core/network/layer.h"
#include "core/network/vector.h"

static ng_status resize(ng_layer *layer, const char *key, int sign, ng_error *error)
{
    int64_t left, right;
    if (ng_expect_rank(layer, 2, 2, error) || ng_whole(layer, key, 0, 1, 0, &left, error) ||
        ng_whole(layer, key, 1, left, 0, &right, error))
        return error->status;
    layer->out = layer->in[0];
    layer->out.length += sign * (left + right);
    if (layer->out.length < 1)
        return ng_fail(error, NG_BAD_MODEL, layer, "%s takes %lld of the %lld rows of its input", key, (long long)(left + right),
                       (long long)layer->in->length);
    layer->reach = (ng_reach){1, 1, 1, sign * left};
    return NG_OK;
}

static ng_status shape_padding(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    return resize(layer, "padding", 1, error);
}

static ng_status shape_cropping(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    return resize(layer, "cropping", -1, error);
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    const size_t bytes = (size_t)y->channels * sizeof(float);
    NG_EACH_ROW(y, sample, t) {
        const int64_t i = t - layer->reach.pad;
        if (i >= 0 && i < x->length) memcpy(ng_row(y, sample, t), ng_row(x, sample, i), bytes);
        else memset(ng_row(y, sample, t), 0, bytes);
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)code, (void)scratch;
    if (!dx->data) return;
    NG_EACH_ROW(dx, sample, i) {
        const int64_t t = i + layer->reach.pad;
        if (t >= 0 && t < dy->length) ng_add_to(ng_row(dx, sample, i), ng_row(dy, sample, t), dx->channels);
    }
}

const ng_layer_type ng_zero_padding1d = {
    .class_name = "ZeroPadding1D", .affine = true, .shape = shape_padding, .forward = forward, .backward = backward};
const ng_layer_type ng_cropping1d = {
    .class_name = "Cropping1D", .affine = true, .shape = shape_cropping, .forward = forward, .backward = backward};
