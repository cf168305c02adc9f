#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/selective/intervals.h"

static const double quarter_turn = 1.5707963267948966;

double ng_curve_value(bool circle, const double part[3], double t)
{
    return circle ? part[0] + part[1] * sin(t) + part[2] * cos(t) : part[0] + part[1] * t;
}

static void parts_of(const ng_event *event, const ng_draw_curve *curve, int64_t l, int s, double part[3])
{
    const double weight = event->path->step[s - 1].weight[l];
    for (int i = 0; i < (curve->circle ? 3 : 2); i++) part[i] = weight * ng_event_product(event, l, s, curve->u[i][l], curve->c[i]);
}

/* Where f(t) = 0, inside the range of t; gives how many. */
static int roots_of(bool circle, const double part[3], double *roots)
{
    if (!circle) {
        if (part[1] == 0) return 0;
        roots[0] = -part[0] / part[1];
        return isfinite(roots[0]);
    }
    /* part0 + R cos(t - delta) = 0 */
    const double radius = hypot(part[1], part[2]), delta = atan2(part[1], part[2]);
    if (!(fabs(part[0]) <= radius) || radius == 0) return 0;
    const double angle = acos(-part[0] / radius);
    int count = 0;
    for (int side = -1; side <= 1; side += 2) {
        const double t = remainder(delta + side * angle, 4 * quarter_turn);
        if (fabs(t) < quarter_turn) roots[count++] = t;
    }
    return count;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void forbid(ng_intervals *allowed, double low, double high)
{
    ng_interval *item = allowed->item;
    for (int64_t i = 0; i < allowed->count; i++) {
        if (high <= item[i].low || low >= item[i].high) continue;
        if (item[i].low < low && high < item[i].high) {
            memmove(item + i + 1, item + i, (size_t)(allowed->count - i) * sizeof *item);
            item[i].high = low;
            item[i + 1].low = high;
            allowed->count++;
            return;
        }
        if (item[i].low < low) {
            item[i].high = low;
        } else if (high < item[i].high) {
            item[i].low = high;
        } else {
            memmove(item + i, item + i + 1, (size_t)(allowed->count - i - 1) * sizeof *item);
            allowed->count--;
            i--;
        }
    }
}

/* A point inside (low, high), of which one end or both may be infinite. */
static double inside(double low, double high)
{
    if (isinf(low)) return isinf(high) ? 0 : high - 1 - fabs(high);
    return isinf(high) ? low + 1 + fabs(low) : low + (high - low) / 2;
}

/* Takes away the t at which candidate l beats everyone in the cell of step s: between roots of f_i - f_l and f_i + f_l nothing changes. */
static void forbid_candidate(const ng_event *event, const ng_draw_curve *curve, int64_t l, int s, const double (*cell)[3], int64_t members,
                             double *roots, ng_intervals *allowed)
{
    const double end = curve->circle ? quarter_turn : INFINITY;
    double part[3] = {0};
    int count = 0;
    parts_of(event, curve, l, s, part);
    for (int64_t i = 0; i < members; i++)
        for (int sign = -1; sign <= 1; sign += 2) {
            const double sum[3] = {cell[i][0] + sign * part[0], cell[i][1] + sign * part[1], cell[i][2] + sign * part[2]};
            count += roots_of(curve->circle, sum, roots + count);
        }
    qsort(roots, (size_t)count, sizeof *roots, ascending);
    for (int r = 0; r <= count; r++) {
        const double low = r ? roots[r - 1] : -end, high = r < count ? roots[r] : end;
        if (!(low < high)) continue;
        const double t = inside(low, high);
        double best = 0;
        for (int64_t i = 0; i < members; i++) best = fmax(best, fabs(ng_curve_value(curve->circle, cell[i], t)));
        if (best < fabs(ng_curve_value(curve->circle, part, t))) forbid(allowed, low, high);
    }
}

/* Takes away the t at which the selected candidate of the step has the other sign than at `here`. */
static void forbid_sign(bool circle, const double part[3], double here, ng_intervals *allowed)
{
    const double end = circle ? quarter_turn : INFINITY, now = ng_curve_value(circle, part, here);
    double roots[2];
    const int count = roots_of(circle, part, roots);
    qsort(roots, (size_t)count, sizeof *roots, ascending);
    for (int r = 0; r <= count; r++) {
        const double low = r ? roots[r - 1] : -end, high = r < count ? roots[r] : end;
        if (low < high && ng_curve_value(circle, part, inside(low, high)) * now < 0) forbid(allowed, low, high);
    }
}

static int64_t largest_cell(const ng_event *event)
{
    int64_t most = 0;
    for (int s = 1; s <= event->j; s++)
        if (event->first[s] - event->first[s - 1] > most) most = event->first[s] - event->first[s - 1];
    return most;
}

ng_status ng_intervals_new(const ng_event *event, ng_arena *arena, ng_intervals *intervals, ng_error *error)
{
    const int64_t most = largest_cell(event), cuts = 4 * most + 2;   /* roots of one candidate against a cell, and the ends */
    *intervals = (ng_intervals){.item = ng_alloc(arena, 2 + event->design->m * event->j * cuts, sizeof(ng_interval), error),
                                .room = ng_alloc(arena, 7 * most, sizeof(double), error)};
    return intervals->item && intervals->room ? NG_OK : error->status;
}

void ng_event_intervals(const ng_event *event, const ng_draw_curve *curve, bool signs, double here, ng_intervals *allowed)
{
    const double end = curve->circle ? quarter_turn : INFINITY;
    double *roots = allowed->room, (*cell)[3] = (double (*)[3])(roots + 4 * largest_cell(event));
    allowed->item[0] = (ng_interval){-end, end};
    allowed->count = 1;
    for (int s = 1; s <= event->j; s++) {
        const int64_t members = event->first[s] - event->first[s - 1];
        for (int64_t i = 0; i < members; i++) {
            cell[i][2] = 0;
            parts_of(event, curve, event->member[event->first[s - 1] + i], s, cell[i]);
            if (signs && event->member[event->first[s - 1] + i] == event->path->step[s - 1].candidate)
                forbid_sign(curve->circle, cell[i], here, allowed);
        }
        for (int64_t l = 0; l < event->design->m; l++)
            if (ng_event_compares(event, l, s))
                forbid_candidate(event, curve, l, s, (const double (*)[3])cell, members, roots, allowed);
    }
}
