/* core/base/random.h: random numbers without state. Number `counter` of stream `stream` under a key is always the same, whoever
 * asks first and however many threads ask. */
#ifndef NG_BASE_RANDOM_H
#define NG_BASE_RANDOM_H
#include <stdint.h>

/* 64 random bits. */
uint64_t ng_random_bits(uint64_t key, uint64_t stream, uint64_t counter);

/* Where 64 random bits fall in [0, limit), limit > 0: the upper half of their product of 128 bits. */
static inline int64_t ng_share(uint64_t bits, int64_t limit)
{
    const uint64_t low = (uint32_t)bits, high = bits >> 32, limit_low = (uint32_t)limit, limit_high = (uint64_t)limit >> 32;
    const uint64_t middle = high * limit_low + (low * limit_low >> 32), other = low * limit_high + (uint32_t)middle;
    return (int64_t)(high * limit_high + (middle >> 32) + (other >> 32));
}

/* A whole number in [0, limit), limit > 0. */
static inline int64_t ng_random_below(uint64_t key, uint64_t stream, uint64_t counter, int64_t limit)
{
    return ng_share(ng_random_bits(key, stream, counter), limit);
}

#endif
