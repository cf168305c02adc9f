/* core/network/plan.h: how a graph is run for inputs of given shapes. It knows all layers and no data.
 *
 * Nodes are the graph's layer calls that the wanted outputs need, in three zones:
 *   prefix   an InputLayer and the affine layers that follow it alone. Along a path x(a) = x' + a (x - x') the last of them, the
 *            origin, is affine in a too: its two ends are computed once for all nodes of the path and interpolated, and its
 *            transpose is applied once to the weighted sum of gradients. A pool of relu behind it belongs to it as well.
 *   trunk    layers that read a few neighbouring rows. Cut into stages; a stage runs in tiles of rows, and only what later
 *            stages or the head read is kept.
 *   head     all layers from the first one that reads every row on: whole tensors, many samples at a time. */
#ifndef NG_NETWORK_PLAN_H
#define NG_NETWORK_PLAN_H
#include "core/base/run.h"
#include "core/network/graph.h"

enum {
    NG_MOST_SAMPLES = 60,                        /* in a tile or a block of the head: rows enough for a matrix product */
    NG_WINDOWS = 256,                            /* of a pooled origin in a block: both ends are computed for so many at a time */
    NG_LOOKS = 16                                /* for the usual row of a baseline */
};

typedef enum { NG_PREFIX, NG_TRUNK, NG_HEAD } ng_zone;

typedef struct ng_node {
    ng_layer layer;
    const ng_layer *exact;                       /* the same layer where equal inputs must give equal bits; NULL: it does so itself */
    const int *inputs;                           /* node numbers */
    ng_shape whole;                              /* output as other nodes see it */
    int64_t group;                               /* samples of the layer in one sample of the network */
    ng_zone zone;
    int stage;                                   /* of a trunk node, and of an origin (stage 0) */
    bool origin, pooled;                         /* pooled: an origin that takes its winners from both ends (kernels/path_pool.h) */
    bool kept;                                   /* its output outlives its stage */
    bool boundary;                               /* of the trunk, or an origin: the head or the caller reads it */
    bool read_inside;                            /* by a node of its own stage */
    int last_stage;                              /* that reads it */
    int64_t y_unit, gradient_unit;               /* tiles of its output, and of its gradient, are cut at multiples of these */
    int64_t taken_at[2];                         /* backward and forward: where those of its rows lie, in floats, that a tile takes over */
    int64_t every[2], read_every[2];             /* backward and forward: its rows are computed, and read, in every so many tiles, for all */
    int64_t head_tile, head_code;                /* of a head node: where they lie, in bytes times the samples of a block */
    int last_use;                                /* of a head node: the last that reads it; count if the caller does */
} ng_node;

/* Nodes [first, last) of the plan; an origin in [0, first) belongs to stage 0 as well. */
typedef struct ng_stage {
    int first, last;
    int64_t tiles[2];                            /* backward, over the rows it reads, and forward, over the rows that are kept */
    int64_t block[2];                            /* samples in a tile */
    double again[2];                             /* the share of a tile that the one before it computes, too, unless it hands it over */
    int64_t every[2];                            /* the most of its nodes; all run in the last of so many tiles, on the way back in the first */
} ng_stage;

typedef struct ng_plan {
    int count, trunk_first, head_first;          /* prefix [0, trunk_first), trunk [trunk_first, head_first), head [.., count) */
    ng_node *nodes;
    int origin_count;
    const int *origins;                          /* one per model input, in its order */
    const int *input_nodes;                      /* the InputLayers themselves */
    int wanted_count;
    const int *wanted;                           /* nodes whose output the caller reads, in the caller's order */
    int stage_count;
    ng_stage *stages;
    int64_t tile_bytes;                          /* a tile's working set */
    bool winners_kept;                           /* of pooled origins; or found again by each tile of each round */
    int64_t head_block, head_bytes;              /* samples at a time in the head; of one of them, tiles and codes */
    int64_t scratch_bytes;                       /* per thread */
    int64_t sample_bytes, boundary_bytes;        /* of one sample: kept tensors, codes and what tiles take over; of those tensors the boundary */
    int64_t taken_floats;                        /* that a tile takes over of one sample, in all, at most */
} ng_plan;

/* Plans the calls `wanted` of the graph for inputs of these shapes. gradients: codes are kept and backward tiles planned.
 * The room in the run's arena steers what is kept; the plan lives there. */
ng_status ng_plan_make(const ng_graph *graph, const ng_shape *input_shapes, const int *wanted, int wanted_count, bool gradients,
                       const ng_run *run, ng_plan *plan, ng_error *error);

/* Where the head's tiles and codes lie, and its block (head.c); part of making a plan. */
void ng_size_head(ng_plan *plan, bool gradients, const ng_run *run);

/* tile_rows.c: rows of tiles. rows[] and spare[] have plan->count elements. */

/* Where tiles may be cut: forward, so that no kernel computes rows twice; backward, where kernels must begin. */
void ng_find_units(ng_plan *plan);
/* Adds to rows[] what these rows of a node need of its inputs. */
void ng_need(const ng_plan *plan, int node, ng_range *rows);
/* Is a node a tensor whose gradient the stage delivers? */
bool ng_delivers(const ng_plan *plan, const ng_stage *stage, int node);
/* What tile `tile` by itself takes of each node of a stage (and of origins in stage 0): forward the rows it computes, backward those whose
 * gradient it needs, and those of the tensors that the stage reads, which are delivered. */
void ng_own_rows(const ng_plan *plan, const ng_stage *stage, bool forward, int64_t tile, ng_range *rows);
/* The rows it holds in a run of tiles that follow one another from `run_first` on, a multiple of stage->every: those it takes over from the
 * tile before it, and behind them new ones. They are its own, but where nodes run for several tiles at a time. */
void ng_tile_rows(const ng_plan *plan, const ng_stage *stage, bool forward, int64_t run_first, int64_t tile, ng_range *spare, ng_range *rows);
/* Of the rows of a tile those that the tile before it holds already: the first ones, or none. */
ng_range ng_rows_taken(ng_range before, ng_range rows);
/* The rows of a kept tensor that are new with this tile. */
ng_range ng_kept_rows(const ng_plan *plan, const ng_stage *stage, int k, int64_t tile);
/* The last affine layer of the prefix of an input: the origin, or what a pooled origin reads. */
int ng_last_affine(const ng_plan *plan, int input);
/* Rows of a prefix: those that its last affine layer needs for rows `own` of itself; those that rows `own` of the input touch. */
void ng_ends_rows(const ng_plan *plan, int input, ng_range own, ng_range *rows);
void ng_touched_rows(const ng_plan *plan, int input, ng_range own, ng_range *rows);
/* Rows of the gradient of an input that are delivered at a time: of the shape alone. */
int64_t ng_delivery_rows(ng_shape input);

/* Rows of tile `tile` of `tiles` over `length` rows: cut at multiples of unit. */
ng_range ng_part(int64_t tile, int64_t tiles, int64_t length, int64_t unit);

bool ng_in_stage(const ng_plan *plan, const ng_stage *stage, int node);

#endif
