/* core/attribution/moved_annotation.h: an annotation moved along the genome, so that its features meet other scores. The contigs lie end
 * to end on one axis, cut into blocks of equal length. A draw gives each block a place on the axis. A piece of a feature is what one
 * block holds of it; it is read from the block's place on, around the circle that the place lies in. A circular shift is one block
 * and one circle, the whole axis; a block bootstrap has a circle for each contig. */
#ifndef NG_ATTRIBUTION_MOVED_ANNOTATION_H
#define NG_ATTRIBUTION_MOVED_ANNOTATION_H
#include "core/base/run.h"

/* sums[i] of the first i bases of the axis, known[i] how many of them have a score; both have axis + 1 elements. Two sums that differ
 * by at most `slack` are equal: they are rounded. Circle c is [circles[c], circles[c + 1]), the last one ends with the axis. */
typedef struct ng_annotation {
    const double *sums, *known;
    double slack;
    int64_t axis, blocks, n_circles, features, pieces;
    const int64_t *circles;
    const int64_t *block, *offset, *bases, *feature;         /* of each piece; offset: its first base in its block */
} ng_annotation;

/* What a draw needs besides its result: one place a block. */
void ng_draw_places(const ng_annotation *annotation, uint64_t key, int64_t draw, int64_t *places);

/* The mean of each feature in a draw, NaN if no base has a score; `bases` has how many do. */
void ng_moved_means(const ng_annotation *annotation, const int64_t *places, double *means, double *bases);

/* For each feature, in how many of `draws` its mean is there, at least as high and at least as low as `means`. Adds to the last three. */
ng_status ng_moved_counts(const ng_annotation *annotation, const double *means, uint64_t key, int64_t draws, const ng_run *run,
                          int64_t *there, int64_t *high, int64_t *low, ng_error *error);

#endif
