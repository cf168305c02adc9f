#include <math.h>
#include <string.h>
#include "core/selective/intervals.h"
#include "core/selective/max_t.h"
#include "core/selective/tails.h"
#include "core/selective/walk.h"
#ifdef _OPENMP
#include <omp.h>
#endif

enum { MOST_TRIES = 100000, CHAINS_BETWEEN_POLLS = 8 };

/* What one thread works with. State: a response y on the path's scale (n numbers); u: products of the candidates with it. */
typedef struct walker {
    const ng_event *event;
    ng_walk_kind kind;
    ng_random_stream stream;                            /* lane 0, 1 or 2 of the chain */
    uint64_t block, uniforms;
    double *y, *u;
    double *z, *c, *along, *c_along, *v, *there; /* a state; a direction; its products; room for a trial */
    int64_t *order;
    ng_intervals intervals;
    double tries;
    bool stuck;
} walker;

static ng_status new_walker(const ng_event *event, ng_walk_kind kind, uint64_t key, ng_arena *arena, walker *walker, ng_error *error)
{
    const int64_t n = event->design->n, m = event->design->m, j = event->j;
    double *numbers = ng_alloc(arena, 4 * n + 2 * m + 2 * j, sizeof *numbers, error);
    *walker = (struct walker){.event = event, .kind = kind, .stream = {key, 0, 4 * (uint32_t)(j - 1) + (kind == NG_PERMUTATION ? 2 : 0)},
                              .order = ng_alloc(arena, n, sizeof *walker->order, error)};
    if (!numbers || !walker->order) return error->status;
    walker->y = numbers;
    walker->z = numbers + n;
    walker->along = numbers + 2 * n;
    walker->there = numbers + 3 * n;
    walker->u = numbers + 4 * n;
    walker->v = walker->u + m;
    walker->c = walker->v + m;
    walker->c_along = walker->c + j;
    return kind == NG_LINE ? ng_intervals_new(event, arena, &walker->intervals, error) : NG_OK;
}

static void start(walker *walker, const double *y, uint32_t id)
{
    memcpy(walker->y, y, (size_t)walker->event->design->n * sizeof *y);
    walker->stream.chain = id;
    walker->block = walker->uniforms = 0;
    if (walker->kind == NG_PERMUTATION) ng_feature_products(&walker->event->design->features, walker->event->design->m, y, 1, walker->u);
}

static double uniform(walker *walker)
{
    double pair[2];
    ng_random_stream stream = walker->stream;
    stream.lane++;
    ng_uniform_pair(stream, walker->uniforms++, pair);
    return pair[0];
}

/* A standard normal number, given that it is in the intervals (moved by `shift`): one of them by its mass, there by its tail. */
static double draw_inside(walker *walker, double shift)
{
    const ng_intervals *all = &walker->intervals;
    double total = -INFINITY, sum = -INFINITY;
    for (int64_t i = 0; i < all->count; i++)
        total = ng_log_sum(total, ng_log_normal_mass(all->item[i].low - shift, all->item[i].high - shift));
    const double level = log(uniform(walker)) + total;
    int64_t i = 0;
    for (; i + 1 < all->count; i++) {
        sum = ng_log_sum(sum, ng_log_normal_mass(all->item[i].low - shift, all->item[i].high - shift));
        if (sum >= level) break;
    }
    double low = all->item[i].low - shift, high = all->item[i].high - shift, side = 1;
    if (low < 0 && high > 0) {                                       /* each half has its own tail */
        const double left = ng_log_normal_mass(low, 0), right = ng_log_normal_mass(0, high);
        if (log(uniform(walker)) + ng_log_sum(left, right) < left) high = 0;
        else low = 0;
    }
    if (high <= 0) {
        const double turned = -high;
        high = -low;
        low = turned;
        side = -1;
    }
    const double near = ng_log_normal_tail(low), far = ng_log_normal_tail(high);
    const double point = ng_normal_point(near + log1p(uniform(walker) * expm1(far - near)));
    return side * fmin(fmax(point, low), high) + shift;
}

/* y moves to y + t theta, theta uniform in the space of the state; t is normal around - theta' y. */
static void line_step(walker *walker)
{
    const ng_event *event = walker->event;
    const ng_design *design = event->design;
    const int64_t n = design->n, m = design->m;
    double *theta = walker->there, none[event->j];
    ng_normals(walker->stream, walker->block, n, theta);
    walker->block += (uint64_t)(n + 1) / 2;
    const double norm = sqrt(ng_project(event->path->basis, event->global ? design->covariates : ng_basis_count(design, event->j), n, theta));
    for (int64_t i = 0; i < n; i++) theta[i] /= norm;
    for (int h = 0; h < event->j; h++) none[h] = 0;
    ng_event_state(event, walker->y, walker->z, walker->c);
    ng_event_state(event, theta, walker->along, walker->c_along);
    ng_feature_products(&design->features, m, walker->z, 1, walker->u);
    ng_feature_products(&design->features, m, walker->along, 1, walker->v);
    const ng_draw_curve curve = {.u = {walker->u, walker->v}, .c = {walker->c, event->global ? walker->c_along : none}};
    ng_event_intervals(event, &curve, false, 0, &walker->intervals);
    const double t = draw_inside(walker, -ng_inner_product(theta, walker->y, n));
    for (int64_t i = 0; i < n; i++) walker->y[i] += t * theta[i];
}

static double normal_probability(double y) { return fmin(fmax(0.5 * erfc(-y * 0.7071067811865476), 1e-15), 1 - 1e-15); }

static void cube_step(walker *walker)
{
    const ng_event *event = walker->event;
    const int64_t n = event->design->n;
    double *theta = walker->along, low = -INFINITY, high = INFINITY;
    ng_normals(walker->stream, walker->block, n, theta);
    walker->block += (uint64_t)(n + 1) / 2;
    const double norm = sqrt(ng_inner_product(theta, theta, n));
    for (int64_t i = 0; i < n; i++) {
        theta[i] /= norm;
        const double v = normal_probability(walker->y[i]), down = -v / theta[i], up = (1 - v) / theta[i];
        low = fmax(low, fmin(down, up));
        high = fmin(high, fmax(down, up));
    }
    for (int try = 0; try < MOST_TRIES; try++) {
        const double t = low + (high - low) * uniform(walker);
        for (int64_t i = 0; i < n; i++) {
            const double v = fmin(fmax(normal_probability(walker->y[i]) + t * theta[i], 1e-15), 1 - 1e-15);
            walker->there[i] = -ng_normal_point(log(v));
        }
        walker->tries++;
        ng_event_state(event, walker->there, walker->z, walker->c);
        if (!ng_event_holds(event, walker->z, walker->c, false, 1, walker->u)) continue;
        memcpy(walker->y, walker->there, (size_t)n * sizeof *walker->y);
        return;
    }
    walker->stuck = true;
}

/* A random choice of entries change places at random. */
static void permutation_step(walker *walker)
{
    const ng_event *event = walker->event;
    const ng_features *features = &event->design->features;
    const int64_t n = event->design->n, m = event->design->m;
    const int64_t some = n < 2 ? 0 : (int64_t)fmin((double)n, fmax(2, round(0.12 * (double)n)));
    const double *weight = event->path->step[0].weight;
    double *change = walker->there, bound = 0;
    int64_t *chosen = walker->order;
    ng_shuffle(walker->stream, &walker->block, chosen, n, some);
    for (int64_t i = 0; i < some; i++) change[i] = walker->y[chosen[i]];
    for (int64_t i = some - 1; i > 0; i--) {                          /* the new order of what was chosen */
        const int64_t other = (int64_t)(uniform(walker) * (double)(i + 1));
        const double kept = change[i];
        change[i] = change[other];
        change[other] = kept;
    }
    for (int64_t i = 0; i < some; i++) change[i] -= walker->y[chosen[i]];
    walker->tries++;
    for (int pass = 0; pass < 2; pass++)                             /* the cell first: it says what the others must not exceed */
        for (int64_t l = 0; l < m; l++) {
            const bool member = event->path->rank[l] == 0;
            if (member != (pass == 0)) continue;
            double u = walker->u[l];
            for (int64_t i = 0; i < some; i++) u += ng_feature(features, l, chosen[i]) * change[i];
            walker->v[l] = u;
            if (member) bound = fmax(bound, weight[l] * fabs(u));
            else if (weight[l] * fabs(u) > bound * (1 + 1e-12) + 1e-300) return;
        }
    memcpy(walker->u, walker->v, (size_t)m * sizeof *walker->u);
    for (int64_t i = 0; i < some; i++) walker->y[chosen[i]] += change[i];
}

static void advance(walker *walker, int64_t steps)
{
    for (int64_t step = 0; step < steps && !walker->stuck; step++) {
        if (walker->kind == NG_LINE) line_step(walker);
        else if (walker->kind == NG_CUBE) cube_step(walker);
        else permutation_step(walker);
    }
}

static double statistic(walker *walker)
{
    ng_event_state(walker->event, walker->y, walker->z, walker->c);
    return ng_event_statistic(walker->event, walker->z);
}

static ng_status stuck(ng_error *error)
{
    return ng_fail(error, NG_BAD_INPUT, NULL, "the cube sampler found no point of the selection event in %d tries; use the slice sampler",
                   MOST_TRIES);
}

ng_status ng_walk_chains(const ng_event *event, ng_walk_kind kind, uint64_t key, int L, int64_t first, int64_t last, int64_t stop_after,
                         const ng_run *run, double *statistics, int64_t *drawn, ng_effort *effort, ng_error *error)
{
    const int64_t total = last - first + 1, round = CHAINS_BETWEEN_POLLS * run->threads;
    walker hub, *walkers = ng_alloc(run->arena, run->threads, sizeof *walkers, error);
    if (!walkers || new_walker(event, kind, key, run->arena, &hub, error)) return error->status;
    for (int t = 0; t < run->threads; t++)
        if (new_walker(event, kind, key, run->arena, &walkers[t], error)) return error->status;
    start(&hub, event->path->y, 0);
    advance(&hub, L);
    int64_t exceed = 0;
    for (*drawn = 0; *drawn < total;) {
        const int64_t begin = *drawn, end = begin + round < total ? begin + round : total;
#pragma omp parallel for schedule(dynamic) num_threads(run->threads)
        for (int64_t b = begin; b < end; b++) {
#ifdef _OPENMP
            walker *mine = &walkers[omp_get_thread_num()];
#else
            walker *mine = walkers;
#endif
            start(mine, hub.y, (uint32_t)(first + b));
            advance(mine, L);
            statistics[b] = statistic(mine);
        }
        for (int t = 0; t < run->threads; t++)
            if (walkers[t].stuck || hub.stuck) return stuck(error);
        for (int64_t b = begin; stop_after && b < end && exceed < stop_after; b++) {
            exceed += statistics[b] >= event->observed * (1 - 1e-12);
            *drawn = b + 1;
        }
        if (stop_after && exceed == stop_after) break;
        *drawn = end;
        if (ng_poll(run, (double)end / (double)total, error)) return error->status;
    }
    effort->steps += (double)L * (double)(*drawn + 1);
    effort->trials += hub.tries;
    for (int t = 0; t < run->threads; t++) effort->trials += walkers[t].tries;
    return NG_OK;
}

ng_status ng_walk_trace(const ng_event *event, ng_walk_kind kind, uint64_t key, int64_t id, int64_t burn, int64_t steps, const ng_run *run,
                        double *trace, ng_effort *effort, ng_error *error)
{
    walker walker;
    if (new_walker(event, kind, key, run->arena, &walker, error)) return error->status;
    start(&walker, event->path->y, (uint32_t)id);
    for (int64_t step = -burn; step < steps; step++) {
        advance(&walker, 1);
        if (walker.stuck) return stuck(error);
        if (step >= 0) trace[step] = statistic(&walker);
        if (step % 16 == 0 && ng_poll(run, (double)(step + burn) / (double)(steps + burn), error)) return error->status;
    }
    effort->steps += (double)(burn + steps);
    effort->trials += walker.tries;
    return NG_OK;
}
