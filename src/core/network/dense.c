/* core/network/dense.c: Dense on the last axis, each row on its own.    x (..., C) -> y (..., U), kernel W (C, U), bias b (U)
 * The projections of attention split U, or C, into heads: (C, H, U / H), (H, C / H, U), in the same order of numbers.
 *     y[t, o]   = b[o] + sum over c of x[t, c] W[c, o]
 *     dx[t, c] += sum over o of dy[t, o] W[c, o]
 *     dW[c, o] += sum over t of x[t, c] dy[t, o],   db[o] += sum over t of dy[t, o] */
#include "core/kernels/matrix.h"
#include "core/kernels/weight_product.h"
#include "core/network/layer.h"

typedef struct dense { ng_packed kernel, transposed; const float *bias; } dense;

/* Has weight number `at` these rows and columns, each perhaps split into several axes? */
static bool is_matrix(const ng_layer *layer, int at, int64_t rows, int64_t columns)
{
    if (at >= layer->weight_count) return false;
    const ng_tensor *weight = &layer->weights[at];
    int64_t before = 1, after = 1;
    int axis = 0;
    while (axis < weight->rank && before < rows) before *= weight->dim[axis++];
    while (axis < weight->rank) after *= weight->dim[axis++];
    return before == rows && after == columns;
}

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const int64_t channels = layer->in->channels;
    int64_t units;
    if (ng_expect_rank(layer, 1, 3, error) || ng_whole(layer, "units", 0, 0, 1, &units, error)) return error->status;
    const bool use_bias = ng_flag(layer->settings, "use_bias", layer->weight_count > 1);
    if (!is_matrix(layer, 0, channels, units) && ng_expect_weight(layer, 0, 2, (int64_t[]){channels, units}, error))
        return error->status;
    if (use_bias && !is_matrix(layer, 1, 1, units) && ng_expect_weight(layer, 1, 1, &units, error)) return error->status;

    dense *config = ng_alloc(arena, 1, sizeof *config, error);
    if (!config) return error->status;
    const float *kernel = layer->weights[0].data;
    if (ng_pack(kernel, channels, units, units, 1, arena, &config->kernel, error)) return error->status;
    if (ng_pack(kernel, units, channels, 1, units, arena, &config->transposed, error)) return error->status;
    config->bias = use_bias ? layer->weights[1].data : NULL;
    layer->config = config;
    ng_row_by_row(layer);
    layer->out.channels = units;
    layer->gradient_bytes = ng_weight_product_floats(layer->reach, ng_rows(layer->out), channels, units) * (int64_t)sizeof(float);
    return NG_OK;
}

/* The rows of `to`, from the same rows of `from`. Where every sample has one row, the samples are the rows of one product. */
static void multiply(const ng_tile *from, const ng_packed *kernel, const float *bias, bool add, ng_tile *to)
{
    const int64_t rows = to->last - to->first;
    if (rows == 1) {
        ng_multiply(ng_row(from, 0, to->first), to->samples, from->sample_stride, kernel, 0, kernel->depth, bias, add, to->data,
                    to->sample_stride);
        return;
    }
    for (int64_t n = 0; rows > 0 && n < to->samples; n++)
        ng_multiply(ng_row(from, n, to->first), rows, from->channels, kernel, 0, kernel->depth, bias, add,
                    ng_row(to, n, to->first), to->channels);
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    const dense *config = layer->config;
    multiply(x, &config->kernel, config->bias, false, y);
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)code, (void)scratch;
    const dense *config = layer->config;
    if (dx->data) multiply(dy, &config->transposed, NULL, true, dx);
}

/* Where every sample has one row, the samples are the rows of one product here too. */
static void gradients(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx, float *const *dw,
                      void *scratch)
{
    const int64_t C = x->channels, U = dy->channels, samples = dy->length == 1 ? 1 : dy->samples;
    const int64_t rows = dy->length == 1 ? dy->samples : dy->last - dy->first;
    const int64_t x_stride = dy->length == 1 ? x->sample_stride : C, dy_stride = dy->length == 1 ? dy->sample_stride : U;
    for (int64_t n = 0; rows > 0 && dy->first < dy->last && n < samples; n++) {
        const float *gradient = ng_row(dy, n, dy->first);
        if (dw[0])
            ng_add_weight_product(&(ng_weight_product){layer->reach, ng_row(x, n, dy->first), gradient, x_stride, dy_stride, rows,
                                                       0, rows, C, U, C * U, U},
                                  dw[0], scratch);
        if (layer->weight_count > 1 && dw[1]) ng_add_rows(gradient, rows, dy_stride, U, dw[1]);
    }
    backward(layer, dy, code, dx, scratch);
}

const ng_layer_type ng_dense = {
    "Dense", .affine = true, .shape = shape, .forward = forward, .backward = backward, .gradients = gradients};
