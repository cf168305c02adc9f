/* core/attribution/window_ranks.h: where the mean of a region stands among the means of all windows of its width. */
#ifndef NG_ATTRIBUTION_WINDOW_RANKS_H
#define NG_ATTRIBUTION_WINDOW_RANKS_H
#include "core/base/run.h"

/* A track of scores as running sums: sums[i] of the first i bases, known[i] how many of them have a score; both have length + 1
 * elements. Two sums that differ by at most `slack` are equal: they are rounded. */
typedef struct ng_track { const double *sums, *known; int64_t length; bool circular; double slack; } ng_track;

/* For each of n regions (width, mean): how many windows of its width have a lower mean, how many an equal one, how many have a mean
 * at all. On a circular track windows run over the origin. Quickest if regions of one width stand together, since the means of
 * its windows are then computed once. Adds to lower, equal and total. */
ng_status ng_window_ranks(const ng_track *track, const int64_t *widths, const double *means, int64_t n, const ng_run *run,
                          int64_t *lower, int64_t *equal, int64_t *total, ng_error *error);

#endif
