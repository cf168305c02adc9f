/* core/network/strip.h: runs a strip of windows that overlap (overlap.h) up to the boundary, and back.
 *
 * Along a path x(a) = x' + a (x - x'), x' a function of the base alone, a strip is the same for all its windows at each a. Gradients are
 * added where windows share rows, so that one way back serves them all. What a window's own gradient g is at the input is then not
 * known, but its sum of scores is: where g reaches shared rows v, at the boundary or from a window's edges, sum over them of g dv/da, by the
 * chain rule. The derivatives of shared rows along the path go forward as the rows do. */
#ifndef NG_NETWORK_STRIP_H
#define NG_NETWORK_STRIP_H
#include "core/network/overlap.h"
#include "core/network/stream.h"

/* Memory of one strip. */
typedef struct ng_strip {
    float *sequence, *baseline;                  /* (rows, channels) of the input */
    float **shared, **edges[2];                  /* by node: values, then gradients; (phases, rows and a few more) of the strip, and (batch, */
                                                 /* rows) at the left and right edges */
    float **tangents;                            /* like shared: derivatives along the path */
    float **still;                               /* by node: a row of what a linear layer makes of zeros */
    uint8_t **codes, **edge_codes[2];            /* by node: (phases, rows) of the strip; (windows, rows) at the edges; all the same */
                                                 /* memory if no gradients are wanted */
    float **operands;                            /* by input of a layer */
    ng_tile *x;
    uint8_t *scratch;
    float **sums;                                /* of each target: (rows, channels) of the input */
} ng_strip;

/* targets: 0 unless overlap->gradients. */
ng_status ng_strip_make(const ng_overlap *overlap, int targets, ng_arena *arena, ng_strip *strip, ng_error *error);

/* Reads the strip that begins with window `first` of the source, whose rows must go on behind the end of that window; its sums are 0. */
void ng_strip_read(const ng_overlap *overlap, const ng_source *source, int64_t first, int targets, ng_strip *strip);

/* Runs the first `windows` windows of the strip forward, at a position of the path; tangents: with derivatives.
 * rows[b]: (any windows, rows, channels) of the boundary's tensor b; these windows are written from number `at` on. */
void ng_strip_forward(const ng_overlap *overlap, double position, int64_t windows, bool tangents, ng_strip *strip,
                      float *const *rows, int64_t at);

/* Takes gradients of the boundary, laid out as rows are, back through the last run forward, and adds weight * gradient to the sums of a
 * target. slopes[window]: the sum of gradient times derivative is added there; NULL if the run had no derivatives. */
void ng_strip_backward(const ng_overlap *overlap, double weight, int64_t windows, int target, ng_strip *strip, float *const *gradients,
                       int64_t at, double *slopes);

#endif
