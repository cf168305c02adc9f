#include <string.h>
#include "core/network/taps.h"
#include "core/network/vector.h"

ng_status ng_taps_pack(const ng_layer *layer, ng_taps_strides strides, ng_arena *arena, ng_taps *taps, ng_error *error)
{
    const float *kernel = layer->weights[0].data;
    if (taps->depth == 1 && taps->columns == 1 && strides.tap == taps->groups && strides.group == 1) {
        taps->diagonal = kernel;
        return NG_OK;
    }
    taps->kernels = ng_alloc(arena, layer->reach.size * taps->groups, sizeof *taps->kernels, error);
    if (!taps->kernels) return error->status;
    for (int64_t j = 0; j < layer->reach.size; j++)
        for (int64_t g = 0; g < taps->groups; g++)
            if (ng_pack(kernel + j * strides.tap + g * strides.group, taps->depth, taps->columns, strides.row, strides.column, arena,
                        &taps->kernels[j * taps->groups + g], error)) return error->status;
    return NG_OK;
}

/* Rows r of `to` += rows r of `from` times K_j. */
static void product(const ng_taps *taps, int64_t j, const float *from, int64_t from_stride, int64_t rows, float *to, int64_t to_stride)
{
    if (taps->diagonal) {
        for (int64_t r = 0; r < rows; r++)
            ng_add_product(to + r * to_stride, from + r * from_stride, taps->diagonal + j * taps->groups, taps->groups);
        return;
    }
    for (int64_t g = 0; g < taps->groups; g++)
        ng_multiply(from + g * taps->depth, rows, from_stride, &taps->kernels[j * taps->groups + g], 0, taps->depth, NULL, true,
                    to + g * taps->columns, to_stride);
}

static int64_t ceiling(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }      /* of a / b, b > 0 */

/* The t in [first, last) for which t * stride + offset lies in `wide`. */
static ng_range rows_at(int64_t first, int64_t last, int64_t stride, int64_t offset, ng_range wide)
{
    const int64_t a = ceiling(wide.first - offset, stride), b = ceiling(wide.last - offset, stride);
    return (ng_range){a > first ? a : first, b < last ? b : last};
}

void ng_taps_gather(const ng_taps *taps, ng_reach reach, const ng_tile *from, ng_tile *to)
{
    for (int64_t n = 0; n < to->samples; n++)
        for (int64_t j = 0; j < reach.size; j++) {
            const int64_t offset = j * reach.dilation - reach.pad;
            const ng_range t = rows_at(to->first, to->last, reach.stride, offset, (ng_range){0, from->length});
            if (t.first < t.last)
                product(taps, j, ng_row(from, n, t.first * reach.stride + offset), reach.stride * from->channels, t.last - t.first,
                        ng_row(to, n, t.first), to->channels);
        }
}

void ng_taps_scatter(const ng_taps *taps, ng_reach reach, const ng_tile *from, ng_tile *to)
{
    for (int64_t n = 0; n < to->samples; n++)
        for (int64_t j = 0; j < reach.size; j++) {
            const int64_t offset = j * reach.dilation - reach.pad;
            const ng_range t = rows_at(from->first, from->last, reach.stride, offset, (ng_range){to->first, to->last});
            if (t.first < t.last)
                product(taps, j, ng_row(from, n, t.first), from->channels, t.last - t.first,
                        ng_row(to, n, t.first * reach.stride + offset), reach.stride * to->channels);
        }
}

void ng_taps_begin(ng_tile *to, const float *bias)
{
    const size_t bytes = (size_t)to->channels * sizeof *bias;
    NG_EACH_ROW(to, n, t) {
        if (bias) memcpy(ng_row(to, n, t), bias, bytes);
        else memset(ng_row(to, n, t), 0, bytes);
    }
}
