/* core/selective/intervals.h: the event of selection along a curve of states, as a union of intervals.
 *     line     state(t) = at + t * along                                t in (-infinity, infinity)
 *     circle   state(t) = at + sin(t) * along + cos(t) * across         t in (-pi/2, pi/2) */
#ifndef NG_SELECTIVE_INTERVALS_H
#define NG_SELECTIVE_INTERVALS_H
#include "core/selective/event.h"

typedef struct ng_interval { double low, high; } ng_interval;
typedef struct ng_intervals { ng_interval *item; int64_t count; double *room; } ng_intervals;

/* Room for the intervals of any curve through this event, so that finding them allocates nothing. */
ng_status ng_intervals_new(const ng_event *event, ng_arena *arena, ng_intervals *intervals, ng_error *error);

/* Of each of the three parts: products phi_l' z (m numbers) and coordinates c (j - 1). The line has no third part. */
typedef struct ng_draw_curve { bool circle; const double *u[3], *c[3]; } ng_draw_curve;

/* f(t) of one candidate: part[0] + t part[1], or part[0] + sin(t) part[1] + cos(t) part[2]. */
double ng_curve_value(bool circle, const double part[3], double t);

/* The t whose states are in the event, ascending. With `signs`, those alone at which every selected candidate has the sign it has at
 * t = here. */
void ng_event_intervals(const ng_event *event, const ng_draw_curve *curve, bool signs, double here, ng_intervals *allowed);

#endif
