/* core/kernels/gates_kernel.h: gates.h for one instruction set. gates.c includes it once for each, with
 *     KERNEL          its name
 *     TARGET          the attribute that allows the instructions
 *     FUSED           whether it has fused multiply-adds
 * Loops are over whole groups of units, which are whole vectors: no unit is computed in another way than its neighbour. */
#define NAME_(kernel, part) kernel##_##part
#define NAME(kernel, part) NAME_(kernel, part)
#define BEND NAME(KERNEL, bend)
#define LSTM NAME(KERNEL, lstm)
#define LSTM_FORWARD NAME(KERNEL, lstm_forward)
#define GRU_RESET NAME(KERNEL, gru_reset)
#define GRU_UPDATE NAME(KERNEL, gru_update)

/* y = f(x) and its slope, of `count` numbers; the usual curves are known when this is compiled, and inlined. */
INLINE TARGET void BEND(const ng_curve curve, const int count, const float *x, float *y, float *slope)
{
    if (curve == NG_SIGMOID) {
        SIMD for (int j = 0; j < count; j++) {
            const ng_point p = ng_sigmoid_point(x[j], FUSED);
            y[j] = p.y, slope[j] = p.slope;
        }
    } else if (curve == NG_TANH) {
        SIMD for (int j = 0; j < count; j++) {
            const ng_point p = ng_tanh_point(x[j], FUSED);
            y[j] = p.y, slope[j] = p.slope;
        }
    } else {
        ng_bend(curve, 1, count, x, y, slope);
    }
}

INLINE TARGET void LSTM(const ng_lstm_units *units, const ng_curve gate, const ng_curve activation, const bool keep)
{
    for (int64_t n = 0; n < units->samples; n++) {
        const float *z = ng_of_sample(units->z, n);
        float *restrict c = ng_of_sample(units->c, n), *restrict h = ng_of_sample(units->h, n);
        float *restrict k = keep ? ng_of_sample(units->kept, n) : NULL;
        float y[4 * UNITS], slope[4 * UNITS], bent[UNITS], bent_slope[UNITS];
        const float *i = y, *f = i + UNITS, *g = f + UNITS, *o = g + UNITS;
        BEND(gate, 2 * UNITS, z, y, slope);
        BEND(activation, UNITS, z + 2 * UNITS, y + 2 * UNITS, slope + 2 * UNITS);
        BEND(gate, UNITS, z + 3 * UNITS, y + 3 * UNITS, slope + 3 * UNITS);
        SIMD for (int j = 0; j < UNITS; j++) {
            if (keep) {
                k[UNITS + j] = g[j] * slope[j];
                k[2 * UNITS + j] = c[j] * slope[UNITS + j];
                k[3 * UNITS + j] = i[j] * slope[2 * UNITS + j];
                k[5 * UNITS + j] = f[j];
            }
            c[j] = ng_multiply_add(f[j], c[j], i[j] * g[j], FUSED);
        }
        BEND(activation, UNITS, c, bent, bent_slope);
        SIMD for (int j = 0; j < UNITS; j++) {
            if (keep) {
                k[j] = o[j] * bent_slope[j];
                k[4 * UNITS + j] = bent[j] * slope[3 * UNITS + j];
            }
            h[j] = o[j] * bent[j];
        }
    }
}

static TARGET void LSTM_FORWARD(const ng_lstm_units *units)
{
    const bool usual = units->recurrent_activation == NG_SIGMOID && units->activation == NG_TANH, keep = units->kept.data;
    if (usual && keep) LSTM(units, NG_SIGMOID, NG_TANH, true);
    else if (usual) LSTM(units, NG_SIGMOID, NG_TANH, false);
    else if (keep) LSTM(units, units->recurrent_activation, units->activation, true);
    else LSTM(units, units->recurrent_activation, units->activation, false);
}

static TARGET void GRU_RESET(const ng_gru_units *units)
{
    for (int64_t n = 0; n < units->samples; n++) {
        const float *before = ng_of_sample(units->before, n), *gated = ng_of_sample(units->gated, n);
        float *restrict z = ng_of_sample(units->z, n), *restrict product = ng_of_sample(units->product, n);
        float *restrict candidate = ng_of_sample(units->candidate, n), *restrict k = NULL;
        float y[2 * UNITS], slope[2 * UNITS];
        const float *r = y + UNITS;
        if (units->kept.data) k = ng_of_sample(units->kept, n);
        if (units->recurrent_activation == NG_SIGMOID) BEND(NG_SIGMOID, 2 * UNITS, before, y, slope);
        else BEND(units->recurrent_activation, 2 * UNITS, before, y, slope);
        SIMD for (int j = 0; j < UNITS; j++) {
            const float part = r[j] * gated[j], after = units->reset_after ? part : 0;
            product[j] = part;
            candidate[j] = before[2 * UNITS + j] + after;
            z[j] = y[j];
            z[UNITS + j] = slope[j];
        }
        if (!k) continue;
        SIMD for (int j = 0; j < UNITS; j++) {
            k[2 * UNITS + j] = gated[j] * slope[UNITS + j];
            k[3 * UNITS + j] = r[j];
            k[4 * UNITS + j] = y[j];
        }
    }
}

static TARGET void GRU_UPDATE(const ng_gru_units *units)
{
    for (int64_t n = 0; n < units->samples; n++) {
        const float *z = ng_of_sample(units->z, n), *h = ng_of_sample(units->h, n), *candidate = ng_of_sample(units->candidate, n);
        float *restrict next = ng_of_sample(units->next, n), *restrict k = NULL, g[UNITS], slope[UNITS];
        if (units->kept.data) k = ng_of_sample(units->kept, n);
        if (units->activation == NG_TANH) BEND(NG_TANH, UNITS, candidate, g, slope);
        else BEND(units->activation, UNITS, candidate, g, slope);
        SIMD for (int j = 0; j < UNITS; j++) {
            const float rest = (1 - z[j]) * g[j];
            next[j] = ng_multiply_add(z[j], h[j], rest, FUSED);
        }
        if (!k) continue;
        SIMD for (int j = 0; j < UNITS; j++) {
            k[j] = (1 - z[j]) * slope[j];
            k[UNITS + j] = (h[j] - g[j]) * z[UNITS + j];
        }
    }
}

#undef NAME_
#undef NAME
#undef BEND
#undef LSTM
#undef LSTM_FORWARD
#undef GRU_RESET
#undef GRU_UPDATE
#undef KERNEL
#undef TARGET
#undef FUSED
