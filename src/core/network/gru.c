/* core/network/gru.c: GRU.    x (L, C) -> y (L, u) or (u); kernel W (C, 3u), recurrent kernel U (u, 3u) in blocks z, r, g
 *     a = x[t] W + b,   z = R(a_z + h U_z),   r = R(a_r + h U_r),   h' = z h + (1 - z) g
 *     reset_after:  q = h U_g + b_q,   g = A(a_g + r q)             bias (2, 3u): b, and a second for each block of h U
 *     otherwise:                       g = A(a_g + (r h) U_g)       bias (3u)
 * and back
 *     dg = dh' (1 - z) A',   dz = dh' (h - g) R',   dh = dh' z + (dz, dr) (U_z, U_r)^T + ...
 *     reset_after:  dr = dg q R',   dq = dg r,           ... dq U_g^T
 *     otherwise:    w = dg U_g^T,   dr = w h R',         ... w r
 * R = recurrent_activation, A = activation. Kept are (1 - z) A', (h - g) R', q R' or h R', r, z. */
#include "core/network/recurrent.h"

static void step(const ng_recurrent *r, int64_t samples, ng_lane z, ng_lane state, ng_lane kept, ng_lane work)
{
    const int64_t u = r->units;
    ng_multiply(state.data, samples, state.stride, &r->recurrent, 0, u, NULL, true, z.data, z.stride);
    if (r->reset_after)
        ng_multiply(state.data, samples, state.stride, &r->candidate, 0, u, r->candidate_bias, false, work.data, work.stride);
    for (int64_t n = 0; n < samples; n++) {
        float *h = ng_of_sample(state, n), *update = ng_of_sample(z, n), *reset = update + u, *candidate = reset + u;
        float *q = ng_of_sample(work, n), *slope = q + u, *k = ng_of_sample(kept, n);
        ng_apply_gate(r->recurrent_activation, 2 * u, update, update, slope);
        const float *gated = r->reset_after ? q : h;                 /* what the reset gate multiplies */
#pragma omp simd
        for (int64_t j = 0; j < u; j++) {
            k[2 * u + j] = gated[j] * slope[u + j];
            k[3 * u + j] = reset[j];
            k[4 * u + j] = update[j];
            q[j] = reset[j] * gated[j];
        }
        for (int64_t j = 0; r->reset_after && j < u; j++) candidate[j] += q[j];
    }
    if (!r->reset_after) ng_multiply(work.data, samples, work.stride, &r->candidate, 0, u, NULL, true, z.data + 2 * u, z.stride);
    for (int64_t n = 0; n < samples; n++) {
        float *h = ng_of_sample(state, n), *update = ng_of_sample(z, n), *candidate = update + 2 * u;
        float *slope = ng_of_sample(work, n) + u, *k = ng_of_sample(kept, n);
        ng_apply_gate(r->activation, u, candidate, candidate, slope + 2 * u);
#pragma omp simd
        for (int64_t j = 0; j < u; j++) {
            k[j] = (1 - update[j]) * slope[2 * u + j];
            k[u + j] = (h[j] - candidate[j]) * slope[j];
            h[j] = update[j] * h[j] + (1 - update[j]) * candidate[j];
        }
    }
}

static void back(const ng_recurrent *r, int64_t samples, ng_lane dz, ng_lane state, ng_lane kept, ng_lane work)
{
    const int64_t u = r->units;
    for (int64_t n = 0; n < samples; n++) {
        float *dh = ng_of_sample(state, n), *d = ng_of_sample(dz, n), *dq = ng_of_sample(work, n);
        const float *k = ng_of_sample(kept, n);
#pragma omp simd
        for (int64_t j = 0; j < u; j++) {
            const float dg = dh[j] * k[j];
            d[j] = dh[j] * k[u + j];
            d[u + j] = dg * k[2 * u + j];
            d[2 * u + j] = dg;
            dq[j] = dg * k[3 * u + j];
            dh[j] *= k[4 * u + j];
        }
    }
    if (r->reset_after) {
        ng_multiply(work.data, samples, work.stride, &r->candidate_back, 0, u, NULL, true, state.data, state.stride);
    } else {                                                         /* w takes the place of dg in dr and dq */
        ng_multiply(dz.data + 2 * u, samples, dz.stride, &r->candidate_back, 0, u, NULL, false, work.data, work.stride);
        for (int64_t n = 0; n < samples; n++) {
            float *dh = ng_of_sample(state, n), *dr = ng_of_sample(dz, n) + u;
            const float *w = ng_of_sample(work, n), *k = ng_of_sample(kept, n);
#pragma omp simd
            for (int64_t j = 0; j < u; j++) {
                dr[j] = w[j] * k[2 * u + j];
                dh[j] += w[j] * k[3 * u + j];
            }
        }
    }
    ng_multiply(dz.data, samples, dz.stride, &r->recurrent_back, 0, 2 * u, NULL, true, state.data, state.stride);
}

static const ng_cell cell = {.gates = 3, .states = 1, .kept = 5, .work = 4, .step = step, .back = back};

static ng_status read_bias(const ng_layer *layer, ng_recurrent *r, ng_arena *arena, ng_error *error)
{
    const int64_t u = r->units, width = 3 * u;
    if (!r->reset_after) {
        if (ng_expect_weight(layer, 2, 1, &width, error)) return error->status;
        r->bias = layer->weights[2].data;
        return NG_OK;
    }
    if (ng_expect_weight(layer, 2, 2, (int64_t[]){2, width}, error)) return error->status;
    const float *given = layer->weights[2].data;
    float *bias = ng_alloc(arena, width, sizeof *bias, error);       /* z and r meet both of theirs in one sum */
    if (!bias) return error->status;
    for (int64_t j = 0; j < width; j++) bias[j] = given[j] + (j < 2 * u ? given[width + j] : 0);
    r->bias = bias;
    r->candidate_bias = given + width + 2 * u;
    return NG_OK;
}

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    ng_recurrent *r;
    if (ng_recurrent_shape(layer, &cell, arena, &r, error)) return error->status;
    const int64_t u = r->units, width = 3 * u;
    const float *gates = layer->weights[1].data, *candidate = gates + 2 * u;
    if (ng_pack(gates, u, 2 * u, width, 1, arena, &r->recurrent, error) ||
        ng_pack(gates, 2 * u, u, 1, width, arena, &r->recurrent_back, error) ||
        ng_pack(candidate, u, u, width, 1, arena, &r->candidate, error) ||
        ng_pack(candidate, u, u, 1, width, arena, &r->candidate_back, error)) return error->status;
    r->reset_after = ng_flag(layer->settings, "reset_after", layer->weight_count < 3 || layer->weights[2].rank == 2);
    return ng_flag(layer->settings, "use_bias", layer->weight_count > 2) ? read_bias(layer, r, arena, error) : NG_OK;
}

const ng_layer_type ng_gru = {"GRU", .shape = shape, .forward = ng_recurrent_forward, .backward = ng_recurrent_backward};
