#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/attribution/gene_sets.h"
#ifdef _OPENMP
#include <omp.h>
#endif

enum { ROUND = 16 };                                          /* draws a thread between polls */

/* Running sums that differ by less are equal: the same steps summed from other means. */
static const double SLACK = 1e-9;

typedef struct ranked { double mean; int64_t feature; } ranked;
typedef struct running { double weight, hits, members, total; } running;

static int by_mean(const void *a, const void *b)
{
    const double x = ((const ranked *)a)->mean, y = ((const ranked *)b)->mean;
    return (x < y) - (x > y);
}

int64_t ng_score_sets_room(const ng_gene_sets *sets)
{
    return sets->features * (int64_t)sizeof(ranked) + sets->sets * (int64_t)sizeof(running);
}

/* The running sum of a set after `passed` features. */
static void look(const running *state, ng_set_score *score, double passed, double n)
{
    const double misses = n - state->members;
    const double up = state->total > 0 ? state->weight / state->total : state->hits / state->members;
    const double sum = up - (misses > 0 ? (passed - state->hits) / misses : 0);
    if (sum > score->high) score->high = sum;
    if (sum < score->low) score->low = sum;
}

void ng_score_sets(const ng_gene_sets *sets, const double *means, void *room, ng_set_score *scores)
{
    ranked *order = room;
    running *states = (running *)(order + sets->features);
    memset(states, 0, (size_t)sets->sets * sizeof *states);
    memset(scores, 0, (size_t)sets->sets * sizeof *scores);
    int64_t n = 0;
    for (int64_t feature = 0; feature < sets->features; feature++) {
        if (isnan(means[feature])) continue;
        order[n++] = (ranked){means[feature], feature};
        for (int64_t k = sets->first[feature]; k < sets->first[feature + 1]; k++) {
            states[sets->set[k]].members++;
            states[sets->set[k]].total += pow(fabs(means[feature]), sets->weight);
        }
    }
    qsort(order, (size_t)n, sizeof *order, by_mean);
    for (int64_t begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && order[end].mean == order[begin].mean;) end++;
        const double quantile = n > 1 ? ((double)(n - end) + (double)(end - begin - 1) / 2) / (double)(n - 1) : 0.5;
        const int64_t bin = quantile < 1 ? (int64_t)(quantile * NG_SET_BINS) : NG_SET_BINS - 1;
        const double step = pow(fabs(order[begin].mean), sets->weight);
        for (int stage = 0; stage < 3; stage++)               /* look before the ties, take them, look behind them */
            for (int64_t i = begin; i < end; i++) {
                const int64_t feature = order[i].feature;
                for (int64_t k = sets->first[feature]; k < sets->first[feature + 1]; k++) {
                    running *state = &states[sets->set[k]];
                    ng_set_score *score = &scores[sets->set[k]];
                    if (stage == 1) {
                        state->weight += step;
                        state->hits++;
                        score->bins[bin]++;
                    } else look(state, score, (double)(stage ? end : begin), (double)n);
                }
            }
    }
}

static void add_draw(const ng_set_score *observed, const ng_set_score *drawn, ng_set_null *null)
{
    null->high += drawn->high >= observed->high - SLACK;
    null->low += drawn->low <= observed->low + SLACK;
    null->sum_high += drawn->high;
    null->sum_low += drawn->low;
    for (int bin = 0; bin < NG_SET_BINS; bin++) {
        null->bins[bin] += (double)drawn->bins[bin];
        null->squares[bin] += (double)drawn->bins[bin] * (double)drawn->bins[bin];
    }
}

ng_status ng_moved_sets(const ng_annotation *annotation, const ng_gene_sets *sets, const ng_set_score *observed, uint64_t key,
                        int64_t draws, const ng_run *run, ng_set_null *null, ng_error *error)
{
    const int64_t n = annotation->features, many = (int64_t)ROUND * run->threads;
    const int64_t room_bytes = ng_score_sets_room(sets);
    double *moved = ng_alloc(run->arena, 2 * n * run->threads, sizeof *moved, error);
    int64_t *places = moved ? ng_alloc(run->arena, annotation->blocks * run->threads, sizeof *places, error) : NULL;
    char *room = places ? ng_alloc(run->arena, room_bytes * run->threads, 1, error) : NULL;
    ng_set_score *drawn = room ? ng_alloc(run->arena, many * sets->sets, sizeof *drawn, error) : NULL;
    if (!drawn) return error->status;
    for (int64_t begin = 0; begin < draws; begin += many) {
        const int64_t end = begin + many < draws ? begin + many : draws;
#pragma omp parallel for schedule(dynamic) num_threads(run->threads)
        for (int64_t draw = begin; draw < end; draw++) {
#ifdef _OPENMP
            const int thread = omp_get_thread_num();
#else
            const int thread = 0;
#endif
            double *means = moved + 2 * n * thread;
            int64_t *place = places + annotation->blocks * thread;
            ng_draw_places(annotation, key, draw, place);
            ng_moved_means(annotation, place, means, means + n);
            ng_score_sets(sets, means, room + room_bytes * thread, drawn + (draw - begin) * sets->sets);
        }
        for (int64_t k = 0; k < (end - begin) * sets->sets; k++)        /* in the order of the draws, whoever made them */
            add_draw(&observed[k % sets->sets], &drawn[k], &null[k % sets->sets]);
        if (ng_poll(run, (double)end / (double)draws, error)) return error->status;
    }
    return NG_OK;
}
