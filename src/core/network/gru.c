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

enum { GATES = 3, LANES = 4 };                   /* of work: z and its slope (two), r q or r h, what A bends */

static const float *from_unit(const float *bias, int64_t at) { return bias ? bias + at : NULL; }

static void step(const ng_recurrent *r, const ng_step *s)
{
    const ng_lane q = ng_further(s->z, GATES * NG_PANEL), product = ng_further(s->work, 2 * r->padded);
    const ng_lane candidate = ng_further(product, r->padded);
    for (int second = 0; second < 2; second++)
        for (int64_t unit = 0; unit < r->padded; unit += NG_PANEL) {
            const ng_packed of_candidate = ng_columns(&r->candidate, unit, NG_PANEL);
            const ng_gru_units units = {
                s->samples, r->activation, r->recurrent_activation, r->reset_after, .before = s->z,
                .gated = r->reset_after ? q : ng_further(s->h, unit), .z = ng_further(s->work, 2 * unit),
                .product = ng_further(product, unit), .candidate = ng_further(candidate, unit), .h = ng_further(s->h, unit),
                .next = ng_further(s->next, unit), .kept = ng_further(s->kept, NG_GRU_KEPT * unit)};
            if (second) {
                if (!r->reset_after)
                    ng_multiply(product.data, s->samples, product.stride, &of_candidate, 0, of_candidate.depth, NULL, true,
                                units.candidate.data, units.candidate.stride);
                ng_gru_update(&units);
                continue;
            }
            const ng_packed kernel = ng_columns(&r->kernel, GATES * unit, GATES * NG_PANEL);
            const ng_packed recurrent = ng_columns(&r->recurrent, 2 * unit, 2 * NG_PANEL);
            ng_multiply(s->x.data, s->samples, s->x.stride, &kernel, 0, kernel.depth, from_unit(r->bias, GATES * unit), false,
                        s->z.data, s->z.stride);
            ng_multiply(s->h.data, s->samples, s->h.stride, &recurrent, 0, recurrent.depth, NULL, true, s->z.data, s->z.stride);
            if (r->reset_after)
                ng_multiply(s->h.data, s->samples, s->h.stride, &of_candidate, 0, of_candidate.depth,
                            from_unit(r->candidate_bias, unit), false, q.data, q.stride);
            ng_gru_reset(&units);
        }
}

static void back(const ng_recurrent *r, const ng_step *s)
{
    const int64_t gate = r->padded;
    const ng_lane dg = ng_further(s->z, 2 * gate);
    for (int64_t n = 0; n < s->samples; n++) {
        const float *k = ng_of_sample(s->kept, n);
        float *d = ng_of_sample(s->z, n), *dh = ng_of_sample(s->h, n), *dq = ng_of_sample(s->work, n);
        for (int64_t unit = 0; unit < gate; unit += NG_PANEL, k += NG_GRU_KEPT * NG_PANEL)
#pragma omp simd
            for (int64_t j = 0; j < NG_PANEL; j++) {
                const float from = dh[unit + j], to_g = from * k[j];
                d[unit + j] = from * k[NG_PANEL + j];
                d[gate + unit + j] = to_g * k[2 * NG_PANEL + j];
                d[2 * gate + unit + j] = to_g;
                dq[unit + j] = to_g * k[3 * NG_PANEL + j];
                dh[unit + j] = from * k[4 * NG_PANEL + j];
            }
    }
    if (r->reset_after) {
        ng_multiply(s->work.data, s->samples, s->work.stride, &r->candidate_back, 0, gate, NULL, true, s->h.data, s->h.stride);
    } else {                                                         /* w takes the place of dg in dr and dq */
        ng_multiply(dg.data, s->samples, dg.stride, &r->candidate_back, 0, gate, NULL, false, s->work.data, s->work.stride);
        for (int64_t n = 0; n < s->samples; n++) {
            const float *w = ng_of_sample(s->work, n), *k = ng_of_sample(s->kept, n);
            float *dr = ng_of_sample(s->z, n) + gate, *dh = ng_of_sample(s->h, n);
            for (int64_t unit = 0; unit < r->units; unit++) {
                const float *of_unit = k + unit / NG_PANEL * NG_GRU_KEPT * NG_PANEL + unit % NG_PANEL;
                dr[unit] = w[unit] * of_unit[2 * NG_PANEL];
                dh[unit] += w[unit] * of_unit[3 * NG_PANEL];
            }
        }
    }
    ng_multiply(s->z.data, s->samples, s->z.stride, &r->recurrent_back, 0, 2 * gate, NULL, true, s->h.data, s->h.stride);
}

static void gated(const ng_recurrent *r, const float *kept, const float *h, float *to)
{
    for (int64_t unit = 0; unit < r->units; unit++)
        to[unit] = kept[unit / NG_PANEL * NG_GRU_KEPT * NG_PANEL + 3 * NG_PANEL + unit % NG_PANEL] * h[unit];
}

static const ng_cell cell = {.gates = GATES, .states = 1, .kept = NG_GRU_KEPT, .work = LANES, .step = step, .back = back, .gated = gated};

static ng_status read_bias(const ng_layer *layer, ng_recurrent *r, ng_arena *arena, ng_error *error)
{
    const int64_t u = r->units, width = GATES * u;
    if (!r->reset_after) {
        if (ng_expect_weight(layer, 2, 1, &width, error)) return error->status;
        return ng_arrange_bias(r, layer->weights[2].data, GATES, arena, &r->bias, error);
    }
    if (ng_expect_weight(layer, 2, 2, (int64_t[]){2, width}, error)) return error->status;
    const float *given = layer->weights[2].data;
    float *both = ng_alloc(arena, width, sizeof *both, error);       /* z and r meet both of theirs in one sum */
    if (!both) return error->status;
    for (int64_t j = 0; j < width; j++) both[j] = given[j] + (j < 2 * u ? given[width + j] : 0);
    if (ng_arrange_bias(r, both, GATES, arena, &r->bias, error)) return error->status;
    return ng_arrange_bias(r, given + width + 2 * u, 1, arena, &r->candidate_bias, error);
}

static ng_status shape(ng_layer *layer, ng_arena *arena, ng_error *error)
{
    ng_recurrent *r;
    if (ng_recurrent_shape(layer, &cell, arena, &r, error)) return error->status;
    const float *recurrent = layer->weights[1].data;
    if (ng_pack_gates(r, recurrent, r->units, 0, 2, arena, &r->recurrent, &r->recurrent_back, error) ||
        ng_pack_gates(r, recurrent, r->units, 2, 1, arena, &r->candidate, &r->candidate_back, error)) return error->status;
    r->reset_after = ng_flag(layer->settings, "reset_after", layer->weight_count < 3 || layer->weights[2].rank == 2);
    return ng_flag(layer->settings, "use_bias", layer->weight_count > 2) ? read_bias(layer, r, arena, error) : NG_OK;
}

const ng_layer_type ng_gru = {
    "GRU", .several = true, .forgetful = true, .shape = shape, .forward = ng_recurrent_forward, .backward = ng_recurrent_backward,
    .gradients = ng_recurrent_gradients};
