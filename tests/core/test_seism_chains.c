/* Chains: every state is in the event, the law is right where it is known, and no bit depends on threads, batches or kernels. */
#include "seism.h"
#include "core/base/philox.h"
#include "core/selective/sampler.h"

/* Known answers of Salmon et al.'s implementation. */
static void philox(void)
{
    const uint32_t counters[3][4] = {{0, 0, 0, 0}, {~0u, ~0u, ~0u, ~0u}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}};
    const uint32_t keys[3][2] = {{0, 0}, {~0u, ~0u}, {0xa4093822, 0x299f31d0}};
    const uint32_t words[3][4] = {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
                                  {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
    for (int i = 0; i < 3; i++) {
        uint32_t got[4];
        ng_philox(counters[i], keys[i], got);
        CHECK(!memcmp(got, words[i], sizeof got));
    }
    const ng_random_stream stream = {.key = 0x299f31d0a4093822, .chain = 0x13198a2e, .lane = 0x03707344};
    double pair[2];
    ng_uniform_pair(stream, 0x85a308d3243f6a88, pair);
    CHECK(pair[0] == ((double)(0xd16cfe0994fdccebu >> 11) + 0.5) * 0x1p-53);
    enum { N = 100001 };
    double *normals = room(N, sizeof *normals), sum = 0, square = 0, fourth = 0;
    ng_normals(stream, 5, N, normals);
    for (int i = 0; i < N; i++) {
        sum += normals[i];
        square += pow(normals[i], 2);
        fourth += pow(normals[i], 4);
    }
    CHECK(near(sum / N, 0, .015) && near(square / N, 1, .02) && near(fourth / N, 3, .15));
}

/* All scores and norms, cells of one and of many, covariates, sigma known or not: each end of a chain selects the same cells anew. */
static void same_cells(void)
{
    int wrong = 0, moved = 0, total = 0;
    for (int trial = 0; trial < 16; trial++) {
        const int64_t n = 16;
        const ng_sequences sequences = random_sequences(n, 25);
        const ng_candidate_kind kind = trial % 3 == 0 ? NG_SOFT : trial % 3 == 1 ? NG_KMERS : NG_LATTICE;
        const ng_scoring scoring = {trial % 2 ? NG_HSIC : NG_RIDGE, trial % 4 == 2, 0.5, trial / 2 % 2, trial % 5 == 0};
        const ng_design design = design_of(&sequences, 2 + trial % 2, kind, kind == NG_LATTICE ? 2 : 1, scoring, trial % 3);
        double y[16], all[16];
        for (int i = 0; i < n; i++) y[i] = draw_normal();
        const bool known = trial / 4 % 2, global = trial % 8 == 7;
        const ng_greedy_path path = path_of(&design, y, known ? 1 : NAN, 4);
        for (int j = 1; j <= path.steps; j++) {
            enum { CHAINS = 168 };
            ng_event event;
            ng_sampler sampler;
            double z[CHAINS * 16], c[CHAINS * 4];
            CHECK(ng_seism_event(&design, &path, j, global, trial % 2, &run, &event, &error) == NG_OK);
            CHECK(ng_sampler_new(&event, known, 11, &run, &sampler, &error) == NG_OK);
            CHECK(ng_seism_ends(&sampler, 70, CHAINS, &run, z, c, &error) == NG_OK);      /* 70: past a refreshment */
            for (int b = 0; b < CHAINS; b++, total++) {
                memcpy(all, z + b * n, sizeof all);
                double size2 = ng_inner_product(all, all, n), expected2 = ng_inner_product(event.z, event.z, n);
                for (int h = 0; h + 1 < j; h++) {
                    const double here = c[b * (j - 1) + h];
                    if (!global) CHECK(here == event.c[h]);
                    if (global) size2 += here * here, expected2 += event.c[h] * event.c[h];
                    for (int i = 0; i < n; i++) all[i] += here * path.basis[(design.covariates + h) * n + i];
                }
                if (!known) CHECK(near(size2, expected2, 1e-9 * expected2));
                const ng_greedy_path anew = path_of(&design, all, 1, j);
                bool same = anew.steps == j;
                for (int s = 0; same && s < j; s++) same = anew.step[s].cell == path.step[s].cell;
                wrong += !same;
                moved += fabs(z[b * n] - event.z[0]) > 1e-6;
            }
        }
    }
    CHECK(wrong == 0 && total >= 10000 && moved > total * 9 / 10);
}

static void bits(void)
{
    const ng_sequences sequences = random_sequences(40, 50);
    const ng_design design = design_of(&sequences, 4, NG_KMERS, 1, (ng_scoring){.bandwidth = 0.5}, 1);
    double y[40], first[65], other[65], scaled[40];
    for (int i = 0; i < 40; i++) y[i] = draw_normal();
    for (int i = 0; i < 40; i++) scaled[i] = 4 - 0.5 * y[i];
    for (int j = 1; j <= 2; j++) {
        for (int variant = 0; variant < 6; variant++) {
            ng_run here = run;
            ng_event event;
            ng_sampler sampler;
            ng_effort effort = {0};
            int64_t drawn;
            here.threads = variant == 1 ? 1 : variant == 2 ? 3 : 2;
            if (variant == 3) ng_force_kernel("portable");
            const ng_greedy_path path = path_of(&design, variant == 4 ? scaled : y, NAN, 2);
            CHECK(ng_seism_event(&design, &path, j, false, false, &here, &event, &error) == NG_OK);
            CHECK(ng_sampler_new(&event, false, 99, &here, &sampler, &error) == NG_OK);
            if (variant == 5) {                                       /* in two parts */
                CHECK(ng_seism_chains(&sampler, 7, 1, 20, 0, &here, other, &drawn, &effort, &error) == NG_OK && drawn == 20);
                CHECK(ng_seism_chains(&sampler, 7, 21, 65, 0, &here, other + 20, &drawn, &effort, &error) == NG_OK && drawn == 45);
            } else {
                CHECK(ng_seism_chains(&sampler, 7, 1, 65, 0, &here, other, &drawn, &effort, &error) == NG_OK && drawn == 65);
                CHECK(effort.steps == 7 * 66 && effort.trials >= effort.steps && effort.frozen == 0);
            }
            ng_force_kernel(NULL);
            if (variant == 0) memcpy(first, other, sizeof first);
            else if (variant == 4)
                for (int b = 0; b < 65; b++) CHECK(near(first[b], other[b], 1e-9 * first[b]));
            else CHECK(!memcmp(first, other, sizeof first));
            int64_t exceed = 0, at = 0;
            while (at < 65 && exceed < 5) exceed += first[at++] >= event.observed * (1 - 1e-12);
            CHECK(ng_seism_chains(&sampler, 7, 1, 65, 5, &here, other, &drawn, &effort, &error) == NG_OK && drawn == at);
        }
    }
}

/* Share of the chain's statistics that reach the observed one, after each of many steps of 48 chains. */
static double long_run(const ng_sampler *sampler, double bound, int64_t steps)
{
    enum { CHAINS = 48 };
    double *trace = room(CHAINS * steps, sizeof *trace), above = 0;
    ng_effort effort = {0};
    CHECK(ng_seism_trace(sampler, 1, CHAINS, 20, steps, &run, trace, &effort, &error) == NG_OK);
    for (int64_t i = 0; i < CHAINS * steps; i++) above += trace[i] >= bound * (1 - 1e-12);
    return above / (double)(CHAINS * steps);
}

/* The eight sequences, against values of runs a hundred times as long by another implementation; bounds are four standard errors here. */
static void eight_sequences(void)
{
    const double expected[2][2][3] = {{{.00945, .00321, .00522}, {.91083, .88743, .90201}}, {{.02854, .00796, .01367}, {.72282, .53878, .61865}}};
    for (int score = 0; score < 3; score++) {
        const ng_design design = design_of_eight(score == 1 ? NG_HSIC : NG_RIDGE, score == 2, false);
        for (int unknown = 0; unknown < 2; unknown++)
            for (int j = 1; j <= 2; j++) {
                ng_event event;
                ng_sampler sampler;
                const ng_greedy_path path = path_of(&design, eight_y, unknown ? NAN : 1, 3);
                CHECK(ng_seism_event(&design, &path, j, false, false, &run, &event, &error) == NG_OK);
                CHECK(ng_sampler_new(&event, !unknown, 5, &run, &sampler, &error) == NG_OK);
                const double p = expected[unknown][j - 1][score], got = long_run(&sampler, event.observed, 250);
                CHECK(near(got, p, 4 * sqrt(p * (1 - p) * 6 / 12000)));
            }
    }
}

/* Orthonormal candidates e_1..e_m of R^d. The first statistic is the largest of m; with a strong first motif the second is the largest of
 * the others below it; on the sphere a beta law. */
static void orthonormal(void)
{
    const double levels[5] = {1, 2, 4, 6, 9}, largest[5] = {.978010, .819393, .372291, .134192, .026672};
    enum { M = 10, D = 20 };
    double rows[M][M] = {{0}}, wide[M][D] = {{0}}, y[D];
    for (int l = 0; l < M; l++) rows[l][l] = wide[l][l] = 1;
    for (int l = 0; l < D; l++) y[l] = 0.1 * draw_real();
    y[3] = 1.7;
    const ng_design narrow = design_of_matrix(rows[0], M, M, (ng_scoring){.score = NG_RIDGE});
    const ng_design broad = design_of_matrix(wide[0], M, D, (ng_scoring){.score = NG_RIDGE});
    ng_event event;
    ng_sampler sampler;
    const ng_greedy_path path = path_of(&narrow, y, 1, 1);
    CHECK(ng_seism_event(&narrow, &path, 1, false, false, &run, &event, &error) == NG_OK);
    CHECK(ng_sampler_new(&event, true, 3, &run, &sampler, &error) == NG_OK);
    for (int i = 0; i < 5; i++) CHECK(near(long_run(&sampler, levels[i], 400), largest[i], 4 * sqrt(largest[i] * (1 - largest[i]) * 8 / 19200)));

    const double second[5] = {.963954, .760168, .488267, .264083, .111831}, squares[5] = {1, 2, 3, 4, 5};
    y[3] = 2.5;
    const ng_greedy_path strong = path_of(&narrow, y, 1, 2);
    CHECK(ng_seism_event(&narrow, &strong, 2, false, false, &run, &event, &error) == NG_OK);
    CHECK(ng_sampler_new(&event, true, 3, &run, &sampler, &error) == NG_OK);
    for (int i = 0; i < 5; i++) CHECK(near(long_run(&sampler, squares[i], 400), second[i], 4 * sqrt(second[i] * (1 - second[i]) * 8 / 19200)));

    /* on the unit sphere of R^20, and the same with the ten dimensions of the candidates and one more */
    const ng_greedy_path sphere = path_of(&broad, y, NAN, 1);
    CHECK(ng_seism_event(&broad, &sphere, 1, false, false, &run, &event, &error) == NG_OK);
    for (int reduced = 0; reduced < 2; reduced++) {
        ng_event small = event;
        int64_t residual = 0;
        if (reduced) CHECK(ng_reduced_event(&event, false, &run, &small, &residual, &error) == NG_OK && residual == 10 && small.design->n == 12);
        CHECK(ng_sampler_new(&small, false, 8, &run, &sampler, &error) == NG_OK);
        sampler.residual_freedom = residual;
        const double p = .00337882;
        CHECK(near(long_run(&sampler, .5, 400), p, 4 * sqrt(p * 8 / 19200)));
        const double mean = long_run(&sampler, .2, 400);
        CHECK(mean > 0.2 && mean < 0.7);
    }
    const double three[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, two[2][2] = {{1, 0}, {0, 1}};
    const ng_design cube = design_of_matrix(three[0], 3, 3, (ng_scoring){.score = NG_RIDGE}), square = design_of_matrix(two[0], 2, 2, (ng_scoring){.score = NG_RIDGE});
    for (int d = 2; d <= 3; d++) {
        const ng_design *design = d == 2 ? &square : &cube;
        const double at[3] = {.1, 2, .2};
        const ng_greedy_path flat = path_of(design, at, NAN, 1);
        CHECK(ng_seism_event(design, &flat, 1, false, false, &run, &event, &error) == NG_OK);
        CHECK(ng_sampler_new(&event, false, 8, &run, &sampler, &error) == NG_OK);
        for (double c = .6; c < 1; c += .15) {
            const double p = d == 2 ? 4 / 3.14159265358979 * acos(sqrt(c)) : 3 * (1 - sqrt(c));
            CHECK(near(long_run(&sampler, c, 400), p, 4 * sqrt(p * (1 - p) * 4 / 19200)));
        }
    }
}

/* Few candidates, many sequences: the sampler in their span has the law of the full one. */
static void reduced(void)
{
    enum { N = 40, M = 6 };
    double rows[M][N], y[N];
    for (int l = 0; l < M; l++)
        for (int i = 0; i < N; i++) rows[l][i] = draw_normal();
    for (int known = 0; known < 2; known++)
        for (int j = 1; j <= 2; j++) {
            for (int i = 0; i < N; i++) y[i] = draw_normal();
            const ng_design design = design_of_matrix(rows[0], M, N, (ng_scoring){.score = NG_HSIC});
            const ng_greedy_path path = path_of(&design, y, known ? 1 : NAN, 2);
            ng_event event, small;
            ng_sampler full, less;
            int64_t residual;
            CHECK(ng_seism_event(&design, &path, j, false, false, &run, &event, &error) == NG_OK);
            CHECK(ng_reduced_event(&event, known, &run, &small, &residual, &error) == NG_OK);
            CHECK(small.design->n == (known ? 6 : 8) - (j - 1) && residual == (known ? 0 : N - M));
            CHECK(near(ng_event_statistic(&small, small.z), event.observed, 1e-12 * event.observed));
            CHECK(ng_sampler_new(&event, known, 8, &run, &full, &error) == NG_OK && ng_sampler_new(&small, known, 9, &run, &less, &error) == NG_OK);
            less.residual_freedom = residual;
            for (double at = 0.5; at < 2; at += 0.5) {
                const double a = long_run(&full, at * event.observed, 300), b = long_run(&less, at * event.observed, 300);
                CHECK(near(a, b, 4 * sqrt(2 * fmax(a * (1 - a), 1e-4) * 10 / 14400)));
            }
        }
}

int main(void)
{
    begin();
    philox();
    same_cells();
    bits();
    eight_sequences();
    orthonormal();
    reduced();
    ng_arena_free(arena);
    return finish();
}
