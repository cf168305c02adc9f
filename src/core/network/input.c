/* core/network/input.c: InputLayer, where data enters. The setting `shape` holds the axes without the batch; NaN marks a free
 * one. The plan fixes free axes by writing layer->out before it calls shape(). Nothing is computed here. */
#include <math.h>
#include "core/network/layer.h"

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    const int64_t rank = ng_count(layer->settings, "shape");
    if (rank < 1 || rank > 3)
        return ng_fail(error, NG_UNSUPPORTED, layer, "its shape has %lld axes besides the batch; 1 to 3 are supported",
                       (long long)rank);
    const bool fixed = layer->out.rank != 0;
    if (fixed && layer->out.rank != rank)
        return ng_fail(error, NG_BAD_INPUT, layer, "the data has %d axes besides the batch; the model file says %lld",
                       layer->out.rank, (long long)rank);
    int64_t axis[3] = {layer->out.samples, layer->out.length, layer->out.channels};
    for (int64_t i = 0; i < rank; i++) {
        int64_t *size = &axis[3 - rank + i], stated = *size;
        if (!(fixed && isnan(ng_number(layer->settings, "shape", i, NAN))))
            if (ng_whole(layer, "shape", i, 0, 1, &stated, error)) return error->status;
        if (fixed && *size < 1)
            return ng_fail(error, NG_BAD_INPUT, layer, "axis %lld of the data is %lld; it must be 1 or more", (long long)i + 1, (long long)*size);
        if (fixed && *size != stated)
            return ng_fail(error, NG_BAD_INPUT, layer, "axis %lld of the data is %lld; the model file says %lld", (long long)i + 1,
                           (long long)*size, (long long)stated);
        *size = stated;
    }
    layer->out = (ng_shape){(int)rank, rank > 2 ? axis[0] : 1, rank > 1 ? axis[1] : 1, axis[2]};
    layer->reach = (ng_reach){1, 1, 1, 0};
    return NG_OK;
}

const ng_layer_type ng_input = {.class_name = "InputLayer", .shape = shape};
