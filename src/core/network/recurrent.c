/* core/network/recurrent.c: a recurrent layer but for its cell.   x (L, C), initial states (u) -> y (L, u), or the last state (u)
 *     at each step   z = x[t] W + b,   (state, kept) = step(z, state),   y[row] = h
 *     and back       dh += dy[row],    (dz, dstate) = back(kept, dstate),   dx[t] += dz W'
 * t runs from the start, or with go_backwards from the end; rows of y are in the order of the steps, or with restore_order in
 * the reverse. x W is computed for a block of t at a time, so that W is read once for many rows. */
#include <string.h>
#include "core/network/recurrent.h"
#include "core/network/vector.h"

enum { BLOCK = 48 };                             /* rows of x: four tiles of the matrix product */

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

ng_status ng_recurrent_shape(ng_layer *layer, const ng_cell *cell, ng_arena *arena, ng_recurrent **recurrent, ng_error *error)
{
    const int64_t length = layer->in->length, channels = layer->in->channels;
    ng_recurrent *r = ng_alloc(arena, 1, sizeof *r, error);
    if (!r) return error->status;
    r->cell = cell;
    if (ng_whole(layer, "units", 0, 0, 1, &r->units, error) || read_returns(layer, r, error) || check_inputs(layer, r, error) ||
        ng_gate_of(layer, "activation", "tanh", &r->activation, error) ||
        ng_gate_of(layer, "recurrent_activation", "sigmoid", &r->recurrent_activation, error)) return error->status;
    if (ng_flag(layer->settings, "time_major", false)) return ng_fail(error, NG_UNSUPPORTED, layer, "time_major must be false");
    r->go_backwards = ng_flag(layer->settings, "go_backwards", false);
    r->restore_order = ng_flag(layer->settings, "restore_order", false);

    const int64_t width = cell->gates * r->units;
    if (ng_expect_weight(layer, 0, 2, (int64_t[]){channels, width}, error) ||
        ng_expect_weight(layer, 1, 2, (int64_t[]){r->units, width}, error)) return error->status;
    const float *kernel = layer->weights[0].data;
    if (ng_pack(kernel, channels, width, width, 1, arena, &r->kernel, error) ||
        ng_pack(kernel, width, channels, 1, width, arena, &r->kernel_back, error)) return error->status;

    const bool sequence = r->returns == NG_SEQUENCE;
    layer->config = r;
    layer->out = (ng_shape){sequence ? 2 : 1, 1, sequence ? length : 1, r->units};
    layer->reach = (ng_reach){0, 1, 1, 0};
    layer->code_bytes = (sequence ? 1 : length) * cell->kept * r->units * (int64_t)sizeof(float);
    layer->scratch_bytes = (BLOCK * cell->gates + cell->states + cell->kept + cell->work) * r->units * (int64_t)sizeof(float);
    *recurrent = r;
    return NG_OK;
}

typedef struct room { ng_lane block, state, spare, work; } room;

static room divide(const ng_recurrent *r, int64_t samples, float *scratch)
{
    const int64_t u = r->units;
    room in;
    in.block = (ng_lane){scratch, BLOCK * r->cell->gates * u};
    in.state = (ng_lane){in.block.data + samples * in.block.stride, r->cell->states * u};
    in.spare = (ng_lane){in.state.data + samples * in.state.stride, r->cell->kept * u};
    in.work = (ng_lane){in.spare.data + samples * in.spare.stride, r->cell->work * u};
    return in;
}

static ng_range block_of(int64_t t, int64_t length)
{
    const int64_t first = t / BLOCK * BLOCK;
    return ng_clip(first, first + BLOCK, length);
}

/* What step s keeps; spare where the row it belongs to is not in this tile. */
static ng_lane kept_at(const ng_recurrent *r, const ng_code *code, int64_t s, int64_t row, ng_lane spare)
{
    const int64_t stride = code->sample_stride / (int64_t)sizeof(float);
    if (r->returns != NG_SEQUENCE) return (ng_lane){(float *)code->data + s * r->cell->kept * r->units, stride};
    if (row < code->first || row >= code->last) return spare;
    return (ng_lane){(float *)ng_code_row(code, 0, row), stride};
}

void ng_recurrent_forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    const ng_recurrent *r = layer->config;
    const int64_t L = layer->in->length, u = r->units, width = r->cell->gates * u, N = y->samples;
    const size_t bytes = (size_t)u * sizeof(float);
    const room in = divide(r, N, scratch);
    for (int64_t n = 0; n < N; n++)
        for (int64_t i = 0; i < r->cell->states; i++) {
            float *state = ng_of_sample(in.state, n) + i * u;
            if (layer->inputs > 1) memcpy(state, ng_row(&x[1 + i], n, 0), bytes);
            else memset(state, 0, bytes);
        }
    ng_range block = {0, 0};
    for (int64_t s = 0; s < L; s++) {
        const int64_t t = r->go_backwards ? L - 1 - s : s, row = r->restore_order ? L - 1 - s : s;
        if (t < block.first || t >= block.last) {
            block = block_of(t, L);
            for (int64_t n = 0; n < N; n++)
                ng_multiply(ng_row(x, n, block.first), block.last - block.first, x->channels, &r->kernel, 0, x->channels, r->bias,
                            false, ng_of_sample(in.block, n), width);
        }
        const ng_lane z = {in.block.data + (t - block.first) * width, in.block.stride};
        r->cell->step(r, N, z, in.state, kept_at(r, code, s, row, in.spare), in.work);
        for (int64_t n = 0; r->returns == NG_SEQUENCE && y->first <= row && row < y->last && n < N; n++)
            memcpy(ng_row(y, n, row), ng_of_sample(in.state, n), bytes);
    }
    for (int64_t n = 0; r->returns != NG_SEQUENCE && n < N; n++)
        memcpy(ng_row(y, n, 0), ng_of_sample(in.state, n) + (r->returns == NG_CELL ? u : 0), bytes);
}

void ng_recurrent_backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    const ng_recurrent *r = layer->config;
    const int64_t L = layer->in->length, u = r->units, width = r->cell->gates * u, N = dy->samples;
    const room in = divide(r, N, scratch);
    memset(in.state.data, 0, (size_t)(N * in.state.stride) * sizeof(float));
    for (int64_t n = 0; r->returns != NG_SEQUENCE && n < N; n++)
        ng_add_to(ng_of_sample(in.state, n) + (r->returns == NG_CELL ? u : 0), ng_row(dy, n, 0), u);
    for (int64_t s = L - 1; s >= 0; s--) {
        const int64_t t = r->go_backwards ? L - 1 - s : s, row = r->restore_order ? L - 1 - s : s;
        const ng_range block = block_of(t, L);
        for (int64_t n = 0; r->returns == NG_SEQUENCE && n < N; n++)
            ng_add_to(ng_of_sample(in.state, n), ng_row(dy, n, row), u);
        const ng_lane dz = {in.block.data + (t - block.first) * width, in.block.stride};
        r->cell->back(r, N, dz, in.state, kept_at(r, code, s, row, in.spare), in.work);
        if (t != (r->go_backwards ? block.last - 1 : block.first)) continue;
        const ng_range rows = {block.first > dx->first ? block.first : dx->first, block.last < dx->last ? block.last : dx->last};
        for (int64_t n = 0; dx->data && rows.first < rows.last && n < N; n++)
            ng_multiply(ng_of_sample(in.block, n) + (rows.first - block.first) * width, rows.last - rows.first, width,
                        &r->kernel_back, 0, width, NULL, true, ng_row(dx, n, rows.first), dx->channels);
    }
    for (int64_t i = 0; i < layer->inputs - 1; i++)
        for (int64_t n = 0; dx[1 + i].data && n < N; n++)
            ng_add_to(ng_row(&dx[1 + i], n, 0), ng_of_sample(in.state, n) + i * u, u);
}
