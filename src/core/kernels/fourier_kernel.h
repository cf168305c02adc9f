/* core/kernels/fourier_kernel.h: transforms and product for one instruction set. fourier.c includes it once for each, with
 *     KERNEL          its name
 *     TARGET          the attribute that allows the instructions
 *     LANES           floats in a vector, which are neighbouring channels; divides GROUP
 *     TALLEST         registers hold a tile of 12 x 2 vectors, or of 6 x 2: its rows
 *     VECTOR, BROADCAST(s), MULTIPLY_ADD(a, b, c): a b + c, SUBTRACT_PRODUCT(a, b, c): c - a b */
#define NAME_(kernel, part) kernel##_##part
#define NAME(kernel, part) NAME_(kernel, part)
#define BUTTERFLY3 NAME(KERNEL, butterfly3)
#define BUTTERFLY4 NAME(KERNEL, butterfly4)
#define BUTTERFLY8 NAME(KERNEL, butterfly8)
#define TWIDDLE NAME(KERNEL, twiddle)
#define PASS NAME(KERNEL, pass)
#define TILE NAME(KERNEL, tile)
#define SWEEP NAME(KERNEL, sweep)
#define PACK NAME(KERNEL, pack)
#define FORWARD NAME(KERNEL, forward)
#define INVERSE NAME(KERNEL, inverse)
#define PRODUCT NAME(KERNEL, product)
#define SPECTRUM NAME(KERNEL, spectrum)
#define SOME_TAPS NAME(KERNEL, some_taps)
#define TAPS NAME(KERNEL, taps)

/* The discrete Fourier transform of 3 numbers in place. */
INLINE TARGET void BUTTERFLY3(VECTOR *re, VECTOR *im)
{
    const VECTOR half = BROADCAST(0.5f), height = BROADCAST(0.86602540f);
    const VECTOR sum_re = re[1] + re[2], sum_im = im[1] + im[2], d_re = re[1] - re[2], d_im = im[1] - im[2];
    const VECTOR a_re = SUBTRACT_PRODUCT(half, sum_re, re[0]), a_im = SUBTRACT_PRODUCT(half, sum_im, im[0]);
    re[0] += sum_re, im[0] += sum_im;
    re[1] = MULTIPLY_ADD(height, d_im, a_re), im[1] = SUBTRACT_PRODUCT(height, d_re, a_im);
    re[2] = SUBTRACT_PRODUCT(height, d_im, a_re), im[2] = MULTIPLY_ADD(height, d_re, a_im);
}

/* And of 4. */
INLINE TARGET void BUTTERFLY4(VECTOR *re, VECTOR *im)
{
    const VECTOR a_re = re[0] + re[2], a_im = im[0] + im[2], b_re = re[0] - re[2], b_im = im[0] - im[2];
    const VECTOR c_re = re[1] + re[3], c_im = im[1] + im[3], d_re = re[1] - re[3], d_im = im[1] - im[3];
    re[0] = a_re + c_re, im[0] = a_im + c_im;
    re[1] = b_re + d_im, im[1] = b_im - d_re;
    re[2] = a_re - c_re, im[2] = a_im - c_im;
    re[3] = b_re - d_im, im[3] = b_im + d_re;
}

/* And of 8: 4 sums give the even frequencies, 4 rotated differences the odd ones. The factor sqrt(1/2) of two of the rotations
 * rides on later additions. */
INLINE TARGET void BUTTERFLY8(VECTOR *re, VECTOR *im)
{
    VECTOR sum_re[4], sum_im[4], d_re[4], d_im[4];
    UNROLL for (int m = 0; m < 4; m++) {
        sum_re[m] = re[m] + re[m + 4], sum_im[m] = im[m] + im[m + 4];
        d_re[m] = re[m] - re[m + 4], d_im[m] = im[m] - im[m + 4];
    }
    BUTTERFLY4(sum_re, sum_im);
    const VECTOR half = BROADCAST(0.70710678f);
    const VECTOR a_re = d_re[0] + d_im[2], a_im = d_im[0] - d_re[2], b_re = d_re[0] - d_im[2], b_im = d_im[0] + d_re[2];
    const VECTOR e_re = d_re[1] + d_im[1], e_im = d_im[1] - d_re[1], f_re = d_im[3] - d_re[3], f_im = d_re[3] + d_im[3];
    const VECTOR c_re = e_re + f_re, c_im = e_im - f_im, g_re = e_re - f_re, g_im = e_im + f_im;
    re[1] = MULTIPLY_ADD(half, c_re, a_re), im[1] = MULTIPLY_ADD(half, c_im, a_im);
    re[3] = MULTIPLY_ADD(half, g_im, b_re), im[3] = SUBTRACT_PRODUCT(half, g_re, b_im);
    re[5] = SUBTRACT_PRODUCT(half, c_re, a_re), im[5] = SUBTRACT_PRODUCT(half, c_im, a_im);
    re[7] = SUBTRACT_PRODUCT(half, g_im, b_re), im[7] = MULTIPLY_ADD(half, g_re, b_im);
    UNROLL for (int m = 0; m < 4; m++) re[2 * m] = sum_re[m], im[2 * m] = sum_im[m];
}

INLINE TARGET void TWIDDLE(VECTOR *re, VECTOR *im, const float *twiddles, const int radix)
{
    UNROLL for (int m = 1; m < radix; m++) {
        const VECTOR c = BROADCAST(twiddles[2 * m - 2]), s = BROADCAST(twiddles[2 * m - 1]), was = re[m];
        re[m] = SUBTRACT_PRODUCT(im[m], s, was * c);
        im[m] = MULTIPLY_ADD(im[m], c, was * s);
    }
}

/* One pass over N numbers: transforms of `radix` numbers that lie n / radix apart, in each n-th of them. Forward passes turn
 * after, inverse ones before; those that touch the frequencies have nothing to turn. An inverse transform is a forward one with
 * real and imaginary parts exchanged at both ends. */
INLINE TARGET void PASS(const transform *given, int64_t n, const float *twiddles, const bool inverse, const place from,
                        const place to, const int radix)
{
    const transform copy = *given, *q = &copy;   /* nobody can write to a copy, so it stays in registers */
    const int64_t step = n / radix, jump = step * q->sides[0].stride;
    VECTOR re[8], im[8], bias[2], was;
    memcpy(bias, q->bias, sizeof bias);
    for (int64_t i = 0; i < step; i++, twiddles += 2 * (radix - 1))
        for (int64_t at = i; at < q->size; at += n) {
            const int64_t offset[2] = {offset_of(&q->sides[0], at), offset_of(&q->sides[1], at)};
            const bool all[2] = {has_rows(&q->sides[0], at, at + n - step), has_rows(&q->sides[1], at, at + n - step)};
            UNROLL for (int m = 0; m < radix; m++)
                UNROLL for (int part = 0; part < 2; part++) {
                    const side *rows = &q->sides[part];
                    const float *there = from != ROWS ? number_at(q, from, at + m * step, part, LANES)
                                       : all[part] || has_row(rows, at + m * step) ? rows->data + offset[part] + m * jump : q->zeros;
                    memcpy(part == inverse ? &re[m] : &im[m], there, sizeof(VECTOR));
                }
            if (inverse && from != FREQUENCIES) TWIDDLE(re, im, twiddles, radix);
            if (radix == 8) BUTTERFLY8(re, im);
            else if (radix == 4) BUTTERFLY4(re, im);
            else BUTTERFLY3(re, im);
            if (!inverse && to != FREQUENCIES) TWIDDLE(re, im, twiddles, radix);
            UNROLL for (int m = 0; m < radix; m++)
                UNROLL for (int part = 0; part < 2; part++) {
                    VECTOR value = part == inverse ? re[m] : im[m];
                    const side *rows = &q->sides[part];
                    if (to == ROWS && !has_row(rows, at + m * step)) continue;
                    float *there = to == ROWS ? rows->data + offset[part] + m * jump
                                              : number_at(q, to, at + m * step, part, LANES);
                    if (to == ROWS) value += bias[part];
                    if (to == ROWS && q->add) {
                        memcpy(&was, there, sizeof was);
                        value += was;
                    }
                    memcpy(there, &value, sizeof value);
                }
        }
}

static TARGET void FORWARD(const transform *q)
{
    const float *twiddles = q->twiddles + q->size / 8 * 14;          /* behind those of the first pass */
    PASS(q, q->size, q->twiddles, false, ROWS, WORK, 8);
    if (q->size == 96) PASS(q, 12, twiddles, false, WORK, WORK, 4);
    if (q->size == 128) PASS(q, 16, twiddles, false, WORK, WORK, 4);
    if (q->size == 192) PASS(q, 24, twiddles, false, WORK, WORK, 8);
    if (q->size == 256) PASS(q, 32, twiddles, false, WORK, WORK, 8);
    if (q->size == 64) PASS(q, 8, NULL, false, WORK, FREQUENCIES, 8);
    else if (q->size % 3) PASS(q, 4, NULL, false, WORK, FREQUENCIES, 4);
    else PASS(q, 3, NULL, false, WORK, FREQUENCIES, 3);
}

/* The same passes from the last to the first. */
static TARGET void INVERSE(const transform *q)
{
    const float *twiddles = q->twiddles + q->size / 8 * 14;
    if (q->size == 64) PASS(q, 8, NULL, true, FREQUENCIES, WORK, 8);
    else if (q->size % 3) PASS(q, 4, NULL, true, FREQUENCIES, WORK, 4);
    else PASS(q, 3, NULL, true, FREQUENCIES, WORK, 3);
    if (q->size == 96) PASS(q, 12, twiddles, true, WORK, WORK, 4);
    if (q->size == 128) PASS(q, 16, twiddles, true, WORK, WORK, 4);
    if (q->size == 192) PASS(q, 24, twiddles, true, WORK, WORK, 8);
    if (q->size == 256) PASS(q, 32, twiddles, true, WORK, WORK, 8);
    PASS(q, q->size, q->twiddles, true, WORK, ROWS, 8);
}

/* Gathers the factors x = u + i v of all channels, before y takes their place: u + v, v and u, by groups of channels. With
 * Z the transform of channels a + i b, 2 a is Z[k] + conjugate of Z[N - k], and 2 b is the difference over i. */
static TARGET void PACK(const product *p)
{
    for (int64_t r = 0; r < p->rows; r++)
        for (int64_t c = 0; c < p->depth; c += 2 * LANES) {
            const float *z = p->z + r * p->stride + c, *w = p->mirror + r * p->stride + c;
            VECTOR z_re, z_im, w_re, w_im;
            memcpy(&z_re, z, sizeof z_re);
            memcpy(&z_im, z + LANES, sizeof z_im);
            memcpy(&w_re, w, sizeof w_re);
            memcpy(&w_im, w + LANES, sizeof w_im);
            const VECTOR u[2] = {z_re + w_re, z_im + w_im}, v[2] = {z_im - w_im, w_re - z_re};
            UNROLL for (int i = 0; i < 2; i++) {
                const int64_t channel = c + i * LANES;
                float *to = p->x + channel / GROUP * p->group + r * p->row + channel % GROUP;
                const VECTOR sum = u[i] + v[i];
                memcpy(to, &sum, sizeof sum);
                memcpy(to + p->part, &v[i], sizeof sum);
                memcpy(to + 2 * p->part, &u[i], sizeof sum);
            }
        }
}

/* One frequency's product for so many rows and vectors of columns, by three real products: with x = u + i v and W = a + i b,
 *     s = (u + v) a        re = s - v (a + b)        im = s + u (b - a)
 * w holds a, then b, channel by channel; the next columns follow. Each part fetches one of these ahead: b, the next
 * a, the next b. re waits in the place of Z[k], s in that of Z[N - k]; then both get Z = A + i B, the two vectors of columns. */
INLINE TARGET void TILE(const product *p, int64_t row, const float *w, int64_t panel, int64_t column, const int rows,
                        const int vectors)
{
    const int64_t depth = p->depth, group = p->rows * GROUP, stride = p->stride;
    const float *x = p->x + row * GROUP;
    float *z = p->z + row * stride + column, *mirror = p->mirror + row * stride + column;
    VECTOR sum[12][2], weight[2], b;
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = BROADCAST(0.0f);
    UNROLL for (int part = 0; part < 3; part++, x += p->part) {
        if (part == 2)
            UNROLL for (int r = 0; r < rows; r++)
                UNROLL for (int v = 0; v < vectors; v++) memcpy(&sum[r][v], mirror + r * stride + v * LANES, sizeof(VECTOR));
        const float *value = x, *a = w, *ahead = w + (part + 1) * depth * panel;
        for (int64_t c = 0; c < depth; c += GROUP, value += group)
            for (int64_t k = 0; k < GROUP && c + k < depth; k++, a += panel, ahead += panel) {
                UNROLL for (int v = 0; v < vectors; v++) {
                    PREFETCH(ahead + v * LANES);
                    memcpy(&weight[v], a + v * LANES, sizeof(VECTOR));
                    memcpy(&b, a + depth * panel + v * LANES, sizeof(VECTOR));
                    if (part == 1) weight[v] += b;
                    if (part == 2) weight[v] = b - weight[v];
                }
                UNROLL for (int r = 0; r < rows; r++) {
                    const VECTOR factor = BROADCAST(value[r * GROUP + k]);
                    UNROLL for (int v = 0; v < vectors; v++)
                        sum[r][v] = part == 1 ? SUBTRACT_PRODUCT(factor, weight[v], sum[r][v])
                                              : MULTIPLY_ADD(factor, weight[v], sum[r][v]);
                }
            }
        if (part < 2)
            UNROLL for (int r = 0; r < rows; r++)
                UNROLL for (int v = 0; v < vectors; v++)
                    memcpy((part ? z : mirror) + r * stride + v * LANES, &sum[r][v], sizeof(VECTOR));
    }
    UNROLL for (int r = 0; r < rows; r++, z += stride, mirror += stride) {
        const VECTOR none = BROADCAST(0.0f), a_im = sum[r][0], b_im = vectors == 2 ? sum[r][1] : none;
        VECTOR a_re, b_re = none;
        memcpy(&a_re, z, sizeof a_re);
        if (vectors == 2) memcpy(&b_re, z + LANES, sizeof b_re);
        const VECTOR re = a_re - b_im, im = a_im + b_re, mirror_re = a_re + b_im, mirror_im = b_re - a_im;
        memcpy(z, &re, sizeof re);
        memcpy(z + LANES, &im, sizeof im);
        memcpy(mirror, &mirror_re, sizeof re);
        memcpy(mirror + LANES, &mirror_im, sizeof im);
    }
}

/* A tile of this height, over one panel of columns. */
INLINE TARGET void SWEEP(const product *p, const float *w, int64_t column, int64_t panel, int64_t row, const int rows)
{
    int64_t v = 0;
    for (; v + 2 * LANES <= panel; v += 2 * LANES) TILE(p, row, w + v, panel, column + v, rows, 2);
    if (v < panel) TILE(p, row, w + v, panel, column + v, rows, 1);
}

/* Every height has its tile: short ones would keep the units of multiplication waiting for their sums. */
static TARGET void PRODUCT(const product *p)
{
    const float *w = p->weights;
    for (int64_t column = 0, panel; column < p->columns; w += 2 * p->depth * panel, column += panel) {
        panel = panel_at(column, p->columns);
        for (int64_t row = 0, rows; row < p->rows; row += rows) {
            rows = p->rows - row <= TALLEST ? p->rows - row : (p->rows - row + 1) / 2;
            switch (rows) {
            case 1: SWEEP(p, w, column, panel, row, 1); break;
            case 2: SWEEP(p, w, column, panel, row, 2); break;
            case 3: SWEEP(p, w, column, panel, row, 3); break;
            case 4: SWEEP(p, w, column, panel, row, 4); break;
            case 5: SWEEP(p, w, column, panel, row, 5); break;
            case 6: SWEEP(p, w, column, panel, row, 6); break;
#if TALLEST > 6
            case 7: SWEEP(p, w, column, panel, row, 7); break;
            case 8: SWEEP(p, w, column, panel, row, 8); break;
            case 9: SWEEP(p, w, column, panel, row, 9); break;
            case 10: SWEEP(p, w, column, panel, row, 10); break;
            case 11: SWEEP(p, w, column, panel, row, 11); break;
            case 12: SWEEP(p, w, column, panel, row, 12); break;
#endif
            }
        }
    }
}

/* W[k] and W[N/2 - k] of a channel and `panel` columns: real parts to w and mirror, imaginary ones `part` behind. The sums over even and
 * over odd taps serve both. */
static TARGET void SPECTRUM(const float *taps, int64_t count, const double *turns, int64_t k, int64_t N, int64_t panel, int64_t part,
                            float *w, float *mirror)
{
    eight re[2][PANEL / 8] = {{{0}}}, im[2][PANEL / 8] = {{{0}}};
    eight_floats narrow;
    UNROLL for (int64_t odd = 0; odd < 2; odd++)
        for (int64_t j = odd, at = k * odd; j < count; j += 2, at += 2 * k, at -= at < N ? 0 : N) {
            const double *turn = turns + 2 * at;
            UNROLL for (int v = 0; v < PANEL / 8; v++) {
                memcpy(&narrow, taps + j * PANEL + v * 8, sizeof narrow);
                const eight tap = __builtin_convertvector(narrow, eight);
                re[odd][v] += tap * turn[0];
                im[odd][v] += tap * turn[1];
            }
        }
    for (int64_t v = 0; v < panel / 8; v++) {
        const eight sums[4] = {re[0][v] + re[1][v], im[0][v] + im[1][v], re[0][v] - re[1][v], im[1][v] - im[0][v]};
        UNROLL for (int i = 0; i < 4; i++) {
            narrow = __builtin_convertvector(sums[i], eight_floats);
            memcpy((i < 2 ? w : mirror) + i % 2 * part + v * 8, &narrow, sizeof narrow);
        }
    }
}

/* Taps [first, first + 2 pairs) of LANES weights, half of them even. Frequencies k and m = N / 2 - k go together: with re and im of
 * the sums, an even tap adds (re[k] + re[m]) cos - (im[k] - im[m]) sin, an odd one the other difference and sum. */
INLINE TARGET void SOME_TAPS(const float *sums, int64_t part, int64_t N, int64_t count, const float *turns, int64_t first, const int pairs,
                             float *to)
{
    VECTOR tap[12];
    UNROLL for (int j = 0; j < 2 * pairs; j++) tap[j] = BROADCAST(0.0f);
    for (int64_t k = 0; k <= N / 4; k++) {
        VECTOR a[3], b[3];
        UNROLL for (int i = 0; i < 3; i++) {
            memcpy(&a[i], sums + (3 * k + i) * part, sizeof a[i]);
            memcpy(&b[i], sums + (3 * (N / 2 - k) + i) * part, sizeof b[i]);
        }
        const VECTOR a_re = a[2] - a[1], a_im = a[0] - a[1] - a[2], b_re = b[2] - b[1], b_im = b[0] - b[1] - b[2];
        const VECTOR re[2] = {a_re + b_re, a_re - b_re}, im[2] = {a_im - b_im, a_im + b_im};
        const float *turn = turns + 2 * (k * count + first);
        UNROLL for (int j = 0; j < 2 * pairs; j++) {
            tap[j] = MULTIPLY_ADD(BROADCAST(turn[2 * j]), re[j % 2], tap[j]);
            tap[j] = MULTIPLY_ADD(BROADCAST(turn[2 * j + 1]), im[j % 2], tap[j]);
        }
    }
    memcpy(to, tap, (size_t)(2 * pairs) * sizeof *tap);
}

/* All taps of LANES weights, tap by tap; an even number of them. */
static TARGET void TAPS(const float *sums, int64_t part, int64_t N, int64_t count, const float *turns, float *to)
{
    int64_t first = 0;
    for (; first + 12 <= count; first += 12) SOME_TAPS(sums, part, N, count, turns, first, 6, to + first * LANES);
    for (; first + 4 <= count; first += 4) SOME_TAPS(sums, part, N, count, turns, first, 2, to + first * LANES);
    for (; first < count; first += 2) SOME_TAPS(sums, part, N, count, turns, first, 1, to + first * LANES);
}

#undef NAME_
#undef NAME
#undef BUTTERFLY3
#undef BUTTERFLY4
#undef BUTTERFLY8
#undef TWIDDLE
#undef PASS
#undef TILE
#undef SWEEP
#undef PACK
#undef FORWARD
#undef INVERSE
#undef PRODUCT
#undef SPECTRUM
#undef SOME_TAPS
#undef TAPS
#undef KERNEL
#undef TARGET
#undef LANES
#undef TALLEST
#undef VECTOR
#undef BROADCAST
#undef MULTIPLY_ADD
#undef SUBTRACT_PRODUCT
