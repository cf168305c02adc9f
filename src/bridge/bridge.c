/* bridge/bridge.c: how every call begins, is interrupted and ends. */
#include "bridge/bridge.h"
#include <time.h>

enum { POLL_MILLISECONDS = 50 };

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static SEXP tick(void *data)
{
    bridge_call *call = data;
    R_CheckUserInterrupt();
    SEXP done = PROTECT(Rf_ScalarReal(call->done));
    Rf_eval(PROTECT(Rf_lang2(call->progress, done)), R_BaseEnv);
    UNPROTECT(2);
    return R_NilValue;
}

static void caught(void *data, Rboolean jump)
{
    if (jump) longjmp(((bridge_call *)data)->back, 1);
}

/* Asks R for interrupts and tells progress; if R jumps there, caught() comes back here and the core leaves by its own code. */
static bool poll(void *data, double done)
{
    bridge_call *call = data;
    const double now = milliseconds();
    if (now - call->asked_at < POLL_MILLISECONDS && done < 1) return false;
    call->asked_at = now;
    call->done = done;
    if (setjmp(call->back)) return call->jumped = true;
    R_UnwindProtect(tick, call, caught, call, call->token);
    return false;
}

static void free_arena(SEXP owner)
{
    ng_arena_free(R_ExternalPtrAddr(owner));
    R_ClearExternalPtr(owner);
}

SEXP bridge_begin(bridge_call *call, SEXP run, SEXP frame)
{
    bridge_assert(TYPEOF(run) == VECSXP && XLENGTH(run) == 6 && TYPEOF(frame) == ENVSXP);
    SEXP token = PROTECT(R_MakeUnwindCont());
    SEXP owner = PROTECT(R_MakeExternalPtr(NULL, token, R_NilValue));
    R_RegisterCFinalizerEx(owner, free_arena, TRUE);
    ng_arena *arena = ng_arena_new((int64_t)Rf_asReal(VECTOR_ELT(run, 1)));
    if (!arena) Rf_error("the system has no memory left");
    R_SetExternalPtrAddr(owner, arena);
    *call = (bridge_call){.run = {.arena = arena, .threads = Rf_asInteger(VECTOR_ELT(run, 0)), .poll = poll, .poll_data = call,
                                  .tile_bytes = (int64_t)Rf_asReal(VECTOR_ELT(run, 3)), .round_bytes = (int64_t)Rf_asReal(VECTOR_ELT(run, 4)),
                                  .plain = Rf_asLogical(VECTOR_ELT(run, 5)) == 1},
                          .frame = frame, .progress = VECTOR_ELT(run, 2), .token = token, .asked_at = milliseconds()};
    UNPROTECT(2);
    return owner;
}

void bridge_raise(const ng_error *error, SEXP frame)
{
    SEXP status = PROTECT(Rf_mkString(ng_status_name(error->status)));
    SEXP layer = PROTECT(Rf_mkString(error->layer_name));
    SEXP message = PROTECT(Rf_mkString(error->message));
    SEXP raise = PROTECT(Rf_lang5(Rf_install("stop_core"), status, layer, message, frame));
    SEXP name = PROTECT(Rf_mkString("nucleograd"));
    Rf_eval(raise, PROTECT(R_FindNamespace(name)));
    UNPROTECT(6);
}

void bridge_end(bridge_call *call, SEXP owner)
{
    bridge_leave_store(call);
    free_arena(owner);                                                /* releases first, raises last */
    if (call->jumped) R_ContinueUnwind(call->token);                 /* the same jump goes on, R's handlers intact */
    if (call->error.status != NG_OK) bridge_raise(&call->error, call->frame);
}

const ng_graph *bridge_graph(SEXP model)
{
    bridge_assert(TYPEOF(model) == EXTPTRSXP && R_ExternalPtrAddr(model) != NULL);
    return R_ExternalPtrAddr(model);
}

ng_shape bridge_shape(SEXP axes)
{
    const R_xlen_t rank = XLENGTH(axes);
    bridge_assert(TYPEOF(axes) == REALSXP && rank >= 1 && rank <= 3);
    const double *a = REAL(axes);
    return (ng_shape){(int)rank, rank == 3 ? (int64_t)a[0] : 1, rank >= 2 ? (int64_t)a[rank - 2] : 1, (int64_t)a[rank - 1]};
}

float *bridge_floats(SEXP numbers, bridge_call *call)
{
    const R_xlen_t n = XLENGTH(numbers);
    bridge_assert(TYPEOF(numbers) == REALSXP);
    float *floats = ng_alloc(call->run.arena, n, sizeof *floats, &call->error);
    for (R_xlen_t i = 0; floats && i < n; i++) floats[i] = (float)REAL(numbers)[i];
    return floats;
}
