/* core/attribution/adaptive.h: integrated gradients with as many nodes as each window needs.
 *
 * The path is cut into pieces, each with a node in its middle. F at the ends of a piece says how far its part of the integral is off:
 *     error = |F(x(b)) - F(x(a)) - (b - a) g(middle).(x - x')|
 * The piece with the largest error is cut in three, of which the middle one keeps the node, until the errors sum to at most
 * tolerance * |F(x) - F(x')| or max_nodes would be passed. Errors of pieces bound the completeness gap, not those of single scores. */
#ifndef NG_ATTRIBUTION_ADAPTIVE_H
#define NG_ATTRIBUTION_ADAPTIVE_H
#include "core/attribution/path_integral.h"

typedef struct ng_adaptive { double tolerance; int64_t max_nodes; } ng_adaptive;

/* As ng_path_integral() for one target; nodes[w]: of window w. What each node gives is kept until its window is done: memory for the scores of
 * a window in float32 times its nodes. */
ng_status ng_adaptive_integral(const ng_plan *plan, const ng_source *source, int64_t windows, const ng_objective *objective,
                               const ng_adaptive *settings, const ng_sink *sink, ng_check *checks, int64_t *nodes, const ng_run *run,
                               ng_error *error);

#endif
