/* core/selective/polish.h: the motif as it is shown: the PWM near the centre of its cell that fits the residual best. No p-value rests on it. */
#ifndef NG_SELECTIVE_POLISH_H
#define NG_SELECTIVE_POLISH_H
#include "core/selective/greedy.h"

/* score of a PWM with the residual r of step j: (phi' r)^2 / (|P phi|^2 + lambda), P = P_1, or P_j with projected norms; without the
 * denominator for HSIC. gradient: k x 4, or NULL; from the best window of each sequence, the first of equals. */
typedef struct ng_polish {
    const ng_design *design;
    const ng_kmer_windows *windows;
    const double *r, *basis;                     /* basis_count rows that P takes away */
    int64_t basis_count;
    double *phi, *rest;                          /* n each, room */
    int32_t *start;  int8_t *strand;             /* n each, room */
} ng_polish;

/* For step j of the path. */
ng_status ng_polish_new(const ng_design *design, const ng_greedy_path *path, int j, const ng_run *run, ng_polish *polish, ng_error *error);

double ng_polish_score(const ng_polish *polish, const double *pwm, double *gradient);

typedef struct ng_polished { double before, score; int iterations; } ng_polished;

/* Projected gradient ascent from `pwm`, in place; the score never falls. Without `free` the PWM stays in its cell. */
ng_polished ng_seism_polish(const ng_polish *polish, double *pwm, bool free);

/* The nearest point of the simplex (numbers >= 0 that sum to 1). */
void ng_project_simplex(double column[4]);

#endif
