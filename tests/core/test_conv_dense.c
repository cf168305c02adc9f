/* Conv1D and Dense against loops in double, central differences, tilings and refusals. */
#include "trial.h"
#include "core/network/types.h"

static void naive_conv1d(const trial *q, double *const *x, double *y)
{
    const int64_t k = (int64_t)number(q, "kernel_size", 0), s = (int64_t)number(q, "strides", 1);
    const int64_t d = (int64_t)number(q, "dilation_rate", 1);
    const int64_t L = q->in[0].length, C = q->in[0].channels, F = (int64_t)number(q, "filters", 0), ke = (k - 1) * d + 1;
    const char *padding = ng_word(&q->settings, "padding", "valid");
    const bool valid = padding[0] == 'v', same = padding[0] == 's';
    const int64_t Lo = valid ? (L - ke) / s + 1 : (L + s - 1) / s, P = (Lo - 1) * s + ke - L;
    const int64_t left = valid ? 0 : same ? (P > 0 ? P / 2 : 0) : ke - 1;
    CHECK(q->layer.out.length == Lo && q->layer.out.channels == F);
    for (int64_t t = 0; t < Lo; t++)
        for (int64_t o = 0; o < F; o++) {
            double sum = q->layer.weight_count > 1 ? (double)q->weights[1].data[o] : 0;
            for (int64_t j = 0; j < k; j++)
                for (int64_t c = 0, i = t * s - left + j * d; i >= 0 && i < L && c < C; c++)
                    sum += x[0][i * C + c] * (double)q->weights[0].data[(j * C + c) * F + o];
            y[t * F + o] = sum;
        }
}

static void start_conv1d(trial *q, int64_t L, int64_t C, int64_t F, int64_t k, int64_t s, int64_t d, const char *padding)
{
    start_trial(q, &ng_conv1d, 1, &(ng_shape){2, 1, L, C});
    q->naive = naive_conv1d;
    set_number(q, "filters", (double)F);
    set_numbers(q, "kernel_size", 1, (double)k, 0, 0);
    set_number(q, "strides", (double)s);
    set_number(q, "dilation_rate", (double)d);
    set_word(q, "padding", padding);
    const double scale = 1 / sqrt((double)(k * C));
    add_weight(q, 3, k, C, F, -scale, scale);
}

static void conv1d_case(void)
{
    static const char *const paddings[] = {"valid", "same", "causal"};
    const int64_t k = 1 + draw(9), s = draw(2) ? 1 : 1 + draw(5), d = s > 1 || draw(2) ? 1 : 1 + draw(4);
    const char *padding = paddings[draw(3)];
    const int64_t least = padding[0] == 'v' ? (k - 1) * d + 1 : 1;
    trial q;
    start_conv1d(&q, least + draw(50), 1 + draw(9), 1 + draw(40), k, s, d, padding);
    if (draw(2)) add_weight(&q, 1, q.weights[0].dim[2], 0, 0, -1, 1);
    run_trial(&q);
    end_trial(&q);
}

/* Windows with the same content give the same bits wherever they lie. */
static void repeated_content(void)
{
    trial q;
    start_conv1d(&q, 100, 3, 21, 6, 1, 1, "same");
    add_weight(&q, 1, 21, 0, 0, -1, 1);
    q.levels = 1;                                                    /* every input is 0 */
    run_trial(&q);
    for (int64_t t = 0; t < 100; t++) CHECK(!memcmp(q.y, q.y + t * 21, 21 * sizeof *q.y));
    end_trial(&q);
}

/* With few channels several rows of the gradient are one product, though never a row that is a tile by itself: the same bits,
 * also where zeros of both signs meet, and those of a loop in double but for one rounding a term. */
static void folded_rows(int64_t C, bool zeros)
{
    static const char *const paddings[] = {"valid", "same", "causal"};
    const int64_t k = 1 + draw(30), F = 1 + draw(20), L = k + draw(100);
    trial q;
    start_conv1d(&q, L, C, F, k, 1, 1, paddings[draw(3)]);
    q.layer.weight_count = 0;
    add_weight(&q, 3, k, C, F, -1, zeros ? -0.5 : 1);
    ng_error error = {0};
    CHECK(q.layer.type->shape(&q.layer, q.arena, &error) == NG_OK);
    const int64_t Lo = q.layer.out.length, N = q.samples, size = N * L * C;
    q.dy = claim(&q, N * Lo * F, sizeof *q.dy);
    for (int64_t i = 0; !zeros && i < N * Lo * F; i++) q.dy[i] = (float)draw_real();
    const uint8_t *codes = claim(&q, 1, 1);
    float *dx[4] = {claim(&q, size, sizeof(float))}, *lone_dx[4] = {claim(&q, size, sizeof(float))};
    float *cut_dx[4] = {claim(&q, size, sizeof(float))};
    for (int64_t i = 0; i < size; i++) dx[0][i] = lone_dx[0][i] = cut_dx[0][i] = -0.0f;

    backward_tile(&q, (ng_range){0, L}, 0, N, 1, codes, dx);
    for (int64_t i = 0; i < L; i++) backward_tile(&q, (ng_range){i, i + 1}, 0, N, 1, codes, lone_dx);
    for (ng_range r = {0, 0}; r.last < L;) {
        r = next_cut(&q, r.last, L);
        backward_tile(&q, r, 0, N, 1, codes, cut_dx);
    }
    CHECK(!memcmp(dx[0], lone_dx[0], (size_t)size * sizeof(float)));
    CHECK(!memcmp(dx[0], cut_dx[0], (size_t)size * sizeof(float)));
    for (int64_t n = 0; n < N; n++)
        for (int64_t i = 0; i < L * C; i++) {
            double sum = 0, largest = 0;
            for (int64_t j = 0; j < k; j++)
                for (int64_t o = 0, t = i / C + q.layer.reach.pad - j; o < F && t >= 0 && t < Lo; o++) {
                    const double term = (double)q.dy[(n * Lo + t) * F + o] * (double)q.weights[0].data[(j * C + i % C) * F + o];
                    sum += term;
                    largest += fabs(term);
                }
            CHECK(fabs((double)dx[0][n * L * C + i] - sum) <= 1.2e-7 * (double)(k * F) * largest);
        }
    end_trial(&q);
}

static void naive_dense(const trial *q, double *const *x, double *y)
{
    const int64_t C = q->in[0].channels, U = q->layer.out.channels;
    for (int64_t t = 0; t < ng_rows(q->in[0]); t++)
        for (int64_t o = 0; o < U; o++) {
            y[t * U + o] = q->layer.weight_count > 1 ? (double)q->weights[1].data[o] : 0;
            for (int64_t c = 0; c < C; c++) y[t * U + o] += x[0][t * C + c] * (double)q->weights[0].data[c * U + o];
        }
}

static void start_dense(trial *q, int rank, int64_t units)
{
    const ng_shape in = {rank, rank > 2 ? 1 + draw(4) : 1, rank > 1 ? 1 + draw(30) : 1, 1 + draw(50)};
    start_trial(q, &ng_dense, 1, &in);
    q->naive = naive_dense;
    set_number(q, "units", (double)units);
    const double scale = 1 / sqrt((double)in.channels);
    add_weight(q, 2, in.channels, units, 0, -scale, scale);
}

static void dense_case(void)
{
    trial q;
    start_dense(&q, 1 + (int)draw(3), 1 + draw(40));
    if (draw(2)) add_weight(&q, 1, q.weights[0].dim[1], 0, 0, -1, 1);
    else if (draw(2)) set_number(&q, "use_bias", 0);
    q.samples = 1 + draw(20);
    run_trial(&q);
    CHECK(q.layer.out.rank == q.in[0].rank && q.layer.out.length == q.in[0].length && q.layer.out.samples == q.in[0].samples);
    end_trial(&q);
}

static void refusals(void)
{
    trial q;
    start_conv1d(&q, 20, 4, 3, 5, 2, 2, "same");
    refuse(&q, NG_BAD_MODEL);                                        /* both strides and dilation */
    start_conv1d(&q, 20, 4, 3, 5, 1, 1, "same");
    set_number(&q, "groups", 2);
    refuse(&q, NG_UNSUPPORTED);
    start_conv1d(&q, 20, 4, 3, 5, 1, 1, "full");
    refuse(&q, NG_BAD_MODEL);
    start_conv1d(&q, 4, 4, 3, 5, 1, 1, "valid");
    refuse(&q, NG_BAD_MODEL);                                        /* longer than its input */
    start_conv1d(&q, 20, 4, 3, 0, 1, 1, "same");
    refuse(&q, NG_BAD_MODEL);
    start_conv1d(&q, 20, 4, 3, 5, 1, 1, "same");
    set_number(&q, "use_bias", 1);
    refuse(&q, NG_BAD_MODEL);                                        /* but there is none */
    start_conv1d(&q, 20, 4, 3, 5, 1, 1, "same");
    q.in[0].channels = 5;
    refuse(&q, NG_BAD_MODEL);
    start_conv1d(&q, 20, 4, 3, 5, 1, 1, "same");
    q.in[0].rank = 1;
    refuse(&q, NG_BAD_MODEL);
    start_dense(&q, 2, 3);
    q.in[0].channels++;
    refuse(&q, NG_BAD_MODEL);
    start_dense(&q, 2, 3);
    q.values[0][0] = 2.5;
    refuse(&q, NG_BAD_MODEL);
}

int main(void)
{
    for (int i = 0; i < 250; i++) conv1d_case();
    repeated_content();
    for (int i = 0; i < 80; i++) folded_rows(1 + i % 8, i % 5 == 0);
    for (int i = 0; i < 120; i++) dense_case();
    refusals();
    return finish();
}
