/* tests/core/works.h: a small job for each way into the core that takes memory or has threads. A job makes its own arena, works, and
 * leaves a hash of all that it found; where less memory may mean another way to the same, the sum of that too, or 0. */
#ifndef NG_TESTS_WORKS_H
#define NG_TESTS_WORKS_H
#include <string.h>
#include "net.h"
#include "core/attribution/adaptive.h"
#include "core/attribution/deeplift.h"
#include "core/attribution/gene_sets.h"
#include "core/attribution/what_if.h"
#include "core/attribution/window_integral.h"
#include "core/attribution/window_ranks.h"
#include "core/attribution/window_scan.h"
#include "core/motifs/reading.h"
#include "core/motifs/train.h"
#include "core/network/cost.h"
#include "core/selective/closed_form.h"
#include "core/selective/max_t.h"
#include "core/selective/p_value.h"
#include "core/selective/polish.h"
#include "core/selective/walk.h"
#include "core/training/trainer.h"

enum { LENGTH = 400, WORK_WINDOWS = 4, ROOM = 40000 };

static net *nets[5];                             /* the last one: for training */
static uint8_t letters[4000];
static double scores[2][ROOM];
static float outputs[2][ROOM];

typedef struct job { ng_run run; ng_error *error; uint64_t hash; double sum; } job;
typedef struct work { const char *name; void (*of)(job *j); } work;

static void found(job *j, const void *memory, size_t bytes)
{
    const uint8_t *at = memory;
    for (size_t i = 0; i < bytes; i++) j->hash = (j->hash ^ at[i]) * 0x100000001b3u;
}

#define DONE(call) ((call) == NG_OK)

/* ---- networks ---- */

/* Long kernels, which are computed in the frequency domain; pools that kernels join; an origin. */
static net *pooled_net(void)
{
    net *n = new_net();
    int at = activation(n, conv(n, input(n, sequence(LENGTH, 4)), 24, 4, 16, "same"), "relu");
    n->numbers[at - 1][2][0] = 1;
    at = activation(n, conv(n, norm(n, pool(n, at, &ng_max_pooling1d, 2, 2, "valid"), 16), 24, 16, 16, "same"), "relu");
    n->numbers[at - 1][2][0] = 1;
    at = norm(n, pool(n, at, &ng_max_pooling1d, 4, 4, "valid"), 16);
    at = dense(n, add(n, &ng_global_average_pooling1d, at, -1), 16, 3);
    end_net(n, activation(n, at, "softmax"), -1);
    return n;
}

static net *skipping_net(void)
{
    net *n = new_net();
    const int stem = norm(n, conv(n, input(n, sequence(LENGTH, 4)), 7, 4, 6, "valid"), 6);
    int at = add(n, &ng_add, stem, pool(n, activation(n, stem, "relu"), &ng_average_pooling1d, 3, 1, "same"));
    at = pool(n, activation(n, at, "leaky_relu"), &ng_max_pooling1d, 4, 3, "valid");
    at = add(n, &ng_concatenate, add(n, &ng_global_average_pooling1d, at, -1), add(n, &ng_global_max_pooling1d, at, -1));
    end_net(n, dense(n, at, 12, 3), -1);
    return n;
}

static net *recurrent_net(void)
{
    net *n = new_net();
    int at = activation(n, conv(n, input(n, sequence(LENGTH, 4)), 6, 4, 5, "same"), "tanh");
    at = lstm(n, pool(n, at, &ng_average_pooling1d, 5, 5, "valid"), 5, 4);
    end_net(n, dense(n, at, 4, 3), -1);
    return n;
}

static net *rows_net(void)
{
    net *n = new_net();
    int at = activation(n, conv(n, input(n, sequence(LENGTH, 4)), 5, 4, 6, "same"), "relu");
    at = add(n, &ng_global_max_pooling1d, activation(n, conv(n, at, 3, 6, 7, "causal"), "gelu"), -1);
    end_net(n, dense(n, at, 7, 3), -1);
    return n;
}

static net *trained_net(void)
{
    net *n = new_net();
    int at = activation(n, norm(n, conv(n, input(n, sequence(60, 4)), 5, 4, 6, "same"), 6), "relu");
    at = add(n, &ng_global_max_pooling1d, pool(n, at, &ng_max_pooling1d, 2, 2, "valid"), -1);
    end_net(n, activation(n, dense(n, at, 6, 1), "sigmoid"), -1);
    return n;
}

static const int64_t starts[WORK_WINDOWS] = {0, 90, 180, 270};
static const float even[4] = {0.25f, 0.25f, 0.25f, 0.25f}, cotangent[3] = {1, -0.5f, 0.25f};

static ng_contig contig_of_letters(void)
{
    return (ng_contig){.bases = letters, .length = 2000, .window = LENGTH, .starts = starts, .baseline = even, .scores = scores[0]};
}

static bool plan_net(job *j, const net *n, bool gradients, ng_plan *plan)
{
    return DONE(ng_plan_make(&n->graph, n->shapes, n->outputs, 1, gradients, &j->run, plan, j->error));
}

static const float *const cotangents[1] = {cotangent};
static const int64_t shared_by_all[1] = {0};
static const ng_objective objective = {cotangents, shared_by_all};

static void integrate(job *j, const net *n)
{
    const double positions[4] = {0.125, 0.375, 0.625, 0.875}, weights[4] = {0.25, 0.25, 0.25, 0.25};
    const ng_path path = {4, positions, weights, true};
    ng_contig contig = contig_of_letters();
    const ng_source source = ng_contig_source(&contig);
    const ng_sink sink = ng_contig_sink(&contig);
    ng_check checks[WORK_WINDOWS];
    ng_plan plan;
    memset(scores, 0, sizeof scores);
    if (!plan_net(j, n, true, &plan) ||
        !DONE(ng_path_integral(&plan, &source, WORK_WINDOWS, &objective, 1, &path, &sink, checks, &j->run, j->error))) return;
    found(j, scores[0], 8000 * sizeof(double));
    found(j, checks, sizeof checks);
}

static void integrate_pooled(job *j) { integrate(j, nets[0]); }
static void integrate_skipping(job *j) { integrate(j, nets[1]); }
static void integrate_recurrent(job *j) { integrate(j, nets[2]); }
static void integrate_rows(job *j) { integrate(j, nets[3]); }

/* Windows that begin every 10 bases share the convolution. */
static void integrate_overlapping(job *j)
{
    enum { WINDOWS = 40 };
    const net *n = nets[2];
    const double positions[2] = {0.25, 0.75}, weights[2] = {0.5, 0.5};
    const ng_path path = {2, positions, weights, true};
    int64_t begin[WINDOWS];
    for (int w = 0; w < WINDOWS; w++) begin[w] = 10 * w;
    ng_contig contig = contig_of_letters();
    contig.starts = begin;
    const ng_sink sink = ng_contig_sink(&contig);
    ng_check checks[WINDOWS];
    ng_plan plan;
    memset(scores, 0, sizeof scores);
    if (!plan_net(j, n, true, &plan) ||
        !DONE(ng_window_integral(&n->graph, &plan, n->outputs, &contig, WINDOWS, &objective, 1, &path, &sink, checks, &j->run, j->error))) return;
    found(j, scores[0], 8000 * sizeof(double));
    found(j, checks, sizeof checks);
    for (int i = 0; i < 8000; i++) j->sum += scores[0][i] * (i + 1);
}

static void adaptive(job *j)
{
    const ng_adaptive settings = {0.01, 9};
    ng_contig contig = contig_of_letters();
    const ng_source source = ng_contig_source(&contig);
    const ng_sink sink = ng_contig_sink(&contig);
    ng_check checks[3];
    int64_t nodes[3];
    ng_plan plan;
    memset(scores, 0, sizeof scores);
    if (!plan_net(j, nets[0], true, &plan) ||
        !DONE(ng_adaptive_integral(&plan, &source, 3, &objective, &settings, &sink, checks, nodes, &j->run, j->error))) return;
    found(j, scores[0], 8000 * sizeof(double));
    found(j, nodes, sizeof nodes);
}

static void deeplift(job *j)
{
    const net *n = nets[1];
    const double end = 1, one = 1;
    const ng_path gradient = {1, &end, &one, true};
    const ng_shape shapes[2] = {n->shapes[0], n->shapes[0]};
    const int wanted = ng_pair_call(n->outputs[0]);
    ng_contig contig = contig_of_letters();
    ng_pair pair = {ng_contig_source(&contig), ng_contig_sink(&contig), 1};
    const ng_source source = ng_pair_source(&pair);
    const ng_sink sink = ng_pair_sink(&pair);
    ng_check checks[3];
    ng_graph graph;
    ng_plan plan;
    memset(scores, 0, sizeof scores);
    if (!DONE(ng_pair_graph(&n->graph, j->run.arena, &graph, j->error)) ||
        !DONE(ng_plan_make(&graph, shapes, &wanted, 1, true, &j->run, &plan, j->error)) ||
        !DONE(ng_path_integral(&plan, &source, 3, &objective, 1, &gradient, &sink, checks, &j->run, j->error))) return;
    found(j, scores[0], 8000 * sizeof(double));
}

static void scan(job *j, const net *n)
{
    const ng_contig contig = contig_of_letters();
    float *const to[1] = {outputs[0]};
    ng_plan plan;
    if (!plan_net(j, n, false, &plan) ||
        !DONE(ng_window_scan(&n->graph, &plan, n->outputs, &contig, WORK_WINDOWS, to, &j->run, j->error))) return;
    found(j, outputs[0], 3 * WORK_WINDOWS * sizeof(float));
    for (int i = 0; i < 3 * WORK_WINDOWS; i++) j->sum += (double)(outputs[0][i] * (float)(i + 1));
}

static void scan_pooled(job *j) { scan(j, nets[0]); }
static void scan_recurrent(job *j) { scan(j, nets[2]); }

static void what_if(job *j)
{
    static const uint8_t codes[8] = {0, 1, 2, 3, 4, 0, 1, 2};
    const ng_change sites[4] = {{0, 10, 3, NULL, 1}, {0, 300, 4, codes, 2}, {2, 300, 200, NULL, 1}, {3, 500, 1, codes, 4}};
    const ng_contig contig = contig_of_letters();
    double values[WORK_WINDOWS], changed[8];
    ng_answers answers = {values, changed, 0, 0};
    for (int k = 0; k < 2; k++) {
        const net *n = nets[k ? 3 : 0];
        if (!DONE(ng_what_if(&n->graph, n->outputs, 1, cotangents, &contig, WORK_WINDOWS, sites, 4, &j->run, &answers, j->error))) return;
        found(j, values, sizeof values);
        found(j, changed, sizeof changed);
        for (int i = 0; i < 8; i++) j->sum += changed[i] * (i + 1);
    }
}

static double ticks(void)
{
    static _Thread_local double now;
    return now += 1;
}

static void cost(job *j)
{
    static ng_node_cost costs[MOST_CALLS];
    ng_plan plan;
    if (plan_net(j, nets[0], true, &plan)) ng_plan_cost(&plan, true, &j->run, ticks, costs, j->error);
}

static void learn(job *j)
{
    static bool trained[16] = {1, 1, 1, 1, 0, 0, 1, 1};
    static ng_tensor tensors[16];
    net *n = nets[4];
    ng_graph graph = n->graph;
    graph.weights = tensors;
    graph.weight_count = 0;
    for (int k = 0; k < graph.count; k++)
        for (int w = 0; w < n->calls[k].weight_count; w++) tensors[graph.weight_count++] = n->weights[k][w];
    const ng_training settings = {.output = n->outputs[0], .loss = NG_BINARY_CROSS_ENTROPY, .batch = 12, .trained = trained, .key = 5,
                                  .optimizer = {NG_ADAM, 0, false, 0.9, 0.999, 1e-7, 0}};
    static const float targets[12] = {0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0};
    int64_t first[12];
    ng_pick picks[12];
    for (int k = 0; k < 12; k++) first[k] = 37 * k, picks[k] = (ng_pick){k, k % 2};
    const ng_samples samples = {.bases = letters, .starts = first, .targets = targets};
    ng_trainer trainer;
    if (!DONE(ng_trainer_make(&graph, n->shapes, &settings, j->run.threads, j->run.arena, &trainer, j->error))) return;
    for (int step = 0; step < 3; step++) {
        double loss, right;
        ng_train_gradient(&trainer, &samples, picks, 12, &loss, &right);
        if (!DONE(ng_train_update(&trainer, 0.01, j->error))) return;
        found(j, &loss, sizeof loss);
    }
    found(j, trainer.trained, (size_t)trainer.trained_count * sizeof(float));
}

/* ---- tracks and annotations ---- */

static double sums[2001], known[2001];

static void rank_windows(job *j)
{
    const ng_track track = {sums, known, 2000, true, 1e-9};
    const int64_t widths[4] = {10, 10, 333, 1500};
    const double means[4] = {0.1, 0.3, 0.05, 0};
    int64_t counts[3][4] = {{0}};
    if (DONE(ng_window_ranks(&track, widths, means, 4, &j->run, counts[0], counts[1], counts[2], j->error))) found(j, counts, sizeof counts);
}

static void move(job *j)
{
    enum { GENES = 60 };
    static const int64_t circles[2] = {0, 1200};
    int64_t block[GENES], offset[GENES], bases[GENES], feature[GENES], counts[3][GENES] = {{0}}, first[GENES + 1] = {0}, set[GENES];
    double means[GENES], here[GENES];
    int64_t places[20];
    for (int64_t g = 0; g < GENES; g++) {
        block[g] = g / 3, offset[g] = 30 * (g % 3), bases[g] = 20 + g % 10, feature[g] = g;
        first[g + 1] = first[g] + (g % 4 == 0);
        if (g % 4 == 0) set[first[g]] = g % 8 == 0;
    }
    for (int k = 0; k < 20; k++) places[k] = 100 * k;
    const ng_annotation annotation = {sums, known, 1e-9, 2000, 20, 2, GENES, GENES, circles, block, offset, bases, feature};
    const ng_gene_sets sets = {first, set, GENES, 2, 1};
    static double space[1000];
    ng_set_score observed[2];
    ng_set_null null[2] = {{0}};
    ng_moved_means(&annotation, places, means, here);
    ng_score_sets(&sets, means, space, observed);
    if (!DONE(ng_moved_counts(&annotation, means, 7, 200, &j->run, counts[0], counts[1], counts[2], j->error)) ||
        !DONE(ng_moved_sets(&annotation, &sets, observed, 7, 200, &j->run, null, j->error))) return;
    found(j, counts, sizeof counts);
    found(j, null, sizeof null);
}

static void shuffle(job *j)
{
    static uint8_t drawn[4000];
    enum { PIECES = 40 };
    int64_t first[PIECES], widths[PIECES], alone = 0;
    for (int k = 0; k < PIECES; k++) first[k] = 97 * k, widths[k] = 1 + 2 * k;
    const ng_pieces pieces = {letters, 4000, PIECES, first, widths};
    for (int kind = 0; kind < 2; kind++) {
        if (!DONE(ng_shuffle_pieces(&pieces, kind, 11, 3, first, drawn, &alone, &j->run, j->error))) return;
        found(j, drawn, PIECES * PIECES);
        found(j, &alone, sizeof alone);
    }
}

/* ---- motifs ---- */

static const double pfm[2][24] = {{.7, .1, .1, .1, .1, .7, .1, .1, .1, .1, .7, .1, .1, .1, .1, .7, .7, .1, .1, .1, .1, .7, .1, .1},
                                  {.1, .1, .1, .7, .1, .1, .7, .1, .1, .7, .1, .1, .7, .1, .1, .1, .1, .1, .1, .7, .1, .1, .7, .1}};
static const double *const motif_of[2] = {pfm[0], pfm[1]};
static const int64_t motif_width[2] = {6, 6};
static const ng_grammar_part parts[3] = {{0, 0, 0}, {-1, 2, 5}, {1, 0, 0}};
static const ng_configuration together = {1, parts, 3};
static const ng_grammar grammar = {.length = 60, .positive = {&together, 1}, .pfm = motif_of, .width = motif_width, .motifs = 2, .share = 0.5,
                                   .background = {.25, .25, .25, .25}, .place = NG_UNIFORM, .both = true, .reject = 2};

static void simulate(job *j)
{
    static uint8_t codes[40 * 60];
    static ng_site sites[40 * 8];
    int64_t counts[40];
    double bayes[40];
    if (!DONE(ng_grammar_simulate(&grammar, 3, 1, 0, 40, &j->run, codes, sites, counts, j->error)) ||
        !DONE(ng_grammar_bayes(&grammar, codes, 40, &j->run, bayes, j->error))) return;
    found(j, codes, sizeof codes);
    found(j, bayes, sizeof bayes);
}

static void train_motifs(job *j)
{
    enum { MOST = 4000 };
    static double parameters[MOST], start[16], mean[4], variance[4], first[MOST], second[MOST], logits[200];
    static ng_motif_peak peaks[200 * 40];
    static double at_peaks[200 * 40 * 4];
    ng_motif_network n = {.length = 60, .filters = 4, .width = 6, .positions = 4, .dim = 8, .heads = 2, .hidden = 8, .stream = 16, .layers = 1,
                          .parameters = parameters, .start = start, .mean = mean, .variance = variance};
    const ng_motif_weights weights = {10, 1e-3, 0.1, 1e-2, 1};
    ng_motif_adam adam = {first, second, 0};
    const ng_motif_data drawn = {.grammar = &grammar, .batches = 3}, given = {.codes = letters, .y = known, .n = 60, .mirror = true};
    ng_motif_epoch epoch;
    memset(first, 0, sizeof first);
    memset(second, 0, sizeof second);
    ng_motif_begin(&n, 4);
    if (!DONE(ng_motif_train(&n, &adam, &drawn, &weights, 20, 0, 3, &j->run, &epoch, j->error)) ||
        !DONE(ng_motif_train(&n, &adam, &given, &weights, 20, 1, 3, &j->run, &epoch, j->error))) return;
    found(j, parameters, (size_t)ng_motif_places_of(&n).count * sizeof(double));
    int64_t count;
    double highest[4] = {0}, windows[4] = {0}, positive[4] = {0}, counts[4 * 24] = {0};
    if (!DONE(ng_motif_predict(&n, letters, 60, &j->run, logits, &(ng_motif_inside){0}, j->error)) ||
        !DONE(ng_motif_peaks(&n, letters, 60, 0.1, &j->run, peaks, at_peaks, &count, j->error)) ||
        !DONE(ng_motif_collect(&n, letters, 60, &j->run, &(ng_motif_windows){highest, windows, positive, counts}, j->error))) return;
    found(j, logits, 60 * sizeof(double));
    found(j, &count, sizeof count);
    found(j, counts, sizeof counts);
}

/* ---- selective inference ---- */

static void select_motifs(job *j, ng_candidate_kind kind)
{
    enum { N = 30, K = 3 };
    int64_t begin[N + 1], rows[N], drawn;
    double intercept[N], y[N], chains[30], walks[20], draws[50], largest, tests[K * N], pwm[4 * K];
    for (int64_t i = 0; i < N; i++) begin[i] = 40 * i, rows[i] = i, intercept[i] = 1, y[i] = sums[7 * i + 7] - sums[7 * i];
    begin[N] = 40 * N;
    const int k = K;
    const ng_sequences sequences = {letters, begin, N};
    const ng_proposal proposal = {.kind = kind, .k = &k, .widths = 1, .min_seqs = 1, .max_candidates = 20000, .mesh = 1};
    const ng_scoring scoring = {NG_RIDGE, 0.1, 1, false, true};
    ng_design design = {.arena = j->run.arena};
    ng_census census;
    ng_greedy_path path;
    ng_event event;
    ng_sampler sampler;
    ng_closed closed;
    ng_polish polish;
    ng_effort effort = {0};
    ng_f_test test[2];
    if (!DONE(ng_seism_design(&sequences, rows, N, &proposal, &scoring, intercept, 1, &j->run, &design, &census, j->error)) ||
        !DONE(ng_seism_select(&design, y, NAN, 2, &j->run, &path, j->error)) ||
        !DONE(ng_seism_event(&design, &path, 2, false, false, &j->run, &event, j->error)) ||
        !DONE(ng_sampler_new(&event, false, 9, &j->run, &sampler, j->error)) ||
        !DONE(ng_seism_chains(&sampler, 7, 1, 30, 0, &j->run, chains, &drawn, &effort, j->error)) ||
        !DONE(ng_walk_chains(&event, NG_PERMUTATION, 3, 10, 1, 20, 0, &j->run, walks, &drawn, &effort, j->error)) ||
        !DONE(ng_seism_max_t(&design, y, 50, 7, &j->run, &largest, draws, j->error)) ||
        !DONE(ng_seism_circle(&event, false, &j->run, &closed, j->error)) ||
        !DONE(ng_polish_new(&design, &path, 1, &j->run, &polish, j->error))) return;
    ng_centre_pwm(&design, path.step[0].candidate, pwm);
    const ng_polished polished = ng_seism_polish(&polish, pwm, true);
    for (int64_t i = 0; i < 2 * N; i++) tests[i] = draws[i % 50] + (double)i;
    if (!DONE(ng_split_tests(y, intercept, 1, tests, 2, N, j->run.arena, test, j->error))) return;
    found(j, chains, sizeof chains);
    found(j, walks, sizeof walks);
    found(j, draws, sizeof draws);
    found(j, &closed.p, sizeof closed.p);
    found(j, &polished.score, sizeof polished.score);
    found(j, &test[1].p, sizeof test[1].p);
}

static void select_kmers(job *j) { select_motifs(j, NG_KMERS); }
static void select_lattice(job *j) { select_motifs(j, NG_LATTICE); }

static const work works[] = {
    {"integral, pooled origin", integrate_pooled}, {"integral, skips", integrate_skipping}, {"integral, LSTM", integrate_recurrent},
    {"integral, rows", integrate_rows}, {"integral, overlapping windows", integrate_overlapping}, {"adaptive integral", adaptive},
    {"DeepLIFT", deeplift}, {"scan", scan_pooled}, {"scan, LSTM", scan_recurrent}, {"what if", what_if}, {"cost", cost}, {"training", learn}, {"window ranks", rank_windows},
    {"moved annotation", move}, {"shuffles", shuffle}, {"grammar", simulate}, {"motif network", train_motifs},
    {"selection of k-mers", select_kmers}, {"selection on a lattice", select_lattice},
};
enum { WORKS = sizeof works / sizeof *works };

static void prepare_works(void)
{
    net *(*const make[])(void) = {pooled_net, skipping_net, recurrent_net, rows_net, trained_net};
    for (int k = 0; k < 5; k++) nets[k] = make[k]();
    for (int i = 0; i < 4000; i++) letters[i] = (uint8_t)(draw(50) ? draw(4) : 4);
    for (int i = 0; i < 2000; i++) {
        const bool here = draw(10);
        sums[i + 1] = sums[i] + (here ? draw_real() : 0);
        known[i + 1] = known[i] + here;
    }
}

static void end_works(void) { for (int k = 0; k < 5; k++) ng_arena_free(nets[k]->arena); }

static inline ng_status run_work(const work *w, int threads, job *done, ng_error *error)
{
    job j = {{.arena = ng_arena_new((int64_t)1 << 30), .threads = threads}, error, 0xcbf29ce484222325u, 0};
    *error = (ng_error){0};
    if (!j.run.arena) return ng_fail(error, NG_OUT_OF_MEMORY, NULL, "no arena");
    w->of(&j);
    ng_arena_free(j.run.arena);
    *done = j;
    return error->status;
}
#endif
