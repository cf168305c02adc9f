/* Convolutions in groups, depthwise and transposed, and repeated rows, against loops in double; see trial.h. */
#include "core/network/types.h"
#include "trial.h"

enum { ROUNDS = 120 };

static void naive_grouped(const trial *q, double *const *x, double *y)
{
    const int64_t k = (int64_t)number(q, "kernel_size", 0), s = (int64_t)number(q, "strides", 1), d = (int64_t)number(q, "dilation_rate", 1);
    const int64_t L = q->in->length, C = q->in->channels, F = (int64_t)number(q, "filters", 0), G = (int64_t)number(q, "groups", 1);
    const char *padding = ng_word(&q->settings, "padding", "valid");
    const int64_t span = (k - 1) * d + 1, rows = padding[0] == 'v' ? (L - span) / s + 1 : (L + s - 1) / s;
    const int64_t lack = (rows - 1) * s + span - L, left = padding[0] == 'v' ? 0 : padding[0] == 'c' ? span - 1 : lack > 0 ? lack / 2 : 0;
    CHECK(q->layer.out.length == rows);
    for (int64_t t = 0; t < rows; t++) for (int64_t o = 0; o < F; o++) {
        double sum = q->layer.weight_count > 1 ? (double)q->weights[1].data[o] : 0;
        for (int64_t j = 0; j < k; j++) for (int64_t c = 0; c < C / G; c++) {
            const int64_t i = t * s - left + j * d, channel = o / (F / G) * (C / G) + c;
            if (i >= 0 && i < L) sum += x[0][i * C + channel] * (double)q->weights[0].data[(j * (C / G) + c) * F + o];
        }
        y[t * F + o] = sum;
    }
}

static void test_grouped(void)
{
    static const char *const paddings[] = {"valid", "same", "causal"};
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t G = 1 + draw(4), depth = round % 3 ? 1 + draw(4) : 1, columns = round % 3 ? 1 + draw(5) : 1 + draw(2);
        const int64_t k = 1 + draw(7), s = 1 + draw(3), d = 1 + draw(3);
        const char *padding = paddings[draw(3)];
        trial q;
        start_trial(&q, &ng_grouped_conv1d, 1, &(ng_shape){2, 1, (padding[0] == 'v' ? (k - 1) * d + 1 : 1) + draw(30), G * depth});
        q.naive = naive_grouped;
        set_number(&q, "filters", (double)(G * columns)), set_number(&q, "kernel_size", (double)k);
        set_number(&q, "strides", (double)s), set_number(&q, "dilation_rate", (double)d);
        set_number(&q, "groups", (double)G), set_word(&q, "padding", padding);
        const double scale = 1 / sqrt((double)(k * depth));
        if (depth == 1 && draw(2)) add_weight(&q, 3, k, G, columns, -scale, scale);      /* as DepthwiseConv1D has it */
        else add_weight(&q, 3, k, depth, G * columns, -scale, scale);
        if (draw(2)) add_weight(&q, 1, G * columns, 0, 0, -1, 1);
        run_trial(&q);
        end_trial(&q);
    }
}

/* Every input row writes its taps, and what lies outside is dropped. */
static void naive_transpose(const trial *q, double *const *x, double *y)
{
    const int64_t k = (int64_t)number(q, "kernel_size", 0), s = (int64_t)number(q, "strides", 1), d = (int64_t)number(q, "dilation_rate", 1);
    const int64_t L = q->in->length, C = q->in->channels, F = (int64_t)number(q, "filters", 0), rows = q->layer.out.length;
    const bool same = !strcmp(ng_word(&q->settings, "padding", "valid"), "same");
    const int64_t lack = (L - 1) * s + (k - 1) * d + 1 - rows, left = same && lack > 0 ? lack / 2 : 0;
    for (int64_t i = 0; i < rows * F; i++) y[i] = q->layer.weight_count > 1 ? (double)q->weights[1].data[i % F] : 0;
    for (int64_t t = 0; t < L; t++) for (int64_t j = 0; j < k; j++) {
        const int64_t row = t * s - left + j * d;
        for (int64_t o = 0; row >= 0 && row < rows && o < F; o++)
            for (int64_t c = 0; c < C; c++) y[row * F + o] += x[0][t * C + c] * (double)q->weights[0].data[(j * F + o) * C + c];
    }
}

static void test_transpose(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        const int64_t C = 1 + draw(5), F = 1 + draw(20), k = 1 + draw(8), s = 1 + draw(4), d = s > 1 ? 1 : 1 + draw(3), L = 1 + draw(25);
        const int64_t span = (k - 1) * d + 1, extra = draw(s + 1) - 1;           /* -1: the key is not there */
        const bool same = draw(2);
        trial q;
        start_trial(&q, &ng_conv1d_transpose, 1, &(ng_shape){2, 1, L, C});
        q.naive = naive_transpose;
        set_number(&q, "filters", (double)F), set_number(&q, "kernel_size", (double)k), set_number(&q, "strides", (double)s);
        set_number(&q, "dilation_rate", (double)d), set_word(&q, "padding", same ? "same" : "valid");
        if (extra >= 0) set_number(&q, "output_padding", (double)extra);
        const double scale = 1 / sqrt((double)(k * C));
        add_weight(&q, 3, k, F, C, -scale, scale);
        if (draw(2)) add_weight(&q, 1, F, 0, 0, -1, 1);
        const int64_t rows = extra < 0 ? L * s + (same || span < s ? 0 : span - s) : (L - 1) * s + span - (same ? span / 2 * 2 : 0) + extra;
        if (rows < 1) { end_trial(&q); continue; }
        run_trial(&q);
        CHECK(q.layer.out.length == rows);
        end_trial(&q);
    }
}

static void naive_repeat(const trial *q, double *const *x, double *y)
{
    const int64_t size = (int64_t)number(q, "size", 2), C = q->in->channels;
    for (int64_t i = 0; i < q->in->length * size * C; i++) y[i] = x[0][i / C / size * C + i % C];
}

static void test_repeat(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        const ng_shape in = round % 2 ? rows() : vector();
        trial q;
        start_trial(&q, &ng_up_sampling1d, 1, &in);
        q.naive = naive_repeat;
        set_number(&q, "size", (double)(1 + draw(5)));
        run_trial(&q);
        end_trial(&q);
    }
}

static void test_refusals(void)
{
    const ng_shape v = {1, 1, 1, 6}, m = {2, 1, 8, 6};
    trial q;
    start_trial(&q, &ng_grouped_conv1d, 1, &m);
    set_number(&q, "filters", 8), set_number(&q, "kernel_size", 2), set_number(&q, "groups", 4);
    refuse(&q, NG_BAD_MODEL);
    start_trial(&q, &ng_conv1d_transpose, 1, &m);
    set_number(&q, "filters", 8), set_number(&q, "kernel_size", 2), set_number(&q, "strides", 2), set_number(&q, "output_padding", 2);
    refuse(&q, NG_BAD_MODEL);
    refuses(&ng_grouped_conv1d, 1, v, v, "filters", NULL, 6, NG_BAD_MODEL);
    refuses(&ng_conv1d_transpose, 1, v, v, "filters", NULL, 6, NG_BAD_MODEL);
    refuses(&ng_up_sampling1d, 1, m, m, "size", NULL, 0.5, NG_BAD_MODEL);
}

int main(void)
{
    test_grouped();
    test_transpose();
    test_repeat();
    test_refusals();
    return finish();
}
