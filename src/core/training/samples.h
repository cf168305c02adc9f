/* core/training/samples.h: what is learned from: sequences or arrays, and their targets. */
#ifndef NG_TRAINING_SAMPLES_H
#define NG_TRAINING_SAMPLES_H
#include "core/network/layer.h"

typedef struct ng_samples {
    const uint8_t *bases;                        /* 0..3 = A, C, G, T, anything else is a row of zeros; NULL: arrays */
    const int64_t *starts;                       /* of each sample in bases */
    const float *const *arrays;                  /* one per input: (samples, rows, channels) */
    const float *targets;                        /* (samples, numbers of the output) */
    const double *weights;                       /* of each sample in the loss; NULL: 1 */
} ng_samples;

/* A sample of a batch, perhaps as its reverse complement. */
typedef struct ng_pick { int64_t sample; bool reversed; } ng_pick;

/* Writes input `input` of a sample, all rows of this shape. Sequences: input 0 is the strand that was picked, input 1 the other one. */
void ng_sample_rows(const ng_samples *samples, ng_pick pick, int input, ng_shape shape, float *rows);

#endif
