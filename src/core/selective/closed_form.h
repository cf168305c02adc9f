/* core/selective/closed_form.h: p-values without sampling, along e = P_j phi_c / |P_j phi_c|.
 * Line, sigma known: given all of y but t = e' y, t is normal, restricted to intervals (Lee, Sun, Sun and Taylor 2016,
 * doi:10.1214/15-AOS1371; here with the absolute values, whose intervals may end on the outside too). Circle, sigma unknown: given also
 * the norm, the angle psi of x = r (sin(psi) e + cos(psi) rest) has a density like cos(psi)^(d - 2); for j = 1 a truncated t. */
#ifndef NG_SELECTIVE_CLOSED_FORM_H
#define NG_SELECTIVE_CLOSED_FORM_H
#include "core/selective/intervals.h"

typedef struct ng_closed {
    double p, t0, norm;                          /* t0 = e' y, norm = |P_j phi_c|; on the circle t0 is psi, in radians */
    ng_intervals intervals;                      /* of t on the response's own scale, or of psi */
    double low, high;                            /* confidence interval of e' mu (line) */
} ng_closed;

/* sigma known: the path was selected with it. level: of the confidence interval. */
ng_status ng_seism_line(const ng_event *event, bool signs, double level, const ng_run *run, ng_closed *closed, ng_error *error);
ng_status ng_seism_circle(const ng_event *event, bool signs, const ng_run *run, ng_closed *closed, ng_error *error);

#endif
