/* core/kernels/trained_conv1d.c: see network/conv1d.c for what is right and kernels/fourier.h for how it is computed. */
#include "core/kernels/fourier.h"
#include "core/kernels/fourier_conv1d.h"
#include "core/kernels/trained_conv1d.h"
#include "core/kernels/weight_product.h"
#include "core/network/types.h"

typedef struct trained_conv1d { ng_layer inner; ng_fourier gradient; } trained_conv1d;

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    const ng_layer *inner = &((const trained_conv1d *)layer->config)->inner;
    inner->type->forward(inner, x, y, code, scratch);
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    const ng_layer *inner = &((const trained_conv1d *)layer->config)->inner;
    inner->type->backward(inner, dy, code, dx, scratch);
}

static void gradients(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx, float *const *dw,
                      void *scratch)
{
    const trained_conv1d *config = layer->config;
    const int64_t rows = dy->last - dy->first;
    if (dw[0] && rows > 0) ng_fourier_gradient(&config->gradient, x, dy, dw[0], scratch);
    for (int64_t n = 0; layer->weight_count > 1 && dw[1] && n < dy->samples; n++)
        ng_add_rows(dy->data + n * dy->sample_stride, rows, dy->channels, dy->channels, dw[1]);
    backward(layer, dy, code, dx, scratch);
}

static const ng_layer_type type = {.class_name = "Conv1D", .algorithm = "frequency domain", .affine = true,
                                   .forward = forward, .backward = backward, .gradients = gradients};

ng_status ng_trained_conv1d(ng_layer *layer, bool spectra, int64_t rows, int64_t samples, int threads, ng_arena *arena, ng_error *error)
{
    if (layer->type != &ng_conv1d || layer->reach.stride > 1 || layer->reach.dilation > 1) return NG_OK;
    const ng_fourier_shape shape = {layer->reach.size, layer->in->channels, layer->out.channels, layer->in->length, layer->out.length,
                                    layer->reach.pad, 1};
    if (spectra && ng_fourier_conv1d(layer, threads, arena, error)) return error->status;
    const int64_t size = ng_fourier_gradient_size(&shape, rows, samples);
    if (!size) return NG_OK;
    trained_conv1d *config = ng_alloc(arena, 1, sizeof *config, error);
    if (!config || ng_fourier_make_gradient(&shape, size, arena, &config->gradient, error)) return error->status;
    config->inner = *layer;
    layer->type = &type;
    layer->config = config;
    layer->gradient_bytes = 0;
    if (layer->call_bytes < config->gradient.scratch_bytes) layer->call_bytes = config->gradient.scratch_bytes;
    return NG_OK;
}
