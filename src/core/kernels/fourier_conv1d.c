/* core/kernels/fourier_conv1d.c: see network/conv1d.c for what is right and kernels/fourier.h for how it is computed. */
#include "core/kernels/fourier.h"
#include "core/kernels/fourier_conv1d.h"
#include "core/network/types.h"

typedef struct fourier_conv1d { ng_fourier forward, backward; const float *bias; } fourier_conv1d;

enum { MULTIPLE = 8 };                           /* blocks are multiples of usual pools */

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code;
    const fourier_conv1d *config = layer->config;
    ng_fourier_rows(&config->forward, x, config->bias, false, y, scratch);
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)code;
    const fourier_conv1d *config = layer->config;
    if (dx->data) ng_fourier_rows(&config->backward, dy, NULL, true, dx, scratch);
}

static const ng_layer_type type = {.class_name = "Conv1D", .algorithm = "frequency domain", .affine = true,
                                   .forward = forward, .backward = backward};

ng_status ng_fourier_conv1d(ng_layer *layer, int64_t samples, int threads, ng_store *store, ng_arena *arena, ng_error *error)
{
    const int64_t taps = layer->reach.size, C = layer->in->channels, F = layer->out.channels;
    if (layer->type != &ng_conv1d || layer->reach.stride > 1 || layer->reach.dilation > 1) return NG_OK;
    const ng_fourier_shape there = {taps, C, F, layer->in->length, layer->out.length, layer->reach.pad, MULTIPLE, samples};
    const ng_fourier_shape back = {taps, F, C, layer->out.length, layer->in->length, taps - 1 - layer->reach.pad, MULTIPLE, samples};
    const int64_t size = ng_fourier_size(&there), back_size = ng_fourier_size(&back);
    if (!size || !back_size) return NG_OK;
    const float *kernel = layer->weights[0].data;
    fourier_conv1d *config = ng_alloc(arena, 1, sizeof *config, error);
    if (!config || ng_fourier_make(&there, kernel, C * F, F, 1, size, threads, store, arena, &config->forward, error) ||
        ng_fourier_make(&back, kernel + (taps - 1) * C * F, -C * F, 1, F, back_size, threads, store, arena, &config->backward, error))
        return error->status;
    config->bias = layer->weight_count > 1 ? layer->weights[1].data : NULL;
    layer->type = &type;
    layer->config = config;
    layer->y_align = config->forward.rows;
    layer->x_align = config->backward.rows;
    layer->call_bytes = config->forward.scratch_bytes > config->backward.scratch_bytes ? config->forward.scratch_bytes
                                                                                       : config->backward.scratch_bytes;
    layer->weight_bytes = config->forward.weight_bytes;
    layer->row_operations = ng_fourier_operations(&config->forward);
    return NG_OK;
}
