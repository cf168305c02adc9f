/* core/kernels/path_pool.c: a pool behind a prefix along a path.
 *     z(a)     = z' + a (z - z')
 *     v[i, c]  = max(z(a)[i, c], 0)
 *     w[t, c]  = the smallest j = 0..p-1 at which o[c] v[t s - P + j, c] is largest        rows outside [0, L) never win
 *     y[t, c]  = v[t s - P + w, c] r[c] + s[c]
 *     dz[t s - P + w[t, c], c] += dy[t, c] r[c]              where v > 0
 * r and s are those of a BatchNormalization, o = -1 where it comes before the pool and its r is below 0: there the smallest v wins.
 * See relu_pool.c and batch_normalization.c, which say what is right. They take the smallest j also where v r + s ties for being
 * rounded, and so give a gradient to another row now and then. */
#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include "core/kernels/matrix.h"
#include "core/kernels/path_pool.h"
#include "core/kernels/relu_pool.h"
#include "core/network/affine.h"
#include "core/network/types.h"

enum { LANES = 16 };

typedef float lanes __attribute__((vector_size(LANES * 4)));
typedef int32_t masks __attribute__((vector_size(LANES * 4)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));

/* One window: rows of both ends. */
typedef struct window { const float *x, *b, *order, *scale, *shift; int64_t rows, channels; } window;

#define INLINE static inline __attribute__((always_inline))

/* A bit for each lane, and which lanes are above 0 in such bits. */
static const masks lane_bits = {1, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13,
                                1 << 14, 1 << 15};

static uint16_t portable_bits(const float *value)
{
    unsigned bits = 0;
    for (int i = 0; i < LANES; i++) bits |= (unsigned)(value[i] > 0) << i;
    return (uint16_t)bits;
}

#if defined(__x86_64__)
INLINE __attribute__((target("avx2"))) uint16_t avx2_bits(const float *value)
{
    const __m256 zero = _mm256_setzero_ps(), low = _mm256_loadu_ps(value), high = _mm256_loadu_ps(value + LANES / 2);
    return (uint16_t)(_mm256_movemask_ps(_mm256_cmp_ps(low, zero, _CMP_GT_OQ)) |
                      _mm256_movemask_ps(_mm256_cmp_ps(high, zero, _CMP_GT_OQ)) << LANES / 2);
}

INLINE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))) uint16_t avx512_bits(const float *value)
{
    return _mm512_cmp_ps_mask(_mm512_loadu_ps(value), _mm512_setzero_ps(), _CMP_GT_OQ);
}
#endif

#define KERNEL portable
#define TARGET
#define ROUND(v) (void)(v)
#include "core/kernels/path_pool_kernel.h"
#if defined(__x86_64__)
#define KERNEL avx2
#define TARGET __attribute__((target("avx2")))
#define ROUND(v) (void)(v)
#include "core/kernels/path_pool_kernel.h"
#define KERNEL avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define ROUND(v) __asm__("" : "+v"(v))
#include "core/kernels/path_pool_kernel.h"
#endif

typedef struct kernel {
    void (*find)(const window *w, float *row, uint8_t *places);
    void (*forward)(const window *w, int64_t count, float a, float *y, uint8_t *code);
    void (*share)(const window *w, int64_t count, const uint8_t *code, float weight, const float *dy, bool begin, float *sums);
    void (*backward)(const window *w, float a, float weight, const float *dy, bool begin, float *sums);
    void (*spread)(const float *sums, const uint8_t *places, int64_t channels, int32_t first, int32_t last, float *dx);
} kernel;

static kernel choose(void)
{
#if defined(__x86_64__)
    if (!strcmp(ng_kernel_name(), "avx512") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return (kernel){avx512_find, avx512_forward, avx512_share, avx512_backward, avx512_spread};
    if (strcmp(ng_kernel_name(), "portable")) return (kernel){avx2_find, avx2_forward, avx2_share, avx2_backward, avx2_spread};
#endif
    return (kernel){portable_find, portable_forward, portable_share, portable_backward, portable_spread};
}

typedef struct path_pool { kernel kernel; const float *order, *scale, *shift; } path_pool;

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch);

static const ng_layer_type type = {
    .class_name = "MaxPooling1D", .algorithm = "with relu and norm, winners once for all nodes", .forward = forward};

bool ng_path_pool(const ng_layer *pool, ng_arena *arena, ng_layer *made)
{
    ng_error error;
    const int64_t channels = pool->out.channels;
    const float *scale, *shift;
    if (channels % LANES || !ng_relu_pool_scales(pool, &scale, &shift)) return false;
    path_pool *config = ng_alloc(arena, 1, sizeof *config, &error);
    float *order = ng_alloc(arena, channels, sizeof *order, &error);
    if (!config || !order) return false;
    for (int64_t c = 0; c < channels; c++) order[c] = scale[c] < 0 ? -1 : 1;
    *config = (path_pool){choose(), order, scale, shift};
    *made = *pool;
    made->type = &type;
    made->config = config;
    made->code_bytes = channels / 8;
    return true;
}

bool ng_path_pool_norm(const ng_layer *pool, const ng_layer *norm, ng_arena *arena, ng_layer *made)
{
    ng_error error;
    const path_pool *before = pool->config;
    const float *scale, *shift;
    if (norm->type != &ng_batch_normalization || !ng_scale_and_shift(norm, &scale, &shift)) return false;
    for (int64_t c = 0; c < pool->out.channels; c++)
        if (before->scale[c] != 1 || before->shift[c] != 0) return false;
    path_pool *config = ng_alloc(arena, 1, sizeof *config, &error);
    if (!config) return false;
    *config = (path_pool){before->kernel, before->order, scale, shift};
    *made = *pool;
    made->name = norm->name;
    made->index = norm->index;
    made->config = config;
    return true;
}

/* ---- once for all nodes ---- */

static ng_range rows_of(const ng_layer *layer, int64_t t)
{
    const int64_t start = t * layer->reach.stride - layer->reach.pad;
    return ng_clip(start, start + layer->reach.size, layer->in->length);
}

static window new_window(const ng_layer *layer, const float *x, const float *b, int64_t rows)
{
    const path_pool *config = layer->config;
    return (window){x, b, config->order, config->scale, config->shift, rows, layer->out.channels};
}

/* At the sequence itself. */
static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    const path_pool *config = layer->config;
    NG_EACH_ROW(y, sample, t) {
        const ng_range own = rows_of(layer, t);
        const float *rows = ng_row(x, sample, own.first);
        const window w = new_window(layer, rows, rows, own.last - own.first);
        config->kernel.forward(&w, 1, 1, ng_row(y, sample, t), NULL);
    }
}

/* Are all rows of the baseline in this window the usual one? */
static bool usual(const float *rows, int64_t count, const float *baseline, int64_t channels)
{
    for (int64_t j = 0; j < count; j++)
        if (memcmp(rows + j * channels, baseline, (size_t)channels * sizeof *rows)) return false;
    return true;
}

int64_t ng_winners_bytes(const ng_layer *layer, int64_t windows) { return windows * layer->out.channels * 5; }

void ng_winners_part(const ng_layer *layer, const ng_tile *ends, ng_range rows, bool apart, const ng_winners *winners)
{
    for (int64_t t = rows.first; t < rows.last; t++) {
        const ng_range own = rows_of(layer, t);
        winners->apart[t - winners->first] = apart || (ends->samples > 1 && !usual(ng_row(ends, 1, own.first), own.last - own.first,
                                                                                   winners->baseline, layer->out.channels));
    }
}

void ng_winners_find(const ng_layer *layer, const ng_tile *sequence, ng_range rows, const ng_winners *winners)
{
    const path_pool *config = layer->config;
    const int64_t channels = layer->out.channels;
    for (int64_t t = rows.first; t < rows.last; t++) {
        const ng_range own = rows_of(layer, t);
        const window w = new_window(layer, ng_row(sequence, 0, own.first), NULL, own.last - own.first);
        const int64_t at = t - winners->first;
        if (!winners->apart[at]) config->kernel.find(&w, winners->rows + at * channels, winners->places + at * channels);
    }
}

int64_t ng_next_apart(const ng_winners *winners, ng_range rows)
{
    const uint8_t *from = winners->apart + (rows.first - winners->first);
    const uint8_t *found = rows.first < rows.last ? memchr(from, 1, (size_t)(rows.last - rows.first)) : NULL;
    return found ? rows.first + (found - from) : rows.last;
}

static int64_t apart_size(const ng_layer *layer) { return 2 * layer->reach.size * layer->out.channels; }

int64_t ng_apart_bytes(const ng_layer *layer, int64_t windows) { return windows * apart_size(layer) * (int64_t)sizeof(float); }

void ng_apart_copy(const ng_layer *layer, const ng_tile *ends, ng_range rows, float *to)
{
    for (int64_t t = rows.first; t < rows.last; t++, to += apart_size(layer)) {
        const ng_range own = rows_of(layer, t);
        const size_t size = (size_t)((own.last - own.first) * layer->out.channels) * sizeof *to;
        for (int64_t end = 0; end < 2; end++)
            memcpy(to + end * apart_size(layer) / 2, ng_row(ends, end < ends->samples ? end : 0, own.first), size);
    }
}

/* ---- for each node ---- */

/* The windows from row t on that are alike: one that keeps its rows apart, or as many as share theirs. *apart moves on. */
static window next_windows(const ng_layer *layer, const ng_windows *windows, int64_t t, const float **apart, int64_t *count)
{
    const ng_winners *winners = windows->winners;
    const int64_t end = ng_next_apart(winners, (ng_range){t, windows->last});
    *count = end > t ? end - t : 1;
    if (end > t)
        return new_window(layer, winners->rows ? winners->rows + (t - winners->first) * layer->out.channels : NULL, winners->baseline, 1);
    const float *x = *apart;
    const ng_range own = rows_of(layer, t);
    *apart += apart_size(layer);
    return new_window(layer, x, x + apart_size(layer) / 2, own.last - own.first);
}

void ng_windows_forward(const ng_layer *layer, const ng_windows *windows, float a, float *y, uint8_t *code)
{
    const path_pool *config = layer->config;
    const float *apart = windows->apart;
    for (int64_t t = windows->first, count; t < windows->last; t += count) {
        const window w = next_windows(layer, windows, t, &apart, &count);
        const int64_t at = (t - windows->first) * w.channels;
        config->kernel.forward(&w, count, a, y + at, code ? code + at / 8 : NULL);
    }
}

void ng_windows_backward(const ng_layer *layer, const ng_windows *windows, float a, float weight, const float *dy, const uint8_t *code, bool begin,
                         float *shared_sums, float *apart_sums)
{
    const path_pool *config = layer->config;
    const float *apart = windows->apart;
    for (int64_t t = windows->first, count; t < windows->last; t += count) {
        const float *before = apart;
        const window w = next_windows(layer, windows, t, &apart, &count);
        const int64_t at = (t - windows->first) * w.channels;
        if (apart == before) config->kernel.share(&w, count, code + at / 8, weight, dy + at, begin, shared_sums + at);
        else {
            config->kernel.backward(&w, a, weight, dy + at, begin, apart_sums);
            apart_sums += layer->reach.size * w.channels;
        }
    }
}

/* ---- at the end ---- */

void ng_winners_spread(const ng_layer *layer, const ng_winners *winners, ng_range rows, const float *shared, const float *apart,
                       ng_tile *dx)
{
    const path_pool *config = layer->config;
    const int64_t channels = layer->out.channels, size = layer->reach.size;
    for (int64_t t = rows.first; t < rows.last; t++, shared += channels) {
        const ng_range own = rows_of(layer, t);
        const uint8_t *places = winners->places + (t - winners->first) * channels;
        const int64_t first = own.first > dx->first ? own.first : dx->first, last = own.last < dx->last ? own.last : dx->last;
        const bool kept_apart = winners->apart[t - winners->first];
        const float *sums = apart;
        if (kept_apart) apart += size * channels;
        if (first >= last) continue;
        float *to = ng_row(dx, 0, first);
        if (!kept_apart) config->kernel.spread(shared, places, channels, (int32_t)(first - own.first), (int32_t)(last - own.first), to);
        else
            for (int64_t i = 0; i < (last - first) * channels; i++) to[i] += sums[(first - own.first) * channels + i];
    }
}
