/* core/attribution/rest.h: the rest of a network behind the boundary that windows reach in strips (core/network/strip.h): its calls become
 * inputs. */
#ifndef NG_ATTRIBUTION_REST_H
#define NG_ATTRIBUTION_REST_H
#include "core/network/overlap.h"
#include "core/network/stream.h"

typedef struct ng_rest {
    ng_graph graph;
    ng_plan plan;
    ng_stream stream;
    ng_source source;
    struct ng_arrays *arrays;
    ng_shape *shapes;                            /* of the boundary's tensors */
    int64_t windows, round;                      /* room; how many go in a round */
    float **rows;                                /* by tensor of the boundary: (windows, size) */
    float ***gradients;                          /* by target, by tensor: the same */
    float **results;                             /* where outputs of a round go */
    double *values;                              /* of a round */
} ng_rest;

/* For so many windows; targets: 0 for outputs alone. */
ng_status ng_rest_make(const ng_graph *graph, const ng_overlap *overlap, const int *wanted, int wanted_count, int64_t windows, int targets,
                       const ng_run *run, ng_rest *rest, ng_error *error);

/* Outputs of the first `windows` windows; outputs[w]: (any windows, size of wanted node w), written from window `first` on. */
void ng_rest_outputs(ng_rest *rest, int64_t windows, int64_t first, float *const *outputs);

/* F of each target and window: those of target t from values[t * stride] on. */
void ng_rest_values(ng_rest *rest, int64_t windows, const ng_objective *objectives, double *values, int64_t stride);

/* Fills in the gradients of each target. */
void ng_rest_gradients(ng_rest *rest, int64_t windows, const ng_objective *objectives);

#endif
