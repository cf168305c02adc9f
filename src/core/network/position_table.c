/* core/network/position_table.c: PositionTable, a row of numbers of its own for every position.    x (L, C) -> y (L, C); P (L, C)
 *     y[t] = x[t] + P[t],    dx[t] += dy[t],    dP[t] += dy[t] */
#include <string.h>
#include "core/network/layer.h"
#include "core/network/vector.h"

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    if (ng_expect_rank(layer, 2, 2, error)) return error->status;
    ng_row_by_row(layer);
    return ng_expect_weight(layer, 0, 2, (int64_t[]){layer->in->length, layer->in->channels}, error);
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    const int64_t channels = y->channels;
    NG_EACH_ROW(y, sample, t) {
        float *to = ng_row(y, sample, t);
        memcpy(to, ng_row(x, sample, t), (size_t)channels * sizeof *to);
        ng_add_to(to, layer->weights[0].data + t * channels, channels);
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)layer, (void)code, (void)scratch;
    if (!dx->data) return;
    NG_EACH_ROW(dx, sample, t) ng_add_to(ng_row(dx, sample, t), ng_row(dy, sample, t), dx->channels);
}

static void gradients(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx, float *const *dw,
                      void *scratch)
{
    (void)x;
    if (dw[0]) NG_EACH_ROW(dy, n, t) ng_add_to(dw[0] + t * dy->channels, ng_row(dy, n, t), dy->channels);
    backward(layer, dy, code, dx, scratch);
}

const ng_layer_type ng_position_table = {
    "PositionTable", .affine = true, .shape = shape, .forward = forward, .backward = backward, .gradients = gradients};
