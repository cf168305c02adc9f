#include <math.h>
#include "core/selective/closed_form.h"
#include "core/selective/tails.h"

/* log P(shift + Z in the intervals and in (low, high)). */
static double log_mass(const ng_intervals *intervals, double shift, double low, double high)
{
    double sum = -INFINITY;
    for (int64_t i = 0; i < intervals->count; i++)
        sum = ng_log_sum(sum, ng_log_normal_mass(fmax(low, intervals->item[i].low) - shift, fmin(high, intervals->item[i].high) - shift));
    return sum;
}

/* P(T <= t0 | T in the intervals), T ~ N(mean, 1); falls as the mean grows. */
static double cumulative(const ng_intervals *intervals, double mean, double t0)
{
    return 1 / (1 + exp(log_mass(intervals, mean, t0, INFINITY) - log_mass(intervals, mean, -INFINITY, t0)));
}

/* The mean at which it is `wanted`; infinite if that is more than 1e4 standard deviations away. */
static double mean_for(const ng_intervals *intervals, double t0, double wanted)
{
    double step = 1;
    while (step < 1e4 && cumulative(intervals, t0 - step, t0) < wanted) step *= 2;
    double low = t0 - step;
    if (step >= 1e4) return -INFINITY;
    for (step = 1; step < 1e4 && cumulative(intervals, t0 + step, t0) > wanted;) step *= 2;
    double high = t0 + step;
    if (step >= 1e4) return INFINITY;
    for (int i = 0; i < 100; i++) {
        const double middle = 0.5 * (low + high);
        if (cumulative(intervals, middle, t0) > wanted) low = middle;
        else high = middle;
    }
    return 0.5 * (low + high);
}

/* e; gives |P_j phi_c|. */
static double direction(const ng_event *event, double *e)
{
    const ng_design *design = event->design;
    const double norm2 = ng_residual_row(&design->features, event->path->step[event->j - 1].centre, event->path->basis,
                                         ng_basis_count(design, event->j), e);
    for (int64_t i = 0; i < design->n; i++) e[i] /= sqrt(norm2);
    return sqrt(norm2);
}

/* Onto the response's own scale, which may turn it around. */
static void rescale(ng_intervals *intervals, double scale)
{
    ng_interval *item = intervals->item;
    for (int64_t i = 0; i < intervals->count; i++) {
        item[i].low *= scale;
        item[i].high *= scale;
    }
    if (scale > 0) return;
    for (int64_t i = 0, k = intervals->count - 1; i <= k; i++, k--) {
        const ng_interval first = item[i], last = item[k];
        item[i] = (ng_interval){last.high, last.low};
        item[k] = (ng_interval){first.high, first.low};
    }
}

ng_status ng_seism_line(const ng_event *event, bool signs, double level, const ng_run *run, ng_closed *closed, ng_error *error)
{
    const int64_t n = event->design->n, m = event->design->m;
    const double scale = event->path->scale;
    double *e = ng_alloc(run->arena, 2 * n, sizeof *e, error), *u = ng_alloc(run->arena, 2 * m, sizeof *u, error);
    double *none = ng_alloc(run->arena, event->j, sizeof *none, error);
    if (!e || !u || !none) return error->status;
    const double norm = direction(event, e), t0 = ng_inner_product(e, event->z, n);
    for (int64_t i = 0; i < n; i++) e[n + i] = event->z[i] - t0 * e[i];
    ng_feature_products(&event->design->features, m, e + n, run->threads, u);
    ng_feature_products(&event->design->features, m, e, run->threads, u + m);
    const ng_draw_curve curve = {.u = {u, u + m}, .c = {event->c, none}};
    *closed = (ng_closed){.t0 = t0 * scale, .norm = norm};
    ng_intervals *intervals = &closed->intervals;
    if (ng_intervals_new(event, run->arena, intervals, error)) return error->status;
    ng_event_intervals(event, &curve, signs, t0, intervals);
    const double outside = ng_log_sum(log_mass(intervals, 0, fabs(t0), INFINITY), log_mass(intervals, 0, -INFINITY, -fabs(t0)));
    closed->p = fmin(1, exp(outside - log_mass(intervals, 0, -INFINITY, INFINITY)));
    const double low = mean_for(intervals, t0, 0.5 + 0.5 * level) * scale, high = mean_for(intervals, t0, 0.5 - 0.5 * level) * scale;
    closed->low = fmin(low, high);
    closed->high = fmax(low, high);
    rescale(intervals, scale);
    return NG_OK;
}

/* P(psi > angle >= 0) for a density like cos(psi)^(d - 2). */
static double circle_tail(double angle, double freedom)
{
    double lower, upper;
    ng_beta_tails(pow(cos(angle), 2), pow(sin(angle), 2), 0.5 * (freedom - 1), 0.5, &lower, &upper);
    return 0.5 * lower;
}

static double circle_mass(const ng_intervals *intervals, double freedom, double low, double high)
{
    double sum = 0;
    for (int64_t i = 0; i < intervals->count; i++) {
        const double a = fmax(low, intervals->item[i].low), b = fmin(high, intervals->item[i].high);
        if (!(a < b)) continue;
        if (a >= 0) sum += circle_tail(a, freedom) - circle_tail(b, freedom);
        else if (b <= 0) sum += circle_tail(-b, freedom) - circle_tail(-a, freedom);
        else sum += 1 - circle_tail(-a, freedom) - circle_tail(b, freedom);
    }
    return sum;
}

ng_status ng_seism_circle(const ng_event *event, bool signs, const ng_run *run, ng_closed *closed, ng_error *error)
{
    const int64_t n = event->design->n, m = event->design->m;
    const double freedom = (double)event->freedom;
    double *e = ng_alloc(run->arena, 2 * n, sizeof *e, error), *rest = e + n;
    double *u = ng_alloc(run->arena, 3 * m, sizeof *u, error), *none = ng_alloc(run->arena, event->j, sizeof *none, error);
    if (!e || !u || !none) return error->status;
    const double norm = direction(event, e), t0 = ng_inner_product(e, event->z, n), radius = sqrt(ng_inner_product(event->z, event->z, n));
    for (int64_t i = 0; i < n; i++) rest[i] = event->z[i] - t0 * e[i];
    const double across = sqrt(ng_inner_product(rest, rest, n)), psi = atan2(t0, across);
    for (int64_t i = 0; i < n; i++) {
        rest[i] *= radius / across;
        e[i] *= radius;
    }
    ng_feature_products(&event->design->features, m, e, run->threads, u + m);
    ng_feature_products(&event->design->features, m, rest, run->threads, u + 2 * m);
    const ng_draw_curve curve = {.circle = true, .u = {u, u + m, u + 2 * m}, .c = {event->c, none, none}};
    *closed = (ng_closed){.t0 = event->path->scale < 0 ? -psi : psi, .norm = norm, .low = NAN, .high = NAN};
    ng_intervals *intervals = &closed->intervals;
    if (ng_intervals_new(event, run->arena, intervals, error)) return error->status;
    ng_event_intervals(event, &curve, signs, psi, intervals);
    const double all = circle_mass(intervals, freedom, -2, 2), out = circle_mass(intervals, freedom, fabs(psi), 2) +
                                                                     circle_mass(intervals, freedom, -2, -fabs(psi));
    closed->p = fmin(1, out / all);
    rescale(intervals, event->path->scale < 0 ? -1 : 1);
    return NG_OK;
}
