#include <math.h>
#include <string.h>
#include "core/network/tasks.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static bool empty(ng_range r) { return r.first >= r.last; }

/* Runs for all threads, of so many groups of tiles and other tasks: a few more are a few more tiles that take nothing over, a few less leave
 * a thread with half a run to do while others wait. With t threads, g groups for each of o others and a share s of a group computed again at the
 * start of each of r runs, o (g + s r) / t + g / 2r is least at r = sqrt(g t / 2so). */
static int64_t runs_of(int64_t groups, double again, int64_t others, int threads)
{
    enum { MOST = 16 };                          /* for each thread */
    const double best = sqrt((double)(groups * threads) / (2 * again * (double)others + 1e-9));
    const int64_t enough = up(MOST * threads, others), runs = best < (double)enough ? (int64_t)best / threads * threads : enough;
    return least(groups, most(runs, up(threads, others)));
}

int64_t ng_fair_block(int64_t block, const ng_round *round, int64_t tiles, int threads)
{
    return least(block, up(round->windows * round->nodes * tiles, threads));
}

ng_deal ng_deal_out(const ng_round *round, int64_t chunk, int64_t block, const ng_stage *stage, bool forward, int threads)
{
    const int64_t tiles = stage->tiles[forward], every = stage->every[forward];
    ng_deal all = {.windows = 1, .chunks = up(round->nodes, chunk), .tiles = tiles, .every = every};
    if (all.chunks == 1 && block > round->nodes) all.windows = least(block / round->nodes, round->windows);
    const int64_t parts = up(round->windows, all.windows) * tiles;
    while (all.chunks > 1 && all.chunks < round->nodes && parts * all.chunks < 4 * threads && parts * all.chunks % threads) all.chunks++;
    const int64_t others = parts / tiles * all.chunks;
    all.runs = runs_of(up(tiles, every), stage->again[forward] / (double)every, others, threads);
    all.tasks = others * all.runs;
    return all;
}

ng_task ng_task_at(int64_t at, const ng_round *round, const ng_deal *all)
{
    const int64_t run = at % all->runs, chunk = at / all->runs % all->chunks, window = at / all->runs / all->chunks * all->windows;
    const int64_t node = chunk * round->nodes / all->chunks, next = (chunk + 1) * round->nodes / all->chunks;
    const int64_t groups = up(all->tiles, all->every);
    return (ng_task){window, least(all->windows, round->windows - window), node, next - node, run * groups / all->runs * all->every,
                  least((run + 1) * groups / all->runs * all->every, all->tiles)};
}

void ng_find_rows(const ng_plan *plan, const ng_stage *stage, const ng_task *todo, int64_t tile, bool forward, ng_worker *worker)
{
    const bool begins = tile == todo->first_tile;
    ng_range *spare = worker->before;
    worker->before = worker->rows;
    worker->rows = worker->next;
    worker->next = spare;
    worker->run_ends = tile + 1 == todo->last_tile;
    if (begins) memset(worker->before, 0, (size_t)plan->count * sizeof *spare);
    if (begins) ng_tile_rows(plan, stage, forward, tile, tile, worker->chain, worker->rows);
    if (tile + 1 == stage->tiles[forward]) memset(worker->next, 0, (size_t)plan->count * sizeof *spare);
    else if (worker->run_ends) ng_own_rows(plan, stage, forward, tile + 1, worker->next);
    else ng_tile_rows(plan, stage, forward, todo->first_tile, tile + 1, worker->chain, worker->next);
}

/* Copies these rows of the samples of a tile to where the next one finds them, or, back, from there; `first`: of the samples of the task. */
static void pass_on(const ng_plan *plan, int k, bool forward, bool back, ng_range rows, int64_t first, const ng_tile *tile, const ng_worker *worker)
{
    for (int64_t n = 0; n < tile->samples && !empty(rows); n++) {
        float *passed = worker->taken + (first + n) * plan->taken_floats + plan->nodes[k].taken_at[forward], *own = ng_row(tile, n, rows.first);
        memcpy(back ? own : passed, back ? passed : own, (size_t)(ng_count_rows(rows) * tile->channels) * sizeof *own);
    }
}

void ng_take_over(const ng_plan *plan, int k, bool forward, int64_t first, const ng_tile *tile, const ng_worker *worker)
{
    pass_on(plan, k, forward, true, ng_rows_taken(worker->before[k], worker->rows[k]), first, tile, worker);
}

void ng_hand_over(const ng_plan *plan, int k, bool forward, int64_t first, const ng_tile *tile, const ng_worker *worker)
{
    if (!worker->run_ends) pass_on(plan, k, forward, false, ng_rows_taken(worker->rows[k], worker->next[k]), first, tile, worker);
}
