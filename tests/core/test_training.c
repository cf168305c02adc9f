/* Training: the gradient of each weight is that of differences of the loss; threads change no bit; optimizers take the step of their
 * formula; a run out of memory says so. */
#include <string.h>
#include "net.h"
#include "core/training/dropout.h"
#include "core/training/trainer.h"

enum { SAMPLES = 11 };

typedef struct task {
    net *net;
    int output;
    ng_loss loss;
    ng_training settings;
    bool trained[MOST_CALLS * MOST_WEIGHTS];
    ng_tensor weights[MOST_CALLS * MOST_WEIGHTS];
    ng_samples samples;
    ng_pick picks[SAMPLES];
} task;

/* All weights but the moving statistics are trained; inputs and targets are random. */
static task *new_task(net *n, int output, ng_loss loss, int64_t outputs)
{
    task *q = claim(n->arena, 1, sizeof *q);
    *q = (task){.net = n, .output = output, .loss = loss};
    end_net(n, output, -1);
    n->graph.weights = q->weights;
    for (int k = 0; k < n->graph.count; k++)
        for (int w = 0; w < n->calls[k].weight_count; w++) {
            q->trained[n->graph.weight_count] = n->calls[k].type != &ng_batch_normalization || w < 2;
            q->weights[n->graph.weight_count++] = n->weights[k][w];
        }
    const float **arrays = claim(n->arena, n->graph.input_count, sizeof *arrays);
    for (int i = 0; i < n->graph.input_count; i++) {
        const int64_t size = SAMPLES * ng_size(n->shapes[i]);
        float *x = claim(n->arena, size, sizeof *x);
        for (int64_t k = 0; k < size; k++) x[k] = (float)draw_real();
        arrays[i] = x;
    }
    float *y = claim(n->arena, SAMPLES * outputs, sizeof *y);
    double *weights = claim(n->arena, SAMPLES, sizeof *weights);
    for (int64_t s = 0; s < SAMPLES; s++) {
        const int64_t class = draw(outputs);
        for (int64_t o = 0; o < outputs; o++)
            y[s * outputs + o] = loss == NG_SQUARED_ERROR ? (float)draw_real() : outputs == 1 ? (float)draw(2) : (float)(o == class);
        weights[s] = 0.5 + (double)draw(4);
        q->picks[s] = (ng_pick){s, false};
    }
    q->samples = (ng_samples){.arrays = arrays, .targets = y, .weights = weights};
    q->settings = (ng_training){.output = output, .loss = loss, .batch = SAMPLES, .trained = q->trained, .key = 5,
                                .optimizer = {NG_ADAM, 0, false, 0.9, 0.999, 1e-7, 0}};
    return q;
}

static ng_trainer *start(task *q, int threads, ng_arena *arena)
{
    ng_error error = {0};
    ng_trainer *t = claim(q->net->arena, 1, sizeof *t);
    CHECK(ng_trainer_make(&q->net->graph, q->net->shapes, &q->settings, threads, arena, t, &error) == NG_OK);
    if (error.status != NG_OK) puts(error.message);
    return t;
}

static double loss_of(task *q, ng_trainer *t)
{
    ng_error error;
    double loss, right;
    CHECK(ng_trainer_refresh(t, &error) == NG_OK);
    ng_train_gradient(t, &q->samples, q->picks, SAMPLES, &loss, &right);
    return loss;
}

/* Along a random direction in each weight. */
static void check_gradient(task *q)
{
    ng_arena *arena = ng_arena_new(1 << 28);
    ng_trainer *t = start(q, 2, arena);
    loss_of(q, t);
    float *gradient = claim(q->net->arena, t->trained_count, sizeof *gradient), *before = claim(q->net->arena, t->trained_count, sizeof *before);
    memcpy(gradient, t->partial, (size_t)t->trained_count * sizeof *gradient);
    memcpy(before, t->trained, (size_t)t->trained_count * sizeof *before);
    for (int64_t w = 0; w < t->graph.weight_count; w++) {
        if (t->places[w] < 0) continue;
        for (int repeat = 0; repeat < 3; repeat++) {
            double slope = 0, size = 0, loss[2];
            const double step = 0.01 / sqrt((double)t->sizes[w]);
            float *direction = claim(q->net->arena, t->sizes[w], sizeof *direction);
            for (int64_t i = 0; i < t->sizes[w]; i++) {
                direction[i] = (float)draw_real();
                slope += (double)direction[i] * (double)gradient[t->places[w] + i];
                size += fabs((double)direction[i] * (double)gradient[t->places[w] + i]);
            }
            for (int side = 0; side < 2; side++) {
                for (int64_t i = 0; i < t->sizes[w]; i++)
                    t->weights[w][i] = before[t->places[w] + i] + (float)((side ? step : -step) * (double)direction[i]);
                loss[side] = loss_of(q, t);
            }
            memcpy(t->weights[w], before + t->places[w], (size_t)t->sizes[w] * sizeof(float));
            const double found = (loss[1] - loss[0]) / (2 * step), noise = 1e-6 / step;
            const bool right = fabs(found - slope) < 5e-3 * size + noise;
            CHECK(right);
            if (!right) printf("weight %d of %d: %g, by differences %g\n", (int)w, (int)t->graph.weight_count, slope, found);
        }
    }
    ng_arena_free(arena);
}

/* A trainer made of the weights of another goes on as that one, whose memory has been written to before. */
static void check_fresh(task *q, ng_trainer *t)
{
    ng_error error = {0};
    ng_arena *arena = ng_arena_new(1 << 28);
    ng_trainer *fresh = start(q, 2, arena);
    double loss[2], right[2];
    for (int64_t w = 0; w < t->graph.weight_count; w++) memcpy(fresh->weights[w], t->weights[w], (size_t)t->sizes[w] * sizeof(float));
    CHECK(ng_trainer_refresh(fresh, &error) == NG_OK);
    ng_train_gradient(t, &q->samples, q->picks, SAMPLES, &loss[0], &right[0]);
    ng_train_gradient(fresh, &q->samples, q->picks, SAMPLES, &loss[1], &right[1]);
    CHECK(loss[0] == loss[1] && !memcmp(t->partial, fresh->partial, (size_t)t->trained_count * sizeof(float)));
    ng_arena_free(arena);
}

/* Some steps: weights, moving statistics and losses have the same bits with 1 and 3 threads. */
static void check_threads(task *q)
{
    enum { STEPS = 3 };
    ng_arena *arenas[2];
    ng_trainer *t[2];
    double loss[2], right[2];
    for (int k = 0; k < 2; k++) {
        ng_error error = {0};
        t[k] = start(q, k ? 3 : 1, arenas[k] = ng_arena_new(1 << 28));
        for (int step = 0; step < STEPS; step++) {
            ng_train_gradient(t[k], &q->samples, q->picks + step, SAMPLES - 2 * step, &loss[k], &right[k]);
            CHECK(ng_train_update(t[k], 0.01, &error) == NG_OK);
        }
    }
    CHECK(!memcmp(&loss[0], &loss[1], sizeof loss[0]) && isfinite(loss[0]));
    for (int64_t w = 0; w < t[0]->graph.weight_count; w++)
        CHECK(!memcmp(t[0]->weights[w], t[1]->weights[w], (size_t)t[0]->sizes[w] * sizeof(float)));
    check_fresh(q, t[0]);
    for (int k = 0; k < 2; k++) ng_arena_free(arenas[k]);
}

static void check_task(net *n, int output, ng_loss loss, int64_t outputs)
{
    task *q = new_task(n, output, loss, outputs);
    check_gradient(q);
    check_threads(q);
    ng_arena_free(n->arena);
}

/* ---- networks, each layer with weights in one of them ---- */

static void chain(void)
{
    net *n = new_net();
    int at = conv(n, input(n, sequence(40 + draw(300), 4)), 2 + draw(14), 4, 5 + draw(16), "same");
    const int64_t filters = n->weights[at][1].dim[0];
    at = pool(n, activation(n, at, "tanh"), &ng_average_pooling1d, 3, 2, "same");
    at = activation(n, conv(n, norm(n, at, filters), 5, filters, 9, draw(2) ? "valid" : "causal"), "sigmoid");
    at = add(n, &ng_global_average_pooling1d, norm(n, at, 9), -1);
    at = dense(n, activation(n, norm(n, dense(n, at, 9, 8), 8), "tanh"), 8, 3);
    check_task(n, at, NG_CATEGORICAL_CROSS_ENTROPY, 3);
}

static int recurrent(net *n, const ng_layer_type *type, int from, int64_t channels, int64_t units, bool sequences, bool reset_after)
{
    const int64_t gates = type == &ng_lstm ? 4 : 3;
    const int at = add(n, type, from, -1);
    number(n, "units", (double)units);
    number(n, "return_sequences", sequences);
    number(n, "go_backwards", (double)draw(2));
    weight(n, 2, channels, gates * units, 0, -0.5, 0.5);
    weight(n, 2, units, gates * units, 0, -0.5, 0.5);
    if (type == &ng_gru) number(n, "reset_after", reset_after);
    if (reset_after) weight(n, 2, 2, gates * units, 0, -0.3, 0.3);
    else weight(n, 1, gates * units, 0, 0, -0.3, 0.3);
    return at;
}

static void recurrents(void)
{
    net *n = new_net();
    const int64_t u = 3 + draw(20), v = 3 + draw(20);
    int at = recurrent(n, &ng_lstm, input(n, sequence(20 + draw(60), 4)), 4, u, true, false);
    at = recurrent(n, &ng_gru, at, u, v, true, true);
    at = recurrent(n, &ng_gru, at, v, 7, true, false);
    at = dense(n, recurrent(n, &ng_lstm, at, 7, 5, false, false), 5, 1);
    check_task(n, at, NG_BINARY_CROSS_ENTROPY, 1);
}

static void rows_of_all_kinds(void)
{
    net *n = new_net();
    const int64_t length = 12 + draw(20);
    int at = add(n, &ng_position_table, input(n, sequence(length, 6)), -1);
    weight(n, 2, length, 6, 0, -0.5, 0.5);
    at = add(n, &ng_grouped_conv1d, at, -1);
    number(n, "filters", 8);
    number(n, "kernel_size", 3);
    number(n, "strides", (double)(1 + draw(2)));
    number(n, "groups", 2);
    word(n, "padding", "same");
    weight(n, 3, 3, 3, 8, -0.5, 0.5);
    weight(n, 1, 8, 0, 0, -0.2, 0.2);
    at = add(n, &ng_layer_normalization, at, -1);
    weight(n, 1, 8, 0, 0, 0.8, 1.2);
    weight(n, 1, 8, 0, 0, -0.2, 0.2);
    at = add(n, &ng_conv1d_transpose, at, -1);
    number(n, "filters", 5);
    number(n, "kernel_size", 4);
    number(n, "strides", (double)(1 + draw(3)));
    word(n, "padding", draw(2) ? "same" : "valid");
    weight(n, 3, 4, 5, 8, -0.4, 0.4);
    weight(n, 1, 5, 0, 0, -0.2, 0.2);
    at = add(n, &ng_add, dense(n, at, 5, 7), dense(n, at, 5, 7));
    at = dense(n, add(n, &ng_global_average_pooling1d, activation(n, at, "tanh"), -1), 7, 4);
    check_task(n, at, NG_SQUARED_ERROR, 4);
}

/* The slope of a PReLU has a kink in x, none in alpha. */
static void slopes(void)
{
    for (int shared = 0; shared < 2; shared++) {
        net *n = new_net();
        int at = add(n, &ng_prelu, input(n, sequence(9, 5)), -1);
        if (shared) numbers(n, "shared_axes", 1, 1, 0, 0);
        weight(n, 2, shared ? 1 : 9, 5, 0, 0, 0.5);
        check_task(n, dense(n, add(n, &ng_flatten, at, -1), 45, 2), NG_BINARY_CROSS_ENTROPY, 2);
    }
}

/* Taps and channels enough for the frequency domain. */
static void many_taps(void)
{
    net *n = new_net();
    const char *const paddings[] = {"same", "valid", "causal"};
    int at = activation(n, conv(n, input(n, sequence(240 + draw(60), 4)), 9, 4, 20, "same"), "tanh");
    const int in_frequencies = conv(n, norm(n, at, 20), 12 + draw(20), 20, 33, paddings[draw(3)]);
    at = pool(n, activation(n, in_frequencies, "tanh"), &ng_average_pooling1d, 3, 3, "same");
    at = dense(n, add(n, &ng_global_average_pooling1d, at, -1), 33, 2);
    check_task(n, at, NG_CATEGORICAL_CROSS_ENTROPY, 2);
}

/* Few long samples, whose rows are dealt: the loss and its gradient are those of shards, and threads change no bit. */
static void check_long(task *q)
{
    enum { FEW = 3 };
    ng_trainer *t[3];
    ng_arena *arenas[3];
    double loss[3], right[3];
    for (int k = 0; k < 3; k++) {
        q->settings.batch = k < 2 ? FEW : NG_SHARDS;
        t[k] = start(q, k == 1 ? 3 : 1, arenas[k] = ng_arena_new(1 << 28));
        CHECK(t[k]->wide == (k < 2));
        ng_train_gradient(t[k], &q->samples, q->picks, FEW, &loss[k], &right[k]);
    }
    const int64_t count = t[0]->trained_count;
    CHECK(!memcmp(t[0]->partial, t[1]->partial, (size_t)count * sizeof(float)) && loss[0] == loss[1]);
    CHECK(fabs(loss[0] - loss[2]) < 1e-6);
    for (int64_t w = 0; w < t[0]->graph.weight_count; w++) {
        double size = 0.01, off = 0;                                /* a shift before a normalization has a gradient of 0 */
        for (int64_t i = t[0]->places[w]; i >= 0 && i < t[0]->places[w] + t[0]->sizes[w]; i++) {
            size = fmax(size, fabs((double)t[2]->partial[i]));
            off = fmax(off, fabs((double)t[2]->partial[i] - (double)t[0]->partial[i]));
        }
        CHECK(off < 1e-3 * size);                                    /* sums of 10,000 floats in two orders */
    }
    for (int k = 0; k < 3; k++) ng_arena_free(arenas[k]);
    ng_arena_free(q->net->arena);
}

static void long_samples(void)
{
    net *n = new_net();
    int at = conv(n, input(n, sequence(16400 + draw(400), 4)), 9, 4, 16, "same");
    at = pool(n, activation(n, at, "relu"), &ng_max_pooling1d, 3, 3, "valid");
    at = activation(n, conv(n, norm(n, at, 16), 4, 16, 7, "valid"), "tanh");
    at = add(n, &ng_layer_normalization, at, -1);
    weight(n, 1, 7, 0, 0, 0.8, 1.2);
    weight(n, 1, 7, 0, 0, -0.2, 0.2);
    at = add(n, &ng_add, dense(n, at, 7, 5), dense(n, at, 7, 5));
    const int pooled = add(n, &ng_global_max_pooling1d, norm(n, pool(n, at, &ng_average_pooling1d, 4, 4, "same"), 5), -1);
    check_long(new_task(n, dense(n, norm(n, pooled, 5), 5, 2), NG_CATEGORICAL_CROSS_ENTROPY, 2));
}

/* And in the frequency domain, where parts are of whole blocks; in the end with more weights than numbers. */
static void long_samples_of_many_taps(void)
{
    net *n = new_net();
    int at = activation(n, conv(n, input(n, sequence(16400 + draw(400), 4)), 9, 4, 16, "same"), "tanh");
    for (int k = 0; k < 3; k++) at = activation(n, conv(n, at, 20, 16, 16, k == 1 ? "valid" : "same"), "tanh");
    at = activation(n, conv(n, pool(n, at, &ng_average_pooling1d, 80, 80, "same"), 20, 16, 16, "same"), "tanh");
    at = dense(n, add(n, &ng_global_average_pooling1d, at, -1), 16, 2);
    check_long(new_task(n, at, NG_CATEGORICAL_CROSS_ENTROPY, 2));
}

/* ---- the rest ---- */

static void optimizers(void)
{
    const float g[2] = {0.5f, -2};
    float w[2] = {1, 2}, v[2] = {0}, q[2] = {0};
    const ng_optimizer sgd = {NG_SGD, 0.9, false, 0, 0, 0, 0}, nesterov = {NG_SGD, 0.9, true, 0, 0, 0, 0};
    for (int step = 1; step <= 2; step++) ng_optimize(&sgd, 0.1, step, g, w, v, q, 2);
    CHECK(fabsf(w[0] - (1 - 0.05f - 0.095f)) < 1e-6f && fabsf(w[1] - (2 + 0.2f + 0.38f)) < 1e-6f);
    w[0] = 1, v[0] = 0;
    ng_optimize(&nesterov, 0.1, 1, g, w, v, q, 1);
    CHECK(fabsf(w[0] - (1 - 0.05f * 1.9f)) < 1e-6f);
    w[0] = 1, v[0] = 0;                                              /* Adam's first step is the rate, whatever the gradient */
    ng_optimize(&(ng_optimizer){NG_ADAM, 0, false, 0.9, 0.999, 1e-7, 0}, 0.01, 1, g, w, v, q, 1);
    CHECK(fabsf(w[0] - 0.99f) < 1e-5f);
    w[0] = 1, v[0] = q[0] = 0;
    ng_optimize(&(ng_optimizer){NG_ADAMW, 0, false, 0.9, 0.999, 1e-7, 0.5}, 0.01, 1, g, w, v, q, 1);
    CHECK(fabsf(w[0] - (1 - 0.005f - 0.01f)) < 1e-5f);
}

static void dropouts(void)
{
    enum { ROWS = 400, CHANNELS = 25 };
    static float x[ROWS * CHANNELS], y[ROWS * CHANNELS], part[ROWS * CHANNELS];
    for (int i = 0; i < ROWS * CHANNELS; i++) x[i] = 1;
    const ng_tile from = {x, 0, ROWS / 2, ROWS / 2, CHANNELS, 2, ROWS / 2 * CHANNELS};
    ng_tile to = from, one = from;
    to.data = y;
    const ng_dropout_draw draw = {3, 4, 0}, second = {3, 4, 1};
    ng_drop(&draw, 0.25, false, &from, false, &to);
    int gone = 0;
    for (int i = 0; i < ROWS * CHANNELS; i++) {
        gone += y[i] == 0;
        CHECK(y[i] == 0 || fabsf(y[i] - 4.0f / 3) < 1e-6f);
    }
    CHECK(gone > 2350 && gone < 2650);                               /* 2500, sd 43 */
    one.samples = 1, one.data = part;
    ng_drop(&second, 0.25, false, &from, false, &one);               /* a sample's numbers do not depend on its tile */
    CHECK(!memcmp(part, y + ROWS / 2 * CHANNELS, sizeof part / 2));
    ng_drop(&draw, 0.5, true, &from, false, &to);
    for (int n = 0; n < 2; n++)
        for (int t = 1; t < ROWS / 2; t++) CHECK(!memcmp(y + (n * ROWS / 2 + t) * CHANNELS, y + n * ROWS / 2 * CHANNELS, CHANNELS * sizeof *y));
}

static void strands(void)
{
    const uint8_t bases[5] = {0, 1, 2, 3, 4};
    const int64_t starts[1] = {0};
    const ng_samples samples = {.bases = bases, .starts = starts};
    float rows[20], reversed[20];
    ng_sample_rows(&samples, (ng_pick){0, false}, 0, sequence(5, 4), rows);
    ng_sample_rows(&samples, (ng_pick){0, true}, 0, sequence(5, 4), reversed);
    for (int i = 0; i < 20; i++) {
        CHECK(rows[i] == (float)(i < 16 && i / 4 == i % 4));
        CHECK(rows[i] == reversed[19 - i]);
    }
    ng_sample_rows(&samples, (ng_pick){0, true}, 1, sequence(5, 4), reversed);
    CHECK(!memcmp(rows, reversed, sizeof rows));
}

/* Wherever memory ends the trainer says so, and nothing is lost. */
static void memory(void)
{
    net *n = new_net();
    int at = add(n, &ng_global_average_pooling1d, norm(n, conv(n, input(n, sequence(60, 4)), 5, 4, 8, "same"), 8), -1);
    task *q = new_task(n, dense(n, at, 8, 1), NG_BINARY_CROSS_ENTROPY, 1);
    bool done = false;
    for (int64_t limit = 1000; limit < 1 << 22 && !done; limit = limit * 5 / 4) {
        ng_error error = {0};
        ng_trainer t;
        ng_arena *arena = ng_arena_new(limit);
        done = ng_trainer_make(&n->graph, n->shapes, &q->settings, 2, arena, &t, &error) == NG_OK;
        CHECK(done || error.status == NG_OUT_OF_MEMORY);
        ng_arena_free(arena);
    }
    CHECK(done);
    ng_arena_free(n->arena);
}

int main(void)
{
    for (int repeat = 0; repeat < 6; repeat++) {
        chain();
        recurrents();
        rows_of_all_kinds();
    }
    slopes();
    long_samples();
    optimizers();
    dropouts();
    strands();
    memory();
    for (int repeat = 0; repeat < 4; repeat++) many_taps();
    long_samples_of_many_taps();
    return finish();
}
