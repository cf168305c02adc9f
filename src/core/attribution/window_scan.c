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

/* Group after group of strips: strips in parallel up to the boundary, then all their windows through the rest. */
static ng_status scan_strips(const ng_overlap *overlap, ng_rest *rest, ng_strip *rooms, int64_t group, const ng_source *source,
                             int64_t windows, float *const *outputs, const ng_run *run, ng_error *error)
{
    for (int64_t first = 0; first < windows; first += group) {
        const int64_t here = least(group, windows - first), each = overlap->windows;
#pragma omp parallel for schedule(dynamic) num_threads(run->threads)
        for (int64_t at = 0; at < here; at += each) {
            ng_strip *strip = &rooms[thread_number()];
            ng_strip_read(overlap, source, first + at, 0, strip);
            ng_strip_forward(overlap, 1, least(each, here - at), false, strip, rest->rows, at);
        }
        ng_rest_outputs(rest, here, first, outputs);
        if (ng_poll(run, (double)(first + here) / (double)windows, error)) return error->status;
    }
    return NG_OK;
}

/* The first `windows` windows; *done stays 0 if they had better not share anything. */
static ng_status scan_shared(const ng_graph *graph, const ng_plan *plan, const int *wanted, const ng_contig *contig, int64_t windows,
                             float *const *outputs, const ng_run *run, int64_t *done, ng_error *error)
{
    ng_overlap overlap;
    ng_rest rest;
    if (ng_overlap_make(graph, plan, contig->starts[1] - contig->starts[0], windows, false, run, &overlap, error)) return error->status;
    if (overlap.windows == 0) return NG_OK;
    const int64_t each = overlap.windows, strips = (windows + each - 1) / each;
    const int64_t group = least(strips, most(run->threads, GROUP_BYTES / (boundary_bytes(&overlap) * each))) * each;
    ng_strip *rooms = ng_alloc(run->arena, run->threads, sizeof *rooms, error);
    if (!rooms || ng_rest_make(graph, &overlap, wanted, plan->wanted_count, group, 0, run, &rest, error)) return error->status;
    for (int t = 0; t < run->threads; t++)
        if (ng_strip_make(&overlap, 0, run->arena, &rooms[t], error)) return error->status;
    const ng_source source = ng_contig_source(contig);
    *done = windows;
    return scan_strips(&overlap, &rest, rooms, group, &source, windows, outputs, run, error);
}

double ng_scan_left(const ng_graph *graph, const ng_plan *plan, const ng_contig *contig, int64_t windows, const ng_run *run)
{
    const int64_t together = ng_regular_windows(contig->starts, windows), step = together > 1 ? contig->starts[1] - contig->starts[0] : 0;
    if (step <= 0 || step >= contig->window) return 1;
    ng_run own = *run;
    if (!(own.arena = ng_arena_new(ng_arena_room(run->arena)))) return 1;
    ng_overlap overlap;
    ng_error failed = {0};
    const bool shared = ng_overlap_make(graph, plan, step, together, false, &own, &overlap, &failed) == NG_OK && overlap.windows > 0;
    const double left = shared ? overlap.left : 1, share = (double)together / (double)windows;
    ng_arena_free(own.arena);
    return share * left + 1 - share;
}

ng_status ng_window_scan(const ng_graph *graph, const ng_plan *plan, const int *wanted, const ng_contig *contig, int64_t windows,
                         float *const *outputs, const ng_run *run, ng_error *error)
{
    const int64_t together = ng_regular_windows(contig->starts, windows), step = together > 1 ? contig->starts[1] - contig->starts[0] : 0;
    int64_t done = 0;
    if (step > 0 && step < contig->window) {
        ng_run own = *run;                       /* memory that is given back if sharing takes too much of it */
        if (!(own.arena = ng_arena_new(ng_arena_room(run->arena)))) return ng_fail(error, NG_OUT_OF_MEMORY, NULL, "the system has no memory left");
        ng_error failed = {0};
        scan_shared(graph, plan, wanted, contig, together, outputs, &own, &done, &failed);
        ng_arena_free(own.arena);
        if (failed.status != NG_OK && failed.status != NG_OUT_OF_MEMORY) *error = failed;
        if (error->status != NG_OK || done == windows) return error->status;
    }
    ng_contig others = *contig;
    float **here = ng_alloc(run->arena, plan->wanted_count, sizeof *here, error);
    if (!here) return error->status;
    others.starts += done;
    for (int w = 0; w < plan->wanted_count; w++) here[w] = outputs[w] + done * ng_size(plan->nodes[plan->wanted[w]].whole);
    const ng_source source = ng_contig_source(&others);
    return ng_predict(plan, &source, windows - done, here, run, error);
}
