/* core/attribution/what_if.h: what a network would answer if other bases stood at some places: knock-outs, variants, mutants. Each
 * window is computed once and its tensors are kept where layers read far; each change computes its cone over them
 * (core/network/cone.h) and the head over what that changed. A change whose cone does not fit the memory is run as a window. */
#ifndef NG_ATTRIBUTION_WHAT_IF_H
#define NG_ATTRIBUTION_WHAT_IF_H
#include "core/attribution/source.h"

/* `width` bases of the contig from base `first` on, 0-based and on a circular contig perhaps over the origin, as far as they lie in a
 * window; and what is put there: codes (variants, width), 0..3 a base, anything else a row of zeros; NULL: the contig's baseline in
 * the place of each base. */
typedef struct ng_change { int64_t window, first, width; const uint8_t *codes; int64_t variants; } ng_change;

/* The objective for each window, and for the variants of site after site; the floating-point operations that this took, and
 * those of one window. */
typedef struct ng_answers { double *values, *changed, operations, window_operations; } ng_answers;

/* sites: in ascending order of their windows. cotangent: as in ng_objective, shared by all windows. */
ng_status ng_what_if(const ng_graph *graph, const int *wanted, int wanted_count, const float *const *cotangent, const ng_contig *contig,
                     int64_t windows, const ng_change *sites, int64_t count, const ng_run *run, ng_answers *answers, ng_error *error);

#endif
