/* core/kernels/relu_pool_kernel.h: the windows of relu_pool.c for one instruction set. relu_pool.c includes it once for each, with
 * KERNEL, the name of the function it gets, TARGET, the attribute that allows the instructions, and ROUND(v), which keeps the
 * compiler from fusing the product v with the sum after it: the layer files round in between. */

/* The channels [0, channels), a multiple of LANES, of one window: `rows` rows from x on, a stride of x_stride floats apart, the
 * first of them number `first`. */
TARGET static void KERNEL(const float *x, int64_t rows, int64_t x_stride, int64_t channels, int32_t first, const float *scale,
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
#undef KERNEL
#undef TARGET
#undef ROUND
