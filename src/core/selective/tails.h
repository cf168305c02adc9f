/* core/selective/tails.h: tail probabilities that stay exact where they are tiny. */
#ifndef NG_SELECTIVE_TAILS_H
#define NG_SELECTIVE_TAILS_H

/* log P(Z > x) of a standard normal Z, for any x; -infinity at infinity. */
double ng_log_normal_tail(double x);

/* The x with log P(Z > x) = log_tail, log_tail < 0. */
double ng_normal_point(double log_tail);

/* log P(low < Z < high), from the side of 0 where the tails are small. */
double ng_log_normal_mass(double low, double high);

/* log(e^a + e^b) and log(e^a - e^b), a >= b. */
double ng_log_sum(double a, double b);
double ng_log_difference(double a, double b);

/* The regularised incomplete beta function: *lower = I_x(a, b), *upper = 1 - *lower, each without cancellation; y = 1 - x is given
 * too, since it may be known better. a, b > 0. */
void ng_beta_tails(double x, double y, double a, double b, double *lower, double *upper);

/* P(F > f) of an F distribution with 1 and `freedom` degrees of freedom. */
double ng_f_tail(double f, double freedom);

#endif
