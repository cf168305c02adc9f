#include <math.h>
#include <string.h>
#include "core/selective/greedy.h"

/* w_l of step j; with projected norms from P_j phi_l, and rows that became twins of a lower one take no part. */
static ng_status step_weights(const ng_design *design, const ng_greedy_path *path, int j, const ng_run *run, const double **weight,
                              ng_error *error)
{
    *weight = design->weight;
    if (!design->scoring.projected) return NG_OK;
    const int64_t m = design->m, count = ng_basis_count(design, j);
    double *own = ng_alloc(run->arena, m, sizeof *own, error), *norm2 = ng_alloc(run->arena, m, sizeof *norm2, error);
    double *mark = ng_alloc(run->arena, m, sizeof *mark, error);
    int64_t *twin = ng_alloc(run->arena, m, sizeof *twin, error);
    if (!own || !norm2 || !mark || !twin || ng_residual_norms(&design->features, m, path->basis, count, run, norm2, mark, error))
        return error->status;
    for (int64_t l = 0; l < m; l++)
        own[l] = path->rank[l] < path->steps ? 0 : ng_weight(&design->scoring, norm2[l], design->norm2[l]);
    if (ng_find_twins(&design->features, m, path->basis, count, own, norm2, mark, run->arena, twin, error)) return error->status;
    for (int64_t l = 0; l < m; l++)
        if (twin[l] != l) own[l] = 0;
    *weight = own;
    return NG_OK;
}

/* The best candidate that no step has selected yet, but those of cell `without`. */
static int64_t best_candidate(const ng_design *design, const ng_greedy_path *path, const double *weight, const double *products,
                              int64_t without)
{
    int64_t best = -1;
    double largest = -1;
    for (int64_t l = 0; l < design->m; l++) {
        if (path->rank[l] < path->steps || design->cell[l] == without || weight[l] == 0) continue;
        const double here = weight[l] * fabs(products[l]);
        if (here > largest) {
            largest = here;
            best = l;
        }
    }
    return best;
}

static double score_of(const double *weight, const double *products, int64_t l)
{
    return weight[l] * products[l] * weight[l] * products[l];
}

/* Fills the next step from the residual r; false if there is nothing left to select. */
static bool take_step(const ng_design *design, ng_greedy_path *path, const double *weight, const double *products, const double *r,
                      double whole2, double *row)
{
    const int64_t n = design->n, i = best_candidate(design, path, weight, products, -1);
    if (i < 0 || !(score_of(weight, products, i) > 1e-20 * whole2)) return false;
    ng_choice *step = &path->step[path->steps];
    const int64_t cell = design->cell[i], centre = design->centre[cell], count = ng_basis_count(design, path->steps + 1);
    const int64_t rival = best_candidate(design, path, weight, products, cell);
    for (int64_t k = 0; k < n; k++) row[k] = ng_feature(&design->features, centre, k);
    const double raw2 = ng_inner_product(row, row, n), first2 = ng_project(path->basis, design->covariates, n, row);
    const double centre2 = ng_project(path->basis, count, n, row);
    *step = (ng_choice){.candidate = i, .cell = cell, .centre = centre, .rival = rival, .score = score_of(weight, products, i),
                      .rival_score = rival < 0 ? 0 : score_of(weight, products, rival), .residual2 = ng_inner_product(r, r, n),
                      .centre2 = centre2, .centre_share = centre2 / raw2, .effect = ng_inner_product(row, r, n), .freedom = n, .weight = weight};
    const double norm2 = design->scoring.projected ? centre2 : first2;
    step->centre_weight = design->scoring.score == NG_HSIC ? 1 : norm2 > 0 ? 1 / sqrt(norm2 + design->scoring.lambda) : 0;
    const bool explained = centre2 <= 1e-10 * raw2;                  /* then P_j stays as it is */
    for (int64_t k = 0; k < n; k++) path->basis[count * n + k] = explained ? 0 : row[k] / sqrt(centre2);
    for (int64_t h = 0; h < count; h++) step->freedom -= ng_inner_product(path->basis + h * n, path->basis + h * n, n) > 0.5;
    for (int64_t l = 0; l < design->m; l++)
        path->rank[l] = design->cell[l] == cell ? path->steps : path->rank[l] + (path->rank[l] == path->steps);
    path->steps++;
    return true;
}

ng_status ng_seism_select(const ng_design *design, const double *y, double sigma, int q, const ng_run *run, ng_greedy_path *path,
                          ng_error *error)
{
    const int64_t n = design->n, m = design->m;
    *path = (ng_greedy_path){.step = ng_alloc(run->arena, q, sizeof *path->step, error), .y = ng_alloc(run->arena, n, sizeof *path->y, error),
                      .basis = ng_alloc(run->arena, (design->covariates + q) * n, sizeof *path->basis, error),
                      .rank = ng_alloc(run->arena, m, sizeof *path->rank, error)};
    double *r = ng_alloc(run->arena, 2 * n, sizeof *r, error), *products = ng_alloc(run->arena, m, sizeof *products, error);
    if (!path->step || !path->y || !path->basis || !path->rank || !r || !products) return error->status;
    memcpy(path->basis, design->basis, (size_t)(design->covariates * n) * sizeof *r);
    memcpy(path->y, y, (size_t)n * sizeof *r);
    const double before2 = ng_inner_product(y, y, n), whole2 = ng_project(design->basis, design->covariates, n, path->y);
    if (!(whole2 > 1e-20 * before2))
        return ng_fail(error, NG_BAD_INPUT, NULL, "y is constant after removing the covariates; nothing to test");
    path->scale = isnan(sigma) ? sqrt(whole2) : sigma;
    for (int64_t k = 0; k < n; k++) path->y[k] /= path->scale;
    memcpy(r, path->y, (size_t)n * sizeof *r);
    while (path->steps < q && (path->steps == 0 || n - design->covariates - path->steps >= 3)) {
        const double *weight;
        if (step_weights(design, path, path->steps + 1, run, &weight, error)) return error->status;
        ng_feature_products(&design->features, m, r, run->threads, products);
        if (!take_step(design, path, weight, products, r, whole2 / (path->scale * path->scale), r + n)) break;
        ng_project(path->basis, ng_basis_count(design, path->steps + 1), n, r);
    }
    if (path->steps && path->step[0].effect < 0) {                   /* everything so far is even in y but the effects */
        path->scale = -path->scale;
        for (int64_t k = 0; k < n; k++) path->y[k] = -path->y[k];
        for (int s = 0; s < path->steps; s++) path->step[s].effect = -path->step[s].effect;
    }
    return NG_OK;
}
