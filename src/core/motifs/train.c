#include <math.h>
#include <string.h>
#include "core/motifs/train.h"

enum { LANE_ORDER = 2, LANE_DATA = 3, MOST_SKIPPED = 10, EPOCH_BITS = 20 };

void ng_motif_step(ng_motif_network *net, ng_motif_adam *adam, double *gradient, const ng_motif_weights *weights)
{
    const int64_t count = ng_motif_places_of(net).count;
    double square = 0;
    for (int64_t i = 0; i < count; i++) square += gradient[i] * gradient[i];
    const double clip = fmin(1, weights->clip / (sqrt(square) + 1e-6)), steps = (double)++adam->steps;
    const double first = 1 - pow(0.9, steps), second = 1 - pow(0.999, steps);
    for (int64_t i = 0; i < count; i++) {
        const double g = clip * gradient[i];
        adam->first[i] = 0.9 * adam->first[i] + 0.1 * g;
        adam->second[i] = 0.999 * adam->second[i] + 0.001 * g * g;
        net->parameters[i] -= weights->rate * (adam->first[i] / first) / (sqrt(adam->second[i] / second) + 1e-8);
    }
}

/* A tied filter and its mirror image do not compete: a pair that fires everywhere, which batch norm hides from the answer, would cost
 * nothing and be no motif. While L1 acts, a bias above 0 falls by the learning rate. */
static void lower_biases(ng_motif_network *net, double rate)
{
    const ng_motif_places at = ng_motif_places_of(net);
    double *bias = net->parameters + at.bias;
    for (int64_t f = 0; f < at.free; f++) bias[f] = bias[f] > 0 ? fmax(0, bias[f] - rate) : bias[f];
}

static void mirror(const uint8_t *codes, int64_t length, uint8_t *turned)
{
    for (int64_t i = 0; i < length; i++) {
        const uint8_t code = codes[length - 1 - i];
        turned[i] = code < 4 ? 3 - code : code;
    }
}

/* The order in which an epoch takes the sequences; balanced: those with y > 1/2 first, then the others. Gives how many are first. */
static int64_t shuffle(const ng_motif_data *data, uint64_t key, int64_t epoch, int64_t *order)
{
    int64_t high = 0, low = data->n;
    for (int64_t i = 0; i < data->n; i++)
        if (data->balance && !(data->y[i] > 0.5)) order[--low] = i;
        else order[high++] = i;
    const int64_t ends[3] = {0, high, data->n};
    const ng_random_stream stream = {key, (uint32_t)epoch, LANE_ORDER};
    for (int part = 0; part < 2; part++)
        for (int64_t i = ends[part + 1] - 1; i > ends[part]; i--) {
            double pair[2];
            ng_uniform_pair(stream, (uint64_t)i, pair);
            const int64_t j = ends[part] + (int64_t)(pair[0] * (double)(i - ends[part] + 1)), was = order[i];
            order[i] = order[j];
            order[j] = was;
        }
    return high;
}

/* Puts batch number `step` into the pass; false if a grammar's sequence cannot be drawn. */
static bool fill(ng_pass *pass, const ng_motif_data *data, const int64_t *order, int64_t high, int64_t epoch, int64_t step, uint64_t key,
                 int threads)
{
    const int64_t length = pass->net->length, drawn = data->mirror ? pass->batch / 2 : pass->batch;
    bool failed = false;
    (void)threads;                               /* without OpenMP */
#pragma omp parallel for schedule(static) num_threads(threads) if (data->grammar && drawn * length > 10000)
    for (int64_t b = 0; b < drawn; b++) {
        uint8_t *codes = pass->codes + b * length;
        const int64_t number = step * drawn + b;
        if (data->grammar) {
            const bool positive = ng_grammar_positive(data->grammar, number);
            const ng_random_stream stream = {key, (uint32_t)((epoch << EPOCH_BITS) + number), LANE_DATA};
            if (!ng_grammar_draw(data->grammar, positive, stream, codes, NULL, NULL)) {
#pragma omp critical
                failed = true;
            }
            pass->y[b] = positive;
        } else {
            const int64_t i = !data->balance ? order[number] : number % 2 ? order[number / 2 % high] : order[high + number / 2 % (data->n - high)];
            memcpy(codes, data->codes + i * length, (size_t)length);
            pass->y[b] = data->y[i];
        }
        if (data->mirror) {
            mirror(codes, length, pass->codes + (drawn + b) * length);
            pass->y[drawn + b] = pass->y[b];
        }
    }
    return !failed;
}

ng_status ng_motif_train(ng_motif_network *net, ng_motif_adam *adam, const ng_motif_data *data, const ng_motif_weights *weights,
                         int64_t batch, int64_t epoch, uint64_t key, const ng_run *run, ng_motif_epoch *result, ng_error *error)
{
    ng_pass *pass = ng_pass_new(net, batch, true, run, error);
    double *gradient = pass ? ng_alloc(run->arena, pass->at.count, sizeof *gradient, error) : NULL;
    int64_t *order = gradient ? ng_alloc(run->arena, data->n, sizeof *order, error) : NULL;
    if (!order) return error->status;
    const int64_t drawn = data->mirror ? batch / 2 : batch, batches = data->grammar ? data->batches : data->n / drawn;
    const int64_t high = data->grammar ? 0 : shuffle(data, key, epoch, order);
    const double positions = (double)(batch * pass->tokens * (net->filters / pass->at.free));
    int64_t overlaps = 0, entropies = 0, in_a_row = 0;
    *result = (ng_motif_epoch){.batches = 0};
    for (int64_t step = 0; step < batches; step++) {
        double mean[32], variance[32];
        ng_motif_loss loss;
        if (!fill(pass, data, order, high, epoch, step, key, run->threads))
            return ng_fail(error, NG_BAD_INPUT, NULL, "reject leaves no background: some window is always as like a motif");
        ng_pass_gradient(pass, weights, step == 0, run, &loss, gradient, mean, variance);
        if (!isfinite(loss.total)) {
            result->skipped++;
            if (++in_a_row == MOST_SKIPPED)
                return ng_fail(error, NG_BAD_INPUT, NULL, "the loss of %d batches in a row was not finite: the learning rate may be too high", MOST_SKIPPED);
            continue;
        }
        in_a_row = 0;
        ng_motif_step(net, adam, gradient, weights);
        if (net->tied && !net->frozen && weights->l1 > 0) lower_biases(net, weights->rate);
        for (int64_t f = 0; f < pass->at.free; f++) {
            net->mean[f] += 0.1 * (mean[f] - net->mean[f]);
            net->variance[f] += 0.1 * (variance[f] * positions / (positions - 1) - net->variance[f]);
            result->highest_mean = fmax(result->highest_mean, mean[f]);
        }
        result->batches++;
        result->loss.total += loss.total;
        result->loss.fit += loss.fit;
        result->loss.l1 += loss.l1;
        if (pass->measure_overlap) result->loss.overlap += loss.overlap, overlaps++;
        if (pass->measure_entropy) result->loss.entropy += loss.entropy, entropies++;
        if (ng_poll(run, (double)(step + 1) / (double)batches, error)) return error->status;
    }
    const double counted = (double)result->batches;
    result->loss = (ng_motif_loss){result->loss.total / counted, result->loss.fit / counted, result->loss.overlap / (double)overlaps,
                                   result->loss.l1 / counted, result->loss.entropy / (double)entropies};
    return NG_OK;
}
