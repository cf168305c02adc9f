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
    ng_tile *values, *gradients, *operands, *wanted;
    ng_code *codes;
    uint8_t *local;
} block;

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
    return (block){t, b, thread, shard, first, count, 0, tiles, tiles + n, tiles + 2 * n, tiles + 2 * n + t->most_inputs,
                   t->codes + thread * n, t->local[thread]};
}

static void *take(block *b, int64_t bytes)
{
    void *memory = b->local + b->used;
    b->used += (bytes + 63) / 64 * 64;
    return memory;
}

static void *scratch(const block *b) { return b->local + b->trainer->local_bytes; }

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

static void unit_forward(block *b, int k)
{
    const ng_unit *unit = &b->trainer->units[k];
    ng_tile *to = &b->values[k];
    *to = tile_of(b, unit, unit->value);
    b->codes[k] = code_of(b, unit);
    if (unit->layer.inputs == 0) {
        read_input(b, k, to);
        return;
    }
    const ng_tile *from = &b->values[unit->inputs[0]];
    if (unit->statistics) ng_normalize(unit->statistics, from, to);
    else if (unit->dropout > 0) {
        const ng_dropout_draw draw = draw_of(b, k);
        ng_drop(&draw, unit->dropout, unit->layer.type == &ng_spatial_dropout1d, from, false, to);
    } else {
        ng_tile y = as_layer_sees(*to, unit->layer.out, unit->group);
        gather(unit, b->values, b->operands);
        unit->forward.type->forward(&unit->forward, b->operands, &y, &b->codes[k], scratch(b));
    }
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

static void begin_gradients(block *b, const ng_segment *segment)
{
    for (int k = 0; k < segment->last; k++) {
        const ng_unit *unit = &b->trainer->units[k];
        b->gradients[k] = (ng_tile){0};
        if (!unit->needed || !unit->reaches || (k < segment->first && !unit->gradient)) continue;
        b->gradients[k] = tile_of(b, unit, unit->gradient);
        if (!unit->gradient) memset(b->gradients[k].data, 0, (size_t)(b->count * b->gradients[k].sample_stride) * sizeof(float));
    }
}

static void clear_gradients(block *b, const ng_segment *segment)
{
    for (int k = segment->first; k < segment->last; k++) {
        const ng_unit *unit = &b->trainer->units[k];
        if (!unit->gradient) continue;
        const ng_tile kept = tile_of(b, unit, unit->gradient);
        memset(kept.data, 0, (size_t)(b->count * kept.sample_stride) * sizeof(float));
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

static float *const *weight_gradients(const block *b, int k)
{
    const ng_trainer *t = b->trainer;
    const ng_call *call = &t->graph.calls[k];
    float **dw = t->units[k].dw + b->thread * call->weight_count, *partial = t->partial + b->shard * t->trained_count;
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

static void unit_backward(block *b, int k)
{
    const ng_unit *unit = &b->trainer->units[k];
    const ng_tile *dy = &b->gradients[k];
    if (!dy->data || unit->layer.inputs == 0 || unit->statistics) return;
    ng_tile *dx = &b->gradients[unit->inputs[0]];
    if (unit->dropout > 0) {
        const ng_dropout_draw draw = draw_of(b, k);
        ng_drop(&draw, unit->dropout, unit->layer.type == &ng_spatial_dropout1d, dy, true, dx);
        return;
    }
    const ng_tile own = as_layer_sees(*dy, unit->layer.out, unit->group);
    float *const *dw = weight_gradients(b, k);
    gather(unit, b->gradients, b->wanted);
    if (any(dw, unit->layer.weight_count)) {
        gather(unit, b->values, b->operands);
        unit->layer.type->gradients(&unit->layer, b->operands, &own, &b->codes[k], b->wanted, dw, scratch(b));
    } else unit->layer.type->backward(&unit->layer, &own, &b->codes[k], b->wanted, scratch(b));
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

/* Each normalization reads what this segment made: of these samples it takes the sums. */
static void add_statistics(block *b, int s)
{
    const ng_trainer *t = b->trainer;
    for (int k = t->segments[s].last; k < t->graph.count; k++) {
        const ng_unit *unit = &t->units[k], *from = unit->statistics ? &t->units[unit->inputs[0]] : NULL;
        if (!from || from->segment != s) continue;
        const ng_tile x = tile_of(b, from, from->value);
        ng_statistics_add(unit->statistics, &x, unit->statistics->sums + b->shard * 2 * unit->statistics->channels);
    }
}

/* Gradients come back through the normalizations that read this segment. */
static void normalize_back(block *b, int s)
{
    const ng_trainer *t = b->trainer;
    for (int k = t->segments[s].last; k < t->graph.count; k++) {
        const ng_unit *unit = &t->units[k], *from = unit->statistics ? &t->units[unit->inputs[0]] : NULL;
        if (!from || from->segment != s || !from->reaches) continue;
        const ng_tile x = tile_of(b, from, from->value), dy = tile_of(b, unit, unit->gradient);
        ng_tile dx = tile_of(b, from, from->gradient);
        ng_normalize_back(unit->statistics, &x, &dy, &dx);
    }
}

/* The gradient of the normalization that begins this segment has arrived: of these samples it takes the sums. */
static void add_statistics_back(block *b, int s)
{
    const ng_trainer *t = b->trainer;
    const ng_unit *unit = &t->units[t->segments[s].first];
    if (!unit->statistics || !unit->reaches) return;
    const ng_unit *from = &t->units[unit->inputs[0]];
    const ng_tile x = tile_of(b, from, from->value), dy = tile_of(b, unit, unit->gradient);
    ng_statistics_add_back(unit->statistics, &x, &dy, unit->statistics->sums + b->shard * 2 * unit->statistics->channels);
}

static void run_block(block *b, int s, direction way)
{
    const ng_segment *segment = &b->trainer->segments[s];
    if (way == BACKWARD) {
        find_kept_values(b, segment, true);
        normalize_back(b, s);
    } else {
        clear_gradients(b, segment);
        block_forward(b, segment);
    }
    if (way == FORWARD) {
        add_statistics(b, s);
        return;
    }
    begin_gradients(b, segment);
    if (way == BOTH) begin_with_loss(b);
    block_backward(b, segment);
    add_statistics_back(b, s);
}

static void run_segment(ng_trainer *t, int s, const batch *todo, direction way)
{
    const int64_t most = t->segments[s].block;
#pragma omp parallel for schedule(dynamic) num_threads(t->threads)
    for (int64_t shard = 0; shard < NG_SHARDS; shard++) {
        const ng_range mine = shard_samples(t, shard, todo->count);
        for (int64_t first = mine.first; first < mine.last; first += most) {
            block b = begin_block(t, todo, shard, first, mine.last - first < most ? mine.last - first : most);
            run_block(&b, s, way);
        }
    }
}

/* ---- a step ---- */

static void add_shards(ng_trainer *t)
{
#pragma omp parallel for schedule(static) num_threads(t->threads)
    for (int64_t i = 0; i < t->trained_count; i++) {
        double sum = 0;
        for (int64_t shard = 0; shard < NG_SHARDS; shard++) sum += (double)t->partial[shard * t->trained_count + i];
        t->partial[i] = (float)sum;
    }
}

/* All samples have added to the sums of its gradient. */
static void end_normalization(ng_trainer *t, int k)
{
    ng_statistics *statistics = t->units[k].statistics;
    if (!statistics || !t->units[k].reaches) return;
    const block b = {.trainer = t};
    float *const *dw = weight_gradients(&b, k);
    ng_statistics_end_back(statistics, NG_SHARDS, statistics->gamma ? dw[0] : NULL,
                           statistics->beta ? dw[statistics->gamma != NULL] : NULL);
}

void ng_train_gradient(ng_trainer *t, const ng_samples *samples, const ng_pick *picks, int64_t count, double *loss, double *right)
{
    const batch todo = {samples, picks, count};
    const int last = t->segment_count - 1;
    memset(t->partial, 0, (size_t)(NG_SHARDS * t->trained_count) * sizeof *t->partial);
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
