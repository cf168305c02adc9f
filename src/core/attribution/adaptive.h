/* core/attribution/adaptive.h: integrated gradients with as many nodes as each window needs.
 *
 * At each node the value F and the slope g.(x - x') are known, so that each interval between neighbours, and between a node and an end
 * of the path, shows how far its part of the integral is off:
 *     error = F(x(b)) - F(x(a)) - (b - a) (slope(a) + slope(b)) / 2        at an end: the slope of its node
 * The next node goes where that is largest: in the middle between two nodes, at a third of the way from an end. The errors sum to the
 * completeness gap, which may be small by chance; the root of the sum of their squares is what it is for errors of random signs. A window is
 * done when both are at most tolerance * |F(x) - F(x')|, or max_nodes are used. They say nothing of errors of single scores. */
#ifndef NG_ATTRIBUTION_ADAPTIVE_H
#define NG_ATTRIBUTION_ADAPTIVE_H
#include "core/attribution/path_integral.h"

typedef struct ng_adaptive { double tolerance; int64_t max_nodes; } ng_adaptive;

/* As ng_path_integral() for one target, whose cotangents all windows share; nodes[w]: of window w. What each node gives is kept
 * until a group of windows is done: memory for the scores of a window in float32 times its nodes. */
ng_status ng_adaptive_integral(const ng_plan *plan, const ng_source *source, int64_t windows, const ng_objective *objective,
                               const ng_adaptive *settings, const ng_sink *sink, ng_check *checks, int64_t *nodes, const ng_run *run,
                               ng_error *error);

#endif
