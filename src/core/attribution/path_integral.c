#include <string.h>
#include "core/attribution/path_integral.h"

enum { ROUND_BYTES = 32 << 20, ROUND_NODES = 4 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* How many samples a round holds: enough to share weights and to fill the head, few enough for caches; as many for each thread. */
static int64_t round_samples(const ng_plan *plan, int64_t nodes, int targets, const ng_run *run)
{
    const int64_t bytes = most(ng_sample_bytes(plan, targets), 1);
    if (run->round_bytes) return most(1, run->round_bytes / bytes);
    return most(ROUND_BYTES / bytes, least(nodes, (ROUND_NODES + run->threads - 1) / run->threads * run->threads));
}

/* Windows in a round of at most `samples` samples, all nodes of each; 1 if it has not room for a window's nodes. Half of the memory may go there. */
static int64_t round_windows(const ng_plan *plan, int64_t samples, int64_t nodes, int targets, int64_t windows, const ng_run *run)
{
    const int64_t room = (ng_arena_room(run->arena) - ng_stream_bytes(plan, run->threads)) / 2;
    const int64_t fit = room / most(1, ng_window_bytes(plan, targets) + nodes * ng_sample_bytes(plan, targets));
    return most(1, least(least(samples / nodes, windows), fit));
}

static int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* Nodes of each of its windows in a round of at most `samples` samples, in rounds of about equally many. */
static int64_t round_nodes(int64_t samples, int64_t nodes, int64_t windows) { return up(nodes, up(nodes, most(1, samples / windows))); }

ng_status ng_predict(const ng_plan *plan, const ng_source *source, int64_t windows, float *const *outputs, const ng_run *run,
                     ng_error *error)
{
    ng_stream stream;
    const double end = 1;
    const int64_t samples = least(round_samples(plan, 1, 1, run), windows);
    float **here = ng_alloc(run->arena, plan->wanted_count, sizeof *here, error);
    if (!here || ng_stream_make(plan, source, 0, 1, run, &stream, error) || ng_stream_make_rounds(&stream, samples, error)) return error->status;
    if (run->rehearsal || ng_poll(run, 0, error)) return error->status;
    for (int64_t first = 0; first < windows; first += stream.samples) {
        const ng_round round = {.first_window = first, .windows = least(stream.samples, windows - first), .nodes = 1, .positions = &end};
        for (int w = 0; w < plan->wanted_count; w++) here[w] = outputs[w] + first * ng_size(plan->nodes[plan->wanted[w]].whole);
        ng_stream_forward(&stream, &round, NULL, NULL, here);
        if (ng_poll(run, (double)(first + round.windows) / (double)windows, error)) return error->status;
    }
    return NG_OK;
}

/* Where scores go. */
typedef struct delivery { const ng_sink *sink; ng_check *checks; } delivery;

static void take_scores(void *data, int input, int64_t window, ng_range rows, const double *scores, double sum)
{
    const delivery *to = data;
    to->checks[window].attributed += sum;
    to->sink->add(to->sink->data, input, window, rows, scores);
}

/* F at both ends of each window's path, or at the sequence if the path is only that; in one round if its room of `samples` allows, since ends share the first layer. */
static void evaluate_ends(ng_stream *stream, int64_t first_window, int64_t windows, int64_t all_windows, const ng_objective *objectives,
                          double *values, ng_check *checks)
{
    static const double positions[] = {0, 1};
    const int64_t together = stream->ends == 2 && stream->samples >= 2 * windows ? 2 : 1;
    for (int64_t end = 2 - stream->ends; end < 2; end += together) {
        const ng_round round = {.first_window = first_window, .windows = windows, .nodes = together, .positions = positions + end};
        ng_stream_forward(stream, &round, objectives, values, NULL);
        for (int64_t i = 0; i < stream->targets * windows; i++) {
            ng_check *check = &checks[i / windows * all_windows + first_window + i % windows];
            if (end == 0) check->baseline_output = values[i * together];
            if (end + together == 2) check->output = values[i * together + together - 1];
        }
    }
}

/* How many nodes from `node` on, at most `most_nodes`, go in one round: the baseline itself keeps its ties and goes alone. */
static int64_t alike(const ng_path *path, int64_t node, int64_t most_nodes)
{
    int64_t count = 1;
    while (count < most_nodes && node + count < path->nodes && path->positions[node] != 0 && path->positions[node + count] != 0) count++;
    return count;
}

/* Takes memory for rounds of `group` windows, when it is known how many windows of pools keep their rows apart. */
static ng_status prepare(ng_stream *stream, int64_t group, int64_t windows, int64_t samples, ng_error *error)
{
    for (int64_t first = 0; first < windows; first += group) {
        ng_stream_begin(stream, first, least(group, windows - first));
        if (ng_poll(stream->run, 0, error)) return error->status;
    }
    return ng_stream_make_rounds(stream, samples, error);
}

/* The share of the work that is done once the ends of windows [first, first + here), `nodes` nodes and perhaps the delivery are: a
 * node goes forward, and back for each target, each end forward, and a delivery takes about as long as two ways. */
static double done_of(const ng_path *path, int targets, int64_t first, int64_t here, int64_t windows, int64_t nodes, bool delivered)
{
    const double ways = 1 + targets, done = ways * (double)nodes + 2 + (delivered ? 2 * targets : 0);
    const double all = ways * (double)path->nodes + 2 + 2 * targets;
    return ((double)first + (double)here * done / all) / (double)windows;
}

ng_status ng_path_integral(const ng_plan *plan, const ng_source *source, int64_t windows, const ng_objective *objectives, int targets,
                           const ng_path *path, const ng_sink *sinks, ng_check *checks, const ng_run *run, ng_error *error)
{
    ng_stream stream;
    const int64_t most_samples = round_samples(plan, path->nodes, targets, run);
    const int64_t group = round_windows(plan, most_samples, path->nodes, targets, windows, run);
    const int64_t samples = group * round_nodes(most_samples, path->nodes, group);
    double *values = ng_alloc(run->arena, targets * samples, sizeof *values, error);
    if (!values || ng_stream_make(plan, source, group, targets, run, &stream, error)) return error->status;
    stream.ends = path->times_difference ? 2 : 1;
    for (int64_t node = 0; node < path->nodes; node++) {
        if (path->positions[node] != 1) stream.ends = 2;
        if (path->positions[node] == 0) stream.apart = true;
    }
    if (prepare(&stream, group, windows, samples, error)) return error->status;
    const int64_t nodes = round_nodes(stream.samples, path->nodes, group);
    if (run->rehearsal) {
        *run->rehearsal = (ng_rehearsal){nodes};
        return NG_OK;
    }
    memset(checks, 0, (size_t)(targets * windows) * sizeof *checks);
    for (int64_t first = 0; first < windows; first += group) {
        const int64_t here = least(group, windows - first);
        if (group < windows) ng_stream_begin(&stream, first, here);
        evaluate_ends(&stream, first, here, windows, objectives, values, checks);
        if (ng_poll(run, done_of(path, targets, first, here, windows, 0, false), error)) return error->status;
        for (int64_t node = 0, count; node < path->nodes; node += count) {
            count = alike(path, node, up(path->nodes - node, up(path->nodes - node, nodes)));
            const ng_round round = {.first_window = first, .windows = here, .nodes = count, .positions = path->positions + node,
                                    .weights = path->weights + node, .exact = path->positions[node] == 0, .begin = node == 0};
            ng_stream_gradient(&stream, &round, objectives, NULL);
            if (ng_poll(run, done_of(path, targets, first, here, windows, node + count, false), error)) return error->status;
        }
        if (first + here == windows) ng_stream_end(&stream);
        for (int t = 0; t < targets; t++) {
            delivery to = {&sinks[t], checks + t * windows};
            ng_stream_deliver(&stream, t, first, here, path->times_difference, take_scores, &to);
        }
        if (ng_poll(run, done_of(path, targets, first, here, windows, path->nodes, true), error)) return error->status;
    }
    return NG_OK;
}
