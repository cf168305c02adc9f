#include <string.h>
#include "core/kernels/relu_pool.h"
#include "core/network/secant.h"
#include "core/network/strip.h"
#include "core/network/types.h"
#include "core/network/vector.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static bool is_of(const ng_layer *layer, const ng_layer_type *type) { return !strcmp(layer->type->class_name, type->class_name); }

/* ---- sizes ---- */

/* Floats of one phase of a node: its rows, and so many more as the phases of a later layer are shifted. */
static int64_t phase_size(const ng_overlap *overlap, int k)
{
    const ng_plan *plan = &overlap->strip;
    int64_t more = 0;
    for (int later = k + 1; later < plan->count; later++)
        for (int i = 0; i < plan->nodes[later].layer.inputs; i++)
            if (plan->nodes[later].inputs[i] == k) more = most(more, plan->nodes[later].layer.reach.stride - 1);
    return (plan->nodes[k].whole.length + more) * plan->nodes[k].whole.channels;
}

static int64_t phases(const ng_share *share) { return share->stride / share->grain; }

static int64_t shared_size(const ng_overlap *overlap, int k) { return phases(&overlap->shares[k]) * phase_size(overlap, k); }

/* Rows of node k of a window that one of its edges touches, and their floats. */
static ng_range edge_rows(const ng_overlap *overlap, int k, int right)
{
    return ng_edge_rows(&overlap->window.nodes[k], &overlap->shares[k], right);
}

static int64_t edge_size(const ng_overlap *overlap, int k, int right)
{
    return ng_count_rows(edge_rows(overlap, k, right)) * overlap->window.nodes[k].whole.channels;
}

static const ng_layer *edge_layer(const ng_node *node) { return node->exact ? node->exact : &node->layer; }

/* The rows of input i under these rows of a node. */
static ng_range rows_read(const ng_node *nodes, const ng_node *node, int i, ng_range rows)
{
    return ng_rows_needed(node->layer.reach, rows, nodes[node->inputs[i]].whole.length);
}

static int64_t operand_size(const ng_overlap *overlap, int k, int i, int right)
{
    const ng_node *nodes = overlap->window.nodes, *node = &nodes[k];
    return ng_count_rows(rows_read(nodes, node, i, edge_rows(overlap, k, right))) * nodes[node->inputs[i]].whole.channels;
}

/* Codes of a node in all phases, and in all windows at an edge. */
static int64_t code_size(const ng_overlap *overlap, int k)
{
    const ng_node *node = &overlap->strip.nodes[k];
    return phases(&overlap->shares[k]) * node->whole.length * node->layer.code_bytes;
}

static int64_t edge_code_size(const ng_overlap *overlap, int k, int right)
{
    return overlap->windows * ng_count_rows(edge_rows(overlap, k, right)) * edge_layer(&overlap->window.nodes[k])->code_bytes;
}

/* ---- memory ---- */

static float *floats(ng_arena *arena, int64_t count, ng_error *error) { return ng_alloc(arena, count, sizeof(float), error); }

static float **make_shared(const ng_overlap *overlap, ng_arena *arena, ng_error *error)
{
    float **shared = ng_alloc(arena, overlap->strip.count, sizeof *shared, error);
    for (int k = 0; shared && k < overlap->strip.count; k++)
        if (!(shared[k] = floats(arena, shared_size(overlap, k), error))) return NULL;
    return shared;
}

static ng_status make_edges(const ng_overlap *overlap, ng_arena *arena, ng_strip *strip, ng_error *error)
{
    const int count = overlap->strip.count;
    for (int right = 0; right < 2; right++) {
        if (!(strip->edges[right] = ng_alloc(arena, count, sizeof **strip->edges, error))) return error->status;
        for (int k = 0; k < count; k++)
            if (!(strip->edges[right][k] = floats(arena, overlap->batch * edge_size(overlap, k, right), error))) return error->status;
    }
    return NG_OK;
}

static ng_status make_codes(const ng_overlap *overlap, ng_arena *arena, ng_strip *strip, ng_error *error)
{
    const int count = overlap->strip.count;
    int64_t bytes = 0;
    strip->codes = ng_alloc(arena, count, sizeof *strip->codes, error);
    for (int right = 0; right < 2; right++) strip->edge_codes[right] = ng_alloc(arena, count, sizeof **strip->edge_codes, error);
    if (!strip->codes || !strip->edge_codes[0] || !strip->edge_codes[1]) return error->status;
    for (int k = 0; k < count; k++) {
        if (overlap->gradients && !(strip->codes[k] = ng_alloc(arena, code_size(overlap, k), 1, error))) return error->status;
        bytes = most(bytes, code_size(overlap, k));
        for (int right = 0; right < 2; right++) {
            const int64_t own = edge_code_size(overlap, k, right);
            if (overlap->gradients && !(strip->edge_codes[right][k] = ng_alloc(arena, own, 1, error))) return error->status;
            bytes = most(bytes, own);
        }
    }
    if (overlap->gradients) return NG_OK;
    uint8_t *all = ng_alloc(arena, bytes, 1, error);
    for (int k = 0; k < count; k++) strip->codes[k] = strip->edge_codes[0][k] = strip->edge_codes[1][k] = all;
    return error->status;
}

static ng_status make_scratch(const ng_overlap *overlap, ng_arena *arena, ng_strip *strip, ng_error *error)
{
    int64_t scratch = 0, operands = 0, inputs = 0;
    for (int k = 0; k < overlap->strip.count; k++) {
        const ng_layer *shared = &overlap->strip.nodes[k].layer, *edge = edge_layer(&overlap->window.nodes[k]);
        scratch = most(scratch, most(shared->scratch_bytes + shared->call_bytes, overlap->batch * edge->scratch_bytes + edge->call_bytes));
        inputs = most(inputs, shared->inputs);
        for (int i = 0; i < shared->inputs; i++) {
            for (int right = 0; right < 2; right++) operands = most(operands, overlap->batch * operand_size(overlap, k, i, right));
            operands = most(operands, ((shared->reach.size - 1) * shared->reach.dilation + 1) * shared->in[i].channels);
        }
    }
    strip->operands = ng_alloc(arena, inputs, sizeof *strip->operands, error);
    strip->x = ng_alloc(arena, inputs, sizeof *strip->x, error);
    strip->scratch = ng_alloc(arena, scratch, 1, error);
    if (!strip->operands || !strip->x || !strip->scratch) return error->status;
    for (int64_t i = 0; i < inputs; i++)
        if (!(strip->operands[i] = floats(arena, operands, error))) return error->status;
    return NG_OK;
}

/* What each linear layer makes of zeros: the same at every row. The operands are zeros still. */
static ng_status find_still(const ng_overlap *overlap, ng_arena *arena, ng_strip *strip, ng_error *error)
{
    if (!(strip->still = ng_alloc(arena, overlap->window.count, sizeof *strip->still, error))) return error->status;
    for (int k = 0; k < overlap->window.count; k++) {
        const ng_node *node = &overlap->window.nodes[k];
        const ng_layer *layer = edge_layer(node);
        if (!layer->inputs || !ng_is_linear(layer->type)) continue;
        const int64_t length = node->whole.length, channels = node->whole.channels;
        const ng_range row = {least(overlap->shares[k].clean.first, length - 1), least(overlap->shares[k].clean.first, length - 1) + 1};
        if (!(strip->still[k] = floats(arena, channels, error))) return error->status;
        for (int i = 0; i < layer->inputs; i++) {
            const ng_range read = ng_rows_needed(layer->reach, row, layer->in[i].length);
            strip->x[i] = (ng_tile){strip->operands[i], read.first, read.last, layer->in[i].length, layer->in[i].channels, 1, 0};
        }
        ng_tile y = {strip->still[k], row.first, row.last, length, channels, 1, 0};
        ng_code code = {strip->codes[k], row.first, row.last, layer->code_bytes, 0};
        layer->type->forward(layer, strip->x, &y, &code, strip->scratch);
    }
    return NG_OK;
}

ng_status ng_strip_make(const ng_overlap *overlap, int targets, ng_arena *arena, ng_strip *strip, ng_error *error)
{
    const int64_t size = ng_size(overlap->strip.nodes[overlap->strip.input_nodes[0]].whole);
    *strip = (ng_strip){.sequence = floats(arena, size, error), .sums = ng_alloc(arena, targets, sizeof *strip->sums, error),
                        .shared = make_shared(overlap, arena, error)};
    if (!strip->sequence || !strip->sums || !strip->shared || make_edges(overlap, arena, strip, error) || make_codes(overlap, arena, strip, error) ||
        make_scratch(overlap, arena, strip, error))
        return error->status;
    if (!overlap->gradients) return NG_OK;
    for (int t = 0; t < targets; t++)
        if (!(strip->sums[t] = floats(arena, size, error))) return error->status;
    strip->baseline = floats(arena, size, error);
    strip->tangents = make_shared(overlap, arena, error);
    if (!strip->baseline || !strip->tangents) return error->status;
    return find_still(overlap, arena, strip, error);
}

/* ---- rows of the strip ---- */

static ng_tile phase_tile(const ng_overlap *overlap, int k, int64_t phase, float *const *shared)
{
    const ng_shape whole = overlap->strip.nodes[k].whole;
    return (ng_tile){shared[k] + phase * phase_size(overlap, k), 0, whole.length, whole.length, whole.channels, 1, 0};
}

/* What phase number `at` of node k reads: a phase of each input, from a row on. */
static void phase_operands(const ng_overlap *overlap, int k, int64_t at, float *const *shared, ng_tile *x)
{
    const ng_node *node = &overlap->strip.nodes[k];
    for (int i = 0; i < node->layer.inputs; i++) {
        const ng_share *in = &overlap->shares[node->inputs[i]];
        const int64_t start = at * overlap->shares[k].grain;
        x[i] = phase_tile(overlap, node->inputs[i], start % in->stride / in->grain, shared);
        x[i].data += start / in->stride * x[i].channels;
    }
}

static ng_code phase_code(const ng_overlap *overlap, int k, int64_t phase, const ng_strip *strip)
{
    const ng_node *node = &overlap->strip.nodes[k];
    const int64_t bytes = node->layer.code_bytes, length = node->whole.length;
    return (ng_code){strip->codes[k] + (overlap->gradients ? phase * length * bytes : 0), 0, length, bytes, 0};
}

/* ---- rows of windows ---- */

/* Rows of a node of one window that lie one after the other, from `row` on: so many floats. NULL: zeros around the window. */
typedef struct part { int64_t row, count; float *data; } part;

enum { INSIDE = 2, PARTS = 5 };

/* Row 0 of a window, from the start of the strip on, if no edge touched it. */
static float *inside_of(const ng_overlap *overlap, int k, int64_t window, float *const *shared)
{
    const ng_share *share = &overlap->shares[k];
    const int64_t start = window * overlap->step, phase = start % share->stride;
    return shared[k] + phase / share->grain * phase_size(overlap, k) + (start - phase) / share->stride * overlap->window.nodes[k].whole.channels;
}

/* Where these rows lie of window n of a batch that begins with window `first` of the strip. */
static void find_parts(const ng_overlap *overlap, int k, ng_range rows, int64_t first, int64_t n, const ng_strip *strip, part *parts)
{
    const ng_shape whole = overlap->window.nodes[k].whole;
    const ng_range clean = overlap->shares[k].clean;
    const int64_t starts[PARTS + 1] = {INT64_MIN, 0, clean.first, clean.last, whole.length, INT64_MAX};
    float *const row_0[PARTS] = {NULL, strip->edges[0][k] + n * edge_size(overlap, k, 0), inside_of(overlap, k, first + n, strip->shared),
                                 strip->edges[1][k] + n * edge_size(overlap, k, 1) - clean.last * whole.channels, NULL};
    for (int i = 0; i < PARTS; i++) {
        const int64_t row = most(rows.first, starts[i]), count = most(0, least(rows.last, starts[i + 1]) - row) * whole.channels;
        parts[i] = (part){row, count, row_0[i] && count ? row_0[i] + row * whole.channels : NULL};
    }
}

/* Rows of node k in `windows` windows, from window `first` of the strip on. */
static void gather(const ng_overlap *overlap, int k, ng_range rows, int64_t first, int64_t windows, const ng_strip *strip, float *to)
{
    part parts[PARTS];
    for (int64_t n = 0; n < windows; n++) {
        find_parts(overlap, k, rows, first, n, strip, parts);
        for (int i = 0; i < PARTS; to += parts[i++].count)
            if (parts[i].data) memcpy(to, parts[i].data, (size_t)parts[i].count * sizeof *to);
            else memset(to, 0, (size_t)parts[i].count * sizeof *to);
    }
}

/* In double; several sums at a time, always the same ones, so that compilers may use vectors. */
static double inner_product(const float *a, const float *b, int64_t count)
{
    enum { SUMS = 8 };
    double sums[SUMS] = {0}, all = 0;
    int64_t i = 0;
    for (; i + SUMS <= count; i += SUMS)
        for (int j = 0; j < SUMS; j++) sums[j] += (double)a[i + j] * (double)b[i + j];
    for (; i < count; i++) all += (double)a[i] * (double)b[i];
    for (int j = 0; j < SUMS; j++) all += sums[j];
    return all;
}

/* Its transpose: adds gradients of these rows of each window to where the rows come from, and, where that is the strip, their products with
 * derivatives along the path to slopes[window]. */
static void scatter(const ng_overlap *overlap, int k, ng_range rows, int64_t first, int64_t windows, const float *from, const ng_strip *strip,
                    double *slopes)
{
    const int64_t channels = overlap->window.nodes[k].whole.channels;
    part parts[PARTS];
    for (int64_t n = 0; n < windows; n++) {
        find_parts(overlap, k, rows, first, n, strip, parts);
        for (int i = 0; i < PARTS; from += parts[i++].count) {
            if (parts[i].data) ng_add_to(parts[i].data, from, parts[i].count);
            if (i == INSIDE && slopes && parts[i].count)
                slopes[first + n] += inner_product(inside_of(overlap, k, first + n, strip->tangents) + parts[i].row * channels, from, parts[i].count);
        }
    }
}

/* Tiles of node k at one edge of `windows` windows: of its inputs, which lie in the operands, and of itself. On the way back a convolution,
 * which asks for all rows that touch those of its input, is told that there are no others: they are numbered from 0 on. */
static ng_tile edge_tiles(const ng_overlap *overlap, int k, int right, bool back, int64_t windows, ng_strip *strip)
{
    const ng_node *nodes = overlap->window.nodes, *node = &nodes[k];
    const bool alone = back && is_of(&node->layer, &ng_conv1d);
    const ng_range rows = edge_rows(overlap, k, right);
    const int64_t moved = alone ? rows.first : 0, x_moved = moved * node->layer.reach.stride;
    for (int i = 0; i < node->layer.inputs; i++) {
        const ng_shape in = nodes[node->inputs[i]].whole;
        const ng_range read = rows_read(nodes, node, i, rows);
        strip->x[i] = (ng_tile){strip->operands[i], read.first - x_moved, read.last - x_moved, in.length, in.channels, windows,
                                ng_count_rows(read) * in.channels};
    }
    return (ng_tile){strip->edges[right][k], rows.first - moved, rows.last - moved, alone ? rows.last - moved : node->whole.length,
                     node->whole.channels, windows, ng_count_rows(rows) * node->whole.channels};
}

static ng_code edge_code(const ng_overlap *overlap, int k, int right, int64_t first, const ng_tile *y, const ng_strip *strip)
{
    const int64_t bytes = edge_layer(&overlap->window.nodes[k])->code_bytes, each = (y->last - y->first) * bytes;
    return (ng_code){strip->edge_codes[right][k] + (overlap->gradients ? first * each : 0), y->first, y->last, bytes, each};
}

/* ---- derivatives along the path ---- */

/* Each number of y takes the derivative of the one that won. */
static void follow_winners(const ng_layer *layer, const ng_tile *x, ng_tile *y, const ng_code *code)
{
    const float *scale, *shift;
    const bool fused = ng_relu_pool_scales(layer, &scale, &shift);
    NG_EACH_ROW(y, sample, t) {
        const int64_t start = t * layer->reach.stride - layer->reach.pad;
        const uint8_t *winner = ng_code_row(code, sample, t);
        float *to = ng_row(y, sample, t);
        for (int64_t c = 0; c < y->channels; c++) {
            const int won = fused ? ng_relu_pool_winner(layer, winner, c) : winner[c];
            to[c] = won < 0 ? 0 : ng_row(x, sample, start + won)[c] * (fused ? scale[c] : 1);
        }
    }
}

/* y = the derivative of the layer's output, from those of its inputs, x. A linear layer: what it makes of them, without its bias. An
 * activation: its matrix is symmetric, so that backward, which multiplies with the transpose, does it as well. */
static void tangent(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, const float *still, void *scratch)
{
    if (is_of(layer, &ng_max_pooling1d)) follow_winners(layer, x, y, code);
    else if (ng_is_linear(layer->type)) {
        layer->type->forward(layer, x, y, code, scratch);
        NG_EACH_ROW(y, sample, t) ng_add_scaled(ng_row(y, sample, t), still, -1, y->channels);
    } else {
        NG_EACH_ROW(y, sample, t) memset(ng_row(y, sample, t), 0, (size_t)y->channels * sizeof *still);
        layer->type->backward(layer, x, code, y, scratch);
    }
}

/* ---- forward ---- */

void ng_strip_read(const ng_overlap *overlap, const ng_source *source, int64_t first, int targets, ng_strip *strip)
{
    const ng_shape whole = overlap->strip.nodes[overlap->strip.input_nodes[0]].whole;
    source->rows(source->data, 0, first, (ng_range){0, whole.length}, strip->sequence, strip->baseline);
    for (int t = 0; t < targets; t++) memset(strip->sums[t], 0, (size_t)ng_size(whole) * sizeof **strip->sums);
}

static void input_rows(const ng_overlap *overlap, double position, bool tangents, ng_strip *strip)
{
    const int input = overlap->strip.input_nodes[0];
    const int64_t size = ng_size(overlap->strip.nodes[input].whole);
    const float *x = strip->sequence, *b = strip->baseline, a = (float)position;
    float *to = strip->shared[input];
    if (position == 1) memcpy(to, x, (size_t)size * sizeof *to);
    else if (position == 0) memcpy(to, b, (size_t)size * sizeof *to);
    else for (int64_t i = 0; i < size; i++) to[i] = b[i] + a * (x[i] - b[i]);
    for (int64_t i = 0; tangents && i < size; i++) strip->tangents[input][i] = x[i] - b[i];
}

/* All phases of node k. */
static void shared_forward(const ng_overlap *overlap, int k, bool tangents, ng_strip *strip)
{
    const ng_layer *layer = &overlap->strip.nodes[k].layer;
    for (int64_t at = 0; at < phases(&overlap->shares[k]); at++) {
        ng_code code = phase_code(overlap, k, at, strip);
        ng_tile y = phase_tile(overlap, k, at, strip->shared);
        phase_operands(overlap, k, at, strip->shared, strip->x);
        layer->type->forward(layer, strip->x, &y, &code, strip->scratch);
        if (!tangents) continue;
        y = phase_tile(overlap, k, at, strip->tangents);
        phase_operands(overlap, k, at, strip->tangents, strip->x);
        tangent(layer, strip->x, &y, &code, strip->still[k], strip->scratch);
    }
}

/* The rows of node k at one edge of these windows. */
static void edge_forward(const ng_overlap *overlap, int k, int right, int64_t first, int64_t windows, ng_strip *strip)
{
    const ng_node *nodes = overlap->window.nodes, *node = &nodes[k];
    const ng_layer *layer = edge_layer(node);
    const ng_range rows = edge_rows(overlap, k, right);
    if (!ng_count_rows(rows)) return;
    for (int i = 0; i < layer->inputs; i++)
        gather(overlap, node->inputs[i], rows_read(nodes, node, i, rows), first, windows, strip, strip->operands[i]);
    ng_tile y = edge_tiles(overlap, k, right, false, windows, strip);
    ng_code code = edge_code(overlap, k, right, first, &y, strip);
    layer->type->forward(layer, strip->x, &y, &code, strip->scratch);
}

void ng_strip_forward(const ng_overlap *overlap, double position, int64_t windows, bool tangents, ng_strip *strip,
                      float *const *rows, int64_t at)
{
    const ng_plan *plan = &overlap->window;
    input_rows(overlap, position, tangents, strip);
    for (int k = 0; k < plan->count; k++)
        if (k != plan->input_nodes[0]) shared_forward(overlap, k, tangents, strip);
    for (int64_t w = 0; w < windows; w += overlap->batch) {
        const int64_t here = least(overlap->batch, windows - w);
        for (int k = 0; k < plan->count; k++)
            for (int right = 0; right < 2; right++) edge_forward(overlap, k, right, w, here, strip);
        for (int b = 0; b < plan->wanted_count; b++) {
            const int k = plan->wanted[b];
            gather(overlap, k, (ng_range){0, plan->nodes[k].whole.length}, w, here, strip, rows[b] + (at + w) * ng_size(plan->nodes[k].whole));
        }
    }
}

/* ---- backward ---- */

static void shared_backward(const ng_overlap *overlap, int k, ng_strip *strip)
{
    const ng_layer *layer = &overlap->strip.nodes[k].layer;
    for (int64_t at = 0; at < phases(&overlap->shares[k]); at++) {
        const ng_code code = phase_code(overlap, k, at, strip);
        const ng_tile dy = phase_tile(overlap, k, at, strip->shared);
        phase_operands(overlap, k, at, strip->shared, strip->x);
        layer->type->backward(layer, &dy, &code, strip->x, strip->scratch);
    }
}

static void edge_backward(const ng_overlap *overlap, int k, int right, int64_t first, int64_t windows, ng_strip *strip, double *slopes)
{
    const ng_node *nodes = overlap->window.nodes, *node = &nodes[k];
    const ng_layer *layer = edge_layer(node);
    const ng_range rows = edge_rows(overlap, k, right);
    if (!ng_count_rows(rows)) return;
    const ng_tile dy = edge_tiles(overlap, k, right, true, windows, strip);
    const ng_code code = edge_code(overlap, k, right, first, &dy, strip);
    for (int i = 0; i < layer->inputs; i++)
        memset(strip->operands[i], 0, (size_t)(windows * strip->x[i].sample_stride) * sizeof **strip->operands);
    layer->type->backward(layer, &dy, &code, strip->x, strip->scratch);
    for (int i = 0; i < layer->inputs; i++)
        scatter(overlap, node->inputs[i], rows_read(nodes, node, i, rows), first, windows, strip->operands[i], strip, slopes);
}

void ng_strip_backward(const ng_overlap *overlap, double weight, int64_t windows, int target, ng_strip *strip, float *const *gradients,
                       int64_t at, double *slopes)
{
    const ng_plan *plan = &overlap->window;
    const int input = plan->input_nodes[0];
    const size_t size = sizeof(float);
    for (int k = 0; k < plan->count; k++) memset(strip->shared[k], 0, (size_t)shared_size(overlap, k) * size);
    for (int64_t w = 0; w < windows; w += overlap->batch) {
        const int64_t here = least(overlap->batch, windows - w);
        for (int k = 0; k < plan->count; k++)
            for (int right = 0; right < 2; right++)
                memset(strip->edges[right][k], 0, (size_t)(here * edge_size(overlap, k, right)) * size);
        for (int b = 0; b < plan->wanted_count; b++) {
            const ng_shape whole = plan->nodes[plan->wanted[b]].whole;
            scatter(overlap, plan->wanted[b], (ng_range){0, whole.length}, w, here, gradients[b] + (at + w) * ng_size(whole), strip, slopes);
        }
        for (int k = plan->count - 1; k >= 0; k--)
            for (int right = 0; right < 2; right++) edge_backward(overlap, k, right, w, here, strip, slopes);
    }
    for (int k = plan->count - 1; k >= 0; k--)
        if (k != input) shared_backward(overlap, k, strip);
    ng_add_scaled(strip->sums[target], strip->shared[input], (float)weight, ng_size(overlap->strip.nodes[input].whole));
}
