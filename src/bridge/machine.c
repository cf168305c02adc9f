/* bridge/machine.c: .Call entries of R/threads.R: what this machine offers. */
#include "bridge/bridge.h"
#include "core/kernels/matrix.h"

SEXP bridge_threads(void) { return Rf_ScalarInteger(ng_threads_available()); }

SEXP bridge_check_interrupt(void)
{
    R_CheckUserInterrupt();
    return R_NilValue;
}

/* Names the matrix kernel in use; a word chooses one ("" the default) and NA is returned if this machine cannot run it. */
SEXP bridge_kernel(SEXP name)
{
    bridge_assert(name == R_NilValue || (TYPEOF(name) == STRSXP && XLENGTH(name) == 1));
    if (name != R_NilValue) {
        const char *word = CHAR(STRING_ELT(name, 0));
        if (!ng_force_kernel(*word ? word : NULL)) return Rf_ScalarString(NA_STRING);
    }
    return Rf_mkString(ng_kernel_name());
}
