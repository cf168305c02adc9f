/* bridge/shuffle.c: .Call entries of R/baseline.R and R/shuffle.R: sequences drawn in the place of others. */
#include "bridge/bridge.h"
#include "core/attribution/shuffle.h"

static uint64_t key_of(SEXP seed, SEXP name)
{
    bridge_assert(Rf_asReal(seed) >= 0 && TYPEOF(name) == STRSXP && XLENGTH(name) == 1);
    return ng_draw_key((uint64_t)Rf_asReal(seed), CHAR(STRING_ELT(name, 0)));
}

static int64_t *whole_numbers(SEXP numbers, double less, bridge_call *call)
{
    int64_t *whole = ng_alloc(call->run.arena, XLENGTH(numbers), sizeof *whole, &call->error);
    for (R_xlen_t i = 0; whole && i < XLENGTH(numbers); i++) whole[i] = (int64_t)(REAL(numbers)[i] - less);
    return whole;
}

/* list(bases of all pieces one after the other, how many were shuffled by positions since they are their only shuffle). */
SEXP bridge_shuffle(SEXP bases, SEXP starts, SEXP widths, SEXP places, SEXP dinucleotides, SEXP seed, SEXP replicate, SEXP name, SEXP run,
                    SEXP frame)
{
    const R_xlen_t n = XLENGTH(starts);
    double total = 0;
    bridge_assert(TYPEOF(bases) == RAWSXP && TYPEOF(starts) == REALSXP && TYPEOF(widths) == REALSXP && TYPEOF(places) == REALSXP);
    bridge_assert(XLENGTH(widths) == n && XLENGTH(places) == n);
    for (R_xlen_t i = 0; i < n; i++) {
        bridge_assert(REAL(starts)[i] >= 1 && REAL(widths)[i] >= 0 && REAL(widths)[i] <= (double)XLENGTH(bases));
        bridge_assert(REAL(starts)[i] <= (double)XLENGTH(bases) || REAL(widths)[i] == 0);
        total += REAL(widths)[i];
    }
    const uint64_t key = key_of(seed, name);
    SEXP result = PROTECT(Rf_allocVector(VECSXP, 2));
    SET_VECTOR_ELT(result, 0, Rf_allocVector(RAWSXP, (R_xlen_t)total));
    SET_VECTOR_ELT(result, 1, Rf_ScalarReal(0));
    bridge_call call;
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    const int64_t *from = whole_numbers(starts, 1, &call), *wide = whole_numbers(widths, 0, &call), *place = whole_numbers(places, 0, &call);
    if (from && wide && place) {
        const ng_pieces pieces = {RAW(bases), XLENGTH(bases), n, from, wide};
        int64_t alone = 0;
        ng_shuffle_pieces(&pieces, Rf_asLogical(dinucleotides), key, (uint32_t)Rf_asReal(replicate), place, RAW(VECTOR_ELT(result, 0)), &alone,
                          &call.run, &call.error);
        REAL(VECTOR_ELT(result, 1))[0] = (double)alone;
    }
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}

/* One chain of `width` bases for each place, one after the other. */
SEXP bridge_markov(SEXP counts, SEXP order, SEXP places, SEXP width, SEXP seed, SEXP replicate, SEXP name)
{
    const int64_t each = (int64_t)Rf_asReal(width);
    const int letters = Rf_asInteger(order);
    bridge_assert(letters >= 0 && letters <= 12 && TYPEOF(counts) == REALSXP && XLENGTH(counts) == (R_xlen_t)4 << (2 * letters));
    bridge_assert(TYPEOF(places) == REALSXP && each >= 1);
    const uint64_t key = key_of(seed, name);
    SEXP result = PROTECT(Rf_allocVector(RAWSXP, (R_xlen_t)((double)each * (double)XLENGTH(places))));
    for (R_xlen_t i = 0; i < XLENGTH(places); i++) {
        const ng_draw draw = {key, (uint64_t)REAL(places)[i], (uint32_t)Rf_asReal(replicate)};
        ng_markov_bases(REAL(counts), letters, each, draw, RAW(result) + i * each);
    }
    UNPROTECT(1);
    return result;
}

SEXP bridge_mutate(SEXP bases, SEXP rate, SEXP seed, SEXP replicate, SEXP name)
{
    bridge_assert(TYPEOF(bases) == RAWSXP);
    const uint64_t key = key_of(seed, name);
    SEXP result = PROTECT(Rf_allocVector(RAWSXP, XLENGTH(bases)));
    ng_mutate_bases(RAW(bases), XLENGTH(bases), Rf_asReal(rate), key, (uint32_t)Rf_asReal(replicate), RAW(result));
    UNPROTECT(1);
    return result;
}

/* One whole number in [0, limit) for each place. */
SEXP bridge_draw_below(SEXP places, SEXP limit, SEXP seed, SEXP replicate, SEXP name)
{
    bridge_assert(TYPEOF(places) == REALSXP && Rf_asReal(limit) >= 1);
    const uint64_t key = key_of(seed, name);
    SEXP result = PROTECT(Rf_allocVector(REALSXP, XLENGTH(places)));
    for (R_xlen_t i = 0; i < XLENGTH(places); i++) {
        ng_dice dice = ng_dice_of((ng_draw){key, (uint64_t)REAL(places)[i], (uint32_t)Rf_asReal(replicate)});
        REAL(result)[i] = (double)ng_roll(&dice, (int64_t)Rf_asReal(limit));
    }
    UNPROTECT(1);
    return result;
}
