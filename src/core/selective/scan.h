/* core/selective/scan.h: which candidates come near a bound, in single precision. The scores of candidate l along a great circle are
 *     e_j = u_l cos + v_l sin,    e_s = e_{s+1} + inner_{l,s} c_s,    compared with tau_s limit_{l,s},  s = j..1;   e_j also with low_l, high_l
 * All arrays have a multiple of NG_SCAN_BLOCK elements. */
#ifndef NG_SELECTIVE_SCAN_H
#define NG_SELECTIVE_SCAN_H
#include <stdint.h>

enum { NG_SCAN_BLOCK = 16 };

typedef struct ng_scan {
    const float *u, *v;
    int levels;                                  /* compared steps: j, or 1 with a box */
    const float *const *limit, *const *inner;    /* by level: step j first; inner[0] is not read */
    const float *low, *high;                     /* NULL without a box */
    float cosine, sine, margin;                  /* what is closer to a bound than `margin` counts as beyond it */
    const float *tau, *c;                        /* by level; c[0] is not read */
} ng_scan;

/* The first block in [first, last) with an element beyond a bound; last if there is none. */
int64_t ng_scan_blocks(const ng_scan *scan, int64_t first, int64_t last);

/* u = u cos + v sin for `count` elements. */
void ng_turn(float *u, const float *v, int64_t count, float cosine, float sine);

#endif
