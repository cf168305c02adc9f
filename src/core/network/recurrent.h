/* core/network/recurrent.h: what LSTM and GRU share: the walk along time, settings, weights. A cell adds one step forward and one
 * step back, of all samples at once.
 *
 * Backward is linear in what arrives, so forward keeps its coefficients: cell->kept vectors for each step. Where those of all
 * steps are many, it keeps rows of x and, every `interval` steps, the states instead; backward then computes the coefficients
 * of one interval at a time by the same steps forward: the same bits. Which of the two depends on the shape alone. */
#ifndef NG_NETWORK_RECURRENT_H
#define NG_NETWORK_RECURRENT_H
#include "core/kernels/gates.h"
#include "core/network/layer.h"

struct ng_recurrent;

/* Lanes of units hold `padded` numbers, the units and zeros behind them; `kept` (kept, NG_PANEL) for each group of units. Forward:
 * from x, h and c to next, which is h', and c' in c's place. Back: h and c are gradients of h' and c' and become those of h and
 * c; z becomes the gradient of x W + b, gate after gate. */
typedef struct ng_step { int64_t samples; ng_lane x, h, next, c, z, work, kept; } ng_step;

typedef struct ng_cell {
    int64_t gates, states, kept, work;           /* work: lanes of units */
    void (*step)(const struct ng_recurrent *r, const ng_step *step), (*back)(const struct ng_recurrent *r, const ng_step *step);
    /* Of a cell whose last gate has a recurrent kernel of its own (candidate): what that reads, if not h, (units) of one sample. */
    void (*gated)(const struct ng_recurrent *r, const float *kept, const float *h, float *to);
} ng_cell;

typedef struct ng_recurrent {
    const ng_cell *cell;
    int64_t units, padded, interval;             /* interval 0: coefficients of all steps are kept */
    ng_packed kernel, recurrent, candidate;      /* W, U, and U of GRU's last gate; the panels of a group of units side by side */
    ng_packed kernel_back, recurrent_back, candidate_back;           /* transposed; gate after gate */
    const float *bias, *candidate_bias;          /* as the columns of W, and of candidate */
    ng_curve activation, recurrent_activation;
    bool go_backwards, restore_order, reset_after, training;         /* training: h is kept too, behind a step's coefficients */
    enum { NG_SEQUENCE, NG_LAST, NG_CELL } returns;
} ng_recurrent;

/* Reads the settings, checks the kernels and packs W; the cell packs U as it needs it, from layer->weights[1]. */
ng_status ng_recurrent_shape(ng_layer *layer, const ng_cell *cell, ng_arena *arena, ng_recurrent **recurrent, ng_error *error);

/* Columns [first gate * u, + gates * u) of b (rows, cell->gates * u). */
ng_status ng_pack_gates(const ng_recurrent *r, const float *b, int64_t rows, int64_t first_gate, int64_t gates, ng_arena *arena,
                        ng_packed *forward, ng_packed *back, ng_error *error);
/* The same of a bias; NULL if that is NULL. */
ng_status ng_arrange_bias(const ng_recurrent *r, const float *bias, int64_t gates, ng_arena *arena, const float **arranged,
                          ng_error *error);

/* Sets how often states are kept: 0, or every so many steps. For tests; shape() chooses. */
void ng_keep_states(ng_layer *layer, int64_t interval);

void ng_recurrent_forward(const ng_layer *layer, const ng_tile *x, ng_tile *y, ng_code *code, void *scratch);
void ng_recurrent_backward(const ng_layer *layer, const ng_tile *dy, const ng_code *code, ng_tile *dx, void *scratch);
void ng_recurrent_gradients(const ng_layer *layer, const ng_tile *x, const ng_tile *dy, const ng_code *code, ng_tile *dx,
                            float *const *dw, void *scratch);

#endif
