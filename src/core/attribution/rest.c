#include "core/attribution/rest.h"
#include "core/attribution/source.h"

enum { ROUND_BYTES = 16 << 20 };

static const double end = 1;                     /* a round is at the rows themselves */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* Room for the boundary of all windows. */
static float **make_rows(const ng_rest *rest, int count, ng_arena *arena, ng_error *error)
{
    float **rows = ng_alloc(arena, count, sizeof *rows, error);
    for (int b = 0; rows && b < count; b++)
        if (!(rows[b] = ng_alloc(arena, rest->windows, (size_t)ng_size(rest->shapes[b]) * sizeof **rows, error))) return NULL;
    return rows;
}

static ng_status make_gradients(ng_rest *rest, int count, int targets, ng_arena *arena, ng_error *error)
{
    rest->gradients = ng_alloc(arena, targets, sizeof *rest->gradients, error);
    if (!rest->gradients) return error->status;
    for (int t = 0; t < targets; t++)
        if (!(rest->gradients[t] = make_rows(rest, count, arena, error))) return error->status;
    rest->values = ng_alloc(arena, targets * rest->windows, sizeof *rest->values, error);
    return error->status;
}

ng_status ng_rest_make(const ng_graph *graph, const ng_overlap *overlap, const int *wanted, int wanted_count, int64_t windows, int targets,
                       const ng_run *run, ng_rest *rest, ng_error *error)
{
    ng_arena *arena = run->arena;
    const int count = overlap->window.wanted_count;
    *rest = (ng_rest){.windows = windows};
    if (!(rest->shapes = ng_alloc(arena, count, sizeof *rest->shapes, error))) return error->status;
    for (int b = 0; b < count; b++) rest->shapes[b] = overlap->window.nodes[overlap->window.wanted[b]].whole;
    if (ng_graph_cut(graph, overlap->boundary, rest->shapes, count, arena, &rest->graph, error)) return error->status;
    if (ng_plan_make(&rest->graph, rest->shapes, wanted, wanted_count, targets > 0, run, &rest->plan, error)) return error->status;
    rest->arrays = ng_alloc(arena, 1, sizeof *rest->arrays, error);
    rest->results = ng_alloc(arena, wanted_count, sizeof *rest->results, error);
    if (!rest->arrays || !rest->results || !(rest->rows = make_rows(rest, count, arena, error))) return error->status;
    if (targets && make_gradients(rest, count, targets, arena, error)) return error->status;
    *rest->arrays = (ng_arrays){.x = (const float *const *)rest->rows, .shapes = rest->shapes};
    rest->source = ng_arrays_source(rest->arrays);
    rest->round = most(1, least(windows, ROUND_BYTES / most(1, ng_sample_bytes(&rest->plan, targets))));
    if (ng_stream_make(&rest->plan, &rest->source, targets ? rest->round : 0, most(targets, 1), run, &rest->stream, error)) return error->status;
    rest->stream.ends = 1;
    if (ng_stream_make_rounds(&rest->stream, rest->round, error)) return error->status;
    rest->round = least(rest->round, rest->stream.samples);
    return NG_OK;
}

static ng_round round_at(const ng_rest *rest, int64_t at, int64_t windows)
{
    return (ng_round){.first_window = at, .windows = least(rest->round, windows - at), .nodes = 1, .positions = &end, .weights = &end, .begin = true};
}

void ng_rest_outputs(ng_rest *rest, int64_t windows, int64_t first, float *const *outputs)
{
    const ng_plan *plan = &rest->plan;
    for (int64_t at = 0; at < windows; at += rest->round) {
        const ng_round round = round_at(rest, at, windows);
        for (int w = 0; w < plan->wanted_count; w++) rest->results[w] = outputs[w] + (first + at) * ng_size(plan->nodes[plan->wanted[w]].whole);
        ng_stream_forward(&rest->stream, &round, NULL, NULL, rest->results);
    }
}

void ng_rest_values(ng_rest *rest, int64_t windows, const ng_objective *objectives, double *values, int64_t stride)
{
    for (int64_t at = 0; at < windows; at += rest->round) {
        const ng_round round = round_at(rest, at, windows);
        ng_stream_forward(&rest->stream, &round, objectives, rest->values, NULL);
        for (int64_t i = 0; i < rest->stream.targets * round.windows; i++)
            values[i / round.windows * stride + at + i % round.windows] = rest->values[i];
    }
}

static void take(void *data, int input, int64_t window, ng_range rows, const double *gradient, double sum)
{
    const ng_rest *rest = data;
    const int64_t channels = rest->shapes[input].channels;
    float *to = rest->gradients[rest->stream.target][input] + window * ng_size(rest->shapes[input]) + rows.first * channels;
    (void)sum;
    for (int64_t i = 0; i < (rows.last - rows.first) * channels; i++) to[i] = (float)gradient[i];
}

void ng_rest_gradients(ng_rest *rest, int64_t windows, const ng_objective *objectives)
{
    for (int64_t at = 0; at < windows; at += rest->round) {
        const ng_round round = round_at(rest, at, windows);
        ng_stream_begin(&rest->stream, at, round.windows);
        ng_stream_gradient(&rest->stream, &round, objectives, NULL);
        for (int t = 0; t < rest->stream.targets; t++) ng_stream_deliver(&rest->stream, t, at, round.windows, false, take, rest);
    }
}
