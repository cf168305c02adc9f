/* core/selective/greedy.h: which motifs a response selects, one step after the other.
 *     r_j = P_j y,   i_j = the l with the largest w_l |a_l' r_j| in cells not selected before,   P_{j+1} = P_j less the centre's activation
 * P_j rests on centres of cells, so that it is the same for all responses that select the same cells. */
#ifndef NG_SELECTIVE_GREEDY_H
#define NG_SELECTIVE_GREEDY_H
#include "core/selective/design.h"

typedef struct ng_choice {
    int64_t candidate, cell, centre;             /* centre: its row of the design's features */
    int64_t rival;  double score, rival_score;   /* the best candidate of another cell, -1 if there is none; scores are squared */
    double residual2;                            /* |P_j y|^2 */
    double centre2, centre_share, effect;        /* |P_j phi_c|^2, that over |phi_c|^2, phi_c' P_j y */
    int64_t freedom;                             /* d_j = dim range(P_j) */
    const double *weight;                        /* m: w_l at this step, 0: takes no part */
    double centre_weight;                        /* the centre's */
} ng_choice;

/* y is canonical: without the covariates, of norm 1 (of sigma 1 if sigma is known), its first motif's effect positive. `scale` brings
 * numbers back to the response as it was given, scale^2 squared ones. */
typedef struct ng_greedy_path {
    int steps;
    ng_choice *step;
    double *y, scale;
    double *basis;                               /* (covariates + steps) x n: orthonormal; P_j takes away the first covariates + j - 1 */
    int32_t *rank;                               /* m: the 0-based step that selected the candidate's cell, `steps` if none did */
} ng_greedy_path;

/* At most q steps; fewer if the residual is explained, or has fewer than 3 degrees of freedom after the first step. sigma: NAN
 * if unknown. The path lives in run->arena. NG_BAD_INPUT if nothing is left of y without its covariates. */
ng_status ng_seism_select(const ng_design *design, const double *y, double sigma, int q, const ng_run *run, ng_greedy_path *path,
                          ng_error *error);

/* Rows of the basis that P_j takes away, j = 1...: its first ones. */
static inline int64_t ng_basis_count(const ng_design *design, int j) { return design->covariates + j - 1; }

#endif
