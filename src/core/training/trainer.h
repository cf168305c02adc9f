/* core/training/trainer.h: trains a graph, batch by batch.
 *
 * A batch is cut into shards, which are learned from side by side; the gradient of the weights is summed over the samples of a
 * shard in their order, then over the shards in theirs. How many shards there are depends on the batch alone, so no bit depends on
 * threads. Nodes are cut into segments: at a BatchNormalization, which must have seen the whole batch before it answers, and where the
 * first layer reads all rows. A shard passes a segment in blocks of a few samples, whose tensors stay in the cache. Only what another
 * segment reads, or a layer's gradient needs again, is kept for the whole batch; in the last segment a block goes forward and back
 * at once. Where samples are few and long, as genomes are, the rows of each layer are dealt among the threads instead, and parts of
 * rows are what shards are else. */
#ifndef NG_TRAINING_TRAINER_H
#define NG_TRAINING_TRAINER_H
#include "core/base/run.h"
#include "core/network/graph.h"
#include "core/training/loss.h"
#include "core/training/optimizer.h"
#include "core/training/samples.h"
#include "core/training/statistics.h"

enum {
    NG_SHARDS = 8,                               /* of a batch */
    NG_FEW_PARTS = 2                             /* of the rows of a layer with more weights than numbers, whose sums are what takes time */
};

typedef struct ng_training {
    int output;                                  /* the call whose value the loss reads */
    ng_loss loss;
    ng_optimizer optimizer;
    int64_t batch;                               /* the most samples of a step */
    const bool *trained;                         /* by weight of the graph */
    uint64_t key;                                /* of all that is drawn */
} ng_training;

typedef struct ng_unit {                         /* a node of the network as it trains */
    ng_layer layer;                              /* shapes and packed weights, made anew after each step */
    const int *inputs;
    int learns;                                  /* the call whose weights are its own: that of its node, or of one it took into itself */
    ng_shape whole;
    int64_t group;
    int segment;
    bool used, needed, reaches;                  /* needed: and not a part of its reader; reaches: it or what it reads is trained */
    bool dealt;                                  /* its rows, among threads */
    bool keeps_value, keeps_gradient;            /* for the whole batch */
    float *value, *gradient;
    uint8_t *code;
    float **dw;                                  /* by weight of the layer, room for the pointers: (threads, weights) */
    ng_statistics *statistics;                   /* of a BatchNormalization that trains */
    double dropout;                              /* rate */
} ng_unit;

typedef struct ng_segment { int first, last; int64_t block; } ng_segment;

typedef struct ng_trainer {
    ng_graph graph;                              /* with weights of its own */
    ng_training settings;
    ng_arena *arena;
    const void *mark;                            /* what lies behind it is made anew after each step */
    ng_shape *input_shapes;
    float **weights;                             /* by weight of the graph: those that are trained lie one after the other */
    int64_t *places;                             /* of each weight among those that are trained; -1 */
    int64_t *sizes, trained_count, step;
    float *trained, *mean, *square;              /* and what the optimizer keeps of each */
    float *partial;                              /* sums of all trained weights for shard 0, of the first shared_count for each other */
    int64_t shared_count, many_count;            /* those from NG_FEW_PARTS on need the first many_count alone */
    ng_unit *units;
    ng_segment *segments;
    int segment_count;
    int64_t shard_samples, local_bytes, scratch_bytes;
    bool wide;                                   /* few long samples: shard 0 has them all */
    int threads, most_inputs;
    uint8_t **local, **scratch;                  /* by thread; local where it has samples of its own */
    double *loss, *right;                        /* of each sample of a batch */
    ng_tile *tiles;                              /* (threads, 2, units): values and gradients; then operands */
    ng_code *codes;                              /* (threads, units) */
} ng_trainer;

/* The trainer, its weights copied from the graph, and all its memory come from the arena, which nothing else may use from now on. */
ng_status ng_trainer_make(const ng_graph *graph, const ng_shape *input_shapes, const ng_training *settings, int threads,
                          ng_arena *arena, ng_trainer *trainer, ng_error *error);

/* Where rows are dealt: in how many parts the gradient of its weights is summed. */
int64_t ng_gradient_parts(const ng_unit *unit);

/* Packs the weights again, after they changed. */
ng_status ng_trainer_refresh(ng_trainer *trainer, ng_error *error);

/* One step over `count` samples, 1 to settings.batch: the gradient of their mean loss, summed over shards into
 * partial[0 .. trained_count); and the move along it at this learning rate. *loss is the mean, *right that of what ng_loss_of() calls
 * so. */
void ng_train_gradient(ng_trainer *trainer, const ng_samples *samples, const ng_pick *picks, int64_t count, double *loss, double *right);
ng_status ng_train_update(ng_trainer *trainer, double rate, ng_error *error);

#endif
