/* core/kernels/matrix.c: packing, and the choice among the instruction sets that matrix_kernel.h is compiled for. */
#include <string.h>
#include "core/kernels/matrix.h"

typedef struct product {
    const float *a, *b, *start;                  /* start: y itself, or a row of values that all rows begin with */
    float *y;
    int64_t rows, columns, depth, a_stride, a_step, panel_stride, start_stride, y_stride;
    int64_t chain;                               /* terms of one; at most depth */
    bool apart;                                  /* the first one begins with 0 too */
} product;

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")
enum { MOST_ROWS = 12, MOST_VECTORS = 8 };       /* of a tile */

static void copy_rows(const float *from, int64_t from_stride, int64_t rows, int64_t columns, float *to, int64_t to_stride)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) to[r * to_stride + c] = from[r * from_stride + c];
}

typedef float four __attribute__((vector_size(16)));
#define KERNEL portable
#define TARGET
#define LANES 4
#define ROWS 6
#define VECTOR four
#define BROADCAST(s) ((four){(s), (s), (s), (s)})
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#include "core/kernels/matrix_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define ROWS 6
#define VECTOR __m256
#define BROADCAST(s) _mm256_set1_ps(s)
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps(a, b, c)
#include "core/kernels/matrix_kernel.h"

#define KERNEL avx512
#define TARGET __attribute__((target("avx512f")))
#define LANES 16
#define ROWS 12
#define VECTOR __m512
#define BROADCAST(s) _mm512_set1_ps(s)
#define MULTIPLY_ADD(a, b, c) _mm512_fmadd_ps(a, b, c)
#include "core/kernels/matrix_kernel.h"

static bool has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static bool has_avx512(void) { return __builtin_cpu_supports("avx512f"); }
#endif

static bool always(void) { return true; }

typedef struct kernel { const char *name; bool (*runs)(void); void (*multiply)(const product *p); } kernel;

static const kernel kernels[] = {                /* the best first */
#if defined(__x86_64__)
    {"avx512", has_avx512, avx512},
    {"avx2", has_avx2, avx2},
#endif
    {"portable", always, portable},
};

static const kernel *forced;

static const kernel *chosen(void)
{
    if (forced) return forced;
    const kernel *k = kernels;
    while (!k->runs()) k++;
    return k;
}

const char *ng_kernel_name(void) { return chosen()->name; }

bool ng_force_kernel(const char *name)
{
    forced = NULL;
    if (!name) return true;
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++)
        if (!strcmp(kernels[i].name, name) && kernels[i].runs()) {
            forced = &kernels[i];
            return true;
        }
    return false;
}

ng_status ng_pack_nothing(int64_t depth, int64_t columns, ng_arena *arena, ng_packed *packed, ng_error *error)
{
    const int64_t panels = (columns + NG_PANEL - 1) / NG_PANEL;
    float *to = ng_alloc(arena, panels * (depth + 1), NG_PANEL * sizeof *to, error);
    if (!to) return error->status;
    *packed = (ng_packed){depth, columns, to, to + panels * depth * NG_PANEL, depth > NG_CHAIN ? NG_CHAIN : 0};
    return NG_OK;
}

/* Rows of a panel in turns of a few, so that they stay in the cache while the columns pass by. */
void ng_pack_rows(ng_packed *packed, int64_t first, int64_t rows, const float *b, int64_t row_stride, int64_t column_stride)
{
    enum { TURN = 64 };
    for (int64_t column = 0; column < packed->columns; column += NG_PANEL) {
        const int64_t width = packed->columns - column < NG_PANEL ? packed->columns - column : NG_PANEL;
        float *to = packed->panels + (column * packed->depth + first * NG_PANEL);
        const float *from = b + column * column_stride;
        for (int64_t k = 0; column_stride == 1 && k < rows; k++)
            memcpy(to + k * NG_PANEL, from + k * row_stride, (size_t)width * sizeof *to);
        for (int64_t begin = 0; column_stride != 1 && begin < rows; begin += TURN)
            for (int64_t o = 0; o < width; o++)
                for (int64_t k = begin; k < begin + TURN && k < rows; k++)
                    to[k * NG_PANEL + o] = from[k * row_stride + o * column_stride];
    }
}

ng_status ng_pack(const float *b, int64_t depth, int64_t columns, int64_t row_stride, int64_t column_stride, ng_arena *arena,
                  ng_packed *packed, ng_error *error)
{
    if (ng_pack_nothing(depth, columns, arena, packed, error)) return error->status;
    ng_pack_rows(packed, 0, depth, b, row_stride, column_stride);
    return NG_OK;
}

void ng_multiply(const float *a, int64_t rows, int64_t a_stride, const ng_packed *b, int64_t k_first, int64_t k_last,
                 const float *bias, bool add, float *y, int64_t y_stride)
{
    const product p = {a, b->panels + k_first * NG_PANEL, add ? y : bias ? bias : b->zeros, y, rows, b->columns, k_last - k_first,
                       a_stride, 1, b->depth * NG_PANEL, add ? y_stride : 0, y_stride, b->chain ? b->chain : b->depth, b->chain && add};
    chosen()->multiply(&p);
}

void ng_add_product_of_turned(const float *a, int64_t rows, int64_t a_stride, int64_t a_step, const ng_packed *b, int64_t k_first,
                              int64_t k_last, float *y, int64_t y_stride)
{
    const product p = {a, b->panels + k_first * NG_PANEL, y, y, rows, b->columns, k_last - k_first, a_stride, a_step,
                       b->depth * NG_PANEL, y_stride, y_stride, b->depth, false};
    chosen()->multiply(&p);
}
