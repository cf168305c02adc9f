/* core/kernels/weight_product.c: a block of x is turned, so that a channel's rows lie side by side, and a block of dy packed; then
 * each tap is one matrix product. With a stride s rows of x fall into s phases, and a tap reads one of them row by row. Where
 * channels are few and taps many, a channel's taps are the rows of the product: tap j begins j d numbers further. */
#include <string.h>
#include "core/kernels/matrix.h"
#include "core/kernels/weight_product.h"
#include "core/network/vector.h"

enum { BLOCK = 256, FEW = 12 };                  /* rows of dy in a block; channels that do not fill the tile of a product */

static int64_t panels(int64_t filters) { return (filters + NG_PANEL - 1) / NG_PANEL; }

static int64_t in_block(int64_t rows) { return rows < BLOCK ? rows : BLOCK; }

/* Rows of a phase in a block of dy. */
static int64_t phase_rows(ng_reach r, int64_t rows) { return ((in_block(rows) - 1) * r.stride + (r.size - 1) * r.dilation) / r.stride + 1; }

int64_t ng_weight_product_floats(ng_reach r, int64_t rows, int64_t channels, int64_t filters)
{
    return r.stride * channels * phase_rows(r, rows) + panels(filters) * in_block(rows) * NG_PANEL;
}

/* turned[phase][c][m] = x[first + m s + phase, c] for the rows that the block reads. */
static void turn(const ng_weight_product *p, int64_t first, int64_t span, float *turned)
{
    const int64_t s = p->reach.stride, C = p->channels, M = phase_rows(p->reach, p->rows);
    if (first < 0 || first + span > p->x_length) memset(turned, 0, (size_t)(s * C * M) * sizeof *turned);
    const ng_range there = ng_clip(first, first + span, p->x_length);
    for (int64_t q = there.first; q < there.last; q++) {
        const float *row = p->x + q * p->x_stride;
        float *to = turned + (q - first) % s * C * M + (q - first) / s;
        for (int64_t c = 0; c < C; c++) to[c * M] = row[c];
    }
}

static ng_packed pack(const ng_weight_product *p, int64_t first, int64_t rows, float *to)
{
    ng_packed packed = {rows, p->filters, to, NULL, 0};
    for (int64_t o = 0; o < p->filters; o += NG_PANEL, to += rows * NG_PANEL) {
        const int64_t width = p->filters - o < NG_PANEL ? p->filters - o : NG_PANEL;
        for (int64_t t = 0; t < rows; t++) {
            memcpy(to + t * NG_PANEL, p->dy + (first + t) * p->dy_stride + o, (size_t)width * sizeof *to);
            if (width < NG_PANEL) memset(to + t * NG_PANEL + width, 0, (size_t)(NG_PANEL - width) * sizeof *to);
        }
    }
    return packed;
}

void ng_add_weight_product(const ng_weight_product *p, float *dw, float *scratch)
{
    const ng_reach r = p->reach;
    const int64_t C = p->channels, M = phase_rows(r, p->rows), s = r.stride, d = r.dilation;
    const bool by_channel = s == 1 && C < FEW && r.size > C;
    float *turned = scratch, *packed_rows = scratch + s * C * M;
    for (int64_t first = 0; first < p->rows; first += BLOCK) {
        const int64_t rows = p->rows - first < BLOCK ? p->rows - first : BLOCK;
        turn(p, (p->first + first) * s - r.pad, (rows - 1) * s + (r.size - 1) * d + 1, turned);
        const ng_packed dy = pack(p, first, rows, packed_rows);
        for (int64_t c = 0; by_channel && c < C; c++)
            ng_multiply(turned + c * M, r.size, d, &dy, 0, rows, NULL, true, dw + c * p->channel_stride, p->tap_stride);
        for (int64_t j = 0; !by_channel && j < r.size; j++)
            ng_multiply(turned + j * d % s * C * M + j * d / s, C, M, &dy, 0, rows, NULL, true, dw + j * p->tap_stride, p->channel_stride);
    }
}

void ng_add_rows(const float *dy, int64_t rows, int64_t stride, int64_t filters, float *db)
{
    for (int64_t t = 0; t < rows; t++) ng_add_to(db, dy + t * stride, filters);
}
