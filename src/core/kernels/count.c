#include <string.h>
#include "core/kernels/count.h"
#include "core/kernels/matrix.h"

typedef double eight __attribute__((vector_size(NG_COUNT_LANES * 8)));
typedef int64_t counts __attribute__((vector_size(NG_COUNT_LANES * 8)));

static inline __attribute__((always_inline)) void count_all(const double *values, const double *before, int64_t n, double low, double high,
                                                            int64_t *below, int64_t *above)
{
    counts under = {0}, over = {0};
    for (int64_t i = 0; i < n; i += NG_COUNT_LANES) {
        eight v, less;
        memcpy(&v, values + i, sizeof v);
        if (before) {
            memcpy(&less, before + i, sizeof less);
            v -= less;
        }
        under -= v < low;                                             /* a true comparison is -1 */
        over -= v > high;
    }
    for (int lane = 0; lane < NG_COUNT_LANES; lane++) {
        *below += under[lane];
        *above += over[lane];
    }
}

/* The loop without and with `before`. */
static inline __attribute__((always_inline)) void count(const double *values, const double *before, int64_t n, double low, double high,
                                                        int64_t *below, int64_t *above)
{
    if (before) count_all(values, before, n, low, high, below, above);
    else count_all(values, NULL, n, low, high, below, above);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void avx2(const double *values, const double *before, int64_t n, double low, double high, int64_t *below,
                                                 int64_t *above)
{
    count(values, before, n, low, high, below, above);
}

__attribute__((target("avx512f,avx512dq"))) static void avx512(const double *values, const double *before, int64_t n, double low, double high,
                                                               int64_t *below, int64_t *above)
{
    count(values, before, n, low, high, below, above);
}
#endif

void ng_count_beyond(const double *values, const double *before, int64_t n, double low, double high, int64_t *below, int64_t *above)
{
#if defined(__x86_64__)
    if (!strcmp(ng_kernel_name(), "avx512") && __builtin_cpu_supports("avx512dq")) avx512(values, before, n, low, high, below, above);
    else if (strcmp(ng_kernel_name(), "portable")) avx2(values, before, n, low, high, below, above);
    else
#endif
        count(values, before, n, low, high, below, above);
}
