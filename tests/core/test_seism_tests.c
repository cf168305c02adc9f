/* Tails, counting, the split test, samplers that walk, permutations, polishing. */
#include "seism.h"
#include "core/selective/activation.h"
#include "core/selective/cells.h"
#include "core/selective/max_t.h"
#include "core/selective/p_value.h"
#include "core/selective/polish.h"
#include "core/selective/tails.h"
#include "core/selective/walk.h"

static void tails(void)
{
    for (double x = -8; x < 36; x += 0.37) {
        const double tail = ng_log_normal_tail(x);
        /* one rounding of x is x^2 of the tail; from 30 on the series counts too */
        CHECK(fabs(exp(tail) / (0.5 * erfc(x / sqrt(2))) - 1) < 1e-15 * (4 + x * x) + (x < 30 ? 0 : 2e-12));
        if (x > -5) CHECK(near(ng_normal_point(tail), x, 1e-11));
    }
    CHECK(near(ng_log_normal_tail(40), -804.608442013754, 1e-9));
    CHECK(near(ng_log_normal_mass(-1.5, 0.3), log(0.5 * (erf(1.5 / sqrt(2)) + erf(0.3 / sqrt(2)))), 1e-14));
    CHECK(near(ng_log_normal_mass(-41, -40), ng_log_normal_mass(40, 41), 0));
    double lower, upper;
    for (double x = 0.01; x < 1; x += 0.05)
        for (int a = 1; a < 12; a++) {                               /* I_x(a, b) of whole numbers is a binomial tail */
            const int b = 13 - a;
            double sum = 0, ways = 1;
            for (int k = 0; k <= a + b - 1; k++) {
                if (k >= a) sum += ways * pow(x, k) * pow(1 - x, a + b - 1 - k);
                ways *= (double)(a + b - 1 - k) / (k + 1);
            }
            ng_beta_tails(x, 1 - x, a, b, &lower, &upper);
            CHECK(fabs(lower / sum - 1) < 1e-11 && near(lower + upper, 1, 1e-15));
            ng_beta_tails(x, 1 - x, 0.5, 0.5, &lower, &upper);       /* the arc sine law */
            CHECK(near(lower, asin(sqrt(x)) / asin(1), 1e-13));
        }
}

static void counting(void)
{
    const double draws[8] = {1, 5, 2, 5, 5, 0, 9, 4};
    ng_p_value value = ng_count_p_value(draws, 8, 5, 0);
    CHECK(near(value.p, 5 / 9.0, 1e-15) && value.exceed == 4 && value.used == 8);
    value = ng_count_p_value(draws, 8, 5, 3);
    CHECK(near(value.p, 3 / 5.0, 1e-15) && value.exceed == 3 && value.used == 5);
    value = ng_count_p_value(draws, 8, 10, 3);
    CHECK(near(value.p, 1 / 9.0, 1e-15) && value.exceed == 0 && value.used == 8);

    /* exchangeable numbers: the sequential p-value is as small as alpha with probability alpha at most, and nearly so */
    enum { SETS = 4000, B = 999 };
    const double alphas[3] = {.01, .05, .1};
    int below[3] = {0};
    double numbers[B];
    for (int set = 0; set < SETS; set++) {
        const double observed = draw_real();
        for (int b = 0; b < B; b++) numbers[b] = draw_real();
        const double p = ng_count_p_value(numbers, B, observed, 10).p;
        for (int i = 0; i < 3; i++) below[i] += p <= alphas[i];
    }
    for (int i = 0; i < 3; i++) CHECK(near((double)below[i] / SETS, alphas[i], 3.3 * sqrt(alphas[i] / SETS)));

    enum { LONG = 20000 };
    double *trace = room(LONG, sizeof *trace), x = 0;
    for (int i = 0; i < LONG; i++) trace[i] = x = 0.8 * x + draw_normal();      /* (1 + .8) / (1 - .8) */
    CHECK(near(ng_autocorrelation_time(trace, LONG), 9, 1.5));
    for (int i = 0; i < LONG; i++) trace[i] = draw_normal();
    CHECK(near(ng_autocorrelation_time(trace, LONG), 1, .1));
}

static void split(void)
{
    const ng_sequences sequences = sequences_of(eight, 8);
    const int64_t chosen[4] = {0, 1, 2, 7}, rest[4] = {3, 4, 5, 6};
    const int k = 3;
    const double ones[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    const ng_proposal proposal = {.kind = NG_KMERS, .k = &k, .widths = 1, .min_seqs = 1, .max_candidates = 20000, .mesh = 1};
    const ng_scoring scoring = {.score = NG_RIDGE, .bandwidth = 1};
    ng_design design = {.arena = arena};
    ng_census census;
    double y[4], phi[8], held[4];
    for (int i = 0; i < 4; i++) y[i] = eight_y[chosen[i]];
    CHECK(ng_seism_design(&sequences, chosen, 4, &proposal, &scoring, ones, 1, &run, &design, &census, &error) == NG_OK);
    const ng_greedy_path path = path_of(&design, y, 1, 1);
    CHECK(!strcmp(kmer_of(&design, path.step[0].candidate), "AAA") && near(path.step[0].score, 6.25, 1e-10));
    CHECK(!strcmp(kmer_of(&design, path.step[0].rival), "ACG") && near(path.step[0].rival_score, 6.07507898, 1e-8));
    ng_kmer_windows windows;
    double pwm[12];
    ng_f_test test;
    CHECK(ng_kmer_windows_of(&sequences, 3, arena, &windows, &error) == NG_OK);
    ng_centre_pwm(&design, path.step[0].candidate, pwm);
    ng_seism_activate(&windows, pwm, 1, false, phi, NULL, NULL);
    for (int i = 0; i < 4; i++) {
        y[i] = eight_y[rest[i]];
        held[i] = phi[rest[i]];
    }
    CHECK(ng_split_tests(y, ones, 1, held, 1, 4, arena, &test, &error) == NG_OK);
    CHECK(near(test.f, 4.123711340206, 1e-10) && test.freedom == 2 && near(test.p, .1793900601378, 1e-10));
}

/* Line and cube have the law of the slice sampler: shares of steps at which the first motif's statistic reaches that of the eight responses. */
static void walks(void)
{
    const double expected[3] = {.00945, .00321, .00522};
    enum { STEPS = 6000 };
    double *trace = room(STEPS, sizeof *trace);
    for (int score = 0; score < 3; score++) {
        const ng_design design = design_of_eight(score == 1 ? NG_HSIC : NG_RIDGE, score == 2, false);
        const ng_greedy_path path = path_of(&design, eight_y, 1, 1);
        for (int global = 0; global < 2; global++) {
            ng_event event;
            ng_effort effort = {0};
            double above = 0;
            CHECK(ng_seism_event(&design, &path, 1, global, false, &run, &event, &error) == NG_OK);
            CHECK(ng_walk_trace(&event, global && score == 1 ? NG_CUBE : NG_LINE, 3, 1, 50, STEPS, &run, trace, &effort, &error) == NG_OK);
            for (int i = 0; i < STEPS; i++) above += trace[i] >= event.observed * (1 - 1e-12);
            const double p = expected[score];
            CHECK(near(above / STEPS, p, 4 * sqrt(p * 20 / STEPS)));
        }
    }
}

/* No thread changes a bit; every permutation is one, and selects the same cell. */
static void permutations(void)
{
    const ng_sequences sequences = random_sequences(30, 30);
    const ng_design design = design_of(&sequences, 3, NG_KMERS, 1, (ng_scoring){.bandwidth = 0.5}, 0);
    double y[30], first[40], other[40], draws[100], again[100], observed;
    for (int i = 0; i < 30; i++) y[i] = exp(draw_normal());
    for (int threads = 1; threads <= 3; threads++) {
        ng_run here = run;
        here.threads = threads;
        ng_effort effort = {0};
        ng_event event;
        int64_t drawn;
        const ng_greedy_path path = path_of(&design, y, NAN, 1);
        CHECK(ng_seism_event(&design, &path, 1, false, false, &here, &event, &error) == NG_OK);
        for (int kind = 0; kind < 2; kind++) {
            CHECK(ng_walk_chains(&event, kind ? NG_LINE : NG_PERMUTATION, 3, 20, 1, 20, 0, &here, threads == 1 ? first + 20 * kind : other + 20 * kind,
                                 &drawn, &effort, &error) == NG_OK && drawn == 20);
        }
        if (threads > 1) CHECK(!memcmp(first, other, sizeof first));
        CHECK(ng_seism_max_t(&design, y, 100, 7, &here, &observed, threads == 1 ? draws : again, &error) == NG_OK);
        if (threads > 1) CHECK(!memcmp(draws, again, sizeof draws));
        CHECK(near(observed, path.step[0].score * path.scale * path.scale, 1e-9 * observed));
        /* conditioned on the cell, no draw exceeds what all of y's norm would give */
        for (int b = 0; b < 20; b++) CHECK(first[b] > 0 && first[b] <= 1 + 1e-12);
    }
    ng_random_stream stream = {5, 1, 2};
    uint64_t block = 0;
    int64_t order[30], seen = 0;
    ng_shuffle(stream, &block, order, 30, 30);
    for (int i = 0; i < 30; i++) seen |= (int64_t)1 << order[i];
    CHECK(seen == ((int64_t)1 << 30) - 1 && block == 30);
}

static void polishing(void)
{
    const double lambda[2] = {0, 1};
    for (int score = 0; score < 3; score++)
        for (int projected = 0; projected < 2; projected++) {
            const ng_design design = design_of_eight(score == 2 ? NG_HSIC : NG_RIDGE, score == 2 ? 0 : lambda[score], projected);
            const ng_greedy_path path = path_of(&design, eight_y, 1, 2);
            for (int j = 1; j <= 2; j++) {
                ng_polish polish;
                double pwm[12], gradient[12], centre[12], end[12];
                CHECK(ng_polish_new(&design, &path, j, &run, &polish, &error) == NG_OK);
                ng_centre_pwm(&design, path.step[j - 1].candidate, centre);
                for (int i = 0; i < 12; i++) pwm[i] = 0.6 * centre[i] + 0.1 + 0.02 * draw_real();
                ng_polish_score(&polish, pwm, gradient);
                for (int i = 0; i < 12; i++) {
                    const double kept = pwm[i];
                    pwm[i] = kept + 1e-6;
                    const double above = ng_polish_score(&polish, pwm, NULL);
                    pwm[i] = kept - 1e-6;
                    const double below = ng_polish_score(&polish, pwm, NULL);
                    pwm[i] = kept;
                    CHECK(near((above - below) / 2e-6, gradient[i], 1e-6));
                }
                for (int free = 0; free < 2; free++) {
                    memcpy(pwm, centre, sizeof pwm);
                    const ng_polished done = ng_seism_polish(&polish, pwm, free);
                    CHECK(done.score >= done.before && near(done.score, ng_polish_score(&polish, pwm, NULL), 0));
                    ng_cell_centre(pwm, 3, 1, end);
                    if (!free) CHECK(!memcmp(end, centre, sizeof end));
                    for (int column = 0; column < 3; column++)
                        CHECK(near(pwm[4 * column] + pwm[4 * column + 1] + pwm[4 * column + 2] + pwm[4 * column + 3], 1, 1e-12));
                    if (j > 1 || free || projected) continue;
                    if (score == 0) CHECK(near(done.before, 12.330627166, 1e-8) && near(done.score, 12.9926, 5e-5));
                    if (score == 1) CHECK(near(done.score, 7.794299796, 1e-8) && done.iterations == 0);
                }
            }
        }
}

int main(void)
{
    begin();
    tails();
    counting();
    split();
    walks();
    permutations();
    polishing();
    ng_arena_free(arena);
    return finish();
}
