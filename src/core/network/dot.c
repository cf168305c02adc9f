/* core/network/dot.c: Dot, products of two inputs along one axis of each.    a (M, K), b (N, K) -> y (M, N)
 *     y[m, n] = sum_k a[m, k] b[n, k]
 *     da[m, k] += sum_n dy[m, n] b[n, k],    db[n, k] += sum_m dy[m, n] a[m, k]
 * k runs along the chosen axis, m and n along the other; a vector has no other axis, and two vectors give one number. With
 * `normalize` every a[m, ] and b[n, ] is first divided by its length, q = max(sum_k a^2, 1e-12):
 *     u = a / sqrt(q),    da += (du - u sum_k u du) / sqrt(q)       without the second term where q is 1e-12
 * forward keeps both inputs as (rows, K), the normalized ones with 1 / sqrt(q) behind each row, negative where q is 1e-12. */
#include <math.h>
#include <string.h>
#include "core/network/layer.h"
#include "core/network/vector.h"

/* Number (m, k) of a sample stands at m * row_step + k * depth_step. */
typedef struct side { int64_t rows, depth, row_step, depth_step; } side;
typedef struct dot { side side[2]; bool normalize; } dot;

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    if (layer->inputs != 2) return ng_fail(error, NG_BAD_MODEL, layer, "it has %d inputs; Dot takes 2", layer->inputs);
    if (ng_expect_rank(layer, 1, 2, error)) return error->status;
    dot *config = ng_alloc(arena, 1, sizeof *config, error);
    if (!config) return error->status;
    const int64_t axes = ng_count(layer->settings, "axes");
    for (int i = 0; i < 2; i++) {
        const ng_shape in = layer->in[i];
        const double given = ng_number(layer->settings, "axes", axes > 1 ? i : 0, -1);
        const double axis = given < 0 ? given + in.rank + 1 : given;
        if (!(axis >= 1 && axis <= in.rank && axis == floor(axis)))
            return ng_fail(error, NG_BAD_MODEL, layer, "axes holds %g; input %d has axes 1 to %d besides the batch", given, i + 1,
                           in.rank);
        config->side[i] = axis == in.rank ? (side){in.length, in.channels, in.channels, 1}
                                          : (side){in.channels, in.length, 1, in.channels};
    }
    if (config->side[0].depth != config->side[1].depth)
        return ng_fail(error, NG_BAD_MODEL, layer, "the axes to multiply have sizes %lld and %lld", (long long)config->side[0].depth,
                       (long long)config->side[1].depth);
    config->normalize = ng_flag(layer->settings, "normalize", false);
    const int64_t rows[2] = {config->side[0].rows, config->side[1].rows};
    const bool matrix = layer->in[0].rank == 2 && layer->in[1].rank == 2;
    layer->out = matrix ? (ng_shape){2, 1, rows[0], rows[1]} : (ng_shape){1, 1, 1, rows[0] * rows[1]};
    layer->reach = (ng_reach){0, 1, 1, 0};
    const int64_t kept = (rows[0] + rows[1]) * (config->side[0].depth + 1);
    layer->code_bytes = (int64_t)sizeof(float) * ((kept + layer->out.length - 1) / layer->out.length);
    layer->scratch_bytes = (int64_t)sizeof(float) * config->side[0].depth;
    layer->config = config;
    return NG_OK;
}

/* The rows of one input, each followed by 1 / sqrt(q). */
static void gather(const side *s, bool normalize, const float *x, float *kept)
{
    for (int64_t m = 0; m < s->rows; m++, kept += s->depth + 1) {
        double squares = 0;
        for (int64_t k = 0; k < s->depth; k++) {
            kept[k] = x[m * s->row_step + k * s->depth_step];
            squares += (double)kept[k] * kept[k];
        }
        kept[s->depth] = 1;
        if (!normalize) continue;
        const float reciprocal = (float)(1 / sqrt(fmax(squares, 1e-12)));
        ng_scale(kept, reciprocal, s->depth);
        kept[s->depth] = squares < 1e-12 ? -reciprocal : reciprocal;
    }
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)scratch;
    const dot *config = layer->config;
    const side *a = &config->side[0], *b = &config->side[1];
    const int64_t stride = a->depth + 1;
    for (int64_t sample = 0; sample < y->samples; sample++) {
        float *kept[2], *to = y->data + sample * y->sample_stride;
        kept[0] = (float *)(code->data + sample * code->sample_stride);
        kept[1] = kept[0] + a->rows * stride;
        for (int i = 0; i < 2; i++) gather(&config->side[i], config->normalize, x[i].data + sample * x[i].sample_stride, kept[i]);
        for (int64_t m = 0; m < a->rows; m++)
            for (int64_t n = 0; n < b->rows; n++) {
                double sum = 0;
                for (int64_t k = 0; k < a->depth; k++) sum += (double)kept[0][m * stride + k] * kept[1][n * stride + k];
                to[m * b->rows + n] = (float)sum;
            }
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    const dot *config = layer->config;
    const int64_t depth = config->side[0].depth, stride = depth + 1, columns = config->side[1].rows;
    float *gradient = scratch;
    for (int64_t sample = 0; sample < dy->samples; sample++) {
        const float *from = dy->data + sample * dy->sample_stride, *kept[2];
        kept[0] = (const float *)(code->data + sample * code->sample_stride);
        kept[1] = kept[0] + config->side[0].rows * stride;
        for (int i = 0; i < 2; i++) {
            const side *own = &config->side[i];
            if (!dx[i].data) continue;
            for (int64_t m = 0; m < own->rows; m++) {
                memset(gradient, 0, (size_t)depth * sizeof *gradient);
                for (int64_t n = 0; n < config->side[1 - i].rows; n++)
                    ng_add_scaled(gradient, kept[1 - i] + n * stride, from[i ? n * columns + m : m * columns + n], depth);
                const float *unit = kept[i] + m * stride, reciprocal = unit[depth];
                double along = 0;
                if (config->normalize && reciprocal > 0) for (int64_t k = 0; k < depth; k++) along += (double)unit[k] * gradient[k];
                float *to = dx[i].data + sample * dx[i].sample_stride + m * own->row_step;
                for (int64_t k = 0; k < depth; k++)
                    to[k * own->depth_step] += (gradient[k] - unit[k] * (float)along) * fabsf(reciprocal);
            }
        }
    }
}

const ng_layer_type ng_dot = {.class_name = "Dot", .several = true, .shape = shape, .forward = forward, .backward = backward};
