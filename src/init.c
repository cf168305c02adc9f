/* init.c: the only table of .Call entries; R sees them as C_<name>. */
#include <R_ext/Rdynload.h>
#include <R_ext/Visibility.h>
#include <Rinternals.h>

#define ENTRY(name, arity) {#name, (DL_FUNC) &bridge_##name, arity}

extern SEXP bridge_model(SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_shapes(SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_predict_contig(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_predict_arrays(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_attribute_contig(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_attribute_arrays(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_window_ranks(SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_random(SEXP, SEXP, SEXP, SEXP);
extern SEXP bridge_threads(void);
extern SEXP bridge_kernel(SEXP);

static const R_CallMethodDef entries[] = {
    /* bridge/model.c */
    ENTRY(model, 5),
    ENTRY(shapes, 4),
    /* bridge/attribution.c */
    ENTRY(predict_contig, 8),
    ENTRY(predict_arrays, 8),
    ENTRY(attribute_contig, 10),
    ENTRY(attribute_arrays, 10),
    /* bridge/quantiles.c */
    ENTRY(window_ranks, 8),
    ENTRY(random, 4),
    /* bridge/machine.c */
    ENTRY(threads, 0),
    ENTRY(kernel, 1),
    {NULL, NULL, 0}
};

void attribute_visible R_init_nucleograd(DllInfo *dll)
{
    R_registerRoutines(dll, NULL, entries, NULL, NULL);
    R_useDynamicSymbols(dll, FALSE);
    R_forceSymbols(dll, TRUE);
}
