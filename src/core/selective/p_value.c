#include <math.h>
#include "core/selective/features.h"
#include "core/selective/p_value.h"
#include "core/selective/tails.h"

ng_p_value ng_count_p_value(const double *draws, int64_t count, double observed, int64_t stop_after)
{
    ng_p_value value = {0};
    for (; value.used < count; value.used++) {
        if (!(draws[value.used] >= observed * (1 - 1e-12))) continue;
        if (++value.exceed != stop_after) continue;
        value.used++;
        value.p = (double)stop_after / (double)value.used;
        return value;
    }
    value.p = (double)(1 + value.exceed) / (double)(value.used + 1);
    return value;
}

double ng_autocorrelation_time(const double *trace, int64_t count)
{
    double mean = 0, variance = 0, sum = 0;
    for (int64_t i = 0; i < count; i++) mean += trace[i] / (double)count;
    for (int64_t i = 0; i < count; i++) variance += (trace[i] - mean) * (trace[i] - mean);
    if (!(variance > 0)) return 1;
    for (int64_t lag = 0; lag + 1 < count; lag += 2) {               /* sums of neighbours are positive where the truth is */
        double pair = 0;
        for (int64_t k = lag; k < lag + 2; k++)
            for (int64_t i = 0; i + k < count; i++) pair += (trace[i] - mean) * (trace[i + k] - mean);
        if (!(pair > 0)) break;
        sum += pair / variance;
    }
    return fmax(1, 2 * sum - 1);
}

ng_status ng_split_tests(const double *y, const double *covariates, int64_t count, const double *phi, int64_t q, int64_t n,
                         ng_arena *arena, ng_f_test *tests, ng_error *error)
{
    double *basis = ng_alloc(arena, (count + q) * n, sizeof *basis, error), *r = ng_alloc(arena, n, sizeof *r, error);
    if (!basis || !r) return error->status;
    int64_t rank = 0;
    for (int64_t i = 0; i < n; i++) r[i] = y[i];
    for (int64_t column = 0; column < count + q; column++) {
        const double *from = column < count ? covariates + column * n : phi + (column - count) * n;
        double *row = basis + rank * n;
        for (int64_t i = 0; i < n; i++) row[i] = from[i];
        const double before = ng_inner_product(from, from, n), after = ng_project(basis, rank, n, row);
        const bool explained = !(after > 1e-10 * before);
        for (int64_t i = 0; i < n; i++) row[i] = explained ? 0 : row[i] / sqrt(after);
        const double effect = ng_inner_product(row, r, n), all = ng_inner_product(r, r, n), freedom = (double)(n - rank - 1);
        if (column >= count) {
            const double f = effect * effect / ((all - effect * effect) / freedom);
            tests[column - count] = explained || freedom < 1 ? (ng_f_test){NAN, freedom, NAN} : (ng_f_test){f, freedom, ng_f_tail(f, freedom)};
        }
        rank += !explained;
        ng_project(basis, rank, n, r);
    }
    return NG_OK;
}
