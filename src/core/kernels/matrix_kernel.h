/* core/kernels/matrix_kernel.h: the matrix product for one instruction set. matrix.c includes it once for each, with
 *     KERNEL          the name of the function it gets
 *     TARGET          the attribute that allows the instructions
 *     LANES           floats in a vector; divides NG_PANEL
 *     ROWS            rows of the widest tile, which is ROWS x 2 vectors
 *     VECTOR, BROADCAST(s), MULTIPLY_ADD(a, b, c)
 * A tile of y stays in registers while k ascends. Every tile, wide or narrow, does the same chain of multiply-adds for each of
 * its elements, so no bit depends on where the tiles lie. */
#define NAME_(kernel, part) kernel##_##part
#define NAME(kernel, part) NAME_(kernel, part)
#define LOAD NAME(KERNEL, load)
#define STORE NAME(KERNEL, store)
#define TILE NAME(KERNEL, tile)
#define SWEEP NAME(KERNEL, sweep)
#define STRIP NAME(KERNEL, strip)

/* The n first floats at p; the other lanes are 0. */
INLINE TARGET VECTOR LOAD(const float *p, int64_t n)
{
    VECTOR v;
    if (n >= LANES) {
        memcpy(&v, p, sizeof v);
        return v;
    }
    float lanes[LANES] = {0};
    for (int64_t i = 0; i < n; i++) lanes[i] = p[i];
    memcpy(&v, lanes, sizeof v);
    return v;
}

INLINE TARGET void STORE(float *p, int64_t n, VECTOR v)
{
    if (n >= LANES) {
        memcpy(p, &v, sizeof v);
        return;
    }
    float lanes[LANES];
    memcpy(lanes, &v, sizeof v);
    for (int64_t i = 0; i < n; i++) p[i] = lanes[i];
}

/* Rows [row, row + rows) x columns [column, column + vectors * LANES). */
INLINE TARGET void TILE(const product *p, int64_t row, int64_t column, const int rows, const int vectors)
{
    const float *a = p->a + row * p->a_stride, *b[8];
    float *y = p->y + row * p->y_stride + column;
    VECTOR sum[12][8], weight[8];
    UNROLL for (int v = 0; v < vectors; v++) {
        const int64_t at = column + v * LANES;
        b[v] = p->b + at / NG_PANEL * p->panel_stride + at % NG_PANEL;
        const VECTOR start = p->bias ? LOAD(p->bias + at, p->columns - at) : BROADCAST(0.0f);
        UNROLL for (int r = 0; r < rows; r++)
            sum[r][v] = p->add ? LOAD(y + r * p->y_stride + v * LANES, p->columns - at) : start;
    }
    for (int64_t k = 0; k < p->depth; k++) {
        UNROLL for (int v = 0; v < vectors; v++) memcpy(&weight[v], b[v] + k * NG_PANEL, sizeof(VECTOR));
        UNROLL for (int r = 0; r < rows; r++) {
            const VECTOR value = BROADCAST(a[r * p->a_stride + k]);
            UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = MULTIPLY_ADD(value, weight[v], sum[r][v]);
        }
    }
    UNROLL for (int v = 0; v < vectors; v++)
        UNROLL for (int r = 0; r < rows; r++)
            STORE(y + r * p->y_stride + v * LANES, p->columns - column - v * LANES, sum[r][v]);
}

/* All tiles of this size that fit, from this column on; gives the column where they end. Weights are the outer loop: what a
 * column of tiles needs of them stays in the cache while the rows pass by. */
INLINE TARGET int64_t SWEEP(const product *p, int64_t first, int64_t last, int64_t column, const int rows, const int vectors)
{
    for (; column + (vectors - 1) * LANES < p->columns; column += vectors * LANES)
        for (int64_t row = first; row < last; row += rows) TILE(p, row, column, rows, vectors);
    return column;
}

/* All columns of the rows from first on, as many as whole tiles cover; gives the row where they end. */
INLINE TARGET int64_t STRIP(const product *p, int64_t first, const int rows, const int vectors)
{
    const int64_t last = first + (p->rows - first) / rows * rows;
    if (first == last) return first;
    int64_t column = SWEEP(p, first, last, 0, rows, vectors);
    if (vectors > 4) column = SWEEP(p, first, last, column, rows, 4);
    if (vectors > 2) column = SWEEP(p, first, last, column, rows, 2);
    SWEEP(p, first, last, column, rows, 1);
    return last;
}

static TARGET void KERNEL(const product *p)
{
    int64_t row = STRIP(p, 0, ROWS, 2);
    row = STRIP(p, row, ROWS / 2, 2);
    row = STRIP(p, row, 2, 4);
    STRIP(p, row, 1, 8);
}

#undef NAME_
#undef NAME
#undef LOAD
#undef STORE
#undef TILE
#undef SWEEP
#undef STRIP
#undef KERNEL
#undef TARGET
#undef LANES
#undef ROWS
#undef VECTOR
#undef BROADCAST
#undef MULTIPLY_ADD
