/* core/kernels/relu_pool_kernel.h: the windows of relu_pool.c for one instruction set. relu_pool.c includes it once for each, with
 * BEST and GIVE, the names of the functions it gets, TARGET, the attribute that allows the instructions, and ROUND(v), which keeps the
 * compiler from fusing the product v with the sum after it: the layer files round in between. */

/* The channels [0, channels), a multiple of LANES, of one window: `rows` rows from x on, a stride of x_stride floats apart, the
 * first of them number `first`. */
TARGET static void BEST(const float *x, int64_t rows, int64_t x_stride, int64_t channels, int32_t first, const float *scale,
                        const float *shift, float *y, uint8_t *winner)
{
    for (int64_t c = 0; c < channels; c += LANES) {
        const float *from = x + c;
        lanes r, s, v, best = (lanes){0} - INFINITY;
        masks place = (masks){0} + DEAD;
        memcpy(&r, scale + c, sizeof r);
        memcpy(&s, shift + c, sizeof s);
        for (int64_t j = 0; j < rows; j++, from += x_stride) {
            memcpy(&v, from, sizeof v);
            const masks positive = v > 0, here = (positive & (first + (int32_t)j)) | (~positive & DEAD);
            v = (lanes)((masks)v & positive) * r;
            ROUND(v);
            v += s;
            const masks wins = v > best;
            best = (lanes)(((masks)v & wins) | ((masks)best & ~wins));
            place = (here & wins) | (place & ~wins);
        }
        const codes bytes = __builtin_convertvector(place, codes);
        memcpy(y + c, &best, sizeof best);
        memcpy(winner + c, &bytes, sizeof bytes);
    }
}

/* The gradient of those channels goes to the winners among rows number [first, last) of the window, which begin at dx. */
TARGET static void GIVE(const float *dy, const uint8_t *winner, const float *scale, int64_t channels, int32_t first, int32_t last,
                        float *dx, int64_t dx_stride)
{
    for (int64_t c = 0; c < channels; c += LANES) {
        lanes gradient, r, sum;
        codes bytes;
        memcpy(&gradient, dy + c, sizeof gradient);
        memcpy(&r, scale + c, sizeof r);
        memcpy(&bytes, winner + c, sizeof bytes);
        const masks place = __builtin_convertvector(bytes, masks);
        gradient *= r;
        float *to = dx + c;
        for (int32_t j = first; j < last; j++, to += dx_stride) {
            memcpy(&sum, to, sizeof sum);
            const lanes share = (lanes)((masks)gradient & (place == j));
            sum += share;
            memcpy(to, &sum, sizeof sum);
        }
    }
}
#undef BEST
#undef GIVE
#undef TARGET
#undef ROUND
