/* core/training/statistics_kernel.h: the loops over rows of statistics.c for one instruction set. It is included once for each, with
 *     ADD, ADD_BACK, NORMALIZE, NORMALIZE_BACK      names
 *     TARGET                                        the attribute that allows the instructions
 * Sums stay in registers while the rows of a chunk of channels pass by, few enough that they stay in a cache for the next chunk. */

static TARGET void ADD(const ng_statistics *s, const float *x, int64_t rows, double *sums)
{
    for (int64_t c = 0, count; c < s->channels; c += count) {
        count = chunk_at(c, s->channels);
        chunk sum = read_sums(sums + c, count), squares = read_sums(sums + s->channels + c, count);
        for (int64_t t = 0; t < rows; t++) {
            const floats value = read_row(x + t * s->channels + c, count);
            UNROLL for (int i = 0; i < PARTS; i++) {
                const four_doubles wide = WIDEN(value.part[i]);
                sum.part[i] += wide;
                squares.part[i] += wide * wide;
            }
        }
        memcpy(sums + c, &sum, (size_t)count * sizeof *sums);
        memcpy(sums + s->channels + c, &squares, (size_t)count * sizeof *sums);
    }
}

static TARGET void ADD_BACK(const ng_statistics *s, const float *x, const float *dy, int64_t rows, double *sums)
{
    for (int64_t c = 0, count; c < s->channels; c += count) {
        count = chunk_at(c, s->channels);
        chunk sum = read_sums(sums + c, count), products = read_sums(sums + s->channels + c, count);
        const floats mean = read_row(s->mean + c, count), reciprocal = read_row(s->reciprocal + c, count);
        for (int64_t t = 0; t < rows; t++) {
            const floats value = read_row(x + t * s->channels + c, count), gradient = read_row(dy + t * s->channels + c, count);
            UNROLL for (int i = 0; i < PARTS; i++) {
                sum.part[i] += WIDEN(gradient.part[i]);
                products.part[i] += WIDEN(gradient.part[i] * ((value.part[i] - mean.part[i]) * reciprocal.part[i]));
            }
        }
        memcpy(sums + c, &sum, (size_t)count * sizeof *sums);
        memcpy(sums + s->channels + c, &products, (size_t)count * sizeof *sums);
    }
}

static TARGET void NORMALIZE(const ng_statistics *s, const ng_tile *x, ng_tile *y)
{
    const float *restrict mean = s->mean, *restrict scale = s->scale, *restrict shift = s->shift;
    NG_EACH_ROW(y, n, t) {
        const float *restrict from = ng_row(x, n, t);
        float *restrict to = ng_row(y, n, t);
#pragma omp simd
        for (int64_t c = 0; c < s->channels; c++) to[c] = (from[c] - mean[c]) * scale[c] + shift[c];
    }
}

static TARGET void NORMALIZE_BACK(const ng_statistics *s, const ng_tile *x, const ng_tile *dy, ng_tile *dx)
{
    const float *restrict mean = s->mean, *restrict scale = s->scale, *restrict of_dy = s->of_dy, *restrict slope = s->slope;
    NG_EACH_ROW(dx, n, t) {
        const float *restrict row = ng_row(x, n, t), *restrict from = ng_row(dy, n, t);
        float *restrict to = ng_row(dx, n, t);
#pragma omp simd
        for (int64_t c = 0; c < s->channels; c++) to[c] += scale[c] * (from[c] - of_dy[c] - (row[c] - mean[c]) * slope[c]);
    }
}

#undef ADD
#undef ADD_BACK
#undef NORMALIZE
#undef NORMALIZE_BACK
#undef TARGET
