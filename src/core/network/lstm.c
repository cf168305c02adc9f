/* core/network/lstm.c: LSTM.    x (L, C) -> y (L, u) or (u); kernel W (C, 4u), recurrent kernel U (u, 4u), bias b (4u)
 *     z = x[t] W + b + h U in blocks i, f, g, o;   i, f, o = R(z_i), R(z_f), R(z_o);   g = A(z_g)
 *     c' = f c + i g,   h' = o A(c')
 * and back, with R', A' at the z they belong to
 *     dc' += dh' o A'(c')
 *     dz_i = dc' g R',   dz_f = dc' c R',   dz_g = dc' i A',   dz_o = dh' A(c') R',   dc = dc' f,   dh = dz U^T
 * R = recurrent_activation, A = activation. Kept are the six factors, in this order. */
#include "core/network/recurrent.h"

static void step(const ng_recurrent *r, int64_t samples, ng_lane z, ng_lane state, ng_lane kept, ng_lane work)
{
    const int64_t u = r->units;
    ng_multiply(state.data, samples, state.stride, &r->recurrent, 0, u, NULL, true, z.data, z.stride);
    for (int64_t n = 0; n < samples; n++) {
        float *h = ng_of_sample(state, n), *c = h + u, *i = ng_of_sample(z, n), *f = i + u, *g = f + u, *o = g + u;
        float *slope = ng_of_sample(work, n), *bent = slope + 4 * u, *bent_slope = bent + u, *k = ng_of_sample(kept, n);
        ng_apply_gate(r->recurrent_activation, 2 * u, i, i, slope);
        ng_apply_gate(r->activation, u, g, g, slope + 2 * u);
        ng_apply_gate(r->recurrent_activation, u, o, o, slope + 3 * u);
#pragma omp simd
        for (int64_t j = 0; j < u; j++) {
            k[u + j] = g[j] * slope[j];
            k[2 * u + j] = c[j] * slope[u + j];
            k[3 * u + j] = i[j] * slope[2 * u + j];
            k[5 * u + j] = f[j];
            c[j] = f[j] * c[j] + i[j] * g[j];
        }
        ng_apply_gate(r->activation, u, c, bent, bent_slope);
#pragma omp simd
        for (int64_t j = 0; j < u; j++) {
            k[j] = o[j] * bent_slope[j];
            k[4 * u + j] = bent[j] * slope[3 * u + j];
            h[j] = o[j] * bent[j];
        }
    }
}

static void back(const ng_recurrent *r, int64_t samples, ng_lane dz, ng_lane state, ng_lane kept, ng_lane work)
{
    (void)work;
    const int64_t u = r->units;
    for (int64_t n = 0; n < samples; n++) {
        float *dh = ng_of_sample(state, n), *dc = dh + u, *d = ng_of_sample(dz, n);
        const float *k = ng_of_sample(kept, n);
#pragma omp simd
        for (int64_t j = 0; j < u; j++) {
            const float carried = dc[j] + dh[j] * k[j];
            d[j] = carried * k[u + j];
            d[u + j] = carried * k[2 * u + j];
            d[2 * u + j] = carried * k[3 * u + j];
            d[3 * u + j] = dh[j] * k[4 * u + j];
            dc[j] = carried * k[5 * u + j];
        }
    }
    ng_multiply(dz.data, samples, dz.stride, &r->recurrent_back, 0, 4 * u, NULL, false, state.data, state.stride);
}

static const ng_cell cell = {.gates = 4, .states = 2, .kept = 6, .work = 6, .step = step, .back = back};

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    ng_recurrent *r;
    if (ng_recurrent_shape(layer, &cell, arena, &r, error)) return error->status;
    const int64_t u = r->units, width = 4 * u;
    const float *recurrent = layer->weights[1].data;
    if (ng_pack(recurrent, u, width, width, 1, arena, &r->recurrent, error) ||
        ng_pack(recurrent, width, u, 1, width, arena, &r->recurrent_back, error)) return error->status;
    if (!ng_flag(layer->settings, "use_bias", layer->weight_count > 2)) return NG_OK;
    if (ng_expect_weight(layer, 2, 1, &width, error)) return error->status;
    r->bias = layer->weights[2].data;
    return NG_OK;
}

const ng_layer_type ng_lstm = {"LSTM", .shape = shape, .forward = ng_recurrent_forward, .backward = ng_recurrent_backward};
