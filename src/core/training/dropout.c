#include "core/base/random.h"
#include "core/training/dropout.h"

/* One draw of 64 bits decides two neighbours, 32 bits each. */
static float factor_of(const ng_dropout_draw *draw, int64_t place, uint32_t least, float kept)
{
    const uint64_t bits = ng_random_bits(draw->key, draw->stream, (uint64_t)(place / 2));
    return (uint32_t)(place % 2 ? bits >> 32 : bits) >= least ? kept : 0;
}

void ng_drop(const ng_dropout_draw *draw, double rate, bool by_channel, const ng_tile *from, bool add, ng_tile *to)
{
    const uint32_t least = (uint32_t)(rate * 4294967296.0);
    const float kept = (float)(1 / (1 - rate));
    const int64_t channels = to->channels;
    NG_EACH_ROW(to, n, t) {
        const float *x = ng_row(from, n, t);
        float *y = ng_row(to, n, t);
        const int64_t row = by_channel ? draw->first_sample + n : (draw->first_sample + n) * to->length + t;
        for (int64_t c = 0; c < channels; c++) {
            const float value = x[c] * factor_of(draw, row * channels + c, least, kept);
            y[c] = add ? y[c] + value : value;
        }
    }
}
