/* core/kernels/trained_conv1d.h: a Conv1D as it trains: where its taps are many it computes in the frequency domain, and where it reads
 * sequences by looking up. Its results are those of the layer to rounding. */
#ifndef NG_KERNELS_TRAINED_CONV1D_H
#define NG_KERNELS_TRAINED_CONV1D_H
#include "core/network/layer.h"

/* If the layer is a Conv1D, packs its weights; if its stride and dilation are 1, turns it into its twin. spectra: forward and backward may
 * be in the frequency domain, besides the gradient of the kernel, which is where calls have about so many rows and samples. letters: it
 * reads an input, whose rows may be one-hot. */
ng_status ng_trained_conv1d(ng_layer *layer, bool spectra, bool letters, int64_t rows, int64_t samples, int threads, ng_arena *arena,
                            ng_error *error);

bool ng_is_trained_conv1d(const ng_layer *layer);

/* What gradients() does but for dx, for those who make dy bit by bit, from the first bit to the last. Bits do best with a multiple of so
 * many rows, or with all of them. */
void ng_trained_conv1d_add(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, bool begin, float *const *dw, void *scratch);
void ng_trained_conv1d_end(const ng_layer *layer, float *const *dw, void *scratch);
int64_t ng_trained_conv1d_rows(const ng_layer *layer);

#endif
