/* tests/core/net.h: graphs made call by call, with random weights. */
#ifndef NG_TESTS_NET_H
#define NG_TESTS_NET_H
#include <math.h>
#include <stdlib.h>
#include "check.h"
#include "core/network/graph.h"
#include "core/network/types.h"

static bool few_bits;                            /* weights are multiples of 1/16, if a test sets it */

enum { MOST_CALLS = 24, MOST_SETTINGS = 6, MOST_WEIGHTS = 4 };

typedef struct net {
    ng_arena *arena;
    ng_graph graph;
    ng_call calls[MOST_CALLS];
    int from[MOST_CALLS][2], inputs[2], outputs[2];
    ng_setting settings[MOST_CALLS][MOST_SETTINGS];
    double numbers[MOST_CALLS][MOST_SETTINGS][3];
    ng_tensor weights[MOST_CALLS][MOST_WEIGHTS];
    ng_shape shapes[2];
} net;

static inline void *claim(ng_arena *arena, int64_t count, size_t size)
{
    ng_error error;
    void *memory = ng_alloc(arena, count, size, &error);
    if (!memory) { puts("the tests have no memory left"); exit(2); }
    return memory;
}

static inline net *new_net(void)
{
    ng_arena *arena = ng_arena_new(1 << 28);
    net *made = claim(arena, 1, sizeof *made);
    made->arena = arena;
    made->graph = (ng_graph){.calls = made->calls, .inputs = made->inputs, .outputs = made->outputs};
    return made;
}

/* Adds a call that reads the calls a and b (-1: none); settings and weights follow. */
static inline int add(net *n, const ng_layer_type *type, int a, int b)
{
    const int at = n->graph.count++;
    n->from[at][0] = a, n->from[at][1] = b;
    n->calls[at] = (ng_call){.type = type, .name = type->class_name, .settings = {n->settings[at], 0}, .weights = n->weights[at],
                             .inputs = n->from[at], .input_count = (a >= 0) + (b >= 0)};
    return at;
}

static inline int last_call(const net *n) { return n->graph.count - 1; }

static inline void numbers(net *n, const char *key, int64_t count, double a, double b, double c)
{
    ng_call *call = &n->calls[last_call(n)];
    double *values = n->numbers[last_call(n)][call->settings.count];
    values[0] = a, values[1] = b, values[2] = c;
    n->settings[last_call(n)][call->settings.count++] = (ng_setting){key, NULL, values, count};
}

static inline void number(net *n, const char *key, double value) { numbers(n, key, 1, value, 0, 0); }

static inline void word(net *n, const char *key, const char *text)
{
    ng_call *call = &n->calls[last_call(n)];
    n->settings[last_call(n)][call->settings.count++] = (ng_setting){key, text, NULL, 0};
}

static inline void weight(net *n, int rank, int64_t a, int64_t b, int64_t c, double low, double high)
{
    ng_call *call = &n->calls[last_call(n)];
    const int64_t count = a * (rank > 1 ? b : 1) * (rank > 2 ? c : 1);
    float *data = claim(n->arena, count, sizeof *data);
    for (int64_t i = 0; i < count; i++) data[i] = (float)(low + (draw_real() + 1) / 2 * (high - low));
    for (int64_t i = 0; few_bits && i < count; i++) data[i] = roundf(16 * data[i]) / 16;
    n->weights[last_call(n)][call->weight_count++] = (ng_tensor){data, rank, {a, b, c}};
}

static inline int input(net *n, ng_shape shape)
{
    const int at = add(n, &ng_input, -1, -1);
    const double axes[3] = {(double)shape.samples, (double)shape.length, (double)shape.channels};
    numbers(n, "shape", shape.rank, axes[3 - shape.rank], shape.rank > 1 ? axes[4 - shape.rank] : 0, axes[2]);
    n->shapes[n->graph.input_count] = shape;
    n->inputs[n->graph.input_count++] = at;
    return at;
}

static inline int conv(net *n, int from, int64_t size, int64_t channels, int64_t filters, const char *padding)
{
    const int at = add(n, &ng_conv1d, from, -1);
    const double scale = sqrt(3.0 / (double)(size * channels));
    number(n, "filters", (double)filters);
    number(n, "kernel_size", (double)size);
    number(n, "strides", draw(4) ? 1 : 2);
    number(n, "dilation_rate", 1);
    word(n, "padding", padding);
    weight(n, 3, size, channels, filters, -scale, scale);
    weight(n, 1, filters, 0, 0, -0.2, 0.2);
    return at;
}

static inline int activation(net *n, int from, const char *name)
{
    const int at = add(n, &ng_activation, from, -1);
    word(n, "activation", name);
    return at;
}

static inline int pool(net *n, int from, const ng_layer_type *type, int64_t size, int64_t stride, const char *padding)
{
    const int at = add(n, type, from, -1);
    number(n, "pool_size", (double)size);
    number(n, "strides", (double)stride);
    word(n, "padding", padding);
    return at;
}

static inline int norm(net *n, int from, int64_t channels)
{
    const int at = add(n, &ng_batch_normalization, from, -1);
    weight(n, 1, channels, 0, 0, 0.8, 1.2);                          /* gamma, beta, mean, variance */
    weight(n, 1, channels, 0, 0, -0.2, 0.2);
    weight(n, 1, channels, 0, 0, -0.2, 0.2);
    weight(n, 1, channels, 0, 0, 0.5, 1.5);
    return at;
}

static inline int dense(net *n, int from, int64_t channels, int64_t units)
{
    const int at = add(n, &ng_dense, from, -1);
    const double scale = sqrt(3.0 / (double)channels);
    number(n, "units", (double)units);
    weight(n, 2, channels, units, 0, -scale, scale);
    weight(n, 1, units, 0, 0, -0.2, 0.2);
    return at;
}

static inline int lstm(net *n, int from, int64_t channels, int64_t units)
{
    const int at = add(n, &ng_lstm, from, -1);
    number(n, "units", (double)units);
    weight(n, 2, channels, 4 * units, 0, -0.5, 0.5);
    weight(n, 2, units, 4 * units, 0, -0.5, 0.5);
    weight(n, 1, 4 * units, 0, 0, -0.2, 0.2);
    return at;
}

static inline void end_net(net *n, int first_output, int second_output)
{
    ng_error error = {0};
    n->outputs[0] = first_output, n->outputs[1] = second_output;
    n->graph.output_count = 1 + (second_output >= 0);
    CHECK(ng_graph_check(&n->graph, &error) == NG_OK);
}

static inline ng_shape sequence(int64_t length, int64_t channels) { return (ng_shape){2, 1, length, channels}; }

/* A head whose layers read any of the tensors before them. */
static inline net *branches(void)
{
    enum { TENSORS = 8 };
    net *n = new_net();
    const int flat = add(n, &ng_flatten, input(n, sequence(20 + draw(10), 4)), -1);
    int tensors[TENSORS] = {dense(n, flat, ng_size(n->shapes[0]), 7)};
    int64_t channels[TENSORS] = {7};
    for (int k = 1; k < TENSORS; k++) {
        const int a = draw(3) ? k - 1 : (int)draw(k), b = (int)draw(k);
        const bool both = draw(2);
        channels[k] = both ? channels[a] + channels[b] : 1 + draw(40);
        tensors[k] = both ? add(n, &ng_concatenate, tensors[a], tensors[b])
                          : activation(n, dense(n, tensors[a], channels[a], channels[k]), "tanh");
    }
    end_net(n, add(n, &ng_concatenate, tensors[TENSORS - 1], tensors[TENSORS - 3]), tensors[draw(TENSORS)]);
    return n;
}
#endif
