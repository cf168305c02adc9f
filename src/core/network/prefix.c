#include <string.h>
#include "core/network/prefix.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static bool empty(ng_range r) { return r.first >= r.last; }

/* ---- ends ---- */

/* The last affine layer of the prefix of an input at these rows: the sequence's end and, if ends = 2, the baseline's. */
static ng_tile ends_at(const ng_stream *stream, int input, int64_t source_window, int ends, ng_range rows, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    const int last = ng_last_affine(plan, input);
    ng_ends_rows(plan, input, rows, worker->chain);
    for (int k = plan->input_nodes[input]; k <= last; k++) {
        const ng_node *node = &plan->nodes[k];
        if (empty(worker->chain[k])) continue;   /* of another prefix */
        ng_tile *tile = &worker->ends[k];
        *tile = ng_new_tile(worker, node, worker->chain[k], ends);
        if (node->layer.inputs) {
            ng_code code = ng_new_code(worker, node, worker->chain[k], ends);
            ng_node_forward(stream, k, worker->ends, &code, worker);
        } else
            stream->source->rows(stream->source->data, input, source_window, worker->chain[k], tile->data,
                                 ends == 2 ? tile->data + tile->sample_stride : NULL);
    }
    return worker->ends[last];
}

/* The rows of a pool's input that its rows read. */
static ng_range read_rows(const ng_node *pool, ng_range rows) { return ng_rows_needed(pool->layer.reach, rows, ng_rows(pool->layer.in[0])); }

/* ---- winners of pooled origins ---- */

/* The row of the baseline's end that most of some windows begin with. */
static void find_baseline(const ng_stream *stream, int input, int64_t source_window, float *baseline)
{
    const ng_node *node = &stream->plan->nodes[stream->plan->origins[input]];
    const int64_t channels = node->whole.channels;
    const size_t bytes = (size_t)channels * sizeof *baseline;
    ng_worker *worker = stream->workers;
    int best_count = -1;
    worker->used = 0;
    float *rows = ng_take(worker, NG_LOOKS * (int64_t)bytes);
    const int64_t used = worker->used;
    for (int i = 0, count; i < NG_LOOKS; i++, worker->used = used) {
        const int64_t t = (2 * i + 1) * ng_rows(node->whole) / (2 * NG_LOOKS);
        const ng_tile ends = ends_at(stream, input, source_window, 2, read_rows(node, (ng_range){t, t + 1}), worker);
        const float *row = memcpy(rows + i * channels, ng_row(&ends, 1, ends.first), bytes);
        for (int j = count = 0; j < i; j++) count += !memcmp(row, rows + j * channels, bytes);
        if (count <= best_count) continue;
        best_count = count;
        memcpy(baseline, row, bytes);
    }
}

/* How many windows of the pool are kept apart, before each block of them. */
static void count_apart(ng_stream *stream, int k, int64_t windows)
{
    const int64_t length = ng_rows(stream->plan->nodes[k].whole);
    int64_t *before = stream->apart_before[k], count = 0;
    for (int64_t w = 0; w < windows; w++)
        for (int64_t t = 0; t < length; t++) {
            if (t % NG_WINDOWS == 0) *before++ = count;
            count += stream->winners[k][w].apart[t];
        }
    if (count > stream->apart_most[k]) stream->apart_most[k] = count;
}

void ng_stream_begin(ng_stream *stream, int64_t first_window, int64_t windows)
{
    const ng_plan *plan = stream->plan;
    stream->exact = false;
    for (int input = 0; input < plan->origin_count; input++) {
        const int k = plan->origins[input];
        const ng_node *node = &plan->nodes[k];
        const int64_t length = ng_rows(node->whole), blocks = (length + NG_WINDOWS - 1) / NG_WINDOWS;
        if (!node->pooled) continue;
        for (int64_t w = 0; w < windows && stream->ends == 2; w++)
            find_baseline(stream, input, first_window + w, (float *)stream->winners[k][w].baseline);
#pragma omp parallel for schedule(dynamic) num_threads(stream->run->threads)
        for (int64_t at = 0; at < windows * blocks; at++) {
            ng_worker *worker = ng_worker_here(stream);
            const int64_t w = at / blocks, row = at % blocks * NG_WINDOWS;
            const ng_range rows = {row, least(row + NG_WINDOWS, length)};
            worker->used = 0;
            const ng_tile ends = ends_at(stream, input, first_window + w, stream->ends, read_rows(node, rows), worker);
            ng_winners_part(&node->layer, &ends, rows, stream->apart, &stream->winners[k][w]);
            if (plan->winners_kept) ng_winners_find(&node->layer, &ends, rows, &stream->winners[k][w]);
        }
        count_apart(stream, k, windows);
    }
}

/* The winners of these rows of a pooled origin: those that are kept, or found again and put into scratch memory. */
static const ng_winners *winners_of(const ng_stream *stream, int input, int64_t source_window, int64_t window, ng_range rows, ng_worker *worker)
{
    const int k = stream->plan->origins[input];
    const ng_node *node = &stream->plan->nodes[k];
    const ng_winners *all = &stream->winners[k][window];
    if (stream->plan->winners_kept || empty(rows)) return all;
    const int64_t count = rows.last - rows.first;
    float *found = ng_take(worker, ng_winners_bytes(&node->layer, count));
    ng_winners *own = &worker->found[k];
    *own = (ng_winners){found, (uint8_t *)(found + count * node->whole.channels), all->apart + rows.first, all->baseline, rows.first};
    const int64_t used = worker->used;
    for (int64_t t = rows.first, end; t < rows.last; t = end, worker->used = used) {
        end = least(rows.last, (t / NG_WINDOWS + 1) * NG_WINDOWS);
        if (!memchr(all->apart + t, 0, (size_t)(end - t))) continue;
        const ng_tile sequence = ends_at(stream, input, source_window, 1, read_rows(node, (ng_range){t, end}), worker);
        ng_winners_find(&node->layer, &sequence, (ng_range){t, end}, own);
    }
    return own;
}

/* Both ends for the windows of a pool that keep their rows apart, block by block. */
static void copy_apart(const ng_stream *stream, int input, int64_t source_window, int64_t window, ng_range rows, int ends, bool backward,
                       ng_worker *worker)
{
    const int k = stream->plan->origins[input];
    const ng_node *node = &stream->plan->nodes[k];
    const ng_winners *winners = backward ? &stream->winners[k][window] : winners_of(stream, input, source_window, window, rows, worker);
    float *to = (float *)(worker->scratch + worker->used);
    worker->windows[k] = (ng_windows){winners, rows.first, rows.last, to};
    for (int64_t t = rows.first, end; (t = ng_next_apart(winners, (ng_range){t, rows.last})) < rows.last; t = end) {
        const int64_t most = least(rows.last, (t / NG_WINDOWS + 1) * NG_WINDOWS);
        for (end = t + 1; end < most && winners->apart[end - winners->first];) end++;
        float *copies = ng_take(worker, ng_apart_bytes(&node->layer, end - t));
        const int64_t used = worker->used;
        const ng_tile both = ends_at(stream, input, source_window, ends, read_rows(node, (ng_range){t, end}), worker);
        ng_apart_copy(&node->layer, &both, (ng_range){t, end}, copies);
        worker->used = used;
    }
}

void ng_prefix_tile(const ng_stream *stream, int64_t first_window, int64_t window, int ends, bool backward, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    for (int input = 0; input < plan->origin_count; input++) {
        const int k = plan->origins[input];
        const ng_range rows = ng_new_rows(worker, k);
        if (empty(rows)) continue;
        if (plan->nodes[k].pooled) copy_apart(stream, input, first_window + window, window, rows, ends, backward, worker);
        else if (!backward) ends_at(stream, input, first_window + window, ends, rows, worker);
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

void ng_origin_values(const ng_stream *stream, int k, const double *positions, ng_tile *y, const ng_code *code, const ng_worker *worker)
{
    const ng_node *node = &stream->plan->nodes[k];
    for (int64_t n = 0; n < y->samples; n++) {
        float *to = y->data + n * y->sample_stride;
        const float a = (float)positions[n];
        if (node->pooled) ng_windows_forward(&node->layer, &worker->windows[k], a, to, code ? ng_code_row(code, n, y->first) : NULL);
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

/* Sums of origin k of a window for the target that is on its way, from a row on; of a pool those of the windows from there on that keep their rows apart. */
static float *sums_at(const ng_stream *stream, int k, int64_t window, int64_t row)
{
    const ng_node *node = &stream->plan->nodes[k];
    return stream->sums[k] + (stream->target * stream->windows + window) * ng_size(node->whole) + row * node->whole.channels;
}

static float *apart_at(const ng_stream *stream, int k, int64_t window, int64_t row)
{
    const ng_node *node = &stream->plan->nodes[k];
    const int64_t block = row / NG_WINDOWS, blocks = (ng_rows(node->whole) + NG_WINDOWS - 1) / NG_WINDOWS;
    if (block == blocks) return NULL;                                 /* there are none from there on */
    int64_t before = stream->target * stream->apart_most[k] + stream->apart_before[k][window * blocks + block];
    for (int64_t t = block * NG_WINDOWS; t < row; t++) before += stream->winners[k][window].apart[t];
    return stream->apart_sums[k] + before * node->layer.reach.size * node->whole.channels;
}

void ng_origin_add(const ng_stream *stream, int k, int64_t window, const double *positions, const double *weights, bool begin,
                   const ng_tile *gradient, const ng_code *code, const ng_worker *worker)
{
    const ng_node *node = &stream->plan->nodes[k];
    const int64_t row = gradient->first, count = (gradient->last - row) * gradient->channels;
    for (int64_t n = 0; n < gradient->samples; n++) {
        const float *from = gradient->data + n * gradient->sample_stride, weight = (float)weights[n];
        if (node->pooled)
            ng_windows_backward(&node->layer, &worker->windows[k], (float)positions[n], weight, from, ng_code_row(code, n, row), begin && n == 0,
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
    ng_range *rows = worker->chain;
    ng_touched_rows(plan, input, own, rows);
    const ng_winners *winners = NULL;
    if (plan->nodes[last].pooled) {
        winners = winners_of(stream, input, source_window, window, rows[last], worker);
        ng_touched_rows(plan, input, own, rows);                      /* finding winners used the place */
    }
    for (int k = last; k != first; k = plan->nodes[k].inputs[0]) {
        const ng_node *node = &plan->nodes[k];
        const int to = node->inputs[0];
        gradients[to] = ng_new_tile(worker, &plan->nodes[to], rows[to], 1);
        memset(gradients[to].data, 0, (size_t)gradients[to].sample_stride * 4);
        if (empty(rows[k])) continue;
        float *sums = k == last ? sums_at(stream, k, window, rows[k].first) : NULL;
        if (node->pooled) {
            ng_winners_spread(&node->layer, winners, rows[k], sums, apart_at(stream, k, window, rows[k].first), &gradients[to]);
            continue;
        }
        if (sums) gradients[k] = (ng_tile){sums, rows[k].first, rows[k].last, ng_rows(node->whole), node->whole.channels, 1, 0};
        ng_node_backward(stream, k, gradients, NULL, worker);
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

/* Gives back the sums of rows from `forgotten` on that input rows from `row` on do not touch; gives the row that is next. */
static int64_t forget_sums(const ng_stream *stream, int input, int64_t window, int64_t row, int64_t forgotten, ng_worker *worker)
{
    const ng_plan *plan = stream->plan;
    const int k = plan->origins[input];
    const int64_t length = ng_rows(plan->nodes[plan->input_nodes[input]].whole);
    if (row == length) return 0;                                      /* the next window's; what is left is little */
    ng_touched_rows(plan, input, (ng_range){row, least(row + ng_delivery_rows(plan->nodes[plan->input_nodes[input]].whole), length)}, worker->chain);
    const ng_range next = worker->chain[k];
    if (empty(next) || next.first <= forgotten) return forgotten;
    ng_forget(sums_at(stream, k, window, forgotten), (next.first - forgotten) * plan->nodes[k].whole.channels * 4);
    return next.first;
}

void ng_stream_deliver(ng_stream *stream, int target, int64_t first_window, int64_t windows, bool times_difference, ng_receiver *take,
                       void *data)
{
    const ng_plan *plan = stream->plan;
    stream->target = target;
    stream->exact = false;
    for (int input = 0; input < plan->origin_count; input++) {
        const ng_shape shape = plan->nodes[plan->input_nodes[input]].whole;
        const int64_t length = ng_rows(shape), each = ng_delivery_rows(shape), blocks = (length + each - 1) / each;
        int64_t forgotten = 0;
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
            {
                take(data, input, first_window + window, rows, scores, sum);
                if (stream->ended) forgotten = forget_sums(stream, input, window, rows.last, forgotten, worker);
            }
        }
    }
}
