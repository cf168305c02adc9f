/* core/motifs/pass_arithmetic.h: sums and products for pass_kernel.h, in the same terms: it is a part of that file. */
/* ---- sums and products ---- */

INLINE TARGET REAL NAME(dot)(const REAL *x, const REAL *y, int64_t n)
{
    VECTOR sum[4] = {{0}};
    int64_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES)
        UNROLL for (int k = 0; k < 4; k++) sum[k] += LOAD(VECTOR, x + i + k * LANES) * LOAD(VECTOR, y + i + k * LANES);
    for (; i + LANES <= n; i += LANES) sum[0] += LOAD(VECTOR, x + i) * LOAD(VECTOR, y + i);
    sum[0] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    REAL total = 0;
    for (int k = 0; k < LANES; k++) total += sum[0][k];
    for (; i < n; i++) total += x[i] * y[i];
    return total;
}

/* y += factor x */
INLINE TARGET void NAME(add)(REAL *y, REAL factor, const REAL *x, int64_t n)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) STORE(y + i, LOAD(VECTOR, y + i) + factor * LOAD(VECTOR, x + i));
    for (; i < n; i++) y[i] += factor * x[i];
}

/* y = b + W x, W (rows, columns); b may be NULL. */
INLINE TARGET void NAME(affine)(const REAL *w, const REAL *b, int64_t rows, int64_t columns, const REAL *x, REAL *y)
{
    for (int64_t i = 0; i < rows; i++) y[i] = (b ? b[i] : 0) + NAME(dot)(w + i * columns, x, columns);
}

/* x = W' y */
INLINE TARGET void NAME(transposed)(const REAL *w, int64_t rows, int64_t columns, const REAL *y, REAL *x)
{
    memset(x, 0, (size_t)columns * sizeof *x);
    for (int64_t i = 0; i < rows; i++) NAME(add)(x, y[i], w + i * columns, columns);
}

/* dW += y x', db += y */
INLINE TARGET void NAME(outer)(REAL *dw, REAL *db, int64_t rows, int64_t columns, const REAL *y, const REAL *x)
{
    for (int64_t i = 0; i < rows; i++) NAME(add)(dw + i * columns, y[i], x, columns);
    for (int64_t i = 0; db && i < rows; i++) db[i] += y[i];
}

/* out[t] = begin[t] + sum over k of factor[k] x[k, t], n positions a row; begin may be NULL, or out. */
INLINE TARGET void NAME(combine)(REAL *out, const REAL *begin, const REAL *factor, const REAL *x, int64_t count, int64_t n)
{
    for (int64_t t = 0; t < n; t += 4 * LANES) {
        VECTOR sum[4] = {{0}};
        if (begin)
            UNROLL for (int k = 0; k < 4; k++) sum[k] = LOAD(VECTOR, begin + t + k * LANES);
        for (int64_t i = 0; i < count; i++) {
            const REAL *row = x + i * n + t;
            UNROLL for (int k = 0; k < 4; k++) sum[k] += factor[i] * LOAD(VECTOR, row + k * LANES);
        }
        UNROLL for (int k = 0; k < 4; k++) STORE(out + t + k * LANES, sum[k]);
    }
}

/* out[k] = sum over t of x[k, t] y[t] */
INLINE TARGET void NAME(dots)(REAL *out, const REAL *x, int64_t count, const REAL *y, int64_t n)
{
    for (int64_t k = 0; k < count; k++) out[k] = NAME(dot)(x + k * n, y, n);
}

/* ---- layer normalization: y = gain x^ + offset, x^ = (x - mean) * scale ---- */

INLINE TARGET REAL NAME(normalize)(const REAL *x, const REAL *gain, const REAL *offset, int64_t n, REAL *hat, REAL *y)
{
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < n; i++) mean += x[i];
    mean /= (double)n;
    for (int64_t i = 0; i < n; i++) variance += (x[i] - mean) * (x[i] - mean);
    const REAL scale = (REAL)(1 / sqrt(variance / (double)n + 1e-5));
    for (int64_t i = 0; i < n; i++) {
        hat[i] = (x[i] - (REAL)mean) * scale;
        y[i] = gain[i] * hat[i] + offset[i];
    }
    return scale;
}

/* dx from dy, over dy; adds to the gradients of gain and offset. */
INLINE TARGET void NAME(denormalize)(const REAL *hat, REAL scale, const REAL *gain, int64_t n, REAL *dy, REAL *d_gain, REAL *d_offset)
{
    double mean = 0, along = 0;
    for (int64_t i = 0; i < n; i++) {
        d_gain[i] += dy[i] * hat[i];
        d_offset[i] += dy[i];
        dy[i] *= gain[i];
        mean += dy[i];
        along += dy[i] * hat[i];
    }
    mean /= (double)n;
    along /= (double)n;
    for (int64_t i = 0; i < n; i++) dy[i] = scale * (dy[i] - (REAL)mean - hat[i] * (REAL)along);
}
