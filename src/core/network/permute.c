/* core/network/permute.c: Permute, axes in another order.    x (d_1, ..., d_n) -> y, whose axis i is axis dims[i] of x
 *     y[k_1, ..., k_n] = x[j_1, ..., j_n] with j_dims[i] = k_i,    dx likewise += dy */
#include "core/network/layer.h"

typedef struct permute { int64_t size[3], step[3]; } permute;            /* of y; in x, from one number along that axis to the next */

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const ng_shape in = layer->in[0];
    const int64_t size[3] = {in.samples, in.length, in.channels}, step[3] = {in.length * in.channels, in.channels, 1};
    permute *config = ng_alloc(arena, 1, sizeof *config, error);
    if (!config) return error->status;
    bool used[3] = {false};
    for (int i = 0; i < 3; i++) {
        int64_t dim = i + 1 - (3 - in.rank);
        if (dim >= 1 && ng_whole(layer, "dims", dim - 1, 0, 1, &dim, error)) return error->status;
        const int64_t from = dim + 2 - in.rank;
        if (dim > in.rank || from < 0 || used[from] || ng_count(layer->settings, "dims") != in.rank)
            return ng_fail(error, NG_BAD_MODEL, layer, "dims must name each of the %d axes of its input once", in.rank);
        used[from] = true;
        config->size[i] = size[from];
        config->step[i] = step[from];
    }
    layer->config = config;
    layer->out = (ng_shape){in.rank, config->size[0], config->size[1], config->size[2]};
    layer->reach = (ng_reach){0, 1, 1, 0};
    return NG_OK;
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    const permute *p = layer->config;
    NG_EACH_ROW(y, sample, t) {
        const float *from = x->data + sample * x->sample_stride + t / p->size[1] * p->step[0] + t % p->size[1] * p->step[1];
        float *to = ng_row(y, sample, t);
        for (int64_t c = 0; c < y->channels; c++) to[c] = from[c * p->step[2]];
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)code, (void)scratch;
    if (!dx->data) return;
    const permute *p = layer->config;
    NG_EACH_ROW(dy, sample, t) {
        float *to = dx->data + sample * dx->sample_stride + t / p->size[1] * p->step[0] + t % p->size[1] * p->step[1];
        const float *from = ng_row(dy, sample, t);
        for (int64_t c = 0; c < dy->channels; c++) to[c * p->step[2]] += from[c];
    }
}

const ng_layer_type ng_permute = {.class_name = "Permute", .shape = shape, .forward = forward, .backward = backward};
