/* bridge/quantiles.c: .Call entries of R/quantiles.R. */
#include "bridge/bridge.h"
#include "core/attribution/window_ranks.h"
#include "core/base/random.h"

/* A matrix (3, regions): windows with a lower mean, with an equal one, with any. */
SEXP bridge_window_ranks(SEXP sums, SEXP known, SEXP circular, SEXP slack, SEXP widths, SEXP means, SEXP run, SEXP frame)
{
    const R_xlen_t n = XLENGTH(widths);
    bridge_assert(TYPEOF(sums) == REALSXP && TYPEOF(known) == REALSXP && XLENGTH(sums) == XLENGTH(known) && XLENGTH(sums) > 1);
    bridge_assert(TYPEOF(widths) == REALSXP && TYPEOF(means) == REALSXP && XLENGTH(means) == n);
    for (R_xlen_t k = 0; k < n; k++) bridge_assert(REAL(widths)[k] >= 1);
    bridge_call call;
    SEXP result = PROTECT(Rf_allocMatrix(REALSXP, 3, (int)n));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    int64_t *counts = ng_alloc(call.run.arena, 4 * n, sizeof *counts, &call.error);
    if (counts) {
        const ng_track track = {REAL(sums), REAL(known), XLENGTH(sums) - 1, Rf_asLogical(circular), Rf_asReal(slack)};
        for (R_xlen_t k = 0; k < n; k++) counts[3 * n + k] = (int64_t)REAL(widths)[k];
        ng_window_ranks(&track, counts + 3 * n, REAL(means), n, &call.run, counts, counts + n, counts + 2 * n, &call.error);
        for (R_xlen_t k = 0; k < n; k++)
            for (int row = 0; row < 3; row++) REAL(result)[3 * k + row] = (double)counts[row * n + k];
    }
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}

/* `count` whole numbers from 0 to limit - 1: stream `stream` under the key `seed`. */
SEXP bridge_random(SEXP seed, SEXP stream, SEXP count, SEXP limit)
{
    const R_xlen_t n = (R_xlen_t)Rf_asReal(count);
    const uint64_t key = (uint64_t)Rf_asReal(seed), number = (uint64_t)Rf_asReal(stream);
    bridge_assert(n >= 0 && Rf_asReal(limit) >= 1 && Rf_asReal(seed) >= 0 && Rf_asReal(stream) >= 0);
    SEXP result = PROTECT(Rf_allocVector(REALSXP, n));
    for (R_xlen_t i = 0; i < n; i++) REAL(result)[i] = (double)ng_random_below(key, number, (uint64_t)i, (int64_t)Rf_asReal(limit));
    UNPROTECT(1);
    return result;
}
