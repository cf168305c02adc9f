/* core/selective/event.h: the responses that select the same cells in steps 1..j, as inequalities.
 * A response is a state: z in range(P_j), and its coordinates c_1..c_{j-1} along the residualised centres b_1..b_{j-1}. With u_l = phi_l' z
 *     a_l' P_s y = u_l + sum over h >= s of (phi_l' b_h) c_h
 *     step s:  w_l |a_l' P_s y| <= tau_s = max over the cell of step s of the same,    for all l in cells not selected up to s
 * If nothing but z moves (test "selected") and all cells before j hold their centre alone, tau_s is constant for s < j, and those
 * steps together are a box, low_l <= u_l <= high_l. */
#ifndef NG_SELECTIVE_EVENT_H
#define NG_SELECTIVE_EVENT_H
#include "core/selective/greedy.h"

typedef struct ng_event {
    const ng_design *design;
    const ng_greedy_path *path;
    int j;
    bool global, best, box;                      /* c moves too; the statistic of the best candidate instead of the centre's */
    int64_t freedom;                             /* dimension of the space that the state moves in */
    double *z, *c;                               /* the state of y: n and j - 1 numbers */
    double *inner;                               /* m x (j - 1): phi_l' b_h */
    double *low, *high;                          /* m, if box */
    int64_t *member, *first;                     /* candidates of the cell of step s: member[first[s - 1]] .. member[first[s]) */
    double observed;                             /* the statistic of y */
} ng_event;

/* NG_BAD_INPUT if y is not in its own event, which would be a mistake of this program. */
ng_status ng_seism_event(const ng_design *design, const ng_greedy_path *path, int j, bool global, bool best, const ng_run *run,
                         ng_event *event, ng_error *error);

/* z and c of any response on the path's scale. */
void ng_event_state(const ng_event *event, const double *y, double *z, double *c);

/* phi_l' z + sum over h >= s of (phi_l' b_h) c_h, given u = phi_l' z; s = 1..j. */
static inline double ng_event_product(const ng_event *event, int64_t l, int s, double u, const double *c)
{
    for (int h = event->j - 1; h >= s; h--) u += event->inner[l * (event->j - 1) + h - 1] * c[h - 1];
    return u;
}

/* Whether candidate l is compared at step s. */
static inline bool ng_event_compares(const ng_event *event, int64_t l, int s)
{
    return event->path->rank[l] >= s && event->path->step[s - 1].weight[l] > 0;
}

/* tau[s - 1], s = 1..j, of a state; those of the box are not needed and left out unless `all`. */
void ng_event_bounds(const ng_event *event, const double *z, const double *c, bool all, double *tau);

/* Whether candidate l, with u = phi_l' z, keeps all its inequalities; by the box if there is one and not `steps`. */
bool ng_event_allows(const ng_event *event, int64_t l, double u, const double *c, const double *tau, bool steps);

/* All candidates; NULL for room of m numbers is not allowed. */
bool ng_event_holds(const ng_event *event, const double *z, const double *c, bool steps, int threads, double *room);

/* The statistic of a state: w_c^2 (phi_c' z)^2, or the largest in the cell. */
double ng_event_statistic(const ng_event *event, const double *z);

/* min over l of (w_i |u_i| - w_l |u_l|) / (w_i |u_i|) at y, over the inequalities of step j. */
double ng_event_margin(const ng_event *event, int threads, double *room);

#endif
