/* LSTM and GRU against their formulas in double, central differences through time, batches, schedules of what is kept, every
 * instruction set of this machine, refusals. */
#include "trial.h"
#include "core/network/recurrent.h"
#include "core/network/types.h"

static double curve(const char *name, double x)
{
    if (!strcmp(name, "relu")) return fmax(x, 0);
    if (!strcmp(name, "sigmoid")) return 1 / (1 + exp(-x));
    if (!strcmp(name, "hard_sigmoid")) return fmin(fmax(0.2 * x + 0.5, 0), 1);
    if (!strcmp(name, "hard_sigmoid_keras3")) return fmin(fmax(x + 3, 0), 6) / 6;
    if (!strcmp(name, "tanh")) return tanh(x);
    if (!strcmp(name, "softsign")) return x / (1 + fabs(x));
    if (!strcmp(name, "elu")) return x > 0 ? x : expm1(x);
    if (!strcmp(name, "selu")) return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x));
    if (!strcmp(name, "softplus")) return log1p(exp(x));
    if (!strcmp(name, "swish")) return x / (1 + exp(-x));
    if (!strcmp(name, "gelu")) return x / 2 * erfc(-x / sqrt(2));
    if (!strcmp(name, "gelu_tanh")) return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    if (!strcmp(name, "mish")) return x * tanh(log1p(exp(x)));
    if (!strcmp(name, "exponential")) return exp(x);
    return x;
}

static double weight(const trial *q, int at, int64_t row, int64_t column)
{
    const ng_tensor *w = &q->weights[at];
    return (double)w->data[w->rank > 1 ? row * w->dim[1] + column : column];
}

/* Block g of W^T x + b, of h U, and of a bias. */
static double of_x(const trial *q, const double *x, int64_t column)
{
    double sum = q->layer.weight_count > 2 ? weight(q, 2, 0, column) : 0;
    for (int64_t c = 0; c < q->in[0].channels; c++) sum += x[c] * weight(q, 0, c, column);
    return sum;
}

static double of_h(const trial *q, const double *h, int64_t column)
{
    double sum = 0;
    for (int64_t k = 0; k < q->weights[1].dim[0]; k++) sum += h[k] * weight(q, 1, k, column);
    return sum;
}

static void lstm_step(const trial *q, const double *x, double *h, double *c)
{
    const char *R = ng_word(&q->settings, "recurrent_activation", "sigmoid"), *A = ng_word(&q->settings, "activation", "tanh");
    const int64_t u = q->weights[1].dim[0];
    double z[4][32];
    for (int64_t b = 0; b < 4; b++)
        for (int64_t j = 0; j < u; j++) z[b][j] = of_x(q, x, b * u + j) + of_h(q, h, b * u + j);
    for (int64_t j = 0; j < u; j++) {
        c[j] = curve(R, z[1][j]) * c[j] + curve(R, z[0][j]) * curve(A, z[2][j]);
        h[j] = curve(R, z[3][j]) * curve(A, c[j]);
    }
}

static void gru_step(const trial *q, const double *x, double *h, double *unused)
{
    (void)unused;
    const char *R = ng_word(&q->settings, "recurrent_activation", "sigmoid"), *A = ng_word(&q->settings, "activation", "tanh");
    const int64_t u = q->weights[1].dim[0];
    const bool bias = q->layer.weight_count > 2, after = bias ? q->weights[2].rank == 2 : number(q, "reset_after", 1) != 0;
    double z[32], r[32], g[32], reset[32];
    for (int64_t j = 0; j < u; j++) {
        z[j] = curve(R, of_x(q, x, j) + of_h(q, h, j) + (bias && after ? weight(q, 2, 1, j) : 0));
        r[j] = curve(R, of_x(q, x, u + j) + of_h(q, h, u + j) + (bias && after ? weight(q, 2, 1, u + j) : 0));
        reset[j] = r[j] * h[j];
    }
    for (int64_t j = 0; j < u; j++) {
        const double q_g = of_h(q, after ? h : reset, 2 * u + j) + (bias && after ? weight(q, 2, 1, 2 * u + j) : 0);
        g[j] = curve(A, of_x(q, x, 2 * u + j) + (after ? r[j] * q_g : q_g));
    }
    for (int64_t j = 0; j < u; j++) h[j] = z[j] * h[j] + (1 - z[j]) * g[j];
}

static void naive(const trial *q, double *const *x, double *y)
{
    const int64_t L = q->in[0].length, C = q->in[0].channels, u = q->weights[1].dim[0];
    const char *returns = ng_word(&q->settings, "returns", number(q, "return_sequences", 0) != 0 ? "sequence" : "last");
    const bool backwards = number(q, "go_backwards", 0) != 0, restore = number(q, "restore_order", 0) != 0;
    double h[32] = {0}, c[32] = {0};
    for (int64_t j = 0; q->layer.inputs > 1 && j < u; j++) {
        h[j] = x[1][j];
        if (q->layer.inputs > 2) c[j] = x[2][j];
    }
    for (int64_t s = 0; s < L; s++) {
        (!strcmp(q->layer.type->class_name, "LSTM") ? lstm_step : gru_step)(q, x[0] + (backwards ? L - 1 - s : s) * C, h, c);
        if (!strcmp(returns, "sequence")) memcpy(y + (restore ? L - 1 - s : s) * u, h, (size_t)u * sizeof *y);
    }
    if (strcmp(returns, "sequence")) memcpy(y, strcmp(returns, "cell") ? h : c, (size_t)u * sizeof *y);
}

static void start(trial *q, const ng_layer_type *type, int64_t L, int64_t C, int64_t u, bool states)
{
    const bool lstm = !strcmp(type->class_name, "LSTM");
    const int64_t gates = lstm ? 4 : 3;
    const ng_shape vector = {1, 1, 1, u}, in[3] = {{2, 1, L, C}, vector, vector};
    start_trial(q, type, !states ? 1 : lstm ? 3 : 2, in);
    q->naive = naive;
    set_number(q, "units", (double)u);
    add_weight(q, 2, C, gates * u, 0, -0.5 / sqrt((double)C), 0.5 / sqrt((double)C));
    add_weight(q, 2, u, gates * u, 0, -1 / sqrt((double)u), 1 / sqrt((double)u));
}

/* rank 2: the two biases of a GRU with reset_after. */
static void add_bias(trial *q, int rank)
{
    const int64_t width = q->weights[0].dim[1];
    add_weight(q, rank, rank > 1 ? 2 : width, width, 0, -0.5, 0.5);
}

static void one_case(const ng_layer_type *type)
{
    trial q;
    start(&q, type, 1 + draw(60), 1 + draw(6), 1 + draw(20), draw(3) == 0);
    const bool lstm = !strcmp(type->class_name, "LSTM");
    if (!lstm && draw(2)) {                                /* reset_after is known from the bias, or stated */
        if (draw(2)) add_bias(&q, 1);
        else set_number(&q, "reset_after", 0);
    } else if (draw(2)) add_bias(&q, lstm ? 1 : 2);
    static const char *const returns[] = {"sequence", "last", "hidden", "cell"};
    if (draw(2)) set_word(&q, "returns", returns[draw(lstm ? 4 : 3)]);
    else set_number(&q, "return_sequences", (double)draw(2));
    set_number(&q, "go_backwards", (double)draw(2));
    set_number(&q, "restore_order", (double)draw(2));
    q.samples = 1 + draw(15);
    run_trial(&q);
    end_trial(&q);
}

/* Few steps: without bounds a state can grow. An exponential of an exponential leaves float32 at the second. */
static void every_activation(const ng_layer_type *type)
{
    static const char *const names[] = {"linear", "gelu_tanh", "mish", "relu", "sigmoid", "hard_sigmoid", "hard_sigmoid_keras3", "tanh", "softsign",
                                        "elu", "selu", "softplus", "swish", "gelu", "exponential"};
    for (int i = 0; i < 15; i++)
        for (int inner = 0; inner < 2; inner++) {
            trial q;
            start(&q, type, strcmp(names[i], "exponential") ? 3 : 1, 4, 7, false);
            add_bias(&q, 1);
            set_word(&q, inner ? "activation" : "recurrent_activation", names[i]);
            set_number(&q, "return_sequences", 1);
            run_trial(&q);
            end_trial(&q);
        }
}

/* At a kink the slope is TensorFlow's. With L = 1, W = 1 and no state, GRU gives y = (1 - R(x)) x if A is linear. */
static void kinks(void)
{
    static const struct { const char *name; float x, value, slope; } at[] = {
        {"hard_sigmoid", 2.5f, 1, 0.2f}, {"hard_sigmoid", -2.5f, 0, 0.2f}, {"hard_sigmoid_keras3", 3, 1, 0},
        {"hard_sigmoid_keras3", -3, 0, 0}, {"relu", 0, 0, 0}, {"hard_sigmoid", 9, 1, 0}, {"hard_sigmoid_keras3", -9, 0, 0},
    };
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        trial q;
        start(&q, &ng_gru, 1, 1, 1, false);
        for (int k = 0; k < 3; k++) ((float *)q.weights[0].data)[k] = 1;
        set_word(&q, "recurrent_activation", at[i].name);
        set_word(&q, "activation", "linear");
        ng_error error;
        CHECK(q.layer.type->shape(&q.layer, q.arena, &error) == NG_OK);
        float x = at[i].x, y, dy = 1, dx = 0;
        ng_tile from = {&x, 0, 1, 1, 1, 1, 1}, to = from, dto = from, dfrom = from;
        to.data = &y, dto.data = &dy, dfrom.data = &dx;
        ng_code code = {claim(&q, q.layer.code_bytes, 1), 0, 1, q.layer.code_bytes, q.layer.code_bytes};
        void *scratch = cut_scratch(&q, 1);
        q.layer.type->forward(&q.layer, &from, &to, &code, scratch);
        q.layer.type->backward(&q.layer, &dto, &code, &dfrom, scratch);
        CHECK(y == (1 - at[i].value) * x);
        CHECK(dx == (1 - at[i].value) - at[i].slope * x);
        end_trial(&q);
    }
}

/* Rows of dx wanted alone are those of the whole. */
static void partial_rows(const ng_layer_type *type)
{
    trial q;
    start(&q, type, 50, 3, 6, false);
    set_number(&q, "return_sequences", 1);
    set_number(&q, "go_backwards", (double)draw(2));
    run_trial(&q);
    const int64_t N = q.samples;
    uint8_t *codes = claim(&q, N * 50 * q.layer.code_bytes, 1);
    float *y = claim(&q, N * 50 * 6, sizeof *y), *dx = claim(&q, N * 50 * 3, sizeof *dx);
    forward_tile(&q, (ng_range){0, 50}, 0, N, y, codes);
    for (int64_t from = 0, to; from < 50; from = to) {
        to = from + 1 + draw(50 - from);
        ng_tile dy = cut(&q, (ng_range){0, 50}, 50, 6, N, q.dy, NAN);
        ng_tile part = cut(&q, (ng_range){from, to}, 50, 3, N, dx, UNTOUCHED);
        const ng_code code = cut_code(&q, (ng_range){0, 50}, N, codes);
        type->backward(&q.layer, &dy, &code, &part, cut_scratch(&q, N));
        paste(&part, dx);
    }
    /* q.dx[0] is a difference: it did not begin at 0 */
    for (int64_t i = 0; i < N * 50 * 3; i++) CHECK(near((double)dx[i], (double)q.dx[0][i], 1e-6));
    end_trial(&q);
}

/* Layers that keep states every so many steps, whatever shape() would choose, on their way through run_trial(). */
static int64_t forced;

static ng_status shape_forced(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    const ng_layer_type *type = !strcmp(layer->type->class_name, "LSTM") ? &ng_lstm : &ng_gru;
    if (type->shape(layer, arena, error)) return error->status;
    ng_keep_states(layer, forced);
    return NG_OK;
}

static const ng_layer_type forced_lstm = {"LSTM", .forgetful = true, .shape = shape_forced, .forward = ng_recurrent_forward, .backward = ng_recurrent_backward};
static const ng_layer_type forced_gru = {"GRU", .forgetful = true, .shape = shape_forced, .forward = ng_recurrent_forward, .backward = ng_recurrent_backward};

/* All coefficients kept, or states every so many steps: the same values and gradients to the bit, and values also if nothing is
 * kept. */
static void schedules(const ng_layer_type *type)
{
    static const int64_t lengths[] = {1, 2, 3, 53, 97, 1000};
    static const char *const returns[] = {"sequence", "last", "cell"};
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 6; k++) {
            const int64_t L = lengths[i], u = 1 + draw(20), C = 1 + draw(5), N = 1 + draw(3);
            const int64_t intervals[] = {0, 1, 2, (int64_t)ceil(sqrt((double)L)), L, L + 1};
            float *y[2], *dx[2][3];
            trial q;
            if (L == 1000 && k != 3) continue;               /* the others are quicker */
            start(&q, type, L, C, u, draw(2));
            add_bias(&q, 1);
            set_word(&q, "returns", returns[draw(strcmp(type->class_name, "LSTM") ? 2 : 3)]);
            set_number(&q, "go_backwards", (double)draw(2));
            set_number(&q, "restore_order", (double)draw(2));
            q.samples = N;
            ng_error error;
            CHECK(type->shape(&q.layer, q.arena, &error) == NG_OK);
            draw_inputs(&q);
            const int64_t size = N * ng_size(q.layer.out), rows = ng_rows(q.layer.out);
            q.dy = claim(&q, size, sizeof *q.dy);
            for (int64_t j = 0; j < size; j++) q.dy[j] = (float)draw_real();
            for (int way = 0; way < 2; way++) {
                ng_keep_states(&q.layer, way ? intervals[k] : 0);
                uint8_t *codes = claim(&q, N * rows * q.layer.code_bytes, 1);
                y[way] = claim(&q, size, sizeof(float));
                for (int input = 0; input < q.layer.inputs; input++)
                    dx[way][input] = claim(&q, N * ng_size(q.in[input]), sizeof(float));
                forward_tile(&q, (ng_range){0, rows}, 0, N, y[way], codes);
                backward_tile(&q, (ng_range){0, L}, 0, N, (1 << q.layer.inputs) - 1, codes, dx[way]);
            }
            CHECK(!memcmp(y[0], y[1], (size_t)size * sizeof(float)));
            for (int input = 0; input < q.layer.inputs; input++)
                CHECK(!memcmp(dx[0][input], dx[1][input], (size_t)(N * ng_size(q.in[input])) * sizeof(float)));
            q.layer.code_bytes = 0;
            forward_tile(&q, (ng_range){0, rows}, 0, N, y[1], claim(&q, 1, 1));
            CHECK(!memcmp(y[0], y[1], (size_t)size * sizeof(float)));
            end_trial(&q);
        }
}

/* The same layers as before, by any schedule, against formula and differences. */
static void forced_cases(void)
{
    for (forced = 1; forced < 60; forced += 1 + draw(6)) {
        one_case(&forced_lstm);
        one_case(&forced_gru);
    }
    forced = 7;
    every_activation(&forced_lstm);
    every_activation(&forced_gru);
}

/* What shape() chooses for long sequences: far fewer floats than coefficients, code and scratch together. */
static void long_sequences(void)
{
    for (int64_t L = 10000; L <= 1000000; L *= 10) {
        trial q;
        start(&q, &ng_lstm, L, 4, 64, false);
        ng_error error;
        CHECK(q.layer.type->shape(&q.layer, q.arena, &error) == NG_OK);
        const double floats = (double)(q.layer.code_bytes + q.layer.scratch_bytes) / 4;
        CHECK(floats <= (double)L * 4 + 64 * (4 * sqrt((double)L * 2 * 6) + 60));
        end_trial(&q);
    }
}

static void refusals(void)
{
    trial q;
    start(&q, &ng_lstm, 5, 3, 4, false);
    set_word(&q, "activation", "softmax");
    refuse(&q, NG_UNSUPPORTED);
    start(&q, &ng_gru, 5, 3, 4, false);
    set_word(&q, "returns", "cell");
    refuse(&q, NG_BAD_MODEL);
    start(&q, &ng_lstm, 5, 3, 4, true);
    q.layer.inputs = 2;
    refuse(&q, NG_BAD_MODEL);
    start(&q, &ng_lstm, 5, 3, 4, true);
    q.in[2].channels = 5;
    refuse(&q, NG_BAD_MODEL);
    start(&q, &ng_lstm, 5, 3, 4, false);
    set_number(&q, "time_major", 1);
    refuse(&q, NG_UNSUPPORTED);
    start(&q, &ng_gru, 5, 3, 4, false);
    add_bias(&q, 2);
    set_number(&q, "reset_after", 0);
    refuse(&q, NG_BAD_MODEL);
    start(&q, &ng_gru, 5, 3, 4, false);
    q.in[0].rank = 1;
    refuse(&q, NG_BAD_MODEL);
    start(&q, &ng_gru, 5, 3, 4, false);
    q.in[0].channels = 2;
    refuse(&q, NG_BAD_MODEL);
}

int main(void)
{
    static const char *const kernels[] = {"portable", "avx2", "avx512"};
    for (int k = 0; k < 3; k++) {
        if (!ng_force_kernel(kernels[k])) continue;
        for (int i = 0; i < 20; i++) {
            one_case(&ng_lstm);
            one_case(&ng_gru);
        }
        every_activation(&ng_lstm);
        every_activation(&ng_gru);
        schedules(&ng_lstm);
        schedules(&ng_gru);
        forced_cases();
    }
    ng_force_kernel(NULL);
    kinks();
    partial_rows(&ng_lstm);
    partial_rows(&ng_gru);
    long_sequences();
    refusals();
    return finish();
}
