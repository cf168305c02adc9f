/* core/kernels/global_in_blocks.h: a global pooling over many rows as two layers: one that pools blocks of rows, at fixed places, and
 * one over the blocks. The first is local, so that it runs in tiles with the layers before it and only its blocks are kept. */
#ifndef NG_KERNELS_GLOBAL_IN_BLOCKS_H
#define NG_KERNELS_GLOBAL_IN_BLOCKS_H
#include "core/network/layer.h"

/* Makes *blocks and *rest of a planned GlobalMaxPooling1D or GlobalAveragePooling1D; *made false if it is none of these or its input
 * is short. The largest have the same bits, and so have all gradients; an average is summed in float64 in another order. */
ng_status ng_global_in_blocks(const ng_layer *layer, ng_arena *arena, ng_layer *blocks, ng_layer *rest, bool *made, ng_error *error);

#endif
