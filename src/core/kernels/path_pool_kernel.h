/* core/kernels/path_pool_kernel.h: the windows of path_pool.c for one instruction set. path_pool.c includes it once for each, with
 * KERNEL, its name, TARGET, the attribute that allows the instructions, and ROUND(v), which keeps the compiler from fusing the product v
 * with the sum after it: the layer files round in between. */
#define NAME_(kernel, part) kernel##_##part
#define NAME(kernel, part) NAME_(kernel, part)
#define VALUE NAME(KERNEL, value)
#define BEST NAME(KERNEL, best)
#define FIND NAME(KERNEL, find)
#define FORWARD NAME(KERNEL, forward)
#define BACKWARD NAME(KERNEL, backward)
#define SPREAD NAME(KERNEL, spread)
#define SHARE NAME(KERNEL, share)
#define BITS NAME(KERNEL, bits)

/* max(z(a), 0), from one row of both ends. */
INLINE TARGET void VALUE(const float *x, const float *b, float a, lanes *value)
{
    lanes there, base, step;
    memcpy(&there, x, sizeof there);
    memcpy(&base, b, sizeof base);
    step = a * (there - base);
    ROUND(step);
    there = a == 1 ? there : base + step;
    *value = (lanes)((masks)there & (there > 0));
}

/* Where order * value is largest in a window, and that value. */
INLINE TARGET void BEST(const window *w, float a, int64_t c, lanes *value, masks *place)
{
    lanes order, best = (lanes){0} - INFINITY, v;
    memcpy(&order, w->order + c, sizeof order);
    *place = (masks){0};
    *value = (lanes){0};
    for (int64_t j = 0; j < w->rows; j++) {
        VALUE(w->x + j * w->channels + c, w->b + j * w->channels + c, a, &v);
        const lanes key = v * order;
        const masks wins = key > best;
        best = (lanes)(((masks)key & wins) | ((masks)best & ~wins));
        *value = (lanes)(((masks)v & wins) | ((masks)*value & ~wins));
        *place = ((int32_t)j & wins) | (*place & ~wins);
    }
}

/* The same of z itself, at the sequence. */
static TARGET void FIND(const window *w, float *row, uint8_t *places)
{
    for (int64_t c = 0; c < w->channels; c += LANES) {
        lanes order, best = (lanes){0} - INFINITY, v;
        masks place = {0};
        memcpy(&order, w->order + c, sizeof order);
        for (int64_t j = 0; j < w->rows; j++) {
            memcpy(&v, w->x + j * w->channels + c, sizeof v);
            v *= order;
            const masks wins = v > best;
            best = (lanes)(((masks)v & wins) | ((masks)best & ~wins));
            place = ((int32_t)j & wins) | (place & ~wins);
        }
        best *= order;                           /* 1 or -1 */
        const bytes narrow = __builtin_convertvector(place, bytes);
        memcpy(row + c, &best, sizeof best);
        memcpy(places + c, &narrow, sizeof narrow);
    }
}

/* `count` windows, one after the other, if they are of one row. code, unless it is NULL: which of that row's values are above 0. */
static TARGET void FORWARD(const window *w, int64_t count, float a, float *y, uint8_t *code)
{
    for (int64_t t = 0; t < count; t++, y += w->channels)
        for (int64_t c = 0; c < w->channels; c += LANES) {
            lanes r, s, v;
            masks place;
            memcpy(&r, w->scale + c, sizeof r);
            memcpy(&s, w->shift + c, sizeof s);
            if (w->rows == 1) VALUE(w->x + t * w->channels + c, w->b + c, a, &v);
            else BEST(w, a, c, &v, &place);
            if (code && w->rows == 1) {
                const uint16_t bits = BITS((const float *)&v);
                memcpy(code + (t * w->channels + c) / 8, &bits, sizeof bits);
            }
            v *= r;
            ROUND(v);
            v += s;
            memcpy(y + c, &v, sizeof v);
        }
}

/* The gradient of `count` windows that share a row's sum. */
static TARGET void SHARE(const window *w, int64_t count, const uint8_t *code, float weight, const float *dy, bool begin, float *sums)
{
    for (int64_t t = 0; t < count; t++)
        for (int64_t c = 0; c < w->channels; c += LANES, dy += LANES, sums += LANES, code += LANES / 8) {
            lanes r, gradient, sum = {0};
            uint16_t bits;
            memcpy(&r, w->scale + c, sizeof r);
            memcpy(&gradient, dy, sizeof gradient);
            memcpy(&bits, code, sizeof bits);
            gradient *= r;
            gradient = weight * (lanes)((masks)gradient & ((bits & lane_bits) == lane_bits));
            ROUND(gradient);
            if (!begin) memcpy(&sum, sums, sizeof sum);
            sum += gradient;
            memcpy(sums, &sum, sizeof sum);
        }
}

/* That of a window that keeps its rows apart. */
static TARGET void BACKWARD(const window *w, float a, float weight, const float *dy, bool begin, float *sums)
{
    for (int64_t c = 0; c < w->channels; c += LANES) {
        lanes r, gradient, v;
        masks place;
        memcpy(&r, w->scale + c, sizeof r);
        memcpy(&gradient, dy + c, sizeof gradient);
        BEST(w, a, c, &v, &place);
        gradient *= r;
        gradient = weight * (lanes)((masks)gradient & (v > 0));
        ROUND(gradient);
        for (int64_t j = 0; j < w->rows; j++) {
            lanes sum = {0};
            if (!begin) memcpy(&sum, sums + j * w->channels + c, sizeof sum);
            sum += (lanes)((masks)gradient & (place == (int32_t)j));
            memcpy(sums + j * w->channels + c, &sum, sizeof sum);
        }
    }
}

/* To rows [first, last) of the window, which begin at dx. */
static TARGET void SPREAD(const float *sums, const uint8_t *places, int64_t channels, int32_t first, int32_t last, float *dx)
{
    for (int64_t c = 0; c < channels; c += LANES) {
        lanes share, sum;
        bytes narrow;
        memcpy(&share, sums + c, sizeof share);
        memcpy(&narrow, places + c, sizeof narrow);
        const masks place = __builtin_convertvector(narrow, masks);
        float *to = dx + c;
        for (int32_t j = first; j < last; j++, to += channels) {
            memcpy(&sum, to, sizeof sum);
            sum += (lanes)((masks)share & (place == j));
            memcpy(to, &sum, sizeof sum);
        }
    }
}

#undef NAME_
#undef NAME
#undef VALUE
#undef BEST
#undef FIND
#undef FORWARD
#undef BACKWARD
#undef SPREAD
#undef SHARE
#undef BITS
#undef KERNEL
#undef TARGET
#undef ROUND
