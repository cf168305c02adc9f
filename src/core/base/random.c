#include "core/base/random.h"

/* The finalizer of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195): every input bit reaches every output bit. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t ng_random_bits(uint64_t key, uint64_t stream, uint64_t counter)
{
    const uint64_t step = 0x9e3779b97f4a7c15u;                       /* 2^64 over the golden ratio: keeps neighbours apart */
    return mix(mix(mix(key + step) ^ (stream + step)) + (counter + 1) * step);
}
