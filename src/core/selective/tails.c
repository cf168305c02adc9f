#include <math.h>
#include <stdbool.h>
#include "core/selective/tails.h"

static const double log_half = -0.6931471805599453, root_half = 0.7071067811865476;

double ng_log_normal_tail(double x)
{
    if (x < 0) return log1p(-0.5 * erfc(-x * root_half));
    if (x < 30) return log(0.5 * erfc(x * root_half));
    const double s = 1 / (x * x);                                    /* the asymptotic series; its first omitted term is 945 s^5 */
    return -0.5 * x * x - log(x) - 0.9189385332046727 + log1p(-s * (1 - s * (3 - s * (15 - 105 * s))));
}

double ng_normal_point(double log_tail)
{
    if (log_tail > log_half) return -ng_normal_point(log(-expm1(log_tail)));
    double x = sqrt(fmax(0, -2 * (log_tail - log_half)));           /* not below the answer, and log P is concave: Newton falls to it */
    for (int i = 0; i < 60; i++) {
        const double tail = ng_log_normal_tail(x), slope = exp(-0.5 * x * x - 0.9189385332046727 - tail);
        const double move = (tail - log_tail) / slope;
        x += move;
        if (fabs(move) <= 1e-15 * (1 + fabs(x))) break;
    }
    return x;
}

double ng_log_sum(double a, double b)
{
    if (a < b) return ng_log_sum(b, a);
    return b == -INFINITY ? a : a + log1p(exp(b - a));
}

double ng_log_difference(double a, double b) { return b == -INFINITY ? a : a + log(-expm1(b - a)); }

double ng_log_normal_mass(double low, double high)
{
    if (!(low < high)) return -INFINITY;
    if (high <= 0) return ng_log_normal_mass(-high, -low);
    if (low >= 0) return ng_log_difference(ng_log_normal_tail(low), ng_log_normal_tail(high));
    return log1p(-(exp(ng_log_normal_tail(-low)) + exp(ng_log_normal_tail(high))));
}

/* The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8) by Lentz's method; quick for
 * x < (a + 1) / (a + b + 2). */
static double fraction(double x, double a, double b)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int k = 1; k < 10000; k++) {
        const double even = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k));
        const double odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        if (fabs(c) < tiny) c = tiny;
        value *= d * c;
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        if (fabs(c) < tiny) c = tiny;
        value *= d * c;
        if (fabs(d * c - 1) < 1e-16) break;
    }
    return value;
}

void ng_beta_tails(double x, double y, double a, double b, double *lower, double *upper)
{
    if (!(x > 0) || !(y > 0)) {
        *lower = x > 0;
        *upper = 1 - *lower;
        return;
    }
    const double log_front = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y);
    const bool left = x < (a + 1) / (a + b + 2);
    const double part = left ? exp(log_front) * fraction(x, a, b) / a : exp(log_front) * fraction(y, b, a) / b;
    *lower = left ? part : 1 - part;
    *upper = left ? 1 - part : part;
}

double ng_f_tail(double f, double freedom)
{
    double lower, upper;
    ng_beta_tails(f / (f + freedom), freedom / (f + freedom), 0.5, 0.5 * freedom, &lower, &upper);
    return upper;
}
