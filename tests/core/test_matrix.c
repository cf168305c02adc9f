/* The matrix product: every kernel of this machine against loops in double, and against its own chain of operations, bit by bit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "core/kernels/matrix.h"

static float *numbers(ng_arena *arena, int64_t count)
{
    ng_error error;
    float *data = ng_alloc(arena, count, sizeof *data, &error);
    for (int64_t i = 0; i < count; i++) data[i] = (float)draw_real();
    return data;
}

/* Between the columns of y lies what must stay as it is. */
static void one_case(const char *kernel, int64_t rows, int64_t depth, int64_t columns)
{
    ng_arena *arena = ng_arena_new(1 << 28);
    ng_error error;
    ng_packed b;
    const int64_t a_stride = draw(2) ? depth + draw(4) : 1 + draw(depth), y_stride = columns + draw(4), size = rows * y_stride;
    const bool add = draw(2), transposed = draw(2), fused = strcmp(kernel, "portable") != 0;
    const int64_t first = draw(depth), last = first + draw(depth - first + 1);
    const float *a = numbers(arena, rows * a_stride + depth), *weights = numbers(arena, depth * columns);
    const float *bias = draw(3) ? numbers(arena, columns) : NULL;
    float *before = numbers(arena, size), *y = numbers(arena, size), *parts = numbers(arena, size);
    memcpy(y, before, (size_t)size * sizeof *y);
    memcpy(parts, before, (size_t)size * sizeof *y);

    CHECK(ng_pack(weights, depth, columns, transposed ? 1 : columns, transposed ? depth : 1, arena, &b, &error) == NG_OK);
    ng_multiply(a, rows, a_stride, &b, first, last, bias, add, y, y_stride);
    for (int64_t r = 0, next; r < rows; r = next) {
        next = r + 1 + draw(rows - r);
        ng_multiply(a + r * a_stride, next - r, a_stride, &b, first, last, bias, add, parts + r * y_stride, y_stride);
    }
    CHECK(!memcmp(y, parts, (size_t)size * sizeof *y));

    bool right = true, same_bits = true, untouched = true;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t o = 0; o < y_stride; o++) {
            const float got = y[r * y_stride + o], start = add ? before[r * y_stride + o] : bias && o < columns ? bias[o] : 0;
            if (o >= columns) {
                untouched = untouched && got == before[r * y_stride + o];
                continue;
            }
            double sum = (double)start, largest = fabs(sum);
            float chain = start;
            for (int64_t k = first; k < last; k++) {
                const float value = a[r * a_stride + k - first], weight = weights[transposed ? o * depth + k : k * columns + o];
                sum += (double)value * (double)weight;
                largest = fmax(largest, fabs(sum));
                chain = fmaf(value, weight, chain);
            }
            right = right && fabs((double)got - sum) <= 1.2e-7 * (double)(last - first + 1) * largest;   /* one rounding a term */
            same_bits = same_bits && (!fused || got == chain);
        }
    CHECK(right);
    CHECK(same_bits);
    CHECK(untouched);
    ng_arena_free(arena);
}

/* Taps that follow one another in several calls are the same chain as in one: a convolution relies on it at its edges. */
static void split_depth(void)
{
    ng_arena *arena = ng_arena_new(1 << 28);
    ng_error error;
    ng_packed b;
    enum { ROWS = 29, DEPTH = 60, COLUMNS = 37 };
    const float *a = numbers(arena, ROWS * DEPTH), *bias = numbers(arena, COLUMNS);
    float *whole = numbers(arena, ROWS * COLUMNS), *parts = numbers(arena, ROWS * COLUMNS);
    CHECK(ng_pack(numbers(arena, DEPTH * COLUMNS), DEPTH, COLUMNS, COLUMNS, 1, arena, &b, &error) == NG_OK);
    ng_multiply(a, ROWS, DEPTH, &b, 0, DEPTH, bias, false, whole, COLUMNS);
    for (int64_t k = 0; k < DEPTH; k += 15) ng_multiply(a + k, ROWS, DEPTH, &b, k, k + 15, bias, k > 0, parts, COLUMNS);
    CHECK(!memcmp(whole, parts, ROWS * COLUMNS * sizeof *whole));
    ng_arena_free(arena);
}

/* Deep sums are sums of chains: their bits, and an error that does not grow with the depth. */
static void deep_case(const char *kernel, int64_t rows, int64_t depth, int64_t columns, bool add)
{
    ng_arena *arena = ng_arena_new(1 << 28);
    ng_error error;
    ng_packed b;
    const bool fused = strcmp(kernel, "portable") != 0;
    const float *a = numbers(arena, rows * depth), *weights = numbers(arena, depth * columns), *bias = numbers(arena, columns);
    float *before = numbers(arena, rows * columns), *y = numbers(arena, rows * columns);
    memcpy(y, before, (size_t)(rows * columns) * sizeof *y);
    CHECK(ng_pack(weights, depth, columns, columns, 1, arena, &b, &error) == NG_OK);
    ng_multiply(a, rows, depth, &b, 0, depth, bias, add, y, columns);
    bool same_bits = true;
    double worst = 0, largest = 0;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t o = 0; o < columns; o++) {
            const float start = add ? before[r * columns + o] : bias[o];
            double sum = (double)start;
            float total = start, chain = add ? 0 : start;
            for (int64_t k = 0; k < depth; k++) {
                chain = fmaf(a[r * depth + k], weights[k * columns + o], chain);
                sum += (double)a[r * depth + k] * (double)weights[k * columns + o];
                if ((k + 1) % NG_CHAIN && k + 1 < depth) continue;
                total = k < NG_CHAIN && !add ? chain : total + chain;
                chain = 0;
            }
            same_bits = same_bits && (!fused || y[r * columns + o] == total);
            worst = fmax(worst, fabs((double)y[r * columns + o] - sum));
            largest = fmax(largest, fabs(sum));
        }
    CHECK(same_bits);
    CHECK(worst <= 1e-6 * largest);
    ng_arena_free(arena);
}

int main(void)
{
    static const char *const kernels[] = {"portable", "avx2", "avx512"};
    CHECK(!ng_force_kernel("abacus"));
    for (int k = 0; k < 3; k++) {
        if (!ng_force_kernel(kernels[k])) continue;
        CHECK(!strcmp(ng_kernel_name(), kernels[k]));
        for (int64_t rows = 1; rows <= 27; rows++)
            for (int64_t columns = 1; columns <= 35; columns++) one_case(kernels[k], rows, 1 + draw(9), columns);
        for (int i = 0; i < 150; i++) {                              /* drawn in this order by every compiler */
            const int64_t columns = 1 + draw(150), depth = 1 + draw(200), rows = 1 + draw(80);
            one_case(kernels[k], rows, depth, columns);
        }
        split_depth();
        for (int i = 0; i < 4; i++) deep_case(kernels[k], 37, 24 * 1024 - 700 * i, 33, i % 2);
        deep_case(kernels[k], 13, NG_CHAIN + 1, 40, false);
    }
    CHECK(ng_force_kernel(NULL));
    return finish();
}
