/* core/kernels/path_pool.h: relu, BatchNormalization before or after it if there is one, and MaxPooling1D, behind an affine
 * prefix, along the path z(a) = z' + a (z - z') between the prefix at a baseline and at the sequence.
 *
 * z(a) ascends with z. So in a window whose rows of z' are equal, as with a constant baseline, the row that wins at the sequence wins
 * at every a > 0, and that row is all that the nodes of a path need; their gradients are summed as one row too. Elsewhere
 * (a baseline of rows, padding, beside ambiguous bases) the window keeps its rows apart, and each node finds its winner. */
#ifndef NG_KERNELS_PATH_POOL_H
#define NG_KERNELS_PATH_POOL_H
#include "core/network/layer.h"

/* Makes *made of a planned relu_pool layer; false if it is not one, or not of whole vectors of channels. The layer has no forward()
 * and backward(): what follows stands for them. */
bool ng_path_pool(const ng_layer *pool, ng_arena *arena, ng_layer *made);

/* The same with a BatchNormalization after it; false if there is one before it already. */
bool ng_path_pool_norm(const ng_layer *pool, const ng_layer *norm, ng_arena *arena, ng_layer *made);

/* What nodes share of the windows of rows [first, last) of y. */
typedef struct ng_windows {
    const ng_tile *ends;                         /* of the layer's input: sample 0 the sequence, sample 1, if there, the baseline */
    int64_t first, last;
    float *rows;                                 /* (last - first, channels): the winners at the sequence */
    int64_t *baseline;                           /* the row of the baseline that a window's rows equal; APART if they differ */
} ng_windows;

int64_t ng_windows_bytes(const ng_layer *layer, ng_range rows);

/* Finds the winners; memory: ng_windows_bytes(). apart: no window shares its winner, as a path needs that has a node at a = 0, where
 * all rows may tie. Only the sequence in ends: a = 1 alone. */
void ng_windows_find(const ng_layer *layer, const ng_tile *ends, ng_range rows, bool apart, void *memory, ng_windows *windows);

/* y at position a, of one sample. */
void ng_windows_forward(const ng_layer *layer, const ng_windows *windows, float a, float *y);

/* Adds weight * gradient to the sums: shared (rows, channels) and apart (rows, size, channels) from row windows->first on; each
 * window has its sum in one of them. begin: instead of adding, writes it. */
void ng_windows_backward(const ng_layer *layer, const ng_windows *windows, float a, float weight, const float *dy, bool begin,
                         float *shared, float *apart);

/* Adds the sums to the rows of dx that won, or that they belong to. */
void ng_windows_spread(const ng_layer *layer, const ng_windows *windows, const float *shared, const float *apart, ng_tile *dx);

#endif
