/* core/attribution/window_scan.h: predictions of windows of one contig, which share what they have in common where that pays. */
#ifndef NG_ATTRIBUTION_WINDOW_SCAN_H
#define NG_ATTRIBUTION_WINDOW_SCAN_H
#include "core/attribution/source.h"
#include "core/network/overlap.h"

/* As ng_predict() for the windows of a contig, to float rounding; `plan` is that of one window. Windows that begin one step after
 * the other share the trunk (core/network/overlap.h). */
ng_status ng_window_scan(const ng_graph *graph, const ng_plan *plan, const int *wanted, const ng_contig *contig, int64_t windows,
                         float *const *outputs, const ng_run *run, ng_error *error);

/* What it will share. */
ng_saving ng_scan_saving(const ng_graph *graph, const ng_plan *plan, const int *wanted, const ng_contig *contig, int64_t windows, const ng_run *run);

#endif
