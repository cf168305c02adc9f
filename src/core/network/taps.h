/* core/network/taps.h: convolutions tap by tap, one matrix K_j for each tap j = 0..k-1 and group of channels.
 *     gather    to[t] += sum over j of from[t s - P + j d] K_j
 *     scatter   to[t s - P + j d] += sum over j of from[t] K_j
 * k, s, d and P as in ng_reach; only rows that both tensors have. A row is the same chain of ascending taps in every tile. */
#ifndef NG_NETWORK_TAPS_H
#define NG_NETWORK_TAPS_H
#include "core/kernels/matrix.h"
#include "core/network/layer.h"

typedef struct ng_taps {
    int64_t groups, depth, columns;              /* of channels; numbers of one group in a row of `from`, and of `to` */
    ng_packed *kernels;                          /* (taps, groups) */
    const float *diagonal;                       /* (taps, groups) instead, where a group is one number on both sides */
} ng_taps;

/* Where element (k, o) of tap j and group g stands in the layer's kernel: j * tap + g * group + k * row + o * column. */
typedef struct ng_taps_strides { int64_t tap, group, row, column; } ng_taps_strides;

/* Packs the layer's first weight; groups, depth and columns are the caller's. */
ng_status ng_taps_pack(const ng_layer *layer, ng_taps_strides strides, ng_arena *arena, ng_taps *taps, ng_error *error);
void ng_taps_gather(const ng_taps *taps, ng_reach reach, const ng_tile *from, ng_tile *to);
void ng_taps_scatter(const ng_taps *taps, ng_reach reach, const ng_tile *from, ng_tile *to);
/* Every row of the tile becomes the bias, or 0 if that is NULL. */
void ng_taps_begin(ng_tile *to, const float *bias);

#endif
