/* tests/core/test_activation.c: every activation and PReLU against its formula, see trial.h; slopes at kinks and far out. */
#include "core/network/types.h"
#include "trial.h"

typedef struct activity { const char *name; double alpha, most, threshold, slope; } activity;     /* 0: not set */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static double activate(const trial *q, const char *name, double x)
{
    const double alpha = number(q, "alpha", !strcmp(name, "leaky_relu") ? 0.2 : 1), most = number(q, "max_value", INFINITY);
    const double threshold = number(q, "threshold", 0), slope = number(q, "negative_slope", 0);
    if (!strcmp(name, "linear")) return x;
    if (!strcmp(name, "relu")) return x > threshold ? fmin(x, most) : slope * (x - threshold);
    if (!strcmp(name, "relu6")) return fmin(fmax(x, 0), 6);
    if (!strcmp(name, "leaky_relu")) return x > 0 ? x : alpha * x;
    if (!strcmp(name, "sigmoid")) return sigmoid(x);
    if (!strcmp(name, "hard_sigmoid")) return fmin(fmax(0.2 * x + 0.5, 0), 1);
    if (!strcmp(name, "hard_sigmoid_keras3")) return fmin(fmax(x + 3, 0), 6) / 6;
    if (!strcmp(name, "tanh")) return tanh(x);
    if (!strcmp(name, "elu")) return x > 0 ? x : alpha * (exp(x) - 1);
    if (!strcmp(name, "selu")) return 1.0507009873554804934 * (x > 0 ? x : 1.6732632423543772848 * (exp(x) - 1));
    if (!strcmp(name, "softplus")) return log(1 + exp(x));
    if (!strcmp(name, "softsign")) return x / (1 + fabs(x));
    if (!strcmp(name, "swish")) return x * sigmoid(x);
    if (!strcmp(name, "gelu")) return x * (1 + erf(x / sqrt(2))) / 2;
    if (!strcmp(name, "gelu_tanh")) return x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x))) / 2;
    if (!strcmp(name, "exponential")) return exp(x);
    return x * tanh(log(1 + exp(x)));            /* mish */
}

static void naive_activation(const trial *q, double *const *x, double *y)
{
    const char *name = ng_word(&q->settings, "activation", "");
    const int64_t C = q->in->channels;
    for (int64_t t = 0; t < ng_rows(*q->in); t++) {
        double sum = 0;
        for (int64_t c = 0; c < C; c++) sum += exp(x[0][t * C + c]);
        for (int64_t c = 0; c < C; c++) {
            const double v = x[0][t * C + c];
            if (!strcmp(name, "softmax")) y[t * C + c] = exp(v) / sum;
            else if (!strcmp(name, "log_softmax")) y[t * C + c] = v - log(sum);
            else y[t * C + c] = activate(q, name, v);
        }
    }
}

static void set_activity(trial *q, activity a)
{
    set_word(q, "activation", a.name);
    if (a.alpha != 0) set_number(q, "alpha", a.alpha);
    if (a.most != 0) set_number(q, "max_value", a.most);
    if (a.threshold != 0) set_number(q, "threshold", a.threshold);
    if (a.slope != 0) set_number(q, "negative_slope", a.slope);
}

static void test_activations(void)
{
    static const activity all[] = {
        {.name = "linear"}, {.name = "relu"}, {.name = "relu", .most = 2}, {.name = "relu", .most = 6, .slope = 0.3},
        {.name = "relu", .threshold = 1.2}, {.name = "relu", .most = 3, .threshold = 0.5, .slope = 0.1}, {.name = "relu", .slope = 0.25},
        {.name = "relu6"}, {.name = "leaky_relu", .alpha = 0.3}, {.name = "leaky_relu"}, {.name = "sigmoid"}, {.name = "hard_sigmoid"},
        {.name = "hard_sigmoid_keras3"}, {.name = "tanh"}, {.name = "elu"}, {.name = "elu", .alpha = 0.7}, {.name = "selu"},
        {.name = "softplus"}, {.name = "softsign"}, {.name = "swish"}, {.name = "gelu"}, {.name = "gelu_tanh"}, {.name = "exponential"},
        {.name = "mish"}, {.name = "softmax"}, {.name = "log_softmax"},
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (int round = 0; round < 20; round++) {
            const ng_shape in = any();
            trial q;
            start_trial(&q, &ng_activation, 1, &in);
            q.naive = naive_activation;
            set_activity(&q, all[k]);
            run_trial(&q);
            end_trial(&q);
        }
}

/* f'(x) exactly where TensorFlow had to choose; and finite far out. */
static void one_kink(activity a, float x, double y, double slope)
{
    const ng_shape in = {1, 1, 1, 9};            /* a whole byte of bits and a tail */
    trial q;
    start_trial(&q, &ng_activation, 1, &in);
    set_activity(&q, a);
    float from[9], to[9], dx[9];
    for (int i = 0; i < 9; i++) from[i] = x;
    run_given(&q, (const float *[]){from}, to, (float *[]){dx});
    for (int i = 0; i < 9; i++) CHECK(near((double)to[i], y, 1e-6) && near((double)dx[i], 2 * slope, 1e-6));
    end_trial(&q);
}

static void test_kinks(void)
{
    const activity relu = {.name = "relu"}, leaky = {.name = "leaky_relu", .alpha = 0.3}, elu = {.name = "elu", .alpha = 0.5};
    const activity two = {.name = "hard_sigmoid"}, three = {.name = "hard_sigmoid_keras3"}, relu6 = {.name = "relu6"};
    const activity most = {.name = "relu", .most = 2}, six = {.name = "relu", .most = 6}, slope = {.name = "relu", .slope = 0.3};
    const activity over = {.name = "relu", .most = 6, .threshold = 1, .slope = 0.3}, both = {.name = "relu", .most = 2, .slope = 0.3};
    const activity under = {.name = "relu", .most = 2, .threshold = 3};
    one_kink(relu, 0, 0, 0), one_kink(leaky, 0, 0, 0.3), one_kink(elu, 0, 0, 0.5);
    one_kink(slope, 0, 0, 0.3), one_kink(both, 0, 0, 0), one_kink(relu6, 0, 0, 0);
    one_kink(two, -2.5f, 0, 0.2), one_kink(two, nextafterf(-2.5f, -3), 0, 0);
    one_kink(two, 2.5f, 1, 0.2), one_kink(two, nextafterf(2.5f, 3), 1, 0);
    one_kink(three, -3, 0, 0), one_kink(three, 3, 1, 0), one_kink(three, nextafterf(3, 0), 1, 1.0 / 6);
    one_kink(most, 2, 2, 1), one_kink(most, 2.5f, 2, 0), one_kink(six, 6, 6, 0), one_kink(relu6, 6, 6, 0);
    one_kink(over, 6, 6, 1), one_kink(over, 1, 0, 0), one_kink(over, -1, -0.6, 0.3);
    one_kink(under, 2.5f, 0, 0), one_kink(under, 4, 2, 0);
    static const struct { const char *name; double high, high_slope, low, low_slope; } far[] = {          /* at 1000 and -1000 */
        {"sigmoid", 1, 0, 0, 0}, {"tanh", 1, 0, -1, 0}, {"softplus", 1000, 1, 0, 0}, {"swish", 1000, 1, 0, 0},
        {"mish", 1000, 1, 0, 0}, {"gelu", 1000, 1, 0, 0}, {"gelu_tanh", 1000, 1, 0, 0}, {"elu", 1000, 1, -1, 0},
        {"selu", 1050.7009873554805, 1.0507009873554805, -1.7580993408473766, 0},
        {"softsign", 1000.0 / 1001, 1.0 / 1001 / 1001, -1000.0 / 1001, 1.0 / 1001 / 1001}, {"softmax", 1.0 / 9, 0, 1.0 / 9, 0},
        {"log_softmax", -2.1972245773362194, 0, -2.1972245773362194, 0},                                  /* nine equal numbers */
    };
    for (size_t k = 0; k < sizeof far / sizeof *far; k++) {
        const activity a = {.name = far[k].name};
        one_kink(a, 1000, far[k].high, far[k].high_slope), one_kink(a, -1000, far[k].low, far[k].low_slope);
    }
}

static void naive_prelu(const trial *q, double *const *x, double *y)
{
    const ng_shape in = q->in[0];
    const ng_tensor *alpha = q->weights;
    int64_t size[3] = {1, 1, 1};
    for (int i = 0; i < in.rank; i++) size[3 - in.rank + i] = alpha->dim[i];
    for (int64_t s = 0; s < in.samples; s++) for (int64_t l = 0; l < in.length; l++) for (int64_t c = 0; c < in.channels; c++) {
        const int64_t i = (s * in.length + l) * in.channels + c;
        const int64_t at = ((size[0] > 1 ? s : 0) * size[1] + (size[1] > 1 ? l : 0)) * size[2] + (size[2] > 1 ? c : 0);
        y[i] = x[0][i] > 0 ? x[0][i] : (double)alpha->data[at] * x[0][i];
    }
}

static void test_prelu(void)
{
    for (int round = 0; round < 180; round++) {
        const ng_shape in = any();
        trial q;
        start_trial(&q, &ng_prelu, 1, &in);
        q.naive = naive_prelu;
        int64_t size[3] = {in.samples, in.length, in.channels}, *dim = size + 3 - in.rank;
        double shared[3] = {0};
        int64_t count = 0;
        for (int i = 0; i < in.rank; i++) if (draw(2)) shared[count++] = i + 1, dim[i] = 1;
        if (count) set_numbers(&q, "shared_axes", count, shared[0], shared[1], shared[2]);
        add_weight(&q, in.rank, dim[0], dim[in.rank > 1], dim[in.rank > 2 ? 2 : 0], -1, 1);
        run_trial(&q);
        end_trial(&q);
    }
    const ng_shape in = {1, 1, 1, 3};            /* at 0 the slope is 0, as in TensorFlow */
    trial q;
    start_trial(&q, &ng_prelu, 1, &in);
    add_weight(&q, 1, 3, 1, 1, 0.5, 1);
    float y[3], dx[3];
    run_given(&q, (const float *[]){(const float[]){-1, 0, 1}}, y, (float *[]){dx});
    CHECK(y[0] == -q.weights->data[0] && dx[0] == 2 * q.weights->data[0] && y[1] == 0 && dx[1] == 0 && y[2] == 1 && dx[2] == 2);
    end_trial(&q);
}

static void test_refusals(void)
{
    const ng_shape m = {2, 1, 8, 5};
    refuses(&ng_activation, 1, m, m, "activation", "wobble", 0, NG_UNSUPPORTED);
    refuses(&ng_prelu, 1, m, m, "shared_axes", NULL, 3, NG_BAD_MODEL);
    refuses(&ng_prelu, 1, m, m, NULL, NULL, 0, NG_BAD_MODEL);
}

int main(void)
{
    test_activations();
    test_kinks();
    test_prelu();
    test_refusals();
    return finish();
}
