/* core/training/optimizer.h: a step along the gradient, number by number, as Keras 2.11 and later take it. */
#ifndef NG_TRAINING_OPTIMIZER_H
#define NG_TRAINING_OPTIMIZER_H
#include <stdbool.h>
#include <stdint.h>

typedef enum { NG_SGD, NG_ADAM, NG_ADAMW } ng_method;

typedef struct ng_optimizer {
    ng_method method;
    double momentum;                             /* of SGD */
    bool nesterov;
    double beta_1, beta_2, epsilon;              /* of Adam and AdamW */
    double weight_decay;                         /* of AdamW */
} ng_optimizer;

/* Step number `step` (from 1) at learning rate `rate`: changes `count` weights, and the means of their gradients (SGD: the velocity)
 * and of their squares. */
void ng_optimize(const ng_optimizer *optimizer, double rate, int64_t step, const float *gradient, float *weight, float *mean,
                 float *square, int64_t count);

#endif
