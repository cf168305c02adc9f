/* core/selective/reduce.c: an event in the span of few candidates. There it needs no more numbers than the span has dimensions; with
 * sigma unknown, of the rest of the state only the length matters, whose direction is uniform. */
#include <math.h>
#include <string.h>
#include "core/selective/sampler.h"

/* Orthonormal rows that span P_j phi_l for all candidates and the centre; gives how many. */
static int64_t span_of(const ng_event *event, double *basis)
{
    const ng_design *design = event->design;
    const int64_t n = design->n;
    int64_t rank = 0;
    for (int64_t l = 0; l < design->features.m && rank < n; l++) {
        double *row = basis + rank * n;
        const double before = ng_residual_row(&design->features, l, event->path->basis, ng_basis_count(design, event->j), row);
        const double after = ng_project(basis, rank, n, row);
        if (!(after > 1e-20 * before) || !(after > 1e-24 * (double)n)) continue;
        for (int64_t i = 0; i < n; i++) row[i] /= sqrt(after);
        rank++;
    }
    return rank;
}

ng_status ng_reduced_event(const ng_event *event, bool known, const ng_run *run, ng_event *reduced, int64_t *residual_freedom,
                           ng_error *error)
{
    const ng_design *design = event->design;
    const int64_t n = design->n, rows = design->features.m;
    *reduced = *event;
    *residual_freedom = 0;
    if (event->global || rows >= event->freedom - 1) return NG_OK;
    double *basis = ng_alloc(run->arena, (rows + 1) * n, sizeof *basis, error);
    if (!basis) return error->status;
    const int64_t rank = span_of(event, basis), size = known ? rank : rank + 2;
    ng_design *small = ng_alloc(run->arena, 1, sizeof *small, error);
    ng_greedy_path *path = ng_alloc(run->arena, 1, sizeof *path, error);
    double *values = ng_alloc(run->arena, rows * size, sizeof *values, error);
    if (!small || !path || !values) return error->status;
    *small = *design;
    *path = *event->path;
    small->n = size;
    small->covariates = 0;
    small->basis = NULL;
    small->features = (ng_features){.m = rows, .n = size, .values = values};
    path->basis = ng_alloc(run->arena, event->j * size, sizeof *path->basis, error);      /* zeros: all is projected already */
    reduced->z = ng_alloc(run->arena, size, sizeof *reduced->z, error);
    if (!path->basis || !reduced->z) return error->status;
    for (int64_t h = 0; h < rank; h++) {
        reduced->z[h] = ng_inner_product(basis + h * n, event->z, n);
        for (int64_t l = 0; l < rows; l++) values[l * size + h] = ng_feature_dot(&design->features, l, basis + h * n);
    }
    if (!known) {
        const double inside2 = ng_inner_product(reduced->z, reduced->z, rank), all2 = ng_inner_product(event->z, event->z, n);
        reduced->z[rank] = sqrt(fmax(0, all2 - inside2));
        *residual_freedom = event->freedom - rank;
    }
    reduced->design = small;
    reduced->path = path;
    return NG_OK;
}
