/* core/network/pooling.h: the settings that both poolings share. */
#ifndef NG_NETWORK_POOLING_H
#define NG_NETWORK_POOLING_H
#include "core/network/layer.h"

/* Reads pool_size, strides (pool_size unless given) and padding; sets out and reach. */
ng_status ng_pooling(ng_layer *layer, ng_error *error);

#endif
