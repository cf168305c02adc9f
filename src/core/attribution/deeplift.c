#include <string.h>
#include "core/attribution/deeplift.h"
#include "core/network/secant.h"
#include "core/network/types.h"

static ng_status pair_calls(const ng_graph *graph, int at, ng_arena *arena, ng_call *reference, ng_call *sequence, ng_error *error)
{
    const ng_call *call = &graph->calls[at];
    const int n = call->input_count;
    const bool bends = n > 0 && !ng_is_linear(call->type);
    int *own = ng_alloc(arena, n, sizeof *own, error), *both = ng_alloc(arena, 2 * n, sizeof *both, error);
    if (!own || !both) return error->status;
    for (int i = 0; i < n; i++) {
        own[i] = 2 * call->inputs[i];
        both[i] = ng_pair_call(call->inputs[i]);
        both[n + i] = own[i];
    }
    *reference = *sequence = *call;
    reference->inputs = own;
    sequence->inputs = both;
    if (!bends) return NG_OK;
    sequence->input_count = 2 * n;
    sequence->type = ng_secant_of(call->type);
    if (sequence->type) return NG_OK;
    const ng_layer layer = {.name = call->name, .index = at};
    return ng_fail(error, NG_UNSUPPORTED, &layer, "%s has no DeepLIFT rule here", call->type->class_name);
}

ng_status ng_pair_graph(const ng_graph *graph, ng_arena *arena, ng_graph *pair, ng_error *error)
{
    int *inputs = ng_alloc(arena, 2 * graph->input_count, sizeof *inputs, error),
        *outputs = ng_alloc(arena, graph->output_count, sizeof *outputs, error);
    ng_call *calls = ng_alloc(arena, 2 * (int64_t)graph->count, sizeof *calls, error);
    if (!inputs || !outputs || !calls) return error->status;
    for (int at = 0; at < graph->count; at++)
        if (pair_calls(graph, at, arena, &calls[2 * at], &calls[ng_pair_call(at)], error)) return error->status;
    for (int i = 0; i < graph->input_count; i++) {
        inputs[i] = ng_pair_call(graph->inputs[i]);
        inputs[graph->input_count + i] = 2 * graph->inputs[i];
    }
    for (int i = 0; i < graph->output_count; i++) outputs[i] = ng_pair_call(graph->outputs[i]);
    *pair = *graph;
    pair->count = 2 * graph->count;
    pair->calls = calls;
    pair->input_count = 2 * graph->input_count;
    pair->inputs = inputs;
    pair->outputs = outputs;
    return NG_OK;
}

static void pair_rows(const void *data, int input, int64_t window, ng_range rows, float *sequence, float *baseline)
{
    const ng_pair *pair = data;
    const ng_source *source = &pair->source;
    if (input < pair->inputs) {
        source->rows(source->data, input, window, rows, sequence, baseline);
        return;
    }
    source->rows(source->data, input - pair->inputs, window, rows, sequence, sequence);      /* the baseline overwrites the sequence */
    if (baseline) source->rows(source->data, input - pair->inputs, window, rows, baseline, baseline);
}

static void pair_add(void *data, int input, int64_t window, ng_range rows, const double *scores)
{
    ng_pair *pair = data;
    if (input < pair->inputs) pair->sink.add(pair->sink.data, input, window, rows, scores);
}

ng_source ng_pair_source(const ng_pair *pair) { return (ng_source){pair_rows, pair}; }
ng_sink ng_pair_sink(ng_pair *pair) { return (ng_sink){pair_add, pair}; }
