#include "core/attribution/rest.h"
#include "core/attribution/window_scan.h"
#include "core/network/strip.h"

enum { GROUP_BYTES = 32 << 20 };                 /* boundary tensors of a group of strips */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t boundary_bytes(const ng_overlap *overlap)
{
    int64_t bytes = 0;
    for (int b = 0; b < overlap->window.wanted_count; b++) bytes += ng_size(overlap->window.nodes[overlap->window.wanted[b]].whole) * 4;
    return bytes;
}

#ifdef _OPENMP
#include <omp.h>
static int thread_number(void) { return omp_get_thread_num(); }
#else
static int thread_number(void) { return 0; }
#endif

/* What the strips of a scan share: memory of each thread, and how many windows a group of strips has. */
typedef struct job { ng_overlap overlap; ng_rest rest; ng_strip *rooms; int64_t group; } job;

/* Group after group of strips: strips in parallel up to the boundary, then all their windows through the rest. */
static ng_status scan_strips(job *todo, const ng_source *source, int64_t windows, float *const *outputs, const ng_run *run, ng_error *error)
{
    for (int64_t first = 0; first < windows; first += todo->group) {
        const int64_t here = least(todo->group, windows - first), each = todo->overlap.windows;
#pragma omp parallel for schedule(dynamic) num_threads(run->threads)
        for (int64_t at = 0; at < here; at += each) {
            ng_strip *strip = &todo->rooms[thread_number()];
            ng_strip_read(&todo->overlap, source, first + at, 0, strip);
            ng_strip_forward(&todo->overlap, 1, least(each, here - at), false, strip, todo->rest.rows, at);
        }
        ng_rest_outputs(&todo->rest, here, first, outputs);
        if (ng_poll(run, (double)(first + here) / (double)windows, error)) return error->status;
    }
    return NG_OK;
}

static int64_t step_of(const ng_contig *contig, int64_t together) { return together > 1 ? contig->starts[1] - contig->starts[0] : 0; }

/* Plans the first windows, and takes memory; todo->overlap.windows is 0 if they had better not share anything. */
static ng_status make_job(const ng_graph *graph, const ng_plan *plan, const int *wanted, const ng_contig *contig, int64_t together,
                          const ng_run *run, job *todo, ng_error *error)
{
    const int64_t step = step_of(contig, together);
    *todo = (job){0};
    if (step <= 0 || step >= contig->window) return NG_OK;
    if (ng_overlap_make(graph, plan, step, together, false, run, &todo->overlap, error)) return error->status;
    const int64_t each = todo->overlap.windows;
    if (each == 0) return NG_OK;
    todo->group = least((together + each - 1) / each, most(run->threads, GROUP_BYTES / (boundary_bytes(&todo->overlap) * each))) * each;
    todo->rooms = ng_alloc(run->arena, run->threads, sizeof *todo->rooms, error);
    if (!todo->rooms || ng_rest_make(graph, &todo->overlap, wanted, plan->wanted_count, todo->group, 0, run, &todo->rest, error)) return error->status;
    for (int t = 0; t < run->threads; t++)
        if (ng_strip_make(&todo->overlap, 0, run->arena, &todo->rooms[t], error)) return error->status;
    return NG_OK;
}

ng_saving ng_scan_saving(const ng_graph *graph, const ng_plan *plan, const int *wanted, const ng_contig *contig, int64_t windows, const ng_run *run)
{
    const void *mark = ng_arena_mark(run->arena);
    const int64_t together = ng_regular_windows(contig->starts, windows);
    const double share = (double)together / (double)windows;
    job todo;
    ng_error failed = {0};
    const bool fits = make_job(graph, plan, wanted, contig, together, run, &todo, &failed) == NG_OK;
    ng_arena_rewind(run->arena, mark);
    return (ng_saving){fits && todo.overlap.windows ? share * todo.overlap.left + 1 - share : 1, !fits};
}

ng_status ng_window_scan(const ng_graph *graph, const ng_plan *plan, const int *wanted, const ng_contig *contig, int64_t windows,
                         float *const *outputs, const ng_run *run, ng_error *error)
{
    const void *mark = ng_arena_mark(run->arena);
    const int64_t together = ng_regular_windows(contig->starts, windows);
    int64_t done = 0;
    job todo;
    ng_error failed = {0};
    const ng_source all = ng_contig_source(contig);
    if (make_job(graph, plan, wanted, contig, together, run, &todo, &failed) == NG_OK && todo.overlap.windows) {
        done = together;
        if (run->rehearsal || scan_strips(&todo, &all, done, outputs, run, error)) return error->status;
    }
    if (failed.status != NG_OK && failed.status != NG_OUT_OF_MEMORY) *error = failed;
    if (error->status != NG_OK || done == windows) return error->status;
    ng_arena_rewind(run->arena, mark);           /* sharing takes too much of it, or is done */
    ng_contig others = *contig;
    float **here = ng_alloc(run->arena, plan->wanted_count, sizeof *here, error);
    if (!here) return error->status;
    others.starts += done;
    for (int w = 0; w < plan->wanted_count; w++) here[w] = outputs[w] + done * ng_size(plan->nodes[plan->wanted[w]].whole);
    const ng_source source = ng_contig_source(&others);
    return ng_predict(plan, &source, windows - done, here, run, error);
}
