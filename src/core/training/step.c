/* core/training/step.c: one step of a trainer; see trainer.h for shards, segments and blocks. */
#include <string.h>
#include "core/network/types.h"
#include "core/training/dropout.h"
#include "core/training/trainer.h"
#ifdef _OPENMP
#include <omp.h>
#endif

typedef struct batch { const ng_samples *samples; const ng_pick *picks; int64_t count; } batch;

/* What one thread works with, for samples [first, first + count) of the batch, in shard `shard`. */
typedef struct block {
    ng_trainer *trainer;
    const batch *batch;
    int thread;
    int64_t shard, first, count, used;
    ng_tile *values, *gradients;
    ng_code *codes;
    uint8_t *local;
} block;

/* Of the rows of a layer: those that one thread works on. */
typedef struct part { int64_t at, of; int thread; } part;

static int thread_here(void)
{
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

static block begin_block(ng_trainer *t, const batch *b, int64_t shard, int64_t first, int64_t count)
{
    const int n = t->graph.count, thread = thread_here();
    ng_tile *tiles = t->tiles + thread * (2 * n + 2 * t->most_inputs);
    return (block){t, b, thread, shard, first, count, 0, tiles, tiles + n, t->codes + thread * n, t->local[thread]};
}

static void *take(block *b, int64_t bytes)
{
    void *memory = b->local + b->used;
    b->used += (bytes + 63) / 64 * 64;
    return memory;
}

/* Samples of the block of a tensor: kept for the whole batch, or of this thread. */
static ng_tile tile_of(block *b, const ng_unit *unit, float *kept)
{
    const int64_t size = ng_size(unit->whole), rows = ng_rows(unit->whole);
    float *data = kept ? kept + b->first * size : take(b, b->count * size * (int64_t)sizeof(float));
    return (ng_tile){data, 0, rows, rows, unit->whole.channels, b->count, size};
}

/* A tile as a layer sees it: TimeDistributed layers see `group` samples in each. */
static ng_tile as_layer_sees(ng_tile tile, ng_shape own, int64_t group)
{
    return (ng_tile){tile.data, 0, ng_rows(own), ng_rows(own), own.channels, tile.samples * group, tile.data ? ng_size(own) : 0};
}

static ng_code code_of(block *b, const ng_unit *unit)
{
    const int64_t rows = ng_rows(unit->layer.out), bytes = rows * unit->layer.code_bytes, all = bytes * unit->group;
    if (!bytes) return (ng_code){0};
    uint8_t *data = unit->code ? unit->code + b->first * all : take(b, b->count * all);
    return (ng_code){data, 0, rows, unit->layer.code_bytes, bytes};
}

/* Tiles of the inputs of one layer: `set` 0 and 1, for two at a time. */
static ng_tile *operands_of(const ng_trainer *t, part p, int set)
{
    return t->tiles + p.thread * (2 * t->graph.count + 2 * t->most_inputs) + 2 * t->graph.count + set * t->most_inputs;
}

/* Parts begin at multiples of `align`. */
static int64_t begin_of(int64_t at, int64_t of, int64_t length, int64_t align)
{
    const int64_t begin = align > 1 ? (at * length / of + align - 1) / align * align : at * length / of;
    return begin < length ? begin : length;
}

static ng_tile aligned_rows_of(ng_tile tile, part p, int64_t align)
{
    tile.first = begin_of(p.at, p.of, tile.length, align);
    tile.last = begin_of(p.at + 1, p.of, tile.length, align);
    if (tile.data) tile.data += tile.first * tile.channels;
    return tile;
}

static ng_tile rows_of(ng_tile tile, part p) { return aligned_rows_of(tile, p, 1); }

static void deal(block *b, int k, void (*work)(block *b, int k, part p))
{
    ng_trainer *t = b->trainer;
    if (!t->units[k].dealt) {
        work(b, k, (part){0, 1, b->thread});
        return;
    }
#pragma omp parallel for schedule(dynamic) num_threads(t->threads)
    for (int64_t at = 0; at < NG_SHARDS; at++) work(b, k, (part){at, NG_SHARDS, thread_here()});
}

/* Where its sums go: a shard's, or where rows are dealt a part's. */
static int64_t slot_of(const block *b, part p) { return b->trainer->wide ? p.at : b->shard; }

static void gather(const ng_unit *unit, const ng_tile *tiles, ng_tile *operands)
{
    for (int i = 0; i < unit->layer.inputs; i++)
        operands[i] = as_layer_sees(tiles[unit->inputs[i]], unit->layer.in[i], unit->group);
}

static ng_dropout_draw draw_of(const block *b, int k)
{
    const ng_trainer *t = b->trainer;
    return (ng_dropout_draw){t->settings.key, (uint64_t)t->step * (uint64_t)t->graph.count + (uint64_t)k, b->first};
}

/* ---- forward ---- */

static void read_input(const block *b, int k, ng_tile *to)
{
    const ng_graph *graph = &b->trainer->graph;
    for (int i = 0; i < graph->input_count; i++)
        for (int64_t n = 0; graph->inputs[i] == k && n < b->count; n++)
            ng_sample_rows(b->batch->samples, b->batch->picks[b->first + n], i, b->trainer->units[k].whole, ng_row(to, n, 0));
}

static void forward_rows(block *b, int k, part p)
{
    const ng_unit *unit = &b->trainer->units[k];
    ng_tile y = aligned_rows_of(as_layer_sees(b->values[k], unit->layer.out, unit->group), p, unit->layer.y_align);
    const ng_tile *from = &b->values[unit->inputs[0]];
    if (unit->statistics) ng_normalize(unit->statistics, from, &y);
    else if (unit->dropout > 0) {
        const ng_dropout_draw draw = draw_of(b, k);
        ng_drop(&draw, unit->dropout, unit->layer.type == &ng_spatial_dropout1d, from, false, &y);
    } else {
        ng_tile *operands = operands_of(b->trainer, p, 0);
        ng_code code = b->codes[k];
        code.first = y.first;
        code.last = y.last;
        if (code.data) code.data += y.first * code.row_bytes;
        gather(unit, b->values, operands);
        unit->layer.type->forward(&unit->layer, operands, &y, &code, b->trainer->scratch[p.thread]);
    }
}

static void unit_forward(block *b, int k)
{
    const ng_unit *unit = &b->trainer->units[k];
    b->values[k] = tile_of(b, unit, unit->value);
    b->codes[k] = code_of(b, unit);
    if (unit->layer.inputs == 0) read_input(b, k, &b->values[k]);
    else deal(b, k, forward_rows);
}

/* What a segment reads of earlier ones, and wrote itself. */
static void find_kept_values(block *b, const ng_segment *segment, bool own)
{
    for (int k = 0; k < (own ? segment->last : segment->first); k++) {
        const ng_unit *unit = &b->trainer->units[k];
        if (unit->value) b->values[k] = tile_of(b, unit, unit->value);
        if (unit->code) b->codes[k] = code_of(b, unit);
    }
}

static void block_forward(block *b, const ng_segment *segment)
{
    find_kept_values(b, segment, false);
    for (int k = segment->first; k < segment->last; k++)
        if (b->trainer->units[k].needed) unit_forward(b, k);
}

/* ---- backward ---- */

static void clear_rows(block *b, int k, part p)
{
    const ng_tile tile = rows_of(b->gradients[k], p);
    for (int64_t n = 0; n < tile.samples; n++)
        memset(tile.data + n * tile.sample_stride, 0, (size_t)((tile.last - tile.first) * tile.channels) * sizeof(float));
}

static void begin_gradients(block *b, const ng_segment *segment)
{
    for (int k = 0; k < segment->last; k++) {
        const ng_unit *unit = &b->trainer->units[k];
        b->gradients[k] = (ng_tile){0};
        if (!unit->needed || !unit->reaches || (k < segment->first && !unit->gradient)) continue;
        b->gradients[k] = tile_of(b, unit, unit->gradient);
        if (!unit->gradient) deal(b, k, clear_rows);
    }
}

static void clear_gradients(block *b, const ng_segment *segment)
{
    for (int k = segment->first; k < segment->last; k++) {
        const ng_unit *unit = &b->trainer->units[k];
        if (!unit->gradient) continue;
        b->gradients[k] = tile_of(b, unit, unit->gradient);
        deal(b, k, clear_rows);
    }
}

/* The gradient of the loss, which is a mean over the batch. */
static void begin_with_loss(block *b)
{
    const ng_trainer *t = b->trainer;
    const ng_tile *output = &b->values[t->settings.output], *gradient = &b->gradients[t->settings.output];
    const ng_samples *samples = b->batch->samples;
    const int64_t size = output->sample_stride;
    for (int64_t n = 0; n < b->count; n++) {
        const int64_t sample = b->batch->picks[b->first + n].sample;
        const double weight = samples->weights ? samples->weights[sample] : 1;
        t->loss[b->first + n] = weight * ng_loss_of(t->settings.loss, ng_row(output, n, 0), samples->targets + sample * size, size,
                                                           output->channels, weight / (double)b->batch->count, ng_row(gradient, n, 0),
                                                           &t->right[b->first + n]);
    }
}

static float *sums_of(const ng_trainer *t, int64_t slot)
{
    return slot ? t->partial + t->trained_count + (slot - 1) * t->shared_count : t->partial;
}

static float *const *weight_gradients(const ng_trainer *t, int k, int thread, int64_t slot)
{
    const ng_call *call = &t->graph.calls[t->units[k].learns];
    float **dw = t->units[k].dw + thread * call->weight_count, *partial = sums_of(t, slot);
    for (int w = 0; w < call->weight_count; w++) {
        int64_t at = 0;
        while (t->graph.weights[at].data != call->weights[w].data) at++;
        dw[w] = t->places[at] < 0 ? NULL : partial + t->places[at];
    }
    return dw;
}

static bool any(float *const *dw, int count)
{
    for (int w = 0; w < count; w++)
        if (dw[w]) return true;
    return false;
}

/* Rows of dx; and of dw what the rows of dy add. A layer that is not dealt does both at once. */
static void backward_rows(block *b, int k, part p)
{
    ng_trainer *t = b->trainer;
    const ng_unit *unit = &t->units[k];
    const ng_layer *layer = &unit->layer;
    const ng_tile dy = as_layer_sees(b->gradients[k], layer->out, unit->group);
    ng_tile *wanted = operands_of(t, p, 0), *x = operands_of(t, p, 1);
    gather(unit, b->gradients, wanted);
    for (int i = 0; i < layer->inputs; i++) wanted[i] = aligned_rows_of(wanted[i], p, layer->x_align);
    if (unit->dropout > 0) {
        const ng_dropout_draw draw = draw_of(b, k);
        ng_drop(&draw, unit->dropout, layer->type == &ng_spatial_dropout1d, &dy, true, wanted);
        return;
    }
    float *const *dw = weight_gradients(t, k, p.thread, slot_of(b, p));
    const bool learns = any(dw, layer->weight_count);
    void *scratch = t->scratch[p.thread];
    if (!learns || p.of > 1) layer->type->backward(layer, &dy, &b->codes[k], wanted, scratch);
    const int64_t parts = p.of > 1 ? ng_gradient_parts(unit) : 1;
    if (!learns || p.at >= parts) return;
    const ng_tile rows = rows_of(dy, (part){p.at, parts, p.thread});
    for (int i = 0; p.of > 1 && i < layer->inputs; i++) wanted[i].data = NULL;
    gather(unit, b->values, x);
    layer->type->gradients(layer, x, &rows, &b->codes[k], wanted, dw, scratch);
}

static void unit_backward(block *b, int k)
{
    const ng_unit *unit = &b->trainer->units[k];
    if (b->gradients[k].data && unit->layer.inputs > 0 && !unit->statistics) deal(b, k, backward_rows);
}

static void block_backward(block *b, const ng_segment *segment)
{
    for (int k = segment->last - 1; k >= segment->first; k--)
        if (b->trainer->units[k].needed) unit_backward(b, k);
}

/* ---- a segment, all shards ---- */

static ng_range shard_samples(const ng_trainer *t, int64_t shard, int64_t count)
{
    return ng_clip(shard * t->shard_samples, (shard + 1) * t->shard_samples, count);
}

typedef enum { FORWARD, BACKWARD, BOTH } direction;

/* Sums of a normalization over rows of what it reads, forward and back; and its own step back. */
static void add_rows(block *b, int k, part p)
{
    const ng_unit *unit = &b->trainer->units[k], *from = &b->trainer->units[unit->inputs[0]];
    const ng_tile x = rows_of(tile_of(b, from, from->value), p);
    ng_statistics_add(unit->statistics, &x, unit->statistics->sums + slot_of(b, p) * 2 * unit->statistics->channels);
}

static void add_rows_back(block *b, int k, part p)
{
    const ng_unit *unit = &b->trainer->units[k], *from = &b->trainer->units[unit->inputs[0]];
    const ng_tile x = rows_of(tile_of(b, from, from->value), p), dy = tile_of(b, unit, unit->gradient);
    ng_statistics_add_back(unit->statistics, &x, &dy, unit->statistics->sums + slot_of(b, p) * 2 * unit->statistics->channels);
}

static void normalize_rows_back(block *b, int k, part p)
{
    const ng_unit *unit = &b->trainer->units[k], *from = &b->trainer->units[unit->inputs[0]];
    const ng_tile x = tile_of(b, from, from->value), dy = tile_of(b, unit, unit->gradient);
    ng_tile dx = rows_of(tile_of(b, from, from->gradient), p);
    ng_normalize_back(unit->statistics, &x, &dy, &dx);
}

/* For each normalization that reads what segment s made. */
static void deal_to_readers(block *b, int s, void (*work)(block *b, int k, part p), bool back)
{
    const ng_trainer *t = b->trainer;
    for (int k = t->segments[s].last; k < t->graph.count; k++) {
        const ng_unit *from = t->units[k].statistics ? &t->units[t->units[k].inputs[0]] : NULL;
        if (from && from->segment == s && (!back || from->reaches)) deal(b, k, work);
    }
}

static void run_block(block *b, int s, direction way)
{
    const ng_segment *segment = &b->trainer->segments[s];
    if (way == BACKWARD) {
        find_kept_values(b, segment, true);
        deal_to_readers(b, s, normalize_rows_back, true);
    } else {
        clear_gradients(b, segment);
        block_forward(b, segment);
    }
    if (way == FORWARD) {
        deal_to_readers(b, s, add_rows, false);
        return;
    }
    begin_gradients(b, segment);
    if (way == BOTH) begin_with_loss(b);
    block_backward(b, segment);
    const ng_unit *unit = &b->trainer->units[segment->first];
    if (unit->statistics && unit->reaches) deal(b, segment->first, add_rows_back);
}

static void run_shard(ng_trainer *t, int s, const batch *todo, direction way, int64_t shard)
{
    const int64_t most = t->segments[s].block;
    const ng_range mine = shard_samples(t, shard, todo->count);
    for (int64_t first = mine.first; first < mine.last; first += most) {
        block b = begin_block(t, todo, shard, first, mine.last - first < most ? mine.last - first : most);
        run_block(&b, s, way);
    }
}

static void run_segment(ng_trainer *t, int s, const batch *todo, direction way)
{
    if (t->wide) {
        run_shard(t, s, todo, way, 0);
        return;
    }
#pragma omp parallel for schedule(dynamic) num_threads(t->threads)
    for (int64_t shard = 0; shard < NG_SHARDS; shard++) run_shard(t, s, todo, way, shard);
}

/* ---- a step ---- */

/* How many weights have sums there. */
static int64_t sums_in(const ng_trainer *t, int64_t slot)
{
    return slot == 0 ? t->trained_count : slot < NG_FEW_PARTS ? t->shared_count : t->many_count;
}

static void clear_sums(ng_trainer *t)
{
#pragma omp parallel for schedule(static) num_threads(t->threads)
    for (int64_t slot = 0; slot < NG_SHARDS; slot++)
        memset(sums_of(t, slot), 0, (size_t)sums_in(t, slot) * sizeof *t->partial);
}

static void add_shards(ng_trainer *t)
{
    enum { CHUNK = 1024 };
#pragma omp parallel for schedule(static) num_threads(t->threads)
    for (int64_t at = 0; at < t->shared_count; at += CHUNK) {
        const int64_t count = t->shared_count - at < CHUNK ? t->shared_count - at : CHUNK;
        double sums[CHUNK] = {0};
        for (int64_t shard = 0; shard < NG_SHARDS; shard++) {
            const float *from = sums_of(t, shard) + at;
            const int64_t there = sums_in(t, shard) - at < count ? sums_in(t, shard) - at : count;
#pragma omp simd
            for (int64_t i = 0; i < there; i++) sums[i] += (double)from[i];
        }
        for (int64_t i = 0; i < count; i++) t->partial[at + i] = (float)sums[i];
    }
}

/* All samples have added to the sums of its gradient. */
static void end_normalization(ng_trainer *t, int k)
{
    ng_statistics *statistics = t->units[k].statistics;
    if (!statistics || !t->units[k].reaches) return;
    float *const *dw = weight_gradients(t, k, 0, 0);
    ng_statistics_end_back(statistics, NG_SHARDS, statistics->gamma ? dw[0] : NULL,
                           statistics->beta ? dw[statistics->gamma != NULL] : NULL);
}

void ng_train_gradient(ng_trainer *t, const ng_samples *samples, const ng_pick *picks, int64_t count, double *loss, double *right)
{
    const batch todo = {samples, picks, count};
    const int last = t->segment_count - 1;
    clear_sums(t);
    for (int s = 0; s <= last; s++) {
        const ng_unit *unit = &t->units[t->segments[s].first];
        if (unit->statistics) ng_statistics_end(unit->statistics, NG_SHARDS, count * ng_rows(unit->whole));
        run_segment(t, s, &todo, s == last ? BOTH : FORWARD);
    }
    for (int s = last; s >= 0; s--) {
        if (s < last) run_segment(t, s, &todo, BACKWARD);
        end_normalization(t, t->segments[s].first);
    }
    add_shards(t);
    *loss = *right = 0;
    for (int64_t n = 0; n < count; n++) {
        *loss += t->loss[n] / (double)count;
        *right += t->right[n] / (double)count;
    }
}

ng_status ng_train_update(ng_trainer *t, double rate, ng_error *error)
{
    enum { CHUNK = 1 << 14 };
    t->step++;
#pragma omp parallel for schedule(static) num_threads(t->threads)
    for (int64_t at = 0; at < t->trained_count; at += CHUNK) {
        const int64_t count = t->trained_count - at < CHUNK ? t->trained_count - at : CHUNK;
        ng_optimize(&t->settings.optimizer, rate, t->step, t->partial + at, t->trained + at, t->mean + at, t->square + at, count);
    }
    return ng_trainer_refresh(t, error);
}
