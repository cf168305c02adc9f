#include <string.h>
#include "core/kernels/relu_pool.h"
#include "core/kernels/trained_conv1d.h"
#include "core/kernels/trained_pool.h"
#include "core/network/types.h"
#include "core/training/trainer.h"

enum {
    BLOCK_BYTES = 1 << 20,                       /* of the tensors of a block, where layers read few rows */
    SPECTRA_ROWS = 1 << 11,                      /* of a batch, that pay for spectra of the weights, which each step makes anew */
    LONG_ROWS = 1 << 14                          /* of the longest input of a network whose rows are worth dealing */
};

static int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* ---- weights ---- */

static int64_t tensor_size(const ng_tensor *tensor)
{
    int64_t size = 1;
    for (int d = 0; d < tensor->rank; d++) size *= tensor->dim[d];
    return size;
}

static ng_status copy_weights(ng_trainer *t, const ng_graph *graph, ng_error *error)
{
    const int64_t n = graph->weight_count;
    t->weights = ng_alloc(t->arena, n, sizeof *t->weights, error);
    t->places = ng_alloc(t->arena, n, sizeof *t->places, error);
    t->sizes = ng_alloc(t->arena, n, sizeof *t->sizes, error);
    if (!t->weights || !t->places || !t->sizes) return error->status;
    for (int64_t w = 0; w < n; w++) {
        t->sizes[w] = tensor_size(&graph->weights[w]);
        t->places[w] = t->settings.trained[w] ? t->trained_count : -1;
        if (t->settings.trained[w]) t->trained_count += t->sizes[w];
    }
    t->trained = ng_alloc(t->arena, t->trained_count, sizeof *t->trained, error);
    t->mean = ng_alloc(t->arena, t->trained_count, sizeof *t->mean, error);
    t->square = ng_alloc(t->arena, t->trained_count, sizeof *t->square, error);
    ng_tensor *tensors = ng_alloc(t->arena, n, sizeof *tensors, error);
    if (!t->trained || !t->mean || !t->square || !tensors) return error->status;
    for (int64_t w = 0; w < n; w++) {
        t->weights[w] = t->places[w] < 0 ? ng_alloc(t->arena, t->sizes[w], sizeof(float), error) : t->trained + t->places[w];
        if (!t->weights[w]) return error->status;
        memcpy(t->weights[w], graph->weights[w].data, (size_t)t->sizes[w] * sizeof(float));
        tensors[w] = graph->weights[w];
        tensors[w].data = t->weights[w];
    }
    t->graph.weights = tensors;
    return NG_OK;
}

/* Which weight of the graph this is. */
static int64_t weight_at(const ng_graph *graph, const float *data)
{
    int64_t w = 0;
    while (graph->weights[w].data != data) w++;
    return w;
}

/* Calls that read the trainer's own weights. */
static ng_status copy_calls(ng_trainer *t, const ng_graph *graph, ng_error *error)
{
    ng_call *calls = ng_alloc(t->arena, graph->count, sizeof *calls, error);
    if (!calls) return error->status;
    for (int k = 0; k < graph->count; k++) {
        calls[k] = graph->calls[k];
        ng_tensor *own = ng_alloc(t->arena, calls[k].weight_count, sizeof *own, error);
        if (!own) return error->status;
        for (int w = 0; w < calls[k].weight_count; w++) own[w] = t->graph.weights[weight_at(graph, calls[k].weights[w].data)];
        calls[k].weights = own;
    }
    t->graph.calls = calls;
    return NG_OK;
}

/* ---- units ---- */

static void find_needed(ng_trainer *t)
{
    t->units[t->settings.output].needed = true;
    for (int k = t->settings.output; k >= 0; k--)
        for (int i = 0; t->units[k].needed && i < t->graph.calls[k].input_count; i++) t->units[t->graph.calls[k].inputs[i]].needed = true;
    for (int i = 0; i < t->graph.input_count; i++) t->units[t->graph.inputs[i]].needed = true;
    for (int k = 0; k < t->graph.count; k++) t->units[k].used = t->units[k].needed;
}

static int readers_of(const ng_trainer *t, int at)
{
    int readers = at == t->settings.output;
    for (int k = at + 1; k < t->graph.count; k++)
        for (int i = 0; t->units[k].used && i < t->graph.calls[k].input_count; i++) readers += t->graph.calls[k].inputs[i] == at;
    return readers;
}

/* Takes the convolution that it alone reads into itself. */
static ng_status join_conv1d(ng_trainer *t, int k, ng_error *error)
{
    ng_unit *unit = &t->units[k], *conv = &t->units[unit->inputs[0]];
    const ng_layer alone = unit->layer;
    if (conv->group > 1 || readers_of(t, unit->inputs[0]) > 1) return NG_OK;
    if (ng_trained_pool(&conv->layer, &alone, t->arena, &unit->layer, error)) return error->status;
    if (unit->layer.type == alone.type) return NG_OK;
    unit->learns = unit->inputs[0];
    unit->inputs = conv->inputs;
    conv->needed = false;
    return NG_OK;
}

/* A pool takes the relu that it alone reads into itself. */
static ng_status join_relu(ng_trainer *t, int k, ng_error *error)
{
    ng_unit *pool = &t->units[k], *relu = t->graph.calls[k].input_count ? &t->units[pool->inputs[0]] : NULL;
    ng_layer joined;
    if (!relu || relu->layer.type != &ng_activation || pool->group > 1 || relu->group > 1 || readers_of(t, pool->inputs[0]) > 1) return NG_OK;
    if (!ng_relu_pool(&relu->layer, NULL, &pool->layer, t->arena, &joined))
        return relu->needed ? NG_OK : ng_fail(error, NG_OUT_OF_MEMORY, &pool->layer, "no memory is left to train with");
    pool->layer = joined;
    pool->inputs = relu->inputs;
    relu->needed = false;
    return join_conv1d(t, k, error);
}

int64_t ng_gradient_parts(const ng_unit *unit)
{
    const bool few = unit->layer.weight_count > 0 && tensor_size(&unit->layer.weights[0]) > ng_size(unit->whole);
    return few ? NG_FEW_PARTS : NG_SHARDS;
}

static ng_status trained_conv1d(ng_trainer *t, ng_unit *unit, bool reads_input, ng_error *error)
{
    const int64_t length = ng_rows(unit->layer.out), parts = t->wide ? ng_gradient_parts(unit) : 1;
    const bool spectra = !reads_input && t->settings.batch * ng_size(unit->whole) >= SPECTRA_ROWS * unit->whole.channels;
    return ng_trained_conv1d(&unit->layer, spectra, reads_input, (length + parts - 1) / parts, t->shard_samples * unit->group, t->threads, t->arena, error);
}

ng_status ng_trainer_refresh(ng_trainer *t, ng_error *error)
{
    ng_arena_repeat(t->arena, t->mark);
    for (int k = 0; k < t->graph.count; k++) {
        ng_unit *unit = &t->units[k];
        const ng_call *call = &t->graph.calls[k];
        if (!unit->used) continue;
        ng_shape *in = ng_alloc(t->arena, most(call->input_count, 1), sizeof *in, error);
        if (!in) return error->status;
        for (int i = 0; i < call->input_count; i++) in[i] = t->units[call->inputs[i]].whole;
        for (int i = 0; call->input_count == 0 && i < t->graph.input_count; i++)
            if (t->graph.inputs[i] == k) in[0] = t->input_shapes[i];
        if (ng_call_shape(&t->graph, k, in, t->arena, &unit->layer, &unit->whole, &unit->group, error)) return error->status;
        unit->inputs = call->inputs;
        unit->learns = k;
        if (join_relu(t, k, error)) return error->status;
        const bool reads_input = call->input_count == 1 && t->units[call->inputs[0]].layer.inputs == 0;
        if (call->input_count == 1 && trained_conv1d(t, unit, reads_input, error)) return error->status;
    }
    for (int k = 0; k < t->graph.count; k++)                         /* activations that no pool took */
        if (t->units[k].needed && t->units[k].group == 1 && t->units[k].layer.type == &ng_activation && join_conv1d(t, k, error))
            return error->status;
    return NG_OK;
}

static bool has_trained(const ng_trainer *t, int k)
{
    const ng_call *call = &t->graph.calls[t->units[k].learns];
    for (int w = 0; w < call->weight_count; w++)
        if (t->places[weight_at(&t->graph, call->weights[w].data)] >= 0) return true;
    return false;
}

static bool trains_statistics(const ng_call *call)
{
    return call->type == &ng_batch_normalization && !ng_flag(&call->settings, "frozen", false);
}

static ng_status check_units(const ng_trainer *t, ng_error *error)
{
    for (int k = 0; k < t->graph.count; k++) {
        const ng_unit *unit = &t->units[k];
        if (!unit->needed) continue;
        const ng_layer *layer = &unit->layer;
        if (has_trained(t, k) && !layer->type->gradients && layer->type != &ng_batch_normalization)
            return ng_fail(error, NG_UNSUPPORTED, layer, "a layer of class %s cannot be trained", layer->type->class_name);
        if (!trains_statistics(&t->graph.calls[k])) continue;
        const double axis = ng_number(layer->settings, "axis", 0, -1);
        if (unit->group > 1 || (axis != -1 && axis != layer->in->rank))
            return ng_fail(error, NG_UNSUPPORTED, layer, "it normalizes another axis than the channels; it cannot be trained");
    }
    return NG_OK;
}

static ng_status make_statistics(ng_trainer *t, int k, ng_error *error)
{
    const ng_layer *layer = &t->units[k].layer;
    const bool scaled = ng_flag(layer->settings, "scale", true), centred = ng_flag(layer->settings, "center", true);
    const int64_t C = layer->in->channels;
    ng_statistics *s = ng_alloc(t->arena, 1, sizeof *s, error);
    double *sums = ng_alloc(t->arena, NG_SHARDS * 2 * C, sizeof *sums, error);
    float *numbers = ng_alloc(t->arena, 6 * C, sizeof *numbers, error);
    if (!s || !sums || !numbers) return error->status;
    float *const *weights = t->weights;
    const ng_tensor *own = t->graph.calls[k].weights;
    *s = (ng_statistics){
        .channels = C, .epsilon = (float)ng_number(layer->settings, "epsilon", 0, 1e-3),
        .momentum = (float)ng_number(layer->settings, "momentum", 0, 0.99), .gamma = scaled ? own[0].data : NULL,
        .beta = centred ? own[scaled].data : NULL, .moving_mean = weights[weight_at(&t->graph, own[scaled + centred].data)],
        .moving_variance = weights[weight_at(&t->graph, own[scaled + centred + 1].data)], .sums = sums, .mean = numbers,
        .reciprocal = numbers + C, .scale = numbers + 2 * C, .shift = numbers + 3 * C, .of_dy = numbers + 4 * C, .slope = numbers + 5 * C};
    t->units[k].statistics = s;
    return NG_OK;
}

/* ---- segments ---- */

/* Values and gradients of a shard in units [first, last): do they fit a block? */
static bool fits_block(const ng_trainer *t, int first, int last)
{
    int64_t bytes = 0;
    for (int k = first; k < last; k++)
        if (t->units[k].needed) bytes += 2 * ng_size(t->units[k].whole) * (int64_t)sizeof(float);
    return bytes * t->shard_samples <= BLOCK_BYTES;
}

/* Where the first layer reads all rows a segment begins that has whole shards for blocks; or it is the present one, if that fits. */
static ng_status find_segments(ng_trainer *t, ng_error *error)
{
    bool head = false;
    t->segments = ng_alloc(t->arena, t->graph.count, sizeof *t->segments, error);
    if (!t->segments) return error->status;
    for (int k = 0; k < t->graph.count; k++) {
        ng_unit *unit = &t->units[k];
        ng_segment *present = &t->segments[t->segment_count - (t->segment_count > 0)];
        const bool turns = unit->needed && !head && unit->layer.reach.size == 0;
        const bool joins = turns && fits_block(t, present->first, k);
        if (joins) present->block = t->shard_samples;
        head = head || turns;
        if (k == 0 || (unit->needed && trains_statistics(&t->graph.calls[k])) || (turns && !joins))
            t->segments[t->segment_count++] = (ng_segment){.first = k, .block = head ? t->shard_samples : 0};
        unit->segment = t->segment_count - 1;
        t->segments[unit->segment].last = k + 1;
    }
    return NG_OK;
}

static ng_status find_kept(ng_trainer *t, ng_error *error)
{
    const int last = t->segment_count - 1;
    for (int k = 0; k < t->graph.count; k++) {
        ng_unit *unit = &t->units[k];
        if (!unit->needed) continue;
        unit->reaches = has_trained(t, k);
        for (int i = 0; i < unit->layer.inputs; i++) {
            ng_unit *from = &t->units[unit->inputs[i]];
            unit->reaches = unit->reaches || from->reaches;
            if (from->segment < unit->segment || (unit->segment < last && has_trained(t, k))) from->keeps_value = true;
            if (from->reaches && from->segment < unit->segment) from->keeps_gradient = true;
        }
        if (trains_statistics(&t->graph.calls[k])) {
            unit->keeps_gradient = unit->reaches;
            if (make_statistics(t, k, error)) return error->status;
        }
        if (unit->layer.type == &ng_dropout || unit->layer.type == &ng_spatial_dropout1d)
            unit->dropout = ng_number(unit->layer.settings, "rate", 0, 0);
        unit->dw = ng_alloc(t->arena, t->threads * unit->layer.weight_count, sizeof *unit->dw, error);
        if (!unit->dw) return error->status;
    }
    return NG_OK;
}

/* Can the rows of this layer be dealt? */
static bool is_dealt(const ng_trainer *t, const ng_unit *unit)
{
    return t->wide && unit->group == 1 && unit->layer.inputs > 0 && unit->layer.reach.size > 0 && unit->layer.reach.stride > 0;
}

/* Normalizations have sums of their own. Where rows are dealt most weights may be those of layers that are not, which come last. */
static ng_status take_sums(ng_trainer *t, ng_error *error)
{
    t->shared_count = t->many_count = t->wide ? 0 : t->trained_count;
    for (int k = 0; k < t->graph.count; k++) {
        ng_unit *unit = &t->units[k];
        unit->dealt = is_dealt(t, unit);
        const ng_call *call = &t->graph.calls[unit->learns];
        for (int i = 0; unit->needed && unit->dealt && !unit->statistics && i < call->weight_count; i++) {
            const int64_t w = weight_at(&t->graph, call->weights[i].data), end = t->places[w] < 0 ? 0 : t->places[w] + t->sizes[w];
            t->shared_count = most(t->shared_count, end);
            if (ng_gradient_parts(unit) > NG_FEW_PARTS) t->many_count = most(t->many_count, end);
        }
    }
    t->partial = ng_alloc(t->arena, t->trained_count + (NG_SHARDS - 1) * t->shared_count, sizeof *t->partial, error);
    return t->partial ? NG_OK : error->status;
}

static int64_t code_bytes(const ng_unit *unit) { return ng_rows(unit->layer.out) * unit->layer.code_bytes * unit->group; }

static ng_status take_kept(ng_trainer *t, ng_error *error)
{
    const int64_t batch = t->settings.batch;
    for (int k = 0; k < t->graph.count; k++) {
        ng_unit *unit = &t->units[k];
        const size_t bytes = (size_t)ng_size(unit->whole) * sizeof(float);
        if (!unit->needed) continue;
        if (unit->keeps_value && !(unit->value = ng_alloc(t->arena, batch, bytes, error))) return error->status;
        if (unit->keeps_gradient && !(unit->gradient = ng_alloc(t->arena, batch, bytes, error))) return error->status;
        if (unit->segment < t->segment_count - 1 && code_bytes(unit) &&
            !(unit->code = ng_alloc(t->arena, batch, (size_t)code_bytes(unit), error))) return error->status;
    }
    return NG_OK;
}

/* What a sample takes of a thread's memory in a segment; and the scratch of its layers. */
static int64_t sample_bytes(const ng_trainer *t, const ng_segment *segment)
{
    int64_t bytes = 0;
    for (int k = segment->first; k < segment->last; k++) {
        const ng_unit *unit = &t->units[k];
        if (!unit->needed) continue;
        const int64_t own = ng_size(unit->whole) * (int64_t)sizeof(float);
        bytes += (unit->value ? 0 : own) + (unit->reaches && !unit->gradient ? own : 0) + (unit->code ? 0 : code_bytes(unit));
    }
    return bytes;
}

static int64_t scratch_bytes(const ng_unit *unit, int64_t samples)
{
    return padded(most(unit->layer.scratch_bytes, unit->layer.gradient_bytes) * samples * unit->group + unit->layer.call_bytes);
}

static ng_status make_workers(ng_trainer *t, ng_error *error)
{
    for (int s = 0; s < t->segment_count; s++) {
        ng_segment *segment = &t->segments[s];
        const int64_t bytes = most(sample_bytes(t, segment), 1);
        if (segment->block == 0) segment->block = BLOCK_BYTES / bytes;
        if (segment->block < 1) segment->block = 1;
        const int64_t blocks = (t->shard_samples + segment->block - 1) / segment->block;
        segment->block = (t->shard_samples + blocks - 1) / blocks;               /* of nearly one size */
        t->local_bytes = most(t->local_bytes, bytes * segment->block + 256 * (segment->last - segment->first));
        for (int k = segment->first; k < segment->last; k++) {
            if (!t->units[k].needed) continue;
            t->scratch_bytes = most(t->scratch_bytes, scratch_bytes(&t->units[k], segment->block));
            if (t->units[k].layer.inputs > t->most_inputs) t->most_inputs = t->units[k].layer.inputs;
        }
    }
    const int n = t->graph.count;
    t->local = ng_alloc(t->arena, t->threads, sizeof *t->local, error);
    t->scratch = ng_alloc(t->arena, t->threads, sizeof *t->scratch, error);
    t->tiles = ng_alloc(t->arena, t->threads * (2 * n + 2 * t->most_inputs), sizeof *t->tiles, error);
    t->codes = ng_alloc(t->arena, t->threads * n, sizeof *t->codes, error);
    t->loss = ng_alloc(t->arena, t->settings.batch, sizeof *t->loss, error);
    t->right = ng_alloc(t->arena, t->settings.batch, sizeof *t->right, error);
    if (!t->local || !t->scratch || !t->tiles || !t->codes || !t->loss || !t->right) return error->status;
    for (int thread = 0; thread < t->threads; thread++)
        if (!(t->local[thread] = ng_alloc(t->arena, t->wide && thread ? 0 : t->local_bytes, 1, error)) ||
            !(t->scratch[thread] = ng_alloc(t->arena, t->scratch_bytes, 1, error))) return error->status;
    return NG_OK;
}

ng_status ng_trainer_make(const ng_graph *graph, const ng_shape *input_shapes, const ng_training *settings, int threads,
                          ng_arena *arena, ng_trainer *trainer, ng_error *error)
{
    ng_trainer *t = trainer;
    bool wide = false;
    for (int i = 0; i < graph->input_count; i++) wide = wide || (settings->batch < NG_SHARDS && input_shapes[i].length >= LONG_ROWS);
    const int64_t each = wide ? settings->batch : (settings->batch + NG_SHARDS - 1) / NG_SHARDS;
    *t = (ng_trainer){.graph = *graph, .settings = *settings, .arena = arena, .threads = threads, .shard_samples = each, .wide = wide};
    t->graph.training = true;
    t->units = ng_alloc(arena, graph->count, sizeof *t->units, error);
    t->input_shapes = ng_alloc(arena, graph->input_count, sizeof *t->input_shapes, error);
    if (!t->units || !t->input_shapes || copy_weights(t, graph, error) || copy_calls(t, graph, error)) return error->status;
    memcpy(t->input_shapes, input_shapes, (size_t)graph->input_count * sizeof *input_shapes);
    find_needed(t);
    t->mark = ng_arena_mark(arena);
    if (ng_trainer_refresh(t, error) || check_units(t, error) || find_segments(t, error) || find_kept(t, error) || take_sums(t, error) ||
        take_kept(t, error) || make_workers(t, error)) return error->status;
    t->mark = ng_arena_mark(arena);                                  /* the first layers stay: nothing above points into them */
    return ng_trainer_refresh(t, error);
}
