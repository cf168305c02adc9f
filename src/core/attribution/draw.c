#include <math.h>
#include <string.h>
#include "core/attribution/shuffle.h"
#include "core/base/philox.h"
#include "core/base/random.h"

/* FNV-1a over the name, and the seed spread over all bits. */
uint64_t ng_draw_key(uint64_t seed, const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++) hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
    return hash ^ (seed + 1) * 0x9e3779b97f4a7c15u;
}

ng_dice ng_dice_of(ng_draw draw)
{
    return (ng_dice){{0, (uint32_t)draw.place, (uint32_t)(draw.place >> 32), draw.replicate},
                     {(uint32_t)draw.key, (uint32_t)(draw.key >> 32)}, {0}, 0};
}

static uint64_t bits(ng_dice *dice)
{
    if (!dice->left) {
        uint32_t words[4];
        ng_philox(dice->counter, dice->key, words);
        dice->words[1] = (uint64_t)words[0] << 32 | words[1];
        dice->words[0] = (uint64_t)words[2] << 32 | words[3];
        dice->counter[0]++;
        dice->left = 2;
    }
    return dice->words[--dice->left];
}

int64_t ng_roll(ng_dice *dice, int64_t limit) { return ng_share(bits(dice), limit); }

double ng_roll_unit(ng_dice *dice) { return ((double)(bits(dice) >> 11) + 0.5) * 0x1p-53; }

/* The base where running sums of four counts pass a random share of their total. */
static uint8_t draw_base(const double count[4], double total, ng_dice *dice)
{
    double at = ng_roll_unit(dice) * total;
    for (uint8_t base = 0; base < 3; base++)
        if ((at -= count[base]) < 0) return base;
    return 3;
}

void ng_markov_bases(const double *counts, int order, int64_t n, ng_draw draw, uint8_t *out)
{
    const int64_t contexts = (int64_t)1 << (2 * order);
    double whole[4] = {0}, total = 0;
    for (int64_t i = 0; i < 4 * contexts; i++) whole[i & 3] += counts[i];
    for (int base = 0; base < 4; base++) total += whole[base];
    ng_dice dice = ng_dice_of(draw);
    int64_t context = 0;
    double at = ng_roll_unit(&dice) * total;
    for (; context + 1 < contexts; context++) {
        const double *row = counts + 4 * context;
        if ((at -= row[0] + row[1] + row[2] + row[3]) < 0) break;
    }
    for (int64_t i = 0; i < n && i < order; i++) out[i] = (uint8_t)(context >> (2 * (order - 1 - i)) & 3);
    for (int64_t i = order; i < n; i++) {
        const double *row = counts + 4 * context, here = row[0] + row[1] + row[2] + row[3];
        out[i] = here > 0 ? draw_base(row, here, &dice) : draw_base(whole, total, &dice);    /* a context that ends the genome alone */
        context = (4 * context + out[i]) & (contexts - 1);
    }
}

void ng_mutate_bases(const uint8_t *bases, int64_t n, double rate, uint64_t key, uint32_t replicate, uint8_t *out)
{
    for (int64_t i = 0; i < n; i++) {
        ng_dice dice = ng_dice_of((ng_draw){key, (uint64_t)i, replicate});
        out[i] = bases[i];
        if (bases[i] < 4 && ng_roll_unit(&dice) < rate) out[i] = (uint8_t)((bases[i] + 1 + ng_roll(&dice, 3)) & 3);
    }
}

void ng_simplex_row(ng_draw draw, float row[4])
{
    ng_dice dice = ng_dice_of(draw);
    double share[4], sum = 0;
    for (int i = 0; i < 4; i++) sum += share[i] = -log(ng_roll_unit(&dice));
    for (int i = 0; i < 4; i++) row[i] = (float)(share[i] / sum);
}
