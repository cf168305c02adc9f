/* bridge/seism_tests.c: .Call entries of R/seism-core.R that test what was selected; arguments and results are described in bridge/seism.c. */
#include "bridge/seism.h"
#include <math.h>
#include <string.h>
#include "core/selective/closed_form.h"
#include "core/selective/max_t.h"
#include "core/selective/p_value.h"
#include "core/selective/polish.h"
#include "core/selective/walk.h"

typedef struct settings {
    bool global, known, best;
    double sigma;
    int sampler, L;
    int64_t stop_after;
    uint64_t key;
} settings;

static uint64_t key_of(SEXP words)
{
    bridge_assert(TYPEOF(words) == REALSXP && XLENGTH(words) == 2);
    return (uint64_t)(uint32_t)REAL(words)[0] | (uint64_t)(uint32_t)REAL(words)[1] << 32;
}

static settings settings_of(SEXP list)
{
    bridge_assert(TYPEOF(list) == VECSXP && XLENGTH(list) == 7);
    const double sigma = Rf_asReal(VECTOR_ELT(list, 1));
    return (settings){.global = Rf_asInteger(VECTOR_ELT(list, 0)) == 1, .known = !ISNAN(sigma), .sigma = ISNAN(sigma) ? NAN : sigma,
                      .best = Rf_asInteger(VECTOR_ELT(list, 2)) == 1, .sampler = Rf_asInteger(VECTOR_ELT(list, 3)),
                      .L = Rf_asInteger(VECTOR_ELT(list, 4)), .stop_after = Rf_asInteger(VECTOR_ELT(list, 5)),
                      .key = key_of(VECTOR_ELT(list, 6))};
}

/* Selects steps 1..j anew and makes the event of step j. */
static ng_status make_event(const ng_design *design, SEXP y, int j, double sigma, bool global, bool best, bridge_call *call, ng_greedy_path *path,
                            ng_event *event)
{
    if (ng_seism_select(design, REAL(y), sigma, j, &call->run, path, &call->error)) return call->error.status;
    if (path->steps < j) return ng_fail(&call->error, NG_BAD_INPUT, NULL, "only %d motifs can be selected; there is no step %d", path->steps, j);
    return ng_seism_event(design, path, j, global, best, &call->run, event, &call->error);
}

SEXP bridge_seism_member(SEXP design, SEXP y, SEXP step, SEXP responses, SEXP run, SEXP frame)
{
    const ng_design *made = bridge_design(design);
    bridge_assert_response(made, y);
    bridge_assert(TYPEOF(responses) == REALSXP && XLENGTH(responses) % made->n == 0);
    const R_xlen_t count = XLENGTH(responses) / made->n;
    bridge_call call;
    ng_greedy_path path;
    ng_event event;
    SEXP result = PROTECT(Rf_allocVector(LGLSXP, count)), owner = PROTECT(bridge_begin(&call, run, frame));
    const int j = Rf_asInteger(step);
    double *room = ng_alloc(call.run.arena, made->m + 2 * made->n + j, sizeof *room, &call.error);
    if (room && make_event(made, y, j, NAN, false, false, &call, &path, &event) == NG_OK) {
        double *here = room + made->m, *z = here + made->n, *c = z + made->n;
        for (R_xlen_t s = 0; s < count; s++) {
            for (int64_t i = 0; i < made->n; i++) here[i] = REAL(responses)[s * made->n + i] / path.scale;
            ng_project(made->basis, made->covariates, made->n, here);
            ng_event_state(&event, here, z, c);
            LOGICAL(result)[s] = ng_event_holds(&event, z, c, true, call.run.threads, room);
        }
    }
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}

/* ---- chains ---- */

static ng_status draw_chains(const ng_event *event, const settings *how, int64_t first, int64_t last, ng_run *run, double *draws,
                             int64_t *drawn, ng_effort *effort, ng_error *error)
{
    if (how->sampler)
        return ng_walk_chains(event, how->sampler == 1 ? NG_LINE : NG_CUBE, how->key, how->L, first, last, how->stop_after, run, draws, drawn,
                              effort, error);
    ng_sampler sampler;
    ng_event reduced;
    int64_t residual = 0;
    const bool few = 4 * event->design->features.m < event->design->n;
    if (few && ng_reduced_event(event, how->known, run, &reduced, &residual, error)) return error->status;
    if (ng_sampler_new(few ? &reduced : event, how->known, how->key, run, &sampler, error)) return error->status;
    sampler.residual_freedom = residual;
    return ng_seism_chains(&sampler, how->L, first, last, how->stop_after, run, draws, drawn, effort, error);
}

static SEXP draws_list(double statistic, const double *draws, int64_t drawn, double scale, const ng_effort *effort, double margin)
{
    SEXP result = PROTECT(NAMED("statistic", "null", "steps", "trials", "frozen", "boundary"));
    bridge_put_number(result, 0, statistic * scale * scale);
    double *null = REAL(bridge_put(result, 1, REALSXP, drawn));
    for (int64_t b = 0; b < drawn; b++) null[b] = draws[b] * scale * scale;
    bridge_put_number(result, 2, effort->steps);
    bridge_put_number(result, 3, effort->trials);
    bridge_put_number(result, 4, effort->frozen);
    bridge_put_number(result, 5, margin);
    UNPROTECT(1);
    return result;
}

/* Chains of the first step's permutations if `permute`, else of what the settings say. */
static SEXP run_chains(SEXP design, SEXP y, int j, settings how, bool permute, SEXP chains, SEXP run, SEXP frame)
{
    const ng_design *made = bridge_design(design);
    bridge_assert_response(made, y);
    bridge_assert(TYPEOF(chains) == INTSXP && XLENGTH(chains) == 2 && INTEGER(chains)[0] >= 1 && INTEGER(chains)[1] >= INTEGER(chains)[0]);
    const int64_t first = INTEGER(chains)[0], last = INTEGER(chains)[1];
    bridge_call call;
    ng_greedy_path path;
    ng_event event;
    ng_effort effort = {0};
    int64_t drawn = 0;
    SEXP result = R_NilValue, owner = PROTECT(bridge_begin(&call, run, frame));
    double *draws = ng_alloc(call.run.arena, last - first + 1, sizeof *draws, &call.error);
    double *room = ng_alloc(call.run.arena, made->m, sizeof *room, &call.error);
    if (draws && room && make_event(made, y, j, how.sigma, how.global, how.best, &call, &path, &event) == NG_OK) {
        const double margin = ng_event_margin(&event, call.run.threads, room);
        if ((permute ? ng_walk_chains(&event, NG_PERMUTATION, how.key, how.L, first, last, how.stop_after, &call.run, draws, &drawn, &effort,
                                      &call.error)
                     : draw_chains(&event, &how, first, last, &call.run, draws, &drawn, &effort, &call.error)) == NG_OK)
            result = draws_list(event.observed, draws, drawn, path.scale, &effort, margin);
    }
    PROTECT(result);
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}

SEXP bridge_seism_chains(SEXP design, SEXP y, SEXP step, SEXP settings, SEXP chains, SEXP run, SEXP frame)
{
    return run_chains(design, y, Rf_asInteger(step), settings_of(settings), false, chains, run, frame);
}

SEXP bridge_seism_permutations(SEXP design, SEXP y, SEXP settings, SEXP proposals, SEXP chains, SEXP run, SEXP frame)
{
    struct settings how = settings_of(settings);
    how.L = Rf_asInteger(proposals);
    return run_chains(design, y, 1, how, true, chains, run, frame);
}

SEXP bridge_seism_trace(SEXP design, SEXP y, SEXP step, SEXP settings, SEXP chain, SEXP burn, SEXP steps, SEXP run, SEXP frame)
{
    const ng_design *made = bridge_design(design);
    bridge_assert_response(made, y);
    bridge_assert(TYPEOF(chain) == INTSXP && XLENGTH(chain) >= 1 && XLENGTH(chain) <= 2);
    const struct settings how = settings_of(settings);
    const int64_t first = INTEGER(chain)[0], last = INTEGER(chain)[XLENGTH(chain) - 1], length = Rf_asInteger(steps);
    bridge_assert(first >= 0 && last >= first && length > 0);
    bridge_call call;
    ng_greedy_path path;
    ng_event event;
    ng_effort effort = {0};
    ng_sampler sampler;
    SEXP result = PROTECT(NAMED("statistic", "trace", "trials", "frozen"));
    double *trace = last > first ? bridge_put_matrix(result, 1, length, last - first + 1) : REAL(bridge_put(result, 1, REALSXP, length));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    if (make_event(made, y, Rf_asInteger(step), how.sigma, how.global, how.best, &call, &path, &event) == NG_OK) {
        if (!how.sampler) {
            if (ng_sampler_new(&event, how.known, how.key, &call.run, &sampler, &call.error) == NG_OK)
                ng_seism_trace(&sampler, first, last, Rf_asInteger(burn), length, &call.run, trace, &effort, &call.error);
        } else {
            for (int64_t id = first; id <= last && call.error.status == NG_OK; id++)
                ng_walk_trace(&event, how.sampler == 1 ? NG_LINE : NG_CUBE, how.key, id, Rf_asInteger(burn), length, &call.run,
                              trace + (id - first) * length, &effort, &call.error);
        }
        for (int64_t i = 0; i < (last - first + 1) * length; i++) trace[i] *= path.scale * path.scale;
    }
    bridge_end(&call, owner);
    bridge_put_number(result, 0, event.observed * path.scale * path.scale);
    bridge_put_number(result, 2, effort.trials);
    bridge_put_number(result, 3, effort.frozen);
    UNPROTECT(2);
    return result;
}

SEXP bridge_seism_p_value(SEXP null, SEXP statistic, SEXP stop_after)
{
    bridge_assert(TYPEOF(null) == REALSXP);
    const ng_p_value value = ng_count_p_value(REAL(null), XLENGTH(null), Rf_asReal(statistic), Rf_asInteger(stop_after));
    SEXP result = Rf_allocVector(REALSXP, 3);
    REAL(result)[0] = value.p;
    REAL(result)[1] = (double)value.exceed;
    REAL(result)[2] = (double)value.used;
    return result;
}

SEXP bridge_seism_autocorrelation(SEXP trace)
{
    bridge_assert(TYPEOF(trace) == REALSXP);
    return Rf_ScalarReal(ng_autocorrelation_time(REAL(trace), XLENGTH(trace)));
}

SEXP bridge_seism_max_t(SEXP design, SEXP y, SEXP draws, SEXP key, SEXP run, SEXP frame)
{
    const ng_design *made = bridge_design(design);
    bridge_assert_response(made, y);
    const int count = Rf_asInteger(draws);
    bridge_assert(count >= 1);
    bridge_call call;
    double observed = 0;
    SEXP result = PROTECT(NAMED("statistic", "null"));
    double *null = REAL(bridge_put(result, 1, REALSXP, count));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    ng_seism_max_t(made, REAL(y), count, key_of(key), &call.run, &observed, null, &call.error);
    bridge_end(&call, owner);
    bridge_put_number(result, 0, observed);
    UNPROTECT(2);
    return result;
}

/* ---- without chains ---- */

SEXP bridge_seism_closed(SEXP design, SEXP y, SEXP step, SEXP sigma, SEXP signs, SEXP level, SEXP run, SEXP frame)
{
    const ng_design *made = bridge_design(design);
    bridge_assert_response(made, y);
    const bool known = !ISNAN(Rf_asReal(sigma)), both = Rf_asLogical(signs) == 1;
    bridge_call call;
    ng_greedy_path path;
    ng_event event;
    ng_closed closed = {0};
    SEXP result = R_NilValue, owner = PROTECT(bridge_begin(&call, run, frame));
    if (make_event(made, y, Rf_asInteger(step), known ? Rf_asReal(sigma) : NAN, false, false, &call, &path, &event) == NG_OK &&
        (known ? ng_seism_line(&event, both, Rf_asReal(level), &call.run, &closed, &call.error)
               : ng_seism_circle(&event, both, &call.run, &closed, &call.error)) == NG_OK) {
        result = PROTECT(NAMED("p", "t0", "intervals", "confint", "slope"));
        bridge_put_number(result, 0, closed.p);
        bridge_put_number(result, 1, closed.t0);
        double *ends = bridge_put_matrix(result, 2, 2, closed.intervals.count), *confint = REAL(bridge_put(result, 3, REALSXP, 2));
        memcpy(ends, closed.intervals.item, (size_t)closed.intervals.count * sizeof(ng_interval));
        confint[0] = known ? closed.low : NA_REAL;
        confint[1] = known ? closed.high : NA_REAL;
        bridge_put_number(result, 4, closed.norm);
        UNPROTECT(1);
    }
    PROTECT(result);
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}

SEXP bridge_seism_split(SEXP y, SEXP covariates, SEXP phi)
{
    const R_xlen_t n = XLENGTH(y);
    bridge_assert(TYPEOF(y) == REALSXP && TYPEOF(covariates) == REALSXP && TYPEOF(phi) == REALSXP && n > 0);
    bridge_assert(XLENGTH(covariates) % n == 0 && XLENGTH(phi) % n == 0);
    const R_xlen_t q = XLENGTH(phi) / n, room = 8 * (XLENGTH(covariates) + XLENGTH(phi) + n + 4 * q);
    SEXP result = PROTECT(Rf_allocMatrix(REALSXP, 3, (int)q));
    ng_error error = {.status = NG_OK};
    ng_arena *arena = ng_arena_new(room);
    ng_f_test *tests = arena ? ng_alloc(arena, q, sizeof *tests, &error) : NULL;
    const bool done = tests && ng_split_tests(REAL(y), REAL(covariates), XLENGTH(covariates) / n, REAL(phi), q, n, arena, tests, &error) == NG_OK;
    for (R_xlen_t j = 0; done && j < q; j++) {
        REAL(result)[3 * j] = tests[j].f;
        REAL(result)[3 * j + 1] = tests[j].freedom;
        REAL(result)[3 * j + 2] = tests[j].p;
    }
    ng_arena_free(arena);
    if (!done) Rf_error("the system has no memory left");
    UNPROTECT(1);
    return result;
}

SEXP bridge_seism_polish(SEXP design, SEXP y, SEXP step, SEXP free, SEXP run, SEXP frame)
{
    const ng_design *made = bridge_design(design);
    bridge_assert_response(made, y);
    bridge_assert(made->motifs != NULL);
    bridge_call call;
    ng_greedy_path path;
    ng_polish polish;
    SEXP result = R_NilValue, owner = PROTECT(bridge_begin(&call, run, frame));
    const int j = Rf_asInteger(step);
    if (ng_seism_select(made, REAL(y), NAN, j, &call.run, &path, &call.error) == NG_OK && path.steps == j &&
        ng_polish_new(made, &path, j, &call.run, &polish, &call.error) == NG_OK) {
        result = PROTECT(NAMED("pwm", "before", "score", "iterations"));
        double *pwm = bridge_put_matrix(result, 0, 4, polish.windows->k);
        ng_centre_pwm(made, path.step[j - 1].candidate, pwm);
        const ng_polished done = ng_seism_polish(&polish, pwm, Rf_asLogical(free) == 1);
        bridge_put_number(result, 1, done.before * path.scale * path.scale);
        bridge_put_number(result, 2, done.score * path.scale * path.scale);
        bridge_put_number(result, 3, done.iterations);
        UNPROTECT(1);
    }
    PROTECT(result);
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}
