#include <string.h>
#include "core/network/overlap.h"
#include "core/network/secant.h"
#include "core/network/types.h"

enum {
    STRIP_BASES = 8192, STRIP_WINDOWS = 4,       /* a strip is so many bases, and so many windows, long, */
    STRIPS = 4,                                  /* but there are so many of them, for threads */
    BATCH = 48                                   /* windows whose edges go together: rows of the matrix product, a multiple of its tile's */
};

static const int64_t MOST_BYTES = 256 << 20;     /* of a strip's rows */
static const double WORTH = 0.8, GRADIENTS_WORTH = 2.0 / 3;          /* of the operations of windows, at most this share must be left */
static const double STRIP_WAYS = 1.8, EDGE_WAYS = 2, SLOWER = 2;     /* of gradients, measured: see shared_operations() */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t up(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }
static int64_t down(int64_t a, int64_t b) { return -up(-a, b); }
static bool within(ng_range a, ng_range b) { return ng_count_rows(a) == 0 || (a.first >= b.first && a.last <= b.last); }

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

/* Is a layer's derivative along a direction known? See strip.c. */
static bool has_tangent(const ng_node *node)
{
    const ng_layer *layer = &node->layer;
    if (!strcmp(layer->type->class_name, ng_activation.class_name))
        return strcmp(ng_word(layer->settings, "activation", ""), "log_softmax") != 0;           /* its matrix is not symmetric */
    return ng_is_linear(layer->type) || !strcmp(layer->type->class_name, ng_max_pooling1d.class_name) || !strcmp(layer->type->class_name, ng_prelu.class_name);
}

/* Fills in the share of node k; false if windows cannot share it. */
static bool find_share(const ng_node *nodes, int k, int64_t step, bool gradients, ng_share *shares)
{
    const ng_node *node = &nodes[k];
    const ng_reach r = node->layer.reach;
    const int64_t span = (r.size - 1) * r.dilation + 1;
    ng_share share = {.stride = 1, .clean = {0, node->whole.length}};
    if (node->whole.rank != 2) return false;
    if (node->layer.inputs && (!same_everywhere(node) || node->group != 1 || r.size == 0)) return false;
    if (node->layer.inputs && gradients && !has_tangent(node)) return false;
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
            if (!within(ng_rows_needed(r, ng_edge_rows(node, &share, right), nodes[node->inputs[i]].whole.length), whole)) return false;
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

/* Does a window by itself compute this node once for all nodes of its path? */
static bool once(const ng_node *node, bool gradients) { return gradients && node->zone == NG_PREFIX; }

/* Of gradients, beside what windows by themselves do with a row, forward and back: the strip's rows go forward as derivatives too; those at
 * edges come in small products; and where windows by themselves run in the frequency domain, both are slower beside that. */
static double shared_operations(const ng_node *node, double edges, double rows, bool gradients)
{
    if (!gradients) return operations(node, 1) * (edges + rows);
    return operations(node, 1) * (node->exact ? SLOWER : 1) * (EDGE_WAYS * edges + STRIP_WAYS * rows);
}

/* How many of the first nodes of a window's plan windows should share, in strips of so many; 0 if that does not pay. *left: the share
 * of operations that is left. */
static int best_cut(const ng_plan *plan, const ng_share *shares, int shared, int64_t step, int64_t windows, bool gradients, double *left)
{
    double all = 0, saved = 0, largest = 0;
    int cut = 0;
    for (int k = 0; k < plan->count; k++) {
        const ng_node *node = &plan->nodes[k];
        const bool local = node->layer.reach.size > 0 || node->layer.inputs == 0;
        if (once(node, gradients)) continue;
        all += operations(node, local || node->layer.inputs == 0 ? ng_rows(node->whole) : ng_rows(node->layer.in[0]) * node->group);
    }
    int64_t bytes = 0;
    for (int k = 0; k < shared; k++) {
        const ng_node *node = &plan->nodes[k];
        const int64_t rows = strip_rows(node, &shares[k], step, windows, period(shares, shared)) * (shares[k].stride / shares[k].grain);
        bytes += (gradients ? 2 : 1) * rows * node->whole.channels * 4;
        if (bytes > MOST_BYTES) break;
        const double edges = (double)(node->whole.length - ng_count_rows(shares[k].clean));
        saved += (once(node, gradients) ? 0 : operations(node, node->whole.length)) -
                 shared_operations(node, edges, (double)rows / (double)windows, gradients);
        if (saved > largest && (!gradients || k + 1 == shared)) {    /* a rest that reads rows begins without the faster kernels */
            largest = saved;
            cut = k + 1;
        }
    }
    *left = 1 - largest / all;
    return *left <= (gradients ? GRADIENTS_WORTH : WORTH) ? cut : 0;
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
static ng_status plan_cut(const ng_graph *graph, const ng_plan *whole, int cut, int64_t step, int64_t windows, bool gradients,
                          const ng_run *run, ng_overlap *overlap, ng_error *error)
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
        if (!find_share(window->nodes, k, step, gradients, shares)) return NG_OK;
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
    overlap->gradients = gradients;
    return NG_OK;
}

ng_status ng_overlap_make(const ng_graph *graph, const ng_plan *whole, int64_t step, int64_t count, bool gradients, const ng_run *run,
                          ng_overlap *overlap, ng_error *error)
{
    *overlap = (ng_overlap){0};
    if (whole->origin_count != 1) return NG_OK;
    const int64_t length = whole->nodes[whole->input_nodes[0]].whole.length;
    ng_share *shares = ng_alloc(run->arena, whole->count, sizeof *shares, error);
    if (!shares) return error->status;
    int shared = 0;
    while (shared < whole->head_first && find_share(whole->nodes, shared, step, gradients, shares)) shared++;
    for (int64_t windows = least(up(count, STRIPS), up(most(STRIP_BASES, STRIP_WINDOWS * length), step)); windows > 1; windows /= 2) {
        double left;
        const int cut = best_cut(whole, shares, shared, step, windows, gradients, &left);
        if (!cut) continue;
        const ng_status status = plan_cut(graph, whole, cut, step, windows, gradients, run, overlap, error);
        overlap->left = left;
        return status;
    }
    return NG_OK;
}
