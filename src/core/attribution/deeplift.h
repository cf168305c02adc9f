/* core/attribution/deeplift.h: DeepLIFT (Shrikumar, Greenside and Kundaje 2017, rescale rule) as a gradient. The sequence and its reference go
 * through the network side by side, as two inputs of one graph, and every layer that bends sends back its mean slope between the two
 * (network/secant.h). The gradient of that graph for the sequence, times x - x', is DeepLIFT's score: all that streams a
 * gradient streams it. */
#ifndef NG_ATTRIBUTION_DEEPLIFT_H
#define NG_ATTRIBUTION_DEEPLIFT_H
#include "core/attribution/path_integral.h"

/* The graph of both: call k of the graph is call 2k for the reference and ng_pair_call(k) for the sequence. Its inputs are those of the
 * sequence, then those of the reference. */
ng_status ng_pair_graph(const ng_graph *graph, ng_arena *arena, ng_graph *pair, ng_error *error);
static inline int ng_pair_call(int call) { return 2 * call + 1; }

/* Where its inputs come from, and its scores go: the reference is the source's baseline, and has no score. `inputs` are the graph's own. */
typedef struct ng_pair { ng_source source; ng_sink sink; int inputs; } ng_pair;
ng_source ng_pair_source(const ng_pair *pair);
ng_sink ng_pair_sink(ng_pair *pair);

#endif
