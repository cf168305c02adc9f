#include <math.h>
#include <string.h>
#include "core/training/statistics.h"

void ng_statistics_add(const ng_statistics *s, const ng_tile *x, double *sums)
{
    double *restrict squares = sums + s->channels;
    NG_EACH_ROW(x, n, t) {
        const float *row = ng_row(x, n, t);
#pragma omp simd
        for (int64_t c = 0; c < s->channels; c++) {
            const double value = (double)row[c];
            sums[c] += value;
            squares[c] += value * value;
        }
    }
}

void ng_statistics_add_back(const ng_statistics *s, const ng_tile *x, const ng_tile *dy, double *sums)
{
    double *restrict products = sums + s->channels;
    NG_EACH_ROW(x, n, t) {
        const float *row = ng_row(x, n, t), *gradient = ng_row(dy, n, t);
#pragma omp simd
        for (int64_t c = 0; c < s->channels; c++) {
            sums[c] += (double)gradient[c];
            products[c] += (double)(gradient[c] * ((row[c] - s->mean[c]) * s->reciprocal[c]));
        }
    }
}

/* The mean of all shards, number `which` of channel c. */
static double mean_of(const ng_statistics *s, int64_t shards, int which, int64_t c)
{
    double sum = 0;
    for (int64_t shard = 0; shard < shards; shard++) sum += s->sums[(2 * shard + which) * s->channels + c];
    return sum / (double)s->rows;
}

static void clear(ng_statistics *s, int64_t shards) { memset(s->sums, 0, (size_t)(shards * 2 * s->channels) * sizeof *s->sums); }

void ng_statistics_end(ng_statistics *s, int64_t shards, int64_t rows)
{
    s->rows = rows;
    for (int64_t c = 0; c < s->channels; c++) {
        const double mean = mean_of(s, shards, 0, c), square = mean_of(s, shards, 1, c) - mean * mean, variance = square > 0 ? square : 0;
        s->mean[c] = (float)mean;
        s->reciprocal[c] = (float)(1 / sqrt(variance + (double)s->epsilon));
        s->moving_mean[c] += ((float)mean - s->moving_mean[c]) * (1 - s->momentum);
        s->moving_variance[c] += ((float)variance - s->moving_variance[c]) * (1 - s->momentum);
    }
    clear(s, shards);
}

void ng_statistics_end_back(ng_statistics *s, int64_t shards, float *dgamma, float *dbeta)
{
    for (int64_t c = 0; c < s->channels; c++) {
        const double dy = mean_of(s, shards, 0, c), product = mean_of(s, shards, 1, c);
        s->of_dy[c] = (float)dy;
        s->of_product[c] = (float)product;
        if (dbeta) dbeta[c] += (float)(dy * (double)s->rows);
        if (dgamma) dgamma[c] += (float)(product * (double)s->rows);
    }
    clear(s, shards);
}

void ng_normalize(const ng_statistics *s, const ng_tile *x, ng_tile *y)
{
    NG_EACH_ROW(y, n, t) {
        const float *restrict from = ng_row(x, n, t);
        float *restrict to = ng_row(y, n, t);
#pragma omp simd
        for (int64_t c = 0; c < s->channels; c++) to[c] = (from[c] - s->mean[c]) * s->reciprocal[c];
        for (int64_t c = 0; s->gamma && c < s->channels; c++) to[c] *= s->gamma[c];
        for (int64_t c = 0; s->beta && c < s->channels; c++) to[c] += s->beta[c];
    }
}

void ng_normalize_back(const ng_statistics *s, const ng_tile *x, const ng_tile *dy, ng_tile *dx)
{
    NG_EACH_ROW(dx, n, t) {
        const float *restrict row = ng_row(x, n, t), *restrict from = ng_row(dy, n, t);
        float *restrict to = ng_row(dx, n, t);
#pragma omp simd
        for (int64_t c = 0; c < s->channels; c++) {
            const float h = (row[c] - s->mean[c]) * s->reciprocal[c], scale = s->gamma ? s->gamma[c] * s->reciprocal[c] : s->reciprocal[c];
            to[c] += scale * (from[c] - s->of_dy[c] - h * s->of_product[c]);
        }
    }
}
