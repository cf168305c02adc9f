/* inst/fuzz/bytes.h: bytes that a fuzzer gives, read as choices. Where they end all choices are 0. */
#ifndef NG_FUZZ_BYTES_H
#define NG_FUZZ_BYTES_H
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct bytes { const uint8_t *at, *end; } bytes;

static inline int next(bytes *b) { return b->at < b->end ? *b->at++ : 0; }
static inline int below(bytes *b, int n) { return next(b) % n; }
static inline int one_in(bytes *b, int n) { return next(b) % n == n - 1; }

/* Mostly small whole numbers; at times what nobody expects. */
static inline double any_number(bytes *b)
{
    static const double odd[] = {0, -1, -7, 0.5, 1.5, 1e6, 2147483647.0, 2147483648.0, 1e12, 9.3e18, 1e300, -1e300, NAN, INFINITY, -INFINITY, 1e-300};
    return one_in(b, 24) ? odd[below(b, 16)] : 1 + below(b, one_in(b, 8) ? 64 : 6);
}
#endif
