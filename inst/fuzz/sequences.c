/* inst/fuzz/sequences.c: bytes become sequences with any letters and jobs on them: rows for a network, shuffles, k-mers, motifs. What the
 * bridge refuses before the core is asked is not asked here. */
#include <stdlib.h>
#include "bytes.h"
#include "core/attribution/source.h"
#include "core/attribution/window_ranks.h"
#include "core/motifs/grammar.h"
#include "core/selective/greedy.h"

enum { ARENA = 1 << 22, MOST = 700 };

static void rows(bytes *b, const uint8_t *bases, int64_t n)
{
    static const float even[4] = {0.25f, 0.25f, 0.25f, 0.25f};
    static uint8_t drawn[MOST];
    static float sequence[MOST * 6], baseline[MOST * 6];
    const int64_t window = 1 + below(b, (int)n), starts[2] = {below(b, (int)n), below(b, (int)n)};
    for (int64_t i = 0; i < window; i++) drawn[i] = (uint8_t)next(b);
    const ng_draw draw = {(uint64_t)next(b), 3, 1};
    ng_contig contig = {.bases = bases, .length = n, .window = window, .starts = starts, .baseline = even};
    const int kind = below(b, 4);
    if (kind == 1) contig.baseline_draw = &draw;
    if (kind == 2) contig.baseline_bases = drawn;
    if (kind == 3) contig.tokens = 5 + below(b, 2);
    const ng_source source = ng_contig_source(&contig);
    const int64_t first = below(b, (int)window), last = first + below(b, (int)(window - first) + 1);
    source.rows(source.data, 0, kind == 2 ? 0 : below(b, 2), (ng_range){first, last}, sequence, one_in(b, 3) ? NULL : baseline);
    for (int64_t i = 0; i < (last - first) * (contig.tokens ? contig.tokens : 4); i++)
        if (!(sequence[i] == 0 || sequence[i] == 1)) abort();                    /* rows are one-hot or zero */
}

static void shuffles(bytes *b, const uint8_t *bases, int64_t n, const ng_run *run)
{
    static uint8_t out[8 * MOST];
    int64_t starts[8], widths[8], alone = 0, total = 0, before[256] = {0};
    ng_error error = {0};
    const int pieces = 1 + below(b, 8);
    for (int k = 0; k < pieces; k++) {
        starts[k] = below(b, (int)n), widths[k] = below(b, (int)n + 1);
        for (int64_t i = 0; i < widths[k]; i++) before[bases[(starts[k] + i) % n]]++;
        total += widths[k];
    }
    const ng_pieces all = {bases, n, pieces, starts, widths};
    if (ng_shuffle_pieces(&all, below(b, 2), 7, 1, starts, out, &alone, run, &error) != NG_OK) {
        if (error.status != NG_OUT_OF_MEMORY) abort();
        return;
    }
    for (int64_t i = 0; i < total; i++) before[out[i]]--;
    for (int c = 0; c < 256; c++)
        if (before[c]) abort();                                                  /* the same letters */
    ng_mutate_bases(bases, n, 0.3, 5, 1, out);
}

static void motifs(bytes *b, uint8_t *bases, int64_t n, const ng_run *run)
{
    ng_error error = {0};
    int64_t first[9] = {0}, rows[8];
    double intercept[8], y[8];
    const int count = 2 + below(b, 7), k = 2 + below(b, 4);
    for (int i = 0; i < count; i++) {
        first[i + 1] = i + 1 == count ? n : first[i] + below(b, (int)(n - first[i]) + 1);
        rows[i] = i, intercept[i] = 1, y[i] = any_number(b);
    }
    const ng_sequences sequences = {bases, first, count};
    const ng_proposal proposal = {.kind = (ng_candidate_kind)below(b, 3), .k = &k, .widths = 1, .min_seqs = 1 + below(b, 3),
                                  .max_candidates = 1 + below(b, 200), .mesh = 1 + below(b, 2)};
    const ng_scoring scoring = {(ng_score)below(b, 2), 0.1 * below(b, 3), 0.5 + below(b, 3), below(b, 2), below(b, 2)};
    ng_design design = {.arena = run->arena};
    ng_census census;
    ng_greedy_path path;
    for (int i = 0; i < count; i++)
        if (!isfinite(y[i]) || fabs(y[i]) > 1e9) return;                          /* R takes finite responses */
    if (ng_seism_design(&sequences, rows, count, &proposal, &scoring, intercept, 1, run, &design, &census, &error) == NG_OK)
        ng_seism_select(&design, y, NAN, 2, run, &path, &error);
    if (error.status != NG_OK && !error.message[0]) abort();
}

static void ranks(bytes *b, int64_t n, const ng_run *run)
{
    static double sums[MOST + 1], known[MOST + 1];
    ng_error error = {0};
    for (int64_t i = 0; i < n; i++) {
        const int value = next(b);
        sums[i + 1] = sums[i] + (value % 5 ? value - 128 : 0);
        known[i + 1] = known[i] + (value % 5 != 0);
    }
    const ng_track track = {sums, known, n, below(b, 2), 1e-9};
    const int64_t widths[3] = {1 + below(b, (int)n), 1 + below(b, 9), 1 + next(b)};
    const double means[3] = {any_number(b), 0, NAN};
    int64_t lower[3] = {0}, equal[3] = {0}, total[3] = {0};
    ng_window_ranks(&track, widths, means, 3, run, lower, equal, total, &error);
    for (int k = 0; k < 3; k++)
        if (lower[k] < 0 || lower[k] + equal[k] > total[k] || total[k] > n) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bases[MOST];
    bytes from = {data, data + size}, *b = &from;
    const int job = below(b, 8);
    const int64_t n = 1 + next(b) + (one_in(b, 4) ? next(b) : 0);
    const int clean = below(b, 3);
    for (int64_t i = 0; i < n; i++) bases[i] = clean ? (uint8_t)(next(b) & 3) : (uint8_t)next(b);
    const ng_run run = {.arena = ng_arena_new(ARENA), .threads = 1 + (job == 7)};
    if (!run.arena) abort();
    if (job < 3) rows(b, bases, n);
    else if (job < 5) shuffles(b, bases, n, &run);
    else if (job < 6) motifs(b, bases, n, &run);
    else ranks(b, n, &run);
    ng_arena_free(run.arena);
    return 0;
}
