/* tests/core/seism.h: eight short sequences with known answers, random ones, and how a test runs. */
#ifndef NG_TESTS_SEISM_H
#define NG_TESTS_SEISM_H
#include <math.h>
#include <string.h>
#include "check.h"
#include "core/selective/greedy.h"

static ng_error error;
static ng_arena *arena;
static ng_run run;

static void begin(void)
{
    arena = ng_arena_new((int64_t)1 << 30);
    error = (ng_error){.status = NG_OK};
    run = (ng_run){.arena = arena, .threads = 2};
}

static inline bool near(double a, double b, double tolerance) { return fabs(a - b) <= tolerance; }

static inline void *room(int64_t count, size_t size) { return ng_alloc(arena, count, size, &error); }

/* Sequences from text. */
static ng_sequences sequences_of(const char *const *texts, int64_t n)
{
    int64_t *first = room(n + 1, sizeof *first);
    for (int64_t i = 0; i < n; i++) first[i + 1] = first[i] + (int64_t)strlen(texts[i]);
    uint8_t *bases = room(first[n], 1);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; texts[i][k]; k++) {
            const char *letter = strchr("ACGT", texts[i][k]);
            bases[first[i] + k] = letter ? (uint8_t)(letter - "ACGT") : 4;
        }
    return (ng_sequences){bases, first, n};
}

static const char *const eight[8] = {"ACGTACGTAC", "TTTACGATGC", "GGGCCCATAT", "CATCATCATC",
                                     "ACGACGTTTT", "TGCATGCAAA", "CCCCACGCCC", "GATTACAGAT"};
static const double eight_y[8] = {2.1, 1.7, -0.4, 0.3, 2.5, -1.1, 1.9, -0.8};

static inline ng_sequences random_sequences(int64_t n, int64_t length)
{
    int64_t *first = room(n + 1, sizeof *first);
    uint8_t *bases = room(n * length, 1);
    for (int64_t i = 0; i < n; i++) first[i + 1] = first[i] + length;
    for (int64_t i = 0; i < n * length; i++) bases[i] = (uint8_t)draw(4);
    return (ng_sequences){bases, first, n};
}

/* A standard normal number. */
static inline double draw_normal(void)
{
    const double u = (double)(draw(1 << 30) + 1) / (1 << 30), v = (double)draw(1 << 30) / (1 << 30);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* A design of these sequences with the intercept and `more` random covariates. */
static inline ng_design design_of(const ng_sequences *sequences, int k, ng_candidate_kind kind, int mesh, ng_scoring scoring, int more)
{
    const int64_t n = sequences->n;
    int64_t *rows = room(n, sizeof *rows);
    double *covariates = room(n * (1 + more), sizeof *covariates);
    for (int64_t i = 0; i < n; i++) rows[i] = i;
    for (int64_t i = 0; i < n * (1 + more); i++) covariates[i] = i < n ? 1 : draw_normal();
    const ng_proposal proposal = {.kind = kind, .k = &k, .widths = 1, .min_seqs = 1, .max_candidates = 20000, .mesh = mesh};
    ng_design design = {.arena = arena};
    ng_census census;
    CHECK(ng_seism_design(sequences, rows, n, &proposal, &scoring, covariates, 1 + more, &run, &design, &census, &error) == NG_OK);
    return design;
}

static inline ng_design design_of_eight(ng_score score, double lambda, bool projected)
{
    const ng_sequences sequences = sequences_of(eight, 8);
    return design_of(&sequences, 3, NG_KMERS, 1, (ng_scoring){score, lambda, 1, projected, false}, 0);
}

/* Row by row m x n numbers as a design without covariates; every candidate is a cell of its own. */
static inline ng_design design_of_matrix(const double *values, int64_t m, int64_t n, ng_scoring scoring)
{
    int32_t *cell = room(m, sizeof *cell);
    for (int64_t l = 0; l < m; l++) cell[l] = (int32_t)l;
    ng_design design = {.arena = arena};
    ng_census census;
    CHECK(ng_seism_matrix_design(values, m, n, cell, &scoring, NULL, 0, &run, &design, &census, &error) == NG_OK);
    return design;
}

static inline ng_greedy_path path_of(const ng_design *design, const double *y, double sigma, int q)
{
    ng_greedy_path path;
    CHECK(ng_seism_select(design, y, sigma, q, &run, &path, &error) == NG_OK);
    return path;
}

static inline const char *kmer_of(const ng_design *design, int64_t l)
{
    static char text[NG_LONGEST_KMER + 1];
    const ng_motif *motif = &design->motifs[l];
    for (int i = 0; i < motif->k; i++) text[i] = "ACGT"[motif->kmer >> 2 * (motif->k - 1 - i) & 3];
    text[motif->k] = 0;
    return text;
}
#endif
