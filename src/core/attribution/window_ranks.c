#include <math.h>
#include "core/attribution/window_ranks.h"
#include "core/kernels/count.h"
#ifdef _OPENMP
#include <omp.h>
#endif

enum { BLOCK = 2048, ROUND = 64 };               /* means that stay in the first cache; blocks a thread between polls */

typedef struct counts { int64_t below, above, total; } counts;

/* Means of the windows of this width that begin in [first, last), padded with NaN; gives how many have one. */
static int64_t window_means(const ng_track *track, int64_t first, int64_t last, int64_t width, double *means)
{
    const int64_t length = track->length, straight = length - width + 1;   /* starts from this one on run over the origin */
    int64_t total = 0;
    for (int64_t i = first; i < last; i++) {
        const bool over = i >= straight;
        const int64_t end = over ? i + width - length : i + width;
        const double bases = track->known[end] - track->known[i] + (over ? track->known[length] : 0);
        const double sum = track->sums[end] - track->sums[i] + (over ? track->sums[length] : 0);
        means[i - first] = bases > 0 && (!over || track->circular) ? sum / bases : NAN;
        total += !isnan(means[i - first]);
    }
    for (int64_t i = last - first; i < BLOCK; i++) means[i] = NAN;
    return total;
}

/* Do the windows that begin in [first, last) end before the origin and have a score at each base? */
static bool all_known(const ng_track *track, int64_t first, int64_t last, int64_t width)
{
    const int64_t end = last + width - 1;
    return end <= track->length && track->known[end] - track->known[first] == (double)(end - first);
}

ng_status ng_window_ranks(const ng_track *track, const int64_t *widths, const double *means, int64_t n, const ng_run *run,
                          int64_t *lower, int64_t *equal, int64_t *total, ng_error *error)
{
    counts *all = ng_alloc(run->arena, n * run->threads, sizeof *all, error);
    double *room = ng_alloc(run->arena, BLOCK * (int64_t)run->threads, sizeof *room, error);
    if (!all || !room) return error->status;
    const int64_t blocks = (track->length + BLOCK - 1) / BLOCK;
    for (int64_t begin = 0; begin < blocks; begin += ROUND * run->threads) {
        const int64_t end = begin + ROUND * run->threads < blocks ? begin + ROUND * run->threads : blocks;
#pragma omp parallel for schedule(dynamic) num_threads(run->threads)
        for (int64_t block = begin; block < end; block++) {
#ifdef _OPENMP
            const int thread = omp_get_thread_num();
#else
            const int thread = 0;
#endif
            const int64_t first = block * BLOCK, last = first + BLOCK < track->length ? first + BLOCK : track->length;
            int64_t width = 0, windows = 0;
            bool plain = false;
            for (int64_t region = 0; region < n; region++) {
                counts *mine = &all[n * thread + region];
                if (widths[region] > track->length) continue;
                if (widths[region] != width) {
                    width = widths[region];
                    plain = last - first == BLOCK && all_known(track, first, last, width);
                    windows = plain ? BLOCK : window_means(track, first, last, width, room + BLOCK * thread);
                }
                if (plain) {                     /* all of equally many bases: sums compare as means do, without a quotient for each */
                    const double sum = means[region] * (double)width, slack = track->slack, *begins = track->sums + first;
                    ng_count_beyond(begins + width, begins, BLOCK, sum - slack, sum + slack, &mine->below, &mine->above);
                } else {
                    const double mean = means[region], slack = track->slack / (double)width;
                    ng_count_beyond(room + BLOCK * thread, NULL, BLOCK, mean - slack, mean + slack, &mine->below, &mine->above);
                }
                mine->total += windows;
            }
        }
        if (ng_poll(run, (double)end / (double)blocks, error)) return error->status;
    }
    for (int64_t k = 0; k < n * run->threads; k++) {
        lower[k % n] += all[k].below;
        equal[k % n] += all[k].total - all[k].below - all[k].above;
        total[k % n] += all[k].total;
    }
    return NG_OK;
}
