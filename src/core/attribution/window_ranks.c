#include "core/attribution/window_ranks.h"
#ifdef _OPENMP
#include <omp.h>
#endif

enum { BLOCK = 4096, ROUND = 64 };               /* starts that stay in cache while all regions pass; blocks a thread between polls */

typedef struct counts { int64_t lower, equal, total; } counts;

/* Windows that begin at [first, last) and end `width` later; end: the running sums there; turn: what a whole circle adds. */
static void count_windows(const ng_track *track, int64_t first, int64_t last, int64_t end, double turn, double turn_known, double mean,
                          counts *found)
{
    const double *from = track->sums + first, *to = track->sums + end, *known_from = track->known + first, *known_to = track->known + end;
    int64_t lower = 0, upper = 0, total = 0;
#pragma omp simd reduction(+ : lower, upper, total)
    for (int64_t i = 0; i < last - first; i++) {
        const double bases = turn_known - known_from[i] + known_to[i], excess = turn - from[i] + to[i] - mean * bases;
        total += bases > 0;
        lower += (bases > 0) & (excess < -track->slack);
        upper += (bases > 0) & (excess > track->slack);
    }
    found->lower += lower;
    found->total += total;
    found->equal += total - lower - upper;
}

/* Windows of one region that begin in [first, last). */
static void count_block(const ng_track *track, int64_t first, int64_t last, int64_t width, double mean, counts *found)
{
    const int64_t length = track->length;
    const int64_t straight = length - width + 1;                      /* starts before this one end on the track */
    if (width > length) return;
    if (first < straight) count_windows(track, first, last < straight ? last : straight, first + width, 0, 0, mean, found);
    if (!track->circular || last <= straight) return;
    if (first < straight) first = straight;
    count_windows(track, first, last, first + width - length, track->sums[length], track->known[length], mean, found);
}

ng_status ng_window_ranks(const ng_track *track, const int64_t *widths, const double *means, int64_t n, const ng_run *run,
                          int64_t *lower, int64_t *equal, int64_t *total, ng_error *error)
{
    counts *all = ng_alloc(run->arena, n * run->threads, sizeof *all, error);
    if (!all) return error->status;
    const int64_t blocks = (track->length + BLOCK - 1) / BLOCK;
    for (int64_t begin = 0; begin < blocks; begin += ROUND * run->threads) {
        const int64_t end = begin + ROUND * run->threads < blocks ? begin + ROUND * run->threads : blocks;
#pragma omp parallel for schedule(dynamic) num_threads(run->threads)
        for (int64_t block = begin; block < end; block++) {
#ifdef _OPENMP
            counts *mine = all + n * omp_get_thread_num();
#else
            counts *mine = all;
#endif
            const int64_t first = block * BLOCK, last = first + BLOCK < track->length ? first + BLOCK : track->length;
            for (int64_t region = 0; region < n; region++) count_block(track, first, last, widths[region], means[region], &mine[region]);
        }
        if (ng_poll(run, (double)end / (double)blocks, error)) return error->status;
    }
    for (int64_t k = 0; k < n * run->threads; k++) {
        lower[k % n] += all[k].lower;
        equal[k % n] += all[k].equal;
        total[k % n] += all[k].total;
    }
    return NG_OK;
}
