/* bridge/seism.c: .Call entries of R/seism-core.R, with those of bridge/seism_tests.c. Steps, candidates, sequences and positions
 * are 1-based in R; every matrix is column-major as R has it. m: candidates, n: sequences (rows of the regression), r: covariates with the intercept.
 *
 * Arguments that come again
 *     sequences   list(bases raw: codes 0..3 for A, C, G, T and 4 for all else, one sequence after the other; widths integer)
 *     scoring     list(score integer 0 ridge, 1 hsic; lambda double; norm integer 0 fixed, 1 projected; bandwidth double; both logical)
 *     covariates  double n x r, full column rank, the intercept among them (r = 0 is allowed: nothing is projected out)
 *     design      pointer made by seism_design() or seism_design_matrix()
 *     y           double n, as given or transformed; the core projects and scales it
 *     step        integer j; steps 1..j are selected anew from y
 *     settings    list(test integer 0 selected, 1 global; sigma double, NA if unknown; statistic integer 0 center, 1 best;
 *                      sampler integer 0 slice, 1 line, 2 cube; L integer; stop_after integer, 0: never; key double(2): low and high
 *                      32 bits)
 *     run, frame  as everywhere: run_settings(), environment()
 *
 * Entries and results
 *     seism_activate(sequences, pwms list of 4 x k doubles, bandwidth, both, run, frame)
 *         list(activation double n x p, start integer n x p, strand integer n x p: 1 or -1); of the best window, lowest start first
 *     seism_design(sequences, rows integer or NULL: the sequences that are rows, candidates, scoring, covariates, run, frame)
 *         candidates: list(kind integer 0 kmers, 1 soft, 2 lattice, 3 pwms; k integer; pwms list; min_seqs double;
 *         max_candidates double; mesh integer M)
 *         list(pointer, kmer character m0: consensus, variant integer m0: 0 the k-mer itself, 1.. its soft or lattice variants,
 *              alias integer m0: 0 for a constant activation, own index if kept, else the candidate that stands for it,
 *              cell integer m0, seqs integer m0: rows with an exact match, found double: k-mers before max_candidates)
 *     seism_design_matrix(features double n x m, cells integer m, scoring, covariates, run, frame)
 *         any features; the centre of a cell is its first candidate. list(pointer, alias integer m)
 *     seism_select(design, y, q, run, frame)
 *         list(candidate integer q', counted among those kept, score double (HSIC without (n-1)^-2), rival the best outside, rival_score,
 *              residual double: |P_j y|^2, freedom integer: d_j, centre_norm double: |P_j phi_c|^2, centre_share double: that over
 *              |phi_c|^2, effect double: a_c' P_j y, members integer: candidates in the cell, phi double n x q', pwm list of 4 x k
 *              (NULLs for a matrix design)); q' <= q, fewer if the residual is explained
 *     seism_member(design, y, step, responses double n x s, run, frame)
 *         logical s: is this response in E_j of y
 *     seism_chains(design, y, step, settings, chains integer(2): first and last id, run, frame)
 *         list(statistic double: T of y, null double: T of chains first.., shorter if stop_after exceedances were met,
 *              steps, trials, frozen double: counts, boundary double: distance of y to the boundary)
 *     seism_trace(design, y, step, settings, chain integer: id, or first and last, burn integer, steps integer, run, frame)
 *         list(statistic, trace double steps x chains (a vector for one), trials, frozen); chains in one call share their passes over the
 *         candidates, so that 12 take little longer than one
 *     seism_p_value(null double, statistic, stop_after)      double(3): p, exceedances, draws used
 *     seism_autocorrelation(trace double)                    double: integrated autocorrelation time
 *     seism_closed(design, y, step, sigma (NA: circle), signs logical: condition on the signs of all steps, level, run, frame)
 *         list(p, t0, intervals double 2 x i, confint double(2) for e'mu (NA on the circle), slope double: |eta_j|)
 *     seism_permutations(design, y, settings, proposals integer, chains, run, frame)   as seism_chains(), first step
 *     seism_max_t(design, y, B, key double(2), run, frame)   list(statistic, null double B)
 *     seism_split(y, covariates, phi double n x q)           double 3 x q: F, residual degrees of freedom, p
 *     seism_polish(design, y, step, free logical, run, frame)
 *         list(pwm 4 x k, before, score, iterations)
 * Draws of seism_chains(1..B) are those of 1..b and b+1..B: a long run goes on where it ended. */
#include "bridge/seism.h"
#include <math.h>
#include "core/selective/activation.h"

/* ---- what R gives and gets ---- */

static ng_scoring scoring_of(SEXP list)
{
    bridge_assert(TYPEOF(list) == VECSXP && XLENGTH(list) == 5);
    return (ng_scoring){.score = Rf_asInteger(VECTOR_ELT(list, 0)) == 1 ? NG_HSIC : NG_RIDGE, .lambda = Rf_asReal(VECTOR_ELT(list, 1)),
                        .projected = Rf_asInteger(VECTOR_ELT(list, 2)) == 1, .bandwidth = Rf_asReal(VECTOR_ELT(list, 3)),
                        .both = Rf_asLogical(VECTOR_ELT(list, 4)) == 1};
}

static void assert_sequences(SEXP sequences)
{
    bridge_assert(TYPEOF(sequences) == VECSXP && XLENGTH(sequences) == 2);
    bridge_assert(TYPEOF(VECTOR_ELT(sequences, 0)) == RAWSXP && TYPEOF(VECTOR_ELT(sequences, 1)) == INTSXP);
    double total = 0;
    for (R_xlen_t i = 0; i < XLENGTH(VECTOR_ELT(sequences, 1)); i++) {
        bridge_assert(INTEGER(VECTOR_ELT(sequences, 1))[i] >= 0);
        total += INTEGER(VECTOR_ELT(sequences, 1))[i];
    }
    bridge_assert(total == (double)XLENGTH(VECTOR_ELT(sequences, 0)));
}

/* first is NULL if memory is out. */
static ng_sequences sequences_of(SEXP list, bridge_call *call)
{
    SEXP widths = VECTOR_ELT(list, 1);
    int64_t *first = ng_alloc(call->run.arena, XLENGTH(widths) + 1, sizeof *first, &call->error);
    for (R_xlen_t i = 0; first && i < XLENGTH(widths); i++) first[i + 1] = first[i] + INTEGER(widths)[i];
    return (ng_sequences){RAW(VECTOR_ELT(list, 0)), first, XLENGTH(widths)};
}

static void assert_pwms(SEXP pwms)
{
    bridge_assert(TYPEOF(pwms) == VECSXP);
    for (R_xlen_t l = 0; l < XLENGTH(pwms); l++) {
        const R_xlen_t numbers = XLENGTH(VECTOR_ELT(pwms, l));
        bridge_assert(TYPEOF(VECTOR_ELT(pwms, l)) == REALSXP && numbers % 4 == 0 && numbers >= 4 && numbers <= 4 * NG_LONGEST_KMER);
    }
}

const ng_design *bridge_design(SEXP pointer)
{
    bridge_assert(TYPEOF(pointer) == EXTPTRSXP && R_ExternalPtrAddr(pointer) != NULL);
    return R_ExternalPtrAddr(pointer);
}

void bridge_assert_response(const ng_design *design, SEXP y)
{
    bridge_assert(TYPEOF(y) == REALSXP && XLENGTH(y) == design->n);
}

SEXP bridge_named_list(const char *const *names, int count)
{
    SEXP list = PROTECT(Rf_allocVector(VECSXP, count)), words = PROTECT(Rf_allocVector(STRSXP, count));
    for (int i = 0; i < count; i++) SET_STRING_ELT(words, i, Rf_mkChar(names[i]));
    Rf_setAttrib(list, R_NamesSymbol, words);
    UNPROTECT(2);
    return list;
}

SEXP bridge_put(SEXP list, int i, SEXPTYPE type, R_xlen_t length)
{
    SET_VECTOR_ELT(list, i, Rf_allocVector(type, length));
    return VECTOR_ELT(list, i);
}

void bridge_put_number(SEXP list, int i, double number) { REAL(bridge_put(list, i, REALSXP, 1))[0] = number; }

double *bridge_put_matrix(SEXP list, int i, R_xlen_t rows, R_xlen_t columns)
{
    SET_VECTOR_ELT(list, i, Rf_allocMatrix(REALSXP, (int)rows, (int)columns));
    return REAL(VECTOR_ELT(list, i));
}

/* ---- motifs in sequences ---- */

SEXP bridge_seism_activate(SEXP sequences, SEXP pwms, SEXP bandwidth, SEXP both, SEXP run, SEXP frame)
{
    assert_sequences(sequences);
    assert_pwms(pwms);
    const R_xlen_t n = XLENGTH(VECTOR_ELT(sequences, 1)), p = XLENGTH(pwms);
    bridge_call call;
    SEXP result = PROTECT(NAMED("activation", "start", "strand"));
    double *activation = bridge_put_matrix(result, 0, n, p);
    for (int i = 1; i <= 2; i++) SET_VECTOR_ELT(result, i, Rf_allocMatrix(INTSXP, (int)n, (int)p));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    const ng_sequences all = sequences_of(sequences, &call);
    int32_t *start = ng_alloc(call.run.arena, n, sizeof *start, &call.error);
    int8_t *strand = ng_alloc(call.run.arena, n, sizeof *strand, &call.error);
    ng_kmer_windows windows = {0};
    for (R_xlen_t l = 0; all.first && start && strand && l < p; l++) {
        const int k = (int)XLENGTH(VECTOR_ELT(pwms, l)) / 4;
        if (windows.k != k && ng_kmer_windows_of(&all, k, call.run.arena, &windows, &call.error)) break;
        ng_seism_activate(&windows, REAL(VECTOR_ELT(pwms, l)), Rf_asReal(bandwidth), Rf_asLogical(both) == 1, activation + l * n, start, strand);
        for (R_xlen_t i = 0; i < n; i++) {
            INTEGER(VECTOR_ELT(result, 1))[l * n + i] = start[i] + 1;
            INTEGER(VECTOR_ELT(result, 2))[l * n + i] = strand[i];
        }
        if (ng_poll(&call.run, (double)(l + 1) / (double)p, &call.error)) break;
    }
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}

/* ---- designs ---- */

static void free_design(SEXP pointer)
{
    ng_design *design = R_ExternalPtrAddr(pointer);
    R_ClearExternalPtr(pointer);
    if (design) ng_arena_free(design->arena);
}

/* An empty design in an arena of its own, which its pointer owns. */
static SEXP new_design(SEXP run)
{
    SEXP pointer = PROTECT(R_MakeExternalPtr(NULL, R_NilValue, R_NilValue));
    R_RegisterCFinalizerEx(pointer, free_design, TRUE);
    ng_arena *arena = ng_arena_new((int64_t)Rf_asReal(VECTOR_ELT(run, 1)));
    ng_error error;
    ng_design *design = arena ? ng_alloc(arena, 1, sizeof *design, &error) : NULL;
    if (!design) {
        ng_arena_free(arena);
        Rf_error("the system has no memory left");
    }
    design->arena = arena;
    R_SetExternalPtrAddr(pointer, design);
    UNPROTECT(1);
    return pointer;
}

static void motif_text(const ng_motif *motif, char text[NG_LONGEST_KMER + 1])
{
    for (int i = 0; i < motif->k; i++) text[i] = "ACGT"[motif->kmer >> 2 * (motif->k - 1 - i) & 3];
    text[motif->k] = 0;
}

/* How many rows hold the motif itself: distance 0 of a k-mer, else NA. */
static int exact_rows(const ng_design *design, int64_t l)
{
    if (!design->features.bytes) return NA_INTEGER;
    int count = 0;
    for (int64_t i = 0; i < design->n; i++) count += design->features.bytes[l * design->n + i] == 0;
    return count;
}

/* The call's arena must outlive this: what R allocates here may jump, and then R's collector frees it. */
static SEXP census_list(SEXP pointer, const ng_design *design, const ng_census *census)
{
    const int64_t m0 = census->m0;
    SEXP result = PROTECT(NAMED("pointer", "kmer", "variant", "alias", "cell", "seqs", "found"));
    SET_VECTOR_ELT(result, 0, pointer);
    SEXP kmer = bridge_put(result, 1, STRSXP, m0);
    int *variant = INTEGER(bridge_put(result, 2, INTSXP, m0)), *alias = INTEGER(bridge_put(result, 3, INTSXP, m0));
    int *cell = INTEGER(bridge_put(result, 4, INTSXP, m0)), *seqs = INTEGER(bridge_put(result, 5, INTSXP, m0));
    bridge_put_number(result, 6, census->found);
    for (int64_t l = 0; l < m0; l++) {
        char text[NG_LONGEST_KMER + 1];
        motif_text(&census->motifs[l], text);
        SET_STRING_ELT(kmer, l, Rf_mkChar(text));
        variant[l] = census->motifs[l].variant;
        alias[l] = (int)census->alias[l] + 1;
        cell[l] = seqs[l] = NA_INTEGER;
    }
    for (int64_t l = 0; l < design->m; l++) {
        cell[census->kept[l]] = (int)design->cell[l] + 1;
        seqs[census->kept[l]] = exact_rows(design, l);
    }
    UNPROTECT(1);
    return result;
}

SEXP bridge_seism_design(SEXP sequences, SEXP rows, SEXP candidates, SEXP scoring, SEXP covariates, SEXP run, SEXP frame)
{
    assert_sequences(sequences);
    const R_xlen_t all = XLENGTH(VECTOR_ELT(sequences, 1)), n = rows == R_NilValue ? all : XLENGTH(rows);
    bridge_assert(rows == R_NilValue || TYPEOF(rows) == INTSXP);
    for (R_xlen_t i = 0; rows != R_NilValue && i < n; i++) bridge_assert(INTEGER(rows)[i] >= 1 && INTEGER(rows)[i] <= all);
    bridge_assert(TYPEOF(candidates) == VECSXP && XLENGTH(candidates) == 6 && TYPEOF(VECTOR_ELT(candidates, 1)) == INTSXP);
    SEXP k = VECTOR_ELT(candidates, 1), pwms = VECTOR_ELT(candidates, 2);
    bridge_assert(TYPEOF(covariates) == REALSXP && n > 0 && XLENGTH(covariates) % n == 0);
    for (R_xlen_t i = 0; i < XLENGTH(k); i++) bridge_assert(INTEGER(k)[i] >= 2 && INTEGER(k)[i] <= NG_LONGEST_KMER);
    assert_pwms(pwms);
    for (R_xlen_t l = 0; l < XLENGTH(pwms); l++) {
        bool listed = false;
        for (R_xlen_t i = 0; i < XLENGTH(k); i++) listed = listed || 4 * (R_xlen_t)INTEGER(k)[i] == XLENGTH(VECTOR_ELT(pwms, l));
        bridge_assert(listed);
    }
    bridge_call call;
    SEXP pointer = PROTECT(new_design(run)), owner = PROTECT(bridge_begin(&call, run, frame)), result = R_NilValue;
    ng_design *design = R_ExternalPtrAddr(pointer);
    ng_census census = {0};
    ng_arena *arena = call.run.arena;
    const ng_sequences found = sequences_of(sequences, &call);
    int64_t *here = ng_alloc(arena, n, sizeof *here, &call.error);
    const double **numbers = ng_alloc(arena, XLENGTH(pwms), sizeof *numbers, &call.error);
    int *widths = ng_alloc(arena, XLENGTH(pwms), sizeof *widths, &call.error);
    if (found.first && here && numbers && widths) {
        for (R_xlen_t i = 0; i < n; i++) here[i] = rows == R_NilValue ? i : INTEGER(rows)[i] - 1;
        for (R_xlen_t l = 0; l < XLENGTH(pwms); l++) {
            numbers[l] = REAL(VECTOR_ELT(pwms, l));
            widths[l] = (int)XLENGTH(VECTOR_ELT(pwms, l)) / 4;
        }
        const ng_proposal proposal = {.kind = (ng_candidate_kind)Rf_asInteger(VECTOR_ELT(candidates, 0)), .k = INTEGER(k),
                                      .widths = (int)XLENGTH(k), .pwms = numbers, .pwm_k = widths, .pwm_count = XLENGTH(pwms),
                                      .min_seqs = Rf_asReal(VECTOR_ELT(candidates, 3)),
                                      .max_candidates = Rf_asReal(VECTOR_ELT(candidates, 4)), .mesh = Rf_asInteger(VECTOR_ELT(candidates, 5))};
        const ng_scoring how = scoring_of(scoring);
        if (ng_seism_design(&found, here, n, &proposal, &how, REAL(covariates), XLENGTH(covariates) / n, &call.run, design, &census,
                            &call.error) == NG_OK)
            result = census_list(pointer, design, &census);
    }
    PROTECT(result);
    bridge_end(&call, owner);
    UNPROTECT(3);
    return result;
}

SEXP bridge_seism_design_matrix(SEXP features, SEXP cells, SEXP scoring, SEXP covariates, SEXP run, SEXP frame)
{
    bridge_assert(TYPEOF(features) == REALSXP && TYPEOF(cells) == INTSXP && XLENGTH(cells) > 0);
    const R_xlen_t m = XLENGTH(cells), n = XLENGTH(features) / m;
    bridge_assert(n * m == XLENGTH(features) && TYPEOF(covariates) == REALSXP && XLENGTH(covariates) % n == 0);
    for (R_xlen_t l = 0; l < m; l++) bridge_assert(INTEGER(cells)[l] >= 1 && INTEGER(cells)[l] <= m);
    bridge_call call;
    SEXP pointer = PROTECT(new_design(run)), result = PROTECT(NAMED("pointer", "alias"));
    int *alias = INTEGER(bridge_put(result, 1, INTSXP, m));
    SET_VECTOR_ELT(result, 0, pointer);
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    ng_design *design = R_ExternalPtrAddr(pointer);
    ng_census census = {0};
    const ng_scoring how = scoring_of(scoring);
    int32_t *cell = ng_alloc(call.run.arena, m, sizeof *cell, &call.error);
    if (cell) {
        for (R_xlen_t l = 0; l < m; l++) cell[l] = INTEGER(cells)[l] - 1;
        if (ng_seism_matrix_design(REAL(features), m, n, cell, &how, REAL(covariates), XLENGTH(covariates) / n, &call.run, design, &census,
                                   &call.error) == NG_OK)
            for (R_xlen_t l = 0; l < m; l++) alias[l] = (int)census.alias[l] + 1;
    }
    bridge_end(&call, owner);
    UNPROTECT(3);
    return result;
}

/* ---- selection ---- */

/* Copies what R needs of a path: more than core structs may keep, as the call's memory ends with it. */
static SEXP path_list(const ng_design *design, const ng_greedy_path *path)
{
    const int q = path->steps;
    const double scale2 = path->scale * path->scale, sign = path->scale < 0 ? -1 : 1;
    SEXP result = PROTECT(NAMED("candidate", "score", "rival", "rival_score", "residual", "freedom", "centre_norm", "centre_share", "effect",
                                "members", "phi", "pwm"));
    int *candidate = INTEGER(bridge_put(result, 0, INTSXP, q)), *rival = INTEGER(bridge_put(result, 2, INTSXP, q));
    int *freedom = INTEGER(bridge_put(result, 5, INTSXP, q)), *members = INTEGER(bridge_put(result, 9, INTSXP, q));
    double *score = REAL(bridge_put(result, 1, REALSXP, q)), *rival_score = REAL(bridge_put(result, 3, REALSXP, q));
    double *residual = REAL(bridge_put(result, 4, REALSXP, q)), *norm = REAL(bridge_put(result, 6, REALSXP, q));
    double *share = REAL(bridge_put(result, 7, REALSXP, q)), *effect = REAL(bridge_put(result, 8, REALSXP, q));
    double *phi = bridge_put_matrix(result, 10, design->n, q);
    bridge_put(result, 11, VECSXP, q);
    for (int s = 0; s < q; s++) {
        const ng_choice *step = &path->step[s];
        candidate[s] = (int)step->candidate + 1;
        rival[s] = step->rival < 0 ? NA_INTEGER : (int)step->rival + 1;
        score[s] = step->score * scale2;
        rival_score[s] = step->rival_score * scale2;
        residual[s] = step->residual2 * scale2;
        freedom[s] = (int)step->freedom;
        norm[s] = step->centre2;
        share[s] = step->centre_share;
        effect[s] = step->effect * sign * fabs(path->scale);
        members[s] = 0;
        for (int64_t l = 0; l < design->m; l++) members[s] += path->rank[l] == s;
        for (int64_t i = 0; i < design->n; i++) phi[s * design->n + i] = ng_feature(&design->features, step->centre, i);
        if (!design->motifs) continue;
        SET_VECTOR_ELT(VECTOR_ELT(result, 11), s, Rf_allocMatrix(REALSXP, 4, design->motifs[step->candidate].k));
        ng_centre_pwm(design, step->candidate, REAL(VECTOR_ELT(VECTOR_ELT(result, 11), s)));
    }
    UNPROTECT(1);
    return result;
}

SEXP bridge_seism_select(SEXP design, SEXP y, SEXP q, SEXP run, SEXP frame)
{
    const ng_design *made = bridge_design(design);
    bridge_assert_response(made, y);
    bridge_call call;
    ng_greedy_path path;
    SEXP result = R_NilValue, owner = PROTECT(bridge_begin(&call, run, frame));
    if (ng_seism_select(made, REAL(y), NAN, Rf_asInteger(q), &call.run, &path, &call.error) == NG_OK) result = path_list(made, &path);
    PROTECT(result);
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}
