/* core/network/conv1d.c: Conv1D, a sum over the taps of a sliding window.   x (L, C) -> y (Lo, F); kernel K (k, C, F), bias b (F)
 *     y[t, o]   = b[o] + sum over j, c of x[t s - P + j d, c] K[j, c, o]                    rows outside [0, L) count for nothing
 *     dx[q, c] += sum over j, o of dy[t, o] K[j, c, o],  t = (q + P - j d) / s              where that is whole and in [0, Lo)
 *     dK[j, c, o] += sum over t of x[t s - P + j d, c] dy[t, o],   db[o] += sum over t of dy[t, o]
 * k = kernel_size, s = strides, d = dilation_rate; Lo and P as in ng_slide().
 *
 * Both are slides of one kind. Backward with s = 1 goes over dy with the taps in reverse. With s > 1 the rows q fall into s
 * phases, q = m s + r - P: phase r knows only the taps j = r, r + s, ..., and its rows m slide over dy one by one.
 *
 * Few input channels leave most columns of a panel empty. If s = d = 1, `fold` rows of dx become one row of fold C columns,
 *     dx[fold m + r - P, c] += sum over u, o of dy[fold m + u - (k - 1), o] K[k - 1 + r - u, c, o],   u = 0..k + fold - 2
 * where K is 0 outside its taps: the same chain, with terms of 0 before and after it. */
#include <string.h>
#include "core/kernels/matrix.h"
#include "core/kernels/weight_product.h"
#include "core/network/conv1d.h"

/* Row m of the result reads rows m * stride - pad + j * dilation, j = 0..taps-1. */
typedef struct slide { ng_packed kernel; int64_t taps, stride, dilation, pad; } slide;

typedef struct conv1d { slide forward, *phases, folded; const float *bias; } conv1d;      /* folded.taps 0: nothing is folded */

/* Phase r of the gradient: tap i of its kernel is tap r + (taps - 1 - i) s of K, transposed. */
static ng_status pack_phase(const ng_layer *layer, int64_t r, ng_arena *arena, slide *phase, ng_error *error)
{
    const int64_t C = layer->in->channels, F = layer->out.channels, s = layer->reach.stride, d = layer->reach.dilation;
    const int64_t taps = (layer->reach.size - r + s - 1) / s;
    if (taps <= 0) return NG_OK;
    *phase = (slide){.taps = taps, .stride = 1, .dilation = d, .pad = (taps - 1) * d};
    if (ng_pack_nothing(taps * F, C, arena, &phase->kernel, error)) return error->status;
    for (int64_t i = 0; i < taps; i++)
        ng_pack_rows(&phase->kernel, i * F, F, layer->weights[0].data + (r + (taps - 1 - i) * s) * C * F, 1, F);
    return NG_OK;
}

enum { FOLD_TAPS = 8 };                          /* with fewer, the zeros cost more than narrow vectors gain, measured */

/* Column r C + c of the folded kernel is column c of the gradient's, r taps later; both have one panel. */
static ng_status pack_folded(const ng_layer *layer, slide *phase, ng_arena *arena, slide *folded, ng_error *error)
{
    const int64_t C = layer->in->channels, F = layer->out.channels, fold = NG_PANEL / C;
    if (fold < 2 || phase->taps < FOLD_TAPS || layer->reach.stride > 1 || layer->reach.dilation > 1) return NG_OK;
    *folded = (slide){.taps = phase->taps + fold - 1, .stride = fold, .dilation = 1, .pad = phase->pad};
    if (ng_pack_nothing(folded->taps * F, fold * C, arena, &folded->kernel, error)) return error->status;
    for (int64_t r = 0; r < fold; r++)
        for (int64_t i = 0; i < phase->kernel.depth; i++)
            memcpy(folded->kernel.panels + (r * F + i) * NG_PANEL + r * C, phase->kernel.panels + i * NG_PANEL,
                   (size_t)C * sizeof(float));
    folded->kernel.chain = phase->kernel.chain = 0;
    return NG_OK;
}

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const int64_t C = layer->in->channels;
    int64_t F, size, stride, dilation, groups;
    ng_padding padding;
    if (ng_expect_rank(layer, 2, 2, error) || ng_whole(layer, "filters", 0, 0, 1, &F, error) ||
        ng_whole(layer, "kernel_size", 0, 0, 1, &size, error) || ng_whole(layer, "strides", 0, 1, 1, &stride, error) ||
        ng_whole(layer, "dilation_rate", 0, 1, 1, &dilation, error) || ng_whole(layer, "groups", 0, 1, 1, &groups, error) ||
        ng_padding_of(layer, &padding, error)) return error->status;
    if (groups > 1) return ng_fail(error, NG_UNSUPPORTED, layer, "groups is %lld; only 1 can be computed", (long long)groups);
    if (stride > 1 && dilation > 1)
        return ng_fail(error, NG_BAD_MODEL, layer, "strides is %lld and dilation_rate is %lld; one of them must be 1",
                       (long long)stride, (long long)dilation);
    const bool use_bias = ng_flag(layer->settings, "use_bias", layer->weight_count > 1);
    if (ng_expect_weight(layer, 0, 3, (int64_t[]){size, C, F}, error)) return error->status;
    if (use_bias && ng_expect_weight(layer, 1, 1, &F, error)) return error->status;
    layer->out.channels = F;
    if (ng_slide(layer, size, stride, dilation, padding, error)) return error->status;

    conv1d *config = ng_alloc(arena, 1, sizeof *config, error);
    if (!config) return error->status;
    config->bias = use_bias ? layer->weights[1].data : NULL;
    layer->gradient_bytes = ng_weight_product_floats(layer->reach, layer->out.length, C, F) * (int64_t)sizeof(float);
    layer->config = config;
    return layer->training ? NG_OK : ng_pack_conv1d(layer, arena, error);
}

ng_status ng_pack_conv1d(const ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const ng_reach r = layer->reach;
    const int64_t F = layer->out.channels;
    conv1d *config = (conv1d *)layer->config;
    config->forward = (slide){.taps = r.size, .stride = r.stride, .dilation = r.dilation, .pad = r.pad};
    if (ng_pack(layer->weights[0].data, r.size * layer->in->channels, F, F, 1, arena, &config->forward.kernel, error)) return error->status;
    config->phases = ng_alloc(arena, r.stride, sizeof *config->phases, error);
    if (!config->phases) return error->status;
    for (int64_t phase = 0; phase < r.stride; phase++)
        if (pack_phase(layer, phase, arena, &config->phases[phase], error)) return error->status;
    if (!config->bias) config->bias = config->forward.kernel.zeros;
    return pack_folded(layer, config->phases, arena, &config->folded, error);
}

static int64_t ceiling(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }      /* of a / b, b > 0 */

/* The rows m whose tap at this offset from m * stride - pad lies in [0, length). */
static ng_range rows_at(const slide *s, int64_t offset, int64_t length)
{
    return (ng_range){ceiling(s->pad - offset, s->stride), ceiling(length + s->pad - offset, s->stride)};
}

static ng_range both(ng_range a, ng_range b)
{
    return (ng_range){a.first > b.first ? a.first : b.first, a.last < b.last ? a.last : b.last};
}

/* Row m of sample n lies at data + row_0 + m * stride + n * sample_stride and begins as the bias, or as what is there if bias is NULL. */
typedef struct result { float *data; int64_t row_0, stride, sample_stride; const float *bias; } result;

static float *row_of(const result *y, int64_t sample, int64_t m) { return y->data + (y->row_0 + m * y->stride + sample * y->sample_stride); }

/* Tap by tap, where dilation keeps the rows of a window apart. */
static void slide_by_taps(const slide *s, const ng_tile *x, int64_t sample, ng_range rows, const result *y)
{
    const int64_t C = x->channels;
    for (int64_t m = rows.first; y->bias && m < rows.last; m++)
        memcpy(row_of(y, sample, m), y->bias, (size_t)s->kernel.columns * sizeof(float));
    for (int64_t j = 0; j < s->taps; j++) {
        const ng_range here = both(rows, rows_at(s, j * s->dilation, x->length));
        if (here.first >= here.last) continue;
        ng_multiply(ng_row(x, sample, here.first * s->stride - s->pad + j * s->dilation), here.last - here.first, s->stride * C,
                    &s->kernel, j * C, (j + 1) * C, NULL, true, row_of(y, sample, here.first), y->stride);
    }
}

/* A row of all samples, by the taps that have a row. */
static void slide_row(const slide *s, const ng_tile *x, int64_t m, const result *y)
{
    const int64_t C = x->channels, start = m * s->stride - s->pad;
    const ng_range taps = ng_clip(-start, x->length - start, s->taps);
    if (taps.first < taps.last)
        ng_multiply(ng_row(x, 0, start + taps.first), x->samples, x->sample_stride, &s->kernel, taps.first * C, taps.last * C, y->bias, !y->bias,
                    row_of(y, 0, m), y->sample_stride);
    else for (int64_t n = 0; y->bias && n < x->samples; n++)
        memcpy(row_of(y, n, m), y->bias, (size_t)s->kernel.columns * sizeof(float));
}

/* One product for the rows whose windows are whole, or for each of them if samples are more; and for each row at the edges. All are the
 * same chain over ascending taps. */
static void slide_over(const slide *s, const ng_tile *x, ng_range rows, const result *y)
{
    for (int64_t n = 0; s->dilation > 1 && n < x->samples; n++) slide_by_taps(s, x, n, rows, y);
    if (s->dilation > 1) return;
    const ng_range whole = both(rows, both(rows_at(s, 0, x->length), rows_at(s, s->taps - 1, x->length)));
    const bool by_rows = whole.last - whole.first < x->samples;
    for (int64_t m = rows.first; m < rows.last; m++)
        if (by_rows || m < whole.first || m >= whole.last) slide_row(s, x, m, y);
    for (int64_t n = 0; !by_rows && n < x->samples; n++)
        ng_multiply(ng_row(x, n, whole.first * s->stride - s->pad), whole.last - whole.first, s->stride * x->channels, &s->kernel,
                    0, s->kernel.depth, y->bias, !y->bias, row_of(y, n, whole.first), y->stride);
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    const conv1d *config = layer->config;
    const result rows = {y->data, -y->first * y->channels, y->channels, y->sample_stride, config->bias};
    slide_over(&config->forward, x, (ng_range){y->first, y->last}, &rows);
}

/* Rows of a phase, folded where they fill a group; groups begin at multiples of the fold. */
static void slide_back(const slide *phase, const slide *folded, const ng_tile *dy, ng_range rows, const result *dx)
{
    const int64_t fold = folded->taps ? folded->stride : INT64_MAX;
    const ng_range groups = {rows.first / fold + (rows.first % fold > 0), rows.last / fold};
    if (groups.first >= groups.last) {
        slide_over(phase, dy, rows, dx);
        return;
    }
    const result group = {dx->data, dx->row_0, fold * dx->stride, dx->sample_stride, NULL};
    slide_over(phase, dy, (ng_range){rows.first, groups.first * fold}, dx);
    slide_over(folded, dy, groups, &group);
    slide_over(phase, dy, (ng_range){groups.last * fold, rows.last}, dx);
}

/* Terms of 0 can turn -0 into 0: here every -0 is, so that no bit tells which rows were folded. */
static void unsign_zeros(ng_tile *dx)
{
    for (int64_t n = 0; n < dx->samples; n++)
        for (int64_t i = 0; i < (dx->last - dx->first) * dx->channels; i++) dx->data[n * dx->sample_stride + i] += 0.0f;
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)code, (void)scratch;
    const conv1d *config = layer->config;
    const int64_t s = layer->reach.stride, P = layer->reach.pad;
    for (int64_t r = 0; dx->data && r < s; r++) {
        if (config->phases[r].taps == 0) continue;
        const ng_range rows = {ceiling(dx->first + P - r, s), ceiling(dx->last + P - r, s)};
        const result phase = {dx->data, (r - P - dx->first) * dx->channels, s * dx->channels, dx->sample_stride, NULL};
        slide_back(&config->phases[r], &config->folded, dy, rows, &phase);
    }
    if (dx->data && config->folded.taps) unsign_zeros(dx);
}

static void gradients(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx, float *const *dw,
                      void *scratch)
{
    const int64_t C = x->channels, F = dy->channels, rows = dy->last - dy->first;
    for (int64_t n = 0; rows > 0 && n < dy->samples; n++) {
        const float *gradient = ng_row(dy, n, dy->first);
        if (dw[0])
            ng_add_weight_product(&(ng_weight_product){layer->reach, ng_row(x, n, 0), gradient, C, F, x->length, dy->first, rows, C, F, C * F, F},
                                  dw[0], scratch);
        if (layer->weight_count > 1 && dw[1]) ng_add_rows(gradient, rows, F, F, dw[1]);
    }
    backward(layer, dy, code, dx, scratch);
}

const ng_layer_type ng_conv1d = {
    "Conv1D", .affine = true, .shape = shape, .forward = forward, .backward = backward, .gradients = gradients};
