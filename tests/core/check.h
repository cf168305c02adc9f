/* tests/core/check.h: counted checks and random numbers that are the same on every machine. */
#ifndef NG_TESTS_CHECK_H
#define NG_TESTS_CHECK_H
#include <stdint.h>
#include <stdio.h>

static long passed = 0, failed = 0;

/* Only the first failures are printed: a broken layer fails everywhere. */
#define CHECK(x) do { if (x) passed++; else if (failed++ < 20) printf("%s:%d: %s\n", __FILE__, __LINE__, #x); } while (0)

static uint64_t draw_state = 1;

/* A whole number in [0, n). */
static inline int64_t draw(int64_t n)
{
    draw_state = draw_state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((draw_state >> 33) % (uint64_t)n);
}

/* A number in [-1, 1). */
static inline double draw_real(void) { return (double)draw(1 << 30) / (1 << 29) - 1; }

/* The last line of a test program, and its exit status. */
static inline int finish(void)
{
    printf("%ld passed, %ld failed\n", passed, failed);
    return failed != 0;
}
#endif
