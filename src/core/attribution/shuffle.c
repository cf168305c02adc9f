#include <string.h>
#include "core/attribution/shuffle.h"

static void swap(uint8_t *a, uint8_t *b)
{
    const uint8_t kept = *a;
    *a = *b;
    *b = kept;
}

/* Fisher and Yates, as in Durstenfeld (1964, doi:10.1145/364520.364540). */
static void permute(uint8_t *letters, int64_t n, ng_dice *dice)
{
    for (int64_t i = n - 1; i > 0; i--) swap(&letters[i], &letters[ng_roll(dice, i + 1)]);
}

void ng_shuffle_positions(const uint8_t *bases, int64_t n, ng_draw draw, uint8_t *out)
{
    ng_dice dice = ng_dice_of(draw);
    int64_t known = 0;
    for (int64_t i = 0; i < n; i++)
        if (bases[i] < 4) out[known++] = bases[i];
    permute(out, known, &dice);
    for (int64_t i = n - 1; i >= 0; i--) out[i] = bases[i] < 4 ? out[--known] : bases[i];    /* known <= i + 1: nothing is overwritten */
}

/* ---- dinucleotides ----
 * A sequence is a walk that uses each of its steps u -> v once. It is known by, for each letter, the order in which its steps are
 * taken; the last steps of all letters but the final one form a tree that leads to the final one, and any tree with any order of the other
 * steps is a walk (Altschul and Erickson 1985, doi:10.1093/oxfordjournals.molbev.a040370). A tree with probability proportional to
 * its number of labelled steps (Wilson 1996, doi:10.1145/237814.237880) and random orders make all sequences equally likely. */
typedef struct steps { int64_t count[4][4], out[4]; uint8_t first, last; } steps;

static steps count_steps(const uint8_t *bases, int64_t n)
{
    steps found = {.first = bases[0], .last = bases[n - 1]};
    for (int64_t i = 0; i + 1 < n; i++) found.count[bases[i]][bases[i + 1]]++;
    for (int u = 0; u < 4; u++)
        for (int v = 0; v < 4; v++) found.out[u] += found.count[u][v];
    return found;
}

/* Does each letter, followed by its last step, come to the final one? */
static bool is_tree(const steps *s, const uint8_t next[4])
{
    for (uint8_t u = 0; u < 4; u++) {
        uint8_t at = u;
        if (!s->out[u]) continue;
        for (int far = 0; at != s->last && far < 4; far++) at = next[at];
        if (at != s->last) return false;
    }
    return true;
}

/* Can these steps be taken in one order only, but for steps that look alike? */
static bool all_alike(const int64_t count[4], int without)
{
    int kinds = 0;
    for (int v = 0; v < 4; v++) kinds += count[v] > (v == without);
    return kinds <= 1;
}

/* Is there no other sequence of these steps? One tree at most, and one order of the other steps. */
static bool is_alone(const steps *s)
{
    int trees = 0;
    if (!all_alike(s->count[s->last], -1)) return false;
    for (int code = 0; code < 256; code++) {
        uint8_t next[4];
        bool there = true, alike = true;
        for (uint8_t u = 0; u < 4; u++) {
            next[u] = (uint8_t)(code >> (2 * u) & 3);
            const bool leaves = u != s->last && s->out[u];
            there = there && (leaves ? s->count[u][next[u]] > 0 : next[u] == 0);
            alike = alike && (!leaves || all_alike(s->count[u], next[u]));
        }
        if (!there || !is_tree(s, next)) continue;
        if (!alike || ++trees > 1) return false;
    }
    return true;
}

/* One step out of u that leads elsewhere, all of them as likely. */
static uint8_t leave(const steps *s, uint8_t u, ng_dice *dice)
{
    int64_t at = ng_roll(dice, s->out[u] - s->count[u][u]);
    for (uint8_t v = 0; v < 3; v++) {
        if (v == u) continue;
        if (at < s->count[u][v]) return v;
        at -= s->count[u][v];
    }
    return 3;
}

/* Last steps: from each letter a random walk to the tree so far, whose loops later steps overwrite. */
static void draw_tree(const steps *s, ng_dice *dice, uint8_t next[4])
{
    bool reached[4] = {false};
    reached[s->last] = true;
    for (uint8_t from = 0; from < 4; from++) {
        if (!s->out[from]) continue;
        for (uint8_t u = from; !reached[u]; u = next[u]) next[u] = leave(s, u, dice);
        for (uint8_t u = from; !reached[u]; u = next[u]) reached[u] = true;
    }
}

static void walk(const steps *s, int64_t n, ng_dice *dice, uint8_t *out, uint8_t *spare)
{
    uint8_t next[4] = {0}, *order[4];
    draw_tree(s, dice, next);
    for (uint8_t u = 0; u < 4; u++) {
        uint8_t *to = order[u] = spare;
        for (uint8_t v = 0; v < 4; v++) {
            const int64_t others = s->count[u][v] - (u != s->last && s->out[u] && v == next[u]);
            memset(to, v, (size_t)others);
            to += others;
        }
        permute(order[u], to - order[u], dice);
        if (u != s->last && s->out[u]) *to++ = next[u];
        spare = to;
    }
    out[0] = s->first;
    for (int64_t i = 1; i < n; i++) out[i] = *order[out[i - 1]]++;
}

bool ng_shuffle_dinucleotides(const uint8_t *bases, int64_t n, ng_draw draw, uint8_t *out, uint8_t *spare)
{
    ng_dice dice = ng_dice_of(draw);
    bool others = false;
    memcpy(out, bases, (size_t)n);
    for (int64_t first = 0, last; first < n; first = last + 1) {
        for (last = first; last < n && bases[last] < 4;) last++;
        if (last - first < 2) continue;
        const steps found = count_steps(bases + first, last - first);
        if (is_alone(&found)) continue;
        walk(&found, last - first, &dice, out + first, spare);
        others = true;
    }
    return others;
}

/* ---- many ---- */

#ifdef _OPENMP
#include <omp.h>
static int thread_number(void) { return omp_get_thread_num(); }
#else
static int thread_number(void) { return 0; }
#endif

static void copy_piece(const ng_pieces *pieces, int64_t i, uint8_t *to)
{
    const int64_t before = pieces->length - pieces->starts[i], width = pieces->widths[i], here = width < before ? width : before;
    memcpy(to, pieces->bases + pieces->starts[i], (size_t)here);
    memcpy(to + here, pieces->bases, (size_t)(width - here));
}

ng_status ng_shuffle_pieces(const ng_pieces *pieces, bool dinucleotides, uint64_t key, uint32_t replicate, const int64_t *places,
                            uint8_t *out, int64_t *alone, const ng_run *run, ng_error *error)
{
    int64_t widest = 0;
    int64_t *from = ng_alloc(run->arena, pieces->count + 1, sizeof *from, error);
    uint8_t *without = ng_alloc(run->arena, pieces->count, 1, error);
    for (int64_t i = 0; from && i < pieces->count; i++) {
        from[i + 1] = from[i] + pieces->widths[i];
        if (pieces->widths[i] > widest) widest = pieces->widths[i];
    }
    uint8_t *rooms = from && without ? ng_alloc(run->arena, run->threads, (size_t)(2 * widest), error) : NULL;
    if (!rooms) return error->status;
#pragma omp parallel for schedule(dynamic) num_threads(run->threads)
    for (int64_t i = 0; i < pieces->count; i++) {
        uint8_t *piece = rooms + thread_number() * 2 * widest, *to = out + from[i];
        const ng_draw draw = {key, (uint64_t)places[i], replicate};
        copy_piece(pieces, i, piece);
        without[i] = dinucleotides && pieces->widths[i] > 1 && !ng_shuffle_dinucleotides(piece, pieces->widths[i], draw, to, piece + widest);
        if (!dinucleotides || without[i] || pieces->widths[i] == 1) ng_shuffle_positions(piece, pieces->widths[i], draw, to);
    }
    *alone = 0;
    for (int64_t i = 0; i < pieces->count; i++) *alone += without[i];
    return NG_OK;
}
