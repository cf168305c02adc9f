/* bridge/what_if.c: the .Call entry of R/what-if.R. */
#include "bridge/bridge.h"
#include "core/attribution/what_if.h"

/* Rows of the matrix of sites, one column a site; codes_at: where its codes begin, from 0, or negative: the baseline. */
enum { WINDOW, FIRST, WIDTH, VARIANTS, CODES_AT, SITE_ROWS };

static void assert_sites(SEXP bases, SEXP starts, SEXP sites, SEXP codes, double *variants)
{
    const double length = (double)XLENGTH(bases);
    bridge_assert(TYPEOF(sites) == REALSXP && XLENGTH(sites) % SITE_ROWS == 0 && TYPEOF(codes) == RAWSXP);
    *variants = 0;
    for (R_xlen_t s = 0; s < XLENGTH(sites); s += SITE_ROWS) {
        const double *site = REAL(sites) + s;
        bridge_assert(site[WINDOW] >= 1 && site[WINDOW] <= (double)XLENGTH(starts) && (s == 0 || site[WINDOW] >= site[WINDOW - SITE_ROWS]));
        bridge_assert(site[FIRST] >= 1 && site[FIRST] <= length && site[WIDTH] >= 1 && site[WIDTH] <= length && site[VARIANTS] >= 1);
        bridge_assert(site[CODES_AT] < 0 ? site[VARIANTS] == 1
                                         : site[CODES_AT] + site[WIDTH] * site[VARIANTS] <= (double)XLENGTH(codes));
        *variants += site[VARIANTS];
    }
}

static ng_change *make_sites(SEXP sites, SEXP codes, bridge_call *call)
{
    const R_xlen_t count = XLENGTH(sites) / SITE_ROWS;
    ng_change *made = ng_alloc(call->run.arena, count, sizeof *made, &call->error);
    for (R_xlen_t s = 0; made && s < count; s++) {
        const double *site = REAL(sites) + s * SITE_ROWS;
        made[s] = (ng_change){(int64_t)site[WINDOW] - 1, (int64_t)site[FIRST] - 1, (int64_t)site[WIDTH],
                            site[CODES_AT] < 0 ? NULL : RAW(codes) + (R_xlen_t)site[CODES_AT], (int64_t)site[VARIANTS]};
    }
    return made;
}

static ng_contig *make_contig(SEXP bases, SEXP starts, SEXP window, SEXP baseline, bridge_call *call)
{
    ng_contig *contig = ng_alloc(call->run.arena, 1, sizeof *contig, &call->error);
    int64_t *from = contig ? ng_alloc(call->run.arena, XLENGTH(starts), sizeof *from, &call->error) : NULL;
    float *row = from ? bridge_floats(baseline, call) : NULL;
    if (!row) return NULL;
    for (R_xlen_t w = 0; w < XLENGTH(starts); w++) from[w] = (int64_t)REAL(starts)[w] - 1;
    *contig = (ng_contig){.bases = RAW(bases), .length = XLENGTH(bases), .window = (int64_t)Rf_asReal(window), .starts = from, .baseline = row};
    return contig;
}

/* list(values of the windows, values of the changes, c(operations, those of a window)). */
SEXP bridge_what_if(SEXP model, SEXP wanted, SEXP cotangents, SEXP bases, SEXP starts, SEXP window, SEXP baseline, SEXP sites, SEXP codes,
                    SEXP run, SEXP frame)
{
    double variants;
    bridge_assert(bridge_graph(model)->input_count == 1 && TYPEOF(wanted) == INTSXP && XLENGTH(cotangents) == XLENGTH(wanted));
    bridge_assert(TYPEOF(bases) == RAWSXP && XLENGTH(bases) > 0 && TYPEOF(starts) == REALSXP && XLENGTH(baseline) == 4);
    bridge_assert(Rf_asReal(window) >= 1 && Rf_asReal(window) <= (double)XLENGTH(bases));
    for (R_xlen_t w = 0; w < XLENGTH(starts); w++) bridge_assert(REAL(starts)[w] >= 1 && REAL(starts)[w] <= (double)XLENGTH(bases));
    assert_sites(bases, starts, sites, codes, &variants);
    bridge_call call;
    const int goals = (int)XLENGTH(wanted);
    SEXP result = PROTECT(Rf_allocVector(VECSXP, 3));
    SET_VECTOR_ELT(result, 0, Rf_allocVector(REALSXP, XLENGTH(starts)));
    SET_VECTOR_ELT(result, 1, Rf_allocVector(REALSXP, (R_xlen_t)variants));
    SET_VECTOR_ELT(result, 2, Rf_allocVector(REALSXP, 2));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    bridge_use_store(&call, model);
    ng_arena *arena = call.run.arena;
    int *calls = ng_alloc(arena, goals, sizeof *calls, &call.error);
    const float **cotangent = calls ? ng_alloc(arena, goals, sizeof *cotangent, &call.error) : NULL;
    bool ready = cotangent != NULL;
    for (int w = 0; ready && w < goals; w++) {
        calls[w] = INTEGER(wanted)[w] - 1;
        ready = (cotangent[w] = bridge_floats(VECTOR_ELT(cotangents, w), &call)) != NULL;
    }
    const ng_contig *contig = ready ? make_contig(bases, starts, window, baseline, &call) : NULL;
    const ng_change *changes = contig ? make_sites(sites, codes, &call) : NULL;
    if (changes) {
        ng_answers answers = {REAL(VECTOR_ELT(result, 0)), REAL(VECTOR_ELT(result, 1)), 0, 0};
        ng_what_if(bridge_graph(model), calls, goals, cotangent, contig, XLENGTH(starts), changes, XLENGTH(sites) / SITE_ROWS, &call.run,
                   &answers, &call.error);
        REAL(VECTOR_ELT(result, 2))[0] = answers.operations;
        REAL(VECTOR_ELT(result, 2))[1] = answers.window_operations;
    }
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}
