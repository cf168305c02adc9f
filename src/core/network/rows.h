/* core/network/rows.h: rows of tiles by their absolute number; checked in debug builds. */
#ifndef NG_NETWORK_ROWS_H
#define NG_NETWORK_ROWS_H
#ifdef NG_DEBUG
#define NG_IN(low, i, high) do { if ((i) < (low) || (i) >= (high)) __builtin_trap(); } while (0)
#else
#define NG_IN(low, i, high) ((void)0)
#endif

#define NG_EACH_ROW(tile, sample, t) \
    for (int64_t sample = 0; sample < (tile)->samples; sample++) for (int64_t t = (tile)->first; t < (tile)->last; t++)

static inline float *ng_row(const ng_tile *x, int64_t sample, int64_t t)
{
    NG_IN(x->first, t, x->last);
    NG_IN(0, sample, x->samples);
    return x->data + sample * x->sample_stride + (t - x->first) * x->channels;
}

static inline uint8_t *ng_code_row(const ng_code *code, int64_t sample, int64_t t)
{
    NG_IN(code->first, t, code->last);
    return code->data + sample * code->sample_stride + (t - code->first) * code->row_bytes;
}

static inline int64_t ng_count_rows(ng_range rows) { return rows.last > rows.first ? rows.last - rows.first : 0; }

/* All rows from the first one of both to the last one of both. */
static inline ng_range ng_hull(ng_range a, ng_range b)
{
    if (!ng_count_rows(a)) return b;
    if (!ng_count_rows(b)) return a;
    return (ng_range){a.first < b.first ? a.first : b.first, a.last > b.last ? a.last : b.last};
}

/* [first, last) cut to [0, length). */
static inline ng_range ng_clip(int64_t first, int64_t last, int64_t length)
{
    if (first < 0) first = 0;
    if (first > length) first = length;
    if (last > length) last = length;
    return (ng_range){first, last < first ? first : last};
}
#endif
