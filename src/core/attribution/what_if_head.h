/* core/attribution/what_if_head.h: the head of a network over changed boundary tensors, where most rows are those of the unchanged
 * input. A dense layer on a flattened tensor takes the difference alone: the sum over changed columns, added to what it gave before.
 * A global pooling reads blocks (kernels/global_in_blocks.h). Other layers are run anew. */
#ifndef NG_ATTRIBUTION_WHAT_IF_HEAD_H
#define NG_ATTRIBUTION_WHAT_IF_HEAD_H
#include "core/network/cone.h"

typedef struct ng_head {
    const ng_stream *stream;
    const ng_objective *objective;
    bool *whole;                                 /* by node: a kept tensor that the head reads as it is */
    bool *skipped, *difference;                  /* by node: Flatten, and the dense layer that alone reads it */
    bool differences;
    float **sums;                                /* by node: of dense layers, (samples of the stream, units), for the unchanged input */
} ng_head;

/* Memory of one thread: `block` changed samples. */
typedef struct ng_head_room { float **tensors, **sums; double *added; } ng_head_room;

ng_status ng_head_make(const ng_stream *stream, const ng_objective *objective, int goals, ng_arena *arena, ng_head *head, ng_error *error);
/* Bytes of a room, for each sample of its block. */
int64_t ng_head_room_bytes(const ng_plan *plan, int goals);
ng_status ng_head_room_make(const ng_head *head, int64_t block, ng_arena *arena, ng_head_room *room, ng_error *error);

/* After a round forward: what dense layers give for the first `samples` samples that the stream keeps; and their values, where these
 * follow from it. */
void ng_head_begin(ng_head *head, ng_head_room *rooms, int64_t samples, double *values);

/* Sample `at` of the block becomes sample `sample` of the stream, with sample n of the tiles of a cone. */
void ng_head_place(const ng_head *head, int64_t at, int64_t sample, const ng_cone *cone, const ng_tile *tiles, int64_t n, ng_head_room *room);

/* The objective of the first `samples` samples of the block. */
void ng_head_values(const ng_head *head, const ng_head_room *room, int64_t samples, double *values, ng_worker *worker);

/* Operations of one changed sample. */
double ng_head_operations(const ng_head *head, const ng_cone *cone);

#endif
