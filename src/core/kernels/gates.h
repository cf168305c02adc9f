/* core/kernels/gates.h: what a step of LSTM or GRU does unit by unit, between its matrix products; see network/lstm.c and gru.c,
 * whose letters these are. A call is about NG_PANEL units of each sample; their numbers of one kind lie side by side. */
#ifndef NG_KERNELS_GATES_H
#define NG_KERNELS_GATES_H
#include "core/kernels/curve.h"
#include "core/kernels/matrix.h"

/* Numbers of every sample: those of sample n begin at data + n * stride. */
typedef struct ng_lane { float *data; int64_t stride; } ng_lane;

static inline float *ng_of_sample(ng_lane lane, int64_t n) { return lane.data + n * lane.stride; }
static inline ng_lane ng_further(ng_lane lane, int64_t numbers) { return (ng_lane){lane.data ? lane.data + numbers : NULL, lane.stride}; }

enum { NG_LSTM_KEPT = 6, NG_GRU_KEPT = 5 };      /* numbers of a unit that back reads; nobody wants them if kept.data is NULL */

/* z: i, f, g, o before their activation. c becomes c', h is written. */
typedef struct ng_lstm_units { int64_t samples; ng_curve activation, recurrent_activation; ng_lane z, c, h, kept; } ng_lstm_units;
void ng_lstm_forward(const ng_lstm_units *units);

/* First half: before (z, r, g without r's part of it) gives z (z and its slope), product = r gated, where gated is q or h, and
 * candidate, what A bends: with reset_after the product is in it. Second half: next = z h + (1 - z) A(candidate). */
typedef struct ng_gru_units {
    int64_t samples;
    ng_curve activation, recurrent_activation;
    bool reset_after;
    ng_lane before, gated, z, product, candidate, h, next, kept;
} ng_gru_units;
void ng_gru_reset(const ng_gru_units *units);
void ng_gru_update(const ng_gru_units *units);
#endif
