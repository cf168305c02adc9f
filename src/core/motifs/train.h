/* core/motifs/train.h: one epoch of training: batches, clipped Adam, running statistics. */
#ifndef NG_MOTIFS_TRAIN_H
#define NG_MOTIFS_TRAIN_H
#include "core/motifs/grammar.h"
#include "core/motifs/pass.h"

/* What is learned from: a grammar, whose sequences are drawn anew in every epoch, or n sequences. */
typedef struct ng_motif_data {
    const ng_grammar *grammar;
    int64_t batches;                             /* an epoch of a grammar */
    const uint8_t *codes;                        /* (n, length) */
    const double *y;
    int64_t n;
    bool balance;                                /* half of each batch has y > 1/2 */
    bool mirror;                                 /* half of each batch are reverse complements of the other half */
} ng_motif_data;

typedef struct ng_motif_adam { double *first, *second; int64_t steps; } ng_motif_adam;

/* Means of the losses over the batches that measured them. */
typedef struct ng_motif_epoch { ng_motif_loss loss; int64_t batches, skipped; double highest_mean; } ng_motif_epoch;

/* One clipped step of Adam (.9, .999, 1e-8). */
void ng_motif_step(ng_motif_network *net, ng_motif_adam *adam, double *gradient, const ng_motif_weights *weights);

/* Trains the network, in place. */
ng_status ng_motif_train(ng_motif_network *net, ng_motif_adam *adam, const ng_motif_data *data, const ng_motif_weights *weights,
                         int64_t batch, int64_t epoch, uint64_t key, const ng_run *run, ng_motif_epoch *result, ng_error *error);

#endif
