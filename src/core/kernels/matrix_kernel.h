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
#define CHAIN NAME(KERNEL, chain)
#define TILE NAME(KERNEL, tile)
#define SWEEP NAME(KERNEL, sweep)
#define STRIP NAME(KERNEL, strip)

/* Terms [first, last) of rows x vectors of y, from columns that begin at `column`. apart: they begin with 0, and are added to start. */
INLINE TARGET void CHAIN(const product *p, int64_t row, int64_t column, int64_t first, int64_t last, bool apart, const float *start,
                         int64_t start_stride, float *y, int64_t y_stride, const int rows, const int vectors)
{
    const float *a = p->a + row * p->a_stride + first * p->a_step, *b[MOST_VECTORS];
    const int64_t depth = last - first, a_stride = p->a_stride, a_step = p->a_step;
    VECTOR sum[MOST_ROWS][MOST_VECTORS], weight[MOST_VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) {
        const int64_t at = column + v * LANES;
        b[v] = p->b + at / NG_PANEL * p->panel_stride + first * NG_PANEL + at % NG_PANEL;
        UNROLL for (int r = 0; r < rows; r++)
            if (apart) sum[r][v] = BROADCAST(0);
            else memcpy(&sum[r][v], start + r * start_stride + v * LANES, sizeof(VECTOR));
    }
    for (int64_t k = 0; k < depth; k++, a += a_step) {
        UNROLL for (int v = 0; v < vectors; v++) memcpy(&weight[v], b[v] + k * NG_PANEL, sizeof(VECTOR));
        UNROLL for (int r = 0; r < rows; r++) {
            const VECTOR value = BROADCAST(a[r * a_stride]);
            UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = MULTIPLY_ADD(value, weight[v], sum[r][v]);
        }
    }
    UNROLL for (int v = 0; v < vectors; v++)
        UNROLL for (int r = 0; r < rows; r++) {
            VECTOR before;
            if (apart) {
                memcpy(&before, start + r * start_stride + v * LANES, sizeof(VECTOR));
                sum[r][v] += before;
            }
            memcpy(y + r * y_stride + v * LANES, &sum[r][v], sizeof(VECTOR));
        }
}

/* All terms of rows x vectors of y. */
INLINE TARGET void TILE(const product *p, int64_t row, int64_t column, const float *start, int64_t start_stride, float *y,
                        int64_t y_stride, const int rows, const int vectors)
{
    for (int64_t k = 0; k == 0 || k < p->depth; k += p->chain) {
        const int64_t last = p->depth - k < p->chain ? p->depth : k + p->chain;
        CHAIN(p, row, column, k, last, k || p->apart, k ? y : start, k ? y_stride : start_stride, y, y_stride, rows, vectors);
    }
}

/* All tiles of this size that fit, from this column on; gives the column where they end. Weights are the outer loop: what a
 * column of tiles needs of them stays in the cache while the rows pass by. A tile that sticks out works on a copy. */
INLINE TARGET int64_t SWEEP(const product *p, int64_t first, int64_t last, int64_t column, const int rows, const int vectors)
{
    const int64_t width = vectors * LANES;
    for (; column + width - LANES < p->columns; column += width) {
        const int64_t present = p->columns - column < width ? p->columns - column : width;
        for (int64_t row = first; row < last; row += rows) {
            const float *start = p->start + row * p->start_stride + column;
            float *y = p->y + row * p->y_stride + column, copy[MOST_ROWS * MOST_VECTORS * LANES];
            const bool whole = present == width;
            if (!whole) copy_rows(start, p->start_stride, rows, present, copy, width);
            TILE(p, row, column, whole ? start : copy, whole ? p->start_stride : width, whole ? y : copy,
                 whole ? p->y_stride : width, rows, vectors);
            if (!whole) copy_rows(copy, width, rows, present, y, p->y_stride);
        }
    }
    return column;
}

/* All columns of the rows from first on, as many as whole tiles cover; gives the row where they end. */
INLINE TARGET int64_t STRIP(const product *p, int64_t first, const int rows, const int vectors)
{
    const int64_t last = first + (p->rows - first) / rows * rows;
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
#undef CHAIN
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
