#include <math.h>
#include "core/selective/activation.h"

enum { BLOCK = 4, BLOCKS = (NG_LONGEST_KMER + BLOCK - 1) / BLOCK, ENTRIES = 256 };

/* Partial products of four columns with every four letters; the last block of columns comes first, as it is the low end of a code. */
static void fill_table(const double *pwm, int k, double table[BLOCKS][ENTRIES])
{
    for (int block = 0; block * BLOCK < k; block++)
        for (int letters = 0; letters < ENTRIES; letters++) {
            double sum = 0;
            for (int i = 0, column = k - 1 - block * BLOCK; i < BLOCK && column >= 0; i++, column--)
                sum += pwm[4 * column + (letters >> 2 * i & 3)];
            table[block][letters] = sum;
        }
}

static inline double product(double table[BLOCKS][ENTRIES], int blocks, uint32_t code)
{
    double sum = table[0][code & 255];
    for (int block = 1; block < blocks; block++) sum += table[block][code >> 8 * block & 255];
    return sum;
}

void ng_reverse_pwm(const double *pwm, int k, double *reverse)
{
    for (int i = 0; i < 4 * k; i++) reverse[i] = pwm[4 * k - 1 - i];
}

void ng_seism_activate(const ng_kmer_windows *windows, const double *pwm, double bandwidth, bool both, double *phi, int32_t *start,
                       int8_t *strand)
{
    const int k = windows->k, blocks = (k + BLOCK - 1) / BLOCK;
    double forward[BLOCKS][ENTRIES], backward[BLOCKS][ENTRIES], reverse[4 * NG_LONGEST_KMER] = {0}, square = 0;
    fill_table(pwm, k, forward);
    if (both) {
        ng_reverse_pwm(pwm, k, reverse);
        fill_table(reverse, k, backward);
    }
    for (int i = 0; i < 4 * k; i++) square += pwm[i] * pwm[i];
    for (int64_t i = 0; i < windows->n; i++) {
        double best = -INFINITY;
        int64_t where = windows->first[i];
        int8_t side = 1;
        for (int64_t w = windows->first[i]; w < windows->first[i + 1]; w++) {
            const double here = product(forward, blocks, windows->code[w]);
            if (here > best) {
                best = here;
                where = w;
                side = 1;
            }
            const double there = both ? product(backward, blocks, windows->code[w]) : best;
            if (there > best) {
                best = there;
                where = w;
                side = -1;
            }
        }
        phi[i] = exp(-bandwidth * (square + k - 2 * best));
        if (start) start[i] = windows->start[where];
        if (strand) strand[i] = side;
    }
}
