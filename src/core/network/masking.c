/* core/network/masking.c: which positions count. A mask m is a tensor of one channel, 1 where a row counts and 0 where not; it has
 * no gradient.    x (..., L, C)
 *     Mask       m[t] = 1 if some x[t, c] differs from mask_value, else 0                   -> (..., L, 1)
 *     Masking    y[t] = x[t] m[t],   dx[t] += dy[t] m[t]                                    -> (..., L, C)
 *     AnyMask    of a set of masks m (S, L, 1): 1 if sequence s has a position that counts   -> (S, 1); of (L, 1) itself */
#include <string.h>
#include "core/network/layer.h"
#include "core/network/types.h"
#include "core/network/vector.h"

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena, (void)error;
    ng_row_by_row(layer);
    if (layer->type == &ng_masking) layer->code_bytes = 1;
    else layer->out.channels = 1;
    return NG_OK;
}

static bool counts(const ng_layer *layer, const float *row, int64_t channels)
{
    const float value = (float)ng_number(layer->settings, "mask_value", 0, 0);
    for (int64_t c = 0; c < channels; c++)
        if (row[c] != value) return true;
    return false;
}

static void forward_mask(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    NG_EACH_ROW(y, n, t) *ng_row(y, n, t) = counts(layer, ng_row(x, n, t), x->channels);
}

static void forward_masking(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)scratch;
    const size_t bytes = (size_t)y->channels * sizeof(float);
    NG_EACH_ROW(y, n, t) {
        uint8_t *kept = ng_code_row(code, n, t);
        *kept = counts(layer, ng_row(x, n, t), x->channels);
        if (*kept) memcpy(ng_row(y, n, t), ng_row(x, n, t), bytes);
        else memset(ng_row(y, n, t), 0, bytes);
    }
}

static void backward_masking(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)layer, (void)scratch;
    if (!dx->data) return;
    NG_EACH_ROW(dx, n, t)
        if (*ng_code_row(code, n, t)) ng_add_to(ng_row(dx, n, t), ng_row(dy, n, t), dx->channels);
}

static ng_status shape_any(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    if (ng_expect_rank(layer, 2, 3, error)) return error->status;
    layer->out = (ng_shape){2, 1, layer->in->rank > 2 ? layer->in->samples : layer->in->length, 1};
    layer->reach = (ng_reach){0, 1, 1, 0};
    return NG_OK;
}

static void forward_any(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    const int64_t length = ng_rows(layer->in[0]) / y->length;
    NG_EACH_ROW(y, n, s) {
        float *any = ng_row(y, n, s);
        *any = 0;
        for (int64_t t = s * length; t < (s + 1) * length; t++)
            if (*ng_row(x, n, t) > 0) *any = 1;
    }
}

static void backward_nothing(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)layer, (void)dy, (void)code, (void)dx, (void)scratch;
}

const ng_layer_type ng_mask = {.class_name = "Mask", .shape = shape, .forward = forward_mask, .backward = backward_nothing};
const ng_layer_type ng_masking = {.class_name = "Masking", .shape = shape, .forward = forward_masking, .backward = backward_masking};
const ng_layer_type ng_any_mask = {.class_name = "AnyMask", .shape = shape_any, .forward = forward_any, .backward = backward_nothing};
