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

/* max(z(a), 0), from one row of both ends. */
INLINE TARGET void VALUE(const float *x, const float *b, float a, lanes *value)
{
    lanes there, base, step;
    memcpy(&there, x, sizeof there);
    memcpy(&base, b, sizeof base);
    step = a * (there - base);
    ROUND(step);
    base += step;
    *value = (lanes)((masks)base & (base > 0));
}

/* Where the largest order * value lies, and that value; `bend`: of relu at a, else of the sequence itself. */
INLINE TARGET void BEST(const window *w, float a, int64_t c, const bool bend, lanes *value, masks *place)
{
    lanes order, best = (lanes){0} - INFINITY, v = {0};
    *place = (masks){0};
    memcpy(&order, w->order + c, sizeof order);
    *value = v;
    for (int64_t j = 0; j < w->rows; j++) {
        if (bend) VALUE(w->x + j * w->channels + c, w->b + j * w->channels + c, a, &v);
        else memcpy(&v, w->x + j * w->channels + c, sizeof v);
        const lanes key = v * order;
        const masks wins = key > best;
        best = (lanes)(((masks)key & wins) | ((masks)best & ~wins));
        *value = (lanes)(((masks)v & wins) | ((masks)*value & ~wins));
        *place = ((int32_t)j & wins) | (*place & ~wins);
    }
}

static TARGET void FIND(const window *w, float *row)
{
    lanes value;
    masks place;
    for (int64_t c = 0; c < w->channels; c += LANES) {
        BEST(w, 1, c, false, &value, &place);
        memcpy(row + c, &value, sizeof value);
    }
}

static TARGET void FORWARD(const window *w, float a, float *y)
{
    for (int64_t c = 0; c < w->channels; c += LANES) {
        lanes r, s, v;
        masks place;
        memcpy(&r, w->scale + c, sizeof r);
        memcpy(&s, w->shift + c, sizeof s);
        if (w->rows == 1) VALUE(w->x + c, w->b + c, a, &v);
        else BEST(w, a, c, true, &v, &place);
        v *= r;
        ROUND(v);
        v += s;
        memcpy(y + c, &v, sizeof v);
    }
}

static TARGET void BACKWARD(const window *w, float a, float weight, const float *dy, bool begin, float *sums)
{
    for (int64_t c = 0; c < w->channels; c += LANES) {
        lanes r, gradient, v;
        masks place = {0};
        memcpy(&r, w->scale + c, sizeof r);
        memcpy(&gradient, dy + c, sizeof gradient);
        if (w->rows == 1) VALUE(w->x + c, w->b + c, a, &v);
        else BEST(w, a, c, true, &v, &place);
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
static TARGET void SPREAD(const window *w, const float *sums, int64_t first, int64_t last, float *dx)
{
    lanes value;
    masks place;
    for (int64_t c = 0; c < w->channels; c += LANES) {
        BEST(w, 1, c, false, &value, &place);
        lanes share;
        memcpy(&share, sums + c, sizeof share);
        for (int64_t j = first; j < last; j++) {
            float *to = dx + (j - first) * w->channels + c;
            lanes sum;
            memcpy(&sum, to, sizeof sum);
            sum += (lanes)((masks)share & (place == (int32_t)j));
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
#undef KERNEL
#undef TARGET
#undef ROUND
