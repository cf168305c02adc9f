/* bridge/motif_simulation.c: .Call entries of R/simulate-motifs.R. A recipe is the list that check_recipe() makes there; motifs and
 * sequences are 1-based in R. */
#include "bridge/seism.h"
#include <string.h>
#include "bridge/motifs.h"

/* The element of a list that has this name. */
SEXP bridge_element(SEXP list, const char *name)
{
    SEXP names = Rf_getAttrib(list, R_NamesSymbol);
    for (R_xlen_t i = 0; i < XLENGTH(list); i++)
        if (!strcmp(CHAR(STRING_ELT(names, i)), name)) return VECTOR_ELT(list, i);
    Rf_error("internal error: a list has no element %s; please report it", name);
}

static ng_class class_of(SEXP configurations, bridge_call *call)
{
    const int64_t count = Rf_xlength(configurations);               /* NULL: background only */
    ng_configuration *all = ng_alloc(call->run.arena, count, sizeof *all, &call->error);
    for (int64_t i = 0; all && i < count; i++) {
        SEXP one = VECTOR_ELT(configurations, i), matrix = bridge_element(one, "parts");
        const int64_t parts = XLENGTH(matrix) / 3;
        ng_grammar_part *part = ng_alloc(call->run.arena, parts, sizeof *part, &call->error);
        for (int64_t p = 0; part && p < parts; p++)
            part[p] = (ng_grammar_part){(int)REAL(matrix)[3 * p] - 1, (int64_t)REAL(matrix)[3 * p + 1], (int64_t)REAL(matrix)[3 * p + 2]};
        all[i] = (ng_configuration){Rf_asReal(bridge_element(one, "probability")), part, parts};
    }
    return (ng_class){all, count};
}

ng_grammar bridge_grammar(SEXP recipe, bridge_call *call)
{
    SEXP pfm = bridge_element(recipe, "pfm"), classes = bridge_element(recipe, "classes");
    const char *place = CHAR(STRING_ELT(bridge_element(recipe, "place"), 0)), *strand = CHAR(STRING_ELT(bridge_element(recipe, "strand"), 0));
    ng_grammar grammar = {
        .length = (int64_t)Rf_asReal(bridge_element(recipe, "length")), .motifs = (int)XLENGTH(pfm),
        .share = Rf_asReal(bridge_element(recipe, "share")), .jitter = (int64_t)Rf_asReal(bridge_element(recipe, "jitter")),
        .copies = (int64_t)Rf_asReal(bridge_element(recipe, "copies")), .period = (int64_t)Rf_asReal(bridge_element(recipe, "period")),
        .place = !strcmp(place, "centre") ? NG_CENTRE : !strcmp(place, "uniform") ? NG_UNIFORM : NG_PERIODIC,
        .both = !strcmp(strand, "both"), .reject = Rf_asReal(bridge_element(recipe, "reject")),
        .negative = class_of(VECTOR_ELT(classes, 0), call), .positive = class_of(VECTOR_ELT(classes, 1), call)};
    memcpy(grammar.background, REAL(bridge_element(recipe, "background")), sizeof grammar.background);
    const double **matrices = ng_alloc(call->run.arena, grammar.motifs, sizeof *matrices, &call->error);
    int64_t *width = ng_alloc(call->run.arena, grammar.motifs, sizeof *width, &call->error);
    for (int m = 0; matrices && width && m < grammar.motifs; m++) {
        matrices[m] = REAL(VECTOR_ELT(pfm, m));                       /* 4 x k by columns is k x 4 by rows */
        width[m] = XLENGTH(VECTOR_ELT(pfm, m)) / 4;
    }
    grammar.pfm = matrices;
    grammar.width = width;
    return grammar;
}

uint64_t bridge_key(SEXP words)
{
    bridge_assert(TYPEOF(words) == REALSXP && XLENGTH(words) == 2);
    return (uint64_t)REAL(words)[1] << 32 | (uint64_t)REAL(words)[0];
}

/* list(codes raw, sequence by sequence; positive logical; list(sequence, motif, start, end, strand 1 or 2)). */
SEXP bridge_motif_simulate(SEXP recipe, SEXP key, SEXP lane, SEXP first, SEXP n, SEXP run, SEXP frame)
{
    const int64_t count = (int64_t)Rf_asReal(n), from = (int64_t)Rf_asReal(first), length = (int64_t)Rf_asReal(bridge_element(recipe, "length"));
    bridge_call call;
    SEXP result = PROTECT(Rf_allocVector(VECSXP, 3)), owner;
    bridge_put(result, 0, RAWSXP, count * length);
    int *positive = LOGICAL(bridge_put(result, 1, LGLSXP, count));
    PROTECT(owner = bridge_begin(&call, run, frame));
    const ng_grammar grammar = bridge_grammar(recipe, &call);
    ng_site *sites = NULL;
    int64_t *counts = NULL, most = 0, total = 0;
    if (call.error.status == NG_OK) {
        most = ng_grammar_most_sites(&grammar);
        sites = ng_alloc(call.run.arena, count * most, sizeof *sites, &call.error);
        counts = ng_alloc(call.run.arena, count, sizeof *counts, &call.error);
    }
    if (sites && counts)
        ng_grammar_simulate(&grammar, bridge_key(key), (uint32_t)Rf_asInteger(lane), from, count, &call.run, RAW(VECTOR_ELT(result, 0)),
                            sites, counts, &call.error);
    if (call.error.status == NG_OK) {
        for (int64_t i = 0; i < count; i++) {
            positive[i] = ng_grammar_positive(&grammar, from + i);
            total += counts[i];
        }
        SEXP table = bridge_put(result, 2, VECSXP, 5);
        int *column[5];
        for (int k = 0; k < 5; k++) column[k] = INTEGER(bridge_put(table, k, INTSXP, total));
        for (int64_t i = 0, row = 0; i < count; i++)
            for (int64_t s = 0; s < counts[i]; s++, row++) {
                const ng_site *site = &sites[i * most + s];
                column[0][row] = (int)i + 1;
                column[1][row] = site->motif + 1;
                column[2][row] = (int)site->start + 1;
                column[3][row] = (int)site->end;
                column[4][row] = site->reverse ? 2 : 1;
            }
    }
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}

SEXP bridge_motif_bayes(SEXP recipe, SEXP codes, SEXP run, SEXP frame)
{
    const int64_t n = XLENGTH(codes) / (int64_t)Rf_asReal(bridge_element(recipe, "length"));
    bridge_call call;
    SEXP score = PROTECT(Rf_allocVector(REALSXP, n)), owner = PROTECT(bridge_begin(&call, run, frame));
    const ng_grammar grammar = bridge_grammar(recipe, &call);
    if (call.error.status == NG_OK) ng_grammar_bayes(&grammar, RAW(codes), n, &call.run, REAL(score), &call.error);
    bridge_end(&call, owner);
    UNPROTECT(2);
    return score;
}
