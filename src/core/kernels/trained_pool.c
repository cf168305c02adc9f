/* core/kernels/trained_pool.c: see trained_conv1d.c, relu_pool.c and activation.c for what is computed. A bit is some windows of one sample,
 * or, of short ones, all windows of a few; those of an activation are single rows. */
#include <string.h>
#include "core/kernels/relu_pool.h"
#include "core/kernels/trained_conv1d.h"
#include "core/kernels/trained_pool.h"
#include "core/network/types.h"

enum { BIT = 1 << 16, LONG_BIT = 1 << 19 };      /* bytes: for a convolution that takes any rows, and one that takes them in blocks */

/* Rows of the convolution in a bit forward, of x in one backward, and again of the convolution in one of the gradient. */
typedef struct trained_pool { ng_layer conv, pool; int64_t rows, back_rows, gradient_rows, room; } trained_pool;

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Samples of a bit with so many rows of each. */
static int64_t samples_of(const trained_pool *config, int64_t rows) { return most(1, config->room / (most(1, rows) * config->conv.out.channels)); }

/* Rows [first, last) of `samples` samples from n on. */
static ng_tile cut(const ng_tile *tile, int64_t n, int64_t samples, ng_range rows)
{
    ng_tile part = *tile;
    if (tile->data) part.data = tile->data + n * tile->sample_stride + (rows.first - tile->first) * tile->channels;
    part.first = rows.first;
    part.last = rows.last;
    part.samples = samples;
    return part;
}

static ng_code cut_code(const ng_code *code, int64_t n)
{
    ng_code part = *code;
    part.data = code->data + n * code->sample_stride;
    return part;
}

/* Rows of the convolution, in scratch. */
static ng_tile between(const trained_pool *config, int64_t samples, ng_range rows, void *scratch)
{
    const int64_t C = config->conv.out.channels;
    return (ng_tile){scratch, rows.first, rows.last, config->conv.out.length, C, samples, (rows.last - rows.first) * C};
}

static void *behind(const trained_pool *config, void *scratch) { return (float *)scratch + config->room; }

/* The windows of rows that begin and end with one; and of any rows. */
static ng_range windows_of(const trained_pool *config, ng_range rows)
{
    const int64_t p = config->pool.reach.size, end = config->pool.out.length;
    return (ng_range){least(rows.first / p, end), least((rows.last + p - 1) / p, end)};
}

/* The gradient of the convolution's rows: zeros, but where a window has its winner. */
static ng_tile spread(const trained_pool *config, const ng_tile *dy, const ng_code *code, int64_t n, int64_t samples, ng_range rows, void *scratch)
{
    ng_tile gradient = between(config, samples, rows, scratch);
    const ng_tile part = cut(dy, n, samples, windows_of(config, rows));
    const ng_code winners = cut_code(code, n);
    memset(gradient.data, 0, (size_t)(samples * gradient.sample_stride) * sizeof *gradient.data);
    config->pool.type->backward(&config->pool, &part, &winners, &gradient, NULL);
    return gradient;
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    const trained_pool *config = layer->config;
    const int64_t p = config->pool.reach.size, length = config->conv.out.length;
    for (int64_t t = y->first, last; t < y->last; t = last) {
        last = least(y->last, t + config->rows / p);
        const ng_range rows = {t * p, last == config->pool.out.length ? length : last * p};
        const int64_t step = samples_of(config, rows.last - rows.first);
        for (int64_t n = 0, samples; n < y->samples; n += samples) {
            samples = least(step, y->samples - n);
            const ng_tile from = cut(x, n, samples, (ng_range){x->first, x->last});
            ng_tile here = between(config, samples, rows, scratch), to = cut(y, n, samples, (ng_range){t, last});
            ng_code winners = cut_code(code, n);
            config->conv.type->forward(&config->conv, &from, &here, NULL, behind(config, scratch));
            config->pool.type->forward(&config->pool, &here, &to, &winners, NULL);
        }
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    const trained_pool *config = layer->config;
    const ng_layer *conv = &config->conv;
    for (int64_t i = dx->first, last; dx->data && i < dx->last; i = last) {
        last = least(dx->last, i + config->back_rows);
        const ng_range rows = ng_rows_touched(conv->reach, (ng_range){i, last}, conv->out.length);
        const int64_t step = samples_of(config, rows.last - rows.first);
        for (int64_t n = 0, samples; n < dy->samples; n += samples) {
            samples = least(step, dy->samples - n);
            const ng_tile gradient = spread(config, dy, code, n, samples, rows, scratch);
            ng_tile to = cut(dx, n, samples, (ng_range){i, last});
            conv->type->backward(conv, &gradient, NULL, &to, behind(config, scratch));
        }
    }
}

static void gradients(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx, float *const *dw,
                      void *scratch)
{
    const trained_pool *config = layer->config;
    const int64_t p = config->pool.reach.size;
    bool begin = true;
    for (int64_t t = dy->first, last; t < dy->last; t = last) {
        last = least(dy->last, t + config->gradient_rows / p);
        const ng_range rows = {t * p, last * p};
        const int64_t step = samples_of(config, rows.last - rows.first);
        for (int64_t n = 0, samples; n < dy->samples; n += samples, begin = false) {
            samples = least(step, dy->samples - n);
            const ng_tile gradient = spread(config, dy, code, n, samples, rows, scratch);
            const ng_tile from = cut(x, n, samples, (ng_range){x->first, x->last});
            ng_trained_conv1d_add(&config->conv, &from, &gradient, begin, dw, behind(config, scratch));
        }
    }
    if (!begin) ng_trained_conv1d_end(&config->conv, dw, behind(config, scratch));
    backward(layer, dy, code, dx, scratch);
}

static const ng_layer_type type = {.class_name = "Conv1D", .algorithm = "with what is behind it, as they train",
                                   .forward = forward, .backward = backward, .gradients = gradients};

/* The smallest multiple of both. */
static int64_t common(int64_t align, int64_t p)
{
    int64_t unit = most(align, 1);
    while (unit % p) unit += most(align, 1);
    return unit;
}

/* As many units as fit, one at least. */
static int64_t rows_of_bit(int64_t unit, int64_t fitting, int64_t all)
{
    return least(most(unit, fitting / unit * unit), (all + unit - 1) / unit * unit);
}

ng_status ng_trained_pool(const ng_layer *conv, const ng_layer *pool, ng_arena *arena, ng_layer *made, ng_error *error)
{
    const int64_t p = pool->reach.size, C = conv->out.channels;
    const float *scale, *shift;
    if (!ng_is_trained_conv1d(conv) || (pool->type != &ng_activation && !ng_relu_pool_scales(pool, &scale, &shift))) return NG_OK;
    if (pool->reach.stride != p || pool->reach.pad) return NG_OK;
    if (pool->out.length * p > conv->out.length) return NG_OK;       /* the last window meets padding */
    trained_pool *config = ng_alloc(arena, 1, sizeof *config, error);
    if (!config) return error->status;
    const int64_t fitting = (conv->x_align > 1 ? LONG_BIT : BIT) / (C * (int64_t)sizeof(float));
    *config = (trained_pool){.conv = *conv, .pool = *pool};
    const int64_t unit = common(conv->y_align, p);
    config->rows = rows_of_bit(unit, fitting, conv->out.length);
    config->back_rows = rows_of_bit(most(conv->x_align, 1), fitting, conv->in->length);
    config->gradient_rows = most(p, ng_trained_conv1d_rows(conv) / p * p);
    const int64_t longest = most(config->rows + p, most(config->back_rows + conv->reach.size, config->gradient_rows));
    config->room = (most(longest, fitting) * C + 15) / 16 * 16;
    *made = *conv;
    made->type = &type;
    made->config = config;
    made->out = pool->out;
    made->reach = (ng_reach){p - 1 + conv->reach.size, p, 1, conv->reach.pad};
    made->code_bytes = pool->code_bytes;
    made->call_bytes = conv->call_bytes + config->room * (int64_t)sizeof(float);
    made->y_align = unit / p;
    made->x_align = conv->x_align;
    return NG_OK;
}
