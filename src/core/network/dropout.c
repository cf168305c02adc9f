/* core/network/dropout.c: Dropout and SpatialDropout1D as they predict: y = x. What they do while a network trains is in
 * training/dropout.c. */
#include <string.h>
#include "core/network/layer.h"
#include "core/network/vector.h"

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    const double rate = ng_number(layer->settings, "rate", 0, 0);
    if (!(rate >= 0 && rate < 1)) return ng_fail(error, NG_BAD_MODEL, layer, "rate is %g; it must be at least 0 and below 1", rate);
    ng_row_by_row(layer);
    return NG_OK;
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)layer, (void)code, (void)scratch;
    NG_EACH_ROW(y, n, t) memcpy(ng_row(y, n, t), ng_row(x, n, t), (size_t)y->channels * sizeof(float));
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)layer, (void)code, (void)scratch;
    if (!dx->data) return;
    NG_EACH_ROW(dx, n, t) ng_add_to(ng_row(dx, n, t), ng_row(dy, n, t), dx->channels);
}

const ng_layer_type ng_dropout = {"Dropout", .affine = true, .shape = shape, .forward = forward, .backward = backward};
const ng_layer_type ng_spatial_dropout1d = {"SpatialDropout1D", .affine = true, .shape = shape, .forward = forward, .backward = backward};
