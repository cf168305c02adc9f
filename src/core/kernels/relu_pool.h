/* core/kernels/relu_pool.h: the faster twin of a run of layers: relu, BatchNormalization along the channels if there is one
 * between them, MaxPooling1D. One pass over the rows instead of three, and a byte, or half a byte, instead of a bit for each number and
 * a byte. */
#ifndef NG_KERNELS_RELU_POOL_H
#define NG_KERNELS_RELU_POOL_H
#include "core/network/layer.h"

/* Makes *fused from planned layers (norm may be NULL); false if the run is not of this kind, or its pool holds more than 255
 * rows. *fused reads what relu reads; its results equal those of the run number by number. */
bool ng_relu_pool(const ng_layer *relu, const ng_layer *norm, const ng_layer *pool, ng_arena *arena, ng_layer *fused);

/* Which row of a window of such a run won channel c, from its code: 0 .. size - 1; -1 if relu was 0 there. */
int ng_relu_pool_winner(const ng_layer *layer, const uint8_t *code, int64_t c);

/* The scale and shift between relu and pool, 1 and 0 if there is no norm; false if the layer is not such a run. */
bool ng_relu_pool_scales(const ng_layer *layer, const float **scale, const float **shift);

#endif
