/* core/network/types.h: the reader's table, one row per layer type. A new layer adds its name here and in types.c. */
#ifndef NG_NETWORK_TYPES_H
#define NG_NETWORK_TYPES_H
#include "core/network/layer.h"

extern const ng_layer_type ng_activation, ng_any_mask, ng_attention, ng_average_pooling1d, ng_batch_normalization, ng_compact,
    ng_concatenate, ng_conv1d, ng_conv1d_transpose, ng_cosine_similarity, ng_cropping1d, ng_dense, ng_dot, ng_dropout,
    ng_euclidean_distance, ng_flatten, ng_global_average_pooling1d, ng_global_max_pooling1d, ng_global_sum1d,
    ng_grouped_conv1d, ng_gru, ng_input, ng_layer_normalization, ng_lstm, ng_mask, ng_masked_average1d, ng_masking,
    ng_max_pooling1d, ng_add, ng_subtract, ng_multiply_layer, ng_average, ng_maximum, ng_minimum, ng_permute,
    ng_position_table, ng_prelu, ng_reshape, ng_spatial_dropout1d, ng_spread, ng_up_sampling1d, ng_zero_padding1d;

/* The type of a Keras class, or NULL. */
const ng_layer_type *ng_type_of_class(const char *class_name);

#endif
