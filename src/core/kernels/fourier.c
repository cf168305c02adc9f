/* core/kernels/fourier.c: the frequency domain of fourier.h, and the choice among the instruction sets that fourier_kernel.h is
 * compiled for.
 *
 * x and K are real, so frequency N - k is the conjugate of frequency k, and two channels share a transform, as its real and its
 * imaginary part. Frequencies k and N - k of it together are frequency k of both channels, which the product takes, and
 * gives back. At each frequency lie, for each block, a vector of real parts and one of imaginary parts for two of channels. */
#include <math.h>
#include <string.h>
#include "core/kernels/fourier.h"
#include "core/kernels/matrix.h"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")
#define PREFETCH(p) __builtin_prefetch(p, 0, 2)
enum {
    GROUP = 16,                                  /* channels are padded to a multiple of this, the widest vector */
    PANEL = 32,                                  /* columns of the product whose weights lie together */
    BLOCKS = 12,                                 /* that share one reading of the weights */
    MOST_TAPS = 256,                             /* the largest size */
    GATHERED = 4,                                /* channels of MOST_TAPS whose weights are made together, since they lie side by side */
    SUMMED = 32,                                 /* blocks that share one reading and writing of the sums of a gradient */
    MOST_SCRATCH = 2 << 20,                      /* bytes: beyond it a thread works in the memory of all */
    MOST_GRADIENT_SCRATCH = 8 << 20
};

/* Rows [first, first + count) of a block of N lie at data. What is read elsewhere is zero, what is written is lost. */
typedef struct side { float *data; int64_t first, count, stride; } side;

/* Twice LANES channels of a block, one transform. */
typedef struct transform {
    int64_t size, stride;                        /* of frequencies: from one to the next */
    const float *twiddles, *bias;
    side sides[2];
    bool add;
    float *work, *frequencies, *zeros;           /* work: 2 N LANES */
} transform;

typedef enum place { ROWS, WORK, FREQUENCIES } place;

INLINE bool has_row(const side *s, int64_t row) { return (uint64_t)(row - s->first) < (uint64_t)s->count; }

INLINE bool has_rows(const side *s, int64_t row, int64_t last) { return has_row(s, row) && has_row(s, last); }

INLINE int64_t offset_of(const side *s, int64_t row) { return (row - s->first) * s->stride; }

/* The real or imaginary part of number k. */
INLINE float *number_at(const transform *q, const place where, int64_t k, const int part, const int lanes)
{
    return (where == WORK ? q->work + 2 * k * lanes : q->frequencies + k * q->stride) + part * lanes;
}

/* Frequencies k, z, and N - k, mirror, of several blocks, `stride` apart. They hold the factors and take the products; x is room
 * for a copy of the factors in three parts, in each for every block groups of GROUP channels. */
typedef struct product {
    const float *weights;
    float *x, *z, *mirror;
    int64_t rows, depth, columns, stride, part, row, group;
} product;

static int64_t padded(int64_t channels) { return (channels + GROUP - 1) / GROUP * GROUP; }
static int64_t paired(int64_t channels) { return (channels + 2 * GROUP - 1) / (2 * GROUP) * 2 * GROUP; }

static int64_t at_most(int64_t value, int64_t most) { return value < 0 ? 0 : value < most ? value : most; }
static int64_t panel_at(int64_t column, int64_t columns) { return columns - column < PANEL ? columns - column : PANEL; }

typedef double eight __attribute__((vector_size(64)));
typedef float eight_floats __attribute__((vector_size(32)));
typedef float four __attribute__((vector_size(16)));
#define KERNEL portable
#define TARGET
#define LANES 4
#define TALLEST 6
#define VECTOR four
#define BROADCAST(s) ((four){(s), (s), (s), (s)})
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#define SUBTRACT_PRODUCT(a, b, c) ((c) - (a) * (b))
#include "core/kernels/fourier_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define TALLEST 6
#define VECTOR __m256
#define BROADCAST(s) _mm256_set1_ps(s)
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps(a, b, c)
#define SUBTRACT_PRODUCT(a, b, c) _mm256_fnmadd_ps(a, b, c)
#include "core/kernels/fourier_kernel.h"

#define KERNEL avx512
#define TARGET __attribute__((target("avx512f")))
#define LANES 16
#define TALLEST 12
#define VECTOR __m512
#define BROADCAST(s) _mm512_set1_ps(s)
#define MULTIPLY_ADD(a, b, c) _mm512_fmadd_ps(a, b, c)
#define SUBTRACT_PRODUCT(a, b, c) _mm512_fnmadd_ps(a, b, c)
#include "core/kernels/fourier_kernel.h"
#endif

typedef struct kernel {
    const char *name;
    int64_t lanes;
    void (*forward)(const transform *q), (*inverse)(const transform *q);
    void (*pack)(const product *p), (*multiply)(const product *p);
    void (*spectrum)(const float *taps, int64_t count, const double *turns, int64_t k, int64_t N, int64_t panel, int64_t part, float *w,
                     float *mirror);
    void (*taps)(const float *sums, int64_t part, int64_t N, int64_t count, const float *turns, float *to);
} kernel;

static const kernel kernels[] = {
#if defined(__x86_64__)
    {"avx512", 16, avx512_forward, avx512_inverse, avx512_pack, avx512_product, avx512_spectrum, avx512_taps},
    {"avx2", 8, avx2_forward, avx2_inverse, avx2_pack, avx2_product, avx2_spectrum, avx2_taps},
#endif
    {"portable", 4, portable_forward, portable_inverse, portable_pack, portable_product, portable_spectrum, portable_taps},
};

static const kernel *chosen(void)
{
    const kernel *k = kernels;
    while (strcmp(k->name, ng_kernel_name())) k++;
    return k;
}

/* ---- once for each kernel of a model ---- */

static const double PI = 3.14159265358979323846;

const int64_t ng_fourier_sizes[NG_FOURIER_SIZES] = {64, 96, 128, 192, 256};

/* Numbers in a butterfly of each pass, the same for both directions. */
static int64_t radix_of(int64_t size, int pass)
{
    static const int64_t radix[NG_FOURIER_SIZES][3] = {{8, 8, 1}, {8, 4, 3}, {8, 4, 4}, {8, 8, 3}, {8, 8, 4}};
    int i = 0;
    while (ng_fourier_sizes[i] != size) i++;
    return radix[i][pass];
}

/* For each pass but the last and i < n / radix the turns e^(-2 pi i m / n), m = 1 .. radix - 1. */
static void fill_twiddles(int64_t size, float *to)
{
    for (int64_t pass = 0, n = size; pass < 2; n /= radix_of(size, (int)pass++))
        for (int64_t i = 0, radix = radix_of(size, (int)pass); i < n / radix; i++)
            for (int64_t m = 1; m < radix; m++) {
                const double angle = 2 * PI * (double)(i * m) / (double)n;
                *to++ = (float)cos(angle);
                *to++ = (float)-sin(angle);
            }
}

/* ---- layout of scratch: frequencies, work, staged rows, packed rows, a vector of zeros ---- */

static int64_t block_stride(const ng_fourier *f)
{
    const ng_fourier_shape *shape = &f->shape;
    return paired(shape->in_channels > shape->out_channels ? shape->in_channels : shape->out_channels);
}

/* A little more than its blocks, so that the frequencies do not fall into the same few sets of a cache. */
static int64_t frequency_stride(const ng_fourier *f) { return BLOCKS * block_stride(f) + GROUP; }
static int64_t frequencies_size(const ng_fourier *f) { return (f->size + 1) * frequency_stride(f); }     /* the last is for scratch */
static int64_t work_size(const ng_fourier *f) { return 2 * f->size * GROUP; }
static int64_t packed_size(const ng_fourier *f) { return 3 * BLOCKS * paired(f->shape.in_channels); }

static int64_t scratch_bytes(const ng_fourier *f)
{
    return (frequencies_size(f) + 2 * work_size(f) + 2 * packed_size(f) + GROUP) * (int64_t)sizeof(float);
}

/* Passes leave frequency m0 + r0 m1 + r0 r1 m2 at place (m0 r1 + m1) r2 + m2. */
static void fill_places(int64_t size, int64_t *to)
{
    const int64_t r0 = radix_of(size, 0), r1 = radix_of(size, 1), r2 = radix_of(size, 2);
    for (int64_t m0 = 0; m0 < r0; m0++)
        for (int64_t m1 = 0; m1 < r1; m1++)
            for (int64_t m2 = 0; m2 < r2; m2++) to[m0 + r0 * m1 + r0 * r1 * m2] = (m0 * r1 + m1) * r2 + m2;
}

static ng_status make_tables(ng_fourier *f, ng_arena *arena, ng_error *error)
{
    float *twiddles = ng_alloc(arena, 2 * f->size, sizeof *twiddles, error);
    int64_t *places = twiddles ? ng_alloc(arena, f->size, sizeof *places, error) : NULL;
    if (!places) return error->status;
    fill_twiddles(f->size, twiddles);
    fill_places(f->size, places);
    f->twiddles = twiddles, f->places = places;
    return NG_OK;
}

/* W[k] = 1/2N sum over j of K[j] e^(2 pi i k j / N): conjugate, since rows of x ascend with j; the factor is the inverse
 * transform's, and that of what PACK takes twice. With E and O, the sums over even and odd j, W[k] = E + O and W[N/2 - k] is the conjugate of E - O. For each k and
 * panel of columns two matrices (in, panel): real parts, imaginary parts. */
static void fill_weights(const ng_fourier *f, const float *kernel, int64_t tap_stride, int64_t in_stride, int64_t out_stride,
                         int threads, float *to)
{
    const int64_t N = f->size, columns = padded(f->shape.out_channels), C = f->shape.in_channels, frequency = 2 * C * columns;
    const int64_t count = f->shape.taps, together = at_most(GATHERED * MOST_TAPS / count, GROUP);
    const struct kernel *run = chosen();
    double turns[2 * MOST_TAPS];
    (void)threads;                               /* where there is no OpenMP */
    for (int64_t k = 0; k < N; k++) {
        turns[2 * k] = cos(2 * PI * (double)k / (double)N) / (double)(2 * N);
        turns[2 * k + 1] = sin(2 * PI * (double)k / (double)N) / (double)(2 * N);
    }
#pragma omp parallel for collapse(2) schedule(static) num_threads(threads)
    for (int64_t first = 0; first < C; first += together)
        for (int64_t column = 0; column < columns; column += PANEL) {
            const int64_t panel = panel_at(column, columns), here = C - first < together ? C - first : together;
            const int64_t present = at_most(f->shape.out_channels - column, PANEL);
            float taps[MOST_TAPS * GATHERED * PANEL];
            for (int64_t j = 0; j < count; j++)
                for (int64_t o = 0; o < PANEL; o++)
                    for (int64_t c = 0; c < here; c++)
                        taps[(c * count + j) * PANEL + o] =
                            o < present ? kernel[j * tap_stride + (first + c) * in_stride + (column + o) * out_stride] : 0;
            for (int64_t k = 0; k <= N / 4; k++)
                for (int64_t c = 0; c < here; c++) {
                    const int64_t at = 2 * C * column + (first + c) * panel;
                    run->spectrum(taps + c * count * PANEL, count, turns, k, N, panel, C * panel, to + k * frequency + at, to + (N / 2 - k) * frequency + at);
                }
        }
}

/* ---- what it costs ---- */

/* S: all rows, if what wraps around then only meets padding; else as many as read nothing that does. */
static int64_t block_rows(const ng_fourier_shape *s, int64_t size)
{
    if (s->pad + s->in_length <= size && s->out_length + s->taps - 1 - s->pad <= size) return s->out_length;
    return size < s->taps ? 0 : (size - s->taps + 1) / s->multiple * s->multiple;
}

/* Measured (Zen 5). Transforms: 2.5 N log2 N cycles for 32 channels of a block. Products: 3.15 cycles for each 32 weights and
 * block, and what begins and ends them. Weights are read once for BLOCKS blocks: from a second level of 1 MB they come in time,
 * from a third level of 32 MB or from memory they add to it. Samples share them: short tensors come as windows, or as nodes of a path,
 * many in a call. */
double ng_fourier_cost(const ng_fourier_shape *s, int64_t size)
{
    const int64_t rows = block_rows(s, size);
    if (rows == 0) return INFINITY;
    const double N = (double)size, pairs = (double)(paired(s->in_channels) / (2 * GROUP)), columns = (double)padded(s->out_channels);
    const double matrix = (double)s->in_channels * columns, bytes = (N / 2 + 1) * matrix * 2 * sizeof(float);
    const double transforms = 2.5 * N * log2(N) * (pairs + (double)(paired(s->out_channels) / (2 * GROUP)));
    const double products = (N / 2 + 1) * (3.15 * matrix / 32 + 15 * ceil(columns / PANEL) + 16 * pairs);
    const double reading = bytes < 1e6 ? 0 : bytes < 16e6 ? bytes / 32 : bytes / 8;
    const double blocks = ceil((double)s->out_length / (double)rows), sharing = fmax(4, (double)s->samples);
    const double readings = fmax(blocks / BLOCKS, ceil(blocks / BLOCKS) / sharing);
    return blocks * transforms + fmax(blocks, 3 * readings) * products + readings * reading;          /* few blocks leave room */
}

double ng_fourier_operations(const ng_fourier *f)
{
    const double N = (double)f->size, C = (double)f->shape.in_channels, O = (double)f->shape.out_channels;
    return (2.5 * N * log2(N) * (C + O) + 4 * N * C * O) / (double)f->rows;
}

int64_t ng_fourier_size(const ng_fourier_shape *s)
{
    double cheapest = (double)s->out_length * (double)s->taps * (double)s->in_channels * (double)padded(s->out_channels) / 31;
    int64_t best = 0;
    for (int i = 0; i < NG_FOURIER_SIZES; i++) {
        const ng_fourier f = {.shape = *s, .size = ng_fourier_sizes[i]};
        const double cost = ng_fourier_cost(s, f.size);
        if (cost >= cheapest || scratch_bytes(&f) > MOST_SCRATCH) continue;
        cheapest = cost;
        best = f.size;
    }
    return best;
}

ng_status ng_fourier_make(const ng_fourier_shape *shape, const float *kernel, int64_t tap_stride, int64_t in_stride, int64_t out_stride,
                          int64_t size, int threads, ng_store *store, ng_arena *arena, ng_fourier *made, ng_error *error)
{
    ng_fourier f = {.shape = *shape, .size = size, .rows = block_rows(shape, size)};
    f.scratch_bytes = scratch_bytes(&f);
    f.weight_bytes = (size / 2 + 1) * 2 * shape->in_channels * padded(shape->out_channels) * (int64_t)sizeof(float);
    const ng_recipe recipe = {kernel, ng_kernel_name(), {size, tap_stride, in_stride, out_stride}, f.weight_bytes / (int64_t)sizeof(float)};
    bool filled;
    float *weights = make_tables(&f, arena, error) ? NULL : ng_store_floats(store, &recipe, arena, &filled, error);
    if (!weights) return error->status;
    if (!filled) fill_weights(&f, kernel, tap_stride, in_stride, out_stride, threads, weights);
    f.weights = weights;
    *made = f;
    return NG_OK;
}

/* ---- for each group of blocks ---- */

typedef struct call {
    const ng_fourier *f;
    const ng_tile *x, *y;
    int64_t origin, rows, stride;                /* of block 0; of a block; of frequencies */
    const float *bias;
    bool add;
    float *frequencies, *work, *staged, *packed, *zeros;
} call;

/* Rows [first, last) of a tile, from a channel on, in a block whose row 0 is `start`. */
static side side_of(const ng_tile *tile, int64_t sample, int64_t channel, int64_t start, int64_t first, int64_t last)
{
    if (first >= last || channel >= tile->channels) return (side){.stride = tile->channels};
    return (side){ng_row(tile, sample, first) + channel, first - start, last - first, tile->channels};
}

/* What block `b` reads: only what its rows of y need, so that nothing else can reach their bits. */
static side read_side(const call *q, int64_t sample, int64_t b, int64_t channel)
{
    const ng_fourier_shape *s = &q->f->shape;
    const int64_t start = q->origin + b * q->rows - s->pad, end = q->y->last - s->pad, full = start + q->rows;
    const ng_range rows = ng_clip(start, (full < end ? full : end) + s->taps - 1, q->x->length);
    return side_of(q->x, sample, channel, start, rows.first, rows.last);
}

static side own_side(const call *q, int64_t sample, int64_t b, int64_t channel)
{
    const int64_t start = q->origin + b * q->rows, full = start + q->rows;
    return side_of(q->y, sample, channel, start, start, full < q->y->last ? full : q->y->last);
}

static void copy_rows(const side *from, const side *to, int64_t channels)
{
    for (int64_t r = 0; r < from->count; r++)
        memcpy(to->data + r * to->stride, from->data + r * from->stride, (size_t)channels * sizeof(float));
}

/* Vectors that stick out of the channels work on copies. */
static void stage(const call *q, const side *rows, side *copies, int64_t lanes, const int64_t *present)
{
    memset(q->staged, 0, (size_t)(2 * q->f->size * lanes) * sizeof(float));
    for (int i = 0; i < 2; i++) {
        copies[i] = (side){q->staged + i * q->f->size * lanes, rows[i].first, rows[i].count, lanes};
        copy_rows(&rows[i], &copies[i], present[i]);
    }
}

/* One transform for twice so many channels of a block as a vector holds: of what it reads of x, or of its own rows of y. */
static void transform_block(const call *q, const kernel *run, int64_t sample, int64_t b, float *frequencies, bool of_y, bool inverse)
{
    const int64_t channels = of_y ? q->f->shape.out_channels : q->f->shape.in_channels, lanes = run->lanes;
    side (*const side_at)(const call *, int64_t, int64_t, int64_t) = of_y ? own_side : read_side;
    for (int64_t c = 0; c < channels; c += 2 * lanes) {
        const int64_t present[2] = {at_most(channels - c, lanes), at_most(channels - c - lanes, lanes)};
        const side rows[2] = {side_at(q, sample, b, c), side_at(q, sample, b, c + lanes)};
        const bool sticks_out = present[0] < lanes || present[1] % lanes;
        float bias[2 * GROUP] = {0};
        if (q->bias && inverse) memcpy(bias, q->bias + c, (size_t)(present[0] + present[1]) * sizeof *bias);
        transform one = {.size = q->f->size, .stride = q->stride, .twiddles = q->f->twiddles, .bias = bias,
                         .sides = {rows[0], rows[1]}, .add = q->add, .work = q->work, .frequencies = frequencies + c, .zeros = q->zeros};
        if (sticks_out) stage(q, rows, one.sides, lanes, present);
        (inverse ? run->inverse : run->forward)(&one);
        for (int i = 0; i < 2 && inverse && sticks_out; i++) copy_rows(&one.sides[i], &rows[i], present[i]);
    }
}

/* Frequencies 0 and N / 2 are their own partners: what is written to a partner is lost. */
static product product_at(const call *q, int64_t k, int64_t rows)
{
    const ng_fourier *f = q->f;
    const int64_t N = f->size, C = f->shape.in_channels, columns = padded(f->shape.out_channels), stride = frequency_stride(f);
    float *z = q->frequencies + f->places[k] * stride, *mirror = q->frequencies + (k % (N / 2) ? f->places[N - k] : N) * stride;
    return (product){.weights = f->weights + k * 2 * C * columns, .x = q->packed + k % 2 * packed_size(f), .z = z, .mirror = mirror,
                     .rows = rows, .depth = C, .columns = columns, .stride = block_stride(f), .part = rows * paired(C), .row = GROUP,
                     .group = rows * GROUP};
}

static void pack(const call *q, const kernel *run, const product *p, int64_t k)
{
    product own = *p;
    if (k % (q->f->size / 2) == 0) own.mirror = own.z;
    run->pack(&own);
}

/* Rows are packed one frequency ahead: a product that reads them at once would wait for the last to be written. */
static void multiply(const call *q, const kernel *run, int64_t rows)
{
    product now = product_at(q, 0, rows);
    pack(q, run, &now, 0);
    for (int64_t k = 1; k <= q->f->size / 2; k++) {
        const product next = product_at(q, k, rows);
        pack(q, run, &next, k);
        run->multiply(&now);
        now = next;
    }
    run->multiply(&now);
}

void ng_fourier_rows(const ng_fourier *f, const ng_tile *x, const float *bias, bool add, const ng_tile *y, void *scratch)
{
    float *frequencies = scratch, *work = frequencies + frequencies_size(f), *staged = work + work_size(f);
    float *packed = staged + work_size(f), *zeros = packed + 2 * packed_size(f);
    memset(zeros, 0, GROUP * sizeof *zeros);
    const call q = {f, x, y, 0, f->rows, frequency_stride(f), bias, add, frequencies, work, staged, packed, zeros};
    const kernel *run = chosen();
    NG_IN(0, y->first % f->rows, 1);
    const int64_t first = y->first / f->rows, each = (y->last + f->rows - 1) / f->rows - first;
    const int64_t blocks = y->samples * each, groups = (blocks + BLOCKS - 1) / BLOCKS;
    for (int64_t g = 0; g < groups; g++) {       /* of about equally many */
        const int64_t i = g * blocks / groups, rows = (g + 1) * blocks / groups - i;
        for (int64_t r = 0; r < rows; r++)
            transform_block(&q, run, (i + r) / each, first + (i + r) % each, frequencies + r * block_stride(f), false, false);
        multiply(&q, run, rows);
        for (int64_t r = 0; r < rows; r++)
            transform_block(&q, run, (i + r) / each, first + (i + r) % each, frequencies + r * block_stride(f), true, true);
    }
}

/* ---- the gradient of K ----
 *
 * dK[j] is a sum over blocks of dy and the rows of x that they read: at each frequency x conj(dy). With x = u + i v and, of the mirror,
 * conj(dy) = a + i b, packed in three parts each, three real products are
 *     p = (u + v)(a + b)       q = v b       r = u a       re = r - q       im = p - q - r
 * each of which has a sum (C, O) of its own. */

static int64_t sums_size(const ng_fourier *f) { return 3 * f->shape.in_channels * padded(f->shape.out_channels); }
static int64_t both(const ng_fourier *f) { return paired(f->shape.in_channels) + paired(f->shape.out_channels); }
static int64_t even(int64_t taps) { return taps + taps % 2; }

/* Sums, frequencies of x and of dy (in the end taps), work, staged rows, packed rows, zeros. */
static int64_t gradient_bytes(const ng_fourier *f)
{
    return ((f->size / 2 + 1) * sums_size(f) + f->size * (SUMMED * both(f) + GROUP) + 2 * work_size(f) + 3 * SUMMED * both(f) + GROUP) * (int64_t)sizeof(float);
}

/* Measured (Zen 5), in cycles. Transforms, packing and products of each block; sums that are cleared, read and written for SUMMED blocks,
 * from a second level of 1 MB, a third of 32 MB or memory; and each tap a sum over them. */
static double gradient_cost(const ng_fourier_shape *s, int64_t rows, int64_t samples, int64_t size)
{
    const int64_t each = rows == s->out_length ? block_rows(s, size) : size - s->taps + 1;
    const double N = (double)size, frequencies = N / 2 + 1, matrix = (double)s->in_channels * (double)padded(s->out_channels);
    const double pairs = (double)(paired(s->in_channels) + paired(s->out_channels)) / (2 * GROUP);
    const double blocks = (double)samples * ceil((double)rows / (double)each), bytes = frequencies * 3 * matrix * sizeof(float);
    const double reading = bytes < 1e6 ? 1.0 / 16 : bytes < 12e6 ? 1.0 / 4 : 1.0 / 2;
    return blocks * (2.9 * N * log2(N) * pairs + frequencies * (3.5 * matrix / 32 + 20 * pairs)) + ceil(blocks / SUMMED) * bytes * reading +
           2.9 * (N / 4 + 1) * (double)(s->taps + 8) * matrix / GROUP;
}

/* The direct product takes twice as long for a weight where channels do not fill its tiles. */
int64_t ng_fourier_gradient_size(const ng_fourier_shape *s, int64_t rows, int64_t samples)
{
    const double rate = s->in_channels < 24 ? 17 : 29;
    double cheapest = (double)(samples * rows) * (double)s->taps * (double)s->in_channels * (double)padded(s->out_channels) / rate;
    int64_t best = 0;
    for (int i = 0; i < NG_FOURIER_SIZES; i++) {
        const ng_fourier f = {.shape = *s, .size = ng_fourier_sizes[i]};
        if (f.size < 2 * s->taps || gradient_bytes(&f) > MOST_GRADIENT_SCRATCH) continue;
        const double cost = gradient_cost(s, rows, samples, f.size);
        if (cost >= cheapest) continue;
        cheapest = cost;
        best = f.size;
    }
    return best;
}

/* For k = 0 .. N/4 and each tap j cos and -sin of 2 pi k j / N: over 4 N, since all factors are packed twice, and times 2, since mirrors count
 * too; but k = 0 has none, and N/4 is there twice in what it turns. */
static void fill_turns(const ng_fourier *f, float *to)
{
    const int64_t N = f->size;
    for (int64_t k = 0; k <= N / 4; k++)
        for (int64_t j = 0; j < even(f->shape.taps); j++, to += 2) {
            const double angle = 2 * PI * (double)(k * j) / (double)N, share = (k % (N / 4) ? 2 : 1) / (double)(4 * N);
            to[0] = (float)(share * cos(angle));
            to[1] = (float)(-share * sin(angle));
        }
}

ng_status ng_fourier_make_gradient(const ng_fourier_shape *shape, int64_t size, ng_arena *arena, ng_fourier *made, ng_error *error)
{
    ng_fourier f = {.shape = *shape, .size = size, .rows = block_rows(shape, size)};
    f.scratch_bytes = gradient_bytes(&f);
    float *turns = make_tables(&f, arena, error) ? NULL : ng_alloc(arena, (size / 4 + 1) * even(shape->taps) * 2, sizeof *turns, error);
    if (!turns) return error->status;
    fill_turns(&f, turns);
    f.turns = turns;
    *made = f;
    return NG_OK;
}

/* One frequency of so many blocks: x and, behind it, dy, are packed row by row, as the product wants its factors. */
static void add_to_sums(const call *q, const kernel *run, int64_t k, int64_t rows, float *sums)
{
    const ng_fourier *f = q->f;
    const int64_t C = f->shape.in_channels, O = f->shape.out_channels, mirror = (f->size - k) % f->size;
    float *at = q->frequencies + f->places[k] * q->stride, *other = q->frequencies + f->places[mirror] * q->stride;
    const product x = {.x = q->packed, .z = at, .mirror = other, .rows = rows, .depth = C, .stride = paired(C), .part = SUMMED * paired(C),
                       .row = paired(C), .group = GROUP};
    const product dy = {.x = q->packed + 3 * x.part, .z = other + x.part, .mirror = at + x.part, .rows = rows, .depth = O,
                        .stride = paired(O), .part = SUMMED * paired(O), .row = GROUP, .group = rows * GROUP};
    run->pack(&x);
    run->pack(&dy);
    for (int64_t part = 0; part < 3; part++) {
        const ng_packed right = {rows, padded(O), dy.x + part * dy.part, NULL, 0};
        ng_add_product_of_turned(x.x + part * x.part, C, 1, x.row, &right, 0, rows, sums + part * C * padded(O), padded(O));
    }
}

static void add_taps(const ng_fourier *f, const kernel *run, const float *sums, float *taps, float *dw)
{
    const int64_t C = f->shape.in_channels, O = f->shape.out_channels, lanes = run->lanes;
    for (int64_t c = 0; c < C; c++)
        for (int64_t o = 0; o < O; o += lanes) {
            run->taps(sums + c * padded(O) + o, C * padded(O), f->size, even(f->shape.taps), f->turns, taps);
            for (int64_t j = 0; j < f->shape.taps; j++)
                for (int64_t v = 0; v < lanes && o + v < O; v++) dw[(j * C + c) * O + o + v] += taps[j * lanes + v];
        }
}

int64_t ng_fourier_gradient_rows(const ng_fourier *f) { return SUMMED * (f->size - f->shape.taps + 1); }

void ng_fourier_gradient_add(const ng_fourier *f, const ng_tile *x, const ng_tile *dy, bool begin, void *scratch)
{
    const bool whole = dy->last - dy->first == f->shape.out_length;
    const int64_t in = SUMMED * paired(f->shape.in_channels), stride = SUMMED * both(f) + GROUP;
    float *sums = scratch, *frequencies = sums + (f->size / 2 + 1) * sums_size(f), *work = frequencies + f->size * stride;
    float *staged = work + work_size(f), *packed = staged + work_size(f), *zeros = packed + 3 * SUMMED * both(f);
    memset(packed, 0, (size_t)(3 * SUMMED * both(f) + GROUP) * sizeof *packed);
    const call q = {f, x, dy, dy->first, whole ? f->rows : f->size - f->shape.taps + 1, stride, NULL, false, frequencies, work, staged,
                    packed, zeros};
    const kernel *run = chosen();
    const int64_t each = (dy->last - dy->first + q.rows - 1) / q.rows, all = dy->samples * each;
    for (int64_t i = 0; i < all; i += SUMMED) {
        const int64_t rows = at_most(all - i, SUMMED);
        for (int64_t r = 0; r < rows; r++) {
            transform_block(&q, run, (i + r) / each, (i + r) % each, frequencies + r * paired(f->shape.in_channels), false, false);
            transform_block(&q, run, (i + r) / each, (i + r) % each, frequencies + in + r * paired(f->shape.out_channels), true, false);
        }
        for (int64_t k = 0; k <= f->size / 2; k++) {
            float *here = sums + k * sums_size(f);
            if (begin && i == 0) memset(here, 0, (size_t)sums_size(f) * sizeof *here);
            add_to_sums(&q, run, k, rows, here);
        }
    }
}

void ng_fourier_gradient_end(const ng_fourier *f, float *dw, void *scratch)
{
    float *taps = (float *)scratch + (f->size / 2 + 1) * sums_size(f);
    add_taps(f, chosen(), scratch, taps, dw);
}
