/* core/selective/sampler.h: chains that leave the law of the response, given the event, as it is.
 * Slice: one step turns the state along a random great circle, x(t) = x cos t + g sin t, and shrinks the range of t until x(t) is in
 * the event (Murray, Adams and MacKay 2010). With sigma known g is normal; else g has x's norm and stands upright on it, and x
 * keeps its norm. Reversible, no tuning.
 *
 * Scores of all candidates along a direction are one product of matrices in single precision for many chains. Whoever then comes nearer to a
 * bound than rounding can account for is decided in double precision, so that every decision, and with it every bit of the
 * result, is that of double precision, for any kernel, number of threads and size of batches. */
#ifndef NG_SELECTIVE_SAMPLER_H
#define NG_SELECTIVE_SAMPLER_H
#include "core/kernels/matrix.h"
#include "core/selective/event.h"

typedef struct ng_sampler {
    const ng_event *event;
    bool known;                                  /* sigma; it is 1 on the path's scale */
    uint64_t key;
    int64_t padded, residual_freedom;            /* m for scans; of a reduced event: dimensions outside the span of the candidates, else 0 */
    ng_packed rows;                              /* n x m: candidates P_1 phi_l / |P_1 phi_l| */
    const float **limit, **inner, *low, *high;   /* see scan.h */
    int levels;
} ng_sampler;

/* The candidates as columns of a product in single precision: P_1 phi_l / |P_1 phi_l|. */
ng_status ng_pack_candidates(const ng_design *design, const ng_run *run, ng_packed *rows, ng_error *error);

typedef struct ng_effort { double steps, trials, frozen; } ng_effort;

/* lane 4 (j - 1) + 0 of the chain gives normals, + 1 angles. A reduced event: see below. */
ng_status ng_sampler_new(const ng_event *event, bool known, uint64_t key, const ng_run *run, ng_sampler *sampler, ng_error *error);

/* Besag and Clifford's parallel test: L steps of chain 0 lead from y to a hub, L steps of chains first..last from there to their ends,
 * whose statistics are exchangeable with that of y. With stop_after > 0, ends at the chain that is the stop_after-th to reach the
 * statistic of y. *drawn: how many of statistics[] are filled. */
ng_status ng_seism_chains(const ng_sampler *sampler, int L, int64_t first, int64_t last, int64_t stop_after, const ng_run *run,
                          double *statistics, int64_t *drawn, ng_effort *effort, ng_error *error);

/* Chains first..last, each from y: after `burn` steps, the statistic after each of `steps` more: trace[chain - first][step]. */
ng_status ng_seism_trace(const ng_sampler *sampler, int64_t first, int64_t last, int64_t burn, int64_t steps, const ng_run *run,
                         double *trace, ng_effort *effort, ng_error *error);

/* For tests: the states (z, n numbers, and c, j - 1) of chains 1..count after L steps from y. */
ng_status ng_seism_ends(const ng_sampler *sampler, int L, int64_t count, const ng_run *run, double *z, double *c, ng_error *error);

/* The same event in the span of few candidates: rank coordinates there, and (sigma unknown) the length of the rest and a 0. Only for tests
 * "selected". *reduced is the event itself if the span is not smaller than the space by two. */
ng_status ng_reduced_event(const ng_event *event, bool known, const ng_run *run, ng_event *reduced, int64_t *residual_freedom,
                           ng_error *error);

#endif
