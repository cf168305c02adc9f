/* bridge/training.c: .Call entries of R/fit-model.R: a trainer, its steps, and its state. */
#include <string.h>
#include "bridge/bridge.h"
#include "core/training/trainer.h"

/* The trainer lives in an arena of its own, which its external pointer's tag owns. */
static void free_trainer(SEXP pointer)
{
    SEXP owner = R_ExternalPtrTag(pointer);
    R_ClearExternalPtr(pointer);
    if (TYPEOF(owner) != EXTPTRSXP) return;
    ng_arena_free(R_ExternalPtrAddr(owner));
    R_ClearExternalPtr(owner);
}

static ng_trainer *trainer_of(SEXP pointer)
{
    bridge_assert(TYPEOF(pointer) == EXTPTRSXP && R_ExternalPtrAddr(pointer) != NULL);
    return R_ExternalPtrAddr(pointer);
}

/* optimizer: method, momentum, nesterov, beta_1, beta_2, epsilon, weight_decay. */
static ng_optimizer optimizer_of(SEXP numbers)
{
    const double *o = REAL(numbers);
    return (ng_optimizer){(ng_method)o[0], o[1], o[2] != 0, o[3], o[4], o[5], o[6]};
}

/* What `make` needs: the shapes of the inputs and the flags of the weights, in the trainer's arena. */
static ng_status make(const ng_graph *graph, SEXP shapes, SEXP trained, ng_training *settings, int threads, ng_arena *arena,
                      ng_trainer *trainer, ng_error *error)
{
    ng_shape *inputs = ng_alloc(arena, graph->input_count, sizeof *inputs, error);
    bool *flags = ng_alloc(arena, graph->weight_count, sizeof *flags, error);
    if (!inputs || !flags) return error->status;
    for (int i = 0; i < graph->input_count; i++) inputs[i] = bridge_shape(VECTOR_ELT(shapes, i));
    for (int64_t w = 0; w < graph->weight_count; w++) flags[w] = LOGICAL(trained)[w] == 1;
    settings->trained = flags;
    return ng_trainer_make(graph, inputs, settings, threads, arena, trainer, error);
}

/* settings: output (from 1), loss, batch, key; run as everywhere. The trainer keeps the model alive, whose names and settings it reads. */
SEXP bridge_trainer(SEXP model, SEXP shapes, SEXP settings, SEXP optimizer, SEXP trained, SEXP run, SEXP frame)
{
    const ng_graph *graph = bridge_graph(model);
    bridge_assert(TYPEOF(shapes) == VECSXP && XLENGTH(shapes) == graph->input_count && TYPEOF(settings) == REALSXP && XLENGTH(settings) == 4);
    bridge_assert(TYPEOF(optimizer) == REALSXP && XLENGTH(optimizer) == 7 && TYPEOF(trained) == LGLSXP && XLENGTH(trained) == graph->weight_count);
    const double *s = REAL(settings);
    bridge_assert(s[0] >= 1 && s[0] <= graph->count && s[2] >= 1);
    ng_error error = {0};
    SEXP owner = PROTECT(R_MakeExternalPtr(NULL, R_NilValue, R_NilValue));
    SEXP pointer = PROTECT(R_MakeExternalPtr(NULL, owner, model));
    R_RegisterCFinalizerEx(pointer, free_trainer, TRUE);
    ng_arena *arena = ng_arena_new((int64_t)Rf_asReal(VECTOR_ELT(run, 1)));
    if (!arena) Rf_error("the system has no memory left");
    R_SetExternalPtrAddr(owner, arena);
    ng_training wanted = {.output = (int)s[0] - 1, .loss = (ng_loss)s[1], .batch = (int64_t)s[2], .key = (uint64_t)s[3],
                          .optimizer = optimizer_of(optimizer)};
    ng_trainer *trainer = ng_alloc(arena, 1, sizeof *trainer, &error);
    if (trainer && make(graph, shapes, trained, &wanted, Rf_asInteger(VECTOR_ELT(run, 0)), arena, trainer, &error) == NG_OK)
        R_SetExternalPtrAddr(pointer, trainer);
    if (error.status != NG_OK) {
        free_trainer(pointer);
        bridge_raise(&error, frame);
    }
    UNPROTECT(2);
    return pointer;
}

/* data: list(bases, starts, arrays, targets, weights); NULL where there is none. */
static const ng_samples *samples_of(SEXP data, bridge_call *call)
{
    SEXP bases = VECTOR_ELT(data, 0), starts = VECTOR_ELT(data, 1), arrays = VECTOR_ELT(data, 2), weights = VECTOR_ELT(data, 4);
    ng_arena *arena = call->run.arena;
    ng_samples *samples = ng_alloc(arena, 1, sizeof *samples, &call->error);
    if (!samples || !(samples->targets = bridge_floats(VECTOR_ELT(data, 3), call))) return NULL;
    samples->weights = weights == R_NilValue ? NULL : REAL(weights);
    if (bases != R_NilValue) {
        int64_t *from = ng_alloc(arena, XLENGTH(starts), sizeof *from, &call->error);
        for (R_xlen_t i = 0; from && i < XLENGTH(starts); i++) from[i] = (int64_t)REAL(starts)[i] - 1;       /* 1-based in R */
        samples->bases = RAW(bases);
        samples->starts = from;
        return from ? samples : NULL;
    }
    const float **numbers = ng_alloc(arena, XLENGTH(arrays), sizeof *numbers, &call->error);
    for (R_xlen_t i = 0; numbers && i < XLENGTH(arrays); i++)
        if (!(numbers[i] = bridge_floats(VECTOR_ELT(arrays, i), call))) return NULL;
    samples->arrays = numbers;
    return numbers ? samples : NULL;
}

static void assert_samples(const ng_trainer *t, SEXP data)
{
    bridge_assert(TYPEOF(data) == VECSXP && XLENGTH(data) == 5 && TYPEOF(VECTOR_ELT(data, 3)) == REALSXP);
    SEXP bases = VECTOR_ELT(data, 0), starts = VECTOR_ELT(data, 1), arrays = VECTOR_ELT(data, 2), weights = VECTOR_ELT(data, 4);
    const double size = (double)ng_size(t->units[t->settings.output].whole);
    const double count = (double)XLENGTH(VECTOR_ELT(data, 3)) / size;
    bridge_assert(weights == R_NilValue || (TYPEOF(weights) == REALSXP && (double)XLENGTH(weights) == count));
    if (bases == R_NilValue) {
        bridge_assert(TYPEOF(arrays) == VECSXP && XLENGTH(arrays) == t->graph.input_count);
        for (int i = 0; i < t->graph.input_count; i++)
            bridge_assert((double)XLENGTH(VECTOR_ELT(arrays, i)) == count * (double)ng_size(t->input_shapes[i]));
        return;
    }
    bridge_assert(TYPEOF(bases) == RAWSXP && TYPEOF(starts) == REALSXP && (double)XLENGTH(starts) == count);
    for (int i = 0; i < t->graph.input_count; i++) bridge_assert(i < 2 && t->input_shapes[i].channels == 4 && t->input_shapes[i].rank == 2);
    for (R_xlen_t i = 0; i < XLENGTH(starts); i++)
        bridge_assert(REAL(starts)[i] >= 1 && REAL(starts)[i] - 1 + (double)t->input_shapes[0].length <= (double)XLENGTH(bases));
}

/* Steps over the samples `order` (from 1), turned where `reversed`, in batches; rates: one a step. -> matrix (steps, 2): loss, right.
 * Ends at a loss that is not finite. */
SEXP bridge_train(SEXP trainer, SEXP data, SEXP order, SEXP reversed, SEXP rates, SEXP run, SEXP frame)
{
    ng_trainer *t = trainer_of(trainer);
    assert_samples(t, data);
    const R_xlen_t count = XLENGTH(order), steps = XLENGTH(rates);
    const int64_t batch = t->settings.batch;
    bridge_assert(TYPEOF(order) == INTSXP && TYPEOF(reversed) == LGLSXP && XLENGTH(reversed) == count && TYPEOF(rates) == REALSXP);
    bridge_assert(steps == (count + batch - 1) / batch);
    const double samples_there = (double)XLENGTH(VECTOR_ELT(data, 3)) / (double)ng_size(t->units[t->settings.output].whole);
    for (R_xlen_t i = 0; i < count; i++) bridge_assert(INTEGER(order)[i] >= 1 && INTEGER(order)[i] <= samples_there);
    bridge_call call;
    SEXP result = PROTECT(Rf_allocMatrix(REALSXP, (int)steps, 2));
    memset(REAL(result), 0, (size_t)(2 * steps) * sizeof(double));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    const ng_samples *samples = samples_of(data, &call);
    ng_pick *picks = samples ? ng_alloc(call.run.arena, count, sizeof *picks, &call.error) : NULL;
    for (R_xlen_t i = 0; picks && i < count; i++) picks[i] = (ng_pick){INTEGER(order)[i] - 1, LOGICAL(reversed)[i] == 1};
    for (R_xlen_t step = 0; picks && step < steps && call.error.status == NG_OK; step++) {
        const int64_t first = step * batch, here = count - first < batch ? count - first : batch;
        ng_train_gradient(t, samples, picks + first, here, REAL(result) + step, REAL(result) + steps + step);
        if (!R_FINITE(REAL(result)[step])) break;
        if (ng_train_update(t, REAL(rates)[step], &call.error) == NG_OK)
            ng_poll(&call.run, (double)(step + 1) / (double)steps, &call.error);
        if (call.error.status != NG_BAD_MODEL) continue;             /* weights that fitted before are refused for not being finite */
        REAL(result)[step] = R_NaN;
        call.error.status = NG_OK;
        break;
    }
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}

static SEXP numbers_of(const float *from, int64_t count)
{
    SEXP numbers = Rf_allocVector(REALSXP, (R_xlen_t)count);
    for (int64_t i = 0; i < count; i++) REAL(numbers)[i] = (double)from[i];
    return numbers;
}

/* list(numbers), by weight of the graph */
SEXP bridge_trainer_weights(SEXP trainer)
{
    const ng_trainer *t = trainer_of(trainer);
    SEXP weights = PROTECT(Rf_allocVector(VECSXP, (R_xlen_t)t->graph.weight_count));
    for (int64_t w = 0; w < t->graph.weight_count; w++) SET_VECTOR_ELT(weights, (R_xlen_t)w, numbers_of(t->weights[w], t->sizes[w]));
    UNPROTECT(1);
    return weights;
}

/* list(weights, mean, square, step) */
SEXP bridge_trainer_state(SEXP trainer)
{
    const ng_trainer *t = trainer_of(trainer);
    SEXP state = PROTECT(Rf_allocVector(VECSXP, 4));
    SET_VECTOR_ELT(state, 0, bridge_trainer_weights(trainer));
    SET_VECTOR_ELT(state, 1, numbers_of(t->mean, t->trained_count));
    SET_VECTOR_ELT(state, 2, numbers_of(t->square, t->trained_count));
    SET_VECTOR_ELT(state, 3, Rf_ScalarReal((double)t->step));
    UNPROTECT(1);
    return state;
}

static void put_numbers(SEXP numbers, float *to, int64_t count)
{
    bridge_assert(TYPEOF(numbers) == REALSXP && XLENGTH(numbers) == count);
    for (int64_t i = 0; i < count; i++) to[i] = (float)REAL(numbers)[i];
}

SEXP bridge_restore_trainer(SEXP trainer, SEXP state, SEXP frame)
{
    ng_trainer *t = trainer_of(trainer);
    ng_error error = {0};
    bridge_assert(TYPEOF(state) == VECSXP && XLENGTH(state) == 4 && XLENGTH(VECTOR_ELT(state, 0)) == t->graph.weight_count);
    for (int64_t w = 0; w < t->graph.weight_count; w++)
        put_numbers(VECTOR_ELT(VECTOR_ELT(state, 0), (R_xlen_t)w), t->weights[w], t->sizes[w]);
    put_numbers(VECTOR_ELT(state, 1), t->mean, t->trained_count);
    put_numbers(VECTOR_ELT(state, 2), t->square, t->trained_count);
    t->step = (int64_t)Rf_asReal(VECTOR_ELT(state, 3));
    if (ng_trainer_refresh(t, &error)) bridge_raise(&error, frame);
    return R_NilValue;
}
