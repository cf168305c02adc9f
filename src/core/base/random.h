/* core/base/random.h: random numbers without state. Number `counter` of stream `stream` under a key is always the same, whoever
 * asks first and however many threads ask. */
#ifndef NG_BASE_RANDOM_H
#define NG_BASE_RANDOM_H
#include <stdint.h>

/* 64 random bits. */
uint64_t ng_random_bits(uint64_t key, uint64_t stream, uint64_t counter);

/* A whole number in [0, limit), limit > 0. */
static inline int64_t ng_random_below(uint64_t key, uint64_t stream, uint64_t counter, int64_t limit)
{
    return (int64_t)(((unsigned __int128)ng_random_bits(key, stream, counter) * (uint64_t)limit) >> 64);
}

#endif
