/* core/network/conv1d.h: the weights of a Conv1D as its products take them. */
#ifndef NG_NETWORK_CONV1D_H
#define NG_NETWORK_CONV1D_H
#include "core/network/layer.h"

/* What shape() of a layer that trains leaves to those who know whether forward() and backward() will be called at all. */
ng_status ng_pack_conv1d(const ng_layer *layer, ng_arena *arena, ng_error *error);

#endif
