/* core/training/loss.c: losses and their derivatives; z is a number of the output, y its target, p the probability.
 *     binary         L = max(z, 0) - z y + log(1 + e^-|z|)          dL/dz = p - y,    p = 1 / (1 + e^-z)
 *     categorical    L = log sum_c e^(z_c - m) - sum_c y_c (z_c - m)   dL/dz_c = p_c sum y - y_c,   m = max_c z_c
 *     squared        L = (z - y)^2                                     dL/dz = 2 (z - y) */
#include <math.h>
#include "core/training/loss.h"

static double binary(const float *z, const float *y, int64_t size, double factor, float *gradient, double *right)
{
    double sum = 0;
    for (int64_t i = 0; i < size; i++) {
        const double e = exp(-fabs((double)z[i])), p = z[i] >= 0 ? 1 / (1 + e) : e / (1 + e);
        sum += (z[i] > 0 ? (double)z[i] : 0) - (double)z[i] * (double)y[i] + log1p(e);
        gradient[i] = (float)(factor * (p - (double)y[i]));
        *right += (z[i] > 0) == (y[i] > 0.5f);
    }
    return sum;
}

static double categorical(const float *z, const float *y, int64_t channels, double factor, float *gradient, double *right)
{
    int64_t best = 0, wanted = 0;
    double sum = 0, of_targets = 0, loss = 0;
    for (int64_t c = 1; c < channels; c++) {
        if (z[c] > z[best]) best = c;
        if (y[c] > y[wanted]) wanted = c;
    }
    for (int64_t c = 0; c < channels; c++) {
        sum += exp((double)z[c] - (double)z[best]);
        of_targets += (double)y[c];
    }
    for (int64_t c = 0; c < channels; c++) {
        const double shifted = (double)z[c] - (double)z[best];
        loss += (double)y[c] * (log(sum) - shifted);
        gradient[c] = (float)(factor * (exp(shifted) / sum * of_targets - (double)y[c]));
    }
    *right += best == wanted;
    return loss;
}

static double squared(const float *z, const float *y, int64_t size, double factor, float *gradient, double *right)
{
    double sum = 0;
    for (int64_t i = 0; i < size; i++) {
        const double error = (double)z[i] - (double)y[i];
        sum += error * error;
        gradient[i] = (float)(factor * 2 * error);
        *right += fabs(error);
    }
    return sum;
}

double ng_loss_of(ng_loss loss, const float *output, const float *target, int64_t size, int64_t channels, double factor,
                  float *gradient, double *right)
{
    const int64_t terms = loss == NG_CATEGORICAL_CROSS_ENTROPY ? size / channels : size;
    double sum = 0;
    *right = 0;
    factor /= (double)terms;
    if (loss == NG_BINARY_CROSS_ENTROPY) sum = binary(output, target, size, factor, gradient, right);
    else if (loss == NG_SQUARED_ERROR) sum = squared(output, target, size, factor, gradient, right);
    else
        for (int64_t i = 0; i < size; i += channels) sum += categorical(output + i, target + i, channels, factor, gradient + i, right);
    *right /= (double)terms;
    return sum / (double)terms;
}
