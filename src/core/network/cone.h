/* core/network/cone.h: what a change of some rows of the input changes in the trunk: a cone, which opens upwards by the halos of the
 * layers and narrows by their strides. Beside it every tensor stays as it is, so that only rows of the cone are computed, from
 * the rows around it that a stream keeps of the unchanged input. It knows layers and rows, no data. */
#ifndef NG_NETWORK_CONE_H
#define NG_NETWORK_CONE_H
#include "core/network/tiles.h"

/* Rows by node of the prefix and the trunk: those that may differ, those that are computed, and those in its tile, of which the
 * others are copied from the kept tensor. */
typedef struct ng_cone { ng_range *dirty, *rows, *held; } ng_cone;

ng_status ng_cone_make(const ng_plan *plan, ng_arena *arena, ng_cone *cone, ng_error *error);

/* The cone of rows `change` of the plan's one input. */
void ng_cone_find(const ng_plan *plan, ng_range change, ng_cone *cone);

/* Scratch memory, and floating-point operations, of a cone. */
int64_t ng_cone_bytes(const ng_plan *plan, const ng_cone *cone, int64_t samples);
double ng_cone_operations(const ng_plan *plan, const ng_cone *cone, int64_t samples);

/* The tile of changed input rows, held[input], for the caller to fill. */
ng_tile ng_cone_input(const ng_plan *plan, const ng_cone *cone, int64_t samples, ng_worker *worker);

/* Computes the cone over sample `sample` of what the stream keeps; worker->tiles are then the held rows of each node. The plan must
 * be one of a direct run: a cone begins anywhere. */
void ng_cone_forward(const ng_stream *stream, const ng_cone *cone, int64_t sample, const ng_tile *input, ng_worker *worker);

/* Does a layer read so far beyond its own row that its input had better be kept? */
bool ng_reads_far(const ng_layer *layer);

#endif
