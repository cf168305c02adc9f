#include <math.h>
#include <string.h>
#include "core/selective/event.h"

static const double slack = 1 + 1e-12, least = 1e-300;

static int64_t basis_count(const ng_event *event) { return ng_basis_count(event->design, event->j); }

void ng_event_state(const ng_event *event, const double *y, double *z, double *c)
{
    const int64_t n = event->design->n, first = event->design->covariates;
    memcpy(z, y, (size_t)n * sizeof *z);
    ng_project(event->path->basis, basis_count(event), n, z);
    for (int h = 0; h + 1 < event->j; h++) c[h] = ng_inner_product(event->path->basis + (first + h) * n, y, n);
}

void ng_event_bounds(const ng_event *event, const double *z, const double *c, bool all, double *tau)
{
    for (int s = event->box && !all ? event->j : 1; s <= event->j; s++) {
        tau[s - 1] = 0;
        for (int64_t i = event->first[s - 1]; i < event->first[s]; i++) {
            const int64_t l = event->member[i];
            const double u = ng_feature_dot(&event->design->features, l, z);
            tau[s - 1] = fmax(tau[s - 1], event->path->step[s - 1].weight[l] * fabs(ng_event_product(event, l, s, u, c)));
        }
    }
}

bool ng_event_allows(const ng_event *event, int64_t l, double u, const double *c, const double *tau, bool steps)
{
    const bool box = event->box && !steps;
    if (box && !(event->low[l] <= u && u <= event->high[l])) return false;
    for (int s = event->j; s >= (box ? event->j : 1); s--)
        if (ng_event_compares(event, l, s) &&
            event->path->step[s - 1].weight[l] * fabs(ng_event_product(event, l, s, u, c)) > tau[s - 1] * slack + least)
            return false;
    return true;
}

bool ng_event_holds(const ng_event *event, const double *z, const double *c, bool steps, int threads, double *room)
{
    double tau[event->j];
    ng_event_bounds(event, z, c, steps, tau);
    ng_feature_products(&event->design->features, event->design->m, z, threads, room);
    for (int64_t l = 0; l < event->design->m; l++)
        if (!ng_event_allows(event, l, room[l], c, tau, steps)) return false;
    return true;
}

double ng_event_statistic(const ng_event *event, const double *z)
{
    const ng_choice *step = &event->path->step[event->j - 1];
    double root = step->centre_weight * ng_feature_dot(&event->design->features, step->centre, z);
    if (event->best) {
        root = 0;
        for (int64_t i = event->first[event->j - 1]; i < event->first[event->j]; i++) {
            const int64_t l = event->member[i];
            root = fmax(root, step->weight[l] * fabs(ng_feature_dot(&event->design->features, l, z)));
        }
    }
    return root * root;
}

double ng_event_margin(const ng_event *event, int threads, double *room)
{
    const ng_choice *step = &event->path->step[event->j - 1];
    double tau[event->j], margin = 1;
    ng_event_bounds(event, event->z, event->c, true, tau);
    ng_feature_products(&event->design->features, event->design->m, event->z, threads, room);
    for (int64_t l = 0; l < event->design->m; l++)
        if (ng_event_compares(event, l, event->j))
            margin = fmin(margin, 1 - step->weight[l] * fabs(room[l]) / tau[event->j - 1]);
    return margin;
}

/* rank[l] is the 0-based step of l's cell: l is compared at step s (from 1) if its cell comes after, rank >= s. */
static ng_status find_members(ng_event *event, ng_arena *arena, ng_error *error)
{
    event->first = ng_alloc(arena, event->j + 1, sizeof *event->first, error);
    if (!event->first) return error->status;
    int64_t count = 0;
    for (int64_t l = 0; l < event->design->m; l++) count += event->path->rank[l] < event->j;
    if (!(event->member = ng_alloc(arena, count, sizeof *event->member, error))) return error->status;
    count = 0;
    for (int s = 0; s < event->j; s++) {
        event->first[s] = count;
        for (int64_t l = 0; l < event->design->m; l++)
            if (event->path->rank[l] == s && event->path->step[s].weight[l] > 0) event->member[count++] = l;
    }
    event->first[event->j] = count;
    return NG_OK;
}

static ng_status set_box(ng_event *event, ng_arena *arena, ng_error *error)
{
    event->low = ng_alloc(arena, event->design->m, sizeof *event->low, error);
    event->high = ng_alloc(arena, event->design->m, sizeof *event->high, error);
    double *tau = ng_alloc(arena, event->j, sizeof *tau, error);
    if (!event->low || !event->high || !tau) return error->status;
    ng_event_bounds(event, event->z, event->c, true, tau);
    for (int64_t l = 0; l < event->design->m; l++) {
        event->low[l] = -INFINITY;
        event->high[l] = INFINITY;
        for (int s = 1; s < event->j; s++) {
            if (!ng_event_compares(event, l, s)) continue;
            const double reach = (tau[s - 1] * slack + least) / event->path->step[s - 1].weight[l];
            const double at = ng_event_product(event, l, s, 0, event->c);
            event->low[l] = fmax(event->low[l], -reach - at);
            event->high[l] = fmin(event->high[l], reach - at);
        }
    }
    return NG_OK;
}

ng_status ng_seism_event(const ng_design *design, const ng_greedy_path *path, int j, bool global, bool best, const ng_run *run,
                         ng_event *event, ng_error *error)
{
    const int64_t n = design->n, m = design->m;
    *event = (ng_event){.design = design, .path = path, .j = j, .global = global, .best = best};
    event->freedom = global ? path->step[0].freedom : path->step[j - 1].freedom;
    event->z = ng_alloc(run->arena, n, sizeof *event->z, error);
    event->c = ng_alloc(run->arena, j, sizeof *event->c, error);
    event->inner = ng_alloc(run->arena, m * (j - 1), sizeof *event->inner, error);
    double *room = ng_alloc(run->arena, m, sizeof *room, error);
    if (!event->z || !event->c || !event->inner || !room || find_members(event, run->arena, error)) return error->status;
    ng_event_state(event, path->y, event->z, event->c);
    for (int h = 0; h + 1 < j; h++) {
        ng_feature_products(&design->features, m, path->basis + (design->covariates + h) * n, run->threads, room);
        for (int64_t l = 0; l < m; l++) event->inner[l * (j - 1) + h] = room[l];
    }
    bool alone = !global;
    for (int s = 1; s < j; s++)
        alone = alone && event->first[s] - event->first[s - 1] == 1 && event->member[event->first[s - 1]] == path->step[s - 1].centre &&
                path->step[s - 1].centre_share > 1e-10;
    if (alone && j > 1 && set_box(event, run->arena, error)) return error->status;
    event->box = alone && j > 1;
    event->observed = ng_event_statistic(event, event->z);
    if (!ng_event_holds(event, event->z, event->c, false, run->threads, room))
        return ng_fail(error, NG_BAD_INPUT, NULL, "selection and membership disagree at step %d (please send this seed and data)", j);
    return NG_OK;
}
