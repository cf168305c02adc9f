/* inst/fuzz/graph.c: bytes become a network, layer by layer, with settings and weights that fit or do not; it is checked, planned, and if
 * it holds together run forward and backward. Two ways to cut the work must give the same bits. */
#include <stdio.h>
#include <stdlib.h>
#include "bytes.h"
#include "core/attribution/what_if.h"
#include "core/attribution/window_scan.h"
#include "core/network/types.h"

enum { MOST = 12, WEIGHTS = 4, SETTINGS = 6, WINDOWS = 2, ARENA = 1 << 24 };

static const ng_layer_type *const types[] = {
    &ng_conv1d, &ng_activation, &ng_max_pooling1d, &ng_dense, &ng_batch_normalization, &ng_flatten, &ng_lstm, &ng_add, &ng_concatenate,
    &ng_global_max_pooling1d, &ng_global_average_pooling1d, &ng_average_pooling1d, &ng_zero_padding1d, &ng_cropping1d, &ng_up_sampling1d,
    &ng_gru, &ng_layer_normalization, &ng_prelu, &ng_reshape, &ng_permute, &ng_dot, &ng_attention, &ng_masking, &ng_mask, &ng_any_mask,
    &ng_masked_average1d, &ng_compact, &ng_conv1d_transpose, &ng_grouped_conv1d, &ng_cosine_similarity, &ng_euclidean_distance,
    &ng_global_sum1d, &ng_subtract, &ng_multiply_layer, &ng_average, &ng_maximum, &ng_minimum, &ng_position_table, &ng_spread, &ng_dropout,
    &ng_spatial_dropout1d, &ng_input,
};
static const char *const keys[] = {
    "use_bias", "data_format", "axis", "strides", "target_shape", "shape", "scale", "kernel_size", "go_backwards", "filters", "dilation_rate",
    "center", "activation", "units", "threshold", "shared_axes", "returns", "restore_order", "output_padding", "negative_slope", "max_value",
    "keepdims", "groups", "epsilon", "dims", "axes", "zero_masked", "time_major", "size", "return_sequences", "reset_after", "rate",
    "pool_size", "padding", "normalize", "mask_value", "heads", "alpha", "cropping", "recurrent_activation", "interpolation", "nonsense",
};
static const char *const words[] = {
    "linear", "relu", "same", "valid", "causal", "tanh", "sigmoid", "softmax", "hard_sigmoid", "elu", "selu", "gelu", "swish", "leaky_relu",
    "relu6", "log_softmax", "exponential", "softplus", "channels_first", "channels_last", "sequence", "last", "hidden", "cell", "nearest", "",
};
enum { TYPES = sizeof types / sizeof *types, KEYS = sizeof keys / sizeof *keys, WORDS = sizeof words / sizeof *words };

typedef struct built {
    bytes *from;
    ng_arena *arena;
    ng_graph graph;
    ng_call calls[MOST];
    int inputs[MOST][3], entrances[2], wanted[2];
    ng_setting settings[MOST][SETTINGS];
    double numbers[MOST][SETTINGS][4];
    ng_tensor weights[MOST][WEIGHTS];
    ng_shape whole[MOST], shapes[2];
} built;

static void set(built *n, const char *key, const char *text, int count, double a, double b)
{
    ng_call *call = &n->calls[n->graph.count];
    if (call->settings.count == SETTINGS) return;
    double *values = n->numbers[n->graph.count][call->settings.count];
    values[0] = a, values[1] = b, values[2] = any_number(n->from), values[3] = 1;
    n->settings[n->graph.count][call->settings.count++] = (ng_setting){key, text, text ? NULL : values, text ? 0 : count};
}

/* A weight of these dimensions, or of others. */
static void weight(built *n, int rank, int64_t a, int64_t b, int64_t c)
{
    ng_call *call = &n->calls[n->graph.count];
    ng_tensor tensor = {NULL, rank, {a, b, c, 1}};
    ng_error error;
    int64_t count = 1;
    if (one_in(n->from, 40)) tensor.rank = below(n->from, 5);
    if (one_in(n->from, 40)) tensor.dim[below(n->from, 4)] = below(n->from, 9);
    for (int d = 0; d < tensor.rank; d++) count = tensor.dim[d] < 0 || tensor.dim[d] > 1 << 16 || count > 1 << 16 ? -1 : count * tensor.dim[d];
    float *data = call->weight_count < WEIGHTS && count >= 0 && count <= 1 << 16 ? ng_alloc(n->arena, count, sizeof *data, &error) : NULL;
    if (!data) return;
    const int seed = next(n->from);
    for (int64_t i = 0; i < count; i++) data[i] = (float)((seed + 37 * i) % 97) / 97 - 0.4f;
    if (count && one_in(n->from, 60)) data[count - 1] = NAN;
    tensor.data = data;
    n->weights[n->graph.count][call->weight_count++] = tensor;
}

/* What this type of layer needs, of small sizes. */
static void fit(built *n, const ng_layer_type *type, ng_shape in)
{
    const int64_t size = 1 + below(n->from, 5), made = 1 + below(n->from, one_in(n->from, 4) ? 20 : 6), C = in.channels;
    const char *const paddings[] = {"valid", "same", "causal"};
    if (type == &ng_conv1d || type == &ng_conv1d_transpose || type == &ng_grouped_conv1d) {
        set(n, "filters", NULL, 1, (double)made, 0);
        set(n, "kernel_size", NULL, 1, (double)size, 0);
        if (one_in(n->from, 3)) set(n, "strides", NULL, 1, 1 + below(n->from, 3), 0);
        else if (one_in(n->from, 3)) set(n, "dilation_rate", NULL, 1, 1 + below(n->from, 3), 0);
        set(n, "padding", paddings[below(n->from, 3)], 0, 0, 0);
        if (type == &ng_conv1d_transpose) weight(n, 3, size, made, C);
        else weight(n, 3, size, C, made);
        weight(n, 1, made, 1, 1);
    } else if (type == &ng_dense) {
        set(n, "units", NULL, 1, (double)made, 0);
        weight(n, 2, C, made, 1);
        weight(n, 1, made, 1, 1);
    } else if (type == &ng_lstm || type == &ng_gru) {
        const int64_t gates = type == &ng_lstm ? 4 : 3;
        set(n, "units", NULL, 1, (double)made, 0);
        set(n, "return_sequences", NULL, 1, below(n->from, 2), 0);
        weight(n, 2, C, gates * made, 1);
        weight(n, 2, made, gates * made, 1);
        if (type == &ng_lstm) weight(n, 1, gates * made, 1, 1);
        else weight(n, 2, 2, gates * made, 1);
    } else if (type == &ng_batch_normalization || type == &ng_layer_normalization) {
        for (int w = 0; w < (type == &ng_batch_normalization ? 4 : 2); w++) weight(n, 1, C, 1, 1);
    } else if (type == &ng_prelu) {
        weight(n, in.rank, in.rank > 1 ? in.length : C, C, 1);
    } else if (type == &ng_position_table) {
        weight(n, 2, in.length, C, 1);
    } else if (type == &ng_max_pooling1d || type == &ng_average_pooling1d) {
        set(n, "pool_size", NULL, 1, (double)size, 0);
        set(n, "strides", NULL, 1, 1 + below(n->from, 4), 0);
        set(n, "padding", paddings[below(n->from, 2)], 0, 0, 0);
    } else if (type == &ng_activation) {
        set(n, "activation", words[below(n->from, WORDS)], 0, 0, 0);
    } else if (type == &ng_zero_padding1d || type == &ng_cropping1d) {
        set(n, type == &ng_cropping1d ? "cropping" : "padding", NULL, 2, below(n->from, 4), below(n->from, 4));
    } else if (type == &ng_reshape) {
        set(n, "target_shape", NULL, 2, one_in(n->from, 2) ? -1 : (double)size, one_in(n->from, 3) ? (double)made : (double)C);
    } else if (type == &ng_permute) {
        set(n, "dims", NULL, 2, 2, 1);
    }
}

/* One more call, which stays if it has a shape, and at times if not. */
static void grow(built *n)
{
    const int at = n->graph.count;
    const ng_layer_type *type = types[below(n->from, one_in(n->from, 2) ? TYPES : 12)];
    ng_call *call = &n->calls[at];
    *call = (ng_call){.type = type, .name = "layer", .settings = {n->settings[at], 0}, .weights = n->weights[at], .inputs = n->inputs[at]};
    const bool merges = type == &ng_add || type == &ng_concatenate || type == &ng_dot || (type >= &ng_subtract && one_in(n->from, 3));
    call->input_count = type == &ng_input && !one_in(n->from, 9) ? 0 : one_in(n->from, 30) ? below(n->from, 4) : 1 + merges;
    for (int i = 0; i < call->input_count && i < 3; i++)
        n->inputs[at][i] = one_in(n->from, 5) ? below(n->from, at + one_in(n->from, 40)) : one_in(n->from, 200) ? -1 : at - 1;
    call->time_distributed = one_in(n->from, 12);
    const int read = call->input_count && n->inputs[at][0] >= 0 && n->inputs[at][0] < at ? n->inputs[at][0] : 0;
    ng_shape in = n->whole[read];
    if (call->time_distributed && in.rank == 3) in.rank = 2, in.samples = 1;
    else if (call->time_distributed && in.rank == 2) in.rank = 1, in.length = 1;
    fit(n, type, in);
    for (int more = one_in(n->from, 3) ? below(n->from, 3) : 0; more > 0; more--) {
        const char *key = keys[below(n->from, KEYS)];
        if (one_in(n->from, 3)) set(n, key, words[below(n->from, WORDS)], 0, 0, 0);
        else set(n, key, NULL, below(n->from, 5), any_number(n->from), any_number(n->from));
    }
    ng_shape inputs[3] = {{2, 1, 5, 4}, {2, 1, 5, 4}, {2, 1, 5, 4}};
    for (int i = 0; i < call->input_count && i < 3; i++)
        if (n->inputs[at][i] >= 0 && n->inputs[at][i] < at) inputs[i] = n->whole[n->inputs[at][i]];
    ng_layer layer;
    ng_error error = {0};
    int64_t group;
    n->graph.count++;
    const int most = type == &ng_input ? 0 : type->several ? 3 : 1;
    const bool checked = call->input_count >= (most > 0) && call->input_count <= most;          /* as ng_graph_check() does */
    if (checked && ng_call_shape(&n->graph, at, inputs, n->arena, &layer, &n->whole[at], &group, &error) == NG_OK) return;
    n->whole[at] = (ng_shape){2, 1, 5, 4};
    if (call->input_count > 3 || !one_in(n->from, 6)) n->graph.count--;
}

static void enter(built *n, int rank)
{
    const int at = n->graph.count;
    const double length = one_in(n->from, 20) ? any_number(n->from) : 1 + below(n->from, 120), channels = one_in(n->from, 3) ? 1 + below(n->from, 9) : 4;
    n->calls[at] = (ng_call){.type = &ng_input, .name = "entrance", .settings = {n->settings[at], 0}, .inputs = n->inputs[at]};
    if (rank == 1) set(n, "shape", NULL, 1, channels, 0);
    else if (rank == 2) set(n, "shape", NULL, 2, length, channels);
    else set(n, "shape", NULL, 3, 2, 1 + below(n->from, 20));
    const double *axes = n->numbers[at][0];
    if (rank == 3) n->numbers[at][0][2] = channels;
    n->shapes[n->graph.input_count] = (ng_shape){rank, rank == 3 ? 2 : 1, rank == 1 ? 1 : rank == 2 ? (int64_t)fmin(fmax(isnan(length) ? below(n->from, 3) : length, -9), 1e6) : (int64_t)axes[1],
                                                 (int64_t)channels};
    n->whole[at] = n->shapes[n->graph.input_count];
    if (n->whole[at].length < 1) n->whole[at].length = 1;                        /* refused by the plan: no layer reads it */
    n->entrances[n->graph.input_count++] = at;
    n->graph.count++;
}

/* Scores and outputs of all windows into `found`, hashed. */
static ng_status run_graph(const built *n, int64_t tile_bytes, int threads, uint64_t *hash)
{
    const double positions[2] = {0.3, 0.8}, weights[2] = {0.5, 0.5};
    const ng_path path = {2, positions, weights, true};
    ng_error error = {0};
    ng_plan plan;
    const ng_run run = {.arena = ng_arena_new(ARENA), .threads = threads, .tile_bytes = tile_bytes};
    ng_arena *data = ng_arena_new(ARENA);
    const float *x[2] = {NULL, NULL}, *cotangents[2] = {NULL, NULL};
    double *scores[2] = {NULL, NULL};
    float *outputs[2] = {NULL, NULL};
    int64_t strides[2] = {0, 0}, sizes[2] = {0, 0};
    const int64_t shared[2] = {0, 0};
    bool ready = run.arena && data && ng_plan_make(&n->graph, n->shapes, n->wanted, n->graph.output_count, true, &run, &plan, &error) == NG_OK;
    for (int i = 0; ready && i < n->graph.input_count; i++) {
        const int64_t size = strides[i] = ng_size(n->shapes[i]);
        float *values = ng_alloc(data, 2 * WINDOWS * size, sizeof *values, &error);
        scores[i] = ng_alloc(data, WINDOWS * size, sizeof **scores, &error);
        ready = (x[i] = values) && scores[i];
        for (int64_t k = 0; ready && k < 2 * WINDOWS * size; k++) values[k] = (float)((k * 7919 + 13) % 101) / 50 - 1;
    }
    for (int w = 0; ready && w < n->graph.output_count; w++) {
        sizes[w] = ng_size(plan.nodes[plan.wanted[w]].whole);
        float *ones = ng_alloc(data, sizes[w], sizeof *ones, &error);
        outputs[w] = ng_alloc(data, WINDOWS * sizes[w], sizeof **outputs, &error);
        ready = (cotangents[w] = ones) && outputs[w];
        for (int64_t k = 0; ready && k < sizes[w]; k++) ones[k] = (float)(1 + k % 3);
    }
    if (ready) {
        const float *const baselines[2] = {x[0] ? x[0] + WINDOWS * strides[0] : NULL, x[1] ? x[1] + WINDOWS * strides[1] : NULL};
        ng_arrays arrays = {x, baselines, strides, n->shapes, scores};
        const ng_source source = ng_arrays_source(&arrays);
        const ng_sink sink = ng_arrays_sink(&arrays);
        const ng_objective objective = {cotangents, shared};
        ng_check checks[WINDOWS];
        ready = ng_path_integral(&plan, &source, WINDOWS, &objective, 1, &path, &sink, checks, &run, &error) == NG_OK &&
                ng_predict(&plan, &source, WINDOWS, outputs, &run, &error) == NG_OK;
    }
    if (!ready && (error.status == NG_OK || !error.message[0])) abort();         /* a failure without its reason */
    *hash = 0;
    for (int i = 0; ready && i < n->graph.input_count; i++)
        for (int64_t k = 0; k < WINDOWS * strides[i]; k++) {
            uint64_t word;
            memcpy(&word, &scores[i][k], sizeof word);
            *hash = *hash * 31 + (isnan(scores[i][k]) ? 1 : word);
        }
    for (int w = 0; ready && w < n->graph.output_count; w++)
        for (int64_t k = 0; k < WINDOWS * sizes[w]; k++) {
            uint32_t word;
            memcpy(&word, &outputs[w][k], sizeof word);
            *hash = *hash * 31 + (isnan(outputs[w][k]) ? 1 : word);
        }
    ng_arena_free(run.arena);
    ng_arena_free(data);
    return error.status;
}

/* Windows of a contig that share their trunk, and changes that are computed as cones: where a network reads bases. */
static void run_contig(const built *n)
{
    static const float even[4] = {0.25f, 0.25f, 0.25f, 0.25f}, many[4096] = {1, -1, 0.5};
    static uint8_t bases[4000];
    const int64_t window = n->shapes[0].length, length = 3 * window, starts[4] = {0, window / 3, 2 * (window / 3), 2 * window};
    for (int64_t i = 0; i < length; i++) bases[i] = (uint8_t)((i * i + i / 5) % 5);
    const ng_contig contig = {.bases = bases, .length = length, .window = window, .starts = starts, .baseline = even};
    ng_error error = {0};
    ng_plan plan;
    const ng_run run = {.arena = ng_arena_new(ARENA), .threads = 1 + below(n->from, 2), .tile_bytes = below(n->from, 3) * 300};
    float *outputs[2] = {NULL, NULL};
    const float *cotangents[2] = {many, many};
    bool fits = run.arena && ng_plan_make(&n->graph, n->shapes, n->wanted, n->graph.output_count, false, &run, &plan, &error) == NG_OK;
    for (int w = 0; fits && w < n->graph.output_count; w++) {
        const int64_t size = ng_size(plan.nodes[plan.wanted[w]].whole);
        fits = size <= 4096 && (outputs[w] = ng_alloc(run.arena, 4 * size, sizeof **outputs, &error));
    }
    if (fits) ng_window_scan(&n->graph, &plan, n->wanted, &contig, 4, outputs, &run, &error);
    const ng_change sites[3] = {{0, window / 2, 1 + below(n->from, 9), NULL, 1}, {1, window / 3, 1, bases, 4}, {3, 2 * window, window, NULL, 1}};
    double values[4], changed[6];
    ng_answers answers = {values, changed, 0, 0};
    if (fits && error.status == NG_OK)
        ng_what_if(&n->graph, n->wanted, n->graph.output_count, cotangents, &contig, 4, sites, 3, &run, &answers, &error);
    if (error.status != NG_OK && !error.message[0]) abort();
    ng_arena_free(run.arena);
}

static void describe(const built *n)
{
    for (int at = 0; at < n->graph.count; at++) {
        const ng_call *call = &n->calls[at];
        const ng_shape *out = &n->whole[at];
        printf("%2d %s%s(", at, call->type->class_name, call->time_distributed ? ", distributed " : "");
        for (int i = 0; i < call->input_count && i < 3; i++) printf("%s%d", i ? ", " : "", call->inputs[i]);
        printf(") to %lld x %lld x %lld;", (long long)out->samples, (long long)out->length, (long long)out->channels);
        for (int s = 0; s < call->settings.count; s++) {
            const ng_setting *one = &call->settings.items[s];
            printf(" %s=%s", one->key, one->text ? one->text : "");
            for (int k = 0; k < one->count; k++) printf("%s%g", k ? "," : "", one->numbers[k]);
        }
        puts("");
        fflush(stdout);
    }
    for (int w = 0; w < n->graph.output_count; w++) printf("wanted %d\n", n->wanted[w]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bytes from = {data, data + size};
    ng_arena *arena = ng_arena_new(ARENA);
    built *n = calloc(1, sizeof *n);
    if (!arena || !n) abort();
    n->from = &from;
    n->arena = arena;
    n->graph = (ng_graph){.calls = n->calls, .inputs = n->entrances, .outputs = n->wanted, .output_count = 1};
    enter(n, one_in(&from, 6) ? 1 + below(&from, 3) : 2);
    if (one_in(&from, 8)) enter(n, 2);
    for (int layers = 1 + below(&from, 9); layers > 0 && n->graph.count < MOST; layers--) grow(n);
    n->wanted[0] = n->graph.count - 1;
    if (one_in(&from, 8)) n->wanted[n->graph.output_count++] = below(&from, n->graph.count + one_in(&from, 9));
    if (getenv("DESCRIBE")) describe(n);
    ng_error error = {0};
    uint64_t hash, again;
    if (ng_graph_check(&n->graph, &error) == NG_OK) {
        const ng_status status = run_graph(n, 0, 1, &hash);
        if (status == NG_OK && one_in(&from, 2) && run_graph(n, 200, 2, &again) == NG_OK && hash != again) abort();  /* bits depend on tiles */
        const ng_shape shape = n->shapes[0];
        if (status == NG_OK && n->graph.input_count == 1 && shape.rank == 2 && shape.channels == 4 && shape.length >= 3 && shape.length <= 1300)
            run_contig(n);
    } else if (!error.message[0]) abort();
    ng_arena_free(arena);
    free(n);
    return 0;
}
