/* core/kernels/path_pool.h: relu, BatchNormalization before or after it if there is one, and MaxPooling1D, behind an affine
 * prefix, along the path z(a) = z' + a (z - z') between the prefix at a baseline and at the sequence.
 *
 * z(a) ascends with z. So in a window whose rows of z' are equal, as with a constant baseline, the row that wins at the sequence wins
 * at every a > 0, and that row is all that the nodes of a path need; their gradients are summed as one row too. Elsewhere
 * (a baseline of rows, padding, beside ambiguous bases) the window keeps its rows apart, and each node finds its winner. */
#ifndef NG_KERNELS_PATH_POOL_H
#define NG_KERNELS_PATH_POOL_H
#include "core/network/layer.h"

/* Makes *made of a planned relu_pool layer; false if it is not one, or not of whole vectors of channels. Its forward() is that
 * of the sequence itself, backward() it has none: what follows stands for it. */
bool ng_path_pool(const ng_layer *pool, ng_arena *arena, ng_layer *made);

/* The same with a BatchNormalization after it; false if there is one before it already. */
bool ng_path_pool_norm(const ng_layer *pool, const ng_layer *norm, ng_arena *arena, ng_layer *made);

/* What the nodes of a path share: for each window the row of z that wins and its place in the window. */
typedef struct ng_winners {
    float *rows;                                 /* (L, channels) */
    uint8_t *places;                             /* (L, channels) */
    uint8_t *apart;                              /* (L): 1 if the window keeps its rows apart, and has no winner here; else 0 */
    const float *baseline;                       /* (channels): z' in all windows that share a winner */
    int64_t first;                               /* the row of y that the others begin with */
} ng_winners;

/* Of the rows and places of so many windows. */
int64_t ng_winners_bytes(const ng_layer *layer, int64_t windows);

/* Which of `rows` keep their rows apart. ends: the layer's input, sample 0 of the sequence, sample 1 of the baseline; only the first, if
 * all nodes lie at a = 1. apart: no window shares its winner, as a path needs that has a node at a = 0, where all rows may tie. */
void ng_winners_part(const ng_layer *layer, const ng_tile *ends, ng_range rows, bool apart, const ng_winners *winners);

/* The winners of the others among `rows`. sequence: the layer's input there. */
void ng_winners_find(const ng_layer *layer, const ng_tile *sequence, ng_range rows, const ng_winners *winners);

/* The first window in `rows` that keeps its rows apart, or rows.last. */
int64_t ng_next_apart(const ng_winners *winners, ng_range rows);

/* Copies what windows need that keep their rows apart: for each of `rows`, size rows of z and as many of z'. */
int64_t ng_apart_bytes(const ng_layer *layer, int64_t windows);
void ng_apart_copy(const ng_layer *layer, const ng_tile *ends, ng_range rows, float *to);

/* Windows [first, last) of y; apart: as copied, for those that need it, one after the other. */
typedef struct ng_windows { const ng_winners *winners; int64_t first, last; const float *apart; } ng_windows;

/* y at position a, of one sample. code, unless it is NULL: a bit for each channel of a window that shares its winner, whether that is above 0. */
void ng_windows_forward(const ng_layer *layer, const ng_windows *windows, float a, float *y, uint8_t *code);

/* Adds weight * gradient to the sums: shared (rows, channels) from row windows->first on, and apart (windows that keep their rows apart,
 * size, channels), one after the other; each window has its sum in one of them. begin: instead of adding, writes it. Reads no winners. */
void ng_windows_backward(const ng_layer *layer, const ng_windows *windows, float a, float weight, const float *dy, const uint8_t *code, bool begin,
                         float *shared, float *apart);

/* Adds the sums of `rows` to the rows of dx that won, or that they belong to. */
void ng_winners_spread(const ng_layer *layer, const ng_winners *winners, ng_range rows, const float *shared, const float *apart,
                       ng_tile *dx);

#endif
