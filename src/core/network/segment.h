/* core/network/segment.h: parts of a long trunk, one in memory at a time. Forward alone a part is some rows of the boundary, which is
 * what the head reads; with gradients it is some rows of the inputs, and what they touch is computed once more. */
#ifndef NG_NETWORK_SEGMENT_H
#define NG_NETWORK_SEGMENT_H
#include "core/network/plan.h"

typedef struct ng_segment {
    ng_range *kept, *codes;                      /* by node: rows in memory; codes of an origin: its sums and winners */
    ng_range *tiles, *back_tiles;                /* by stage */
    bool backward;                               /* the boundary holds gradients; codes are kept */
} ng_segment;

/* Does the head, or the caller, read node k of the trunk? */
bool ng_on_boundary(const ng_plan *plan, int k);

/* Can the trunk be cut? Not where the boundary is read by the trunk as well, or is the origin. */
bool ng_can_segment(const ng_plan *plan);

/* Memory for a segment: all of the trunk, until it is cut. */
ng_status ng_segment_make(const ng_plan *plan, ng_arena *arena, ng_segment *segment, ng_error *error);

/* Part `part` of `parts`; rows, next: room for plan->count ranges each. */
void ng_segment_cut(const ng_plan *plan, int64_t part, int64_t parts, bool backward, ng_range *rows, ng_range *next, ng_segment *segment);

#endif
