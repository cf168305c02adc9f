#include <math.h>
#include <string.h>
#include "core/motifs/grammar.h"

enum { MOST_REDRAWS = 10000, ROUND = 256 };

/* The numbers of a stream one after the other. */
typedef struct reader { ng_random_stream stream; uint64_t block; double pair[2]; int left; } reader;

static double next(reader *r)
{
    if (!r->left) {
        ng_uniform_pair(r->stream, r->block++, r->pair);
        r->left = 2;
    }
    return r->pair[2 - r->left--];
}

/* A whole number in [least, most]. */
static int64_t whole(reader *r, int64_t least, int64_t most) { return least + (int64_t)(next(r) * (double)(most - least + 1)); }

static uint8_t letter(reader *r, const double probability[4])
{
    double u = next(r);
    for (uint8_t c = 0; c < 3; c++) {
        if (u < probability[c]) return c;
        u -= probability[c];
    }
    return 3;
}

bool ng_grammar_positive(const ng_grammar *g, int64_t sequence)
{
    return floor((double)(sequence + 1) * g->share) > floor((double)sequence * g->share);
}

int64_t ng_grammar_most_sites(const ng_grammar *g)
{
    int64_t most = 0;
    const ng_class *classes[2] = {&g->negative, &g->positive};
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < classes[k]->count; i++) {
            int64_t motifs = 0;
            for (int64_t p = 0; p < classes[k]->configurations[i].count; p++) motifs += classes[k]->configurations[i].parts[p].motif >= 0;
            if (motifs > most) most = motifs;
        }
    return most * (g->place == NG_PERIODIC ? g->copies : 1);
}

/* Where copy number `copy` of `width` letters may start: *first of *count places, each as likely. */
static void places(const ng_grammar *g, int64_t copy, int64_t width, int64_t *first, int64_t *count)
{
    if (g->place == NG_UNIFORM) {
        *first = 0;
        *count = g->length - width + 1;
        return;
    }
    const int64_t centre = g->place == NG_CENTRE ? g->length / 2 : g->period / 2 + copy * g->period;
    *first = centre - width / 2 - g->jitter;
    *count = 2 * g->jitter + 1;
}

/* The mean probability of the letters under a motif, read forwards or as the reverse complement. */
static double likeness(const double *pfm, int64_t width, const uint8_t *codes, bool reverse)
{
    double sum = 0;
    for (int64_t w = 0; w < width; w++) sum += reverse ? pfm[4 * (width - 1 - w) + 3 - codes[w]] : pfm[4 * w + codes[w]];
    return sum / (double)width;
}

static bool redraw_motifs(const ng_grammar *g, reader *r, uint8_t *codes)
{
    int redraws = 0;
    for (int m = 0; m < g->motifs; m++)
        for (int64_t t = 0; t + g->width[m] <= g->length; t++)
            while (likeness(g->pfm[m], g->width[m], codes + t, false) >= g->reject ||
                   likeness(g->pfm[m], g->width[m], codes + t, true) >= g->reject) {
                if (++redraws > MOST_REDRAWS) return false;
                for (int64_t w = 0; w < g->width[m]; w++) codes[t + w] = letter(r, g->background);
                m = 0;                                               /* the new letters may be like a motif, or a window before */
                t = 0;
            }
    return true;
}

/* Writes one configuration at its place. */
static void write(const ng_grammar *g, const ng_class *class, int64_t copy, reader *r, uint8_t *codes, ng_site *sites, int64_t *count)
{
    const ng_configuration *chosen = class->configurations;
    for (double u = next(r); u >= chosen->probability && chosen + 1 < class->configurations + class->count; chosen++) u -= chosen->probability;
    int64_t width = 0, offset = 0, first, starts, used = 0;
    reader spacers = *r;                                             /* drawn now for the width, and again when they are passed */
    for (int64_t p = 0; p < chosen->count; p++) {
        const ng_grammar_part *part = &chosen->parts[p];
        width += part->motif >= 0 ? g->width[part->motif] : whole(r, part->least, part->most);
    }
    places(g, copy, width, &first, &starts);
    const int64_t start = whole(r, first, first + starts - 1);
    for (int64_t p = 0; p < chosen->count; p++) {
        const ng_grammar_part *part = &chosen->parts[p];
        if (part->motif < 0) {
            offset += whole(&spacers, part->least, part->most);
            continue;
        }
        const int64_t here = start + offset, w = g->width[part->motif];
        for (int64_t i = 0; i < w; i++) codes[here + i] = letter(r, g->pfm[part->motif] + 4 * i);
        if (sites) sites[*count + used] = (ng_site){part->motif, here, here + w, false};
        used++;
        offset += w;
    }
    *count += used;
}

static void turn(int64_t length, uint8_t *codes)
{
    for (int64_t i = 0, j = length - 1; i <= j; i++, j--) {
        const uint8_t left = codes[i];
        codes[i] = 3 - codes[j];
        codes[j] = 3 - left;
    }
}

bool ng_grammar_draw(const ng_grammar *g, bool positive, ng_random_stream stream, uint8_t *codes, ng_site *sites, int64_t *count)
{
    reader r = {.stream = stream};
    const ng_class *class = positive ? &g->positive : &g->negative;
    for (int64_t i = 0; i < g->length; i++) codes[i] = letter(&r, g->background);
    if (g->reject <= 1 && !redraw_motifs(g, &r, codes)) return false;
    int64_t found = 0;
    for (int64_t copy = 0; class->count && copy < (g->place == NG_PERIODIC ? g->copies : 1); copy++) write(g, class, copy, &r, codes, sites, &found);
    if (g->both && next(&r) < 0.5) {
        turn(g->length, codes);
        for (int64_t s = 0; sites && s < found; s++)
            sites[s] = (ng_site){sites[s].motif, g->length - sites[s].end, g->length - sites[s].start, true};
    }
    if (count) *count = found;
    return true;
}

ng_status ng_grammar_simulate(const ng_grammar *g, uint64_t key, uint32_t lane, int64_t first, int64_t n, const ng_run *run,
                              uint8_t *codes, ng_site *sites, int64_t *counts, ng_error *error)
{
    const int64_t most = ng_grammar_most_sites(g);
    for (int64_t from = 0; from < n; from += ROUND) {
        const int64_t to = from + ROUND < n ? from + ROUND : n;
        bool failed = false;
#pragma omp parallel for schedule(static) num_threads(run->threads) if (to - from > 8)
        for (int64_t i = from; i < to; i++) {
            const ng_random_stream stream = {key, (uint32_t)(first + i), lane};
            if (!ng_grammar_draw(g, ng_grammar_positive(g, first + i), stream, codes + i * g->length, sites ? sites + i * most : NULL,
                                 counts ? counts + i : NULL)) {
#pragma omp critical
                failed = true;
            }
        }
        if (failed)
            return ng_fail(error, NG_BAD_INPUT, NULL, "reject = %g leaves no background: some window is always as like a motif", g->reject);
        if (ng_poll(run, (double)to / (double)n, error)) return error->status;
    }
    return NG_OK;
}

/* ---- the bound ---- */

enum { UNKNOWN = 4, ZERO_PER_MILLE = 2 };        /* a probability of 0 counts as .002: the benchmarks are defined so */

/* log of probability over background at every start, of one motif: -infinity where it does not fit, 0 for unknown letters. */
static void log_ratios(const ng_grammar *g, int m, const uint8_t *codes, double *ratio)
{
    const double least = ZERO_PER_MILLE / 1000.0;
    double column[UNKNOWN + 1] = {0};
    for (int64_t t = 0; t < g->length; t++) ratio[t] = t + g->width[m] <= g->length ? 0 : -INFINITY;
    for (int64_t w = 0; w < g->width[m]; w++) {
        for (int c = 0; c < UNKNOWN; c++) {
            const double p = g->pfm[m][4 * w + c];
            column[c] = log((p > 0 ? p : least) / g->background[c]);
        }
        for (int64_t t = 0; t + g->width[m] <= g->length; t++) ratio[t] += column[codes[t + w]];
    }
}

/* Adds P * P(start) * ratio over all spacers and starts of a configuration whose first `part` parts are placed at `width` letters. */
static double sum_over(const ng_grammar *g, const ng_configuration *c, int64_t part, int64_t width, int64_t copy, int64_t *offset,
                       const double *ratio)
{
    if (part < c->count && c->parts[part].motif < 0) {
        double sum = 0;
        const int64_t least = c->parts[part].least, most = c->parts[part].most;
        for (int64_t gap = least; gap <= most; gap++) sum += sum_over(g, c, part + 1, width + gap, copy, offset, ratio);
        return sum / (double)(most - least + 1);
    }
    if (part < c->count) {
        offset[part] = width;
        return sum_over(g, c, part + 1, width + g->width[c->parts[part].motif], copy, offset, ratio);
    }
    int64_t first, starts;
    places(g, copy, width, &first, &starts);
    double sum = 0;
    for (int64_t start = first; start < first + starts; start++) {
        double log_ratio = 0;
        for (int64_t p = 0; p < c->count; p++)
            if (c->parts[p].motif >= 0) log_ratio += ratio[c->parts[p].motif * g->length + start + offset[p]];
        sum += exp(log_ratio);
    }
    return sum / (double)starts;
}

static double likelihood_ratio(const ng_grammar *g, const ng_class *class, int64_t *offset, const double *ratio)
{
    double product = 1;
    for (int64_t copy = 0; class->count && copy < (g->place == NG_PERIODIC ? g->copies : 1); copy++) {
        double sum = 0;
        for (int64_t i = 0; i < class->count; i++)
            sum += class->configurations[i].probability * sum_over(g, &class->configurations[i], 0, 0, copy, offset, ratio);
        product *= sum;
    }
    return product;
}

ng_status ng_grammar_bayes(const ng_grammar *g, const uint8_t *codes, int64_t n, const ng_run *run, double *score, ng_error *error)
{
    int64_t most_parts = 1;
    for (int64_t i = 0; i < g->positive.count; i++) most_parts = g->positive.configurations[i].count > most_parts ? g->positive.configurations[i].count : most_parts;
    for (int64_t i = 0; i < g->negative.count; i++) most_parts = g->negative.configurations[i].count > most_parts ? g->negative.configurations[i].count : most_parts;
    double *ratio = ng_alloc(run->arena, ROUND * (int64_t)g->motifs * g->length, sizeof *ratio, error);
    uint8_t *turned = ng_alloc(run->arena, ROUND * g->length, 1, error);
    int64_t *offset = ng_alloc(run->arena, ROUND * most_parts, sizeof *offset, error);
    if (!ratio || !turned || !offset) return error->status;
    for (int64_t from = 0; from < n; from += ROUND) {
        const int64_t to = from + ROUND < n ? from + ROUND : n;
#pragma omp parallel for schedule(dynamic, 8) num_threads(run->threads)
        for (int64_t i = from; i < to; i++) {
            double likelihood[2] = {0, 0}, *own = ratio + (i - from) * g->motifs * g->length;
            uint8_t *read = turned + (i - from) * g->length;
            memcpy(read, codes + i * g->length, (size_t)g->length);
            for (int strand = 0; strand < (g->both ? 2 : 1); strand++) {
                if (strand == 1)
                    for (int64_t t = 0; t < g->length; t++) {
                        const uint8_t code = codes[i * g->length + g->length - 1 - t];
                        read[t] = code < UNKNOWN ? 3 - code : UNKNOWN;
                    }
                for (int m = 0; m < g->motifs; m++) log_ratios(g, m, read, own + m * g->length);
                likelihood[0] += likelihood_ratio(g, &g->negative, offset + (i - from) * most_parts, own);
                likelihood[1] += likelihood_ratio(g, &g->positive, offset + (i - from) * most_parts, own);
            }
            score[i] = log(likelihood[1]) - log(likelihood[0]);
        }
        if (ng_poll(run, (double)to / (double)n, error)) return error->status;
    }
    return NG_OK;
}
