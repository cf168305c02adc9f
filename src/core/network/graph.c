#include <math.h>
#include "core/network/graph.h"
#include "core/network/types.h"

static ng_layer layer_of(const ng_graph *graph, int at)
{
    const ng_call *call = &graph->calls[at];
    return (ng_layer){.type = call->type, .name = call->name, .index = at, .settings = &call->settings, .weights = call->weights,
                      .weight_count = call->weight_count, .inputs = call->input_count, .training = graph->training};
}

static ng_status check_weights(const ng_call *call, const ng_layer *layer, ng_error *error)
{
    for (int w = 0; w < call->weight_count; w++) {
        int64_t count = 1;
        for (int d = 0; d < call->weights[w].rank; d++) count *= call->weights[w].dim[d];
        for (int64_t i = 0; i < count; i++)
            if (!isfinite(call->weights[w].data[i]))
                return ng_fail(error, NG_BAD_MODEL, layer, "weight %d holds NaN or infinity", w + 1);
    }
    return NG_OK;
}

ng_status ng_graph_check(const ng_graph *graph, ng_error *error)
{
    for (int at = 0; at < graph->count; at++) {
        const ng_call *call = &graph->calls[at];
        const ng_layer layer = layer_of(graph, at);
        if ((call->type == &ng_input) != (call->input_count == 0))
            return ng_fail(error, NG_BAD_MODEL, &layer, "a layer of class %s with %d inputs", call->type->class_name, call->input_count);
        if (call->input_count > 1 && !call->type->several)
            return ng_fail(error, NG_BAD_MODEL, &layer, "it has %d inputs; %s takes 1", call->input_count, call->type->class_name);
        for (int i = 0; i < call->input_count; i++)
            if (call->inputs[i] < 0 || call->inputs[i] >= at)
                return ng_fail(error, NG_BAD_MODEL, &layer, "it reads a layer that does not come before it");
        if (check_weights(call, &layer, error)) return error->status;
    }
    for (int i = 0; i < graph->input_count; i++)
        if (graph->inputs[i] < 0 || graph->inputs[i] >= graph->count || graph->calls[graph->inputs[i]].type != &ng_input)
            return ng_fail(error, NG_BAD_MODEL, NULL, "input %d of the model is not an InputLayer", i + 1);
    for (int i = 0; i < graph->output_count; i++)
        if (graph->outputs[i] < 0 || graph->outputs[i] >= graph->count)
            return ng_fail(error, NG_BAD_MODEL, NULL, "output %d of the model does not exist", i + 1);
    return NG_OK;
}

ng_status ng_graph_cut(const ng_graph *graph, const int *calls, const ng_shape *shapes, int count, ng_arena *arena, ng_graph *made,
                       ng_error *error)
{
    ng_call *copies = ng_alloc(arena, graph->count, sizeof *copies, error);
    ng_setting *settings = ng_alloc(arena, count, sizeof *settings, error);
    double *axes = ng_alloc(arena, 2 * (int64_t)count, sizeof *axes, error);
    if (!copies || !settings || !axes) return error->status;
    for (int at = 0; at < graph->count; at++) copies[at] = graph->calls[at];
    for (int i = 0; i < count; i++) {
        axes[2 * i] = (double)shapes[i].length;
        axes[2 * i + 1] = (double)shapes[i].channels;
        settings[i] = (ng_setting){"shape", NULL, axes + 2 * i, 2};
        copies[calls[i]] = (ng_call){.type = &ng_input, .name = graph->calls[calls[i]].name, .settings = {&settings[i], 1}};
    }
    *made = *graph;
    made->calls = copies;
    made->inputs = calls;
    made->input_count = count;
    return NG_OK;
}

/* One sample of a TimeDistributed layer: the first axis goes. */
static ng_shape one_sample(ng_shape in)
{
    return in.rank == 3 ? (ng_shape){2, 1, in.length, in.channels} : (ng_shape){1, 1, 1, in.channels};
}

static int64_t first_axis(ng_shape in) { return in.rank == 3 ? in.samples : in.length; }

ng_status ng_call_shape(const ng_graph *graph, int at, const ng_shape *in, ng_arena *arena, ng_layer *layer, ng_shape *whole,
                        int64_t *group, ng_error *error)
{
    const ng_call *call = &graph->calls[at];
    *layer = layer_of(graph, at);
    if (call->type == &ng_input) {
        layer->out = in[0];
        if (layer->type->shape(layer, arena, error)) return error->status;
        *whole = layer->out;
        *group = 1;
        return NG_OK;
    }
    ng_shape *own = ng_alloc(arena, call->input_count, sizeof *own, error);
    if (!own) return error->status;
    *group = 1;
    for (int i = 0; i < call->input_count; i++) {
        own[i] = in[i];
        if (!call->time_distributed) continue;
        if (in[i].rank < 2)
            return ng_fail(error, NG_BAD_MODEL, layer, "TimeDistributed needs an input of 2 or 3 axes besides the batch; it has 1");
        if (i && first_axis(in[i]) != *group)
            return ng_fail(error, NG_BAD_MODEL, layer, "TimeDistributed is given inputs of %lld and %lld samples", (long long)*group,
                           (long long)first_axis(in[i]));
        own[i] = one_sample(in[i]);
        *group = first_axis(in[i]);
    }
    layer->in = own;
    if (layer->type->shape(layer, arena, error)) return error->status;
    *whole = layer->out;
    if (layer->out.length < 1 || layer->out.channels < 1 || layer->out.samples < 1)
        return ng_fail(error, NG_BAD_MODEL, layer, "nothing is left of its input: its output has %lld rows of %lld channels",
                       (long long)layer->out.length, (long long)layer->out.channels);
    int64_t size;
    if (__builtin_mul_overflow(ng_rows(layer->out), layer->out.channels, &size) || __builtin_mul_overflow(size, *group * 4, &size))
        return ng_fail(error, NG_BAD_MODEL, layer, "its output does not fit any memory");
    if (call->time_distributed) {
        if (layer->out.rank > 2) return ng_fail(error, NG_UNSUPPORTED, layer, "TimeDistributed within TimeDistributed is not supported");
        *whole = layer->out.rank == 1 ? (ng_shape){2, 1, *group, layer->out.channels}
                                      : (ng_shape){3, *group, layer->out.length, layer->out.channels};
    }
    return NG_OK;
}
