/* Whole graphs: threads, tiles, rounds and memory change no bit of scores and outputs; gradients are those of differences; a run
 * ends where poll() says so, and without a leak wherever memory ends. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "net.h"
#include "core/attribution/source.h"
#include "core/network/cost.h"
#include "core/network/types.h"

enum { WINDOWS = 3, NODES = 5 };

/* ---- graphs ---- */

/* conv, pool, norm, conv, pool, flatten, dense: deepG's chains. `smooth`: without kinks. */
static net *chain(bool smooth)
{
    net *n = new_net();
    const char *bend = smooth ? "tanh" : "relu";
    const ng_layer_type *pooling = smooth ? &ng_average_pooling1d : &ng_max_pooling1d;
    const int64_t size = 2 + draw(6);
    int at = conv(n, input(n, sequence(150 + draw(100), 4)), size, 4, 6, "same");
    at = pool(n, activation(n, at, bend), pooling, 3, 2, "same");
    at = activation(n, conv(n, norm(n, at, 6), 5, 6, 9, "valid"), bend);
    at = pool(n, norm(n, at, 9), pooling, 2, 2, "valid");
    at = add(n, smooth ? &ng_global_average_pooling1d : &ng_global_max_pooling1d, at, -1);
    at = activation(n, dense(n, activation(n, dense(n, at, 9, 8), bend), 8, 3), "softmax");
    end_net(n, at, -1);
    return n;
}

/* A skip over a pool and a product with itself, behind a padding; two outputs, one of them rows in the middle of the trunk. */
static net *residual(void)
{
    net *n = new_net();
    const int padded = add(n, &ng_zero_padding1d, input(n, sequence(80 + draw(60), 4)), -1);
    numbers(n, "padding", 2, 2, 1, 0);
    const int stem = norm(n, conv(n, padded, 7, 4, 6, "same"), 6);
    const int branch = pool(n, activation(n, stem, "relu"), &ng_average_pooling1d, 3, 1, "same");
    int at = add(n, &ng_add, stem, branch);
    at = pool(n, activation(n, at, "leaky_relu"), &ng_max_pooling1d, 4, 3, "valid");
    at = add(n, &ng_global_average_pooling1d, add(n, &ng_multiply_layer, at, at), -1);
    end_net(n, dense(n, at, 6, 2), stem);
    return n;
}

/* Long kernels in the middle of a trunk of many rows. */
static net *long_kernels(void)
{
    net *n = new_net();
    int at = activation(n, conv(n, input(n, sequence(1500 + draw(500), 4)), 24, 4, 16, "same"), "relu");
    at = activation(n, conv(n, norm(n, pool(n, at, &ng_max_pooling1d, 2, 2, "valid"), 16), 24, 16, 16, "same"), "relu");
    at = add(n, &ng_global_average_pooling1d, pool(n, norm(n, at, 16), &ng_max_pooling1d, 4, 4, "valid"), -1);
    end_net(n, activation(n, dense(n, at, 16, 1), "sigmoid"), -1);
    return n;
}

/* Many of them, ever deeper: where a tile holds few rows of the last ones. `around`: one of them has a way around it. The last one makes
 * `filters` channels. */
static net *deep_kernels(bool around, int64_t filters)
{
    net *n = new_net();
    int at = activation(n, conv(n, input(n, sequence(50000 + draw(9000), 4)), 3, 4, 16, "same"), "relu");
    n->numbers[at - 1][2][0] = 1;                /* strides */
    for (int k = 0; k < 3; k++) {
        at = pool(n, at, k % 2 ? &ng_average_pooling1d : &ng_max_pooling1d, 4, 4, "valid");
        const int before = at;
        at = conv(n, at, 24, 16, k == 2 ? filters : 16, "same");
        n->numbers[at][2][0] = 1;
        at = activation(n, at, "relu");
        if (around && k == 1) at = add(n, &ng_add, before, at);
    }
    end_net(n, dense(n, add(n, &ng_global_average_pooling1d, at, -1), filters, 1), -1);
    return n;
}

/* Two inputs of different length that share nothing until the end. */
static net *two_inputs(void)
{
    net *n = new_net();
    const int left = input(n, sequence(60 + draw(30), 4)), right = input(n, sequence(40 + draw(20), 3));
    const int a = activation(n, conv(n, left, 4, 4, 5, "valid"), "relu");
    const int b = activation(n, conv(n, pool(n, right, &ng_max_pooling1d, 2, 2, "valid"), 3, 3, 5, "causal"), "tanh");
    const int largest = add(n, &ng_global_max_pooling1d, a, -1), mean = add(n, &ng_global_average_pooling1d, b, -1);
    const int both = add(n, &ng_concatenate, largest, mean);
    end_net(n, activation(n, dense(n, both, 10, 2), "softmax"), -1);
    return n;
}

/* Convolutions read by an LSTM. */
static net *recurrent(void)
{
    net *n = new_net();
    int at = activation(n, conv(n, input(n, sequence(90 + draw(40), 4)), 6, 4, 5, "same"), "tanh");
    at = lstm(n, pool(n, at, &ng_average_pooling1d, 3, 3, "valid"), 5, 4);
    end_net(n, activation(n, dense(n, at, 4, 1), "sigmoid"), -1);
    return n;
}

/* Fragments: a network for each of them, and an LSTM along them. */
static net *fragments(void)
{
    net *n = new_net();
    int at = conv(n, input(n, (ng_shape){3, 4, 30 + draw(10), 4}), 5, 4, 3, "same");
    n->calls[at].time_distributed = true;
    at = activation(n, at, "tanh");
    n->calls[at].time_distributed = true;
    at = add(n, &ng_global_average_pooling1d, at, -1);
    n->calls[at].time_distributed = true;
    at = dense(n, at, 3, 4);
    n->calls[at].time_distributed = true;
    end_net(n, lstm(n, at, 4, 3), -1);
    return n;
}

/* An answer for every row; the trunk is all there is. */
/* Global poolings over many rows, in blocks; rectified ones, of which many are equal. */
static net *long_pooling(void)
{
    net *n = new_net();
    const int at = activation(n, conv(n, input(n, sequence(2100 + draw(300), 4)), 5, 4, 6, "same"), "relu");
    const int first = dense(n, add(n, &ng_global_max_pooling1d, at, -1), 6, 1);
    end_net(n, first, dense(n, add(n, &ng_global_average_pooling1d, at, -1), 6, 2));
    return n;
}

static net *rows(void)
{
    net *n = new_net();
    int at = conv(n, conv(n, input(n, sequence(100 + draw(50), 4)), 5, 4, 6, "same"), 3, 6, 4, "valid");
    at = activation(n, norm(n, at, 4), "tanh");
    end_net(n, dense(n, at, 4, 2), -1);
    return n;
}

/* Padding that is longer than a tile: tiles that read nothing. */
static net *padded(void)
{
    net *n = new_net();
    int at = activation(n, conv(n, input(n, sequence(100, 4)), 5, 4, 6, "same"), "relu6");
    at = add(n, &ng_zero_padding1d, pool(n, at, &ng_max_pooling1d, 2, 2, "valid"), -1);
    numbers(n, "padding", 2, 70, 90, 0);
    end_net(n, add(n, &ng_flatten, at, -1), -1);
    return n;
}

/* ---- runs ---- */

/* Sequences, baselines and cotangents of WINDOWS windows, and room for what a run finds. */
typedef struct data { float *x[2], *baseline[2], *cotangent[2]; int64_t stride[2]; } data;

typedef struct result { double *scores[2]; float *outputs[2]; ng_check checks[WINDOWS]; } result;

static int64_t input_size(const net *n, int i) { return WINDOWS * ng_size(n->shapes[i]); }

/* Shapes of the outputs, by a plan of their own. */
static void output_sizes(const net *n, int64_t *size)
{
    ng_error error = {0};
    ng_plan plan;
    const ng_run run = {.arena = ng_arena_new(1 << 28), .threads = 1};
    CHECK(ng_plan_make(&n->graph, n->shapes, n->outputs, n->graph.output_count, false, &run, &plan, &error) == NG_OK);
    for (int w = 0; w < n->graph.output_count; w++) size[w] = WINDOWS * ng_size(plan.nodes[plan.wanted[w]].whole);
    ng_arena_free(run.arena);
}

static float *draw_floats(ng_arena *arena, int64_t count)
{
    float *made = claim(arena, count, sizeof *made);
    for (int64_t i = 0; i < count; i++) made[i] = (float)draw_real();
    return made;
}

static data draw_data(const net *n)
{
    data d = {0};
    int64_t size[2];
    output_sizes(n, size);
    for (int i = 0; i < n->graph.input_count; i++) {
        d.x[i] = draw_floats(n->arena, input_size(n, i));
        d.baseline[i] = draw_floats(n->arena, input_size(n, i));
    }
    for (int w = 0; w < n->graph.output_count; w++) {
        d.cotangent[w] = draw_floats(n->arena, size[w]);
        d.stride[w] = size[w] / WINDOWS;
    }
    return d;
}

static result new_result(const net *n)
{
    result made = {0};
    int64_t size[2];
    output_sizes(n, size);
    for (int i = 0; i < n->graph.input_count; i++) made.scores[i] = claim(n->arena, input_size(n, i), sizeof(double));
    for (int w = 0; w < n->graph.output_count; w++) made.outputs[w] = claim(n->arena, size[w], sizeof(float));
    return made;
}

static void same_bits(const net *n, const result *a, const result *b)
{
    int64_t size[2];
    output_sizes(n, size);
    for (int i = 0; i < n->graph.input_count; i++)
        CHECK(!memcmp(a->scores[i], b->scores[i], (size_t)input_size(n, i) * sizeof(double)));
    for (int w = 0; w < n->graph.output_count; w++) CHECK(!memcmp(a->outputs[w], b->outputs[w], (size_t)size[w] * sizeof(float)));
    CHECK(!memcmp(a->checks, b->checks, sizeof a->checks));
}

/* Scores along the path and outputs, in an arena of `bytes`; the plan in one of plan_bytes, unless that is 0. */
static ng_status run_planned(const net *n, const data *d, const ng_path *path, int64_t plan_bytes, int64_t bytes, ng_run run, result *found)
{
    const int64_t strides[2] = {ng_size(n->shapes[0]), ng_size(n->shapes[1])};
    ng_arrays arrays = {(const float *const *)d->x, (const float *const *)d->baseline, strides, n->shapes, found->scores};
    const ng_source source = ng_arrays_source(&arrays);
    const ng_sink sink = ng_arrays_sink(&arrays);
    const ng_objective objective = {(const float *const *)d->cotangent, d->stride};
    ng_error error = {0};
    for (int forward = 0; forward < 2 && error.status == NG_OK; forward++) {
        ng_plan plan;
        ng_arena *own = plan_bytes ? ng_arena_new(plan_bytes) : NULL, *arena = ng_arena_new(bytes);
        run.arena = own ? own : arena;
        if (ng_plan_make(&n->graph, n->shapes, n->outputs, n->graph.output_count, !forward, &run, &plan, &error) == NG_OK) {
            run.arena = arena;
            if (forward) ng_predict(&plan, &source, WINDOWS, found->outputs, &run, &error);
            else ng_path_integral(&plan, &source, WINDOWS, &objective, 1, path, &sink, found->checks, &run, &error);
        }
        ng_arena_free(arena);
        ng_arena_free(own);
    }
    return error.status;
}

static ng_status run_net(const net *n, const data *d, const ng_path *path, int64_t bytes, ng_run run, result *found)
{
    return run_planned(n, d, path, 0, bytes, run, found);
}

static ng_path midpoints(int64_t nodes, double *positions, double *weights)
{
    for (int64_t k = 0; k < nodes; k++) {
        positions[k] = ((double)k + 0.5) / (double)nodes;
        weights[k] = 1 / (double)nodes;
    }
    return (ng_path){nodes, positions, weights, true};
}

/* ---- tests ---- */

static const ng_run alone = {.threads = 1};

static void test_bits(net *n)
{
    double positions[NODES], weights[NODES];
    const ng_path path = midpoints(NODES, positions, weights);
    const data d = draw_data(n);
    result expected = new_result(n), found = new_result(n);
    CHECK(run_net(n, &d, &path, 1 << 28, alone, &expected) == NG_OK);
    const int64_t tile_bytes[] = {0, 100, 1000, 5000, 20000}, round_bytes[] = {0, 1, 20000};
    for (int t = 0; t < 5; t++)
        for (int r = 0; r < 3; r++) {
            const ng_run run = {.threads = 1 + (t + r) % 3, .tile_bytes = tile_bytes[t], .round_bytes = round_bytes[r]};
            CHECK(run_net(n, &d, &path, 1 << 28, run, &found) == NG_OK);
            same_bits(n, &expected, &found);
        }
}

/* Where some layers run in every few tiles only, for all of them. */
static void test_pace(net *n)
{
    double positions[3], weights[3];
    const ng_path path = midpoints(3, positions, weights);
    const data d = draw_data(n);
    result expected = new_result(n), found = new_result(n);
    CHECK(run_net(n, &d, &path, 1 << 28, alone, &expected) == NG_OK);
    int64_t most[2] = {0, 0};
    const int64_t plan_bytes[] = {7 << 20, 28 << 20}, tile_bytes[] = {20000, 80000, 320000, 450000, 640000};
    for (int r = 0; r < 10; r++) {               /* with few bytes a stage is not cut in two */
        ng_error error = {0};
        ng_plan plan;
        ng_run run = {.arena = ng_arena_new(plan_bytes[r % 2]), .threads = 1 + r % 3, .tile_bytes = tile_bytes[r / 2]};
        CHECK(ng_plan_make(&n->graph, n->shapes, n->outputs, n->graph.output_count, true, &run, &plan, &error) == NG_OK);
        for (int s = 0; s < plan.stage_count; s++)
            for (int way = 0; way < 2; way++) if (plan.stages[s].every[way] > most[way]) most[way] = plan.stages[s].every[way];
        ng_arena_free(run.arena);
        CHECK(run_planned(n, &d, &path, plan_bytes[r % 2], 1 << 28, run, &found) == NG_OK);
        same_bits(n, &expected, &found);
    }
    CHECK(most[0] >= 4 && most[1] >= 4);
}

/* From nothing to enough: refused without a leak, or the same bits. */
static void test_memory(net *n)
{
    double positions[NODES], weights[NODES];
    const ng_path path = midpoints(NODES, positions, weights);
    const data d = draw_data(n);
    result expected = new_result(n), found = new_result(n);
    CHECK(run_net(n, &d, &path, 1 << 28, alone, &expected) == NG_OK);
    int refused = 0, enough = 0;
    for (int64_t bytes = 0; bytes < 1 << 28 && enough < 5; bytes += 64 + bytes / 20) {
        const ng_status status = run_net(n, &d, &path, bytes, alone, &found);
        CHECK(status == NG_OK || status == NG_OUT_OF_MEMORY);
        if (status != NG_OK) refused++;
        else if (++enough) same_bits(n, &expected, &found);
    }
    CHECK(refused > 20 && enough == 5);
}

static double objective_at(const net *n, const data *d, const ng_path *path, result *room)
{
    int64_t size[2];
    double sum = 0;
    output_sizes(n, size);
    CHECK(run_net(n, d, path, 1 << 28, alone, room) == NG_OK);
    for (int w = 0; w < n->graph.output_count; w++)
        for (int64_t i = 0; i < d->stride[w]; i++) sum += (double)d->cotangent[w][i] * (double)room->outputs[w][i];
    return sum;
}

/* The gradient of window 1 at 20 places of each input. float32 outputs leave 1e-5 of a difference over 0.02, its curvature less:
 * 1 % of the largest gradient is far above both and far below a wrong term. */
static void test_differences(net *n)
{
    const double end = 1, one = 1, step = 0.01;
    const ng_path gradient = {1, &end, &one, false};
    data d = draw_data(n);
    result found = new_result(n), room = new_result(n);
    CHECK(run_net(n, &d, &gradient, 1 << 28, alone, &found) == NG_OK);
    for (int i = 0; i < n->graph.input_count; i++) {
        double largest = 0;
        for (int64_t k = 0; k < ng_size(n->shapes[i]); k++) largest = fmax(largest, fabs(found.scores[i][k]));
        CHECK(largest > 0);
        for (int trial = 0; trial < 20; trial++) {
            const int64_t k = draw(ng_size(n->shapes[i]));
            const float kept = d.x[i][k];
            d.x[i][k] = (float)((double)kept + step);
            const double above = (double)d.x[i][k], more = objective_at(n, &d, &gradient, &room);
            d.x[i][k] = (float)((double)kept - step);
            const double below = (double)d.x[i][k], less = objective_at(n, &d, &gradient, &room);
            d.x[i][k] = kept;
            CHECK(fabs((more - less) / (above - below) - found.scores[i][k]) <= 0.01 * largest + 1e-5);
        }
    }
}

/* Without kinks 64 midpoints leave a gap of order 1/64^2. */
static void test_completeness(net *n)
{
    double positions[64], weights[64];
    const ng_path path = midpoints(64, positions, weights);
    const data d = draw_data(n);
    result found = new_result(n);
    CHECK(run_net(n, &d, &path, 1 << 28, alone, &found) == NG_OK);
    for (int w = 0; w < WINDOWS; w++) {
        const ng_check *check = &found.checks[w];
        double sum = 0, size = 0;
        for (int i = 0; i < n->graph.input_count; i++)
            for (int64_t k = 0; k < ng_size(n->shapes[i]); k++) {
                const double score = found.scores[i][w * ng_size(n->shapes[i]) + k];
                sum += score;
                size += fabs(score);
            }
        CHECK(fabs(sum - check->attributed) <= 1e-12 * size);
        CHECK(fabs(check->attributed - (check->output - check->baseline_output)) <= 1e-3 * size);
    }
}

static bool stop_at(void *left, double done)
{
    CHECK(done >= 0 && done <= 1);
    return --*(int *)left < 0;
}

static void test_stop(net *n)
{
    double positions[NODES], weights[NODES];
    const ng_path path = midpoints(NODES, positions, weights);
    const data d = draw_data(n);
    result expected = new_result(n), found = new_result(n);
    CHECK(run_net(n, &d, &path, 1 << 28, alone, &expected) == NG_OK);
    const int polls = 2 + WINDOWS * NODES + WINDOWS;                 /* before the first round and, of one sample, after each */
    for (int after = 0; after <= polls; after += 3) {
        int left = after;
        const ng_run run = {.threads = 2, .round_bytes = 1, .poll = stop_at, .poll_data = &left};
        CHECK(run_net(n, &d, &path, 1 << 28, run, &found) == (after < polls ? NG_STOPPED : NG_OK));
    }
    CHECK(run_net(n, &d, &path, 1 << 28, alone, &found) == NG_OK);
    same_bits(n, &expected, &found);
}

static double ticks(void)
{
    static _Thread_local double now;
    return now += 1;
}

/* Costs are of the plan's own tiles: every row is in one, and each layer stays inside its tiles (checked by ng_row()). */
static void test_cost(const net *n, int64_t bytes)
{
    for (int64_t tile_bytes = 100; tile_bytes < 1000000; tile_bytes *= 5) {
        ng_error error = {0};
        const ng_run run = {.arena = ng_arena_new(bytes), .threads = 2, .tile_bytes = tile_bytes};
        ng_plan plan;
        CHECK(ng_plan_make(&n->graph, n->shapes, n->outputs, n->graph.output_count, true, &run, &plan, &error) == NG_OK);
        ng_node_cost *costs = claim(run.arena, plan.count, sizeof *costs);
        CHECK(ng_plan_cost(&plan, true, &run, ticks, costs, &error) == NG_OK);
        int64_t kept = 0;
        for (int k = 0; k < plan.count; k++) {
            const ng_node *node = &plan.nodes[k];
            kept += (costs[k].value_bytes + 63) / 64 * 64 + (costs[k].code_bytes + 63) / 64 * 64;
            if (!node->layer.inputs) continue;
            CHECK(costs[k].tile_rows > 0 && costs[k].computed_rows >= (double)costs[k].tile_rows);
            if (node->kept || node->zone == NG_HEAD) CHECK(costs[k].computed_rows >= (double)ng_rows(node->whole));
            if (node->pooled) CHECK(costs[k].path_operations > 0 && costs[k].path_seconds > 0);
            else CHECK(costs[k].operations > 0 && costs[k].seconds > 0 && (node->zone == NG_HEAD || costs[k].back_seconds > 0));
        }
        CHECK(kept + run.threads * ((plan.taken_floats * 4 + 63) / 64 * 64) == plan.sample_bytes);
        ng_arena_free(run.arena);
    }
}

/* Targets of one call have the bits of calls of their own, in any memory. */
static void test_targets(net *n)
{
    enum { TARGETS = 3 };
    double positions[NODES], weights[NODES];
    ng_path path = midpoints(NODES, positions, weights);
    positions[0] = draw(2) ? 0 : positions[0];
    data d[TARGETS] = {draw_data(n)};
    result expected[TARGETS], found[TARGETS];
    ng_objective objectives[TARGETS];
    ng_sink sinks[TARGETS];
    ng_arrays arrays[TARGETS];
    ng_check checks[TARGETS * WINDOWS];
    const int64_t strides[2] = {ng_size(n->shapes[0]), ng_size(n->shapes[1])};
    for (int t = 0; t < TARGETS; t++) {
        if (t) d[t] = draw_data(n);
        memcpy(d[t].x, d[0].x, sizeof d[t].x);
        memcpy(d[t].baseline, d[0].baseline, sizeof d[t].baseline);
        expected[t] = new_result(n);
        found[t] = new_result(n);
        CHECK(run_net(n, &d[t], &path, 1 << 28, alone, &expected[t]) == NG_OK);
        objectives[t] = (ng_objective){(const float *const *)d[t].cotangent, d[t].stride};
        arrays[t] = (ng_arrays){(const float *const *)d[0].x, (const float *const *)d[0].baseline, strides, n->shapes, found[t].scores};
        sinks[t] = ng_arrays_sink(&arrays[t]);
    }
    const ng_source source = ng_arrays_source(&arrays[0]);
    int refused = 0, enough = 0;
    for (int64_t bytes = 1 << 10; enough < 4; bytes += bytes / 10) {
        ng_error error = {0};
        ng_plan plan;
        const ng_run run = {.arena = ng_arena_new(bytes), .threads = 1 + enough % 2};
        if (ng_plan_make(&n->graph, n->shapes, n->outputs, n->graph.output_count, true, &run, &plan, &error) == NG_OK)
            ng_path_integral(&plan, &source, WINDOWS, objectives, TARGETS, &path, sinks, checks, &run, &error);
        ng_arena_free(run.arena);
        CHECK(error.status == NG_OK || error.status == NG_OUT_OF_MEMORY);
        if (error.status != NG_OK) {
            refused++;
            continue;
        }
        enough++;
        for (int t = 0; t < TARGETS; t++) {
            for (int i = 0; i < n->graph.input_count; i++)
                CHECK(!memcmp(found[t].scores[i], expected[t].scores[i], (size_t)input_size(n, i) * sizeof(double)));
            CHECK(!memcmp(checks + t * WINDOWS, expected[t].checks, sizeof expected[t].checks));
        }
    }
    CHECK(refused > 5);
}

typedef struct watch { ng_arena *arena; int64_t most; } watch;

static bool look(void *data, double done)
{
    watch *w = data;
    (void)done;
    if (ng_arena_used(w->arena) > w->most) w->most = ng_arena_used(w->arena);
    return false;
}

/* A rehearsal takes all the memory that the call ever takes, which gives some back in the end. */
static void test_rehearsal(net *n)
{
    double positions[NODES], weights[NODES];
    const ng_path path = midpoints(NODES, positions, weights);
    const data d = draw_data(n);
    result found = new_result(n);
    const int64_t strides[2] = {ng_size(n->shapes[0]), ng_size(n->shapes[1])};
    ng_arrays arrays = {(const float *const *)d.x, (const float *const *)d.baseline, strides, n->shapes, found.scores};
    const ng_source source = ng_arrays_source(&arrays);
    const ng_sink sink = ng_arrays_sink(&arrays);
    const ng_objective objective = {(const float *const *)d.cotangent, d.stride};
    watch used[2];
    for (int whole = 0; whole < 2; whole++) {
        ng_error error = {0};
        ng_plan plan;
        used[whole] = (watch){ng_arena_new(1 << 28), 0};
        ng_rehearsal told = {0};
        const ng_run run = {.arena = used[whole].arena, .threads = 2, .rehearsal = whole ? NULL : &told, .poll = look, .poll_data = &used[whole]};
        CHECK(ng_plan_make(&n->graph, n->shapes, n->outputs, n->graph.output_count, true, &run, &plan, &error) == NG_OK);
        CHECK(ng_path_integral(&plan, &source, WINDOWS, &objective, 1, &path, &sink, found.checks, &run, &error) == NG_OK);
        if (whole) CHECK(told.nodes == 0 && ng_arena_used(run.arena) < used[1].most);
        else CHECK(told.nodes >= 1 && told.nodes <= NODES && !look(&used[0], 0));
        ng_arena_free(run.arena);
    }
    CHECK(used[0].most == used[1].most);
}

static void test_refusals(void)
{
    ng_error error = {0};
    net *n = chain(false);
    n->from[2][0] = 3;
    CHECK(ng_graph_check(&n->graph, &error) == NG_BAD_MODEL && error.layer == 2);
    n->from[2][0] = 1;
    n->calls[2].input_count = 2;                                     /* of a layer that takes one */
    CHECK(ng_graph_check(&n->graph, &error) == NG_BAD_MODEL && error.layer == 2);
    n->calls[2].input_count = 1;
    ((float *)n->weights[1][0].data)[3] = INFINITY;
    CHECK(ng_graph_check(&n->graph, &error) == NG_BAD_MODEL && error.layer == 1);
    ((float *)n->weights[1][0].data)[3] = 0;
    n->inputs[0] = 1;
    CHECK(ng_graph_check(&n->graph, &error) == NG_BAD_MODEL);
    n->inputs[0] = 0;
    n->outputs[0] = n->graph.count;
    CHECK(ng_graph_check(&n->graph, &error) == NG_BAD_MODEL);
    ng_arena_free(n->arena);

    ng_plan plan;
    ng_run run = {.arena = ng_arena_new(1 << 20), .threads = 1};
    n = two_inputs();
    n->graph.input_count = 1;                                        /* the other one is read all the same */
    CHECK(ng_plan_make(&n->graph, n->shapes, n->outputs, 1, false, &run, &plan, &error) == NG_BAD_MODEL && strstr(error.message, "InputLayer"));
    ng_arena_free(n->arena);
    n = new_net();
    const int left = input(n, sequence(9, 4));
    const int both = add(n, &ng_add, left, input(n, sequence(8, 4)));
    n->calls[both].time_distributed = true;                          /* over 9 samples and 8 */
    end_net(n, both, -1);
    CHECK(ng_plan_make(&n->graph, n->shapes, n->outputs, 1, false, &run, &plan, &error) == NG_BAD_MODEL && error.layer == both);
    ng_arena_free(n->arena);
    ng_arena_free(run.arena);
}

static void test_net(net *n, bool smooth)
{
    test_bits(n);
    test_memory(n);
    test_stop(n);
    test_cost(n, 1 << 28);
    test_rehearsal(n);
    test_targets(n);
    if (smooth) test_differences(n);
    if (smooth) test_completeness(n);
    ng_arena_free(n->arena);
}

int main(void)
{
    for (int k = 0; k < 2; k++) {
        test_net(chain(false), false);
        test_net(chain(true), true);
        test_net(residual(), false);
        test_net(two_inputs(), false);
        test_net(recurrent(), true);
        test_net(fragments(), true);
        test_net(rows(), true);
        test_net(branches(), true);
    }
    test_net(padded(), false);
    test_net(long_kernels(), false);
    for (int k = 0; k < 3; k++) {
        net *deep = deep_kernels(k == 1, k == 2 ? 160 : 16);
        test_pace(deep);
        for (int64_t bytes = 7 << 20; bytes < 40 << 20; bytes *= 2) test_cost(deep, bytes);
        ng_arena_free(deep->arena);
    }
    net *pooling = long_pooling();
    test_bits(pooling);
    test_cost(pooling, 1 << 28);
    test_stop(pooling);
    ng_arena_free(pooling->arena);
    test_refusals();
    return finish();
}
