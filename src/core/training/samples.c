#include <string.h>
#include "core/training/samples.h"

/* Channels are A, C, G, T: the complement is channel 3 - c. */
static void strand(const uint8_t *bases, int64_t length, bool reversed, float *rows)
{
    memset(rows, 0, (size_t)(4 * length) * sizeof *rows);
    for (int64_t t = 0; t < length; t++) {
        const uint8_t base = bases[reversed ? length - 1 - t : t];
        if (base < 4) rows[4 * t + (reversed ? 3 - base : base)] = 1;
    }
}

void ng_sample_rows(const ng_samples *samples, ng_pick pick, int input, ng_shape shape, float *rows)
{
    if (samples->bases) {
        strand(samples->bases + samples->starts[pick.sample], shape.length, pick.reversed != (input == 1), rows);
        return;
    }
    const float *from = samples->arrays[input] + pick.sample * ng_size(shape);
    if (!pick.reversed) memcpy(rows, from, (size_t)ng_size(shape) * sizeof *rows);
    for (int64_t t = 0; pick.reversed && t < shape.length; t++)
        for (int64_t c = 0; c < 4; c++) rows[4 * t + c] = from[4 * (shape.length - 1 - t) + 3 - c];
}
