#include <string.h>
#include "core/attribution/what_if.h"
#include "core/attribution/what_if_head.h"
#include "core/network/cost.h"

enum {
    GROUP_BYTES = 64 << 20,                      /* what is kept of the windows of a group */
    CONE_BYTES = 4 << 20,                        /* of the variants of a site that are computed together */
    BLOCKS = 8, MOST_BLOCKS = 256                /* of changes for each thread, and for all, from one poll to the next */
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* ---- sequences ---- */

static void change_row(const ng_contig *contig, const ng_change *site, int64_t variant, int64_t at, int64_t base, float *row)
{
    if (!site->codes) {
        if (contig->bases[base] < 4) memcpy(row, contig->baseline, 4 * sizeof *row);
        return;
    }
    const uint8_t code = site->codes[variant * site->width + at];
    memset(row, 0, 4 * sizeof *row);
    if (code < 4) row[code] = 1;
}

/* Rows of the site's window with a variant in its place. */
static void changed_rows(const ng_contig *contig, const ng_change *site, int64_t variant, ng_range rows, float *to)
{
    const ng_source source = ng_contig_source(contig);
    source.rows(source.data, 0, site->window, rows, to, NULL);
    int64_t base = (contig->starts[site->window] + rows.first) % contig->length;
    for (int64_t row = rows.first; row < rows.last; row++, to += 4, base = base + 1 == contig->length ? 0 : base + 1) {
        const int64_t at = base >= site->first ? base - site->first : base - site->first + contig->length;
        if (at < site->width) change_row(contig, site, variant, at, base, to);
    }
}

/* The rows of its window that a site may change: all between two parts if it lies at both ends of the window. */
static ng_range site_rows(const ng_contig *contig, const ng_change *site)
{
    ng_range rows = {0, 0};
    for (int64_t turn = -1; turn <= 1; turn++) {
        const int64_t first = site->first + turn * contig->length - contig->starts[site->window];
        const ng_range part = ng_clip(first, first + site->width, contig->window);
        if (part.first >= part.last) continue;
        rows = rows.first < rows.last ? (ng_range){least(rows.first, part.first), most(rows.last, part.last)} : part;
    }
    return rows;
}

/* ---- the plan ---- */

/* Some variants of a site, whose values go to changed[at] on: they are computed together, in one cone. */
typedef struct item { int64_t site, variant, count, at; } item;

/* Memory of one thread, besides its room of the head. */
typedef struct hand { ng_cone cone; double *values, operations; } hand;

typedef struct job {
    const ng_contig *contig;
    const ng_change *sites;
    int64_t windows, count;
    const ng_run *run;
    ng_plan plan;
    ng_source source, changed_source;
    ng_stream stream;
    ng_objective objective;
    ng_head head;
    ng_head_room *rooms;                         /* by thread */
    hand *hands;                                 /* by thread */
    int64_t group, block;                        /* windows that are kept at a time; samples in the head at a time */
    int64_t cone_bytes;                          /* at most, of a thread */
    item *items, *wide;                          /* cones; and changes that are run as windows */
    int64_t item_count, wide_count, variants;
} job;

/* Calls whose output layers of the trunk read far, as many as fit, the small ones first. */
static int choose_kept(const ng_plan *plan, int64_t bytes, int *calls)
{
    int count = 0;
    for (;;) {
        int best = -1;
        for (int k = 0; k < plan->head_first; k++) {
            const ng_node *node = &plan->nodes[k];
            bool far = false, chosen = node->layer.inputs == 0;
            for (int later = k + 1; later < plan->head_first; later++)
                for (int i = 0; i < plan->nodes[later].layer.inputs; i++)
                    far = far || (plan->nodes[later].inputs[i] == k && ng_reads_far(&plan->nodes[later].layer));
            for (int i = 0; i < count; i++) chosen = chosen || calls[i] == node->layer.index;
            if (far && !chosen && (best < 0 || ng_size(node->whole) < ng_size(plan->nodes[best].whole))) best = k;
        }
        if (best < 0 || ng_size(plan->nodes[best].whole) * 4 > bytes) return count;
        bytes -= ng_size(plan->nodes[best].whole) * 4;
        calls[count++] = plan->nodes[best].layer.index;
    }
}

/* The calls to keep, behind the wanted ones. */
static ng_status find_calls(const ng_graph *graph, const ng_shape *shape, int *calls, int goals, const ng_run *run, int *count, ng_error *error)
{
    ng_run own = *run;                           /* a plan that only tells the layers' geometry */
    ng_plan plan;
    if (!(own.arena = ng_arena_new(ng_arena_room(run->arena)))) return ng_fail(error, NG_OUT_OF_MEMORY, NULL, "the system has no memory left");
    if (ng_plan_make(graph, shape, calls, goals, false, &own, &plan, error) == NG_OK)
        *count = goals + choose_kept(&plan, ng_arena_room(run->arena) / 2, calls + goals);
    ng_arena_free(own.arena);
    return error->status;
}

static void wide_rows(const void *data, int input, int64_t window, ng_range rows, float *sequence, float *baseline)
{
    const job *todo = data;
    const item *change = &todo->wide[window];
    (void)input, (void)baseline;
    changed_rows(todo->contig, &todo->sites[change->site], change->variant, rows, sequence);
}

static ng_status make_plan(job *todo, const ng_graph *graph, const int *wanted, int goals, const float *const *cotangent, ng_error *error)
{
    ng_arena *arena = todo->run->arena;
    const ng_shape shape = {2, 1, todo->contig->window, 4};
    const int most_calls = goals + graph->count;
    int count = goals;
    int *calls = ng_alloc(arena, most_calls, sizeof *calls, error);
    const float **cotangents = calls ? ng_alloc(arena, most_calls, sizeof *cotangents, error) : NULL;
    int64_t *strides = cotangents ? ng_alloc(arena, most_calls, sizeof *strides, error) : NULL;
    if (!strides) return error->status;
    for (int w = 0; w < goals; w++) {
        calls[w] = wanted[w];
        cotangents[w] = cotangent[w];
    }
    if (find_calls(graph, &shape, calls, goals, todo->run, &count, error)) return error->status;
    todo->objective = (ng_objective){cotangents, strides};
    todo->source = ng_contig_source(todo->contig);
    todo->changed_source = (ng_source){wide_rows, todo};
    return ng_plan_make(graph, &shape, calls, count, false, todo->run, &todo->plan, error);
}

/* ---- memory ---- */

/* How many windows, samples in the head and bytes of a cone the memory allows. */
static void share_memory(job *todo, int goals)
{
    const ng_plan *plan = &todo->plan;
    const int64_t room = ng_arena_room(todo->run->arena) - plan->scratch_bytes * todo->run->threads, each = ng_head_room_bytes(plan, goals);
    todo->group = most(1, least(todo->windows, least(GROUP_BYTES, room / 4) / most(plan->sample_bytes, 1)));
    const int64_t thread = (room - todo->group * plan->sample_bytes) / 2 / todo->run->threads;
    todo->block = most(1, least(plan->head_block, thread / 2 / most(each, 1)));
    todo->cone_bytes = thread - todo->block * each;
}

/* Deals the variants of all sites into items; lists them if there are lists, else counts. */
static void deal(job *todo)
{
    ng_cone *cone = &todo->hands->cone;
    todo->item_count = todo->wide_count = todo->variants = 0;
    for (int64_t s = 0; s < todo->count; s++) {
        const ng_change *site = &todo->sites[s];
        ng_cone_find(&todo->plan, site_rows(todo->contig, site), cone);
        const int64_t bytes = ng_cone_bytes(&todo->plan, cone, 1);
        const bool wide = bytes > todo->cone_bytes;
        const int64_t together = wide ? 1 : most(1, least(todo->block, least(CONE_BYTES, todo->cone_bytes) / most(bytes, 1)));
        for (int64_t v = 0, count; v < site->variants; v += count) {
            count = least(together, site->variants - v);
            const item made = {s, v, count, todo->variants + v};
            if (todo->items) *(wide ? &todo->wide[todo->wide_count] : &todo->items[todo->item_count]) = made;
            *(wide ? &todo->wide_count : &todo->item_count) += 1;
        }
        if (!wide) todo->plan.scratch_bytes = most(todo->plan.scratch_bytes, ng_cone_bytes(&todo->plan, cone, least(together, site->variants)));
        todo->variants += site->variants;
    }
}

static ng_status make_hands(job *todo, int goals, ng_error *error)
{
    const ng_run *run = todo->run;
    todo->hands = ng_alloc(run->arena, run->threads, sizeof *todo->hands, error);
    todo->rooms = ng_alloc(run->arena, run->threads, sizeof *todo->rooms, error);
    if (!todo->hands || !todo->rooms) return error->status;
    for (int t = 0; t < run->threads; t++)
        if (ng_cone_make(&todo->plan, run->arena, &todo->hands[t].cone, error)) return error->status;
    share_memory(todo, goals);
    deal(todo);
    item *items = ng_alloc(run->arena, todo->item_count + todo->wide_count, sizeof *items, error);
    if (!items) return error->status;
    todo->items = items;
    todo->wide = items + todo->item_count;
    deal(todo);
    if (ng_stream_make(&todo->plan, &todo->source, 0, 1, run, &todo->stream, error)) return error->status;
    if (ng_stream_make_rounds(&todo->stream, todo->group, error)) return error->status;
    todo->group = todo->stream.samples;
    if (ng_head_make(&todo->stream, &todo->objective, goals, run->arena, &todo->head, error)) return error->status;
    for (int t = 0; t < run->threads; t++) {
        hand *here = &todo->hands[t];
        if (ng_head_room_make(&todo->head, todo->block, run->arena, &todo->rooms[t], error)) return error->status;
        if (!(here->values = ng_alloc(run->arena, most(todo->block, todo->group), sizeof *here->values, error))) return error->status;
    }
    return NG_OK;
}

/* ---- changes ---- */

/* Computes the cone of an item of a window of the group that begins at `window`; its samples become those from `at` on. */
static void run_item(job *todo, const item *change, int64_t window, int64_t at, hand *here, ng_head_room *room, ng_worker *worker)
{
    const ng_change *site = &todo->sites[change->site];
    const int64_t sample = site->window - window;
    worker->used = 0;
    ng_cone_find(&todo->plan, site_rows(todo->contig, site), &here->cone);
    const ng_tile input = ng_cone_input(&todo->plan, &here->cone, change->count, worker);
    for (int64_t n = 0; n < change->count; n++)
        changed_rows(todo->contig, site, change->variant + n, (ng_range){input.first, input.last}, input.data + n * input.sample_stride);
    ng_cone_forward(&todo->stream, &here->cone, sample, &input, worker);
    for (int64_t n = 0; n < change->count; n++)
        ng_head_place(&todo->head, at + n, sample, &here->cone, worker->tiles, n, room);
    here->operations += ng_cone_operations(&todo->plan, &here->cone, change->count) +
                        (double)change->count * ng_head_operations(&todo->head, &here->cone);
}

/* The items from `first` on that fill a block of the head, at most up to `last`. */
static int64_t block_end(const job *todo, int64_t first, int64_t last)
{
    int64_t samples = todo->items[first].count, end = first + 1;
    while (end < last && samples + todo->items[end].count <= todo->block) samples += todo->items[end++].count;
    return end;
}

static void run_block(job *todo, int64_t first, int64_t last, int64_t window, double *changed)
{
    ng_worker *worker = ng_worker_here(&todo->stream);
    hand *here = &todo->hands[worker - todo->stream.workers];
    ng_head_room *room = &todo->rooms[worker - todo->stream.workers];
    int64_t samples = 0;
    for (int64_t i = first; i < last; samples += todo->items[i++].count) run_item(todo, &todo->items[i], window, samples, here, room, worker);
    ng_head_values(&todo->head, room, samples, here->values, worker);
    const double *values = here->values;
    for (int64_t i = first; i < last; values += todo->items[i++].count)
        memcpy(changed + todo->items[i].at, values, (size_t)todo->items[i].count * sizeof *values);
}

/* So many windows and items are done. */
static ng_status tell(const job *todo, int64_t done, ng_error *error)
{
    return ng_poll(todo->run, (double)done / (double)(todo->windows + todo->item_count + todo->wide_count), error);
}

/* Items [first, last), of the group of windows [window, window_end). */
static ng_status run_cones(job *todo, int64_t first, int64_t last, int64_t window, int64_t window_end, double *changed, ng_error *error)
{
    int64_t ends[MOST_BLOCKS + 1];
    while (first < last) {
        int64_t blocks = 0;
        ends[0] = first;
        while (ends[blocks] < last && blocks < least(MOST_BLOCKS, (int64_t)BLOCKS * todo->run->threads)) {
            ends[blocks + 1] = block_end(todo, ends[blocks], last);
            blocks++;
        }
#pragma omp parallel for schedule(dynamic) num_threads(todo->run->threads)
        for (int64_t b = 0; b < blocks; b++) run_block(todo, ends[b], ends[b + 1], window, changed);
        first = ends[blocks];
        if (tell(todo, todo->wide_count + window_end + first, error)) return error->status;
    }
    return NG_OK;
}

static const double end_of_path = 1;

/* Changes that are run as windows: before the others, since they use the same memory. */
static ng_status run_wide(job *todo, double *changed, ng_error *error)
{
    double *values = todo->hands->values;
    todo->stream.source = &todo->changed_source;
    for (int64_t first = 0; first < todo->wide_count; first += todo->group) {
        const ng_round round = {.first_window = first, .windows = least(todo->group, todo->wide_count - first), .nodes = 1,
                                .positions = &end_of_path};
        ng_stream_forward(&todo->stream, &round, &todo->objective, values, NULL);
        for (int64_t i = 0; i < round.windows; i++) changed[todo->wide[first + i].at] = values[i];
        if (tell(todo, first + round.windows, error)) return error->status;
    }
    todo->stream.source = &todo->source;
    return NG_OK;
}

static ng_status run_groups(job *todo, ng_answers *answers, ng_error *error)
{
    int64_t item = 0;
    for (int64_t window = 0; window < todo->windows; window += todo->group) {
        const int64_t here = least(todo->group, todo->windows - window);
        const ng_round round = {.first_window = window, .windows = here, .nodes = 1, .positions = &end_of_path};
        ng_stream_forward(&todo->stream, &round, &todo->objective, answers->values + window, NULL);
        ng_head_begin(&todo->head, todo->rooms, here, answers->values + window);
        if (tell(todo, todo->wide_count + window + here + item, error)) return error->status;
        int64_t last = item;
        while (last < todo->item_count && todo->sites[todo->items[last].site].window < window + here) last++;
        if (run_cones(todo, item, last, window, window + here, answers->changed, error)) return error->status;
        item = last;
    }
    return NG_OK;
}

static double window_operations(const ng_plan *plan)
{
    double sum = 0;
    for (int k = 0; k < plan->count; k++) {
        const ng_node *node = &plan->nodes[k];
        if (node->layer.inputs) sum += ng_row_operations(&node->layer, false) * (double)(ng_rows(node->layer.out) * node->group);
    }
    return sum;
}

ng_status ng_what_if(const ng_graph *graph, const int *wanted, int wanted_count, const float *const *cotangent, const ng_contig *contig,
                     int64_t windows, const ng_change *sites, int64_t count, const ng_run *run, ng_answers *answers, ng_error *error)
{
    ng_run direct = *run;
    direct.direct = true;
    job todo = {.contig = contig, .sites = sites, .windows = windows, .count = count, .run = &direct};
    if (make_plan(&todo, graph, wanted, wanted_count, cotangent, error) || make_hands(&todo, wanted_count, error)) return error->status;
    if (ng_poll(run, 0, error) || run_wide(&todo, answers->changed, error) || run_groups(&todo, answers, error)) return error->status;
    answers->window_operations = window_operations(&todo.plan);
    answers->operations = answers->window_operations * (double)(windows + todo.wide_count);
    for (int t = 0; t < run->threads; t++) answers->operations += todo.hands[t].operations;
    return NG_OK;
}
