/* core/network/secant.h: layers whose way back takes the mean slope between two inputs in the place of the slope at one, so that
 * what they send back, times the difference of the inputs, is the difference of the outputs. */
#ifndef NG_NETWORK_SECANT_H
#define NG_NETWORK_SECANT_H
#include "core/network/layer.h"

/* Is y = A x + b, whatever the settings? Its slope is the same everywhere. */
bool ng_is_linear(const ng_layer_type *type);

/* The type that stands for another one: its calls read all inputs for the sequence, then all for the reference, and give what the other
 * gives for the sequence. NULL: there is none. */
const ng_layer_type *ng_secant_of(const ng_layer_type *type);

#endif
