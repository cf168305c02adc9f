/* core/network/tasks.h: how the work of a stage is dealt to threads, in tasks: a run of tiles for a chunk of a window's nodes, or for several
 * windows at all nodes. In a run a tile takes over the rows that the tile before it has computed. */
#ifndef NG_NETWORK_TASKS_H
#define NG_NETWORK_TASKS_H
#include "core/network/tiles.h"

typedef struct ng_task { int64_t window, windows, first_node, nodes, first_tile, last_tile; } ng_task;

typedef struct ng_deal { int64_t windows, chunks, tiles, every, runs, tasks; } ng_deal;

/* A block of samples that leaves work for every thread. */
int64_t ng_fair_block(int64_t block, const ng_round *round, int64_t tiles, int threads);

/* Tasks of at most `chunk` nodes, of about equally many, or of windows whose nodes together are at most a block. Few are as many for
 * each thread. */
ng_deal ng_deal_out(const ng_round *round, int64_t chunk, int64_t block, const ng_stage *stage, bool forward, int threads);
ng_task ng_task_at(int64_t at, const ng_round *round, const ng_deal *all);

/* The rows of a tile, and of the one before it in its run and the one behind it. Tiles of a task come in their order. */
void ng_find_rows(const ng_plan *plan, const ng_stage *stage, const ng_task *todo, int64_t tile, bool forward, ng_worker *worker);

/* Rows of a tile of node k that it has from the tile before it, or has for the next one, if its run goes on; first: of the samples of the task. */
void ng_take_over(const ng_plan *plan, int k, bool forward, int64_t first, const ng_tile *tile, const ng_worker *worker);
void ng_hand_over(const ng_plan *plan, int k, bool forward, int64_t first, const ng_tile *tile, const ng_worker *worker);

#endif
