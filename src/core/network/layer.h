/* core/network/layer.h: what a layer is. Every tensor is (L, C), rows by channels, row-major; a vector is (1, C); a set of S
 * sequences is (S, L, C). A tile is rows [first, last) of N samples. Outside [0, length) there is nothing: padding. Outside
 * [first, last) there is more, elsewhere. */
#ifndef NG_NETWORK_LAYER_H
#define NG_NETWORK_LAYER_H
#include <stdbool.h>
#include <stdint.h>
#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/network/settings.h"

typedef struct ng_range { int64_t first, last; } ng_range;               /* 0-based, half-open */

/* rank 1: (C), 2: (L, C), 3: (S, L, C); axes that are not there are 1. */
typedef struct ng_shape { int rank; int64_t samples, length, channels; } ng_shape;

typedef struct ng_tensor { const float *data; int rank; int64_t dim[4]; } ng_tensor;    /* a weight, in Keras order */

/* Rows [first, last) of each of `samples` samples; sample n begins at data + n * sample_stride (in floats). length: of the
 * whole tensor, S * L rows for a set. */
typedef struct ng_tile { float *data; int64_t first, last, length, channels, samples, sample_stride; } ng_tile;

/* What forward keeps for backward: row_bytes for each output row and sample (signs, winners, gates). */
typedef struct ng_code { uint8_t *data; int64_t first, last, row_bytes, sample_stride; } ng_code;

/* Output row t reads the input rows t*stride - pad + j*dilation, j = 0..size-1, that lie in [0, L). size 0: it reads them
 * all; the trunk is every layer before such a one, the head begins there. stride -s turns it round: input row t is read by the output
 * rows t*s - pad + j*dilation. */
typedef struct ng_reach { int64_t size, stride, dilation, pad; } ng_reach;

typedef struct ng_layer {
    const struct ng_layer_type *type;
    const char *name;                            /* as in the model file; every error carries name and index */
    int index;
    const ng_settings *settings;                 /* Keras keys and values */
    const ng_tensor *weights;                    /* in Keras order */
    int weight_count, inputs;
    const ng_shape *in;                          /* one per input */
    bool training;                               /* gradients() will be called: forward keeps what it needs */
    /* from here on written by shape(); the plan owns this copy of the layer */
    ng_shape out;
    ng_reach reach;
    const void *config;                          /* the type's own struct: parsed settings, packed weights */
    int64_t code_bytes;                          /* kept per output row and sample, from forward to backward; multiple of 4 if floats */
    int64_t scratch_bytes, call_bytes;           /* scratch of one call: scratch_bytes for each sample in the tile, and call_bytes */
    int64_t y_align, x_align;                    /* tiles of y, and of dx, begin at multiples of these; 0: anywhere */
    int64_t gradient_bytes;                      /* scratch of gradients(), for each sample, if that is more */
    int64_t weight_bytes;                        /* what a call reads besides its tiles, if so much that samples should share it */
    double row_operations;                       /* floating-point ones of a row of y, if not those of the formula */
} ng_layer;

/* Contract.
 * (1) A result depends on absolute row numbers alone, never on where a tile begins, which thread runs it or which other
 *     samples are in the tile: every tiling and batching gives the same bits.
 * (2) All that can fail fails in shape(), before work starts: settings, weight shapes, ranks. The others allocate nothing and
 *     remember nothing; scratch holds scratch_bytes * samples + call_bytes bytes, 64-byte aligned, content undefined.
 * (3) x[i] holds at least ng_rows_needed(reach, rows of y); dy and code hold at least ng_rows_touched(reach, rows of dx).
 *     A layer whose reach has size 0 writes, and keeps, all rows.
 * (4) forward overwrites y and code; backward adds to dx[i] (which may be the same tile for two inputs). dx[i] == NULL data:
 *     nobody wants that gradient. dx[i] may hold different rows for different inputs, and x[i] more rows than needed.
 * (5) gradients, of layers with weights, does what backward does and adds to dw[w], the gradient of weight w (NULL: nobody wants
 *     it); the sums run over the samples of the tile in their order. Tiles hold all rows, but that dy holds those whose part of dw is
 *     wanted if dx is not and the layer reads few rows. */
typedef struct ng_layer_type {
    const char *class_name;                      /* Keras class, the key of the reader's table */
    const char *algorithm;                       /* of a kernel that does not follow the formula step by step; NULL: it does */
    bool affine;                                 /* y = A x + b: the path integral lifts a leading affine run out of its loop */
    bool several;                                /* takes more than one input; shape() says how many */
    bool forgetful;                              /* with code_bytes 0 forward keeps nothing: where nobody wants a gradient */
    ng_status (*shape)(ng_layer *layer, ng_arena *arena, ng_error *error);
    void (*forward)(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch);
    void (*backward)(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch);
    void (*gradients)(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx, float *const *dw,
                      void *scratch);
} ng_layer_type;

typedef enum { NG_VALID, NG_SAME, NG_CAUSAL } ng_padding;

/* reach.c: geometry that many layers share. */

/* Reads the setting "padding". */
ng_status ng_padding_of(const ng_layer *layer, ng_padding *padding, ng_error *error);
/* Output length and reach of a sliding window (keras-style padding: the odd element of "same" goes to the right). Sets
 * out.rank = 2, out.samples = 1, out.length and reach; channels are the caller's. */
ng_status ng_slide(ng_layer *layer, int64_t size, int64_t stride, int64_t dilation, ng_padding padding, ng_error *error);
/* A layer that maps each row to a row: out = in (any rank), reach 1. */
void ng_row_by_row(ng_layer *layer);
/* Refuses inputs whose rank is not in [least, most]. */
ng_status ng_expect_rank(const ng_layer *layer, int least, int most, ng_error *error);
/* Refuses a whole-number setting outside [least, 2^31); NG_OK fills *value. */
ng_status ng_whole(const ng_layer *layer, const char *key, int64_t at, int64_t otherwise, int64_t least, int64_t *value, ng_error *error);
/* Refuses weight number `at` unless it exists and has this rank and these dimensions (-1: any). */
ng_status ng_expect_weight(const ng_layer *layer, int at, int rank, const int64_t *dim, ng_error *error);

/* The input rows that output rows `out` read; the output rows that read input rows `in`. */
ng_range ng_rows_needed(ng_reach reach, ng_range out, int64_t in_length);
ng_range ng_rows_touched(ng_reach reach, ng_range in, int64_t out_length);

/* All rows and all numbers of a shape. */
static inline int64_t ng_rows(ng_shape shape) { return shape.samples * shape.length; }
static inline int64_t ng_size(ng_shape shape) { return shape.samples * shape.length * shape.channels; }

#include "core/network/rows.h"
#endif
