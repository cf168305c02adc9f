/* tests/core/test_layers.c: every layer without a matrix product against its formula, see trial.h; ties and refusals. The
 * activations have test_activation.c. */
#include "core/network/types.h"
#include "trial.h"

enum { ROUNDS = 60 };

/* ---- pooling ---- */
typedef struct window { int64_t size, stride, pad, length; } window;

static window window_of(const trial *q)
{
    const int64_t L = q->in->length, p = (int64_t)number(q, "pool_size", 2), s = (int64_t)number(q, "strides", (double)p);
    if (strcmp(ng_word(&q->settings, "padding", "valid"), "same")) return (window){p, s, 0, (L - p) / s + 1};
    const int64_t length = (L + s - 1) / s, total = (length - 1) * s + p - L;
    return (window){p, s, total > 0 ? total / 2 : 0, length};
}

static void naive_pooling(const trial *q, double *const *x, double *y)
{
    const window w = window_of(q);
    const int64_t C = q->in->channels;
    for (int64_t t = 0; t < w.length; t++) for (int64_t c = 0; c < C; c++) {
        double most = -INFINITY, sum = 0, count = 0;
        for (int64_t i = t * w.stride - w.pad; i < t * w.stride - w.pad + w.size; i++) {
            if (i < 0 || i >= q->in->length) continue;
            most = fmax(most, x[0][i * C + c]), sum += x[0][i * C + c], count++;
        }
        y[t * C + c] = q->layer.type == &ng_max_pooling1d ? most : sum / count;
    }
}

/* All of dy goes to the first of equals. */
static void check_first_wins(const trial *q)
{
    const window w = window_of(q);
    const int64_t C = q->in->channels, L = q->in->length;
    for (int64_t n = 0; n < q->samples; n++) {
        const float *x = q->x[0] + n * L * C;
        double dx[600] = {0};
        for (int64_t t = 0; t < w.length; t++) for (int64_t c = 0; c < C; c++) {
            int64_t best = -1;
            for (int64_t i = t * w.stride - w.pad; i < t * w.stride - w.pad + w.size; i++)
                if (i >= 0 && i < L && (best < 0 || x[i * C + c] > x[best * C + c])) best = i;
            dx[best * C + c] += (double)q->dy[(n * w.length + t) * C + c];
        }
        for (int64_t i = 0; i < L * C; i++) CHECK(near((double)q->dx[0][n * L * C + i], dx[i], 1e-6));
    }
}

static void one_pooling(const ng_layer_type *type, ng_shape in, int64_t size, int64_t stride, bool same, int levels)
{
    trial q;
    start_trial(&q, type, 1, &in);
    q.naive = naive_pooling;
    q.levels = levels;
    set_number(&q, "pool_size", (double)size);
    if (stride) set_number(&q, "strides", (double)stride);
    set_word(&q, "padding", same ? "same" : "valid");
    if (!same && in.length < size) { refuse(&q, NG_BAD_MODEL); return; }
    run_trial(&q);
    if (levels && type == &ng_max_pooling1d) check_first_wins(&q);
    end_trial(&q);
}

static void test_pooling(void)
{
    for (int round = 0; round < 5 * ROUNDS; round++)
        one_pooling(round % 2 ? &ng_max_pooling1d : &ng_average_pooling1d, rows(), 1 + draw(9), draw(9), draw(2),
                    round % 3 ? 0 : 2 + (int)draw(2));
    one_pooling(&ng_max_pooling1d, (ng_shape){2, 1, 590, 1}, 256, 100, true, 0);
    one_pooling(&ng_max_pooling1d, (ng_shape){2, 1, 128 * 9 - 5, 3}, 128, 128, true, 0);
}

static void naive_global(const trial *q, double *const *x, double *y)
{
    const bool across = !strcmp(ng_word(&q->settings, "data_format", ""), "channels_first");
    const bool largest = q->layer.type == &ng_global_max_pooling1d;
    const int64_t L = q->in->length, C = q->in->channels, outer = across ? L : C, inner = across ? C : L;
    for (int64_t i = 0; i < outer; i++) {
        double most = -INFINITY, sum = 0;
        for (int64_t j = 0; j < inner; j++) {
            const double v = x[0][across ? i * C + j : j * C + i];
            most = fmax(most, v), sum += v;
        }
        y[i] = largest ? most : sum / (double)inner;
    }
}

/* dy is shared equally among equals. */
static void check_shared(const trial *q)
{
    const bool across = !strcmp(ng_word(&q->settings, "data_format", ""), "channels_first");
    const int64_t L = q->in->length, C = q->in->channels, left = across ? L : C;
    for (int64_t n = 0; n < q->samples; n++) for (int64_t t = 0; t < L; t++) for (int64_t c = 0; c < C; c++) {
        const float *x = q->x[0] + n * L * C, most = q->y[n * left + (across ? t : c)];
        int64_t ties = 0;
        for (int64_t j = 0; j < (across ? C : L); j++) ties += x[across ? t * C + j : j * C + c] == most;
        const double share = x[t * C + c] == most ? (double)q->dy[n * left + (across ? t : c)] / (double)ties : 0;
        CHECK(near((double)q->dx[0][n * L * C + t * C + c], share, 1e-6));
    }
}

static void test_global_pooling(void)
{
    for (int round = 0; round < 4 * ROUNDS; round++) {
        const ng_shape in = rows();
        const bool largest = round % 2, across = draw(2), keep = draw(2);
        trial q;
        start_trial(&q, largest ? &ng_global_max_pooling1d : &ng_global_average_pooling1d, 1, &in);
        q.naive = naive_global;
        q.levels = draw(3) ? 0 : 3;
        set_word(&q, "data_format", across ? "channels_first" : "channels_last");
        set_number(&q, "keepdims", keep);
        run_trial(&q);
        CHECK(q.layer.out.rank == 1 + keep && ng_size(q.layer.out) == (across ? in.length : in.channels));
        if (q.levels && largest) check_shared(&q);
        end_trial(&q);
    }
    const ng_shape in = {2, 1, 300000, 2};       /* float32 sums of that many would be off by 1e-5 and more */
    trial q;
    start_trial(&q, &ng_global_average_pooling1d, 1, &in);
    q.naive = naive_global, q.levels = 3, q.samples = 1;
    run_trial(&q);
    double sum = 0;
    for (int64_t t = 0; t < in.length; t++) sum += (double)q.x[0][2 * t];
    CHECK(q.y[0] == (float)(sum / (double)in.length));
    end_trial(&q);
}

/* ---- normalization ---- */
static void naive_batch(const trial *q, double *const *x, double *y)
{
    const ng_shape in = q->in[0];
    const bool scaled = number(q, "scale", 1) != 0, centred = number(q, "center", 1) != 0;
    const ng_tensor *mean = q->weights + scaled + centred, *variance = mean + 1;
    const int axis = (int)number(q, "axis", -1), back = axis < 0 ? -1 - axis : in.rank - axis;
    for (int64_t i = 0; i < ng_size(in); i++) {
        const int64_t c = i % in.channels, l = i / in.channels % in.length, s = i / in.channels / in.length;
        const int64_t at = back == 0 ? c : back == 1 ? l : s;
        const double gamma = scaled ? (double)q->weights->data[at] : 1, beta = centred ? (double)q->weights[scaled].data[at] : 0;
        y[i] = (x[0][i] - (double)mean->data[at]) / sqrt((double)variance->data[at] + number(q, "epsilon", 1e-3)) * gamma + beta;
    }
}

static void naive_layer(const trial *q, double *const *x, double *y)
{
    const ng_shape in = q->in[0];
    const bool scaled = number(q, "scale", 1) != 0, centred = number(q, "center", 1) != 0;
    for (int64_t t = 0; t < ng_rows(in); t++) {
        const double *row = x[0] + t * in.channels;
        double mean = 0, variance = 0;
        for (int64_t c = 0; c < in.channels; c++) mean += row[c] / (double)in.channels;
        for (int64_t c = 0; c < in.channels; c++) variance += (row[c] - mean) * (row[c] - mean) / (double)in.channels;
        for (int64_t c = 0; c < in.channels; c++)
            y[t * in.channels + c] = (row[c] - mean) / sqrt(variance + number(q, "epsilon", 1e-3)) *
                                         (scaled ? (double)q->weights->data[c] : 1) +
                                     (centred ? (double)q->weights[scaled].data[c] : 0);
    }
}

static void test_normalization(void)
{
    for (int round = 0; round < 4 * ROUNDS; round++) {
        const ng_shape in = any();
        const int64_t size[3] = {in.samples, in.length, in.channels};
        const bool batch = round % 2, scaled = draw(4), centred = draw(4);
        const int axis = batch ? 1 + (int)draw(in.rank) : in.rank;
        const int64_t places = size[2 - (in.rank - axis)];
        trial q;
        start_trial(&q, batch ? &ng_batch_normalization : &ng_layer_normalization, 1, &in);
        q.naive = batch ? naive_batch : naive_layer;
        if (draw(2)) set_number(&q, "axis", draw(2) ? axis : axis - in.rank - 1);
        else if (axis != in.rank) set_number(&q, "axis", axis);
        set_number(&q, "scale", scaled), set_number(&q, "center", centred);
        if (draw(2)) set_number(&q, "epsilon", 0.01);
        for (int i = 0; i < scaled + centred + batch; i++) add_weight(&q, 1, places, 1, 1, -1.5, 1.5);
        if (batch) add_weight(&q, 1, places, 1, 1, 0.3, 3);
        run_trial(&q);
        end_trial(&q);
    }
    const ng_shape in = {2, 1, 4, 6};            /* rows of equal numbers: beta, and no gradient along them */
    trial q;
    start_trial(&q, &ng_layer_normalization, 1, &in);
    q.naive = naive_layer, q.levels = 1;
    add_weight(&q, 1, 6, 1, 1, -1, 1), add_weight(&q, 1, 6, 1, 1, -1, 1);
    run_trial(&q);
    CHECK(q.y[3] == q.weights[1].data[3]);
    end_trial(&q);
}

/* ---- shapes ---- */
static void naive_copy(const trial *q, double *const *x, double *y) { memcpy(y, x[0], (size_t)ng_size(*q->in) * sizeof *y); }

static void test_flatten(void)
{
    for (int round = 0; round < 2 * ROUNDS; round++) {
        const ng_shape in = any();
        trial q;
        start_trial(&q, round % 2 ? &ng_flatten : &ng_reshape, 1, &in);
        q.naive = naive_copy;
        const int64_t way = draw(4);
        if (way == 0) set_number(&q, "target_shape", -1);
        else if (way == 1) set_numbers(&q, "target_shape", 2, (double)in.channels, -1, 0);
        else if (way == 2) set_numbers(&q, "target_shape", 3, -1, (double)in.channels, (double)in.length);
        else set_numbers(&q, "target_shape", 3, (double)in.channels, (double)in.samples, (double)in.length);
        run_trial(&q);
        CHECK(ng_size(q.layer.out) == ng_size(in));
        if (round % 2) CHECK(q.layer.out.rank == 1);
        else CHECK(q.layer.out.rank == (way == 0 ? 1 : way == 1 ? 2 : 3) && (way != 1 || q.layer.out.length == in.channels));
        end_trial(&q);
    }
}

static void naive_resize(const trial *q, double *const *x, double *y)
{
    const bool crop = q->layer.type == &ng_cropping1d;
    const int64_t left = (int64_t)number(q, crop ? "cropping" : "padding", 0) * (crop ? -1 : 1), C = q->in->channels;
    for (int64_t i = 0; i < q->layer.out.length * C; i++) {
        const int64_t t = i / C - left;
        y[i] = t >= 0 && t < q->in->length ? x[0][t * C + i % C] : 0;
    }
}

static void test_resize(void)
{
    for (int round = 0; round < 2 * ROUNDS; round++) {
        const ng_shape in = rows();
        const bool crop = round % 2;
        const int64_t left = draw(6), right = draw(2) ? left : draw(6);
        trial q;
        start_trial(&q, crop ? &ng_cropping1d : &ng_zero_padding1d, 1, &in);
        q.naive = naive_resize;
        set_numbers(&q, crop ? "cropping" : "padding", left == right ? 1 : 2, (double)left, (double)right, 0);
        if (crop && left + right >= in.length) { refuse(&q, NG_BAD_MODEL); continue; }
        run_trial(&q);
        CHECK(q.layer.out.length == in.length + (crop ? -1 : 1) * (left + right));
        end_trial(&q);
    }
}

/* ---- several inputs ---- */
static void naive_concatenate(const trial *q, double *const *x, double *y)
{
    const int rank = q->in->rank, axis = (int)number(q, "axis", -1), along = 2 - (axis < 0 ? -1 - axis : rank - axis);
    const int64_t out[3] = {q->layer.out.samples, q->layer.out.length, q->layer.out.channels};
    int64_t before = 0;
    for (int i = 0; i < q->layer.inputs; i++) {
        const int64_t in[3] = {q->in[i].samples, q->in[i].length, q->in[i].channels};
        for (int64_t s = 0; s < in[0]; s++) for (int64_t l = 0; l < in[1]; l++) for (int64_t c = 0; c < in[2]; c++) {
            int64_t at[3] = {s, l, c};
            at[along] += before;
            y[(at[0] * out[1] + at[1]) * out[2] + at[2]] = x[i][(s * in[1] + l) * in[2] + c];
        }
        before += in[along];
    }
}

static void test_concatenate(void)
{
    for (int round = 0; round < 3 * ROUNDS; round++) {
        const ng_shape first = any();
        const int inputs = 1 + (int)draw(4), axis = 1 + (int)draw(first.rank);
        ng_shape in[4];
        for (int i = 0; i < inputs; i++) {
            in[i] = first;
            *(axis == first.rank ? &in[i].channels : axis == first.rank - 1 ? &in[i].length : &in[i].samples) = 1 + draw(6);
        }
        trial q;
        start_trial(&q, &ng_concatenate, inputs, in);
        q.naive = naive_concatenate;
        set_number(&q, "axis", draw(2) ? axis : axis - first.rank - 1);
        run_trial(&q);
        CHECK((q.layer.reach.size == 1) == (axis == first.rank));
        end_trial(&q);
    }
}

static void naive_merge(const trial *q, double *const *x, double *y)
{
    const ng_shape out = q->layer.out;
    const ng_layer_type *type = q->layer.type;
    for (int64_t at = 0; at < ng_size(out); at++) {
        const int64_t c = at % out.channels, l = at / out.channels % out.length, s = at / out.channels / out.length;
        for (int i = 0; i < q->layer.inputs; i++) {
            const ng_shape in = q->in[i];
            const int64_t row = (in.samples > 1 ? s : 0) * in.length + (in.length > 1 ? l : 0);
            const double v = x[i][row * in.channels + (in.channels > 1 ? c : 0)];
            if (i == 0) y[at] = v;
            else if (type == &ng_subtract) y[at] -= v;
            else if (type == &ng_multiply_layer) y[at] *= v;
            else if (type == &ng_maximum) y[at] = fmax(y[at], v);
            else if (type == &ng_minimum) y[at] = fmin(y[at], v);
            else y[at] += v;
        }
        if (type == &ng_average) y[at] /= q->layer.inputs;
    }
}

static void test_merge(void)
{
    const ng_layer_type *const types[] = {&ng_add, &ng_subtract, &ng_multiply_layer, &ng_average, &ng_maximum, &ng_minimum};
    for (int round = 0; round < 6 * ROUNDS; round++) {
        const ng_layer_type *type = types[round % 6];
        const int inputs = type == &ng_subtract ? 2 : 1 + (int)draw(3);
        const ng_shape first = any();
        ng_shape in[4];
        for (int i = 0; i < inputs; i++) {
            in[i] = first;
            if (round % 4 == 1 && draw(2)) in[i].channels = 1;
            if (round % 4 == 2 && draw(2)) in[i].length = 1;
            if (round % 4 == 3 && draw(2)) in[i].samples = 1;
        }
        trial q;
        start_trial(&q, type, inputs, in);
        q.naive = naive_merge;
        run_trial(&q);
        end_trial(&q);
    }
    for (int round = 0; round < 20; round++) {   /* equals: the first input takes all */
        const ng_shape in[3] = {{2, 1, 5, 11}, {2, 1, 5, 11}, {2, 1, 5, 11}};
        trial q;
        start_trial(&q, round % 2 ? &ng_maximum : &ng_minimum, 3, in);
        q.naive = naive_merge, q.levels = 2;
        run_trial(&q);
        for (int64_t k = 0; k < q.samples * 55; k++)
            for (int i = 0, taken = 0; i < 3; i++) {
                const bool mine = !taken && q.x[i][k] == q.y[k];
                CHECK(near((double)q.dx[i][k], mine ? (double)q.dy[k] : 0, 1e-6));
                taken |= mine;
            }
        end_trial(&q);
    }
}

static void naive_dot(const trial *q, double *const *x, double *y)
{
    int64_t size[2], depth = 0, step[2], along[2];
    for (int i = 0; i < 2; i++) {
        const int axis = (int)ng_number(&q->settings, "axes", ng_count(&q->settings, "axes") > 1 ? i : 0, -1), rank = q->in[i].rank;
        const bool last = axis == -1 || axis == rank;
        size[i] = last ? q->in[i].length : q->in[i].channels, depth = last ? q->in[i].channels : q->in[i].length;
        step[i] = last ? q->in[i].channels : 1, along[i] = last ? 1 : q->in[i].channels;
    }
    for (int64_t m = 0; m < size[0]; m++) for (int64_t n = 0; n < size[1]; n++) {
        double sum = 0, a = 0, b = 0;
        for (int64_t k = 0; k < depth; k++) {
            const double u = x[0][m * step[0] + k * along[0]], v = x[1][n * step[1] + k * along[1]];
            sum += u * v, a += u * u, b += v * v;
        }
        y[m * size[1] + n] = number(q, "normalize", 0) != 0 ? sum / sqrt(fmax(a, 1e-12)) / sqrt(fmax(b, 1e-12)) : sum;
    }
}

static void test_dot(void)
{
    for (int round = 0; round < 3 * ROUNDS; round++) {
        const int64_t depth = 1 + draw(12), other = 1 + draw(7), another = 1 + draw(7);
        const bool wide[2] = {draw(2), draw(2)}, last[2] = {!wide[0] || draw(2), !wide[1] || draw(2)};
        ng_shape in[2];
        for (int i = 0; i < 2; i++) {
            const int64_t rest = i ? another : other;
            in[i] = !wide[i] ? (ng_shape){1, 1, 1, depth} : last[i] ? (ng_shape){2, 1, rest, depth} : (ng_shape){2, 1, depth, rest};
        }
        trial q;
        start_trial(&q, &ng_dot, 2, in);
        q.naive = naive_dot;
        q.levels = round % 5 ? 0 : 2;            /* rows of zeros among them */
        if (last[0] && last[1] && draw(2)) set_number(&q, "axes", -1);
        else set_numbers(&q, "axes", 2, last[0] ? in[0].rank : 1, last[1] ? in[1].rank : 1, 0);
        set_number(&q, "normalize", (double)draw(2));
        run_trial(&q);
        CHECK(q.layer.out.rank == (wide[0] && wide[1] ? 2 : 1));
        end_trial(&q);
    }
    const ng_shape in[2] = {{1, 1, 1, 2}, {1, 1, 1, 2}};     /* below 1e-6 a vector is divided by a constant */
    trial q;
    start_trial(&q, &ng_dot, 2, in);
    set_number(&q, "normalize", 1);
    float y[1], dx[2][2];
    run_given(&q, (const float *[]){(const float[]){3e-7f, 0}, (const float[]){3, 4}}, y, (float *[]){dx[0], dx[1]});
    CHECK(near((double)y[0], 0.18, 1e-6) && near((double)dx[0][0], 1.2e6, 1e-6) && near((double)dx[0][1], 1.6e6, 1e-6));
    end_trial(&q);
}

/* ---- input and refusals ---- */
static void test_input(void)
{
    trial q;
    ng_error error;
    start_trial(&q, &ng_input, 0, NULL);
    set_numbers(&q, "shape", 2, NAN, 4, 0);
    q.layer.out = (ng_shape){2, 1, 50, 4};
    CHECK(ng_input.shape(&q.layer, q.arena, &error) == NG_OK && q.layer.out.length == 50 && q.layer.out.channels == 4);
    q.layer.out = (ng_shape){2, 1, 50, 5};
    refuse(&q, NG_BAD_INPUT);
    start_trial(&q, &ng_input, 0, NULL);
    set_numbers(&q, "shape", 2, NAN, 4, 0);
    q.layer.out = (ng_shape){2, 1, 0, 4};
    refuse(&q, NG_BAD_INPUT);
    start_trial(&q, &ng_input, 0, NULL);
    set_numbers(&q, "shape", 3, 2, 30, 4);
    CHECK(ng_input.shape(&q.layer, q.arena, &error) == NG_OK && q.layer.out.rank == 3 && ng_size(q.layer.out) == 240);
    q.layer.out = (ng_shape){2, 1, 30, 4};
    refuse(&q, NG_BAD_INPUT);
    start_trial(&q, &ng_input, 0, NULL);
    set_numbers(&q, "shape", 2, NAN, 4, 0);
    refuse(&q, NG_BAD_MODEL);
    start_trial(&q, &ng_input, 0, NULL);
    refuse(&q, NG_UNSUPPORTED);
}

static void test_refusals(void)
{
    const ng_shape v = {1, 1, 1, 5}, m = {2, 1, 8, 5}, longer = {2, 1, 9, 5};
    refuses(&ng_max_pooling1d, 1, v, v, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_max_pooling1d, 1, (ng_shape){2, 1, 400, 1}, m, "pool_size", NULL, 300, NG_UNSUPPORTED);
    refuses(&ng_max_pooling1d, 1, m, m, "pool_size", NULL, 1.5, NG_BAD_MODEL);
    refuses(&ng_max_pooling1d, 1, m, m, "strides", NULL, 0, NG_BAD_MODEL);
    refuses(&ng_average_pooling1d, 1, m, m, "padding", "causal", 0, NG_BAD_MODEL);
    refuses(&ng_average_pooling1d, 1, m, m, "data_format", "channels_first", 0, NG_UNSUPPORTED);
    refuses(&ng_global_max_pooling1d, 1, v, v, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_global_average_pooling1d, 1, m, m, "data_format", "sideways", 0, NG_BAD_MODEL);
    refuses(&ng_batch_normalization, 1, m, m, "axis", NULL, 3, NG_BAD_MODEL);
    refuses(&ng_batch_normalization, 1, m, m, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_layer_normalization, 1, m, m, "axis", NULL, 1, NG_UNSUPPORTED);
    refuses(&ng_layer_normalization, 1, m, m, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_flatten, 1, m, m, "data_format", "channels_first", 0, NG_UNSUPPORTED);
    refuses(&ng_reshape, 1, m, m, "target_shape", NULL, 39, NG_BAD_MODEL);
    refuses(&ng_reshape, 1, m, m, "target_shape", NULL, 41, NG_BAD_MODEL);
    refuses(&ng_reshape, 1, m, m, NULL, NULL, 0, NG_UNSUPPORTED);
    refuses(&ng_zero_padding1d, 1, m, m, "padding", NULL, -1, NG_BAD_MODEL);
    refuses(&ng_cropping1d, 1, m, m, "cropping", NULL, 4, NG_BAD_MODEL);
    refuses(&ng_concatenate, 2, m, longer, "axis", NULL, -1, NG_BAD_MODEL);
    refuses(&ng_concatenate, 2, m, v, "axis", NULL, 1, NG_BAD_MODEL);
    refuses(&ng_concatenate, 2, m, m, "axis", NULL, 0, NG_BAD_MODEL);
    refuses(&ng_add, 2, m, longer, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_multiply_layer, 2, m, v, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_subtract, 1, m, m, NULL, NULL, 0, NG_BAD_MODEL);
    refuses(&ng_dot, 2, m, longer, "axes", NULL, 1, NG_BAD_MODEL);
    refuses(&ng_dot, 1, m, m, "axes", NULL, 1, NG_BAD_MODEL);
    refuses(&ng_dot, 2, m, m, "axes", NULL, 3, NG_BAD_MODEL);
}

int main(void)
{
    test_pooling();
    test_global_pooling();
    test_normalization();
    test_flatten();
    test_resize();
    test_concatenate();
    test_merge();
    test_dot();
    test_input();
    test_refusals();
    return finish();
}
