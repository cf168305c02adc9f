#include <string.h>
#include "core/motifs/reading.h"

enum { ROUND = 128 };

/* The next round of sequences in the pass; how many. */
static int64_t load(ng_pass *pass, const uint8_t *codes, int64_t from, int64_t n)
{
    const int64_t count = n - from < ROUND ? n - from : ROUND, length = pass->net->length;
    memcpy(pass->codes, codes + from * length, (size_t)(count * length));
    return count;
}

static ng_pass *frozen_pass(const ng_motif_network *net, int64_t n, const ng_run *run, ng_error *error)
{
    ng_pass *pass = ng_pass_new(net, n < ROUND ? n : ROUND, false, run, error);
    if (pass) ng_pass_freeze(pass);
    return pass;
}

static double activation(const ng_pass *pass, int64_t b, int64_t t, int64_t f)
{
    return pass->kernel->number(pass->rows, (b * pass->tokens + t) * pass->row + f);
}

ng_status ng_motif_predict(const ng_motif_network *net, const uint8_t *codes, int64_t n, const ng_run *run, double *logit,
                           const ng_motif_inside *inside, ng_error *error)
{
    ng_pass *pass = frozen_pass(net, n, run, error);
    if (!pass) return error->status;
    for (int64_t from = 0; from < n; from += ROUND) {
        const int64_t count = load(pass, codes, from, n), filters = net->filters;
        if (inside->attention) pass->attention = inside->attention + from * net->layers * net->heads * pass->tokens;
        if (inside->stream) pass->stream = inside->stream + from * (net->layers + 1) * net->stream;
        ng_pass_forward(pass, count, run);
        memcpy(logit + from, pass->logit, (size_t)count * sizeof *logit);
        for (int64_t i = 0; inside->activations && i < count * pass->tokens; i++)
            for (int64_t f = 0; f < filters; f++)
                inside->activations[(from * pass->tokens + i) * filters + f] = pass->kernel->number(pass->rows, i * pass->row + f);
        if (ng_poll(run, (double)(from + count) / (double)n, error)) return error->status;
    }
    return NG_OK;
}

ng_status ng_motif_peaks(const ng_motif_network *net, const uint8_t *codes, int64_t n, double cut, const ng_run *run, ng_motif_peak *peaks,
                         double *activations, int64_t *count, ng_error *error)
{
    ng_pass *pass = frozen_pass(net, n, run, error);
    const int64_t maps = net->layers * net->heads;
    *count = 0;
    if (!pass || !(pass->attention = ng_alloc(run->arena, pass->batch * maps * pass->tokens, sizeof *pass->attention, error))) return error->status;
    for (int64_t from = 0; from < n; from += ROUND) {
        const int64_t here = load(pass, codes, from, n);
        ng_pass_forward(pass, here, run);
        for (int64_t b = 0; b < here; b++)
            for (int64_t t = 0; t < pass->tokens; t++) {
                const double *seen = pass->attention + b * maps * pass->tokens + t;
                int64_t best = 0;
                for (int64_t k = 1; k < maps; k++) best = seen[k * pass->tokens] > seen[best * pass->tokens] ? k : best;
                if (!(seen[best * pass->tokens] > cut)) continue;
                for (int64_t f = 0; f < net->filters; f++) activations[*count * net->filters + f] = activation(pass, b, t, f);
                peaks[(*count)++] = (ng_motif_peak){from + b, t, best / net->heads, best % net->heads, seen[best * pass->tokens]};
            }
        if (ng_poll(run, (double)(from + here) / (double)n, error)) return error->status;
    }
    return NG_OK;
}

ng_status ng_motif_collect(const ng_motif_network *net, const uint8_t *codes, int64_t n, const ng_run *run, const ng_motif_windows *found,
                           ng_error *error)
{
    ng_pass *pass = frozen_pass(net, n, run, error);
    double *positive = ng_alloc(run->arena, net->filters, sizeof *positive, error);
    if (!pass || !positive) return error->status;
    for (int half = 0; half < 2; half++)         /* the highest activations, then the windows above half of them */
        for (int64_t from = 0; from < n; from += ROUND) {
            const int64_t here = load(pass, codes, from, n);
            ng_pass_scan(pass, here, run);
            for (int64_t b = 0; b < here; b++)
                for (int64_t t = 0; t < pass->tokens; t++)
                    for (int64_t f = 0; f < net->filters; f++) {
                        const double a = activation(pass, b, t, f);
                        if (!(a > 0)) continue;
                        if (half == 0) {
                            found->highest[f] = a > found->highest[f] ? a : found->highest[f];
                            found->mean_positive[f] += a;
                            positive[f]++;
                        } else if (a > 0.5 * found->highest[f]) {
                            found->windows[f]++;
                            for (int64_t w = 0; w < net->width; w++) {
                                const uint8_t code = pass->codes[b * net->length + t + w];
                                if (code < 4) found->counts[(f * net->width + w) * 4 + code]++;
                            }
                        }
                    }
            if (ng_poll(run, ((double)(from + here) / (double)n + half) / 2, error)) return error->status;
        }
    for (int64_t f = 0; f < net->filters; f++)
        if (positive[f] > 0) found->mean_positive[f] /= positive[f];
    return NG_OK;
}
