/* core/network/distance.c: how far two vectors are apart.    a, b (C) -> y (1)
 *     EuclideanDistance   q = sum_c (a - b)^2,   y = sqrt(max(q, 1e-7))
 *                         da += dy (a - b) / y   if q >= 1e-7, else nothing;   db the negative
 *     CosineSimilarity    y = sum_c a b / (|a| |b|)                               NaN where a vector is 0, as in TensorFlow
 *                         da += dy (b / (|a| |b|) - y a / |a|^2);   db likewise
 * Sums in float64. Forward keeps a and b. */
#include <math.h>
#include <string.h>
#include "core/network/layer.h"
#include "core/network/types.h"

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    (void)arena;
    if (layer->inputs != 2) return ng_fail(error, NG_BAD_MODEL, layer, "it has %d inputs; it takes 2", layer->inputs);
    if (ng_expect_rank(layer, 1, 1, error)) return error->status;
    if (layer->in[0].channels != layer->in[1].channels)
        return ng_fail(error, NG_BAD_MODEL, layer, "its inputs have %lld and %lld numbers", (long long)layer->in[0].channels,
                       (long long)layer->in[1].channels);
    layer->out = (ng_shape){1, 1, 1, 1};
    layer->reach = (ng_reach){0, 1, 1, 0};
    layer->code_bytes = (int64_t)sizeof(float) * 2 * layer->in->channels;
    return NG_OK;
}

typedef struct sums { double dot, a, b, apart; } sums;

static sums sums_of(const float *a, const float *b, int64_t channels)
{
    sums s = {0};
    for (int64_t c = 0; c < channels; c++) {
        const double x = (double)a[c], y = (double)b[c];
        s.dot += x * y;
        s.a += x * x;
        s.b += y * y;
        s.apart += (x - y) * (x - y);
    }
    return s;
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)scratch;
    const int64_t channels = layer->in->channels;
    for (int64_t n = 0; n < y->samples; n++) {
        const float *a = ng_row(&x[0], n, 0), *b = ng_row(&x[1], n, 0);
        float *kept = (float *)ng_code_row(code, n, 0);
        memcpy(kept, a, (size_t)channels * sizeof *kept);
        memcpy(kept + channels, b, (size_t)channels * sizeof *kept);
        const sums s = sums_of(a, b, channels);
        *ng_row(y, n, 0) = layer->type == &ng_cosine_similarity ? (float)(s.dot / sqrt(s.a * s.b)) : (float)sqrt(fmax(s.apart, 1e-7));
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)scratch;
    const int64_t channels = layer->in->channels;
    for (int64_t n = 0; n < dy->samples; n++) {
        const float *kept[2] = {(const float *)ng_code_row(code, n, 0), (const float *)ng_code_row(code, n, 0) + channels};
        const sums s = sums_of(kept[0], kept[1], channels);
        const double gradient = (double)*ng_row(dy, n, 0);
        for (int i = 0; i < 2; i++) {
            if (!dx[i].data) continue;
            const float *own = kept[i], *other = kept[1 - i];
            float *to = ng_row(&dx[i], n, 0);
            double of_own = 0, of_other = 0;
            if (layer->type == &ng_cosine_similarity) {
                of_other = gradient / sqrt(s.a * s.b);
                of_own = -of_other * s.dot / (i ? s.b : s.a);
            } else if (s.apart >= 1e-7) of_other = -(of_own = gradient / sqrt(s.apart));
            for (int64_t c = 0; c < channels; c++) to[c] += (float)(of_own * (double)own[c] + of_other * (double)other[c]);
        }
    }
}

const ng_layer_type ng_euclidean_distance = {
    .class_name = "EuclideanDistance", .several = true, .shape = shape, .forward = forward, .backward = backward};
const ng_layer_type ng_cosine_similarity = {
    .class_name = "CosineSimilarity", .several = true, .shape = shape, .forward = forward, .backward = backward};
