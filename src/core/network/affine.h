/* core/network/affine.h: what a kernel that stands for several layers needs to know of a BatchNormalization. */
#ifndef NG_NETWORK_AFFINE_H
#define NG_NETWORK_AFFINE_H
#include "core/network/layer.h"

/* y = x scale + shift, channel by channel; false if the layer normalizes another axis. */
bool ng_scale_and_shift(const ng_layer *batch_normalization, const float **scale, const float **shift);

#endif
