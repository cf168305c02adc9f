#include <string.h>
#include "core/network/overlap.h"
#include "core/network/types.h"

enum { STRIP_BASES = 8192, STRIP_WINDOWS = 4, BATCH = 32 };          /* a strip is so many bases, and so many windows, long */

static const int64_t MOST_BYTES = 256 << 20;     /* of a strip's rows */
static const double WORTH = 0.8;                 /* of the operations of windows, at most this share must be left */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t up(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }
static int64_t down(int64_t a, int64_t b) { return -up(-a, b); }
static int64_t count_of(ng_range rows) { return rows.last > rows.first ? rows.last - rows.first : 0; }
static bool within(ng_range a, ng_range b) { return count_of(a) == 0 || (a.first >= b.first && a.last <= b.last); }

static int64_t divisor(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* ---- geometry ---- */

/* Rows of these layers depend on rows of their inputs and on nothing else, above all not on their own numbers. */
static bool same_everywhere(const ng_node *node)
{
    static const ng_layer_type *const types[] = {&ng_activation, &ng_average_pooling1d, &ng_batch_normalization, &ng_concatenate,
        &ng_conv1d, &ng_cropping1d, &ng_dense, &ng_layer_normalization, &ng_max_pooling1d, &ng_add, &ng_subtract, &ng_multiply_layer,
        &ng_average, &ng_maximum, &ng_minimum, &ng_prelu, &ng_zero_padding1d};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i]->class_name, node->layer.type->class_name)) return true;
    return false;
}

static ng_range edge_rows(const ng_node *node, const ng_share *share, bool right)
{
    return right ? (ng_range){share->clean.last, node->whole.length} : (ng_range){0, share->clean.first};
}

/* Fills in the share of node k; false if windows cannot share it. */
static bool find_share(const ng_node *nodes, int k, int64_t step, ng_share *shares)
{
    const ng_node *node = &nodes[k];
    const ng_reach r = node->layer.reach;
    const int64_t span = (r.size - 1) * r.dilation + 1;
    ng_share share = {.stride = 1, .clean = {0, node->whole.length}};
    if (node->whole.rank != 2) return false;
    if (node->layer.inputs && (!same_everywhere(node) || node->group != 1 || r.size == 0)) return false;
    for (int i = 0; i < node->layer.inputs; i++) {
        const ng_share *in = &shares[node->inputs[i]];
        if (in->stride != shares[node->inputs[0]].stride) return false;
        share.stride = in->stride * r.stride;
        share.clean.first = most(share.clean.first, up(in->clean.first + r.pad, r.stride));
        share.clean.last = least(share.clean.last, down(in->clean.last + r.pad - span, r.stride) + 1);
    }
    if (share.clean.first > share.clean.last) return false;
    for (int i = 0; i < node->layer.inputs; i++)
        for (int right = 0; right < 2; right++) {
            const ng_range in = shares[node->inputs[i]].clean, whole = {right ? in.first : 0, right ? nodes[node->inputs[i]].whole.length : in.last};
            if (!within(ng_rows_needed(r, edge_rows(node, &share, right), nodes[node->inputs[i]].whole.length), whole)) return false;
        }
    share.grain = divisor(step, share.stride);
    shares[k] = share;
    return true;
}

/* The distance of starts at which all nodes have their rows at the same bases. */
static int64_t period(const ng_share *shares, int count)
{
    int64_t bases = 1;
    for (int k = 0; k < count; k++) bases = bases / divisor(bases, shares[k].stride) * shares[k].stride;
    return bases;
}

/* ---- what pays ---- */

/* Multiply-adds of `rows` rows: weights, or what a pool or an activation reads. */
static double operations(const ng_node *node, int64_t rows)
{
    double weights = (double)(node->layer.reach.size * node->whole.channels);
    for (int w = 0; w < node->layer.weight_count; w++) {
        double numbers = 1;
        for (int d = 0; d < node->layer.weights[w].rank; d++) numbers *= (double)node->layer.weights[w].dim[d];
        weights += numbers;
    }
    return weights * (double)rows;
}

static int64_t strip_rows(const ng_node *node, const ng_share *share, int64_t step, int64_t windows, int64_t bases)
{
    return node->whole.length + up((windows - 1) * step, bases) * (bases / share->stride);
}

/* How many of the first nodes of a window's plan windows should share, in strips of so many; 0 if that does not pay. *left: the share
 * of operations that is left. */
static int best_cut(const ng_plan *plan, const ng_share *shares, int shared, int64_t step, int64_t windows, double *left)
{
    double all = 0, saved = 0, largest = 0;
    int cut = 0;
    for (int k = 0; k < plan->count; k++) {
        const ng_node *node = &plan->nodes[k];
        const bool local = node->layer.reach.size > 0 || node->layer.inputs == 0;
        all += operations(node, local || node->layer.inputs == 0 ? ng_rows(node->whole) : ng_rows(node->layer.in[0]) * node->group);
    }
    int64_t bytes = 0;
    for (int k = 0; k < shared; k++) {
        const ng_node *node = &plan->nodes[k];
        const int64_t rows = strip_rows(node, &shares[k], step, windows, period(shares, shared)) * (shares[k].stride / shares[k].grain);
        bytes += rows * node->whole.channels * 4;
        if (bytes > MOST_BYTES) break;
        const double edges = operations(node, node->whole.length - count_of(shares[k].clean));
        saved += operations(node, node->whole.length) - edges - operations(node, rows) / (double)windows;
        if (saved > largest) {
            largest = saved;
            cut = k + 1;
        }
    }
    *left = 1 - largest / all;
    return *left <= WORTH ? cut : 0;
}

/* ---- plans ---- */

/* The calls among the first `cut` nodes that the others, or the caller, read. */
static int find_boundary(const ng_plan *whole, int cut, int *calls)
{
    int count = 0;
    for (int k = 0; k < cut; k++) {
        bool read = false;
        for (int w = 0; w < whole->wanted_count; w++) read = read || whole->wanted[w] == k;
        for (int later = cut; later < whole->count; later++)
            for (int i = 0; i < whole->nodes[later].layer.inputs; i++) read = read || whole->nodes[later].inputs[i] == k;
        if (read) calls[count++] = whole->nodes[k].layer.index;
    }
    return count;
}

/* Are the nodes of a strip those of a window, with more rows? */
static bool alike(const ng_plan *strip, const ng_plan *window, const ng_share *shares, int64_t more_bases)
{
    if (strip->count != window->count) return false;
    for (int k = 0; k < strip->count; k++) {
        const ng_node *a = &strip->nodes[k], *b = &window->nodes[k];
        const ng_reach r = a->layer.reach, s = b->layer.reach;
        if (a->layer.index != b->layer.index || a->whole.length != b->whole.length + more_bases / shares[k].stride) return false;
        if (r.size != s.size || r.stride != s.stride || r.dilation != s.dilation || r.pad != s.pad) return false;
    }
    return true;
}

/* Plans windows and strips for a cut; overlap->windows stays 0 if they turn out not to be alike. */
static ng_status plan_cut(const ng_graph *graph, const ng_plan *whole, int cut, int64_t step, int64_t windows, const ng_run *run,
                          ng_overlap *overlap, ng_error *error)
{
    ng_arena *arena = run->arena;
    const ng_shape input = whole->nodes[whole->input_nodes[0]].whole;
    int *calls = ng_alloc(arena, cut, sizeof *calls, error);
    if (!calls) return error->status;
    const int count = find_boundary(whole, cut, calls);
    if (ng_plan_make(graph, &input, calls, count, false, run, &overlap->window, error)) return error->status;
    const ng_plan *window = &overlap->window;
    ng_share *shares = ng_alloc(arena, window->count, sizeof *shares, error);
    if (!shares) return error->status;
    for (int k = 0; k < window->count; k++)
        if (!find_share(window->nodes, k, step, shares)) return NG_OK;
    const int64_t bases = period(shares, window->count), more = up((windows - 1) * step, bases) * bases;
    const ng_shape longer = {2, 1, input.length + more, input.channels};
    ng_graph open;
    if (ng_graph_cut(graph, graph->inputs, &longer, 1, arena, &open, error)) return error->status;
    ng_error refused = {0};                      /* a layer may insist on its length */
    if (ng_plan_make(&open, &longer, calls, count, false, run, &overlap->strip, &refused)) return NG_OK;
    if (!alike(&overlap->strip, window, shares, more)) return NG_OK;
    overlap->shares = shares;
    overlap->boundary = calls;
    overlap->step = step;
    overlap->windows = windows;
    overlap->batch = least(windows, BATCH);
    return NG_OK;
}

ng_status ng_overlap_make(const ng_graph *graph, const ng_plan *whole, int64_t step, int64_t count, const ng_run *run,
                          ng_overlap *overlap, ng_error *error)
{
    *overlap = (ng_overlap){0};
    if (whole->origin_count != 1) return NG_OK;
    const int64_t length = whole->nodes[whole->input_nodes[0]].whole.length;
    ng_share *shares = ng_alloc(run->arena, whole->count, sizeof *shares, error);
    if (!shares) return error->status;
    int shared = 0;
    while (shared < whole->head_first && find_share(whole->nodes, shared, step, shares)) shared++;
    for (int64_t windows = least(count, up(most(STRIP_BASES, STRIP_WINDOWS * length), step)); windows > 1; windows /= 2) {
        double left;
        const int cut = best_cut(whole, shares, shared, step, windows, &left);
        if (!cut) continue;
        const ng_status status = plan_cut(graph, whole, cut, step, windows, run, overlap, error);
        overlap->left = left;
        return status;
    }
    return NG_OK;
}

/* ---- memory ---- */

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

static int64_t edge_size(const ng_overlap *overlap, int k, bool right)
{
    const ng_node *node = &overlap->window.nodes[k];
    return count_of(edge_rows(node, &overlap->shares[k], right)) * node->whole.channels;
}

/* A convolution is given the zeros around its input as rows: one product then, instead of one a tap. */
static bool pads(const ng_node *node) { return !strcmp(node->layer.type->class_name, ng_conv1d.class_name); }

/* The rows of input i under these rows of a node. */
static ng_range rows_read(const ng_node *nodes, const ng_node *node, int i, ng_range rows)
{
    const ng_reach r = node->layer.reach;
    if (!pads(node)) return ng_rows_needed(r, rows, nodes[node->inputs[i]].whole.length);
    return (ng_range){rows.first * r.stride - r.pad, (rows.last - 1) * r.stride - r.pad + (r.size - 1) * r.dilation + 1};
}

static int64_t operand_size(const ng_overlap *overlap, int k, int i, bool right)
{
    const ng_node *nodes = overlap->window.nodes, *node = &nodes[k];
    return count_of(rows_read(nodes, node, i, edge_rows(node, &overlap->shares[k], right))) * nodes[node->inputs[i]].whole.channels;
}

static const ng_layer *edge_layer(const ng_node *node) { return node->exact ? node->exact : &node->layer; }

typedef struct sizes { int64_t operands, codes, scratch; int inputs; } sizes;

static sizes find_sizes(const ng_overlap *overlap)
{
    sizes found = {0};
    for (int k = 0; k < overlap->strip.count; k++) {
        const ng_layer *strip = &overlap->strip.nodes[k].layer, *edge = &overlap->window.nodes[k].layer;
        const int64_t batch = overlap->batch;
        found.scratch = most(found.scratch, most(strip->scratch_bytes + strip->call_bytes, batch * edge->scratch_bytes + edge->call_bytes));
        found.codes = most(found.codes, most(strip->out.length, batch * edge->out.length) * most(strip->code_bytes, edge->code_bytes));
        found.inputs = (int)most(found.inputs, strip->inputs);
        for (int i = 0; i < strip->inputs; i++)
            for (int right = 0; right < 2; right++) found.operands = most(found.operands, batch * operand_size(overlap, k, i, right));
    }
    return found;
}

int64_t ng_strip_bytes(const ng_overlap *overlap)
{
    const sizes size = find_sizes(overlap);
    int64_t bytes = size.codes + size.scratch + size.inputs * size.operands * 4;
    for (int k = 0; k < overlap->strip.count; k++)
        bytes += 4 * (phases(&overlap->shares[k]) * phase_size(overlap, k) +
                      overlap->batch * (edge_size(overlap, k, false) + edge_size(overlap, k, true)));
    return bytes;
}

ng_status ng_strip_make(const ng_overlap *overlap, ng_arena *arena, ng_strip *strip, ng_error *error)
{
    const int count = overlap->strip.count;
    const sizes size = find_sizes(overlap);
    strip->shared = ng_alloc(arena, count, sizeof *strip->shared, error);
    strip->left = ng_alloc(arena, count, sizeof *strip->left, error);
    strip->right = ng_alloc(arena, count, sizeof *strip->right, error);
    strip->operands = ng_alloc(arena, size.inputs, sizeof *strip->operands, error);
    strip->x = ng_alloc(arena, size.inputs, sizeof *strip->x, error);
    strip->codes = ng_alloc(arena, size.codes, 1, error);
    strip->scratch = ng_alloc(arena, size.scratch, 1, error);
    for (int i = 0; strip->operands && i < size.inputs; i++) strip->operands[i] = ng_alloc(arena, size.operands, sizeof(float), error);
    for (int k = 0; k < count && error->status == NG_OK; k++) {
        strip->shared[k] = ng_alloc(arena, phases(&overlap->shares[k]) * phase_size(overlap, k), sizeof(float), error);
        strip->left[k] = ng_alloc(arena, overlap->batch * edge_size(overlap, k, false), sizeof(float), error);
        strip->right[k] = ng_alloc(arena, overlap->batch * edge_size(overlap, k, true), sizeof(float), error);
    }
    return error->status;
}

/* ---- forward ---- */

static ng_code new_code(const ng_strip *strip, const ng_layer *layer, ng_range rows)
{
    return (ng_code){strip->codes, rows.first, rows.last, layer->code_bytes, count_of(rows) * layer->code_bytes};
}

/* All phases of node k: phase by phase the rows of its inputs, from row `shift` of their own phase on. */
static void share_rows(const ng_overlap *overlap, int k, ng_strip *strip)
{
    const ng_node *nodes = overlap->strip.nodes, *node = &nodes[k];
    const ng_share *share = &overlap->shares[k];
    const int64_t length = node->whole.length, size = phase_size(overlap, k);
    for (int64_t at = 0; at < phases(share); at++) {
        for (int i = 0; i < node->layer.inputs; i++) {
            const int from = node->inputs[i];
            const ng_share *in = &overlap->shares[from];
            const int64_t phase = at * share->grain, shift = phase / in->stride, rows = nodes[from].whole.length;
            const int64_t in_size = phase_size(overlap, from), channels = nodes[from].whole.channels;
            strip->x[i] = (ng_tile){strip->shared[from] + phase % in->stride / in->grain * in_size, -shift, in_size / channels - shift, rows,
                                    channels, 1, in_size};
        }
        ng_tile y = {strip->shared[k] + at * size, 0, length, length, node->whole.channels, 1, size};
        ng_code code = new_code(strip, &node->layer, (ng_range){0, length});
        node->layer.type->forward(&node->layer, strip->x, &y, &code, strip->scratch);
    }
}

/* Rows of node k in `windows` windows, from window `first` of the strip on: zeros before and after the window, between them those at
 * the left edge, of the strip, at the right edge. */
static void gather(const ng_overlap *overlap, int k, ng_range rows, int64_t first, int64_t windows, const ng_strip *strip, float *to)
{
    const ng_share *share = &overlap->shares[k];
    const int64_t channels = overlap->window.nodes[k].whole.channels, length = overlap->window.nodes[k].whole.length;
    const int64_t left_size = edge_size(overlap, k, false), right_size = edge_size(overlap, k, true), size = phase_size(overlap, k);
    for (int64_t n = 0; n < windows; n++) {
        const int64_t start = (first + n) * overlap->step, phase = start % share->stride;
        const float *const inside = strip->shared[k] + phase / share->grain * size + (start - phase) / share->stride * channels;
        const struct { int64_t first, last; const float *row_0; } parts[] = {
            {INT64_MIN, 0, NULL},
            {0, share->clean.first, strip->left[k] + n * left_size},
            {share->clean.first, share->clean.last, inside},
            {share->clean.last, length, strip->right[k] + n * right_size - share->clean.last * channels},
            {length, INT64_MAX, NULL}};
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            const int64_t from = most(rows.first, parts[i].first), count = (least(rows.last, parts[i].last) - from) * channels;
            if (count <= 0) continue;
            if (parts[i].row_0) memcpy(to, parts[i].row_0 + from * channels, (size_t)count * sizeof *to);
            else memset(to, 0, (size_t)count * sizeof *to);
            to += count;
        }
    }
}

/* The rows of node k at one edge of these windows. */
static void edge_forward(const ng_overlap *overlap, int k, bool right, int64_t first, int64_t windows, ng_strip *strip)
{
    const ng_node *nodes = overlap->window.nodes, *node = &nodes[k];
    const ng_layer *layer = edge_layer(node);
    const ng_range rows = edge_rows(node, &overlap->shares[k], right);
    const int64_t shift = pads(node) ? layer->reach.pad : 0, moved = shift * layer->reach.stride;
    if (count_of(rows) == 0) return;
    for (int i = 0; i < layer->inputs; i++) {
        const int from = node->inputs[i];
        const int64_t channels = nodes[from].whole.channels;
        const ng_range read = rows_read(nodes, node, i, rows);
        gather(overlap, from, read, first, windows, strip, strip->operands[i]);
        strip->x[i] = (ng_tile){strip->operands[i], read.first + moved, read.last + moved, pads(node) ? read.last + moved : nodes[from].whole.length,
                                channels, windows, count_of(read) * channels};
    }
    const ng_range moved_rows = {rows.first + shift, rows.last + shift};
    ng_tile y = {right ? strip->right[k] : strip->left[k], moved_rows.first, moved_rows.last, node->whole.length + shift, node->whole.channels,
                 windows, count_of(rows) * node->whole.channels};
    ng_code code = new_code(strip, layer, moved_rows);
    layer->type->forward(layer, strip->x, &y, &code, strip->scratch);
}

void ng_strip_forward(const ng_overlap *overlap, const ng_source *source, int64_t first, int64_t windows, ng_strip *strip,
                      float *const *rows, int64_t at)
{
    const ng_plan *plan = &overlap->window;
    const int input = plan->input_nodes[0];
    source->rows(source->data, 0, first, (ng_range){0, overlap->strip.nodes[input].whole.length}, strip->shared[input], NULL);
    for (int k = 0; k < plan->count; k++)
        if (k != input) share_rows(overlap, k, strip);
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
