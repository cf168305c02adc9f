/* core/attribution/path_integral.h: integrated gradients (Sundararajan, Taly and Yan 2017).
 *
 *     score_i = (x_i - x'_i) * sum over nodes k of w_k * dF/dx_i at x' + a_k (x - x')
 *
 * over any number of windows, streamed: no two nodes of the path need to be in memory together. */
#ifndef NG_ATTRIBUTION_PATH_INTEGRAL_H
#define NG_ATTRIBUTION_PATH_INTEGRAL_H
#include "core/network/stream.h"

/* Receives rows [rows.first, rows.last) of the result of one window: scores (rows, channels) in double. Windows come in
 * ascending order, one call at a time, though from any thread. */
typedef struct ng_sink {
    void (*add)(void *data, int input, int64_t window, ng_range rows, const double *scores);
    void *data;
} ng_sink;

typedef struct ng_path {
    int64_t nodes;
    const double *positions, *weights;           /* in [0, 1]; weights of any sum */
    bool times_difference;                       /* false: the weighted mean of gradients without the factor (x - x') */
} ng_path;

/* The completeness check of one window; gradients at the sequence alone have no baseline, and 0 for its output. */
typedef struct ng_check { double output, baseline_output, attributed; } ng_check;

/* Scores of all `windows` windows of the source for each of the targets, which share the way forward: objectives, sinks and checks,
 * (targets, windows). */
ng_status ng_path_integral(const ng_plan *plan, const ng_source *source, int64_t windows, const ng_objective *objectives, int targets,
                           const ng_path *path, const ng_sink *sinks, ng_check *checks, const ng_run *run, ng_error *error);

/* Outputs of the wanted nodes at the sequences themselves: outputs[w] is (windows, size of wanted node w). */
ng_status ng_predict(const ng_plan *plan, const ng_source *source, int64_t windows, float *const *outputs, const ng_run *run,
                     ng_error *error);

#endif
