/* bridge/bridge.h: the one header that knows both R and the core. Every entry allocates R's results first, begins a call,
 * lets the core work, and ends the call: bridge_end() frees all memory of the call before R may jump. */
#ifndef NG_BRIDGE_H
#define NG_BRIDGE_H
#define R_NO_REMAP
#include <Rinternals.h>
#include <setjmp.h>
#include "core/base/run.h"
#include "core/network/graph.h"

#define bridge_assert(truth) \
    do { if (!(truth)) Rf_error("internal error in %s(): %s does not hold; please report it", __func__, #truth); } while (0)

typedef struct bridge_call {
    ng_run run;
    ng_error error;
    SEXP frame, progress, token;
    jmp_buf back;
    double done, asked_at;
    bool jumped;
} bridge_call;

/* run: list(threads, memory_bytes, progress function, tile_bytes, round_bytes, plain), from run_settings() in R. The value owns
 * the arena and must stay protected until bridge_end(). */
SEXP bridge_begin(bridge_call *call, SEXP run, SEXP frame);
void bridge_end(bridge_call *call, SEXP owner);

/* Lets the call use what earlier ones have made from the weights of this model. Only that of the model which was used last is kept. */
void bridge_use_store(bridge_call *call, SEXP model);
/* Of a call that ends. */
void bridge_leave_store(const bridge_call *call);

/* The core's error as R's, in the name of the verb that runs in `frame`. Does not return. */
void bridge_raise(const ng_error *error, SEXP frame);

/* The graph of a model; an R error if the model was saved and loaded, which keeps no graph. */
const ng_graph *bridge_graph(SEXP model);

/* One shape per list element: its axes without the batch, as numbers. */
ng_shape bridge_shape(SEXP axes);

/* A list element as floats in the call's arena; NULL and call->error set if memory is out. */
float *bridge_floats(SEXP numbers, bridge_call *call);

#endif
