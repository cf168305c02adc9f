#include <string.h>
#include "core/kernels/matrix.h"
#include "core/selective/scan.h"

typedef float floats __attribute__((vector_size(NG_SCAN_BLOCK * 4)));
typedef int32_t masks __attribute__((vector_size(NG_SCAN_BLOCK * 4)));

static inline __attribute__((always_inline)) void load(const float *from, floats *to) { memcpy(to, from, sizeof *to); }

static inline __attribute__((always_inline)) int64_t blocks(const ng_scan *scan, int64_t first, int64_t last)
{
    for (int64_t b = first; b < last; b++) {
        const int64_t at = b * NG_SCAN_BLOCK;
        floats e, v, limit, inner;
        load(scan->u + at, &e);
        load(scan->v + at, &v);
        e = e * scan->cosine + v * scan->sine;
        masks beyond = {0};
        if (scan->low) {
            load(scan->low + at, &limit);
            beyond |= e < limit + scan->margin;
            load(scan->high + at, &limit);
            beyond |= e > limit - scan->margin;
        }
        for (int level = 0; level < scan->levels; level++) {
            if (level) {
                load(scan->inner[level] + at, &inner);
                e += inner * scan->c[level];
            }
            load(scan->limit[level] + at, &limit);
            limit = limit * scan->tau[level] - scan->margin;
            beyond |= (e > limit) | (-e > limit);
        }
        int64_t any[sizeof beyond / 8], found = 0;
        memcpy(any, &beyond, sizeof any);
        for (size_t i = 0; i < sizeof any / sizeof *any; i++) found |= any[i];
        if (found) return b;
    }
    return last;
}

static inline __attribute__((always_inline)) void turn(float *u, const float *v, int64_t count, float cosine, float sine)
{
    for (int64_t at = 0; at < count; at += NG_SCAN_BLOCK) {
        floats a, b;
        load(u + at, &a);
        load(v + at, &b);
        a = a * cosine + b * sine;
        memcpy(u + at, &a, sizeof a);
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static int64_t blocks_avx2(const ng_scan *scan, int64_t first, int64_t last)
{
    return blocks(scan, first, last);
}
__attribute__((target("avx2"))) static void turn_avx2(float *u, const float *v, int64_t count, float cosine, float sine)
{
    turn(u, v, count, cosine, sine);
}
#endif

int64_t ng_scan_blocks(const ng_scan *scan, int64_t first, int64_t last)
{
#if defined(__x86_64__)
    if (strcmp(ng_kernel_name(), "portable")) return blocks_avx2(scan, first, last);
#endif
    return blocks(scan, first, last);
}

void ng_turn(float *u, const float *v, int64_t count, float cosine, float sine)
{
#if defined(__x86_64__)
    if (strcmp(ng_kernel_name(), "portable")) {
        turn_avx2(u, v, count, cosine, sine);
        return;
    }
#endif
    turn(u, v, count, cosine, sine);
}
