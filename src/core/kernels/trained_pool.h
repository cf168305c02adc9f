/* core/kernels/trained_pool.h: a Conv1D, relu and MaxPooling1D, or a Conv1D and its activation, as they train: what lies between them is made
 * in bits that stay in a cache, and its gradient made again, from the winners. Results are those of the layers, the gradient of the kernel
 * to rounding. */
#ifndef NG_KERNELS_TRAINED_POOL_H
#define NG_KERNELS_TRAINED_POOL_H
#include "core/network/layer.h"

/* Makes *made of what ng_trained_conv1d() made, and of an Activation or what ng_relu_pool() made; it reads what conv reads and has its
 * weights. *made is left alone if they are others, or windows overlap or meet padding. */
ng_status ng_trained_pool(const ng_layer *conv, const ng_layer *pool, ng_arena *arena, ng_layer *made, ng_error *error);

#endif
