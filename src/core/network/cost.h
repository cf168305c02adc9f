/* core/network/cost.h: what a plan costs, layer by layer, before it runs: counted on its own tiles, and timed on one of them. */
#ifndef NG_NETWORK_COST_H
#define NG_NETWORK_COST_H
#include "core/network/plan.h"

/* Of one sample; of one window for the prefix. */
typedef struct ng_node_cost {
    int64_t tiles, tile_rows;                    /* forward; rows of a call in the middle */
    double computed_rows;                        /* in all tiles, as one run: more than there are where a tile takes not all over that it could */
    int64_t value_bytes, code_bytes;             /* kept from forward to backward */
    double operations, back_operations;          /* floating-point: a multiplication and an addition are two */
    double seconds, back_seconds;                /* of a processor, while the other threads do the same */
    double path_operations, path_seconds;        /* of an origin: to interpolate one sample and to add its gradient to the sum */
} ng_node_cost;

/* Floating-point operations of one row of output, by a kernel that knows better or by the formula. */
double ng_row_operations(const ng_layer *layer, bool formula);

/* costs has plan->count elements. seconds(): a clock of the calling thread. Tiles of its own, with numbers of its own,
 * are what is timed, on the threads of the run, whose arena is not touched. */
ng_status ng_plan_cost(const ng_plan *plan, bool gradients, const ng_run *run, double (*seconds)(void), ng_node_cost *costs, ng_error *error);

#endif
