/* tests/core/trial.h: one layer under test. run_trial() holds it against `naive`, a loop in double written from its formula:
 * forward values, backward against central differences, and the contract of core/network/layer.h: every tiling and every
 * batch gives the same bits, though what is read lies between NaN and scratch is filled with it; nothing is written outside. */
#ifndef NG_TESTS_TRIAL_H
#define NG_TESTS_TRIAL_H
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "core/base/arena.h"
#include "core/network/layer.h"

typedef struct trial {
    ng_arena *arena;
    ng_layer layer;
    ng_settings settings;
    ng_shape in[5];
    ng_setting items[8];
    double values[8][4];
    ng_tensor weights[4];
    void (*naive)(const struct trial *q, double *const *x, double *y);
    int levels;                                  /* 0: all inputs differ; else they take so many values, and no differences */
    int64_t samples;
    float *x[5], *y, *dy, *dx[5];                /* of the last run: whole tensors, sample after sample */
} trial;

/* Random shapes. */
static inline ng_shape vector(void) { return (ng_shape){1, 1, 1, 1 + draw(20)}; }
static inline ng_shape rows(void) { return (ng_shape){2, 1, 1 + draw(24), 1 + draw(19)}; }
static inline ng_shape set(void) { return (ng_shape){3, 2 + draw(3), 1 + draw(7), 1 + draw(10)}; }
static inline ng_shape any(void) { const int64_t rank = draw(3); return rank == 0 ? vector() : rank == 1 ? rows() : set(); }

static inline void *claim(trial *q, int64_t count, size_t size)
{
    ng_error error;
    void *memory = ng_alloc(q->arena, count, size, &error);
    if (!memory) { puts("the tests have no memory left"); exit(2); }
    return memory;
}

static inline void start_trial(trial *q, const ng_layer_type *type, int inputs, const ng_shape *in)
{
    *q = (trial){.arena = ng_arena_new((int64_t)1 << 30), .samples = 1 + draw(3)};
    for (int i = 0; i < inputs; i++) q->in[i] = in[i];
    q->settings.items = q->items;
    q->layer = (ng_layer){.type = type, .name = "under_test", .index = 7, .settings = &q->settings, .weights = q->weights,
                          .inputs = inputs, .in = q->in};
}

static inline void end_trial(trial *q) { ng_arena_free(q->arena); }

static inline void set_numbers(trial *q, const char *key, int64_t count, double a, double b, double c)
{
    double *values = q->values[q->settings.count];
    values[0] = a, values[1] = b, values[2] = c;
    q->items[q->settings.count++] = (ng_setting){key, NULL, values, count};
}

static inline void set_number(trial *q, const char *key, double value) { set_numbers(q, key, 1, value, 0, 0); }

static inline void set_word(trial *q, const char *key, const char *word)
{
    q->items[q->settings.count++] = (ng_setting){key, word, NULL, 0};
}

static inline double number(const trial *q, const char *key, double otherwise)
{
    return ng_number(&q->settings, key, 0, otherwise);
}

/* A weight of random numbers in [low, high). */
static inline void add_weight(trial *q, int rank, int64_t a, int64_t b, int64_t c, double low, double high)
{
    const int64_t size = a * (rank > 1 ? b : 1) * (rank > 2 ? c : 1);
    float *data = claim(q, size, sizeof *data);
    for (int64_t i = 0; i < size; i++) data[i] = (float)(low + (draw_real() + 1) / 2 * (high - low));
    q->weights[q->layer.weight_count++] = (ng_tensor){data, rank, {a, b, c}};
}

/* shape() must refuse, and say where. */
static inline void refuse(trial *q, ng_status status)
{
    ng_error error = {0};
    CHECK(q->layer.type->shape(&q->layer, q->arena, &error) == status);
    CHECK(error.status == status && error.layer == 7 && !strcmp(error.layer_name, "under_test") && strlen(error.message) > 10);
    end_trial(q);
}

/* A layer of these inputs with one setting (a word, or the number a) must be refused. */
static inline void refuses(const ng_layer_type *type, int inputs, ng_shape a, ng_shape b, const char *key, const char *word,
                           double value, ng_status status)
{
    const ng_shape in[2] = {a, b};
    trial q;
    start_trial(&q, type, inputs, in);
    if (word) set_word(&q, key, word);
    else if (key) set_number(&q, key, value);
    refuse(&q, status);
}

/* Rows [first, last) of `samples` samples, before and after each a row of `around`: NaN for what is read, since it spreads, and
 * a number for what is added to, since NaN would hide it. `whole` (from its first sample) is copied in. */
enum { UNTOUCHED = 12345 };

static inline ng_tile cut(trial *q, ng_range rows, int64_t length, int64_t channels, int64_t samples, const float *whole,
                          float around)
{
    const int64_t stride = (rows.last - rows.first + 2) * channels;
    float *data = claim(q, samples * stride, sizeof *data);
    for (int64_t i = 0; i < samples * stride; i++) data[i] = around;
    ng_tile tile = {data + channels, rows.first, rows.last, length, channels, samples, stride};
    if (whole && rows.first < rows.last)
        for (int64_t n = 0; n < samples; n++)
            memcpy(ng_row(&tile, n, rows.first), whole + (n * length + rows.first) * channels,
                   (size_t)(stride - 2 * channels) * sizeof *whole);
    return tile;
}

/* The tile goes back into the whole tensor; what surrounds it must be as it was. */
static inline void paste(const ng_tile *tile, float *whole)
{
    const int64_t count = (tile->last - tile->first) * tile->channels;
    for (int64_t n = 0; n < tile->samples; n++) {
        const float *data = tile->data + n * tile->sample_stride;
        bool kept = true;
        for (int64_t c = 0; c < tile->channels; c++)
            kept = kept && data[c - tile->channels] == UNTOUCHED && data[count + c] == UNTOUCHED;
        CHECK(kept);
        memcpy(whole + (n * tile->length + tile->first) * tile->channels, data, (size_t)count * sizeof *data);
    }
}

static inline ng_code cut_code(trial *q, ng_range rows, int64_t samples, const uint8_t *whole)
{
    const ng_layer *layer = &q->layer;
    const int64_t bytes = layer->code_bytes, stride = (rows.last - rows.first) * bytes;
    ng_code code = {claim(q, samples * stride, 1), rows.first, rows.last, bytes, stride};
    memset(code.data, 0xFF, (size_t)(samples * stride));
    for (int64_t n = 0; whole && n < samples; n++)
        memcpy(code.data + n * stride, whole + (n * ng_rows(layer->out) + rows.first) * bytes, (size_t)stride);
    return code;
}

static inline void *cut_scratch(trial *q, int64_t samples)
{
    const int64_t bytes = q->layer.scratch_bytes * samples + q->layer.call_bytes;
    void *scratch = claim(q, bytes, 1);
    memset(scratch, 0xFF, (size_t)bytes);
    return scratch;
}

static inline void forward_tile(trial *q, ng_range rows, int64_t first, int64_t samples, float *y, uint8_t *codes)
{
    ng_layer *layer = &q->layer;
    const int64_t out_rows = ng_rows(layer->out);
    ng_tile x[5], to = cut(q, rows, out_rows, layer->out.channels, samples, NULL, UNTOUCHED);
    for (int i = 0; i < layer->inputs; i++) {
        const int64_t length = ng_rows(q->in[i]);
        const ng_range needed = ng_rows_needed(layer->reach, rows, length);
        x[i] = cut(q, needed, length, q->in[i].channels, samples, q->x[i] + first * ng_size(q->in[i]), NAN);
    }
    ng_code code = cut_code(q, rows, samples, NULL);
    layer->type->forward(layer, x, &to, &code, cut_scratch(q, samples));
    paste(&to, y + first * ng_size(layer->out));
    for (int64_t n = 0; n < samples; n++)
        memcpy(codes + ((first + n) * out_rows + rows.first) * layer->code_bytes, code.data + n * code.sample_stride,
               (size_t)code.sample_stride);
}

/* Backward into rows [first, last) of the inputs; `wanted` has a bit for each input. */
static inline void backward_tile(trial *q, ng_range rows, int64_t first, int64_t samples, int wanted, const uint8_t *codes,
                                 float *const *dx)
{
    ng_layer *layer = &q->layer;
    const int64_t out_rows = ng_rows(layer->out);
    const ng_range touched = ng_rows_touched(layer->reach, rows, out_rows);
    ng_tile to[5], dy = cut(q, touched, out_rows, layer->out.channels, samples, q->dy + first * ng_size(layer->out), NAN);
    for (int i = 0; i < layer->inputs; i++) {
        const int64_t length = ng_rows(q->in[i]);
        const ng_range own = layer->reach.size ? rows : (ng_range){0, length};
        to[i] = cut(q, own, length, q->in[i].channels, samples, dx[i] + first * ng_size(q->in[i]), UNTOUCHED);
        if (!(wanted >> i & 1)) to[i].data = NULL;
    }
    const ng_code code = cut_code(q, touched, samples, codes + first * out_rows * layer->code_bytes);
    layer->type->backward(layer, &dy, &code, to, cut_scratch(q, samples));
    for (int i = 0; i < layer->inputs; i++)
        if (to[i].data) paste(&to[i], dx[i] + first * ng_size(q->in[i]));
}

/* One sample of given inputs, the gradient of 2 sum y, into y and dx. */
static inline void run_given(trial *q, const float *const *x, float *y, float *const *dx)
{
    ng_error error = {0};
    CHECK(q->layer.type->shape(&q->layer, q->arena, &error) == NG_OK);
    const int64_t rows = ng_rows(q->layer.out), size = ng_size(q->layer.out);
    uint8_t *codes = claim(q, rows * q->layer.code_bytes, 1);
    q->dy = claim(q, size, sizeof *q->dy);
    for (int64_t i = 0; i < size; i++) q->dy[i] = 2;
    for (int i = 0; i < q->layer.inputs; i++) {
        q->x[i] = claim(q, ng_size(q->in[i]), sizeof(float));
        memcpy(q->x[i], x[i], (size_t)ng_size(q->in[i]) * sizeof(float));
        memset(dx[i], 0, (size_t)ng_size(q->in[i]) * sizeof(float));
    }
    forward_tile(q, (ng_range){0, rows}, 0, 1, y, codes);
    backward_tile(q, (ng_range){0, ng_rows(q->in[0])}, 0, 1, (1 << q->layer.inputs) - 1, codes, dx);
}

/* The next of random cuts of [0, rows); a layer that needs all rows is cut into samples alone. */
static inline ng_range next_cut(const trial *q, int64_t from, int64_t rows)
{
    const int64_t last = q->layer.reach.size ? from + 1 + draw(rows) : rows;
    return (ng_range){from, last > rows ? rows : last};
}

static inline double *widen(trial *q, const float *x, int64_t count)
{
    double *wide = claim(q, count, sizeof *wide);
    for (int64_t i = 0; i < count; i++) wide[i] = (double)x[i];
    return wide;
}

static inline bool near(double a, double b, double tolerance) { return fabs(a - b) <= tolerance * (1 + fabs(b)); }

/* All inputs of one sample differ by at least 2 * 3.9172 / n, and none lies on a kink; that is what differences need. */
static inline void draw_inputs(trial *q)
{
    int64_t count = 0, at = 0;
    for (int i = 0; i < q->layer.inputs; i++) count += ng_size(q->in[i]);
    const int64_t even = count + count % 2;
    int64_t *order = claim(q, even, sizeof *order);
    for (int i = 0; i < q->layer.inputs; i++) q->x[i] = claim(q, q->samples * ng_size(q->in[i]), sizeof(float));
    for (int64_t n = 0; n < q->samples; n++, at = 0) {
        for (int64_t i = 0; i < even; i++) order[i] = i;
        for (int64_t i = even - 1; i > 0; i--) {
            const int64_t j = draw(i + 1), moved = order[i];
            order[i] = order[j], order[j] = moved;
        }
        for (int i = 0; i < q->layer.inputs; i++)
            for (int64_t k = 0, size = ng_size(q->in[i]); k < size; k++, at++)
                q->x[i][n * size + k] = q->levels ? (float)(draw(q->levels) - q->levels / 2)
                                                  : (float)(3.9172 * (double)(2 * order[at] + 1 - even) / (double)even);
    }
}

/* Central differences in double of sum dy y, at up to 40 places of each input of sample 0. The step leaves an error of about
 * 1e-9; float32 arithmetic the rest. */
static inline void check_differences(trial *q, float *const *before)
{
    const int64_t size = ng_size(q->layer.out);
    double *x[5], *y = claim(q, size, sizeof *y);
    for (int i = 0; i < q->layer.inputs; i++) x[i] = widen(q, q->x[i], ng_size(q->in[i]));
    for (int i = 0; i < q->layer.inputs; i++)
        for (int k = 0; k < 40; k++) {
            const int64_t at = draw(ng_size(q->in[i]));
            const double centre = x[i][at], step = 1e-5;
            double slope = 0;
            for (int side = -1; side <= 1; side += 2) {
                x[i][at] = centre + side * step;
                q->naive(q, x, y);
                for (int64_t j = 0; j < size; j++) slope += side * (double)q->dy[j] * y[j] / (2 * step);
            }
            x[i][at] = centre;
            CHECK(near((double)q->dx[i][at] - (double)before[i][at], slope, 1e-5));
        }
}

#ifdef NG_DEBUG
/* Memory ends at each allocation of shape() in turn. */
static inline void fail_each_allocation(trial *q)
{
    const void *mark = ng_arena_mark(q->arena);
    for (int64_t at = 1; ; at++) {
        ng_layer layer = q->layer;
        ng_error error = {0};
        ng_failing_allocation = at;
        const ng_status status = layer.type->shape(&layer, q->arena, &error);
        const bool all_taken = ng_failing_allocation > 0;
        ng_failing_allocation = 0;
        ng_arena_rewind(q->arena, mark);
        if (all_taken) return;
        CHECK(status == NG_OUT_OF_MEMORY && error.status == status && strlen(error.message) > 10);
    }
}
#endif

static inline void run_trial(trial *q)
{
    ng_layer *layer = &q->layer;
    ng_error error = {0};
#ifdef NG_DEBUG
    fail_each_allocation(q);
#endif
    const ng_status status = layer->type->shape(layer, q->arena, &error);
    CHECK(status == NG_OK);
    if (status) { printf("%s: %s\n", layer->type->class_name, error.message); return; }
    draw_inputs(q);
    const int64_t N = q->samples, rows = ng_rows(layer->out), size = ng_size(layer->out), in_rows = ng_rows(q->in[0]);

    uint8_t *codes = claim(q, N * rows * layer->code_bytes, 1), *cut_codes = claim(q, N * rows * layer->code_bytes, 1);
    float *cut_y = claim(q, N * size, sizeof *cut_y);
    q->y = claim(q, N * size, sizeof *q->y);
    forward_tile(q, (ng_range){0, rows}, 0, N, q->y, codes);
    for (int64_t n = 0; n < N; n++)
        for (ng_range r = {0, 0}; r.last < rows;) {
            r = next_cut(q, r.last, rows);
            forward_tile(q, r, n, 1, cut_y, cut_codes);
        }
    CHECK(!memcmp(q->y, cut_y, (size_t)(N * size) * sizeof *cut_y));
    CHECK(!memcmp(codes, cut_codes, (size_t)(N * rows * layer->code_bytes)));
    double *expected = claim(q, size, sizeof *expected), *x[5];
    for (int64_t n = 0; n < N; n++) {
        for (int i = 0; i < layer->inputs; i++) x[i] = widen(q, q->x[i] + n * ng_size(q->in[i]), ng_size(q->in[i]));
        q->naive(q, x, expected);
        for (int64_t i = 0; i < size; i++) CHECK(near((double)q->y[n * size + i], expected[i], 3e-6));   /* a few float32 roundings */
    }

    float *before[5], *cut_dx[5], *lone_dx[5];
    q->dy = claim(q, N * size, sizeof *q->dy);
    for (int64_t i = 0; i < N * size; i++) q->dy[i] = (float)draw_real();
    for (int i = 0; i < layer->inputs; i++) {
        const int64_t count = N * ng_size(q->in[i]);
        float **const copies[4] = {&before[i], &q->dx[i], &cut_dx[i], &lone_dx[i]};
        for (int k = 0; k < 4; k++) *copies[k] = claim(q, count, sizeof(float));
        for (int64_t k = 0; k < count; k++) before[i][k] = q->dx[i][k] = cut_dx[i][k] = lone_dx[i][k] = (float)draw_real();
    }
    const int all = (1 << layer->inputs) - 1;
    backward_tile(q, (ng_range){0, in_rows}, 0, N, all, codes, q->dx);
    for (int64_t n = 0; n < N; n++)
        for (ng_range r = {0, 0}; r.last < in_rows;) {
            r = next_cut(q, r.last, in_rows);
            backward_tile(q, r, n, 1, all, codes, cut_dx);
        }
    for (int i = 0; i < layer->inputs; i++) {
        const size_t bytes = (size_t)(N * ng_size(q->in[i])) * sizeof(float);
        backward_tile(q, (ng_range){0, in_rows}, 0, N, 1 << i, codes, lone_dx);
        CHECK(!memcmp(q->dx[i], cut_dx[i], bytes));
        CHECK(!memcmp(q->dx[i], lone_dx[i], bytes));
    }
    if (!q->levels) check_differences(q, before);
    for (int i = 0; i < layer->inputs; i++)
        for (int64_t k = 0; k < N * ng_size(q->in[i]); k++) q->dx[i][k] -= before[i][k];
}
#endif
