#include <string.h>
#include "core/network/prefix.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static bool empty(ng_range r) { return r.first >= r.last; }

/* ---- ends ---- */

static void read_ends(const ng_stream *stream, int k, int64_t window, const ng_tile *to)
{
    int input = 0;
    while (stream->plan->input_nodes[input] != k) input++;
    const ng_range rows = {to->first, to->last};
    stream->source->rows(stream->source->data, input, window, rows, to->data, to->samples == 2 ? to->data + to->sample_stride : NULL);
}

void ng_prefix_ends(const ng_stream *stream, int64_t window, int ends, bool backward, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    for (int k = 0; k < plan->trunk_first; k++) {
        const ng_node *node = &plan->nodes[k];
        const ng_range rows = worker->rows[k];
        if (empty(rows) || (backward && node->origin && !node->pooled)) continue;
        if (node->pooled) {
            void *memory = ng_take(worker, ng_windows_bytes(&node->layer, rows));
            ng_windows_find(&node->layer, &worker->ends[node->inputs[0]], rows, stream->apart, memory, &worker->windows[k]);
            continue;
        }
        worker->ends[k] = ng_new_tile(worker, node, rows, ends);
        if (node->layer.inputs) {
            ng_code code = ng_new_code(worker, node, rows, ends);
            ng_node_forward(stream, k, worker->ends, &code, worker);
        } else read_ends(stream, k, window, &worker->ends[k]);
    }
}

/* ---- along the path ---- */

/* y = b + a (x - b); the ends themselves at 0 and 1, so that ties of equal rows stay ties. */
static void interpolate(const ng_tile *ends, float a, float *y, int64_t count)
{
    const float *x = ends->data, *b = ends->data + ends->sample_stride;
    if (a == 1.0f || ends->samples == 1) memcpy(y, x, (size_t)count * 4);
    else if (a == 0.0f) memcpy(y, b, (size_t)count * 4);
    else {
#pragma omp simd
        for (int64_t i = 0; i < count; i++) y[i] = b[i] + a * (x[i] - b[i]);
    }
}

void ng_origin_values(const ng_stream *stream, int k, const double *positions, ng_tile *y, const ng_worker *worker)
{
    const ng_node *node = &stream->plan->nodes[k];
    for (int64_t n = 0; n < y->samples; n++) {
        float *to = y->data + n * y->sample_stride;
        const float a = (float)positions[n];
        if (node->pooled) ng_windows_forward(&node->layer, &worker->windows[k], a, to);
        else interpolate(&worker->ends[k], a, to, (y->last - y->first) * y->channels);
    }
}

static void add(const float *gradient, float weight, bool begin, float *sum, int64_t count)
{
    if (begin) {
#pragma omp simd
        for (int64_t i = 0; i < count; i++) sum[i] = weight * gradient[i];
    } else {
#pragma omp simd
        for (int64_t i = 0; i < count; i++) sum[i] += weight * gradient[i];
    }
}

/* Sums of origin k of a window, from a row on; those of windows of a pool that keep their rows apart. */
static float *sums_at(const ng_stream *stream, int k, int64_t window, int64_t row)
{
    const ng_node *node = &stream->plan->nodes[k];
    return stream->sums[k] + window * ng_size(node->whole) + row * node->whole.channels;
}

static float *apart_at(const ng_stream *stream, int k, int64_t window, int64_t row)
{
    const ng_node *node = &stream->plan->nodes[k];
    return stream->apart_sums[k] + (window * ng_size(node->whole) + row * node->whole.channels) * node->layer.reach.size;
}

void ng_origin_add(const ng_stream *stream, int k, int64_t window, const double *positions, const double *weights, bool begin,
                   const ng_tile *gradient, const ng_worker *worker)
{
    const ng_node *node = &stream->plan->nodes[k];
    const int64_t row = gradient->first, count = (gradient->last - row) * gradient->channels;
    for (int64_t n = 0; n < gradient->samples; n++) {
        const float *from = gradient->data + n * gradient->sample_stride, weight = (float)weights[n];
        if (node->pooled)
            ng_windows_backward(&node->layer, &worker->windows[k], (float)positions[n], weight, from, begin && n == 0,
                                sums_at(stream, k, window, row), apart_at(stream, k, window, row));
        else add(from, weight, begin && n == 0, sums_at(stream, k, window, row), count);
    }
}

/* ---- the transpose ---- */

/* The gradient of rows `own` of an input: from the sums, or the gradients, of one layer of the prefix to those of the one before. */
static const float *input_gradient(const ng_stream *stream, int input, int64_t source_window, int64_t window, ng_range own, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    const int first = plan->input_nodes[input], last = plan->origins[input];
    ng_tile *gradients = worker->tiles;
    ng_range *touched = worker->next;
    ng_prefix_rows(plan, input, own, touched, worker->rows);
    ng_prefix_ends(stream, source_window, stream->ends, true, worker);
    for (int k = last; k != first; k = plan->nodes[k].inputs[0]) {
        const ng_node *node = &plan->nodes[k];
        const int to = node->inputs[0];
        gradients[to] = ng_new_tile(worker, &plan->nodes[to], touched[to], 1);
        memset(gradients[to].data, 0, (size_t)gradients[to].sample_stride * 4);
        if (empty(touched[k])) continue;
        float *sums = k == last ? sums_at(stream, k, window, touched[k].first) : NULL;
        if (node->pooled) ng_windows_spread(&node->layer, &worker->windows[k], sums, apart_at(stream, k, window, touched[k].first), &gradients[to]);
        else {
            const int64_t size = (touched[k].last - touched[k].first) * node->whole.channels;
            if (sums) gradients[k] = (ng_tile){sums, touched[k].first, touched[k].last, ng_rows(node->whole), node->whole.channels, 1, size};
            ng_node_backward(stream, k, gradients, NULL, worker);
        }
    }
    return first == last ? sums_at(stream, first, window, own.first) : gradients[first].data;
}

/* scores = gradient, or (x - x') * gradient; gives their sum. */
static double score(const ng_stream *stream, int input, int64_t source_window, ng_range rows, bool times_difference, const float *gradient,
                    int64_t count, double *scores, ng_worker *worker)
{
    double sum = 0;
    float *sequence = ng_take(worker, 2 * count * 4), *baseline = sequence + count;
    if (times_difference) stream->source->rows(stream->source->data, input, source_window, rows, sequence, baseline);
    for (int64_t i = 0; i < count; i++) {
        const double factor = times_difference ? (double)sequence[i] - (double)baseline[i] : 1;
        sum += scores[i] = factor * (double)gradient[i];
    }
    return sum;
}

void ng_stream_deliver(ng_stream *stream, int64_t first_window, int64_t windows, bool times_difference, ng_receiver *take, void *data)
{
    const ng_plan *plan = stream->plan;
    stream->exact = false;
    for (int input = 0; input < plan->origin_count; input++) {
        const ng_shape shape = plan->nodes[plan->input_nodes[input]].whole;
        const int64_t length = ng_rows(shape), each = ng_delivery_rows(shape), blocks = (length + each - 1) / each;
#pragma omp parallel for ordered schedule(dynamic) num_threads(stream->run->threads)
        for (int64_t at = 0; at < windows * blocks; at++) {
            ng_worker *worker = ng_worker_here(stream);
            const int64_t window = at / blocks, row = at % blocks * each;
            const ng_range rows = {row, least(row + each, length)};
            const int64_t count = (rows.last - rows.first) * shape.channels;
            worker->used = 0;
            const float *gradient = input_gradient(stream, input, first_window + window, window, rows, worker);
            double *scores = ng_take(worker, count * (int64_t)sizeof *scores);
            const double sum = score(stream, input, first_window + window, rows, times_difference, gradient, count, scores, worker);
#pragma omp ordered
            take(data, input, first_window + window, rows, scores, sum);
        }
    }
}
