/* core/kernels/one_hot_conv1d.c: see network/conv1d.c for what is right. Its chain of multiply-adds, with x = 0 and 1, is
 *     y[t, o] = ((b[o] + K[0, a(t - P), o]) + K[1, a(t - P + 1), o]) + ...        a(i): the channel of the 1 in row i
 * Rows are taken in blocks; a block that is neither one-hot nor constant, or that meets the padding, goes to the layer itself. */
#include <string.h>
#include "core/kernels/matrix.h"
#include "core/kernels/one_hot_conv1d.h"
#include "core/network/types.h"

enum { BLOCK = 64, MOST_TAPS = 128, LANES = 16, ROWS = 4, VECTORS = 2 };

typedef float lanes __attribute__((vector_size(LANES * 4)));

typedef void pick(const float *kernel, const float *bias, const int64_t *channel, int64_t taps, int64_t channels, int64_t filters,
                  float *y);

typedef struct one_hot { ng_layer exact; pick *pick; const float *bias; } one_hot;

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")

/* `vectors` vectors of ROWS rows of y; channel[i]: the channel of the 1 in the i-th row that the first of them reads. */
INLINE void pick_vectors(const float *kernel, const float *bias, const int64_t *channel, int64_t taps, int64_t channels,
                         int64_t filters, const int vectors, float *y)
{
    lanes sum[ROWS][VECTORS], weight;
    UNROLL for (int v = 0; v < vectors; v++)
        UNROLL for (int r = 0; r < ROWS; r++) memcpy(&sum[r][v], bias + v * LANES, sizeof weight);
    for (int64_t j = 0; j < taps; j++)
        UNROLL for (int r = 0; r < ROWS; r++) {
            const float *from = kernel + (j * channels + channel[r + j]) * filters;
            UNROLL for (int v = 0; v < vectors; v++) {
                memcpy(&weight, from + v * LANES, sizeof weight);
                sum[r][v] += weight;
            }
        }
    UNROLL for (int v = 0; v < vectors; v++)
        UNROLL for (int r = 0; r < ROWS; r++) memcpy(y + r * filters + v * LANES, &sum[r][v], sizeof weight);
}

INLINE void pick_rows(const float *kernel, const float *bias, const int64_t *channel, int64_t taps, int64_t channels, int64_t filters,
                      float *y)
{
    int64_t o = 0;
    for (; o + VECTORS * LANES <= filters; o += VECTORS * LANES)
        pick_vectors(kernel + o, bias + o, channel, taps, channels, filters, VECTORS, y + o);
    if (o < filters) pick_vectors(kernel + o, bias + o, channel, taps, channels, filters, 1, y + o);
}

static void portable(const float *kernel, const float *bias, const int64_t *channel, int64_t taps, int64_t channels, int64_t filters,
                     float *y)
{
    pick_rows(kernel, bias, channel, taps, channels, filters, y);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void avx2(const float *kernel, const float *bias, const int64_t *channel, int64_t taps,
                                                 int64_t channels, int64_t filters, float *y)
{
    pick_rows(kernel, bias, channel, taps, channels, filters, y);
}

__attribute__((target("avx512f"))) static void avx512(const float *kernel, const float *bias, const int64_t *channel, int64_t taps,
                                                      int64_t channels, int64_t filters, float *y)
{
    pick_rows(kernel, bias, channel, taps, channels, filters, y);
}
#endif

static pick *choose(void)
{
#if defined(__x86_64__)
    if (!strcmp(ng_kernel_name(), "avx512")) return avx512;
    if (!strcmp(ng_kernel_name(), "avx2")) return avx2;
#endif
    return portable;
}

/* The channel of the single 1 in a row of zeros; -1 if the row is another. As integers: others besides a whole 1 add up to more. */
INLINE int64_t channel_of(const float *row, const int64_t channels)
{
    const uint32_t one = 0x3f800000;             /* the bits of 1 */
    uint64_t sum = 0;
    int64_t found = 0, ones = 0;
    UNROLL for (int64_t c = 0; c < channels; c++) {
        uint32_t bits;
        memcpy(&bits, row + c, sizeof bits);
        sum += bits;
        ones += bits == one;
        found += bits == one ? c : 0;
    }
    return ones == 1 && sum == one ? found : -1;
}

/* Of so many rows; false if one is another. */
static bool find_channels(const float *row, int64_t rows, int64_t channels, int64_t *channel)
{
    int64_t lowest = 0;
    if (channels == 4) for (int64_t i = 0; i < rows; i++) lowest |= channel[i] = channel_of(row + 4 * i, 4);
    else for (int64_t i = 0; i < rows; i++) lowest |= channel[i] = channel_of(row + i * channels, channels);
    return lowest >= 0;
}

/* Is every one of so many rows as the first? */
static bool all_alike(const float *row, int64_t rows, int64_t channels)
{
    return rows > 0 && !memcmp(row, row + channels, (size_t)((rows - 1) * channels) * sizeof *row);
}

static ng_tile some_rows(const ng_tile *tile, int64_t sample, int64_t first, int64_t last)
{
    ng_tile part = *tile;
    part.data = ng_row(tile, sample, first);
    part.first = first;
    part.last = last;
    part.samples = 1;
    return part;
}

/* Rows [first, last) of one sample, at most BLOCK. */
static void forward_block(const one_hot *config, const ng_tile *x, ng_tile *y, int64_t sample, int64_t first, int64_t last)
{
    const ng_layer *exact = &config->exact;
    const int64_t taps = exact->reach.size, channels = x->channels, filters = y->channels, from = first - exact->reach.pad;
    const int64_t rows = last - first + taps - 1;
    int64_t channel[BLOCK + MOST_TAPS];
    const bool inside = from >= 0 && from + rows <= x->length;
    const float *read = inside ? ng_row(x, sample, from) : NULL;
    const bool picks = inside && find_channels(read, rows, channels, channel), constant = inside && !picks && all_alike(read, rows, channels);
    ng_tile input = *x, output;
    input.data = x->data + sample * x->sample_stride;
    input.samples = 1;
    int64_t t = first;
    if (picks)
        for (; t + ROWS <= last; t += ROWS)
            config->pick(exact->weights[0].data, config->bias, channel + (t - first), taps, channels, filters, ng_row(y, sample, t));
    if (t == last) return;
    output = some_rows(y, sample, t, constant ? t + 1 : last);
    exact->type->forward(exact, &input, &output, NULL, NULL);
    for (t = first + 1; constant && t < last; t++) memcpy(ng_row(y, sample, t), output.data, (size_t)filters * sizeof *output.data);
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    for (int64_t sample = 0; sample < y->samples; sample++)
        for (int64_t first = y->first; first < y->last; first += BLOCK)
            forward_block(layer->config, x, y, sample, first, first + BLOCK < y->last ? first + BLOCK : y->last);
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    const one_hot *config = layer->config;
    config->exact.type->backward(&config->exact, dy, code, dx, scratch);
}

static const ng_layer_type type = {.class_name = "Conv1D", .algorithm = "table look-up", .affine = true, .forward = forward, .backward = backward};

ng_status ng_one_hot_conv1d(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const int64_t filters = layer->out.channels;
    if (layer->type != &ng_conv1d || layer->reach.stride > 1 || layer->reach.dilation > 1 || layer->reach.size > MOST_TAPS ||
        filters % LANES) return NG_OK;
    one_hot *config = ng_alloc(arena, 1, sizeof *config, error);
    float *no_bias = ng_alloc(arena, filters, sizeof *no_bias, error);
    if (!config || !no_bias) return error->status;
    *config = (one_hot){*layer, choose(), layer->weight_count > 1 ? layer->weights[1].data : no_bias};
    layer->type = &type;
    layer->config = config;
    layer->row_operations = (double)(layer->reach.size * filters);
    return NG_OK;
}
