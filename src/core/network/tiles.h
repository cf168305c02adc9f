/* core/network/tiles.h: what one thread of a stream works with: tiles in its scratch memory, and layers run over them. */
#ifndef NG_NETWORK_TILES_H
#define NG_NETWORK_TILES_H
#include "core/kernels/path_pool.h"
#include "core/network/stream.h"

/* Memory of one thread: scratch for tiles, and what a tile's walk notes for each node. */
typedef struct ng_worker {
    uint8_t *scratch;
    int64_t used;
    ng_range *before, *rows, *next, *chain;      /* of the tile, the one before and the one after it; chain: of one prefix */
    ng_tile *tiles, *ends;                       /* ends: of prefixes, the sequence and, behind it, the baseline */
    ng_tile *whole;                              /* gradients, of which tiles[] has the rows that are new */
    bool run_ends;                               /* with this tile: the one after it takes nothing over */
    float *taken;                                /* rows that the next tile takes over, of each sample of a task */
    ng_windows *windows;                         /* of pooled origins, in the tile */
    ng_winners *found;                           /* theirs, where they are not kept */
    ng_tile *operands;                           /* the inputs of one layer, gathered */
    ng_code *codes;
} ng_worker;

ng_status ng_workers_make(ng_stream *stream, ng_error *error);
/* That of the thread which asks. */
ng_worker *ng_worker_here(const ng_stream *stream);

/* Scratch memory until worker->used is what it was. */
void *ng_take(ng_worker *worker, int64_t bytes);
ng_tile ng_new_tile(ng_worker *worker, const ng_node *node, ng_range rows, int64_t samples);
ng_code ng_new_code(ng_worker *worker, const ng_node *node, ng_range rows, int64_t samples);

/* The rows of a tile of node k that the tile before it does not hold; a tile seen as these of its rows. */
ng_range ng_new_rows(const ng_worker *worker, int k);
ng_tile ng_some_rows(const ng_tile *tile, ng_range rows);

/* Begins a walk over the head with so many samples; then: the tile and the code of head node k, where the plan put them. */
void ng_begin_head(const ng_plan *plan, int64_t samples, ng_worker *worker);
void ng_place_tile(const ng_plan *plan, int k, int64_t samples, ng_worker *worker);

/* Runs node k over tiles (or gradients), which are by node; what it reads and writes is there. */
void ng_node_forward(const ng_stream *stream, int k, ng_tile *tiles, ng_code *code, ng_worker *worker);
void ng_node_backward(const ng_stream *stream, int k, ng_tile *gradients, const ng_code *code, ng_worker *worker);

#endif
