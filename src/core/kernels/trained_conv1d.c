/* core/kernels/trained_conv1d.c: see network/conv1d.c for what is right, kernels/fourier.h and words.h for how it is computed. */
#include <string.h>
#include "core/kernels/fourier.h"
#include "core/kernels/fourier_conv1d.h"
#include "core/kernels/trained_conv1d.h"
#include "core/kernels/weight_product.h"
#include "core/kernels/words.h"
#include "core/network/conv1d.h"
#include "core/network/types.h"

/* Words if there are any; else forward and backward as inner has them, and the gradient of the kernel by spectra if they have a size. Scratch:
 * sums of bias, sums of words or spectra, and what the direct product takes where others are read. */
typedef struct trained_conv1d { ng_layer exact, inner; ng_words words; const float *values; ng_fourier spectra; } trained_conv1d;

static ng_tile some_rows(const ng_tile *tile, int64_t n, int64_t first, int64_t last)
{
    ng_tile part = *tile;
    part.data = ng_row(tile, n, first);
    part.first = first, part.last = last;
    part.samples = 1;
    return part;
}

static ng_tile one_sample(const ng_tile *tile, int64_t n) { return some_rows(tile, n, tile->first, tile->last); }

static int64_t end_of_words(int64_t first, int64_t last) { return last - first < NG_WORD_ROWS ? last : first + NG_WORD_ROWS; }

static void forward_words(const trained_conv1d *config, const ng_tile *x, ng_tile *y)
{
    for (int64_t n = 0; n < y->samples; n++)
        for (int64_t t = y->first, last; t < y->last; t = last) {
            last = end_of_words(t, y->last);
            if (ng_read_words(&config->words, config->values, x, y, n, t, last)) continue;
            const ng_tile from = one_sample(x, n);
            ng_tile to = some_rows(y, n, t, last);
            config->exact.type->forward(&config->exact, &from, &to, NULL, NULL);
        }
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    const trained_conv1d *config = layer->config;
    if (config->words.count) forward_words(config, x, y);
    else config->inner.type->forward(&config->inner, x, y, code, scratch);
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    const ng_layer *inner = &((const trained_conv1d *)layer->config)->inner;
    inner->type->backward(inner, dy, code, dx, scratch);
}

/* By the layer itself. */
static void add_product(const ng_layer *exact, const ng_tile *x, const ng_tile *dy, float *dw, void *scratch)
{
    ng_tile nowhere = {0};
    exact->type->gradients(exact, x, dy, NULL, &nowhere, (float *const[]){dw, NULL}, scratch);
}

static void add_words(const trained_conv1d *config, const ng_tile *x, const ng_tile *dy, bool begin, float *dw, float *sums)
{
    const ng_words *w = &config->words;
    if (begin) memset(sums, 0, (size_t)w->count * sizeof *sums);
    for (int64_t n = 0; n < dy->samples; n++)
        for (int64_t t = dy->first, last; t < dy->last; t = last) {
            last = end_of_words(t, dy->last);
            if (ng_add_to_words(w, x, dy, n, t, last, sums)) continue;
            const ng_tile from = one_sample(x, n), rows = some_rows(dy, n, t, last);
            add_product(&config->exact, &from, &rows, dw, sums + w->count);
        }
}

/* Padded to a cache line. */
static int64_t bias_count(const ng_layer *layer) { return (layer->out.channels + 7) / 8 * 8; }

void ng_trained_conv1d_add(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, bool begin, float *const *dw, void *scratch)
{
    const trained_conv1d *config = layer->config;
    double *sums = scratch;
    void *rest = sums + bias_count(layer);
    if (begin) memset(sums, 0, (size_t)bias_count(layer) * sizeof *sums);
    for (int64_t n = 0; layer->weight_count > 1 && dw[1] && n < dy->samples; n++)
        ng_sum_rows(dy->data + n * dy->sample_stride, dy->last - dy->first, dy->channels, dy->channels, sums);
    if (!dw[0]) return;
    if (config->words.count) add_words(config, x, dy, begin, dw[0], rest);
    else if (config->spectra.size) ng_fourier_gradient_add(&config->spectra, x, dy, begin, rest);
    else add_product(&config->exact, x, dy, dw[0], rest);
}

void ng_trained_conv1d_end(const ng_layer *layer, float *const *dw, void *scratch)
{
    const trained_conv1d *config = layer->config;
    const double *sums = scratch;
    void *rest = (double *)scratch + bias_count(layer);
    for (int64_t o = 0; layer->weight_count > 1 && dw[1] && o < layer->out.channels; o++) dw[1][o] += (float)sums[o];
    if (dw[0] && config->words.count) ng_end_words(&config->words, rest, dw[0]);
    else if (dw[0] && config->spectra.size) ng_fourier_gradient_end(&config->spectra, dw[0], rest);
}

int64_t ng_trained_conv1d_rows(const ng_layer *layer)
{
    const trained_conv1d *config = layer->config;
    return config->spectra.size ? ng_fourier_gradient_rows(&config->spectra) : NG_WORD_ROWS;
}

static void gradients(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx, float *const *dw,
                      void *scratch)
{
    if (dy->first < dy->last) {
        ng_trained_conv1d_add(layer, x, dy, true, dw, scratch);
        ng_trained_conv1d_end(layer, dw, scratch);
    }
    backward(layer, dy, code, dx, scratch);
}

static const ng_layer_type type = {.class_name = "Conv1D", .algorithm = "as it trains", .affine = true,
                                   .forward = forward, .backward = backward, .gradients = gradients};

bool ng_is_trained_conv1d(const ng_layer *layer) { return layer->type == &type; }

static ng_status make_words(trained_conv1d *config, ng_arena *arena, ng_error *error)
{
    const ng_layer *exact = &config->exact;
    float *values = ng_alloc(arena, config->words.count, sizeof *values, error);
    if (!values) return error->status;
    ng_fill_words(&config->words, exact->weights[0].data, exact->weight_count > 1 ? exact->weights[1].data : NULL, values);
    config->values = values;
    return NG_OK;
}

ng_status ng_trained_conv1d(ng_layer *layer, bool spectra, bool letters, int64_t rows, int64_t samples, int threads, ng_arena *arena,
                            ng_error *error)
{
    if (layer->type != &ng_conv1d) return NG_OK;
    if (layer->reach.stride > 1 || layer->reach.dilation > 1) return ng_pack_conv1d(layer, arena, error);
    const ng_fourier_shape shape = {layer->reach.size, layer->in->channels, layer->out.channels, layer->in->length, layer->out.length,
                                    layer->reach.pad, 1, 0};
    trained_conv1d *config = ng_alloc(arena, 1, sizeof *config, error);
    if (!config) return error->status;
    *config = (trained_conv1d){.exact = *layer};
    if (letters) config->words = ng_words_of(layer, rows * samples);
    const bool words = config->words.count;
    const int64_t size = words ? 0 : ng_fourier_gradient_size(&shape, rows, samples);
    if ((words && make_words(config, arena, error)) || (spectra && !words && ng_fourier_conv1d(layer, 0, threads, NULL, arena, error)) ||
        (size && ng_fourier_make_gradient(&shape, size, arena, &config->spectra, error))) return error->status;
    if (layer->type == &ng_conv1d && ng_pack_conv1d(layer, arena, error)) return error->status;
    config->inner = *layer;
    layer->type = &type;
    layer->config = config;
    if (words) layer->y_align = NG_WORD_ROWS;    /* one row that is no letter is enough to leave a block to the layer itself */
    if (size) layer->gradient_bytes = 0;
    const int64_t bytes = bias_count(layer) * (int64_t)sizeof(double) + config->words.count * (int64_t)sizeof(float);
    if (layer->call_bytes < bytes + config->spectra.scratch_bytes) layer->call_bytes = bytes + config->spectra.scratch_bytes;
    return NG_OK;
}
