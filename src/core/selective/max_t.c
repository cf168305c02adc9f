#include <math.h>
#include <string.h>
#include "core/selective/max_t.h"

enum { TOGETHER = 48 };                          /* permutations of one product of matrices */
static const uint32_t apart = 0x80000000u;       /* chain ids that no chain has */

void ng_shuffle(ng_random_stream stream, uint64_t *block, int64_t *order, int64_t n, int64_t count)
{
    for (int64_t i = 0; i < n; i++) order[i] = i;
    for (int64_t i = 0; i < count; i++) {
        double pair[2];
        ng_uniform_pair(stream, (*block)++, pair);
        const int64_t other = i + (int64_t)(pair[0] * (double)(n - i)), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}

/* What one thread needs. */
typedef struct bench { double *y; float *single, *products; int64_t *order; } bench;

/* The largest score, of those that single precision cannot tell from the largest. */
static double largest_score(const ng_design *design, const double *y, const float *products)
{
    const double margin = (double)(design->n + 8) * 0x1p-24 * sqrt(ng_inner_product(y, y, design->n));
    double about = 0, largest = 0;
    for (int64_t l = 0; l < design->m; l++)
        about = fmax(about, design->weight[l] * sqrt(design->norm2[l]) * (fabs((double)products[l]) - margin));
    for (int64_t l = 0; l < design->m; l++)
        if (design->weight[l] * sqrt(design->norm2[l]) * (fabs((double)products[l]) + margin) >= about)
            largest = fmax(largest, design->weight[l] * fabs(ng_feature_dot(&design->features, l, y)));
    return largest * largest;
}

/* Permutations ids first.. of `residual`; id 0 is residual itself. */
static void several(const ng_design *design, const ng_packed *rows, uint64_t key, const double *residual, int64_t first, int64_t count,
                    bench *bench, double *statistics)
{
    const int64_t n = design->n, m = design->m;
    for (int64_t b = 0; b < count; b++) {
        double *y = bench->y + b * n;
        uint64_t block = 0;
        ng_shuffle((ng_random_stream){key, apart + (uint32_t)(first + b), 3}, &block, bench->order, n, first + b ? n : 0);
        for (int64_t i = 0; i < n; i++) y[i] = residual[bench->order[i]];
        ng_project(design->basis, design->covariates, n, y);
        for (int64_t i = 0; i < n; i++) bench->single[b * n + i] = (float)y[i];
    }
    ng_multiply(bench->single, count, n, rows, 0, n, NULL, false, bench->products, m);
    for (int64_t b = 0; b < count; b++) statistics[b] = largest_score(design, bench->y + b * n, bench->products + b * m);
}

ng_status ng_seism_max_t(const ng_design *design, const double *y, int64_t count, uint64_t key, const ng_run *run, double *observed,
                         double *statistics, ng_error *error)
{
    const int64_t n = design->n, batches = (count + TOGETHER - 1) / TOGETHER;
    ng_packed rows;
    double *residual = ng_alloc(run->arena, n, sizeof *residual, error);
    bench *benches = ng_alloc(run->arena, run->threads, sizeof *benches, error);
    if (!residual || !benches || ng_pack_candidates(design, run, &rows, error)) return error->status;
    for (int t = 0; t < run->threads; t++) {
        benches[t] = (bench){ng_alloc(run->arena, TOGETHER * n, sizeof(double), error), ng_alloc(run->arena, TOGETHER * n, sizeof(float), error),
                             ng_alloc(run->arena, TOGETHER * design->m, sizeof(float), error), ng_alloc(run->arena, n, sizeof(int64_t), error)};
        if (!benches[t].y || !benches[t].single || !benches[t].products || !benches[t].order) return error->status;
    }
    memcpy(residual, y, (size_t)n * sizeof *y);
    ng_project(design->basis, design->covariates, n, residual);
    several(design, &rows, key, residual, 0, 1, benches, observed);
    for (int64_t begin = 0, end; begin < batches; begin = end) {
        end = begin + run->threads < batches ? begin + run->threads : batches;
#pragma omp parallel for schedule(static) num_threads(run->threads)
        for (int64_t batch = begin; batch < end; batch++) {
            const int64_t from = batch * TOGETHER, here = count - from < TOGETHER ? count - from : TOGETHER;
            several(design, &rows, key, residual, from + 1, here, &benches[batch - begin], statistics + from);
        }
        if (ng_poll(run, (double)end / (double)batches, error)) return error->status;
    }
    return NG_OK;
}
