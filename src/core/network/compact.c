/* core/network/compact.c: what surrounds a recurrent layer that reads a mask. A masked step leaves state and output as they were:
 * so the rows that count are moved together, the layer runs over them, and its outputs are spread again.
 *     Compact   x (L, C), m (L, 1) -> y (L, C)       y[i] = x[t_i], t_0, t_1, ... the rows that count; behind them rows of 0
 *     Spread    h (L, u), m (L, 1) -> y (L, u)       y[s] = h[i], i the last row that counts up to step s; 0 before the first, and
 *                                                    with zero_masked wherever step s is masked
 *               returns "last" -> y (u)              the last of them
 * With go_backwards steps go from the last row to the first: t_0 > t_1 > ..., and step s is row L - 1 - s of m. With restore_order
 * y is turned back: y[L - 1 - s]. Gradients go the same ways back; m has none. Kept: for each y[s] the row it came from, or -1. */
#include <string.h>
#include "core/network/layer.h"
#include "core/network/types.h"
#include "core/network/vector.h"

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    if (layer->inputs != 2 || ng_expect_rank(layer, 2, 2, error) || layer->in[1].length != layer->in->length)
        return ng_fail(error, NG_BAD_MODEL, layer, "%s takes rows and their mask", layer->type->class_name);
    layer->out = layer->in[0];
    if (layer->type == &ng_spread && !strcmp(ng_word(layer->settings, "returns", "sequence"), "last"))
        layer->out = (ng_shape){1, 1, 1, layer->in->channels};
    layer->reach = (ng_reach){0, 1, 1, 0};
    layer->code_bytes = (int64_t)sizeof(int32_t);
    return NG_OK;
}

static bool counts(const ng_layer *layer, const ng_tile *mask, int64_t n, int64_t step)
{
    return *ng_row(mask, n, ng_flag(layer->settings, "go_backwards", false) ? mask->length - 1 - step : step) > 0;
}

/* from[s] = the row that y[s] copies. */
static void compact_rows(const ng_layer *layer, const ng_tile *mask, int64_t n, int32_t *from)
{
    const bool backwards = ng_flag(layer->settings, "go_backwards", false);
    int64_t i = 0;
    for (int64_t s = 0; s < mask->length; s++)
        if (counts(layer, mask, n, s)) from[i++] = (int32_t)(backwards ? mask->length - 1 - s : s);
    while (i < mask->length) from[i++] = -1;
}

static void spread_rows(const ng_layer *layer, const ng_tile *mask, int64_t n, int32_t *from)
{
    const bool zero = ng_flag(layer->settings, "zero_masked", false), restore = ng_flag(layer->settings, "restore_order", false);
    const bool all = layer->out.rank > 1;
    int32_t last = -1;
    for (int64_t s = 0; s < mask->length; s++) {
        const bool mine = counts(layer, mask, n, s);
        if (mine) last++;
        if (all) from[restore ? mask->length - 1 - s : s] = mine || !zero ? last : -1;
    }
    if (!all) from[0] = last;
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)scratch;
    const size_t bytes = (size_t)y->channels * sizeof(float);
    for (int64_t n = 0; n < y->samples; n++) {
        int32_t *from = (int32_t *)ng_code_row(code, n, 0);
        (layer->type == &ng_compact ? compact_rows : spread_rows)(layer, &x[1], n, from);
        for (int64_t s = 0; s < y->length; s++) {
            if (from[s] >= 0) memcpy(ng_row(y, n, s), ng_row(x, n, from[s]), bytes);
            else memset(ng_row(y, n, s), 0, bytes);
        }
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)layer, (void)scratch;
    if (!dx->data) return;
    for (int64_t n = 0; n < dy->samples; n++) {
        const int32_t *from = (const int32_t *)ng_code_row(code, n, 0);
        for (int64_t s = 0; s < dy->length; s++)
            if (from[s] >= 0) ng_add_to(ng_row(dx, n, from[s]), ng_row(dy, n, s), dx->channels);
    }
}

const ng_layer_type ng_compact = {
    .class_name = "Compact", .several = true, .shape = shape, .forward = forward, .backward = backward};
const ng_layer_type ng_spread = {
    .class_name = "Spread", .several = true, .shape = shape, .forward = forward, .backward = backward};
