/* bridge/genome.c: .Call entries of R/genome.R. */
#include <string.h>
#include "bridge/bridge.h"

/* letters: raw. 0 to 3 for A, C, G, T, and 4 for every other letter. */
SEXP bridge_base_codes(SEXP letters)
{
    bridge_assert(TYPEOF(letters) == RAWSXP);
    R_CheckUserInterrupt();                                          /* verbs come here once a contig */
    const R_xlen_t length = XLENGTH(letters);
    SEXP codes = PROTECT(Rf_allocVector(RAWSXP, length));
    const Rbyte *from = RAW(letters);
    Rbyte *to = RAW(codes), code_of[256];
    memset(code_of, 4, sizeof code_of);
    for (int base = 0; base < 4; base++) code_of[(int)"ACGT"[base]] = (Rbyte)base;
    for (R_xlen_t i = 0; i < length; i++) to[i] = code_of[from[i]];
    UNPROTECT(1);
    return codes;
}
