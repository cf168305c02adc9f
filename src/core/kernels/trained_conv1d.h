/* core/kernels/trained_conv1d.h: Conv1D as it trains: with many taps in the frequency domain, each of the three products by itself. */
#ifndef NG_KERNELS_TRAINED_CONV1D_H
#define NG_KERNELS_TRAINED_CONV1D_H
#include "core/network/layer.h"

/* If the layer is a Conv1D that gains by it, turns it into its twin, for calls of gradients() with so many rows of dy of so many
 * samples; leaves any other layer as it is. spectra: whether spectra of the weights pay, which are made anew in each step. */
ng_status ng_trained_conv1d(ng_layer *layer, bool spectra, int64_t rows, int64_t samples, int threads, ng_arena *arena, ng_error *error);

#endif
