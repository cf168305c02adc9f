/* inst/benchmarks/kernels.c: times one convolution on one core: the direct kernel, and what the planner puts in its place.
 * Reads lines `taps channels dilation rows`. Answers each with: direct forward and backward seconds, those of the planner's
 * choice, 1 if that is another kernel, error of the direct kernel and of the choice (largest error over largest value, against
 * sums in double). kernels.R compiles it with src/core. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "core/kernels/fourier_conv1d.h"
#include "core/network/types.h"

enum { ROWS_CHECKED = 48 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *numbers(ng_arena *arena, int64_t count)
{
    ng_error error;
    float *data = ng_alloc(arena, count, sizeof *data, &error);
    if (!data) exit(1);
    for (int64_t i = 0; i < count; i++) data[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    return data;
}

/* The shortest of many calls, forward or backward. */
static double seconds(const ng_layer *layer, ng_tile *x, ng_tile *y, bool forward, void *scratch)
{
    ng_code code = {0};
    double best = INFINITY, begin = now();
    for (int calls = 0; calls < 3 || now() - begin < 0.06; calls++) {
        const double start = now();
        if (forward) layer->type->forward(layer, x, y, &code, scratch);
        else layer->type->backward(layer, y, &code, x, scratch);
        best = fmin(best, now() - start);
    }
    return best;
}

/* y against sums in double, at rows spread over the tensor. */
static double error_of(const ng_layer *layer, const ng_tile *x, const ng_tile *y)
{
    const int64_t C = x->channels, F = y->channels;
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < ROWS_CHECKED; i++) {
        const int64_t t = i * (y->length - 1) / (ROWS_CHECKED - 1);
        for (int64_t o = 0; o < F; o++) {
            double sum = layer->weights[1].data[o];
            for (int64_t j = 0; j < layer->reach.size; j++) {
                const int64_t row = t - layer->reach.pad + j * layer->reach.dilation;
                for (int64_t c = 0; row >= 0 && row < x->length && c < C; c++)
                    sum += (double)x->data[row * C + c] * (double)layer->weights[0].data[(j * C + c) * F + o];
            }
            worst = fmax(worst, fabs(sum - (double)y->data[t * F + o]));
            largest = fmax(largest, fabs(sum));
        }
    }
    return worst / largest;
}

static void answer(int taps, int channels, int dilation, int64_t rows)
{
    ng_arena *arena = ng_arena_new((int64_t)4 << 30);
    ng_error error = {0};
    const double sizes[] = {taps, channels, dilation};
    const ng_setting items[] = {{"kernel_size", NULL, &sizes[0], 1}, {"filters", NULL, &sizes[1], 1}, {"dilation_rate", NULL, &sizes[2], 1},
                                {"padding", "same", NULL, 0}};
    const ng_settings settings = {items, 4};
    const ng_tensor weights[] = {{numbers(arena, (int64_t)taps * channels * channels), 3, {taps, channels, channels}},
                                 {numbers(arena, channels), 1, {channels}}};
    const ng_shape in = {2, 1, rows, channels};
    ng_layer direct = {.type = &ng_conv1d, .name = "conv", .settings = &settings, .weights = weights, .weight_count = 2, .inputs = 1, .in = &in};
    if (direct.type->shape(&direct, arena, &error)) { puts(error.message); exit(1); }
    ng_layer chosen = direct;
    if (ng_fourier_conv1d(&chosen, 0, 1, NULL, arena, &error)) { puts(error.message); exit(1); }
    ng_tile x = {numbers(arena, rows * channels), 0, rows, rows, channels, 1, rows * channels};
    ng_tile y = {numbers(arena, rows * channels), 0, rows, rows, channels, 1, rows * channels};
    const int64_t bytes = fmax((double)(direct.scratch_bytes + direct.call_bytes), (double)(chosen.scratch_bytes + chosen.call_bytes));
    void *scratch = ng_alloc(arena, bytes + 64, 1, &error);
    if (!scratch) exit(1);
    double forward[2], backward[2], wrong[2];
    const ng_layer *layers[] = {&direct, &chosen};
    for (int i = 0; i < 2; i++) {
        forward[i] = seconds(layers[i], &x, &y, true, scratch);
        wrong[i] = error_of(layers[i], &x, &y);
    }
    for (int i = 0; i < 2; i++) {                /* gradients are added: small ones, so that they stay finite */
        memset(y.data, 0, (size_t)(rows * channels) * sizeof *y.data);
        backward[i] = seconds(layers[i], &x, &y, false, scratch);
    }
    printf("%g %g %g %g %d %g %g\n", forward[0], backward[0], forward[1], backward[1], chosen.type != direct.type, wrong[0], wrong[1]);
    fflush(stdout);
    ng_arena_free(arena);
}

int main(void)
{
    int taps, channels, dilation;
    long long rows;
    while (scanf("%d %d %d %lld", &taps, &channels, &dilation, &rows) == 4) answer(taps, channels, dilation, rows);
    return 0;
}
