#include <math.h>
#include "core/motifs/overlap.h"

enum { MOST_FILTERS = 32, MOST_WIDTH = 25 };

typedef struct masses { double column[MOST_FILTERS][MOST_WIDTH], overlap[MOST_FILTERS][2 * MOST_WIDTH], total; } masses;

static int64_t first_column(int64_t shift) { return shift > 0 ? shift : 0; }
static int64_t last_column(int64_t shift, int64_t width) { return width - 1 + (shift < 0 ? shift : 0); }

static masses masses_of(const ng_motif_network *net, const double *filters)
{
    masses m = {.total = 0};
    const int64_t width = net->width;
    for (int64_t f = 0; f < net->filters; f++) {
        for (int64_t w = 0; w < width; w++) {
            for (int64_t c = 0; c < 4; c++) m.column[f][w] += fabs(filters[(f * width + w) * 4 + c]);
            m.total += m.column[f][w];
        }
        for (int64_t shift = 1 - width; shift < width; shift++)
            for (int64_t w = first_column(shift); w <= last_column(shift, width); w++) m.overlap[f][shift + width - 1] += m.column[f][w];
    }
    return m;
}

static bool compete(const ng_motif_network *net, int64_t a, int64_t f)
{
    return net->tied ? a % (net->filters / 2) != f % (net->filters / 2) : a != f;
}

void ng_overlap_prefix(const ng_motif_network *net, const double *filters, int64_t row, double *prefix)
{
    const masses m = masses_of(net, filters);
    const int64_t shifts = 2 * net->width - 1;
    for (int64_t a = 0; a < net->filters; a++)
        for (int64_t f = 0; f < net->filters; f++) {
            double *to = prefix + a * (shifts + 1) * row + f, sum = 0;
            for (int64_t k = 0; k < shifts; k++) {
                to[k * row] = sum;
                if (compete(net, a, f)) sum += m.overlap[a][k] * m.overlap[f][shifts - 1 - k];
            }
            to[shifts * row] = sum;
        }
}

double ng_overlap(const ng_motif_network *net, const double *filters, int64_t row, const double *differences, double positions,
                  double weight, double *gradient)
{
    const masses m = masses_of(net, filters);
    const int64_t width = net->width, shifts = 2 * width - 1;
    const double scale = 1 / (positions * (double)net->filters * (double)shifts * m.total);
    double slope[MOST_FILTERS][2 * MOST_WIDTH] = {{0}}, sum = 0;                      /* dU, without scale */
    for (int64_t a = 0; a < net->filters; a++)
        for (int64_t f = 0; f < net->filters; f++) {
            if (!compete(net, a, f)) continue;
            double meetings = 0;
            for (int64_t k = 0; k < shifts; k++) {
                meetings += differences[(a * (shifts + 1) + k) * row + f];
                const double own = m.overlap[a][k], other = m.overlap[f][shifts - 1 - k];
                sum += own * other * meetings;
                slope[a][k] += meetings * other;
                slope[f][shifts - 1 - k] += meetings * own;
            }
        }
    const double overlap = m.total > 0 ? scale * sum : 0;
    for (int64_t f = 0; gradient && m.total > 0 && f < net->filters; f++)
        for (int64_t w = 0; w < width; w++) {
            double d = -overlap / m.total;
            for (int64_t shift = 1 - width; shift < width; shift++)
                if (first_column(shift) <= w && w <= last_column(shift, width)) d += scale * slope[f][shift + width - 1];
            for (int64_t c = 0; c < 4; c++) {
                const int64_t i = (f * width + w) * 4 + c;
                gradient[i] += weight * d * ((filters[i] > 0) - (filters[i] < 0));
            }
        }
    return overlap;
}
