#include <math.h>
#include "core/selective/cells.h"

void ng_round_column(const double column[4], int mesh, int counts[4])
{
    double remainder[4];
    int left = mesh;
    for (int a = 0; a < 4; a++) {
        counts[a] = (int)floor(column[a] * mesh + 1e-9);
        remainder[a] = column[a] * mesh - counts[a];
        left -= counts[a];
    }
    for (; left > 0; left--) {
        int best = 0;
        for (int a = 1; a < 4; a++)
            if (remainder[a] > remainder[best] + 1e-9) best = a;
        counts[best]++;
        remainder[best] -= 1;
    }
}

void ng_cell_centre(const double *pwm, int k, int mesh, double *centre)
{
    for (int column = 0; column < k; column++) {
        int counts[4];
        ng_round_column(pwm + 4 * column, mesh, counts);
        for (int a = 0; a < 4; a++) centre[4 * column + a] = (double)counts[a] / mesh;
    }
}
