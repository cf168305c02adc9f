/* core/network/recurrent.h: what LSTM and GRU share: the walk along time, the products with the kernel, settings, gates. A cell
 * adds one step forward and one step back.
 *
 * Backward is linear in what arrives, so forward keeps its coefficients and nothing else: `kept` vectors of u floats for each
 * step and sample. They lie in the codes of the output rows; an output that is one row carries the steps of all of time. */
#ifndef NG_NETWORK_RECURRENT_H
#define NG_NETWORK_RECURRENT_H
#include "core/kernels/matrix.h"
#include "core/network/layer.h"

typedef enum ng_gate {
    NG_LINEAR, NG_RELU, NG_SIGMOID, NG_HARD_SIGMOID, NG_HARD_SIGMOID_KERAS3, NG_TANH, NG_SOFTSIGN, NG_ELU, NG_SELU, NG_SOFTPLUS,
    NG_SWISH, NG_GELU, NG_EXPONENTIAL
} ng_gate;

/* y = f(x) and slope = f'(x); y may be x. */
void ng_apply_gate(ng_gate gate, int64_t count, const float *x, float *y, float *slope);

/* Reads the activation under this key. */
ng_status ng_gate_of(const ng_layer *layer, const char *key, const char *otherwise, ng_gate *gate, ng_error *error);

/* Numbers of one kind of every sample: those of sample n begin at data + n * stride. */
typedef struct ng_lane { float *data; int64_t stride; } ng_lane;

static inline float *ng_of_sample(ng_lane lane, int64_t n) { return lane.data + n * lane.stride; }

struct ng_recurrent;

/* One step of all samples. Forward: z is x W + b (gates * u), state h and what else the cell carries (states * u, in place).
 * Back: state holds the gradients of the states after the step and gets those before it; z gets the gradient of x W + b. */
typedef void ng_step(const struct ng_recurrent *r, int64_t samples, ng_lane z, ng_lane state, ng_lane kept, ng_lane work);

typedef struct ng_cell { int64_t gates, states, kept, work; ng_step *step, *back; } ng_cell;

typedef struct ng_recurrent {
    const ng_cell *cell;
    int64_t units;
    ng_packed kernel, kernel_back, recurrent, recurrent_back;        /* W and U; back: transposed */
    ng_packed candidate, candidate_back;                             /* GRU: U of its last gate, which the others must precede */
    const float *bias, *candidate_bias;                              /* NULL without bias */
    ng_gate activation, recurrent_activation;
    bool go_backwards, restore_order, reset_after;
    enum { NG_SEQUENCE, NG_LAST, NG_CELL } returns;
} ng_recurrent;

/* Reads the settings, checks the kernels and packs W; the cell packs U as it needs it, at layer->weights[1]. */
ng_status ng_recurrent_shape(ng_layer *layer, const ng_cell *cell, ng_arena *arena, ng_recurrent **recurrent, ng_error *error);
void ng_recurrent_forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch);
void ng_recurrent_backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch);

#endif
