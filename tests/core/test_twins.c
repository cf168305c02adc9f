/* Kernels that stand for layers, against the layers: the same bits (relu_pool, path_pool, one_hot_conv1d, global_in_blocks but for
 * averages), cut into random tiles too. */
#include "trial.h"
#include "core/kernels/global_in_blocks.h"
#include "core/kernels/matrix.h"
#include "core/kernels/one_hot_conv1d.h"
#include "core/kernels/path_pool.h"
#include "core/kernels/relu_pool.h"
#include "core/network/types.h"

static float *numbers(trial *q, int64_t count)
{
    float *data = claim(q, count, sizeof *data);
    for (int64_t i = 0; i < count; i++) data[i] = (float)draw_real();
    return data;
}

/* Rows of a sequence: one-hot, with stretches of a constant and, now and then, of anything. */
static float *sequence(trial *q, int64_t rows, int64_t channels)
{
    float *x = claim(q, rows * channels, sizeof *x);
    for (int64_t t = 0, kind = 0; t < rows; t++) {
        if (draw(40) == 0) kind = draw(3);
        for (int64_t c = 0; c < channels; c++) x[t * channels + c] = kind == 1 ? 0.25f : kind == 2 ? (float)draw_real() : 0;
        if (kind == 0) x[t * channels + draw(channels)] = 1;
    }
    return x;
}

/* Rows [first, last) of a whole tensor, in memory of their own with NaN around. */
static ng_tile cut_rows(trial *q, const float *whole, int64_t first, int64_t last, ng_shape shape)
{
    const int64_t count = (last - first) * shape.channels;
    float *data = claim(q, count + 32, sizeof *data);
    for (int64_t i = 0; i < count + 32; i++) data[i] = NAN;
    if (whole) memcpy(data + 16, whole + first * shape.channels, (size_t)count * sizeof *data);
    return (ng_tile){data + 16, first, last, shape.length, shape.channels, 1, count};
}

static void shape_of(ng_layer *layer, ng_arena *arena)
{
    ng_error error;
    CHECK(layer->type->shape(layer, arena, &error) == NG_OK);
}

static void one_hot_case(void)
{
    static const char *const paddings[] = {"valid", "same", "causal"};
    trial q;
    const int64_t k = 1 + draw(24), C = 1 + draw(6), F = 16 * (1 + draw(5)), L = k + draw(400);
    start_trial(&q, &ng_conv1d, 1, &(ng_shape){2, 1, L, C});
    set_number(&q, "filters", (double)F);
    set_numbers(&q, "kernel_size", 1, (double)k, 0, 0);
    set_word(&q, "padding", paddings[draw(3)]);
    add_weight(&q, 3, k, C, F, -1, 1);
    if (draw(2)) add_weight(&q, 1, F, 0, 0, -1, 1);
    shape_of(&q.layer, q.arena);
    ng_layer twin = q.layer;
    ng_error error;
    CHECK(ng_one_hot_conv1d(&twin, q.arena, &error) == NG_OK && twin.type != q.layer.type);
    const ng_shape in = {2, 1, L, C}, out = q.layer.out;
    float *x = sequence(&q, L, C);
    const ng_tile input = cut_rows(&q, x, 0, L, in);
    ng_tile expected = cut_rows(&q, NULL, 0, out.length, out);
    q.layer.type->forward(&q.layer, &input, &expected, NULL, NULL);
    for (int64_t first = 0, last; first < out.length; first = last) {
        last = first + 1 + draw(out.length - first);
        const ng_range needed = ng_rows_needed(twin.reach, (ng_range){first, last}, L);
        const ng_tile part = cut_rows(&q, x, needed.first, needed.last, in);
        ng_tile y = cut_rows(&q, NULL, first, last, out);
        twin.type->forward(&twin, &part, &y, NULL, NULL);
        CHECK(!memcmp(y.data, ng_row(&expected, 0, first), (size_t)((last - first) * F) * sizeof *y.data));
        CHECK(isnan(y.data[-1]) && isnan(y.data[(last - first) * F]));
    }
    end_trial(&q);
}

/* relu, BatchNormalization or none, MaxPooling1D: planned layers of one channel count, and the kernel made of them. */
static void relu_pool_case(void)
{
    static const char *const paddings[] = {"valid", "same"};
    trial relu, norm, pool;
    const int64_t C = draw(2) ? 1 + draw(70) : 32 * (1 + draw(3)), size = 2 + draw(draw(3) ? 6 : 20), L = size + draw(60);
    const bool with_norm = draw(2), tied = draw(3) == 0;
    const ng_shape in = {2, 1, L, C};
    start_trial(&relu, &ng_activation, 1, &in);
    set_word(&relu, "activation", "relu");
    start_trial(&norm, &ng_batch_normalization, 1, &in);
    for (int w = 0; w < 3; w++) add_weight(&norm, 1, C, 0, 0, -1, 1);
    add_weight(&norm, 1, C, 0, 0, 0.1, 2);
    start_trial(&pool, &ng_max_pooling1d, 1, &in);
    set_number(&pool, "pool_size", (double)size);
    set_number(&pool, "strides", (double)(1 + draw(size + 2)));
    set_word(&pool, "padding", paddings[draw(2)]);
    shape_of(&relu.layer, relu.arena);
    shape_of(&norm.layer, norm.arena);
    shape_of(&pool.layer, pool.arena);
    ng_layer fused;
    CHECK(ng_relu_pool(&relu.layer, with_norm ? &norm.layer : NULL, &pool.layer, pool.arena, &fused));
    const ng_shape out = pool.layer.out;
    float *x = numbers(&pool, L * C), *dy = numbers(&pool, out.length * C);
    for (int64_t i = 0; tied && i < L * C; i++) x[i] = (float)(draw(3) - 1);

    /* the run of layers on whole tensors */
    const ng_tile input = cut_rows(&pool, x, 0, L, in);
    ng_tile bent = cut_rows(&pool, NULL, 0, L, in), scaled = cut_rows(&pool, NULL, 0, L, in), best = cut_rows(&pool, NULL, 0, out.length, out);
    uint8_t *signs = claim(&pool, L * relu.layer.code_bytes, 1), *winners = claim(&pool, out.length * C, 1);
    ng_code sign_code = {signs, 0, L, relu.layer.code_bytes, 0}, winner_code = {winners, 0, out.length, C, 0};
    relu.layer.type->forward(&relu.layer, &input, &bent, &sign_code, NULL);
    if (with_norm) norm.layer.type->forward(&norm.layer, &bent, &scaled, NULL, NULL);
    pool.layer.type->forward(&pool.layer, with_norm ? &scaled : &bent, &best, &winner_code, NULL);
    const ng_tile dbest = cut_rows(&pool, dy, 0, out.length, out);
    ng_tile dscaled = cut_rows(&pool, NULL, 0, L, in), dbent = cut_rows(&pool, NULL, 0, L, in), dx = cut_rows(&pool, NULL, 0, L, in);
    for (int64_t i = 0; i < L * C; i++) dscaled.data[i] = dbent.data[i] = dx.data[i] = 0;
    pool.layer.type->backward(&pool.layer, &dbest, &winner_code, &dscaled, NULL);
    if (with_norm) norm.layer.type->backward(&norm.layer, &dscaled, NULL, &dbent, NULL);
    relu.layer.type->backward(&relu.layer, with_norm ? &dbent : &dscaled, &sign_code, &dx, NULL);

    const int64_t bytes = fused.code_bytes;
    CHECK(bytes == (C % 32 || size > 15 ? C : C / 2));
    uint8_t *codes = claim(&pool, out.length * bytes, 1);
    for (int64_t first = 0, last; first < out.length; first = last) {
        last = first + 1 + draw(out.length - first);
        const ng_range needed = ng_rows_needed(fused.reach, (ng_range){first, last}, L);
        const ng_tile part = cut_rows(&pool, x, needed.first, needed.last, in);
        ng_tile y = cut_rows(&pool, NULL, first, last, out);
        ng_code code = {codes + first * bytes, first, last, bytes, 0};
        fused.type->forward(&fused, &part, &y, &code, NULL);
        for (int64_t i = 0; i < (last - first) * C; i++) CHECK(y.data[i] == best.data[first * C + i]);
        CHECK(isnan(y.data[-1]) && isnan(y.data[(last - first) * C]));
    }
    for (int64_t i = 0; i < out.length * C; i++) {                   /* the layers' winner, unless relu was 0 there */
        const int winner = ng_relu_pool_winner(&fused, codes + i / C * bytes, i % C);
        const int64_t row = i / C * fused.reach.stride - fused.reach.pad + winners[i];
        CHECK(winner == (x[row * C + i % C] > 0 ? winners[i] : -1));
    }
    for (int64_t first = 0, last; first < L; first = last) {
        last = first + 1 + draw(L - first);
        const ng_range touched = ng_rows_touched(fused.reach, (ng_range){first, last}, out.length);
        const ng_tile part = cut_rows(&pool, dy, touched.first, touched.last, out);
        const ng_code code = {codes + touched.first * bytes, touched.first, touched.last, bytes, 0};
        ng_tile back = cut_rows(&pool, NULL, first, last, in);
        for (int64_t i = 0; i < (last - first) * C; i++) back.data[i] = 0;
        fused.type->backward(&fused, &part, &code, &back, NULL);
        /* a window's share reaches dx in one addition here, in one after scaling there: overlapping windows round once more */
        for (int64_t i = 0; i < (last - first) * C; i++) {
            const float expected = dx.data[first * C + i];
            CHECK(pool.layer.reach.stride >= size ? back.data[i] == expected : fabsf(back.data[i] - expected) <= 1e-5f);
        }
        CHECK(isnan(back.data[-1]) && isnan(back.data[(last - first) * C]));
    }
    end_trial(&relu);
    end_trial(&norm);
    end_trial(&pool);
}

/* relu, BatchNormalization before or after the pool or none, MaxPooling1D: layers of one channel count. */
typedef struct run_of_layers { trial relu, norm, pool; ng_layer *order[3]; int count; bool norm_last; } run_of_layers;

static void start_run(run_of_layers *run, int64_t C, int64_t size, int64_t stride, const char *padding, int64_t L)
{
    const ng_shape in = {2, 1, L, C};
    start_trial(&run->relu, &ng_activation, 1, &in);
    set_word(&run->relu, "activation", "relu");
    start_trial(&run->pool, &ng_max_pooling1d, 1, &in);
    set_number(&run->pool, "pool_size", (double)size);
    set_number(&run->pool, "strides", (double)stride);
    set_word(&run->pool, "padding", padding);
    shape_of(&run->relu.layer, run->relu.arena);
    shape_of(&run->pool.layer, run->pool.arena);
    run->norm_last = draw(2);
    start_trial(&run->norm, &ng_batch_normalization, 1, run->norm_last ? &run->pool.layer.out : &in);
    for (int w = 0; w < 3; w++) add_weight(&run->norm, 1, C, 0, 0, -1, 1);
    add_weight(&run->norm, 1, C, 0, 0, 0.1, 2);
    shape_of(&run->norm.layer, run->norm.arena);
    run->count = 2 + (int)draw(2);
    run->order[0] = &run->relu.layer;
    run->order[1] = run->count == 3 && !run->norm_last ? &run->norm.layer : &run->pool.layer;
    run->order[2] = run->norm_last ? &run->norm.layer : &run->pool.layer;
}

/* y of the layers one after the other, and weight * their gradient added to the sums. */
static void run_layers(run_of_layers *run, float *z, const float *dy, float weight, float *y, float *sums)
{
    ng_tile value[4], gradient[4];
    ng_code code[3];
    value[0] = cut_rows(&run->pool, z, 0, run->relu.layer.in->length, *run->relu.layer.in);
    for (int i = 0; i < run->count; i++) {
        const ng_layer *layer = run->order[i];
        value[i + 1] = cut_rows(&run->pool, NULL, 0, layer->out.length, layer->out);
        code[i] = (ng_code){claim(&run->pool, layer->out.length * layer->code_bytes + 1, 1), 0, layer->out.length, layer->code_bytes, 0};
        layer->type->forward(layer, &value[i], &value[i + 1], &code[i], NULL);
    }
    memcpy(y, value[run->count].data, (size_t)ng_size(run->pool.layer.out) * sizeof *y);
    gradient[run->count] = cut_rows(&run->pool, dy, 0, run->pool.layer.out.length, run->pool.layer.out);
    for (int i = run->count - 1; i >= 0; i--) {
        gradient[i] = value[i];
        memset(gradient[i].data, 0, (size_t)gradient[i].sample_stride * sizeof *sums);
        run->order[i]->type->backward(run->order[i], &gradient[i + 1], &code[i], &gradient[i], NULL);
    }
    for (int64_t i = 0; i < ng_size(*run->relu.layer.in); i++) {
        const volatile float share = weight * gradient[0].data[i];   /* rounded, on machines that fuse multiplication and addition too */
        sums[i] += share;
    }
}

/* How many of the first windows keep their rows apart. */
static int64_t count_apart(const ng_winners *winners, int64_t rows)
{
    int64_t count = 0;
    for (int64_t t = 0; t < rows; t++) count += winners->apart[t];
    return count;
}

/* Nodes of a path whose baseline is constant but for stretches; a path from the baseline itself has all of its ties. */
static void path_pool_case(void)
{
    enum { NODES = 4 };
    static const char *const paddings[] = {"valid", "same"};
    run_of_layers run;
    const int64_t C = 16 * (1 + draw(3)), size = 1 + draw(6), stride = 1 + draw(size + 2), L = size + draw(80);
    const bool tied = draw(3) == 0, from_baseline = draw(4) == 0, alone = !from_baseline && draw(4) == 0;
    start_run(&run, C, size, stride, paddings[draw(2)], L);
    trial *q = &run.pool;
    ng_layer fused, made, last;
    const bool norm_first = run.count == 3 && !run.norm_last;
    CHECK(ng_relu_pool(&run.relu.layer, norm_first ? &run.norm.layer : NULL, &run.pool.layer, q->arena, &fused));
    CHECK(ng_path_pool(&fused, q->arena, &made));
    if (run.count == 3 && run.norm_last) {
        CHECK(ng_path_pool_norm(&made, &run.norm.layer, q->arena, &last));
        CHECK(!ng_path_pool_norm(&last, &run.norm.layer, q->arena, &made));
        made = last;
    }
    const ng_shape in = {2, 1, L, C}, out = made.out;
    const int64_t rows = out.length;
    float *z = numbers(q, 2 * L * C), *baseline = numbers(q, C), *here = claim(q, L * C, sizeof *here);
    for (int64_t i = 0; tied && i < 2 * L * C; i++) z[i] = (float)(draw(3) - 1);
    for (int64_t t = 0, odd = 0; t < L; t++) {
        if (draw(20) == 0) odd = draw(2);
        if (!odd) memcpy(z + (L + t) * C, baseline, (size_t)C * sizeof *z);
    }

    ng_winners winners = {claim(q, rows * C, sizeof(float)), claim(q, rows * C, 1), claim(q, rows, 1), baseline, 0};
    for (int64_t first = 0, end; first < rows; first = end) {
        end = first + 1 + draw(rows - first);
        const ng_range needed = ng_rows_needed(made.reach, (ng_range){first, end}, L);
        const ng_tile ends = {z + needed.first * C, needed.first, needed.last, L, C, alone ? 1 : 2, L * C};
        ng_winners_part(&made, &ends, (ng_range){first, end}, from_baseline, &winners);
        ng_winners_find(&made, &ends, (ng_range){first, end}, &winners);
    }
    float *y = claim(q, rows * C, sizeof *y), *expected_y = claim(q, rows * C, sizeof *y), *expected = claim(q, L * C, sizeof *y);
    /* what is there before the first node; not a row more than are kept apart */
    float *shared = numbers(q, rows * C), *apart = numbers(q, count_apart(&winners, rows) * size * C);
    const float last_position = 1;
    for (int n = 0; n < NODES; n++) {
        const float a = alone || n == NODES - 1 ? last_position : from_baseline && n == 0 ? 0 : (float)(draw_real() + 1.01f) / 2.02f;
        const float weight = (float)draw_real(), *dy = numbers(q, rows * C);
        for (int64_t i = 0; i < L * C; i++) here[i] = a == 1 ? z[i] : a == 0 ? z[L * C + i] : z[L * C + i] + a * (z[i] - z[L * C + i]);
        run_layers(&run, here, dy, weight, expected_y, expected);
        for (int64_t first = 0, end; first < rows; first = end) {
            end = first + 1 + draw(rows - first);
            float *copies = claim(q, ng_apart_bytes(&made, end - first), 1), *to = copies;
            const ng_tile ends = {z, 0, L, L, C, alone ? 1 : 2, L * C};
            for (int64_t t = first; t < end; t++)
                if (winners.apart[t]) {
                    ng_apart_copy(&made, &ends, (ng_range){t, t + 1}, to);
                    to += ng_apart_bytes(&made, 1) / (int64_t)sizeof *to;
                }
            const ng_windows windows = {&winners, first, end, copies};
            uint8_t *code = claim(q, (end - first) * made.code_bytes, 1);
            if (draw(2)) ng_windows_forward(&made, &windows, a, y + first * C, NULL);       /* the same without codes */
            ng_windows_forward(&made, &windows, a, y + first * C, code);
            ng_windows winnerless = windows;
            ng_winners no_winners = winners;
            no_winners.rows = NULL;
            no_winners.places = NULL;
            winnerless.winners = &no_winners;
            ng_windows_backward(&made, &winnerless, a, weight, dy + first * C, code, n == 0, shared + first * C,
                                apart + count_apart(&winners, first) * size * C);
        }
        for (int64_t i = 0; i < rows * C; i++) CHECK(y[i] == expected_y[i]);
    }
    for (int64_t first = 0, end; first < L; first = end) {
        end = first + 1 + draw(L - first);
        const ng_range touched = ng_rows_touched(made.reach, (ng_range){first, end}, rows);
        ng_tile dx = cut_rows(q, NULL, first, end, in);
        memset(dx.data, 0, (size_t)dx.sample_stride * sizeof *dx.data);
        ng_winners_spread(&made, &winners, touched, shared + touched.first * C,
                          apart + count_apart(&winners, touched.first) * size * C, &dx);
        /* where windows overlap, sums of windows are added here, windows of sums there */
        for (int64_t i = 0; i < (end - first) * C; i++) {
            const float there = expected[first * C + i];
            CHECK(stride >= size ? dx.data[i] == there : fabsf(dx.data[i] - there) <= 1e-5f);
        }
        CHECK(isnan(dx.data[-1]) && isnan(dx.data[(end - first) * C]));
    }
    end_trial(&run.relu);
    end_trial(&run.norm);
    end_trial(&run.pool);
}

/* A whole tensor of a layer's codes, or none. */
static ng_code new_code(trial *q, const ng_layer *layer, int64_t first, int64_t last)
{
    const int64_t bytes = (last - first) * layer->code_bytes;
    return (ng_code){claim(q, bytes + 1, 1), first, last, layer->code_bytes, bytes};
}

/* A global pooling over many rows, many of them equal, against the two layers that stand for it. */
static void global_case(const ng_layer_type *type)
{
    trial q;
    const ng_shape in = {2, 1, 1025 + draw(1500), 1 + draw(20)};
    const int64_t C = in.channels, L = in.length;
    start_trial(&q, type, 1, &in);
    if (draw(2)) set_number(&q, "keepdims", 1);
    shape_of(&q.layer, q.arena);
    ng_layer blocks, rest;
    ng_error error;
    bool made;
    CHECK(ng_global_in_blocks(&q.layer, q.arena, &blocks, &rest, &made, &error) == NG_OK && made);
    float *x = numbers(&q, L * C), *dy = numbers(&q, C);
    const int64_t levels = draw(3) ? 3 : 1000000;
    for (int64_t i = 0; i < L * C; i++) x[i] = floorf(x[i] * (float)levels) / (float)levels;
    void *scratch = claim(&q, 64 * C, sizeof(double));
    const ng_tile input = cut_rows(&q, x, 0, L, in), gradient = {dy, 0, 1, 1, C, 1, C};
    ng_tile y = cut_rows(&q, NULL, 0, 1, (ng_shape){2, 1, 1, C}), dx = {numbers(&q, L * C), 0, L, L, C, 1, L * C};
    ng_code code = new_code(&q, &q.layer, 0, 1), rest_code = new_code(&q, &rest, 0, 1);
    memset(dx.data, 0, (size_t)(L * C) * sizeof *dx.data);
    q.layer.type->forward(&q.layer, &input, &y, &code, scratch);
    q.layer.type->backward(&q.layer, &gradient, &code, &dx, scratch);

    const ng_shape between = blocks.out;
    ng_tile middle = cut_rows(&q, NULL, 0, between.length, between), pooled = cut_rows(&q, NULL, 0, 1, (ng_shape){2, 1, 1, C});
    ng_code bits = new_code(&q, &blocks, 0, between.length);
    for (int64_t first = 0, last; first < between.length; first = last) {
        last = first + 1 + draw(between.length - first);
        const ng_range needed = ng_rows_needed(blocks.reach, (ng_range){first, last}, L);
        const ng_tile part = cut_rows(&q, x, needed.first, needed.last, in);
        ng_tile block = cut_rows(&q, NULL, first, last, between);
        ng_code own = new_code(&q, &blocks, first, last);
        blocks.type->forward(&blocks, &part, &block, &own, scratch);
        memcpy(ng_row(&middle, 0, first), block.data, (size_t)block.sample_stride * sizeof *x);
        memcpy(ng_code_row(&bits, 0, first), own.data, (size_t)own.sample_stride);
        CHECK(isnan(block.data[-1]) && isnan(block.data[block.sample_stride]));
    }
    rest.type->forward(&rest, &middle, &pooled, &rest_code, scratch);
    for (int64_t c = 0; c < C; c++)
        CHECK(type == &ng_global_max_pooling1d ? pooled.data[c] == y.data[c] : fabsf(pooled.data[c] - y.data[c]) <= 1e-7f);
    memset(middle.data, 0, (size_t)middle.sample_stride * sizeof *x);
    rest.type->backward(&rest, &gradient, &rest_code, &middle, scratch);
    for (int64_t first = 0, last; first < L; first = last) {
        last = first + 1 + draw(L - first);
        const ng_range touched = ng_rows_touched(blocks.reach, (ng_range){first, last}, between.length);
        const ng_tile part = cut_rows(&q, middle.data, touched.first, touched.last, between);
        const ng_code own = {ng_code_row(&bits, 0, touched.first), touched.first, touched.last, bits.row_bytes, 0};
        ng_tile found = cut_rows(&q, NULL, first, last, in);
        memset(found.data, 0, (size_t)found.sample_stride * sizeof *x);
        blocks.type->backward(&blocks, &part, &own, &found, scratch);
        CHECK(!memcmp(found.data, ng_row(&dx, 0, first), (size_t)found.sample_stride * sizeof *x));
        CHECK(isnan(found.data[-1]) && isnan(found.data[found.sample_stride]));
    }
    end_trial(&q);
}

int main(void)
{
    for (int k = 0; k < 20; k++) {
        global_case(&ng_global_max_pooling1d);
        global_case(&ng_global_average_pooling1d);
    }
    static const char *const kernels[] = {"portable", "avx2", "avx512"};
    for (int i = 0; i < 3; i++) {
        if (!ng_force_kernel(kernels[i])) continue;
        for (int k = 0; k < 60; k++) one_hot_case();
        for (int k = 0; k < 120; k++) relu_pool_case();
        for (int k = 0; k < 120; k++) path_pool_case();
    }
    return finish();
}
