#include <string.h>
#include "core/attribution/what_if_head.h"
#include "core/network/cost.h"
#include "core/network/types.h"

static bool empty(ng_range r) { return r.first >= r.last; }

/* ---- which layers take differences ---- */

static int readers(const ng_plan *plan, int k)
{
    int count = 0;
    for (int later = k + 1; later < plan->count; later++)
        for (int i = 0; i < plan->nodes[later].layer.inputs; i++) count += plan->nodes[later].inputs[i] == k;
    return count;
}

static bool is_goal(const ng_plan *plan, int goals, int k)
{
    for (int w = 0; w < goals; w++)
        if (plan->wanted[w] == k) return true;
    return false;
}

/* Is node k a dense layer that alone reads a flattened tensor of the boundary? */
static bool takes_differences(const ng_plan *plan, int goals, int k)
{
    const ng_node *dense = &plan->nodes[k];
    if (k < plan->head_first || dense->layer.type != &ng_dense || dense->group != 1) return false;
    const int from = dense->inputs[0];
    const ng_node *flat = &plan->nodes[from];
    return from >= plan->head_first && flat->layer.type == &ng_flatten && flat->group == 1 && flat->inputs[0] < plan->head_first &&
           readers(plan, from) == 1 && !is_goal(plan, goals, from);
}

/* Does the head, or the caller, read kept tensor k as it is? */
static bool read_whole(const ng_plan *plan, int goals, int k)
{
    if (!plan->nodes[k].kept) return false;
    if (is_goal(plan, goals, k)) return true;
    for (int later = plan->head_first; later < plan->count; later++)
        for (int i = 0; i < plan->nodes[later].layer.inputs; i++) {
            if (plan->nodes[later].inputs[i] != k) continue;
            bool skipped = false;
            for (int dense = later + 1; dense < plan->count; dense++)
                skipped = skipped || (plan->nodes[dense].layer.inputs && plan->nodes[dense].inputs[0] == later &&
                                      takes_differences(plan, goals, dense));
            if (!skipped) return true;
        }
    return false;
}

ng_status ng_head_make(const ng_stream *stream, const ng_objective *objective, int goals, ng_arena *arena, ng_head *head, ng_error *error)
{
    const ng_plan *plan = stream->plan;
    const int n = plan->count;
    *head = (ng_head){.stream = stream, .objective = objective, .whole = ng_alloc(arena, n, sizeof *head->whole, error),
                      .skipped = ng_alloc(arena, n, sizeof *head->skipped, error),
                      .difference = ng_alloc(arena, n, sizeof *head->difference, error), .sums = ng_alloc(arena, n, sizeof *head->sums, error)};
    if (!head->whole || !head->skipped || !head->difference || !head->sums) return error->status;
    for (int k = 0; k < n; k++) {
        if (k < plan->head_first) head->whole[k] = read_whole(plan, goals, k);
        if (!takes_differences(plan, goals, k)) continue;
        head->differences = head->difference[k] = head->skipped[plan->nodes[k].inputs[0]] = true;
        if (!(head->sums[k] = ng_alloc(arena, stream->samples * plan->nodes[k].whole.channels, sizeof(float), error))) return error->status;
    }
    return NG_OK;
}

/* ---- rooms ---- */

int64_t ng_head_room_bytes(const ng_plan *plan, int goals)
{
    int64_t bytes = 0;
    for (int k = 0; k < plan->count; k++) {
        if (k < plan->head_first && read_whole(plan, goals, k)) bytes += ng_size(plan->nodes[k].whole) * 4 + 64;
        if (takes_differences(plan, goals, k)) bytes += plan->nodes[k].whole.channels * 12 + 64;
    }
    return bytes;
}

ng_status ng_head_room_make(const ng_head *head, int64_t block, ng_arena *arena, ng_head_room *room, ng_error *error)
{
    const ng_plan *plan = head->stream->plan;
    int64_t units = 1;
    room->tensors = ng_alloc(arena, plan->count, sizeof *room->tensors, error);
    room->sums = ng_alloc(arena, plan->count, sizeof *room->sums, error);
    if (!room->tensors || !room->sums) return error->status;
    for (int k = 0; k < plan->count; k++) {
        const ng_shape whole = plan->nodes[k].whole;
        if (head->whole[k] && !(room->tensors[k] = ng_alloc(arena, block, (size_t)ng_size(whole) * 4, error))) return error->status;
        if (!head->difference[k]) continue;
        if (!(room->sums[k] = ng_alloc(arena, block, (size_t)whole.channels * 4, error))) return error->status;
        if (whole.channels > units) units = whole.channels;
    }
    room->added = ng_alloc(arena, units, sizeof *room->added, error);
    return room->added ? NG_OK : error->status;
}

/* ---- values ---- */

static ng_tile block_tile(const ng_node *node, float *data, int64_t samples)
{
    return (ng_tile){data, 0, ng_rows(node->whole), ng_rows(node->whole), node->whole.channels, samples, ng_size(node->whole)};
}

static void run_node(const ng_stream *stream, int k, int64_t samples, ng_worker *worker)
{
    ng_place_tile(stream->plan, k, samples, worker);
    ng_node_forward(stream, k, worker->tiles, &worker->codes[k], worker);
}

void ng_head_values(const ng_head *head, const ng_head_room *room, int64_t samples, double *values, ng_worker *worker)
{
    const ng_plan *plan = head->stream->plan;
    ng_begin_head(plan, samples, worker);
    for (int k = 0; k < plan->head_first; k++)
        if (head->whole[k]) worker->tiles[k] = block_tile(&plan->nodes[k], room->tensors[k], samples);
    for (int k = plan->head_first; k < plan->count; k++) {
        if (head->difference[k]) worker->tiles[k] = block_tile(&plan->nodes[k], room->sums[k], samples);
        else if (!head->skipped[k]) run_node(head->stream, k, samples, worker);
    }
    for (int64_t n = 0; n < samples; n++) values[n] = 0;
    for (int w = 0; w < plan->wanted_count; w++) {
        const float *cotangent = head->objective->cotangent[w];
        const ng_tile *tile = &worker->tiles[plan->wanted[w]];
        const int64_t size = ng_size(plan->nodes[plan->wanted[w]].whole);
        for (int64_t n = 0; cotangent && n < samples; n++) {
            double sum = 0;
            for (int64_t i = 0; i < size; i++) sum += (double)cotangent[i] * (double)tile->data[n * tile->sample_stride + i];
            values[n] += sum;
        }
    }
}

/* ---- changes ---- */

/* Adds (new - old) W over the dirty rows of the flattened tensor; rows in ascending order, in double. */
static void add_difference(const ng_stream *stream, int k, int64_t sample, ng_range dirty, const ng_tile *tile, int64_t n, double *added)
{
    const ng_plan *plan = stream->plan;
    const int from = plan->nodes[plan->nodes[k].inputs[0]].inputs[0];
    const int64_t channels = plan->nodes[from].whole.channels, units = plan->nodes[k].whole.channels;
    const float *old = stream->kept[from] + sample * ng_size(plan->nodes[from].whole);
    for (int64_t t = dirty.first; t < dirty.last; t++) {
        const float *row = ng_row(tile, n, t);
        for (int64_t c = 0; c < channels; c++) {
            const double change = (double)row[c] - (double)old[t * channels + c];
            const float *weights = plan->nodes[k].layer.weights[0].data + (t * channels + c) * units;
            if (change == 0) continue;
#pragma omp simd
            for (int64_t u = 0; u < units; u++) added[u] += change * (double)weights[u];
        }
    }
}

void ng_head_place(const ng_head *head, int64_t at, int64_t sample, const ng_cone *cone, const ng_tile *tiles, int64_t n, ng_head_room *room)
{
    const ng_stream *stream = head->stream;
    const ng_plan *plan = stream->plan;
    for (int k = 0; k < plan->head_first; k++) {
        if (!head->whole[k]) continue;
        const int64_t size = ng_size(plan->nodes[k].whole), channels = plan->nodes[k].whole.channels;
        float *to = room->tensors[k] + at * size;
        memcpy(to, stream->kept[k] + sample * size, (size_t)size * 4);
        const ng_range dirty = cone->dirty[k];
        if (!empty(dirty)) memcpy(to + dirty.first * channels, ng_row(&tiles[k], n, dirty.first),
                                  (size_t)((dirty.last - dirty.first) * channels) * 4);
    }
    for (int k = plan->head_first; k < plan->count; k++) {
        if (!head->difference[k]) continue;
        const int from = plan->nodes[plan->nodes[k].inputs[0]].inputs[0];
        const int64_t units = plan->nodes[k].whole.channels;
        const float *before = head->sums[k] + sample * units;
        memset(room->added, 0, (size_t)units * sizeof *room->added);
        if (!empty(cone->dirty[from])) add_difference(stream, k, sample, cone->dirty[from], &tiles[from], n, room->added);
        for (int64_t u = 0; u < units; u++) room->sums[k][at * units + u] = (float)((double)before[u] + room->added[u]);
    }
}

/* The dense layers of sample `sample` of the stream, and its value from there. */
static double begin_sample(ng_head *head, ng_head_room *room, int64_t sample, ng_worker *worker)
{
    const ng_stream *stream = head->stream;
    const ng_plan *plan = stream->plan;
    double value;
    for (int k = 0; k < plan->count; k++) {
        const int64_t size = ng_size(plan->nodes[k].whole);
        if (head->whole[k]) memcpy(room->tensors[k], stream->kept[k] + sample * size, (size_t)size * 4);
        if (!head->difference[k]) continue;
        const int flat = plan->nodes[k].inputs[0], from = plan->nodes[flat].inputs[0];
        ng_begin_head(plan, 1, worker);
        worker->tiles[from] = block_tile(&plan->nodes[from], stream->kept[from] + sample * ng_size(plan->nodes[from].whole), 1);
        run_node(stream, flat, 1, worker);
        run_node(stream, k, 1, worker);
        memcpy(head->sums[k] + sample * size, worker->tiles[k].data, (size_t)size * 4);
        memcpy(room->sums[k], worker->tiles[k].data, (size_t)size * 4);
    }
    ng_head_values(head, room, 1, &value, worker);
    return value;
}

void ng_head_begin(ng_head *head, ng_head_room *rooms, int64_t samples, double *values)
{
    const ng_stream *stream = head->stream;
    if (!head->differences) return;
#pragma omp parallel for schedule(dynamic) num_threads(stream->run->threads)
    for (int64_t sample = 0; sample < samples; sample++) {
        ng_worker *worker = ng_worker_here(stream);
        values[sample] = begin_sample(head, &rooms[worker - stream->workers], sample, worker);
    }
}

double ng_head_operations(const ng_head *head, const ng_cone *cone)
{
    const ng_plan *plan = head->stream->plan;
    double operations = 0;
    for (int k = plan->head_first; k < plan->count; k++) {
        const ng_node *node = &plan->nodes[k];
        if (head->skipped[k]) continue;
        if (!head->difference[k]) {
            operations += ng_row_operations(&node->layer, false) * (double)(ng_rows(node->layer.out) * node->group);
            continue;
        }
        const int from = plan->nodes[node->inputs[0]].inputs[0];
        const ng_range dirty = cone->dirty[from];
        if (!empty(dirty)) operations += 2 * (double)((dirty.last - dirty.first) * plan->nodes[from].whole.channels * node->whole.channels);
    }
    return operations;
}
