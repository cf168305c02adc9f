#include <math.h>
#include <string.h>
#include "core/attribution/moved_annotation.h"
#include "core/base/random.h"
#ifdef _OPENMP
#include <omp.h>
#endif

enum { ROUND = 16 };                                          /* draws a thread between polls */

void ng_draw_places(const ng_annotation *annotation, uint64_t key, int64_t draw, int64_t *places)
{
    for (int64_t block = 0; block < annotation->blocks; block++)
        places[block] = ng_random_below(key, 0, (uint64_t)(draw * annotation->blocks + block), annotation->axis);
}

static int64_t circle_of(const ng_annotation *annotation, int64_t place)
{
    int64_t low = 0, high = annotation->n_circles;
    while (high - low > 1) {
        const int64_t middle = (low + high) / 2;
        if (annotation->circles[middle] <= place) low = middle; else high = middle;
    }
    return low;
}

/* The sum over `bases` bases from `from` on, both counted around the circle [first, end). */
static double around(const double *sums, int64_t first, int64_t end, int64_t from, int64_t bases)
{
    const int64_t length = end - first, to = from + bases;
    const double turns = (double)(to / length - from / length);
    return (turns > 0 ? turns * (sums[end] - sums[first]) : 0) + sums[first + to % length] - sums[first + from % length];
}

void ng_moved_means(const ng_annotation *annotation, const int64_t *places, double *means, double *bases)
{
    memset(means, 0, (size_t)annotation->features * sizeof *means);
    memset(bases, 0, (size_t)annotation->features * sizeof *bases);
    int64_t circle = 0, last = -1;
    for (int64_t piece = 0; piece < annotation->pieces; piece++) {
        const int64_t block = annotation->block[piece], feature = annotation->feature[piece];
        if (block != last) circle = circle_of(annotation, places[last = block]);
        const int64_t first = annotation->circles[circle];
        const int64_t end = circle + 1 < annotation->n_circles ? annotation->circles[circle + 1] : annotation->axis;
        const int64_t from = places[block] - first + annotation->offset[piece];
        means[feature] += around(annotation->sums, first, end, from, annotation->bases[piece]);
        bases[feature] += around(annotation->known, first, end, from, annotation->bases[piece]);
    }
    for (int64_t feature = 0; feature < annotation->features; feature++)
        means[feature] = bases[feature] > 0 ? means[feature] / bases[feature] : NAN;
}

ng_status ng_moved_counts(const ng_annotation *annotation, const double *means, uint64_t key, int64_t draws, const ng_run *run,
                          int64_t *there, int64_t *high, int64_t *low, ng_error *error)
{
    const int64_t n = annotation->features;
    double *moved = ng_alloc(run->arena, 2 * n * run->threads, sizeof *moved, error);
    int64_t *counts = moved ? ng_alloc(run->arena, 3 * n * run->threads, sizeof *counts, error) : NULL;
    int64_t *places = counts ? ng_alloc(run->arena, annotation->blocks * run->threads, sizeof *places, error) : NULL;
    if (!places) return error->status;
    for (int64_t begin = 0; begin < draws; begin += ROUND * run->threads) {
        const int64_t end = begin + ROUND * run->threads < draws ? begin + ROUND * run->threads : draws;
#pragma omp parallel for schedule(dynamic) num_threads(run->threads)
        for (int64_t draw = begin; draw < end; draw++) {
#ifdef _OPENMP
            const int thread = omp_get_thread_num();
#else
            const int thread = 0;
#endif
            double *mean = moved + 2 * n * thread, *bases = mean + n;
            int64_t *mine = counts + 3 * n * thread, *place = places + annotation->blocks * thread;
            ng_draw_places(annotation, key, draw, place);
            ng_moved_means(annotation, place, mean, bases);
            for (int64_t k = 0; k < n; k++) {                 /* comparisons with NaN are false */
                const double slack = annotation->slack / bases[k];
                mine[3 * k] += !isnan(mean[k]);
                mine[3 * k + 1] += mean[k] >= means[k] - slack;
                mine[3 * k + 2] += mean[k] <= means[k] + slack;
            }
        }
        if (ng_poll(run, (double)end / (double)draws, error)) return error->status;
    }
    for (int64_t k = 0; k < n * run->threads; k++) {
        there[k % n] += counts[3 * k];
        high[k % n] += counts[3 * k + 1];
        low[k % n] += counts[3 * k + 2];
    }
    return NG_OK;
}
