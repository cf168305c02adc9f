#include <math.h>
#include "core/motifs/network.h"

enum { LANE_WEIGHTS = 0, LANE_STREAM = 1 };

ng_motif_places ng_motif_places_of(const ng_motif_network *net)
{
    const int64_t e = net->dim, s = net->stream, m = net->hidden, k = net->filters + net->positions;
    ng_motif_places p = {.free = net->tied ? net->filters / 2 : net->filters};
    p.bias = p.filter + p.free * net->width * 4;
    p.gain = p.bias + p.free;
    p.offset = p.gain + p.free;
    p.token = p.offset + p.free;
    p.token_bias = p.token + e * k;
    p.layer = p.token_bias + e;
    p.query_bias = p.query + e * s;
    p.key = p.query_bias + e;
    p.value = p.key + (net->score == NG_SCORE_LINEAR ? e * e : 0);
    p.value_bias = p.value + e * e;
    p.output = p.value_bias + e;
    p.output_bias = p.output + e * e;
    p.read_gain = p.output_bias + e;
    p.read_offset = p.read_gain + e;
    p.hidden = p.read_offset + e;
    p.hidden_bias = p.hidden + m * e;
    p.written = p.hidden_bias + m;
    p.written_bias = p.written + s * m;
    p.write_gain = p.written_bias + s;
    p.write_offset = p.write_gain + s;
    p.layer_size = p.write_offset + s;
    p.final_gain = p.layer + net->layers * p.layer_size;
    p.final_offset = p.final_gain + s;
    p.weight = p.final_offset + s;
    p.intercept = p.weight + s;
    p.count = p.intercept + 1;
    return p;
}

/* Tensor number `index` uniform in +-1/sqrt(fan). */
static void uniform(double *tensor, int64_t count, int64_t fan, uint64_t key, uint32_t *index)
{
    const ng_random_stream stream = {key, (*index)++, LANE_WEIGHTS};
    const double bound = 1 / sqrt((double)fan);
    for (int64_t i = 0; i < count; i += 2) {
        double pair[2];
        ng_uniform_pair(stream, (uint64_t)(i / 2), pair);
        tensor[i] = bound * (2 * pair[0] - 1);
        if (i + 1 < count) tensor[i + 1] = bound * (2 * pair[1] - 1);
    }
}

static void constant(double *tensor, int64_t count, double value, uint32_t *index)
{
    for (int64_t i = 0; i < count; i++) tensor[i] = value;
    (*index)++;
}

void ng_motif_begin(ng_motif_network *net, uint64_t key)
{
    const ng_motif_places p = ng_motif_places_of(net);
    const int64_t e = net->dim, s = net->stream, m = net->hidden, k = net->filters + net->positions;
    double *all = net->parameters;
    uint32_t index = 1;                                              /* tensors count from 1 */
    uniform(all + p.filter, p.free * net->width * 4, 4 * net->width, key, &index);
    uniform(all + p.bias, p.free, 4 * net->width, key, &index);
    constant(all + p.gain, p.free, 1, &index);
    constant(all + p.offset, p.free, 0, &index);
    uniform(all + p.token, e * k, k, key, &index);
    uniform(all + p.token_bias, e, k, key, &index);
    for (int64_t n = 0; n < net->layers; n++) {
        double *own = all + p.layer + n * p.layer_size;
        uniform(own + p.query, e * s, s, key, &index);
        uniform(own + p.query_bias, e, s, key, &index);
        if (net->score == NG_SCORE_LINEAR) uniform(own + p.key, e * e, e, key, &index);
        uniform(own + p.value, e * e, e, key, &index);
        uniform(own + p.value_bias, e, e, key, &index);
        uniform(own + p.output, e * e, e, key, &index);
        uniform(own + p.output_bias, e, e, key, &index);
        constant(own + p.read_gain, e, 1, &index);
        constant(own + p.read_offset, e, 0, &index);
        uniform(own + p.hidden, m * e, e, key, &index);
        uniform(own + p.hidden_bias, m, e, key, &index);
        uniform(own + p.written, s * m, m, key, &index);
        uniform(own + p.written_bias, s, m, key, &index);
        constant(own + p.write_gain, s, 1, &index);
        constant(own + p.write_offset, s, 0, &index);
    }
    constant(all + p.final_gain, s, 1, &index);
    constant(all + p.final_offset, s, 0, &index);
    uniform(all + p.weight, s, s, key, &index);
    uniform(all + p.intercept, 1, s, key, &index);
    ng_normals((ng_random_stream){key, 0, LANE_STREAM}, 0, s, net->start);
    for (int64_t f = 0; f < p.free; f++) {
        net->mean[f] = 0;
        net->variance[f] = 1;
    }
}

void ng_motif_filters(const ng_motif_network *net, double *filters, double *bias)
{
    const ng_motif_places p = ng_motif_places_of(net);
    const int64_t width = net->width;
    for (int64_t f = 0; f < net->filters; f++) {
        const double *own = net->parameters + p.filter + f % p.free * width * 4;
        bias[f] = net->parameters[p.bias + f % p.free];
        for (int64_t w = 0; w < width; w++)
            for (int64_t c = 0; c < 4; c++)
                filters[(f * width + w) * 4 + c] = f < p.free ? own[w * 4 + c] : own[(width - 1 - w) * 4 + 3 - c];
    }
}

void ng_motif_fold(const ng_motif_network *net, const double *filters, const double *bias, double *gradient)
{
    const ng_motif_places p = ng_motif_places_of(net);
    const int64_t width = net->width;
    for (int64_t f = 0; f < net->filters; f++) {
        double *own = gradient + p.filter + f % p.free * width * 4;
        gradient[p.bias + f % p.free] += bias[f];
        for (int64_t w = 0; w < width; w++)
            for (int64_t c = 0; c < 4; c++)
                own[f < p.free ? w * 4 + c : (width - 1 - w) * 4 + 3 - c] += filters[(f * width + w) * 4 + c];
    }
}
