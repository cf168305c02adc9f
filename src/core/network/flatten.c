/* core/network/flatten.c: Flatten and Reshape, the same numbers in row-major order under another shape.
 *     y[i] = x[i],    dx[i] += dy[i]            i = ((s L + l) C + c) */
#include <math.h>
#include <string.h>
#include "core/network/layer.h"
#include "core/network/vector.h"

static ng_status shape_flatten(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    if (layer->in->rank > 1 && strcmp(ng_word(layer->settings, "data_format", "channels_last"), "channels_last"))
        return ng_fail(error, NG_UNSUPPORTED, layer, "data_format is \"%.40s\"; it must be channels_last",
                       ng_word(layer->settings, "data_format", ""));
    layer->out = (ng_shape){1, 1, 1, ng_size(layer->in[0])};
    layer->reach.size = 0;
    return NG_OK;
}

static ng_status shape_reshape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    const int64_t rank = ng_count(layer->settings, "target_shape"), size = ng_size(layer->in[0]);
    if (rank < 1 || rank > 3)
        return ng_fail(error, NG_UNSUPPORTED, layer, "target_shape has %lld axes; 1 to 3 are supported", (long long)rank);
    int64_t axis[3] = {1, 1, 1}, open = -1, known = 1;
    for (int64_t i = 3 - rank; i < 3; i++) {
        if (ng_number(layer->settings, "target_shape", i - (3 - rank), 0) == -1 && open < 0) open = i;
        else if (ng_whole(layer, "target_shape", i - (3 - rank), 0, 1, &axis[i], error)) return error->status;
        if (axis[i] > size / known)
            return ng_fail(error, NG_BAD_MODEL, layer, "target_shape holds more than the %lld numbers of its input", (long long)size);
        known *= axis[i];
    }
    if (open >= 0) axis[open] = size / known;
    if (axis[0] * axis[1] * axis[2] != size)
        return ng_fail(error, NG_BAD_MODEL, layer, "target_shape cannot hold the %lld numbers of its input", (long long)size);
    layer->out = (ng_shape){(int)rank, axis[0], axis[1], axis[2]};
    layer->reach.size = 0;
    return NG_OK;
}

/* The numbers that both tiles hold, counted from the first of the tensor. */
static ng_range common(const ng_tile *x, const ng_tile *y)
{
    const int64_t a = x->first * x->channels, b = y->first * y->channels, c = x->last * x->channels, d = y->last * y->channels;
    return (ng_range){a > b ? a : b, c < d ? c : d};
}

static float *number(const ng_tile *x, int64_t sample, int64_t i)
{
    return x->data + sample * x->sample_stride + i - x->first * x->channels;
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)layer, (void)code, (void)scratch;
    const ng_range both = common(x, y);
    for (int64_t sample = 0; sample < y->samples && both.first < both.last; sample++)
        memcpy(number(y, sample, both.first), number(x, sample, both.first), (size_t)(both.last - both.first) * sizeof(float));
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)layer, (void)code, (void)scratch;
    if (!dx->data) return;
    const ng_range both = common(dx, dy);
    for (int64_t sample = 0; sample < dy->samples && both.first < both.last; sample++)
        ng_add_to(number(dx, sample, both.first), number(dy, sample, both.first), both.last - both.first);
}

const ng_layer_type ng_flatten = {.class_name = "Flatten", .shape = shape_flatten, .forward = forward, .backward = backward};
const ng_layer_type ng_reshape = {.class_name = "Reshape", .shape = shape_reshape, .forward = forward, .backward = backward};
