#include <string.h>
#include "core/kernels/path_pool.h"
#include "core/network/cost.h"
#include "core/network/types.h"
#include "core/network/vector.h"

static const double LEAST_SECONDS = 2e-3;        /* of a timing */
enum { ROUND_NODES = 8 };                        /* of a path: they share what is found of an origin */

static int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

/* ---- operations ---- */

/* Layers with matrices multiply every weight with a row once, recurrent ones once for every row of input; the others do about one
 * operation for every number that they read and write. */
double ng_row_operations(const ng_layer *layer, bool formula)
{
    if (layer->row_operations > 0 && !formula) return layer->row_operations;
    double weights = 0, numbers = (double)ng_size(layer->out);
    for (int w = 0; w < layer->weight_count && layer->type != &ng_prelu; w++) {
        const ng_tensor *weight = &layer->weights[w];
        double size = weight->rank > 1;
        for (int d = 0; d < weight->rank; d++) size *= (double)weight->dim[d];
        weights += size;
    }
    if (layer->type == &ng_lstm || layer->type == &ng_gru) return 2 * weights * (double)layer->in->length / (double)ng_rows(layer->out);
    if (weights > 0) return 2 * weights;
    if (layer->type == &ng_dot) return 2 * (double)ng_size(layer->in[0]) / (double)layer->in->length * (double)layer->out.channels;
    for (int i = 0; i < layer->inputs; i++) numbers += (double)ng_size(layer->in[i]);
    return numbers / (double)ng_rows(layer->out);
}

/* ---- one tile of one layer, alone ---- */

typedef struct trial {
    const ng_node *node;
    ng_tile *x, y;                               /* values forward, gradients backward */
    ng_code code;
    uint8_t *kept;                               /* where codes go to be kept */
    void *scratch;
    float *shared;                               /* of a pooled origin: its sums, and the winners of its windows */
    ng_winners winners;
    double seconds;
} trial;

static float number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / (float)(1 << 23) - 1;
}

/* A tile in memory, filled with numbers; with single ones if that is what the layer reads in the end. Without memory: its bytes. */
static int64_t lay_tile(ng_shape shape, ng_range rows, int64_t samples, bool one_hot, uint8_t *memory, ng_tile *tile)
{
    const int64_t stride = (rows.last - rows.first) * shape.channels;
    uint32_t state = 1;
    *tile = (ng_tile){stride ? (float *)memory : NULL, rows.first, rows.last, ng_rows(shape), shape.channels, samples, stride};
    for (int64_t i = 0; tile->data && i < samples * stride; i++) tile->data[i] = one_hot ? 0 : number(&state);
    for (int64_t i = 0; tile->data && one_hot && i < samples * stride; i += shape.channels)
        tile->data[i + (int64_t)((number(&state) + 1) / 2 * (float)shape.channels)] = 1;
    return padded(samples * stride * 4);
}

/* Tiles of the layer of node k for these rows of its output, y, and of its inputs. Without memory: the bytes they take. */
static int64_t lay_out(const ng_plan *plan, int k, ng_range y, const ng_range *x, int64_t samples, uint8_t *memory, trial *made)
{
    const ng_node *node = &plan->nodes[k];
    const ng_layer *layer = &node->layer;
    const int64_t code_bytes = (y.last - y.first) * layer->code_bytes;
    int64_t used = 0;
    made->node = node;
    for (int i = 0; i < layer->inputs; i++) {
        const bool one_hot = plan->nodes[node->inputs[i]].layer.inputs == 0;
        used += lay_tile(layer->in[i], x[i], samples, one_hot, memory ? memory + used : NULL, &made->x[i]);
    }
    used += lay_tile(layer->out, y, samples, false, memory ? memory + used : NULL, &made->y);
    made->code = (ng_code){memory ? memory + used : NULL, y.first, y.last, layer->code_bytes, code_bytes};
    if (memory) memset(made->code.data, 0, (size_t)(samples * code_bytes));
    used += padded(samples * code_bytes);
    made->kept = memory ? memory + used : NULL;
    used += padded(samples * code_bytes);
    made->scratch = memory ? memory + used : NULL;
    if (!node->pooled) return used + padded(layer->scratch_bytes * samples + layer->call_bytes);
    const int64_t rows = y.last - y.first, size = rows * layer->out.channels;
    made->shared = memory ? (float *)(memory + used) : NULL;
    if (memory) {
        float *winners = made->shared + size, *baseline = winners + size;
        uint8_t *places = (uint8_t *)(baseline + layer->out.channels);
        memset(baseline, 0, (size_t)layer->out.channels * 4);
        made->winners = (ng_winners){winners, places, places + size, baseline, y.first};
    }
    return used + padded(8 * size + 4 * layer->out.channels + size + rows);
}

static void forward(trial *t)
{
    t->node->layer.type->forward(&t->node->layer, t->x, &t->y, &t->code, t->scratch);
    memcpy(t->kept, t->code.data, (size_t)(t->y.samples * t->code.sample_stride));
}

static void backward(trial *t)
{
    for (int i = 0; i < t->node->layer.inputs; i++)
        if (t->x[i].data) memset(t->x[i].data, 0, (size_t)(t->x[i].samples * t->x[i].sample_stride) * 4);
    t->node->layer.type->backward(&t->node->layer, &t->y, &t->code, t->x, t->scratch);
}

/* At an origin the path interpolates, and adds up gradients: about a sum each. */
static void pass(trial *t)
{
    for (int64_t n = 1; n < t->y.samples; n++)
        for (int way = 0; way < 2; way++) ng_add_scaled(t->y.data, ng_row(&t->y, n, t->y.first), 0.5f, t->y.sample_stride);
}

/* The same at a pooled origin, between a sequence and a baseline of zeros, where all windows share their winners. */
static void pooled_pass(trial *t)
{
    const ng_layer *layer = &t->node->layer;
    ng_tile sequence = *t->x;
    const ng_windows windows = {&t->winners, t->y.first, t->y.last, NULL};
    sequence.samples = 1;
    ng_winners_part(layer, &sequence, (ng_range){t->y.first, t->y.last}, false, &t->winners);
    ng_winners_find(layer, &sequence, (ng_range){t->y.first, t->y.last}, &t->winners);
    for (int64_t n = 0; n < t->y.samples; n++) {
        uint8_t *code = ng_code_row(&t->code, n, t->y.first);
        ng_windows_forward(layer, &windows, 0.5f, ng_row(&t->y, n, t->y.first), code);
        ng_windows_backward(layer, &windows, 0.5f, 0.1f, ng_row(&t->y, n, t->y.first), code, n == 0, t->shared, NULL);
    }
}

/* ---- time ---- */

typedef struct clock { double (*seconds)(void); const ng_run *run; trial *trials; } clock;

/* Seconds of once() in this thread. The first time is not counted: memory is new then. */
static double time_in_thread(const clock *c, void (*once)(trial *), trial *t)
{
    once(t);
    for (int64_t times = 1;; times *= 2) {
        const double start = c->seconds();
        for (int64_t i = 0; i < times; i++) once(t);
        const double took = c->seconds() - start;
        if (took >= LEAST_SECONDS) return took / (double)times;
    }
}

/* The mean over threads, each on tiles of its own. */
static double time_of(const clock *c, void (*once)(trial *))
{
    const int threads = c->run->threads;
    double sum = 0;
#pragma omp parallel for schedule(static, 1) num_threads(threads)
    for (int t = 0; t < threads; t++) c->trials[t].seconds = time_in_thread(c, once, &c->trials[t]);
    for (int t = 0; t < threads; t++) sum += c->trials[t].seconds;
    return sum / threads;
}

/* Times once() on the layer of node k; *seconds is of one sample in one tile. */
static ng_status time_layer(const clock *c, const ng_plan *plan, int k, ng_range y, const ng_range *x, int64_t samples,
                            void (*once)(trial *), double *seconds, ng_error *error)
{
    if (ng_poll(c->run, 0, error)) return error->status;
    const int64_t bytes = lay_out(plan, k, y, x, samples, NULL, c->trials);
    const int threads = c->run->threads;
    ng_arena *arena = ng_arena_new(INT64_MAX);
    uint8_t *memory = arena ? ng_alloc(arena, threads, (size_t)bytes, error) : NULL;
    if (!memory) {
        ng_arena_free(arena);
        return ng_fail(error, NG_OUT_OF_MEMORY, &plan->nodes[k].layer, "the system has no memory left for a tile of it");
    }
    for (int t = 0; t < threads; t++) lay_out(plan, k, y, x, samples, memory + t * bytes, &c->trials[t]);
    *seconds = time_of(c, once) / (double)samples;
    ng_arena_free(arena);
    return NG_OK;
}

static ng_status make_clock(const ng_plan *plan, const ng_run *run, double (*seconds)(void), ng_arena *arena, clock *c, ng_error *error)
{
    int inputs = 1;
    for (int k = 0; k < plan->count; k++)
        if (plan->nodes[k].layer.inputs > inputs) inputs = plan->nodes[k].layer.inputs;
    *c = (clock){seconds, run, ng_alloc(arena, run->threads, sizeof *c->trials, error)};
    for (int t = 0; c->trials && t < run->threads; t++)
        if (!(c->trials[t].x = ng_alloc(arena, inputs, sizeof *c->trials[t].x, error))) return error->status;
    return c->trials ? NG_OK : error->status;
}

/* ---- a plan ---- */

/* What a plan's walk notes for each node: the rows of a tile and of the one before it; those of a call, in the middle; how many in all. */
typedef struct notes { ng_range *here, *before, *call, *spare, *x; double *computed; } notes;

static bool some(ng_range rows) { return rows.last > rows.first; }

/* The rows of prefixes that the origins' rows need. */
static void add_prefixes(const ng_plan *plan, ng_range *rows)
{
    for (int i = 0; i < plan->origin_count; i++)
        for (int k = plan->origins[i]; k != plan->input_nodes[i]; k = plan->nodes[k].inputs[0])
            rows[plan->nodes[k].inputs[0]] = ng_rows_needed(plan->nodes[k].layer.reach, rows[k], ng_rows(plan->nodes[k].layer.in[0]));
}

/* Counts the rows of all tiles of a stage, as one run. In the tile in the middle all nodes run. */
static void count_rows(const ng_plan *plan, const ng_stage *stage, bool forward, const notes *n)
{
    const int64_t tiles = stage->tiles[forward], every = stage->every[forward], group = tiles / 2 / every * every;
    const int64_t middle = forward ? (group + every < tiles ? group + every : tiles) - 1 : group;
    memset(n->computed, 0, (size_t)plan->count * sizeof *n->computed);
    memset(n->before, 0, (size_t)plan->count * sizeof *n->before);
    for (int64_t tile = 0; tile < tiles; tile++) {
        ng_tile_rows(plan, stage, forward, 0, tile, n->spare, n->here);
        if (forward && stage == plan->stages) add_prefixes(plan, n->here);
        for (int k = 0; k < stage->last; k++) {
            const ng_range rows = n->here[k], fresh = {ng_rows_taken(n->before[k], rows).last, rows.last};
            if (some(fresh)) n->computed[k] += (double)ng_count_rows(fresh);
            if (tile == middle) n->call[k] = some(fresh) ? fresh : rows;
        }
        memcpy(n->before, n->here, (size_t)stage->last * sizeof *n->here);
    }
}

static ng_status cost_forward(const ng_plan *plan, const ng_stage *stage, int k, const clock *c, const notes *n, ng_node_cost *cost, ng_error *error)
{
    const ng_node *node = &plan->nodes[k];
    const int64_t rows = ng_count_rows(n->call[k]), samples = node->zone == NG_PREFIX ? 1 : stage->block[true];
    cost->tiles = stage->tiles[true];
    cost->tile_rows = rows;
    cost->computed_rows = n->computed[k];
    cost->value_bytes = node->kept ? ng_size(node->whole) * 4 : 0;
    if (!node->layer.inputs || node->pooled || !rows) return NG_OK;
    cost->operations = ng_row_operations(&node->layer, false) * n->computed[k];
    for (int i = 0; i < node->layer.inputs; i++) n->x[i] = ng_rows_needed(node->layer.reach, n->call[k], ng_rows(node->layer.in[i]));
    if (time_layer(c, plan, k, n->call[k], n->x, samples, forward, &cost->seconds, error)) return error->status;
    cost->seconds *= n->computed[k] / (double)rows;
    return NG_OK;
}

/* A call computes new rows of what the layer reads. The transpose of a prefix is taken as if it ran on the tiles of the trunk. */
static ng_status cost_backward(const ng_plan *plan, const ng_stage *stage, int k, const clock *c, const notes *n, ng_node_cost *cost, ng_error *error)
{
    const ng_node *node = &plan->nodes[k];
    const ng_layer *layer = &node->layer;
    const bool prefix = node->zone == NG_PREFIX;
    cost->code_bytes = prefix && !node->pooled ? 0 : ng_rows(layer->out) * layer->code_bytes;
    if (!layer->inputs || node->pooled) return NG_OK;
    const int counted = prefix ? k : node->inputs[0];
    if (!some(n->call[counted])) return NG_OK;
    cost->back_operations = ng_row_operations(layer, prefix) * n->computed[k];
    ng_range y = {0, 0};
    for (int i = 0; i < layer->inputs; i++) {
        n->x[i] = prefix ? ng_rows_needed(layer->reach, n->call[k], ng_rows(layer->in[i])) : n->call[node->inputs[i]];
        y = ng_hull(y, ng_rows_touched(layer->reach, n->x[i], ng_rows(layer->out)));
    }
    if (time_layer(c, plan, k, y, n->x, prefix ? 1 : stage->block[false], backward, &cost->back_seconds, error)) return error->status;
    cost->back_seconds *= n->computed[counted] / (double)ng_count_rows(n->call[counted]);
    return NG_OK;
}

static ng_status cost_path(const ng_plan *plan, int k, const clock *c, const notes *n, ng_node_cost *cost, ng_error *error)
{
    const ng_node *node = &plan->nodes[k];
    for (int i = 0; i < node->layer.inputs; i++)
        n->x[i] = node->pooled ? ng_rows_needed(node->layer.reach, n->call[k], ng_rows(node->layer.in[i])) : (ng_range){0, 0};
    if (time_layer(c, plan, k, n->call[k], n->x, ROUND_NODES, node->pooled ? pooled_pass : pass, &cost->path_seconds, error))
        return error->status;
    cost->path_seconds *= n->computed[k] / (double)ng_count_rows(n->call[k]);
    if (node->pooled) cost->path_operations = ng_row_operations(&node->layer, false) * n->computed[k];
    return NG_OK;
}

static ng_status cost_stage(const ng_plan *plan, const ng_stage *stage, bool gradients, const clock *c, const notes *n,
                            ng_node_cost *costs, ng_error *error)
{
    const int first = stage == plan->stages ? 0 : stage->first;
    count_rows(plan, stage, true, n);
    for (int k = first; k < stage->last; k++)
        if (cost_forward(plan, stage, k, c, n, &costs[k], error)) return error->status;
    for (int k = 0; stage == plan->stages && gradients && k < plan->trunk_first; k++) {
        if (cost_backward(plan, stage, k, c, n, &costs[k], error)) return error->status;
        if (plan->nodes[k].origin && some(n->call[k]) && cost_path(plan, k, c, n, &costs[k], error)) return error->status;
    }
    if (!gradients) return NG_OK;
    count_rows(plan, stage, false, n);
    for (int k = stage->first; k < stage->last; k++)
        if (cost_backward(plan, stage, k, c, n, &costs[k], error)) return error->status;
    return NG_OK;
}

static ng_status cost_head(const ng_plan *plan, int k, bool gradients, const clock *c, const notes *n, ng_node_cost *cost, ng_error *error)
{
    const ng_node *node = &plan->nodes[k];
    const ng_range all = {0, ng_rows(node->layer.out)};
    const int64_t samples = plan->head_block * node->group;
    for (int i = 0; i < node->layer.inputs; i++) n->x[i] = (ng_range){0, ng_rows(node->layer.in[i])};
    cost->tiles = 1;
    cost->tile_rows = ng_rows(node->whole);
    cost->computed_rows = (double)cost->tile_rows;
    cost->operations = ng_row_operations(&node->layer, false) * (double)all.last * (double)node->group;
    if (time_layer(c, plan, k, all, n->x, samples, forward, &cost->seconds, error)) return error->status;
    cost->seconds *= (double)node->group;
    if (!gradients) return NG_OK;
    cost->back_operations = cost->operations;
    if (time_layer(c, plan, k, all, n->x, samples, backward, &cost->back_seconds, error)) return error->status;
    cost->back_seconds *= (double)node->group;
    return NG_OK;
}

static ng_status cost_all(const ng_plan *plan, bool gradients, const ng_run *run, double (*seconds)(void), ng_arena *arena,
                          ng_node_cost *costs, ng_error *error)
{
    clock c;
    const int count = plan->count;
    const notes n = {.here = ng_alloc(arena, count, sizeof *n.here, error), .before = ng_alloc(arena, count, sizeof *n.before, error),
                     .call = ng_alloc(arena, count, sizeof *n.call, error), .spare = ng_alloc(arena, count, sizeof *n.spare, error),
                     .x = ng_alloc(arena, count, sizeof *n.x, error), .computed = ng_alloc(arena, count, sizeof *n.computed, error)};
    if (!n.here || !n.before || !n.call || !n.spare || !n.x || !n.computed || make_clock(plan, run, seconds, arena, &c, error))
        return error->status;
    memset(costs, 0, (size_t)count * sizeof *costs);
    for (int s = 0; s < plan->stage_count; s++)
        if (cost_stage(plan, &plan->stages[s], gradients, &c, &n, costs, error)) return error->status;
    for (int k = plan->head_first; k < count; k++)
        if (cost_head(plan, k, gradients, &c, &n, &costs[k], error)) return error->status;
    return NG_OK;
}

ng_status ng_plan_cost(const ng_plan *plan, bool gradients, const ng_run *run, double (*seconds)(void), ng_node_cost *costs, ng_error *error)
{
    ng_arena *arena = ng_arena_new(INT64_MAX);
    if (!arena) return ng_fail(error, NG_OUT_OF_MEMORY, NULL, "the system has no memory left");
    const ng_status status = cost_all(plan, gradients, run, seconds, arena, costs, error);
    ng_arena_free(arena);
    return status;
}
