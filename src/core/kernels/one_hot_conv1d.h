/* core/kernels/one_hot_conv1d.h: the faster twin of a Conv1D that reads a sequence itself: a row with a single 1 picks a row of
 * the kernel, and equal rows one after the other, as in a constant baseline, are computed once. Same bits. */
#ifndef NG_KERNELS_ONE_HOT_CONV1D_H
#define NG_KERNELS_ONE_HOT_CONV1D_H
#include "core/network/layer.h"

/* If the layer is a Conv1D for which there is such a twin, turns it into that; leaves any other layer as it is. */
ng_status ng_one_hot_conv1d(ng_layer *layer, ng_arena *arena, ng_error *error);

#endif
