#include <math.h>
#include "core/base/philox.h"

void ng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4])
{
    uint32_t a = counter[0], b = counter[1], c = counter[2], d = counter[3], k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t left = (uint64_t)0xd2511f53u * a, right = (uint64_t)0xcd9e8d57u * c;
        a = (uint32_t)(right >> 32) ^ b ^ k0;
        b = (uint32_t)right;
        c = (uint32_t)(left >> 32) ^ d ^ k1;
        d = (uint32_t)left;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    words[0] = a;
    words[1] = b;
    words[2] = c;
    words[3] = d;
}

static double uniform(uint32_t high, uint32_t low)
{
    return ((double)(((uint64_t)high << 32 | low) >> 11) + 0.5) * 0x1p-53;
}

void ng_uniform_pair(ng_random_stream stream, uint64_t block, double pair[2])
{
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), stream.chain, stream.lane};
    const uint32_t key[2] = {(uint32_t)stream.key, (uint32_t)(stream.key >> 32)};
    uint32_t words[4];
    ng_philox(counter, key, words);
    pair[0] = uniform(words[0], words[1]);
    pair[1] = uniform(words[2], words[3]);
}

void ng_normals(ng_random_stream stream, uint64_t first_block, int64_t n, double *normals)
{
    const double turn = 6.283185307179586;
    for (int64_t i = 0; i < n; i += 2) {
        double pair[2];
        ng_uniform_pair(stream, first_block + (uint64_t)(i / 2), pair);
        const double radius = sqrt(-2 * log(pair[0]));
        normals[i] = radius * cos(turn * pair[1]);
        if (i + 1 < n) normals[i + 1] = radius * sin(turn * pair[1]);
    }
}
