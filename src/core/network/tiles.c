#include "core/network/tiles.h"
#ifdef _OPENMP
#include <omp.h>
#endif

static int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

static int most_inputs(const ng_plan *plan)
{
    int most = 1;
    for (int k = 0; k < plan->count; k++)
        if (plan->nodes[k].layer.inputs > most) most = plan->nodes[k].layer.inputs;
    return most;
}

ng_status ng_workers_make(ng_stream *stream, ng_error *error)
{
    ng_arena *arena = stream->run->arena;
    const int n = stream->plan->count, threads = stream->run->threads;
    if (!(stream->workers = ng_alloc(arena, threads, sizeof *stream->workers, error))) return error->status;
    for (int t = 0; t < threads; t++) {
        ng_worker *worker = &stream->workers[t];
        worker->scratch = ng_alloc(arena, padded(stream->plan->scratch_bytes), 1, error);
        worker->before = ng_alloc(arena, n, sizeof *worker->before, error);
        worker->rows = ng_alloc(arena, n, sizeof *worker->rows, error);
        worker->next = ng_alloc(arena, n, sizeof *worker->next, error);
        worker->chain = ng_alloc(arena, n, sizeof *worker->chain, error);
        worker->tiles = ng_alloc(arena, n, sizeof *worker->tiles, error);
        worker->whole = ng_alloc(arena, n, sizeof *worker->whole, error);
        worker->ends = ng_alloc(arena, n, sizeof *worker->ends, error);
        worker->windows = ng_alloc(arena, n, sizeof *worker->windows, error);
        worker->found = ng_alloc(arena, n, sizeof *worker->found, error);
        worker->codes = ng_alloc(arena, n, sizeof *worker->codes, error);
        worker->operands = ng_alloc(arena, most_inputs(stream->plan), sizeof *worker->operands, error);
        if (!worker->scratch || !worker->before || !worker->rows || !worker->next || !worker->chain || !worker->tiles || !worker->whole ||
            !worker->ends || !worker->windows || !worker->found || !worker->codes || !worker->operands)
            return error->status;
    }
    return NG_OK;
}

ng_worker *ng_worker_here(const ng_stream *stream)
{
#ifdef _OPENMP
    return &stream->workers[omp_get_thread_num()];
#else
    return stream->workers;
#endif
}

void *ng_take(ng_worker *worker, int64_t bytes)
{
    void *memory = worker->scratch + worker->used;
    worker->used += padded(bytes);
    return memory;
}

ng_tile ng_new_tile(ng_worker *worker, const ng_node *node, ng_range rows, int64_t samples)
{
    const int64_t stride = (rows.last - rows.first) * node->whole.channels;
    return (ng_tile){ng_take(worker, samples * stride * 4), rows.first, rows.last, ng_rows(node->whole), node->whole.channels, samples, stride};
}

ng_code ng_new_code(ng_worker *worker, const ng_node *node, ng_range rows, int64_t samples)
{
    const int64_t stride = (rows.last - rows.first) * node->layer.code_bytes;
    return (ng_code){stride ? ng_take(worker, samples * stride) : NULL, rows.first, rows.last, node->layer.code_bytes, stride};
}

ng_range ng_new_rows(const ng_worker *worker, int k)
{
    const ng_range rows = worker->rows[k];
    return (ng_range){ng_rows_taken(worker->before[k], rows).last, rows.last};
}

ng_tile ng_some_rows(const ng_tile *tile, ng_range rows)
{
    ng_tile some = *tile;
    some.data += (rows.first - tile->first) * tile->channels;
    some.first = rows.first;
    some.last = rows.last;
    return some;
}

void ng_begin_head(const ng_plan *plan, int64_t samples, ng_worker *worker) { worker->used = plan->head_bytes * samples; }

void ng_place_tile(const ng_plan *plan, int k, int64_t samples, ng_worker *worker)
{
    const ng_node *node = &plan->nodes[k];
    const int64_t rows = ng_rows(node->whole), code_rows = ng_rows(node->layer.out), bytes = node->layer.code_bytes;
    worker->tiles[k] = (ng_tile){(float *)(worker->scratch + node->head_tile * samples), 0, rows, rows, node->whole.channels, samples,
                                 ng_size(node->whole)};
    worker->codes[k] = (ng_code){worker->scratch + node->head_code * samples, 0, code_rows, bytes, code_rows * bytes};
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

void ng_node_forward(const ng_stream *stream, int k, ng_tile *tiles, ng_code *code, ng_worker *worker)
{
    const ng_node *node = &stream->plan->nodes[k];
    const ng_layer *layer = stream->exact && node->exact ? node->exact : &node->layer;
    ng_tile y = as_layer_sees(tiles[k], node->layer.out, node->group);
    const int64_t used = worker->used;
    void *scratch = ng_take(worker, node->layer.scratch_bytes * y.samples + node->layer.call_bytes);
    layer->type->forward(layer, operands(node, tiles, worker), &y, code, scratch);
    worker->used = used;
}

void ng_node_backward(const ng_stream *stream, int k, ng_tile *gradients, const ng_code *code, ng_worker *worker)
{
    const ng_node *node = &stream->plan->nodes[k];
    const ng_layer *layer = stream->exact && node->exact ? node->exact : &node->layer;
    const ng_tile dy = as_layer_sees(gradients[k], node->layer.out, node->group);
    const int64_t used = worker->used;
    void *scratch = ng_take(worker, node->layer.scratch_bytes * dy.samples + node->layer.call_bytes);
    operands(node, gradients, worker);
    layer->type->backward(layer, &dy, code, worker->operands, scratch);
    worker->used = used;
}
