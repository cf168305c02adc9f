#include <math.h>
#include <stdlib.h>
#include "core/base/random.h"
#include "core/selective/features.h"
#ifdef _OPENMP
#include <omp.h>
#endif

double ng_inner_product(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

double ng_feature_dot(const ng_features *f, int64_t row, const double *x)
{
    if (f->values) return ng_inner_product(f->values + row * f->n, x, f->n);
    const uint8_t *bytes = f->bytes + row * f->n;
    double sum = 0;
    for (int64_t i = 0; i < f->n; i++) sum += f->table[bytes[i]] * x[i];
    return sum;
}

void ng_feature_products(const ng_features *f, int64_t m, const double *x, int threads, double *products)
{
    (void)threads;                                                    /* without OpenMP nobody asks */
#pragma omp parallel for schedule(static) num_threads(threads) if (m * f->n > 100000)
    for (int64_t l = 0; l < m; l++) products[l] = ng_feature_dot(f, l, x);
}

double ng_project(const double *basis, int64_t count, int64_t n, double *x)
{
    for (int twice = 0; twice < 2; twice++)
        for (int64_t h = 0; h < count; h++) {
            const double part = ng_inner_product(basis + h * n, x, n);
            for (int64_t i = 0; i < n; i++) x[i] -= part * basis[h * n + i];
        }
    return ng_inner_product(x, x, n);
}

double ng_residual_row(const ng_features *f, int64_t row, const double *basis, int64_t count, double *residual)
{
    for (int64_t i = 0; i < f->n; i++) residual[i] = ng_feature(f, row, i);
    return ng_project(basis, count, f->n, residual);
}

ng_status ng_residual_norms(const ng_features *f, int64_t m, const double *basis, int64_t count, const ng_run *run, double *norm2,
                            double *mark, ng_error *error)
{
    const int64_t n = f->n;
    double *random = ng_alloc(run->arena, n, sizeof *random, error);
    double *room = random ? ng_alloc(run->arena, n * run->threads, sizeof *room, error) : NULL;
    if (!room) return error->status;
    for (int64_t i = 0; i < n; i++) random[i] = (double)ng_random_bits(1, 0, (uint64_t)i) * 0x1p-63 - 1;
#pragma omp parallel for schedule(static) num_threads(run->threads)
    for (int64_t l = 0; l < m; l++) {
#ifdef _OPENMP
        double *residual = room + n * omp_get_thread_num();
#else
        double *residual = room;
#endif
        norm2[l] = ng_residual_row(f, l, basis, count, residual);
        mark[l] = ng_inner_product(residual, random, n);
    }
    return NG_OK;
}

typedef struct marked { double mark; int64_t row; } marked;

static int by_mark(const void *a, const void *b)
{
    const marked *x = a, *y = b;
    return x->mark != y->mark ? (x->mark > y->mark) - (x->mark < y->mark) : (x->row > y->row) - (x->row < y->row);
}

static int by_row(const void *a, const void *b)
{
    const marked *x = a, *y = b;
    return (x->row > y->row) - (x->row < y->row);
}

/* |a - b| or |a + b| within 1e-10 of |a|; both weighted. */
static bool equal_up_to_sign(const double *a, double weight_a, const double *b, double weight_b, int64_t n, double norm2)
{
    double minus = 0, plus = 0;
    for (int64_t i = 0; i < n; i++) {
        const double x = weight_a * a[i], y = weight_b * b[i];
        minus += (x - y) * (x - y);
        plus += (x + y) * (x + y);
    }
    return fmin(minus, plus) <= 1e-20 * norm2;
}

ng_status ng_find_twins(const ng_features *f, int64_t m, const double *basis, int64_t count, const double *weight, const double *norm2,
                        const double *mark, ng_arena *arena, int64_t *twin, ng_error *error)
{
    const int64_t n = f->n;
    marked *rows = ng_alloc(arena, m, sizeof *rows, error);
    double *a = rows ? ng_alloc(arena, 2 * n, sizeof *a, error) : NULL, *b = a ? a + n : NULL;
    if (!a) return error->status;
    int64_t present = 0;
    for (int64_t l = 0; l < m; l++) {
        twin[l] = weight[l] > 0 ? l : -1;
        if (weight[l] > 0) rows[present++] = (marked){fabs(weight[l] * mark[l]), l};
    }
    qsort(rows, (size_t)present, sizeof *rows, by_mark);
    for (int64_t first = 0, last; first < present; first = last) {   /* a run of marks so close that its rows may be twins */
        for (last = first + 1; last < present; last++) {
            const double norm = weight[rows[last].row] * sqrt(norm2[rows[last].row]);
            if (rows[last].mark - rows[last - 1].mark > 1e-9 * norm * sqrt((double)n)) break;
        }
        if (last - first == 1) continue;
        qsort(rows + first, (size_t)(last - first), sizeof *rows, by_row);
        for (int64_t i = first + 1; i < last; i++) {
            const int64_t l = rows[i].row;
            ng_residual_row(f, l, basis, count, a);
            for (int64_t j = first; j < i && twin[l] == l; j++) {
                const int64_t other = rows[j].row;
                if (twin[other] != other) continue;
                ng_residual_row(f, other, basis, count, b);
                if (equal_up_to_sign(a, weight[l], b, weight[other], n, weight[l] * weight[l] * norm2[l])) twin[l] = other;
            }
        }
    }
    return NG_OK;
}
