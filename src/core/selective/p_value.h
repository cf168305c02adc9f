/* core/selective/p_value.h: p-values from chains, F tests on held-out data, and how well a chain mixes. */
#ifndef NG_SELECTIVE_P_VALUE_H
#define NG_SELECTIVE_P_VALUE_H
#include "core/base/run.h"

typedef struct ng_p_value { double p; int64_t exceed, used; } ng_p_value;

/* Besag and Clifford (1989, doi:10.1093/biomet/76.4.633; sequential: 1991, doi:10.1093/biomet/78.2.301): (1 + exceedances) / (draws + 1); with
 * stop_after = h > 0, h / b if draw b is the h-th to reach the observed one. */
ng_p_value ng_count_p_value(const double *draws, int64_t count, double observed, int64_t stop_after);

/* Integrated autocorrelation time by Geyer's initial positive sequence (1992, doi:10.1214/ss/1177011137), at least 1; 1 if constant. */
double ng_autocorrelation_time(const double *trace, int64_t count);

typedef struct ng_f_test { double f, freedom, p; } ng_f_test;

/* Motif after motif on data that did not choose them: F(1, freedom) of activation j (phi: q columns of n), given the covariates (count columns of n,
 * of full rank) and the activations before it. NaN where an activation is explained by those before it. */
ng_status ng_split_tests(const double *y, const double *covariates, int64_t count, const double *phi, int64_t q, int64_t n,
                         ng_arena *arena, ng_f_test *tests, ng_error *error);

#endif
