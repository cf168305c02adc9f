/* core/kernels/gates.c: the choice among the instruction sets that gates_kernel.h is compiled for. */
#include "core/kernels/gates.h"

#define INLINE static inline __attribute__((always_inline))
#define SIMD _Pragma("omp simd")
enum { UNITS = NG_PANEL };

#define KERNEL portable
#define TARGET
#define FUSED false
#include "core/kernels/gates_kernel.h"

#if defined(__x86_64__)
#define KERNEL avx2
#define TARGET __attribute__((target("avx2,fma")))
#define FUSED true
#include "core/kernels/gates_kernel.h"

#define KERNEL avx512
#define TARGET __attribute__((target("avx512f")))
#define FUSED true
#include "core/kernels/gates_kernel.h"
#endif

typedef struct kernel {
    const char *name;
    void (*lstm_forward)(const ng_lstm_units *units);
    void (*gru_reset)(const ng_gru_units *units), (*gru_update)(const ng_gru_units *units);
} kernel;

static const kernel kernels[] = {
#if defined(__x86_64__)
    {"avx512", avx512_lstm_forward, avx512_gru_reset, avx512_gru_update},
    {"avx2", avx2_lstm_forward, avx2_gru_reset, avx2_gru_update},
#endif
    {"portable", portable_lstm_forward, portable_gru_reset, portable_gru_update},
};

static const kernel *chosen(void)
{
    const kernel *k = kernels;
    while (strcmp(k->name, ng_kernel_name())) k++;
    return k;
}

void ng_lstm_forward(const ng_lstm_units *units) { chosen()->lstm_forward(units); }
void ng_gru_reset(const ng_gru_units *units) { chosen()->gru_reset(units); }
void ng_gru_update(const ng_gru_units *units) { chosen()->gru_update(units); }
