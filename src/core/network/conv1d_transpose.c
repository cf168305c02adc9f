/* core/network/conv1d_transpose.c: Conv1DTranspose, the transpose of a Conv1D.   x (L, C) -> y (Lo, F); kernel K (k, F, C), bias b (F)
 *     y[q, o]   = b[o] + sum over j, c of x[t, c] K[j, o, c],  t = (q + P - j d) / s        where that is whole and in [0, L)
 *     dx[t, c] += sum over j, o of dy[t s - P + j d, o] K[j, o, c]                          rows outside [0, Lo) count for nothing
 *     dK[j, o, c] += sum over t of dy[t s - P + j d, o] x[t, c],   db[o] += sum over q of dy[q, o]
 * With the span e = (k - 1) d + 1: Lo = L s for "same", L s + max(e - s, 0) for "valid", or with output_padding a
 * (L - 1) s + e - 2 h + a, where h = e / 2 for "same" and 0 for "valid". P is what a Conv1D from Lo to L rows pads. */
#include "core/kernels/weight_product.h"
#include "core/network/taps.h"

typedef struct transpose { ng_taps forward, back; ng_reach windows; const float *bias; } transpose;      /* windows: over y */

static ng_status geometry(ng_layer *layer, ng_error *error)
{
    const int64_t L = layer->in->length;
    int64_t size, stride, dilation, extra;
    ng_padding padding;
    if (ng_whole(layer, "kernel_size", 0, 0, 1, &size, error) || ng_whole(layer, "strides", 0, 1, 1, &stride, error) ||
        ng_whole(layer, "dilation_rate", 0, 1, 1, &dilation, error) || ng_whole(layer, "output_padding", 0, 0, 0, &extra, error) ||
        ng_padding_of(layer, &padding, error)) return error->status;
    if (padding == NG_CAUSAL) return ng_fail(error, NG_BAD_MODEL, layer, "padding is causal; it must be valid or same");
    const int64_t span = (size - 1) * dilation + 1, over = span > stride ? span - stride : 0;
    int64_t length = L * stride + (padding == NG_VALID ? over : 0);
    if (ng_count(layer->settings, "output_padding") > 0) {
        if (extra >= stride)
            return ng_fail(error, NG_BAD_MODEL, layer, "output_padding is %lld; it must be below strides, %lld", (long long)extra,
                           (long long)stride);
        length = (L - 1) * stride + span - (padding == NG_SAME ? span / 2 * 2 : 0) + extra;
    }
    const int64_t pad = padding == NG_SAME ? (L - 1) * stride + span - length : 0;
    layer->out.rank = 2;
    layer->out.samples = 1;
    layer->out.length = length;
    layer->reach = (ng_reach){size, -stride, dilation, pad > 0 ? pad / 2 : 0};
    return NG_OK;
}

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const int64_t C = layer->in->channels;
    int64_t F;
    if (ng_expect_rank(layer, 2, 2, error) || ng_whole(layer, "filters", 0, 0, 1, &F, error) || geometry(layer, error))
        return error->status;
    const bool use_bias = ng_flag(layer->settings, "use_bias", layer->weight_count > 1);
    if (ng_expect_weight(layer, 0, 3, (int64_t[]){layer->reach.size, F, C}, error)) return error->status;
    if (use_bias && ng_expect_weight(layer, 1, 1, &F, error)) return error->status;
    layer->out.channels = F;

    transpose *config = ng_alloc(arena, 1, sizeof *config, error);
    if (!config) return error->status;
    config->forward = (ng_taps){.groups = 1, .depth = C, .columns = F};
    config->back = (ng_taps){.groups = 1, .depth = F, .columns = C};
    config->windows = layer->reach;
    config->windows.stride = -layer->reach.stride;
    config->bias = use_bias ? layer->weights[1].data : NULL;
    layer->config = config;
    layer->gradient_bytes = ng_weight_product_floats(config->windows, layer->in->length, F, C) * (int64_t)sizeof(float);
    if (ng_taps_pack(layer, (ng_taps_strides){F * C, 0, 1, C}, arena, &config->forward, error)) return error->status;
    return ng_taps_pack(layer, (ng_taps_strides){F * C, 0, C, 1}, arena, &config->back, error);
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    const transpose *config = layer->config;
    ng_taps_begin(y, config->bias);
    ng_taps_scatter(&config->forward, config->windows, x, y);
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)code, (void)scratch;
    const transpose *config = layer->config;
    if (dx->data) ng_taps_gather(&config->back, config->windows, dy, dx);
}

/* x and dy change places: a transposed kernel. */
static void gradients(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx, float *const *dw,
                      void *scratch)
{
    const int64_t C = x->channels, F = dy->channels;
    for (int64_t n = 0; n < dy->samples; n++) {
        if (dw[0])
            ng_add_weight_product(&(ng_weight_product){((const transpose *)layer->config)->windows, ng_row(dy, n, 0), ng_row(x, n, 0), F, C,
                                                       dy->length, 0, x->length, F, C, F * C, C}, dw[0], scratch);
        if (layer->weight_count > 1 && dw[1]) ng_add_rows(ng_row(dy, n, 0), dy->length, F, F, dw[1]);
    }
    backward(layer, dy, code, dx, scratch);
}

const ng_layer_type ng_conv1d_transpose = {
    "Conv1DTranspose", .affine = true, .shape = shape, .forward = forward, .backward = backward, .gradients = gradients};
