/* core/kernels/relu_pool.c: relu, then y = v r + s channel by channel, then the largest value of each window.
 *     v[i, c]  = max(x[i, c], 0) r[c] + s[c]
 *     y[t, c]  = max over j = 0..p-1 of v[t s - P + j, c]             rows outside [0, L) never win
 *     w[t, c]  = the smallest j that attains it; DEAD if its x is not above 0
 *     dx[t s - P + w[t, c], c] += dy[t, c] r[c]                       unless dead
 * See max_pooling1d.c, activation.c and batch_normalization.c, which say what is right. */
#include <math.h>
#include <string.h>
#include "core/kernels/matrix.h"
#include "core/kernels/relu_pool.h"
#include "core/network/affine.h"
#include "core/network/types.h"

enum { DEAD = 255, LANES = 16, HALF = 4, LOW = 15 };      /* half a byte, which is LOW if dead */

typedef float lanes __attribute__((vector_size(LANES * 4)));
typedef int32_t masks __attribute__((vector_size(LANES * 4)));
typedef uint8_t codes __attribute__((vector_size(LANES)));
#define INLINE static inline __attribute__((always_inline))

#define NAME(f) f##_portable
#define TARGET
#define ROUND(v) (void)(v)
#include "core/kernels/relu_pool_kernel.h"
#if defined(__x86_64__)
#define NAME(f) f##_avx2
#define TARGET __attribute__((target("avx2")))
#define ROUND(v) (void)(v)
#include "core/kernels/relu_pool_kernel.h"
#define NAME(f) f##_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define ROUND(v) __asm__("" : "+v"(v))
#include "core/kernels/relu_pool_kernel.h"
#endif

typedef struct kernel {
    void (*best)(const float *x, int64_t rows, int64_t x_stride, int64_t channels, int32_t first, const float *scale,
                 const float *shift, bool shared, float *y, uint8_t *winner);
    void (*give)(const float *dy, const uint8_t *winner, const float *scale, int64_t channels, int32_t first, int32_t last,
                 bool shared, float *dx, int64_t dx_stride);
} kernel;

/* For the instruction set of the matrix product, so that a test can force this one as well. */
static kernel choose(void)
{
#if defined(__x86_64__)
    if (!strcmp(ng_kernel_name(), "avx512") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return (kernel){best_avx512, give_avx512};
    if (strcmp(ng_kernel_name(), "portable")) return (kernel){best_avx2, give_avx2};
#endif
    return (kernel){best_portable, give_portable};
}

/* Rows padded to whole vectors. shared: two winners a byte, those of a vector of channels in its low half, of the next in the other. */
typedef struct relu_pool { kernel kernel; const float *scale, *shift; bool shared; } relu_pool;

/* The last channels, fewer than LANES: the same on a padded copy. */
static void best_of_rest(const relu_pool *config, const float *x, int64_t rows, int64_t channels, int32_t first, float *y,
                         uint8_t *winner)
{
    float copy[DEAD * LANES], best[LANES];
    uint8_t place[LANES];
    const int64_t whole = channels / LANES * LANES;
    const size_t rest = (size_t)(channels - whole);
    memset(copy, 0, (size_t)rows * LANES * sizeof *copy);
    for (int64_t j = 0; j < rows; j++) memcpy(copy + j * LANES, x + j * channels + whole, rest * sizeof *copy);
    config->kernel.best(copy, rows, LANES, LANES, first, config->scale + whole, config->shift + whole, false, best, place);
    memcpy(y + whole, best, rest * sizeof *y);
    memcpy(winner + whole, place, rest);
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)scratch;
    const relu_pool *config = layer->config;
    const int64_t channels = y->channels, whole = channels / LANES * LANES;
    NG_EACH_ROW(y, sample, t) {
        const int64_t start = t * layer->reach.stride - layer->reach.pad;
        const ng_range window = ng_clip(start, start + layer->reach.size, x->length);
        const int64_t rows = window.last - window.first;
        const int32_t first = (int32_t)(window.first - start);
        const float *from = ng_row(x, sample, window.first);
        float *to = ng_row(y, sample, t);
        uint8_t *winner = ng_code_row(code, sample, t);
        config->kernel.best(from, rows, channels, whole, first, config->scale, config->shift, config->shared, to, winner);
        if (whole < channels) best_of_rest(config, from, rows, channels, first, to, winner);
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)scratch;
    if (!dx->data) return;
    const relu_pool *config = layer->config;
    const int64_t channels = dy->channels, whole = channels / LANES * LANES;
    NG_EACH_ROW(dy, sample, t) {
        const int64_t start = t * layer->reach.stride - layer->reach.pad;
        const ng_range mine = {dx->first - start, dx->last - start};     /* winners outside belong to another tile */
        if (mine.first >= layer->reach.size || mine.last <= 0) continue;
        const float *gradient = ng_row(dy, sample, t);
        const uint8_t *winner = ng_code_row(code, sample, t);
        const int64_t first = mine.first > 0 ? mine.first : 0, last = mine.last < layer->reach.size ? mine.last : layer->reach.size;
        float *to = dx->data + sample * dx->sample_stride + (first - mine.first) * channels;
        config->kernel.give(gradient, winner, config->scale, whole, (int32_t)first, (int32_t)last, config->shared, to, channels);
        for (int64_t c = whole; c < channels; c++)
            if (winner[c] >= first && winner[c] < last) to[(winner[c] - first) * channels + c] += gradient[c] * config->scale[c];
    }
}

static const ng_layer_type type = {.class_name = "MaxPooling1D", .algorithm = "with relu and norm before it",
                                   .forward = forward, .backward = backward};

/* Is it relu and nothing else? */
static bool plain_relu(const ng_layer *layer)
{
    return layer->type == &ng_activation && !strcmp(ng_word(layer->settings, "activation", ""), "relu") &&
           ng_number(layer->settings, "negative_slope", 0, 0) == 0 && ng_number(layer->settings, "threshold", 0, 0) == 0 &&
           !isfinite(ng_number(layer->settings, "max_value", 0, INFINITY));
}

bool ng_relu_pool(const ng_layer *relu, const ng_layer *norm, const ng_layer *pool, ng_arena *arena, ng_layer *fused)
{
    ng_error error;
    const int64_t channels = pool->out.channels;
    const float *scale, *shift;
    if (!plain_relu(relu) || pool->type != &ng_max_pooling1d || pool->reach.size > DEAD) return false;
    if (norm && !(norm->type == &ng_batch_normalization && ng_scale_and_shift(norm, &scale, &shift))) return false;
    relu_pool *config = ng_alloc(arena, 1, sizeof *config, &error);
    float *padded = ng_alloc(arena, 2 * (channels + LANES), sizeof *padded, &error);
    if (!config || !padded) return false;
    for (int64_t c = 0; c < channels; c++) {
        padded[c] = norm ? scale[c] : 1;
        padded[channels + LANES + c] = norm ? shift[c] : 0;
    }
    *config = (relu_pool){choose(), padded, padded + channels + LANES, channels % (2 * LANES) == 0 && pool->reach.size <= LOW};
    *fused = *pool;
    if (config->shared) fused->code_bytes = channels / 2;
    fused->type = &type;
    fused->config = config;
    fused->in = relu->in;
    return true;
}

int ng_relu_pool_winner(const ng_layer *layer, const uint8_t *code, int64_t c)
{
    const relu_pool *config = layer->config;
    if (!config->shared) return code[c] == DEAD ? -1 : code[c];
    const int64_t pair = c / (2 * LANES), place = c % (2 * LANES);
    const int winner = code[pair * LANES + place % LANES] >> (place < LANES ? 0 : HALF) & LOW;
    return winner == LOW ? -1 : winner;
}

bool ng_relu_pool_scales(const ng_layer *layer, const float **scale, const float **shift)
{
    if (layer->type != &type) return false;
    const relu_pool *config = layer->config;
    *scale = config->scale;
    *shift = config->shift;
    return true;
}
