/* bridge/attribution.c: .Call entries of R/predict.R and R/attribution.R: windows of a contig, or arrays of numbers. */
#include <string.h>
#include <time.h>
#include "bridge/bridge.h"
#include "core/attribution/adaptive.h"
#include "core/attribution/deeplift.h"
#include "core/attribution/window_integral.h"
#include "core/attribution/window_scan.h"
#include "core/attribution/source.h"
#include "core/network/cost.h"

/* What all four entries share: the plan for these inputs and wanted calls, the source and, backward, sink and objective. */
typedef struct job {
    const ng_graph *graph;
    ng_plan plan;
    const ng_contig *contig;                     /* whose windows the source gives; NULL: it gives something else */
    ng_source source;
    ng_sink *sinks;                              /* one for each target */
    int64_t windows;
    ng_shape *shapes;                            /* of the inputs */
    int *wanted, wanted_count;
    ng_graph both;                               /* of DeepLIFT: the sequence and its reference */
    int targets;                                 /* how many sinks there are */
} job;

static bool is_deeplift(SEXP path) { return path != R_NilValue && XLENGTH(path) > 3 && TYPEOF(VECTOR_ELT(path, 3)) == STRSXP; }

/* The job becomes one of the sequence and its reference side by side. */
static ng_status make_pair(job *todo, const ng_graph *graph, bridge_call *call)
{
    const int n = graph->input_count;
    ng_shape *shapes = ng_alloc(call->run.arena, 2 * n, sizeof *shapes, &call->error);
    if (!shapes || ng_pair_graph(graph, call->run.arena, &todo->both, &call->error)) return call->error.status;
    for (int i = 0; i < n; i++) shapes[i] = shapes[n + i] = todo->shapes[i];
    todo->shapes = shapes;
    ng_pair *pairs = ng_alloc(call->run.arena, todo->targets + 1, sizeof *pairs, &call->error);
    if (!pairs) return call->error.status;
    for (int t = 0; t <= todo->targets; t++) pairs[t] = (ng_pair){todo->source, t < todo->targets ? todo->sinks[t] : (ng_sink){0}, n};
    todo->contig = NULL;
    todo->source = ng_pair_source(&pairs[todo->targets]);
    for (int t = 0; t < todo->targets; t++) todo->sinks[t] = ng_pair_sink(&pairs[t]);
    for (int w = 0; w < todo->wanted_count; w++) todo->wanted[w] = ng_pair_call(todo->wanted[w]);
    return NG_OK;
}

static ng_status make_plan(job *todo, SEXP model, SEXP wanted, bool gradients, SEXP path, bridge_call *call)
{
    ng_arena *arena = call->run.arena;
    const ng_graph *graph = bridge_graph(model);
    todo->wanted_count = (int)XLENGTH(wanted);
    if (!(todo->wanted = ng_alloc(arena, todo->wanted_count, sizeof *todo->wanted, &call->error))) return call->error.status;
    for (int w = 0; w < todo->wanted_count; w++) todo->wanted[w] = INTEGER(wanted)[w] - 1;
    if (is_deeplift(path)) {
        if (make_pair(todo, graph, call)) return call->error.status;
        graph = &todo->both;
    }
    todo->graph = graph;
    const ng_status status = ng_plan_make(graph, todo->shapes, todo->wanted, todo->wanted_count, gradients, &call->run, &todo->plan, &call->error);
    if (call->run.store) ng_store_trim(call->run.store);
    return status;
}

/* Of the input, if an embedding reads it and there are more of them than bases; else 0. */
static int64_t tokens_of(const ng_graph *graph)
{
    const double tokens = ng_number(&graph->calls[graph->inputs[0]].settings, "tokens", 0, 0);
    return tokens > 4 ? (int64_t)tokens : 0;
}

/* Four numbers or (window, 4) of them; bases, (windows, window); or list(seed, replicate, name of the contig): rows from the simplex. */
static bool read_baseline(ng_contig *contig, SEXP baseline, bridge_call *call)
{
    if (TYPEOF(baseline) == RAWSXP) contig->baseline_bases = RAW(baseline);
    else if (TYPEOF(baseline) == VECSXP) {
        ng_draw *draw = ng_alloc(call->run.arena, 1, sizeof *draw, &call->error);
        if (!(contig->baseline_draw = draw)) return false;
        *draw = (ng_draw){ng_draw_key((uint64_t)Rf_asReal(VECTOR_ELT(baseline, 0)), CHAR(STRING_ELT(VECTOR_ELT(baseline, 2), 0))), 0,
                          (uint32_t)Rf_asReal(VECTOR_ELT(baseline, 1))};
    } else {
        contig->baseline_rows = XLENGTH(baseline) > 4;
        return (contig->baseline = bridge_floats(baseline, call));
    }
    return true;
}

static void assert_baseline(SEXP baseline, double rows, double windows)
{
    if (TYPEOF(baseline) == RAWSXP) bridge_assert((double)XLENGTH(baseline) == rows * windows);
    else if (TYPEOF(baseline) == VECSXP) bridge_assert(XLENGTH(baseline) == 3 && TYPEOF(VECTOR_ELT(baseline, 2)) == STRSXP);
    else bridge_assert(TYPEOF(baseline) == REALSXP && (XLENGTH(baseline) == 4 || (double)XLENGTH(baseline) == 4 * rows));
}

static ng_contig *contig_job(job *todo, SEXP model, SEXP bases, SEXP starts, SEXP window, SEXP baseline, bridge_call *call)
{
    ng_arena *arena = call->run.arena;
    ng_contig *contig = ng_alloc(arena, 1, sizeof *contig, &call->error);
    int64_t *from = contig ? ng_alloc(arena, XLENGTH(starts), sizeof *from, &call->error) : NULL;
    todo->shapes = from ? ng_alloc(arena, 1, sizeof *todo->shapes, &call->error) : NULL;
    if (!todo->shapes) return NULL;
    for (R_xlen_t w = 0; w < XLENGTH(starts); w++) from[w] = (int64_t)REAL(starts)[w] - 1;       /* 1-based in R */
    *contig = (ng_contig){.bases = RAW(bases), .length = XLENGTH(bases), .window = (int64_t)Rf_asReal(window), .starts = from,
                          .tokens = tokens_of(bridge_graph(model))};
    if (!read_baseline(contig, baseline, call)) return NULL;
    todo->windows = XLENGTH(starts);
    todo->shapes[0] = ng_contig_shape(contig);
    todo->contig = contig;
    todo->source = ng_contig_source(contig);
    return contig;
}

static void assert_contig(SEXP model, SEXP wanted, SEXP bases, SEXP starts, SEXP window, SEXP baseline)
{
    const double rows = Rf_asReal(window);
    bridge_assert(bridge_graph(model)->input_count == 1 && TYPEOF(wanted) == INTSXP);
    bridge_assert(TYPEOF(bases) == RAWSXP && XLENGTH(bases) > 0 && TYPEOF(starts) == REALSXP && rows >= 1);
    assert_baseline(baseline, rows, (double)XLENGTH(starts));
    for (R_xlen_t w = 0; w < XLENGTH(starts); w++) bridge_assert(REAL(starts)[w] >= 1 && REAL(starts)[w] <= (double)XLENGTH(bases));
}

static ng_arrays *arrays_job(job *todo, SEXP arrays, SEXP shapes, SEXP count, SEXP baselines, bridge_call *call)
{
    const R_xlen_t n = XLENGTH(arrays);
    ng_arena *arena = call->run.arena;
    ng_arrays *made = ng_alloc(arena, 1, sizeof *made, &call->error);
    const float **x = made ? ng_alloc(arena, n, sizeof *x, &call->error) : NULL;
    const float **baseline = x ? ng_alloc(arena, n, sizeof *baseline, &call->error) : NULL;
    int64_t *stride = baseline ? ng_alloc(arena, n, sizeof *stride, &call->error) : NULL;
    todo->shapes = stride ? ng_alloc(arena, n, sizeof *todo->shapes, &call->error) : NULL;
    todo->windows = (int64_t)Rf_asReal(count);
    if (!todo->shapes) return NULL;
    for (R_xlen_t i = 0; i < n; i++) {
        todo->shapes[i] = bridge_shape(VECTOR_ELT(shapes, i));
        if (!(x[i] = bridge_floats(VECTOR_ELT(arrays, i), call))) return NULL;
        if (baselines == R_NilValue) continue;
        if (!(baseline[i] = bridge_floats(VECTOR_ELT(baselines, i), call))) return NULL;
        stride[i] = XLENGTH(VECTOR_ELT(baselines, i)) == XLENGTH(VECTOR_ELT(arrays, i)) ? ng_size(todo->shapes[i]) : 0;
    }
    *made = (ng_arrays){x, baseline, stride, todo->shapes, NULL};
    todo->source = ng_arrays_source(made);
    return made;
}

static void assert_arrays(SEXP model, SEXP wanted, SEXP arrays, SEXP shapes, SEXP count, SEXP baselines)
{
    const R_xlen_t n = XLENGTH(arrays);
    bridge_assert(TYPEOF(arrays) == VECSXP && TYPEOF(shapes) == VECSXP && n == bridge_graph(model)->input_count && XLENGTH(shapes) == n);
    bridge_assert(TYPEOF(wanted) == INTSXP && (baselines == R_NilValue || (TYPEOF(baselines) == VECSXP && XLENGTH(baselines) == n)));
    for (R_xlen_t i = 0; i < n; i++) {
        const double size = (double)ng_size(bridge_shape(VECTOR_ELT(shapes, i))), all = size * Rf_asReal(count);
        bridge_assert(TYPEOF(VECTOR_ELT(arrays, i)) == REALSXP && (double)XLENGTH(VECTOR_ELT(arrays, i)) == all);
        if (baselines == R_NilValue) continue;
        const double given = (double)XLENGTH(VECTOR_ELT(baselines, i));
        bridge_assert(TYPEOF(VECTOR_ELT(baselines, i)) == REALSXP && (given == size || given == all));
    }
}

/* Runs the job forward; outputs: a list with one numeric vector (windows * size) per wanted call, row-major. */
static void predict(job *todo, SEXP outputs, bridge_call *call)
{
    ng_arena *arena = call->run.arena;
    float **floats = ng_alloc(arena, todo->wanted_count, sizeof *floats, &call->error);
    for (int w = 0; floats && w < todo->wanted_count; w++)
        if (!(floats[w] = ng_alloc(arena, XLENGTH(VECTOR_ELT(outputs, w)), sizeof **floats, &call->error))) return;
    if (!floats) return;
    if (todo->contig)
        ng_window_scan(todo->graph, &todo->plan, todo->wanted, todo->contig, todo->windows, floats, &call->run, &call->error);
    else ng_predict(&todo->plan, &todo->source, todo->windows, floats, &call->run, &call->error);
    if (call->error.status != NG_OK) return;
    for (int w = 0; w < todo->wanted_count; w++)
        for (R_xlen_t i = 0; i < XLENGTH(VECTOR_ELT(outputs, w)); i++) REAL(VECTOR_ELT(outputs, w))[i] = (double)floats[w][i];
}

static SEXP allocate_outputs(SEXP sizes, double windows)
{
    SEXP outputs = PROTECT(Rf_allocVector(VECSXP, XLENGTH(sizes)));
    for (R_xlen_t w = 0; w < XLENGTH(sizes); w++)
        SET_VECTOR_ELT(outputs, w, Rf_allocVector(REALSXP, (R_xlen_t)(REAL(sizes)[w] * windows)));
    UNPROTECT(1);
    return outputs;
}

static void assert_sizes(const job *todo, SEXP sizes)
{
    for (int w = 0; w < todo->wanted_count; w++)
        bridge_assert(REAL(sizes)[w] == (double)ng_size(todo->plan.nodes[todo->plan.wanted[w]].whole));
}

SEXP bridge_predict_contig(SEXP model, SEXP wanted, SEXP sizes, SEXP bases, SEXP starts, SEXP window, SEXP run, SEXP frame)
{
    SEXP no_baseline = PROTECT(Rf_allocVector(REALSXP, 4));
    for (int i = 0; i < 4; i++) REAL(no_baseline)[i] = 0;
    assert_contig(model, wanted, bases, starts, window, no_baseline);
    bridge_call call;
    job todo = {0};
    SEXP outputs = PROTECT(allocate_outputs(sizes, (double)XLENGTH(starts)));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    bridge_use_store(&call, model);
    if (contig_job(&todo, model, bases, starts, window, no_baseline, &call) && make_plan(&todo, model, wanted, false, R_NilValue, &call) == NG_OK) {
        assert_sizes(&todo, sizes);
        predict(&todo, outputs, &call);
    }
    bridge_end(&call, owner);
    UNPROTECT(3);
    return outputs;
}

SEXP bridge_predict_arrays(SEXP model, SEXP wanted, SEXP sizes, SEXP arrays, SEXP shapes, SEXP count, SEXP run, SEXP frame)
{
    assert_arrays(model, wanted, arrays, shapes, count, R_NilValue);
    bridge_call call;
    job todo = {0};
    SEXP outputs = PROTECT(allocate_outputs(sizes, Rf_asReal(count)));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    bridge_use_store(&call, model);
    if (arrays_job(&todo, arrays, shapes, count, R_NilValue, &call) && make_plan(&todo, model, wanted, false, R_NilValue, &call) == NG_OK) {
        assert_sizes(&todo, sizes);
        predict(&todo, outputs, &call);
    }
    bridge_end(&call, owner);
    UNPROTECT(2);
    return outputs;
}

/* numbers: one numeric vector per wanted call, for one window or for all; NULL: zeros. */
static bool read_objective(const job *todo, SEXP numbers, ng_objective *objective, bridge_call *call)
{
    const float **cotangent = ng_alloc(call->run.arena, todo->wanted_count, sizeof *cotangent, &call->error);
    int64_t *stride = cotangent ? ng_alloc(call->run.arena, todo->wanted_count, sizeof *stride, &call->error) : NULL;
    bridge_assert(TYPEOF(numbers) == VECSXP && XLENGTH(numbers) == todo->wanted_count);
    for (int w = 0; stride && w < todo->wanted_count; w++) {
        SEXP own = VECTOR_ELT(numbers, w);
        const int64_t size = ng_size(todo->plan.nodes[todo->plan.wanted[w]].whole);
        if (own == R_NilValue) continue;
        bridge_assert(XLENGTH(own) == size || XLENGTH(own) == size * todo->windows);
        stride[w] = XLENGTH(own) == size ? 0 : size;
        if (!(cotangent[w] = bridge_floats(own, call))) return false;
    }
    *objective = (ng_objective){cotangent, stride};
    return stride;
}

/* The integral of one target whose nodes each window chooses; the fourth row of checks counts them. */
static void integrate_adaptively(job *todo, const ng_objective *objective, SEXP settings, ng_check *found, SEXP checks, bridge_call *call)
{
    const ng_adaptive adaptive = {REAL(settings)[0], (int64_t)REAL(settings)[1]};
    int64_t *nodes = ng_alloc(call->run.arena, todo->windows, sizeof *nodes, &call->error);
    if (!nodes) return;
    ng_adaptive_integral(&todo->plan, &todo->source, todo->windows, objective, &adaptive, todo->sinks, found, nodes, &call->run, &call->error);
    for (int64_t w = 0; w < todo->windows; w++) REAL(checks)[4 * w + 3] = (double)nodes[w];
}

static ng_path path_of(SEXP path)
{
    return (ng_path){XLENGTH(VECTOR_ELT(path, 0)), REAL(VECTOR_ELT(path, 0)), REAL(VECTOR_ELT(path, 1)), Rf_asLogical(VECTOR_ELT(path, 2))};
}

/* path: list(positions, weights, times_difference), or with a fourth, c(tolerance, max_nodes), in the place of positions and weights,
 * or "deeplift".
 * cotangents: of each target. checks: (3 or 4, windows of each target), rows output, baseline output, attributed. */
static void integrate(job *todo, SEXP cotangents, SEXP path, SEXP checks, bridge_call *call)
{
    const int targets = (int)XLENGTH(cotangents);
    ng_objective *objectives = ng_alloc(call->run.arena, targets, sizeof *objectives, &call->error);
    ng_check *found = objectives ? ng_alloc(call->run.arena, targets * todo->windows, sizeof *found, &call->error) : NULL;
    for (int t = 0; t < targets; t++)
        if (!found || !read_objective(todo, VECTOR_ELT(cotangents, t), &objectives[t], call)) return;
    const ng_path line = path_of(path);
    const int rows = Rf_nrows(checks);
    bridge_assert(rows == 3 || targets == 1);
    if (rows == 4) integrate_adaptively(todo, objectives, VECTOR_ELT(path, 3), found, checks, call);
    else if (todo->contig)
        ng_window_integral(todo->graph, &todo->plan, todo->wanted, todo->contig, todo->windows, objectives, targets, &line, todo->sinks, found,
                           &call->run, &call->error);
    else ng_path_integral(&todo->plan, &todo->source, todo->windows, objectives, targets, &line, todo->sinks, found, &call->run, &call->error);
    for (int64_t w = 0; w < targets * todo->windows; w++) {
        REAL(checks)[rows * w] = found[w].output;
        REAL(checks)[rows * w + 1] = found[w].baseline_output;
        REAL(checks)[rows * w + 2] = found[w].attributed;
    }
}

static void assert_path(SEXP path, SEXP cotangents)
{
    bridge_assert(TYPEOF(path) == VECSXP && XLENGTH(path) >= 3 && TYPEOF(VECTOR_ELT(path, 0)) == REALSXP);
    bridge_assert(TYPEOF(VECTOR_ELT(path, 1)) == REALSXP && XLENGTH(VECTOR_ELT(path, 0)) == XLENGTH(VECTOR_ELT(path, 1)));
    bridge_assert(TYPEOF(cotangents) == VECSXP && XLENGTH(cotangents) > 0);
    if (XLENGTH(path) > 3 && !is_deeplift(path)) bridge_assert(TYPEOF(VECTOR_ELT(path, 3)) == REALSXP && XLENGTH(VECTOR_ELT(path, 3)) == 2);
}

static int check_rows(SEXP path) { return XLENGTH(path) > 3 && !is_deeplift(path) ? 4 : 3; }

static SEXP scores_and_checks(SEXP scores, SEXP checks)
{
    SEXP result = PROTECT(Rf_allocVector(VECSXP, 2));
    SET_VECTOR_ELT(result, 0, scores);
    SET_VECTOR_ELT(result, 1, checks);
    UNPROTECT(1);
    return result;
}

/* A matrix (bp, 4), columns A, C, G, T: named here, since R would copy it to name them. Its numbers come with the scores: memory that
 * nobody has touched is none. */
static SEXP base_matrix(R_xlen_t length)
{
    static const char *const bases[] = {"A", "C", "G", "T"};
    SEXP scores = PROTECT(Rf_allocMatrix(REALSXP, (int)length, 4)), names = PROTECT(Rf_allocVector(VECSXP, 2));
    SET_VECTOR_ELT(names, 1, Rf_allocVector(STRSXP, 4));
    for (int base = 0; base < 4; base++) SET_STRING_ELT(VECTOR_ELT(names, 1), base, Rf_mkChar(bases[base]));
    Rf_setAttrib(scores, R_DimNamesSymbol, names);
    UNPROTECT(2);
    return scores;
}

/* list(a matrix (bp, 4) for each target, checks). */
SEXP bridge_attribute_contig(SEXP model, SEXP wanted, SEXP cotangents, SEXP bases, SEXP starts, SEXP window, SEXP baseline, SEXP path,
                             SEXP run, SEXP frame)
{
    assert_contig(model, wanted, bases, starts, window, baseline);
    assert_path(path, cotangents);
    bridge_call call;
    job todo = {0};
    const R_xlen_t targets = XLENGTH(cotangents);
    SEXP scores = PROTECT(Rf_allocVector(VECSXP, targets));
    for (R_xlen_t t = 0; t < targets; t++) SET_VECTOR_ELT(scores, t, base_matrix(XLENGTH(bases)));
    SEXP checks = PROTECT(Rf_allocMatrix(REALSXP, check_rows(path), (int)(targets * XLENGTH(starts))));
    SEXP result = PROTECT(scores_and_checks(scores, checks));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    bridge_use_store(&call, model);
    const ng_contig *contig = contig_job(&todo, model, bases, starts, window, baseline, &call);
    ng_contig *into = contig ? ng_alloc(call.run.arena, targets, sizeof *into, &call.error) : NULL;
    todo.sinks = into ? ng_alloc(call.run.arena, targets, sizeof *todo.sinks, &call.error) : NULL;
    for (R_xlen_t t = 0; todo.sinks && t < targets; t++) {
        into[t] = *contig;
        into[t].scores = REAL(VECTOR_ELT(scores, t));
        todo.sinks[t] = ng_contig_sink(&into[t]);
    }
    todo.targets = (int)targets;
    if (todo.sinks && make_plan(&todo, model, wanted, true, path, &call) == NG_OK) integrate(&todo, cotangents, path, checks, &call);
    for (R_xlen_t t = 0; todo.sinks && t < targets; t++) ng_contig_clear(&into[t], XLENGTH(bases));
    bridge_end(&call, owner);
    UNPROTECT(4);
    return result;
}

/* list(a list of arrays like the inputs for each target, checks). */
SEXP bridge_attribute_arrays(SEXP model, SEXP wanted, SEXP cotangents, SEXP arrays, SEXP shapes, SEXP count, SEXP baselines, SEXP path,
                             SEXP run, SEXP frame)
{
    assert_arrays(model, wanted, arrays, shapes, count, baselines);
    assert_path(path, cotangents);
    bridge_call call;
    job todo = {0};
    const R_xlen_t n = XLENGTH(arrays), targets = XLENGTH(cotangents);
    SEXP scores = PROTECT(Rf_allocVector(VECSXP, targets));
    for (R_xlen_t t = 0; t < targets; t++) {
        SET_VECTOR_ELT(scores, t, Rf_allocVector(VECSXP, n));
        for (R_xlen_t i = 0; i < n; i++) SET_VECTOR_ELT(VECTOR_ELT(scores, t), i, Rf_allocVector(REALSXP, XLENGTH(VECTOR_ELT(arrays, i))));
    }
    SEXP checks = PROTECT(Rf_allocMatrix(REALSXP, check_rows(path), (int)(targets * (R_xlen_t)Rf_asReal(count))));
    SEXP result = PROTECT(scores_and_checks(scores, checks));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    bridge_use_store(&call, model);
    const ng_arrays *made = arrays_job(&todo, arrays, shapes, count, baselines, &call);
    double **numbers = made ? ng_alloc(call.run.arena, targets * n, sizeof *numbers, &call.error) : NULL;
    ng_arrays *into = numbers ? ng_alloc(call.run.arena, targets, sizeof *into, &call.error) : NULL;
    todo.sinks = into ? ng_alloc(call.run.arena, targets, sizeof *todo.sinks, &call.error) : NULL;
    for (R_xlen_t t = 0; todo.sinks && t < targets; t++) {
        for (R_xlen_t i = 0; i < n; i++) numbers[t * n + i] = REAL(VECTOR_ELT(VECTOR_ELT(scores, t), i));
        into[t] = *made;
        into[t].scores = numbers + t * n;
        todo.sinks[t] = ng_arrays_sink(&into[t]);
    }
    todo.targets = (int)targets;
    if (todo.sinks && make_plan(&todo, model, wanted, true, path, &call) == NG_OK) integrate(&todo, cotangents, path, checks, &call);
    bridge_end(&call, owner);
    UNPROTECT(4);
    return result;
}

/* ---- plans ---- */

/* Numbers of one layer, in the order of plan_columns in R. */
enum { PLAN_COLUMNS = 18 };

static void plan_row(const ng_node *node, const ng_node_cost *cost, double *to, R_xlen_t rows)
{
    const double numbers[PLAN_COLUMNS] = {
        node->zone, node->origin, node->whole.rank, (double)node->whole.samples, (double)node->whole.length, (double)node->whole.channels,
        (double)node->layer.y_align, (double)cost->tiles, (double)cost->tile_rows, cost->computed_rows, (double)cost->value_bytes,
        (double)cost->code_bytes, cost->operations, cost->back_operations, cost->seconds, cost->back_seconds, cost->path_operations, cost->path_seconds};
    for (int i = 0; i < PLAN_COLUMNS; i++) to[i * rows] = numbers[i];
}

static void plan_table(const ng_plan *plan, const ng_node_cost *costs, SEXP result)
{
    SEXP table = Rf_allocMatrix(REALSXP, plan->count, PLAN_COLUMNS);
    SET_VECTOR_ELT(result, 0, table);
    SEXP words = Rf_allocMatrix(STRSXP, plan->count, 3);
    SET_VECTOR_ELT(result, 1, words);
    for (int k = 0; k < plan->count; k++) {
        const ng_layer *layer = &plan->nodes[k].layer;
        plan_row(&plan->nodes[k], &costs[k], REAL(table) + k, plan->count);
        SET_STRING_ELT(words, k, Rf_mkCharCE(layer->name, CE_UTF8));
        SET_STRING_ELT(words, plan->count + k, Rf_mkChar(layer->type->class_name));
        SET_STRING_ELT(words, 2 * plan->count + k, Rf_mkChar(layer->type->algorithm ? layer->type->algorithm : ""));
    }
}

/* What this thread has had of a processor: no neighbour's load changes it. */
static double processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Makes the job's call up to where it has all its memory. */
static void rehearse(job *todo, SEXP cotangents, SEXP path, ng_rehearsal *told, bridge_call *call)
{
    SEXP checks = PROTECT(Rf_allocMatrix(REALSXP, 3, (int)(todo->windows * Rf_xlength(cotangents)))), sizes = PROTECT(Rf_allocVector(REALSXP, todo->wanted_count));
    for (int w = 0; w < todo->wanted_count; w++) REAL(sizes)[w] = (double)ng_size(todo->plan.nodes[todo->plan.wanted[w]].whole);
    call->run.rehearsal = told;
    if (path == R_NilValue) predict(todo, PROTECT(allocate_outputs(sizes, (double)todo->windows)), call);
    else integrate(todo, PROTECT(cotangents), path, checks, call);
    UNPROTECT(3);
}

/* What windows that overlap share. */
static ng_saving saving_of(const job *todo, SEXP cotangents, SEXP path, const bridge_call *call)
{
    if (!todo->contig) return (ng_saving){1, false};
    if (path == R_NilValue) return ng_scan_saving(todo->graph, &todo->plan, todo->wanted, todo->contig, todo->windows, &call->run);
    const ng_path line = path_of(path);
    return ng_integral_saving(todo->graph, todo->wanted, todo->wanted_count, todo->contig, todo->windows, (int)XLENGTH(cotangents), &line, &call->run);
}

/* list(numbers, words, c(bytes, seconds to make the plan, share of operations left where windows share work, are winners of pools kept, was memory
 * too short for that, nodes of a path in a round; 0: all of them)): the plan of bridge_attribute_contig(), or where path is NULL of
 * bridge_predict_contig(), with what each layer costs, and all memory of the call. Without `timed` the last element alone. */
SEXP bridge_plan_contig(SEXP model, SEXP wanted, SEXP cotangents, SEXP bases, SEXP starts, SEXP window, SEXP baseline, SEXP path, SEXP timed,
                        SEXP run, SEXP frame)
{
    const bool gradients = path != R_NilValue;
    assert_contig(model, wanted, bases, starts, window, baseline);
    if (gradients) assert_path(path, cotangents);
    bridge_call call;
    job todo = {0};
    const double start = processor_seconds();
    ng_node_cost *costs = NULL;
    ng_rehearsal told = {0};
    SEXP result = PROTECT(Rf_allocVector(VECSXP, 3));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    bridge_use_store(&call, model);
    const ng_contig *contig = contig_job(&todo, model, bases, starts, window, baseline, &call);
    if (contig && make_plan(&todo, model, wanted, gradients, path, &call) == NG_OK) {
        const double took = processor_seconds() - start;
        if (Rf_asLogical(timed)) {
            costs = (ng_node_cost *)R_alloc((size_t)todo.plan.count, sizeof *costs);
            ng_plan_cost(&todo.plan, gradients, &call.run, processor_seconds, costs, &call.error);
        }
        const ng_saving saving = costs ? saving_of(&todo, cotangents, path, &call) : (ng_saving){1, false};
        if (call.error.status == NG_OK) rehearse(&todo, cotangents, path, &told, &call);
        if (call.error.status == NG_OK) {
            SEXP totals = Rf_allocVector(REALSXP, 6);
            SET_VECTOR_ELT(result, 2, totals);
            REAL(totals)[0] = (double)ng_arena_used(call.run.arena);
            REAL(totals)[1] = took;
            REAL(totals)[2] = saving.left;
            REAL(totals)[3] = todo.plan.winners_kept;
            REAL(totals)[4] = saving.short_of_memory;
            REAL(totals)[5] = (double)told.nodes;
            if (costs) plan_table(&todo.plan, costs, result);
        }
    }
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}
