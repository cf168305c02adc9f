#include <string.h>
#include "core/network/stream.h"

/* Memory of one thread: scratch for tiles, and what a tile's walk notes for each node. */
typedef struct ng_worker {
    uint8_t *scratch;
    int64_t used;
    ng_range *rows, *next;
    ng_tile *tiles;
    ng_tile *operands;                           /* the inputs of one layer, gathered */
    ng_code *codes;
} ng_worker;

#ifdef _OPENMP
#include <omp.h>
static int worker_number(void) { return omp_get_thread_num(); }
#else
static int worker_number(void) { return 0; }
#endif

static int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static bool empty(ng_range r) { return r.first >= r.last; }

static int most_inputs(const ng_plan *plan)
{
    int most = 1;
    for (int k = 0; k < plan->count; k++)
        if (plan->nodes[k].layer.inputs > most) most = plan->nodes[k].layer.inputs;
    return most;
}

int64_t ng_stream_bytes(const ng_plan *plan, int64_t samples, int64_t windows, int threads)
{
    int64_t bytes = samples * plan->sample_bytes + threads * padded(plan->scratch_bytes);
    for (int i = 0; i < plan->origin_count; i++) bytes += windows * ng_size(plan->nodes[plan->origins[i]].whole) * 4;
    return bytes;
}

ng_status ng_stream_make(const ng_plan *plan, const ng_source *source, int64_t samples, int64_t windows, const ng_run *run,
                         ng_stream *stream, ng_error *error)
{
    const int n = plan->count;
    ng_arena *arena = run->arena;
    const int64_t bytes = ng_stream_bytes(plan, samples, windows, run->threads);
    if (bytes > ng_arena_room(arena))
        return ng_fail(error, NG_OUT_OF_MEMORY, NULL, "a round of %lld samples takes %lld MB, and %lld MB are left of the memory limit",
                       (long long)samples, (long long)(bytes >> 20), (long long)(ng_arena_room(arena) >> 20));
    *stream = (ng_stream){.plan = plan, .run = run, .source = source, .samples = samples};
    stream->kept = ng_alloc(arena, n, sizeof *stream->kept, error);
    stream->codes = ng_alloc(arena, n, sizeof *stream->codes, error);
    stream->sums = ng_alloc(arena, n, sizeof *stream->sums, error);
    stream->workers = ng_alloc(arena, run->threads, sizeof *stream->workers, error);
    if (!stream->kept || !stream->codes || !stream->sums || !stream->workers) return error->status;
    for (int k = 0; k < plan->head_first; k++) {
        const ng_node *node = &plan->nodes[k];
        const int64_t code_bytes = ng_rows(node->layer.out) * node->layer.code_bytes;
        if (node->kept && !(stream->kept[k] = ng_alloc(arena, samples, (size_t)ng_size(node->whole) * 4, error))) return error->status;
        if (windows && node->zone == NG_TRUNK && code_bytes && !(stream->codes[k] = ng_alloc(arena, samples, (size_t)code_bytes, error)))
            return error->status;
        if (windows && node->origin && !(stream->sums[k] = ng_alloc(arena, windows, (size_t)ng_size(node->whole) * 4, error)))
            return error->status;
    }
    for (int t = 0; t < run->threads; t++) {
        ng_worker *worker = &stream->workers[t];
        worker->scratch = ng_alloc(arena, padded(plan->scratch_bytes), 1, error);
        worker->rows = ng_alloc(arena, n, sizeof *worker->rows, error);
        worker->next = ng_alloc(arena, n, sizeof *worker->next, error);
        worker->tiles = ng_alloc(arena, n, sizeof *worker->tiles, error);
        worker->codes = ng_alloc(arena, n, sizeof *worker->codes, error);
        worker->operands = ng_alloc(arena, most_inputs(plan), sizeof *worker->operands, error);
        if (!worker->scratch || !worker->rows || !worker->next || !worker->tiles || !worker->codes || !worker->operands)
            return error->status;
    }
    return NG_OK;
}

/* ---- tiles in scratch memory ---- */

static void *take(ng_worker *worker, int64_t bytes)
{
    void *memory = worker->scratch + worker->used;
    worker->used += padded(bytes);
    return memory;
}

static ng_tile new_tile(ng_worker *worker, const ng_node *node, ng_range rows, int64_t samples)
{
    const int64_t stride = (rows.last - rows.first) * node->whole.channels;
    return (ng_tile){take(worker, samples * stride * 4), rows.first, rows.last, ng_rows(node->whole), node->whole.channels, samples, stride};
}

static ng_code new_code(ng_worker *worker, const ng_node *node, ng_range rows, int64_t samples)
{
    const int64_t stride = (rows.last - rows.first) * node->layer.code_bytes;
    return (ng_code){stride ? take(worker, samples * stride) : NULL, rows.first, rows.last, node->layer.code_bytes, stride};
}

/* All rows of a kept tensor, samples [first, first + samples). */
static ng_tile kept_tile(const ng_stream *stream, int k, int64_t first, int64_t samples)
{
    const ng_node *node = &stream->plan->nodes[k];
    const int64_t size = ng_size(node->whole);
    return (ng_tile){stream->kept[k] + first * size, 0, ng_rows(node->whole), ng_rows(node->whole), node->whole.channels, samples, size};
}

/* A tile of whole tensors as a layer sees it: TimeDistributed layers see `group` samples in each. */
static ng_tile as_layer_sees(ng_tile tile, ng_shape own, int64_t group)
{
    const int64_t rows = ng_rows(own);
    if (group == 1 && rows == tile.length && own.channels == tile.channels) return tile;
    return (ng_tile){tile.data, 0, rows, rows, own.channels, tile.samples * group, tile.data ? ng_size(own) : 0};
}

static const ng_tile *operands(const ng_node *node, const ng_tile *tiles, ng_worker *worker)
{
    for (int i = 0; i < node->layer.inputs; i++)
        worker->operands[i] = as_layer_sees(tiles[node->inputs[i]], node->layer.in[i], node->group);
    return worker->operands;
}

static void layer_forward(const ng_stream *stream, int k, ng_tile *tiles, ng_code *code, ng_worker *worker)
{
    const ng_node *node = &stream->plan->nodes[k];
    const ng_layer *layer = stream->exact && node->exact ? node->exact : &node->layer;
    ng_tile y = as_layer_sees(tiles[k], node->layer.out, node->group);
    const int64_t used = worker->used;
    void *scratch = take(worker, node->layer.scratch_bytes * y.samples + node->layer.call_bytes);
    layer->type->forward(layer, operands(node, tiles, worker), &y, code, scratch);
    worker->used = used;
}

static void layer_backward(const ng_stream *stream, int k, ng_tile *gradients, const ng_code *code, ng_worker *worker)
{
    const ng_node *node = &stream->plan->nodes[k];
    const ng_layer *layer = stream->exact && node->exact ? node->exact : &node->layer;
    const ng_tile dy = as_layer_sees(gradients[k], node->layer.out, node->group);
    const int64_t used = worker->used;
    void *scratch = take(worker, node->layer.scratch_bytes * dy.samples + node->layer.call_bytes);
    operands(node, gradients, worker);
    layer->type->backward(layer, &dy, code, worker->operands, scratch);
    worker->used = used;
}

/* ---- trunk forward ---- */

/* y = b + a (x - b) for node positions[n]; the ends themselves at 0 and 1, so that ties of equal rows stay ties. */
static void interpolate(const ng_tile *ends, const double *positions, ng_tile *y)
{
    const int64_t count = (y->last - y->first) * y->channels;
    const float *x = ends->data, *b = ends->data + ends->sample_stride;
    for (int64_t n = 0; n < y->samples; n++) {
        float *to = y->data + n * y->sample_stride;
        const float a = (float)positions[n];
        if (a == 1.0f || ends->samples == 1) memcpy(to, x, (size_t)count * 4);
        else if (a == 0.0f) memcpy(to, b, (size_t)count * 4);
        else {
#pragma omp simd
            for (int64_t i = 0; i < count; i++) to[i] = b[i] + a * (x[i] - b[i]);
        }
    }
}

/* Both ends of every prefix at the rows that the tile needs; tiles[origin] are then ends, not nodes of the path. */
static void prefix_forward(const ng_stream *stream, int64_t window, int ends, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    for (int k = 0; k < plan->trunk_first; k++) {
        const ng_node *node = &plan->nodes[k];
        if (empty(worker->rows[k])) continue;
        worker->tiles[k] = new_tile(worker, node, worker->rows[k], ends);
        if (node->layer.inputs) {
            ng_code code = new_code(worker, node, worker->rows[k], ends);
            layer_forward(stream, k, worker->tiles, &code, worker);
            continue;
        }
        int input = 0;
        while (plan->input_nodes[input] != k) input++;
        float *x = worker->tiles[k].data;
        stream->source->rows(stream->source->data, input, window, worker->rows[k], x, ends == 2 ? x + worker->tiles[k].sample_stride : NULL);
    }
}

/* The rows of a kept tensor, or of a node's codes, that tile `tile` writes: no two tiles write the same row. */
static void keep_rows(const ng_stream *stream, int k, const ng_tile *tile, ng_range own, int64_t first_sample)
{
    const ng_tile kept = kept_tile(stream, k, first_sample, tile->samples);
    for (int64_t n = 0; n < tile->samples && !empty(own); n++)
        memcpy(ng_row(&kept, n, own.first), ng_row(tile, n, own.first), (size_t)((own.last - own.first) * tile->channels) * 4);
}

static void keep_codes(const ng_stream *stream, int k, const ng_code *code, ng_range own, int64_t first_sample, int64_t samples)
{
    const int64_t bytes = code->row_bytes, rows = ng_rows(stream->plan->nodes[k].layer.out);
    for (int64_t n = 0; n < samples && !empty(own); n++)
        memcpy(stream->codes[k] + ((first_sample + n) * rows + own.first) * bytes, ng_code_row(code, n, own.first),
               (size_t)((own.last - own.first) * bytes));
}

/* One tile of a stage for samples [first, first + samples) of the round, all of one window. */
static void stage_tile_forward(ng_stream *stream, const ng_stage *stage, int64_t tile, int64_t first, int64_t samples,
                               const double *positions, const ng_tile *ends, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    const int64_t used = worker->used;
    for (int k = 0; k < stage->last; k++) {
        const ng_node *node = &plan->nodes[k];
        if (!ng_in_stage(plan, stage, k)) {
            if (node->kept) worker->tiles[k] = kept_tile(stream, k, first, samples);
            continue;
        }
        const ng_range rows = worker->rows[k];
        if (empty(rows)) continue;
        worker->tiles[k] = new_tile(worker, node, rows, samples);
        if (node->origin) interpolate(&ends[k], positions, &worker->tiles[k]);
        else {
            worker->codes[k] = new_code(worker, node, rows, samples);
            layer_forward(stream, k, worker->tiles, &worker->codes[k], worker);
            const ng_range own = {rows.first, tile + 1 < stage->tiles ? least(worker->next[k].first, rows.last) : rows.last};
            if (stream->codes[k]) keep_codes(stream, k, &worker->codes[k], own, first, samples);
        }
        if (node->kept) {
            const int64_t length = ng_rows(node->whole);
            keep_rows(stream, k, &worker->tiles[k], ng_part(tile, stage->tiles, length, node->y_unit), first);
        }
    }
    worker->used = used;
}

/* Work is dealt in tasks: a window, a chunk of its nodes, a tile. */
typedef struct task { int64_t window, first_node, nodes, tile; } task;

static task task_at(int64_t at, const ng_round *round, int64_t chunk, int64_t tiles)
{
    const int64_t chunks = (round->nodes + chunk - 1) / chunk, node = at / tiles % chunks * chunk;
    return (task){at / tiles / chunks, node, least(chunk, round->nodes - node), at % tiles};
}

/* A block of samples that leaves work for every thread. */
static int64_t share(int64_t block, const ng_round *round, int64_t tiles, int threads)
{
    const int64_t each = round->windows * round->nodes * tiles / threads;
    return block <= each ? block : each > 1 ? each : 1;
}

static int64_t task_count(const ng_round *round, int64_t chunk, int64_t tiles)
{
    return round->windows * ((round->nodes + chunk - 1) / chunk) * tiles;
}

static void stage_forward(ng_stream *stream, int s, const ng_round *round, int ends)
{
    const ng_plan *plan = stream->plan;
    const ng_stage *stage = &plan->stages[s];
    const int64_t block = share(stage->block, round, stage->tiles, stream->run->threads);
    /* the first stage shares the ends of the prefix among all nodes of a window, unless threads would then lie idle */
    const int64_t chunk = s == 0 && round->windows * stage->tiles >= 4 * stream->run->threads ? round->nodes : block;
    const int64_t tasks = task_count(round, chunk, stage->tiles);
#pragma omp parallel for schedule(dynamic) num_threads(stream->run->threads)
    for (int64_t at = 0; at < tasks; at++) {
        ng_worker *worker = &stream->workers[worker_number()];
        const task todo = task_at(at, round, chunk, stage->tiles);
        worker->used = 0;
        ng_tile_rows(plan, stage, todo.tile, worker->rows);
        if (todo.tile + 1 < stage->tiles) ng_tile_rows(plan, stage, todo.tile + 1, worker->next);
        ng_tile *all = worker->tiles;
        if (s == 0) {
            prefix_forward(stream, round->first_window + todo.window, ends, worker);
            /* origins are read as ends and written as nodes: keep the ends aside */
            all = take(worker, plan->trunk_first * (int64_t)sizeof *all);
            memcpy(all, worker->tiles, (size_t)plan->trunk_first * sizeof *all);
        }
        for (int64_t n = 0; n < todo.nodes; n += block)
            stage_tile_forward(stream, stage, todo.tile, todo.window * round->nodes + todo.first_node + n,
                               least(block, todo.nodes - n), round->positions + todo.first_node + n, all, worker);
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
    return objective && objective->cotangent[w] ? objective->cotangent[w] + window * objective->window_stride[w] : NULL;
}

static void head_block(ng_stream *stream, const ng_round *round, int64_t first, int64_t samples, const ng_objective *objective,
                       double *values, float *const *outputs, bool gradients, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    ng_tile *tiles = worker->tiles;
    worker->used = 0;
    for (int k = 0; k < plan->head_first; k++)
        if (plan->nodes[k].kept) tiles[k] = kept_tile(stream, k, first, samples);
    for (int k = plan->head_first; k < plan->count; k++) {
        const ng_node *node = &plan->nodes[k];
        tiles[k] = new_tile(worker, node, (ng_range){0, ng_rows(node->whole)}, samples);
        const int64_t bytes = ng_rows(node->layer.out) * node->layer.code_bytes;
        worker->codes[k] = (ng_code){take(worker, bytes * node->group * samples), 0, ng_rows(node->layer.out), node->layer.code_bytes, bytes};
        layer_forward(stream, k, tiles, &worker->codes[k], worker);
    }
    for (int w = 0; w < plan->wanted_count; w++) {
        const ng_tile *tile = &tiles[plan->wanted[w]];
        const int64_t size = ng_size(plan->nodes[plan->wanted[w]].whole);
        for (int64_t n = 0; n < samples; n++) {
            const float *output = tile->data + n * tile->sample_stride;
            const float *cotangent = cotangent_of(objective, w, round->first_window + (first + n) / round->nodes);
            if (values && cotangent) values[first + n] += weigh(cotangent, output, size);
            if (outputs) memcpy(outputs[w] + (first + n) * size, output, (size_t)size * 4);
        }
    }
    if (!gradients) return;
    /* values are spent: from here on kept tensors and the head's tiles hold gradients */
    for (int k = 0; k < plan->count; k++)
        if (k >= plan->head_first || plan->nodes[k].kept) {
            tiles[k] = k < plan->head_first ? tiles[k] : new_tile(worker, &plan->nodes[k], (ng_range){0, ng_rows(plan->nodes[k].whole)}, samples);
            memset(tiles[k].data, 0, (size_t)(samples * tiles[k].sample_stride) * 4);
        }
    for (int w = 0; w < plan->wanted_count; w++) {
        const int k = plan->wanted[w];
        for (int64_t n = 0; n < samples; n++) {
            const float *cotangent = cotangent_of(objective, w, round->first_window + (first + n) / round->nodes);
            float *gradient = tiles[k].data + n * tiles[k].sample_stride;
            for (int64_t i = 0; cotangent && i < ng_size(plan->nodes[k].whole); i++) gradient[i] += cotangent[i];
        }
    }
    for (int k = plan->count - 1; k >= plan->head_first; k--) layer_backward(stream, k, tiles, &worker->codes[k], worker);
}

static void run_head(ng_stream *stream, const ng_round *round, const ng_objective *objective, double *values, float *const *outputs,
                     bool gradients)
{
    const int64_t samples = round->windows * round->nodes;
    int64_t block = stream->plan->head_block;
    if (block * stream->run->threads > samples) block = (samples + stream->run->threads - 1) / stream->run->threads;
    if (values) memset(values, 0, (size_t)samples * sizeof *values);
#pragma omp parallel for schedule(dynamic) num_threads(stream->run->threads)
    for (int64_t first = 0; first < samples; first += block)
        head_block(stream, round, first, least(block, samples - first), objective, values, outputs, gradients,
                   &stream->workers[worker_number()]);
}

/* ---- trunk backward ---- */

static bool wants_gradient(const ng_plan *plan, const ng_stage *stage, int k)
{
    return ng_in_stage(plan, stage, k) || plan->nodes[k].kept;
}

static void stage_tile_backward(ng_stream *stream, const ng_stage *stage, int64_t first, int64_t samples, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    ng_tile *gradients = worker->tiles;
    for (int k = 0; k < stage->last; k++) {
        const ng_range rows = worker->rows[k];
        gradients[k] = (ng_tile){0};
        if (empty(rows) || !wants_gradient(plan, stage, k)) continue;
        const ng_tile kept = plan->nodes[k].kept ? kept_tile(stream, k, first, samples) : (ng_tile){0};
        if (!ng_in_stage(plan, stage, k)) {      /* delivered in place: these rows are this tile's alone */
            gradients[k] = kept;
            gradients[k].data += rows.first * kept.channels;
            gradients[k].first = rows.first;
            gradients[k].last = rows.last;
            continue;
        }
        gradients[k] = new_tile(worker, &plan->nodes[k], rows, samples);
        for (int64_t n = 0; n < samples; n++) {
            float *to = gradients[k].data + n * gradients[k].sample_stride;
            const size_t bytes = (size_t)gradients[k].sample_stride * 4;
            if (kept.data) memcpy(to, ng_row(&kept, n, rows.first), bytes);
            else memset(to, 0, bytes);
        }
    }
    for (int k = stage->last - 1; k >= stage->first; k--) {
        const ng_node *node = &plan->nodes[k];
        if (empty(worker->rows[k])) continue;
        const int64_t bytes = node->layer.code_bytes, rows = ng_rows(node->layer.out);
        const ng_code code = {stream->codes[k] + (first * rows + worker->rows[k].first) * bytes, worker->rows[k].first,
                              worker->rows[k].last, bytes, rows * bytes};
        layer_backward(stream, k, gradients, bytes ? &code : NULL, worker);
    }
}

/* sums += weight * gradient, node after node. */
static void add_to_sums(ng_stream *stream, int64_t window, const double *weights, const ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    for (int i = 0; i < plan->origin_count; i++) {
        const int k = plan->origins[i];
        const ng_tile *tile = &worker->tiles[k];
        if (!tile->data) continue;
        const int64_t count = (tile->last - tile->first) * tile->channels;
        float *sum = stream->sums[k] + window * ng_size(plan->nodes[k].whole) + tile->first * tile->channels;
        for (int64_t n = 0; n < tile->samples; n++) {
            const float *gradient = tile->data + n * tile->sample_stride;
            const float weight = (float)weights[n];
#pragma omp simd
            for (int64_t j = 0; j < count; j++) sum[j] += weight * gradient[j];
        }
    }
}

static void stage_backward(ng_stream *stream, int s, const ng_round *round)
{
    const ng_plan *plan = stream->plan;
    const ng_stage *stage = &plan->stages[s];
    const int64_t block = share(stage->back_block, round, stage->back_tiles, stream->run->threads);
    const int64_t chunk = s == 0 ? round->nodes : block;               /* the first stage adds up its nodes in order */
    const int64_t tasks = task_count(round, chunk, stage->back_tiles);
#pragma omp parallel for schedule(dynamic) num_threads(stream->run->threads)
    for (int64_t at = 0; at < tasks; at++) {
        ng_worker *worker = &stream->workers[worker_number()];
        const task todo = task_at(at, round, chunk, stage->back_tiles);
        ng_back_tile_rows(plan, stage, todo.tile, worker->rows);
        for (int64_t n = 0; n < todo.nodes; n += block) {
            const int64_t first = todo.first_node + n;
            worker->used = 0;
            stage_tile_backward(stream, stage, todo.window * round->nodes + first, least(block, todo.nodes - n), worker);
            if (s == 0) add_to_sums(stream, todo.window, round->weights + first, worker);
        }
    }
}

/* ---- rounds ---- */

static void run_trunk(ng_stream *stream, const ng_round *round)
{
    int ends = 1;
    for (int64_t n = 0; n < round->nodes; n++)
        if (round->positions[n] != 1) ends = 2;
    stream->exact = round->exact;
    for (int s = 0; s < stream->plan->stage_count; s++) stage_forward(stream, s, round, ends);
}

void ng_stream_forward(ng_stream *stream, const ng_round *round, const ng_objective *objective, double *values, float *const *outputs)
{
    run_trunk(stream, round);
    run_head(stream, round, objective, values, outputs, false);
}

void ng_stream_gradient(ng_stream *stream, const ng_round *round, const ng_objective *objective)
{
    run_trunk(stream, round);
    run_head(stream, round, objective, NULL, NULL, true);
    for (int s = stream->plan->stage_count - 1; s >= 0; s--) stage_backward(stream, s, round);
}

void ng_stream_clear(ng_stream *stream, int64_t windows)
{
    for (int i = 0; i < stream->plan->origin_count; i++) {
        const int k = stream->plan->origins[i];
        memset(stream->sums[k], 0, (size_t)(windows * ng_size(stream->plan->nodes[k].whole)) * 4);
    }
}

static void prefix_tile_backward(ng_stream *stream, int input, int64_t window, int64_t tile, float *gradient, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    const int first = plan->input_nodes[input], last = plan->origins[input];
    worker->used = 0;
    for (int k = 0; k < plan->trunk_first; k++) worker->tiles[k] = (ng_tile){0};
    ng_prefix_tile_rows(plan, input, tile, worker->rows);
    for (int k = last;; k = plan->nodes[k].inputs[0]) {
        const ng_node *node = &plan->nodes[k];
        const ng_range rows = worker->rows[k];
        const int64_t size = ng_size(node->whole);
        float *whole = k == last ? stream->sums[k] + window * size : k == first ? gradient + window * size : NULL;
        if (k == last && k == first) {           /* no affine layer: the sums are the gradient */
            memcpy(gradient + window * size + rows.first * node->whole.channels, whole + rows.first * node->whole.channels,
                   (size_t)((rows.last - rows.first) * node->whole.channels) * 4);
            return;
        }
        worker->tiles[k] = whole ? (ng_tile){whole + rows.first * node->whole.channels, rows.first, rows.last, ng_rows(node->whole),
                                             node->whole.channels, 1, size}
                                 : new_tile(worker, node, rows, 1);
        if (k != last && !empty(rows))
            memset(worker->tiles[k].data, 0, (size_t)((rows.last - rows.first) * node->whole.channels) * 4);
        if (k == first) break;
    }
    for (int k = last; k != first; k = plan->nodes[k].inputs[0])
        if (!empty(worker->rows[k])) layer_backward(stream, k, worker->tiles, NULL, worker);
}

void ng_stream_input_gradient(ng_stream *stream, int input, int64_t windows, float *gradient)
{
    const int64_t tiles = stream->plan->prefix_tiles;
#pragma omp parallel for schedule(dynamic) num_threads(stream->run->threads)
    for (int64_t at = 0; at < windows * tiles; at++)
        prefix_tile_backward(stream, input, at / tiles, at % tiles, gradient, &stream->workers[worker_number()]);
}
