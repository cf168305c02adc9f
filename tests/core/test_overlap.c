/* Overlapping windows that share their trunk, against the same windows one by one, predicted and explained: random graphs, steps and
 * contigs; threads and memory. */
#include <string.h>
#include "grow.h"
#include "core/attribution/window_integral.h"
#include "core/attribution/window_scan.h"
#include "core/network/overlap.h"

enum { GRAPHS = 70, INTEGRALS = 80, EXACT = 40, MOST_WINDOWS = 200, MOST_EXPLAINED = 60, NODES = 3, TARGETS = 2 };

static int shared_graphs, integrals, shared_integrals, bent_integrals, off_integrals;
static bool exact;                               /* graphs whose rows, up to the head, are sums of few bits: float32 does not round them */

static net *random_graph(void)
{
    net *n = new_net();
    int64_t channels = 4;
    int at = input(n, sequence(100 + draw(200), 4)), middle = -1;
    for (int64_t pieces = 1 + draw(5); pieces > 0 && channels <= 32; pieces--) {  /* more only take time */
        at = grow(n, at, &channels);
        if (!draw(6)) middle = at;
    }
    switch (draw(4)) {
    case 0: at = add(n, &ng_flatten, at, -1); break;
    case 1: at = dense(n, lstm(n, at, channels, 5), 5, 2); break;
    case 2: at = dense(n, add(n, smooth ? &ng_global_average_pooling1d : &ng_global_max_pooling1d, at, -1), channels, 3); break;
    default: at = activation(n, dense(n, at, channels, 2), "softmax");           /* an answer for every row */
    }
    end_net(n, at, middle);
    return n;
}

/* Layers that kernels stand for, in every place: conv, relu, pool, norm, and again, then an LSTM. */
static net *fused(void)
{
    net *n = new_net();
    const char *padding = any_padding();
    int at = conv(n, input(n, sequence(200 + draw(50), 4)), 12, 4, 16, padding);
    n->numbers[at][2][0] = 1;
    at = norm(n, pool(n, activation(n, at, "relu"), &ng_max_pooling1d, 3, 3, "valid"), 16);
    at = conv(n, at, 9, 16, 16, padding);
    n->numbers[at][2][0] = 1;
    at = pool(n, norm(n, activation(n, at, "relu"), 16), &ng_max_pooling1d, 2, 2, "valid");
    end_net(n, dense(n, lstm(n, at, 16, 4), 4, 1), -1);
    return n;
}

/* A slope for each row: nothing that follows may be shared. */
static net *own_slopes(void)
{
    net *n = new_net();
    int at = conv(n, input(n, sequence(120, 4)), 5, 4, 6, "same");
    n->numbers[at][2][0] = 1;
    at = add(n, &ng_prelu, at, -1);
    weight(n, 2, 120, 6, 0, -1, 1);
    end_net(n, add(n, &ng_flatten, conv(n, at, 3, 6, 3, "same"), -1), -1);
    return n;
}

/* Convolutions, relu and pools in numbers of few bits. Each path decides kinks and ties by the same numbers then. */
static net *graph_of_few_bits(void)
{
    net *n = new_net();
    few_bits = true;
    const int64_t channels = draw(2) ? 2 + draw(8) : 16;
    int at = conv(n, input(n, sequence(100 + draw(150), 4)), 1 + draw(6), 4, channels, any_padding());
    at = pool(n, activation(n, at, "relu"), &ng_max_pooling1d, 1 + draw(4), 1 + draw(3), draw(2) ? "same" : "valid");
    if (!draw(3)) {
        const int branch = conv(n, at, 1, channels, channels, "same");
        n->numbers[branch][2][0] = 1;
        at = add(n, &ng_add, at, branch);
    }
    at = activation(n, conv(n, at, 1 + draw(4), channels, channels, any_padding()), "relu");
    if (draw(2)) at = pool(n, at, &ng_max_pooling1d, 2 + draw(2), 2, "valid");
    few_bits = false;
    end_net(n, draw(4) ? add(n, &ng_flatten, at, -1) : dense(n, lstm(n, at, channels, 4), 4, 1), -1);
    return n;
}

typedef struct contig { ng_contig contig; int64_t windows; } contig;

static contig random_contig(const net *n, int64_t most_windows)
{
    const int64_t window = n->shapes[0].length, step = 1 + draw(draw(2) ? 12 : window), length = window + draw(6 * window);
    const bool circular = length > window && draw(3) == 0;
    uint8_t *bases = claim(n->arena, length, 1);
    int64_t *starts = claim(n->arena, most_windows, sizeof *starts);
    contig made = {{.bases = bases, .length = length, .window = window, .starts = starts}, 0};
    for (int64_t i = 0; i < length; i++) bases[i] = (uint8_t)(draw(40) ? draw(4) : 4);
    for (int64_t p = 0; made.windows < most_windows && p <= (circular ? length - 1 : length - window); p += step) starts[made.windows++] = p;
    if (!circular && made.windows < most_windows && starts[made.windows - 1] < length - window) starts[made.windows++] = length - window;
    return made;
}

static void make_plan(const net *n, const ng_run *run, ng_plan *plan)
{
    ng_error error = {0};
    CHECK(ng_plan_make(&n->graph, n->shapes, n->outputs, n->graph.output_count, false, run, plan, &error) == NG_OK);
}

static ng_status scan(const net *n, const contig *c, int64_t bytes, ng_run run, float *const *outputs)
{
    ng_plan plan;
    ng_error error = {0};
    run.arena = ng_arena_new(bytes);
    if (ng_plan_make(&n->graph, n->shapes, n->outputs, n->graph.output_count, false, &run, &plan, &error) == NG_OK)
        ng_window_scan(&n->graph, &plan, n->outputs, &c->contig, c->windows, outputs, &run, &error);
    ng_arena_free(run.arena);
    return error.status;
}

static void outputs_of(const net *n, const ng_plan *plan, int64_t windows, float **outputs, int64_t *sizes)
{
    for (int w = 0; w < plan->wanted_count; w++) {
        sizes[w] = windows * ng_size(plan->nodes[plan->wanted[w]].whole);
        outputs[w] = claim(n->arena, sizes[w], sizeof(float));
    }
}

static bool polls_stop(void *data, double done)
{
    (void)done;
    return --*(int *)data < 0;
}

/* Every value to float32 rounding of sums of a few hundred terms; threads change no bit; what memory cannot share is not shared. */
static void test_scan(net *n)
{
    const ng_run run = {.threads = 1, .arena = ng_arena_new(1 << 28)};
    const contig c = random_contig(n, MOST_WINDOWS);
    ng_plan plan;
    int64_t sizes[2];
    float *expected[2], *found[2], *again[2];
    ng_error error = {0};
    make_plan(n, &run, &plan);
    outputs_of(n, &plan, c.windows, expected, sizes);
    outputs_of(n, &plan, c.windows, found, sizes);
    outputs_of(n, &plan, c.windows, again, sizes);
    const ng_source source = ng_contig_source(&c.contig);
    CHECK(ng_predict(&plan, &source, c.windows, expected, &run, &error) == NG_OK);
    CHECK(scan(n, &c, 1 << 28, run, found) == NG_OK);
    for (int w = 0; w < plan.wanted_count; w++)
        for (int64_t i = 0; i < sizes[w]; i++) CHECK(fabsf(found[w][i] - expected[w][i]) <= 3e-6f * (1 + fabsf(expected[w][i])));

    for (int threads = 2; threads <= 3; threads++) {
        CHECK(scan(n, &c, 1 << 28, (ng_run){.threads = threads}, again) == NG_OK);
        for (int w = 0; w < plan.wanted_count; w++) CHECK(!memcmp(found[w], again[w], (size_t)sizes[w] * sizeof(float)));
    }
    ng_overlap overlap;
    const int64_t step = c.windows > 2 ? c.contig.starts[1] - c.contig.starts[0] : 1;
    CHECK(ng_overlap_make(&n->graph, &plan, step, c.windows, false, &run, &overlap, &error) == NG_OK);
    shared_graphs += overlap.windows > 0;

    int left = 0;
    CHECK(scan(n, &c, 1 << 28, (ng_run){.threads = 2, .poll = polls_stop, .poll_data = &left}, again) == NG_STOPPED);
    for (int64_t bytes = 1 << 13; bytes < 1 << 24; bytes *= 8) {
        const ng_status status = scan(n, &c, bytes, run, again);
        CHECK(status == NG_OK || status == NG_OUT_OF_MEMORY);
        for (int w = 0; status == NG_OK && w < plan.wanted_count; w++)
            for (int64_t i = 0; i < sizes[w]; i++) CHECK(fabsf(again[w][i] - expected[w][i]) <= 3e-6f * (1 + fabsf(expected[w][i])));
    }
    ng_arena_free(run.arena);
    ng_arena_free(n->arena);
}

/* ---- integrated gradients ---- */

/* Scores of each target, (length, 4), and checks. */
typedef struct map { double *scores[TARGETS]; ng_check *checks; } map;

static map new_map(const net *n, const contig *c)
{
    map made = {.checks = claim(n->arena, TARGETS * c->windows, sizeof *made.checks)};
    for (int t = 0; t < TARGETS; t++) made.scores[t] = claim(n->arena, 4 * c->contig.length, sizeof(double));
    return made;
}

static ng_status explain(const net *n, const contig *c, const ng_objective *objectives, const ng_path *path, bool alone, int64_t bytes,
                         ng_run run, map *to)
{
    ng_plan plan;
    ng_error error = {0};
    ng_contig into[TARGETS];
    ng_sink sinks[TARGETS];
    run.arena = ng_arena_new(bytes);
    for (int t = 0; t < TARGETS; t++) {
        into[t] = c->contig;
        into[t].scores = to->scores[t];
        sinks[t] = ng_contig_sink(&into[t]);
    }
    const ng_source source = ng_contig_source(&c->contig);
    if (ng_plan_make(&n->graph, n->shapes, n->outputs, n->graph.output_count, true, &run, &plan, &error) == NG_OK) {
        if (alone) ng_path_integral(&plan, &source, c->windows, objectives, TARGETS, path, sinks, to->checks, &run, &error);
        else ng_window_integral(&n->graph, &plan, n->outputs, &c->contig, c->windows, objectives, TARGETS, path, sinks, to->checks, &run, &error);
    }
    for (int t = 0; t < TARGETS; t++) ng_contig_clear(&into[t], c->contig.length);
    ng_arena_free(run.arena);
    return error.status;
}

static bool near(double a, double b, double scale) { return fabs(a - b) <= 1e-5 * scale; }

/* Float32 rounding of sums of some thousand terms, beside the largest of them. */
static bool alike_maps(const contig *c, const map *a, const map *b)
{
    bool same = true;
    for (int t = 0; t < TARGETS; t++) {
        double largest = 0, sum = 0;
        for (int64_t i = 0; i < 4 * c->contig.length; i++) {
            largest = fmax(largest, fabs(a->scores[t][i]));
            sum += fabs(a->scores[t][i]);
        }
        for (int64_t i = 0; i < 4 * c->contig.length; i++) same = same && near(a->scores[t][i], b->scores[t][i], largest);
        for (int64_t w = t * c->windows; w < (t + 1) * c->windows; w++) {
            const ng_check *x = &a->checks[w], *y = &b->checks[w];
            same = same && near(x->attributed, y->attributed, sum) && near(x->output, y->output, 1 + fabs(x->output)) &&
                   near(x->baseline_output, y->baseline_output, 1 + fabs(x->baseline_output));
        }
    }
    return same;
}

static bool equal_maps(const contig *c, const map *a, const map *b)
{
    bool same = !memcmp(a->checks, b->checks, (size_t)(TARGETS * c->windows) * sizeof *a->checks);
    for (int t = 0; t < TARGETS; t++) same = same && !memcmp(a->scores[t], b->scores[t], (size_t)(4 * c->contig.length) * sizeof(double));
    return same;
}

/* Of gradients that are not times the difference nothing is attributed, and no baseline read. */
static void leave_checks(const contig *c, const ng_path *path, map *of)
{
    for (int64_t w = 0; !path->times_difference && w < TARGETS * c->windows; w++) of->checks[w].attributed = of->checks[w].baseline_output = 0;
}

static ng_objective random_objective(const net *n, const ng_plan *plan, const float **cotangents)
{
    static const int64_t shared[2] = {0, 0};
    for (int w = 0; w < plan->wanted_count; w++) {
        const int64_t size = ng_size(plan->nodes[plan->wanted[w]].whole);
        float *own = claim(n->arena, size, sizeof *own);
        for (int64_t i = 0; i < size; i++) own[i] = (float)draw_real();
        cotangents[w] = own;
    }
    return (ng_objective){cotangents, shared};
}

/* Scores, their sums by window and F at both ends; threads change no bit; what memory cannot share is not shared. A node within rounding of a
 * kink may take its other side: few graphs have one, and those that are exact none. */
static void test_integral(net *n)
{
    static const float baselines[2][4] = {{0.25f, 0.25f, 0.25f, 0.25f}, {0.1f, 0.4f, 0.3f, 0.2f}};
    static const double thirds[NODES] = {1.0 / 6, 0.5, 5.0 / 6}, bits[NODES] = {21.0 / 128, 0.5, 107.0 / 128}, weights[NODES] = {0.3, 0.4, 0.3};
    const ng_path path = {NODES, exact ? bits : thirds, weights, draw(4) > 0};
    const float *cotangents[TARGETS][2] = {{NULL}};
    ng_objective objectives[TARGETS];
    const ng_run run = {.threads = 1, .arena = ng_arena_new(1 << 28)};
    contig c = random_contig(n, MOST_EXPLAINED);
    ng_plan plan;
    c.contig.baseline = baselines[exact ? 0 : draw(2)];
    make_plan(n, &run, &plan);
    for (int t = 0; t < TARGETS; t++) objectives[t] = random_objective(n, &plan, cotangents[t]);
    const bool shared = ng_integral_saving(&n->graph, n->outputs, n->graph.output_count, &c.contig, c.windows, TARGETS, &path, &run).left < 1;
    if (!shared && (exact || draw(6))) {                             /* most that share nothing are passed over */
        ng_arena_free(run.arena);
        ng_arena_free(n->arena);
        return;
    }
    map expected = new_map(n, &c), found = new_map(n, &c), again = new_map(n, &c);
    CHECK(explain(n, &c, objectives, &path, true, 1 << 28, run, &expected) == NG_OK);
    CHECK(explain(n, &c, objectives, &path, false, 1 << 28, run, &found) == NG_OK);
    leave_checks(&c, &path, &expected);
    leave_checks(&c, &path, &found);
    const bool same = alike_maps(&c, &expected, &found), bent = shared && !smooth && !exact;
    integrals++;
    shared_integrals += shared;
    bent_integrals += bent;
    off_integrals += !same;
    CHECK(same || bent);
    for (int threads = 2; threads <= 3; threads++) {
        again = new_map(n, &c);
        CHECK(explain(n, &c, objectives, &path, false, 1 << 28, (ng_run){.threads = threads}, &again) == NG_OK);
        leave_checks(&c, &path, &again);
        CHECK(equal_maps(&c, &found, &again));
    }
    int polls = 0;
    CHECK(explain(n, &c, objectives, &path, false, 1 << 28, (ng_run){.threads = 2, .poll = polls_stop, .poll_data = &polls}, &again) == NG_STOPPED);
    for (int64_t bytes = 1 << 15; bytes < 1 << 24; bytes *= 32) {
        again = new_map(n, &c);
        const ng_status status = explain(n, &c, objectives, &path, false, bytes, (ng_run){.threads = 3}, &again);
        CHECK(status == NG_OK || status == NG_OUT_OF_MEMORY);
        leave_checks(&c, &path, &again);
        CHECK(status != NG_OK || !same || alike_maps(&c, &expected, &again));
    }
    ng_arena_free(run.arena);
    ng_arena_free(n->arena);
}

int main(void)
{
    for (int k = 0; k < GRAPHS; k++) test_scan(random_graph());
    CHECK(shared_graphs > GRAPHS / 3);
    for (int k = 0; k < 5; k++) {
        test_scan(fused());
        test_scan(own_slopes());
    }
    for (int k = 0; k < INTEGRALS; k++) {
        smooth = k % 2;
        test_integral(random_graph());
    }
    smooth = false;
    for (int k = 0; k < 5; k++) test_integral(fused());
    CHECK(integrals > 15 && 3 * shared_integrals > integrals);
    CHECK(10 * off_integrals <= bent_integrals);
    exact = true;
    shared_integrals = 0;
    for (int k = 0; k < EXACT; k++) test_integral(graph_of_few_bits());
    CHECK(shared_integrals > EXACT / 10);
    return finish();
}
