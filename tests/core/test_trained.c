/* Kernels of training against the layers they stand for: trained_conv1d within rounding of a convolution in double, trained_pool with the
 * bits of its parts, in any tiling. */
#include "core/kernels/matrix.h"
#include "core/kernels/relu_pool.h"
#include "core/kernels/trained_conv1d.h"
#include "core/kernels/trained_pool.h"
#include "core/network/types.h"
#include "trial.h"

/* Letters; where others > 0, also rows that are none: 1 of so many; or, where it is 0, numbers. */
static float *draw_rows(trial *q, int64_t count, int64_t channels, int64_t others)
{
    float *x = claim(q, count * channels, sizeof *x);
    for (int64_t i = 0; i < count; i++) {
        const int64_t letter = draw(8) ? draw(channels) : channels;
        if (others == 0 || draw(others) == 0)
            for (int64_t c = 0; c < channels; c++) x[i * channels + c] = (float)draw_real();
        else if (letter < channels) x[i * channels + letter] = 1;
    }
    return x;
}

static float *draw_numbers(trial *q, int64_t count) { return draw_rows(q, count, 1, 0); }

static void start_conv(trial *q, int64_t taps, int64_t channels, int64_t filters, int64_t length)
{
    static const char *const paddings[] = {"valid", "same", "causal"};
    ng_error error;
    start_trial(q, &ng_conv1d, 1, &(ng_shape){2, 1, length, channels});
    set_number(q, "filters", (double)filters);
    set_number(q, "kernel_size", (double)taps);
    set_word(q, "padding", paddings[draw(3)]);
    add_weight(q, 3, taps, channels, filters, -1, 1);
    if (draw(2)) add_weight(q, 1, filters, 0, 0, -1, 1);
    q->layer.training = true;
    CHECK(q->layer.type->shape(&q->layer, q->arena, &error) == NG_OK);
}

static ng_tile whole(float *data, int64_t length, int64_t channels, int64_t samples)
{
    return (ng_tile){data, 0, length, length, channels, samples, length * channels};
}

static void *scratch_of(trial *q, const ng_layer *layer, int64_t samples)
{
    const int64_t each = layer->scratch_bytes > layer->gradient_bytes ? layer->scratch_bytes : layer->gradient_bytes;
    void *scratch = claim(q, each * samples + layer->call_bytes + 1, 1);
    memset(scratch, 0xFF, (size_t)(each * samples + layer->call_bytes + 1));
    return scratch;
}

static void check_near(const float *found, const double *expected, int64_t count, double tolerance)
{
    double off = 0, size = 0;
    for (int64_t i = 0; i < count; i++) {
        off = fmax(off, fabs((double)found[i] - expected[i]));
        size = fmax(size, fabs(expected[i]));
    }
    CHECK(off <= tolerance * size);
}

/* y and, of random dy over some of the rows, dK and db, by loops in double. */
static void trained_conv_case(void)
{
    trial q;
    const int64_t taps = 1 + draw(26), C = draw(2) ? 4 : 1 + draw(7), F = draw(3) ? 16 * (1 + draw(4)) : 1 + draw(40);
    const int64_t L = taps + draw(700), N = 1 + draw(3);
    start_conv(&q, taps, C, F, L);
    ng_layer layer = q.layer;
    ng_error error;
    const bool letters = draw(4);
    CHECK(ng_trained_conv1d(&layer, !letters, letters, draw(2) ? 20 : 5000, N, 2, q.arena, &error) == NG_OK && ng_is_trained_conv1d(&layer));
    const int64_t Lo = layer.out.length, pad = layer.reach.pad;
    const float *K = q.weights[0].data, *b = layer.weight_count > 1 ? q.weights[1].data : NULL;
    float *x = draw_rows(&q, N * L, C, letters ? 1 + draw(2) * 10000 + draw(2) * 200 : 0), *y = claim(&q, N * Lo * F, sizeof *y);
    float *dy = draw_numbers(&q, N * Lo * F), *dw = draw_numbers(&q, taps * C * F), *db = draw_numbers(&q, F);
    double *values = claim(&q, N * Lo * F, sizeof *values), *kernel = widen(&q, dw, taps * C * F), *bias = widen(&q, db, F);
    const int64_t first = layer.y_align > 1 ? 0 : draw(Lo), last = first + 1 + draw(Lo - first);
    for (int64_t n = 0; n < N; n++)
        for (int64_t t = 0; t < Lo; t++)
            for (int64_t o = 0; o < F; o++) {
                const double gradient = (double)dy[(n * Lo + t) * F + o];
                double sum = b ? (double)b[o] : 0;
                for (int64_t j = 0; j < taps; j++)
                    for (int64_t c = 0; t + j >= pad && t + j - pad < L && c < C; c++) {
                        const double value = (double)x[(n * L + t + j - pad) * C + c];
                        sum += value * (double)K[(j * C + c) * F + o];
                        if (t >= first && t < last) kernel[(j * C + c) * F + o] += value * gradient;
                    }
                if (t >= first && t < last) bias[o] += gradient;
                values[(n * Lo + t) * F + o] = sum;
            }
    const ng_tile from = whole(x, L, C, N);
    ng_tile to = whole(y, Lo, F, N), given = whole(dy, Lo, F, N), nowhere = {0};
    layer.type->forward(&layer, &from, &to, NULL, scratch_of(&q, &layer, N));
    check_near(y, values, N * Lo * F, 3e-6);
    given.data += first * F;
    given.first = first, given.last = last;
    layer.type->gradients(&layer, &from, &given, NULL, &nowhere, (float *const[]){dw, db}, scratch_of(&q, &layer, N));
    check_near(dw, kernel, taps * C * F, 3e-6);
    if (b) check_near(db, bias, F, 3e-6);
    end_trial(&q);
}

/* Rows [first, last) of all samples, and codes of them. */
static ng_tile rows_of(const ng_tile *tile, int64_t first, int64_t last)
{
    ng_tile part = *tile;
    part.data += first * tile->channels;
    part.first = first, part.last = last;
    return part;
}

static ng_code codes_of(const ng_code *code, int64_t first, int64_t last)
{
    ng_code part = *code;
    part.data += first * code->row_bytes;
    part.first = first, part.last = last;
    return part;
}

static int64_t next_row(int64_t from, int64_t align, int64_t end)
{
    const int64_t unit = align > 1 ? align : 1, next = from + unit * (1 + draw(end / unit + 1));
    return next < end ? next : end;
}

/* All of it by its parts, then in tiles. p = 1: an activation, no pool. */
static void trained_pool_case(void)
{
    trial q, relu, pool;
    const bool letters = draw(2);
    const int64_t taps = 1 + draw(26), C = letters ? 4 : 1 + draw(40), F = draw(3) ? 16 * (1 + draw(3)) : 1 + draw(40), p = 1 + draw(4);
    const int64_t L = taps + p + draw(draw(4) ? 400 : 6000), N = 1 + draw(3);
    ng_error error;
    start_conv(&q, taps, C, F, L);
    ng_layer conv = q.layer, both, made = {0};
    CHECK(ng_trained_conv1d(&conv, !letters, letters, L / 3, N, 2, q.arena, &error) == NG_OK);
    const ng_shape between = {2, 1, conv.out.length, F};
    start_trial(&relu, &ng_activation, 1, &between);
    set_word(&relu, "activation", "relu");
    start_trial(&pool, &ng_max_pooling1d, 1, &between);
    set_number(&pool, "pool_size", (double)p);
    set_number(&pool, "strides", (double)p);
    CHECK(relu.layer.type->shape(&relu.layer, q.arena, &error) == NG_OK);
    if (p == 1) both = relu.layer;
    else if (between.length < p || pool.layer.type->shape(&pool.layer, q.arena, &error) || pool.layer.reach.pad ||
             !ng_relu_pool(&relu.layer, NULL, &pool.layer, q.arena, &both)) return;
    CHECK(ng_trained_pool(&conv, &both, q.arena, &made, &error) == NG_OK && made.type);
    const int64_t Lc = conv.out.length, Lo = made.out.length;

    float *x = draw_rows(&q, N * L, C, letters ? 500 : 0), *y = claim(&q, N * Lo * F, sizeof *y), *found = claim(&q, N * Lo * F, sizeof *y);
    float *z = claim(&q, N * Lc * F, sizeof *z), *dz = claim(&q, N * Lc * F, sizeof *dz), *dy = draw_numbers(&q, N * Lo * F);
    float *dx = draw_numbers(&q, N * L * C), *found_dx = claim(&q, N * L * C, sizeof *dx), *dw = claim(&q, taps * C * F, sizeof *dw);
    float *db = claim(&q, F, sizeof *db), *found_dw = claim(&q, taps * C * F, sizeof *dw), *found_db = claim(&q, F, sizeof *db);
    const int64_t bytes = both.code_bytes;
    uint8_t *codes = claim(&q, N * Lo * bytes, 1), *found_codes = claim(&q, N * Lo * bytes, 1);
    memcpy(found_dx, dx, (size_t)(N * L * C) * sizeof *dx);
    const ng_tile from = whole(x, L, C, N), given = whole(dy, Lo, F, N), out = whole(found, Lo, F, N), back = whole(found_dx, L, C, N);
    ng_tile middle = whole(z, Lc, F, N), to = whole(y, Lo, F, N), dmiddle = whole(dz, Lc, F, N), dfrom = whole(dx, L, C, N), nowhere = {0};
    ng_code code = {codes, 0, Lo, bytes, Lo * bytes}, found_code = {found_codes, 0, Lo, bytes, Lo * bytes};
    conv.type->forward(&conv, &from, &middle, NULL, scratch_of(&q, &conv, N));
    both.type->forward(&both, &middle, &to, &code, NULL);
    both.type->backward(&both, &given, &code, &dmiddle, NULL);
    conv.type->gradients(&conv, &from, &dmiddle, NULL, &dfrom, (float *const[]){dw, db}, scratch_of(&q, &conv, N));

    void *scratch = scratch_of(&q, &made, N);
    for (int64_t first = 0, last; first < Lo; first = last) {
        last = next_row(first, made.y_align, Lo);
        ng_tile part = rows_of(&out, first, last);
        ng_code winners = codes_of(&found_code, first, last);
        made.type->forward(&made, &from, &part, &winners, scratch);
    }
    CHECK(!memcmp(y, found, (size_t)(N * Lo * F) * sizeof *y) && !memcmp(codes, found_codes, (size_t)(N * Lo * bytes)));
    for (int64_t first = 0, last; first < L; first = last) {
        last = next_row(first, made.x_align, L);
        ng_tile part = rows_of(&back, first, last);
        made.type->backward(&made, &given, &code, &part, scratch);
    }
    CHECK(!memcmp(dx, found_dx, (size_t)(N * L * C) * sizeof *dx));
    for (int64_t first = 0, last; first < Lo; first = last) {
        last = next_row(first, 1, Lo);
        const ng_tile part = rows_of(&given, first, last);
        made.type->gradients(&made, &from, &part, &code, &nowhere, (float *const[]){found_dw, found_db}, scratch);
    }
    check_near(found_dw, widen(&q, dw, taps * C * F), taps * C * F, 5e-6);
    check_near(found_db, widen(&q, db, F), F, 5e-6);
    end_trial(&q);
    end_trial(&relu);
    end_trial(&pool);
}

int main(void)
{
    static const char *const kernels[] = {"portable", "avx2", "avx512"};
    for (int i = 0; i < 3; i++) {
        if (!ng_force_kernel(kernels[i])) continue;
        for (int k = 0; k < 20; k++) trained_conv_case();
        for (int k = 0; k < 25; k++) trained_pool_case();
    }
    return finish();
}
