/* Changes computed by cones, against every changed window run by itself: random graphs, regions at edges, over the origin, side by
 * side and on top of each other; threads and memory. */
#include <string.h>
#include "grow.h"
#include "core/attribution/what_if.h"

enum { GRAPHS = 60, WINDOWS = 5, SITES = 16, MOST_VARIANTS = 5 };

static int64_t rows_of(const net *n, int at)
{
    ng_plan plan;
    ng_error error = {0};
    const ng_run run = {.threads = 1, .arena = ng_arena_new(1 << 28)};
    CHECK(ng_plan_make(&n->graph, n->shapes, &at, 1, false, &run, &plan, &error) == NG_OK);
    const int64_t rows = plan.nodes[plan.wanted[0]].whole.length;
    ng_arena_free(run.arena);
    return rows;
}

static net *random_graph(int64_t length)
{
    net *n = new_net();
    int64_t channels = 4;
    int at = input(n, sequence(length, 4)), middle = -1;
    for (int64_t pieces = 1 + draw(5); pieces > 0; pieces--) {
        at = grow(n, at, &channels);
        if (!draw(6)) middle = at;
    }
    switch (draw(6)) {
    case 0: {
        const int64_t rows = rows_of(n, at);
        at = dense(n, add(n, &ng_flatten, at, -1), rows * channels, 7);
        at = dense(n, activation(n, at, "relu"), 7, 2);
        break;
    }
    case 1: at = add(n, &ng_flatten, at, -1); break;
    case 2: at = dense(n, lstm(n, at, channels, 5), 5, 2); break;
    case 3: at = dense(n, add(n, &ng_global_max_pooling1d, at, -1), channels, 3); break;
    case 4: at = dense(n, add(n, &ng_global_average_pooling1d, at, -1), channels, 3); break;
    default: at = activation(n, dense(n, at, channels, 2), "softmax");           /* an answer for every row */
    }
    end_net(n, at, middle);
    return n;
}

typedef struct trial {
    ng_contig contig;
    int64_t windows, count, variants;
    ng_change sites[SITES];
    float *cotangent[2];
    int64_t sizes[2];
} trial;

static int by_window(const void *a, const void *b)
{
    const int64_t x = ((const ng_change *)a)->window, y = ((const ng_change *)b)->window;
    return (x > y) - (x < y);
}

static trial random_trial(const net *n)
{
    static const float baseline[] = {0.25f, 0.25f, 0.25f, 0.25f};
    const int64_t window = n->shapes[0].length, length = window + draw(2) * draw(2 * window);
    const bool circular = draw(2);
    uint8_t *bases = claim(n->arena, length, 1);
    int64_t *starts = claim(n->arena, WINDOWS, sizeof *starts);
    trial t = {.contig = {.bases = bases, .length = length, .window = window, .starts = starts, .baseline = baseline},
               .windows = 1 + draw(WINDOWS), .count = SITES};
    for (int64_t i = 0; i < length; i++) bases[i] = (uint8_t)(draw(20) ? draw(4) : 4);
    for (int64_t w = 0; w < t.windows; w++) starts[w] = circular ? draw(length) : draw(length - window + 1);
    for (int64_t s = 0; s < t.count; s++) {
        ng_change *site = &t.sites[s];
        site->window = draw(t.windows);
        site->width = 1 + draw(draw(4) ? 12 : length);
        site->first = circular ? draw(length) : draw(length - site->width + 1);
        if (!draw(3)) site->first = starts[site->window];            /* at an edge */
        if (!circular && site->first + site->width > length) site->width = length - site->first;
        site->variants = draw(2) ? 1 : 1 + draw(MOST_VARIANTS);
        if (site->variants == 1 && draw(2)) continue;
        uint8_t *codes = claim(n->arena, site->variants * site->width, 1);
        for (int64_t i = 0; i < site->variants * site->width; i++) codes[i] = (uint8_t)draw(5);
        site->codes = codes;
    }
    qsort(t.sites, SITES, sizeof *t.sites, by_window);
    for (int64_t s = 0; s < t.count; s++) t.variants += t.sites[s].variants;
    return t;
}

/* (window, 4): a window, or what a variant of a site makes of it; site NULL: as it is. */
static void changed_window(const trial *t, int64_t window, const ng_change *site, int64_t variant, float *rows)
{
    const ng_contig *c = &t->contig;
    for (int64_t r = 0; r < c->window; r++, rows += 4) {
        const int64_t base = (c->starts[window] + r) % c->length;
        int letter = c->bases[base], fill = 0;
        for (int64_t i = 0; site && i < site->width; i++) {
            if ((site->first + i) % c->length != base) continue;
            if (site->codes) letter = site->codes[variant * site->width + i];
            else fill = 1;
        }
        for (int b = 0; b < 4; b++) rows[b] = letter > 3 ? 0 : fill ? c->baseline[b] : letter == b;
    }
}

static double brute(const net *n, const trial *t, int64_t window, const ng_change *site, int64_t variant)
{
    ng_plan plan;
    ng_error error = {0};
    const ng_run run = {.threads = 1, .arena = ng_arena_new(1 << 28)};
    float *rows = claim(run.arena, 4 * t->contig.window, sizeof *rows), *outputs[2];
    const float *x[] = {rows};
    const ng_arrays arrays = {.x = x, .shapes = n->shapes};
    const ng_source source = ng_arrays_source(&arrays);
    double value = 0;
    changed_window(t, window, site, variant, rows);
    for (int w = 0; w < n->graph.output_count; w++) outputs[w] = claim(run.arena, t->sizes[w], sizeof(float));
    CHECK(ng_plan_make(&n->graph, n->shapes, n->outputs, n->graph.output_count, false, &run, &plan, &error) == NG_OK);
    CHECK(ng_predict(&plan, &source, 1, outputs, &run, &error) == NG_OK);
    for (int w = 0; w < n->graph.output_count; w++)
        for (int64_t i = 0; i < t->sizes[w]; i++) value += (double)t->cotangent[w][i] * (double)outputs[w][i];
    ng_arena_free(run.arena);
    return value;
}

static bool polls_stop(void *data, double done)
{
    CHECK(done >= 0 && done <= 1);
    return --*(int *)data < 0;
}

static ng_status answer(const net *n, const trial *t, int64_t bytes, ng_run run, double *values, double *changed)
{
    ng_error error = {0};
    ng_answers answers = {values, changed, 0, 0};
    run.arena = ng_arena_new(bytes);
    ng_what_if(&n->graph, n->outputs, n->graph.output_count, (const float *const *)t->cotangent, &t->contig, t->windows, t->sites, t->count,
               &run, &answers, &error);
    ng_arena_free(run.arena);
    if (error.status == NG_OK) CHECK(answers.operations >= answers.window_operations);
    return error.status;
}

static void weigh_outputs(const net *n, trial *t)
{
    ng_plan plan;
    ng_error error = {0};
    const ng_run run = {.threads = 1, .arena = ng_arena_new(1 << 28)};
    CHECK(ng_plan_make(&n->graph, n->shapes, n->outputs, n->graph.output_count, false, &run, &plan, &error) == NG_OK);
    for (int w = 0; w < plan.wanted_count; w++) {
        t->sizes[w] = ng_size(plan.nodes[plan.wanted[w]].whole);
        t->cotangent[w] = claim(n->arena, t->sizes[w], sizeof(float));
        for (int64_t i = 0; i < t->sizes[w]; i++) t->cotangent[w][i] = (float)(draw_real() / sqrt((double)t->sizes[w]));
    }
    ng_arena_free(run.arena);
}

/* To float32 rounding of sums of a few hundred terms. */
static bool near(double a, double b) { return fabs(a - b) <= 5e-6 * (1 + fabs(b)); }

static void test_changes(net *n)
{
    trial t = random_trial(n);
    weigh_outputs(n, &t);
    double values[WINDOWS], again_values[WINDOWS], expected_values[WINDOWS];
    double *changed = claim(n->arena, t.variants, sizeof *changed), *again = claim(n->arena, t.variants, sizeof *again);
    double *expected = claim(n->arena, t.variants, sizeof *expected);
    int64_t at = 0;
    for (int64_t w = 0; w < t.windows; w++) expected_values[w] = brute(n, &t, w, NULL, 0);
    for (int64_t s = 0; s < t.count; s++)
        for (int64_t v = 0; v < t.sites[s].variants; v++) expected[at++] = brute(n, &t, t.sites[s].window, &t.sites[s], v);

    CHECK(answer(n, &t, 1 << 28, (ng_run){.threads = 1}, values, changed) == NG_OK);
    for (int64_t w = 0; w < t.windows; w++) CHECK(near(values[w], expected_values[w]));
    for (int64_t v = 0; v < t.variants; v++) CHECK(near(changed[v], expected[v]));
    for (int threads = 2; threads <= 3; threads++) {
        CHECK(answer(n, &t, 1 << 28, (ng_run){.threads = threads}, again_values, again) == NG_OK);
        CHECK(!memcmp(values, again_values, (size_t)t.windows * sizeof *values));
        CHECK(!memcmp(changed, again, (size_t)t.variants * sizeof *changed));
    }
    int left = 1;
    CHECK(answer(n, &t, 1 << 28, (ng_run){.threads = 2, .poll = polls_stop, .poll_data = &left}, again_values, again) == NG_STOPPED);
    for (int64_t bytes = 1 << 12; bytes < 1 << 26; bytes *= 8) {
        const ng_status status = answer(n, &t, bytes, (ng_run){.threads = 2}, again_values, again);
        CHECK(status == NG_OK || status == NG_OUT_OF_MEMORY);
        for (int64_t v = 0; status == NG_OK && v < t.variants; v++) CHECK(near(again[v], expected[v]));
    }
    ng_arena_free(n->arena);
}

/* What stands there already changes nothing, to the bit. */
static void test_nothing(net *n)
{
    trial t = random_trial(n);
    weigh_outputs(n, &t);
    double values[WINDOWS], *changed;
    t.variants = t.count;
    changed = claim(n->arena, t.variants, sizeof *changed);
    for (int64_t s = 0; s < t.count; s++) {
        ng_change *site = &t.sites[s];
        uint8_t *codes = claim(n->arena, site->width, 1);
        for (int64_t i = 0; i < site->width; i++) codes[i] = t.contig.bases[(site->first + i) % t.contig.length];
        site->codes = codes;
        site->variants = 1;
    }
    CHECK(answer(n, &t, 1 << 28, (ng_run){.threads = 2}, values, changed) == NG_OK);
    for (int64_t s = 0; s < t.count; s++) CHECK(changed[s] == values[t.sites[s].window]);
    ng_arena_free(n->arena);
}

int main(void)
{
    for (int k = 0; k < GRAPHS; k++) test_changes(random_graph(100 + draw(150)));
    for (int k = 0; k < 3; k++) test_changes(random_graph(1800));    /* global poolings in blocks */
    for (int k = 0; k < 20; k++) test_nothing(random_graph(200));
    return finish();
}
