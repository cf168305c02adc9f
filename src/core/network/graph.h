/* core/network/graph.h: a network as the model file states it: layer calls in topological order and their weights. It knows no
 * lengths that the file leaves free and no data; many plans may read one graph at the same time. */
#ifndef NG_NETWORK_GRAPH_H
#define NG_NETWORK_GRAPH_H
#include "core/network/layer.h"

typedef struct ng_call {
    const ng_layer_type *type;
    const char *name;                            /* of the layer in the file */
    ng_settings settings;
    const ng_tensor *weights;
    int weight_count;
    const int *inputs;                           /* earlier calls */
    int input_count;
    bool time_distributed;                       /* applied to each sample of the first axis by itself */
} ng_call;

typedef struct ng_graph {
    int count;
    ng_call *calls;
    int input_count, output_count;
    const int *inputs, *outputs;                 /* calls: InputLayers in the model's order; outputs in the model's order */
    int64_t weight_count;
    const ng_tensor *weights;                    /* of all layers, in the order of the file; calls share them */
    bool training;                               /* of its layers */
} ng_graph;

/* Refuses a graph whose calls are out of order, that reads what is not there, whose weights hold NaN or infinity, or whose
 * inputs are not InputLayers. */
ng_status ng_graph_check(const ng_graph *graph, ng_error *error);

/* The graph that reads tensors of these shapes, (length, channels), in the place of the calls `calls`: they become its inputs. */
ng_status ng_graph_cut(const ng_graph *graph, const int *calls, const ng_shape *shapes, int count, ng_arena *arena, ng_graph *made,
                       ng_error *error);

/* Fills in the layer of call `at` for inputs of these shapes: out, reach, config. Memory comes from the arena.
 * *whole is the output as the next layers see it; *group how many samples of the layer one sample of the network makes
 * (TimeDistributed). For an InputLayer, in[0] is its concrete shape. */
ng_status ng_call_shape(const ng_graph *graph, int at, const ng_shape *in, ng_arena *arena, ng_layer *layer, ng_shape *whole,
                        int64_t *group, ng_error *error);

#endif
