/* core/network/overlap.h: the trunk of windows that overlap, computed once. It knows layers and rows, no data.
 *
 * Windows begin every `step` bases. Row t of a layer whose rows lie `stride` bases apart is the same number in every window that has
 * the base under it at a row, unless the layer, or one before it, met an edge of the window there. So the rows of a strip of
 * windows are computed once for each phase, the place of a window's start between two rows; there are stride / grain phases,
 * grain = gcd(step, stride). Rows near a window's edges are computed for each window, layer by layer, from such rows and those
 * of the strip (strip.h). A strip is computed as one long window; its phases are rows of the layer before, read from another row on. */
#ifndef NG_NETWORK_OVERLAP_H
#define NG_NETWORK_OVERLAP_H
#include "core/network/plan.h"

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
    bool gradients;                              /* strips go back as well */
    double left;                                 /* of the operations of windows by themselves, the share that is left to do */
} ng_overlap;

/* Of the operations of windows by themselves, the share that is left where they share layers; 1 if they do not, and whether that is for
 * want of memory. */
typedef struct ng_saving { double left; bool short_of_memory; } ng_saving;

/* Is there a part of `whole`, the plan of one window forward, of `count` that begin every `step` bases, which pays when it is shared?
 * overlap->windows is 0 if not. */
ng_status ng_overlap_make(const ng_graph *graph, const ng_plan *whole, int64_t step, int64_t count, bool gradients, const ng_run *run,
                          ng_overlap *overlap, ng_error *error);


/* The rows of a window's node that its left, or its right, edge touches. */
static inline ng_range ng_edge_rows(const ng_node *node, const ng_share *share, bool right)
{
    return right ? (ng_range){share->clean.last, node->whole.length} : (ng_range){0, share->clean.first};
}

#endif
