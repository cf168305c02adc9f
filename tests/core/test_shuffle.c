/* Sequences drawn in the place of others: what they keep, and that who asks, and in which order, changes nothing. */
#include <string.h>
#include "check.h"
#include "core/attribution/shuffle.h"

enum { LONGEST = 60, ROUNDS = 400, PIECES = 9 };

static void random_bases(uint8_t *bases, int64_t n)
{
    const int64_t letters = 1 + draw(4);
    for (int64_t i = 0; i < n; i++) bases[i] = draw(12) ? (uint8_t)draw(letters) : (uint8_t)(4 + draw(3));
}

static void count_pairs(const uint8_t *bases, int64_t n, int64_t singles[7], int64_t pairs[7][7])
{
    memset(singles, 0, 7 * sizeof *singles);
    memset(pairs, 0, 49 * sizeof **pairs);
    for (int64_t i = 0; i < n; i++) {
        singles[bases[i]]++;
        if (i) pairs[bases[i - 1]][bases[i]]++;
    }
}

/* Ambiguous letters stay; singles are kept, of dinucleotides the pairs and the ends of each stretch. */
static void check_kept(const uint8_t *bases, const uint8_t *out, int64_t n, bool dinucleotides)
{
    int64_t before[7], after[7], pairs_before[7][7], pairs_after[7][7];
    count_pairs(bases, n, before, pairs_before);
    count_pairs(out, n, after, pairs_after);
    CHECK(!memcmp(before, after, sizeof before));
    if (dinucleotides) CHECK(!memcmp(pairs_before, pairs_after, sizeof pairs_before));
    for (int64_t i = 0; i < n; i++) {
        const bool end = i == 0 || i + 1 == n || bases[i - 1] > 3 || bases[i + 1] > 3;
        if (bases[i] > 3 || (dinucleotides && end)) CHECK(bases[i] == out[i]);
    }
}

static void test_sequences(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t bases[LONGEST], out[LONGEST], again[LONGEST], spare[LONGEST];
        const int64_t n = draw(LONGEST + 1);
        const ng_draw how = {ng_draw_key((uint64_t)round, "contig"), (uint64_t)draw(1000), (uint32_t)draw(10)};
        random_bases(bases, n);
        ng_shuffle_positions(bases, n, how, out);
        check_kept(bases, out, n, false);
        const bool others = ng_shuffle_dinucleotides(bases, n, how, out, spare);
        check_kept(bases, out, n, true);
        if (!others) CHECK(!memcmp(bases, out, (size_t)n));
        CHECK(ng_shuffle_dinucleotides(bases, n, how, again, spare) == others && !memcmp(out, again, (size_t)n));
        ng_mutate_bases(bases, n, 1, how.key, how.replicate, out);
        for (int64_t i = 0; i < n; i++) CHECK(bases[i] > 3 ? out[i] == bases[i] : out[i] < 4 && out[i] != bases[i]);
        ng_mutate_bases(bases, n, 0, how.key, how.replicate, out);
        CHECK(!memcmp(bases, out, (size_t)n));
    }
}

static void test_draws(void)
{
    double counts[64], mean[4] = {0};
    uint8_t chain[200];
    for (int i = 0; i < 64; i++) counts[i] = i % 4 == (i / 4 + 1) % 4;               /* after C always G, and so on */
    for (int round = 0; round < ROUNDS; round++) {
        const ng_draw how = {ng_draw_key(7, "contig"), (uint64_t)round, 1};
        float row[4], sum = 0;
        ng_simplex_row(how, row);
        for (int i = 0; i < 4; i++) {
            CHECK(row[i] >= 0);
            sum += row[i];
            mean[i] += (double)row[i] / ROUNDS;
        }
        CHECK(sum > 0.99999f && sum < 1.00001f);
        ng_dice dice = ng_dice_of(how);
        for (int i = 1; i < 50; i++) {
            const int64_t rolled = ng_roll(&dice, i);
            const double unit = ng_roll_unit(&dice);
            CHECK(rolled >= 0 && rolled < i && unit > 0 && unit < 1);
        }
        ng_markov_bases(counts, 2, draw(201), how, chain);
    }
    for (int i = 0; i < 4; i++) CHECK(mean[i] > 0.2 && mean[i] < 0.3);                /* 1/4, five standard errors either way */
    ng_markov_bases(counts, 2, 200, (ng_draw){1, 2, 3}, chain);
    for (int i = 2; i < 200; i++) CHECK(chain[i] == (chain[i - 1] + 1) % 4);
    CHECK(ng_draw_key(1, "a") != ng_draw_key(1, "b") && ng_draw_key(1, "a") != ng_draw_key(2, "a"));
}

/* Pieces in any order and by any number of threads; over the origin too. */
static void test_pieces(void)
{
    for (int round = 0; round < ROUNDS / 4; round++) {
        uint8_t bases[LONGEST], out[2][PIECES * LONGEST], one[LONGEST], own[LONGEST], spare[LONGEST];
        int64_t starts[PIECES], widths[PIECES], places[PIECES], alone[2] = {0};
        const bool dinucleotides = draw(2);
        random_bases(bases, LONGEST);
        for (int i = 0; i < PIECES; i++) {
            starts[i] = draw(LONGEST);
            widths[i] = draw(LONGEST + 1);
            places[i] = draw(100);
        }
        const ng_pieces pieces = {bases, LONGEST, PIECES, starts, widths};
        for (int threads = 1; threads <= 2; threads++) {
            ng_error error = {0};
            const ng_run run = {.threads = threads, .arena = ng_arena_new(1 << 24)};
            CHECK(ng_shuffle_pieces(&pieces, dinucleotides, 5, 2, places, out[threads - 1], &alone[threads - 1], &run, &error) == NG_OK);
            ng_arena_free(run.arena);
        }
        int64_t at = 0;
        for (int i = 0; i < PIECES; at += widths[i++]) {
            const ng_draw how = {5, (uint64_t)places[i], 2};
            for (int64_t k = 0; k < widths[i]; k++) own[k] = bases[(starts[i] + k) % LONGEST];
            if (!dinucleotides || !ng_shuffle_dinucleotides(own, widths[i], how, one, spare)) ng_shuffle_positions(own, widths[i], how, one);
            CHECK(!memcmp(one, out[0] + at, (size_t)widths[i]));
        }
        CHECK(alone[0] == alone[1] && !memcmp(out[0], out[1], (size_t)at));
    }
}

int main(void)
{
    test_sequences();
    test_draws();
    test_pieces();
    return finish();
}
