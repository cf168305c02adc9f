/* core/network/secant.c: the mean slope of a layer between a sequence's input x and a reference's input r. Of three kinds:
 *     number by number   y = f(x):      dx += dy (f(x) - f(r)) / (x - r), and dy f'(x) where the two meet
 *     largest of some    y = max x_i:   all of it to x_i = y if y >= max r, else to the i where r_i is largest:
 *                                       dx_i += dy (y - max r) / (x_i - r_i); windows that overlap add up
 *     anything else      y = F(x):      dx += integral over a in [0, 1] of F'(r + a (x - r))' dy, by Gauss and Legendre
 * The first two are the rules of DeepLIFT (Shrikumar, Greenside and Kundaje 2017) and its authors' treatment of pools. The last one is what
 * the first is for a function of one number, and serves softmax, normalization, products, recurrent layers and attention. */
#include <math.h>
#include <string.h>
#include "core/network/secant.h"
#include "core/network/types.h"

enum { NODES = 16 };
typedef enum { ELEMENT, LARGEST, MEAN } kind;

typedef struct secant {
    kind kind;
    ng_layer inner;
    double nodes[NODES], weights[NODES];         /* of MEAN */
} secant;

typedef struct secant_type { ng_layer_type type; const ng_layer_type *inner; } secant_type;

bool ng_is_linear(const ng_layer_type *type)
{
    return type->affine || type == &ng_add || type == &ng_subtract || type == &ng_average || type == &ng_concatenate || type == &ng_flatten ||
           type == &ng_reshape || type == &ng_permute || type == &ng_global_average_pooling1d || type == &ng_global_sum1d;
}

static int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

/* Takes bytes from scratch memory, one piece after the other. */
static void *take(uint8_t **scratch, int64_t bytes)
{
    void *piece = *scratch;
    *scratch += padded(bytes);
    return piece;
}

/* Nodes and weights on [0, 1]: roots of the Legendre polynomial by Newton's method. */
static void gauss_legendre(double nodes[NODES], double weights[NODES])
{
    for (int i = 0; i < NODES; i++) {
        double x = cos(3.141592653589793 * (i + 0.75) / (NODES + 0.5)), slope = 1;
        for (int round = 0; round < 20; round++) {
            double p = 1, before = 0;
            for (int k = 1; k <= NODES; k++) {
                const double next = ((2 * k - 1) * x * p - (k - 1) * before) / k;
                before = p;
                p = next;
            }
            slope = NODES * (x * p - before) / (x * x - 1);
            x -= p / slope;
        }
        nodes[i] = (1 + x) / 2;
        weights[i] = 1 / ((1 - x * x) * slope * slope);
    }
}

static kind kind_of(const ng_layer *inner)
{
    const char *word = ng_word(inner->settings, "activation", "linear");
    if (inner->type == &ng_prelu || (inner->type == &ng_activation && strcmp(word, "softmax") && strcmp(word, "log_softmax"))) return ELEMENT;
    return inner->type == &ng_max_pooling1d || inner->type == &ng_global_max_pooling1d ? LARGEST : MEAN;
}

/* A layer that reads everything goes as a whole, another one row by row: so many rows of a tensor in a unit. */
static bool is_whole(const ng_layer *inner) { return inner->reach.size == 0; }
static int64_t unit_rows(const ng_layer *inner, ng_shape shape) { return is_whole(inner) ? ng_rows(shape) : 1; }
static int64_t unit_bytes(const ng_layer *inner, ng_shape shape) { return unit_rows(inner, shape) * shape.channels * 4; }

/* What the inner layer takes for a unit: its output, its code, its scratch. */
static int64_t inner_bytes(const ng_layer *inner)
{
    return padded(unit_bytes(inner, inner->out)) + padded(unit_rows(inner, inner->out) * inner->code_bytes) +
           padded(inner->scratch_bytes + inner->call_bytes);
}

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    secant *config = ng_alloc(arena, 1, sizeof *config, error);
    if (!config) return error->status;
    ng_layer *inner = &config->inner;
    *inner = *layer;
    inner->type = ((const secant_type *)(const void *)layer->type)->inner;
    inner->inputs = layer->inputs / 2;
    if (inner->type->shape(inner, arena, error)) return error->status;
    config->kind = kind_of(inner);
    layer->config = config;
    layer->out = inner->out;
    layer->reach = inner->reach;
    const int64_t channels = inner->out.channels;
    if (config->kind == ELEMENT) {
        layer->code_bytes = 4 * channels;
        layer->call_bytes = 4 * padded(4 * channels) + inner_bytes(inner);
        return NG_OK;
    }
    if (config->kind == LARGEST) {
        if (!strcmp(ng_word(layer->settings, "data_format", "channels_last"), "channels_first"))
            return ng_fail(error, NG_UNSUPPORTED, layer, "the largest channel of a row has no DeepLIFT rule here");
        layer->code_bytes = 8 * channels;
        layer->call_bytes = 3 * padded(4 * channels);
        return NG_OK;
    }
    int64_t kept = 0;
    for (int i = 0; i < inner->inputs; i++) {
        kept += 2 * unit_bytes(inner, layer->in[i]);
        layer->call_bytes += 2 * padded(unit_bytes(inner, layer->in[i])) + 2 * padded(sizeof(ng_tile));
    }
    const int64_t rows = unit_rows(inner, inner->out);
    layer->code_bytes = ((kept + rows - 1) / rows + 3) / 4 * 4;
    layer->call_bytes += inner_bytes(inner);
    gauss_legendre(config->nodes, config->weights);
    return NG_OK;
}

static ng_tile unit_tile(float *data, const ng_layer *inner, ng_shape shape, int64_t t)
{
    const int64_t rows = ng_rows(shape);
    return is_whole(inner) ? (ng_tile){data, 0, rows, rows, shape.channels, 1, 0} : (ng_tile){data, t, t + 1, rows, shape.channels, 1, 0};
}

static ng_code unit_code(uint8_t *data, const ng_layer *inner, const ng_tile *y)
{
    return (ng_code){data, y->first, y->last, inner->code_bytes, 0};
}

/* ---- number by number ---- */

static void forward_elements(const secant *config, const ng_tile *x, ng_tile *y, ng_code *code, uint8_t *scratch)
{
    const ng_layer *inner = &config->inner;
    const int64_t channels = y->channels, bytes = 4 * channels;
    float *other = take(&scratch, bytes), *ones = take(&scratch, bytes), *slope = take(&scratch, bytes);
    uint8_t *kept = take(&scratch, inner->code_bytes);
    for (int64_t c = 0; c < channels; c++) ones[c] = 1;
    NG_EACH_ROW(y, sample, t) {
        const float *here = ng_row(&x[0], sample, t), *there = ng_row(&x[1], sample, t);
        float *to = ng_row(y, sample, t), *mean = (float *)ng_code_row(code, sample, t);
        const ng_tile from = unit_tile((float *)here, inner, inner->in[0], t), reference = unit_tile((float *)there, inner, inner->in[0], t);
        ng_tile out = unit_tile(to, inner, inner->out, t), aside = unit_tile(other, inner, inner->out, t);
        const ng_tile dy = unit_tile(ones, inner, inner->out, t);
        ng_tile dx = unit_tile(slope, inner, inner->in[0], t);
        ng_code row = unit_code(kept, inner, &out);
        memset(slope, 0, (size_t)bytes);
        inner->type->forward(inner, &reference, &aside, &row, scratch);
        inner->type->forward(inner, &from, &out, &row, scratch);
        inner->type->backward(inner, &dy, &row, &dx, scratch);
        for (int64_t c = 0; c < channels; c++) {
            const float apart = here[c] - there[c];
            mean[c] = fabsf(apart) > 1e-6f * (1 + fabsf(here[c])) ? (to[c] - other[c]) / apart : slope[c];
        }
    }
}

static void backward_elements(const ng_tile *dy, const ng_code *code, ng_tile *dx)
{
    NG_EACH_ROW(dx, sample, t) {
        const float *from = ng_row(dy, sample, t), *mean = (const float *)ng_code_row(code, sample, t);
        float *to = ng_row(dx, sample, t);
        for (int64_t c = 0; c < dx->channels; c++) to[c] += from[c] * mean[c];
    }
}

/* ---- the largest of some: the code is a slope and the row it goes to, for each channel ---- */

static void forward_largest(const ng_layer *inner, const ng_tile *x, ng_tile *y, ng_code *code, uint8_t *scratch)
{
    const int64_t channels = y->channels, length = x[0].length;
    float *other = take(&scratch, 4 * channels);
    int32_t *winner = take(&scratch, 4 * channels), *other_winner = take(&scratch, 4 * channels);
    NG_EACH_ROW(y, sample, t) {
        const int64_t start = t * inner->reach.stride - inner->reach.pad;
        const ng_range rows = is_whole(inner) ? (ng_range){0, length} : ng_clip(start, start + inner->reach.size, length);
        float *to = ng_row(y, sample, t), *mean = (float *)ng_code_row(code, sample, t);
        int32_t *place = (int32_t *)(mean + channels);
        for (int64_t i = rows.first; i < rows.last; i++) {
            const float *here = ng_row(&x[0], sample, i), *there = ng_row(&x[1], sample, i);
            for (int64_t c = 0; c < channels; c++) {
                if (i == rows.first || here[c] > to[c]) to[c] = here[c], winner[c] = (int32_t)i;
                if (i == rows.first || there[c] > other[c]) other[c] = there[c], other_winner[c] = (int32_t)i;
            }
        }
        for (int64_t c = 0; c < channels; c++) {
            place[c] = to[c] >= other[c] ? winner[c] : other_winner[c];
            const float apart = ng_row(&x[0], sample, place[c])[c] - ng_row(&x[1], sample, place[c])[c];
            mean[c] = apart != 0 ? (to[c] - other[c]) / apart : 1;
        }
    }
}

static void backward_largest(const ng_tile *dy, const ng_code *code, ng_tile *dx)
{
    NG_EACH_ROW(dy, sample, t) {
        const float *from = ng_row(dy, sample, t), *mean = (const float *)ng_code_row(code, sample, t);
        const int32_t *place = (const int32_t *)(mean + dy->channels);
        for (int64_t c = 0; c < dy->channels; c++)
            if (place[c] >= dx->first && place[c] < dx->last) ng_row(dx, sample, place[c])[c] += from[c] * mean[c];
    }
}

/* ---- anything else: the code holds the inputs of a unit, each for the sequence and for the reference ---- */

static uint8_t *unit_at(const ng_layer *inner, const ng_code *code, int64_t sample, int64_t t)
{
    return is_whole(inner) ? code->data + sample * code->sample_stride : ng_code_row(code, sample, t);
}

static void forward_mean(const ng_layer *inner, const ng_tile *x, ng_tile *y, ng_code *code, uint8_t *scratch)
{
    const int n = inner->inputs;
    const int64_t step = is_whole(inner) ? y->last - y->first : 1;
    ng_tile *from = take(&scratch, n * (int64_t)sizeof *from);
    uint8_t *kept = take(&scratch, unit_rows(inner, inner->out) * inner->code_bytes);
    for (int64_t sample = 0; sample < y->samples; sample++)
        for (int64_t t = y->first; t < y->last; t += step) {
            uint8_t *to = unit_at(inner, code, sample, t);
            for (int i = 0; i < n; i++) {
                const int64_t bytes = unit_bytes(inner, inner->in[i]), row = is_whole(inner) ? 0 : t;
                memcpy(to, ng_row(&x[i], sample, row), (size_t)bytes);
                memcpy(to + bytes, ng_row(&x[n + i], sample, row), (size_t)bytes);
                from[i] = unit_tile((float *)(void *)to, inner, inner->in[i], t);
                to += 2 * bytes;
            }
            ng_tile out = unit_tile(ng_row(y, sample, t), inner, inner->out, t);
            ng_code row = unit_code(kept, inner, &out);
            inner->type->forward(inner, from, &out, &row, scratch);
        }
}

/* Adds the mean over the nodes of what one unit sends back. */
static void backward_unit(const secant *config, const ng_tile *dy, const uint8_t *ends, int64_t sample, ng_tile *dx, int64_t t, uint8_t *scratch)
{
    const ng_layer *inner = &config->inner;
    const int n = inner->inputs;
    ng_tile *at = take(&scratch, n * (int64_t)sizeof *at), *back = take(&scratch, n * (int64_t)sizeof *back);
    for (int i = 0; i < n; i++) {
        at[i] = unit_tile(take(&scratch, unit_bytes(inner, inner->in[i])), inner, inner->in[i], t);
        back[i] = unit_tile(take(&scratch, unit_bytes(inner, inner->in[i])), inner, inner->in[i], t);
    }
    ng_tile out = unit_tile(take(&scratch, unit_bytes(inner, inner->out)), inner, inner->out, t);
    ng_code kept = unit_code(take(&scratch, unit_rows(inner, inner->out) * inner->code_bytes), inner, &out);
    const ng_tile gradient = unit_tile(ng_row(dy, sample, out.first), inner, inner->out, t);
    for (int node = 0; node < NODES; node++) {
        const float a = (float)config->nodes[node], weight = (float)config->weights[node];
        const uint8_t *from = ends;
        for (int i = 0; i < n; i++) {
            const int64_t count = unit_bytes(inner, inner->in[i]) / 4;
            const float *x = (const float *)(const void *)from, *reference = x + count;
            for (int64_t k = 0; k < count; k++) at[i].data[k] = reference[k] + a * (x[k] - reference[k]);
            memset(back[i].data, 0, (size_t)count * 4);
            from += 8 * count;
        }
        inner->type->forward(inner, at, &out, &kept, scratch);
        inner->type->backward(inner, &gradient, &kept, back, scratch);
        for (int i = 0; i < n; i++) {
            if (!dx[i].data) continue;
            float *to = ng_row(&dx[i], sample, back[i].first);
            for (int64_t k = 0; k < unit_bytes(inner, inner->in[i]) / 4; k++) to[k] += weight * back[i].data[k];
        }
    }
}

static void backward_mean(const secant *config, const ng_tile *dy, const ng_code *code, ng_tile *dx, uint8_t *scratch)
{
    const ng_layer *inner = &config->inner;
    const int64_t first = is_whole(inner) ? dy->first : dx->first, last = is_whole(inner) ? dy->first + 1 : dx->last;
    for (int64_t sample = 0; sample < dy->samples; sample++)
        for (int64_t t = first; t < last; t++) backward_unit(config, dy, unit_at(inner, code, sample, t), sample, dx, t, scratch);
}

/* ---- the layer ---- */

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    const secant *config = layer->config;
    if (config->kind == ELEMENT) forward_elements(config, x, y, code, scratch);
    else if (config->kind == LARGEST) forward_largest(&config->inner, x, y, code, scratch);
    else forward_mean(&config->inner, x, y, code, scratch);
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    const secant *config = layer->config;
    if (config->kind == MEAN) backward_mean(config, dy, code, dx, scratch);
    else if (!dx[0].data) return;
    else if (config->kind == ELEMENT) backward_elements(dy, code, &dx[0]);
    else backward_largest(dy, code, &dx[0]);
}

#define SECANT(name) {{.class_name = "Secant", .shape = shape, .forward = forward, .backward = backward}, &name}

static const secant_type types[] = {
    SECANT(ng_activation), SECANT(ng_prelu), SECANT(ng_max_pooling1d), SECANT(ng_global_max_pooling1d), SECANT(ng_layer_normalization),
    SECANT(ng_multiply_layer), SECANT(ng_lstm), SECANT(ng_gru), SECANT(ng_attention), SECANT(ng_dot),
};

const ng_layer_type *ng_secant_of(const ng_layer_type *type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].inner == type) return &types[i].type;
    return NULL;
}
