#include <math.h>
#include <string.h>
#include "core/attribution/adaptive.h"

enum {
    FIRST_NODES = 3,
    ROUND_BYTES = 16 << 20,                      /* of the samples of a round */
    BLOCK = 4096                                 /* numbers that are delivered at a time */
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* A node, with F there and the gradient times (x - x'), and the sum of that. */
typedef struct point { double at, value, slope; float *scores; } point;

/* The nodes of a window, in the order of the path. */
typedef struct line { point *points; int64_t count; double baseline_output, output; } line;

typedef struct job {
    ng_stream stream;
    ng_source source;                            /* gives the stream the active windows, one after the other */
    const ng_source *all;
    const ng_objective *objective;
    const ng_adaptive *settings;
    int64_t *offset;                             /* of the inputs in the scores of a node; behind the last: of all */
    int64_t group;                               /* windows whose nodes are kept at a time */
    line *lines;                                 /* of the group */
    int64_t *active, active_count;               /* numbers of windows that are not done */
    double *positions, *weights, *values;        /* of the active ones */
    float **rooms;                               /* for scores of nodes of the group */
    int64_t rooms_made, rooms_used;
} job;

static void active_rows(const void *data, int input, int64_t window, ng_range rows, float *sequence, float *baseline)
{
    const job *todo = data;
    todo->all->rows(todo->all->data, input, todo->active[window], rows, sequence, baseline);
}

/* ---- the rule ---- */

/* Of the interval before node k; behind the last node for k = count. */
static double error_of(const line *own, int64_t k)
{
    const point *left = k > 0 ? &own->points[k - 1] : NULL, *right = k < own->count ? &own->points[k] : NULL;
    const double width = (right ? right->at : 1) - (left ? left->at : 0);
    const double change = (right ? right->value : own->output) - (left ? left->value : own->baseline_output);
    return change - width * ((left ? left : right)->slope + (right ? right : left)->slope) / 2;
}

static double weight_of(const line *own, int64_t k)
{
    const double at = own->points[k].at;
    const double before = k > 0 ? (at - own->points[k - 1].at) / 2 : at;
    const double behind = k + 1 < own->count ? (own->points[k + 1].at - at) / 2 : 1 - at;
    return before + behind;
}

/* Where the next node goes; negative: the window is done. */
static double next_position(const line *own, const ng_adaptive *settings)
{
    if (own->count < FIRST_NODES) return (2.0 * (double)own->count + 1) / (2 * FIRST_NODES);
    double sum = 0, squares = 0, largest = -1;
    int64_t worst = 0;
    for (int64_t k = 0; k <= own->count; k++) {
        const double error = error_of(own, k);
        sum += error;
        squares += error * error;
        if (fabs(error) <= largest) continue;
        largest = fabs(error);
        worst = k;
    }
    if (fmax(fabs(sum), sqrt(squares)) <= settings->tolerance * fabs(own->output - own->baseline_output)) return -1;
    if (own->count == settings->max_nodes) return -1;
    if (worst == 0) return own->points[0].at / 3;
    if (worst == own->count) return 1 - (1 - own->points[worst - 1].at) / 3;
    return (own->points[worst - 1].at + own->points[worst].at) / 2;
}

/* ---- nodes ---- */

/* Room for the scores of a node; NULL: no memory. */
static float *take_room(job *todo, ng_error *error)
{
    if (todo->rooms_used == todo->rooms_made) {
        const int64_t size = todo->offset[todo->stream.plan->origin_count];
        if (!(todo->rooms[todo->rooms_made] = ng_alloc(todo->stream.run->arena, size, sizeof(float), error))) return NULL;
        todo->rooms_made++;
    }
    return todo->rooms[todo->rooms_used++];
}

static point *add_point(line *own, double at)
{
    int64_t k = own->count++;
    for (; k > 0 && own->points[k - 1].at > at; k--) own->points[k] = own->points[k - 1];
    own->points[k] = (point){.at = at};
    return &own->points[k];
}

typedef struct receipt { const job *todo; point **to; } receipt;         /* of the active windows */

static void take_scores(void *data, int input, int64_t window, ng_range rows, const double *scores, double sum)
{
    const receipt *here = data;
    const ng_plan *plan = here->todo->stream.plan;
    const int64_t channels = plan->nodes[plan->input_nodes[input]].whole.channels;
    float *to = here->to[window]->scores + here->todo->offset[input] + rows.first * channels;
    for (int64_t i = 0; i < (rows.last - rows.first) * channels; i++) to[i] = (float)scores[i];
    here->to[window]->slope += sum;
}

/* Leaves the windows that are not done active, with their next positions. */
static void find_positions(job *todo, int64_t first)
{
    const int64_t before = todo->active_count;
    todo->active_count = 0;
    for (int64_t i = 0; i < before; i++) {
        const int64_t window = todo->active[i];
        const double at = next_position(&todo->lines[window - first], todo->settings);
        if (at < 0) continue;
        todo->positions[todo->active_count] = at;
        todo->active[todo->active_count++] = window;
    }
    if (todo->active_count && todo->active_count < before) ng_stream_begin(&todo->stream, 0, todo->active_count);
}

static ng_status add_nodes(job *todo, int64_t first, point **added, ng_error *error)
{
    const ng_round round = {.windows = todo->active_count, .nodes = 1, .positions = todo->positions, .weights = todo->weights,
                            .window_stride = 1, .begin = true};
    receipt here = {todo, added};
    for (int64_t i = 0; i < todo->active_count; i++) {
        added[i] = add_point(&todo->lines[todo->active[i] - first], todo->positions[i]);
        if (!(added[i]->scores = take_room(todo, error))) return error->status;
    }
    ng_stream_gradient(&todo->stream, &round, todo->objective, todo->values);
    for (int64_t i = 0; i < todo->active_count; i++) added[i]->value = todo->values[i];
    ng_stream_deliver(&todo->stream, 0, 0, todo->active_count, true, take_scores, &here);
    return NG_OK;
}

/* ---- windows ---- */

static void begin_group(job *todo, int64_t first, int64_t windows)
{
    todo->active_count = windows;
    todo->rooms_used = 0;
    for (int64_t i = 0; i < windows; i++) todo->active[i] = first + i;
    ng_stream_begin(&todo->stream, 0, windows);
}

static void evaluate_ends(job *todo)
{
    static const double ends[] = {0, 1};
    for (int end = 0; end < 2; end++) {
        const ng_round round = {.windows = todo->active_count, .nodes = 1, .positions = ends + end};
        ng_stream_forward(&todo->stream, &round, todo->objective, todo->values, NULL);
        for (int64_t i = 0; i < todo->active_count; i++) {
            line *own = &todo->lines[i];
            *(end ? &own->output : &own->baseline_output) = todo->values[i];
            own->count = 0;
        }
    }
}

/* The weighted sums over the nodes of a window, block by block. */
static void deliver(const job *todo, const line *own, int64_t window, const ng_sink *sink, ng_check *check)
{
    const ng_plan *plan = todo->stream.plan;
    double scores[BLOCK];
    *check = (ng_check){own->output, own->baseline_output, 0};
    for (int input = 0; input < plan->origin_count; input++) {
        const ng_shape shape = plan->nodes[plan->input_nodes[input]].whole;
        const int64_t each = BLOCK / shape.channels, length = ng_rows(shape);
        for (int64_t row = 0; row < length; row += each) {
            const int64_t last = least(row + each, length), count = (last - row) * shape.channels, from = todo->offset[input] + row * shape.channels;
            memset(scores, 0, (size_t)count * sizeof *scores);
            for (int64_t k = 0; k < own->count; k++) {
                const double weight = weight_of(own, k);
                for (int64_t i = 0; i < count; i++) scores[i] += weight * (double)own->points[k].scores[from + i];
            }
            for (int64_t i = 0; i < count; i++) check->attributed += scores[i];
            sink->add(sink->data, input, window, (ng_range){row, last}, scores);
        }
    }
}

static ng_status make_job(job *todo, const ng_plan *plan, int64_t windows, const ng_run *run, ng_error *error)
{
    ng_arena *arena = run->arena;
    if (!(todo->offset = ng_alloc(arena, plan->origin_count + 1, sizeof *todo->offset, error))) return error->status;
    for (int input = 0; input < plan->origin_count; input++)
        todo->offset[input + 1] = todo->offset[input] + ng_size(plan->nodes[plan->input_nodes[input]].whole);
    const int64_t most_nodes = todo->settings->max_nodes, node_bytes = todo->offset[plan->origin_count] * 4 + (int64_t)(sizeof(point) + sizeof(float *));
    const int64_t each = ng_window_bytes(plan, 1) + ng_sample_bytes(plan, 1) + most_nodes * node_bytes;
    const int64_t fit = least((ng_arena_room(arena) - ng_stream_bytes(plan, run->threads)) / 2 / each,
                              ROUND_BYTES / most(ng_sample_bytes(plan, 1), 1));
    todo->group = most(1, least(fit, windows));
    todo->lines = ng_alloc(arena, todo->group, sizeof *todo->lines, error);
    todo->active = ng_alloc(arena, todo->group, sizeof *todo->active, error);
    todo->positions = ng_alloc(arena, todo->group, sizeof *todo->positions, error);
    todo->weights = ng_alloc(arena, todo->group, sizeof *todo->weights, error);
    todo->values = ng_alloc(arena, todo->group, sizeof *todo->values, error);
    todo->rooms = ng_alloc(arena, todo->group * most_nodes, sizeof *todo->rooms, error);
    if (!todo->lines || !todo->active || !todo->positions || !todo->weights || !todo->values || !todo->rooms) return error->status;
    for (int64_t i = 0; i < todo->group; i++) {
        todo->weights[i] = 1;
        if (!(todo->lines[i].points = ng_alloc(arena, most_nodes, sizeof(point), error))) return error->status;
    }
    if (ng_stream_make(plan, &todo->source, todo->group, 1, run, &todo->stream, error)) return error->status;
    for (int64_t first = 0; first < windows; first += todo->group) {
        begin_group(todo, first, least(todo->group, windows - first));
        if (ng_poll(run, 0, error)) return error->status;
    }
    return ng_stream_make_rounds(&todo->stream, todo->group, error);
}

ng_status ng_adaptive_integral(const ng_plan *plan, const ng_source *source, int64_t windows, const ng_objective *objective,
                               const ng_adaptive *settings, const ng_sink *sink, ng_check *checks, int64_t *nodes, const ng_run *run,
                               ng_error *error)
{
    job todo = {.all = source, .objective = objective, .settings = settings};
    todo.source = (ng_source){active_rows, &todo};
    for (int input = 0; input < plan->origin_count; input++)
        if (plan->nodes[plan->input_nodes[input]].whole.channels > BLOCK)
            return ng_fail(error, NG_UNSUPPORTED, &plan->nodes[plan->input_nodes[input]].layer,
                           "a row of more than %d numbers has no adaptive rule", BLOCK);
    if (make_job(&todo, plan, windows, run, error)) return error->status;
    point **added = ng_alloc(run->arena, todo.group, sizeof *added, error);
    if (!added) return error->status;
    for (int64_t first = 0; first < windows; first += todo.group) {
        const int64_t here = least(todo.group, windows - first);
        begin_group(&todo, first, here);
        evaluate_ends(&todo);
        for (find_positions(&todo, first); todo.active_count; find_positions(&todo, first)) {
            const double done = (double)first + (double)(here - todo.active_count) / 2;
            if (add_nodes(&todo, first, added, error) || ng_poll(run, done / (double)windows, error)) return error->status;
        }
        for (int64_t i = 0; i < here; i++) {
            deliver(&todo, &todo.lines[i], first + i, sink, &checks[first + i]);
            nodes[first + i] = todo.lines[i].count;
        }
        if (ng_poll(run, (double)(first + here) / (double)windows, error)) return error->status;
    }
    return NG_OK;
}
