/* core/kernels/fourier_conv1d.h: the faster twin of Conv1D for many taps: both directions in the frequency domain, the gradient of
 * the weights as the layer itself has it. */
#ifndef NG_KERNELS_FOURIER_CONV1D_H
#define NG_KERNELS_FOURIER_CONV1D_H
#include "core/base/store.h"
#include "core/network/layer.h"

/* If the layer is a Conv1D that gains by it, turns it into its twin; leaves any other layer as it is. samples, store: see kernels/fourier.h. */
ng_status ng_fourier_conv1d(ng_layer *layer, int64_t samples, int threads, ng_store *store, ng_arena *arena, ng_error *error);

#endif
