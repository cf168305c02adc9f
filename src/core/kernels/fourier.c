/* core/kernels/fourier.c: the frequency domain of fourier.h, and the choice among the instruction sets that fourier_kernel.h is
 * compiled for.
 *
 * x and K are real, so frequency N - k of K is the conjugate of frequency k. Both frequencies of a pair of blocks are factors of
 * one product with the weights of k: real and imaginary part of N - k, exchanged, are i times its conjugate. At each frequency
 * lie, for each pair of blocks, the real parts by channel, then the imaginary ones; the product takes their place. */
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
    PAIRS = 6,                                   /* of blocks that share one reading of the weights */
    SHARING = 4,                                 /* samples at least, of a short tensor, in most calls */
    MOST_SCRATCH = 2 << 20                       /* bytes: beyond it a thread works in the memory of all */
};

/* Rows [first, first + count) of a block of N lie at data. What is read elsewhere is zero, what is written is lost. */
typedef struct side { float *data; int64_t first, count, stride; } side;

/* LANES channels of a pair of blocks, one transform. */
typedef struct transform {
    int64_t size, stride, width;                 /* of frequencies: from one to the next, from real to imaginary parts */
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
    return where == WORK ? q->work + (2 * k + part) * lanes : q->frequencies + k * q->stride + part * q->width;
}

/* Frequencies k and N - k of several pairs of blocks, `stride` apart: re[0], im[0] and, exchanged, re[1], im[1]. They hold the
 * factors and take the products; x is room for a copy of the factors in three parts. */
typedef struct product {
    const float *weights;
    float *x, *re[2], *im[2];
    int64_t pairs, depth, columns, stride, part;
} product;

static int64_t padded(int64_t channels) { return (channels + GROUP - 1) / GROUP * GROUP; }

static int64_t panel_at(int64_t column, int64_t columns) { return columns - column < PANEL ? columns - column : PANEL; }

typedef double eight __attribute__((vector_size(64)));
typedef float four __attribute__((vector_size(16)));
#define KERNEL portable
#define TARGET
#define LANES 4
#define TALL false
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
#define TALL false
#define VECTOR __m256
#define BROADCAST(s) _mm256_set1_ps(s)
#define MULTIPLY_ADD(a, b, c) _mm256_fmadd_ps(a, b, c)
#define SUBTRACT_PRODUCT(a, b, c) _mm256_fnmadd_ps(a, b, c)
#include "core/kernels/fourier_kernel.h"

#define KERNEL avx512
#define TARGET __attribute__((target("avx512f")))
#define LANES 16
#define TALL true
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
    void (*spectrum)(const double *taps, int64_t count, const double *turns, int64_t k, int64_t N, double sums[2][2][PANEL]);
} kernel;

static const kernel kernels[] = {
#if defined(__x86_64__)
    {"avx512", 16, avx512_forward, avx512_inverse, avx512_pack, avx512_product, avx512_spectrum},
    {"avx2", 8, avx2_forward, avx2_inverse, avx2_pack, avx2_product, avx2_spectrum},
#endif
    {"portable", 4, portable_forward, portable_inverse, portable_pack, portable_product, portable_spectrum},
};

static const kernel *chosen(void)
{
    const kernel *k = kernels;
    while (strcmp(k->name, ng_kernel_name())) k++;
    return k;
}

/* ---- once for each kernel of a model ---- */

static const double PI = 3.14159265358979323846;

/* Passes, the same for both directions: 8, 8 numbers; 8, 4, 4; 8, 8, 4. */
static int64_t radix_of(int64_t size, int pass)
{
    static const int64_t radix[3][3] = {{8, 8, 1}, {8, 4, 4}, {8, 8, 4}};
    return radix[size / 128][pass];
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

static int64_t width_of(const ng_fourier *f)
{
    return padded(f->in_channels > f->out_channels ? f->in_channels : f->out_channels);
}

static int64_t pair_stride(const ng_fourier *f) { return 2 * width_of(f); }
/* A little more than its pairs, so that the frequencies do not fall into the same few sets of a cache. */
static int64_t frequency_stride(const ng_fourier *f) { return PAIRS * pair_stride(f) + GROUP; }
static int64_t frequencies_size(const ng_fourier *f) { return f->size * frequency_stride(f); }
static int64_t work_size(const ng_fourier *f) { return 2 * f->size * GROUP; }
static int64_t packed_size(const ng_fourier *f) { return 3 * 2 * PAIRS * padded(f->in_channels); }

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

/* W[k] = 1/N sum over j of K[j] e^(2 pi i k j / N): conjugate, since rows of x ascend with j; the factor is the inverse
 * transform's. With E and O, the sums over even and odd j, W[k] = E + O and W[N/2 - k] is the conjugate of E - O. For each k and
 * panel of columns two matrices (in, panel): real parts, imaginary parts. */
static void fill_weights(const ng_fourier *f, const float *kernel, int64_t tap_stride, int64_t in_stride, int64_t out_stride,
                         int threads, float *to)
{
    const int64_t N = f->size, columns = padded(f->out_channels), frequency = 2 * f->in_channels * columns;
    void (*const spectrum)(const double *, int64_t, const double *, int64_t, int64_t, double[2][2][PANEL]) = chosen()->spectrum;
    double turns[2 * 256];
    (void)threads;                               /* where there is no OpenMP */
    for (int64_t k = 0; k < N; k++) {
        turns[2 * k] = cos(2 * PI * (double)k / (double)N) / (double)N;
        turns[2 * k + 1] = sin(2 * PI * (double)k / (double)N) / (double)N;
    }
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t c = 0; c < f->in_channels; c++)
        for (int64_t column = 0; column < columns; column += PANEL) {
            const int64_t panel = panel_at(column, columns);
            double taps[256 * PANEL] = {0}, sums[2][2][PANEL];
            for (int64_t j = 0; j < f->taps; j++)
                for (int64_t o = 0; o < PANEL && column + o < f->out_channels; o++)
                    taps[j * PANEL + o] = kernel[j * tap_stride + c * in_stride + (column + o) * out_stride];
            for (int64_t k = 0; k <= N / 4; k++) {
                float *w = to + k * frequency + 2 * f->in_channels * column + c * panel;
                float *mirror = to + (N / 2 - k) * frequency + 2 * f->in_channels * column + c * panel;
                spectrum(taps, f->taps, turns, k, N, sums);
                for (int64_t o = 0; o < panel; o++) {
                    w[o] = (float)(sums[0][0][o] + sums[1][0][o]), w[f->in_channels * panel + o] = (float)(sums[0][1][o] + sums[1][1][o]);
                    mirror[o] = (float)(sums[0][0][o] - sums[1][0][o]);
                    mirror[f->in_channels * panel + o] = (float)(sums[1][1][o] - sums[0][1][o]);
                }
            }
        }
}

/* ---- what it costs ---- */

/* Measured (Zen 5). Transforms: 1.25 N log2 N cycles for 16 channels of a block. Products: 6.3 cycles for each 32 weights and
 * pair, and what begins and ends them. Weights are read once for PAIRS pairs: from a second level of 1 MB they come in time,
 * from a third level of 32 MB or from memory they add to it. SHARING samples share them: short tensors come as windows, or as
 * nodes of a path, many in a call. */
double ng_fourier_cost(int64_t taps, int64_t in_channels, int64_t out_channels, int64_t length, int64_t multiple, int64_t size)
{
    const int64_t rows = (size - taps + 1) / multiple * multiple;
    if (size < taps || rows == 0) return INFINITY;
    const double N = (double)size, groups = (double)(padded(in_channels) / GROUP), columns = (double)padded(out_channels);
    const double matrix = (double)in_channels * columns, bytes = (N / 2 + 1) * matrix * 2 * sizeof(float);
    const double transforms = 2.5 * N * log2(N) * (groups + columns / GROUP);
    const double products = (N / 2 + 1) * (6.3 * matrix / 32 + 30 * ceil(columns / PANEL) + 16 * groups);
    const double reading = bytes < 1e6 ? 0 : bytes < 12e6 ? bytes / 32 : bytes / 8;
    const double pairs = ceil((double)length / (double)(2 * rows)), readings = fmax(pairs / PAIRS, ceil(pairs / PAIRS) / SHARING);
    return pairs * transforms + fmax(pairs, 1.5 * readings) * products + readings * reading;  /* one pair leaves room */
}

double ng_fourier_operations(const ng_fourier *f)
{
    const double N = (double)f->size, C = (double)f->in_channels, O = (double)f->out_channels;
    return (5 * N * log2(N) * (C + O) + 8 * N * C * O) / (double)f->pair_rows;
}

int64_t ng_fourier_size(int64_t taps, int64_t in_channels, int64_t out_channels, int64_t length, int64_t multiple)
{
    double cheapest = (double)length * (double)taps * (double)in_channels * (double)padded(out_channels) / 31;
    int64_t best = 0;
    for (int64_t size = 64; size <= 256; size *= 2) {
        const ng_fourier f = {.in_channels = in_channels, .out_channels = out_channels, .size = size};
        const double cost = ng_fourier_cost(taps, in_channels, out_channels, length, multiple, size);
        if (cost >= cheapest || scratch_bytes(&f) > MOST_SCRATCH) continue;
        cheapest = cost;
        best = size;
    }
    return best;
}

ng_status ng_fourier_make(const float *kernel, int64_t taps, int64_t in_channels, int64_t out_channels, int64_t tap_stride,
                          int64_t in_stride, int64_t out_stride, int64_t multiple, int64_t size, int threads,
                          ng_arena *arena, ng_fourier *made, ng_error *error)
{
    ng_fourier f = {.taps = taps, .in_channels = in_channels, .out_channels = out_channels, .size = size};
    f.rows = (size - taps + 1) / multiple * multiple;
    f.pair_rows = 2 * f.rows;
    f.scratch_bytes = scratch_bytes(&f);
    f.weight_bytes = (size / 2 + 1) * 2 * in_channels * padded(out_channels) * (int64_t)sizeof(float);
    float *twiddles = ng_alloc(arena, 2 * size, sizeof *twiddles, error);
    int64_t *places = twiddles ? ng_alloc(arena, size, sizeof *places, error) : NULL;
    float *weights = places ? ng_alloc(arena, f.weight_bytes, 1, error) : NULL;
    if (!weights) return error->status;
    fill_twiddles(size, twiddles);
    fill_places(size, places);
    fill_weights(&f, kernel, tap_stride, in_stride, out_stride, threads, weights);
    f.twiddles = twiddles, f.places = places, f.weights = weights;
    *made = f;
    return NG_OK;
}

/* ---- for each block of pairs ---- */

typedef struct call {
    const ng_fourier *f;
    const ng_tile *x, *y;
    int64_t pad;
    const float *bias;
    bool add;
    float *frequencies, *work, *staged, *packed, *zeros;
} call;

/* Rows [first, last) of a tile, from a channel on, in a block whose row 0 is `start`. */
static side side_of(const ng_tile *tile, int64_t sample, int64_t channel, int64_t start, int64_t first, int64_t last)
{
    if (first >= last) return (side){.stride = tile->channels};
    return (side){ng_row(tile, sample, first) + channel, first - start, last - first, tile->channels};
}

/* What block `b` reads: only what its rows of y need, so that nothing else can reach their bits. */
static side read_side(const call *q, int64_t sample, int64_t b, int64_t channel)
{
    const int64_t start = b * q->f->rows - q->pad, end = q->y->last - q->pad, full = start + q->f->rows;
    const ng_range rows = ng_clip(start, (full < end ? full : end) + q->f->taps - 1, q->x->length);
    return side_of(q->x, sample, channel, start, rows.first, start < end ? rows.last : rows.first);
}

static side written_side(const call *q, int64_t sample, int64_t b, int64_t channel)
{
    const int64_t start = b * q->f->rows, full = start + q->f->rows;
    return side_of(q->y, sample, channel, start, start, full < q->y->last ? full : q->y->last);
}

static void copy_rows(const side *from, const side *to, int64_t channels)
{
    for (int64_t r = 0; r < from->count; r++)
        memcpy(to->data + r * to->stride, from->data + r * from->stride, (size_t)channels * sizeof(float));
}

/* A vector that sticks out of the channels works on a copy. */
static void stage(const call *q, const side *rows, side *copies, int64_t lanes, int64_t channels)
{
    memset(q->staged, 0, (size_t)(2 * q->f->size * lanes) * sizeof(float));
    for (int i = 0; i < 2; i++) {
        copies[i] = (side){q->staged + i * q->f->size * lanes, rows[i].first, rows[i].count, lanes};
        copy_rows(&rows[i], &copies[i], channels);
    }
}

/* One transform for each group of channels of a pair: of x forward, or of y back. */
static void transform_pair(const call *q, const kernel *run, int64_t sample, int64_t pair, float *frequencies, bool inverse)
{
    const int64_t channels = inverse ? q->f->out_channels : q->f->in_channels;
    side (*const side_at)(const call *, int64_t, int64_t, int64_t) = inverse ? written_side : read_side;
    for (int64_t c = 0; c < channels; c += run->lanes) {
        const int64_t present = channels - c < run->lanes ? channels - c : run->lanes;
        const side rows[2] = {side_at(q, sample, 2 * pair, c), side_at(q, sample, 2 * pair + 1, c)};
        float bias[GROUP] = {0};
        if (q->bias && inverse) memcpy(bias, q->bias + c, (size_t)present * sizeof *bias);
        transform one = {.size = q->f->size, .stride = frequency_stride(q->f), .width = width_of(q->f),
                         .twiddles = q->f->twiddles, .bias = bias, .sides = {rows[0], rows[1]}, .add = q->add, .work = q->work,
                         .frequencies = frequencies + c, .zeros = q->zeros};
        if (present < run->lanes) stage(q, rows, one.sides, run->lanes, present);
        (inverse ? run->inverse : run->forward)(&one);
        for (int i = 0; i < 2 && inverse && present < run->lanes; i++) copy_rows(&one.sides[i], &rows[i], present);
    }
}

/* Frequencies 0 and N / 2 are their own partners: their rows are there twice, and are written twice. */
static product product_at(const call *q, int64_t k, int64_t pairs)
{
    const ng_fourier *f = q->f;
    const int64_t N = f->size, columns = padded(f->out_channels), stride = frequency_stride(f), width = width_of(f);
    float *first = q->frequencies + f->places[k] * stride, *second = q->frequencies + f->places[(N - k) % N] * stride;
    const bool own = first == second;
    return (product){.weights = f->weights + k * 2 * f->in_channels * columns, .x = q->packed + k % 2 * packed_size(f),
                     .re = {first, own ? first : second + width}, .im = {first + width, own ? first + width : second},
                     .pairs = pairs, .depth = f->in_channels, .columns = columns, .stride = pair_stride(f),
                     .part = 2 * pairs * padded(f->in_channels)};
}

/* Rows are packed one frequency ahead: a product that reads them at once would wait for the last to be written. */
static void multiply(const call *q, const kernel *run, int64_t pairs)
{
    product now = product_at(q, 0, pairs);
    run->pack(&now);
    for (int64_t k = 1; k <= q->f->size / 2; k++) {
        const product next = product_at(q, k, pairs);
        run->pack(&next);
        run->multiply(&now);
        now = next;
    }
    run->multiply(&now);
}

void ng_fourier_rows(const ng_fourier *f, const ng_tile *x, int64_t pad, const float *bias, bool add, const ng_tile *y,
                     void *scratch)
{
    float *frequencies = scratch, *work = frequencies + frequencies_size(f), *staged = work + work_size(f);
    float *packed = staged + work_size(f), *zeros = packed + 2 * packed_size(f);
    memset(zeros, 0, GROUP * sizeof *zeros);
    const call q = {f, x, y, pad, bias, add, frequencies, work, staged, packed, zeros};
    const kernel *run = chosen();
    NG_IN(0, y->first % f->pair_rows, 1);
    const int64_t first = y->first / f->pair_rows, each = (y->last + f->pair_rows - 1) / f->pair_rows - first;
    for (int64_t i = 0, pairs; i < y->samples * each; i += pairs) {
        pairs = y->samples * each - i < PAIRS ? y->samples * each - i : PAIRS;
        for (int64_t p = 0; p < pairs; p++)
            transform_pair(&q, run, (i + p) / each, first + (i + p) % each, frequencies + p * pair_stride(f), false);
        multiply(&q, run, pairs);
        for (int64_t p = 0; p < pairs; p++)
            transform_pair(&q, run, (i + p) / each, first + (i + p) % each, frequencies + p * pair_stride(f), true);
    }
}
