/* core/selective/features.h: a matrix of activations, one row of n numbers per candidate: doubles, or bytes that index a table, as the
 * Hamming distance of a k-mer does. Every product sums i = 0..n-1 in this order, so that no bit depends on threads. */
#ifndef NG_SELECTIVE_FEATURES_H
#define NG_SELECTIVE_FEATURES_H
#include "core/base/run.h"

typedef struct ng_features {
    int64_t m, n;
    double *values;                              /* m x n, or NULL */
    uint8_t *bytes;                              /* m x n, or NULL */
    const double *table;                         /* of the bytes */
} ng_features;

static inline double ng_feature(const ng_features *f, int64_t row, int64_t i)
{
    return f->values ? f->values[row * f->n + i] : f->table[f->bytes[row * f->n + i]];
}

double ng_inner_product(const double *a, const double *b, int64_t n);

/* The sum of row * x. */
double ng_feature_dot(const ng_features *f, int64_t row, const double *x);

/* products[l] for the first m rows. */
void ng_feature_products(const ng_features *f, int64_t m, const double *x, int threads, double *products);

/* x minus its part in the span of `count` orthonormal rows, taken away twice; gives |x|^2. Rows of zeros do nothing. */
double ng_project(const double *basis, int64_t count, int64_t n, double *x);

/* A row less its part in that span; gives its squared norm. */
double ng_residual_row(const ng_features *f, int64_t row, const double *basis, int64_t count, double *residual);

/* Rows l of the first m, less their part in the span of the basis, times weight[l], that are equal up to a sign and 1e-10 of their
 * norm: twin[l] is the lowest of them, l itself if there is none. Rows of weight 0 are left out: twin -1. norm2[l] is the squared norm of the
 * residual row (as ng_residual_norms() gives it, with the mark). */
ng_status ng_find_twins(const ng_features *f, int64_t m, const double *basis, int64_t count, const double *weight, const double *norm2,
                        const double *mark, ng_arena *arena, int64_t *twin, ng_error *error);

/* For the first m rows: squared norms of the residual rows, and their products with a fixed random vector, by which twins are found. */
ng_status ng_residual_norms(const ng_features *f, int64_t m, const double *basis, int64_t count, const ng_run *run, double *norm2,
                            double *mark, ng_error *error);

#endif
