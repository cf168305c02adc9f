/* bridge/quantiles.c: .Call entries of R/quantiles.R and R/gene-sets.R. */
#include "bridge/bridge.h"
#include "core/attribution/gene_sets.h"
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

static void assert_between(SEXP numbers, double from, double below)
{
    bridge_assert(TYPEOF(numbers) == REALSXP && XLENGTH(numbers) > 0);
    for (R_xlen_t k = 0; k < XLENGTH(numbers); k++) bridge_assert(REAL(numbers)[k] >= from && REAL(numbers)[k] < below);
}

/* layout: list(sums, known, slack, circles, blocks, block, offset, bases, feature, features), from null_model() in R; all are numbers. */
static void assert_layout(SEXP layout, SEXP means)
{
    bridge_assert(TYPEOF(layout) == VECSXP && XLENGTH(layout) == 10 && TYPEOF(means) == REALSXP);
    SEXP sums = VECTOR_ELT(layout, 0), known = VECTOR_ELT(layout, 1), block = VECTOR_ELT(layout, 5);
    bridge_assert(TYPEOF(sums) == REALSXP && TYPEOF(known) == REALSXP && XLENGTH(sums) > 1 && XLENGTH(sums) == XLENGTH(known));
    const double axis = (double)XLENGTH(sums) - 1;
    assert_between(VECTOR_ELT(layout, 3), 0, axis);
    assert_between(VECTOR_ELT(layout, 4), 1, axis + 1);
    assert_between(block, 0, Rf_asReal(VECTOR_ELT(layout, 4)));
    assert_between(VECTOR_ELT(layout, 6), 0, axis);
    assert_between(VECTOR_ELT(layout, 7), 0, axis + 1);
    assert_between(VECTOR_ELT(layout, 8), 0, (double)XLENGTH(means));
    for (int k = 6; k < 9; k++) bridge_assert(XLENGTH(VECTOR_ELT(layout, k)) == XLENGTH(block));
    bridge_assert(Rf_asReal(VECTOR_ELT(layout, 9)) == (double)XLENGTH(means));
}

/* Whole numbers as the core counts them; NULL and call->error set if memory is out. */
static int64_t *whole_numbers(SEXP numbers, bridge_call *call)
{
    int64_t *copy = ng_alloc(call->run.arena, XLENGTH(numbers), sizeof *copy, &call->error);
    for (R_xlen_t k = 0; copy && k < XLENGTH(numbers); k++) copy[k] = (int64_t)REAL(numbers)[k];
    return copy;
}

static ng_annotation annotation_of(SEXP layout, bridge_call *call)
{
    return (ng_annotation){
        .sums = REAL(VECTOR_ELT(layout, 0)), .known = REAL(VECTOR_ELT(layout, 1)), .slack = Rf_asReal(VECTOR_ELT(layout, 2)),
        .axis = XLENGTH(VECTOR_ELT(layout, 0)) - 1, .blocks = (int64_t)Rf_asReal(VECTOR_ELT(layout, 4)),
        .features = (int64_t)Rf_asReal(VECTOR_ELT(layout, 9)), .pieces = XLENGTH(VECTOR_ELT(layout, 5)),
        .n_circles = XLENGTH(VECTOR_ELT(layout, 3)), .circles = whole_numbers(VECTOR_ELT(layout, 3), call),
        .block = whole_numbers(VECTOR_ELT(layout, 5), call), .offset = whole_numbers(VECTOR_ELT(layout, 6), call),
        .bases = whole_numbers(VECTOR_ELT(layout, 7), call), .feature = whole_numbers(VECTOR_ELT(layout, 8), call)};
}

/* A matrix (3, features): draws in which the moved feature has a mean, at least as high as `means`, at least as low. */
SEXP bridge_moved_counts(SEXP layout, SEXP means, SEXP draws, SEXP seed, SEXP run, SEXP frame)
{
    assert_layout(layout, means);
    const R_xlen_t n = XLENGTH(means);
    bridge_call call;
    SEXP result = PROTECT(Rf_allocMatrix(REALSXP, 3, (int)n));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    const ng_annotation annotation = annotation_of(layout, &call);
    int64_t *counts = call.error.status ? NULL : ng_alloc(call.run.arena, 3 * n, sizeof *counts, &call.error);
    if (counts) {
        ng_moved_counts(&annotation, REAL(means), (uint64_t)Rf_asReal(seed), (int64_t)Rf_asReal(draws), &call.run, counts, counts + n,
                        counts + 2 * n, &call.error);
        for (R_xlen_t k = 0; k < n; k++)
            for (int row = 0; row < 3; row++) REAL(result)[3 * k + row] = (double)counts[row * n + k];
    }
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}

/* first, set: memberships as in ng_gene_sets. A matrix (6 + 3 * NG_SET_BINS, sets): the set's high and low, draws at least as high and as
 * low, means of high and low over the draws; the set's bins; sums and squares of the draws' bins. */
SEXP bridge_moved_sets(SEXP layout, SEXP means, SEXP first, SEXP set, SEXP sets, SEXP weight, SEXP draws, SEXP seed, SEXP run, SEXP frame)
{
    assert_layout(layout, means);
    const R_xlen_t n = XLENGTH(means), n_sets = (R_xlen_t)Rf_asReal(sets);
    assert_between(first, 0, (double)XLENGTH(set) + 1);
    assert_between(set, 0, (double)n_sets);
    bridge_assert(XLENGTH(first) == n + 1 && REAL(first)[n] == (double)XLENGTH(set));
    enum { ROWS = 6 + 3 * NG_SET_BINS };
    bridge_call call;
    SEXP result = PROTECT(Rf_allocMatrix(REALSXP, ROWS, (int)n_sets));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    const ng_annotation annotation = annotation_of(layout, &call);
    const ng_gene_sets members = {.first = whole_numbers(first, &call), .set = whole_numbers(set, &call),
                                  .features = n, .sets = n_sets, .weight = Rf_asReal(weight)};
    const double many = Rf_asReal(draws);
    void *room = call.error.status ? NULL : ng_alloc(call.run.arena, ng_score_sets_room(&members), 1, &call.error);
    ng_set_score *observed = room ? ng_alloc(call.run.arena, n_sets, sizeof *observed, &call.error) : NULL;
    ng_set_null *null = observed ? ng_alloc(call.run.arena, n_sets, sizeof *null, &call.error) : NULL;
    if (null) {
        ng_score_sets(&members, REAL(means), room, observed);
        ng_moved_sets(&annotation, &members, observed, (uint64_t)Rf_asReal(seed), (int64_t)many, &call.run, null, &call.error);
        for (R_xlen_t k = 0; k < n_sets; k++) {
            double *column = REAL(result) + ROWS * k;
            const double scores[6] = {observed[k].high, observed[k].low, (double)null[k].high, (double)null[k].low,
                                      null[k].sum_high / many, null[k].sum_low / many};
            for (int row = 0; row < 6; row++) column[row] = scores[row];
            for (int bin = 0; bin < NG_SET_BINS; bin++) {
                column[6 + bin] = (double)observed[k].bins[bin];
                column[6 + NG_SET_BINS + bin] = null[k].bins[bin];
                column[6 + 2 * NG_SET_BINS + bin] = null[k].squares[bin];
            }
        }
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
