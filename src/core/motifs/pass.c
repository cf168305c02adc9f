#include <math.h>
#include <string.h>
#include "core/kernels/elementary.h"
#include "core/kernels/matrix.h"
#include "core/motifs/overlap.h"
#include "core/motifs/pass.h"

#define INLINE static inline __attribute__((always_inline))
#define SIMD _Pragma("omp simd")
#define UNROLL _Pragma("GCC unroll 4")

#define KERNEL float64
#define TARGET
#define REAL double
#define LANES 2
#define EXP(x) exp(x)
#include "core/motifs/pass_kernel.h"

#define KERNEL portable
#define TARGET
#define REAL float
#define LANES 4
#define EXP(x) ng_exp_of(x, false)
#include "core/motifs/pass_kernel.h"

#if defined(__x86_64__)
#define KERNEL avx2
#define TARGET __attribute__((target("avx2,fma")))
#define REAL float
#define LANES 8
#define EXP(x) ng_exp_of(x, true)
#include "core/motifs/pass_kernel.h"

#define KERNEL avx512
#define TARGET __attribute__((target("avx512f")))
#define REAL float
#define LANES 16
#define EXP(x) ng_exp_of(x, true)
#include "core/motifs/pass_kernel.h"
#endif

enum { LEAST_WORK = 1000000 };                   /* multiply-adds, about: below, threads wait longer for each other than they work */

static const ng_pass_kernel *kernel_of(const ng_motif_network *net)
{
    if (net->float64) return &float64_kernel;
#if defined(__x86_64__)
    if (!strcmp(ng_kernel_name(), "avx512")) return &avx512_kernel;
    if (!strcmp(ng_kernel_name(), "avx2")) return &avx2_kernel;
#endif
    return &portable_kernel;
}

/* The numbers of a pass are taken from the arena one after the other; after the first failure all are NULL, and so is the pass. */
typedef struct taker { ng_arena *arena; ng_error *error; size_t size; bool failed; } taker;

static void *take(taker *t, int64_t count, size_t size)
{
    void *taken = t->failed ? NULL : ng_alloc(t->arena, count, size, t->error);
    t->failed = t->failed || !taken;
    return taken;
}

static void *take_numbers(taker *t, int64_t count) { return take(t, count, t->size); }

static void take_chunks(ng_pass *p, taker *t, bool training)
{
    const ng_motif_network *net = p->net;
    p->chunks = take(t, p->chunk_count, sizeof *p->chunks);
    for (int64_t k = 0; p->chunks && k < p->chunk_count; k++) {
        ng_pass_chunk *c = &p->chunks[k];
        c->words = take(t, p->tokens + NG_WORD * p->groups, sizeof *c->words);
        c->a = take_numbers(t, net->filters * p->padded);
        c->kept = take_numbers(t, net->layers * p->kernel->kept_numbers(p));
        c->attention = take_numbers(t, net->layers * 2 * net->heads * p->padded);
        c->scratch = take_numbers(t, p->kernel->scratch_numbers(p));
        c->sum = take(t, p->row, sizeof *c->sum);
        c->square = take(t, p->row, sizeof *c->square);
        if (!training) continue;
        c->shared_scores = take_numbers(t, net->heads * (p->padded + net->filters));
        c->gradient = take_numbers(t, p->at.count);
        c->filter_gradient = take_numbers(t, (net->width * NG_LETTERS + 1) * p->row);
        c->d_offset = take(t, p->row, sizeof *c->d_offset);
        c->d_gain = take(t, p->row, sizeof *c->d_gain);
        c->meetings = take(t, net->filters * 2 * net->width * p->row, sizeof *c->meetings);
    }
}

ng_pass *ng_pass_new(const ng_motif_network *net, int64_t batch, bool training, const ng_run *run, ng_error *error)
{
    taker t = {run->arena, error, kernel_of(net)->size, false};
    ng_pass *p = take(&t, 1, sizeof *p);
    if (!p) return NULL;
    const int64_t tokens = net->length - net->width + 1;
    p->net = net;
    p->at = ng_motif_places_of(net);
    p->kernel = kernel_of(net);
    p->tokens = tokens;
    p->padded = (tokens + NG_TOKENS - 1) / NG_TOKENS * NG_TOKENS;
    p->row = (net->filters + NG_ROW - 1) / NG_ROW * NG_ROW;
    p->inputs = net->filters + net->positions;
    p->groups = (net->width + NG_WORD - 1) / NG_WORD;
    p->batch = batch;
    p->chunk_count = (batch + NG_CHUNK - 1) / NG_CHUNK;
    take_chunks(p, &t, training);
    p->filters = take(&t, net->filters * net->width * 4, sizeof *p->filters);
    p->bias = take(&t, net->filters, sizeof *p->bias);
    p->weights = take_numbers(&t, p->at.count);
    p->start = take_numbers(&t, net->stream);
    p->taps = take_numbers(&t, p->groups * NG_WORD * NG_LETTERS * p->row);
    p->tables = take_numbers(&t, p->groups * NG_WORDS * p->row);
    p->position = take_numbers(&t, net->positions * p->padded);
    p->rho = take_numbers(&t, p->row);
    p->shift = take_numbers(&t, p->row);
    p->centre = take_numbers(&t, p->row);
    p->first_query = take_numbers(&t, net->dim);
    p->first_key = take_numbers(&t, net->heads * net->dim);
    p->first_reading = take_numbers(&t, net->heads * p->inputs);
    p->first_scores = take_numbers(&t, net->heads * p->padded);
    p->rows = take_numbers(&t, batch * tokens * p->row);
    p->codes = take(&t, batch * net->length, sizeof *p->codes);
    p->logit = take(&t, batch, sizeof *p->logit);
    if (training) {
        p->y = take(&t, batch, sizeof *p->y);
        p->prefix = take(&t, net->filters * 2 * net->width * p->row, sizeof *p->prefix);
        p->table_of_prefix = take_numbers(&t, net->filters * 2 * net->width * p->row);
        p->pull_offset = take_numbers(&t, p->row);
        p->pull_gain = take_numbers(&t, p->row);
        p->slopes = take_numbers(&t, batch * net->filters * p->padded);
        p->winner = take(&t, batch * tokens, sizeof *p->winner);
        p->run_end = take(&t, batch * tokens, sizeof *p->run_end);
    }
    if (t.failed) return NULL;
    p->kernel->positions(p);
    return p;
}

typedef enum region { SCAN, FORWARD, READ, PULL, MEET } region;

/* The first n sequences of the batch, chunk by chunk. */
static void over_chunks(ng_pass *p, region what, int64_t n, int threads)
{
    const int64_t count = (n + NG_CHUNK - 1) / NG_CHUNK;
    const bool worth = n * p->tokens * (p->net->filters + p->net->positions * p->net->heads * p->net->layers) > LEAST_WORK;
    (void)threads, (void)worth;                  /* without OpenMP */
#pragma omp parallel for schedule(static) num_threads(threads) if (worth)
    for (int64_t k = 0; k < count; k++) {
        ng_pass_chunk *c = &p->chunks[k];
        c->first = k * NG_CHUNK;
        c->count = n - c->first < NG_CHUNK ? n - c->first : NG_CHUNK;
        switch (what) {
        case SCAN: p->kernel->scan(p, c); break;
        case FORWARD: p->kernel->scan(p, c); p->kernel->read(p, c, false); break;
        case READ: p->kernel->read(p, c, true); break;
        case PULL: p->kernel->pull(p, c, true); break;
        case MEET: p->kernel->pull(p, c, false); break;
        }
    }
}

/* Statistics of the batch: mean and biased variance of each free filter. */
static void statistics(const ng_pass *p, double *mean, double *variance)
{
    const int64_t free = p->at.free;
    const double count = (double)(p->batch * p->tokens * (p->net->filters / free));
    for (int64_t f = 0; f < free; f++) {
        double sum = 0, square = 0;
        for (int64_t k = 0; k < p->chunk_count; k++)
            for (int64_t g = f; g < p->net->filters; g += free) {
                sum += p->chunks[k].sum[g];
                square += p->chunks[k].square[g];
            }
        mean[f] = sum / count;
        variance[f] = fmax(square / count - mean[f] * mean[f], 0);
    }
}

static void set_number(const ng_pass *p, void *numbers, int64_t i, double value)
{
    if (p->net->float64) ((double *)numbers)[i] = value;
    else ((float *)numbers)[i] = (float)value;
}

/* Batch norm backward: gradients of gain and offset, and what the gradient of an activation loses to the statistics. */
static void absorb_backward(ng_pass *p, const double *mean, const double *scale, double *gradient)
{
    const int64_t free = p->at.free, filters = p->net->filters;
    const double count = (double)(p->batch * p->tokens * (filters / free));
    for (int64_t f = 0; f < free; f++) {
        double offset = 0, gain = 0;
        for (int64_t g = f; g < filters; g += free)
            for (int64_t k = 0; k < p->chunk_count; k++) {
                offset += p->chunks[k].d_offset[g];
                gain += p->chunks[k].d_gain[g];
            }
        gain = scale[f] * (gain - mean[f] * offset);
        gradient[p->at.offset + f] = offset;
        gradient[p->at.gain + f] = gain;
        for (int64_t g = f; g < filters; g += free) {
            set_number(p, p->pull_offset, g, offset / count);
            set_number(p, p->pull_gain, g, gain * scale[f] / count);
        }
    }
}

static void freeze(ng_pass *p, const double *mean, const double *variance)
{
    double scale[32];
    for (int64_t f = 0; f < p->at.free; f++) scale[f] = 1 / sqrt(variance[f] + 1e-5);
    p->kernel->absorb(p, mean, scale);
}

void ng_pass_gradient(ng_pass *p, const ng_motif_weights *weights, bool measure, const ng_run *run, ng_motif_loss *loss,
                      double *gradient, double *mean, double *variance)
{
    const ng_motif_network *net = p->net;
    const double tokens = (double)(p->batch * p->tokens), heads = (double)(net->layers * net->heads);
    const double shifts = (double)(2 * net->width - 1);
    ng_motif_filters(net, p->filters, p->bias);
    p->measure_overlap = measure || weights->overlap != 0;
    p->measure_entropy = measure || weights->entropy != 0;
    p->entropy_weight = weights->entropy / ((double)p->batch * heads);
    if (p->measure_overlap) {
        double mass = 0;
        for (int64_t i = 0; i < net->filters * net->width * 4; i++) mass += fabs(p->filters[i]);
        const double scale = mass > 0 ? weights->overlap / (tokens * (double)net->filters * shifts * mass) : 0;
        ng_overlap_prefix(net, p->filters, p->row, p->prefix);
        for (int64_t i = 0; i < net->filters * 2 * net->width * p->row; i++) p->prefix[i] *= scale;
    }
    p->kernel->prepare(p);
    over_chunks(p, SCAN, p->batch, run->threads);
    statistics(p, mean, variance);
    freeze(p, mean, variance);
    over_chunks(p, READ, p->batch, run->threads);
    double scale[32];
    for (int64_t f = 0; f < p->at.free; f++) scale[f] = 1 / sqrt(variance[f] + 1e-5);
    memset(gradient, 0, (size_t)p->at.count * sizeof *gradient);
    absorb_backward(p, mean, scale, gradient);
    if (!net->frozen) over_chunks(p, PULL, p->batch, run->threads);
    else if (p->measure_overlap) over_chunks(p, MEET, p->batch, run->threads);
    p->kernel->sum_gradients(p, gradient);

    *loss = (ng_motif_loss){.overlap = NAN, .entropy = NAN};
    double entropy = 0, filters[32 * 25 * 4] = {0}, bias[32] = {0};
    for (int64_t k = 0; k < p->chunk_count; k++) {
        loss->fit += p->chunks[k].fit;
        entropy += p->chunks[k].entropy;
    }
    loss->fit /= (double)p->batch;
    if (p->measure_entropy) loss->entropy = entropy / ((double)p->batch * heads);
    if (!net->frozen) p->kernel->filter_gradient(p, filters, bias);
    for (int64_t i = 0; i < net->filters * net->width * 4; i++) {
        loss->l1 += fabs(p->filters[i]);
        filters[i] += weights->l1 * ((p->filters[i] > 0) - (p->filters[i] < 0));
    }
    if (p->measure_overlap) {
        for (int64_t k = 1; k < p->chunk_count; k++)
            for (int64_t i = 0; i < net->filters * 2 * net->width * p->row; i++) p->chunks[0].meetings[i] += p->chunks[k].meetings[i];
        loss->overlap = ng_overlap(net, p->filters, p->row, p->chunks[0].meetings, tokens, weights->overlap,
                                   weights->overlap != 0 ? filters : NULL);
    }
    if (!net->frozen) ng_motif_fold(net, filters, bias, gradient);
    loss->total = loss->fit + weights->l1 * loss->l1 + (weights->overlap != 0 ? weights->overlap * loss->overlap : 0) +
                  (weights->entropy != 0 ? weights->entropy * loss->entropy : 0);
}

void ng_pass_freeze(ng_pass *p)
{
    ng_motif_filters(p->net, p->filters, p->bias);
    p->kernel->prepare(p);
    freeze(p, p->net->mean, p->net->variance);
}

void ng_pass_scan(ng_pass *p, int64_t n, const ng_run *run) { over_chunks(p, SCAN, n, run->threads); }

void ng_pass_forward(ng_pass *p, int64_t n, const ng_run *run) { over_chunks(p, FORWARD, n, run->threads); }
