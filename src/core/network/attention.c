/* core/network/attention.c: Attention, what MultiHeadAttention does between its projections, head by head.
 *     q (M, H D), k (N, H D), v (N, H E), perhaps masks a (M, 1) and b (N, 1) -> y (M, H E)
 *     s[m, n] = sum_d q[m, d] k[n, d] / sqrt(D)             - 1e9 where a[m] or b[n] is 0
 *     p[m, n] = e^s[m, n] / sum_n e^s[m, n],   y[m] = sum_n p[m, n] v[n]
 * and back
 *     dp[m, n] = sum_e dy[m, e] v[n, e],   ds[m, n] = p[m, n] (dp[m, n] - sum_n p[m, n] dp[m, n])
 *     dv[n] += sum_m p[m, n] dy[m],   dq[m] += sum_n ds[m, n] k[n] / sqrt(D),   dk[n] += sum_m ds[m, n] q[m] / sqrt(D)
 * for each head. The M N probabilities are never kept: forward keeps q / sqrt(D), k, v, the masks and, for each row and head, the
 * largest s and 1 / sum e^(s - largest); backward computes p again, a block of rows at a time. */
#include <math.h>
#include <string.h>
#include "core/kernels/elementary.h"
#include "core/kernels/matrix.h"
#include "core/network/layer.h"
#include "core/network/vector.h"

enum { BLOCK = 48 };                             /* rows of q: four tiles of the matrix product */

typedef struct attention { int64_t heads, M, N, D, E; float scale; const float *zeros; } attention;

static int64_t padded(int64_t floats) { return (floats + NG_PANEL - 1) / NG_PANEL * NG_PANEL; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    attention *config = ng_alloc(arena, 1, sizeof *config, error);
    if (!config) return error->status;
    if (ng_expect_rank(layer, 2, 2, error) || ng_whole(layer, "heads", 0, 1, 1, &config->heads, error)) return error->status;
    const ng_shape *in = layer->in;
    const int64_t H = config->heads;
    const bool fits = (layer->inputs == 3 || (layer->inputs == 5 && in[3].length == in[0].length && in[4].length == in[1].length)) &&
                      in[0].channels == in[1].channels && in[1].length == in[2].length;
    if (!fits || in[0].channels % H || in[2].channels % H)
        return ng_fail(error, NG_BAD_MODEL, layer, "queries, keys and values do not fit each other or the %lld heads", (long long)H);
    config->M = in[0].length, config->N = in[1].length, config->D = in[0].channels / H, config->E = in[2].channels / H;
    config->scale = (float)(1 / sqrt((double)config->D));
    const int64_t M = config->M, N = config->N, D = config->D, E = config->E;
    float *zeros = ng_alloc(arena, padded(most(N, most(D, E))), sizeof *zeros, error);
    if (!zeros) return error->status;
    config->zeros = zeros;
    layer->config = config;
    layer->out = (ng_shape){2, 1, M, H * E};
    layer->reach = (ng_reach){0, 1, 1, 0};
    const int64_t kept = M * H * (D + 2) + N * H * (D + E) + M + N;
    layer->code_bytes = (int64_t)sizeof(float) * ((kept + M - 1) / M);
    /* keys and values of a head, packed both ways; blocks of s and dp, and one of them turned; rows of q and dy packed */
    const int64_t packed = D * padded(N) + E * padded(N) + N * (padded(D) + padded(E)), blocks = 3 * BLOCK * padded(N);
    layer->call_bytes = (int64_t)sizeof(float) * (packed + blocks + BLOCK * (padded(D) + padded(E)));
    return NG_OK;
}

typedef struct kept { float *q, *k, *v, *largest, *reciprocal, *a, *b; } kept;

static kept kept_in(const attention *c, const ng_code *code, int64_t sample)
{
    kept in = {.q = (float *)(code->data + sample * code->sample_stride)};
    in.k = in.q + c->M * c->heads * c->D;
    in.v = in.k + c->N * c->heads * c->D;
    in.largest = in.v + c->N * c->heads * c->E;
    in.reciprocal = in.largest + c->M * c->heads;
    in.a = in.reciprocal + c->M * c->heads;
    in.b = in.a + c->M;
    return in;
}

/* b in scratch memory, which goes on behind it. */
static ng_packed pack(const attention *c, int64_t depth, int64_t columns, const float *b, int64_t row_stride, int64_t column_stride,
                      float **scratch)
{
    ng_packed packed = {.depth = depth, .columns = columns, .panels = *scratch, .zeros = c->zeros};
    memset(packed.panels, 0, (size_t)(depth * padded(columns)) * sizeof(float));
    ng_pack_rows(&packed, 0, depth, b, row_stride, column_stride);
    *scratch += depth * padded(columns);
    return packed;
}

/* s of rows [first, first + rows) of one head, masked as Keras does it in float32: the sum loses what s was. */
static void scores(const attention *c, const kept *in, bool masked, const ng_packed *keys, int64_t head, int64_t first, int64_t rows,
                   float *s)
{
    const int64_t N = c->N;
    ng_multiply(in->q + first * c->heads * c->D + head * c->D, rows, c->heads * c->D, keys, 0, c->D, NULL, false, s, padded(N));
    for (int64_t m = 0; masked && m < rows; m++)
        for (int64_t n = 0; n < N; n++)
            if (!(in->a[first + m] > 0 && in->b[n] > 0)) s[m * padded(N) + n] += -1e9f;
}

static void exponentials(float *restrict s, float largest, int64_t count)
{
#pragma omp simd
    for (int64_t n = 0; n < count; n++) s[n] = ng_exp(s[n] - largest);
}

static void copy_rows(const ng_tile *x, int64_t sample, float *to)
{
    memcpy(to, ng_row(x, sample, 0), (size_t)(x->length * x->channels) * sizeof *to);
}

static void forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch)
{
    const attention *c = layer->config;
    const int64_t H = c->heads, N = c->N, D = c->D, E = c->E;
    const bool masked = layer->inputs > 3;
    for (int64_t sample = 0; sample < y->samples; sample++) {
        const kept in = kept_in(c, code, sample);
        copy_rows(&x[0], sample, in.q);
        copy_rows(&x[1], sample, in.k);
        copy_rows(&x[2], sample, in.v);
        if (masked) copy_rows(&x[3], sample, in.a);
        if (masked) copy_rows(&x[4], sample, in.b);
        ng_scale(in.q, c->scale, c->M * H * D);
        for (int64_t h = 0; h < H; h++) {
            float *free = scratch;
            const ng_packed keys = pack(c, D, N, in.k + h * D, 1, H * D, &free), values = pack(c, N, E, in.v + h * E, H * E, 1, &free);
            for (int64_t first = 0; first < c->M; first += BLOCK) {
                const int64_t rows = first + BLOCK < c->M ? BLOCK : c->M - first;
                scores(c, &in, masked, &keys, h, first, rows, free);
                for (int64_t m = 0; m < rows; m++) {
                    float *s = free + m * padded(N), largest = s[0];
                    for (int64_t n = 1; n < N; n++) largest = s[n] > largest ? s[n] : largest;
                    exponentials(s, largest, N);
                    double sum = 0;
                    for (int64_t n = 0; n < N; n++) sum += (double)s[n];
                    in.largest[(first + m) * H + h] = largest;
                    in.reciprocal[(first + m) * H + h] = (float)(1 / sum);
                    ng_scale(s, (float)(1 / sum), N);
                }
                ng_multiply(free, rows, padded(N), &values, 0, N, NULL, false, ng_row(y, sample, first) + h * E, H * E);
            }
        }
    }
}

/* p and ds of a block of rows, in the places of s and dp. */
static void slopes(const attention *c, const kept *in, int64_t head, int64_t first, int64_t rows, float *s, float *dp)
{
    for (int64_t m = 0; m < rows; m++) {
        float *p = s + m * padded(c->N), *d = dp + m * padded(c->N);
        double sum = 0;
        exponentials(p, in->largest[(first + m) * c->heads + head], c->N);
        ng_scale(p, in->reciprocal[(first + m) * c->heads + head], c->N);
        for (int64_t n = 0; n < c->N; n++) sum += (double)p[n] * (double)d[n];
        const float mean = (float)sum;
#pragma omp simd
        for (int64_t n = 0; n < c->N; n++) d[n] = p[n] * (d[n] - mean);
    }
}

/* to (N rows) += block (rows, N) turned, times b (rows, columns). */
static void add_turned(const attention *c, const float *block, int64_t rows, const ng_packed *b, float *turned, float *to, int64_t to_stride)
{
    for (int64_t m = 0; m < rows; m++)
        for (int64_t n = 0; n < c->N; n++) turned[n * BLOCK + m] = block[m * padded(c->N) + n];
    ng_multiply(turned, c->N, BLOCK, b, 0, rows, NULL, true, to, to_stride);
}

static void backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch)
{
    const attention *c = layer->config;
    const int64_t H = c->heads, N = c->N, D = c->D, E = c->E;
    for (int64_t sample = 0; sample < dy->samples; sample++) {
        const kept in = kept_in(c, code, sample);
        for (int64_t h = 0; h < H; h++) {
            float *free = scratch;
            const ng_packed keys = pack(c, D, N, in.k + h * D, 1, H * D, &free), back = pack(c, N, D, in.k + h * D, H * D, 1, &free);
            const ng_packed values = pack(c, E, N, in.v + h * E, 1, H * E, &free);
            float *s = free, *dp = s + BLOCK * padded(N), *turned = dp + BLOCK * padded(N), *rest = turned + BLOCK * padded(N);
            for (int64_t first = 0; first < c->M; first += BLOCK) {
                const int64_t rows = first + BLOCK < c->M ? BLOCK : c->M - first;
                const float *from = ng_row(dy, sample, first) + h * E;
                scores(c, &in, layer->inputs > 3, &keys, h, first, rows, s);
                ng_multiply(from, rows, H * E, &values, 0, E, NULL, false, dp, padded(N));
                slopes(c, &in, h, first, rows, s, dp);
                float *room = rest;
                if (dx[2].data) {
                    const ng_packed gradients = pack(c, rows, E, from, H * E, 1, &room);
                    add_turned(c, s, rows, &gradients, turned, ng_row(&dx[2], sample, 0) + h * E, H * E);
                }
                if (dx[1].data) {
                    const ng_packed queries = pack(c, rows, D, in.q + first * H * D + h * D, H * D, 1, &room);
                    add_turned(c, dp, rows, &queries, turned, ng_row(&dx[1], sample, 0) + h * D, H * D);
                }
                if (!dx[0].data) continue;
                for (int64_t m = 0; m < rows; m++) ng_scale(dp + m * padded(N), c->scale, N);
                ng_multiply(dp, rows, padded(N), &back, 0, N, NULL, true, ng_row(&dx[0], sample, first) + h * D, H * D);
            }
        }
    }
}

const ng_layer_type ng_attention = {
    .class_name = "Attention", .several = true, .shape = shape, .forward = forward, .backward = backward};
