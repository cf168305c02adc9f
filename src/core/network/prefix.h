/* core/network/prefix.h: prefixes of a stream: their ends, their values and gradients along a path, and the transpose at the end. */
#ifndef NG_NETWORK_PREFIX_H
#define NG_NETWORK_PREFIX_H
#include "core/network/tiles.h"

/* Prepares worker->rows of all origins: the ends, 2 or that of the sequence alone; backward only what pools need of them. window: of
 * the round, which begins at window `first_window` of the source. */
void ng_prefix_tile(const ng_stream *stream, int64_t first_window, int64_t window, int ends, bool backward, ng_worker *worker);

/* Values of origin k at these positions, one for each sample of y; of a pooled one the codes, too, unless code is NULL. */
void ng_origin_values(const ng_stream *stream, int k, const double *positions, ng_tile *y, const ng_code *code, const ng_worker *worker);

/* Adds weight * gradient of each sample to the sums of origin k of a window; begin: the first one writes them. */
void ng_origin_add(const ng_stream *stream, int k, int64_t window, const double *positions, const double *weights, bool begin,
                   const ng_tile *gradient, const ng_code *code, const ng_worker *worker);

#endif
