/* core/base/philox.h: Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, doi:10.1145/2063384.2063405): four random words for a
 * counter of four words under a key of two. No state: whoever asks, in whatever order, gets the same. */
#ifndef NG_BASE_PHILOX_H
#define NG_BASE_PHILOX_H
#include <stdint.h>

void ng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t words[4]);

/* A stream of a sampler: block number `block` of (chain, lane). */
typedef struct ng_random_stream { uint64_t key; uint32_t chain, lane; } ng_random_stream;

/* Two uniform numbers in (0, 1), each with 53 bits. */
void ng_uniform_pair(ng_random_stream stream, uint64_t block, double pair[2]);

/* n standard normal numbers by Box and Muller, from blocks first_block, ... (one a pair, the last may be half used). */
void ng_normals(ng_random_stream stream, uint64_t first_block, int64_t n, double *normals);

#endif
