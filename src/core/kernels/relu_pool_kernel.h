/* core/kernels/relu_pool_kernel.h: the windows of relu_pool.c for one instruction set. relu_pool.c includes it once for each, with
 * NAME(f), the names of the functions it gets, TARGET, the attribute that allows the instructions, and ROUND(v), which keeps the
 * compiler from fusing the product v with the sum after it: the layer files round in between. */

/* LANES channels of one window: `rows` rows from x on, a stride of x_stride floats apart, the first of them number `first`. */
TARGET INLINE codes NAME(best_of)(const float *x, int64_t rows, int64_t x_stride, int32_t first, const float *scale, const float *shift,
                                  float *y)
{
    lanes r, s, v, best = (lanes){0} - INFINITY;
    masks place = (masks){0} + DEAD;
    memcpy(&r, scale, sizeof r);
    memcpy(&s, shift, sizeof s);
    for (int64_t j = 0; j < rows; j++, x += x_stride) {
        memcpy(&v, x, sizeof v);
        const masks positive = v > 0, here = (positive & (first + (int32_t)j)) | (~positive & DEAD);
        v = (lanes)((masks)v & positive) * r;
        ROUND(v);
        v += s;
        const masks wins = v > best;
        best = (lanes)(((masks)v & wins) | ((masks)best & ~wins));
        place = (here & wins) | (place & ~wins);
    }
    memcpy(y, &best, sizeof best);
    return __builtin_convertvector(place, codes);
}

/* The channels [0, channels), a multiple of LANES, or of 2 LANES if two winners share a byte. */
TARGET static void NAME(best)(const float *x, int64_t rows, int64_t x_stride, int64_t channels, int32_t first, const float *scale,
                              const float *shift, bool shared, float *y, uint8_t *winner)
{
    for (int64_t c = 0; c < channels; c += LANES, winner += LANES) {
        codes place = NAME(best_of)(x + c, rows, x_stride, first, scale + c, shift + c, y + c);
        if (shared) {
            c += LANES;
            place = (place & LOW) | NAME(best_of)(x + c, rows, x_stride, first, scale + c, shift + c, y + c) << HALF;
        }
        memcpy(winner, &place, sizeof place);
    }
}

/* The gradient of LANES channels goes to the winners among rows number [first, last) of the window, which begin at dx. */
TARGET INLINE void NAME(give_to)(const float *dy, codes winner, const float *scale, int32_t first, int32_t last, float *dx, int64_t dx_stride)
{
    lanes gradient, r, sum;
    memcpy(&gradient, dy, sizeof gradient);
    memcpy(&r, scale, sizeof r);
    const masks place = __builtin_convertvector(winner, masks);
    gradient *= r;
    for (int32_t j = first; j < last; j++, dx += dx_stride) {
        memcpy(&sum, dx, sizeof sum);
        const lanes share = (lanes)((masks)gradient & (place == j));
        sum += share;
        memcpy(dx, &sum, sizeof sum);
    }
}

TARGET static void NAME(give)(const float *dy, const uint8_t *winner, const float *scale, int64_t channels, int32_t first, int32_t last,
                              bool shared, float *dx, int64_t dx_stride)
{
    for (int64_t c = 0; c < channels; c += LANES, winner += LANES) {
        codes place;
        memcpy(&place, winner, sizeof place);
        NAME(give_to)(dy + c, shared ? place & LOW : place, scale + c, first, last, dx + c, dx_stride);
        if (!shared) continue;
        c += LANES;
        NAME(give_to)(dy + c, place >> HALF, scale + c, first, last, dx + c, dx_stride);
    }
}
#undef NAME
#undef TARGET
#undef ROUND
