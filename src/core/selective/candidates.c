#include <math.h>
#include <string.h>
#include "core/selective/candidates.h"
#ifdef _OPENMP
#include <omp.h>
#endif

static int variants_of(const ng_proposal *proposal, int k)
{
    return 1 + (proposal->kind == NG_SOFT ? k : proposal->kind == NG_LATTICE ? 3 * k : 0);
}

static uint32_t consensus(const double *pwm, int k)
{
    uint32_t code = 0;
    for (int column = 0; column < k; column++) {
        int best = 0;
        for (int a = 1; a < 4; a++)
            if (pwm[4 * column + a] > pwm[4 * column + best]) best = a;
        code = code << 2 | (uint32_t)best;
    }
    return code;
}

ng_status ng_propose(const ng_proposal *proposal, const ng_kmer_windows *windows, bool both, ng_arena *arena, ng_motif **motifs,
                     int64_t *count, double *kmers, ng_error *error)
{
    int64_t total = 0, at = 0;
    if (proposal->kind == NG_PWMS) {
        total = proposal->pwm_count;
        if (!(*motifs = ng_alloc(arena, total, sizeof **motifs, error))) return error->status;
        for (int64_t l = 0; l < total; l++)
            (*motifs)[l] = (ng_motif){consensus(proposal->pwms[l], proposal->pwm_k[l]), (int32_t)l, proposal->pwm_k[l]};
        *count = total;
        *kmers = (double)total;
        return NG_OK;
    }
    uint32_t **codes = ng_alloc(arena, proposal->widths, sizeof *codes, error);
    int64_t *counts = codes ? ng_alloc(arena, proposal->widths, sizeof *counts, error) : NULL;
    if (!counts) return error->status;
    *kmers = 0;
    for (int w = 0; w < proposal->widths; w++) {
        if (ng_distinct_kmers(&windows[w], both, proposal->min_seqs, arena, &codes[w], &counts[w], error)) return error->status;
        if (counts[w] == 0)
            return ng_fail(error, NG_BAD_INPUT, NULL, "no %d-mer occurs in min_seqs = %g sequences", proposal->k[w], proposal->min_seqs);
        total += counts[w] * variants_of(proposal, proposal->k[w]);
        *kmers += (double)counts[w];
    }
    if (!(*motifs = ng_alloc(arena, total, sizeof **motifs, error))) return error->status;
    for (int w = 0; w < proposal->widths; w++)
        for (int64_t i = 0; i < counts[w]; i++)
            for (int variant = 0; variant < variants_of(proposal, proposal->k[w]); variant++)
                (*motifs)[at++] = (ng_motif){codes[w][i], variant, proposal->k[w]};
    *count = total;
    return NG_OK;
}

/* One-hot, but in the column that the variant names: soft spreads .3 over the other letters, lattice moves one unit of mass to one. */
void ng_motif_pwm(const ng_design *design, const ng_motif *motif, double *pwm)
{
    if (design->kind == NG_PWMS) {
        memcpy(pwm, design->pwms[motif->variant], 4 * (size_t)motif->k * sizeof *pwm);
        return;
    }
    const int variant = motif->variant - 1, softened = variant < 0 ? -1 : design->kind == NG_SOFT ? variant : variant / 3;
    for (int column = 0; column < motif->k; column++) {
        const int base = (int)(motif->kmer >> 2 * (motif->k - 1 - column) & 3);
        double *numbers = pwm + 4 * column;
        for (int a = 0; a < 4; a++) numbers[a] = column == softened && design->kind == NG_SOFT ? 0.1 : 0;
        numbers[base] = 1;
        if (column != softened) continue;
        if (design->kind == NG_SOFT) {
            numbers[base] = 0.7;
        } else {
            const int other = variant % 3 + (variant % 3 >= base);   /* the letters but this one, in order */
            numbers[base] = (double)(design->mesh - 1) / design->mesh;
            numbers[other] = 1.0 / design->mesh;
        }
    }
}

ng_status ng_kmer_distances(const ng_motif *motifs, int64_t count, const ng_kmer_windows *windows, int widths, bool both,
                            const ng_run *run, uint8_t *bytes, ng_error *error)
{
    const int64_t n = windows[0].n;
    int64_t first = 0, last;
    for (int w = 0; w < widths; w++, first = last) {
        const int k = windows[w].k;
        for (last = first; last < count && motifs[last].k == k;) last++;
        const bool table = k <= NG_LONGEST_TABLE;
        const int64_t size = table ? (int64_t)1 << 2 * k : 0, round = 4 * run->threads;
        uint8_t *distances = ng_alloc(run->arena, size * run->threads, 1, error);
        if (!distances) return error->status;
        for (int64_t begin = 0; begin < n; begin += round) {
            const int64_t end = begin + round < n ? begin + round : n;
#pragma omp parallel for schedule(dynamic) num_threads(run->threads)
            for (int64_t i = begin; i < end; i++) {
                const uint32_t *codes = windows[w].code + windows[w].first[i];
                const int64_t here = windows[w].first[i + 1] - windows[w].first[i];
#ifdef _OPENMP
                uint8_t *distance = distances + size * omp_get_thread_num();
#else
                uint8_t *distance = distances;
#endif
                if (table) ng_seism_distance(codes, here, k, both, distance);
                for (int64_t l = first; l < last; l++)
                    bytes[l * n + i] = table ? distance[motifs[l].kmer] : (uint8_t)ng_kmer_distance(codes, here, k, both, motifs[l].kmer);
            }
            if (ng_poll(run, (double)end / (double)n, error)) return error->status;
        }
    }
    return NG_OK;
}
