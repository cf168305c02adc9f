/* core/network/overlap.h: the trunk of windows that overlap, computed once. It knows layers and rows, no data.
 *
 * Windows begin every `step` bases. Row t of a layer whose rows lie `stride` bases apart is the same number in every window that has
 * the base under it at a row, unless the layer, or one before it, met an edge of the window there. So the rows of a strip of
 * windows are computed once for each phase, the place of a window's start between two rows; there are stride / grain phases,
 * grain = gcd(step, stride). Rows near a window's edges are computed for each window, layer by layer, from such rows and those
 * of the strip. A strip is computed as one long window; its phases are rows of the layer before, read from another row on. */
#ifndef NG_NETWORK_OVERLAP_H
#define NG_NETWORK_OVERLAP_H
#include "core/network/plan.h"
#include "core/network/stream.h"

/* How the windows share one node. */
typedef struct ng_share {
    int64_t stride, grain;                       /* in bases */
    ng_range clean;                              /* rows of a window that no edge touches */
} ng_share;

typedef struct ng_overlap {
    ng_plan strip, window;                       /* the shared nodes at two lengths; wanted: the boundary, which the rest reads */
    const ng_share *shares;                      /* one per node */
    const int *boundary;                         /* the boundary as calls of the graph */
    int64_t step, windows, batch;                /* windows of a whole strip; how many of them have their edges computed together */
    double left;                                 /* of the operations of windows by themselves, the share that is left to do */
} ng_overlap;

/* Memory of one thread. */
typedef struct ng_strip {
    float **shared, **left, **right;             /* by node: (phases, rows and a few more) of the strip; (batch, rows) at the edges */
    float **operands;                            /* by input of a layer */
    ng_tile *x;
    uint8_t *codes, *scratch;
} ng_strip;

/* Is there a part of `whole`, the plan of one window of `count` that begin every `step` bases, which pays when it is shared?
 * overlap->windows is 0 if not. */
ng_status ng_overlap_make(const ng_graph *graph, const ng_plan *whole, int64_t step, int64_t count, const ng_run *run,
                          ng_overlap *overlap, ng_error *error);

/* Bytes of an ng_strip, and its memory. */
int64_t ng_strip_bytes(const ng_overlap *overlap);
ng_status ng_strip_make(const ng_overlap *overlap, ng_arena *arena, ng_strip *strip, ng_error *error);

/* Runs `windows` windows forward, from window `first` of the source on, whose rows must go on behind the end of that window.
 * rows[b]: (any windows, rows, channels) of the boundary's tensor b; these windows are written from number `at` on. */
void ng_strip_forward(const ng_overlap *overlap, const ng_source *source, int64_t first, int64_t windows, ng_strip *strip,
                      float *const *rows, int64_t at);

#endif
