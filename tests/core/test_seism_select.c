/* Activations, scores and greedy selection: the eight sequences against known values, membership against selecting anew. */
#include "seism.h"
#include "core/selective/activation.h"
#include "core/selective/cells.h"
#include "core/selective/event.h"

static void activations(void)
{
    const ng_sequences sequences = sequences_of(eight, 8);
    ng_kmer_windows windows;
    CHECK(ng_kmer_windows_of(&sequences, 3, arena, &windows, &error) == NG_OK);
    const double acg[12] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}, soft[12] = {.7, .1, .1, .1, 0, 1, 0, 0, .25, .25, .25, .25};
    const double e2 = exp(-2), e4 = exp(-4), forward[8] = {1, 1, e4, e4, 1, e2, 1, e2}, both[8] = {1, 1, e2, e2, 1, e2, 1, e2};
    double phi[8];
    int32_t start[8];
    int8_t strand[8];
    ng_seism_activate(&windows, acg, 1, false, phi, start, strand);
    for (int i = 0; i < 8; i++) CHECK(near(phi[i], forward[i], 1e-12) && strand[i] == 1);
    CHECK(start[0] == 0 && start[1] == 3 && start[6] == 4);
    ng_seism_activate(&windows, acg, 1, true, phi, NULL, NULL);
    for (int i = 0; i < 8; i++) CHECK(near(phi[i], both[i], 1e-12));
    ng_seism_activate(&windows, soft, 1, false, phi, NULL, NULL);
    for (int i = 0; i < 8; i++) CHECK(near(phi[i], i == 2 || i == 3 || i == 5 ? .1261857817 : .4189515492, 1e-10));
}

/* A random PWM of every width, both strands, windows with other letters: against |z - u|^2 summed letter by letter. */
static void activation_by_definition(void)
{
    for (int k = 1; k <= NG_LONGEST_KMER; k++) {
        ng_sequences sequences = random_sequences(4, 40);
        for (int i = 0; i < 4; i++) ((uint8_t *)sequences.bases)[sequences.first[i] + 17 + draw(3)] = 4;
        ng_kmer_windows windows;
        CHECK(ng_kmer_windows_of(&sequences, k, arena, &windows, &error) == NG_OK);
        double pwm[4 * NG_LONGEST_KMER], reverse[4 * NG_LONGEST_KMER], phi[4];
        int32_t start[4];
        int8_t strand[4];
        for (int i = 0; i < 4 * k; i++) pwm[i] = 0.5 + 0.5 * draw_real();
        ng_reverse_pwm(pwm, k, reverse);
        for (int both = 0; both < 2; both++) {
            ng_seism_activate(&windows, pwm, 0.1, both, phi, start, strand);
            for (int i = 0; i < 4; i++) {
                double best = INFINITY, there = INFINITY;
                for (int64_t at = 0; at + k <= 40; at++)
                    for (int side = 0; side <= both; side++) {
                        double distance = 0;
                        for (int c = 0; c < k; c++)
                            for (int a = 0; a < 4; a++) {
                                const int base = sequences.bases[sequences.first[i] + at + c];
                                distance += base == 4 ? INFINITY : pow((side ? reverse : pwm)[4 * c + a] - (a == base), 2);
                            }
                        if (distance < best) best = distance;
                        if (at == start[i] && side == (strand[i] < 0)) there = distance;
                    }
                CHECK(near(phi[i], exp(-0.1 * best), 1e-12) && near(there, best, 1e-12));
            }
        }
    }
}

static void distances(void)
{
    for (int k = 2; k <= 8; k++)
        for (int trial = 0; trial < 8; trial++) {
            const int64_t size = (int64_t)1 << 2 * k, count = trial == 0 ? 0 : trial == 1 ? 1 : trial == 2 ? size : 1 + draw(40);
            uint32_t *set = room(count, sizeof *set);
            uint8_t *distance = room(size, 1);
            const bool both = draw(2);
            for (int64_t w = 0; w < count; w++) set[w] = trial == 2 ? (uint32_t)w : (uint32_t)draw(size);
            ng_seism_distance(set, count, k, both, distance);
            bool same = true;
            for (int64_t i = 0; i < (size < 4096 ? size : 4096); i++) {
                const int64_t v = size < 4096 ? i : draw(size);
                int best = k + 1;
                for (int64_t w = 0; w < count && trial != 2; w++)
                    for (int side = 0; side <= both; side++) {
                        const uint32_t word = side ? ng_reverse_complement(set[w], k) : set[w];
                        int here = 0;
                        for (int c = 0; c < k; c++) here += (word >> 2 * c & 3) != ((uint32_t)v >> 2 * c & 3);
                        if (here < best) best = here;
                    }
                same = same && distance[v] == (trial == 2 ? 0 : best);
                if (trial > 2) same = same && ng_kmer_distance(set, count, k, both, (uint32_t)v) == best;
            }
            CHECK(same);
        }
}

/* The nearest lattice point by trying all, the first of equals in the order that favours A, then C, G, T. */
static void rounding(void)
{
    for (int mesh = 1; mesh <= 6; mesh++)
        for (int trial = 0; trial < 200; trial++) {
            double column[4], sum = 0, best = INFINITY;
            int counts[4], total = 0;
            for (int a = 0; a < 4; a++) sum += column[a] = trial % 2 ? 0.5 + 0.5 * draw_real() : (double)draw(4) + (a == 0);
            for (int a = 0; a < 4; a++) column[a] /= sum;
            ng_round_column(column, mesh, counts);
            double mine = 0;
            for (int a = 0; a < 4; a++) {
                mine += pow(column[a] - (double)counts[a] / mesh, 2);
                total += counts[a];
            }
            for (int a = 0; a <= mesh; a++)
                for (int c = 0; a + c <= mesh; c++)
                    for (int g = 0; a + c + g <= mesh; g++) {
                        const int v[4] = {a, c, g, mesh - a - c - g};
                        double distance = 0;
                        for (int i = 0; i < 4; i++) distance += pow(column[i] - (double)v[i] / mesh, 2);
                        if (distance < best) best = distance;
                    }
            CHECK(total == mesh && near(mine, best, 1e-9));
        }
}

static double quadratic(const double *phi, double lambda, bool hsic)
{
    double mean = 0, product = 0, square = 0;
    for (int i = 0; i < 8; i++) mean += phi[i] / 8;
    for (int i = 0; i < 8; i++) {
        product += (phi[i] - mean) * eight_y[i];
        square += (phi[i] - mean) * (phi[i] - mean);
    }
    return product * product / (hsic ? 1 : square + lambda);
}

static void scores(void)
{
    const ng_design ridge = design_of_eight(NG_RIDGE, 0, false), one = design_of_eight(NG_RIDGE, 1, false), hsic = design_of_eight(NG_HSIC, 0, false);
    CHECK(ridge.m == 31);
    CHECK(near(path_of(&ridge, eight_y, 1, 1).step[0].score, 12.330627166039, 1e-11));
    CHECK(near(path_of(&one, eight_y, NAN, 1).step[0].score * 14.455, 7.794299795718, 1e-11));
    CHECK(near(path_of(&hsic, eight_y, 1, 1).step[0].score, 21.186434962815, 1e-11));
    double phi[8];
    for (int i = 0; i < 8; i++) phi[i] = i == 2 || i == 3 || i == 5 ? .1261857817 : .4189515492;
    CHECK(near(quadratic(phi, 0, true), 1.065022618333, 1e-9) && near(quadratic(phi, 1, false), .917561640403, 1e-9));
    for (int64_t l = 0; l < ridge.m; l++) {
        for (int i = 0; i < 8; i++) phi[i] = ng_feature(&ridge.features, l, i);
        CHECK(near(pow(ridge.weight[l] * ng_feature_dot(&ridge.features, l, path_of(&ridge, eight_y, 1, 1).y), 2), quadratic(phi, 0, false), 1e-11));
    }
}

static void greedy(void)
{
    const char *const fixed[3] = {"ACG", "TGC", "CAG"}, *const projected[3] = {"ACG", "ATC", "TGC"};
    const double expected[4][3] = {{12.330627166, 1.011860099, .491718209}, {21.186434963, 1.257935127, .371617021},
                                   {7.794299796, .560779381, .211656897}, {12.330627166, 1.016729299, .675743612}};
    const double residual[3] = {14.455, 2.124372834, 1.110947490};
    for (int kind = 0; kind < 4; kind++) {
        const ng_design design = design_of_eight(kind == 1 ? NG_HSIC : NG_RIDGE, kind == 2, kind == 3);
        const ng_greedy_path path = path_of(&design, eight_y, 1, 3);
        CHECK(path.steps == 3 && path.scale == 1);
        for (int s = 0; s < path.steps; s++) {
            CHECK(!strcmp(kmer_of(&design, path.step[s].candidate), (kind == 3 ? projected : fixed)[s]));
            CHECK(near(path.step[s].score, expected[kind][s], 1e-9));
            CHECK(path.step[s].freedom == 7 - s);
            if (kind < 3) CHECK(near(path.step[s].residual2, residual[s], 1e-8));
            if (kind < 3) CHECK((path.step[s].effect > 0) == (s == 0));
        }
        if (kind == 0) CHECK(!strcmp(kmer_of(&design, path.step[0].rival), "CGT") && near(path.step[0].rival_score, 6.72362788, 1e-8));
    }
}

/* Candidates that the data cannot tell apart are one, also if a sign or (without lambda) a factor is between them; constants go. */
static void merging(void)
{
    enum { N = 12, M = 9 };
    double rows[M][N];
    for (int l = 0; l < M; l++)
        for (int i = 0; i < N; i++) rows[l][i] = draw_normal();
    for (int i = 0; i < N; i++) {
        rows[3][i] = rows[1][i];
        rows[5][i] = -2 * rows[1][i];
        rows[7][i] = 0;
        rows[8][i] = rows[6][i] * (1 + 1e-7 * i);
    }
    int32_t cell[M];
    for (int l = 0; l < M; l++) cell[l] = l;
    for (int hsic = 0; hsic < 2; hsic++) {
        ng_design design = {.arena = arena};
        ng_census census;
        const ng_scoring scoring = {.score = hsic ? NG_HSIC : NG_RIDGE};
        CHECK(ng_seism_matrix_design(rows[0], M, N, cell, &scoring, NULL, 0, &run, &design, &census, &error) == NG_OK);
        CHECK(design.m == (hsic ? 7 : 6));
        CHECK(census.alias[3] == 1 && census.alias[5] == (hsic ? 5 : 1) && census.alias[7] == -1 && census.alias[8] == 8);
    }
}

/* In every design, y is in its own event; another response is in it exactly if it selects the same cells; the box says what the steps say. */
static void membership(void)
{
    int in = 0, out = 0, disagreements = 0, boxes = 0;
    for (int trial = 0; trial < 24; trial++) {
        const ng_sequences sequences = random_sequences(14, 30);
        const ng_candidate_kind kind = trial % 3 == 0 ? NG_SOFT : trial % 3 == 1 ? NG_LATTICE : NG_KMERS;
        const ng_scoring scoring = {trial % 2 ? NG_HSIC : NG_RIDGE, trial % 4 == 2, 0.5, trial / 2 % 2, trial % 5 == 0};
        const ng_design design = design_of(&sequences, 2 + trial % 2, kind, kind == NG_LATTICE ? 2 : 1, scoring, trial % 3);
        double y[14], other[14], *numbers = room(design.m, sizeof *numbers), z[14], c[4];
        for (int i = 0; i < 14; i++) y[i] = draw_normal();
        const ng_greedy_path path = path_of(&design, y, 1, 4);
        for (int j = 1; j <= path.steps; j++) {
            ng_event event;
            CHECK(ng_seism_event(&design, &path, j, false, false, &run, &event, &error) == NG_OK);
            CHECK(ng_event_holds(&event, event.z, event.c, true, 1, numbers));
            boxes += event.box;
            for (int reply = 0; reply < 60; reply++) {
                /* half of them with the part of y that P_j takes away, where the box counts too */
                for (int i = 0; i < 14; i++) other[i] = path.y[i] + (reply % 4 + 1) * 0.3 * draw_normal();
                ng_event_state(&event, other, z, c);
                if (reply % 2) {
                    memcpy(c, event.c, (size_t)(j - 1) * sizeof *c);
                    memcpy(other, z, sizeof other);
                    for (int h = 0; h + 1 < j; h++)
                        for (int i = 0; i < 14; i++) other[i] += c[h] * path.basis[(design.covariates + h) * 14 + i];
                    disagreements += ng_event_holds(&event, z, c, true, 1, numbers) != ng_event_holds(&event, z, c, false, 1, numbers);
                }
                const ng_greedy_path anew = path_of(&design, other, 1, j);
                bool same = anew.steps == j;
                for (int s = 0; same && s < j; s++) same = anew.step[s].cell == path.step[s].cell;
                disagreements += ng_event_holds(&event, z, c, true, 1, numbers) != same;
                in += same;
                out += !same;
            }
        }
    }
    CHECK(disagreements == 0);
    CHECK(in > 300 && out > 300 && boxes > 5);
}

/* More covariates, or a covariate that is constant, change nothing but what they explain; twice the response selects the same. */
static void canonical(void)
{
    const ng_design design = design_of_eight(NG_RIDGE, 0, false);
    double other[8];
    for (int i = 0; i < 8; i++) other[i] = 7 - 2 * eight_y[i];
    const ng_greedy_path a = path_of(&design, eight_y, NAN, 3), b = path_of(&design, other, NAN, 3);
    for (int s = 0; s < 3; s++) CHECK(a.step[s].candidate == b.step[s].candidate && near(a.step[s].effect, b.step[s].effect, 1e-14));
    CHECK(near(b.scale, -2 * a.scale, 1e-12));
    for (int i = 0; i < 8; i++) other[i] = 3;
    ng_greedy_path none;
    CHECK(ng_seism_select(&design, other, NAN, 1, &run, &none, &error) == NG_BAD_INPUT);
    CHECK(!strcmp(error.message, "y is constant after removing the covariates; nothing to test"));
}

int main(void)
{
    begin();
    activations();
    activation_by_definition();
    distances();
    rounding();
    scores();
    greedy();
    merging();
    membership();
    canonical();
    ng_arena_free(arena);
    return finish();
}
