/* inst/benchmarks/peak.c: how many multiply-adds this machine does in a second, with nothing to load or store.
 * Prints two numbers, GFLOPS of one core and of all: 2 operations a multiply-add, the best of many runs of a millisecond. */
#include <omp.h>
#include <stdint.h>
#include <stdio.h>

enum { chains = 12, repeats = 500000, runs = 300 };   /* chains: more than the latency of an FMA times the units that do them */

#define BODY(lanes)                                                                       \
    typedef float lane __attribute__((vector_size(lanes * sizeof(float))));               \
    lane sum[chains], scale = (lane){0} + 0.999999f, step = (lane){0} + 1e-6f;            \
    for (int c = 0; c < chains; c++) sum[c] = step * (float)c;                            \
    for (int64_t k = 0; k < repeats; k++)                                                 \
        for (int c = 0; c < chains; c++) sum[c] = sum[c] * scale + step;                  \
    float total = 0;                                                                      \
    for (int c = 0; c < chains; c++)                                                      \
        for (int l = 0; l < lanes; l++) total += sum[c][l];                               \
    return total;

typedef struct kernel { float (*run)(void); int lanes; } kernel;

#if defined(__x86_64__)
__attribute__((noinline, target("avx512f,fma"))) static float run_avx512(void) { BODY(16) }
__attribute__((noinline, target("avx2,fma"))) static float run_avx2(void) { BODY(8) }
#endif
__attribute__((noinline)) static float run_plain(void) { BODY(4) }

static kernel best_kernel(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return (kernel){run_avx512, 16};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return (kernel){run_avx2, 8};
#endif
    return (kernel){run_plain, 4};
}

static double gigaflops(int threads)
{
    const kernel kernel = best_kernel();
    volatile float sink = 0;
    double best = 0;
    for (int run = 0; run < runs; run++) {
        const double start = omp_get_wtime();
#pragma omp parallel num_threads(threads)
        {
            const float total = kernel.run();
#pragma omp critical
            sink = sink + total;
        }
        const double speed = 2.0 * chains * kernel.lanes * repeats * threads / (omp_get_wtime() - start) / 1e9;
        if (speed > best) best = speed;
    }
    return best;
}

int main(void)
{
    printf("%.1f %.1f\n", gigaflops(1), gigaflops(omp_get_num_procs()));
    return 0;
}
