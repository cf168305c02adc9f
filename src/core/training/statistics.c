#include <math.h>
#include <string.h>
#include "core/kernels/matrix.h"
#include "core/training/statistics.h"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 4")
#define WIDEN(v) __builtin_convertvector(v, four_doubles)
enum { PARTS = 4, CHUNK = 4 * PARTS, TURN = 64 };        /* channels whose sums stay in registers; rows that stay in a cache */

typedef float four_floats __attribute__((vector_size(16)));
typedef double four_doubles __attribute__((vector_size(32)));
typedef struct floats { four_floats part[PARTS]; } floats;
typedef struct chunk { four_doubles part[PARTS]; } chunk;

static int64_t chunk_at(int64_t c, int64_t channels) { return channels - c < CHUNK ? channels - c : CHUNK; }

INLINE floats read_row(const float *row, int64_t count)
{
    floats v = {{{0}}};
    if (count == CHUNK) memcpy(&v, row, sizeof v);
    else memcpy(&v, row, (size_t)count * sizeof *row);
    return v;
}

static chunk read_sums(const double *sums, int64_t count)
{
    chunk v = {{{0}}};
    memcpy(&v, sums, (size_t)count * sizeof *sums);
    return v;
}

#define ADD add_portable
#define ADD_BACK add_back_portable
#define NORMALIZE normalize_portable
#define NORMALIZE_BACK normalize_back_portable
#define TARGET
#include "core/training/statistics_kernel.h"
#if defined(__x86_64__)
#define ADD add_avx2
#define ADD_BACK add_back_avx2
#define NORMALIZE normalize_avx2
#define NORMALIZE_BACK normalize_back_avx2
#define TARGET __attribute__((target("avx2,fma")))
#include "core/training/statistics_kernel.h"
#endif

typedef struct kernel {
    void (*add)(const ng_statistics *s, const float *x, int64_t rows, double *sums);
    void (*add_back)(const ng_statistics *s, const float *x, const float *dy, int64_t rows, double *sums);
    void (*normalize)(const ng_statistics *s, const ng_tile *x, ng_tile *y);
    void (*normalize_back)(const ng_statistics *s, const ng_tile *x, const ng_tile *dy, ng_tile *dx);
} kernel;

/* For the instruction set of the matrix product, so that a test can force this one as well. */
static kernel choose(void)
{
#if defined(__x86_64__)
    if (strcmp(ng_kernel_name(), "portable")) return (kernel){add_avx2, add_back_avx2, normalize_avx2, normalize_back_avx2};
#endif
    return (kernel){add_portable, add_back_portable, normalize_portable, normalize_back_portable};
}

static int64_t turn_at(int64_t t, const ng_tile *x) { return x->last - t < TURN ? x->last - t : TURN; }

void ng_statistics_add(const ng_statistics *s, const ng_tile *x, double *sums)
{
    const kernel run = choose();
    for (int64_t n = 0; n < x->samples; n++)
        for (int64_t t = x->first; t < x->last; t += TURN) run.add(s, ng_row(x, n, t), turn_at(t, x), sums);
}

void ng_statistics_add_back(const ng_statistics *s, const ng_tile *x, const ng_tile *dy, double *sums)
{
    const kernel run = choose();
    for (int64_t n = 0; n < x->samples; n++)
        for (int64_t t = x->first; t < x->last; t += TURN) run.add_back(s, ng_row(x, n, t), ng_row(dy, n, t), turn_at(t, x), sums);
}

void ng_normalize(const ng_statistics *s, const ng_tile *x, ng_tile *y) { choose().normalize(s, x, y); }

void ng_normalize_back(const ng_statistics *s, const ng_tile *x, const ng_tile *dy, ng_tile *dx) { choose().normalize_back(s, x, dy, dx); }

/* The mean of all shards, number `which` of channel c. */
static double mean_of(const ng_statistics *s, int64_t shards, int which, int64_t c)
{
    double sum = 0;
    for (int64_t shard = 0; shard < shards; shard++) sum += s->sums[(2 * shard + which) * s->channels + c];
    return sum / (double)s->rows;
}

static void clear(ng_statistics *s, int64_t shards) { memset(s->sums, 0, (size_t)(shards * 2 * s->channels) * sizeof *s->sums); }

void ng_statistics_end(ng_statistics *s, int64_t shards, int64_t rows)
{
    s->rows = rows;
    for (int64_t c = 0; c < s->channels; c++) {
        const double mean = mean_of(s, shards, 0, c), square = mean_of(s, shards, 1, c) - mean * mean, variance = square > 0 ? square : 0;
        s->mean[c] = (float)mean;
        s->reciprocal[c] = (float)(1 / sqrt(variance + (double)s->epsilon));
        s->scale[c] = s->gamma ? s->gamma[c] * s->reciprocal[c] : s->reciprocal[c];
        s->shift[c] = s->beta ? s->beta[c] : 0;
        s->moving_mean[c] += ((float)mean - s->moving_mean[c]) * (1 - s->momentum);
        s->moving_variance[c] += ((float)variance - s->moving_variance[c]) * (1 - s->momentum);
    }
    clear(s, shards);
}

void ng_statistics_end_back(ng_statistics *s, int64_t shards, float *dgamma, float *dbeta)
{
    for (int64_t c = 0; c < s->channels; c++) {
        const double dy = mean_of(s, shards, 0, c), product = mean_of(s, shards, 1, c);
        s->of_dy[c] = (float)dy;
        s->slope[c] = (float)product * s->reciprocal[c];
        if (dbeta) dbeta[c] += (float)(dy * (double)s->rows);
        if (dgamma) dgamma[c] += (float)(product * (double)s->rows);
    }
    clear(s, shards);
}
