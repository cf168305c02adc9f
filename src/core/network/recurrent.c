/* core/network/recurrent.c: a recurrent layer but for its cell.   x (L, C), initial states (u) -> y (L, u), or the last state (u)
 *     at each step   (state, kept) = step(x[t] W + b, state),   y[row] = h
 *     and back       dh += dy[row],    (dz, dstate) = back(kept, dstate),   dx[t] += dz W'
 *     and            dW += x[t]' dz,   dU += h' dz,   db += dz          h: the state before the step
 * t runs from the start, or with go_backwards from the end; rows of y are in the order of the steps, or with restore_order in
 * the reverse. */
#include <string.h>
#include "core/kernels/weight_product.h"
#include "core/network/recurrent.h"
#include "core/network/vector.h"

enum {
    MOST_KEPT = 2 << 20,                         /* bytes of a sample's coefficients that are better kept than computed again */
    SPARE = NG_PANEL,                            /* floats between lanes, so that samples do not meet in few sets of a cache */
    STEPS = 32                                   /* whose dz are gathered for a product */
};

static ng_status read_returns(const ng_layer *layer, ng_recurrent *r, ng_error *error)
{
    const bool sequence = ng_flag(layer->settings, "return_sequences", false);
    const char *word = ng_word(layer->settings, "returns", sequence ? "sequence" : "last");
    if (!strcmp(word, "sequence")) r->returns = NG_SEQUENCE;
    else if (!strcmp(word, "last") || !strcmp(word, "hidden")) r->returns = NG_LAST;
    else if (!strcmp(word, "cell") && r->cell->states > 1) r->returns = NG_CELL;
    else return ng_fail(error, NG_BAD_MODEL, layer, "returns is \"%.40s\", which %s does not have", word,
                        layer->type->class_name);
    return NG_OK;
}

static ng_status check_inputs(const ng_layer *layer, const ng_recurrent *r, ng_error *error)
{
    const int states = (int)r->cell->states;
    if (layer->in->rank != 2)
        return ng_fail(error, NG_BAD_MODEL, layer, "its input has %d axes besides the batch; %s takes 2", layer->in->rank,
                       layer->type->class_name);
    if (layer->inputs != 1 && layer->inputs != 1 + states)
        return ng_fail(error, NG_BAD_MODEL, layer, "it has %d inputs; it takes 1, or %d with its initial state", layer->inputs,
                       1 + states);
    for (int i = 1; i < layer->inputs; i++)
        if (layer->in[i].rank != 1 || layer->in[i].channels != r->units)
            return ng_fail(error, NG_BAD_MODEL, layer, "an initial state has %d axes and %lld channels; it must have 1 and %lld",
                           layer->in[i].rank, (long long)layer->in[i].channels, (long long)r->units);
    return NG_OK;
}

static ng_status curve_of(const ng_layer *layer, const char *key, const char *otherwise, ng_curve *curve, ng_error *error)
{
    const char *name = ng_word(layer->settings, key, otherwise);
    if (ng_curve_named(name, curve)) return NG_OK;
    return ng_fail(error, NG_UNSUPPORTED, layer, "%s is \"%.40s\", which is not supported in a recurrent layer", key, name);
}

ng_status ng_pack_gates(const ng_recurrent *r, const float *b, int64_t rows, int64_t first_gate, int64_t gates, ng_arena *arena,
                        ng_packed *forward, ng_packed *back, ng_error *error)
{
    const int64_t u = r->units, width = r->cell->gates * u;
    if (ng_pack_nothing(rows, gates * r->padded, arena, forward, error) ||
        ng_pack_nothing(gates * r->padded, rows, arena, back, error)) return error->status;
    for (int64_t gate = 0; gate < gates; gate++) {
        const float *columns = b + (first_gate + gate) * u;
        ng_pack_rows(back, gate * r->padded, u, columns, 1, width);
        for (int64_t unit = 0; unit < u; unit += NG_PANEL) {
            ng_packed panel = ng_columns(forward, gates * unit + gate * NG_PANEL, u - unit < NG_PANEL ? u - unit : NG_PANEL);
            ng_pack_rows(&panel, 0, rows, columns + unit, width, 1);
        }
    }
    return NG_OK;
}

ng_status ng_arrange_bias(const ng_recurrent *r, const float *bias, int64_t gates, ng_arena *arena, const float **arranged,
                          ng_error *error)
{
    float *to = ng_alloc(arena, gates * r->padded, sizeof *to, error);
    if (!to) return error->status;
    for (int64_t gate = 0; gate < gates; gate++)
        for (int64_t j = 0; j < r->units; j++)
            to[(gates * (j / NG_PANEL) + gate) * NG_PANEL + j % NG_PANEL] = bias[gate * r->units + j];
    *arranged = to;
    return NG_OK;
}

static int64_t kept_floats(const ng_recurrent *r) { return (r->cell->kept + r->training) * r->padded; }        /* of a step */
static int64_t state_floats(const ng_recurrent *r) { return r->cell->states * r->padded; }
static int64_t intervals(const ng_recurrent *r, int64_t length) { return (length + r->interval - 1) / r->interval; }

/* Floats of a sample's code: coefficients of all steps; or states by interval, then rows of x. */
static int64_t code_floats(const ng_layer *layer)
{
    const ng_recurrent *r = layer->config;
    const int64_t length = layer->in->length;
    return r->interval ? intervals(r, length) * state_floats(r) + length * layer->in->channels : length * kept_floats(r);
}

/* A sample's lanes in scratch, each with what lies between it and the next. */
typedef struct room { ng_lane h, next, c, dh, dc, z, dz, work, coefficients; } room;

static int64_t divide(const ng_recurrent *r, int64_t samples, float *scratch, room *in)
{
    const struct { ng_lane *lane; int64_t floats; } parts[] = {
        {&in->h, r->padded}, {&in->next, r->padded}, {&in->c, r->padded}, {&in->dh, r->padded}, {&in->dc, r->padded},
        {&in->z, (r->cell->gates + 1) * NG_PANEL}, {&in->dz, r->cell->gates * r->padded}, {&in->work, r->cell->work * r->padded},
        {&in->coefficients, r->interval * kept_floats(r)}};
    int64_t used = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const int64_t stride = parts[i].floats + SPARE;
        *parts[i].lane = (ng_lane){scratch ? scratch + used : NULL, stride};
        used += samples * stride;
    }
    return used;
}

/* What gradients() gathers of STEPS steps, one row for each step and sample: x, h, what the last gate reads, dz, and dz of the last
 * gate's recurrent kernel. */
typedef struct gathered { float *x, *h, *gated, *dz, *last, *scratch; } gathered;

static int64_t gather_room(const ng_layer *layer, int64_t samples, float *scratch, gathered *g)
{
    const ng_recurrent *r = layer->config;
    const int64_t rows = STEPS * samples, C = layer->in->channels, u = r->units, width = r->cell->gates * u;
    const struct { float **part; int64_t floats; } parts[] = {{&g->x, C}, {&g->h, u}, {&g->gated, u}, {&g->dz, width}, {&g->last, u}};
    int64_t used = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        *parts[i].part = scratch ? scratch + used : NULL;
        used += rows * parts[i].floats;
    }
    g->scratch = scratch ? scratch + used : NULL;
    const int64_t of_x = ng_weight_product_floats((ng_reach){1, 1, 1, 0}, STEPS, C, width);
    const int64_t of_h = ng_weight_product_floats((ng_reach){1, 1, 1, 0}, STEPS, u, width);
    return used + samples * (of_x > of_h ? of_x : of_h);
}

/* The number of steps whose coefficients and states together are fewest. */
static int64_t best_interval(const ng_recurrent *r, int64_t length)
{
    int64_t interval = 1;
    while (interval * interval * r->cell->kept < length * r->cell->states) interval++;
    return interval;
}

void ng_keep_states(ng_layer *layer, int64_t interval)
{
    ng_recurrent *r = (ng_recurrent *)layer->config;
    room in;
    r->interval = interval;
    layer->code_bytes = (code_floats(layer) + layer->out.length - 1) / layer->out.length * (int64_t)sizeof(float);
    layer->scratch_bytes = divide(r, 1, NULL, &in) * (int64_t)sizeof(float);
    gathered g;
    layer->gradient_bytes = layer->scratch_bytes + gather_room(layer, 1, NULL, &g) * (int64_t)sizeof(float);
}

ng_status ng_recurrent_shape(ng_layer *layer, const ng_cell *cell, ng_arena *arena, ng_recurrent **recurrent, ng_error *error)
{
    const int64_t length = layer->in->length, channels = layer->in->channels;
    ng_recurrent *r = ng_alloc(arena, 1, sizeof *r, error);
    if (!r) return error->status;
    r->cell = cell;
    if (ng_whole(layer, "units", 0, 0, 1, &r->units, error) || read_returns(layer, r, error) || check_inputs(layer, r, error) ||
        curve_of(layer, "activation", "tanh", &r->activation, error) ||
        curve_of(layer, "recurrent_activation", "sigmoid", &r->recurrent_activation, error)) return error->status;
    if (ng_flag(layer->settings, "time_major", false)) return ng_fail(error, NG_UNSUPPORTED, layer, "time_major must be false");
    r->go_backwards = ng_flag(layer->settings, "go_backwards", false);
    r->restore_order = ng_flag(layer->settings, "restore_order", false);
    r->padded = (r->units + NG_PANEL - 1) / NG_PANEL * NG_PANEL;

    const int64_t width = cell->gates * r->units;
    if (ng_expect_weight(layer, 0, 2, (int64_t[]){channels, width}, error) ||
        ng_expect_weight(layer, 1, 2, (int64_t[]){r->units, width}, error) ||
        ng_pack_gates(r, layer->weights[0].data, channels, 0, cell->gates, arena, &r->kernel, &r->kernel_back, error))
        return error->status;

    const bool sequence = r->returns == NG_SEQUENCE;
    layer->config = r;
    layer->out = (ng_shape){sequence ? 2 : 1, 1, sequence ? length : 1, r->units};
    layer->reach = (ng_reach){0, 1, 1, 0};
    r->training = layer->training;
    const bool many = !r->training && length * kept_floats(r) * (int64_t)sizeof(float) > MOST_KEPT && 2 * channels < kept_floats(r);
    ng_keep_states(layer, many ? best_interval(r, length) : 0);
    *recurrent = r;
    return NG_OK;
}

static int64_t time_of(const ng_layer *layer, int64_t s)
{
    const ng_recurrent *r = layer->config;
    return r->go_backwards ? layer->in->length - 1 - s : s;
}

static int64_t row_of(const ng_layer *layer, int64_t s)
{
    const ng_recurrent *r = layer->config;
    return r->restore_order ? layer->in->length - 1 - s : s;
}

/* Floats of every sample's code, from number `at` on. */
static ng_lane code_at(const ng_code *code, int64_t at)
{
    return (ng_lane){(float *)code->data + at, code->sample_stride / (int64_t)sizeof(float)};
}

static ng_lane kept_states(const ng_recurrent *r, const ng_code *code, int64_t s)
{
    return code_at(code, s / r->interval * state_floats(r));
}

static ng_lane kept_row(const ng_layer *layer, const ng_code *code, int64_t s)
{
    const ng_recurrent *r = layer->config;
    return code_at(code, intervals(r, layer->in->length) * state_floats(r) + s * layer->in->channels);
}

static void copy_lane(ng_lane from, ng_lane to, int64_t count, int64_t samples)
{
    for (int64_t n = 0; n < samples; n++) memcpy(ng_of_sample(to, n), ng_of_sample(from, n), (size_t)count * sizeof(float));
}

/* h and c at the beginning; zeros behind the units. */
static void begin(const ng_layer *layer, const ng_tile *x, int64_t samples, const room *in)
{
    const ng_recurrent *r = layer->config;
    memset(in->h.data, 0, (size_t)(samples * in->h.stride) * sizeof(float));
    memset(in->c.data, 0, (size_t)(samples * in->c.stride) * sizeof(float));
    for (int i = 1; i < layer->inputs; i++)
        copy_lane((ng_lane){ng_row(&x[i], 0, 0), x[i].sample_stride}, i == 1 ? in->h : in->c, r->units, samples);
}

static void step(const ng_recurrent *r, int64_t samples, ng_lane x, room *in, ng_lane kept)
{
    r->cell->step(r, &(ng_step){samples, x, in->h, in->next, in->c, in->z, in->work, kept});
    const ng_lane h = in->h;
    in->h = in->next;
    in->next = h;
}

void ng_recurrent_forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    const ng_recurrent *r = layer->config;
    const int64_t N = y->samples;
    const bool keeps = layer->code_bytes > 0;
    room in;
    divide(r, N, scratch, &in);
    begin(layer, x, N, &in);
    for (int64_t s = 0; s < layer->in->length; s++) {
        const ng_lane now = {ng_row(x, 0, time_of(layer, s)), x->sample_stride};
        if (keeps && r->interval) {
            copy_lane(now, kept_row(layer, code, s), x->channels, N);
            const ng_lane states = kept_states(r, code, s);
            if (s % r->interval == 0) copy_lane(in.h, states, r->padded, N);
            if (s % r->interval == 0 && r->cell->states > 1) copy_lane(in.c, ng_further(states, r->padded), r->padded, N);
        }
        if (keeps && r->training) copy_lane(in.h, code_at(code, s * kept_floats(r) + r->cell->kept * r->padded), r->padded, N);
        step(r, N, now, &in, keeps && !r->interval ? code_at(code, s * kept_floats(r)) : (ng_lane){0});
        if (r->returns == NG_SEQUENCE)
            copy_lane(in.h, (ng_lane){ng_row(y, 0, row_of(layer, s)), y->sample_stride}, r->units, N);
    }
    if (r->returns != NG_SEQUENCE)
        copy_lane(r->returns == NG_CELL ? in.c : in.h, (ng_lane){ng_row(y, 0, 0), y->sample_stride}, r->units, N);
}

/* The coefficients of steps [first, last), which are in one interval, computed again. */
static void recompute(const ng_layer *layer, const ng_code *code, int64_t first, int64_t last, int64_t samples, room *in)
{
    const ng_recurrent *r = layer->config;
    const ng_lane states = kept_states(r, code, first);
    copy_lane(states, in->h, r->padded, samples);
    if (r->cell->states > 1) copy_lane(ng_further(states, r->padded), in->c, r->padded, samples);
    for (int64_t s = first; s < last; s++)
        step(r, samples, kept_row(layer, code, s), in, ng_further(in->coefficients, (s - first) * kept_floats(r)));
}

/* Adds the products of `rows` gathered rows. */
static void add_products(const ng_layer *layer, const gathered *g, int64_t rows, float *const *dw)
{
    const ng_recurrent *r = layer->config;
    const int64_t C = layer->in->channels, u = r->units, width = r->cell->gates * u;
    const bool apart = r->candidate.panels;                          /* the last gate's recurrent kernel */
    const ng_reach each = {1, 1, 1, 0};
    if (dw[0]) ng_add_weight_product(&(ng_weight_product){each, g->x, g->dz, C, width, rows, 0, rows, C, width, 0, width}, dw[0], g->scratch);
    if (dw[1])
        ng_add_weight_product(&(ng_weight_product){each, g->h, g->dz, u, width, rows, 0, rows, u, apart ? width - u : width, 0, width}, dw[1],
                              g->scratch);
    if (dw[1] && apart)
        ng_add_weight_product(&(ng_weight_product){each, g->gated, g->last, u, u, rows, 0, rows, u, u, 0, width}, dw[1] + width - u, g->scratch);
    if (layer->weight_count < 3 || !dw[2]) return;
    ng_add_rows(g->dz, rows, width, width, dw[2]);
    if (!r->reset_after) return;
    ng_add_rows(g->dz, rows, width, width - u, dw[2] + width);
    ng_add_rows(g->last, rows, u, u, dw[2] + 2 * width - u);
}

/* Row `at` of what is gathered: sample n in a step that reads x. */
static void gather(const ng_recurrent *r, const room *in, ng_lane kept, int64_t n, const float *x, int64_t channels, int64_t at,
                   const gathered *g)
{
    const int64_t u = r->units, gates = r->cell->gates;
    const size_t bytes = (size_t)u * sizeof(float);
    const float *k = ng_of_sample(kept, n), *h = k + r->cell->kept * r->padded, *dz = ng_of_sample(in->dz, n);
    memcpy(g->x + at * channels, x, (size_t)channels * sizeof(float));
    memcpy(g->h + at * u, h, bytes);
    for (int64_t gate = 0; gate < gates; gate++) memcpy(g->dz + (at * gates + gate) * u, dz + gate * r->padded, bytes);
    if (!r->candidate.panels) return;
    if (r->reset_after) memcpy(g->gated + at * u, h, bytes);
    else r->cell->gated(r, k, h, g->gated + at * u);
    memcpy(g->last + at * u, r->reset_after ? ng_of_sample(in->work, n) : dz + (gates - 1) * r->padded, bytes);
}

/* x and dw: NULL where nobody wants the gradients of the weights. */
static void walk_back(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx, float *const *dw,
                      void *scratch)
{
    const ng_recurrent *r = layer->config;
    const int64_t L = layer->in->length, u = r->units, N = dy->samples, interval = r->interval ? r->interval : L;
    room in;
    gathered g = {0};
    int64_t rows = 0;
    const int64_t used = divide(r, N, scratch, &in);
    if (dw) gather_room(layer, N, (float *)scratch + used, &g);
    memset(in.dh.data, 0, (size_t)(N * in.dh.stride) * sizeof(float));
    memset(in.dc.data, 0, (size_t)(N * in.dc.stride) * sizeof(float));
    for (int64_t n = 0; r->returns != NG_SEQUENCE && n < N; n++)
        ng_add_to(ng_of_sample(r->returns == NG_CELL ? in.dc : in.dh, n), ng_row(dy, n, 0), u);
    for (int64_t first = (L - 1) / interval * interval; first >= 0; first -= interval) {
        const int64_t last = first + interval < L ? first + interval : L;
        if (r->interval) recompute(layer, code, first, last, N, &in);
        for (int64_t s = last - 1; s >= first; s--) {
            const int64_t t = time_of(layer, s);
            for (int64_t n = 0; r->returns == NG_SEQUENCE && n < N; n++)
                ng_add_to(ng_of_sample(in.dh, n), ng_row(dy, n, row_of(layer, s)), u);
            const ng_lane kept = r->interval ? ng_further(in.coefficients, (s - first) * kept_floats(r))
                                             : code_at(code, s * kept_floats(r));
            r->cell->back(r, &(ng_step){.samples = N, .h = in.dh, .c = in.dc, .z = in.dz, .work = in.work, .kept = kept});
            if (dx->data && t >= dx->first && t < dx->last)
                ng_multiply(in.dz.data, N, in.dz.stride, &r->kernel_back, 0, r->kernel_back.depth, NULL, true, ng_row(dx, 0, t),
                            dx->sample_stride);
            for (int64_t n = 0; dw && n < N; n++) gather(r, &in, kept, n, ng_row(x, n, t), x->channels, rows++, &g);
            if (dw && (rows == STEPS * N || s == 0)) {
                add_products(layer, &g, rows, dw);
                rows = 0;
            }
        }
    }
    for (int i = 1; i < layer->inputs; i++)
        for (int64_t n = 0; dx[i].data && n < N; n++)
            ng_add_to(ng_row(&dx[i], n, 0), ng_of_sample(i == 1 ? in.dh : in.dc, n), u);
}

void ng_recurrent_backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    walk_back(layer, NULL, dy, code, dx, NULL, scratch);
}

void ng_recurrent_gradients(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx,
                            float *const *dw, void *scratch)
{
    walk_back(layer, x, dy, code, dx, dw, scratch);
}
