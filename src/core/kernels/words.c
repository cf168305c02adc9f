#include <string.h>
#include "core/kernels/matrix.h"
#include "core/kernels/words.h"
#include "core/network/vector.h"

enum { LANES = 16, MOST_TAPS = 128, MOST_LETTERS = 4, MOST_WORDS = 625 };        /* words of 4 letters, each of 5 */

typedef float lanes __attribute__((vector_size(LANES * 4)));
typedef float four __attribute__((vector_size(16)));
typedef int32_t four_masks __attribute__((vector_size(16)));

/* place[i]: where the word that begins at the i-th row which row 0 reads lies in M[m], and S[m]. */
typedef void rows_at(const ng_words *w, const int32_t *place, int64_t rows, float *tables, float *y);

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 4")

INLINE void read_vectors(const ng_words *w, const int32_t *place, int64_t rows, const float *values, const int vectors, float *y)
{
    const int64_t filters = w->filters, words = w->words, letters = w->letters, step = w->all * filters;
    for (int64_t t = 0; t < rows; t++, y += filters) {
        lanes sum[2], value;
        UNROLL for (int v = 0; v < vectors; v++) memcpy(&sum[v], values + place[t] + v * LANES, sizeof value);
        for (int64_t m = 1; m < words; m++) {
            const float *from = values + m * step + place[t + m * letters];
            UNROLL for (int v = 0; v < vectors; v++) {
                memcpy(&value, from + v * LANES, sizeof value);
                sum[v] += value;
            }
        }
        UNROLL for (int v = 0; v < vectors; v++) memcpy(y + v * LANES, &sum[v], sizeof value);
    }
}

INLINE void add_vectors(const ng_words *w, const int32_t *place, int64_t rows, float *sums, const int vectors, const float *dy)
{
    const int64_t filters = w->filters, words = w->words, letters = w->letters, step = w->all * filters;
    for (int64_t t = 0; t < rows; t++, dy += filters) {
        lanes gradient[2], sum;
        UNROLL for (int v = 0; v < vectors; v++) memcpy(&gradient[v], dy + v * LANES, sizeof sum);
        for (int64_t m = 0; m < words; m++) {
            float *to = sums + m * step + place[t + m * letters];
            UNROLL for (int v = 0; v < vectors; v++) {
                memcpy(&sum, to + v * LANES, sizeof sum);
                sum += gradient[v];
                memcpy(to + v * LANES, &sum, sizeof sum);
            }
        }
    }
}

INLINE void read_rows(const ng_words *w, const int32_t *place, int64_t rows, float *values, float *y)
{
    int64_t o = 0;
    for (; o + 2 * LANES <= w->filters; o += 2 * LANES) read_vectors(w, place, rows, values + o, 2, y + o);
    if (o < w->filters) read_vectors(w, place, rows, values + o, 1, y + o);
}

INLINE void add_rows(const ng_words *w, const int32_t *place, int64_t rows, float *sums, float *dy)
{
    int64_t o = 0;
    for (; o + 2 * LANES <= w->filters; o += 2 * LANES) add_vectors(w, place, rows, sums + o, 2, dy + o);
    if (o < w->filters) add_vectors(w, place, rows, sums + o, 1, dy + o);
}

static void read_portable(const ng_words *w, const int32_t *place, int64_t rows, float *tables, float *y) { read_rows(w, place, rows, tables, y); }
static void add_portable(const ng_words *w, const int32_t *place, int64_t rows, float *tables, float *y) { add_rows(w, place, rows, tables, y); }
#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2"))) static
#define AVX512 __attribute__((target("avx512f"))) static
AVX2 void read_avx2(const ng_words *w, const int32_t *place, int64_t rows, float *tables, float *y) { read_rows(w, place, rows, tables, y); }
AVX2 void add_avx2(const ng_words *w, const int32_t *place, int64_t rows, float *tables, float *y) { add_rows(w, place, rows, tables, y); }
AVX512 void read_avx512(const ng_words *w, const int32_t *place, int64_t rows, float *tables, float *y) { read_rows(w, place, rows, tables, y); }
AVX512 void add_avx512(const ng_words *w, const int32_t *place, int64_t rows, float *tables, float *y) { add_rows(w, place, rows, tables, y); }
#endif

typedef struct kernel { rows_at *read, *add; } kernel;

static kernel choose(void)
{
#if defined(__x86_64__)
    if (!strcmp(ng_kernel_name(), "avx512")) return (kernel){read_avx512, add_avx512};
    if (!strcmp(ng_kernel_name(), "avx2")) return (kernel){read_avx2, add_avx2};
#endif
    return (kernel){read_portable, add_portable};
}

/* ---- which words ---- */

static ng_words of_letters(const ng_layer *layer, int64_t letters)
{
    const int64_t taps = layer->reach.size, channels = layer->in->channels;
    ng_words w = {taps, channels, layer->out.channels, layer->reach.pad, letters, (taps + letters - 1) / letters, 1, 0};
    for (int64_t i = 0; i < letters; i++) w.all *= channels + 1;
    w.count = w.words * w.all * w.filters;
    return w;
}

/* Every word is cleared, and read once for each of its letters, once forward and once back. */
static int64_t cost(const ng_words *w, int64_t rows) { return w->words * (rows + (w->letters + 1) * w->all); }

ng_words ng_words_of(const ng_layer *layer, int64_t rows)
{
    ng_words best = of_letters(layer, 1);
    if (layer->out.channels % LANES || layer->reach.size > MOST_TAPS || best.all > MOST_WORDS) return (ng_words){0};
    for (int64_t letters = 2; letters <= MOST_LETTERS; letters++) {
        const ng_words w = of_letters(layer, letters);
        if (w.all <= MOST_WORDS && cost(&w, rows) < cost(&best, rows)) best = w;
    }
    return best;
}

/* ---- words of a sequence ---- */

/* Is every number 0 or 1? */
static bool zeros_and_ones(const float *number, int64_t count)
{
    four_masks wrong = {0};
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        four value;
        memcpy(&value, number + i, sizeof value);
        wrong |= (value != 0) & (value != 1);
    }
    for (; i < count; i++) wrong[0] |= (number[i] != 0) & (number[i] != 1);
    return !(wrong[0] | wrong[1] | wrong[2] | wrong[3]);
}

/* The channel of the 1 in each row; `channels` where all are 0. Without branches, since no row tells the next: a 1 adds twice the
 * channels, less its own number. */
INLINE bool letters_of(const float *row, int64_t rows, const int64_t channels, float *letter)
{
    const float none = (float)channels, one = 2 * none;
    float most = 0;
    for (int64_t i = 0; i < rows; i++) {
        float sum = 0;
        UNROLL for (int c = 0; c < (int)channels; c++) sum += row[i * channels + c] * (one - (float)c);
        most = sum > most ? sum : most;
        letter[i] = sum > 0 ? one - sum : none;
    }
    return most <= one && zeros_and_ones(row, rows * channels);
}

/* The places of the words that begin at the rows which rows [first, last) of y read; false if one cannot be spelled. Whole numbers as floats,
 * since all processors multiply vectors of these. */
static bool spell(const ng_words *w, const ng_tile *x, int64_t n, int64_t first, int64_t last, int32_t *place)
{
    enum { MOST = NG_WORD_ROWS + MOST_TAPS + 2 * MOST_LETTERS };
    const int64_t begin = first - w->pad, count = last - first + (w->words - 1) * w->letters, all = count + w->letters - 1, C = w->channels;
    const ng_range there = ng_clip(begin, last - w->pad + w->taps - 1, x->length);
    const float base = (float)(C + 1), filters = (float)w->filters;
    float letter[MOST], word[MOST] = {0};
    for (int64_t i = 0; i < all; i++) letter[i] = (float)C;
    if (there.first < there.last) {
        const float *row = ng_row(x, n, there.first);
        const int64_t rows = there.last - there.first;
        float *to = letter + (there.first - begin);
        if (!(C == 4 ? letters_of(row, rows, 4, to) : letters_of(row, rows, C, to))) return false;
    }
    for (int64_t u = 0; u < w->letters; u++)
#pragma omp simd
        for (int64_t i = 0; i < count; i++) word[i] = word[i] * base + letter[i + u];
#pragma omp simd
    for (int64_t i = 0; i < count; i++) place[i] = (int32_t)(word[i] * filters);
    return true;
}

bool ng_read_words(const ng_words *w, const float *values, const ng_tile *x, const ng_tile *y, int64_t n, int64_t first, int64_t last)
{
    int32_t place[NG_WORD_ROWS + MOST_TAPS + MOST_LETTERS];
    if (!spell(w, x, n, first, last, place)) return false;
    choose().read(w, place, last - first, (float *)values, ng_row(y, n, first));
    return true;
}

bool ng_add_to_words(const ng_words *w, const ng_tile *x, const ng_tile *dy, int64_t n, int64_t first, int64_t last, float *sums)
{
    int32_t place[NG_WORD_ROWS + MOST_TAPS + MOST_LETTERS];
    if (!spell(w, x, n, first, last, place)) return false;
    choose().add(w, place, last - first, sums, ng_row(dy, n, first));
    return true;
}

/* ---- what words are made of ---- */

/* The channel and the tap of letter u of a word; false if it adds nothing. */
static bool letter_at(const ng_words *w, int64_t m, int64_t word, int64_t u, int64_t *row)
{
    const int64_t j = m * w->letters + u;
    for (int64_t i = w->letters - 1; i > u; i--) word /= w->channels + 1;
    const int64_t c = word % (w->channels + 1);
    *row = j * w->channels + c;
    return j < w->taps && c < w->channels;
}

void ng_fill_words(const ng_words *w, const float *kernel, const float *bias, float *values)
{
    int64_t row;
    for (int64_t m = 0; m < w->words; m++)
        for (int64_t word = 0; word < w->all; word++, values += w->filters) {
            if (m || !bias) memset(values, 0, (size_t)w->filters * sizeof *values);
            else memcpy(values, bias, (size_t)w->filters * sizeof *values);
            for (int64_t u = 0; u < w->letters; u++)
                if (letter_at(w, m, word, u, &row)) ng_add_to(values, kernel + row * w->filters, w->filters);
        }
}

void ng_end_words(const ng_words *w, const float *sums, float *dw)
{
    int64_t row;
    for (int64_t m = 0; m < w->words; m++)
        for (int64_t word = 0; word < w->all; word++, sums += w->filters)
            for (int64_t u = 0; u < w->letters; u++)
                if (letter_at(w, m, word, u, &row)) ng_add_to(dw + row * w->filters, sums, w->filters);
}
