/* core/kernels/weight_product.c: a block of dy is packed; then each tap is one matrix product, whose factor x is read down its columns.
 * Where channels are few and taps many, a channel's taps are the rows of the product: tap j begins j d rows further. */
#include <string.h>
#include "core/kernels/matrix.h"
#include "core/kernels/weight_product.h"

enum { BLOCK = 256, FEW = 12 };                  /* rows of dy in a block; channels that do not fill the tile of a product */

static int64_t panels(int64_t filters) { return (filters + NG_PANEL - 1) / NG_PANEL; }

static int64_t in_block(int64_t rows) { return rows < BLOCK ? rows : BLOCK; }

/* Rows of x that so many rows of dy read. */
static int64_t span_of(ng_reach r, int64_t rows) { return (rows - 1) * r.stride + (r.size - 1) * r.dilation + 1; }

int64_t ng_weight_product_floats(ng_reach r, int64_t rows, int64_t channels, int64_t filters)
{
    return span_of(r, in_block(rows)) * channels + panels(filters) * in_block(rows) * NG_PANEL;
}

/* A block of x that sticks out, between zeros. */
static void copy_rows(const ng_weight_product *p, int64_t first, int64_t span, float *copy)
{
    const ng_range there = ng_clip(first, first + span, p->x_length);
    memset(copy, 0, (size_t)(span * p->channels) * sizeof *copy);
    for (int64_t q = there.first; q < there.last; q++)
        memcpy(copy + (q - first) * p->channels, p->x + q * p->x_stride, (size_t)p->channels * sizeof *copy);
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
    const int64_t C = p->channels, s = r.stride, d = r.dilation;
    float *copy = scratch, *packed_rows = scratch + span_of(r, in_block(p->rows)) * C;
    for (int64_t at = 0; at < p->rows; at += BLOCK) {
        const int64_t rows = in_block(p->rows - at), first = (p->first + at) * s - r.pad, span = span_of(r, rows);
        const bool inside = first >= 0 && first + span <= p->x_length;
        const float *x = inside ? p->x + first * p->x_stride : copy;
        const int64_t row = inside ? p->x_stride : C;
        if (!inside) copy_rows(p, first, span, copy);
        const ng_packed dy = pack(p, at, rows, packed_rows);
        if (C < FEW && r.size > C)
            for (int64_t c = 0; c < C; c++)
                ng_add_product_of_turned(x + c, r.size, d * row, s * row, &dy, 0, rows, dw + c * p->channel_stride, p->tap_stride);
        else
            for (int64_t j = 0; j < r.size; j++)
                ng_add_product_of_turned(x + j * d * row, C, 1, s * row, &dy, 0, rows, dw + j * p->tap_stride, p->channel_stride);
    }
}

/* ---- sums of rows ---- */

enum { CHUNK = 16, WIDE = 64, TURN = 128 };      /* columns whose sums stay in registers; columns, and rows, that stay in a cache */

typedef float floats __attribute__((vector_size(16)));
typedef double doubles __attribute__((vector_size(32)));

static inline __attribute__((always_inline)) void sum_chunk(const float *dy, int64_t rows, int64_t stride, double *sums)
{
    floats value[CHUNK / 4];
    doubles sum[CHUNK / 4];
    memcpy(sum, sums, sizeof sum);
    for (int64_t t = 0; t < rows; t++) {
        memcpy(value, dy + t * stride, sizeof value);
        for (int i = 0; i < CHUNK / 4; i++) sum[i] += __builtin_convertvector(value[i], doubles);
    }
    memcpy(sums, sum, sizeof sum);
}

static void portable(const float *dy, int64_t rows, int64_t stride, double *sums) { sum_chunk(dy, rows, stride, sums); }

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void avx2(const float *dy, int64_t rows, int64_t stride, double *sums)
{
    sum_chunk(dy, rows, stride, sums);
}
#endif

void ng_sum_rows(const float *dy, int64_t rows, int64_t stride, int64_t filters, double *sums)
{
    void (*sum)(const float *dy, int64_t rows, int64_t stride, double *sums) = portable;
#if defined(__x86_64__)
    if (strcmp(ng_kernel_name(), "portable")) sum = avx2;
#endif
    const int64_t whole = filters / CHUNK * CHUNK;
    for (int64_t first = 0; first < rows; first += TURN) {
        const int64_t count = rows - first < TURN ? rows - first : TURN;
        const float *from = dy + first * stride;
        for (int64_t c = 0; c < whole; c += CHUNK) sum(from + c, count, stride, sums + c);
        for (int64_t t = 0; t < count; t++, from += stride)
            for (int64_t c = whole; c < filters; c++) sums[c] += (double)from[c];
    }
}

void ng_add_rows(const float *dy, int64_t rows, int64_t stride, int64_t filters, float *db)
{
    for (int64_t o = 0; o < filters; o += WIDE) {
        const int64_t count = filters - o < WIDE ? filters - o : WIDE;
        double sums[WIDE] = {0};
        ng_sum_rows(dy + o, rows, stride, count, sums);
        for (int64_t c = 0; c < count; c++) db[o + c] += (float)sums[c];
    }
}
