#include <stdlib.h>
#include <string.h>
#include "core/selective/sequences.h"

ng_status ng_kmer_windows_of(const ng_sequences *sequences, int k, ng_arena *arena, ng_kmer_windows *windows, ng_error *error)
{
    const int64_t n = sequences->n, most = sequences->first[n];
    int64_t *first = ng_alloc(arena, n + 1, sizeof *first, error);
    uint32_t *code = first ? ng_alloc(arena, most, sizeof *code, error) : NULL;
    int32_t *start = code ? ng_alloc(arena, most, sizeof *start, error) : NULL;
    if (!start) return error->status;
    const uint32_t mask = (uint32_t)(((uint64_t)1 << 2 * k) - 1);
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *bases = sequences->bases + sequences->first[i];
        const int64_t length = sequences->first[i + 1] - sequences->first[i];
        uint32_t rolling = 0;
        first[i] = count;
        for (int64_t at = 0, known = 0; at < length; at++) {
            known = bases[at] < 4 ? known + 1 : 0;
            rolling = (rolling << 2 | (bases[at] & 3u)) & mask;
            if (known < k) continue;
            code[count] = rolling;
            start[count++] = (int32_t)(at - k + 1);
        }
        if (count == first[i])
            return ng_fail(error, NG_BAD_INPUT, NULL, "sequence %lld has no %d-base window without N", (long long)i + 1, k);
    }
    first[n] = count;
    *windows = (ng_kmer_windows){k, n, first, code, start};
    return NG_OK;
}

uint32_t ng_reverse_complement(uint32_t code, int k)
{
    uint32_t reverse = 0;
    for (int i = 0; i < k; i++, code >>= 2) reverse = reverse << 2 | (3 - (code & 3));
    return reverse;
}

static int ascending(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int64_t unique(uint32_t *codes, int64_t count)
{
    int64_t kept = 0;
    qsort(codes, (size_t)count, sizeof *codes, ascending);
    for (int64_t i = 0; i < count; i++)
        if (kept == 0 || codes[kept - 1] != codes[i]) codes[kept++] = codes[i];
    return kept;
}

ng_status ng_distinct_kmers(const ng_kmer_windows *windows, bool both, double least, ng_arena *arena, uint32_t **codes, int64_t *count,
                            ng_error *error)
{
    uint32_t *all = ng_alloc(arena, windows->first[windows->n], sizeof *all, error);
    if (!all) return error->status;
    int64_t total = 0, kept = 0;
    for (int64_t i = 0; i < windows->n; i++) {                       /* each once a sequence: then equal ones count sequences */
        uint32_t *mine = all + total;
        const int64_t here = windows->first[i + 1] - windows->first[i];
        memcpy(mine, windows->code + windows->first[i], (size_t)here * sizeof *mine);
        for (int64_t w = 0; both && w < here; w++) {
            const uint32_t other = ng_reverse_complement(mine[w], windows->k);
            if (other < mine[w]) mine[w] = other;
        }
        total += unique(mine, here);
    }
    qsort(all, (size_t)total, sizeof *all, ascending);
    for (int64_t i = 0, next; i < total; i = next) {
        for (next = i; next < total && all[next] == all[i];) next++;
        if ((double)(next - i) >= least) all[kept++] = all[i];
    }
    *codes = all;
    *count = kept;
    return NG_OK;
}

typedef uint8_t bytes __attribute__((vector_size(16)));
typedef uint32_t quads __attribute__((vector_size(16)));

static inline bytes smaller(bytes a, bytes b)
{
    const bytes less = (bytes)(a < b);
    return (a & less) | (b & ~less);
}

/* Each byte against the three that differ in the last letter: its neighbours in a group of four. */
static inline bytes last_letter(bytes v)
{
    const quads one = (quads)v;
    const bytes pair = smaller(v, (bytes)(one >> 8 | one << 24));
    const quads two = (quads)pair;
    return smaller(v, smaller(pair, (bytes)(two >> 16 | two << 16)) + 1);
}

/* The same for the last letter but one: groups of four at distance four. */
static inline bytes second_letter(bytes v)
{
    const quads lanes = (quads)v, turned = {lanes[1], lanes[2], lanes[3], lanes[0]};
    const quads pair = (quads)smaller(v, (bytes)turned), half = {pair[2], pair[3], pair[0], pair[1]};
    return smaller(v, smaller((bytes)pair, (bytes)half) + 1);
}

void ng_seism_distance(const uint32_t *windows, int64_t count, int k, bool both, uint8_t *distance)
{
    const int64_t size = (int64_t)1 << 2 * k;
    memset(distance, k + 1, (size_t)size);
    for (int64_t w = 0; w < count; w++) {
        distance[windows[w]] = 0;
        if (both) distance[ng_reverse_complement(windows[w], k)] = 0;
    }
    bytes *cells = (bytes *)distance;
    for (int64_t i = 0; i < size / 16; i++) cells[i] = second_letter(last_letter(cells[i]));
    for (int64_t stride = 1; stride < size / 16; stride *= 4)        /* the letters before: in steps of 16 bytes */
        for (int64_t block = 0; block < size / 16; block += 4 * stride)
            for (int64_t i = block; i < block + stride; i++) {
                const bytes a = cells[i], b = cells[i + stride], c = cells[i + 2 * stride], d = cells[i + 3 * stride];
                const bytes changed = smaller(smaller(a, b), smaller(c, d)) + 1;
                cells[i] = smaller(a, changed);
                cells[i + stride] = smaller(b, changed);
                cells[i + 2 * stride] = smaller(c, changed);
                cells[i + 3 * stride] = smaller(d, changed);
            }
}

static int nearest(const uint32_t *windows, int64_t count, int k, uint32_t kmer)
{
    int best = k + 1;
    for (int64_t w = 0; w < count && best; w++) {
        const uint32_t differ = windows[w] ^ kmer;
        const int here = __builtin_popcount((differ | differ >> 1) & 0x55555555u);
        if (here < best) best = here;
    }
    return best;
}

int ng_kmer_distance(const uint32_t *windows, int64_t count, int k, bool both, uint32_t kmer)
{
    const int here = nearest(windows, count, k, kmer);
    const int there = both ? nearest(windows, count, k, ng_reverse_complement(kmer, k)) : here;
    return here < there ? here : there;
}
