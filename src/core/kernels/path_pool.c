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
#include "core/kernels/matrix.h"
#include "core/kernels/path_pool.h"
#include "core/kernels/relu_pool.h"
#include "core/network/affine.h"
#include "core/network/types.h"

enum { LANES = 16, APART = -1 };

typedef float lanes __attribute__((vector_size(LANES * 4)));
typedef int32_t masks __attribute__((vector_size(LANES * 4)));

/* One window: rows of both ends; x == b for the sequence itself. */
typedef struct window { const float *x, *b, *order, *scale, *shift; int64_t rows, channels; } window;

#define INLINE static inline __attribute__((always_inline))
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
#define TARGET __attribute__((target("avx512f,avx512dq")))
#define ROUND(v) __asm__("" : "+v"(v))
#include "core/kernels/path_pool_kernel.h"
#endif

typedef struct kernel {
    void (*find)(const window *w, float *row);
    void (*forward)(const window *w, float a, float *y);
    void (*backward)(const window *w, float a, float weight, const float *dy, bool begin, float *sums);
    void (*spread)(const window *w, const float *sums, int64_t first, int64_t last, float *dx);
} kernel;

static kernel choose(void)
{
#if defined(__x86_64__)
    if (!strcmp(ng_kernel_name(), "avx512") && __builtin_cpu_supports("avx512dq"))
        return (kernel){avx512_find, avx512_forward, avx512_backward, avx512_spread};
    if (strcmp(ng_kernel_name(), "portable")) return (kernel){avx2_find, avx2_forward, avx2_backward, avx2_spread};
#endif
    return (kernel){portable_find, portable_forward, portable_backward, portable_spread};
}

typedef struct path_pool { kernel kernel; const float *order, *scale, *shift; } path_pool;

static const ng_layer_type type = {.class_name = "MaxPooling1D", .algorithm = "with relu and norm, winners once for all nodes"};

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
    made->code_bytes = 0;
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
    made->config = config;
    return true;
}

/* ---- windows ---- */

static int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

int64_t ng_windows_bytes(const ng_layer *layer, ng_range rows)
{
    return padded((rows.last - rows.first) * layer->out.channels * (int64_t)sizeof(float)) +
           (rows.last - rows.first) * (int64_t)sizeof(int64_t);
}

static ng_range rows_of(const ng_layer *layer, int64_t t)
{
    const int64_t start = t * layer->reach.stride - layer->reach.pad;
    return ng_clip(start, start + layer->reach.size, layer->in->length);
}

/* The rows of window t as they are. */
static window window_at(const ng_layer *layer, const ng_tile *ends, int64_t t)
{
    const path_pool *config = layer->config;
    const ng_range rows = rows_of(layer, t);
    const float *x = ng_row(ends, 0, rows.first);
    return (window){x, ends->samples > 1 ? ng_row(ends, 1, rows.first) : x, config->order, config->scale, config->shift,
                    rows.last - rows.first, ends->channels};
}

static bool all_equal(const float *rows, int64_t count, int64_t channels)
{
    return !memcmp(rows, rows + channels, (size_t)((count - 1) * channels) * sizeof *rows);
}

void ng_windows_find(const ng_layer *layer, const ng_tile *ends, ng_range rows, bool apart, void *memory, ng_windows *windows)
{
    const path_pool *config = layer->config;
    const int64_t channels = ends->channels, count = rows.last - rows.first;
    *windows = (ng_windows){ends, rows.first, rows.last, memory,
                            (int64_t *)((uint8_t *)memory + padded(count * channels * (int64_t)sizeof(float)))};
    int64_t before = APART;
    for (int64_t t = rows.first; t < rows.last; t++) {
        const window w = window_at(layer, ends, t);
        int64_t *baseline = &windows->baseline[t - rows.first];
        *baseline = apart || (w.b != w.x && !all_equal(w.b, w.rows, channels)) ? APART : rows_of(layer, t).first;
        if (*baseline == APART) continue;
        config->kernel.find(&w, windows->rows + (t - rows.first) * channels);
        /* a constant baseline is read from one place, which stays in the nearest cache */
        if (before != APART && w.b != w.x && !memcmp(w.b, ng_row(ends, 1, before), (size_t)channels * sizeof *w.b)) *baseline = before;
        before = *baseline;
    }
}

/* Window t as the nodes see it: one row if it shares its winner. */
static window shared_window(const ng_layer *layer, const ng_windows *windows, int64_t t)
{
    window w = window_at(layer, windows->ends, t);
    const int64_t baseline = windows->baseline[t - windows->first];
    if (baseline == APART) return w;
    w.x = windows->rows + (t - windows->first) * w.channels;
    w.b = windows->ends->samples > 1 ? ng_row(windows->ends, 1, baseline) : w.x;
    w.rows = 1;
    return w;
}

void ng_windows_forward(const ng_layer *layer, const ng_windows *windows, float a, float *y)
{
    const path_pool *config = layer->config;
    for (int64_t t = windows->first; t < windows->last; t++, y += layer->out.channels) {
        window w = shared_window(layer, windows, t);
        if (a == 1) w.b = w.x;                   /* z itself: b + (x - b) may be rounded */
        config->kernel.forward(&w, a, y);
    }
}

void ng_windows_backward(const ng_layer *layer, const ng_windows *windows, float a, float weight, const float *dy, bool begin,
                         float *shared, float *apart)
{
    const path_pool *config = layer->config;
    const int64_t channels = layer->out.channels, size = layer->reach.size;
    for (int64_t t = windows->first; t < windows->last; t++, dy += channels, shared += channels, apart += size * channels) {
        window w = shared_window(layer, windows, t);
        if (a == 1) w.b = w.x;
        config->kernel.backward(&w, a, weight, dy, begin, windows->baseline[t - windows->first] == APART ? apart : shared);
    }
}

void ng_windows_spread(const ng_layer *layer, const ng_windows *windows, const float *shared, const float *apart, ng_tile *dx)
{
    const path_pool *config = layer->config;
    const int64_t channels = layer->out.channels, size = layer->reach.size;
    for (int64_t t = windows->first; t < windows->last; t++, shared += channels, apart += size * channels) {
        const ng_range rows = rows_of(layer, t);
        const int64_t first = rows.first > dx->first ? rows.first : dx->first, last = rows.last < dx->last ? rows.last : dx->last;
        if (first >= last) continue;
        float *to = ng_row(dx, 0, first);
        if (windows->baseline[t - windows->first] != APART) {
            const window w = window_at(layer, windows->ends, t);
            config->kernel.spread(&w, shared, first - rows.first, last - rows.first, to);
        } else
            for (int64_t i = 0; i < (last - first) * channels; i++) to[i] += apart[(first - rows.first) * channels + i];
    }
}
