/* core/training/loss.h: what training makes small. Sigmoid and softmax belong to their loss: it reads logits, so that nothing is lost
 * where a probability rounds to 0 or 1. */
#ifndef NG_TRAINING_LOSS_H
#define NG_TRAINING_LOSS_H
#include <stdbool.h>
#include <stdint.h>

typedef enum { NG_BINARY_CROSS_ENTROPY, NG_CATEGORICAL_CROSS_ENTROPY, NG_SQUARED_ERROR } ng_loss;

/* The loss of one sample: a mean over its numbers, for categories over its rows of `channels` numbers. gradient = factor times its
 * derivative, overwritten. *right: the share of numbers, or rows, that a threshold of a half, or the largest, gets right; of squared
 * errors the mean absolute error. */
double ng_loss_of(ng_loss loss, const float *output, const float *target, int64_t size, int64_t channels, double factor,
                  float *gradient, double *right);

#endif
