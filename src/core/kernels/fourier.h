/* core/kernels/fourier.h: a convolution with many taps (stride 1, dilation 1) in the frequency domain, by overlap-save.
 *
 *     y[t, o] (+)= bias[o] + sum over j, c of x[t - pad + j, c] K[j, c, o]      x (L, C), K (taps, C, O), y (Lo, O)
 *
 * Blocks of S = `rows` rows of y begin at multiples of S; what one reads of two channels are the real and the imaginary part of
 * one transform of N = `size` points. Between the transforms lies one small matrix product a frequency. A tensor whose rows
 * and padding before them fit into one transform is one block: the padding keeps what wraps around from its rows.
 *
 * Bits depend on absolute rows of y alone, never on what else is in the call. Still they are not those of the direct product:
 * the error is that of float32 relative to the largest values of a block, and equal windows of x at different rows need not
 * give equal bits. Inputs must be finite. */
#ifndef NG_KERNELS_FOURIER_H
#define NG_KERNELS_FOURIER_H
#include "core/base/store.h"
#include "core/network/layer.h"

typedef struct ng_fourier_shape {
    int64_t taps, in_channels, out_channels, in_length, out_length, pad;
    int64_t multiple;                            /* S is one of it, unless a block is the whole tensor */
    int64_t samples;                             /* in most calls, at least: they share the reading of the weights; few are taken for 4 */
} ng_fourier_shape;

typedef struct ng_fourier {
    ng_fourier_shape shape;
    int64_t size, rows;
    int64_t scratch_bytes, weight_bytes;         /* per thread; once */
    const float *weights, *twiddles, *turns;     /* weights: of a convolution; turns: of its gradient */
    const int64_t *places;                       /* where a transform leaves each frequency */
} ng_fourier;

enum { NG_FOURIER_SIZES = 5 };
extern const int64_t ng_fourier_sizes[NG_FOURIER_SIZES];

/* The weights of K, element (j, c, o) = kernel[j * tap_stride + c * in_stride + o * out_stride], for transforms of `size` points:
 * one of ng_fourier_sizes with a finite cost. The gradient of the input is this same convolution over dy, with taps in reverse,
 * channels and lengths exchanged, and pad = taps - 1 - pad: kernel + (taps - 1) * tap_stride, -tap_stride, out_stride, in_stride.
 * store: where the weights may lie already, if the kernel never changes; NULL: they are made anew, in the arena. */
ng_status ng_fourier_make(const ng_fourier_shape *shape, const float *kernel, int64_t tap_stride, int64_t in_stride, int64_t out_stride,
                          int64_t size, int threads, ng_store *store, ng_arena *arena, ng_fourier *made, ng_error *error);

/* The size that takes the least time, or 0 where the direct product takes less. */
int64_t ng_fourier_size(const ng_fourier_shape *shape);

/* The time of one size for a sample, in cycles of a core that does 64 floating-point operations a cycle; infinite if no block fits. */
double ng_fourier_cost(const ng_fourier_shape *shape, int64_t size);

/* Floating-point operations of one row of y: its share of the transforms and of the products. */
double ng_fourier_operations(const ng_fourier *fourier);

/* All rows and samples of y. x holds every row in [0, x->length) that they read. y->first is a multiple of `rows`, and so is y->last
 * unless it is the end of the tensor. bias may be NULL; add: to what is there. scratch: scratch_bytes, 64-byte aligned. */
void ng_fourier_rows(const ng_fourier *fourier, const ng_tile *x, const float *bias, bool add, const ng_tile *y, void *scratch);

/* The gradient of K instead, by transforms of `size` points, at least 2 taps:
 *     dK[j, c, o] += sum over t of x[t - pad + j, c] dy[t, o]          dK (taps, C, O), t over the rows of dy of all samples
 * x holds every row in [0, x->length) that they read. Bits depend on which rows and samples are in the call. */
/* The size that takes the least time for a call with so many rows of dy of so many samples, or 0 where the direct product takes less. */
int64_t ng_fourier_gradient_size(const ng_fourier_shape *shape, int64_t rows, int64_t samples);

ng_status ng_fourier_make_gradient(const ng_fourier_shape *shape, int64_t size, ng_arena *arena, ng_fourier *made, ng_error *error);

/* The rows of dy of all samples, added to sums in scratch, the first ones of which begin them; and the sums, added to dw. Calls do best with a
 * multiple of ng_fourier_gradient_rows(), or with all rows of short tensors. */
void ng_fourier_gradient_add(const ng_fourier *fourier, const ng_tile *x, const ng_tile *dy, bool begin, void *scratch);
void ng_fourier_gradient_end(const ng_fourier *fourier, float *dw, void *scratch);
int64_t ng_fourier_gradient_rows(const ng_fourier *fourier);

#endif
