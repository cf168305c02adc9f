/* bridge/model.c: .Call entries of R/model.R: a parsed model becomes a graph of the core. */
#include "bridge/bridge.h"
#include "core/network/types.h"
#include <string.h>

/* What was made from the weights of the model that was used last. busy: by a call, during which R may begin another one. */
static struct { const ng_graph *graph; ng_store *store; bool busy; } last;

void bridge_use_store(bridge_call *call, SEXP model)
{
    const ng_graph *graph = bridge_graph(model);
    if (last.busy) return;
    if (last.graph != graph) {
        ng_store_free(last.store);
        last.graph = graph;
        last.store = ng_store_new();
    }
    if (!last.store) return;
    ng_store_begin(last.store);
    call->run.store = last.store;
    last.busy = true;
}

void bridge_leave_store(const bridge_call *call)
{
    if (!call->run.store) return;
    ng_store_trim(call->run.store);
    last.busy = false;
}

/* The graph lives in an arena of its own, which its external pointer's tag owns. */
static void free_graph(SEXP pointer)
{
    if (last.graph == R_ExternalPtrAddr(pointer)) {
        ng_store_free(last.store);
        last.graph = NULL;
        last.store = NULL;
    }
    SEXP owner = R_ExternalPtrTag(pointer);
    R_ClearExternalPtr(pointer);
    if (TYPEOF(owner) != EXTPTRSXP) return;
    ng_arena_free(R_ExternalPtrAddr(owner));
    R_ClearExternalPtr(owner);
}

static SEXP element(SEXP list, const char *name)
{
    SEXP names = Rf_getAttrib(list, R_NamesSymbol);
    for (R_xlen_t i = 0; i < XLENGTH(names); i++)
        if (!strcmp(CHAR(STRING_ELT(names, i)), name)) return VECTOR_ELT(list, i);
    return R_NilValue;
}

static ng_status fill_settings(SEXP config, ng_arena *arena, ng_settings *settings, ng_error *error)
{
    SEXP names = Rf_getAttrib(config, R_NamesSymbol);
    const R_xlen_t n = XLENGTH(config);
    ng_setting *items = ng_alloc(arena, n, sizeof *items, error);
    if (!items) return error->status;
    for (R_xlen_t i = 0; i < n; i++) {
        SEXP value = VECTOR_ELT(config, i);
        if (!(items[i].key = ng_copy_text(arena, CHAR(STRING_ELT(names, i)), error))) return error->status;
        if (TYPEOF(value) == STRSXP) {
            if (!(items[i].text = ng_copy_text(arena, CHAR(STRING_ELT(value, 0)), error))) return error->status;
            continue;
        }
        double *numbers = ng_alloc(arena, XLENGTH(value), sizeof *numbers, error);
        if (!numbers) return error->status;
        for (R_xlen_t k = 0; k < XLENGTH(value); k++)
            numbers[k] = TYPEOF(value) == REALSXP ? REAL(value)[k] : (double)LOGICAL(value)[k];
        items[i].numbers = numbers;
        items[i].count = XLENGTH(value);
    }
    *settings = (ng_settings){items, n};
    return NG_OK;
}

static ng_status fill_weights(SEXP weights, ng_arena *arena, ng_tensor *tensors, ng_error *error)
{
    for (R_xlen_t i = 0; i < XLENGTH(weights); i++) {
        SEXP numbers = VECTOR_ELT(weights, i), dims = Rf_getAttrib(numbers, Rf_install("dims"));
        float *data = ng_alloc(arena, XLENGTH(numbers), sizeof *data, error);
        if (!data) return error->status;
        for (R_xlen_t k = 0; k < XLENGTH(numbers); k++) data[k] = (float)REAL(numbers)[k];
        tensors[i].data = data;
        tensors[i].rank = (int)XLENGTH(dims);
        for (int d = 0; d < tensors[i].rank; d++) tensors[i].dim[d] = INTEGER(dims)[d];
    }
    return NG_OK;
}

static const int *fill_places(SEXP numbers, ng_arena *arena, ng_error *error)
{
    int *places = ng_alloc(arena, XLENGTH(numbers), sizeof *places, error);
    for (R_xlen_t i = 0; places && i < XLENGTH(numbers); i++) places[i] = INTEGER(numbers)[i] - 1;   /* 1-based in R */
    return places;
}

static ng_status fill_call(SEXP node, const ng_tensor *tensors, ng_arena *arena, ng_call *call, ng_error *error)
{
    SEXP inputs = element(node, "inputs"), weights = element(node, "weights");
    const char *class_name = CHAR(STRING_ELT(element(node, "class"), 0));
    call->name = ng_copy_text(arena, CHAR(STRING_ELT(element(node, "name"), 0)), error);
    call->type = ng_type_of_class(class_name);
    call->time_distributed = LOGICAL(element(node, "time_distributed"))[0];
    call->input_count = (int)XLENGTH(inputs);
    call->weight_count = (int)XLENGTH(weights);
    call->inputs = fill_places(inputs, arena, error);
    ng_tensor *own = ng_alloc(arena, XLENGTH(weights), sizeof *own, error);
    if (!call->name || !call->inputs || !own) return error->status;
    if (!call->type) return ng_fail(error, NG_UNSUPPORTED, NULL, "layer \"%.60s\" is of class %.60s, which the core does not know",
                                      call->name, class_name);
    for (int w = 0; w < call->weight_count; w++) own[w] = tensors[INTEGER(weights)[w] - 1];
    call->weights = own;
    return fill_settings(element(node, "config"), arena, &call->settings, error);
}

static ng_status fill_graph(SEXP nodes, SEXP weights, SEXP inputs, SEXP outputs, ng_arena *arena, ng_graph *graph, ng_error *error)
{
    ng_tensor *tensors = ng_alloc(arena, XLENGTH(weights), sizeof *tensors, error);
    graph->count = (int)XLENGTH(nodes);
    graph->calls = ng_alloc(arena, graph->count, sizeof *graph->calls, error);
    if (!tensors || !graph->calls || fill_weights(weights, arena, tensors, error)) return error->status;
    graph->weights = tensors;
    graph->weight_count = XLENGTH(weights);
    for (int at = 0; at < graph->count; at++)
        if (fill_call(VECTOR_ELT(nodes, at), tensors, arena, &graph->calls[at], error)) return error->status;
    graph->input_count = (int)XLENGTH(inputs);
    graph->output_count = (int)XLENGTH(outputs);
    graph->inputs = fill_places(inputs, arena, error);
    graph->outputs = fill_places(outputs, arena, error);
    if (!graph->inputs || !graph->outputs) return error->status;
    return ng_graph_check(graph, error);
}

static void check_types(SEXP nodes, SEXP weights)
{
    for (R_xlen_t at = 0; at < XLENGTH(nodes); at++) {
        SEXP node = VECTOR_ELT(nodes, at), config = element(node, "config"), own = element(node, "weights");
        bridge_assert(TYPEOF(element(node, "class")) == STRSXP && TYPEOF(element(node, "name")) == STRSXP);
        bridge_assert(TYPEOF(element(node, "inputs")) == INTSXP && TYPEOF(own) == INTSXP && TYPEOF(config) == VECSXP);
        bridge_assert(TYPEOF(element(node, "time_distributed")) == LGLSXP);
        bridge_assert(XLENGTH(config) == 0 || XLENGTH(Rf_getAttrib(config, R_NamesSymbol)) == XLENGTH(config));
        for (R_xlen_t i = 0; i < XLENGTH(config); i++) {
            SEXP value = VECTOR_ELT(config, i);
            bridge_assert(TYPEOF(value) == REALSXP || TYPEOF(value) == LGLSXP || (TYPEOF(value) == STRSXP && XLENGTH(value) == 1));
        }
        for (R_xlen_t w = 0; w < XLENGTH(own); w++) bridge_assert(INTEGER(own)[w] >= 1 && INTEGER(own)[w] <= XLENGTH(weights));
    }
    for (R_xlen_t i = 0; i < XLENGTH(weights); i++) {
        SEXP dims = Rf_getAttrib(VECTOR_ELT(weights, i), Rf_install("dims"));
        double size = 1;
        bridge_assert(TYPEOF(VECTOR_ELT(weights, i)) == REALSXP && TYPEOF(dims) == INTSXP && XLENGTH(dims) <= 4);
        for (R_xlen_t d = 0; d < XLENGTH(dims); d++) size *= INTEGER(dims)[d];
        bridge_assert(size == (double)XLENGTH(VECTOR_ELT(weights, i)));
    }
}

SEXP bridge_model(SEXP nodes, SEXP weights, SEXP inputs, SEXP outputs, SEXP frame)
{
    bridge_assert(TYPEOF(nodes) == VECSXP && TYPEOF(weights) == VECSXP && TYPEOF(inputs) == INTSXP && TYPEOF(outputs) == INTSXP);
    check_types(nodes, weights);
    ng_error error = {0};
    SEXP owner = PROTECT(R_MakeExternalPtr(NULL, R_NilValue, R_NilValue));
    SEXP pointer = PROTECT(R_MakeExternalPtr(NULL, owner, R_NilValue));
    R_RegisterCFinalizerEx(pointer, free_graph, TRUE);
    ng_arena *arena = ng_arena_new(INT64_MAX);
    if (!arena) Rf_error("the system has no memory left");
    R_SetExternalPtrAddr(owner, arena);
    ng_graph *graph = ng_alloc(arena, 1, sizeof *graph, &error);
    if (graph && fill_graph(nodes, weights, inputs, outputs, arena, graph, &error) == NG_OK) R_SetExternalPtrAddr(pointer, graph);
    if (error.status != NG_OK) {
        free_graph(pointer);
        bridge_raise(&error, frame);
    }
    UNPROTECT(2);
    return pointer;
}

/* Weight number `at`, from 1: numbers in row-major order with the attribute dims, as bridge_model() takes them. */
SEXP bridge_weight(SEXP model, SEXP at)
{
    const ng_graph *graph = bridge_graph(model);
    bridge_assert(TYPEOF(at) == INTSXP && XLENGTH(at) == 1 && INTEGER(at)[0] >= 1 && INTEGER(at)[0] <= graph->weight_count);
    const ng_tensor *weight = &graph->weights[INTEGER(at)[0] - 1];
    SEXP dims = PROTECT(Rf_allocVector(INTSXP, weight->rank));
    R_xlen_t count = 1;
    for (int d = 0; d < weight->rank; d++) {
        INTEGER(dims)[d] = (int)weight->dim[d];
        count *= weight->dim[d];
    }
    SEXP numbers = PROTECT(Rf_allocVector(REALSXP, count));
    for (R_xlen_t i = 0; i < count; i++) REAL(numbers)[i] = weight->data[i];
    Rf_setAttrib(numbers, Rf_install("dims"), dims);
    UNPROTECT(2);
    return numbers;
}

static ng_status all_shapes(const ng_graph *graph, const ng_shape *input_shapes, ng_arena *arena, ng_shape *whole, ng_reach *reach, ng_error *error)
{
    for (int at = 0; at < graph->count; at++) {
        const ng_call *call = &graph->calls[at];
        ng_layer layer;
        int64_t group;
        ng_shape *in = ng_alloc(arena, call->input_count + 1, sizeof *in, error);
        if (!in) return error->status;
        for (int i = 0; i < call->input_count; i++) in[i] = whole[call->inputs[i]];
        for (int i = 0; call->input_count == 0 && i < graph->input_count; i++)
            if (graph->inputs[i] == at) in[0] = input_shapes[i];
        if (ng_call_shape(graph, at, in, arena, &layer, &whole[at], &group, error)) return error->status;
        reach[at] = call->time_distributed ? (ng_reach){0, 1, 1, 0} : layer.reach;
    }
    return NG_OK;
}

/* A matrix with a row per call: rank, samples, length, channels of its output; size, stride, dilation of its reach. */
SEXP bridge_shapes(SEXP model, SEXP input_shapes, SEXP run, SEXP frame)
{
    const ng_graph *graph = bridge_graph(model);
    bridge_assert(TYPEOF(input_shapes) == VECSXP && XLENGTH(input_shapes) == graph->input_count);
    bridge_call call;
    SEXP result = PROTECT(Rf_allocMatrix(REALSXP, graph->count, 7));
    SEXP owner = PROTECT(bridge_begin(&call, run, frame));
    ng_shape *in = ng_alloc(call.run.arena, graph->input_count, sizeof *in, &call.error);
    ng_shape *whole = in ? ng_alloc(call.run.arena, graph->count, sizeof *whole, &call.error) : NULL;
    ng_reach *reach = whole ? ng_alloc(call.run.arena, graph->count, sizeof *reach, &call.error) : NULL;
    for (int i = 0; reach && i < graph->input_count; i++) in[i] = bridge_shape(VECTOR_ELT(input_shapes, i));
    if (reach && all_shapes(graph, in, call.run.arena, whole, reach, &call.error) == NG_OK)
        for (int at = 0; at < graph->count; at++) {
            const double row[7] = {whole[at].rank, (double)whole[at].samples, (double)whole[at].length, (double)whole[at].channels,
                                   (double)reach[at].size, (double)reach[at].stride, (double)reach[at].dilation};
            for (int i = 0; i < 7; i++) REAL(result)[at + (R_xlen_t)i * graph->count] = row[i];
        }
    bridge_end(&call, owner);
    UNPROTECT(2);
    return result;
}
