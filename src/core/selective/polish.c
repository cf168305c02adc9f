#include <math.h>
#include <string.h>
#include "core/selective/activation.h"
#include "core/selective/cells.h"
#include "core/selective/polish.h"

ng_status ng_polish_new(const ng_design *design, const ng_greedy_path *path, int j, const ng_run *run, ng_polish *polish, ng_error *error)
{
    const int64_t n = design->n;
    const ng_choice *step = &path->step[j - 1];
    double *numbers = ng_alloc(run->arena, 3 * n, sizeof *numbers, error);
    *polish = (ng_polish){.design = design, .windows = ng_kmer_windows_for(design, design->motifs[step->candidate].k), .r = numbers,
                          .basis = path->basis, .basis_count = design->scoring.projected ? ng_basis_count(design, j) : design->covariates,
                          .start = ng_alloc(run->arena, n, sizeof *polish->start, error),
                          .strand = ng_alloc(run->arena, n, sizeof *polish->strand, error)};
    if (!numbers || !polish->start || !polish->strand) return error->status;
    polish->phi = numbers + n;
    polish->rest = numbers + 2 * n;
    memcpy(numbers, path->y, (size_t)n * sizeof *numbers);
    ng_project(path->basis, ng_basis_count(design, j), n, numbers);
    return NG_OK;
}

/* d score / d phi_i = (2 N / D) r_i - (2 N^2 / D^2) (P phi)_i; d phi_i / d z = -2 b phi_i (z - u_i), u_i the best window. */
double ng_polish_score(const ng_polish *polish, const double *pwm, double *gradient)
{
    const ng_scoring *scoring = &polish->design->scoring;
    const int64_t n = polish->design->n;
    const int k = polish->windows->k;
    ng_seism_activate(polish->windows, pwm, scoring->bandwidth, scoring->both, polish->phi, polish->start, polish->strand);
    memcpy(polish->rest, polish->phi, (size_t)n * sizeof *polish->phi);
    const double square = ng_project(polish->basis, polish->basis_count, n, polish->rest);
    const double product = ng_inner_product(polish->phi, polish->r, n), size = scoring->score == NG_HSIC ? 1 : square + scoring->lambda;
    if (!(size > 0)) return 0;
    if (!gradient) return product * product / size;
    memset(gradient, 0, 4 * (size_t)k * sizeof *gradient);
    for (int64_t i = 0; i < n; i++) {
        const double shrink = scoring->score == NG_HSIC ? 0 : product * product / (size * size) * polish->rest[i];
        const double slope = -4 * scoring->bandwidth * polish->phi[i] * (product / size * polish->r[i] - shrink);
        int64_t w = polish->windows->first[i];
        while (polish->windows->start[w] != polish->start[i]) w++;
        uint32_t code = polish->windows->code[w];
        if (polish->strand[i] < 0) code = ng_reverse_complement(code, k);
        for (int column = 0; column < k; column++) {
            const uint32_t base = code >> 2 * (k - 1 - column) & 3;
            for (uint32_t a = 0; a < 4; a++) gradient[4 * column + a] += slope * (pwm[4 * column + a] - (a == base));
        }
    }
    return product * product / size;
}

/* Subtracts the number that leaves 1 in all, from those that stay positive (Held, Wolfe and Crowder 1974, doi:10.1007/BF01580223). */
void ng_project_simplex(double column[4])
{
    double sorted[4], sum = 0, level = 0;
    memcpy(sorted, column, sizeof sorted);
    for (int i = 1; i < 4; i++)
        for (int k = i; k > 0 && sorted[k] > sorted[k - 1]; k--) {
            const double kept = sorted[k];
            sorted[k] = sorted[k - 1];
            sorted[k - 1] = kept;
        }
    for (int i = 0; i < 4; i++) {
        sum += sorted[i];
        if (sorted[i] > (sum - 1) / (i + 1)) level = (sum - 1) / (i + 1);
    }
    for (int a = 0; a < 4; a++) column[a] = fmax(0, column[a] - level);
}

static bool same_cell(const double *pwm, const double *centre, int k, int mesh)
{
    double here[4 * NG_LONGEST_KMER];
    ng_cell_centre(pwm, k, mesh, here);
    return !memcmp(here, centre, 4 * (size_t)k * sizeof *here);
}

ng_polished ng_seism_polish(const ng_polish *polish, double *pwm, bool free)
{
    const int k = polish->windows->k, mesh = polish->design->mesh;
    double gradient[4 * NG_LONGEST_KMER], tried[4 * NG_LONGEST_KMER], centre[4 * NG_LONGEST_KMER];
    ng_cell_centre(pwm, k, mesh, centre);
    ng_polished result = {0};
    result.before = result.score = ng_polish_score(polish, pwm, gradient);
    for (; result.iterations < 200; result.iterations++) {
        double score = -1, step = 1;
        for (; step >= 1e-12; step /= 2) {                           /* Armijo: a fair share of what the slope promises */
            double promised = 0;
            for (int i = 0; i < 4 * k; i++) tried[i] = pwm[i] + step * gradient[i];
            for (int column = 0; column < k; column++) ng_project_simplex(tried + 4 * column);
            for (int i = 0; i < 4 * k; i++) promised += gradient[i] * (tried[i] - pwm[i]);
            if (!free && !same_cell(tried, centre, k, mesh)) continue;
            score = ng_polish_score(polish, tried, NULL);
            if (score >= result.score + 1e-4 * promised && score > result.score) break;
        }
        if (step < 1e-12) break;
        const double gain = score - result.score;
        memcpy(pwm, tried, 4 * (size_t)k * sizeof *pwm);
        result.score = ng_polish_score(polish, pwm, gradient);
        if (gain < 1e-8 * result.score) break;
    }
    return result;
}
