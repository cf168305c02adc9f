/* The running sum of a gene set against a walk down the sorted features, and the means of a moved annotation against loops. */
#include <math.h>
#include <stdlib.h>
#include "check.h"
#include "core/attribution/gene_sets.h"

enum { MOST = 40, SETS = 3 };

static int downwards(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static void walks(void)
{
    for (int trial = 0; trial < 300; trial++) {
        const int n = 5 + (int)draw(MOST - 5);
        double means[MOST], sorted[MOST];
        int64_t first[MOST + 1] = {0}, set[MOST * SETS], present = 0;
        bool member[SETS][MOST];
        for (int f = 0; f < n; f++) {
            means[f] = draw(9) == 0 ? NAN : trial % 2 ? draw_real() : (double)(draw(7) - 3);        /* odd trials have no ties */
            first[f + 1] = first[f];
            for (int s = 0; s < SETS; s++) {
                member[s][f] = draw(4) == 0;
                if (member[s][f]) set[first[f + 1]++] = s;
            }
            if (!isnan(means[f])) sorted[present++] = means[f];
        }
        if (present < 2) continue;
        qsort(sorted, (size_t)present, sizeof *sorted, downwards);
        const ng_gene_sets sets = {first, set, n, SETS, trial % 3 ? 1 : 0};
        ng_set_score scores[SETS];
        double room[MOST * 2 + SETS * 4];
        CHECK(ng_score_sets_room(&sets) <= (int64_t)sizeof room);
        ng_score_sets(&sets, means, room, scores);
        for (int s = 0; s < SETS; s++) {
            double total = 0, members = 0, high = 0, low = 0;
            int64_t bins[NG_SET_BINS] = {0};
            for (int f = 0; f < n; f++)
                if (member[s][f] && !isnan(means[f])) {
                    double below = 0;
                    for (int64_t g = 0; g < present; g++) below += sorted[g] < means[f] ? 1 : sorted[g] == means[f] ? 0.5 : 0;
                    const double quantile = (below - 0.5) / (double)(present - 1);
                    bins[quantile >= 1 ? NG_SET_BINS - 1 : (int)(quantile * NG_SET_BINS)]++;
                    total += pow(fabs(means[f]), sets.weight);
                    members++;
                }
            if (members == 0) continue;
            for (int64_t i = 0; i < present; i++) {
                double up = 0, down = 0;
                for (int f = 0; f < n; f++)
                    if (means[f] >= sorted[i]) {
                        if (member[s][f]) up += total > 0 ? pow(fabs(means[f]), sets.weight) / total : 1 / members;
                        else down += 1 / ((double)present - members);
                    }
                high = fmax(high, up - down);
                low = fmin(low, up - down);
            }
            CHECK(fabs(scores[s].high - high) < 1e-12 && fabs(scores[s].low - low) < 1e-12);
            for (int bin = 0; bin < NG_SET_BINS; bin++) CHECK(scores[s].bins[bin] == bins[bin]);
        }
    }
}

/* Features in several pieces, blocks that begin anywhere, two circles; the sum of a piece base by base. */
static void moves(void)
{
    enum { AXIS = 30, BLOCK = 7, PIECES = 6, FEATURES = 4 };
    double score[AXIS], sums[AXIS + 1] = {0}, known[AXIS + 1] = {0};
    const int64_t circles[2] = {0, 18};
    for (int trial = 0; trial < 200; trial++) {
        for (int i = 0; i < AXIS; i++) {
            score[i] = draw(4) == 0 ? NAN : draw_real();
            sums[i + 1] = sums[i] + (isnan(score[i]) ? 0 : score[i]);
            known[i + 1] = known[i] + !isnan(score[i]);
        }
        int64_t block[PIECES], offset[PIECES], bases[PIECES], feature[PIECES], places[5];
        for (int k = 0; k < 5; k++) places[k] = draw(AXIS);
        double expected[FEATURES] = {0}, count[FEATURES] = {0}, means[FEATURES], found[FEATURES];
        for (int k = 0; k < PIECES; k++) {
            block[k] = draw(5);
            offset[k] = draw(BLOCK);
            bases[k] = 1 + draw(BLOCK);
            feature[k] = draw(FEATURES);
            const int64_t place = places[block[k]], start = place < 18 ? 0 : 18, length = place < 18 ? 18 : 12;
            for (int64_t i = 0; i < bases[k]; i++) {
                const double here = score[start + (place - start + offset[k] + i) % length];
                if (isnan(here)) continue;
                expected[feature[k]] += here;
                count[feature[k]]++;
            }
        }
        const ng_annotation annotation = {sums, known, 0, AXIS, 5, 2, FEATURES, PIECES, circles, block, offset, bases, feature};
        ng_moved_means(&annotation, places, means, found);
        for (int f = 0; f < FEATURES; f++) {
            CHECK(found[f] == count[f]);
            CHECK(count[f] > 0 ? fabs(means[f] - expected[f] / count[f]) < 1e-12 : isnan(means[f]));
        }
    }
}

int main(void)
{
    walks();
    moves();
    return finish();
}
