#include <string.h>
#include "core/attribution/rest.h"
#include "core/attribution/window_integral.h"
#include "core/network/strip.h"

enum { ROWS = 1024 };                            /* of scores that are delivered at a time */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t step_of(const ng_contig *contig) { return contig->starts[1] - contig->starts[0]; }

/* What the strips of a contig share. A strip holds overlap.windows windows that begin one step after the other; the last window, if it is
 * aligned to the contig's end, is a strip by itself. */
typedef struct job {
    ng_overlap overlap;
    ng_rest rest;
    ng_strip *strips;                            /* a lot: those that are in memory together */
    ng_source source;
    const ng_contig *contig;
    int64_t windows, together, each;             /* in all; one step after the other; strips in a lot */
    const ng_objective *objectives;
    int targets;
    const ng_path *path;
    const ng_sink *sinks;
    ng_check *checks;
    double *values, *scores;                     /* (targets, windows of a lot); of a block of rows */
    const ng_run *run;
} job;

static int64_t strip_count(const job *todo)
{
    return (todo->together + todo->overlap.windows - 1) / todo->overlap.windows + todo->windows - todo->together;
}

/* The first window of strip s; that of the one behind the last is the number of windows. */
static int64_t first_of(const job *todo, int64_t s)
{
    const int64_t left = strip_count(todo) - s, alone = todo->windows - todo->together;
    return left <= alone ? todo->windows - left : s * todo->overlap.windows;
}

/* Strips [first, last) of a lot, and their windows. */
typedef struct lot { int64_t first, last, first_window, windows; } lot;

/* Windows of a strip, and its place among those of the lot. */
static int64_t windows_of(const job *todo, int64_t s) { return first_of(todo, s + 1) - first_of(todo, s); }
static int64_t place_of(const job *todo, const lot *here, int64_t s) { return first_of(todo, s) - here->first_window; }

static void read_strips(const job *todo, const lot *here)
{
#pragma omp parallel for schedule(dynamic) num_threads(todo->run->threads)
    for (int64_t s = here->first; s < here->last; s++)
        ng_strip_read(&todo->overlap, &todo->source, first_of(todo, s), todo->targets, &todo->strips[s - here->first]);
}

static void forward(const job *todo, const lot *here, double position, bool tangents)
{
#pragma omp parallel for schedule(dynamic) num_threads(todo->run->threads)
    for (int64_t s = here->first; s < here->last; s++)
        ng_strip_forward(&todo->overlap, position, windows_of(todo, s), tangents, &todo->strips[s - here->first], todo->rest.rows,
                         place_of(todo, here, s));
}

/* slopes: of the windows of the lot. */
static void backward(const job *todo, const lot *here, double weight, int target, double *slopes)
{
#pragma omp parallel for schedule(dynamic) num_threads(todo->run->threads)
    for (int64_t s = here->first; s < here->last; s++) {
        const int64_t at = place_of(todo, here, s);
        ng_strip_backward(&todo->overlap, weight, windows_of(todo, s), target, &todo->strips[s - here->first], todo->rest.gradients[target],
                          at, slopes ? slopes + at : NULL);
    }
}

/* F at both ends of each window's path, or at the sequence alone if there is no difference between them to explain. */
static void evaluate_ends(job *todo, const lot *here)
{
    for (int end = todo->path->times_difference ? 0 : 1; end < 2; end++) {
        forward(todo, here, end, false);
        ng_rest_values(&todo->rest, here->windows, todo->objectives, todo->values, here->windows);
        for (int64_t i = 0; i < todo->targets * here->windows; i++) {
            ng_check *check = &todo->checks[i / here->windows * todo->windows + here->first_window + i % here->windows];
            *(end ? &check->output : &check->baseline_output) = todo->values[i];
        }
    }
}

static void add_node(job *todo, const lot *here, int64_t node)
{
    const double weight = todo->path->weights[node];
    const bool tangents = todo->path->times_difference;
    forward(todo, here, todo->path->positions[node], tangents);
    ng_rest_gradients(&todo->rest, here->windows, todo->objectives);
    for (int t = 0; t < todo->targets; t++) {
        ng_check *checks = todo->checks + t * todo->windows + here->first_window;
        memset(todo->values, 0, (size_t)here->windows * sizeof *todo->values);
        backward(todo, here, weight, t, tangents ? todo->values : NULL);
        for (int64_t w = 0; w < here->windows; w++) checks[w].attributed += weight * todo->values[w];
    }
}

/* The scores of a strip, as of its first window, which is longer then. */
static void deliver(job *todo, const ng_strip *strip, int64_t s, int target)
{
    const int64_t first = first_of(todo, s), channels = ng_contig_shape(todo->contig).channels;
    const int64_t length = (windows_of(todo, s) - 1) * todo->overlap.step + todo->contig->window;
    for (int64_t row = 0; row < length; row += ROWS) {
        const ng_range rows = {row, least(row + ROWS, length)};
        for (int64_t i = 0, at = row * channels; at < rows.last * channels; i++, at++) {
            const double factor = todo->path->times_difference ? (double)strip->sequence[at] - (double)strip->baseline[at] : 1;
            todo->scores[i] = factor * (double)strip->sums[target][at];
        }
        todo->sinks[target].add(todo->sinks[target].data, 0, first, rows, todo->scores);
    }
}

static ng_status integrate_lot(job *todo, const lot *here, ng_error *error)
{
    const double before = (double)here->first_window / (double)todo->windows, share = (double)here->windows / (double)todo->windows;
    read_strips(todo, here);
    evaluate_ends(todo, here);
    for (int64_t node = 0; node < todo->path->nodes; node++) {
        add_node(todo, here, node);
        if (ng_poll(todo->run, before + share * (double)(node + 1) / (double)todo->path->nodes, error)) return error->status;
    }
    for (int64_t s = here->first; s < here->last; s++)
        for (int t = 0; t < todo->targets; t++) deliver(todo, &todo->strips[s - here->first], s, t);
    return NG_OK;
}

/* Are the strips of all windows the same function of the bases, and are there any that overlap? */
static bool may_share(const ng_contig *contig, int64_t windows, const ng_path *path)
{
    const int64_t together = ng_regular_windows(contig->starts, windows), step = together > 1 ? step_of(contig) : 0;
    if (contig->baseline_bases || contig->baseline_draw || contig->baseline_rows) return false;
    for (int64_t node = 0; node < path->nodes; node++)
        if (path->positions[node] == 0) return false;                 /* where whole layers may tie, which kernels of their own keep */
    return step > 0 && step < contig->window && together >= windows - 1;
}

/* Memory for `each` strips at a time. */
static ng_status take_memory(const ng_graph *graph, const int *wanted, int wanted_count, int64_t each, job *todo, ng_error *error)
{
    ng_arena *arena = todo->run->arena;
    const int64_t most_windows = each * todo->overlap.windows;
    todo->each = each;
    todo->strips = ng_alloc(arena, each, sizeof *todo->strips, error);
    todo->values = ng_alloc(arena, todo->targets * most_windows, sizeof *todo->values, error);
    todo->scores = ng_alloc(arena, ROWS * ng_contig_shape(todo->contig).channels, sizeof *todo->scores, error);
    if (!todo->strips || !todo->values || !todo->scores) return error->status;
    if (ng_rest_make(graph, &todo->overlap, wanted, wanted_count, most_windows, todo->targets, todo->run, &todo->rest, error)) return error->status;
    for (int64_t i = 0; i < each; i++)
        if (ng_strip_make(&todo->overlap, todo->targets, arena, &todo->strips[i], error)) return error->status;
    return NG_OK;
}

/* Plans strips, and takes memory for one a thread, or where that is too much for as many as still pay; todo->overlap.windows is 0 if windows had
 * better not share anything. */
static ng_status make_job(const ng_graph *graph, const int *wanted, int wanted_count, job *todo, ng_error *error)
{
    const ng_run *run = todo->run;
    const ng_shape shape = ng_contig_shape(todo->contig);
    ng_plan forward;
    if (!may_share(todo->contig, todo->windows, todo->path)) return NG_OK;
    if (ng_plan_make(graph, &shape, wanted, wanted_count, false, run, &forward, error)) return error->status;
    if (ng_overlap_make(graph, &forward, step_of(todo->contig), todo->together, true, run, &todo->overlap, error)) return error->status;
    if (todo->overlap.windows == 0) return NG_OK;
    const void *mark = ng_arena_mark(run->arena);
    int64_t each = least(run->threads, strip_count(todo));
    while (take_memory(graph, wanted, wanted_count, each, todo, error) == NG_OUT_OF_MEMORY) {
        if (--each <= todo->overlap.left * run->threads) break;
        ng_arena_rewind(run->arena, mark);
        *error = (ng_error){0};
    }
    return error->status;
}

static ng_status integrate_strips(job *todo, ng_error *error)
{
    const int64_t strips = strip_count(todo);
    memset(todo->checks, 0, (size_t)(todo->targets * todo->windows) * sizeof *todo->checks);
    for (int64_t s = 0; s < strips; s += todo->each) {
        const int64_t last = least(s + todo->each, strips), first = first_of(todo, s);
        if (integrate_lot(todo, &(lot){s, last, first, first_of(todo, last) - first}, error)) return error->status;
    }
    return NG_OK;
}

ng_saving ng_integral_saving(const ng_graph *graph, const int *wanted, int wanted_count, const ng_contig *contig, int64_t windows, int targets,
                             const ng_path *path, const ng_run *run)
{
    const void *mark = ng_arena_mark(run->arena);
    job todo = {.contig = contig, .windows = windows, .together = ng_regular_windows(contig->starts, windows), .targets = targets, .path = path, .run = run};
    ng_error failed = {0};
    const bool fits = make_job(graph, wanted, wanted_count, &todo, &failed) == NG_OK;
    ng_arena_rewind(run->arena, mark);
    return (ng_saving){fits && todo.overlap.windows ? todo.overlap.left : 1, !fits};
}

ng_status ng_window_integral(const ng_graph *graph, const ng_plan *plan, const int *wanted, const ng_contig *contig, int64_t windows,
                             const ng_objective *objectives, int targets, const ng_path *path, const ng_sink *sinks, ng_check *checks,
                             const ng_run *run, ng_error *error)
{
    const void *mark = ng_arena_mark(run->arena);
    job todo = {.source = ng_contig_source(contig), .contig = contig, .windows = windows, .together = ng_regular_windows(contig->starts, windows),
                .objectives = objectives, .targets = targets, .path = path, .sinks = sinks, .checks = checks, .run = run};
    ng_error failed = {0};
    bool alike = true;
    for (int t = 0; t < targets; t++)
        for (int w = 0; w < plan->wanted_count; w++) alike = alike && !objectives[t].window_stride[w];
    if (alike && make_job(graph, wanted, plan->wanted_count, &todo, &failed) == NG_OK && todo.overlap.windows)
        return run->rehearsal ? NG_OK : integrate_strips(&todo, error);
    if (failed.status != NG_OK && failed.status != NG_OUT_OF_MEMORY) {
        *error = failed;
        return error->status;
    }
    ng_arena_rewind(run->arena, mark);           /* sharing takes too much of it */
    return ng_path_integral(plan, &todo.source, windows, objectives, targets, path, sinks, checks, run, error);
}
