/* core/selective/walk.h: samplers that walk one chain at a time, and their p-values. Those of a known sigma are there for comparison with
 * the slice sampler; permutations make no assumption on the noise.
 *     line         hit and run: a random line, then a draw from the normal law on the part of it that is in the event
 *     cube         as kernelPSI does (Slim, Chatelain, Azencott and Vert 2019): uniform on the unit cube by v = Phi(y), redrawn on the chord until in
 *                  the event; global test only
 *     permutation  some entries of y change places, if the first step still selects the cell; first step only */
#ifndef NG_SELECTIVE_WALK_H
#define NG_SELECTIVE_WALK_H
#include "core/selective/sampler.h"

typedef enum ng_walk_kind { NG_LINE, NG_CUBE, NG_PERMUTATION } ng_walk_kind;

/* Chain ids, counting and stopping as ng_seism_chains(); L: steps, or proposals of a permutation. `steps` of the trace as there. */
ng_status ng_walk_chains(const ng_event *event, ng_walk_kind kind, uint64_t key, int L, int64_t first, int64_t last, int64_t stop_after,
                         const ng_run *run, double *statistics, int64_t *drawn, ng_effort *effort, ng_error *error);
ng_status ng_walk_trace(const ng_event *event, ng_walk_kind kind, uint64_t key, int64_t id, int64_t burn, int64_t steps, const ng_run *run,
                        double *trace, ng_effort *effort, ng_error *error);

#endif
