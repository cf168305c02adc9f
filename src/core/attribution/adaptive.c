#include <math.h>
#include "core/attribution/adaptive.h"

enum { FIRST_PIECES = 3, BLOCK = 4096 };         /* numbers that are delivered at a time */

/* A piece of the path: its ends and F there, its node, the node's gradient times (x - x') and the sum of that. */
typedef struct piece { double from, to, node, from_value, to_value, slope; float *scores; } piece;

typedef struct adaptive {
    ng_stream stream;
    const ng_objective *objective;
    int64_t window, *offset;                     /* of the inputs in the scores of a node */
    piece *pieces;
    int64_t count, most, made;                   /* pieces, at most, and with memory for their scores */
} adaptive;

static double error_of(const piece *p) { return fabs(p->to_value - p->from_value - (p->to - p->from) * p->slope); }

static double value_at(adaptive *todo, double position)
{
    double value;
    const ng_round round = {.first_window = todo->window, .windows = 1, .nodes = 1, .positions = &position};
    ng_stream_forward(&todo->stream, &round, todo->objective, &value, NULL);
    return value;
}

typedef struct receipt { const adaptive *todo; piece *to; } receipt;

static void take_scores(void *data, int input, int64_t window, ng_range rows, const double *scores, double sum)
{
    const receipt *here = data;
    const ng_plan *plan = here->todo->stream.plan;
    const int64_t channels = plan->nodes[plan->input_nodes[input]].whole.channels;
    float *to = here->to->scores + here->todo->offset[input] + rows.first * channels;
    (void)window;
    for (int64_t i = 0; i < (rows.last - rows.first) * channels; i++) to[i] = (float)scores[i];
    here->to->slope += sum;
}

/* A new piece and its node in the middle; NULL: no memory. */
static piece *add_piece(adaptive *todo, double from, double to, double from_value, double to_value, ng_error *error)
{
    const double weight = 1;
    piece *made = &todo->pieces[todo->count];
    if (todo->count == todo->made) {
        const ng_plan *plan = todo->stream.plan;
        made->scores = ng_alloc(todo->stream.run->arena, todo->offset[plan->origin_count], sizeof *made->scores, error);
        if (!made->scores) return NULL;
        todo->made++;
    }
    todo->count++;
    *made = (piece){from, to, (from + to) / 2, from_value, to_value, 0, made->scores};
    const ng_round round = {.first_window = todo->window, .windows = 1, .nodes = 1, .positions = &made->node, .weights = &weight, .begin = true};
    receipt here = {todo, made};
    ng_stream_gradient(&todo->stream, &round, todo->objective);
    ng_stream_deliver(&todo->stream, 0, todo->window, 1, true, take_scores, &here);
    return made;
}

/* The outer thirds become new pieces, the middle one keeps the node. */
static ng_status cut(adaptive *todo, piece *p, ng_error *error)
{
    const double third = (p->to - p->from) / 3, left = p->from + third, right = p->to - third;
    const double left_value = value_at(todo, left), right_value = value_at(todo, right);
    if (!add_piece(todo, p->from, left, p->from_value, left_value, error)) return error->status;
    if (!add_piece(todo, right, p->to, right_value, p->to_value, error)) return error->status;
    p->from = left;
    p->to = right;
    p->from_value = left_value;
    p->to_value = right_value;
    return NG_OK;
}

static ng_status refine(adaptive *todo, const ng_adaptive *settings, ng_check *check, ng_error *error)
{
    double values[FIRST_PIECES + 1];
    todo->count = 0;
    for (int i = 0; i <= FIRST_PIECES; i++) values[i] = value_at(todo, (double)i / FIRST_PIECES);
    for (int i = 0; i < FIRST_PIECES; i++)
        if (!add_piece(todo, (double)i / FIRST_PIECES, (i + 1.0) / FIRST_PIECES, values[i], values[i + 1], error)) return error->status;
    check->baseline_output = values[0];
    check->output = values[FIRST_PIECES];
    while (todo->count + 2 <= settings->max_nodes) {
        piece *worst = todo->pieces;
        double sum = 0;
        for (piece *p = todo->pieces; p < todo->pieces + todo->count; p++) {
            sum += error_of(p);
            if (error_of(p) > error_of(worst)) worst = p;
        }
        if (sum <= settings->tolerance * fabs(check->output - check->baseline_output)) break;
        if (cut(todo, worst, error) || ng_poll(todo->stream.run, 0, error)) return error->status;
    }
    return NG_OK;
}

/* The weighted sums over the pieces, block by block. */
static void deliver(const adaptive *todo, const ng_sink *sink, ng_check *check)
{
    const ng_plan *plan = todo->stream.plan;
    double scores[BLOCK];
    for (int input = 0; input < plan->origin_count; input++) {
        const ng_shape shape = plan->nodes[plan->input_nodes[input]].whole;
        const int64_t each = shape.channels < BLOCK ? BLOCK / shape.channels : 1, length = ng_rows(shape);
        for (int64_t row = 0; row < length; row += each) {
            const int64_t last = row + each < length ? row + each : length, count = (last - row) * shape.channels;
            for (int64_t i = 0; i < count; i++) {
                scores[i] = 0;
                for (int64_t k = 0; k < todo->count; k++)
                    scores[i] += (todo->pieces[k].to - todo->pieces[k].from) * (double)todo->pieces[k].scores[todo->offset[input] + row * shape.channels + i];
                check->attributed += scores[i];
            }
            sink->add(sink->data, input, todo->window, (ng_range){row, last}, scores);
        }
    }
}

ng_status ng_adaptive_integral(const ng_plan *plan, const ng_source *source, int64_t windows, const ng_objective *objective,
                               const ng_adaptive *settings, const ng_sink *sink, ng_check *checks, int64_t *nodes, const ng_run *run,
                               ng_error *error)
{
    adaptive todo = {.objective = objective, .most = settings->max_nodes};
    for (int input = 0; input < plan->origin_count; input++)
        if (plan->nodes[plan->input_nodes[input]].whole.channels > BLOCK)
            return ng_fail(error, NG_UNSUPPORTED, &plan->nodes[plan->input_nodes[input]].layer, "a row of more than %d numbers has no adaptive rule", BLOCK);
    todo.offset = ng_alloc(run->arena, plan->origin_count + 1, sizeof *todo.offset, error);
    todo.pieces = ng_alloc(run->arena, todo.most, sizeof *todo.pieces, error);
    if (!todo.offset || !todo.pieces || ng_stream_make(plan, source, 1, 1, run, &todo.stream, error)) return error->status;
    for (int input = 0; input < plan->origin_count; input++)
        todo.offset[input + 1] = todo.offset[input] + ng_size(plan->nodes[plan->input_nodes[input]].whole);
    for (int64_t w = 0; w < windows; w++) ng_stream_begin(&todo.stream, w, 1);
    if (ng_stream_make_rounds(&todo.stream, 1, error)) return error->status;
    for (todo.window = 0; todo.window < windows; todo.window++) {
        ng_check *check = &checks[todo.window];
        *check = (ng_check){0};
        ng_stream_begin(&todo.stream, todo.window, 1);
        if (refine(&todo, settings, check, error)) return error->status;
        deliver(&todo, sink, check);
        nodes[todo.window] = todo.count;
        if (ng_poll(run, (double)(todo.window + 1) / (double)windows, error)) return error->status;
    }
    return NG_OK;
}
