/* The frequency domain: every kernel of this machine against loops in double, and the bits of every cut of y. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "core/kernels/fourier.h"
#include "core/kernels/matrix.h"

typedef struct problem { int64_t taps, in, out, length, out_length, pad, samples, size, multiple; } problem;

static ng_fourier_shape shape_of(const problem *p)
{
    return (ng_fourier_shape){p->taps, p->in, p->out, p->length, p->out_length, p->pad, p->multiple, 0};
}

static ng_arena *arena;

static void *claim(int64_t count, size_t size)
{
    ng_error error;
    void *memory = ng_alloc(arena, count, size, &error);
    if (!memory) { puts(error.message); exit(2); }
    return memory;
}

static float *numbers(int64_t count)
{
    float *data = claim(count, sizeof *data);
    for (int64_t i = 0; i < count; i++) data[i] = (float)draw_real();
    return data;
}

/* Rows [first, last) of samples [from, from + samples), by a copy of the rows that they read between NaN, with scratch full of
 * NaN; y holds the whole result, behind it lies more. */
static void run(const ng_fourier *f, const problem *p, const float *x, const float *bias, bool add, int64_t from, int64_t samples,
                ng_range rows, float *y)
{
    const ng_range read = ng_clip(rows.first - p->pad, rows.last - p->pad + p->taps - 1, p->length);
    const int64_t count = (read.last - read.first) * p->in, stride = count + 2 * p->in;
    const int64_t written = (rows.last - rows.first) * p->out, room = written + 2;
    float *copy = claim(samples * stride, sizeof *copy), *result = claim(samples * room, sizeof *result);
    float *scratch = claim(f->scratch_bytes / 4 + 1, sizeof *scratch);
    for (int64_t i = 0; i < samples * stride; i++) copy[i] = NAN;
    for (int64_t i = 0; i < samples * room; i++) result[i] = 12345;
    for (int64_t i = 0; i < f->scratch_bytes / 4; i++) scratch[i] = NAN;
    scratch[f->scratch_bytes / 4] = 12345;
    for (int64_t n = 0; n < samples; n++) {
        memcpy(copy + n * stride + p->in, x + ((from + n) * p->length + read.first) * p->in, (size_t)count * sizeof *copy);
        memcpy(result + n * room + 1, y + ((from + n) * p->out_length + rows.first) * p->out, (size_t)written * sizeof *result);
    }
    const ng_tile in = {copy + p->in, read.first, read.last, p->length, p->in, samples, stride};
    ng_tile out = {result + 1, rows.first, rows.last, p->out_length, p->out, samples, room};
    ng_fourier_rows(f, &in, bias, add, &out, scratch);
    CHECK(scratch[f->scratch_bytes / 4] == 12345);
    for (int64_t n = 0; n < samples; n++) {
        CHECK(result[n * room] == 12345 && result[n * room + room - 1] == 12345);
        memcpy(y + ((from + n) * p->out_length + rows.first) * p->out, result + n * room + 1, (size_t)written * sizeof *result);
    }
}

/* The largest error over the largest value, against y = before + bias + the sum in double. */
static double error_of(const problem *p, const float *x, const float *kernel, const float *bias, const float *before,
                       const float *y)
{
    double worst = 0, largest = 0;
    double *sums = claim(p->out, sizeof *sums);
    for (int64_t n = 0; n < p->samples; n++)
        for (int64_t t = 0; t < p->out_length; t++) {
            for (int64_t o = 0; o < p->out; o++)
                sums[o] = (bias ? (double)bias[o] : 0) + (before ? (double)before[(n * p->out_length + t) * p->out + o] : 0);
            const ng_range rows = ng_clip(t - p->pad, t - p->pad + p->taps, p->length);
            for (int64_t i = rows.first; i < rows.last; i++)
                for (int64_t c = 0; c < p->in; c++) {
                    const double value = (double)x[(n * p->length + i) * p->in + c];
                    const float *weights = kernel + ((i - t + p->pad) * p->in + c) * p->out;
                    for (int64_t o = 0; o < p->out; o++) sums[o] += value * (double)weights[o];
                }
            for (int64_t o = 0; o < p->out; o++) {
                worst = fmax(worst, fabs((double)y[(n * p->out_length + t) * p->out + o] - sums[o]));
                largest = fmax(largest, fabs(sums[o]));
            }
        }
    return worst / largest;
}

static bool same(const float *a, const float *b, int64_t count) { return !memcmp(a, b, (size_t)count * sizeof *a); }

/* The kernel may be stored with taps in reverse and channels exchanged, as for a gradient. */
static void one_case(const problem *p)
{
    ng_error error;
    ng_fourier f;
    arena = ng_arena_new((int64_t)1 << 31);
    const int64_t weights = p->taps * p->in * p->out, size = p->samples * p->out_length * p->out;
    float *x = numbers(p->samples * p->length * p->in), *kernel = numbers(weights), *before = numbers(size);
    const float *bias = draw(3) ? numbers(p->out) : NULL;
    const bool add = draw(2);
    const ng_fourier_shape shape = shape_of(p);
    float *y = claim(size, sizeof *y), *cut = claim(size, sizeof *cut), *flipped = claim(weights, sizeof *flipped);
    memcpy(y, before, (size_t)size * sizeof *y);
    memcpy(cut, before, (size_t)size * sizeof *y);

    if (draw(2)) {
        for (int64_t j = 0; j < p->taps; j++)
            for (int64_t c = 0; c < p->in; c++)
                for (int64_t o = 0; o < p->out; o++)
                    flipped[((p->taps - 1 - j) * p->out + o) * p->in + c] = kernel[(j * p->in + c) * p->out + o];
        CHECK(!ng_fourier_make(&shape, flipped + (p->taps - 1) * p->in * p->out, -p->in * p->out, 1, p->in, p->size, 2, NULL, arena, &f, &error));
    } else {
        CHECK(!ng_fourier_make(&shape, kernel, p->in * p->out, p->out, 1, p->size, 2, NULL, arena, &f, &error));
    }
    if (f.rows == p->out_length) CHECK(p->length <= p->size && p->out_length <= p->size);
    else CHECK(f.rows % p->multiple == 0 && f.rows > 0 && f.rows + p->taps - 1 <= p->size);
    CHECK(f.scratch_bytes <= 2 << 20);

    run(&f, p, x, bias, add, 0, p->samples, (ng_range){0, p->out_length}, y);
    const double wrong = error_of(p, x, kernel, bias, add ? before : NULL, y);
    CHECK(wrong <= 1e-6);                        /* a few roundings of float32, relative to the largest values */
    for (int64_t n = 0; n < p->samples; n++)
        for (ng_range rows = {0, 0}; rows.last < p->out_length;) {
            rows = (ng_range){rows.last, rows.last + (1 + draw(4)) * f.rows};
            if (rows.last > p->out_length) rows.last = p->out_length;
            run(&f, p, x, bias, add, n, 1, rows, cut);
        }
    CHECK(same(y, cut, size));
    ng_arena_free(arena);
}

/* The gradient of K, of all rows of dy or some, of all samples at once, against sums in double; scratch is full of NaN. */
static void one_gradient(const problem *p)
{
    ng_error error;
    ng_fourier f;
    if (p->size < 2 * p->taps) return;
    arena = ng_arena_new((int64_t)1 << 31);
    const bool all = draw(2);
    const int64_t first = all ? 0 : draw(p->out_length), last = all ? p->out_length : first + 1 + draw(p->out_length - first);
    const int64_t weights = p->taps * p->in * p->out, rows = last - first;
    float *x = numbers(p->samples * p->length * p->in), *dy = numbers(p->samples * rows * p->out), *dw = numbers(weights);
    ng_fourier_shape shape = shape_of(p);
    shape.multiple = 1;
    CHECK(!ng_fourier_make_gradient(&shape, p->size, arena, &f, &error));
    float *scratch = claim(f.scratch_bytes / 4 + 1, sizeof *scratch);
    double *sums = claim(weights, sizeof *sums), worst = 0, largest = 0;
    for (int64_t i = 0; i < f.scratch_bytes / 4; i++) scratch[i] = NAN;
    scratch[f.scratch_bytes / 4] = 12345;
    for (int64_t i = 0; i < weights; i++) sums[i] = (double)dw[i];
    for (int64_t n = 0; n < p->samples; n++)
        for (int64_t t = first; t < last; t++) {
            const ng_range read = ng_clip(t - p->pad, t - p->pad + p->taps, p->length);
            for (int64_t i = read.first; i < read.last; i++)
                for (int64_t c = 0; c < p->in; c++) {
                    const double value = (double)x[(n * p->length + i) * p->in + c];
                    double *to = sums + ((i - t + p->pad) * p->in + c) * p->out;
                    for (int64_t o = 0; o < p->out; o++) to[o] += value * (double)dy[(n * rows + t - first) * p->out + o];
                }
        }
    const ng_tile in = {x, 0, p->length, p->length, p->in, p->samples, p->length * p->in};
    const ng_tile out = {dy, first, last, p->out_length, p->out, p->samples, rows * p->out};
    ng_fourier_gradient_add(&f, &in, &out, true, scratch);
    ng_fourier_gradient_end(&f, dw, scratch);
    CHECK(scratch[f.scratch_bytes / 4] == 12345);
    for (int64_t i = 0; i < weights; i++) {
        worst = fmax(worst, fabs((double)dw[i] - sums[i]));
        largest = fmax(largest, fabs(sums[i]));
    }
    CHECK(worst <= 3e-6 * largest);              /* sums of thousands of float32 products */
    ng_arena_free(arena);
}

/* Blocks far from a change keep their bits. */
static void no_leak(int64_t size)
{
    const problem p = {9, 5, 7, 1500, 1500, 4, 1, size, 4};
    const ng_fourier_shape shape = shape_of(&p);
    ng_error error;
    ng_fourier f;
    arena = ng_arena_new((int64_t)1 << 30);
    float *x = numbers(p.length * p.in), *y = claim(p.length * p.out, sizeof *y), *z = claim(p.length * p.out, sizeof *z);
    CHECK(!ng_fourier_make(&shape, numbers(9 * 5 * 7), 35, 7, 1, size, 1, NULL, arena, &f, &error));
    run(&f, &p, x, NULL, false, 0, 1, (ng_range){0, p.length}, y);
    for (int64_t c = 0; c < p.in; c++) x[(f.rows + 6) * p.in + c] = 1e30f;           /* rows S + 2 .. S + 10 read it */
    run(&f, &p, x, NULL, false, 0, 1, (ng_range){0, p.length}, z);
    CHECK(same(y, z, f.rows * p.out));
    CHECK(same(y + 2 * f.rows * p.out, z + 2 * f.rows * p.out, (p.length - 2 * f.rows) * p.out));
    CHECK(!same(y, z, p.length * p.out));
    ng_arena_free(arena);
}

/* A tensor in one block: the longest that size and padding allow, and one row more, which takes several. */
static void whole_tensors(int64_t size)
{
    for (int64_t taps = 2; taps <= 20; taps += 6) {
        const int64_t pad = draw(taps), after = taps - 1 - pad, length = size - (pad > after ? pad : after);      /* "same" */
        for (int64_t more = 0; more < 2; more++) {
            const problem p = {taps, 1 + draw(20), 1 + draw(20), length + more, length + more, pad, 1 + draw(4), size, 1 + draw(5)};
            const ng_fourier_shape shape = shape_of(&p);
            if (isfinite(ng_fourier_cost(&shape, size))) one_case(&p);
            one_gradient(&p);
        }
    }
}

/* So many blocks in a call, a sample each. */
static void every_number_of_blocks(void)
{
    for (int64_t blocks = 1; blocks <= 25; blocks++)
        one_case(&(problem){5, 1 + draw(40), 1 + draw(60), 40, 40, 2, blocks, 64, 1});
}

static problem random_problem(int64_t largest, int64_t longest)
{
    problem p = {.taps = 3 + draw(30), .in = 1 + draw(largest), .out = 1 + draw(largest), .length = 1 + draw(longest),
                 .samples = 1 + draw(3), .size = ng_fourier_sizes[draw(NG_FOURIER_SIZES)], .multiple = 1 + draw(5)};
    p.pad = draw(p.taps);
    p.out_length = p.length + 2 * p.pad - p.taps + 1;                     /* as many rows on the right as on the left */
    if (p.out_length < 1) p.out_length = 1;
    return p;
}

/* Of a tensor with padding on no side. */
static ng_fourier_shape open_shape(int64_t taps, int64_t in, int64_t out, int64_t length, int64_t multiple)
{
    return (ng_fourier_shape){taps, in, out, length + taps - 1, length, 0, multiple, 0};
}

static double cost(int64_t taps, int64_t multiple, int64_t size)
{
    const ng_fourier_shape shape = open_shape(taps, 8, 8, 100, multiple);
    return ng_fourier_cost(&shape, size);
}

static int64_t size_for(int64_t taps, int64_t channels, int64_t length)
{
    const ng_fourier_shape shape = open_shape(taps, channels, channels, length, 4);
    return ng_fourier_size(&shape);
}

/* The choice is the least of the costs, or 0 where there is nothing to gain. */
static void choices(void)
{
    CHECK(isinf(cost(65, 1, 64)) && isinf(cost(61, 5, 64)) && !isinf(cost(64, 1, 64)) && !isinf(cost(61, 4, 64)));
    CHECK(size_for(1, 64, 100000) == 0 && size_for(24, 64, 1) == 0 && size_for(300, 64, 100000) == 0);
    CHECK(size_for(24, 64, 100000) >= 128 && size_for(100, 64, 100000) == 256);
    CHECK(size_for(24, 256, 100000) < 256);      /* too much scratch for a thread */
    const ng_fourier_shape many = open_shape(24, 32, 32, 100000, 1), wide = open_shape(24, 512, 512, 100000, 1);
    CHECK(ng_fourier_gradient_size(&many, 100000, 1) >= 64 && ng_fourier_gradient_size(&many, 1, 1) == 0);
    CHECK(ng_fourier_gradient_size(&wide, 100000, 1) == 0);              /* too much scratch for a thread */
    for (int i = 0; i < 100; i++) {
        const int64_t taps = 1 + draw(60), pad = draw(taps), length = taps + draw(5000);
        const ng_fourier_shape shape = {taps, 1 + draw(100), 1 + draw(100), length, length + 2 * pad - taps + 1, pad, 4, 0};
        const int64_t size = ng_fourier_size(&shape);
        for (int other = 0; size && other < NG_FOURIER_SIZES; other++)
            CHECK(ng_fourier_cost(&shape, size) <= ng_fourier_cost(&shape, ng_fourier_sizes[other]));
    }
}

int main(void)
{
    static const char *const kernels[] = {"portable", "avx2", "avx512"};
    choices();
    for (int k = 0; k < 3; k++) {
        if (!ng_force_kernel(kernels[k])) continue;
        for (int i = 0; i < 60; i++) {
            const problem small = random_problem(9, 300);
            one_case(&small);
            one_gradient(&small);
        }
        for (int i = 0; i < 12; i++) {
            const problem large = random_problem(70, 2000);
            one_case(&large);
            one_gradient(&large);
        }
        for (int i = 0; i < NG_FOURIER_SIZES; i++) {
            const int64_t size = ng_fourier_sizes[i];
            const problem wide = {24, 70, 33, 90, 90, 11, 1, size, 4};
            one_case(&wide);
            one_gradient(&wide);
            no_leak(size);
            whole_tensors(size);
        }
        every_number_of_blocks();
    }
    CHECK(ng_force_kernel(NULL));
    return finish();
}
