/* Shares of 64 random bits: the upper half of a product of 128 bits, wherever there are such numbers and on small processors alike. */
#include "check.h"
#include "core/base/random.h"

int main(void)
{
    for (int power = 1; power < 63; power++)
        for (uint64_t i = 0; i < 200; i++) {
            const uint64_t bits = ng_random_bits(3, (uint64_t)power, i);
            CHECK(ng_share(bits, (int64_t)1 << power) == (int64_t)(bits >> (64 - power)));
            const int64_t limit = (int64_t)(ng_random_bits(4, (uint64_t)power, i) >> power >> 1) + 1;
            const int64_t share = ng_share(bits, limit);
            CHECK(share >= 0 && share < limit && ng_share(UINT64_MAX, limit) == limit - 1 && ng_share(0, limit) == 0);
#ifdef __SIZEOF_INT128__
            CHECK(share == (int64_t)((__extension__(unsigned __int128)bits * (uint64_t)limit) >> 64));
#endif
        }
    return finish();
}
