/* core/attribution/window_integral.h: integrated gradients of windows of one contig, which share what they have in common where that pays. */
#ifndef NG_ATTRIBUTION_WINDOW_INTEGRAL_H
#define NG_ATTRIBUTION_WINDOW_INTEGRAL_H
#include "core/attribution/source.h"
#include "core/network/overlap.h"

/* As ng_path_integral() for the windows of a contig, to float rounding; `plan` is that of one window. Windows that begin one step after
 * the other share the trunk, forward and back (core/network/strip.h), if their baseline is the same row everywhere; sinks then receive
 * the sum over the windows of a strip, longer than a window, as that of its first one. Of gradients that are not times the difference, `attributed`
 * is then 0. */
ng_status ng_window_integral(const ng_graph *graph, const ng_plan *plan, const int *wanted, const ng_contig *contig, int64_t windows,
                             const ng_objective *objectives, int targets, const ng_path *path, const ng_sink *sinks, ng_check *checks,
                             const ng_run *run, ng_error *error);

/* What it will share. */
ng_saving ng_integral_saving(const ng_graph *graph, const int *wanted, int wanted_count, const ng_contig *contig, int64_t windows, int targets,
                             const ng_path *path, const ng_run *run);

#endif
