#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/selective/activation.h"
#include "core/selective/candidates.h"
#include "core/selective/cells.h"

double ng_weight(const ng_scoring *scoring, double norm2, double reference)
{
    if (!(norm2 > 1e-10 * reference)) return 0;
    return scoring->score == NG_HSIC ? 1 : 1 / sqrt(norm2 + scoring->lambda);
}

const ng_kmer_windows *ng_kmer_windows_for(const ng_design *design, int k)
{
    const ng_kmer_windows *windows = design->windows;
    while (windows->k != k) windows++;
    return windows;
}

void ng_centre_pwm(const ng_design *design, int64_t l, double *pwm)
{
    double own[4 * NG_LONGEST_KMER];
    ng_motif_pwm(design, &design->motifs[l], own);
    ng_cell_centre(own, design->motifs[l].k, design->mesh, pwm);
}

static ng_status set_basis(ng_design *design, const double *covariates, int64_t count, int64_t n, ng_error *error)
{
    double *basis = ng_alloc(design->arena, count * n, sizeof *basis, error);
    if (!basis) return error->status;
    for (int64_t i = 0; i < count * n; i++) basis[i] = covariates[i];
    for (int64_t h = 0; h < count; h++) {
        const double before = ng_inner_product(basis + h * n, basis + h * n, n), after = ng_project(basis, h, n, basis + h * n);
        if (!(after > 1e-20 * before)) return ng_fail(error, NG_BAD_INPUT, NULL, "covariate %lld depends on those before it", (long long)h + 1);
        for (int64_t i = 0; i < n; i++) basis[h * n + i] /= sqrt(after);
    }
    design->basis = basis;
    design->covariates = count;
    design->n = n;
    return NG_OK;
}

typedef struct ranked { double norm2; int64_t row; } ranked;

static int largest_first(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    return x->norm2 != y->norm2 ? (x->norm2 < y->norm2) - (x->norm2 > y->norm2) : (x->row > y->row) - (x->row < y->row);
}

/* Cuts, drops and merges the m0 rows: fills census and the design's weights, norms and marks. */
static ng_status sift(ng_design *design, const ng_features *all, double max_candidates, const ng_run *run, ng_census *census,
                      ng_error *error)
{
    const int64_t m0 = all->m;
    double *numbers = ng_alloc(run->arena, 3 * m0, sizeof *numbers, error), *norm2 = numbers, *mark = numbers + m0, *weight = mark + m0;
    census->alias = numbers ? ng_alloc(run->arena, 2 * m0, sizeof *census->alias, error) : NULL;
    ranked *order = census->alias ? ng_alloc(run->arena, m0, sizeof *order, error) : NULL;
    if (!order || ng_residual_norms(all, m0, design->basis, design->covariates, run, norm2, mark, error)) return error->status;
    census->kept = census->alias + m0;
    census->m0 = m0;
    for (int64_t l = 0; l < m0; l++) {
        order[l] = (ranked){norm2[l], l};
        weight[l] = ng_weight(&design->scoring, norm2[l], (double)design->n);
    }
    if ((double)m0 > max_candidates) {
        qsort(order, (size_t)m0, sizeof *order, largest_first);
        for (int64_t i = (int64_t)max_candidates; i < m0; i++) weight[order[i].row] = 0;
    }
    if (ng_find_twins(all, m0, design->basis, design->covariates, weight, norm2, mark, run->arena, census->alias, error))
        return error->status;
    int64_t m = 0;
    for (int64_t l = 0; l < m0; l++)
        if (census->alias[l] == l) census->kept[m++] = l;
    if (m == 0)
        return ng_fail(error, NG_BAD_INPUT, NULL, "all %lld candidate motifs have the same activation in every sequence; use longer "
                       "sequences, larger k or smaller bandwidth", (long long)m0);
    design->m = m;
    design->norm2 = ng_alloc(design->arena, m, sizeof *design->norm2, error);
    design->mark = ng_alloc(design->arena, m, sizeof *design->mark, error);
    design->weight = ng_alloc(design->arena, m, sizeof *design->weight, error);
    design->cell = ng_alloc(design->arena, m, sizeof *design->cell, error);
    if (!design->norm2 || !design->mark || !design->weight || !design->cell) return error->status;
    for (int64_t l = 0; l < m; l++) {
        design->norm2[l] = norm2[census->kept[l]];
        design->mark[l] = mark[census->kept[l]];
        design->weight[l] = weight[census->kept[l]];
    }
    return NG_OK;
}

/* The kept rows, and room for `more` of them. */
static ng_status keep_rows(ng_design *design, const ng_features *all, const int64_t *kept, int64_t more, ng_error *error)
{
    const int64_t n = all->n, rows = design->m + more;
    ng_features *features = &design->features;
    *features = (ng_features){.m = rows, .n = n, .table = all->table};
    if (all->bytes) features->bytes = ng_alloc(design->arena, rows * n, 1, error);
    else features->values = ng_alloc(design->arena, rows * n, sizeof *features->values, error);
    if (!features->bytes && !features->values) return error->status;
    for (int64_t l = 0; l < design->m; l++) {
        if (all->bytes) memcpy(features->bytes + l * n, all->bytes + kept[l] * n, (size_t)n);
        else memcpy(features->values + l * n, all->values + kept[l] * n, (size_t)n * sizeof *features->values);
    }
    return NG_OK;
}

typedef struct keyed { uint16_t key[NG_LONGEST_KMER + 1]; int64_t row; } keyed;

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    const int order = memcmp(x->key, y->key, sizeof x->key);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* Numbers the cells in the order of their first candidates. */
static ng_status number_cells(ng_design *design, ng_arena *arena, ng_error *error)
{
    keyed *items = ng_alloc(arena, design->m, sizeof *items, error);
    int64_t *leader = ng_alloc(arena, design->m, sizeof *leader, error);
    if (!items || !leader) return error->status;
    for (int64_t l = 0; l < design->m; l++) {
        double pwm[4 * NG_LONGEST_KMER];
        const int k = design->motifs[l].k;
        ng_motif_pwm(design, &design->motifs[l], pwm);
        items[l].row = l;
        items[l].key[NG_LONGEST_KMER] = (uint16_t)k;
        for (int column = 0; column < k; column++) {
            int counts[4];
            ng_round_column(pwm + 4 * column, design->mesh, counts);
            items[l].key[column] = (uint16_t)((counts[0] * 7 + counts[1]) * 7 + counts[2]);
        }
    }
    qsort(items, (size_t)design->m, sizeof *items, by_key);
    for (int64_t i = 0; i < design->m; i++)
        leader[items[i].row] = i && !memcmp(items[i].key, items[i - 1].key, sizeof items[i].key) ? leader[items[i - 1].row] : items[i].row;
    design->cells = 0;
    for (int64_t l = 0; l < design->m; l++) design->cell[l] = leader[l] == l ? design->cells++ : design->cell[leader[l]];
    return NG_OK;
}

/* Where the centre of each cell is: a candidate that lies there, else -1 - the first candidate of the cell. Counts the latter. */
static ng_status find_centres(ng_design *design, int64_t *missing, ng_error *error)
{
    design->centre = ng_alloc(design->arena, design->cells, sizeof *design->centre, error);
    if (!design->centre) return error->status;
    for (int64_t c = 0; c < design->cells; c++) design->centre[c] = -1 - design->m;
    *missing = design->cells;
    for (int64_t l = 0; l < design->m; l++) {
        int64_t *centre = &design->centre[design->cell[l]];
        if (*centre >= 0) continue;
        double own[4 * NG_LONGEST_KMER], middle[4 * NG_LONGEST_KMER];
        bool same = true;
        if (design->kind != NG_KMERS) {
            ng_motif_pwm(design, &design->motifs[l], own);
            ng_centre_pwm(design, l, middle);
            for (int i = 0; i < 4 * design->motifs[l].k; i++) same = same && fabs(own[i] - middle[i]) <= 1e-12;
        }
        if (same) {
            *centre = l;
            --*missing;
        } else if (*centre == -1 - design->m) {
            *centre = -1 - l;
        }
    }
    return NG_OK;
}

/* Rows of the regression as sequences of their own. */
static ng_status take_rows(const ng_sequences *sequences, const int64_t *rows, int64_t n, ng_arena *arena, ng_sequences *taken,
                           ng_error *error)
{
    int64_t *first = ng_alloc(arena, n + 1, sizeof *first, error);
    if (!first) return error->status;
    for (int64_t i = 0; i < n; i++) first[i + 1] = first[i] + sequences->first[rows[i] + 1] - sequences->first[rows[i]];
    uint8_t *bases = ng_alloc(arena, first[n], 1, error);
    if (!bases) return error->status;
    for (int64_t i = 0; i < n; i++) memcpy(bases + first[i], sequences->bases + sequences->first[rows[i]], (size_t)(first[i + 1] - first[i]));
    *taken = (ng_sequences){bases, first, n};
    return NG_OK;
}

static ng_status copy_pwms(ng_design *design, const ng_proposal *proposal, ng_error *error)
{
    design->pwms = ng_alloc(design->arena, proposal->pwm_count, sizeof *design->pwms, error);
    if (!design->pwms) return error->status;
    for (int64_t l = 0; l < proposal->pwm_count; l++) {
        const size_t numbers = 4 * (size_t)proposal->pwm_k[l];
        if (!(design->pwms[l] = ng_alloc(design->arena, (int64_t)numbers, sizeof(double), error))) return error->status;
        memcpy(design->pwms[l], proposal->pwms[l], numbers * sizeof(double));
    }
    return NG_OK;
}

/* Activations of all proposed motifs: distances of k-mers, else doubles. */
static ng_status activate_all(const ng_design *design, const ng_motif *motifs, int64_t m0, const ng_run *run, ng_features *all,
                              ng_error *error)
{
    const int64_t n = design->n;
    const bool kmers = design->kind == NG_KMERS;
    const double bytes = (double)m0 * (double)n * (kmers ? 1 : 8);
    if (bytes > (double)ng_arena_room(run->arena))
        return ng_fail(error, NG_OUT_OF_MEMORY, NULL, "%lld candidates x %lld sequences need %.3g GiB; raise min_seqs or lower "
                       "max_candidates", (long long)m0, (long long)n, bytes / (1 << 30));
    double *table = ng_alloc(design->arena, NG_LONGEST_KMER + 2, sizeof *table, error);
    if (!table) return error->status;
    for (int h = 0; h < NG_LONGEST_KMER + 2; h++) table[h] = exp(-design->scoring.bandwidth * (2 * h));
    *all = (ng_features){.m = m0, .n = n, .table = table};
    if (kmers) {
        all->bytes = ng_alloc(run->arena, m0 * n, 1, error);
        return all->bytes ? ng_kmer_distances(motifs, m0, design->windows, design->widths, design->scoring.both, run, all->bytes, error)
                          : error->status;
    }
    if (!(all->values = ng_alloc(run->arena, m0 * n, sizeof *all->values, error))) return error->status;
    for (int64_t begin = 0, end; begin < m0; begin = end) {
        end = begin + 256 < m0 ? begin + 256 : m0;
#pragma omp parallel for schedule(dynamic) num_threads(run->threads)
        for (int64_t l = begin; l < end; l++) {
            double pwm[4 * NG_LONGEST_KMER];
            ng_motif_pwm(design, &motifs[l], pwm);
            ng_seism_activate(ng_kmer_windows_for(design, motifs[l].k), pwm, design->scoring.bandwidth, design->scoring.both,
                              all->values + l * n, NULL, NULL);
        }
        if (ng_poll(run, (double)end / (double)m0, error)) return error->status;
    }
    return NG_OK;
}

static ng_status set_cells(ng_design *design, const ng_features *all, const int64_t *kept, ng_arena *arena, ng_error *error)
{
    int64_t missing = 0;
    if (number_cells(design, arena, error) || find_centres(design, &missing, error) || keep_rows(design, all, kept, missing, error))
        return error->status;
    int64_t row = design->m;
    for (int64_t c = 0; c < design->cells; c++) {
        if (design->centre[c] >= 0) continue;
        const int64_t l = -1 - design->centre[c];
        double pwm[4 * NG_LONGEST_KMER];
        ng_centre_pwm(design, l, pwm);
        ng_seism_activate(ng_kmer_windows_for(design, design->motifs[l].k), pwm, design->scoring.bandwidth, design->scoring.both,
                          design->features.values + row * design->n, NULL, NULL);
        design->centre[c] = row++;
    }
    return NG_OK;
}

ng_status ng_seism_design(const ng_sequences *sequences, const int64_t *rows, int64_t n, const ng_proposal *proposal,
                          const ng_scoring *scoring, const double *covariates, int64_t count, const ng_run *run, ng_design *design,
                          ng_census *census, ng_error *error)
{
    ng_sequences taken;
    ng_features all;
    int64_t m0;
    *design = (ng_design){.arena = design->arena, .scoring = *scoring, .kind = proposal->kind, .mesh = proposal->mesh,
                          .widths = proposal->widths};
    ng_kmer_windows *windows = ng_alloc(run->arena, proposal->widths, sizeof *windows, error);
    design->windows = ng_alloc(design->arena, proposal->widths, sizeof *windows, error);
    if (!windows || !design->windows || take_rows(sequences, rows, n, run->arena, &taken, error)) return error->status;
    for (int w = 0; w < proposal->widths; w++) {
        if (ng_kmer_windows_of(sequences, proposal->k[w], run->arena, &windows[w], error)) return error->status;
        if (ng_kmer_windows_of(&taken, proposal->k[w], design->arena, &design->windows[w], error)) return error->status;
    }
    if (proposal->kind == NG_PWMS && copy_pwms(design, proposal, error)) return error->status;
    if (set_basis(design, covariates, count, n, error)) return error->status;
    if (ng_propose(proposal, windows, scoring->both, run->arena, &census->motifs, &m0, &census->found, error)) return error->status;
    if (activate_all(design, census->motifs, m0, run, &all, error)) return error->status;
    if (sift(design, &all, proposal->max_candidates, run, census, error)) return error->status;
    if (!(design->motifs = ng_alloc(design->arena, design->m, sizeof *design->motifs, error))) return error->status;
    for (int64_t l = 0; l < design->m; l++) design->motifs[l] = census->motifs[census->kept[l]];
    return set_cells(design, &all, census->kept, run->arena, error);
}

ng_status ng_seism_matrix_design(const double *columns, int64_t m, int64_t n, const int32_t *cell, const ng_scoring *scoring,
                                 const double *covariates, int64_t count, const ng_run *run, ng_design *design, ng_census *census,
                                 ng_error *error)
{
    *design = (ng_design){.arena = design->arena, .scoring = *scoring};
    const ng_features all = {.m = m, .n = n, .values = (double *)columns};
    if (set_basis(design, covariates, count, n, error) || sift(design, &all, (double)m, run, census, error)) return error->status;
    if (keep_rows(design, &all, census->kept, 0, error)) return error->status;
    int64_t *number = ng_alloc(run->arena, m, sizeof *number, error);
    if (!number || !(design->centre = ng_alloc(design->arena, design->m, sizeof *design->centre, error))) return error->status;
    for (int64_t l = 0; l < design->m; l++) {                        /* cells that lost all candidates are gone */
        int64_t *own = &number[cell[census->kept[l]]];
        if (*own == 0) {
            design->centre[design->cells++] = l;
            *own = design->cells;
        }
        design->cell[l] = *own - 1;
    }
    return NG_OK;
}
