/* core/network/concatenate.c: Concatenate, inputs joined along one axis.
 *     channels:  y[t, o_i + c] = x_i[t, c]                        row by row, o_i: the channels of the inputs before
 *     earlier:   y[g R + o_i + r] = x_i[g R_i + r]                whole rows: of each of g = 0..G-1 groups the R_i rows of
 *                                                                 every input in turn, R their sum, o_i the rows before
 *     dx_i += the part of dy that came from it */
#include <math.h>
#include <string.h>
#include "core/network/layer.h"
#include "core/network/vector.h"

typedef struct concatenate { int64_t groups; } concatenate;              /* 0: along the channels */

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const ng_shape first = layer->in[0];
    const double given = ng_number(layer->settings, "axis", 0, -1), axis = given < 0 ? given + first.rank + 1 : given;
    if (!(axis >= 1 && axis <= first.rank && axis == floor(axis)))
        return ng_fail(error, NG_BAD_MODEL, layer, "axis is %g; its inputs have axes 1 to %d besides the batch", given, first.rank);
    const int along = 2 - (first.rank - (int)axis);                      /* of samples, length, channels */
    int64_t size[3] = {first.samples, first.length, first.channels};
    for (int i = 1; i < layer->inputs; i++) {
        const int64_t other[3] = {layer->in[i].samples, layer->in[i].length, layer->in[i].channels};
        bool fits = layer->in[i].rank == first.rank;
        for (int j = 0; j < 3; j++) fits = fits && (j == along || other[j] == size[j]);
        if (!fits)
            return ng_fail(error, NG_BAD_MODEL, layer, "input %d does not fit input 1 along the axes that are not joined", i + 1);
        size[along] += other[along];
    }
    concatenate *config = ng_alloc(arena, 1, sizeof *config, error);
    if (!config) return error->status;
    config->groups = along == 2 ? 0 : along == 1 ? first.samples : 1;
    layer->config = config;
    layer->out = (ng_shape){first.rank, size[0], size[1], size[2]};
    layer->reach = (ng_reach){along == 2, 1, 1, 0};
    return NG_OK;
}

/* The output row where row t of an input begins, rows_before being those of the inputs before in each group. */
static int64_t output_row(const ng_layer *layer, int64_t groups, int input, int64_t rows_before, int64_t t)
{
    const int64_t rows = ng_rows(layer->in[input]) / groups;
    return t / rows * (ng_rows(layer->out) / groups) + rows_before + t % rows;
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    (void)code, (void)scratch;
    const int64_t groups = ((const concatenate *)layer->config)->groups;
    int64_t before = 0;
    for (int i = 0; i < layer->inputs; i++) {
        const size_t bytes = (size_t)x[i].channels * sizeof(float);
        if (groups == 0) {
            NG_EACH_ROW(y, sample, t) memcpy(ng_row(y, sample, t) + before, ng_row(&x[i], sample, t), bytes);
            before += x[i].channels;
        } else {
            NG_EACH_ROW(&x[i], sample, t) {
                const int64_t to = output_row(layer, groups, i, before, t);
                if (to >= y->first && to < y->last) memcpy(ng_row(y, sample, to), ng_row(&x[i], sample, t), bytes);
            }
            before += ng_rows(layer->in[i]) / groups;
        }
    }
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    (void)code, (void)scratch;
    const int64_t groups = ((const concatenate *)layer->config)->groups;
    int64_t before = 0;
    for (int i = 0; i < layer->inputs; i++) {
        if (dx[i].data) NG_EACH_ROW(&dx[i], sample, t) {
            const float *from = groups ? ng_row(dy, sample, output_row(layer, groups, i, before, t)) : ng_row(dy, sample, t) + before;
            ng_add_to(ng_row(&dx[i], sample, t), from, dx[i].channels);
        }
        before += groups ? ng_rows(layer->in[i]) / groups : layer->in[i].channels;
    }
}

const ng_layer_type ng_concatenate = {
    .class_name = "Concatenate", .several = true, .shape = shape, .forward = forward, .backward = backward};
