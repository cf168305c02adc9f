#include <string.h>
#include "core/network/prefix.h"
#include "core/network/tasks.h"

static int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static bool empty(ng_range r) { return r.first >= r.last; }
static bool same(ng_range a, ng_range b) { return a.first == b.first && a.last == b.last; }

/* Of origin k for one window: its sums; those of one window of its pool that keeps its rows apart; blocks of those windows. */
static int64_t sums_bytes(const ng_plan *plan, int k) { return ng_size(plan->nodes[k].whole) * 4; }
static int64_t apart_bytes(const ng_node *node) { return node->layer.reach.size * node->whole.channels * 4; }
static int64_t blocks_of(const ng_node *node) { return (ng_rows(node->whole) + NG_WINDOWS - 1) / NG_WINDOWS; }

int64_t ng_stream_bytes(const ng_plan *plan, int threads) { return threads * padded(plan->scratch_bytes); }

int64_t ng_sample_bytes(const ng_plan *plan, int targets)
{
    return plan->sample_bytes + (targets > 1 ? targets * plan->boundary_bytes : 0);
}

int64_t ng_window_bytes(const ng_plan *plan, int targets)
{
    int64_t bytes = 0;
    for (int i = 0; i < plan->origin_count; i++) {
        const ng_node *node = &plan->nodes[plan->origins[i]];
        bytes += targets * sums_bytes(plan, plan->origins[i]);
        if (node->pooled) bytes += ng_rows(node->whole) * (1 + targets * apart_bytes(node)) + blocks_of(node) * 8;
        if (node->pooled && plan->winners_kept) bytes += ng_winners_bytes(&node->layer, ng_rows(node->whole));
    }
    return bytes;
}

static ng_status make_sums(ng_stream *stream, int k, ng_error *error)
{
    const ng_node *node = &stream->plan->nodes[k];
    const int64_t rows = ng_rows(node->whole), channels = node->whole.channels, windows = stream->windows;
    ng_arena *arena = stream->run->arena;
    if (!(stream->sums[k] = ng_alloc(arena, stream->targets * windows, (size_t)sums_bytes(stream->plan, k), error))) return error->status;
    if (!node->pooled) return NG_OK;
    stream->apart_before[k] = ng_alloc(arena, windows * blocks_of(node), sizeof **stream->apart_before, error);
    stream->winners[k] = ng_alloc(arena, windows, sizeof **stream->winners, error);
    for (int64_t w = 0; stream->winners[k] && w < windows; w++) {
        ng_winners *winners = &stream->winners[k][w];
        if (stream->plan->winners_kept && (!(winners->rows = ng_alloc(arena, rows * channels, sizeof *winners->rows, error)) ||
                                           !(winners->places = ng_alloc(arena, rows * channels, 1, error)))) return error->status;
        winners->apart = ng_alloc(arena, rows, 1, error);
        winners->baseline = ng_alloc(arena, channels, sizeof *winners->baseline, error);
        if (!winners->apart || !winners->baseline) return error->status;
    }
    return stream->apart_before[k] && stream->winners[k] ? NG_OK : error->status;
}

ng_status ng_stream_make(const ng_plan *plan, const ng_source *source, int64_t windows, int targets, const ng_run *run,
                         ng_stream *stream, ng_error *error)
{
    const int n = plan->count;
    ng_arena *arena = run->arena;
    *stream = (ng_stream){.plan = plan, .run = run, .source = source, .windows = windows, .targets = targets, .ends = 2};
    stream->kept = ng_alloc(arena, n, sizeof *stream->kept, error);
    stream->boundary = ng_alloc(arena, n, sizeof *stream->boundary, error);
    stream->codes = ng_alloc(arena, n, sizeof *stream->codes, error);
    stream->sums = ng_alloc(arena, n, sizeof *stream->sums, error);
    stream->apart_sums = ng_alloc(arena, n, sizeof *stream->apart_sums, error);
    stream->apart_before = ng_alloc(arena, n, sizeof *stream->apart_before, error);
    stream->apart_most = ng_alloc(arena, n, sizeof *stream->apart_most, error);
    stream->winners = ng_alloc(arena, n, sizeof *stream->winners, error);
    if (!stream->kept || !stream->boundary || !stream->codes || !stream->sums || !stream->apart_sums || !stream->apart_before || !stream->apart_most ||
        !stream->winners)
        return error->status;
    for (int i = 0; i < plan->origin_count; i++)
        if (windows && make_sums(stream, plan->origins[i], error)) return error->status;
    return ng_workers_make(stream, error);
}

ng_status ng_stream_make_rounds(ng_stream *stream, int64_t samples, ng_error *error)
{
    const ng_plan *plan = stream->plan;
    ng_arena *arena = stream->run->arena;
    for (int k = 0; k < plan->trunk_first; k++)
        if (stream->apart_before[k] &&
            !(stream->apart_sums[k] = ng_alloc(arena, stream->targets * stream->apart_most[k], (size_t)apart_bytes(&plan->nodes[k]), error)))
            return error->status;
    const int64_t sample_bytes = ng_sample_bytes(plan, stream->targets);
    const int64_t fit = sample_bytes ? ng_arena_room(arena) / sample_bytes : 3 * samples, fewest = stream->windows > 1 ? stream->windows : 1;
    stream->samples = least(samples, most(fit / 4, fewest));     /* more would save little time */
    if (fit < stream->samples || stream->samples < fewest)
        return ng_fail(error, NG_OUT_OF_MEMORY, NULL, "a sample takes %lld MB, and %lld MB are left of the memory limit",
                       (long long)(sample_bytes >> 20), (long long)(ng_arena_room(arena) >> 20));
    for (int t = 0; t < stream->run->threads; t++)
        if (!(stream->workers[t].taken = ng_alloc(arena, stream->samples * plan->taken_floats, sizeof *stream->workers[t].taken, error)))
            return error->status;
    for (int k = 0; k < plan->head_first; k++) {
        const ng_node *node = &plan->nodes[k];
        const int64_t code_bytes = ng_rows(node->layer.out) * node->layer.code_bytes;
        const size_t bytes = (size_t)ng_size(node->whole) * 4;
        if (node->kept && !(stream->kept[k] = ng_alloc(arena, stream->samples, bytes, error))) return error->status;
        if (node->boundary && stream->targets > 1 && !(stream->boundary[k] = ng_alloc(arena, stream->targets * stream->samples, bytes, error)))
            return error->status;
        if (stream->windows && (node->zone == NG_TRUNK || node->pooled) && code_bytes &&
            !(stream->codes[k] = ng_alloc(arena, stream->samples, (size_t)code_bytes, error)))
            return error->status;
    }
    return NG_OK;
}

void ng_stream_end(ng_stream *stream)
{
    ng_arena *arena = stream->run->arena;
    stream->ended = true;
    for (int t = 0; t < stream->run->threads; t++) ng_release(arena, stream->workers[t].taken);
    for (int k = 0; k < stream->plan->count; k++) {
        ng_release(arena, stream->kept[k]);
        ng_release(arena, stream->boundary[k]);
        ng_release(arena, stream->codes[k]);
        for (int64_t w = 0; stream->winners[k] && w < stream->windows; w++) ng_release(arena, stream->winners[k][w].rows);
    }
}

/* All rows of a kept tensor, samples [first, first + samples). */
static ng_tile kept_tile(const ng_stream *stream, int k, int64_t first, int64_t samples)
{
    const ng_node *node = &stream->plan->nodes[k];
    const int64_t size = ng_size(node->whole);
    return (ng_tile){stream->kept[k] + first * size, 0, ng_rows(node->whole), ng_rows(node->whole), node->whole.channels, samples, size};
}

/* ---- trunk forward ---- */

/* A kept tensor seen as a tile of these rows. */
static ng_tile kept_rows(const ng_stream *stream, int k, ng_range rows, int64_t first_sample, int64_t samples)
{
    const ng_tile tile = kept_tile(stream, k, first_sample, samples);
    return ng_some_rows(&tile, rows);
}

/* The same of a node's codes. */
static ng_code kept_codes(const ng_stream *stream, int k, ng_range rows, int64_t first_sample)
{
    const ng_layer *layer = &stream->plan->nodes[k].layer;
    const int64_t length = ng_rows(layer->out), bytes = layer->code_bytes;
    return (ng_code){stream->codes[k] + (first_sample * length + rows.first) * bytes, rows.first, rows.last, bytes, length * bytes};
}

/* Copies rows `own`, which this tile alone writes, to where they are kept. */
static void keep_rows(const ng_stream *stream, int k, const ng_tile *tile, ng_range own, int64_t first_sample)
{
    const ng_tile kept = kept_rows(stream, k, own, first_sample, tile->samples);
    for (int64_t n = 0; n < tile->samples && !empty(own); n++)
        memcpy(ng_row(&kept, n, own.first), ng_row(tile, n, own.first), (size_t)((own.last - own.first) * tile->channels) * 4);
}

static void keep_codes(const ng_stream *stream, int k, const ng_code *code, ng_range own, int64_t first_sample, int64_t samples)
{
    const ng_code kept = kept_codes(stream, k, own, first_sample);
    for (int64_t n = 0; n < samples && !empty(own); n++)
        memcpy(ng_code_row(&kept, n, own.first), ng_code_row(code, n, own.first), (size_t)((own.last - own.first) * code->row_bytes));
}

/* The new rows of a tile of node k whose codes it keeps: those that the next tile does not compute again. */
static ng_range rows_to_keep(const ng_worker *worker, int k)
{
    const ng_range rows = ng_new_rows(worker, k), next = worker->next[k];
    const int64_t next_new = worker->run_ends ? next.first : ng_rows_taken(worker->rows[k], next).last;
    return (ng_range){rows.first, empty(next) ? rows.last : least(next_new, rows.last)};           /* tiles of mere padding read nothing */
}

/* Where the codes of the new rows of node k go, of samples from number `first` of the round on: where they are kept, or, if the next tile
 * computes some of these rows again, into scratch memory, from where keep_new_codes() copies them. */
static ng_code new_codes(const ng_stream *stream, int k, int64_t first, int64_t samples, ng_worker *worker)
{
    const ng_range rows = ng_new_rows(worker, k);
    return stream->codes[k] && same(rows_to_keep(worker, k), rows) ? kept_codes(stream, k, rows, first)
                                                                   : ng_new_code(worker, &stream->plan->nodes[k], rows, samples);
}

static void keep_new_codes(const ng_stream *stream, int k, int64_t first, int64_t samples, const ng_worker *worker)
{
    const ng_range own = rows_to_keep(worker, k);
    if (stream->codes[k] && !same(own, ng_new_rows(worker, k))) keep_codes(stream, k, &worker->codes[k], own, first, samples);
}

/* The samples of window number w of a task in a tile, or codes, of `nodes` nodes each. */
static ng_tile of_window(const ng_tile *tile, int64_t w, int64_t nodes)
{
    ng_tile own = *tile;
    own.data += w * nodes * own.sample_stride;
    own.samples = nodes;
    return own;
}

static ng_code codes_of_window(const ng_code *code, int64_t w, int64_t nodes)
{
    ng_code own = *code;
    own.data += w * nodes * own.sample_stride;
    return own;
}

/* Tiles of the origins at `nodes` nodes of the windows of a task, from number `first` of the task on. A task of one window has the ends of
 * its prefix already. */
static void origin_tiles(const ng_stream *stream, const ng_round *round, const ng_task *todo, int64_t first, int64_t nodes, int ends,
                         ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    const int64_t node = todo->first_node + first, sample = todo->window * round->nodes + node, samples = todo->windows * nodes;
    for (int i = 0; i < plan->origin_count; i++) {
        const int k = plan->origins[i];
        if (empty(worker->rows[k])) continue;
        worker->tiles[k] = ng_new_tile(worker, &plan->nodes[k], worker->rows[k], samples);
        if (stream->codes[k]) worker->codes[k] = new_codes(stream, k, sample, samples, worker);
        ng_take_over(plan, k, true, first, &worker->tiles[k], worker);
    }
    const int64_t used = worker->used;
    for (int64_t w = 0; w < todo->windows; w++, worker->used = used) {
        if (todo->windows > 1) ng_prefix_tile(stream, round->first_window, todo->window + w, ends, false, worker);
        for (int i = 0; i < plan->origin_count; i++) {
            const int k = plan->origins[i];
            const ng_range rows = ng_new_rows(worker, k);
            if (empty(rows)) continue;
            const ng_tile all = ng_some_rows(&worker->tiles[k], rows);
            ng_tile own = of_window(&all, w, nodes);
            const ng_code code = stream->codes[k] ? codes_of_window(&worker->codes[k], w, nodes) : (ng_code){0};
            ng_origin_values(stream, k, round->positions + (todo->window + w) * round->window_stride + node, &own,
                             stream->codes[k] ? &code : NULL, worker);
        }
    }
    for (int i = 0; i < plan->origin_count; i++)
        if (!empty(worker->rows[plan->origins[i]])) keep_new_codes(stream, plan->origins[i], sample, samples, worker);
}

/* Runs node k for the new rows of its tile. */
static void new_rows_forward(const ng_stream *stream, int k, int64_t first, const ng_tile *tile, ng_worker *worker)
{
    const ng_range rows = ng_new_rows(worker, k);
    worker->tiles[k] = *tile;
    if (empty(rows)) return;
    worker->tiles[k] = ng_some_rows(tile, rows);
    worker->codes[k] = new_codes(stream, k, first, tile->samples, worker);
    ng_node_forward(stream, k, worker->tiles, &worker->codes[k], worker);
    keep_new_codes(stream, k, first, tile->samples, worker);
    worker->tiles[k] = *tile;
}

/* One tile of a stage for samples [first, first + samples) of the round, of which the first has number `in_task` in the task; the tiles of
 * origins are there. What it alone computes is written where it is kept. */
static void stage_tile_forward(ng_stream *stream, const ng_stage *stage, int64_t tile, int64_t first, int64_t in_task, int64_t samples,
                               ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    for (int k = 0; k < stage->last; k++) {
        const ng_node *node = &plan->nodes[k];
        if (!ng_in_stage(plan, stage, k)) {
            if (node->kept) worker->tiles[k] = kept_tile(stream, k, first, samples);
            continue;
        }
        const ng_range rows = worker->rows[k], part = ng_kept_rows(plan, stage, k, tile);
        if (empty(rows)) continue;
        const bool in_place = !node->origin && node->kept && same(part, rows);
        if (!node->origin) {
            const ng_tile whole = in_place ? kept_rows(stream, k, rows, first, samples) : ng_new_tile(worker, node, rows, samples);
            ng_take_over(plan, k, true, in_task, &whole, worker);
            new_rows_forward(stream, k, first, &whole, worker);
        }
        ng_hand_over(plan, k, true, in_task, &worker->tiles[k], worker);
        if (node->kept && !in_place) keep_rows(stream, k, &worker->tiles[k], part, first);
    }
}

static void stage_forward(ng_stream *stream, int s, const ng_round *round, int ends)
{
    const ng_plan *plan = stream->plan;
    const ng_stage *stage = &plan->stages[s];
    const int64_t block = ng_fair_block(stage->block[true], round, stage->tiles[true], stream->run->threads);
    /* the first stage shares the ends of the prefix among all nodes of a window, unless threads would then lie idle */
    const int64_t chunk = s == 0 && round->windows * stage->tiles[true] >= 4 * stream->run->threads ? round->nodes : block;
    const ng_deal all = ng_deal_out(round, chunk, block, stage, true, stream->run->threads);
#pragma omp parallel for schedule(dynamic) num_threads(stream->run->threads)
    for (int64_t at = 0; at < all.tasks; at++) {
        ng_worker *worker = ng_worker_here(stream);
        const ng_task todo = ng_task_at(at, round, &all);
        const int64_t each = todo.windows == 1 ? block : todo.nodes;
        for (int64_t tile = todo.first_tile; tile < todo.last_tile; tile++) {
            ng_find_rows(plan, stage, &todo, tile, true, worker);
            worker->used = 0;
            if (s == 0 && todo.windows == 1) ng_prefix_tile(stream, round->first_window, todo.window, ends, false, worker);
            const int64_t used = worker->used;
            for (int64_t n = 0; n < todo.nodes; n += each, worker->used = used) {
                const int64_t nodes = least(each, todo.nodes - n), first = todo.window * round->nodes + todo.first_node + n;
                if (s == 0) origin_tiles(stream, round, &todo, n, nodes, ends, worker);
                stage_tile_forward(stream, stage, tile, first, n, todo.windows * nodes, worker);
            }
        }
    }
}

/* ---- head ---- */

static double weigh(const float *cotangent, const float *output, int64_t size)
{
    double sum = 0;
    for (int64_t i = 0; i < size; i++) sum += (double)cotangent[i] * (double)output[i];
    return sum;
}

static const float *cotangent_of(const ng_objective *objective, int w, int64_t window)
{
    return objective->cotangent[w] ? objective->cotangent[w] + window * objective->window_stride[w] : NULL;
}

static void head_forward(ng_stream *stream, int64_t first, int64_t samples, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    ng_begin_head(plan, samples, worker);
    for (int k = 0; k < plan->head_first; k++)
        if (plan->nodes[k].kept) worker->tiles[k] = kept_tile(stream, k, first, samples);
    for (int k = plan->head_first; k < plan->count; k++) {
        ng_place_tile(plan, k, samples, worker);
        ng_node_forward(stream, k, worker->tiles, &worker->codes[k], worker);
    }
}

/* What the caller reads of samples [first, first + samples): F of each target, outputs. */
static void read_outputs(const ng_stream *stream, const ng_round *round, int64_t first, int64_t samples, const ng_objective *objectives,
                         double *values, float *const *outputs, const ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    for (int w = 0; w < plan->wanted_count; w++) {
        const ng_tile *tile = &worker->tiles[plan->wanted[w]];
        const int64_t size = ng_size(plan->nodes[plan->wanted[w]].whole);
        for (int64_t n = first; n < first + samples; n++) {
            const float *output = tile->data + (n - first) * tile->sample_stride;
            for (int t = 0; values && t < stream->targets; t++) {
                const float *cotangent = cotangent_of(&objectives[t], w, round->first_window + n / round->nodes);
                if (cotangent) values[t * round->windows * round->nodes + n] += weigh(cotangent, output, size);
            }
            if (outputs) memcpy(outputs[w] + n * size, output, (size_t)size * 4);
        }
    }
}

static void clear(ng_tile *gradient)
{
    for (int64_t n = 0; n < gradient->samples; n++)
        memset(ng_row(gradient, n, gradient->first), 0, (size_t)((gradient->last - gradient->first) * gradient->channels) * 4);
}

/* The gradients of a target, from what is wanted to the boundary. Values are spent: kept tensors hold gradients from here on, and those
 * of the head lie where their values were. */
static void head_backward(ng_stream *stream, const ng_round *round, int64_t first, int64_t samples, const ng_objective *objective,
                          ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    ng_tile *gradients = worker->tiles;
    for (int k = 0; k < plan->count; k++)
        if (k < plan->head_first ? plan->nodes[k].boundary : plan->nodes[k].last_use == plan->count) clear(&gradients[k]);
    for (int w = 0; w < plan->wanted_count; w++) {
        const int k = plan->wanted[w];
        for (int64_t n = 0; n < samples; n++) {
            const float *cotangent = cotangent_of(objective, w, round->first_window + (first + n) / round->nodes);
            float *gradient = gradients[k].data + n * gradients[k].sample_stride;
            for (int64_t i = 0; cotangent && i < ng_size(plan->nodes[k].whole); i++) gradient[i] += cotangent[i];
        }
    }
    for (int k = plan->count - 1; k >= plan->head_first; k--) {
        for (int i = 0; i < plan->nodes[k].layer.inputs; i++) {
            const int from = plan->nodes[k].inputs[i];
            if (from >= plan->head_first && plan->nodes[from].last_use == k) clear(&gradients[from]);
        }
        ng_node_backward(stream, k, gradients, &worker->codes[k], worker);
    }
}

/* Gradients of the boundary of target `target`, of these samples, where they are stored. */
static float *stored(const ng_stream *stream, int k, int target, int64_t first)
{
    return stream->boundary[k] + (target * stream->samples + first) * ng_size(stream->plan->nodes[k].whole);
}

static void head_block(ng_stream *stream, const ng_round *round, int64_t first, int64_t samples, const ng_objective *objectives,
                       double *values, float *const *outputs, bool gradients, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    head_forward(stream, first, samples, worker);
    read_outputs(stream, round, first, samples, objectives, values, outputs, worker);
    for (int t = 0; gradients && t < stream->targets; t++) {
        head_backward(stream, round, first, samples, &objectives[t], worker);
        for (int k = 0; k < plan->head_first && stream->targets > 1; k++)
            if (plan->nodes[k].boundary)
                memcpy(stored(stream, k, t, first), worker->tiles[k].data, (size_t)(samples * worker->tiles[k].sample_stride) * 4);
    }
}

static void run_head(ng_stream *stream, const ng_round *round, const ng_objective *objectives, double *values, float *const *outputs,
                     bool gradients)
{
    const int64_t samples = round->windows * round->nodes;
    int64_t block = stream->plan->head_block;
    if (block * stream->run->threads > samples) block = (samples + stream->run->threads - 1) / stream->run->threads;
    if (values) memset(values, 0, (size_t)(stream->targets * samples) * sizeof *values);
#pragma omp parallel for schedule(dynamic) num_threads(stream->run->threads)
    for (int64_t first = 0; first < samples; first += block)
        head_block(stream, round, first, least(block, samples - first), objectives, values, outputs, gradients, ng_worker_here(stream));
}

/* The gradients of the boundary go where they are added to. */
static void begin_target(ng_stream *stream, const ng_round *round, int target)
{
    const ng_plan *plan = stream->plan;
    const int64_t samples = round->windows * round->nodes;
    stream->target = target;
    if (stream->targets == 1) return;            /* the head has left them there */
#pragma omp parallel for schedule(dynamic) num_threads(stream->run->threads)
    for (int64_t n = 0; n < samples; n++)
        for (int k = 0; k < plan->head_first; k++)
            if (plan->nodes[k].boundary)
                memcpy(kept_tile(stream, k, n, 1).data, stored(stream, k, target, n), (size_t)ng_size(plan->nodes[k].whole) * 4);
}

/* ---- trunk backward ---- */

static bool wants_gradient(const ng_plan *plan, const ng_stage *stage, int k)
{
    return ng_in_stage(plan, stage, k) || plan->nodes[k].kept;
}

/* The gradients that a tile adds to and reads. Of kept tensors that the stage reads they are delivered in place: these rows are this
 * tile's alone, and the last stage that reads the tensor is the first to add. Those that came from later stages may be read in place too,
 * unless the stage itself has something to add. */
static void gradient_tiles(ng_stream *stream, const ng_stage *stage, int64_t first, int64_t in_task, int64_t samples, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    for (int k = 0; k < stage->last; k++) {
        const ng_node *node = &plan->nodes[k];
        const ng_range rows = worker->rows[k], fresh = ng_new_rows(worker, k);
        ng_tile *gradient = &worker->whole[k];
        *gradient = worker->tiles[k] = (ng_tile){0};
        if (empty(rows) || !wants_gradient(plan, stage, k)) continue;
        const ng_tile kept = node->kept ? kept_rows(stream, k, rows, first, samples) : (ng_tile){0};
        if (!ng_in_stage(plan, stage, k)) {
            *gradient = kept;
            if (!node->boundary && stage == &plan->stages[node->last_stage]) clear(gradient);
        } else if (node->kept && !node->read_inside)
            *gradient = kept;
        else {
            *gradient = ng_new_tile(worker, node, rows, samples);
            ng_take_over(plan, k, false, in_task, gradient, worker);
            if (empty(fresh)) continue;
            worker->tiles[k] = ng_some_rows(gradient, fresh);
            if (!node->kept) clear(&worker->tiles[k]);
            for (int64_t n = 0; node->kept && n < samples; n++)
                memcpy(ng_row(gradient, n, fresh.first), ng_row(&kept, n, fresh.first), (size_t)(ng_count_rows(fresh) * gradient->channels) * 4);
            continue;
        }
        worker->tiles[k] = *gradient;
    }
}

/* One tile, as stage_tile_forward(). A node adds to the new rows of what it reads; when its own turn comes its gradient is complete. */
static void stage_tile_backward(ng_stream *stream, const ng_stage *stage, int64_t first, int64_t in_task, int64_t samples, ng_worker *worker)
{
    gradient_tiles(stream, stage, first, in_task, samples, worker);
    for (int k = stage->last - 1; k >= stage->first; k--) {
        if (empty(worker->rows[k])) continue;
        worker->tiles[k] = worker->whole[k];
        ng_hand_over(stream->plan, k, false, in_task, &worker->whole[k], worker);
        const bool has_code = stream->plan->nodes[k].layer.code_bytes > 0;
        const ng_code code = has_code ? kept_codes(stream, k, worker->rows[k], first) : (ng_code){0};
        ng_node_backward(stream, k, worker->tiles, has_code ? &code : NULL, worker);
    }
}

/* Adds the gradients of origins at nodes [node, node + nodes) of the windows of a task to their sums. */
static void add_to_origins(const ng_stream *stream, const ng_round *round, const ng_task *todo, int64_t node, int64_t nodes, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    const int64_t used = worker->used;
    for (int64_t w = 0; w < todo->windows; w++, worker->used = used) {
        if (todo->windows > 1) ng_prefix_tile(stream, round->first_window, todo->window + w, stream->ends, true, worker);
        for (int i = 0; i < plan->origin_count; i++) {
            const int k = plan->origins[i];
            if (!worker->tiles[k].data) continue;
            const ng_tile own = of_window(&worker->tiles[k], w, nodes);
            const int64_t at = (todo->window + w) * round->window_stride + node;
            const ng_code code = stream->codes[k] ? kept_codes(stream, k, worker->rows[k], (todo->window + w) * round->nodes + node) : (ng_code){0};
            ng_origin_add(stream, k, todo->window + w, round->positions + at, round->weights + at, round->begin && node == 0, &own, &code, worker);
        }
    }
}

static void stage_backward(ng_stream *stream, int s, const ng_round *round)
{
    const ng_plan *plan = stream->plan;
    const ng_stage *stage = &plan->stages[s];
    const int64_t block = ng_fair_block(stage->block[false], round, stage->tiles[false], stream->run->threads);
    const int64_t chunk = s == 0 ? round->nodes : block;               /* the first stage adds up its nodes in order */
    const ng_deal all = ng_deal_out(round, chunk, block, stage, false, stream->run->threads);
#pragma omp parallel for schedule(dynamic) num_threads(stream->run->threads)
    for (int64_t at = 0; at < all.tasks; at++) {
        ng_worker *worker = ng_worker_here(stream);
        const ng_task todo = ng_task_at(at, round, &all);
        const int64_t each = todo.windows == 1 ? block : todo.nodes;
        for (int64_t tile = todo.first_tile; tile < todo.last_tile; tile++) {
            ng_find_rows(plan, stage, &todo, tile, false, worker);
            worker->used = 0;
            if (s == 0 && todo.windows == 1) ng_prefix_tile(stream, round->first_window, todo.window, stream->ends, true, worker);
            const int64_t used = worker->used;
            for (int64_t n = 0; n < todo.nodes; n += each, worker->used = used) {
                const int64_t nodes = least(each, todo.nodes - n), node = todo.first_node + n;
                stage_tile_backward(stream, stage, todo.window * round->nodes + node, n, todo.windows * nodes, worker);
                if (s == 0) add_to_origins(stream, round, &todo, node, nodes, worker);
            }
        }
    }
}

/* ---- rounds ---- */

static void run_trunk(ng_stream *stream, const ng_round *round)
{
    int ends = 1;
    for (int64_t n = 0; n < (round->window_stride ? round->windows : 1) * round->nodes; n++)
        if (round->positions[n] != 1) ends = 2;
    stream->exact = round->exact;
    for (int s = 0; s < stream->plan->stage_count; s++) stage_forward(stream, s, round, ends);
}

void ng_stream_forward(ng_stream *stream, const ng_round *round, const ng_objective *objectives, double *values, float *const *outputs)
{
    run_trunk(stream, round);
    run_head(stream, round, objectives, values, outputs, false);
}

void ng_stream_gradient(ng_stream *stream, const ng_round *round, const ng_objective *objectives, double *values)
{
    run_trunk(stream, round);
    run_head(stream, round, objectives, values, NULL, true);
    for (int t = 0; t < stream->targets; t++) {
        begin_target(stream, round, t);
        for (int s = stream->plan->stage_count - 1; s >= 0; s--) stage_backward(stream, s, round);
    }
}
