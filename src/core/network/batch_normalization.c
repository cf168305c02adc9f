/* core/network/batch_normalization.c: BatchNormalization with the statistics of training.    x (S, L, C) -> y (S, L, C)
 *     r = gamma / sqrt(variance + epsilon)                one number for each place along the axis
 *     y = x r + (beta - mean r)
 *     dx += dy r
 * The axis is nearly always the channels; an earlier one gives a whole row the same numbers. Rounded in the order of
 * TensorFlow: float32, the reciprocal root first. */
#include <math.h>
#include "core/network/affine.h"
#include "core/network/vector.h"

typedef struct batch_normalization {
    int64_t row_divisor, row_modulus;            /* see place_of(); modulus 0: the channels are the axis */
    const float *scale, *shift;
} batch_normalization;

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const ng_shape in = layer->in[0];
    const int64_t size[3] = {in.samples, in.length, in.channels};
    const double given = ng_number(layer->settings, "axis", 0, -1), axis = given < 0 ? given + in.rank + 1 : given;
    const float epsilon = (float)ng_number(layer->settings, "epsilon", 0, 1e-3);
    if (ng_count(layer->settings, "axis") > 1)
        return ng_fail(error, NG_UNSUPPORTED, layer, "it normalizes several axes; one is supported");
    if (!(axis >= 1 && axis <= in.rank && axis == floor(axis)))
        return ng_fail(error, NG_BAD_MODEL, layer, "axis is %g; its input has axes 1 to %d besides the batch", given, in.rank);
    const int from_last = in.rank - (int)axis;
    const bool scaled = ng_flag(layer->settings, "scale", true), centred = ng_flag(layer->settings, "center", true);
    const int64_t places = size[2 - from_last];
    for (int i = 0; i < 2 + scaled + centred; i++)
        if (ng_expect_weight(layer, i, 1, &places, error)) return error->status;
    const float *gamma = layer->weights[0].data, *beta = layer->weights[scaled].data;
    const float *mean = layer->weights[scaled + centred].data, *variance = layer->weights[scaled + centred + 1].data;

    batch_normalization *config = ng_alloc(arena, 1, sizeof *config, error);
    float *scale = ng_alloc(arena, places, sizeof *scale, error), *shift = ng_alloc(arena, places, sizeof *shift, error);
    if (!config || !scale || !shift) return error->status;
    for (int64_t i = 0; i < places; i++) {
        if (!(variance[i] + epsilon > 0))
            return ng_fail(error, NG_BAD_MODEL, layer, "variance %lld is %g; with epsilon it must be above 0", (long long)i + 1,
                           (double)variance[i]);
        const float reciprocal = 1.0f / sqrtf(variance[i] + epsilon);
        scale[i] = scaled ? reciprocal * gamma[i] : reciprocal;
        shift[i] = (centred ? beta[i] : 0.0f) - mean[i] * scale[i];
    }
    *config = (batch_normalization){from_last == 2 ? in.length : 1, from_last == 0 ? 0 : places, scale, shift};
    layer->config = config;
    ng_row_by_row(layer);
    return NG_OK;
}

/* The place of row t along the axis; -1 if the channels are the axis. */
static int64_t place_of(const batch_normalization *bn, int64_t t)
{
    return bn->row_modulus ? t / bn->row_divisor % bn->row_modulus : -1;
}

bool ng_scale_and_shift(const ng_layer *layer, const float **scale, const float **shift)
{
    const batch_normalization *bn = layer->config;
    *scale = bn->scale;
    *shift = bn->shift;
    return bn->row_modulus == 0;
}

static void by_channel(const float *restrict x, const float *restrict scale, const float *restrict shift, float *restrict y,
                       int64_t channels)
{
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) y[c] = x[c] * scale[c] + shift[c];
}

static void by_row(const float *restrict x, float scale, float shift, float *restrict y, int64_t channels)
{
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) y[c] = x[c] * scale + shift;
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    const batch_normalization *bn = layer->config;
    NG_EACH_ROW(y, sample, t) {
        const float *from = ng_row(x, sample, t);
        float *to = ng_row(y, sample, t);
        const int64_t place = place_of(bn, t);
        if (place < 0) by_channel(from, bn->scale, bn->shift, to, y->channels);
        else by_row(from, bn->scale[place], bn->shift[place], to, y->channels);
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)code, (void)scratch;
    if (!dx->data) return;
    const batch_normalization *bn = layer->config;
    NG_EACH_ROW(dx, sample, t) {
        const float *from = ng_row(dy, sample, t);
        float *to = ng_row(dx, sample, t);
        const int64_t place = place_of(bn, t);
        if (place < 0) ng_add_product(to, from, bn->scale, dx->channels);
        else ng_add_scaled(to, from, bn->scale[place], dx->channels);
    }
}

const ng_layer_type ng_batch_normalization = {
    .class_name = "BatchNormalization", .affine = true, .shape = shape, .forward = forward, .backward = backward};
