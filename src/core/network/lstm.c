/* core/network/lstm.c: LSTM.    x (L, C) -> y (L, u) or (u); kernel W (C, 4u), recurrent kernel U (u, 4u), bias b (4u)
 *     z = x[t] W + b + h U in blocks i, f, g, o;   i, f, o = R(z_i), R(z_f), R(z_o);   g = A(z_g)
 *     c' = f c + i g,   h' = o A(c')
 * and back, with R', A' at the z they belong to
 *     dc' += dh' o A'(c')
 *     dz_i = dc' g R',   dz_f = dc' c R',   dz_g = dc' i A',   dz_o = dh' A(c') R',   dc = dc' f,   dh = dz U^T
 * R = recurrent_activation, A = activation. Kept are the six factors, in this order. Forward goes by groups of units, whose z
 * stay in the cache between product and gates (kernels/gates.h). */
#include "core/network/recurrent.h"

enum { GATES = 4 };

static void step(const ng_recurrent *r, const ng_step *s)
{
    for (int64_t unit = 0; unit < r->padded; unit += NG_PANEL) {
        const ng_packed kernel = ng_columns(&r->kernel, GATES * unit, GATES * NG_PANEL);
        const ng_packed recurrent = ng_columns(&r->recurrent, GATES * unit, GATES * NG_PANEL);
        ng_multiply(s->x.data, s->samples, s->x.stride, &kernel, 0, kernel.depth, r->bias ? r->bias + GATES * unit : NULL, false,
                    s->z.data, s->z.stride);
        ng_multiply(s->h.data, s->samples, s->h.stride, &recurrent, 0, recurrent.depth, NULL, true, s->z.data, s->z.stride);
        ng_lstm_forward(&(ng_lstm_units){s->samples, r->activation, r->recurrent_activation, s->z, ng_further(s->c, unit),
                                         ng_further(s->next, unit), ng_further(s->kept, NG_LSTM_KEPT * unit)});
    }
}

static void back(const ng_recurrent *r, const ng_step *s)
{
    const int64_t gate = r->padded;
    for (int64_t n = 0; n < s->samples; n++) {
        const float *k = ng_of_sample(s->kept, n);
        float *dz = ng_of_sample(s->z, n), *dh = ng_of_sample(s->h, n), *dc = ng_of_sample(s->c, n);
        for (int64_t unit = 0; unit < r->padded; unit += NG_PANEL, k += NG_LSTM_KEPT * NG_PANEL)
#pragma omp simd
            for (int64_t j = 0; j < NG_PANEL; j++) {
                const float from = dh[unit + j], carried = dc[unit + j] + from * k[j];
                dz[unit + j] = carried * k[NG_PANEL + j];
                dz[gate + unit + j] = carried * k[2 * NG_PANEL + j];
                dz[2 * gate + unit + j] = carried * k[3 * NG_PANEL + j];
                dz[3 * gate + unit + j] = from * k[4 * NG_PANEL + j];
                dc[unit + j] = carried * k[5 * NG_PANEL + j];
            }
    }
    ng_multiply(s->z.data, s->samples, s->z.stride, &r->recurrent_back, 0, GATES * gate, NULL, false, s->h.data, s->h.stride);
}

static const ng_cell cell = {.gates = GATES, .states = 2, .kept = NG_LSTM_KEPT, .step = step, .back = back};

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    ng_recurrent *r;
    if (ng_recurrent_shape(layer, &cell, arena, &r, error)) return error->status;
    const int64_t width = GATES * r->units;
    if (ng_pack_gates(r, layer->weights[1].data, r->units, 0, GATES, arena, &r->recurrent, &r->recurrent_back, error))
        return error->status;
    if (!ng_flag(layer->settings, "use_bias", layer->weight_count > 2)) return NG_OK;
    if (ng_expect_weight(layer, 2, 1, &width, error)) return error->status;
    return ng_arrange_bias(r, layer->weights[2].data, GATES, arena, &r->bias, error);
}

const ng_layer_type ng_lstm = {
    "LSTM", .several = true, .forgetful = true, .shape = shape, .forward = ng_recurrent_forward, .backward = ng_recurrent_backward,
    .gradients = ng_recurrent_gradients};
