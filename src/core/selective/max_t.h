/* core/selective/max_t.h: the largest score of unconditional permutations, the classical test of the first motif. */
#ifndef NG_SELECTIVE_MAX_T_H
#define NG_SELECTIVE_MAX_T_H
#include "core/base/philox.h"
#include "core/selective/sampler.h"

/* max over l of w_l^2 (a_l' P_1 y)^2, of y and of `count` permutations of P_1 y. */
ng_status ng_seism_max_t(const ng_design *design, const double *y, int64_t count, uint64_t key, const ng_run *run, double *observed,
                         double *statistics, ng_error *error);

/* Fisher and Yates: numbers 0..n-1 whose first `count` are a random choice in random order. *block: the next one of the stream. */
void ng_shuffle(ng_random_stream stream, uint64_t *block, int64_t *order, int64_t n, int64_t count);

#endif
