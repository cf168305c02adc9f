/* core/network/grouped_conv1d.c: Conv1D in groups of channels.    x (L, C) -> y (Lo, F); kernel K (k, C / G, F), bias b (F)
 *     y[t, o]   = b[o] + sum over j, c of x[t s - P + j d, g C/G + c] K[j, c, o]            g = the group of o, F/G of them in each
 *     dx[q, g C/G + c] += sum over j, o in g of dy[t, o] K[j, c, o],  t = (q + P - j d) / s where that is whole and in [0, Lo)
 *     dK[j, c, o] += sum over t of x[t s - P + j d, g C/G + c] dy[t, o],   db[o] += sum over t of dy[t, o]
 * DepthwiseConv1D is the case G = C, with a kernel (k, C, M): the numbers of K (k, 1, C M). Geometry as in conv1d.c. */
#include "core/kernels/weight_product.h"
#include "core/network/taps.h"

typedef struct grouped { ng_taps forward, back; const float *bias; } grouped;

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const int64_t C = layer->in->channels;
    int64_t F, size, stride, dilation, G;
    ng_padding padding;
    if (ng_expect_rank(layer, 2, 2, error) || ng_whole(layer, "filters", 0, 0, 1, &F, error) ||
        ng_whole(layer, "kernel_size", 0, 0, 1, &size, error) || ng_whole(layer, "strides", 0, 1, 1, &stride, error) ||
        ng_whole(layer, "dilation_rate", 0, 1, 1, &dilation, error) || ng_whole(layer, "groups", 0, 1, 1, &G, error) ||
        ng_padding_of(layer, &padding, error)) return error->status;
    if (C % G || F % G)
        return ng_fail(error, NG_BAD_MODEL, layer, "groups is %lld; it must divide the %lld channels and the %lld filters", (long long)G,
                       (long long)C, (long long)F);
    const int64_t depth = C / G, columns = F / G;
    const bool use_bias = ng_flag(layer->settings, "use_bias", layer->weight_count > 1);
    const bool depthwise = depth == 1 && layer->weight_count > 0 && layer->weights[0].rank == 3 && layer->weights[0].dim[1] == C;
    if (ng_expect_weight(layer, 0, 3, depthwise ? (int64_t[]){size, C, columns} : (int64_t[]){size, depth, F}, error))
        return error->status;
    if (use_bias && ng_expect_weight(layer, 1, 1, &F, error)) return error->status;
    layer->out.channels = F;
    if (ng_slide(layer, size, stride, dilation, padding, error)) return error->status;

    grouped *config = ng_alloc(arena, 1, sizeof *config, error);
    if (!config) return error->status;
    config->forward = (ng_taps){.groups = G, .depth = depth, .columns = columns};
    config->back = (ng_taps){.groups = G, .depth = columns, .columns = depth};
    config->bias = use_bias ? layer->weights[1].data : NULL;
    layer->config = config;
    layer->gradient_bytes = ng_weight_product_floats(layer->reach, layer->out.length, depth, columns) * (int64_t)sizeof(float);
    if (ng_taps_pack(layer, (ng_taps_strides){depth * F, columns, F, 1}, arena, &config->forward, error)) return error->status;
    return ng_taps_pack(layer, (ng_taps_strides){depth * F, columns, 1, F}, arena, &config->back, error);
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    const grouped *config = layer->config;
    ng_taps_begin(y, config->bias);
    ng_taps_gather(&config->forward, layer->reach, x, y);
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)code, (void)scratch;
    if (dx->data) ng_taps_scatter(&((const grouped *)layer->config)->back, layer->reach, dy, dx);
}

static void gradients(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx, float *const *dw,
                      void *scratch)
{
    const ng_taps *taps = &((const grouped *)layer->config)->forward;
    const int64_t C = x->channels, F = dy->channels, depth = taps->depth, columns = taps->columns, rows = dy->last - dy->first;
    for (int64_t n = 0; rows > 0 && n < dy->samples; n++) {
        const float *gradient = ng_row(dy, n, dy->first);
        for (int64_t g = 0; dw[0] && g < taps->groups; g++)
            ng_add_weight_product(&(ng_weight_product){layer->reach, ng_row(x, n, 0) + g * depth, gradient + g * columns, C, F, x->length,
                                                       dy->first, rows, depth, columns, depth * F, F}, dw[0] + g * columns, scratch);
        if (layer->weight_count > 1 && dw[1]) ng_add_rows(gradient, rows, F, F, dw[1]);
    }
    backward(layer, dy, code, dx, scratch);
}

const ng_layer_type ng_grouped_conv1d = {
    "GroupedConv1D", .affine = true, .shape = shape, .forward = forward, .backward = backward, .gradients = gradients};
