/* exp, tanh and the logistic function against libm in double, on float patterns from one end of the range to the other. */
#include <math.h>
#include <stdbool.h>
#include "check.h"
#include "core/kernels/elementary.h"

static double logistic(double x) { return 1 / (1 + exp(-x)); }

/* Distance in units in the last place of the true value, of which there is one size below 2^-126. */
static double units_apart(float got, double truth)
{
    const int exponent = fabs(truth) < 0x1p-126 ? -126 : ilogb(truth);
    return fabs((double)got - truth) / ldexp(1, exponent - 23);
}

static void compare(float (*ours)(float, bool), bool fused, double (*theirs)(double), double most_units)
{
    double worst = 0;
    bool infinite = true, many = true;
    for (uint64_t pattern = 0; pattern < (uint64_t)1 << 32; pattern += 1499) {
        const uint32_t bits = (uint32_t)pattern;
        float x;
        memcpy(&x, &bits, sizeof x);
        const double truth = theirs((double)x);
        if (isnan(x)) many = many && isnan(ours(x, fused));
        else if (isinf((float)truth)) infinite = infinite && ours(x, fused) == (float)truth;
        else worst = fmax(worst, units_apart(ours(x, fused), truth));
    }
    CHECK(worst <= most_units);
    CHECK(infinite);
    CHECK(many);
}

static float our_exp(float x, bool fused) { return ng_exp_of(x, fused); }
static float our_tanh(float x, bool fused) { return ng_tanh_of(x, fused); }
static float our_logistic(float x, bool fused) { return ng_sigmoid_of(x, fused); }

int main(void)
{
    for (int fused = 0; fused < 2; fused++) {
        compare(our_exp, fused, exp, 2);
        compare(our_tanh, fused, tanh, 2);
        compare(our_logistic, fused, logistic, 2.5);
    }
    CHECK(ng_exp(0) == 1 && ng_exp(-INFINITY) == 0 && ng_exp(INFINITY) == INFINITY && ng_exp(88.7228f) < INFINITY);
    CHECK(ng_tanh(0) == 0 && ng_tanh(INFINITY) == 1 && ng_tanh(-INFINITY) == -1 && signbit(ng_tanh(-0.0f)));
    CHECK(ng_sigmoid(0) == 0.5f && ng_sigmoid(INFINITY) == 1 && ng_sigmoid(-INFINITY) == 0);
    return finish();
}
