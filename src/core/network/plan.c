#include <string.h>
#include "core/kernels/fourier_conv1d.h"
#include "core/kernels/global_in_blocks.h"
#include "core/kernels/one_hot_conv1d.h"
#include "core/kernels/path_pool.h"
#include "core/kernels/relu_pool.h"
#include "core/network/plan.h"
#include "core/network/types.h"

enum {
    TILE_BYTES = 2 << 20,                        /* a tile's working set: about what two levels of cache hold */
    SHARING_SAMPLES = 8,                         /* in a tile whose weights outweigh it */
    SHARING_BLOCKS = 12,                         /* of a kernel that do best together (kernels/fourier.c) */
    MOST_TILES = 8                               /* that wait for a layer */
};

static const double MOST_OVERHEAD = 1.2;         /* of a stage by halos, before its first layers are better kept */

static int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }

static bool local(const ng_layer *layer) { return layer->reach.size > 0; }
static bool has_halo(ng_reach reach) { return (reach.size - 1) * reach.dilation + 1 > reach.stride; }

bool ng_in_stage(const ng_plan *plan, const ng_stage *stage, int node)
{
    return (node >= stage->first && node < stage->last) || (stage == plan->stages && plan->nodes[node].origin);
}

/* ---- which nodes, in which order ---- */

/* The graph's calls on their way to become nodes; all arrays are by call, with as many places behind for layers that are put before
 * one of them. */
typedef struct ordering {
    const ng_graph *graph;
    ng_node *calls;                              /* inputs are calls here */
    bool *needed;
    int *consumers, *place;                      /* who reads it, the caller included; its node */
} ordering;

static ng_status begin_ordering(const ng_graph *graph, ng_arena *arena, ordering *o, ng_error *error)
{
    const int n = 2 * graph->count;
    *o = (ordering){.graph = graph, .calls = ng_alloc(arena, n, sizeof *o->calls, error), .needed = ng_alloc(arena, n, sizeof *o->needed, error),
                    .consumers = ng_alloc(arena, n, sizeof *o->consumers, error), .place = ng_alloc(arena, n, sizeof *o->place, error)};
    return o->calls && o->needed && o->consumers && o->place ? NG_OK : error->status;
}

static void find_needed(ordering *o, const int *wanted, int wanted_count)
{
    const ng_graph *graph = o->graph;
    for (int i = 0; i < graph->input_count; i++) o->needed[graph->inputs[i]] = true;
    for (int i = 0; i < wanted_count; i++) {
        o->needed[wanted[i]] = true;
        o->consumers[wanted[i]]++;
    }
    for (int at = graph->count - 1; at >= 0; at--)
        for (int i = 0; o->needed[at] && i < graph->calls[at].input_count; i++) {
            o->needed[graph->calls[at].inputs[i]] = true;
            o->consumers[graph->calls[at].inputs[i]]++;
        }
}

/* The shape of each call, and its zone but for prolonged prefixes: what reads a part of the head belongs to the head. */
static ng_status find_shapes(ordering *o, const ng_shape *input_shapes, ng_arena *arena, ng_error *error)
{
    const ng_graph *graph = o->graph;
    for (int at = 0; at < graph->count; at++) {
        if (!o->needed[at]) continue;
        const ng_call *call = &graph->calls[at];
        ng_node *node = &o->calls[at];
        ng_shape *in = ng_alloc(arena, most(call->input_count, 1), sizeof *in, error);
        if (!in) return error->status;
        for (int i = 0; i < call->input_count; i++) in[i] = o->calls[call->inputs[i]].whole;
        bool given = call->input_count > 0;
        for (int i = 0; call->input_count == 0 && i < graph->input_count; i++)
            if (graph->inputs[i] == at) in[0] = input_shapes[i], given = true;
        if (!given) return ng_fail(error, NG_BAD_MODEL, NULL, "its InputLayer \"%.60s\" is none of the model's inputs", call->name);
        if (ng_call_shape(graph, at, in, arena, &node->layer, &node->whole, &node->group, error)) return error->status;
        node->inputs = call->inputs;
        node->zone = call->input_count == 0 ? NG_PREFIX : call->time_distributed || !local(&node->layer) ? NG_HEAD : NG_TRUNK;
        for (int i = 0; i < call->input_count; i++)
            if (o->calls[call->inputs[i]].zone == NG_HEAD) node->zone = NG_HEAD;
    }
    return NG_OK;
}

/* An affine layer that alone reads the end of a prefix prolongs it. */
static void prolong_prefixes(ordering *o)
{
    for (int at = 0; at < o->graph->count; at++) {
        ng_node *node = &o->calls[at];
        if (!o->needed[at] || node->zone != NG_TRUNK || node->layer.inputs != 1 || !node->layer.type->affine) continue;
        if (o->calls[node->inputs[0]].zone == NG_PREFIX && o->consumers[node->inputs[0]] == 1) node->zone = NG_PREFIX;
    }
}

/* The one call that `at` reads, if nobody else reads it and it is in the trunk; -1 else. */
static int only_before(const ordering *o, int at)
{
    const int before = o->calls[at].layer.inputs == 1 ? o->calls[at].inputs[0] : -1;
    return before >= 0 && o->consumers[before] == 1 && o->calls[before].zone == NG_TRUNK ? before : -1;
}

/* Puts a kernel in the place of relu, perhaps BatchNormalization, and MaxPooling1D. */
static void fuse_runs(ordering *o, ng_arena *arena)
{
    ng_node *calls = o->calls;
    for (int at = 0; at < o->graph->count; at++) {
        if (!o->needed[at] || calls[at].zone != NG_TRUNK) continue;
        const int first = only_before(o, at), second = first < 0 ? -1 : only_before(o, first);
        ng_layer fused;
        int relu = -1;
        if (first >= 0 && ng_relu_pool(&calls[first].layer, NULL, &calls[at].layer, arena, &fused)) relu = first;
        else if (second >= 0 && ng_relu_pool(&calls[second].layer, &calls[first].layer, &calls[at].layer, arena, &fused)) relu = second;
        if (relu < 0) continue;
        calls[at].layer = fused;
        calls[at].inputs = calls[relu].inputs;
        o->needed[first] = o->needed[relu] = false;
    }
}

/* A pool of relu that alone reads the end of a prefix prolongs it, and so does a BatchNormalization after that. */
static void pool_prefixes(ordering *o, ng_arena *arena)
{
    ng_node *calls = o->calls;
    for (int at = 0; at < o->graph->count; at++) {
        const int before = o->needed[at] && calls[at].zone == NG_TRUNK && calls[at].layer.inputs == 1 ? calls[at].inputs[0] : -1;
        if (before < 0 || calls[before].zone != NG_PREFIX || o->consumers[before] > 1) continue;
        ng_layer made;
        if (calls[before].pooled) {
            if (!ng_path_pool_norm(&calls[before].layer, &calls[at].layer, arena, &made)) continue;
            calls[at].inputs = calls[before].inputs;
            o->needed[before] = false;
        } else if (!ng_path_pool(&calls[at].layer, arena, &made)) continue;
        calls[at].layer = made;
        calls[at].zone = NG_PREFIX;
        calls[at].pooled = true;
    }
}

/* How many samples a tile holds where it holds them whole. */
static int64_t samples_of_tile(const ordering *o)
{
    int64_t bytes = 1;
    for (int at = 0; at < o->graph->count; at++)
        if (o->needed[at] && o->calls[at].zone == NG_TRUNK) bytes += ng_size(o->calls[at].whole) * 4;
    return least(TILE_BYTES / bytes, NG_MOST_SAMPLES);
}

/* Puts faster twins in the place of convolutions that gain by them. In a prefix rows may be cut anywhere and ties must stay ties:
 * there only the one that reads a sequence itself, whose rows are one-hot. In the trunk those with many taps, in the frequency
 * domain, unless they read the input, which may be a constant. */
static ng_status choose_convolutions(ordering *o, const ng_run *run, ng_error *error)
{
    ng_arena *arena = run->arena;
    const int64_t samples = samples_of_tile(o);
    for (int at = 0; at < o->graph->count; at++) {
        ng_node *node = &o->calls[at];
        if (!o->needed[at] || node->zone == NG_HEAD || node->layer.inputs != 1) continue;
        const bool reads_input = o->calls[node->inputs[0]].layer.inputs == 0;
        if (node->zone == NG_PREFIX && reads_input && ng_one_hot_conv1d(&node->layer, arena, error)) return error->status;
        if (node->zone == NG_PREFIX || reads_input || run->direct) continue;
        const ng_layer before = node->layer;
        if (ng_fourier_conv1d(&node->layer, samples, run->threads, run->store, arena, error)) return error->status;
        if (node->layer.type == before.type) continue;
        ng_layer *exact = ng_alloc(arena, 1, sizeof *exact, error);
        if (!exact) return error->status;
        *exact = before;
        node->exact = exact;
    }
    return NG_OK;
}

/* A global pooling that reads the trunk becomes two layers, of which the first, at the place behind, belongs to the trunk. */
static ng_status pool_in_blocks(ordering *o, ng_arena *arena, ng_error *error)
{
    for (int at = 0; at < o->graph->count; at++) {
        ng_node *node = &o->calls[at], *before = &o->calls[o->graph->count + at];
        if (!o->needed[at] || node->layer.inputs != 1 || o->graph->calls[at].time_distributed || o->calls[node->inputs[0]].zone == NG_HEAD) continue;
        ng_layer blocks, rest;
        bool made;
        if (ng_global_in_blocks(&node->layer, arena, &blocks, &rest, &made, error)) return error->status;
        if (!made) continue;
        int *input = ng_alloc(arena, 1, sizeof *input, error);
        if (!input) return error->status;
        *input = o->graph->count + at;
        *before = (ng_node){.layer = blocks, .inputs = node->inputs, .whole = blocks.out, .group = 1, .zone = NG_TRUNK};
        o->needed[*input] = true;
        node->layer = rest;
        node->inputs = input;
    }
    return NG_OK;
}

/* Calls become nodes, zone after zone. */
static ng_status place_nodes(ordering *o, ng_arena *arena, ng_plan *plan, ng_error *error)
{
    const int places = 2 * o->graph->count;
    if (!(plan->nodes = ng_alloc(arena, places, sizeof *plan->nodes, error))) return error->status;
    for (ng_zone zone = NG_PREFIX; zone <= NG_HEAD; zone++) {
        for (int at = 0; at < places; at++)
            if (o->needed[at] && o->calls[at].zone == zone) {
                o->place[at] = plan->count;
                plan->nodes[plan->count++] = o->calls[at];
            }
        if (zone == NG_PREFIX) plan->trunk_first = plan->count;
        if (zone == NG_TRUNK) plan->head_first = plan->count;
    }
    for (int k = 0; k < plan->count; k++) {
        ng_node *node = &plan->nodes[k];
        int *inputs = ng_alloc(arena, node->layer.inputs, sizeof *inputs, error);
        if (!inputs) return error->status;
        for (int i = 0; i < node->layer.inputs; i++) inputs[i] = o->place[node->inputs[i]];
        node->inputs = inputs;
        node->origin = node->zone == NG_PREFIX;
        if (node->zone == NG_PREFIX && node->layer.inputs) plan->nodes[inputs[0]].origin = false;
    }
    return NG_OK;
}

/* The nodes that the caller names: inputs, the ends of their prefixes, wanted outputs. */
static ng_status name_nodes(const ordering *o, const int *wanted, int wanted_count, ng_arena *arena, ng_plan *plan, ng_error *error)
{
    const int inputs = o->graph->input_count;
    int *origins = ng_alloc(arena, inputs, sizeof *origins, error), *input_nodes = ng_alloc(arena, inputs, sizeof *input_nodes, error);
    int *wanted_nodes = ng_alloc(arena, wanted_count, sizeof *wanted_nodes, error);
    if (!origins || !input_nodes || !wanted_nodes) return error->status;
    for (int i = 0; i < inputs; i++) {
        int at = input_nodes[i] = o->place[o->graph->inputs[i]];
        for (int k = 0; k < plan->trunk_first; k++)
            if (plan->nodes[k].layer.inputs && plan->nodes[k].inputs[0] == at) at = k;
        origins[i] = at;
    }
    for (int i = 0; i < wanted_count; i++) wanted_nodes[i] = o->place[wanted[i]];
    plan->origin_count = inputs;
    plan->origins = origins;
    plan->input_nodes = input_nodes;
    plan->wanted = wanted_nodes;
    plan->wanted_count = wanted_count;
    return NG_OK;
}

static ng_status order_nodes(const ng_graph *graph, const ng_shape *input_shapes, const int *wanted, int wanted_count, bool gradients,
                             const ng_run *run, ng_plan *plan, ng_error *error)
{
    ordering o;
    ng_arena *arena = run->arena;
    if (begin_ordering(graph, arena, &o, error)) return error->status;
    find_needed(&o, wanted, wanted_count);
    if (find_shapes(&o, input_shapes, arena, error)) return error->status;
    prolong_prefixes(&o);
    if (!run->plain) {
        fuse_runs(&o, arena);
        if (gradients) pool_prefixes(&o, arena);
        if (choose_convolutions(&o, run, error) || pool_in_blocks(&o, arena, error)) return error->status;
    }
    if (place_nodes(&o, arena, plan, error)) return error->status;
    return name_nodes(&o, wanted, wanted_count, arena, plan, error);
}

/* ---- stages of the trunk ---- */

static int64_t node_bytes(const ng_node *node) { return ng_size(node->whole) * 4; }

/* How much more a stage computes that goes on to node k, since its tiles overlap by halos: 1 is nothing more. */
static double overhead(const ng_plan *plan, const ng_stage *stage, int k, ng_range *rows)
{
    double bytes = 0, computed = 0;
    for (int i = 0; i <= k; i++) {
        rows[i] = (ng_range){0, 0};
        if (i == k || ng_in_stage(plan, stage, i)) bytes += (double)node_bytes(&plan->nodes[i]);
    }
    const int64_t length = ng_rows(plan->nodes[k].whole), tiles = most(1, least(up((int64_t)bytes, plan->tile_bytes), length));
    rows[k] = ng_part(tiles / 2, tiles, length, 1);
    const double share = (double)(rows[k].last - rows[k].first) / (double)length;
    for (int i = k; i >= stage->first; i--) ng_need(plan, i, rows);
    for (int i = 0; i <= k; i++)
        if (i == k || ng_in_stage(plan, stage, i))
            computed += (double)(rows[i].last - rows[i].first) * (double)plan->nodes[i].whole.channels * 4;
    return computed / (share * bytes);
}

static ng_status cut_stages(ng_plan *plan, int64_t memory_bytes, ng_arena *arena, ng_error *error)
{
    int *last_use = ng_alloc(arena, plan->count, sizeof *last_use, error);
    plan->stages = ng_alloc(arena, plan->head_first - plan->trunk_first + 1, sizeof *plan->stages, error);
    if (!last_use || !plan->stages) return error->status;
    for (int k = 0; k < plan->count; k++)
        for (int i = 0; i < plan->nodes[k].layer.inputs; i++) last_use[plan->nodes[k].inputs[i]] = k;
    for (int i = 0; i < plan->wanted_count; i++) last_use[plan->wanted[i]] = plan->count;

    ng_range *rows = ng_alloc(arena, plan->count, sizeof *rows, error);
    if (!rows) return error->status;
    for (int i = 0; i < plan->origin_count; i++) memory_bytes -= node_bytes(&plan->nodes[plan->origins[i]]);     /* taken by sums */
    ng_stage *stage = plan->stages;
    *stage = (ng_stage){.first = plan->trunk_first, .last = plan->trunk_first};
    for (int k = plan->trunk_first; k < plan->head_first; k++) {
        ng_node *node = &plan->nodes[k];
        if (has_halo(node->layer.reach) && overhead(plan, stage, k, rows) > MOST_OVERHEAD) {
            int64_t crossing = 0;                /* what a cut before node k must keep */
            for (int i = 0; i < k; i++)
                if (ng_in_stage(plan, stage, i) && last_use[i] >= k) crossing += node_bytes(&plan->nodes[i]);
            if (crossing <= memory_bytes / 20) {       /* most of the memory is left to nodes that go together */
                stage++;
                *stage = (ng_stage){.first = k};
            }
        }
        stage->last = k + 1;
        node->stage = (int)(stage - plan->stages);
    }
    plan->stage_count = (int)(stage - plan->stages) + 1;
    for (int k = 0; k < plan->head_first; k++) {
        ng_node *node = &plan->nodes[k];
        if (node->zone == NG_TRUNK || node->origin) node->kept = last_use[k] >= plan->stages[node->stage].last;
        node->boundary = node->kept && last_use[k] >= plan->head_first;
        for (int i = 0; i < node->layer.inputs && node->zone == NG_TRUNK; i++) {
            ng_node *from = &plan->nodes[node->inputs[i]];
            if (from->stage == node->stage) from->read_inside = true;
            from->last_stage = node->stage;
        }
    }
    return NG_OK;
}

/* ---- sizes of tiles, blocks and scratch ---- */

static int64_t buffer_bytes(const ng_node *node, ng_range rows, bool with_code)
{
    const int64_t n = rows.last - rows.first;
    return padded(n * node->whole.channels * 4) + (with_code ? padded(n * node->layer.code_bytes) : 0);
}

/* Of the nodes of a prefix, for both ends of a path, where its last affine layer has these rows. */
static int64_t ends_bytes(const ng_plan *plan, int input, ng_range own, ng_range *rows)
{
    int64_t bytes = 0, scratch = 0;
    ng_ends_rows(plan, input, own, rows);
    for (int k = 0; k < plan->trunk_first; k++) {
        const ng_layer *layer = &plan->nodes[k].layer;
        if (rows[k].first >= rows[k].last) continue;
        bytes += 2 * buffer_bytes(&plan->nodes[k], rows[k], true);
        scratch = most(scratch, padded(2 * layer->scratch_bytes + layer->call_bytes));
    }
    return bytes + scratch;
}

/* For a block of windows of a pooled origin. */
static int64_t block_bytes(const ng_plan *plan, int input, ng_range *rows)
{
    const ng_node *node = &plan->nodes[plan->origins[input]];
    const int64_t length = ng_rows(node->whole);
    int64_t bytes = 0;
    for (int64_t row = 0; row < length; row += NG_WINDOWS) {
        const ng_range block = {row, least(row + NG_WINDOWS, length)};
        bytes = most(bytes, ends_bytes(plan, input, ng_rows_needed(node->layer.reach, block, ng_rows(node->layer.in[0])), rows));
    }
    return bytes + padded(NG_LOOKS * node->whole.channels * 4);
}

/* For the winners of these rows of an origin, unless they are kept. */
static int64_t found_bytes(const ng_plan *plan, const ng_node *node, ng_range rows)
{
    return plan->winners_kept || !node->pooled ? 0 : padded(ng_winners_bytes(&node->layer, rows.last - rows.first));
}

/* Bytes of one sample in a tile whose rows are known. *shared: what a tile takes besides, the ends of prefixes above all. */
static int64_t tile_bytes(const ng_plan *plan, const ng_stage *stage, const ng_range *rows, ng_range *chain, bool forward, int64_t *shared)
{
    int64_t bytes = 0, scratch = 0, call = 0;
    *shared = 0;
    for (int k = 0; k < stage->last; k++) {
        const ng_node *node = &plan->nodes[k];
        if (!ng_in_stage(plan, stage, k)) continue;
        bytes += buffer_bytes(node, rows[k], forward);
        scratch = most(scratch, node->layer.scratch_bytes);
        call = most(call, node->layer.call_bytes);
    }
    for (int i = 0; stage == plan->stages && i < plan->origin_count; i++) {
        const int k = plan->origins[i];
        const ng_node *node = &plan->nodes[k];
        *shared += found_bytes(plan, node, rows[k]);
        if (node->pooled) *shared += ng_apart_bytes(&node->layer, rows[k].last - rows[k].first);
        else if (forward) *shared += ends_bytes(plan, i, rows[k], chain);
    }
    *shared += padded(call);
    return bytes + padded(scratch);
}

/* How many tiles: enough that one sample's working set stays in cache, unless halos then cost more than a third; of several as many for
 * each thread. */
static int64_t choose_tiles(const ng_plan *plan, ng_stage *stage, bool forward, int threads, ng_range *rows)
{
    int64_t bytes = 0, shortest = INT64_MAX;
    for (int k = 0; k < stage->last; k++) {
        const ng_node *node = &plan->nodes[k];
        const bool inside = ng_in_stage(plan, stage, k);
        if (inside) bytes += node_bytes(node);
        if (forward ? inside && node->kept : ng_delivers(plan, stage, k))
            shortest = least(shortest, ng_rows(node->whole) / (forward ? node->y_unit : node->gradient_unit));
    }
    int64_t *tiles = &stage->tiles[forward];
    for (*tiles = most(1, least(up(bytes, plan->tile_bytes), shortest)); *tiles > 1; *tiles = (*tiles + 1) / 2) {
        double sum = 0;
        ng_own_rows(plan, stage, forward, *tiles / 2, rows);
        for (int k = 0; k < stage->last; k++)
            if (ng_in_stage(plan, stage, k)) sum += (double)(rows[k].last - rows[k].first) * (double)plan->nodes[k].whole.channels * 4;
        if (sum * (double)*tiles < 1.34 * (double)bytes) break;
    }
    if (*tiles > threads) *tiles = least(up(*tiles, threads) * threads, shortest);
    return *tiles;
}

/* In how many tiles a layer should run once, for all of them: its kernel reads its weights again in each call. Rows that wait for it, of
 * `from`, should not fill the cache. */
static int64_t pace(const ng_plan *plan, const ng_node *from, int64_t length, int64_t align, int64_t tiles)
{
    int64_t every = 1;
    while (align > 1 && every < MOST_TILES && 2 * every <= tiles && every * length < SHARING_BLOCKS * align * tiles &&
           2 * every * node_bytes(from) <= plan->tile_bytes / 4 * tiles) every *= 2;
    return every;
}

/* Behind a layer that runs seldom, or before it on the way back, no other runs more often. */
static void choose_pace(ng_plan *plan, ng_stage *stage, bool forward)
{
    ng_node *nodes = plan->nodes;
    for (int k = 0; k < stage->last; k++)
        if (ng_in_stage(plan, stage, k)) nodes[k].every[forward] = 1;
    for (int k = stage->first; k < stage->last; k++)
        for (int i = 0; i < nodes[k].layer.inputs; i++) {
            ng_node *from = &nodes[nodes[k].inputs[i]], *made = forward ? &nodes[k] : from;
            if (!forward && nodes[k].inputs[i] < stage->first) continue;                     /* it is delivered */
            const int64_t align = forward ? nodes[k].layer.y_align : nodes[k].layer.x_align;
            made->every[forward] = most(made->every[forward], pace(plan, from, ng_rows(made->whole), align, stage->tiles[forward]));
        }
    stage->every[forward] = 1;
    for (int k = stage->first; k < stage->last; k++) {
        for (int i = 0; i < nodes[k].layer.inputs; i++)
            if (nodes[k].inputs[i] >= stage->first) nodes[k].every[forward] = most(nodes[k].every[forward], nodes[nodes[k].inputs[i]].every[forward]);
        stage->every[forward] = most(stage->every[forward], nodes[k].every[forward]);
    }
    for (int k = 0; k < stage->last; k++)
        if (ng_in_stage(plan, stage, k)) nodes[k].read_every[forward] = nodes[k].every[forward];
    for (int k = stage->first; k < stage->last; k++)
        for (int i = 0; i < nodes[k].layer.inputs; i++) {
            const int from = nodes[k].inputs[i];
            int64_t *read = &nodes[forward ? from : k].read_every[forward];                  /* by k; of k for the gradient of what it reads */
            if (forward && ng_in_stage(plan, stage, from)) *read = most(*read, nodes[k].every[forward]);
            if (!forward) *read = least(*read, from >= stage->first ? nodes[from].every[forward] : 1);
        }
}

/* The share of a tile in the middle that the one before it has, too. */
static double overlap_of(const ng_plan *plan, const ng_stage *stage, bool forward, ng_range *before, ng_range *rows)
{
    const int64_t tile = stage->tiles[forward] / 2;
    double all = 0, again = 0;
    if (!tile) return 0;
    ng_own_rows(plan, stage, forward, tile - 1, before);
    ng_own_rows(plan, stage, forward, tile, rows);
    for (int k = stage->first; k < stage->last; k++) {
        all += (double)(ng_count_rows(rows[k]) * plan->nodes[k].whole.channels);
        again += (double)(ng_count_rows(ng_rows_taken(before[k], rows[k])) * plan->nodes[k].whole.channels);
    }
    return all > 0 ? again / all : 0;
}

/* Room for the rows that tiles take over, of which taken_at[] has the largest number yet. */
static void place_taken(ng_plan *plan, const ng_stage *stage, bool forward)
{
    int64_t floats = 0;
    for (int k = 0; k < stage->last; k++) {
        ng_node *node = &plan->nodes[k];
        if (!ng_in_stage(plan, stage, k)) continue;
        const int64_t size = node->taken_at[forward] * node->whole.channels;
        node->taken_at[forward] = floats;
        floats += size;
    }
    plan->taken_floats = most(plan->taken_floats, floats);
}

static void size_stage(ng_plan *plan, ng_stage *stage, bool gradients, int threads, int64_t ends, ng_range *rows, ng_range *before, ng_range *chain)
{
    for (int forward = 1; forward >= (gradients ? 0 : 1); forward--) {
        const int64_t tiles = choose_tiles(plan, stage, forward, threads, rows);
        choose_pace(plan, stage, forward);
        stage->again[forward] = overlap_of(plan, stage, forward, before, rows);
        int64_t bytes = 0, shared = 0, weight_bytes = 0;
        for (int64_t t = 0; t < tiles; t++) {
            ng_tile_rows(plan, stage, forward, 0, t, chain, rows);
            int64_t with_it;
            bytes = most(bytes, tile_bytes(plan, stage, rows, chain, forward, &with_it));
            shared = most(shared, with_it);
            for (int k = 0; t && k < stage->last; k++)
                if (ng_in_stage(plan, stage, k))
                    plan->nodes[k].taken_at[forward] = most(plan->nodes[k].taken_at[forward], ng_count_rows(ng_rows_taken(before[k], rows[k])));
            memcpy(before, rows, (size_t)stage->last * sizeof *before);
        }
        place_taken(plan, stage, forward);
        for (int k = stage->first; k < stage->last; k++) weight_bytes = most(weight_bytes, plan->nodes[k].layer.weight_bytes);
        const int64_t block = most(1, least(plan->tile_bytes / most(bytes, 1), NG_MOST_SAMPLES)), sharing = weight_bytes / most(bytes, 1);
        stage->block[forward] = most(block, least(sharing, SHARING_SAMPLES));
        plan->scratch_bytes = most(plan->scratch_bytes, bytes * most(block, least(sharing, SHARING_SAMPLES)) + shared + ends);
    }
}

/* What a tile of the transpose of a prefix takes: gradients, the rows of both ends, scores. */
static void size_delivery(ng_plan *plan, int64_t ends, ng_range *rows)
{
    for (int i = 0; i < plan->origin_count; i++) {
        const ng_shape shape = plan->nodes[plan->input_nodes[i]].whole;
        const int64_t length = ng_rows(shape), each = ng_delivery_rows(shape);
        for (int64_t row = 0; row < length; row += each) {
            int64_t bytes = padded(2 * each * shape.channels * 4) + padded(each * shape.channels * 8), scratch = 0;
            ng_touched_rows(plan, i, (ng_range){row, least(row + each, length)}, rows);
            for (int k = 0; k < plan->trunk_first; k++) {
                const ng_layer *layer = &plan->nodes[k].layer;
                bytes += buffer_bytes(&plan->nodes[k], rows[k], false);
                scratch = most(scratch, padded(layer->scratch_bytes + layer->call_bytes));
            }
            bytes += found_bytes(plan, &plan->nodes[plan->origins[i]], rows[plan->origins[i]]);
            plan->scratch_bytes = most(plan->scratch_bytes, bytes + most(scratch, ends));
        }
    }
}

ng_status ng_plan_make(const ng_graph *graph, const ng_shape *input_shapes, const int *wanted, int wanted_count, bool gradients,
                       const ng_run *run, ng_plan *plan, ng_error *error)
{
    ng_arena *arena = run->arena;
    *plan = (ng_plan){.tile_bytes = run->tile_bytes ? run->tile_bytes : TILE_BYTES};
    if (order_nodes(graph, input_shapes, wanted, wanted_count, gradients, run, plan, error)) return error->status;
    int64_t winners = 0, ends = 0;               /* ends: of a pooled origin, for a block of its windows */
    for (int k = 0; k < plan->trunk_first; k++)
        if (plan->nodes[k].pooled) winners += ng_winners_bytes(&plan->nodes[k].layer, ng_rows(plan->nodes[k].whole));
    plan->winners_kept = winners <= ng_arena_room(arena) / 4;
    if (cut_stages(plan, ng_arena_room(arena) - (plan->winners_kept ? winners : 0), arena, error)) return error->status;
    ng_range *rows = ng_alloc(arena, plan->count, sizeof *rows, error), *chain = ng_alloc(arena, plan->count, sizeof *chain, error);
    ng_range *before = ng_alloc(arena, plan->count, sizeof *before, error);
    if (!rows || !chain || !before) return error->status;
    ng_find_units(plan);
    for (int i = 0; i < plan->origin_count; i++)
        if (plan->nodes[plan->origins[i]].pooled) ends = most(ends, block_bytes(plan, i, chain));
    plan->scratch_bytes = ends;
    for (int s = 0; s < plan->stage_count; s++) size_stage(plan, &plan->stages[s], gradients, run->threads, s ? 0 : ends, rows, before, chain);
    if (gradients) size_delivery(plan, ends, rows);
    ng_size_head(plan, gradients, run);
    plan->sample_bytes = run->threads * padded(plan->taken_floats * 4);
    for (int k = 0; k < plan->head_first; k++) {
        const ng_node *node = &plan->nodes[k];
        if (node->kept) plan->sample_bytes += padded(node_bytes(node));
        if (node->boundary) plan->boundary_bytes += padded(node_bytes(node));
        if (gradients && (node->zone == NG_TRUNK || node->pooled)) plan->sample_bytes += padded(ng_rows(node->layer.out) * node->layer.code_bytes);
    }
    return NG_OK;
}
