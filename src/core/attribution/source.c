#include <string.h>
#include "core/attribution/source.h"

/* The baseline's row under base `at` of the contig, row `row` of a window. */
static void baseline_row(const ng_contig *contig, int64_t window, int64_t row, int64_t at, float *to)
{
    if (contig->baseline_draw) {
        ng_draw draw = *contig->baseline_draw;
        draw.place = (uint64_t)at;
        ng_simplex_row(draw, to);
    } else if (contig->baseline_bases) {
        const uint8_t base = contig->baseline_bases[window * contig->window + row];
        for (int i = 0; i < 4; i++) to[i] = base < 4 ? (float)(base == i) : 0.25f;
    } else memcpy(to, contig->baseline + (contig->baseline_rows ? row * 4 : 0), 4 * sizeof *to);
}

static void contig_rows(const void *data, int input, int64_t window, ng_range rows, float *sequence, float *baseline)
{
    const ng_contig *contig = data;
    int64_t at = (contig->starts[window] + rows.first) % contig->length;
    (void)input;
    for (int64_t row = rows.first; row < rows.last; row++, at = at + 1 == contig->length ? 0 : at + 1) {
        const uint8_t base = contig->bases[at];
        memset(sequence, 0, 4 * sizeof *sequence);
        if (base < 4) sequence[base] = 1;
        sequence += 4;
        if (!baseline) continue;
        if (base < 4) baseline_row(contig, window, row, at, baseline);
        else memset(baseline, 0, 4 * sizeof *baseline);
        baseline += 4;
    }
}

/* Rows of four become rows of tokens, in place and so from the last one on. */
static void spread_rows(const ng_contig *contig, int64_t window, ng_range rows, float *to)
{
    for (int64_t row = rows.last - 1; row >= rows.first; row--) {
        const uint8_t base = contig->bases[(contig->starts[window] + row) % contig->length];
        float four[4], *wide = to + (row - rows.first) * contig->tokens;
        memcpy(four, to + 4 * (row - rows.first), sizeof four);
        memset(wide, 0, (size_t)contig->tokens * sizeof *wide);
        memcpy(wide + 1, four, sizeof four);
        if (base >= 4) wide[contig->tokens > 5 ? 5 : 0] = 1;
    }
}

static void token_rows(const void *data, int input, int64_t window, ng_range rows, float *sequence, float *baseline)
{
    contig_rows(data, input, window, rows, sequence, baseline);
    spread_rows(data, window, rows, sequence);
    if (baseline && baseline != sequence) spread_rows(data, window, rows, baseline);
}

void ng_contig_clear(ng_contig *contig, int64_t last)
{
    const int64_t count = last - contig->cleared;
    if (count <= 0) return;
    for (int base = 0; base < 4; base++)
        memset(contig->scores + contig->cleared + base * contig->length, 0, (size_t)count * sizeof *contig->scores);
    contig->cleared = last;
}

static void contig_add(void *data, int input, int64_t window, ng_range rows, const double *scores)
{
    ng_contig *contig = data;
    const int64_t channels = ng_contig_shape(contig).channels, first = contig->tokens ? 1 : 0;
    int64_t at = (contig->starts[window] + rows.first) % contig->length;
    (void)input;
    const int64_t end = at + rows.last - rows.first;
    ng_contig_clear(contig, end < contig->length ? end : contig->length);
    for (int64_t row = rows.first; row < rows.last; row++, at = at + 1 == contig->length ? 0 : at + 1, scores += channels)
        for (int base = 0; base < 4; base++) contig->scores[at + base * contig->length] += scores[first + base];
}

int64_t ng_regular_windows(const int64_t *starts, int64_t windows)
{
    int64_t count = windows < 2 ? windows : 2;
    while (count < windows && starts[count] - starts[count - 1] == starts[1] - starts[0]) count++;
    return count;
}

ng_shape ng_contig_shape(const ng_contig *contig) { return (ng_shape){2, 1, contig->window, contig->tokens ? contig->tokens : 4}; }
ng_source ng_contig_source(const ng_contig *contig) { return (ng_source){contig->tokens ? token_rows : contig_rows, contig}; }
ng_sink ng_contig_sink(ng_contig *contig) { return (ng_sink){contig_add, contig}; }

static void arrays_rows(const void *data, int input, int64_t window, ng_range rows, float *sequence, float *baseline)
{
    const ng_arrays *arrays = data;
    const ng_shape shape = arrays->shapes[input];
    const int64_t first = rows.first * shape.channels;
    const size_t bytes = (size_t)((rows.last - rows.first) * shape.channels) * sizeof *sequence;
    memcpy(sequence, arrays->x[input] + window * ng_size(shape) + first, bytes);
    if (baseline) memcpy(baseline, arrays->baseline[input] + window * arrays->baseline_stride[input] + first, bytes);
}

static void arrays_add(void *data, int input, int64_t window, ng_range rows, const double *scores)
{
    ng_arrays *arrays = data;
    const ng_shape shape = arrays->shapes[input];
    memcpy(arrays->scores[input] + window * ng_size(shape) + rows.first * shape.channels, scores,
           (size_t)((rows.last - rows.first) * shape.channels) * sizeof *scores);
}

ng_source ng_arrays_source(const ng_arrays *arrays) { return (ng_source){arrays_rows, arrays}; }
ng_sink ng_arrays_sink(ng_arrays *arrays) { return (ng_sink){arrays_add, arrays}; }
