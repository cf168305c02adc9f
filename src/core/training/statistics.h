/* core/training/statistics.h: BatchNormalization as it trains: by the mean and variance of each channel over all rows of the batch.
 *     m = mean x,   v = mean (x - m)^2,   h = (x - m) / sqrt(v + epsilon),   y = gamma h + beta
 *     dbeta = sum dy,   dgamma = sum dy h,   dx += gamma / sqrt(v + epsilon) (dy - dbeta / N - h dgamma / N)
 *     mean += (m - mean)(1 - momentum),   variance += (v - variance)(1 - momentum)
 * Sums over a shard of the batch are in float64; shards are added in their order. */
#ifndef NG_TRAINING_STATISTICS_H
#define NG_TRAINING_STATISTICS_H
#include "core/network/layer.h"

typedef struct ng_statistics {
    int64_t channels, rows;                      /* rows: of this batch */
    float epsilon, momentum;
    const float *gamma, *beta;                   /* NULL: 1 and 0 */
    float *moving_mean, *moving_variance;
    double *sums;                                /* (shards, 2, channels): of x and x^2, then of dy and dy h */
    float *mean, *reciprocal;                    /* of this batch: m and 1 / sqrt(v + epsilon) */
    float *scale, *shift;                        /* gamma / sqrt(v + epsilon), beta */
    float *of_dy, *slope;                        /* sum dy / N, sum dy h / N / sqrt(v + epsilon) */
} ng_statistics;

/* Adds one tile to the sums of a shard. */
void ng_statistics_add(const ng_statistics *s, const ng_tile *x, double *sums);
void ng_statistics_add_back(const ng_statistics *s, const ng_tile *x, const ng_tile *dy, double *sums);

/* All shards are there, so many rows: m and v, and the moving ones; the means of the gradient, which are added N times to dgamma and
 * dbeta (NULL: nobody wants them). The sums are zeros again. */
void ng_statistics_end(ng_statistics *s, int64_t shards, int64_t rows);
void ng_statistics_end_back(ng_statistics *s, int64_t shards, float *dgamma, float *dbeta);

void ng_normalize(const ng_statistics *s, const ng_tile *x, ng_tile *y);
void ng_normalize_back(const ng_statistics *s, const ng_tile *x, const ng_tile *dy, ng_tile *dx);

#endif
